/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Stored chats and messages: lists, pages, search (contract rest-b 2.1, 2.2). */
#include "fcgi/answer.h"
#include "fcgi/request.h"

#define INTERNAL { 500, 8000, "Internal server error" }
#define MISSING_CHAT { 400, 2001, "Missing chatId" }
#define BAD_CURSOR { 400, 2002, "cursor is invalid" }
#define ANYWHERE { PLACE_QUERY, PLACE_BODY }

#define PATH_CHAT \
	{ .name = "chatId", .in = { PLACE_PATH }, .kind = PARAM_RECIPIENT, .type = "string", .required = true, .missing = MISSING_CHAT, \
	  .invalid = MISSING_CHAT, .note = "phone number or JID" }
#define LIMIT(COUNT) \
	{ .name = "limit", .in = ANYWHERE, .kind = PARAM_NUMBER, .type = "number", .fallback = COUNT, .min = 1, .max = 500 }
#define OFFSET { .name = "offset", .in = ANYWHERE, .kind = PARAM_NUMBER, .type = "number", .fallback = "0", .min = 0, .max = 1000000 }
#define CURSOR \
	{ .name = "cursor", .in = ANYWHERE, .kind = PARAM_STRING, .type = "string", .invalid = BAD_CURSOR, \
	  .note = "pagination.nextCursor of the page before: goes on behind it, whatever has arrived meanwhile; offset does not count then" }
#define FLAG(NAME, NOTE) { .name = NAME, .in = ANYWHERE, .kind = PARAM_BOOL, .type = "boolean", .note = NOTE }
#define FLAG_OFF(NAME, NOTE) { .name = NAME, .in = ANYWHERE, .kind = PARAM_BOOL, .type = "boolean", .fallback = "false", .note = NOTE }
#define SEARCH(NOTE) { .name = "search", .in = ANYWHERE, .kind = PARAM_STRING, .type = "string", .fallback = "\"\"", .note = NOTE }
#define TIME(NAME) \
	{ .name = NAME, .in = ANYWHERE, .kind = PARAM_MOMENT, .type = "number|string", .invalid = { 400, 2002, NAME " is invalid" }, \
	  .note = "inclusive; seconds, milliseconds or ISO 8601; 0: no bound" }
#define BAD_TIMES { 400, 2002, "startTime is invalid" }, { 400, 2002, "endTime is invalid" }

static const char *const orders[] = { "lastMessage", "name", "id", "unreadCount", NULL };
static const char *const directions[] = { "asc", "desc", NULL };

static const struct param list_params[] = {
	LIMIT("10"),
	OFFSET,
	CURSOR,
	FLAG_OFF("hasMedia", "only chats with media"),
	{ .name = "sortBy", .in = ANYWHERE, .kind = PARAM_ENUM, .type = "string", .values = orders, .fallback = "\"lastMessage\"" },
	{ .name = "sortOrder", .in = ANYWHERE, .kind = PARAM_ENUM, .type = "string", .values = directions, .fallback = "\"desc\"" },
	SEARCH("part of JID or name, any case"),
	FLAG("archived", "only archived chats, or only others"),
	FLAG_OFF("unreadOnly", "only chats with unread messages, or marked as unread"),
	{ .name = "labelId", .in = ANYWHERE, .kind = PARAM_STRING, .type = "string", .note = "only chats with this label" },
};

static const struct param get_params[] = { PATH_CHAT };

static const struct param message_params[] = {
	PATH_CHAT,
	LIMIT("20"),
	OFFSET,
	CURSOR,
	TIME("startTime"),
	TIME("endTime"),
	FLAG_OFF("mediaOnly", "image, video, audio, document, sticker, location, contact, gif"),
	FLAG("isFromMe", "only own messages, or only those of others"),
	FLAG_OFF("starred", "only starred messages"),
	SEARCH("part of the text, any case"),
};

#define NO_QUERY { 400, 2001, "q is required" }
#define BAD_QUERY { 400, 2002, "q holds no word, more than 16 words, or more than 512 bytes" }
static const struct param search_params[] = {
	{ .name = "q", .in = ANYWHERE, .kind = PARAM_STRING, .type = "string", .required = true, .missing = NO_QUERY,
	  .note = "words, all of which must be there; \"words in quotes\" side by side; beginn* for the beginning of a word" },
	{ .name = "chatId", .in = ANYWHERE, .kind = PARAM_RECIPIENT, .type = "string", .invalid = { 400, 2002, "chatId is invalid" },
	  .note = "only in this chat: phone number or JID" },
	LIMIT("20"),
	CURSOR,
	TIME("startTime"),
	TIME("endTime"),
	FLAG("isFromMe", "only own messages, or only those of others"),
};

#define MESSAGE \
	"data[].id data[].toJid data[].senderJid data[].fromMe data[].messageType data[].body data[].timestamp data[].isMedia data[].mediaType " \
	"data[].mediaMetadata data[].mediaMetadata.url? data[].mediaMetadata.mimeType? data[].mediaMetadata.fileName? data[].mediaMetadata.fileSize? " \
	"data[].mediaMetadata.urlDecrypt? data[].mediaMetadata.urlExpiresAt? data[].mediaMetadata.storageKey? data[].mediaMetadata.storageDriver? " \
	"data[].messageTypeDetails data[].messageTypeDetails.edit? data[].messageTypeDetails.edit.lastEditedAt? " \
	"data[].messageTypeDetails.edit.lastEditedMs? data[].messageTypeDetails.edit.events[].ts? data[].messageTypeDetails.edit.events[].ms? " \
	"data[].messageTypeDetails.edit.messageBeforeEdit? data[].messageTypeDetails.edit.preview? data[].messageTypeDetails.poll? " \
	"data[].messageTypeDetails.receipts? data[].messageTypeDetails.receiptsTruncated? data[].messageTypeDetails.starredAt? data[].messageTypeDetails.deletedAt? data[].quotedMessageId " \
	"data[].mentionedJids[] data[].reactions[].from data[].reactions[].emoji data[].reactions[].timestamp data[].isEdited data[].isDeleted " \
	"data[].deletedAt data[].poll data[].poll.creation.question? data[].poll.creation.options[].index? data[].poll.creation.options[].name? " \
	"data[].poll.creation.selectableCount? data[].poll.updates[]? data[].poll.results[].name? data[].poll.results[].voters[]? " \
	"data[].poll.latestByVoter? data[].poll.events[].by? data[].poll.events[].selected[]? data[].poll.events[].ts? data[].createdAt " \
	"data[].updatedAt data[].chatLid data[].senderLid data[].status "
#define STATE(WHERE) WHERE "lid " WHERE "archived " WHERE "pinned " WHERE "muteEnd " WHERE "markedUnread "
#define INFO(WHERE) \
	WHERE "jid " WHERE "name " WHERE "lastMessage " WHERE "isGroup " WHERE "unreadCount " WHERE "lastMessageTimestamp " WHERE "ephemeralExpiry " \
	WHERE "createdAt " WHERE "updatedAt " STATE(WHERE) WHERE "messages"

static const struct success list_done[] = {
	{ 200, 1000, "Chats list fetched",
	  "sessionId phone data[].id data[].jid data[].displayName data[].name data[].isGroup data[].unreadCount data[].lastMessage "
	  "data[].lastMessageTimestamp data[].ephemeralExpiry data[].createdAt data[].updatedAt " STATE("data[].")
	  "pagination.limit pagination.offset pagination.total pagination.nextCursor" },
	{ 0 },
};
static const struct success get_done[] = { { 200, 1000, "Chat fetched", "sessionId phone " INFO("data.") }, { 0 } };
static const struct success messages_done[] = {
	{ 200, 1000, "Messages list fetched",
	  "sessionId phone " MESSAGE "pagination.limit pagination.offset pagination.total pagination.nextCursor " INFO("chatInfo.") },
	{ 0 },
};
static const struct success search_done[] = {
	{ 200, 1000, "Messages found", "sessionId phone " MESSAGE "pagination.limit pagination.nextCursor" }, { 0 }
};

static const struct fault list_errors[] = { BAD_CURSOR, INTERNAL, { 0 } };
static const struct fault get_errors[] = { MISSING_CHAT, { 404, 2600, "Chat not found" }, INTERNAL, { 0 } };
static const struct fault messages_errors[] = { MISSING_CHAT, BAD_CURSOR, BAD_TIMES, INTERNAL, { 0 } };
static const struct fault search_errors[] = {
	NO_QUERY, BAD_QUERY, { 400, 2002, "chatId is invalid" }, BAD_CURSOR, BAD_TIMES, INTERNAL, { 0 }
};

#define READING(WHERE, NAME, SELECTOR, FAMILY, LIST, WINS, FAILS, TAG, HEADING, WORDS) \
	{ .method = "GET", .path = "/api/v1/" WHERE, .name = NAME, .auth = AUTH_KEY, .scope = SCOPE_READ, .guards = GUARD_RATE | GUARD_QUOTA, .selector = SELECTOR, \
	  .family = FAMILY, .params = LIST, .params_count = COUNT(LIST), .tag = TAG, .title = HEADING, .text = WORDS, .successes = WINS, .errors = FAILS }

static const struct route routes[] = {
	READING("chats", "chats.list", &selector_chats_get, FAMILY_S, list_params, list_done, list_errors, "Chats", "List chats",
		"Chats with at least one stored message. Own chat, status updates and channels are not stored."),
	READING("chats/{chatId}", "chats.get", &selector_chats_get, FAMILY_S, get_params, get_done, get_errors, "Chats", "Show a chat",
		"What is stored of one chat, person or group."),
	READING("chats/{chatId}/messages", "chats.messages", &selector_chats_get, FAMILY_S, message_params, messages_done, messages_errors, "Chats",
		"List the messages of a chat", "Newest first. Chats that are not stored have no messages."),
	READING("messages", "messages.search", &selector_messages, FAMILY_A_NULL, search_params, search_done, search_errors, "Messages",
		"Search messages", "Full-text search in the stored messages; what was stored last comes first."),
};

extern const struct route_group chats_routes;
const struct route_group chats_routes = { routes, COUNT(routes) };
