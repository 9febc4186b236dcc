/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * /api/v1/profile: the account's own profile, privacy and block list, what it can learn about others, presence and calls (contract rest-b 4; the
 * routes behind "ours" are additions in the same style).
 */
#include "fcgi/answer.h"
#include "fcgi/json_out.h"
#include "fcgi/request.h"
#include "fcgi/upload.h"

#define BODY_QUERY { PLACE_BODY, PLACE_QUERY }
#define QUERY_BODY { PLACE_QUERY, PLACE_BODY }
#define INTERNAL { 500, 8000, "<library text> or Internal error" }
#define FAILED(TEXT) { 502, 2800, "<library text> or " TEXT }
#define NO_ANSWER FAILED("WhatsApp did not answer"), INTERNAL
#define NUMBERS_MISSING { 400, 2001, "checkNumbers is required" }

/* ---- parameters ---- */

#define NUMBERS_PARAM                                                                                                             \
	{ .name = "checkNumbers", .aliases = { "checkNumber", "number", "phone" }, .in = BODY_QUERY, .kind = PARAM_STRINGS,          \
	  .type = "string|array", .required = true, .missing = NUMBERS_MISSING, .invalid = NUMBERS_MISSING, .note = "comma-separated, repeated or an array; at most 500" }
#define DEEP_PARAM \
	{ .name = "deep", .in = QUERY_BODY, .kind = PARAM_BOOL, .type = "boolean", .fallback = "false", .note = "picture, about and business profile, too" }
#define PERSON_PARAM(NAME, TEXT)                                                                                                                        \
	{ .name = NAME, .aliases = { "contact", "chatId" }, .in = BODY_QUERY, .kind = PARAM_RECIPIENT, .type = "string", .required = true, \
	  .missing = { 400, 2001, NAME " is required" }, .invalid = { 400, 2002, NAME " is invalid" }, .note = TEXT }

static const char *const contact_types[] = { "contacts", "groups", NULL };
static const char *const presences[] = { "available", "unavailable", "composing", "recording", "paused", NULL };

static const struct param picture_params[] = {
	{ .name = "picture", .aliases = { "image", "photo", "avatar" }, .in = BODY_QUERY, .kind = PARAM_DOCUMENT, .type = "string", .required = true,
	  .note = "data:image/* URI, http(s) URL, base64 or a multipart file; cut to a square and scaled to 640 x 640" },
};
static const struct param contacts_params[] = {
	{ .name = "type", .in = QUERY_BODY, .kind = PARAM_ENUM, .type = "string", .fallback = "\"contacts\"", .values = contact_types,
	  .note = "groups: the people in groups" },
	DEEP_PARAM,
	{ .name = "groupIds", .in = BODY_QUERY, .kind = PARAM_STRINGS, .type = "string|array", .note = "of these groups alone" },
	{ .name = "limit", .in = QUERY_BODY, .kind = PARAM_NUMBER, .type = "integer", .fallback = "15", .min = 1, .max = 1000 },
	{ .name = "offset", .in = QUERY_BODY, .kind = PARAM_NUMBER, .type = "integer", .fallback = "0", .max = 1000000 },
};
static const struct param lookup_params[] = { NUMBERS_PARAM, DEEP_PARAM };
static const struct param business_params[] = { NUMBERS_PARAM };
static const struct param name_params[] = {
	{ .name = "name", .aliases = { "pushName" }, .in = BODY_QUERY, .kind = PARAM_STRING, .type = "string", .required = true,
	  .missing = { 400, 2001, "name is required" }, .note = "at most 25 characters" },
};
static const struct param about_params[] = {
	{ .name = "about", .aliases = { "text" }, .in = BODY_QUERY, .kind = PARAM_VERBATIM, .type = "string", .required = true,
	  .missing = { 400, 2001, "about is required" }, .note = "at most 139 characters; empty: none" },
};
static const struct param privacy_params[] = {
	{ .name = "category", .in = BODY_QUERY, .kind = PARAM_STRING, .type = "string", .required = true, .missing = { 400, 2001, "category is required" },
	  .note = "readReceipts, profilePhoto, status, online, lastSeen, groupAdd, callAdd, stickers, messages, defense; or WhatsApp's own name" },
	{ .name = "value", .in = BODY_QUERY, .kind = PARAM_STRING, .type = "string", .required = true, .missing = { 400, 2001, "value is required" },
	  .note = "lastSeen, profilePhoto, status, groupAdd: all, contacts, contact_blacklist, none; online: all, match_last_seen; readReceipts: all, none; "
		  "callAdd: all, known; messages: all, contacts; defense: off, on_standard; stickers: contacts, contact_allowlist, none" },
	{ .name = "disallow", .in = { PLACE_BODY }, .kind = PARAM_RECIPIENTS, .type = "string|array", .invalid = { 400, 2002, "disallow is invalid" },
	  .note = "contact_blacklist: people who are put on its list" },
	{ .name = "allow", .in = { PLACE_BODY }, .kind = PARAM_RECIPIENTS, .type = "string|array", .invalid = { 400, 2002, "allow is invalid" },
	  .note = "contact_blacklist: people who are taken off its list" },
};
static const struct param block_params[] = { PERSON_PARAM("jid", "phone number, JID or LID") };
static const struct param catalog_params[] = {
	{ .name = "jid", .aliases = { "checkNumber" }, .in = QUERY_BODY, .kind = PARAM_RECIPIENT, .type = "string", .required = true, .missing = { 400, 2001, "jid is required" },
	  .invalid = { 400, 2002, "jid is invalid" }, .note = "of the business" },
	{ .name = "limit", .in = QUERY_BODY, .kind = PARAM_NUMBER, .type = "integer", .fallback = "10", .min = 1, .max = 100 },
	{ .name = "cursor", .in = QUERY_BODY, .kind = PARAM_STRING, .type = "string", .note = "next of the page before" },
};
static const struct param presence_params[] = {
	{ .name = "presence", .aliases = { "state" }, .in = BODY_QUERY, .kind = PARAM_ENUM, .type = "string", .required = true, .values = presences,
	  .missing = { 400, 2001, "presence is required" },
	  .invalid = { 400, 2002, "presence must be available, unavailable, composing, recording or paused" } },
	{ .name = "to", .in = BODY_QUERY, .kind = PARAM_RECIPIENT, .type = "string", .invalid = { 400, 2002, "to is invalid" },
	  .note = "the chat of composing, recording and paused" },
};
static const struct param subscribe_params[] = { PERSON_PARAM("jid", "person or group") };
static const struct param timer_params[] = {
	{ .name = "duration", .in = BODY_QUERY, .kind = PARAM_NUMBER, .type = "integer", .required = true, .missing = { 400, 2001, "duration is required" },
	  .invalid = { 400, 2002, "duration must be 0, 86400, 604800 or 7776000" }, .note = "seconds: 0 (off), 86400, 604800 or 7776000" },
};
static const struct param contact_params[] = {
	PERSON_PARAM("jid", "phone number or JID"),
	{ .name = "name", .aliases = { "fullName" }, .in = BODY_QUERY, .kind = PARAM_STRING, .type = "string", .required = true,
	  .missing = { 400, 2001, "name is required" }, .note = "at most 100 characters" },
	{ .name = "firstName", .in = BODY_QUERY, .kind = PARAM_STRING, .type = "string", .note = "default: the first word of name" },
};
static const struct param contact_gone_params[] = { PERSON_PARAM("jid", "phone number or JID") };
static const struct param calls_params[] = {
	{ .name = "reject", .in = BODY_QUERY, .kind = PARAM_BOOL, .type = "boolean", .invalid = { 400, 2002, "reject must be true or false" },
	  .note = "absent: as WAREST_CALL_REJECT and WAREST_CALL_REJECT_TEXT say" },
	{ .name = "message", .in = BODY_QUERY, .kind = PARAM_STRING, .type = "string", .note = "a refused caller is written this; absent: nothing. At most 4096 characters" },
};
static const struct param reject_params[] = {
	{ .name = "callId", .in = BODY_QUERY, .kind = PARAM_STRING, .type = "string", .required = true, .missing = { 400, 2001, "callId is required" },
	  .note = "calls[].id of the event" },
	{ .name = "from", .aliases = { "jid", "callFrom" }, .in = BODY_QUERY, .kind = PARAM_RECIPIENT, .type = "string", .required = true,
	  .missing = { 400, 2001, "from is required" }, .invalid = { 400, 2002, "from is invalid" }, .note = "calls[].from of the event" },
};

/* ---- the picture ---- */

static const struct upload_rules picture_rules = {
	.keys = { "picture", "image", "photo", "avatar" }, .invalid = { 400, 2001, "picture is required" }, .too_large_code = 2006,
};

static int prepare_picture(struct request *r, struct buf *p, struct answer *answer)
{
	for (size_t i = 0; picture_rules.keys[i]; i++) {
		const struct json *v = json_get(r->query, picture_rules.keys[i]);

		if ((r->body && json_get(r->body, picture_rules.keys[i])) || !v || v->type != JSON_STRING || !v->text.n)
			continue;
		upload_put_optional(r, v, p);
		return 0;
	}
	return upload_put_one(r, &picture_rules, p, answer);
}

/* ---- answers ---- */

#define PICTURE_FIELDS "phone url id type imgFull imgPreview"
#define PRIVACY_FIELDS "phone readReceipts profilePhoto status online lastSeen groupAdd callAdd stikers stickers messages"
#define BUSINESS_FIELDS(AT)                                                                                                                   \
	AT "jid? " AT "phone? " AT "email? " AT "address? " AT "categories[]? " AT "businessHoursTimezone? " AT "businessHours[].day_of_week? " AT \
	   "businessHours[].mode? " AT "businessHours[].open_time? " AT "businessHours[].close_time? " AT "description? " AT "websites[]? " AT "wid?"

#define WIN(variable, text, fields) static const struct success variable[] = { { 200, 1000, text, fields }, { 0 } }

WIN(info_won, "Profile info",
    "phone verifiedName pushName about pictureId businessProfile " BUSINESS_FIELDS("businessProfile.")
    " entries.User entries.Agent entries.Device entries.Server profilePicture.url profilePicture.id profilePicture.type profilePicture.imgFull "
    "profilePicture.imgPreview");
WIN(picture_won, "Profile picture", PICTURE_FIELDS);
WIN(set_picture_won, "Profile picture updated", PICTURE_FIELDS);
WIN(no_picture_won, "Profile picture removed", NULL);
WIN(privacy_won, "Privacy settings", PRIVACY_FIELDS);
WIN(contacts_won, "Contacts list",
    "phone data[].jid data[].lid data[].phone data[].name data[].verifiedName? data[].picture.full data[].picture.preview data[].about? "
    "data[].businessProfile?");
WIN(lookup_won, "Lookup complete",
    "data.jid data.lid data.phone data.isOnWhatsApp data.picture.full data.picture.preview data.about? data.businessProfile?");
WIN(business_won, "Business profile info", BUSINESS_FIELDS(""));
WIN(name_won, "Profile name updated", "sessionId phone name");
WIN(about_won, "Profile about updated", "sessionId phone about");
WIN(set_privacy_won, "Privacy setting updated", PRIVACY_FIELDS);
WIN(blocklist_won, "Block list", "sessionId phone data[].jid data[].lid data[].phone");
WIN(block_won, "Contact blocked", "sessionId phone jid lid blocked");
WIN(unblock_won, "Contact unblocked", "sessionId phone jid lid blocked");
WIN(catalog_won, "Business catalog",
    "sessionId phone jid products[].id products[].name products[].description products[].retailerId products[].url products[].priceThousandths "
    "products[].currency products[].reviewStatus products[].imageUrl products[].originalImageUrl products[].isHidden next");
WIN(presence_won, "Presence updated", "sessionId phone presence to");
WIN(subscribe_won, "Subscribed to presence", "sessionId phone jid");
WIN(timer_won, "Default disappearing timer updated", "sessionId phone duration");
WIN(contact_won, "Contact saved", "sessionId phone jid lid name firstName");
WIN(contact_gone_won, "Contact removed", "sessionId phone jid lid");
WIN(calls_won, "Call settings", "sessionId phone reject message own");
WIN(set_calls_won, "Call settings updated", "sessionId phone reject message own");
WIN(reject_won, "Call rejected", "sessionId phone callId from");

#define CHANGE_ERRORS                                                                                                                              \
	{ 409, 1106, "The session is not linked to an account" }, { 429, 2400, "WhatsApp has not taken the change: <reason>" },                    \
	{ 502, 2800, "WhatsApp has not taken the change: <reason>" }, { 503, 8001, "WhatsApp has not taken the change: <reason>" }, INTERNAL
#define LOSE(variable, ...) static const struct fault variable[] = { __VA_ARGS__, { 0 } }
#define NO_LID { 404, 2600, "Not on WhatsApp" }
#define JID_ERRORS { 400, 2001, "jid is required" }, { 400, 2002, "jid is invalid" }
#define PEOPLE_ONLY { 400, 2002, "jid must be a person" }

LOSE(read_lost, NO_ANSWER);
LOSE(set_picture_lost, { 400, 2001, "picture is required" }, { 400, 2002, "picture is invalid or unreadable" },
     { 413, 2006, "input exceeds limit (50.0 MB)" }, FAILED("Failed to update profile picture"), INTERNAL, { 503, 8001, "The media worker is not available" });
LOSE(no_picture_lost, FAILED("Failed to remove profile picture"), INTERNAL);
LOSE(lookup_lost, NUMBERS_MISSING, { 400, 2002, "At most 500 numbers at a time" }, NO_ANSWER);
LOSE(name_lost, { 400, 2001, "name is required" }, { 400, 2002, "name may have at most 25 characters" }, CHANGE_ERRORS);
LOSE(about_lost, { 400, 2001, "about is required" }, { 400, 2002, "about may have at most 139 characters" }, FAILED("Failed to update about"), INTERNAL);
LOSE(set_privacy_lost, { 400, 2001, "category is required" }, { 400, 2001, "value is required" }, { 400, 2002, "Unknown privacy category" },
     { 400, 2002, "value must be one of <values>" }, { 400, 2002, "allow and disallow need contact_blacklist" }, { 400, 2002, "disallow is invalid" },
     { 400, 2002, "allow is invalid" }, NO_LID, { 409, 2009, "The list has changed meanwhile; try again" }, FAILED("Failed to update privacy setting"), INTERNAL);
LOSE(block_lost, JID_ERRORS, PEOPLE_ONLY, NO_LID, FAILED("Failed to block contact"), INTERNAL);
LOSE(unblock_lost, JID_ERRORS, PEOPLE_ONLY, NO_LID, FAILED("Failed to unblock contact"), INTERNAL);
LOSE(catalog_lost, JID_ERRORS, PEOPLE_ONLY, { 404, 2600, "No catalog" }, NO_ANSWER);
LOSE(presence_lost, { 400, 2001, "presence is required" }, { 400, 2002, "presence must be available, unavailable, composing, recording or paused" },
     { 400, 2001, "to is required" }, { 400, 2002, "to is invalid" }, NO_ANSWER);
LOSE(subscribe_lost, JID_ERRORS, NO_ANSWER);
LOSE(timer_lost, { 400, 2001, "duration is required" }, { 400, 2002, "duration must be 0, 86400, 604800 or 7776000" },
     FAILED("Failed to update the disappearing timer"), INTERNAL);
LOSE(contact_lost, JID_ERRORS, PEOPLE_ONLY, { 400, 2001, "name is required" }, { 400, 2002, "name may have at most 100 characters" }, NO_LID, CHANGE_ERRORS);
LOSE(contact_gone_lost, JID_ERRORS, PEOPLE_ONLY, NO_LID, CHANGE_ERRORS);
LOSE(calls_lost, INTERNAL);
LOSE(set_calls_lost, { 400, 2002, "reject must be true or false" }, { 400, 2002, "message may have at most 4096 characters" }, INTERNAL);
LOSE(reject_lost, { 400, 2001, "callId is required" }, { 400, 2002, "callId is invalid" }, { 400, 2001, "from is required" }, { 400, 2002, "from is invalid" },
     FAILED("Failed to reject call"), INTERNAL);

/* ---- table ---- */

#define COMMON(verb, where, does, wins, fails, heading, words)                                                                           \
	.method = verb, .path = "/api/v1/profile/" where, .name = does, .auth = AUTH_KEY, .guards = GUARD_RATE, .selector = &selector_profile, \
	.family = FAMILY_A, .tag = "Profile", .title = heading, .text = words, .successes = wins, .errors = fails
#define GET(where, does, wins, fails, heading, words) \
	{ COMMON("GET", where, does, wins, fails, heading, words), .scope = SCOPE_READ, .body = BODY_NONE, .flags = ROUTE_SLOW }
#define GET_WITH(where, does, list, wins, fails, heading, words) \
	{ COMMON("GET", where, does, wins, fails, heading, words), .scope = SCOPE_READ, .body = BODY_NONE, .flags = ROUTE_SLOW, .params = list, .params_count = COUNT(list) }
#define CHANGE_AS(needs, verb, where, does, list, wins, fails, heading, words) \
	{ COMMON(verb, where, does, wins, fails, heading, words), .scope = needs, .body = BODY_JSON, .flags = ROUTE_SLOW, .params = list, .params_count = COUNT(list) }
#define CHANGE(verb, where, does, list, wins, fails, heading, words) \
	CHANGE_AS(SCOPE_MANAGE, verb, where, does, list, wins, fails, heading, words)

static const char hidden_text[] = "What WhatsApp does not show is null; when it does not answer, the answer is 502.";
static const char shared_text[] = "Shared with all devices of the account: answers when WhatsApp has accepted the change.";

static const struct route routes[] = {
	GET("info", "profile.info", info_won, read_lost, "Read the own profile", hidden_text),
	GET("picture", "profile.picture", picture_won, read_lost, "Read the own picture", hidden_text),
	{ COMMON("POST", "picture", "profile.picture.set", set_picture_won, set_picture_lost, "Set the own picture",
		 "The picture is cut to a square and scaled in the media worker."), .scope = SCOPE_MANAGE, .body = BODY_UPLOAD,
	  .flags = ROUTE_SLOW | ROUTE_MISC_FILES, .params = picture_params, .params_count = COUNT(picture_params), .prepare = prepare_picture },
	{ COMMON("DELETE", "picture", "profile.picture.remove", no_picture_won, no_picture_lost, "Remove the own picture", "results stays empty."),
	  .scope = SCOPE_MANAGE, .body = BODY_JSON, .flags = ROUTE_SLOW },
	GET("privacy", "profile.privacy", privacy_won, read_lost, "Read the privacy settings",
	    "What WhatsApp does not tell is shown as its default. stikers and stickers are the same."),
	GET_WITH("list-contacts", "profile.contacts", contacts_params, contacts_won, read_lost, "List contacts or the people in groups", hidden_text),
	GET_WITH("on-whatsapp", "profile.on-whatsapp", lookup_params, lookup_won, lookup_lost, "Look numbers up",
		 "data is an object for one number, an array for several, in their order."),
	GET_WITH("business-profile", "profile.business", business_params, business_won, lookup_lost, "Read business profiles",
		 "One number: its profile; several: data, an array of such."),
	/* ours */
	CHANGE("POST", "name", "profile.name.set", name_params, name_won, name_lost, "Set the own name", shared_text),
	CHANGE("POST", "about", "profile.about.set", about_params, about_won, about_lost, "Set the own about text", "Shown to whom the privacy setting status lets."),
	CHANGE("POST", "privacy", "profile.privacy.set", privacy_params, set_privacy_won, set_privacy_lost, "Change a privacy setting",
	       "Answers all settings as they are then."),
	GET("blocklist", "profile.blocklist", blocklist_won, read_lost, "List whom the account has blocked", "jid and phone are null where only the LID is known."),
	CHANGE("POST", "block", "profile.block", block_params, block_won, block_lost, "Block somebody", "Their LID is looked up if it is not known."),
	CHANGE("POST", "unblock", "profile.unblock", block_params, unblock_won, unblock_lost, "Unblock somebody", "Also answers 200 for somebody who is not blocked."),
	GET_WITH("catalog", "profile.catalog", catalog_params, catalog_won, catalog_lost, "Read a business's catalogue", "Prices are in thousandths of the currency."),
	CHANGE_AS(SCOPE_SEND, "POST", "presence", "profile.presence.set", presence_params, presence_won, presence_lost, "Show a presence",
	       "available and unavailable are of the account; the others of a chat."),
	CHANGE_AS(SCOPE_SEND, "POST", "presence/subscribe", "profile.presence.subscribe", subscribe_params, subscribe_won, subscribe_lost, "Be told of a presence",
	       "Goes online; presence_update events follow, also after a reconnect."),
	CHANGE("POST", "disappearing", "profile.disappearing.set", timer_params, timer_won, timer_lost, "Set the timer of new chats",
	       "Messages of chats that begin from now on disappear after this time."),
	CHANGE("POST", "contact", "profile.contact.set", contact_params, contact_won, contact_lost, "Add or rename a contact", shared_text),
	CHANGE("DELETE", "contact", "profile.contact.remove", contact_gone_params, contact_gone_won, contact_gone_lost, "Remove a contact", shared_text),
	GET("calls", "profile.calls", calls_won, calls_lost, "Read what is done with calls", "own is false while the settings of the server hold."),
	CHANGE("POST", "calls", "profile.calls.set", calls_params, set_calls_won, set_calls_lost, "Change what is done with calls",
	       "Until the session is logged out. Calls that came while the session was offline are over and not refused."),
	CHANGE("POST", "calls/reject", "profile.calls.reject", reject_params, reject_won, reject_lost, "Refuse a call",
	       "Takes id and from of a call event with status offer. A call that is over is refused without an error."),
};

extern const struct route_group profile_routes;
const struct route_group profile_routes = { routes, COUNT(routes) };
