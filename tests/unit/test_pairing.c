/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, linking codes do not work, a forged identity is believed, or the device record is lost between two starts. */
#include <string.h>

#include "sessiond/crypto/crypto.h"
#include "sessiond/wa/creds.h"
#include "sessiond/wa/pairing.h"
#include "sessiond/wa/payload.h"
#include "sessiond/wa/proto/payload.pb-c.h"
#include "sessiond/wa/proto_scan.h"
#include "tests/unit/vector.h"

static void derives_codes_like_others(void **state)
{
	struct json_object *root = vector_file(TEST_VECTORS_DIR "/pairing-code.json"), *list;

	(void)state;
	assert_true(json_object_object_get_ex(root, "base32", &list));
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *item = json_object_array_get_idx(list, i);
		struct buf bytes = { 0 };
		char code[PAIRING_CODE_LEN + 1];

		vector_bytes(item, "bytes", &bytes);
		pairing_base32(bytes.data, code);
		assert_string_equal(code, vector_text(item, "code"));
		buf_free(&bytes);
	}
	assert_true(json_object_object_get_ex(root, "pairing_code_key", &list));
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *item = json_object_array_get_idx(list, i);
		struct buf salt = { 0 }, expected = { 0 };
		uint8_t key[32];

		vector_bytes(item, "salt", &salt);
		vector_bytes(item, "key", &expected);
		assert_int_equal(crypto_pbkdf2_sha256(vector_text(item, "code"), 8, salt.data, salt.len, 131072, key, sizeof key), 0);
		assert_memory_equal(key, expected.data, sizeof key);
		buf_free(&salt);
		buf_free(&expected);
	}
	json_object_put(root);
}

/* The prefix, the details and our identity key are what the account signs. */
static void verifies_signatures_of_others(void **state)
{
	struct json_object *root = vector_file(TEST_VECTORS_DIR "/adv.json");
	struct buf signed_text = { 0 }, account = { 0 }, signature = { 0 }, own = { 0 };

	(void)state;
	vector_bytes(root, "account_public", &account);
	vector_bytes(root, "account_signature", &signature);
	vector_bytes(root, "identity_public", &own);
	buf_u8(&signed_text, 6);
	buf_u8(&signed_text, 0);
	vector_bytes(root, "details", &signed_text);
	buf_append_span(&signed_text, buf_span(&own));
	assert_true(curve_verify(account.data, buf_span(&signed_text), buf_span(&signature)));
	for (size_t i = 0; i < signature.len; i++) {
		signature.data[i] ^= 1;
		assert_false(curve_verify(account.data, buf_span(&signed_text), buf_span(&signature)));
		signature.data[i] ^= 1;
	}
	signed_text.data[1] ^= 5;
	assert_false(curve_verify(account.data, buf_span(&signed_text), buf_span(&signature)));
	assert_false(curve_verify(account.data, buf_span(&signed_text), span_of(signature.data, 63)));
	json_object_put(root);
	buf_free(&signed_text);
	buf_free(&account);
	buf_free(&signature);
	buf_free(&own);
}

static void counting_random(void *ctx, void *out, size_t n)
{
	uint8_t *next = ctx;

	for (size_t i = 0; i < n; i++)
		((uint8_t *)out)[i] = (*next)++;
}

static void keys_sign_and_agree(void **state)
{
	struct curve_signer *signer = curve_signer_new();
	struct curve_pair a, b;
	uint8_t seed = 1, signature[CURVE_SIGNATURE_LEN], ab[32], ba[32], random[32];
	static const uint8_t zero[CURVE_KEY_LEN];

	(void)state;
	assert_non_null(signer);
	counting_random(&seed, random, sizeof random);
	assert_int_equal(curve_pair_from_random(random, &a), 0);
	counting_random(&seed, random, sizeof random);
	assert_int_equal(curve_pair_from_random(random, &b), 0);
	assert_int_equal(curve_agree(a.private_key, b.public_key, ab), 0);
	assert_int_equal(curve_agree(b.private_key, a.public_key, ba), 0);
	assert_memory_equal(ab, ba, sizeof ab);
	/* A peer that sends this wants to choose the secret. */
	assert_int_equal(curve_agree(a.private_key, zero, ab), -1);
	assert_int_equal(curve_sign(signer, a.private_key, span_text("hello"), signature), 0);
	assert_true(curve_verify(a.public_key, span_text("hello"), span_of(signature, sizeof signature)));
	assert_false(curve_verify(b.public_key, span_text("hello"), span_of(signature, sizeof signature)));
	assert_false(curve_verify(a.public_key, span_text("hallo"), span_of(signature, sizeof signature)));
	curve_signer_free(signer);
}

static void make_creds(struct wa_creds *creds, struct curve_signer *signer)
{
	uint8_t seed = 1;

	assert_int_equal(creds_generate(creds, signer, counting_random, &seed, 1700000000000), 0);
}

static void keeps_the_device_record(void **state)
{
	struct curve_signer *signer = curve_signer_new();
	struct wa_creds creds, back = { 0 };
	struct buf stored = { 0 }, again = { 0 };

	(void)state;
	make_creds(&creds, signer);
	assert_false(creds_linked(&creds));
	assert_true(creds.registration_id >= 1 && creds.registration_id <= 16380);
	assert_int_equal(jid_parse_text(&creds.pn, "15550001111:7@s.whatsapp.net"), 0);
	assert_int_equal(jid_parse_text(&creds.lid, "222333444:7@lid"), 0);
	buf_append_text(&creds.account, "account");
	buf_append_text(&creds.routing_info, "route");
	creds_set_text(&creds.platform, "android");
	creds_set_text(&creds.push_name, "Änn ☕");
	creds_set_text(&creds.business_name, "");
	creds.next_prekey_id = CREDS_PREKEY_ID_MAX;
	creds.login_count = 3;
	creds_write(&creds, &stored);
	assert_int_equal(creds_read(&back, buf_span(&stored)), 0);
	creds_write(&back, &again);
	assert_true(span_equal(buf_span(&stored), buf_span(&again)));
	assert_true(jid_equal(&back.lid, &creds.lid));
	assert_string_equal(back.push_name, "Änn ☕");
	assert_null(back.business_name);
	assert_int_equal(creds_next_id(CREDS_PREKEY_ID_MAX), 1);
	creds_free(&back);
	/* A record without all of its keys is none. */
	for (size_t n = 0; n < 300; n++)
		assert_int_equal(creds_read(&back, span_of(stored.data, n)), -1);
	creds_free(&creds);
	buf_free(&stored);
	buf_free(&again);
	curve_signer_free(signer);
}

static const Wa__ClientPayload *unpack_payload(struct arena *arena, const struct wa_creds *creds, const struct wa_config *config)
{
	ProtobufCMessage *message;
	struct buf payload = { 0 };

	assert_int_equal(payload_write(creds, config, &payload), 0);
	assert_int_equal(proto_unpack(arena, &wa__client_payload__descriptor, buf_span(&payload), &message), 0);
	buf_free(&payload);
	return (const Wa__ClientPayload *)message;
}

static void says_who_it_is(void **state)
{
	struct wa_config config = { .version = { 2, 3000, 1045649367 }, .os_name = "Mac OS", .browser_name = "Chrome", .full_history = true };
	struct curve_signer *signer = curve_signer_new();
	const Wa__ClientPayload *payload;
	struct buf display = { 0 };
	struct wa_creds creds;
	struct arena arena;
	/* MD5 of "2.3000.1045649367" */
	uint8_t hash[16];

	(void)state;
	arena_init(&arena, 0);
	make_creds(&creds, signer);
	payload = unpack_payload(&arena, &creds, &config);
	assert_false(payload->has_username);
	assert_false(payload->passive || payload->pull);
	assert_int_equal(crypto_unhex("9fa53af9421567b114e33c9bb1ef7db2", 32, hash, sizeof hash), 0);
	assert_int_equal(payload->device_pairing_data->registration_id.len, 4);
	assert_int_equal(payload->device_pairing_data->skey_id.len, 3);
	assert_int_equal(payload->device_pairing_data->build_hash.len, sizeof hash);
	assert_memory_equal(payload->device_pairing_data->build_hash.data, hash, sizeof hash);
	assert_int_equal(jid_parse_text(&creds.pn, "15550001111:7@s.whatsapp.net"), 0);
	payload = unpack_payload(&arena, &creds, &config);
	assert_null(payload->device_pairing_data);
	assert_int_equal(payload->username, 15550001111);
	assert_int_equal(payload->device, 7);
	assert_true(payload->passive && payload->pull);
	payload_platform_display(&config, &display);
	assert_string_equal(buf_text(&display), "Chrome (Mac OS)");
	config.os_name = "My Server";
	config.browser_name = "Desktop";
	buf_clear(&display);
	payload_platform_display(&config, &display);
	assert_string_equal(buf_text(&display), "Chrome (Mac OS)");
	assert_int_equal(payload_client_type("firefox"), '3');
	assert_int_equal(payload_client_type("unheard of"), '9');
	creds_free(&creds);
	buf_free(&display);
	arena_free(&arena);
	curve_signer_free(signer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(derives_codes_like_others),
		cmocka_unit_test(verifies_signatures_of_others),
		cmocka_unit_test(keys_sign_and_agree),
		cmocka_unit_test(keeps_the_device_record),
		cmocka_unit_test(says_who_it_is),
	};

	return cmocka_run_group_tests_name("pairing", tests, NULL, NULL);
}
