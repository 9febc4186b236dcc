/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writer of JSON, see json_out.h. */
#include "fcgi/json_out.h"

#include <string.h>

static void separate(struct buf *b)
{
	if (b->len && !strchr("{[:, \n", b->data[b->len - 1]))
		buf_u8(b, ',');
}

void json_open(struct buf *b, char bracket)
{
	separate(b);
	buf_u8(b, (uint8_t)bracket);
}

void json_close(struct buf *b, char bracket)
{
	buf_u8(b, (uint8_t)bracket);
}

static void escape(struct buf *b, uint8_t c)
{
	static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
	const char *hit = c ? strchr(from, c) : NULL;

	if (hit) {
		buf_u8(b, '\\');
		buf_u8(b, (uint8_t)to[hit - from]);
	} else {
		buf_printf(b, "\\u%04x", c);
	}
}

static void quote(struct buf *b, struct span s)
{
	size_t start = 0;

	buf_u8(b, '"');
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] >= 0x20 && s.p[i] != '"' && s.p[i] != '\\')
			continue;
		buf_append(b, s.p + start, i - start);
		escape(b, s.p[i]);
		start = i + 1;
	}
	buf_append(b, s.p + start, s.n - start);
	buf_u8(b, '"');
}

void json_name(struct buf *b, const char *name)
{
	separate(b);
	quote(b, span_text(name));
	buf_u8(b, ':');
}

void json_span(struct buf *b, struct span s)
{
	separate(b);
	quote(b, s);
}

void json_text(struct buf *b, const char *s)
{
	json_span(b, span_text(s));
}

void json_int(struct buf *b, int64_t v)
{
	separate(b);
	buf_printf(b, "%lld", (long long)v);
}

void json_bool(struct buf *b, bool v)
{
	separate(b);
	buf_append_text(b, v ? "true" : "false");
}

void json_null(struct buf *b)
{
	separate(b);
	buf_append_text(b, "null");
}

void json_raw(struct buf *b, struct span s)
{
	separate(b);
	buf_append_span(b, s);
}

void json_tree(struct buf *b, const struct json *v)
{
	switch (v->type) {
	case JSON_NULL:
		json_null(b);
		break;
	case JSON_BOOL:
		json_bool(b, v->truth);
		break;
	case JSON_NUMBER:
		json_raw(b, v->text);
		break;
	case JSON_STRING:
		json_span(b, v->text);
		break;
	case JSON_ARRAY:
	case JSON_OBJECT:
		json_open(b, v->type == JSON_ARRAY ? '[' : '{');
		for (const struct json *c = v->first; c; c = c->next) {
			if (v->type == JSON_OBJECT) {
				json_span(b, c->name);
				buf_u8(b, ':');
			}
			json_tree(b, c);
		}
		json_close(b, v->type == JSON_ARRAY ? ']' : '}');
		break;
	}
}

void json_member(struct buf *b, const char *name, const char *text)
{
	if (!text)
		return;
	json_name(b, name);
	json_text(b, text);
}
