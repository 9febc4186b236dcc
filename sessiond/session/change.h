/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Changes of what all devices of an account share (chats archived, muted, pinned, cleared; messages starred or deleted for us; contacts,
 * labels, quick replies, settings, the own name: whatever struct wa_action describes), and
 * reading a chat. A job is made on the main loop, done on the session's, and called back on the main loop; the session owns it meanwhile.
 */
#ifndef SESSIOND_SESSION_CHANGE_H
#define SESSIOND_SESSION_CHANGE_H

#include "common/arena.h"
#include "sessiond/session/lookup.h"
#include "sessiond/session/session.h"
#include "sessiond/wa/wa.h"

enum change_code {
	CHANGE_DONE = 0,
	CHANGE_GONE = 404,     /* the session has gone or is not linked */
	CHANGE_NOTHING = 2004, /* read: there is nothing to mark */
	/* everything else: a code of WhatsApp's server, 408 no answer in time, 429 too many wait, 503 not connected or no key yet */
};

struct change_read {
	const char *id;        /* in the job's arena */
	struct jid chat, author; /* as it was addressed */
	int64_t time_ms;
};

struct change_job {
	/* what to do */
	const char *action;    /* static: name of a wa_action; NULL: send read receipts */
	struct jid chat;
	char *message_id;      /* owned; NULL: about the chat */
	bool on, media_too, starred_too;
	bool removed;          /* contacts: the entry goes */
	char *id;              /* owned; label, quick reply; NULL: none */
	char *text, *text2;    /* owned; as in struct wa_action */
	int64_t number, number2;
	struct jid lid;        /* contact: the other form, server NONE if unknown */
	int64_t until_ms;      /* mute */
	int64_t last_message_s;
	size_t read_newest;    /* receipts for so many of the newest inbound messages; 0: */
	int64_t read_since_ms; /* ... for all since then */
	/* how it went */
	int code;              /* enum change_code */
	char error[160];
	struct jid own;        /* own PN */
	struct change_read *reads; /* in the arena, oldest first */
	size_t nreads;
	bool capped;
	/* called on the main loop; the job is the callee's again */
	void (*done)(struct change_job *job);
	void *arg;
	/* inside session/ */
	struct session *session;
	struct session_call *call;
	struct lookup_account who;
	struct lookup found;
	struct arena arena;
	uint64_t tag;
	struct change_job *next;
};

/* chat NULL: about none (labels, settings, own name). */
struct change_job *change_job_new(const char *action, const struct jid *chat);
void change_job_free(struct change_job *job);
void sessions_change(struct sessions *sessions, struct session_entry *entry, struct change_job *job);

#endif
