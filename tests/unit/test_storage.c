/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, a stored file is lost, shown half, kept for ever, or still there after it was deleted. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "common/mem.h"
#include "sessiond/crypto/crypto.h"
#include "sessiond/loop.h"
#include "sessiond/net/net.h"
#include "sessiond/storage/storage.h"
#include "sessiond/store/store.h"
#include "sessiond/timers.h"

struct bench {
	char folder[64];
	struct config *config;
	struct log_sink sink;
	struct log log;
	struct loop *loop;
	struct timers *timers;
	struct net *net;
	struct store *store;
	struct storage *storage;
	int null_fd;
};

/* What a call answered. */
struct result {
	pthread_mutex_t lock;
	pthread_cond_t cond;
	bool done;
	int error, fd;
	int64_t from, length, size;
	char text[256], key[600], url[1200];
	bool is_public;
};

static void result_init(struct result *r)
{
	*r = (struct result){ .fd = -1 };
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->cond, NULL);
}

static void result_set(struct result *r, int error, const char *text, const struct storage_object *o)
{
	pthread_mutex_lock(&r->lock);
	r->error = error;
	snprintf(r->text, sizeof r->text, "%s", text);
	if (o) {
		snprintf(r->key, sizeof r->key, "%s", o->key);
		snprintf(r->url, sizeof r->url, "%s", o->url);
		r->size = o->size;
		r->is_public = o->is_public;
	}
	r->done = true;
	pthread_cond_signal(&r->cond);
	pthread_mutex_unlock(&r->lock);
}

static int result_wait(struct result *r)
{
	pthread_mutex_lock(&r->lock);
	while (!r->done)
		pthread_cond_wait(&r->cond, &r->lock);
	pthread_mutex_unlock(&r->lock);
	return r->error;
}

static void on_put(void *arg, int error, const char *text, const struct storage_object *object)
{
	result_set(arg, error, text, object);
}

static void on_open(void *arg, int error, const char *text, const struct storage_object *object, int fd, int64_t from, int64_t length)
{
	struct result *r = arg;

	r->fd = fd;
	r->from = from;
	r->length = length;
	result_set(r, error, text, object);
}

static void on_done(void *arg, int error, const char *text)
{
	result_set(arg, error, text, NULL);
}

/* ---- the bench ---- */

static void load_config(struct bench *b, const char *const *more)
{
	char *environment[16] = { xasprintf("WAREST_STATE_DIR=%s", b->folder) };
	const struct config_source source = { .env_file = "/dev/null", .environment = environment };
	struct config_report report;
	size_t n = 1;

	for (; more && *more; more++)
		environment[n++] = xstrdup(*more);
	config_report_init(&report);
	if (config_load(&b->config, &source, &report))
		fail_msg("%s", buf_text(&report.problems));
	config_report_free(&report);
	while (n > 0)
		free(environment[--n]);
}

static void start(struct bench *b, const char *const *more)
{
	char path[128], why[256] = "";
	const struct store_options store_options = { .path = path };
	const struct net_options net_options = { 0 };
	struct storage_options options;

	load_config(b, more);
	snprintf(path, sizeof path, "%s/data/warest.sqlite", b->folder);
	assert_int_equal(store_open(&b->store, &store_options, why, sizeof why), 0);
	b->null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	log_sink_init(&b->sink, b->null_fd, LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
	b->log = (struct log){ .sink = &b->sink, .name = "test" };
	b->loop = loop_new("main");
	b->timers = timers_new(loop_uv(b->loop));
	assert_int_equal(net_new(&b->net, loop_uv(b->loop), &net_options), 0);
	options = (struct storage_options){ b->config, b->loop, b->timers, b->net, b->store, &b->log };
	if (storage_new(&b->storage, &options, why, sizeof why))
		fail_msg("%s", why);
	storage_start(b->storage);
	assert_int_equal(loop_start_thread(b->loop), 0);
}

static void stop(struct bench *b)
{
	loop_stop(b->loop);
	loop_join(b->loop);
	storage_stop(b->storage);
	store_close(b->store);
	storage_free(&b->storage);
	net_free(&b->net);
	timers_free(b->timers);
	loop_free(b->loop);
	config_free(b->config);
	close(b->null_fd);
}

static int setup(void **state)
{
	struct bench *b = calloc(1, sizeof *b);

	snprintf(b->folder, sizeof b->folder, "/tmp/test_storage.XXXXXX");
	if (!mkdtemp(b->folder))
		return -1;
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bench *b = *state;
	char command[128];

	snprintf(command, sizeof command, "rm -rf '%s'", b->folder);
	if (system(command))
		return -1;
	free(b);
	return 0;
}

static uint8_t content(size_t at)
{
	return (uint8_t)(at * 31 + at / 257);
}

static int source_of(size_t size)
{
	int fd = memfd_create("source", MFD_CLOEXEC);
	uint8_t *bytes = malloc(size + 1);

	for (size_t i = 0; i < size; i++)
		bytes[i] = content(i);
	assert_int_equal(write(fd, bytes, size), size);
	free(bytes);
	return fd;
}

static void put(struct bench *b, size_t size, const struct storage_meta *meta, struct result *r)
{
	int fd = source_of(size);

	result_init(r);
	storage_put(b->storage, b->loop, fd, meta, on_put, r);
	close(fd);
	result_wait(r);
}

static void open_key(struct bench *b, const char *key, int64_t from, int64_t length, struct result *r)
{
	result_init(r);
	storage_open(b->storage, b->loop, key, &(struct storage_range){ from, length }, on_open, r);
	result_wait(r);
}

/* Reads the descriptor to its end; how many right bytes came. */
static int64_t drain(struct result *r)
{
	uint8_t bytes[5000];
	int64_t at = r->from;
	ssize_t n;

	while (at < r->from + r->length && (n = read(r->fd, bytes, sizeof bytes)) != 0) {
		if (n < 0 && errno == EAGAIN)
			continue;
		assert_true(n > 0);
		for (ssize_t i = 0; i < n && at < r->from + r->length; i++, at++)
			assert_int_equal(bytes[i], content((size_t)at));
	}
	close(r->fd);
	return at - r->from;
}

static int delete_key(struct bench *b, const char *key)
{
	struct result r;

	result_init(&r);
	storage_delete(b->storage, b->loop, key, on_done, &r);
	return result_wait(&r);
}

/* Files below a folder. */
static int count_files(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	int n = 0;

	while (dir && (entry = readdir(dir)) != NULL) {
		char *inner = xasprintf("%s/%s", path, entry->d_name);

		if (entry->d_type == DT_DIR && strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			n += count_files(inner);
		else if (entry->d_type == DT_REG)
			n++;
		free(inner);
	}
	if (dir)
		closedir(dir);
	return n;
}

static int objects(struct bench *b)
{
	char path[160];
	int n;

	snprintf(path, sizeof path, "%s/data/public/storages", b->folder);
	n = count_files(path);
	snprintf(path, sizeof path, "%s/data/private/storages", b->folder);
	return n + count_files(path);
}

struct ask {
	struct bench *bench;
	struct storage_status *status;
	struct result result;
	bool sweep;
};

static void ask_here(void *arg)
{
	struct ask *ask = arg;

	if (ask->sweep)
		storage_sweep(ask->bench->storage);
	storage_status(ask->bench->storage, ask->status);
	result_set(&ask->result, 0, "", NULL);
}

static struct storage_status status_of(struct bench *b, bool sweep)
{
	struct storage_status status;
	struct ask ask = { .bench = b, .status = &status, .sweep = sweep };

	result_init(&ask.result);
	loop_post(b->loop, ask_here, &ask);
	result_wait(&ask.result);
	return status;
}

static struct storage_status sweep(struct bench *b)
{
	struct storage_status status = status_of(b, true);

	while (status.sweeping)
		status = status_of(b, false);
	return status;
}

/* ---- tests ---- */

static const struct storage_meta image = { .folder = "incoming-media", .session = "sales", .kind = "imageMessage", .mime = "image/jpeg", .size = -1,
					   .file_name = "../../etc/passwd" };

static void what_was_put_comes_back_in_any_range(void **state)
{
	static const size_t sizes[] = { 0, 1, 65536, 3000000 };
	struct bench *b = *state;
	struct result r, o;

	for (int encrypted = 0; encrypted < 2; encrypted++) {
		static const char *const plain[] = { "WAREST_STORAGE_LOCAL_ENCRYPT_PUBLIC=false", NULL };

		start(b, encrypted ? NULL : plain);
		for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
			int64_t size = (int64_t)sizes[i];
			const int64_t ranges[][2] = { { 0, -1 }, { size / 2, -1 }, { -10, -1 }, { size / 3, 70000 }, { size > 1 ? size - 1 : 0, 1 }, { 65535, 2 } };

			put(b, sizes[i], &image, &r);
			assert_int_equal(r.error, 0);
			assert_true(r.is_public);
			assert_non_null(strstr(r.url, "http://localhost:7308/storages/incoming-media/sales/imageMessage/"));
			for (size_t k = 0; k < sizeof ranges / sizeof *ranges; k++) {
				open_key(b, r.key, ranges[k][0], ranges[k][1], &o);
				if (ranges[k][0] > size || (size && ranges[k][0] == size)) {
					assert_int_equal(o.error, STORAGE_RANGE);
					continue;
				}
				assert_int_equal(o.error, 0);
				assert_int_equal(o.size, size);
				if (o.length)
					assert_int_equal(drain(&o), o.length);
				else
					assert_int_equal(o.fd, -1);
			}
			open_key(b, r.key, size, 5, &o);
			assert_int_equal(o.error, size ? STORAGE_RANGE : 0);
			open_key(b, r.key, 0, 0, &o);
			assert_int_equal(o.error, 0);
			assert_int_equal(o.fd, -1);
			assert_int_equal(delete_key(b, r.key), 0);
			assert_int_equal(delete_key(b, r.key), STORAGE_NOT_FOUND);
			open_key(b, r.key, 0, -1, &o);
			assert_int_equal(o.error, STORAGE_NOT_FOUND);
			assert_int_equal(objects(b), 0);
		}
		assert_int_equal(sweep(b).files, 0);
		stop(b);
	}
}

static void what_is_not_what_was_announced_is_not_kept(void **state)
{
	struct bench *b = *state;
	struct storage_meta meta = image;
	uint8_t digest[32] = { 1 };
	struct result r;
	int pipes[2];

	start(b, NULL);
	meta.size = 99;
	put(b, 100, &meta, &r);
	assert_int_equal(r.error, STORAGE_CHANGED);
	meta.size = 100;
	meta.sha256 = digest;
	put(b, 100, &meta, &r);
	assert_int_equal(r.error, STORAGE_CHANGED);
	assert_int_equal(pipe(pipes), 0);
	result_init(&r);
	storage_put(b->storage, b->loop, pipes[0], &image, on_put, &r);
	assert_int_equal(result_wait(&r), STORAGE_INVALID);
	close(pipes[0]);
	close(pipes[1]);
	assert_int_equal(objects(b), 0);
	assert_int_equal(sweep(b).files, 0);
	stop(b);
}

static void a_reader_goes_on_when_the_file_is_deleted_or_he_leaves(void **state)
{
	struct bench *b = *state;
	struct result r, o, gone;

	start(b, NULL);
	put(b, 5000000, &image, &r);
	open_key(b, r.key, 0, -1, &o);
	open_key(b, r.key, 0, -1, &gone);
	assert_int_equal(delete_key(b, r.key), 0);
	assert_int_equal(objects(b), 0);
	close(gone.fd);
	assert_int_equal(drain(&o), 5000000);
	stop(b);
}

/* As if this file had been stored so many days ago. */
static void age(struct bench *b, const char *key, int days)
{
	char path[200];
	char *statement = sqlite3_mprintf("UPDATE files SET created_ms = created_ms - %d * 86400000 WHERE storage_key = %Q", days, key);
	sqlite3 *db;

	snprintf(path, sizeof path, "%s/data/warest.sqlite", b->folder);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, statement, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_changes(db), 1);
	sqlite3_close(db);
	sqlite3_free(statement);
}

static void files_of_some_age_go(void **state)
{
	struct bench *b = *state;
	static const char *const bounds[] = { "WAREST_STORAGE_RETENTION_DAYS=7", NULL };
	struct result old, young, o;

	start(b, bounds);
	put(b, 100, &image, &old);
	put(b, 100, &image, &young);
	stop(b);
	age(b, old.key, 8);
	age(b, young.key, 6);
	start(b, NULL);
	assert_int_equal(sweep(b).files, 2);
	stop(b);
	start(b, bounds);
	for (struct storage_status s = sweep(b); s.files != 1;)
		s = sweep(b);
	open_key(b, old.key, 0, 0, &o);
	assert_int_equal(o.error, STORAGE_NOT_FOUND);
	open_key(b, young.key, 0, 0, &o);
	assert_int_equal(o.error, 0);
	assert_int_equal(objects(b), 1);
	stop(b);
}

static void expired_and_surplus_files_go(void **state)
{
	struct bench *b = *state;
	static const char *const bounds[] = { "WAREST_STORAGE_MAX_MB=1", NULL };
	struct storage_meta short_lived = image;
	struct result r, first, o;

	start(b, bounds);
	short_lived.ttl_ms = 1;
	put(b, 100, &short_lived, &r);
	assert_int_equal(r.error, 0);
	put(b, 700000, &image, &first);
	for (struct storage_status s = sweep(b); s.files != 1;)
		s = sweep(b);
	put(b, 700000, &image, &r);
	for (struct storage_status s = sweep(b); s.files != 1;)
		s = sweep(b);
	open_key(b, first.key, 0, 0, &o);
	assert_int_equal(o.error, STORAGE_NOT_FOUND);
	open_key(b, r.key, 0, 0, &o);
	assert_int_equal(o.error, 0);
	assert_int_equal(objects(b), 1);
	stop(b);
}

/* What kill -9 leaves: a row "arriving" with half a file, a row "going" with a whole one. */
static void the_next_start_takes_leftovers_away(void **state)
{
	struct bench *b = *state;
	char path[200], folder[180];
	struct store_file file = { .key = "a/b.jpeg", .driver = "local", .object = "01ARZ3NDEKTSV4RRFFQ69G5FAV", .is_public = true, .size = 4, .created_ms = 1 };
	struct store_tx *tx;
	struct result r, o;
	int64_t number = 0;

	start(b, NULL);
	put(b, 10, &image, &r);
	stop(b);
	{
		const struct store_options options = { .path = path };
		char why[200];

		snprintf(path, sizeof path, "%s/data/warest.sqlite", b->folder);
		assert_int_equal(store_open(&b->store, &options, why, sizeof why), 0);
		tx = store_tx_new(b->store);
		store_tx_file_add(tx, &file, &number);
		assert_int_equal(store_commit_wait(b->store, tx), 0);
		tx = store_tx_new(b->store);
		store_tx_file_going(tx, number - 1);
		assert_int_equal(store_commit_wait(b->store, tx), 0);
		store_close(b->store);
	}
	snprintf(folder, sizeof folder, "%s/data/public/storages/.objects/AV", b->folder);
	assert_true(mkdir(folder, 0700) == 0 || errno == EEXIST);
	snprintf(path, sizeof path, "%s/%s.part", folder, file.object);
	close(open(path, O_CREAT | O_WRONLY, 0600));
	assert_int_equal(objects(b), 2);
	start(b, NULL);
	open_key(b, "a/b.jpeg", 0, -1, &o);
	assert_int_equal(o.error, STORAGE_NOT_FOUND);
	open_key(b, r.key, 0, -1, &o);
	assert_int_equal(o.error, STORAGE_NOT_FOUND);
	sweep(b);
	assert_int_equal(objects(b), 0);
	stop(b);
}

static void a_new_key_reaches_every_file(void **state)
{
	struct bench *b = *state;
	static const char *const fixed[] = { "WAREST_STORAGE_LOCAL_ENCRYPTION_KEY=one", NULL };
	static const char *const changed[] = { "WAREST_STORAGE_LOCAL_ENCRYPTION_KEY=two", "WAREST_STORAGE_LOCAL_OLD_KEYS=one", NULL };
	static const char *const lost[] = { "WAREST_STORAGE_LOCAL_ENCRYPTION_KEY=three", NULL };
	static const char *const two[] = { "WAREST_STORAGE_LOCAL_ENCRYPTION_KEY=two", NULL };
	struct storage_status status;
	struct result first, r, o;
	uint32_t before;

	start(b, NULL);
	put(b, 100000, &image, &first);
	before = status_of(b, false).key_id;
	result_init(&r);
	storage_rotate(b->storage, b->loop, on_done, &r);
	assert_int_equal(result_wait(&r), 0);
	status = sweep(b);
	while (status.other_key || status.sweeping)
		status = status_of(b, false);
	assert_int_not_equal(status.key_id, before);
	open_key(b, first.key, 0, -1, &o);
	assert_int_equal(drain(&o), 100000);
	stop(b);
	/* keys from settings: changing the setting is the rotation, and goes on by itself */
	start(b, fixed);
	put(b, 70000, &image, &r);
	sweep(b);
	stop(b);
	start(b, changed);
	open_key(b, r.key, 0, -1, &o);
	assert_int_equal(drain(&o), 70000);
	for (status = sweep(b); status.other_key;)
		status = sweep(b);
	stop(b);
	start(b, two);
	open_key(b, r.key, 0, -1, &o);
	assert_int_equal(drain(&o), 70000);
	open_key(b, first.key, 0, -1, &o);
	assert_int_equal(drain(&o), 100000);
	stop(b);
	start(b, lost);
	open_key(b, r.key, 0, -1, &o);
	assert_int_equal(o.error, STORAGE_KEY);
	stop(b);
}

static void damage_is_an_error_not_content(void **state)
{
	struct bench *b = *state;
	struct storage_meta meta = image;
	struct result r, o;
	char command[300];

	start(b, NULL);
	meta.visibility = STORAGE_PRIVATE;
	put(b, 200000, &meta, &r);
	assert_false(r.is_public);
	assert_non_null(strstr(r.url, "http://localhost:7308/storage/private?key=incoming-media%2Fsales%2F"));
	/* nothing of it can be read on the disk, and eight bytes in the second chunk change (a single one could be the same by chance) */
	snprintf(command, sizeof command, "f=$(find %s/data/private/storages/.objects -type f) && printf XXXXXXXX | dd of=\"$f\" bs=8 seek=8750 conv=notrunc status=none",
		b->folder);
	assert_int_equal(system(command), 0);
	open_key(b, r.key, 100000, -1, &o);
	assert_int_equal(o.error, STORAGE_DAMAGED);
	open_key(b, r.key, 0, 65536, &o);
	assert_int_equal(drain(&o), 65536);
	open_key(b, r.key, 0, -1, &o);
	assert_int_equal(o.error, 0);
	assert_int_equal(drain(&o), 65536);
	stop(b);
}

static void health_is_asked_of_the_folders(void **state)
{
	struct bench *b = *state;
	struct result r;
	char path[300], aside[310];

	start(b, NULL);
	result_init(&r);
	storage_check(b->storage, b->loop, on_done, &r);
	assert_int_equal(result_wait(&r), 0);
	snprintf(path, sizeof path, "%s/data/private/storages/.objects", b->folder);
	snprintf(aside, sizeof aside, "%s.aside", path);
	assert_int_equal(rename(path, aside), 0);
	result_init(&r);
	storage_check(b->storage, b->loop, on_done, &r);
	assert_int_equal(result_wait(&r), STORAGE_IO);
	assert_int_equal(rename(aside, path), 0);
	stop(b);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(what_was_put_comes_back_in_any_range),
		T(what_is_not_what_was_announced_is_not_kept),
		T(a_reader_goes_on_when_the_file_is_deleted_or_he_leaves),
		T(files_of_some_age_go),
		T(expired_and_surplus_files_go),
		T(the_next_start_takes_leftovers_away),
		T(a_new_key_reaches_every_file),
		T(damage_is_an_error_not_content),
		T(health_is_asked_of_the_folders),
	};
	int failed;

	if (net_global_init())
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	loop_pool_end();
	net_global_free();
	return failed;
}
