/* SPDX-License-Identifier: GPL-3.0-or-later */
/* /api/v1/messages/send: buttons and lists (contract rest-a 7.11, 7.12). */
#include <string.h>
#include <strings.h>

#include "fcgi/answer.h"
#include "fcgi/json_out.h"
#include "fcgi/param_kinds.h"
#include "fcgi/send_params.h"
#include "fcgi/upload.h"

#define INTERACTIVE_ROUTE(what) \
	.method = "POST", .path = "/api/v1/messages/send/" what, .name = "messages.send." what, .auth = AUTH_KEY, .scope = SCOPE_SEND, \
	.guards = GUARD_RATE | GUARD_COOLDOWN | GUARD_QUOTA, .body = BODY_JSON_SEND, .selector = &selector_messages, \
	.family = FAMILY_A_NULL, .flags = ROUTE_SLOW | ROUTE_IDEMPOTENT, .tag = "Messages"
/* The last arguments of EXPLAINED: further members, such as .note. */
#define DOCUMENTED(NAME, TYPE) { .name = NAME, .in = SEND_BODY, .kind = PARAM_DOCUMENT, .type = TYPE }
#define EXPLAINED(NAME, TYPE, ...) { .name = NAME, .in = SEND_BODY, .kind = PARAM_DOCUMENT, .type = TYPE, __VA_ARGS__ }

enum { MAX_BUTTONS = 3 };

static const char *const fallback_values[] = { "none", "also", "instead", NULL };

#define FALLBACK \
	{ .name = "fallback", .in = SEND_BODY, .kind = PARAM_ENUM, .type = "string", .values = fallback_values, \
	  .invalid = { 400, 2002, "fallback is one of none, also, instead" }, \
	  .note = "a numbered text for clients that show nothing: none, after the message (also), or alone (instead)" }
#define IMAGE \
	EXPLAINED("image", "string", .note = "data URI, base64 or http(s) URL, shown above; without: INTERACTIVE_DEFAULT_IMAGE; none when empty or not to be had")

static int refuse(struct answer *answer, int code, const char *text)
{
	answer_fault(answer, &(struct fault){ 400, code, text });
	return -1;
}

/* The picture above: its own, else that of the list (as the n8n node sends it). Absent ones are the daemon's to choose. */
static void put_image(struct request *r, struct buf *p)
{
	static const char *const image_names[] = { "image", NULL }, *const list_names[] = { "list", NULL };
	const struct json *image = send_member(r, r->body, image_names), *list = send_member(r, r->body, list_names);

	if (!image && list && list->type == JSON_OBJECT)
		image = send_member(r, list, image_names);
	if (image)
		upload_put_optional(r, image, p);
}

/* ---- buttons ---- */

static const struct button_type {
	const char *type, *value; /* what the daemon gets */
	const char *names[3];     /* of the value */
} button_types[] = {
	{ "reply", "id", { "id" } },
	{ "copy", "copyCode", { "copyCode" } },
	{ "url", "url", { "url" } },
	{ "call", "phoneNumber", { "phoneNumber", "phone" } },
};

static const struct button_type *button_type(const struct json *button)
{
	static const char *const names[] = { "type", NULL };
	struct span type = send_text(button, names);

	if (!type.n)
		return &button_types[0];
	for (size_t i = 0; i < COUNT(button_types); i++) {
		if (type.n == strlen(button_types[i].type) && !strncasecmp((const char *)type.p, button_types[i].type, type.n))
			return &button_types[i];
	}
	return NULL;
}

static int put_button(struct request *r, struct buf *p, const struct json *button, struct answer *answer)
{
	static const char *const text_names[] = { "displayText", "text", "title", NULL }, *const type_names[] = { "type", NULL };
	struct span text = span_of(NULL, 0), type = send_text(button, type_names);
	const struct button_type *known = button_type(button);

	if (!known)
		return refuse(answer, 2000, arena_printf(r->arena, "Unsupported button type: %.*s", (int)type.n, (const char *)type.p));
	if (button->type == JSON_OBJECT)
		text = send_text(button, text_names);
	else
		param_text(button, &text);
	json_open(p, '{');
	json_member(p, "type", known->type);
	json_name(p, "text");
	json_span(p, text);
	if (button->type == JSON_OBJECT)
		send_put_text(p, known->value, send_text(button, known->names));
	json_close(p, '}');
	return 0;
}

static int prepare_button(struct request *r, struct buf *p, struct answer *answer)
{
	static const char *const names[] = { "buttons", NULL };
	const struct json *buttons = send_member(r, r->body, names);

	if (!buttons || buttons->type != JSON_ARRAY || !buttons->count)
		return refuse(answer, 2000, "buttons must be a non-empty array");
	if (buttons->count > MAX_BUTTONS)
		return refuse(answer, 3010, "Buttons count exceeds limit (3)");
	json_name(p, "buttons");
	json_open(p, '[');
	for (const struct json *b = buttons->first; b; b = b->next) {
		if (put_button(r, p, b, answer))
			return -1;
	}
	json_close(p, ']');
	put_image(r, p);
	return 0;
}

static const struct param button_params[] = {
	SEND_TO(SEND_BODY, 2000, "Invalid destination"),
	{ .name = "text", .aliases = { "message" }, .in = SEND_BODY, .kind = PARAM_STRING, .type = "string", .fallback = "\"\"" },
	{ .name = "footer", .in = SEND_BODY, .kind = PARAM_STRING, .type = "string" },
	EXPLAINED("buttons", "array", .required = true, .note = "1 to 3; {type,displayText|text,id|url|phoneNumber|copyCode} or string"),
	EXPLAINED("buttons[].type", "string", .values = (const char *const[]){ "reply", "url", "call", "copy", NULL }, .fallback = "\"reply\""),
	IMAGE,
	FALLBACK,
	SEND_COMMON(SEND_BODY),
};
static const struct success button_sent[] = { SEND_SUCCESSES("Interactive button message", "advancedInfo.buttonCount") };
static const struct fault button_errors[] = {
	{ 400, 2000, "Invalid destination" }, { 400, 2000, "buttons must be a non-empty array" }, { 400, 2000, "Unsupported button type: <t>" },
	{ 400, 3010, "Buttons count exceeds limit (3)" }, SEND_ERRORS("interactive button")
};

/* ---- lists ---- */

static void put_row(struct buf *p, const struct json *row)
{
	static const char *const id[] = { "id", "rowId", NULL }, *const title[] = { "title", NULL };
	static const char *const description[] = { "description", NULL }, *const header[] = { "header", NULL };
	struct span text = span_of(NULL, 0);

	if (row->type == JSON_OBJECT)
		text = send_text(row, title);
	else
		param_text(row, &text);
	json_open(p, '{');
	json_name(p, "title");
	json_span(p, text);
	if (row->type == JSON_OBJECT) {
		send_put_text(p, "id", send_text(row, id));
		send_put_text(p, "description", send_text(row, description));
		send_put_text(p, "header", send_text(row, header));
	}
	json_close(p, '}');
}

static const struct json *rows_of(struct request *r, const struct json *section)
{
	static const char *const names[] = { "rows", "items", NULL };
	const struct json *rows = section->type == JSON_OBJECT ? send_member(r, section, names) : NULL;

	return rows && rows->type == JSON_ARRAY && rows->count ? rows : NULL;
}

/* A section: {title, rows}. Its number of rows. */
static size_t put_section(struct request *r, struct buf *p, const struct json *section)
{
	static const char *const title[] = { "title", NULL };
	const struct json *rows = rows_of(r, section);

	json_open(p, '{');
	json_name(p, "title");
	json_span(p, send_text(section, title));
	json_name(p, "rows");
	json_open(p, '[');
	for (const struct json *row = rows ? rows->first : NULL; row; row = row->next)
		put_row(p, row);
	json_close(p, ']');
	json_close(p, '}');
	return rows ? rows->count : 0;
}

/* One list: {buttonText, sections}, or with rows of its own instead. The number of its rows. */
static size_t put_list(struct request *r, struct buf *p, const struct json *list, const char *button)
{
	static const char *const section_names[] = { "sections", NULL }, *const button_names[] = { "buttonText", NULL };
	const struct json *sections = send_member(r, list, section_names);
	struct span text = send_text(list, button_names);
	size_t rows = 0;

	json_open(p, '{');
	json_name(p, "buttonText");
	json_span(p, text.n ? text : span_text(button));
	json_name(p, "sections");
	json_open(p, '[');
	if (sections && sections->type == JSON_ARRAY) {
		for (const struct json *s = sections->first; s; s = s->next)
			rows += put_section(r, p, s);
	} else if (rows_of(r, list)) {
		rows = put_section(r, p, list);
	}
	json_close(p, ']');
	json_close(p, '}');
	return rows;
}

static int prepare_list(struct request *r, struct buf *p, struct answer *answer)
{
	static const char *const many[] = { "lists", NULL }, *const one[] = { "list", NULL }, *const flat[] = { "sections", "rows", NULL };
	const struct json *lists = send_member(r, r->body, many), *list = send_member(r, r->body, one);
	size_t rows = 0;

	json_name(p, "lists");
	json_open(p, '[');
	if (lists && lists->type == JSON_ARRAY && lists->count) {
		for (const struct json *l = lists->first; l; l = l->next)
			rows += put_list(r, p, l, "Select");
	} else if (list && list->type == JSON_OBJECT) {
		rows = put_list(r, p, list, "Select");
	} else if (send_member(r, r->body, flat)) {
		rows = put_list(r, p, r->body, "Open");
	} else {
		return refuse(answer, 2000, "list/sections cannot be empty");
	}
	json_close(p, ']');
	put_image(r, p);
	return rows ? 0 : refuse(answer, 2000, "at least one section with one row is required");
}

static const struct param list_params[] = {
	SEND_TO(SEND_BODY, 2000, "Invalid destination"),
	{ .name = "text", .aliases = { "title", "message" }, .in = SEND_BODY, .kind = PARAM_STRING, .type = "string", .fallback = "\"\"" },
	{ .name = "footer", .in = SEND_BODY, .kind = PARAM_STRING, .type = "string" },
	EXPLAINED("lists", "array", .note = "several lists, each with a button of its own"),
	EXPLAINED("list", "object", .note = "{buttonText,sections[{title,rows[{id,title,description,header}]}]}"),
	EXPLAINED("buttonText", "string", .fallback = "\"Open\"", .note = "Select inside list/lists"),
	DOCUMENTED("sections", "array"),
	IMAGE,
	FALLBACK,
	SEND_COMMON(SEND_BODY),
};
static const struct success list_sent[] = { SEND_SUCCESSES("Interactive list message", "advancedInfo.sectionCount advancedInfo.rowCount") };
static const struct fault list_errors[] = {
	{ 400, 2000, "Invalid destination" }, { 400, 2000, "list/sections cannot be empty" },
	{ 400, 2000, "at least one section with one row is required" }, SEND_ERRORS("interactive list")
};

#define PARTS(x) .params = x##_params, .params_count = COUNT(x##_params), .successes = x##_sent, .errors = x##_errors

static const struct route routes[] = {
	{ INTERACTIVE_ROUTE("button"), PARTS(button), .prepare = prepare_button, .title = "Send buttons",
	  .text = "Up to three buttons: replies, links, calls, codes to copy. WhatsApp does not show them on every client, see the README; "
		  "fallback adds a numbered text." },
	{ INTERACTIVE_ROUTE("list"), PARTS(list), .prepare = prepare_list, .title = "Send a list",
	  .text = "Rows to choose from, in sections. WhatsApp does not show them on every client, see the README; fallback adds a numbered text." },
};

extern const struct route_group interactive_routes;
const struct route_group interactive_routes = { routes, COUNT(routes) };
