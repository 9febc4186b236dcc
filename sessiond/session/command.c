/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the main loop asks a session for. Every call is handed back answered. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sessiond/async.h"
#include "sessiond/daemon.h"
#include "sessiond/session/assertion.h"
#include "sessiond/session/object.h"
#include "sessiond/session/registry.h"

enum { QR_WANTED_MS = 10 * 60 * 1000 };

void session_cmd_start(struct session *session, struct session_call *call)
{
	if (!session->running && !session->wish)
		session_begin(session);
	registry_answer(session, call);
}

void session_cmd_reconnect(struct session *session, struct session_call *call)
{
	session_wish(session, STOP_RECONNECT, call);
}

void session_cmd_logout(struct session *session, struct session_call *call)
{
	session_wish(session, STOP_LOGOUT, call);
}

void session_cmd_remove(struct session *session, struct session_call *call)
{
	session_wish(session, STOP_REMOVE, call);
}

void session_cmd_shutdown(struct session *session, struct session_call *call)
{
	session_wish(session, STOP_SHUTDOWN, call);
}

void session_cmd_want_qr(struct session *session, struct session_call *call)
{
	session->qr_wanted_until_ms = timefmt_monotonic_ms() + QR_WANTED_MS;
	if (!session->running && !session->wish)
		session_begin(session);
	registry_answer(session, call);
}

void session_cmd_pair_code(struct session *session, struct session_call *call)
{
	struct session_view *view = &session->view;
	bool ready = view->qr != NULL;

	session->qr_wanted_until_ms = timefmt_monotonic_ms() + QR_WANTED_MS;
	snprintf(view->pair_phone, sizeof view->pair_phone, "%s", call->text);
	view->pair_code[0] = view->pair_error[0] = '\0';
	if (!session->running && !session->wish)
		session_begin(session);
	else if (ready && session->online)
		wa_client_pair_code(session->client, view->pair_phone, NULL);
	registry_view(session);
	registry_answer(session, call);
}

void session_cmd_passkey_response(struct session *session, struct session_call *call)
{
	bool right = session->client && session->online && session->view.passkey == PASSKEY_REQUESTED;
	struct buf credential_id = { 0 }, assertion = { 0 };

	call->result = -1;
	if (right && assertion_read(call->text, &credential_id, &assertion) == 0)
		call->result = wa_client_passkey_response(session->client, buf_span(&credential_id), buf_text(&assertion));
	buf_wipe(&credential_id);
	buf_wipe(&assertion);
	if (call->result == 0) {
		session->view.passkey = PASSKEY_ANSWERED;
		registry_view(session);
	}
	registry_answer(session, call);
}

void session_cmd_passkey_confirm(struct session *session, struct session_call *call)
{
	bool right = session->client && session->online && session->view.passkey == PASSKEY_CODE;

	call->result = right ? wa_client_passkey_confirm(session->client) : -1;
	registry_answer(session, call);
}

void session_cmd_version(struct session *session, struct session_call *call)
{
	if (session->running && !session->wish && !call->text) {
		session_want_slot(session);
	} else if (session->running && !session->wish) {
		session_stop_here(session, SESSION_STOPPED, 405, call->text);
		event_status(session, "\"tags\":\"close\",\"status\":\"stopped\",\"reason\":405");
	}
	registry_answer(session, call);
}

static void confirmed(void *arg, int error)
{
	struct session_call *call = arg;
	struct session *session = call->session;

	if (!error)
		session->restored = false;
	if (!error && !session->running && !session->wish)
		session_begin(session);
	call->result = error;
	registry_answer(session, call);
	session->busy--;
	session_released(session);
}

void session_cmd_confirm(struct session *session, struct session_call *call)
{
	struct store_tx *tx = store_tx_new(session->on->daemon->store);

	store_tx_session_confirm(tx, session->number);
	session->busy++;
	async_commit(session->on->loop, session->on->daemon->store, tx, confirmed, call);
}

/* call->text: "chat author played id", author "-" where there is none. */
void session_cmd_mark_read(struct session *session, struct session_call *call)
{
	char *rest = call->text, *chat_text = strsep(&rest, " "), *author_text = strsep(&rest, " "), *played = strsep(&rest, " ");
	const char *id = rest;
	struct jid chat, author;
	bool has_author = strcmp(author_text, "-") != 0;

	call->result = -1;
	if (session->client && session->view.status == SESSION_OPEN && !session->wish && !jid_parse_text(&chat, chat_text) &&
		(!has_author || !jid_parse_text(&author, author_text))) {
		wa_client_mark_read(session->client, &chat, has_author ? &author : NULL, &id, 1, strcmp(played, "1") == 0);
		call->result = 0;
	}
	registry_answer(session, call);
}
