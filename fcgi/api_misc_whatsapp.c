/* SPDX-License-Identifier: GPL-3.0-or-later */
/* /api/v1/misc/whatsapp: reading what WhatsApp encrypts inside messages (contract rest-b 5.3). */
#include "fcgi/answer.h"
#include "fcgi/json_out.h"
#include "fcgi/request.h"

#define BODY_ONLY { PLACE_BODY }
#define BODY_QUERY { PLACE_BODY, PLACE_QUERY }

/* n8n sends it as text. */
static const struct json *vote_of(struct request *r)
{
	const struct json *vote = r->body ? json_get(r->body, "pollUpdateVote") : NULL;
	const char *error = NULL;

	if (vote && vote->type == JSON_STRING)
		vote = json_parse(r->arena, vote->text, &error);
	return vote && vote->type == JSON_OBJECT ? vote : NULL;
}

static bool has(const struct json *object, const char *name)
{
	const struct json *value = object && object->type == JSON_OBJECT ? json_get(object, name) : NULL;

	return value && ((value->type == JSON_STRING && value->text.n > 0) || value->type == JSON_OBJECT);
}

static int prepare_vote(struct request *r, struct buf *p, struct answer *answer)
{
	const struct json *update = vote_of(r);
	const struct json *vote;
	const struct json *key;
	struct fault fault = { 400, 2002, NULL };

	if (!update) {
		fault = (struct fault){ 400, 2001, "pollUpdateVote is required" };
	} else {
		vote = json_get(update, "vote");
		key = json_get(update, "pollCreationMessageKey");
		key = key ? key : json_get(update, "pollMessageKey");
		if (!has(vote, "encPayload") || !has(vote, "encIv"))
			fault.message = "encPayload and encIv are required";
		else if (!has(key, "id") && !(r->body && has(r->body, "pollMsgId")) && !has(r->query, "pollMsgId"))
			fault.message = "poll message id is required";
	}
	if (fault.message) {
		answer_fault(answer, &fault);
		return -1;
	}
	json_name(p, "pollUpdateVote");
	json_tree(p, update);
	return 0;
}

static const struct param vote_params[] = {
	{ .name = "pollUpdateVote", .in = BODY_ONLY, .kind = PARAM_DOCUMENT, .type = "object", .required = true,
	  .note = "or its JSON as text: vote{encPayload,encIv} (base64, hex or Buffer objects), pollCreationMessageKey{id,remoteJid,participant,fromMe}, "
		  "key{participant,remoteJid}: a pollUpdateMessage with the key of its message" },
	{ .name = "pollEncKey", .in = BODY_ONLY, .kind = PARAM_STRING, .type = "string",
	  .note = "the poll's messageSecret, base64 or hex; without it that of the stored poll" },
	{ .name = "pollMsgId", .in = BODY_QUERY, .kind = PARAM_STRING, .type = "string" },
	{ .name = "pollRemoteJid", .in = BODY_QUERY, .kind = PARAM_STRING, .type = "string" },
	{ .name = "pollCreatorJid", .in = BODY_ONLY, .kind = PARAM_STRING, .type = "string" },
	{ .name = "voterJid", .in = BODY_ONLY, .kind = PARAM_STRING, .type = "string" },
};

static const struct route routes[] = {
	{ .method = "POST", .path = "/api/v1/misc/whatsapp/poll-update-vote", .name = "misc.poll-vote", .auth = AUTH_KEY, .guards = GUARD_RATE,
	  .body = BODY_JSON, .selector = &selector_misc, .family = FAMILY_A, .flags = ROUTE_PARAMS_FIRST, .params = vote_params,
	  .params_count = COUNT(vote_params), .prepare = prepare_vote, .tag = "Misc", .title = "Read an encrypted poll vote",
	  .text = "Decrypts a vote as message_received brings it. Both sides' addresses are tried as phone number and as LID. The event "
		  "poll_vote (WAREST_WEBHOOK_EVENTS) brings the same by itself, with the poll's running result.",
	  .successes = (const struct success[]){ { 200, 1000, "Poll vote decrypted",
						   "messageKey.id messageKey.remoteJid? messageKey.participant? messageKey.fromMe? pollCreatorJid voterJid "
						   "votedOptionIndexes[] votedOptionNames[] pollTitle? selectableOptionsCount? pollOptions[].index "
						   "pollOptions[].name timestampMs?" }, { 0 } },
	  .errors = (const struct fault[]){ { 400, 2001, "pollUpdateVote is required" }, { 400, 2002, "encPayload and encIv are required" },
					    { 400, 2002, "poll message id is required" }, { 400, 2002, "pollEncKey is required" },
					    { 400, 2002, "pollEncKey is invalid" }, { 400, 2002, "encPayload or encIv is invalid" },
					    { 400, 2002, "The vote cannot be decrypted with this key and these addresses" },
					    { 500, 8000, "<exception text> or Internal error" }, { 0 } } },
};

extern const struct route_group misc_whatsapp_routes;
const struct route_group misc_whatsapp_routes = { routes, COUNT(routes) };
