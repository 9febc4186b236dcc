/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Per-thread cipher contexts and random bytes, see scratch.h. */
#include "sessiond/crypto/scratch.h"

#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/rand.h>

#include "common/mem.h"

/* More at once than this comes from OpenSSL directly. */
enum { POOLED_MAX = 64 };

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static bool has_key;
static EVP_CIPHER *gcm, *ecb; /* fetched once, for the life of the process */

static void scratch_free(void *arg)
{
	struct crypto_scratch *s = arg;

	if (s == NULL)
		return;
	EVP_CIPHER_CTX_free(s->gcm_seal);
	EVP_CIPHER_CTX_free(s->gcm_open);
	EVP_CIPHER_CTX_free(s->ecb);
	crypto_wipe(s, sizeof *s);
	free(s);
}

/* A forked child must not hand out what its parent will. */
static void forget_pool(void)
{
	struct crypto_scratch *s = pthread_getspecific(key);

	if (s != NULL) {
		crypto_wipe(s->pool, sizeof s->pool);
		s->left = 0;
	}
}

static void set_up(void)
{
	gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
	ecb = EVP_CIPHER_fetch(NULL, "AES-256-ECB", NULL);
	has_key = pthread_key_create(&key, scratch_free) == 0 && pthread_atfork(NULL, NULL, forget_pool) == 0;
}

static struct crypto_scratch *scratch_new(void)
{
	struct crypto_scratch *s;

	if (gcm == NULL || ecb == NULL)
		return NULL;
	s = xcalloc(1, sizeof *s);
	s->gcm_seal = EVP_CIPHER_CTX_new();
	s->gcm_open = EVP_CIPHER_CTX_new();
	s->ecb = EVP_CIPHER_CTX_new();
	if (s->gcm_seal == NULL || s->gcm_open == NULL || s->ecb == NULL || EVP_EncryptInit_ex2(s->gcm_seal, gcm, NULL, NULL, NULL) != 1 ||
	    EVP_DecryptInit_ex2(s->gcm_open, gcm, NULL, NULL, NULL) != 1 || EVP_EncryptInit_ex2(s->ecb, ecb, NULL, NULL, NULL) != 1 ||
	    pthread_setspecific(key, s) != 0) {
		scratch_free(s);
		return NULL;
	}
	return s;
}

struct crypto_scratch *crypto_scratch(void)
{
	struct crypto_scratch *s;

	pthread_once(&once, set_up);
	if (!has_key)
		return NULL;
	s = pthread_getspecific(key);
	return s != NULL ? s : scratch_new();
}

static int random_direct(uint8_t *out, size_t len)
{
	while (len > 0) {
		int part = len > INT_MAX ? INT_MAX : (int)len;

		if (RAND_bytes(out, part) != 1)
			return CRYPTO_EFAIL;
		out += part;
		len -= (size_t)part;
	}
	return CRYPTO_OK;
}

int crypto_random(void *out, size_t len)
{
	struct crypto_scratch *s = len > POOLED_MAX ? NULL : crypto_scratch();
	uint8_t *from;

	if (s == NULL)
		return random_direct(out, len);
	if (s->left < len) {
		if (RAND_bytes(s->pool, sizeof s->pool) != 1) {
			s->left = 0;
			return CRYPTO_EFAIL;
		}
		s->left = sizeof s->pool;
	}
	from = s->pool + sizeof s->pool - s->left;
	memcpy(out, from, len);
	crypto_wipe(from, len);
	s->left -= len;
	return CRYPTO_OK;
}
