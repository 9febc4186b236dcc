/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sessiond/session: WhatsApp accounts. The registry of all sessions lives on the main loop and is what the RPC side talks to;
 * each session itself lives on one of the session loops.
 *
 *     main loop                                         session loop k
 *     struct sessions                                   struct session_loop (net, wa_loop, timers)
 *       struct session_entry --- loop_post(command) ---> struct session (wa_client, ws, outbox)
 *         view, watches      <-- loop_post(view) -------
 *
 * All functions here are called on the main loop and call back there. An entry pointer is good until control returns to the
 * loop; whoever waits keeps the id and looks it up again.
 */
#ifndef SESSIOND_SESSION_H
#define SESSIOND_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/jid.h"
#include "common/reach.h"
#include "sessiond/session/view.h"

struct daemon;
struct loop;
struct sessions;

struct session_entry {
	int64_t number;                /* the store's name for it */
	char *id, *registry, *label;   /* owned */
	char *webhook_url, *webhook_secret; /* owned, never NULL */
	char *proxy_url;               /* owned; NULL: the pool or direct */
	bool auto_start;
	int64_t created_ms;
	struct session_view view;      /* as the session last posted it */
	struct session_private *priv;  /* owned; registry.c */
};

/* A registry without entries that starts count session loops (threads). */
struct sessions *sessions_new(struct daemon *daemon, unsigned count);
/* Reads all sessions from the store and starts those that shall run, paced; done(arg, store error) when the list is complete. */
void sessions_load(struct sessions *sessions, void (*done)(void *arg, int error), void *arg);
/* Closes every connection cleanly and ends the loops' threads; done(arg) within deadline_ms in any case. */
void sessions_stop_all(struct sessions *sessions, int64_t deadline_ms, void (*done)(void *arg), void *arg);
/* Ends the loops' threads. Then close the store, then free: letters of the store's threads still refer to the loops. */
void sessions_join(struct sessions *sessions);
void sessions_free(struct sessions *sessions);

/* ---- looking ---- */

struct session_entry *sessions_find(struct sessions *sessions, const char *id);
/* An open session by its own phone number (digits); registry NULL: of anybody; reach: of a key (common/reach.h). */
struct session_entry *sessions_find_phone(struct sessions *sessions, const char *registry, const struct reach *reach, const char *digits);
struct session_entry *sessions_first_open(struct sessions *sessions, const char *registry, const struct reach *reach);
void sessions_each(struct sessions *sessions, void (*visit)(struct session_entry *entry, void *arg), void *arg);
size_t sessions_total(const struct sessions *sessions);
/* {"items":[...]} of session/list, kept until something in it changes. Borrowed until the next call. */
const struct buf *sessions_list_json(struct sessions *sessions, const char *registry);
/* The same as a sealed file of *length bytes, borrowed until the next call; -1: it is too short to be worth it, or there is none. */
int sessions_list_file(struct sessions *sessions, const char *registry, size_t *length);

/* Tells whenever the view of that session changes, until sessions_unwatch() or the removal of the session (entry NULL), which ends it.
 * Never start one that runs. */
struct session_watch {
	struct session_watch *next, *prev;
	struct session_entry *entry;
	void (*changed)(void *arg, struct session_entry *entry);
	void *arg;
};
void sessions_watch(struct session_entry *entry, struct session_watch *watch, void (*changed)(void *arg, struct session_entry *entry), void *arg);
void sessions_unwatch(struct session_watch *watch);

/* ---- commands: done(arg, error) is called once, error 0 or an enum store_error; NULL is allowed ---- */

typedef void sessions_done(void *arg, int error);

/* Stores a new session and starts it. STORE_CONSTRAINT: the id exists. */
void sessions_create(struct sessions *sessions, const char *registry, const char *id, sessions_done *done, void *arg);
/* Starts it unless it runs. */
void sessions_start(struct sessions *sessions, struct session_entry *entry);
/* A session out of a backup may connect from now on. */
void sessions_confirm(struct sessions *sessions, struct session_entry *entry, sessions_done *done, void *arg);
/* Closes the connection and connects again. */
void sessions_reconnect(struct sessions *sessions, struct session_entry *entry, sessions_done *done, void *arg);
/* Unlinks the device if connected, forgets the credentials, stops. The entry stays. */
void sessions_logout(struct sessions *sessions, struct session_entry *entry, sessions_done *done, void *arg);
/* The same, then removes everything of it. */
void sessions_delete(struct sessions *sessions, struct session_entry *entry, sessions_done *done, void *arg);
void sessions_set_webhook(struct sessions *sessions, struct session_entry *entry, const char *url, const char *secret, sessions_done *done, void *arg);
/* Asks for a pairing code; it shows up in the view. phone: digits. */
void sessions_pair_code(struct sessions *sessions, struct session_entry *entry, const char *phone);
/* Somebody looks at the QR code: the session goes on offering codes for a while. */
void sessions_want_qr(struct sessions *sessions, struct session_entry *entry);
/* error -1: the session waits for no such answer. */
void sessions_passkey_response(struct sessions *sessions, struct session_entry *entry, const char *credential_json, sessions_done *done, void *arg);
void sessions_passkey_confirm(struct sessions *sessions, struct session_entry *entry, sessions_done *done, void *arg);

/* Tells a message's author that it was read or played. */
struct session_read_mark {
	struct jid chat;
	struct jid participant; /* its author in a group; else none */
	char id[65];
	bool played;
};
/* error -1: the session is not open. */
void sessions_mark_read(struct sessions *sessions, struct session_entry *entry, const struct session_read_mark *mark, sessions_done *done, void *arg);

/* ---- what is to be sent later ---- */

enum cancel_outcome {
	CANCEL_DONE = 0,
	CANCEL_UNKNOWN,   /* no such message */
	CANCEL_UNDER_WAY, /* it was sent, is being sent, or has failed */
	CANCEL_BUSY,      /* the queue is being read: try again */
	CANCEL_STORE_ERROR
};
/* Takes back a message whose time has not come, and all chunks of a status. error: enum cancel_outcome; done already: CANCEL_DONE. */
void sessions_cancel(struct sessions *sessions, struct session_entry *entry, const char *message_id, sessions_done *done, void *arg);

enum reschedule_outcome {
	RESCHEDULE_DONE = 0,
	RESCHEDULE_UNKNOWN, RESCHEDULE_UNDER_WAY, RESCHEDULE_BUSY, RESCHEDULE_STORE_ERROR, /* as with cancel_outcome */
	RESCHEDULE_NO_TEXT,   /* it has neither text nor caption */
	RESCHEDULE_BROADCAST  /* a status in several messages: its time alone can be changed */
};
/* Another time (wall clock; negative: as it is) and text or caption (NULL: as it is) for such a message. error: enum reschedule_outcome. */
void sessions_reschedule(struct sessions *sessions, struct session_entry *entry, const char *message_id, int64_t not_before_ms, const char *text,
			 sessions_done *done, void *arg);

/* ---- sending ---- */

/* Longest message id; ours have 22 characters, a caller may choose another one. */
enum { SEND_ID_MAX = 64 };
/* Of a row of the outbox: a message id, and the number of the part (route.h). */
enum { SEND_ROW_ID_MAX = SEND_ID_MAX + 24 };

/* One thing to say, ready-made: a serialized E2E Message without ContextInfo (sessiond/wa/build.h). */
struct send_content {
	struct buf message;        /* owned */
	bool view_once;            /* goes into a viewOnceMessage */
	char *media_handle;        /* owned, may be NULL: channels, the media server's name of its file */
	uint32_t album;            /* 0: none; else place of the album's own content in the job, counted from 1 */
	uint32_t album_index;      /* which one of the album, from 0 */
};

/* One message: a content to a recipient. Becomes one row of the outbox. */
struct send_item {
	struct jid to;
	size_t content;            /* index in the job's contents */
	char *quoted_id;           /* owned; NULL: no quote */
	char id[SEND_ID_MAX + 1];  /* chosen by the caller; empty: by the session */
	/* a status: who sees it; none: whom the account's settings name */
	struct jid *audience;      /* owned */
	size_t naudience;
	/* channels: */
	char *wire_id;             /* owned; NULL: the message's own id. Edits and deletions have that of the post */
	int64_t server_id;         /* of the post that a reaction is for; 0: none */
};

struct send_group_mention {
	struct jid group;
	char *subject;             /* owned; NULL: as far as it is known */
};

/* Which of a session's waiting messages goes first; within a chat the order in which they came is kept. */
enum send_priority { SEND_NORMAL = 0, SEND_HIGH, SEND_LOW, SEND_PRIORITIES };

/* Whose messages these are. They all go the same road; it is kept with the rows and told by the queue's state. */
enum send_source { SEND_BY_REQUEST = 0, SEND_BY_ACTION, SEND_BY_CAMPAIGN, SEND_BY_ITSELF, SEND_SOURCES };

/* Why a message waits in the queue although its turn has come. */
enum send_hold {
	HOLD_NONE = 0,
	HOLD_PAUSED,      /* by the operator */
	HOLD_RESTRICTED,  /* WhatsApp does not let the account write to new contacts */
	HOLD_QUIET_HOURS,
	HOLD_COLD_BUDGET, /* enough new contacts were written to today */
	HOLD_PACE,
	HOLD_RETRY,       /* an attempt has failed */
	HOLD_CHECK,       /* whether the recipient is a new contact is being looked up */
	HOLD_COUNT
};
/* "paused", "restricted", ...: the names that answers and the queue's state have. */
const char *send_hold_name(enum send_hold hold);

struct send_result {
	struct jid to;
	char id[SEND_ID_MAX + 1];
	int64_t time_ms;   /* server's time if acked, else ours */
	bool acked;
	bool delivered;    /* to a device of the recipient; only told if the job waited for it */
	bool failed;       /* will never be sent */
	int code;
	char error[128];
	enum send_hold hold;     /* not sent yet: why, and until when (wall clock; 0: not known) */
	int64_t hold_until_ms;
	size_t audience, chunks; /* of a status: for how many it is, in how many messages; id is that of the first */
};

enum send_state {
	SEND_DONE = 0, SEND_SESSION_GONE, SEND_QUEUE_FULL, SEND_STORE_ERROR,
	SEND_DUPLICATE_ID, /* a chosen message id is taken */
	SEND_NO_AUDIENCE   /* a status that nobody would see */
};

/* What the caller waits for; all are bounded by time. */
enum send_wait {
	SEND_WAIT_ACK = 0, /* of the server */
	SEND_WAIT_QUEUED,  /* the rows are stored */
	SEND_WAIT_DELIVERED
};

/*
 * One request to send: ready-made contents to one or more recipients, in order.
 *
 *     contents   [0] Message bytes   [1] Message bytes           built before (sessiond/wa/build.h)
 *     items      (A, 0)  (A, 1)  (B, 0)  (B, 1)                  each becomes one outbox row and one message
 *     context    mentions, forwarding; quote per item            added by the session when it makes the rows (wa_add_context())
 *     a status   one item, but a row for each chunk of its audience; the last one's ack counts
 *     results    [0]     [1]     [2]     [3]                     one per item, filled in by the session
 *
 * Made with send_job_new() (items and results zeroed, contents empty), filled in on the main loop, handed over by sessions_send().
 */
struct send_job {
	struct send_content *contents; /* owned */
	size_t ncontents;
	struct send_item *items;   /* owned, n of them */
	size_t n;
	struct jid *mentions;      /* owned */
	size_t nmentions;
	bool mention_all;          /* groups: everybody */
	struct send_group_mention *group_mentions; /* owned */
	size_t ngroup_mentions;
	bool forwarded;
	uint32_t forwarding_score; /* with forwarded */
	int presence;              /* enum presence_target */
	enum send_priority priority;
	enum send_source source;
	enum send_wait wait;
	int64_t not_before_ms;     /* wall clock; 0: now. A job for later is done when its rows are stored */
	char *info;                /* owned; kept with the last row (store_outbox.info), for whoever rebuilds the answer; may be NULL */
	/* idempotency: the row is written together with the outbox rows; NULL key: none */
	char *idem_scope, *idem_key; /* owned */
	uint8_t idem_digest[32];
	/* filled in by the session */
	enum send_state state;
	struct jid own;            /* own PN */
	struct send_result *results; /* owned, n of them */
	/* called on the main loop; the job is the callee's again */
	void (*done)(struct send_job *job);
	/* instead of done when the main loop has ended and nobody can be answered any more: frees arg; NULL: nothing to free */
	void (*forget)(void *arg);
	void *arg;
	struct send_job *next;     /* inside session/ */
	size_t settled;            /* inside session/ */
};

struct send_job *send_job_new(size_t contents, size_t items);
void send_job_free(struct send_job *job);
/* The session owns the job until it calls job->done. */
void sessions_send(struct sessions *sessions, struct session_entry *entry, struct send_job *job);

enum presence_target { PRESENCE_OFF = 0, PRESENCE_COMPOSING, PRESENCE_RECORDING, PRESENCE_PAUSED, PRESENCE_AVAILABLE, PRESENCE_UNAVAILABLE };

#endif
