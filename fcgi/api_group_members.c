/* SPDX-License-Identifier: GPL-3.0-or-later */
/* /api/v1/group: members, links and invites, beginning and end; /api/v1/community (contract rest-b 3). */
#include "fcgi/answer.h"
#include "fcgi/group_params.h"
#include "fcgi/request.h"

#define BASE "sessionId phone groupId "
#define REFUSED(text) { 502, 2800, "<library text> or " text }

static const struct param group_params[] = { GROUP_ID };
static const struct param link_params[] = { GROUP_LINK };

/* ---- members ---- */

static const struct param people_params[] = { GROUP_ID, PEOPLE(true, PEOPLE_NOTE) };
static const struct fault people_errors[] = { NO_GROUP, NO_PEOPLE, GROUP_INTERNAL, { 0 } };

#define LISTS(x, text, partly, done, failed) \
	static const struct success x##_done[] = { \
		{ 200, 1000, text, BASE done "[] " failed "[] " PERSON_FIELDS " status" }, { 207, 1004, partly, NULL }, { 0 } \
	}
#define ENTRIES(x, text, partly) \
	static const struct success x##_done[] = { { 200, 1000, text, BASE PERSON_FIELDS " status" }, { 207, 1004, partly, NULL }, { 0 } }

LISTS(add, "Participants added", "Some participants failed to add", "addedParticipants", "failedToAdd");
LISTS(remove, "Participants removed", "Some participants failed to remove", "removedParticipants", "failedToRemove");
ENTRIES(promote, "Participants promoted", "Some participants failed to promote");
ENTRIES(demote, "Participants demoted", "Some participants failed to demote");
LISTS(approve, "Participants approved", "Some participants failed to approve", "approvedParticipants", "failedToApprove");
ENTRIES(reject, "Participants rejected", "Some participants failed to reject");

/* ---- beginning and end ---- */

static const struct param create_params[] = {
	{ .name = "groupName", .aliases = { "name", "subject" }, .in = GROUP_PLACES, .kind = PARAM_STRING, .type = "string", .required = true,
	  .missing = { 400, 2001, "groupName is required" }, .note = "at most 100 characters" },
	{ .name = "participants", .in = { PLACE_BODY }, .kind = PARAM_STRINGS, .type = "array", .fallback = "[]", .note = PEOPLE_NOTE },
	{ .name = "description", .in = { PLACE_BODY }, .kind = PARAM_STRING, .type = "string", .note = "at most 2048 characters" },
};
GROUP_DONE(create, "Group created", "sessionId phone groupId " PERSON_FIELDS);
static const struct fault create_errors[] = { { 400, 2001, "groupName is required" }, { 400, 2002, "groupName is longer than 100 characters" },
	{ 500, 8000, "<library text> or Failed to create group" }, { 502, 2800, "<no answer of WhatsApp>" }, { 0 } };

static const struct success leave_done[] = { { 200, 1000, "Left group", BASE "status" }, { 207, 1004, "Failed to leave group", NULL }, { 0 } };
static const struct fault group_errors[] = { NO_GROUP, GROUP_INTERNAL, { 0 } };
static const struct success delete_done[] = {
	{ 200, 1000, "Group disbanded", BASE "removedParticipants[] failedToRemove[] status" }, { 207, 1004, "Some members failed to remove", NULL }, { 0 }
};
static const struct fault delete_errors[] = { NO_GROUP, { 403, 2201, "Bot is not an admin in this group" }, GROUP_INTERNAL, { 0 } };

/* ---- links ---- */

#define NO_LINK { 400, 2001, "inviteLink is required" }
GROUP_DONE(preview, "Invite info fetched", "sessionId phone groupId groupName groupDescription participantsCount isGroupLocked isAnnouncement isEphemeral inviteLink groupPicture?");
static const struct fault preview_errors[] = { NO_LINK, GROUP_INTERNAL, { 0 } };
GROUP_DONE(join, "Joined group via link", "sessionId phone groupId? status");
static const struct fault join_errors[] = { NO_LINK, GROUP_INTERNAL, REFUSED("Failed to join via link"), { 0 } };
GROUP_DONE(link_info, "Invite info fetched", "sessionId phone " META_FIELDS("data."));
static const struct fault link_info_errors[] = { NO_LINK, REFUSED("Failed to fetch invite info"), { 0 } };
GROUP_DONE(revoke, "Invite link revoked", BASE "inviteLink status");

/* ---- invite messages ---- */

#define NO_CODE { 400, 2001, "inviteCode is required" }
#define NO_EXPIRY { 400, 2001, "inviteExpiration is required" }
#define NO_INVITER { 400, 2001, "inviter is required" }
#define BAD_INVITER { 400, 2002, "inviter must be the phone number or JID of who sent the invite" }
static const struct param invitation_params[] = {
	GROUP_ID,
	{ .name = "inviteCode", .in = GROUP_PLACES, .kind = PARAM_STRING, .type = "string", .required = true, .missing = NO_CODE, .note = "of the groupInviteMessage" },
	{ .name = "inviteExpiration", .in = GROUP_PLACES, .kind = PARAM_NUMBER, .type = "number", .required = true, .missing = NO_EXPIRY, .invalid = NO_EXPIRY,
	  .note = "of the groupInviteMessage, seconds" },
	{ .name = "inviter", .in = GROUP_PLACES, .kind = PARAM_STRING, .type = "string", .required = true, .missing = NO_INVITER, .note = "who sent it: phone number, JID or LID" },
};
GROUP_DONE(accept, "Joined group via invite message", BASE "status");
static const struct fault accept_errors[] = { NO_GROUP, NO_CODE, NO_EXPIRY, NO_INVITER, BAD_INVITER, REFUSED("Failed to accept the invite"), { 0 } };
static const struct fault invitation_errors[] = { NO_GROUP, NO_CODE, NO_EXPIRY, NO_INVITER, BAD_INVITER, REFUSED("Failed to fetch invite info"), { 0 } };
GROUP_DONE(take_back, "Invites revoked", BASE PERSON_FIELDS " status");
static const struct fault take_back_errors[] = { NO_GROUP, NO_PEOPLE, REFUSED("Failed to revoke the invites"), { 0 } };

#define GET(where, does, x, parameters, heading, words) \
	{ GROUP_ROUTE("GET", where, does, BODY_NONE, 0), .scope = SCOPE_READ, .params = parameters, .params_count = COUNT(parameters), .successes = x##_done, .errors = x##_errors, \
	  .tag = "Groups", .title = heading, .text = words }
#define DO(verb, where, does, parameters, wins, fails, heading, words) \
	{ GROUP_ROUTE(verb, where, does, BODY_JSON, 0), .scope = SCOPE_MANAGE, .params = parameters, .params_count = COUNT(parameters), .successes = wins, .errors = fails, \
	  .tag = "Groups", .title = heading, .text = words }
#define MEMBERS(verb, what, does, wins, heading, words) DO(verb, "group/participants/" what, "group.participants." does, people_params, wins, people_errors, heading, words)

static const char add_text[] =
	"participants tells for each of them what happened. Whose privacy settings refuse it has code 403 and may be sent an invite: "
	"inviteCode and inviteExpiration are parameters of messages/send/group-invite.";
static const char each_text[] = "participants tells for each of them what happened; 207 if it did not happen for all.";

static const struct route routes[] = {
	DO("POST", "group/create", "group.create", create_params, create_done, create_errors, "Create a group",
	   "With these members. Numbers that are not on WhatsApp are left out; participants tells what became of each."),
	DO("POST", "group/leave", "group.leave", group_params, leave_done, group_errors, "Leave a group", "Its other members stay."),
	DO("DELETE", "group/delete", "group.delete", group_params, delete_done, delete_errors, "Disband a group",
	   "Removes everybody else, resets the invite link, leaves. Only for admins."),
	MEMBERS("POST", "add", "add", add_done, "Add members", add_text),
	MEMBERS("DELETE", "remove", "remove", remove_done, "Remove members", each_text),
	MEMBERS("POST", "promote", "promote", promote_done, "Make members admins", each_text),
	MEMBERS("POST", "demote", "demote", demote_done, "Make admins plain members", each_text),
	MEMBERS("POST", "request/approve", "approve", approve_done, "Let those in who ask to join", each_text),
	MEMBERS("POST", "request/reject", "reject", reject_done, "Do not let those in who ask to join", each_text),
	GET("group/join-via-link", "group.join.info", preview, link_params, "What an invite link leads to",
	    "An unknown link answers 200 with null."),
	DO("POST", "group/join-via-link", "group.join", link_params, join_done, join_errors, "Join a group by its link",
	   "status says whether an admin has to approve first."),
	DO("POST", "group/invite/revoke", "group.invite.revoke", group_params, revoke_done, group_errors, "Reset the invite link of a group",
	   "The old link is worth nothing any more."),
	GET("group/invite/info", "group.invite.info", link_info, link_params, "The group behind an invite link", "As group/info shows it, without joining."),
	{ GROUP_ROUTE("GET", "group/invitation/info", "group.invitation.info", BODY_NONE, 0), .scope = SCOPE_READ, .params = invitation_params,
	  .params_count = COUNT(invitation_params), .successes = link_info_done, .errors = invitation_errors, .tag = "Groups",
	  .title = "The group behind an invite message", .text = "An invite that somebody sent to this account (groupInviteMessage)." },
	DO("POST", "group/invitation/accept", "group.invitation.accept", invitation_params, accept_done, accept_errors, "Accept an invite message",
	   "An invite that somebody sent to this account (groupInviteMessage)."),
	DO("POST", "group/invitation/revoke", "group.invitation.revoke", people_params, take_back_done, take_back_errors, "Take invite messages back",
	   "Those that were sent to these people."),
};

extern const struct route_group group_member_routes;
const struct route_group group_member_routes = { routes, COUNT(routes) };
