/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The audit log's place in the way of a request. Which methods are administrative acts stands in one table (audit.c). When such a
 * request ends, its entry is stored first and its answer goes out behind that commit:
 *
 *     work -> rpc_answer*() -> audit_holds() -> commit of the entry -> rpc_request_resume() -> answer
 *
 * An entry says who (user, key, address), what, on what, how it ended and which parameters were named; never a parameter's value.
 * Private to sessiond/rpc.
 */
#ifndef SESSIOND_RPC_AUDIT_H
#define SESSIOND_RPC_AUDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rpc_context;
struct rpc_request;
struct audit_rule;

/* What is written about requests of this method; NULL: nothing. Static. */
const struct audit_rule *audit_rule_of(const char *method);
/* The methods with rules, for tests: NULL behind the last. */
const char *audit_method(size_t i);

/* What was acted on, when the parameters do not tell. Replaces what was said before. */
void audit_target(struct rpc_request *request, const char *target);
/* "<number> of <name>" */
void audit_target_number(struct rpc_request *request, int64_t number, const char *name);
/* Who it was, where that comes out only in the work (a log-in). */
void audit_actor(struct rpc_request *request, int64_t user, const char *username);

/* True: the entry is being stored, rpc_request_resume() follows. */
bool audit_holds(struct rpc_request *request, int status);

#endif
