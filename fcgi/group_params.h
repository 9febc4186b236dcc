/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the entries of the group and community routes share (contract rest-b 3). */
#ifndef FCGI_GROUP_PARAMS_H
#define FCGI_GROUP_PARAMS_H

#include "fcgi/route.h"

#define GROUP_PLACES { PLACE_BODY, PLACE_QUERY }
#define NO_GROUP { 400, 2001, "groupId is required" }
#define NO_PEOPLE { 400, 2001, "participants is required" }
#define GROUP_INTERNAL \
	{ 500, 8000, "<library text> or Internal error" }, { 502, 2800, "<no answer of WhatsApp, or one that cannot be read>" }

#define GROUP_ID \
	{ .name = "groupId", .aliases = { "gid", "group" }, .in = GROUP_PLACES, .kind = PARAM_STRING, .type = "string", .required = true, \
	  .missing = NO_GROUP, .note = "120363..@g.us; @g.us may be left out" }
#define GROUP_LINK \
	{ .name = "inviteLink", .aliases = { "link", "code" }, .in = GROUP_PLACES, .kind = PARAM_STRING, .type = "string", .required = true, \
	  .missing = { 400, 2001, "inviteLink is required" }, .note = "https://chat.whatsapp.com/<code>, or the code" }
#define PEOPLE(must, note_text) \
	{ .name = "participants", .in = { PLACE_BODY }, .kind = PARAM_STRINGS, .type = "array", .required = must, .missing = NO_PEOPLE, .note = note_text }
#define PEOPLE_NOTE "array of phone numbers, JIDs, LIDs; a text with commas is understood, too"

#define META_FIELDS(at) \
	at "id " at "addressingMode? " at "subject " at "subjectOwner? " at "subjectOwnerJid? " at "subjectTime? " at "creation? " at "owner? " \
	at "ownerJid? " at "owner_country_code? " at "desc? " at "descId? " at "descOwner? " at "descOwnerJid? " at "descTime? " at "linkedParent? " \
	at "restrict? " at "announce? " at "isCommunity? " at "isCommunityAnnounce? " at "joinApprovalMode? " at "memberAddMode? " \
	at "ephemeralDuration? " at "participantsCount"
#define PERSON_FIELDS \
	"participants[].input participants[].phone participants[].jid participants[].lid participants[].status participants[].code " \
	"participants[].reason? participants[].inviteCode? participants[].inviteExpiration?"

/* The scope is the route's own. */
#define GROUP_ROUTE(verb, where, does, kind_of_body, more_flags) \
	.method = verb, .path = "/api/v1/" where, .name = does, .auth = AUTH_KEY, .guards = GUARD_RATE, .body = kind_of_body, \
	.selector = &selector_groups, .family = FAMILY_A, .flags = ROUTE_SLOW | (more_flags)
#define GROUP_PARTS(x) .params = x##_params, .params_count = COUNT(x##_params), .successes = x##_done, .errors = x##_errors
#define GROUP_DONE(x, text, fields) static const struct success x##_done[] = { { 200, 1000, text, fields }, { 0 } }

#endif
