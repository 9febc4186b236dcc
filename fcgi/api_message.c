/* SPDX-License-Identifier: GPL-3.0-or-later */
/* /api/v1/messages: sending (contract rest-a 7). */
#include "fcgi/answer.h"
#include "fcgi/request.h"
#include "fcgi/send_params.h"

#define BODY_QUERY SEND_BODY_QUERY

/* The order is the order of the checks. */
static const struct param text_params[] = {
	{ .name = "message", .aliases = { "text" }, .in = BODY_QUERY, .kind = PARAM_STRING, .type = "string", .required = true,
	  .missing = { 400, 1100, "Parameter 'message' is required" } },
	{ .name = "to", .aliases = { "jid", "target", "number" }, .in = BODY_QUERY, .kind = PARAM_RECIPIENTS, .type = "string|array",
	  .required = true, .missing = { 400, 1100, "Parameter 'to' is required" }, .invalid = { 400, 1100, "Invalid 'to' value" },
	  .note = "list separators , ; newline; JSON array text; JIDs or phone numbers" },
	SEND_PRESENCE(SEND_BODY_QUERY),
	{ .name = "replyMessageId", .aliases = { "quotedMessageId", "replyId" }, .in = BODY_QUERY, .kind = PARAM_STRING, .type = "string",
	  .note = "id of the message to quote" },
	{ .name = "isForwarded", .aliases = { "forwarded" }, .in = BODY_QUERY, .kind = PARAM_BOOL, .type = "boolean", .fallback = "false" },
	{ .name = "mentions", .in = SEND_BODY_QUERY, .kind = PARAM_RECIPIENTS, .type = "string|array", .invalid = { 400, 2002, "mentions are phone numbers or JIDs" },
	  .note = "mentioned beside those that stand in the text as @number" },
	{ .name = "mentionAll", .in = SEND_BODY_QUERY, .kind = PARAM_BOOL, .type = "boolean", .note = "in groups: everybody" },
	{ .name = "linkPreview", .in = SEND_BODY_QUERY, .kind = PARAM_BOOL, .type = "boolean", .fallback = "true",
	  .note = "false: none for the first link; there is none unless WAREST_LINK_PREVIEW is on" },
	SEND_EXTRAS,
};

static const struct success text_sent[] = { SEND_SUCCESSES("Text message", "advancedInfo.mentions[]?") };

static const struct fault text_errors[] = {
	{ 400, 1100, "Parameter 'message' is required" },
	{ 400, 1100, "Parameter 'to' is required" },
	{ 400, 1100, "Invalid 'to' value" },
	SEND_ERRORS("text")
};

static const char text_text[] =
	"Answers when WhatsApp's server has acknowledged every message, at the latest after WAREST_SEND_ACK_TIMEOUT_MS. With several "
	"recipients, 207 lists in failed what could not be sent. <b>, <i>, <s>, <code>, <br> become WhatsApp's formatting, :smile: and its "
	"kind emoji, @ with a phone number a mention. With a header Idempotency-Key, repeating the request sends nothing twice.";

static const struct route routes[] = {
	{ .method = "POST", .path = "/api/v1/messages/send/text", .name = "messages.send.text", .auth = AUTH_KEY,
	  .guards = GUARD_RATE | GUARD_COOLDOWN | GUARD_QUOTA, .body = BODY_JSON_SEND, .selector = &selector_messages,
	  .family = FAMILY_A_NULL, .flags = ROUTE_SLOW | ROUTE_IDEMPOTENT, .params = text_params, .params_count = COUNT(text_params),
	  .tag = "Messages", .title = "Send a text", .text = text_text, .successes = text_sent, .errors = text_errors },
	{ .method = "GET", .path = "/api/v1/messages/send/text", .name = "messages.send.text", .auth = AUTH_KEY,
	  .guards = GUARD_RATE | GUARD_QUOTA, .selector = &selector_messages, .family = FAMILY_A_NULL,
	  .flags = ROUTE_SLOW | ROUTE_IDEMPOTENT, .params = text_params, .params_count = COUNT(text_params), .tag = "Messages",
	  .title = "Send a text by a link", .text = text_text, .successes = text_sent, .errors = text_errors },
};

extern const struct route_group message_routes;
const struct route_group message_routes = { routes, COUNT(routes) };
