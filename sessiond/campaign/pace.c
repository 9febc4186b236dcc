/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Gaps, bounds per minute and hour, times of day; see pace.h. */
#include "sessiond/campaign/pace.h"

enum { WEEK = 7, HOUR_MIN = 60 };

/* When a bucket lets the next one pass. */
static int64_t bucket_due(const struct pace_bucket *bucket, int64_t most, int64_t length_ms, int64_t now_ms)
{
	int64_t end_ms = bucket->first_ms + length_ms;

	/* A clock that was set back must not hold anything for longer than the bucket is. */
	if (most <= 0 || bucket->count < most || now_ms >= end_ms || now_ms < bucket->first_ms)
		return now_ms;
	return end_ms;
}

int64_t pace_due(const struct pace *pace, const struct pace_state *state, int64_t now_ms)
{
	int64_t longest = pace->gap_ms + pace->jitter_ms;
	int64_t gap = state->next_ms > now_ms + longest ? now_ms + longest : state->next_ms;
	int64_t minute = bucket_due(&state->minute, pace->per_minute, PACE_MINUTE_MS, now_ms);
	int64_t hour = bucket_due(&state->hour, pace->per_hour, PACE_HOUR_MS, now_ms);
	int64_t due = now_ms;

	due = gap > due ? gap : due;
	due = minute > due ? minute : due;
	return hour > due ? hour : due;
}

static void fill(struct pace_bucket *bucket, int64_t length_ms, int64_t now_ms)
{
	if (bucket->count == 0 || now_ms >= bucket->first_ms + length_ms || now_ms < bucket->first_ms)
		*bucket = (struct pace_bucket){ .first_ms = now_ms };
	bucket->count++;
}

void pace_take(const struct pace *pace, struct pace_state *state, int64_t now_ms, double chance)
{
	state->next_ms = now_ms + pace->gap_ms + (int64_t)(chance * (double)pace->jitter_ms);
	fill(&state->minute, PACE_MINUTE_MS, now_ms);
	fill(&state->hour, PACE_HOUR_MS, now_ms);
}

static bool has_day(const struct window *window, int day)
{
	return !window->days || (window->days & (1U << ((day + WEEK) % WEEK)));
}

static bool is_open(const struct window *window, int64_t now_ms)
{
	struct tm local;
	int minute;

	timefmt_local(window->zone, now_ms, &local);
	minute = local.tm_hour * HOUR_MIN + local.tm_min;
	if (window->from_min < window->to_min)
		return has_day(window, local.tm_wday) && minute >= window->from_min && minute < window->to_min;
	if (window->from_min == window->to_min)
		return has_day(window, local.tm_wday);
	return (minute >= window->from_min && has_day(window, local.tm_wday)) || (minute < window->to_min && has_day(window, local.tm_wday - 1));
}

int64_t window_open(const struct window *window, int64_t now_ms)
{
	bool whole_day = window->from_min == window->to_min;
	int from = whole_day ? 0 : window->from_min;
	int64_t at = now_ms;

	if (!window->set || is_open(window, now_ms))
		return now_ms;
	for (int i = 0; i <= WEEK; i++) {
		at = timefmt_next_reading(window->zone, from / HOUR_MIN, from % HOUR_MIN, at);
		if (is_open(window, at))
			return at;
	}
	return at;
}
