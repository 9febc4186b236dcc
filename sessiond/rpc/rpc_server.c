/* SPDX-License-Identifier: GPL-3.0-or-later */
/* server.*: info, healthz, ready, cpu_history, restart, restart_scheduled (rest-a 4). ping never gets here. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/mem.h"
#include "sessiond/async.h"
#include "sessiond/json_text.h"
#include "sessiond/media/media.h"
#include "sessiond/rpc/request.h"
#include "sessiond/rpc/restart.h"
#include "sessiond/rpc/server_info.h"
#include "sessiond/rpc/sysinfo.h"
#include "sessiond/session/session.h"
#include "sessiond/storage/storage.h"

static int64_t age_s(const struct daemon *daemon)
{
	return (timefmt_monotonic_ms() - daemon->started_mono_ms) / 1000;
}

static void answer_tree(struct rpc_request *request, int status, int code, const char *message, struct json_object *tree)
{
	rpc_answer(request, status, code, message, json_object_to_json_string_ext(tree, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(tree);
}

static void add_text(struct json_object *o, const char *name, const char *text)
{
	json_object_object_add(o, name, json_object_new_string(text));
}

static void add_int(struct json_object *o, const char *name, int64_t value)
{
	json_object_object_add(o, name, json_object_new_int64(value));
}

static void add_bool(struct json_object *o, const char *name, bool value)
{
	json_object_object_add(o, name, json_object_new_boolean(value));
}

/* ---- info ---- */

struct tally {
	const struct rpc_request *of; /* whose caller may see them; NULL: of everybody */
	int64_t total;
	int64_t by_status[SESSION_STATUS_COUNT];
};

static void count_session(struct session_entry *entry, void *arg)
{
	struct tally *t = arg;

	if (t->of && !rpc_may_see(t->of, entry))
		return;
	t->total++;
	t->by_status[entry->view.status]++;
}

static struct json_object *session_tally(struct rpc_request *request, bool everybody)
{
	struct tally t = { .of = everybody ? NULL : request };
	struct json_object *o = json_object_new_object();
	struct json_object *by_status = json_object_new_object();

	sessions_each(request->context->daemon->sessions, count_session, &t);
	add_int(o, "total", t.total);
	for (int i = 0; i < SESSION_STATUS_COUNT; i++) {
		if (t.by_status[i] > 0)
			add_int(by_status, session_status_name((enum session_status)i), t.by_status[i]);
	}
	json_object_object_add(o, "byStatus", by_status);
	return o;
}

static struct json_object *programs(const struct daemon *daemon)
{
	const char *const rows[][2] = { { "WareST API", daemon->version }, { "C compiler", __VERSION__ }, { "libuv", uv_version_string() } };
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct json_object *o = json_object_new_object();

		add_text(o, "name", rows[i][0]);
		add_text(o, "version", rows[i][1]);
		json_object_array_add(list, o);
	}
	return list;
}

/* What must be 0 or small when all is well. */
static struct json_object *pipeline(struct daemon *daemon)
{
	struct metrics *m = &daemon->metrics;
	struct json_object *o = json_object_new_object();
	struct store_status status;

	store_status(daemon->store, &status);
	add_int(o, "decrypted", m->decrypted);
	add_int(o, "decryptedNotEmitted", m->decrypted - m->emitted);
	add_int(o, "undecryptable", m->undecryptable);
	add_int(o, "events", m->events);
	add_int(o, "sent", m->sent);
	add_int(o, "acked", m->acked);
	add_int(o, "sendFailed", m->send_failed);
	add_int(o, "outboxWaiting", m->outbox_waiting);
	add_int(o, "storeQueued", (int64_t)status.queued);
	add_int(o, "commits", (int64_t)status.commits);
	add_int(o, "commitErrors", m->commit_errors);
	add_int(o, "journalBytes", status.journal_bytes);
	add_int(o, "rxBytes", m->rx_bytes);
	add_int(o, "txBytes", m->tx_bytes);
	return o;
}

static void do_info(struct rpc_request *request)
{
	struct daemon *daemon = request->context->daemon;
	const struct config *config = daemon->config;
	struct json_object *o = json_object_new_object();
	bool admin = request->caller.admin;
	char age[96];

	add_text(o, "serviceName", config->server_name);
	add_text(o, "serviceVersion", daemon->version);
	add_text(o, "environment", config->environment);
	add_int(o, "uptimeSeconds", sysinfo_host_uptime_s());
	sysinfo_duration(sysinfo_host_uptime_s(), age, sizeof age);
	add_text(o, "uptimeDays", age);
	if (admin) {
		sysinfo_add_platform(o);
		sysinfo_add_process(o, age_s(daemon));
		sysinfo_add_devices(o);
	}
	add_text(o, "timezone", config->timezone);
	if (admin) {
		json_object_object_add(o, "runtime", programs(daemon));
		json_object_object_add(o, "ioStats", server_info_io(request->context->info));
	}
	json_object_object_add(o, "sessions", session_tally(request, admin));
	if (admin)
		json_object_object_add(o, "pipeline", pipeline(daemon));
	add_int(o, "timestamp", timefmt_now_ms() / 1000);
	answer_tree(request, 200, 1000, "Server information fetched", o);
}

/* ---- health ---- */

struct health {
	struct rpc_request *request;
	int64_t started_ms;
	int error;      /* of a read */
	bool database, files, media; /* media: there is a worker program, which holds FFmpeg and GraphicsMagick */
	char storage_error[200]; /* "": something can be stored */
	int64_t latency_ms;
	void (*answer)(struct health *health);
};

static void health_read(struct store_reader *reader, void *arg)
{
	struct health *h = arg;
	struct arena arena;
	const char *value = NULL;

	arena_init(&arena, 0);
	h->error = store_setting_get(reader, &arena, "health", &value);
	arena_free(&arena);
}

static bool has_worker(const struct daemon *daemon)
{
	char *program = mediajob_find_program(daemon->config->media_worker);
	bool found = program && access(program, X_OK) == 0;

	free(program);
	return found;
}

static void storage_checked(void *arg, int error, const char *text)
{
	struct health *h = arg;

	if (error)
		snprintf(h->storage_error, sizeof h->storage_error, "%s", text[0] ? text : storage_error_name(error));
	h->answer(h);
}

static void health_done(void *arg)
{
	struct health *h = arg;
	const struct daemon *daemon = h->request->context->daemon;
	struct store_status status;

	store_status(daemon->store, &status);
	h->latency_ms = timefmt_monotonic_ms() - h->started_ms;
	h->database = (h->error == STORE_OK || h->error == STORE_NOT_FOUND) && status.last_error == 0;
	h->files = access(daemon->config->state_dir, W_OK) == 0;
	h->media = has_worker(daemon);
	storage_check(daemon->storage, daemon->loop, storage_checked, h);
}

static void check_health(struct rpc_request *request, void (*answer)(struct health *health))
{
	const struct daemon *daemon = request->context->daemon;
	struct health *h = xcalloc(1, sizeof *h);

	h->request = request;
	h->started_ms = timefmt_monotonic_ms();
	h->answer = answer;
	request->work = h;
	request->work_free = free;
	async_read(daemon->loop, daemon->store, health_read, health_done, h);
}

static struct json_object *state(bool good)
{
	struct json_object *o = json_object_new_object();

	add_text(o, "status", good ? "ok" : "error");
	return o;
}

static struct json_object *services(const struct health *h)
{
	const struct daemon *daemon = h->request->context->daemon;
	bool in_bucket = daemon->config->storage_driver == CONFIG_STORAGE_S3;
	struct json_object *o = json_object_new_object();
	struct json_object *part = state(h->database);
	struct store_status status;

	store_status(daemon->store, &status);
	add_text(part, "databaseType", status.driver);
	add_int(part, "version", (int64_t)status.schema);
	add_int(part, "latencyMs", h->latency_ms);
	if (!h->database)
		add_text(part, "error", store_error_name(h->error ? h->error : status.last_error));
	json_object_object_add(o, "database", part);
	part = state(true);
	add_text(part, "cacheType", "local");
	add_text(part, "version", daemon->version);
	json_object_object_add(o, "cache", part);
	part = state(!h->storage_error[0]);
	add_text(part, "storageType", in_bucket ? "s3" : "local");
	json_object_object_add(part, "region", in_bucket ? json_object_new_string(daemon->config->s3_region) : NULL);
	if (h->storage_error[0])
		add_text(part, "error", h->storage_error);
	json_object_object_add(o, "storage", part);
	add_text(o, "messageQueue", "ok");
	add_text(o, "fileSystem", h->files ? "ok" : "error");
	add_text(o, "ffmpeg", h->media ? "ok" : "error");
	add_text(o, "sharp", h->media ? "ok" : "error");
	return o;
}

static void answer_healthz(struct health *h)
{
	const struct daemon *daemon = h->request->context->daemon;
	struct json_object *o = json_object_new_object();
	bool critical = !h->database || !h->files;
	bool degraded = !h->media || h->storage_error[0];
	char age[96];

	sysinfo_duration(age_s(daemon), age, sizeof age);
	add_text(o, "status", critical ? "unhealthy" : degraded ? "degraded" : "healthy");
	add_text(o, "serviceName", daemon->config->server_name);
	add_text(o, "serviceVersion", daemon->version);
	add_text(o, "uptime", age);
	json_object_object_add(o, "services", services(h));
	add_int(o, "timestamp", timefmt_now_ms() / 1000);
	if (critical)
		answer_tree(h->request, 503, 8001, "Critical services unavailable", o);
	else if (degraded)
		answer_tree(h->request, 207, 1004, "Some services are degraded", o);
	else
		answer_tree(h->request, 200, 1000, "All services healthy", o);
}

static void do_healthz(struct rpc_request *request)
{
	check_health(request, answer_healthz);
}

/* Media tools are listed, but texts go their way without them: only what every request needs decides. */
static void answer_ready(struct health *h)
{
	struct json_object *o = json_object_new_object();
	struct json_object *parts = json_object_new_object();
	bool ready = h->database && h->files;

	add_bool(parts, "database", h->database);
	add_bool(parts, "cache", true);
	add_bool(parts, "storage", !h->storage_error[0]);
	add_bool(parts, "messageQueue", true);
	add_bool(parts, "fileSystem", h->files);
	add_bool(parts, "ffmpeg", h->media);
	add_bool(parts, "sharp", h->media);
	add_bool(o, "ready", ready);
	json_object_object_add(o, "dependencies", parts);
	add_int(o, "timestamp", timefmt_now_ms() / 1000);
	if (ready)
		answer_tree(h->request, 200, 1000, "Server is ready for traffic", o);
	else
		answer_tree(h->request, 503, 8001, "One or more dependencies are not ready", o);
}

static void do_ready(struct rpc_request *request)
{
	check_health(request, answer_ready);
}

/* ---- cpu history ---- */

struct span_name {
	const char *name;
	int64_t ms;
};

static int64_t span_ms(const struct span_name *names, size_t n, const char *text)
{
	for (size_t i = 0; text && i < n; i++) {
		if (strcasecmp(names[i].name, text) == 0)
			return names[i].ms;
	}
	return 0;
}

static char *lower(const char *text)
{
	char *copy = xstrdup(text);

	for (char *c = copy; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return copy;
}

static void do_cpu_history(struct rpc_request *request)
{
	static const struct span_name periods[] = { { "1h", 3600000 }, { "6h", 21600000 }, { "12h", 43200000 }, { "24h", 86400000 },
						    { "7d", 604800000 }, { "30d", 2592000000 } };
	static const struct span_name intervals[] = { { "1m", 60000 }, { "5m", 300000 }, { "15m", 900000 }, { "30m", 1800000 }, { "1h", 3600000 } };
	const char *period = rpc_param_text(request, "period");
	const char *interval = rpc_param_text(request, "interval");
	int64_t period_ms = span_ms(periods, sizeof periods / sizeof *periods, period = period ? period : "1h");
	int64_t interval_ms = span_ms(intervals, sizeof intervals / sizeof *intervals, interval = interval ? interval : "5m");
	struct json_object *o;
	char *text;
	size_t buckets;

	if (!period_ms) {
		rpc_answer(request, 400, 2002, "Invalid period. Allowed values: 1h, 6h, 12h, 24h, 7d, 30d", NULL);
		return;
	}
	if (!interval_ms) {
		rpc_answer(request, 400, 2002, "Invalid interval. Allowed values: 1m, 5m, 15m, 30m, 1h", NULL);
		return;
	}
	o = json_object_new_object();
	add_text(o, "period", text = lower(period));
	free(text);
	add_text(o, "interval", text = lower(interval));
	free(text);
	buckets = cpu_history_add(server_info_cpu(request->context->info), period_ms, interval_ms, timefmt_now_ms(), o);
	add_int(o, "timestamp", timefmt_now_ms() / 1000);
	answer_tree(request, 200, 1000, buckets > 0 ? "CPU history fetched" : "No CPU samples collected for the requested period", o);
}

/* ---- restart ---- */

static void do_restart(struct rpc_request *request)
{
	struct json_object *delay = json_object_object_get(request->p, "delaySeconds");
	double seconds = delay ? json_object_get_double(delay) : 4.0;
	const char *reason = rpc_param_text(request, "reason");
	struct buf result = { 0 };
	int64_t at_ms = 0;
	bool fresh;

	seconds = seconds >= 0 ? seconds : 4.0;
	seconds = seconds < 1.5 ? 1.5 : seconds > 1800 ? 1800 : seconds;
	fresh = restart_in(request->context->restarts, (int64_t)(seconds * 1000), reason ? reason : "Manual restart via API", &at_ms);
	buf_u8(&result, '{');
	json_put_bool(&result, "restartInitiated", fresh);
	json_put_time(&result, "scheduledAt", at_ms);
	json_put_member(&result, "restartStrategy", "service");
	json_put_int(&result, "timestamp", timefmt_now_ms() / 1000);
	buf_u8(&result, '}');
	if (fresh)
		rpc_answer(request, 202, 1003, "Restart scheduled via service strategy", buf_text(&result));
	else
		rpc_answer(request, 200, 1005, "A restart is already pending", buf_text(&result));
	buf_free(&result);
}

struct schedule {
	struct rpc_request *request;
	int hour, minute;
	char zone[64];
	int64_t next_ms;
};

static void scheduled(void *arg, int error)
{
	struct schedule *s = arg;
	struct buf result = { 0 };
	char clock[16];
	char message[160];

	if (error) {
		rpc_answer(s->request, 500, 8000, "Unable to configure restart schedule", NULL);
		return;
	}
	snprintf(clock, sizeof clock, "%02d:%02d", s->hour, s->minute);
	snprintf(message, sizeof message, "Restart scheduled daily at %s (%s)", clock, s->zone);
	buf_u8(&result, '{');
	json_put_member(&result, "scheduledRestart", clock);
	json_put_member(&result, "timezone", s->zone);
	json_put_time(&result, "nextRestartAt", s->next_ms);
	json_put_int(&result, "timestamp", timefmt_now_ms() / 1000);
	buf_u8(&result, '}');
	rpc_answer(s->request, 202, 1003, message, buf_text(&result));
	buf_free(&result);
}

static void cancelled(void *arg, int error)
{
	if (error)
		rpc_answer(arg, 500, 8000, "Unable to configure restart schedule", NULL);
	else
		rpc_answer(arg, 200, 1005, "Scheduled restart cancelled", NULL);
}

/* "2:30", "02:30", "23:59". */
static bool parse_clock(const char *text, int *hour, int *minute)
{
	size_t digits = strspn(text, "0123456789");
	char *end = NULL;

	if (digits < 1 || digits > 2 || text[digits] != ':' || strlen(text) != digits + 3 || strspn(text + digits + 1, "0123456789") != 2)
		return false;
	*hour = (int)strtol(text, &end, 10);
	*minute = (int)strtol(end + 1, NULL, 10);
	return *hour < 24 && *minute < 60;
}

static void do_restart_scheduled(struct rpc_request *request)
{
	struct json_object *value = json_object_object_get(request->p, "schedule");
	const char *text = value ? json_object_get_string(value) : NULL;
	const char *zone = rpc_param_text(request, "timezone");
	struct schedule *s;

	if (!text || !text[0]) {
		rpc_answer(request, 400, 2002, "Schedule is required (HH:MM 24-hour format or 0 to cancel)", NULL);
		return;
	}
	if (strcmp(text, "0") == 0) {
		if (!restart_daily_cancel(request->context->restarts, cancelled, request))
			rpc_answer(request, 200, 1005, "No scheduled restart configured", NULL);
		return;
	}
	s = xcalloc(1, sizeof *s);
	s->request = request;
	request->work = s;
	request->work_free = free;
	snprintf(s->zone, sizeof s->zone, "%s", zone && zone[0] ? zone : request->context->daemon->config->timezone);
	if (!parse_clock(text, &s->hour, &s->minute))
		rpc_answer(request, 400, 2002, "Schedule must use HH:MM 24-hour format (e.g., 02:30)", NULL);
	else if (!restart_daily(request->context->restarts, s->hour, s->minute, s->zone, &s->next_ms, scheduled, s))
		rpc_answer(request, 400, 2002, "Invalid timezone provided", NULL);
}

const struct rpc_method rpc_server_methods[] = {
	{ "server.info", do_info },
	{ "server.healthz", do_healthz },
	{ "server.ready", do_ready },
	{ "server.cpu_history", do_cpu_history },
	{ "server.restart", do_restart },
	{ "server.restart_scheduled", do_restart_scheduled },
	{ NULL, NULL },
};
