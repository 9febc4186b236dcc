/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Gives memory back to the system when the daemon comes to rest. Linking a device, a backlog or a burst leaves free pieces all over
 * the heaps, which malloc keeps, and the start leaves code mapped that is never used again:
 *
 *     busy (commits, requests) --a few quiet seconds--> trimmed, once, in the thread pool --> nothing until it is busy again
 */
#ifndef SESSIOND_QUIET_H
#define SESSIOND_QUIET_H

struct daemon;
struct quiet;

/* Main loop. daemon outlives it. */
struct quiet *quiet_new(struct daemon *daemon);
/* After the main loop has ended; NULL is fine. */
void quiet_free(struct quiet *quiet);

#endif
