/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Secrets at rest.  Every value that the database must not show is sealed
 * under a key of its own purpose, and bound to the row it belongs to:
 *
 *   1 byte   2 bytes BE   24 bytes   n bytes      16 bytes
 *   +----+   +--------+   +-------+  +----------+ +-----+
 *   | 01 |   | key id |   | nonce |  | ciphered | | tag |
 *   +----+   +--------+   +-------+  +----------+ +-----+
 *
 * The cipher is AES-256-GCM with the extended nonce of C2SP XAES-256-GCM: 192
 * random bits, so one key may seal as many values as a busy gateway makes in
 * its life.  The purpose's key is HKDF-SHA256(master key, info = "warest seal "
 * + purpose).  The additional data is the caller's name of the row, so a value
 * copied to another row does not open.
 *
 * Master keys live in one file, a line each: "<id 1..65535> <64 hex digits>".
 * The last line seals; all of them open.  Rotation: append a line, restart,
 * reseal (old values stay readable until their line is removed).
 *
 * A ring and its sealers never change after they were made: any thread may use them.
 */
#ifndef WAREST_SEAL_H
#define WAREST_SEAL_H

#include <stddef.h>
#include <stdint.h>

#define SEAL_OVERHEAD (1 + 2 + 24 + 16)
#define SEAL_NONCE 24
#define SEAL_KEYS_MAX 16

struct seal_ring;
struct sealer;

/*
 * Loads the master keys; makes the file with one fresh key when it does not
 * exist.  0, or a crypto_err with a line for the operator in why.
 */
int seal_ring_load(struct seal_ring **ring, const char *path, char *why, size_t why_len);

/* A ring from text in the file's form (configuration, tests). */
int seal_ring_parse(struct seal_ring **ring, const char *text);
void seal_ring_free(struct seal_ring *ring);

/* Id of the key that seals. */
unsigned seal_ring_current(const struct seal_ring *ring);

/* Keys of one purpose ("wa_state", "webhook_secret", ...); NULL when OpenSSL fails. */
struct sealer *sealer_new(const struct seal_ring *ring, const char *purpose);
void sealer_free(struct sealer *sealer);

/* Seals len bytes into out, which takes len + SEAL_OVERHEAD bytes. */
int sealer_seal(const struct sealer *sealer, const void *aad, size_t aad_len,
                const void *plain, size_t len, uint8_t *out);

/* The same with the caller's nonce, which must never be used twice with this key: random, or counted on from a random one. */
int sealer_seal_with(const struct sealer *sealer, const uint8_t nonce[SEAL_NONCE], const void *aad, size_t aad_len,
                     const void *plain, size_t len, uint8_t *out);

/*
 * Opens a sealed value of len bytes into out (len - SEAL_OVERHEAD bytes).
 * CRYPTO_EAUTH: changed, or of another row or purpose; CRYPTO_EKEY: its key is
 * not in the ring; CRYPTO_EFORMAT: not a sealed value.
 */
int sealer_open(const struct sealer *sealer, const void *aad, size_t aad_len,
                const void *sealed, size_t len, uint8_t *out);

/* Key id of a sealed value, 0 when it is none. */
unsigned seal_key_id(const void *sealed, size_t len);

#endif
