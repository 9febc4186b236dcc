/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, a user's webhook can aim the server at machines inside its network, or a public receiver is refused. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sessiond/net/guard.h"

static struct sockaddr_storage address(const char *text)
{
	struct sockaddr_storage s = { 0 };
	struct sockaddr_in *v4 = (void *)&s;
	struct sockaddr_in6 *v6 = (void *)&s;

	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
		s.ss_family = AF_INET;
	} else {
		assert_int_equal(inet_pton(AF_INET6, text, &v6->sin6_addr), 1);
		s.ss_family = AF_INET6;
	}
	return s;
}

/* A comma list, as the setting is written. */
static int make(struct guard **guard, const char *list, char *why, size_t why_len)
{
	char text[200], *items[8], *save = NULL;
	size_t n = 0;

	snprintf(text, sizeof(text), "%s", list ? list : "");
	for (char *item = strtok_r(text, ", ", &save); item; item = strtok_r(NULL, ", ", &save))
		items[n++] = item;
	return guard_new(guard, items, n, why, why_len);
}

static bool allowed(const char *allow, const char *host, const char *text)
{
	struct sockaddr_storage s = address(text);
	struct guard *guard = NULL;
	char why[200];
	bool result;

	assert_int_equal(make(&guard, allow, why, sizeof(why)), 0);
	result = guard_allows(guard, host, (struct sockaddr *)&s);
	guard_free(&guard);
	assert_null(guard);
	return result;
}

static const struct {
	const char *text;
	enum guard_class what;
} classes[] = {
	{ "8.8.8.8", GUARD_PUBLIC },         { "1.1.1.1", GUARD_PUBLIC },          { "172.15.255.255", GUARD_PUBLIC },
	{ "172.16.0.1", GUARD_PRIVATE },     { "172.31.255.255", GUARD_PRIVATE },  { "172.32.0.0", GUARD_PUBLIC },
	{ "10.0.0.1", GUARD_PRIVATE },       { "192.168.1.1", GUARD_PRIVATE },     { "127.0.0.1", GUARD_LOOPBACK },
	{ "127.255.0.9", GUARD_LOOPBACK },   { "169.254.169.254", GUARD_LINKLOCAL }, { "0.0.0.0", GUARD_SPECIAL },
	{ "100.64.0.1", GUARD_SPECIAL },     { "100.128.0.0", GUARD_PUBLIC },      { "192.0.0.8", GUARD_SPECIAL },
	{ "192.0.2.1", GUARD_SPECIAL },      { "198.18.0.1", GUARD_SPECIAL },      { "198.20.0.0", GUARD_PUBLIC },
	{ "224.0.0.1", GUARD_SPECIAL },      { "255.255.255.255", GUARD_SPECIAL }, { "240.0.0.1", GUARD_SPECIAL },
	{ "::1", GUARD_LOOPBACK },           { "::", GUARD_SPECIAL },              { "fe80::1", GUARD_LINKLOCAL },
	{ "febf::1", GUARD_LINKLOCAL },      { "fec0::1", GUARD_SPECIAL },         { "fc00::1", GUARD_PRIVATE },
	{ "fdff::1", GUARD_PRIVATE },        { "fd00:ec2::254", GUARD_LINKLOCAL }, { "ff02::1", GUARD_SPECIAL },
	{ "2606:4700::1", GUARD_PUBLIC },    { "2001:db8::1", GUARD_SPECIAL },     { "100::1", GUARD_SPECIAL },
	{ "::ffff:10.0.0.1", GUARD_PRIVATE }, { "::ffff:8.8.8.8", GUARD_PUBLIC },
};

static void test_classes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
		struct sockaddr_storage s = address(classes[i].text);

		if (guard_classify((struct sockaddr *)&s) != classes[i].what)
			fail_msg("%s is %s", classes[i].text, guard_class_name(guard_classify((struct sockaddr *)&s)));
		if (allowed("", NULL, classes[i].text) != (classes[i].what == GUARD_PUBLIC))
			fail_msg("%s", classes[i].text);
	}
}

static void test_carried_addresses(void **state)
{
	static const char *const refused[] = { "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "::10.0.0.1",
		"2002:7f00:1::1", "2002:a9fe:a9fe::", "2002:c0a8:101::", "64:ff9b::127.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::8.8.8.8",
		"2001:0:4136:e378:8000:63bf:80ff:fffe" /* Teredo: 127.0.0.1 */, "::ffff:0:127.0.0.1" };
	static const char *const open[] = { "64:ff9b::8.8.8.8", "2002:808:808::1", "::ffff:1.1.1.1" };

	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		if (allowed(NULL, NULL, refused[i]))
			fail_msg("%s", refused[i]);
	for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++)
		if (!allowed(NULL, NULL, open[i]))
			fail_msg("%s", open[i]);
	assert_true(allowed("loopback", NULL, "::ffff:127.0.0.1"));
	assert_true(allowed("private", NULL, "64:ff9b::10.0.0.1"));
}

static void test_permissions(void **state)
{
	(void)state;
	assert_true(allowed("private, loopback", NULL, "10.2.3.4"));
	assert_true(allowed("private,loopback", NULL, "::1"));
	assert_true(allowed("PRIVATE", NULL, "fd12::1"));
	assert_false(allowed("private,loopback", NULL, "169.254.169.254"));
	assert_false(allowed("private", NULL, "fd00:ec2::254"));
	assert_true(allowed("linklocal", NULL, "169.254.169.254"));
	assert_false(allowed("private,loopback,linklocal", NULL, "0.0.0.0"));
	assert_false(allowed("private,loopback,linklocal", NULL, "224.0.0.1"));
	assert_true(allowed("10.1.0.0/16", NULL, "10.1.255.1"));
	assert_false(allowed("10.1.0.0/16", NULL, "10.2.0.1"));
	assert_true(allowed("10.1.0.0/16", NULL, "::ffff:10.1.0.1"));
	assert_true(allowed("10.128.0.0/9", NULL, "10.200.0.1"));
	assert_false(allowed("10.128.0.0/9", NULL, "10.127.0.1"));
	assert_true(allowed("fd00:1::/32", NULL, "fd00:1::9"));
	assert_false(allowed("fd00:1::/32", NULL, "fd00:2::9"));
	assert_true(allowed("100.64.0.7", NULL, "100.64.0.7"));
	assert_false(allowed("100.64.0.7", NULL, "100.64.0.8"));
	assert_true(allowed("0.0.0.0/0", NULL, "127.0.0.1"));
	assert_true(allowed("n8n.internal", "N8N.internal", "172.18.0.5"));
	assert_false(allowed("n8n.internal", "evil.n8n.internal", "172.18.0.5"));
	assert_false(allowed("n8n.internal", NULL, "172.18.0.5"));
}

/* A proxy looks the name up: a user must not reach what stands beside it by a name that is private wherever it is asked. */
static void test_names_for_proxies(void **state)
{
	static const char *const refused[] = { "localhost", "LOCALHOST", "localhost.", "a.localhost", "router", "printer.local", "db.internal", "nas.lan",
		"x.home.arpa", "x.Corp", "127.1", "127.0.0.1.", "0x7f.1", "0x7f000001", "1.0x7f", "2130706433", "", ".", "a..", "[::1]", "a b.com", "a\xe2.com" };
	static const char *const open[] = { "example.com", "example.com.", "xn--bcher-kva.example", "local.example", "1.2.3.4.nip.example", "0x7f.com", "a-b.c_d.org" };
	char why[200], *items[] = { (char[]){ "n8n.internal" } };
	struct guard *guard = NULL;

	(void)state;
	assert_int_equal(guard_new(&guard, items, 1, why, sizeof why), 0);
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
		if (guard_allows_name(guard, refused[i]))
			fail_msg("%s", refused[i]);
	for (size_t i = 0; i < sizeof open / sizeof *open; i++)
		if (!guard_allows_name(guard, open[i]))
			fail_msg("%s", open[i]);
	assert_true(guard_allows_name(guard, "N8N.internal"));
	guard_free(&guard);
}

static void test_bad_settings(void **state)
{
	static const char *const bad[] = { "10.0.0.0/33", "10.0.0/8", "fd00::/129", "10.0.0.0/", "/8", "10.0.0.0/8x", "what?", "b*c",
		"http://x", "10.0.0.0/-1" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct guard *guard = NULL;
		char why[200] = "";

		if (make(&guard, bad[i], why, sizeof(why)) == 0)
			fail_msg("%s", bad[i]);
		assert_null(guard);
		assert_true(strlen(why) > 0);
	}
}

static void test_other_families(void **state)
{
	struct sockaddr unix_address = { .sa_family = AF_UNIX };
	struct guard *guard = NULL;
	char why[200];

	(void)state;
	assert_int_equal(make(&guard, "host", why, sizeof(why)), 0);
	assert_false(guard_allows(guard, "host", &unix_address));
	assert_int_equal(guard_classify(&unix_address), GUARD_SPECIAL);
	guard_free(&guard);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_classes),      cmocka_unit_test(test_carried_addresses), cmocka_unit_test(test_permissions),
		cmocka_unit_test(test_names_for_proxies), cmocka_unit_test(test_bad_settings), cmocka_unit_test(test_other_families),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
