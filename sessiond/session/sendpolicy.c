/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See sendpolicy.h. */
#include "sessiond/session/sendpolicy.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/config.h"
#include "sessiond/json_text.h"

enum { MINUTES_A_DAY = 24 * 60, LONGEST_RETRY_MS = 24 * 3600 * 1000 };

/* ---- members ---- */

enum field_kind { FIELD_INT, FIELD_REAL };

static const struct field {
	const char *name;
	enum field_kind kind;
	size_t offset;
	double least, most;
} fields[] = {
	{ "concurrency", FIELD_INT, offsetof(struct send_policy, concurrency), 1, 1000 },
	{ "maxSize", FIELD_INT, offsetof(struct send_policy, max_size), -1e9, 1e9 },
	{ "timeoutMs", FIELD_INT, offsetof(struct send_policy, timeout_ms), 0, 86400000 },
	{ "maxRetries", FIELD_INT, offsetof(struct send_policy, max_retries), 0, 1000 },
	{ "retryDelayMs", FIELD_INT, offsetof(struct send_policy, retry_delay_ms), 0, 3600000 },
	{ "backoffFactor", FIELD_REAL, offsetof(struct send_policy, backoff_factor), 1, 100 },
	{ "retryJitter", FIELD_REAL, offsetof(struct send_policy, retry_jitter), 0, 1 },
	{ "paceMs", FIELD_INT, offsetof(struct send_policy, pace_ms), 0, 86400000 },
	{ "paceJitter", FIELD_REAL, offsetof(struct send_policy, pace_jitter), 0, 10 },
	{ "coldPerDay", FIELD_INT, offsetof(struct send_policy, cold_per_day), 0, 1e9 },
};

static const struct field *field_of(const char *name)
{
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
		if (strcmp(fields[i].name, name) == 0)
			return &fields[i];
	}
	return NULL;
}

static bool set_number(struct send_policy *policy, const struct field *field, struct json_object *value)
{
	double number = json_object_get_double(value);
	int64_t whole;

	if (!json_object_is_type(value, json_type_int) && !json_object_is_type(value, json_type_double))
		return false;
	if (!(number >= field->least && number <= field->most) || (field->kind == FIELD_INT && number != floor(number)))
		return false;
	if (field->kind == FIELD_REAL) {
		memcpy((char *)policy + field->offset, &number, sizeof number);
		return true;
	}
	whole = (int64_t)number;
	memcpy((char *)policy + field->offset, &whole, sizeof whole);
	return true;
}

static bool set_zone(struct send_policy *policy, struct json_object *value)
{
	const char *name = json_object_is_type(value, json_type_string) ? json_object_get_string(value) : "";

	if (strlen(name) >= sizeof policy->zone_name || !timefmt_zone_exists(name))
		return false;
	snprintf(policy->zone_name, sizeof policy->zone_name, "%s", name);
	return true;
}

static bool set_member(struct send_policy *policy, const char *name, struct json_object *value)
{
	const struct field *field = field_of(name);

	if (field)
		return set_number(policy, field, value);
	if (strcmp(name, "quietHours") == 0)
		return json_object_is_type(value, json_type_string) && send_hours_read(json_object_get_string(value), &policy->quiet_from, &policy->quiet_to);
	if (strcmp(name, "timezone") == 0)
		return set_zone(policy, value);
	if (strcmp(name, "paused") == 0 && json_object_is_type(value, json_type_boolean)) {
		policy->paused = json_object_get_boolean(value);
		return true;
	}
	return false;
}

bool send_policy_apply(struct send_policy *policy, struct json_object *overrides, char *error, size_t room)
{
	json_object_object_foreach(overrides, name, value)
	{
		if (value && !set_member(policy, name, value)) {
			snprintf(error, room, "%.40s is unknown or out of range", name);
			return false;
		}
	}
	return true;
}

bool send_policy_knows(struct json_object *change, char *error, size_t room)
{
	json_object_object_foreach(change, name, value)
	{
		(void)value;
		if (!field_of(name) && strcmp(name, "quietHours") != 0 && strcmp(name, "timezone") != 0 && strcmp(name, "paused") != 0) {
			snprintf(error, room, "%.40s is unknown or out of range", name);
			return false;
		}
	}
	return true;
}

void send_policy_merge(struct json_object *overrides, struct json_object *change)
{
	json_object_object_foreach(change, name, value)
	{
		if (value)
			json_object_object_add(overrides, name, json_object_get(value));
		else
			json_object_object_del(overrides, name);
	}
}

/* ---- making ---- */

void send_policy_init(struct send_policy *policy, const struct config *config)
{
	const char *zone = config->queue_timezone[0] ? config->queue_timezone : config->timezone;

	*policy = (struct send_policy){
		.concurrency = config->queue_concurrency,
		.max_size = config->queue_max_size,
		.timeout_ms = config->queue_timeout_ms,
		.max_retries = config->queue_max_retries,
		.retry_delay_ms = config->queue_retry_delay_ms,
		.backoff_factor = config->queue_backoff_factor,
		.retry_jitter = config->queue_retry_jitter,
		.pace_ms = config->queue_pace_ms,
		.pace_jitter = config->queue_pace_jitter,
		.cold_per_day = config->queue_cold_per_day,
	};
	snprintf(policy->zone_name, sizeof policy->zone_name, "%s", zone);
	send_hours_read(config->queue_quiet_hours, &policy->quiet_from, &policy->quiet_to);
}

void send_policy_ready(struct send_policy *policy)
{
	bool needed = policy->quiet_from != policy->quiet_to || policy->cold_per_day > 0;

	timefmt_zone_free(policy->zone);
	policy->zone = needed ? timefmt_zone_load(policy->zone_name) : NULL;
	if (needed && !policy->zone)
		policy->zone = timefmt_zone_load("UTC");
}

void send_policy_free(struct send_policy *policy)
{
	timefmt_zone_free(policy->zone);
	policy->zone = NULL;
}

void send_policy_put(struct buf *out, const struct send_policy *policy)
{
	char hours[32] = "";

	buf_u8(out, '{');
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
		const char *at = (const char *)policy + fields[i].offset;
		double real;
		int64_t whole;

		if (fields[i].kind == FIELD_REAL) {
			memcpy(&real, at, sizeof real);
			json_put_name(out, fields[i].name);
			buf_printf(out, "%.6g", real);
		} else {
			memcpy(&whole, at, sizeof whole);
			json_put_int(out, fields[i].name, whole);
		}
	}
	if (policy->quiet_from != policy->quiet_to)
		snprintf(hours, sizeof hours, "%02d:%02d-%02d:%02d", (int)(policy->quiet_from / 60), (int)(policy->quiet_from % 60),
			(int)(policy->quiet_to / 60), (int)(policy->quiet_to % 60));
	json_put_member(out, "quietHours", hours);
	json_put_member(out, "timezone", policy->zone_name);
	json_put_bool(out, "paused", policy->paused);
	buf_u8(out, '}');
}

/* ---- times ---- */

/* "HH:MM" at text; -1: it is not. 24:00 is the end of the day. */
static int64_t clock_of(const char *text)
{
	int hour, minute;

	for (size_t i = 0; i < 5; i++) {
		if (i == 2 ? text[i] != ':' : text[i] < '0' || text[i] > '9')
			return -1;
	}
	hour = (text[0] - '0') * 10 + text[1] - '0';
	minute = (text[3] - '0') * 10 + text[4] - '0';
	if (minute > 59 || hour * 60 + minute > MINUTES_A_DAY)
		return -1;
	return (hour * 60 + minute) % MINUTES_A_DAY;
}

bool send_hours_read(const char *text, int64_t *from, int64_t *to)
{
	int64_t first, last;

	*from = *to = 0;
	if (!text[0])
		return true;
	if (strlen(text) != 11 || text[5] != '-')
		return false;
	first = clock_of(text);
	last = clock_of(text + 6);
	if (first < 0 || last < 0)
		return false;
	*from = first;
	*to = last;
	return true;
}

int64_t send_policy_quiet_until(const struct send_policy *policy, int64_t now_ms)
{
	struct tm local;
	int64_t minute, from = policy->quiet_from, to = policy->quiet_to;
	bool quiet;

	if (from == to)
		return 0;
	timefmt_local(policy->zone, now_ms, &local);
	minute = local.tm_hour * 60 + local.tm_min;
	quiet = from < to ? minute >= from && minute < to : minute >= from || minute < to;
	return quiet ? timefmt_next_reading(policy->zone, (int)(to / 60), (int)(to % 60), now_ms) : 0;
}

int64_t send_policy_day(const struct send_policy *policy, int64_t now_ms)
{
	int64_t local_s = now_ms / 1000 + timefmt_offset_s(policy->zone, now_ms);

	return local_s / 86400;
}

int64_t send_policy_next_day(const struct send_policy *policy, int64_t now_ms)
{
	return timefmt_next_clock(policy->zone, 0, 0, now_ms);
}

int64_t send_policy_gap_ms(const struct send_policy *policy, double random)
{
	return policy->pace_ms + (int64_t)((double)policy->pace_ms * policy->pace_jitter * random);
}

int64_t send_policy_retry_ms(const struct send_policy *policy, int64_t attempt, double random)
{
	double delay = (double)policy->retry_delay_ms * pow(policy->backoff_factor, (double)(attempt - 1));

	delay *= 1.0 + policy->retry_jitter * (2.0 * random - 1.0);
	if (delay < 0.0)
		return 0;
	return delay < (double)LONGEST_RETRY_MS ? (int64_t)llround(delay) : (int64_t)LONGEST_RETRY_MS;
}
