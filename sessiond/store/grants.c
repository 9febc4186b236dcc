/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What an API key may do: making it, changing that, another text for it, reading. */
#include <string.h>

#include "sessiond/crypto/crypto.h"
#include "sessiond/store/private.h"

struct grant_op {
	struct tx_op op;
	int64_t key, user, at_ms, until_ms;
	struct store_grant grant;
	uint8_t digest[CRYPTO_SHA256_LEN];
	int64_t *number;
};

static struct grant_op *grant_op(struct store_tx *tx, int (*apply)(struct store_tx *, struct db *, struct tx_op *), const struct store_grant *grant)
{
	struct grant_op *change = tx_op_add(tx, sizeof *change, apply);

	change->op.committed = key_table_reload;
	change->at_ms = tx->store->wall_ms();
	if (grant) {
		change->grant = *grant;
		change->grant.label = tx_text(tx, grant->label);
		change->grant.sessions = tx_text(tx, grant->sessions);
		change->grant.networks = tx_text(tx, grant->networks);
		change->grant.created_by = tx_text(tx, grant->created_by);
	}
	return change;
}

static int one_changed(struct db *db, int rc)
{
	if (rc == 0 && db->driver->changes(db) == 0)
		rc = STORE_NOT_FOUND;
	return rc;
}

static int apply_grant(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	const struct grant_op *add = (const struct grant_op *)op;
	int rc = db_run(db,
	                "INSERT INTO api_keys (user_number, kind, digest, label, created_ms, used_ms, scopes, sessions, networks, expires_ms, created_by) "
	                "VALUES (?, ?, ?, ?, ?, 0, ?, ?, ?, ?, ?)", "inbtinttit", add->user, (int)STORE_KEY_API, span_of(add->digest, sizeof add->digest),
	                add->grant.label, add->at_ms, (int)add->grant.scopes, add->grant.sessions, add->grant.networks, add->grant.expires_ms,
	                add->grant.created_by);

	(void)tx;
	if (rc == 0 && add->number != NULL)
		*add->number = db->driver->last_number(db);
	return rc;
}

void store_tx_key_grant(struct store_tx *tx, int64_t user, const char *text, const struct store_grant *grant, int64_t *number)
{
	struct grant_op *add = grant_op(tx, apply_grant, grant);

	add->user = user;
	add->number = number;
	if (key_digest(tx->store, text, add->digest) != CRYPTO_OK)
		tx->error = STORE_SEAL;
}

static int apply_change(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	const struct grant_op *change = (const struct grant_op *)op;
	const struct store_grant *grant = &change->grant;

	(void)tx;
	return one_changed(db, db_run(db,
	                              "UPDATE api_keys SET label = ?, scopes = ?, sessions = ?, networks = ?, expires_ms = ? "
	                              "WHERE number = ? AND replaced_by IS NULL", "tnttii", grant->label, (int)grant->scopes, grant->sessions,
	                              grant->networks, grant->expires_ms, change->key));
}

void store_tx_key_change(struct store_tx *tx, int64_t key, const struct store_grant *grant)
{
	grant_op(tx, apply_change, grant)->key = key;
}

static int read_digest(struct db *db, int64_t key, uint8_t digest[CRYPTO_SHA256_LEN])
{
	int rc = 0;
	struct db_statement *query = db_query(db, &rc, "SELECT digest FROM api_keys WHERE number = ? AND replaced_by IS NULL", "i", key);
	struct span bytes;

	if (query == NULL)
		return rc;
	rc = db_step(query);
	if (rc > 0) {
		bytes = db_blob(query, 0);
		if (bytes.n == CRYPTO_SHA256_LEN)
			memcpy(digest, bytes.p, CRYPTO_SHA256_LEN);
		rc = bytes.n == CRYPTO_SHA256_LEN ? 0 : STORE_NOT_FOUND;
	} else if (rc == 0) {
		rc = STORE_NOT_FOUND;
	}
	return db_done(query, rc);
}

/* The row keeps its number, so that limits, counters and the audit log go on with it; the old text gets a row of its own. */
static int apply_rotate(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	const struct grant_op *change = (const struct grant_op *)op;
	uint8_t old[CRYPTO_SHA256_LEN];
	int rc = read_digest(db, change->key, old);

	(void)tx;
	if (rc == 0)
		rc = db_run(db, "UPDATE api_keys SET digest = ? WHERE number = ?", "bi", span_of(change->digest, sizeof change->digest), change->key);
	/* "no longer" is meant of all texts that went before */
	if (rc == 0 && change->until_ms == 0)
		return db_run(db, "DELETE FROM api_keys WHERE replaced_by = ?", "i", change->key);
	if (rc == 0)
		rc = db_run(db,
		            "INSERT INTO api_keys (user_number, kind, digest, created_ms, used_ms, expires_ms, replaced_by) "
		            "SELECT user_number, kind, ?, ?, 0, ?, number FROM api_keys WHERE number = ?", "biii", span_of(old, sizeof old), change->at_ms,
		            change->until_ms, change->key);
	return rc;
}

void store_tx_key_rotate(struct store_tx *tx, int64_t key, const char *text, int64_t until_ms)
{
	struct grant_op *change = grant_op(tx, apply_rotate, NULL);

	change->key = key;
	change->until_ms = until_ms;
	if (key_digest(tx->store, text, change->digest) != CRYPTO_OK)
		tx->error = STORE_SEAL;
}

/* ---- reading ---- */

#define KEY_COLUMNS \
	"SELECT k.number, k.user_number, k.kind, k.label, k.created_ms, k.used_ms, k.scopes, k.sessions, k.networks, k.expires_ms, k.created_by, " \
	"u.username, u.registry, u.admin, (SELECT MAX(o.expires_ms) FROM api_keys o WHERE o.replaced_by = k.number) " \
	"FROM api_keys k JOIN users u ON u.number = k.user_number WHERE k.replaced_by IS NULL "

static struct store_key key_of_row(struct db_statement *query, struct arena *arena)
{
	return (struct store_key){
		.number = db_int(query, 0),
		.user = db_int(query, 1),
		.kind = (enum store_key_kind)db_int(query, 2),
		.created_ms = db_int(query, 4),
		.used_ms = db_int(query, 5),
		.grant = { .label = db_text(query, arena, 3), .scopes = (unsigned)db_int(query, 6) & SCOPE_ALL, .sessions = db_text(query, arena, 7),
		           .networks = db_text(query, arena, 8), .expires_ms = db_int(query, 9), .created_by = db_text(query, arena, 10) },
		.username = db_text(query, arena, 11),
		.registry = db_text(query, arena, 12),
		.admin = db_int(query, 13) != 0,
		.old_until_ms = db_int(query, 14),
	};
}

int store_key_list(struct store_reader *reader, struct arena *arena, int64_t user, struct store_key **rows, size_t *n)
{
	struct rows list;
	int rc = 0;
	struct db_statement *query = db_query(reader->db, &rc, KEY_COLUMNS "AND (k.user_number = ? OR ? = 0) ORDER BY k.number", "ii", user, user);

	rows_init(&list, arena, sizeof **rows);
	while (query != NULL && (rc = db_step(query)) > 0)
		*(struct store_key *)rows_add(&list) = key_of_row(query, arena);
	*rows = list.data;
	*n = list.count;
	return db_done(query, rc);
}

int store_key_get(struct store_reader *reader, struct arena *arena, int64_t number, struct store_key *key)
{
	int rc = 0;
	struct db_statement *query = db_query(reader->db, &rc, KEY_COLUMNS "AND k.number = ?", "i", number);

	if (query == NULL)
		return rc;
	rc = db_step(query);
	if (rc > 0)
		*key = key_of_row(query, arena);
	return db_done(query, rc > 0 ? 0 : rc == 0 ? STORE_NOT_FOUND : rc);
}
