/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, messages leave before they are stored, are acknowledged before they are kept, or are asked for without end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/mem.h"
#include "sessiond/wa/bundle.h"
#include "sessiond/wa/e2e.h"
#include "sessiond/wa/proto_walk.h"
#include "sessiond/wa/retry.h"
#include "tests/unit/two_clients.h"

#define ALICE_PN "111@s.whatsapp.net"
#define ALICE_LID "911@lid"
#define BOB_PN "222@s.whatsapp.net"
#define BOB_LID "922@lid"

/* ---- the server's side ---- */

static void add_user(struct world *w, struct wa_node *list, const char *jid, const char *lid)
{
	struct wa_node *user = add_user_device(w, list);

	add_jid(w, user, "jid", jid);
	if (lid != NULL)
		add_jid(w, wa_node_add_new(&w->arena, user, "lid"), "val", lid);
}

static void answer_devices(struct world *w, struct wa_client *client)
{
	struct wa_node *iq = new_result(w);
	struct wa_node *list = wa_node_add_new(&w->arena, wa_node_add_new(&w->arena, iq, "usync"), "list");

	assert_non_null(client->iqs);
	assert_non_null(wa_node_child(client->iqs->node, "usync"));
	add_user(w, list, ALICE_PN, ALICE_LID);
	add_user(w, list, BOB_PN, BOB_LID);
	add_user(w, list, ALICE_LID, NULL);
	add_user(w, list, BOB_LID, NULL);
	assert_true(fake_client_answer(client, iq));
	fake_client_run(client);
}

/* Device 2 of the peer has a bundle. */
static void answer_bundles(struct world *w, struct wa_client *client, struct wa_client *peer, uint32_t prekey)
{
	answer_keys(w, client, NULL, peer, prekey, "406");
}

/* The enc of a written message for device 2 of somebody, as the server would deliver it. */
static struct wa_node *delivery(struct world *w, const struct wa_node *message, const char *from, const char *for_device, const char *other_key,
				const char *other)
{
	struct wa_node *out = wa_node_new(&w->arena, "message");
	const struct wa_node *list = wa_node_child(message, "participants");
	struct jid wanted;

	assert_int_equal(jid_parse_text(&wanted, for_device), 0);
	wa_node_attr_copy(&w->arena, out, "id", message, "id");
	wa_node_attr_copy(&w->arena, out, "type", message, "type");
	add_jid(w, out, "from", from);
	if (other != NULL)
		add_jid(w, out, other_key, other);
	wa_node_attr(&w->arena, out, "t", "1767225601");
	for (size_t i = 0; list != NULL && i < list->nnodes; i++) {
		struct jid jid;

		if (wa_node_get_jid(list->nodes[i], "jid", &jid) && jid_equal(&jid, &wanted))
			wa_node_add(&w->arena, out, wa_node_clone(&w->arena, wa_node_child(list->nodes[i], "enc")));
	}
	if (list == NULL)
		wa_node_add(&w->arena, out, wa_node_clone(&w->arena, wa_node_child(message, "enc")));
	assert_non_null(wa_node_child(out, "enc"));
	return out;
}

static const struct wa_node *first_message(struct world *w, const char *id, const char *text)
{
	order_text(w->alice, id, BOB_PN, text);
	fake_client_run(w->alice);
	answer_devices(w, w->alice);
	answer_bundles(w, w->alice, w->bob, 3);
	/* After the first message to a contact our privacy token is given to it. */
	assert_non_null(w->alice->iqs);
	assert_non_null(wa_node_child(w->alice->iqs->node, "tokens"));
	fake_client_answer(w->alice, NULL);
	return fake_client_written(w->alice, "message", 0);
}

static void receive(struct world *w, const struct wa_node *message)
{
	(void)w;
	fake_client_receive(w->bob, wa_on_message, message);
	fake_client_run(w->bob);
}

/* ---- sending ---- */

static void test_nothing_leaves_before_it_is_stored(void **state)
{
	struct world w;
	const struct wa_node *message;
	struct wa_event *stored;
	size_t commits;

	(void)state;
	world_open(&w);
	order_text(w.alice, "ID1", BOB_PN, "hello");
	fake_client_run(w.alice);
	answer_devices(&w, w.alice);
	w.alice_host.fail_commits = true; /* the disk is gone */
	commits = w.alice_host.commits;
	answer_bundles(&w, w.alice, w.bob, 3);
	assert_null(fake_client_written(w.alice, "message", 0));
	assert_int_equal(w.alice_host.commits, commits);
	/* It comes back: the message starts anew and leaves once. */
	fake_client_disconnect(w.alice);
	w.alice_host.fail_commits = false;
	wa_state_reset(w.alice->state);
	fake_client_connect(w.alice);
	answer_devices(&w, w.alice);
	answer_bundles(&w, w.alice, w.bob, 3);
	message = fake_client_written(w.alice, "message", 0);
	assert_non_null(message);
	assert_null(fake_client_written(w.alice, "message", 1));
	stored = fake_host_event(&w.alice_host, WA_EVENT_SEND_STANZA, 0);
	assert_non_null(stored);
	assert_int_equal(stored->tag, 7);
	assert_string_equal(wa_node_get(message, "peer_recipient_pn"), BOB_PN);
	assert_string_equal(wa_node_get(message, "to"), BOB_LID);
	assert_null(wa_node_get(message, "phash"));
	assert_non_null(wa_node_child(message, "device-identity"));
	world_close(&w);
}

static void test_a_message_survives_the_process(void **state)
{
	struct world w;
	struct wa_creds creds = { 0 };
	struct buf stored = { 0 };
	struct wa_event *event;
	struct buf again = { 0 };
	struct wa_client *next;

	(void)state;
	world_open(&w);
	first_message(&w, "ID1", "hello");
	event = fake_host_event(&w.alice_host, WA_EVENT_SEND_STANZA, 0);
	creds_write(&w.alice->creds, &stored);
	assert_int_equal(creds_read(&creds, buf_span(&stored)), 0);
	fake_client_free(w.alice);
	next = fake_client_again(&w.alice_host, &creds);
	wa_client_resend(next, 7, "ID1", buf_span(&event->bytes));
	assert_int_equal(next->nwritten, 0);
	fake_client_connect(next);
	assert_int_equal(wa_node_encode(&again, fake_client_written(next, "message", 0)), WA_NODE_OK);
	assert_true(span_equal(buf_span(&again), buf_span(&event->bytes)));
	w.alice = next;
	buf_free(&again);
	buf_wipe(&stored);
	creds_free(&creds);
	world_close(&w);
}

static void ack(struct world *w, const char *id, const char *error)
{
	struct wa_node *node = wa_node_new(&w->arena, "ack");

	wa_node_attr(&w->arena, node, "class", "message");
	wa_node_attr(&w->arena, node, "id", id);
	wa_node_attr(&w->arena, node, "t", "1767225605");
	wa_node_attr(&w->arena, node, "error", error);
	fake_client_receive(w->alice, wa_on_message_ack, node);
	fake_client_run(w->alice);
}

static void test_acks_settle(void **state)
{
	struct world w;

	(void)state;
	world_open(&w);
	first_message(&w, "ID1", "hello");
	ack(&w, "OTHER", NULL);
	assert_int_equal(fake_host_events(&w.alice_host, WA_EVENT_SEND_ACK), 0);
	ack(&w, "ID1", NULL);
	assert_int_equal(fake_host_event(&w.alice_host, WA_EVENT_SEND_ACK, 0)->ms, 1767225605000);
	ack(&w, "ID1", NULL); /* the same ack again */
	assert_int_equal(fake_host_events(&w.alice_host, WA_EVENT_SEND_ACK), 1);
	order_text(w.alice, "ID2", BOB_PN, "second");
	fake_client_run(w.alice);
	assert_null(w.alice->iqs); /* everything is known */
	assert_int_equal(fake_client_count(w.alice, "message"), 2);
	ack(&w, "ID2", "463");
	assert_int_equal(fake_host_event(&w.alice_host, WA_EVENT_SEND_FAILED, 0)->code, 463);
	world_close(&w);
}

static void test_an_overdue_ack_and_a_busy_server(void **state)
{
	struct world w;

	(void)state;
	world_open(&w);
	first_message(&w, "ID1", "hello");
	w.alice_host.mono_ms += 61000;
	fake_client_run(w.alice);
	assert_int_equal(fake_client_count(w.alice, "message"), 2);
	ack(&w, "ID1", "500");
	assert_int_equal(fake_client_count(w.alice, "message"), 2);
	w.alice_host.mono_ms += 2000;
	fake_client_run(w.alice);
	assert_int_equal(fake_client_count(w.alice, "message"), 3);
	assert_int_equal(fake_host_events(&w.alice_host, WA_EVENT_SEND_FAILED), 0);
	world_close(&w);
}

static void test_unreachable_recipients_fail(void **state)
{
	struct world w;
	struct wa_node *iq;

	(void)state;
	world_open(&w);
	order_text(w.alice, "ID1", BOB_PN, "hello");
	fake_client_run(w.alice);
	answer_devices(&w, w.alice);
	iq = wa_node_new(&w.arena, "iq");
	wa_node_attr(&w.arena, iq, "type", "error");
	wa_node_attr(&w.arena, wa_node_add_new(&w.arena, iq, "error"), "code", "406");
	assert_true(fake_client_answer(w.alice, iq));
	fake_client_run(w.alice);
	assert_int_equal(fake_host_event(&w.alice_host, WA_EVENT_SEND_FAILED, 0)->code, 406);
	order_text(w.alice, "ID2", "123@g.us", "hello");
	fake_client_run(w.alice);
	iq = wa_node_new(&w.arena, "iq");
	wa_node_attr(&w.arena, iq, "type", "error");
	wa_node_attr(&w.arena, wa_node_add_new(&w.arena, iq, "error"), "code", "404");
	assert_true(fake_client_answer(w.alice, iq));
	fake_client_run(w.alice);
	assert_int_equal(fake_host_event(&w.alice_host, WA_EVENT_SEND_FAILED, 1)->code, 404);
	assert_int_equal(fake_client_count(w.alice, "message"), 0);
	world_close(&w);
}

static bool next_is(struct world *w, const char *child)
{
	return w->alice->iqs != NULL && wa_node_child(w->alice->iqs->node, child) != NULL;
}

static void test_a_lost_connection_fails_nothing(void **state)
{
	struct world w;

	(void)state;
	world_open(&w);
	order_text(w.alice, "ID1", BOB_PN, "hello");
	fake_client_run(w.alice);
	assert_true(next_is(&w, "usync"));
	fake_client_disconnect(w.alice);
	fake_client_connect(w.alice);
	answer_devices(&w, w.alice);
	assert_true(next_is(&w, "key"));
	fake_client_disconnect(w.alice);
	fake_client_connect(w.alice);
	fake_client_answer(w.alice, NULL); /* no answer in time, but still connected */
	fake_client_run(w.alice);
	assert_null(w.alice->iqs);
	assert_int_equal(fake_host_events(&w.alice_host, WA_EVENT_SEND_FAILED), 0);
	w.alice_host.mono_ms += 2000;
	fake_client_run(w.alice);
	if (next_is(&w, "usync"))
		answer_devices(&w, w.alice);
	answer_bundles(&w, w.alice, w.bob, 3);
	assert_int_equal(fake_client_count(w.alice, "message"), 1);
	assert_int_equal(fake_host_events(&w.alice_host, WA_EVENT_SEND_FAILED), 0);
	world_close(&w);
}

/* ---- receiving ---- */

static void test_stored_before_it_is_answered(void **state)
{
	struct world w;
	const struct wa_node *message;
	struct wa_event *event;

	(void)state;
	world_open(&w);
	message = delivery(&w, first_message(&w, "ID1", "hello"), "911:2@lid", "922:2@lid", "sender_pn", ALICE_PN);
	w.bob_host.fail_commits = true;
	receive(&w, message);
	assert_int_equal(w.bob->nwritten, 0);
	fake_client_disconnect(w.bob);
	wa_state_reset(w.bob->state);
	w.bob_host.fail_commits = false;
	fake_client_connect(w.bob);
	receive(&w, message);
	event = fake_host_event(&w.bob_host, WA_EVENT_MESSAGE, 0);
	assert_non_null(event);
	assert_string_equal(event->message->text, "hello");
	assert_string_equal(event->message->content, "conversation");
	assert_string_equal(event->message->sender_pn.user, "111");
	assert_string_equal(event->message->sender_lid.user, "911");
	assert_int_equal(fake_client_count(w.bob, "receipt"), 1);
	assert_string_equal(wa_node_get(fake_client_written(w.bob, "receipt", 0), "to"), "911:2@lid");
	/* Once more: a receipt, no event. */
	receive(&w, message);
	assert_int_equal(fake_host_events(&w.bob_host, WA_EVENT_MESSAGE), 1);
	assert_int_equal(fake_client_count(w.bob, "receipt"), 2);
	assert_null(wa_node_get(fake_client_written(w.bob, "receipt", 1), "error"));
	world_close(&w);
}

static void test_a_session_made_by_number_moves_to_the_lid(void **state)
{
	struct world w;
	const struct wa_node *first;
	const struct wa_node *second;

	(void)state;
	world_open(&w);
	first = delivery(&w, first_message(&w, "ID1", "by number"), "111:2@s.whatsapp.net", "922:2@lid", NULL, NULL);
	receive(&w, first);
	assert_non_null(fake_host_find(&w.bob_host, WA_RECORD_SESSION, "111.2"));
	order_text(w.alice, "ID2", BOB_PN, "by lid");
	fake_client_run(w.alice);
	second = delivery(&w, fake_client_written(w.alice, "message", 1), "911:2@lid", "922:2@lid", "sender_pn", ALICE_PN);
	receive(&w, second);
	assert_int_equal(fake_host_events(&w.bob_host, WA_EVENT_MESSAGE), 2);
	assert_int_equal(fake_host_events(&w.bob_host, WA_EVENT_UNDECRYPTABLE), 0);
	assert_null(fake_host_find(&w.bob_host, WA_RECORD_SESSION, "111.2"));
	assert_non_null(fake_host_find(&w.bob_host, WA_RECORD_SESSION, "911_1.2"));
	world_close(&w);
}

static void test_what_crashed_the_decoder_is_refused(void **state)
{
	struct world w;
	const struct wa_node *message;

	(void)state;
	world_open(&w);
	message = delivery(&w, first_message(&w, "ID1", "poison"), "911:2@lid", "922:2@lid", "sender_pn", ALICE_PN);
	wa_client_suspect(w.bob, BOB_LID "/nobody/X");
	wa_client_suspect(w.bob, "911@lid/911:2@lid/ID1");
	receive(&w, message);
	assert_int_equal(fake_host_events(&w.bob_host, WA_EVENT_MESSAGE), 0);
	assert_string_equal(wa_node_get(fake_client_written(w.bob, "ack", 0), "error"), "500");
	assert_int_equal(fake_host_events(&w.bob_host, WA_EVENT_UNDECRYPTABLE), 1);
	world_close(&w);
}

static void damage(const struct wa_node *message)
{
	struct span bytes = wa_node_content(wa_node_child(message, "enc"));

	((uint8_t *)(uintptr_t)bytes.p)[bytes.n - 20] ^= 0x55;
}

static void test_asking_has_an_end(void **state)
{
	struct world w;
	const struct wa_node *message;

	(void)state;
	world_open(&w);
	message = delivery(&w, first_message(&w, "ID1", "damaged"), "911:2@lid", "922:2@lid", "sender_pn", ALICE_PN);
	damage(message);
	for (unsigned i = 1; i <= RETRY_ASK_MAX; i++) {
		const struct wa_node *receipt;
		char count[4];

		receive(&w, message);
		receipt = fake_client_written(w.bob, "receipt", i - 1);
		assert_string_equal(wa_node_get(receipt, "type"), "retry");
		snprintf(count, sizeof count, "%u", i);
		assert_string_equal(wa_node_get(wa_node_child(receipt, "retry"), "count"), count);
		assert_int_equal(wa_node_child(receipt, "keys") != NULL, i > 1);
	}
	assert_int_equal(fake_client_count(w.bob, "ack"), RETRY_ASK_MAX);
	receive(&w, message);
	assert_int_equal(fake_client_count(w.bob, "receipt"), RETRY_ASK_MAX);
	assert_int_equal(fake_client_count(w.bob, "ack"), RETRY_ASK_MAX + 1);
	/* The first failure and the end are told. */
	assert_int_equal(fake_host_events(&w.bob_host, WA_EVENT_UNDECRYPTABLE), 2);
	world_close(&w);
}

static void test_malformed_stanzas_are_refused(void **state)
{
	struct world w;
	struct wa_node *message;

	(void)state;
	world_open(&w);
	message = wa_node_new(&w.arena, "message");
	receive(&w, message);
	wa_node_attr(&w.arena, message, "id", "X");
	add_jid(&w, message, "from", ALICE_PN);
	receive(&w, message); /* no enc */
	add_jid(&w, message, "recipient", "333@s.whatsapp.net");
	receive(&w, message); /* a stranger cannot write for us */
	message = wa_node_new(&w.arena, "message");
	wa_node_attr(&w.arena, message, "id", "G");
	add_jid(&w, message, "from", "123@g.us");
	add_jid(&w, message, "participant", ALICE_PN);
	receive(&w, message); /* a group, no enc */
	assert_int_equal(fake_client_count(w.bob, "ack"), 4);
	assert_string_equal(wa_node_get(fake_client_written(w.bob, "ack", 0), "error"), "487");
	assert_string_equal(wa_node_get(fake_client_written(w.bob, "ack", 1), "error"), "488");
	assert_string_equal(wa_node_get(fake_client_written(w.bob, "ack", 2), "error"), "487");
	assert_string_equal(wa_node_get(fake_client_written(w.bob, "ack", 3), "error"), "488");
	assert_int_equal(fake_host_events(&w.bob_host, WA_EVENT_UNDECRYPTABLE), 2);
	world_close(&w);
}

/* ---- receipts ---- */

static void add_reader(struct world *w, struct wa_node *people, const char *jid, const char *seconds, const char *type)
{
	struct wa_node *user = wa_node_add_new(&w->arena, people, "user");

	add_jid(w, user, "jid", jid);
	wa_node_attr(&w->arena, user, "t", seconds);
	wa_node_attr(&w->arena, user, "type", type);
}

static const struct wa_receipt *receipt_told(const struct world *w, size_t i)
{
	return fake_host_event(&w->bob_host, WA_EVENT_RECEIPT, i)->receipt;
}

static void test_a_group_tells_of_several_people_in_one_receipt(void **state)
{
	struct world w;
	struct wa_node *receipt, *people;
	static const char *const ids[] = { "A", "A", "B" };

	(void)state;
	world_open(&w);
	receipt = wa_node_new(&w.arena, "receipt");
	wa_node_attr(&w.arena, receipt, "id", "STANZA");
	wa_node_attr(&w.arena, receipt, "type", "read");
	wa_node_attr(&w.arena, receipt, "t", "1000");
	add_jid(&w, receipt, "from", "1203@g.us");
	people = wa_node_add_new(&w.arena, receipt, "participants");
	wa_node_attr(&w.arena, people, "key", "A");
	add_reader(&w, people, "911:2@lid", "900", NULL);
	add_reader(&w, people, "333@s.whatsapp.net", NULL, NULL);
	people = wa_node_add_new(&w.arena, receipt, "participants");
	wa_node_attr(&w.arena, people, "message_id", "B");
	add_reader(&w, people, "333@s.whatsapp.net", "950", "played");
	add_reader(&w, people, "444@s.whatsapp.net", "950", "hist_sync");
	fake_client_receive(w.bob, wa_on_receipt, receipt);
	fake_client_run(w.bob);
	assert_int_equal(fake_host_events(&w.bob_host, WA_EVENT_RECEIPT), 3);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(receipt_told(&w, i)->n, 1);
		assert_string_equal(receipt_told(&w, i)->ids[0], ids[i]);
		assert_string_equal(receipt_told(&w, i)->chat.user, "1203");
	}
	assert_string_equal(receipt_told(&w, 0)->device.user, "911");
	assert_int_equal(receipt_told(&w, 0)->time_ms, 900000);
	assert_int_equal(receipt_told(&w, 1)->time_ms, 1000000);
	assert_int_equal(receipt_told(&w, 1)->kind, WA_RECEIPT_READ);
	assert_int_equal(receipt_told(&w, 2)->kind, WA_RECEIPT_PLAYED);
	assert_int_equal(fake_client_count(w.bob, "ack"), 1);

	/* Nothing in it that anybody wants to know: taken all the same. */
	receipt = wa_node_new(&w.arena, "receipt");
	wa_node_attr(&w.arena, receipt, "id", "STANZA2");
	add_jid(&w, receipt, "from", "1203@g.us");
	wa_node_add_new(&w.arena, receipt, "participants");
	fake_client_receive(w.bob, wa_on_receipt, receipt);
	fake_client_run(w.bob);
	assert_int_equal(fake_host_events(&w.bob_host, WA_EVENT_RECEIPT), 3);
	assert_int_equal(fake_client_count(w.bob, "ack"), 2);
	world_close(&w);
}

/* A device that can do nothing with the message: the message stays sent. Any other error says nothing of that. */
static void test_what_a_device_is_incapable_of_was_not_delivered(void **state)
{
	static const struct {
		const char *type, *reason, *error;
		size_t told;
	} cases[] = { { NULL, "lid", "feature-incapable", 0 }, { NULL, "lid", "other", 1 }, { NULL, "pn", "feature-incapable", 1 },
		      { "read", "lid", "feature-incapable", 1 }, { NULL, NULL, NULL, 1 } };
	struct world w;
	size_t told = 0;

	(void)state;
	world_open(&w);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct wa_node *receipt = wa_node_new(&w.arena, "receipt"), *error;

		wa_node_attr(&w.arena, receipt, "id", "A");
		wa_node_attr(&w.arena, receipt, "type", cases[i].type);
		add_jid(&w, receipt, "from", "911@lid");
		if (cases[i].error != NULL) {
			error = wa_node_add_new(&w.arena, receipt, "error");
			wa_node_attr(&w.arena, error, "reason", cases[i].reason);
			wa_node_attr(&w.arena, error, "type", cases[i].error);
		}
		fake_client_receive(w.bob, wa_on_receipt, receipt);
		fake_client_run(w.bob);
		told += cases[i].told;
		assert_int_equal(fake_host_events(&w.bob_host, WA_EVENT_RECEIPT), told);
		assert_int_equal(fake_client_count(w.bob, "ack"), i + 1);
	}
	world_close(&w);
}

/* ---- answering retry receipts ---- */

static void ask_again(struct world *w, const char *from, const char *id, const char *count)
{
	struct wa_node *receipt = wa_node_new(&w->arena, "receipt");
	struct wa_node *retry;

	wa_node_attr(&w->arena, receipt, "id", id);
	wa_node_attr(&w->arena, receipt, "type", "retry");
	add_jid(w, receipt, "from", from);
	retry = wa_node_add_new(&w->arena, receipt, "retry");
	wa_node_attr(&w->arena, retry, "id", id);
	wa_node_attr(&w->arena, retry, "count", count);
	fake_client_receive(w->alice, wa_on_receipt, receipt);
	fake_client_run(w->alice);
}

static int last_answer(struct world *w)
{
	size_t n = fake_host_events(&w->alice_host, WA_EVENT_RETRY_REQUESTED);

	assert_true(n > 0);
	return fake_host_event(&w->alice_host, WA_EVENT_RETRY_REQUESTED, n - 1)->code;
}

static void test_only_the_recipient_gets_a_message_again(void **state)
{
	struct world w;
	const struct wa_node *again;

	(void)state;
	world_open(&w);
	first_message(&w, "ID1", "hello");
	ask_again(&w, "333:1@s.whatsapp.net", "ID1", "1");
	assert_int_equal(last_answer(&w), 403);
	ask_again(&w, "922:2@lid", "UNKNOWN", "1");
	assert_int_equal(last_answer(&w), 404);
	assert_int_equal(fake_client_count(w.alice, "message"), 1);
	ask_again(&w, "222:2@s.whatsapp.net", "ID1", "1");
	assert_int_equal(last_answer(&w), 0);
	again = fake_client_written(w.alice, "message", 1);
	assert_string_equal(wa_node_get(again, "id"), "ID1");
	assert_string_equal(wa_node_get(again, "device_fanout"), "false");
	assert_string_equal(wa_node_get(wa_node_child(again, "enc"), "count"), "1");
	receive(&w, delivery(&w, again, "911:2@lid", "922:2@lid", "sender_pn", ALICE_PN));
	assert_string_equal(fake_host_event(&w.bob_host, WA_EVENT_MESSAGE, 0)->message->text, "hello");
	w.alice_host.wall_ms += RETRY_AGE_MS + 1;
	ask_again(&w, "922:2@lid", "ID1", "2");
	assert_int_equal(last_answer(&w), 410);
	world_close(&w);
}

/* What a host fetches that has the message in a place of its own. */
static size_t make_record(struct world *w, struct span message)
{
	struct fake_record *kept = fake_host_find(&w->alice_host, WA_RECORD_SENT, "ID1");
	struct span askers = wa_sent_askers(buf_span(&kept->value));
	struct buf made = { 0 };
	struct jid chat;
	size_t n = askers.n;

	assert_int_equal(jid_parse_text(&chat, BOB_PN), 0);
	wa_sent_record(&made, &chat, w->alice_host.wall_ms, askers, message);
	fake_host_put(&w->alice_host, WA_RECORD_SENT, "ID1", buf_span(&made));
	buf_free(&made);
	return n;
}

static void test_a_host_may_keep_only_who_asked(void **state)
{
	struct world w;
	struct buf message = { 0 };
	struct fake_record *sent;
	char count[4];

	(void)state;
	world_open(&w);
	first_message(&w, "ID1", "hello");
	sent = fake_host_find(&w.alice_host, WA_RECORD_SENT, "ID1");
	/* version, time, chat, no askers */
	buf_append(&message, sent->value.data + 11 + strlen(BOB_LID), sent->value.len - 11 - strlen(BOB_LID));
	assert_int_equal(make_record(&w, buf_span(&message)), 0);
	for (unsigned i = 1; i <= RETRY_ANSWER_MAX; i++) {
		snprintf(count, sizeof count, "%u", i);
		ask_again(&w, "922:2@lid", "ID1", count);
		if (w.alice->iqs != NULL)
			answer_bundles(&w, w.alice, w.bob, 4);
		assert_int_equal(last_answer(&w), 0);
		assert_true(make_record(&w, buf_span(&message)) > 0);
	}
	receive(&w, delivery(&w, fake_client_written(w.alice, "message", RETRY_ANSWER_MAX), "911:2@lid", "922:2@lid", "sender_pn", ALICE_PN));
	assert_string_equal(fake_host_event(&w.bob_host, WA_EVENT_MESSAGE, 0)->message->text, "hello");
	ask_again(&w, "922:2@lid", "ID1", "6");
	assert_int_equal(last_answer(&w), 429);
	assert_int_equal(wa_sent_askers(span_of("\1\0", 2)).n, 0);
	assert_int_equal(wa_sent_askers(span_of(NULL, 0)).n, 0);
	buf_free(&message);
	world_close(&w);
}

static void test_answering_has_an_end(void **state)
{
	struct world w;
	char count[4];

	(void)state;
	world_open(&w);
	first_message(&w, "ID1", "hello");
	for (unsigned i = 1; i <= RETRY_ANSWER_MAX; i++) {
		snprintf(count, sizeof count, "%u", i);
		ask_again(&w, "922:2@lid", "ID1", count);
		if (w.alice->iqs != NULL)
			answer_bundles(&w, w.alice, w.bob, 4);
		assert_int_equal(last_answer(&w), 0);
		/* The same request again: nothing new. */
		ask_again(&w, "922:2@lid", "ID1", count);
		assert_int_equal(fake_client_count(w.alice, "message"), 1 + i);
	}
	ask_again(&w, "922:2@lid", "ID1", "6");
	assert_int_equal(last_answer(&w), 429);
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_leaves_before_it_is_stored),
		cmocka_unit_test(test_a_message_survives_the_process),
		cmocka_unit_test(test_acks_settle),
		cmocka_unit_test(test_an_overdue_ack_and_a_busy_server),
		cmocka_unit_test(test_unreachable_recipients_fail),
		cmocka_unit_test(test_a_lost_connection_fails_nothing),
		cmocka_unit_test(test_stored_before_it_is_answered),
		cmocka_unit_test(test_a_session_made_by_number_moves_to_the_lid),
		cmocka_unit_test(test_what_crashed_the_decoder_is_refused),
		cmocka_unit_test(test_asking_has_an_end),
		cmocka_unit_test(test_malformed_stanzas_are_refused),
		cmocka_unit_test(test_a_group_tells_of_several_people_in_one_receipt),
		cmocka_unit_test(test_what_a_device_is_incapable_of_was_not_delivered),
		cmocka_unit_test(test_only_the_recipient_gets_a_message_again),
		cmocka_unit_test(test_a_host_may_keep_only_who_asked),
		cmocka_unit_test(test_answering_has_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
