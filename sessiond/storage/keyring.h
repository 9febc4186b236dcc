/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The keys that stored files are encrypted under. Private to sessiond/storage.
 *
 *     keys[0]   encrypts and decrypts      the setting WAREST_STORAGE_LOCAL_ENCRYPTION_KEY, else the shared secret, else the last line of
 *                                          the key file (made once, 0600)
 *     keys[1..] decrypt only               WAREST_STORAGE_LOCAL_OLD_KEYS, the other lines of the key file
 *
 * A key is known by the first four bytes of its SHA-256, so the order of lines and settings may change. A ring never changes: a new key
 * makes a new ring, and work under way keeps the one it began with.
 */
#ifndef STORAGE_KEYRING_H
#define STORAGE_KEYRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/config.h"

enum { KEYRING_MAX = 32, KEYRING_ORIGINAL_MAX = 3 };

struct keyring_key {
	uint32_t id; /* never 0 */
	uint8_t key[32];
};

struct keyring {
	struct keyring_key keys[KEYRING_MAX];
	size_t count;
	/* What files of the original may be encrypted under (config.md 3.2), in the order to try. */
	uint8_t original[KEYRING_ORIGINAL_MAX][32];
	size_t original_count;
	bool from_file;       /* keys[0] is of the key file */
	struct keyring *next; /* owned by whoever keeps the list */
};

/* 0, or -1 with a line for the operator. keyring_free() wipes. */
int keyring_load(struct keyring **out, const struct config *config, char *why, size_t why_len);
void keyring_free(struct keyring *ring);
/* Adds a fresh key to the key file, durably. 0, or -1 with a line for the operator. */
int keyring_add_to_file(const struct config *config, char *why, size_t why_len);
/* NULL: none with this id. */
const struct keyring_key *keyring_find(const struct keyring *ring, uint32_t id);
/* The original's way from a setting to 32 bytes: 64 hex digits, base64, or SHA-256 of the text. */
void keyring_derive(const char *text, uint8_t key[32]);
/* Secret of signed addresses: the setting, else the shared secret, else made once. Owned by the caller; NULL with why. */
char *keyring_sign_secret(const struct config *config, char *why, size_t why_len);

#endif
