/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * If this fails, a hostile stanza or message takes the daemon down. A linked device with a session receives:
 *
 *     first byte even: the rest is a frame, its stanza goes to the handler that the byte picks
 *     first byte odd:  the rest is a plaintext that a contact (or, with bit 1, an own device) encrypts for us
 */
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/wa/channel.h"
#include "sessiond/wa/e2e.h"
#include "sessiond/wa/group.h"
#include "tests/unit/fake_client.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUTS_PER_WORLD 2000

struct world {
	struct fake_host host, peer_host;
	struct wa_client *us, *peer;
	unsigned inputs;
};

static struct world *world;

static wa_stanza_handler *const HANDLERS[] = {
	wa_on_message, wa_on_receipt, wa_on_message_ack, wa_on_presence, wa_on_chatstate, wa_on_identity_change, wa_on_devices,
	wa_on_account_sync_devices, wa_on_privacy_token, wa_on_group, wa_on_channel,
};

static void drop_world(void)
{
	if (world == NULL)
		return;
	fake_client_free(world->us);
	fake_client_free(world->peer);
	fake_host_free(&world->host);
	fake_host_free(&world->peer_host);
	free(world);
	world = NULL;
}

static void keys_loaded(void *arg, bool ok)
{
	(void)arg;
	if (!ok)
		abort();
}

/* The peer encrypts for us, as its first message (a pkmsg without one-time key). */
static void encrypt(const struct jid *as, struct span plaintext, struct buf *out, bool *prekey)
{
	struct state_op op;
	struct state_keys keys = { 0 };
	struct signal_call call;
	struct signal_bundle bundle = { .registration_id = world->us->creds.registration_id, .signed_prekey_id = 1 };
	struct buf padded = { 0 };

	memcpy(bundle.identity, world->us->creds.identity.public_key, sizeof bundle.identity);
	memcpy(bundle.signed_prekey, world->us->creds.signed_prekey.pair.public_key, sizeof bundle.signed_prekey);
	memcpy(bundle.signature, world->us->creds.signed_prekey.signature, sizeof bundle.signature);
	state_op_init(&op, world->peer->state);
	wa_signal_keys_for_device(&keys, as);
	state_op_fetch(&op, keys.keys, keys.n, keys_loaded, NULL);
	fake_client_run(world->peer);
	call = wa_messaging_call(world->peer->messaging, &op);
	/* The session is kept under the name that the peer goes by, so that each name has its own. */
	if (!wa_signal_has_session(&call, as) && wa_signal_start_session(&call, as, &bundle) != 0)
		abort();
	buf_append_span(&padded, plaintext);
	e2e_pad(&padded, 3);
	if (wa_signal_encrypt(&call, as, buf_span(&padded), out, prekey) != 0)
		abort();
	state_op_commit(&op, NULL, NULL);
	state_op_end(&op);
	state_keys_free(&keys);
	fake_client_run(world->peer);
	buf_free(&padded);
}

static void receive_plaintext(struct span plaintext, bool own)
{
	struct arena a;
	struct wa_node *message;
	struct wa_node *enc;
	struct jid from;
	struct buf ciphertext = { 0 };
	bool prekey = false;

	if (jid_parse_text(&from, own ? "922:7@lid" : "911:2@lid") != 0)
		abort();
	encrypt(&from, plaintext, &ciphertext, &prekey);
	arena_init(&a, 0);
	message = wa_node_new(&a, "message");
	wa_node_attr_u64(&a, message, "id", world->inputs);
	wa_node_attr_jid(&a, message, "from", &from);
	enc = wa_node_add_new(&a, message, "enc");
	wa_node_attr(&a, enc, "type", prekey ? "pkmsg" : "msg");
	wa_node_set_bytes(&a, enc, buf_span(&ciphertext));
	fake_client_receive(world->us, wa_on_message, message);
	arena_free(&a);
	buf_free(&ciphertext);
}

static void receive_frame(wa_stanza_handler *handler, struct span frame)
{
	struct arena a;
	struct wa_node *node;

	arena_init(&a, 0);
	if (wa_node_decode(&a, frame, &node) == WA_NODE_OK)
		fake_client_receive(world->us, handler, node);
	arena_free(&a);
}

static void make_world(void)
{
	world = xcalloc(1, sizeof *world);
	fake_host_init(&world->host);
	fake_host_init(&world->peer_host);
	world->us = fake_client_new(&world->host, "222:2@s.whatsapp.net", "922:2@lid", 3);
	world->peer = fake_client_new(&world->peer_host, "111:2@s.whatsapp.net", "911:2@lid", 3);
	fake_client_connect(world->us);
	fake_client_connect(world->peer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	if (world != NULL && world->inputs >= INPUTS_PER_WORLD)
		drop_world();
	if (world == NULL)
		make_world();
	world->inputs++;
	if (data[0] & 1)
		receive_plaintext(span_of(data + 1, size - 1), (data[0] & 2) != 0);
	else
		receive_frame(HANDLERS[(data[0] >> 1) % (sizeof HANDLERS / sizeof HANDLERS[0])], span_of(data + 1, size - 1));
	fake_client_run(world->us);
	while (fake_client_answer(world->us, NULL))
		fake_client_run(world->us);
	/* Every stanza that was taken has come to its end. */
	if (world->us->stanzas != NULL)
		abort();
	return 0;
}
