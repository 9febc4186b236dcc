/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Constant-time comparison, digests, HMAC and HKDF. */
#include "sessiond/crypto/crypto.h"

#include <limits.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "sessiond/crypto/sha256.h"

bool crypto_equal(const void *a, const void *b, size_t len)
{
	return CRYPTO_memcmp(a, b, len) == 0;
}

void crypto_wipe(void *secret, size_t len)
{
	if (secret != NULL)
		OPENSSL_cleanse(secret, len);
}

static const EVP_MD *hash_md(enum crypto_hash hash)
{
	switch (hash) {
	case CRYPTO_SHA1:
		return EVP_sha1();
	case CRYPTO_SHA224:
		return EVP_sha224();
	case CRYPTO_SHA256:
		return EVP_sha256();
	case CRYPTO_SHA384:
		return EVP_sha384();
	case CRYPTO_SHA512:
		return EVP_sha512();
	}
	return NULL;
}

size_t crypto_hash_len(enum crypto_hash hash)
{
	const EVP_MD *md = hash_md(hash);

	return md == NULL ? 0 : (size_t)EVP_MD_get_size(md);
}

int crypto_digest(enum crypto_hash hash, const void *data, size_t len, uint8_t *out)
{
	const EVP_MD *md = hash_md(hash);

	if (hash == CRYPTO_SHA256)
		return crypto_sha256(data, len, out);
	if (md == NULL)
		return CRYPTO_EARG;
	return EVP_Digest(data, len, out, NULL, md, NULL) == 1 ? CRYPTO_OK : CRYPTO_EFAIL;
}

int crypto_sha1(const void *data, size_t len, uint8_t out[CRYPTO_SHA1_LEN])
{
	return crypto_digest(CRYPTO_SHA1, data, len, out);
}

static int hmac_sha256(const void *key, size_t key_len, const void *data, size_t len, uint8_t *out)
{
	struct crypto_hmac256 h;

	crypto_hmac256_init(&h, key, key_len);
	crypto_hmac256_update(&h, data, len);
	crypto_hmac256_final(&h, out);
	crypto_wipe(&h, sizeof h);
	return CRYPTO_OK;
}

int crypto_hmac(enum crypto_hash hash, const void *key, size_t key_len,
                const void *data, size_t len, uint8_t *out)
{
	const EVP_MD *md = hash_md(hash);

	if (hash == CRYPTO_SHA256)
		return hmac_sha256(key, key_len, data, len, out);
	if (md == NULL || key_len > INT_MAX)
		return CRYPTO_EARG;
	/* HMAC takes a NULL key for "the key of the last call", so an empty one needs an address. */
	if (key == NULL)
		key = "";
	return HMAC(md, key, (int)key_len, data, len, out, NULL) != NULL ? CRYPTO_OK : CRYPTO_EFAIL;
}

int crypto_hkdf_sha256(const void *ikm, size_t ikm_len, const void *salt, size_t salt_len,
                       const void *info, size_t info_len, uint8_t *out, size_t out_len)
{
	uint8_t block[CRYPTO_SHA256_LEN + 256 + 1];
	uint8_t prk[CRYPTO_SHA256_LEN];
	uint8_t okm[CRYPTO_SHA256_LEN] = {0};
	size_t done = 0, previous = 0;
	int rc;

	if (out_len > (size_t)255 * CRYPTO_SHA256_LEN || info_len > 256)
		return CRYPTO_EARG;
	rc = crypto_hmac(CRYPTO_SHA256, salt, salt_len, ikm, ikm_len, prk);
	for (uint8_t round = 1; rc == CRYPTO_OK && done < out_len; round++) {
		size_t part = out_len - done < sizeof okm ? out_len - done : sizeof okm;

		memcpy(block, okm, previous);
		if (info_len > 0)
			memcpy(block + previous, info, info_len);
		block[previous + info_len] = round;
		rc = crypto_hmac(CRYPTO_SHA256, prk, sizeof prk, block, previous + info_len + 1, okm);
		if (rc == CRYPTO_OK)
			memcpy(out + done, okm, part);
		done += part;
		previous = sizeof okm;
	}
	crypto_wipe(block, sizeof block);
	crypto_wipe(prk, sizeof prk);
	crypto_wipe(okm, sizeof okm);
	return rc;
}
