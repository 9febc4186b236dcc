/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * groupbench: CPU of groups in the protocol library, without network and database. Prints one JSON object:
 *
 *     text_1to1_us          a text to one person with one device, sessions there
 *     group_us              a text to a group of 256 whose members have the key
 *     first_ms              the first message: the key for 256 members with 2 devices each
 *     first_bare_ms         the same sessions and encryptions by libsignal alone (over the same records)
 *     first_longest_ms      the longest turn of the loop in it
 *     receive_us_100, _1000, _10000   one message of a sender that uses every second iteration, after so many
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/mem.h"
#include "sessiond/wa/signal_group.h"
#include "tests/unit/fake_client.h"

#define GROUP "120363000000000001@g.us"
#define MEMBERS 256U
#define TEXTS 1000

struct bench {
	struct fake_host host, peer_host;
	struct wa_client *client, *peer; /* every device of every member has the keys of `peer` */
	struct arena arena;
	double longest_ms;
};

static double cpu_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static struct jid jid_of(const char *text)
{
	struct jid jid;

	if (jid_parse_text(&jid, text) != 0)
		abort();
	return jid;
}

static struct wa_node *result(struct bench *b)
{
	struct wa_node *iq = wa_node_new(&b->arena, "iq");

	wa_node_attr(&b->arena, iq, "type", "result");
	return iq;
}

static void answer_group(struct bench *b, struct wa_node *iq)
{
	struct wa_node *group = wa_node_add_new(&b->arena, iq, "group");

	wa_node_attr(&b->arena, group, "id", "120363000000000001");
	wa_node_attr(&b->arena, group, "addressing_mode", "lid");
	for (unsigned i = 0; i < MEMBERS; i++) {
		struct wa_node *p = wa_node_add_new(&b->arena, group, "participant");
		char text[64];
		struct jid jid;

		snprintf(text, sizeof text, "1000000000%05u@lid", i);
		jid = jid_of(text);
		wa_node_attr_jid(&b->arena, p, "jid", &jid);
		snprintf(text, sizeof text, "49170000%05u@s.whatsapp.net", i);
		jid = jid_of(text);
		wa_node_attr_jid(&b->arena, p, "phone_number", &jid);
	}
}

static void answer_lists(struct bench *b, struct wa_node *iq, const struct wa_node *usync)
{
	const struct wa_node *asked = wa_node_child(usync, "list");
	struct wa_node *list = wa_node_add_new(&b->arena, wa_node_add_new(&b->arena, iq, "usync"), "list");

	for (size_t i = 0; i < asked->nnodes; i++) {
		struct wa_node *user = wa_node_add_new(&b->arena, list, "user");
		struct wa_node *devices = wa_node_add_new(&b->arena, wa_node_add_new(&b->arena, user, "devices"), "device-list");
		struct wa_node *device = wa_node_add_new(&b->arena, devices, "device");
		struct jid jid;

		wa_node_attr_copy(&b->arena, user, "jid", asked->nodes[i], "jid");
		wa_node_get_jid(asked->nodes[i], "jid", &jid);
		wa_node_attr(&b->arena, device, "id", "2");
		wa_node_attr(&b->arena, device, "key-index", "1");
		if (strncmp(jid.user, "1000000000", 10) == 0)
			wa_node_attr(&b->arena, wa_node_add_new(&b->arena, devices, "device"), "id", "0");
	}
}

static void add_key(struct bench *b, struct wa_node *user)
{
	const struct signed_prekey *key = &b->peer->creds.signed_prekey;
	struct wa_node *node = wa_node_add_new(&b->arena, user, "skey");
	uint8_t id[3];

	creds_id_bytes(key->id, id);
	wa_node_add_bytes(&b->arena, node, "id", span_of(id, sizeof id));
	wa_node_add_bytes(&b->arena, node, "value", span_of(key->pair.public_key, 32));
	wa_node_add_bytes(&b->arena, node, "signature", span_of(key->signature, 64));
}

static void answer_bundles(struct bench *b, struct wa_node *iq, const struct wa_node *asked)
{
	struct wa_node *list = wa_node_add_new(&b->arena, iq, "list");
	uint8_t registration[4];

	creds_registration_bytes(b->peer->creds.registration_id, registration);
	for (size_t i = 0; i < asked->nnodes; i++) {
		struct wa_node *user = wa_node_add_new(&b->arena, list, "user");

		wa_node_attr_copy(&b->arena, user, "jid", asked->nodes[i], "jid");
		wa_node_add_bytes(&b->arena, user, "registration", span_of(registration, 4));
		wa_node_add_bytes(&b->arena, user, "identity", span_of(b->peer->creds.identity.public_key, 32));
		add_key(b, user);
	}
}

static void timed(struct bench *b, double before)
{
	double took = cpu_ms() - before;

	if (took > b->longest_ms)
		b->longest_ms = took;
}

/* Everything that is due, with the time of the longest step; then the server's answers. Returns the CPU of our side. */
static double run(struct bench *b)
{
	double spent = 0;

	for (;;) {
		double before = cpu_ms();
		struct wa_node *iq;
		const struct wa_node *asked;

		if (fake_host_step(&b->host)) {
					timed(b, before);
			spent += cpu_ms() - before;
			continue;
		}
		if (fake_client_step(b->client)) {
					timed(b, before);
			spent += cpu_ms() - before;
			continue;
		}
		if (b->client->iqs == NULL)
			return spent;
		asked = b->client->iqs->node;
		iq = result(b);
		if (wa_node_child(asked, "query") != NULL)
			answer_group(b, iq);
		else if (wa_node_child(asked, "usync") != NULL)
			answer_lists(b, iq, wa_node_child(asked, "usync"));
		else if (wa_node_child(asked, "key") != NULL)
			answer_bundles(b, iq, wa_node_child(asked, "key"));
		before = cpu_ms();
			fake_client_answer(b->client, iq);
		timed(b, before);
		spent += cpu_ms() - before;
	}
}

static double text_to(struct bench *b, const char *to)
{
	struct wa_text content = { .text = "hello, how are you?" };
	struct buf plain = { 0 };
	struct wa_send send = { .tag = 1, .to = jid_of(to) };
	struct wa_node *ack = wa_node_new(&b->arena, "ack");
	static unsigned count;
	char id[24];
	double spent;
	double before;

	snprintf(id, sizeof id, "3EB0%018u", ++count);
	wa_build_text(&plain, &content);
	send.id = id;
	send.plaintext = buf_span(&plain);
	before = cpu_ms();
	wa_client_send(b->client, &send);
	timed(b, before);
	spent = cpu_ms() - before;
	spent += run(b);
	wa_node_attr(&b->arena, ack, "id", id);
	before = cpu_ms();
	fake_client_receive(b->client, wa_on_message_ack, ack);
	spent += cpu_ms() - before + run(b);
	buf_free(&plain);
	arena_free(&b->arena);
	arena_init(&b->arena, 0);
	return spent;
}

static double many_texts(struct bench *b, const char *to)
{
	double spent = 0;

	for (int i = 0; i < TEXTS; i++)
		spent += text_to(b, to);
	return spent * 1e3 / TEXTS;
}

static void loaded(void *arg, bool ok)
{
	(void)arg;
	if (!ok)
		abort();
}

/* Sessions with as many devices, and one encryption each of something as long as the key. */
static double bare(struct bench *b)
{
	struct signal_bundle bundle = { .registration_id = b->peer->creds.registration_id, .signed_prekey_id = b->peer->creds.signed_prekey.id };
	struct state_keys keys = { 0 };
	struct state_op op;
	struct signal_call call;
	uint8_t padded[160] = { 1 };
	double before;

	memcpy(bundle.signed_prekey, b->peer->creds.signed_prekey.pair.public_key, 32);
	memcpy(bundle.signature, b->peer->creds.signed_prekey.signature, 64);
	memcpy(bundle.identity, b->peer->creds.identity.public_key, 32);
	state_op_init(&op, b->client->state);
	for (unsigned i = 0; i < 2 * MEMBERS; i++) {
		struct jid jid = { .server = JID_SERVER_LID, .device = (uint16_t)(i % 2) };

		snprintf(jid.user, sizeof jid.user, "2000000000%05u", i / 2);
		wa_signal_keys_for_device(&keys, &jid);
	}
	state_op_fetch(&op, keys.keys, keys.n, loaded, NULL);
	fake_client_run(b->client);
	state_keys_free(&keys);
	call = wa_messaging_call(b->client->messaging, &op);
	before = cpu_ms();
	for (unsigned i = 0; i < 2 * MEMBERS; i++) {
		struct jid jid = { .server = JID_SERVER_LID, .device = (uint16_t)(i % 2) };
		struct buf out = { 0 };
		bool prekey;

		snprintf(jid.user, sizeof jid.user, "2000000000%05u", i / 2);
		if (wa_signal_start_session(&call, &jid, &bundle) != SIGNAL_OK ||
		    wa_signal_encrypt(&call, &jid, span_of(padded, sizeof padded), &out, &prekey) != SIGNAL_OK)
			abort();
		buf_free(&out);
	}
	before = cpu_ms() - before;
	state_op_commit(&op, NULL, NULL);
	state_op_end(&op);
	fake_client_run(b->client);
	return before;
}

static void receive(struct bench *b, double us[3])
{
	static const int marks[] = { 100, 1000, 10000 };
	struct jid chat = jid_of("120363000000000002@g.us");
	struct jid device = jid_of("1000000000000:2@lid");
	struct state_op ops[2];
	struct wa_client *clients[] = { b->client, b->peer };
	struct signal_call calls[2];
	struct buf message = { 0 };
	struct buf plain = { 0 };
	double spent = 0;

	for (int i = 0; i < 2; i++) {
		struct state_keys keys = { 0 };

		state_op_init(&ops[i], clients[i]->state);
		wa_sender_key_keys(&keys, &chat, &device);
		state_op_fetch(&ops[i], keys.keys, keys.n, loaded, NULL);
		fake_client_run(clients[i]);
		state_keys_free(&keys);
		calls[i] = wa_messaging_call(clients[i]->messaging, &ops[i]);
	}
	wa_sender_key_distribution(&calls[1], &chat, &device, &message);
	wa_sender_key_take(&calls[0], &chat, &device, buf_span(&message));
	for (int i = 1, mark = 0; i <= marks[2]; i++) {
		double before;

		for (int k = 0; k < 2; k++) {
			buf_clear(&message);
			wa_sender_key_encrypt(&calls[1], &chat, &device, span_text("hello, how are you?"), &message);
		}
		buf_clear(&plain);
		before = cpu_ms();
		if (wa_sender_key_decrypt(&calls[0], &chat, &device, buf_span(&message), &plain) != SIGNAL_OK)
			abort();
		if (i > marks[mark] - 100)
			spent += cpu_ms() - before;
		if (i == marks[mark]) {
			us[mark++] = spent * 1e3 / 100;
			spent = 0;
		}
	}
	buf_free(&message);
	buf_free(&plain);
	for (int i = 0; i < 2; i++)
		state_op_end(&ops[i]);
}

int main(void)
{
	struct bench b = { 0 };
	double direct;
	double first;
	double longest;
	double group;
	double us[3];

	fake_host_init(&b.host);
	fake_host_init(&b.peer_host);
	arena_init(&b.arena, 0);
	b.client = fake_client_new(&b.host, "111:2@s.whatsapp.net", "911:2@lid", 1);
	b.peer = fake_client_new(&b.peer_host, "222:2@s.whatsapp.net", "922:2@lid", 1);
	fake_client_connect(b.client);
	text_to(&b, "922@lid");
	direct = many_texts(&b, "922@lid");
	b.longest_ms = 0;
	first = text_to(&b, GROUP);
	longest = b.longest_ms;
	group = many_texts(&b, GROUP);
	receive(&b, us);
	printf("{\"text_1to1_us\":%.0f,\"group_us\":%.0f,\"first_ms\":%.0f,\"first_bare_ms\":%.0f,\"first_longest_ms\":%.1f,"
	       "\"receive_us_100\":%.0f,\"receive_us_1000\":%.0f,\"receive_us_10000\":%.0f}\n",
	       direct, group, first, bare(&b), longest, us[0], us[1], us[2]);
	fake_client_free(b.client);
	fake_client_free(b.peer);
	fake_host_free(&b.host);
	fake_host_free(&b.peer_host);
	arena_free(&b.arena);
	return 0;
}
