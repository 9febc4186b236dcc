/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What message_received tells beyond the original: answers to buttons, lists and flows, new polls, unknown kinds of messages. */
#include <string.h>

#include <json-c/json.h>

#include "sessiond/json_text.h"
#include "sessiond/session/content.h"

enum { PARAMS_MAX = 64 << 10, PARAMS_DEPTH = 8, OPTIONS_MAX = 256, RAW_MAX = 64 << 10 };

/* ---- reply ---- */

static void put_reply(struct buf *out, const char *source, struct span id, struct span title)
{
	json_put_name(out, "reply");
	buf_u8(out, '{');
	json_put_name(out, "id");
	json_put_span(out, id.p ? id : span_text(""));
	json_put_name(out, "title");
	json_put_span(out, title.p ? title : span_text(""));
	json_put_member(out, "source", source);
	buf_u8(out, '}');
}

static struct span member(struct json_object *params, const char *const *names)
{
	struct json_object *value;

	for (; *names; names++) {
		if (json_object_object_get_ex(params, *names, &value) && json_object_is_type(value, json_type_string))
			return span_of(json_object_get_string(value), (size_t)json_object_get_string_len(value));
	}
	return span_of(NULL, 0);
}

/* The answer of a native flow is JSON of the button's own making. */
static void put_flow(struct buf *out, const struct content *c)
{
	static const char *const ids[] = { "id", "rowId", "selected_row_id", "selectionId", NULL };
	static const char *const titles[] = { "display_text", "title", "label", NULL };
	struct message_part flow = message_sub(&c->media, "nativeFlowResponseMessage");
	struct message_part body = message_sub(&c->media, "body");
	struct span title = body.bytes.p ? message_text(&body, "text") : span_of(NULL, 0);
	struct span text = flow.bytes.p ? message_text(&flow, "paramsJson") : span_of(NULL, 0);
	struct json_tokener *tokener = json_tokener_new_ex(PARAMS_DEPTH);
	struct json_object *params = NULL;
	struct json_object *nested = NULL;
	struct span id = { 0 };

	if (tokener && text.n > 0 && text.n <= PARAMS_MAX)
		params = json_tokener_parse_ex(tokener, (const char *)text.p, (int)text.n);
	if (json_object_is_type(params, json_type_object)) {
		id = member(params, ids);
		if (!id.p && json_object_object_get_ex(params, "reply", &nested) && json_object_is_type(nested, json_type_object))
			id = member(nested, ids);
		if (title.n == 0)
			title = member(params, titles);
	}
	put_reply(out, "native_flow", id, title);
	json_object_put(params);
	if (tokener)
		json_tokener_free(tokener);
}

static void put_buttons(struct buf *out, const struct content *c)
{
	put_reply(out, "buttons", message_text(&c->media, "selectedButtonId"), message_text(&c->media, "selectedDisplayText"));
}

static void put_template(struct buf *out, const struct content *c)
{
	put_reply(out, "template", message_text(&c->media, "selectedId"), message_text(&c->media, "selectedDisplayText"));
}

static void put_list(struct buf *out, const struct content *c)
{
	struct message_part row = message_sub(&c->media, "singleSelectReply");

	put_reply(out, "list", row.bytes.p ? message_text(&row, "selectedRowId") : row.bytes, message_text(&c->media, "title"));
}

/* ---- poll ---- */

static void put_poll(struct buf *out, const struct content *c)
{
	struct reader r = reader_of(c->media.bytes.p, c->media.bytes.n);
	struct span name = message_text(&c->media, "name");
	struct wire_field f = { 0 };
	uint64_t selectable;
	unsigned n = 0;

	selectable = message_find(&c->media, "selectableOptionsCount", &f) ? f.value : 0;
	json_put_name(out, "poll");
	buf_u8(out, '{');
	json_put_name(out, "name");
	json_put_span(out, name.p ? name : span_text(""));
	json_put_name(out, "options");
	buf_u8(out, '[');
	while (n < OPTIONS_MAX && wire_next(&r, &f)) {
		const struct schema_field *field = message_field(c->media.schema, f.number);
		struct message_part option;
		struct span text;

		if (!field || strcmp(field->name, "options") != 0 || f.type != 2)
			continue;
		option = (struct message_part){ .bytes = f.bytes, .schema = field->sub };
		text = f.bytes.p ? message_text(&option, "optionName") : f.bytes;
		if (n++ > 0)
			buf_u8(out, ',');
		json_put_span(out, text.p ? text : span_text(""));
	}
	buf_u8(out, ']');
	json_put_int(out, "selectableCount", (int64_t)(selectable == 0 || selectable > n ? n : selectable));
	buf_u8(out, '}');
}

/* ---- unknown ---- */

bool content_is_unknown(const struct content *c)
{
	struct reader r = reader_of(c->inner.bytes.p, c->inner.bytes.n);
	struct wire_field f;

	while (!c->type && wire_next(&r, &f))
		if (!message_field(c->inner.schema, f.number))
			return true;
	return false;
}

static void put_raw(struct buf *out, const struct content *c)
{
	if (c->whole.bytes.n > RAW_MAX)
		return;
	json_put_name(out, "raw");
	json_put_base64(out, c->whole.bytes);
}

void content_put_more(struct buf *out, const struct content *c)
{
	static const struct {
		const char *type;
		void (*put)(struct buf *out, const struct content *c);
	} puts[] = {
		{ "interactiveResponseMessage", put_flow }, { "buttonsResponseMessage", put_buttons }, { "listResponseMessage", put_list },
		{ "templateButtonReplyMessage", put_template }, { "pollCreationMessage", put_poll }, { "pollCreationMessageV2", put_poll },
		{ "pollCreationMessageV3", put_poll }, { "pollCreationMessageV5", put_poll },
	};

	for (size_t i = 0; c->media_type && i < sizeof puts / sizeof *puts; i++)
		if (strcmp(puts[i].type, c->media_type) == 0 && c->media.bytes.p)
			puts[i].put(out, c);
	if (content_is_unknown(c))
		put_raw(out, c);
}
