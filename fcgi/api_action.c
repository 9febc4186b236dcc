/* SPDX-License-Identifier: GPL-3.0-or-later */
/* /api/v1/messages/{messageId}: what can be done with a message, and how it is doing (contract rest-a 8, rest-b 2.4). */
#include "fcgi/answer.h"
#include "fcgi/request.h"
#include "fcgi/send_params.h"

#define ACTION_ROUTE(what) \
	.method = "POST", .path = "/api/v1/messages/{messageId}/action/" what, .name = "messages.action." what, .auth = AUTH_KEY, .scope = SCOPE_SEND, \
	.guards = GUARD_RATE | GUARD_COOLDOWN | GUARD_QUOTA, .body = BODY_JSON, .selector = &selector_messages, .family = FAMILY_A_NULL, \
	.flags = ROUTE_SLOW, .tag = "Message actions"
#define MISSING { 400, 2001, "Missing destination or messageId" }
#define MESSAGE_ID(NAME) { .name = NAME, .in = { PLACE_PATH }, .kind = PARAM_STRING, .type = "string", .required = true, .missing = MISSING }
#define ONE_TO \
	{ .name = "to", .in = SEND_BODY, .kind = PARAM_RECIPIENT, .type = "string", .required = true, .missing = MISSING, .invalid = MISSING, \
	  .note = "one phone/JID: the chat of the message" }
#define PARTS(x) .params = x##_params, .params_count = COUNT(x##_params), .successes = x##_done, .errors = x##_errors
#define DONE(x, text) static const struct success x##_done[] = { { 200, 1000, text, "sessionId phone to toJid messageId status" }, { 0 } }

static const struct param reaction_params[] = {
	MESSAGE_ID("messageId"),
	ONE_TO,
	{ .name = "emoji", .in = SEND_BODY, .kind = PARAM_STRING, .type = "string", .required = true, .missing = { 400, 2001, "Emoji is required" } },
};
DONE(reaction, "Reaction applied");
static const struct fault reaction_errors[] = { MISSING, { 400, 2001, "Emoji is required" }, { 502, 4005, "Failed to react to message" }, { 0 } };

static const struct param plain_params[] = { MESSAGE_ID("messageId"), ONE_TO };
DONE(unreaction, "Reaction removed");
static const struct fault unreaction_errors[] = { MISSING, { 502, 4005, "Failed to remove reaction" }, { 0 } };

static const struct param edit_params[] = {
	MESSAGE_ID("messageId"),
	ONE_TO,
	{ .name = "message", .in = SEND_BODY, .kind = PARAM_UNTRIMMED, .type = "string", .required = true,
	  .missing = { 400, 2001, "Message text is required" }, .note = "the new text or caption, as it is" },
};
DONE(edit, "Message edited");
static const struct fault edit_errors[] = {
	MISSING, { 400, 2001, "Message text is required" }, { 403, 4001, "Editing this message is not allowed" }, { 0 }
};

static const struct param revoke_params[] = {
	MESSAGE_ID("messageId"),
	ONE_TO,
	{ .name = "deleteForMe", .in = SEND_BODY, .kind = PARAM_BOOL, .type = "boolean", .fallback = "false",
	  .note = "then it goes from the account's own devices, too, with its file" },
};
DONE(revoke, "Message revoked");
static const struct fault revoke_errors[] = { MISSING, { 502, 4000, "Failed to revoke message" },
	{ 502, 4000, "Message revoked, but not deleted for me" }, { 0 } };

static const struct param read_params[] = {
	MESSAGE_ID("messageId"),
	ONE_TO,
	{ .name = "played", .in = SEND_BODY, .kind = PARAM_BOOL, .type = "boolean", .fallback = "false", .note = "a voice or video note was played" },
};
DONE(read, "Message marked as read");
static const struct fault read_errors[] = { MISSING, { 404, 2601, "Message not found" }, { 500, 8000, "Internal server error" }, { 0 } };

static const struct param forward_params[] = {
	{ .name = "messageId", .in = { PLACE_PATH }, .kind = PARAM_DOCUMENT, .type = "string", .required = true },
	SEND_TO(SEND_BODY, 2001, "Missing destination or messageId"),
	SEND_PRESENCE(SEND_BODY),
	SEND_WHEN,
	{ .name = "isForwarded", .in = SEND_BODY, .kind = PARAM_BOOL, .type = "boolean", .fallback = "true", .note = "false: as a message of one's own" },
};
static const struct success forward_done[] = {
	SEND_SUCCESSES("Forwarded message", "advancedInfo.forwardedMessageId advancedInfo.forwardingScore")
};
static const struct fault forward_errors[] = {
	MISSING, { 400, 3004, "Unsupported message type" }, { 404, 2601, "Message not found" }, { 502, 4002, "Failed to forward message" },
	SEND_ERRORS("message")
};

/* To the daemon, messageId is the name of a new message. */
static int prepare_forward(struct request *r, struct buf *p, struct answer *answer)
{
	(void)answer;
	send_put_text(p, "forwardedMessageId", send_path_value(r, "messageId"));
	return 0;
}

static const char *const durations[] = { "86400", "604800", "2592000", NULL };
#define PIN_MISSING { 400, 2001, "Missing chatId, messageId or pin flag" }
static const struct param pin_params[] = {
	{ .name = "chatId", .in = { PLACE_PATH }, .kind = PARAM_RECIPIENT, .type = "string", .required = true, .missing = PIN_MISSING, .invalid = PIN_MISSING },
	{ .name = "messageId", .in = { PLACE_PATH }, .kind = PARAM_STRING, .type = "string", .required = true, .missing = PIN_MISSING },
	{ .name = "pin", .in = SEND_BODY, .kind = PARAM_BOOL, .type = "boolean", .required = true, .missing = PIN_MISSING,
	  .invalid = { 400, 2002, "pin must be true or false" } },
	{ .name = "duration", .in = SEND_BODY, .kind = PARAM_ENUM, .type = "string", .values = durations, .fallback = "\"86400\"",
	  .invalid = { 400, 2002, "duration is one of 86400, 604800, 2592000" }, .note = "seconds" },
};
static const struct success pin_done[] = {
	{ 200, 1000, "Message pinned|Message unpinned", "sessionId phone chatId messageId pinned message updatedAt" }, { 0 }
};
static const struct fault pin_errors[] = { PIN_MISSING, { 400, 2002, "pin must be true or false" }, { 403, 4003, "Pin/unpin not allowed" }, { 0 } };

#define PROGRESS "progress.audience? progress.reached? progress.chunks? progress.acked? progress.failed? "
static const struct param status_params[] = { MESSAGE_ID("messageId") };
static const struct success status_done[] = {
	{ 200, 1000, "Message state", "messageId toJid state createdAt scheduledAt? ackedAt? code? error? " PROGRESS
					      "devices[].device devices[].state devices[].at" }, { 0 }
};
static const struct fault status_errors[] = { MISSING, { 404, 2601, "Message not found" }, { 500, 8003, "Database error" }, { 0 } };

static const struct param media_params[] = {
	{ .name = "messageId", .in = { PLACE_PATH }, .kind = PARAM_STRING, .type = "string", .required = true, .missing = { 400, 2001, "Missing messageId" } },
};
static const struct success media_done[] = {
	{ 200, 1000, "Media fetched|Media already stored", "sessionId messageId chatId type mimeType fileName fileLength fileSha256 url urlExpiresAt? storageKey storageDriver fetched" },
	{ 0 }
};
static const struct fault media_errors[] = {
	{ 400, 2001, "Missing messageId" }, { 400, 3004, "The message has no media" }, { 403, 2201, "Media that are to be viewed once are not stored" },
	{ 404, 2601, "Message not found" }, { 410, 5504, "Media no longer available" }, { 413, 5503, "Media size exceeds limit" },
	{ 500, 8003, "Database error" }, { 502, 5500, "Failed to download media" }, { 0 }
};

static const struct success broadcast_done[] = {
	{ 200, 1000, "Broadcast state", "messageId toJid state createdAt scheduledAt? " PROGRESS
						"parts[].state parts[].audience parts[].code? parts[].error?" }, { 0 }
};

static const struct success scheduled_done[] = {
	{ 200, 1000, "Scheduled messages", "items[].messageId items[].toJid items[].state items[].createdAt items[].scheduledAt total" }, { 0 }
};
static const struct fault scheduled_errors[] = { { 500, 8003, "Database error" }, { 0 } };

static const struct success cancel_done[] = { { 200, 1000, "Scheduled message cancelled", "messageId state" }, { 0 } };
static const struct fault cancel_errors[] = {
	MISSING, { 404, 2601, "Message not found" }, { 409, 2009, "The message is not waiting for its time: it was sent, is being sent, or has failed" },
	{ 500, 8003, "Database error" }, { 503, 8001, "Service temporarily unavailable" }, { 0 }
};

static const struct param reschedule_params[] = {
	MESSAGE_ID("messageId"),
	{ .name = "send_at", .aliases = { "sendAt" }, .in = SEND_BODY, .kind = PARAM_TIME, .type = "string|number",
	  .invalid = { 400, 2002, "send_at must be a time within a year: seconds, milliseconds or ISO 8601" }, .note = "the new time; one that has passed: at once" },
	{ .name = "message", .in = SEND_BODY, .kind = PARAM_UNTRIMMED, .type = "string", .note = "the new text or caption, as it is" },
};
static const struct success reschedule_done[] = { { 200, 1000, "Scheduled message changed", "messageId toJid state createdAt scheduledAt?" }, { 0 } };
static const struct fault reschedule_errors[] = {
	MISSING, { 400, 2001, "send_at or message is required" }, { 400, 2002, "send_at must be a time within a year: seconds, milliseconds or ISO 8601" },
	{ 400, 2002, "A status that goes out in several messages keeps its text" }, { 400, 3004, "The message has neither text nor caption" },
	{ 404, 2601, "Message not found" }, { 409, 2009, "The message is not waiting for its time: it was sent, is being sent, or has failed" },
	{ 500, 8003, "Database error" }, { 503, 8001, "Service temporarily unavailable" }, { 0 }
};

static const struct route routes[] = {
	{ ACTION_ROUTE("reaction"), PARTS(reaction), .title = "React to a message", .text = "Shows this emoji at the message; another one replaces it." },
	{ ACTION_ROUTE("unreaction"), .params = plain_params, .params_count = COUNT(plain_params), .successes = unreaction_done,
	  .errors = unreaction_errors, .title = "Take a reaction back", .text = "Removes our reaction from the message." },
	{ ACTION_ROUTE("edit"), PARTS(edit), .title = "Edit a message",
	  .text = "Another text, or another caption, for a message of our own that is at most 20 minutes old." },
	{ ACTION_ROUTE("revoke"), PARTS(revoke), .title = "Delete a message for everybody",
	  .text = "A message of our own, or in a group whose admin we are anybody's." },
	{ ACTION_ROUTE("mark-as-read"), PARTS(read), .title = "Mark a message as read", .text = "Tells its author that it was read, or played." },
	{ ACTION_ROUTE("forward"), PARTS(forward), .prepare = prepare_forward, .title = "Forward a message",
	  .text = "Sends the content of a message that was sent or received here to others. View-once messages, polls and events are not passed on." },
	{ .method = "POST", .path = "/api/v1/chats/{chatId}/messages/{messageId}/pin", .name = "chats.message.pin", .auth = AUTH_KEY, .scope = SCOPE_SEND,
	  .guards = GUARD_RATE | GUARD_COOLDOWN | GUARD_QUOTA, .body = BODY_JSON, .selector = &selector_chats_post, .family = FAMILY_S,
	  .flags = ROUTE_SLOW, PARTS(pin), .tag = "Message actions", .title = "Pin a message",
	  .text = "Pins a message in its chat, for everybody, for a day unless duration says otherwise; pin false takes it off." },
	{ .method = "POST", .path = "/api/v1/messages/{messageId}/media", .name = "messages.media", .auth = AUTH_KEY, .scope = SCOPE_READ, .guards = GUARD_RATE | GUARD_QUOTA,
	  .body = BODY_JSON, .selector = &selector_messages, .family = FAMILY_A_NULL, .flags = ROUTE_SLOW, PARTS(media), .tag = "Message actions",
	  .title = "Fetch the media of a message",
	  .text = "Downloads the file of a message from WhatsApp into the storage, unless it rests there already, and answers its address. When WhatsApp's "
		  "servers have lost it, the phone is asked for it. Asking again answers the same file." },
	{ .method = "GET", .path = "/api/v1/messages/{messageId}/status", .name = "messages.status", .auth = AUTH_KEY, .scope = SCOPE_READ, .guards = GUARD_RATE | GUARD_QUOTA,
	  .selector = &selector_messages_stored, .family = FAMILY_A_NULL, PARTS(status), .tag = "Message actions", .title = "How a sent message is doing",
	  .text = "queued, sent, server_ack, delivered, read, played, cancelled or failed (with code and error); for each device that told us, its own "
		  "state. Of a status, progress says for how many people it is, how many of them it has reached, and in how many messages." },
	{ .method = "GET", .path = "/api/v1/messages/{messageId}/broadcast", .name = "messages.broadcast", .auth = AUTH_KEY, .scope = SCOPE_READ,
	  .guards = GUARD_RATE | GUARD_QUOTA, .selector = &selector_messages_stored, .family = FAMILY_A_NULL, .params = status_params,
	  .params_count = COUNT(status_params), .successes = broadcast_done, .errors = status_errors, .tag = "Message actions",
	  .title = "How far a status got", .text = "A status for many people goes out in several messages: each of them with its state." },
	{ .method = "GET", .path = "/api/v1/messages/scheduled", .name = "messages.scheduled", .auth = AUTH_KEY, .scope = SCOPE_READ, .guards = GUARD_RATE | GUARD_QUOTA,
	  .selector = &selector_messages_stored, .family = FAMILY_A_NULL, .successes = scheduled_done, .errors = scheduled_errors, .tag = "Message actions",
	  .title = "What is to be sent later", .text = "Messages with a send_at that has not come, the next one first, at most 1,000." },
	{ .method = "PATCH", .path = "/api/v1/messages/{messageId}/scheduled", .name = "messages.scheduled.change", .auth = AUTH_KEY, .scope = SCOPE_SEND,
	  .guards = GUARD_RATE | GUARD_QUOTA, .body = BODY_JSON, .selector = &selector_messages_stored, .family = FAMILY_A_NULL, PARTS(reschedule),
	  .tag = "Message actions", .title = "Change a message that is to be sent later",
	  .text = "Another send_at, another text or caption, or both, as long as its time has not come. Files, recipients and everything else stay." },
	{ .method = "DELETE", .path = "/api/v1/messages/{messageId}/scheduled", .name = "messages.scheduled.cancel", .auth = AUTH_KEY, .scope = SCOPE_SEND,
	  .guards = GUARD_RATE | GUARD_QUOTA, .body = BODY_JSON, .selector = &selector_messages_stored, .family = FAMILY_A_NULL, .params = status_params,
	  .params_count = COUNT(status_params), .successes = cancel_done, .errors = cancel_errors, .tag = "Message actions",
	  .title = "Take back a message that was to be sent later", .text = "Its state is cancelled then. Doing so again changes nothing." },
};

extern const struct route_group action_routes;
const struct route_group action_routes = { routes, COUNT(routes) };
