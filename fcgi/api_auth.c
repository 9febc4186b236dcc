/* SPDX-License-Identifier: GPL-3.0-or-later */
/* /api/auth: log in, log out, exchange a key for the cookie that the documentation pages use (contract rest-a 2). */
#include "fcgi/answer.h"
#include "fcgi/json_out.h"
#include "fcgi/request.h"
#include "fcgi/validate.h"

#define BODY { PLACE_BODY }

static const struct param login_params[] = {
	{ .name = "username", .in = BODY, .kind = PARAM_STRING, .type = "string", .required = true },
	{ .name = "password", .in = BODY, .kind = PARAM_STRING, .type = "string", .required = true },
};

static const struct param session_params[] = {
	{ .name = "X-WAREST-API-KEY", .in = { PLACE_HEADER }, .kind = PARAM_DOCUMENT, .type = "string" },
	{ .name = "Authorization", .in = { PLACE_HEADER }, .kind = PARAM_DOCUMENT, .type = "string", .note = "Bearer, case-insensitive" },
	{ .name = "apiKey", .aliases = { "token" }, .in = BODY, .kind = PARAM_DOCUMENT, .type = "string",
	  .note = "used only if no header key" },
};

/* A failed login also takes the cookie back. */
static int prepare_login(struct request *r, struct buf *p, struct answer *answer)
{
	struct span text;

	(void)p;
	if (validate_text(r, &login_params[0], &text) && validate_text(r, &login_params[1], &text))
		return 0;
	answer_fault(answer, &(struct fault){ 400, 0, "username/password required" });
	answer->has_cookie = true;
	return -1;
}

static const char *sent_key(struct request *r)
{
	const char *key = request_var(r, "HTTP_X_WAREST_API_KEY");

	return key ? key : credentials_bearer(r);
}

static int prepare_session(struct request *r, struct buf *p, struct answer *answer)
{
	const char *key = sent_key(r);
	struct span text = span_text(key ? key : "");

	if (!text.n && !validate_text(r, &session_params[2], &text)) {
		answer_fault(answer, &(struct fault){ 400, 0, "apiKey required" });
		return -1;
	}
	json_name(p, "apiKey");
	json_span(p, utf8_clean(r->arena, text));
	return 0;
}

static void add_text(struct request *r, struct buf *p, const char *name, const char *text)
{
	if (!text)
		return;
	json_name(p, name);
	json_span(p, utf8_clean(r->arena, span_text(text)));
}

/* What a login has issued is revoked: the key (C1) and the cookie. */
static int prepare_logout(struct request *r, struct buf *p, struct answer *answer)
{
	const char *key = sent_key(r);

	(void)answer;
	add_text(r, p, "apiKey", key);
	add_text(r, p, "cookie", request_cookie(r, "WAREST_DOCS_SESSION"));
	return 0;
}

static const struct route routes[] = {
	{ .method = "POST", .path = "/api/auth/login", .name = "auth.login", .auth = AUTH_NONE, .body = BODY_JSON, .family = FAMILY_BARE,
	  .params = login_params, .params_count = COUNT(login_params), .prepare = prepare_login, .tag = "Authentication",
	  .title = "Log in", .text = "Answers an API key and sets the cookie WAREST_DOCS_SESSION. Five failures of one client and user name "
				     "lock that pair for 2, then 5, then 10 minutes.",
	  .successes = (const struct success[]){ { 200, 0, NULL, "apiKey role isAdmin username registry" }, { 0 } },
	  .errors = (const struct fault[]){ { 400, 0, "username/password required" }, { 401, 0, "Invalid credentials" },
					    { 429, 0, "Too many attempts. Try again in <n>s" }, { 500, 0, "login failed" }, { 0 } } },
	{ .method = "POST", .path = "/api/auth/logout", .name = "auth.logout", .auth = AUTH_NONE, .body = BODY_JSON, .family = FAMILY_BARE,
	  .prepare = prepare_logout, .tag = "Authentication", .title = "Log out",
	  .text = "Clears the cookie. A key that a login has issued is revoked.",
	  .successes = (const struct success[]){ { 200, 0, NULL, "ok" }, { 0 } },
	  .errors = (const struct fault[]){ { 500, 0, "logout failed" }, { 0 } } },
	{ .method = "POST", .path = "/api/auth/session", .name = "auth.session", .auth = AUTH_NONE, .body = BODY_JSON,
	  .family = FAMILY_BARE, .params = session_params, .params_count = COUNT(session_params), .prepare = prepare_session,
	  .tag = "Authentication", .title = "Exchange an API key for the cookie",
	  .text = "Checks the key and sets the cookie WAREST_DOCS_SESSION to it.",
	  .successes = (const struct success[]){ { 200, 0, NULL, "ok username role isAdmin" }, { 0 } },
	  .errors = (const struct fault[]){ { 400, 0, "apiKey required" }, { 401, 0, "Invalid apiKey" }, { 500, 0, "sync failed" }, { 0 } } },
};

extern const struct route_group auth_routes;
const struct route_group auth_routes = { routes, COUNT(routes) };
