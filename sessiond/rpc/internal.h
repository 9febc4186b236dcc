/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Calls from inside the daemon (sessiond/call.h): a request without a connection. Private to sessiond/rpc. Main loop only. */
#ifndef SESSIOND_RPC_INTERNAL_H
#define SESSIOND_RPC_INTERNAL_H

#include "sessiond/call.h"
#include "sessiond/rpc/request.h"

struct internal;
struct send_job;

/* Sets daemon->calls. */
void internal_init(struct rpc_context *context);
/* The answer of the request that the call made, which ends after this. */
void internal_answer(struct internal *call, struct buf *json);
/* True if the call wants the messages made, not sent; then it takes the job over with the second function. */
bool internal_only_makes(const struct internal *call);
void internal_take_job(struct internal *call, struct send_job *job);
/* The request is being freed. */
void internal_forget(struct internal *call);
/* Frees calls whose answers nobody will get: at the end. */
void internal_drop_all(struct rpc_context *context);

#endif
