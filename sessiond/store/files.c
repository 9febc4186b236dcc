/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the storage holds: the index of its files. */
#include <string.h>

#include "sessiond/store/private.h"

struct file_op {
	struct tx_op op;
	struct store_file file; /* texts in the tx's arena */
	struct span info;       /* sealed */
	int64_t *number;
};

#define COLUMNS "number, storage_key, driver, object, state, is_public, key_id, size, sha256, mime, session, upload, created_ms, expires_ms, info"

static void info_aad(struct aad *aad, const char *key)
{
	aad_start(aad, 'f');
	aad_text(aad, key);
}

static int apply_add(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	const struct file_op *add = (const struct file_op *)op;
	const struct store_file *f = &add->file;
	int rc = db_run(db, "INSERT INTO files (storage_key, driver, object, state, is_public, size, mime, session, created_ms, expires_ms, info) "
			    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
			"tttnnittiib", f->key, f->driver, f->object, (int)STORE_FILE_ARRIVING, (int)f->is_public, f->size, f->mime, f->session,
			f->created_ms, f->expires_ms, add->info);

	(void)tx;
	if (rc == 0 && add->number)
		*add->number = db->driver->last_number(db);
	return rc;
}

static struct file_op *op_for(struct store_tx *tx, int64_t number, int (*apply)(struct store_tx *tx, struct db *db, struct tx_op *op))
{
	struct file_op *made = tx_op_add(tx, sizeof *made, apply);

	made->file.number = number;
	return made;
}

void store_tx_file_add(struct store_tx *tx, const struct store_file *file, int64_t *number)
{
	struct file_op *add = op_for(tx, 0, apply_add);
	struct aad aad;

	add->file = *file;
	add->file.key = tx_text(tx, file->key);
	add->file.driver = tx_text(tx, file->driver);
	add->file.object = tx_text(tx, file->object);
	add->file.mime = tx_text(tx, file->mime);
	add->file.session = tx_text(tx, file->session);
	add->number = number;
	info_aad(&aad, file->key);
	add->info = tx_seal(tx, tx->store->seals.files, aad_span(&aad), file->info ? span_text(file->info) : span_of(NULL, 0));
}

static int apply_stored(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	const struct store_file *f = &((const struct file_op *)op)->file;
	int rc = db_run(db, "UPDATE files SET state = ? WHERE state = ? AND storage_key = (SELECT storage_key FROM files WHERE number = ?)", "nni",
			(int)STORE_FILE_GOING, (int)STORE_FILE_STORED, f->number);

	(void)tx;
	if (rc == 0)
		rc = db_run(db, "UPDATE files SET state = ?, key_id = ?, sha256 = ?, upload = NULL WHERE number = ? AND state = ?", "nibin",
			    (int)STORE_FILE_STORED, f->key_id, span_of(f->sha256, sizeof f->sha256), f->number, (int)STORE_FILE_ARRIVING);
	return rc != 0 ? rc : db->driver->changes(db) == 1 ? 0 : STORE_NOT_FOUND;
}

void store_tx_file_stored(struct store_tx *tx, int64_t number, const uint8_t sha256[32], int64_t key_id)
{
	struct file_op *change = op_for(tx, number, apply_stored);

	memcpy(change->file.sha256, sha256, sizeof change->file.sha256);
	change->file.key_id = key_id;
}

static int apply_upload(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	const struct store_file *f = &((const struct file_op *)op)->file;

	(void)tx;
	return db_run(db, "UPDATE files SET upload = ? WHERE number = ?", "ti", f->upload, f->number);
}

void store_tx_file_upload(struct store_tx *tx, int64_t number, const char *upload)
{
	op_for(tx, number, apply_upload)->file.upload = tx_text(tx, upload);
}

static int apply_key_id(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	const struct store_file *f = &((const struct file_op *)op)->file;

	(void)tx;
	return db_run(db, "UPDATE files SET key_id = ? WHERE number = ?", "ii", f->key_id, f->number);
}

void store_tx_file_key_id(struct store_tx *tx, int64_t number, int64_t key_id)
{
	op_for(tx, number, apply_key_id)->file.key_id = key_id;
}

static int apply_going(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	(void)tx;
	return db_run(db, "UPDATE files SET state = ? WHERE number = ?", "ni", (int)STORE_FILE_GOING, ((const struct file_op *)op)->file.number);
}

void store_tx_file_going(struct store_tx *tx, int64_t number)
{
	op_for(tx, number, apply_going);
}

static int apply_remove(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	(void)tx;
	return db_run(db, "DELETE FROM files WHERE number = ?", "i", ((const struct file_op *)op)->file.number);
}

void store_tx_file_remove(struct store_tx *tx, int64_t number)
{
	op_for(tx, number, apply_remove);
}

/* ---- reading ---- */

static int read_row(struct store_reader *reader, struct db_statement *query, struct arena *arena, struct store_file *file)
{
	struct span digest = db_blob(query, 8), info;
	struct aad aad;
	int rc;

	*file = (struct store_file){
		.number = db_int(query, 0),
		.key = db_text(query, arena, 1),
		.driver = db_text(query, arena, 2),
		.object = db_text(query, arena, 3),
		.state = (enum store_file_state)db_int(query, 4),
		.is_public = db_int(query, 5) != 0,
		.key_id = db_int(query, 6),
		.size = db_int(query, 7),
		.mime = db_text(query, arena, 9),
		.session = db_text(query, arena, 10),
		.upload = db_text(query, arena, 11),
		.created_ms = db_int(query, 12),
		.expires_ms = db_int(query, 13),
	};
	if (digest.n == sizeof file->sha256)
		memcpy(file->sha256, digest.p, digest.n);
	info_aad(&aad, file->key);
	rc = seal_open(reader->store->seals.files, aad_span(&aad), db_blob(query, 14), arena, &info);
	if (rc == 0 && info.p)
		file->info = arena_text(arena, info.p, info.n);
	return rc;
}

int store_file_find(struct store_reader *reader, struct arena *arena, const char *key, struct store_file *file)
{
	int rc = 0;
	struct db_statement *query = db_query(reader->db, &rc, "SELECT " COLUMNS " FROM files WHERE storage_key = ? AND state = 2", "t", key);

	if (query == NULL)
		return rc;
	rc = db_step(query);
	if (rc > 0)
		rc = read_row(reader, query, arena, file);
	else if (rc == 0)
		rc = STORE_NOT_FOUND;
	return db_done(query, rc);
}

static struct db_statement *list_query(struct db *db, int *rc, const struct store_file_query *q)
{
	switch (q->what) {
	case STORE_FILES_UNSETTLED:
		return db_query(db, rc, "SELECT " COLUMNS " FROM files WHERE state <> 2 AND number > ? ORDER BY number LIMIT ?", "in", q->after,
				q->limit);
	case STORE_FILES_EXPIRED:
		return db_query(db, rc, "SELECT " COLUMNS " FROM files WHERE expires_ms > 0 AND expires_ms < ? AND state = 2 LIMIT ?", "in",
				q->before_ms, q->limit);
	case STORE_FILES_OLDEST:
		return db_query(db, rc, "SELECT " COLUMNS " FROM files WHERE created_ms < ? AND state = 2 AND held = 0 ORDER BY created_ms LIMIT ?", "in",
				q->before_ms, q->limit);
	case STORE_FILES_OTHER_KEY:
		return db_query(db, rc, "SELECT " COLUMNS " FROM files WHERE key_id <> 0 AND key_id <> ? AND number > ? AND state = 2 "
					"ORDER BY number LIMIT ?", "iin", q->key_id, q->after, q->limit);
	}
	*rc = STORE_CONFIG;
	return NULL;
}

int store_file_list(struct store_reader *reader, struct arena *arena, const struct store_file_query *what, struct store_file **out, size_t *n)
{
	struct rows list;
	int rc = 0;
	struct db_statement *query = list_query(reader->db, &rc, what);

	rows_init(&list, arena, sizeof **out);
	while (query != NULL && (rc = db_step(query)) > 0) {
		rc = read_row(reader, query, arena, rows_add(&list));
		if (rc != 0)
			break;
	}
	*out = list.data;
	*n = list.count;
	return db_done(query, rc);
}

int store_file_totals(struct store_reader *reader, int64_t key_id, struct store_file_totals *totals)
{
	int rc = 0;
	struct db_statement *query = db_query(reader->db, &rc,
					      "SELECT COUNT(*), SUM(size), SUM(CASE WHEN key_id <> 0 AND key_id <> ? THEN 1 ELSE 0 END), "
					      "SUM(CASE WHEN expires_ms > 0 THEN 1 ELSE 0 END) FROM files WHERE state = 2", "i", key_id);

	*totals = (struct store_file_totals){ 0 };
	if (query == NULL)
		return rc;
	rc = db_step(query);
	if (rc > 0) {
		totals->files = db_int(query, 0);
		totals->bytes = db_int(query, 1);
		totals->other_key = db_int(query, 2);
		totals->expiring = db_int(query, 3);
		rc = 0;
	}
	rc = db_done(query, rc);
	if (rc != 0)
		return rc;
	query = db_query(reader->db, &rc, "SELECT MAX(number) FROM files", "");
	rc = db_read_number(query, rc, &totals->last);
	return rc < 0 ? rc : 0;
}
