/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, a receiver's bad minute loses events or brings a storm of requests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sessiond/webhook/verdict.h"

static void test_statuses(void **state)
{
	static const struct {
		enum http_error error;
		int status;
		enum verdict verdict;
	} cases[] = {
		{ HTTP_OK, 200, VERDICT_DELIVERED }, { HTTP_OK, 204, VERDICT_DELIVERED }, { HTTP_OK, 299, VERDICT_DELIVERED },
		{ HTTP_OK, 301, VERDICT_REFUSED },   { HTTP_OK, 302, VERDICT_REFUSED },   { HTTP_OK, 307, VERDICT_REFUSED },
		{ HTTP_OK, 400, VERDICT_REFUSED },   { HTTP_OK, 405, VERDICT_REFUSED },   { HTTP_OK, 408, VERDICT_REFUSED },
		{ HTTP_OK, 401, VERDICT_FORBIDDEN }, { HTTP_OK, 403, VERDICT_FORBIDDEN }, { HTTP_OK, 404, VERDICT_GONE },
		{ HTTP_OK, 410, VERDICT_GONE },      { HTTP_OK, 429, VERDICT_RETRY },     { HTTP_OK, 500, VERDICT_RETRY },
		{ HTTP_OK, 503, VERDICT_RETRY },     { HTTP_OK, 600, VERDICT_RETRY },     { HTTP_OK, 101, VERDICT_REFUSED },
		{ HTTP_TIMEOUT, 0, VERDICT_RETRY },  { HTTP_DNS, 0, VERDICT_RETRY },      { HTTP_CONNECT, 0, VERDICT_RETRY },
		{ HTTP_TLS, 0, VERDICT_RETRY },      { HTTP_BROKEN, 0, VERDICT_RETRY },   { HTTP_REFUSED, 0, VERDICT_REFUSED },
		{ HTTP_BAD_URL, 0, VERDICT_REFUSED }, { HTTP_REDIRECTS, 0, VERDICT_REFUSED },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (verdict_of(cases[i].error, cases[i].status) != cases[i].verdict)
			fail_msg("%d %d", (int)cases[i].error, cases[i].status);
}

static void test_pauses(void **state)
{
	(void)state;
	assert_int_equal(verdict_retry_ms(1, 800, 300, 0, 500, -1), 800);
	assert_int_equal(verdict_retry_ms(2, 800, 300, 0, 500, -1), 1600);
	assert_int_equal(verdict_retry_ms(3, 800, 300, 0.999, 500, -1), 3200 + 299);
	assert_int_equal(verdict_retry_ms(1, 800, 300, 0, 503, 7), 7000);
	assert_int_equal(verdict_retry_ms(1, 800, 300, 0, 429, 3600), 60000);
	assert_int_equal(verdict_retry_ms(1, 800, 300, 0, 500, 7), 800);
	assert_int_equal(verdict_retry_ms(100, 800, 0, 0, 500, -1), 3600000);
	assert_int_equal(verdict_retry_ms(100, 0, 0, 0, 500, -1), 0);
	assert_int_equal(verdict_pause_ms(1, 60000, 0), 60000);
	assert_int_equal(verdict_pause_ms(2, 60000, 0), 120000);
	assert_int_equal(verdict_pause_ms(5, 60000, 0), 900000);
	assert_int_equal(verdict_pause_ms(500, 60000, 0.5), 903000);
}

static void test_events(void **state)
{
	char chosen[] = "message_undecryptable";
	char *const more[] = { chosen };

	(void)state;
	assert_true(verdict_is_webhook_event("message_received", NULL, 0));
	assert_true(verdict_is_webhook_event("session_status", NULL, 0));
	assert_true(verdict_is_webhook_event("call", NULL, 0));
	assert_false(verdict_is_webhook_event("message_undecryptable", NULL, 0));
	assert_false(verdict_is_webhook_event("", NULL, 0));
	assert_true(verdict_is_webhook_event("message_undecryptable", more, 1));
	assert_false(verdict_is_webhook_event("message_receipt", more, 1));
	assert_true(verdict_is_webhook_event("call", more, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_statuses), cmocka_unit_test(test_pauses), cmocka_unit_test(test_events) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
