/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Prekey bundles of other devices: asking for them, reading them, and checking that a companion belongs to its account. */
#ifndef WA_BUNDLE_H
#define WA_BUNDLE_H

#include "sessiond/wa/client.h"
#include "sessiond/wa/signal.h"

/* One device of an answer. */
struct bundle_answer {
	struct jid device;
	int error;                   /* 0, or the server's code (406: the device is not registered any more), or -1: unusable */
	struct signal_bundle bundle; /* if error is 0 */
	struct span device_identity; /* ADVSignedDeviceIdentity, may be empty; borrowed for the call */
};

/* answers is NULL and n 0 without a usable answer; then code is the server's error, 408 without one. Borrowed for the call. */
typedef void bundles_done(void *arg, const struct bundle_answer *answers, size_t n, int code);

struct bundles_query;
/* One query for n devices; `anew` asks for fresh material although a session may exist. done is called exactly once, later. */
struct bundles_query *wa_bundles_fetch(struct wa_client *client, const struct jid *devices, size_t n, bool anew, bundles_done *done,
				       void *arg);
/* done is not called any more. */
void wa_bundles_cancel(struct bundles_query *query);

/* Reads the material of a <user> of a key query, or the <keys> of a retry receipt (whose registration is beside it). */
bool wa_bundle_read(const struct wa_node *keys, struct span registration, struct signal_bundle *out);

/*
 * Does the companion with this identity key belong to the account? Checks both signatures of an ADVSignedDeviceIdentity.
 * account_key: the account's (phone's) identity key if known, else NULL; the key inside the record must be the same one.
 * Without any account key there is nothing to check against: true.
 */
bool wa_companion_is_genuine(struct span device_identity, const uint8_t identity[SIGNAL_KEY_BYTES], const uint8_t *account_key);

#endif
