/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A batch of the protocol library becomes one transaction of the store: records, outbox states, events of the journal. */
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/async.h"
#include "sessiond/daemon.h"
#include "sessiond/session/history.h"
#include "sessiond/session/chatfill.h"
#include "sessiond/session/lookup.h"
#include "sessiond/session/messagekind.h"
#include "sessiond/session/object.h"
#include "sessiond/session/shared.h"

/* How long a sent message can be sent again to a device that asks for it. */
#define SENT_KEEP_MS ((int64_t)14 * 24 * 3600 * 1000)

struct commit {
	struct session *session;
	uint64_t life, token;
	struct wa_batch *batch; /* owned */
	size_t messages;
	const char **in_chats; /* owned: ids of the batch's messages that chats have, borrowed from it */
	size_t nin_chats;
};

/* What only retry receipts need: sent messages, and the counters of what was asked for ("chat/author/id"). */
static bool is_passing(const struct wa_put *put)
{
	return put->kind == WA_RECORD_SENT || (put->kind == WA_RECORD_RECEIVED && strchr(put->name, '/') != NULL);
}

/* The outbox has every message that is sent, for as long (lookup_sent()). */
static bool is_in_outbox(const struct wa_put *put, struct span *value)
{
	if (put->kind != WA_RECORD_SENT || put->absent || strchr(put->name, '/') != NULL)
		return false;
	*value = wa_sent_askers(*value);
	return value->n == 0;
}

/* When it may go; 0: never. */
static int64_t expiry(const struct wa_put *put, int64_t now_ms)
{
	if (put->kind == WA_RECORD_MESSAGE)
		return lookup_expiry(buf_span(&put->value), now_ms);
	if (put->kind == WA_RECORD_SECRET)
		return now_ms + WA_SECRET_KEEP_MS;
	return is_passing(put) ? now_ms + SENT_KEEP_MS : 0;
}

static void add_records(struct commit *c, struct store_tx *tx, int64_t now_ms)
{
	const struct wa_batch *batch = c->batch;
	bool creds = false;

	for (size_t i = 0; i < batch->nputs; i++) {
		const struct wa_put *put = &batch->puts[i];
		struct span value = buf_span(&put->value);

		if (put->kind == WA_RECORD_MESSAGE || is_in_outbox(put, &value))
			continue;
		if (put->absent)
			store_tx_record_delete(tx, c->session->number, (int)put->kind, put->name);
		else
			store_tx_record_put(tx, c->session->number, (int)put->kind, put->name, value,
				expiry(put, now_ms));
		chatfill_record(c->session, tx, put);
		creds = creds || (put->kind == WA_RECORD_CREDS && !put->absent);
	}
	if (creds)
		event_creds(c->session, tx);
}

static bool is_in_chats(const struct commit *c, const char *id)
{
	for (size_t i = 0; i < c->nin_chats; i++) {
		if (strcmp(c->in_chats[i], id) == 0)
			return true;
	}
	return false;
}

/* Messages that no chat of the store has: statuses, posts in channels, what we write to ourselves (lookup.h). */
static void add_messages(const struct commit *c, struct store_tx *tx, int64_t now_ms)
{
	const struct wa_batch *batch = c->batch;

	for (size_t i = 0; i < batch->nputs; i++) {
		const struct wa_put *put = &batch->puts[i];

		if (put->kind == WA_RECORD_MESSAGE && !put->absent && !is_in_chats(c, put->name))
			store_tx_record_put(tx, c->session->number, (int)put->kind, put->name, buf_span(&put->value), expiry(put, now_ms));
	}
}

/* ---- what each kind of durable event changes besides the journal ---- */

void session_account_changed(struct session *session, struct store_tx *tx, const struct jid *account)
{
	store_tx_record_clear(tx, session->number, WA_RECORD_MESSAGE);
	store_tx_record_clear(tx, session->number, WA_RECORD_SECRET);
	store_tx_record_clear(tx, session->number, WA_RECORD_APPSTATE);
	shared_clear(tx, session->number);
	store_tx_chats_owner(tx, session->number, account);
	store_tx_record_clear(tx, session->number, RECORD_TIMER);
	chat_timers_free(&session->timers);
	history_drop(session, tx);
	outbox_fail_all(session, tx, 401, "another account was linked");
}

static void change_paired(struct commit *c, struct store_tx *tx, const struct wa_event *event)
{
	char pn[JID_TEXT_MAX];
	char lid[JID_TEXT_MAX];

	session_account_changed(c->session, tx, &event->jid);
	store_tx_session_me(tx, c->session->number, jid_format(&event->jid, pn, sizeof pn),
		jid_is_none(&event->other) ? NULL : jid_format(&event->other, lid, sizeof lid), event->text, event->text2);
	store_tx_session_auto_start(tx, c->session->number, true);
}

static void change_profile(struct commit *c, struct store_tx *tx, const struct wa_event *event)
{
	store_tx_session_push_name(tx, c->session->number, event->text);
}

static void change_message(struct commit *c, struct store_tx *tx, const struct wa_event *event)
{
	c->messages++;
	c->session->on->daemon->metrics.decrypted++;
	if (!event->message)
		return;
	c->session->on->daemon->metrics.in_kinds[message_kind_of(buf_span(&event->message->plaintext))]++;
	chat_timers_take(&c->session->timers, tx, c->session->number, event->message);
	if (chatfill_message(c->session, tx, event->message))
		c->in_chats[c->nin_chats++] = event->message->id;
	if (event->message->server_id > 0)
		lookup_keep_post(tx, c->session->number, event->message->id, event->message->server_id, timefmt_now_ms());
}

static void change_undecryptable(struct commit *c, struct store_tx *tx, const struct wa_event *event)
{
	(void)tx;
	(void)event;
	c->session->on->daemon->metrics.undecryptable++;
}

static void change_retry(struct commit *c, struct store_tx *tx, const struct wa_event *event)
{
	(void)tx;
	(void)event;
	c->session->on->daemon->metrics.retries++;
}

static void change_receipt(struct commit *c, struct store_tx *tx, const struct wa_event *event)
{
	static const enum store_outbox_state states[] = {
		[WA_RECEIPT_DELIVERED] = STORE_OUTBOX_DELIVERED,
		[WA_RECEIPT_INACTIVE] = STORE_OUTBOX_DELIVERED,
		[WA_RECEIPT_READ] = STORE_OUTBOX_READ,
		[WA_RECEIPT_PLAYED] = STORE_OUTBOX_PLAYED,
		[WA_RECEIPT_OTHER] = 0,
	};
	const struct wa_receipt *r = event->receipt;
	char device[JID_TEXT_MAX];

	if (!r)
		return;
	jid_format(&r->device, device, sizeof device);
	for (size_t i = 0; i < r->n; i++) {
		if (states[r->kind])
			store_tx_outbox_receipt(tx, c->session->number, r->ids[i], device, states[r->kind], r->time_ms);
		chatfill_receipt(c->session, tx, r, i);
	}
}

static void change_addon(struct commit *c, struct store_tx *tx, const struct wa_event *event)
{
	if (event->message && event->addon)
		chatfill_addon(c->session, tx, event->message, event->addon);
}

static void change_action(struct commit *c, struct store_tx *tx, const struct wa_event *event)
{
	if (event->action)
		chatfill_action(c->session, tx, event->action);
}

static void change_group(struct commit *c, struct store_tx *tx, const struct wa_event *event)
{
	if (event->group)
		chatfill_group(c->session, tx, event->group);
}

static void change_stanza(struct commit *c, struct store_tx *tx, const struct wa_event *event)
{
	outbox_built(c->session, event);
	store_tx_outbox_stanza(tx, (int64_t)event->tag, buf_span(&event->bytes), timefmt_now_ms());
}

static void change_ack(struct commit *c, struct store_tx *tx, const struct wa_event *event)
{
	const char *id = event->number > 0 ? outbox_id(c->session, event->tag) : NULL;

	if (id)
		lookup_keep_post(tx, c->session->number, id, event->number, timefmt_now_ms());
	store_tx_outbox_ack(tx, (int64_t)event->tag, event->ms, timefmt_now_ms());
}

static void change_failed(struct commit *c, struct store_tx *tx, const struct wa_event *event)
{
	(void)c;
	store_tx_outbox_fail(tx, (int64_t)event->tag, event->code, event->text, timefmt_now_ms());
}

static void change_history(struct commit *c, struct store_tx *tx, const struct wa_event *event)
{
	history_keep(c->session, tx, event);
}

static void change_logged_out(struct commit *c, struct store_tx *tx, const struct wa_event *event)
{
	shared_clear(tx, c->session->number);
	store_tx_record_clear(tx, c->session->number, WA_RECORD_APPSTATE);
	history_drop(c->session, tx);
	outbox_fail_all(c->session, tx, 401, "logged out");
	store_tx_session_me(tx, c->session->number, NULL, NULL, NULL, NULL);
	store_tx_session_push_name(tx, c->session->number, NULL);
	store_tx_session_state(tx, c->session->number, session_status_name(SESSION_LOGGED_OUT), event->text, timefmt_now_ms(), 0);
}

static void change(struct commit *c, struct store_tx *tx, const struct wa_event *event)
{
	static void (*const changes[])(struct commit *c, struct store_tx *tx, const struct wa_event *event) = {
		[WA_EVENT_PAIRED] = change_paired,
		[WA_EVENT_PROFILE] = change_profile,
		[WA_EVENT_MESSAGE] = change_message,
		[WA_EVENT_UNDECRYPTABLE] = change_undecryptable,
		[WA_EVENT_RETRY_REQUESTED] = change_retry,
		[WA_EVENT_RECEIPT] = change_receipt,
		[WA_EVENT_ADDON] = change_addon,
		[WA_EVENT_ACTION] = change_action,
		[WA_EVENT_GROUP] = change_group,
		[WA_EVENT_SEND_STANZA] = change_stanza,
		[WA_EVENT_SEND_ACK] = change_ack,
		[WA_EVENT_SEND_FAILED] = change_failed,
		[WA_EVENT_HISTORY] = change_history,
		[WA_EVENT_LOGGED_OUT] = change_logged_out,
	};

	if (event->kind == WA_EVENT_SEND_FAILED && outbox_retries(c->session, tx, event))
		return;
	if ((size_t)event->kind < sizeof changes / sizeof *changes && changes[event->kind])
		changes[event->kind](c, tx, event);
	event_of_batch(c->session, tx, event);
}

static void committed(void *arg, int error)
{
	struct commit *c = arg;
	struct session *session = c->session;
	struct metrics *metrics = &session->on->daemon->metrics;

	if (error) {
		metrics->commit_errors++;
		session->drop_client = true;
		log_error(&session->log, "changes cannot be stored", LOG_STR("session", session->id), LOG_STR("reason", store_error_name(error)));
	} else {
		metrics->emitted += (long long)c->messages;
		for (size_t i = 0; i < c->batch->nevents; i++)
			session_on_stored(session, c->batch->events[i]);
	}
	if (session->client && session->life == c->life)
		wa_client_committed(session->client, c->token, error == 0);
	wa_batch_free(c->batch);
	free(c->in_chats);
	free(c);
	session->busy--;
	session_released(session);
}

/* Nobody waits for these to be stored: an ack or receipt that is lost with the process comes again or changes nothing. */
static bool can_wait(const struct wa_batch *batch)
{
	for (size_t i = 0; i < batch->nevents; i++) {
		if (batch->events[i]->kind != WA_EVENT_SEND_ACK && batch->events[i]->kind != WA_EVENT_RECEIPT)
			return false;
	}
	return batch->nevents > 0;
}

void session_commit(struct session *session, struct wa_batch *batch, uint64_t token)
{
	bool lazy = can_wait(batch);
	struct store *store = session->on->daemon->store;
	struct store_tx *tx = store_tx_new(store);
	struct commit *c = xmalloc(sizeof *c);

	*c = (struct commit){ .session = session, .life = session->life, .token = token, .batch = batch };
	c->in_chats = xcalloc(batch->nevents + 1, sizeof *c->in_chats);
	store_tx_chain(tx, &session->chain);
	add_records(c, tx, timefmt_now_ms());
	for (size_t i = 0; i < batch->nevents; i++)
		change(c, tx, batch->events[i]);
	add_messages(c, tx, timefmt_now_ms());
	/* The server has the message: its row and stanza were stored before, so the answer is true whatever happens to this commit. */
	for (size_t i = 0; lazy && i < batch->nevents; i++)
		outbox_acked(session, batch->events[i]);
	session->on->daemon->metrics.commits++;
	session->busy++;
	if (lazy)
		async_commit_lazy(session->on->loop, store, tx, committed, c);
	else
		async_commit(session->on->loop, store, tx, committed, c);
}
