/* SPDX-License-Identifier: GPL-3.0-or-later */
/* /api/v1/groups, /api/v1/group: looking, settings, the picture (contract rest-b 3). */
#include "fcgi/answer.h"
#include "fcgi/group_params.h"
#include "fcgi/request.h"
#include "fcgi/upload.h"

#define BASE "sessionId phone groupId "
#define FLAG(x, called, alias, on_off, missing_text, invalid_text) \
	static const struct param x##_params[] = { \
		GROUP_ID, \
		{ .name = called, .aliases = { alias }, .in = GROUP_PLACES, .kind = PARAM_BOOL, .type = "boolean", .required = true, \
		  .missing = { 400, 2001, missing_text }, .invalid = { 400, 2002, invalid_text }, .note = on_off }, \
	}

/* ---- looking ---- */

GROUP_DONE(list, "Groups list fetched", "sessionId phone " META_FIELDS("data[]."));
static const struct fault list_errors[] = { GROUP_INTERNAL, { 0 } };

static const struct param group_params[] = { GROUP_ID };
static const struct fault group_errors[] = { NO_GROUP, GROUP_INTERNAL, { 0 } };
GROUP_DONE(info, "Group info", "sessionId phone " META_FIELDS("data."));
GROUP_DONE(members, "Participants fetched", BASE "participants[].id participants[].jid participants[].lid participants[].isMe participants[].isAdmin participants[].isSuperAdmin");
GROUP_DONE(requests, "Join requests fetched", BASE "joinRequests[].jid joinRequests[].lid joinRequests[].phone joinRequests[].requestMethod joinRequests[].requestTime");
GROUP_DONE(picture, "Group picture", BASE "pictureUrl");
GROUP_DONE(invite, "Invite link fetched", BASE "inviteLink");

/* ---- settings ---- */

#define REFUSED(text) { 502, 2800, "<library text> or " text }

static const struct param name_params[] = {
	GROUP_ID,
	{ .name = "groupName", .aliases = { "name", "subject" }, .in = GROUP_PLACES, .kind = PARAM_STRING, .type = "string", .required = true,
	  .missing = { 400, 2001, "groupName is required" }, .note = "at most 100 characters" },
};
GROUP_DONE(name, "Group name updated", BASE "groupName status");
static const struct fault name_errors[] = { NO_GROUP, { 400, 2001, "groupName is required" }, { 400, 2002, "groupName is longer than 100 characters" },
	GROUP_INTERNAL, REFUSED("Failed to update group name"), { 0 } };

static const struct param description_params[] = {
	GROUP_ID,
	{ .name = "groupDescription", .aliases = { "description", "desc" }, .in = GROUP_PLACES, .kind = PARAM_STRING, .type = "string", .fallback = "\"\"",
	  .note = "at most 2048 characters; empty deletes it" },
};
GROUP_DONE(description, "Group description updated", BASE "groupDescription status");
static const struct fault description_errors[] = { NO_GROUP, { 400, 2002, "groupDescription is longer than 2048 characters" }, GROUP_INTERNAL,
	REFUSED("Failed to update group description"), { 0 } };

FLAG(locked, "locked", NULL, "true: only admins change name, picture and the like", "locked is required", "locked must be true or false");
GROUP_DONE(locked, "Group locked|Group unlocked", BASE "status");
static const struct fault locked_errors[] = { NO_GROUP, { 400, 2001, "locked is required" }, { 400, 2002, "locked must be true or false" }, GROUP_INTERNAL,
	REFUSED("Failed to set locked"), { 0 } };

FLAG(announcement, "announcement", NULL, "true: only admins write", "announcement is required", "announcement must be true or false");
GROUP_DONE(announcement, "Announcement mode enabled|Announcement mode disabled", BASE "status");
static const struct fault announcement_errors[] = { NO_GROUP, { 400, 2001, "announcement is required" },
	{ 400, 2002, "announcement must be true or false" }, GROUP_INTERNAL, REFUSED("Failed to set announcement"), { 0 } };

FLAG(member_add, "allMembers", "memberAddMode", "true: all members may add others; false: only admins", "allMembers is required",
     "allMembers must be true or false");
GROUP_DONE(member_add, "All members may add others|Only admins may add others", BASE "allMembers status");
static const struct fault member_add_errors[] = { NO_GROUP, { 400, 2001, "allMembers is required" }, { 400, 2002, "allMembers must be true or false" },
	REFUSED("Failed to set member add mode"), { 0 } };

FLAG(approval, "enabled", "joinApprovalMode", "true: admins approve who joins", "enabled is required", "enabled must be true or false");
GROUP_DONE(approval, "Join approval enabled|Join approval disabled", BASE "enabled status");
static const struct fault approval_errors[] = { NO_GROUP, { 400, 2001, "enabled is required" }, { 400, 2002, "enabled must be true or false" },
	REFUSED("Failed to set join approval"), { 0 } };

#define BAD_DURATION { 400, 2002, "duration is one of 0, 86400, 604800, 7776000" }
static const char *const durations[] = { "0", "86400", "604800", "7776000", NULL };
static const struct param ephemeral_params[] = {
	GROUP_ID,
	{ .name = "duration", .aliases = { "ephemeralDuration" }, .in = GROUP_PLACES, .kind = PARAM_ENUM, .type = "string", .required = true, .values = durations,
	  .missing = { 400, 2001, "duration is required" }, .invalid = BAD_DURATION, .note = "seconds until messages disappear; 0: they stay" },
};
GROUP_DONE(ephemeral, "Disappearing messages enabled|Disappearing messages disabled", BASE "duration status");
static const struct fault ephemeral_errors[] = { NO_GROUP, { 400, 2001, "duration is required" }, BAD_DURATION, REFUSED("Failed to set ephemeral"), { 0 } };

/* ---- the picture ---- */

#define NO_PICTURE { 400, 2001, "picture is required" }

static const struct upload_rules picture_rules = { .keys = { "picture", "image", "photo", "avatar" }, .invalid = NO_PICTURE, .too_large_code = 2006 };

static const struct param set_picture_params[] = {
	GROUP_ID,
	{ .name = "picture", .aliases = { "image", "photo", "avatar" }, .in = GROUP_PLACES, .kind = PARAM_DOCUMENT, .type = "string", .required = true,
	  .missing = NO_PICTURE, .note = "data URI, http(s) URL or base64; or a multipart file. It is cut to a square of 640 x 640" },
};

static int picture_prepare(struct request *r, struct buf *p, struct answer *answer)
{
	return upload_put_one(r, &picture_rules, p, answer);
}

GROUP_DONE(set_picture, "Group picture updated", BASE "pictureUrl status");
static const struct fault set_picture_errors[] = {
	NO_GROUP, NO_PICTURE, { 400, 2002, "picture is invalid or unreadable" }, { 413, 2006, "input exceeds limit (50.0 MB)" }, GROUP_INTERNAL,
	REFUSED("Failed to update group picture"), { 503, 8001, "The media worker is not available" }, { 0 },
};
static const struct success no_picture_done[] = {
	{ 200, 1000, "Group picture removed", BASE "status" }, { 207, 1004, "Failed to remove group picture", NULL }, { 0 }
};

#define LOOK(where, does, wins, heading, words) \
	{ GROUP_ROUTE("GET", where, does, BODY_NONE, 0), .scope = SCOPE_READ, .params = group_params, .params_count = COUNT(group_params), .successes = wins, \
	  .errors = group_errors, .tag = "Groups", .title = heading, .text = words }
#define SET(where, does, x, heading, words) \
	{ GROUP_ROUTE("POST", where, does, BODY_JSON, 0), .scope = SCOPE_MANAGE, GROUP_PARTS(x), .tag = "Groups", .title = heading, .text = words }

static const struct route routes[] = {
	{ GROUP_ROUTE("GET", "groups", "groups.list", BODY_NONE, 0), .scope = SCOPE_READ, .successes = list_done, .errors = list_errors, .tag = "Groups", .title = "All groups",
	  .text = "The groups that the account is in, without their members. What WhatsApp refuses to show is an empty list." },
	LOOK("group/info", "group.info", info_done, "A group", "Its settings and who made it."),
	LOOK("group/participants", "group.participants.list", members_done, "The members of a group",
	     "id as the group addresses them, jid with the phone number, lid; null where a form is not known."),
	LOOK("group/participants/requests", "group.participants.requests", requests_done, "Who asks to join a group",
	     "Empty for those who may not see it."),
	LOOK("group/picture", "group.picture.get", picture_done, "The picture of a group", "Its address at WhatsApp; null without one."),
	LOOK("group/invite", "group.invite.get", invite_done, "The invite link of a group", "null for those who may not see it."),
	SET("group/name", "group.name", name, "Rename a group", "For everybody in it."),
	SET("group/description", "group.description", description, "Describe a group", "Replaces the description; an empty one deletes it."),
	SET("group/locked", "group.locked", locked, "Who may change a group", "All members, or admins only."),
	SET("group/announcement", "group.announcement", announcement, "Who may write in a group", "All members, or admins only."),
	SET("group/member-add-mode", "group.member_add_mode", member_add, "Who may add others to a group", "All members, or admins only."),
	SET("group/join-approval", "group.join_approval", approval, "Whether admins approve who joins a group",
	    "Then those who join by link wait: see participants/requests, request/approve, request/reject."),
	SET("group/ephemeral", "group.ephemeral", ephemeral, "Disappearing messages of a group", "From now on; what was written before stays."),
	{ GROUP_ROUTE("POST", "group/picture", "group.picture.set", BODY_UPLOAD, ROUTE_MISC_FILES), .scope = SCOPE_MANAGE, GROUP_PARTS(set_picture), .prepare = picture_prepare,
	  .tag = "Groups", .title = "Set the picture of a group", .text = "It is decoded in the media worker, cut to a square and scaled to 640 x 640 pixels." },
	{ GROUP_ROUTE("DELETE", "group/picture", "group.picture.remove", BODY_JSON, 0), .scope = SCOPE_MANAGE, .params = group_params, .params_count = COUNT(group_params),
	  .successes = no_picture_done, .errors = group_errors, .tag = "Groups", .title = "Remove the picture of a group",
	  .text = "For everybody in it." },
};

extern const struct route_group group_routes;
const struct route_group group_routes = { routes, COUNT(routes) };
