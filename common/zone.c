/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Zones of the tz database, read from their TZif files (RFC 8536): a list of moments at which the offset changed, and a rule
 * (POSIX TZ text) for the time after the last of them. Nothing here touches the process's own zone, so any thread may ask for
 * any zone.
 */
#include <ctype.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/mem.h"
#include "common/timefmt.h"

enum { TYPES_MAX = 256, CHANGES_MAX = 4096, FILE_MAX = 128 * 1024, ABBR_MAX = 8, DAY_S = 86400 };

#define ZONE_DIR "/usr/share/zoneinfo/"

struct zone_type {
	int32_t offset_s;
	char abbr[ABBR_MAX];
};

/* One of the two yearly changes of a POSIX TZ rule. */
struct rule_date {
	char form;      /* 'M' month.week.day, 'J' day 1-365 without leap day, 'D' day 0-365 */
	int month;
	int week;
	int day;
	int32_t time_s; /* local time of the change */
};

struct rule {
	bool known;
	bool has_dst;
	struct zone_type standard;
	struct zone_type summer;
	struct rule_date start; /* of summer time */
	struct rule_date end;
};

struct timezone_rules {
	char *name; /* owned */
	size_t count;
	int64_t *at_s; /* owned, ascending */
	uint8_t *type; /* owned, index of types, one per at_s */
	size_t type_count;
	struct zone_type types[TYPES_MAX];
	struct rule rule;
};

static bool name_is_safe(const char *name)
{
	if (*name == '\0' || *name == '/' || strlen(name) > 64 || strstr(name, "..") != NULL)
		return false;
	for (const char *p = name; *p != '\0'; p++) {
		if (!isalnum((unsigned char)*p) && strchr("/_+-", *p) == NULL)
			return false;
	}
	return true;
}

static bool read_zone_file(const char *name, struct buf *out)
{
	char path[128] = ZONE_DIR;
	ssize_t n = 1;
	int fd;

	if (!name_is_safe(name))
		return false;
	strncat(path, name, sizeof path - strlen(path) - 1);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	while (n > 0 && out->len < FILE_MAX) {
		n = read(fd, buf_reserve(out, 4096), 4096);
		if (n > 0)
			buf_commit(out, (size_t)n);
	}
	(void)close(fd);
	return n == 0 && out->len > 44 && memcmp(out->data, "TZif", 4) == 0;
}

struct counts {
	uint32_t utc, standard, leap, times, types, chars;
};

static bool read_header(struct reader *r, struct counts *c)
{
	struct span magic = read_span(r, 4);

	(void)read_span(r, 16);
	c->utc = read_be32(r);
	c->standard = read_be32(r);
	c->leap = read_be32(r);
	c->times = read_be32(r);
	c->types = read_be32(r);
	c->chars = read_be32(r);
	return r->ok && span_is(magic, "TZif") && c->utc <= TYPES_MAX && c->standard <= TYPES_MAX && c->leap <= CHANGES_MAX &&
	       c->times <= CHANGES_MAX && c->types > 0 && c->types <= TYPES_MAX && c->chars <= CHANGES_MAX;
}

static void skip_first_block(struct reader *r, const struct counts *c)
{
	(void)read_span(r, (size_t)c->times * 5 + (size_t)c->types * 6 + c->chars + (size_t)c->leap * 8 + c->standard + c->utc);
}

static bool read_types(struct reader *r, const struct counts *c, struct timezone_rules *zone)
{
	struct span types = read_span(r, (size_t)c->types * 6);
	struct span chars = read_span(r, c->chars);
	struct reader t = reader_of(types.p, types.n);

	for (size_t i = 0; i < c->types && r->ok; i++) {
		struct zone_type *type = &zone->types[i];
		uint8_t abbr;

		type->offset_s = (int32_t)read_be32(&t);
		(void)read_u8(&t);
		abbr = read_u8(&t);
		for (size_t k = 0; k < ABBR_MAX - 1 && abbr + k < chars.n && chars.p[abbr + k] != 0; k++)
			type->abbr[k] = (char)chars.p[abbr + k];
		if (type->offset_s < -DAY_S || type->offset_s > DAY_S)
			return false;
	}
	zone->type_count = c->types;
	return r->ok;
}

static bool read_block(struct reader *r, const struct counts *c, struct timezone_rules *zone)
{
	zone->count = c->times;
	zone->at_s = xcalloc(zone->count + 1, sizeof zone->at_s[0]);
	zone->type = xcalloc(zone->count + 1, sizeof zone->type[0]);
	for (size_t i = 0; i < zone->count; i++)
		zone->at_s[i] = (int64_t)read_be64(r);
	for (size_t i = 0; i < zone->count; i++) {
		zone->type[i] = read_u8(r);
		if (zone->type[i] >= c->types)
			return false;
	}
	if (!read_types(r, c, zone))
		return false;
	(void)read_span(r, (size_t)c->leap * 12 + c->standard + c->utc);
	return r->ok;
}

/* ---- the POSIX TZ text behind the last change ---- */

static bool read_count(const char **p, int *out)
{
	int value = 0;

	if (!isdigit((unsigned char)**p))
		return false;
	while (isdigit((unsigned char)**p) && value < 100000)
		value = value * 10 + (*(*p)++ - '0');
	*out = value;
	return true;
}

/* [+-]hh[:mm[:ss]] in seconds. */
static bool read_hms(const char **p, int32_t *out)
{
	int sign = **p == '-' ? -1 : 1;
	int part[3] = { 0, 0, 0 };

	if (**p == '-' || **p == '+')
		(*p)++;
	for (int i = 0; i < 3; i++) {
		if (!read_count(p, &part[i]))
			return false;
		if (**p != ':')
			break;
		(*p)++;
	}
	if (part[0] > 167 || part[1] > 59 || part[2] > 59)
		return false;
	*out = sign * (part[0] * 3600 + part[1] * 60 + part[2]);
	return true;
}

static bool read_abbr(const char **p, char abbr[ABBR_MAX])
{
	bool angle = **p == '<';
	size_t n = 0;

	if (angle)
		(*p)++;
	while (**p != '\0' && (angle ? **p != '>' : isalpha((unsigned char)**p))) {
		if (n < ABBR_MAX - 1)
			abbr[n++] = **p;
		(*p)++;
	}
	abbr[n] = '\0';
	if (angle && *(*p)++ != '>')
		return false;
	return n > 0;
}

static bool read_rule_date(const char **p, struct rule_date *date)
{
	date->time_s = 2 * 3600;
	if (*(*p)++ != ',')
		return false;
	date->form = **p == 'M' || **p == 'J' ? *(*p)++ : 'D';
	if (date->form != 'M') {
		if (!read_count(p, &date->day) || date->day > 365)
			return false;
	} else {
		if (!read_count(p, &date->month) || *(*p)++ != '.' || !read_count(p, &date->week) || *(*p)++ != '.' ||
			!read_count(p, &date->day))
			return false;
		if (date->month < 1 || date->month > 12 || date->week < 1 || date->week > 5 || date->day > 6)
			return false;
	}
	if (**p == '/') {
		(*p)++;
		return read_hms(p, &date->time_s);
	}
	return true;
}

static void read_rule(const char *p, struct rule *rule)
{
	int32_t offset;

	if (!read_abbr(&p, rule->standard.abbr) || !read_hms(&p, &offset))
		return;
	rule->standard.offset_s = -offset;
	if (*p == '\0') {
		rule->known = true;
		return;
	}
	if (!read_abbr(&p, rule->summer.abbr))
		return;
	rule->summer.offset_s = rule->standard.offset_s + 3600;
	if (*p != ',') {
		if (!read_hms(&p, &offset))
			return;
		rule->summer.offset_s = -offset;
	}
	rule->has_dst = read_rule_date(&p, &rule->start) && read_rule_date(&p, &rule->end);
	rule->known = rule->has_dst;
}

static int64_t days_from_civil(int64_t year, int month, int day)
{
	int64_t y = year - (month <= 2);
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t yoe = y - era * 400;
	int64_t doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static bool is_leap(int64_t year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* Seconds since 1970 of the change in that year, as if local time were UTC. */
static int64_t rule_moment(const struct rule_date *date, int64_t year)
{
	int64_t day;

	if (date->form == 'M') {
		int64_t first = days_from_civil(year, date->month, 1);
		int64_t next = date->month == 12 ? days_from_civil(year + 1, 1, 1) : days_from_civil(year, date->month + 1, 1);
		int64_t weekday = ((first + 4) % 7 + 7) % 7;

		day = first + (date->day - weekday + 7) % 7 + (int64_t)(date->week - 1) * 7;
		if (day >= next)
			day -= 7;
	} else {
		day = days_from_civil(year, 1, 1) + date->day;
		if (date->form == 'J')
			day += (is_leap(year) && date->day >= 60) ? 0 : -1;
	}
	return day * DAY_S + date->time_s;
}

static const struct zone_type *type_by_rule(const struct rule *rule, int64_t time_s)
{
	int64_t local = time_s + rule->standard.offset_s;
	int64_t day = local / DAY_S - (local % DAY_S < 0);
	int64_t year = 1970 + (int64_t)((double)day / 365.2425);
	int64_t start;
	int64_t end;
	bool summer;

	if (!rule->has_dst)
		return &rule->standard;
	if (days_from_civil(year + 1, 1, 1) <= day)
		year++;
	else if (days_from_civil(year, 1, 1) > day)
		year--;
	start = rule_moment(&rule->start, year) - rule->standard.offset_s;
	end = rule_moment(&rule->end, year) - rule->summer.offset_s;
	/* South of the equator summer time crosses the new year. */
	summer = start < end ? time_s >= start && time_s < end : time_s >= start || time_s < end;
	return summer ? &rule->summer : &rule->standard;
}

/* ---- the face ---- */

static const struct zone_type *type_at(const struct timezone_rules *zone, int64_t time_s)
{
	size_t low = 0;
	size_t high = zone->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (zone->at_s[middle] <= time_s)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == zone->count && zone->rule.known)
		return type_by_rule(&zone->rule, time_s);
	return &zone->types[low == 0 ? 0 : zone->type[low - 1]];
}

static bool parse_zone(const struct buf *file, struct timezone_rules *zone)
{
	struct reader r = reader_of(file->data, file->len);
	struct counts counts;
	uint8_t version = file->data[4];
	char footer[80] = "";
	size_t n = 0;

	if (!read_header(&r, &counts) || version < '2')
		return false;
	skip_first_block(&r, &counts);
	if (!read_header(&r, &counts) || !read_block(&r, &counts, zone) || read_u8(&r) != '\n')
		return false;
	while (r.left > 0 && *r.p != '\n' && n < sizeof footer - 1)
		footer[n++] = (char)read_u8(&r);
	read_rule(footer, &zone->rule);
	return true;
}

struct timezone_rules *timefmt_zone_load(const char *name)
{
	struct timezone_rules *zone = xcalloc(1, sizeof *zone);
	struct buf file;

	buf_init(&file);
	zone->name = xstrdup(name);
	if (strcmp(name, "UTC") == 0) {
		zone->rule.known = true;
		memcpy(zone->rule.standard.abbr, "UTC", 4);
	} else if (!read_zone_file(name, &file) || !parse_zone(&file, zone)) {
		timefmt_zone_free(zone);
		zone = NULL;
	}
	buf_free(&file);
	return zone;
}

bool timefmt_zone_exists(const char *name)
{
	struct timezone_rules *zone = timefmt_zone_load(name);

	timefmt_zone_free(zone);
	return zone != NULL;
}

void timefmt_zone_free(struct timezone_rules *zone)
{
	if (zone == NULL)
		return;
	free(zone->name);
	free(zone->at_s);
	free(zone->type);
	free(zone);
}

const char *timefmt_zone_name(const struct timezone_rules *zone)
{
	return zone->name;
}

static int64_t floor_s(int64_t time_ms)
{
	return time_ms / 1000 - (time_ms % 1000 < 0);
}

int32_t timefmt_offset_s(const struct timezone_rules *zone, int64_t time_ms)
{
	return type_at(zone, floor_s(time_ms))->offset_s;
}

const char *timefmt_abbreviation(const struct timezone_rules *zone, int64_t time_ms)
{
	return type_at(zone, floor_s(time_ms))->abbr;
}

void timefmt_local(const struct timezone_rules *zone, int64_t time_ms, struct tm *out)
{
	time_t local = (time_t)(floor_s(time_ms) + timefmt_offset_s(zone, time_ms));

	(void)gmtime_r(&local, out);
}

int64_t timefmt_from_local(const struct timezone_rules *zone, const struct tm *local)
{
	struct tm copy = *local;
	int64_t wall_s = (int64_t)timegm(&copy);
	int64_t before = wall_s - type_at(zone, wall_s - DAY_S)->offset_s;
	int64_t after = wall_s - type_at(zone, wall_s + DAY_S)->offset_s;

	/* The offset of the day before gives the first of two readings; if a change skipped the time, it points behind the gap. */
	if (before + type_at(zone, before)->offset_s == wall_s)
		return before * 1000;
	if (after + type_at(zone, after)->offset_s == wall_s)
		return after * 1000;
	return before * 1000;
}

int64_t timefmt_next_clock(const struct timezone_rules *zone, int hour, int minute, int64_t now_ms)
{
	struct tm local;
	int64_t moment;

	timefmt_local(zone, now_ms, &local);
	local.tm_hour = hour;
	local.tm_min = minute;
	local.tm_sec = 0;
	moment = timefmt_from_local(zone, &local);
	while (moment <= now_ms) {
		local.tm_mday++;
		moment = timefmt_from_local(zone, &local);
	}
	return moment;
}

/* When the clocks go past this local time without showing it. before: how they go until then; after: how from then on, which is earlier. */
static int64_t skipping(const struct timezone_rules *zone, int64_t wall_s, int64_t before, int64_t after)
{
	while (after < before) {
		int64_t middle = after + (before - after) / 2;

		if (middle + type_at(zone, middle)->offset_s >= wall_s)
			before = middle;
		else
			after = middle + 1;
	}
	return before;
}

/* The first moment after now_s at which that local time is shown or skipped; INT64_MAX: it was, for the last time. */
static int64_t reading_after(const struct timezone_rules *zone, int64_t wall_s, int64_t now_s)
{
	int64_t before = wall_s - type_at(zone, wall_s - DAY_S)->offset_s;
	int64_t after = wall_s - type_at(zone, wall_s + DAY_S)->offset_s;
	bool shown_before = before + type_at(zone, before)->offset_s == wall_s, shown_after = after + type_at(zone, after)->offset_s == wall_s;
	int64_t skipped = shown_before || shown_after ? INT64_MIN : skipping(zone, wall_s, before, after);

	if (shown_before && before > now_s)
		return before;
	if (shown_after && after > now_s)
		return after;
	return skipped > now_s ? skipped : INT64_MAX;
}

int64_t timefmt_next_reading(const struct timezone_rules *zone, int hour, int minute, int64_t now_ms)
{
	int64_t moment, now_s = floor_s(now_ms);
	struct tm local;

	timefmt_local(zone, now_ms, &local);
	local.tm_hour = hour;
	local.tm_min = minute;
	local.tm_sec = 0;
	do {
		struct tm day = local;

		moment = reading_after(zone, (int64_t)timegm(&day), now_s);
		local.tm_mday++;
	} while (moment == INT64_MAX);
	return moment * 1000;
}
