/* SPDX-License-Identifier: GPL-3.0-or-later */
/* /api/webhooks: try a webhook before it is configured (contract rest-a 6). */
#include "fcgi/answer.h"
#include "fcgi/request.h"

static const struct param preflight_params[] = {
	{ .name = "url", .in = { PLACE_BODY }, .kind = PARAM_STRINGS, .type = "string|array", .required = true,
	  .missing = { 400, 0, "url and secret required" } },
	{ .name = "secret", .in = { PLACE_BODY }, .kind = PARAM_FIRST, .type = "string|array", .required = true,
	  .missing = { 400, 0, "url and secret required" }, .note = "of an array the first is used" },
};

static const struct route routes[] = {
	{ .method = "POST", .path = "/api/webhooks/preflight", .name = "webhooks.preflight", .auth = AUTH_KEY, .scope = SCOPE_MANAGE, .body = BODY_JSON,
	  .selector = &selector_preflight, .family = FAMILY_BARE, .flags = ROUTE_SLOW | ROUTE_PARAMS_FIRST, .params = preflight_params,
	  .params_count = COUNT(preflight_params), .tag = "Webhooks", .title = "Try a webhook",
	  .text = "Posts a signed event \"preflight\" to each URL. ok is true even if targets failed; each result says how it went.",
	  .successes = (const struct success[]){ { 200, 0, NULL, "ok results[].target results[].ok results[].status? results[].error? "
								 "results[].roundTripMs" }, { 0 } },
	  .errors = (const struct fault[]){ { 400, 0, "url and secret required" }, { 404, 0, "Session not found" }, { 500, 0, "<exception text>" }, { 0 } } },
};

extern const struct route_group webhook_routes;
const struct route_group webhook_routes = { routes, COUNT(routes) };
