/* SPDX-License-Identifier: GPL-3.0-or-later */
/* /api/v1/users and /api/v1/audit: who may log in, and who did what. Not in the original. */
#include "fcgi/answer.h"
#include "fcgi/request.h"

#define USER_ROUTE(verb, where, does) \
	.method = verb, .path = "/api/v1/users" where, .name = does, .auth = AUTH_ADMIN, .scope = SCOPE_ADMIN, .guards = GUARD_RATE, \
	.family = FAMILY_A, .tag = "Users"
#define INTERNAL { 500, 8003, "<database error>" }
#define UNKNOWN { 404, 2602, "User not found" }
#define NO_NAME { 400, 2001, "username is required" }
#define BAD_NAME { 400, 2002, "A name has 1 to 64 of A-Z a-z 0-9 . _ @ + -" }
#define BAD_PASSWORD { 400, 2002, "A password has 8 to 1024 characters" }
#define BAD_ROLE { 400, 2002, "role must be admin or user" }
#define BAD_POLICY { 400, 2002, "sessions must be refuse or delete" }
#define USER(at) at "username " at "registry " at "role " at "disabled " at "sessions " at "createdAt " at "lastLoginAt"
#define OF_PATH { .name = "username", .in = { PLACE_PATH }, .kind = PARAM_STRING, .type = "string", .required = true, .missing = UNKNOWN }
#define PASSWORD(must) \
	{ .name = "password", .in = { PLACE_BODY }, .kind = PARAM_UNTRIMMED, .type = "string", .required = must, .missing = BAD_PASSWORD, \
	  .invalid = BAD_PASSWORD, .note = "8 to 1024 characters" }
#define ROLE { .name = "role", .in = { PLACE_BODY }, .kind = PARAM_ENUM, .type = "string", .values = roles, .invalid = BAD_ROLE }

static const char *const roles[] = { "user", "admin", NULL };
static const char *const policies[] = { "refuse", "delete", NULL };
static const char *const outcomes[] = { "done", "refused", "failed", NULL };

static const struct param path_params[] = { OF_PATH };
static const struct param create_params[] = {
	{ .name = "username", .in = { PLACE_BODY }, .kind = PARAM_STRING, .type = "string", .required = true, .missing = NO_NAME },
	PASSWORD(true),
	ROLE,
};
static const struct param change_params[] = {
	OF_PATH,
	PASSWORD(false),
	ROLE,
	{ .name = "disabled", .in = { PLACE_BODY }, .kind = PARAM_BOOL, .type = "boolean", .note = "true: no log-in, no key of this user is good" },
};
static const struct param delete_params[] = {
	OF_PATH,
	{ .name = "sessions", .in = { PLACE_QUERY, PLACE_BODY }, .kind = PARAM_ENUM, .type = "string", .values = policies, .fallback = "\"refuse\"",
	  .invalid = BAD_POLICY, .note = "what happens while there are sessions; delete: they are logged out and deleted with all that is stored" },
};
static const struct param password_params[] = {
	{ .name = "currentPassword", .in = { PLACE_BODY }, .kind = PARAM_UNTRIMMED, .type = "string", .required = true,
	  .missing = { 400, 2001, "currentPassword is required" } },
	PASSWORD(true),
};
#define TIME(NAME) \
	{ .name = NAME, .in = { PLACE_QUERY }, .kind = PARAM_MOMENT, .type = "number|string", .invalid = { 400, 2002, NAME " is invalid" }, \
	  .note = "inclusive; seconds, milliseconds or ISO 8601" }
#define EXACT(NAME, NOTE) { .name = NAME, .in = { PLACE_QUERY }, .kind = PARAM_STRING, .type = "string", .note = NOTE }
static const struct param audit_params[] = {
	{ .name = "limit", .in = { PLACE_QUERY }, .kind = PARAM_NUMBER, .type = "number", .fallback = "50", .min = 1, .max = 500 },
	EXACT("cursor", "pagination.nextCursor of the page before"),
	EXACT("username", "who acted"),
	EXACT("action", "such as key.create, session.delete, auth.login"),
	EXACT("target", "what was acted on"),
	{ .name = "outcome", .in = { PLACE_QUERY }, .kind = PARAM_ENUM, .type = "string", .values = outcomes,
	  .invalid = { 400, 2002, "outcome must be done, refused or failed" } },
	TIME("startTime"),
	TIME("endTime"),
};

static const struct success listed[] = { { 200, 1000, "OK", USER("items[].") }, { 0 } };
static const struct success got[] = { { 200, 1000, "OK", USER("") }, { 0 } };
static const struct success created[] = { { 200, 1000, "User added", USER("") }, { 0 } };
static const struct success changed[] = { { 200, 1000, "User changed", USER("") }, { 0 } };
static const struct success deleted[] = { { 200, 1000, "User deleted", "" }, { 0 } };
static const struct success password_set[] = { { 200, 1000, "Password changed", "" }, { 0 } };
static const struct success audit_listed[] = {
	{ 200, 1000, "OK", "items[].id items[].time items[].username items[].keyId items[].address items[].action items[].target items[].outcome "
			   "items[].status items[].parameters pagination.limit pagination.nextCursor" },
	{ 0 },
};
static const struct fault list_errors[] = { INTERNAL, { 0 } };
static const struct fault get_errors[] = { UNKNOWN, INTERNAL, { 0 } };
static const struct fault create_errors[] = { NO_NAME, BAD_NAME, BAD_PASSWORD, BAD_ROLE, { 409, 2004, "That name is taken" }, INTERNAL, { 0 } };
static const struct fault change_errors[] = {
	BAD_PASSWORD, BAD_ROLE, UNKNOWN, { 409, 2003, "The administrator of the configuration keeps his role" },
	{ 409, 2003, "Nobody takes his own role away" }, INTERNAL, { 0 }
};
static const struct fault delete_errors[] = {
	BAD_POLICY, UNKNOWN, { 409, 2003, "This user has sessions; sessions=delete deletes them with everything that is stored" },
	{ 409, 2003, "The administrator of the configuration cannot be deleted" }, { 409, 2003, "Nobody deletes himself" }, INTERNAL, { 0 }
};
static const struct fault password_errors[] = {
	{ 400, 2001, "currentPassword is required" }, BAD_PASSWORD, { 403, 2201, "The current password is wrong" }, { 429, 2400, "Too many attempts" },
	INTERNAL, { 0 }
};
static const struct fault audit_errors[] = {
	{ 400, 2002, "cursor is invalid" }, { 400, 2002, "outcome must be done, refused or failed" }, { 400, 2002, "startTime is invalid" },
	{ 400, 2002, "endTime is invalid" }, INTERNAL, { 0 }
};

#define LIST(x) .params = x##_params, .params_count = COUNT(x##_params)

static const struct route routes[] = {
	{ USER_ROUTE("GET", "", "user.list"), .title = "List the users", .text = "sessions is how many they have.", .successes = listed, .errors = list_errors },
	{ USER_ROUTE("POST", "", "user.create"), .body = BODY_JSON, LIST(create), .title = "Add a user",
	  .text = "A user sees only his own sessions and keys; so does an administrator, who may in addition do what needs the scope admin.",
	  .successes = created, .errors = create_errors },
	{ USER_ROUTE("GET", "/{username}", "user.get"), LIST(path), .title = "One user", .text = "As the list shows him.", .successes = got,
	  .errors = get_errors },
	{ USER_ROUTE("POST", "/{username}", "user.change"), .body = BODY_JSON, LIST(change), .title = "Change password or role of a user, or shut him out",
	  .text = "What is left out stays as it is. A new password ends the user's log-ins; API keys stay.", .successes = changed,
	  .errors = change_errors },
	{ USER_ROUTE("DELETE", "/{username}", "user.delete"), .body = BODY_JSON, .flags = ROUTE_SLOW, LIST(delete), .title = "Delete a user",
	  .text = "With the user's keys. While there are sessions this is refused unless sessions=delete.", .successes = deleted,
	  .errors = delete_errors },
	{ .method = "POST", .path = "/api/v1/users/me/password", .name = "user.password", .auth = AUTH_KEY, .scope = SCOPE_MANAGE, .guards = GUARD_RATE,
	  .body = BODY_JSON, .family = FAMILY_A, LIST(password), .tag = "Users", .title = "Change one's own password",
	  .text = "Ends the other log-ins of this user. Wrong current passwords count as failed log-ins.", .successes = password_set,
	  .errors = password_errors },
	{ .method = "GET", .path = "/api/v1/audit", .name = "audit.list", .auth = AUTH_ADMIN, .scope = SCOPE_ADMIN, .guards = GUARD_RATE,
	  .family = FAMILY_A, LIST(audit), .tag = "Users", .title = "Who did what",
	  .text = "Administrative acts, newest first: log-ins, keys, users, sessions, webhooks, restarts, and what warestctl did. parameters names "
		  "what was sent, without values. Entries are kept for WAREST_AUDIT_DAYS.",
	  .successes = audit_listed, .errors = audit_errors },
};

extern const struct route_group user_routes;
const struct route_group user_routes = { routes, COUNT(routes) };
