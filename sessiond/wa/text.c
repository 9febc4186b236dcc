/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Building text messages, and message ids. */
#include <string.h>

#include <openssl/sha.h>

#include "common/mem.h"
#include "sessiond/wa/e2e.h"
#include "sessiond/wa/e2e_fields.h"
#include "sessiond/wa/proto_walk.h"
#include "sessiond/wa/wa.h"

enum { TEXT_TEXT = 1, TEXT_CONTEXT = 17 };
enum {
	CONTEXT_STANZA_ID = 1,
	CONTEXT_PARTICIPANT = 2,
	CONTEXT_QUOTED = 3,
	CONTEXT_MENTIONED = 15,
	CONTEXT_FORWARDING_SCORE = 21,
	CONTEXT_FORWARDED = 22
};

#define ID_HASH_BYTES 9
#define ID_RANDOM_BYTES 16

static void put_bare_jid(struct buf *out, uint32_t number, const struct jid *jid)
{
	char text[JID_TEXT_MAX];
	struct jid bare = jid_bare(jid);

	proto_put_bytes(out, number, span_text(jid_format(&bare, text, sizeof text)));
}

static void put_flag(struct buf *out, uint32_t number, uint64_t value)
{
	proto_put_varint(out, (uint64_t)number << 3 | PROTO_VARINT);
	proto_put_varint(out, value);
}

static void put_context(struct buf *out, const struct wa_text *text)
{
	struct buf quoted = { 0 };

	if (text->quoted_id != NULL) {
		proto_put_bytes(out, CONTEXT_STANZA_ID, span_text(text->quoted_id));
		put_bare_jid(out, CONTEXT_PARTICIPANT, &text->quoted_sender);
		e2e_quotable(text->quoted_message, &quoted);
		/* Without a quoted message phones show nothing at all: an empty text still shows as a quote. */
		if (quoted.len == 0)
			proto_put_bytes(&quoted, E2E_CONVERSATION, span_of("", 0));
		proto_put_bytes(out, CONTEXT_QUOTED, buf_span(&quoted));
	}
	for (size_t i = 0; i < text->nmentions; i++)
		put_bare_jid(out, CONTEXT_MENTIONED, &text->mentions[i]);
	if (text->forwarded) {
		put_flag(out, CONTEXT_FORWARDING_SCORE, 1);
		put_flag(out, CONTEXT_FORWARDED, 1);
	}
	buf_wipe(&quoted);
}

void wa_build_text(struct buf *out, const struct wa_text *text)
{
	struct buf context = { 0 };
	struct buf extended = { 0 };

	put_context(&context, text);
	if (context.len == 0) {
		proto_put_bytes(out, E2E_CONVERSATION, span_text(text->text));
		return;
	}
	proto_put_bytes(&extended, TEXT_TEXT, span_text(text->text));
	proto_put_bytes(&extended, TEXT_CONTEXT, buf_span(&context));
	proto_put_bytes(out, E2E_EXTENDED_TEXT, buf_span(&extended));
	buf_wipe(&extended);
	buf_wipe(&context);
}

void wa_message_id(const struct wa_host *host, void *ctx, const char *user, char out[static 23])
{
	static const char DIGITS[] = "0123456789ABCDEF";
	uint8_t hash[SHA256_DIGEST_LENGTH];
	uint8_t random[ID_RANDOM_BYTES];
	struct buf seed = { 0 };

	host->random(ctx, random, sizeof random);
	buf_be64(&seed, (uint64_t)(host->wall_ms(ctx) / 1000));
	buf_append_text(&seed, user);
	buf_append_text(&seed, "@c.us");
	buf_append(&seed, random, sizeof random);
	SHA256(seed.data, seed.len, hash);
	memcpy(out, "3EB0", 4);
	for (size_t i = 0; i < ID_HASH_BYTES; i++) {
		out[4 + 2 * i] = DIGITS[hash[i] >> 4];
		out[5 + 2 * i] = DIGITS[hash[i] & 15];
	}
	out[4 + 2 * ID_HASH_BYTES] = '\0';
	buf_free(&seed);
}
