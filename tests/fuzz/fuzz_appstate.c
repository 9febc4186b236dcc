/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, a hostile patch, snapshot or entry of app state crashes the daemon, or changes state although its MACs are wrong. */
#include <stdlib.h>
#include <string.h>

#include "sessiond/wa/appstate_action.h"
#include "sessiond/wa/appstate_apply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void start(struct appstate_work *w)
{
	static const uint8_t key[APPSTATE_KEY_BYTES] = { 1, 2, 3 };

	*w = (struct appstate_work){ .name = "regular_low" };
	appstate_keyring_add(&w->ring, span_text("key"), span_of(key, sizeof key), 1);
}

static void apply(struct appstate_work *w)
{
	bool needed[APPSTATE_BUCKETS] = { false };

	appstate_work_buckets(w, needed);
	appstate_work_size(w);
	appstate_apply(w);
}

static void on_patch(struct span bytes)
{
	struct appstate_work w;
	struct appstate_patch patch;
	struct appstate_blob blob;

	start(&w);
	appstate_work_add(&w, bytes);
	apply(&w);
	/* Nobody without the key makes a patch that counts. */
	if (w.state.version != 0 || appstate_table_count(&w.table) != 0)
		abort();
	if (appstate_read_patch(bytes, &patch))
		appstate_read_blob(patch.external, &blob);
	appstate_work_free(&w);
}

static void on_mutations(struct span bytes)
{
	struct appstate_input_patch *patch;
	struct appstate_work w;

	start(&w);
	patch = appstate_work_add(&w, span_of("", 0));
	patch->has_external = true;
	buf_append_span(&patch->external, bytes);
	apply(&w);
	appstate_work_free(&w);
}

static void on_snapshot(struct span bytes)
{
	struct appstate_work w;

	start(&w);
	w.has_snapshot = true;
	buf_append_span(&w.snapshot, bytes);
	apply(&w);
	if (w.applied > 0)
		abort();
	appstate_work_free(&w);
}

static void on_keyring(struct span bytes)
{
	struct appstate_keyring ring, again;
	struct buf out = { 0 };

	appstate_keyring_read(&ring, bytes);
	appstate_keyring_write(&ring, &out);
	appstate_keyring_read(&again, buf_span(&out));
	if (again.n != ring.n)
		abort();
	appstate_keyring_free(&ring);
	appstate_keyring_free(&again);
	buf_wipe(&out);
}

/* What is read can be written, and reads the same. */
static void on_action(struct span index, struct span value)
{
	struct wa_action *action = appstate_action_read(index, value, false);
	struct buf index_again = { 0 }, value_again = { 0 };
	enum appstate_collection collection;
	struct wa_action *again;
	int32_t version;

	appstate_action_salt(value);
	if (action != NULL && appstate_action_write(action, action->time_ms, &index_again, &value_again, &version, &collection)) {
		again = appstate_action_read(buf_span(&index_again), buf_span(&value_again), false);
		if (again == NULL || strcmp(again->name, action->name) != 0 || again->on != action->on || again->until_ms != action->until_ms)
			abort();
		wa_action_free(again);
	}
	buf_free(&index_again);
	buf_free(&value_again);
	wa_action_free(action);
}

/* Whatever an entry holds: our own patch is accepted and agrees with itself. */
static void on_draft(struct span index, struct span value)
{
	struct appstate_draft draft = { .index = index, .value = value, .version = 1 };
	struct buf patch = { 0 };
	struct appstate_work w;

	start(&w);
	if (!appstate_compose(&w, &draft, 1, &patch))
		abort();
	appstate_work_add(&w, buf_span(&patch));
	apply(&w);
	if (w.outcome != APPSTATE_APPLIED || w.state.diverged || w.nchanges != 1 || !span_equal(w.changes[0].index, index))
		abort();
	buf_free(&patch);
	appstate_work_free(&w);
}

/* The phone's copy has no MAC over it: what is taken agrees with itself. */
static void on_copy(struct span bytes)
{
	struct appstate_work w;

	start(&w);
	appstate_apply_copy(&w, bytes);
	if (w.outcome == APPSTATE_APPLIED && appstate_table_count(&w.table) != w.nchanges)
		abort();
	appstate_work_free(&w);
}

/* first byte: what it is (255: a copy); the others: the bytes, or index NUL value */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span bytes;
	const uint8_t *end;

	if (size == 0)
		return 0;
	bytes = span_of(data + 1, size - 1);
	if (data[0] == 255) {
		on_copy(bytes);
		return 0;
	}
	switch (data[0] % 5) {
	case 0:
		on_patch(bytes);
		return 0;
	case 1:
		on_snapshot(bytes);
		return 0;
	case 2:
		on_mutations(bytes);
		return 0;
	case 3:
		on_keyring(bytes);
		return 0;
	default:
		break;
	}
	end = bytes.n > 0 ? memchr(bytes.p, 0, bytes.n) : NULL;
	if (end != NULL) {
		on_action(span_of(bytes.p, (size_t)(end - bytes.p)), span_of(end + 1, bytes.n - (size_t)(end + 1 - bytes.p)));
		on_draft(span_of(bytes.p, (size_t)(end - bytes.p)), span_of(end + 1, bytes.n - (size_t)(end + 1 - bytes.p)));
	}
	return 0;
}
