/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Applying snapshots and patches to a collection, and making own patches. */
#include "sessiond/wa/appstate_apply.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "common/mem.h"
#include "sessiond/crypto/crypto.h"
#include "sessiond/wa/proto_walk.h"

#define ENTRY (2 * APPSTATE_MAC_BYTES)

enum { DATA_INDEX = 1, DATA_VALUE = 2, DATA_PADDING = 3, DATA_VERSION = 4 };
enum { PATCH_MUTATION = 2, PATCH_SNAPSHOT_MAC = 4, PATCH_MAC = 5, PATCH_KEY = 6 };
enum { MUTATION_OPERATION = 1, MUTATION_RECORD = 2 };
enum { RECORD_INDEX = 1, RECORD_VALUE = 2, RECORD_KEY = 3 };
enum { ONLY_FIELD = 1 };

/* ---- the table ---- */

void appstate_table_free(struct appstate_table *table)
{
	for (size_t i = 0; i < APPSTATE_BUCKETS; i++)
		buf_free(&table->bucket[i]);
}

static uint8_t *find_entry(const struct appstate_table *table, const uint8_t *index_mac)
{
	const struct buf *b = &table->bucket[index_mac[0]];

	for (size_t at = 0; at + ENTRY <= b->len; at += ENTRY)
		if (memcmp(b->data + at, index_mac, APPSTATE_MAC_BYTES) == 0)
			return b->data + at;
	return NULL;
}

const uint8_t *appstate_table_find(const struct appstate_table *table, const uint8_t index_mac[APPSTATE_MAC_BYTES])
{
	const uint8_t *entry = find_entry(table, index_mac);

	return entry == NULL ? NULL : entry + APPSTATE_MAC_BYTES;
}

size_t appstate_table_count(const struct appstate_table *table)
{
	size_t n = 0;

	for (size_t i = 0; i < APPSTATE_BUCKETS; i++)
		n += table->bucket[i].len / ENTRY;
	return n;
}

void appstate_table_set(struct appstate_table *table, const uint8_t *index_mac, const uint8_t *value_mac)
{
	uint8_t *entry = find_entry(table, index_mac);

	table->dirty[index_mac[0]] = true;
	if (entry != NULL) {
		memcpy(entry + APPSTATE_MAC_BYTES, value_mac, APPSTATE_MAC_BYTES);
		return;
	}
	buf_append(&table->bucket[index_mac[0]], index_mac, APPSTATE_MAC_BYTES);
	buf_append(&table->bucket[index_mac[0]], value_mac, APPSTATE_MAC_BYTES);
}

static void table_remove(struct appstate_table *table, const uint8_t *index_mac)
{
	struct buf *b = &table->bucket[index_mac[0]];
	uint8_t *entry = find_entry(table, index_mac);

	if (entry == NULL)
		return;
	memmove(entry, b->data + b->len - ENTRY, ENTRY);
	b->len -= ENTRY;
	table->dirty[index_mac[0]] = true;
}

/* ---- work ---- */

static void changes_drop(struct appstate_work *w, size_t from)
{
	while (w->nchanges > from)
		buf_wipe(&w->changes[--w->nchanges].plain);
}

void appstate_work_free(struct appstate_work *w)
{
	changes_drop(w, 0);
	free(w->changes);
	for (size_t i = 0; i < w->npatches; i++) {
		buf_free(&w->patches[i].bytes);
		buf_wipe(&w->patches[i].external);
	}
	free(w->patches);
	buf_wipe(&w->snapshot);
	appstate_table_free(&w->table);
	appstate_keyring_free(&w->ring);
	*w = (struct appstate_work){ 0 };
}

struct appstate_input_patch *appstate_work_add(struct appstate_work *w, struct span bytes)
{
	struct appstate_input_patch *p;

	w->patches = xrealloc(w->patches, (w->npatches + 1) * sizeof *w->patches);
	p = &w->patches[w->npatches++];
	*p = (struct appstate_input_patch){ 0 };
	buf_append_span(&p->bytes, bytes);
	return p;
}

static bool each_of(const struct appstate_input_patch *p, bool (*visit)(void *arg, const struct appstate_mutation *m), void *arg)
{
	if (p->has_external)
		return appstate_each(APPSTATE_OF_MUTATIONS, buf_span(&p->external), visit, arg);
	return appstate_each(APPSTATE_OF_PATCH, buf_span(&p->bytes), visit, arg);
}

static bool mark_bucket(void *arg, const struct appstate_mutation *m)
{
	bool *needed = arg;

	needed[m->index_mac.p[0]] = true;
	return true;
}

bool appstate_work_buckets(const struct appstate_work *w, bool needed[APPSTATE_BUCKETS])
{
	for (size_t i = 0; i < w->npatches; i++)
		if (!each_of(&w->patches[i], mark_bucket, needed))
			return false;
	return true;
}

static bool count(void *arg, const struct appstate_mutation *m)
{
	size_t *n = arg;

	(void)m;
	(*n)++;
	return true;
}

size_t appstate_work_size(const struct appstate_work *w)
{
	size_t n = 0;

	if (w->has_snapshot)
		appstate_each(APPSTATE_OF_SNAPSHOT, buf_span(&w->snapshot), count, &n);
	for (size_t i = 0; i < w->npatches; i++)
		each_of(&w->patches[i], count, &n);
	return n;
}

static bool broken(struct appstate_work *w, const char *why)
{
	w->outcome = APPSTATE_BROKEN;
	w->why = why;
	return false;
}

static bool expand(struct appstate_work *w, struct span id, struct appstate_keys *keys)
{
	const struct appstate_key *key = appstate_keyring_find(&w->ring, id);

	if (key != NULL)
		return appstate_keys_expand(span_of(key->data, sizeof key->data), keys);
	if (id.n == 0 || id.n > APPSTATE_KEY_ID_MAX)
		return broken(w, "an entry names no key");
	w->outcome = APPSTATE_NO_KEY;
	memcpy(w->missing, id.p, id.n);
	w->missing_len = id.n;
	return false;
}

/* ---- one patch or snapshot ---- */

struct one {
	struct appstate_work *w;
	struct span last_id;         /* whose keys are in `keys` */
	struct appstate_keys keys;
	struct buf value_macs;       /* owned: in order */
	struct appstate_mutation *list; /* owned; borrowed bytes */
	size_t n, cap;
};

static void one_free(struct one *o)
{
	OPENSSL_cleanse(&o->keys, sizeof o->keys);
	buf_free(&o->value_macs);
	free(o->list);
}

static bool gather(void *arg, const struct appstate_mutation *m)
{
	struct one *o = arg;

	if (o->n == o->cap) {
		o->cap = o->cap == 0 ? 16 : o->cap * 2;
		o->list = xrealloc(o->list, o->cap * sizeof *o->list);
	}
	o->list[o->n++] = *m;
	buf_append(&o->value_macs, appstate_value_mac(m->value), APPSTATE_MAC_BYTES);
	return true;
}

struct appstate_change *appstate_add_change(struct appstate_work *w)
{
	if (w->nchanges == w->cap_changes) {
		w->cap_changes = w->cap_changes == 0 ? 16 : w->cap_changes * 2;
		w->changes = xrealloc(w->changes, w->cap_changes * sizeof *w->changes);
	}
	w->changes[w->nchanges] = (struct appstate_change){ 0 };
	return &w->changes[w->nchanges++];
}

static bool decode(struct one *o, const struct appstate_mutation *m)
{
	struct appstate_change *change;

	if (o->last_id.p == NULL || !span_equal(o->last_id, m->key_id)) {
		if (!expand(o->w, m->key_id, &o->keys))
			return false;
		o->last_id = m->key_id;
	}
	change = appstate_add_change(o->w);
	change->operation = m->operation;
	switch (appstate_open(&o->keys, m, &change->plain, &change->index)) {
	case APPSTATE_BAD_VALUE_MAC:
		return broken(o->w, "a value's MAC is wrong");
	case APPSTATE_BAD_INDEX_MAC:
		return broken(o->w, "an index's MAC is wrong");
	case APPSTATE_BAD_VALUE:
		return broken(o->w, "a value cannot be decoded");
	case APPSTATE_OPENED:
		break;
	}
	proto_find(buf_span(&change->plain), DATA_VALUE, &change->value);
	return true;
}

static bool decode_all(struct one *o)
{
	for (size_t i = 0; i < o->n; i++)
		if (!decode(o, &o->list[i]))
			return false;
	return true;
}

static int compare_index(const void *a, const void *b)
{
	const struct appstate_mutation *const *x = a;
	const struct appstate_mutation *const *y = b;
	int order = memcmp((*x)->index_mac.p, (*y)->index_mac.p, APPSTATE_MAC_BYTES);

	return order != 0 ? order : (int)(*x)->operation - (int)(*y)->operation;
}

/* The same operation twice on one index is tampering. */
static bool has_repeats(const struct one *o)
{
	const struct appstate_mutation **sorted = xcalloc(o->n + 1, sizeof *sorted);
	bool repeated = false;

	for (size_t i = 0; i < o->n; i++)
		sorted[i] = &o->list[i];
	qsort(sorted, o->n, sizeof *sorted, compare_index);
	for (size_t i = 1; i < o->n; i++)
		repeated = repeated || compare_index(&sorted[i - 1], &sorted[i]) == 0;
	free(sorted);
	return repeated;
}

/*
 * Hash and table after these mutations: whatever was there under a touched index is subtracted once, what is set is added. REMOVEs go
 * first, so that a SET of the same patch stands.
 */
static void mutate(uint8_t hash[APPSTATE_HASH_BYTES], struct appstate_table *table, const struct appstate_mutation *list, size_t n)
{
	for (int pass = APPSTATE_REMOVE; pass >= APPSTATE_SET; pass--) {
		for (size_t i = 0; i < n; i++) {
			const uint8_t *index_mac = list[i].index_mac.p;
			const uint8_t *old;

			if ((int)list[i].operation != pass)
				continue;
			old = appstate_table_find(table, index_mac);
			if (old != NULL)
				appstate_hash_subtract(hash, old);
			if (pass == APPSTATE_REMOVE) {
				table_remove(table, index_mac);
				continue;
			}
			appstate_hash_add(hash, appstate_value_mac(list[i].value));
			appstate_table_set(table, index_mac, appstate_value_mac(list[i].value));
		}
	}
}

static bool mac_is(struct span given, const uint8_t mac[APPSTATE_MAC_BYTES])
{
	return given.n == APPSTATE_MAC_BYTES && crypto_equal(given.p, mac, APPSTATE_MAC_BYTES);
}

static bool check_and_apply(struct one *o, const struct appstate_patch *patch, uint64_t version)
{
	struct appstate_work *w = o->w;
	struct appstate_keys keys;
	uint8_t mac[APPSTATE_MAC_BYTES];
	bool good;

	if (!expand(w, patch->key_id, &keys))
		return false;
	appstate_patch_mac(&keys, patch->snapshot_mac, buf_span(&o->value_macs), version, w->name, mac);
	good = mac_is(patch->mac, mac) || broken(w, "the patch's MAC is wrong");
	good = good && (!has_repeats(o) || broken(w, "a patch changes one index twice"));
	good = good && decode_all(o);
	if (good) {
		mutate(w->state.hash, &w->table, o->list, o->n);
		w->state.version = version;
		appstate_snapshot_mac(&keys, w->state.hash, version, w->name, mac);
		if (!mac_is(patch->snapshot_mac, mac))
			w->state.diverged = true;
		w->applied++;
	}
	OPENSSL_cleanse(&keys, sizeof keys);
	return good;
}

static bool apply_patch(struct appstate_work *w, const struct appstate_input_patch *input, uint64_t fallback)
{
	struct one o = { .w = w };
	struct appstate_patch patch;
	uint64_t version;
	bool good;

	if (!appstate_read_patch(buf_span(&input->bytes), &patch))
		return broken(w, "a patch cannot be read");
	version = patch.version != 0 ? patch.version : fallback;
	/* Our own, or one that another answer has brought already. */
	if (version <= w->state.version)
		return true;
	if (version != w->state.version + 1) {
		w->outcome = APPSTATE_GAP;
		return false;
	}
	good = each_of(input, gather, &o) || broken(w, "a patch cannot be read");
	good = good && check_and_apply(&o, &patch, version);
	one_free(&o);
	return good;
}

static void table_clear(struct appstate_table *table)
{
	for (size_t i = 0; i < APPSTATE_BUCKETS; i++) {
		buf_clear(&table->bucket[i]);
		table->loaded[i] = table->dirty[i] = true;
	}
}

static bool apply_snapshot(struct appstate_work *w)
{
	struct one o = { .w = w };
	struct appstate_snapshot snapshot;
	struct appstate_keys keys;
	uint8_t mac[APPSTATE_MAC_BYTES];
	bool good;

	if (!appstate_read_snapshot(buf_span(&w->snapshot), &snapshot))
		return broken(w, "the snapshot cannot be read");
	if (!expand(w, snapshot.key_id, &keys))
		return false;
	good = appstate_each(APPSTATE_OF_SNAPSHOT, buf_span(&w->snapshot), gather, &o) || broken(w, "the snapshot cannot be read");
	good = good && (!has_repeats(&o) || broken(w, "the snapshot has one index twice"));
	if (good) {
		w->state = (struct appstate_state){ .version = snapshot.version };
		table_clear(&w->table);
		mutate(w->state.hash, &w->table, o.list, o.n);
		appstate_snapshot_mac(&keys, w->state.hash, snapshot.version, w->name, mac);
		good = mac_is(snapshot.mac, mac) || broken(w, "the snapshot's MAC is wrong");
	}
	good = good && decode_all(&o);
	w->applied += good;
	OPENSSL_cleanse(&keys, sizeof keys);
	one_free(&o);
	return good;
}

void appstate_apply(struct appstate_work *w)
{
	uint64_t unnamed = w->attribute_version + 1;
	bool good = true;

	w->outcome = APPSTATE_APPLIED;
	if (w->has_snapshot)
		good = apply_snapshot(w);
	for (size_t i = 0; good && i < w->npatches; i++)
		good = apply_patch(w, &w->patches[i], w->npatches == 1 ? unnamed : w->state.version + 1);
}

/* ---- own patches ---- */

static bool own_keys(const struct appstate_work *w, struct appstate_keys *keys, struct span *id)
{
	const struct appstate_key *key = appstate_keyring_newest(&w->ring);

	if (key == NULL)
		return false;
	*id = span_of(key->id, key->id_len);
	return appstate_keys_expand(span_of(key->data, sizeof key->data), keys);
}

bool appstate_draft_mac(const struct appstate_work *w, const struct appstate_draft *draft, uint8_t out[APPSTATE_MAC_BYTES])
{
	struct appstate_keys keys;
	struct span id;

	if (!own_keys(w, &keys, &id))
		return false;
	appstate_index_mac(&keys, draft->index, out);
	OPENSSL_cleanse(&keys, sizeof keys);
	return true;
}

static void put_in(struct buf *out, uint32_t number, struct span bytes)
{
	struct buf inner = { 0 };

	proto_put_bytes(&inner, ONLY_FIELD, bytes);
	proto_put_bytes(out, number, buf_span(&inner));
	buf_free(&inner);
}

static void put_number(struct buf *out, uint32_t number, uint64_t value)
{
	proto_put_varint(out, (uint64_t)number << 3 | PROTO_VARINT);
	proto_put_varint(out, value);
}

static void seal_draft(const struct appstate_keys *keys, struct span key_id, const struct appstate_draft *draft, struct buf *value)
{
	struct buf plain = { 0 };

	proto_put_bytes(&plain, DATA_INDEX, draft->index);
	proto_put_bytes(&plain, DATA_VALUE, draft->value);
	proto_put_bytes(&plain, DATA_PADDING, span_of("", 0));
	put_number(&plain, DATA_VERSION, (uint64_t)draft->version);
	appstate_seal(keys, key_id, draft->operation, buf_span(&plain), draft->iv, value);
	buf_wipe(&plain);
}

static void put_mutation(struct buf *patch, const struct appstate_mutation *m)
{
	struct buf record = { 0 };
	struct buf mutation = { 0 };

	put_in(&record, RECORD_INDEX, m->index_mac);
	put_in(&record, RECORD_VALUE, m->value);
	put_in(&record, RECORD_KEY, m->key_id);
	put_number(&mutation, MUTATION_OPERATION, m->operation);
	proto_put_bytes(&mutation, MUTATION_RECORD, buf_span(&record));
	proto_put_bytes(patch, PATCH_MUTATION, buf_span(&mutation));
	buf_free(&record);
	buf_free(&mutation);
}

static void copy_buckets(const struct appstate_table *from, struct appstate_table *to, const struct appstate_mutation *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint8_t at = list[i].index_mac.p[0];

		if (!to->loaded[at])
			buf_append_span(&to->bucket[at], buf_span(&from->bucket[at]));
		to->loaded[at] = true;
	}
}

static void put_macs(struct buf *patch, const struct appstate_work *w, const struct appstate_keys *keys, struct span key_id,
		     const struct appstate_mutation *list, size_t n)
{
	struct appstate_table *table = xcalloc(1, sizeof *table);
	uint8_t hash[APPSTATE_HASH_BYTES];
	uint8_t snapshot_mac[APPSTATE_MAC_BYTES];
	uint8_t mac[APPSTATE_MAC_BYTES];
	struct buf value_macs = { 0 };

	memcpy(hash, w->state.hash, sizeof hash);
	copy_buckets(&w->table, table, list, n);
	mutate(hash, table, list, n);
	for (size_t i = 0; i < n; i++)
		buf_append(&value_macs, appstate_value_mac(list[i].value), APPSTATE_MAC_BYTES);
	appstate_snapshot_mac(keys, hash, w->state.version + 1, w->name, snapshot_mac);
	appstate_patch_mac(keys, span_of(snapshot_mac, sizeof snapshot_mac), buf_span(&value_macs), w->state.version + 1, w->name, mac);
	proto_put_bytes(patch, PATCH_SNAPSHOT_MAC, span_of(snapshot_mac, sizeof snapshot_mac));
	proto_put_bytes(patch, PATCH_MAC, span_of(mac, sizeof mac));
	put_in(patch, PATCH_KEY, key_id);
	buf_free(&value_macs);
	appstate_table_free(table);
	free(table);
}

bool appstate_compose(const struct appstate_work *w, const struct appstate_draft *drafts, size_t n, struct buf *patch)
{
	struct appstate_mutation *list;
	uint8_t (*macs)[APPSTATE_MAC_BYTES];
	struct buf *values;
	struct appstate_keys keys;
	struct span key_id;

	if (!own_keys(w, &keys, &key_id))
		return false;
	list = xcalloc(n + 1, sizeof *list);
	macs = xcalloc(n + 1, sizeof *macs);
	values = xcalloc(n + 1, sizeof *values);
	for (size_t i = 0; i < n; i++) {
		appstate_index_mac(&keys, drafts[i].index, macs[i]);
		seal_draft(&keys, key_id, &drafts[i], &values[i]);
		list[i] = (struct appstate_mutation){ .operation = drafts[i].operation, .index_mac = span_of(macs[i], APPSTATE_MAC_BYTES),
						      .value = buf_span(&values[i]), .key_id = key_id };
		put_mutation(patch, &list[i]);
	}
	put_macs(patch, w, &keys, key_id, list, n);
	for (size_t i = 0; i < n; i++)
		buf_free(&values[i]);
	free(values);
	free(macs);
	free(list);
	OPENSSL_cleanse(&keys, sizeof keys);
	return true;
}
