/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What an answer of a receiver means (see verdict.h). */
#include "sessiond/webhook/verdict.h"

#include <string.h>

#define RETRY_AFTER_MAX_S 60
#define RETRY_MAX_MS INT64_C(3600000)
#define PAUSE_GROWTH_MAX 15

static const char *const webhook_events[] = {
	"session_status",     "message_received", "message_reaction", "message_command", "message_edited", "message_revoked", "group_participants",
	"group_join",         "group_leave",      "group_update",     "presence_update", "creds_update",   "call",
};

bool verdict_is_webhook_event(const char *kind, char *const *more, size_t more_count)
{
	for (size_t i = 0; i < more_count; i++)
		if (strcmp(kind, more[i]) == 0)
			return true;
	for (size_t i = 0; i < sizeof(webhook_events) / sizeof(webhook_events[0]); i++)
		if (strcmp(kind, webhook_events[i]) == 0)
			return true;
	return false;
}

enum verdict verdict_of(enum http_error error, int status)
{
	if (error == HTTP_REFUSED || error == HTTP_BAD_URL || error == HTTP_REDIRECTS)
		return VERDICT_REFUSED;
	if (error != HTTP_OK || status == 429 || status >= 500)
		return VERDICT_RETRY;
	if (status >= 200 && status < 300)
		return VERDICT_DELIVERED;
	if (status == 401 || status == 403)
		return VERDICT_FORBIDDEN;
	return status == 404 || status == 410 ? VERDICT_GONE : VERDICT_REFUSED;
}

int64_t verdict_retry_ms(unsigned n, int64_t backoff_ms, int64_t jitter_ms, double random, int status, int64_t retry_after_s)
{
	int64_t pause_ms = backoff_ms;
	int64_t asked_s = retry_after_s > RETRY_AFTER_MAX_S ? RETRY_AFTER_MAX_S : retry_after_s;

	for (unsigned i = 1; i < n && pause_ms < RETRY_MAX_MS; i++)
		pause_ms *= 2;
	if (pause_ms > RETRY_MAX_MS)
		pause_ms = RETRY_MAX_MS;
	pause_ms += (int64_t)(random * (double)jitter_ms);
	if ((status == 429 || status == 503) && asked_s > 0 && pause_ms < asked_s * 1000)
		pause_ms = asked_s * 1000;
	return pause_ms;
}

int64_t verdict_pause_ms(unsigned n, int64_t base_ms, double random)
{
	int64_t growth = 1;

	for (unsigned i = 1; i < n && growth < PAUSE_GROWTH_MAX; i++)
		growth *= 2;
	if (growth > PAUSE_GROWTH_MAX)
		growth = PAUSE_GROWTH_MAX;
	return growth * base_ms + (int64_t)(random * (double)base_ms / 10);
}
