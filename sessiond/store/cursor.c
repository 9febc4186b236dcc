/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Cursors of pages: the values of the last row, authenticated together with what the list is of. As base64url of
 *
 *     a(8) | b(8) | text | HMAC-SHA256(key, scope | 0 | a | b | text), first 16 bytes
 *
 * A page goes on behind those values, so rows that come or go meanwhile neither repeat nor hide others.
 */
#include <stdlib.h>
#include <string.h>

#include "sessiond/crypto/crypto.h"
#include "sessiond/store/private.h"

enum { NUMBERS = 16, MAC = 16, TEXT_MAX = 400 };

static bool sign(const struct store *store, struct span scope, struct span values, uint8_t mac[CRYPTO_SHA256_LEN])
{
	struct buf all = { 0 };
	bool ok;

	buf_append_span(&all, scope);
	buf_u8(&all, 0);
	buf_append_span(&all, values);
	ok = crypto_hmac(CRYPTO_SHA256, store->cursor_key, sizeof store->cursor_key, all.data, all.len, mac) == CRYPTO_OK;
	buf_free(&all);
	return ok;
}

char *cursor_write(struct store *store, struct arena *arena, struct span scope, const struct cursor *cursor)
{
	struct buf bytes = { 0 };
	uint8_t mac[CRYPTO_SHA256_LEN];
	char *text = NULL;

	buf_be64(&bytes, (uint64_t)cursor->a);
	buf_be64(&bytes, (uint64_t)cursor->b);
	buf_append_text(&bytes, cursor->text);
	if (sign(store, scope, buf_span(&bytes), mac)) {
		buf_append(&bytes, mac, MAC);
		text = arena_alloc(arena, bytes.len * 2 + 4);
		crypto_base64(CRYPTO_BASE64_URL_BARE, bytes.data, bytes.len, text);
	}
	buf_free(&bytes);
	return text;
}

bool cursor_read(struct store *store, struct span scope, const char *text, struct cursor *cursor)
{
	uint8_t bytes[TEXT_MAX], mac[CRYPTO_SHA256_LEN];
	size_t len = 0;
	struct reader r;

	*cursor = (struct cursor){ .a = 0 };
	if (strlen(text) > TEXT_MAX || crypto_unbase64(text, strlen(text), bytes, &len) != CRYPTO_OK || len < NUMBERS + MAC ||
	    len - NUMBERS - MAC >= sizeof cursor->text)
		return false;
	len -= MAC;
	if (!sign(store, scope, span_of(bytes, len), mac) || !crypto_equal(mac, bytes + len, MAC))
		return false;
	r = reader_of(bytes, len);
	cursor->a = (int64_t)read_be64(&r);
	cursor->b = (int64_t)read_be64(&r);
	memcpy(cursor->text, bytes + NUMBERS, len - NUMBERS);
	cursor->text[len - NUMBERS] = '\0';
	return true;
}
