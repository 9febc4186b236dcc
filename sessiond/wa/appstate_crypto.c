/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Keys, mutations, LTHash and MACs of app state. */
#include "sessiond/wa/appstate_crypto.h"

#include <stdlib.h>
#include <string.h>

#include "sessiond/crypto/crypto.h"
#include "sessiond/wa/proto_walk.h"

/* iv, one block, MAC */
#define VALUE_MIN (APPSTATE_IV_BYTES + CRYPTO_AES_BLOCK + APPSTATE_MAC_BYTES)

enum { DATA_INDEX = 1 };

static void must(int rc)
{
	/* HMAC and HKDF over memory only fail without memory. */
	if (rc != CRYPTO_OK)
		abort();
}

bool appstate_keys_expand(struct span key_data, struct appstate_keys *out)
{
	static const char info[] = "WhatsApp Mutation Keys";

	_Static_assert(sizeof *out == 5 * APPSTATE_KEY_BYTES, "the keys stand one after another");
	if (key_data.n != APPSTATE_KEY_BYTES)
		return false;
	must(crypto_hkdf_sha256(key_data.p, key_data.n, NULL, 0, info, sizeof info - 1, (uint8_t *)out, sizeof *out));
	return true;
}

/* ---- LTHash ---- */

static void mix(uint8_t hash[APPSTATE_HASH_BYTES], const uint8_t value_mac[APPSTATE_MAC_BYTES], bool add)
{
	static const char info[] = "WhatsApp Patch Integrity";
	uint8_t expanded[APPSTATE_HASH_BYTES];

	must(crypto_hkdf_sha256(value_mac, APPSTATE_MAC_BYTES, NULL, 0, info, sizeof info - 1, expanded, sizeof expanded));
	for (size_t i = 0; i < APPSTATE_HASH_BYTES; i += 2) {
		uint32_t a = (uint32_t)hash[i] | (uint32_t)hash[i + 1] << 8;
		uint32_t b = (uint32_t)expanded[i] | (uint32_t)expanded[i + 1] << 8;
		uint32_t sum = add ? a + b : a + 0x10000U - b;

		hash[i] = (uint8_t)(sum & 0xff);
		hash[i + 1] = (uint8_t)(sum >> 8 & 0xff);
	}
}

void appstate_hash_add(uint8_t hash[APPSTATE_HASH_BYTES], const uint8_t value_mac[APPSTATE_MAC_BYTES])
{
	mix(hash, value_mac, true);
}

void appstate_hash_subtract(uint8_t hash[APPSTATE_HASH_BYTES], const uint8_t value_mac[APPSTATE_MAC_BYTES])
{
	mix(hash, value_mac, false);
}

/* ---- one mutation ---- */

void appstate_index_mac(const struct appstate_keys *keys, struct span index, uint8_t out[APPSTATE_MAC_BYTES])
{
	must(crypto_hmac(CRYPTO_SHA256, keys->index, sizeof keys->index, index.p, index.n, out));
}

const uint8_t *appstate_value_mac(struct span value)
{
	return value.n < VALUE_MIN ? NULL : value.p + value.n - APPSTATE_MAC_BYTES;
}

/* operation + 1 | key id | content | length of (operation, key id) in eight bytes */
static void value_mac(const struct appstate_keys *keys, struct span key_id, enum appstate_operation operation, struct span content,
		      uint8_t out[APPSTATE_MAC_BYTES])
{
	uint8_t mac[CRYPTO_HASH_MAX];
	struct buf b = { 0 };

	buf_u8(&b, (uint8_t)(operation + 1));
	buf_append_span(&b, key_id);
	buf_append_span(&b, content);
	buf_be64(&b, (key_id.n + 1) & 0xff);
	must(crypto_hmac(CRYPTO_SHA512, keys->value_mac, sizeof keys->value_mac, b.data, b.len, mac));
	memcpy(out, mac, APPSTATE_MAC_BYTES);
	buf_wipe(&b);
}

void appstate_seal(const struct appstate_keys *keys, struct span key_id, enum appstate_operation operation, struct span plain,
		   const uint8_t iv[APPSTATE_IV_BYTES], struct buf *value)
{
	size_t length = APPSTATE_IV_BYTES + CRYPTO_CBC_LEN(plain.n);
	uint8_t *out = buf_reserve(value, length);
	uint8_t mac[APPSTATE_MAC_BYTES];

	memcpy(out, iv, APPSTATE_IV_BYTES);
	must(crypto_aes_cbc_encrypt(keys->value, sizeof keys->value, iv, plain.p, plain.n, out + APPSTATE_IV_BYTES));
	value_mac(keys, key_id, operation, span_of(out, length), mac);
	buf_commit(value, length);
	buf_append(value, mac, sizeof mac);
}

enum appstate_opened appstate_open(const struct appstate_keys *keys, const struct appstate_mutation *m, struct buf *plain, struct span *index)
{
	const uint8_t *given = appstate_value_mac(m->value);
	size_t length = m->value.n - APPSTATE_MAC_BYTES;
	uint8_t mac[APPSTATE_MAC_BYTES];
	size_t start = plain->len;
	uint8_t *out;
	size_t n = 0;

	if (given == NULL)
		return APPSTATE_BAD_VALUE;
	value_mac(keys, m->key_id, m->operation, span_of(m->value.p, length), mac);
	if (!crypto_equal(mac, given, sizeof mac))
		return APPSTATE_BAD_VALUE_MAC;
	length -= APPSTATE_IV_BYTES;
	out = buf_reserve(plain, length);
	if (crypto_aes_cbc_decrypt(keys->value, sizeof keys->value, m->value.p, m->value.p + APPSTATE_IV_BYTES, length, out, &n) != CRYPTO_OK)
		return APPSTATE_BAD_VALUE;
	buf_commit(plain, n);
	if (!proto_find(span_of(plain->data + start, n), DATA_INDEX, index))
		return APPSTATE_BAD_VALUE;
	appstate_index_mac(keys, *index, mac);
	if (m->index_mac.n != sizeof mac || !crypto_equal(mac, m->index_mac.p, sizeof mac))
		return APPSTATE_BAD_INDEX_MAC;
	return APPSTATE_OPENED;
}

/* ---- MACs over a collection ---- */

static void put_version_and_name(struct buf *b, uint64_t version, const char *name)
{
	buf_be64(b, version);
	buf_append_text(b, name);
}

void appstate_snapshot_mac(const struct appstate_keys *keys, const uint8_t hash[APPSTATE_HASH_BYTES], uint64_t version, const char *name,
			   uint8_t out[APPSTATE_MAC_BYTES])
{
	struct buf b = { 0 };

	buf_append(&b, hash, APPSTATE_HASH_BYTES);
	put_version_and_name(&b, version, name);
	must(crypto_hmac(CRYPTO_SHA256, keys->snapshot_mac, sizeof keys->snapshot_mac, b.data, b.len, out));
	buf_free(&b);
}

void appstate_patch_mac(const struct appstate_keys *keys, struct span snapshot_mac, struct span value_macs, uint64_t version, const char *name,
			uint8_t out[APPSTATE_MAC_BYTES])
{
	struct buf b = { 0 };

	buf_append_span(&b, snapshot_mac);
	buf_append_span(&b, value_macs);
	put_version_and_name(&b, version, name);
	must(crypto_hmac(CRYPTO_SHA256, keys->patch_mac, sizeof keys->patch_mac, b.data, b.len, out));
	buf_free(&b);
}
