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
	struct span bytes;      /* WA_CONTENT_BYTES and WA_CONTENT_TEXT; of the arena, a zero byte follows */
};

/* ---- building: arguments are copied into the arena, which must have no limit ---- */
struct wa_node *wa_node_new(struct arena *a, const char *tag);
void wa_node_attr(struct arena *a, struct wa_node *n, const char *key, const char *text); /* NULL or "" is left out */
void wa_node_attr_u64(struct arena *a, struct wa_node *n, const char *key, uint64_t value);
void wa_node_attr_jid(struct arena *a, struct wa_node *n, const char *key, const struct jid *jid);
void wa_node_attr_server(struct arena *a, struct wa_node *n, const char *key); /* s.whatsapp.net */
/* Copies an attribute of another node, if it is there, as what it came (JID or text). */
void wa_node_attr_copy(struct arena *a, struct wa_node *n, const char *key, const struct wa_node *from, const char *from_key);
/* Appends a child and returns it. */
struct wa_node *wa_node_add(struct arena *a, struct wa_node *parent, struct wa_node *child);
struct wa_node *wa_node_add_new(struct arena *a, struct wa_node *parent, const char *tag);
void wa_node_set_bytes(struct arena *a, struct wa_node *n, struct span bytes);
void wa_node_set_text(struct arena *a, struct wa_node *n, const char *text);
/* A new child that holds these bytes. */
struct wa_node *wa_node_add_bytes(struct arena *a, struct wa_node *parent, const char *tag, struct span bytes);
/* Deep copy into another arena. */
struct wa_node *wa_node_clone(struct arena *a, const struct wa_node *n);

/* ---- reading: NULL, 0 or an empty span where there is nothing ---- */
const char *wa_node_get(const struct wa_node *n, const char *key);
/* Text of an attribute or "". */
const char *wa_node_get_or_empty(const struct wa_node *n, const char *key);
/* False if absent or no JID. */
bool wa_node_get_jid(const struct wa_node *n, const char *key, struct jid *out);
/* Decimal; false if absent, malformed or too large. */
bool wa_node_get_u64(const struct wa_node *n, const char *key, uint64_t *out);
/* True if the attribute is there with exactly this value. */
bool wa_node_get_is(const struct wa_node *n, const char *key, const char *value);
/* True if the attribute names the server itself (s.whatsapp.net), however it was written. */
bool wa_node_get_server(const struct wa_node *n, const char *key);
bool wa_node_is(const struct wa_node *n, const char *tag);
const struct wa_node *wa_node_child(const struct wa_node *n, const char *tag);
const struct wa_node *wa_node_first(const struct wa_node *n);
/* Bytes or text content, whichever came. */
struct span wa_node_content(const struct wa_node *n);
/* Content of the first child with this tag. */
struct span wa_node_child_content(const struct wa_node *n, const char *tag);

/* ---- wire ---- */
enum wa_node_error {
	WA_NODE_OK = 0,
	WA_NODE_TRUNCATED = -1, /* ends before it is complete */
	WA_NODE_BAD_TOKEN = -2, /* a byte that cannot stand there */
	WA_NODE_BAD_LIST = -3,  /* a node without a tag, a list where none may be */
	WA_NODE_TOO_DEEP = -4,  /* LIMIT_WA_NODE_DEPTH */
	WA_NODE_TOO_BIG = -5,   /* LIMIT_WA_NODE_COUNT, LIMIT_WA_NODE_MEMORY, the arena's limit or the frame's */
	WA_NODE_TRAILING = -6,  /* bytes after the root node */
	WA_NODE_BAD_JID = -7,   /* a JID that has no binary form */
	WA_NODE_INFLATE = -8    /* broken compression, or past LIMIT_WA_INFLATED_BYTES or _RATIO */
};

/* What a code means, for logs. */
const char *wa_node_error_text(int error);

/*
 * A stanza as it stands in a transport frame: one flag byte, then the node, maybe deflated. Everything points into the arena (or
 * to static words), nothing into `frame`. On error *out is NULL and what the arena got is rubbish.
 */
int wa_node_decode(struct arena *a, struct span frame, struct wa_node **out);
/* Appends flag byte 00 and the node. 0, or WA_NODE_BAD_JID, _BAD_LIST, _TOO_BIG or _TOO_DEEP; `out` then is as it was. */
int wa_node_encode(struct buf *out, const struct wa_node *n);
/* XML-like text for logs, cut at a few KiB: contents are replaced by their length (secrets and message bodies stand only there). */
void wa_node_describe(struct buf *out, const struct wa_node *n);

#endif
