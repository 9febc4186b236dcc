/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Encrypted files, see sealedfile.h. */
#include "sessiond/storage/sealedfile.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sessiond/crypto/crypto.h"
#include "sessiond/storage/storage.h"

#define SIZE_MAX_BYTES ((uint64_t)1 << 48)

static const uint8_t magic[8] = { 'W', 'A', 'R', 'E', 'S', 'T', 'F', '1' };

static void put_be32(uint8_t *to, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		to[i] = (uint8_t)(v >> (24 - 8 * i));
}

static void put_be64(uint8_t *to, uint64_t v)
{
	for (int i = 0; i < 8; i++)
		to[i] = (uint8_t)(v >> (56 - 8 * i));
}

static uint64_t get_be(const uint8_t *from, int n)
{
	uint64_t v = 0;

	for (int i = 0; i < n; i++)
		v = v << 8 | from[i];
	return v;
}

int storage_errno(void)
{
	return errno == ENOSPC || errno == EDQUOT || errno == EFBIG ? STORAGE_FULL : STORAGE_IO;
}

int storage_pread(int fd, void *out, size_t n, uint64_t at)
{
	uint8_t *to = out;

	while (n > 0) {
		ssize_t got = pread(fd, to, n, (off_t)at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got == 0)
			errno = EIO;
		if (got <= 0)
			return -1;
		to += got;
		at += (uint64_t)got;
		n -= (size_t)got;
	}
	return 0;
}

int storage_pwrite(int fd, const void *from, size_t n, uint64_t at)
{
	const uint8_t *p = from;

	while (n > 0) {
		ssize_t put = pwrite(fd, p, n, (off_t)at);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -1;
		p += put;
		at += (uint64_t)put;
		n -= (size_t)put;
	}
	return 0;
}

/* ---- sizes ---- */

uint64_t sealed_chunks(uint64_t size)
{
	return (size + SEALED_CHUNK - 1) / SEALED_CHUNK;
}

uint64_t sealed_length(uint64_t size)
{
	return SEALED_HEADER + size + sealed_chunks(size) * SEALED_TAG;
}

size_t sealed_chunk_size(uint64_t size, uint64_t chunk)
{
	uint64_t left = size - chunk * SEALED_CHUNK;

	return left < SEALED_CHUNK ? (size_t)left : SEALED_CHUNK;
}

static uint64_t chunk_at(uint64_t chunk)
{
	return SEALED_HEADER + chunk * (SEALED_CHUNK + SEALED_TAG);
}

/* ---- slots ---- */

static void slot_aad(uint8_t aad[SEALED_FIXED + 4], const struct sealed_file *file, uint32_t key_id)
{
	memcpy(aad, file->fixed, SEALED_FIXED);
	put_be32(aad + SEALED_FIXED, key_id);
}

static int slot_make(const struct sealed_file *file, const struct keyring_key *key, uint8_t slot[SEALED_SLOT])
{
	uint8_t aad[SEALED_FIXED + 4];

	put_be32(slot, key->id);
	slot_aad(aad, file, key->id);
	if (crypto_random(slot + 4, CRYPTO_GCM_IV_LEN) != CRYPTO_OK ||
	    crypto_aes_gcm_seal(key->key, slot + 4, aad, sizeof aad, file->key, sizeof file->key, slot + 4 + CRYPTO_GCM_IV_LEN) != CRYPTO_OK)
		return STORAGE_IO;
	return STORAGE_OK;
}

/* STORAGE_NOT_FOUND: empty; STORAGE_KEY: its key is not in the ring. */
static int slot_open(struct sealed_file *file, const struct keyring *ring, const uint8_t slot[SEALED_SLOT])
{
	uint32_t id = (uint32_t)get_be(slot, 4);
	const struct keyring_key *key = keyring_find(ring, id);
	uint8_t aad[SEALED_FIXED + 4];

	if (id == 0)
		return STORAGE_NOT_FOUND;
	if (!key)
		return STORAGE_KEY;
	slot_aad(aad, file, id);
	if (crypto_aes_gcm_open(key->key, slot + 4, aad, sizeof aad, slot + 4 + CRYPTO_GCM_IV_LEN, sizeof file->key + SEALED_TAG, file->key) !=
	    CRYPTO_OK)
		return STORAGE_DAMAGED;
	file->key_id = id;
	return STORAGE_OK;
}

/* ---- making ---- */

int sealed_create(struct sealed_file *file, int fd, uint64_t size, const struct keyring *ring)
{
	uint8_t header[SEALED_HEADER] = { 0 };

	*file = (struct sealed_file){ .fd = fd, .size = size, .key_id = ring->keys[0].id };
	if (size > SIZE_MAX_BYTES)
		return STORAGE_INVALID;
	memcpy(file->fixed, magic, sizeof magic);
	put_be32(file->fixed + 8, SEALED_CHUNK);
	put_be64(file->fixed + 16, size);
	if (crypto_random(file->fixed + 24, 16) != CRYPTO_OK || crypto_random(file->key, sizeof file->key) != CRYPTO_OK)
		return STORAGE_IO;
	memcpy(header, file->fixed, SEALED_FIXED);
	if (slot_make(file, &ring->keys[0], header + SEALED_FIXED))
		return STORAGE_IO;
	return storage_pwrite(fd, header, sizeof header, 0) ? storage_errno() : STORAGE_OK;
}

static void chunk_nonce(const struct sealed_file *file, uint64_t chunk, uint8_t nonce[CRYPTO_GCM_IV_LEN])
{
	memset(nonce, 0, 4);
	nonce[0] = chunk + 1 == sealed_chunks(file->size);
	put_be64(nonce + 4, chunk);
}

int sealed_write(const struct sealed_file *file, uint64_t chunk, uint8_t *buffer)
{
	size_t n = sealed_chunk_size(file->size, chunk);
	uint8_t nonce[CRYPTO_GCM_IV_LEN];

	chunk_nonce(file, chunk, nonce);
	if (crypto_aes_gcm_seal(file->key, nonce, file->fixed, SEALED_FIXED, buffer, n, buffer) != CRYPTO_OK)
		return STORAGE_IO;
	return storage_pwrite(file->fd, buffer, n + SEALED_TAG, chunk_at(chunk)) ? storage_errno() : STORAGE_OK;
}

/* ---- reading ---- */

static int check_fixed(struct sealed_file *file, const uint8_t header[SEALED_HEADER], uint64_t length)
{
	memcpy(file->fixed, header, SEALED_FIXED);
	file->size = get_be(header + 16, 8);
	if (memcmp(header, magic, sizeof magic) != 0 || get_be(header + 8, 4) != SEALED_CHUNK || get_be(header + 12, 4) != 0 ||
	    file->size > SIZE_MAX_BYTES || sealed_length(file->size) != length)
		return STORAGE_DAMAGED;
	return STORAGE_OK;
}

static int open_header(struct sealed_file *file, int fd, const struct keyring *ring, uint8_t header[SEALED_HEADER])
{
	struct stat st;
	int rc, other;

	*file = (struct sealed_file){ .fd = fd };
	if (fstat(fd, &st))
		return STORAGE_IO;
	if (st.st_size < (off_t)SEALED_HEADER)
		return STORAGE_DAMAGED;
	if (storage_pread(fd, header, SEALED_HEADER, 0))
		return STORAGE_IO;
	rc = check_fixed(file, header, (uint64_t)st.st_size);
	if (rc)
		return rc;
	rc = slot_open(file, ring, header + SEALED_FIXED);
	if (rc == STORAGE_OK)
		return rc;
	file->slot = 1;
	other = slot_open(file, ring, header + SEALED_FIXED + SEALED_SLOT);
	if (other == STORAGE_OK)
		return other;
	/* A key that is missing is what the operator can do something about. */
	return rc == STORAGE_KEY || other == STORAGE_KEY ? STORAGE_KEY : STORAGE_DAMAGED;
}

int sealed_open(struct sealed_file *file, int fd, const struct keyring *ring)
{
	uint8_t header[SEALED_HEADER];

	return open_header(file, fd, ring, header);
}

int sealed_read(const struct sealed_file *file, uint64_t chunk, uint8_t *buffer)
{
	uint8_t nonce[CRYPTO_GCM_IV_LEN];
	size_t n;

	if (chunk >= sealed_chunks(file->size))
		return STORAGE_RANGE;
	n = sealed_chunk_size(file->size, chunk);
	chunk_nonce(file, chunk, nonce);
	if (storage_pread(file->fd, buffer, n + SEALED_TAG, chunk_at(chunk)))
		return errno == EIO ? STORAGE_DAMAGED : STORAGE_IO;
	if (crypto_aes_gcm_open(file->key, nonce, file->fixed, SEALED_FIXED, buffer, n + SEALED_TAG, buffer) != CRYPTO_OK)
		return STORAGE_DAMAGED;
	return STORAGE_OK;
}

void sealed_close(struct sealed_file *file)
{
	crypto_wipe(file->key, sizeof file->key);
}

/* ---- another key ---- */

static int write_slot(int fd, int slot, const uint8_t bytes[SEALED_SLOT])
{
	if (storage_pwrite(fd, bytes, SEALED_SLOT, SEALED_FIXED + (uint64_t)slot * SEALED_SLOT) || fdatasync(fd))
		return storage_errno();
	return STORAGE_OK;
}

int sealed_rewrap(int fd, const struct keyring *ring)
{
	static const uint8_t empty[SEALED_SLOT];
	uint8_t header[SEALED_HEADER], slot[SEALED_SLOT];
	struct sealed_file file, second;
	int rc = open_header(&file, fd, ring, header);

	/* A crash may have left the old slot beside the new one: the present key may stand in the second. */
	second = file;
	second.slot = 1;
	if (rc == STORAGE_OK && file.key_id != ring->keys[0].id && file.slot == 0 &&
	    slot_open(&second, ring, header + SEALED_FIXED + SEALED_SLOT) == STORAGE_OK && second.key_id == ring->keys[0].id)
		file = second;
	if (rc == STORAGE_OK && file.key_id != ring->keys[0].id) {
		rc = slot_make(&file, &ring->keys[0], slot);
		file.slot = 1 - file.slot;
		if (rc == STORAGE_OK)
			rc = write_slot(fd, file.slot, slot);
		if (rc == STORAGE_OK)
			rc = write_slot(fd, 1 - file.slot, empty);
	} else if (rc == STORAGE_OK && memcmp(header + SEALED_FIXED + (size_t)(1 - file.slot) * SEALED_SLOT, empty, SEALED_SLOT) != 0) {
		rc = write_slot(fd, 1 - file.slot, empty);
	}
	sealed_close(&second);
	sealed_close(&file);
	return rc;
}
