/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, the daemon crashes or misbehaves some quiet seconds after a start: library code that was let go did not come back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <curl/curl.h>

#include "sessiond/libpages.h"

/* curl_version() asks every library behind libcurl for its own version. */
static void test_code_comes_back(void **state)
{
	char *before, *after;

	(void)state;
	assert_int_equal(curl_global_init(CURL_GLOBAL_DEFAULT), CURLE_OK);
	before = strdup(curl_version());
	assert_non_null(before);
	for (int i = 0; i < 3; i++) {
		assert_true(libpages_release() > 0);
		after = curl_version();
		assert_string_equal(after, before);
	}
	free(before);
	curl_global_cleanup();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_code_comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
