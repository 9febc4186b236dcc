/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * events.list: the journal as a stream of the sessions that the caller sees, in pages; an empty page waits. events.end: a stream is over.
 *
 *     p {"sessions"? [ids], "events"? "list as in eventfilter.h", "after"? "cursor | now | oldest", "limit", "wait" seconds, "stream"? "name"}
 *     result {"events":[{"event","id","sessionId","number","ts","data"}], "cursor":"..", "more":bool, "cursors"? [one for each event]}
 *
 * With a stream's name each event comes with the cursor behind it, and without "after" the view begins with what comes next. What the
 * journal's bound took away, and a journal that went back in time, is told in an event of its own:
 *
 *     {"event":"lost","ts",..,"sessions":[{"sessionId","lost":n or null,"reason":"journal_bound"|"journal_restored"}]}
 */
#include <stdlib.h>
#include <string.h>

#include "common/eventfilter.h"
#include "common/mem.h"
#include "common/reach.h"
#include "sessiond/async.h"
#include "sessiond/json_text.h"
#include "sessiond/rpc/eventcursor.h"
#include "sessiond/rpc/live.h"
#include "sessiond/rpc/request.h"
#include "sessiond/session/session.h"

enum { MOST_ROWS = 500, DEFAULT_ROWS = 100, MOST_WAIT_S = 60 };

/* The sessions of a view, in order of their numbers. */
struct scope {
	struct store_event_place *places; /* owned, like all here */
	char **ids;
	size_t n;
};

struct event_watch {
	struct event_watch *next, *prev; /* list of struct live */
	struct rpc_request *request;     /* borrowed */
	struct live *live;               /* borrowed */
	struct live_place *place;        /* borrowed; NULL: waits for nothing */
	struct eventfilter filter;
	struct scope scope;
	bool all;                        /* whatever the caller sees, not sessions by name */
	size_t total;                    /* sessions of the registry when the scope was made */
	size_t limit;
	int64_t until_ms;                /* an empty page waits so long */
	const char *stream;              /* borrowed from the request; NULL: none */
	bool reading;
	bool dirty;                      /* the journal has grown since the read began */
	struct timer timer;
	/* the read's, while reading */
	struct arena arena;
	struct store_event *rows;        /* in the arena */
	size_t rows_n;
	bool more;
	int error;
};

/* ---- the scope ---- */

static void scope_free(struct scope *scope)
{
	for (size_t i = 0; i < scope->n; i++)
		free(scope->ids[i]);
	free(scope->ids);
	free(scope->places);
	*scope = (struct scope){ .n = 0 };
}

struct gathering {
	const struct rpc_request *request;
	const struct session_entry **entries; /* owned */
	size_t n, room;
};

static void gather(struct session_entry *entry, void *arg)
{
	struct gathering *g = arg;

	const struct store_principal *caller = &g->request->caller;

	if (!rpc_may_see(g->request, entry) && !(caller->admin && reach_has_session(caller->reach, entry->id)))
		return;
	if (g->n == g->room) {
		g->room = g->room ? g->room * 2 : 16;
		g->entries = xrealloc(g->entries, g->room * sizeof(struct session_entry *));
	}
	g->entries[g->n++] = entry;
}

static int compare_entries(const void *a, const void *b)
{
	int64_t x = (*(const struct session_entry *const *)a)->number, y = (*(const struct session_entry *const *)b)->number;

	return x < y ? -1 : x > y;
}

static int compare_places(const void *a, const void *b)
{
	int64_t x = ((const struct store_event_place *)a)->session, y = ((const struct store_event_place *)b)->session;

	return x < y ? -1 : x > y;
}

static const struct store_event_place *place_of(const struct store_event_place *places, size_t n, int64_t session)
{
	const struct store_event_place key = { .session = session };

	return n ? bsearch(&key, places, n, sizeof key, compare_places) : NULL;
}

/* The named sessions of one text, divided by commas; false: one of them is not there for this caller. */
static bool gather_list(struct gathering *g, const char *list)
{
	while (*list) {
		size_t n = strcspn(list, ", "), before = g->n;
		char *id = xstrndup(list, n);
		struct session_entry *entry = sessions_find(g->request->context->daemon->sessions, id);

		free(id);
		if (entry)
			gather(entry, g);
		if (n && g->n == before)
			return false;
		list += n + (list[n] != '\0');
	}
	return true;
}

static bool gather_named(struct gathering *g, struct json_object *names)
{
	for (size_t i = 0; i < json_object_array_length(names); i++) {
		const char *list = json_object_get_string(json_object_array_get_idx(names, i));

		if (list && !gather_list(g, list))
			return false;
	}
	return true;
}

/* Makes the scope anew. Sessions that `old` does not know begin at `told`. 0, or the answer's status. */
static int scope_make(struct event_watch *watch, const struct store_event_place *old, size_t old_n, int64_t told)
{
	struct sessions *sessions = watch->request->context->daemon->sessions;
	struct json_object *names = json_object_object_get(watch->request->p, "sessions");
	struct gathering g = { .request = watch->request };
	struct scope made = { .n = 0 };
	int status = 0;

	watch->all = !json_object_is_type(names, json_type_array) || json_object_array_length(names) == 0;
	watch->total = sessions_total(sessions);
	if (watch->all)
		sessions_each(sessions, gather, &g);
	else if (!gather_named(&g, names))
		status = 404;
	if (g.n > LIMIT_EVENT_SESSIONS)
		status = 400;
	if (g.n && !status) {
		qsort(g.entries, g.n, sizeof(struct session_entry *), compare_entries);
		made.places = xcalloc(g.n, sizeof *made.places);
		made.ids = xcalloc(g.n, sizeof *made.ids);
	}
	for (size_t i = 0; !status && i < g.n; i++) {
		const struct store_event_place *known = place_of(old, old_n, g.entries[i]->number);

		/* named twice */
		if (made.n && made.places[made.n - 1].session == g.entries[i]->number)
			continue;
		made.places[made.n] = (struct store_event_place){ .session = g.entries[i]->number, .told = known ? known->told : told };
		made.ids[made.n++] = xstrdup(g.entries[i]->id);
	}
	free(g.entries);
	if (status)
		return status;
	scope_free(&watch->scope);
	watch->scope = made;
	return 0;
}

/* ---- the answer ---- */

static void put_lost(struct buf *out, const struct event_watch *watch)
{
	const struct scope *scope = &watch->scope;
	bool first = true;

	buf_append_text(out, "{\"event\":\"lost\"");
	json_put_int(out, "ts", timefmt_now_ms());
	buf_append_text(out, ",\"sessions\":[");
	for (size_t i = 0; i < scope->n; i++) {
		const struct store_event_place *place = &scope->places[i];

		if (!place->lost && !place->rewound)
			continue;
		buf_append_text(out, first ? "{" : ",{");
		first = false;
		json_put_member(out, "sessionId", scope->ids[i]);
		if (place->lost)
			json_put_int(out, "lost", place->lost);
		else
			json_put_raw(out, "lost", "null");
		json_put_member(out, "reason", place->rewound ? "journal_restored" : "journal_bound");
		buf_u8(out, '}');
	}
	buf_append_text(out, "]}");
}

static void put_event(struct buf *out, const struct store_event *event, const char *session_id)
{
	buf_u8(out, '{');
	json_put_member(out, "event", event->kind);
	json_put_member(out, "id", event->event_id);
	json_put_member(out, "sessionId", session_id);
	json_put_int(out, "number", event->number);
	json_put_int(out, "ts", event->time_ms);
	json_put_name(out, "data");
	buf_append_span(out, event->payload);
	buf_u8(out, '}');
}

static bool has_lost(const struct event_watch *watch)
{
	for (size_t i = 0; i < watch->scope.n; i++) {
		if (watch->scope.places[i].lost || watch->scope.places[i].rewound)
			return true;
	}
	return false;
}

static void put_cursor(struct buf *out, const struct store_event_place *places, size_t n)
{
	buf_u8(out, '"');
	eventcursor_write(out, places, n);
	buf_u8(out, '"');
}

/*
 * The cursors behind each event: the places walk along with the rows. Before the first row of a session, everything in front of it is told
 * or not wanted.
 */
static void put_cursors(struct buf *out, const struct event_watch *watch, bool lost)
{
	size_t n = watch->scope.n;
	struct store_event_place *walk = xcalloc(n ? n : 1, sizeof *walk);

	if (n)
		memcpy(walk, watch->scope.places, n * sizeof *walk);
	for (size_t i = watch->rows_n; i-- > 0;) {
		const struct store_event_place *place = place_of(walk, n, watch->rows[i].session);

		if (place)
			walk[place - walk].told = watch->rows[i].number - 1;
	}
	buf_append_text(out, ",\"cursors\":[");
	if (lost)
		put_cursor(out, walk, n);
	for (size_t i = 0; i < watch->rows_n; i++) {
		const struct store_event_place *place = place_of(walk, n, watch->rows[i].session);

		if (place)
			walk[place - walk].told = watch->rows[i].number;
		if (i || lost)
			buf_u8(out, ',');
		put_cursor(out, walk, n);
	}
	buf_u8(out, ']');
	free(walk);
}

static void answer_page(struct event_watch *watch)
{
	struct rpc_request *request = watch->request;
	const struct scope *scope = &watch->scope;
	bool lost = has_lost(watch);
	struct buf out = { 0 };

	buf_append_text(&out, "{\"events\":[");
	if (lost)
		put_lost(&out, watch);
	for (size_t i = 0; i < watch->rows_n; i++) {
		const struct store_event_place *place = place_of(scope->places, scope->n, watch->rows[i].session);

		if (i || lost)
			buf_u8(&out, ',');
		put_event(&out, &watch->rows[i], place ? scope->ids[place - scope->places] : NULL);
	}
	buf_append_text(&out, "],\"cursor\":");
	put_cursor(&out, scope->places, scope->n);
	json_put_bool(&out, "more", watch->more);
	if (watch->stream)
		put_cursors(&out, watch, lost);
	buf_u8(&out, '}');
	for (size_t i = 0; i < scope->n; i++)
		watch->live->lost += (uint64_t)scope->places[i].lost;
	rpc_answer(request, 200, 1000, "Events fetched", buf_text(&out));
	buf_free(&out);
}

/* ---- reading and waiting ---- */

static bool wanted(void *arg, const char *kind)
{
	return eventfilter_wants(arg, kind);
}

static void read_page(struct store_reader *reader, void *arg)
{
	struct event_watch *watch = arg;
	const struct store_event_question question = {
		.places = watch->scope.places,
		.n = watch->scope.n,
		.wanted = wanted,
		.arg = &watch->filter,
		.limit = watch->limit,
		.max_bytes = LIMIT_EVENT_PAGE_BYTES,
	};

	watch->error = store_event_page(reader, &watch->arena, &question, &watch->rows, &watch->rows_n, &watch->more);
}

static void read_done(void *arg);

static void start_read(struct event_watch *watch)
{
	struct daemon *daemon = watch->request->context->daemon;

	if (watch->all && watch->total != sessions_total(daemon->sessions) &&
	    scope_make(watch, watch->scope.places, watch->scope.n, 0) != 0) {
		rpc_answer(watch->request, 400, 2002, "More sessions than one view can follow: choose with sessionId", NULL);
		return;
	}
	arena_reset(&watch->arena);
	watch->reading = true;
	watch->dirty = false;
	async_read(daemon->loop, daemon->store, read_page, read_done, watch);
}

static void time_is_over(void *arg)
{
	struct event_watch *watch = arg;

	if (!watch->reading)
		answer_page(watch);
}

static void read_done(void *arg)
{
	struct event_watch *watch = arg;
	bool over = !watch->request->conn || watch->live->draining || timefmt_monotonic_ms() >= watch->until_ms;

	watch->reading = false;
	if (watch->error)
		rpc_answer(watch->request, 500, 8000, "The journal cannot be read", NULL);
	else if (watch->rows_n || has_lost(watch) || over)
		answer_page(watch);
	else if (watch->dirty || watch->more)
		start_read(watch);
}

void live_heard(void *arg, int64_t session)
{
	struct live *live = arg;
	struct event_watch *next;

	for (struct event_watch *watch = live->watches; watch; watch = next) {
		const struct scope *scope = &watch->scope;
		bool concerned = session == 0 || place_of(scope->places, scope->n, session) ||
				 (watch->all && watch->total != sessions_total(live->daemon->sessions));

		next = watch->next;
		if (!concerned)
			continue;
		watch->dirty = true;
		if (!watch->reading)
			start_read(watch);
	}
}

void live_answer_all(struct live *live)
{
	struct event_watch *next;

	for (struct event_watch *watch = live->watches; watch; watch = next) {
		next = watch->next;
		if (!watch->reading)
			answer_page(watch);
	}
}

static void gone(struct rpc_request *request)
{
	struct event_watch *watch = request->work;

	if (!watch->reading)
		answer_page(watch);
}

/* ---- the questions ---- */

static void free_watch(void *arg)
{
	struct event_watch *watch = arg;

	live_leave(watch->live, watch->place, watch->stream && watch->request->conn);
	if (watch->prev)
		watch->prev->next = watch->next;
	else
		watch->live->watches = watch->next;
	if (watch->next)
		watch->next->prev = watch->prev;
	timer_stop(watch->request->context->daemon->timers, &watch->timer);
	eventfilter_free(&watch->filter);
	scope_free(&watch->scope);
	arena_free(&watch->arena);
	free(watch);
}

static struct event_watch *new_watch(struct rpc_request *request)
{
	struct event_watch *watch = xcalloc(1, sizeof *watch);
	struct live *live = request->context->live;

	*watch = (struct event_watch){ .next = live->watches, .request = request, .live = live, .stream = rpc_param_text(request, "stream") };
	if (watch->next)
		watch->next->prev = watch;
	live->watches = watch;
	eventfilter_init(&watch->filter);
	arena_init(&watch->arena, 0);
	request->work = watch;
	request->work_free = free_watch;
	return watch;
}

static int64_t number_param(const struct rpc_request *request, const char *name, int64_t fallback, int64_t most)
{
	struct json_object *value = json_object_object_get(request->p, name);
	double number = value ? json_object_get_double(value) : -1;

	return !(number >= 0) ? fallback : number > (double)most ? most : (int64_t)number;
}

/* Sessions and where to begin; false: refused. */
static bool begin(struct event_watch *watch)
{
	const char *after = rpc_param_text(watch->request, "after");
	struct store_event_place *old = xcalloc(LIMIT_EVENT_SESSIONS, sizeof *old);
	int64_t told = watch->stream ? -1 : 0;
	bool fine = false;
	size_t n = 0;
	int status = 0;

	if (after && strcmp(after, "now") == 0)
		told = -1;
	else if (after && after[0])
		told = 0;
	if (after && after[0] && strcmp(after, "now") != 0 && strcmp(after, "oldest") != 0 && !eventcursor_read(after, old, &n))
		rpc_answer(watch->request, 400, 2002, "after is no cursor of this list", NULL);
	else if ((status = scope_make(watch, old, n, told)) == 404)
		rpc_answer(watch->request, 404, 1101, "Session not found", NULL);
	else if (status)
		rpc_answer(watch->request, 400, 2002, "More sessions than one view can follow: choose with sessionId", NULL);
	else
		fine = true;
	free(old);
	return fine;
}

/* A view that waits needs a place; false: refused. */
static bool take_place(struct event_watch *watch)
{
	struct rpc_request *request = watch->request;

	switch (live_claim(watch->live, request->caller.key, watch->stream, &watch->place)) {
	case LIVE_CLAIMED:
		return true;
	case LIVE_KEY_FULL:
		rpc_header_int(request, "Retry-After", 10);
		rpc_answer(request, 429, 2402, "Too many event streams of this key", NULL);
		return false;
	case LIVE_FULL:
	default:
		rpc_header_int(request, "Retry-After", 10);
		rpc_answer(request, 503, 1600, "Too many event streams", NULL);
		return false;
	}
}

static void do_list(struct rpc_request *request)
{
	const char *events = rpc_param_text(request, "events");
	int64_t wait_ms = number_param(request, "wait", 0, MOST_WAIT_S) * 1000;
	struct event_watch *watch = new_watch(request);

	watch->limit = (size_t)number_param(request, "limit", DEFAULT_ROWS, MOST_ROWS);
	watch->limit = watch->limit ? watch->limit : 1;
	if (events && !eventfilter_add(&watch->filter, events)) {
		rpc_answer(request, 400, 2002, "events must be a list of event names; * stands for any letters, ! excludes", NULL);
		return;
	}
	if (!begin(watch) || ((wait_ms > 0 || watch->stream) && !take_place(watch)))
		return;
	request->gone = gone;
	watch->until_ms = timefmt_monotonic_ms() + wait_ms;
	if (wait_ms > 0)
		timer_start(request->context->daemon->timers, &watch->timer, watch->until_ms, time_is_over, watch);
	start_read(watch);
}

static void do_end(struct rpc_request *request)
{
	const char *stream = rpc_param_text(request, "stream");

	if (stream)
		live_end(request->context->live, request->caller.key, stream);
	rpc_answer(request, 200, 1000, "Ended", NULL);
}

const struct rpc_method rpc_events_methods[] = {
	{ "events.list", do_list },
	{ "events.end", do_end },
	{ NULL, NULL },
};
