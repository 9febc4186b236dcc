/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The way of one request through warest.fcgi, see responder.h. */
#include "fcgi/responder.h"

#include <string.h>
#include <strings.h>

#include "common/limits.h"
#include "fcgi/headers.h"
#include "fcgi/json_out.h"
#include "fcgi/responder_output.h"
#include "fcgi/storage_path.h"
#include "fcgi/stream.h"
#include "fcgi/upload.h"
#include "fcgi/uri.h"
#include "fcgi/validate.h"

/* A body of this size is read and parsed only for a key that the daemon knows. */
#define UNCHECKED_BODY_BYTES (64U << 10)

enum outcome { ANSWERED, CLIENT_GONE };

static const struct fault not_found = { 404, 2600, "Not found" };
static const struct fault missing_key = { 401, 0, "Missing X-WAREST-API-KEY" };

void responder_init(struct responder *w, const struct settings *settings, struct daemon_link *link)
{
	*w = (struct responder){ .settings = settings };
	daemon_init(&w->daemon, link);
	arena_init(&w->arena, 0);
	answer_init(&w->answer);
	answer_init(&w->checked);
}

void responder_free(struct responder *w)
{
	daemon_free(&w->daemon);
	arena_free(&w->arena);
	buf_wipe(&w->body_bytes);
	buf_wipe(&w->params);
	buf_free(&w->head);
	buf_wipe(&w->body);
	answer_free(&w->answer);
	answer_free(&w->checked);
}

/* Faults of the body parser, the router and the guards are bare whatever the route's family (K6). */
static void bare_fault(struct responder *w, const struct fault *f)
{
	struct buf b;

	buf_init(&b);
	json_open(&b, '{');
	json_name(&b, "error");
	json_span(&b, utf8_clean(&w->arena, span_text(f->message)));
	json_close(&b, '}');
	answer_fault(&w->answer, f);
	w->answer.bare = span_of(arena_dup(&w->arena, b.data, b.len), b.len);
	buf_free(&b);
}

/* What every question about this request has in common. */
static struct question question_of(struct responder *w, const struct request *r)
{
	const struct route *route = r->match.route;
	struct question q = { .method = "guards.check", .auth = AUTH_KEY, .scope = SCOPE_ANY, .guards = GUARD_RATE,
			      .timeout_ms = w->settings->timeout_ms };

	if (!route) {
		q.route = arena_printf(&w->arena, "%s (unknown)", r->method);
		return q;
	}
	q.auth = route->auth;
	q.scope = route->scope;
	if (route->flags & ROUTE_METRICS && settings_metrics_allowed(w->settings, r->ip))
		q.auth = AUTH_NONE;
	q.guards = route->guards;
	q.route = arena_printf(&w->arena, "%s %s", route->method, route->path);
	if (route->flags & ROUTE_SLOW)
		q.timeout_ms = DAEMON_SLOW_TIMEOUT_MS;
	return q;
}

enum verdict { PASSED, REFUSED, LEFT };

/* Asks the daemon about credentials, guards and session alone. REFUSED: its answer stands in w->answer. */
static enum verdict check(struct responder *w, struct request *r, const struct question *q)
{
	struct question only_guards = *q;
	struct answer swap;
	enum daemon_result result;

	only_guards.method = "guards.check";
	only_guards.idempotency = NULL;
	only_guards.params = span_of(NULL, 0);
	answer_clear(&w->checked);
	result = daemon_ask(&w->daemon, r, &only_guards, &w->checked);
	if (result == DAEMON_CLIENT_GONE)
		return LEFT;
	if (result == DAEMON_ANSWERED && w->checked.status == 200) {
		/* the guards' headers go with whatever is answered */
		buf_append_span(&w->answer.headers, buf_span(&w->checked.headers));
		return PASSED;
	}
	swap = w->answer;
	w->answer = w->checked;
	w->checked = swap;
	return REFUSED;
}

/*
 * Our own refusal of a request, which stands in w->answer, may be told only to callers whose key, guards and session are in order:
 * the daemon is asked first, and its refusal wins.
 */
static enum outcome refuse_after_check(struct responder *w, struct request *r, const struct question *q)
{
	if (r->match.route && r->match.route->auth == AUTH_NONE)
		return ANSWERED;
	return check(w, r, q) == LEFT ? CLIENT_GONE : ANSWERED;
}

static enum outcome unknown_route(struct responder *w, struct request *r)
{
	static const char prefix[] = "/api/v1/";
	bool guarded = r->path.n > sizeof prefix - 1 && !strncasecmp((const char *)r->path.p, prefix, sizeof prefix - 1);
	struct question q;

	answer_fault(&w->answer, &not_found);
	if (!guarded)
		return ANSWERED;
	credentials_read(r, AUTH_KEY);
	if (!r->key) {
		bare_fault(w, &missing_key);
		return ANSWERED;
	}
	q = question_of(w, r);
	return refuse_after_check(w, r, &q);
}

static void login_required(struct responder *w, struct request *r)
{
	struct buf b;

	buf_init(&b);
	json_open(&b, '{');
	json_member(&b, "error", "LOGIN_REQUIRED");
	json_member(&b, "login", arena_printf(&w->arena, "/login?next=%s", uri_encode(&w->arena, r->path)));
	json_close(&b, '}');
	answer_set(&w->answer, 401, 0, NULL);
	w->answer.bare = span_of(arena_dup(&w->arena, b.data, b.len), b.len);
	buf_free(&b);
}

/* Documents: the daemon only says whether the key is good. */
static enum outcome guarded_document(struct responder *w, struct request *r, struct question *q)
{
	enum daemon_result result;

	q->method = "docs.guard";
	result = daemon_ask(&w->daemon, r, q, &w->answer);
	if (result == DAEMON_CLIENT_GONE)
		return CLIENT_GONE;
	if (result == DAEMON_ANSWERED && w->answer.status == 200) {
		answer_set(&w->answer, 200, 0, NULL);
		r->match.route->local(r, &w->answer);
	} else if (result == DAEMON_ANSWERED && w->answer.status == 401) {
		login_required(w, r);
		/* a cookie that does not work any more is taken back */
		w->answer.has_cookie = r->key_from_cookie;
	}
	return ANSWERED;
}

static size_t body_limit(const struct request *r)
{
	return r->match.route->body == BODY_JSON_SEND ? r->settings->json_limit : LIMIT_HTTP_JSON_BYTES;
}

/* Reads the body. False: the answer stands, or *outcome says that nobody waits for one. */
static bool take_body(struct responder *w, struct request *r, const struct question *q, enum outcome *outcome)
{
	struct question key_only = *q;
	enum verdict verdict;

	*outcome = ANSWERED;
	key_only.guards = 0;
	if (q->auth != AUTH_NONE && body_larger(r, UNCHECKED_BODY_BYTES)) {
		verdict = check(w, r, &key_only);
		*outcome = verdict == LEFT ? CLIENT_GONE : ANSWERED;
		if (verdict != PASSED)
			return false;
	}
	if (r->match.route->body == BODY_UPLOAD)
		upload_read(r);
	else
		body_read(r, body_limit(r));
	if (!r->body_fault.message)
		return true;
	bare_fault(w, &r->body_fault);
	*outcome = refuse_after_check(w, r, &key_only);
	return false;
}

/* Session and parameters, in the route's order. Non-zero: the fault stands in the answer. */
static int validate(struct responder *w, struct request *r, struct question *q)
{
	const struct route *route = r->match.route;
	int rc = 0;

	buf_clear(&w->params);
	json_open(&w->params, '{');
	if (validate_idempotency(r, &q->idempotency, &w->answer))
		return -1;
	if (route->first)
		rc = route->first(r, NULL, &w->answer);
	if (!rc && route->flags & ROUTE_PARAMS_FIRST)
		rc = validate_params(r, &w->params, &w->answer);
	if (!rc && route->selector) {
		rc = validate_session(r, &q->choice, &w->answer);
		if (!rc)
			q->family = route->selector->name;
	}
	if (!rc && !(route->flags & ROUTE_PARAMS_FIRST))
		rc = validate_params(r, &w->params, &w->answer);
	json_close(&w->params, '}');
	q->params = buf_span(&w->params);
	return rc;
}

static enum outcome forward(struct responder *w, struct request *r, struct question *q)
{
	const struct route *route = r->match.route;
	enum outcome outcome;

	if (!take_body(w, r, q, &outcome))
		return outcome;
	q->cooldown = validate_cooldown(r, &q->cooldown_raw);
	if (validate(w, r, q))
		return refuse_after_check(w, r, q);
	q->method = route->name;
	if (stream_wanted(r))
		return stream_serve(w, r, q) ? CLIENT_GONE : ANSWERED;
	return daemon_ask(&w->daemon, r, q, &w->answer) == DAEMON_CLIENT_GONE ? CLIENT_GONE : ANSWERED;
}

static enum outcome serve_route(struct responder *w, struct request *r)
{
	const struct route *route = r->match.route;
	struct question q = question_of(w, r);

	credentials_read(r, route->auth);
	if (q.auth != AUTH_NONE && !r->key) {
		if (q.auth == AUTH_DOCS)
			login_required(w, r);
		else
			bare_fault(w, &missing_key);
		return ANSWERED;
	}
	if (!route->local)
		return forward(w, r, &q);
	if (route->auth != AUTH_NONE)
		return guarded_document(w, r, &q);
	answer_set(&w->answer, 200, 1000, NULL);
	route->local(r, &w->answer);
	return ANSWERED;
}

static enum outcome serve(struct responder *w, struct request *r)
{
	if (!cors_allowed(r)) {
		bare_fault(w, &(struct fault){ 403, 0, arena_printf(&w->arena, "CORS not allowed: %s", request_var(r, "HTTP_ORIGIN")) });
		return ANSWERED;
	}
	if (!strcmp(r->method, "OPTIONS")) {
		answer_set(&w->answer, 204, 0, NULL);
		return ANSWERED;
	}
	if (!uri_valid(&w->arena, r->path)) {
		bare_fault(w, &(struct fault){ 400, 0, arena_printf(&w->arena, "Failed to decode param '%.*s'", (int)r->path.n,
								     (const char *)r->path.p) });
		return ANSWERED;
	}
	r->path = storage_path(w->settings, &w->arena, r->path);
	r->match = route_find(r->method, r->path);
	return r->match.route ? serve_route(w, r) : unknown_route(w, r);
}

void responder_serve(struct responder *w, struct exchange *x)
{
	struct request r;

	arena_reset(&w->arena);
	answer_clear(&w->answer);
	request_init(&r, x, w->settings, &w->arena, &w->body_bytes);
	if (serve(w, &r) == ANSWERED) {
		body_drain(&r);
		responder_write(w, &r);
	}
	upload_free(&r);
	/* message texts and secrets do not stay in memory until the next request */
	if (w->body_bytes.len)
		explicit_bzero(w->body_bytes.data, w->body_bytes.len);
	if (w->body_bytes.cap > UNCHECKED_BODY_BYTES)
		buf_free(&w->body_bytes);
	if (w->body.cap > UNCHECKED_BODY_BYTES)
		buf_free(&w->body);
}
