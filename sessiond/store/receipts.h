/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is known of own messages by person. Private to sessiond/store.
 *
 *     outbox_devices            of messages sent from here: per device, as long as the outbox keeps the row
 *     addon STORE_ADDON_RECEIPT of messages sent by another device of the account: per person, as long as the message;
 *                               value: "status [delivered read played]", moments in ms, 0: not known
 *
 * A person's moments are kept apart: who has read it had it before.
 */
#ifndef SESSIOND_STORE_RECEIPTS_H
#define SESSIOND_STORE_RECEIPTS_H

#include "sessiond/store/private.h"

enum { RECEIPT_TEXT_MAX = 96 };

struct receipt_times {
	enum store_message_status status; /* DELIVERED, READ or PLAYED; NONE: nothing */
	int64_t delivered_ms, read_ms, played_ms;
};

/* time_ms: of the status, where the value has no moments. value may be NULL. */
void receipt_parse(const char *value, int64_t time_ms, struct receipt_times *out);
void receipt_format(const struct receipt_times *times, char out[static RECEIPT_TEXT_MAX]);
/* The status moves forward only, each moment is the first that was told. False: nothing new. */
bool receipt_add(struct receipt_times *times, enum store_message_status status, int64_t time_ms);

/* messagelist.c: a person's row by the name that its rows are kept under. lid NULL: not known. */
int person_forms(struct store_reader *reader, struct arena *arena, int64_t session, const char *author, const char **jid, const char **lid);

#endif
