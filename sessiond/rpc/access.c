/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sessiond/rpc/access.h"

#include <stdio.h>
#include <string.h>

#include "sessiond/rpc/request.h"

const char *access_address(const struct rpc_request *request)
{
	const char *address = json_object_get_string(json_object_object_get(request->json, "ip"));

	return address ? address : "";
}

int access_key(const struct rpc_request *request, const char *text, bool cookie, struct store_principal *who)
{
	struct store *store = request->context->daemon->store;
	int found = cookie ? store_cookie_check(store, text, who) : store_key_check(store, text, who);

	if (found != STORE_OK || reach_has_address(who->reach, access_address(request)))
		return found;
	reach_drop(who->reach);
	who->reach = NULL;
	return STORE_CONSTRAINT;
}

static bool refuse_scope(struct rpc_request *request, const char *scope)
{
	char message[80];

	snprintf(message, sizeof message, "Scope does not allow this operation (it needs %s)", scope);
	rpc_answer(request, 403, 2205, message, NULL);
	return false;
}

/* A frame that names no scope is meant for keys without limits. */
static bool has_scope(const struct rpc_request *request, const char *scope)
{
	unsigned needed = scope ? scope_of_name(scope, strlen(scope)) : SCOPE_ALL;

	if (scope && strcmp(scope, scope_name(SCOPE_ANY)) == 0)
		return true;
	return needed != SCOPE_NONE && (request->caller.scopes & needed) == needed;
}

static bool refuse_key(struct rpc_request *request, int why, bool docs)
{
	request->context->daemon->metrics.rpc_refused++;
	if (why == STORE_CONSTRAINT && !docs)
		rpc_answer(request, 403, 2201, "This key may not be used from this address", NULL);
	else
		rpc_answer_error(request, 401, docs ? "LOGIN_REQUIRED" : "Invalid X-WAREST-API-KEY");
	return false;
}

bool access_granted(struct rpc_request *request)
{
	const char *wanted = json_object_get_string(json_object_object_get(request->json, "auth"));
	const char *key = json_object_get_string(json_object_object_get(request->json, "key"));
	const char *scope = json_object_get_string(json_object_object_get(request->json, "scope"));
	bool docs = strcmp(wanted, "docs") == 0;
	bool cookie = docs && json_object_get_boolean(json_object_object_get(request->json, "cookie"));
	int found;

	if (!key || !key[0]) {
		rpc_answer_error(request, 401, docs ? "LOGIN_REQUIRED" : "Missing X-WAREST-API-KEY");
		return false;
	}
	found = access_key(request, key, cookie, &request->caller);
	if (found != STORE_OK)
		return refuse_key(request, found, docs);
	/* an administrator's key without that scope is anybody's */
	request->caller.admin = request->caller.admin && (request->caller.scopes & SCOPE_ADMIN);
	if (strcmp(wanted, "admin") == 0 && !request->caller.admin) {
		rpc_answer_error(request, 403, "Admin only");
		return false;
	}
	if (!docs && !has_scope(request, scope))
		return refuse_scope(request, scope ? scope : "all of them");
	return true;
}
