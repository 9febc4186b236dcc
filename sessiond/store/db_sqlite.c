/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * SQLite: write-ahead log, synchronous=FULL. Commits never checkpoint (wal_autocheckpoint=0): a connection of its own does, or the
 * writer's p99 is the checkpoint's length.
 */
#include "sessiond/store/db.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "common/mem.h"
#include "sessiond/store/gather_vfs.h"
#include "sessiond/store/migrations.h"
#include "sessiond/store/store.h"

enum { WAL_KEEP_BYTES = 64 << 20 };

/* The errno of the file operation that failed. The connection's own is overwritten by the rollback that follows. */
static int cause_of_io(sqlite3 *handle)
{
	sqlite3_file *log = NULL;
	int cause = 0;

	if (handle == NULL)
		return 0;
	sqlite3_file_control(handle, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
	if (log != NULL && log->pMethods != NULL)
		log->pMethods->xFileControl(log, SQLITE_FCNTL_LAST_ERRNO, &cause);
	if (cause == 0)
		sqlite3_file_control(handle, "main", SQLITE_FCNTL_LAST_ERRNO, &cause);
	return cause != 0 ? cause : sqlite3_system_errno(handle);
}

/* File size limits and quotas come as plain I/O errors with their errno. */
static int error_of_io(sqlite3 *handle)
{
	int cause = cause_of_io(handle);

	if (cause == ENOSPC || cause == EDQUOT || cause == EFBIG)
		return STORE_FULL;
	return cause == EROFS || cause == EACCES ? STORE_READONLY : STORE_IO;
}

static int error_of(sqlite3 *handle, int code)
{
	switch (code & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return STORE_OK;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return STORE_BUSY;
	case SQLITE_FULL:
		return STORE_FULL;
	case SQLITE_CONSTRAINT:
	case SQLITE_TOOBIG:
		return STORE_CONSTRAINT;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return STORE_CORRUPT;
	case SQLITE_READONLY:
	case SQLITE_PERM:
		return STORE_READONLY;
	default:
		return error_of_io(handle);
	}
}

static int script(struct db *db, const char *sql)
{
	return error_of(db->handle, sqlite3_exec(db->handle, sql, NULL, NULL, NULL));
}

static int on_commit(void *ctx, sqlite3 *handle, const char *name, int pages)
{
	struct db *db = ctx;

	(void)handle;
	(void)name;
	db->log_bytes = (int64_t)pages * 4096;
	return SQLITE_OK;
}

static int check_wal(struct db *db)
{
	sqlite3_stmt *statement = NULL;
	int rc = sqlite3_prepare_v2(db->handle, "PRAGMA journal_mode=WAL", -1, &statement, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(statement);
	if (rc == SQLITE_ROW && strcmp((const char *)sqlite3_column_text(statement, 0), "wal") != 0)
		rc = SQLITE_IOERR;
	sqlite3_finalize(statement);
	return error_of(db->handle, rc);
}

/* What the gathered log stands on (gather_vfs.h): no frame is published before the sync that writes it. */
static int check_synchronous(struct db *db)
{
	sqlite3_stmt *statement = NULL;
	int rc = sqlite3_prepare_v2(db->handle, "PRAGMA synchronous", -1, &statement, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(statement);
	if (rc == SQLITE_ROW && sqlite3_column_int(statement, 0) != 2)
		rc = SQLITE_IOERR;
	sqlite3_finalize(statement);
	return error_of(db->handle, rc);
}

static int setup(struct db *db, enum db_mode mode)
{
	static const char *const pragmas[] = {
		[DB_WRITE] = "PRAGMA cache_size=-4096; PRAGMA foreign_keys=ON; PRAGMA secure_delete=FAST;",
		[DB_READ] = "PRAGMA cache_size=-2048; PRAGMA query_only=ON;",
		[DB_CHECKPOINT] = "PRAGMA cache_size=-256;",
	};
	char limit[64];
	int rc = check_wal(db);

	snprintf(limit, sizeof limit, "PRAGMA journal_size_limit=%d", WAL_KEEP_BYTES);
	if (rc == 0)
		rc = script(db, "PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0; PRAGMA temp_store=MEMORY;");
	if (rc == 0)
		rc = check_synchronous(db);
	if (rc == 0)
		rc = script(db, limit);
	if (rc == 0)
		rc = script(db, pragmas[mode]);
	/* A first look at the schema: a file that is no database shows itself here. */
	if (rc == 0)
		rc = script(db, "SELECT count(*) FROM sqlite_master");
	sqlite3_wal_hook(db->handle, on_commit, db);
	return rc;
}

static int sqlite_open(struct db *db, const struct db_options *options, enum db_mode mode, char *why, size_t why_len)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
	const char *vfs;
	sqlite3 *handle = NULL;
	int error, rc;

	/* Counting memory takes one lock for all connections at every allocation. Refused once SQLite runs: the first open decides. */
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	(void)sqlite3_initialize();
	vfs = gather_vfs(options->vfs);
	rc = sqlite3_open_v2(options->path, &handle, flags, vfs == NULL ? options->vfs : vfs);
	error = error_of(handle, rc);
	db->handle = handle;
	if (error == 0) {
		sqlite3_extended_result_codes(handle, 1);
		sqlite3_busy_timeout(handle, options->busy_ms);
		error = setup(db, mode);
	}
	if (error != 0) {
		snprintf(why, why_len, "database %s: %s", options->path, handle == NULL ? "out of memory" : sqlite3_errmsg(handle));
		sqlite3_close(handle);
	}
	return error;
}

static void sqlite_close_db(struct db *db)
{
	sqlite3_close(db->handle);
}

static int sqlite_begin(struct db *db)
{
	/* A writer that starts with a read lock could fail half-way when somebody else writes first. */
	return db->mode == DB_WRITE ? db_run(db, "BEGIN IMMEDIATE", "") : db_run(db, "BEGIN", "");
}

static int sqlite_commit(struct db *db)
{
	return db_run(db, "COMMIT", "");
}

static bool sqlite_in_transaction(struct db *db)
{
	return sqlite3_get_autocommit(db->handle) == 0;
}

static void sqlite_rollback(struct db *db)
{
	if (sqlite_in_transaction(db))
		sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
}

static bool sqlite_has_table(struct db *db, const char *name)
{
	struct db_statement *query;
	int rc = 0;

	query = db_query(db, &rc, "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", "t", name);
	if (query != NULL)
		rc = db_step(query);
	return db_done(query, rc) > 0;
}

static int sqlite_prepare(struct db *db, const char *sql, struct db_statement **statement)
{
	sqlite3_stmt *handle = NULL;
	int rc = sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &handle, NULL);

	if (rc != SQLITE_OK)
		return error_of(db->handle, rc);
	*statement = xcalloc(1, sizeof **statement);
	(*statement)->db = db;
	(*statement)->handle = handle;
	return 0;
}

static void sqlite_finalize(struct db_statement *statement)
{
	sqlite3_finalize(statement->handle);
	free(statement);
}

static int sqlite_bind_null(struct db_statement *statement, int at)
{
	return error_of(statement->db->handle, sqlite3_bind_null(statement->handle, at));
}

static int sqlite_bind_int(struct db_statement *statement, int at, int64_t value)
{
	return error_of(statement->db->handle, sqlite3_bind_int64(statement->handle, at, value));
}

static int sqlite_bind_text(struct db_statement *statement, int at, const char *text)
{
	return error_of(statement->db->handle, sqlite3_bind_text(statement->handle, at, text, -1, SQLITE_STATIC));
}

static int sqlite_bind_blob(struct db_statement *statement, int at, struct span bytes)
{
	if (bytes.n > INT_MAX)
		return STORE_CONSTRAINT;
	return error_of(statement->db->handle, sqlite3_bind_blob(statement->handle, at, bytes.p, (int)bytes.n, SQLITE_STATIC));
}

static int sqlite_step(struct db_statement *statement)
{
	int rc = sqlite3_step(statement->handle);

	return rc == SQLITE_ROW ? 1 : error_of(statement->db->handle, rc);
}

static void sqlite_reset(struct db_statement *statement)
{
	sqlite3_reset(statement->handle);
	sqlite3_clear_bindings(statement->handle);
}

static int64_t sqlite_column_int(struct db_statement *statement, int column)
{
	return sqlite3_column_int64(statement->handle, column);
}

static const char *sqlite_column_text(struct db_statement *statement, int column)
{
	return (const char *)sqlite3_column_text(statement->handle, column);
}

static struct span sqlite_column_blob(struct db_statement *statement, int column)
{
	const void *bytes = sqlite3_column_blob(statement->handle, column);

	return span_of(bytes, bytes == NULL ? 0 : (size_t)sqlite3_column_bytes(statement->handle, column));
}

static int64_t sqlite_last_number(struct db *db)
{
	return sqlite3_last_insert_rowid(db->handle);
}

static int64_t sqlite_changes(struct db *db)
{
	return sqlite3_changes64(db->handle);
}

/* Appends every word of names with a form around it, and a comma between. */
static size_t append_words(struct buf *sql, const char *names, const char *before, const char *after, bool name_twice)
{
	size_t count = 0;

	while (*names != '\0') {
		size_t len = strcspn(names, " ");

		buf_append_text(sql, count++ == 0 ? "" : ", ");
		buf_append_text(sql, before);
		buf_append(sql, names, len);
		buf_append_text(sql, after);
		if (name_twice)
			buf_append(sql, names, len);
		names += len;
		names += strspn(names, " ");
	}
	return count;
}

static void insert_sql(struct buf *sql, const struct db_upsert *upsert)
{
	size_t count;

	buf_printf(sql, "INSERT INTO %s (", upsert->table);
	count = append_words(sql, upsert->keys, "", "", false);
	buf_append_text(sql, ", ");
	count += append_words(sql, upsert->values, "", "", false);
	buf_append_text(sql, ") VALUES (?");
	for (size_t i = 1; i < count; i++)
		buf_append_text(sql, ", ?");
	buf_append_text(sql, ") ON CONFLICT (");
	append_words(sql, upsert->keys, "", "", false);
}

static void sqlite_upsert_sql(struct buf *sql, const struct db_upsert *upsert)
{
	insert_sql(sql, upsert);
	buf_append_text(sql, ") DO UPDATE SET ");
	append_words(sql, upsert->values, "", " = excluded.", true);
}

static void sqlite_insert_new_sql(struct buf *sql, const struct db_upsert *insert)
{
	insert_sql(sql, insert);
	buf_append_text(sql, ") DO NOTHING");
}

/* ---- full text: FTS5, behind the table of messages by some rows ---- */

static int sqlite_search_last(struct db *db, int64_t *last)
{
	int rc = 0;
	struct db_statement *query = db_query(db, &rc, "SELECT indexed FROM search_state", "");

	rc = db_read_number(query, rc, last);
	return rc < 0 ? rc : 0;
}

static int sqlite_search_fill(struct db *db, int64_t limit, int64_t *last, int64_t *added)
{
	int64_t after = 0, count = 0;
	int rc = sqlite_search_last(db, &after);
	struct db_statement *query;

	*last = after;
	*added = 0;
	if (rc != 0)
		return rc;
	query = db_query(db, &rc, "SELECT max(number), count(*) FROM (SELECT number FROM messages WHERE number > ? ORDER BY number LIMIT ?)", "ii",
	                 after, limit);
	if (query == NULL)
		return rc;
	rc = db_step(query);
	if (rc > 0) {
		*last = db_int(query, 0) > after ? db_int(query, 0) : after;
		count = db_int(query, 1);
	}
	rc = db_done(query, rc < 0 ? rc : 0);
	if (rc == 0 && count > 0)
		rc = db_run(db, "INSERT INTO message_search (rowid, scope, body) SELECT number, 's' || session, body FROM messages "
		                "WHERE number > ? AND number <= ? AND body <> '' ORDER BY number", "ii", after, *last);
	if (rc == 0 && count > 0)
		rc = db_run(db, "UPDATE search_state SET indexed = ?", "i", *last);
	*added = count;
	return rc;
}

/* A term is a string of FTS5: nothing in it but the doubled quote means anything. */
static void put_term(struct buf *out, const struct store_term *term)
{
	buf_u8(out, '"');
	for (size_t i = 0; i < term->text.n; i++) {
		if (term->text.p[i] == '"')
			buf_u8(out, '"');
		buf_u8(out, term->text.p[i]);
	}
	buf_append_text(out, term->prefix ? "\"*" : "\"");
}

static void sqlite_search_text(struct buf *out, int64_t session, const struct store_search *search)
{
	buf_printf(out, "scope:s%lld AND body:(", (long long)session);
	for (size_t i = 0; i < search->n; i++) {
		if (i > 0)
			buf_append_text(out, " AND ");
		put_term(out, &search->terms[i]);
	}
	buf_u8(out, ')');
}

static int sqlite_checkpoint(struct db *db, bool restart)
{
	int rc = sqlite3_wal_checkpoint_v2(db->handle, "main", SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);

	/* Most of the log is in the database now: what restarting still has to move while writers wait is little. */
	if (rc == SQLITE_OK && restart)
		rc = sqlite3_wal_checkpoint_v2(db->handle, "main", SQLITE_CHECKPOINT_RESTART, NULL, NULL);
	return error_of(db->handle, rc);
}

static void sqlite_rest(struct db *db)
{
	sqlite3_file *log = NULL;

	sqlite3_db_release_memory(db->handle);
	sqlite3_file_control(db->handle, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
	if (log != NULL && log->pMethods != NULL)
		log->pMethods->xFileControl(log, GATHER_LET_GO, NULL);
}

static const char *sqlite_message(struct db *db)
{
	return sqlite3_errmsg(db->handle);
}

const struct db_driver db_sqlite = {
	.name = "sqlite",
	.migrations = migrations_sqlite,
	.migration_count = &migrations_sqlite_count,
	.open = sqlite_open,
	.close = sqlite_close_db,
	.begin = sqlite_begin,
	.commit = sqlite_commit,
	.rollback = sqlite_rollback,
	.in_transaction = sqlite_in_transaction,
	.has_table = sqlite_has_table,
	.script = script,
	.prepare = sqlite_prepare,
	.finalize = sqlite_finalize,
	.bind_null = sqlite_bind_null,
	.bind_int = sqlite_bind_int,
	.bind_text = sqlite_bind_text,
	.bind_blob = sqlite_bind_blob,
	.step = sqlite_step,
	.reset = sqlite_reset,
	.column_int = sqlite_column_int,
	.column_text = sqlite_column_text,
	.column_blob = sqlite_column_blob,
	.last_number = sqlite_last_number,
	.changes = sqlite_changes,
	.upsert_sql = sqlite_upsert_sql,
	.insert_new_sql = sqlite_insert_new_sql,
	.search_fill = sqlite_search_fill,
	.search_last = sqlite_search_last,
	.search_from = "message_search CROSS JOIN messages AS m ON m.number = message_search.rowid "
	               "CROSS JOIN chats AS c ON c.number = m.chat WHERE message_search MATCH ",
	.search_number = "message_search.rowid",
	.search_text = sqlite_search_text,
	.checkpoint = sqlite_checkpoint,
	.rest = sqlite_rest,
	.message = sqlite_message,
};
