/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, no server is understood, or one that is not WhatsApp is believed. */
#include "sessiond/wa/handshake.h"

#include <string.h>

#include "sessiond/crypto/crypto.h"
#include "sessiond/wa/cert.h"
#include "sessiond/wa/frame.h"
#include "tests/unit/vector.h"

/* A recorded handshake of an independent client. */
struct record {
	struct json_object *json;
	struct curve_pair ephemeral, noise;
	struct buf root_key, payload, hello, routing;
	int64_t now_s;
};

static struct curve_pair read_pair(struct json_object *json, const char *name)
{
	struct buf key = { 0 };
	struct curve_pair pair;

	vector_bytes(json, name, &key);
	assert_int_equal(curve_pair_from_random(key.data, &pair), 0);
	buf_free(&key);
	return pair;
}

static int setup(void **state)
{
	static struct record record;

	record = (struct record){ .json = vector_file(TEST_VECTORS_DIR "/noise.json") };
	record.ephemeral = read_pair(record.json, "ephemeral_private");
	record.noise = read_pair(record.json, "noise_private");
	vector_bytes(record.json, "root_key", &record.root_key);
	vector_bytes(record.json, "payload", &record.payload);
	vector_bytes(record.json, "server_hello", &record.hello);
	vector_bytes(record.json, "routing_info", &record.routing);
	record.now_s = strtoll(vector_text(record.json, "now_s"), NULL, 10);
	*state = &record;
	return 0;
}

static int teardown(void **state)
{
	struct record *record = *state;

	buf_free(&record->root_key);
	buf_free(&record->payload);
	buf_free(&record->hello);
	buf_free(&record->routing);
	json_object_put(record->json);
	return 0;
}

static int finish(struct record *record, struct span hello, int64_t now_s, struct buf *out, struct noise_cipher **write_cipher,
                  struct noise_cipher **read_cipher)
{
	struct handshake_peer peer = { .noise_pair = &record->noise, .root_key = record->root_key.data, .now_s = now_s,
		                       .payload = buf_span(&record->payload) };
	struct handshake handshake;
	struct buf first = { 0 };
	int error;

	assert_int_equal(handshake_start(&handshake, &record->ephemeral, &first), 0);
	error = handshake_finish(&handshake, hello, &peer, out, write_cipher, read_cipher);
	buf_free(&first);
	return error;
}

static void compare(struct record *record, const char *name, const struct buf *given)
{
	struct buf expected = { 0 };

	vector_bytes(record->json, name, &expected);
	assert_int_equal(given->len, expected.len);
	assert_memory_equal(given->data, expected.data, expected.len);
	buf_free(&expected);
}

static void writes_the_same_bytes(void **state)
{
	struct record *record = *state;
	struct noise_cipher *write_cipher, *read_cipher;
	struct handshake handshake;
	struct buf hello = { 0 }, answer = { 0 }, wire = { 0 };

	assert_int_equal(handshake_start(&handshake, &record->ephemeral, &hello), 0);
	frame_put_intro(&wire, buf_span(&record->routing));
	assert_int_equal(frame_put(&wire, buf_span(&hello)), 0);
	compare(record, "first_bytes", &wire);
	assert_int_equal(finish(record, buf_span(&record->hello), record->now_s, &answer, &write_cipher, &read_cipher), 0);
	buf_clear(&wire);
	assert_int_equal(frame_put(&wire, buf_span(&answer)), 0);
	compare(record, "second_bytes", &wire);
	noise_cipher_free(write_cipher);
	noise_cipher_free(read_cipher);
	handshake_wipe(&handshake);
	buf_free(&hello);
	buf_free(&answer);
	buf_free(&wire);
}

static void speaks_after_the_handshake(void **state)
{
	struct record *record = *state;
	struct noise_cipher *write_cipher, *read_cipher;
	struct buf answer = { 0 };
	struct json_object *list;

	assert_int_equal(finish(record, buf_span(&record->hello), record->now_s, &answer, &write_cipher, &read_cipher), 0);
	assert_true(json_object_object_get_ex(record->json, "to_server", &list));
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct buf plain = { 0 }, sealed = { 0 }, wire = { 0 }, expected = { 0 };

		vector_bytes(json_object_array_get_idx(list, i), "plain", &plain);
		vector_bytes(json_object_array_get_idx(list, i), "bytes", &expected);
		assert_int_equal(noise_cipher_seal(write_cipher, buf_span(&plain), &sealed), 0);
		assert_int_equal(frame_put(&wire, buf_span(&sealed)), 0);
		assert_true(span_equal(buf_span(&wire), buf_span(&expected)));
		buf_free(&plain);
		buf_free(&sealed);
		buf_free(&wire);
		buf_free(&expected);
	}
	assert_true(json_object_object_get_ex(record->json, "to_client", &list));
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct buf plain = { 0 }, sealed = { 0 };
		struct span opened;

		vector_bytes(json_object_array_get_idx(list, i), "plain", &plain);
		vector_bytes(json_object_array_get_idx(list, i), "cipher", &sealed);
		assert_int_equal(noise_cipher_open(read_cipher, sealed.data, sealed.len, &opened), 0);
		assert_true(span_equal(opened, buf_span(&plain)));
		/* A frame that comes again is not opened again. */
		assert_int_equal(noise_cipher_open(read_cipher, sealed.data, sealed.len, &opened), NOISE_AUTH);
		noise_cipher_free(read_cipher);
		buf_free(&plain);
		buf_free(&sealed);
		if (i + 1 < json_object_array_length(list)) {
			/* Anew, up to where we were. */
			noise_cipher_free(write_cipher);
			buf_clear(&answer);
			assert_int_equal(finish(record, buf_span(&record->hello), record->now_s, &answer, &write_cipher, &read_cipher), 0);
			for (size_t k = 0; k <= i; k++) {
				vector_bytes(json_object_array_get_idx(list, k), "cipher", &sealed);
				assert_int_equal(noise_cipher_open(read_cipher, sealed.data, sealed.len, &opened), 0);
				buf_free(&sealed);
			}
		}
	}
	noise_cipher_free(write_cipher);
	buf_free(&answer);
}

static void refuses_every_flipped_bit(void **state)
{
	struct record *record = *state;
	struct noise_cipher *write_cipher = NULL, *read_cipher = NULL;
	struct buf answer = { 0 }, hello = { 0 };

	for (size_t i = 0; i < record->hello.len; i++) {
		int error;

		buf_clear(&hello);
		buf_append_span(&hello, buf_span(&record->hello));
		hello.data[i] ^= 0x10U;
		error = finish(record, buf_span(&hello), record->now_s, &answer, &write_cipher, &read_cipher);
		assert_true(error == HANDSHAKE_BROKEN || error == HANDSHAKE_CRYPTO || error == HANDSHAKE_FAILED);
		assert_null(write_cipher);
	}
	for (size_t n = 0; n < record->hello.len; n++)
		assert_int_not_equal(finish(record, span_of(record->hello.data, n), record->now_s, &answer, &write_cipher, &read_cipher), 0);
	assert_int_equal(answer.len, 0);
	buf_free(&hello);
	buf_free(&answer);
}

static void refuses_by_the_clock(void **state)
{
	struct record *record = *state;
	struct noise_cipher *write_cipher, *read_cipher;
	struct buf answer = { 0 };
	int64_t day = 86400;

	assert_int_equal(finish(record, buf_span(&record->hello), record->now_s - 31 * day, &answer, &write_cipher, &read_cipher), CERT_NOT_YET);
	assert_int_equal(finish(record, buf_span(&record->hello), record->now_s + 101 * day, &answer, &write_cipher, &read_cipher), CERT_EXPIRED);
	assert_int_equal(finish(record, buf_span(&record->hello), 0, &answer, &write_cipher, &read_cipher), CERT_NOT_YET);
	assert_int_equal(finish(record, buf_span(&record->hello), -5, &answer, &write_cipher, &read_cipher), CERT_NOT_YET);
	assert_non_null(strstr(handshake_error_text(CERT_EXPIRED), "clock"));
	record->root_key.data[3] ^= 1;
	assert_int_equal(finish(record, buf_span(&record->hello), record->now_s, &answer, &write_cipher, &read_cipher), CERT_ROOT);
	record->root_key.data[3] ^= 1;
	buf_free(&answer);
}

/* A chain that the service really sent (public since 2026: recorded in openclaw/crabline), valid until 2026-07-27. */
static void believes_the_real_service(void **state)
{
	static const char chain_text[] =
		"CncKMwjjAhADGiCRKg7Kg1iu4CSulwLBaxX51Tefw6VXGgZqcr5OEbXIRiDQ04bOBijQjZ/TBhJA34Bj82jAHhLpCWBNVBlGnFDieamd8+138S57uMt9ke9m"
		"rn5r4+VepwBPKEgHjob6bR70rlCmWDkxZv+CfVjIAxJ2CjIIAxAAGiAcUamsMDmUxsjQuS6hh4pTNHZZnMWZ++o1mX2aqQzOYiCAka6+Bij/3rfcBhJAJw8p"
		"RkhTn+1IcOJQVN1OlZg6uikYnCumyO7acFVVX3U3QPXsGSq2TCbCbWrebSC593Su43EgprIDlfU8ZgWFBw==";
	static const char root_text[] = "142375574d0a587166aae71ebe516437c4a28b73e3695c6ce1f7f9545da8ee6b";
	uint8_t chain[400], root[32], leaf_key[32];
	int64_t may = 1777593600, september = 1788220800, day = 86400;
	size_t n;

	(void)state;
	assert_int_equal(crypto_unbase64(chain_text, strlen(chain_text), chain, &n), 0);
	assert_int_equal(crypto_unhex(root_text, strlen(root_text), root, sizeof root), 0);
	/* The leaf's key stands behind two lengths and two serial numbers. */
	memcpy(leaf_key, chain + 11, sizeof leaf_key);
	assert_int_equal(cert_verify(span_of(chain, n), leaf_key, root, may), CERT_OK);
	assert_int_equal(cert_verify(span_of(chain, n), leaf_key, root, september), CERT_EXPIRED);
	assert_int_equal(cert_verify(span_of(chain, n), leaf_key, root, may - 60 * day), CERT_NOT_YET);
	leaf_key[31] ^= 1;
	assert_int_equal(cert_verify(span_of(chain, n), leaf_key, root, may), CERT_KEY);
	assert_int_equal(cert_verify(span_of(chain, 20), leaf_key, root, may), CERT_BROKEN);
	assert_int_equal(cert_verify(span_of(NULL, 0), leaf_key, root, may), CERT_BROKEN);
}

static void reassembles_frames(void **state)
{
	static const uint8_t stream[] = { 0, 0, 2, 'a', 'b', 0, 0, 0, 0, 0, 1, 'c', 0, 0, 4, 'd', 'e' };
	struct frame_reader reader = { 0 };
	struct buf seen = { 0 };
	uint8_t *payload;
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof stream; i++) {
		frame_reader_push(&reader, stream + i, 1);
		while (frame_reader_next(&reader, &payload, &n)) {
			buf_append(&seen, payload, n);
			buf_u8(&seen, '.');
		}
	}
	assert_string_equal(buf_text(&seen), "ab.c.");
	frame_reader_push(&reader, (const uint8_t *)"fg", 2);
	assert_true(frame_reader_next(&reader, &payload, &n));
	assert_int_equal(n, 4);
	assert_memory_equal(payload, "defg", 4);
	assert_false(frame_reader_next(&reader, &payload, &n));
	assert_null(reader.bytes.data);
	buf_clear(&seen);
	assert_int_equal(frame_put(&seen, span_of(stream, 1U << 24)), -1);
	assert_int_equal(seen.len, 0);
	frame_put_intro(&seen, span_of(NULL, 0));
	assert_int_equal(seen.len, FRAME_PROLOGUE_LEN);
	buf_free(&seen);
	frame_reader_free(&reader);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_the_same_bytes),
		cmocka_unit_test(speaks_after_the_handshake),
		cmocka_unit_test(refuses_every_flipped_bit),
		cmocka_unit_test(refuses_by_the_clock),
		cmocka_unit_test(believes_the_real_service),
		cmocka_unit_test(reassembles_frames),
	};

	return cmocka_run_group_tests_name("handshake", tests, setup, teardown);
}
