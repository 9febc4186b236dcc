/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See queue.h. */
#include "sessiond/session/queue.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/mem.h"
#include "sessiond/async.h"
#include "sessiond/daemon.h"
#include "sessiond/json_text.h"
#include "sessiond/session/lookup.h"
#include "sessiond/session/object.h"
#include "sessiond/session/private.h"
#include "sessiond/session/registry.h"

/* On its way through the session. */
struct work {
	struct session *session;
	struct session_call *call;
	struct queue_job *job;
	struct arena arena;
	struct queue_record record;
	struct json_object *overrides; /* owned: as they will be */
	int error;
};

void queue_job_free(struct queue_job *job)
{
	if (!job)
		return;
	json_object_put(job->change);
	buf_free(&job->result);
	free(job);
}

/* ---- the state as text ---- */

struct sums {
	size_t holds[HOLD_COUNT];
	int64_t oldest_ms;
};

static void sum_up(void *arg, const struct queue_node *node)
{
	struct sums *sums = arg;
	const struct outbox_item *item = (const struct outbox_item *)node;

	sums->holds[node->hold]++;
	if (!sums->oldest_ms || item->created_ms < sums->oldest_ms)
		sums->oldest_ms = item->created_ms;
}

static size_t in_lanes(const struct outbox *outbox)
{
	return send_queue_count(&outbox->queue) - outbox->queue.held.n;
}

/* Why nothing leaves; NULL: something may, or nothing waits. */
static const char *reason_of(const struct session *session)
{
	const struct outbox *outbox = &session->outbox;

	if (outbox->policy.paused)
		return "paused";
	if (session->view.status != SESSION_OPEN)
		return "not_connected";
	if (in_lanes(outbox) == 0 && !outbox->current && outbox->queue.held.first)
		return send_hold_name(outbox->queue.held.first->hold);
	return NULL;
}

/* Wall clock; 0: nothing waits, or nobody knows. */
static int64_t next_send_ms(const struct session *session)
{
	const struct outbox *outbox = &session->outbox;
	int64_t now_ms = timefmt_now_ms(), left_ms = outbox->next_ms - timefmt_monotonic_ms(), next_ms = outbox->queue.release_ms;
	const struct outbox_item *later = (const struct outbox_item *)outbox->later.first;

	if (outbox->policy.paused || session->view.status != SESSION_OPEN)
		return 0;
	if (in_lanes(outbox) || outbox->current)
		return now_ms + (left_ms > 0 ? left_ms : 0);
	if (later && (!next_ms || later->not_before_ms < next_ms))
		next_ms = later->not_before_ms;
	return next_ms;
}

static void put_time(struct buf *out, const char *name, int64_t ms)
{
	if (ms > 0)
		json_put_time(out, name, ms);
	else
		json_put_raw(out, name, "null");
}

static void put_depth(struct buf *out, const struct outbox *outbox, const struct sums *sums)
{
	static const char *const lanes[SEND_PRIORITIES] = { "high", "normal", "low" };

	json_put_int(out, "depth", (int64_t)send_queue_count(&outbox->queue) + (outbox->current != NULL));
	for (size_t i = 0; i < SEND_PRIORITIES; i++)
		json_put_int(out, lanes[i], (int64_t)outbox->queue.lanes[i].n);
	json_put_int(out, "held", (int64_t)outbox->queue.held.n);
	json_put_name(out, "holds");
	buf_u8(out, '{');
	for (size_t i = HOLD_NONE + 1; i < HOLD_COUNT; i++)
		if (sums->holds[i])
			json_put_int(out, send_hold_name((enum send_hold)i), (int64_t)sums->holds[i]);
	buf_u8(out, '}');
	json_put_int(out, "scheduled", (int64_t)outbox->later.n);
	json_put_int(out, "inFlight", (int64_t)outbox->handed.n);
	json_put_int(out, "oldestMs", sums->oldest_ms ? timefmt_now_ms() - sums->oldest_ms : 0);
}

static void put_limits(struct buf *out, const struct outbox *outbox)
{
	int64_t now_ms = timefmt_now_ms();
	bool budget = outbox->policy.cold_per_day > 0, today = budget && outbox->cold.day == send_policy_day(&outbox->policy, now_ms);

	json_put_name(out, "restriction");
	buf_u8(out, '{');
	json_put_bool(out, "active", outbox->lock.until_ms > now_ms);
	json_put_member(out, "kind", outbox->lock.kind);
	put_time(out, "until", outbox->lock.until_ms);
	buf_u8(out, '}');
	json_put_name(out, "cold");
	buf_u8(out, '{');
	json_put_int(out, "used", today ? outbox->cold.used : 0);
	json_put_int(out, "perDay", outbox->policy.cold_per_day);
	put_time(out, "resetsAt", budget ? send_policy_next_day(&outbox->policy, now_ms) : 0);
	buf_u8(out, '}');
}

static void put_stats(struct buf *out, const struct queue_stats *stats)
{
	json_put_name(out, "stats");
	buf_u8(out, '{');
	json_put_int(out, "enqueued", stats->enqueued);
	json_put_int(out, "completed", stats->completed);
	json_put_int(out, "failed", stats->failed);
	json_put_int(out, "retried", stats->retried);
	json_put_int(out, "timedOut", stats->timed_out);
	json_put_int(out, "restricted", stats->refused);
	buf_u8(out, '}');
}

static void put_state(struct buf *out, const struct session *session)
{
	const struct outbox *outbox = &session->outbox;
	const char *reason = reason_of(session);
	int64_t next_ms = next_send_ms(session), wait_ms = next_ms - timefmt_now_ms();
	struct sums sums = { 0 };

	send_queue_each(&outbox->queue, sum_up, &sums);
	if (outbox->current)
		sum_up(&sums, &outbox->current->node);
	buf_u8(out, '{');
	json_put_member(out, "sessionId", session->id);
	put_depth(out, outbox, &sums);
	json_put_bool(out, "paused", reason != NULL);
	json_put_member(out, "pausedReason", reason);
	if (reason && next_ms)
		json_put_int(out, "retryAfter", wait_ms > 0 ? (wait_ms + 999) / 1000 : 0);
	put_time(out, "nextSendAt", next_ms);
	put_limits(out, outbox);
	put_stats(out, &outbox->stats);
	json_put_name(out, "settings");
	send_policy_put(out, &outbox->policy);
	json_put_raw(out, "overrides", json_object_to_json_string_ext(outbox->overrides, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	buf_u8(out, '}');
}

/* ---- the way through ---- */

static void finish(struct work *w, int error)
{
	struct session *session = w->session;

	w->job->error = error;
	if (!error)
		put_state(&w->job->result, session);
	registry_answer(session, w->call);
	json_object_put(w->overrides);
	queue_record_free(&w->record);
	arena_free(&w->arena);
	free(w);
	session->busy--;
	session_released(session);
}

static void changed(void *arg, int error)
{
	struct work *w = arg;
	struct outbox *outbox = &w->session->outbox;

	if (!error) {
		json_object_put(outbox->overrides);
		outbox->overrides = w->overrides;
		w->overrides = NULL;
		outbox_policy_changed(w->session);
		/* What the answer tells is how it stands with the new settings. */
		outbox_pump(w->session);
	}
	finish(w, error);
}

static void change(struct work *w)
{
	struct session *session = w->session;
	struct send_policy policy;
	struct store_tx *tx;
	bool good;

	w->overrides = json_object_new_object();
	send_policy_merge(w->overrides, session->outbox.overrides);
	send_policy_merge(w->overrides, w->job->change);
	send_policy_init(&policy, session->on->daemon->config);
	/* The change itself, too: a null is not looked at otherwise. */
	good = send_policy_knows(w->job->change, w->job->text, sizeof w->job->text) &&
	       send_policy_apply(&policy, w->overrides, w->job->text, sizeof w->job->text);
	send_policy_free(&policy);
	if (!good) {
		finish(w, QUEUE_BAD_SETTING);
		return;
	}
	tx = store_tx_new(session->on->daemon->store);
	store_tx_record_put(tx, session->number, RECORD_QUEUE, "settings",
		span_text(json_object_to_json_string_ext(w->overrides, JSON_C_TO_STRING_PLAIN)), 0);
	async_commit(session->on->loop, session->on->daemon->store, tx, changed, w);
}

static void read_record(struct store_reader *reader, void *arg)
{
	struct work *w = arg;

	w->error = queue_record_read(reader, &w->arena, w->session->number, &w->record);
}

static void record_read(void *arg)
{
	struct work *w = arg;

	if (!w->error)
		queue_record_take(w->session, &w->record);
	if (w->error)
		finish(w, w->error);
	else if (w->job->change)
		change(w);
	else
		finish(w, 0);
}

void session_cmd_queue(struct session *session, struct session_call *call)
{
	struct work *w = xcalloc(1, sizeof *w);

	w->session = session;
	w->call = call;
	w->job = call->arg;
	arena_init(&w->arena, 0);
	session->busy++;
	if (session->outbox.known)
		record_read(w);
	else
		async_read(session->on->loop, session->on->daemon->store, read_record, record_read, w);
}

static void called_back(void *arg, int error)
{
	struct queue_job *job = arg;

	(void)error;
	job->done(job);
}

void sessions_queue(struct session_entry *entry, struct queue_job *job)
{
	registry_call(entry, session_cmd_queue, NULL, NULL, called_back, job);
}
