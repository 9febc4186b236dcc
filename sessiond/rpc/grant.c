/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sessiond/rpc/grant.h"

#include <stdio.h>
#include <string.h>

#include "sessiond/json_text.h"

enum { NAME_MAX_BYTES = 100, LIST_MAX_BYTES = 20000 };

/* The member; false: it is not there at all. */
static bool given(struct json_object *p, const char *name, struct json_object **value)
{
	return json_object_object_get_ex(p, name, value);
}

static bool is_word(struct json_object *value)
{
	const char *text = json_object_is_type(value, json_type_string) ? json_object_get_string(value) : "";

	return text[0] && !strchr(text, ' ') && strlen(text) == (size_t)json_object_get_string_len(value);
}

/* Texts of an array, blank-separated, in the arena; NULL for null. */
static int read_list(struct json_object *value, const char *name, struct arena *arena, const char **list, char *why, size_t why_len)
{
	size_t count = json_object_is_type(value, json_type_array) ? json_object_array_length(value) : 0;
	struct buf out = { 0 };
	bool good = count > 0;

	*list = NULL;
	if (json_object_is_type(value, json_type_null))
		return 0;
	for (size_t i = 0; i < count && good; i++) {
		struct json_object *item = json_object_array_get_idx(value, i);

		good = is_word(item) && out.len < LIST_MAX_BYTES;
		if (good) {
			buf_append_text(&out, out.len > 0 ? " " : "");
			buf_append_text(&out, json_object_get_string(item));
		}
	}
	if (good)
		*list = arena_text(arena, out.data, out.len);
	else
		snprintf(why, why_len, "%s must be an array of texts with at least one of them, or null for no limit", name);
	buf_free(&out);
	return good ? 0 : -1;
}

static int read_scopes(struct json_object *value, struct arena *arena, struct store_grant *grant, char *why, size_t why_len)
{
	const char *list;
	unsigned scopes = 0;

	if (read_list(value, "scopes", arena, &list, why, why_len))
		return -1;
	if (!list) {
		grant->scopes = SCOPE_ALL;
		return 0;
	}
	for (size_t len; *list; list += len + (list[len] == ' ')) {
		unsigned scope;

		len = strcspn(list, " ");
		scope = scope_of_name(list, len);
		if (scope == SCOPE_NONE) {
			snprintf(why, why_len, "scopes: \"%.*s\" is none of read, send, manage, admin", (int)(len > 40 ? 40 : len), list);
			return -1;
		}
		scopes |= scope;
	}
	grant->scopes = scopes;
	return 0;
}

static int read_name(struct json_object *value, struct arena *arena, struct store_grant *grant, char *why, size_t why_len)
{
	const char *text = json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;

	if (!text && !json_object_is_type(value, json_type_null)) {
		snprintf(why, why_len, "name must be a text");
		return -1;
	}
	if (text && strlen(text) > NAME_MAX_BYTES) {
		snprintf(why, why_len, "name has more than %d bytes", NAME_MAX_BYTES);
		return -1;
	}
	grant->label = text ? arena_strdup(arena, text) : NULL;
	return 0;
}

static int read_expiry(struct json_object *value, int64_t now_ms, struct store_grant *grant, char *why, size_t why_len)
{
	grant->expires_ms = 0;
	if (json_object_is_type(value, json_type_null))
		return 0;
	grant->expires_ms = json_object_get_int64(value);
	if (!json_object_is_type(value, json_type_int) || grant->expires_ms <= now_ms) {
		snprintf(why, why_len, "expiresAt must be a time to come");
		return -1;
	}
	return 0;
}

/* What the members say together. */
static int check_whole(struct store_grant *grant, bool admin, bool scopes_named, char *why, size_t why_len)
{
	struct reach *reach;

	if (scopes_named && (grant->scopes & SCOPE_ADMIN) && !admin) {
		snprintf(why, why_len, "scopes: admin is for keys of administrators");
		return -1;
	}
	if (scopes_named && (grant->scopes & SCOPE_ADMIN) && grant->sessions) {
		snprintf(why, why_len, "scopes: admin reaches every session, so it cannot go with a list of sessions");
		return -1;
	}
	/* "all" next to a list of sessions */
	if (grant->sessions)
		grant->scopes &= ~(unsigned)SCOPE_ADMIN;
	if (reach_new(&reach, grant->sessions, grant->networks, why, why_len))
		return -1;
	reach_drop(reach);
	return 0;
}

int grant_read(struct json_object *p, struct arena *arena, bool admin, int64_t now_ms, struct store_grant *grant, char *why, size_t why_len)
{
	struct json_object *value = NULL, *scopes = NULL;

	if (given(p, "name", &value) && read_name(value, arena, grant, why, why_len))
		return -1;
	if (given(p, "scopes", &scopes) && read_scopes(scopes, arena, grant, why, why_len))
		return -1;
	if (given(p, "sessions", &value) && read_list(value, "sessions", arena, &grant->sessions, why, why_len))
		return -1;
	if (given(p, "networks", &value) && read_list(value, "networks", arena, &grant->networks, why, why_len))
		return -1;
	if (given(p, "expiresAt", &value) && read_expiry(value, now_ms, grant, why, why_len))
		return -1;
	return check_whole(grant, admin, scopes != NULL, why, why_len);
}

bool grant_is_within(const struct store_grant *grant, const struct grant_powers *powers)
{
	struct reach *reach;
	char why[160];
	bool within;

	if (grant->scopes & ~powers->scopes)
		return false;
	if (powers->expires_ms > 0 && (grant->expires_ms == 0 || grant->expires_ms > powers->expires_ms))
		return false;
	if (reach_new(&reach, grant->sessions, grant->networks, why, sizeof why))
		return false;
	within = reach_within(reach, powers->reach);
	reach_drop(reach);
	return within;
}

static void put_list(struct buf *out, const char *name, const char *list)
{
	json_put_name(out, name);
	if (!list || !list[0]) {
		buf_append_text(out, "null");
		return;
	}
	buf_u8(out, '[');
	for (size_t len; *list; list += len + (list[len] == ' ')) {
		len = strcspn(list, " ");
		if (out->data[out->len - 1] != '[')
			buf_u8(out, ',');
		json_put_span(out, span_of(list, len));
	}
	buf_u8(out, ']');
}

void grant_put(struct buf *out, const struct store_grant *grant, bool admin)
{
	unsigned scopes = admin ? grant->scopes : grant->scopes & ~(unsigned)SCOPE_ADMIN;

	json_put_member(out, "name", grant->label);
	json_put_name(out, "scopes");
	buf_u8(out, '[');
	for (unsigned scope = 1; scope <= SCOPE_ADMIN; scope <<= 1) {
		if (!(scopes & scope))
			continue;
		if (out->data[out->len - 1] != '[')
			buf_u8(out, ',');
		json_put_string(out, scope_name(scope));
	}
	buf_u8(out, ']');
	put_list(out, "sessions", grant->sessions);
	put_list(out, "networks", grant->networks);
	if (grant->expires_ms > 0)
		json_put_time(out, "expiresAt", grant->expires_ms);
	else
		json_put_raw(out, "expiresAt", "null");
}
