/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Restarts of the daemon: one after a delay, or one a day at a local time. A restart is a clean stop after which main.c executes
 * the program again in the same process, so it works under any service manager and without one. The daily time is a setting in
 * the store and is armed again at start. Main loop only. Private to sessiond/rpc.
 */
#ifndef SESSIOND_RPC_RESTART_H
#define SESSIOND_RPC_RESTART_H

#include <stdbool.h>
#include <stdint.h>

struct daemon;
struct restarts;

struct restarts *restarts_new(struct daemon *daemon);
void restarts_free(struct restarts *restarts);

/* Restarts in delay_ms unless one is pending already (false). *at_ms: wall clock of the pending one in both cases. */
bool restart_in(struct restarts *restarts, int64_t delay_ms, const char *reason, int64_t *at_ms);

/*
 * A restart every day at hour:minute in an IANA zone, from now on. *next_ms: the first one, wall clock.
 * done(arg, error) follows when it is stored. False (and no done): the zone is unknown.
 */
bool restart_daily(struct restarts *restarts, int hour, int minute, const char *zone, int64_t *next_ms, void (*done)(void *arg, int error), void *arg);
/* Ends that. False (and no done): none was configured. */
bool restart_daily_cancel(struct restarts *restarts, void (*done)(void *arg, int error), void *arg);

#endif
