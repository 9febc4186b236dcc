/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Actions that all devices of the account share: on chats and messages (contract rest-a 8), /api/v1/chats (rest-b 2.3, 2.4). */
#include "fcgi/answer.h"
#include "fcgi/request.h"

#define NO_MESSAGE { 400, 2001, "Missing destination or messageId" }
#define NO_CHAT { 400, 2001, "Missing destination" }
#define INTERNAL { 500, 8000, "Internal server error" }
#define TO(fault) { .name = "to", .in = { PLACE_BODY }, .kind = PARAM_RECIPIENTS, .type = "string", .required = true, .missing = fault, .invalid = fault, \
		    .note = "one phone number or JID" }
#define MESSAGE_ID { .name = "messageId", .in = { PLACE_PATH }, .kind = PARAM_STRING, .type = "string", .required = true, .missing = NO_MESSAGE }

static const struct param message_params[] = { MESSAGE_ID, TO(NO_MESSAGE) };

static const struct param delete_params[] = {
	MESSAGE_ID,
	TO(NO_MESSAGE),
	{ .name = "withMedia", .in = { PLACE_BODY }, .kind = PARAM_BOOL, .type = "boolean", .fallback = "true", .note = "its file is deleted too" },
};

static const struct param chat_params[] = { TO(NO_CHAT) };

static const struct param mute_params[] = {
	TO(NO_CHAT),
	{ .name = "duration", .in = { PLACE_BODY }, .kind = PARAM_NUMBER, .type = "number", .fallback = "60", .min = 1, .max = 43200, .note = "minutes" },
};

static const struct param pin_params[] = {
	{ .name = "chatId", .in = { PLACE_PATH }, .kind = PARAM_RECIPIENTS, .type = "string", .required = true,
	  .missing = { 400, 2001, "Missing chatId or pin flag" }, .invalid = { 400, 2001, "Missing chatId or pin flag" }, .note = "phone number or JID" },
	{ .name = "pin", .in = { PLACE_BODY }, .kind = PARAM_BOOL, .type = "boolean", .required = true,
	  .missing = { 400, 2001, "Missing chatId or pin flag" }, .invalid = { 400, 2002, "pin must be true or false" },
	  .note = "true pins, false unpins" },
};

static const struct param read_params[] = {
	{ .name = "chatId", .in = { PLACE_PATH }, .kind = PARAM_RECIPIENTS, .type = "string", .required = true, .missing = { 400, 2001, "Missing chatId" },
	  .invalid = { 400, 2001, "Missing chatId" }, .note = "phone number or JID" },
	{ .name = "messages", .in = { PLACE_BODY }, .kind = PARAM_NUMBER, .type = "number", .fallback = "0", .min = 0, .max = 500,
	  .note = "so many of the newest; 0: see days" },
	{ .name = "days", .in = { PLACE_BODY }, .kind = PARAM_NUMBER, .type = "number", .fallback = "1", .min = 0, .max = 365,
	  .note = "all of the last so many days; 0: all" },
};

#define OF_MESSAGE "sessionId phone to toJid messageId status"
#define OF_CHAT "sessionId phone to toJid status"
#define ONE_SUCCESS(variable, text, fields) static const struct success variable[] = { { 200, 1000, text, fields }, { 0 } }

ONE_SUCCESS(starred, "Message starred", OF_MESSAGE);
ONE_SUCCESS(unstarred, "Message unstarred", OF_MESSAGE);
ONE_SUCCESS(deleted, "Message deleted for me", OF_MESSAGE);
ONE_SUCCESS(muted, "Chat muted", OF_CHAT);
ONE_SUCCESS(unmuted, "Chat unmuted", OF_CHAT);
ONE_SUCCESS(archived, "Chat archived", OF_CHAT);
ONE_SUCCESS(unarchived, "Chat unarchived", OF_CHAT);
ONE_SUCCESS(cleared, "Chat cleared", OF_CHAT);

static const struct success pinned[] = {
	{ 200, 1000, "Chat pinned", "sessionId phone chatId pinned message updatedAt" },
	{ 200, 1000, "Chat unpinned", "sessionId phone chatId pinned message updatedAt" },
	{ 0 },
};

static const struct success marked[] = {
	{ 200, 1000, "Marked last N inbound message(s) as read",
	  "sessionId phone chatId totalMarked mode parameters.messages parameters.days marked[].id marked[].fromMe marked[].timestamp partial.capped? partial.cap?" },
	{ 200, 1000, "Marked inbound messages as read in the last N day(s)", NULL },
	{ 0 },
};

static const struct fault message_errors[] = { NO_MESSAGE, INTERNAL, { 0 } };
static const struct fault delete_errors[] = { NO_MESSAGE, { 502, 4000, "Failed to delete message" }, { 0 } };
static const struct fault chat_errors[] = { NO_CHAT, INTERNAL, { 0 } };
static const struct fault pin_errors[] = { { 400, 2001, "Missing chatId or pin flag" }, { 400, 2002, "pin must be true or false" }, { 403, 4003, "Pin/unpin not allowed" }, { 0 } };
static const struct fault read_errors[] = {
	{ 400, 2001, "Missing chatId" }, { 404, 2004, "No inbound messages available to mark as read" }, INTERNAL, { 0 },
};

static const char shared_text[] =
	"Done on all devices of the account: answers when WhatsApp has accepted the change. It is refused as long as the phone has not shared "
	"its keys with this device, which it does soon after linking.";
static const char receipts_text[] = "Sends read receipts for stored inbound messages, oldest first, at most 10,000.";

#define ACTION(verb, where, does, list, wins, fails, heading) \
	{ .method = verb, .path = "/api/v1/messages/" where, .name = does, .auth = AUTH_KEY, .scope = SCOPE_SEND, .guards = GUARD_RATE | GUARD_COOLDOWN | GUARD_QUOTA, \
	  .body = BODY_JSON, .selector = &selector_messages, .family = FAMILY_A_NULL, .flags = ROUTE_SLOW, .params = list, .params_count = COUNT(list), \
	  .tag = "Messages", .title = heading, .text = shared_text, .successes = wins, .errors = fails }
#define CHAT(where, does, list, wins, fails, heading, words) \
	{ .method = "POST", .path = "/api/v1/chats/{chatId}/" where, .name = does, .auth = AUTH_KEY, .scope = SCOPE_SEND, .guards = GUARD_RATE | GUARD_COOLDOWN | GUARD_QUOTA, \
	  .body = BODY_JSON, .selector = &selector_chats_post, .family = FAMILY_S, .flags = ROUTE_SLOW, .params = list, .params_count = COUNT(list), \
	  .tag = "Chats", .title = heading, .text = words, .successes = wins, .errors = fails }

static const struct route routes[] = {
	ACTION("POST", "{messageId}/action/star", "messages.action.star", message_params, starred, message_errors, "Star a message"),
	ACTION("POST", "{messageId}/action/unstar", "messages.action.unstar", message_params, unstarred, message_errors, "Take a message's star away"),
	ACTION("DELETE", "{messageId}/action/delete", "messages.action.delete", delete_params, deleted, delete_errors, "Delete a message for this account"),
	ACTION("POST", "action/mute", "messages.action.mute", mute_params, muted, chat_errors, "Mute a chat"),
	ACTION("POST", "action/unmute", "messages.action.unmute", chat_params, unmuted, chat_errors, "Unmute a chat"),
	ACTION("POST", "action/archive", "messages.action.archive", chat_params, archived, chat_errors, "Archive a chat"),
	ACTION("POST", "action/unarchive", "messages.action.unarchive", chat_params, unarchived, chat_errors, "Take a chat out of the archive"),
	ACTION("DELETE", "action/clear-all", "messages.action.clear_all", chat_params, cleared, chat_errors, "Clear a chat"),
	CHAT("pin", "chats.pin", pin_params, pinned, pin_errors, "Pin or unpin a chat", shared_text),
	CHAT("read", "chats.read", read_params, marked, read_errors, "Mark a chat's messages as read", receipts_text),
};

extern const struct route_group chat_routes;
const struct route_group chat_routes = { routes, COUNT(routes) };
