/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is said about history on the wire.
 *
 *     phone   protocolMessage{ 2: 5, 6: HistorySyncNotification }            category peer: WA_EVENT_HISTORY, durable
 *     we      <receipt id type="peer_msg" to=PHONE/>                         once the notice is stored
 *     we      <receipt id type="hist_sync" to=OWN/>                          once the host has stored the history: wa_client_history_done()
 *     we      protocolMessage{ 2: 16, 16: { 1: 3, 4: HistorySyncOnDemandRequest } }    wa_client_history_more(); the answer is a notice again
 *
 * Sources: Baileys Socket/messages-recv.ts (fetchMessageHistory), Utils/history.ts; whatsmeow message.go, send.go (BuildHistorySyncRequest).
 */
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/wa/e2e.h"
#include "sessiond/wa/e2e_fields.h"
#include "sessiond/wa/history.h"
#include "sessiond/wa/lidmap.h"
#include "sessiond/wa/peer.h"
#include "sessiond/wa/proto_walk.h"
#include "sessiond/wa/receive.h"
#include "sessiond/wa/secret.h"
#include "sessiond/wa/seen.h"
#include "sessiond/wa/tctoken.h"

/* ProtocolMessage, HistorySyncNotification */
enum { PROTOCOL_TYPE = 2, PROTOCOL_HISTORY = 6, PROTOCOL_REQUEST = 16 };
enum {
	NOTICE_PLAIN_HASH = 1,
	NOTICE_LENGTH = 2,
	NOTICE_KEY = 3,
	NOTICE_ENC_HASH = 4,
	NOTICE_PATH = 5,
	NOTICE_KIND = 6,
	NOTICE_CHUNK = 7,
	NOTICE_PROGRESS = 9,
	NOTICE_INLINE = 11,
	NOTICE_REQUEST_ID = 12,
	NOTICE_HANDLE = 14
};
/* PeerDataOperationRequestMessage, HistorySyncOnDemandRequest */
enum { REQUEST_TYPE = 1, REQUEST_HISTORY = 4, HISTORY_SYNC_ON_DEMAND = 3 };
enum { WANT_CHAT = 1, WANT_OLDEST_ID = 2, WANT_OLDEST_FROM_ME = 3, WANT_COUNT = 4, WANT_OLDEST_TIME = 5, WANT_ACCOUNT_LID = 6 };

enum { HASH_BYTES = 32, KEY_BYTES = 32, PATH_MAX_BYTES = 2048, ID_MAX = 200, HANDLE_MAX = 4096 };

/* ---- the notice ---- */

static void take_number(struct wa_history_notice *n, uint32_t number, uint64_t value)
{
	uint32_t small = value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;

	switch (number) {
	case NOTICE_LENGTH: n->length = value; break;
	case NOTICE_KIND: n->kind = small; break;
	case NOTICE_CHUNK: n->chunk = small; break;
	case NOTICE_PROGRESS: n->progress = small > 100 ? 100 : small; break;
	default: break;
	}
}

static void take_bytes(struct wa_history_notice *n, uint32_t number, struct span bytes)
{
	switch (number) {
	case NOTICE_PLAIN_HASH: n->plain_sha256 = bytes; break;
	case NOTICE_KEY: n->key = bytes; break;
	case NOTICE_ENC_HASH: n->enc_sha256 = bytes; break;
	case NOTICE_PATH: n->direct_path = bytes; break;
	case NOTICE_INLINE: n->inlined = bytes; break;
	case NOTICE_REQUEST_ID: n->request_id = bytes; break;
	case NOTICE_HANDLE: n->handle = bytes; break;
	default: break;
	}
}

static bool is_hash(struct span hash)
{
	return hash.n == 0 || hash.n == HASH_BYTES;
}

static bool is_path(struct span path)
{
	return path.n > 0 && path.n <= PATH_MAX_BYTES && path.p[0] == '/' && memchr(path.p, 0, path.n) == NULL;
}

bool wa_history_notice_read(struct span bytes, struct wa_history_notice *out)
{
	struct reader r = reader_of(bytes.p, bytes.n);
	struct proto_field f;

	*out = (struct wa_history_notice){ 0 };
	while (proto_next(&r, &f)) {
		if (f.wire == PROTO_VARINT)
			take_number(out, f.number, f.value);
		else if (f.wire == PROTO_BYTES)
			take_bytes(out, f.number, f.bytes);
	}
	if (!r.ok || out->request_id.n > ID_MAX || out->handle.n > HANDLE_MAX || !is_hash(out->plain_sha256) || !is_hash(out->enc_sha256))
		return false;
	if (out->inlined.n > 0 || out->kind == HISTORY_NONE || out->kind == HISTORY_MESSAGE_ACCESS)
		return true;
	return out->key.n == KEY_BYTES && is_path(out->direct_path);
}

void wa_history_noticed(struct receive_job *job, struct span protocol)
{
	const struct envelope *e = &job->envelope;
	struct wa_history_notice notice;
	struct wa_event *event;
	struct span bytes;

	wa_seen_add(&job->job.op, &job->ring, &e->author, e->id);
	if (!proto_find(protocol, PROTOCOL_HISTORY, &bytes) || !wa_history_notice_read(bytes, &notice)) {
		wa_receive_refused(job, "it announces a history that cannot be read");
		return;
	}
	event = wa_event_new(WA_EVENT_HISTORY);
	event->text = xstrdup(e->id);
	event->number = notice.kind;
	event->ms = wa_client_wall_ms(job->job.m->client);
	buf_append_span(&event->bytes, bytes);
	state_op_event(&job->job.op, event);
}

bool wa_client_history_done(struct wa_client *client, const char *id)
{
	struct jid own = jid_bare(wa_client_own_pn(client));
	struct wa_node *receipt;
	struct arena a;
	bool ok;

	if (!wa_client_is_open(client))
		return false;
	arena_init(&a, 0);
	receipt = wa_node_new(&a, "receipt");
	wa_node_attr(&a, receipt, "id", id);
	wa_node_attr_jid(&a, receipt, "to", &own);
	wa_node_attr(&a, receipt, "type", "hist_sync");
	ok = wa_client_write(client, receipt);
	arena_free(&a);
	return ok;
}

/* ---- more of a chat ---- */

static void put_jid(struct buf *out, uint32_t field, const struct jid *jid)
{
	char text[JID_TEXT_MAX];

	proto_put_bytes(out, field, span_text(jid_format(jid, text, sizeof text)));
}

void wa_client_history_more(struct wa_client *client, const struct wa_history_request *wanted, char id[static 23])
{
	const struct jid *lid = wa_client_own_lid(client);
	struct jid own = jid_bare(lid);
	struct buf want = { 0 }, request = { 0 }, protocol = { 0 }, message = { 0 };

	put_jid(&want, WANT_CHAT, &wanted->chat);
	proto_put_text(&want, WANT_OLDEST_ID, wanted->oldest_id);
	proto_put_uint(&want, WANT_OLDEST_FROM_ME, wanted->oldest_from_me);
	proto_put_uint(&want, WANT_COUNT, wanted->count);
	/* Named milliseconds, sent as seconds (whatsmeow). */
	proto_put_uint(&want, WANT_OLDEST_TIME, (uint64_t)wanted->oldest_s);
	if (!jid_is_none(lid))
		put_jid(&want, WANT_ACCOUNT_LID, &own);
	proto_put_uint(&request, REQUEST_TYPE, HISTORY_SYNC_ON_DEMAND);
	proto_put_bytes(&request, REQUEST_HISTORY, buf_span(&want));
	proto_put_uint(&protocol, PROTOCOL_TYPE, E2E_PEER_DATA_REQUEST);
	proto_put_bytes(&protocol, PROTOCOL_REQUEST, buf_span(&request));
	proto_put_bytes(&message, E2E_PROTOCOL, buf_span(&protocol));
	wa_peer_ask(wa_client_messaging(client), buf_span(&message), true, id);
	buf_free(&want);
	buf_free(&request);
	buf_free(&protocol);
	buf_free(&message);
}

/* ---- what the history tells about people ---- */

struct learn_job {
	struct learn_job *next;      /* list of the messaging */
	struct wa_messaging *m;      /* borrowed */
	struct wa_learned *learned;  /* owned */
	wa_learn_done *done;
	void *arg;
	struct wa_timer timer;
	struct state_op op;
};

void wa_learned_free(struct wa_learned *learned)
{
	if (learned == NULL)
		return;
	for (size_t i = 0; i < learned->n; i++) {
		struct wa_learned_item *item = &learned->items[i];

		free(item->id);
		buf_wipe(&item->bytes);
	}
	free(learned->items);
	free(learned);
}

struct wa_learned_item *wa_learned_add(struct wa_learned *learned, enum wa_learned_kind kind)
{
	struct wa_learned_item *item;

	if (learned->n == learned->cap) {
		learned->cap = learned->cap == 0 ? 64 : learned->cap * 2;
		learned->items = xrealloc(learned->items, learned->cap * sizeof *learned->items);
	}
	item = &learned->items[learned->n++];
	*item = (struct wa_learned_item){ .kind = kind };
	return item;
}

static void learn_end(struct learn_job *job, bool ok)
{
	struct learn_job **at = &job->m->learns;

	while (*at != job)
		at = &(*at)->next;
	*at = job->next;
	wa_timer_stop(job->m->client, &job->timer);
	state_op_end(&job->op);
	wa_learned_free(job->learned);
	job->done(job->arg, ok);
	free(job);
}

static void learn_stored(void *arg, bool ok)
{
	learn_end(arg, ok);
}

static void learn_one(struct state_op *op, const struct wa_learned_item *item)
{
	switch (item->kind) {
	case WA_LEARNED_MAPPING:
		wa_lidmap_learn(op, &item->jid, &item->other);
		break;
	case WA_LEARNED_TOKEN:
		wa_tctoken_put(op, &item->jid, buf_span(&item->bytes), item->time_s, item->given_s);
		break;
	case WA_LEARNED_SALT:
		state_op_put(op, WA_RECORD_MISC, TCTOKEN_SALT_NAME, buf_span(&item->bytes));
		break;
	case WA_LEARNED_SECRET:
		wa_secret_remember(op, &item->jid, &item->other, item->id, buf_span(&item->bytes));
		break;
	}
}

static void learn_loaded(void *arg, bool ok)
{
	struct learn_job *job = arg;

	if (!ok) {
		learn_end(job, false);
		return;
	}
	for (size_t i = 0; i < job->learned->n; i++)
		learn_one(&job->op, &job->learned->items[i]);
	state_op_commit(&job->op, learn_stored, job);
}

static void learn_load(struct wa_client *client, void *arg)
{
	struct learn_job *job = arg;
	struct state_keys keys = { 0 };

	(void)client;
	for (size_t i = 0; i < job->learned->n; i++) {
		const struct wa_learned_item *item = &job->learned->items[i];

		if (item->kind == WA_LEARNED_MAPPING) {
			wa_lidmap_keys(&keys, &item->jid);
			wa_lidmap_keys(&keys, &item->other);
		} else if (item->kind == WA_LEARNED_TOKEN) {
			wa_tctoken_keys(&keys, &item->jid);
		}
	}
	state_op_fetch(&job->op, keys.keys, keys.n, learn_loaded, job);
	state_keys_free(&keys);
}

void wa_client_learn(struct wa_client *client, struct wa_learned *learned, wa_learn_done *done, void *arg)
{
	struct wa_messaging *m = wa_client_messaging(client);
	struct learn_job *job = xcalloc(1, sizeof *job);

	job->m = m;
	job->learned = learned;
	job->done = done;
	job->arg = arg;
	job->next = m->learns;
	m->learns = job;
	state_op_init(&job->op, wa_client_state(client));
	/* Not inside this call. */
	wa_timer_start(client, &job->timer, wa_client_mono_ms(client), learn_load, job);
}

void wa_learns_free(struct wa_messaging *m)
{
	while (m->learns != NULL) {
		struct learn_job *job = m->learns;

		learn_end(job, false);
		if (m->learns == job)
			abort();
	}
}
