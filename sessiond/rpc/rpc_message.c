/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * messages.send.text and messages.status (rest-a 7.1, 1.15, D9, D30).
 *
 *     parameters --> [ idempotency: stored answer? running? ] --> job --> session --> job done --> answer [ stored ]
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/recipient.h"
#include "common/text.h"
#include "sessiond/async.h"
#include "sessiond/crypto/crypto.h"
#include "sessiond/json_text.h"
#include "sessiond/rpc/idempotency.h"
#include "sessiond/rpc/request.h"
#include "sessiond/session/session.h"

/* ---- answers ---- */

static void put_mentions(struct buf *out, const struct send_job *job)
{
	char text[JID_TEXT_MAX];

	if (!job->nmentions)
		return;
	json_put_name(out, "mentions");
	for (size_t i = 0; i < job->nmentions; i++) {
		buf_u8(out, i ? ',' : '[');
		json_put_string(out, jid_format(&job->mentions[i], text, sizeof text));
	}
	buf_u8(out, ']');
}

static void put_entry(struct buf *out, const struct send_job *job, const struct send_result *result)
{
	struct jid to = jid_bare(&result->to);
	char text[JID_TEXT_MAX];

	if (out->len > 1)
		buf_u8(out, ',');
	buf_u8(out, '{');
	json_put_member(out, "phone", job->own.user);
	json_put_member(out, "to", to.user);
	json_put_member(out, "toJid", jid_format(&to, text, sizeof text));
	json_put_member(out, "messageId", result->failed ? NULL : result->id);
	json_put_member(out, "status", result->failed ? "text failed" : "text success");
	json_put_int(out, "timestamp", result->time_ms / 1000);
	buf_append_text(out, ",\"advancedInfo\":{");
	json_put_bool(out, "isForwarded", job->forwarded);
	json_put_member(out, "quotedMessageId", job->quoted_id);
	put_mentions(out, job);
	if (result->failed) {
		json_put_member(out, "error", result->error[0] ? result->error : "refused by WhatsApp");
		if (result->code)
			json_put_int(out, "code", result->code);
	}
	buf_append_text(out, "}}");
}

static void put_answer(struct buf *out, int status, int code, const char *message, const struct buf *result, const struct buf *failed)
{
	buf_printf(out, "{\"status\":%d,\"code\":%d,\"message\":", status, code);
	json_put_string(out, message);
	if (result) {
		buf_append_text(out, ",\"result\":");
		buf_append_span(out, buf_span(result));
	}
	if (failed) {
		buf_append_text(out, ",\"failed\":");
		buf_append_span(out, buf_span(failed));
	}
	buf_u8(out, '}');
}

/* D9. Returns the HTTP status. */
static int make_answer(struct buf *out, const struct send_job *job)
{
	struct buf good = { 0 };
	struct buf bad = { 0 };
	size_t failed = 0;
	char message[64] = "Text message sent";
	int status = 200;

	buf_u8(&good, '[');
	buf_u8(&bad, '[');
	for (size_t i = 0; i < job->n; i++) {
		put_entry(job->results[i].failed ? &bad : &good, job, &job->results[i]);
		failed += job->results[i].failed ? 1 : 0;
	}
	buf_u8(&good, ']');
	buf_u8(&bad, ']');
	if (job->n > 1)
		snprintf(message, sizeof message, "Text message sent (%zu recipients)", job->n - failed);
	if (failed == 0) {
		put_answer(out, status, 1000, message, &good, NULL);
	} else if (job->n == 1) {
		put_answer(out, status = 500, 8000, "Internal server error", NULL, NULL);
	} else if (failed < job->n) {
		put_answer(out, status = 207, 1004, message, &good, &bad);
	} else {
		put_answer(out, status = 502, 3002, "Failed to send text to all recipients", &bad, NULL);
	}
	buf_free(&good);
	buf_free(&bad);
	return status;
}

/* ---- sending ---- */

static void job_done(struct send_job *job)
{
	struct rpc_request *request = job->arg;
	struct buf answer = { 0 };
	int status;

	if (job->state == SEND_DONE) {
		status = make_answer(&answer, job);
	} else if (job->state == SEND_SESSION_GONE) {
		put_answer(&answer, status = 404, 1101, "Session not found", NULL, NULL);
	} else {
		put_answer(&answer, status = 500, 8000, "Internal server error", NULL, NULL);
	}
	for (size_t i = 0; i < job->n && job->state == SEND_DONE; i++) {
		if (job->results[i].failed)
			log_warn(&request->context->log, "message refused", LOG_STR("session", request->session_id), LOG_STR("message", job->results[i].id),
				LOG_INT("code", job->results[i].code), LOG_STR("reason", job->results[i].error));
	}
	idempotency_answer(request, status, &answer, job->state == SEND_DONE);
	buf_free(&answer);
	send_job_free(job);
}

static void put_mentioned(struct send_job *job, const struct buf *text)
{
	struct recipient_list list;

	recipient_list_init(&list);
	text_mentions((const char *)text->data, text->len, &list);
	job->nmentions = list.count;
	job->mentions = xmemdup(list.items, list.count * sizeof *list.items);
	recipient_list_free(&list);
}

static enum presence_target presence_of(const struct rpc_request *request)
{
	static const char *const names[] = {
		[PRESENCE_COMPOSING] = "composing", [PRESENCE_RECORDING] = "recording", [PRESENCE_PAUSED] = "paused",
		[PRESENCE_AVAILABLE] = "available", [PRESENCE_UNAVAILABLE] = "unavailable",
	};
	struct json_object *presence = json_object_object_get(request->p, "presence");
	const char *state = json_object_get_string(json_object_object_get(presence, "state"));

	for (size_t i = PRESENCE_COMPOSING; state && i < sizeof names / sizeof *names; i++) {
		if (strcmp(names[i], state) == 0)
			return (enum presence_target)i;
	}
	return PRESENCE_OFF;
}

/* NULL: the request was answered. */
static struct send_job *make_job(struct rpc_request *request)
{
	struct json_object *to = json_object_object_get(request->p, "to");
	size_t n = json_object_is_type(to, json_type_array) ? json_object_array_length(to) : 0;
	const char *message = rpc_param_text(request, "message");
	const char *quoted = rpc_param_text(request, "replyMessageId");
	struct send_job *job;
	struct buf text = { 0 };

	if (!message || !message[0]) {
		rpc_answer(request, 400, 1100, "Parameter 'message' is required", NULL);
		return NULL;
	}
	if (n == 0) {
		rpc_answer(request, 400, 1100, "Parameter 'to' is required", NULL);
		return NULL;
	}
	job = send_job_new(n);
	for (size_t i = 0; i < n; i++) {
		if (jid_parse_text(&job->to[i], json_object_get_string(json_object_array_get_idx(to, i)))) {
			send_job_free(job);
			rpc_answer(request, 400, 1100, "Invalid 'to' value", NULL);
			return NULL;
		}
	}
	text_normalise(&text, message, strlen(message));
	put_mentioned(job, &text);
	job->text = xstrdup(buf_text(&text));
	buf_wipe(&text);
	job->forwarded = rpc_param_bool(request, "isForwarded");
	job->quoted_id = quoted && quoted[0] ? xstrdup(quoted) : NULL;
	job->presence = (int)presence_of(request);
	job->done = job_done;
	job->arg = request;
	return job;
}

static void send_now(struct rpc_request *request)
{
	struct session_entry *entry = rpc_session(request);
	struct send_job *job;

	if (!entry)
		return;
	job = make_job(request);
	if (!job)
		return;
	idempotency_fill(request, job);
	sessions_send(request->context->daemon->sessions, entry, job);
}

static void do_send_text(struct rpc_request *request)
{
	idempotency_begin(request, send_now);
}

/* An answer that the daemon owed when it died: rebuilt from the rows, which the store numbered one after the other. */
bool idempotency_rebuild(struct rpc_request *request, struct store_reader *reader, struct arena *arena, int64_t last_row, struct buf *out)
{
	struct json_object *to = json_object_object_get(request->p, "to");
	size_t n = json_object_is_type(to, json_type_array) ? json_object_array_length(to) : 0;
	struct send_job *job = send_job_new(n ? n : 1);
	const char *quoted = rpc_param_text(request, "replyMessageId");
	bool whole = n > 0;

	job->quoted_id = quoted && quoted[0] ? xstrdup(quoted) : NULL;
	job->forwarded = rpc_param_bool(request, "isForwarded");
	for (size_t i = 0; i < n && whole; i++) {
		struct send_result *result = &job->results[i];
		struct store_outbox row;

		whole = store_outbox_get(reader, arena, last_row - (int64_t)(n - 1 - i), &row) == STORE_OK && !jid_parse_text(&result->to, row.recipient);
		if (!whole)
			break;
		snprintf(result->id, sizeof result->id, "%s", row.message_id);
		result->failed = row.state == STORE_OUTBOX_FAILED;
		result->time_ms = row.server_ms > 0 ? row.server_ms : row.created_ms;
		result->code = row.code;
		snprintf(result->error, sizeof result->error, "%s", row.error ? row.error : "");
	}
	if (whole)
		make_answer(out, job);
	send_job_free(job);
	return whole;
}

/* ---- status ---- */

struct status {
	struct rpc_request *request;
	int64_t session;
	struct arena arena;
	struct store_outbox row;
	struct store_outbox_device *devices;
	size_t ndevices;
	int error;
};

static void status_free(void *arg)
{
	struct status *s = arg;

	arena_free(&s->arena);
	free(s);
}

static void status_read(struct store_reader *reader, void *arg)
{
	struct status *s = arg;

	s->error = store_outbox_find(reader, &s->arena, s->session, rpc_param_text(s->request, "messageId"), &s->row);
	if (!s->error)
		s->error = store_outbox_devices(reader, &s->arena, s->row.number, &s->devices, &s->ndevices);
}

static const char *state_name(enum store_outbox_state state)
{
	static const char *const names[] = {
		[STORE_OUTBOX_QUEUED] = "queued", [STORE_OUTBOX_SENT] = "sent", [STORE_OUTBOX_ACKED] = "server_acked", [STORE_OUTBOX_DELIVERED] = "delivered",
		[STORE_OUTBOX_READ] = "read", [STORE_OUTBOX_PLAYED] = "played", [STORE_OUTBOX_FAILED] = "failed",
	};

	return (size_t)state < sizeof names / sizeof *names && names[state] ? names[state] : "unknown";
}

static void status_done(void *arg)
{
	struct status *s = arg;
	const struct store_outbox *row = &s->row;
	struct buf result = { 0 };

	if (s->error) {
		if (s->error == STORE_NOT_FOUND)
			rpc_answer(s->request, 404, 2601, "Message not found", NULL);
		else
			rpc_answer(s->request, 500, 8003, "Database error", NULL);
		return;
	}
	buf_u8(&result, '{');
	json_put_member(&result, "messageId", row->message_id);
	json_put_member(&result, "toJid", row->recipient);
	json_put_member(&result, "state", state_name(row->state));
	json_put_int(&result, "createdAt", row->created_ms / 1000);
	if (row->server_ms > 0)
		json_put_int(&result, "ackedAt", row->server_ms / 1000);
	if (row->state == STORE_OUTBOX_FAILED) {
		json_put_int(&result, "code", row->code);
		json_put_member(&result, "error", row->error);
	}
	json_put_name(&result, "devices");
	buf_u8(&result, '[');
	for (size_t i = 0; i < s->ndevices; i++) {
		buf_append_text(&result, i ? ",{" : "{");
		json_put_member(&result, "device", s->devices[i].device);
		json_put_member(&result, "state", state_name(s->devices[i].state));
		json_put_int(&result, "at", s->devices[i].at_ms / 1000);
		buf_u8(&result, '}');
	}
	buf_append_text(&result, "]}");
	rpc_answer(s->request, 200, 1000, "Message state", buf_text(&result));
	buf_free(&result);
}

static void do_status(struct rpc_request *request)
{
	const struct daemon *daemon = request->context->daemon;
	struct session_entry *entry = rpc_session(request);
	struct status *s;

	if (!entry)
		return;
	if (!rpc_param_text(request, "messageId")) {
		rpc_answer(request, 400, 2001, "messageId is required", NULL);
		return;
	}
	s = xcalloc(1, sizeof *s);
	s->request = request;
	s->session = entry->number;
	arena_init(&s->arena, 0);
	request->work = s;
	request->work_free = status_free;
	async_read(daemon->loop, daemon->store, status_read, status_done, s);
}

const struct rpc_method rpc_message_methods[] = {
	{ "messages.send.text", do_send_text },
	{ "messages.status", do_status },
	{ NULL, NULL },
};
