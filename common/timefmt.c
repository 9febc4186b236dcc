/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writing and reading dates. */
#include "common/timefmt.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int64_t timefmt_now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t timefmt_monotonic_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int milliseconds_of(int64_t time_ms)
{
	int part = (int)(time_ms % 1000);

	return part < 0 ? part + 1000 : part;
}

static void write_iso(const struct tm *tm, int64_t time_ms, const char *zone, char *buf, size_t cap)
{
	(void)snprintf(buf, cap, "%04d-%02d-%02dT%02d:%02d:%02d.%03d%s", tm->tm_year + 1900, tm->tm_mon + 1, tm->tm_mday,
		tm->tm_hour, tm->tm_min, tm->tm_sec, milliseconds_of(time_ms), zone);
}

const char *timefmt_utc(int64_t time_ms, char *buf, size_t cap)
{
	time_t seconds = (time_t)(time_ms / 1000 - (time_ms % 1000 < 0));
	struct tm tm;

	(void)gmtime_r(&seconds, &tm);
	write_iso(&tm, time_ms, "Z", buf, cap);
	return buf;
}

const char *timefmt_iso(const struct timezone_rules *zone, int64_t time_ms, char *buf, size_t cap)
{
	int32_t minutes = timefmt_offset_s(zone, time_ms) / 60;
	char offset[16] = "Z";
	struct tm tm;

	timefmt_local(zone, time_ms, &tm);
	if (minutes != 0)
		(void)snprintf(offset, sizeof offset, "%c%02d:%02d", minutes < 0 ? '-' : '+', abs(minutes) / 60, abs(minutes) % 60);
	write_iso(&tm, time_ms, offset, buf, cap);
	return buf;
}

const char *timefmt_zone_label(const struct timezone_rules *zone, int64_t time_ms, char *buf, size_t cap)
{
	static const char *const american[] = { "EST", "EDT", "CST", "CDT", "MST", "MDT", "PST", "PDT", "AKST", "AKDT", "HST" };
	int32_t minutes = timefmt_offset_s(zone, time_ms) / 60;
	const char *abbr = timefmt_abbreviation(zone, time_ms);
	const char *name = timefmt_zone_name(zone);

	if (strncmp(name, "America/", 8) == 0 || strncmp(name, "US/", 3) == 0 || strcmp(name, "Pacific/Honolulu") == 0) {
		for (size_t i = 0; i < sizeof american / sizeof american[0]; i++) {
			if (strcmp(abbr, american[i]) == 0) {
				(void)snprintf(buf, cap, "%s", abbr);
				return buf;
			}
		}
	}
	if (strcmp(abbr, "UTC") == 0)
		(void)snprintf(buf, cap, "UTC");
	else if (minutes == 0)
		(void)snprintf(buf, cap, "GMT");
	else if (minutes % 60 == 0)
		(void)snprintf(buf, cap, "GMT%+d", minutes / 60);
	else
		(void)snprintf(buf, cap, "GMT%c%d:%02d", minutes < 0 ? '-' : '+', abs(minutes) / 60, abs(minutes) % 60);
	return buf;
}

const char *timefmt_long(const struct timezone_rules *zone, int64_t time_ms, char *buf, size_t cap)
{
	static const char *const days[] = { "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday" };
	static const char *const months[] = { "January", "February", "March", "April", "May", "June", "July", "August",
		"September", "October", "November", "December" };
	char label[16];
	struct tm tm;

	timefmt_local(zone, time_ms, &tm);
	(void)snprintf(buf, cap, "%s, %02d %s %04d, %02d:%02d:%02d, %s", days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon],
		tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec, timefmt_zone_label(zone, time_ms, label, sizeof label));
	return buf;
}

/* Exactly n digits, up to most. */
static bool digits(const char **p, int n, int most, int *out)
{
	int value = 0;

	for (int i = 0; i < n; i++) {
		if (!isdigit((unsigned char)(*p)[i]))
			return false;
		value = value * 10 + ((*p)[i] - '0');
	}
	*p += n;
	*out = value;
	return value <= most;
}

static bool parse_clock(const char **p, struct tm *tm, int *ms)
{
	if (!digits(p, 2, 23, &tm->tm_hour) || *(*p)++ != ':' || !digits(p, 2, 59, &tm->tm_min))
		return false;
	if (**p == ':') {
		(*p)++;
		if (!digits(p, 2, 60, &tm->tm_sec))
			return false;
	}
	if (**p == '.') {
		int scale = 100;

		(*p)++;
		if (!isdigit((unsigned char)**p))
			return false;
		for (; isdigit((unsigned char)**p); (*p)++, scale /= 10)
			*ms += (**p - '0') * scale;
	}
	return true;
}

static bool parse_offset(const char **p, int *minutes)
{
	int sign = **p == '-' ? -1 : 1;
	int hours = 0;
	int rest = 0;

	if (**p == '\0')
		return true;
	if (**p == 'Z' || **p == 'z') {
		(*p)++;
		return true;
	}
	if (**p != '+' && **p != '-')
		return false;
	(*p)++;
	if (!digits(p, 2, 14, &hours))
		return false;
	if (**p == ':')
		(*p)++;
	if (**p != '\0' && !digits(p, 2, 59, &rest))
		return false;
	*minutes = sign * (hours * 60 + rest);
	return true;
}

static int days_in(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month] + (month == 1 && leap);
}

bool timefmt_parse(const char *text, int64_t *out_ms)
{
	struct tm tm = { .tm_isdst = 0 };
	const char *p = text;
	int ms = 0;
	int offset = 0;

	if (!digits(&p, 4, 9999, &tm.tm_year) || *p++ != '-' || !digits(&p, 2, 12, &tm.tm_mon) || *p++ != '-' ||
		!digits(&p, 2, 31, &tm.tm_mday))
		return false;
	if (*p == 'T' || *p == 't' || *p == ' ') {
		p++;
		if (!parse_clock(&p, &tm, &ms) || !parse_offset(&p, &offset))
			return false;
	}
	if (*p != '\0' || tm.tm_mon < 1 || tm.tm_mday < 1)
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon--;
	if (tm.tm_mday > days_in(tm.tm_year + 1900, tm.tm_mon))
		return false;
	*out_ms = ((int64_t)timegm(&tm) - (int64_t)offset * 60) * 1000 + ms;
	return true;
}
