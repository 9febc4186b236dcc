/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who looks at the journal live. Private to sessiond/rpc; main loop only.
 *
 * A view over a stream (SSE) asks again and again, under the name that warest.fcgi gave it; a single request may wait as well. Each of them
 * holds a thread of warest.fcgi, so their number is bounded, per key and in all: a place is claimed with the first question and kept between
 * two of them.
 */
#ifndef SESSIOND_RPC_LIVE_H
#define SESSIOND_RPC_LIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct daemon;
struct event_watch;
struct live_place;

struct live {
	struct daemon *daemon;
	struct live_place *places;   /* owned list */
	struct event_watch *watches; /* those that wait, or read: rpc_events.c */
	bool draining;
	uint64_t lost;               /* events that views came too late for */
};

struct live *live_new(struct daemon *daemon);
/* After the requests. NULL is fine. */
void live_free(struct live *live);
/* Answers everybody who waits. */
void live_drain(struct live *live);
/* How many places are taken. */
size_t live_count(struct live *live);

enum live_claim { LIVE_CLAIMED, LIVE_KEY_FULL, LIVE_FULL };

/* name: of the stream, NULL: of a single request. The place stays until live_leave(). */
enum live_claim live_claim(struct live *live, int64_t key, const char *name, struct live_place **place);
/* The question is answered. stays: a stream that will ask again; it has a while for that. NULL is fine. */
void live_leave(struct live *live, struct live_place *place, bool stays);
/* The stream of that name has ended. */
void live_end(struct live *live, int64_t key, const char *name);

/* rpc_events.c: the journal of a session has grown (0: of any), or (draining) nobody waits any longer. */
void live_heard(void *live, int64_t session);
void live_answer_all(struct live *live);

#endif
