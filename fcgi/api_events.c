/* SPDX-License-Identifier: GPL-3.0-or-later */
/* GET /api/v1/events: the event journal as a stream (SSE) and in pages. Not in the original. */
#include "fcgi/answer.h"
#include "fcgi/json_out.h"
#include "fcgi/request.h"
#include "fcgi/validate.h"

#define BAD_EVENTS { 400, 2002, "events must be a list of event names; * stands for any letters, ! excludes" }
#define BAD_CURSOR { 400, 2002, "after is no cursor of this list" }

static const struct param list_params[] = {
	{ .name = "sessions", .aliases = { "sessionId", "session" }, .in = { PLACE_QUERY }, .kind = PARAM_STRINGS, .type = "string|array",
	  .note = "session ids, also divided by commas; absent: all that the key may see, also those made later" },
	{ .name = "events", .in = { PLACE_QUERY }, .kind = PARAM_STRING, .type = "string", .invalid = BAD_EVENTS,
	  .note = "names divided by commas, * stands for any letters, ! excludes: message_*,!message_receipt; absent: all" },
	{ .name = "after", .in = { PLACE_QUERY }, .kind = PARAM_DOCUMENT, .type = "string", .invalid = BAD_CURSOR,
	  .note = "a cursor, now, or oldest; absent: a stream begins with what comes next, pages with the oldest that is kept" },
	{ .name = "Last-Event-ID", .in = { PLACE_HEADER }, .kind = PARAM_DOCUMENT, .type = "string", .note = "a cursor; wins over after" },
	{ .name = "limit", .in = { PLACE_QUERY }, .kind = PARAM_NUMBER, .type = "number", .fallback = "100", .min = 1, .max = 500, .note = "events of one page" },
	{ .name = "wait", .in = { PLACE_QUERY }, .kind = PARAM_NUMBER, .type = "number", .min = 0, .max = 60,
	  .note = "seconds that an empty page waits for the next event" },
};

/* A browser that comes back repeats its address and adds the header. */
static int put_cursor(struct request *r, struct buf *p, struct answer *answer)
{
	const char *last = request_var(r, "HTTP_LAST_EVENT_ID");
	struct span after = span_text(last ? last : "");

	(void)answer;
	if (!last && !validate_text(r, &list_params[2], &after))
		return 0;
	json_name(p, "after");
	json_span(p, utf8_clean(r->arena, after));
	return 0;
}

static const struct success list_done[] = {
	{ 200, 1000, "Events fetched",
	  "events[].event events[].id? events[].sessionId? events[].number? events[].ts events[].data? events[].sessions? cursor more" },
	{ 0 }
};

static const struct fault list_errors[] = {
	BAD_EVENTS,
	BAD_CURSOR,
	{ 400, 2002, "More sessions than one view can follow: choose with sessionId" },
	{ 404, 1101, "Session not found" },
	{ 429, 2402, "Too many event streams of this key" },
	{ 500, 8000, "The journal cannot be read" },
	{ 503, 1600, "Too many event streams" },
	{ 0 },
};

static const char list_text[] =
	"With Accept: text/event-stream a stream of server-sent events: id is the cursor, event the name, data an entry as in a page. The connection "
	"ends after some minutes; the client comes back with Last-Event-ID, and no event is lost or told twice. Without, a page: ask again with "
	"after=cursor. An event \"lost\" says how many events of which session were gone before they could be told, because the journal has a bound. "
	"An administrator's key sees all sessions. A cursor belongs to the choice of sessions it was made with.";

static const struct route routes[] = {
	{ .method = "GET", .path = "/api/v1/events", .name = "events.list", .auth = AUTH_KEY, .scope = SCOPE_READ, .guards = GUARD_RATE, .family = FAMILY_A,
	  .flags = ROUTE_SLOW | ROUTE_STREAM, .params = list_params, .params_count = COUNT(list_params), .prepare = put_cursor, .tag = "Events",
	  .title = "Events as they happen, and those of before", .text = list_text, .successes = list_done, .errors = list_errors },
};

extern const struct route_group events_routes;
const struct route_group events_routes = { routes, COUNT(routes) };
