/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Stanza trees: building, searching, describing. The codec is in node_encode.c and node_decode.c. */
#include "sessiond/wa/node.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/limits.h"

#define DESCRIBE_VALUE_MAX 96U
#define DESCRIBE_BYTES_MAX 4096U

const char *wa_node_error_text(int error)
{
	static const struct {
		int error;
		const char *text;
	} texts[] = {
		{ WA_NODE_OK, "no error" },
		{ WA_NODE_TRUNCATED, "stanza ends too early" },
		{ WA_NODE_BAD_TOKEN, "invalid byte in stanza" },
		{ WA_NODE_BAD_LIST, "stanza without a tag" },
		{ WA_NODE_BAD_JID, "invalid JID in stanza" },
		{ WA_NODE_TOO_DEEP, "stanza nested too deeply" },
		{ WA_NODE_TOO_BIG, "stanza too big" },
		{ WA_NODE_TRAILING, "bytes after the end of the stanza" },
		{ WA_NODE_INFLATE, "stanza cannot be decompressed" },
	};

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		if (texts[i].error == error)
			return texts[i].text;
	return "unknown stanza error";
}

static const struct wa_attr *find_attr(const struct wa_node *node, const char *key)
{
	for (size_t i = 0; node != NULL && i < node->nattrs; i++)
		if (strcmp(node->attrs[i].key, key) == 0)
			return &node->attrs[i];
	return NULL;
}

/* Room for one more item in a growing array of the arena. */
static void *grown(struct arena *a, void *items, size_t count, size_t *cap, size_t size)
{
	size_t wanted = *cap == 0 ? 4 : 2 * *cap;
	void *bigger;

	if (count < *cap)
		return items;
	bigger = arena_alloc(a, wanted * size);
	if (count > 0)
		memcpy(bigger, items, count * size);
	*cap = wanted;
	return bigger;
}

struct wa_node *wa_node_new(struct arena *a, const char *tag)
{
	struct wa_node *n = arena_alloc(a, sizeof *n);

	n->tag = arena_strdup(a, tag);
	return n;
}

static struct wa_attr *add_attr(struct arena *a, struct wa_node *n, const char *key, const char *text)
{
	struct wa_attr *attr;

	n->attrs = grown(a, n->attrs, n->nattrs, &n->cap_attrs, sizeof *n->attrs);
	attr = &n->attrs[n->nattrs++];
	attr->key = arena_strdup(a, key);
	attr->text = arena_strdup(a, text);
	return attr;
}

void wa_node_attr(struct arena *a, struct wa_node *n, const char *key, const char *text)
{
	if (text != NULL && text[0] != '\0')
		add_attr(a, n, key, text);
}

void wa_node_attr_u64(struct arena *a, struct wa_node *n, const char *key, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof text, "%" PRIu64, value);
	add_attr(a, n, key, text);
}

void wa_node_attr_jid(struct arena *a, struct wa_node *n, const char *key, const struct jid *jid)
{
	char text[JID_TEXT_MAX];
	struct wa_attr *attr;

	if (jid_is_none(jid))
		return;
	attr = add_attr(a, n, key, jid_format(jid, text, sizeof text));
	attr->is_jid = true;
	attr->jid = *jid;
}

void wa_node_attr_server(struct arena *a, struct wa_node *n, const char *key)
{
	struct jid server = { .server = JID_SERVER_PN };

	wa_node_attr_jid(a, n, key, &server);
}

void wa_node_attr_copy(struct arena *a, struct wa_node *n, const char *key, const struct wa_node *from, const char *from_key)
{
	const struct wa_attr *attr = find_attr(from, from_key);

	if (attr != NULL && attr->is_jid)
		wa_node_attr_jid(a, n, key, &attr->jid);
	else if (attr != NULL)
		wa_node_attr(a, n, key, attr->text);
}

struct wa_node *wa_node_add(struct arena *a, struct wa_node *parent, struct wa_node *child)
{
	parent->nodes = grown(a, parent->nodes, parent->nnodes, &parent->cap_nodes, sizeof(struct wa_node *));
	parent->nodes[parent->nnodes++] = child;
	parent->content = WA_CONTENT_NODES;
	return child;
}

struct wa_node *wa_node_add_new(struct arena *a, struct wa_node *parent, const char *tag)
{
	return wa_node_add(a, parent, wa_node_new(a, tag));
}

void wa_node_set_bytes(struct arena *a, struct wa_node *n, struct span bytes)
{
	n->content = WA_CONTENT_BYTES;
	n->bytes = span_of(arena_text(a, bytes.p, bytes.n), bytes.n);
}

void wa_node_set_text(struct arena *a, struct wa_node *n, const char *text)
{
	wa_node_set_bytes(a, n, span_text(text));
}

struct wa_node *wa_node_add_bytes(struct arena *a, struct wa_node *parent, const char *tag, struct span bytes)
{
	struct wa_node *child = wa_node_add_new(a, parent, tag);

	wa_node_set_bytes(a, child, bytes);
	return child;
}

/* A copy of one node without its children. */
static struct wa_node *clone_one(struct arena *a, const struct wa_node *n)
{
	struct wa_node *copy = wa_node_new(a, n->tag);

	for (size_t i = 0; i < n->nattrs; i++) {
		struct wa_attr *attr = add_attr(a, copy, n->attrs[i].key, n->attrs[i].text);

		attr->is_jid = n->attrs[i].is_jid;
		attr->jid = n->attrs[i].jid;
	}
	if (n->content == WA_CONTENT_BYTES || n->content == WA_CONTENT_TEXT)
		wa_node_set_bytes(a, copy, n->bytes);
	copy->content = n->content;
	return copy;
}

struct wa_node *wa_node_clone(struct arena *a, const struct wa_node *n)
{
	/* Depth is bounded by the decoder and the encoder alike. */
	struct {
		const struct wa_node *from;
		struct wa_node *to;
	} open[LIMIT_WA_NODE_DEPTH + 1];
	struct wa_node *root = clone_one(a, n);
	size_t depth = 1;

	open[0].from = n;
	open[0].to = root;
	while (depth > 0) {
		const struct wa_node *from = open[depth - 1].from, *child;
		struct wa_node *to = open[depth - 1].to, *copy;

		if (to->nnodes == from->nnodes) {
			depth--;
			continue;
		}
		child = from->nodes[to->nnodes];
		copy = wa_node_add(a, to, clone_one(a, child));
		if (child->nnodes > 0 && depth <= LIMIT_WA_NODE_DEPTH) {
			open[depth].from = child;
			open[depth++].to = copy;
		}
	}
	return root;
}

const char *wa_node_get(const struct wa_node *n, const char *key)
{
	const struct wa_attr *attr = find_attr(n, key);

	return attr != NULL ? attr->text : NULL;
}

const char *wa_node_get_or_empty(const struct wa_node *n, const char *key)
{
	const struct wa_attr *attr = find_attr(n, key);

	return attr != NULL ? attr->text : "";
}

bool wa_node_get_jid(const struct wa_node *n, const char *key, struct jid *out)
{
	const struct wa_attr *attr = find_attr(n, key);

	if (attr == NULL)
		return false;
	if (!attr->is_jid)
		return jid_parse_text(out, attr->text) == 0;
	*out = attr->jid;
	return true;
}

bool wa_node_get_u64(const struct wa_node *n, const char *key, uint64_t *out)
{
	const char *text = wa_node_get_or_empty(n, key);
	uint64_t value = 0;

	if (text[0] == '\0')
		return false;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9' || __builtin_mul_overflow(value, 10U, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*text - '0'), &value))
			return false;
	}
	*out = value;
	return true;
}

bool wa_node_get_is(const struct wa_node *n, const char *key, const char *value)
{
	const struct wa_attr *attr = find_attr(n, key);

	return attr != NULL && strcmp(attr->text, value) == 0;
}

bool wa_node_get_server(const struct wa_node *n, const char *key)
{
	struct jid jid;

	return wa_node_get_jid(n, key, &jid) && jid_is_pn(&jid) && jid.user[0] == '\0';
}

bool wa_node_is(const struct wa_node *n, const char *tag)
{
	return n != NULL && strcmp(n->tag, tag) == 0;
}

const struct wa_node *wa_node_child(const struct wa_node *n, const char *tag)
{
	for (size_t i = 0; n != NULL && i < n->nnodes; i++)
		if (strcmp(n->nodes[i]->tag, tag) == 0)
			return n->nodes[i];
	return NULL;
}

const struct wa_node *wa_node_first(const struct wa_node *n)
{
	return n != NULL && n->nnodes > 0 ? n->nodes[0] : NULL;
}

struct span wa_node_content(const struct wa_node *n)
{
	if (n == NULL || (n->content != WA_CONTENT_BYTES && n->content != WA_CONTENT_TEXT))
		return span_of(NULL, 0);
	return n->bytes;
}

struct span wa_node_child_content(const struct wa_node *n, const char *tag)
{
	return wa_node_content(wa_node_child(n, tag));
}

static void describe_text(struct buf *out, const char *text)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < len && i < DESCRIBE_VALUE_MAX; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c < 0x20 || c == '"' || c == 0x7f)
			buf_printf(out, "\\x%02x", c);
		else
			buf_u8(out, c);
	}
	if (len > DESCRIBE_VALUE_MAX)
		buf_printf(out, "...(%zu)", len);
}

/* The opening tag, closed at once if no children follow. */
static void describe_one(struct buf *out, const struct wa_node *n)
{
	buf_u8(out, '<');
	describe_text(out, n->tag);
	for (size_t i = 0; i < n->nattrs; i++) {
		buf_u8(out, ' ');
		describe_text(out, n->attrs[i].key);
		buf_append_text(out, "=\"");
		describe_text(out, n->attrs[i].text);
		buf_u8(out, '"');
	}
	if (n->content == WA_CONTENT_BYTES || n->content == WA_CONTENT_TEXT)
		buf_printf(out, ">{%zu bytes}</%s>", n->bytes.n, n->tag);
	else
		buf_append_text(out, n->nnodes > 0 ? ">" : "/>");
}

void wa_node_describe(struct buf *out, const struct wa_node *n)
{
	struct {
		const struct wa_node *node;
		size_t done;
	} open[LIMIT_WA_NODE_DEPTH + 1];
	size_t depth = 0, start = out->len;

	describe_one(out, n);
	open[depth].node = n;
	open[depth++].done = 0;
	while (depth > 0 && out->len - start < DESCRIBE_BYTES_MAX) {
		const struct wa_node *node = open[depth - 1].node, *child;

		if (open[depth - 1].done == node->nnodes) {
			if (node->nnodes > 0)
				buf_printf(out, "</%s>", node->tag);
			depth--;
			continue;
		}
		child = node->nodes[open[depth - 1].done++];
		describe_one(out, child);
		if (depth <= LIMIT_WA_NODE_DEPTH) {
			open[depth].node = child;
			open[depth++].done = 0;
		}
	}
	if (depth > 0)
		buf_append_text(out, " ...");
}
