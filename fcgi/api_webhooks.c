/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The receivers of a session's events beyond its own URL, and those of every session. Not in the original. */
#include "fcgi/answer.h"
#include "fcgi/json_out.h"
#include "fcgi/request.h"

#define OF_SESSION(verb, where, does) \
	.method = verb, .path = "/api/v1/session/{sessionId}/webhooks" where, .name = "webhook." does, .auth = AUTH_KEY, .guards = GUARD_RATE, \
	.selector = &selector_session, .family = FAMILY_A, .tag = "Webhooks"
#define OF_ALL(verb, where, does) \
	.method = verb, .path = "/api/v1/webhooks" where, .name = "webhooks." does, .auth = AUTH_ADMIN, .scope = SCOPE_ADMIN, .guards = GUARD_RATE, \
	.family = FAMILY_A, .tag = "Webhooks"
#define INTERNAL { 500, 8003, "<database error>" }
#define UNKNOWN { 404, 2600, "Webhook not found" }
#define BAD_MEMBER { 400, 2002, "<which value is wrong, and how>" }
#define NOT_PUBLIC { 400, 1201, "Webhook address is not public; add its network or host to WAREST_OUTBOUND_ALLOW to allow it" }
#define NOT_HERE { 409, 2003, "<where this webhook is changed>" }
#define SESSION_ID { .name = "sessionId", .in = { PLACE_PATH }, .kind = PARAM_DOCUMENT, .type = "string", .required = true }
#define WEBHOOK_ID \
	{ .name = "webhookId", .in = { PLACE_PATH }, .kind = PARAM_STRING, .type = "string", .required = true, .missing = UNKNOWN, \
	  .note = "\"webhook\" is the session's own URL" }
/* They go to the daemon as they were sent: what is not understood must be refused, never dropped. */
#define SETTINGS \
	{ .name = "url", .in = { PLACE_BODY }, .kind = PARAM_DOCUMENT, .type = "string", .note = "absolute http or https" }, \
	{ .name = "name", .in = { PLACE_BODY }, .kind = PARAM_DOCUMENT, .type = "string", .note = "for people; at most 100 bytes" }, \
	{ .name = "secret", .in = { PLACE_BODY }, .kind = PARAM_DOCUMENT, .type = "string", .note = "6 to 200 bytes; made if there is none" }, \
	{ .name = "events", .in = { PLACE_BODY }, .kind = PARAM_DOCUMENT, .type = "array|null", \
	  .note = "names of events; null: the original's 13 and those of WAREST_WEBHOOK_EVENTS" }, \
	{ .name = "algorithm", .in = { PLACE_BODY }, .kind = PARAM_DOCUMENT, .type = "string|null", .values = algorithms, \
	  .note = "hash of the signatures; null: as WAREST_WEBHOOK_SIGNATURE_SHA2 says" }, \
	{ .name = "order", .in = { PLACE_BODY }, .kind = PARAM_DOCUMENT, .type = "string", .values = orders, \
	  .note = "what waits for the event before it: those of a chat (default), all of the session, none" }, \
	{ .name = "concurrency", .in = { PLACE_BODY }, .kind = PARAM_DOCUMENT, .type = "number", .note = "requests at once, 1 to 32; 8 by default" }, \
	{ .name = "timeoutMs", .in = { PLACE_BODY }, .kind = PARAM_DOCUMENT, .type = "number|null", \
	  .note = "of one attempt, 100 to 600000; null: as WAREST_WEBHOOK_TIMEOUT_MS says" }, \
	{ .name = "actions", .in = { PLACE_BODY }, .kind = PARAM_DOCUMENT, .type = "boolean", \
	  .note = "false: what it answers makes the account do nothing; true by default, within WAREST_WEBHOOK_ACTIONS" }, \
	{ .name = "headers", .in = { PLACE_BODY }, .kind = PARAM_DOCUMENT, .type = "object|null", \
	  .note = "sent with each event, at most 20; not those that belong to the connection, the body or WAREST" }, \
	{ .name = "enabled", .in = { PLACE_BODY }, .kind = PARAM_DOCUMENT, .type = "boolean", \
	  .note = "false: events are not for it, also later; to let them wait there is pause" }
#define SET "id sessionId global name url events[] algorithm order concurrency headers[] timeoutMs actions enabled rotationEndsAt createdAt "
#define COUNTS(at) \
	at "counts.events " at "counts.delivered " at "counts.dead " at "counts.skipped " at "counts.missed " at "counts.pending "
#define STATE(at) \
	at "state? " at "failures? " at "lastStatus? " at "lastError? " at "failedSince? " at "nextAttemptAt? " at "deliveredAt? " at "inFlight? " \
	at "cursor? " at "overflow? " at "sessions.active? " at "sessions.paused? " at "sessions.held? " at "sessions.off? "
#define WEBHOOK SET COUNTS("") STATE("")

static const char *const algorithms[] = { "sha224", "sha256", "sha384", "sha512", NULL };
static const char *const orders[] = { "chat", "session", "none", NULL };

#define ROTATION \
	{ .name = "secret", .in = { PLACE_BODY }, .kind = PARAM_DOCUMENT, .type = "string", .note = "the new one; made if it is absent" }, \
	{ .name = "graceHours", .in = { PLACE_BODY }, .kind = PARAM_DOCUMENT, .type = "number", \
	  .note = "so long both are valid, 0 to 720, 24 by default; 0: the new one alone, at once" }

static const struct param session_params[] = { SESSION_ID };
static const struct param session_create_params[] = { SESSION_ID, SETTINGS };
static const struct param session_id_params[] = { SESSION_ID, WEBHOOK_ID };
static const struct param session_update_params[] = { SESSION_ID, WEBHOOK_ID, SETTINGS };
static const struct param session_rotate_params[] = { SESSION_ID, WEBHOOK_ID, ROTATION };
static const struct param letters_params[] = {
	SESSION_ID, WEBHOOK_ID,
	{ .name = "after", .in = { PLACE_QUERY }, .kind = PARAM_NUMBER, .type = "number", .note = "next of the page before" },
};
#define BAD_TIME { 400, 2002, "since and until must be times" }
static const struct param replay_params[] = {
	SESSION_ID, WEBHOOK_ID,
	{ .name = "from", .in = { PLACE_BODY }, .kind = PARAM_NUMBER, .type = "number", .note = "first number in the session's journal" },
	{ .name = "to", .in = { PLACE_BODY }, .kind = PARAM_NUMBER, .type = "number", .note = "last number; all that follow if it is absent" },
	{ .name = "since", .in = { PLACE_BODY }, .kind = PARAM_MOMENT, .type = "number|string", .invalid = BAD_TIME, .note = "instead: by time" },
	{ .name = "until", .in = { PLACE_BODY }, .kind = PARAM_MOMENT, .type = "number|string", .invalid = BAD_TIME },
	{ .name = "eventId", .in = { PLACE_BODY }, .kind = PARAM_STRING, .type = "string", .note = "instead: this one (X-WAREST-Event-Id)" },
};
static const struct param letters_replay_params[] = {
	SESSION_ID, WEBHOOK_ID,
	{ .name = "from", .in = { PLACE_BODY }, .kind = PARAM_NUMBER, .type = "number", .note = "first number" },
	{ .name = "to", .in = { PLACE_BODY }, .kind = PARAM_NUMBER, .type = "number", .note = "last number" },
};
static const struct param all_create_params[] = { SETTINGS };
static const struct param all_id_params[] = { WEBHOOK_ID };
static const struct param all_update_params[] = { WEBHOOK_ID, SETTINGS };
static const struct param all_rotate_params[] = { WEBHOOK_ID, ROTATION };

static const struct param *param_of(const struct route *route, struct span name)
{
	for (size_t i = 0; i < route->params_count; i++) {
		if (route->params[i].in[0] == PLACE_BODY && span_is(name, route->params[i].name))
			return &route->params[i];
	}
	return NULL;
}

/* A misspelt setting would be none. What the table does not read is the daemon's to judge. */
static int copy_members(struct request *r, struct buf *p, struct answer *answer)
{
	if (r->body && r->body->type != JSON_OBJECT) {
		answer_fault(answer, &(struct fault){ 400, 2002, "The body must be an object" });
		return -1;
	}
	for (const struct json *m = r->body ? r->body->first : NULL; m; m = m->next) {
		const struct param *param = param_of(r->match.route, m->name);
		const char *text;

		if (!param) {
			text = arena_printf(r->arena, "There is no parameter \"%.*s\"", (int)(m->name.n > 60 ? 60 : m->name.n), (const char *)m->name.p);
			answer_fault(answer, &(struct fault){ 400, 2002, text });
			return -1;
		}
		if (param->kind == PARAM_DOCUMENT) {
			json_name(p, param->name);
			json_tree(p, m);
		}
	}
	return 0;
}

#define SUCCESS(variable, text, fields) static const struct success variable[] = { { 200, 1000, text, fields }, { 0 } }
SUCCESS(listed, "Webhooks",
	"webhooks[].id webhooks[].sessionId webhooks[].global webhooks[].name webhooks[].url webhooks[].events[] webhooks[].algorithm "
	"webhooks[].order webhooks[].concurrency webhooks[].headers[] webhooks[].timeoutMs webhooks[].actions webhooks[].enabled webhooks[].rotationEndsAt webhooks[].createdAt "
	COUNTS("webhooks[].") STATE("webhooks[]."));
SUCCESS(got, "Webhook", WEBHOOK);
SUCCESS(created, "Webhook created", "secret " WEBHOOK);
SUCCESS(updated, "Webhook changed", WEBHOOK);
SUCCESS(deleted, "Webhook deleted", "");
SUCCESS(tested, "Webhook tested", "ok status error roundTripMs");
SUCCESS(paused, "Webhook paused", WEBHOOK);
SUCCESS(resumed, "Webhook resumed", WEBHOOK);
SUCCESS(rotated, "Secret rotated", "secret " WEBHOOK);
SUCCESS(deliveries, "Deliveries",
	"deliveries[].sequence deliveries[].eventId deliveries[].event deliveries[].attempt deliveries[].at deliveries[].tookMs "
	"deliveries[].status deliveries[].error deliveries[].requestBytes deliveries[].request deliveries[].response");
SUCCESS(letters, "Dead letters",
	"deadLetters[].sequence deadLetters[].eventId deadLetters[].event deadLetters[].reason deadLetters[].status deadLetters[].at next");
SUCCESS(queued, "Queued again", "queued");

static const struct fault list_errors[] = { INTERNAL, { 0 } };
static const struct fault get_errors[] = { UNKNOWN, INTERNAL, { 0 } };
static const struct fault create_errors[] = {
	{ 400, 2001, "url is required" }, { 400, 1201, "Invalid webhook URL" }, NOT_PUBLIC, BAD_MEMBER, { 409, 2003, "There are 20 webhooks already" }, INTERNAL, { 0 }
};
static const struct fault update_errors[] = { { 400, 1201, "Invalid webhook URL" }, NOT_PUBLIC, BAD_MEMBER, UNKNOWN, NOT_HERE, INTERNAL, { 0 } };
static const struct fault rotate_errors[] = {
	{ 400, 2002, "graceHours must be 0 to 720" }, { 400, 2002, "secret must have 6 to 200 bytes" }, UNKNOWN, NOT_HERE, INTERNAL, { 0 }
};
static const struct fault delete_errors[] = { UNKNOWN, NOT_HERE, INTERNAL, { 0 } };
static const struct fault test_errors[] = { UNKNOWN, { 409, 2003, "The webhook has no URL or secret" }, INTERNAL, { 0 } };
static const struct fault replay_errors[] = {
	{ 400, 2001, "from, since or eventId is required" }, BAD_TIME, UNKNOWN, { 409, 2003, "The webhook is not enabled" },
	{ 429, 2400, "Too much waits to be delivered again already" }, INTERNAL, { 0 }
};
static const struct fault letters_replay_errors[] = {
	UNKNOWN, { 409, 2003, "The webhook is not enabled" }, { 429, 2400, "Too much waits to be delivered again already" }, INTERNAL, { 0 }
};

static const char list_text[] =
	"Every receiver gets every event on its own: one that fails does not hold up the others. Of counts, events is the sum of the rest, always. state is "
	"active, paused (it fails and is tried again at nextAttemptAt), held (by pause) or off.";
static const char create_text[] =
	"It begins with the events that come now. secret is shown this once. Beside the headers of the original, X-WAREST-Signature-V2 signs time "
	"and body: t=<seconds>,v1=<hex HMAC of \"<t>.<body>\" with the secret>; during a rotation there are two v1.";
static const char update_text[] = "What is left out stays as it is; headers are replaced as a whole.";
static const char rotate_text[] =
	"Until the end of the rotation both secrets are valid: X-WAREST-Signature is made with the old one, X-WAREST-Signature-V2 has one v1 for each.";
static const char test_text[] = "Sends the signed event \"preflight\" once and tells how that went; ok is true for any 2xx.";
static const char pause_text[] = "Its events wait in the journal until it is resumed, also over restarts. Those on their way are not taken back.";
static const char resume_text[] = "Ends a pause, be it one of an operator or one of a receiver that fails, and tries at once.";

#define LIST(x) .params = x##_params, .params_count = COUNT(x##_params)
#define CHANGE .scope = SCOPE_MANAGE, .body = BODY_JSON, .prepare = copy_members
#define DO .scope = SCOPE_MANAGE, .body = BODY_JSON

static const struct route routes[] = {
	{ OF_SESSION("GET", "", "list"), .scope = SCOPE_READ, LIST(session), .title = "List a session's webhooks", .text = list_text,
	  .successes = listed, .errors = list_errors },
	{ OF_SESSION("POST", "", "create"), CHANGE, LIST(session_create), .title = "Add a webhook to a session", .text = create_text,
	  .successes = created, .errors = create_errors },
	{ OF_SESSION("GET", "/{webhookId}", "get"), .scope = SCOPE_READ, LIST(session_id), .title = "One webhook", .text = list_text, .successes = got,
	  .errors = get_errors },
	{ OF_SESSION("PUT", "/{webhookId}", "update"), CHANGE, LIST(session_update), .title = "Change a webhook", .text = update_text,
	  .successes = updated, .errors = update_errors },
	{ OF_SESSION("DELETE", "/{webhookId}", "delete"), DO, LIST(session_id), .title = "Delete a webhook",
	  .text = "With its dead letters and deliveries.", .successes = deleted, .errors = delete_errors },
	{ OF_SESSION("POST", "/{webhookId}/test", "test"), DO, .flags = ROUTE_SLOW, LIST(session_id), .title = "Test a webhook", .text = test_text,
	  .successes = tested, .errors = test_errors },
	{ OF_SESSION("POST", "/{webhookId}/pause", "pause"), DO, LIST(session_id), .title = "Pause a webhook", .text = pause_text,
	  .successes = paused, .errors = get_errors },
	{ OF_SESSION("POST", "/{webhookId}/resume", "resume"), DO, LIST(session_id), .title = "Resume a webhook", .text = resume_text,
	  .successes = resumed, .errors = get_errors },
	{ OF_SESSION("POST", "/{webhookId}/rotate", "rotate"), CHANGE, LIST(session_rotate), .title = "Give a webhook a new secret",
	  .text = rotate_text, .successes = rotated, .errors = rotate_errors },
	{ OF_SESSION("GET", "/{webhookId}/deliveries", "deliveries"), .scope = SCOPE_READ, LIST(session_id), .title = "The last attempts of a webhook",
	  .text = "The newest 50, with the beginnings of request and answer; up to a second behind.", .successes = deliveries, .errors = get_errors },
	{ OF_SESSION("POST", "/{webhookId}/replay", "replay"), DO, LIST(replay), .title = "Deliver events once more",
	  .text = "Under the same ids, in order, as far as the journal still has them and the webhook is past them; at most 100000.", .successes = queued,
	  .errors = replay_errors },
	{ OF_SESSION("GET", "/{webhookId}/dead-letters", "letters"), .scope = SCOPE_READ, LIST(letters), .title = "Events that a webhook did not take",
	  .text = "Refused again and again while it took others, or not taken within WAREST_WEBHOOK_RETENTION_HOURS.", .successes = letters,
	  .errors = get_errors },
	{ OF_SESSION("POST", "/{webhookId}/dead-letters/replay", "letters.replay"), DO, LIST(letters_replay), .title = "Deliver dead letters once more",
	  .text = "A letter that is taken is none any more, and counts as delivered.", .successes = queued, .errors = letters_replay_errors },
	{ OF_ALL("GET", "", "list"), .title = "List the webhooks of every session", .text = list_text, .successes = listed, .errors = list_errors },
	{ OF_ALL("POST", "", "create"), .body = BODY_JSON, .prepare = copy_members, LIST(all_create), .title = "Add a webhook to every session",
	  .text = create_text, .successes = created, .errors = create_errors },
	{ OF_ALL("GET", "/{webhookId}", "get"), LIST(all_id), .title = "One webhook of every session", .text = list_text, .successes = got,
	  .errors = get_errors },
	{ OF_ALL("PUT", "/{webhookId}", "update"), .body = BODY_JSON, .prepare = copy_members, LIST(all_update),
	  .title = "Change a webhook of every session", .text = update_text, .successes = updated, .errors = update_errors },
	{ OF_ALL("DELETE", "/{webhookId}", "delete"), .body = BODY_JSON, LIST(all_id), .title = "Delete a webhook of every session",
	  .text = "With its dead letters and deliveries in all sessions.", .successes = deleted, .errors = delete_errors },
	{ OF_ALL("POST", "/{webhookId}/test", "test"), .body = BODY_JSON, .flags = ROUTE_SLOW, LIST(all_id), .title = "Test a webhook of every session",
	  .text = test_text, .successes = tested, .errors = test_errors },
	{ OF_ALL("POST", "/{webhookId}/pause", "pause"), .body = BODY_JSON, LIST(all_id), .title = "Pause a webhook in every session there is",
	  .text = pause_text, .successes = paused, .errors = get_errors },
	{ OF_ALL("POST", "/{webhookId}/resume", "resume"), .body = BODY_JSON, LIST(all_id), .title = "Resume a webhook in every session",
	  .text = resume_text, .successes = resumed, .errors = get_errors },
	{ OF_ALL("POST", "/{webhookId}/rotate", "rotate"), .body = BODY_JSON, .prepare = copy_members, LIST(all_rotate),
	  .title = "Give a webhook of every session a new secret", .text = rotate_text, .successes = rotated, .errors = rotate_errors },
};

extern const struct route_group webhooks_routes;
const struct route_group webhooks_routes = { routes, COUNT(routes) };
