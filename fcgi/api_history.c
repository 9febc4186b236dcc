/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Older messages of a chat, from the phone. Not in the original. */
#include "fcgi/answer.h"
#include "fcgi/request.h"

#define NO_CHAT { 400, 2001, "Missing chatId" }

static const struct param more_params[] = {
	{ .name = "chatId", .in = { PLACE_PATH }, .kind = PARAM_RECIPIENT, .type = "string", .required = true, .missing = NO_CHAT, .invalid = NO_CHAT,
	  .note = "phone number or JID" },
	{ .name = "count", .in = { PLACE_BODY }, .kind = PARAM_NUMBER, .type = "number", .fallback = "50", .min = 1, .max = 500, .note = "how many at most" },
	{ .name = "wait", .in = { PLACE_BODY }, .kind = PARAM_NUMBER, .type = "number", .fallback = "20", .min = 1, .max = 60,
	  .note = "seconds in which the phone has to answer; what comes later is stored all the same" },
};

static const struct success more_done[] = { { 200, 1000, "Older messages fetched", "sessionId chatId messages complete" }, { 0 } };
static const struct fault more_errors[] = {
	NO_CHAT,
	{ 404, 2004, "No message of this chat is stored from which to go back" },
	{ 429, 2400, "Too many chats are being asked for at the same time" },
	{ 502, 2800, "What the phone sent cannot be used" },
	{ 409, 1106, "The session is not connected" },
	{ 504, 2800, "The phone did not answer in time" },
	{ 0 },
};

static const char more_text[] =
	"Asks the phone for messages before the oldest stored one, and answers when they are stored. The phone has to be switched on and "
	"connected. complete: it has no older ones.";

static const struct route routes[] = {
	{ .method = "POST", .path = "/api/v1/chats/{chatId}/messages/more", .name = "chats.messages.more", .auth = AUTH_KEY, .scope = SCOPE_READ,
	  .guards = GUARD_RATE | GUARD_COOLDOWN | GUARD_QUOTA, .body = BODY_JSON, .selector = &selector_chats_post, .family = FAMILY_S, .flags = ROUTE_SLOW,
	  .params = more_params, .params_count = COUNT(more_params), .tag = "Chats", .title = "Fetch older messages of a chat from the phone",
	  .text = more_text, .successes = more_done, .errors = more_errors },
};

extern const struct route_group history_routes;
const struct route_group history_routes = { routes, COUNT(routes) };
