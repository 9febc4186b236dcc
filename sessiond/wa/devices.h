/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Device lists of users, as stored (record DEVICES, name "user@server") and as they come in stanzas.
 *
 *     version(1) | fetched ms(8) | ADV raw id(4) | ADV timestamp(8) | count(2) | { device(2) key index(4) hosted(1) }*
 *
 * Source: Baileys Utils/signal.ts, whatsmeow user.go; the filter by key index is whatsapp-rust's (adv.rs), after WhatsApp Web.
 */
#ifndef WA_DEVICES_H
#define WA_DEVICES_H

#include <stdbool.h>
#include <stdint.h>

#include "common/jid.h"
#include "common/limits.h"
#include "sessiond/wa/node.h"
#include "sessiond/wa/state.h"

/* A list older than this is asked for again before it is used. */
#define DEVICES_MAX_AGE_MS (INT64_C(24) * 3600 * 1000)
/* "2:" and 8 characters */
#define DEVICES_HASH_MAX 11

struct device_entry {
	uint16_t id;
	uint32_t key_index;
	bool hosted;
};

struct device_list {
	int64_t fetched_ms;
	uint32_t raw_id;      /* changes when the account is registered anew; 0 unknown */
	uint64_t adv_time;    /* seconds; 0 unknown */
	struct device_entry devices[LIMIT_WA_DEVICES_PER_USER];
	size_t n;
};

/* Adds the record of a user's list. */
void wa_devices_keys(struct state_keys *keys, const struct jid *user);
/* True if the record is in memory, so that it may be loaded. */
bool wa_devices_fetched(const struct state_op *op, const struct jid *user);
/* False if there is none (or it cannot be read). The record must have been fetched. */
bool wa_devices_load(struct state_op *op, const struct jid *user, struct device_list *list);
/* The same devices in the same order. */
bool wa_devices_same(const struct device_list *a, const struct device_list *b);
void wa_devices_store(struct state_op *op, const struct jid *user, const struct device_list *list);
void wa_devices_forget(struct state_op *op, const struct jid *user);

/*
 * Reads a <devices> node of a usync answer. Accepts the phone and companions with a key index that the signed index list (if there is
 * one) has or that is newer than it. False if there is no list in it, or an error, or an empty list: the old one stays then.
 */
bool wa_devices_parse(const struct wa_node *devices, struct device_list *list);
/* JID of a device of this user; hosted devices live on the hosted servers. */
struct jid wa_device_jid(const struct jid *user, const struct device_entry *device);

/* Hash over devices as the server computes it: "2:" and 8 characters. The list is sorted in place. Source: whatsmeow send.go. */
void wa_devices_hash(struct jid *devices, size_t n, char out[DEVICES_HASH_MAX]);

#endif
