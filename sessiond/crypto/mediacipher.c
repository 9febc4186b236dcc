/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files for WhatsApp's media servers (see mediacipher.h). */
#include "sessiond/crypto/mediacipher.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>

#include "common/mem.h"

#define CHUNK ((size_t)131072)
#define EXPANDED_LEN 112

struct media_cipher {
	bool decrypts, plain;  /* plain: no keys, the blob is the file */
	int from, to;          /* borrowed; to -1: nothing is written */
	uint64_t max_len, at, written;
	const struct media_keys *keys; /* &copy or NULL */
	struct media_keys copy;
	EVP_CIPHER_CTX *cipher;
	EVP_MD_CTX *plain_hash, *blob_hash;
	EVP_MAC *hmac;
	EVP_MAC_CTX *mac;
	bool has_plain_hash, has_blob_hash;
	uint8_t want_plain_hash[CRYPTO_SHA256_LEN], want_blob_hash[CRYPTO_SHA256_LEN];
	uint8_t held[MEDIA_MAC_LEN]; /* the last bytes read of a blob: its MAC, if nothing follows */
	size_t held_len;
	struct media_sums sums;
	uint8_t in[CHUNK], out[CHUNK + 2 * CRYPTO_AES_BLOCK];
};

int media_keys_derive(struct media_keys *out, const uint8_t key[MEDIA_KEY_LEN], const char *info)
{
	uint8_t expanded[EXPANDED_LEN];
	int rc = crypto_hkdf_sha256(key, MEDIA_KEY_LEN, NULL, 0, info, strlen(info), expanded, sizeof expanded);

	if (!rc) {
		memcpy(out->iv, expanded, sizeof out->iv);
		memcpy(out->cipher, expanded + sizeof out->iv, sizeof out->cipher);
		memcpy(out->mac, expanded + sizeof out->iv + sizeof out->cipher, sizeof out->mac);
	}
	crypto_wipe(expanded, sizeof expanded);
	return rc;
}

static bool start_cipher(struct media_cipher *c)
{
	OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)(uintptr_t) "SHA256", 0), OSSL_PARAM_construct_end() };
	const struct media_keys *k = c->keys;

	c->cipher = EVP_CIPHER_CTX_new();
	c->hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	c->mac = c->hmac ? EVP_MAC_CTX_new(c->hmac) : NULL;
	return c->cipher && c->mac && EVP_CipherInit_ex(c->cipher, EVP_aes_256_cbc(), NULL, k->cipher, k->iv, c->decrypts ? 0 : 1) == 1 &&
	       EVP_MAC_init(c->mac, k->mac, sizeof k->mac, params) == 1 && EVP_MAC_update(c->mac, k->iv, sizeof k->iv) == 1;
}

static struct media_cipher *cipher_new(const struct media_keys *keys, int from, int to, uint64_t max_len, bool decrypts)
{
	struct media_cipher *c = xcalloc(1, sizeof *c);

	c->decrypts = decrypts;
	c->plain = !keys;
	c->from = from;
	c->to = to;
	c->max_len = max_len;
	if (keys) {
		c->copy = *keys;
		c->keys = &c->copy;
	}
	c->plain_hash = EVP_MD_CTX_new();
	c->blob_hash = EVP_MD_CTX_new();
	if (!c->plain_hash || !c->blob_hash || EVP_DigestInit_ex(c->plain_hash, EVP_sha256(), NULL) != 1 ||
	    EVP_DigestInit_ex(c->blob_hash, EVP_sha256(), NULL) != 1 || (keys && !start_cipher(c)))
		media_cipher_free(&c);
	return c;
}

struct media_cipher *media_encryptor_new(const struct media_keys *keys, int from, int to, uint64_t max_len)
{
	return cipher_new(keys, from, to, max_len, false);
}

struct media_cipher *media_decryptor_new(const struct media_keys *keys, int from, int to, uint64_t max_len,
					 const uint8_t *want_plain_hash, const uint8_t *want_blob_hash)
{
	struct media_cipher *c = cipher_new(keys, from, to, max_len, true);

	if (!c)
		return NULL;
	c->has_plain_hash = want_plain_hash != NULL;
	c->has_blob_hash = want_blob_hash != NULL;
	if (want_plain_hash)
		memcpy(c->want_plain_hash, want_plain_hash, sizeof c->want_plain_hash);
	if (want_blob_hash)
		memcpy(c->want_blob_hash, want_blob_hash, sizeof c->want_blob_hash);
	return c;
}

/* ---- descriptors --------------------------------------------------------------------------------------------------------------- */

/* Bytes read, 0 at the end, -1 with errno. */
static ssize_t read_at(struct media_cipher *c)
{
	ssize_t n;

	do
		n = pread(c->from, c->in, CHUNK, (off_t)c->at);
	while (n < 0 && errno == EINTR);
	if (n > 0)
		c->at += (uint64_t)n;
	return n;
}

static int write_out(struct media_cipher *c, const uint8_t *bytes, size_t len)
{
	while (len > 0 && c->to >= 0) {
		ssize_t n = pwrite(c->to, bytes, len, (off_t)c->written);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return CRYPTO_EIO;
		c->written += (uint64_t)n;
		bytes += n;
		len -= (size_t)n;
	}
	return CRYPTO_OK;
}

static int hash(EVP_MD_CTX *ctx, const uint8_t *bytes, size_t len)
{
	return EVP_DigestUpdate(ctx, bytes, len) == 1 ? CRYPTO_OK : CRYPTO_EFAIL;
}

static int hash_final(EVP_MD_CTX *ctx, uint8_t out[CRYPTO_SHA256_LEN])
{
	return EVP_DigestFinal_ex(ctx, out, NULL) == 1 ? CRYPTO_OK : CRYPTO_EFAIL;
}

/* ---- encrypting ---------------------------------------------------------------------------------------------------------------- */

/* A piece of the blob: hashed and written. */
static int emit_blob(struct media_cipher *c, const uint8_t *bytes, size_t len)
{
	int rc = hash(c->blob_hash, bytes, len);

	c->sums.blob_len += len;
	return rc ? rc : write_out(c, bytes, len);
}

static int encrypt_chunk(struct media_cipher *c, size_t len)
{
	int n = 0, rc = hash(c->plain_hash, c->in, len);

	c->sums.plain_len += len;
	if (rc)
		return rc;
	if (c->plain)
		return write_out(c, c->in, len);
	if (EVP_CipherUpdate(c->cipher, c->out, &n, c->in, (int)len) != 1 || EVP_MAC_update(c->mac, c->out, (size_t)n) != 1)
		return CRYPTO_EFAIL;
	return emit_blob(c, c->out, (size_t)n);
}

static int encrypt_end(struct media_cipher *c)
{
	uint8_t mac[CRYPTO_SHA256_LEN];
	size_t mac_len = 0;
	int n = 0, rc = hash_final(c->plain_hash, c->sums.plain_hash);

	if (rc)
		return rc;
	if (c->plain) {
		c->sums.blob_len = c->sums.plain_len;
		memcpy(c->sums.blob_hash, c->sums.plain_hash, sizeof c->sums.blob_hash);
		return CRYPTO_OK;
	}
	if (EVP_CipherFinal_ex(c->cipher, c->out, &n) != 1 || EVP_MAC_update(c->mac, c->out, (size_t)n) != 1 ||
	    EVP_MAC_final(c->mac, mac, &mac_len, sizeof mac) != 1)
		return CRYPTO_EFAIL;
	memcpy(c->out + n, mac, MEDIA_MAC_LEN);
	rc = emit_blob(c, c->out, (size_t)n + MEDIA_MAC_LEN);
	return rc ? rc : hash_final(c->blob_hash, c->sums.blob_hash);
}

/* ---- decrypting ---------------------------------------------------------------------------------------------------------------- */

static int emit_plain(struct media_cipher *c, const uint8_t *bytes, size_t len)
{
	int rc = hash(c->plain_hash, bytes, len);

	c->sums.plain_len += len;
	return rc ? rc : write_out(c, bytes, len);
}

static int decrypt_bytes(struct media_cipher *c, const uint8_t *bytes, size_t len)
{
	int n = 0;

	if (len == 0)
		return CRYPTO_OK;
	if (EVP_MAC_update(c->mac, bytes, len) != 1 || EVP_CipherUpdate(c->cipher, c->out, &n, bytes, (int)len) != 1)
		return CRYPTO_EFAIL;
	return emit_plain(c, c->out, (size_t)n);
}

/* The last MEDIA_MAC_LEN bytes seen so far are held back: they may be the MAC. */
static int decrypt_chunk(struct media_cipher *c, size_t len)
{
	size_t keep = len < MEDIA_MAC_LEN ? MEDIA_MAC_LEN - len : 0;
	size_t release = c->held_len > keep ? c->held_len - keep : 0;
	size_t body = len > MEDIA_MAC_LEN ? len - MEDIA_MAC_LEN : 0;
	int rc = hash(c->blob_hash, c->in, len);

	c->sums.blob_len += len;
	if (rc)
		return rc;
	if (c->plain)
		return emit_plain(c, c->in, len);
	rc = decrypt_bytes(c, c->held, release);
	if (!rc)
		rc = decrypt_bytes(c, c->in, body);
	memmove(c->held, c->held + release, c->held_len - release);
	c->held_len -= release;
	memcpy(c->held + c->held_len, c->in + body, len - body);
	c->held_len += len - body;
	return rc;
}

static int check_sums(const struct media_cipher *c)
{
	if (c->has_blob_hash && !crypto_equal(c->sums.blob_hash, c->want_blob_hash, CRYPTO_SHA256_LEN))
		return CRYPTO_EAUTH;
	if (c->has_plain_hash && !crypto_equal(c->sums.plain_hash, c->want_plain_hash, CRYPTO_SHA256_LEN))
		return CRYPTO_EAUTH;
	return CRYPTO_OK;
}

static int decrypt_end(struct media_cipher *c)
{
	uint8_t mac[CRYPTO_SHA256_LEN];
	size_t mac_len = 0;
	uint64_t body;
	int n = 0, rc = hash_final(c->blob_hash, c->sums.blob_hash);

	if (!rc && !c->plain) {
		if (c->sums.blob_len < MEDIA_BLOB_LEN(0))
			return CRYPTO_EARG;
		body = c->sums.blob_len - MEDIA_MAC_LEN;
		if (body % CRYPTO_AES_BLOCK)
			return CRYPTO_EARG;
		if (EVP_MAC_final(c->mac, mac, &mac_len, sizeof mac) != 1)
			return CRYPTO_EFAIL;
		/* The padding is looked at only when the MAC is right. */
		if (!crypto_equal(mac, c->held, MEDIA_MAC_LEN) || EVP_CipherFinal_ex(c->cipher, c->out, &n) != 1)
			return CRYPTO_EAUTH;
		rc = emit_plain(c, c->out, (size_t)n);
	}
	if (!rc)
		rc = hash_final(c->plain_hash, c->sums.plain_hash);
	return rc ? rc : check_sums(c);
}

/* ---- steps --------------------------------------------------------------------------------------------------------------------- */

static int step(struct media_cipher *c, uint64_t bytes)
{
	for (uint64_t done = 0; done < bytes;) {
		ssize_t n = read_at(c);
		int rc;

		if (n < 0)
			return CRYPTO_EIO;
		if (n == 0) {
			rc = c->decrypts ? decrypt_end(c) : encrypt_end(c);
			return rc;
		}
		if (c->at > c->max_len)
			return CRYPTO_EARG;
		rc = c->decrypts ? decrypt_chunk(c, (size_t)n) : encrypt_chunk(c, (size_t)n);
		if (rc)
			return rc;
		done += (uint64_t)n;
	}
	return 1;
}

int media_cipher_step(struct media_cipher *c, uint64_t bytes)
{
	int rc = step(c, bytes), saved = errno;

	/* Nothing of an unverified file stays. */
	if (rc < 0 && c->decrypts && c->to >= 0 && ftruncate(c->to, 0) != 0 && rc != CRYPTO_EIO)
		rc = CRYPTO_EIO;
	errno = saved;
	return rc;
}

const struct media_sums *media_cipher_sums(const struct media_cipher *c)
{
	return &c->sums;
}

void media_cipher_free(struct media_cipher **pointer)
{
	struct media_cipher *c = *pointer;

	if (!c)
		return;
	EVP_CIPHER_CTX_free(c->cipher);
	EVP_MD_CTX_free(c->plain_hash);
	EVP_MD_CTX_free(c->blob_hash);
	EVP_MAC_CTX_free(c->mac);
	EVP_MAC_free(c->hmac);
	crypto_wipe(c, sizeof *c);
	free(c);
	*pointer = NULL;
}
