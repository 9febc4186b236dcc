/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The record cache with its overlay of uncommitted changes, and the operations that read and change records. */
#include "sessiond/wa/state.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "common/mem.h"

#define TABLE_START 16U
#define RECORD_KINDS 32U
#define FNV_OFFSET 2166136261U
#define FNV_PRIME 16777619U

struct state_entry {
	struct state_entry *next;          /* in its bucket */
	struct state_entry *newer, *older; /* in the list of unpinned entries */
	uint32_t hash;
	uint32_t pins;
	enum wa_record_kind kind;
	bool loaded;  /* the value below is known */
	bool present; /* there is such a record */
	bool dropped; /* no longer in the table; freed with its last pin */
	uint8_t *value; /* owned */
	size_t value_len;
	const struct state_op *dirty_for; /* the operation that changed it last and has not committed: compared, never followed */
	char name[];
};

struct state_commit {
	struct state_commit *next;
	uint64_t token; /* 0: nothing to store, waits for those before it */
	struct state_entry **pinned; /* owned list */
	size_t npinned;
	state_committed *done;
	void *arg;
};

struct state_fetch {
	struct state_fetch *next;
	uint64_t token;
	struct state_entry **entries; /* owned list; held by the operation */
	size_t n;
	struct state_op *op; /* NULL: the operation has ended */
	state_fetched *done;
	void *arg;
};

struct wa_state {
	const struct wa_host *host; /* borrowed */
	void *host_ctx;
	void (*on_failure)(void *arg);
	void *failure_arg;
	struct state_entry **buckets; /* owned */
	size_t nbuckets, nentries;
	struct state_entry *newest, *oldest; /* entries that nobody pins */
	size_t bytes, limit;
	struct state_fetch *fetches;              /* owned */
	struct state_commit *commits, *last_commit; /* owned, oldest first */
	uint64_t last_token;
	uint64_t versions[RECORD_KINDS];
	bool failed;
};

/* ---- the table ---- */

static uint32_t hash_key(enum wa_record_kind kind, const char *name)
{
	uint32_t h = (FNV_OFFSET ^ (uint32_t)kind) * FNV_PRIME;

	for (const char *p = name; *p != '\0'; p++)
		h = (h ^ (uint8_t)*p) * FNV_PRIME;
	return h;
}

static size_t entry_bytes(const struct state_entry *e)
{
	return sizeof *e + strlen(e->name) + 1 + e->value_len;
}

static struct state_entry *table_find(const struct wa_state *s, enum wa_record_kind kind, const char *name)
{
	uint32_t h = hash_key(kind, name);
	struct state_entry *e = s->nbuckets == 0 ? NULL : s->buckets[h & (s->nbuckets - 1)];

	while (e != NULL && (e->hash != h || e->kind != kind || strcmp(e->name, name) != 0))
		e = e->next;
	return e;
}

static void table_resize(struct wa_state *s, size_t n)
{
	struct state_entry **buckets = xcalloc(n, sizeof(struct state_entry *));

	for (size_t i = 0; i < s->nbuckets; i++) {
		struct state_entry *next;

		for (struct state_entry *e = s->buckets[i]; e != NULL; e = next) {
			next = e->next;
			e->next = buckets[e->hash & (n - 1)];
			buckets[e->hash & (n - 1)] = e;
		}
	}
	free(s->buckets);
	s->buckets = buckets;
	s->nbuckets = n;
}

static void table_unlink(struct wa_state *s, struct state_entry *e)
{
	struct state_entry **at = &s->buckets[e->hash & (s->nbuckets - 1)];

	while (*at != e)
		at = &(*at)->next;
	*at = e->next;
	e->next = NULL;
	s->nentries--;
}

static void value_wipe(struct state_entry *e)
{
	if (e->value != NULL)
		OPENSSL_cleanse(e->value, e->value_len);
	free(e->value);
	e->value = NULL;
	e->value_len = 0;
}

static void entry_free(struct wa_state *s, struct state_entry *e)
{
	s->bytes -= entry_bytes(e);
	value_wipe(e);
	free(e);
}

/* ---- unpinned entries, the ones that may be evicted ---- */

static void lru_remove(struct wa_state *s, struct state_entry *e)
{
	if (e->newer != NULL)
		e->newer->older = e->older;
	else
		s->newest = e->older;
	if (e->older != NULL)
		e->older->newer = e->newer;
	else
		s->oldest = e->newer;
	e->newer = e->older = NULL;
}

static void lru_add(struct wa_state *s, struct state_entry *e)
{
	e->older = s->newest;
	e->newer = NULL;
	if (s->newest != NULL)
		s->newest->newer = e;
	else
		s->oldest = e;
	s->newest = e;
}

static void entry_pin(struct wa_state *s, struct state_entry *e)
{
	if (e->pins++ == 0)
		lru_remove(s, e);
}

static void evict(struct wa_state *s)
{
	while (s->bytes > s->limit && s->oldest != NULL) {
		struct state_entry *e = s->oldest;

		lru_remove(s, e);
		table_unlink(s, e);
		assert(s->oldest != e);
		entry_free(s, e);
	}
}

/* Records that are written by the hundred and read once in weeks, if ever: they would only push the others out. */
static bool is_seldom_read(const struct state_entry *e)
{
	return e->kind == WA_RECORD_PREKEY || e->kind == WA_RECORD_SENT;
}

static void entry_unpin(struct wa_state *s, struct state_entry *e)
{
	assert(e->pins > 0);
	if (--e->pins > 0)
		return;
	if (e->dropped) {
		entry_free(s, e);
		return;
	}
	if (e->loaded && !is_seldom_read(e)) {
		lru_add(s, e);
		return;
	}
	table_unlink(s, e);
	entry_free(s, e);
	/* What the prekeys of a new device need, an idle session does not keep. */
	if (s->nbuckets > TABLE_START && s->nentries < s->nbuckets / 8)
		table_resize(s, s->nbuckets / 4);
}

static struct state_entry *entry_need(struct wa_state *s, enum wa_record_kind kind, const char *name)
{
	struct state_entry *e = table_find(s, kind, name);
	size_t len = strlen(name);

	if (e != NULL)
		return e;
	if (s->nentries >= s->nbuckets)
		table_resize(s, s->nbuckets == 0 ? TABLE_START : s->nbuckets * 2);
	e = xcalloc(1, sizeof *e + len + 1);
	memcpy(e->name, name, len + 1);
	e->kind = kind;
	e->hash = hash_key(kind, name);
	e->next = s->buckets[e->hash & (s->nbuckets - 1)];
	s->buckets[e->hash & (s->nbuckets - 1)] = e;
	s->nentries++;
	s->bytes += entry_bytes(e);
	lru_add(s, e);
	return e;
}

static void entry_set(struct wa_state *s, struct state_entry *e, struct span value)
{
	uint8_t *copy = value.p == NULL ? NULL : xmemdup(value.p, value.n);

	s->bytes -= e->value_len;
	value_wipe(e);
	e->value = copy;
	e->value_len = copy == NULL ? 0 : value.n;
	e->present = value.p != NULL;
	e->loaded = true;
	s->bytes += e->value_len;
}

static void table_drop_all(struct wa_state *s)
{
	for (size_t i = 0; i < s->nbuckets; i++) {
		struct state_entry *next;

		for (struct state_entry *e = s->buckets[i]; e != NULL; e = next) {
			next = e->next;
			e->next = NULL;
			if (e->pins == 0) {
				lru_remove(s, e);
				entry_free(s, e);
			} else {
				e->dropped = true;
			}
		}
		s->buckets[i] = NULL;
	}
	s->nentries = 0;
}

/* ---- life ---- */

struct wa_state *wa_state_new(const struct wa_host *host, void *host_ctx, size_t cache_bytes, void (*on_failure)(void *arg),
			      void *arg)
{
	struct wa_state *s = xcalloc(1, sizeof *s);

	s->host = host;
	s->host_ctx = host_ctx;
	s->limit = cache_bytes;
	s->on_failure = on_failure;
	s->failure_arg = arg;
	host->random(host_ctx, s->versions, sizeof s->versions);
	return s;
}

uint64_t wa_state_version(const struct wa_state *s, enum wa_record_kind kind)
{
	return s->versions[(unsigned)kind % RECORD_KINDS];
}

void state_op_outdate(struct state_op *op, enum wa_record_kind kind)
{
	op->state->versions[(unsigned)kind % RECORD_KINDS]++;
}

static void commit_free(struct wa_state *s, struct state_commit *c)
{
	for (size_t i = 0; i < c->npinned; i++)
		entry_unpin(s, c->pinned[i]);
	free(c->pinned);
	free(c);
}

static void fetch_free(struct state_fetch *f)
{
	free(f->entries);
	free(f);
}

void wa_state_free(struct wa_state *s)
{
	if (s == NULL)
		return;
	s->failed = true;
	while (s->fetches != NULL) {
		struct state_fetch *f = s->fetches;

		s->fetches = f->next;
		if (f->op != NULL) {
			f->op->fetch = NULL;
			f->done(f->arg, false);
		}
		fetch_free(f);
	}
	while (s->commits != NULL) {
		struct state_commit *c = s->commits;

		s->commits = c->next;
		commit_free(s, c);
	}
	table_drop_all(s);
	free(s->buckets);
	free(s);
}

void wa_state_reset(struct wa_state *s)
{
	if (s->commits != NULL)
		return; /* still failing: what is under way could land after a new read */
	table_drop_all(s);
	s->failed = false;
}

bool wa_state_failed(const struct wa_state *s)
{
	return s->failed;
}

size_t wa_state_bytes(const struct wa_state *s)
{
	return s->bytes;
}

static void fail(struct wa_state *s)
{
	if (s->failed)
		return;
	s->failed = true;
	if (s->on_failure != NULL)
		s->on_failure(s->failure_arg);
}

/* ---- the host's answers ---- */

void wa_state_fetched(struct wa_state *s, uint64_t token, const struct span *values, size_t n, bool error)
{
	struct state_fetch **at = &s->fetches;
	struct state_fetch *f;

	while (*at != NULL && (*at)->token != token)
		at = &(*at)->next;
	f = *at;
	if (f == NULL)
		return;
	*at = f->next;
	if (error || n != f->n)
		fail(s);
	for (size_t i = 0; f->op != NULL && !s->failed && i < n; i++) {
		/* Somebody may have read or changed it in the meantime: what is in memory is newer. */
		if (!f->entries[i]->loaded)
			entry_set(s, f->entries[i], values[i]);
	}
	if (f->op != NULL) {
		f->op->fetch = NULL;
		f->done(f->arg, !s->failed);
	}
	fetch_free(f);
}

static struct state_commit *commits_pop(struct wa_state *s)
{
	struct state_commit *c = s->commits;

	s->commits = c->next;
	if (s->commits == NULL)
		s->last_commit = NULL;
	return c;
}

static void commit_finish(struct wa_state *s, bool ok)
{
	struct state_commit *c = commits_pop(s);
	state_committed *done = c->done;
	void *arg = c->arg;

	commit_free(s, c);
	if (done != NULL)
		done(arg, ok);
}

void wa_state_committed(struct wa_state *s, uint64_t token, bool ok)
{
	if (s->commits == NULL || s->commits->token != token)
		return;
	if (!ok)
		fail(s);
	commit_finish(s, ok);
	while (s->commits != NULL && s->commits->token == 0)
		commit_finish(s, !s->failed);
	evict(s);
}

/* ---- operations ---- */

void state_op_init(struct state_op *op, struct wa_state *state)
{
	*op = (struct state_op){ .state = state };
}

static void list_add(struct state_entry ***list, size_t *n, size_t *cap, struct state_entry *e)
{
	if (*n == *cap) {
		*cap = *cap == 0 ? 8 : *cap * 2;
		*list = xrealloc(*list, *cap * sizeof(struct state_entry *));
	}
	(*list)[(*n)++] = e;
}

static struct state_entry *op_pin(struct state_op *op, enum wa_record_kind kind, const char *name)
{
	struct state_entry *e = entry_need(op->state, kind, name);

	entry_pin(op->state, e);
	list_add(&op->pinned, &op->npinned, &op->cap_pinned, e);
	return e;
}

static void op_forget_dirty(struct state_op *op)
{
	for (size_t i = 0; i < op->ndirty; i++)
		if (op->dirty[i]->dirty_for == op)
			op->dirty[i]->dirty_for = NULL;
	op->ndirty = 0;
}

void state_op_end(struct state_op *op)
{
	if (op->state == NULL)
		return;
	if (op->fetch != NULL)
		op->fetch->op = NULL;
	op_forget_dirty(op);
	for (size_t i = 0; i < op->npinned; i++)
		entry_unpin(op->state, op->pinned[i]);
	for (size_t i = 0; i < op->nevents; i++)
		wa_event_free(op->events[i]);
	evict(op->state);
	free(op->pinned);
	free(op->dirty);
	free(op->events);
	*op = (struct state_op){ 0 };
}

static void fetch_start(struct state_op *op, struct state_fetch *f)
{
	struct wa_state *s = op->state;
	struct wa_key *keys = xcalloc(f->n, sizeof *keys);

	for (size_t i = 0; i < f->n; i++)
		keys[i] = (struct wa_key){ .kind = f->entries[i]->kind, .name = f->entries[i]->name };
	f->token = ++s->last_token;
	f->op = op;
	f->next = s->fetches;
	s->fetches = f;
	op->fetch = f;
	s->host->fetch(s->host_ctx, keys, f->n, f->token);
	free(keys);
}

void state_op_fetch(struct state_op *op, const struct wa_key *keys, size_t n, state_fetched *done, void *arg)
{
	struct state_fetch *f;

	assert(op->fetch == NULL);
	if (op->state->failed) {
		done(arg, false);
		return;
	}
	f = xcalloc(1, sizeof *f);
	f->entries = xcalloc(n + 1, sizeof(struct state_entry *));
	f->done = done;
	f->arg = arg;
	for (size_t i = 0; i < n; i++) {
		struct state_entry *e = op_pin(op, keys[i].kind, keys[i].name);

		if (!e->loaded)
			f->entries[f->n++] = e;
	}
	if (f->n == 0) {
		fetch_free(f);
		done(arg, true);
		return;
	}
	fetch_start(op, f);
}

bool state_op_has_fetched(const struct state_op *op, enum wa_record_kind kind, const char *name)
{
	const struct state_entry *e = table_find(op->state, kind, name);

	return e != NULL && e->loaded;
}

bool state_op_get(struct state_op *op, enum wa_record_kind kind, const char *name, struct span *value)
{
	const struct state_entry *e = table_find(op->state, kind, name);

	assert(e != NULL && e->loaded);
	*value = (struct span){ 0 };
	if (e == NULL || !e->present)
		return false;
	*value = span_of(e->value, e->value_len);
	return true;
}

static void op_change(struct state_op *op, enum wa_record_kind kind, const char *name, struct span value)
{
	struct state_entry *e = op_pin(op, kind, name);

	entry_set(op->state, e, value);
	if (e->dirty_for == op)
		return;
	e->dirty_for = op;
	list_add(&op->dirty, &op->ndirty, &op->cap_dirty, e);
}

void state_op_put(struct state_op *op, enum wa_record_kind kind, const char *name, struct span value)
{
	/* xmemdup of nothing still has to give something: an empty record is not an absent one. */
	op_change(op, kind, name, value.p != NULL ? value : span_of("", 0));
}

void state_op_delete(struct state_op *op, enum wa_record_kind kind, const char *name)
{
	op_change(op, kind, name, (struct span){ 0 });
}

void state_op_event(struct state_op *op, struct wa_event *event)
{
	if (op->nevents == op->cap_events) {
		op->cap_events = op->cap_events == 0 ? 2 : op->cap_events * 2;
		op->events = xrealloc(op->events, op->cap_events * sizeof(struct wa_event *));
	}
	op->events[op->nevents++] = event;
}

bool state_op_changed(const struct state_op *op)
{
	return op->ndirty > 0 || op->nevents > 0;
}

static struct wa_batch *batch_of(struct state_op *op, struct state_commit *c)
{
	struct wa_batch *batch = xcalloc(1, sizeof *batch);

	batch->puts = xcalloc(op->ndirty + 1, sizeof *batch->puts);
	c->pinned = xcalloc(op->ndirty + 1, sizeof(struct state_entry *));
	for (size_t i = 0; i < op->ndirty; i++) {
		struct state_entry *e = op->dirty[i];
		struct wa_put *put = &batch->puts[batch->nputs++];

		put->kind = e->kind;
		put->name = xstrdup(e->name);
		put->absent = !e->present;
		buf_append(&put->value, e->value, e->value_len);
		entry_pin(op->state, e);
		c->pinned[c->npinned++] = e;
	}
	op_forget_dirty(op);
	batch->events = op->events;
	batch->nevents = op->nevents;
	op->events = NULL;
	op->nevents = op->cap_events = 0;
	return batch;
}

static void commits_push(struct wa_state *s, struct state_commit *c)
{
	if (s->last_commit != NULL)
		s->last_commit->next = c;
	else
		s->commits = c;
	s->last_commit = c;
}

void state_op_commit(struct state_op *op, state_committed *done, void *arg)
{
	struct wa_state *s = op->state;
	struct state_commit *c;

	if (s->failed || (!state_op_changed(op) && s->commits == NULL)) {
		if (done != NULL)
			done(arg, !s->failed);
		return;
	}
	c = xcalloc(1, sizeof *c);
	c->done = done;
	c->arg = arg;
	if (state_op_changed(op)) {
		struct wa_batch *batch = batch_of(op, c);

		c->token = ++s->last_token;
		commits_push(s, c);
		s->host->commit(s->host_ctx, batch, c->token);
		return;
	}
	commits_push(s, c);
}

/* ---- key lists ---- */

void state_keys_add(struct state_keys *keys, enum wa_record_kind kind, const char *name)
{
	if (keys->n == keys->cap) {
		keys->cap = keys->cap == 0 ? 8 : keys->cap * 2;
		keys->keys = xrealloc(keys->keys, keys->cap * sizeof *keys->keys);
	}
	keys->keys[keys->n++] = (struct wa_key){ .kind = kind, .name = xstrdup(name) };
}

void state_keys_free(struct state_keys *keys)
{
	for (size_t i = 0; i < keys->n; i++)
		free((void *)(uintptr_t)keys->keys[i].name);
	free(keys->keys);
	*keys = (struct state_keys){ 0 };
}
