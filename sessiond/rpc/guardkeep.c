/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See guardkeep.h. */
#include "sessiond/rpc/guardkeep.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/async.h"
#include "sessiond/crypto/crypto.h"
#include "sessiond/rpc/guards.h"
#include "sessiond/rpc/lockout.h"
#include "sessiond/rpc/request.h"

#define PREFIX "guard."

enum { KEEP_MS = 4000, KEY_MAX = 320, NAME_MAX_BYTES = sizeof PREFIX + 2 + 2 * KEY_MAX };

/* ---- keeping ---- */

struct writing {
	struct store *store;
	struct store_tx *tx; /* NULL: nothing has changed yet */
};

static void write_one(void *arg, char kind, const void *key, size_t key_len, const int64_t values[GUARD_VALUES])
{
	struct writing *w = arg;
	char name[NAME_MAX_BYTES], value[96];
	const unsigned char *bytes = key;
	int n = snprintf(name, sizeof name, PREFIX "%c.", kind);

	if (key_len > KEY_MAX)
		return;
	for (size_t i = 0; i < key_len; i++)
		n += snprintf(name + n, sizeof name - (size_t)n, "%02x", bytes[i]);
	if (!w->tx)
		w->tx = store_tx_new(w->store);
	if (values)
		snprintf(value, sizeof value, "%" PRId64 " %" PRId64 " %" PRId64 " %" PRId64, values[0], values[1], values[2], values[3]);
	store_tx_setting_put(w->tx, name, values ? value : NULL);
}

static void keep(struct rpc_context *context)
{
	struct writing w = { .store = context->daemon->store };
	int64_t mono_ms = timefmt_monotonic_ms(), wall_ms = timefmt_now_ms();

	guards_save(context->guards, mono_ms, wall_ms, write_one, &w);
	lockout_save(context->lockout, mono_ms, wall_ms, write_one, &w);
	if (w.tx)
		store_commit(context->daemon->store, w.tx, NULL, NULL);
}

static void keep_again(void *arg)
{
	struct rpc_context *context = arg;

	keep(context);
	timer_start(context->daemon->timers, &context->keep, timefmt_monotonic_ms() + KEEP_MS, keep_again, context);
}

void guardkeep_stop(struct rpc_context *context)
{
	/* What was kept is not read yet: it stays as it is. */
	if (!timer_runs(&context->keep))
		return;
	timer_stop(context->daemon->timers, &context->keep);
	keep(context);
}

/* ---- reading ---- */

struct reading {
	struct rpc_context *context;
	struct arena arena;
	struct store_setting *rows;
	size_t n;
	int error;
};

static void read_rows(struct store_reader *reader, void *arg)
{
	struct reading *r = arg;

	r->error = store_setting_list(reader, &r->arena, PREFIX, &r->rows, &r->n);
}

/* "guard.q.<hex>": the kind and the key; 0: it is not of that form. */
static char name_read(const char *name, unsigned char key[KEY_MAX], size_t *key_len)
{
	const char *hex = name + sizeof PREFIX + 1;
	size_t n;

	if (strlen(name) < sizeof PREFIX + 1 || name[sizeof PREFIX] != '.')
		return '\0';
	n = strlen(hex);
	if (n % 2 || n / 2 > KEY_MAX || crypto_unhex(hex, n, key, n / 2))
		return '\0';
	*key_len = n / 2;
	return name[sizeof PREFIX - 1];
}

static bool values_read(const char *text, int64_t values[GUARD_VALUES])
{
	char *end = NULL;

	for (size_t i = 0; i < GUARD_VALUES; i++) {
		long long value = strtoll(text, &end, 10);

		/* Room for sums of times. */
		if (end == text || value < -(INT64_MAX / 4) || value > INT64_MAX / 4)
			return false;
		values[i] = value;
		text = end;
	}
	return *end == '\0';
}

static bool take(struct rpc_context *context, const struct store_setting *row)
{
	int64_t mono_ms = timefmt_monotonic_ms(), wall_ms = timefmt_now_ms(), values[GUARD_VALUES];
	unsigned char key[KEY_MAX];
	size_t key_len = 0;
	char kind = name_read(row->name, key, &key_len);

	if (!kind || !row->value || !values_read(row->value, values))
		return false;
	if (kind == 'l')
		return lockout_restore(context->lockout, kind, key, key_len, values, mono_ms, wall_ms);
	return guards_restore(context->guards, kind, key, key_len, values, mono_ms, wall_ms);
}

static void rows_read(void *arg)
{
	struct reading *r = arg;
	struct rpc_context *context = r->context;
	struct store_tx *tx = r->n ? store_tx_new(context->daemon->store) : NULL;

	if (r->error)
		log_error(&context->log, "what the guards counted cannot be read", LOG_STR("reason", store_error_name(r->error)));
	/* What is over goes. */
	for (size_t i = 0; i < r->n; i++)
		if (!take(context, &r->rows[i]))
			store_tx_setting_put(tx, r->rows[i].name, NULL);
	if (tx)
		store_commit(context->daemon->store, tx, NULL, NULL);
	arena_free(&r->arena);
	free(r);
	if (!context->draining)
		timer_start(context->daemon->timers, &context->keep, timefmt_monotonic_ms() + KEEP_MS, keep_again, context);
}

void guardkeep_start(struct rpc_context *context)
{
	struct reading *r = xcalloc(1, sizeof *r);

	r->context = context;
	arena_init(&r->arena, 0);
	async_read(context->daemon->loop, context->daemon->store, read_rows, rows_read, r);
}
