/* SPDX-License-Identifier: GPL-3.0-or-later */
/* App state: what has to be synced or uploaded, in which order, and what is remembered of it. */
#include "sessiond/wa/appstate.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/limits.h"
#include "common/mem.h"
#include "sessiond/crypto/crypto.h"
#include "sessiond/wa/e2e.h"
#include "sessiond/wa/e2e_fields.h"
#include "sessiond/wa/job.h"
#include "sessiond/wa/proto_walk.h"
#include "sessiond/wa/receive.h"

#define RECORD_FORM 1
#define RECORD_BYTES (2 + 8 + 8 + APPSTATE_HASH_BYTES)
#define RETRY_FIRST_MS 1000
#define RETRY_MAX_MS 3600000
#define FAILURES_MAX 6U
#define ROUNDS_MAX 6U
#define ASK_AGAIN_MS (24LL * 3600 * 1000)

enum { FLAG_SYNCED = 1, FLAG_DIVERGED = 2, FLAG_REBUILD = 4 };
enum { CODE_BAD_REQUEST = 400, CODE_TOO_MANY = 429, CODE_UNAVAILABLE = 503 };

/* ---- records ---- */

static void state_name(enum appstate_collection c, char out[APPSTATE_NAME_MAX])
{
	snprintf(out, APPSTATE_NAME_MAX, "state/%s", appstate_collection_name(c));
}

void appstate_bucket_name(enum appstate_collection c, size_t bucket, char out[APPSTATE_NAME_MAX])
{
	snprintf(out, APPSTATE_NAME_MAX, "mac/%s/%02zx", appstate_collection_name(c), bucket);
}

void appstate_state_key(struct state_keys *keys, enum appstate_collection c)
{
	char name[APPSTATE_NAME_MAX];

	state_name(c, name);
	state_keys_add(keys, WA_RECORD_APPSTATE, name);
}

void wa_appstate_keys(struct state_keys *keys)
{
	state_keys_add(keys, WA_RECORD_APPSTATE, APPSTATE_KEYS_RECORD);
}

void appstate_load(struct state_op *op, enum appstate_collection c, struct appstate_stored *out)
{
	char name[APPSTATE_NAME_MAX];
	struct span value;
	struct reader r;
	uint8_t flags;

	*out = (struct appstate_stored){ 0 };
	state_name(c, name);
	if (!state_op_get(op, WA_RECORD_APPSTATE, name, &value) || value.n != RECORD_BYTES || value.p[0] != RECORD_FORM)
		return;
	r = reader_of(value.p + 1, value.n - 1);
	flags = read_u8(&r);
	out->synced = (flags & FLAG_SYNCED) != 0;
	out->rebuild = (flags & FLAG_REBUILD) != 0;
	out->state.diverged = (flags & FLAG_DIVERGED) != 0;
	out->state.version = read_be64(&r);
	out->wanted = read_be64(&r);
	memcpy(out->state.hash, r.p, APPSTATE_HASH_BYTES);
}

void appstate_store(struct state_op *op, enum appstate_collection c, const struct appstate_stored *stored)
{
	unsigned flags = (stored->synced ? FLAG_SYNCED : 0U) | (stored->rebuild ? FLAG_REBUILD : 0U) | (stored->state.diverged ? FLAG_DIVERGED : 0U);
	char name[APPSTATE_NAME_MAX];
	struct buf value = { 0 };

	buf_u8(&value, RECORD_FORM);
	buf_u8(&value, (uint8_t)flags);
	buf_be64(&value, stored->state.version);
	buf_be64(&value, stored->wanted);
	buf_append(&value, stored->state.hash, APPSTATE_HASH_BYTES);
	state_name(c, name);
	state_op_put(op, WA_RECORD_APPSTATE, name, buf_span(&value));
	buf_free(&value);
}

/* ---- keys ---- */

enum { SHARE_KEYS = 1, KEY_ID = 1, KEY_DATA = 2, ID_BYTES = 1, DATA_KEY = 1, DATA_TIME = 3 };

static bool take_key(struct appstate_keyring *ring, struct span bytes)
{
	struct span id = { 0 };
	struct span data = { 0 };
	struct span inner;
	struct reader r;
	struct proto_field f;
	int64_t time = 0;

	if (proto_find(bytes, KEY_ID, &inner))
		proto_find(inner, ID_BYTES, &id);
	/* An entry without data says that the phone does not have that key either. */
	if (!proto_find(bytes, KEY_DATA, &inner) || !proto_find(inner, DATA_KEY, &data))
		return false;
	r = reader_of(inner.p, inner.n);
	while (proto_next(&r, &f))
		if (f.number == DATA_TIME && f.wire == PROTO_VARINT)
			time = (int64_t)f.value;
	return appstate_keyring_add(ring, id, data, time);
}

bool wa_appstate_take_keys(struct receive_job *job, struct span share)
{
	struct reader r = reader_of(share.p, share.n);
	struct appstate_keyring ring;
	struct proto_field f;
	struct span record = { 0 };
	struct buf out = { 0 };
	bool changed = false;

	state_op_get(&job->job.op, WA_RECORD_APPSTATE, APPSTATE_KEYS_RECORD, &record);
	appstate_keyring_read(&ring, record);
	while (proto_next(&r, &f))
		if (f.number == SHARE_KEYS && f.wire == PROTO_BYTES && take_key(&ring, f.bytes))
			changed = true;
	if (changed) {
		appstate_keyring_write(&ring, &out);
		state_op_put(&job->job.op, WA_RECORD_APPSTATE, APPSTATE_KEYS_RECORD, buf_span(&out));
	}
	buf_wipe(&out);
	appstate_keyring_free(&ring);
	return changed;
}

enum { PROTOCOL_TYPE = 2, PROTOCOL_KEY_REQUEST = 8, REQUEST_KEY_IDS = 1 };

static void send_key_request(struct wa_messaging *m, struct span id)
{
	struct buf key = { 0 }, request = { 0 }, protocol = { 0 }, message = { 0 };

	proto_put_bytes(&key, ID_BYTES, id);
	proto_put_bytes(&request, REQUEST_KEY_IDS, buf_span(&key));
	proto_put_varint(&protocol, PROTOCOL_TYPE << 3 | PROTO_VARINT);
	proto_put_varint(&protocol, E2E_APP_STATE_SYNC_KEY_REQUEST);
	proto_put_bytes(&protocol, PROTOCOL_KEY_REQUEST, buf_span(&request));
	proto_put_bytes(&message, E2E_PROTOCOL, buf_span(&protocol));
	wa_peer_send(m, buf_span(&message));
	buf_free(&key);
	buf_free(&request);
	buf_free(&protocol);
	buf_free(&message);
}

void appstate_ask_key(struct wa_appstate *as, const uint8_t *id, size_t len)
{
	const size_t room = sizeof as->asked / sizeof as->asked[0];
	int64_t now_ms = wa_client_mono_ms(as->m->client);
	struct appstate_asked *next = &as->asked[as->nasked++ % room];

	for (size_t i = 0; i < room; i++) {
		const struct appstate_asked *a = &as->asked[i];

		if (a->len == len && memcmp(a->id, id, len) == 0 && now_ms - a->at_ms < ASK_AGAIN_MS) {
			as->nasked--;
			return;
		}
	}
	*next = (struct appstate_asked){ .len = len, .at_ms = now_ms };
	memcpy(next->id, id, len);
	send_key_request(as->m, span_of(id, len));
}

/* ---- what is due ---- */

static void timer_fired(struct wa_client *client, void *arg)
{
	(void)client;
	appstate_go(arg);
}

static void go_at(struct wa_appstate *as, int64_t at_ms)
{
	wa_timer_start(as->m->client, &as->timer, at_ms, timer_fired, as);
}

void appstate_go_soon(struct wa_appstate *as)
{
	if (as->m->open)
		go_at(as, wa_client_mono_ms(as->m->client));
}

void appstate_push_end(struct wa_appstate *as, struct appstate_push *push, int code, const char *text)
{
	struct wa_event event = { .kind = WA_EVENT_CHANGED, .tag = push->tag, .code = code };
	struct appstate_push **at = &as->pushes;
	char *copy = text == NULL ? NULL : xstrdup(text);

	while (*at != push)
		at = &(*at)->next;
	*at = push->next;
	as->last_push = NULL;
	for (struct appstate_push *p = as->pushes; p != NULL; p = p->next)
		as->last_push = p;
	as->npushes--;
	buf_wipe(&push->index);
	buf_wipe(&push->value);
	free(push);
	event.text = copy;
	wa_client_event(as->m->client, &event);
	free(copy);
}

static void end_all_pushes(struct wa_appstate *as, const char *text)
{
	while (as->pushes != NULL)
		appstate_push_end(as, as->pushes, CODE_UNAVAILABLE, text);
}

static enum appstate_collection next_wanted(struct wa_appstate *as)
{
	int64_t now_ms = wa_client_mono_ms(as->m->client);
	int64_t first_ms = INT64_MAX;

	for (size_t i = 0; i < APPSTATE_COLLECTIONS; i++) {
		const struct appstate_want *want = &as->wants[i];

		if (!want->wanted || want->keyless || want->failures > FAILURES_MAX)
			continue;
		if (want->retry_ms <= now_ms)
			return (enum appstate_collection)i;
		if (want->retry_ms < first_ms)
			first_ms = want->retry_ms;
	}
	if (first_ms != INT64_MAX)
		go_at(as, first_ms);
	return APPSTATE_COLLECTIONS;
}

static void cleaned(struct wa_client *client, const struct wa_node *answer, void *arg)
{
	/* A refused clean only means that the server says so again next time. */
	(void)client;
	(void)answer;
	(void)arg;
}

static void clean(struct wa_appstate *as)
{
	struct wa_node *iq, *child;
	struct arena a;

	for (size_t i = 0; i < APPSTATE_COLLECTIONS; i++)
		if (as->wants[i].wanted)
			return;
	as->dirty = false;
	arena_init(&a, 0);
	iq = wa_iq_new(&a, "set", "urn:xmpp:whatsapp:dirty");
	child = wa_node_add_new(&a, iq, "clean");
	wa_node_attr(&a, child, "type", "syncd_app_state");
	if (as->dirty_time != 0)
		wa_node_attr_u64(&a, child, "timestamp", as->dirty_time);
	wa_client_iq(as->m->client, &a, iq, cleaned, NULL);
	arena_free(&a);
}

void appstate_go(struct wa_appstate *as)
{
	enum appstate_collection c;

	if (as->run != NULL)
		return;
	if (!as->m->open) {
		end_all_pushes(as, "the session is not connected");
		return;
	}
	if (as->reviewing)
		return;
	while (as->pushes != NULL && (as->pushes->refused || as->pushes->crowded))
		appstate_push_end(as, as->pushes, as->pushes->refused ? CODE_BAD_REQUEST : CODE_TOO_MANY,
				  as->pushes->refused ? "such a change cannot be made" : "too many changes wait");
	if (as->pushes != NULL) {
		appstate_run_start(as, as->pushes->collection, as->pushes);
		return;
	}
	c = next_wanted(as);
	if (c < APPSTATE_COLLECTIONS)
		appstate_run_start(as, c, NULL);
	else if (as->dirty)
		clean(as);
}

static void failed(struct wa_appstate *as, enum appstate_collection c, const char *text)
{
	struct appstate_want *want = &as->wants[c];
	int64_t pause_ms = RETRY_FIRST_MS;
	char line[200];

	for (unsigned i = 0; i < want->failures && pause_ms < RETRY_MAX_MS; i++)
		pause_ms *= 2;
	want->failures++;
	want->retry_ms = wa_client_mono_ms(as->m->client) + (pause_ms < RETRY_MAX_MS ? pause_ms : RETRY_MAX_MS);
	snprintf(line, sizeof line, "app state %s is not in sync: %s", appstate_collection_name(c), text);
	wa_client_warn(as->m->client, 0, line);
}

/* The host shows it; told when it changes. */
static void tell_health(struct wa_appstate *as, enum appstate_collection c, bool degraded, const char *why)
{
	struct wa_event event = { .kind = WA_EVENT_APPSTATE_HEALTH, .code = degraded };
	struct appstate_want *want = &as->wants[c];

	if (want->degraded == degraded)
		return;
	want->degraded = degraded;
	event.text = xstrdup(appstate_collection_name(c));
	event.text2 = why != NULL ? xstrdup(why) : NULL;
	wa_client_event(as->m->client, &event);
	free(event.text);
	free(event.text2);
}

void appstate_run_ended(struct wa_appstate *as, enum appstate_collection c, struct appstate_push *push, enum appstate_end end, int code, const char *text)
{
	struct appstate_want *want = &as->wants[c];

	switch (end) {
	case APPSTATE_END_OK:
		want->wanted = want->again;
		want->failures = 0;
		tell_health(as, c, false, NULL);
		break;
	case APPSTATE_END_AGAIN:
		if (push == NULL)
			want->wanted = true;
		break;
	case APPSTATE_END_KEYLESS:
		if (code == APPSTATE_MISSING_KEY)
			tell_health(as, c, true, text);
		want->keyless = want->wanted = true;
		break;
	case APPSTATE_END_FAILED:
		/* An upload whose answer is lost may have been taken: what the server has is looked at. */
		want->wanted = true;
		if (as->m->open)
			failed(as, c, text);
		break;
	case APPSTATE_END_BROKEN:
		want->wanted = true;
		tell_health(as, c, true, text);
		if (as->m->open) {
			failed(as, c, text);
			appstate_ask_recovery(as, c);
		}
		break;
	case APPSTATE_END_REFUSED:
		/* A change that is refused says nothing about the collection. */
		if (push != NULL) {
			want->wanted = true;
			break;
		}
		want->failures = FAILURES_MAX;
		tell_health(as, c, true, text);
		failed(as, c, text);
		break;
	}
	want->again = false;
	if (push != NULL && end == APPSTATE_END_OK && push->names_us)
		wa_client_presence(as->m->client, as->m->available);
	if (push != NULL && (end != APPSTATE_END_AGAIN || ++push->rounds >= ROUNDS_MAX))
		appstate_push_end(as, push, end == APPSTATE_END_OK ? 0 : code != 0 && code != APPSTATE_MISSING_KEY ? code : CODE_UNAVAILABLE, end == APPSTATE_END_OK ? NULL : text);
	/* Not further down the stack of a run that has just ended. */
	go_at(as, wa_client_mono_ms(as->m->client));
}

/* Also when it is just being synced: the answer may be older than the wish. */
static void want(struct wa_appstate *as, enum appstate_collection c)
{
	as->wants[c].wanted = as->wants[c].again = true;
}

/* ---- after a login, after new keys: what is behind? ---- */

static void reviewed(void *arg, bool ok)
{
	struct wa_appstate *as = arg;
	struct span record;
	bool keys;

	as->reviewing = false;
	if (ok) {
		keys = state_op_get(&as->review, WA_RECORD_APPSTATE, APPSTATE_KEYS_RECORD, &record) && record.n > 0;
		for (size_t i = 0; keys && i < APPSTATE_COLLECTIONS; i++) {
			struct appstate_stored stored;

			appstate_load(&as->review, (enum appstate_collection)i, &stored);
			if (!stored.synced || stored.rebuild || stored.wanted > stored.state.version)
				want(as, (enum appstate_collection)i);
		}
	}
	state_op_end(&as->review);
	if (!ok || !as->m->open)
		return;
	go_at(as, wa_client_mono_ms(as->m->client));
}

static void review(struct wa_appstate *as)
{
	struct state_keys keys = { 0 };

	if (as->reviewing)
		return;
	as->reviewing = true;
	state_op_init(&as->review, wa_client_state(as->m->client));
	wa_appstate_keys(&keys);
	for (size_t i = 0; i < APPSTATE_COLLECTIONS; i++)
		appstate_state_key(&keys, (enum appstate_collection)i);
	state_op_fetch(&as->review, keys.keys, keys.n, reviewed, as);
	state_keys_free(&keys);
}

void wa_appstate_keys_came(struct wa_appstate *as)
{
	for (size_t i = 0; i < APPSTATE_COLLECTIONS; i++)
		as->wants[i].keyless = false;
	if (as->m->open)
		review(as);
}

void wa_appstate_dirty(struct wa_client *client, uint64_t time)
{
	struct wa_appstate *as = &wa_client_messaging(client)->appstate;

	as->dirty = true;
	as->dirty_time = time;
	for (size_t i = 0; i < APPSTATE_COLLECTIONS; i++)
		want(as, (enum appstate_collection)i);
	if (as->m->open)
		go_at(as, wa_client_mono_ms(client));
}

/* ---- life ---- */

void wa_appstate_init(struct wa_appstate *as, struct wa_messaging *m)
{
	as->m = m;
}

void wa_appstate_opened(struct wa_appstate *as)
{
	for (size_t i = 0; i < APPSTATE_COLLECTIONS; i++) {
		as->wants[i].failures = 0;
		as->wants[i].retry_ms = 0;
		as->wants[i].keyless = false;
	}
	review(as);
}

void wa_appstate_closed(struct wa_appstate *as)
{
	wa_timer_stop(as->m->client, &as->timer);
	if (as->reviewing) {
		state_op_end(&as->review);
		as->reviewing = false;
	}
	as->dirty = false;
	if (as->run != NULL)
		appstate_run_closed(as->run);
	wa_timer_stop(as->m->client, &as->timer);
	/* One whose run is still being stored is answered by its end. */
	if (as->run == NULL)
		end_all_pushes(as, "the connection was lost");
}

void wa_appstate_free(struct wa_appstate *as)
{
	wa_timer_stop(as->m->client, &as->timer);
	if (as->reviewing)
		state_op_end(&as->review);
	as->reviewing = false;
	if (as->run != NULL)
		appstate_run_free(as->run);
	as->run = NULL;
	for (size_t i = 0; i < APPSTATE_COLLECTIONS; i++)
		buf_wipe(&as->wants[i].copy);
	while (as->pushes != NULL) {
		struct appstate_push *push = as->pushes;

		as->pushes = push->next;
		buf_wipe(&push->index);
		buf_wipe(&push->value);
		free(push);
	}
}

/* ---- the host's changes ---- */

void wa_client_change(struct wa_client *client, uint64_t tag, const struct wa_action *action)
{
	struct wa_appstate *as = &wa_client_messaging(client)->appstate;
	struct appstate_push *push = xcalloc(1, sizeof *push);

	push->tag = tag;
	push->remove = action->removed;
	push->names_us = strcmp(action->name, "setting_pushName") == 0;
	push->refused = !appstate_action_write(action, wa_client_wall_ms(client), &push->index, &push->value, &push->version, &push->collection);
	if (as->last_push != NULL)
		as->last_push->next = push;
	else
		as->pushes = push;
	as->last_push = push;
	push->crowded = ++as->npushes > LIMIT_WA_APPSTATE_WAITING;
	go_at(as, wa_client_mono_ms(client));
}

/* ---- the server's notification: <notification type="server_sync"><collection name version/>... ---- */

struct sync_job {
	struct stanza_job job; /* first member */
};

static void raise(struct sync_job *job, const struct wa_node *collection)
{
	enum appstate_collection c = appstate_collection_find(wa_node_get_or_empty(collection, "name"));
	struct wa_appstate *as = &job->job.m->appstate;
	struct appstate_stored stored;
	uint64_t version = 0;

	if (!wa_node_is(collection, "collection") || c == APPSTATE_COLLECTIONS)
		return;
	appstate_load(&job->job.op, c, &stored);
	wa_node_get_u64(collection, "version", &version);
	if (version != 0 && version <= stored.state.version)
		return;
	if (version > stored.wanted) {
		stored.wanted = version;
		appstate_store(&job->job.op, c, &stored);
	}
	want(as, c);
}

static void states_loaded(void *arg, bool ok)
{
	struct sync_job *job = arg;
	struct wa_messaging *m = job->job.m;
	const struct wa_node *node = wa_stanza_node(job->job.stanza);

	if (!ok) {
		wa_job_done(&job->job);
		return;
	}
	for (size_t i = 0; i < node->nnodes; i++)
		raise(job, node->nodes[i]);
	wa_job_commit_and_ack(&job->job);
	if (m->open)
		go_at(&m->appstate, wa_client_mono_ms(m->client));
}

void wa_on_server_sync(struct wa_client *client, struct wa_stanza *stanza)
{
	struct sync_job *job = wa_job_new(wa_client_messaging(client), stanza, sizeof *job);
	struct state_keys keys = { 0 };

	for (size_t i = 0; i < APPSTATE_COLLECTIONS; i++)
		appstate_state_key(&keys, (enum appstate_collection)i);
	state_op_fetch(&job->job.op, keys.keys, keys.n, states_loaded, job);
	state_keys_free(&keys);
}

/* ---- files ---- */

void wa_appstate_blob(struct wa_appstate *as, uint64_t token, struct span bytes, const char *error)
{
	if (as->run != NULL)
		appstate_run_blob(as->run, token, bytes, error);
}
