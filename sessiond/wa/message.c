/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The way of an incoming message through its steps. */
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/wa/addon.h"
#include "sessiond/wa/group.h"
#include "sessiond/wa/lidmap.h"
#include "sessiond/wa/receive.h"
#include "sessiond/wa/seen.h"
#include "sessiond/wa/signal_group.h"

#define NAME_MAX_BYTES 200
/* Decryption in tenths of a millisecond, and how much of it is done before the loop gets a turn. Order is kept: the next stanza starts
 * only when this one is handed to the disk. */
#define COST_PKMSG 10U
#define COST_MSG 2U
#define COST_PER_TURN 40U

/* ---- the end ---- */

static void answer(struct receive_job *job)
{
	struct wa_client *client = job->job.m->client;

	switch (job->outcome) {
	case RECEIVE_DONE:
		wa_receipt_delivered(job);
		break;
	case RECEIVE_RETRY:
		/* Without the receipt the message must come again by itself. */
		if (wa_retry_send(job))
			wa_stanza_ack(client, job->job.stanza, 0);
		break;
	case RECEIVE_ACK:
		wa_stanza_ack(client, job->job.stanza, 0);
		break;
	case RECEIVE_NACK:
		wa_stanza_ack(client, job->job.stanza, job->nack);
		break;
	}
}

static void stored(void *arg, bool ok)
{
	struct receive_job *job = arg;

	if (ok && wa_stanza_live(job->job.m->client, job->job.stanza))
		answer(job);
	if (ok && job->new_keys)
		wa_appstate_keys_came(&job->job.m->appstate);
	if (ok && job->ask_phone)
		wa_placeholder_ask(job);
	wa_job_done(&job->job);
}

void wa_receive_store(struct receive_job *job)
{
	/* Its changes are visible already: the next message need not wait for the disk. */
	wa_stanza_release(job->job.m->client, job->job.stanza);
	state_op_commit(&job->job.op, stored, job);
}

/* ---- steps ---- */

static void decode(struct receive_job *job)
{
	const struct wa_host *host = wa_client_host(job->job.m->client);
	void *ctx = wa_client_host_ctx(job->job.m->client);
	char name[NAME_MAX_BYTES];

	wa_envelope_name(&job->envelope, name, sizeof name);
	if (host->decoding != NULL)
		host->decoding(ctx, name);
	wa_receive_decode(job);
	if (host->decoding != NULL)
		host->decoding(ctx, NULL);
	wa_addon_resolve(job, wa_receive_store);
}

static void decode_turn(struct wa_client *client, void *arg)
{
	wa_client_messaging(client)->decode_cost = 0;
	decode(arg);
}

static void sessions_loaded(void *arg, bool ok)
{
	struct receive_job *job = arg;
	struct wa_messaging *m = job->job.m;

	if (!ok) {
		wa_job_done(&job->job);
		return;
	}
	m->decode_cost += wa_node_get_is(wa_node_child(wa_stanza_node(job->job.stanza), "enc"), "type", "pkmsg") ? COST_PKMSG : COST_MSG;
	if (m->decode_cost > COST_PER_TURN)
		wa_timer_start(m->client, &m->decode_timer, wa_client_mono_ms(m->client), decode_turn, job);
	else
		decode(job);
}

static void add_prekeys(struct receive_job *job, struct state_keys *keys)
{
	const struct wa_node *message = wa_stanza_node(job->job.stanza);
	struct signal_prekey_info info;

	for (size_t i = 0; i < message->nnodes; i++) {
		const struct wa_node *enc = message->nodes[i];

		if (!wa_node_is(enc, "enc") || !wa_node_get_is(enc, "type", "pkmsg"))
			continue;
		if (wa_signal_prekey_info(wa_client_signal(job->job.m->client), wa_node_content(enc), &info) == SIGNAL_OK)
			wa_signal_keys_for_prekeys(keys, &info);
	}
}

static void add_sender_keys(struct receive_job *job, struct state_keys *keys)
{
	if (job->envelope.kind == ENVELOPE_PERSON)
		return;
	wa_sender_key_keys(keys, &job->envelope.from, &job->address);
	if (!jid_is_none(&job->old_address))
		wa_sender_key_keys(keys, &job->envelope.from, &job->old_address);
}

static void names_loaded(void *arg, bool ok)
{
	struct receive_job *job = arg;
	struct envelope *e = &job->envelope;
	struct state_keys keys = { 0 };
	struct jid phone;

	if (!ok) {
		wa_job_done(&job->job);
		return;
	}
	if (!jid_is_none(&e->author_other))
		wa_lidmap_learn(&job->job.op, &e->author, &e->author_other);
	else if (wa_lidmap_other(&job->job.op, &e->author, &e->author_other))
		e->author_other = jid_bare(&e->author_other);
	if (!jid_is_none(&e->chat_other))
		wa_lidmap_learn(&job->job.op, &e->chat, &e->chat_other);
	else if (wa_lidmap_other(&job->job.op, &e->chat, &e->chat_other))
		e->chat_other = jid_bare(&e->chat_other);
	job->address = wa_lidmap_signal_address(&job->job.op, &e->author);
	if (wa_lidmap_is_pn(&e->author) && wa_lidmap_is_lid(&job->address))
		job->old_address = e->author;
	else if (wa_lidmap_is_lid(&e->author))
		wa_lidmap_other(&job->job.op, &e->author, &job->old_address);
	wa_signal_keys_for_device(&keys, &job->address);
	if (!jid_is_none(&job->old_address))
		wa_signal_keys_for_device(&keys, &job->old_address);
	add_sender_keys(job, &keys);
	/* The phone's identity key, which companions are checked against. */
	phone = jid_with_device(&job->address, 0);
	wa_signal_keys_for_device(&keys, &phone);
	add_prekeys(job, &keys);
	state_op_fetch(&job->job.op, keys.keys, keys.n, sessions_loaded, job);
	state_keys_free(&keys);
}

static void load_names(struct receive_job *job)
{
	const struct envelope *e = &job->envelope;
	struct state_keys keys = { 0 };

	wa_lidmap_keys(&keys, &e->author);
	wa_lidmap_keys(&keys, &e->chat);
	if (!jid_is_none(&e->author_other))
		wa_lidmap_keys(&keys, &e->author_other);
	if (!jid_is_none(&e->chat_other))
		wa_lidmap_keys(&keys, &e->chat_other);
	job->ring = e->chat;
	wa_seen_keys(&keys, &job->ring);
	wa_retry_keys(&keys, e);
	if (wa_messaging_is_own(job->job.m, &e->author))
		wa_appstate_keys(&keys);
	state_op_fetch(&job->job.op, keys.keys, keys.n, names_loaded, job);
	state_keys_free(&keys);
}

/* ---- stanzas that are not decoded ---- */

static void end_without_decoding(struct receive_job *job, enum receive_outcome outcome, int code, const char *text)
{
	job->outcome = outcome;
	job->nack = code;
	wa_receive_undecryptable(job, code, text, 0);
	wa_receive_store(job);
}

static bool is_suspect(struct wa_messaging *m, const struct envelope *e)
{
	char name[NAME_MAX_BYTES];

	if (m->suspect == NULL)
		return false;
	wa_envelope_name(e, name, sizeof name);
	if (strcmp(name, m->suspect) != 0)
		return false;
	free(m->suspect);
	m->suspect = NULL;
	return true;
}

static void unavailable(struct receive_job *job, const struct wa_node *node)
{
	const char *type = wa_node_get(node, "type");
	char *text = xasprintf("the message was not encrypted for this device (%s)", type != NULL ? type : "unavailable");

	job->ask_phone = type == NULL && wa_node_get(node, "hosted") == NULL && wa_node_child(wa_stanza_node(job->job.stanza), "bot") == NULL;
	end_without_decoding(job, RECEIVE_ACK, 0, text);
	free(text);
}

static void clear(struct stanza_job *job)
{
	struct receive_job *receive = (struct receive_job *)job;

	wa_group_fetch_cancel(job->m, receive);
	wa_addon_free(receive->addon);
}

void wa_on_message(struct wa_client *client, struct wa_stanza *stanza)
{
	struct wa_messaging *m = wa_client_messaging(client);
	const struct wa_node *message = wa_stanza_node(stanza);
	struct receive_job *job = wa_job_new(m, stanza, sizeof *job);
	bool has_enc = wa_node_child(message, "enc") != NULL;

	job->job.clear = clear;
	if (!wa_envelope_read(m, message, &job->envelope)) {
		wa_stanza_ack(client, stanza, NACK_PARSING);
		wa_job_done(&job->job);
	} else if (is_suspect(m, &job->envelope)) {
		end_without_decoding(job, RECEIVE_NACK, NACK_UNHANDLED, "decoding this message crashed the program before: it is refused");
	} else if (!has_enc && wa_node_child(message, "unavailable") != NULL) {
		unavailable(job, wa_node_child(message, "unavailable"));
	} else if (job->envelope.kind == ENVELOPE_OTHER) {
		end_without_decoding(job, RECEIVE_ACK, 0, "messages of such senders are not decoded by this version");
	} else if (job->envelope.kind == ENVELOPE_NEWSLETTER) {
		wa_receive_post(job);
	} else if (!has_enc) {
		end_without_decoding(job, RECEIVE_NACK, NACK_UNRECOGNIZED, "the message has no encrypted content");
	} else {
		load_names(job);
	}
}
