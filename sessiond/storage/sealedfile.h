/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An encrypted file that can be read from any place. Private to sessiond/storage.
 *
 *       0          8            12      16         24          40         104        168
 *      +----------+------------+-------+----------+-----------+----------+----------+---------+---------+-- ... --+------+
 *      | WARESTF1 | chunk be32 | 0     | size be64| random 16 | slot A   | slot B   | chunk 0 | chunk 1 |         | last |
 *      +----------+------------+-------+----------+-----------+----------+----------+---------+---------+-- ... --+------+
 *      |<-------- fixed: 40 bytes, bound to everything ------>|
 *
 *      slot    key id be32 (0: empty) | nonce 12 | file key, wrapped 32 | tag 16        AAD: fixed || key id
 *      chunk   ciphertext of 65,536 bytes (the last: the rest) | tag 16                AAD: fixed
 *              nonce: 1 for the last chunk, else 0 | 0 0 0 | number of the chunk be64
 *
 * Each file has a random key of its own (AES-256-GCM), so chunk numbers are good nonces. A chunk that is moved, taken from another file or
 * altered does not open; the size is authenticated, so a cut or grown file is noticed at the first look. Two slots let the wrapping key
 * be exchanged in place: the new one is written and synced, then the old one is blanked; whatever a power cut leaves, one of them opens.
 *
 * Everything blocks: worker threads only. Descriptors stay the caller's.
 */
#ifndef STORAGE_SEALEDFILE_H
#define STORAGE_SEALEDFILE_H

#include <stddef.h>
#include <stdint.h>

#include "sessiond/storage/keyring.h"

#define SEALED_CHUNK 65536U
#define SEALED_TAG 16U
#define SEALED_FIXED 40U
#define SEALED_SLOT 64U
#define SEALED_HEADER (SEALED_FIXED + 2U * SEALED_SLOT)

struct sealed_file {
	int fd; /* borrowed */
	uint64_t size;
	uint8_t fixed[SEALED_FIXED];
	uint8_t key[32];
	uint32_t key_id;
	int slot; /* that opened: 0 or 1 */
};

/* Bytes on disk of a content of size bytes. */
uint64_t sealed_length(uint64_t size);
uint64_t sealed_chunks(uint64_t size);
/* Bytes of that chunk's content. */
size_t sealed_chunk_size(uint64_t size, uint64_t chunk);

/* All answer 0 or an enum storage_error; with STORAGE_IO and STORAGE_FULL errno says more. */

/* Writes the header of a new file with a fresh key, wrapped under the ring's first. */
int sealed_create(struct sealed_file *file, int fd, uint64_t size, const struct keyring *ring);
/* Encrypts and writes a whole chunk; buffer holds its content and has room for the tag. */
int sealed_write(const struct sealed_file *file, uint64_t chunk, uint8_t *buffer);
int sealed_open(struct sealed_file *file, int fd, const struct keyring *ring);
/* Reads and decrypts a chunk: buffer takes SEALED_CHUNK + SEALED_TAG bytes, of which the first sealed_chunk_size() are the content. */
int sealed_read(const struct sealed_file *file, uint64_t chunk, uint8_t *buffer);
/* Wraps the file key under the ring's first key instead; nothing to do if it is. fd is open for writing. */
int sealed_rewrap(int fd, const struct keyring *ring);
/* Wipes the key. */
void sealed_close(struct sealed_file *file);

/* The whole of n bytes, or -1 with errno (EIO: the file ends before). */
int storage_pread(int fd, void *out, size_t n, uint64_t at);
int storage_pwrite(int fd, const void *from, size_t n, uint64_t at);
/* STORAGE_FULL or STORAGE_IO, by errno. */
int storage_errno(void);

#endif
