/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, every parser and every wire format of the product reads or writes the wrong bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/arena.h"
#include "common/buf.h"

static void test_integers_round_trip(void **state)
{
	struct buf b = { 0 };
	struct reader r;

	(void)state;
	buf_u8(&b, 0xab);
	buf_be16(&b, 0x1234);
	buf_be24(&b, 0x563412);
	buf_be32(&b, 0xdeadbeef);
	buf_be64(&b, 0x0102030405060708);
	assert_int_equal(b.len, 18);
	assert_memory_equal(b.data, "\xab\x12\x34\x56\x34\x12\xde\xad\xbe\xef\1\2\3\4\5\6\7\10", 18);
	r = reader_of(b.data, b.len);
	assert_int_equal(read_u8(&r), 0xab);
	assert_int_equal(read_be16(&r), 0x1234);
	assert_int_equal(read_be24(&r), 0x563412);
	assert_int_equal(read_be32(&r), 0xdeadbeef);
	assert_true(read_be64(&r) == 0x0102030405060708);
	assert_true(r.ok);
	assert_int_equal(r.left, 0);
	assert_int_equal(read_u8(&r), 0);
	assert_false(r.ok);
	buf_free(&b);
}

static void test_short_read_sticks(void **state)
{
	struct reader r = reader_of("abc", 3);

	(void)state;
	assert_int_equal(read_span(&r, 4).n, 0);
	assert_false(r.ok);
	assert_int_equal(read_span(&r, 1).n, 0);
}

static void test_consume_and_printf(void **state)
{
	struct buf b = { 0 };

	(void)state;
	for (int i = 0; i < 1000; i++)
		buf_printf(&b, "%d,", i);
	assert_true(b.len == 3890);
	buf_consume(&b, 2);
	assert_memory_equal(buf_text(&b), "1,2,", 4);
	buf_wipe(&b);
	assert_null(b.data);
}

static void test_arena_limit(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a, 1000);
	assert_non_null(arena_alloc(&a, 900));
	assert_null(arena_alloc(&a, 200));
	assert_true(a.full);
	arena_reset(&a);
	assert_false(a.full);
	assert_string_equal(arena_printf(&a, "%s-%d", "x", 7), "x-7");
	arena_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_integers_round_trip),
		cmocka_unit_test(test_short_read_sticks),
		cmocka_unit_test(test_consume_and_printf),
		cmocka_unit_test(test_arena_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
