/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, messages miss devices, go to the wrong ones, or people appear twice, by number and by LID. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "sessiond/wa/devices.h"
#include "sessiond/wa/lidmap.h"
#include "sessiond/wa/proto_walk.h"
#include "sessiond/wa/seen.h"
#include "sessiond/wa/tctoken.h"
#include "tests/unit/fake_client.h"

struct world {
	struct fake_host host;
	struct wa_client *client;
	struct state_op op;
	struct arena arena;
};

static void world_open(struct world *w)
{
	*w = (struct world){ 0 };
	fake_host_init(&w->host);
	arena_init(&w->arena, 0);
	w->client = fake_client_new(&w->host, "222:2@s.whatsapp.net", "922:2@lid", 1);
	state_op_init(&w->op, w->client->state);
}

static void world_close(struct world *w)
{
	state_op_end(&w->op);
	fake_client_free(w->client);
	fake_host_free(&w->host);
	arena_free(&w->arena);
}

static void loaded(void *arg, bool ok)
{
	(void)arg;
	assert_true(ok);
}

static void fetch(struct world *w, struct state_keys *keys)
{
	state_op_fetch(&w->op, keys->keys, keys->n, loaded, NULL);
	fake_client_run(w->client);
	state_keys_free(keys);
}

static struct jid jid_of(const char *text)
{
	struct jid jid;

	assert_int_equal(jid_parse_text(&jid, text), 0);
	return jid;
}

static void check_hash(struct json_object *c)
{
	struct json_object *list = json_object_object_get(c, "participants");
	struct jid devices[16];
	char hash[DEVICES_HASH_MAX];
	size_t n = json_object_array_length(list);

	assert_in_range(n, 1, 16);
	for (size_t i = 0; i < n; i++)
		devices[i] = jid_of(json_object_get_string(json_object_array_get_idx(list, i)));
	wa_devices_hash(devices, n, hash);
	assert_string_equal(hash, json_object_get_string(json_object_object_get(c, "phash")));
}

static void test_participant_hash_vectors(void **state)
{
	struct json_object *file = json_object_from_file(TEST_VECTORS_DIR "/misc.json");
	struct json_object *cases = json_object_object_get(file, "phash");
	/* Also pinned by the tests of whatsapp-rust. */
	struct jid pinned[] = { jid_of("7469250125917:21@s.whatsapp.net"), jid_of("5511988887777:14@s.whatsapp.net") };
	char hash[DEVICES_HASH_MAX];

	(void)state;
	assert_true(json_object_array_length(cases) > 0);
	for (size_t i = 0; i < json_object_array_length(cases); i++)
		check_hash(json_object_array_get_idx(cases, i));
	wa_devices_hash(pinned, 2, hash);
	assert_string_equal(hash, "2:AAv/hwhn");
	json_object_put(file);
}

static void add_device(struct arena *a, struct wa_node *list, const char *id, const char *index, const char *hosted)
{
	struct wa_node *device = wa_node_add_new(a, list, "device");

	wa_node_attr(a, device, "id", id);
	wa_node_attr(a, device, "key-index", index);
	wa_node_attr(a, device, "is_hosted", hosted);
}

/* ADVSignedKeyIndexList{details{raw id 9, time 100, current 5, valid 3 and 4}} */
static void add_indexes(struct arena *a, struct wa_node *devices, bool packed)
{
	struct buf details = { 0 };
	struct buf signed_list = { 0 };

	buf_append(&details, "\x08\x09\x10\x64\x18\x05", 6);
	buf_append(&details, packed ? "\x22\x02\x03\x04" : "\x20\x03\x20\x04", 4);
	proto_put_bytes(&signed_list, 1, buf_span(&details));
	wa_node_add_bytes(a, devices, "key-index-list", buf_span(&signed_list));
	buf_free(&details);
	buf_free(&signed_list);
}

static void test_device_lists_are_filtered(void **state)
{
	struct world w;
	struct wa_node *devices;
	struct wa_node *list;
	struct device_list parsed;
	struct jid user = jid_of("111@s.whatsapp.net");
	struct jid jid;

	(void)state;
	world_open(&w);
	for (int packed = 0; packed < 2; packed++) {
		devices = wa_node_new(&w.arena, "devices");
		list = wa_node_add_new(&w.arena, devices, "device-list");
		add_device(&w.arena, list, "0", NULL, NULL);
		add_device(&w.arena, list, "1", NULL, NULL);    /* no key index: the server would refuse it */
		add_device(&w.arena, list, "2", "2", NULL);     /* not among the valid ones */
		add_device(&w.arena, list, "3", "3", NULL);
		add_device(&w.arena, list, "6", "6", NULL);     /* newer than the list */
		add_device(&w.arena, list, "99", "4", "true");
		add_device(&w.arena, list, "70000", "4", NULL); /* no device id */
		add_indexes(&w.arena, devices, packed);
		assert_true(wa_devices_parse(devices, &parsed));
		assert_int_equal(parsed.n, 4);
		assert_int_equal(parsed.devices[1].id, 3);
		assert_int_equal(parsed.devices[2].id, 6);
		assert_int_equal(parsed.raw_id, 9);
		assert_int_equal(parsed.adv_time, 100);
		jid = wa_device_jid(&user, &parsed.devices[3]);
		assert_int_equal(jid.server, JID_SERVER_HOSTED);
	}
	wa_devices_store(&w.op, &user, &parsed);
	jid = jid_of("111:3@hosted");
	memset(&parsed, 0xee, sizeof parsed);
	assert_true(wa_devices_load(&w.op, &jid, &parsed)); /* one list per person, hosted or not */
	assert_int_equal(parsed.n, 4);
	wa_node_add_new(&w.arena, devices, "error");
	assert_false(wa_devices_parse(devices, &parsed));
	assert_false(wa_devices_parse(wa_node_new(&w.arena, "devices"), &parsed));
	assert_false(wa_devices_parse(NULL, &parsed));
	world_close(&w);
}

static void test_identity_table(void **state)
{
	struct world w;
	struct state_keys keys = { 0 };
	struct jid pn = jid_of("111:4@s.whatsapp.net");
	struct jid lid = jid_of("911:4@lid");
	struct jid other;

	(void)state;
	world_open(&w);
	wa_lidmap_keys(&keys, &pn);
	wa_lidmap_keys(&keys, &lid);
	fetch(&w, &keys);
	assert_false(wa_lidmap_other(&w.op, &pn, &other));
	assert_false(wa_lidmap_learn(&w.op, &pn, &pn));
	assert_false(wa_lidmap_learn(&w.op, &lid, &lid));
	assert_true(wa_lidmap_learn(&w.op, &lid, &pn)); /* in either order */
	assert_false(wa_lidmap_learn(&w.op, &pn, &lid)); /* known */
	assert_true(wa_lidmap_other(&w.op, &pn, &other));
	assert_true(jid_equal(&other, &lid));
	assert_true(wa_lidmap_other(&w.op, &lid, &other));
	assert_true(jid_equal(&other, &pn));
	other = wa_lidmap_signal_address(&w.op, &pn);
	assert_true(jid_equal(&other, &lid));
	/* The person changes the number: the old one is not theirs any more. */
	other = jid_of("112@s.whatsapp.net");
	assert_true(wa_lidmap_learn(&w.op, &other, &lid));
	assert_false(wa_lidmap_other(&w.op, &pn, &other));
	world_close(&w);
}

static void test_hosted_devices_keep_their_kind(void **state)
{
	struct world w;
	struct jid pn = jid_of("111@s.whatsapp.net");
	struct jid lid = jid_of("911@lid");
	struct jid hosted = jid_of("111:99@hosted");
	struct jid other;

	(void)state;
	world_open(&w);
	assert_true(wa_lidmap_learn(&w.op, &pn, &lid));
	assert_true(wa_lidmap_other(&w.op, &hosted, &other));
	assert_int_equal(other.server, JID_SERVER_HOSTED_LID);
	assert_int_equal(other.device, 99);
	world_close(&w);
}

static void test_seen_ring(void **state)
{
	struct world w;
	struct state_keys keys = { 0 };
	struct jid chat = jid_of("111@s.whatsapp.net");
	struct jid author = jid_of("111:3@s.whatsapp.net");
	struct jid somebody = jid_of("333@s.whatsapp.net");
	struct span ring;
	char id[16];

	(void)state;
	world_open(&w);
	wa_seen_keys(&keys, &chat);
	fetch(&w, &keys);
	for (unsigned i = 0; i < SEEN_MESSAGES + 10; i++) {
		snprintf(id, sizeof id, "ID%u", i);
		assert_false(wa_seen(&w.op, &chat, &author, id));
		wa_seen_add(&w.op, &chat, &author, id);
		assert_true(wa_seen(&w.op, &chat, &author, id));
		assert_false(wa_seen(&w.op, &chat, &somebody, id)); /* ids are the author's */
	}
	assert_false(wa_seen(&w.op, &chat, &author, "ID9"));
	assert_true(wa_seen(&w.op, &chat, &author, "ID10"));
	assert_true(state_op_get(&w.op, WA_RECORD_RECEIVED, "111@s.whatsapp.net", &ring));
	assert_int_equal(ring.n, 2 + 6 * SEEN_MESSAGES);
	world_close(&w);
}

static void test_token_buckets(void **state)
{
	const int64_t week = TCTOKEN_BUCKET_S;
	const int64_t now = 1000 * week + 100;

	(void)state;
	assert_false(wa_tctoken_expired(now, now));
	assert_false(wa_tctoken_expired(997 * week, now));
	assert_true(wa_tctoken_expired(997 * week - 1, now));
	assert_true(wa_tctoken_due(0, now));
	assert_true(wa_tctoken_due(1000 * week - 1, now));
	assert_false(wa_tctoken_due(1000 * week, now));
}

static struct wa_node *tokens_of(struct world *w, const char *time, const char *bytes)
{
	struct wa_node *tokens = wa_node_new(&w->arena, "tokens");
	struct wa_node *token = wa_node_add_bytes(&w->arena, tokens, "token", span_text(bytes));

	wa_node_attr(&w->arena, token, "type", "trusted_contact");
	wa_node_attr(&w->arena, token, "t", time);
	return tokens;
}

static const struct wa_node *attached(struct world *w, const struct jid *user, const char *tag, int64_t now_s)
{
	struct wa_node *message = wa_node_new(&w->arena, "message");

	wa_tctoken_attach(&w->op, &w->arena, message, user, user, now_s);
	return wa_node_child(message, tag);
}

static void test_tokens_are_kept_shown_and_replaced(void **state)
{
	struct world w;
	struct state_keys keys = { 0 };
	struct jid user = jid_of("222222222222222@lid");
	const int64_t now = 1767225600;

	(void)state;
	world_open(&w);
	wa_tctoken_keys(&keys, &user);
	fetch(&w, &keys);
	assert_null(attached(&w, &user, "tctoken", now));
	assert_false(wa_tctoken_take(&w.op, &user, tokens_of(&w, NULL, "no time")));
	assert_true(wa_tctoken_take(&w.op, &user, tokens_of(&w, "1767225600", "first")));
	assert_false(wa_tctoken_take(&w.op, &user, tokens_of(&w, "1767225599", "older")));
	assert_true(span_is(wa_node_content(attached(&w, &user, "tctoken", now)), "first"));
	assert_true(wa_tctoken_mark_given(&w.op, &user, now, false));
	assert_false(wa_tctoken_mark_given(&w.op, &user, now, false));
	assert_true(wa_tctoken_was_given(&w.op, &user));
	assert_true(span_is(wa_node_content(attached(&w, &user, "tctoken", now)), "first")); /* giving ours keeps theirs */
	assert_null(attached(&w, &user, "tctoken", now + 5 * TCTOKEN_BUCKET_S));
	world_close(&w);
}

static void test_computed_token_vector(void **state)
{
	static const uint8_t EXPECTED[] = { 0xe2, 0x50, 0x56, 0x96, 0x5d, 0x01, 0x2d, 0x21, 0xc1, 0xcc, 0x0b, 0x53, 0x90, 0xce, 0xc0, 0x2c,
					    0xfe, 0xa7, 0x99, 0xd6, 0xca, 0xcd, 0x13, 0xcf, 0x9e, 0xfc, 0x14, 0xf0, 0x8d, 0x23, 0xd5, 0xc6 };
	struct world w;
	struct state_keys keys = { 0 };
	struct jid user = jid_of("222222222222222@lid");
	uint8_t salt[32];
	struct span token;

	(void)state;
	for (size_t i = 0; i < sizeof salt; i++)
		salt[i] = (uint8_t)i;
	world_open(&w);
	wa_tctoken_keys(&keys, &user);
	fetch(&w, &keys);
	state_op_put(&w.op, WA_RECORD_MISC, TCTOKEN_SALT_NAME, span_of(salt, sizeof salt));
	token = wa_node_content(attached(&w, &user, "cstoken", 1767225600));
	assert_true(span_equal(token, span_of(EXPECTED, sizeof EXPECTED)));
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_participant_hash_vectors),
		cmocka_unit_test(test_device_lists_are_filtered),
		cmocka_unit_test(test_identity_table),
		cmocka_unit_test(test_hosted_devices_keep_their_kind),
		cmocka_unit_test(test_seen_ring),
		cmocka_unit_test(test_token_buckets),
		cmocka_unit_test(test_tokens_are_kept_shown_and_replaced),
		cmocka_unit_test(test_computed_token_vector),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
