/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Login lockout per client address and user name.
 *
 * A window of 10 minutes starts with the first failure. Every fifth failure
 * in it locks the pair for 2, then 5, then 10 minutes (10 for all later ones),
 * and the failing request itself is already refused. While locked, right
 * passwords are refused too. A success forgets everything.
 * One owner: the RPC loop.
 */
#ifndef WAREST_SESSIOND_RPC_LOCKOUT_H
#define WAREST_SESSIOND_RPC_LOCKOUT_H

#include <stdint.h>

#include "sessiond/rpc/guards.h"

struct lockout;

struct lockout *lockout_new(void);
void lockout_free(struct lockout *lockout);

/* Seconds (rounded up) until that pair may try again, 0 if it may now. */
int64_t lockout_wait_s(struct lockout *lockout, const char *ip, const char *username,
					   int64_t mono_ms);

/* Counts a failure; returns the seconds of a lock that it started, else 0. */
int64_t lockout_failed(struct lockout *lockout, const char *ip, const char *username,
					   int64_t mono_ms);

void lockout_succeeded(struct lockout *lockout, const char *ip, const char *username);

/* As guards_save() and guards_restore(); the kind is 'l'. */
void lockout_save(struct lockout *lockout, int64_t mono_ms, int64_t wall_ms, guard_save *save, void *arg);
bool lockout_restore(struct lockout *lockout, char kind, const void *key, size_t key_len, const int64_t values[GUARD_VALUES], int64_t mono_ms,
					 int64_t wall_ms);

/* Forgets what is over; call it about once a minute. */
void lockout_sweep(struct lockout *lockout, int64_t mono_ms);

#endif
