/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading stanzas. Everything here is foreign: counts are held against what is left, depth and memory against limits. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "common/limits.h"
#include "sessiond/wa/node.h"
#include "sessiond/wa/node_wire.h"
#include "sessiond/wa/tokens.h"

/* Small frames compress well (long runs of one word): below this size the ratio says nothing. */
#define INFLATE_FREE_BYTES (256U << 10)
/* Bytes of user and server of a JID together. */
#define JID_PARTS_MAX 1024U

struct decoder {
	struct reader in;
	struct arena *arena; /* borrowed */
	uint32_t nodes;
	size_t memory; /* of the arena, handed out for this tree */
	int error;
};

/* A text read from the stanza. `p` is terminated. */
struct text {
	const char *p;
	size_t len;
	bool jid;
};

static const struct text no_text = { "", 0, false };

static struct text fail(struct decoder *d, int error)
{
	if (d->error == 0)
		d->error = error;
	return no_text;
}

static uint8_t next_u8(struct decoder *d)
{
	uint8_t value = read_u8(&d->in);

	if (!d->in.ok)
		fail(d, WA_NODE_TRUNCATED);
	return value;
}

static uint16_t next_be16(struct decoder *d)
{
	uint16_t value = read_be16(&d->in);

	if (!d->in.ok)
		fail(d, WA_NODE_TRUNCATED);
	return value;
}

/* Zeroed memory of the arena; NULL with an error set if a limit is reached, or for size 0. */
static void *zeroed(struct decoder *d, size_t size)
{
	void *p;

	if (size == 0)
		return NULL;
	/* What is handed out never exceeds the limit, so the difference is never negative. */
	p = size <= LIMIT_WA_NODE_MEMORY - d->memory ? arena_alloc(d->arena, size) : NULL;
	if (p == NULL)
		fail(d, WA_NODE_TOO_BIG);
	else
		d->memory += size;
	return p;
}

static struct text copied(struct decoder *d, const void *p, size_t n)
{
	char *text = zeroed(d, n + 1);

	if (text == NULL)
		return no_text;
	if (n > 0)
		memcpy(text, p, n);
	return (struct text){ text, n, false };
}

static struct text word(struct decoder *d, const char *text)
{
	if (text == NULL)
		return fail(d, WA_NODE_BAD_TOKEN);
	return (struct text){ text, strlen(text), false };
}

static struct text read_bytes(struct decoder *d, uint8_t tag)
{
	size_t n;
	struct span bytes;

	if (tag == TAG_BINARY_8)
		n = read_u8(&d->in);
	else if (tag == TAG_BINARY_20)
		n = read_be24(&d->in) & 0xfffffU;
	else
		n = read_be32(&d->in);
	bytes = read_span(&d->in, n);
	if (!d->in.ok)
		return fail(d, WA_NODE_TRUNCATED);
	return copied(d, bytes.p, bytes.n);
}

static struct text read_packed(struct decoder *d, uint8_t tag)
{
	/* A zero byte marks the places that hold no character. */
	static const char digits[16] = { '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '-', '.', 0, 0, 0, 0 };
	static const char hex[16] = { '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F' };
	const char *alphabet = tag == TAG_HEX_8 ? hex : digits;
	uint8_t head = read_u8(&d->in);
	bool odd = (head & 0x80U) != 0;
	struct span packed = read_span(&d->in, head & 0x7fU);
	char text[2 * 127 + 1];
	size_t len = 2 * packed.n;

	if (!d->in.ok)
		return fail(d, WA_NODE_TRUNCATED);
	if (odd && len == 0)
		return fail(d, WA_NODE_BAD_TOKEN);
	for (size_t i = 0; i < packed.n; i++) {
		text[2 * i] = alphabet[packed.p[i] >> 4];
		text[2 * i + 1] = alphabet[packed.p[i] & 15U];
	}
	if (odd)
		len--;
	if (memchr(text, 0, len) != NULL)
		return fail(d, WA_NODE_BAD_TOKEN);
	return copied(d, text, len);
}

/* A text that is no JID. */
static struct text read_plain(struct decoder *d, uint8_t tag)
{
	switch (tag) {
	case TAG_LIST_EMPTY:
		return no_text;
	case TAG_BINARY_8:
	case TAG_BINARY_20:
	case TAG_BINARY_32:
		return read_bytes(d, tag);
	case TAG_NIBBLE_8:
	case TAG_HEX_8:
		return read_packed(d, tag);
	default:
		break;
	}
	if (tag >= TAG_DICTIONARY_0 && tag <= TAG_DICTIONARY_3)
		return word(d, wa_token_text_paged(tag - TAG_DICTIONARY_0, next_u8(d)));
	return word(d, wa_token_text(tag));
}

static struct text next_plain(struct decoder *d)
{
	uint8_t tag = next_u8(d);

	return d->error == 0 ? read_plain(d, tag) : no_text;
}

static struct text jid_text(struct decoder *d, struct text user, unsigned device, struct text server)
{
	struct buf text = { 0 };
	struct text out;

	if (d->error != 0)
		return no_text;
	if (user.len + server.len > JID_PARTS_MAX)
		return fail(d, WA_NODE_BAD_JID);
	buf_append(&text, user.p, user.len);
	if (device > 0)
		buf_printf(&text, ":%u", device);
	buf_u8(&text, '@');
	buf_append(&text, server.p, server.len);
	out = copied(d, text.data, text.len);
	out.jid = true;
	buf_free(&text);
	return out;
}

static struct text read_ad_jid(struct decoder *d)
{
	uint8_t domain = next_u8(d);
	uint8_t device = next_u8(d);
	struct text user = next_plain(d);
	enum jid_server server = jid_server_of_domain(domain);

	if (server == JID_SERVER_NONE)
		return fail(d, WA_NODE_BAD_JID);
	return jid_text(d, user, device, word(d, jid_server_name(server)));
}

static struct text read_interop_jid(struct decoder *d)
{
	struct text user = next_plain(d);
	uint16_t device = next_be16(d);
	uint16_t integrator = next_be16(d);
	struct text server = next_plain(d);
	char *name;

	if (d->error != 0)
		return no_text;
	name = arena_printf(d->arena, "%u-%s", (unsigned)integrator, user.p);
	if (name == NULL)
		return fail(d, WA_NODE_TOO_BIG);
	return jid_text(d, word(d, name), device, server);
}

/* Any text, JIDs included. */
static struct text read_text(struct decoder *d, uint8_t tag)
{
	struct text user;
	uint16_t device;

	switch (tag) {
	case TAG_AD_JID:
		return read_ad_jid(d);
	case TAG_JID_PAIR:
		user = next_plain(d);
		return jid_text(d, user, 0, next_plain(d));
	case TAG_FB_JID:
		user = next_plain(d);
		device = next_be16(d);
		return jid_text(d, user, device, next_plain(d));
	case TAG_INTEROP_JID:
		return read_interop_jid(d);
	default:
		return read_plain(d, tag);
	}
}

static bool is_list(uint8_t tag)
{
	return tag == TAG_LIST_EMPTY || tag == TAG_LIST_8 || tag == TAG_LIST_16;
}

static uint32_t read_list_size(struct decoder *d, uint8_t tag)
{
	if (tag == TAG_LIST_8)
		return next_u8(d);
	if (tag == TAG_LIST_16)
		return next_be16(d);
	if (tag != TAG_LIST_EMPTY)
		fail(d, WA_NODE_BAD_TOKEN);
	return 0;
}

static void read_attr(struct decoder *d, struct wa_node *node)
{
	struct text key = next_plain(d);
	uint8_t tag = d->error == 0 ? next_u8(d) : 0;
	struct text value = d->error == 0 ? read_text(d, tag) : no_text;
	struct wa_attr *attr = &node->attrs[node->nattrs];

	if (d->error == 0 && (key.len == 0 || memchr(key.p, 0, key.len) != NULL))
		fail(d, WA_NODE_BAD_TOKEN);
	if (d->error != 0)
		return;
	attr->key = key.p;
	attr->text = value.p;
	attr->is_jid = value.jid && jid_parse(&attr->jid, value.p, value.len) == 0;
	node->nattrs++;
}

static void read_content(struct decoder *d, struct wa_node *node)
{
	uint8_t tag = next_u8(d);
	struct text text;

	if (d->error != 0)
		return;
	if (is_list(tag)) {
		node->content = WA_CONTENT_NODES;
		node->cap_nodes = read_list_size(d, tag);
		/* A node takes two bytes at least: its size and its tag. */
		if (d->error == 0 && node->cap_nodes > d->in.left / 2)
			fail(d, WA_NODE_TRUNCATED);
		else if (d->error == 0)
			node->nodes = zeroed(d, node->cap_nodes * sizeof(struct wa_node *));
		return;
	}
	text = read_text(d, tag);
	node->content = tag >= TAG_BINARY_8 && tag <= TAG_BINARY_32 ? WA_CONTENT_BYTES : WA_CONTENT_TEXT;
	node->bytes = span_of(text.p, text.len);
}

/* One node without its children: node->cap_nodes of them must follow. */
static struct wa_node *read_node(struct decoder *d)
{
	struct wa_node *node = NULL;
	uint32_t size = read_list_size(d, next_u8(d));
	struct text tag = d->error == 0 && size > 0 ? next_plain(d) : no_text;

	if (d->error == 0 && (tag.len == 0 || memchr(tag.p, 0, tag.len) != NULL))
		fail(d, WA_NODE_BAD_LIST);
	/* Every item takes a byte at least. */
	if (d->error == 0 && size - 1 > d->in.left)
		fail(d, WA_NODE_TRUNCATED);
	if (d->error == 0 && ++d->nodes > LIMIT_WA_NODE_COUNT)
		fail(d, WA_NODE_TOO_BIG);
	if (d->error == 0)
		node = zeroed(d, sizeof *node);
	if (node == NULL)
		return NULL;
	node->tag = tag.p;
	node->cap_attrs = (size - 1) / 2;
	node->attrs = zeroed(d, node->cap_attrs * sizeof(struct wa_attr));
	for (size_t i = 0; i < node->cap_attrs && d->error == 0; i++)
		read_attr(d, node);
	if (d->error == 0 && size % 2 == 0)
		read_content(d, node);
	return node;
}

static struct wa_node *read_tree(struct decoder *d)
{
	struct wa_node *open[LIMIT_WA_NODE_DEPTH]; /* nodes whose children are being read, outermost first */
	size_t depth = 0;
	struct wa_node *root = read_node(d), *node = root;

	while (d->error == 0) {
		if (node->cap_nodes > 0) {
			if (depth == LIMIT_WA_NODE_DEPTH) {
				fail(d, WA_NODE_TOO_DEEP);
				break;
			}
			open[depth++] = node;
		}
		while (depth > 0 && open[depth - 1]->nnodes == open[depth - 1]->cap_nodes)
			depth--;
		if (depth == 0)
			break;
		node = read_node(d);
		open[depth - 1]->nodes[open[depth - 1]->nnodes++] = node;
	}
	return d->error == 0 ? root : NULL;
}

static int decode_plain(struct arena *arena, struct span bytes, struct wa_node **out)
{
	struct decoder d = { .in = reader_of(bytes.p, bytes.n), .arena = arena };

	*out = read_tree(&d);
	if (d.error == 0 && d.in.left > 0) {
		*out = NULL;
		return WA_NODE_TRAILING;
	}
	return d.error;
}

/* Inflates the zlib stream that fills `in` exactly. */
static int inflate_all(struct span in, struct buf *out)
{
	size_t limit = INFLATE_FREE_BYTES;
	z_stream z = { 0 };
	int status = Z_OK;

	if (in.n > limit / LIMIT_WA_INFLATE_RATIO)
		limit = in.n > LIMIT_WA_INFLATED_BYTES / LIMIT_WA_INFLATE_RATIO ? LIMIT_WA_INFLATED_BYTES
		                                                                 : in.n * LIMIT_WA_INFLATE_RATIO;
	if (in.n > LIMIT_WA_FRAME_BYTES || inflateInit(&z) != Z_OK)
		return WA_NODE_INFLATE;
	z.next_in = (z_const Bytef *)in.p;
	z.avail_in = (uInt)in.n;
	while (status == Z_OK && out->len < limit) {
		size_t room = limit - out->len < 16384 ? limit - out->len : 16384;

		z.next_out = buf_reserve(out, room);
		z.avail_out = (uInt)room;
		status = inflate(&z, Z_NO_FLUSH);
		buf_commit(out, room - z.avail_out);
	}
	inflateEnd(&z);
	return status == Z_STREAM_END && z.avail_in == 0 ? 0 : WA_NODE_INFLATE;
}

int wa_node_decode(struct arena *arena, struct span frame, struct wa_node **out)
{
	struct buf inflated = { 0 };
	int error;

	*out = NULL;
	if (frame.n < 2)
		return WA_NODE_TRUNCATED;
	if ((frame.p[0] & FLAG_COMPRESSED) == 0)
		return decode_plain(arena, span_of(frame.p + 1, frame.n - 1), out);
	error = inflate_all(span_of(frame.p + 1, frame.n - 1), &inflated);
	if (error == 0)
		error = decode_plain(arena, buf_span(&inflated), out);
	buf_wipe(&inflated);
	return error;
}
