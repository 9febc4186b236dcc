/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reader of foreign JSON, see json.h. */
#include "fcgi/json.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "common/utf8.h"

struct parser {
	struct arena *arena;
	struct span text;
	size_t at;
	size_t values;
	const char *error;
};

static const char *const TOO_DEEP = "JSON is nested too deeply";
static const char *const TOO_MANY = "JSON has too many values";

struct json *json_new(struct arena *a, enum json_type type)
{
	struct json *v = arena_alloc(a, sizeof *v);

	v->type = type;
	return v;
}

struct json *json_new_string(struct arena *a, struct span text)
{
	struct json *v = json_new(a, JSON_STRING);

	v->text = text;
	return v;
}

void json_add(struct json *parent, struct span name, struct json *child)
{
	child->name = name;
	child->next = NULL;
	if (parent->last)
		parent->last->next = child;
	else
		parent->first = child;
	parent->last = child;
	parent->count++;
}

struct json *json_get(const struct json *o, const char *name)
{
	struct json *found = NULL;

	if (!o || o->type != JSON_OBJECT)
		return NULL;
	for (struct json *v = o->first; v; v = v->next)
		if (span_is(v->name, name))
			found = v;
	return found;
}

struct json *json_get_nocase(const struct json *o, const char *name)
{
	struct json *found = NULL;
	size_t n = strlen(name);

	if (!o || o->type != JSON_OBJECT)
		return NULL;
	for (struct json *v = o->first; v; v = v->next)
		if (v->name.n == n && !strncasecmp((const char *)v->name.p, name, n))
			found = v;
	return found;
}

/* Length of the well-formed UTF-8 sequence at p, 0 if there is none. NUL counts as none: it would cut texts short. */
static size_t character_length(const uint8_t *p, size_t left)
{
	return p[0] != 0 ? utf8_length((const char *)p, left) : 0;
}

struct span utf8_clean(struct arena *a, struct span s)
{
	size_t bad = 0;
	uint8_t *out, *w;

	for (size_t i = 0; i < s.n;) {
		size_t n = character_length(s.p + i, s.n - i);

		bad += !n;
		i += n ? n : 1;
	}
	if (!bad)
		return s;
	w = out = arena_alloc(a, s.n + 2 * bad);
	for (size_t i = 0; i < s.n;) {
		size_t n = character_length(s.p + i, s.n - i);

		memcpy(w, n ? (const void *)(s.p + i) : "\xef\xbf\xbd", n ? n : 3);
		w += n ? n : 3;
		i += n ? n : 1;
	}
	return span_of(out, (size_t)(w - out));
}

static int peek(const struct parser *p)
{
	return p->at < p->text.n ? p->text.p[p->at] : -1;
}

static void skip_blanks(struct parser *p)
{
	while (p->at < p->text.n && strchr(" \t\r\n", p->text.p[p->at]) && p->text.p[p->at])
		p->at++;
}

static struct json *fail(struct parser *p)
{
	size_t n;

	if (p->error)
		return NULL;
	if (p->at >= p->text.n) {
		p->error = "Unexpected end of JSON input";
		return NULL;
	}
	n = character_length(p->text.p + p->at, p->text.n - p->at);
	p->error = n && p->text.p[p->at] ? arena_printf(p->arena, "Unexpected token %.*s in JSON at position %zu", (int)n,
							(const char *)p->text.p + p->at, p->at)
					 : arena_printf(p->arena, "Unexpected token in JSON at position %zu", p->at);
	return NULL;
}

static int hex4(struct parser *p, uint32_t *value)
{
	*value = 0;
	for (int i = 0; i < 4; i++, p->at++) {
		int c = peek(p);
		int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;

		if (digit < 0)
			return -1;
		*value = *value << 4 | (uint32_t)digit;
	}
	return 0;
}

static uint8_t *put_character(uint8_t *w, uint32_t c)
{
	return w + utf8_put(c, (char *)w);
}

/* p->at stands on the character after "\u"; a surrogate without its partner becomes U+FFFD, and so does NUL. */
static int unicode_escape(struct parser *p, uint8_t **w)
{
	uint32_t c, low;
	size_t mark;

	if (hex4(p, &c))
		return -1;
	if (c >= 0xd800 && c < 0xdc00 && p->at + 1 < p->text.n && p->text.p[p->at] == '\\' && p->text.p[p->at + 1] == 'u') {
		mark = p->at;
		p->at += 2;
		if (hex4(p, &low))
			return -1;
		if (low >= 0xdc00 && low < 0xe000) {
			*w = put_character(*w, 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00));
			return 0;
		}
		p->at = mark;
	}
	*w = put_character(*w, !c || (c >= 0xd800 && c < 0xe000) ? 0xfffd : c);
	return 0;
}

/* Decodes up to the closing quote; `end` is where it stands, so the result fits into the source's length. */
static int unescape(struct parser *p, size_t end, struct span *out)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	uint8_t *start = arena_alloc(p->arena, end - p->at), *w = start;

	while (p->at < end) {
		const char *hit;
		uint8_t c = p->text.p[p->at++];

		if (c != '\\') {
			*w++ = c;
			continue;
		}
		c = p->text.p[p->at++];
		if (c == 'u') {
			if (unicode_escape(p, &w))
				return -1;
			continue;
		}
		hit = c ? strchr(from, c) : NULL;
		if (!hit) {
			p->at--;
			return -1;
		}
		*w++ = (uint8_t)to[hit - from];
	}
	*out = span_of(start, (size_t)(w - start));
	return 0;
}

static int parse_string(struct parser *p, struct span *out)
{
	size_t start = ++p->at, end = start;
	bool escaped = false;

	while (end < p->text.n && p->text.p[end] != '"') {
		if (p->text.p[end] < 0x20) {
			p->at = end;
			return -1;
		}
		if (p->text.p[end] == '\\') {
			escaped = true;
			end++;
		}
		end++;
	}
	if (end >= p->text.n) {
		p->at = p->text.n;
		return -1;
	}
	*out = span_of(p->text.p + start, end - start);
	if (escaped && unescape(p, end, out))
		return -1;
	*out = utf8_clean(p->arena, *out);
	p->at = end + 1;
	return 0;
}

static size_t skip_digits(struct parser *p)
{
	size_t start = p->at;

	while (peek(p) >= '0' && peek(p) <= '9')
		p->at++;
	return p->at - start;
}

static struct json *parse_number(struct parser *p)
{
	size_t start = p->at;
	struct json *v;

	if (peek(p) == '-')
		p->at++;
	if (peek(p) == '0')
		p->at++;
	else if (!skip_digits(p))
		return fail(p);
	if (peek(p) == '.') {
		p->at++;
		if (!skip_digits(p))
			return fail(p);
	}
	if (peek(p) == 'e' || peek(p) == 'E') {
		p->at++;
		if (peek(p) == '+' || peek(p) == '-')
			p->at++;
		if (!skip_digits(p))
			return fail(p);
	}
	v = json_new(p->arena, JSON_NUMBER);
	v->text = span_of(p->text.p + start, p->at - start);
	return v;
}

static struct json *parse_word(struct parser *p)
{
	static const struct {
		const char *word;
		enum json_type type;
		bool truth;
	} words[] = { { "true", JSON_BOOL, true }, { "false", JSON_BOOL, false }, { "null", JSON_NULL, false } };

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		struct json *v;

		if (peek(p) != words[i].word[0])
			continue;
		for (const char *c = words[i].word; *c; c++, p->at++)
			if (peek(p) != *c)
				return fail(p);
		v = json_new(p->arena, words[i].type);
		v->truth = words[i].truth;
		return v;
	}
	return fail(p);
}

static struct json *parse_value(struct parser *p, unsigned depth);

/* One element or member, up to and including the ',' or the closing bracket behind it. 1: more follow, 0: closed, -1: error. */
static int parse_child(struct parser *p, struct json *parent, unsigned depth)
{
	struct span name = span_of(NULL, 0);
	struct json *child;
	int c;

	skip_blanks(p);
	if (parent->type == JSON_OBJECT) {
		if (peek(p) != '"' || parse_string(p, &name))
			return -1;
		skip_blanks(p);
		if (peek(p) != ':')
			return -1;
		p->at++;
	}
	child = parse_value(p, depth + 1);
	if (!child)
		return -1;
	json_add(parent, name, child);
	skip_blanks(p);
	c = peek(p);
	if (c != ',' && c != (parent->type == JSON_OBJECT ? '}' : ']'))
		return -1;
	p->at++;
	return c == ',';
}

static struct json *parse_container(struct parser *p, enum json_type type, unsigned depth)
{
	struct json *v = json_new(p->arena, type);
	int more;

	if (depth >= JSON_MAX_DEPTH) {
		p->error = TOO_DEEP;
		return NULL;
	}
	p->at++;
	skip_blanks(p);
	if (peek(p) == (type == JSON_OBJECT ? '}' : ']')) {
		p->at++;
		return v;
	}
	while ((more = parse_child(p, v, depth)) > 0)
		;
	return more < 0 ? fail(p) : v;
}

static struct json *parse_value(struct parser *p, unsigned depth)
{
	struct json *v;
	int c;

	skip_blanks(p);
	c = peek(p);
	if (++p->values > JSON_MAX_VALUES) {
		p->error = TOO_MANY;
		return NULL;
	}
	if (c == '{' || c == '[')
		return parse_container(p, c == '{' ? JSON_OBJECT : JSON_ARRAY, depth);
	if (c == '-' || (c >= '0' && c <= '9'))
		return parse_number(p);
	if (c != '"')
		return parse_word(p);
	v = json_new(p->arena, JSON_STRING);
	return parse_string(p, &v->text) ? fail(p) : v;
}

struct json *json_parse(struct arena *a, struct span text, const char **error)
{
	struct parser p = { .arena = a, .text = text };
	struct json *v = parse_value(&p, 0);

	if (v) {
		skip_blanks(&p);
		if (p.at < p.text.n)
			v = fail(&p);
	}
	*error = v ? NULL : p.error;
	return v;
}
