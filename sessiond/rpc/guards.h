/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What stands between a good key and the work: rate limit, recipient cooldown
 * and quota, counted per key.
 *
 * Rate limit and quota are fixed windows that start with the first request.
 * The cooldown remembers (key, raw text of the recipient) and refuses the same
 * pair until its time is over; a refused request does not prolong it.
 * A maximum or cooldown of 0 switches that guard off.
 *
 * Times are kept on the monotonic clock, so a jump of the wall clock neither
 * locks a key out nor frees it; only the reset headers are wall-clock times.
 * One owner: the RPC loop.
 */
#ifndef WAREST_SESSIOND_RPC_GUARDS_H
#define WAREST_SESSIOND_RPC_GUARDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct guards;

struct guard_limits {
	int64_t rate_window_ms;
	int64_t rate_max; /* 0 = off */
	int64_t cooldown_ms; /* 0 = off */
	int64_t quota_window_ms;
	int64_t quota_max; /* 0 = off */
};

/* What a counted window tells the client in its headers. */
struct guard_window {
	bool counted; /* false: this guard is off, no headers */
	bool refused;
	int64_t limit;
	int64_t remaining;
	int64_t reset_epoch_s;
};

struct guards *guards_new(const struct guard_limits *limits);
void guards_free(struct guards *guards);

/* Counts one request of the key (key_id: any stable bytes that stand for it)
 * and says whether it is over the limit. mono_ms and wall_ms are now on the
 * monotonic and on the wall clock. */
struct guard_window guards_rate(struct guards *guards, const void *key_id, size_t key_id_len,
								int64_t mono_ms, int64_t wall_ms);

/* The same for the quota. */
struct guard_window guards_quota(struct guards *guards, const void *key_id, size_t key_id_len,
								 int64_t mono_ms, int64_t wall_ms);

/* 0 when the key may address that recipient now (and starts its cooldown),
 * else the seconds to wait, rounded up. */
int64_t guards_cooldown(struct guards *guards, const void *key_id, size_t key_id_len,
						const char *to, size_t to_len, int64_t mono_ms);

/* How a counter is kept over a restart: kind and key name it; values are wall-clock times and counts, NULL: it need not be kept any more. */
enum { GUARD_VALUES = 4 };
typedef void guard_save(void *arg, char kind, const void *key, size_t key_len, const int64_t values[GUARD_VALUES]);

/* Tells what has changed since the last time and lasts a while: windows of rate limit ('r') and quota ('q'). Cooldowns are not kept. */
void guards_save(struct guards *guards, int64_t mono_ms, int64_t wall_ms, guard_save *save, void *arg);
/* Adds a kept window to what was counted meanwhile; false: it is over, or none of these. */
bool guards_restore(struct guards *guards, char kind, const void *key, size_t key_len, const int64_t values[GUARD_VALUES], int64_t mono_ms, int64_t wall_ms);

/* Forgets what is over; call it about once a minute. */
void guards_sweep(struct guards *guards, int64_t mono_ms);

#endif
