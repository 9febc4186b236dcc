/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What an answer of a receiver means, and how long to wait then. Private to the folder; no state, no clock. */
#ifndef SESSIOND_WEBHOOK_VERDICT_H
#define SESSIOND_WEBHOOK_VERDICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sessiond/net/http.h"

enum verdict {
	VERDICT_DELIVERED, /* 2xx */
	VERDICT_RETRY,     /* no answer, 429, 5xx: the receiver may be well again soon */
	VERDICT_FORBIDDEN, /* 401, 403: it does not accept our signature */
	VERDICT_GONE,      /* 404, 410 */
	VERDICT_REFUSED    /* every other status, and addresses that the guard refuses */
};

enum verdict verdict_of(enum http_error error, int status);
/* One of the contract's 13 events, or of those that were chosen besides; others are not sent to webhooks. */
bool verdict_is_webhook_event(const char *kind, char *const *more, size_t more_count);
/*
 * Pause after failed attempt n (1, 2, ...): backoff * 2^(n-1) + random * jitter, at least what Retry-After of a 429 or 503 asks for,
 * that at most 60 s. random: 0 <= random < 1.
 */
int64_t verdict_retry_ms(unsigned n, int64_t backoff_ms, int64_t jitter_ms, double random, int status, int64_t retry_after_s);
/* Pause number n (1, 2, ...) of a receiver: base * 2^(n-1), at most 15 times the base, up to a tenth longer by random. */
int64_t verdict_pause_ms(unsigned n, int64_t base_ms, double random);

#endif
