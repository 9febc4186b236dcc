/* SPDX-License-Identifier: GPL-3.0-or-later */
/* OpenSSL behind libsignal-protocol-c's crypto callbacks: random bytes, HMAC-SHA256, SHA-512, AES-256-CBC and AES-256-CTR. */
#include "sessiond/wa/signal_provider.h"

#include <limits.h>
#include <stdlib.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "common/mem.h"
#include "sessiond/crypto/sha256.h"

#define SHA512_BYTES 64
#define AES_BLOCK_BYTES 16U
#define AES_KEY_BYTES 32U

struct signal_provider {
	EVP_MD *sha512;          /* owned */
	EVP_CIPHER *cbc, *ctr;   /* owned */
	/* Owned, one for each cipher and direction: a context that keeps its cipher only needs key and iv. */
	EVP_CIPHER_CTX *cbc_encrypt, *cbc_decrypt, *ctr_encrypt, *ctr_decrypt;
};

static int random_bytes(uint8_t *data, size_t len, void *user_data)
{
	(void)user_data;
	return crypto_random(data, len) == CRYPTO_OK ? 0 : SG_ERR_UNKNOWN;
}

static int hmac_init(void **context, const uint8_t *key, size_t key_len, void *user_data)
{
	struct crypto_hmac256 *h = xmalloc(sizeof *h);

	(void)user_data;
	crypto_hmac256_init(h, key, key_len);
	*context = h;
	return 0;
}

static int hmac_update(void *context, const uint8_t *data, size_t len, void *user_data)
{
	(void)user_data;
	crypto_hmac256_update(context, data, len);
	return 0;
}

static int hmac_final(void *context, signal_buffer **output, void *user_data)
{
	uint8_t digest[CRYPTO_SHA256_LEN];

	(void)user_data;
	crypto_hmac256_final(context, digest);
	*output = signal_buffer_create(digest, sizeof digest);
	OPENSSL_cleanse(digest, sizeof digest);
	return *output != NULL ? 0 : SG_ERR_NOMEM;
}

static void hmac_cleanup(void *context, void *user_data)
{
	(void)user_data;
	if (context != NULL)
		crypto_wipe(context, sizeof(struct crypto_hmac256));
	free(context);
}

static int sha512_init(void **context, void *user_data)
{
	struct signal_provider *p = user_data;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	if (ctx == NULL)
		return SG_ERR_NOMEM;
	if (EVP_DigestInit_ex2(ctx, p->sha512, NULL) != 1) {
		EVP_MD_CTX_free(ctx);
		return SG_ERR_UNKNOWN;
	}
	*context = ctx;
	return 0;
}

static int sha512_update(void *context, const uint8_t *data, size_t len, void *user_data)
{
	(void)user_data;
	return EVP_DigestUpdate(context, data, len) == 1 ? 0 : SG_ERR_UNKNOWN;
}

static int sha512_final(void *context, signal_buffer **output, void *user_data)
{
	struct signal_provider *p = user_data;
	uint8_t digest[SHA512_BYTES];
	unsigned n = 0;

	if (EVP_DigestFinal_ex(context, digest, &n) != 1 || n != sizeof digest)
		return SG_ERR_UNKNOWN;
	/* The library's contract: ready for the next digest afterwards. */
	if (EVP_DigestInit_ex2(context, p->sha512, NULL) != 1)
		return SG_ERR_UNKNOWN;
	*output = signal_buffer_create(digest, sizeof digest);
	OPENSSL_cleanse(digest, sizeof digest);
	return *output != NULL ? 0 : SG_ERR_NOMEM;
}

static void sha512_cleanup(void *context, void *user_data)
{
	(void)user_data;
	EVP_MD_CTX_free(context);
}

static EVP_CIPHER_CTX *context_of(const struct signal_provider *p, int encrypting, int cipher, size_t key_len, size_t iv_len)
{
	if (key_len != AES_KEY_BYTES || iv_len != AES_BLOCK_BYTES)
		return NULL;
	if (cipher == SG_CIPHER_AES_CBC_PKCS5)
		return encrypting ? p->cbc_encrypt : p->cbc_decrypt;
	if (cipher == SG_CIPHER_AES_CTR_NOPADDING)
		return encrypting ? p->ctr_encrypt : p->ctr_decrypt;
	return NULL;
}

static int aes_run(struct signal_provider *p, int encrypting, int cipher, signal_buffer **output, const uint8_t *key,
		   size_t key_len, const uint8_t *iv, size_t iv_len, const uint8_t *in, size_t in_len)
{
	EVP_CIPHER_CTX *aes = context_of(p, encrypting, cipher, key_len, iv_len);
	uint8_t *out = NULL;
	int n = 0;
	int last = 0;
	int rc = SG_ERR_UNKNOWN;

	if (aes == NULL || in_len > INT_MAX - AES_BLOCK_BYTES)
		return SG_ERR_INVAL;
	out = xmalloc(in_len + AES_BLOCK_BYTES);
	if (EVP_CipherInit_ex2(aes, NULL, key, iv, encrypting, NULL) == 1 && EVP_CipherUpdate(aes, out, &n, in, (int)in_len) == 1 &&
	    EVP_CipherFinal_ex(aes, out + n, &last) == 1) {
		*output = signal_buffer_create(out, (size_t)n + (size_t)last);
		rc = *output != NULL ? 0 : SG_ERR_NOMEM;
	}
	OPENSSL_cleanse(out, in_len + AES_BLOCK_BYTES);
	free(out);
	return rc;
}

static int aes_encrypt(signal_buffer **output, int cipher, const uint8_t *key, size_t key_len, const uint8_t *iv, size_t iv_len,
		       const uint8_t *plaintext, size_t plaintext_len, void *user_data)
{
	return aes_run(user_data, 1, cipher, output, key, key_len, iv, iv_len, plaintext, plaintext_len);
}

static int aes_decrypt(signal_buffer **output, int cipher, const uint8_t *key, size_t key_len, const uint8_t *iv, size_t iv_len,
		       const uint8_t *ciphertext, size_t ciphertext_len, void *user_data)
{
	return aes_run(user_data, 0, cipher, output, key, key_len, iv, iv_len, ciphertext, ciphertext_len);
}

static EVP_CIPHER_CTX *context_new(const EVP_CIPHER *cipher, int encrypting)
{
	EVP_CIPHER_CTX *aes = EVP_CIPHER_CTX_new();

	if (cipher != NULL && aes != NULL && EVP_CipherInit_ex2(aes, cipher, NULL, NULL, encrypting, NULL) == 1)
		return aes;
	EVP_CIPHER_CTX_free(aes);
	return NULL;
}

struct signal_provider *wa_signal_provider_new(void)
{
	struct signal_provider *p = xcalloc(1, sizeof *p);

	p->sha512 = EVP_MD_fetch(NULL, "SHA512", NULL);
	p->cbc = EVP_CIPHER_fetch(NULL, "AES-256-CBC", NULL);
	p->ctr = EVP_CIPHER_fetch(NULL, "AES-256-CTR", NULL);
	p->cbc_encrypt = context_new(p->cbc, 1);
	p->cbc_decrypt = context_new(p->cbc, 0);
	p->ctr_encrypt = context_new(p->ctr, 1);
	p->ctr_decrypt = context_new(p->ctr, 0);
	if (p->sha512 != NULL && p->cbc_encrypt != NULL && p->cbc_decrypt != NULL && p->ctr_encrypt != NULL && p->ctr_decrypt != NULL)
		return p;
	wa_signal_provider_free(p);
	return NULL;
}

void wa_signal_provider_free(struct signal_provider *p)
{
	if (p == NULL)
		return;
	EVP_CIPHER_CTX_free(p->cbc_encrypt);
	EVP_CIPHER_CTX_free(p->cbc_decrypt);
	EVP_CIPHER_CTX_free(p->ctr_encrypt);
	EVP_CIPHER_CTX_free(p->ctr_decrypt);
	EVP_MD_free(p->sha512);
	EVP_CIPHER_free(p->cbc);
	EVP_CIPHER_free(p->ctr);
	free(p);
}

int wa_signal_provider_install(struct signal_provider *p, signal_context *ctx)
{
	const signal_crypto_provider callbacks = {
		.random_func = random_bytes,
		.hmac_sha256_init_func = hmac_init,
		.hmac_sha256_update_func = hmac_update,
		.hmac_sha256_final_func = hmac_final,
		.hmac_sha256_cleanup_func = hmac_cleanup,
		.sha512_digest_init_func = sha512_init,
		.sha512_digest_update_func = sha512_update,
		.sha512_digest_final_func = sha512_final,
		.sha512_digest_cleanup_func = sha512_cleanup,
		.encrypt_func = aes_encrypt,
		.decrypt_func = aes_decrypt,
		.user_data = p,
	};

	return signal_context_set_crypto_provider(ctx, &callbacks);
}
