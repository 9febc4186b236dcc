/* SPDX-License-Identifier: GPL-3.0-or-later */
/* AES in the three modes that the protocol and the store use: GCM, CTR, CBC. */
#include "sessiond/crypto/crypto.h"

#include <limits.h>

#include <openssl/evp.h>

#include "sessiond/crypto/scratch.h"

/* EVP takes lengths as int; nothing in this program encrypts more than that in one piece. */
static bool fits_int(size_t len)
{
	return len <= INT_MAX - CRYPTO_AES_BLOCK;
}

int crypto_aes_gcm_seal(const uint8_t key[CRYPTO_KEY_LEN], const uint8_t iv[CRYPTO_GCM_IV_LEN],
                        const void *aad, size_t aad_len, const void *plain, size_t len,
                        uint8_t *out)
{
	struct crypto_scratch *scratch = crypto_scratch();
	EVP_CIPHER_CTX *ctx;
	int n = 0;

	if (!fits_int(len) || !fits_int(aad_len))
		return CRYPTO_EARG;
	if (scratch == NULL)
		return CRYPTO_EFAIL;
	ctx = scratch->gcm_seal;
	if (EVP_EncryptInit_ex2(ctx, NULL, key, iv, NULL) != 1 ||
	    (aad_len > 0 && EVP_EncryptUpdate(ctx, NULL, &n, aad, (int)aad_len) != 1) ||
	    (len > 0 && EVP_EncryptUpdate(ctx, out, &n, plain, (int)len) != 1) || EVP_EncryptFinal_ex(ctx, out + len, &n) != 1 ||
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, CRYPTO_GCM_TAG_LEN, out + len) != 1)
		return CRYPTO_EFAIL;
	return CRYPTO_OK;
}

int crypto_aes_gcm_open(const uint8_t key[CRYPTO_KEY_LEN], const uint8_t iv[CRYPTO_GCM_IV_LEN],
                        const void *aad, size_t aad_len, const void *sealed, size_t len,
                        uint8_t *out)
{
	struct crypto_scratch *scratch = crypto_scratch();
	const uint8_t *in = sealed;
	uint8_t tag[CRYPTO_GCM_TAG_LEN], end[CRYPTO_AES_BLOCK];
	EVP_CIPHER_CTX *ctx;
	size_t text_len;
	int n = 0;

	if (len < CRYPTO_GCM_TAG_LEN)
		return CRYPTO_EAUTH;
	if (!fits_int(len) || !fits_int(aad_len))
		return CRYPTO_EARG;
	if (scratch == NULL)
		return CRYPTO_EFAIL;
	text_len = len - CRYPTO_GCM_TAG_LEN;
	for (size_t i = 0; i < sizeof tag; i++)
		tag[i] = in[text_len + i];
	ctx = scratch->gcm_open;
	if (EVP_DecryptInit_ex2(ctx, NULL, key, iv, NULL) != 1 ||
	    (aad_len > 0 && EVP_DecryptUpdate(ctx, NULL, &n, aad, (int)aad_len) != 1) ||
	    (text_len > 0 && EVP_DecryptUpdate(ctx, out, &n, in, (int)text_len) != 1) ||
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, CRYPTO_GCM_TAG_LEN, tag) != 1)
		return CRYPTO_EFAIL;
	if (EVP_DecryptFinal_ex(ctx, end, &n) == 1)
		return CRYPTO_OK;
	crypto_wipe(out, text_len);
	return CRYPTO_EAUTH;
}

static const EVP_CIPHER *ctr_cipher(size_t key_len)
{
	switch (key_len) {
	case 16:
		return EVP_aes_128_ctr();
	case 24:
		return EVP_aes_192_ctr();
	case 32:
		return EVP_aes_256_ctr();
	default:
		return NULL;
	}
}

static const EVP_CIPHER *cbc_cipher(size_t key_len)
{
	switch (key_len) {
	case 16:
		return EVP_aes_128_cbc();
	case 24:
		return EVP_aes_192_cbc();
	case 32:
		return EVP_aes_256_cbc();
	default:
		return NULL;
	}
}

int crypto_aes_ctr(const uint8_t *key, size_t key_len, const uint8_t iv[CRYPTO_AES_BLOCK],
                   const void *in, size_t len, uint8_t *out)
{
	const EVP_CIPHER *cipher = ctr_cipher(key_len);
	uint8_t end[CRYPTO_AES_BLOCK];
	EVP_CIPHER_CTX *ctx;
	int n = 0, rc = CRYPTO_EFAIL;

	if (cipher == NULL || !fits_int(len))
		return CRYPTO_EARG;
	ctx = EVP_CIPHER_CTX_new();
	if (ctx != NULL && EVP_EncryptInit_ex(ctx, cipher, NULL, key, iv) == 1 &&
	    (len == 0 || EVP_EncryptUpdate(ctx, out, &n, in, (int)len) == 1) &&
	    EVP_EncryptFinal_ex(ctx, end, &n) == 1)
		rc = CRYPTO_OK;
	EVP_CIPHER_CTX_free(ctx);
	return rc;
}

int crypto_aes_cbc_encrypt(const uint8_t *key, size_t key_len, const uint8_t iv[CRYPTO_AES_BLOCK],
                           const void *plain, size_t len, uint8_t *out)
{
	const EVP_CIPHER *cipher = cbc_cipher(key_len);
	EVP_CIPHER_CTX *ctx;
	int n = 0, end = 0, rc = CRYPTO_EFAIL;

	if (cipher == NULL || !fits_int(len))
		return CRYPTO_EARG;
	ctx = EVP_CIPHER_CTX_new();
	if (ctx != NULL && EVP_EncryptInit_ex(ctx, cipher, NULL, key, iv) == 1 &&
	    (len == 0 || EVP_EncryptUpdate(ctx, out, &n, plain, (int)len) == 1) &&
	    EVP_EncryptFinal_ex(ctx, out + n, &end) == 1)
		rc = CRYPTO_OK;
	EVP_CIPHER_CTX_free(ctx);
	return rc;
}

int crypto_aes_cbc_decrypt(const uint8_t *key, size_t key_len, const uint8_t iv[CRYPTO_AES_BLOCK],
                           const void *in, size_t len, uint8_t *out, size_t *out_len)
{
	const EVP_CIPHER *cipher = cbc_cipher(key_len);
	EVP_CIPHER_CTX *ctx;
	int n = 0, end = 0, rc = CRYPTO_EFAIL;

	if (cipher == NULL || !fits_int(len))
		return CRYPTO_EARG;
	if (len == 0 || len % CRYPTO_AES_BLOCK != 0)
		return CRYPTO_EAUTH;
	ctx = EVP_CIPHER_CTX_new();
	if (ctx == NULL || EVP_DecryptInit_ex(ctx, cipher, NULL, key, iv) != 1 ||
	    EVP_DecryptUpdate(ctx, out, &n, in, (int)len) != 1)
		goto out;
	if (EVP_DecryptFinal_ex(ctx, out + n, &end) == 1) {
		*out_len = (size_t)n + (size_t)end;
		rc = CRYPTO_OK;
	} else {
		crypto_wipe(out, len);
		rc = CRYPTO_EAUTH;
	}
out:
	EVP_CIPHER_CTX_free(ctx);
	return rc;
}
