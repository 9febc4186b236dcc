/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Query strings, see query.h. */
#include "fcgi/query.h"

#include <string.h>

#include "fcgi/uri.h"

/* The name before the brackets, the brackets, and what follows them. */
#define QUERY_MAX_KEYS (QUERY_MAX_DEPTH + 2)

/* The member's own node, not a copy. */
static struct json *member(struct json *o, struct span key)
{
	for (struct json *v = o->first; v; v = v->next)
		if (span_equal(v->name, key))
			return v;
	return NULL;
}

static bool is_container(const struct json *v)
{
	return v->type == JSON_ARRAY || v->type == JSON_OBJECT;
}

/* Turns a value that a repeated name found in its place into an array that starts with it. */
static void become_array(struct arena *a, struct json *v)
{
	struct json *first = json_new(a, v->type);
	struct span name = v->name;
	struct json *next = v->next;

	*first = *v;
	*v = (struct json){ .type = JSON_ARRAY, .name = name, .next = next };
	json_add(v, span_of(NULL, 0), first);
}

/* a[]=1 meeting an object, or a[b]=1 meeting an array: the array's elements become members "0", "1", ... */
static void become_object(struct arena *a, struct json *v)
{
	size_t i = 0;

	if (v->type == JSON_OBJECT)
		return;
	v->type = JSON_OBJECT;
	for (struct json *c = v->first; c; c = c->next)
		c->name = span_text(arena_printf(a, "%zu", i++));
}

/* Goes one step down, making what is missing; an empty key asks for the next element of an array. */
static struct json *descend(struct arena *a, struct json *at, struct span key)
{
	struct json *child = NULL;

	if (at->type == JSON_NULL)
		at->type = key.n ? JSON_OBJECT : JSON_ARRAY;
	if (!is_container(at))
		become_array(a, at);
	if (key.n) {
		become_object(a, at);
		child = member(at, key);
	}
	if (!child) {
		child = json_new(a, JSON_NULL);
		json_add(at, key.n ? key : span_text(arena_printf(a, "%zu", at->count)), child);
	}
	return child;
}

/* Splits name[x][y] into keys; answers how many. What is no well-formed bracket, or one too deep, stays text. */
static size_t split_name(struct span name, struct span keys[QUERY_MAX_KEYS])
{
	const uint8_t *open = name.n ? memchr(name.p, '[', name.n) : NULL;
	size_t at = open ? (size_t)(open - name.p) : name.n, n = 0;

	if (!open || !memchr(open, ']', name.n - at)) {
		keys[0] = name;
		return name.n > 0;
	}
	if (at)
		keys[n++] = span_of(name.p, at);
	for (size_t depth = 0; depth < QUERY_MAX_DEPTH && at < name.n && name.p[at] == '['; depth++) {
		const uint8_t *close = memchr(name.p + at, ']', name.n - at);
		size_t end;

		if (!close)
			break;
		end = (size_t)(close - name.p);
		keys[n++] = span_of(name.p + at + 1, end - at - 1);
		at = end + 1;
	}
	if (at < name.n)
		keys[n++] = span_of(name.p + at, name.n - at);
	return n;
}

static void set_leaf(struct arena *a, struct json *at, struct span value)
{
	if (at->type == JSON_NULL) {
		at->type = JSON_STRING;
		at->text = value;
		return;
	}
	if (at->type == JSON_OBJECT) {
		json_add(at, value, json_new_string(a, span_text("true")));
		return;
	}
	if (at->type != JSON_ARRAY)
		become_array(a, at);
	json_add(at, span_of(NULL, 0), json_new_string(a, value));
}

static void add_pair(struct arena *a, struct json *root, struct span pair)
{
	struct span keys[QUERY_MAX_KEYS];
	const uint8_t *bracket = memmem(pair.p, pair.n, "]=", 2);
	const uint8_t *equals = bracket ? bracket + 1 : memchr(pair.p, '=', pair.n);
	size_t split = equals ? (size_t)(equals - pair.p) : pair.n, n;
	struct span name = utf8_clean(a, uri_decode(a, span_of(pair.p, split), true));
	struct span value = equals ? span_of(equals + 1, pair.n - split - 1) : span_of(pair.p + pair.n, 0);
	struct json *at = root;

	n = split_name(name, keys);
	if (!n)
		return;
	for (size_t i = 0; i < n; i++)
		at = descend(a, at, keys[i]);
	set_leaf(a, at, utf8_clean(a, uri_decode(a, value, true)));
}

struct json *query_parse(struct arena *a, struct span text)
{
	struct json *root = json_new(a, JSON_OBJECT);
	size_t pairs = 0;

	while (text.n && pairs < QUERY_MAX_PAIRS) {
		const uint8_t *amp = memchr(text.p, '&', text.n);
		size_t n = amp ? (size_t)(amp - text.p) : text.n;

		if (n) {
			add_pair(a, root, span_of(text.p, n));
			pairs++;
		}
		text = amp ? span_of(amp + 1, text.n - n - 1) : span_of(text.p, 0);
	}
	return root;
}
