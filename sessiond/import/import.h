/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A linked device of the original becomes one of ours, keys and ratchets and all, without another scan. Only in warestctl: foreign
 * JSON is read there, under the operator's user, and never in the daemon.
 *
 *     directory of Baileys' multi-file auth state            records of ours                       daemon
 *     creds.json                                             CREDS, SIGNED_PREKEY
 *     pre-key-ID.json                                        PREKEY                                ctl.session.import
 *     session-USER[_DOMAIN].DEVICE.json                      SESSION, IDENTITY        -- file -->  one session, or nothing
 *     sender-key-GROUP--USER[_DOMAIN]--DEVICE.json           SENDER_KEY
 *     app-state-sync-key-ID.json                             APPSTATE "keys"
 *     lid-mapping-PN.json, lid-mapping-LID_reverse.json      LID_OF_PN, PN_OF_LID
 *     tctoken-JID.json                                       TOKEN
 *     device-list-*, sender-key-memory-*, app-state-sync-version-*, identity-key-*: not needed, asked for anew
 *
 * The file between the two (all numbers big-endian):
 *
 *     "WAREST-IMPORT-1\n" { kind(1) name length(2) name value length(4) value }*
 *
 * Sources: Baileys Utils/use-multi-file-auth-state.ts, Signal/libsignal.ts, libsignal (node) src/session_record.js.
 */
#ifndef SESSIOND_IMPORT_H
#define SESSIOND_IMPORT_H

#include <stdbool.h>
#include <stddef.h>

#include <json-c/json.h>

#include "common/arena.h"
#include "common/buf.h"
#include "sessiond/wa/wa.h"

#define IMPORT_MAGIC "WAREST-IMPORT-1\n"

enum import_error {
	IMPORT_OK = 0,
	IMPORT_E_DIR = -1,     /* no such directory, or it cannot be read */
	IMPORT_E_NONE = -2,    /* no creds.json, or its device was never linked */
	IMPORT_E_BROKEN = -3,  /* a file that cannot be read: the text names it */
	IMPORT_E_LIVE = -4     /* the source is in use */
};

struct imported {
	struct buf records;     /* owned: the file */
	struct jid pn, lid;
	char *push_name, *platform, *business_name; /* owned, may be NULL */
	size_t sessions, prekeys, sender_keys, mappings, keys, tokens;
	size_t skipped;         /* sessions without an open ratchet and the like: made anew when they are needed */
	char text[256];         /* with an error: one line for people */
};

/* The directory of one session. quiet_ms: how long nothing in it may have been written; 0: not checked. */
int import_baileys(struct imported *out, const char *dir, int64_t quiet_ms);
void imported_free(struct imported *imported);

/* ---- parts ---- */

void import_put(struct imported *out, enum wa_record_kind kind, const char *name, struct span value);
/* {"type":"Buffer","data":"base64" or [numbers]}, or base64 text. Appends; false if it is neither, or not `len` bytes (0: any). */
bool import_bytes(struct json_object *value, size_t len, struct buf *out);

/* What every Signal session of the device shares. */
struct import_own {
	uint8_t identity[33];  /* public, with its type byte */
	uint32_t registration_id;
};

/* libsignal's (node) SessionRecord as libsignal-protocol-c's. 1: done; identity holds the peer's key; 0: nothing open in it; -1: broken. */
int import_session(struct json_object *record, const struct import_own *own, struct buf *out, uint8_t identity[static 33]);
/* A sender key record; 0 or -1. */
int import_sender_key(struct json_object *record, struct buf *out);

#endif
