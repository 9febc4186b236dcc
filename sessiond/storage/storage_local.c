/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Files on this machine. A stored file is <root>/.objects/<last two characters>/<ULID>, made under the name <ULID>.part, synced and then renamed;
 * its key is known to the index alone. Nothing of a key, a sender or a type gets into a path.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "common/mem.h"
#include "common/timefmt.h"
#include "common/ulid.h"
#include "sessiond/storage/driver.h"
#include "sessiond/storage/naming.h"
#include "sessiond/storage/sealedfile.h"
#include "sessiond/storage/signedurl.h"

/* One turn of a thread: others get theirs between. */
#define SLICE_CHUNKS 64U

struct local_put {
	int dir, fd;              /* owned */
	bool sealed;
	struct sealed_file file;
	EVP_MD_CTX *hash;         /* owned */
	uint64_t chunk;           /* next */
	uint8_t buffer[SEALED_CHUNK + SEALED_TAG];
};

/* The folder of an object; made when asked for. -1 with errno. */
static int object_folder(int root, const char *object, bool make)
{
	char path[16];
	size_t n = strlen(object);

	if (!ulid_parse(object, NULL)) {
		errno = EINVAL;
		return -1;
	}
	snprintf(path, sizeof path, ".objects/%s", object + n - 2);
	if (make && mkdirat(root, path, 0700) && errno != EEXIST)
		return -1;
	return naming_open(root, path, O_RDONLY | O_DIRECTORY);
}

static int root_of(const struct storage_op *op)
{
	return op->file.is_public ? op->storage->public_root : op->storage->private_root;
}

static void fail_errno(struct storage_op *op, int error, const char *what)
{
	if (error == STORAGE_FULL)
		storage_fail(op, error, "the disk is full (%s)", what);
	else
		storage_fail(op, error, "%s: %s", what, strerror(errno));
}

/* ---- putting, on threads ---- */

static void put_begin(struct storage_op *op, struct local_put *put)
{
	char part[ULID_LENGTH + 6];

	snprintf(part, sizeof part, "%s.part", op->file.object);
	put->dir = object_folder(root_of(op), op->file.object, true);
	put->fd = put->dir < 0 ? -1 : openat(put->dir, part, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (put->fd < 0) {
		fail_errno(op, storage_errno(), "a new file");
		return;
	}
	put->hash = EVP_MD_CTX_new();
	if (!put->hash || EVP_DigestInit_ex(put->hash, EVP_sha256(), NULL) != 1) {
		storage_fail(op, STORAGE_IO, "no memory for a digest");
	} else if (put->sealed) {
		int error = sealed_create(&put->file, put->fd, (uint64_t)op->file.size, op->ring);

		if (error)
			fail_errno(op, error, "a new file");
	}
}

static void put_chunk(struct storage_op *op, struct local_put *put)
{
	uint64_t at = put->chunk * SEALED_CHUNK;
	size_t n = sealed_chunk_size((uint64_t)op->file.size, put->chunk);
	int error;

	if (storage_pread(op->fd, put->buffer, n, at)) {
		storage_fail(op, STORAGE_CHANGED, "the file ended before its announced size");
		return;
	}
	EVP_DigestUpdate(put->hash, put->buffer, n);
	if (put->sealed)
		error = sealed_write(&put->file, put->chunk, put->buffer);
	else
		error = storage_pwrite(put->fd, put->buffer, n, at) ? storage_errno() : STORAGE_OK;
	if (error)
		fail_errno(op, error, "writing");
	put->chunk++;
}

/* Checked, on the disk, and only then under its name. */
static void put_end(struct storage_op *op, struct local_put *put)
{
	char part[ULID_LENGTH + 6];

	snprintf(part, sizeof part, "%s.part", op->file.object);
	EVP_DigestFinal_ex(put->hash, op->file.sha256, NULL);
	if (op->has_want && memcmp(op->want, op->file.sha256, sizeof op->want) != 0)
		storage_fail(op, STORAGE_CHANGED, "the file's SHA-256 is not the announced one");
	else if (fsync(put->fd) || renameat(put->dir, part, put->dir, op->file.object) || fsync(put->dir))
		fail_errno(op, storage_errno(), "finishing a file");
	op->file.key_id = put->sealed ? put->file.key_id : 0;
}

static bool put_is_over(const struct storage_op *op, const struct local_put *put)
{
	return op->error || put->chunk == sealed_chunks((uint64_t)op->file.size);
}

static void put_slice(void *arg)
{
	struct storage_op *op = arg;
	struct local_put *put = op->work;

	if (put->fd < 0)
		put_begin(op, put);
	for (unsigned i = 0; i < SLICE_CHUNKS && !put_is_over(op, put); i++)
		put_chunk(op, put);
	if (!op->error && put_is_over(op, put))
		put_end(op, put);
}

static void put_free(struct storage_op *op)
{
	struct local_put *put = op->work;

	if (put->fd >= 0)
		close(put->fd);
	if (put->dir >= 0)
		close(put->dir);
	EVP_MD_CTX_free(put->hash);
	sealed_close(&put->file);
	explicit_bzero(put->buffer, sizeof put->buffer);
	free(put);
	op->work = NULL;
}

static void put_sliced(struct storage_op *op)
{
	struct local_put *put = op->work;

	if (put->fd >= 0 && !put_is_over(op, put)) {
		storage_offload(op, put_slice, put_sliced);
		return;
	}
	put_free(op);
	storage_moved(op);
}

static void local_put(struct storage_op *op)
{
	struct local_put *put = xcalloc(1, sizeof *put);

	put->fd = put->dir = -1;
	put->sealed = op->file.is_public ? op->storage->config->storage_encrypt_public : op->storage->config->storage_encrypt;
	op->work = put;
	storage_offload(op, put_slice, put_sliced);
}

/* ---- reading ---- */

/* Also finds out whether the file can be read at all: its header and the first chunk that is asked for. */
static void open_object(void *arg)
{
	struct storage_op *op = arg;
	int dir = object_folder(root_of(op), op->file.object, false);
	int fd = dir < 0 ? -1 : openat(dir, op->file.object, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	uint8_t *buffer;
	struct stat st;
	int error = 0;

	if (dir >= 0)
		close(dir);
	if (fd < 0) {
		storage_fail(op, errno == ENOENT ? STORAGE_DAMAGED : STORAGE_IO, "a stored file cannot be opened: %s", strerror(errno));
		return;
	}
	if (op->file.key_id) {
		struct sealed_file file;

		buffer = xmalloc(SEALED_CHUNK + SEALED_TAG);
		error = sealed_open(&file, fd, op->ring);
		if (!error && file.size != (uint64_t)op->file.size)
			error = STORAGE_DAMAGED;
		if (!error && file.size)
			error = sealed_read(&file, (uint64_t)op->from / SEALED_CHUNK, buffer);
		sealed_close(&file);
		explicit_bzero(buffer, SEALED_CHUNK);
		free(buffer);
	} else if (fstat(fd, &st) || st.st_size != (off_t)op->file.size) {
		error = STORAGE_DAMAGED;
	}
	if (error)
		storage_fail(op, error, "a stored file cannot be read: %s", storage_error_name(error));
	else if (!op->file.key_id && lseek(fd, (off_t)op->from, SEEK_SET) < 0)
		storage_fail(op, STORAGE_IO, "a stored file cannot be read: %s", strerror(errno));
	op->fd = fd;
}

static void object_opened(struct storage_op *op)
{
	int fd = op->fd;

	op->fd = -1;
	if (op->error) {
		if (fd >= 0)
			close(fd);
	} else if (!op->file.key_id) {
		/* Not encrypted: whoever asked reads the file itself. */
		op->out = fd;
	} else if (!pump_start(op, PUMP_SEALED, fd)) {
		storage_fail(op, STORAGE_IO, "too many files are being read");
	}
	storage_opened(op);
}

static void local_open(struct storage_op *op)
{
	storage_offload(op, open_object, object_opened);
}

void storage_local_open_legacy(struct storage_op *op)
{
	int fd = op->legacy.fd;

	op->legacy.fd = -1;
	if (!op->legacy.encrypted) {
		if (lseek(fd, (off_t)op->from, SEEK_SET) < 0)
			storage_fail(op, STORAGE_IO, "a file of the original cannot be read: %s", strerror(errno));
		op->out = fd;
	} else if (!pump_start(op, PUMP_LEGACY, fd)) {
		storage_fail(op, STORAGE_IO, "too many files are being read");
	}
	storage_opened(op);
}

/* ---- deleting ---- */

static void drop_object(void *arg)
{
	struct storage_op *op = arg;
	int dir = object_folder(root_of(op), op->file.object, false);
	char part[ULID_LENGTH + 6];

	if (dir < 0) {
		if (errno != ENOENT)
			fail_errno(op, STORAGE_IO, "deleting");
		return;
	}
	snprintf(part, sizeof part, "%s.part", op->file.object);
	if (unlinkat(dir, op->file.object, 0) && errno != ENOENT)
		fail_errno(op, STORAGE_IO, "deleting");
	if (op->file.state == STORE_FILE_ARRIVING && unlinkat(dir, part, 0) && errno != ENOENT)
		fail_errno(op, STORAGE_IO, "deleting");
	close(dir);
}

static void local_drop(struct storage_op *op)
{
	storage_offload(op, drop_object, storage_dropped);
}

/* ---- another key ---- */

static void rewrap_object(void *arg)
{
	struct storage_op *op = arg;
	int dir = object_folder(root_of(op), op->file.object, false);
	int fd = dir < 0 ? -1 : openat(dir, op->file.object, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	int error = fd < 0 ? STORAGE_IO : sealed_rewrap(fd, op->ring);

	if (fd < 0)
		fail_errno(op, error, "a stored file cannot be opened");
	else if (error)
		storage_fail(op, error, "a stored file cannot get the new key: %s", storage_error_name(error));
	else
		op->file.key_id = op->ring->keys[0].id;
	if (fd >= 0)
		close(fd);
	if (dir >= 0)
		close(dir);
}

static void rewrapped(struct storage_op *op)
{
	op->done(op);
}

static void local_rewrap(struct storage_op *op)
{
	storage_offload(op, rewrap_object, rewrapped);
}

/* ---- addresses ---- */

/* Settings hold a path or a whole address. */
static void put_base(struct storage *storage, const char *prefix, struct buf *url)
{
	char room[64];
	const char *base = storage_base_url(storage, room);
	size_t n = strlen(base);

	if (!strstr(prefix, "://")) {
		while (n && base[n - 1] == '/')
			n--;
		buf_append(url, base, n);
		if (prefix[0] != '/')
			buf_u8(url, '/');
	}
	n = strlen(prefix);
	while (n && prefix[n - 1] == '/')
		n--;
	buf_append(url, prefix, n);
}

static void local_url(struct storage *storage, const char *key, bool is_public, const char *download, int64_t ttl_sec, struct buf *url, int64_t *expires_ms)
{
	const struct config *config = storage->config;
	int64_t expires_s = timefmt_now_ms() / 1000 + (ttl_sec > 0 ? ttl_sec : config->storage_signed_ttl_sec);

	*expires_ms = is_public ? 0 : expires_s * 1000;
	if (is_public) {
		put_base(storage, config->storage_public_url, url);
		buf_printf(url, "/%s", key);
	} else {
		put_base(storage, config->storage_url[0] ? config->storage_url : config->storage_signed_path, url);
		signedurl_query(url, storage->sign_secret, key, expires_s, download);
	}
}

bool storage_token_fits(struct storage *storage, const char *key, const char *expires, const char *token, const char *scope, const char *download)
{
	return signedurl_fits(storage->sign_secret, key, expires, token, scope, download, timefmt_now_ms() / 1000);
}

/* ---- checking ---- */

static void check_folders(void *arg)
{
	struct storage_op *op = arg;
	const int roots[] = { op->storage->public_root, op->storage->private_root };

	for (size_t i = 0; i < 2; i++) {
		struct stat st;

		/* A folder that was removed is still open. */
		if (fstat(roots[i], &st) == 0 && st.st_nlink == 0)
			storage_fail(op, STORAGE_IO, "the folder of stored files is gone");
		else if (faccessat(roots[i], ".objects", W_OK, 0))
			fail_errno(op, STORAGE_IO, "the folder of stored files");
	}
}

static void local_check(struct storage_op *op)
{
	storage_offload(op, check_folders, storage_answer);
}

/* ---- life ---- */

static int local_start(struct storage *storage, char *why, size_t why_len)
{
	const int roots[] = { storage->public_root, storage->private_root };

	for (size_t i = 0; i < 2; i++) {
		if (mkdirat(roots[i], ".objects", 0700) && errno != EEXIST) {
			snprintf(why, why_len, "%s: %s", i ? storage->config->storage_path : storage->config->storage_public_path, strerror(errno));
			return -1;
		}
	}
	return 0;
}

/* What was cut off in the middle: its row says so, the next start tidies up. */
static void local_stop(struct storage *storage)
{
	for (struct storage_op *op = storage->ops; op; op = op->next) {
		if (op->step == STORAGE_PUT && op->driver == &storage_local && op->work)
			put_free(op);
	}
}

const struct storage_driver storage_local = {
	.name = "local",
	.start = local_start,
	.stop = local_stop,
	.put = local_put,
	.open = local_open,
	.drop = local_drop,
	.check = local_check,
	.url = local_url,
	.rewrap = local_rewrap,
};
