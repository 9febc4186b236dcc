/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sends of one session. A message is a row of the store first: its commit is queued before anything else happens, and the store takes
 * commits in order, so the row is there when the stanza is, and the stanza before its first byte leaves. Then it goes its way in order:
 *
 *     job --> rows queued --> [ first ... last ] --presence simulation--> handed to the library --> acked or failed
 *                                    ^                                            |
 *                                    +------------- a new client ------------------+   (rows that have a stanza leave byte for byte)
 *
 * What is not due yet waits in a list of its own, ordered by time; it is read again by the next life.
 *
 * A job is answered when all its items are settled: acked, failed, or nothing heard within the time limit. An item whose request
 * was answered for lack of an ack stays here until the server takes it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/async.h"
#include "sessiond/daemon.h"
#include "sessiond/session/lookup.h"
#include "sessiond/session/object.h"
#include "sessiond/session/registry.h"
#include "sessiond/session/route.h"

enum {
	/* Handed to the library at the same time; the rest waits here. */
	MAX_HANDED = 64,
	RELOAD_ROWS = 1000,
	RELOAD_SCHEDULED = 10000,
	/* The wall clock may be set meanwhile. */
	SCHEDULE_CHECK_MS = 60000
};

struct outbox_item {
	struct outbox_item *next;
	struct session *session;
	int64_t number;
	char id[SEND_ID_MAX + 1];
	struct jid to;
	struct buf plaintext;
	struct send_route route;
	struct buf stanza;      /* of an earlier life: leaves as it is */
	struct send_job *job;   /* borrowed; NULL: nobody waits any more */
	size_t index;           /* in the job's results */
	int presence;           /* enum presence_target, 0 when done */
	bool stored;            /* its row is: before that nothing is answered */
	bool overdue;           /* the time limit was reached before the row was stored */
	bool delivered;         /* a device of the recipient has it: receipts overtake the ack */
	int64_t not_before_ms;  /* wall clock */
	struct timer ack;
};

/* Somebody who wants to know that an acked message has reached the recipient. */
struct delivery_wait {
	struct delivery_wait *next;
	struct session *session;
	char id[SEND_ID_MAX + 1];
	struct send_job *job;   /* borrowed */
	size_t index;
	int64_t acked_ms;
	struct timer timeout;
};

/* ---- lists ---- */

static void count(struct session *session, int change)
{
	session->outbox.waiting = change > 0 ? session->outbox.waiting + 1 : session->outbox.waiting - 1;
	session->on->daemon->metrics.outbox_waiting += change;
}

static void item_free(struct outbox_item *item)
{
	timer_stop(item->session->on->timers, &item->ack);
	count(item->session, -1);
	buf_wipe(&item->plaintext);
	route_free(&item->route);
	buf_free(&item->stanza);
	free(item);
}

/* Keeps the queue ordered by number; nearly always the new one is the last. */
static void insert(struct session *session, struct outbox_item *item)
{
	struct outbox *outbox = &session->outbox;
	struct outbox_item **at = &outbox->first;

	if (outbox->tail && outbox->tail->number < item->number)
		at = &outbox->tail->next;
	while (*at && (*at)->number < item->number)
		at = &(*at)->next;
	item->next = *at;
	*at = item;
	if (!item->next)
		outbox->tail = item;
}

static struct outbox_item *pop(struct outbox *outbox)
{
	struct outbox_item *item = outbox->first;

	outbox->first = item->next;
	if (!outbox->first)
		outbox->tail = NULL;
	item->next = NULL;
	return item;
}

/* Takes the next item, wherever it waits: all of them are being given up. */
static struct outbox_item *pop_any(struct outbox *outbox)
{
	struct outbox_item **list = outbox->handed ? &outbox->handed : &outbox->later;
	struct outbox_item *item = *list;

	if (!outbox->handed && outbox->first)
		return pop(outbox);
	if (item)
		*list = item->next;
	return item;
}

static struct outbox_item *find(struct session *session, int64_t number)
{
	for (struct outbox_item *i = session->outbox.handed; i; i = i->next) {
		if (i->number == number)
			return i;
	}
	for (struct outbox_item *i = session->outbox.first; i; i = i->next) {
		if (i->number == number)
			return i;
	}
	for (struct outbox_item *i = session->outbox.later; i; i = i->next) {
		if (i->number == number)
			return i;
	}
	return NULL;
}

static void unlink_from(struct outbox_item **at, const struct outbox_item *item)
{
	while (*at && *at != item)
		at = &(*at)->next;
	if (*at)
		*at = item->next;
}

/* ---- jobs ---- */

static void job_done(struct session *session, struct send_job *job, enum send_state state)
{
	job->state = state;
	job->own = session->view.me_pn;
	registry_job_done(session, job);
}

/* One message of a job is decided. */
static void decide(struct session *session, struct send_job *job, size_t index, const struct send_result *decision)
{
	struct send_result *result = &job->results[index];

	result->acked = decision->acked;
	result->delivered = decision->delivered;
	result->failed = decision->failed;
	result->time_ms = decision->time_ms;
	result->code = decision->code;
	memcpy(result->error, decision->error, sizeof result->error);
	if (++job->settled == job->n)
		job_done(session, job, SEND_DONE);
}

/* The item's part of its job is decided. */
static void settle(struct outbox_item *item, bool acked, bool failed, int64_t time_ms, int code, const char *error)
{
	struct send_result decision = { .acked = acked, .delivered = item->delivered, .failed = failed, .time_ms = time_ms, .code = code };
	struct send_job *job = item->job;

	timer_stop(item->session->on->timers, &item->ack);
	item->job = NULL;
	if (!job)
		return;
	snprintf(decision.error, sizeof decision.error, "%s", error ? error : "");
	decide(item->session, job, item->index, &decision);
}

/* ---- waiting for delivery ---- */

/* Takes the wait out of the list, from the place that points to it. */
static void end_delivery(struct delivery_wait **at, bool delivered)
{
	struct delivery_wait *wait = *at;
	struct session *session = wait->session;
	struct send_result decision = { .acked = true, .delivered = delivered, .time_ms = wait->acked_ms };

	*at = wait->next;
	timer_stop(session->on->timers, &wait->timeout);
	decide(session, wait->job, wait->index, &decision);
	free(wait);
}

static void delivery_overdue(void *arg)
{
	const struct delivery_wait *wait = arg;
	struct delivery_wait **at = &wait->session->outbox.delivery;

	while (*at != wait)
		at = &(*at)->next;
	end_delivery(at, false);
}

static void await_delivery(struct outbox_item *item, int64_t acked_ms)
{
	struct session *session = item->session;
	struct delivery_wait *wait = xcalloc(1, sizeof *wait);

	wait->session = session;
	memcpy(wait->id, item->id, sizeof wait->id);
	wait->job = item->job;
	wait->index = item->index;
	wait->acked_ms = acked_ms;
	wait->next = session->outbox.delivery;
	session->outbox.delivery = wait;
	item->job = NULL;
	timer_stop(session->on->timers, &item->ack);
	timer_start(session->on->timers, &wait->timeout, timefmt_monotonic_ms() + session->on->daemon->config->send_delivery_timeout_ms,
		delivery_overdue, wait);
}

static void take_ack(struct outbox_item *item, int64_t acked_ms)
{
	if (item->job && item->job->wait == SEND_WAIT_DELIVERED && !item->delivered)
		await_delivery(item, acked_ms);
	else
		settle(item, true, false, acked_ms, 0, NULL);
}

static void end_all_deliveries(struct session *session)
{
	while (session->outbox.delivery)
		end_delivery(&session->outbox.delivery, false);
}

static void delivered(struct session *session, const char *id)
{
	struct delivery_wait **at = &session->outbox.delivery;

	for (struct outbox_item *i = session->outbox.handed; i; i = i->next) {
		if (strcmp(i->id, id) == 0)
			i->delivered = true;
	}
	while (*at) {
		if (strcmp((*at)->id, id) == 0)
			end_delivery(at, true);
		else
			at = &(*at)->next;
	}
}

static void take_receipt(struct session *session, const struct wa_receipt *receipt)
{
	bool own = jid_same_user(&receipt->device, &session->view.me_pn) || jid_same_user(&receipt->device, &session->view.me_lid);

	if (own || receipt->kind == WA_RECEIPT_SENDER || receipt->kind == WA_RECEIPT_SERVER_ERROR || receipt->kind == WA_RECEIPT_OTHER)
		return;
	for (size_t i = 0; i < receipt->n; i++)
		delivered(session, receipt->ids[i]);
}

/* ---- giving up ---- */

static void ack_overdue(void *arg)
{
	struct outbox_item *item = arg;

	item->overdue = true;
	if (item->stored)
		settle(item, false, false, timefmt_now_ms(), 0, NULL);
}

void outbox_fail_all(struct session *session, struct store_tx *tx, int code, const char *error)
{
	struct outbox *outbox = &session->outbox;
	struct outbox_item *item;

	/* Also the rows that were never read: a session that was not started has none in memory. */
	store_tx_outbox_fail_all(tx, session->number, code, error, timefmt_now_ms());
	while ((item = pop_any(outbox))) {
		settle(item, false, true, timefmt_now_ms(), code, error);
		item_free(item);
	}
	end_all_deliveries(session);
	timer_stop(session->on->timers, &outbox->presence);
	timer_stop(session->on->timers, &outbox->schedule);
	outbox->step = 0;
}

void outbox_answer_all(struct session *session)
{
	for (struct outbox_item *i = session->outbox.handed; i; i = i->next)
		ack_overdue(i);
	for (struct outbox_item *i = session->outbox.first; i; i = i->next)
		ack_overdue(i);
	for (struct outbox_item *i = session->outbox.later; i; i = i->next)
		ack_overdue(i);
	end_all_deliveries(session);
}

void outbox_free(struct session *session)
{
	struct outbox *outbox = &session->outbox;
	struct outbox_item *item;

	timer_stop(session->on->timers, &outbox->presence);
	timer_stop(session->on->timers, &outbox->schedule);
	end_all_deliveries(session);
	while ((item = pop_any(outbox))) {
		settle(item, false, false, timefmt_now_ms(), 0, NULL);
		item_free(item);
	}
}

/* ---- the schedule ---- */

static void watch_schedule(struct session *session);

static void schedule_due(void *arg)
{
	struct session *session = arg;
	struct outbox *outbox = &session->outbox;

	while (outbox->later && outbox->later->not_before_ms <= timefmt_now_ms()) {
		struct outbox_item *item = outbox->later;

		outbox->later = item->next;
		insert(session, item);
	}
	watch_schedule(session);
	outbox_pump(session);
}

static void watch_schedule(struct session *session)
{
	struct outbox *outbox = &session->outbox;
	int64_t wait_ms;

	timer_stop(session->on->timers, &outbox->schedule);
	if (!outbox->later)
		return;
	wait_ms = outbox->later->not_before_ms - timefmt_now_ms();
	wait_ms = wait_ms < 0 ? 0 : wait_ms > SCHEDULE_CHECK_MS ? SCHEDULE_CHECK_MS : wait_ms;
	timer_start(session->on->timers, &outbox->schedule, timefmt_monotonic_ms() + wait_ms, schedule_due, session);
}

/* To where it waits: for its turn, or for its time. */
static void place(struct session *session, struct outbox_item *item)
{
	struct outbox_item **at = &session->outbox.later;

	count(session, 1);
	if (item->not_before_ms <= timefmt_now_ms() || item->stanza.len) {
		insert(session, item);
		return;
	}
	while (*at && (*at)->not_before_ms <= item->not_before_ms)
		at = &(*at)->next;
	item->next = *at;
	*at = item;
	watch_schedule(session);
}

/* ---- presence simulation (rest-a 1.9) ---- */

struct step {
	int least_ms, most_ms;
};

static int64_t wait_of(struct session *session, struct step s)
{
	return timefmt_monotonic_ms() + s.least_ms + (int64_t)(session_random01(session->on) * (double)(s.most_ms - s.least_ms));
}

static void next_step(void *arg)
{
	struct session *session = arg;

	session->outbox.step++;
	outbox_pump(session);
}

static void simulate(struct session *session, struct outbox_item *item)
{
	static const struct step available = { 280, 420 }, composing = { 1200, 1850 }, recording = { 2200, 3600 }, paused = { 260, 520 },
				 unavailable = { 220, 360 };
	struct outbox *outbox = &session->outbox;
	struct step wait = available;
	bool typing = item->presence == PRESENCE_COMPOSING || item->presence == PRESENCE_RECORDING;

	if (outbox->step == 0) {
		wa_client_subscribe_presence(session->client, &item->to);
		wa_client_presence(session->client, true);
	} else if (outbox->step == 1 && item->presence == PRESENCE_UNAVAILABLE) {
		wa_client_presence(session->client, false);
		wait = unavailable;
	} else if (outbox->step == 1 && typing) {
		wa_client_chatstate(session->client, &item->to, item->presence == PRESENCE_COMPOSING ? WA_COMPOSING : WA_RECORDING);
		wait = item->presence == PRESENCE_COMPOSING ? composing : recording;
	} else if ((outbox->step == 1 && item->presence == PRESENCE_PAUSED) || (outbox->step == 2 && typing)) {
		wa_client_chatstate(session->client, &item->to, WA_PAUSED);
		wait = paused;
	} else {
		item->presence = PRESENCE_OFF;
		outbox->step = 0;
		return;
	}
	timer_start(session->on->timers, &outbox->presence, wait_of(session, wait), next_step, session);
}

/* ---- handing over ---- */

static size_t handed_count(const struct outbox *outbox)
{
	size_t n = 0;

	for (const struct outbox_item *i = outbox->handed; i; i = i->next)
		n++;
	return n;
}

static void hand(struct session *session, struct outbox_item *item)
{
	const struct send_route *route = &item->route;
	const struct wa_send send = { .tag = (uint64_t)item->number, .id = route->wire_id ? route->wire_id : item->id, .to = item->to,
		.plaintext = buf_span(&item->plaintext), .audience = route->audience, .naudience = route->naudience, .media_handle = route->media_handle,
		.server_id = route->server_id };

	item->next = session->outbox.handed;
	session->outbox.handed = item;
	if (item->job)
		timer_start(session->on->timers, &item->ack, timefmt_monotonic_ms() + session->on->daemon->config->send_ack_timeout_ms, ack_overdue, item);
	if (item->stanza.len)
		wa_client_resend(session->client, send.tag, send.id, buf_span(&item->stanza));
	else
		wa_client_send(session->client, &send);
}

void outbox_pump(struct session *session)
{
	struct outbox *outbox = &session->outbox;
	size_t handed = handed_count(outbox);

	while (outbox->loaded && outbox->first && handed < MAX_HANDED && session->view.status == SESSION_OPEN && session->client) {
		struct outbox_item *item = outbox->first;

		if (timer_runs(&outbox->presence))
			return;
		if (item->presence) {
			simulate(session, item);
			continue;
		}
		hand(session, pop(outbox));
		handed++;
	}
	if (outbox->loaded && outbox->more && !outbox->first && handed == 0)
		outbox_reload(session);
}

/* ---- rows of an earlier life ---- */

struct reload {
	struct session *session;
	int64_t number;
	uint64_t life;
	struct arena arena;
	int64_t now_ms;
	struct store_outbox *rows, *later;
	size_t n, nlater;
	const char **timer_names;
	struct span *timers;
	size_t ntimers;
	int error;
};

static void reload_read(struct store_reader *reader, void *arg)
{
	struct reload *r = arg;

	r->error = store_outbox_pending(reader, &r->arena, r->number, r->now_ms, RELOAD_ROWS, &r->rows, &r->n);
	if (!r->error)
		r->error = store_record_list(reader, &r->arena, r->number, RECORD_TIMER, &r->timer_names, &r->timers, &r->ntimers);
	if (!r->error)
		r->error = store_outbox_scheduled(reader, &r->arena, r->number, r->now_ms, RELOAD_SCHEDULED, &r->later, &r->nlater);
}

static void take_row(struct session *session, const struct store_outbox *row)
{
	struct outbox_item *item = find(session, row->number);

	if (!item) {
		item = xcalloc(1, sizeof *item);
		item->session = session;
		item->number = row->number;
		snprintf(item->id, sizeof item->id, "%s", row->message_id);
		if (jid_parse_text(&item->to, row->recipient)) {
			log_error(&session->log, "outbox row with an unreadable recipient", LOG_STR("session", session->id), LOG_INT("row", row->number));
			free(item);
			return;
		}
		buf_append_span(&item->plaintext, row->message);
		route_load(&item->route, row->info);
		buf_append_span(&item->stanza, row->stanza);
		item->stored = true;
		item->not_before_ms = row->not_before_ms;
		place(session, item);
		return;
	}
	buf_clear(&item->stanza);
	buf_append_span(&item->stanza, row->stanza);
}

static void reload_done(void *arg)
{
	struct reload *r = arg;
	struct session *session = r->session;
	struct outbox *outbox = &session->outbox;

	if (session->life == r->life) {
		outbox->loading = false;
		outbox->loaded = r->error == 0;
		outbox->more = r->n == RELOAD_ROWS;
		for (size_t i = 0; i < r->ntimers && !r->error; i++)
			chat_timers_load(&session->timers, r->timer_names[i], r->timers[i]);
		for (size_t i = 0; i < r->n && !r->error; i++)
			take_row(session, &r->rows[i]);
		for (size_t i = 0; i < r->nlater && !r->error; i++)
			take_row(session, &r->later[i]);
		if (r->error)
			log_error(&session->log, "outbox cannot be read", LOG_STR("session", session->id), LOG_STR("reason", store_error_name(r->error)));
		outbox_pump(session);
	}
	arena_free(&r->arena);
	free(r);
	session->busy--;
	session_released(session);
}

void outbox_reload(struct session *session)
{
	struct outbox *outbox = &session->outbox;
	struct reload *r = xcalloc(1, sizeof *r);

	/* What the last client held goes through the queue again, with the stanza if one was stored. */
	while (outbox->handed) {
		struct outbox_item *item = outbox->handed;

		outbox->handed = item->next;
		insert(session, item);
	}
	timer_stop(session->on->timers, &outbox->presence);
	outbox->step = 0;
	outbox->loaded = false;
	outbox->loading = true;
	r->session = session;
	r->number = session->number;
	r->life = session->life;
	r->now_ms = timefmt_now_ms();
	arena_init(&r->arena, 0);
	session->busy++;
	async_read(session->on->loop, session->on->daemon->store, reload_read, reload_done, r);
}

bool outbox_take_back(struct session *session, int64_t number)
{
	struct outbox_item *item = session->outbox.later;

	while (item && item->number != number)
		item = item->next;
	if (!item)
		return false;
	unlink_from(&session->outbox.later, item);
	settle(item, false, true, timefmt_now_ms(), 0, "cancelled");
	item_free(item);
	watch_schedule(session);
	return true;
}

const char *outbox_id(const struct session *session, uint64_t tag)
{
	const struct outbox_item *item = session->outbox.handed;

	while (item && item->number != (int64_t)tag)
		item = item->next;
	return item ? item->id : NULL;
}

void outbox_acked(struct session *session, const struct wa_event *event)
{
	struct outbox_item *item = event->kind == WA_EVENT_SEND_ACK ? find(session, (int64_t)event->tag) : NULL;

	if (item)
		take_ack(item, event->ms > 0 ? event->ms : timefmt_now_ms());
}

void outbox_on_stored(struct session *session, const struct wa_event *event)
{
	struct metrics *metrics = &session->on->daemon->metrics;
	struct outbox_item *item;

	if (event->kind == WA_EVENT_RECEIPT && event->receipt)
		take_receipt(session, event->receipt);
	if (event->kind == WA_EVENT_SEND_STANZA)
		metrics->sent++;
	if (event->kind != WA_EVENT_SEND_ACK && event->kind != WA_EVENT_SEND_FAILED)
		return;
	item = find(session, (int64_t)event->tag);
	if (event->kind == WA_EVENT_SEND_ACK)
		metrics->acked++;
	else
		metrics->send_failed++;
	if (!item)
		return;
	unlink_from(&session->outbox.handed, item);
	if (event->kind == WA_EVENT_SEND_ACK)
		take_ack(item, event->ms > 0 ? event->ms : timefmt_now_ms());
	else
		settle(item, false, true, event->ms > 0 ? event->ms : timefmt_now_ms(), event->code, event->text);
	item_free(item);
	outbox_pump(session);
}

void outbox_add(struct session *session, struct outbox_new *new)
{
	struct outbox_item *item = find(session, new->number);

	/* A reload that ran meanwhile may have read the row already. */
	if (!item) {
		item = xcalloc(1, sizeof *item);
		item->session = session;
		item->number = new->number;
		snprintf(item->id, sizeof item->id, "%s", new->id);
		item->to = *new->to;
		item->plaintext = *new->plaintext;
		*new->plaintext = (struct buf){ 0 };
		item->route = *new->route;
		*new->route = (struct send_route){ 0 };
		item->not_before_ms = new->not_before_ms;
		place(session, item);
	}
	item->job = new->job;
	item->index = new->index;
	item->presence = new->presence;
}

void outbox_rows_stored(struct session *session, const int64_t *numbers, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct outbox_item *item = find(session, numbers[i]);

		if (!item)
			continue;
		item->stored = true;
		if (item->overdue || (item->job && (item->job->wait == SEND_WAIT_QUEUED || item->job->not_before_ms)))
			ack_overdue(item);
	}
}

void outbox_rows_failed(struct session *session, const int64_t *numbers, size_t n)
{
	struct outbox *outbox = &session->outbox;
	struct send_job *job = NULL;

	for (size_t i = 0; i < n; i++) {
		struct outbox_item *item = find(session, numbers[i]);

		if (!item)
			continue;
		if (item->job)
			job = item->job;
		unlink_from(&outbox->handed, item);
		unlink_from(&outbox->first, item);
		unlink_from(&outbox->later, item);
		item_free(item);
	}
	outbox->tail = outbox->first;
	while (outbox->tail && outbox->tail->next)
		outbox->tail = outbox->tail->next;
	if (job)
		job_done(session, job, SEND_STORE_ERROR);
}
