/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Requests that carry an Idempotency-Key (D30): the same key gives the answer of the first request and sends nothing again; the
 * same key with other contents is refused; a second request while the first one runs waits for it. Remembered for 24 hours, per
 * API key and route. Main loop only. Private to sessiond/rpc.
 */
#ifndef SESSIOND_RPC_IDEMPOTENCY_H
#define SESSIOND_RPC_IDEMPOTENCY_H

#include <stdbool.h>

#include "sessiond/rpc/request.h"

struct send_job;

/* Goes on with work(request) unless the answer is known already. */
void idempotency_begin(struct rpc_request *request, rpc_work *work);
/* Makes the job's rows and the key's row one transaction. Nothing without a key. */
void idempotency_fill(struct rpc_request *request, struct send_job *job);
/* Answers the request, and those that wait for it. remember: the answer is final and is stored before it is given. */
void idempotency_answer(struct rpc_request *request, int status, const struct buf *answer, bool remember);

/* The answer to a request whose rows were stored but which was never answered. Reader thread. False: it cannot be rebuilt.
 * send_answer.c. */
bool idempotency_rebuild(struct rpc_request *request, struct store_reader *reader, struct arena *arena, int64_t last_row, struct buf *out);

#endif
