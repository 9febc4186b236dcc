/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Many timers on one libuv timer: a heap ordered by the monotonic time they are due.
 *
 *     struct timers --> [ heap of struct timer * ]     a timer is part of the thing that waits; the heap only points to it
 *
 * A thousand idle sessions need one kernel-visible timer this way. All calls on the loop's thread.
 */
#ifndef SESSIOND_TIMERS_H
#define SESSIOND_TIMERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct timer {
	int64_t at_ms;           /* monotonic */
	void (*fn)(void *arg);
	void *arg;               /* borrowed */
	size_t at;               /* place in the heap + 1; 0: not running */
};

struct timers;

struct timers *timers_new(uv_loop_t *loop);
/* Timers that still run are forgotten, not called. The loop has to run once more. */
void timers_free(struct timers *timers);
/* Calls fn(arg) at at_ms (at the next turn if that is past). A running timer is moved. */
void timer_start(struct timers *timers, struct timer *timer, int64_t at_ms, void (*fn)(void *arg), void *arg);
/* Nothing happens if it does not run. */
void timer_stop(struct timers *timers, struct timer *timer);
static inline bool timer_runs(const struct timer *timer)
{
	return timer->at != 0;
}

#endif
