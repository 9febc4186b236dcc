/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How a receiver gets its events: which, in what order, signed and decorated how. No I/O. */
#ifndef SESSIOND_WEBHOOK_TARGET_H
#define SESSIOND_WEBHOOK_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "sessiond/store/store.h"

/* Requests at once for one receiver, unless it says otherwise; and the most it can say. */
#define TARGET_PARALLEL 8U
#define TARGET_PARALLEL_MAX 32U
#define TARGET_TIMEOUT_MIN_MS 100
#define TARGET_TIMEOUT_MAX_MS 600000
#define TARGET_HEADERS_MAX 20U
#define TARGET_HEADER_NAME_MAX ((size_t)64)
#define TARGET_HEADER_VALUE_MAX ((size_t)1000)

/* What must stay in order: a chat's events, all, nothing. */
enum target_scope { ORDER_CHAT, ORDER_SESSION, ORDER_NONE };

struct hook_target {
	enum target_scope scope;
	int bits;            /* of the signature's hash; 0: as the server is set */
	unsigned parallel;   /* 0: TARGET_PARALLEL */
	int64_t timeout_ms;  /* of an attempt; 0: as the server is set */
	bool actions;        /* what it answers may make the account act */
	char *events;        /* owned: kinds with a blank between them; NULL or "": those that every receiver gets */
	char *headers;       /* owned: "Name: value\n" lines; NULL: none */
	char *next_secret;   /* owned: valid beside the first from the start of a rotation, alone from rotates_ms; NULL: none */
	int64_t rotates_ms;  /* wall clock */
};

/* Takes what the row says; row NULL: a session's own receiver. True if headers or secrets are not what they were. */
bool target_set(struct hook_target *target, const struct store_webhook *row);
void target_free(struct hook_target *target);
unsigned target_parallel(const struct hook_target *target);
/* more: kinds that every receiver gets besides the contract's. */
bool target_wants(const struct hook_target *target, const char *kind, char *const *more, size_t more_count);

/* "chat", "session", "none"; false: none of them. */
bool target_scope_of(const char *text, enum target_scope *scope);
/* True for the contract's names and those of WAREST_WEBHOOK_EVENTS. */
bool target_event_is_known(const char *kind);
/* NULL if it may be sent: else what is wrong, for people. Ours, the connection's and the body's are not to be chosen. */
const char *target_header_fault(const char *name, const char *value);

#endif
