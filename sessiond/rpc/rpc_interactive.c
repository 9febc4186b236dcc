/* SPDX-License-Identifier: GPL-3.0-or-later */
/* messages.send.button and messages.send.list (rest-a 7.11, 7.12): native flow messages, and the numbered text for clients that show none. */
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/ulid.h"
#include "sessiond/json_text.h"
#include "sessiond/rpc/header_image.h"
#include "sessiond/rpc/send.h"
#include "sessiond/wa/wa.h"

enum fallback { FALLBACK_NONE, FALLBACK_ALSO, FALLBACK_INSTEAD };

/* What is being made: the flow's buttons, and the same as numbered lines. */
struct flow {
	struct buf *params;            /* owned, one per button */
	struct wa_flow_button *buttons; /* owned */
	size_t n;
	struct buf lines;              /* owned */
	unsigned line;                 /* number of the last one */
};

static const char *member(struct json_object *object, const char *name)
{
	const char *text = json_object_get_string(json_object_object_get(object, name));

	return text ? text : "";
}

static size_t length(struct json_object *list)
{
	return json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
}

static void flow_init(struct flow *flow, size_t n)
{
	*flow = (struct flow){ .n = n };
	flow->params = xcalloc(n, sizeof *flow->params);
	flow->buttons = xcalloc(n, sizeof *flow->buttons);
}

static void flow_free(struct flow *flow)
{
	for (size_t i = 0; i < flow->n; i++)
		buf_wipe(&flow->params[i]);
	free(flow->params);
	free(flow->buttons);
	buf_wipe(&flow->lines);
}

/* An id that the caller left out. */
static void put_id(struct buf *out, const char *id)
{
	char made[ULID_LENGTH + 1];

	if (!id[0])
		ulid_new(made);
	json_put_member(out, "id", id[0] ? id : made);
}

static void add_line(struct flow *flow, const char *text, const char *more)
{
	buf_printf(&flow->lines, "\n%u. %s", ++flow->line, text);
	if (more && more[0])
		buf_printf(&flow->lines, ": %s", more);
}

/* ---- buttons ---- */

static void put_reply(struct buf *out, struct json_object *button)
{
	put_id(out, member(button, "id"));
}

static void put_copy(struct buf *out, struct json_object *button)
{
	json_put_member(out, "copy_code", member(button, "copyCode"));
}

static void put_url(struct buf *out, struct json_object *button)
{
	json_put_member(out, "url", member(button, "url"));
	json_put_member(out, "merchant_url", member(button, "url"));
}

static void put_call(struct buf *out, struct json_object *button)
{
	json_put_member(out, "phone_number", member(button, "phoneNumber"));
}

static const struct button_kind {
	const char *type, *flow, *value;
	void (*put)(struct buf *out, struct json_object *button);
} button_kinds[] = {
	{ "reply", "quick_reply", NULL, put_reply },
	{ "copy", "cta_copy", "copyCode", put_copy },
	{ "url", "cta_url", "url", put_url },
	{ "call", "cta_call", "phoneNumber", put_call },
};

static bool add_button(struct flow *flow, size_t i, struct json_object *button)
{
	for (size_t k = 0; k < sizeof button_kinds / sizeof *button_kinds; k++) {
		const struct button_kind *kind = &button_kinds[k];

		if (strcmp(member(button, "type"), kind->type) != 0)
			continue;
		buf_u8(&flow->params[i], '{');
		json_put_member(&flow->params[i], "display_text", member(button, "text"));
		kind->put(&flow->params[i], button);
		buf_u8(&flow->params[i], '}');
		flow->buttons[i] = (struct wa_flow_button){ .name = kind->flow, .params = buf_text(&flow->params[i]) };
		add_line(flow, member(button, "text"), kind->value ? member(button, kind->value) : NULL);
		return true;
	}
	return false;
}

/* ---- lists ---- */

static void put_row(struct flow *flow, struct buf *out, struct json_object *row)
{
	if (out->data[out->len - 1] != '[')
		buf_u8(out, ',');
	buf_u8(out, '{');
	put_id(out, member(row, "id"));
	json_put_member(out, "title", member(row, "title"));
	json_put_member(out, "description", member(row, "description"));
	json_put_member(out, "header", member(row, "header"));
	buf_u8(out, '}');
	add_line(flow, member(row, "title"), member(row, "description"));
}

static size_t put_section(struct flow *flow, struct buf *out, struct json_object *section)
{
	struct json_object *rows = json_object_object_get(section, "rows");
	size_t n = length(rows);

	if (out->data[out->len - 1] != '[')
		buf_u8(out, ',');
	buf_u8(out, '{');
	json_put_member(out, "title", member(section, "title"));
	json_put_name(out, "rows");
	buf_u8(out, '[');
	if (member(section, "title")[0])
		buf_printf(&flow->lines, "\n*%s*", member(section, "title"));
	for (size_t i = 0; i < n; i++)
		put_row(flow, out, json_object_array_get_idx(rows, i));
	buf_append_text(out, "]}");
	return n;
}

struct list_counts {
	size_t sections, rows;
};

static void add_list(struct flow *flow, size_t i, struct json_object *list, struct list_counts *counts)
{
	struct json_object *sections = json_object_object_get(list, "sections");
	struct buf *out = &flow->params[i];
	size_t n = length(sections);

	buf_u8(out, '{');
	json_put_member(out, "title", member(list, "buttonText"));
	json_put_name(out, "sections");
	buf_u8(out, '[');
	for (size_t k = 0; k < n; k++)
		counts->rows += put_section(flow, out, json_object_array_get_idx(sections, k));
	buf_append_text(out, "]}");
	counts->sections += n;
	flow->buttons[i] = (struct wa_flow_button){ .name = "single_select", .params = buf_text(out) };
}

/* ---- the message ---- */

static enum fallback fallback_of(const struct rpc_request *request)
{
	const char *word = rpc_param_text(request, "fallback");

	if (word && strcmp(word, "also") == 0)
		return FALLBACK_ALSO;
	return word && strcmp(word, "instead") == 0 ? FALLBACK_INSTEAD : FALLBACK_NONE;
}

static void build_flow(struct buf *out, const struct rpc_request *request, const struct flow *flow, struct span image)
{
	const char *text = member(request->p, "text"), *footer = member(request->p, "footer");
	struct wa_interactive interactive = { .body = text[0] ? text : " ", .footer = footer[0] ? footer : NULL, .buttons = flow->buttons,
		.nbuttons = flow->n, .image = image };
	struct buf params = { 0 };
	char id[ULID_LENGTH + 1];

	ulid_new(id);
	buf_u8(&params, '{');
	json_put_member(&params, "from", "api");
	json_put_member(&params, "templateId", id);
	buf_u8(&params, '}');
	interactive.params = buf_text(&params);
	wa_build_interactive(out, &interactive);
	buf_free(&params);
}

static void build_lines(struct buf *out, const struct rpc_request *request, struct flow *flow)
{
	const char *text = member(request->p, "text"), *footer = member(request->p, "footer");
	struct buf whole = { 0 };

	buf_append_text(&whole, text);
	buf_append_span(&whole, buf_span(&flow->lines));
	if (footer[0])
		buf_printf(&whole, "\n_%s_", footer);
	/* Without a text the lines begin with an empty one. */
	wa_build_text(out, &(struct wa_text){ .text = buf_text(&whole) + (text[0] ? 0 : 1) });
	buf_wipe(&whole);
}

/* What waits for its picture. */
struct pending {
	struct rpc_request *request;
	struct flow flow;        /* owned */
	struct send_plan *plan;  /* owned */
};

static void pictured(void *arg, const struct span *image)
{
	struct pending *w = arg;
	struct rpc_request *request = w->request;
	enum fallback fallback = fallback_of(request);

	if (image && rpc_request_is_awaited(request)) {
		if (fallback == FALLBACK_INSTEAD)
			build_lines(&w->plan->contents[0].message, request, &w->flow);
		else
			build_flow(&w->plan->contents[0].message, request, &w->flow, *image);
		if (fallback == FALLBACK_ALSO)
			build_lines(&w->plan->contents[1].message, request, &w->flow);
		send_go(request, w->plan);
	} else {
		/* Nobody waits any more: nothing is sent that nobody would know of. */
		if (image)
			rpc_answer(request, 500, 8000, "Internal server error", NULL);
		send_plan_free(w->plan);
	}
	flow_free(&w->flow);
	free(w);
}

static void go(struct rpc_request *request, const struct flow *flow, struct send_plan *plan)
{
	const struct span none = span_of(NULL, 0);
	struct pending *w = xcalloc(1, sizeof *w);

	*w = (struct pending){ .request = request, .flow = *flow, .plan = plan };
	if (fallback_of(request) == FALLBACK_INSTEAD || rpc_param_bool(request, "dry_run"))
		pictured(w, &none);
	else
		header_image_get(request, pictured, w);
}

static size_t contents_of(const struct rpc_request *request)
{
	return fallback_of(request) == FALLBACK_ALSO ? 2 : 1;
}

static void build_button(struct rpc_request *request)
{
	struct json_object *buttons = json_object_object_get(request->p, "buttons");
	struct send_plan *plan;
	struct flow flow;

	flow_init(&flow, length(buttons));
	for (size_t i = 0; i < flow.n; i++) {
		if (!add_button(&flow, i, json_object_array_get_idx(buttons, i))) {
			flow_free(&flow);
			rpc_answer(request, 400, 2000, "Unsupported button type", NULL);
			return;
		}
	}
	plan = send_plan_new(contents_of(request), "Interactive button message", "interactive button", "interactive button");
	json_put_int(&plan->shape.extras, "buttonCount", (int64_t)flow.n);
	go(request, &flow, plan);
}

static void build_list(struct rpc_request *request)
{
	struct json_object *lists = json_object_object_get(request->p, "lists");
	struct list_counts counts = { 0 };
	struct send_plan *plan;
	struct flow flow;

	flow_init(&flow, length(lists));
	for (size_t i = 0; i < flow.n; i++)
		add_list(&flow, i, json_object_array_get_idx(lists, i), &counts);
	plan = send_plan_new(contents_of(request), "Interactive list message", "interactive list", "interactive list");
	json_put_int(&plan->shape.extras, "sectionCount", (int64_t)counts.sections);
	json_put_int(&plan->shape.extras, "rowCount", (int64_t)counts.rows);
	go(request, &flow, plan);
}

static void do_button(struct rpc_request *request)
{
	send_begin(request, build_button);
}

static void do_list(struct rpc_request *request)
{
	send_begin(request, build_list);
}

const struct rpc_method rpc_interactive_methods[] = {
	{ "messages.send.button", do_button },
	{ "messages.send.list", do_list },
	{ NULL, NULL },
};
