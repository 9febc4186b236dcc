/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Texts with variables, see template.h. */
#include "sessiond/campaign/template.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

struct variable {
	char name[TEMPLATE_NAME_MAX + 1];
	bool has_fallback;
	struct span fallback;
	struct span whole; /* as it stands, braces included */
};

static struct span trim(struct span s)
{
	while (s.n && isspace(s.p[0]))
		s = span_of(s.p + 1, s.n - 1);
	while (s.n && isspace(s.p[s.n - 1]))
		s.n--;
	return s;
}

static bool is_name(struct span s)
{
	if (s.n == 0 || s.n > TEMPLATE_NAME_MAX)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (!isalnum(s.p[i]) && s.p[i] != '_' && s.p[i] != '.' && s.p[i] != '-')
			return false;
	}
	return true;
}

static size_t find_two(struct span s, char c)
{
	for (size_t i = 0; i + 1 < s.n; i++) {
		if (s.p[i] == (uint8_t)c && s.p[i + 1] == (uint8_t)c)
			return i;
	}
	return s.n;
}

/* The variable that begins where s begins; false: "{{" is only text here. */
static bool read_variable(struct span s, struct variable *v)
{
	size_t end = find_two(span_of(s.p + 2, s.n - 2), '}');
	struct span inside, name;
	const uint8_t *bar;

	if (end == s.n - 2)
		return false;
	inside = name = span_of(s.p + 2, end);
	bar = inside.n ? memchr(inside.p, '|', inside.n) : NULL;
	v->has_fallback = bar != NULL;
	if (bar) {
		name.n = (size_t)(bar - inside.p);
		v->fallback = trim(span_of(bar + 1, inside.n - name.n - 1));
	}
	name = trim(name);
	if (!is_name(name))
		return false;
	memcpy(v->name, name.p, name.n);
	v->name[name.n] = '\0';
	v->whole = span_of(s.p, end + 4);
	return true;
}

static const char *value_in(struct json_object *values, const char *name)
{
	struct json_object *value = NULL;

	if (!values || !json_object_object_get_ex(values, name, &value) || !value || json_object_is_type(value, json_type_object) ||
	    json_object_is_type(value, json_type_array))
		return NULL;
	return json_object_get_string(value);
}

static bool put_value(struct buf *out, const struct variable *v, struct template_values *values)
{
	const char *value = value_in(values->own, v->name);

	if (!value)
		value = value_in(values->common, v->name);
	if (!value && strcmp(v->name, "phone") == 0)
		value = values->phone;
	if (value)
		buf_append_text(out, value);
	else if (v->has_fallback)
		buf_append_span(out, v->fallback);
	else if (values->missing == TEMPLATE_KEEP)
		buf_append_span(out, v->whole);
	else if (values->missing == TEMPLATE_FAIL)
		memcpy(values->lacking, v->name, sizeof v->name);
	return value || v->has_fallback || values->missing != TEMPLATE_FAIL;
}

bool template_text(struct buf *out, struct span text, struct template_values *values)
{
	while (text.n) {
		size_t plain = find_two(text, '{');
		struct variable v;

		buf_append_span(out, span_of(text.p, plain));
		text = span_of(text.p + plain, text.n - plain);
		if (!text.n)
			break;
		if (!read_variable(text, &v)) {
			buf_append_span(out, span_of(text.p, 1));
			text = span_of(text.p + 1, text.n - 1);
			continue;
		}
		if (!put_value(out, &v, values))
			return false;
		text = span_of(text.p + v.whole.n, text.n - v.whole.n);
	}
	return true;
}

static struct span text_of(struct json_object *value)
{
	return span_of(json_object_get_string(value), (size_t)json_object_get_string_len(value));
}

static struct json_object *render_text(struct json_object *value, struct template_values *values)
{
	struct buf out = { 0 };
	struct json_object *made = NULL;

	if (template_text(&out, text_of(value), values))
		made = json_object_new_string_len(buf_text(&out), (int)out.len);
	buf_wipe(&out);
	return made;
}

/* Not deeper than what was parsed: RPC frames have a bound. */
static struct json_object *render(struct json_object *tree, struct template_values *values) /* NOLINT(misc-no-recursion) */
{
	struct json_object *made = NULL;

	if (json_object_is_type(tree, json_type_string))
		return render_text(tree, values);
	if (json_object_is_type(tree, json_type_array)) {
		made = json_object_new_array();
		for (size_t i = 0; i < json_object_array_length(tree); i++) {
			struct json_object *item = json_object_array_get_idx(tree, i), *copy = item ? render(item, values) : NULL;

			if (item && !copy) {
				json_object_put(made);
				return NULL;
			}
			json_object_array_add(made, copy);
		}
	} else if (json_object_is_type(tree, json_type_object)) {
		made = json_object_new_object();
		json_object_object_foreach(tree, name, item) {
			struct json_object *copy = item ? render(item, values) : NULL;

			if (item && !copy) {
				json_object_put(made);
				return NULL;
			}
			json_object_object_add(made, name, copy);
		}
	} else {
		made = json_object_get(tree);
	}
	return made;
}

struct json_object *template_tree(struct json_object *tree, struct template_values *values)
{
	return render(tree, values);
}

static bool in_text(struct span text)
{
	struct variable v;

	while (text.n) {
		size_t plain = find_two(text, '{');

		text = span_of(text.p + plain, text.n - plain);
		if (text.n && read_variable(text, &v))
			return true;
		if (text.n)
			text = span_of(text.p + 1, text.n - 1);
	}
	return false;
}

bool template_in_tree(struct json_object *tree) /* NOLINT(misc-no-recursion) */
{
	if (json_object_is_type(tree, json_type_string))
		return in_text(text_of(tree));
	for (size_t i = 0; json_object_is_type(tree, json_type_array) && i < json_object_array_length(tree); i++) {
		if (template_in_tree(json_object_array_get_idx(tree, i)))
			return true;
	}
	if (json_object_is_type(tree, json_type_object)) {
		json_object_object_foreach(tree, name, item) {
			(void)name;
			if (template_in_tree(item))
				return true;
		}
	}
	return false;
}
