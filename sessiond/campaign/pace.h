/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * When the next message of a campaign may go: gap and jitter between two, at most so many in a minute and in an hour, and only within the
 * window's time of day. Nothing here asks for the time. Wall clock milliseconds.
 *
 *     |--gap--|+jitter|            |------- minute, counted from its first message -------|
 *     m       m       m            m m m m (per_minute reached) ......................... m
 */
#ifndef SESSIOND_CAMPAIGN_PACE_H
#define SESSIOND_CAMPAIGN_PACE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/timefmt.h"

/* 0: no such bound. */
struct pace {
	int64_t gap_ms, jitter_ms;
	int64_t per_minute, per_hour;
};

struct pace_bucket {
	int64_t first_ms, count; /* first_ms 0: empty */
};

struct pace_state {
	int64_t next_ms;
	struct pace_bucket minute, hour;
};

enum { PACE_MINUTE_MS = 60 * 1000, PACE_HOUR_MS = 60 * 60 * 1000 };

/* The earliest time, not before now_ms, at which the next one may go. */
int64_t pace_due(const struct pace *pace, const struct pace_state *state, int64_t now_ms);
/* One goes now; chance in [0, 1). */
void pace_take(const struct pace *pace, struct pace_state *state, int64_t now_ms, double chance);

/* from_min == to_min: the whole day. A window over midnight belongs to the day on which it opens. What the clocks show
 * counts, also on the days on which they are changed. */
struct window {
	bool set;
	int from_min, to_min;          /* minutes since midnight */
	unsigned days;                 /* bit 0: Sunday, ... bit 6: Saturday; 0: every day */
	struct timezone_rules *zone;   /* borrowed, not NULL when set */
};

/* now_ms while the window is open, else when it opens next. */
int64_t window_open(const struct window *window, int64_t now_ms);

#endif
