/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Tidying up in the background, a few files at a time, one after another:
 *
 *     UNSETTLED  what a crash left half made or half deleted      AGE   older than WAREST_STORAGE_RETENTION_DAYS
 *     EXPIRED    past its own end                                 SIZE  the oldest, while there are more than WAREST_STORAGE_MAX_MB
 *     KEYS       encrypted under another key than the present one
 *
 * A file that is being read goes on being read: its descriptor outlives its name.
 */
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/timefmt.h"
#include "sessiond/async.h"
#include "sessiond/loop.h"
#include "sessiond/storage/driver.h"

enum { SLICE = 32, ROUND_MS = 60000, SOON_MS = 1000 };

#define DAY_MS ((int64_t)24 * 60 * 60 * 1000)

enum stage { IDLE, UNSETTLED, EXPIRED, AGE, SIZE, KEYS, TOTALS };

struct sweep {
	struct storage *storage;  /* borrowed */
	struct timer timer;
	enum stage stage;
	bool again;               /* asked for while it ran */
	int64_t last_before;      /* highest number before this start: nobody is writing these any more */
	int64_t after;            /* cursor of UNSETTLED and KEYS */
	struct arena arena;
	struct store_file_query query;
	struct store_file *rows;  /* in the arena */
	size_t count, at;
	struct store_file_totals totals;
	int error;
};

static void next_slice(struct sweep *sweep);
static void next_row(struct sweep *sweep);

static void on_timer(void *arg)
{
	struct sweep *sweep = arg;

	storage_sweep(sweep->storage);
}

static void wake_in(struct sweep *sweep, int64_t ms)
{
	int64_t at = timefmt_monotonic_ms() + ms;

	if (!timer_runs(&sweep->timer) || sweep->timer.at_ms > at)
		timer_start(sweep->storage->timers, &sweep->timer, at, on_timer, sweep);
}

void sweep_soon(struct storage *storage)
{
	if (storage->sweep->stage != IDLE)
		storage->sweep->again = true;
	else
		wake_in(storage->sweep, SOON_MS);
}

void sweep_later(struct storage *storage)
{
	wake_in(storage->sweep, ROUND_MS);
}

/* ---- the end of a round ---- */

static void take_totals(struct sweep *sweep)
{
	struct storage_status *status = &sweep->storage->status;

	status->files = sweep->totals.files;
	status->bytes = sweep->totals.bytes;
	status->other_key = sweep->totals.other_key;
	status->rotating = sweep->totals.other_key > 0;
}

static void finish(struct sweep *sweep)
{
	struct storage *storage = sweep->storage;
	const struct config *config = storage->config;

	sweep->stage = IDLE;
	storage->status.sweeping = false;
	storage->status.sweep_ms = timefmt_now_ms();
	if (sweep->again)
		wake_in(sweep, SOON_MS);
	else if (sweep->error || sweep->totals.expiring || config->storage_retention_days || config->storage_max_mb)
		wake_in(sweep, ROUND_MS);
	sweep->again = false;
}

static void read_totals(struct store_reader *reader, void *arg)
{
	struct sweep *sweep = arg;
	int error = store_file_totals(reader, sweep->query.key_id, &sweep->totals);

	sweep->error = sweep->error ? sweep->error : error;
}

static void totals_read(void *arg)
{
	struct sweep *sweep = arg;

	take_totals(sweep);
	finish(sweep);
}

static void next_stage(struct sweep *sweep)
{
	struct storage *storage = sweep->storage;

	sweep->after = 0;
	sweep->stage++;
	if (sweep->error)
		sweep->stage = TOTALS;
	if (sweep->stage == AGE && !storage->config->storage_retention_days)
		sweep->stage++;
	if (sweep->stage == SIZE && !storage->config->storage_max_mb)
		sweep->stage++;
	if (sweep->stage == KEYS && !storage->status.rotating)
		sweep->stage++;
	if (sweep->stage == TOTALS) {
		sweep->query.key_id = storage->ring->keys[0].id;
		async_read(storage->loop, storage->store, read_totals, totals_read, sweep);
	} else {
		next_slice(sweep);
	}
}

/* ---- one file ---- */

static void row_done(struct storage_op *op)
{
	struct sweep *sweep = op->done_arg;

	/* What the disk refuses now it may allow in a minute; a database that stores nothing would hand out the same rows for ever. */
	if (op->error)
		sweep->error = op->error;
	else
		sweep->storage->status.swept++;
	storage_op_free(op);
	next_row(sweep);
}

static struct storage_op *op_of_row(struct sweep *sweep, const struct store_file *row)
{
	struct storage *storage = sweep->storage;
	struct storage_op *op = storage_op_new(storage, STORAGE_TIDY, storage->loop);

	op->file = *row;
	op->file.key = arena_strdup(&op->arena, row->key);
	op->file.driver = arena_strdup(&op->arena, row->driver);
	op->file.object = arena_strdup(&op->arena, row->object);
	op->file.upload = row->upload ? arena_strdup(&op->arena, row->upload) : NULL;
	op->file.mime = op->file.session = op->file.info = NULL;
	op->done_arg = sweep;
	return op;
}

static void key_stored(void *arg, int error)
{
	struct storage_op *op = arg;

	if (error)
		op->error = STORAGE_IO;
	row_done(op);
}

static void rewrapped(struct storage_op *op)
{
	struct storage *storage = op->storage;
	struct store_tx *tx;

	if (op->error) {
		log_warn(&storage->log, "a file keeps its old key", LOG_STR("key", op->file.key), LOG_STR("reason", op->text));
		/* One damaged file must not end the rotation of all others. */
		op->error = 0;
		row_done(op);
		return;
	}
	tx = store_tx_new(storage->store);
	store_tx_file_key_id(tx, op->file.number, op->file.key_id);
	async_commit(storage->loop, storage->store, tx, key_stored, op);
}

static bool wanted(const struct sweep *sweep, const struct store_file *row)
{
	const struct storage *storage = sweep->storage;

	switch (sweep->stage) {
	case UNSETTLED:
		return row->state == STORE_FILE_GOING || row->number <= sweep->last_before;
	case SIZE:
		return storage->status.bytes > storage->config->storage_max_mb << 20;
	default:
		return true;
	}
}

static void next_row(struct sweep *sweep)
{
	const struct store_file *row;
	struct storage_op *op;

	if (sweep->storage->stopping)
		return;
	while (sweep->at < sweep->count && !wanted(sweep, &sweep->rows[sweep->at]))
		sweep->at++;
	if (sweep->at == sweep->count) {
		bool more = sweep->count == SLICE && !sweep->error && (sweep->stage != SIZE || wanted(sweep, NULL));

		if (more)
			next_slice(sweep);
		else
			next_stage(sweep);
		return;
	}
	row = &sweep->rows[sweep->at++];
	sweep->after = row->number;
	op = op_of_row(sweep, row);
	if (sweep->stage == KEYS) {
		op->done = rewrapped;
		storage_rewrap(op);
	} else {
		op->done = row_done;
		storage_remove(op);
	}
}

/* ---- slices ---- */

static void read_slice(struct store_reader *reader, void *arg)
{
	struct sweep *sweep = arg;

	sweep->error = store_file_list(reader, &sweep->arena, &sweep->query, &sweep->rows, &sweep->count);
	if (sweep->error)
		sweep->count = 0;
}

static void slice_read(void *arg)
{
	struct sweep *sweep = arg;

	sweep->at = 0;
	next_row(sweep);
}

static void next_slice(struct sweep *sweep)
{
	static const enum store_file_what what[] = { [UNSETTLED] = STORE_FILES_UNSETTLED, [EXPIRED] = STORE_FILES_EXPIRED, [AGE] = STORE_FILES_OLDEST,
						     [SIZE] = STORE_FILES_OLDEST, [KEYS] = STORE_FILES_OTHER_KEY };
	struct storage *storage = sweep->storage;
	int64_t now_ms = timefmt_now_ms();

	arena_reset(&sweep->arena);
	sweep->query = (struct store_file_query){
		.what = what[sweep->stage],
		.after = sweep->after,
		.before_ms = sweep->stage == EXPIRED ? now_ms : sweep->stage == AGE ? now_ms - storage->config->storage_retention_days * DAY_MS : INT64_MAX,
		.key_id = storage->ring->keys[0].id,
		.limit = SLICE,
	};
	async_read(storage->loop, storage->store, read_slice, slice_read, sweep);
}

void storage_sweep(struct storage *storage)
{
	struct sweep *sweep = storage->sweep;

	if (storage->stopping)
		return;
	timer_stop(storage->timers, &sweep->timer);
	if (sweep->stage != IDLE) {
		sweep->again = true;
		return;
	}
	storage->status.sweeping = true;
	sweep->error = 0;
	next_stage(sweep);
}

/* ---- a new key ---- */

struct rotation {
	struct keyring *ring; /* owned until it is in force */
	char why[200];
};

static void make_key(void *arg)
{
	struct storage_op *op = arg;
	struct rotation *r = op->work;
	const struct config *config = op->storage->config;

	if ((op->ring->from_file && keyring_add_to_file(config, r->why, sizeof r->why)) || keyring_load(&r->ring, config, r->why, sizeof r->why))
		storage_fail(op, STORAGE_IO, "%s", r->why);
}

static void key_made(struct storage_op *op)
{
	struct storage *storage = op->storage;
	struct rotation *r = op->work;

	op->work = NULL;
	if (!op->error) {
		r->ring->next = storage->ring;
		storage->ring = r->ring;
		storage->status.rotating = true;
		log_info(&storage->log, "new storage key", LOG_INT("id", r->ring->keys[0].id));
		storage_sweep(storage);
	}
	free(r);
	storage_answer(op);
}

void sweep_rotate(struct storage_op *op)
{
	op->work = xcalloc(1, sizeof(struct rotation));
	storage_offload(op, make_key, key_made);
}

/* ---- life ---- */

void sweep_start(struct storage *storage)
{
	struct sweep *sweep = xcalloc(1, sizeof *sweep);

	storage->sweep = sweep;
	sweep->storage = storage;
	arena_init(&sweep->arena, 0);
	sweep->query.key_id = storage->ring->keys[0].id;
	store_read_wait(storage->store, read_totals, sweep);
	sweep->last_before = sweep->totals.last;
	take_totals(sweep);
	wake_in(sweep, 0);
}

void sweep_stop(struct storage *storage)
{
	if (storage->sweep)
		timer_stop(storage->timers, &storage->sweep->timer);
}

void sweep_free(struct storage *storage)
{
	if (!storage->sweep)
		return;
	arena_free(&storage->sweep->arena);
	free(storage->sweep);
	storage->sweep = NULL;
}

void storage_rotate(struct storage *storage, struct loop *loop, storage_done *done, void *arg)
{
	struct storage_op *op = storage_op_new(storage, STORAGE_ROTATE, loop);

	op->answer.done = done;
	op->arg = arg;
	storage_submit(op);
}
