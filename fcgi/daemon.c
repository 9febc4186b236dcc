/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Questions to warest-sessiond, see daemon.h. */
#include "fcgi/daemon.h"

#include <stdlib.h>
#include <string.h>

#include "common/timefmt.h"
#include "fcgi/json_out.h"
#include "fcgi/json_scan.h"
#include "fcgi/upload_input.h"

#define LOG_PAUSE_MS 10000

static const struct fault unavailable = { 503, 8001, "Service temporarily unavailable" };
static const struct fault too_large = { 413, 2006, "request entity too large" };

void daemon_link_init(struct daemon_link *link, struct rpc_pool *pool, struct log log)
{
	link->pool = pool;
	link->stop_fd = -1;
	atomic_init(&link->streams, 0);
	link->log = log;
	atomic_init(&link->away, false);
	atomic_init(&link->logged_ms, 0);
}

/* One line when the daemon goes away, one per LOG_PAUSE_MS while it stays away, one when it is back. */
static void note_state(struct daemon_link *link, int rc, const char *method)
{
	int64_t now_ms = timefmt_monotonic_ms(), last_ms = atomic_load(&link->logged_ms);

	if (rc == RPC_OK) {
		if (atomic_load(&link->away) && atomic_exchange(&link->away, false))
			log_info(&link->log, "the daemon answers again");
		return;
	}
	if (atomic_exchange(&link->away, true) && now_ms - last_ms < LOG_PAUSE_MS)
		return;
	if (atomic_compare_exchange_strong(&link->logged_ms, &last_ms, now_ms))
		log_error(&link->log, "the daemon did not answer", LOG_STR("reason", rpc_error_text(rc)), LOG_STR("method", method));
}

void daemon_init(struct daemon *d, struct daemon_link *link)
{
	*d = (struct daemon){ .link = link };
	rpc_reply_init(&d->reply);
}

void daemon_free(struct daemon *d)
{
	buf_wipe(&d->frame);
	rpc_reply_free(&d->reply);
}

static void write_guards(struct buf *b, const struct question *q)
{
	json_name(b, "guards");
	json_open(b, '{');
	if (q->guards & GUARD_RATE) {
		json_name(b, "rate");
		json_bool(b, true);
	}
	if (q->guards & GUARD_COOLDOWN && q->cooldown) {
		json_name(b, "cooldown");
		json_span(b, q->cooldown_raw);
	}
	if (q->guards & GUARD_QUOTA) {
		json_name(b, "quota");
		json_bool(b, true);
	}
	json_close(b, '}');
}

static void write_choice(struct buf *b, const struct question *q)
{
	if (!q->family)
		return;
	json_name(b, "session");
	json_open(b, '{');
	json_member(b, "family", q->family);
	if (q->choice.id.n) {
		json_name(b, "id");
		json_span(b, q->choice.id);
	}
	if (q->choice.phone.n) {
		json_name(b, "phone");
		json_span(b, q->choice.phone);
	}
	json_close(b, '}');
}

static void write_question(struct buf *b, const struct request *r, const struct question *q)
{
	static const char *const auths[] = { [AUTH_NONE] = "none", [AUTH_KEY] = "key", [AUTH_ADMIN] = "admin", [AUTH_DOCS] = "docs" };

	json_open(b, '{');
	json_member(b, "m", q->method);
	json_member(b, "auth", auths[q->auth]);
	if (scope_name(q->scope))
		json_member(b, "scope", scope_name(q->scope));
	if (r->key) {
		json_name(b, "key");
		json_span(b, utf8_clean(r->arena, span_text(r->key)));
	}
	if (r->key_from_cookie) {
		json_name(b, "cookie");
		json_bool(b, true);
	}
	json_name(b, "ip");
	json_span(b, utf8_clean(r->arena, span_text(r->ip)));
	write_guards(b, q);
	write_choice(b, q);
	if (q->idempotency) {
		json_name(b, "idem");
		json_open(b, '{');
		json_member(b, "key", q->idempotency);
		json_close(b, '}');
	}
	json_member(b, "route", q->route);
	if (q->params.n) {
		json_name(b, "p");
		json_raw(b, q->params);
	}
	json_close(b, '}');
}

/* Text of a JSON string value, unescaped into the arena; NULL if it is none. */
static const char *text_of(struct arena *a, struct span value)
{
	const char *error;
	struct json *v = json_parse(a, value, &error);

	return v && v->type == JSON_STRING ? arena_text(a, v->text.p, v->text.n) : NULL;
}

static void read_headers(struct arena *a, struct span json, struct answer *answer)
{
	struct json_scan s = json_scan_object(json);
	struct span name, value;

	while (json_scan_next(&s, &name, &value)) {
		const char *text = value.p[0] == '"' ? text_of(a, value) : arena_text(a, value.p, value.n);

		if (text)
			answer_header(answer, arena_text(a, name.p, name.n), span_text(text));
	}
}

static void read_file(struct arena *a, struct span json, struct answer *answer)
{
	struct json_scan s = json_scan_object(json);
	struct span name, value;

	while (json_scan_next(&s, &name, &value)) {
		if (span_is(name, "type"))
			answer->type = text_of(a, value);
		else if (span_is(name, "length"))
			answer->file_length = strtoull(arena_text(a, value.p, value.n), NULL, 10);
	}
}

static void read_member(struct arena *a, struct span name, struct span value, struct answer *answer)
{
	if (span_is(name, "status"))
		answer->status = (int)strtol(arena_text(a, value.p, value.n), NULL, 10);
	else if (span_is(name, "code"))
		answer->code = (int)strtol(arena_text(a, value.p, value.n), NULL, 10);
	else if (span_is(name, "message"))
		answer->message = text_of(a, value);
	else if (span_is(name, "result"))
		answer->result = value;
	else if (span_is(name, "failed"))
		answer->failed = value;
	else if (span_is(name, "bare"))
		answer->bare = value;
	else if (span_is(name, "file")) {
		answer->has_file = true;
		read_file(a, value, answer);
	} else if (span_is(name, "result_file")) {
		answer->result_file = true;
		read_file(a, value, answer);
	}
	else if (span_is(name, "headers"))
		read_headers(a, value, answer);
	else if (span_is(name, "cookie")) {
		const char *key = text_of(a, value);

		answer->has_cookie = key != NULL;
		answer->cookie = span_text(key ? key : "");
	}
}

int daemon_read_answer(struct arena *a, struct span json, struct answer *answer)
{
	struct json_scan s = json_scan_object(json);
	struct span name, value;

	answer_set(answer, 0, 0, NULL);
	while (json_scan_next(&s, &name, &value))
		read_member(a, name, value, answer);
	return s.broken || answer->status < 200 || answer->status > 599 ? -1 : 0;
}

enum daemon_result daemon_ask(struct daemon *d, struct request *r, const struct question *q, struct answer *answer)
{
	const struct upload *u = q->params.n ? r->upload : NULL;
	const int *fds = u && u->nfds ? u->fds : NULL;
	size_t nfds = u ? u->nfds : 0;
	struct rpc_watch watch = { -1, -1 };
	int rc;

	if (!d->link) {
		answer_fault(answer, &unavailable);
		return DAEMON_AWAY;
	}
	buf_clear(&d->frame);
	write_question(&d->frame, r, q);
	watch = (struct rpc_watch){ r->x->ops->watch(r->x), q->until_stop ? d->link->stop_fd : -1 };
	rc = rpc_call_watched(d->link->pool, (const char *)d->frame.data, d->frame.len, fds, nfds, q->timeout_ms, watch, &d->reply);
	explicit_bzero(d->frame.data, d->frame.len);
	if (rc == RPC_OK && daemon_read_answer(r->arena, buf_span(&d->reply.json), answer))
		rc = RPC_E_PROTOCOL;
	if (rc == RPC_OK && answer->result_file && d->reply.nfds == 0)
		rc = RPC_E_PROTOCOL;
	if (rc == RPC_E_GONE)
		return DAEMON_CLIENT_GONE;
	if (rc == RPC_E_TOO_BIG) {
		answer_fault(answer, &too_large);
		return DAEMON_ANSWERED;
	}
	note_state(d->link, rc, q->method);
	if (rc == RPC_OK && (answer->has_file || answer->result_file) && d->reply.nfds) {
		answer->file = d->reply.fds[0];
		d->reply.fds[0] = -1;
	}
	if (rc == RPC_OK)
		return DAEMON_ANSWERED;
	answer_fault(answer, &unavailable);
	return DAEMON_AWAY;
}
