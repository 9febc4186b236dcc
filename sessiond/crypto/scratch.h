/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What each thread keeps for the next use: cipher contexts and random bytes. Making an EVP context costs more than sealing a record,
 * and OpenSSL asks the system for the process number at every random number.
 *
 *     thread -- crypto_scratch() --> { gcm_seal, gcm_open, ecb, pool [ ....handed out | left ] }      freed when the thread ends
 */
#ifndef SESSIOND_CRYPTO_SCRATCH_H
#define SESSIOND_CRYPTO_SCRATCH_H

#include <openssl/evp.h>

#include "sessiond/crypto/crypto.h"

enum { SCRATCH_POOL = 1024 };

struct crypto_scratch {
	/* Owned. The cipher is set; every use sets key and iv anew. The last key's schedule stays in them: it is wiped with them. */
	EVP_CIPHER_CTX *gcm_seal, *gcm_open, *ecb;
	size_t left; /* random bytes at the pool's end that nobody has had */
	uint8_t pool[SCRATCH_POOL];
};

/* The calling thread's; NULL if OpenSSL has no memory or no such cipher. */
struct crypto_scratch *crypto_scratch(void);

#endif
