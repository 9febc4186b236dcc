/* SPDX-License-Identifier: GPL-3.0-or-later */
/* messages.send.text (rest-a 7.1). What all sends share stands in send.c. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/recipient.h"
#include "common/text.h"
#include "sessiond/async.h"
#include "sessiond/json_text.h"
#include "sessiond/rpc/preview.h"
#include "sessiond/rpc/request.h"
#include "sessiond/rpc/send.h"
#include "sessiond/session/session.h"
#include "sessiond/wa/wa.h"

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

/* The groups that the caller mentions: [{"groupId":["120363..@g.us"],"subject":".."}]. False: the request was refused. */
static bool find_group_mentions(struct rpc_request *request, struct send_plan *plan)
{
	struct json_object *list = json_object_object_get(request->p, "groupMentions");
	size_t n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;

	plan->group_mentions = n ? xcalloc(n, sizeof *plan->group_mentions) : NULL;
	for (size_t i = 0; i < n; i++) {
		struct json_object *entry = json_object_array_get_idx(list, i);
		const char *group = json_object_get_string(json_object_object_get(entry, "group"));
		const char *subject = json_object_get_string(json_object_object_get(entry, "subject"));
		struct send_group_mention *mention = &plan->group_mentions[i];

		if (!group || jid_parse_text(&mention->group, group) || mention->group.server != JID_SERVER_GROUP) {
			rpc_answer(request, 400, 2002, "groupMentions are groups, or objects with groupId and subject", NULL);
			return false;
		}
		mention->subject = subject && subject[0] ? xstrdup(subject) : NULL;
		plan->ngroup_mentions++;
	}
	return true;
}

/* A text on its way to be sent, while the page of its link is fetched. */
struct text_order {
	struct rpc_request *request;
	struct send_plan *plan;  /* owned */
	struct buf text;         /* owned, normalised */
	struct wa_text style;    /* how a status shows it */
};

/* False: the request was refused. */
static bool take_style(struct wa_text *text, struct rpc_request *request)
{
	struct json_object *font = json_object_object_get(request->p, "font");

	text->font = font ? json_object_get_int(font) : -1;
	if (!send_color(request, "backgroundColor", &text->background_argb) || !send_color(request, "textColor", &text->text_argb))
		return false;
	text->styled = text->background_argb || text->text_argb || font;
	return true;
}

static void go_text(void *arg, const struct wa_preview *preview)
{
	struct text_order *order = arg;
	struct wa_text text = order->style;

	text.text = buf_text(&order->text);
	text.preview = preview;
	wa_build_text(&order->plan->contents[0].message, &text);
	send_go(order->request, order->plan);
	buf_wipe(&order->text);
	free(order);
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
	if (find_group_mentions(request, order->plan) && take_style(&order->style, request)) {
		preview_get(request, buf_span(&order->text), go_text, order);
		return;
	}
	send_plan_free(order->plan);
	buf_wipe(&order->text);
	free(order);
}

static void do_send_text(struct rpc_request *request)
{
	send_begin(request, build_text);
}

const struct rpc_method rpc_message_methods[] = {
	{ "messages.send.text", do_send_text },
	{ NULL, NULL },
};
