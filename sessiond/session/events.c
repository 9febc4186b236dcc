/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rows of the event journal. Kinds that the original has (webhooks.md 4) go to webhooks; the others are for those who ask for them:
 *
 *     message_undecryptable  {id, key, reason, code, retry, sessionId}      a message that could not be read (asked for again)
 *     message_receipt        {id, ids, chat, participant, status, time, sessionId}
 *     message_retry          {id, messageId, device, count, answered, sessionId}
 *     message_failed         {id, messageId, outbox, code, error, sessionId}   messageId null: of an earlier life
 *     identity_changed       {id, jid, sessionId}
 *     account_timelock       {id, kind, until, sessionId}
 *     group_participants, group_join, group_leave, group_update, group_join_request: groups.c
 *     newsletter_update, newsletter_message, newsletter_post_update: channelevents.c
 *     poll_vote, event_response, message_comment, message_refused: addons.c
 *     call, blocklist_update {id, action: block|unblock|reload, jid, lid, sessionId}: calls.c
 *     contact_update {id, chat, chatPn, chatLid, changed: picture|about|timer|number, removed|about|seconds|newJid, time, sessionId}: calls.c
 *     message_media          {id, key, media, sessionId}      media that came, or could not be had, after its message was told
 */
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/ulid.h"
#include "sessiond/crypto/crypto.h"
#include "sessiond/daemon.h"
#include "sessiond/json_text.h"
#include "sessiond/session/normalise.h"
#include "sessiond/session/object.h"
#include "sessiond/session/outbox.h"

/* The time, and 80 bits that the seed decides, or chance without one: the same happening has the same id however often it is told. */
static void make_event_id(struct session *session, const char *kind, const char *seed, int64_t time_ms, char out[ULID_LENGTH + 1])
{
	uint8_t digest[CRYPTO_SHA256_LEN];
	struct buf text = { 0 };

	if (seed) {
		buf_printf(&text, "%s\n%s\n%s", session->id, kind, seed);
		if (crypto_sha256(text.data, text.len, digest))
			abort();
		buf_free(&text);
	} else {
		session_random(session->on, digest, sizeof digest);
	}
	ulid_format(time_ms, digest, out);
}

void event_add(struct session *session, struct store_tx *tx, const char *kind, const char *chat, const char *id_seed, const struct buf *payload, int64_t time_ms)
{
	char event_id[ULID_LENGTH + 1];
	const struct store_event event = {
		.session = session->number,
		.event_id = event_id,
		.kind = kind,
		.chat = chat,
		.payload = buf_span(payload),
		.time_ms = time_ms,
	};

	make_event_id(session, kind, id_seed, time_ms, event_id);
	store_tx_event_add(tx, &event, NULL);
	session->on->daemon->metrics.events++;
}

void event_commit(struct session *session, struct store_tx *tx)
{
	store_commit(session->on->daemon->store, tx, NULL, NULL);
}

void event_status(struct session *session, const char *members)
{
	struct store_tx *tx = store_tx_new(session->on->daemon->store);
	const struct session_view *view = &session->view;
	struct buf payload = { 0 };

	buf_u8(&payload, '{');
	json_put_member(&payload, "id", session->id);
	if (members[0]) {
		buf_u8(&payload, ',');
		buf_append_text(&payload, members);
	}
	json_put_member(&payload, "sessionId", session->id);
	buf_u8(&payload, '}');
	event_add(session, tx, "session_status", NULL, NULL, &payload, timefmt_now_ms());
	store_tx_session_state(tx, session->number, session_status_name(view->status), view->reason_text[0] ? view->reason_text : NULL, view->since_ms,
		(int)view->attempts);
	event_commit(session, tx);
	buf_free(&payload);
}

static void start(struct session *session, struct buf *payload)
{
	buf_u8(payload, '{');
	json_put_member(payload, "id", session->id);
}

static void put_jid(struct buf *payload, const char *name, const struct jid *jid)
{
	char text[JID_TEXT_MAX];

	if (!jid_is_none(jid))
		json_put_member(payload, name, jid_format(jid, text, sizeof text));
}

static void finish(struct session *session, struct store_tx *tx, const char *kind, const char *chat, const char *seed, struct buf *payload)
{
	json_put_member(payload, "sessionId", session->id);
	buf_u8(payload, '}');
	event_add(session, tx, kind, chat, seed, payload, timefmt_now_ms());
	buf_free(payload);
}

/* ---- the device record ---- */

/* creds_update {id, sessionId}: a login changes the record several times, and receivers learn nothing from each. */
#define CREDS_PAUSE_MS 5000

static void tell_creds(struct session *session, struct store_tx *tx)
{
	struct buf payload = { 0 };

	session->creds_next_ms = timefmt_monotonic_ms() + CREDS_PAUSE_MS;
	start(session, &payload);
	finish(session, tx, "creds_update", NULL, NULL, &payload);
}

static void creds_due(void *arg)
{
	struct session *session = arg;
	struct store_tx *tx = store_tx_new(session->on->daemon->store);

	tell_creds(session, tx);
	event_commit(session, tx);
}

void event_creds(struct session *session, struct store_tx *tx)
{
	if (timer_runs(&session->creds_note))
		return;
	if (timefmt_monotonic_ms() < session->creds_next_ms)
		timer_start(session->on->timers, &session->creds_note, session->creds_next_ms, creds_due, session);
	else
		tell_creds(session, tx);
}

void event_creds_flush(struct session *session)
{
	if (!timer_runs(&session->creds_note))
		return;
	timer_stop(session->on->timers, &session->creds_note);
	creds_due(session);
}

/* ---- what batches tell ---- */

static void of_message(struct session *session, struct store_tx *tx, const struct wa_event *event)
{
	channel_post_event(session, tx, event->message);
	normalise_message(session, tx, event->message);
}

static void of_undecryptable(struct session *session, struct store_tx *tx, const struct wa_event *event)
{
	struct buf payload = { 0 };
	char chat[JID_TEXT_MAX];

	if (!event->message)
		return;
	start(session, &payload);
	json_put_name(&payload, "key");
	normalise_key(&payload, event->message);
	json_put_member(&payload, "reason", event->text);
	json_put_int(&payload, "code", event->code);
	json_put_int(&payload, "retry", event->number);
	finish(session, tx, "message_undecryptable", jid_format(&event->message->chat, chat, sizeof chat), NULL, &payload);
}

static void of_receipt(struct session *session, struct store_tx *tx, const struct wa_event *event)
{
	static const char *const names[] = {
		[WA_RECEIPT_DELIVERED] = "delivered", [WA_RECEIPT_READ] = "read", [WA_RECEIPT_PLAYED] = "played", [WA_RECEIPT_INACTIVE] = "delivered",
		[WA_RECEIPT_SERVER_ERROR] = "server_error", [WA_RECEIPT_OTHER] = NULL,
	};
	const struct wa_receipt *r = event->receipt;
	struct buf payload = { 0 };
	char chat[JID_TEXT_MAX];

	if (!r || !names[r->kind])
		return;
	start(session, &payload);
	json_put_name(&payload, "ids");
	for (size_t i = 0; i < r->n; i++) {
		buf_u8(&payload, i ? ',' : '[');
		json_put_string(&payload, r->ids[i]);
	}
	buf_append_text(&payload, r->n ? "]" : "[]");
	put_jid(&payload, "chat", &r->chat);
	put_jid(&payload, "participant", &r->device);
	json_put_member(&payload, "status", names[r->kind]);
	json_put_int(&payload, "time", r->time_ms / 1000);
	finish(session, tx, "message_receipt", jid_format(&r->chat, chat, sizeof chat), NULL, &payload);
}

static void of_failed(struct session *session, struct store_tx *tx, const struct wa_event *event)
{
	const char *id = outbox_id(session, event->tag);
	struct buf payload = { 0 };

	start(session, &payload);
	json_put_member(&payload, "messageId", id);
	json_put_int(&payload, "outbox", (int64_t)event->tag);
	json_put_int(&payload, "code", event->code);
	json_put_member(&payload, "error", event->text);
	finish(session, tx, "message_failed", NULL, NULL, &payload);
}

static void of_retry(struct session *session, struct store_tx *tx, const struct wa_event *event)
{
	struct buf payload = { 0 };

	start(session, &payload);
	json_put_member(&payload, "messageId", event->text);
	put_jid(&payload, "device", &event->jid);
	json_put_int(&payload, "count", event->number);
	json_put_bool(&payload, "answered", event->code == 0);
	finish(session, tx, "message_retry", NULL, NULL, &payload);
}

static void of_identity(struct session *session, struct store_tx *tx, const struct wa_event *event)
{
	struct buf payload = { 0 };

	start(session, &payload);
	put_jid(&payload, "jid", &event->jid);
	finish(session, tx, "identity_changed", NULL, NULL, &payload);
}

static void of_timelock(struct session *session, struct store_tx *tx, const struct wa_event *event)
{
	struct buf payload = { 0 };

	start(session, &payload);
	json_put_member(&payload, "kind", event->text);
	json_put_int(&payload, "until", event->ms);
	finish(session, tx, "account_timelock", NULL, NULL, &payload);
}

static void of_presence(struct session *session, struct store_tx *tx, const struct wa_event *event)
{
	const struct jid *who = jid_is_none(&event->other) ? &event->jid : &event->other;
	struct buf payload = { 0 };
	char chat[JID_TEXT_MAX];

	start(session, &payload);
	buf_append_text(&payload, ",\"presence\":{");
	put_jid(&payload, "id", &event->jid);
	buf_append_text(&payload, ",\"presences\":{");
	json_put_string(&payload, jid_format(who, chat, sizeof chat));
	buf_append_text(&payload, ":{");
	json_put_member(&payload, "lastKnownPresence", event->text && strcmp(event->text, "paused") == 0 ? "available" : event->text);
	if (event->ms > 0)
		json_put_int(&payload, "lastSeen", event->ms / 1000);
	buf_append_text(&payload, "}}}");
	finish(session, tx, "presence_update", jid_format(&event->jid, chat, sizeof chat), NULL, &payload);
}

void event_of_batch(struct session *session, struct store_tx *tx, const struct wa_event *event)
{
	static void (*const builders[])(struct session *session, struct store_tx *tx, const struct wa_event *event) = {
		[WA_EVENT_PRESENCE] = of_presence,
		[WA_EVENT_MESSAGE] = of_message,
		[WA_EVENT_UNDECRYPTABLE] = of_undecryptable,
		[WA_EVENT_RECEIPT] = of_receipt,
		[WA_EVENT_SEND_FAILED] = of_failed,
		[WA_EVENT_RETRY_REQUESTED] = of_retry,
		[WA_EVENT_IDENTITY_CHANGED] = of_identity,
		[WA_EVENT_ADDON] = event_addon,
		[WA_EVENT_TIMELOCK] = of_timelock,
		[WA_EVENT_GROUP] = event_group,
		[WA_EVENT_MEX] = channel_mex_event,
		[WA_EVENT_POST] = channel_counters_event,
		[WA_EVENT_CALL] = event_call,
		[WA_EVENT_BLOCKLIST] = event_blocklist,
		[WA_EVENT_CONTACT] = event_contact_changed,
		[WA_EVENT_LOGGED_OUT] = NULL,
		[WA_EVENT_ACTION] = appstate_event,
		[WA_EVENT_APPSTATE_SYNCED] = appstate_synced_event,
	};

	if ((size_t)event->kind < sizeof builders / sizeof *builders && builders[event->kind])
		builders[event->kind](session, tx, event);
}
