/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The choice of the session per router: names, places and refusals (contract rest-a 1.7). */
#include "fcgi/route.h"

#define NOT_FOUND { 404, 1101, "Session not found" }
#define FOREIGN { 403, 2201, "Forbidden" }
#define LOGIN_FIRST { 409, 1106, "Login required (scan QR or pairing)" }
#define BAD_ID { 400, 2002, "sessionId is invalid" }

const struct selector selector_session = {
	.name = "session",
	.ids = { "sessionId", "id", "session" },
	.in = { PLACE_QUERY, PLACE_BODY },
	.missing = { 400, 1100, "sessionId is required" },
	.malformed = { 400, 1100, "sessionId is required" },
	.other = { NOT_FOUND, FOREIGN },
};

const struct selector selector_session_create = {
	.name = "session-create",
	.ids = { "sessionId", "id", "session" },
	.in = { PLACE_QUERY, PLACE_BODY },
	.missing = { 400, 1100, "sessionId is required" },
	.malformed = { 400, 1100, "sessionId is required" },
	.other = { FOREIGN },
};

const struct selector selector_messages = {
	.name = "messages",
	.ids = { "sessionId" },
	.phones = { "phone" },
	.in = { PLACE_BODY, PLACE_QUERY },
	.missing = NOT_FOUND,
	.other = { NOT_FOUND },
};

/* What the store alone knows: also of sessions that are not open. */
const struct selector selector_messages_stored = {
	.name = "messages-stored",
	.ids = { "sessionId" },
	.phones = { "phone" },
	.in = { PLACE_BODY, PLACE_QUERY },
	.missing = NOT_FOUND,
	.other = { NOT_FOUND },
};

const struct selector selector_chats_get = {
	.name = "chats-get",
	.ids = { "sessionId", "session", "id" },
	.phones = { "phone" },
	.in = { PLACE_QUERY, PLACE_BODY },
	.missing = NOT_FOUND,
	.other = { NOT_FOUND },
};

const struct selector selector_chats_post = {
	.name = "chats-post",
	.ids = { "sessionId" },
	.phones = { "phone" },
	.in = { PLACE_BODY },
	.missing = NOT_FOUND,
	.other = { NOT_FOUND },
};

const struct selector selector_groups = {
	.name = "groups",
	.ids = { "sessionId", "sessionid", "id", "session" },
	.phones = { "phone", "number", "user", "msisdn", "phonenumber" },
	.in = { PLACE_BODY, PLACE_QUERY },
	.missing = NOT_FOUND,
	.malformed = BAD_ID,
	.other = { NOT_FOUND, FOREIGN, LOGIN_FIRST },
};

const struct selector selector_profile = {
	.name = "profile",
	.ids = { "sessionId", "sessionid", "id", "session" },
	.phones = { "phone", "number", "user", "msisdn", "phonenumber" },
	.in = { PLACE_BODY, PLACE_QUERY },
	.nocase = true,
	.missing = { 400, 2001, "Provide sessionId or phone" },
	.malformed = BAD_ID,
	.other = { NOT_FOUND, { 404, 1101, "Open session for this phone not found" }, FOREIGN, LOGIN_FIRST },
};

const struct selector selector_misc = {
	.name = "misc",
	.ids = { "sessionId", "session", "sid" },
	.phones = { "sessionPhone", "sessionNumber", "sessionMsisdn", "senderPhone" },
	.in = { PLACE_BODY, PLACE_QUERY },
	.missing = { 400, 2001, "Provide sessionId or sessionPhone" },
	.malformed = BAD_ID,
	.other = { NOT_FOUND, { 404, 1101, "Matching session not found" }, { 409, 1106, "Session is not ready" } },
};

const struct selector selector_misc_auto = {
	.name = "misc-auto",
	.ids = { "sessionId", "session", "sid" },
	.phones = { "sessionPhone", "sessionNumber", "sessionMsisdn", "senderPhone" },
	.in = { PLACE_BODY, PLACE_QUERY },
	.malformed = BAD_ID,
	.other = { NOT_FOUND, { 404, 1101, "Matching session not found" }, { 409, 1106, "Session is not ready" } },
};

const struct selector selector_preflight = {
	.name = "preflight",
	.ids = { "sessionId" },
	.in = { PLACE_BODY },
	.missing = { 404, 0, "Session not found" },
	.other = { { 404, 0, "Session not found" } },
};

const struct selector *const selectors[] = { &selector_session, &selector_session_create, &selector_messages, &selector_messages_stored, &selector_chats_get,
					     &selector_chats_post, &selector_groups, &selector_profile, &selector_misc, &selector_misc_auto,
					     &selector_preflight, NULL };
