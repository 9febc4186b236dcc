/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How a receiver gets its events (see target.h). */
#include "sessiond/webhook/target.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/config_check.h"
#include "common/mem.h"
#include "sessiond/crypto/crypto.h"
#include "sessiond/webhook/verdict.h"

static void free_secret(char **secret)
{
	if (*secret)
		crypto_wipe(*secret, strlen(*secret));
	free(*secret);
	*secret = NULL;
}

void target_free(struct hook_target *target)
{
	free(target->events);
	free(target->headers);
	target->events = target->headers = NULL;
	free_secret(&target->next_secret);
}

static bool same(const char *a, const char *b)
{
	return (!a && !b) || (a && b && strcmp(a, b) == 0);
}

static char *copy(const char *text)
{
	return text ? xstrdup(text) : NULL;
}

bool target_set(struct hook_target *target, const struct store_webhook *row)
{
	static const struct store_webhook own = { .scope = "chat", .actions = true };
	bool changed;

	if (!row)
		row = &own;
	changed = !same(target->headers, row->headers) || !same(target->next_secret, row->next_secret);
	target_free(target);
	*target = (struct hook_target){
		.bits = row->bits,
		.parallel = row->parallel > 0 ? (unsigned)row->parallel : 0,
		.timeout_ms = row->timeout_ms,
		.actions = row->actions,
		.events = copy(row->events),
		.headers = copy(row->headers),
		.next_secret = copy(row->next_secret),
		.rotates_ms = row->rotates_ms,
	};
	if (!target_scope_of(row->scope, &target->scope))
		target->scope = ORDER_CHAT;
	return changed;
}

unsigned target_parallel(const struct hook_target *target)
{
	return target->parallel ? target->parallel : TARGET_PARALLEL;
}

bool target_wants(const struct hook_target *target, const char *kind, char *const *more, size_t more_count)
{
	const char *at = target->events;
	size_t len = strlen(kind);

	if (!at || !*at)
		return verdict_is_webhook_event(kind, more, more_count);
	while (*at) {
		size_t word = strcspn(at, " ");

		if (word == len && memcmp(at, kind, len) == 0)
			return true;
		at += word;
		at += strspn(at, " ");
	}
	return false;
}

bool target_scope_of(const char *text, enum target_scope *scope)
{
	static const char *const names[] = { [ORDER_CHAT] = "chat", [ORDER_SESSION] = "session", [ORDER_NONE] = "none" };

	for (size_t i = 0; text && i < sizeof names / sizeof names[0]; i++) {
		if (strcmp(text, names[i]) == 0) {
			*scope = (enum target_scope)i;
			return true;
		}
	}
	return false;
}

bool target_event_is_known(const char *kind)
{
	return *kind && (verdict_is_webhook_event(kind, NULL, 0) || !config_check(CHECK_EVENT, kind));
}

static bool is_token(const char *text)
{
	size_t len = strlen(text);

	return len > 0 && len <= TARGET_HEADER_NAME_MAX &&
	       strspn(text, "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") == len;
}

const char *target_header_fault(const char *name, const char *value)
{
	/* A name that ends in '-' stands for all that begin with it. */
	static const char *const taken[] = { "Host", "Content-", "Transfer-Encoding", "Connection", "Keep-Alive", "Proxy-", "TE", "Trailer",
		"Upgrade", "Expect", "Accept", "Accept-Encoding", "User-Agent", "X-WAREST-", "HTTP2-Settings", "Sec-" };

	if (!is_token(name))
		return "is no name of a header";
	for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++) {
		size_t len = strlen(taken[i]);

		if (taken[i][len - 1] == '-' ? strncasecmp(name, taken[i], len) == 0 : strcasecmp(name, taken[i]) == 0)
			return "is not to be chosen";
	}
	if (strlen(value) > TARGET_HEADER_VALUE_MAX)
		return "is too long";
	if (!*value || *value == ' ' || value[strlen(value) - 1] == ' ')
		return "has no value, or blanks around it";
	for (; *value; value++)
		if (*value < ' ' || *value > '~')
			return "may only hold printable ASCII";
	return NULL;
}
