/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, a client that comes back with Last-Event-ID misses events or gets some again. */
#include "sessiond/rpc/eventcursor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/limits.h"

static const struct store_event_place some[] = { { .session = 1, .told = 1 }, { .session = 2, .told = 127 }, { .session = 200, .told = 128 },
	{ .session = 201, .told = 0 }, { .session = 1 << 20, .told = INT64_C(1) << 40 }, { .session = INT64_MAX, .told = INT64_MAX } };

static void what_is_written_is_read(void **state)
{
	struct store_event_place *places = calloc(LIMIT_EVENT_SESSIONS, sizeof *places);
	struct buf text = { 0 };
	size_t n;

	(void)state;
	eventcursor_write(&text, some, sizeof some / sizeof *some);
	assert_true(eventcursor_read(buf_text(&text), places, &n));
	/* of which nothing was told is left out */
	assert_int_equal(n, 5);
	for (size_t i = 0, k = 0; i < sizeof some / sizeof *some; i++) {
		if (some[i].told == 0)
			continue;
		assert_int_equal(places[k].session, some[i].session);
		assert_int_equal(places[k].told, some[i].told);
		k++;
	}
	buf_clear(&text);
	eventcursor_write(&text, NULL, 0);
	assert_true(eventcursor_read(buf_text(&text), places, &n));
	assert_int_equal(n, 0);
	buf_free(&text);
	free(places);
}

static void what_was_altered_is_refused(void **state)
{
	struct store_event_place *places = calloc(LIMIT_EVENT_SESSIONS, sizeof *places);
	struct buf text = { 0 };
	char *copy;
	size_t n;

	(void)state;
	eventcursor_write(&text, some, sizeof some / sizeof *some);
	copy = strdup(buf_text(&text));
	for (size_t i = 0; i < text.len; i++) {
		copy[i] = copy[i] == 'A' ? 'E' : 'A';
		assert_false(eventcursor_read(copy, places, &n));
		copy[i] = (char)text.data[i];
	}
	for (size_t i = text.len; i-- > 0;) {
		copy[i] = '\0';
		assert_false(eventcursor_read(copy, places, &n));
	}
	assert_false(eventcursor_read("", places, &n));
	assert_false(eventcursor_read("no cursor", places, &n));
	free(copy);
	buf_free(&text);
	free(places);
}

/* As many sessions as a view may have fit into a header line. */
static void the_longest_fits(void **state)
{
	struct store_event_place *places = calloc(LIMIT_EVENT_SESSIONS + 1, sizeof *places), *back = calloc(LIMIT_EVENT_SESSIONS, sizeof *back);
	struct buf text = { 0 };
	size_t n;

	(void)state;
	for (size_t i = 0; i <= LIMIT_EVENT_SESSIONS; i++)
		places[i] = (struct store_event_place){ .session = (int64_t)(i + 1) * 100, .told = 2000000 };
	eventcursor_write(&text, places, LIMIT_EVENT_SESSIONS);
	assert_true(text.len <= EVENTCURSOR_MAX);
	assert_true(eventcursor_read(buf_text(&text), back, &n));
	assert_int_equal(n, LIMIT_EVENT_SESSIONS);
	buf_clear(&text);
	eventcursor_write(&text, places, LIMIT_EVENT_SESSIONS + 1);
	assert_false(eventcursor_read(buf_text(&text), back, &n));
	buf_free(&text);
	free(places);
	free(back);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(what_was_altered_is_refused),
		cmocka_unit_test(the_longest_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
