/* SPDX-License-Identifier: GPL-3.0-or-later */
/* /api/v1/misc: identifiers, digests, base64 (contract rest-b 5.7, 5.8). */
#include <string.h>
#include <strings.h>

#include "fcgi/answer.h"
#include "fcgi/json_cut.h"
#include "fcgi/json_out.h"
#include "fcgi/request.h"
#include "fcgi/upload.h"
#include "fcgi/upload_input.h"
#include "fcgi/validate.h"

#define BODY_ONLY { PLACE_BODY }
#define BODY_QUERY { PLACE_BODY, PLACE_QUERY }
#define INPUT_FAULTS(TEXT) \
	{ 400, 2001, TEXT }, { 400, 2002, "input cannot be read" }, { 413, 2006, "input exceeds limit (50.0 MB)" }, { 500, 8000, "<exception text> or Internal error" }

#define INPUT_PARAM                                                                                                                             \
	{ .name = "input", .aliases = { "data", "file", "source" }, .in = BODY_ONLY, .kind = PARAM_DOCUMENT, .type = "string|object", .required = true, \
	  .note = "text, data URI, http(s) URL, {\"type\":\"Buffer\",\"data\":[..]} or a multipart file; at most 50 MB; never a path" }
#define ENCODING_PARAM(FALLBACK, NOTE) \
	{ .name = "inputEncoding", .in = BODY_QUERY, .kind = PARAM_ENUM, .type = "string", .fallback = FALLBACK, .values = encodings, \
	  .invalid = { 400, 2002, "inputEncoding must be utf8, base64, hex or auto" }, .note = NOTE }
#define ALGO_PARAM \
	{ .name = "algo", .aliases = { "algorithm" }, .in = BODY_QUERY, .kind = PARAM_STRING, .type = "string", .fallback = "\"sha256\"", .note = "any digest of OpenSSL" }
#define DIGEST_OUTPUT                                                                                                              \
	{ .name = "output", .in = BODY_QUERY, .kind = PARAM_ENUM, .type = "string", .fallback = "\"hex\"", .values = digest_outputs, \
	  .invalid = { 400, 2002, "output must be hex, base64, base64url, latin1 or utf8" } }

static const char *const encodings[] = { "utf8", "base64", "hex", "auto", NULL };
static const char *const digest_outputs[] = { "hex", "base64", "base64url", "latin1", "utf8", NULL };
static const char *const outputs[] = { "string", "dataurl", "base64", "url", "file", NULL };
static const char *const id_types[] = { "uuid", "ulid", NULL };
static const char *const versions[] = { "v1", "v3", "v4", "v5", "nil", NULL };
static const char *const actions[] = { "encode", "decode", NULL };

/* ---- input: a text stays a text, what is a file becomes one ---- */

static const struct json *input_of(struct request *r)
{
	static const char *const names[] = { "input", "data", "file", "source" };
	const struct json *v = NULL;

	for (size_t i = 0; i < COUNT(names) && r->body && r->body->type == JSON_OBJECT && (!v || v->type == JSON_NULL); i++)
		v = json_get(r->body, names[i]);
	return v;
}

static bool is_address(struct span s)
{
	return (s.n > 7 && strncasecmp((const char *)s.p, "http://", 7) == 0) || (s.n > 8 && strncasecmp((const char *)s.p, "https://", 8) == 0) ||
	       (s.n > 5 && strncasecmp((const char *)s.p, "data:", 5) == 0);
}

static bool is_text(struct request *r, const struct json *v)
{
	if (!v || (v->type != JSON_STRING && v->type != JSON_NUMBER && v->type != JSON_BOOL))
		return false;
	return v->type != JSON_STRING || (v->text.n && !is_address(v->text) && !json_cut_file(&r->upload->form, v->text));
}

static const struct upload_rules file_rules = {
	.keys = { "input", "data", "file", "source" }, .invalid = { 400, 2001, "input is required" }, .too_large_code = 2006,
};

static int put_input(struct request *r, const char *missing, struct buf *p, struct answer *answer)
{
	struct upload_rules rules = file_rules;
	const struct json *v = input_of(r);

	rules.invalid.message = missing;
	if (is_text(r, v)) {
		json_name(p, "text");
		if (v->type == JSON_BOOL)
			json_text(p, v->truth ? "true" : "false");
		else
			json_span(p, v->text);
		return 0;
	}
	return upload_put_one(r, &rules, p, answer);
}

static int hash_prepare(struct request *r, struct buf *p, struct answer *answer)
{
	return put_input(r, "input is required", p, answer);
}

static int hmac_prepare(struct request *r, struct buf *p, struct answer *answer)
{
	static const struct param key = { .name = "key", .aliases = { "secret" }, .in = BODY_QUERY };
	static const struct fault missing = { 400, 2001, "input and key are required" };
	struct span text;

	if (!validate_text(r, &key, &text) || !text.n) {
		answer_fault(answer, &missing);
		return -1;
	}
	return put_input(r, missing.message, p, answer);
}

/* ---- parameters ---- */

static const struct param generate_params[] = {
	{ .name = "type", .in = BODY_QUERY, .kind = PARAM_ENUM, .type = "string", .fallback = "\"uuid\"", .values = id_types },
	{ .name = "version", .in = BODY_QUERY, .kind = PARAM_ENUM, .type = "string", .fallback = "\"v4\"", .values = versions },
	{ .name = "count", .in = BODY_ONLY, .kind = PARAM_NUMBER, .type = "number", .fallback = "1", .min = 1, .max = 100 },
	{ .name = "format", .in = BODY_QUERY, .kind = PARAM_STRING, .type = "string", .note = "of a ULID: each x or X is its next character" },
	{ .name = "namespace", .in = BODY_QUERY, .kind = PARAM_STRING, .type = "string", .note = "UUID, for v3 and v5" },
	{ .name = "name", .in = BODY_QUERY, .kind = PARAM_STRING, .type = "string", .note = "for v3 and v5" },
};
static const struct param validate_params_list[] = {
	{ .name = "value", .in = BODY_QUERY, .kind = PARAM_STRING, .type = "string", .required = true, .missing = { 400, 2001, "value is required" } },
	{ .name = "type", .in = BODY_QUERY, .kind = PARAM_ENUM, .type = "string", .fallback = "\"uuid\"", .values = id_types },
};
static const struct param hash_params[] = {
	INPUT_PARAM, ALGO_PARAM, DIGEST_OUTPUT, ENCODING_PARAM("\"auto\"", "auto: base64 is decoded when it could be nothing else"),
};
static const struct param hmac_params[] = {
	INPUT_PARAM,
	{ .name = "key", .aliases = { "secret" }, .in = BODY_QUERY, .kind = PARAM_STRING, .type = "string", .required = true,
	  .missing = { 400, 2001, "input and key are required" } },
	ALGO_PARAM, DIGEST_OUTPUT, ENCODING_PARAM("\"auto\"", "auto: base64 is decoded when it could be nothing else"),
};
static const struct param base64_params[] = {
	{ .name = "action", .in = BODY_QUERY, .kind = PARAM_ENUM, .type = "string", .fallback = "\"encode\"", .values = actions,
	  .invalid = { 400, 2002, "action must be encode or decode" } },
	INPUT_PARAM,
	{ .name = "output", .in = BODY_QUERY, .kind = PARAM_STRING, .type = "string", .fallback = "\"string\"", .values = outputs,
	  .note = "of decode; url: public address; file: key and signed address; anything else: base64" },
	ENCODING_PARAM("\"utf8\"", "of encode"),
};

#define ONE(variable, text, fields) static const struct success variable[] = { { 200, 1000, text, fields }, { 0 } }
ONE(generated, "Identifiers generated", "data[]");
ONE(validated, "Validation complete", "data.isValid data.type data.version");
ONE(hashed, "Hash generated", "data");
ONE(macked, "HMAC generated", "data");
static const struct success coded[] = {
	{ 200, 1000, "Encoded to base64", "data meta.mode? meta.mimeType? meta.size? meta.key? meta.url?" }, { 200, 1000, "Decoded from base64", NULL }, { 0 }
};

static const struct fault generate_errors[] = {
	{ 400, 2002, "namespace and name required for v3|v5" }, { 400, 2002, "Invalid UUID" }, { 500, 8000, "Internal error" }, { 0 }
};
static const struct fault validate_errors[] = { { 400, 2001, "value is required" }, { 0 } };
#define DIGEST_FAULTS { 400, 2002, "output must be hex, base64, base64url, latin1 or utf8" }, { 400, 2002, "inputEncoding must be utf8, base64, hex or auto" }
static const struct fault hash_errors[] = { { 400, 2002, "Unsupported hash algorithm" }, DIGEST_FAULTS, INPUT_FAULTS("input is required"), { 0 } };
static const struct fault hmac_errors[] = { { 400, 2002, "Unsupported HMAC algorithm" }, DIGEST_FAULTS, INPUT_FAULTS("input and key are required"), { 0 } };
static const struct fault base64_errors[] = {
	{ 400, 2002, "action must be encode or decode" }, { 400, 2002, "inputEncoding must be utf8, base64, hex or auto" }, INPUT_FAULTS("input is required"), { 0 }
};

/* ---- table ---- */

#define TOOL(where, does, kind, list, wins, fails, heading, words) \
	{ .method = "POST", .path = "/api/v1/misc/" where, .name = does, .auth = AUTH_KEY, .scope = SCOPE_READ, .guards = GUARD_RATE, .body = kind, .family = FAMILY_A, \
	  .flags = ROUTE_MISC_FILES | ROUTE_TEXTS_STAY, .params = list, .params_count = COUNT(list), .tag = "Misc", .title = heading, .text = words, .successes = wins, \
	  .errors = fails,
#define END }

static const struct route routes[] = {
	TOOL("uuid/generate", "misc.uuid.generate", BODY_JSON, generate_params, generated, generate_errors, "Make UUIDs or ULIDs",
	     "v3 and v5 give the same value as often as asked for.") END,
	TOOL("uuid/validate", "misc.uuid.validate", BODY_JSON, validate_params_list, validated, validate_errors, "Check a UUID or ULID",
	     "version is null for ULIDs and for what is not valid.") END,
	TOOL("crypto/hash", "misc.hash", BODY_UPLOAD, hash_params, hashed, hash_errors, "Hash a text or file",
	     "Base64 is decoded first where the input could be nothing else; inputEncoding says it for certain.") .prepare = hash_prepare END,
	TOOL("crypto/hmac", "misc.hmac", BODY_UPLOAD, hmac_params, macked, hmac_errors, "HMAC of a text or file",
	     "The key is taken as UTF-8 text.") .prepare = hmac_prepare END,
	TOOL("base64", "misc.base64", BODY_UPLOAD, base64_params, coded, base64_errors, "Encode or decode base64",
	     "encode takes a text as it is; decode is lenient about line breaks and padding.") .prepare = hash_prepare END,
};

extern const struct route_group misc_tools_routes;
const struct route_group misc_tools_routes = { routes, COUNT(routes) };
