/* SPDX-License-Identifier: GPL-3.0-or-later */
/* All hooks of the process, and what the files of this folder ask of each other. Private to the folder. */
#ifndef SESSIOND_WEBHOOK_WEBHOOKS_H
#define SESSIOND_WEBHOOK_WEBHOOKS_H

#include <pthread.h>

#include "common/arena.h"
#include "sessiond/loop.h"
#include "sessiond/webhook/hook.h"

#define WEBHOOKS_BUCKETS 1024U
/* Requests at once, all receivers together; and of these, by receivers that are slow. */
#define WEBHOOKS_PARALLEL 256U
#define WEBHOOKS_SLOW (WEBHOOKS_PARALLEL / 2)
/* An answer that takes longer makes a receiver a slow one. */
#define WEBHOOKS_SLOW_MS 1000
/* Answers are read so far. */
#define WEBHOOKS_ANSWER_MAX ((size_t)1 << 20)

struct job;
struct preflight;

/* What waits for the loop to be handed over; what is more is read from the journal. */
#define WEBHOOKS_HANDED ((size_t)256)
#define WEBHOOKS_HANDED_BYTES ((size_t)1 << 20)

/* A letter from another thread. */
struct news {
	int64_t session;
	char *session_id;          /* owned; NULL: an event, or session 0 */
	struct store_event *event; /* owned, in one piece with its texts; NULL: session_id, or session 0 */
	struct news *next;
};

struct webhooks {
	struct webhook_options options; /* strings owned */
	struct hook *buckets[WEBHOOKS_BUCKETS]; /* owned, by session */
	struct hungry { /* in order of arrival; borrowed */
		struct hook *first, *last;
	} hungry[2];              /* [hook->slow when it got in line] */
	unsigned in_flight, slow_in_flight;
	struct job *jobs;         /* owned: those the store has not answered */
	struct preflight *preflights; /* owned: those under way */
	bool starting, ready;     /* the first read is under way, is done */
	bool again;               /* the first read is to be repeated */
	unsigned reads_of_all;    /* how often all sessions were read */
	bool stopping;
	struct webhook_attempts attempts;
	uint64_t random_state;    /* for jitter only */
	pthread_mutex_t lock;     /* guards all below */
	struct news *news, **news_end; /* owned */
	size_t handed, handed_bytes; /* events among them */
	bool missed;              /* an event was not handed over */
	bool posted;
};

/* webhook.c */
struct hook *webhooks_find(struct webhooks *webhooks, int64_t session, const char *name);
/* The hooks of a session one after the other: the first for hook NULL, NULL at the end. The one in hand may be removed. */
struct hook *webhooks_next(struct webhooks *webhooks, int64_t session, const struct hook *hook);
struct hook *webhooks_add(struct webhooks *webhooks, int64_t session, const char *id, const char *name);
/* Takes it out of everything; it is freed when neither libuv nor the store holds it any more. */
void webhooks_remove(struct webhooks *webhooks, struct hook *hook);
void webhooks_dispose(struct hook *hook);
int64_t webhooks_now_ms(struct webhooks *webhooks);
double webhooks_random(struct webhooks *webhooks);
/* Sets who and where; row NULL: the session's own receiver. True if URL or secret are not what they were. */
bool webhooks_apply(struct hook *hook, const struct store_session *session, const struct store_webhook *row, const char *username);
const char *hook_state_name(enum hook_state state);

/* deliver.c */
/* Does what can be done now: attempts, reads, writes, the timer. */
void deliver_pump(struct hook *hook);
void deliver_cancel(struct hook *hook);
/* Pumps after so long, if nothing else does before. */
void deliver_later(struct hook *hook, int64_t after_ms);
/* A free request: who waited for one? */
void deliver_feed(struct webhooks *webhooks);

/* jobs.c, jobs_events.c, jobs_write.c: each answers on the loop, later. */
void jobs_start(struct webhooks *webhooks);
void jobs_reload(struct webhooks *webhooks, int64_t session, const char *session_id, void (*done)(void *arg), void *arg);
void jobs_read(struct hook *hook);
void jobs_fetch(struct delivery *delivery);
void jobs_replay(struct webhooks *webhooks, const struct webhook_replay *wanted, void (*done)(void *arg, int count), void *arg);
/* What is to be delivered again is stored, then answered: count, or -3. */
void jobs_store_replays(struct hook *hook, int count, void (*done)(void *arg, int count), void *arg);
/* Writes what has changed: cursor, counts, state, dead letters, now and then the last attempts. */
void jobs_store(struct hook *hook);
/* The same at the end of the process; nobody waits for it. */
void jobs_store_last(struct hook *hook);
void jobs_free(struct webhooks *webhooks);

/* preflight.c */
void preflight_cancel_all(struct webhooks *webhooks);

#endif
