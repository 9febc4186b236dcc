/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Protocol records: (session, kind, name) -> sealed value. */
#include <string.h>

#include "sessiond/store/private.h"

struct record_op {
	struct tx_op op;
	int64_t session, expires_ms;
	int kind;
	const char *name;
	struct span value; /* sealed */
};

/* One record that does not open must not be taken for "no such record". */
static void record_aad(struct aad *aad, int64_t session, int kind, const char *name)
{
	aad_start(aad, 'r');
	aad_int(aad, session);
	aad_int(aad, kind);
	aad_text(aad, name);
}

static int apply_put(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	static const struct db_upsert upsert = { "records", "session kind name", "value expires_ms" };
	const struct record_op *put = (const struct record_op *)op;

	(void)tx;
	return db_run_upsert(db, &upsert, "intbz", put->session, put->kind, put->name, put->value, put->expires_ms);
}

void store_tx_record_put(struct store_tx *tx, int64_t session, int kind, const char *name, struct span value, int64_t expires_ms)
{
	struct record_op *put = tx_op_add(tx, sizeof *put, apply_put);
	struct aad aad;

	record_aad(&aad, session, kind, name);
	put->session = session;
	put->kind = kind;
	put->name = tx_text(tx, name);
	put->value = tx_seal(tx, tx->store->seals.records, aad_span(&aad), value.p == NULL ? span_of("", 0) : value);
	put->expires_ms = expires_ms;
}

static int apply_delete(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	const struct record_op *gone = (const struct record_op *)op;

	(void)tx;
	return db_run(db, "DELETE FROM records WHERE session = ? AND kind = ? AND name = ?", "int", gone->session, gone->kind,
	              gone->name);
}

void store_tx_record_delete(struct store_tx *tx, int64_t session, int kind, const char *name)
{
	struct record_op *gone = tx_op_add(tx, sizeof *gone, apply_delete);

	gone->session = session;
	gone->kind = kind;
	gone->name = tx_text(tx, name);
}

static int apply_clear(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	const struct record_op *gone = (const struct record_op *)op;

	(void)tx;
	if (gone->kind == 0)
		return db_run(db, "DELETE FROM records WHERE session = ?", "i", gone->session);
	return db_run(db, "DELETE FROM records WHERE session = ? AND kind = ?", "in", gone->session, gone->kind);
}

void store_tx_record_clear(struct store_tx *tx, int64_t session, int kind)
{
	struct record_op *gone = tx_op_add(tx, sizeof *gone, apply_clear);

	gone->session = session;
	gone->kind = kind;
}

static int apply_expire(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	const struct record_op *gone = (const struct record_op *)op;

	(void)tx;
	return db_run(db,
	              "DELETE FROM records WHERE number IN (SELECT number FROM "
	              "(SELECT number FROM records WHERE expires_ms < ? ORDER BY expires_ms LIMIT 5000) AS old)", "i",
	              gone->expires_ms);
}

void tx_records_expire(struct store_tx *tx, int64_t now_ms)
{
	struct record_op *gone = tx_op_add(tx, sizeof *gone, apply_expire);

	gone->expires_ms = now_ms;
}

/* ---- reading ---- */

static int get_one(struct store_reader *reader, struct arena *arena, int64_t session, const struct store_record_key *key,
                   struct span *value)
{
	struct db_statement *query;
	struct aad aad;
	int rc = 0;

	*value = span_of(NULL, 0);
	query = db_query(reader->db, &rc, "SELECT value FROM records WHERE session = ? AND kind = ? AND name = ?", "int", session,
	                 key->kind, key->name);
	if (query == NULL)
		return rc;
	rc = db_step(query);
	if (rc > 0) {
		record_aad(&aad, session, key->kind, key->name);
		rc = seal_open(reader->store->seals.records, aad_span(&aad), db_blob(query, 0), arena, value);
	}
	return db_done(query, rc);
}

int store_record_get(struct store_reader *reader, struct arena *arena, int64_t session, const struct store_record_key *keys,
                     size_t n, struct span *values)
{
	int rc = 0;

	for (size_t i = 0; i < n && rc == 0; i++)
		rc = get_one(reader, arena, session, &keys[i], &values[i]);
	return rc;
}

int store_record_list(struct store_reader *reader, struct arena *arena, int64_t session, int kind, const char ***names,
                      struct span **values, size_t *n)
{
	struct rows name_rows, value_rows;
	int rc = 0;
	struct db_statement *query = db_query(reader->db, &rc,
	                                      "SELECT name, value FROM records WHERE session = ? AND kind = ? ORDER BY name", "in",
	                                      session, kind);

	rows_init(&name_rows, arena, sizeof(const char *));
	rows_init(&value_rows, arena, sizeof(struct span));
	while (query != NULL && (rc = db_step(query)) > 0) {
		const char *name = db_text(query, arena, 0);
		struct span *value = rows_add(&value_rows);
		struct aad aad;

		*(const char **)rows_add(&name_rows) = name;
		record_aad(&aad, session, kind, name);
		rc = values == NULL ? 0 : seal_open(reader->store->seals.records, aad_span(&aad), db_blob(query, 1), arena, value);
		if (rc != 0)
			break;
	}
	if (names != NULL)
		*names = name_rows.data;
	if (values != NULL)
		*values = value_rows.data;
	*n = name_rows.count;
	return db_done(query, rc);
}
