/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The course of a campaign: its row, pages of recipients, when the next one may go, the end. */
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/async.h"
#include "sessiond/campaign/run.h"
#include "sessiond/crypto/crypto.h"
#include "sessiond/storage/storage.h"

enum {
	/* The wall clock may be set meanwhile. */
	LONGEST_WAIT_MS = 60000,
	/* How long acknowledgements are waited for before they are counted again. */
	SETTLE_WAIT_MS = 1000
};

static void start_read(struct run *run, enum run_reading what);

/* ---- lists ---- */

static void drop_batch(struct run *run)
{
	arena_free(&run->batch.arena);
	run->batch = (struct batch){ .rows = NULL };
	arena_init(&run->batch.arena, 0);
}

static void run_free(struct run *run)
{
	struct timers *timers = run->all->daemon->timers;

	timer_stop(timers, &run->timer);
	timer_stop(timers, &run->tell);
	while (run->flights) {
		struct flight *flight = run->flights;

		run->flights = flight->next;
		flight_free(flight);
	}
	json_object_put(run->attached.kept);
	campaign_spec_free(&run->spec);
	arena_free(&run->batch.arena);
	arena_free(&run->read.arena);
	arena_free(&run->arena);
	free(run->id);
	free(run);
}

static void unwatch(struct run *run)
{
	if (run->watching)
		sessions_unwatch(&run->watch);
	run->watching = false;
}

bool run_let_go(struct run *run)
{
	struct run **at = &run->all->runs;

	if (!run->gone || run->busy || run->flying || run->held)
		return false;
	while (*at != run)
		at = &(*at)->next;
	*at = run->next;
	unwatch(run);
	run_free(run);
	return true;
}

struct run *run_find(const struct campaigns *all, const char *id)
{
	struct run *run = all->runs;

	while (run && strcmp(run->id, id) != 0)
		run = run->next;
	return run;
}

void runs_free(struct campaigns *all)
{
	while (all->runs) {
		struct run *run = all->runs;

		all->runs = run->next;
		run_free(run);
	}
}

void run_halt(struct run *run)
{
	run->ready = false;
	unwatch(run);
	timer_stop(run->all->daemon->timers, &run->timer);
	timer_stop(run->all->daemon->timers, &run->tell);
	flights_cancel(run);
	attach_cancel(run);
}

void run_rewind(struct run *run, int64_t wait_ms)
{
	run->rewind = true;
	run->retry_ms = timefmt_monotonic_ms() + wait_ms;
}

/* ---- waiting ---- */

static void wake(void *arg)
{
	run_pump(arg);
}

static void wait_for(struct run *run, int64_t ms)
{
	ms = ms < 0 ? 0 : ms > LONGEST_WAIT_MS ? LONGEST_WAIT_MS : ms;
	timer_start(run->all->daemon->timers, &run->timer, timefmt_monotonic_ms() + ms, wake, run);
}

static void look(void *arg)
{
	const struct run *run = arg;

	campaigns_look(run->all, run->id);
}

static void look_soon(struct run *run)
{
	run->ready = false;
	timer_start(run->all->daemon->timers, &run->timer, timefmt_monotonic_ms() + SETTLE_WAIT_MS, look, run);
}

static void session_changed(void *arg, struct session_entry *entry)
{
	struct run *run = arg;

	/* In a turn of its own: the others that watch are told first. The watch stays until the session goes. */
	if (entry) {
		wait_for(run, 0);
		return;
	}
	run->watching = false;
	campaigns_look(run->all, run->id);
}

void run_pause(struct run *run, const char *reason)
{
	campaigns_change(run->all, &run->row, STORE_CAMPAIGN_BIT(STORE_CAMPAIGN_ACTIVE), STORE_CAMPAIGN_PAUSED, reason, NULL, NULL);
}

/* False: the session cannot send now, or the campaign pauses. It is watched in any case. */
static bool session_is_open(struct run *run)
{
	struct session_entry *entry = sessions_find(run->all->daemon->sessions, run->row.session_id);

	if (!entry || entry->number != run->row.session) {
		/* Its removal cancels the campaign; the row will say so. */
		look_soon(run);
		return false;
	}
	if (!run->watching)
		sessions_watch(entry, &run->watch, session_changed, run);
	run->watching = true;
	if (entry->view.status == SESSION_OPEN)
		return true;
	if (!entry->view.registered || entry->view.status == SESSION_LOGGED_OUT)
		run_pause(run, "The session was logged out");
	else if (entry->view.status == SESSION_BANNED)
		run_pause(run, "The account is banned");
	else if (entry->view.status == SESSION_REPLACED)
		run_pause(run, "The session was taken over by another connection");
	return false;
}

/* False: not yet; then a timer runs. */
static bool has_begun(struct run *run)
{
	int64_t start_ms = run->row.start_ms - timefmt_now_ms(), retry_ms = run->retry_ms - timefmt_monotonic_ms();

	if (start_ms <= 0 && retry_ms <= 0)
		return true;
	wait_for(run, start_ms > retry_ms ? start_ms : retry_ms);
	return false;
}

/* The same for the next message. */
static bool is_due(struct run *run)
{
	int64_t now_ms = timefmt_now_ms(), due_ms = window_open(&run->spec.window, now_ms);

	if (due_ms <= now_ms)
		due_ms = pace_due(&run->spec.pace, &run->pace, now_ms);
	if (due_ms <= now_ms)
		return true;
	wait_for(run, due_ms - now_ms);
	return false;
}

/* ---- the course ---- */

static int64_t unsettled(const struct run *run)
{
	return run->counts[STORE_OUTBOX_QUEUED] + run->counts[STORE_OUTBOX_SENT];
}

static void take(struct run *run)
{
	const struct store_recipient *recipient = &run->batch.rows[run->batch.at++];
	uint32_t chance = 0;

	if (crypto_random(&chance, sizeof chance))
		abort();
	run->last = recipient->number;
	pace_take(&run->spec.pace, &run->pace, timefmt_now_ms(), (double)chance / ((double)UINT32_MAX + 1));
	flight_start(run, recipient);
}

/* Taken ones that are pending still are read again, when none is in work that could be read with them. False: not yet. */
static bool rewound(struct run *run)
{
	if (!run->rewind)
		return true;
	if (run->flying)
		return false;
	run->rewind = false;
	run->last = 0;
	run->end = false;
	drop_batch(run);
	return true;
}

void run_pump(struct run *run)
{
	while (run->ready && !run->held && !run->gone && !run->all->stopping && !run->read.what) {
		bool page_is_over = run->batch.at == run->batch.n;

		timer_stop(run->all->daemon->timers, &run->timer);
		if (!rewound(run) || !has_begun(run) || !session_is_open(run))
			return;
		if (run->count_first)
			start_read(run, READ_COUNTS);
		else if (page_is_over && !run->end)
			start_read(run, READ_PAGE);
		else if (page_is_over && !run->flying)
			start_read(run, READ_COUNTS);
		else if (page_is_over || run->flying >= CAMPAIGN_AHEAD || !is_due(run))
			return;
		else if (!attach_is_ready(run)) {
			attach_start(run);
			return;
		} else
			take(run);
	}
}

/* ---- reading ---- */

/* On a thread of the store's readers. */
static void read_row(struct store_reader *reader, struct run_read *read, const char *id)
{
	int64_t now_ms = timefmt_now_ms();

	read->error = store_campaign_get(reader, &read->arena, id, &read->row);
	if (!read->error)
		read->error = store_campaign_since(reader, read->row.number, now_ms - PACE_MINUTE_MS, &read->minute_count, &read->minute_ms);
	if (!read->error)
		read->error = store_campaign_since(reader, read->row.number, now_ms - PACE_HOUR_MS, &read->hour_count, &read->hour_ms);
}

static void do_read(struct store_reader *reader, void *arg)
{
	struct run *run = arg;
	struct run_read *read = &run->read;

	if (read->what == READ_ROW)
		read_row(reader, read, run->id);
	else if (read->what == READ_PAGE)
		read->error = store_campaign_recipients(reader, &read->arena, read->campaign, 1U << STORE_RECIPIENT_PENDING, read->after, CAMPAIGN_PAGE,
			&read->rows, &read->n);
	else
		read->error = store_campaign_counts(reader, read->campaign, read->counts);
}

static void take_row(struct run *run)
{
	struct run_read *read = &run->read;
	bool first = !run->row.number;

	if (read->error == STORE_NOT_FOUND || (!read->error && read->row.state != STORE_CAMPAIGN_ACTIVE)) {
		run_halt(run);
		run->gone = true;
		if (!read->error && read->row.file_key && read->row.state >= STORE_CAMPAIGN_DONE)
			storage_sweep(run->all->daemon->storage);
		return;
	}
	if (read->error) {
		look_soon(run);
		return;
	}
	arena_free(&run->arena);
	run->arena = read->arena;
	arena_init(&read->arena, 0);
	run->row = read->row;
	run->gone = false;
	campaign_spec_free(&run->spec);
	run->ready = campaign_spec_read(&run->spec, run->row.spec) == 0;
	attach_take_row(run);
	if (first) {
		run->pace.minute = (struct pace_bucket){ read->minute_ms, read->minute_count };
		run->pace.hour = (struct pace_bucket){ read->hour_ms, read->hour_count };
	}
	run->end = false;
	if (!run->ready)
		run_pause(run, "The campaign's content cannot be read");
}

static void take_page(struct run *run)
{
	struct run_read *read = &run->read;

	if (read->error) {
		run_rewind(run, SETTLE_WAIT_MS);
		return;
	}
	drop_batch(run);
	arena_free(&run->batch.arena);
	run->batch = (struct batch){ .arena = read->arena, .rows = read->rows, .n = read->n };
	arena_init(&read->arena, 0);
	run->end = read->n == 0;
}

static void take_counts(struct run *run)
{
	struct run_read *read = &run->read;
	bool over = run->end && !run->flying && run->batch.at == run->batch.n && !run->rewind;

	if (!read->error)
		memcpy(run->counts, read->counts, sizeof run->counts);
	run->count_first = read->error || unsettled(run) >= CAMPAIGN_AHEAD;
	if (run->count_first || (over && unsettled(run)))
		run->retry_ms = timefmt_monotonic_ms() + SETTLE_WAIT_MS;
	else if (over && run->counts[STORE_RECIPIENT_PENDING])
		run_rewind(run, 0);
	else if (over)
		campaigns_change(run->all, &run->row, STORE_CAMPAIGN_BIT(STORE_CAMPAIGN_ACTIVE), STORE_CAMPAIGN_DONE, NULL, NULL, NULL);
}

static void read_done(void *arg)
{
	static void (*const takes[])(struct run *run) = { [READ_ROW] = take_row, [READ_PAGE] = take_page, [READ_COUNTS] = take_counts };
	struct run *run = arg;
	struct run_read *read = &run->read;
	enum run_reading what = read->what;

	run->busy--;
	read->what = READ_NONE;
	if (read->error && read->error != STORE_NOT_FOUND)
		log_error(&run->all->log, "a campaign cannot be read", LOG_STR("campaign", run->id), LOG_STR("reason", store_error_name(read->error)));
	takes[what](run);
	arena_free(&read->arena);
	if (run->look_again) {
		run->look_again = false;
		start_read(run, READ_ROW);
	}
	if (!run_let_go(run))
		run_pump(run);
}

static void start_read(struct run *run, enum run_reading what)
{
	const struct daemon *daemon = run->all->daemon;

	run->read = (struct run_read){ .what = what, .campaign = run->row.number, .after = run->last };
	arena_init(&run->read.arena, 0);
	run->busy++;
	async_read(daemon->loop, daemon->store, do_read, read_done, run);
}

void campaigns_look(struct campaigns *all, const char *id)
{
	struct run *run = run_find(all, id);

	if (all->stopping)
		return;
	if (!run) {
		run = xcalloc(1, sizeof *run);
		run->all = all;
		run->id = xstrdup(id);
		arena_init(&run->arena, 0);
		arena_init(&run->batch.arena, 0);
		run->next = all->runs;
		all->runs = run;
	}
	if (run->read.what)
		run->look_again = true;
	else
		start_read(run, READ_ROW);
}
