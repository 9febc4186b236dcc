/* SPDX-License-Identifier: GPL-3.0-or-later */
/* /api/v1/misc/whatsapp: reading what WhatsApp encrypts (contract rest-b 5.2, 5.3). */
#include "fcgi/answer.h"
#include "fcgi/json_out.h"
#include "fcgi/request.h"
#include "fcgi/upload.h"

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

/* ---- file-decrypt ---- */

static const char *const outputs[] = { "string", "dataurl", "base64", "url", "file", NULL };

static const struct param file_params[] = {
	{ .name = "mediaKey", .aliases = { "media_key" }, .in = BODY_QUERY, .kind = PARAM_STRING, .type = "string", .required = true,
	  .missing = { 400, 2001, "mediaKey is required" }, .note = "of the message, 32 bytes as base64 or hex" },
	{ .name = "file", .aliases = { "data", "encrypted", "blob" }, .in = BODY_ONLY, .kind = PARAM_DOCUMENT, .type = "string|object", .required = true,
	  .note = "the encrypted file: data URI, http(s) URL, base64, {\"type\":\"Buffer\",\"data\":[..]} or a multipart file; at most 50 MB" },
	{ .name = "mimeType", .aliases = { "mimetype" }, .in = BODY_QUERY, .kind = PARAM_STRING, .type = "string",
	  .fallback = "\"application/octet-stream\"", .note = "says with which of WhatsApp's keys it is encrypted; without it all are tried" },
	{ .name = "fileSha256", .aliases = { "sha256" }, .in = BODY_QUERY, .kind = PARAM_STRING, .type = "string", .note = "base64 or hex; compared" },
	{ .name = "output", .in = BODY_QUERY, .kind = PARAM_STRING, .type = "string", .fallback = "\"base64\"", .values = outputs,
	  .note = "url: public address; file: key and signed address; anything else: base64" },
};

static const struct upload_rules file_rules = {
	.keys = { "file", "data", "encrypted", "blob" }, .invalid = { 400, 2001, "Encrypted file is required" }, .too_large_code = 2006,
};

static int prepare_file(struct request *r, struct buf *p, struct answer *answer)
{
	return upload_put_one(r, &file_rules, p, answer);
}

/* ---- numbers and addresses ---- */

#define NO_SESSION { 404, 1101, "No active session available" }

static const struct param phone_params[] = {
	{ .name = "phone", .aliases = { "number" }, .in = BODY_QUERY, .kind = PARAM_STRING, .type = "string", .required = true,
	  .missing = { 400, 2001, "phone is required" } },
	{ .name = "country", .aliases = { "region" }, .in = BODY_QUERY, .kind = PARAM_STRING, .type = "string",
	  .note = "of numbers without country code: ISO code of two letters or dial code; default: WAREST_DEFAULT_COUNTRY_CODE" },
};
static const struct param jid_params[] = {
	{ .name = "jid", .aliases = { "id", "target" }, .in = BODY_QUERY, .kind = PARAM_STRING, .type = "string", .required = true,
	  .missing = { 400, 2001, "jid is required" } },
};
static const struct param resolve_params[] = {
	{ .name = "input", .aliases = { "value", "id" }, .in = BODY_QUERY, .kind = PARAM_STRING, .type = "string", .required = true,
	  .missing = { 400, 2001, "input is required" }, .note = "phone number, JID or LID" },
};

#define LOOK_UP(where, does, list, message, fields, heading, words, ...) \
	{ .method = "POST", .path = "/api/v1/misc/whatsapp/" where, .name = does, .auth = AUTH_KEY, .scope = SCOPE_READ, .guards = GUARD_RATE, .body = BODY_JSON, \
	  .selector = &selector_misc_auto, .family = FAMILY_A, .flags = ROUTE_SLOW | ROUTE_PARAMS_FIRST, .params = list, .params_count = COUNT(list), \
	  .tag = "Misc", .title = heading, .text = words, .successes = (const struct success[]){ { 200, 1000, message, fields }, { 0 } }, \
	  .errors = (const struct fault[]){ __VA_ARGS__, NO_SESSION, { 500, 8000, "<exception text> or Internal error" }, { 0 } } }

static const struct route routes[] = {
	LOOK_UP("validate/phone", "misc.validate.phone", phone_params, "Phone validation complete", "data.exists data.e164 data.jid data.lid data.country",
		"Check a phone number", "Says whether it is on WhatsApp. When WhatsApp does not answer, exists is false.", { 400, 2001, "phone is required" },
		{ 400, 2002, "Invalid phone number" }),
	LOOK_UP("validate/jid", "misc.validate.jid", jid_params, "JID validation complete", "data.exists data.type", "Check a JID",
		"type is user, group, broadcast, newsletter or lid. Channels and LIDs are not looked up.", { 400, 2001, "jid is required" }),
	LOOK_UP("resolve/jid-or-lid", "misc.resolve", resolve_params, "Identifier resolved", "data.isValid data.type data.lid data.jid data.country",
		"Find the other name of somebody", "type is jid, lid or invalid.", { 400, 2001, "input is required" }),

	{ .method = "POST", .path = "/api/v1/misc/whatsapp/file-decrypt", .name = "misc.file-decrypt", .auth = AUTH_KEY, .scope = SCOPE_READ, .guards = GUARD_RATE,
	  .body = BODY_UPLOAD, .family = FAMILY_A, .flags = ROUTE_SLOW, .params = file_params, .params_count = COUNT(file_params),
	  .prepare = prepare_file, .tag = "Misc", .title = "Decrypt a media file of WhatsApp",
	  .text = "Decrypts a file as WhatsApp's servers keep it (media.url of message_received) with media.mediaKey of its message.",
	  .successes = (const struct success[]){ { 200, 1000, "File decrypted", "data meta.mode meta.mimeType meta.size meta.key? meta.url?" }, { 0 } },
	  .errors = (const struct fault[]){ { 400, 2001, "mediaKey is required" }, { 400, 2001, "Encrypted file is required" },
					    { 400, 2002, "mediaKey is invalid" }, { 400, 2002, "Encrypted payload is too small" },
					    { 400, 2002, "MAC verification failed" },
					    { 400, 2002, "fileSha256 does not match decrypted content" },
					    { 413, 2006, "input exceeds limit (50.0 MB)" }, { 500, 8000, "<exception text> or Internal error" }, { 0 } } },
	{ .method = "POST", .path = "/api/v1/misc/whatsapp/poll-update-vote", .name = "misc.poll-vote", .auth = AUTH_KEY, .scope = SCOPE_READ, .guards = GUARD_RATE,
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
