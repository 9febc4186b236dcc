/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Live views, see stream.h. */
#include "fcgi/stream.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/timefmt.h"
#include "fcgi/json_out.h"
#include "fcgi/json_scan.h"
#include "fcgi/responder_output.h"

enum {
	RETRY_MS = 2000,     /* after which the client comes back */
	AWAY_MS = 500,       /* between two questions to a daemon that is away */
	CURSOR_BYTES = 8192
};

struct stream {
	struct responder *w;     /* borrowed, as all pointers here */
	struct request r;        /* with an arena of its own, emptied for each question */
	struct question q;
	struct arena arena;      /* owned */
	struct buf params;       /* owned: of the question */
	struct buf out;          /* owned: what is to be written */
	struct buf cursor;       /* owned: where the daemon's last page ended */
	struct buf told;         /* owned: the last cursor that the client got */
	char name[64];
	int64_t ends_ms, beat_ms; /* monotonic; beat: when something was last written */
};

bool stream_wanted(const struct request *r)
{
	static const char wanted[] = "text/event-stream";
	const char *accept = request_var(r, "HTTP_ACCEPT");
	size_t n = accept ? strlen(accept) : 0;

	if (!(r->match.route->flags & ROUTE_STREAM) || strcmp(r->method, "GET"))
		return false;
	for (size_t i = 0; i + sizeof wanted - 1 <= n; i++) {
		if (!strncasecmp(accept + i, wanted, sizeof wanted - 1))
			return true;
	}
	return false;
}

/* ---- questions ---- */

/* The parameters of the request, and behind them, where they win, those of this question. */
static void write_params(struct stream *s, struct span given, int64_t wait_s)
{
	buf_clear(&s->params);
	buf_append(&s->params, given.p, given.n - 1);
	json_member(&s->params, "stream", s->name);
	json_name(&s->params, "wait");
	json_int(&s->params, wait_s);
	if (s->cursor.len) {
		json_name(&s->params, "after");
		json_span(&s->params, buf_span(&s->cursor));
	}
	json_close(&s->params, '}');
	s->q.params = buf_span(&s->params);
}

static enum daemon_result ask(struct stream *s, struct span given, int64_t wait_s)
{
	arena_reset(&s->arena);
	answer_clear(&s->w->answer);
	write_params(s, given, wait_s);
	s->q.timeout_ms = s->w->settings->timeout_ms + wait_s * 1000;
	return daemon_ask(&s->w->daemon, &s->r, &s->q, &s->w->answer);
}

/* The place of this stream is free for another one. */
static void say_end(struct stream *s)
{
	s->q.method = "events.end";
	s->q.until_stop = false;
	(void)ask(s, span_text("{}"), 0);
}

/* ---- what the client gets ---- */

static struct span unquoted(struct span text)
{
	return text.n >= 2 && text.p[0] == '"' ? span_of(text.p + 1, text.n - 2) : span_of(text.p, 0);
}

static struct span member(struct span object, const char *wanted)
{
	struct json_scan scan = json_scan_object(object);
	struct span name, value;

	while (json_scan_next(&scan, &name, &value)) {
		if (span_is(name, wanted))
			return value;
	}
	return span_of(NULL, 0);
}

/* JSON has no line ends of its own, except between its parts. */
static void put_line(struct buf *out, const char *field, struct span text)
{
	buf_append_text(out, field);
	for (size_t i = 0; i < text.n; i++)
		buf_u8(out, text.p[i] == '\n' || text.p[i] == '\r' ? ' ' : text.p[i]);
	buf_u8(out, '\n');
}

static void put_events(struct stream *s, struct span page)
{
	struct json_scan events = json_scan_array(member(page, "events"));
	struct json_scan cursors = json_scan_array(member(page, "cursors"));
	struct span event, cursor;

	while (json_scan_item(&events, &event) && json_scan_item(&cursors, &cursor)) {
		cursor = unquoted(cursor);
		put_line(&s->out, "id: ", cursor);
		put_line(&s->out, "event: ", unquoted(member(event, "event")));
		put_line(&s->out, "data: ", event);
		buf_u8(&s->out, '\n');
		buf_clear(&s->told);
		buf_append_span(&s->told, cursor);
	}
	cursor = unquoted(member(page, "cursor"));
	if (cursor.n == 0 || cursor.n > CURSOR_BYTES)
		return;
	buf_clear(&s->cursor);
	buf_append_span(&s->cursor, cursor);
}

/* A comment; and where the view stands, when that has moved without an event. */
static void put_beat(struct stream *s)
{
	if (s->cursor.len && !span_equal(buf_span(&s->cursor), buf_span(&s->told))) {
		put_line(&s->out, "id: ", buf_span(&s->cursor));
		buf_clear(&s->told);
		buf_append_span(&s->told, buf_span(&s->cursor));
	}
	buf_append_text(&s->out, ":\n\n");
}

static bool write_out(struct stream *s)
{
	const struct exchange_ops *ops = s->r.x->ops;
	bool fine = s->out.len == 0 || (ops->write(s->r.x, s->out.data, s->out.len) == 0 && ops->flush(s->r.x) == 0);

	if (s->out.len)
		s->beat_ms = timefmt_monotonic_ms();
	if (s->out.cap > (256U << 10))
		buf_free(&s->out);
	buf_clear(&s->out);
	return fine;
}

/* The daemon refuses what it allowed before: key revoked, session gone. */
static void put_end(struct stream *s)
{
	const struct answer *a = &s->w->answer;

	buf_append_text(&s->out, "event: end\ndata: {");
	json_name(&s->out, "status");
	json_int(&s->out, a->status);
	json_name(&s->out, "code");
	json_int(&s->out, a->code);
	json_member(&s->out, "message", a->message ? a->message : "The view has ended");
	buf_append_text(&s->out, "}\n\n");
}

/* ---- the loop ---- */

/* The daemon restarts. False: client or program have gone meanwhile. */
static bool wait_for_daemon(struct stream *s)
{
	struct pollfd items[] = { { .fd = s->r.x->ops->watch(s->r.x), .events = POLLRDHUP },
				  { .fd = s->w->daemon.link ? s->w->daemon.link->stop_fd : -1, .events = POLLIN } };

	return poll(items, 2, AWAY_MS) == 0;
}

/* Whole seconds until the next sign of life or the end. */
static int64_t next_wait_s(const struct stream *s)
{
	int64_t now_ms = timefmt_monotonic_ms(), until_ms = s->beat_ms + s->w->settings->stream_beat_ms;

	until_ms = until_ms < s->ends_ms ? until_ms : s->ends_ms;
	return until_ms <= now_ms ? 0 : (until_ms - now_ms + 999) / 1000;
}

/* One question and what follows from it; false: the stream is over. */
static bool turn(struct stream *s, struct span given)
{
	enum daemon_result result = ask(s, given, next_wait_s(s));

	if (result == DAEMON_CLIENT_GONE)
		return false;
	if (result == DAEMON_ANSWERED && s->w->answer.status == 200) {
		put_events(s, s->w->answer.result);
	} else if (result == DAEMON_ANSWERED && s->w->answer.code != 8001) {
		put_end(s);
		(void)write_out(s);
		return false;
	} else if (!wait_for_daemon(s)) {
		return false;
	}
	if (timefmt_monotonic_ms() - s->beat_ms >= s->w->settings->stream_beat_ms)
		put_beat(s);
	return write_out(s);
}

static bool begin(struct stream *s)
{
	s->w->answer.message = NULL;
	if (responder_write_head(s->w, &s->r, "text/event-stream; charset=utf-8"))
		return false;
	buf_printf(&s->out, "retry: %d\n", RETRY_MS);
	put_events(s, s->w->answer.result);
	put_beat(s);
	return write_out(s);
}

bool stream_serve(struct responder *w, struct request *r, struct question *q)
{
	struct span given = q->params;
	struct stream s = { .w = w, .r = *r, .q = *q };
	enum daemon_result result;
	bool begun;

	arena_init(&s.arena, 0);
	s.r.arena = &s.arena;
	s.q.until_stop = true;
	s.beat_ms = timefmt_monotonic_ms();
	s.ends_ms = s.beat_ms + w->settings->stream_life_ms;
	snprintf(s.name, sizeof s.name, "%ld-%" PRId64 "-%u", (long)getpid(), s.beat_ms, w->daemon.link ? atomic_fetch_add(&w->daemon.link->streams, 1) : 0);
	result = ask(&s, given, 0);
	begun = result == DAEMON_ANSWERED && w->answer.status == 200;
	/* the request was counted with the first question */
	s.q.guards = 0;
	if (begun && begin(&s)) {
		while (timefmt_monotonic_ms() < s.ends_ms && turn(&s, given))
			;
	}
	if (begun)
		say_end(&s);
	else if (w->answer.message)
		w->answer.message = arena_strdup(r->arena, w->answer.message);
	buf_free(&s.params);
	buf_free(&s.out);
	buf_free(&s.cursor);
	buf_free(&s.told);
	arena_free(&s.arena);
	return begun || result == DAEMON_CLIENT_GONE;
}
