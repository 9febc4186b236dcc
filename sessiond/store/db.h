/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The driver interface: what the store needs of a database. SQL above this line is the common part of SQLite, MySQL/MariaDB and
 * PostgreSQL with '?' for parameters; what differs (migrations, upsert, error numbers, checkpoints) is asked of the driver.
 *
 *     struct db  -- one connection, used by one thread at a time, with its prepared statements
 */
#ifndef STORE_DB_H
#define STORE_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/buf.h"

struct db;
struct db_statement;
struct store_search;

struct db_options {
	const char *path; /* SQLite */
	const char *vfs;  /* SQLite, may be NULL */
	int busy_ms;
};

enum db_mode { DB_WRITE, DB_READ, DB_CHECKPOINT };

struct db_migration {
	unsigned number;
	const char *name; /* "0001_core" */
	const char *sql;
};

/* "Add this row, or replace the other columns of the one with the same key." keys and values: names with a blank between them. */
struct db_upsert {
	const char *table, *keys, *values;
};

/* All functions that can fail answer 0 or an enum store_error. */
struct db_driver {
	const char *name;
	const struct db_migration *migrations;
	const size_t *migration_count;
	int (*open)(struct db *db, const struct db_options *options, enum db_mode mode, char *why, size_t why_len);
	void (*close)(struct db *db);
	int (*begin)(struct db *db);
	int (*commit)(struct db *db);
	void (*rollback)(struct db *db);
	/* False when an error has ended the transaction already. */
	bool (*in_transaction)(struct db *db);
	bool (*has_table)(struct db *db, const char *name);
	/* Several statements without parameters or answers. */
	int (*script)(struct db *db, const char *sql);
	int (*prepare)(struct db *db, const char *sql, struct db_statement **statement);
	void (*finalize)(struct db_statement *statement);
	/* Parameters count from 1, columns from 0. Bound bytes must live until the statement is reset. */
	int (*bind_null)(struct db_statement *statement, int at);
	int (*bind_int)(struct db_statement *statement, int at, int64_t value);
	int (*bind_text)(struct db_statement *statement, int at, const char *text);
	int (*bind_blob)(struct db_statement *statement, int at, struct span bytes);
	/* 1: a row, 0: done, else an error. */
	int (*step)(struct db_statement *statement);
	void (*reset)(struct db_statement *statement);
	int64_t (*column_int)(struct db_statement *statement, int column);
	/* NULL for SQL NULL; borrowed until the next step. */
	const char *(*column_text)(struct db_statement *statement, int column);
	struct span (*column_blob)(struct db_statement *statement, int column);
	int64_t (*last_number)(struct db *db);
	int64_t (*changes)(struct db *db);
	void (*upsert_sql)(struct buf *sql, const struct db_upsert *upsert);
	/* The same, but a row with the same keys stays as it is. */
	void (*insert_new_sql)(struct buf *sql, const struct db_upsert *insert);
	/*
	 * Full text. fill: adds messages with numbers above the last one that the index has, at most limit; *last is the last one it has
	 * then, *added how many were added. NULL: the database's index keeps itself.
	 */
	int (*search_fill)(struct db *db, int64_t limit, int64_t *last, int64_t *added);
	/* The last message that the index has. */
	int (*search_last)(struct db *db, int64_t *last);
	/* What stands behind FROM: messages as m, their chats as c, that match the one parameter, whose text search_text() writes; m.number is fast to order by. */
	const char *search_from, *search_number;
	void (*search_text)(struct buf *out, int64_t session, const struct store_search *search);
	/* Moves the log into the database (connection of mode DB_CHECKPOINT). restart: also makes the writer start the log anew. */
	int (*checkpoint)(struct db *db, bool restart);
	/* Between transactions: lets go of cached pages, when nothing has been asked for a while. */
	void (*rest)(struct db *db);
	const char *(*message)(struct db *db);
};

enum { DB_STATEMENTS_MAX = 256 };

struct db_cached {
	const void *key; /* address of the SQL text or upsert: both are static */
	struct db_statement *statement; /* owned */
};

struct db {
	const struct db_driver *driver;
	enum db_mode mode;
	void *handle;               /* the driver's connection, owned by it */
	int64_t log_bytes;          /* size of the write-ahead log after the last commit, kept by the driver; 0 where there is none */
	struct db_cached cache[DB_STATEMENTS_MAX];
};

struct db_statement {
	struct db *db;
	void *handle; /* the driver's, owned by it */
};

extern const struct db_driver db_sqlite;

/* The driver of this name, or NULL. */
const struct db_driver *db_driver_find(const char *name);

int db_open(struct db **db, const struct db_driver *driver, const struct db_options *options, enum db_mode mode, char *why,
            size_t why_len);
/* NULL is fine. */
void db_close(struct db *db);

/*
 * The prepared statement of a static SQL text with parameters bound as types says, one letter each:
 *     i int64_t     z int64_t (0: SQL NULL)     n int     t const char * (NULL: SQL NULL)     b struct span (p NULL: SQL NULL)
 * Step it with db_step() and give it back with db_done(). NULL, *error: it could not be prepared or bound.
 */
struct db_statement *db_query(struct db *db, int *error, const char *sql, const char *types, ...);
int db_step(struct db_statement *statement);
/* Ends the use; passes rc on. NULL is fine. */
int db_done(struct db_statement *statement, int rc);

/* Runs a statement without rows. */
int db_run(struct db *db, const char *sql, const char *types, ...);
/* The same; parameters are the keys, then the values. */
int db_run_upsert(struct db *db, const struct db_upsert *upsert, const char *types, ...);

/* The same for a row that may be there already: 1: added, 0: it was there. */
int db_insert_new(struct db *db, const struct db_upsert *insert, const char *types, ...);

/* A query whose text is made for it, with its parameters; not kept. */
struct db_built {
	struct buf sql;       /* owned */
	struct db_value {
		int64_t number;
		const char *text; /* borrowed; NULL: the number counts */
	} values[24];
	size_t n;
	struct db_statement *statement; /* owned */
	int error;            /* more values than there is room for */
};

/* Appends SQL; its one '?' is this value. */
void db_built_text(struct db_built *built, const char *sql, const char *text);
void db_built_int(struct db_built *built, const char *sql, int64_t number);
/* Prepares and binds: the statement to step, or NULL and *error. */
struct db_statement *db_built_query(struct db *db, struct db_built *built, int *error);
/* Frees everything; passes rc on. */
int db_built_done(struct db_built *built, int rc);

/* Ends a query of one number: 1 and *value set, or 0 without a row, or an error (rc when query is NULL). SQL NULL counts as 0. */
int db_read_number(struct db_statement *query, int rc, int64_t *value);

int64_t db_int(struct db_statement *statement, int column);
/* Copies; NULL for SQL NULL. */
char *db_text(struct db_statement *statement, struct arena *arena, int column);
/* Borrowed until the next step. */
const char *db_text_borrowed(struct db_statement *statement, int column);
struct span db_blob(struct db_statement *statement, int column);

#endif
