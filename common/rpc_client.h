/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Calling warest-sessiond from a thread: blocking, always within a time limit, over connections that are kept for the next call.
 *
 *     struct rpc_pool *pool = rpc_pool_new("/run/warest/sessiond.sock", "warest.fcgi", "0.1.0");
 *     int rc = rpc_call(pool, json, strlen(json), NULL, 0, 10000, &reply);      one answer
 *
 *     rc = rpc_stream_open(pool, json, len, 10000, &stream);                     many parts (live view)
 *     while ((rc = rpc_stream_next(stream, 15000, &reply)) == RPC_OK && !reply.last) ...
 *     rpc_stream_close(stream);
 *
 * A connection carries one request at a time; a kept one that the daemon has closed meanwhile is noticed before it is used.
 * A request is never sent twice: what was written but not answered is RPC_E_LOST or RPC_E_TIMEOUT.
 */
#ifndef COMMON_RPC_CLIENT_H
#define COMMON_RPC_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/rpc.h"

struct rpc_pool;
struct rpc_stream;

struct rpc_reply {
	struct buf json; /* owned; rpc_reply_free() */
	bool last;       /* an ANSWER; a PART otherwise */
	int fds[LIMIT_RPC_DESCRIPTORS]; /* owned, as in struct rpc_frame */
	size_t nfds;
};

void rpc_reply_init(struct rpc_reply *reply);
void rpc_reply_free(struct rpc_reply *reply);

/* The strings are copied. Connects to nobody yet. */
struct rpc_pool *rpc_pool_new(const char *socket_path, const char *program, const char *version);
/* Closes the kept connections. No call may be running. */
void rpc_pool_free(struct rpc_pool *pool);

/* Sends one request and waits for its answer. timeout_ms covers everything from connecting on. The descriptors stay the
 * caller's. reply must be initialised; it is cleared first. RPC_OK or an error. Any thread. */
int rpc_call(struct rpc_pool *pool, const char *json, size_t len, const int *fds, size_t nfds, int64_t timeout_ms,
	struct rpc_reply *reply);

/* When a call is to be given up before its time. -1 watches nothing. */
struct rpc_watch {
	int client; /* hangs up: nobody waits for the answer any more */
	int stop;   /* becomes readable: this program ends */
};

/* As rpc_call, but also ends with RPC_E_GONE, telling the daemon so (CANCEL), when one of `watch` speaks. */
int rpc_call_watched(struct rpc_pool *pool, const char *json, size_t len, const int *fds, size_t nfds, int64_t timeout_ms, struct rpc_watch watch,
	struct rpc_reply *reply);

/* Sends a request that is answered in parts. timeout_ms covers connecting and sending. */
int rpc_stream_open(struct rpc_pool *pool, const char *json, size_t len, int64_t timeout_ms, struct rpc_stream **out);
/* The next part. RPC_E_TIMEOUT leaves the stream usable: nothing came within timeout_ms. */
int rpc_stream_next(struct rpc_stream *stream, int64_t timeout_ms, struct rpc_reply *reply);
/* The socket, to poll it together with others. */
int rpc_stream_fd(const struct rpc_stream *stream);
/* True if a part has been received already, so that polling the socket would wait for nothing. */
bool rpc_stream_ready(const struct rpc_stream *stream);
/* Tells the daemon that nobody listens any more, and frees the stream. NULL is allowed. */
void rpc_stream_close(struct rpc_stream *stream);

#endif
