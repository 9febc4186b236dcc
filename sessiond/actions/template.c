/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Expansion of {{paths}}, see template.h. */
#include "sessiond/actions/template.h"

#include <string.h>

/* One more part of a path is longer than any member's name that we make. */
#define PART_MAX 256

static struct json_object *member(struct json_object *value, const char *part, size_t len)
{
	char name[PART_MAX];
	size_t index = 0;

	if (len == 0 || len >= sizeof name)
		return NULL;
	memcpy(name, part, len);
	name[len] = '\0';
	if (json_object_is_type(value, json_type_object))
		return json_object_object_get(value, name);
	if (!json_object_is_type(value, json_type_array) || len > 6)
		return NULL;
	for (size_t i = 0; i < len; i++) {
		if (name[i] < '0' || name[i] > '9')
			return NULL;
		index = index * 10 + (size_t)(name[i] - '0');
	}
	return index < json_object_array_length(value) ? json_object_array_get_idx(value, index) : NULL;
}

static struct json_object *follow(struct json_object *value, const char *path, size_t len)
{
	while (value) {
		const char *dot = memchr(path, '.', len);
		size_t n = dot ? (size_t)(dot - path) : len;

		value = member(value, path, n);
		if (!dot)
			return value;
		path = dot + 1;
		len -= n + 1;
	}
	return NULL;
}

struct json_object *expand_find(struct json_object *envelope, const char *path, size_t len)
{
	struct json_object *data = json_object_object_get(envelope, "data");
	const char *dot = memchr(path, '.', len);
	struct json_object *first = member(data, path, dot ? (size_t)(dot - path) : len);

	return follow(first ? data : envelope, path, len);
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool append(struct buf *out, const char *text, size_t len, size_t *left)
{
	if (len > *left)
		return false;
	*left -= len;
	buf_append(out, text, len);
	return true;
}

static bool put_value(struct buf *out, struct json_object *value, size_t *left)
{
	const char *text;

	if (!value)
		return true;
	if (json_object_is_type(value, json_type_string))
		return append(out, json_object_get_string(value), (size_t)json_object_get_string_len(value), left);
	text = json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
	return append(out, text, strlen(text), left);
}

/* The next "{{path}}" in the text: where it begins and ends, and the path without spaces around it. */
struct place {
	const char *from, *behind, *path;
	size_t len;
};

static const char *find_pair(const char *text, const char *end, char c)
{
	for (; text + 1 < end; text++)
		if (text[0] == c && text[1] == c)
			return text;
	return NULL;
}

static bool next_place(const char *text, const char *end, struct place *place)
{
	const char *close;

	place->from = find_pair(text, end, '{');
	if (!place->from)
		return false;
	/* "{{{a}}": the braces next to the path count. */
	while (place->from + 2 < end && place->from[2] == '{')
		place->from++;
	place->path = place->from + 2;
	close = find_pair(place->path, end, '}');
	if (!close)
		return false;
	place->behind = close + 2;
	while (place->path < close && is_space(*place->path))
		place->path++;
	while (close > place->path && is_space(close[-1]))
		close--;
	place->len = (size_t)(close - place->path);
	return true;
}

static bool expand(struct buf *out, struct json_object *envelope, const char *text, size_t len, size_t *left)
{
	const char *end = text + len;
	struct place place;

	while (next_place(text, end, &place)) {
		if (!append(out, text, (size_t)(place.from - text), left) || !put_value(out, expand_find(envelope, place.path, place.len), left))
			return false;
		text = place.behind;
	}
	return append(out, text, (size_t)(end - text), left);
}

bool expand_text(struct buf *out, struct json_object *envelope, const char *text, size_t len, size_t max)
{
	return expand(out, envelope, text, len, &max);
}

static struct json_object *copy_string(struct json_object *envelope, struct json_object *value, size_t *left)
{
	struct json_object *copy = NULL;
	struct buf text = { 0 };

	if (expand(&text, envelope, json_object_get_string(value), (size_t)json_object_get_string_len(value), left))
		copy = json_object_new_string_len(text.len ? (const char *)text.data : "", (int)text.len);
	buf_free(&text);
	return copy;
}

static struct json_object *copy_array(struct json_object *envelope, struct json_object *value, size_t *left)
{
	struct json_object *copy = json_object_new_array();
	size_t n = json_object_array_length(value);

	for (size_t i = 0; i < n; i++) {
		struct json_object *item = json_object_array_get_idx(value, i), *made = expand_value(envelope, item, left);

		if (item && !made) {
			json_object_put(copy);
			return NULL;
		}
		json_object_array_add(copy, made);
	}
	return copy;
}

static struct json_object *copy_object(struct json_object *envelope, struct json_object *value, size_t *left)
{
	struct json_object *copy = json_object_new_object();

	json_object_object_foreach(value, name, item) {
		struct json_object *made = expand_value(envelope, item, left);

		if (item && !made) {
			json_object_put(copy);
			return NULL;
		}
		json_object_object_add(copy, name, made);
	}
	return copy;
}

struct json_object *expand_value(struct json_object *envelope, struct json_object *value, size_t *left)
{
	switch (json_object_get_type(value)) {
	case json_type_string:
		return copy_string(envelope, value, left);
	case json_type_array:
		return copy_array(envelope, value, left);
	case json_type_object:
		return copy_object(envelope, value, left);
	case json_type_null:
	case json_type_boolean:
	case json_type_double:
	case json_type_int:
		break;
	}
	return json_object_get(value);
}
