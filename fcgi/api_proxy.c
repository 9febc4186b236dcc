/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The proxies to WhatsApp, for administrators: state, test, a session's own one (contract config.md 6). Not in the original. */
#include "fcgi/answer.h"
#include "fcgi/request.h"

#define PROXY_ROUTE(verb, where, does) \
	.method = verb, .path = "/api/v1/" where, .name = does, .auth = AUTH_ADMIN, .scope = SCOPE_ADMIN, .guards = GUARD_RATE, .family = FAMILY_A, .tag = "Proxies"
#define PROXY_MEMBERS(AT) AT "proxy " AT "state " AT "failures " AT "connected " AT "failed " AT "coolingUntil " AT "lastConnectedAt " AT "lastFailedAt " AT "lastError"

static const struct param test_params[] = {
	{ .name = "proxy", .in = { PLACE_BODY }, .kind = PARAM_STRING, .type = "string",
	  .note = "http://, https://, socks5:// (names resolved here) or socks5h:// (by the proxy) address, with user:password@ if needed; or \"direct\"" },
	{ .name = "index", .in = { PLACE_BODY }, .kind = PARAM_NUMBER, .type = "number", .note = "of the pool, counted from 0; instead of proxy" },
};

static const struct param session_params[] = {
	{ .name = "sessionId", .in = { PLACE_PATH }, .kind = PARAM_STRING, .type = "string", .required = true,
	  .missing = { 404, 1101, "Session not found" } },
};

static const struct param set_params[] = {
	{ .name = "sessionId", .in = { PLACE_PATH }, .kind = PARAM_STRING, .type = "string", .required = true,
	  .missing = { 404, 1101, "Session not found" } },
	{ .name = "proxy", .in = { PLACE_BODY }, .kind = PARAM_VERBATIM, .type = "string", .required = true, .missing = { 400, 2001, "proxy is required" },
	  .note = "address as for the test; \"direct\": no proxy; empty: the pool's again" },
};

#define BAD_ADDRESS { 400, 2002, "a proxy is http://, https://, socks5:// or socks5h://, with user:password@ if it wants them, or \"direct\"" }
#define NO_SESSION { 404, 1101, "Session not found" }

static const struct success listed[] = {
	{ 200, 1000, "Proxies", "strategy sticky rotateAfterFailures failureCooloffMs failureBackoffMultiplier fallbackDirect proxies[].index "
				PROXY_MEMBERS("proxies[].") " proxies[].sessions[] overrides[].sessionId overrides[].status overrides[].source "
				"overrides[].current" }, { 0 }
};
static const struct success tested[] = { { 200, 1000, "Proxy tested", "ok latencyMs reason? httpStatus? error?" }, { 0 } };
static const struct success shown[] = { { 200, 1000, "Proxy of the session", "sessionId status source current" }, { 0 } };
static const struct success set[] = { { 200, 1000, "Proxy of the session set", "sessionId status source current" }, { 0 } };
static const struct fault no_errors[] = { { 0 } };
static const struct fault test_errors[] = { { 400, 2001, "proxy or index is required" }, BAD_ADDRESS, { 404, 2004, "The pool has no proxy with this index" },
					    { 429, 2400, "Too many proxies are being tested at the same time" }, { 0 } };
static const struct fault get_errors[] = { NO_SESSION, { 0 } };
static const struct fault set_errors[] = { { 400, 2001, "proxy is required" }, BAD_ADDRESS, NO_SESSION, { 500, 8000, "The session's row cannot be written" }, { 0 } };

static const struct route routes[] = {
	{ PROXY_ROUTE("GET", "server/proxies", "proxy.list"), .title = "Proxies to WhatsApp and how they are",
	  .text = "state is unused, ok, failing (still chosen) or cooling (not chosen before coolingUntil, unless all are). overrides: sessions with a proxy "
		  "of their own, or none. Users and passwords are hidden.",
	  .successes = listed, .errors = no_errors },
	{ PROXY_ROUTE("POST", "server/proxies/test", "proxy.test"), .body = BODY_JSON, .flags = ROUTE_SLOW, .params = test_params,
	  .params_count = COUNT(test_params), .title = "Try a proxy",
	  .text = "Opens WhatsApp's WebSocket through it, without logging in. A proxy of the pool that passes is chosen again at once.",
	  .successes = tested, .errors = test_errors },
	{ PROXY_ROUTE("GET", "session/{sessionId}/proxy", "proxy.session.get"), .params = session_params, .params_count = COUNT(session_params),
	  .title = "The way of a session to WhatsApp", .text = "source is pool, session (one of its own) or direct; current is the proxy of the present connection.",
	  .successes = shown, .errors = get_errors },
	{ PROXY_ROUTE("POST", "session/{sessionId}/proxy", "proxy.session.set"), .body = BODY_JSON, .flags = ROUTE_SLOW, .params = set_params,
	  .params_count = COUNT(set_params), .title = "Give a session its own proxy",
	  .text = "For its WebSocket and its media. A session that runs connects again. It never falls back on the pool or on a direct connection.",
	  .successes = set, .errors = set_errors },
};

extern const struct route_group proxy_routes;
const struct route_group proxy_routes = { routes, COUNT(routes) };
