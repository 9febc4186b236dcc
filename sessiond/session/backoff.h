/* SPDX-License-Identifier: GPL-3.0-or-later */
/* When to connect again, and when to give up fighting over an account.
 *
 * Delays grow like Fibonacci numbers (1, 1, 2, 3, 5 ... seconds) with +-10 %
 * jitter up to 900 s, and start over only after a connection that was stable
 * for 30 s: a server that accepts and drops is not hammered (protocol fact:
 * WhatsApp Web does the same).
 *
 * Conflicts ("replaced by another client") count in a sliding window: short
 * openings in between do not reset the count.
 */
#ifndef WAREST_SESSIOND_SESSION_BACKOFF_H
#define WAREST_SESSIOND_SESSION_BACKOFF_H

#include <stdbool.h>
#include <stdint.h>

enum {
	BACKOFF_MAX_MS = 900 * 1000,
	BACKOFF_STABLE_MS = 30 * 1000,
	/* A server that says "rate limited" is left alone this many steps longer. */
	BACKOFF_RATE_LIMITED_STEPS = 5,
	CONFLICT_WINDOW_MS = 10 * 60 * 1000,
	CONFLICT_KEPT = 8
};

struct backoff {
	unsigned step;        /* how many delays were handed out since the last reset */
	int64_t opened_at_ms; /* monotonic; 0 = not open */
};

/* The delay before the next attempt in ms, at least min_ms. random01 is a
 * random number in [0, 1). */
int64_t backoff_next_ms(struct backoff *backoff, int64_t min_ms, double random01);

/* Skips steps ahead (rate limited). */
void backoff_advance(struct backoff *backoff, unsigned steps);

/* The login succeeded at mono_ms. */
void backoff_opened(struct backoff *backoff, int64_t mono_ms);

/* The connection ended at mono_ms: starts over if it had been stable. */
void backoff_closed(struct backoff *backoff, int64_t mono_ms);

struct conflict_window {
	int64_t at_ms[CONFLICT_KEPT]; /* ring of monotonic times */
	unsigned next;
	unsigned count;
};

/* Notes a conflict and returns how many there were in the last window,
 * this one included (at most CONFLICT_KEPT). */
unsigned conflict_noted(struct conflict_window *window, int64_t mono_ms);

#endif
