/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a request says about a webhook, checked. Private to sessiond/rpc. */
#ifndef SESSIOND_RPC_HOOK_INPUT_H
#define SESSIOND_RPC_HOOK_INPUT_H

#include <json-c/json.h>

#include "sessiond/store/store.h"

enum { HOOK_NAME_MAX = 100, HOOK_SECRET_MAX = 200, HOOK_URL_MAX = 2000 };

/*
 * Changes what the members of p name: name, url, secret, events, algorithm, order, concurrency, headers, timeoutMs, actions, enabled. Texts go into the
 * arena. NULL, or what is wrong, for people (then webhook is half changed).
 */
const char *hook_input_read(struct json_object *p, struct arena *arena, struct store_webhook *webhook);
/* The secrets in force at now_ms: the first signs as the original does, the second is valid, too, or NULL. */
void hook_secrets(const struct store_webhook *webhook, int64_t now_ms, const char **first, const char **second);

#endif
