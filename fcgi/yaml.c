/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Our own JSON as block YAML, see openapi.h. Needs trusted input of moderate depth. */
#include "fcgi/json_out.h"
#include "fcgi/openapi.h"

static void indent(struct buf *out, unsigned depth)
{
	while (depth--)
		buf_append_text(out, "  ");
}

static void write_value(struct buf *out, const struct json *v, unsigned depth);

static void write_children(struct buf *out, const struct json *v, unsigned depth)
{
	for (const struct json *c = v->first; c; c = c->next) {
		indent(out, depth);
		if (v->type == JSON_ARRAY) {
			buf_append_text(out, "-");
		} else {
			json_span(out, c->name);
			buf_append_text(out, ":");
		}
		write_value(out, c, depth + 1);
	}
}

/* Behind "name:" or "-": the value on the same line, or its children on lines of their own. */
static void write_value(struct buf *out, const struct json *v, unsigned depth)
{
	struct buf scalar;

	if ((v->type == JSON_ARRAY || v->type == JSON_OBJECT) && v->first) {
		buf_append_text(out, "\n");
		write_children(out, v, depth);
		return;
	}
	buf_init(&scalar);
	json_tree(&scalar, v);
	buf_append_text(out, " ");
	buf_append_span(out, buf_span(&scalar));
	buf_append_text(out, "\n");
	buf_free(&scalar);
}

void yaml_from_json(struct buf *out, struct span json)
{
	struct arena arena;
	const char *error;
	struct json *root;

	arena_init(&arena, 0);
	root = json_parse(&arena, json, &error);
	if (root)
		write_children(out, root, 0);
	arena_free(&arena);
}
