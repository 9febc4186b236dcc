/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * API keys. The database holds HMAC-SHA256(pepper, SHA-256(key)); a copy of the table is kept in memory, so that checking a key
 * costs no query:
 *
 *     digest -> slots[first bytes of digest] -> entry -> entry      (the digest is keyed, so nobody can aim at one slot)
 *
 * The writer replaces the table after each commit that touches it; checks read it under a read lock.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/crypto/crypto.h"
#include "sessiond/store/private.h"

#define DAY_MS ((int64_t)24 * 60 * 60 * 1000)
#define IDLE_MS (14 * DAY_MS)

enum { ULID_TEXT = 26 };

struct key_entry {
	struct key_entry *next;
	uint8_t digest[CRYPTO_SHA256_LEN];
	struct store_principal who; /* with the entry's reference to its reach */
	atomic_int_fast64_t used_ms;
	int64_t stored_ms; /* used_ms as the database has it; writer and keeper, under the lock */
};

struct key_table {
	pthread_rwlock_t lock;
	struct key_entry **slots; /* owned, with the entries */
	size_t slot_count, count;
};

static size_t slot_of(const struct key_table *table, const uint8_t *digest)
{
	uint64_t bits;

	memcpy(&bits, digest, sizeof bits);
	return (size_t)(bits & (table->slot_count - 1));
}

static void free_slots(struct key_entry **slots, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		while (slots[i] != NULL) {
			struct key_entry *entry = slots[i];

			slots[i] = entry->next;
			reach_drop(entry->who.reach);
			crypto_wipe(entry, sizeof *entry);
			free(entry);
		}
	}
	free(slots);
}

static void table_init(struct key_table *table)
{
	table->slot_count = 64;
	table->count = 0;
	table->slots = xcalloc(table->slot_count, sizeof *table->slots);
}

static void table_grow(struct key_table *table)
{
	struct key_table wide = { .slot_count = table->slot_count * 2 };

	wide.slots = xcalloc(wide.slot_count, sizeof *wide.slots);
	for (size_t i = 0; i < table->slot_count; i++) {
		while (table->slots[i] != NULL) {
			struct key_entry *entry = table->slots[i];
			struct key_entry **slot = &wide.slots[slot_of(&wide, entry->digest)];

			table->slots[i] = entry->next;
			entry->next = *slot;
			*slot = entry;
		}
	}
	free(table->slots);
	table->slots = wide.slots;
	table->slot_count = wide.slot_count;
}

static void table_insert(struct key_table *table, struct key_entry *entry)
{
	struct key_entry **slot;

	if (table->count >= table->slot_count)
		table_grow(table);
	slot = &table->slots[slot_of(table, entry->digest)];
	entry->next = *slot;
	*slot = entry;
	table->count++;
}

static struct key_entry *table_find(const struct key_table *table, const uint8_t *digest)
{
	for (struct key_entry *entry = table->slots[slot_of(table, digest)]; entry != NULL; entry = entry->next) {
		if (crypto_equal(entry->digest, digest, CRYPTO_SHA256_LEN))
			return entry;
	}
	return NULL;
}

struct key_table *key_table_new(void)
{
	struct key_table *table = xcalloc(1, sizeof *table);

	pthread_rwlock_init(&table->lock, NULL);
	table_init(table);
	return table;
}

void key_table_free(struct key_table *table)
{
	free_slots(table->slots, table->slot_count);
	pthread_rwlock_destroy(&table->lock);
	free(table);
}

/* A limit that cannot be read must not become none: that key is of no use then. A cookie goes no further than the key that it was given for. */
static struct key_entry *entry_of_row(struct db_statement *query)
{
	struct span digest = db_blob(query, 3);
	const char *own = db_text_borrowed(query, 10), *networks = own != NULL ? own : db_text_borrowed(query, 12);
	struct key_entry *entry;
	struct reach *reach;
	int64_t given_ms = db_int(query, 13);
	char why[128];

	if (digest.n != CRYPTO_SHA256_LEN || reach_new(&reach, db_text_borrowed(query, 9), networks, why, sizeof why))
		return NULL;
	entry = xcalloc(1, sizeof *entry);
	entry->who.reach = reach;
	entry->who.scopes = (unsigned)db_int(query, 8) & SCOPE_ALL;
	entry->who.expires_ms = db_int(query, 11);
	if (given_ms > 0 && (entry->who.expires_ms == 0 || given_ms < entry->who.expires_ms))
		entry->who.expires_ms = given_ms;
	entry->who.key = db_int(query, 0);
	entry->who.user = db_int(query, 1);
	entry->who.kind = (enum store_key_kind)db_int(query, 2);
	memcpy(entry->digest, digest.p, sizeof entry->digest);
	atomic_init(&entry->used_ms, db_int(query, 4));
	entry->stored_ms = db_int(query, 4);
	entry->who.admin = db_int(query, 5) != 0;
	snprintf(entry->who.registry, sizeof entry->who.registry, "%s", db_text_borrowed(query, 6));
	snprintf(entry->who.username, sizeof entry->who.username, "%s", db_text_borrowed(query, 7));
	return entry;
}

/* Uses that are not stored yet must survive a new table. */
static void carry_uses(const struct key_table *from, struct key_table *to)
{
	for (size_t i = 0; i < to->slot_count; i++) {
		for (struct key_entry *entry = to->slots[i]; entry != NULL; entry = entry->next) {
			struct key_entry *before = table_find(from, entry->digest);
			int64_t used_ms = before == NULL ? 0 : atomic_load(&before->used_ms);

			if (used_ms > atomic_load(&entry->used_ms))
				atomic_store(&entry->used_ms, used_ms);
		}
	}
}

int key_table_load(struct store *store, struct db *db)
{
	struct key_table *table = store->keys, fresh = { .slots = NULL };
	struct key_entry **old_slots;
	struct db_statement *query;
	size_t old_count;
	int rc = 0;

	table_init(&fresh);
	query = db_query(db, &rc,
	                 "SELECT m.number, m.user_number, m.kind, k.digest, m.used_ms, u.admin, u.registry, u.username, m.scopes, m.sessions, m.networks, "
	                 "CASE WHEN m.expires_ms > 0 AND (k.expires_ms = 0 OR m.expires_ms < k.expires_ms) THEN m.expires_ms ELSE k.expires_ms END, "
	                 "g.networks, COALESCE(g.expires_ms, 0) "
	                 "FROM api_keys k JOIN api_keys m ON m.number = COALESCE(k.replaced_by, k.number) "
	                 "LEFT JOIN api_keys g ON g.number = m.given_for "
	                 "JOIN users u ON u.number = m.user_number WHERE u.disabled = 0", "");
	while (query != NULL && (rc = db_step(query)) > 0) {
		struct key_entry *entry = entry_of_row(query);

		if (entry != NULL)
			table_insert(&fresh, entry);
	}
	db_done(query, rc);
	if (rc != 0) {
		free_slots(fresh.slots, fresh.slot_count);
		return rc;
	}
	pthread_rwlock_wrlock(&table->lock);
	carry_uses(table, &fresh);
	old_slots = table->slots;
	old_count = table->slot_count;
	table->slots = fresh.slots;
	table->slot_count = fresh.slot_count;
	table->count = fresh.count;
	pthread_rwlock_unlock(&table->lock);
	free_slots(old_slots, old_count);
	return 0;
}

/* ---- checking ---- */

static int digest_of_sha(const struct store *store, const uint8_t sha[CRYPTO_SHA256_LEN], uint8_t digest[CRYPTO_SHA256_LEN])
{
	return crypto_hmac(CRYPTO_SHA256, store->pepper, sizeof store->pepper, sha, CRYPTO_SHA256_LEN, digest);
}

int key_digest(const struct store *store, const char *text, uint8_t digest[CRYPTO_SHA256_LEN])
{
	uint8_t sha[CRYPTO_SHA256_LEN];
	int rc = crypto_sha256(text, strlen(text), sha);

	if (rc == CRYPTO_OK)
		rc = digest_of_sha(store, sha, digest);
	crypto_wipe(sha, sizeof sha);
	return rc;
}

static bool ends_unused(enum store_key_kind kind)
{
	return kind == STORE_KEY_UI || kind == STORE_KEY_COOKIE;
}

static bool is_over(const struct key_entry *entry, int64_t now_ms)
{
	if (entry->who.expires_ms > 0 && now_ms >= entry->who.expires_ms)
		return true;
	return ends_unused(entry->who.kind) && now_ms - atomic_load(&entry->used_ms) > IDLE_MS;
}

static int check(struct store *store, const char *text, bool cookie, struct store_principal *who)
{
	uint8_t digest[CRYPTO_SHA256_LEN];
	int64_t now_ms = store->wall_ms();
	struct key_entry *entry;
	int rc = STORE_NOT_FOUND;

	if (key_digest(store, text, digest) != CRYPTO_OK)
		return STORE_NOT_FOUND;
	pthread_rwlock_rdlock(&store->keys->lock);
	entry = table_find(store->keys, digest);
	if (entry != NULL && (entry->who.kind == STORE_KEY_COOKIE) == cookie && !is_over(entry, now_ms)) {
		*who = entry->who;
		reach_ref(who->reach);
		atomic_store(&entry->used_ms, now_ms);
		rc = 0;
	}
	pthread_rwlock_unlock(&store->keys->lock);
	return rc;
}

int store_key_check(struct store *store, const char *text, struct store_principal *who)
{
	return check(store, text, false, who);
}

int store_cookie_check(struct store *store, const char *token, struct store_principal *who)
{
	return check(store, token, true, who);
}

int store_key_of_owner(struct store *store, const char *registry, struct store_principal *who)
{
	const struct key_table *table = store->keys;
	const struct key_entry *oldest = NULL;

	pthread_rwlock_rdlock(&store->keys->lock);
	for (size_t i = 0; i < table->slot_count; i++) {
		for (const struct key_entry *entry = table->slots[i]; entry != NULL; entry = entry->next) {
			if (!ends_unused(entry->who.kind) && strcmp(entry->who.registry, registry) == 0 && (oldest == NULL || entry->who.key < oldest->who.key))
				oldest = entry;
		}
	}
	if (oldest != NULL) {
		*who = oldest->who;
		/* the user himself, not what that key is good for */
		who->scopes = SCOPE_ALL;
		who->reach = NULL;
		who->expires_ms = 0;
	}
	pthread_rwlock_unlock(&store->keys->lock);
	return oldest != NULL ? 0 : STORE_NOT_FOUND;
}

/* ---- making ---- */

/* ULID: 48 bits of time and 80 of chance, in Crockford's base 32. */
static int make_ulid(int64_t now_ms, char out[ULID_TEXT + 1])
{
	static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
	uint8_t random[16];

	if (crypto_random(random, sizeof random) != CRYPTO_OK)
		return -1;
	for (int i = 0; i < 10; i++)
		out[i] = digits[(uint64_t)now_ms >> (45 - 5 * i) & 31];
	for (int i = 0; i < 16; i++)
		out[10 + i] = digits[random[i] & 31];
	out[ULID_TEXT] = '\0';
	return 0;
}

int store_key_make(struct store *store, bool admin, char out[STORE_KEY_TEXT])
{
	char ulid[ULID_TEXT + 1], hex[13];
	uint8_t random[6];

	if (make_ulid(store->wall_ms(), ulid) != 0 || crypto_random(random, sizeof random) != CRYPTO_OK)
		return STORE_IO;
	crypto_hex(random, sizeof random, hex);
	snprintf(out, STORE_KEY_TEXT, "%s_%s_%s", admin ? "admin" : "user", ulid, hex);
	crypto_wipe(random, sizeof random);
	crypto_wipe(hex, sizeof hex);
	return 0;
}

/* ---- changes ---- */

struct key_op {
	struct tx_op op;
	int64_t key, user, at_ms;
	int kind;
	unsigned kinds;
	uint8_t digest[CRYPTO_SHA256_LEN];
	const char *label;
	int64_t *number;
	const int64_t *given_for; /* read when the op is applied; NULL: no key */
};

void key_table_reload(struct store *store, struct db *db, struct tx_op *op)
{
	(void)op;
	if (key_table_load(store, db) != 0)
		store_warn(store, "the API keys could not be read again: %s", db->driver->message(db));
}

static int apply_add(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	const struct key_op *add = (const struct key_op *)op;
	struct span digest = span_of(add->digest, sizeof add->digest);
	int rc = 0;

	(void)tx;
	/* The configuration wins over a key of the same text that was made or imported before. */
	if (add->kind == STORE_KEY_FIXED)
		rc = db_run(db, "DELETE FROM api_keys WHERE digest = ?", "b", digest);
	if (rc == 0)
		rc = db_run(db, "INSERT INTO api_keys (user_number, kind, digest, label, created_ms, used_ms, given_for) VALUES (?, ?, ?, ?, ?, ?, NULLIF(?, 0))",
		            "inbtiii", add->user, add->kind, digest, add->label, add->at_ms, add->at_ms, add->given_for != NULL ? *add->given_for : INT64_C(0));
	if (rc == 0 && add->number != NULL)
		*add->number = db->driver->last_number(db);
	return rc;
}

static struct key_op *add_op(struct store_tx *tx, int64_t user, enum store_key_kind kind, const char *label)
{
	struct key_op *add = tx_op_add(tx, sizeof *add, apply_add);

	add->op.committed = key_table_reload;
	add->user = user;
	add->kind = (int)kind;
	add->label = tx_text(tx, label);
	add->at_ms = tx->store->wall_ms();
	return add;
}

void store_tx_key_add(struct store_tx *tx, int64_t user, enum store_key_kind kind, const char *text, const char *label,
                      int64_t *number)
{
	struct key_op *add = add_op(tx, user, kind, label);

	add->number = number;
	if (key_digest(tx->store, text, add->digest) != CRYPTO_OK)
		tx->error = STORE_SEAL;
}

void store_tx_cookie_add(struct store_tx *tx, int64_t user, const char *text, const char *label, const int64_t *key)
{
	struct key_op *add = add_op(tx, user, STORE_KEY_COOKIE, label);

	add->given_for = key;
	if (key_digest(tx->store, text, add->digest) != CRYPTO_OK)
		tx->error = STORE_SEAL;
}

void store_tx_key_import(struct store_tx *tx, int64_t user, const char *stored, const char *label)
{
	struct key_op *add = add_op(tx, user, STORE_KEY_API, label);
	uint8_t sha[CRYPTO_SHA256_LEN];
	int rc = crypto_unhex(stored, strlen(stored), sha, sizeof sha);

	rc = rc == CRYPTO_OK ? digest_of_sha(tx->store, sha, add->digest) : key_digest(tx->store, stored, add->digest);
	if (rc != CRYPTO_OK)
		tx->error = STORE_SEAL;
	crypto_wipe(sha, sizeof sha);
}

static int apply_revoke(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	(void)tx;
	return db_run(db, "DELETE FROM api_keys WHERE number = ?", "i", ((const struct key_op *)op)->key);
}

void store_tx_key_revoke(struct store_tx *tx, int64_t key)
{
	struct key_op *change = tx_op_add(tx, sizeof *change, apply_revoke);

	change->op.committed = key_table_reload;
	change->key = key;
}

static int apply_logins_end(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	const struct key_op *change = (const struct key_op *)op;

	(void)tx;
	return db_run(db, "DELETE FROM api_keys WHERE user_number = ? AND kind >= ? AND number <> ?", "ini", change->user, (int)STORE_KEY_UI, change->key);
}

void store_tx_logins_end(struct store_tx *tx, int64_t user, int64_t but)
{
	struct key_op *change = tx_op_add(tx, sizeof *change, apply_logins_end);

	change->op.committed = key_table_reload;
	change->user = user;
	change->key = but;
}

static int apply_revoke_all(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	const struct key_op *change = (const struct key_op *)op;
	int rc = 0;

	(void)tx;
	for (int kind = STORE_KEY_API; kind <= STORE_KEY_COOKIE && rc == 0; kind++) {
		if ((change->kinds & 1U << kind) != 0)
			rc = db_run(db, "DELETE FROM api_keys WHERE user_number = ? AND kind = ? AND created_by IS NULL AND replaced_by IS NULL", "in", change->user, kind);
	}
	return rc;
}

void store_tx_key_revoke_all(struct store_tx *tx, int64_t user, unsigned kinds)
{
	struct key_op *change = tx_op_add(tx, sizeof *change, apply_revoke_all);

	change->op.committed = key_table_reload;
	change->user = user;
	change->kinds = kinds;
}

static int apply_expire(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	struct key_op *change = (struct key_op *)op;
	int rc = db_run(db, "DELETE FROM api_keys WHERE kind >= ? AND used_ms < ?", "ni", (int)STORE_KEY_UI, change->at_ms - IDLE_MS);
	bool any = rc == 0 && db->driver->changes(db) > 0;

	(void)tx;
	/* what a rotated key had before; keys that have expired stay to be seen */
	if (rc == 0)
		rc = db_run(db, "DELETE FROM api_keys WHERE replaced_by IS NOT NULL AND expires_ms < ?", "i", change->at_ms);
	any = any || (rc == 0 && db->driver->changes(db) > 0);
	change->op.committed = any ? key_table_reload : NULL;
	return rc;
}

void tx_keys_expire(struct store_tx *tx, int64_t now_ms)
{
	struct key_op *change = tx_op_add(tx, sizeof *change, apply_expire);

	change->at_ms = now_ms;
}

static int apply_used(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	const struct key_op *change = (const struct key_op *)op;

	(void)tx;
	return db_run(db, "UPDATE api_keys SET used_ms = ? WHERE number = ? AND used_ms < ?", "iii", change->at_ms, change->key, change->at_ms);
}

void key_table_flush(struct store *store, struct store_tx *tx)
{
	struct key_table *table = store->keys;

	pthread_rwlock_wrlock(&table->lock);
	for (size_t i = 0; i < table->slot_count; i++) {
		for (struct key_entry *entry = table->slots[i]; entry != NULL; entry = entry->next) {
			int64_t used_ms = atomic_load(&entry->used_ms);
			struct key_op *change;

			if (used_ms <= entry->stored_ms)
				continue;
			change = tx_op_add(tx, sizeof *change, apply_used);
			change->key = entry->who.key;
			change->at_ms = used_ms;
			entry->stored_ms = used_ms;
		}
	}
	pthread_rwlock_unlock(&table->lock);
}

/* ---- the fixed key of the configuration ---- */

static int64_t fixed_key_of(struct store *store, int64_t user, const uint8_t *digest, bool *other)
{
	int64_t key = 0;

	*other = false;
	pthread_rwlock_rdlock(&store->keys->lock);
	for (size_t i = 0; i < store->keys->slot_count; i++) {
		for (struct key_entry *entry = store->keys->slots[i]; entry != NULL; entry = entry->next) {
			if (entry->who.kind != STORE_KEY_FIXED || entry->who.user != user)
				continue;
			if (digest != NULL && crypto_equal(entry->digest, digest, CRYPTO_SHA256_LEN))
				key = entry->who.key;
			else
				*other = true;
		}
	}
	pthread_rwlock_unlock(&store->keys->lock);
	return key;
}

int key_seed_fixed(struct store *store, int64_t user, const char *text)
{
	uint8_t digest[CRYPTO_SHA256_LEN];
	bool wanted = text != NULL && text[0] != '\0', other;
	struct store_tx *tx;
	int64_t key;

	if (wanted && key_digest(store, text, digest) != CRYPTO_OK)
		return STORE_IO;
	key = fixed_key_of(store, user, wanted ? digest : NULL, &other);
	if (!other && (key != 0 || !wanted))
		return 0;
	tx = store_tx_new(store);
	store_tx_key_revoke_all(tx, user, 1U << STORE_KEY_FIXED);
	if (wanted)
		store_tx_key_add(tx, user, STORE_KEY_FIXED, text, "WAREST_ADMIN_APIKEY", NULL);
	return store_commit_wait(store, tx);
}
