/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The way of a message, see outbox.h. */
#include "sessiond/session/outbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/bytemap.h"
#include "sessiond/daemon.h"
#include "sessiond/session/messagekind.h"
#include "sessiond/session/object.h"
#include "sessiond/session/registry.h"

enum { MAX_ITEMS = 1 << 20 };

/* ---- items ---- */

static struct outbox_item *item_of(struct queue_node *node)
{
	return (struct outbox_item *)node;
}

static void count(struct session *session, int change)
{
	session->outbox.waiting = change > 0 ? session->outbox.waiting + 1 : session->outbox.waiting - 1;
	session->on->daemon->metrics.outbox_waiting += change;
}

struct outbox_item *outbox_find(const struct session *session, int64_t number)
{
	struct outbox_item **found = session->outbox.by_number ? bytemap_get(session->outbox.by_number, &number, sizeof number) : NULL;

	return found ? *found : NULL;
}

struct outbox_item *outbox_item_new(struct session *session, int64_t number)
{
	struct outbox *outbox = &session->outbox;
	struct outbox_item *item = xcalloc(1, sizeof *item);
	struct outbox_item **slot;

	if (!outbox->by_number)
		outbox->by_number = bytemap_new(sizeof item, MAX_ITEMS);
	slot = outbox->by_number ? bytemap_put(outbox->by_number, &number, sizeof number) : NULL;
	if (!slot)
		abort();
	*slot = item;
	item->session = session;
	item->node.number = number;
	count(session, 1);
	return item;
}

void outbox_unlink(struct outbox_item *item)
{
	struct outbox *outbox = &item->session->outbox;

	if (outbox->current == item)
		outbox->current = NULL;
	if (send_queue_has(&outbox->queue, &item->node))
		send_queue_remove(&outbox->queue, &item->node);
	else
		queue_list_unlink(&item->node);
}

void outbox_end_slot(struct outbox_item *item)
{
	struct timers *timers = item->session->on->timers;

	timer_stop(timers, &item->slow);
	item->session->outbox.slots -= item->slot;
	item->slot = false;
}

/* All but its place among the numbers. */
static void release(struct outbox_item *item)
{
	struct session *session = item->session;

	outbox_unlink(item);
	outbox_end_slot(item);
	timer_stop(session->on->timers, &item->ack);
	timer_stop(session->on->timers, &item->attempt);
	count(session, -1);
	buf_wipe(&item->plaintext);
	route_free(&item->route);
	buf_free(&item->stanza);
	free(item);
}

void outbox_item_free(struct outbox_item *item)
{
	bytemap_remove(item->session->outbox.by_number, &item->node.number, sizeof item->node.number);
	release(item);
}

static void each_item(struct session *session, void (*visit)(struct outbox_item *item))
{
	struct outbox *outbox = &session->outbox;
	const struct queue_list *lists[] = { &outbox->handed, &outbox->again, &outbox->queue.lanes[0], &outbox->queue.lanes[1], &outbox->queue.lanes[2],
		&outbox->queue.held, &outbox->later };
	struct queue_node *next;

	if (outbox->current)
		visit(outbox->current);
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
		for (struct queue_node *n = lists[i]->first; n; n = next) {
			next = n->next;
			visit(item_of(n));
		}
	}
}

/* ---- jobs ---- */

static void job_done(struct session *session, struct send_job *job, enum send_state state)
{
	job->state = state;
	job->own = session->view.me_pn;
	registry_job_done(session, job);
}

void outbox_decide(struct session *session, struct send_job *job, size_t index, const struct send_result *decision)
{
	struct send_result *result = &job->results[index];

	result->acked = decision->acked;
	result->delivered = decision->delivered;
	result->failed = decision->failed;
	result->time_ms = decision->time_ms;
	result->code = decision->code;
	result->hold = decision->hold;
	result->hold_until_ms = decision->hold_until_ms;
	memcpy(result->error, decision->error, sizeof result->error);
	if (++job->settled == job->n)
		job_done(session, job, SEND_DONE);
}

/* Why it has not left. */
static void say_hold(const struct outbox_item *item, struct send_result *decision)
{
	bool queued = send_queue_has(&item->session->outbox.queue, &item->node);

	if (queued && item->node.hold != HOLD_NONE) {
		decision->hold = item->node.hold;
		decision->hold_until_ms = item->node.hold_until_ms;
	} else if (queued && item->paced_until_ms) {
		decision->hold = HOLD_PACE;
		decision->hold_until_ms = item->paced_until_ms;
	}
}

void outbox_settle(struct outbox_item *item, bool acked, bool failed, int64_t time_ms, int code, const char *error)
{
	struct send_result decision = { .acked = acked, .delivered = item->delivered, .failed = failed, .time_ms = time_ms, .code = code };
	struct send_job *job = item->job;

	timer_stop(item->session->on->timers, &item->ack);
	item->job = NULL;
	if (!job)
		return;
	if (!acked && !failed)
		say_hold(item, &decision);
	snprintf(decision.error, sizeof decision.error, "%s", error ? error : "");
	outbox_decide(item->session, job, item->index, &decision);
}

void outbox_answer(struct outbox_item *item)
{
	item->overdue = true;
	if (item->stored)
		outbox_settle(item, false, false, timefmt_now_ms(), 0, NULL);
}

static void ack_overdue(void *arg)
{
	outbox_answer(arg);
}

static void take_ack(struct outbox_item *item, int64_t acked_ms)
{
	if (item->job && item->job->wait == SEND_WAIT_DELIVERED && !item->delivered)
		outbox_await_delivery(item, acked_ms);
	else
		outbox_settle(item, true, false, acked_ms, 0, NULL);
}

/* ---- beginning and end ---- */

void outbox_init(struct session *session)
{
	struct outbox *outbox = &session->outbox;

	outbox->overrides = json_object_new_object();
	send_policy_init(&outbox->policy, session->on->daemon->config);
	send_policy_ready(&outbox->policy);
}

static void stop_timers(struct session *session)
{
	struct outbox *outbox = &session->outbox;

	timer_stop(session->on->timers, &outbox->presence);
	timer_stop(session->on->timers, &outbox->schedule);
	timer_stop(session->on->timers, &outbox->turn);
	timer_stop(session->on->timers, &outbox->release);
	outbox->step = 0;
}

/* How everything ends. */
struct ending {
	bool failed;
	int code;
	const char *error;
};

static bool end_item(const void *key, size_t key_len, void *value, void *arg)
{
	const struct ending *end = arg;
	struct outbox_item *item = *(struct outbox_item **)value;

	(void)key;
	(void)key_len;
	outbox_settle(item, false, end->failed, timefmt_now_ms(), end->code, end->error);
	release(item);
	return true;
}

static void end_items(struct session *session, bool failed, int code, const char *error)
{
	struct ending end = { failed, code, error };

	if (session->outbox.by_number)
		bytemap_each(session->outbox.by_number, end_item, &end);
}

void outbox_fail_all(struct session *session, struct store_tx *tx, int code, const char *error)
{
	/* Also the rows that were never read: a session that was not started has none in memory. */
	store_tx_outbox_fail_all(tx, session->number, code, error, timefmt_now_ms());
	end_items(session, true, code, error);
	outbox_end_deliveries(session);
	stop_timers(session);
}

void outbox_answer_all(struct session *session)
{
	each_item(session, outbox_answer);
	outbox_end_deliveries(session);
}

void outbox_free(struct session *session)
{
	struct outbox *outbox = &session->outbox;

	stop_timers(session);
	timer_stop(session->on->timers, &outbox->lock_end);
	outbox_end_deliveries(session);
	end_items(session, false, 0, NULL);
	send_queue_free(&outbox->queue);
	bytemap_free(outbox->by_number);
	outbox->by_number = NULL;
	send_policy_free(&outbox->policy);
	json_object_put(outbox->overrides);
	json_object_put(outbox->cold.contacts);
	outbox->overrides = outbox->cold.contacts = NULL;
}

/* ---- the schedule ---- */

static void watch_schedule(struct session *session);

static void schedule_due(void *arg)
{
	struct session *session = arg;
	struct outbox *outbox = &session->outbox;

	while (outbox->later.first && item_of(outbox->later.first)->not_before_ms <= timefmt_now_ms()) {
		struct queue_node *node = outbox->later.first;

		queue_list_unlink(node);
		send_queue_add(&outbox->queue, node);
	}
	watch_schedule(session);
	outbox_pump(session);
}

static void watch_schedule(struct session *session)
{
	struct outbox *outbox = &session->outbox;
	int64_t wait_ms;

	timer_stop(session->on->timers, &outbox->schedule);
	/* All that was read is due: the rest is read when that has left. */
	if (outbox->later_until_ms && (!outbox->later.first || outbox->later_until_ms <= timefmt_now_ms())) {
		outbox->more = true;
		outbox->later_until_ms = 0;
	}
	if (!outbox->later.first)
		return;
	wait_ms = item_of(outbox->later.first)->not_before_ms - timefmt_now_ms();
	wait_ms = wait_ms < 0 ? 0 : wait_ms > OUTBOX_CLOCK_MS ? OUTBOX_CLOCK_MS : wait_ms;
	timer_start(session->on->timers, &outbox->schedule, timefmt_monotonic_ms() + wait_ms, schedule_due, session);
}

/* Behind those that are due before it; nearly always the last one is. */
static void insert_later(struct outbox *outbox, struct outbox_item *item)
{
	struct queue_list *later = &outbox->later;
	struct queue_node *before = later->last;
	struct queue_node *node = &item->node;

	while (before && item_of(before)->not_before_ms > item->not_before_ms)
		before = before->prev;
	if (!before && later->first) {
		node->in = later;
		node->next = later->first;
		later->first->prev = node;
		later->first = node;
		later->n++;
		return;
	}
	if (!before || !before->next) {
		queue_list_append(later, node);
		return;
	}
	node->in = later;
	node->prev = before;
	node->next = before->next;
	before->next->prev = node;
	before->next = node;
	later->n++;
}

void outbox_place(struct outbox_item *item)
{
	struct session *session = item->session;
	struct outbox *outbox = &session->outbox;

	item->node.chat = jid_bare(&item->to);
	if (item->stanza.len) {
		queue_list_insert(&outbox->again, &item->node);
	} else if (item->not_before_ms <= timefmt_now_ms()) {
		send_queue_add(&outbox->queue, &item->node);
	} else {
		insert_later(outbox, item);
		watch_schedule(session);
	}
}

/* ---- handing over ---- */

static void hand(struct session *session, struct outbox_item *item)
{
	const struct send_route *route = &item->route;
	const struct wa_send send = { .tag = (uint64_t)item->node.number, .id = route->wire_id ? route->wire_id : item->id, .to = item->to,
		.plaintext = buf_span(&item->plaintext), .audience = route->audience, .naudience = route->naudience, .media_handle = route->media_handle,
		.server_id = route->server_id };

	queue_list_append(&session->outbox.handed, &item->node);
	if (item->job)
		timer_start(session->on->timers, &item->ack, timefmt_monotonic_ms() + session->on->daemon->config->send_ack_timeout_ms, ack_overdue, item);
	if (item->stanza.len)
		wa_client_resend(session->client, send.tag, send.id, buf_span(&item->stanza));
	else
		wa_client_send(session->client, &send);
}

static bool may_hand(const struct session *session)
{
	return session->outbox.loaded && session->outbox.handed.n < OUTBOX_HANDED_MAX && session->view.status == SESSION_OPEN && session->client;
}

/* What has a stanza may have left already: it goes before all others, and nothing holds it. */
static void hand_again(struct session *session)
{
	while (session->outbox.again.first && may_hand(session)) {
		struct outbox_item *item = item_of(session->outbox.again.first);

		queue_list_unlink(&item->node);
		hand(session, item);
	}
}

static void turn(void *arg)
{
	outbox_pump(arg);
}

void outbox_pump_at(struct session *session, int64_t at_ms)
{
	timer_start(session->on->timers, &session->outbox.turn, at_ms, turn, session);
}

void outbox_pump_soon(struct session *session)
{
	outbox_pump_at(session, timefmt_monotonic_ms());
}

/* Begins with the next one. False: none may leave. */
static bool choose(struct session *session)
{
	struct outbox *outbox = &session->outbox;

	if (outbox->slots >= (size_t)outbox->policy.concurrency)
		return false;
	outbox->current = outbox_gate(session);
	if (!outbox->current)
		return false;
	outbox_attempt(outbox->current);
	return true;
}

void outbox_pump(struct session *session)
{
	struct outbox *outbox = &session->outbox;

	hand_again(session);
	while (may_hand(session) && !timer_runs(&outbox->presence)) {
		struct outbox_item *item = outbox->current;

		if (!item) {
			if (!choose(session))
				break;
		} else if (item->presence) {
			outbox_presence_step(session, item);
		} else {
			outbox->current = NULL;
			hand(session, item);
			outbox_passed(item);
		}
	}
	if (outbox->loaded && outbox->more && !outbox->current && send_queue_count(&outbox->queue) == 0 && outbox->handed.n == 0)
		outbox_reload(session);
}

bool outbox_may_take_back(const struct session *session, int64_t number)
{
	const struct outbox_item *item = outbox_find(session, number);
	const struct outbox *outbox = &session->outbox;

	return item && (item->node.in == &outbox->later || (item->node.in == &outbox->queue.held && !item->retry_ms));
}

bool outbox_take_back(struct session *session, int64_t number)
{
	struct outbox_item *item = outbox_find(session, number);

	if (!outbox_may_take_back(session, number))
		return false;
	outbox_settle(item, false, true, timefmt_now_ms(), 0, "cancelled");
	outbox_item_free(item);
	watch_schedule(session);
	/* What was held behind it need not be any more. */
	outbox_gate_changed(session);
	return true;
}

void outbox_reschedule(struct session *session, int64_t number, int64_t not_before_ms, struct span message)
{
	struct outbox_item *item = outbox_find(session, number);

	if (!outbox_may_take_back(session, number))
		return;
	if (message.n) {
		buf_wipe(&item->plaintext);
		buf_append_span(&item->plaintext, message);
	}
	if (not_before_ms < 0)
		return;
	outbox_unlink(item);
	item->not_before_ms = not_before_ms;
	outbox_place(item);
	watch_schedule(session);
	outbox_gate_changed(session);
}

/* ---- what becomes of it ---- */

const char *outbox_id(const struct session *session, uint64_t tag)
{
	const struct outbox_item *item = outbox_find(session, (int64_t)tag);

	return item && item->node.in == &session->outbox.handed ? route_message_id(&item->route, item->id) : NULL;
}

void outbox_built(struct session *session, const struct wa_event *event)
{
	struct outbox_item *item = outbox_find(session, (int64_t)event->tag);

	if (!item)
		return;
	item->built = true;
	timer_stop(session->on->timers, &item->attempt);
	/* If the server refuses it for now, the same bytes go again. */
	if (session->outbox.policy.max_retries > 0) {
		buf_clear(&item->stanza);
		buf_append_span(&item->stanza, buf_span(&event->bytes));
	}
	outbox_end_slot(item);
	outbox_pump_soon(session);
}

void outbox_acked(struct session *session, const struct wa_event *event)
{
	struct outbox_item *item = event->kind == WA_EVENT_SEND_ACK ? outbox_find(session, (int64_t)event->tag) : NULL;

	if (item)
		take_ack(item, event->ms > 0 ? event->ms : timefmt_now_ms());
}

static void end_failed(struct outbox_item *item, const struct wa_event *event)
{
	struct session *session = item->session;

	session->outbox.stats.failed++;
	queue_lock_refused(item, event);
	outbox_item_free(item);
}

static void end_acked(struct outbox_item *item, const struct wa_event *event)
{
	item->session->outbox.stats.completed++;
	take_ack(item, event->ms > 0 ? event->ms : timefmt_now_ms());
	outbox_item_free(item);
}

void outbox_on_stored(struct session *session, const struct wa_event *event)
{
	struct metrics *metrics = &session->on->daemon->metrics;
	struct outbox_item *item;

	if (event->kind == WA_EVENT_RECEIPT && event->receipt)
		outbox_take_receipt(session, event->receipt);
	if (event->kind == WA_EVENT_SEND_STANZA)
		metrics->sent++;
	if (event->kind != WA_EVENT_SEND_ACK && event->kind != WA_EVENT_SEND_FAILED)
		return;
	item = outbox_find(session, (int64_t)event->tag);
	if (item && item->retrying) {
		outbox_retry(item);
		return;
	}
	if (event->kind == WA_EVENT_SEND_ACK)
		metrics->acked++;
	else
		metrics->send_failed++;
	if (!item)
		return;
	(event->kind == WA_EVENT_SEND_ACK ? metrics->acked_kinds : metrics->failed_kinds)[message_kind_of(buf_span(&item->plaintext))]++;
	if (event->kind == WA_EVENT_SEND_ACK)
		end_acked(item, event);
	else
		end_failed(item, event);
	outbox_pump(session);
}

/* ---- new ones ---- */

/* How long it will wait is known: longer than a request wants to. */
static void foresee(struct outbox_item *item)
{
	int64_t until_ms = item->job && item->node.hold == HOLD_NONE ? outbox_pace_until(item) : 0;

	if (!until_ms)
		return;
	item->paced_until_ms = until_ms;
	outbox_answer(item);
}

void outbox_add(struct session *session, struct outbox_new *new)
{
	struct outbox_item *item = outbox_find(session, new->number);
	bool known = item != NULL;

	/* A reload that ran meanwhile may have read the row already. */
	if (!known) {
		item = outbox_item_new(session, new->number);
		snprintf(item->id, sizeof item->id, "%s", new->id);
		item->to = *new->to;
		item->node.priority = new->priority;
		item->plaintext = *new->plaintext;
		*new->plaintext = (struct buf){ 0 };
		item->route = *new->route;
		*new->route = (struct send_route){ 0 };
		item->not_before_ms = new->not_before_ms;
		item->created_ms = timefmt_now_ms();
		session->outbox.stats.enqueued++;
		session->on->daemon->metrics.queued++;
	}
	item->job = new->job;
	item->index = new->index;
	item->presence = new->presence;
	if (known)
		return;
	outbox_place(item);
	if (send_queue_has(&session->outbox.queue, &item->node))
		foresee(item);
}

void outbox_rows_stored(struct session *session, const int64_t *numbers, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct outbox_item *item = outbox_find(session, numbers[i]);

		if (!item)
			continue;
		item->stored = true;
		if (item->overdue || (item->job && (item->job->wait == SEND_WAIT_QUEUED || item->job->not_before_ms)))
			outbox_answer(item);
	}
}

void outbox_rows_failed(struct session *session, const int64_t *numbers, size_t n)
{
	struct send_job *job = NULL;

	for (size_t i = 0; i < n; i++) {
		struct outbox_item *item = outbox_find(session, numbers[i]);

		if (!item)
			continue;
		if (item->job)
			job = item->job;
		outbox_item_free(item);
	}
	if (job)
		job_done(session, job, SEND_STORE_ERROR);
}
