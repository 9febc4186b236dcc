/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Connections with their prepared statements, on top of any driver. */
#include "sessiond/store/db.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/store/store.h"

const struct db_driver *db_driver_find(const char *name)
{
	static const struct db_driver *const drivers[] = { &db_sqlite };

	for (size_t i = 0; i < sizeof drivers / sizeof *drivers; i++) {
		if (strcmp(drivers[i]->name, name) == 0)
			return drivers[i];
	}
	return NULL;
}

int db_open(struct db **db, const struct db_driver *driver, const struct db_options *options, enum db_mode mode, char *why,
            size_t why_len)
{
	struct db *made = xcalloc(1, sizeof *made);
	int rc;

	made->driver = driver;
	made->mode = mode;
	rc = driver->open(made, options, mode, why, why_len);
	if (rc == 0)
		*db = made;
	else
		free(made);
	return rc;
}

void db_close(struct db *db)
{
	if (db == NULL)
		return;
	for (size_t i = 0; i < DB_STATEMENTS_MAX; i++) {
		if (db->cache[i].statement != NULL)
			db->driver->finalize(db->cache[i].statement);
	}
	db->driver->close(db);
	free(db);
}

/* A static text has one address, so the address is the key. NULL when the table is full. */
static struct db_cached *cache_slot(struct db *db, const void *key)
{
	size_t at = ((uintptr_t)key >> 3) * 0x9e3779b97f4a7c15U >> 32;

	for (size_t i = 0; i < DB_STATEMENTS_MAX; i++) {
		struct db_cached *slot = &db->cache[(at + i) % DB_STATEMENTS_MAX];

		if (slot->key == key || slot->key == NULL)
			return slot;
	}
	return NULL;
}

static struct db_statement *cached(struct db *db, int *error, const void *key, const char *sql)
{
	struct db_cached *slot = cache_slot(db, key);

	if (slot == NULL) {
		*error = STORE_CONFIG;
		return NULL;
	}
	if (slot->statement == NULL) {
		*error = db->driver->prepare(db, sql, &slot->statement);
		if (*error != 0) {
			slot->statement = NULL;
			return NULL;
		}
		slot->key = key;
	}
	return slot->statement;
}

static int bind_all(struct db_statement *statement, const char *types, va_list values)
{
	const struct db_driver *driver = statement->db->driver;
	int rc = 0;

	for (int at = 1; types[at - 1] != '\0' && rc == 0; at++) {
		const char *text;
		struct span bytes;
		int64_t number;

		switch (types[at - 1]) {
		case 'i':
			rc = driver->bind_int(statement, at, va_arg(values, int64_t));
			break;
		case 'z':
			number = va_arg(values, int64_t);
			rc = number == 0 ? driver->bind_null(statement, at) : driver->bind_int(statement, at, number);
			break;
		case 'n':
			rc = driver->bind_int(statement, at, va_arg(values, int));
			break;
		case 't':
			text = va_arg(values, const char *);
			rc = text == NULL ? driver->bind_null(statement, at) : driver->bind_text(statement, at, text);
			break;
		case 'b':
			bytes = va_arg(values, struct span);
			rc = bytes.p == NULL ? driver->bind_null(statement, at) : driver->bind_blob(statement, at, bytes);
			break;
		default:
			rc = STORE_CONFIG;
		}
	}
	return rc;
}

static struct db_statement *bound(struct db *db, int *error, const void *key, const char *sql, const char *types, va_list values)
{
	struct db_statement *statement = cached(db, error, key, sql);

	if (statement == NULL)
		return NULL;
	*error = bind_all(statement, types, values);
	if (*error == 0)
		return statement;
	db->driver->reset(statement);
	return NULL;
}

struct db_statement *db_query(struct db *db, int *error, const char *sql, const char *types, ...)
{
	struct db_statement *statement;
	va_list values;

	va_start(values, types);
	statement = bound(db, error, sql, sql, types, values);
	va_end(values);
	return statement;
}

int db_step(struct db_statement *statement)
{
	return statement->db->driver->step(statement);
}

int db_done(struct db_statement *statement, int rc)
{
	if (statement != NULL)
		statement->db->driver->reset(statement);
	return rc;
}

static int run_bound(struct db_statement *statement, int error)
{
	int rc;

	if (statement == NULL)
		return error;
	do {
		rc = db_step(statement);
	} while (rc > 0);
	return db_done(statement, rc);
}

int db_run(struct db *db, const char *sql, const char *types, ...)
{
	struct db_statement *statement;
	va_list values;
	int error = 0;

	va_start(values, types);
	statement = bound(db, &error, sql, sql, types, values);
	va_end(values);
	return run_bound(statement, error);
}

static int run_made(struct db *db, const struct db_upsert *row, void (*make)(struct buf *sql, const struct db_upsert *row), const char *types,
                    va_list values)
{
	struct db_cached *slot = cache_slot(db, row);
	struct db_statement *statement;
	struct buf sql = { 0 };
	int error = 0;

	if (slot == NULL || slot->statement == NULL)
		make(&sql, row);
	statement = bound(db, &error, row, buf_text(&sql), types, values);
	buf_free(&sql);
	return run_bound(statement, error);
}

int db_run_upsert(struct db *db, const struct db_upsert *upsert, const char *types, ...)
{
	va_list values;
	int rc;

	va_start(values, types);
	rc = run_made(db, upsert, db->driver->upsert_sql, types, values);
	va_end(values);
	return rc;
}

int db_insert_new(struct db *db, const struct db_upsert *insert, const char *types, ...)
{
	va_list values;
	int rc;

	va_start(values, types);
	rc = run_made(db, insert, db->driver->insert_new_sql, types, values);
	va_end(values);
	return rc == 0 ? db->driver->changes(db) > 0 : rc;
}

/* ---- queries made for the occasion ---- */

static void add_value(struct db_built *built, const char *sql, struct db_value value)
{
	buf_append_text(&built->sql, sql);
	if (built->n < sizeof built->values / sizeof *built->values)
		built->values[built->n++] = value;
	else
		built->error = STORE_CONFIG;
}

void db_built_text(struct db_built *built, const char *sql, const char *text)
{
	add_value(built, sql, (struct db_value){ .text = text });
}

void db_built_int(struct db_built *built, const char *sql, int64_t number)
{
	add_value(built, sql, (struct db_value){ .number = number });
}

struct db_statement *db_built_query(struct db *db, struct db_built *built, int *error)
{
	*error = built->error;
	if (*error == 0)
		*error = db->driver->prepare(db, buf_text(&built->sql), &built->statement);
	for (size_t i = 0; i < built->n && *error == 0; i++) {
		const struct db_value *value = &built->values[i];

		*error = value->text != NULL ? db->driver->bind_text(built->statement, (int)i + 1, value->text)
		                             : db->driver->bind_int(built->statement, (int)i + 1, value->number);
	}
	return *error == 0 ? built->statement : NULL;
}

int db_built_done(struct db_built *built, int rc)
{
	if (built->statement != NULL)
		built->statement->db->driver->finalize(built->statement);
	buf_free(&built->sql);
	memset(built, 0, sizeof *built);
	return rc;
}

int db_read_number(struct db_statement *query, int rc, int64_t *value)
{
	if (query == NULL)
		return rc;
	rc = db_step(query);
	if (rc > 0)
		*value = db_int(query, 0);
	return db_done(query, rc);
}

int64_t db_int(struct db_statement *statement, int column)
{
	return statement->db->driver->column_int(statement, column);
}

const char *db_text_borrowed(struct db_statement *statement, int column)
{
	return statement->db->driver->column_text(statement, column);
}

char *db_text(struct db_statement *statement, struct arena *arena, int column)
{
	const char *text = db_text_borrowed(statement, column);

	return text == NULL ? NULL : arena_strdup(arena, text);
}

struct span db_blob(struct db_statement *statement, int column)
{
	return statement->db->driver->column_blob(statement, column);
}
