/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Operations on stored files, whatever the driver: keys, rows, answers. See storage.h. */
#include "sessiond/storage/storage.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <json-c/json.h>

#include "common/mem.h"
#include "common/timefmt.h"
#include "common/ulid.h"
#include "sessiond/async.h"
#include "sessiond/crypto/crypto.h"
#include "sessiond/json_text.h"
#include "sessiond/storage/driver.h"
#include "sessiond/storage/naming.h"
#include "sessiond/storage/sealedfile.h"

static const char *const error_names[] = { "ok", "not_found", "full", "io", "changed", "damaged", "key", "refused", "away", "invalid", "range" };

const char *storage_error_name(int error)
{
	return error <= 0 && (size_t)-error < sizeof error_names / sizeof *error_names ? error_names[-error] : "unknown";
}

/* ---- operations ---- */

struct storage_op *storage_op_new(struct storage *storage, enum storage_step step, struct loop *loop)
{
	struct storage_op *op = xcalloc(1, sizeof *op);

	op->storage = storage;
	op->step = step;
	op->loop = loop;
	op->fd = op->out = op->legacy.fd = -1;
	arena_init(&op->arena, 0);
	return op;
}

/* Main loop from here on. */
static void adopt(struct storage_op *op)
{
	struct storage *storage = op->storage;

	op->ring = storage->ring;
	op->next = storage->ops;
	if (op->next)
		op->next->prev = op;
	storage->ops = op;
	op->listed = true;
}

static void unlist(struct storage_op *op)
{
	if (!op->listed)
		return;
	op->listed = false;
	if (op->prev)
		op->prev->next = op->next;
	else
		op->storage->ops = op->next;
	if (op->next)
		op->next->prev = op->prev;
	op->next = op->prev = NULL;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void storage_op_free(struct storage_op *op)
{
	unlist(op);
	close_fd(&op->fd);
	close_fd(&op->out);
	close_fd(&op->legacy.fd);
	crypto_wipe(op->legacy.key, sizeof op->legacy.key);
	arena_free(&op->arena);
	free(op);
}

void storage_fail(struct storage_op *op, int error, const char *format, ...)
{
	va_list values;

	if (op->error)
		return;
	op->error = error;
	va_start(values, format);
	vsnprintf(op->text, sizeof op->text, format, values);
	va_end(values);
}

static void begin(void *arg);

void storage_submit(struct storage_op *op)
{
	if (!loop_post(op->storage->loop, begin, op))
		storage_op_free(op);
}

struct offload {
	struct storage_op *op;
	void (*work)(void *op);
	void (*done)(struct storage_op *op);
};

static void offload_work(void *arg)
{
	struct offload *o = arg;

	o->work(o->op);
}

static void offload_done(void *arg)
{
	struct offload o = *(struct offload *)arg;

	free(arg);
	if (!o.op->storage->stopping)
		o.done(o.op);
}

void storage_offload(struct storage_op *op, void (*work)(void *op), void (*done)(struct storage_op *op))
{
	struct offload *o = xmalloc(sizeof *o);

	*o = (struct offload){ .op = op, .work = work, .done = done };
	if (loop_tasks_offload(&op->storage->tasks, offload_work, offload_done, o))
		abort();
}

/* ---- answers ---- */

const char *storage_base_url(struct storage *storage, char room[64])
{
	if (storage->config->base_url[0])
		return storage->config->base_url;
	snprintf(room, 64, "http://localhost:%lld", (long long)storage->config->port);
	return room;
}

static void put_info(struct buf *out, const struct storage_meta *meta)
{
	buf_u8(out, '{');
	json_put_member(out, "name", meta->file_name);
	json_put_member(out, "message", meta->message_id);
	json_put_member(out, "chat", meta->chat);
	buf_u8(out, '}');
}

static const char *info_name(struct storage_op *op)
{
	struct json_object *o = op->file.info ? json_tokener_parse(op->file.info) : NULL, *name = NULL;
	const char *text = NULL;

	if (json_object_is_type(o, json_type_object) && json_object_object_get_ex(o, "name", &name) && json_object_is_type(name, json_type_string))
		text = arena_strdup(&op->arena, json_object_get_string(name));
	json_object_put(o);
	return text;
}

static void describe(struct storage_op *op, struct storage_object *object, struct buf *url)
{
	const struct store_file *f = &op->file;

	*object = (struct storage_object){
		.key = f->key,
		.driver = f->driver,
		.mime = f->mime,
		.file_name = info_name(op),
		.session = f->session,
		.size = f->size,
		.is_public = f->is_public,
		.created_ms = f->created_ms,
		.expires_ms = f->expires_ms,
	};
	memcpy(object->sha256, f->sha256, sizeof object->sha256);
	storage_url(op->storage, f->driver, f->key, f->is_public, NULL, 0, url, &object->url_expires_ms);
	object->url = buf_text(url);
}

/* The asker's loop. */
static void tell(void *arg)
{
	struct storage_op *op = arg;
	struct storage_object object;
	struct buf url = { 0 };
	int out = op->out;

	op->out = -1;
	if ((!op->error || op->error == STORAGE_RANGE) && op->step < STORAGE_DELETE)
		describe(op, &object, &url);
	switch (op->step) {
	case STORAGE_PUT:
		op->answer.put(op->arg, op->error, op->text, op->error ? NULL : &object);
		break;
	case STORAGE_OPEN:
		op->answer.open(op->arg, op->error, op->text, op->error && op->error != STORAGE_RANGE ? NULL : &object, out, op->from, op->length);
		break;
	case STORAGE_DELETE:
	case STORAGE_ROTATE:
	case STORAGE_CHECK:
	case STORAGE_TIDY:
		op->answer.done(op->arg, op->error, op->text);
		break;
	}
	buf_free(&url);
	storage_op_free(op);
}

void storage_answer(struct storage_op *op)
{
	struct storage *storage = op->storage;

	if (op->error && op->error != STORAGE_NOT_FOUND && op->error != STORAGE_RANGE) {
		storage->status.failed++;
		snprintf(storage->status.last_error, sizeof storage->status.last_error, "%s", op->text);
		log_warn(&storage->log, "storage failed", LOG_STR("key", op->file.key ? op->file.key : op->key), LOG_STR("error", storage_error_name(op->error)),
			LOG_STR("reason", op->text));
	}
	if (op->step == STORAGE_TIDY) {
		op->done(op);
		return;
	}
	/* The asker's thread frees it, and must not touch the list. */
	unlist(op);
	if (!loop_post(op->loop, tell, op))
		storage_op_free(op);
}

static void store_failed(struct storage_op *op, int error)
{
	storage_fail(op, error == STORE_FULL ? STORAGE_FULL : error == STORE_NOT_FOUND ? STORAGE_NOT_FOUND : STORAGE_IO, "the index of stored files: %s",
		store_error_name(error));
}

const struct storage_driver *storage_driver_of(struct storage *storage, const char *name)
{
	if (strcmp(name, storage_local.name) == 0)
		return &storage_local;
	return strcmp(name, storage_s3.name) == 0 && storage->s3 ? &storage_s3 : NULL;
}

/* ---- removing: GOING, bytes, row ---- */

static void row_removed(void *arg, int error)
{
	struct storage_op *op = arg;

	if (error)
		store_failed(op, error);
	storage_answer(op);
}

void storage_dropped(struct storage_op *op)
{
	struct storage *storage = op->storage;
	struct store_tx *tx;

	/* What could not be deleted stays GOING: the sweep tries again. */
	if (op->error || op->file.number == 0) {
		storage_answer(op);
		return;
	}
	tx = store_tx_new(storage->store);
	store_tx_file_remove(tx, op->file.number);
	async_commit(storage->loop, storage->store, tx, row_removed, op);
}

static void row_going(void *arg, int error)
{
	struct storage_op *op = arg;

	if (error)
		store_failed(op, error);
	if (op->error || !op->driver) {
		if (!op->error)
			storage_fail(op, STORAGE_REFUSED, "the storage that holds this file is not configured");
		storage_answer(op);
		return;
	}
	if (op->file.state == STORE_FILE_STORED) {
		op->storage->status.files--;
		op->storage->status.bytes -= op->file.size;
	}
	op->driver->drop(op);
}

void storage_remove(struct storage_op *op)
{
	struct storage *storage = op->storage;
	struct store_tx *tx = store_tx_new(storage->store);

	if (!op->ring)
		adopt(op);
	op->driver = storage_driver_of(storage, op->file.driver);
	store_tx_file_going(tx, op->file.number);
	async_commit(storage->loop, storage->store, tx, row_going, op);
}

void storage_rewrap(struct storage_op *op)
{
	adopt(op);
	op->driver = storage_driver_of(op->storage, op->file.driver);
	if (op->driver && op->driver->rewrap) {
		op->driver->rewrap(op);
	} else {
		storage_fail(op, STORAGE_INVALID, "its storage has no keys");
		op->done(op);
	}
}

/* ---- putting ---- */

/* The bytes did not get there: nothing may be left. The answer is the first error, not what the cleaning says. */
static void put_cleaned(struct storage_op *op)
{
	struct storage_op *asker = op->done_arg;

	storage_op_free(op);
	storage_answer(asker);
}

static void put_given_up(void *arg, int error)
{
	struct storage_op *op = arg;

	/* Not even noted: then the next start finds it. */
	(void)error;
	sweep_later(op->storage);
	storage_answer(op);
}

static void put_failed(struct storage_op *op)
{
	struct storage_op *clean;

	if (op->error == STORAGE_AWAY) {
		/* Nobody is there to delete anything: the sweep asks again later, the answer does not wait for that. */
		struct store_tx *tx = store_tx_new(op->storage->store);

		store_tx_file_going(tx, op->file.number);
		async_commit(op->storage->loop, op->storage->store, tx, put_given_up, op);
		return;
	}
	clean = storage_op_new(op->storage, STORAGE_TIDY, op->storage->loop);

	clean->file = op->file;
	clean->file.key = arena_strdup(&clean->arena, op->file.key);
	clean->file.driver = op->file.driver;
	clean->file.object = arena_strdup(&clean->arena, op->file.object);
	clean->file.upload = op->file.upload ? arena_strdup(&clean->arena, op->file.upload) : NULL;
	clean->file.mime = clean->file.session = clean->file.info = NULL;
	clean->file.state = STORE_FILE_ARRIVING;
	clean->done = put_cleaned;
	clean->done_arg = op;
	storage_remove(clean);
}

static void put_stored(void *arg, int error)
{
	struct storage_op *op = arg;
	struct storage *storage = op->storage;

	if (error) {
		store_failed(op, error);
		put_failed(op);
		return;
	}
	storage->status.put++;
	storage->status.files++;
	storage->status.bytes += op->file.size;
	if (op->file.expires_ms)
		sweep_soon(storage);
	storage_answer(op);
}

void storage_moved(struct storage_op *op)
{
	struct store_tx *tx;

	if (op->error) {
		put_failed(op);
		return;
	}
	tx = store_tx_new(op->storage->store);
	store_tx_file_stored(tx, op->file.number, op->file.sha256, op->file.key_id);
	async_commit(op->storage->loop, op->storage->store, tx, put_stored, op);
}

static void put_added(void *arg, int error)
{
	struct storage_op *op = arg;

	if (error) {
		store_failed(op, error);
		storage_answer(op);
		return;
	}
	op->driver->put(op);
}

static void begin_put(struct storage_op *op)
{
	struct storage *storage = op->storage;
	struct store_tx *tx;

	op->driver = storage->driver;
	op->file.driver = op->driver->name;
	if (op->error) {
		storage_answer(op);
		return;
	}
	tx = store_tx_new(storage->store);
	store_tx_file_add(tx, &op->file, &op->file.number);
	async_commit(storage->loop, storage->store, tx, put_added, op);
}

static void random_name(char out[33])
{
	uint8_t bytes[16];

	if (crypto_random(bytes, sizeof bytes) != CRYPTO_OK)
		abort();
	crypto_hex(bytes, sizeof bytes, out);
}

static bool public_by_default(const struct storage *storage)
{
	if (storage->driver == &storage_s3)
		return storage->config->s3_public_url[0] != '\0';
	return storage->config->storage_visibility == CONFIG_PUBLIC;
}

static void fill_put(struct storage_op *op, const struct storage_meta *meta)
{
	const struct config *config = op->storage->config;
	char name[65], object[ULID_LENGTH + 1];
	struct buf key = { 0 }, info = { 0 };
	struct stat st;

	/* Under a name that comes twice an old object could not be told from the new one in a bucket. */
	if (config->compat_media_names && meta->sha256 && op->storage->driver == &storage_local)
		crypto_hex(meta->sha256, 32, name);
	else
		random_name(name);
	naming_key(&key, meta, name);
	put_info(&info, meta);
	ulid_new(object);
	op->file = (struct store_file){
		.key = arena_strdup(&op->arena, buf_text(&key)),
		.object = arena_strdup(&op->arena, op->storage->driver == &storage_local ? object : buf_text(&key)),
		.is_public = meta->visibility == STORAGE_DEFAULT ? public_by_default(op->storage) : meta->visibility == STORAGE_PUBLIC,
		.mime = arena_strdup(&op->arena, meta->mime ? meta->mime : "application/octet-stream"),
		.session = meta->session ? arena_strdup(&op->arena, meta->session) : NULL,
		.info = arena_strdup(&op->arena, buf_text(&info)),
		.created_ms = timefmt_now_ms(),
		.size = meta->size,
		.state = STORE_FILE_ARRIVING,
	};
	op->file.expires_ms = meta->ttl_ms > 0 ? op->file.created_ms + meta->ttl_ms : 0;
	if (meta->sha256) {
		op->has_want = true;
		memcpy(op->want, meta->sha256, sizeof op->want);
	}
	if (op->fd < 0 || fstat(op->fd, &st) || !S_ISREG(st.st_mode))
		storage_fail(op, STORAGE_INVALID, "there is no regular file to store");
	else if (meta->size >= 0 && st.st_size != (off_t)meta->size)
		storage_fail(op, STORAGE_CHANGED, "the file has %lld bytes, not the %lld announced", (long long)st.st_size, (long long)meta->size);
	else
		op->file.size = st.st_size;
	if (!naming_key_is_valid(op->file.key))
		storage_fail(op, STORAGE_INVALID, "the file's key would be too long");
	buf_free(&key);
	buf_free(&info);
}

void storage_put(struct storage *storage, struct loop *loop, int fd, const struct storage_meta *meta, storage_put_done *done, void *arg)
{
	struct storage_op *op = storage_op_new(storage, STORAGE_PUT, loop);

	op->answer.put = done;
	op->arg = arg;
	op->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	fill_put(op, meta);
	storage_submit(op);
}

/* ---- reading ---- */

/* from and length of what is there. False: the range lies behind the end. */
static bool resolve(struct storage_op *op)
{
	int64_t size = op->file.size, from = op->range.from, length = op->range.length;

	if (from < 0)
		from = -from >= size ? 0 : size + from;
	if (from > size || (from == size && size > 0 && length != 0))
		return false;
	op->from = from;
	op->length = length < 0 || length > size - from ? size - from : length;
	return true;
}

void storage_opened(struct storage_op *op)
{
	storage_answer(op);
}

static void open_found(struct storage_op *op)
{
	if (!resolve(op)) {
		storage_fail(op, STORAGE_RANGE, "the range lies behind the end");
	}
	if (op->error || op->length == 0)
		storage_answer(op);
	else if (op->legacy.fd >= 0)
		storage_local_open_legacy(op);
	else
		op->driver->open(op);
}

static void legacy_found(struct storage_op *op)
{
	struct legacy_file *l = &op->legacy;

	if (op->error) {
		storage_answer(op);
		return;
	}
	op->driver = &storage_local;
	op->file = (struct store_file){ .key = op->key, .driver = storage_local.name, .is_public = l->is_public, .size = (int64_t)l->size, .mime = l->mime,
					.session = l->session, .created_ms = l->created_ms };
	memcpy(op->file.sha256, l->sha256, sizeof l->sha256);
	if (l->name) {
		struct buf info = { 0 };

		put_info(&info, &(struct storage_meta){ .file_name = l->name });
		op->file.info = arena_strdup(&op->arena, buf_text(&info));
		buf_free(&info);
	}
	open_found(op);
}

static void look_for_legacy(void *arg)
{
	struct storage_op *op = arg;
	struct storage *storage = op->storage;
	const struct legacy_places places = { storage->public_root, storage->private_root, storage->metadata_root };
	int error = legacy_open(&op->legacy, &places, op->key, op->ring, &op->arena);

	if (error == STORAGE_NOT_FOUND)
		storage_fail(op, error, "there is no such file");
	else if (error)
		storage_fail(op, error, "the file of the original cannot be read: %s", storage_error_name(error));
}

static void read_row(struct store_reader *reader, void *arg)
{
	struct storage_op *op = arg;
	int error = store_file_find(reader, &op->arena, op->key, &op->file);

	if (error == STORE_NOT_FOUND)
		op->file.number = 0;
	else if (error)
		store_failed(op, error);
	else
		op->file.key = op->key;
}

static void delete_legacy(void *arg)
{
	struct storage_op *op = arg;
	struct storage *storage = op->storage;
	const struct legacy_places places = { storage->public_root, storage->private_root, storage->metadata_root };

	if (op->key[0] == '.' || legacy_remove(&places, op->key))
		storage_fail(op, STORAGE_NOT_FOUND, "there is no such file");
}

static void row_read(void *arg)
{
	struct storage_op *op = arg;

	if (op->error) {
		storage_answer(op);
	} else if (op->file.number == 0 && op->step == STORAGE_OPEN) {
		storage_offload(op, look_for_legacy, legacy_found);
	} else if (op->file.number == 0) {
		storage_offload(op, delete_legacy, storage_answer);
	} else if (op->step == STORAGE_DELETE) {
		storage_remove(op);
	} else {
		op->driver = storage_driver_of(op->storage, op->file.driver);
		if (!op->driver)
			storage_fail(op, STORAGE_REFUSED, "the storage that holds this file is not configured");
		if (op->error)
			storage_answer(op);
		else
			open_found(op);
	}
}

static void begin_read(struct storage_op *op)
{
	if (!naming_key_is_valid(op->key)) {
		storage_fail(op, STORAGE_NOT_FOUND, "there is no such file");
		storage_answer(op);
		return;
	}
	async_read(op->storage->loop, op->storage->store, read_row, row_read, op);
}

static void begin(void *arg)
{
	struct storage_op *op = arg;

	if (op->storage->stopping) {
		storage_op_free(op);
		return;
	}
	adopt(op);
	if (op->step == STORAGE_PUT)
		begin_put(op);
	else if (op->step == STORAGE_ROTATE)
		sweep_rotate(op);
	else if (op->step == STORAGE_CHECK)
		op->storage->driver->check(op);
	else
		begin_read(op);
}

void storage_open(struct storage *storage, struct loop *loop, const char *key, const struct storage_range *range, storage_open_done *done, void *arg)
{
	struct storage_op *op = storage_op_new(storage, STORAGE_OPEN, loop);

	op->answer.open = done;
	op->arg = arg;
	op->key = arena_strdup(&op->arena, key);
	op->range = range ? *range : (struct storage_range){ 0, -1 };
	storage_submit(op);
}

void storage_delete(struct storage *storage, struct loop *loop, const char *key, storage_done *done, void *arg)
{
	struct storage_op *op = storage_op_new(storage, STORAGE_DELETE, loop);

	op->answer.done = done;
	op->arg = arg;
	op->key = arena_strdup(&op->arena, key);
	storage_submit(op);
}

void storage_check(struct storage *storage, struct loop *loop, storage_done *done, void *arg)
{
	struct storage_op *op = storage_op_new(storage, STORAGE_CHECK, loop);

	op->answer.done = done;
	op->arg = arg;
	op->key = "health";
	storage_submit(op);
}

/* ---- addresses ---- */

void storage_url(struct storage *storage, const char *driver, const char *key, bool is_public, const char *download, int64_t ttl_sec, struct buf *url,
	int64_t *expires_ms)
{
	const struct storage_driver *of = driver ? storage_driver_of(storage, driver) : storage->driver;
	int64_t ignored;

	if (of)
		of->url(storage, key, is_public, download, ttl_sec, url, expires_ms ? expires_ms : &ignored);
}

/* ---- life ---- */

void storage_status(struct storage *storage, struct storage_status *status)
{
	*status = storage->status;
	status->driver = storage->driver->name;
	status->key_id = storage->ring->keys[0].id;
}

/* The folder's descriptor; made with all above it. */
static int open_folder(const char *path, bool make)
{
	char *part = xstrdup(path);
	int fd;

	for (char *at = part + 1; make && *at; at++) {
		if (*at != '/')
			continue;
		*at = '\0';
		mkdir(part, 0700);
		*at = '/';
	}
	if (make)
		mkdir(part, 0700);
	fd = open(part, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(part);
	return fd;
}

int storage_new(struct storage **out, const struct storage_options *options, char *why, size_t why_len)
{
	const struct config *config = options->config;
	struct storage *storage = xcalloc(1, sizeof *storage);

	storage->config = config;
	storage->loop = options->loop;
	storage->tasks.loop = options->loop;
	storage->timers = options->timers;
	storage->net = options->net;
	storage->store = options->store;
	storage->log = log_named(options->log, "storage");
	storage->driver = config->storage_driver == CONFIG_STORAGE_S3 ? &storage_s3 : &storage_local;
	storage->public_root = open_folder(config->storage_public_path, true);
	storage->private_root = open_folder(config->storage_path, true);
	storage->metadata_root = open_folder(config->storage_metadata_path, false);
	*out = storage;
	if (storage->public_root < 0 || storage->private_root < 0) {
		snprintf(why, why_len, "%s: %s", storage->public_root < 0 ? config->storage_public_path : config->storage_path, strerror(errno));
		return STORAGE_IO;
	}
	if (keyring_load(&storage->ring, config, why, why_len))
		return STORAGE_KEY;
	storage->sign_secret = keyring_sign_secret(config, why, why_len);
	if (!storage->sign_secret)
		return STORAGE_KEY;
	/* An S3 bucket that is set up stays readable after the driver was changed back. */
	if ((storage->driver == &storage_s3 || config->s3_bucket[0]) && storage_s3.start(storage, why, why_len))
		return STORAGE_INVALID;
	return storage_local.start(storage, why, why_len) ? STORAGE_IO : STORAGE_OK;
}

void storage_start(struct storage *storage)
{
	sweep_start(storage);
}

void storage_stop(struct storage *storage)
{
	if (!storage)
		return;
	storage->stopping = true;
	sweep_stop(storage);
	pump_stop_all(storage);
	storage_copy_stop_all(storage);
	if (storage->s3)
		storage_s3.halt(storage);
	loop_tasks_wait(&storage->tasks);
}

void storage_free(struct storage **storage_pointer)
{
	struct storage *storage = *storage_pointer;

	if (!storage)
		return;
	*storage_pointer = NULL;
	storage_local.stop(storage);
	if (storage->s3)
		storage_s3.stop(storage);
	while (storage->ops) {
		struct storage_op *op = storage->ops;

		storage_op_free(op);
		assert(storage->ops != op);
	}
	sweep_free(storage);
	while (storage->ring) {
		struct keyring *next = storage->ring->next;

		keyring_free(storage->ring);
		storage->ring = next;
	}
	if (storage->sign_secret)
		crypto_wipe(storage->sign_secret, strlen(storage->sign_secret));
	free(storage->sign_secret);
	close_fd(&storage->public_root);
	close_fd(&storage->private_root);
	close_fd(&storage->metadata_root);
	free(storage);
}
