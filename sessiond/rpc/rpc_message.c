/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * messages.send.text and messages.status (rest-a 7.1). What all sends share stands in send.c.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/htmlmeta.h"
#include "common/mem.h"
#include "common/recipient.h"
#include "common/text.h"
#include "sessiond/async.h"
#include "sessiond/json_text.h"
#include "sessiond/net/http.h"
#include "sessiond/rpc/request.h"
#include "sessiond/rpc/send.h"
#include "sessiond/session/session.h"
#include "sessiond/wa/wa.h"

enum { PREVIEW_TIMEOUT_MS = 3000, PREVIEW_BYTES = 256 * 1024 };

/* ---- text ---- */

static void put_mentions(struct buf *out, const struct send_plan *plan)
{
	char text[JID_TEXT_MAX];

	if (!plan->nmentions)
		return;
	json_put_name(out, "mentions");
	for (size_t i = 0; i < plan->nmentions; i++) {
		buf_u8(out, i ? ',' : '[');
		json_put_string(out, jid_format(&plan->mentions[i], text, sizeof text));
	}
	buf_u8(out, ']');
}

/* Those in the text, and those that the caller names. */
static void find_mentions(const struct rpc_request *request, struct send_plan *plan, const struct buf *text)
{
	struct json_object *more = json_object_object_get(request->p, "mentions");
	size_t n = json_object_is_type(more, json_type_array) ? json_object_array_length(more) : 0;
	struct recipient_list list;
	struct jid jid;

	recipient_list_init(&list);
	text_mentions((const char *)text->data, text->len, &list);
	plan->nmentions = list.count;
	plan->mentions = xcalloc(list.count + n, sizeof *plan->mentions);
	if (list.count)
		memcpy(plan->mentions, list.items, list.count * sizeof *list.items);
	for (size_t i = 0; i < n; i++) {
		bool known = jid_parse_text(&jid, json_object_get_string(json_object_array_get_idx(more, i))) || !jid_is_person(&jid);

		for (size_t k = 0; k < plan->nmentions; k++)
			known = known || jid_same_user(&plan->mentions[k], &jid);
		if (!known)
			plan->mentions[plan->nmentions++] = jid;
	}
	plan->mention_all = rpc_param_bool(request, "mentionAll");
	recipient_list_free(&list);
}

/* A text on its way to be sent, while the page of its link is fetched. */
struct text_order {
	struct rpc_request *request;
	struct send_plan *plan;  /* owned */
	struct buf text;         /* owned, normalised */
	char *link;              /* owned; NULL: none */
	struct http_call *call;
};

static void go_text(struct text_order *order, const struct wa_preview *preview)
{
	wa_build_text(&order->plan->contents[0].message, &(struct wa_text){ .text = buf_text(&order->text), .preview = preview });
	send_go(order->request, order->plan);
	buf_wipe(&order->text);
	free(order->link);
	free(order);
}

/* A page that cannot be had, or says nothing, leaves the text without a preview. */
static void page_fetched(void *arg, const struct http_answer *answer)
{
	struct text_order *order = arg;
	struct htmlmeta meta = { 0 };
	struct wa_preview preview = { .matched_text = order->link };

	if (!answer->error && answer->status == 200 && strncasecmp(answer->type, "text/html", 9) == 0)
		htmlmeta_read(&meta, answer->body);
	if (meta.title.len)
		preview.title = buf_text(&meta.title);
	if (meta.description.len)
		preview.description = buf_text(&meta.description);
	go_text(order, preview.title ? &preview : NULL);
	htmlmeta_free(&meta);
}

static bool fetch_page(struct text_order *order)
{
	const struct daemon *daemon = order->request->context->daemon;
	struct span link = htmlmeta_first_link(buf_span(&order->text));
	struct http_request request = { .timeout_ms = PREVIEW_TIMEOUT_MS, .max_answer = PREVIEW_BYTES, .guard = daemon->guard, .follow = true,
		.follow_get = true };

	if (!daemon->config->link_preview || !rpc_param_bool(order->request, "linkPreview") || !link.n || rpc_param_bool(order->request, "dry_run"))
		return false;
	order->link = xstrndup((const char *)link.p, link.n);
	request.url = order->link;
	return http_url_is_valid(request.url) && http_send(&order->call, daemon->net, &request, page_fetched, order) == 0;
}

static void build_text(struct rpc_request *request)
{
	const char *message = rpc_param_text(request, "message");
	struct text_order *order;

	if (!message || !message[0]) {
		rpc_answer(request, 400, 1100, "Parameter 'message' is required", NULL);
		return;
	}
	order = xcalloc(1, sizeof *order);
	order->request = request;
	order->plan = send_plan_new(1, "Text message", "text", "text");
	text_normalise(&order->text, message, strlen(message));
	find_mentions(request, order->plan, &order->text);
	put_mentions(&order->plan->shape.extras, order->plan);
	if (!fetch_page(order))
		go_text(order, NULL);
}

static void do_send_text(struct rpc_request *request)
{
	send_begin(request, build_text);
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
		[STORE_OUTBOX_QUEUED] = "queued", [STORE_OUTBOX_SENT] = "sent", [STORE_OUTBOX_ACKED] = "server_ack", [STORE_OUTBOX_DELIVERED] = "delivered",
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
	if (row->not_before_ms > row->created_ms)
		json_put_time(&result, "scheduledAt", row->not_before_ms);
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
