/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, peers see "waiting for this message", or one message key protects two messages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "common/limits.h"
#include "common/mem.h"
#include "sessiond/wa/curve.h"
#include "sessiond/wa/signal.h"
#include "sessiond/wa/signal_record.h"
#include "tests/unit/fake_host.h"

/* One account with its own records. */
struct party {
	struct fake_host host;
	struct wa_state *state;
	struct state_op op;
	struct signal_account account;
	struct signal_call call;
	struct jid jid;
	uint8_t signed_prekey[SIGNAL_KEY_BYTES];
	uint8_t signature[SIGNAL_SIGNATURE_BYTES];
};

static void to_fetched(void *to, uint64_t token, const struct span *values, size_t n, bool error)
{
	wa_state_fetched(to, token, values, n, error);
}

static void to_committed(void *to, uint64_t token, bool ok)
{
	wa_state_committed(to, token, ok);
}

static void done_ok(void *arg, bool ok)
{
	(void)arg;
	assert_true(ok);
}

static void fetch(struct party *p, struct state_keys *keys)
{
	state_op_fetch(&p->op, keys->keys, keys->n, done_ok, NULL);
	fake_host_run(&p->host);
	state_keys_free(keys);
}

static void put_signed_prekey(struct party *p, uint32_t id, const uint8_t private_key[SIGNAL_KEY_BYTES])
{
	struct buf record = { 0 };
	char name[12];

	buf_append(&record, private_key, SIGNAL_KEY_BYTES);
	buf_append(&record, p->signed_prekey, SIGNAL_KEY_BYTES);
	buf_append(&record, p->signature, SIGNAL_SIGNATURE_BYTES);
	buf_be64(&record, 1767225600000);
	snprintf(name, sizeof name, "%u", (unsigned)id);
	fake_host_put(&p->host, WA_RECORD_SIGNED_PREKEY, name, buf_span(&record));
	buf_free(&record);
}

static void party_open(struct party *p, struct signal_env *env, const char *jid)
{
	*p = (struct party){ 0 };
	fake_host_init(&p->host);
	p->state = wa_state_new(&p->host.host, &p->host, 1 << 20, NULL, NULL);
	p->host.to = p->state;
	p->host.fetched = to_fetched;
	p->host.committed = to_committed;
	assert_int_equal(jid_parse_text(&p->jid, jid), 0);
	state_op_init(&p->op, p->state);
	p->call = (struct signal_call){ .env = env, .op = &p->op, .account = &p->account };
}

static void new_pair(struct party *p, struct curve_pair *pair)
{
	uint8_t random[CURVE_KEY_LEN];

	p->host.host.random(&p->host, random, sizeof random);
	assert_int_equal(curve_pair_from_random(random, pair), 0);
}

static void party_init(struct party *p, struct signal_env *env, const char *jid)
{
	struct curve_signer *signer = curve_signer_new();
	struct curve_pair identity, prekey;

	party_open(p, env, jid);
	new_pair(p, &identity);
	new_pair(p, &prekey);
	p->account.registration_id = 4711;
	memcpy(p->account.identity_private, identity.private_key, SIGNAL_KEY_BYTES);
	memcpy(p->account.identity_public, identity.public_key, SIGNAL_KEY_BYTES);
	memcpy(p->signed_prekey, prekey.public_key, SIGNAL_KEY_BYTES);
	assert_int_equal(curve_sign_key(signer, identity.private_key, prekey.public_key, p->signature), 0);
	put_signed_prekey(p, 1, prekey.private_key);
	curve_signer_free(signer);
}

static void party_free(struct party *p)
{
	state_op_end(&p->op);
	wa_state_free(p->state);
	fake_host_free(&p->host);
}

static struct signal_bundle party_bundle(struct party *p, uint32_t prekey_id)
{
	struct signal_bundle b = { .registration_id = p->account.registration_id, .signed_prekey_id = 1 };
	struct curve_pair pair;
	char name[12];

	memcpy(b.identity, p->account.identity_public, sizeof b.identity);
	memcpy(b.signed_prekey, p->signed_prekey, sizeof b.signed_prekey);
	memcpy(b.signature, p->signature, sizeof b.signature);
	if (prekey_id == 0)
		return b;
	new_pair(p, &pair);
	snprintf(name, sizeof name, "%u", (unsigned)prekey_id);
	fake_host_put(&p->host, WA_RECORD_PREKEY, name, span_of(&pair, sizeof pair));
	b.has_prekey = true;
	b.prekey_id = prekey_id;
	memcpy(b.prekey, pair.public_key, SIGNAL_KEY_BYTES);
	return b;
}

static void know(struct party *p, const struct jid *device)
{
	struct state_keys keys = { 0 };

	wa_signal_keys_for_device(&keys, device);
	fetch(p, &keys);
}

static int encrypt(struct party *from, const struct party *to, const char *text, struct buf *out, bool *prekey)
{
	buf_clear(out);
	return wa_signal_encrypt(&from->call, &to->jid, span_text(text), out, prekey);
}

static int decrypt(struct party *to, const struct party *from, bool prekey, const struct buf *ciphertext, struct buf *plain)
{
	struct state_keys keys = { 0 };
	struct signal_prekey_info info;

	buf_clear(plain);
	wa_signal_keys_for_device(&keys, &from->jid);
	if (prekey && wa_signal_prekey_info(to->call.env, buf_span(ciphertext), &info) == SIGNAL_OK)
		wa_signal_keys_for_prekeys(&keys, &info);
	fetch(to, &keys);
	return wa_signal_decrypt(&to->call, &from->jid, prekey, buf_span(ciphertext), plain);
}

static void meet(struct party *alice, struct party *bob, uint32_t prekey_id)
{
	struct signal_bundle bundle = party_bundle(bob, prekey_id);

	know(alice, &bob->jid);
	know(bob, &alice->jid);
	assert_int_equal(wa_signal_start_session(&alice->call, &bob->jid, &bundle), SIGNAL_OK);
}

static void pass(struct party *from, struct party *to, const char *text, bool expect_prekey)
{
	struct buf c = { 0 };
	struct buf p = { 0 };
	bool prekey;

	assert_int_equal(encrypt(from, to, text, &c, &prekey), SIGNAL_OK);
	assert_int_equal(prekey, expect_prekey);
	assert_int_equal(decrypt(to, from, prekey, &c, &p), SIGNAL_OK);
	assert_true(span_is(buf_span(&p), text));
	buf_free(&c);
	buf_free(&p);
}

static struct signal_env *env_of(void **state)
{
	return *state;
}

static void test_conversation(void **state)
{
	struct party alice, bob;

	party_init(&alice, env_of(state), "111@s.whatsapp.net");
	party_init(&bob, env_of(state), "222:3@lid");
	meet(&alice, &bob, 7);
	pass(&alice, &bob, "first", true);
	pass(&alice, &bob, "still a prekey message", true);
	assert_int_equal(fake_host_count(&bob.host, WA_RECORD_PREKEY), 1);
	state_op_commit(&bob.op, NULL, NULL);
	fake_host_run(&bob.host);
	/* Used up, together with the session that used it. */
	assert_int_equal(fake_host_count(&bob.host, WA_RECORD_PREKEY), 0);
	assert_int_equal(fake_host_count(&bob.host, WA_RECORD_SESSION), 1);
	pass(&bob, &alice, "answer", false);
	pass(&alice, &bob, "now short", false);
	assert_int_equal(wa_signal_remote_registration(&alice.call, &bob.jid), 4711);
	party_free(&alice);
	party_free(&bob);
}

static void test_without_one_time_key(void **state)
{
	struct party alice, bob;

	party_init(&alice, env_of(state), "111@s.whatsapp.net");
	party_init(&bob, env_of(state), "222@s.whatsapp.net");
	meet(&alice, &bob, 0);
	pass(&alice, &bob, "hello", true);
	party_free(&alice);
	party_free(&bob);
}

static void test_bad_bundles_are_refused(void **state)
{
	struct party alice, bob;
	struct signal_bundle bundle;

	party_init(&alice, env_of(state), "111@s.whatsapp.net");
	party_init(&bob, env_of(state), "222@s.whatsapp.net");
	bundle = party_bundle(&bob, 7);
	bundle.signature[5] ^= 1;
	know(&alice, &bob.jid);
	assert_int_equal(wa_signal_start_session(&alice.call, &bob.jid, &bundle), SIGNAL_INVALID_KEY);
	assert_false(wa_signal_has_session(&alice.call, &bob.jid));
	assert_false(state_op_changed(&alice.op));
	party_free(&alice);
	party_free(&bob);
}

static void test_duplicates_and_order(void **state)
{
	struct party alice, bob;
	struct buf c[5] = { 0 };
	struct buf p = { 0 };
	static const int ORDER[] = { 4, 2, 3, 0, 1 };
	bool prekey;
	char text[16];

	party_init(&alice, env_of(state), "111@s.whatsapp.net");
	party_init(&bob, env_of(state), "222@s.whatsapp.net");
	meet(&alice, &bob, 7);
	for (int i = 0; i < 5; i++) {
		snprintf(text, sizeof text, "n%d", i);
		assert_int_equal(encrypt(&alice, &bob, text, &c[i], &prekey), SIGNAL_OK);
	}
	for (int i = 0; i < 5; i++) {
		snprintf(text, sizeof text, "n%d", ORDER[i]);
		assert_int_equal(decrypt(&bob, &alice, true, &c[ORDER[i]], &p), SIGNAL_OK);
		assert_true(span_is(buf_span(&p), text));
	}
	for (int i = 0; i < 5; i++) {
		assert_int_equal(decrypt(&bob, &alice, true, &c[i], &p), SIGNAL_DUPLICATE);
		buf_free(&c[i]);
	}
	buf_free(&p);
	party_free(&alice);
	party_free(&bob);
}

static void test_two_first_messages_cross(void **state)
{
	struct party alice, bob;
	struct buf ab = { 0 };
	struct buf ba = { 0 };
	struct buf p = { 0 };
	struct signal_bundle bundle;
	bool prekey;

	party_init(&alice, env_of(state), "111@s.whatsapp.net");
	party_init(&bob, env_of(state), "222@s.whatsapp.net");
	meet(&alice, &bob, 7);
	bundle = party_bundle(&alice, 9);
	assert_int_equal(wa_signal_start_session(&bob.call, &alice.jid, &bundle), SIGNAL_OK);
	assert_int_equal(encrypt(&alice, &bob, "ab", &ab, &prekey), SIGNAL_OK);
	assert_int_equal(encrypt(&bob, &alice, "ba", &ba, &prekey), SIGNAL_OK);
	assert_int_equal(decrypt(&bob, &alice, true, &ab, &p), SIGNAL_OK);
	assert_int_equal(decrypt(&alice, &bob, true, &ba, &p), SIGNAL_OK);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(encrypt(&alice, &bob, "next", &ab, &prekey), SIGNAL_OK);
		assert_int_equal(decrypt(&bob, &alice, prekey, &ab, &p), SIGNAL_OK);
		assert_int_equal(encrypt(&bob, &alice, "back", &ba, &prekey), SIGNAL_OK);
		assert_int_equal(decrypt(&alice, &bob, prekey, &ba, &p), SIGNAL_OK);
	}
	buf_free(&ab);
	buf_free(&ba);
	buf_free(&p);
	party_free(&alice);
	party_free(&bob);
}

static void test_forged_first_message_changes_nothing(void **state)
{
	struct party alice, bob;
	struct buf c = { 0 };
	struct buf p = { 0 };
	bool prekey;

	party_init(&alice, env_of(state), "111@s.whatsapp.net");
	party_init(&bob, env_of(state), "222@s.whatsapp.net");
	meet(&alice, &bob, 7);
	assert_int_equal(encrypt(&alice, &bob, "x", &c, &prekey), SIGNAL_OK);
	c.data[c.len - 20] ^= 0x40;
	assert_int_not_equal(decrypt(&bob, &alice, true, &c, &p), SIGNAL_OK);
	assert_false(state_op_changed(&bob.op));
	buf_free(&c);
	buf_free(&p);
	party_free(&alice);
	party_free(&bob);
}

static void test_unknown_keys_and_sessions(void **state)
{
	struct party alice, bob;
	struct buf c = { 0 };
	struct buf p = { 0 };
	bool prekey;

	party_init(&alice, env_of(state), "111@s.whatsapp.net");
	party_init(&bob, env_of(state), "222@s.whatsapp.net");
	know(&bob, &alice.jid);
	know(&alice, &bob.jid);
	assert_int_equal(encrypt(&alice, &bob, "x", &c, &prekey), SIGNAL_NO_SESSION);
	assert_int_equal(decrypt(&bob, &alice, false, &c, &p), SIGNAL_NO_SESSION);
	meet(&alice, &bob, 7);
	bob.host.nrecords = 1; /* the one-time key is gone, the signed prekey stays */
	assert_int_equal(encrypt(&alice, &bob, "x", &c, &prekey), SIGNAL_OK);
	assert_int_equal(decrypt(&bob, &alice, true, &c, &p), SIGNAL_INVALID_KEY_ID);
	assert_int_equal(wa_signal_retry_reason(SIGNAL_INVALID_KEY_ID), 3);
	assert_int_equal(wa_signal_retry_reason(SIGNAL_NO_SESSION), 1);
	assert_int_equal(wa_signal_retry_reason(-99), 0);
	free(bob.host.records[1].name);
	buf_free(&bob.host.records[1].value);
	buf_free(&c);
	buf_free(&p);
	party_free(&alice);
	party_free(&bob);
}

static void test_identity_change_is_noticed(void **state)
{
	struct party alice, again, bob;

	party_init(&alice, env_of(state), "111@s.whatsapp.net");
	party_init(&again, env_of(state), "111@s.whatsapp.net");
	party_init(&bob, env_of(state), "222@s.whatsapp.net");
	meet(&alice, &bob, 7);
	pass(&alice, &bob, "old phone", true);
	assert_false(bob.call.identity_changed);
	meet(&again, &bob, 8);
	pass(&again, &bob, "new phone", true);
	assert_true(bob.call.identity_changed);
	party_free(&alice);
	party_free(&again);
	party_free(&bob);
}

/* Alice sends n messages of which only the last arrives. */
static int skip_messages(struct party *alice, struct party *bob, int n)
{
	struct buf c = { 0 };
	struct buf p = { 0 };
	bool prekey = false;
	int rc;

	for (int i = 0; i < n; i++)
		assert_int_equal(encrypt(alice, bob, "skipped", &c, &prekey), SIGNAL_OK);
	rc = decrypt(bob, alice, prekey, &c, &p);
	buf_free(&c);
	buf_free(&p);
	return rc;
}

static size_t stored_session_bytes(struct party *p, const struct jid *device)
{
	char name[SIGNAL_NAME_MAX];
	struct span record;

	assert_true(state_op_get(&p->op, WA_RECORD_SESSION, wa_signal_record_name(device, name), &record));
	return record.n;
}

static void test_gap_of_two_thousand(void **state)
{
	struct party alice, bob;

	party_init(&alice, env_of(state), "111@s.whatsapp.net");
	party_init(&bob, env_of(state), "222@s.whatsapp.net");
	meet(&alice, &bob, 7);
	pass(&alice, &bob, "hello", true);
	pass(&bob, &alice, "hello", false);
	assert_int_equal(skip_messages(&alice, &bob, 1990), SIGNAL_OK);
	assert_in_range(stored_session_bytes(&bob, &alice.jid), 1000, LIMIT_WA_SIGNAL_RECORD_BYTES);
	pass(&alice, &bob, "goes on", false);
	pass(&bob, &alice, "both ways", false);
	assert_int_equal(skip_messages(&alice, &bob, 2100), SIGNAL_INVALID_MESSAGE);
	pass(&bob, &alice, "one way still works", false);
	party_free(&alice);
	party_free(&bob);
}

static void test_pruned_record_keeps_the_newest_keys(void **state)
{
	struct party alice, bob;
	struct buf old = { 0 };
	struct buf recent = { 0 };
	struct buf p = { 0 };
	bool prekey;

	party_init(&alice, env_of(state), "111@s.whatsapp.net");
	party_init(&bob, env_of(state), "222@s.whatsapp.net");
	meet(&alice, &bob, 7);
	pass(&alice, &bob, "hello", true);
	pass(&bob, &alice, "hello", false);
	assert_int_equal(encrypt(&alice, &bob, "too old", &old, &prekey), SIGNAL_OK);
	for (int i = 0; i < 500; i++)
		assert_int_equal(encrypt(&alice, &bob, "lost", &p, &prekey), SIGNAL_OK);
	assert_int_equal(encrypt(&alice, &bob, "recent", &recent, &prekey), SIGNAL_OK);
	assert_int_equal(skip_messages(&alice, &bob, 5), SIGNAL_OK);
	assert_int_equal(decrypt(&bob, &alice, false, &recent, &p), SIGNAL_OK);
	assert_true(span_is(buf_span(&p), "recent"));
	assert_int_equal(decrypt(&bob, &alice, false, &old, &p), SIGNAL_DUPLICATE);
	buf_free(&old);
	buf_free(&recent);
	buf_free(&p);
	party_free(&alice);
	party_free(&bob);
}

static void test_session_moves_to_the_lid(void **state)
{
	struct party alice, bob;
	struct jid lid, other;
	struct state_keys keys = { 0 };
	struct buf c = { 0 };
	struct buf p = { 0 };
	bool prekey;

	party_init(&alice, env_of(state), "111:2@s.whatsapp.net");
	party_init(&bob, env_of(state), "222@s.whatsapp.net");
	meet(&alice, &bob, 7);
	pass(&alice, &bob, "by number", true);
	assert_int_equal(jid_parse_text(&lid, "999:2@lid"), 0);
	assert_int_equal(jid_parse_text(&other, "888:2@lid"), 0);
	wa_signal_keys_for_device(&keys, &lid);
	wa_signal_keys_for_device(&keys, &other);
	fetch(&bob, &keys);
	assert_true(wa_signal_move_session(&bob.call, &alice.jid, &lid));
	assert_false(wa_signal_move_session(&bob.call, &alice.jid, &other));
	assert_int_equal(encrypt(&alice, &bob, "by lid", &c, &prekey), SIGNAL_OK);
	alice.jid = lid;
	assert_int_equal(decrypt(&bob, &alice, true, &c, &p), SIGNAL_OK);
	buf_free(&c);
	buf_free(&p);
	party_free(&alice);
	party_free(&bob);
}

static void test_hostile_records_are_refused(void **state)
{
	struct buf out = { 0 };
	uint8_t *big = xcalloc(1, 100000);

	(void)state;
	assert_int_equal(wa_signal_record_prune(span_of(big, 100), &out), 1);
	assert_int_equal(wa_signal_record_prune(span_of(big, 100000), &out), -1);
	memset(big, 0xff, 100000);
	assert_int_equal(wa_signal_record_prune(span_of(big, 100000), &out), -1);
	free(big);
	buf_free(&out);
}

/* ---- ciphertexts made by another implementation (tests/vectors/make-signal.mjs) ---- */

static struct buf hex_of(struct json_object *o, const char *key)
{
	struct json_object *value = json_object_object_get(o, key);
	const char *text = value == NULL ? "" : json_object_get_string(value);
	struct buf out = { 0 };
	unsigned byte;

	for (; text[0] != '\0' && sscanf(text, "%2x", &byte) == 1; text += 2)
		buf_u8(&out, (uint8_t)byte);
	return out;
}

static void hex_into(struct json_object *o, const char *key, uint8_t *out, size_t n)
{
	struct buf bytes = hex_of(o, key);

	assert_int_equal(bytes.len, n);
	memcpy(out, bytes.data, n);
	buf_free(&bytes);
}

static void load_vector_account(struct party *p, struct json_object *account)
{
	uint8_t private_key[SIGNAL_KEY_BYTES];
	struct json_object *prekeys = json_object_object_get(account, "prekeys");

	hex_into(account, "identityPrivate", p->account.identity_private, SIGNAL_KEY_BYTES);
	hex_into(account, "identityPublic", p->account.identity_public, SIGNAL_KEY_BYTES);
	hex_into(account, "signedPrekeyPublic", p->signed_prekey, SIGNAL_KEY_BYTES);
	hex_into(account, "signature", p->signature, SIGNAL_SIGNATURE_BYTES);
	hex_into(account, "signedPrekeyPrivate", private_key, SIGNAL_KEY_BYTES);
	put_signed_prekey(p, 1, private_key);
	for (size_t i = 0; i < json_object_array_length(prekeys); i++) {
		struct json_object *k = json_object_array_get_idx(prekeys, i);
		uint8_t pair[SIGNAL_PREKEY_RECORD_BYTES];

		hex_into(k, "private", pair, SIGNAL_KEY_BYTES);
		hex_into(k, "public", pair + SIGNAL_KEY_BYTES, SIGNAL_KEY_BYTES);
		fake_host_put(&p->host, WA_RECORD_PREKEY, json_object_get_string(json_object_object_get(k, "id")),
			      span_of(pair, sizeof pair));
	}
}

static void decrypt_vector_case(struct party *bob, struct json_object *c)
{
	struct party sender = { 0 };
	struct json_object *messages = json_object_object_get(c, "messages");

	assert_int_equal(jid_parse_text(&sender.jid, json_object_get_string(json_object_object_get(c, "from"))), 0);
	for (size_t i = 0; i < json_object_array_length(messages); i++) {
		struct json_object *m = json_object_array_get_idx(messages, i);
		struct buf ciphertext = hex_of(m, "ciphertext");
		struct buf expected = hex_of(m, "plain");
		struct buf plain = { 0 };
		bool prekey = strcmp(json_object_get_string(json_object_object_get(m, "type")), "pkmsg") == 0;

		assert_int_equal(decrypt(bob, &sender, prekey, &ciphertext, &plain), SIGNAL_OK);
		assert_int_equal(plain.len, expected.len);
		assert_memory_equal(plain.data, expected.data, expected.len);
		buf_free(&ciphertext);
		buf_free(&expected);
		buf_free(&plain);
	}
}

static void test_reads_what_another_implementation_wrote(void **state)
{
	struct json_object *file = json_object_from_file(TEST_VECTORS_DIR "/signal.json");
	struct json_object *cases;
	struct party bob;

	assert_non_null(file);
	cases = json_object_object_get(file, "cases");
	party_open(&bob, env_of(state), "222@s.whatsapp.net");
	load_vector_account(&bob, json_object_object_get(file, "account"));
	for (size_t i = 0; i < json_object_array_length(cases); i++)
		decrypt_vector_case(&bob, json_object_array_get_idx(cases, i));
	party_free(&bob);
	json_object_put(file);
}

static int make_env(void **state)
{
	*state = wa_signal_env_new();
	return *state == NULL ? -1 : 0;
}

static int drop_env(void **state)
{
	wa_signal_env_free(*state);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_conversation),
		cmocka_unit_test(test_without_one_time_key),
		cmocka_unit_test(test_bad_bundles_are_refused),
		cmocka_unit_test(test_duplicates_and_order),
		cmocka_unit_test(test_two_first_messages_cross),
		cmocka_unit_test(test_forged_first_message_changes_nothing),
		cmocka_unit_test(test_unknown_keys_and_sessions),
		cmocka_unit_test(test_identity_change_is_noticed),
		cmocka_unit_test(test_gap_of_two_thousand),
		cmocka_unit_test(test_pruned_record_keeps_the_newest_keys),
		cmocka_unit_test(test_session_moves_to_the_lid),
		cmocka_unit_test(test_hostile_records_are_refused),
		cmocka_unit_test(test_reads_what_another_implementation_wrote),
	};

	return cmocka_run_group_tests(tests, make_env, drop_env);
}
