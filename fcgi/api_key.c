/* SPDX-License-Identifier: GPL-3.0-or-later */
/* /api/v1/keys: API keys and what they may do. Not in the original. */
#include "fcgi/answer.h"
#include "fcgi/json_out.h"
#include "fcgi/request.h"

#define KEY_ROUTE(verb, where, does) \
	.method = verb, .path = "/api/v1/keys" where, .name = does, .auth = AUTH_KEY, .guards = GUARD_RATE, .family = FAMILY_A, .tag = "Keys"
#define INTERNAL { 500, 8003, "<database error>" }
#define UNKNOWN { 404, 2600, "Key not found" }
#define TOO_MUCH { 403, 2205, "This key cannot give, change or end what it does not have itself" }
#define FIXED { 409, 2003, "This key stands in the configuration (WAREST_ADMIN_APIKEY)" }
#define OF_LOGIN { 409, 2003, "The key of a login cannot be changed, only revoked" }
#define BAD_MEMBER { 400, 2002, "<which value is wrong, and how>" }
#define BAD_EXPIRY { 400, 2002, "expiresAt must be a time to come" }
#define KEY_ID \
	{ .name = "keyId", .in = { PLACE_PATH }, .kind = PARAM_NUMBER, .type = "number", .required = true, .missing = UNKNOWN, .invalid = UNKNOWN }
#define KEY(at) \
	at "id " at "username " at "kind " at "name " at "scopes[] " at "sessions[] " at "networks[] " at "expiresAt " at "expired " at "createdAt " \
	at "createdBy " at "lastUsedAt " at "previousValidUntil " at "current"

/* Lists and names go to the daemon as they were sent: a limit that is not understood must be refused, never dropped. */
#define LIMITS \
	{ .name = "name", .in = { PLACE_BODY }, .kind = PARAM_DOCUMENT, .type = "string|null", .note = "what it is for; at most 100 bytes" }, \
	{ .name = "scopes", .in = { PLACE_BODY }, .kind = PARAM_DOCUMENT, .type = "array|null", .note = "of read, send, manage, admin; null: all" }, \
	{ .name = "sessions", .in = { PLACE_BODY }, .kind = PARAM_DOCUMENT, .type = "array|null", .note = "ids, at most 256; null: every session" }, \
	{ .name = "networks", .in = { PLACE_BODY }, .kind = PARAM_DOCUMENT, .type = "array|null", \
	  .note = "addresses and networks (10.0.0.0/8, 2001:db8::/32) from which it may be used, at most 64; null: from everywhere" }, \
	{ .name = "expiresAt", .in = { PLACE_BODY }, .kind = PARAM_MOMENT, .type = "number|string|null", .invalid = BAD_EXPIRY, \
	  .note = "seconds, milliseconds or ISO 8601; null: never" }

static const struct param list_params[] = {
	{ .name = "username", .in = { PLACE_QUERY }, .kind = PARAM_STRING, .type = "string", .note = "for administrators: only of this user" },
};
static const struct param id_params[] = { KEY_ID };
static const struct param create_params[] = {
	LIMITS,
	{ .name = "username", .in = { PLACE_BODY }, .kind = PARAM_STRING, .type = "string", .note = "for administrators: whose key it is; else one's own" },
};
static const struct param change_params[] = { KEY_ID, LIMITS };
#define BAD_GRACE { 400, 2002, "graceSeconds must be 0 to 2592000" }
static const struct param rotate_params[] = {
	KEY_ID,
	{ .name = "graceSeconds", .in = { PLACE_BODY }, .kind = PARAM_NUMBER, .type = "number", .fallback = "0", .invalid = BAD_GRACE,
	  .note = "for so long the text of before is good as well, at most 30 days" },
};

static bool is_named(const struct route *route, const struct json *member)
{
	for (size_t i = 0; i < route->params_count; i++) {
		if (span_is(member->name, route->params[i].name))
			return true;
	}
	return false;
}

/* A misspelt limit would be none. */
static int refuse_strangers(struct request *r, struct buf *p, struct answer *answer)
{
	(void)p;
	if (r->body && r->body->type != JSON_OBJECT) {
		answer_fault(answer, &(struct fault){ 400, 2002, "The body must be an object" });
		return -1;
	}
	for (const struct json *m = r->body ? r->body->first : NULL; m; m = m->next) {
		const char *text;

		if (is_named(r->match.route, m))
			continue;
		text = arena_printf(r->arena, "There is no parameter \"%.*s\"", (int)(m->name.n > 60 ? 60 : m->name.n), (const char *)m->name.p);
		answer_fault(answer, &(struct fault){ 400, 2002, text });
		return -1;
	}
	return 0;
}

static int copy_limits(struct request *r, struct buf *p, struct answer *answer)
{
	static const char *const names[] = { "name", "scopes", "sessions", "networks" };
	const struct json *expiry = json_get(r->body, "expiresAt");

	for (size_t i = 0; i < COUNT(names); i++) {
		const struct json *v = json_get(r->body, names[i]);

		if (!v)
			continue;
		json_name(p, names[i]);
		json_tree(p, v);
	}
	/* what the reader of times takes as absent */
	if (expiry && expiry->type == JSON_NULL) {
		json_name(p, "expiresAt");
		json_null(p);
	} else if (expiry && ((expiry->type != JSON_NUMBER && expiry->type != JSON_STRING) || (expiry->type == JSON_STRING && expiry->text.n == 0))) {
		answer_fault(answer, &(struct fault)BAD_EXPIRY);
		return -1;
	}
	return 0;
}

static const struct success listed[] = { { 200, 1000, "OK", KEY("items[].") }, { 0 } };
static const struct success got[] = { { 200, 1000, "OK", KEY("") }, { 0 } };
static const struct success created[] = { { 200, 1000, "Key created; it is not shown again", "key " KEY("") }, { 0 } };
static const struct success changed[] = { { 200, 1000, "Key changed", KEY("") }, { 0 } };
static const struct success rotated[] = { { 200, 1000, "Key rotated; it is not shown again", "key " KEY("") }, { 0 } };
static const struct success revoked[] = { { 200, 1000, "Key revoked", "" }, { 0 } };
static const struct fault list_errors[] = { { 404, 2602, "User not found" }, INTERNAL, { 0 } };
static const struct fault get_errors[] = { UNKNOWN, INTERNAL, { 0 } };
static const struct fault current_errors[] = { INTERNAL, { 0 } };
static const struct fault create_errors[] = {
	BAD_MEMBER, BAD_EXPIRY, { 403, 2201, "Only an administrator makes keys for others" }, TOO_MUCH, { 404, 2602, "User not found" }, INTERNAL, { 0 }
};
static const struct fault change_errors[] = { BAD_MEMBER, BAD_EXPIRY, TOO_MUCH, UNKNOWN, FIXED, OF_LOGIN, INTERNAL, { 0 } };
static const struct fault rotate_errors[] = { BAD_GRACE, TOO_MUCH, UNKNOWN, FIXED, OF_LOGIN, INTERNAL, { 0 } };
static const struct fault revoke_errors[] = { TOO_MUCH, UNKNOWN, FIXED, INTERNAL, { 0 } };

#define LIST(x) .params = x##_params, .params_count = COUNT(x##_params)

static const struct route routes[] = {
	{ KEY_ROUTE("GET", "", "key.list"), .scope = SCOPE_MANAGE, LIST(list), .title = "List the API keys",
	  .text = "The own ones; administrators see everybody's. Their texts are stored nowhere. lastUsedAt is up to a minute behind.",
	  .successes = listed, .errors = list_errors },
	{ KEY_ROUTE("GET", "/current", "key.current"), .scope = SCOPE_ANY, .title = "What the key of this request may do",
	  .text = "Every valid key may ask.", .successes = got, .errors = current_errors },
	{ KEY_ROUTE("POST", "", "key.create"), .scope = SCOPE_MANAGE, .body = BODY_JSON, LIST(create), .first = refuse_strangers, .prepare = copy_limits,
	  .title = "Make an API key",
	  .text = "Without limits it may do what its user may. A limited key can make only keys with at least its own limits, and scopes left out "
		  "are the scopes of the key that asks. key is shown this once.",
	  .successes = created, .errors = create_errors },
	{ KEY_ROUTE("GET", "/{keyId}", "key.get"), .scope = SCOPE_MANAGE, LIST(id), .title = "One API key", .text = "As the list shows it.",
	  .successes = got, .errors = get_errors },
	{ KEY_ROUTE("POST", "/{keyId}", "key.change"), .scope = SCOPE_MANAGE, .body = BODY_JSON, LIST(change), .first = refuse_strangers,
	  .prepare = copy_limits, .title = "Change what an API key may do", .text = "What is left out stays as it is. Holds from the next request on.",
	  .successes = changed, .errors = change_errors },
	{ KEY_ROUTE("POST", "/{keyId}/rotate", "key.rotate"), .scope = SCOPE_MANAGE, .body = BODY_JSON, LIST(rotate), .first = refuse_strangers,
	  .title = "Give an API key another text",
	  .text = "Id, name and limits stay. Without graceSeconds the text of before is worth nothing at once. key is shown this once.",
	  .successes = rotated, .errors = rotate_errors },
	{ KEY_ROUTE("DELETE", "/{keyId}", "key.revoke"), .scope = SCOPE_MANAGE, .body = BODY_JSON, LIST(id), .title = "Revoke an API key",
	  .text = "Holds at once, for the text of before a rotation as well.", .successes = revoked, .errors = revoke_errors },
};

extern const struct route_group key_routes;
const struct route_group key_routes = { routes, COUNT(routes) };
