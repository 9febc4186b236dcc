/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One run over one collection: a sync, or the upload of one change.
 *
 *     load state, keys -> [compose patch] -> ask -> files -> table -> apply -> names -> commit -> next page | end
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/limits.h"
#include "common/mem.h"
#include "sessiond/wa/messaging.h"

/* More mutations than this are computed on another thread: one takes some 20 microseconds. */
#define INLINE_MAX 64U
/* Entries of a first sync that take effect in one turn of the loop. */
#define SLICE 200U

enum { CODE_TIMED_OUT = 408, CODE_CONFLICT = 409, CODE_CLOSED = 428, CODE_BAD_SESSION = 500, CODE_UNAVAILABLE = 503 };

enum run_phase { RUN_READING, RUN_ASKING, RUN_FILES, RUN_COMPUTING, RUN_COMMITTING };

struct appstate_run {
	struct wa_appstate *as;         /* borrowed */
	struct appstate_push *push;     /* borrowed; NULL: only a sync */
	enum appstate_collection c;
	enum run_phase phase;
	bool dead;                      /* the connection has gone: end when the thread is done */
	struct appstate_stored stored;
	bool asked_snapshot, more, conflict, uploaded;
	unsigned pages;
	struct buf patch;               /* owned: our own, while it is uploaded */
	struct buf reference;           /* owned: to the snapshot's file */
	struct buf copy;                /* owned: the phone's own, applied instead of an answer */
	bool snapshot_due;              /* its file is to be fetched */
	size_t next_file;               /* patch whose file is next */
	uint64_t token;                 /* of the file under way */
	struct appstate_work work;
	size_t effective;               /* changes whose effects are in the operation, or stored already */
	struct wa_timer timer;          /* goes on with them */
	struct state_op op;
};

static void load(struct appstate_run *run);
static void take_effect(struct appstate_run *run);
static void next_file(struct appstate_run *run);
static void compute(void *arg);
static void computed(void *arg);

void appstate_run_free(struct appstate_run *run)
{
	wa_timer_stop(run->as->m->client, &run->timer);
	state_op_end(&run->op);
	appstate_work_free(&run->work);
	buf_free(&run->patch);
	buf_free(&run->reference);
	buf_wipe(&run->copy);
	free(run);
}

static void end(struct appstate_run *run, enum appstate_end how, int code, const char *text)
{
	struct wa_appstate *as = run->as;
	struct appstate_push *push = run->push;
	enum appstate_collection c = run->c;

	as->run = NULL;
	appstate_run_free(run);
	appstate_run_ended(as, c, push, how, code, text);
}

static struct wa_client *client_of(const struct appstate_run *run)
{
	return run->as->m->client;
}

static bool lost(struct appstate_run *run, bool ok)
{
	if (ok)
		return false;
	end(run, APPSTATE_END_FAILED, CODE_UNAVAILABLE, "records cannot be read");
	return true;
}

/* ---- asking ---- */

static void answered(struct wa_client *client, const struct wa_node *answer, void *arg);

static void ask(struct appstate_run *run)
{
	struct wa_node *iq, *collection;
	struct arena a;

	run->asked_snapshot = run->patch.len == 0 && (run->stored.rebuild || (run->stored.state.version == 0 && !run->stored.synced));
	arena_init(&a, 0);
	iq = wa_iq_new(&a, "set", "w:sync:app:state");
	collection = wa_node_add_new(&a, wa_node_add_new(&a, iq, "sync"), "collection");
	wa_node_attr(&a, collection, "name", appstate_collection_name(run->c));
	if (!run->asked_snapshot)
		wa_node_attr_u64(&a, collection, "version", run->stored.state.version);
	wa_node_attr(&a, collection, "return_snapshot", run->asked_snapshot ? "true" : "false");
	if (run->patch.len > 0)
		wa_node_add_bytes(&a, collection, "patch", buf_span(&run->patch));
	run->phase = RUN_ASKING;
	wa_client_iq(client_of(run), &a, iq, answered, run);
	arena_free(&a);
}

/* ---- composing an own patch ---- */

static void load_bucket(struct appstate_run *run, size_t i)
{
	char name[APPSTATE_NAME_MAX];
	struct span value;

	appstate_bucket_name(run->c, i, name);
	buf_clear(&run->work.table.bucket[i]);
	if (state_op_get(&run->op, WA_RECORD_APPSTATE, name, &value))
		buf_append_span(&run->work.table.bucket[i], value);
	run->work.table.loaded[i] = true;
	run->work.table.dirty[i] = false;
}

static struct appstate_draft draft_of(const struct appstate_push *push)
{
	return (struct appstate_draft){ .operation = push->remove ? APPSTATE_REMOVE : APPSTATE_SET, .index = buf_span(&push->index),
					.value = buf_span(&push->value), .version = push->version };
}

static void compose(void *arg, bool ok)
{
	struct appstate_run *run = arg;
	struct appstate_draft draft;
	uint8_t mac[APPSTATE_MAC_BYTES];

	if (lost(run, ok))
		return;
	draft = draft_of(run->push);
	wa_client_random(client_of(run), draft.iv, sizeof draft.iv);
	appstate_draft_mac(&run->work, &draft, mac);
	load_bucket(run, mac[0]);
	buf_clear(&run->patch);
	appstate_compose(&run->work, &draft, 1, &run->patch);
	ask(run);
}

static void prepare_upload(struct appstate_run *run)
{
	struct appstate_draft draft = draft_of(run->push);
	struct state_keys keys = { 0 };
	uint8_t mac[APPSTATE_MAC_BYTES];
	char name[APPSTATE_NAME_MAX];

	appstate_draft_mac(&run->work, &draft, mac);
	appstate_bucket_name(run->c, mac[0], name);
	state_keys_add(&keys, WA_RECORD_APPSTATE, name);
	state_op_fetch(&run->op, keys.keys, keys.n, compose, run);
	state_keys_free(&keys);
}

/* ---- the start of a page ---- */

static bool may_upload(const struct appstate_run *run)
{
	const struct appstate_stored *s = &run->stored;

	return run->push != NULL && s->synced && !s->rebuild && s->wanted <= s->state.version;
}

/* The phone's own copy is at hand: it replaces what is here; what came later is asked for afterwards. */
static void take_copy(struct appstate_run *run)
{
	struct appstate_want *want = &run->as->wants[run->c];

	run->copy = want->copy;
	want->copy = (struct buf){ 0 };
	run->asked_snapshot = want->again = true;
	run->phase = RUN_COMPUTING;
	for (size_t i = 0; i < APPSTATE_BUCKETS; i++)
		run->work.table.loaded[i] = run->work.table.dirty[i] = true;
	wa_client_offload(client_of(run), compute, computed, run);
}

static void loaded(void *arg, bool ok)
{
	struct appstate_run *run = arg;
	struct span record;

	if (lost(run, ok))
		return;
	appstate_work_free(&run->work);
	run->work.name = appstate_collection_name(run->c);
	appstate_load(&run->op, run->c, &run->stored);
	if (state_op_get(&run->op, WA_RECORD_APPSTATE, APPSTATE_KEYS_RECORD, &record))
		appstate_keyring_read(&run->work.ring, record);
	if (run->work.ring.n == 0) {
		end(run, APPSTATE_END_KEYLESS, CODE_UNAVAILABLE, "the phone has not shared a key for this yet");
		return;
	}
	run->work.state = run->stored.state;
	if (run->push == NULL && run->as->wants[run->c].copy.len > 0)
		take_copy(run);
	else if (may_upload(run))
		prepare_upload(run);
	else
		ask(run);
}

static void load(struct appstate_run *run)
{
	struct state_keys keys = { 0 };

	run->phase = RUN_READING;
	run->more = run->conflict = false;
	appstate_state_key(&keys, run->c);
	wa_appstate_keys(&keys);
	state_op_fetch(&run->op, keys.keys, keys.n, loaded, run);
	state_keys_free(&keys);
}

void appstate_run_start(struct wa_appstate *as, enum appstate_collection c, struct appstate_push *push)
{
	struct appstate_run *run = xcalloc(1, sizeof *run);

	run->as = as;
	run->c = c;
	run->push = push;
	as->run = run;
	state_op_init(&run->op, wa_client_state(as->m->client));
	load(run);
}

/* ---- the end of a page ---- */

/* Only a snapshot helps: the next run asks for one. */
static void rebuild_stored(void *arg, bool ok)
{
	struct appstate_run *run = arg;

	end(run, ok ? APPSTATE_END_AGAIN : APPSTATE_END_FAILED, CODE_BAD_SESSION, "the state cannot be stored");
}

static void rebuild(struct appstate_run *run, const char *why)
{
	char text[160];

	if (run->asked_snapshot) {
		end(run, APPSTATE_END_BROKEN, CODE_BAD_SESSION, why);
		return;
	}
	snprintf(text, sizeof text, "app state %s is fetched anew: %s", appstate_collection_name(run->c), why);
	wa_client_warn(client_of(run), 0, text);
	run->stored.rebuild = true;
	appstate_store(&run->op, run->c, &run->stored);
	run->phase = RUN_COMMITTING;
	state_op_commit(&run->op, rebuild_stored, run);
}

static void page_stored(void *arg, bool ok)
{
	struct appstate_run *run = arg;

	if (!ok) {
		end(run, APPSTATE_END_FAILED, CODE_BAD_SESSION, "the state cannot be stored");
	} else if (run->uploaded) {
		end(run, APPSTATE_END_OK, 0, NULL);
	} else if (run->more && ++run->pages < LIMIT_WA_APPSTATE_PAGES && run->as->m->open) {
		load(run);
	} else if (run->more) {
		end(run, APPSTATE_END_FAILED, CODE_TIMED_OUT, "the server's changes do not end");
	} else {
		end(run, run->push != NULL ? APPSTATE_END_AGAIN : APPSTATE_END_OK, CODE_CONFLICT, "another device changes the same all the time");
	}
}

static void put_table(struct appstate_run *run)
{
	struct appstate_table *table = &run->work.table;
	char name[APPSTATE_NAME_MAX];

	for (size_t i = 0; i < APPSTATE_BUCKETS; i++) {
		if (!table->dirty[i])
			continue;
		appstate_bucket_name(run->c, i, name);
		if (table->bucket[i].len > 0)
			state_op_put(&run->op, WA_RECORD_APPSTATE, name, buf_span(&table->bucket[i]));
		else
			state_op_delete(&run->op, WA_RECORD_APPSTATE, name);
	}
}

/* A hash that differs says that somebody's table is wrong: one snapshot an hour shows whether it was ours. */
static bool should_rebuild(struct appstate_run *run)
{
	struct appstate_want *want = &run->as->wants[run->c];
	int64_t now_ms = wa_client_mono_ms(client_of(run));

	if (!run->work.state.diverged || run->work.has_snapshot || (want->rebuilt_ms != 0 && now_ms - want->rebuilt_ms < 3600000))
		return false;
	want->rebuilt_ms = now_ms;
	want->again = true;
	return true;
}

static void say_synced(struct appstate_run *run)
{
	struct wa_event *event = wa_event_new(WA_EVENT_APPSTATE_SYNCED);

	event->text = xstrdup(run->work.name);
	event->number = (int64_t)(run->work.has_snapshot ? appstate_table_count(&run->work.table) : run->work.nchanges);
	state_op_event(&run->op, event);
}

static void store_page(struct appstate_run *run, bool initial)
{
	struct appstate_stored now;

	/* A notification may have raised what is wanted meanwhile. */
	appstate_load(&run->op, run->c, &now);
	now.state = run->work.state;
	now.rebuild = should_rebuild(run);
	/* Pages of a whole answer belong together: what comes later in it was there before, too. */
	now.synced = !run->more || (run->stored.synced && !run->asked_snapshot);
	/* The server has no more than this, whatever it announced; unless it did so after it answered. */
	if (!run->more && !run->uploaded && now.wanted == run->stored.wanted)
		now.wanted = now.state.version;
	put_table(run);
	if (initial && !run->more)
		say_synced(run);
	appstate_store(&run->op, run->c, &now);
	run->phase = RUN_COMMITTING;
	state_op_commit(&run->op, page_stored, run);
}

static void next_turn(struct wa_client *client, void *arg)
{
	(void)client;
	take_effect(arg);
}

/*
 * What happens now is one batch with the state. What was there before may be much: it is stored in slices, and again from the start if
 * that is interrupted, which changes nothing.
 */
static size_t slice_end(const struct appstate_run *run, bool initial)
{
	size_t left = run->work.nchanges - run->effective;

	return run->effective + (initial && left > SLICE ? SLICE : left);
}

static void names_loaded(void *arg, bool ok)
{
	struct appstate_run *run = arg;
	bool initial = run->asked_snapshot || !run->stored.synced;
	size_t to = slice_end(run, initial);

	if (lost(run, ok))
		return;
	appstate_effect(run->as->m, &run->op, &run->work, run->effective, to, initial, run->uploaded);
	run->effective = to;
	if (to == run->work.nchanges) {
		store_page(run, initial);
		return;
	}
	state_op_commit(&run->op, NULL, NULL);
	wa_timer_start(client_of(run), &run->timer, wa_client_mono_ms(client_of(run)), next_turn, run);
}

static void take_effect(struct appstate_run *run)
{
	bool initial = run->asked_snapshot || !run->stored.synced;
	struct state_keys keys = { 0 };

	appstate_effect_keys(&run->work, run->effective, slice_end(run, initial), &keys);
	state_op_fetch(&run->op, keys.keys, keys.n, names_loaded, run);
	state_keys_free(&keys);
}

static void applied(struct appstate_run *run)
{
	switch (run->work.outcome) {
	case APPSTATE_APPLIED:
		run->phase = RUN_READING;
		run->effective = 0;
		take_effect(run);
		break;
	case APPSTATE_NO_KEY:
		appstate_ask_key(run->as, run->work.missing, run->work.missing_len);
		end(run, APPSTATE_END_KEYLESS, APPSTATE_MISSING_KEY, "a key for this is missing: the phone was asked for it");
		break;
	case APPSTATE_GAP:
		rebuild(run, "a version is missing");
		break;
	case APPSTATE_BROKEN:
		rebuild(run, run->work.why);
		break;
	}
}

/* ---- applying ---- */

static void compute(void *arg)
{
	struct appstate_run *run = arg;

	if (run->copy.len > 0)
		appstate_apply_copy(&run->work, buf_span(&run->copy));
	else
		appstate_apply(&run->work);
}

static void computed(void *arg)
{
	struct appstate_run *run = arg;

	if (run->dead)
		end(run, APPSTATE_END_FAILED, CODE_CLOSED, "the connection was lost");
	else
		applied(run);
}

static void table_loaded(void *arg, bool ok)
{
	struct appstate_run *run = arg;
	bool needed[APPSTATE_BUCKETS] = { false };

	if (lost(run, ok))
		return;
	appstate_work_buckets(&run->work, needed);
	for (size_t i = 0; i < APPSTATE_BUCKETS; i++) {
		if (run->asked_snapshot)
			run->work.table.loaded[i] = run->work.table.dirty[i] = true;
		else if (needed[i])
			load_bucket(run, i);
	}
	if (appstate_work_size(&run->work) <= INLINE_MAX) {
		appstate_apply(&run->work);
		applied(run);
		return;
	}
	run->phase = RUN_COMPUTING;
	wa_client_offload(client_of(run), compute, computed, run);
}

static void load_table(struct appstate_run *run)
{
	bool needed[APPSTATE_BUCKETS] = { false };
	struct state_keys keys = { 0 };
	char name[APPSTATE_NAME_MAX];

	run->phase = RUN_READING;
	if (!appstate_work_buckets(&run->work, needed)) {
		rebuild(run, "a patch cannot be read");
		return;
	}
	for (size_t i = 0; i < APPSTATE_BUCKETS && !run->asked_snapshot; i++) {
		if (!needed[i])
			continue;
		appstate_bucket_name(run->c, i, name);
		state_keys_add(&keys, WA_RECORD_APPSTATE, name);
	}
	/* A whole answer replaces what is there, with or without a snapshot in it. */
	if (run->asked_snapshot)
		run->work.state = (struct appstate_state){ 0 };
	state_op_fetch(&run->op, keys.keys, keys.n, table_loaded, run);
	state_keys_free(&keys);
}

/* ---- files ---- */

static void fetch_file(struct appstate_run *run, struct span reference)
{
	const struct wa_host *host = wa_client_host(client_of(run));
	struct appstate_blob blob;
	struct wa_blob wanted;
	char *path;

	if (!appstate_read_blob(reference, &blob) || memchr(blob.direct_path.p, 0, blob.direct_path.n) != NULL) {
		rebuild(run, "the reference to a file cannot be read");
		return;
	}
	if (host->blob == NULL) {
		end(run, APPSTATE_END_REFUSED, CODE_BAD_SESSION, "files of app state cannot be fetched here");
		return;
	}
	path = xstrndup((const char *)blob.direct_path.p, blob.direct_path.n);
	wanted = (struct wa_blob){ .direct_path = path, .media_key = blob.media_key, .plain_sha256 = blob.sha256, .enc_sha256 = blob.enc_sha256,
				   .size = blob.size, .max_bytes = LIMIT_WA_APPSTATE_BLOB_BYTES };
	run->phase = RUN_FILES;
	run->token = ++run->as->last_token;
	host->blob(wa_client_host_ctx(client_of(run)), &wanted, run->token);
	free(path);
}

void appstate_run_blob(struct appstate_run *run, uint64_t token, struct span bytes, const char *error)
{
	struct appstate_input_patch *patch;

	if (run->phase != RUN_FILES || run->token != token)
		return;
	if (error != NULL) {
		end(run, APPSTATE_END_FAILED, CODE_UNAVAILABLE, error);
		return;
	}
	if (run->snapshot_due) {
		run->snapshot_due = false;
		run->work.has_snapshot = true;
		buf_append_span(&run->work.snapshot, bytes);
	} else {
		patch = &run->work.patches[run->next_file++];
		patch->has_external = true;
		buf_append_span(&patch->external, bytes);
	}
	next_file(run);
}

static void next_file(struct appstate_run *run)
{
	struct appstate_patch patch;

	if (run->snapshot_due) {
		fetch_file(run, buf_span(&run->reference));
		return;
	}
	for (; run->next_file < run->work.npatches; run->next_file++) {
		if (!appstate_read_patch(buf_span(&run->work.patches[run->next_file].bytes), &patch)) {
			rebuild(run, "a patch cannot be read");
			return;
		}
		if (patch.external.n > 0) {
			fetch_file(run, patch.external);
			return;
		}
	}
	load_table(run);
}

/* ---- the answer ---- */

static const struct wa_node *collection_of(const struct wa_node *answer, const char *name)
{
	const struct wa_node *sync = wa_node_child(answer, "sync");

	for (size_t i = 0; sync != NULL && i < sync->nnodes; i++)
		if (wa_node_is(sync->nodes[i], "collection") && wa_node_get_is(sync->nodes[i], "name", name))
			return sync->nodes[i];
	return NULL;
}

static void take_patches(struct appstate_run *run, const struct wa_node *parent)
{
	for (size_t i = 0; i < parent->nnodes; i++)
		if (wa_node_is(parent->nodes[i], "patch"))
			appstate_work_add(&run->work, wa_node_content(parent->nodes[i]));
}

static void take_collection(struct appstate_run *run, const struct wa_node *collection)
{
	const struct wa_node *patches = wa_node_child(collection, "patches");
	struct span snapshot = wa_node_child_content(collection, "snapshot");

	run->more = wa_node_get_is(collection, "has_more_patches", "true");
	run->work.attribute_version = run->stored.state.version;
	wa_node_get_u64(collection, "version", &run->work.attribute_version);
	if (patches != NULL)
		take_patches(run, patches);
	take_patches(run, collection);
	buf_clear(&run->reference);
	buf_append_span(&run->reference, snapshot);
	run->snapshot_due = snapshot.n > 0;
	run->next_file = 0;
	if (run->snapshot_due && !run->asked_snapshot)
		rebuild(run, "a snapshot came unasked");
	else
		next_file(run);
}

/* Ours is accepted: it is what the next version holds. */
static void take_own(struct appstate_run *run, const struct wa_node *collection)
{
	uint64_t version = 0;

	run->uploaded = true;
	appstate_work_add(&run->work, buf_span(&run->patch));
	run->work.attribute_version = run->stored.state.version;
	/* Others were faster and slower at the same time: what they did is fetched at once. */
	if (wa_node_get_u64(collection, "version", &version) && version > run->stored.state.version + 1)
		run->as->wants[run->c].again = true;
	buf_clear(&run->patch);
	load_table(run);
}

static void refused(struct appstate_run *run, const struct wa_node *collection)
{
	const struct wa_node *error = wa_node_child(collection, "error");
	uint64_t code = 0;

	wa_node_get_u64(error, "code", &code);
	if (code == CODE_CONFLICT && run->patch.len > 0) {
		run->conflict = true;
		buf_clear(&run->patch);
		take_collection(run, collection);
		return;
	}
	/* It may not know our version any more, or not yet. */
	if ((code == 400 || code == 404 || code == CODE_CONFLICT) && run->patch.len == 0 && !run->asked_snapshot && run->stored.state.version > 0) {
		rebuild(run, "the server does not accept the version");
		return;
	}
	end(run, code == 400 || code == 404 ? APPSTATE_END_REFUSED : APPSTATE_END_FAILED, code <= INT32_MAX ? (int)code : 0,
	    "the server refused it");
}

static void answered(struct wa_client *client, const struct wa_node *answer, void *arg)
{
	struct appstate_run *run = arg;
	const struct wa_node *collection;
	const char *text;
	int code;

	(void)client;
	if (!wa_iq_ok(answer, &code, &text)) {
		end(run, code >= 400 && code < 408 ? APPSTATE_END_REFUSED : APPSTATE_END_FAILED, code, text[0] != '\0' ? text : "the server refused it");
		return;
	}
	collection = collection_of(answer, appstate_collection_name(run->c));
	if (collection == NULL)
		end(run, APPSTATE_END_FAILED, CODE_BAD_SESSION, "the server's answer does not name the collection");
	else if (wa_node_get_is(collection, "type", "error"))
		refused(run, collection);
	else if (run->patch.len > 0)
		take_own(run, collection);
	else
		take_collection(run, collection);
}

void appstate_run_closed(struct appstate_run *run)
{
	switch (run->phase) {
	case RUN_COMPUTING:
		state_op_end(&run->op);
		run->dead = true;
		break;
	case RUN_COMMITTING:
		break;
	case RUN_READING:
	case RUN_ASKING:
	case RUN_FILES:
		end(run, APPSTATE_END_FAILED, CODE_CLOSED, "the connection was lost");
		break;
	}
}
