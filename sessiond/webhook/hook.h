/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One receiver of one session while the daemon runs. Private to the folder.
 *
 *     journal:   1 2 3 4 5 6 7 8 9 ...
 *                    ^     ^     tail: read so far
 *                    cursor: everything up to here is done with
 *                      [. 4 . 6] the window: deliveries that are not over, at most HOOK_WINDOW
 *                      [d . s .] how the others ended: delivered, dead, skipped, missed; counted when the cursor passes them
 *
 *     hook.c         the window, lanes, cursor, what the answers do to them; asks nobody
 *     hook_notes.c   what is to be written down: counts, dead letters, the last attempts
 *     target.c       where events go, how they are signed, which are wanted
 *     deliver.c      attempts: bodies, requests, timers
 *     jobs.c         who is there: read from the store; jobs_events.c: the journal; jobs_write.c: what is written
 *     webhook.c      all hooks of the process, waking, settings
 */
#ifndef SESSIOND_WEBHOOK_HOOK_H
#define SESSIOND_WEBHOOK_HOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "common/buf.h"
#include "sessiond/store/store.h"
#include "sessiond/webhook/target.h"
#include "sessiond/webhook/verdict.h"
#include "sessiond/webhook/webhook.h"

#define HOOK_WINDOW ((size_t)64)
#define HOOK_WINDOW_BYTES ((size_t)256 << 10)
/* Requests at once before the first answer: enough that one that hangs does not hold up the other chats. */
#define HOOK_UNPROVEN 2U
/* The beginnings of what was sent and answered that are kept of an attempt. */
#define HOOK_EXCERPT ((size_t)1000)
/* Attempts that are remembered between two writes. */
#define HOOK_NOTES 20U
/* So long they may wait to be written. */
#define HOOK_NOTES_MS 1000
/* A single event that a receiver refuses so often, while it takes others, becomes a dead letter. */
#define HOOK_REFUSALS 3U
/* So far the others may run ahead of one that does not get through: what a restart would deliver twice. */
#define HOOK_AHEAD 1000
/* ... and so far when no event is the reason: numbers between cursor and tail. */
#define HOOK_SPAN ((int64_t)4000)
/* Failed attempts in a row that pause a receiver. */
#define HOOK_FAILURES 5

enum delivery_state { DELIVERY_WAITING, DELIVERY_FETCHING, DELIVERY_SENDING, DELIVERY_DONE };

/* How an event ended for a receiver; ENDED_OPEN: it has not. */
enum ended { ENDED_OPEN, ENDED_DELIVERED, ENDED_DEAD, ENDED_SKIPPED, ENDED_MISSED };

struct hook;

struct delivery {
	struct hook *hook; /* borrowed */
	int64_t number;
	uint64_t lane;
	enum delivery_state state;
	enum ended ended;     /* when DONE */
	bool slow;            /* counted among the slow ones while it is sent */
	bool replay;          /* asked for again: the cursor does not depend on it */
	unsigned attempts;    /* ever */
	unsigned round;       /* since the receiver was last paused */
	unsigned rounds;      /* given up for a while */
	unsigned refusals;
	int64_t due_ms;       /* monotonic: not before */
	int64_t tried_ms;     /* monotonic: last attempt */
	int64_t failing_ms;   /* monotonic: first failed attempt, 0: none */
	int64_t time_ms;      /* wall: of the event */
	int64_t ts_ms;        /* wall: in the body */
	uint64_t generation;  /* of the hook when the attempt began */
	char *event_id, *kind; /* owned */
	struct buf data;      /* the event's payload; empty = must be fetched again */
	struct buf body;      /* the signed bytes, the same for all attempts of a round */
	struct http_call *call;
};

enum hook_state { HOOK_OFF, HOOK_ACTIVE, HOOK_PAUSED, HOOK_HELD /* by an operator */ };

/* One attempt, as it will be shown. */
struct hook_note {
	int64_t attempt, number, at_ms, took_ms;
	char *event_id, *kind, *error; /* owned; error may be NULL */
	unsigned tried;
	int status;
	size_t size;
	struct buf sent, answer;
};

struct hook_letter {
	int64_t number;
	const char *reason; /* static */
	int status;
};

/* What has happened and is not in the store yet. */
struct hook_unstored {
	struct store_counts counts;
	struct hook_letter *dead;   /* owned: became dead letters */
	size_t dead_count, dead_room;
	int64_t *redelivered;       /* owned: replayed successfully */
	size_t redelivered_count, redelivered_room;
	struct hook_note *notes[HOOK_NOTES]; /* owned, the newest last */
	size_t notes_count;
};

/* Numbers to be delivered once more. */
struct hook_replay {
	int64_t next, to;
	struct hook_replay *after;
};

struct hook {
	struct webhooks *webhooks; /* borrowed */
	struct hook *next;         /* borrowed: in its bucket */
	struct hook *hungry_next;  /* borrowed: waits for a free request */
	bool hungry;
	bool slow;                 /* its last answer took long, or did not come */
	bool unproven;             /* no answer yet: at most HOOK_UNPROVEN requests */
	int64_t session;
	char *id, *label, *registry, *username; /* owned, may be NULL but id */
	char *name;                /* owned: of the receiver, HOOK_OWN or the id of a webhook */
	char *url, *secret;        /* owned, in force; NULL when off */
	struct hook_target target; /* the rest of where and how */
	bool own_url;
	unsigned seen;             /* the last read of all sessions that knew it */
	uint64_t generation;       /* counts changes of the above */
	enum hook_state state;
	int64_t start, cursor, stored_cursor, tail, last;
	int64_t known;             /* the journal's end when the hook came to life: up to there events may be dead letters already */
	struct buf ends;           /* one enum ended a byte, of the events cursor + 1 .. tail */
	bool dirty;                /* the journal has grown since the last read */
	bool reading, committing;
	struct hook_replay *replays; /* owned, in order */
	size_t replays_count;
	bool replays_due;          /* what is left of them is not what the store has */
	struct delivery *window[HOOK_WINDOW]; /* owned, in order */
	size_t count;
	unsigned in_flight;
	unsigned pauses;           /* in a row */
	int64_t pause_until_ms;    /* monotonic */
	bool probing;
	bool bypassing;            /* the next probe goes past an event that was refused again and again */
	int failures, last_status;
	char *last_error;          /* owned, may be NULL */
	int64_t failed_since_ms, delivered_ms, next_ms; /* wall */
	int64_t success_ms;        /* monotonic: last success, 0: none */
	unsigned gone;             /* 404 and 410 in a row */
	int64_t gone_since_ms;     /* monotonic */
	int64_t lost;
	int64_t attempts;          /* ever */
	bool overflow;
	bool put_due;              /* the receiver's row must be written whole */
	int64_t noted_ms;          /* monotonic: notes were last written */
	struct hook_unstored unstored;
	uv_timer_t timer;
	bool removed, closed;      /* waits for the timer's close (closed) and for jobs */
	unsigned jobs;             /* of the store that name this hook */
};

/* How events end that are not to be delivered; hook_take() is hook_add() for them. */
void hook_take(struct hook *hook, int64_t number, enum ended ended);
/* False if so much waits behind the cursor that nothing more should be read. */
bool hook_has_room(const struct hook *hook);
/* Off: nothing of the window is wanted. Attempts must be cancelled before. */
void hook_drop(struct hook *hook);
/* What came up to number is not for this receiver. */
void hook_jump(struct hook *hook, int64_t number);
void hook_hold(struct hook *hook);

/* Adds what was read (the numbers up to it are gone); takes over nothing of the row. False if the window is full. */
bool hook_add(struct hook *hook, const struct store_event *event, bool replay);
/*
 * The same for what was just appended: delivered or skipped as the receiver wants it. False if it is not the next one here, or there is
 * no room: the journal has to be read.
 */
bool hook_take_next(struct hook *hook, const struct store_event *event, const struct webhook_options *options);
/* The delivery to attempt now, or NULL; *due_ms is when the next one will be due (INT64_MAX: nothing waits for time). */
struct delivery *hook_next(struct hook *hook, int64_t now_ms, int64_t *due_ms);
/* Forgets finished deliveries at the front and moves the cursor. */
void hook_settle(struct hook *hook);
/* Deliveries that are older than the retention become dead letters. */
void hook_expire(struct hook *hook, int64_t wall_ms, int64_t retention_ms);
/* Ends the wait for an event that held the cursor back for too long. */
void hook_unblock(struct hook *hook);
/* What an answer does. random: 0 <= random < 1. */
struct hook_answer {
	enum verdict verdict;
	int status;
	const char *text;
	int64_t retry_after_s, now_ms, wall_ms;
	double random;
};
void hook_judge(struct hook *hook, struct delivery *delivery, const struct hook_answer *answer, const struct webhook_options *options);
/* The pause is over, also an operator's: everything is due. */
void hook_resume(struct hook *hook);
/* URL or secret changed: earlier failures mean nothing. */
void hook_forget_failures(struct hook *hook);
void hook_forget_bodies(struct hook *hook);
/* Nor does a paused receiver hold texts in memory: they are read again for the attempt. */
void hook_forget_data(struct hook *hook);
void delivery_free(struct delivery *delivery);
/* hook_notes.c */
void hook_note(struct hook *hook, struct hook_note *note); /* taken over */
void hook_note_free(struct hook_note *note);
void hook_bury(struct hook *hook, int64_t number, const char *reason, int status);
void hook_redelivered(struct hook *hook, int64_t number);
bool hook_has_unstored(const struct hook *hook);
bool hook_has_counts(const struct hook_unstored *unstored);
/* Moves everything from one to the other, which is empty; with_notes: the notes, too. */
void hook_unstored_take(struct hook_unstored *from, struct hook_unstored *to, bool with_notes);
/* Takes everything out of `from` and puts it before what `to` has: it happened earlier. */
void hook_unstored_merge(struct hook_unstored *to, struct hook_unstored *from);
void hook_unstored_free(struct hook_unstored *unstored);
/* Asks for more: up to HOOK_REPLAYS ranges wait; false: too many. */
#define HOOK_REPLAYS 1000U
bool hook_replay_add(struct hook *hook, int64_t from, int64_t to);
/* The range that is being read, NULL: none. */
struct hook_replay *hook_replay_now(struct hook *hook);
void hook_replays_free(struct hook *hook);
/* "from-to,from-to" of all that is not delivered yet, nothing in out if there is none; and back (a text that is no such list ends there). */
void hook_replays_write(const struct hook *hook, struct buf *out);
void hook_replays_read(struct hook *hook, const char *text);

/* Frees window and texts, not the struct. Calls must be cancelled before. */
void hook_release(struct hook *hook);

#endif
