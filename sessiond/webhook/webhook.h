/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Webhooks: every receiver of a session is a reader of the event journal with a cursor of its own. A session has its own URL (the
 * original's, receiver HOOK_OWN), any number of receivers of its own (store_webhook) and those that are for every session.
 *
 *     journal rows ---> window of a session ---> lanes, one per chat ---> signed POST ---> cursor
 *     1 2 3 4 5 6 7     3 4 5 6                  a: 3 5    b: 4   c: 6        2xx           (commit)
 *           ^cursor
 *
 * Within a chat events arrive one after the other, chats do not wait for each other. A failed delivery is tried again with growing
 * pauses; when that does not help the receiver is paused and probed, and its events wait in the journal (nothing is dropped, the URL
 * is never erased) until WAREST_WEBHOOK_RETENTION_HOURS make them dead letters, which can be replayed. A delivery can happen twice
 * (crash before the cursor is stored): always under the same event id.
 *
 * What is delivered is a row of the journal: kind = the event's name, payload = the text of the object "data" as it goes out, chat =
 * lane (NULL: the session's own lane), event_id = a ULID. Kinds outside of the contract's 13 names stay in the journal, unless more_events
 * or the receiver's own filter names them.
 *
 * Every event that a cursor passed is counted as delivered, dead letter, skipped or missed (store_receiver): nothing vanishes.
 *
 * What is new comes with its commit, out of memory (webhooks_appended()); the journal is read by those that are behind.
 *
 * Lives on the main loop. Functions say if other threads may call them.
 */
#ifndef SESSIOND_WEBHOOK_H
#define SESSIOND_WEBHOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/log.h"
#include "sessiond/net/net.h"

struct loop;
struct store;
struct store_event;
struct webhooks;

/* What a receiver said when it took an event; everything is lent for the call. */
struct webhook_said {
	int64_t session;
	const char *session_id, *registry;
	const char *receiver;      /* its name among those of the session */
	const char *event_id, *kind;
	int64_t number;            /* of the event in the journal */
	uint64_t lane;             /* of its chat: what belongs to one chat has one lane */
	struct span sent;          /* the body that was posted: the whole envelope */
	struct span answer;        /* the body of the 2xx answer, never empty */
	bool encrypted;            /* it came over https, certificate verified */
};

struct webhook_options {
	struct loop *loop;         /* borrowed, as all pointers here: they outlive the webhooks */
	struct store *store;
	struct net *net;           /* of this loop, with the system's certificates */
	const struct guard *guard;
	const struct log *log;
	const char *version;       /* of the program, for User-Agent */
	const char *default_url, *default_secret; /* "" = none; without a secret the URL is not used */
	char *const *more_events;  /* kinds that are sent besides the contract's 13 */
	size_t more_count;
	int signature_bits;        /* 224, 256, 384, 512 */
	int64_t timeout_ms, backoff_ms, jitter_ms, preflight_timeout_ms, retention_ms;
	int64_t retries;           /* quick attempts after the first one */
	int64_t pause_ms;          /* first pause of a failing receiver; 0 = 60,000 */
	int64_t security_pause_ms; /* after 401 and 403; 0 = 900,000 */
	bool event_id_session;     /* WAREST_COMPAT_EVENT_ID_SESSION */
	bool clear_gone;           /* WAREST_COMPAT_WEBHOOK_CLEAR_GONE */
	/* clear_gone: the session's stored URL is to be erased (secret kept); then webhooks_session_changed(). */
	void (*clear_url)(void *ctx, int64_t session, const char *session_id);
	/*
	 * A receiver took an event and had something to say. Called before the delivery is booked as a success, and whenever it happens (an
	 * event can be delivered twice, under its id): what is committed from inside is committed before the receiver's cursor. NULL: nobody listens.
	 */
	void (*answered)(void *ctx, const struct webhook_said *said);
	void *ctx;
};

/* Reads where every session stands and begins to deliver. */
struct webhooks *webhooks_new(const struct webhook_options *options);
/* Ends what is under way; events that were not answered are delivered again after the next start. */
void webhooks_stop(struct webhooks *webhooks);
/* After webhooks_stop(), store_close() and the end of the loop. NULLs the pointer. */
void webhooks_free(struct webhooks **webhooks);

/*
 * Any thread, in order of the journal: this event is in it, committed. Who has all before it gets it from memory, without reading the
 * journal. All is lent. NULL: there are no webhooks yet; they will read it.
 */
void webhooks_appended(struct webhooks *webhooks, const struct store_event *event);
/* Any thread: receivers that are for every session were added, changed or removed (and committed). */
void webhooks_all_changed(struct webhooks *webhooks);
/* Any thread: session added, removed, or its URL, secret, receivers, label or owner's name changed (and committed). */
void webhooks_session_changed(struct webhooks *webhooks, int64_t session, const char *session_id);

/* The receiver that a session's own URL is. */
#define HOOK_OWN "webhook"

/*
 * Main loop: as webhooks_session_changed(), then done(arg) when it holds (at once when all sessions are just being read: then it will).
 */
void webhooks_reload(struct webhooks *webhooks, int64_t session, const char *session_id, void (*done)(void *arg), void *arg);

struct webhook_status {
	const char *session;   /* its id; like all texts here borrowed until the loop goes on */
	const char *name;      /* of the receiver */
	const char *state;     /* "off" (no URL, not enabled), "active", "paused" (it fails), "held" (by an operator); static */
	const char *url;       /* in force, NULL when off */
	int last_status;       /* HTTP of the last failed attempt, 0: none */
	const char *last_error; /* NULL: none */
	int64_t failed_since_ms; /* wall clock, 0: not failing */
	int64_t next_ms;       /* wall clock of the next attempt while paused */
	int64_t delivered_ms;  /* last success */
	int failures;          /* in a row */
	int64_t cursor;        /* number of the last event that is done with */
	int64_t lost;          /* taken away by the journal's bound before delivery */
	bool overflow;
	unsigned in_flight;    /* requests */
};

/* Main loop; receiver: its name. False: no such receiver is known here (yet). */
bool webhooks_status(struct webhooks *webhooks, int64_t session, const char *receiver, struct webhook_status *status);
/* Main loop: every receiver of every session. */
void webhooks_each(struct webhooks *webhooks, void (*each)(void *arg, int64_t session, const struct webhook_status *status), void *arg);
/* Requests to receivers that have ended, since the start, by how. */
struct webhook_attempts {
	uint64_t success, client_error, server_error, other; /* 2xx, 4xx, 5xx, 1xx and 3xx */
	uint64_t unreachable;  /* no connection, TLS, DNS, cut off */
	uint64_t timeout;
	uint64_t refused;      /* by the guard of addresses, or no address at all */
};
/* Main loop. Borrowed. */
const struct webhook_attempts *webhooks_attempts(const struct webhooks *webhooks);

/* Main loop: ends a pause now, also one of webhooks_hold(). session 0: in all. In how many sessions there is such a receiver. */
int webhooks_resume(struct webhooks *webhooks, int64_t session, const char *receiver);
/* Main loop: its events wait in the journal until webhooks_resume(), also over restarts. */
int webhooks_hold(struct webhooks *webhooks, int64_t session, const char *receiver);

/* What is to be delivered once more, under the same ids. Only what the cursor has passed: the rest is on its way. */
struct webhook_replay {
	int64_t session;
	const char *receiver;
	int64_t from, to;           /* numbers; used when nothing below is set */
	int64_t since_ms, until_ms; /* wall clock; since_ms 0: not by time */
	const char *event_id;       /* NULL: not by id */
	bool letters;               /* the receiver's dead letters from..to */
};

/* Main loop: answers how many numbers were queued, -1: no such receiver, -2: too much is queued already, -3: the store failed. */
void webhooks_replay(struct webhooks *webhooks, const struct webhook_replay *wanted, void (*done)(void *arg, int count), void *arg);

/* Whom a preflight is about. Strings may be NULL where unknown. */
struct webhook_subject {
	const char *id, *label, *registry, *username;
};

struct webhook_preflight {
	bool ok;             /* 2xx */
	int status;          /* 0 with error */
	const char *error;   /* NULL with a status; borrowed for the call */
	int64_t round_trip_ms;
};

/* Where it goes and how it is signed, as a webhook would be. */
struct webhook_trial {
	const char *url, *secret;
	const char *next_secret, *headers; /* NULL: none */
	int bits;                          /* 0: as the server is set */
};

/*
 * Main loop. One signed request {"event":"preflight"} to its url; done is called once (from inside only while stopping). The pause state is neither asked
 * nor changed.
 */
void webhooks_preflight(struct webhooks *webhooks, const struct webhook_subject *subject, const struct webhook_trial *trial,
                        void (*done)(void *arg, const struct webhook_preflight *result), void *arg);

/* Secrets: at least so many characters, else nothing is signed. */
#define WEBHOOK_SECRET_MIN 6
/* 32 random letters and digits for sessions that get a URL but no secret. */
#define WEBHOOK_SECRET_ROOM 33
int webhook_secret_make(char out[WEBHOOK_SECRET_ROOM]);

#endif
