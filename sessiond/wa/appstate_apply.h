/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the server gave for one collection, applied to what we hold: a pure computation over memory that may run on any thread.
 *
 *     state (version, LTHash)  --+
 *     table (index -> value MAC) +--> appstate_apply() --> new state, new table, changes in order
 *     keyring                  --+          ^
 *     snapshot | patches  ------------------+
 *
 * The table is cut into 256 buckets by the first byte of the index MAC; a bucket is a row of 64-byte entries, index MAC then value MAC,
 * and one record. Only the buckets that the patches touch need to be in memory; a snapshot makes all of them anew.
 *
 * Rules (whatsapp-rust appstate/, whatsmeow appstate/decode.go): every MAC is checked. A wrong value, index or patch MAC is fatal: nothing
 * is applied. A hash that differs from the one of a patch marks the state as diverged and is not compared again before a snapshot.
 */
#ifndef WA_APPSTATE_APPLY_H
#define WA_APPSTATE_APPLY_H

#include "sessiond/wa/appstate_crypto.h"

#define APPSTATE_BUCKETS 256U
#define APPSTATE_KEY_ID_MAX 32U
/* Keys remembered at most; the oldest goes. */
#define APPSTATE_KEYS_MAX 128U

/* ---- the keyring: every key the phone shared, one record ---- */

struct appstate_key {
	uint8_t id[APPSTATE_KEY_ID_MAX];
	size_t id_len;
	uint8_t data[APPSTATE_KEY_BYTES];
	int64_t time; /* of making, as the phone says */
};

/* record: per key  id length(1) | id | data(32) | time(8), the last shared one last */
struct appstate_keyring {
	struct appstate_key *keys; /* owned */
	size_t n;
};

/* What is malformed is left out. */
void appstate_keyring_read(struct appstate_keyring *ring, struct span record);
void appstate_keyring_write(const struct appstate_keyring *ring, struct buf *out);
/* Takes a key over unless a newer one of that id is there. False if nothing changed. */
bool appstate_keyring_add(struct appstate_keyring *ring, struct span id, struct span data, int64_t time);
const struct appstate_key *appstate_keyring_find(const struct appstate_keyring *ring, struct span id);
/* The one for own patches: the newest; of equally old ones the last shared. NULL if there is none. */
const struct appstate_key *appstate_keyring_newest(const struct appstate_keyring *ring);
void appstate_keyring_free(struct appstate_keyring *ring);

/* ---- reading what is on the wire; spans are borrowed ---- */

struct appstate_patch {
	uint64_t version; /* 0: not given */
	struct span snapshot_mac, mac, key_id;
	struct span external; /* ExternalBlobReference, empty: mutations are inline */
	struct span bytes;
};

struct appstate_snapshot {
	uint64_t version;
	struct span mac, key_id, bytes;
};

bool appstate_read_patch(struct span bytes, struct appstate_patch *out);
bool appstate_read_snapshot(struct span bytes, struct appstate_snapshot *out);

/* Where a large blob lies. direct_path is borrowed and not terminated. */
struct appstate_blob {
	struct span media_key, direct_path, sha256, enc_sha256;
	uint64_t size;
};
bool appstate_read_blob(struct span bytes, struct appstate_blob *out);

/* The mutations of a SyncdPatch (field 2), SyncdMutations (field 1) or the records of a SyncdSnapshot (field 2). */
enum appstate_list { APPSTATE_OF_PATCH, APPSTATE_OF_MUTATIONS, APPSTATE_OF_SNAPSHOT };
/* visit returns false to stop. False if the bytes are malformed, too many, or visit stopped. */
bool appstate_each(enum appstate_list list, struct span bytes, bool (*visit)(void *arg, const struct appstate_mutation *m), void *arg);

/* ---- the computation ---- */

struct appstate_table {
	struct buf bucket[APPSTATE_BUCKETS]; /* owned */
	bool loaded[APPSTATE_BUCKETS], dirty[APPSTATE_BUCKETS];
};

void appstate_table_free(struct appstate_table *table);
/* The stored value MAC of an index, NULL if there is none. */
const uint8_t *appstate_table_find(const struct appstate_table *table, const uint8_t index_mac[APPSTATE_MAC_BYTES]);
void appstate_table_set(struct appstate_table *table, const uint8_t *index_mac, const uint8_t *value_mac);
size_t appstate_table_count(const struct appstate_table *table);

struct appstate_state {
	uint64_t version;
	uint8_t hash[APPSTATE_HASH_BYTES];
	bool diverged; /* our hash is not the others' */
};

/* One decoded change, in the order of the wire. */
struct appstate_change {
	enum appstate_operation operation;
	struct buf plain; /* owned: SyncActionData */
	struct span index, value; /* borrowed from plain: JSON text, SyncActionValue */
};

enum appstate_outcome {
	APPSTATE_APPLIED = 0,
	APPSTATE_BROKEN,     /* malformed, or a MAC is wrong: only a snapshot helps */
	APPSTATE_GAP,        /* a version is missing before the first patch */
	APPSTATE_NO_KEY      /* see missing */
};

struct appstate_input_patch {
	struct buf bytes;    /* owned: SyncdPatch */
	struct buf external; /* owned: SyncdMutations, instead of those inside */
	bool has_external;
};

struct appstate_work {
	const char *name;    /* of the collection, static */
	struct appstate_keyring ring;
	struct appstate_state state;
	struct appstate_table table;
	bool has_snapshot;
	struct buf snapshot; /* owned: SyncdSnapshot */
	struct appstate_input_patch *patches; /* owned, npatches of them */
	size_t npatches;
	uint64_t attribute_version; /* of the collection element: the version of patches that do not say theirs is one more, as Baileys has it */
	/* results */
	enum appstate_outcome outcome;
	const char *why;     /* static; with BROKEN */
	uint8_t missing[APPSTATE_KEY_ID_MAX]; /* with NO_KEY: the first one */
	size_t missing_len;
	struct appstate_change *changes; /* owned */
	size_t nchanges, cap_changes;
	size_t applied;      /* patches and snapshot that went in */
};

void appstate_work_free(struct appstate_work *work);
/* A patch for the work; takes over the bytes. */
struct appstate_input_patch *appstate_work_add(struct appstate_work *work, struct span bytes);
/* Marks the buckets that the work needs in `needed`. False if a patch is malformed. */
bool appstate_work_buckets(const struct appstate_work *work, bool needed[APPSTATE_BUCKETS]);
/* Number of mutations, for deciding where to compute. */
size_t appstate_work_size(const struct appstate_work *work);
/* An empty one more, at the end. */
struct appstate_change *appstate_add_change(struct appstate_work *work);
void appstate_apply(struct appstate_work *work);
/* The phone's plain copy of a collection (SyncdSnapshotRecovery) instead of what the server has. appstate_recover.c */
void appstate_apply_copy(struct appstate_work *work, struct span copy);

/* ---- own patches ---- */

struct appstate_draft {
	enum appstate_operation operation;
	struct span index;  /* JSON text */
	struct span value;  /* SyncActionValue */
	int32_t version;    /* of the action */
	uint8_t iv[APPSTATE_IV_BYTES];
};

/* The index MAC under the key for own patches: its bucket must be in the table before. False without any key. */
bool appstate_draft_mac(const struct appstate_work *work, const struct appstate_draft *draft, uint8_t out[APPSTATE_MAC_BYTES]);
/* Appends the SyncdPatch that leads from the work's state to the next version. State and table stay as they are. */
bool appstate_compose(const struct appstate_work *work, const struct appstate_draft *drafts, size_t n, struct buf *patch);

#endif
