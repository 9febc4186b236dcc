/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The ring of handled messages of a chat. */
#include "sessiond/wa/seen.h"

#include <string.h>

#include "sessiond/crypto/crypto.h"

#define RECORD_VERSION 1
#define HEAD_BYTES 2U
#define MARK_BYTES 6U

static void record_name(const struct jid *chat, char out[JID_TEXT_MAX])
{
	struct jid bare = jid_bare(chat);

	jid_format(&bare, out, JID_TEXT_MAX);
}

void wa_seen_keys(struct state_keys *keys, const struct jid *chat)
{
	char name[JID_TEXT_MAX];

	record_name(chat, name);
	state_keys_add(keys, WA_RECORD_RECEIVED, name);
}

static void mark_of(const struct jid *author, const char *id, uint8_t digest[CRYPTO_SHA256_LEN])
{
	struct buf text = { 0 };

	buf_append_text(&text, author->user);
	buf_u8(&text, 0);
	buf_append_text(&text, id);
	if (crypto_sha256(text.data, text.len, digest) != CRYPTO_OK)
		memset(digest, 0, CRYPTO_SHA256_LEN);
	buf_free(&text);
}

static bool ring_load(struct state_op *op, const char *name, struct span *ring)
{
	return state_op_get(op, WA_RECORD_RECEIVED, name, ring) && ring->n >= HEAD_BYTES && ring->p[0] == RECORD_VERSION;
}

bool wa_seen(struct state_op *op, const struct jid *chat, const struct jid *author, const char *id)
{
	char name[JID_TEXT_MAX];
	uint8_t mark[CRYPTO_SHA256_LEN];
	struct span ring;

	record_name(chat, name);
	if (!ring_load(op, name, &ring))
		return false;
	mark_of(author, id, mark);
	for (size_t at = HEAD_BYTES; at + MARK_BYTES <= ring.n; at += MARK_BYTES)
		if (memcmp(ring.p + at, mark, MARK_BYTES) == 0)
			return true;
	return false;
}

void wa_seen_add(struct state_op *op, const struct jid *chat, const struct jid *author, const char *id)
{
	char name[JID_TEXT_MAX];
	uint8_t mark[CRYPTO_SHA256_LEN];
	struct buf ring = { 0 };
	struct span old;
	size_t next = 0;

	record_name(chat, name);
	mark_of(author, id, mark);
	if (ring_load(op, name, &old)) {
		buf_append_span(&ring, old);
		next = old.p[1] % SEEN_MESSAGES;
	} else {
		buf_u8(&ring, RECORD_VERSION);
		buf_u8(&ring, 0);
	}
	if (HEAD_BYTES + (next + 1) * MARK_BYTES <= ring.len)
		memcpy(ring.data + HEAD_BYTES + next * MARK_BYTES, mark, MARK_BYTES);
	else
		buf_append(&ring, mark, MARK_BYTES);
	ring.data[1] = (uint8_t)((next + 1) % SEEN_MESSAGES);
	state_op_put(op, WA_RECORD_RECEIVED, name, buf_span(&ring));
	buf_free(&ring);
}
