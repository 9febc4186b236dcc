/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Webhooks as JSON (see hook_view.h). */
#include "sessiond/rpc/hook_view.h"

#include <stdio.h>
#include <string.h>

#include "common/timefmt.h"
#include "sessiond/json_text.h"
#include "sessiond/webhook/target.h"
#include "sessiond/webhook/webhook.h"

static void put_time_or_null(struct buf *out, const char *name, int64_t at_ms)
{
	if (at_ms > 0)
		json_put_time(out, name, at_ms);
	else
		json_put_raw(out, name, "null");
}

static void put_events(struct buf *out, const char *events)
{
	if (!events || !events[0]) {
		json_put_raw(out, "events", "null");
		return;
	}
	json_put_name(out, "events");
	buf_u8(out, '[');
	while (*events) {
		size_t len = strcspn(events, " ");

		if (out->data[out->len - 1] != '[')
			buf_u8(out, ',');
		json_put_span(out, span_of(events, len));
		events += len + (events[len] == ' ');
	}
	buf_u8(out, ']');
}

/* Names only: values are often credentials. */
static void put_headers(struct buf *out, const char *headers)
{
	json_put_name(out, "headers");
	buf_u8(out, '[');
	while (headers && *headers) {
		size_t line = strcspn(headers, "\n");

		if (out->data[out->len - 1] != '[')
			buf_u8(out, ',');
		json_put_span(out, span_of(headers, strcspn(headers, ":")));
		headers += line + (headers[line] == '\n');
	}
	buf_u8(out, ']');
}

/* What a receiver is set to, the numbers of it included. */
static void put_settings(struct buf *out, const struct hook_view *view, const struct store_webhook *w)
{
	char algorithm[16];

	json_put_member(out, "id", w->id);
	json_put_member(out, "sessionId", view->session_id);
	json_put_bool(out, "global", w->session == 0);
	json_put_member(out, "name", w->name);
	json_put_member(out, "url", w->url);
	put_events(out, w->events);
	snprintf(algorithm, sizeof algorithm, "sha%d", w->bits);
	json_put_member(out, "algorithm", w->bits ? algorithm : NULL);
	json_put_member(out, "order", w->scope);
	json_put_int(out, "concurrency", w->parallel > 0 ? w->parallel : (int64_t)TARGET_PARALLEL);
	put_headers(out, w->headers);
	if (w->timeout_ms)
		json_put_int(out, "timeoutMs", w->timeout_ms);
	else
		json_put_raw(out, "timeoutMs", "null");
	json_put_bool(out, "actions", w->actions);
	json_put_bool(out, "enabled", w->enabled);
	put_time_or_null(out, "rotationEndsAt", w->next_secret && w->rotates_ms > timefmt_now_ms() ? w->rotates_ms : 0);
	put_time_or_null(out, "createdAt", w->created_ms);
}

struct sums {
	struct store_counts counts;
	int64_t events, pending;
};

static void add(struct sums *sums, const struct store_receiver *row, int64_t last)
{
	/* Nothing waits for a receiver that is off; what is written meanwhile is not for it. */
	bool off = strcmp(row->state, "off") == 0;
	int64_t ahead = last > row->cursor ? last - row->cursor : 0;

	sums->counts.delivered += row->counts.delivered;
	sums->counts.dead += row->counts.dead;
	sums->counts.skipped += row->counts.skipped + (off ? ahead : 0);
	sums->counts.missed += row->counts.missed;
	sums->pending += off ? 0 : ahead;
	sums->events += row->cursor - row->start + ahead;
}

static void put_counts(struct buf *out, const struct sums *sums)
{
	json_put_name(out, "counts");
	buf_u8(out, '{');
	json_put_int(out, "events", sums->events);
	json_put_int(out, "delivered", sums->counts.delivered);
	json_put_int(out, "dead", sums->counts.dead);
	json_put_int(out, "skipped", sums->counts.skipped);
	json_put_int(out, "missed", sums->counts.missed);
	json_put_int(out, "pending", sums->pending);
	buf_u8(out, '}');
}

static void put_state(struct buf *out, const struct webhook_status *s)
{
	json_put_member(out, "state", s->state);
	json_put_int(out, "failures", s->failures);
	json_put_int(out, "lastStatus", s->last_status);
	json_put_member(out, "lastError", s->last_error);
	put_time_or_null(out, "failedSince", s->failed_since_ms);
	put_time_or_null(out, "nextAttemptAt", s->next_ms);
	put_time_or_null(out, "deliveredAt", s->delivered_ms);
	json_put_int(out, "inFlight", s->in_flight);
}

static void put_of_session(struct buf *out, const struct hook_view *view, const struct store_webhook *w)
{
	struct webhook_status status = { .state = "off" };
	struct sums sums = { 0 };

	webhooks_status(view->webhooks, view->session, w->id, &status);
	put_state(out, &status);
	for (size_t i = 0; i < view->receiver_count; i++) {
		const struct store_receiver *row = &view->receivers[i];

		if (row->session == view->session && strcmp(row->name, w->id) == 0) {
			add(&sums, row, view->last);
			json_put_int(out, "cursor", row->cursor);
			json_put_bool(out, "overflow", row->overflow);
		}
	}
	put_counts(out, &sums);
}

struct tally {
	const char *id;
	int64_t states[4];
};

static const char *const states[] = { "active", "paused", "held", "off" };

static void count_state(void *arg, int64_t session, const struct webhook_status *status)
{
	struct tally *tally = arg;

	(void)session;
	for (size_t i = 0; strcmp(status->name, tally->id) == 0 && i < sizeof states / sizeof states[0]; i++)
		if (strcmp(status->state, states[i]) == 0)
			tally->states[i]++;
}

static void put_of_all(struct buf *out, const struct hook_view *view, const struct store_webhook *w)
{
	struct tally tally = { .id = w->id };
	struct sums sums = { 0 };

	webhooks_each(view->webhooks, count_state, &tally);
	json_put_name(out, "sessions");
	buf_u8(out, '{');
	for (size_t i = 0; i < sizeof states / sizeof states[0]; i++)
		json_put_int(out, states[i], tally.states[i]);
	buf_u8(out, '}');
	for (size_t i = 0; i < view->receiver_count; i++)
		for (size_t k = 0; strcmp(view->receivers[i].name, w->id) == 0 && k < view->session_count; k++)
			if (view->sessions[k].number == view->receivers[i].session)
				add(&sums, &view->receivers[i], view->lasts[k]);
	put_counts(out, &sums);
}

void hook_put(struct buf *out, const struct hook_view *view, const struct store_webhook *webhook, const char *secret)
{
	put_settings(out, view, webhook);
	if (secret)
		json_put_member(out, "secret", secret);
	if (view->session)
		put_of_session(out, view, webhook);
	else
		put_of_all(out, view, webhook);
}

void hook_put_deliveries(struct buf *out, const struct store_delivery *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct store_delivery *d = &rows[i];

		buf_append_text(out, i ? ",{" : "{");
		json_put_int(out, "sequence", d->number);
		json_put_member(out, "eventId", d->event_id);
		json_put_member(out, "event", d->kind);
		json_put_int(out, "attempt", d->tried);
		json_put_time(out, "at", d->at_ms);
		json_put_int(out, "tookMs", d->took_ms);
		json_put_int(out, "status", d->status);
		json_put_member(out, "error", d->error);
		json_put_int(out, "requestBytes", d->size);
		json_put_name(out, "request");
		json_put_span(out, d->sent);
		json_put_name(out, "response");
		json_put_span(out, d->answer);
		buf_u8(out, '}');
	}
}

void hook_put_letters(struct buf *out, const struct store_dead_letter *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct store_dead_letter *l = &rows[i];

		buf_append_text(out, i ? ",{" : "{");
		json_put_int(out, "sequence", l->number);
		json_put_member(out, "eventId", l->event_id);
		json_put_member(out, "event", l->kind);
		json_put_member(out, "reason", l->reason);
		json_put_int(out, "status", l->status);
		json_put_time(out, "at", l->at_ms);
		buf_u8(out, '}');
	}
}
