/* SPDX-License-Identifier: GPL-3.0-or-later */
/* /api/v1/server: state of the gateway (contract rest-a 4). ping is answered here, without the daemon. */
#include <stdlib.h>
#include <time.h>

#include "common/timefmt.h"
#include "fcgi/answer.h"
#include "fcgi/json_out.h"
#include "fcgi/request.h"
#include "fcgi/validate.h"

#define BODY_QUERY { PLACE_BODY, PLACE_QUERY }
#define SERVER_ROUTE(verb, where, does) .method = verb, .path = "/api/v1/server/" where, .name = does, .family = FAMILY_A, .tag = "Server"
#define GUARDED .auth = AUTH_ADMIN, .scope = SCOPE_ADMIN, .guards = GUARD_RATE | GUARD_QUOTA
#define GUARDED_WITH_BODY .auth = AUTH_ADMIN, .scope = SCOPE_ADMIN, .guards = GUARD_RATE | GUARD_COOLDOWN | GUARD_QUOTA, .body = BODY_JSON

static const char *const periods[] = { "1h", "6h", "12h", "24h", "7d", "30d", NULL };
static const char *const intervals[] = { "1m", "5m", "15m", "30m", "1h", NULL };

static const struct param cpu_params[] = {
	{ .name = "period", .in = { PLACE_QUERY }, .kind = PARAM_ENUM, .type = "string", .fallback = "\"1h\"", .values = periods,
	  .invalid = { 400, 2002, "Invalid period. Allowed values: 1h, 6h, 12h, 24h, 7d, 30d" } },
	{ .name = "interval", .in = { PLACE_QUERY }, .kind = PARAM_ENUM, .type = "string", .fallback = "\"5m\"", .values = intervals,
	  .invalid = { 400, 2002, "Invalid interval. Allowed values: 1m, 5m, 15m, 30m, 1h" } },
};

static const struct param restart_params[] = {
	{ .name = "delaySeconds", .in = BODY_QUERY, .kind = PARAM_DOCUMENT, .type = "number", .fallback = "4", .min = 1.5, .max = 1800,
	  .note = "clamped 1.5..1800" },
	{ .name = "delayMs", .in = BODY_QUERY, .kind = PARAM_DOCUMENT, .type = "number", .note = "used when delaySeconds is absent" },
	{ .name = "reason", .in = BODY_QUERY, .kind = PARAM_STRING, .type = "string", .fallback = "\"Manual restart via API\"" },
};

static const struct param schedule_params[] = {
	{ .name = "schedule", .in = BODY_QUERY, .kind = PARAM_SCHEDULE, .type = "string", .required = true,
	  .missing = { 400, 2002, "Schedule is required (HH:MM 24-hour format or 0 to cancel)" },
	  .invalid = { 400, 2002, "Schedule must use HH:MM 24-hour format (e.g., 02:30)" }, .note = "HH:MM or 0 to cancel" },
	{ .name = "timezone", .in = BODY_QUERY, .kind = PARAM_STRING, .type = "string", .note = "IANA; default server timezone" },
};

/* delaySeconds, else delayMs / 1000, else 4; what is no number >= 0 counts as 4 (D11). */
static int prepare_restart(struct request *r, struct buf *p, struct answer *answer)
{
	const struct param *seconds = &restart_params[0], *millis = &restart_params[1];
	double delay = -1, unit = 1;
	struct span text;
	char *end;

	(void)answer;
	if (!validate_text(r, seconds, &text)) {
		text = span_text("");
		if (validate_text(r, millis, &text))
			unit = 1000;
	}
	if (text.n) {
		delay = strtod(arena_text(r->arena, text.p, text.n), &end) / unit;
		if (*end)
			delay = -1;
	}
	if (!(delay >= 0))
		delay = 4;
	delay = delay < seconds->min ? seconds->min : delay > seconds->max ? seconds->max : delay;
	json_name(p, "delaySeconds");
	json_raw(p, span_text(arena_printf(r->arena, "%.15g", delay)));
	return 0;
}

static void ping(struct request *r, struct answer *answer)
{
	const struct timezone_rules *zone = r->settings->zone;
	int64_t now_ms = timefmt_now_ms();
	struct timespec mono;
	char text[TIMEFMT_MAX];
	struct buf b;

	buf_init(&b);
	json_open(&b, '{');
	json_member(&b, "ping", "pong");
	clock_gettime(CLOCK_MONOTONIC, &mono);
	json_name(&b, "latencyMs");
	buf_printf(&b, "%.3f", (double)((int64_t)mono.tv_sec * 1000000000 + mono.tv_nsec - r->started_ns) / 1e6);
	json_member(&b, "serverTime", timefmt_long(zone, now_ms, text, sizeof text));
	json_member(&b, "serverTimeISO", timefmt_iso(zone, now_ms, text, sizeof text));
	json_member(&b, "serverTimeUTC", timefmt_utc(now_ms, text, sizeof text));
	json_member(&b, "timezone", timefmt_zone_name(zone));
	json_member(&b, "timezoneLocale", r->settings->locale);
	json_name(&b, "timestamp");
	json_int(&b, now_ms / 1000);
	json_close(&b, '}');
	answer_set(answer, 200, 1000, "Server is alive");
	answer->result = span_of(arena_dup(r->arena, b.data, b.len), b.len);
	buf_free(&b);
}

static const struct route routes[] = {
	{ SERVER_ROUTE("GET", "ping", "server.ping"), .auth = AUTH_NONE, .local = ping, .title = "Is the server there?",
	  .text = "Answered by the web-facing program alone: neither key nor limits.",
	  .successes = (const struct success[]){ { 200, 1000, "Server is alive", "ping latencyMs serverTime serverTimeISO serverTimeUTC "
									     "timezone timezoneLocale timestamp" }, { 0 } },
	  .errors = (const struct fault[]){ { 500, 8000, "Unable to answer ping" }, { 0 } } },
	{ SERVER_ROUTE("GET", "info", "server.info"), .auth = AUTH_KEY, .scope = SCOPE_ANY, .guards = GUARD_RATE | GUARD_QUOTA, .title = "About the server and its machine",
	  .text = "A key without administrator rights gets a reduced object: serviceName, serviceVersion, environment, uptimeSeconds, "
		  "uptimeDays, timezone, its own sessions, timestamp.",
	  .successes = (const struct success[]){
		  { 200, 1000, "Server information fetched",
		    "serviceName serviceVersion environment uptimeSeconds uptimeDays system.hostname system.platform system.arch "
		    "system.release cpu.model cpu.cores cpu.speedMHz memory.totalMB memory.freeMB memory.usedMB memory.usagePercent "
		    "process.pid process.nodeVersion process.uptimeSeconds process.uptimeDays process.memory.rssMB "
		    "process.memory.heapTotalMB process.memory.heapUsedMB process.memory.externalMB process.memory.arrayBuffersMB "
		    "process.memory.memoryUsagePercent process.cpu.userMs process.cpu.systemMs process.cpu.idleMs "
		    "process.cpu.cpuUsagePercent disk[].mountPoint disk[].filesystem disk[].totalMB disk[].usedMB disk[].freeMB "
		    "disk[].usagePercent loadAverage[] temperature[].sensor? temperature[].celsius? timezone runtime[].name "
		    "runtime[].version ioStats.readMBps ioStats.writeMBps sessions.total sessions.byStatus timestamp" }, { 0 } },
	  .errors = (const struct fault[]){ { 500, 8000, "Unable to collect server information" }, { 0 } } },
	{ SERVER_ROUTE("GET", "healthz", "server.healthz"), GUARDED, .title = "Health of every part",
	  .text = "503 carries the same results.",
	  .successes = (const struct success[]){
		  { 200, 1000, "All services healthy",
		    "status serviceName serviceVersion uptime services.database.status services.database.databaseType "
		    "services.database.version services.database.latencyMs services.cache.status services.cache.cacheType "
		    "services.cache.version services.storage.status services.storage.storageType services.storage.region "
		    "services.messageQueue services.fileSystem services.ffmpeg services.sharp timestamp" },
		  { 207, 1004, "Some services are degraded", NULL }, { 0 } },
	  .errors = (const struct fault[]){ { 503, 8001, "Critical services unavailable" }, { 500, 8000, "Unable to collect health status" },
					    { 0 } } },
	{ SERVER_ROUTE("GET", "ready", "server.ready"), GUARDED, .title = "Ready for traffic?", .text = "503 carries the same results.",
	  .successes = (const struct success[]){
		  { 200, 1000, "Server is ready for traffic",
		    "ready dependencies.database dependencies.cache dependencies.storage dependencies.messageQueue dependencies.fileSystem "
		    "dependencies.ffmpeg dependencies.sharp timestamp" }, { 0 } },
	  .errors = (const struct fault[]){ { 503, 8001, "One or more dependencies are not ready" },
					    { 500, 8000, "Unable to determine readiness" }, { 0 } } },
	{ SERVER_ROUTE("GET", "cpu-history", "server.cpu_history"), GUARDED, .params = cpu_params, .params_count = COUNT(cpu_params),
	  .title = "CPU use over time", .text = "Sampled every 15 s, kept for 30 days in memory.",
	  .successes = (const struct success[]){
		  { 200, 1000, "CPU history fetched|No CPU samples collected for the requested period",
		    "period interval data[].timestamp data[].usagePercent averageUsagePercent maxUsagePercent timestamp" }, { 0 } },
	  .errors = (const struct fault[]){ { 400, 2002, "Invalid period. Allowed values: 1h, 6h, 12h, 24h, 7d, 30d" },
					    { 400, 2002, "Invalid interval. Allowed values: 1m, 5m, 15m, 30m, 1h" },
					    { 500, 8000, "Unable to read CPU history" }, { 0 } } },
	{ SERVER_ROUTE("POST", "restart", "server.restart"), GUARDED_WITH_BODY, .params = restart_params,
	  .params_count = COUNT(restart_params), .prepare = prepare_restart, .title = "Restart the daemon",
	  .text = "Nothing is lost: what is queued is sent after the restart.",
	  .successes = (const struct success[]){ { 202, 1003, "Restart scheduled via <strategy> strategy",
						   "restartInitiated scheduledAt restartStrategy timestamp" },
						 { 200, 1005, "A restart is already pending", NULL }, { 0 } },
	  .errors = (const struct fault[]){ { 500, 8000, "Unable to schedule restart" }, { 0 } } },
	{ SERVER_ROUTE("POST", "restart/scheduled", "server.restart_scheduled"), GUARDED_WITH_BODY, .params = schedule_params,
	  .params_count = COUNT(schedule_params), .title = "Restart every day", .text = "The schedule survives restarts; 0 cancels it.",
	  .successes = (const struct success[]){ { 202, 1003, "Restart scheduled daily at <HH:MM> (<zone>)",
						   "scheduledRestart timezone nextRestartAt timestamp" },
						 { 200, 1005, "Scheduled restart cancelled", "" },
						 { 200, 1005, "No scheduled restart configured", "" }, { 0 } },
	  .errors = (const struct fault[]){ { 400, 2002, "Schedule is required (HH:MM 24-hour format or 0 to cancel)" },
					    { 400, 2002, "Schedule must use HH:MM 24-hour format (e.g., 02:30)" },
					    { 400, 2002, "Invalid timezone provided" },
					    { 500, 8000, "Unable to configure restart schedule" }, { 0 } } },
};

extern const struct route_group server_routes;
const struct route_group server_routes = { routes, COUNT(routes) };
