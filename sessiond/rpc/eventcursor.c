/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Cursors over several sessions, see eventcursor.h. */
#include "sessiond/rpc/eventcursor.h"

#include <stdlib.h>
#include <string.h>

#include "common/limits.h"
#include "sessiond/crypto/crypto.h"

enum { VERSION = 1, CHECK = 4, HEAD = 1 + CHECK };

static void put_varint(struct buf *out, uint64_t value)
{
	while (value > 0x7f) {
		buf_u8(out, (uint8_t)(value | 0x80));
		value >>= 7;
	}
	buf_u8(out, (uint8_t)value);
}

/* False: it does not end, is beyond int64_t, or could be shorter. */
static bool get_varint(struct reader *r, int64_t *value)
{
	uint64_t all = 0;

	for (unsigned shift = 0; shift < 63; shift += 7) {
		uint8_t byte = read_u8(r);

		all |= (uint64_t)(byte & 0x7f) << shift;
		if (byte & 0x80)
			continue;
		*value = (int64_t)all;
		return r->ok && (byte != 0 || shift == 0);
	}
	return false;
}

static void check_of(struct span body, uint8_t check[CHECK])
{
	uint8_t digest[CRYPTO_SHA256_LEN];

	if (crypto_sha256(body.p, body.n, digest))
		abort();
	memcpy(check, digest, CHECK);
}

void eventcursor_write(struct buf *out, const struct store_event_place *places, size_t n)
{
	struct buf bytes = { 0 };
	int64_t before = 0;

	buf_u8(&bytes, VERSION);
	buf_append(&bytes, "\0\0\0", CHECK);
	for (size_t i = 0; i < n; i++) {
		if (places[i].told <= 0)
			continue;
		put_varint(&bytes, (uint64_t)(places[i].session - before));
		put_varint(&bytes, (uint64_t)places[i].told);
		before = places[i].session;
	}
	check_of(span_of(bytes.data + HEAD, bytes.len - HEAD), bytes.data + 1);
	buf_commit(out, crypto_base64(CRYPTO_BASE64_URL_BARE, bytes.data, bytes.len, (char *)buf_reserve(out, CRYPTO_BASE64_ROOM(bytes.len))));
	buf_free(&bytes);
}

static bool read_places(struct reader *r, struct store_event_place *places, size_t *n)
{
	int64_t session = 0;

	while (r->left > 0) {
		int64_t distance, told;

		if (*n == LIMIT_EVENT_SESSIONS || !get_varint(r, &distance) || !get_varint(r, &told) || distance == 0 || told == 0 ||
		    distance > INT64_MAX - session)
			return false;
		session += distance;
		places[(*n)++] = (struct store_event_place){ .session = session, .told = told };
	}
	return true;
}

bool eventcursor_read(const char *text, struct store_event_place *places, size_t *n)
{
	uint8_t bytes[EVENTCURSOR_MAX], check[CHECK];
	size_t len = 0, text_len = strlen(text);
	struct reader r;

	*n = 0;
	if (text_len > EVENTCURSOR_MAX || crypto_unbase64(text, text_len, bytes, &len) != CRYPTO_OK || len < HEAD || bytes[0] != VERSION)
		return false;
	check_of(span_of(bytes + HEAD, len - HEAD), check);
	if (memcmp(check, bytes + 1, CHECK) != 0)
		return false;
	r = reader_of(bytes + HEAD, len - HEAD);
	return read_places(&r, places, n);
}
