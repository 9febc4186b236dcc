/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Our prekeys at the server: counting, making and uploading one-time keys, comparing digests, rotating the signed one.
 *
 *     count -> enough: done
 *           -> make (sliced) -> commit -> upload -> done
 *
 * Keys are stored before they are offered, and the counter of ids is stored with them: after a failure whose outcome is unclear the
 * next upload uses new ids. Batch sizes: Baileys 7 and whatsmeow (812 at first, 50 later).
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/crypto/crypto.h"
#include "sessiond/wa/connection.h"

#define PREKEYS_LOW 5U
#define PREKEYS_FIRST 812U
#define PREKEYS_LATER 50U
/* About 3 ms. */
#define PREKEYS_SLICE 32U
#define UPLOAD_TRIES 3U
#define RETRY_MS 1000
#define WAITERS_MAX 4U

#define DAY_MS 86400000LL
#define ROTATION_MS (27 * DAY_MS)
/* Old signed prekeys stay for messages that were written with them. */
#define GENERATIONS_KEPT 3U
#define ID_TEXT 12

struct prekeys {
	prekeys_done *waiters[WAITERS_MAX];
	size_t nwaiters;
	struct wa_timer timer;
	struct state_op op;
	bool op_active;
	uint32_t *ids;                       /* owned */
	uint8_t (*publics)[CURVE_KEY_LEN];   /* owned */
	uint32_t wanted, made;
	unsigned tries;
};

static const char *id_text(uint32_t id, char out[ID_TEXT])
{
	snprintf(out, ID_TEXT, "%" PRIu32, id);
	return out;
}

/* One new key under the next id, put into the operation; the device record with its counter must follow. */
static int make_one(struct wa_client *client, struct state_op *op, uint32_t *id, uint8_t public_key[CURVE_KEY_LEN])
{
	struct curve_pair pair;
	uint8_t random[CURVE_KEY_LEN];
	uint8_t record[2 * CURVE_KEY_LEN];
	char name[ID_TEXT];
	int result;

	wa_client_random(client, random, sizeof random);
	result = curve_pair_from_random(random, &pair);
	if (result == 0) {
		*id = client->creds.next_prekey_id;
		client->creds.next_prekey_id = creds_next_id(*id);
		memcpy(record, pair.private_key, CURVE_KEY_LEN);
		memcpy(record + CURVE_KEY_LEN, pair.public_key, CURVE_KEY_LEN);
		memcpy(public_key, pair.public_key, CURVE_KEY_LEN);
		state_op_put(op, WA_RECORD_PREKEY, id_text(*id, name), span_of(record, sizeof record));
	}
	crypto_wipe(random, sizeof random);
	crypto_wipe(record, sizeof record);
	crypto_wipe(&pair, sizeof pair);
	return result;
}

int wa_prekeys_take(struct wa_client *client, struct state_op *op, uint32_t *id, uint8_t public_key[CURVE_KEY_LEN])
{
	int result = make_one(client, op, id, public_key);

	if (result == 0)
		client_put_creds(client, op);
	return result;
}

/* Ends the run and tells everybody who waits. */
static void finish(struct wa_client *client, bool ok)
{
	struct prekeys *run = client->prekeys;

	client->prekeys = NULL;
	wa_timer_stop(client, &run->timer);
	if (run->op_active)
		state_op_end(&run->op);
	for (size_t i = 0; i < run->nwaiters; i++)
		run->waiters[i](client, ok);
	free(run->ids);
	free(run->publics);
	free(run);
}

void prekeys_reset(struct wa_client *client)
{
	if (client->prekeys == NULL)
		return;
	client->prekeys->nwaiters = 0;
	finish(client, false);
}

/* ---- upload ---- */

static void add_signed_prekey(struct arena *a, struct wa_node *parent, const struct signed_prekey *key)
{
	struct wa_node *skey = wa_node_add_new(a, parent, "skey");
	uint8_t id[3];

	creds_id_bytes(key->id, id);
	wa_node_add_bytes(a, skey, "id", span_of(id, sizeof id));
	wa_node_add_bytes(a, skey, "value", span_of(key->pair.public_key, CURVE_KEY_LEN));
	wa_node_add_bytes(a, skey, "signature", span_of(key->signature, CURVE_SIGNATURE_LEN));
}

static struct wa_node *build_upload(struct arena *a, const struct wa_creds *creds, const struct prekeys *run)
{
	struct wa_node *iq = wa_iq_new(a, "set", "encrypt"), *list;
	static const uint8_t type = CURVE_TYPE;
	uint8_t registration[4], id[3];

	creds_registration_bytes(creds->registration_id, registration);
	wa_node_add_bytes(a, iq, "registration", span_of(registration, sizeof registration));
	wa_node_add_bytes(a, iq, "type", span_of(&type, 1));
	wa_node_add_bytes(a, iq, "identity", span_of(creds->identity.public_key, CURVE_KEY_LEN));
	list = wa_node_add_new(a, iq, "list");
	for (uint32_t i = 0; i < run->made; i++) {
		struct wa_node *key = wa_node_add_new(a, list, "key");

		creds_id_bytes(run->ids[i], id);
		wa_node_add_bytes(a, key, "id", span_of(id, sizeof id));
		wa_node_add_bytes(a, key, "value", span_of(run->publics[i], CURVE_KEY_LEN));
	}
	add_signed_prekey(a, iq, &creds->signed_prekey);
	return iq;
}

static void upload(struct wa_client *client, void *arg);

static void uploaded(struct wa_client *client, const struct wa_node *answer, void *arg)
{
	struct prekeys *run = client->prekeys;
	char warning[120];
	const char *text;
	int code;

	if (run == NULL || run != arg)
		return;
	if (wa_iq_ok(answer, &code, &text)) {
		if (!client->creds.prekeys_uploaded) {
			client->creds.prekeys_uploaded = true;
			client_save_creds(client);
		}
		finish(client, true);
	} else if (answer != NULL && ++run->tries < UPLOAD_TRIES) {
		/* A clear refusal: the same keys may be offered again. */
		wa_timer_start(client, &run->timer, wa_client_mono_ms(client) + (RETRY_MS << run->tries), upload, NULL);
	} else {
		snprintf(warning, sizeof warning, "prekey upload failed: %s (%d)", text, code);
		wa_client_warn(client, code, warning);
		finish(client, false);
	}
}

static void upload(struct wa_client *client, void *arg)
{
	struct arena arena;

	(void)arg;
	arena_init(&arena, 0);
	wa_client_iq(client, &arena, build_upload(&arena, &client->creds, client->prekeys), uploaded, client->prekeys);
	arena_free(&arena);
}

static void stored(void *arg, bool ok)
{
	struct wa_client *client = arg;
	struct prekeys *run = client->prekeys;

	/* Of an earlier run, whose connection is gone: its keys stay stored and are never offered. */
	if (!ok || run == NULL || run->made < run->wanted || !run->op_active)
		return;
	state_op_end(&run->op);
	run->op_active = false;
	upload(client, NULL);
}

static void make_slice(struct wa_client *client, void *arg)
{
	struct prekeys *run = client->prekeys;

	(void)arg;
	for (unsigned i = 0; i < PREKEYS_SLICE && run->made < run->wanted; i++) {
		if (make_one(client, &run->op, &run->ids[run->made], run->publics[run->made]) != 0) {
			wa_client_warn(client, CODE_BAD_SESSION, "prekeys could not be made");
			finish(client, false);
			return;
		}
		run->made++;
	}
	if (run->made < run->wanted) {
		wa_timer_start(client, &run->timer, wa_client_mono_ms(client), make_slice, NULL);
		return;
	}
	client_put_creds(client, &run->op);
	state_op_commit(&run->op, stored, client);
}

static void make(struct wa_client *client, bool first)
{
	struct prekeys *run = client->prekeys;

	run->wanted = first ? PREKEYS_FIRST : PREKEYS_LATER;
	run->ids = xcalloc(run->wanted, sizeof *run->ids);
	run->publics = xcalloc(run->wanted, sizeof *run->publics);
	run->op_active = true;
	state_op_init(&run->op, client->state);
	make_slice(client, NULL);
}

static void counted(struct wa_client *client, const struct wa_node *answer, void *arg)
{
	struct prekeys *run = client->prekeys;
	uint64_t count = 0;

	if (run == NULL || run != arg)
		return;
	if (!wa_iq_ok(answer, NULL, NULL)) {
		finish(client, false);
		return;
	}
	/* A missing value means none. */
	wa_node_get_u64(wa_node_child(answer, "count"), "value", &count);
	if (count >= PREKEYS_LOW)
		finish(client, true);
	else
		make(client, count == 0 || !client->creds.prekeys_uploaded);
}

void prekeys_check(struct wa_client *client, bool force, prekeys_done *done)
{
	struct prekeys *run = client->prekeys;
	struct wa_node *iq;
	struct arena arena;

	if (run == NULL) {
		run = client->prekeys = xcalloc(1, sizeof *run);
		if (force) {
			make(client, false);
		} else {
			arena_init(&arena, 0);
			iq = wa_iq_new(&arena, "get", "encrypt");
			wa_node_add_new(&arena, iq, "count");
			wa_client_iq(client, &arena, iq, counted, run);
			arena_free(&arena);
		}
	}
	if (done != NULL && run->nwaiters < WAITERS_MAX)
		run->waiters[run->nwaiters++] = done;
}

void prekeys_on_low(struct wa_client *client, struct wa_stanza *stanza)
{
	uint64_t count = 0;

	wa_stanza_ack(client, stanza, 0);
	wa_node_get_u64(wa_node_child(wa_stanza_node(stanza), "count"), "value", &count);
	if (count < PREKEYS_LOW)
		prekeys_check(client, true, NULL);
	wa_stanza_done(client, stanza);
}

/* ---- digest ---- */

static bool same_signed_prekey(const struct wa_node *skey, const struct signed_prekey *own)
{
	uint8_t id[3];

	creds_id_bytes(own->id, id);
	return span_equal(wa_node_child_content(skey, "id"), span_of(id, sizeof id)) &&
	       span_equal(wa_node_child_content(skey, "value"), span_of(own->pair.public_key, CURVE_KEY_LEN));
}

static void digested(struct wa_client *client, const struct wa_node *answer, void *arg)
{
	const struct wa_node *digest = wa_node_child(answer, "digest");
	uint8_t registration[4];
	int code;

	(void)arg;
	if (!wa_iq_ok(answer, &code, NULL)) {
		/* The server has nothing of ours; every other error is its own trouble. */
		if (code == 404)
			prekeys_check(client, true, NULL);
		return;
	}
	creds_registration_bytes(client->creds.registration_id, registration);
	if (digest == NULL) {
		prekeys_check(client, true, NULL);
	} else if (digest->nnodes > 0 &&
	           (!span_equal(wa_node_child_content(digest, "registration"), span_of(registration, sizeof registration)) ||
	            !span_equal(wa_node_child_content(digest, "identity"), span_of(client->creds.identity.public_key, CURVE_KEY_LEN)) ||
	            !same_signed_prekey(wa_node_child(digest, "skey"), &client->creds.signed_prekey))) {
		wa_client_warn(client, CODE_BAD_SESSION, "the server holds other keys for this device: uploading ours again");
		prekeys_check(client, true, NULL);
	}
}

void prekeys_check_digest(struct wa_client *client)
{
	struct wa_node *iq;
	struct arena arena;

	arena_init(&arena, 0);
	iq = wa_iq_new(&arena, "get", "encrypt");
	wa_node_add_new(&arena, iq, "digest");
	wa_client_iq(client, &arena, iq, digested, NULL);
	arena_free(&arena);
}

/* ---- rotation of the signed prekey ---- */

/* The candidate is stored under its id before it is sent, so messages made with it can be read whatever becomes of the answer. */
struct rotation {
	struct wa_client *client;
	uint32_t generation;
	struct state_op op;
	struct signed_prekey candidate;
	char name[ID_TEXT];
};

static void rotation_due(struct wa_client *client, void *arg)
{
	(void)arg;
	prekeys_check_rotation(client);
}

static void rotation_end(struct rotation *rotation)
{
	rotation->client->rotation = NULL;
	state_op_end(&rotation->op);
	crypto_wipe(rotation, sizeof *rotation);
	free(rotation);
}

void prekeys_free(struct wa_client *client)
{
	prekeys_reset(client);
	if (client->rotation != NULL)
		rotation_end(client->rotation);
}

static void rotated(struct wa_client *client, const struct wa_node *answer, void *arg)
{
	struct rotation *rotation = arg;
	char old[ID_TEXT];
	int code;

	if (wa_iq_ok(answer, &code, NULL)) {
		client->creds.signed_prekey = rotation->candidate;
		client_put_creds(client, &rotation->op);
		if (rotation->candidate.id > GENERATIONS_KEPT)
			state_op_delete(&rotation->op, WA_RECORD_SIGNED_PREKEY, id_text(rotation->candidate.id - GENERATIONS_KEPT, old));
		state_op_commit(&rotation->op, NULL, NULL);
	} else if (code == 406 || code == 409) {
		state_op_delete(&rotation->op, WA_RECORD_SIGNED_PREKEY, rotation->name);
		state_op_commit(&rotation->op, NULL, NULL);
	}
	/* In every other case the candidate stays, and the next try offers the same one. */
	if (answer != NULL)
		wa_timer_start(client, &client->rotation_timer, wa_client_mono_ms(client) + DAY_MS, rotation_due, NULL);
	rotation_end(rotation);
}

static void rotation_stored(void *arg, bool ok)
{
	struct rotation *rotation = arg;
	struct wa_client *client = rotation->client;
	struct wa_node *iq;
	struct arena arena;

	if (!ok || rotation->generation != client->generation) {
		rotation_end(rotation);
		return;
	}
	arena_init(&arena, 0);
	iq = wa_iq_new(&arena, "set", "encrypt");
	add_signed_prekey(&arena, wa_node_add_new(&arena, iq, "rotate"), &rotation->candidate);
	wa_client_iq(client, &arena, iq, rotated, rotation);
	arena_free(&arena);
}

static bool read_candidate(struct span record, uint32_t id, struct signed_prekey *out)
{
	struct reader reader = reader_of(record.p, record.n);
	struct span private_key = read_span(&reader, CURVE_KEY_LEN), public_key = read_span(&reader, CURVE_KEY_LEN);
	struct span signature = read_span(&reader, CURVE_SIGNATURE_LEN);

	out->id = id;
	out->created_ms = (int64_t)read_be64(&reader);
	if (!reader.ok)
		return false;
	memcpy(out->pair.private_key, private_key.p, CURVE_KEY_LEN);
	memcpy(out->pair.public_key, public_key.p, CURVE_KEY_LEN);
	memcpy(out->signature, signature.p, CURVE_SIGNATURE_LEN);
	return true;
}

void prekeys_write_signed(const struct signed_prekey *key, struct buf *out)
{
	buf_append(out, key->pair.private_key, CURVE_KEY_LEN);
	buf_append(out, key->pair.public_key, CURVE_KEY_LEN);
	buf_append(out, key->signature, CURVE_SIGNATURE_LEN);
	buf_be64(out, (uint64_t)key->created_ms);
}

static void candidate_fetched(void *arg, bool ok)
{
	struct rotation *rotation = arg;
	struct wa_client *client = rotation->client;
	uint32_t id = creds_next_id(client->creds.signed_prekey.id);
	struct buf record = { 0 };
	struct span found;

	if (!ok || rotation->generation != client->generation) {
		rotation_end(rotation);
		return;
	}
	if (!state_op_get(&rotation->op, WA_RECORD_SIGNED_PREKEY, rotation->name, &found) ||
	    !read_candidate(found, id, &rotation->candidate)) {
		if (creds_make_signed_prekey(&client->creds, client->loop->signer, client->host->random, client->ctx, id,
		                             wa_client_wall_ms(client), &rotation->candidate) != 0) {
			rotation_end(rotation);
			return;
		}
		prekeys_write_signed(&rotation->candidate, &record);
		state_op_put(&rotation->op, WA_RECORD_SIGNED_PREKEY, rotation->name, buf_span(&record));
		buf_wipe(&record);
	}
	state_op_commit(&rotation->op, rotation_stored, rotation);
}

void prekeys_check_rotation(struct wa_client *client)
{
	int64_t age_ms = wa_client_wall_ms(client) - client->creds.signed_prekey.created_ms;
	struct rotation *rotation;
	struct wa_key key = { .kind = WA_RECORD_SIGNED_PREKEY };

	if (client->phase != PHASE_OPEN)
		return;
	/* Never beside an upload, which sends the signed prekey too. */
	if (age_ms < ROTATION_MS || client->prekeys != NULL || client->rotation != NULL) {
		wa_timer_start(client, &client->rotation_timer, wa_client_mono_ms(client) + DAY_MS, rotation_due, NULL);
		return;
	}
	rotation = client->rotation = xcalloc(1, sizeof *rotation);
	rotation->client = client;
	rotation->generation = client->generation;
	id_text(creds_next_id(client->creds.signed_prekey.id), rotation->name);
	key.name = rotation->name;
	state_op_init(&rotation->op, client->state);
	state_op_fetch(&rotation->op, &key, 1, candidate_fetched, rotation);
}
