/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From what callers write to addresses: the one resolver for every route, webhook action and control message.
 *
 *     0812-3456 789          628123456789@s.whatsapp.net     leading 0 = country code
 *     +62 812 3456           628123456@s.whatsapp.net
 *     0062812                62812@s.whatsapp.net            one leading 00 dropped
 *     62812:5@s.whatsapp.net 62812@s.whatsapp.net            device cut off
 *     62812@c.us             62812@s.whatsapp.net
 *     1234@lid, x@g.us, x@newsletter, x@broadcast, x@hosted, x@hosted.lid, x@bot      kept
 *     digits-digits of more than 15 digits, 120363 and 12 or more digits              group: @g.us
 *     unknown servers, "0", numbers of more than 20 digits                            refused
 *     text without digits                                                             nothing
 */
#ifndef COMMON_RECIPIENT_H
#define COMMON_RECIPIENT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/jid.h"

struct json_object;

enum recipient_error {
	RECIPIENT_OK = 0,
	RECIPIENT_NOTHING = -1,  /* no digits at all: skipped in lists */
	RECIPIENT_REFUSED = -2,  /* cannot be an address */
	RECIPIENT_TOO_MANY = -3  /* more than LIMIT_RECIPIENTS or nested too deeply */
};

/* country_code: digits, replaces leading zeros. Any thread. */
int recipient_resolve(struct jid *out, const char *text, size_t len, const char *country_code);

/* Digits of a phone number after the 0 and 00 rules, terminated. Length, or RECIPIENT_NOTHING or RECIPIENT_REFUSED.
 * For own-phone parameters and pairing codes. */
int recipient_phone(const char *text, size_t len, const char *country_code, char *out, size_t cap);

/* Group ids: without server "@g.us" is added, another server is refused. */
int recipient_group(struct jid *out, const char *text, size_t len);

struct recipient_list {
	struct jid *items; /* owned; no two of the same user */
	size_t count;
	int error;         /* the first problem: RECIPIENT_OK, _REFUSED or _TOO_MANY */
};

void recipient_list_init(struct recipient_list *list);
void recipient_list_free(struct recipient_list *list);

/* Reads `to`: strings (a JSON array as text is understood, otherwise split at , ; and line ends), numbers, arrays of these in
 * any nesting. Order kept, duplicates removed. RECIPIENT_OK, RECIPIENT_NOTHING when nothing is left, or the first problem. */
int recipient_list_read(struct recipient_list *list, struct json_object *value, const char *country_code);

#endif
