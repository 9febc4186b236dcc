/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, lost files are not recovered from the phone, a forged answer redirects a download, or voice notes show as plain audio. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sessiond/crypto/crypto.h"
#include "sessiond/wa/e2e.h"
#include "sessiond/wa/media.h"
#include "sessiond/wa/proto_walk.h"

#define ID "3EB0AABBCCDDEEFF001122"

static uint8_t media_key[32];

/* The derived key as protocol notes pin it, for the media key 00 01 .. 1f. */
static void retry_key(uint8_t out[32])
{
	static const char hex[] = "c84dfe50a708e0ec382a7ad2ba40135256f41b652cebe2129661d27871111cb2";

	assert_int_equal(crypto_unhex(hex, 64, out, 32), CRYPTO_OK);
}

/* iv and sealed MediaRetryNotification, as WA_EVENT_MEDIA_RETRY carries them. */
static void answer(struct buf *out, const char *id, const char *path, uint64_t result)
{
	struct buf plain = { 0 };
	uint8_t key[32], iv[CRYPTO_GCM_IV_LEN] = { 7 };

	retry_key(key);
	proto_put_bytes(&plain, 1, span_text(id));
	if (path)
		proto_put_bytes(&plain, 2, span_text(path));
	proto_put_varint(&plain, 3 << 3);
	proto_put_varint(&plain, result);
	buf_clear(out);
	buf_append(out, iv, sizeof iv);
	assert_int_equal(crypto_aes_gcm_seal(key, iv, ID, strlen(ID), plain.data, plain.len, buf_reserve(out, plain.len + 16)), CRYPTO_OK);
	buf_commit(out, plain.len + 16);
	buf_free(&plain);
}

static enum wa_media_retry_result opened(const struct buf *bytes, struct buf *scratch, struct span *path)
{
	return wa_media_retry_open(media_key, ID, buf_span(bytes), scratch, path);
}

static void the_phones_answer_is_read_and_nothing_else(void **state)
{
	struct buf bytes = { 0 }, scratch = { 0 };
	struct span path;

	(void)state;
	answer(&bytes, ID, "/v/new?x=1", 1);
	assert_int_equal(opened(&bytes, &scratch, &path), WA_MEDIA_RETRY_OK);
	assert_true(span_is(path, "/v/new?x=1"));
	for (size_t i = 0; i < bytes.len; i++) {
		bytes.data[i] ^= 4;
		assert_int_equal(opened(&bytes, &scratch, &path), WA_MEDIA_RETRY_FALSE);
		bytes.data[i] ^= 4;
	}
	for (size_t n = bytes.len; n-- > 0;)
		assert_int_equal(wa_media_retry_open(media_key, ID, span_of(bytes.data, n), &scratch, &path), WA_MEDIA_RETRY_FALSE);
	answer(&bytes, "3EB0OTHER", "/v/new", 1);
	assert_int_equal(opened(&bytes, &scratch, &path), WA_MEDIA_RETRY_FALSE);
	answer(&bytes, ID, "evil.example/v", 1);
	assert_int_equal(opened(&bytes, &scratch, &path), WA_MEDIA_RETRY_FALSE);
	answer(&bytes, ID, NULL, 2);
	assert_int_equal(opened(&bytes, &scratch, &path), WA_MEDIA_RETRY_NOT_FOUND);
	answer(&bytes, ID, NULL, 99);
	assert_int_equal(opened(&bytes, &scratch, &path), WA_MEDIA_RETRY_ERROR);
	buf_free(&bytes);
	buf_free(&scratch);
}

static void every_type_names_its_media(void **state)
{
	static const struct {
		enum wa_media_type type;
		const char *mediatype;
	} rows[] = { { WA_MEDIA_IMAGE, "image" }, { WA_MEDIA_VIDEO, "video" }, { WA_MEDIA_GIF, "gif" }, { WA_MEDIA_PTV, "ptv" }, { WA_MEDIA_AUDIO, "audio" },
		     { WA_MEDIA_PTT, "ptt" }, { WA_MEDIA_DOCUMENT, "document" }, { WA_MEDIA_STICKER, "sticker" } };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct wa_media media = { .type = rows[i].type, .direct_path = "/v/x", .mimetype = "a/b", .key = media_key, .plain_hash = media_key, .blob_hash = media_key,
					  .length = 5, .seconds = 1 };
		struct e2e_attributes attributes;
		struct buf message = { 0 };

		wa_build_media(&message, &media);
		e2e_attributes(buf_span(&message), &attributes);
		assert_string_equal(attributes.type, "media");
		assert_string_equal(attributes.mediatype, rows[i].mediatype);
		buf_free(&message);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_phones_answer_is_read_and_nothing_else),
		cmocka_unit_test(every_type_names_its_media),
	};

	for (size_t i = 0; i < sizeof media_key; i++)
		media_key[i] = (uint8_t)i;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
