/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, ids collide or do not sort, or answers carry codes with a wrong status. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "common/appcode.h"
#include "common/timefmt.h"
#include "common/ulid.h"

static void formats_ulids(void **state)
{
	static const uint8_t zero[ULID_RANDOM_BYTES] = { 0 };
	static const uint8_t ones[ULID_RANDOM_BYTES] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	static const uint8_t steps[ULID_RANDOM_BYTES] = { 0x00, 0x44, 0x32, 0x14, 0xc7, 0x42, 0x54, 0xb6, 0x35, 0xcf };
	char out[ULID_LENGTH + 1];
	int64_t time;

	(void)state;
	/* the specification's example: 1469918176385 is 01ARYZ6S41 */
	ulid_format(1469918176385, zero, out);
	assert_string_equal(out, "01ARYZ6S410000000000000000");
	ulid_format(0xffffffffffff, ones, out);
	assert_string_equal(out, "7ZZZZZZZZZZZZZZZZZZZZZZZZZ");
	ulid_format(0, steps, out);
	assert_string_equal(out, "0000000000" "0123456789ABCDEF");
	assert_true(ulid_parse("01aryz6s410000000000000000", &time));
	assert_int_equal(time, 1469918176385);
	assert_false(ulid_parse("81ARYZ6S410000000000000000", NULL));
	assert_false(ulid_parse("01ARYZ6S41000000000000000U", NULL));
	assert_false(ulid_parse("01ARYZ6S41", NULL));
}

static void makes_new_ulids(void **state)
{
	char first[ULID_LENGTH + 1];
	char second[ULID_LENGTH + 1];
	int64_t time;

	(void)state;
	ulid_new(first);
	ulid_new(second);
	assert_string_not_equal(first, second);
	assert_true(ulid_parse(first, &time));
	assert_true(time <= timefmt_now_ms());
}

static void has_the_whole_code_table(void **state)
{
	size_t count = 0;
	const struct appcode_row *rows = appcode_rows(&count);

	(void)state;
	assert_int_equal(count, 122);
	for (size_t i = 0; i < count; i++) {
		assert_ptr_equal(appcode_find((int)rows[i].code), &rows[i]);
		assert_true(rows[i].http >= 200 && rows[i].http < 600);
		if (i > 0)
			assert_true(rows[i - 1].code < rows[i].code);
	}
	assert_int_equal(appcode_http(APP_SESSION_NOT_FOUND), 404);
	assert_int_equal(appcode_http(APP_PARTIAL_SUCCESS), 207);
	assert_int_equal(appcode_http(1), 500);
	assert_null(appcode_find(9999));
	assert_string_equal(appcode_find(2008)->name, "MALFORMED_JSON");
	assert_string_equal(appcode_find(2008)->category, "validation");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(formats_ulids),
		cmocka_unit_test(makes_new_ulids),
		cmocka_unit_test(has_the_whole_code_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
