/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Restarts: one after a delay, one a day. */
#include "sessiond/rpc/restart.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/timefmt.h"
#include "sessiond/async.h"
#include "sessiond/daemon.h"
#include "sessiond/exit.h"
#include "sessiond/timers.h"

static const char setting_name[] = "restart.daily"; /* "HH:MM zone" */

/* Timers look at the wall clock at least this often, so that a changed clock does not shift the daily restart. */
enum { LOOK_EVERY_MS = 30000 };

struct restarts {
	struct daemon *daemon; /* borrowed */
	struct log log;
	struct timer once, daily;
	int64_t once_at_ms;    /* wall clock; 0: none pending */
	int64_t daily_at_ms;   /* wall clock; 0: none configured */
	int hour, minute;
	struct timezone_rules *zone; /* owned */
	struct arena arena;    /* of the setting while it is read */
	const char *value;
	int error;
};

static void restart_now(void *arg)
{
	struct restarts *r = arg;

	log_warn(&r->log, "restarting");
	r->daemon->stop(r->daemon, EXIT_STATUS_RESTART);
}

bool restart_in(struct restarts *restarts, int64_t delay_ms, const char *reason, int64_t *at_ms)
{
	if (restarts->once_at_ms) {
		*at_ms = restarts->once_at_ms;
		return false;
	}
	restarts->once_at_ms = *at_ms = timefmt_now_ms() + delay_ms;
	log_warn(&restarts->log, "restart scheduled", LOG_INT("in_ms", delay_ms), LOG_STR("reason", reason));
	timer_start(restarts->daemon->timers, &restarts->once, timefmt_monotonic_ms() + delay_ms, restart_now, restarts);
	return true;
}

static void look_at_clock(void *arg)
{
	struct restarts *r = arg;
	int64_t left_ms = r->daily_at_ms - timefmt_now_ms();

	if (left_ms <= 0) {
		/* Armed for the next day at once: if the stop takes long, it does not come twice. */
		r->daily_at_ms = timefmt_next_clock(r->zone, r->hour, r->minute, timefmt_now_ms());
		restart_now(r);
		return;
	}
	timer_start(r->daemon->timers, &r->daily, timefmt_monotonic_ms() + (left_ms < LOOK_EVERY_MS ? left_ms : LOOK_EVERY_MS), look_at_clock, r);
}

static bool arm(struct restarts *r, int hour, int minute, const char *zone_name)
{
	struct timezone_rules *zone = timefmt_zone_load(zone_name);

	if (!zone)
		return false;
	timefmt_zone_free(r->zone);
	r->zone = zone;
	r->hour = hour;
	r->minute = minute;
	r->daily_at_ms = timefmt_next_clock(zone, hour, minute, timefmt_now_ms());
	look_at_clock(r);
	return true;
}

bool restart_daily(struct restarts *restarts, int hour, int minute, const char *zone, int64_t *next_ms, void (*done)(void *arg, int error), void *arg)
{
	struct store_tx *tx;
	char value[128];

	if (!arm(restarts, hour, minute, zone))
		return false;
	*next_ms = restarts->daily_at_ms;
	tx = store_tx_new(restarts->daemon->store);
	snprintf(value, sizeof value, "%02d:%02d %s", hour, minute, zone);
	store_tx_setting_put(tx, setting_name, value);
	async_commit(restarts->daemon->loop, restarts->daemon->store, tx, done, arg);
	return true;
}

bool restart_daily_cancel(struct restarts *restarts, void (*done)(void *arg, int error), void *arg)
{
	struct store_tx *tx;

	if (!restarts->daily_at_ms)
		return false;
	timer_stop(restarts->daemon->timers, &restarts->daily);
	restarts->daily_at_ms = 0;
	tx = store_tx_new(restarts->daemon->store);
	store_tx_setting_put(tx, setting_name, NULL);
	async_commit(restarts->daemon->loop, restarts->daemon->store, tx, done, arg);
	return true;
}

static void setting_read(struct store_reader *reader, void *arg)
{
	struct restarts *r = arg;

	r->error = store_setting_get(reader, &r->arena, setting_name, &r->value);
}

static void setting_done(void *arg)
{
	struct restarts *r = arg;
	const char *zone = r->error == STORE_OK && r->value ? strchr(r->value, ' ') : NULL;
	const char *colon = zone ? strchr(r->value, ':') : NULL;

	if (colon && !r->daily_at_ms && !arm(r, (int)strtol(r->value, NULL, 10), (int)strtol(colon + 1, NULL, 10), zone + 1))
		log_warn(&r->log, "the daily restart's time zone is unknown", LOG_STR("zone", zone + 1));
	arena_free(&r->arena);
}

struct restarts *restarts_new(struct daemon *daemon)
{
	struct restarts *r = xcalloc(1, sizeof *r);

	r->daemon = daemon;
	r->log = log_named(&daemon->log, "restart");
	arena_init(&r->arena, 0);
	async_read(daemon->loop, daemon->store, setting_read, setting_done, r);
	return r;
}

void restarts_free(struct restarts *restarts)
{
	if (!restarts)
		return;
	timer_stop(restarts->daemon->timers, &restarts->once);
	timer_stop(restarts->daemon->timers, &restarts->daily);
	timefmt_zone_free(restarts->zone);
	arena_free(&restarts->arena);
	free(restarts);
}
