/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, dates in answers are in the wrong zone and scheduled work runs at the wrong hour. */
#include "common/timefmt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { SAMPLES = 4000 };

static void formats_utc(void **state)
{
	char buf[TIMEFMT_MAX];

	(void)state;
	assert_string_equal(timefmt_utc(1795332374764, buf, sizeof buf), "2026-11-22T07:26:14.764Z");
	assert_string_equal(timefmt_utc(-1, buf, sizeof buf), "1969-12-31T23:59:59.999Z");
	assert_string_equal(timefmt_utc(0, buf, sizeof buf), "1970-01-01T00:00:00.000Z");
}

static void formats_zones(void **state)
{
	struct timezone_rules *jakarta = timefmt_zone_load("Asia/Jakarta");
	struct timezone_rules *utc = timefmt_zone_load("UTC");
	struct timezone_rules *newyork = timefmt_zone_load("America/New_York");
	struct timezone_rules *kolkata = timefmt_zone_load("Asia/Kolkata");
	char buf[TIMEFMT_MAX];

	(void)state;
	assert_non_null(jakarta);
	assert_non_null(utc);
	assert_non_null(newyork);
	assert_non_null(kolkata);
	assert_string_equal(timefmt_iso(jakarta, 1795332374764, buf, sizeof buf), "2026-11-22T14:26:14.764+07:00");
	assert_string_equal(timefmt_iso(utc, 1795332374764, buf, sizeof buf), "2026-11-22T07:26:14.764Z");
	assert_string_equal(timefmt_iso(newyork, 1795332374764, buf, sizeof buf), "2026-11-22T02:26:14.764-05:00");
	assert_string_equal(timefmt_long(utc, 1795332374764, buf, sizeof buf), "Sunday, 22 November 2026, 07:26:14, UTC");
	assert_string_equal(timefmt_long(jakarta, 1795332374764, buf, sizeof buf), "Sunday, 22 November 2026, 14:26:14, GMT+7");
	assert_string_equal(timefmt_zone_label(newyork, 1795332374764, buf, sizeof buf), "EST");
	assert_string_equal(timefmt_zone_label(newyork, 1784000000000, buf, sizeof buf), "EDT");
	assert_string_equal(timefmt_zone_label(kolkata, 0, buf, sizeof buf), "GMT+5:30");
	timefmt_zone_free(jakarta);
	timefmt_zone_free(utc);
	timefmt_zone_free(newyork);
	timefmt_zone_free(kolkata);
}

static void refuses_bad_zones(void **state)
{
	(void)state;
	assert_false(timefmt_zone_exists("Mars/Base"));
	assert_false(timefmt_zone_exists("../../../etc/passwd"));
	assert_false(timefmt_zone_exists("/etc/localtime"));
	assert_false(timefmt_zone_exists(""));
	assert_false(timefmt_zone_exists("Europe"));
	assert_true(timefmt_zone_exists("UTC"));
}

/* The C library reads the same files with code of its own. */
static void agrees_with_the_c_library(void **state)
{
	static const char *const names[] = { "Europe/Berlin", "America/New_York", "Australia/Sydney", "Asia/Jakarta",
		"Europe/Dublin", "America/Sao_Paulo", "Africa/Casablanca", "Pacific/Apia", "Asia/Kathmandu", "America/Nuuk" };

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		struct timezone_rules *zone = timefmt_zone_load(names[i]);

		assert_non_null(zone);
		assert_int_equal(setenv("TZ", names[i], 1), 0);
		tzset();
		for (int64_t k = 0; k < SAMPLES; k++) {
			time_t t = (time_t)(k * 1200007); /* until 2122 */
			struct tm tm;

			assert_non_null(localtime_r(&t, &tm));
			if (timefmt_offset_s(zone, (int64_t)t * 1000) != tm.tm_gmtoff)
				fail_msg("%s at %lld", names[i], (long long)t);
		}
		timefmt_zone_free(zone);
	}
	unsetenv("TZ");
	tzset();
}

static void finds_local_moments(void **state)
{
	struct timezone_rules *berlin = timefmt_zone_load("Europe/Berlin");
	struct tm winter = { .tm_year = 126, .tm_mon = 0, .tm_mday = 15, .tm_hour = 2, .tm_min = 30 };
	struct tm gap = { .tm_year = 126, .tm_mon = 2, .tm_mday = 29, .tm_hour = 2, .tm_min = 30 };
	struct tm twice = { .tm_year = 126, .tm_mon = 9, .tm_mday = 25, .tm_hour = 2, .tm_min = 30 };
	char buf[TIMEFMT_MAX];

	(void)state;
	assert_non_null(berlin);
	assert_string_equal(timefmt_utc(timefmt_from_local(berlin, &winter), buf, sizeof buf), "2026-01-15T01:30:00.000Z");
	assert_string_equal(timefmt_utc(timefmt_from_local(berlin, &gap), buf, sizeof buf), "2026-03-29T01:30:00.000Z");
	assert_string_equal(timefmt_utc(timefmt_from_local(berlin, &twice), buf, sizeof buf), "2026-10-25T00:30:00.000Z");
	timefmt_zone_free(berlin);
}

static void finds_the_next_clock_time(void **state)
{
	struct timezone_rules *berlin = timefmt_zone_load("Europe/Berlin");
	char buf[TIMEFMT_MAX];
	int64_t now;

	(void)state;
	assert_non_null(berlin);
	assert_true(timefmt_parse("2026-12-31T23:30:00Z", &now));
	assert_string_equal(timefmt_utc(timefmt_next_clock(berlin, 2, 30, now), buf, sizeof buf), "2027-01-01T01:30:00.000Z");
	assert_string_equal(timefmt_utc(timefmt_next_clock(berlin, 0, 30, now), buf, sizeof buf), "2027-01-01T23:30:00.000Z");
	assert_true(timefmt_parse("2026-03-28T12:00:00Z", &now));
	assert_string_equal(timefmt_utc(timefmt_next_clock(berlin, 12, 0, now), buf, sizeof buf), "2026-03-29T10:00:00.000Z");
	assert_string_equal(timefmt_utc(timefmt_next_reading(berlin, 12, 0, now), buf, sizeof buf), "2026-03-29T10:00:00.000Z");
	assert_string_equal(timefmt_utc(timefmt_next_reading(berlin, 2, 30, now), buf, sizeof buf), "2026-03-29T01:00:00.000Z");
	/* What is done once a day is not done twice when that time comes twice. */
	assert_true(timefmt_parse("2026-10-25T00:30:00Z", &now));
	assert_string_equal(timefmt_utc(timefmt_next_clock(berlin, 2, 30, now), buf, sizeof buf), "2026-10-26T01:30:00.000Z");
	assert_string_equal(timefmt_utc(timefmt_next_reading(berlin, 2, 30, now), buf, sizeof buf), "2026-10-25T01:30:00.000Z");
	timefmt_zone_free(berlin);
}

static void parses_dates(void **state)
{
	int64_t ms;

	(void)state;
	assert_true(timefmt_parse("2026-11-22T07:26:14.764Z", &ms));
	assert_int_equal(ms, 1795332374764);
	assert_true(timefmt_parse("2026-11-22T14:26:14.764+07:00", &ms));
	assert_int_equal(ms, 1795332374764);
	assert_true(timefmt_parse("2026-11-22 14:26+0700", &ms));
	assert_int_equal(ms, 1795332360000);
	assert_true(timefmt_parse("1970-01-01", &ms));
	assert_int_equal(ms, 0);
	assert_false(timefmt_parse("2026-02-29", &ms));
	assert_false(timefmt_parse("2026-13-01", &ms));
	assert_false(timefmt_parse("2026-11-22T25:00", &ms));
	assert_false(timefmt_parse("2026-11-22T07:26:14.764Zx", &ms));
	assert_false(timefmt_parse("", &ms));
}

static void clocks_go_forward(void **state)
{
	int64_t before = timefmt_monotonic_ms();

	(void)state;
	assert_true(timefmt_monotonic_ms() >= before);
	assert_true(timefmt_now_ms() > 1700000000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(formats_utc),         cmocka_unit_test(formats_zones),
		cmocka_unit_test(refuses_bad_zones),   cmocka_unit_test(agrees_with_the_c_library),
		cmocka_unit_test(finds_local_moments), cmocka_unit_test(parses_dates),
		cmocka_unit_test(clocks_go_forward),   cmocka_unit_test(finds_the_next_clock_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
