/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, groups cost a query per message, somebody who has left reads on, or one stranger's message replaces another's key. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/mem.h"
#include "sessiond/wa/group.h"
#include "sessiond/wa/signal_group.h"
#include "tests/unit/two_clients.h"

#define GROUP "120363000000000001@g.us"

/* ---- the server's side ---- */

static void add_participant(struct world *w, struct wa_node *parent, const char *lid, const char *pn)
{
	struct wa_node *p = wa_node_add_new(&w->arena, parent, "participant");

	add_jid(w, p, "jid", lid);
	add_jid(w, p, "phone_number", pn);
}

static void answer_group(struct world *w)
{
	struct wa_node *iq = new_result(w);
	struct wa_node *group = wa_node_add_new(&w->arena, iq, "group");

	assert_non_null(w->alice->iqs);
	assert_non_null(wa_node_child(w->alice->iqs->node, "query"));
	wa_node_attr(&w->arena, group, "id", "120363000000000001");
	wa_node_attr(&w->arena, group, "subject", "Us");
	wa_node_attr(&w->arena, group, "addressing_mode", "lid");
	wa_node_attr(&w->arena, group, "p_v_id", "5");
	wa_node_attr(&w->arena, wa_node_add_new(&w->arena, group, "ephemeral"), "expiration", "86400");
	add_participant(w, group, "911@lid", "111@s.whatsapp.net");
	add_participant(w, group, "922@lid", "222@s.whatsapp.net");
	add_participant(w, group, "933@lid", "333@s.whatsapp.net");
	assert_true(fake_client_answer(w->alice, iq));
	fake_client_run(w->alice);
}

/* Device 2 for everybody who is asked for. */
static void answer_lists(struct world *w)
{
	struct wa_node *iq = new_result(w);
	struct wa_node *list = wa_node_add_new(&w->arena, wa_node_add_new(&w->arena, iq, "usync"), "list");
	const struct wa_node *asked;

	assert_non_null(w->alice->iqs);
	asked = wa_node_child(wa_node_child(w->alice->iqs->node, "usync"), "list");
	assert_non_null(asked);
	for (size_t i = 0; i < asked->nnodes; i++) {
		struct wa_node *user = add_user_device(w, list);

		wa_node_attr_copy(&w->arena, user, "jid", asked->nodes[i], "jid");
	}
	assert_true(fake_client_answer(w->alice, iq));
	fake_client_run(w->alice);
}

/* Bob's keys for Bob's device; nobody else has any. */
static void answer_bundles(struct world *w)
{
	answer_keys(w, w->alice, "922", w->bob, 0, "500");
}

static void order(struct world *w, const char *id, const char *text)
{
	order_text(w->alice, id, GROUP, text);
	fake_client_run(w->alice);
}

static const struct wa_node *ordered(struct world *w, const char *id, const char *text)
{
	size_t before = fake_client_count(w->alice, "message");

	order(w, id, text);
	assert_null(w->alice->iqs);
	assert_int_equal(fake_client_count(w->alice, "message"), before + 1);
	return fake_client_written(w->alice, "message", before);
}

static size_t keys_in(const struct wa_node *message)
{
	const struct wa_node *list = wa_node_child(message, "participants");

	return list == NULL ? 0 : list->nnodes;
}

static const struct wa_node *first_message(struct world *w)
{
	order(w, "ID1", "first");
	answer_group(w);
	answer_lists(w);
	answer_bundles(w);
	assert_int_equal(fake_client_count(w->alice, "message"), 1);
	return fake_client_written(w->alice, "message", 0);
}

static void deliver(struct world *w, const struct wa_node *message, const char *from)
{
	struct wa_node *out = wa_node_new(&w->arena, "message");
	const struct wa_node *list = wa_node_child(message, "participants");

	wa_node_attr_copy(&w->arena, out, "id", message, "id");
	add_jid(w, out, "from", from);
	add_jid(w, out, "participant", "911:2@lid");
	add_jid(w, out, "participant_pn", "111@s.whatsapp.net");
	wa_node_attr(&w->arena, out, "t", "1767225601");
	/* The message first: the key counts all the same. */
	if (wa_node_child(message, "enc") != NULL)
		wa_node_add(&w->arena, out, wa_node_clone(&w->arena, wa_node_child(message, "enc")));
	if (list != NULL)
		wa_node_add(&w->arena, out, wa_node_clone(&w->arena, wa_node_child(list->nodes[0], "enc")));
	fake_client_receive(w->bob, wa_on_message, out);
	fake_client_run(w->bob);
}

static void notify(struct world *w, const char *change, const char *member, const char *v_id)
{
	struct wa_node *notification = wa_node_new(&w->arena, "notification");
	struct wa_node *node;

	wa_node_attr(&w->arena, notification, "id", "N1");
	wa_node_attr(&w->arena, notification, "type", "w:gp2");
	add_jid(w, notification, "from", GROUP);
	add_jid(w, notification, "participant", "933@lid");
	node = wa_node_add_new(&w->arena, notification, change);
	wa_node_attr(&w->arena, node, "v_id", v_id);
	add_jid(w, wa_node_add_new(&w->arena, node, "participant"), "jid", member);
	fake_client_receive(w->alice, wa_on_group, notification);
	fake_client_run(w->alice);
}

/* ---- sending and receiving ---- */

static void test_one_query_one_key(void **state)
{
	struct world w;
	const struct wa_node *message;

	(void)state;
	world_open(&w);
	message = first_message(&w);
	assert_int_equal(keys_in(message), 1);
	assert_string_equal(wa_node_get(message, "addressing_mode"), "lid");
	assert_string_equal(wa_node_get(message, "expiration"), "86400");
	assert_non_null(wa_node_get(message, "phash"));
	assert_non_null(wa_node_child(message, "device-identity"));
	deliver(&w, message, GROUP);
	assert_string_equal(fake_host_event(&w.bob_host, WA_EVENT_MESSAGE, 0)->message->text, "first");
	assert_string_equal(wa_node_get_or_empty(fake_client_written(w.bob, "receipt", 0), "participant"), "911:2@lid");
	/* None of them is acked yet. */
	for (size_t i = 0; i < 3; i++) {
		static const char *const ids[] = { "ID2", "ID3", "ID4" };

		message = ordered(&w, ids[i], "next");
		assert_int_equal(keys_in(message), 0);
	}
	deliver(&w, message, GROUP);
	assert_int_equal(fake_host_events(&w.bob_host, WA_EVENT_MESSAGE), 2);
	world_close(&w);
}

static void test_a_refused_message_gave_nobody_the_key(void **state)
{
	struct world w;
	struct wa_node *ack;

	(void)state;
	world_open(&w);
	assert_int_equal(keys_in(first_message(&w)), 1);
	ack = wa_node_new(&w.arena, "ack");
	wa_node_attr(&w.arena, ack, "id", "ID1");
	wa_node_attr(&w.arena, ack, "error", "403");
	fake_client_receive(w.alice, wa_on_message_ack, ack);
	fake_client_run(w.alice);
	assert_int_equal(fake_host_event(&w.alice_host, WA_EVENT_SEND_FAILED, 0)->code, 403);
	order(&w, "ID2", "once more");
	answer_group(&w);
	/* The device without keys is looked for once more. */
	answer_lists(&w);
	answer_bundles(&w);
	assert_int_equal(keys_in(fake_client_written(w.alice, "message", 1)), 1);
	world_close(&w);
}

static void test_a_restart_goes_through_the_lists_once(void **state)
{
	struct world w;
	struct wa_creds creds;

	(void)state;
	world_open(&w);
	first_message(&w);
	creds = w.alice->creds;
	w.alice->creds = (struct wa_creds){ 0 };
	fake_client_free(w.alice);
	w.alice = fake_client_again(&w.alice_host, &creds);
	fake_client_connect(w.alice);
	/* The device without keys is looked for once more, and then left alone. */
	order(&w, "ID2", "again");
	answer_lists(&w);
	answer_bundles(&w);
	assert_int_equal(keys_in(fake_client_written(w.alice, "message", 0)), 0);
	assert_int_equal(keys_in(ordered(&w, "ID3", "and again")), 0);
	creds_free(&creds);
	world_close(&w);
}

static void test_who_leaves_has_no_key(void **state)
{
	struct world w;
	const struct wa_node *message;
	const struct wa_group_change *change;

	(void)state;
	world_open(&w);
	deliver(&w, first_message(&w), GROUP);
	notify(&w, "remove", "933@lid", "6");
	change = fake_host_event(&w.alice_host, WA_EVENT_GROUP, 0)->group;
	assert_int_equal(change->kind, WA_GROUP_REMOVED);
	assert_true(change->on);
	assert_int_equal(change->n, 1);
	message = ordered(&w, "ID2", "without one");
	assert_int_equal(keys_in(message), 1);
	deliver(&w, message, GROUP);
	assert_string_equal(fake_host_event(&w.bob_host, WA_EVENT_MESSAGE, 1)->message->text, "without one");
	assert_int_equal(keys_in(ordered(&w, "ID3", "same key")), 0);
	/* We are out of it: the next message asks, and the group is gone. */
	notify(&w, "remove", "911@lid", "7");
	assert_null(fake_host_find(&w.alice_host, WA_RECORD_GROUP, GROUP));
	assert_null(fake_host_find(&w.alice_host, WA_RECORD_SENDER_KEY, GROUP "::911_1.2"));
	world_close(&w);
}

static void test_changes_in_the_wrong_order_are_asked_for(void **state)
{
	struct world w;
	struct wa_node *notification;
	struct wa_node *node;

	(void)state;
	world_open(&w);
	first_message(&w);
	notification = wa_node_new(&w.arena, "notification");
	wa_node_attr(&w.arena, notification, "id", "N2");
	add_jid(&w, notification, "from", GROUP);
	node = wa_node_add_new(&w.arena, notification, "add");
	wa_node_attr(&w.arena, node, "v_id", "9");
	wa_node_attr(&w.arena, node, "prev_v_id", "8");
	add_participant(&w, node, "944@lid", "444@s.whatsapp.net");
	wa_node_add_new(&w.arena, notification, "announcement");
	wa_node_add_new(&w.arena, notification, "something_new");
	fake_client_receive(w.alice, wa_on_group, notification);
	fake_client_run(w.alice);
	assert_int_equal(fake_host_events(&w.alice_host, WA_EVENT_GROUP), 3);
	assert_string_equal(fake_host_event(&w.alice_host, WA_EVENT_GROUP, 2)->group->text, "something_new");
	order(&w, "ID2", "after a gap");
	answer_group(&w);
	assert_int_equal(fake_client_count(w.alice, "ack"), 1);
	world_close(&w);
}

static void test_a_key_for_another_chat_is_not_taken(void **state)
{
	struct world w;
	const struct wa_node *message;

	(void)state;
	world_open(&w);
	message = first_message(&w);
	deliver(&w, message, "120363000000000002@g.us");
	assert_int_equal(fake_host_count(&w.bob_host, WA_RECORD_SENDER_KEY), 0);
	assert_int_equal(w.bob->warnings, 1);
	assert_int_equal(fake_host_events(&w.bob_host, WA_EVENT_MESSAGE), 0);
	assert_string_equal(wa_node_get(fake_client_written(w.bob, "receipt", 0), "type"), "retry");
	world_close(&w);
}

static void test_queries_of_groups_are_shared(void **state)
{
	struct world w;

	(void)state;
	world_open(&w);
	order(&w, "ID1", "one");
	order(&w, "ID2", "two");
	assert_non_null(w.alice->iqs);
	assert_null(w.alice->iqs->next);
	fake_client_disconnect(w.alice);
	fake_client_connect(w.alice);
	answer_group(&w);
	answer_lists(&w);
	answer_bundles(&w);
	assert_int_equal(fake_client_count(w.alice, "message"), 2);
	world_close(&w);
}

/* ---- asked for by the host ---- */

struct asked {
	int calls, code;
	uint32_t expiration_s;
};

static void group_told(void *arg, const struct wa_group *group, int code)
{
	struct asked *asked = arg;

	asked->calls++;
	asked->code = code;
	asked->expiration_s = group != NULL ? group->expiration_s : 0;
}

static void ask(struct world *w, bool fresh, struct asked *asked)
{
	struct jid group = jid_of(GROUP);

	wa_client_group(w->alice, &group, fresh, group_told, asked);
	assert_int_equal(asked->calls, 0);
}

/* A client that is freed answers none of its IQs. */
static void drop_iqs(struct wa_client *client)
{
	while (client->iqs != NULL) {
		struct fake_iq *iq = client->iqs;

		client->iqs = iq->next;
		arena_free(&iq->arena);
		free(iq);
	}
	client->last_iq = NULL;
}

static void test_who_asks_for_a_group_is_told_once(void **state)
{
	struct asked first = { 0 }, known = { 0 }, waiting = { 0 }, waiting_too = { 0 }, at_once = { 0 };
	struct world w;

	(void)state;
	world_open(&w);
	ask(&w, false, &first);
	fake_client_run(w.alice);
	answer_group(&w);
	assert_int_equal(first.code, 0);
	assert_int_equal(first.expiration_s, 86400);
	ask(&w, false, &known);
	fake_client_run(w.alice);
	assert_null(w.alice->iqs);
	assert_int_equal(known.expiration_s, 86400);
	/* The client goes while the server, and while the storage is being asked. */
	ask(&w, true, &waiting);
	ask(&w, true, &waiting_too);
	fake_client_run(w.alice);
	assert_non_null(w.alice->iqs);
	ask(&w, false, &at_once);
	drop_iqs(w.alice);
	world_close(&w);
	assert_int_equal(waiting.code, 503);
	assert_int_equal(waiting_too.code, 503);
	assert_int_equal(at_once.code, 503);
	assert_int_equal(first.calls + known.calls + waiting.calls + waiting_too.calls + at_once.calls, 5);
}

/* ---- sender keys alone ---- */

struct pair {
	struct world w;
	struct state_op from, to;
	struct signal_call alice, bob;
	struct jid chat, device;
};

static void loaded(void *arg, bool ok)
{
	(void)arg;
	assert_true(ok);
}

static void load(struct pair *p, struct state_op *op, struct wa_client *client)
{
	struct state_keys keys = { 0 };

	state_op_init(op, client->state);
	wa_sender_key_keys(&keys, &p->chat, &p->device);
	state_op_fetch(op, keys.keys, keys.n, loaded, NULL);
	fake_client_run(client);
	state_keys_free(&keys);
}

static void pair_open(struct pair *p)
{
	world_open(&p->w);
	p->chat = jid_of(GROUP);
	p->device = jid_of("911:2@lid");
	load(p, &p->from, p->w.alice);
	load(p, &p->to, p->w.bob);
	p->alice = wa_messaging_call(p->w.alice->messaging, &p->from);
	p->bob = wa_messaging_call(p->w.bob->messaging, &p->to);
}

static void pair_close(struct pair *p)
{
	state_op_end(&p->from);
	state_op_end(&p->to);
	world_close(&p->w);
}

static void encrypt(struct pair *p, const char *text, struct buf *out)
{
	buf_clear(out);
	assert_int_equal(wa_sender_key_encrypt(&p->alice, &p->chat, &p->device, span_text(text), out), SIGNAL_OK);
}

static int decrypt(struct pair *p, const struct buf *message)
{
	struct buf plain = { 0 };
	int rc = wa_sender_key_decrypt(&p->bob, &p->chat, &p->device, buf_span(message), &plain);

	buf_free(&plain);
	return rc;
}

static size_t stored_bytes(struct pair *p)
{
	char name[SENDER_KEY_NAME_MAX];
	struct span record;

	assert_true(state_op_get(&p->to, WA_RECORD_SENDER_KEY, wa_sender_key_name(&p->chat, &p->device, name), &record));
	return record.n;
}

static void test_keys_skipped_without_end_are_forgotten(void **state)
{
	struct pair p;
	struct buf key = { 0 };
	struct buf message = { 0 };
	struct buf late = { 0 };
	size_t bytes = 0;

	(void)state;
	pair_open(&p);
	assert_int_equal(wa_sender_key_distribution(&p.alice, &p.chat, &p.device, &key), SIGNAL_OK);
	encrypt(&p, "early", &message);
	assert_int_equal(decrypt(&p, &message), SIGNAL_NO_SESSION);
	assert_int_equal(wa_sender_key_take(&p.bob, &p.chat, &p.device, buf_span(&key)), SIGNAL_OK);
	assert_int_equal(decrypt(&p, &message), SIGNAL_OK);
	assert_int_equal(decrypt(&p, &message), SIGNAL_DUPLICATE);
	/* Every second iteration only, as Baileys does. */
	for (int i = 0; i < 1000; i++) {
		encrypt(&p, "never sent", i == 999 ? &late : &message);
		encrypt(&p, "sent", &message);
		assert_int_equal(decrypt(&p, &message), SIGNAL_OK);
		if (stored_bytes(&p) > bytes)
			bytes = stored_bytes(&p);
	}
	assert_true(bytes < 8192);
	assert_int_equal(decrypt(&p, &late), SIGNAL_OK);
	/* The same key once more, from its start: what was read stays read. */
	bytes = stored_bytes(&p);
	buf_clear(&key);
	assert_int_equal(wa_sender_key_distribution(&p.alice, &p.chat, &p.device, &key), SIGNAL_OK);
	assert_int_equal(wa_sender_key_take(&p.bob, &p.chat, &p.device, buf_span(&key)), SIGNAL_OK);
	assert_int_equal(stored_bytes(&p), bytes);
	assert_int_equal(decrypt(&p, &message), SIGNAL_DUPLICATE);
	encrypt(&p, "damaged", &message);
	message.data[message.len - 1] ^= 1;
	assert_int_equal(decrypt(&p, &message), SIGNAL_INVALID_MESSAGE);
	message.data[message.len - 1] ^= 1;
	assert_int_equal(decrypt(&p, &message), SIGNAL_OK);
	buf_free(&key);
	buf_free(&message);
	buf_free(&late);
	pair_close(&p);
}

static void test_rubbish_is_no_key(void **state)
{
	static const char *const rubbish[] = { "", "3", "\x33\x08", "\x33\x08\x01\x10\x01\x1a\x02hi\x22\x02hi", "\x22\x08\x01" };
	struct pair p;

	(void)state;
	pair_open(&p);
	for (size_t i = 0; i < sizeof rubbish / sizeof rubbish[0]; i++) {
		struct buf message = { 0 };

		buf_append_text(&message, rubbish[i]);
		buf_u8(&message, 0);
		assert_int_not_equal(wa_sender_key_take(&p.bob, &p.chat, &p.device, buf_span(&message)), SIGNAL_OK);
		assert_int_not_equal(decrypt(&p, &message), SIGNAL_OK);
		buf_free(&message);
	}
	pair_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_query_one_key),
		cmocka_unit_test(test_a_refused_message_gave_nobody_the_key),
		cmocka_unit_test(test_a_restart_goes_through_the_lists_once),
		cmocka_unit_test(test_who_leaves_has_no_key),
		cmocka_unit_test(test_changes_in_the_wrong_order_are_asked_for),
		cmocka_unit_test(test_a_key_for_another_chat_is_not_taken),
		cmocka_unit_test(test_queries_of_groups_are_shared),
		cmocka_unit_test(test_who_asks_for_a_group_is_told_once),
		cmocka_unit_test(test_keys_skipped_without_end_are_forgotten),
		cmocka_unit_test(test_rubbish_is_no_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
