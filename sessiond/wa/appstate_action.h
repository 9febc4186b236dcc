/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the entries of app state say: one table for reading and writing.
 *
 *     index  ["star","12025550111@s.whatsapp.net","3EB0...","0","0"]     JSON, kept byte for byte: its MAC covers it
 *     value  SyncActionValue{ 1: time in ms, <field>: <submessage> }
 *
 * Source: whatsmeow appstate/encode.go, Baileys Utils/chat-utils.ts, whatsapp-rust (names, collections, versions of the official client).
 */
#ifndef WA_APPSTATE_ACTION_H
#define WA_APPSTATE_ACTION_H

#include "sessiond/wa/wa.h"

enum appstate_collection {
	APPSTATE_CRITICAL_BLOCK,
	APPSTATE_CRITICAL_UNBLOCK_LOW,
	APPSTATE_REGULAR_HIGH,
	APPSTATE_REGULAR_LOW,
	APPSTATE_REGULAR,
	APPSTATE_COLLECTIONS
};

const char *appstate_collection_name(enum appstate_collection collection);
/* APPSTATE_COLLECTIONS if unknown. */
enum appstate_collection appstate_collection_find(const char *name);

/* Owned by the caller. NULL: an action that this version does not know, or one whose parts are missing or malformed. */
struct wa_action *appstate_action_read(struct span index, struct span value, bool removed);
/* The salt of an "nct_salt_sync" value; empty if there is none. */
struct span appstate_action_salt(struct span value);
/*
 * Appends index and value of an action. False if its name is unknown or a part that it needs is missing. A collection is accepted from
 * others in any place; this one is where the official client has it.
 */
bool appstate_action_write(const struct wa_action *action, int64_t now_ms, struct buf *index, struct buf *value, int32_t *version,
			   enum appstate_collection *collection);

#endif
