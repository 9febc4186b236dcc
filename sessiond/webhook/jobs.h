/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the webhooks read from and write to the store. A job is filled on a thread of the store and finished on the loop:
 *
 *     loop: job_new() -> job_read(read_..) or store_commit()  -- store's thread: fill -- loop_post --> loop: finish_..(), freed
 *
 * Private to jobs*.c.
 */
#ifndef SESSIOND_WEBHOOK_JOBS_H
#define SESSIOND_WEBHOOK_JOBS_H

#include "sessiond/webhook/webhooks.h"

/* After an error of the store. */
#define STORE_RETRY_MS 1000

struct job {
	struct webhooks *webhooks; /* borrowed */
	struct job *next, *prev;
	void (*read)(struct store_reader *reader, struct job *job);
	void (*finish)(struct job *job);
	int64_t session, number, to;
	char *session_id; /* owned */
	char *receiver;   /* owned */
	struct hook *hook; /* borrowed; counted in hook->jobs */
	int error;
	struct arena arena; /* what was read */
	struct store_session *sessions;
	const char **usernames; /* of sessions */
	int64_t *lasts;
	size_t session_count;
	struct store_webhook *rows;
	size_t row_count;
	struct store_receiver *receivers;
	size_t receiver_count;
	struct store_event *events;
	size_t event_count;
	struct store_dead_letter *letters; /* among the events */
	size_t letter_count;
	bool replay;
	struct hook_unstored unstored; /* owned: what is being committed */
	struct webhook_replay wanted;  /* texts owned: receiver, and session_id is the event's id */
	int64_t first, last;
	void (*done)(void *arg, int count);
	void (*reloaded)(void *arg); /* may be NULL */
	void *arg;
};

struct job *job_new(struct webhooks *webhooks, struct hook *hook);
/* read runs on the store's thread, then finish on the loop. */
void job_read(struct job *job, void (*read)(struct store_reader *, struct job *), void (*finish)(struct job *));
/* store_done: finish runs on the loop with job->error. */
void job_committed(void *arg, int error);
void job_warn(const struct job *job, const char *what);

#endif
