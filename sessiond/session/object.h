/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One session on its loop. Private to sessiond/session.
 *
 *     session.c     lifecycle: start, connect, what the protocol library reports
 *     ending.c      lifecycle: close, retry, stop, log out, remove
 *     command.c     what the main loop asks for
 *     appstate.c    files and events of app state; change.c: changes of it that requests ask for
 *     host.c        what the protocol library asks of us: bytes, clock, records, batches, timer
 *     batch.c       a batch of the library as one transaction of the store
 *     job.c         a request to send becomes rows
 *     groupjob.c    questions about groups that requests ask
 *     lookup.c      messages of the past, by id
 *     outbox.h      sends: rows first, then one after another; when and in which order
 *     events.c      rows of the event journal
 *     transfer.h    files over WhatsApp's media servers
 *     ask.h         questions of requests to WhatsApp: cards.c about people, profile.c about and for the own profile
 *     addons.c      votes, answers, encrypted reactions and edits as events
 *     fetch.c       the file of one message, on demand
 *     history.h     the history that the phone uploads
 *     mirror.c      media of incoming messages: fetched and stored before the message is told
 *     normalise.c   messages as the JSON that receivers know
 */
#ifndef SESSIOND_SESSION_OBJECT_H
#define SESSIOND_SESSION_OBJECT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/log.h"
#include "sessiond/loop.h"
#include "sessiond/net/net.h"
#include "sessiond/session/backoff.h"
#include "sessiond/session/chattimer.h"
#include "sessiond/session/outbox.h"
#include "sessiond/session/session.h"
#include "sessiond/session/view.h"
#include "sessiond/store/store.h"
#include "sessiond/timers.h"
#include "sessiond/wa/wa.h"

struct daemon;
struct session;

/* What the sessions of one loop share. */
struct session_loop {
	struct daemon *daemon;       /* borrowed */
	struct sessions *sessions;   /* borrowed; only handed back to the main loop */
	struct log log;
	unsigned index;              /* which of the loops this is */
	struct loop *loop;           /* owned by the registry */
	struct timers *timers;       /* owned */
	struct net *net;             /* owned */
	struct wa_loop *wa;          /* owned */
	struct wa_config wa_config;  /* shared by the clients; the version changes in place */
	struct link *links;          /* owned list: every WebSocket, also those that only wait for their end */
	unsigned char random[512];   /* unused bytes of the last getrandom() */
	size_t random_left;
};

/* A WebSocket and whose it is: the session lets go of it before the closing handshake is over. */
struct link {
	struct link *next, *prev;
	struct session_loop *on;
	struct session *session; /* NULL: only waits for its end */
	struct ws *ws;           /* owned */
};

enum dial_outcome {
	DIAL_GOOD, /* the server spoke with us */
	DIAL_BAD,  /* no connection, or it broke before the login: the proxy may be to blame */
	DIAL_NONE  /* nothing was dialled */
};

/* In order of weight: a heavier wish replaces a lighter one that is under way. */
enum stop_wish { STOP_NONE = 0, STOP_RECONNECT, STOP_LOGOUT, STOP_REMOVE, STOP_SHUTDOWN };

/* A command from the main loop, answered there. */
struct session_call {
	struct session *session;
	void (*fn)(struct session *session, struct session_call *call);
	char *text;          /* owned, may be NULL */
	struct send_job *job; /* owned by the outbox from here on */
	int result;
	sessions_done *done; /* may be NULL */
	void *arg;
	struct session_call *next;
};

struct change_job;
struct histories;
struct transfers;

struct session {
	struct session_loop *on;     /* borrowed */
	struct session_entry *entry; /* borrowed: only handed back to the main loop */
	struct log log;
	int64_t number;
	char *id, *registry;         /* owned */
	char *proxy;                 /* owned: the one of the present or last connection, also for media; NULL: none */
	bool restored;               /* the row came out of a backup: must not connect */

	struct session_view view;
	bool running;                /* somebody wants it to be connected */
	bool slot;                   /* holds one of the node's handshakes */
	bool slot_wanted;
	struct wa_client *client;    /* owned; NULL until the first connect of a life */
	uint64_t life;               /* counts clients: answers for an earlier one are dropped */
	size_t busy;                 /* answers from other threads that still refer to this session */
	struct store_chain chain;    /* the present client's batches: each builds on those before it */
	bool drop_client;            /* the next connect needs a new one */
	struct link *link;           /* owned by the loop's list; NULL: no connection */
	bool online;                 /* the WebSocket is open */
	bool version_retried;
	int64_t restart_at_ms;       /* last "reconnect now", monotonic */
	int64_t qr_wanted_until_ms;  /* monotonic */
	struct backoff backoff;
	struct conflict_window conflicts;
	struct timer retry, wake, closing;
	struct timer creds_note;     /* runs: creds_update is due when it ends */
	int64_t creds_next_ms;       /* monotonic: the next one may be told then */
	enum stop_wish wish;
	bool gone;                   /* removed: only waits to be freed */
	bool let_go;                 /* ... and no letter of the main loop is on its way any more */
	struct session_call *calls;  /* owned: answered when the wish has come true */
	struct outbox outbox;
	struct chat_timers timers;   /* owned: disappearing messages */
	struct mirror *mirror;       /* owned: messages that wait for their media; NULL: none yet */
	struct fetch *fetches;       /* owned list: files fetched on demand */
	struct histories *histories; /* owned: what the phone uploads of the past; NULL: none yet */
	struct transfers *transfers; /* owned; NULL: no file was sent or fetched yet */
	struct change_job *changes;  /* borrowed list: handed to the library, not answered yet */
	uint64_t last_change;
};

/* ---- session.c: on the session's loop ---- */
struct session *session_new(struct session_loop *on, struct session_entry *entry, const struct store_session *row);
void session_free(struct session *session);
/* The handshake that was asked for may begin, through this proxy (owned by the call's text; NULL or "": direct). */
void session_granted(struct session *session, struct session_call *call);
void session_cmd_start(struct session *session, struct session_call *call);
void session_cmd_reconnect(struct session *session, struct session_call *call);
void session_cmd_logout(struct session *session, struct session_call *call);
void session_cmd_remove(struct session *session, struct session_call *call);
void session_cmd_shutdown(struct session *session, struct session_call *call);
/* The operator says that a session out of a backup may connect. */
void session_cmd_confirm(struct session *session, struct session_call *call);
void session_cmd_pair_code(struct session *session, struct session_call *call);
void session_cmd_want_qr(struct session *session, struct session_call *call);
/* After a 405: text NULL: there is another version, try it; else why there is none. */
void session_cmd_version(struct session *session, struct session_call *call);
void session_cmd_passkey_response(struct session *session, struct session_call *call);
void session_cmd_passkey_confirm(struct session *session, struct session_call *call);
void session_cmd_mark_read(struct session *session, struct session_call *call);
/* What the library reports. */
void session_on_event(struct session *session, const struct wa_event *event);
void session_on_close(struct session *session, const struct wa_close *why);
/* A durable event of a batch that is stored. */
void session_on_stored(struct session *session, const struct wa_event *event);
/* Something waited for came in: frees the session or goes on with its wish when nothing is under way any more. */
void session_released(struct session *session);
void session_begin(struct session *session);
/* Another account may have been linked before: nothing of it is quoted, sent or shown under this one. */
void session_account_changed(struct session *session, struct store_tx *tx, const struct jid *account);
void session_set_status(struct session *session, enum session_status status, int reason, const char *text);
/* Not running any more, with this status. */
void session_stop_here(struct session *session, enum session_status status, int reason, const char *text);
void session_want_slot(struct session *session);
/* why: of a DIAL_BAD, may be NULL. */
void session_free_slot(struct session *session, enum dial_outcome outcome, const char *why);
void session_retry_in(struct session *session, int64_t delay_ms);
void session_answer_calls(struct session *session, int result);

/* ---- transfer.c; the rest of it is in transfer.h ---- */
void transfers_free(struct session *session);

/* ---- ending.c ---- */
/* Ends the connection for this wish; the calls are answered when it has come true. */
void session_wish(struct session *session, enum stop_wish wish, struct session_call *call);

/* Frees a removed session as soon as nothing refers to it any more. */
void session_let_go(struct session *session);

/* ---- host.c ---- */
extern const struct wa_host session_host;
/* Opens the WebSocket. 0 or negative. */
int session_dial(struct session *session, const char *proxy);
/* Lets the connection end by itself; no more calls for it. */
void session_hang_up(struct session *session);
/* Drops every connection of the loop at once. */
void session_loop_drop_links(struct session_loop *on);
void session_random(struct session_loop *on, void *out, size_t n);
/* In [0, 1). */
double session_random01(struct session_loop *on);

/* ---- batch.c ---- */
void session_commit(struct session *session, struct wa_batch *batch, uint64_t token);

/* ---- job.c, cancel.c, queuectl.c ---- */
void session_cmd_send(struct session *session, struct session_call *call);
void session_cmd_cancel(struct session *session, struct session_call *call);
void session_cmd_reschedule(struct session *session, struct session_call *call);
void session_cmd_queue(struct session *session, struct session_call *call);

/* ---- ask.c ---- */
void session_cmd_ask(struct session *session, struct session_call *call);

/* ---- change.c ---- */
void session_cmd_change(struct session *session, struct session_call *call);
/* WA_EVENT_CHANGED */
void change_settled(struct session *session, const struct wa_event *event);
/* The client is going: whoever waits is told. */
void change_fail_all(struct session *session);

/* ---- groupjob.c ---- */
void session_cmd_group(struct session *session, struct session_call *call);

/* ---- appstate.c ---- */
/* wa_host.blob */
void session_blob(struct session *session, const struct wa_blob *wanted, uint64_t token);
/* WA_EVENT_ACTION and WA_EVENT_APPSTATE_SYNCED as events of the journal. */
void appstate_event(struct session *session, struct store_tx *tx, const struct wa_event *event);
void appstate_synced_event(struct session *session, struct store_tx *tx, const struct wa_event *event);

/* ---- channelevents.c ---- */
/* newsletter_message, for a message of a channel; nothing for others. */
void channel_post_event(struct session *session, struct store_tx *tx, const struct wa_message *message);
void channel_mex_event(struct session *session, struct store_tx *tx, const struct wa_event *event);
void channel_counters_event(struct session *session, struct store_tx *tx, const struct wa_event *event);

/* ---- events.c ---- */
/* Adds a row of the journal to tx. id_seed: what makes the event unique (NULL: nothing does). chat may be NULL. */
void event_add(struct session *session, struct store_tx *tx, const char *kind, const char *chat, const char *id_seed, const struct buf *payload, int64_t time_ms);
/* Stores tx; nobody here waits for it. */
void event_commit(struct session *session, struct store_tx *tx);
/* session_status with these members (JSON members without braces, may be ""), and the state in the registry's row. */
void event_status(struct session *session, const char *members);
/* creds_update: the device record is stored with tx. Told at once, or after a while if it was told a moment ago. */
void event_creds(struct session *session, struct store_tx *tx);
/* Tells what event_creds() has put off. */
void event_creds_flush(struct session *session);
/* Adds what a durable event tells the outside. */
void event_of_batch(struct session *session, struct store_tx *tx, const struct wa_event *event);

/* ---- calls.c ---- */
void event_call(struct session *session, struct store_tx *tx, const struct wa_event *event);
void event_blocklist(struct session *session, struct store_tx *tx, const struct wa_event *event);
void event_contact_changed(struct session *session, struct store_tx *tx, const struct wa_event *event);
/* The event of a call is stored: it may be refused. */
void call_stored(struct session *session, const struct wa_event *event);

/* ---- addons.c ---- */
/* Adds the event of something that belongs to an earlier message. */
/* groups.c */
void event_group(struct session *session, struct store_tx *tx, const struct wa_event *event);
void event_addon(struct session *session, struct store_tx *tx, const struct wa_event *event);

#endif
