/* SPDX-License-Identifier: GPL-3.0-or-later */
/* session.*: create, pair_code, logout, reconnect, devices, list, delete, passkey.* (rest-a 5). config is in rpc_webhook.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/json_text.h"
#include "sessiond/rpc/request.h"
#include "sessiond/session/qrpng.h"
#include "sessiond/session/session.h"

enum {
	NEW_WAIT_MS = 2500,
	KNOWN_WAIT_MS = 1500,
	CODE_WAIT_MS = 3500,
	PASSKEY_WAIT_MS = 10000,
	CODE_LIFE_MS = 65000,
	QR_PX = 300
};

/* A request that waits for something to show up in a session's view. */
struct waiting {
	struct rpc_request *request;
	struct session_watch watch;
	struct timer timer;
	bool fresh; /* the session was made by this request */
	/* True when the view has it: then the answer was given. over: the time is up, so any answer is due. */
	bool (*look)(struct waiting *w, struct session_entry *entry, bool over);
};

static void waiting_free(void *arg)
{
	struct waiting *w = arg;

	sessions_unwatch(&w->watch);
	timer_stop(w->request->context->daemon->timers, &w->timer);
	free(w);
}

static void session_gone(struct rpc_request *request)
{
	rpc_answer(request, 404, 1101, "Session not found", NULL);
}

static void view_changed(void *arg, struct session_entry *entry)
{
	struct waiting *w = arg;

	if (!entry)
		session_gone(w->request);
	else
		w->look(w, entry, false);
}

static void time_is_up(void *arg)
{
	struct waiting *w = arg;
	struct session_entry *entry = rpc_session(w->request);

	if (entry)
		w->look(w, entry, true);
}

static struct waiting *waiting_new(struct rpc_request *request, bool (*look)(struct waiting *w, struct session_entry *entry, bool over))
{
	struct waiting *w = xcalloc(1, sizeof *w);

	w->request = request;
	w->look = look;
	request->work = w;
	request->work_free = waiting_free;
	return w;
}

static void wait_for(struct waiting *w, struct session_entry *entry, int64_t wait_ms)
{
	if (w->look(w, entry, false))
		return;
	sessions_watch(entry, &w->watch, view_changed, w);
	timer_start(w->request->context->daemon->timers, &w->timer, timefmt_monotonic_ms() + wait_ms, time_is_up, w);
}

static void answer_buf(struct rpc_request *request, int status, int code, const char *message, struct buf *result)
{
	rpc_answer(request, status, code, message, buf_text(result));
	buf_free(result);
}

/* ---- create ---- */

static void put_qr(struct buf *out, const struct session_view *view, bool always)
{
	char *png = view->qr ? qr_png_data_uri(view->qr, QR_PX) : NULL;

	if (view->qr || always) {
		json_put_member(out, "qrString", view->qr);
		json_put_member(out, "qr", png);
		json_put_int(out, "qrDuration", view->qr_seconds > 0 ? view->qr_seconds : 20);
	}
	free(png);
}

static bool look_for_qr(struct waiting *w, struct session_entry *entry, bool over)
{
	const struct session_view *view = &entry->view;
	bool open = view->status == SESSION_OPEN;
	struct buf result = { 0 };

	if (!open && !view->qr && !over)
		return false;
	buf_u8(&result, '{');
	json_put_member(&result, "registryUser", entry->registry);
	json_put_member(&result, "sessionId", entry->id);
	if (!w->fresh)
		json_put_time(&result, "createdAt", entry->created_ms);
	put_qr(&result, view, w->fresh);
	json_put_member(&result, "webhookUrl", entry->webhook_url);
	json_put_member(&result, "webhookSecret", entry->webhook_secret);
	buf_u8(&result, '}');
	if (open)
		answer_buf(w->request, 200, 1104, "Session already open", &result);
	else if (view->qr)
		answer_buf(w->request, 202, 1107, "Scan the QR to continue", &result);
	else
		answer_buf(w->request, 200, 1000, w->fresh ? "Session created" : "Session exists", &result);
	return true;
}

static void answer_store_error(struct rpc_request *request, int error)
{
	if (error == STORE_CONSTRAINT)
		rpc_answer(request, 500, 8000, "Session is being deleted, try again", NULL);
	else
		rpc_answer(request, 500, 8000, "Internal error", NULL);
}

/* The session that was to be made, by this request or by another one at the same time. NULL: the request was answered. */
static struct session_entry *made(struct waiting *w, int error)
{
	struct rpc_request *request = w->request;
	const struct session_entry *entry = sessions_find(request->context->daemon->sessions, request->session_id);

	if (error == STORE_CONSTRAINT && entry && strcmp(entry->registry, request->caller.registry) == 0) {
		w->fresh = false;
	} else if (error) {
		answer_store_error(request, error);
		return NULL;
	}
	return rpc_session(request);
}

static void created(void *arg, int error)
{
	struct waiting *w = arg;
	struct session_entry *entry = made(w, error);

	if (entry)
		wait_for(w, entry, NEW_WAIT_MS);
}

static void do_create(struct rpc_request *request)
{
	struct sessions *sessions = request->context->daemon->sessions;
	struct session_entry *entry = sessions_find(sessions, request->session_id);
	struct waiting *w = waiting_new(request, look_for_qr);

	w->fresh = entry == NULL;
	if (!entry) {
		sessions_create(sessions, request->caller.registry, request->session_id, created, w);
		return;
	}
	if (entry->view.status != SESSION_OPEN)
		sessions_want_qr(sessions, entry);
	wait_for(w, entry, KNOWN_WAIT_MS);
}

/* ---- pairing code ---- */

static void put_pair_code(struct buf *out, const char *code)
{
	char text[24] = "";
	size_t len = strlen(code);
	size_t at = 0;

	for (size_t i = 0; i < len && at + 2 < sizeof text; i++) {
		if (i > 0 && i % 4 == 0)
			text[at++] = '-';
		text[at++] = code[i];
	}
	text[at] = '\0';
	json_put_member(out, "pairCode", text);
}

static bool code_is_fresh(const struct session_view *view, const char *phone)
{
	return view->pair_code[0] && strcmp(view->pair_phone, phone) == 0 && timefmt_now_ms() - view->pair_code_at_ms < CODE_LIFE_MS;
}

static bool look_for_code(struct waiting *w, struct session_entry *entry, bool over)
{
	const struct session_view *view = &entry->view;
	const char *phone = rpc_param_text(w->request, "phone");
	bool fresh = code_is_fresh(view, phone);
	bool open = view->status == SESSION_OPEN;
	struct buf result = { 0 };

	if (view->pair_error[0] && strcmp(view->pair_phone, phone) == 0 && !open && !fresh) {
		rpc_answer(w->request, 500, 8000, view->pair_error, NULL);
		return true;
	}
	if (!open && !fresh && !over)
		return false;
	buf_u8(&result, '{');
	json_put_member(&result, "registryUser", entry->registry);
	json_put_member(&result, "sessionId", entry->id);
	if (open)
		json_put_member(&result, "status", "open");
	else
		put_pair_code(&result, fresh ? view->pair_code : "");
	buf_u8(&result, '}');
	if (open)
		answer_buf(w->request, 200, 1104, "Session already open", &result);
	else if (fresh)
		answer_buf(w->request, 200, 1000, "Pair code generated", &result);
	else
		answer_buf(w->request, 202, 1110, "Pair code pending", &result);
	return true;
}

static void ask_for_code(struct waiting *w, struct session_entry *entry)
{
	struct sessions *sessions = w->request->context->daemon->sessions;
	const char *phone = rpc_param_text(w->request, "phone");

	/* An error of an earlier try must not be taken for the answer to this one. */
	entry->view.pair_error[0] = '\0';
	if (entry->view.status != SESSION_OPEN && !code_is_fresh(&entry->view, phone))
		sessions_pair_code(sessions, entry, phone);
	wait_for(w, entry, CODE_WAIT_MS);
}

static void created_for_code(void *arg, int error)
{
	struct waiting *w = arg;
	struct session_entry *entry = made(w, error);

	if (entry)
		ask_for_code(w, entry);
}

static void do_pair_code(struct rpc_request *request)
{
	struct sessions *sessions = request->context->daemon->sessions;
	struct session_entry *entry = sessions_find(sessions, request->session_id);
	const char *phone = rpc_param_text(request, "phone");
	struct waiting *w = waiting_new(request, look_for_code);

	if (!phone || !phone[0])
		rpc_answer(request, 400, 2001, "phone is required", NULL);
	else if (!entry)
		sessions_create(sessions, request->caller.registry, request->session_id, created_for_code, w);
	else
		ask_for_code(w, entry);
}

/* ---- logout, reconnect, delete ---- */

static void logged_out(void *arg, int error)
{
	struct rpc_request *request = arg;
	struct buf result = { 0 };

	if (error) {
		rpc_answer(request, 500, 8000, "Credentials could not be erased, try again", NULL);
		return;
	}
	buf_u8(&result, '{');
	json_put_member(&result, "sessionId", request->session_id);
	buf_append_text(&result, ",\"steps\":{\"runtime\":true,\"creds\":true}}");
	answer_buf(request, 200, 1000, "Logout success", &result);
}

static void do_logout(struct rpc_request *request)
{
	struct session_entry *entry = rpc_session(request);

	if (entry)
		sessions_logout(request->context->daemon->sessions, entry, logged_out, request);
}

static void deleted(void *arg, int error)
{
	struct rpc_request *request = arg;
	struct buf result = { 0 };

	if (error) {
		rpc_answer(request, 500, 8000, "Session could not be deleted, try again", NULL);
		return;
	}
	buf_u8(&result, '{');
	json_put_member(&result, "sessionId", request->session_id);
	buf_append_text(&result, ",\"steps\":{\"runtime\":true,\"creds\":true,\"meta\":true}}");
	answer_buf(request, 200, 1000, "Session deleted", &result);
}

static void do_delete(struct rpc_request *request)
{
	struct session_entry *entry = rpc_session(request);

	if (entry)
		sessions_delete(request->context->daemon->sessions, entry, deleted, request);
}

static void reconnecting(void *arg, int error)
{
	(void)error;
	rpc_answer(arg, 202, 1109, "Reconnect scheduled", NULL);
}

static void do_reconnect(struct rpc_request *request)
{
	struct session_entry *entry = rpc_session(request);

	if (entry)
		sessions_reconnect(request->context->daemon->sessions, entry, reconnecting, request);
}

/* ---- looking ---- */

static void do_devices(struct rpc_request *request)
{
	struct session_entry *entry = rpc_session(request);
	struct buf result = { 0 };

	if (!entry)
		return;
	buf_u8(&result, '{');
	json_put_member(&result, "name", entry->view.push_name);
	json_put_member(&result, "phone", entry->view.registered ? entry->view.me_pn.user : NULL);
	json_put_member(&result, "device", "WARest");
	buf_u8(&result, '}');
	answer_buf(request, 200, 1000, "Device info", &result);
}

struct limited_list {
	const struct rpc_request *request;
	struct buf json;
};

static void put_if_seen(struct session_entry *entry, void *arg)
{
	struct limited_list *list = arg;

	if (!rpc_may_see(list->request, entry))
		return;
	buf_append_text(&list->json, list->json.data[list->json.len - 1] == '[' ? "{" : ",{");
	session_view_put_item(&list->json, entry->id, &entry->view);
	buf_u8(&list->json, '}');
}

/* For a key that is good for some sessions only: made for it alone. */
static void list_some(struct rpc_request *request)
{
	struct limited_list list = { .request = request };

	buf_append_text(&list.json, "{\"items\":[");
	sessions_each(request->context->daemon->sessions, put_if_seen, &list);
	buf_append_text(&list.json, "]}");
	answer_buf(request, 200, 1000, "OK", &list.json);
}

static void do_list(struct rpc_request *request)
{
	struct sessions *sessions = request->context->daemon->sessions;
	const struct buf *list;
	struct buf answer = { 0 };
	size_t length;
	int file;

	if (request->caller.reach && request->caller.reach->nsessions > 0) {
		list_some(request);
		return;
	}
	file = sessions_list_file(sessions, request->caller.registry, &length);
	if (file >= 0) {
		rpc_answer_result_file(request, "OK", length, file);
		return;
	}
	list = sessions_list_json(sessions, request->caller.registry);
	buf_reserve(&answer, list->len + 128);
	buf_append_text(&answer, "{\"status\":200,\"code\":1000,\"message\":\"OK\",\"result\":");
	buf_append_span(&answer, buf_span(list));
	buf_u8(&answer, '}');
	rpc_answer_text(request, &answer);
	buf_free(&answer);
}

/* ---- passkey ---- */

static const char *passkey_status(const struct session_view *view)
{
	return view->passkey == PASSKEY_REQUESTED ? "awaiting_response" : view->passkey == PASSKEY_NONE ? "none" : "awaiting_confirmation";
}

static void put_passkey(struct buf *result, const struct session_entry *entry, bool challenge)
{
	const struct session_view *view = &entry->view;

	buf_u8(result, '{');
	json_put_member(result, "sessionId", entry->id);
	json_put_member(result, "status", passkey_status(view));
	if (challenge && view->passkey_options)
		json_put_raw(result, "challenge", view->passkey_options);
	if (view->passkey_code[0])
		json_put_member(result, "code", view->passkey_code);
	buf_u8(result, '}');
}

static void do_passkey_get(struct rpc_request *request)
{
	struct session_entry *entry = rpc_session(request);
	struct buf result = { 0 };

	if (!entry)
		return;
	put_passkey(&result, entry, true);
	answer_buf(request, 200, 1000, "Passkey state", &result);
}

static void nothing_pending(struct rpc_request *request)
{
	rpc_answer(request, 409, 2003, "No passkey request is pending", NULL);
}

/* The code comes from the phone's answer a moment later; without it the caller asks again with get. */
static bool look_for_passkey_code(struct waiting *w, struct session_entry *entry, bool over)
{
	struct buf result = { 0 };

	if (entry->view.passkey != PASSKEY_CODE && entry->view.status != SESSION_OPEN && !over)
		return false;
	put_passkey(&result, entry, false);
	answer_buf(w->request, 200, 1000, "Passkey response sent", &result);
	return true;
}

static void passkey_answered(void *arg, int error)
{
	struct rpc_request *request = arg;
	struct session_entry *entry;

	if (error) {
		nothing_pending(request);
		return;
	}
	entry = rpc_session(request);
	if (entry)
		wait_for(waiting_new(request, look_for_passkey_code), entry, PASSKEY_WAIT_MS);
}

static void do_passkey_response(struct rpc_request *request)
{
	struct session_entry *entry = rpc_session(request);
	struct json_object *credential = json_object_object_get(request->p, "credential");

	if (!entry)
		return;
	if (!json_object_is_type(credential, json_type_object))
		rpc_answer(request, 400, 2001, "credential is required", NULL);
	else
		sessions_passkey_response(request->context->daemon->sessions, entry,
			json_object_to_json_string_ext(credential, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE), passkey_answered, request);
}

static void passkey_confirmed(void *arg, int error)
{
	struct rpc_request *request = arg;
	struct session_entry *entry;
	struct buf result = { 0 };

	if (error) {
		nothing_pending(request);
		return;
	}
	entry = rpc_session(request);
	if (!entry)
		return;
	put_passkey(&result, entry, false);
	answer_buf(request, 200, 1000, "Passkey pairing confirmed", &result);
}

static void do_passkey_confirm(struct rpc_request *request)
{
	struct session_entry *entry = rpc_session(request);

	if (entry)
		sessions_passkey_confirm(request->context->daemon->sessions, entry, passkey_confirmed, request);
}

const struct rpc_method rpc_session_methods[] = {
	{ "session.create", do_create },
	{ "session.pair_code", do_pair_code },
	{ "session.logout", do_logout },
	{ "session.reconnect", do_reconnect },
	{ "session.devices", do_devices },
	{ "session.list", do_list },
	{ "session.delete", do_delete },
	{ "session.passkey.get", do_passkey_get },
	{ "session.passkey.response", do_passkey_response },
	{ "session.passkey.confirm", do_passkey_confirm },
	{ NULL, NULL },
};
