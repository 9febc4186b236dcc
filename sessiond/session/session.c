/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The life of one session on its loop: start, connect, what the protocol library reports. How it ends is in ending.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/crash.h"
#include "sessiond/crypto/crypto.h"
#include "sessiond/daemon.h"
#include "sessiond/json_text.h"
#include "sessiond/session/assertion.h"
#include "sessiond/session/autoreply.h"
#include "sessiond/session/fetch.h"
#include "sessiond/session/history.h"
#include "sessiond/session/mirror.h"
#include "sessiond/session/transferwork.h"
#include "sessiond/session/object.h"
#include "sessiond/session/qrpng.h"
#include "sessiond/session/registry.h"

enum {
	/* QR codes are offered this long after somebody last asked for one. */
	QR_WANTED_MS = 10 * 60 * 1000,
	RECONNECT_MIN_MS = 500,
	EVENT_QR_PX = 320
};

static void connect_now(struct session *session);

struct session *session_new(struct session_loop *on, struct session_entry *entry, const struct store_session *row)
{
	struct session *session = xcalloc(1, sizeof *session);

	session->on = on;
	session->entry = entry;
	session->log = log_named(&on->log, "session");
	session->number = row->number;
	session->id = xstrdup(row->id);
	session->registry = xstrdup(row->registry);
	session->restored = row->restored;
	outbox_init(session);
	return session;
}

static void forget_proxy(struct session *session)
{
	if (session->proxy)
		crypto_wipe(session->proxy, strlen(session->proxy));
	free(session->proxy);
	session->proxy = NULL;
}

void session_free(struct session *session)
{
	struct timers *timers = session->on->timers;

	session_hang_up(session);
	timer_stop(timers, &session->retry);
	timer_stop(timers, &session->wake);
	timer_stop(timers, &session->closing);
	timer_stop(timers, &session->creds_note);
	outbox_free(session);
	chat_timers_free(&session->timers);
	mirror_free(session);
	transfers_free(session);
	fetch_free(session);
	wa_client_free(session->client);
	history_free(session);
	change_fail_all(session);
	session_view_free(&session->view);
	free(session->id);
	free(session->registry);
	forget_proxy(session);
	free(session);
}

void session_set_status(struct session *session, enum session_status status, int reason, const char *text)
{
	session_view_set(&session->view, status, reason, text, timefmt_now_ms());
	session->view.retry_at_ms = 0;
	session->view.until_ms = 0;
	registry_view(session);
}

void session_free_slot(struct session *session, enum dial_outcome outcome, const char *why)
{
	if (session->slot || session->slot_wanted)
		registry_free_slot(session, outcome, why);
	session->slot = session->slot_wanted = false;
}

void session_want_slot(struct session *session)
{
	if (session->slot || session->slot_wanted)
		return;
	session->slot_wanted = true;
	registry_want_slot(session);
}

void session_stop_here(struct session *session, enum session_status status, int reason, const char *text)
{
	session->running = false;
	session->drop_client = true;
	transfer_end_all(session);
	session_view_clear_pairing(&session->view);
	session_set_status(session, status, reason, text);
}

void session_answer_calls(struct session *session, int result)
{
	struct session_call *call = session->calls;

	session->calls = NULL;
	while (call) {
		struct session_call *next = call->next;

		call->result = result;
		registry_answer(session, call);
		call = next;
	}
}

/* ---- connecting ---- */

void session_begin(struct session *session)
{
	if (session->restored) {
		session_stop_here(session, SESSION_STOPPED, 0, "its data came out of a backup: connecting would reuse old keys; confirm or log out first");
		return;
	}
	session->running = true;
	session->version_retried = false;
	session->backoff = (struct backoff){ 0 };
	session->view.attempts = 0;
	session->qr_wanted_until_ms = timefmt_monotonic_ms() + QR_WANTED_MS;
	session_set_status(session, SESSION_STARTING, 0, NULL);
	event_status(session, "\"tags\":\"create\"");
	session_want_slot(session);
}

static void retry_now(void *arg)
{
	session_want_slot(arg);
}

void session_retry_in(struct session *session, int64_t delay_ms)
{
	session->view.retry_at_ms = timefmt_now_ms() + delay_ms;
	timer_start(session->on->timers, &session->retry, timefmt_monotonic_ms() + delay_ms, retry_now, session);
	registry_view(session);
}

void session_granted(struct session *session, struct session_call *call)
{
	session->slot_wanted = false;
	session->slot = true;
	forget_proxy(session);
	session->proxy = call->text;
	call->text = NULL;
	registry_answer(session, call);
	if (!session->running || session->wish || session->link)
		session_free_slot(session, DIAL_NONE, NULL);
	else
		connect_now(session);
}

static void renew_client(struct session *session)
{
	const char *suspect;

	if (session->client && session->drop_client) {
		wa_client_free(session->client);
		change_fail_all(session);
		session->client = NULL;
		timer_stop(session->on->timers, &session->wake);
	}
	session->drop_client = false;
	if (session->client)
		return;
	session->life++;
	atomic_store(&session->chain.broken, false);
	session->client = wa_client_new(session->on->wa, &session_host, session);
	session->view.degraded[0] = '\0';
	suspect = crash_suspect(session->on->daemon->crash, session->id);
	if (suspect) {
		log_error(&session->log, "the last process crashed while it decoded a message: that message will be refused", LOG_STR("session", session->id));
		wa_client_suspect(session->client, suspect);
	}
	outbox_reload(session);
	mirror_reload(session);
	history_reload(session);
}

static void connect_now(struct session *session)
{
	char members[96];

	/* A new client must not read what batches of the old one are still going to change. */
	if (session->drop_client && session->busy > 0) {
		session_free_slot(session, DIAL_NONE, NULL);
		session_retry_in(session, RECONNECT_MIN_MS);
		return;
	}
	renew_client(session);
	session->view.attempts++;
	/* The reason of the last end stays readable while we try again. */
	session_set_status(session, SESSION_CONNECTING, session->view.reason, session->view.reason_text[0] ? session->view.reason_text : NULL);
	snprintf(members, sizeof members, "\"tags\":\"connecting\",\"status\":\"connecting\"");
	event_status(session, members);
	if (session_dial(session, session->proxy)) {
		session_free_slot(session, DIAL_BAD, "the address cannot be used");
		session_stop_here(session, SESSION_STOPPED, 400, "the address or proxy of the service cannot be used");
	}
}

/* ---- what the library reports ---- */

static void on_qr(struct session *session, const struct wa_event *event)
{
	struct session_view *view = &session->view;
	int64_t seconds = event->ms / 1000;
	struct buf members = { 0 };
	char *png;

	session_free_slot(session, DIAL_GOOD, NULL);
	session_view_set_text(&view->qr, event->text);
	view->qr_seconds = seconds < 5 ? 5 : seconds > 65 ? 65 : seconds;
	registry_view(session);
	png = qr_png_data_uri(event->text, EVENT_QR_PX);
	buf_append_text(&members, "\"tags\":\"qr\"");
	json_put_member(&members, "qr", png ? png : event->text);
	json_put_int(&members, "qrDuration", view->qr_seconds);
	event_status(session, buf_text(&members));
	buf_free(&members);
	free(png);
	if (view->pair_phone[0] && !view->pair_code[0] && !view->pair_error[0])
		wa_client_pair_code(session->client, view->pair_phone, NULL);
}

static void on_qr_expired(struct session *session, const struct wa_event *event)
{
	(void)event;
	session_view_set_text(&session->view.qr, NULL);
	registry_view(session);
}

static void on_pair_code(struct session *session, const struct wa_event *event)
{
	struct session_view *view = &session->view;

	snprintf(view->pair_code, sizeof view->pair_code, "%s", event->text ? event->text : "");
	view->pair_code_at_ms = timefmt_now_ms();
	view->pair_error[0] = '\0';
	registry_view(session);
}

static void on_pair_error(struct session *session, const struct wa_event *event)
{
	struct session_view *view = &session->view;

	snprintf(view->pair_error, sizeof view->pair_error, "%d %s", event->code, event->text ? event->text : "pairing failed");
	log_warn(&session->log, "pairing failed", LOG_STR("session", session->id), LOG_INT("code", event->code), LOG_STR("reason", event->text));
	registry_view(session);
}

static void on_passkey_request(struct session *session, const struct wa_event *event)
{
	struct session_view *view = &session->view;
	struct buf options = { 0 };

	if (!event->text || assertion_options(event->text, &options)) {
		snprintf(view->pair_error, sizeof view->pair_error, "%s", "502 unreadable passkey options");
		log_warn(&session->log, "passkey options are no JSON object", LOG_STR("session", session->id));
		return;
	}
	session_view_set_text(&view->passkey_options, buf_text(&options));
	buf_free(&options);
	session_view_set_text(&view->qr, NULL);
	view->passkey = PASSKEY_REQUESTED;
	view->passkey_code[0] = '\0';
	log_info(&session->log, "this account demands a passkey", LOG_STR("session", session->id));
	registry_view(session);
}

static void on_passkey_code(struct session *session, const struct wa_event *event)
{
	struct session_view *view = &session->view;

	view->passkey = PASSKEY_CODE;
	snprintf(view->passkey_code, sizeof view->passkey_code, "%s", event->text ? event->text : "");
	registry_view(session);
}

static void on_open(struct session *session, const struct wa_event *event)
{
	struct session_view *view = &session->view;
	struct store_tx *tx = store_tx_new(session->on->daemon->store);
	int64_t now_ms = timefmt_now_ms();
	struct buf members = { 0 };

	session_free_slot(session, DIAL_GOOD, NULL);
	backoff_opened(&session->backoff, timefmt_monotonic_ms());
	session->version_retried = false;
	session_view_clear_pairing(view);
	view->registered = true;
	view->me_pn = event->jid;
	view->me_lid = event->other;
	view->last_conn_ms = now_ms;
	view->attempts = 0;
	session_set_status(session, SESSION_OPEN, 0, NULL);
	store_tx_session_connected(tx, session->number, now_ms);
	store_commit(session->on->daemon->store, tx, NULL, NULL);
	json_put_member(&members, "status", "open");
	json_put_name(&members, "me");
	session_view_put_me(&members, view);
	event_status(session, buf_text(&members));
	buf_free(&members);
	log_info(&session->log, "session opened", LOG_STR("session", session->id));
	queue_lock_opened(session);
	outbox_pump(session);
	mirror_pump(session);
	history_pump(session);
}

static void on_offline_done(struct session *session, const struct wa_event *event)
{
	log_info(&session->log, "backlog drained", LOG_STR("session", session->id), LOG_INT("stanzas", event->number));
}

static void on_warning(struct session *session, const struct wa_event *event)
{
	log_warn(&session->log, "warning of the protocol", LOG_STR("session", session->id), LOG_INT("code", event->code), LOG_STR("reason", event->text));
}

/* Keeps the list of collections that are out of order. */
static void on_appstate_health(struct session *session, const struct wa_event *event)
{
	struct session_view *view = &session->view;
	char old[sizeof view->degraded];
	char *rest = old;
	char *name;
	struct buf names = { 0 };

	snprintf(old, sizeof old, "%s", view->degraded);
	while ((name = strsep(&rest, " ")) != NULL)
		if (name[0] && strcmp(name, event->text) != 0)
			buf_printf(&names, "%s%s", names.len ? " " : "", name);
	if (event->code)
		buf_printf(&names, "%s%s", names.len ? " " : "", event->text);
	snprintf(view->degraded, sizeof view->degraded, "%s", names.len ? buf_text(&names) : "");
	buf_free(&names);
	if (event->code)
		log_warn(&session->log, "app state is out of order", LOG_STR("session", session->id), LOG_STR("collection", event->text),
			LOG_STR("reason", event->text2));
	registry_view(session);
}

static void on_presence(struct session *session, const struct wa_event *event)
{
	struct store_tx *tx = store_tx_new(session->on->daemon->store);

	event_of_batch(session, tx, event);
	event_commit(session, tx);
}

void session_on_event(struct session *session, const struct wa_event *event)
{
	static void (*const handlers[])(struct session *session, const struct wa_event *event) = {
		[WA_EVENT_QR] = on_qr,
		[WA_EVENT_QR_EXPIRED] = on_qr_expired,
		[WA_EVENT_PAIR_CODE] = on_pair_code,
		[WA_EVENT_PAIR_ERROR] = on_pair_error,
		[WA_EVENT_PASSKEY_REQUEST] = on_passkey_request,
		[WA_EVENT_PASSKEY_CODE] = on_passkey_code,
		[WA_EVENT_OPEN] = on_open,
		[WA_EVENT_OFFLINE_DONE] = on_offline_done,
		[WA_EVENT_PRESENCE] = on_presence,
		[WA_EVENT_MEDIA_RETRY] = transfer_on_retry,
		[WA_EVENT_WARNING] = on_warning,
		[WA_EVENT_APPSTATE_HEALTH] = on_appstate_health,
		[WA_EVENT_CHANGED] = change_settled,
	};

	if ((size_t)event->kind < sizeof handlers / sizeof *handlers && handlers[event->kind])
		handlers[event->kind](session, event);
}

static void on_paired(struct session *session, const struct wa_event *event)
{
	session_view_clear_pairing(&session->view);
	session->view.registered = true;
	session->view.me_pn = event->jid;
	session->view.me_lid = event->other;
	registry_view(session);
	log_info(&session->log, "device linked", LOG_STR("session", session->id));
}

static void on_profile(struct session *session, const struct wa_event *event)
{
	session_view_set_text(&session->view.push_name, event->text);
	registry_view(session);
}

static void on_logged_out(struct session *session, const struct wa_event *event)
{
	(void)event;
	session->drop_client = true;
	session->view.registered = false;
	session->view.degraded[0] = '\0';
	session->view.me_pn = session->view.me_lid = (struct jid){ .server = JID_SERVER_NONE };
	session_view_set_text(&session->view.push_name, NULL);
	registry_view(session);
}

static void on_message_stored(struct session *session, const struct wa_event *event)
{
	mirror_stored(session, event->message);
	if (!event->message)
		return;
	outbox_met(session, event->message);
	autoreply_stored(session, event->message);
}

void session_on_stored(struct session *session, const struct wa_event *event)
{
	if (event->kind == WA_EVENT_PAIRED)
		on_paired(session, event);
	else if (event->kind == WA_EVENT_PROFILE)
		on_profile(session, event);
	else if (event->kind == WA_EVENT_LOGGED_OUT)
		on_logged_out(session, event);
	else if (event->kind == WA_EVENT_CALL)
		call_stored(session, event);
	else if (event->kind == WA_EVENT_MESSAGE)
		on_message_stored(session, event);
	else if (event->kind == WA_EVENT_HISTORY)
		history_noticed(session, event);
	else
		outbox_on_stored(session, event);
}
