/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Asking a sender for a message that could not be decrypted. */
#include <stdio.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/wa/receive.h"
#include "sessiond/wa/retry.h"

#define RECORD_VERSION 1
/* From this attempt on the peer gets fresh keys to start a new session with. */
#define KEYS_FROM_COUNT 2
#define NAME_MAX_BYTES 512

static void record_name(const struct envelope *e, char out[NAME_MAX_BYTES])
{
	wa_envelope_name(e, out, NAME_MAX_BYTES);
}

void wa_retry_keys(struct state_keys *keys, const struct envelope *e)
{
	char name[NAME_MAX_BYTES];

	record_name(e, name);
	state_keys_add(keys, WA_RECORD_RECEIVED, name);
}

static unsigned count_load(struct receive_job *job, const char *name)
{
	struct span value;

	if (!state_op_get(&job->job.op, WA_RECORD_RECEIVED, name, &value) || value.n != 2 || value.p[0] != RECORD_VERSION)
		return 0;
	return value.p[1];
}

/* The attempt that the sender's stanza answers, in case ours was forgotten. */
static unsigned count_of_stanza(const struct receive_job *job)
{
	const struct wa_node *enc = wa_node_child(wa_stanza_node(job->job.stanza), "enc");
	uint64_t count;

	return enc != NULL && wa_node_get_u64(enc, "count", &count) && count <= RETRY_ASK_MAX ? (unsigned)count : 0;
}

bool wa_retry_ask(struct receive_job *job, unsigned reason)
{
	char name[NAME_MAX_BYTES];
	uint8_t value[2] = { RECORD_VERSION, 0 };
	unsigned count;
	unsigned asked;

	/* The name as it was when the record was fetched: content never changes an envelope that failed to decrypt. */
	record_name(&job->envelope, name);
	count = count_load(job, name);
	asked = count_of_stanza(job);
	if (asked > count)
		count = asked;
	if (count >= RETRY_ASK_MAX)
		return false;
	count++;
	value[1] = (uint8_t)count;
	state_op_put(&job->job.op, WA_RECORD_RECEIVED, name, span_of(value, sizeof value));
	job->retry_count = count;
	job->retry_reason = reason;
	if (count >= KEYS_FROM_COUNT && wa_prekeys_take(job->job.m->client, &job->job.op, &job->prekey_id, job->prekey) != 0)
		job->prekey_id = 0;
	return true;
}

void wa_retry_forget(struct receive_job *job)
{
	char name[NAME_MAX_BYTES];
	struct envelope e = job->envelope;
	struct span value;

	e.chat = job->ring;
	record_name(&e, name);
	if (state_op_get(&job->job.op, WA_RECORD_RECEIVED, name, &value))
		state_op_delete(&job->job.op, WA_RECORD_RECEIVED, name);
}

/* ---- the receipt ---- */

static void add_key(struct arena *a, struct wa_node *parent, const char *tag, uint32_t id, const uint8_t *public_key,
		    const uint8_t *signature)
{
	struct wa_node *key = wa_node_add_new(a, parent, tag);
	uint8_t bytes[3];

	creds_id_bytes(id, bytes);
	wa_node_add_bytes(a, key, "id", span_of(bytes, sizeof bytes));
	wa_node_add_bytes(a, key, "value", span_of(public_key, SIGNAL_KEY_BYTES));
	if (signature != NULL)
		wa_node_add_bytes(a, key, "signature", span_of(signature, SIGNAL_SIGNATURE_BYTES));
}

static void add_keys(struct receive_job *job, struct arena *a, struct wa_node *receipt)
{
	const struct wa_creds *creds = wa_client_creds(job->job.m->client);
	struct wa_node *keys = wa_node_add_new(a, receipt, "keys");
	uint8_t type = CURVE_TYPE;

	wa_node_add_bytes(a, keys, "type", span_of(&type, 1));
	wa_node_add_bytes(a, keys, "identity", span_of(creds->identity.public_key, SIGNAL_KEY_BYTES));
	if (job->prekey_id != 0)
		add_key(a, keys, "key", job->prekey_id, job->prekey, NULL);
	add_key(a, keys, "skey", creds->signed_prekey.id, creds->signed_prekey.pair.public_key, creds->signed_prekey.signature);
	wa_messaging_add_identity(job->job.m, a, keys);
}

bool wa_retry_send(struct receive_job *job)
{
	const struct envelope *e = &job->envelope;
	const struct wa_node *message = wa_stanza_node(job->job.stanza);
	struct wa_node *receipt;
	struct wa_node *retry;
	struct arena a;
	bool written;

	arena_init(&a, 0);
	receipt = wa_node_new(&a, "receipt");
	wa_node_attr(&a, receipt, "id", e->id);
	wa_node_attr_jid(&a, receipt, "to", &e->from);
	wa_node_attr_copy(&a, receipt, "participant", message, "participant");
	wa_node_attr_copy(&a, receipt, "recipient", message, "recipient");
	wa_node_attr(&a, receipt, "type", "retry");
	wa_node_attr(&a, receipt, "category", e->peer ? "peer" : NULL);
	retry = wa_node_add_new(&a, receipt, "retry");
	wa_node_attr_u64(&a, retry, "count", job->retry_count);
	wa_node_attr(&a, retry, "id", e->id);
	wa_node_attr_u64(&a, retry, "t", (uint64_t)(e->time_ms / 1000));
	wa_node_attr(&a, retry, "v", "1");
	if (job->retry_reason != 0)
		wa_node_attr_u64(&a, retry, "error", job->retry_reason);
	wa_messaging_add_registration(job->job.m, &a, receipt);
	if (job->retry_count >= KEYS_FROM_COUNT)
		add_keys(job, &a, receipt);
	written = wa_client_write(job->job.m->client, receipt);
	arena_free(&a);
	return written;
}
