/* SPDX-License-Identifier: GPL-3.0-or-later */
/* SHA-256 and HMAC-SHA256 on OpenSSL's plain functions, see sha256.h. */
/* Deprecated in favour of the provider layer that this file is there to avoid; present in every OpenSSL 3. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "sessiond/crypto/sha256.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_CHUNK (256U << 10)
#define INNER_PAD 0x36
#define OUTER_PAD 0x5c

int crypto_sha256(const void *data, size_t len, uint8_t out[CRYPTO_SHA256_LEN])
{
	SHA256_CTX ctx;

	SHA256_Init(&ctx);
	if (len > 0)
		SHA256_Update(&ctx, data, len);
	SHA256_Final(out, &ctx);
	crypto_wipe(&ctx, sizeof ctx);
	return CRYPTO_OK;
}

int crypto_sha256_file(int fd, uint8_t out[CRYPTO_SHA256_LEN])
{
	uint8_t *chunk = malloc(FILE_CHUNK);
	int64_t at = 0;
	ssize_t n = -1;
	SHA256_CTX ctx;

	SHA256_Init(&ctx);
	while (chunk && ((n = pread(fd, chunk, FILE_CHUNK, at)) > 0 || (n < 0 && errno == EINTR))) {
		if (n > 0)
			SHA256_Update(&ctx, chunk, (size_t)n);
		at += n > 0 ? n : 0;
	}
	SHA256_Final(out, &ctx);
	crypto_wipe(&ctx, sizeof ctx);
	free(chunk);
	return !chunk ? CRYPTO_EFAIL : n < 0 ? CRYPTO_EIO : CRYPTO_OK;
}

static void take_key(SHA256_CTX *ctx, const uint8_t key[SHA256_CBLOCK], uint8_t pad)
{
	uint8_t block[SHA256_CBLOCK];

	for (size_t i = 0; i < sizeof block; i++)
		block[i] = key[i] ^ pad;
	SHA256_Init(ctx);
	SHA256_Update(ctx, block, sizeof block);
	crypto_wipe(block, sizeof block);
}

void crypto_hmac256_init(struct crypto_hmac256 *h, const void *key, size_t key_len)
{
	uint8_t block[SHA256_CBLOCK] = { 0 };

	if (key_len > sizeof block)
		crypto_sha256(key, key_len, block);
	else if (key_len > 0)
		memcpy(block, key, key_len);
	take_key(&h->inner, block, INNER_PAD);
	take_key(&h->outer, block, OUTER_PAD);
	crypto_wipe(block, sizeof block);
}

void crypto_hmac256_update(struct crypto_hmac256 *h, const void *data, size_t len)
{
	if (len > 0)
		SHA256_Update(&h->inner, data, len);
}

void crypto_hmac256_final(struct crypto_hmac256 *h, uint8_t out[CRYPTO_SHA256_LEN])
{
	SHA256_Final(out, &h->inner);
	SHA256_Update(&h->outer, out, CRYPTO_SHA256_LEN);
	SHA256_Final(out, &h->outer);
}
