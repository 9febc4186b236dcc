/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Encrypting and decrypting the files that travel over WhatsApp's media servers: streams between two descriptors, 128 KiB at a time,
 * never mapped (the source may still be changed by whoever handed it over: every byte is read once and hashed in the same pass).
 *
 *     media key (32) --HKDF, info by kind--> iv (16) | cipher key (32) | mac key (32) | unused (32)
 *
 *     blob = AES-256-CBC(cipher key, iv, PKCS#7(plain)) || HMAC-SHA256(mac key, iv || ciphertext)[0..10)
 *
 * Source: Baileys getMediaKeys, encryptedStream; whatsmeow upload.go, download.go. Blocking: for worker threads, never on a loop.
 */
#ifndef SESSIOND_CRYPTO_MEDIACIPHER_H
#define SESSIOND_CRYPTO_MEDIACIPHER_H

#include <stdint.h>

#include "sessiond/crypto/crypto.h"

#define MEDIA_KEY_LEN 32
#define MEDIA_MAC_LEN 10
/* Length of the blob of a file. */
#define MEDIA_BLOB_LEN(plain_len) (CRYPTO_CBC_LEN(plain_len) + MEDIA_MAC_LEN)

struct media_keys {
	uint8_t iv[CRYPTO_AES_BLOCK];
	uint8_t cipher[CRYPTO_KEY_LEN];
	uint8_t mac[CRYPTO_KEY_LEN];
};

/* info: "WhatsApp Image Keys" and so on. CRYPTO_OK or CRYPTO_EFAIL. */
int media_keys_derive(struct media_keys *out, const uint8_t key[MEDIA_KEY_LEN], const char *info);

/* What a file is on both sides. */
struct media_sums {
	uint8_t plain_hash[CRYPTO_SHA256_LEN]; /* fileSha256 */
	uint8_t blob_hash[CRYPTO_SHA256_LEN];  /* fileEncSha256 */
	uint64_t plain_len;                    /* fileLength */
	uint64_t blob_len;
};

struct media_cipher;

/*
 * Reads `from` from its start to its end, at most max_len bytes, and writes the blob to `to` from its start. Descriptors stay the
 * caller's; their positions are not used. keys NULL: nothing is encrypted, the blob is the file, and only plain_hash is made (to < 0:
 * the blob is not written either). NULL: no memory.
 */
struct media_cipher *media_encryptor_new(const struct media_keys *keys, int from, int to, uint64_t max_len);
/*
 * Reads the blob from `from` and writes the file to `to`. keys NULL: the blob is the file. want_plain_hash, want_blob_hash: NULL = not
 * known, then not compared. What stands in `to` must not be used before the last step answered 0; after a failure it is empty.
 */
struct media_cipher *media_decryptor_new(const struct media_keys *keys, int from, int to, uint64_t max_len,
					 const uint8_t *want_plain_hash, const uint8_t *want_blob_hash);
/*
 * Goes on for about so many bytes. 1: there is more to do. 0: done, sums are valid. Negative: CRYPTO_EIO (errno says why), CRYPTO_EARG
 * (longer than max_len, or no blob by its length), CRYPTO_EAUTH (MAC, padding or a hash does not fit), CRYPTO_EFAIL.
 */
int media_cipher_step(struct media_cipher *cipher, uint64_t bytes);
const struct media_sums *media_cipher_sums(const struct media_cipher *cipher);
/* NULLs the pointer and wipes what it held. */
void media_cipher_free(struct media_cipher **cipher);

#endif
