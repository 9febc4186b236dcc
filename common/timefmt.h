/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Dates as the API writes them: ISO 8601 in UTC or in a named zone of the tz database. Times are milliseconds since 1970. */
#ifndef COMMON_TIMEFMT_H
#define COMMON_TIMEFMT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

enum { TIMEFMT_MAX = 80 };

/* Wall clock. */
int64_t timefmt_now_ms(void);
/* Never goes back; for deadlines and durations. */
int64_t timefmt_monotonic_ms(void);

/* A zone of the tz database. Loaded once, then read-only: any thread may use it. */
struct timezone_rules;

/* True if the tz database has it ("UTC" always exists). */
bool timefmt_zone_exists(const char *name);
/* NULL if there is no such zone or its file cannot be understood. Free with timefmt_zone_free(). */
struct timezone_rules *timefmt_zone_load(const char *name);
void timefmt_zone_free(struct timezone_rules *zone);
const char *timefmt_zone_name(const struct timezone_rules *zone);
/* Seconds east of UTC at that moment. */
int32_t timefmt_offset_s(const struct timezone_rules *zone, int64_t time_ms);
/* Broken-down local time. */
void timefmt_local(const struct timezone_rules *zone, int64_t time_ms, struct tm *out);
/* The moment of a local date and time; of a time that a clock change skips, the moment after it, of one that happens twice,
 * the first. */
int64_t timefmt_from_local(const struct timezone_rules *zone, const struct tm *local);

/* The next moment after now_ms at which the zone's clocks show hour:minute, once a day: as timefmt_from_local() takes a time that a clock
 * change skips or repeats. */
int64_t timefmt_next_clock(const struct timezone_rules *zone, int hour, int minute, int64_t now_ms);
/* The same for who looks at the clock all the time: a time that happens twice comes twice, and one that is skipped comes at the change. */
int64_t timefmt_next_reading(const struct timezone_rules *zone, int hour, int minute, int64_t now_ms);

/* "2026-11-22T10:00:00.123Z". Returns buf. */
const char *timefmt_utc(int64_t time_ms, char *buf, size_t cap);
/* "2026-11-22T17:00:00.123+07:00". Returns buf. */
const char *timefmt_iso(const struct timezone_rules *zone, int64_t time_ms, char *buf, size_t cap);
/* The zone's abbreviation then, such as "WIB". Valid as long as the zone. */
const char *timefmt_abbreviation(const struct timezone_rules *zone, int64_t time_ms);
/* As English texts name a zone briefly: "UTC", "EST", "GMT+7". Returns buf. */
const char *timefmt_zone_label(const struct timezone_rules *zone, int64_t time_ms, char *buf, size_t cap);
/* "Sunday, 22 November 2026, 07:26:14, UTC". Returns buf; TIMEFMT_MAX is enough. */
const char *timefmt_long(const struct timezone_rules *zone, int64_t time_ms, char *buf, size_t cap);
/* Reads ISO 8601: date, or date and time with optional seconds, fraction, and Z or offset (without: UTC). */
bool timefmt_parse(const char *text, int64_t *out_ms);

#endif
