/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Tells the main loop that sessions' journals have grown, without a letter per event.
 *
 *     any thread -- bell_ring(session) --> [ set of sessions ] --> main loop: heard(arg, session) once for each
 */
#ifndef SESSIOND_BELL_H
#define SESSIOND_BELL_H

#include <stdint.h>

struct bell;
struct loop;

/* Nobody listens yet. The loop outlives it. */
struct bell *bell_new(struct loop *loop);
/* After every thread that rings has ended and the loop no longer runs. NULL is fine. */
void bell_free(struct bell *bell);
/* Any thread: that session has a committed event more. NULL: nobody will ever listen. */
void bell_ring(struct bell *bell, int64_t session);
/* Main loop: the one listener, NULL: none. session 0: so many that it may be any. */
void bell_listen(struct bell *bell, void (*heard)(void *arg, int64_t session), void *arg);

#endif
