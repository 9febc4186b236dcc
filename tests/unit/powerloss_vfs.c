/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A SQLite VFS for power cuts and disk errors, see powerloss_vfs.h. */
#include "tests/unit/powerloss_vfs.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "common/mem.h"

enum { SECTOR = 512, FILES_MAX = 8 };

const char powerloss_name[] = "powerloss";

/* Bytes written at an offset; a truncation has no bytes. */
struct pending {
	struct pending *next;
	sqlite3_int64 offset;
	size_t len;
	uint8_t bytes[];
};

struct image {
	char *path;
	uint8_t *disk;
	size_t disk_len, disk_room;
	struct pending *first, **end;
	bool gone;
};

static struct {
	pthread_mutex_t lock;
	sqlite3_vfs vfs, *real;
	struct image images[FILES_MAX];
	size_t count;
	uint64_t operations, cut_at;
	bool cut, registered;
	unsigned seed;
	int write_error, sync_error;
	void (*on_cut)(void);
} world = { .lock = PTHREAD_MUTEX_INITIALIZER };

struct file {
	sqlite3_file base;
	struct image *image; /* NULL: not followed (temporary files) */
	sqlite3_file real[];
};

static unsigned chance(unsigned below)
{
	world.seed = world.seed * 1103515245U + 12345U;
	return (world.seed >> 16) % below;
}

/* ---- what the disk holds ---- */

static void disk_resize(struct image *image, size_t len)
{
	if (len > image->disk_room) {
		image->disk_room = len * 2;
		image->disk = xrealloc(image->disk, image->disk_room);
	}
	if (len > image->disk_len)
		memset(image->disk + image->disk_len, 0, len - image->disk_len);
	image->disk_len = len;
}

static void disk_write(struct image *image, size_t offset, const uint8_t *bytes, size_t len)
{
	if (offset + len > image->disk_len)
		disk_resize(image, offset + len);
	memcpy(image->disk + offset, bytes, len);
}

static void disk_apply(struct image *image, const struct pending *write)
{
	if (write->len == 0)
		disk_resize(image, (size_t)write->offset);
	else
		disk_write(image, (size_t)write->offset, write->bytes, write->len);
}

static void disk_apply_torn(struct image *image, const struct pending *write)
{
	size_t sectors = write->len / SECTOR + 1;

	for (size_t i = 0; i < sectors; i++) {
		size_t at = i * SECTOR, len = write->len - at < SECTOR ? write->len - at : SECTOR;

		if (at < write->len && chance(2) == 0)
			disk_write(image, (size_t)write->offset + at, write->bytes + at, len);
	}
}

static void image_clear_pending(struct image *image)
{
	while (image->first != NULL) {
		struct pending *write = image->first;

		image->first = write->next;
		free(write);
	}
	image->end = &image->first;
}

static void image_sync(struct image *image)
{
	for (const struct pending *write = image->first; write != NULL; write = write->next)
		disk_apply(image, write);
	image_clear_pending(image);
}

static void cut_now(void)
{
	if (world.cut)
		return;
	world.cut = true;
	for (size_t i = 0; i < world.count; i++) {
		struct image *image = &world.images[i];

		for (const struct pending *write = image->first; write != NULL; write = write->next) {
			unsigned fate = chance(4);

			if (fate < 2)
				disk_apply(image, write);
			else if (fate == 2 && write->len > 0)
				disk_apply_torn(image, write);
		}
		image_clear_pending(image);
	}
	if (world.on_cut != NULL)
		world.on_cut();
}

/* With the lock: true when the operation must not happen any more. */
static bool count_operation(void)
{
	world.operations++;
	if (!world.cut && world.cut_at != 0 && world.operations >= world.cut_at)
		cut_now();
	return world.cut;
}

static void note(struct image *image, sqlite3_int64 offset, const void *bytes, size_t len)
{
	struct pending *write = xmalloc(sizeof *write + len);

	write->next = NULL;
	write->offset = offset;
	write->len = len;
	if (len > 0)
		memcpy(write->bytes, bytes, len);
	*image->end = write;
	image->end = &write->next;
}

/* ---- file methods ---- */

static sqlite3_file *real_of(sqlite3_file *file)
{
	return ((struct file *)file)->real;
}

static int file_close(sqlite3_file *file)
{
	return real_of(file)->pMethods->xClose(real_of(file));
}

static int file_read(sqlite3_file *file, void *out, int len, sqlite3_int64 offset)
{
	return real_of(file)->pMethods->xRead(real_of(file), out, len, offset);
}

static int file_write(sqlite3_file *file, const void *bytes, int len, sqlite3_int64 offset)
{
	struct image *image = ((struct file *)file)->image;
	int rc = SQLITE_OK;

	pthread_mutex_lock(&world.lock);
	if (image != NULL && count_operation())
		rc = SQLITE_IOERR_WRITE;
	else if (image != NULL && world.write_error != 0)
		rc = world.write_error;
	if (rc == SQLITE_OK && image != NULL)
		note(image, offset, bytes, (size_t)len);
	pthread_mutex_unlock(&world.lock);
	return rc != SQLITE_OK ? rc : real_of(file)->pMethods->xWrite(real_of(file), bytes, len, offset);
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	struct image *image = ((struct file *)file)->image;
	int rc = SQLITE_OK;

	pthread_mutex_lock(&world.lock);
	if (image != NULL && count_operation())
		rc = SQLITE_IOERR_TRUNCATE;
	else if (image != NULL)
		note(image, size, NULL, 0);
	pthread_mutex_unlock(&world.lock);
	return rc != SQLITE_OK ? rc : real_of(file)->pMethods->xTruncate(real_of(file), size);
}

static int file_sync(sqlite3_file *file, int flags)
{
	struct image *image = ((struct file *)file)->image;
	int rc = SQLITE_OK;

	(void)flags;
	pthread_mutex_lock(&world.lock);
	if (image != NULL && count_operation())
		rc = SQLITE_IOERR_FSYNC;
	else if (image != NULL && world.sync_error != 0)
		rc = world.sync_error;
	else if (image != NULL)
		image_sync(image);
	pthread_mutex_unlock(&world.lock);
	return rc;
}

static int file_size(sqlite3_file *file, sqlite3_int64 *size)
{
	return real_of(file)->pMethods->xFileSize(real_of(file), size);
}

static int file_lock(sqlite3_file *file, int level)
{
	return real_of(file)->pMethods->xLock(real_of(file), level);
}

static int file_unlock(sqlite3_file *file, int level)
{
	return real_of(file)->pMethods->xUnlock(real_of(file), level);
}

static int file_check_lock(sqlite3_file *file, int *reserved)
{
	return real_of(file)->pMethods->xCheckReservedLock(real_of(file), reserved);
}

static int file_control(sqlite3_file *file, int what, void *arg)
{
	return real_of(file)->pMethods->xFileControl(real_of(file), what, arg);
}

static int file_sector(sqlite3_file *file)
{
	return real_of(file)->pMethods->xSectorSize(real_of(file));
}

static int file_traits(sqlite3_file *file)
{
	return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

static int shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **out)
{
	return real_of(file)->pMethods->xShmMap(real_of(file), page, size, extend, out);
}

static int shm_lock(sqlite3_file *file, int offset, int n, int flags)
{
	return real_of(file)->pMethods->xShmLock(real_of(file), offset, n, flags);
}

static void shm_barrier(sqlite3_file *file)
{
	real_of(file)->pMethods->xShmBarrier(real_of(file));
}

static int shm_unmap(sqlite3_file *file, int remove)
{
	return real_of(file)->pMethods->xShmUnmap(real_of(file), remove);
}

/* Version 2: shared memory, no memory-mapped reads that would go past us. */
static const sqlite3_io_methods methods = {
	.iVersion = 2,
	.xClose = file_close,
	.xRead = file_read,
	.xWrite = file_write,
	.xTruncate = file_truncate,
	.xSync = file_sync,
	.xFileSize = file_size,
	.xLock = file_lock,
	.xUnlock = file_unlock,
	.xCheckReservedLock = file_check_lock,
	.xFileControl = file_control,
	.xSectorSize = file_sector,
	.xDeviceCharacteristics = file_traits,
	.xShmMap = shm_map,
	.xShmLock = shm_lock,
	.xShmBarrier = shm_barrier,
	.xShmUnmap = shm_unmap,
};

/* ---- the file system ---- */

static void load(struct image *image)
{
	FILE *in = fopen(image->path, "rb");
	uint8_t block[4096];
	size_t n;

	while (in != NULL && (n = fread(block, 1, sizeof block, in)) > 0)
		disk_write(image, image->disk_len, block, n);
	if (in != NULL)
		fclose(in);
}

static struct image *image_of(const char *path)
{
	struct image *image = NULL;

	for (size_t i = 0; i < world.count && image == NULL; i++) {
		if (strcmp(world.images[i].path, path) == 0)
			image = &world.images[i];
	}
	if (image == NULL && world.count < FILES_MAX) {
		image = &world.images[world.count++];
		image->path = xstrdup(path);
		image->end = &image->first;
		load(image);
	}
	if (image != NULL)
		image->gone = false;
	return image;
}

static int vfs_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *out, int flags, int *out_flags)
{
	struct file *file = (struct file *)out;
	int rc;

	(void)vfs;
	file->base.pMethods = NULL;
	file->image = NULL;
	if (path != NULL && (flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL)) != 0) {
		pthread_mutex_lock(&world.lock);
		file->image = image_of(path);
		pthread_mutex_unlock(&world.lock);
	}
	rc = world.real->xOpen(world.real, path, file->real, flags, out_flags);
	if (file->real->pMethods != NULL)
		file->base.pMethods = &methods;
	return rc;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *path, int sync_folder)
{
	int rc = SQLITE_OK;

	(void)vfs;
	pthread_mutex_lock(&world.lock);
	if (world.cut)
		rc = SQLITE_IOERR_DELETE;
	for (size_t i = 0; i < world.count && rc == SQLITE_OK; i++) {
		struct image *image = &world.images[i];

		if (strcmp(image->path, path) != 0)
			continue;
		image_clear_pending(image);
		image->disk_len = 0;
		image->gone = true;
	}
	pthread_mutex_unlock(&world.lock);
	return rc != SQLITE_OK ? rc : world.real->xDelete(world.real, path, sync_folder);
}

void powerloss_start(unsigned seed)
{
	powerloss_stop();
	world.seed = seed;
	if (world.registered)
		return;
	world.real = sqlite3_vfs_find(NULL);
	world.vfs = *world.real;
	world.vfs.zName = powerloss_name;
	world.vfs.szOsFile = (int)sizeof(struct file) + world.real->szOsFile;
	world.vfs.xOpen = vfs_open;
	world.vfs.xDelete = vfs_delete;
	sqlite3_vfs_register(&world.vfs, 0);
	world.registered = true;
}

void powerloss_use_always(void)
{
	sqlite3_vfs_register(&world.vfs, 1);
}

void powerloss_stop(void)
{
	for (size_t i = 0; i < world.count; i++) {
		image_clear_pending(&world.images[i]);
		free(world.images[i].path);
		free(world.images[i].disk);
		world.images[i] = (struct image){ .path = NULL };
	}
	world.count = 0;
	world.operations = world.cut_at = 0;
	world.cut = false;
	world.write_error = world.sync_error = 0;
}

void powerloss_cut_after(uint64_t operations)
{
	pthread_mutex_lock(&world.lock);
	world.cut_at = operations == 0 ? 0 : world.operations + operations;
	pthread_mutex_unlock(&world.lock);
}

void powerloss_on_cut(void (*fn)(void))
{
	world.on_cut = fn;
}

void powerloss_cut_now(void)
{
	pthread_mutex_lock(&world.lock);
	cut_now();
	pthread_mutex_unlock(&world.lock);
}

bool powerloss_is_cut(void)
{
	bool cut;

	pthread_mutex_lock(&world.lock);
	cut = world.cut;
	pthread_mutex_unlock(&world.lock);
	return cut;
}

uint64_t powerloss_operations(void)
{
	uint64_t operations;

	pthread_mutex_lock(&world.lock);
	operations = world.operations;
	pthread_mutex_unlock(&world.lock);
	return operations;
}

void powerloss_restore(const char *folder)
{
	for (size_t i = 0; i < world.count; i++) {
		const struct image *image = &world.images[i];
		const char *slash = strrchr(image->path, '/');
		char *path = xasprintf("%s/%s", folder, slash == NULL ? image->path : slash + 1);
		FILE *out = image->gone ? NULL : fopen(path, "wb");

		if (out != NULL && image->disk_len > 0)
			fwrite(image->disk, 1, image->disk_len, out);
		if (out != NULL)
			fclose(out);
		free(path);
	}
}

void powerloss_fail_writes(int code)
{
	pthread_mutex_lock(&world.lock);
	world.write_error = code;
	pthread_mutex_unlock(&world.lock);
}

void powerloss_fail_syncs(int code)
{
	pthread_mutex_lock(&world.lock);
	world.sync_error = code;
	pthread_mutex_unlock(&world.lock);
}
