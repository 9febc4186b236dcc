/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a request says about a webhook (see hook_input.h). */
#include "sessiond/rpc/hook_input.h"

#include <stdlib.h>
#include <string.h>

#include "sessiond/net/http.h"
#include "sessiond/webhook/target.h"
#include "sessiond/webhook/webhook.h"

static const char *text_of(struct json_object *value)
{
	return json_object_is_type(value, json_type_string) && strlen(json_object_get_string(value)) == (size_t)json_object_get_string_len(value)
		? json_object_get_string(value) : NULL;
}

static const char *read_name(struct json_object *value, struct arena *arena, struct store_webhook *webhook)
{
	const char *text = text_of(value);

	if (!text || !*text || strlen(text) > HOOK_NAME_MAX)
		return "name must be a text of 1 to 100 bytes";
	for (const char *c = text; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			return "name may hold no control characters";
	webhook->name = arena_strdup(arena, text);
	return NULL;
}

static const char *read_url(struct json_object *value, struct arena *arena, struct store_webhook *webhook)
{
	const char *text = text_of(value);

	if (!text || strlen(text) > HOOK_URL_MAX || !http_url_is_valid(text))
		return "Invalid webhook URL";
	webhook->url = arena_strdup(arena, text);
	return NULL;
}

static const char *read_secret(struct json_object *value, struct arena *arena, struct store_webhook *webhook)
{
	const char *text = text_of(value);

	if (!text || strlen(text) < WEBHOOK_SECRET_MIN || strlen(text) > HOOK_SECRET_MAX)
		return "secret must have 6 to 200 bytes";
	webhook->secret = arena_strdup(arena, text);
	webhook->next_secret = NULL;
	webhook->rotates_ms = 0;
	return NULL;
}

static const char *read_events(struct json_object *value, struct arena *arena, struct store_webhook *webhook)
{
	struct buf list = { 0 };

	if (value && !json_object_is_type(value, json_type_array))
		return "events must be an array of names, or null";
	for (size_t i = 0; value && i < json_object_array_length(value); i++) {
		const char *text = text_of(json_object_array_get_idx(value, i));

		if (!text || !target_event_is_known(text)) {
			buf_free(&list);
			return arena_printf(arena, "events: \"%.60s\" is no event", text ? text : "");
		}
		if (list.len)
			buf_u8(&list, ' ');
		buf_append_text(&list, text);
	}
	webhook->events = list.len ? arena_text(arena, list.data, list.len) : "";
	buf_free(&list);
	/* An empty list would be a receiver of nothing. */
	return value && !webhook->events[0] ? "events must name at least one event, or be null" : NULL;
}

static const char *read_algorithm(struct json_object *value, struct arena *arena, struct store_webhook *webhook)
{
	static const char *const names[] = { "sha224", "sha256", "sha384", "sha512" };
	const char *text = text_of(value);

	(void)arena;
	webhook->bits = 0;
	for (size_t i = 0; text && i < sizeof names / sizeof names[0]; i++)
		if (strcmp(text, names[i]) == 0)
			webhook->bits = (int)strtol(names[i] + 3, NULL, 10);
	return value && !webhook->bits ? "algorithm must be sha224, sha256, sha384, sha512 or null" : NULL;
}

static const char *read_order(struct json_object *value, struct arena *arena, struct store_webhook *webhook)
{
	enum target_scope scope;

	if (!target_scope_of(text_of(value), &scope))
		return "order must be chat, session or none";
	webhook->scope = arena_strdup(arena, json_object_get_string(value));
	return NULL;
}

static const char *read_concurrency(struct json_object *value, struct arena *arena, struct store_webhook *webhook)
{
	int64_t n = json_object_is_type(value, json_type_int) ? json_object_get_int64(value) : 0;

	(void)arena;
	if (n < 1 || n > (int64_t)TARGET_PARALLEL_MAX)
		return "concurrency must be 1 to 32";
	webhook->parallel = (int)n;
	return NULL;
}

static const char *read_timeout(struct json_object *value, struct arena *arena, struct store_webhook *webhook)
{
	int64_t ms = json_object_is_type(value, json_type_int) ? json_object_get_int64(value) : 0;

	(void)arena;
	if (value && (ms < TARGET_TIMEOUT_MIN_MS || ms > TARGET_TIMEOUT_MAX_MS))
		return "timeoutMs must be 100 to 600000, or null";
	webhook->timeout_ms = ms;
	return NULL;
}

static const char *read_actions(struct json_object *value, struct arena *arena, struct store_webhook *webhook)
{
	(void)arena;
	if (!json_object_is_type(value, json_type_boolean))
		return "actions must be true or false";
	webhook->actions = json_object_get_boolean(value);
	return NULL;
}

static const char *read_enabled(struct json_object *value, struct arena *arena, struct store_webhook *webhook)
{
	(void)arena;
	if (!json_object_is_type(value, json_type_boolean))
		return "enabled must be true or false";
	webhook->enabled = json_object_get_boolean(value);
	return NULL;
}

static const char *read_headers(struct json_object *value, struct arena *arena, struct store_webhook *webhook)
{
	struct buf lines = { 0 };
	const char *fault = NULL;

	if (value && !json_object_is_type(value, json_type_object))
		return "headers must be an object of texts, or null";
	if (value && json_object_object_length(value) > (int)TARGET_HEADERS_MAX)
		return "headers may be 20 at most";
	for (struct json_object_iterator i = json_object_iter_begin(value), end = json_object_iter_end(value);
	     value && !fault && !json_object_iter_equal(&i, &end); json_object_iter_next(&i)) {
		const char *name = json_object_iter_peek_name(&i), *text = text_of(json_object_iter_peek_value(&i));
		const char *why = text ? target_header_fault(name, text) : "must be a text";

		if (why)
			fault = arena_printf(arena, "headers: %.64s %s", name, why);
		else
			buf_printf(&lines, "%s: %s\n", name, text);
	}
	webhook->headers = !fault && lines.len ? arena_text(arena, lines.data, lines.len) : NULL;
	buf_wipe(&lines);
	return fault;
}

const char *hook_input_read(struct json_object *p, struct arena *arena, struct store_webhook *webhook)
{
	static const struct {
		const char *name;
		const char *(*read)(struct json_object *value, struct arena *arena, struct store_webhook *webhook);
	} members[] = {
		{ "name", read_name }, { "url", read_url }, { "secret", read_secret }, { "events", read_events }, { "algorithm", read_algorithm },
		{ "order", read_order }, { "concurrency", read_concurrency }, { "headers", read_headers }, { "enabled", read_enabled },
		{ "timeoutMs", read_timeout }, { "actions", read_actions },
	};
	const char *fault = NULL;

	for (size_t i = 0; !fault && i < sizeof members / sizeof members[0]; i++) {
		struct json_object *value = NULL;

		if (json_object_object_get_ex(p, members[i].name, &value))
			fault = members[i].read(value, arena, webhook);
	}
	return fault;
}

void hook_secrets(const struct store_webhook *webhook, int64_t now_ms, const char **first, const char **second)
{
	bool rotated = webhook->next_secret && now_ms >= webhook->rotates_ms;

	*first = rotated ? webhook->next_secret : webhook->secret;
	*second = rotated ? NULL : webhook->next_secret;
}
