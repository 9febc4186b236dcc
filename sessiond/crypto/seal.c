/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sealing of values at rest, see seal.h. */
#include "sessiond/crypto/seal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/crypto/crypto.h"
#include "sessiond/crypto/scratch.h"
#include "sessiond/crypto/secretfile.h"

enum {
	SEAL_VERSION = 1,
	NONCE_KEY_PART = 12,
	HEADER_LEN = 3 + SEAL_NONCE
};

struct ring_key {
	unsigned id;
	uint8_t key[CRYPTO_KEY_LEN];
};

struct seal_ring {
	size_t count;
	struct ring_key keys[SEAL_KEYS_MAX];
};

/* A purpose's key, and the CMAC subkey that XAES derives from it once. */
struct purpose_key {
	unsigned id;
	uint8_t key[CRYPTO_KEY_LEN];
	uint8_t subkey[CRYPTO_AES_BLOCK];
};

struct sealer {
	size_t count;
	struct purpose_key keys[SEAL_KEYS_MAX];
};

static int aes_blocks(const uint8_t key[CRYPTO_KEY_LEN], const uint8_t *in, int len, uint8_t *out)
{
	struct crypto_scratch *scratch = crypto_scratch();
	int n = 0;

	if (scratch == NULL || EVP_EncryptInit_ex2(scratch->ecb, NULL, key, NULL, NULL) != 1 ||
	    EVP_CIPHER_CTX_set_padding(scratch->ecb, 0) != 1 || EVP_EncryptUpdate(scratch->ecb, out, &n, in, len) != 1 || n != len)
		return CRYPTO_EFAIL;
	return CRYPTO_OK;
}

/* K1 of NIST SP 800-38B: AES(key, 0) doubled in GF(2^128). */
static int derive_subkey(struct purpose_key *purpose)
{
	static const uint8_t zero[CRYPTO_AES_BLOCK] = {0};
	uint8_t block[CRYPTO_AES_BLOCK] = { 0 };
	int rc = aes_blocks(purpose->key, zero, sizeof zero, block);

	for (size_t i = 0; i < sizeof block; i++) {
		unsigned next = i + 1 < sizeof block ? block[i + 1] >> 7 : 0;

		purpose->subkey[i] = (uint8_t)((unsigned)block[i] << 1 | next);
	}
	if ((block[0] & 0x80) != 0)
		purpose->subkey[CRYPTO_AES_BLOCK - 1] ^= 0x87;
	crypto_wipe(block, sizeof block);
	return rc;
}

/* The value's own key: CMAC based derivation of C2SP XAES-256-GCM over the nonce's first half. */
static int derive_value_key(const struct purpose_key *purpose, const uint8_t *nonce,
                            uint8_t key[CRYPTO_KEY_LEN])
{
	uint8_t blocks[2 * CRYPTO_AES_BLOCK];

	for (uint8_t n = 0; n < 2; n++) {
		uint8_t *block = blocks + n * CRYPTO_AES_BLOCK;
		const uint8_t head[4] = {0, (uint8_t)(n + 1), 'X', 0};

		memcpy(block, head, sizeof head);
		memcpy(block + sizeof head, nonce, NONCE_KEY_PART);
		for (size_t i = 0; i < CRYPTO_AES_BLOCK; i++)
			block[i] ^= purpose->subkey[i];
	}
	return aes_blocks(purpose->key, blocks, sizeof blocks, key);
}

int seal_ring_parse(struct seal_ring **ring, const char *text)
{
	struct seal_ring *made = xcalloc(1, sizeof *made);
	int rc = CRYPTO_OK;

	while (*text != '\0' && rc == CRYPTO_OK) {
		const char *end = strchr(text, '\n');
		size_t line = end == NULL ? strlen(text) : (size_t)(end - text);
		char *digits;
		unsigned long id = strtoul(text, &digits, 10);

		if (line > 0 && (made->count == SEAL_KEYS_MAX || id == 0 || id > 65535 || *digits != ' ' ||
		    digits >= text + line ||
		    crypto_unhex(digits + 1, line - (size_t)(digits + 1 - text),
		                 made->keys[made->count].key, CRYPTO_KEY_LEN) != CRYPTO_OK))
			rc = CRYPTO_EFORMAT;
		else if (line > 0)
			made->keys[made->count++].id = (unsigned)id;
		text += end == NULL ? line : line + 1;
	}
	if (rc == CRYPTO_OK && made->count == 0)
		rc = CRYPTO_EFORMAT;
	if (rc == CRYPTO_OK)
		*ring = made;
	else
		seal_ring_free(made);
	return rc;
}

static int create_key_file(const char *path)
{
	uint8_t key[CRYPTO_KEY_LEN];
	char hex[2 * CRYPTO_KEY_LEN + 1], line[2 * CRYPTO_KEY_LEN + 8];
	int rc = crypto_random(key, sizeof key);

	if (rc != CRYPTO_OK)
		return rc;
	crypto_hex(key, sizeof key, hex);
	snprintf(line, sizeof line, "1 %s\n", hex);
	rc = secretfile_create(path, line);
	crypto_wipe(key, sizeof key);
	crypto_wipe(hex, sizeof hex);
	crypto_wipe(line, sizeof line);
	return rc == CRYPTO_EIO && errno == EEXIST ? CRYPTO_OK : rc;
}

int seal_ring_load(struct seal_ring **ring, const char *path, char *why, size_t why_len)
{
	char text[SECRETFILE_MAX];
	int rc = secretfile_read(path, text);

	if (rc == CRYPTO_EIO && errno == ENOENT) {
		rc = create_key_file(path);
		if (rc == CRYPTO_OK)
			rc = secretfile_read(path, text);
	}
	if (rc == CRYPTO_EIO)
		snprintf(why, why_len, "master key file %s: %s%s", path, strerror(errno),
		         errno == EACCES ? " (it must be readable by its owner alone)" : "");
	if (rc != CRYPTO_OK)
		return rc;
	rc = seal_ring_parse(ring, text);
	crypto_wipe(text, sizeof text);
	if (rc != CRYPTO_OK)
		snprintf(why, why_len, "master key file %s: every line must be \"<id> <64 hex digits>\"", path);
	return rc;
}

void seal_ring_free(struct seal_ring *ring)
{
	crypto_wipe(ring, ring == NULL ? 0 : sizeof *ring);
	free(ring);
}

unsigned seal_ring_current(const struct seal_ring *ring)
{
	return ring->keys[ring->count - 1].id;
}

struct sealer *sealer_new(const struct seal_ring *ring, const char *purpose)
{
	struct sealer *sealer = xcalloc(1, sizeof *sealer);
	char info[128];
	int n = snprintf(info, sizeof info, "warest seal %s", purpose);
	int rc = n < 0 || (size_t)n >= sizeof info ? CRYPTO_EARG : CRYPTO_OK;

	for (size_t i = 0; i < ring->count && rc == CRYPTO_OK; i++) {
		struct purpose_key *purpose_key = &sealer->keys[i];

		purpose_key->id = ring->keys[i].id;
		rc = crypto_hkdf_sha256(ring->keys[i].key, CRYPTO_KEY_LEN, NULL, 0,
		                        info, (size_t)n, purpose_key->key, CRYPTO_KEY_LEN);
		if (rc == CRYPTO_OK)
			rc = derive_subkey(purpose_key);
	}
	sealer->count = ring->count;
	if (rc == CRYPTO_OK)
		return sealer;
	sealer_free(sealer);
	return NULL;
}

void sealer_free(struct sealer *sealer)
{
	crypto_wipe(sealer, sealer == NULL ? 0 : sizeof *sealer);
	free(sealer);
}

int sealer_seal_with(const struct sealer *sealer, const uint8_t nonce[SEAL_NONCE], const void *aad, size_t aad_len,
                     const void *plain, size_t len, uint8_t *out)
{
	const struct purpose_key *purpose = &sealer->keys[sealer->count - 1];
	uint8_t key[CRYPTO_KEY_LEN];
	int rc;

	out[0] = SEAL_VERSION;
	out[1] = (uint8_t)(purpose->id >> 8);
	out[2] = (uint8_t)purpose->id;
	memcpy(out + 3, nonce, SEAL_NONCE);
	rc = derive_value_key(purpose, nonce, key);
	if (rc == CRYPTO_OK)
		rc = crypto_aes_gcm_seal(key, nonce + NONCE_KEY_PART, aad, aad_len, plain, len, out + HEADER_LEN);
	crypto_wipe(key, sizeof key);
	return rc;
}

int sealer_seal(const struct sealer *sealer, const void *aad, size_t aad_len,
                const void *plain, size_t len, uint8_t *out)
{
	uint8_t nonce[SEAL_NONCE];
	int rc = crypto_random(nonce, sizeof nonce);

	return rc == CRYPTO_OK ? sealer_seal_with(sealer, nonce, aad, aad_len, plain, len, out) : rc;
}

unsigned seal_key_id(const void *sealed, size_t len)
{
	const uint8_t *in = sealed;

	if (len < SEAL_OVERHEAD || in[0] != SEAL_VERSION)
		return 0;
	return (unsigned)in[1] << 8 | in[2];
}

int sealer_open(const struct sealer *sealer, const void *aad, size_t aad_len,
                const void *sealed, size_t len, uint8_t *out)
{
	const uint8_t *in = sealed, *nonce = in + 3;
	uint8_t key[CRYPTO_KEY_LEN];
	unsigned id = seal_key_id(sealed, len);
	int rc = id == 0 ? CRYPTO_EFORMAT : CRYPTO_EKEY;

	for (size_t i = 0; i < sealer->count && rc == CRYPTO_EKEY; i++) {
		if (sealer->keys[i].id == id)
			rc = derive_value_key(&sealer->keys[i], nonce, key);
	}
	if (rc == CRYPTO_OK)
		rc = crypto_aes_gcm_open(key, nonce + NONCE_KEY_PART, aad, aad_len,
		                         in + HEADER_LEN, len - HEADER_LEN, out);
	crypto_wipe(key, sizeof key);
	return rc;
}
