/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sessions with all devices that a message is encrypted for:
 *
 *     wa_send_sessions -> load_old_sessions (kept under the PN) -> ask_bundles -> start_sessions -> wa_send_encrypt
 */
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/wa/lidmap.h"
#include "sessiond/wa/send.h"

/* New sessions made in one turn of the loop: 1 ms each, with the proof of a companion 1.5. */
#define SESSIONS_PER_TURN 3

static void load_old_sessions(struct send_job *job);

void wa_send_set_old_address(struct send_target *t, const struct jid *pn)
{
	if (!wa_lidmap_is_lid(&t->address) || jid_is_none(pn))
		return;
	t->old = jid_with_device(pn, t->address.device);
	t->old.server = t->address.server == JID_SERVER_HOSTED_LID ? JID_SERVER_HOSTED : JID_SERVER_PN;
}

static size_t mark_ready(struct send_job *job)
{
	struct signal_call call = wa_messaging_call(job->m, &job->op);
	size_t missing = 0;

	for (size_t i = 0; i < job->ntargets; i++) {
		struct send_target *t = &job->targets[i];

		t->ready = wa_signal_has_session(&call, &t->address);
		missing += !t->ready && !t->dropped;
	}
	return missing;
}

/* The account's identity key as known from its phone, for checking that a companion belongs to it. */
static const uint8_t *account_key(struct send_job *job, const struct send_target *t)
{
	struct jid phone = jid_with_device(&t->address, 0);
	char name[SIGNAL_NAME_MAX];
	struct span key;

	wa_signal_record_name(&phone, name);
	if (!state_op_has_fetched(&job->op, WA_RECORD_IDENTITY, name) || !state_op_get(&job->op, WA_RECORD_IDENTITY, name, &key) ||
	    key.n != SIGNAL_IDENTITY_BYTES)
		return NULL;
	return key.p + 1;
}

static bool is_genuine(struct send_job *job, const struct waiting_bundle *w)
{
	return w->target->wire.device == 0 || w->proof.len == 0 ||
	       wa_companion_is_genuine(buf_span(&w->proof), w->bundle.identity, account_key(job, w->target));
}

static void start_sessions(struct send_job *job);

static void sessions_turn(struct wa_client *client, void *arg)
{
	struct send_job *job = arg;

	(void)client;
	start_sessions(job);
}

static void start_sessions(struct send_job *job)
{
	struct signal_call call = wa_messaging_call(job->m, &job->op);
	size_t done = 0;

	while (job->nbundles > 0) {
		struct waiting_bundle *w = &job->waiting[job->nbundles - 1];

		if (done++ == SESSIONS_PER_TURN) {
			wa_send_store_piece(job, job->nbundles);
			wa_timer_start(job->m->client, &job->timer, wa_client_mono_ms(job->m->client), sessions_turn, job);
			return;
		}
		w->target->ready = is_genuine(job, w) && wa_signal_start_session(&call, &w->target->address, &w->bundle) == SIGNAL_OK;
		buf_free(&w->proof);
		job->nbundles--;
	}
	for (size_t i = 0; i < job->ntargets; i++)
		job->targets[i].dropped = !job->targets[i].ready;
	wa_send_encrypt(job);
}

static struct send_target *target_of(struct send_job *job, const struct jid *device)
{
	/* Answers come in the order of the question: the search goes on where it ended. */
	for (size_t i = 0; i < job->ntargets; i++) {
		struct send_target *t = &job->targets[(job->answered + i) % job->ntargets];

		if (!jid_equal(&t->wire, device) && !jid_equal(&t->address, device))
			continue;
		job->answered = (job->answered + i + 1) % job->ntargets;
		return t;
	}
	return NULL;
}

static void take_bundle(struct send_job *job, const struct bundle_answer *answer)
{
	struct send_target *t = target_of(job, &answer->device);
	struct waiting_bundle *w;

	if (t == NULL || t->ready)
		return;
	if (answer->error != 0) {
		/* 406: not registered any more. The next message asks for the list anew. */
		wa_devices_forget(&job->op, &t->wire);
		return;
	}
	w = &job->waiting[job->nbundles++];
	*w = (struct waiting_bundle){ .target = t, .bundle = answer->bundle };
	buf_append_span(&w->proof, answer->device_identity);
}

static void bundles_answered(void *arg, const struct bundle_answer *answers, size_t n, int code)
{
	struct send_job *job = arg;

	job->bundles = NULL;
	if (job->phase != SEND_PREPARING)
		return;
	if (answers == NULL && wa_send_is_passing(code)) {
		wa_send_unanswered(job, code, "the server does not answer the query for keys");
		return;
	}
	free(job->waiting);
	job->waiting = xcalloc(n + 1, sizeof *job->waiting);
	job->nbundles = 0;
	for (size_t i = 0; answers != NULL && i < n; i++)
		take_bundle(job, &answers[i]);
	start_sessions(job);
}

static void ask_bundles(struct send_job *job)
{
	struct jid *devices = xcalloc(job->ntargets + 1, sizeof *devices);
	size_t n = 0;

	for (size_t i = 0; i < job->ntargets; i++)
		if (!job->targets[i].ready)
			devices[n++] = job->targets[i].wire;
	job->bundles = wa_bundles_fetch(job->m->client, devices, n, false, bundles_answered, job);
	free(devices);
}

static void old_sessions_loaded(void *arg, bool ok)
{
	struct send_job *job = arg;
	struct signal_call call;

	if (wa_send_lost(job, ok))
		return;
	call = wa_messaging_call(job->m, &job->op);
	for (size_t i = 0; i < job->ntargets; i++)
		if (!job->targets[i].ready && !jid_is_none(&job->targets[i].old))
			wa_signal_move_session(&call, &job->targets[i].old, &job->targets[i].address);
	if (mark_ready(job) > 0)
		ask_bundles(job);
	else
		wa_send_encrypt(job);
}

static void load_old_sessions(struct send_job *job)
{
	struct state_keys keys = { 0 };

	for (size_t i = 0; i < job->ntargets; i++)
		if (!job->targets[i].ready && !jid_is_none(&job->targets[i].old))
			wa_signal_keys_for_device(&keys, &job->targets[i].old);
	state_op_fetch(&job->op, keys.keys, keys.n, old_sessions_loaded, job);
	state_keys_free(&keys);
}

static void sessions_loaded(void *arg, bool ok)
{
	struct send_job *job = arg;

	if (wa_send_lost(job, ok))
		return;
	if (mark_ready(job) > 0)
		load_old_sessions(job);
	else
		wa_send_encrypt(job);
}

void wa_send_sessions(struct send_job *job)
{
	struct state_keys keys = { 0 };

	for (size_t i = 0; i < job->ntargets; i++)
		wa_signal_keys_for_device(&keys, &job->targets[i].address);
	state_op_fetch(&job->op, keys.keys, keys.n, sessions_loaded, job);
	state_keys_free(&keys);
}
