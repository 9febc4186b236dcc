/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How a connection ends and what follows: retries by reaction, and the ends that somebody wished for. */
#include <stdio.h>
#include <stdlib.h>

#include "sessiond/async.h"
#include "sessiond/daemon.h"
#include "sessiond/session/transfer.h"
#include "sessiond/session/object.h"
#include "sessiond/session/registry.h"

enum {
	/* A clean end waits this long for the server before it is forced. */
	CLOSING_MS = 3000,
	LOGOUT_MS = 8000,
	/* Two "reconnect now" within this time: the second one waits like any other. */
	RESTART_APART_MS = 5000,
	STORAGE_RETRY_MIN_MS = 5000,
	RECONNECT_MIN_MS = 1000,
	AFTER_LOGOUT_MS = 1000,
	AFTER_BAN_MS = 60000,
	/* Codes of a wa_close: nothing came, the connection broke. */
	TIMED_OUT = 408,
	CLOSED = 428
};

static void wish_closed(struct session *session);

/* ---- reactions ---- */

static void retry(struct session *session, int64_t min_ms, enum session_status status, const struct wa_close *why)
{
	const struct config *config = session->on->daemon->config;
	double random01 = session_random01(session->on);
	/* When a server drops everybody at once, they come back spread over this time. */
	int64_t spread_ms = (int64_t)(random01 * (double)registry_spread_ms(session));
	int64_t delay_ms = config->reconnect_immediate ? RECONNECT_MIN_MS : backoff_next_ms(&session->backoff, min_ms, random01);
	char members[96];

	/* Shown together with the time of the next attempt. */
	session_view_set(&session->view, status, why->code, why->reason, timefmt_now_ms());
	session->view.until_ms = 0;
	snprintf(members, sizeof members, "\"status\":\"%s\",\"attempts\":%u", session_status_name(status), session->view.attempts + 1);
	event_status(session, members);
	session_retry_in(session, delay_ms + spread_ms);
}

static void react_backoff(struct session *session, const struct wa_close *why)
{
	bool unlinked = !session->view.registered && why->code == 408;

	/* Codes that nobody scans are not offered for ever. */
	if (unlinked && timefmt_monotonic_ms() > session->qr_wanted_until_ms) {
		session_stop_here(session, SESSION_STOPPED, why->code, "nobody scanned the QR code");
		event_status(session, "\"tags\":\"close\",\"status\":\"stopped\",\"reason\":408");
		return;
	}
	if (unlinked)
		session->backoff.step = 0;
	retry(session, 0, SESSION_RECONNECTING, why);
}

static void react_now(struct session *session, const struct wa_close *why)
{
	int64_t now_ms = timefmt_monotonic_ms();

	if (session->restart_at_ms != 0 && now_ms - session->restart_at_ms < RESTART_APART_MS) {
		retry(session, 0, SESSION_RECONNECTING, why);
		return;
	}
	session->restart_at_ms = now_ms;
	session_set_status(session, SESSION_CONNECTING, why->code, why->reason);
	session_want_slot(session);
}

static void react_slow(struct session *session, const struct wa_close *why)
{
	backoff_advance(&session->backoff, BACKOFF_RATE_LIMITED_STEPS);
	retry(session, 0, SESSION_RECONNECTING, why);
}

static void react_stop(struct session *session, const struct wa_close *why)
{
	char members[64];

	session_stop_here(session, SESSION_STOPPED, why->code, why->reason);
	snprintf(members, sizeof members, "\"tags\":\"close\",\"status\":\"stopped\",\"reason\":%d", why->code);
	event_status(session, members);
}

static void react_banned(struct session *session, const struct wa_close *why)
{
	int64_t wait_ms = why->until_ms - timefmt_now_ms();
	char members[64];

	session_stop_here(session, SESSION_BANNED, why->code, why->reason);
	session->view.until_ms = why->until_ms;
	if (wait_ms > 0) {
		session->running = true;
		session_retry_in(session, wait_ms + AFTER_BAN_MS);
	}
	registry_view(session);
	snprintf(members, sizeof members, "\"status\":\"banned\",\"reason\":%d", why->code);
	event_status(session, members);
}

static void react_replaced(struct session *session, const struct wa_close *why)
{
	unsigned recent = conflict_noted(&session->conflicts, timefmt_monotonic_ms());
	char text[128];

	(void)why;
	snprintf(text, sizeof text, "another client uses this device (%u time%s in %d minutes); stop it, then reconnect", recent, recent == 1 ? "" : "s",
		CONFLICT_WINDOW_MS / 60000);
	session_stop_here(session, SESSION_REPLACED, 440, text);
	event_status(session, "\"status\":\"replaced\",\"reason\":440,\"tags\":\"conflict_replaced\"");
}

/* Unlinked from outside: the credentials are gone, and a new device can be linked at once. */
static void react_logged_out(struct session *session, const struct wa_close *why)
{
	char members[64];

	session_stop_here(session, SESSION_LOGGED_OUT, why->code, why->reason);
	snprintf(members, sizeof members, "\"status\":\"logged_out\",\"reason\":%d", why->code);
	event_status(session, members);
	log_warn(&session->log, "logged out", LOG_STR("session", session->id), LOG_INT("reason", why->code), LOG_STR("text", why->reason));
	session->running = true;
	session->qr_wanted_until_ms = 0;
	session_retry_in(session, AFTER_LOGOUT_MS);
}

static void react_version(struct session *session, const struct wa_close *why)
{
	if (session->version_retried) {
		session_stop_here(session, SESSION_STOPPED, why->code,
			"WhatsApp refuses this client version (405); set WAREST_WA_VERSION to a current one");
		event_status(session, "\"tags\":\"close\",\"status\":\"stopped\",\"reason\":405");
		log_error(&session->log, "client version refused", LOG_STR("session", session->id));
		return;
	}
	session->version_retried = true;
	session_set_status(session, SESSION_RECONNECTING, why->code, "the client version is too old, asking for a newer one");
	registry_want_version(session);
}

static void react_storage(struct session *session, const struct wa_close *why)
{
	session->drop_client = true;
	transfer_end_all(session);
	log_error(&session->log, "storage failed, connection dropped without acknowledging", LOG_STR("session", session->id));
	retry(session, STORAGE_RETRY_MIN_MS, SESSION_STORAGE_ERROR, why);
}

void session_on_close(struct session *session, const struct wa_close *why)
{
	static void (*const reactions[])(struct session *session, const struct wa_close *why) = {
		[WA_RECONNECT_NOW] = react_now,
		[WA_RECONNECT_BACKOFF] = react_backoff,
		[WA_RECONNECT_SLOW] = react_slow,
		[WA_STOP] = react_stop,
		[WA_STOP_UNTIL] = react_banned,
		[WA_STOP_REPLACED] = react_replaced,
		[WA_STOP_LOGGED_OUT] = react_logged_out,
		[WA_STOP_VERSION] = react_version,
		[WA_STOP_STORAGE] = react_storage,
	};
	size_t reaction = (size_t)why->reaction;

	/* What the server itself said is no fault of the way to it. */
	session_free_slot(session, why->reaction == WA_RECONNECT_BACKOFF && (why->code == TIMED_OUT || why->code == CLOSED) ? DIAL_BAD : DIAL_GOOD, why->reason);
	backoff_closed(&session->backoff, timefmt_monotonic_ms());
	log_info(&session->log, "connection ended", LOG_STR("session", session->id), LOG_INT("code", why->code), LOG_STR("reason", why->reason));
	if (session->wish)
		wish_closed(session);
	else if (!session->running)
		session_set_status(session, session->view.status == SESSION_OPEN ? SESSION_STOPPED : session->view.status, why->code, why->reason);
	else
		reactions[reaction < sizeof reactions / sizeof *reactions && reactions[reaction] ? reaction : WA_RECONNECT_BACKOFF](session, why);
}

/* ---- wishes ---- */

static void forgotten(void *arg, int error)
{
	struct session *session = arg;

	session->busy--;
	if (error)
		log_error(&session->log, "credentials cannot be erased", LOG_STR("session", session->id), LOG_STR("reason", store_error_name(error)));
	if (session->wish == STOP_LOGOUT || error) {
		session->wish = STOP_NONE;
		session_answer_calls(session, error);
	}
	session_released(session);
}

/* Credentials, names and, for a removal, the row itself go in one transaction. */
static void forget(struct session *session)
{
	struct store *store = session->on->daemon->store;
	struct store_tx *tx;

	session_stop_here(session, SESSION_STOPPED, 0, session->wish == STOP_REMOVE ? "deleted" : "logged out by request");
	session->view.registered = false;
	session->view.me_pn = session->view.me_lid = (struct jid){ .server = JID_SERVER_NONE };
	session_view_set_text(&session->view.push_name, NULL);
	session->restored = false;
	registry_view(session);
	event_status(session, "\"tags\":\"close\",\"status\":\"stopped\"");
	tx = store_tx_new(store);
	outbox_fail_all(session, tx, 401, "logged out");
	store_tx_record_clear(tx, session->number, 0);
	store_tx_session_me(tx, session->number, NULL, NULL, NULL, NULL);
	store_tx_session_push_name(tx, session->number, NULL);
	store_tx_session_confirm(tx, session->number);
	if (session->wish == STOP_REMOVE)
		store_tx_session_remove(tx, session->number);
	session->busy++;
	async_commit(session->on->loop, store, tx, forgotten, session);
}

static void wish_closed(struct session *session)
{
	timer_stop(session->on->timers, &session->closing);
	timer_stop(session->on->timers, &session->retry);
	/* A client that goes on relies on what it asked for. */
	if (session->wish != STOP_RECONNECT)
		timer_stop(session->on->timers, &session->wake);
	session_free_slot(session, DIAL_NONE, NULL);
	if (session->wish == STOP_RECONNECT) {
		session->wish = STOP_NONE;
		event_status(session, "\"tags\":\"close\",\"status\":\"stopped\"");
		session_begin(session);
		session_answer_calls(session, 0);
	} else if (session->wish == STOP_SHUTDOWN) {
		session->running = false;
		outbox_answer_all(session);
		session_released(session);
	} else {
		forget(session);
	}
}

static void closing_took_too_long(void *arg)
{
	struct session *session = arg;

	session->drop_client = true;
	session_hang_up(session);
	wish_closed(session);
}

void session_wish(struct session *session, enum stop_wish wish, struct session_call *call)
{
	bool under_way = session->wish != STOP_NONE;
	bool open = session->link && session->client && wa_client_is_open(session->client);

	if (session->gone) {
		registry_answer(session, call);
		return;
	}
	event_creds_flush(session);
	call->next = session->calls;
	session->calls = call;
	if (wish <= session->wish)
		return;
	session->wish = wish;
	session->running = false;
	transfer_end_all(session);
	/* The connection is being closed already: its end leads to the heavier wish. */
	if (under_way && timer_runs(&session->closing))
		return;
	timer_stop(session->on->timers, &session->retry);
	if (!session->link) {
		wish_closed(session);
		return;
	}
	timer_start(session->on->timers, &session->closing, timefmt_monotonic_ms() + (wish == STOP_SHUTDOWN || wish == STOP_RECONNECT ? CLOSING_MS : LOGOUT_MS),
		closing_took_too_long, session);
	if (open && (wish == STOP_LOGOUT || wish == STOP_REMOVE))
		wa_client_logout(session->client);
	else if (session->online)
		wa_client_stop(session->client);
	else
		closing_took_too_long(session);
}

static void free_gone(struct session *session)
{
	struct session_loop *on = session->on;
	struct session_entry *entry = session->entry;

	session_free(session);
	registry_freed(on, entry);
}

void session_let_go(struct session *session)
{
	session->let_go = true;
	session_released(session);
}

void session_released(struct session *session)
{
	if (session->busy > 0)
		return;
	if (session->gone) {
		if (session->let_go)
			free_gone(session);
		return;
	}
	if (session->wish == STOP_REMOVE && !session->link && !timer_runs(&session->closing) && session->view.status == SESSION_STOPPED) {
		session->gone = true;
		session_answer_calls(session, 0);
		registry_removed(session);
	} else if (session->wish == STOP_SHUTDOWN && !session->link) {
		session_answer_calls(session, 0);
	}
}
