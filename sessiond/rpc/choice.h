/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which session a request means, and what each family of routes answers when there is none (rest-a 1.7). Private to sessiond/rpc. */
#ifndef SESSIOND_RPC_CHOICE_H
#define SESSIOND_RPC_CHOICE_H

#include <stdbool.h>

struct rpc_request;

/* Sets request->session_id. False: the request was answered. A request without "session" passes. */
bool choose_session(struct rpc_request *request);

/* [A-Za-z0-9._-]{1,64}, neither "." nor "..". */
bool session_id_is_valid(const char *id);

#endif
