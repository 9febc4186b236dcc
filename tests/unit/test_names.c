/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, webhooks go on to an address that a name no longer has, or every request waits for the resolver. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sessiond/net/names.h"

static void test_literals(void **state)
{
	static const char *const none[] = { "", "localhost", "127.1", "0x7f000001", "2130706433", "[::1]", "fe80::1%lo", "127.0.0.1 ", "256.0.0.1" };
	struct name_addresses found;

	(void)state;
	assert_true(names_literal("127.0.0.1", &found));
	assert_int_equal(found.n, 1);
	assert_int_equal(found.list[0].ss_family, AF_INET);
	assert_true(names_literal("::ffff:10.0.0.1", &found));
	assert_int_equal(found.list[0].ss_family, AF_INET6);
	for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
		assert_false(names_literal(none[i], &found));
}

static void test_remembering(void **state)
{
	struct names *names = names_new();
	struct name_addresses one, found;
	char name[32];

	(void)state;
	assert_true(names_literal("192.0.2.7", &one));
	assert_false(names_find(names, "a.example", 0, &found));
	names_keep(names, "a.example", &one, 1000);
	assert_true(names_find(names, "A.example", 1000 + NAMES_KEEP_MS - 1, &found));
	assert_memory_equal(&found, &one, sizeof one);
	assert_false(names_find(names, "a.example", 1000 + NAMES_KEEP_MS, &found));
	names_forget(names, "a.example");
	assert_false(names_find(names, "a.example", 1000, &found));
	names_forget(names, "a.example");
	/* The oldest makes room. */
	for (unsigned i = 0; i <= NAMES_MAX; i++) {
		snprintf(name, sizeof name, "n%u.example", i);
		names_keep(names, name, &one, 2000 + i);
	}
	assert_false(names_find(names, "n0.example", 3000, &found));
	assert_true(names_find(names, "n1.example", 3000, &found));
	assert_true(names_find(names, name, 3000, &found));
	/* A name without an address is not remembered. */
	names_keep(names, name, &(struct name_addresses){ .n = 0 }, 3000);
	assert_false(names_find(names, name, 3000, &found));
	names_free(&names);
	assert_null(names);
}

static void test_lists(void **state)
{
	struct sockaddr_in four = { .sin_family = AF_INET };
	struct sockaddr odd = { .sa_family = AF_UNIX };
	struct addrinfo list[NAME_ADDRESSES_MAX + 3] = { { .ai_family = AF_UNIX, .ai_addr = &odd, .ai_addrlen = sizeof odd } };
	struct name_addresses found;

	(void)state;
	names_of(NULL, &found);
	assert_int_equal(found.n, 0);
	for (size_t i = 1; i < sizeof list / sizeof list[0]; i++) {
		list[i] = (struct addrinfo){ .ai_family = AF_INET, .ai_addr = (struct sockaddr *)(void *)&four, .ai_addrlen = sizeof four };
		list[i - 1].ai_next = &list[i];
	}
	names_of(list, &found);
	assert_int_equal(found.n, NAME_ADDRESSES_MAX);
	assert_int_equal(found.list[0].ss_family, AF_INET);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_literals), cmocka_unit_test(test_remembering), cmocka_unit_test(test_lists) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
