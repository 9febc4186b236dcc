/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The OpenAPI document, see openapi.h. Success bodies are described by the fields that the table names:
 *
 *     "steps.runtime items[].id qr?"  ->  {steps:{runtime}, items:[{id}], qr (optional)}
 */
#include "fcgi/openapi.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/arena.h"
#include "config.h"
#include "fcgi/answer.h"
#include "fcgi/json_out.h"
#include "fcgi/route.h"

struct document {
	struct buf *out;    /* borrowed */
	struct arena *arena; /* borrowed */
};

static void member(struct document *d, const char *name, char bracket)
{
	json_name(d->out, name);
	json_open(d->out, bracket);
}

static void end_object(struct document *d)
{
	json_close(d->out, '}');
}

/* "string|array" -> "string" or ["string","array"] */
static void write_type(struct document *d, const char *types)
{
	struct span rest = span_text(types);
	bool many = strchr(types, '|') != NULL;

	json_name(d->out, "type");
	if (many)
		json_open(d->out, '[');
	while (rest.n) {
		const uint8_t *bar = memchr(rest.p, '|', rest.n);
		size_t n = bar ? (size_t)(bar - rest.p) : rest.n;

		json_span(d->out, span_of(rest.p, n));
		rest = span_of(rest.p + n + (bar != NULL), rest.n - n - (bar != NULL));
	}
	if (many)
		json_close(d->out, ']');
}

static void write_schema(struct document *d, const struct param *p)
{
	member(d, "schema", '{');
	write_type(d, p->type);
	if (p->kind == PARAM_RECIPIENTS || p->kind == PARAM_STRINGS || p->kind == PARAM_FIRST) {
		member(d, "items", '{');
		json_member(d->out, "type", "string");
		end_object(d);
	}
	if (p->values) {
		member(d, "enum", '[');
		for (const char *const *v = p->values; *v; v++)
			json_text(d->out, *v);
		json_close(d->out, ']');
	}
	if (p->max > p->min && p->kind != PARAM_RECIPIENTS) {
		json_name(d->out, "minimum");
		buf_printf(d->out, "%.15g", p->min);
		json_name(d->out, "maximum");
		buf_printf(d->out, "%.15g", p->max);
	}
	if (p->fallback) {
		json_name(d->out, "default");
		json_raw(d->out, span_text(p->fallback));
	}
	end_object(d);
}

static void write_note(struct document *d, const char *note, const char *const aliases[PARAM_MAX_ALIASES])
{
	const char *text = note ? note : "";

	if (aliases && aliases[0]) {
		text = arena_printf(d->arena, "%s%sAlso read under the name%s", text, *text ? ". " : "", aliases[1] ? "s" : "");
		for (size_t i = 0; i < PARAM_MAX_ALIASES && aliases[i]; i++)
			text = arena_printf(d->arena, "%s%s %s", text, i ? "," : "", aliases[i]);
	}
	if (*text)
		json_member(d->out, "description", text);
}

static bool has_place(const struct param *p, enum place place)
{
	for (size_t i = 0; i < PARAM_MAX_PLACES && p->in[i]; i++)
		if (p->in[i] == place)
			return true;
	return false;
}

static bool has_body(const struct route *r)
{
	return r->body != BODY_NONE;
}

static void write_parameter(struct document *d, const struct route *r, const struct param *p, const char *in)
{
	json_open(d->out, '{');
	json_member(d->out, "name", p->name);
	json_member(d->out, "in", in);
	write_note(d, p->note, p->aliases);
	json_name(d->out, "required");
	/* what may also stand in the body is not required here */
	json_bool(d->out, p->required && (!strcmp(in, "path") || !has_body(r) || !has_place(p, PLACE_BODY)));
	write_schema(d, p);
	end_object(d);
}

static struct param selector_param(const char *const names[PARAM_MAX_ALIASES], const struct selector *s, bool required, const char *note)
{
	struct param p = { .name = names[0], .kind = PARAM_STRING, .type = "string", .required = required, .note = note };

	for (size_t i = 0; i + 1 < PARAM_MAX_ALIASES && names[i + 1]; i++)
		p.aliases[i] = names[i + 1];
	memcpy(p.in, s->in, sizeof p.in);
	return p;
}

/* Calls fn for every parameter of a route, those that choose the session first. */
static void each_param(struct document *d, const struct route *r, void (*fn)(struct document *, const struct route *, const struct param *))
{
	const struct selector *s = r->selector;
	struct param p;

	if (s && !strstr(r->path, "{sessionId}")) {
		p = selector_param(s->ids, s, !s->phones[0], "the session");
		fn(d, r, &p);
		if (s->phones[0]) {
			p = selector_param(s->phones, s, false, "the session's own phone number, instead of its id");
			fn(d, r, &p);
		}
	}
	for (size_t i = 0; i < r->params_count; i++)
		fn(d, r, &r->params[i]);
}

static void parameter_of_place(struct document *d, const struct route *r, const struct param *p)
{
	if (has_place(p, PLACE_PATH))
		write_parameter(d, r, p, "path");
	if (has_place(p, PLACE_QUERY) && !(has_body(r) && has_place(p, PLACE_BODY)))
		write_parameter(d, r, p, "query");
	/* OpenAPI ignores a parameter named Authorization: the security scheme stands for it */
	if (has_place(p, PLACE_HEADER) && strcmp(p->name, "Authorization"))
		write_parameter(d, r, p, "header");
}

static void body_property(struct document *d, const struct route *r, const struct param *p)
{
	(void)r;
	if (!has_place(p, PLACE_BODY))
		return;
	member(d, p->name, '{');
	write_note(d, p->note, p->aliases);
	write_type(d, p->type);
	if (p->values) {
		member(d, "enum", '[');
		for (const char *const *v = p->values; *v; v++)
			json_text(d->out, *v);
		json_close(d->out, ']');
	}
	if (p->fallback) {
		json_name(d->out, "default");
		json_raw(d->out, span_text(p->fallback));
	}
	end_object(d);
}

static void required_name(struct document *d, const struct route *r, const struct param *p)
{
	(void)r;
	if (p->required && has_place(p, PLACE_BODY) && !has_place(p, PLACE_QUERY))
		json_text(d->out, p->name);
}

static void write_request_body(struct document *d, const struct route *r)
{
	size_t mark;

	if (!has_body(r))
		return;
	member(d, "requestBody", '{');
	member(d, "content", '{');
	member(d, "application/json", '{');
	member(d, "schema", '{');
	json_member(d->out, "type", "object");
	member(d, "properties", '{');
	each_param(d, r, body_property);
	end_object(d);
	mark = d->out->len;
	member(d, "required", '[');
	each_param(d, r, required_name);
	json_close(d->out, ']');
	if (d->out->data[d->out->len - 2] == '[')
		d->out->len = mark;
	end_object(d);
	end_object(d);
	end_object(d);
	end_object(d);
}

/* One dotted name of the table's fields as nested properties. */
struct field {
	struct field *first, *last, *next; /* in the arena */
	struct span name;
	bool array, optional;
};

static struct field *add_field(struct document *d, struct field *parent, struct span name)
{
	struct field *f;

	for (f = parent->first; f; f = f->next)
		if (span_equal(f->name, name))
			return f;
	f = arena_alloc(d->arena, sizeof *f);
	f->name = name;
	if (parent->last)
		parent->last->next = f;
	else
		parent->first = f;
	parent->last = f;
	return f;
}

static void parse_field(struct document *d, struct field *root, struct span word)
{
	bool optional = word.n && word.p[word.n - 1] == '?';
	struct field *at = root;

	word.n -= optional;
	while (word.n) {
		const uint8_t *dot = memchr(word.p, '.', word.n);
		size_t n = dot ? (size_t)(dot - word.p) : word.n;
		bool array = n >= 2 && !memcmp(word.p + n - 2, "[]", 2);

		at = add_field(d, at, span_of(word.p, array ? n - 2 : n));
		at->array |= array;
		word = span_of(word.p + n + (dot != NULL), word.n - n - (dot != NULL));
	}
	at->optional |= optional;
}

/* Members of an object that is open already. */
static void write_properties(struct document *d, const struct field *parent)
{
	json_member(d->out, "type", "object");
	member(d, "properties", '{');
	for (const struct field *f = parent->first; f; f = f->next) {
		member(d, arena_text(d->arena, f->name.p, f->name.n), '{');
		if (f->array) {
			json_member(d->out, "type", "array");
			member(d, "items", '{');
		}
		if (f->first)
			write_properties(d, f);
		if (f->array)
			end_object(d);
		end_object(d);
	}
	end_object(d);
}

static struct field *parse_fields(struct document *d, const char *fields)
{
	struct field *root = arena_alloc(d->arena, sizeof *root);
	const char *at = fields;

	while (*at) {
		size_t n = strcspn(at, " ");

		parse_field(d, root, span_of(at, n));
		at += n + strspn(at + n, " ");
	}
	return root;
}

/* {"const":x} of a member of the envelope. */
static void write_const(struct document *d, const char *name, const char *json)
{
	member(d, name, '{');
	json_name(d->out, "const");
	json_raw(d->out, span_text(json));
	end_object(d);
}

static void write_success_schema(struct document *d, const struct route *r, const struct success *s)
{
	struct field *root = parse_fields(d, s->fields ? s->fields : "");

	member(d, "schema", '{');
	if (r->family == FAMILY_BARE || r->family == FAMILY_FILE) {
		/* "[].x": the body is an array */
		if (root->first && !root->first->name.n) {
			json_member(d->out, "type", "array");
			member(d, "items", '{');
			write_properties(d, root->first);
			end_object(d);
		} else {
			write_properties(d, root);
		}
		end_object(d);
		return;
	}
	json_member(d->out, "type", "object");
	member(d, "properties", '{');
	write_const(d, "status", "true");
	write_const(d, "code", arena_printf(d->arena, "%d", s->code));
	member(d, "message", '{');
	json_member(d->out, "type", "string");
	end_object(d);
	member(d, r->family == FAMILY_S ? "result" : "results", '{');
	if (r->family == FAMILY_S) {
		write_properties(d, root);
	} else {
		json_member(d->out, "type", "array");
		member(d, "items", '{');
		write_properties(d, root);
		end_object(d);
	}
	end_object(d);
	end_object(d);
	end_object(d);
}

static void write_success(struct document *d, const struct route *r, const struct success *s)
{
	bool bytes = r->family == FAMILY_FILE && strcmp(r->tag, "Files") == 0;
	const char *type = bytes ? "application/octet-stream" : s->status == 200 && r->family == FAMILY_FILE && strstr(r->path, "yaml") ? "application/yaml" : "application/json";

	member(d, "content", '{');
	member(d, type, '{');
	write_success_schema(d, r, s);
	end_object(d);
	end_object(d);
}

/* All texts that share a status: a response is keyed by its status. */
struct response {
	int status;
	const struct success *success; /* the first one of that status, NULL for errors */
	const char *text;
	const char *envelope; /* name of the error schema */
};

#define MAX_RESPONSES 24U

static void add_response(struct document *d, struct response *all, size_t *n, int status, int code, const char *text, const char *envelope,
			 const struct success *success)
{
	const char *line = code ? arena_printf(d->arena, "%d %s", code, text) : text;

	for (size_t i = 0; i < *n; i++) {
		if (all[i].status != status)
			continue;
		if (!strstr(all[i].text, line))
			all[i].text = arena_printf(d->arena, "%s; %s", all[i].text, line);
		return;
	}
	if (*n < MAX_RESPONSES)
		all[(*n)++] = (struct response){ status, success, line, envelope };
}

static const char *envelope_name(const struct route *r)
{
	static const char *const names[] = { [FAMILY_A] = "ErrorResults", [FAMILY_A_NULL] = "ErrorNullResults", [FAMILY_S] = "ErrorResult",
					     [FAMILY_BARE] = "Bare", [FAMILY_FILE] = "Bare" };

	return names[r->family];
}

static void guard_responses(struct document *d, const struct route *r, struct response *all, size_t *n)
{
	if (r->body != BODY_NONE) {
		add_response(d, all, n, 400, 0, "<JSON parser text>", "Bare", NULL);
		add_response(d, all, n, 413, 0, "request entity too large", "Bare", NULL);
		add_response(d, all, n, 415, 0, "unsupported charset|content encoding", "Bare", NULL);
	}
	if (r->auth == AUTH_KEY || r->auth == AUTH_ADMIN) {
		add_response(d, all, n, 401, 0, "Missing X-WAREST-API-KEY", "Bare", NULL);
		add_response(d, all, n, 401, 0, "Invalid X-WAREST-API-KEY", "Bare", NULL);
	}
	if (r->auth == AUTH_ADMIN)
		add_response(d, all, n, 403, 0, "Admin only", "Bare", NULL);
	if (r->auth == AUTH_KEY && r->scope != SCOPE_ANY) {
		add_response(d, all, n, 403, 2205, arena_printf(d->arena, "Scope does not allow this operation (it needs %s)", scope_name(r->scope)),
			     envelope_name(r), NULL);
	}
	if (r->auth == AUTH_KEY || r->auth == AUTH_ADMIN)
		add_response(d, all, n, 403, 2201, "This key may not be used from this address", envelope_name(r), NULL);
	if (r->auth == AUTH_DOCS)
		add_response(d, all, n, 401, 0, "LOGIN_REQUIRED", "Bare", NULL);
	if (r->guards & GUARD_RATE)
		add_response(d, all, n, 429, 0, "Too many requests", "Bare", NULL);
	if (r->guards & GUARD_COOLDOWN)
		add_response(d, all, n, 429, 0, "Recipient cooldown", "Bare", NULL);
	if (r->guards & GUARD_QUOTA)
		add_response(d, all, n, 429, 0, "Quota exceeded", "Bare", NULL);
}

static size_t collect_responses(struct document *d, const struct route *r, struct response *all)
{
	const struct selector *s = r->selector;
	const char *own = envelope_name(r);
	size_t n = 0;

	for (const struct success *ok = r->successes; ok && ok->status; ok++)
		add_response(d, all, &n, ok->status, ok->code, ok->message ? ok->message : http_reason(ok->status), own, ok);
	for (const struct fault *e = r->errors; e && e->status; e++)
		add_response(d, all, &n, e->status, e->code, e->message, own, NULL);
	if (s) {
		if (s->missing.message)
			add_response(d, all, &n, s->missing.status, s->missing.code, s->missing.message, own, NULL);
		if (s->malformed.message)
			add_response(d, all, &n, s->malformed.status, s->malformed.code, s->malformed.message, own, NULL);
		for (size_t i = 0; i < COUNT(s->other) && s->other[i].status; i++)
			add_response(d, all, &n, s->other[i].status, s->other[i].code, s->other[i].message, own, NULL);
	}
	guard_responses(d, r, all, &n);
	if (!r->local || r->auth != AUTH_NONE)
		add_response(d, all, &n, 503, r->family == FAMILY_BARE || r->family == FAMILY_FILE ? 0 : 8001,
			     "Service temporarily unavailable", own, NULL);
	return n;
}

static void write_responses(struct document *d, const struct route *r)
{
	struct response all[MAX_RESPONSES];
	size_t n = collect_responses(d, r, all);

	member(d, "responses", '{');
	for (size_t i = 0; i < n; i++) {
		member(d, arena_printf(d->arena, "%d", all[i].status), '{');
		json_member(d->out, "description", all[i].text);
		if (all[i].success) {
			write_success(d, r, all[i].success);
		} else {
			member(d, "content", '{');
			member(d, "application/json", '{');
			member(d, "schema", '{');
			json_member(d->out, "$ref", arena_printf(d->arena, "#/components/schemas/%s", all[i].envelope));
			end_object(d);
			end_object(d);
			end_object(d);
		}
		end_object(d);
	}
	end_object(d);
}

static void write_security(struct document *d, const struct route *r)
{
	static const char *const schemes[] = { "ApiKey", "Bearer", "Cookie" };
	size_t n = r->auth == AUTH_NONE ? 0 : r->auth == AUTH_DOCS ? 3 : 2;

	member(d, "security", '[');
	for (size_t i = 0; i < n; i++) {
		json_open(d->out, '{');
		member(d, schemes[i], '[');
		json_close(d->out, ']');
		end_object(d);
	}
	json_close(d->out, ']');
}

static void write_operation(struct document *d, const struct route *r)
{
	char method[8];

	snprintf(method, sizeof method, "%s", r->method);
	for (char *c = method; *c; c++)
		*c = (char)(*c | 0x20);
	member(d, method, '{');
	member(d, "tags", '[');
	json_text(d->out, r->tag);
	json_close(d->out, ']');
	json_member(d->out, "operationId", arena_printf(d->arena, "%s.%s", r->name, method));
	json_member(d->out, "summary", r->title);
	json_member(d->out, "description", r->text);
	write_security(d, r);
	if (scope_name(r->scope))
		json_member(d->out, "x-scope", scope_name(r->scope));
	member(d, "parameters", '[');
	each_param(d, r, parameter_of_place);
	if (r->flags & ROUTE_IDEMPOTENT)
		json_raw(d->out, span_text("{\"$ref\":\"#/components/parameters/IdempotencyKey\"}"));
	json_close(d->out, ']');
	write_request_body(d, r);
	write_responses(d, r);
	end_object(d);
}

/* Was this path written with an earlier route already? */
static bool path_seen(const struct route *stop)
{
	for (const struct route_group *const *g = route_groups; *g; g++)
		for (size_t i = 0; i < (*g)->count; i++) {
			if (&(*g)->routes[i] == stop)
				return false;
			if (!strcmp((*g)->routes[i].path, stop->path))
				return true;
		}
	return false;
}

/* Of all groups: a path's methods may stand in different ones. */
static void write_operations(struct document *d, const char *path)
{
	for (const struct route_group *const *g = route_groups; *g; g++)
		for (size_t i = 0; i < (*g)->count; i++)
			if (!strcmp((*g)->routes[i].path, path))
				write_operation(d, &(*g)->routes[i]);
}

static void write_paths(struct document *d)
{
	member(d, "paths", '{');
	for (const struct route_group *const *g = route_groups; *g; g++)
		for (size_t i = 0; i < (*g)->count; i++) {
			const struct route *r = &(*g)->routes[i];

			if (path_seen(r))
				continue;
			member(d, r->path, '{');
			write_operations(d, r->path);
			end_object(d);
		}
	end_object(d);
}

static const char components[] =
	"{\"securitySchemes\":{"
	"\"ApiKey\":{\"type\":\"apiKey\",\"in\":\"header\",\"name\":\"X-WAREST-API-KEY\"},"
	"\"Bearer\":{\"type\":\"http\",\"scheme\":\"bearer\"},"
	"\"Cookie\":{\"type\":\"apiKey\",\"in\":\"cookie\",\"name\":\"WAREST_DOCS_SESSION\"}},"
	"\"parameters\":{\"IdempotencyKey\":{\"name\":\"Idempotency-Key\",\"in\":\"header\",\"required\":false,"
	"\"description\":\"1 to 128 printable characters, remembered for 24 hours per API key and route\","
	"\"schema\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":128}}},"
	"\"schemas\":{"
	"\"Bare\":{\"type\":\"object\",\"properties\":{\"error\":{\"type\":\"string\"},\"retryAfter\":{\"type\":\"integer\"},"
	"\"login\":{\"type\":\"string\"}},\"required\":[\"error\"]},"
	"\"ErrorResults\":{\"type\":\"object\",\"properties\":{\"status\":{\"const\":false},\"code\":{\"type\":\"integer\"},"
	"\"message\":{\"type\":\"string\"},\"results\":{\"type\":\"array\"}},\"required\":[\"status\",\"code\",\"message\",\"results\"]},"
	"\"ErrorNullResults\":{\"type\":\"object\",\"properties\":{\"status\":{\"const\":false},\"code\":{\"type\":\"integer\"},"
	"\"message\":{\"type\":\"string\"},\"results\":{\"type\":[\"array\",\"null\"]}},"
	"\"required\":[\"status\",\"code\",\"message\",\"results\"]},"
	"\"ErrorResult\":{\"type\":\"object\",\"properties\":{\"status\":{\"const\":false},\"code\":{\"type\":\"integer\"},"
	"\"message\":{\"type\":\"string\"},\"result\":{\"type\":[\"object\",\"null\"]}},"
	"\"required\":[\"status\",\"code\",\"message\",\"result\"]}}}";

static void write_server(struct document *d, const char *url, const char *description)
{
	json_open(d->out, '{');
	json_member(d->out, "url", url);
	json_member(d->out, "description", description);
	end_object(d);
}

void openapi_json(struct buf *out, const char *server, unsigned port)
{
	struct arena arena;
	struct document d = { out, &arena };

	arena_init(&arena, 0);
	json_open(out, '{');
	json_member(out, "openapi", "3.1.0");
	member(&d, "info", '{');
	json_member(out, "title", "WAREST");
	json_member(out, "version", PACKAGE_VERSION);
	json_member(out, "description", "A self-hosted WhatsApp REST gateway. Key, rate, cooldown, quota and parser errors are bare objects "
					"{\"error\":..} on every route.");
	member(&d, "license", '{');
	json_member(out, "name", "GPL-3.0-or-later");
	json_member(out, "identifier", "GPL-3.0-or-later");
	end_object(&d);
	end_object(&d);
	member(&d, "servers", '[');
	if (server)
		write_server(&d, server, "Current server (auto-detected)");
	write_server(&d, arena_printf(&arena, "http://localhost:%u", port), "Local server");
	json_close(out, ']');
	write_paths(&d);
	json_name(out, "components");
	json_raw(out, span_text(components));
	json_close(out, '}');
	arena_free(&arena);
}
