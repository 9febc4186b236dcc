/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How a session's messages leave: the settings WAREST_QUEUE_*, where the session has none of its own (record RECORD_QUEUE "settings").
 *
 *     {"concurrency":1,"maxSize":0,"timeoutMs":0,"maxRetries":0,"retryDelayMs":75,"backoffFactor":2,"retryJitter":0.2,
 *      "paceMs":0,"paceJitter":0.2,"quietHours":"22:00-07:00","timezone":"Asia/Jakarta","coldPerDay":0,"paused":false}
 *
 * Times are milliseconds on the wall clock unless they say otherwise. Nothing here waits or stores.
 */
#ifndef SESSIOND_SESSION_SENDPOLICY_H
#define SESSIOND_SESSION_SENDPOLICY_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/timefmt.h"

struct config;

struct send_policy {
	int64_t concurrency;       /* messages that are being made ready at the same time */
	int64_t max_size;          /* waiting messages; <= 0: unlimited */
	int64_t timeout_ms;        /* of one attempt to make a message ready; 0: none */
	int64_t max_retries;
	int64_t retry_delay_ms;
	double backoff_factor, retry_jitter;
	int64_t pace_ms;           /* least pause between two messages */
	double pace_jitter;        /* up to this part of it is added */
	int64_t quiet_from, quiet_to; /* minutes of the day; equal: no quiet hours */
	int64_t cold_per_day;      /* contacts that are written to for the first time, a day; 0: unlimited */
	bool paused;
	char zone_name[64];        /* of quiet hours and days */
	struct timezone_rules *zone; /* owned; NULL: nothing needs it */
};

/* Fills in the settings. The policy is to be freed. */
void send_policy_init(struct send_policy *policy, const struct config *config);
void send_policy_free(struct send_policy *policy);
/* Loads the zone if something in the policy needs it: once all of it is set. */
void send_policy_ready(struct send_policy *policy);
/* Lays the members of overrides (an object) over the policy. False: error says which one is wrong, the policy is half changed. */
bool send_policy_apply(struct send_policy *policy, struct json_object *overrides, char *error, size_t room);
/* False: error names a member that no policy has. */
bool send_policy_knows(struct json_object *change, char *error, size_t room);
/* Takes the members of change over into overrides; null ends an override. */
void send_policy_merge(struct json_object *overrides, struct json_object *change);
/* The object above. */
void send_policy_put(struct buf *out, const struct send_policy *policy);

/* "HH:MM-HH:MM" in minutes; "" or equal ends: none (both 0). False: not of that form. */
bool send_hours_read(const char *text, int64_t *from, int64_t *to);

/* When the quiet hours end that now_ms is in; 0: it is in none. */
int64_t send_policy_quiet_until(const struct send_policy *policy, int64_t now_ms);
/* The local day as a number that grows by one each day. */
int64_t send_policy_day(const struct send_policy *policy, int64_t now_ms);
/* When the next local day begins. */
int64_t send_policy_next_day(const struct send_policy *policy, int64_t now_ms);
/* The pause behind a message. random in [0, 1). */
int64_t send_policy_gap_ms(const struct send_policy *policy, double random);
/* The pause before attempt number `attempt` + 1 (1: the first one has failed). */
int64_t send_policy_retry_ms(const struct send_policy *policy, int64_t attempt, double random);

#endif
