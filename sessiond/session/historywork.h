/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Inside of history (history.h). Private to sessiond/session.
 *
 *     history.c        the queue and its records
 *     historyrun.c     one history: where its bytes come from, survey, rows, end
 *     historyrows.c    items as rows of the store
 *     historymore.c    questions for more
 */
#ifndef SESSIOND_SESSION_HISTORYWORK_H
#define SESSIOND_SESSION_HISTORYWORK_H

#include "sessiond/bytemap.h"
#include "sessiond/session/history.h"
#include "sessiond/session/object.h"
#include "sessiond/session/transfer.h"
#include "sessiond/store/chats.h"
#include "sessiond/wa/history.h"

enum history_phase { HISTORY_WAITS = 0, HISTORY_FETCHES, HISTORY_SURVEYS, HISTORY_WRITES, HISTORY_ENDS, HISTORY_OWES };

/* Where the packed bytes are. */
struct history_source {
	int fd;               /* owned; -1: inlined */
	uint64_t at;
	struct span inlined;  /* borrowed from the notice */
};

struct history_job {
	struct history_job *next;
	struct histories *of;         /* borrowed */
	char *name;                   /* owned: of the record */
	const char *id;               /* message id, inside name */
	struct buf bytes;             /* owned: the notice */
	struct wa_history_notice notice;
	enum history_phase phase;
	unsigned attempts;
	int64_t next_ms;              /* monotonic: no attempt before */
	/* under way */
	struct transfer *transfer;
	struct history_source source;
	struct wa_history *reader;    /* owned; a worker has it while `working` */
	struct bytemap *others;       /* owned: "user@server" -> struct history_other, from the survey */
	struct wa_learned *learned;   /* owned: for the library, of one slice */
	struct store_tx *tx;          /* owned: rows of one slice */
	size_t rows;                  /* in tx */
	struct store_message *chunk;  /* owned: messages of one chat that are not in tx yet */
	size_t nchunk;
	struct store_peer chunk_chat;
	int64_t newest_ms;            /* message of the conversation under way */
	struct arena texts;           /* owned: of the chunk */
	bool working;                 /* a worker has the job */
	bool learning;                /* the library has what was learned */
	unsigned commits;             /* under way */
	bool at_end;                  /* the reader is */
	int error;                    /* of the reader or the store, 0: none */
	char reason[160];
	uint64_t total;               /* messages, from the survey */
	uint64_t bytes_total;         /* inflated, from the survey */
	struct wa_history_counts counts;
	unsigned told;                /* last percent that was told */
	int64_t begun_ms;             /* monotonic */
	/* for the worker, which may not look at the session */
	int64_t session, begun_wall_ms;
	int64_t oldest_ms;            /* what is older is not wanted */
	struct jid own, own_lid;
	bool complete;                /* of a page on demand: the phone has no older messages */
};

/* The other form of a person. */
struct history_other {
	enum jid_server server;
	char user[JID_USER_MAX + 1];
};

struct histories {
	struct session *session;      /* borrowed */
	struct history_job *first;    /* owned list, in order of arrival; the first is the one under way */
	struct history_job **end;
	size_t n;
	bool loaded;
	struct history_more *more;    /* borrowed list: questions that wait */
	struct timer timer;
};

/* ---- history.c ---- */
struct histories *histories_of(struct session *session);
/* The first is over: gone from the list. */
void history_take_off(struct histories *h);
/* Puts, or (state 0) deletes the record. */
void history_put_record(struct history_job *job, struct store_tx *tx, uint8_t state);
void history_event(struct history_job *job, struct store_tx *tx, const char *state, const char *reason);
unsigned history_percent(const struct history_job *job);
/* The session's view shows how far it is; job NULL: nothing is under way. */
void history_show(struct histories *h, const struct history_job *job);

/* ---- historyrun.c ---- */
void history_run(struct history_job *job);
/* Frees what a job under way holds; no worker may have it. */
void history_stop(struct history_job *job);
/* Not connected: begins anew after the next opening. */
void history_pause(struct history_job *job);

/* ---- historyrows.c ---- */
/* On a worker thread: one item of the survey. */
void history_survey_item(struct history_job *job, const struct wa_history_item *item);
/* On a worker thread: rows of one item into job->tx. */
void history_write_item(struct history_job *job, const struct wa_history_item *item);
/* What waits to be put together goes into job->tx. */
void history_rows_flush(struct history_job *job);
void history_rows_free(struct history_job *job);

/* ---- historymore.c ---- */
/* A job is over: who asked for it is told. reason NULL: it is stored. */
void history_more_settle(struct histories *h, const struct history_job *job, const char *reason);
void history_more_free(struct histories *h);

#endif
