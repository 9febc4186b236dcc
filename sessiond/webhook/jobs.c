/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the webhooks read from and write to the store. A job is filled on a thread of the store and finished on the loop:
 *
 *     loop: job_new() -> store_read(read_..) or store_commit()  -- store's thread: fill -- loop_post --> loop: finish_..(), freed
 */
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/mem.h"
#include "common/timefmt.h"
#include "sessiond/webhook/webhooks.h"

#define REPLAY_MAX 1000
/* After an error of the store. */
#define STORE_RETRY_MS 1000

struct job {
	struct webhooks *webhooks; /* borrowed */
	struct job *next, *prev;
	void (*read)(struct store_reader *reader, struct job *job);
	void (*finish)(struct job *job);
	int64_t session, number, to;
	char *session_id; /* owned */
	struct hook *hook; /* borrowed; counted in hook->jobs */
	int error;
	struct arena arena; /* what was read */
	struct store_session *sessions;
	const char **usernames; /* of sessions */
	struct store_receiver *receivers; /* of sessions; session 0: no row */
	int64_t *lasts;
	size_t session_count;
	struct store_event *events;
	size_t event_count;
	struct store_receiver receiver;
	int64_t first, last;
	bool replay;
	void (*done)(void *arg, int count);
	void *arg;
};

static struct job *job_new(struct webhooks *webhooks, struct hook *hook)
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

static void on_committed(void *arg, int error)
{
	struct job *job = arg;

	job->error = error;
	loop_post(job->webhooks->options.loop, on_finished, job);
}

static void run_read(struct job *job, void (*read)(struct store_reader *, struct job *), void (*finish)(struct job *))
{
	job->read = read;
	job->finish = finish;
	store_read(job->webhooks->options.store, on_read, job);
}

static void warn_store(const struct job *job, const char *what)
{
	log_error(job->webhooks->options.log, what, LOG_STR("error", store_error_name(job->error)), LOG_INT("session", job->session));
}

/* ---- sessions: all at the start, one after a change ----------------------------------------------------------------------------- */

/* Store's thread: owner, receiver and the journal's end of sessions that were read. */
static void read_surroundings(struct store_reader *reader, struct job *job)
{
	struct store_user *users = NULL;
	struct store_receiver *rows = NULL;
	size_t user_count = 0, row_count = 0;
	int64_t only = job->session_count == 1 ? job->sessions[0].number : 0;
	int64_t first;

	job->usernames = arena_alloc(&job->arena, (job->session_count + 1) * sizeof(*job->usernames));
	job->receivers = arena_alloc(&job->arena, (job->session_count + 1) * sizeof(*job->receivers));
	job->lasts = arena_alloc(&job->arena, (job->session_count + 1) * sizeof(*job->lasts));
	job->error = store_user_list(reader, &job->arena, &users, &user_count);
	if (!job->error)
		job->error = store_receiver_list(reader, &job->arena, only, &rows, &row_count);
	for (size_t i = 0; i < job->session_count && !job->error; i++) {
		const struct store_session *session = &job->sessions[i];

		for (size_t k = 0; k < user_count; k++)
			if (strcmp(users[k].registry, session->registry) == 0)
				job->usernames[i] = users[k].username;
		for (size_t k = 0; k < row_count; k++)
			if (rows[k].session == session->number && strcmp(rows[k].name, HOOK_RECEIVER) == 0)
				job->receivers[i] = rows[k];
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

/* Where a receiver stood when the daemon was last alive. */
static void take_row(struct hook *hook, const struct store_receiver *row)
{
	hook->cursor = hook->stored_cursor = hook->tail = row->cursor;
	hook->failures = row->failures;
	hook->last_status = row->last_status;
	hook->last_error = row->last_error ? xstrdup(row->last_error) : NULL;
	hook->failed_since_ms = row->failed_since_ms;
	hook->delivered_ms = row->delivered_ms;
	hook->lost = row->lost;
	hook->overflow = row->overflow;
	if (row->next_ms > 0 && strcmp(row->state, "paused") == 0) {
		/* The rest of the pause; a clock that was set back must not make it longer than a pause can be. */
		int64_t left_ms = row->next_ms - timefmt_now_ms();
		int64_t most_ms = hook->webhooks->options.security_pause_ms;

		hook->state = HOOK_PAUSED;
		hook->pauses = 1;
		hook->next_ms = row->next_ms;
		hook->pause_until_ms = webhooks_now_ms(hook->webhooks) + (left_ms < 0 ? 0 : left_ms > most_ms ? most_ms : left_ms);
	}
}

static void settle_session(struct job *job, size_t i)
{
	struct webhooks *webhooks = job->webhooks;
	const struct store_session *session = &job->sessions[i];
	const struct store_receiver *row = &job->receivers[i];
	struct hook *hook = webhooks_find(webhooks, session->number);
	bool fresh = hook == NULL;
	bool was_off;

	if (fresh) {
		hook = webhooks_add(webhooks, session->number, session->id);
		if (row->session)
			take_row(hook, row);
	}
	hook->seen = webhooks->reads_of_all;
	was_off = fresh ? row->session && strcmp(row->state, "off") == 0 : hook->state == HOOK_OFF;
	if (webhooks_apply(hook, session, job->usernames[i]) && !fresh)
		hook_forget_failures(hook);
	if (!hook->url) {
		hook->put_due = hook->put_due || !was_off || !row->session;
		hook->state = HOOK_OFF;
	} else if (was_off) {
		/* Without a receiver events are for nobody: a new one begins with what comes now. */
		hook->cursor = hook->tail = job->lasts[i];
		hook->state = HOOK_ACTIVE;
		hook->put_due = true;
	} else {
		if (hook->state == HOOK_OFF)
			hook->state = HOOK_ACTIVE;
		hook->put_due = hook->put_due || !row->session;
	}
	/* What was stored after that read, and announced before this hook existed or was on, must not wait for the next event. */
	if (job->lasts[i] > hook->tail || job->session_id)
		hook->dirty = true;
	deliver_pump(hook);
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
		warn_store(job, "webhooks: the sessions could not be read");
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

static void finish_one(struct job *job)
{
	struct hook *hook = webhooks_find(job->webhooks, job->session);

	if (job->error == STORE_NOT_FOUND || (!job->error && job->sessions[0].number != job->session)) {
		if (hook)
			webhooks_remove(job->webhooks, hook);
		return;
	}
	if (!job->error) {
		settle_session(job, 0);
		return;
	}
	warn_store(job, "webhooks: a session could not be read");
	/* The next news reads them all. */
	job->webhooks->ready = false;
}

void jobs_start(struct webhooks *webhooks)
{
	if (webhooks->starting)
		return;
	webhooks->starting = true;
	run_read(job_new(webhooks, NULL), read_all, finish_all);
}

void jobs_reload(struct webhooks *webhooks, int64_t session, const char *session_id)
{
	struct job *job = job_new(webhooks, NULL);

	job->session = session;
	job->session_id = xstrdup(session_id);
	run_read(job, read_one, finish_one);
}

/* ---- events ---------------------------------------------------------------------------------------------------------------------- */

static void read_events(struct store_reader *reader, struct job *job)
{
	struct store_receiver *rows = NULL;
	size_t n = 0;

	job->error = store_event_list(reader, &job->arena, job->session, job->number, (size_t)job->to, HOOK_WINDOW_BYTES, &job->events,
	                              &job->event_count);
	if (!job->error && store_receiver_list(reader, &job->arena, job->session, &rows, &n) == 0)
		for (size_t i = 0; i < n; i++)
			if (strcmp(rows[i].name, HOOK_RECEIVER) == 0)
				job->receiver = rows[i];
}

static void finish_events(struct job *job)
{
	struct hook *hook = job->hook;
	int64_t *at = job->replay ? &hook->replay_next : &hook->tail;

	hook->reading = false;
	if (job->receiver.session) {
		hook->lost = job->receiver.lost;
		hook->overflow = job->receiver.overflow;
	}
	for (size_t i = 0; i < job->event_count; i++) {
		const struct webhook_options *options = &hook->webhooks->options;
		const struct store_event *event = &job->events[i];

		if (job->replay && event->number > hook->replay_to)
			break;
		if (verdict_is_webhook_event(event->kind, options->more_events, options->more_count) && !hook_add(hook, event, job->replay))
			break;
		*at = job->replay ? event->number + 1 : event->number;
	}
	if (hook->state == HOOK_PAUSED)
		hook_forget_data(hook);
	if (job->error) {
		warn_store(job, "webhooks: events could not be read");
		hook->dirty = true;
		deliver_later(hook, STORE_RETRY_MS);
		return;
	}
	if (job->replay && job->event_count == 0)
		hook->replay_next = hook->replay_to + 1;
	/* A full answer may not have been the end. */
	if (!job->replay && job->event_count > 0)
		hook->dirty = true;
	deliver_pump(hook);
}

void jobs_read(struct hook *hook)
{
	struct job *job;
	bool replay = hook->replay_next > 0 && hook->replay_next <= hook->replay_to;

	if (hook->reading || (!replay && !hook->dirty))
		return;
	hook->reading = true;
	job = job_new(hook->webhooks, hook);
	job->replay = replay;
	job->number = replay ? hook->replay_next - 1 : hook->tail;
	job->to = (int64_t)(HOOK_WINDOW - hook->count);
	if (!replay)
		hook->dirty = false;
	run_read(job, read_events, finish_events);
}

static void read_event(struct store_reader *reader, struct job *job)
{
	job->events = arena_alloc(&job->arena, sizeof(*job->events));
	job->error = store_event_get(reader, &job->arena, job->session, job->number, job->events);
}

static void finish_event(struct job *job)
{
	struct hook *hook = job->hook;

	hook->probing = false;
	for (size_t i = 0; i < hook->count; i++) {
		struct delivery *delivery = hook->window[i];

		if (delivery->number != job->number || delivery->state != DELIVERY_FETCHING)
			continue;
		delivery->state = DELIVERY_WAITING;
		if (job->error == STORE_NOT_FOUND) {
			/* The journal's bound took it; the store has counted that as lost. */
			delivery->state = DELIVERY_DONE;
		} else if (job->error) {
			warn_store(job, "webhooks: an event could not be read");
			delivery->due_ms = webhooks_now_ms(hook->webhooks) + 1000;
			if (hook->state == HOOK_PAUSED)
				hook->pause_until_ms = delivery->due_ms;
		} else {
			buf_append_span(&delivery->data, job->events[0].payload);
		}
	}
	deliver_pump(hook);
}

void jobs_fetch(struct delivery *delivery)
{
	struct job *job = job_new(delivery->hook->webhooks, delivery->hook);

	job->number = delivery->number;
	run_read(job, read_event, finish_event);
}

static void read_range(struct store_reader *reader, struct job *job)
{
	job->error = store_event_range(reader, job->session, &job->first, &job->last);
}

static void finish_range(struct job *job)
{
	struct hook *hook = webhooks_find(job->webhooks, job->session);
	int64_t from = job->number > job->first ? job->number : job->first;
	int64_t to = job->to < job->last ? job->to : job->last;
	int count = -1;

	if (hook && !job->error) {
		/* What the window still holds or has not read is on its way without a replay. */
		if (to > hook->cursor)
			to = hook->cursor;
		if (to - from >= REPLAY_MAX)
			to = from + REPLAY_MAX - 1;
		count = job->first > 0 && to >= from && hook->url ? (int)(to - from + 1) : 0;
		if (count > 0) {
			hook->replay_next = from;
			hook->replay_to = to;
			deliver_pump(hook);
			jobs_read(hook);
		}
	}
	job->done(job->arg, count);
}

void jobs_replay(struct webhooks *webhooks, int64_t session, int64_t from, int64_t to, void (*done)(void *arg, int count), void *arg)
{
	struct job *job = job_new(webhooks, NULL);

	job->session = session;
	job->number = from;
	job->to = to;
	job->done = done;
	job->arg = arg;
	run_read(job, read_range, finish_range);
}

/* ---- writing --------------------------------------------------------------------------------------------------------------------- */

static const char *const state_names[] = { [HOOK_OFF] = "off", [HOOK_ACTIVE] = "active", [HOOK_PAUSED] = "paused" };

static void put_whole(struct store_tx *tx, struct hook *hook)
{
	struct store_receiver row = {
		.session = hook->session, .name = HOOK_RECEIVER, .cursor = hook->cursor, .state = state_names[hook->state],
		.last_status = hook->last_status, .last_error = hook->last_error, .failed_since_ms = hook->failed_since_ms,
		.next_ms = hook->state == HOOK_PAUSED ? hook->next_ms : 0, .delivered_ms = hook->delivered_ms, .failures = hook->failures,
	};

	store_tx_receiver_put(tx, &row);
	hook->put_due = false;
}

static void put_letters(struct store_tx *tx, struct hook *hook)
{
	for (size_t i = 0; i < hook->dead_count; i++) {
		struct store_dead_letter letter = {
			.session = hook->session, .number = hook->dead[i]->number, .receiver = HOOK_RECEIVER,
			.reason = hook->dead_reason[i], .status = hook->last_status, .at_ms = timefmt_now_ms(),
		};

		store_tx_dead_letter_add(tx, &letter);
		log_warn(hook->webhooks->options.log, "webhook event became a dead letter", LOG_STR("session", hook->id),
		         LOG_INT("number", letter.number), LOG_STR("reason", letter.reason));
		delivery_free(hook->dead[i]);
	}
	hook->dead_count = 0;
	for (size_t i = 0; i < hook->redelivered_count; i++)
		store_tx_dead_letter_remove(tx, hook->session, HOOK_RECEIVER, hook->redelivered[i]);
	hook->redelivered_count = 0;
}

static void finish_commit(struct job *job)
{
	struct hook *hook = job->hook;

	hook->committing = false;
	if (job->error) {
		/* The cursor in the database stays behind: after a crash these are delivered twice, under the same ids. */
		warn_store(job, "webhooks: the cursor could not be stored");
		hook->put_due = true;
		deliver_later(hook, STORE_RETRY_MS);
		return;
	}
	hook->stored_cursor = job->number;
	jobs_store(hook);
}

/* All that is not stored yet; NULL if there is nothing. */
static struct store_tx *unstored(struct hook *hook)
{
	struct store_tx *tx;

	if (hook->cursor == hook->stored_cursor && !hook->put_due && hook->dead_count == 0 && hook->redelivered_count == 0)
		return NULL;
	tx = store_tx_new(hook->webhooks->options.store);
	if (hook->put_due)
		put_whole(tx, hook);
	else if (hook->cursor != hook->stored_cursor)
		store_tx_receiver_cursor(tx, hook->session, HOOK_RECEIVER, hook->cursor, hook->delivered_ms);
	put_letters(tx, hook);
	return tx;
}

void jobs_store(struct hook *hook)
{
	struct webhooks *webhooks = hook->webhooks;
	struct store_tx *tx;
	struct job *job;

	/* One commit at a time: what happens meanwhile goes into the next one together. */
	if (hook->committing || hook->removed || webhooks->stopping)
		return;
	tx = unstored(hook);
	if (!tx)
		return;
	hook->committing = true;
	job = job_new(webhooks, hook);
	job->number = hook->cursor;
	job->finish = finish_commit;
	/* Nobody waits for it: it rides along with what is urgent. */
	store_commit_lazy(webhooks->options.store, tx, on_committed, job);
}

void jobs_store_last(struct hook *hook)
{
	struct store_tx *tx = unstored(hook);

	/* Behind the commit that may be under way: the store keeps the order, and ends only when this is done. */
	if (tx)
		store_commit(hook->webhooks->options.store, tx, NULL, NULL);
}
