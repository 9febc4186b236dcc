/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What all devices of the account share beside the state of its chats: /api/v1/labels, /api/v1/quick-replies, /api/v1/account/settings;
 * and the actions on a chat that the original has no route for: unread, delete, lock, status-mute.
 */
#include "fcgi/answer.h"
#include "fcgi/request.h"

#define BODY { PLACE_BODY, PLACE_QUERY }
#define MISSING_CHAT { 400, 2001, "Missing chatId" }
#define NO_LABEL { 404, 2600, "Label not found" }
#define NO_REPLY { 404, 2600, "Quick reply not found" }
#define CHANGE_ERRORS \
	{ 409, 1106, "The session is not linked to an account" }, { 429, 2400, "WhatsApp has not taken the change: <reason>" }, \
	{ 502, 2800, "WhatsApp has not taken the change: <reason>" }, { 503, 8001, "WhatsApp has not taken the change: <reason>" }, \
	{ 500, 8000, "Internal server error" }

#define PATH_ID(NAME) \
	{ .name = NAME, .in = { PLACE_PATH }, .kind = PARAM_STRING, .type = "string", .required = true, .missing = { 400, 2001, "Missing " NAME } }
#define PATH_CHAT \
	{ .name = "chatId", .in = { PLACE_PATH }, .kind = PARAM_RECIPIENT, .type = "string", .required = true, .missing = MISSING_CHAT, \
	  .invalid = MISSING_CHAT, .note = "phone number or JID" }
#define BODY_CHAT \
	{ .name = "chatId", .in = BODY, .kind = PARAM_RECIPIENT, .type = "string", .required = true, .missing = MISSING_CHAT, .invalid = MISSING_CHAT, \
	  .note = "phone number or JID" }
#define NAME(REQUIRED) \
	{ .name = "name", .in = { PLACE_BODY }, .kind = PARAM_STRING, .type = "string", .required = REQUIRED, .missing = { 400, 2001, "name is required" }, \
	  .note = "at most 100 characters" }
#define COLOR \
	{ .name = "color", .in = { PLACE_BODY }, .kind = PARAM_NUMBER, .type = "number", .min = 0, .max = 19, .note = "one of WhatsApp's 20 colours, 0 to 19" }
#define FLAG(NAME, WORDS) \
	{ .name = NAME, .in = { PLACE_BODY }, .kind = PARAM_BOOL, .type = "boolean", .required = true, .missing = { 400, 2001, NAME " is required" }, \
	  .invalid = { 400, 2002, NAME " must be true or false" }, .note = WORDS }

static const struct param label_params[] = { PATH_ID("labelId") };
static const struct param create_params[] = { NAME(true), COLOR };
static const struct param edit_params[] = { PATH_ID("labelId"), NAME(false), COLOR };
static const struct param chat_label_params[] = { PATH_ID("labelId"), BODY_CHAT };
static const struct param message_label_params[] = {
	PATH_ID("labelId"),
	BODY_CHAT,
	{ .name = "messageId", .in = BODY, .kind = PARAM_MESSAGE_ID, .type = "string", .required = true, .missing = { 400, 2001, "Missing messageId" },
	  .invalid = { 400, 2002, "messageId is invalid" } },
};
static const struct param reply_params[] = {
	{ .name = "shortcut", .in = { PLACE_BODY }, .kind = PARAM_STRING, .type = "string", .required = true, .missing = { 400, 2001, "shortcut is required" },
	  .note = "at most 64 characters" },
	{ .name = "message", .in = { PLACE_BODY }, .kind = PARAM_UNTRIMMED, .type = "string", .required = true, .missing = { 400, 2001, "message is required" },
	  .note = "at most 4096 characters" },
};
static const struct param reply_id_params[] = { PATH_ID("quickReplyId") };
static const struct param setting_params[] = { FLAG("unarchiveChats", "archived chats come back when a message arrives") };
static const struct param unread_params[] = { PATH_CHAT };
static const struct param delete_params[] = {
	PATH_CHAT,
	{ .name = "withMedia", .in = BODY, .kind = PARAM_BOOL, .type = "boolean", .fallback = "true", .note = "its files go, too" },
};
static const struct param lock_params[] = { PATH_CHAT, FLAG("locked", "true: only with the lock of the phone") };
static const struct param mute_params[] = { PATH_CHAT, FLAG("muted", "true: status updates of this person are not shown") };

#define SUCCESS(variable, text, fields) static const struct success variable[] = { { 200, 1000, text, "sessionId " fields }, { 0 } }

SUCCESS(labels_done, "Labels", "labels[].labelId labels[].name labels[].color labels[].predefinedId labels[].time");
SUCCESS(create_done, "Label created", "phone labelId name color deleted");
SUCCESS(edit_done, "Label changed", "phone labelId name color deleted");
SUCCESS(delete_done, "Label deleted", "phone labelId deleted");
SUCCESS(members_done, "Chats of the label",
	"labelId members[].labelId members[].chat members[].chatPn? members[].chatLid? members[].messageId?");
SUCCESS(chat_on_done, "Label put on the chat", "phone chatId labelId labeled");
SUCCESS(chat_off_done, "Label taken off the chat", "phone chatId labelId labeled");
SUCCESS(message_on_done, "Label put on the message", "phone chatId labelId messageId labeled");
SUCCESS(message_off_done, "Label taken off the message", "phone chatId labelId messageId labeled");
SUCCESS(replies_done, "Quick replies", "quickReplies[].quickReplyId quickReplies[].shortcut quickReplies[].message quickReplies[].time");
SUCCESS(reply_done, "Quick reply created", "phone quickReplyId shortcut message deleted");
SUCCESS(reply_gone_done, "Quick reply deleted", "phone quickReplyId deleted");
SUCCESS(settings_done, "Settings of the account",
	"settings.pushName? settings.locale? settings.unarchiveChats? settings.disableLinkPreviews? settings.relayAllCalls? "
	"settings.twentyFourHourFormat? settings.statusPrivacy? settings.favorites[]?");
SUCCESS(setting_done, "Settings changed", "phone unarchiveChats");
SUCCESS(unread_done, "Chat marked as unread", "phone chatId");
SUCCESS(chat_gone_done, "Chat deleted", "phone chatId");
SUCCESS(lock_done, "Chat lock changed", "phone chatId locked");
SUCCESS(mute_done, "Status updates muted or unmuted", "phone chatId muted");

static const struct fault read_errors[] = { { 500, 8000, "Internal server error" }, { 0 } };
static const struct fault members_errors[] = { NO_LABEL, { 500, 8000, "Internal server error" }, { 0 } };
static const struct fault create_errors[] = {
	{ 400, 2001, "name is required" }, { 400, 2002, "name may have at most 100 characters" }, CHANGE_ERRORS, { 0 }
};
static const struct fault edit_errors[] = { { 400, 2002, "name may have at most 100 characters" }, NO_LABEL, CHANGE_ERRORS, { 0 } };
static const struct fault label_errors[] = { NO_LABEL, CHANGE_ERRORS, { 0 } };
static const struct fault chat_label_errors[] = { MISSING_CHAT, NO_LABEL, CHANGE_ERRORS, { 0 } };
static const struct fault message_label_errors[] = {
	MISSING_CHAT, { 400, 2001, "Missing messageId" }, { 400, 2002, "messageId is invalid" }, NO_LABEL, CHANGE_ERRORS, { 0 }
};
static const struct fault reply_errors[] = {
	{ 400, 2001, "shortcut is required" }, { 400, 2001, "message is required" }, { 400, 2002, "shortcut may have at most 64 characters" },
	{ 400, 2002, "message may have at most 4096 characters" }, CHANGE_ERRORS, { 0 }
};
static const struct fault reply_gone_errors[] = { NO_REPLY, CHANGE_ERRORS, { 0 } };
static const struct fault setting_errors[] = {
	{ 400, 2001, "unarchiveChats is required" }, { 400, 2002, "unarchiveChats must be true or false" }, CHANGE_ERRORS, { 0 }
};
static const struct fault chat_errors[] = { MISSING_CHAT, CHANGE_ERRORS, { 0 } };
static const struct fault lock_errors[] = { MISSING_CHAT, { 400, 2001, "locked is required" }, { 400, 2002, "locked must be true or false" }, CHANGE_ERRORS, { 0 } };
static const struct fault mute_errors[] = {
	MISSING_CHAT, { 400, 2001, "muted is required" }, { 400, 2002, "muted must be true or false" }, { 400, 2002, "Only people have status updates" },
	CHANGE_ERRORS, { 0 }
};

static const char kept_text[] = "As the account's devices share it; empty until the phone has shared its keys with this device, soon after linking.";
static const char change_text[] =
	"Done on all devices of the account: answers when WhatsApp has accepted the change. Labels and quick replies are shown by WhatsApp "
	"Business; other apps keep them without showing them.";
static const char chat_text[] = "Done on all devices of the account: answers when WhatsApp has accepted the change.";

#define READ(where, does, list, wins, fails, topic, heading) \
	{ .method = "GET", .path = "/api/v1/" where, .name = does, .auth = AUTH_KEY, .scope = SCOPE_READ, .guards = GUARD_RATE, .body = BODY_NONE, \
	  .selector = &selector_messages, .family = FAMILY_S, .params = list, .params_count = COUNT(list), .tag = topic, .title = heading, \
	  .text = kept_text, .successes = wins, .errors = fails }
#define READ_ALL(where, does, wins, topic, heading) \
	{ .method = "GET", .path = "/api/v1/" where, .name = does, .auth = AUTH_KEY, .scope = SCOPE_READ, .guards = GUARD_RATE, .body = BODY_NONE, \
	  .selector = &selector_messages, .family = FAMILY_S, .tag = topic, .title = heading, .text = kept_text, .successes = wins, \
	  .errors = read_errors }
#define CHANGE_AS(needs, verb, where, does, list, wins, fails, topic, heading, words) \
	{ .method = verb, .path = "/api/v1/" where, .name = does, .auth = AUTH_KEY, .scope = needs, .guards = GUARD_RATE | GUARD_COOLDOWN | GUARD_QUOTA, \
	  .body = BODY_JSON, .selector = &selector_messages, .family = FAMILY_S, .flags = ROUTE_SLOW, .params = list, .params_count = COUNT(list), \
	  .tag = topic, .title = heading, .text = words, .successes = wins, .errors = fails }
#define CHANGE(verb, where, does, list, wins, fails, topic, heading, words) \
	CHANGE_AS(SCOPE_SEND, verb, where, does, list, wins, fails, topic, heading, words)
#define LABEL(verb, where, does, list, wins, fails, heading) CHANGE(verb, "labels" where, does, list, wins, fails, "Labels", heading, change_text)
#define CHAT(verb, where, does, list, wins, fails, heading) CHANGE(verb, "chats/{chatId}" where, does, list, wins, fails, "Chats", heading, chat_text)

static const struct route routes[] = {
	READ_ALL("labels", "labels.list", labels_done, "Labels", "List the labels"),
	LABEL("POST", "", "labels.create", create_params, create_done, create_errors, "Create a label"),
	LABEL("POST", "/{labelId}", "labels.edit", edit_params, edit_done, edit_errors, "Rename or recolour a label"),
	LABEL("DELETE", "/{labelId}", "labels.delete", label_params, delete_done, label_errors, "Delete a label"),
	READ("labels/{labelId}/chats", "labels.members", label_params, members_done, members_errors, "Labels", "List what has a label"),
	LABEL("POST", "/{labelId}/chats", "labels.chat.add", chat_label_params, chat_on_done, chat_label_errors, "Put a label on a chat"),
	LABEL("DELETE", "/{labelId}/chats", "labels.chat.remove", chat_label_params, chat_off_done, chat_label_errors, "Take a label off a chat"),
	LABEL("POST", "/{labelId}/messages", "labels.message.add", message_label_params, message_on_done, message_label_errors,
	      "Put a label on a message"),
	LABEL("DELETE", "/{labelId}/messages", "labels.message.remove", message_label_params, message_off_done, message_label_errors,
	      "Take a label off a message"),
	READ_ALL("quick-replies", "quick_replies.list", replies_done, "Labels", "List the quick replies"),
	CHANGE("POST", "quick-replies", "quick_replies.create", reply_params, reply_done, reply_errors, "Labels", "Create a quick reply", change_text),
	CHANGE("DELETE", "quick-replies/{quickReplyId}", "quick_replies.delete", reply_id_params, reply_gone_done, reply_gone_errors, "Labels",
	       "Delete a quick reply", change_text),
	READ_ALL("account/settings", "account.settings", settings_done, "Chats", "Read the settings that all devices share"),
	CHANGE_AS(SCOPE_MANAGE, "POST", "account/settings", "account.settings.change", setting_params, setting_done, setting_errors, "Chats",
	       "Change a setting that all devices share", chat_text),
	CHAT("POST", "/unread", "chats.unread", unread_params, unread_done, chat_errors, "Mark a chat as unread"),
	CHAT("DELETE", "", "chats.delete", delete_params, chat_gone_done, chat_errors, "Delete a chat"),
	CHAT("POST", "/lock", "chats.lock", lock_params, lock_done, lock_errors, "Lock or unlock a chat"),
	CHAT("POST", "/status-mute", "chats.status_mute", mute_params, mute_done, mute_errors, "Mute or unmute a person's status updates"),
};

extern const struct route_group shared_routes;
const struct route_group shared_routes = { routes, COUNT(routes) };
