/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The record of a sent message, for answering retry receipts; layout in retry.h. */
#ifndef WA_SENT_H
#define WA_SENT_H

#include "sessiond/wa/retry.h"

struct sent_asker {
	struct jid device;
	uint8_t asked;
	uint8_t base_key[SIGNAL_IDENTITY_BYTES]; /* of the session at the second request; zero before */
};

struct sent_message {
	int64_t sent_ms;
	struct jid chat; /* as on the wire */
	struct sent_asker askers[RETRY_ASKERS_MAX];
	size_t naskers;
	struct buf message; /* owned: serialized Message */
};

void wa_sent_keys(struct state_keys *keys, const char *id);
/* False if there is no such record. *out is to be freed in both cases. */
bool wa_sent_load(struct state_op *op, const char *id, struct sent_message *out);
void wa_sent_store(struct state_op *op, const char *id, const struct sent_message *sent);
void wa_sent_free(struct sent_message *sent);
/* True if this device has asked for it before. */
bool wa_sent_has_asker(const struct sent_message *sent, const struct jid *device);
/* The entry of this device, made if there is none (the oldest gives way). */
struct sent_asker *wa_sent_asker(struct sent_message *sent, const struct jid *device);

#endif
