/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Messages of this device to other own ones (category "peer"), the phone above all: questions that only it can answer. Their loss is not repaired. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/wa/e2e.h"
#include "sessiond/wa/messaging.h"
#include "sessiond/wa/peer.h"

struct peer_job {
	struct peer_job *next;  /* list of the messaging */
	struct wa_messaging *m; /* borrowed */
	struct wa_client *client;
	struct jid address;     /* Signal address of the device */
	struct jid to;
	char id[23];
	bool urgent;
	struct buf message;     /* owned: padded */
	struct state_op op;
	struct buf stanza;      /* owned: encoded */
};

static void job_free(struct peer_job *job)
{
	struct peer_job **at = &job->m->peers;

	while (*at != job)
		at = &(*at)->next;
	*at = job->next;
	state_op_end(&job->op);
	buf_wipe(&job->message);
	buf_free(&job->stanza);
	free(job);
}

static void stored(void *arg, bool ok)
{
	struct peer_job *job = arg;

	if (ok)
		wa_client_write_bytes(job->client, buf_span(&job->stanza));
	job_free(job);
}

static bool build(struct peer_job *job, struct span ciphertext, bool prekey)
{
	struct wa_messaging *m = job->m;
	struct wa_node *message, *enc;
	struct arena a;
	int rc;

	arena_init(&a, 0);
	message = wa_node_new(&a, "message");
	wa_node_attr(&a, message, "id", job->id);
	wa_node_attr_jid(&a, message, "to", &job->to);
	wa_node_attr(&a, message, "type", "text");
	wa_node_attr(&a, message, "category", "peer");
	wa_node_attr(&a, message, "push_priority", job->urgent ? "high_force" : "high");
	if (job->urgent)
		wa_node_attr(&a, message, "privacy_sensitive", "1");
	enc = wa_node_add_new(&a, message, "enc");
	wa_node_attr(&a, enc, "v", "2");
	wa_node_attr(&a, enc, "type", prekey ? "pkmsg" : "msg");
	wa_node_set_bytes(&a, enc, ciphertext);
	if (prekey)
		wa_messaging_add_identity(m, &a, message);
	rc = wa_node_encode(&job->stanza, message);
	arena_free(&a);
	return rc == WA_NODE_OK;
}

static void session_loaded(void *arg, bool ok)
{
	struct peer_job *job = arg;
	struct signal_call call;
	struct buf ciphertext = { 0 };
	bool prekey = false;
	bool good = false;

	if (ok && job->m->open) {
		call = wa_messaging_call(job->m, &job->op);
		good = wa_signal_has_session(&call, &job->address) &&
		       wa_signal_encrypt(&call, &job->address, buf_span(&job->message), &ciphertext, &prekey) == SIGNAL_OK &&
		       build(job, buf_span(&ciphertext), prekey);
	}
	buf_free(&ciphertext);
	if (good)
		state_op_commit(&job->op, stored, job);
	else
		job_free(job);
}

void wa_peers_free(struct wa_messaging *m)
{
	while (m->peers != NULL) {
		struct peer_job *job = m->peers;

		job_free(job);
		assert(m->peers != job);
	}
}

static void send_to(struct wa_messaging *m, const struct jid *device, struct span message, bool urgent, char id[static 23])
{
	const struct jid *lid = wa_client_own_lid(m->client);
	struct peer_job *job = xcalloc(1, sizeof *job);
	struct state_keys keys = { 0 };
	uint8_t random;

	job->m = m;
	job->next = m->peers;
	m->peers = job;
	job->client = m->client;
	job->urgent = urgent;
	wa_message_id(wa_client_host(m->client), wa_client_host_ctx(m->client), wa_client_own_pn(m->client)->user, job->id);
	memcpy(id, job->id, sizeof job->id);
	job->to = device != NULL ? *device : jid_bare(wa_client_own_pn(m->client));
	job->address = jid_bare(jid_is_none(lid) ? wa_client_own_pn(m->client) : lid);
	job->address.device = job->to.device;
	wa_client_random(m->client, &random, sizeof random);
	buf_append_span(&job->message, message);
	e2e_pad(&job->message, random);
	state_op_init(&job->op, wa_client_state(m->client));
	wa_signal_keys_for_device(&keys, &job->address);
	state_op_fetch(&job->op, keys.keys, keys.n, session_loaded, job);
	state_keys_free(&keys);
}

void wa_peer_send(struct wa_messaging *m, struct span message)
{
	wa_peer_send_to(m, NULL, message);
}

void wa_peer_send_to(struct wa_messaging *m, const struct jid *device, struct span message)
{
	char id[23];

	send_to(m, device, message, false, id);
}

void wa_peer_ask(struct wa_messaging *m, struct span message, bool urgent, char id[static 23])
{
	send_to(m, NULL, message, urgent, id);
}
