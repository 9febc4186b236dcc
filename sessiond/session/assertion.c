/* SPDX-License-Identifier: GPL-3.0-or-later */
/* WebAuthn assertions, see assertion.h. */
#include "sessiond/session/assertion.h"

#include <json-c/json.h>
#include <string.h>

#include "common/limits.h"
#include "sessiond/crypto/crypto.h"

#define ASSERTION_DEPTH 8

static struct json_object *text_member(struct json_object *object, const char *name)
{
	struct json_object *value = NULL;

	if (!json_object_object_get_ex(object, name, &value) || !json_object_is_type(value, json_type_string))
		return NULL;
	return value;
}

static bool copy_member(struct json_object *to, struct json_object *from, const char *name)
{
	struct json_object *value = text_member(from, name);

	if (value == NULL)
		return false;
	json_object_object_add(to, name, json_object_get(value));
	return true;
}

/* NULL if something is missing. */
static struct json_object *normal_form(struct json_object *given)
{
	struct json_object *out = json_object_new_object(), *response = json_object_new_object(), *source = NULL;
	bool complete = json_object_object_get_ex(given, "response", &source) && json_object_is_type(source, json_type_object);

	complete = copy_member(out, given, "id") && copy_member(out, given, "rawId") && copy_member(out, given, "type") && complete;
	json_object_object_add(out, "response", response);
	complete = complete && copy_member(response, source, "clientDataJSON") && copy_member(response, source, "authenticatorData") &&
	           copy_member(response, source, "signature");
	if (complete && !copy_member(response, source, "userHandle"))
		json_object_object_add(response, "userHandle", NULL);
	if (!complete) {
		json_object_put(out);
		return NULL;
	}
	return out;
}

static int append(struct json_object *normal, struct buf *credential_id, struct buf *out)
{
	const char *raw_id = json_object_get_string(text_member(normal, "rawId"));
	size_t length = strlen(raw_id), n = 0;

	if (crypto_unbase64(raw_id, length, buf_reserve(credential_id, length / 4 * 3 + 3), &n) != 0 || n == 0)
		return -1;
	buf_commit(credential_id, n);
	buf_append_text(out, json_object_to_json_string_ext(normal, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	return 0;
}

/* A JSON object within the bounds, or NULL; the caller puts it. */
static struct json_object *parse(const char *json)
{
	struct json_object *object = NULL;
	struct json_tokener *tokener;
	size_t length = strlen(json), end;

	if (length > LIMIT_WA_PAIRING_TEXT)
		return NULL;
	tokener = json_tokener_new_ex(ASSERTION_DEPTH);
	object = json_tokener_parse_ex(tokener, json, (int)length + 1);
	end = json_tokener_get_parse_end(tokener);
	/* Nothing but blanks may follow. */
	if (object != NULL && (!json_object_is_type(object, json_type_object) || (end < length && json[end + strspn(json + end, " \t\r\n")] != '\0'))) {
		json_object_put(object);
		object = NULL;
	}
	json_tokener_free(tokener);
	return object;
}

int assertion_read(const char *json, struct buf *credential_id, struct buf *normal)
{
	struct json_object *given = parse(json), *form = NULL;
	int result = -1;

	if (given != NULL)
		form = normal_form(given);
	if (form != NULL)
		result = append(form, credential_id, normal);
	json_object_put(form);
	json_object_put(given);
	return result;
}

int assertion_options(const char *json, struct buf *out)
{
	struct json_object *options = parse(json);

	if (options == NULL)
		return -1;
	buf_append_text(out, json_object_to_json_string_ext(options, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(options);
	return 0;
}
