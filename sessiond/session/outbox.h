/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sends of one session, on its loop. Private to sessiond/session.
 *
 *     outbox.c          from the row to the answer: the way of a message
 *     outboxload.c      rows of an earlier life
 *     outboxpresence.c  what the recipient sees before a message comes (rest-a 1.9)
 *     outboxwait.c      who waits until the recipient has it
 *     outboxgate.c      whether and when the next one may leave: policy, pace, quiet hours, cold contacts, restrictions
 *     outboxretry.c     attempts that fail
 *     queuestate.c      what is kept of all that, and told
 *     sendqueue.h       the order; sendpolicy.h: the settings
 *
 * A message is a row of the store first: its commit is queued before anything else happens, and the store takes commits in order, so the
 * row is there when the stanza is, and the stanza before its first byte leaves. Then it goes its way:
 *
 *     job --> rows --> [ later ] --due--> [ queue ] --gate--> current --presence--> handed --built--> acked or failed
 *                                            ^  ^                                     |  |
 *                                            |  +------- an attempt failed -----------+  |
 *                                            +-------------- a new client ---------------+    (rows that have a stanza leave byte for byte)
 *
 * A job is answered when all its items are settled: acked, failed, held for a reason that may last, or nothing heard within the time
 * limit. An item whose request was answered stays here until the server takes it.
 */
#ifndef SESSIOND_SESSION_OUTBOX_H
#define SESSIOND_SESSION_OUTBOX_H

#include <json-c/json.h>

#include "common/jid.h"
#include "sessiond/session/route.h"
#include "sessiond/session/sendpolicy.h"
#include "sessiond/session/sendqueue.h"
#include "sessiond/timers.h"
#include "sessiond/wa/wa.h"

struct delivery_wait;
struct send_job;
struct session;
struct store_tx;

enum {
	/* Handed to the library at the same time; the rest waits here. */
	OUTBOX_HANDED_MAX = 64,
	/* The wall clock may be set meanwhile: what waits for a time looks at it this often. */
	OUTBOX_CLOCK_MS = 60000,
	/* Whom the budget was spent on is remembered by name up to here, beyond that by number. */
	QUEUE_CONTACTS_MAX = 1000
};

enum acquaintance { ACQUAINTANCE_UNKNOWN = 0, ACQUAINTANCE_NEW, ACQUAINTANCE_OLD };

struct outbox_item {
	struct queue_node node;  /* first: its row's number, chat, priority */
	struct session *session;
	char id[SEND_ROW_ID_MAX + 1]; /* its row's, see route_message_id() */
	struct jid to;
	struct buf plaintext;
	struct send_route route;
	struct buf stanza;      /* of an earlier life or attempt: leaves as it is */
	struct send_job *job;   /* borrowed; NULL: nobody waits any more */
	size_t index;           /* in the job's results */
	int presence;           /* enum presence_target, 0 when done */
	bool stored;            /* its row is: before that nothing is answered */
	bool overdue;           /* the time limit was reached before the row was stored */
	bool delivered;         /* a device of the recipient has it: receipts overtake the ack */
	bool slot;              /* counts as being made ready */
	bool built;             /* has a stanza in this life */
	bool retrying;          /* goes back into the queue when its failure is stored */
	enum acquaintance acquaintance; /* of the account with the recipient */
	int64_t attempts;       /* that failed */
	int64_t retry_ms;       /* wall clock: not before; 0: any time */
	int64_t created_ms, not_before_ms; /* wall clock */
	int64_t paced_until_ms; /* wall clock: the pace lets it wait so long that its request does not; 0: it does not */
	struct timer ack, attempt, slow;
};

/* What WhatsApp does not let the account do. */
struct queue_lock {
	int64_t until_ms;       /* wall clock; 0: none */
	char kind[48];          /* WhatsApp's word for it */
};

/* Contacts that were written to for the first time on one day. */
struct queue_cold {
	int64_t day;            /* send_policy_day() */
	int64_t used;
	struct json_object *contacts; /* owned array of JIDs; NULL: none yet */
};

struct queue_stats {
	int64_t enqueued, completed, failed, retried, timed_out, refused;
};

struct outbox {
	struct send_queue queue;           /* items: not yet handed to the library */
	struct outbox_item *current;       /* owned: next to be handed, its presence simulation runs */
	struct queue_list handed;          /* owned items: handed, not settled */
	struct queue_list later;           /* owned items: not due yet, the next one first */
	struct queue_list again;           /* owned items: have a stanza of an earlier life */
	struct bytemap *by_number;         /* owned; number -> struct outbox_item *; NULL: never used */
	struct timer schedule;             /* the next one of `later` is due */
	struct timer presence;             /* next step of a presence simulation */
	struct timer turn;                 /* pump */
	struct timer release;              /* something held may leave */
	struct timer lock_end;
	struct delivery_wait *delivery;    /* owned: acked, but somebody waits until the recipient has them */
	size_t waiting;                    /* items of all kinds */
	size_t slots;                      /* items that are being made ready */
	bool loaded;                       /* the rows of the last life were read */
	bool loading;
	bool more;                         /* the store has more rows than were read */
	int64_t later_until_ms;            /* the store has more for later than this, wall clock, that were not read; 0: all were */
	int step;
	size_t preparing;                  /* messages whose rows are being stored */
	/* the gate */
	struct send_policy policy;
	struct json_object *overrides;     /* owned object: the session's own settings */
	bool known;                        /* settings and state were read */
	int64_t next_ms;                   /* monotonic: the pace allows the next one */
	size_t checking;                   /* recipients that are being looked up */
	struct queue_lock lock;
	struct queue_cold cold;
	struct queue_stats stats;
};

/* ---- outbox.c ---- */

void outbox_init(struct session *session);
void outbox_free(struct session *session);
/* The process is about to end: who waits is told that the messages are on their way; the next life sends them. */
void outbox_answer_all(struct session *session);
struct outbox_item *outbox_find(const struct session *session, int64_t number);
/* An item that is to be known by its row's number. */
struct outbox_item *outbox_item_new(struct session *session, int64_t number);
void outbox_item_free(struct outbox_item *item);
/* Out of whichever list it is in. */
void outbox_unlink(struct outbox_item *item);
/* To where it waits: for its turn, or for its time. */
void outbox_place(struct outbox_item *item);
/* Hands over what may leave. */
void outbox_pump(struct session *session);
/* The same, at the next turn of the loop: from inside the library's calls. */
void outbox_pump_soon(struct session *session);
/* The same at that time, monotonic; the last call of both counts. */
void outbox_pump_at(struct session *session, int64_t at_ms);
/* The item's part of its job is decided. */
void outbox_settle(struct outbox_item *item, bool acked, bool failed, int64_t time_ms, int code, const char *error);
/* Who waits for it is answered that it is on its way, as soon as its row is stored. */
void outbox_answer(struct outbox_item *item);
/* One message of a job is decided. */
void outbox_decide(struct session *session, struct send_job *job, size_t index, const struct send_result *decision);
/* It is not being made ready any more. */
void outbox_end_slot(struct outbox_item *item);
/* Fails everything, in memory and in tx. */
void outbox_fail_all(struct session *session, struct store_tx *tx, int code, const char *error);
/* Takes a message whose time has not come, or that is held, out of memory; who waits for it is told. False: it is not there. */
bool outbox_take_back(struct session *session, int64_t number);
/* Another time (negative: as it is) and content (empty: as it is) for one that may be taken back; nothing for others. */
void outbox_reschedule(struct session *session, int64_t number, int64_t not_before_ms, struct span message);
/* True: it was not handed over, and need not be. */
bool outbox_may_take_back(const struct session *session, int64_t number);

struct outbox_new {
	struct send_job *job;      /* NULL: nobody waits for it */
	size_t index;              /* in the job's results */
	int64_t number;
	const char *id;
	const struct jid *to;
	int64_t not_before_ms;
	int presence;              /* enum presence_target */
	enum send_priority priority;
	struct buf *plaintext;     /* taken over */
	struct send_route *route;  /* taken over */
};
void outbox_add(struct session *session, struct outbox_new *added);
/* These rows are stored, or will not be. */
void outbox_rows_stored(struct session *session, const int64_t *numbers, size_t n);
void outbox_rows_failed(struct session *session, const int64_t *numbers, size_t n);
/* The server has acked it: whoever waits is told, the row changes when this is stored. */
void outbox_acked(struct session *session, const struct wa_event *event);
/* Message id of what was handed to the library under this tag; NULL: nothing. Borrowed until control returns to the loop. */
const char *outbox_id(const struct session *session, uint64_t tag);
/* Its stanza is made and about to be stored. */
void outbox_built(struct session *session, const struct wa_event *event);
/* Stored: this stanza leaves, was acked, will never be sent. */
void outbox_on_stored(struct session *session, const struct wa_event *event);

/* ---- outboxload.c ---- */

/* Reads the rows that wait, and what is known of the queue. Everything handed to an earlier client goes again. */
void outbox_reload(struct session *session);
struct store_outbox;
/* One row that waits, unless it is there. */
void outbox_load_row(struct session *session, const struct store_outbox *row);

/* ---- outboxpresence.c ---- */

/* The next step of the current item's simulation; when it was the last one the item's presence is PRESENCE_OFF. */
void outbox_presence_step(struct session *session, struct outbox_item *item);

/* ---- outboxwait.c ---- */

/* The item is acked; its job waits until the recipient has it. */
void outbox_await_delivery(struct outbox_item *item, int64_t acked_ms);
void outbox_take_receipt(struct session *session, const struct wa_receipt *receipt);
/* Nobody waits any longer. */
void outbox_end_deliveries(struct session *session);

/* ---- outboxgate.c ---- */

/* The next item that may leave now, taken out of the queue; NULL: none, and somebody will pump again. */
struct outbox_item *outbox_gate(struct session *session);
/* The item leaves now. */
void outbox_passed(struct outbox_item *item);
/* Something that held messages has changed. */
void outbox_gate_changed(struct session *session);
/* When the item will leave as far as the pace says, if that is later than a request waits; else 0. Wall clock. */
int64_t outbox_pace_until(const struct outbox_item *item);
/* Settings from overrides anew. */
void outbox_policy_changed(struct session *session);
/* Somebody wrote to the account: no new contact any more. */
void outbox_met(struct session *session, const struct wa_message *message);

/* ---- outboxretry.c ---- */

/* The attempt begins: limits of time. */
void outbox_attempt(struct outbox_item *item);
/* A failure about to be stored: true if there will be another attempt; then tx says so. */
bool outbox_retries(struct session *session, struct store_tx *tx, const struct wa_event *event);
/* ... is stored: back into the queue. */
void outbox_retry(struct outbox_item *item);

/* ---- queuelock.c ---- */

/* WhatsApp refused a message with this code: finds out whether the account is restricted, then settles the item's part of its job. */
void queue_lock_refused(struct outbox_item *item, const struct wa_event *event);
/* WhatsApp tells of a restriction (mex): value of xwa2_notify_account_reachout_timelock. */
void queue_lock_noticed(struct session *session, struct json_object *value);
/* The same of the limit for new chats: value of xwa2_notify_new_chat_messages_capping_info_update. */
void queue_cap_noticed(struct session *session, struct json_object *value);
/* As it was kept. */
void queue_lock_restore(struct session *session, int64_t until_ms, const char *kind);
/* The connection is open: is a restriction that is known still there? */
void queue_lock_opened(struct session *session);

/* ---- queuestate.c ---- */

struct store_reader;
struct arena;

struct queue_record {
	struct json_object *settings, *state; /* owned; NULL: none */
};
/* On a thread of the store's readers. 0 or the store's error. */
int queue_record_read(struct store_reader *reader, struct arena *arena, int64_t session, struct queue_record *record);
void queue_record_free(struct queue_record *record);
/* Takes over what was read, once. */
void queue_record_take(struct session *session, const struct queue_record *record);
/* Keeps lock and cold contacts. */
void queue_state_store(struct session *session);

#endif
