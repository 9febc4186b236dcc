/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, accounts with a passkey cannot be linked, or whatever a browser (or an attacker) posts is sent on to WhatsApp. */
#include "sessiond/session/assertion.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/limits.h"
#include "common/mem.h"

#define RESPONSE "\"response\":{\"clientDataJSON\":\"e30\",\"authenticatorData\":\"YQ\",\"signature\":\"Yg\""

static void keeps_only_what_belongs(void **state)
{
	struct buf id = { 0 }, normal = { 0 };

	(void)state;
	assert_int_equal(assertion_read("{\"type\":\"public-key\",\"authenticatorAttachment\":\"platform\",\"id\":\"-_8\",\"rawId\":\"-_8\"," RESPONSE
	                                ",\"extra\":1},\"clientExtensionResults\":{}}", &id, &normal), 0);
	assert_true(span_equal(buf_span(&id), span_of("\xfb\xff", 2)));
	assert_string_equal(buf_text(&normal), "{\"id\":\"-_8\",\"rawId\":\"-_8\",\"type\":\"public-key\"," RESPONSE ",\"userHandle\":null}}");
	buf_free(&id);
	buf_free(&normal);
}

static void refuses_everything_else(void **state)
{
	static const char *const cases[] = {
		"", "null", "[]", "{", "\"text\"", "{\"id\":\"YQ\",\"rawId\":\"YQ\",\"type\":\"public-key\"}",
		"{\"id\":\"YQ\",\"rawId\":\"YQ\",\"type\":\"public-key\",\"response\":[]}",
		"{\"id\":\"YQ\",\"rawId\":7,\"type\":\"public-key\"," RESPONSE "}}",
		"{\"id\":\"YQ\",\"rawId\":\"\",\"type\":\"public-key\"," RESPONSE "}}",
		"{\"id\":\"YQ\",\"rawId\":\"&&&&\",\"type\":\"public-key\"," RESPONSE "}}",
		"{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":1}}}}}}}}}",
	};
	struct buf id = { 0 }, normal = { 0 };
	char *huge = xmalloc(LIMIT_WA_PAIRING_TEXT + 2);

	(void)state;
	memset(huge, ' ', LIMIT_WA_PAIRING_TEXT + 1);
	huge[LIMIT_WA_PAIRING_TEXT + 1] = '\0';
	assert_int_equal(assertion_read(huge, &id, &normal), -1);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		assert_int_equal(assertion_read(cases[i], &id, &normal), -1);
	assert_int_equal(id.len + normal.len, 0);
	free(huge);
	buf_free(&id);
	buf_free(&normal);
}

static void options_are_one_object(void **state)
{
	struct buf out = { 0 };

	(void)state;
	assert_int_equal(assertion_options("{ \"challenge\": \"a/b\", \"timeout\": 60000 }", &out), 0);
	assert_string_equal(buf_text(&out), "{\"challenge\":\"a/b\",\"timeout\":60000}");
	buf_clear(&out);
	assert_int_equal(assertion_options("{\"a\":1},\"status\":\"open\"", &out), -1);
	assert_int_equal(assertion_options("[]", &out), -1);
	assert_int_equal(assertion_options("", &out), -1);
	assert_int_equal(out.len, 0);
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_only_what_belongs),
		cmocka_unit_test(refuses_everything_else),
		cmocka_unit_test(options_are_one_object),
	};

	return cmocka_run_group_tests_name("assertion", tests, NULL, NULL);
}
