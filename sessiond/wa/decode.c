/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Decrypting the <enc> nodes of a message, and what follows from success or failure. */
#include <string.h>

#include "common/mem.h"
#include "sessiond/wa/bundle.h"
#include "sessiond/wa/e2e.h"
#include "sessiond/wa/lidmap.h"
#include "sessiond/wa/receive.h"
#include "sessiond/wa/seen.h"
#include "sessiond/wa/signal_group.h"

/* Reason code of retry receipts beyond those of the ratchet. Source: whatsapp-rust, WhatsApp Web. */
enum { REASON_COMPANION_CHECK = 12 };

/* What one <enc> came to. */
enum enc_result { ENC_OK, ENC_DUPLICATE, ENC_RETRY, ENC_BROKEN, ENC_UNSUPPORTED };

struct tally {
	size_t ok, duplicate, retry, broken, unsupported;
	bool group_failed; /* the message itself is missing, although its key may have come */
	unsigned reason;
	int error;
};

/* ---- trust ---- */

static const uint8_t *phone_key(struct receive_job *job)
{
	struct jid phone = jid_with_device(&job->address, 0);
	char name[SIGNAL_NAME_MAX];
	struct span key;

	wa_signal_record_name(&phone, name);
	if (!state_op_get(&job->job.op, WA_RECORD_IDENTITY, name, &key) || key.n != SIGNAL_IDENTITY_BYTES)
		return NULL;
	return key.p + 1;
}

/* A pkmsg of a companion must come with the proof that its account added it, if there is one to check. */
static bool companion_is_genuine(struct receive_job *job, const struct wa_node *enc)
{
	struct span proof = wa_node_child_content(wa_stanza_node(job->job.stanza), "device-identity");
	struct signal_prekey_info info;

	if (job->envelope.author.device == 0 || proof.n == 0)
		return true;
	if (wa_signal_prekey_info(wa_client_signal(job->job.m->client), wa_node_content(enc), &info) != SIGNAL_OK)
		return true; /* decryption says what is wrong with it */
	return wa_companion_is_genuine(proof, info.identity, phone_key(job));
}

static void identity_changed(struct receive_job *job)
{
	struct wa_event *event = wa_event_new(WA_EVENT_IDENTITY_CHANGED);

	event->jid = job->envelope.author;
	event->other = job->envelope.author_other;
	state_op_event(&job->job.op, event);
}

/* ---- decryption ---- */

static int decrypt(struct receive_job *job, bool prekey, struct span ciphertext, struct buf *plain)
{
	struct signal_call call = wa_messaging_call(job->job.m, &job->job.op);
	int rc;

	/* A session made before the LID was known is taken along to it, or the ratchet would be invisible. */
	if (!jid_is_none(&job->old_address))
		wa_signal_move_session(&call, &job->old_address, &job->address);
	rc = wa_signal_decrypt(&call, &job->address, prekey, ciphertext, plain);
	if (rc != SIGNAL_OK && rc != SIGNAL_DUPLICATE && !jid_is_none(&job->old_address) &&
	    wa_signal_has_session(&call, &job->old_address)) {
		int old = wa_signal_decrypt(&call, &job->old_address, prekey, ciphertext, plain);

		if (old == SIGNAL_OK || old == SIGNAL_DUPLICATE)
			rc = old;
	}
	if (call.identity_changed)
		identity_changed(job);
	return rc;
}

/* A group message: with the key of the author, wherever it was kept when it came. */
static int decrypt_group(struct receive_job *job, struct span ciphertext, struct buf *plain)
{
	struct signal_call call = wa_messaging_call(job->job.m, &job->job.op);
	const struct jid *chat = &job->envelope.from;

	if (!jid_is_none(&job->old_address))
		wa_sender_key_move(&job->job.op, chat, &job->old_address, &job->address);
	return wa_sender_key_decrypt(&call, chat, &job->address, ciphertext, plain);
}

static enum enc_result failed(struct receive_job *job, int rc, struct tally *tally)
{
	const struct envelope *e = &job->envelope;

	/* An old counter: handled before, unless its key was pruned away before it came. */
	if (rc == SIGNAL_DUPLICATE && wa_seen(&job->job.op, &job->ring, &e->author, e->id))
		return ENC_DUPLICATE;
	tally->reason = wa_signal_retry_reason(rc);
	tally->error = rc;
	return ENC_RETRY;
}

static enum enc_result decode_enc(struct receive_job *job, const struct wa_node *enc, struct tally *tally)
{
	bool prekey = wa_node_get_is(enc, "type", "pkmsg");
	bool group = wa_node_get_is(enc, "type", "skmsg") && job->envelope.kind != ENVELOPE_PERSON;
	struct buf plain = { 0 };
	struct span message;
	enum enc_result result;
	int rc;

	if (!prekey && !group && !wa_node_get_is(enc, "type", "msg"))
		return ENC_UNSUPPORTED;
	if (prekey && !companion_is_genuine(job, enc)) {
		tally->reason = REASON_COMPANION_CHECK;
		tally->error = SIGNAL_INVALID_KEY;
		return ENC_RETRY;
	}
	rc = group ? decrypt_group(job, wa_node_content(enc), &plain) : decrypt(job, prekey, wa_node_content(enc), &plain);
	message = buf_span(&plain);
	if (rc != SIGNAL_OK) {
		result = failed(job, rc, tally);
	} else if (!e2e_unpad(&message) || !e2e_acceptable(message)) {
		result = ENC_BROKEN;
	} else {
		wa_receive_content(job, message);
		result = ENC_OK;
	}
	buf_wipe(&plain);
	return result;
}

/* ---- outcome ---- */

static void outcome(struct receive_job *job, const struct tally *t)
{
	if ((t->ok > 0 || t->duplicate > 0) && !t->group_failed) {
		job->outcome = RECEIVE_DONE;
		wa_retry_forget(job);
		return;
	}
	if (t->retry > 0) {
		bool again = !wa_receive_expired(job) && wa_retry_ask(job, t->reason);

		job->outcome = again ? RECEIVE_RETRY : RECEIVE_ACK;
		if (!again || job->retry_count == 1)
			wa_receive_undecryptable(job, (int)t->reason, wa_signal_error_text(t->error), job->retry_count);
		return;
	}
	job->outcome = RECEIVE_NACK;
	job->nack = t->broken > 0 ? NACK_PROTOBUF : NACK_UNRECOGNIZED;
	wa_receive_undecryptable(job, job->nack,
				 t->broken > 0 ? "the decrypted message is malformed or exceeds the limits" :
						 "the message is encrypted in a way that this version does not know", 0);
}

static void count(struct tally *t, enum enc_result result, bool group)
{
	switch (result) {
	case ENC_OK:
		t->ok++;
		break;
	case ENC_DUPLICATE:
		t->duplicate++;
		break;
	case ENC_RETRY:
		t->retry++;
		t->group_failed = t->group_failed || group;
		break;
	case ENC_BROKEN:
		t->broken++;
		break;
	case ENC_UNSUPPORTED:
		t->unsupported++;
		break;
	}
}

void wa_receive_decode(struct receive_job *job)
{
	const struct wa_node *message = wa_stanza_node(job->job.stanza);
	struct tally tally = { 0 };
	size_t encs = 0;

	/* A group message may bring its key along: that comes first, wherever it stands. */
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < message->nnodes && encs < RECEIVE_ENCS_MAX; i++) {
			const struct wa_node *enc = message->nodes[i];

			if (!wa_node_is(enc, "enc") || wa_node_get_is(enc, "type", "skmsg") != (pass == 1))
				continue;
			encs++;
			count(&tally, decode_enc(job, enc, &tally), pass == 1);
		}
	}
	outcome(job, &tally);
}
