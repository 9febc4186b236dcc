/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Answering retry receipts:
 *
 *     names, sent record -> session of the asker (from its keys, as it is, or from a fresh bundle) -> commit -> resend to that device
 */
#include "sessiond/wa/retry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/wa/bundle.h"
#include "sessiond/wa/devices.h"
#include "sessiond/wa/e2e.h"
#include "sessiond/wa/extras.h"
#include "sessiond/wa/job.h"
#include "sessiond/wa/lidmap.h"
#include "sessiond/wa/retrygroup.h"
#include "sessiond/wa/sent.h"

/* Why a request is not answered: code of WA_EVENT_RETRY_REQUESTED, 0 if it is. */
enum { RETRY_RESENT = 0, RETRY_REFUSED = 403, RETRY_UNKNOWN = 404, RETRY_NO_SESSION = 406, RETRY_TOO_OLD = 410, RETRY_TOO_OFTEN = 429 };

/* From this request on a session whose base key has not changed since the one before is given up. */
#define BASE_KEY_NOTED_AT 2

#define ANSWER_NAME_BYTES 512

struct retry_job {
	struct stanza_job job; /* first member */
	char answer[ANSWER_NAME_BYTES]; /* name of the record of the answer */
	const char *id;        /* borrowed from the stanza */
	uint64_t count;
	struct jid device;     /* who asks, as it came */
	struct jid address;    /* its Signal address */
	struct jid old_address;
	struct jid chat;       /* for an own device: the conversation; else server NONE */
	struct jid recipient;  /* what an own device calls the conversation; server NONE: nothing */
	struct jid many;       /* the group, or status@broadcast, that the message went to; else server NONE */
	struct sent_message sent;
	bool sent_loaded;
	struct bundles_query *bundles;
	struct buf stanza;     /* owned: the resend */
};

static void retry_clear(struct stanza_job *job)
{
	struct retry_job *retry = (struct retry_job *)job;

	wa_bundles_cancel(retry->bundles);
	wa_sent_free(&retry->sent);
	buf_free(&retry->stanza);
}

/* ---- requests that come more than once ---- */

static uint64_t written_mark(const struct retry_job *retry)
{
	uint64_t hash = UINT64_C(14695981039346656037) ^ retry->count;

	for (const char *c = retry->answer; *c != '\0'; c++)
		hash = (hash ^ (uint8_t)*c) * UINT64_C(1099511628211);
	return hash;
}

static bool was_written(const struct retry_job *retry)
{
	const struct wa_messaging *m = retry->job.m;
	uint64_t mark = written_mark(retry);

	for (size_t i = 0; i < m->nresends && i < RETRY_WRITTEN_MAX; i++)
		if (m->resends[i] == mark)
			return true;
	return false;
}

static void write_answer(struct retry_job *retry)
{
	struct wa_messaging *m = retry->job.m;

	if (retry->stanza.len > 0 && !was_written(retry) && wa_client_write_bytes(m->client, buf_span(&retry->stanza)))
		m->resends[m->nresends++ % RETRY_WRITTEN_MAX] = written_mark(retry);
}

/* True if this request was answered before: then it gets the same bytes, unless they leave on this very connection anyway. */
static bool answered_before(struct retry_job *retry)
{
	struct span answer;

	if (!state_op_get(&retry->job.op, WA_RECORD_SENT, retry->answer, &answer) || answer.n == 0 || retry->count > answer.p[0])
		return false;
	if (retry->count == answer.p[0])
		buf_append(&retry->stanza, answer.p + 1, answer.n - 1);
	return true;
}

static void remember_answer(struct retry_job *retry)
{
	struct buf answer = { 0 };

	buf_u8(&answer, (uint8_t)retry->count);
	buf_append_span(&answer, buf_span(&retry->stanza));
	state_op_put(&retry->job.op, WA_RECORD_SENT, retry->answer, buf_span(&answer));
	buf_free(&answer);
}

/* ---- the end ---- */

static void stored(void *arg, bool ok)
{
	struct retry_job *retry = arg;
	struct wa_client *client = retry->job.m->client;

	if (ok && wa_stanza_live(client, retry->job.stanza)) {
		write_answer(retry);
		wa_stanza_ack(client, retry->job.stanza, 0);
	}
	wa_job_done(&retry->job);
}

static void commit(struct retry_job *retry)
{
	wa_stanza_release(retry->job.m->client, retry->job.stanza);
	state_op_commit(&retry->job.op, stored, retry);
}

static void finish(struct retry_job *retry, int code)
{
	struct wa_event *event = wa_event_new(WA_EVENT_RETRY_REQUESTED);

	event->jid = retry->device;
	event->text = xstrdup(retry->id);
	event->number = (int64_t)retry->count;
	event->code = code;
	if (retry->sent_loaded)
		wa_sent_store(&retry->job.op, retry->id, &retry->sent);
	if (retry->stanza.len > 0)
		remember_answer(retry);
	state_op_event(&retry->job.op, event);
	commit(retry);
}

/* ---- the resend ---- */

static void pad_for(struct retry_job *retry, struct buf *padded)
{
	char chat[JID_TEXT_MAX];
	uint8_t random;

	if (!jid_is_none(&retry->many)) {
		wa_retry_group_key(&retry->job, &retry->many, padded);
		buf_append_span(padded, buf_span(&retry->sent.message));
	} else if (jid_is_none(&retry->chat))
		buf_append_span(padded, buf_span(&retry->sent.message));
	else
		e2e_wrap_device_sent(padded, jid_format(&retry->chat, chat, sizeof chat), buf_span(&retry->sent.message));
	wa_client_random(retry->job.m->client, &random, sizeof random);
	e2e_pad(padded, random);
}

static int build(struct retry_job *retry, struct span ciphertext, bool prekey)
{
	struct e2e_attributes attributes;
	struct wa_node *message;
	struct wa_node *enc;
	struct arena a;
	int rc;

	arena_init(&a, 0);
	e2e_attributes(buf_span(&retry->sent.message), &attributes);
	message = wa_node_new(&a, "message");
	wa_node_attr(&a, message, "id", retry->id);
	wa_node_attr_jid(&a, message, "to", jid_is_none(&retry->many) ? &retry->device : &retry->many);
	wa_node_attr(&a, message, "type", attributes.type);
	wa_node_attr(&a, message, "edit", attributes.edit);
	if (jid_is_none(&retry->many))
		wa_node_attr(&a, message, "device_fanout", "false");
	else
		wa_node_attr_jid(&a, message, "participant", &retry->device);
	if (jid_is_group(&retry->many))
		wa_node_attr(&a, message, "addressing_mode", wa_lidmap_is_lid(&retry->device) ? "lid" : "pn");
	wa_node_attr_u64(&a, message, "t", (uint64_t)(retry->sent.sent_ms / 1000));
	if (!jid_is_none(&retry->chat))
		wa_node_attr_jid(&a, message, "recipient", &retry->chat);
	enc = wa_node_add_new(&a, message, "enc");
	wa_node_attr(&a, enc, "v", "2");
	wa_node_attr(&a, enc, "type", prekey ? "pkmsg" : "msg");
	wa_node_attr(&a, enc, "mediatype", attributes.mediatype);
	wa_node_attr(&a, enc, "decrypt-fail", attributes.hide_failure ? "hide" : NULL);
	wa_node_attr_u64(&a, enc, "count", retry->count);
	wa_node_set_bytes(&a, enc, ciphertext);
	if (prekey)
		wa_messaging_add_identity(retry->job.m, &a, message);
	wa_stanza_extras(&a, message, buf_span(&retry->sent.message), &retry->sent.chat, wa_client_wall_ms(retry->job.m->client) / 1000);
	rc = wa_node_encode(&retry->stanza, message);
	arena_free(&a);
	return rc;
}

static void resend(struct retry_job *retry)
{
	struct signal_call call = wa_messaging_call(retry->job.m, &retry->job.op);
	struct buf padded = { 0 };
	struct buf ciphertext = { 0 };
	bool prekey = false;
	int rc;

	pad_for(retry, &padded);
	rc = wa_signal_encrypt(&call, &retry->address, buf_span(&padded), &ciphertext, &prekey);
	if (rc == SIGNAL_OK)
		rc = build(retry, buf_span(&ciphertext), prekey);
	buf_wipe(&padded);
	buf_free(&ciphertext);
	finish(retry, rc == 0 ? RETRY_RESENT : RETRY_NO_SESSION);
}

/* ---- the session ---- */

static bool genuine(struct retry_job *retry, struct span proof, const uint8_t *identity)
{
	struct jid phone = jid_with_device(&retry->address, 0);
	char name[SIGNAL_NAME_MAX];
	struct span key;
	bool known;

	if (retry->device.device == 0 || proof.n == 0)
		return true;
	known = state_op_get(&retry->job.op, WA_RECORD_IDENTITY, wa_signal_record_name(&phone, name), &key) &&
		key.n == SIGNAL_IDENTITY_BYTES;
	return wa_companion_is_genuine(proof, identity, known ? key.p + 1 : NULL);
}

static bool start_session(struct retry_job *retry, const struct signal_bundle *bundle, struct span proof)
{
	struct signal_call call = wa_messaging_call(retry->job.m, &retry->job.op);

	return genuine(retry, proof, bundle->identity) && wa_signal_start_session(&call, &retry->address, bundle) == SIGNAL_OK;
}

static void bundles_answered(void *arg, const struct bundle_answer *answers, size_t n, int code)
{
	struct retry_job *retry = arg;

	(void)code;
	retry->bundles = NULL;
	if (n == 1 && answers[0].error == 0 && start_session(retry, &answers[0].bundle, answers[0].device_identity))
		resend(retry);
	else
		finish(retry, RETRY_NO_SESSION);
}

/* Without keys from the asker: is the session we have worth another try? Source: whatsmeow retry.go. */
static bool session_is_usable(struct retry_job *retry, struct sent_asker *asker, uint32_t registration)
{
	static const uint8_t NONE[SIGNAL_IDENTITY_BYTES];
	struct signal_call call = wa_messaging_call(retry->job.m, &retry->job.op);
	uint8_t base_key[SIGNAL_IDENTITY_BYTES];

	if (!wa_signal_base_key(&call, &retry->address, base_key))
		return false;
	if (registration != 0 && registration != wa_signal_remote_registration(&call, &retry->address))
		return false;
	if (retry->count == BASE_KEY_NOTED_AT)
		memcpy(asker->base_key, base_key, sizeof base_key);
	if (retry->count > BASE_KEY_NOTED_AT && memcmp(asker->base_key, NONE, sizeof NONE) != 0 &&
	    memcmp(asker->base_key, base_key, sizeof base_key) == 0)
		return false;
	return true;
}

static uint32_t registration_of(const struct wa_node *receipt)
{
	struct span bytes = wa_node_child_content(receipt, "registration");
	struct reader r = reader_of(bytes.p, bytes.n);

	return bytes.n == 4 ? read_be32(&r) : 0;
}

static void sessions_loaded(void *arg, bool ok)
{
	struct retry_job *retry = arg;
	const struct wa_node *receipt = wa_stanza_node(retry->job.stanza);
	const struct wa_node *keys = wa_node_child(receipt, "keys");
	struct sent_asker *asker;
	struct signal_call call;
	struct signal_bundle bundle;

	if (!ok) {
		wa_job_done(&retry->job);
		return;
	}
	call = wa_messaging_call(retry->job.m, &retry->job.op);
	if (!jid_is_none(&retry->old_address))
		wa_signal_move_session(&call, &retry->old_address, &retry->address);
	asker = wa_sent_asker(&retry->sent, &retry->device);
	if (asker->asked >= RETRY_ANSWER_MAX) {
		finish(retry, RETRY_TOO_OFTEN);
		return;
	}
	asker->asked++;
	if (keys != NULL && wa_bundle_read(keys, wa_node_child_content(receipt, "registration"), &bundle)) {
		if (start_session(retry, &bundle, wa_node_child_content(keys, "device-identity")))
			resend(retry);
		else
			finish(retry, RETRY_NO_SESSION);
	} else if (session_is_usable(retry, asker, registration_of(receipt))) {
		resend(retry);
	} else {
		retry->bundles = wa_bundles_fetch(retry->job.m->client, &retry->device, 1, true, bundles_answered, retry);
	}
}

/* ---- who asks for what ---- */

static bool is_same_person(struct retry_job *retry, const struct jid *user, const struct jid *chat)
{
	struct jid bare = jid_bare(user);
	struct jid other;

	if (strcmp(bare.user, chat->user) == 0 && wa_lidmap_is_lid(&bare) == wa_lidmap_is_lid(chat))
		return true;
	return wa_lidmap_other(&retry->job.op, &bare, &other) && strcmp(other.user, chat->user) == 0 && wa_lidmap_is_lid(&other) == wa_lidmap_is_lid(chat);
}

/* Only the recipient's devices and our own may have a message again: ids can be guessed. */
static bool may_have(struct retry_job *retry)
{
	if (!jid_is_none(&retry->many))
		return jid_same_user(&retry->many, &retry->sent.chat) &&
		       (wa_sent_has_asker(&retry->sent, &retry->device) || wa_retry_group_member(&retry->job, &retry->many, &retry->device));
	if (!jid_is_person(&retry->sent.chat))
		return false;
	if (wa_messaging_is_own(retry->job.m, &retry->device)) {
		/* The person by the name that stood in the stanza. */
		retry->chat = !jid_is_none(&retry->recipient) && is_same_person(retry, &retry->recipient, &retry->sent.chat) ? jid_bare(&retry->recipient) : retry->sent.chat;
		return true;
	}
	return is_same_person(retry, &retry->device, &retry->sent.chat);
}

static void load_sessions(struct retry_job *retry)
{
	struct state_keys keys = { 0 };
	struct jid phone;

	retry->address = wa_lidmap_signal_address(&retry->job.op, &retry->device);
	if (wa_lidmap_is_pn(&retry->device) && wa_lidmap_is_lid(&retry->address))
		retry->old_address = retry->device;
	else if (wa_lidmap_is_lid(&retry->device))
		wa_lidmap_other(&retry->job.op, &retry->device, &retry->old_address);
	phone = jid_with_device(&retry->address, 0);
	wa_signal_keys_for_device(&keys, &retry->address);
	wa_signal_keys_for_device(&keys, &phone);
	if (!jid_is_none(&retry->old_address))
		wa_signal_keys_for_device(&keys, &retry->old_address);
	state_op_fetch(&retry->job.op, keys.keys, keys.n, sessions_loaded, retry);
	state_keys_free(&keys);
}

static void names_loaded(void *arg, bool ok)
{
	struct retry_job *retry = arg;
	bool allowed;
	int64_t age;

	if (!ok) {
		wa_job_done(&retry->job);
		return;
	}
	if (answered_before(retry)) {
		commit(retry);
		return;
	}
	retry->sent_loaded = wa_sent_load(&retry->job.op, retry->id, &retry->sent);
	allowed = retry->sent_loaded && may_have(retry);
	/* It lacks the key, whatever becomes of this message: the next one brings it along. */
	if (!jid_is_none(&retry->many))
		wa_retry_group_lacks(&retry->job, &retry->many, &retry->device);
	age = wa_client_wall_ms(retry->job.m->client) - retry->sent.sent_ms;
	if (!retry->sent_loaded)
		finish(retry, RETRY_UNKNOWN);
	else if (!allowed)
		finish(retry, RETRY_REFUSED);
	else if (age > RETRY_AGE_MS)
		finish(retry, RETRY_TOO_OLD);
	else if (retry->count > RETRY_ANSWER_MAX)
		finish(retry, RETRY_TOO_OFTEN);
	else
		load_sessions(retry);
}

static bool read_asker(struct retry_job *retry, const struct wa_node *receipt)
{
	if (!wa_node_get_jid(receipt, "from", &retry->device))
		return false;
	if (jid_is_group(&retry->device) || jid_is_status(&retry->device)) {
		retry->many = jid_bare(&retry->device);
		if (!wa_node_get_jid(receipt, "participant", &retry->device))
			return false;
	}
	return jid_is_person(&retry->device);
}

void wa_on_retry(struct wa_client *client, struct wa_stanza *stanza)
{
	const struct wa_node *receipt = wa_stanza_node(stanza);
	const struct wa_node *node = wa_node_child(receipt, "retry");
	struct retry_job *retry = wa_job_new(wa_client_messaging(client), stanza, sizeof *retry);
	struct state_keys keys = { 0 };
	char device[JID_TEXT_MAX];

	retry->job.clear = retry_clear;
	retry->id = wa_node_get(receipt, "id");
	if (node == NULL || retry->id == NULL || !read_asker(retry, receipt)) {
		/* Nothing that could be answered. */
		wa_stanza_ack(client, stanza, 0);
		wa_job_done(&retry->job);
		return;
	}
	if (!wa_node_get_u64(node, "count", &retry->count) || retry->count == 0)
		retry->count = 1;
	snprintf(retry->answer, sizeof retry->answer, "%s/%s", retry->id, jid_format(&retry->device, device, sizeof device));
	wa_sent_keys(&keys, retry->id);
	wa_sent_keys(&keys, retry->answer);
	wa_lidmap_keys(&keys, &retry->device);
	if (wa_node_get_jid(receipt, "recipient", &retry->recipient) && jid_is_person(&retry->recipient))
		wa_lidmap_keys(&keys, &retry->recipient);
	else
		retry->recipient = (struct jid){ .server = JID_SERVER_NONE };
	if (!jid_is_none(&retry->many))
		wa_retry_group_keys(&retry->job, &keys, &retry->many);
	state_op_fetch(&retry->job.op, keys.keys, keys.n, names_loaded, retry);
	state_keys_free(&keys);
}
