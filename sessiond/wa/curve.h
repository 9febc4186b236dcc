/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Curve25519 as WhatsApp uses it: X25519 agreement, and XEdDSA signatures by the same key pairs. Keys are raw 32 bytes here;
 * libsignal wants them with the type byte 05 in front.
 */
#ifndef SESSIOND_WA_CURVE_H
#define SESSIOND_WA_CURVE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"

#define CURVE_KEY_LEN 32
#define CURVE_SIGNATURE_LEN 64
#define CURVE_TYPE 0x05

struct curve_pair {
	uint8_t private_key[CURVE_KEY_LEN];
	uint8_t public_key[CURVE_KEY_LEN];
};

/* Makes a pair out of 32 random bytes. 0 or -1 (OpenSSL failed). */
int curve_pair_from_random(const uint8_t random[CURVE_KEY_LEN], struct curve_pair *out);

/* X25519 (RFC 7748). -1: the peer's key gives the all-zero secret, or OpenSSL failed. */
int curve_agree(const uint8_t private_key[CURVE_KEY_LEN], const uint8_t peer_public[CURVE_KEY_LEN], uint8_t out[CURVE_KEY_LEN]);

/* libsignal's context for signatures: one per loop. NULL if it could not be made. */
struct curve_signer;
struct curve_signer *curve_signer_new(void);
void curve_signer_free(struct curve_signer *signer);

/* XEdDSA signature of the message. Random bytes go in: two signatures of one message differ. 0 or -1. */
int curve_sign(struct curve_signer *signer, const uint8_t private_key[CURVE_KEY_LEN], struct span message,
               uint8_t signature[CURVE_SIGNATURE_LEN]);

/* True if the signature was made by the owner of this public key over exactly this message. */
bool curve_verify(const uint8_t public_key[CURVE_KEY_LEN], struct span message, struct span signature);

/* Signature over the type byte and a public key: how prekeys are signed. */
int curve_sign_key(struct curve_signer *signer, const uint8_t private_key[CURVE_KEY_LEN], const uint8_t signed_public[CURVE_KEY_LEN],
                   uint8_t signature[CURVE_SIGNATURE_LEN]);

#endif
