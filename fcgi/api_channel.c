/* SPDX-License-Identifier: GPL-3.0-or-later */
/* /api/v1/channels: channels (newsletters). Posting to one is a send like any other, to its JID. */
#include "fcgi/answer.h"
#include "fcgi/request.h"

#define QUERY { PLACE_QUERY, PLACE_BODY }
#define BAD_ID { 400, 2002, "channelId is invalid" }
#define SERVER_ERRORS \
	{ 403, 2201, "WhatsApp does not allow this" }, { 404, 2600, "Channel not found" }, { 429, 2400, "WhatsApp asks to wait" }, \
	{ 502, 2800, "WhatsApp refused it: <reason>" }, { 503, 8001, "The session is not connected" }, { 504, 2801, "WhatsApp has not answered" }

#define CHANNEL_ID \
	{ .name = "channelId", .in = { PLACE_PATH }, .kind = PARAM_STRING, .type = "string", .required = true, .missing = BAD_ID, \
	  .note = "JID of the channel, ends in @newsletter" }
#define NUMBER(NAME, FALLBACK, MOST, WORDS) \
	{ .name = NAME, .in = QUERY, .kind = PARAM_NUMBER, .type = "number", .fallback = FALLBACK, .min = 0, .max = MOST, .note = WORDS }
#define DESCRIPTION { .name = "description", .in = { PLACE_BODY }, .kind = PARAM_STRING, .type = "string" }

static const struct param id_params[] = { CHANNEL_ID };
static const struct param invite_params[] = {
	{ .name = "invite", .in = { PLACE_PATH }, .kind = PARAM_STRING, .type = "string", .required = true, .missing = { 400, 2002, "invite is invalid" },
	  .note = "what follows https://whatsapp.com/channel/" },
};
static const struct param create_params[] = {
	{ .name = "name", .in = { PLACE_BODY }, .kind = PARAM_STRING, .type = "string", .required = true, .missing = { 400, 2001, "name is required" } },
	DESCRIPTION,
	{ .name = "acceptTerms", .in = { PLACE_BODY }, .kind = PARAM_BOOL, .type = "boolean", .fallback = "false",
	  .note = "accepts WhatsApp's terms for channels in the name of the account; needed once" },
};
static const struct param edit_params[] = {
	CHANNEL_ID,
	{ .name = "name", .in = { PLACE_BODY }, .kind = PARAM_STRING, .type = "string" },
	DESCRIPTION,
};
static const struct param messages_params[] = {
	CHANNEL_ID,
	{ .name = "count", .in = QUERY, .kind = PARAM_NUMBER, .type = "number", .fallback = "50", .min = 1, .max = 300, .note = "at most so many" },
	NUMBER("before", "0", 9007199254740991.0, "serverId: only older ones; 0: the newest"),
};
static const struct param updates_params[] = {
	CHANNEL_ID,
	{ .name = "count", .in = QUERY, .kind = PARAM_NUMBER, .type = "number", .fallback = "50", .min = 1, .max = 300, .note = "at most so many" },
	NUMBER("after", "0", 9007199254740991.0, "serverId: only newer ones"),
	NUMBER("since", "0", 9007199254740991.0, "seconds since 1970: only what has changed since"),
};

#define CHANNEL_FIELDS(at) \
	at "channelId " at "name? " at "description? " at "handle? " at "invite? " at "link? " at "subscribers? " at "createdAt? " at "verification? " \
	at "state? " at "reactions? " at "picture.directPath? " at "role? " at "muted?"
#define POST_FIELDS "messages[].serverId messages[].messageId? messages[].type? messages[].timestamp? messages[].fromMe messages[].views? messages[].reactions"
#define SUCCESS(variable, text, fields) static const struct success variable[] = { { 200, 1000, text, "sessionId phone " fields }, { 0 } }

SUCCESS(list_done, "Channels", CHANNEL_FIELDS("channels[]."));
SUCCESS(info_done, "Channel", "channelId? " CHANNEL_FIELDS("channel."));
SUCCESS(create_done, "Channel created", CHANNEL_FIELDS("channel."));
SUCCESS(edit_done, "Channel changed", "channelId " CHANNEL_FIELDS("channel."));
SUCCESS(delete_done, "Channel deleted", "channelId deleted");
SUCCESS(follow_done, "Channel followed", "channelId following");
SUCCESS(unfollow_done, "Channel not followed any more", "channelId following");
SUCCESS(mute_done, "Channel muted", "channelId muted");
SUCCESS(unmute_done, "Channel unmuted", "channelId muted");
SUCCESS(messages_done, "Messages of the channel", "channelId " POST_FIELDS " messages[].message?");
SUCCESS(updates_done, "Counters of the channel's messages", "channelId " POST_FIELDS);
SUCCESS(live_done, "Live updates of the channel", "channelId seconds");

static const struct fault list_errors[] = { SERVER_ERRORS, { 0 } };
static const struct fault id_errors[] = { BAD_ID, SERVER_ERRORS, { 0 } };
static const struct fault invite_errors[] = { { 400, 2002, "invite is invalid" }, SERVER_ERRORS, { 0 } };
static const struct fault create_errors[] = {
	{ 400, 2001, "name is required" }, { 400, 2002, "name or description is too long" }, SERVER_ERRORS, { 0 }
};
static const struct fault edit_errors[] = {
	BAD_ID, { 400, 2002, "name or description is required" }, { 400, 2002, "name or description is too long" }, SERVER_ERRORS, { 0 }
};

static const char asked_text[] = "Asked of WhatsApp each time.";
static const char live_text[] =
	"For so many seconds WhatsApp tells of new counters (views, reactions) of the channel's messages; call again before they are over. They "
	"come as the event newsletter_post_update, new posts as newsletter_message; see WAREST_WEBHOOK_EVENTS.";
static const char updates_text[] = "Views and reactions of messages, without the messages.";
static const char done_text[] = "Answers when WhatsApp has accepted it.";

#define READ(where, does, list, wins, fails, heading, words) \
	{ .method = "GET", .path = "/api/v1/channels" where, .name = does, .auth = AUTH_KEY, .scope = SCOPE_READ, .guards = GUARD_RATE, .body = BODY_NONE, \
	  .selector = &selector_messages, .family = FAMILY_S, .flags = ROUTE_SLOW, .params = list, .params_count = COUNT(list), .tag = "Channels", \
	  .title = heading, .text = words, .successes = wins, .errors = fails }
#define CHANGE(verb, where, does, list, wins, fails, heading, words) \
	{ .method = verb, .path = "/api/v1/channels" where, .name = does, .auth = AUTH_KEY, .scope = SCOPE_MANAGE, .guards = GUARD_RATE | GUARD_COOLDOWN | GUARD_QUOTA, \
	  .body = BODY_JSON, .selector = &selector_messages, .family = FAMILY_S, .flags = ROUTE_SLOW, .params = list, .params_count = COUNT(list), \
	  .tag = "Channels", .title = heading, .text = words, .successes = wins, .errors = fails }

static const struct route routes[] = {
	{ .method = "GET", .path = "/api/v1/channels", .name = "channels.list", .auth = AUTH_KEY, .scope = SCOPE_READ, .guards = GUARD_RATE, .body = BODY_NONE,
	  .selector = &selector_messages, .family = FAMILY_S, .flags = ROUTE_SLOW, .tag = "Channels", .title = "List the channels of the account",
	  .text = asked_text, .successes = list_done, .errors = list_errors },
	CHANGE("POST", "", "channels.create", create_params, create_done, create_errors, "Create a channel", done_text),
	READ("/invite/{invite}", "channels.invite", invite_params, info_done, invite_errors, "Look a channel up by its invitation", asked_text),
	READ("/{channelId}", "channels.info", id_params, info_done, id_errors, "Look a channel up", asked_text),
	CHANGE("POST", "/{channelId}", "channels.edit", edit_params, edit_done, edit_errors, "Change a channel's name or description", done_text),
	CHANGE("DELETE", "/{channelId}", "channels.delete", id_params, delete_done, id_errors, "Delete a channel", done_text),
	CHANGE("POST", "/{channelId}/follow", "channels.follow", id_params, follow_done, id_errors, "Follow a channel", done_text),
	CHANGE("DELETE", "/{channelId}/follow", "channels.unfollow", id_params, unfollow_done, id_errors, "Stop following a channel", done_text),
	CHANGE("POST", "/{channelId}/mute", "channels.mute", id_params, mute_done, id_errors, "Mute a channel", done_text),
	CHANGE("POST", "/{channelId}/unmute", "channels.unmute", id_params, unmute_done, id_errors, "Unmute a channel", done_text),
	READ("/{channelId}/messages", "channels.messages", messages_params, messages_done, id_errors, "Read a channel's messages", asked_text),
	READ("/{channelId}/updates", "channels.updates", updates_params, updates_done, id_errors, "Read the counters of a channel's messages", updates_text),
	CHANGE("POST", "/{channelId}/live", "channels.live", id_params, live_done, id_errors, "Ask for live updates of a channel", live_text),
};

extern const struct route_group channel_routes;
const struct route_group channel_routes = { routes, COUNT(routes) };
