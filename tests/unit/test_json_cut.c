/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, a file inside a JSON body arrives damaged, is held in memory as a whole, or breaks the fields around it. */
#include "fcgi/json_cut.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/mem.h"

#define BYTES 50000U
#define BASE64_LEN ((BYTES + 2) / 3 * 4)

static uint8_t bytes[BYTES];
static char base64[BASE64_LEN + 1];

static void make_example(void)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t at = 0;

	for (size_t i = 0; i < BYTES; i++)
		bytes[i] = (uint8_t)(i * 7 + i / 256);
	for (size_t i = 0; i < BYTES; i += 3) {
		uint32_t n = (uint32_t)bytes[i] << 16 | (i + 1 < BYTES ? (uint32_t)bytes[i + 1] << 8 : 0) | (i + 2 < BYTES ? bytes[i + 2] : 0);

		base64[at++] = alphabet[n >> 18];
		base64[at++] = alphabet[n >> 12 & 63];
		base64[at++] = i + 1 < BYTES ? alphabet[n >> 6 & 63] : '=';
		base64[at++] = i + 2 < BYTES ? alphabet[n & 63] : '=';
	}
}

struct cutting {
	struct arena arena;
	struct form form;
	struct buf text;
	struct json_cut cut;
};

static int cut_up(struct cutting *c, const char *json, size_t step, uint64_t limit)
{
	size_t n = strlen(json);
	int rc = 0;

	*c = (struct cutting){ 0 };
	arena_init(&c->arena, 0);
	form_init(&c->form, &c->arena, "/tmp", limit);
	json_cut_init(&c->cut, &c->form, &c->text, 100000);
	for (size_t i = 0; i < n && !rc; i += step)
		rc = json_cut_feed(&c->cut, span_of(json + i, n - i < step ? n - i : step));
	return rc;
}

static void done(struct cutting *c)
{
	json_cut_free(&c->cut);
	form_free(&c->form);
	buf_free(&c->text);
	arena_free(&c->arena);
}

static void holds(const struct form_file *file, const uint8_t *want, size_t n)
{
	uint8_t *got = xmalloc(n + 1);

	assert_int_equal(file->spool.size, n);
	assert_int_equal(pread(file->spool.fd, got, n + 1, 0), (ssize_t)n);
	assert_memory_equal(got, want, n);
	free(got);
}

static void strings_and_arrays_are_cut_wherever_the_pieces_end(void **state)
{
	static const size_t steps[] = { 1, 7, 4096, 65536, 10000000 };
	struct buf json = { 0 };

	(void)state;
	buf_printf(&json, "{\"to\":\"628\\\"1\",\"a\":\"data:image\\/png;base64,%s\",\"b\":[", base64);
	for (size_t i = 0; i < BYTES; i++)
		buf_printf(&json, i ? ", %u" : "%u", bytes[i]);
	buf_printf(&json, "],\"c\":\"%s\",\"d\":[1,2,[3]],\"e\":\"tail\"}", base64);
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
		struct cutting c;

		assert_int_equal(cut_up(&c, buf_text(&json), steps[i], 1 << 20), 0);
		assert_string_equal(buf_text(&c.text), "{\"to\":\"628\\\"1\",\"a\":\"\\u0001cut:0\",\"b\":\"\\u0001cut:1\",\"c\":\"\\u0001cut:2\",\"d\":[1,2,[3]],\"e\":\"tail\"}");
		assert_int_equal(c.form.files_count, 3);
		for (size_t f = 0; f < 3; f++) {
			holds(&c.form.files[f], bytes, BYTES);
			assert_false(c.form.files[f].broken);
		}
		assert_true(span_is(c.form.files[0].type, "image/png"));
		assert_ptr_equal(json_cut_file(&c.form, span_text("\001cut:2")), &c.form.files[2]);
		assert_null(json_cut_file(&c.form, span_text("\001cut:3")));
		assert_null(json_cut_file(&c.form, span_text("\001cut:")));
		done(&c);
	}
	buf_free(&json);
}

static void blanks_slashes_and_unicode_are_read(void **state)
{
	struct buf json = { 0 };
	struct cutting c;

	(void)state;
	buf_append_text(&json, "{\"a\":\"");
	for (size_t i = 0; i < BASE64_LEN; i++) {
		if (base64[i] == '/' && i % 2)
			buf_append_text(&json, "\\/");
		else if (base64[i] == '+' && i > 30000)
			buf_append_text(&json, "\\u002b");
		else if (base64[i] == '+')
			buf_u8(&json, '-');
		else
			buf_u8(&json, (uint8_t)base64[i]);
		if (i % 76 == 75 && i > 30000)
			buf_append_text(&json, "\\r\\n");
	}
	buf_append_text(&json, "\"}");
	assert_int_equal(cut_up(&c, buf_text(&json), 1000, 1 << 20), 0);
	assert_int_equal(c.form.files_count, 1);
	assert_false(c.form.files[0].broken);
	holds(&c.form.files[0], bytes, BYTES);
	done(&c);
	buf_free(&json);
}

static void broken_ones_are_marked_and_the_rest_goes_on(void **state)
{
	struct buf json = { 0 };
	struct cutting c;

	(void)state;
	buf_printf(&json, "{\"a\":\"%.40000s@%.100s\",\"b\":[", base64, base64);
	for (size_t i = 0; i < 1000; i++)
		buf_printf(&json, i ? ",%zu" : "%zu", i == 900 ? (size_t)256 : i % 200);
	buf_append_text(&json, "],\"c\":1}");
	assert_int_equal(cut_up(&c, buf_text(&json), 4096, 1 << 20), 0);
	assert_string_equal(buf_text(&c.text), "{\"a\":\"\\u0001cut:0\",\"b\":\"\\u0001cut:1\",\"c\":1}");
	assert_true(c.form.files[0].broken);
	assert_true(c.form.files[1].broken);
	done(&c);
	/* over the limit of one file */
	buf_clear(&json);
	buf_printf(&json, "{\"a\":\"%s\",\"c\":1}", base64);
	assert_int_equal(cut_up(&c, buf_text(&json), 4096, 1000), 0);
	assert_true(c.form.files[0].too_large);
	assert_string_equal(buf_text(&c.text), "{\"a\":\"\\u0001cut:0\",\"c\":1}");
	done(&c);
	buf_free(&json);
}

static void long_texts_stay_and_are_bounded(void **state)
{
	struct buf json = { 0 };
	struct cutting c;

	(void)state;
	buf_append_text(&json, "{\"a\":\"");
	for (size_t i = 0; i < 20000; i++)
		buf_append_text(&json, "ab. ");
	buf_append_text(&json, "\"}");
	assert_int_equal(cut_up(&c, buf_text(&json), 4096, 1000), 0);
	assert_int_equal(c.form.files_count, 0);
	assert_int_equal(c.text.len, json.len);
	done(&c);
	json.len -= 2;
	for (size_t i = 0; i < 20000; i++)
		buf_append_text(&json, "ab. ");
	assert_int_equal(cut_up(&c, buf_text(&json), 4096, 1000), -1);
	assert_int_equal(c.cut.error, FORM_TOO_LARGE);
	done(&c);
	buf_free(&json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strings_and_arrays_are_cut_wherever_the_pieces_end),
		cmocka_unit_test(blanks_slashes_and_unicode_are_read),
		cmocka_unit_test(broken_ones_are_marked_and_the_rest_goes_on),
		cmocka_unit_test(long_texts_stay_and_are_bounded),
	};

	make_example();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
