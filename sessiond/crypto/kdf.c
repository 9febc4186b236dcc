/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Derivations that are slow on purpose, and the stored form of passwords. */
#include "sessiond/crypto/crypto.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>

enum {
	PASSWORD_N = 16384,
	PASSWORD_R = 8,
	PASSWORD_P = 1,
	PASSWORD_SALT = 16,
	PASSWORD_HASH = 64,
	SCRYPT_MEMORY = 64 * 1024 * 1024
};

int crypto_pbkdf2_sha256(const void *password, size_t password_len, const void *salt,
                         size_t salt_len, unsigned iterations, uint8_t *out, size_t out_len)
{
	if (password_len > INT_MAX || salt_len > INT_MAX || out_len > INT_MAX ||
	    iterations == 0 || iterations > INT_MAX)
		return CRYPTO_EARG;
	return PKCS5_PBKDF2_HMAC(password, (int)password_len, salt, (int)salt_len, (int)iterations,
	                         EVP_sha256(), (int)out_len, out) == 1 ? CRYPTO_OK : CRYPTO_EFAIL;
}

int crypto_scrypt(const void *password, size_t password_len, const void *salt, size_t salt_len,
                  uint64_t n, uint32_t r, uint32_t p, uint8_t *out, size_t out_len)
{
	return EVP_PBE_scrypt(password, password_len, salt, salt_len, n, r, p, SCRYPT_MEMORY,
	                      out, out_len) == 1 ? CRYPTO_OK : CRYPTO_EFAIL;
}

int crypto_password_hash(const char *password, char out[CRYPTO_PASSWORD_LEN])
{
	uint8_t salt[PASSWORD_SALT], hash[PASSWORD_HASH];
	char salt_hex[2 * PASSWORD_SALT + 1], hash_hex[2 * PASSWORD_HASH + 1];
	int rc = crypto_random(salt, sizeof salt);

	if (rc == CRYPTO_OK)
		rc = crypto_scrypt(password, strlen(password), salt, sizeof salt,
		                   PASSWORD_N, PASSWORD_R, PASSWORD_P, hash, sizeof hash);
	if (rc == CRYPTO_OK) {
		crypto_hex(salt, sizeof salt, salt_hex);
		crypto_hex(hash, sizeof hash, hash_hex);
		snprintf(out, CRYPTO_PASSWORD_LEN, "scrypt:%s:%s", salt_hex, hash_hex);
	}
	crypto_wipe(hash, sizeof hash);
	crypto_wipe(hash_hex, sizeof hash_hex);
	return rc;
}

/* Splits "scrypt:<salt hex>:<hash hex>"; salts of other lengths than ours are fine. */
static int password_parse(const char *stored, uint8_t *salt, size_t *salt_len, uint8_t *hash)
{
	static const char scheme[] = "scrypt:";
	const char *text, *colon;
	size_t hex_len;

	if (strncmp(stored, scheme, sizeof scheme - 1) != 0)
		return CRYPTO_EFORMAT;
	text = stored + sizeof scheme - 1;
	colon = strchr(text, ':');
	if (colon == NULL)
		return CRYPTO_EFORMAT;
	hex_len = (size_t)(colon - text);
	if (hex_len < 2 || hex_len > 2 * (size_t)PASSWORD_HASH || hex_len % 2 != 0)
		return CRYPTO_EFORMAT;
	*salt_len = hex_len / 2;
	if (crypto_unhex(text, hex_len, salt, *salt_len) != CRYPTO_OK)
		return CRYPTO_EFORMAT;
	return crypto_unhex(colon + 1, strlen(colon + 1), hash, PASSWORD_HASH);
}

int crypto_password_verify(const char *stored, const char *password)
{
	uint8_t salt[PASSWORD_HASH] = {0}, expected[PASSWORD_HASH] = {0}, hash[PASSWORD_HASH];
	size_t salt_len = PASSWORD_SALT;
	int rc = CRYPTO_OK;

	if (stored != NULL)
		rc = password_parse(stored, salt, &salt_len, expected);
	if (rc == CRYPTO_OK)
		rc = crypto_scrypt(password, strlen(password), salt, salt_len,
		                   PASSWORD_N, PASSWORD_R, PASSWORD_P, hash, sizeof hash);
	if (rc == CRYPTO_OK)
		rc = crypto_equal(hash, expected, sizeof hash) && stored != NULL ? 1 : 0;
	crypto_wipe(expected, sizeof expected);
	crypto_wipe(hash, sizeof hash);
	return rc;
}

bool crypto_password_is_stored(const char *stored)
{
	uint8_t salt[PASSWORD_HASH], hash[PASSWORD_HASH];
	size_t salt_len;

	return stored != NULL && password_parse(stored, salt, &salt_len, hash) == CRYPTO_OK;
}
