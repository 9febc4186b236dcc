/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How sent messages are doing: messages.status, messages.broadcast (a status that went out in chunks), and what is to be sent later:
 * messages.scheduled, messages.scheduled.cancel, messages.scheduled.change.
 */
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/async.h"
#include "sessiond/json_text.h"
#include "sessiond/rpc/request.h"
#include "sessiond/session/route.h"
#include "sessiond/session/session.h"

/* Most rows that a list shows, and chunks that are looked at. */
#define SCHEDULED_MAX 1000
#define CHUNKS_MAX 1000

/* One part of a broadcast. */
struct chunk {
	struct store_outbox row;
	size_t audience;
};

struct status {
	struct rpc_request *request;
	int64_t session;
	struct arena arena;
	struct store_outbox row;
	struct store_outbox_device *devices;
	size_t ndevices;
	struct chunk *chunks;    /* in the arena */
	size_t nchunks;
	struct store_outbox *rows;
	size_t nrows;
	int error;
};

static void status_free(void *arg)
{
	struct status *s = arg;

	arena_free(&s->arena);
	free(s);
}

/* NULL: the request was answered. */
static struct status *status_new(struct rpc_request *request)
{
	struct session_entry *entry = rpc_session(request);
	struct status *s;

	if (!entry)
		return NULL;
	s = xcalloc(1, sizeof *s);
	s->request = request;
	s->session = entry->number;
	arena_init(&s->arena, 0);
	request->work = s;
	request->work_free = status_free;
	return s;
}

static bool has_id(struct rpc_request *request)
{
	if (rpc_param_text(request, "messageId"))
		return true;
	rpc_answer(request, 400, 2001, "messageId is required", NULL);
	return false;
}

static void refuse(struct status *s)
{
	if (s->error == STORE_NOT_FOUND)
		rpc_answer(s->request, 404, 2601, "Message not found", NULL);
	else
		rpc_answer(s->request, 500, 8003, "Database error", NULL);
}

/* ---- reading ---- */

static void read_chunks(struct store_reader *reader, struct status *s)
{
	struct send_route own, route;

	route_load(&own, s->row.info);
	if (own.chunks && own.chunks <= CHUNKS_MAX) {
		s->chunks = arena_alloc(&s->arena, own.chunks * sizeof *s->chunks);
		for (size_t i = 0; i < own.chunks && !s->error; i++) {
			struct chunk *chunk = &s->chunks[s->nchunks];
			int error = store_outbox_get(reader, &s->arena, own.first + (int64_t)i, &chunk->row);

			if (error == STORE_NOT_FOUND || (!error && chunk->row.session != s->session))
				continue;
			s->error = error;
			route_load(&route, chunk->row.info);
			chunk->audience = route.naudience;
			route_free(&route);
			s->nchunks++;
		}
	}
	route_free(&own);
}

/* The row was given up when it was old: the chat knows how far the message had come. */
static int read_old(struct store_reader *reader, struct status *s, const char *id)
{
	static const enum store_outbox_state states[] = {
		[STORE_MESSAGE_NONE] = STORE_OUTBOX_ACKED, [STORE_MESSAGE_ERROR] = STORE_OUTBOX_FAILED, [STORE_MESSAGE_PENDING] = STORE_OUTBOX_ACKED,
		[STORE_MESSAGE_SENT] = STORE_OUTBOX_ACKED, [STORE_MESSAGE_DELIVERED] = STORE_OUTBOX_DELIVERED, [STORE_MESSAGE_READ] = STORE_OUTBOX_READ,
		[STORE_MESSAGE_PLAYED] = STORE_OUTBOX_PLAYED,
	};
	struct store_message_row row;
	int error = store_message_find(reader, &s->arena, s->session, id, &row);

	if (error || !row.from_me)
		return error ? error : STORE_NOT_FOUND;
	s->row = (struct store_outbox){ .session = s->session, .message_id = row.id, .recipient = row.chat_jid, .state = states[row.status],
		                        .created_ms = row.time_ms, .not_before_ms = row.time_ms };
	return STORE_OK;
}

static void read_message(struct store_reader *reader, void *arg)
{
	struct status *s = arg;
	const char *id = rpc_param_text(s->request, "messageId");

	s->error = store_outbox_find(reader, &s->arena, s->session, id, &s->row);
	if (s->error == STORE_NOT_FOUND) {
		s->error = read_old(reader, s, id);
		return;
	}
	if (!s->error)
		s->error = store_outbox_devices(reader, &s->arena, s->row.number, &s->devices, &s->ndevices);
	if (!s->error)
		read_chunks(reader, s);
}

/* ---- telling ---- */

static const char *state_name(enum store_outbox_state state)
{
	static const char *const names[] = {
		[STORE_OUTBOX_QUEUED] = "queued", [STORE_OUTBOX_SENT] = "sent", [STORE_OUTBOX_ACKED] = "server_ack", [STORE_OUTBOX_DELIVERED] = "delivered",
		[STORE_OUTBOX_READ] = "read", [STORE_OUTBOX_PLAYED] = "played", [STORE_OUTBOX_FAILED] = "failed", [STORE_OUTBOX_CANCELLED] = "cancelled",
	};

	return (size_t)state < sizeof names / sizeof *names && names[state] ? names[state] : "unknown";
}

static bool is_out(enum store_outbox_state state)
{
	return state >= STORE_OUTBOX_ACKED && state < STORE_OUTBOX_FAILED;
}

/* As far as the slowest part got; failed only if all have. */
static enum store_outbox_state state_of_all(const struct status *s)
{
	enum store_outbox_state state = s->nchunks ? STORE_OUTBOX_CANCELLED : s->row.state;

	for (size_t i = 0; i < s->nchunks; i++) {
		if (s->chunks[i].row.state < state)
			state = s->chunks[i].row.state;
	}
	/* All are out: then receipts tell more, which are counted at the first one. */
	if (s->nchunks && is_out(state) && is_out(s->chunks[0].row.state))
		state = s->chunks[0].row.state;
	return state;
}

static void put_progress(struct buf *out, const struct status *s)
{
	size_t audience = 0, reached = 0, acked = 0, failed = 0;

	if (!s->nchunks)
		return;
	for (size_t i = 0; i < s->nchunks; i++) {
		const struct chunk *chunk = &s->chunks[i];

		audience += chunk->audience;
		reached += is_out(chunk->row.state) ? chunk->audience : 0;
		acked += is_out(chunk->row.state);
		failed += chunk->row.state == STORE_OUTBOX_FAILED;
	}
	json_put_name(out, "progress");
	buf_u8(out, '{');
	json_put_int(out, "audience", (int64_t)audience);
	json_put_int(out, "reached", (int64_t)reached);
	json_put_int(out, "chunks", (int64_t)s->nchunks);
	json_put_int(out, "acked", (int64_t)acked);
	json_put_int(out, "failed", (int64_t)failed);
	buf_u8(out, '}');
}

static void put_failure(struct buf *out, const struct store_outbox *row)
{
	if (row->state != STORE_OUTBOX_FAILED)
		return;
	json_put_int(out, "code", row->code);
	json_put_member(out, "error", row->error);
}

static void put_message(struct buf *out, const struct store_outbox *row, enum store_outbox_state state)
{
	json_put_member(out, "messageId", row->message_id);
	json_put_member(out, "toJid", row->recipient);
	json_put_member(out, "state", state_name(state));
	json_put_int(out, "createdAt", row->created_ms / 1000);
	if (row->not_before_ms > row->created_ms)
		json_put_time(out, "scheduledAt", row->not_before_ms);
}

static void tell_status(void *arg)
{
	struct status *s = arg;
	const struct store_outbox *row = &s->row;
	struct buf result = { 0 };

	if (s->error) {
		refuse(s);
		return;
	}
	buf_u8(&result, '{');
	put_message(&result, row, state_of_all(s));
	if (row->server_ms > 0)
		json_put_int(&result, "ackedAt", row->server_ms / 1000);
	put_failure(&result, row);
	put_progress(&result, s);
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
	struct status *s = has_id(request) ? status_new(request) : NULL;

	if (s)
		async_read(daemon->loop, daemon->store, read_message, tell_status, s);
}

/* ---- broadcasts ---- */

static void tell_broadcast(void *arg)
{
	struct status *s = arg;
	struct buf result = { 0 };

	if (!s->error && !s->nchunks)
		s->error = STORE_NOT_FOUND;
	if (s->error) {
		refuse(s);
		return;
	}
	buf_u8(&result, '{');
	put_message(&result, &s->chunks[0].row, state_of_all(s));
	put_progress(&result, s);
	json_put_name(&result, "parts");
	buf_u8(&result, '[');
	for (size_t i = 0; i < s->nchunks; i++) {
		buf_append_text(&result, i ? ",{" : "{");
		json_put_member(&result, "state", state_name(s->chunks[i].row.state));
		json_put_int(&result, "audience", (int64_t)s->chunks[i].audience);
		put_failure(&result, &s->chunks[i].row);
		buf_u8(&result, '}');
	}
	buf_append_text(&result, "]}");
	rpc_answer(s->request, 200, 1000, "Broadcast state", buf_text(&result));
	buf_free(&result);
}

static void do_broadcast(struct rpc_request *request)
{
	const struct daemon *daemon = request->context->daemon;
	struct status *s = has_id(request) ? status_new(request) : NULL;

	if (s)
		async_read(daemon->loop, daemon->store, read_message, tell_broadcast, s);
}

/* ---- what is to be sent later ---- */

static void read_scheduled(struct store_reader *reader, void *arg)
{
	struct status *s = arg;

	s->error = store_outbox_scheduled(reader, &s->arena, s->session, timefmt_now_ms(), SCHEDULED_MAX, &s->rows, &s->nrows);
}

/* Of a status, the first row stands for all. */
static bool is_shown(const struct store_outbox *row)
{
	struct send_route route;
	bool shown;

	route_load(&route, row->info);
	shown = !route.chunk;
	route_free(&route);
	return shown;
}

static void tell_scheduled(void *arg)
{
	struct status *s = arg;
	struct buf result = { 0 };
	size_t n = 0;

	if (s->error) {
		refuse(s);
		return;
	}
	buf_append_text(&result, "{\"items\":[");
	for (size_t i = 0; i < s->nrows; i++) {
		if (!is_shown(&s->rows[i]))
			continue;
		buf_append_text(&result, n++ ? ",{" : "{");
		put_message(&result, &s->rows[i], s->rows[i].state);
		buf_u8(&result, '}');
	}
	buf_u8(&result, ']');
	json_put_int(&result, "total", (int64_t)n);
	buf_u8(&result, '}');
	rpc_answer(s->request, 200, 1000, "Scheduled messages", buf_text(&result));
	buf_free(&result);
}

static void do_scheduled(struct rpc_request *request)
{
	const struct daemon *daemon = request->context->daemon;
	struct status *s = status_new(request);

	if (s)
		async_read(daemon->loop, daemon->store, read_scheduled, tell_scheduled, s);
}

static void cancelled(void *arg, int outcome)
{
	struct rpc_request *request = arg;
	struct buf result = { 0 };

	switch ((enum cancel_outcome)outcome) {
	case CANCEL_DONE:
		buf_u8(&result, '{');
		json_put_member(&result, "messageId", rpc_param_text(request, "messageId"));
		json_put_member(&result, "state", "cancelled");
		buf_u8(&result, '}');
		rpc_answer(request, 200, 1000, "Scheduled message cancelled", buf_text(&result));
		buf_free(&result);
		break;
	case CANCEL_UNKNOWN:
		rpc_answer(request, 404, 2601, "Message not found", NULL);
		break;
	case CANCEL_UNDER_WAY:
		rpc_answer(request, 409, 2009, "The message is not waiting for its time: it was sent, is being sent, or has failed", NULL);
		break;
	case CANCEL_BUSY:
		rpc_answer(request, 503, 8001, "Service temporarily unavailable", NULL);
		break;
	case CANCEL_STORE_ERROR:
	default:
		rpc_answer(request, 500, 8003, "Database error", NULL);
		break;
	}
}

static void do_cancel(struct rpc_request *request)
{
	struct session_entry *entry = has_id(request) ? rpc_session(request) : NULL;

	if (entry)
		sessions_cancel(request->context->daemon->sessions, entry, rpc_param_text(request, "messageId"), cancelled, request);
}

/* ---- another time, another text ---- */

static void tell_rescheduled(void *arg)
{
	struct status *s = arg;
	struct buf result = { 0 };

	if (s->error) {
		refuse(s);
		return;
	}
	buf_u8(&result, '{');
	put_message(&result, &s->row, state_of_all(s));
	buf_u8(&result, '}');
	rpc_answer(s->request, 200, 1000, "Scheduled message changed", buf_text(&result));
	buf_free(&result);
}

static void rescheduled(void *arg, int outcome)
{
	static const struct {
		int status, code;
		const char *text;
	} refusals[] = {
		[RESCHEDULE_UNKNOWN] = { 404, 2601, "Message not found" },
		[RESCHEDULE_UNDER_WAY] = { 409, 2009, "The message is not waiting for its time: it was sent, is being sent, or has failed" },
		[RESCHEDULE_BUSY] = { 503, 8001, "Service temporarily unavailable" },
		[RESCHEDULE_STORE_ERROR] = { 500, 8003, "Database error" },
		[RESCHEDULE_NO_TEXT] = { 400, 3004, "The message has neither text nor caption" },
		[RESCHEDULE_BROADCAST] = { 400, 2002, "A status that goes out in several messages keeps its text" },
	};
	struct rpc_request *request = arg;
	const struct daemon *daemon = request->context->daemon;
	size_t n = outcome > 0 && (size_t)outcome < sizeof refusals / sizeof *refusals ? (size_t)outcome : RESCHEDULE_STORE_ERROR;
	struct status *s;

	if (outcome != RESCHEDULE_DONE) {
		rpc_answer(request, refusals[n].status, refusals[n].code, refusals[n].text, NULL);
		return;
	}
	s = status_new(request);
	if (s)
		async_read(daemon->loop, daemon->store, read_message, tell_rescheduled, s);
}

static void do_reschedule(struct rpc_request *request)
{
	struct json_object *at = json_object_object_get(request->p, "send_at");
	const char *text = rpc_param_text(request, "message");
	struct session_entry *entry;

	if (!has_id(request))
		return;
	/* No message has such an id. */
	if (strchr(rpc_param_text(request, "messageId"), ' ')) {
		rpc_answer(request, 404, 2601, "Message not found", NULL);
		return;
	}
	if (!at && !text) {
		rpc_answer(request, 400, 2001, "send_at or message is required", NULL);
		return;
	}
	entry = rpc_session(request);
	if (entry)
		sessions_reschedule(request->context->daemon->sessions, entry, rpc_param_text(request, "messageId"), at ? json_object_get_int64(at) : -1, text,
			rescheduled, request);
}

const struct rpc_method rpc_status_methods[] = {
	{ "messages.status", do_status },
	{ "messages.broadcast", do_broadcast },
	{ "messages.scheduled", do_scheduled },
	{ "messages.scheduled.cancel", do_cancel },
	{ "messages.scheduled.change", do_reschedule },
	{ NULL, NULL },
};
