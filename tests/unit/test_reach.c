/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, an API key works from networks or for sessions that it was not made for, or not where it should. */
#include "common/reach.h"
#include "common/scope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static bool parse(const char *text, char shown[CIDR_TEXT])
{
	struct cidr network;

	if (cidr_parse(&network, text, strlen(text)))
		return false;
	cidr_format(&network, shown);
	return true;
}

static void reads_as(const char *text, const char *expected)
{
	char shown[CIDR_TEXT];

	assert_true(parse(text, shown));
	assert_string_equal(shown, expected);
}

static void networks_are_read(void **state)
{
	static const char *const bad[] = {
		"", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/08", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/8/8", "10.0.0/8", "10.0.0.256",
		"010.0.0.1", "::/129", "::/0128", "2001:db8::/x", "fe80::1%eth0", "host.example", "*", "1", "10.0.0.1 ", "::ffff:1.2.3.4/129",
		"1111:2222:3333:4444:5555:6666:7777:8888:9999", "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000/8",
	};
	char shown[CIDR_TEXT];

	(void)state;
	reads_as("10.1.2.3", "10.1.2.3");
	reads_as("10.1.2.3/8", "10.0.0.0/8");
	reads_as("0.0.0.0/0", "0.0.0.0/0");
	reads_as("255.255.255.255/31", "255.255.255.254/31");
	reads_as("2001:DB8:0:0::1", "2001:db8::1");
	reads_as("2001:db8:ffff::/33", "2001:db8:8000::/33");
	reads_as("::/0", "::/0");
	reads_as("::ffff:10.1.2.3", "10.1.2.3");
	reads_as("::ffff:10.1.2.3/104", "10.0.0.0/8");
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		if (parse(bad[i], shown))
			fail_msg("\"%s\" was read as %s", bad[i], shown);
	}
}

static struct reach *made(const char *sessions, const char *networks)
{
	struct reach *reach;
	char why[160];

	assert_int_equal(reach_new(&reach, sessions, networks, why, sizeof why), 0);
	return reach;
}

static void addresses_are_judged(void **state)
{
	struct reach *reach = made(NULL, "10.0.0.0/9  192.0.2.7 2001:db8::/32");

	(void)state;
	assert_true(reach_has_address(reach, "10.127.255.255"));
	assert_false(reach_has_address(reach, "10.128.0.0"));
	assert_true(reach_has_address(reach, "::ffff:10.0.0.1"));
	assert_true(reach_has_address(reach, "192.0.2.7"));
	assert_false(reach_has_address(reach, "192.0.2.6"));
	assert_true(reach_has_address(reach, "2001:db8:1::1"));
	assert_true(reach_has_address(reach, "2001:db8::1%eth0"));
	assert_false(reach_has_address(reach, "2001:db9::1"));
	assert_false(reach_has_address(reach, "::1"));
	/* who cannot be told apart is not let in */
	assert_false(reach_has_address(reach, ""));
	assert_false(reach_has_address(reach, NULL));
	assert_false(reach_has_address(reach, "unix:"));
	assert_true(reach_has_session(reach, "any"));
	assert_true(reach_has_address(NULL, ""));
	reach_drop(reach);

	/* all of IPv4 is not all of IPv6 */
	reach = made(NULL, "0.0.0.0/0");
	assert_true(reach_has_address(reach, "203.0.113.9"));
	assert_false(reach_has_address(reach, "2001:db8::1"));
	reach_drop(reach);
}

static void sessions_are_judged(void **state)
{
	struct reach *reach = made(" shop  a.b-c_D ", "");
	struct reach *same = reach_ref(reach);
	char why[160], many[REACH_SESSIONS_MAX * 2 + 8] = "";

	(void)state;
	reach_drop(reach);
	assert_true(reach_has_session(same, "shop"));
	assert_true(reach_has_session(same, "a.b-c_D"));
	assert_false(reach_has_session(same, "Shop"));
	assert_false(reach_has_session(same, "sho"));
	assert_false(reach_has_session(same, "shop "));
	assert_true(reach_has_address(same, "10.0.0.1"));
	reach_drop(same);

	assert_null(made(NULL, NULL));
	assert_null(made("  ", ""));
	assert_int_equal(reach_new(&reach, "a/b", NULL, why, sizeof why), -1);
	assert_non_null(strstr(why, "a/b"));
	assert_int_equal(reach_new(&reach, "..", NULL, why, sizeof why), -1);
	assert_int_equal(reach_new(&reach, NULL, "10.0.0.0/8 nonsense", why, sizeof why), -1);
	assert_non_null(strstr(why, "nonsense"));
	for (int i = 0; i <= REACH_SESSIONS_MAX; i++)
		strcat(many, "a ");
	assert_int_equal(reach_new(&reach, many, NULL, why, sizeof why), -1);
}

/* What a key hands on is never more than it has. */
static void reaches_are_compared(void **state)
{
	static const struct {
		const char *inner_sessions, *inner_networks, *outer_sessions, *outer_networks;
		bool within;
	} cases[] = {
		{ NULL, NULL, NULL, NULL, true },
		{ "a", "10.0.0.1", NULL, NULL, true },
		{ NULL, NULL, "a", NULL, false },
		{ NULL, NULL, NULL, "10.0.0.0/8", false },
		{ "a", NULL, "b a", NULL, true },
		{ "a c", NULL, "b a", NULL, false },
		{ NULL, "10.1.0.0/16", NULL, "10.0.0.0/8", true },
		{ NULL, "10.0.0.0/7", NULL, "10.0.0.0/8", false },
		{ NULL, "10.1.0.0/16 192.0.2.1", NULL, "10.0.0.0/8", false },
		{ NULL, "10.1.0.0/16 192.0.2.1", NULL, "192.0.2.0/24 10.0.0.0/8", true },
		{ NULL, "0.0.0.0/0", NULL, "::/0", true },
		{ NULL, "::/0", NULL, "0.0.0.0/0", false },
		{ "a", NULL, "a", "10.0.0.0/8", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct reach *inner = made(cases[i].inner_sessions, cases[i].inner_networks);
		struct reach *outer = made(cases[i].outer_sessions, cases[i].outer_networks);

		assert_int_equal(reach_within(inner, outer), cases[i].within);
		reach_drop(inner);
		reach_drop(outer);
	}
}

static void scopes_have_names(void **state)
{
	(void)state;
	for (unsigned scope = 1; scope <= SCOPE_ADMIN; scope <<= 1)
		assert_int_equal(scope_of_name(scope_name(scope), strlen(scope_name(scope))), scope);
	assert_null(scope_name(SCOPE_NONE));
	assert_null(scope_name(SCOPE_READ | SCOPE_SEND));
	/* no key holds "any" */
	assert_int_equal(scope_of_name("any", 3), SCOPE_NONE);
	assert_int_equal(scope_of_name("READ", 4), SCOPE_NONE);
	assert_int_equal(scope_of_name("reads", 5), SCOPE_NONE);
	assert_int_equal(scope_of_name("rea", 3), SCOPE_NONE);
	assert_int_equal(scope_of_name("", 0), SCOPE_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(networks_are_read),
		cmocka_unit_test(addresses_are_judged),
		cmocka_unit_test(sessions_are_judged),
		cmocka_unit_test(reaches_are_compared),
		cmocka_unit_test(scopes_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
