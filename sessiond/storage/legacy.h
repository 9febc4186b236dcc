/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Files that the original stored (config.md 3.2): bytes or bare AES-256-GCM ciphertext at <root>/<key>, and a sidecar
 * <metadata path>/<key>.meta.json (older: <root>/<key>.meta.json) with nonce and tag. Read, never written. Private to sessiond/storage.
 *
 * The tag is checked over the whole file before the first byte is given out; ranges are then deciphered in counter mode (GCM is that, from
 * block 2 on). Everything blocks: worker threads only.
 */
#ifndef STORAGE_LEGACY_H
#define STORAGE_LEGACY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/arena.h"
#include "sessiond/storage/keyring.h"

struct legacy_file {
	int fd;               /* owned until taken; -1 */
	bool encrypted, is_public;
	uint64_t size;
	uint8_t key[32], iv[12], tag[16];
	uint8_t sha256[32];   /* zero when the sidecar has none */
	const char *mime, *name, *session; /* in the arena, may be NULL */
	int64_t created_ms;
};

struct legacy_places {
	int public_root, private_root, metadata; /* descriptors of folders, borrowed; -1: there is none */
};

/* 0 with the file open and verified, or an enum storage_error. */
int legacy_open(struct legacy_file *file, const struct legacy_places *places, const char *key, const struct keyring *ring, struct arena *arena);
/* n bytes of the content from at on. 0 or an enum storage_error. */
int legacy_read(const struct legacy_file *file, uint64_t at, uint8_t *out, size_t n);
/* Takes data file and sidecar away. */
int legacy_remove(const struct legacy_places *places, const char *key);
/* Reads a sidecar's text. 0 or STORAGE_DAMAGED. */
int legacy_parse(struct legacy_file *file, const char *text, size_t len, struct arena *arena);

#endif
