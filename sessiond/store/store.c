/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Opening and closing the store: files, keys, migrations, threads. */
#include "sessiond/store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/mem.h"
#include "sessiond/crypto/crypto.h"
#include "sessiond/crypto/secretfile.h"
#include "sessiond/store/adopt.h"
#include "sessiond/store/fence.h"
#include "sessiond/store/migrations.h"
#include "sessiond/store/private.h"

#define DAY_MS ((int64_t)24 * 60 * 60 * 1000)
/* Without work for so long a connection lets go of its cached pages. */
#define REST_SECONDS 2

static int64_t system_wall_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

const char *store_error_name(int error)
{
	static const char *const names[] = {
		"ok", "storage_busy", "storage_full", "storage_constraint", "storage_corrupt", "storage_readonly", "storage_io",
		"storage_not_found", "storage_newer", "storage_checksum", "storage_seal", "storage_pending", "storage_config",
		"storage_broken",
	};

	return error <= 0 && (size_t)-error < sizeof names / sizeof *names ? names[-error] : "storage_error";
}

void store_warn(struct store *store, const char *format, ...)
{
	char line[512];
	va_list values;

	if (store->warn == NULL)
		return;
	va_start(values, format);
	vsnprintf(line, sizeof line, format, values);
	va_end(values);
	store->warn(store->warn_ctx, line);
}

/* ---- files ---- */

void wait_or_rest(pthread_cond_t *cond, pthread_mutex_t *lock, struct db *db, bool *rested)
{
	struct timespec until;

	if (*rested || db->driver->rest == NULL) {
		pthread_cond_wait(cond, lock);
		return;
	}
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += REST_SECONDS;
	if (pthread_cond_timedwait(cond, lock, &until) != ETIMEDOUT)
		return;
	*rested = true;
	/* Whoever queues something meanwhile finds nobody waiting: the caller looks again. */
	pthread_mutex_unlock(lock);
	db->driver->rest(db);
	pthread_mutex_lock(lock);
}

static int make_folder_of(const char *path)
{
	char folder[PATH_MAX];
	const char *slash = strrchr(path, '/');

	if (slash == NULL || slash == path)
		return 0;
	snprintf(folder, sizeof folder, "%.*s", (int)(slash - path), path);
	for (char *at = folder + 1; *at != '\0'; at++) {
		if (*at != '/')
			continue;
		*at = '\0';
		if (mkdir(folder, S_IRWXU) != 0 && errno != EEXIST)
			return -1;
		*at = '/';
	}
	return mkdir(folder, S_IRWXU) != 0 && errno != EEXIST ? -1 : 0;
}

static int error_of_errno(void)
{
	if (errno == ENOSPC || errno == EDQUOT || errno == EFBIG)
		return STORE_FULL;
	return errno == EROFS || errno == EACCES ? STORE_READONLY : STORE_IO;
}

/*
 * The database and its logs are for the daemon's user alone: SQLite gives its other files the mode of the first. The lock keeps a
 * second daemon away: two processes on one ratchet would destroy it.
 */
static int lock_database(struct store *store, char *why, size_t why_len)
{
	const char *path = store->db_options.path;
	char *lock_path = xasprintf("%s.lock", path);
	int fd = -1, rc = 0;

	if (make_folder_of(path) != 0) {
		rc = error_of_errno();
		snprintf(why, why_len, "folder of database %s: %s", path, strerror(errno));
		goto out;
	}
	store->lock_fd = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
	if (store->lock_fd < 0) {
		rc = error_of_errno();
		snprintf(why, why_len, "%s: %s", lock_path, strerror(errno));
	} else if (flock(store->lock_fd, LOCK_EX | LOCK_NB) != 0) {
		rc = STORE_BUSY;
		snprintf(why, why_len, "database %s is in use by another warest-sessiond", path);
	}
	if (rc != 0)
		goto out;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
	if (fd < 0) {
		rc = error_of_errno();
		snprintf(why, why_len, "database %s: %s", path, strerror(errno));
	} else {
		close(fd);
	}
out:
	free(lock_path);
	return rc;
}

static char *file_or_beside(const struct store *store, const char *file, const char *name)
{
	const char *path = store->db_options.path, *slash = strrchr(path, '/');

	if (file != NULL && file[0] != '\0')
		return xstrdup(file);
	return slash == NULL ? xstrdup(name) : xasprintf("%.*s/%s", (int)(slash - path), path, name);
}

static int load_seals(struct store *store, const char *file, char *why, size_t why_len)
{
	struct store_seals *seals = &store->seals;
	char *path = file_or_beside(store, file, "master.key");
	struct seal_ring *ring = NULL;
	int rc = seal_ring_load(&ring, path, why, why_len);

	free(path);
	if (rc != CRYPTO_OK)
		return rc == CRYPTO_EIO && errno == ENOSPC ? STORE_FULL : STORE_CONFIG;
	seals->records = sealer_new(ring, "records");
	seals->outbox = sealer_new(ring, "outbox");
	seals->journal = sealer_new(ring, "journal");
	seals->sessions = sealer_new(ring, "sessions");
	seals->answers = sealer_new(ring, "answers");
	seals->files = sealer_new(ring, "files");
	seals->messages = sealer_new(ring, "messages");
	seal_ring_free(ring);
	if (seals->records != NULL && seals->outbox != NULL && seals->journal != NULL && seals->sessions != NULL &&
	    seals->answers != NULL && seals->files != NULL && seals->messages != NULL)
		return 0;
	snprintf(why, why_len, "the keys for sealing could not be derived");
	return STORE_CONFIG;
}

static int load_pepper(struct store *store, const char *file, char *why, size_t why_len)
{
	char *path = file_or_beside(store, file, "key.pepper");
	int rc = secretfile_load_or_create(path, store->pepper, sizeof store->pepper);

	if (rc == CRYPTO_EIO)
		snprintf(why, why_len, "pepper file %s: %s%s", path, strerror(errno),
		         errno == EACCES ? " (it must be readable by its owner alone)" : "");
	else if (rc != CRYPTO_OK)
		snprintf(why, why_len, "pepper file %s: must hold 64 hex digits", path);
	if (rc == CRYPTO_OK)
		rc = crypto_hmac(CRYPTO_SHA256, store->pepper, sizeof store->pepper, "cursors", 7, store->cursor_key);
	free(path);
	return rc == CRYPTO_OK ? 0 : STORE_CONFIG;
}

/*
 * A value sealed at the first start and opened at every later one: a wrong master key is found here, not in the middle of a
 * ratchet.
 */
static int check_master_key(struct store *store, struct db *db, char *why, size_t why_len)
{
	static const uint8_t text[] = "warest";
	uint8_t sealed[sizeof text + SEAL_OVERHEAD], plain[sizeof text];
	char hex[2 * sizeof sealed + 1] = "";
	int rc = setting_read(db, "store.seal_check", hex, sizeof hex);

	if (rc != 0)
		return rc;
	if (hex[0] == '\0') {
		if (sealer_seal(store->seals.sessions, "check", 5, text, sizeof text, sealed) != CRYPTO_OK)
			return STORE_SEAL;
		crypto_hex(sealed, sizeof sealed, hex);
		return setting_write(db, "store.seal_check", hex);
	}
	if (crypto_unhex(hex, strlen(hex), sealed, sizeof sealed) == CRYPTO_OK &&
	    sealer_open(store->seals.sessions, "check", 5, sealed, sizeof sealed, plain) == CRYPTO_OK)
		return 0;
	snprintf(why, why_len, "the master key file is not the one that database %s was made with", store->db_options.path);
	return STORE_SEAL;
}

/* ---- life ---- */

static void init_locks(struct store *store)
{
	pthread_condattr_t monotonic;

	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_mutex_init(&store->lock, NULL);
	pthread_cond_init(&store->queued_cond, &monotonic);
	pthread_mutex_init(&store->read_lock, NULL);
	pthread_cond_init(&store->read_cond, &monotonic);
	pthread_mutex_init(&store->keeper_lock, NULL);
	pthread_cond_init(&store->keeper_cond, &monotonic);
	pthread_condattr_destroy(&monotonic);
}

static struct store *store_new(const struct store_options *options)
{
	struct store *store = xcalloc(1, sizeof *store);

	store->driver = db_driver_find(options->driver == NULL ? "sqlite" : options->driver);
	store->db_options.path = options->path == NULL ? NULL : xstrdup(options->path);
	store->db_options.vfs = options->vfs == NULL ? NULL : xstrdup(options->vfs);
	store->db_options.busy_ms = options->busy_ms == 0 ? 5000 : options->busy_ms;
	store->window_ms = options->window_ms == 0 ? 4 : options->window_ms;
	store->journal_max_bytes = options->journal_max_bytes == 0 ? (int64_t)2 << 30 : options->journal_max_bytes;
	store->outbox_keep_ms = options->outbox_keep_ms == 0 ? 14 * DAY_MS : options->outbox_keep_ms;
	store->checkpoint_bytes = options->checkpoint_bytes == 0 ? (int64_t)4 << 20 : options->checkpoint_bytes;
	store->wall_ms = options->wall_ms == NULL ? system_wall_ms : options->wall_ms;
	store->warn = options->warn;
	store->warn_ctx = options->warn_ctx;
	store->finishing = options->finishing;
	store->appended = options->appended;
	store->appended_ctx = options->appended_ctx;
	store->lock_fd = -1;
	store->fence_path = options->path == NULL ? NULL : xasprintf("%s.fence", options->path);
	store->keys = key_table_new();
	store->queue_end = &store->queue_first;
	store->bulk_end = &store->bulk_first;
	store->reads_end = &store->reads_first;
	init_locks(store);
	return store;
}

static void store_free(struct store *store)
{
	struct store_seals *seals = &store->seals;

	db_close(store->keeper_db);
	db_close(store->writer_db);
	if (store->lock_fd >= 0)
		close(store->lock_fd);
	sealer_free(seals->records);
	sealer_free(seals->outbox);
	sealer_free(seals->journal);
	sealer_free(seals->sessions);
	sealer_free(seals->answers);
	sealer_free(seals->files);
	sealer_free(seals->messages);
	key_table_free(store->keys);
	pthread_mutex_destroy(&store->lock);
	pthread_cond_destroy(&store->queued_cond);
	pthread_mutex_destroy(&store->read_lock);
	pthread_cond_destroy(&store->read_cond);
	pthread_mutex_destroy(&store->keeper_lock);
	pthread_cond_destroy(&store->keeper_cond);
	crypto_wipe(store->pepper, sizeof store->pepper);
	crypto_wipe(store->cursor_key, sizeof store->cursor_key);
	free((char *)(uintptr_t)store->db_options.path);
	free((char *)(uintptr_t)store->db_options.vfs);
	free(store->fence_path);
	free(store);
}

static void start_thread(pthread_t *thread, void *(*fn)(void *arg), void *arg, const char *name)
{
	int rc = pthread_create(thread, NULL, fn, arg);

	if (rc != 0) {
		/* At the start, with nothing acknowledged: the same as an allocation that fails. */
		fprintf(stderr, "cannot start thread %s: %s\n", name, strerror(rc));
		abort();
	}
	pthread_setname_np(*thread, name);
}

static int start_readers(struct store *store, unsigned count, char *why, size_t why_len)
{
	int rc = 0;

	while (store->readers < count && rc == 0) {
		struct store_reader *reader = xcalloc(1, sizeof *reader);

		reader->store = store;
		rc = db_open(&reader->db, store->driver, &store->db_options, DB_READ, why, why_len);
		if (rc == 0)
			start_thread(&store->reader_threads[store->readers++], reader_main, reader, "store-read");
		else
			free(reader);
	}
	return rc;
}

static void stop_readers(struct store *store)
{
	pthread_mutex_lock(&store->read_lock);
	store->readers_stopping = true;
	pthread_cond_broadcast(&store->read_cond);
	pthread_mutex_unlock(&store->read_lock);
	for (unsigned i = 0; i < store->readers; i++)
		pthread_join(store->reader_threads[i], NULL);
}

/* Everything that needs the database and no thread yet. */
static int prepare_database(struct store *store, bool apply, char *why, size_t why_len)
{
	struct db *db = store->writer_db;
	int rc = apply ? adopt_tables(db) : 0;

	why[0] = '\0';
	if (rc == 0)
		rc = migrate_run(db, apply, store->wall_ms(), NULL, NULL, why, why_len);
	if (rc != 0 && why[0] == '\0')
		snprintf(why, why_len, "database %s of the original: %s", store->db_options.path, db->driver->message(db));
	if (rc != 0)
		return rc;
	store->schema = store->driver->migrations[*store->driver->migration_count - 1].number;
	rc = db->driver->begin(db);
	if (rc == 0)
		rc = check_master_key(store, db, why, why_len);
	if (rc == 0)
		rc = fence_check(store, db);
	if (rc == 0)
		rc = journal_open(store, db);
	if (rc == 0)
		rc = outbox_open(store, db);
	if (rc == 0)
		rc = search_open(store, db);
	if (rc == 0)
		rc = adopt_rows(store, db);
	if (rc == 0)
		rc = key_table_load(store, db);
	if (rc == 0)
		rc = db->driver->commit(db);
	if (rc != 0 && why[0] == '\0')
		snprintf(why, why_len, "database %s: %s (%s)", store->db_options.path, store_error_name(rc), db->driver->message(db));
	return rc;
}

static int check_options(const struct store *store, char *why, size_t why_len)
{
	if (store->driver == NULL)
		snprintf(why, why_len, "this program has no driver for that database client");
	else if (store->db_options.path == NULL || strlen(store->db_options.path) >= PATH_MAX - 16)
		snprintf(why, why_len, "the path of the database is missing or too long");
	else
		return 0;
	return STORE_CONFIG;
}

int store_open(struct store **out, const struct store_options *options, char *why, size_t why_len)
{
	struct store *store = store_new(options);
	unsigned readers = options->readers == 0 ? 2 : options->readers > READERS_MAX ? READERS_MAX : options->readers;
	int rc = check_options(store, why, why_len);

	why[0] = rc == 0 ? '\0' : why[0];
	if (rc == 0)
		rc = lock_database(store, why, why_len);
	if (rc == 0)
		rc = load_seals(store, options->master_key_file, why, why_len);
	if (rc == 0)
		rc = load_pepper(store, options->pepper_file, why, why_len);
	if (rc == 0)
		rc = db_open(&store->writer_db, store->driver, &store->db_options, DB_WRITE, why, why_len);
	if (rc == 0)
		rc = prepare_database(store, !options->no_migrate, why, why_len);
	if (rc == 0)
		rc = db_open(&store->keeper_db, store->driver, &store->db_options, DB_CHECKPOINT, why, why_len);
	if (rc == 0)
		rc = start_readers(store, readers, why, why_len);
	if (rc != 0) {
		stop_readers(store);
		store_free(store);
		return rc;
	}
	start_thread(&store->writer_thread, writer_main, store, "store-write");
	start_thread(&store->keeper_thread, keeper_main, store, "store-keep");
	*out = store;
	return 0;
}

void store_close(struct store *store)
{
	if (store == NULL)
		return;
	pthread_mutex_lock(&store->keeper_lock);
	store->keeper_stopping = true;
	pthread_cond_signal(&store->keeper_cond);
	pthread_mutex_unlock(&store->keeper_lock);
	pthread_join(store->keeper_thread, NULL);
	keeper_round(store);
	stop_readers(store);
	pthread_mutex_lock(&store->lock);
	store->stopping = true;
	pthread_cond_signal(&store->queued_cond);
	pthread_mutex_unlock(&store->lock);
	pthread_join(store->writer_thread, NULL);
	if (journal_close(store, store->writer_db) != 0)
		store_warn(store, "the journal's size was not stored: the next start counts it");
	store_free(store);
}

void store_status(struct store *store, struct store_status *status)
{
	*status = (struct store_status){
		.driver = store->driver->name,
		.schema = store->schema,
		.restored = store->restored,
		.txs = atomic_load(&store->txs),
		.commits = atomic_load(&store->commits),
		.reads = atomic_load(&store->reads),
		.journal_bytes = atomic_load(&store->journal_bytes),
		.wal_bytes = atomic_load(&store->log_bytes),
		.checkpoints = atomic_load(&store->checkpoints),
	};
	for (size_t i = 0; i < STORE_COMMIT_CLASSES; i++)
		status->commit_classes[i] = atomic_load(&store->commit_classes[i]);
	status->commit_us = atomic_load(&store->commit_us);
	pthread_mutex_lock(&store->lock);
	status->stored_ms = store->stored_ms;
	status->last_error = store->last_error;
	status->failing_since_ms = store->failing_since_ms;
	status->queued = store->queued + store->bulk_queued;
	pthread_mutex_unlock(&store->lock);
}

int store_migrate(const struct store_options *options, bool apply, struct arena *arena, struct store_migration **rows, size_t *n,
                  char *why, size_t why_len)
{
	struct store *store = store_new(options);
	int rc = check_options(store, why, why_len);

	if (rc == 0)
		rc = lock_database(store, why, why_len);
	if (rc == 0)
		rc = db_open(&store->writer_db, store->driver, &store->db_options, DB_WRITE, why, why_len);
	if (rc == 0) {
		rc = apply ? adopt_tables(store->writer_db) : 0;
		if (rc == 0)
			rc = migrate_run(store->writer_db, apply, store->wall_ms(), arena, rows, why, why_len);
		*n = *store->driver->migration_count;
	}
	store_free(store);
	return rc == STORE_PENDING ? 0 : rc;
}
