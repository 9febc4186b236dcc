/* SPDX-License-Identifier: GPL-3.0-or-later */
/* /api/v1/session/{sessionId}/queue: what waits to be sent, why, and the session's own settings for it. */
#include "fcgi/answer.h"
#include "fcgi/json_out.h"
#include "fcgi/request.h"

#define QUEUE_ROUTE(verb, does) \
	.method = verb, .path = "/api/v1/session/{sessionId}/queue", .name = does, .auth = AUTH_KEY, .guards = GUARD_RATE, .family = FAMILY_A, \
	.tag = "Sessions", .selector = &selector_session
#define INTERNAL { 500, 8000, "Internal error" }
#define SETTING(NAME, TYPE, NOTE) { .name = NAME, .in = { PLACE_BODY }, .kind = PARAM_DOCUMENT, .type = TYPE, .note = NOTE }

static const struct param get_params[] = {
	{ .name = "sessionId", .in = { PLACE_PATH }, .kind = PARAM_DOCUMENT, .type = "string", .required = true },
};

static const struct param put_params[] = {
	{ .name = "sessionId", .in = { PLACE_PATH }, .kind = PARAM_DOCUMENT, .type = "string", .required = true },
	SETTING("concurrency", "number", "WAREST_QUEUE_CONCURRENCY; null, here and below: as configured"),
	SETTING("maxSize", "number", "WAREST_QUEUE_MAX_SIZE"),
	SETTING("timeoutMs", "number", "WAREST_QUEUE_TIMEOUT_MS"),
	SETTING("maxRetries", "number", "WAREST_QUEUE_MAX_RETRIES"),
	SETTING("retryDelayMs", "number", "WAREST_QUEUE_RETRY_DELAY_MS"),
	SETTING("backoffFactor", "number", "WAREST_QUEUE_BACKOFF_FACTOR"),
	SETTING("retryJitter", "number", "WAREST_QUEUE_RETRY_JITTER"),
	SETTING("paceMs", "number", "WAREST_QUEUE_PACE_MS: least pause between two messages"),
	SETTING("paceJitter", "number", "WAREST_QUEUE_PACE_JITTER: up to this part of it is added at random"),
	SETTING("quietHours", "string", "WAREST_QUEUE_QUIET_HOURS, HH:MM-HH:MM: messages wait until they are over, except those of high priority"),
	SETTING("timezone", "string", "WAREST_QUEUE_TIMEZONE: of quiet hours and the daily budget"),
	SETTING("coldPerDay", "number", "WAREST_QUEUE_COLD_PER_DAY: contacts written to for the first time, a day"),
	SETTING("paused", "boolean", "true: nothing leaves"),
};

static int prepare_put(struct request *r, struct buf *p, struct answer *answer)
{
	if (!r->body || r->body->type != JSON_OBJECT) {
		answer_fault(answer, &(struct fault){ 400, 2000, "The body is an object with settings of the queue" });
		return -1;
	}
	json_name(p, "settings");
	json_tree(p, r->body);
	return 0;
}

#define STATE \
	"sessionId depth high normal low held holds scheduled inFlight oldestMs paused pausedReason? retryAfter? nextSendAt? restriction.active " \
	"restriction.kind restriction.until? cold.used cold.perDay cold.resetsAt? stats.enqueued stats.completed stats.failed stats.retried " \
	"stats.timedOut stats.restricted settings.concurrency settings.maxSize settings.timeoutMs settings.maxRetries settings.retryDelayMs " \
	"settings.backoffFactor settings.retryJitter settings.paceMs settings.paceJitter settings.coldPerDay settings.quietHours " \
	"settings.timezone settings.paused overrides"

static const struct route routes[] = {
	{ QUEUE_ROUTE("GET", "session.queue.get"), .scope = SCOPE_READ, .flags = ROUTE_SLOW, .params = get_params, .params_count = COUNT(get_params),
	  .title = "What waits to be sent",
	  .text = "pausedReason is paused, not_connected, restricted (WhatsApp lets the account write to no new contacts), quiet_hours, cold_budget, "
		  "pace or retry; holds counts what waits for which reason. Counters of stats begin with the process.",
	  .successes = (const struct success[]){ { 200, 1000, "Queue state", STATE }, { 0 } },
	  .errors = (const struct fault[]){ INTERNAL, { 0 } } },
	{ QUEUE_ROUTE("PUT", "session.queue.put"), .scope = SCOPE_MANAGE, .body = BODY_JSON, .flags = ROUTE_SLOW, .params = put_params, .params_count = COUNT(put_params),
	  .prepare = prepare_put, .title = "Settings of a session's queue",
	  .text = "What is not named stays as it is. Takes effect at once and is kept.",
	  .successes = (const struct success[]){ { 200, 1000, "Queue updated", STATE }, { 0 } },
	  .errors = (const struct fault[]){ { 400, 2000, "The body is an object with settings of the queue" },
					    { 400, 2002, "<setting> is unknown or out of range" }, INTERNAL, { 0 } } },
};

extern const struct route_group queue_routes;
const struct route_group queue_routes = { routes, COUNT(routes) };
