/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Digests and HMACs by OpenSSL's names, of bytes that come in pieces. For callers who choose the name; our own use is in crypto.h. */
#ifndef SESSIOND_CRYPTO_NAMED_H
#define SESSIOND_CRYPTO_NAMED_H

#include <stddef.h>
#include <stdint.h>

enum { NAMED_DIGEST_MAX = 64 };

struct named_digest;

/* name in any case. key NULL: a digest, else the HMAC with it. NULL: there is none of that name (or it cannot be used so). */
struct named_digest *named_digest_new(const char *name, const void *key, size_t key_len);
void named_digest_free(struct named_digest *d);
/* 0, or -1 if OpenSSL failed. */
int named_digest_update(struct named_digest *d, const void *data, size_t len);
/* Length of what was written, or -1. */
int named_digest_end(struct named_digest *d, uint8_t out[static NAMED_DIGEST_MAX]);

#endif
