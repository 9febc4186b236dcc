/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fibonacci backoff with jitter and the sliding window of conflicts. */
#include "sessiond/session/backoff.h"

#include <string.h>

/* Fibonacci seconds; the last one reaches the maximum. */
static const int64_t steps_ms[] = {1000,  1000,  2000,  3000,   5000,   8000,   13000,  21000,
								   34000, 55000, 89000, 144000, 233000, 377000, 610000, BACKOFF_MAX_MS};

static const unsigned last_step = (unsigned)(sizeof steps_ms / sizeof *steps_ms) - 1;

int64_t backoff_next_ms(struct backoff *backoff, int64_t min_ms, double random01)
{
	unsigned step = backoff->step < last_step ? backoff->step : last_step;
	double jitter = 0.9 + 0.2 * random01;
	int64_t delay_ms = (int64_t)((double)steps_ms[step] * jitter);

	if (backoff->step < last_step) {
		backoff->step++;
	}
	if (delay_ms > BACKOFF_MAX_MS) {
		delay_ms = BACKOFF_MAX_MS;
	}
	return delay_ms > min_ms ? delay_ms : min_ms;
}

void backoff_advance(struct backoff *backoff, unsigned steps)
{
	backoff->step = backoff->step + steps < last_step ? backoff->step + steps : last_step;
}

void backoff_opened(struct backoff *backoff, int64_t mono_ms)
{
	backoff->opened_at_ms = mono_ms;
}

void backoff_closed(struct backoff *backoff, int64_t mono_ms)
{
	if (backoff->opened_at_ms != 0 && mono_ms - backoff->opened_at_ms >= BACKOFF_STABLE_MS) {
		backoff->step = 0;
	}
	backoff->opened_at_ms = 0;
}

unsigned conflict_noted(struct conflict_window *window, int64_t mono_ms)
{
	unsigned recent = 0;

	window->at_ms[window->next] = mono_ms;
	window->next = (window->next + 1) % CONFLICT_KEPT;
	if (window->count < CONFLICT_KEPT) {
		window->count++;
	}
	for (unsigned i = 0; i < window->count; i++) {
		recent += mono_ms - window->at_ms[i] < CONFLICT_WINDOW_MS ? 1 : 0;
	}
	return recent;
}
