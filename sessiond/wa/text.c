/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Building text messages, and message ids. */
#include <string.h>

#include "common/mem.h"
#include "sessiond/crypto/crypto.h"
#include "sessiond/wa/e2e.h"
#include "sessiond/wa/e2e_fields.h"
#include "sessiond/wa/proto_walk.h"
#include "sessiond/wa/wa.h"

enum {
	TEXT_TEXT = 1,
	TEXT_MATCHED = 2,
	TEXT_DESCRIPTION = 5,
	TEXT_TITLE = 6,
	TEXT_TEXT_ARGB = 7,
	TEXT_BACKGROUND_ARGB = 8,
	TEXT_FONT = 9,
	TEXT_PREVIEW_TYPE = 10,
	TEXT_THUMBNAIL = 16
};
enum { PREVIEW_NONE = 0 };

#define ID_HASH_BYTES 9
#define ID_RANDOM_BYTES 16

static void put_preview(struct buf *out, const struct wa_preview *preview)
{
	proto_put_text(out, TEXT_MATCHED, preview->matched_text);
	proto_put_text(out, TEXT_DESCRIPTION, preview->description);
	proto_put_text(out, TEXT_TITLE, preview->title);
	proto_put_uint(out, TEXT_PREVIEW_TYPE, PREVIEW_NONE);
	if (preview->thumbnail.n)
		proto_put_bytes(out, TEXT_THUMBNAIL, preview->thumbnail);
}

static void put_style(struct buf *out, const struct wa_text *text)
{
	if (text->text_argb)
		proto_put_fixed32(out, TEXT_TEXT_ARGB, text->text_argb);
	if (text->background_argb)
		proto_put_fixed32(out, TEXT_BACKGROUND_ARGB, text->background_argb);
	if (text->font >= 0)
		proto_put_uint(out, TEXT_FONT, (uint64_t)text->font);
}

void wa_build_text(struct buf *out, const struct wa_text *text)
{
	struct buf extended = { 0 };

	if (!text->preview && !text->styled) {
		proto_put_bytes(out, E2E_CONVERSATION, span_text(text->text));
		return;
	}
	proto_put_text(&extended, TEXT_TEXT, text->text);
	if (text->preview)
		put_preview(&extended, text->preview);
	if (text->styled)
		put_style(&extended, text);
	proto_put_bytes(out, E2E_EXTENDED_TEXT, buf_span(&extended));
	buf_wipe(&extended);
}

void wa_message_id(const struct wa_host *host, void *ctx, const char *user, char out[static 23])
{
	static const char DIGITS[] = "0123456789ABCDEF";
	uint8_t hash[CRYPTO_SHA256_LEN];
	uint8_t random[ID_RANDOM_BYTES];
	struct buf seed = { 0 };

	host->random(ctx, random, sizeof random);
	buf_be64(&seed, (uint64_t)(host->wall_ms(ctx) / 1000));
	buf_append_text(&seed, user);
	buf_append_text(&seed, "@c.us");
	buf_append(&seed, random, sizeof random);
	crypto_sha256(seed.data, seed.len, hash);
	memcpy(out, "3EB0", 4);
	for (size_t i = 0; i < ID_HASH_BYTES; i++) {
		out[4 + 2 * i] = DIGITS[hash[i] >> 4];
		out[5 + 2 * i] = DIGITS[hash[i] & 15];
	}
	out[4 + 2 * ID_HASH_BYTES] = '\0';
	buf_free(&seed);
}
