/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a new or changed API key may do, as a request wishes it, and whether the caller may give that away. Private to sessiond/rpc.
 *
 *     name       text, at most 100 bytes
 *     scopes     ["read","send"], or null: all that the user may
 *     sessions   ["shop"], or null: all
 *     networks   ["10.0.0.0/8"], or null: from everywhere
 *     expiresAt  milliseconds, or null: never
 *
 * A list that is empty or holds anything but texts is refused: what was meant as a limit must not end as none.
 */
#ifndef SESSIOND_RPC_GRANT_H
#define SESSIOND_RPC_GRANT_H

#include <json-c/json.h>
#include <stdbool.h>

#include "common/arena.h"
#include "common/buf.h"
#include "sessiond/store/store.h"

/* What somebody may hand on. */
struct grant_powers {
	unsigned scopes;
	const struct reach *reach; /* borrowed */
	int64_t expires_ms;        /* 0: never */
};

/* Changes grant by the members of p that are there. 0, or -1 with one line in why. admin: of the user whose key it is. */
int grant_read(struct json_object *p, struct arena *arena, bool admin, int64_t now_ms, struct store_grant *grant, char *why, size_t why_len);
/* All that the grant gives, the powers have. */
bool grant_is_within(const struct store_grant *grant, const struct grant_powers *powers);
/* Members "name", "scopes", "sessions", "networks", "expiresAt" of an open object. */
void grant_put(struct buf *out, const struct store_grant *grant, bool admin);

#endif
