/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Two clients of the protocol library, Alice and Bob, and the server's answers to what they ask. After cmocka.h and fake_client.h. */
#ifndef TESTS_UNIT_TWO_CLIENTS_H
#define TESTS_UNIT_TWO_CLIENTS_H

#include "tests/unit/fake_client.h"

struct world {
	struct fake_host alice_host, bob_host;
	struct wa_client *alice, *bob;
	struct arena arena;
};

static inline void world_open(struct world *w)
{
	*w = (struct world){ 0 };
	fake_host_init(&w->alice_host);
	fake_host_init(&w->bob_host);
	arena_init(&w->arena, 0);
	w->alice = fake_client_new(&w->alice_host, "111:2@s.whatsapp.net", "911:2@lid", 10);
	w->bob = fake_client_new(&w->bob_host, "222:2@s.whatsapp.net", "922:2@lid", 10);
	fake_client_connect(w->alice);
	fake_client_connect(w->bob);
}

static inline void world_close(struct world *w)
{
	fake_client_free(w->alice);
	fake_client_free(w->bob);
	fake_host_free(&w->alice_host);
	fake_host_free(&w->bob_host);
	arena_free(&w->arena);
}

static inline struct jid jid_of(const char *text)
{
	struct jid jid;

	assert_int_equal(jid_parse_text(&jid, text), 0);
	return jid;
}

static inline void add_jid(struct world *w, struct wa_node *n, const char *key, const char *text)
{
	struct jid jid = jid_of(text);

	wa_node_attr_jid(&w->arena, n, key, &jid);
}

static inline struct wa_node *new_result(struct world *w)
{
	struct wa_node *iq = wa_node_new(&w->arena, "iq");

	wa_node_attr(&w->arena, iq, "type", "result");
	return iq;
}

/* <user> with one companion, device 2; the caller adds its JID. */
static inline struct wa_node *add_user_device(struct world *w, struct wa_node *list)
{
	struct wa_node *user = wa_node_add_new(&w->arena, list, "user");
	struct wa_node *device = wa_node_add_new(&w->arena, wa_node_add_new(&w->arena, wa_node_add_new(&w->arena, user, "devices"), "device-list"), "device");

	wa_node_attr(&w->arena, device, "id", "2");
	wa_node_attr(&w->arena, device, "key-index", "1");
	return user;
}

static inline struct wa_node *add_key(struct world *w, struct wa_node *user, const char *tag, uint32_t id, const uint8_t *key)
{
	struct wa_node *node = wa_node_add_new(&w->arena, user, tag);
	uint8_t bytes[3];

	creds_id_bytes(id, bytes);
	wa_node_add_bytes(&w->arena, node, "id", span_of(bytes, sizeof bytes));
	wa_node_add_bytes(&w->arena, node, "value", span_of(key, 32));
	return node;
}

/* The keys of a client; the one-time key only if it has one of this number. */
static inline void add_bundle(struct world *w, struct wa_node *user, struct wa_client *owner, uint32_t prekey)
{
	const struct wa_creds *creds = &owner->creds;
	const struct fake_record *record;
	uint8_t registration[4];
	struct wa_node *key;
	char name[12];

	creds_registration_bytes(creds->registration_id, registration);
	wa_node_add_bytes(&w->arena, user, "registration", span_of(registration, 4));
	wa_node_add_bytes(&w->arena, user, "identity", span_of(creds->identity.public_key, 32));
	key = add_key(w, user, "skey", creds->signed_prekey.id, creds->signed_prekey.pair.public_key);
	wa_node_add_bytes(&w->arena, key, "signature", span_of(creds->signed_prekey.signature, 64));
	snprintf(name, sizeof name, "%u", (unsigned)prekey);
	record = fake_host_find(owner->host, WA_RECORD_PREKEY, name);
	if (record != NULL)
		add_key(w, user, "key", prekey, (const uint8_t *)record->value.data + 32);
}

/* Bundles for everything that the client asks for: device 2 of this user has the owner's (user NULL: of everybody), all others an error. */
static inline void answer_keys(struct world *w, struct wa_client *client, const char *of, struct wa_client *owner, uint32_t prekey, const char *error)
{
	struct wa_node *iq = new_result(w);
	struct wa_node *list = wa_node_add_new(&w->arena, iq, "list");
	const struct wa_node *asked;

	assert_non_null(client->iqs);
	asked = wa_node_child(client->iqs->node, "key");
	assert_non_null(asked);
	for (size_t i = 0; i < asked->nnodes; i++) {
		struct wa_node *user = wa_node_add_new(&w->arena, list, "user");
		struct jid jid;

		assert_true(wa_node_get_jid(asked->nodes[i], "jid", &jid));
		wa_node_attr_jid(&w->arena, user, "jid", &jid);
		if (jid.device == 2 && (of == NULL || strcmp(jid.user, of) == 0))
			add_bundle(w, user, owner, prekey);
		else
			wa_node_attr(&w->arena, wa_node_add_new(&w->arena, user, "error"), "code", error);
	}
	assert_true(fake_client_answer(client, iq));
	fake_client_run(client);
}

/* Orders a text; nothing has run yet. */
static inline void order_text(struct wa_client *client, const char *id, const char *to, const char *text)
{
	struct wa_text content = { .text = text };
	struct buf plain = { 0 };
	struct wa_send send = { .tag = 7, .id = id, .to = jid_of(to) };

	wa_build_text(&plain, &content);
	send.plaintext = buf_span(&plain);
	wa_client_send(client, &send);
	buf_free(&plain);
}

#endif
