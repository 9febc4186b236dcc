/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What receivers answered that an account shall do, and how that went. Not in the original. */
#include "fcgi/answer.h"
#include "fcgi/request.h"

#define BAD_STATE { 400, 2002, "state is one of pending, done, failed, refused, expired" }

static const char *const states[] = { "pending", "done", "failed", "refused", "expired", NULL };

static const struct param list_params[] = {
	{ .name = "sessionId", .in = { PLACE_PATH }, .kind = PARAM_DOCUMENT, .type = "string", .required = true },
	{ .name = "state", .in = { PLACE_QUERY }, .kind = PARAM_ENUM, .type = "string", .values = states, .invalid = BAD_STATE },
	{ .name = "limit", .in = { PLACE_QUERY }, .kind = PARAM_NUMBER, .type = "number", .fallback = "50", .min = 1, .max = 200, .note = "how many at most" },
	{ .name = "before", .in = { PLACE_QUERY }, .kind = PARAM_NUMBER, .type = "number", .min = 0, .max = 9007199254740991.0,
	  .note = "the next of the page before: only older ones" },
};

static const struct success list_done[] = {
	{ 200, 1000, "Actions",
	  "sessionId items[].runId items[].eventId items[].event items[].sequence items[].receiver items[].state items[].error items[].acceptedAt "
	  "items[].updatedAt items[].outcomes[].path items[].outcomes[].type items[].outcomes[].ok items[].outcomes[].status? items[].outcomes[].code? "
	  "items[].outcomes[].message? items[].outcomes[].messageId? items[].outcomes[].at next" },
	{ 0 },
};
static const struct fault list_errors[] = { BAD_STATE, { 500, 8003, "Database error" }, { 0 } };

static const struct route routes[] = {
	{ .method = "GET", .path = "/api/v1/session/{sessionId}/actions", .name = "session.actions", .auth = AUTH_KEY, .scope = SCOPE_READ, .guards = GUARD_RATE,
	  .selector = &selector_session, .family = FAMILY_A, .params = list_params, .params_count = COUNT(list_params), .successes = list_done,
	  .errors = list_errors, .tag = "Webhooks", .title = "Actions that webhook receivers answered",
	  .text = "The newest first: which event was answered with actions, and what became of each; path is the action's place in the answer. next is null "
		  "on the last page. Kept for 30 days." },
};

extern const struct route_group run_routes;
const struct route_group run_routes = { routes, COUNT(routes) };
