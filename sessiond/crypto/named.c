/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See named.h. */
#include "sessiond/crypto/named.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "common/mem.h"

#define NAME_MAX_LEN 64U

struct named_digest {
	EVP_MD *md;          /* owned */
	EVP_MD_CTX *digest;  /* owned; NULL with a key */
	EVP_MAC *mac;        /* owned */
	EVP_MAC_CTX *hmac;   /* owned; NULL without a key */
};

static int start_hmac(struct named_digest *d, const void *key, size_t key_len)
{
	char *name = xstrdup(EVP_MD_get0_name(d->md));
	OSSL_PARAM params[2] = { OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0), OSSL_PARAM_construct_end() };
	int ok;

	d->mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	d->hmac = d->mac ? EVP_MAC_CTX_new(d->mac) : NULL;
	ok = d->hmac && EVP_MAC_init(d->hmac, key_len ? key : (const void *)"", key_len, params) == 1;
	free(name);
	return ok ? 0 : -1;
}

static int start_digest(struct named_digest *d)
{
	d->digest = EVP_MD_CTX_new();
	return d->digest && EVP_DigestInit_ex(d->digest, d->md, NULL) == 1 ? 0 : -1;
}

struct named_digest *named_digest_new(const char *name, const void *key, size_t key_len)
{
	struct named_digest *d;
	int size;

	if (!name[0] || strlen(name) > NAME_MAX_LEN)
		return NULL;
	d = xcalloc(1, sizeof *d);
	d->md = EVP_MD_fetch(NULL, name, NULL);
	size = d->md ? EVP_MD_get_size(d->md) : 0;
	/* Of variable length: 0, or no length at all. */
	if (!d->md || size <= 0 || size > NAMED_DIGEST_MAX || (key ? start_hmac(d, key, key_len) : start_digest(d))) {
		named_digest_free(d);
		return NULL;
	}
	return d;
}

void named_digest_free(struct named_digest *d)
{
	if (!d)
		return;
	EVP_MD_CTX_free(d->digest);
	EVP_MAC_CTX_free(d->hmac);
	EVP_MAC_free(d->mac);
	EVP_MD_free(d->md);
	free(d);
}

int named_digest_update(struct named_digest *d, const void *data, size_t len)
{
	if (len == 0)
		return 0;
	return (d->hmac ? EVP_MAC_update(d->hmac, data, len) : EVP_DigestUpdate(d->digest, data, len)) == 1 ? 0 : -1;
}

int named_digest_end(struct named_digest *d, uint8_t out[static NAMED_DIGEST_MAX])
{
	unsigned digest_len = 0;
	size_t len = 0;

	if (d->hmac)
		return EVP_MAC_final(d->hmac, out, &len, NAMED_DIGEST_MAX) == 1 ? (int)len : -1;
	return EVP_DigestFinal_ex(d->digest, out, &digest_len) == 1 ? (int)digest_len : -1;
}
