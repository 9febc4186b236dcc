/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Parameters, answers and errors that all send routes share (rest-a 7, 1.12, D9, D30), and how structured contents are read.
 *
 *     static const struct param poll_params[] = { SEND_TO(SEND_BODY, 2001, "Missing or invalid 'to'"), SEND_COMMON(SEND_BODY), ... };
 */
#ifndef FCGI_SEND_PARAMS_H
#define FCGI_SEND_PARAMS_H

#include "fcgi/request.h"
#include "fcgi/route.h"

#define SEND_BODY { PLACE_BODY }
#define SEND_BODY_QUERY { PLACE_BODY, PLACE_QUERY }

#define SEND_TO(IN, CODE, TEXT) \
	{ .name = "to", .in = IN, .kind = PARAM_RECIPIENTS, .type = "string|array", .required = true, .missing = { 400, CODE, TEXT }, \
	  .invalid = { 400, CODE, TEXT }, .note = "list separators , ; newline; JSON array text; JIDs or phone numbers" }

#define SEND_PRESENCE(IN) \
	{ .name = "presence", .in = IN, .kind = PARAM_PRESENCE, .type = "boolean|number|string", .values = send_presence_values, \
	  .note = "shows this state to the recipient for a moment before sending; off when absent" }
#define SEND_REPLY(IN) \
	{ .name = "replyMessageId", .in = IN, .kind = PARAM_FIRST, .type = "string", .note = "id of the message to quote" }
#define SEND_FORWARDED(IN) \
	{ .name = "isForwarded", .in = IN, .kind = PARAM_BOOL, .type = "boolean", .fallback = "false" }

/* What the original does not have. From the query, too: ?wait=queued. */
#define SEND_SCORE \
	{ .name = "forwardingScore", .in = SEND_BODY_QUERY, .kind = PARAM_NUMBER, .type = "number", .min = 1, .max = 127, \
	  .note = "with isForwarded: how often it was passed on; from 5 on it shows as forwarded many times" }
#define SEND_ID \
	{ .name = "messageId", .in = SEND_BODY_QUERY, .kind = PARAM_MESSAGE_ID, .type = "string", \
	  .invalid = { 400, 2002, "messageId must have 1 to 64 of the characters A-Z a-z 0-9 . _ -" }, \
	  .note = "chosen by the caller, for exactly one message; an id that was used already is refused (409/2009)" }
#define SEND_WHEN \
	{ .name = "wait", .in = SEND_BODY_QUERY, .kind = PARAM_ENUM, .type = "string", .values = send_wait_values, \
	  .invalid = { 400, 2002, "wait is one of queued, ack, delivered" }, \
	  .note = "what the answer waits for; queued answers 202 as soon as the message is stored" }, \
	{ .name = "send_at", .aliases = { "sendAt" }, .in = SEND_BODY_QUERY, .kind = PARAM_TIME, .type = "string|number", \
	  .invalid = { 400, 2002, "send_at must be a time within a year: seconds, milliseconds or ISO 8601" }, \
	  .note = "not before this time; answers 202 as soon as the message is stored" }, \
	{ .name = "priority", .in = SEND_BODY_QUERY, .kind = PARAM_ENUM, .type = "string", .values = send_priority_values, \
	  .invalid = { 400, 2002, "priority is one of high, normal, low" }, \
	  .note = "which of the session's waiting messages goes first; the order within a chat is kept, quiet hours do not hold high" }, \
	{ .name = "dry_run", .aliases = { "dryRun" }, .in = SEND_BODY_QUERY, .kind = PARAM_BOOL, .type = "boolean", \
	  .note = "checks everything and sends nothing" }
/* People of one status. */
#define SEND_AUDIENCE_MAX 10000
#define SEND_AUDIENCE(IN) \
	{ .name = "audience", .aliases = { "statusJidList" }, .in = IN, .kind = PARAM_RECIPIENTS, .type = "string|array", \
	  .max = SEND_AUDIENCE_MAX, .invalid = { 400, 2002, "audience is a list of persons" }, \
	  .note = "with to=status@broadcast: who sees it, at most 10,000; without it those whom the account's status privacy names" }
#define SEND_COLOR(NAME, IN, NOTE) \
	{ .name = NAME, .in = IN, .kind = PARAM_STRING, .type = "string|number", .note = NOTE }
#define SEND_EXTRAS SEND_SCORE, SEND_ID, SEND_WHEN

#define SEND_COMMON(IN) SEND_PRESENCE(IN), SEND_REPLY(IN), SEND_FORWARDED(IN), SEND_EXTRAS

/* Fields of an entry that every send answer has. */
#define SEND_FIELDS \
	"phone to toJid messageId status timestamp scheduledAt? state? advancedInfo.isForwarded advancedInfo.quotedMessageId " \
	"advancedInfo.audience? advancedInfo.chunks? "

#define SEND_SUCCESSES(LABEL, FIELDS) \
	{ 200, 1000, LABEL " sent", SEND_FIELDS FIELDS }, { 200, 1005, LABEL " not sent: dry run", NULL }, { 202, 3000, LABEL " queued", NULL }, \
	{ 202, 1003, LABEL " scheduled", NULL }, { 207, 1004, LABEL " sent", NULL }, { 0 }

#define SEND_ERRORS(NOUN) \
	{ 400, 2002, "A status goes to nobody else in the same request" }, \
	{ 400, 2002, "Nobody would see this status: name an audience" }, \
	{ 409, 2009, "Idempotency-Key was used with another request" }, { 409, 2009, "messageId was used already" }, \
	{ 500, 8000, "Internal server error" }, { 502, 3002, "Failed to send " NOUN " to all recipients" }, { 0 }

extern const char *const send_presence_values[], *const send_wait_values[], *const send_priority_values[]; /* end with NULL */

/* ---- structured contents ---- */

/* The first of these members that is there and not null; one whose text is a JSON object or array is read as that. NULL: none. */
const struct json *send_member(struct request *r, const struct json *object, const char *const *names);
/* Trimmed text of the first of these members that has one, else an empty span. */
struct span send_text(const struct json *object, const char *const *names);
/* The decoded segment {name} of the path. */
struct span send_path_value(struct request *r, const char *name);
/* Writes name and text unless the text is empty. */
void send_put_text(struct buf *p, const char *name, struct span text);
/* A finite number, also as a text; false for anything else. */
bool send_number(struct request *r, const struct json *v, double *number);

#endif
