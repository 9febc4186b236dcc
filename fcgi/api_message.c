/* SPDX-License-Identifier: GPL-3.0-or-later */
/* /api/v1/messages: sending (contract rest-a 7). */
#include "common/recipient.h"
#include "fcgi/answer.h"
#include "fcgi/json_out.h"
#include "fcgi/param_kinds.h"
#include "fcgi/request.h"
#include "fcgi/send_params.h"

#define BODY_QUERY SEND_BODY_QUERY
#define BAD_GROUPS { 400, 2002, "groupMentions are groups, or objects with groupId and subject" }
#define BAD_COLOR { 400, 2002, "Colors are #RRGGBB or #AARRGGBB" }

enum { MAX_GROUPS = 64 };

/* The order is the order of the checks. */
static const struct param text_params[] = {
	{ .name = "message", .aliases = { "text" }, .in = BODY_QUERY, .kind = PARAM_STRING, .type = "string", .required = true,
	  .missing = { 400, 1100, "Parameter 'message' is required" } },
	{ .name = "to", .aliases = { "jid", "target", "number" }, .in = BODY_QUERY, .kind = PARAM_RECIPIENTS, .type = "string|array",
	  .required = true, .missing = { 400, 1100, "Parameter 'to' is required" }, .invalid = { 400, 1100, "Invalid 'to' value" },
	  .note = "list separators , ; newline; JSON array text; JIDs or phone numbers" },
	SEND_PRESENCE(SEND_BODY_QUERY),
	{ .name = "replyMessageId", .aliases = { "quotedMessageId", "replyId" }, .in = BODY_QUERY, .kind = PARAM_STRING, .type = "string",
	  .note = "id of the message to quote" },
	{ .name = "isForwarded", .aliases = { "forwarded" }, .in = BODY_QUERY, .kind = PARAM_BOOL, .type = "boolean", .fallback = "false" },
	{ .name = "mentions", .in = SEND_BODY_QUERY, .kind = PARAM_RECIPIENTS, .type = "string|array", .invalid = { 400, 2002, "mentions are phone numbers or JIDs" },
	  .note = "mentioned beside those that stand in the text as @number" },
	{ .name = "mentionAll", .in = SEND_BODY_QUERY, .kind = PARAM_BOOL, .type = "boolean", .note = "in groups: everybody" },
	{ .name = "groupMentions", .in = SEND_BODY, .kind = PARAM_DOCUMENT, .type = "array",
	  .note = "groups of a community that the text mentions as @id@g.us: ids, or objects with groupId and subject" },
	SEND_AUDIENCE(SEND_BODY_QUERY),
	SEND_COLOR("backgroundColor", SEND_BODY_QUERY, "of a status: #RRGGBB or #AARRGGBB"),
	SEND_COLOR("textColor", SEND_BODY_QUERY, "of a status: #RRGGBB or #AARRGGBB"),
	{ .name = "font", .in = SEND_BODY_QUERY, .kind = PARAM_NUMBER, .type = "number", .min = 0, .max = 10,
	  .note = "of a status: 0 system, 1 system text, 2 script, 6 bold, 7 Morning Breeze, 8 Calistoga, 9 Exo 2, 10 Courier Prime" },
	{ .name = "linkPreview", .in = SEND_BODY_QUERY, .kind = PARAM_BOOL, .type = "boolean", .fallback = "true",
	  .note = "false: none for the first link; there is none unless WAREST_LINK_PREVIEW is on" },
	SEND_EXTRAS,
};

static const struct success text_sent[] = { SEND_SUCCESSES("Text message", "advancedInfo.mentions[]?") };

static const struct fault text_errors[] = {
	{ 400, 1100, "Parameter 'message' is required" },
	{ 400, 1100, "Parameter 'to' is required" },
	{ 400, 1100, "Invalid 'to' value" },
	BAD_GROUPS,
	BAD_COLOR,
	SEND_ERRORS("text")
};

/* One group: its id, or an object that names it. */
static bool put_group(struct request *r, struct buf *p, const struct json *v)
{
	static const char *const ids[] = { "groupId", "groupJid", "group", "id", NULL }, *const subjects[] = { "subject", "groupSubject", "name", NULL };
	struct span id = span_of(NULL, 0);
	char text[JID_TEXT_MAX];
	struct jid jid;

	(void)r;
	if (v->type == JSON_OBJECT)
		id = send_text(v, ids);
	else
		param_text(v, &id);
	if (!id.n || recipient_group(&jid, (const char *)id.p, id.n))
		return false;
	json_open(p, '{');
	json_name(p, "group");
	json_text(p, jid_format(&jid, text, sizeof text));
	if (v->type == JSON_OBJECT)
		send_put_text(p, "subject", send_text(v, subjects));
	json_close(p, '}');
	return true;
}

static int prepare_text(struct request *r, struct buf *p, struct answer *answer)
{
	static const char *const names[] = { "groupMentions", NULL };
	static const struct fault bad_groups = BAD_GROUPS;
	const struct json *list = send_member(r, r->body, names);
	bool good = !list || (list->type == JSON_ARRAY && list->count <= MAX_GROUPS);

	if (list && good) {
		json_name(p, "groupMentions");
		json_open(p, '[');
		for (const struct json *c = list->first; c && good; c = c->next)
			good = put_group(r, p, c);
		json_close(p, ']');
	}
	if (!good)
		answer_fault(answer, &bad_groups);
	return good ? 0 : -1;
}

static const char text_text[] =
	"Answers when WhatsApp's server has acknowledged every message, at the latest after WAREST_SEND_ACK_TIMEOUT_MS. With several "
	"recipients, 207 lists in failed what could not be sent. <b>, <i>, <s>, <code>, <br> become WhatsApp's formatting, :smile: and its "
	"kind emoji, @ with a phone number a mention. With a header Idempotency-Key, repeating the request sends nothing twice. To "
	"status@broadcast it is a status: answers 202 as soon as it is stored; messages/{messageId}/status tells how far it got.";

static const struct route routes[] = {
	{ .method = "POST", .path = "/api/v1/messages/send/text", .name = "messages.send.text", .auth = AUTH_KEY, .scope = SCOPE_SEND,
	  .guards = GUARD_RATE | GUARD_COOLDOWN | GUARD_QUOTA, .body = BODY_JSON_SEND, .selector = &selector_messages,
	  .family = FAMILY_A_NULL, .flags = ROUTE_SLOW | ROUTE_IDEMPOTENT, .params = text_params, .params_count = COUNT(text_params), .prepare = prepare_text,
	  .tag = "Messages", .title = "Send a text", .text = text_text, .successes = text_sent, .errors = text_errors },
	{ .method = "GET", .path = "/api/v1/messages/send/text", .name = "messages.send.text", .auth = AUTH_KEY, .scope = SCOPE_SEND,
	  .guards = GUARD_RATE | GUARD_QUOTA, .selector = &selector_messages, .family = FAMILY_A_NULL,
	  .flags = ROUTE_SLOW | ROUTE_IDEMPOTENT, .params = text_params, .params_count = COUNT(text_params), .tag = "Messages",
	  .title = "Send a text by a link", .text = text_text, .successes = text_sent, .errors = text_errors },
};

extern const struct route_group message_routes;
const struct route_group message_routes = { routes, COUNT(routes) };
