/* SPDX-License-Identifier: GPL-3.0-or-later */
/* /api/v1/community: groups of groups, which the original lacks. In the style of its group routes. */
#include "fcgi/group_params.h"

#define BASE "sessionId phone communityId "
#define REFUSED(text) { 502, 2800, "<library text> or " text }
#define NO_COMMUNITY { 400, 2001, "communityId is required" }
#define COMMUNITY_ID \
	{ .name = "communityId", .aliases = { "cid", "community" }, .in = GROUP_PLACES, .kind = PARAM_STRING, .type = "string", .required = true, \
	  .missing = NO_COMMUNITY, .note = "120363..@g.us; @g.us may be left out" }

static const struct param community_params[] = { COMMUNITY_ID };

static const struct param create_params[] = {
	{ .name = "communityName", .aliases = { "name", "subject" }, .in = GROUP_PLACES, .kind = PARAM_STRING, .type = "string", .required = true,
	  .missing = { 400, 2001, "communityName is required" }, .note = "at most 100 characters" },
	{ .name = "description", .aliases = { "desc" }, .in = GROUP_PLACES, .kind = PARAM_STRING, .type = "string", .note = "at most 2048 characters" },
};
GROUP_DONE(create, "Community created", BASE);
static const struct fault create_errors[] = { { 400, 2001, "communityName is required" }, { 400, 2002, "communityName is longer than 100 characters" },
	{ 500, 8000, "<library text> or Failed to create community" }, { 502, 2800, "<no answer of WhatsApp>" }, { 0 } };

static const struct param group_params[] = {
	COMMUNITY_ID,
	{ .name = "groupName", .aliases = { "name", "subject" }, .in = GROUP_PLACES, .kind = PARAM_STRING, .type = "string", .required = true,
	  .missing = { 400, 2001, "groupName is required" }, .note = "at most 100 characters" },
	{ .name = "participants", .in = { PLACE_BODY }, .kind = PARAM_STRINGS, .type = "array", .fallback = "[]", .note = PEOPLE_NOTE },
};
GROUP_DONE(group, "Group created", BASE "groupId " PERSON_FIELDS);
static const struct fault group_errors[] = { NO_COMMUNITY, { 400, 2001, "groupName is required" }, { 500, 8000, "<library text> or Failed to create group" }, { 0 } };

GROUP_DONE(info, "Community info", BASE META_FIELDS("data."));
static const struct fault info_errors[] = { NO_COMMUNITY, { 400, 2002, "communityId is a group, not a community" }, REFUSED("Failed to fetch the community"), { 0 } };
GROUP_DONE(groups, "Community groups fetched", BASE "groups[].id groups[].subject groups[].creation? groups[].isCommunityAnnounce groups[].isGeneralChat groups[].participantsCount");
static const struct fault groups_errors[] = { NO_COMMUNITY, REFUSED("Failed to fetch the groups of the community"), { 0 } };
GROUP_DONE(people, "Community participants fetched", BASE "participants[].id participants[].jid participants[].lid");
static const struct fault people_errors[] = { NO_COMMUNITY, REFUSED("Failed to fetch the participants of the community"), { 0 } };

#define NO_GROUPS { 400, 2001, "groups is required" }
#define GROUPS \
	{ .name = "groups", .aliases = { "groupId" }, .in = { PLACE_BODY }, .kind = PARAM_STRINGS, .type = "array", .required = true, .missing = NO_GROUPS, \
	  .note = "ids of at most 100 groups" }
static const struct param link_params[] = { COMMUNITY_ID, GROUPS };
static const struct param unlink_params[] = {
	COMMUNITY_ID,
	GROUPS,
	{ .name = "removeOrphanedMembers", .in = { PLACE_BODY }, .kind = PARAM_BOOL, .type = "boolean", .fallback = "false",
	  .note = "members who are in no other group of the community leave it" },
};
#define LINKED BASE "groups[].groupId groups[].status groups[].code groups[].reason? status"
static const struct success link_done[] = { { 200, 1000, "Groups linked", LINKED }, { 207, 1004, "Some groups failed to link", NULL }, { 0 } };
static const struct success unlink_done[] = { { 200, 1000, "Groups unlinked", LINKED }, { 207, 1004, "Some groups failed to unlink", NULL }, { 0 } };
static const struct fault link_errors[] = { NO_COMMUNITY, NO_GROUPS, { 400, 2002, "groups must be group ids" }, REFUSED("Failed to link groups"), { 0 } };
static const struct fault unlink_errors[] = { NO_COMMUNITY, NO_GROUPS, { 400, 2002, "groups must be group ids" }, REFUSED("Failed to unlink groups"), { 0 } };

GROUP_DONE(delete, "Community deactivated", BASE "status");
static const struct fault delete_errors[] = { NO_COMMUNITY, REFUSED("Failed to deactivate the community"), { 0 } };

#define GET(where, does, x, heading, words) \
	{ GROUP_ROUTE("GET", "community/" where, does, BODY_NONE, 0), .scope = SCOPE_READ, .params = community_params, .params_count = COUNT(community_params), \
	  .successes = x##_done, .errors = x##_errors, .tag = "Communities", .title = heading, .text = words }
#define DO(verb, where, does, x, heading, words) \
	{ GROUP_ROUTE(verb, "community/" where, does, BODY_JSON, 0), .scope = SCOPE_MANAGE, GROUP_PARTS(x), .tag = "Communities", .title = heading, .text = words }

static const struct route routes[] = {
	DO("POST", "create", "community.create", create, "Create a community", "WhatsApp makes its announcement group and its general chat with it."),
	GET("info", "community.info", info, "A community", "As group/info shows it."),
	GET("groups", "community.groups", groups, "The groups of a community", "With its announcement group and its general chat."),
	GET("participants", "community.participants", people, "The participants of a community", "Of all its groups."),
	DO("POST", "group/create", "community.group.create", group, "Create a group in a community", "participants tells what became of each."),
	DO("POST", "link", "community.link", link, "Link groups to a community", "The account has to be an admin of both."),
	DO("POST", "unlink", "community.unlink", unlink, "Unlink groups from a community", "The groups go on without it."),
	{ GROUP_ROUTE("DELETE", "community/delete", "community.delete", BODY_JSON, 0), .scope = SCOPE_MANAGE, .params = community_params, .params_count = COUNT(community_params),
	  .successes = delete_done, .errors = delete_errors, .tag = "Communities", .title = "Deactivate a community", .text = "Its groups go on without it." },
};

extern const struct route_group community_routes;
const struct route_group community_routes = { routes, COUNT(routes) };
