/* SPDX-License-Identifier: GPL-3.0-or-later */
/* /healthz, /readyz, /metrics: for load balancers, service managers and monitoring. Not in the original. */
#include "fcgi/answer.h"
#include "fcgi/request.h"

#define MONITOR_ROUTE(where, does) .method = "GET", .path = where, .name = does, .tag = "Monitoring"

static const struct route routes[] = {
	{ MONITOR_ROUTE("/healthz", "server.alive"), .auth = AUTH_NONE, .family = FAMILY_BARE, .title = "Is the gateway alive?",
	  .text = "The web server, warest.fcgi and the daemon answer. Needs no key and says nothing else.",
	  .successes = (const struct success[]){ { 200, 0, NULL, "alive" }, { 0 } } },
	{ MONITOR_ROUTE("/readyz", "server.readiness"), .auth = AUTH_NONE, .family = FAMILY_BARE, .title = "Can the gateway take work?",
	  .text = "The database stores and can be read, and the event journal is within its bound; otherwise 503 with the same fields and the "
		  "reasons. A daemon that starts, ends or is not there is 503 as well. Needs no key.",
	  .successes = (const struct success[]){ { 200, 0, NULL, "ready reasons schema lastStored" }, { 0 } } },
	{ MONITOR_ROUTE("/metrics", "server.metrics"), .auth = AUTH_ADMIN, .scope = SCOPE_ADMIN, .family = FAMILY_FILE, .flags = ROUTE_METRICS, .title = "Figures for Prometheus",
	  .text = "Text format 0.0.4. With an administrator's key, or from the networks of WAREST_METRICS_ALLOW without one.",
	  .successes = (const struct success[]){ { 200, 0, NULL, "" }, { 0 } },
	  .errors = (const struct fault[]){ { 503, 0, "The database cannot be read" }, { 503, 0, "No memory for the answer" }, { 0 } } },
};

extern const struct route_group monitor_routes;
const struct route_group monitor_routes = { routes, COUNT(routes) };
