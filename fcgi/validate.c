/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The validator of the route table, see validate.h. How each kind of value is read stands in param_kinds.c. */
#include "fcgi/validate.h"

#include <ctype.h>
#include <string.h>

#include "fcgi/json_out.h"
#include "fcgi/param_kinds.h"
#include "fcgi/uri.h"

/* The value of one name in one place, NULL if absent. */
static const struct json *value_at(struct request *r, const char *name, enum place place, bool nocase)
{
	struct json *(*get)(const struct json *, const char *) = nocase ? json_get_nocase : json_get;
	struct span s;

	switch (place) {
	case PLACE_PATH:
		s = route_value(&r->match, name);
		return s.n ? json_new_string(r->arena, uri_decode(r->arena, s, false)) : NULL;
	case PLACE_QUERY:
		return get(r->query, name);
	case PLACE_BODY:
		return get(r->body, name);
	case PLACE_HEADER:
	case PLACE_END:
		break;
	}
	return NULL;
}

/* For each name, left to right, all places are tried before the next name (rest-a 1.7). */
static const struct json *find_value(struct request *r, const char *name, const char *const *aliases, const enum place *in,
				     param_accept *accept, bool nocase)
{
	for (size_t i = 0; name && i <= PARAM_MAX_ALIASES; name = i < PARAM_MAX_ALIASES ? aliases[i] : NULL, i++) {
		for (size_t k = 0; k < PARAM_MAX_PLACES && in[k]; k++) {
			const struct json *v = value_at(r, name, in[k], nocase);

			if (v && accept(v))
				return v;
		}
	}
	return NULL;
}

bool validate_text(struct request *r, const struct param *p, struct span *text)
{
	const struct json *v = find_value(r, p->name, p->aliases, p->in, param_is_text, false);

	return v && param_text(v, text);
}

static struct span digits_of(struct arena *a, struct span s)
{
	uint8_t *out = arena_alloc(a, s.n), *w = out;

	for (size_t i = 0; i < s.n; i++)
		if (isdigit(s.p[i]))
			*w++ = s.p[i];
	return span_of(out, (size_t)(w - out));
}

/* ^[a-zA-Z0-9._-]{1,64}$, and neither "." nor ".." (D4). */
static bool is_session_id(struct span id)
{
	if (!id.n || id.n > 64 || span_is(id, ".") || span_is(id, ".."))
		return false;
	for (size_t i = 0; i < id.n; i++)
		if (id.p[i] >= 0x80 || !(isalnum(id.p[i]) || (id.p[i] && strchr("._-", id.p[i]))))
			return false;
	return true;
}

static struct span choose(struct request *r, const char *const *names, const struct selector *s)
{
	struct span text = span_of(NULL, 0);
	const struct json *v;

	if (!names[0])
		return text;
	v = find_value(r, names[0], names + 1, s->in, param_is_text, s->nocase);
	if (v)
		param_text(v, &text);
	return text;
}

int validate_session(struct request *r, struct choice *choice, struct answer *answer)
{
	const struct selector *s = r->match.route->selector;
	struct span path = route_value(&r->match, s->ids[0]);

	*choice = (struct choice){ { 0 }, { 0 } };
	choice->id = path.n ? uri_decode(r->arena, path, false) : choose(r, s->ids, s);
	if (!choice->id.n)
		choice->phone = digits_of(r->arena, choose(r, s->phones, s));
	/* Without the fault the daemon chooses. */
	if (!choice->id.n && !choice->phone.n && s->missing.message) {
		answer_fault(answer, &s->missing);
		return -1;
	}
	if (choice->id.n && s->malformed.message && !is_session_id(choice->id)) {
		answer_fault(answer, &s->malformed);
		return -1;
	}
	return 0;
}

static int read_param(struct request *r, const struct param *p, struct buf *out, struct answer *answer)
{
	const struct param_reader *reader = &param_readers[p->kind];
	const struct json *v;
	size_t mark = out->len;
	enum param_result result = PARAM_ABSENT;

	if (!reader->read)
		return 0;
	v = find_value(r, p->name, p->aliases, p->in, reader->accept, false);
	if (v) {
		json_name(out, p->name);
		result = reader->read(r, p, v, out);
	}
	if (result == PARAM_OK)
		return 0;
	out->len = mark;
	if (result == PARAM_INVALID && p->invalid.message) {
		answer_fault(answer, &p->invalid);
		return -1;
	}
	if (p->required && p->missing.message) {
		answer_fault(answer, &p->missing);
		return -1;
	}
	if (p->fallback) {
		json_name(out, p->name);
		json_raw(out, span_text(p->fallback));
	}
	return 0;
}

int validate_params(struct request *r, struct buf *p, struct answer *answer)
{
	const struct route *route = r->match.route;

	for (size_t i = 0; i < route->params_count; i++)
		if (read_param(r, &route->params[i], p, answer))
			return -1;
	return route->prepare ? route->prepare(r, p, answer) : 0;
}

/* What JavaScript's Array.toString makes of a value. */
static void comma_join(struct buf *b, const struct json *v, bool inside)
{
	switch (v->type) {
	case JSON_STRING:
	case JSON_NUMBER:
		buf_append_span(b, v->text);
		break;
	case JSON_BOOL:
		buf_append_text(b, v->truth ? "true" : "false");
		break;
	case JSON_NULL:
		if (!inside)
			buf_append_text(b, "null");
		break;
	case JSON_OBJECT:
		buf_append_text(b, "[object Object]");
		break;
	case JSON_ARRAY:
		for (const struct json *c = v->first; c; c = c->next) {
			if (c != v->first)
				buf_u8(b, ',');
			comma_join(b, c, true);
		}
		break;
	}
}

static bool truthy(const struct json *v)
{
	static const char zero[] = "-0.eE+";

	switch (v->type) {
	case JSON_NULL:
		return false;
	case JSON_BOOL:
		return v->truth;
	case JSON_STRING:
		return v->text.n > 0;
	case JSON_NUMBER:
		for (size_t i = 0; i < v->text.n && v->text.p[i] != 'e' && v->text.p[i] != 'E'; i++)
			if (!strchr(zero, v->text.p[i]))
				return true;
		return false;
	case JSON_ARRAY:
	case JSON_OBJECT:
		break;
	}
	return true;
}

bool validate_cooldown(struct request *r, struct span *raw)
{
	const struct json *to = json_get(r->body, "to");
	struct buf b;

	if (!to || !truthy(to))
		return false;
	buf_init(&b);
	comma_join(&b, to, false);
	*raw = span_of(arena_dup(r->arena, b.data, b.len), b.len);
	buf_free(&b);
	return true;
}

int validate_idempotency(struct request *r, const char **key, struct answer *answer)
{
	static const struct fault bad = { 400, 2002, "Idempotency-Key must be 1 to 128 printable characters" };
	const char *value = r->x->ops->var(r->x, "HTTP_IDEMPOTENCY_KEY");
	size_t n;

	*key = NULL;
	if (!value || !(r->match.route->flags & ROUTE_IDEMPOTENT))
		return 0;
	n = strlen(value);
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)value[i] < 0x20 || (unsigned char)value[i] > 0x7e)
			n = 0;
	if (!n || n > 128) {
		answer_fault(answer, &bad);
		return -1;
	}
	*key = value;
	return 0;
}
