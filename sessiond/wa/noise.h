/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Noise_XX_25519_AESGCM_SHA256: the symmetric state of the handshake, and the two ciphers that come out of it.
 *
 *     start:     h = ck = k = name (32 bytes), n = 0, then mix_hash(prologue)
 *     encrypt:   AES-256-GCM(k, iv = 00 x 8 || n as u32 BE, aad = h), n++, mix_hash(ciphertext); decrypt likewise
 *     split:     HKDF(ck, "", 64): client writes with the first half and reads with the second
 *
 * Source: The Noise Protocol Framework 5.2; WhatsApp's own: one counter for both directions during the handshake, the name unhashed.
 */
#ifndef SESSIOND_WA_NOISE_H
#define SESSIOND_WA_NOISE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"

#define NOISE_KEY_LEN 32
#define NOISE_TAG_LEN 16

/* Holds secrets: wipe with noise_wipe(). */
struct noise {
	uint8_t hash[32], chain[32], key[NOISE_KEY_LEN];
	uint32_t counter;
};

enum noise_error { NOISE_OK = 0, NOISE_FAILED = -1, NOISE_AUTH = -2 };

/* All return 0, NOISE_AUTH (the tag does not fit) or NOISE_FAILED (OpenSSL failed, or a length that cannot be). */
int noise_start(struct noise *noise, struct span prologue);
int noise_mix_hash(struct noise *noise, struct span data);
int noise_mix_key(struct noise *noise, const uint8_t secret[32]);
/* Agreement of the two keys, mixed in. */
int noise_mix_agreement(struct noise *noise, const uint8_t private_key[32], const uint8_t peer_public[32]);
/* Appends ciphertext and tag. */
int noise_encrypt(struct noise *noise, struct span plain, struct buf *out);
/* Appends the plaintext. */
int noise_decrypt(struct noise *noise, struct span cipher, struct buf *out);
/* Keys of the transport as the client uses them; the handshake state is wiped. */
int noise_split(struct noise *noise, uint8_t write_key[NOISE_KEY_LEN], uint8_t read_key[NOISE_KEY_LEN]);
void noise_wipe(struct noise *noise);

/* One direction of the transport: a key and a counter that counts frames. */
struct noise_cipher;
/* NULL if OpenSSL fails. The key is copied. */
struct noise_cipher *noise_cipher_new(const uint8_t key[NOISE_KEY_LEN], bool encrypts);
void noise_cipher_free(struct noise_cipher *cipher);
/* Appends ciphertext and tag of one frame. */
int noise_cipher_seal(struct noise_cipher *cipher, struct span plain, struct buf *out);
/* Decrypts one frame in place; *plain then lies inside it. NOISE_AUTH: the connection cannot go on. */
int noise_cipher_open(struct noise_cipher *cipher, uint8_t *frame, size_t n, struct span *plain);
/* True when so many frames went through that the connection should be made anew before the counter wraps. */
bool noise_cipher_worn(const struct noise_cipher *cipher);

#endif
