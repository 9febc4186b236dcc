/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, receivers and live views get events they did not ask for, or miss those they did. */
#include "common/eventfilter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void check(const char *list, const char *event, bool wanted)
{
	struct eventfilter filter;

	eventfilter_init(&filter);
	assert_true(eventfilter_add(&filter, list));
	if (eventfilter_wants(&filter, event) != wanted)
		fail_msg("\"%s\" %s %s", list, wanted ? "does not want" : "wants", event);
	eventfilter_free(&filter);
}

static void lists_choose(void **state)
{
	static const struct {
		const char *list, *event;
		bool wanted;
	} rows[] = {
		{ "", "message_received", true },
		{ " , ", "message_received", true },
		{ "message_received", "message_received", true },
		{ "message_received", "message_receive", false },
		{ "message_received", "message_received_", false },
		{ "MESSAGE_Received", "message_received", true },
		{ "session_status, message_*", "message_receipt", true },
		{ "session_status message_*", "call", false },
		{ "*", "call", true },
		{ "*", "", true },
		{ "message_*d", "message_received", true },
		{ "message_*d", "message_receipt", false },
		{ "*_update*", "group_update", true },
		{ "m*e*d", "message_deleted", true },
		{ "m*x*d", "message_deleted", false },
		{ "**", "call", true },
		{ "*,!presence_update", "presence_update", false },
		{ "!presence_update,*", "presence_update", false },
		{ "*,!presence_update", "call", true },
		{ "!message_*", "message_received", false },
		{ "!message_*", "call", true },
		{ "message_*,!message_receipt", "call", false },
		{ "message_*,!message_receipt", "message_receipt", false },
		{ "message_*,!message_receipt", "message_received", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		check(rows[i].list, rows[i].event, rows[i].wanted);
}

static void bad_lists_change_nothing(void **state)
{
	static const char *const bad[] = { "!", "a/b", "message_received,ä", "a!b", "!!a", "x,\"y\"",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" };
	struct eventfilter filter;
	struct buf text = { 0 };

	(void)state;
	eventfilter_init(&filter);
	assert_true(eventfilter_add(&filter, "Call !x_*"));
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(eventfilter_add(&filter, bad[i]));
	eventfilter_format(&filter, &text);
	assert_string_equal(buf_text(&text), "call,!x_*");
	assert_true(eventfilter_wants(&filter, "call"));
	assert_false(eventfilter_wants(&filter, "message_received"));
	for (size_t i = filter.count; i < EVENTFILTER_MAX_PATTERNS; i++)
		assert_true(eventfilter_add(&filter, "a"));
	assert_false(eventfilter_add(&filter, "a"));
	assert_true(eventfilter_add(&filter, ""));
	buf_free(&text);
	eventfilter_free(&filter);
}

/* Many stars against a long name end soon. */
static void stars_are_cheap(void **state)
{
	char name[4097];

	(void)state;
	memset(name, 'a', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	check("a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b", name, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_choose),
		cmocka_unit_test(bad_lists_change_nothing),
		cmocka_unit_test(stars_are_cheap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
