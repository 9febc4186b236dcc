/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is written: where receivers stand, what became of events, dead letters, the last attempts (see jobs.h). */
#include "common/log.h"
#include "common/timefmt.h"
#include "sessiond/webhook/jobs.h"

static void put_whole(struct store_tx *tx, struct hook *hook)
{
	struct store_receiver row = {
		.session = hook->session, .name = hook->name, .start = hook->start, .cursor = hook->cursor, .state = hook_state_name(hook->state),
		.last_status = hook->last_status, .last_error = hook->last_error, .failed_since_ms = hook->failed_since_ms,
		.next_ms = hook->state == HOOK_PAUSED ? hook->next_ms : 0, .delivered_ms = hook->delivered_ms, .failures = hook->failures,
		.attempts = hook->attempts,
	};

	store_tx_receiver_put(tx, &row);
	hook->put_due = false;
}

static void put_letters(struct store_tx *tx, const struct hook *hook, const struct hook_unstored *unstored)
{
	for (size_t i = 0; i < unstored->dead_count; i++) {
		struct store_dead_letter letter = {
			.session = hook->session, .number = unstored->dead[i].number, .receiver = hook->name,
			.reason = unstored->dead[i].reason, .status = unstored->dead[i].status, .at_ms = timefmt_now_ms(),
		};

		store_tx_dead_letter_add(tx, &letter);
		log_warn(hook->webhooks->options.log, "webhook event became a dead letter", LOG_STR("session", hook->id),
		         LOG_STR("receiver", hook->name), LOG_INT("number", letter.number), LOG_STR("reason", letter.reason));
	}
	for (size_t i = 0; i < unstored->redelivered_count; i++)
		store_tx_dead_letter_delivered(tx, hook->session, hook->name, unstored->redelivered[i]);
}

static void put_notes(struct store_tx *tx, const struct hook *hook, const struct hook_unstored *unstored)
{
	for (size_t i = 0; i < unstored->notes_count; i++) {
		const struct hook_note *note = unstored->notes[i];
		struct store_delivery row = {
			.session = hook->session, .receiver = hook->name, .attempt = note->attempt, .number = note->number,
			.event_id = note->event_id, .kind = note->kind, .tried = (int)note->tried, .at_ms = note->at_ms, .took_ms = note->took_ms,
			.status = note->status, .error = note->error, .size = (int64_t)note->size, .sent = buf_span(&note->sent),
			.answer = buf_span(&note->answer),
		};

		store_tx_delivery_put(tx, &row);
	}
}

static void finish_commit(struct job *job)
{
	struct hook *hook = job->hook;

	hook->committing = false;
	if (job->error) {
		/* The cursor in the database stays behind: after a crash these are delivered twice, under the same ids. */
		job_warn(job, "webhooks: the cursor could not be stored");
		hook_unstored_merge(&hook->unstored, &job->unstored);
		hook->put_due = hook->replays_due = true;
		deliver_later(hook, STORE_RETRY_MS);
		return;
	}
	hook->stored_cursor = job->number;
	jobs_store(hook);
}

static bool notes_are_due(const struct hook *hook)
{
	return hook->unstored.notes_count > 0 && webhooks_now_ms(hook->webhooks) - hook->noted_ms >= HOOK_NOTES_MS;
}

static void put_replays(struct store_tx *tx, struct hook *hook)
{
	struct buf text = { 0 };

	hook_replays_write(hook, &text);
	store_tx_receiver_replays(tx, hook->session, hook->name, text.len ? buf_text(&text) : NULL);
	hook->replays_due = false;
	buf_free(&text);
}

/* Puts all that is not stored yet into a tx, and into taken; NULL if there is nothing. */
static struct store_tx *write_unstored(struct hook *hook, struct hook_unstored *taken, bool last)
{
	bool notes = notes_are_due(hook) || (last && hook->unstored.notes_count > 0);
	struct store_tx *tx;

	if (!hook_has_unstored(hook) && !notes)
		return NULL;
	tx = store_tx_new(hook->webhooks->options.store);
	/* The number of attempts goes with the notes, or a restart would write over the newest. */
	if (hook->put_due || notes)
		put_whole(tx, hook);
	else if (hook->cursor != hook->stored_cursor)
		store_tx_receiver_cursor(tx, hook->session, hook->name, hook->cursor, hook->delivered_ms);
	if (hook_has_counts(&hook->unstored))
		store_tx_receiver_count(tx, hook->session, hook->name, &hook->unstored.counts);
	put_letters(tx, hook, &hook->unstored);
	if (notes) {
		put_notes(tx, hook, &hook->unstored);
		hook->noted_ms = webhooks_now_ms(hook->webhooks);
	}
	/* How far a replay has come is not worth a commit of its own: what was delivered since is delivered again after a crash. */
	if (hook->replays_due && (notes || last || !hook->url))
		put_replays(tx, hook);
	hook_unstored_take(&hook->unstored, taken, notes);
	return tx;
}

void jobs_store(struct hook *hook)
{
	struct webhooks *webhooks = hook->webhooks;
	struct job *job;
	struct store_tx *tx;

	/* One commit at a time: what happens meanwhile goes into the next one together. */
	if (hook->committing || hook->removed || webhooks->stopping || !(hook_has_unstored(hook) || notes_are_due(hook)))
		return;
	job = job_new(webhooks, hook);
	tx = write_unstored(hook, &job->unstored, false);
	hook->committing = true;
	job->number = hook->cursor;
	job->finish = finish_commit;
	/* Nobody waits for it: it rides along with what is urgent. */
	store_commit_lazy(webhooks->options.store, tx, job_committed, job);
}

static void finish_promise(struct job *job)
{
	if (job->error)
		job_warn(job, "webhooks: what is to be delivered again could not be stored");
	job->done(job->arg, job->error ? -3 : (int)job->number);
}

void jobs_store_replays(struct hook *hook, int count, void (*done)(void *arg, int count), void *arg)
{
	struct webhooks *webhooks = hook->webhooks;
	struct job *job;
	struct store_tx *tx;

	/* The row must be there: it may be new, and the first write of it not yet under way. */
	jobs_store(hook);
	job = job_new(webhooks, NULL);
	tx = store_tx_new(webhooks->options.store);
	put_replays(tx, hook);
	job->session = hook->session;
	job->number = count;
	job->done = done;
	job->arg = arg;
	job->finish = finish_promise;
	store_commit(webhooks->options.store, tx, job_committed, job);
}

void jobs_store_last(struct hook *hook)
{
	struct hook_unstored taken = { 0 };
	struct store_tx *tx = write_unstored(hook, &taken, true);

	/* Behind the commit that may be under way: the store keeps the order, and ends only when this is done. */
	if (tx)
		store_commit(hook->webhooks->options.store, tx, NULL, NULL);
	hook_unstored_free(&taken);
}
