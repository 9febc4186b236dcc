/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What own devices give each other when the server's copy does not help.
 *
 *     a collection whose snapshot is damaged -> the phone is asked for its own copy, in plain:
 *         ours   protocolMessage{ 2: 16, 16: { 1: 8 (syncd snapshot fatal recovery), 7: { 1: collection, 2: time in s } } }
 *         its    protocolMessage{ 2: 17, 17: { 3: { 8: { 1: SyncdSnapshotRecovery, 2: gzipped } } } }
 *         SyncdSnapshotRecovery{ 1: { 1: version }, 2: collection, 3: { 1: SyncActionData, 2: key id, 3: value MAC }, 4: LTHash }
 *     another companion asks for keys -> it gets those that are here
 *
 * Source: whatsmeow appstate.go and appstate/recovery.go, whatsapp-rust client/app_state.rs.
 */
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <zlib.h>

#include "common/limits.h"
#include "common/mem.h"
#include "sessiond/wa/e2e.h"
#include "sessiond/wa/e2e_fields.h"
#include "sessiond/wa/messaging.h"
#include "sessiond/wa/proto_walk.h"
#include "sessiond/wa/receive.h"

#define ASK_AGAIN_MS 3600000
#define KEYS_ASKED_MAX 32U

enum { PROTOCOL_TYPE = 2, PROTOCOL_KEY_SHARE = 7, PROTOCOL_KEY_REQUEST = 8, PROTOCOL_REQUEST = 16 };
enum { REQUEST_TYPE = 1, REQUEST_RECOVERY = 7, RECOVERY_OPERATION = 8, WANTED_NAME = 1, WANTED_TIME = 2 };
enum { RESPONSE_RESULT = 3, RESULT_RECOVERY = 8, ANSWER_BYTES = 1, ANSWER_GZIPPED = 2 };
enum { RECOVERY_VERSION = 1, RECOVERY_NAME = 2, RECOVERY_RECORDS = 3, RECOVERY_HASH = 4 };
enum { COPY_DATA = 1, COPY_KEY = 2, COPY_MAC = 3, DATA_INDEX = 1, DATA_VALUE = 2, ONLY_FIELD = 1 };
enum { REQUEST_KEY_IDS = 1, SHARE_KEYS = 1, KEY_ID = 1, KEY_DATA = 2, ID_BYTES = 1, DATA_KEY = 1, DATA_TIME = 3 };

static void send_protocol(struct wa_messaging *m, const struct jid *device, uint64_t type, uint32_t field, const struct buf *content)
{
	struct buf protocol = { 0 }, message = { 0 };

	proto_put_uint(&protocol, PROTOCOL_TYPE, type);
	proto_put_bytes(&protocol, field, buf_span(content));
	proto_put_bytes(&message, E2E_PROTOCOL, buf_span(&protocol));
	wa_peer_send_to(m, device, buf_span(&message));
	buf_wipe(&protocol);
	buf_wipe(&message);
}

/* ---- asking the phone for its copy ---- */

void appstate_ask_recovery(struct wa_appstate *as, enum appstate_collection c)
{
	struct appstate_want *want = &as->wants[c];
	int64_t now_ms = wa_client_mono_ms(as->m->client);
	struct buf wanted = { 0 }, request = { 0 };

	if (want->recovery_ms != 0 && now_ms - want->recovery_ms < ASK_AGAIN_MS)
		return;
	want->recovery_ms = now_ms;
	proto_put_text(&wanted, WANTED_NAME, appstate_collection_name(c));
	proto_put_uint(&wanted, WANTED_TIME, (uint64_t)wa_client_wall_ms(as->m->client) / 1000);
	proto_put_uint(&request, REQUEST_TYPE, RECOVERY_OPERATION);
	proto_put_bytes(&request, REQUEST_RECOVERY, buf_span(&wanted));
	send_protocol(as->m, NULL, E2E_PEER_DATA_REQUEST, PROTOCOL_REQUEST, &request);
	buf_free(&wanted);
	buf_free(&request);
}

/* ---- its answer ---- */

static bool gunzip(struct span in, struct buf *out)
{
	z_stream z = { .next_in = (z_const Bytef *)in.p, .avail_in = (uInt)in.n };
	int status;

	if (in.n > LIMIT_WA_APPSTATE_BLOB_BYTES || inflateInit2(&z, 15 + 32) != Z_OK)
		return false;
	do {
		z.next_out = buf_reserve(out, 65536);
		z.avail_out = 65536;
		status = inflate(&z, Z_NO_FLUSH);
		buf_commit(out, 65536 - z.avail_out);
	} while (status == Z_OK && out->len <= LIMIT_WA_APPSTATE_BLOB_BYTES);
	inflateEnd(&z);
	return status == Z_STREAM_END && out->len <= LIMIT_WA_APPSTATE_BLOB_BYTES;
}

static uint64_t number_in(struct span part, uint32_t number)
{
	struct reader r = reader_of(part.p, part.n);
	struct proto_field f;
	uint64_t value = 0;

	while (proto_next(&r, &f))
		if (f.number == number && f.wire == PROTO_VARINT)
			value = f.value;
	return value;
}

static void take_copy(struct wa_appstate *as, struct span answer)
{
	struct span bytes = { 0 }, name = { 0 };
	struct buf plain = { 0 };
	char text[APPSTATE_NAME_MAX] = "";
	enum appstate_collection c;

	if (!proto_find(answer, ANSWER_BYTES, &bytes) || !(number_in(answer, ANSWER_GZIPPED) ? gunzip(bytes, &plain) : bytes.n <= LIMIT_WA_APPSTATE_BLOB_BYTES)) {
		wa_client_warn(as->m->client, 0, "the phone's copy of app state cannot be read");
		buf_wipe(&plain);
		return;
	}
	if (plain.len == 0)
		buf_append_span(&plain, bytes);
	if (proto_find(buf_span(&plain), RECOVERY_NAME, &name) && name.n < sizeof text)
		memcpy(text, name.p, name.n);
	c = appstate_collection_find(text);
	/* Unasked for, it is nobody's wish. */
	if (c < APPSTATE_COLLECTIONS && as->wants[c].recovery_ms != 0) {
		buf_wipe(&as->wants[c].copy);
		as->wants[c].copy = plain;
		as->wants[c].retry_ms = 0;
		as->wants[c].failures = 0;
		as->wants[c].wanted = true;
		appstate_go_soon(as);
		return;
	}
	buf_wipe(&plain);
}

void wa_appstate_recovery(struct wa_appstate *as, struct span response)
{
	struct reader r = reader_of(response.p, response.n);
	struct proto_field f;
	struct span answer;

	while (proto_next(&r, &f))
		if (f.number == RESPONSE_RESULT && f.wire == PROTO_BYTES && proto_find(f.bytes, RESULT_RECOVERY, &answer))
			take_copy(as, answer);
}

/* ---- the copy becomes the state ---- */

static bool broken(struct appstate_work *w, const char *why)
{
	w->outcome = APPSTATE_BROKEN;
	w->why = why;
	return false;
}

static bool take_record(struct appstate_work *w, struct span record)
{
	struct span data = { 0 }, id = { 0 }, mac = { 0 };
	struct appstate_change *change;
	const struct appstate_key *key;
	struct appstate_keys keys;
	uint8_t index_mac[APPSTATE_MAC_BYTES];

	proto_find(record, COPY_KEY, &id);
	if (!proto_find(record, COPY_DATA, &data) || !proto_find(record, COPY_MAC, &mac) || mac.n != APPSTATE_MAC_BYTES)
		return broken(w, "an entry of the phone's copy cannot be read");
	key = appstate_keyring_find(&w->ring, id);
	if (key == NULL) {
		if (id.n == 0 || id.n > APPSTATE_KEY_ID_MAX)
			return broken(w, "an entry of the phone's copy names no key");
		w->outcome = APPSTATE_NO_KEY;
		memcpy(w->missing, id.p, id.n);
		w->missing_len = id.n;
		return false;
	}
	change = appstate_add_change(w);
	change->operation = APPSTATE_SET;
	buf_append_span(&change->plain, data);
	if (!proto_find(buf_span(&change->plain), DATA_INDEX, &change->index))
		return broken(w, "an entry of the phone's copy has no index");
	proto_find(buf_span(&change->plain), DATA_VALUE, &change->value);
	if (!appstate_keys_expand(span_of(key->data, sizeof key->data), &keys))
		return broken(w, "a key cannot be expanded");
	appstate_index_mac(&keys, change->index, index_mac);
	OPENSSL_cleanse(&keys, sizeof keys);
	if (appstate_table_find(&w->table, index_mac) != NULL)
		return broken(w, "the phone's copy has one index twice");
	appstate_hash_add(w->state.hash, mac.p);
	appstate_table_set(&w->table, index_mac, mac.p);
	return true;
}

void appstate_apply_copy(struct appstate_work *w, struct span copy)
{
	struct reader r = reader_of(copy.p, copy.n);
	struct span hash = { 0 }, version = { 0 };
	struct proto_field f;
	bool good = true;
	size_t n = 0;

	w->outcome = APPSTATE_APPLIED;
	w->state = (struct appstate_state){ 0 };
	w->has_snapshot = true;
	while (good && proto_next(&r, &f)) {
		if (f.wire != PROTO_BYTES)
			continue;
		if (f.number == RECOVERY_VERSION)
			version = f.bytes;
		else if (f.number == RECOVERY_HASH)
			hash = f.bytes;
		else if (f.number == RECOVERY_RECORDS)
			good = ++n <= LIMIT_WA_APPSTATE_ENTRIES && take_record(w, f.bytes);
	}
	w->state.version = number_in(version, ONLY_FIELD);
	if (!good && w->outcome == APPSTATE_APPLIED)
		broken(w, "the phone's copy has too many entries");
	else if (good && (!r.ok || w->state.version == 0))
		broken(w, "the phone's copy cannot be read");
	/* Whose hash is right shows with the next patch; ours is that of the entries. */
	w->state.diverged = hash.n != APPSTATE_HASH_BYTES || memcmp(hash.p, w->state.hash, APPSTATE_HASH_BYTES) != 0;
	w->applied += w->outcome == APPSTATE_APPLIED;
}

/* ---- keys for another companion ---- */

static bool put_key(struct buf *share, const struct appstate_keyring *ring, struct span id)
{
	const struct appstate_key *key = appstate_keyring_find(ring, id);
	struct buf entry = { 0 }, part = { 0 };

	if (key == NULL)
		return false;
	proto_put_bytes(&part, ID_BYTES, id);
	proto_put_bytes(&entry, KEY_ID, buf_span(&part));
	buf_clear(&part);
	proto_put_bytes(&part, DATA_KEY, span_of(key->data, sizeof key->data));
	proto_put_uint(&part, DATA_TIME, (uint64_t)key->time);
	proto_put_bytes(&entry, KEY_DATA, buf_span(&part));
	proto_put_bytes(share, SHARE_KEYS, buf_span(&entry));
	buf_wipe(&part);
	buf_wipe(&entry);
	return true;
}

void wa_appstate_answer_keys(struct receive_job *job, struct span protocol)
{
	struct span record = { 0 }, request, id;
	struct appstate_keyring ring;
	struct buf share = { 0 };
	struct proto_field f;
	struct reader r;
	size_t n = 0;

	if (!proto_find(protocol, PROTOCOL_KEY_REQUEST, &request))
		return;
	state_op_get(&job->job.op, WA_RECORD_APPSTATE, APPSTATE_KEYS_RECORD, &record);
	appstate_keyring_read(&ring, record);
	r = reader_of(request.p, request.n);
	while (n < KEYS_ASKED_MAX && proto_next(&r, &f))
		if (f.number == REQUEST_KEY_IDS && f.wire == PROTO_BYTES && proto_find(f.bytes, ID_BYTES, &id))
			n += put_key(&share, &ring, id);
	appstate_keyring_free(&ring);
	/* What is not here either is the phone's matter. */
	if (n > 0)
		send_protocol(job->job.m, &job->envelope.author, E2E_APP_STATE_SYNC_KEY_SHARE, PROTOCOL_KEY_SHARE, &share);
	buf_wipe(&share);
}
