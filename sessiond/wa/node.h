/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Stanzas: trees of nodes, and their binary form. Nodes live in an arena and are never freed one by one.
 *
 *     node = list(size) tag attr* [content]       size = 1 + 2*attributes + (content ? 1 : 0)
 *
 * Source: Baileys WABinary/{encode,decode}.ts, whatsmeow binary/{encoder,decoder}.go.
 */
#ifndef SESSIOND_WA_NODE_H
#define SESSIOND_WA_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/buf.h"
#include "common/jid.h"

struct wa_attr {
	const char *key;
	const char *text; /* always set: for a JID its text form */
	bool is_jid;      /* written with a JID token */
	struct jid jid;   /* valid if is_jid */
};

enum wa_content { WA_CONTENT_NONE, WA_CONTENT_NODES, WA_CONTENT_BYTES, WA_CONTENT_TEXT };

struct wa_node {
	const char *tag;
	struct wa_attr *attrs;
	size_t nattrs, cap_attrs;
	enum wa_content content;
	struct wa_node **nodes; /* WA_CONTENT_NODES */
	size_t nnodes, cap_nodes;
	struct span bytes;      /* WA_CONTENT_BYTES and WA_CONTENT_TEXT; memory of the arena */
};

/* ---- building: arguments are copied into the arena ---- */
struct wa_node *wa_node_new(struct arena *a, const char *tag);
void wa_node_attr(struct arena *a, struct wa_node *n, const char *key, const char *text); /* NULL or "" is left out */
void wa_node_attr_u64(struct arena *a, struct wa_node *n, const char *key, uint64_t value);
void wa_node_attr_jid(struct arena *a, struct wa_node *n, const char *key, const struct jid *jid);
void wa_node_attr_server(struct arena *a, struct wa_node *n, const char *key); /* s.whatsapp.net */
/* Appends a child and returns it. */
struct wa_node *wa_node_add(struct arena *a, struct wa_node *parent, struct wa_node *child);
struct wa_node *wa_node_add_new(struct arena *a, struct wa_node *parent, const char *tag);
void wa_node_set_bytes(struct arena *a, struct wa_node *n, struct span bytes);
void wa_node_set_text(struct arena *a, struct wa_node *n, const char *text);

/* ---- reading: NULL, 0 or an empty span where there is nothing ---- */
const char *wa_node_get(const struct wa_node *n, const char *key);
/* Text of an attribute or "". */
const char *wa_node_get_or_empty(const struct wa_node *n, const char *key);
/* False if absent or no JID. */
bool wa_node_get_jid(const struct wa_node *n, const char *key, struct jid *out);
/* Decimal; false if absent, malformed or too large. */
bool wa_node_get_u64(const struct wa_node *n, const char *key, uint64_t *out);
bool wa_node_is(const struct wa_node *n, const char *tag);
const struct wa_node *wa_node_child(const struct wa_node *n, const char *tag);
const struct wa_node *wa_node_first(const struct wa_node *n);
/* Bytes or text content, whichever came. */
struct span wa_node_content(const struct wa_node *n);

/* ---- wire ---- */
enum wa_node_error {
	WA_NODE_OK = 0, WA_NODE_TRUNCATED = -1, WA_NODE_BAD_TOKEN = -2, WA_NODE_BAD_LIST = -3, WA_NODE_TOO_DEEP = -4,
	WA_NODE_TOO_BIG = -5, WA_NODE_TRAILING = -6, WA_NODE_BAD_JID = -7, WA_NODE_INFLATE = -8
};

/* A stanza as it stands in a transport frame: one flag byte, then the node, maybe deflated. Strings point into the arena. */
int wa_node_decode(struct arena *a, struct span frame, struct wa_node **out);
/* Appends flag byte 00 and the node. 0, or WA_NODE_BAD_JID / WA_NODE_TOO_BIG. */
int wa_node_encode(struct buf *out, const struct wa_node *n);
/* XML-like text for logs: attributes of secrets and binary content are replaced by their length. */
void wa_node_describe(struct buf *out, const struct wa_node *n);

#endif
