/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The steps of a request up to its work, and the answers. */
#include "sessiond/rpc/request.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/mem.h"
#include "common/rpc.h"
#include "sessiond/json_text.h"
#include "sessiond/rpc/access.h"
#include "sessiond/rpc/audit.h"
#include "sessiond/rpc/choice.h"
#include "sessiond/rpc/context.h"
#include "sessiond/rpc/guards.h"
#include "sessiond/rpc/internal.h"
#include "sessiond/rpc/lockout.h"
#include "sessiond/session/session.h"

enum {
	MAX_ACTIVE = 4096,
	JSON_DEPTH = 32,
	/* Presence simulation for many recipients takes its time; nothing may take longer than this. */
	DEADLINE_MS = 15 * 60 * 1000
};

static const struct rpc_method *const method_tables[] = {
	rpc_auth_methods,
	rpc_key_methods,
	rpc_user_methods,
	rpc_audit_methods,
	rpc_server_methods,
	rpc_session_methods,
	rpc_queue_methods,
	rpc_message_methods,
	rpc_status_methods,
	rpc_send_methods,
	rpc_interactive_methods,
	rpc_media_methods,
	rpc_action_methods,
	rpc_fetch_methods,
	rpc_change_methods,
	rpc_shared_methods,
	rpc_history_methods,
	rpc_events_methods,
	rpc_proxy_methods,
	rpc_campaign_methods,
	rpc_metrics_methods,
	rpc_health_methods,
	rpc_run_methods,
	rpc_channel_methods,
	rpc_chats_methods,
	rpc_webhook_methods,
	rpc_hook_methods,
	rpc_misc_methods,
	rpc_profile_methods,
	rpc_privacy_methods,
	rpc_people_methods,
	rpc_contacts_methods,
	rpc_calls_methods,
	rpc_identity_methods,
	rpc_tools_methods,
	rpc_uuid_methods,
	rpc_group_methods,
	rpc_group_setting_methods,
	rpc_group_member_methods,
	rpc_group_join_methods,
	rpc_group_make_methods,
	rpc_group_picture_methods,
	rpc_community_methods,
	rpc_poll_methods,
	rpc_decrypt_methods,
	rpc_storage_methods,
	rpc_ctl_methods,
};

static const struct rpc_method *find_method(const char *name)
{
	for (size_t t = 0; name && t < sizeof method_tables / sizeof *method_tables; t++) {
		for (const struct rpc_method *m = method_tables[t]; m->name; m++) {
			if (strcmp(m->name, name) == 0)
				return m;
		}
	}
	return NULL;
}

bool rpc_method_exists(const char *name)
{
	return find_method(name) != NULL;
}

static void drop_work(struct rpc_request *request)
{
	void *work = request->work;

	request->work = NULL;
	if (work && request->work_free)
		request->work_free(work);
}

static void release(struct rpc_request *request)
{
	struct rpc_context *context = request->context;

	timer_stop(context->daemon->timers, &request->deadline);
	drop_work(request);
	for (size_t i = 0; i < request->nfds; i++)
		if (request->fds[i] >= 0)
			close(request->fds[i]);
	json_object_put(request->json);
	reach_drop(request->caller.reach);
	free(request->session_id);
	free(request->audit_target);
	buf_free(&request->held);
	if (request->held_fd >= 0)
		close(request->held_fd);
	free(request->scope);
	buf_free(&request->headers);
	if (request->internal)
		internal_forget(request->internal);
	free(request);
}

static void free_request(struct rpc_request *request)
{
	struct rpc_context *context = request->context;

	if (request->prev)
		request->prev->next = request->next;
	else
		context->requests = request->next;
	if (request->next)
		request->next->prev = request->prev;
	context->active--;
	release(request);
}

bool rpc_request_is_awaited(const struct rpc_request *request)
{
	return request->conn || request->internal;
}

/* fd (-1: none) is taken over; a call from inside has no use for files. */
static void write_once(struct rpc_request *request, struct buf *json, int fd)
{
	if (request->conn && !request->answered) {
		request->context->write(request->conn, request->id, json, fd);
	} else {
		if (request->internal)
			internal_answer(request->internal, json);
		if (fd >= 0)
			close(fd);
	}
	buf_free(json);
}

/*
 * The end of a request: its answer, with a descriptor that is taken over (-1: none), behind the audit log's entry if it gets one.
 * In any case its work is over: whatever that watches or waits for must not find a second answer while the first is held.
 */
static void end(struct rpc_request *request, int status, struct buf *json, int fd)
{
	if (audit_holds(request, status)) {
		request->held = *json;
		request->held_fd = fd;
		drop_work(request);
		return;
	}
	write_once(request, json, fd);
	free_request(request);
}

void rpc_request_resume(struct rpc_request *request)
{
	struct buf json = request->held;
	int fd = request->held_fd;

	request->held = (struct buf){ 0 };
	request->held_fd = -1;
	write_once(request, &json, fd);
	free_request(request);
}

/* The request stays until its work ends it, but nobody is kept waiting. */
static void too_late(void *arg)
{
	struct rpc_request *request = arg;
	struct buf json = { 0 };

	buf_append_text(&json, "{\"status\":504,\"code\":8002,\"message\":\"Operation timed out\",\"result\":null}");
	write_once(request, &json, -1);
	request->answered = true;
}

void rpc_header(struct rpc_request *request, const char *name, const char *value)
{
	struct buf *h = &request->headers;

	if (h->len)
		buf_u8(h, ',');
	json_put_string(h, name);
	buf_u8(h, ':');
	json_put_string(h, value);
}

void rpc_header_int(struct rpc_request *request, const char *name, int64_t value)
{
	char text[24];

	snprintf(text, sizeof text, "%lld", (long long)value);
	rpc_header(request, name, text);
}

static void put_headers(struct buf *json, const struct rpc_request *request)
{
	if (request->headers.len) {
		buf_append_text(json, ",\"headers\":{");
		buf_append_span(json, buf_span(&request->headers));
		buf_u8(json, '}');
	}
}

void rpc_answer_failed(struct rpc_request *request, int status, int code, const char *message, const char *result_json, const char *failed_json)
{
	struct buf json = { 0 };

	buf_printf(&json, "{\"status\":%d,\"code\":%d,\"message\":", status, code);
	json_put_string(&json, message);
	if (result_json)
		json_put_raw(&json, "result", result_json);
	if (failed_json)
		json_put_raw(&json, "failed", failed_json);
	put_headers(&json, request);
	buf_u8(&json, '}');
	end(request, status, &json, -1);
}

void rpc_answer(struct rpc_request *request, int status, int code, const char *message, const char *result_json)
{
	rpc_answer_failed(request, status, code, message, result_json, NULL);
}

void rpc_answer_bare(struct rpc_request *request, int status, const char *bare_json, const char *cookie)
{
	struct buf json = { 0 };

	buf_printf(&json, "{\"status\":%d", status);
	if (bare_json)
		json_put_raw(&json, "bare", bare_json);
	if (cookie)
		json_put_member(&json, "cookie", cookie);
	put_headers(&json, request);
	buf_u8(&json, '}');
	end(request, status, &json, -1);
}

void rpc_answer_file(struct rpc_request *request, int status, const char *type, int64_t length, int fd)
{
	struct buf json = { 0 };

	buf_printf(&json, "{\"status\":%d,\"file\":{", status);
	json_put_member(&json, "type", type);
	json_put_int(&json, "length", length);
	buf_u8(&json, '}');
	put_headers(&json, request);
	buf_u8(&json, '}');
	end(request, status, &json, fd);
}

void rpc_answer_result_file(struct rpc_request *request, const char *message, size_t length, int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	struct buf json = { 0 };

	if (copy < 0) {
		rpc_answer(request, 503, 8001, "Service temporarily unavailable", NULL);
		return;
	}
	buf_append_text(&json, "{\"status\":200,\"code\":1000");
	json_put_member(&json, "message", message);
	buf_append_text(&json, ",\"result_file\":{");
	json_put_int(&json, "length", (int64_t)length);
	buf_u8(&json, '}');
	put_headers(&json, request);
	buf_u8(&json, '}');
	end(request, 200, &json, copy);
}

void rpc_answer_error(struct rpc_request *request, int status, const char *text)
{
	struct buf bare = { 0 };

	buf_append_text(&bare, "{\"error\":");
	json_put_string(&bare, text);
	buf_u8(&bare, '}');
	rpc_answer_bare(request, status, buf_text(&bare), NULL);
	buf_free(&bare);
}

void rpc_answer_text(struct rpc_request *request, const struct buf *stored)
{
	struct buf json = { 0 };

	buf_reserve(&json, stored->len + request->headers.len + 32);
	/* headers of this request go before the stored answer's last brace */
	buf_append(&json, stored->data, stored->len - 1);
	put_headers(&json, request);
	buf_u8(&json, '}');
	end(request, 200, &json, -1);
}

const char *rpc_param_text(const struct rpc_request *request, const char *name)
{
	struct json_object *value = json_object_object_get(request->p, name);

	return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;
}

bool rpc_param_bool(const struct rpc_request *request, const char *name)
{
	struct json_object *value = json_object_object_get(request->p, name);

	return json_object_is_type(value, json_type_boolean) && json_object_get_boolean(value);
}

/* Between the choice and now the session may have been deleted, and its id be somebody else's. */
static bool is_the_chosen(const struct rpc_request *request, const struct session_entry *entry)
{
	if (request->session_number)
		return entry->number == request->session_number;
	return !request->caller.registry[0] || strcmp(entry->registry, request->caller.registry) == 0;
}

bool rpc_may_see(const struct rpc_request *request, const struct session_entry *entry)
{
	return strcmp(entry->registry, request->caller.registry) == 0 && reach_has_session(request->caller.reach, entry->id);
}

struct session_entry *rpc_session(struct rpc_request *request)
{
	struct session_entry *entry = sessions_find(request->context->daemon->sessions, request->session_id);

	if (entry && !is_the_chosen(request, entry))
		entry = NULL;
	if (!entry)
		rpc_answer(request, 404, 1101, "Session not found", NULL);
	return entry;
}

static void window_headers(struct rpc_request *request, const char *family, const struct guard_window *w)
{
	static const char *const parts[] = { "Limit", "Remaining", "Reset" };
	const int64_t values[] = { w->limit, w->remaining, w->reset_epoch_s };

	for (int i = 0; w->counted && i < 3; i++) {
		char name[48];

		snprintf(name, sizeof name, "X-%s-%s", family, parts[i]);
		rpc_header_int(request, name, values[i]);
	}
}

static void refuse_cooldown(struct rpc_request *request, int64_t wait_s)
{
	char bare[96];

	rpc_header_int(request, "Retry-After", wait_s);
	snprintf(bare, sizeof bare, "{\"error\":\"Recipient cooldown\",\"retryAfter\":%lld}", (long long)wait_s);
	rpc_answer_bare(request, 429, bare, NULL);
}

/* False: the request was refused and answered. */
static bool pass_guards(struct rpc_request *request)
{
	struct guards *guards = request->context->guards;
	struct json_object *wanted = json_object_object_get(request->json, "guards");
	struct json_object *to = json_object_object_get(wanted, "cooldown");
	const int64_t *key = &request->caller.key;
	int64_t mono_ms = timefmt_monotonic_ms();
	struct guard_window w;
	int64_t wait_s;

	if (json_object_get_boolean(json_object_object_get(wanted, "rate"))) {
		w = guards_rate(guards, key, sizeof *key, mono_ms, timefmt_now_ms());
		window_headers(request, "RateLimit", &w);
		if (w.refused) {
			rpc_answer_error(request, 429, "Too many requests");
			return false;
		}
	}
	if (json_object_is_type(to, json_type_string)) {
		wait_s = guards_cooldown(guards, key, sizeof *key, json_object_get_string(to), (size_t)json_object_get_string_len(to), mono_ms);
		if (wait_s > 0) {
			refuse_cooldown(request, wait_s);
			return false;
		}
	}
	if (json_object_get_boolean(json_object_object_get(wanted, "quota"))) {
		w = guards_quota(guards, key, sizeof *key, mono_ms, timefmt_now_ms());
		window_headers(request, "Quota", &w);
		if (w.refused) {
			rpc_answer_error(request, 429, "Quota exceeded");
			return false;
		}
	}
	return true;
}

static void check_key(struct rpc_request *request)
{
	const char *wanted = json_object_get_string(json_object_object_get(request->json, "auth"));
	bool is_ctl = strncmp(request->method->name, "ctl.", 4) == 0;

	if (is_ctl && !request->operator)
		rpc_answer_error(request, 403, "Only root and the daemon's own user may use this");
	else if (is_ctl || (wanted && strcmp(wanted, "none") == 0))
		request->method->work(request);
	else if (!wanted || (strcmp(wanted, "key") != 0 && strcmp(wanted, "admin") != 0 && strcmp(wanted, "docs") != 0))
		rpc_answer_error(request, 500, "Malformed request frame");
	else if (access_granted(request) && pass_guards(request) && choose_session(request))
		request->method->work(request);
}

static struct json_object *parse(struct span payload)
{
	struct json_tokener *tokener = json_tokener_new_ex(JSON_DEPTH);
	struct json_object *json = tokener ? json_tokener_parse_ex(tokener, (const char *)payload.p, (int)payload.n) : NULL;

	json_tokener_free(tokener);
	if (!json_object_is_type(json, json_type_object)) {
		json_object_put(json);
		return NULL;
	}
	return json;
}

static void answer_at_once(struct rpc_context *context, struct rpc_conn *conn, uint32_t id, const char *text)
{
	struct buf json = { 0 };

	buf_append_text(&json, text);
	context->write(conn, id, &json, -1);
	buf_free(&json);
}

static void admit(struct rpc_request *request)
{
	struct rpc_context *context = request->context;

	request->held_fd = -1;
	request->next = context->requests;
	if (request->next)
		request->next->prev = request;
	context->requests = request;
	context->active++;
	timer_start(context->daemon->timers, &request->deadline, timefmt_monotonic_ms() + DEADLINE_MS, too_late, request);
}

void rpc_request_take(struct rpc_context *context, struct rpc_conn *conn, bool operator, struct rpc_frame *frame)
{
	uint32_t id = frame->id;
	struct rpc_request *request;

	context->daemon->metrics.rpc_requests++;
	if (context->draining || context->active >= MAX_ACTIVE) {
		answer_at_once(context, conn, id,
			"{\"status\":503,\"code\":8001,\"message\":\"Service temporarily unavailable\",\"result\":null,\"headers\":{\"Retry-After\":\"2\"}}");
		return;
	}
	request = xcalloc(1, sizeof *request);
	request->json = parse(frame->payload);
	request->method = find_method(json_object_get_string(json_object_object_get(request->json, "m")));
	if (!request->json || !request->method) {
		answer_at_once(context, conn, id,
			request->json ? "{\"status\":501,\"code\":8005,\"message\":\"Not implemented\",\"result\":null}" : "{\"status\":500,\"bare\":{\"error\":\"Malformed request frame\"}}");
		json_object_put(request->json);
		free(request);
		return;
	}
	request->context = context;
	request->conn = conn;
	request->id = id;
	request->operator = operator;
	for (; request->nfds < frame->nfds; request->nfds++) {
		request->fds[request->nfds] = frame->fds[request->nfds];
		frame->fds[request->nfds] = -1;
	}
	request->p = json_object_object_get(request->json, "p");
	if (!json_object_is_type(request->p, json_type_object)) {
		request->p = json_object_new_object();
		json_object_object_add(request->json, "p", request->p);
	}
	admit(request);
	request->audit = audit_rule_of(request->method->name);
	check_key(request);
}

void rpc_request_run(struct rpc_request *request, int64_t session)
{
	struct rpc_context *context = request->context;
	struct session_entry *entry = sessions_find(context->daemon->sessions,
		json_object_get_string(json_object_object_get(json_object_object_get(request->json, "session"), "id")));

	request->method = find_method(json_object_get_string(json_object_object_get(request->json, "m")));
	admit(request);
	if (context->draining || context->active > MAX_ACTIVE)
		rpc_answer(request, 503, 8001, "Service temporarily unavailable", NULL);
	else if (!request->method)
		rpc_answer(request, 501, 8005, "Not implemented", NULL);
	else if (!entry || entry->number != session)
		rpc_answer(request, 404, 1101, "Session not found", NULL);
	else if (choose_session(request) && pass_guards(request))
		request->method->work(request);
}

static void leave(struct rpc_request *request)
{
	request->conn = NULL;
	if (request->gone)
		request->gone(request);
}

void rpc_request_orphan(struct rpc_context *context, const struct rpc_conn *conn)
{
	struct rpc_request *next;

	for (struct rpc_request *r = context->requests; r; r = next) {
		next = r->next;
		if (r->conn == conn)
			leave(r);
	}
}

void rpc_request_cancel(struct rpc_context *context, const struct rpc_conn *conn, uint32_t id)
{
	struct rpc_request *next;

	for (struct rpc_request *r = context->requests; r; r = next) {
		next = r->next;
		if (r->conn == conn && r->id == id)
			leave(r);
	}
}

int rpc_offload(struct rpc_context *context, void (*work)(void *arg), void (*done)(void *arg), void *arg)
{
	return loop_tasks_offload(&context->tasks, work, done, arg);
}

void rpc_request_drop_all(struct rpc_context *context)
{
	struct rpc_request *next;

	context->dropping = true;
	for (struct rpc_request *request = context->requests; request; request = next) {
		next = request->next;
		release(request);
	}
	context->requests = NULL;
}
