/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who asks, and may he: key, network, role, scope. In memory, from one look into the table of keys. Private to sessiond/rpc. */
#ifndef SESSIOND_RPC_ACCESS_H
#define SESSIOND_RPC_ACCESS_H

#include <stdbool.h>

#include "sessiond/store/store.h"

struct rpc_request;

/* Fills request->caller. False: the request was refused and answered. */
bool access_granted(struct rpc_request *request);
/*
 * The same look-up for a key or cookie that came as a parameter. STORE_OK: reach_drop(who->reach) when done. STORE_NOT_FOUND: it is
 * none, or no longer; STORE_CONSTRAINT: it may not be used from the request's address.
 */
int access_key(const struct rpc_request *request, const char *text, bool cookie, struct store_principal *who);
/* The client's address as warest.fcgi saw it behind trusted proxies; "" if unknown. Borrowed. */
const char *access_address(const struct rpc_request *request);

#endif
