/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lists of recipients, see recipients.h. */
#include "fcgi/recipients.h"

#include <string.h>

#include "common/recipient.h"
#include "fcgi/json_out.h"

struct list {
	struct arena *arena;
	const char *country_code;
	struct buf *out;
	size_t max;
	struct jid *seen;  /* in the arena */
	size_t count, cap; /* cap: 0 or a power of two */
	uint32_t *slots;   /* in the arena, 2 * cap of them: place in seen + 1 of each, found by its hash; 0: empty */
};

static int add_value(struct list *l, const struct json *v, unsigned depth);

/* FNV-1a. */
static size_t hash_of(const struct jid *jid)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ (uint64_t)jid->server;

	for (const char *c = jid->user; *c; c++)
		hash = (hash ^ (uint8_t)*c) * UINT64_C(0x100000001b3);
	return (size_t)(hash ^ hash >> 32);
}

/* The slot of this one, or the empty one that it would have. */
static uint32_t *slot_of(const struct list *l, const struct jid *jid)
{
	size_t at = hash_of(jid) & (2 * l->cap - 1);

	while (l->slots[at] && !jid_equal(&l->seen[l->slots[at] - 1], jid))
		at = (at + 1) & (2 * l->cap - 1);
	return &l->slots[at];
}

/* Most requests name one recipient: room grows with the need. */
static void grow(struct list *l)
{
	size_t cap = l->cap ? 2 * l->cap : 4;
	struct jid *more = arena_alloc(l->arena, cap * sizeof *more);

	if (l->count)
		memcpy(more, l->seen, l->count * sizeof *more);
	l->seen = more;
	l->cap = cap;
	l->slots = arena_alloc(l->arena, 2 * cap * sizeof *l->slots);
	memset(l->slots, 0, 2 * cap * sizeof *l->slots);
	for (size_t i = 0; i < l->count; i++)
		*slot_of(l, &l->seen[i]) = (uint32_t)i + 1;
}

static int add_one(struct list *l, struct span s)
{
	char text[JID_TEXT_MAX];
	uint32_t *slot;
	struct jid jid;

	switch (recipient_resolve(&jid, (const char *)s.p, s.n, l->country_code)) {
	case RECIPIENT_OK:
		break;
	case RECIPIENT_NOTHING:
		return 0;
	default:
		return -1;
	}
	if (l->count == l->cap)
		grow(l);
	slot = slot_of(l, &jid);
	if (*slot)
		return 0;
	if (l->count == l->max)
		return -1;
	l->seen[l->count++] = jid;
	*slot = (uint32_t)l->count;
	json_text(l->out, jid_format(&jid, text, sizeof text));
	return 0;
}

static int add_text(struct list *l, struct span s, unsigned depth)
{
	const char *error;
	struct json *v;

	if (s.n && s.p[0] == '[') {
		v = json_parse(l->arena, s, &error);
		if (v && v->type == JSON_ARRAY)
			return add_value(l, v, depth + 1);
	}
	while (s.n) {
		size_t n = 0;

		while (n < s.n && !strchr(",;\r\n", s.p[n]))
			n++;
		if (add_one(l, span_of(s.p, n)))
			return -1;
		s = n < s.n ? span_of(s.p + n + 1, s.n - n - 1) : span_of(s.p, 0);
	}
	return 0;
}

/* Depth counts array texts inside arrays, so that the recursion stays as bounded as the JSON reader's. */
static int add_value(struct list *l, const struct json *v, unsigned depth)
{
	if (depth > JSON_MAX_DEPTH)
		return -1;
	if (v->type == JSON_STRING || v->type == JSON_NUMBER)
		return add_text(l, v->text, depth);
	if (v->type != JSON_ARRAY)
		return 0;
	for (const struct json *c = v->first; c; c = c->next)
		if (add_value(l, c, depth + 1))
			return -1;
	return 0;
}

int recipients_write(struct arena *a, const char *country_code, const struct json *value, size_t max, struct buf *out)
{
	struct list l = { .arena = a, .country_code = country_code, .out = out, .max = max };

	json_open(out, '[');
	if (add_value(&l, value, 0) || !l.count)
		return -1;
	json_close(out, ']');
	return 0;
}

int recipients_write_one(struct arena *a, const char *country_code, const struct json *value, struct buf *out)
{
	struct buf list = { 0 };
	struct list l = { .arena = a, .country_code = country_code, .out = &list, .max = 2 };
	char text[JID_TEXT_MAX];
	bool good;

	json_open(&list, '[');
	good = !add_value(&l, value, 0) && l.count == 1;
	buf_free(&list);
	if (good)
		json_text(out, jid_format(&l.seen[0], text, sizeof text));
	return good ? 0 : -1;
}
