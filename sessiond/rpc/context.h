/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Making and freeing what the requests share. Private to sessiond/rpc. */
#ifndef SESSIOND_RPC_CONTEXT_H
#define SESSIOND_RPC_CONTEXT_H

#include "sessiond/rpc/request.h"

struct rpc_context *rpc_context_new(struct daemon *daemon, void (*write)(struct rpc_conn *conn, uint32_t id, const struct buf *json, int fd));
/* Requests that still wait are dropped without an answer. */
void rpc_context_free(struct rpc_context *context);

#endif
