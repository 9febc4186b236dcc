/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, the gateway goes on with an old client version until WhatsApp refuses every session at once (405). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sessiond/net/version.h"

static void test_find(void **state)
{
	static const struct {
		const char *page;
		uint32_t revision;
	} cases[] = {
		{ "x={\\\"client_revision\\\":1035194821,\\\"y\\\":1}", 1035194821 },
		{ "{\"server_revision\":1,\"client_revision\": 1045649367,\"p\":0}", 1045649367 },
		{ "client_revision then \"client_revision\":7", 7 },
		{ "\"client_revision\":", 0 },
		{ "\"client_revision\"12", 0 },
		{ "\"client_revision\":null", 0 },
		{ "\"client_revision\":99999999999999999999", 0 },
		{ "\"client_revision\":4294967295", 4294967295U },
		{ "\"client_revision\":4294967296", 0 },
		{ "client_revisio", 0 },
		{ "", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (version_find(span_text(cases[i].page)) != cases[i].revision)
			fail_msg("%s", cases[i].page);
	assert_int_equal(version_find(span_of(NULL, 0)), 0);
}

static void test_origin(void **state)
{
	static const char *const cases[][2] = {
		{ "wss://web.whatsapp.com/ws/chat", "https://web.whatsapp.com" },
		{ "ws://127.0.0.1:8080/ws/chat", "http://127.0.0.1:8080" },
		{ "wss://[::1]:1?x", "https://[::1]:1" },
		{ "https://x/", NULL },
		{ "wss://", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *origin = version_origin(cases[i][0]);

		if (cases[i][1])
			assert_string_equal(origin, cases[i][1]);
		else
			assert_null(origin);
		free(origin);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_find), cmocka_unit_test(test_origin) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
