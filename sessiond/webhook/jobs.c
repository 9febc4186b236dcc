/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Jobs of the store (see jobs.h), and who is there: sessions with their receivers. */
#include "sessiond/webhook/jobs.h"

#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/mem.h"
#include "common/timefmt.h"

struct job *job_new(struct webhooks *webhooks, struct hook *hook)
{
	struct job *job = xcalloc(1, sizeof(*job));

	job->webhooks = webhooks;
	job->hook = hook;
	if (hook) {
		job->session = hook->session;
		hook->jobs++;
	}
	arena_init(&job->arena, 0);
	job->next = webhooks->jobs;
	if (job->next)
		job->next->prev = job;
	webhooks->jobs = job;
	return job;
}

static void release(struct job *job)
{
	arena_free(&job->arena);
	free(job->session_id);
	free(job->receiver);
	hook_unstored_free(&job->unstored);
	free(job);
}

static void job_free(struct job *job)
{
	if (job->prev)
		job->prev->next = job->next;
	else
		job->webhooks->jobs = job->next;
	if (job->next)
		job->next->prev = job->prev;
	release(job);
}

void jobs_free(struct webhooks *webhooks)
{
	struct job *next;

	for (struct job *job = webhooks->jobs; job; job = next) {
		next = job->next;
		release(job);
	}
	webhooks->jobs = NULL;
}

/* Loop: the hook may have been removed meanwhile; then only its memory is left to be freed. */
static void on_finished(void *arg)
{
	struct job *job = arg;
	struct hook *hook = job->hook;

	if (hook)
		hook->jobs--;
	if (hook && hook->removed)
		webhooks_dispose(hook);
	else if (!job->webhooks->stopping)
		job->finish(job);
	job_free(job);
}

/* Store's threads. A loop that has stopped takes no letters; jobs_free() finds the job then. */
static void on_read(struct store_reader *reader, void *arg)
{
	struct job *job = arg;

	job->read(reader, job);
	loop_post(job->webhooks->options.loop, on_finished, job);
}

void job_committed(void *arg, int error)
{
	struct job *job = arg;

	job->error = error;
	loop_post(job->webhooks->options.loop, on_finished, job);
}

void job_read(struct job *job, void (*read)(struct store_reader *, struct job *), void (*finish)(struct job *))
{
	job->read = read;
	job->finish = finish;
	store_read(job->webhooks->options.store, on_read, job);
}

void job_warn(const struct job *job, const char *what)
{
	log_error(job->webhooks->options.log, what, LOG_STR("error", store_error_name(job->error)), LOG_INT("session", job->session));
}

/* ---- sessions: all at the start, one after a change ----------------------------------------------------------------------------- */

/* Store's thread: owners, receivers and the journals' ends of sessions that were read. */
static void read_surroundings(struct store_reader *reader, struct job *job)
{
	struct store_user *users = NULL;
	size_t user_count = 0;
	int64_t only = job->session_id && job->session_count == 1 ? job->sessions[0].number : 0;
	int64_t first;

	job->usernames = arena_alloc(&job->arena, (job->session_count + 1) * sizeof(*job->usernames));
	job->lasts = arena_alloc(&job->arena, (job->session_count + 1) * sizeof(*job->lasts));
	job->error = store_user_list(reader, &job->arena, &users, &user_count);
	if (!job->error)
		job->error = store_receiver_list(reader, &job->arena, only, &job->receivers, &job->receiver_count);
	if (!job->error)
		job->error = store_webhook_list(reader, &job->arena, only, &job->rows, &job->row_count);
	for (size_t i = 0; i < job->session_count && !job->error; i++) {
		const struct store_session *session = &job->sessions[i];

		for (size_t k = 0; k < user_count; k++)
			if (strcmp(users[k].registry, session->registry) == 0)
				job->usernames[i] = users[k].username;
		job->error = store_event_range(reader, session->number, &first, &job->lasts[i]);
	}
}

static void read_all(struct store_reader *reader, struct job *job)
{
	job->error = store_session_list(reader, &job->arena, NULL, &job->sessions, &job->session_count);
	if (!job->error)
		read_surroundings(reader, job);
}

static void read_one(struct store_reader *reader, struct job *job)
{
	job->sessions = arena_alloc(&job->arena, sizeof(*job->sessions));
	job->error = store_session_by_id(reader, &job->arena, job->session_id, job->sessions);
	if (job->error)
		return;
	job->session_count = 1;
	read_surroundings(reader, job);
}

static const struct store_receiver *find_receiver(const struct job *job, int64_t session, const char *name)
{
	for (size_t i = 0; i < job->receiver_count; i++)
		if (job->receivers[i].session == session && strcmp(job->receivers[i].name, name) == 0)
			return &job->receivers[i];
	return NULL;
}

/* Where a receiver stood when the daemon was last alive. */
static void take_row(struct hook *hook, const struct store_receiver *row, int64_t last)
{
	hook->start = row->start;
	hook->cursor = hook->stored_cursor = hook->tail = row->cursor;
	hook->known = last;
	hook->attempts = row->attempts;
	hook->failures = row->failures;
	hook->last_status = row->last_status;
	hook->last_error = row->last_error ? xstrdup(row->last_error) : NULL;
	hook->failed_since_ms = row->failed_since_ms;
	hook->delivered_ms = row->delivered_ms;
	hook->lost = row->lost;
	hook->overflow = row->overflow;
	hook_replays_read(hook, row->replays);
	if (strcmp(row->state, hook_state_name(HOOK_HELD)) == 0)
		hook->state = HOOK_HELD;
	if (row->next_ms > 0 && strcmp(row->state, hook_state_name(HOOK_PAUSED)) == 0) {
		/* The rest of the pause; a clock that was set back must not make it longer than a pause can be. */
		int64_t left_ms = row->next_ms - timefmt_now_ms();
		int64_t most_ms = hook->webhooks->options.security_pause_ms;

		hook->state = HOOK_PAUSED;
		hook->pauses = 1;
		hook->next_ms = row->next_ms;
		hook->pause_until_ms = webhooks_now_ms(hook->webhooks) + (left_ms < 0 ? 0 : left_ms > most_ms ? most_ms : left_ms);
	}
}

static void turn_off(struct hook *hook)
{
	if (hook->state == HOOK_OFF)
		return;
	deliver_cancel(hook);
	hook_drop(hook);
	hook->state = HOOK_OFF;
}

/* row NULL: the session's own receiver. */
static void settle_receiver(struct job *job, size_t i, const struct store_webhook *row)
{
	struct webhooks *webhooks = job->webhooks;
	const struct store_session *session = &job->sessions[i];
	const char *name = row ? row->id : HOOK_OWN;
	const struct store_receiver *stored = find_receiver(job, session->number, name);
	struct hook *hook = webhooks_find(webhooks, session->number, name);
	bool fresh = hook == NULL;
	bool was_off;

	if (fresh) {
		hook = webhooks_add(webhooks, session->number, session->id, name);
		if (stored)
			take_row(hook, stored, job->lasts[i]);
	}
	hook->seen = webhooks->reads_of_all;
	was_off = fresh ? stored && strcmp(stored->state, hook_state_name(HOOK_OFF)) == 0 : hook->state == HOOK_OFF;
	if (webhooks_apply(hook, session, row, job->usernames[i]) && !fresh)
		hook_forget_failures(hook);
	if (!hook->url) {
		hook->put_due = hook->put_due || !was_off || !stored;
		turn_off(hook);
	} else if (was_off) {
		/* Without a receiver events are for nobody: a new one begins with what comes now. */
		hook_jump(hook, job->lasts[i]);
		hook->state = HOOK_ACTIVE;
		hook->put_due = true;
	} else {
		if (hook->state == HOOK_OFF)
			hook->state = HOOK_ACTIVE;
		hook->put_due = hook->put_due || !stored;
	}
	/* What was stored after that read, and announced before this hook existed or was on, must not wait for the next event. */
	if (job->lasts[i] > hook->tail || job->session_id)
		hook->dirty = true;
	deliver_pump(hook);
}

static void settle_session(struct job *job, size_t i)
{
	settle_receiver(job, i, NULL);
	for (size_t k = 0; k < job->row_count; k++)
		if (job->rows[k].session == 0 || job->rows[k].session == job->sessions[i].number)
			settle_receiver(job, i, &job->rows[k]);
}

/* Sessions that are gone since the read before. */
static void sweep(struct webhooks *webhooks)
{
	for (size_t i = 0; i < WEBHOOKS_BUCKETS; i++) {
		for (struct hook *hook = webhooks->buckets[i], *next; hook; hook = next) {
			next = hook->next;
			if (hook->seen != webhooks->reads_of_all)
				webhooks_remove(webhooks, hook);
		}
	}
}

static void finish_all(struct job *job)
{
	struct webhooks *webhooks = job->webhooks;

	webhooks->starting = false;
	if (job->error) {
		/* The next news tries again; nothing is lost, the journal keeps it. */
		job_warn(job, "webhooks: the sessions could not be read");
		return;
	}
	webhooks->reads_of_all++;
	for (size_t i = 0; i < job->session_count; i++)
		settle_session(job, i);
	sweep(webhooks);
	webhooks->ready = !webhooks->again;
	if (webhooks->again) {
		webhooks->again = false;
		jobs_start(webhooks);
	}
}

static bool is_wanted(const struct job *job, const char *name)
{
	for (size_t i = 0; i < job->row_count; i++)
		if (strcmp(job->rows[i].id, name) == 0)
			return true;
	return strcmp(name, HOOK_OWN) == 0;
}

/* The hooks of a session; those that are still wanted stay if the session is there. */
static void remove_hooks(struct job *job, bool all)
{
	struct hook *hook, *next;

	for (hook = webhooks_next(job->webhooks, job->session, NULL); hook; hook = next) {
		next = webhooks_next(job->webhooks, job->session, hook);
		if (all || !is_wanted(job, hook->name))
			webhooks_remove(job->webhooks, hook);
	}
}

static void finish_one(struct job *job)
{
	if (job->error == STORE_NOT_FOUND || (!job->error && job->sessions[0].number != job->session)) {
		remove_hooks(job, true);
		return;
	}
	if (!job->error) {
		remove_hooks(job, false);
		settle_session(job, 0);
		return;
	}
	job_warn(job, "webhooks: a session could not be read");
	/* The next news reads them all. */
	job->webhooks->ready = false;
}

static void finish_reload(struct job *job)
{
	finish_one(job);
	if (job->reloaded)
		job->reloaded(job->arg);
}

void jobs_start(struct webhooks *webhooks)
{
	if (webhooks->starting)
		return;
	webhooks->starting = true;
	job_read(job_new(webhooks, NULL), read_all, finish_all);
}

void jobs_reload(struct webhooks *webhooks, int64_t session, const char *session_id, void (*done)(void *arg), void *arg)
{
	struct job *job = job_new(webhooks, NULL);

	job->session = session;
	job->session_id = xstrdup(session_id);
	job->reloaded = done;
	job->arg = arg;
	job_read(job, read_one, finish_reload);
}
