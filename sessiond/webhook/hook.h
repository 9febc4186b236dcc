/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One session's receiver while the daemon runs. Private to the folder.
 *
 *     journal:   1 2 3 4 5 6 7 8 9 ...
 *                    ^     ^     tail: read so far
 *                    cursor: everything up to here is done with
 *                      [3 4 5 6] the window: deliveries, at most HOOK_WINDOW
 *
 *     hook.c      the window, lanes, cursor, what the answers do to them; asks nobody
 *     deliver.c   attempts: bodies, requests, timers
 *     jobs.c      what is read from and written to the store
 *     webhook.c   all hooks of the process, waking, settings
 */
#ifndef SESSIOND_WEBHOOK_HOOK_H
#define SESSIOND_WEBHOOK_HOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "common/buf.h"
#include "sessiond/store/store.h"
#include "sessiond/webhook/verdict.h"
#include "sessiond/webhook/webhook.h"

#define HOOK_WINDOW ((size_t)64)
#define HOOK_WINDOW_BYTES ((size_t)256 << 10)
/* Requests at once for one session. */
#define HOOK_PARALLEL 8U
/* The name of the receiver's row. */
#define HOOK_RECEIVER "webhook"
/* A single event that a receiver refuses so often, while it takes others, becomes a dead letter. */
#define HOOK_REFUSALS 3U
/* So far the others may run ahead of one that does not get through: what a restart would deliver twice. */
#define HOOK_AHEAD 1000
/* Failed attempts in a row that pause a receiver. */
#define HOOK_FAILURES 5

enum delivery_state { DELIVERY_WAITING, DELIVERY_FETCHING, DELIVERY_SENDING, DELIVERY_DONE };

struct hook;

struct delivery {
	struct hook *hook; /* borrowed */
	int64_t number;
	uint64_t lane;
	enum delivery_state state;
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

enum hook_state { HOOK_OFF, HOOK_ACTIVE, HOOK_PAUSED };

struct hook {
	struct webhooks *webhooks; /* borrowed */
	struct hook *next;         /* borrowed: in its bucket */
	struct hook *hungry_next;  /* borrowed: waits for a free request */
	bool hungry;
	int64_t session;
	char *id, *label, *registry, *username; /* owned, may be NULL but id */
	char *url, *secret;                     /* owned, in force; NULL when off */
	bool own_url;
	unsigned seen;             /* the last read of all sessions that knew it */
	uint64_t generation;       /* counts changes of the above */
	enum hook_state state;
	int64_t cursor, stored_cursor, tail, last;
	bool dirty;                /* the journal has grown since the last read */
	bool reading, committing;
	int64_t replay_next, replay_to;
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
	bool overflow;
	bool put_due;              /* the receiver's row must be written whole */
	struct delivery *dead[HOOK_WINDOW]; /* owned: became dead letters, to be written */
	const char *dead_reason[HOOK_WINDOW]; /* static */
	size_t dead_count;
	int64_t redelivered[HOOK_WINDOW]; /* replayed successfully: dead letters to be removed */
	size_t redelivered_count;
	uv_timer_t timer;
	bool removed, closed;      /* waits for the timer's close (closed) and for jobs */
	unsigned jobs;             /* of the store that name this hook */
};

/* Adds what was read; takes over nothing of the row. False if the window is full. */
bool hook_add(struct hook *hook, const struct store_event *event, bool replay);
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
/* The pause is over: everything is due. */
void hook_resume(struct hook *hook);
/* URL or secret changed: earlier failures mean nothing. */
void hook_forget_failures(struct hook *hook);
void hook_forget_bodies(struct hook *hook);
/* Nor does a paused receiver hold texts in memory: they are read again for the attempt. */
void hook_forget_data(struct hook *hook);
void delivery_free(struct delivery *delivery);
/* Frees window and texts, not the struct. Calls must be cancelled before. */
void hook_release(struct hook *hook);

#endif
