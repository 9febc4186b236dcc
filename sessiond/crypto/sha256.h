/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * SHA-256 and HMAC-SHA256 without OpenSSL's provider layer: a message costs dozens of HMACs of a few dozen bytes, and fetching,
 * allocating and copying contexts costs several times what the compression does. Same code underneath (SHA extensions included).
 *
 *     crypto_hmac256_init(&h, key) -> crypto_hmac256_update(&h, ...) ... -> crypto_hmac256_final(&h, out)     RFC 2104
 *
 * The struct holds key material: crypto_wipe() it. No function can fail.
 */
#ifndef SESSIOND_CRYPTO_SHA256_H
#define SESSIOND_CRYPTO_SHA256_H

#include <openssl/sha.h>

#include "sessiond/crypto/crypto.h"

struct crypto_hmac256 {
	SHA256_CTX inner, outer; /* both have taken their padded key */
};

void crypto_hmac256_init(struct crypto_hmac256 *h, const void *key, size_t key_len);
void crypto_hmac256_update(struct crypto_hmac256 *h, const void *data, size_t len);
/* h may start again only by another init. */
void crypto_hmac256_final(struct crypto_hmac256 *h, uint8_t out[CRYPTO_SHA256_LEN]);

#endif
