/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Cryptographic helpers over OpenSSL's EVP interface, for the protocol
 * library, the store and the webhooks.  seal.h (values at rest) and
 * secretfile.h (key files) are the other two public headers of this folder.
 *
 * Every function may be called on any thread; what is kept for the next call is the thread's own (scratch.h).
 * crypto_scrypt, crypto_pbkdf2_sha256 and crypto_password_* take tens of
 * milliseconds on purpose: never on a loop.
 */
#ifndef WAREST_CRYPTO_H
#define WAREST_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CRYPTO_SHA1_LEN 20
#define CRYPTO_SHA256_LEN 32
#define CRYPTO_HASH_MAX 64
#define CRYPTO_KEY_LEN 32
#define CRYPTO_GCM_IV_LEN 12
#define CRYPTO_GCM_TAG_LEN 16
#define CRYPTO_AES_BLOCK 16
/* "scrypt:" + 16 bytes of salt in hex + ":" + 64 bytes of hash in hex + NUL */
#define CRYPTO_PASSWORD_LEN (7 + 32 + 1 + 128 + 1)

enum crypto_err {
	CRYPTO_OK = 0,
	CRYPTO_EFAIL = -1,   /* OpenSSL refused or had no memory */
	CRYPTO_EAUTH = -2,   /* tag, MAC or padding does not fit */
	CRYPTO_EARG = -3,    /* length or parameter out of range */
	CRYPTO_EFORMAT = -4, /* text or record is not in the expected form */
	CRYPTO_EIO = -5,     /* a file could not be read or written; errno says why */
	CRYPTO_EKEY = -6     /* sealed under a key that is not in the ring */
};

enum crypto_hash {
	CRYPTO_SHA1,
	CRYPTO_SHA224,
	CRYPTO_SHA256,
	CRYPTO_SHA384,
	CRYPTO_SHA512
};

/* ---- random (scratch.c), comparison, wiping (digest.c) ---- */

/* Fills out with len random bytes; 0 or CRYPTO_EFAIL. */
int crypto_random(void *out, size_t len);

/* True when both areas of len bytes are equal; time does not depend on where they differ. */
bool crypto_equal(const void *a, const void *b, size_t len);

/* Overwrites a secret so that the compiler cannot leave it out. NULL is fine. */
void crypto_wipe(void *secret, size_t len);

/* ---- digests (digest.c, sha256.c) ---- */

/* Length of the digest in bytes, 0 for an unknown value. */
size_t crypto_hash_len(enum crypto_hash hash);

/* Digest of len bytes into out (crypto_hash_len bytes). */
int crypto_digest(enum crypto_hash hash, const void *data, size_t len, uint8_t *out);
int crypto_sha1(const void *data, size_t len, uint8_t out[CRYPTO_SHA1_LEN]);
int crypto_sha256(const void *data, size_t len, uint8_t out[CRYPTO_SHA256_LEN]);
/* Of all that a file holds, read with pread from its begin: for threads. 0, CRYPTO_EIO or CRYPTO_EFAIL. */
int crypto_sha256_file(int fd, uint8_t out[CRYPTO_SHA256_LEN]);

/* HMAC over data into out (crypto_hash_len bytes). RFC 2104. */
int crypto_hmac(enum crypto_hash hash, const void *key, size_t key_len,
                const void *data, size_t len, uint8_t *out);

/*
 * HKDF-SHA256 (RFC 5869), extract and expand.  salt may be NULL/0 (32 zero
 * bytes), info may be NULL/0.  out_len at most 255 * 32.
 */
int crypto_hkdf_sha256(const void *ikm, size_t ikm_len, const void *salt, size_t salt_len,
                       const void *info, size_t info_len, uint8_t *out, size_t out_len);

/* ---- ciphers (cipher.c) ---- */

/*
 * AES-256-GCM.  seal writes len bytes of ciphertext followed by the 16-byte
 * tag to out (room for len + 16); open takes ciphertext and tag together (len
 * counts both) and writes len - 16 bytes, or answers CRYPTO_EAUTH and leaves
 * nothing of the plaintext behind.  out may be the same area as the input.
 */
int crypto_aes_gcm_seal(const uint8_t key[CRYPTO_KEY_LEN], const uint8_t iv[CRYPTO_GCM_IV_LEN],
                        const void *aad, size_t aad_len, const void *plain, size_t len,
                        uint8_t *out);
int crypto_aes_gcm_open(const uint8_t key[CRYPTO_KEY_LEN], const uint8_t iv[CRYPTO_GCM_IV_LEN],
                        const void *aad, size_t aad_len, const void *sealed, size_t len,
                        uint8_t *out);

/* AES-CTR with a 16, 24 or 32 byte key and a 16 byte counter block; out takes len bytes. */
int crypto_aes_ctr(const uint8_t *key, size_t key_len, const uint8_t iv[CRYPTO_AES_BLOCK],
                   const void *in, size_t len, uint8_t *out);

/* Length of an AES-CBC ciphertext with PKCS#7 padding. */
#define CRYPTO_CBC_LEN(len) (((len) / CRYPTO_AES_BLOCK + 1) * CRYPTO_AES_BLOCK)

/*
 * AES-CBC with PKCS#7 padding.  encrypt writes CRYPTO_CBC_LEN(len) bytes;
 * decrypt needs room for len bytes and stores the plaintext's length in
 * *out_len, or answers CRYPTO_EAUTH when the padding is wrong.
 */
int crypto_aes_cbc_encrypt(const uint8_t *key, size_t key_len, const uint8_t iv[CRYPTO_AES_BLOCK],
                           const void *plain, size_t len, uint8_t *out);
int crypto_aes_cbc_decrypt(const uint8_t *key, size_t key_len, const uint8_t iv[CRYPTO_AES_BLOCK],
                           const void *in, size_t len, uint8_t *out, size_t *out_len);

/* ---- slow derivations (kdf.c) ---- */

int crypto_pbkdf2_sha256(const void *password, size_t password_len, const void *salt,
                         size_t salt_len, unsigned iterations, uint8_t *out, size_t out_len);
int crypto_scrypt(const void *password, size_t password_len, const void *salt, size_t salt_len,
                  uint64_t n, uint32_t r, uint32_t p, uint8_t *out, size_t out_len);

/* Stored form of a password with a fresh salt: "scrypt:<salt hex>:<hash hex>", N=16384 r=8 p=1. */
int crypto_password_hash(const char *password, char out[CRYPTO_PASSWORD_LEN]);

/*
 * Compares a password with its stored form: 1 fits, 0 does not fit, negative
 * on error (CRYPTO_EFORMAT: not a scrypt record with a 64-byte hash).  A NULL
 * stored form costs the same time and never fits (unknown user names).
 */
int crypto_password_verify(const char *stored, const char *password);
/* Whether a text (NULL: no) is such a stored form. Costs nothing. */
bool crypto_password_is_stored(const char *stored);

/* ---- text forms (text.c) ---- */

/* Lower-case hex with a final NUL; out takes 2 * len + 1 bytes. */
void crypto_hex(const void *data, size_t len, char *out);

/* Reads exactly 2 * out_len hex digits (either case) and nothing behind; 0 or CRYPTO_EFORMAT. */
int crypto_unhex(const char *text, size_t text_len, uint8_t *out, size_t out_len);

enum crypto_base64 {
	CRYPTO_BASE64,     /* RFC 4648 4, padded */
	CRYPTO_BASE64_URL, /* RFC 4648 5, padded */
	CRYPTO_BASE64_URL_BARE /* RFC 4648 5, no padding */
};

/* Room for the text of len bytes with padding and final NUL. */
#define CRYPTO_BASE64_ROOM(len) (((len) + 2) / 3 * 4 + 1)

/* Writes the text with a final NUL to out (CRYPTO_BASE64_ROOM(len)); returns its length. */
size_t crypto_base64(enum crypto_base64 form, const void *data, size_t len, char *out);

/*
 * Reads base64 of either alphabet, padded or not, without blanks.  out needs
 * text_len / 4 * 3 + 3 bytes.  0 with *out_len set, or CRYPTO_EFORMAT.
 */
int crypto_unbase64(const char *text, size_t text_len, uint8_t *out, size_t *out_len);

#endif
