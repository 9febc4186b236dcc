/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writing stanzas: the shortest form of every text, JID tokens for JIDs, bytes for contents. */
#include <string.h>

#include "common/limits.h"
#include "sessiond/wa/node.h"
#include "sessiond/wa/node_wire.h"
#include "sessiond/wa/tokens.h"

/* The place of a character in a packed text, -1 if it has none. Upper-case letters only for hex. */
static int nibble_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c == '-')
		return 10;
	return c == '.' ? 11 : -1;
}

static int nibble_hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool all_packable(const char *text, size_t len, int (*nibble)(char))
{
	for (size_t i = 0; i < len; i++)
		if (nibble(text[i]) < 0)
			return false;
	return true;
}

static void put_packed(struct buf *out, uint8_t tag, const char *text, size_t len, int (*nibble)(char))
{
	size_t bytes = (len + 1) / 2;

	buf_u8(out, tag);
	buf_u8(out, (uint8_t)((len % 2 != 0 ? 0x80U : 0U) | bytes));
	for (size_t i = 0; i < len; i += 2) {
		unsigned high = (unsigned)nibble(text[i]);
		unsigned low = i + 1 < len ? (unsigned)nibble(text[i + 1]) : 15U;

		buf_u8(out, (uint8_t)(high << 4 | low));
	}
}

static void put_bytes(struct buf *out, const void *p, size_t n)
{
	if (n < 256) {
		buf_u8(out, TAG_BINARY_8);
		buf_u8(out, (uint8_t)n);
	} else if (n < 1U << 20) {
		buf_u8(out, TAG_BINARY_20);
		buf_be24(out, (uint32_t)n);
	} else {
		buf_u8(out, TAG_BINARY_32);
		buf_be32(out, (uint32_t)n);
	}
	buf_append(out, p, n);
}

static void put_text(struct buf *out, const char *text, size_t len)
{
	int token = wa_token_find(text, len);

	if (token >= WA_TOKENS_SINGLE) {
		unsigned paged = (unsigned)token - WA_TOKENS_SINGLE;

		buf_u8(out, (uint8_t)(TAG_DICTIONARY_0 + paged / 256U));
		buf_u8(out, (uint8_t)(paged % 256U));
	} else if (token > 0) {
		buf_u8(out, (uint8_t)token);
	} else if (len > 0 && len <= PACKED_MAX && all_packable(text, len, nibble_digit)) {
		put_packed(out, TAG_NIBBLE_8, text, len, nibble_digit);
	} else if (len > 0 && len <= PACKED_MAX && all_packable(text, len, nibble_hex)) {
		put_packed(out, TAG_HEX_8, text, len, nibble_hex);
	} else {
		put_bytes(out, text, len);
	}
}

static int put_jid(struct buf *out, const struct jid *jid)
{
	const char *server = jid_server_name(jid->server);
	size_t user_len = strlen(jid->user);
	bool device_domain = jid->server == JID_SERVER_PN || jid->server == JID_SERVER_LID || jid->server == JID_SERVER_HOSTED ||
	                     jid->server == JID_SERVER_HOSTED_LID;

	/* The old agent part would be read as a domain byte of another server. */
	if (server[0] == '\0' || jid->server == JID_SERVER_INTEROP || jid->agent != 0)
		return WA_NODE_BAD_JID;
	if (jid->device > 0) {
		if (!device_domain || jid->device > 255)
			return WA_NODE_BAD_JID;
		buf_u8(out, TAG_AD_JID);
		buf_u8(out, jid_domain(jid));
		buf_u8(out, (uint8_t)jid->device);
		put_text(out, jid->user, user_len);
		return 0;
	}
	buf_u8(out, TAG_JID_PAIR);
	if (user_len > 0)
		put_text(out, jid->user, user_len);
	else
		buf_u8(out, TAG_LIST_EMPTY);
	put_text(out, server, strlen(server));
	return 0;
}

static int put_list(struct buf *out, size_t count)
{
	if (count == 0) {
		buf_u8(out, TAG_LIST_EMPTY);
	} else if (count < 256) {
		buf_u8(out, TAG_LIST_8);
		buf_u8(out, (uint8_t)count);
	} else if (count < 65536) {
		buf_u8(out, TAG_LIST_16);
		buf_be16(out, (uint16_t)count);
	} else {
		return WA_NODE_TOO_BIG;
	}
	return 0;
}

/* Everything of a node but its children. */
static int put_node(struct buf *out, const struct wa_node *node)
{
	int error = put_list(out, 1 + 2 * node->nattrs + (node->content != WA_CONTENT_NONE ? 1 : 0));

	if (error == 0 && node->tag[0] == '\0')
		error = WA_NODE_BAD_LIST;
	if (error != 0)
		return error;
	put_text(out, node->tag, strlen(node->tag));
	for (size_t i = 0; i < node->nattrs && error == 0; i++) {
		const struct wa_attr *attr = &node->attrs[i];

		put_text(out, attr->key, strlen(attr->key));
		if (attr->is_jid)
			error = put_jid(out, &attr->jid);
		else
			put_text(out, attr->text, strlen(attr->text));
	}
	if (error == 0 && node->content == WA_CONTENT_NODES)
		error = put_list(out, node->nnodes);
	else if (node->content == WA_CONTENT_BYTES || node->content == WA_CONTENT_TEXT)
		put_bytes(out, node->bytes.p, node->bytes.n);
	return error;
}

int wa_node_encode(struct buf *out, const struct wa_node *root)
{
	/* Nodes whose children are being written, and how many of them are. */
	struct {
		const struct wa_node *node;
		size_t done;
	} open[LIMIT_WA_NODE_DEPTH];
	size_t depth = 1, start = out->len;
	int error;

	buf_u8(out, 0);
	error = put_node(out, root);
	open[0].node = root;
	open[0].done = 0;
	while (error == 0 && depth > 0) {
		const struct wa_node *node = open[depth - 1].node, *child;

		if (open[depth - 1].done == node->nnodes) {
			depth--;
			continue;
		}
		child = node->nodes[open[depth - 1].done++];
		error = put_node(out, child);
		if (error != 0 || child->nnodes == 0)
			continue;
		if (depth == LIMIT_WA_NODE_DEPTH) {
			error = WA_NODE_TOO_DEEP;
			break;
		}
		open[depth].node = child;
		open[depth++].done = 0;
	}
	if (error == 0 && out->len - start > LIMIT_WA_FRAME_BYTES)
		error = WA_NODE_TOO_BIG;
	if (error != 0)
		out->len = start;
	return error;
}
