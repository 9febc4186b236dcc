/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Log writes in one piece, see gather_vfs.h. */
#include "sessiond/store/gather_vfs.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

enum {
	/* Sixteen frames of 4 KiB pages, or so. */
	ROOM = 64 << 10,
	BASES_MAX = 4,
	NAME_MAX_BYTES = 64
};

/* One VFS per base. SQLite keeps its list of them for the whole process, and so does this. */
struct gatherer {
	sqlite3_vfs vfs, *base;
	char name[NAME_MAX_BYTES];
};

static struct {
	pthread_mutex_t lock;
	struct gatherer list[BASES_MAX];
	size_t count;
} gatherers = { .lock = PTHREAD_MUTEX_INITIALIZER };

struct file {
	sqlite3_file sqlite;    /* first: what SQLite sees */
	bool is_log;
	uint8_t *bytes;         /* owned; ROOM bytes, NULL until the first write */
	size_t used;
	sqlite3_int64 offset;   /* where bytes belong */
	sqlite3_file *real;     /* the base's, in the same allocation */
};

static sqlite3_file *real_of(sqlite3_file *file)
{
	return ((struct file *)file)->real;
}

/* What could not be written is forgotten: the transaction fails, and SQLite writes the next one over it. */
static int flush(sqlite3_file *sqlite)
{
	struct file *file = (struct file *)sqlite;
	size_t used = file->used;

	if (used == 0)
		return SQLITE_OK;
	file->used = 0;
	return file->real->pMethods->xWrite(file->real, file->bytes, (int)used, file->offset);
}

static int gather(struct file *file, const void *bytes, size_t len, sqlite3_int64 offset)
{
	int rc = SQLITE_OK;

	if (file->used > 0 && (offset != file->offset + (sqlite3_int64)file->used || len > ROOM - file->used))
		rc = flush(&file->sqlite);
	if (rc != SQLITE_OK)
		return rc;
	if (file->used == 0)
		file->offset = offset;
	memcpy(file->bytes + file->used, bytes, len);
	file->used += len;
	return SQLITE_OK;
}

/* ---- file methods ---- */

static int file_close(sqlite3_file *sqlite)
{
	struct file *file = (struct file *)sqlite;
	int written = flush(sqlite);
	int rc = file->real->pMethods->xClose(file->real);

	free(file->bytes);
	file->bytes = NULL;
	return written != SQLITE_OK ? written : rc;
}

static int file_read(sqlite3_file *sqlite, void *out, int len, sqlite3_int64 offset)
{
	int rc = flush(sqlite);

	return rc != SQLITE_OK ? rc : real_of(sqlite)->pMethods->xRead(real_of(sqlite), out, len, offset);
}

static int file_write(sqlite3_file *sqlite, const void *bytes, int len, sqlite3_int64 offset)
{
	struct file *file = (struct file *)sqlite;
	int rc;

	if (file->is_log && file->bytes == NULL)
		file->bytes = malloc(ROOM);
	if (file->bytes != NULL && len > 0 && len <= ROOM)
		return gather(file, bytes, (size_t)len, offset);
	rc = flush(sqlite);
	return rc != SQLITE_OK ? rc : file->real->pMethods->xWrite(file->real, bytes, len, offset);
}

static int file_truncate(sqlite3_file *sqlite, sqlite3_int64 size)
{
	int rc = flush(sqlite);

	return rc != SQLITE_OK ? rc : real_of(sqlite)->pMethods->xTruncate(real_of(sqlite), size);
}

static int file_sync(sqlite3_file *sqlite, int flags)
{
	int rc = flush(sqlite);

	return rc != SQLITE_OK ? rc : real_of(sqlite)->pMethods->xSync(real_of(sqlite), flags);
}

static int file_size(sqlite3_file *sqlite, sqlite3_int64 *size)
{
	int rc = flush(sqlite);

	return rc != SQLITE_OK ? rc : real_of(sqlite)->pMethods->xFileSize(real_of(sqlite), size);
}

static int file_lock(sqlite3_file *sqlite, int level)
{
	return real_of(sqlite)->pMethods->xLock(real_of(sqlite), level);
}

static int file_unlock(sqlite3_file *sqlite, int level)
{
	return real_of(sqlite)->pMethods->xUnlock(real_of(sqlite), level);
}

static int file_check_lock(sqlite3_file *sqlite, int *reserved)
{
	return real_of(sqlite)->pMethods->xCheckReservedLock(real_of(sqlite), reserved);
}

static int file_control(sqlite3_file *sqlite, int what, void *arg)
{
	struct file *file = (struct file *)sqlite;

	if (what != GATHER_LET_GO)
		return file->real->pMethods->xFileControl(file->real, what, arg);
	if (file->used == 0) {
		free(file->bytes);
		file->bytes = NULL;
	}
	return SQLITE_OK;
}

static int file_sector(sqlite3_file *sqlite)
{
	return real_of(sqlite)->pMethods->xSectorSize(real_of(sqlite));
}

static int file_traits(sqlite3_file *sqlite)
{
	return real_of(sqlite)->pMethods->xDeviceCharacteristics(real_of(sqlite));
}

static int shm_map(sqlite3_file *sqlite, int page, int size, int extend, void volatile **out)
{
	return real_of(sqlite)->pMethods->xShmMap(real_of(sqlite), page, size, extend, out);
}

static int shm_lock(sqlite3_file *sqlite, int offset, int n, int flags)
{
	return real_of(sqlite)->pMethods->xShmLock(real_of(sqlite), offset, n, flags);
}

static void shm_barrier(sqlite3_file *sqlite)
{
	real_of(sqlite)->pMethods->xShmBarrier(real_of(sqlite));
}

static int shm_unmap(sqlite3_file *sqlite, int remove)
{
	return real_of(sqlite)->pMethods->xShmUnmap(real_of(sqlite), remove);
}

/* Version 2: shared memory, but no memory-mapped pages, which would go past what is gathered. */
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

/* Room for our part, so that the base's, behind it, is aligned as SQLite's own allocation is. */
#define OUR_BYTES ((sizeof(struct file) + 15) / 16 * 16)

static int vfs_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *sqlite, int flags, int *out_flags)
{
	const struct gatherer *gatherer = vfs->pAppData;
	struct file *file = (struct file *)sqlite;
	int rc;

	*file = (struct file){ .is_log = (flags & SQLITE_OPEN_WAL) != 0, .real = (sqlite3_file *)(void *)((uint8_t *)sqlite + OUR_BYTES) };
	file->real->pMethods = NULL;
	rc = gatherer->base->xOpen(gatherer->base, path, file->real, flags, out_flags);
	/* The base asks for xClose even after an error when it has set its methods. */
	if (file->real->pMethods != NULL)
		file->sqlite.pMethods = &methods;
	return rc;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *path, int sync_folder)
{
	sqlite3_vfs *base = ((const struct gatherer *)vfs->pAppData)->base;

	return base->xDelete(base, path, sync_folder);
}

/* Everything else is the base's own, called with the base. */
static int vfs_access(sqlite3_vfs *vfs, const char *path, int flags, int *out)
{
	sqlite3_vfs *base = ((const struct gatherer *)vfs->pAppData)->base;

	return base->xAccess(base, path, flags, out);
}

static int vfs_full_path(sqlite3_vfs *vfs, const char *path, int room, char *out)
{
	sqlite3_vfs *base = ((const struct gatherer *)vfs->pAppData)->base;

	return base->xFullPathname(base, path, room, out);
}

static int vfs_last_error(sqlite3_vfs *vfs, int room, char *out)
{
	sqlite3_vfs *base = ((const struct gatherer *)vfs->pAppData)->base;

	return base->xGetLastError(base, room, out);
}

static const char *registered(sqlite3_vfs *base)
{
	struct gatherer *gatherer;

	for (size_t i = 0; i < gatherers.count; i++) {
		if (gatherers.list[i].base == base)
			return gatherers.list[i].name;
	}
	if (gatherers.count == BASES_MAX)
		return NULL;
	gatherer = &gatherers.list[gatherers.count];
	if ((size_t)snprintf(gatherer->name, sizeof gatherer->name, "gather-%s", base->zName) >= sizeof gatherer->name)
		return NULL;
	/* Functions that need no file of ours (randomness, time, sleeping) stay the base's: they do not look at what they are called with. */
	gatherer->base = base;
	gatherer->vfs = *base;
	gatherer->vfs.pNext = NULL;
	gatherer->vfs.zName = gatherer->name;
	gatherer->vfs.szOsFile = (int)OUR_BYTES + base->szOsFile;
	gatherer->vfs.pAppData = gatherer;
	gatherer->vfs.xOpen = vfs_open;
	gatherer->vfs.xDelete = vfs_delete;
	gatherer->vfs.xAccess = vfs_access;
	gatherer->vfs.xFullPathname = vfs_full_path;
	gatherer->vfs.xGetLastError = vfs_last_error;
	if (sqlite3_vfs_register(&gatherer->vfs, 0) != SQLITE_OK)
		return NULL;
	gatherers.count++;
	return gatherer->name;
}

const char *gather_vfs(const char *base)
{
	sqlite3_vfs *found = sqlite3_vfs_find(base);
	const char *name;

	if (found == NULL)
		return NULL;
	pthread_mutex_lock(&gatherers.lock);
	name = registered(found);
	pthread_mutex_unlock(&gatherers.lock);
	return name;
}
