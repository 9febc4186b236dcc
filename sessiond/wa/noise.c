/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Noise: symmetric state and transport ciphers, see noise.h. */
#include "sessiond/wa/noise.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "common/limits.h"
#include "common/mem.h"
#include "sessiond/crypto/crypto.h"
#include "sessiond/wa/curve.h"

#define WORN_FRAMES 0xf0000000U

struct noise_cipher {
	EVP_CIPHER_CTX *ctx; /* owned; keeps the key */
	uint32_t counter;
};

static void make_iv(uint32_t counter, uint8_t iv[CRYPTO_GCM_IV_LEN])
{
	memset(iv, 0, 8);
	for (unsigned i = 0; i < 4; i++)
		iv[8 + i] = (uint8_t)(counter >> (24U - 8U * i));
}

int noise_start(struct noise *noise, struct span prologue)
{
	static const char name[32] = "Noise_XX_25519_AESGCM_SHA256";

	memcpy(noise->hash, name, sizeof name);
	memcpy(noise->chain, name, sizeof name);
	memcpy(noise->key, name, sizeof name);
	noise->counter = 0;
	return noise_mix_hash(noise, prologue);
}

int noise_mix_hash(struct noise *noise, struct span data)
{
	struct buf joined = { 0 };
	int result;

	buf_append(&joined, noise->hash, sizeof noise->hash);
	buf_append_span(&joined, data);
	result = crypto_sha256(joined.data, joined.len, noise->hash);
	buf_free(&joined);
	return result == 0 ? 0 : NOISE_FAILED;
}

int noise_mix_key(struct noise *noise, const uint8_t secret[32])
{
	uint8_t out[64];
	int result = crypto_hkdf_sha256(secret, 32, noise->chain, sizeof noise->chain, NULL, 0, out, sizeof out);

	if (result == 0) {
		memcpy(noise->chain, out, 32);
		memcpy(noise->key, out + 32, 32);
		noise->counter = 0;
	}
	crypto_wipe(out, sizeof out);
	return result == 0 ? 0 : NOISE_FAILED;
}

int noise_mix_agreement(struct noise *noise, const uint8_t private_key[32], const uint8_t peer_public[32])
{
	uint8_t secret[CURVE_KEY_LEN];
	int result = NOISE_FAILED;

	if (curve_agree(private_key, peer_public, secret) == 0)
		result = noise_mix_key(noise, secret);
	crypto_wipe(secret, sizeof secret);
	return result;
}

int noise_encrypt(struct noise *noise, struct span plain, struct buf *out)
{
	size_t n = plain.n + NOISE_TAG_LEN;
	uint8_t iv[CRYPTO_GCM_IV_LEN];
	uint8_t *sealed = buf_reserve(out, n);

	make_iv(noise->counter++, iv);
	if (crypto_aes_gcm_seal(noise->key, iv, noise->hash, sizeof noise->hash, plain.p, plain.n, sealed) != 0)
		return NOISE_FAILED;
	buf_commit(out, n);
	return noise_mix_hash(noise, span_of(sealed, n));
}

int noise_decrypt(struct noise *noise, struct span cipher, struct buf *out)
{
	uint8_t iv[CRYPTO_GCM_IV_LEN];
	size_t n;
	int result;

	if (cipher.n < NOISE_TAG_LEN)
		return NOISE_AUTH;
	n = cipher.n - NOISE_TAG_LEN;
	make_iv(noise->counter++, iv);
	/* One byte more, so that an empty plaintext has a place too. */
	result = crypto_aes_gcm_open(noise->key, iv, noise->hash, sizeof noise->hash, cipher.p, cipher.n, buf_reserve(out, n + 1));
	if (result != 0)
		return result == CRYPTO_EAUTH ? NOISE_AUTH : NOISE_FAILED;
	buf_commit(out, n);
	return noise_mix_hash(noise, cipher);
}

int noise_split(struct noise *noise, uint8_t write_key[NOISE_KEY_LEN], uint8_t read_key[NOISE_KEY_LEN])
{
	uint8_t out[64];
	int result = crypto_hkdf_sha256(NULL, 0, noise->chain, sizeof noise->chain, NULL, 0, out, sizeof out);

	memcpy(write_key, out, 32);
	memcpy(read_key, out + 32, 32);
	crypto_wipe(out, sizeof out);
	noise_wipe(noise);
	return result == 0 ? 0 : NOISE_FAILED;
}

void noise_wipe(struct noise *noise)
{
	crypto_wipe(noise, sizeof *noise);
}

struct noise_cipher *noise_cipher_new(const uint8_t key[NOISE_KEY_LEN], bool encrypts)
{
	struct noise_cipher *cipher = xcalloc(1, sizeof *cipher);

	cipher->ctx = EVP_CIPHER_CTX_new();
	if (cipher->ctx == NULL || EVP_CipherInit_ex(cipher->ctx, EVP_aes_256_gcm(), NULL, key, NULL, encrypts ? 1 : 0) != 1) {
		noise_cipher_free(cipher);
		return NULL;
	}
	return cipher;
}

void noise_cipher_free(struct noise_cipher *cipher)
{
	if (cipher == NULL)
		return;
	EVP_CIPHER_CTX_free(cipher->ctx);
	free(cipher);
}

int noise_cipher_seal(struct noise_cipher *cipher, struct span plain, struct buf *out)
{
	uint8_t iv[CRYPTO_GCM_IV_LEN];
	uint8_t *sealed;
	int n = 0;

	if (plain.n > LIMIT_WA_FRAME_BYTES - NOISE_TAG_LEN)
		return NOISE_FAILED;
	make_iv(cipher->counter++, iv);
	sealed = buf_reserve(out, plain.n + NOISE_TAG_LEN);
	if (EVP_CipherInit_ex(cipher->ctx, NULL, NULL, NULL, iv, -1) != 1 ||
	    EVP_CipherUpdate(cipher->ctx, sealed, &n, plain.p, (int)plain.n) != 1 ||
	    EVP_CipherFinal_ex(cipher->ctx, sealed + n, &n) != 1 ||
	    EVP_CIPHER_CTX_ctrl(cipher->ctx, EVP_CTRL_AEAD_GET_TAG, NOISE_TAG_LEN, sealed + plain.n) != 1)
		return NOISE_FAILED;
	buf_commit(out, plain.n + NOISE_TAG_LEN);
	return 0;
}

int noise_cipher_open(struct noise_cipher *cipher, uint8_t *frame, size_t n, struct span *plain)
{
	uint8_t iv[CRYPTO_GCM_IV_LEN];
	int out = 0;

	if (n < NOISE_TAG_LEN || n > LIMIT_WA_FRAME_BYTES)
		return NOISE_AUTH;
	n -= NOISE_TAG_LEN;
	make_iv(cipher->counter++, iv);
	if (EVP_CipherInit_ex(cipher->ctx, NULL, NULL, NULL, iv, -1) != 1 ||
	    EVP_CIPHER_CTX_ctrl(cipher->ctx, EVP_CTRL_AEAD_SET_TAG, NOISE_TAG_LEN, frame + n) != 1 ||
	    EVP_CipherUpdate(cipher->ctx, frame, &out, frame, (int)n) != 1)
		return NOISE_FAILED;
	if (EVP_CipherFinal_ex(cipher->ctx, frame + out, &out) != 1)
		return NOISE_AUTH;
	*plain = span_of(frame, n);
	return 0;
}

bool noise_cipher_worn(const struct noise_cipher *cipher)
{
	return cipher->counter >= WORN_FRAMES;
}
