/* SPDX-License-Identifier: GPL-3.0-or-later */
/* X25519 through OpenSSL, XEdDSA through libsignal-protocol-c. */
#include "sessiond/wa/curve.h"

#include <openssl/evp.h>
#include <signal/curve.h>
#include <signal/signal_protocol.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/wa/signal_provider.h"

struct curve_signer {
	struct signal_provider *provider; /* owned */
	signal_context *context;          /* owned */
};

int curve_pair_from_random(const uint8_t random[CURVE_KEY_LEN], struct curve_pair *out)
{
	size_t n = CURVE_KEY_LEN;
	EVP_PKEY *key;
	int result = -1;

	memcpy(out->private_key, random, CURVE_KEY_LEN);
	/* RFC 7748 section 5; libsignal expects stored keys in this form. */
	out->private_key[0] &= 248U;
	out->private_key[31] &= 127U;
	out->private_key[31] |= 64U;
	key = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, out->private_key, CURVE_KEY_LEN);
	if (key != NULL && EVP_PKEY_get_raw_public_key(key, out->public_key, &n) == 1)
		result = 0;
	EVP_PKEY_free(key);
	return result;
}

int curve_agree(const uint8_t private_key[CURVE_KEY_LEN], const uint8_t peer_public[CURVE_KEY_LEN], uint8_t out[CURVE_KEY_LEN])
{
	EVP_PKEY *own = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, private_key, CURVE_KEY_LEN);
	EVP_PKEY *peer = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, peer_public, CURVE_KEY_LEN);
	EVP_PKEY_CTX *ctx = own != NULL ? EVP_PKEY_CTX_new(own, NULL) : NULL;
	size_t n = CURVE_KEY_LEN;
	int result = -1;

	if (peer != NULL && ctx != NULL && EVP_PKEY_derive_init(ctx) == 1 && EVP_PKEY_derive_set_peer(ctx, peer) == 1 &&
	    EVP_PKEY_derive(ctx, out, &n) == 1 && n == CURVE_KEY_LEN)
		result = 0;
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(own);
	EVP_PKEY_free(peer);
	return result;
}

struct curve_signer *curve_signer_new(void)
{
	struct curve_signer *signer = xcalloc(1, sizeof *signer);

	/* Signing asks for nothing but random bytes, but libsignal takes no provider without the rest. */
	signer->provider = wa_signal_provider_new();
	if (signer->provider == NULL || signal_context_create(&signer->context, NULL) != SG_SUCCESS ||
	    wa_signal_provider_install(signer->provider, signer->context) != SG_SUCCESS) {
		curve_signer_free(signer);
		return NULL;
	}
	return signer;
}

void curve_signer_free(struct curve_signer *signer)
{
	if (signer == NULL)
		return;
	if (signer->context != NULL)
		signal_context_destroy(signer->context);
	wa_signal_provider_free(signer->provider);
	free(signer);
}

int curve_sign(struct curve_signer *signer, const uint8_t private_key[CURVE_KEY_LEN], struct span message,
               uint8_t signature[CURVE_SIGNATURE_LEN])
{
	ec_private_key *key = NULL;
	signal_buffer *out = NULL;
	int result = -1;

	if (curve_decode_private_point(&key, private_key, CURVE_KEY_LEN, signer->context) == SG_SUCCESS &&
	    curve_calculate_signature(signer->context, &out, key, message.p, message.n) == SG_SUCCESS &&
	    signal_buffer_len(out) == CURVE_SIGNATURE_LEN) {
		memcpy(signature, signal_buffer_data(out), CURVE_SIGNATURE_LEN);
		result = 0;
	}
	signal_buffer_free(out);
	SIGNAL_UNREF(key);
	return result;
}

bool curve_verify(const uint8_t public_key[CURVE_KEY_LEN], struct span message, struct span signature)
{
	uint8_t typed[1 + CURVE_KEY_LEN] = { CURVE_TYPE };
	ec_public_key *key = NULL;
	bool valid = false;

	if (signature.n != CURVE_SIGNATURE_LEN)
		return false;
	memcpy(typed + 1, public_key, CURVE_KEY_LEN);
	if (curve_decode_point(&key, typed, sizeof typed, NULL) == SG_SUCCESS)
		valid = curve_verify_signature(key, message.p, message.n, signature.p, signature.n) == 1;
	SIGNAL_UNREF(key);
	return valid;
}

int curve_sign_key(struct curve_signer *signer, const uint8_t private_key[CURVE_KEY_LEN], const uint8_t signed_public[CURVE_KEY_LEN],
                   uint8_t signature[CURVE_SIGNATURE_LEN])
{
	uint8_t typed[1 + CURVE_KEY_LEN] = { CURVE_TYPE };

	memcpy(typed + 1, signed_public, CURVE_KEY_LEN);
	return curve_sign(signer, private_key, span_of(typed, sizeof typed), signature);
}
