/* SPDX-License-Identifier: GPL-3.0-or-later */
/* /api/v1/session: link, list, configure and remove WhatsApp accounts (contract rest-a 5). */
#include "fcgi/answer.h"
#include "fcgi/json_out.h"
#include "fcgi/request.h"

#define QUERY_BODY { PLACE_QUERY, PLACE_BODY }
#define INTERNAL { 500, 8000, "<exception text> or Internal error" }
/* What a GET with side effects has in common with the POST that is accepted beside it (K5). */
#define SESSION_ROUTE(verb, where, does) \
	.method = verb, .path = "/api/v1/session/" where, .name = does, .auth = AUTH_KEY, .guards = GUARD_RATE, .family = FAMILY_A, \
	.tag = "Sessions"

static const struct param pair_params[] = {
	{ .name = "phone", .aliases = { "pair", "pairPhone" }, .in = QUERY_BODY, .kind = PARAM_DIGITS, .type = "string", .required = true,
	  .missing = { 400, 2001, "phone is required" }, .note = "digits kept only" },
};

static const char *const refresh_values[] = { "1", NULL };
static const struct param devices_params[] = {
	{ .name = "refresh", .in = { PLACE_QUERY }, .kind = PARAM_BOOL, .type = "string", .values = refresh_values,
	  .note = "1 bypasses the cache of 15 s" },
};

static const struct param config_params[] = {
	{ .name = "sessionId", .in = { PLACE_PATH }, .kind = PARAM_DOCUMENT, .type = "string", .required = true },
	{ .name = "webhookUrl", .in = { PLACE_BODY }, .kind = PARAM_VERBATIM, .type = "string",
	  .note = "empty clears it; absent leaves it as it is" },
	{ .name = "webhookSecret", .in = { PLACE_BODY }, .kind = PARAM_VERBATIM, .type = "string", .min = 6,
	  .invalid = { 400, 2002, "webhookSecret must have at least 6 characters" }, .note = "at least 6 characters" },
	{ .name = "preflight", .aliases = { "preflightVerify" }, .in = { PLACE_BODY }, .kind = PARAM_TRUE_ONLY, .type = "boolean",
	  .fallback = "false", .note = "only literal true" },
};

static const struct param passkey_params[] = {
	{ .name = "sessionId", .in = { PLACE_PATH }, .kind = PARAM_DOCUMENT, .type = "string", .required = true },
};

static const struct param passkey_response_params[] = {
	{ .name = "sessionId", .in = { PLACE_PATH }, .kind = PARAM_DOCUMENT, .type = "string", .required = true },
	{ .name = "id", .in = { PLACE_BODY }, .kind = PARAM_DOCUMENT, .type = "string", .required = true, .note = "base64url credential id" },
	{ .name = "rawId", .in = { PLACE_BODY }, .kind = PARAM_DOCUMENT, .type = "string" },
	{ .name = "type", .in = { PLACE_BODY }, .kind = PARAM_DOCUMENT, .type = "string", .note = "public-key" },
	{ .name = "response", .in = { PLACE_BODY }, .kind = PARAM_DOCUMENT, .type = "object", .required = true,
	  .note = "clientDataJSON, authenticatorData, signature, userHandle: the assertion as PublicKeyCredential.toJSON() gives it" },
};

/* The browser's credential goes on as it is; WhatsApp judges it. */
static int prepare_passkey_response(struct request *r, struct buf *p, struct answer *answer)
{
	const struct json *id = json_get(r->body, "id"), *response = json_get(r->body, "response");

	if (!id || id->type != JSON_STRING || !id->text.n || !response || response->type != JSON_OBJECT) {
		answer_fault(answer, &(struct fault){ 400, 2001, "A WebAuthn credential with id and response is required" });
		return -1;
	}
	json_name(p, "credential");
	json_tree(p, r->body);
	return 0;
}

static const struct success created[] = {
	{ 200, 1000, "Session created|Session exists", "registryUser sessionId createdAt? qrString? qr? qrDuration? webhookUrl webhookSecret" },
	{ 200, 1104, "Session already open", NULL },
	{ 202, 1107, "Scan the QR to continue", NULL },
	{ 0 },
};
static const struct success paired[] = {
	{ 200, 1000, "Pair code generated", "registryUser sessionId pairCode? status?" },
	{ 202, 1110, "Pair code pending", NULL },
	{ 200, 1104, "Session already open", NULL },
	{ 0 },
};
static const struct success logged_out[] = { { 200, 1000, "Logout success", "sessionId steps.runtime steps.creds" }, { 0 } };
static const struct success reconnected[] = { { 202, 1109, "Reconnect scheduled", "" }, { 0 } };
static const struct success passkey_state[] = {
	{ 200, 1000, "Passkey state", "sessionId status challenge? code? expiresAt?" },
	{ 0 },
};
static const struct fault internal_only[] = { INTERNAL, { 0 } };
static const struct fault pair_errors[] = { { 400, 2001, "phone is required" }, INTERNAL, { 0 } };
static const struct fault passkey_errors[] = { { 409, 2003, "No passkey request is pending" }, INTERNAL, { 0 } };

static const char create_text[] = "Makes the session if it is new, starts it if it is stopped, and waits up to 2.5 s for a QR code.";
static const char pair_text[] = "Makes the session if it is missing and asks WhatsApp for a code to be typed on the phone.";
static const char logout_text[] = "Tells WhatsApp, stops the session and erases its credentials. The session stays registered.";

static const struct route routes[] = {
	{ SESSION_ROUTE("GET", "create", "session.create"), .scope = SCOPE_MANAGE, .selector = &selector_session_create, .flags = ROUTE_SLOW,
	  .title = "Create or start a session", .text = create_text, .successes = created, .errors = internal_only },
	{ SESSION_ROUTE("POST", "create", "session.create"), .scope = SCOPE_MANAGE, .body = BODY_JSON, .selector = &selector_session_create,
	  .flags = ROUTE_SLOW | ROUTE_ALSO_POST, .title = "Create or start a session", .text = create_text, .successes = created,
	  .errors = internal_only },
	{ SESSION_ROUTE("GET", "create/pair-code", "session.pair_code"), .scope = SCOPE_MANAGE, .selector = &selector_session_create,
	  .flags = ROUTE_SLOW | ROUTE_PARAMS_FIRST, .params = pair_params, .params_count = COUNT(pair_params),
	  .title = "Link with a pairing code", .text = pair_text, .successes = paired, .errors = pair_errors },
	{ SESSION_ROUTE("POST", "create/pair-code", "session.pair_code"), .scope = SCOPE_MANAGE, .body = BODY_JSON, .selector = &selector_session_create,
	  .flags = ROUTE_SLOW | ROUTE_PARAMS_FIRST | ROUTE_ALSO_POST, .params = pair_params, .params_count = COUNT(pair_params),
	  .title = "Link with a pairing code", .text = pair_text, .successes = paired, .errors = pair_errors },
	{ SESSION_ROUTE("GET", "logout", "session.logout"), .scope = SCOPE_MANAGE, .selector = &selector_session, .flags = ROUTE_SLOW, .title = "Log out",
	  .text = logout_text, .successes = logged_out, .errors = internal_only },
	{ SESSION_ROUTE("POST", "logout", "session.logout"), .scope = SCOPE_MANAGE, .body = BODY_JSON, .selector = &selector_session,
	  .flags = ROUTE_SLOW | ROUTE_ALSO_POST, .title = "Log out", .text = logout_text, .successes = logged_out, .errors = internal_only },
	{ SESSION_ROUTE("GET", "reconnect", "session.reconnect"), .scope = SCOPE_MANAGE, .selector = &selector_session, .flags = ROUTE_SLOW,
	  .title = "Reconnect", .text = "Drops the connection to WhatsApp and opens it again.", .successes = reconnected,
	  .errors = internal_only },
	{ SESSION_ROUTE("POST", "reconnect", "session.reconnect"), .scope = SCOPE_MANAGE, .body = BODY_JSON, .selector = &selector_session,
	  .flags = ROUTE_SLOW | ROUTE_ALSO_POST, .title = "Reconnect", .text = "Drops the connection to WhatsApp and opens it again.",
	  .successes = reconnected, .errors = internal_only },
	{ SESSION_ROUTE("GET", "devices", "session.devices"), .scope = SCOPE_READ, .selector = &selector_session, .flags = ROUTE_SLOW, .params = devices_params,
	  .params_count = COUNT(devices_params), .title = "The linked account",
	  .text = "One object: name, number and device of this session.",
	  .successes = (const struct success[]){ { 200, 1000, "Device info", "name phone device" }, { 0 } }, .errors = internal_only },
	{ SESSION_ROUTE("GET", "list", "session.list"), .scope = SCOPE_READ, .title = "List the sessions of this key",
	  .text = "status is one of starting, connecting, open, reconnecting, replaced, logged_out, stopped; lastConn is in milliseconds.",
	  .successes = (const struct success[]){ { 200, 1000, "OK", "items[].id items[].status items[].me items[].me.id items[].me.name "
								    "items[].me.lid items[].pushName items[].lastConn items[].appStateDegraded?" }, { 0 } },
	  .errors = internal_only },
	{ SESSION_ROUTE("POST", "{sessionId}/config", "session.config"), .scope = SCOPE_MANAGE, .body = BODY_JSON, .selector = &selector_session,
	  .flags = ROUTE_SLOW, .params = config_params, .params_count = COUNT(config_params), .title = "Webhook of a session",
	  .text = "An empty body answers the current values. A secret is made where a URL has none; a stored one is kept.",
	  .successes = (const struct success[]){ { 200, 1000, "Config updated", "registryUser sessionId webhookUrl webhookSecret" }, { 0 } },
	  .errors = (const struct fault[]){ { 400, 2000, "Webhook preflight failed" }, { 400, 2000, "Webhook preflight error" },
					    { 400, 2002, "webhookSecret must have at least 6 characters" },
					    { 400, 1201, "Invalid webhook URL" }, INTERNAL, { 0 } } },
	{ SESSION_ROUTE("DELETE", "delete", "session.delete"), .scope = SCOPE_MANAGE, .body = BODY_JSON, .selector = &selector_session, .flags = ROUTE_SLOW,
	  .title = "Delete a session", .text = "Logs out, then removes the session with everything that is stored for it.",
	  .successes = (const struct success[]){ { 200, 1000, "Session deleted", "sessionId steps.runtime steps.creds steps.meta" }, { 0 } },
	  .errors = internal_only },
	{ SESSION_ROUTE("GET", "{sessionId}/passkey", "session.passkey.get"), .scope = SCOPE_MANAGE, .selector = &selector_session, .params = passkey_params,
	  .params_count = COUNT(passkey_params), .title = "Passkey linking: state and challenge",
	  .text = "Some accounts can be linked only with a passkey. status is none, awaiting_response (challenge holds the WebAuthn "
		  "request options) or awaiting_confirmation (code is to be compared with the phone's).",
	  .successes = passkey_state, .errors = internal_only },
	{ SESSION_ROUTE("POST", "{sessionId}/passkey/response", "session.passkey.response"), .scope = SCOPE_MANAGE, .body = BODY_JSON,
	  .selector = &selector_session, .flags = ROUTE_SLOW, .params = passkey_response_params,
	  .params_count = COUNT(passkey_response_params), .prepare = prepare_passkey_response,
	  .title = "Passkey linking: the signed challenge",
	  .text = "The body is the WebAuthn assertion as PublicKeyCredential.toJSON() gives it, made for WhatsApp's relying party.",
	  .successes = (const struct success[]){ { 200, 1000, "Passkey response sent", "sessionId status code?" }, { 0 } },
	  .errors = (const struct fault[]){ { 400, 2001, "A WebAuthn credential with id and response is required" },
					    { 409, 2003, "No passkey request is pending" }, INTERNAL, { 0 } } },
	{ SESSION_ROUTE("POST", "{sessionId}/passkey/confirm", "session.passkey.confirm"), .scope = SCOPE_MANAGE, .body = BODY_JSON, .selector = &selector_session,
	  .flags = ROUTE_SLOW, .params = passkey_params, .params_count = COUNT(passkey_params), .title = "Passkey linking: confirm the code",
	  .text = "Says that the code equals the one on the phone.",
	  .successes = (const struct success[]){ { 200, 1000, "Passkey pairing confirmed", "sessionId status" }, { 0 } },
	  .errors = passkey_errors },
};

extern const struct route_group session_routes;
const struct route_group session_routes = { routes, COUNT(routes) };
