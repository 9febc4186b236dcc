/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a webhook request looks like: body, signature, headers. Private to the folder.
 *
 *     {"event":"message_received","data":{...},"ts":1767225601234,"session":{"id":..,"label":..,"registry":..,"username":..}}
 *
 *     X-WAREST-Signature: HMAC-SHA256=hex(HMAC(key = secret || username, exactly those bytes))
 *
 * Receivers may parse the body and write it again with JavaScript's JSON.stringify before they verify: texts are escaped as that
 * function does, and nothing is written a second time between signing and sending.
 *
 * That signature says nothing about when, and its key is ambiguous. An additional header covers both; during a rotation it carries one
 * v1 for each valid secret:
 *
 *     X-WAREST-Signature-V2: t=1767225601,v1=hex(HMAC(key = secret, "1767225601." || body)),v1=...    t: of the attempt, in seconds
 */
#ifndef SESSIOND_WEBHOOK_ENVELOPE_H
#define SESSIOND_WEBHOOK_ENVELOPE_H

#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/buf.h"
#include "sessiond/webhook/target.h"
#include "sessiond/webhook/webhook.h"

/* Appends text as a JSON string, NULL as null. */
void envelope_json_text(struct buf *to, const char *text);
/* data: the JSON object as it goes out. */
void envelope_body(struct buf *to, const char *event, struct span data, int64_t ts_ms, const struct webhook_subject *subject);

struct envelope_head {
	const char *event;
	struct span body;
	int64_t ts_ms;
	const struct webhook_subject *subject;
	const char *secret;
	const char *next_secret; /* valid, too; NULL: none */
	int64_t now_ms;       /* wall clock of the attempt */
	const char *headers;  /* more of them: "Name: value\n" lines; NULL: none */
	int bits;             /* 224, 256, 384, 512 */
	const char *version;
	const char *event_id; /* NULL in a preflight */
	unsigned attempt;     /* 0: a preflight */
};

#define ENVELOPE_HEADERS_MAX (17 + TARGET_HEADERS_MAX)

/* "Name: value" lines out of the arena. Their number, or negative if there is no signature to be had. */
int envelope_headers(struct arena *arena, const struct envelope_head *head, const char *lines[ENVELOPE_HEADERS_MAX]);

#endif
