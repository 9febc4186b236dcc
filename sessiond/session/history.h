/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The history that the phone uploads: at linking, later in the background, and on demand. On the session's loop.
 *
 *     notice (commit: record) -> queue, one at a time -> download to a temp file, or inlined
 *        -> survey   inflate and walk everything: damage is found before anything is written; both forms of people, tokens, secrets
 *        -> rows     inflate and walk again: batches of HISTORY_BATCH rows, each its own transaction between those of live traffic, at most two under way
 *        -> end      commit: counts, event, record "owed" -> receipt hist_sync to the phone -> record gone, blob deleted on the media servers
 *
 * A record outlives the process: the next life begins the history anew, and what was stored before is not stored twice. Records are of
 * kind RECORD_HISTORY, name = arrival in ms (16 digits) "/" message id; value:
 *
 *     state(1): 1 to do, 2 only the receipt is owed | HistorySyncNotification
 *
 * A history that cannot be used (damaged, lost, too big) is that history's error: told as an event, logged, and gone.
 *
 * Event history_sync (only for those who ask for it; rest-b 6.6 knows none):
 *     {id, kind, chunk, phoneProgress, state: started|progress|done|failed, percent, chats, messages, names, reason, sessionId}
 */
#ifndef SESSIOND_SESSION_HISTORY_H
#define SESSIOND_SESSION_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "sessiond/store/store.h"
#include "sessiond/timers.h"
#include "sessiond/wa/wa.h"

struct session;
struct session_call;
struct session_entry;
struct sessions;

enum { RECORD_HISTORY = 203, HISTORY_BATCH = 300, HISTORY_WAITING_MAX = 1000 };

/* Adds the record of a notice to the transaction of its message. */
void history_keep(struct session *session, struct store_tx *tx, const struct wa_event *event);
/* That transaction is stored. */
void history_noticed(struct session *session, const struct wa_event *event);
/* A new life: what the last one left. */
void history_reload(struct session *session);
/* Connected: goes on where it can. */
void history_pump(struct session *session);
/* The account is another one, or gone: nothing of it is stored any more. The records go with tx. */
void history_drop(struct session *session, struct store_tx *tx);
void history_free(struct session *session);

/* ---- more of a chat ---- */

/* What came of it. */
enum history_more_state {
	HISTORY_MORE_DONE = 0,
	HISTORY_MORE_OFFLINE, /* the session is not connected */
	HISTORY_MORE_SILENT,  /* the phone did not answer in time: it is off, or has nothing to say */
	HISTORY_MORE_NONE,    /* no message of the chat is known from which to go back */
	HISTORY_MORE_FAILED,  /* what came cannot be used, or the store failed: text */
	HISTORY_MORE_BUSY     /* HISTORY_MORE_MAX questions wait already */
};

enum { HISTORY_MORE_MAX = 32 };

/*
 * One question for messages before the oldest that is stored. Made and freed by who asks, on the main loop; filled in by the session,
 * which calls done there, once.
 */
struct history_more {
	struct jid chat;
	unsigned count;              /* how many at most */
	int64_t wait_ms;             /* for the phone, and until what it sent is stored */
	void (*done)(struct history_more *more);
	void *arg;
	/* the answer */
	enum history_more_state state;
	char text[160];
	uint64_t messages;           /* how many the phone sent */
	bool complete;               /* the phone has no older ones */
	/* inside session/ */
	struct session *session;
	struct session_call *call;
	struct history_more *next;
	struct arena arena;
	struct timer timer;
	char id[23];                 /* of the question */
	int error;                   /* of the look-up */
	struct wa_history_request wanted;
};

void sessions_history_more(struct sessions *sessions, struct session_entry *entry, struct history_more *more);
void session_cmd_history_more(struct session *session, struct session_call *call);

#endif
