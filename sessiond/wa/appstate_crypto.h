/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The cryptography of app state: keys, one mutation, the hash over a collection, the MACs over patch and snapshot. Pure.
 *
 *     keyData --HKDF--> index | value | value MAC | snapshot MAC | patch MAC        32 bytes each
 *
 *     index blob   HMAC-SHA256(index key, index text)
 *     value blob   iv(16) | AES-256-CBC(value key, SyncActionData) | first 32 bytes of HMAC-SHA512(value MAC key, ...)
 *     LTHash       64 little-endian uint16: sum of the expanded value MACs of all entries of a collection
 *
 * Source: whatsmeow appstate/, Baileys Utils/lt-hash.ts, chat-utils.ts; vectors in tests/vectors.
 */
#ifndef WA_APPSTATE_CRYPTO_H
#define WA_APPSTATE_CRYPTO_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"

#define APPSTATE_MAC_BYTES 32U
#define APPSTATE_HASH_BYTES 128U
#define APPSTATE_IV_BYTES 16U
#define APPSTATE_KEY_BYTES 32U

enum appstate_operation { APPSTATE_SET = 0, APPSTATE_REMOVE = 1 };

struct appstate_keys {
	uint8_t index[32], value[32], value_mac[32], snapshot_mac[32], patch_mac[32];
};

/* One entry or change as it is on the wire; borrowed. */
struct appstate_mutation {
	enum appstate_operation operation;
	struct span index_mac; /* 32 bytes */
	struct span value;     /* with its MAC */
	struct span key_id;
};

/* False if the key has not 32 bytes. */
bool appstate_keys_expand(struct span key_data, struct appstate_keys *out);

void appstate_hash_add(uint8_t hash[APPSTATE_HASH_BYTES], const uint8_t value_mac[APPSTATE_MAC_BYTES]);
void appstate_hash_subtract(uint8_t hash[APPSTATE_HASH_BYTES], const uint8_t value_mac[APPSTATE_MAC_BYTES]);

void appstate_index_mac(const struct appstate_keys *keys, struct span index, uint8_t out[APPSTATE_MAC_BYTES]);
/* The last 32 bytes of a value blob; NULL if it is too short to hold iv, one block and MAC. */
const uint8_t *appstate_value_mac(struct span value);

/* Appends the value blob of a serialized SyncActionData. */
void appstate_seal(const struct appstate_keys *keys, struct span key_id, enum appstate_operation operation, struct span plain,
		   const uint8_t iv[APPSTATE_IV_BYTES], struct buf *value);
enum appstate_opened { APPSTATE_OPENED = 0, APPSTATE_BAD_VALUE_MAC, APPSTATE_BAD_INDEX_MAC, APPSTATE_BAD_VALUE };
/* Checks both MACs and appends the SyncActionData to plain; *index is borrowed from plain. */
enum appstate_opened appstate_open(const struct appstate_keys *keys, const struct appstate_mutation *mutation, struct buf *plain, struct span *index);

void appstate_snapshot_mac(const struct appstate_keys *keys, const uint8_t hash[APPSTATE_HASH_BYTES], uint64_t version, const char *name,
			   uint8_t out[APPSTATE_MAC_BYTES]);
/* value_macs: the last 32 bytes of each mutation's value, one after another. */
void appstate_patch_mac(const struct appstate_keys *keys, struct span snapshot_mac, struct span value_macs, uint64_t version, const char *name,
			uint8_t out[APPSTATE_MAC_BYTES]);

#endif
