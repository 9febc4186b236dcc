/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The keys of stored files, see keyring.h. */
#include "sessiond/storage/keyring.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/mem.h"
#include "sessiond/crypto/crypto.h"
#include "sessiond/crypto/secretfile.h"

/* What the original falls back to when nothing is set: its files must stay readable, nothing new is encrypted under it. */
static const char original_default[] = "warest-storage-secret";

static uint32_t id_of(const uint8_t key[32])
{
	uint8_t digest[CRYPTO_SHA256_LEN];
	uint32_t id;

	crypto_sha256(key, 32, digest);
	id = (uint32_t)digest[0] << 24 | (uint32_t)digest[1] << 16 | (uint32_t)digest[2] << 8 | digest[3];
	return id ? id : 1;
}

const struct keyring_key *keyring_find(const struct keyring *ring, uint32_t id)
{
	for (size_t i = 0; i < ring->count; i++) {
		if (ring->keys[i].id == id)
			return &ring->keys[i];
	}
	return NULL;
}

static int add(struct keyring *ring, const uint8_t key[32])
{
	struct keyring_key *to = &ring->keys[ring->count];
	uint32_t id = id_of(key);

	if (keyring_find(ring, id))
		return 0;
	if (ring->count == KEYRING_MAX)
		return -1;
	to->id = id;
	memcpy(to->key, key, sizeof to->key);
	ring->count++;
	return 0;
}

static bool is_base64(const char *text, size_t n)
{
	return n % 4 == 0 && strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=") == n;
}

void keyring_derive(const char *text, uint8_t key[32])
{
	size_t n = strlen(text), decoded_len = 0;
	uint8_t *decoded;

	if (n == 64 && crypto_unhex(text, n, key, 32) == CRYPTO_OK)
		return;
	decoded = xcalloc(1, n / 4 * 3 + 3);
	if (!is_base64(text, n) || crypto_unbase64(text, n, decoded, &decoded_len) != CRYPTO_OK)
		crypto_sha256(text, n, key);
	else if (decoded_len >= 32)
		memcpy(key, decoded, 32);
	else
		crypto_sha256(decoded, decoded_len, key);
	crypto_wipe(decoded, n / 4 * 3 + 3);
	free(decoded);
}

static int add_derived(struct keyring *ring, const char *text)
{
	uint8_t key[32];
	int rc;

	keyring_derive(text, key);
	rc = add(ring, key);
	crypto_wipe(key, sizeof key);
	return rc;
}

/* ---- the key file: "<number> <64 hex digits>" a line, the last one encrypts ---- */

static int make_file(const char *path)
{
	uint8_t key[32];
	char hex[65], *text;
	int rc = crypto_random(key, sizeof key);

	if (rc != CRYPTO_OK)
		return rc;
	crypto_hex(key, sizeof key, hex);
	text = xasprintf("1 %s\n", hex);
	rc = secretfile_create(path, text);
	crypto_wipe(text, strlen(text));
	free(text);
	crypto_wipe(key, sizeof key);
	crypto_wipe(hex, sizeof hex);
	return rc == CRYPTO_EIO && errno == EEXIST ? CRYPTO_OK : rc;
}

static int add_line(struct keyring *ring, const char *line, size_t n)
{
	uint8_t key[32];
	size_t digits = strspn(line, "0123456789");
	int rc;

	if (n == 0 || line[0] == '#')
		return 0;
	if (digits == 0 || digits + 1 + 64 != n || line[digits] != ' ' || crypto_unhex(line + digits + 1, 64, key, sizeof key) != CRYPTO_OK)
		return -1;
	rc = add(ring, key);
	crypto_wipe(key, sizeof key);
	return rc;
}

/* The last line first. */
static int add_lines(struct keyring *ring, const char *text)
{
	size_t end = strlen(text);

	while (end > 0) {
		size_t start, n;

		if (text[end - 1] == '\n') {
			end--;
			continue;
		}
		for (start = end; start > 0 && text[start - 1] != '\n';)
			start--;
		n = end - start;
		if (add_line(ring, text + start, n))
			return -1;
		end = start;
	}
	return 0;
}

static int load_file(struct keyring *ring, const char *path, bool create, char *why, size_t why_len)
{
	char text[SECRETFILE_MAX];
	int rc = secretfile_read(path, text);

	if (rc == CRYPTO_EIO && errno == ENOENT && !create)
		return 0;
	if (rc == CRYPTO_EIO && errno == ENOENT) {
		rc = make_file(path);
		if (rc == CRYPTO_OK)
			rc = secretfile_read(path, text);
	}
	if (rc != CRYPTO_OK) {
		snprintf(why, why_len, "storage key file %s: %s%s", path, rc == CRYPTO_EIO ? strerror(errno) : "cannot be read",
			rc == CRYPTO_EIO && errno == EACCES ? " (it must be readable by its owner alone)" : "");
		return -1;
	}
	rc = add_lines(ring, text);
	crypto_wipe(text, sizeof text);
	if (rc)
		snprintf(why, why_len, "storage key file %s: each line is a number, a blank and 64 hex digits; at most %d keys", path, KEYRING_MAX);
	return rc;
}

int keyring_add_to_file(const struct config *config, char *why, size_t why_len)
{
	char text[SECRETFILE_MAX], hex[65];
	char *path = xasprintf("%s.new", config->storage_key_file), *grown = NULL;
	uint8_t key[32];
	int rc = secretfile_read(config->storage_key_file, text);
	size_t lines = 1;

	if (rc == CRYPTO_OK && crypto_random(key, sizeof key) != CRYPTO_OK)
		rc = CRYPTO_EFAIL;
	if (rc != CRYPTO_OK)
		goto out;
	for (const char *at = text; *at; at++)
		lines += *at == '\n';
	crypto_hex(key, sizeof key, hex);
	grown = xasprintf("%s%s%zu %s\n", text, text[0] && text[strlen(text) - 1] != '\n' ? "\n" : "", lines, hex);
	unlink(path);
	rc = strlen(grown) < SECRETFILE_MAX ? secretfile_create(path, grown) : CRYPTO_EFORMAT;
	if (rc == CRYPTO_OK && rename(path, config->storage_key_file))
		rc = CRYPTO_EIO;
	/* The new name must survive a power cut before a file depends on the key. */
	if (rc == CRYPTO_OK) {
		char *slash = strrchr(path, '/');
		int dir;

		if (slash)
			*slash = '\0';
		dir = open(slash ? path : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (dir < 0 || fsync(dir))
			rc = CRYPTO_EIO;
		if (dir >= 0)
			close(dir);
	}
	crypto_wipe(grown, strlen(grown));
	crypto_wipe(key, sizeof key);
	crypto_wipe(hex, sizeof hex);
out:
	if (rc != CRYPTO_OK)
		snprintf(why, why_len, "storage key file %s: %s", config->storage_key_file, rc == CRYPTO_EIO ? strerror(errno) : "too many keys");
	crypto_wipe(text, sizeof text);
	free(grown);
	free(path);
	return rc == CRYPTO_OK ? 0 : -1;
}

/* ---- the ring ---- */

int keyring_load(struct keyring **out, const struct config *config, char *why, size_t why_len)
{
	struct keyring *ring = xcalloc(1, sizeof *ring);
	const char *set = config->storage_encryption_key[0] ? config->storage_encryption_key : config->storage_shared_secret;
	int rc = 0;

	ring->from_file = !set[0];
	if (!ring->from_file)
		rc = add_derived(ring, set);
	if (rc == 0)
		rc = load_file(ring, config->storage_key_file, ring->from_file, why, why_len);
	for (size_t i = 0; rc == 0 && i < config->storage_old_keys.count; i++)
		rc = add_derived(ring, config->storage_old_keys.items[i]);
	if (rc || ring->count == 0) {
		if (!why[0])
			snprintf(why, why_len, "there are too many storage keys, or none");
		keyring_free(ring);
		return -1;
	}
	if (config->storage_encryption_key[0])
		keyring_derive(config->storage_encryption_key, ring->original[ring->original_count++]);
	if (config->storage_shared_secret[0])
		keyring_derive(config->storage_shared_secret, ring->original[ring->original_count++]);
	keyring_derive(original_default, ring->original[ring->original_count++]);
	*out = ring;
	return 0;
}

void keyring_free(struct keyring *ring)
{
	if (!ring)
		return;
	crypto_wipe(ring, sizeof *ring);
	free(ring);
}

char *keyring_sign_secret(const struct config *config, char *why, size_t why_len)
{
	uint8_t secret[32];
	char *path, *hex;
	int rc;

	if (config->storage_signed_secret[0])
		return xstrdup(config->storage_signed_secret);
	if (config->storage_shared_secret[0])
		return xstrdup(config->storage_shared_secret);
	path = xasprintf("%s.sign", config->storage_key_file);
	rc = secretfile_load_or_create(path, secret, sizeof secret);
	hex = rc == CRYPTO_OK ? xmalloc(65) : NULL;
	if (hex)
		crypto_hex(secret, sizeof secret, hex);
	else
		snprintf(why, why_len, "secret of signed addresses %s: %s", path, rc == CRYPTO_EIO ? strerror(errno) : "must hold 64 hex digits");
	crypto_wipe(secret, sizeof secret);
	free(path);
	return hex;
}
