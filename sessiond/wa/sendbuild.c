/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Encrypting a message for each device, and the stanza that carries it. */
#include <stdlib.h>

#include "common/mem.h"
#include "sessiond/wa/extras.h"
#include "sessiond/wa/send.h"
#include "sessiond/wa/tctoken.h"

/* Encryptions in one turn of the loop: 0.4 ms each when the ratchet steps. */
#define ENCRYPTIONS_PER_TURN 10
/* Targets between two commits of a message to many. */
#define RECORDS_PER_PIECE 60U
#define CODE_NO_SESSION 406

static void build(struct send_job *job);

static void encrypt_turn(struct wa_client *client, void *arg)
{
	(void)client;
	wa_send_encrypt(arg);
}

static void encrypt_one(struct send_job *job, struct send_target *t)
{
	struct signal_call call = wa_messaging_call(job->m, &job->op);
	struct span message = job->group != NULL ? wa_send_group_message(job) :
			      t->own ? buf_span(&job->own_message) : buf_span(&job->message);
	struct buf padded = { 0 };
	uint8_t random;

	if (t->dropped)
		return;
	wa_client_random(job->m->client, &random, sizeof random);
	buf_append_span(&padded, message);
	e2e_pad(&padded, random);
	t->dropped = wa_signal_encrypt(&call, &t->address, buf_span(&padded), &t->ciphertext, &t->prekey) != SIGNAL_OK;
	buf_wipe(&padded);
}

/* What a large group changes is stored in pieces: one batch of a thousand records would hold the loop for too long. */
void wa_send_store_piece(struct send_job *job, size_t done)
{
	if (job->group != NULL && done % RECORDS_PER_PIECE == 0)
		state_op_commit(&job->op, NULL, NULL);
}

void wa_send_encrypt(struct send_job *job)
{
	char chat[JID_TEXT_MAX];
	int done = 0;

	if (job->own_message.len == 0 && job->group == NULL)
		e2e_wrap_device_sent(&job->own_message, jid_format(&job->chat, chat, sizeof chat), buf_span(&job->message));
	for (; job->at < job->ntargets && done < ENCRYPTIONS_PER_TURN; done++)
		encrypt_one(job, &job->targets[job->at++]);
	/* The stanza for a large group is a turn of its own. */
	if (job->at < job->ntargets || (job->group != NULL && done > 0 && job->ntargets > ENCRYPTIONS_PER_TURN)) {
		wa_send_store_piece(job, job->at);
		wa_timer_start(job->m->client, &job->timer, wa_client_mono_ms(job->m->client), encrypt_turn, job);
	} else if (job->group != NULL) {
		wa_send_group_build(job);
	} else {
		build(job);
	}
}

/* ---- the stanza ---- */

void wa_send_add_enc(struct arena *a, struct wa_node *to, const struct send_target *t, const struct e2e_attributes *attributes)
{
	struct wa_node *enc = wa_node_add_new(a, to, "enc");

	wa_node_attr(a, enc, "v", "2");
	wa_node_attr(a, enc, "type", t->prekey ? "pkmsg" : "msg");
	wa_node_attr(a, enc, "mediatype", attributes->mediatype);
	wa_node_attr(a, enc, "decrypt-fail", attributes->hide_failure ? "hide" : NULL);
	wa_node_set_bytes(a, enc, buf_span(&t->ciphertext));
}

static bool usable(const struct send_job *job)
{
	bool to_self = wa_messaging_is_own(job->m, &job->chat);

	for (size_t i = 0; i < job->ntargets; i++)
		if (!job->targets[i].dropped && (to_self || !job->targets[i].own))
			return true;
	return false;
}

static void remember_hashes(struct send_job *job)
{
	struct jid *devices = xcalloc(job->ntargets + 1, sizeof *devices);
	struct jid own = wa_messaging_own(job->m, &job->chat);
	size_t n = 0;

	for (size_t i = 0; i < job->ntargets; i++)
		if (!job->targets[i].dropped)
			devices[n++] = job->targets[i].wire;
	wa_devices_hash(devices, n, job->hash_sent);
	devices[n++] = jid_with_device(&own, wa_client_own_pn(job->m->client)->device);
	wa_devices_hash(devices, n, job->hash_all);
	free(devices);
}

static void attach_token(struct send_job *job, struct arena *a, struct wa_node *message, bool exempt)
{
	const struct jid *user = jid_is_none(&job->lid) ? &job->chat : &job->lid;
	int64_t now_s = wa_client_wall_ms(job->m->client) / 1000;

	if (wa_messaging_is_own(job->m, &job->chat))
		return;
	wa_tctoken_attach(&job->op, a, message, user, &job->lid, now_s);
	job->gave_token = !exempt && wa_tctoken_mark_given(&job->op, user, now_s, false);
}

static void build(struct send_job *job)
{
	struct e2e_attributes attributes;
	struct wa_node *message;
	struct wa_node *participants;
	struct arena a;
	bool prekey = false;
	int rc;

	if (!usable(job)) {
		wa_send_fail(job, CODE_NO_SESSION, "no device of the recipient could be reached: none gave usable keys");
		return;
	}
	arena_init(&a, 0);
	e2e_attributes(buf_span(&job->message), &attributes);
	message = wa_node_new(&a, "message");
	wa_node_attr(&a, message, "id", job->id);
	wa_node_attr_jid(&a, message, "to", &job->chat);
	wa_node_attr(&a, message, "type", attributes.type);
	wa_node_attr(&a, message, "edit", attributes.edit);
	if (jid_is_lid(&job->chat) && !jid_is_none(&job->pn))
		wa_node_attr_jid(&a, message, "peer_recipient_pn", &job->pn);
	participants = wa_node_add_new(&a, message, "participants");
	for (size_t i = 0; i < job->ntargets; i++) {
		struct wa_node *to;

		if (job->targets[i].dropped)
			continue;
		to = wa_node_add_new(&a, participants, "to");
		wa_node_attr_jid(&a, to, "jid", &job->targets[i].wire);
		wa_send_add_enc(&a, to, &job->targets[i], &attributes);
		prekey = prekey || job->targets[i].prekey;
	}
	if (prekey)
		wa_messaging_add_identity(job->m, &a, message);
	attach_token(job, &a, message, attributes.token_exempt);
	wa_stanza_extras(&a, message, buf_span(&job->message), &job->chat, wa_client_wall_ms(job->m->client) / 1000);
	remember_hashes(job);
	buf_clear(&job->stanza);
	rc = wa_node_encode(&job->stanza, message);
	arena_free(&a);
	if (rc != WA_NODE_OK)
		wa_send_fail(job, 500, wa_node_error_text(rc));
	else
		wa_send_built(job);
}
