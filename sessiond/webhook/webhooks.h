/* SPDX-License-Identifier: GPL-3.0-or-later */
/* All hooks of the process, and what the files of this folder ask of each other. Private to the folder. */
#ifndef SESSIOND_WEBHOOK_WEBHOOKS_H
#define SESSIOND_WEBHOOK_WEBHOOKS_H

#include <pthread.h>

#include "common/arena.h"
#include "sessiond/loop.h"
#include "sessiond/webhook/hook.h"

#define WEBHOOKS_BUCKETS 1024U
/* Requests at once, all sessions together. */
#define WEBHOOKS_PARALLEL 64U
/* Answers are read so far. */
#define WEBHOOKS_ANSWER_MAX ((size_t)1 << 20)

struct job;
struct preflight;

/* A letter from another thread. */
struct news {
	int64_t session;
	char *session_id; /* owned; NULL: only the journal has grown */
	struct news *next;
};

struct webhooks {
	struct webhook_options options; /* strings owned */
	struct hook *buckets[WEBHOOKS_BUCKETS]; /* owned, by session */
	struct hook *hungry_first, *hungry_last; /* borrowed */
	unsigned in_flight;
	struct job *jobs;         /* owned: those the store has not answered */
	struct preflight *preflights; /* owned: those under way */
	bool starting, ready;     /* the first read is under way, is done */
	bool again;               /* the first read is to be repeated */
	unsigned reads_of_all;    /* how often all sessions were read */
	bool stopping;
	uint64_t random_state;    /* for jitter only */
	pthread_mutex_t lock;     /* guards news and posted */
	struct news *news;        /* owned, newest first */
	bool posted;
};

/* webhook.c */
struct hook *webhooks_find(struct webhooks *webhooks, int64_t session);
struct hook *webhooks_add(struct webhooks *webhooks, int64_t session, const char *id);
/* Takes it out of everything; it is freed when neither libuv nor the store holds it any more. */
void webhooks_remove(struct webhooks *webhooks, struct hook *hook);
void webhooks_dispose(struct hook *hook);
int64_t webhooks_now_ms(struct webhooks *webhooks);
double webhooks_random(struct webhooks *webhooks);
/* Sets who and where; true if URL or secret are not what they were. */
bool webhooks_apply(struct hook *hook, const struct store_session *session, const char *username);

/* deliver.c */
/* Does what can be done now: attempts, reads, writes, the timer. */
void deliver_pump(struct hook *hook);
void deliver_cancel(struct hook *hook);
/* Pumps after so long, if nothing else does before. */
void deliver_later(struct hook *hook, int64_t after_ms);
/* A free request: who waited for one? */
void deliver_feed(struct webhooks *webhooks);

/* jobs.c: each answers on the loop, later. */
void jobs_start(struct webhooks *webhooks);
void jobs_reload(struct webhooks *webhooks, int64_t session, const char *session_id);
void jobs_read(struct hook *hook);
void jobs_fetch(struct delivery *delivery);
void jobs_replay(struct webhooks *webhooks, int64_t session, int64_t from, int64_t to, void (*done)(void *arg, int count), void *arg);
/* Writes what has changed: cursor, state, dead letters. */
void jobs_store(struct hook *hook);
/* The same at the end of the process; nobody waits for it. */
void jobs_store_last(struct hook *hook);
void jobs_free(struct webhooks *webhooks);

/* preflight.c */
void preflight_cancel_all(struct webhooks *webhooks);

#endif
