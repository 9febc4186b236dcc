/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Administrative acts: written once, read in pages from the newest back, gone when they are too old. */
#include "sessiond/store/private.h"

enum { PART_MAX = 5000 };

struct audit_op {
	struct tx_op op;
	struct store_audit entry;
};

static int apply_add(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	const struct store_audit *e = &((const struct audit_op *)op)->entry;

	(void)tx;
	return db_run(db,
	              "INSERT INTO audit (at_ms, user_number, username, key_number, address, action, target, status, detail) "
	              "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", "iititttnt", e->at_ms, e->user, e->username, e->key, e->address, e->action, e->target,
	              e->status, e->detail);
}

void store_tx_audit_add(struct store_tx *tx, const struct store_audit *entry)
{
	struct audit_op *add = tx_op_add(tx, sizeof *add, apply_add);

	add->entry = *entry;
	add->entry.username = tx_text(tx, entry->username);
	add->entry.address = tx_text(tx, entry->address);
	add->entry.action = tx_text(tx, entry->action);
	add->entry.target = tx_text(tx, entry->target);
	add->entry.detail = tx_text(tx, entry->detail);
}

static int apply_expire(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	(void)tx;
	return db_run(db, "DELETE FROM audit WHERE number IN (SELECT number FROM (SELECT number FROM audit WHERE at_ms < ? ORDER BY at_ms LIMIT ?) AS part)",
	              "in", ((const struct audit_op *)op)->entry.at_ms, (int)PART_MAX);
}

void tx_audit_expire(struct store_tx *tx, int64_t before_ms)
{
	struct audit_op *gone = tx_op_add(tx, sizeof *gone, apply_expire);

	gone->entry.at_ms = before_ms;
}

void store_audit_keep(struct store *store, int64_t keep_ms)
{
	atomic_store(&store->audit_keep_ms, keep_ms);
}

/* ---- reading ---- */

static void put_conditions(struct db_built *built, const struct store_audit_query *q)
{
	buf_append_text(&built->sql,
	                "SELECT number, at_ms, user_number, username, key_number, address, action, target, status, detail FROM audit WHERE 1 = 1");
	if (q->before > 0)
		db_built_int(built, " AND number < ?", q->before);
	if (q->username)
		db_built_text(built, " AND username = ?", q->username);
	if (q->action)
		db_built_text(built, " AND action = ?", q->action);
	if (q->target)
		db_built_text(built, " AND target = ?", q->target);
	if (q->from_ms > 0)
		db_built_int(built, " AND at_ms >= ?", q->from_ms);
	if (q->to_ms > 0)
		db_built_int(built, " AND at_ms <= ?", q->to_ms);
	if (q->status_from > 0) {
		db_built_int(built, " AND status >= ?", q->status_from);
		db_built_int(built, " AND status < ?", q->status_to);
	}
	buf_append_text(&built->sql, " ORDER BY number DESC");
	db_built_int(built, " LIMIT ?", q->limit + 1);
}

static struct store_audit entry_of_row(struct db_statement *query, struct arena *arena)
{
	return (struct store_audit){
		.number = db_int(query, 0),
		.at_ms = db_int(query, 1),
		.user = db_int(query, 2),
		.username = db_text(query, arena, 3),
		.key = db_int(query, 4),
		.address = db_text(query, arena, 5),
		.action = db_text(query, arena, 6),
		.target = db_text(query, arena, 7),
		.status = (int)db_int(query, 8),
		.detail = db_text(query, arena, 9),
	};
}

int store_audit_list(struct store_reader *reader, struct arena *arena, const struct store_audit_query *query, struct store_audit **rows, size_t *n,
                     bool *more)
{
	struct db_built built = { .n = 0 };
	struct db_statement *statement;
	struct rows list;
	int rc = 0;

	rows_init(&list, arena, sizeof **rows);
	*more = false;
	put_conditions(&built, query);
	statement = db_built_query(reader->db, &built, &rc);
	while (statement != NULL && (rc = db_step(statement)) > 0) {
		if (list.count == (size_t)query->limit) {
			*more = true;
			rc = 0;
			break;
		}
		*(struct store_audit *)rows_add(&list) = entry_of_row(statement, arena);
	}
	*rows = list.data;
	*n = list.count;
	return db_built_done(&built, rc);
}
