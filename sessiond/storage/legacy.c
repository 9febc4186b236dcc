/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files of the original, see legacy.h. */
#include "sessiond/storage/legacy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <json-c/json.h>
#include <openssl/evp.h>

#include "common/mem.h"
#include "sessiond/crypto/crypto.h"
#include "sessiond/storage/naming.h"
#include "sessiond/storage/sealedfile.h"

enum { SIDECAR_MAX = 64 << 10, SIDECAR_DEPTH = 8, STEP = 65536 };

static const char *text_of(struct json_object *o, const char *name, struct arena *arena)
{
	struct json_object *v;

	if (!json_object_object_get_ex(o, name, &v) || !json_object_is_type(v, json_type_string))
		return NULL;
	return arena_strdup(arena, json_object_get_string(v));
}

static int hex_of(struct json_object *o, const char *name, uint8_t *out, size_t n, struct arena *arena)
{
	const char *text = text_of(o, name, arena);

	return text && crypto_unhex(text, strlen(text), out, n) == CRYPTO_OK ? 0 : -1;
}

static int parse_tree(struct legacy_file *file, struct json_object *o, struct arena *arena)
{
	struct json_object *encryption = json_object_object_get(o, "encryption"), *extra = json_object_object_get(o, "extra");
	const char *visibility = text_of(o, "visibility", arena), *algorithm = text_of(o, "checksumAlgorithm", arena);

	file->encrypted = json_object_get_boolean(json_object_object_get(o, "encrypted"));
	file->is_public = visibility && strcmp(visibility, "public") == 0;
	file->mime = text_of(o, "mimeType", arena);
	file->name = text_of(o, "originalName", arena);
	file->session = json_object_is_type(extra, json_type_object) ? text_of(extra, "sessionId", arena) : NULL;
	if (algorithm && strcmp(algorithm, "sha256") == 0 && hex_of(o, "checksum", file->sha256, sizeof file->sha256, arena))
		memset(file->sha256, 0, sizeof file->sha256);
	if (!file->encrypted)
		return 0;
	if (!json_object_is_type(encryption, json_type_object) || hex_of(encryption, "iv", file->iv, sizeof file->iv, arena) ||
	    hex_of(encryption, "authTag", file->tag, sizeof file->tag, arena))
		return STORAGE_DAMAGED;
	return 0;
}

int legacy_parse(struct legacy_file *file, const char *text, size_t len, struct arena *arena)
{
	struct json_tokener *tokener = json_tokener_new_ex(SIDECAR_DEPTH);
	struct json_object *o = tokener && len < SIDECAR_MAX ? json_tokener_parse_ex(tokener, text, (int)len) : NULL;
	int rc = json_object_is_type(o, json_type_object) ? parse_tree(file, o, arena) : STORAGE_DAMAGED;

	json_object_put(o);
	if (tokener)
		json_tokener_free(tokener);
	return rc;
}

/* The sidecar's text in the arena, NULL without one. */
static char *read_sidecar(int folder, const char *key, struct arena *arena, size_t *len)
{
	char *path = xasprintf("%s.meta.json", key), *text = NULL;
	int fd = folder < 0 ? -1 : naming_open(folder, path, O_RDONLY);
	struct stat st;

	free(path);
	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 && st.st_size < SIDECAR_MAX) {
		*len = (size_t)st.st_size;
		text = arena_alloc(arena, *len + 1);
		if (storage_pread(fd, text, *len, 0))
			text = NULL;
	}
	if (fd >= 0)
		close(fd);
	return text;
}

/* Does the whole ciphertext fit to nonce and tag under this key? */
static int verify(const struct legacy_file *file, const uint8_t key[32])
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t in[STEP], out[STEP], tag[16];
	int rc = STORAGE_IO, n;

	memcpy(tag, file->tag, sizeof tag);
	if (!ctx || EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, file->iv) != 1)
		goto out;
	for (uint64_t at = 0; at < file->size; at += (uint64_t)n) {
		uint64_t left = file->size - at;

		n = left < STEP ? (int)left : STEP;
		if (storage_pread(file->fd, in, (size_t)n, at) || EVP_DecryptUpdate(ctx, out, &n, in, n) != 1)
			goto out;
	}
	if (EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, sizeof tag, tag) == 1)
		rc = EVP_DecryptFinal_ex(ctx, out, &n) == 1 ? STORAGE_OK : STORAGE_DAMAGED;
out:
	crypto_wipe(out, sizeof out);
	EVP_CIPHER_CTX_free(ctx);
	return rc;
}

static int find_key(struct legacy_file *file, const struct keyring *ring)
{
	int rc = STORAGE_KEY;

	for (size_t i = 0; i < ring->original_count; i++) {
		rc = verify(file, ring->original[i]);
		if (rc == STORAGE_OK)
			memcpy(file->key, ring->original[i], sizeof file->key);
		if (rc != STORAGE_DAMAGED)
			return rc;
	}
	return rc;
}

static int open_data(struct legacy_file *file, int folder, const char *key, const struct keyring *ring)
{
	struct stat st;
	int rc = STORAGE_NOT_FOUND;

	file->fd = folder < 0 ? -1 : naming_open(folder, key, O_RDONLY | O_NONBLOCK);
	if (file->fd < 0)
		return STORAGE_NOT_FOUND;
	if (fstat(file->fd, &st) == 0 && S_ISREG(st.st_mode)) {
		file->size = (uint64_t)st.st_size;
		file->created_ms = (int64_t)st.st_mtim.tv_sec * 1000;
		rc = file->encrypted ? find_key(file, ring) : STORAGE_OK;
	}
	if (rc) {
		close(file->fd);
		file->fd = -1;
	}
	return rc;
}

int legacy_open(struct legacy_file *file, const struct legacy_places *places, const char *key, const struct keyring *ring, struct arena *arena)
{
	const int sidecars[] = { places->metadata, places->public_root, places->private_root };
	char *text = NULL;
	size_t len = 0;
	int rc;

	*file = (struct legacy_file){ .fd = -1 };
	/* Sidecars and what begins with a dot (our own objects) are no files to be had. */
	if (!naming_key_is_valid(key) || key[0] == '.' || (strlen(key) > 10 && strcmp(key + strlen(key) - 10, ".meta.json") == 0))
		return STORAGE_NOT_FOUND;
	for (size_t i = 0; !text && i < sizeof sidecars / sizeof *sidecars; i++)
		text = read_sidecar(sidecars[i], key, arena, &len);
	if (!text) {
		/* Without a description only what lies in the public folder may be shown. */
		file->is_public = true;
		return open_data(file, places->public_root, key, ring);
	}
	rc = legacy_parse(file, text, len, arena);
	if (rc)
		return rc;
	return open_data(file, file->is_public ? places->public_root : places->private_root, key, ring);
}

int legacy_read(const struct legacy_file *file, uint64_t at, uint8_t *out, size_t n)
{
	uint8_t counter[16] = { 0 }, skipped[16] = { 0 };
	uint64_t block = at / 16 + 2;
	size_t into = (size_t)(at % 16);
	EVP_CIPHER_CTX *ctx;
	int done = 0, rc = STORAGE_OK;

	if (storage_pread(file->fd, out, n, at))
		return errno == EIO ? STORAGE_DAMAGED : STORAGE_IO;
	if (!file->encrypted)
		return STORAGE_OK;
	memcpy(counter, file->iv, sizeof file->iv);
	for (int i = 0; i < 4; i++)
		counter[12 + i] = (uint8_t)(block >> (24 - 8 * i));
	ctx = EVP_CIPHER_CTX_new();
	if (!ctx || EVP_DecryptInit_ex(ctx, EVP_aes_256_ctr(), NULL, file->key, counter) != 1 ||
	    (into && EVP_DecryptUpdate(ctx, skipped, &done, skipped, (int)into) != 1) || EVP_DecryptUpdate(ctx, out, &done, out, (int)n) != 1)
		rc = STORAGE_IO;
	EVP_CIPHER_CTX_free(ctx);
	return rc;
}

static int remove_at(int folder, const char *path)
{
	const char *slash = strrchr(path, '/');
	char *parent = slash ? xstrndup(path, (size_t)(slash - path)) : NULL;
	int dir = folder < 0 ? -1 : parent ? naming_open(folder, parent, O_PATH | O_DIRECTORY) : folder;
	int rc = dir >= 0 && unlinkat(dir, slash ? slash + 1 : path, 0) == 0 ? 0 : -1;

	if (dir >= 0 && dir != folder)
		close(dir);
	free(parent);
	return rc;
}

int legacy_remove(const struct legacy_places *places, const char *key)
{
	char *sidecar = xasprintf("%s.meta.json", key);
	int rc = remove_at(places->public_root, key) && remove_at(places->private_root, key) ? STORAGE_NOT_FOUND : STORAGE_OK;

	remove_at(places->metadata, sidecar);
	remove_at(places->public_root, sidecar);
	remove_at(places->private_root, sidecar);
	free(sidecar);
	return rc;
}
