/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A database of the original, see original.h. Foreign: bounded, no functions of its schema run, nothing is written. */
#include "sessiond/store/original.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "sessiond/store/private.h"

enum { TEXT_MAX_BYTES = 4096, ROWS_MAX = 100000, BUSY_MS = 5000 };

struct opened {
	sqlite3 *db;
	struct arena *arena;
	char *why;
	size_t size;
};

static int fail(const struct opened *o, int error, const char *text)
{
	snprintf(o->why, o->size, "%s%s%s", text, o->db ? ": " : "", o->db ? sqlite3_errmsg(o->db) : "");
	return error;
}

static const char *column(const struct opened *o, sqlite3_stmt *row, int i)
{
	const unsigned char *text = sqlite3_column_text(row, i);
	size_t n = (size_t)sqlite3_column_bytes(row, i);

	/* Neither too long nor with a NUL inside: no name, path or URL of ours could hold it. */
	return text && n <= TEXT_MAX_BYTES && strlen((const char *)text) == n ? arena_text(o->arena, text, n) : "";
}

static bool has_table(const struct opened *o, const char *name)
{
	sqlite3_stmt *row = NULL;
	bool found = false;

	if (sqlite3_prepare_v2(o->db, "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", -1, &row, NULL) == SQLITE_OK &&
	    sqlite3_bind_text(row, 1, name, -1, SQLITE_STATIC) == SQLITE_OK)
		found = sqlite3_step(row) == SQLITE_ROW;
	sqlite3_finalize(row);
	return found;
}

static void take_session(const struct opened *o, sqlite3_stmt *row, void *out)
{
	*(struct original_session *)out = (struct original_session){
		.id = column(o, row, 0),
		.owner = column(o, row, 1),
		.label = column(o, row, 2),
		.directory = column(o, row, 3),
		.auto_start = sqlite3_column_int(row, 4) != 0,
		.webhook_url = column(o, row, 5),
		.webhook_secret = column(o, row, 6),
		.status = column(o, row, 7),
		.connected = column(o, row, 8),
	};
}

static void take_user(const struct opened *o, sqlite3_stmt *row, void *out)
{
	*(struct original_user *)out = (struct original_user){
		.registry = column(o, row, 0),
		.username = column(o, row, 1),
		.password = column(o, row, 2),
		.key = column(o, row, 3),
		.admin = sqlite3_column_int(row, 4) != 0,
	};
}

static int read_rows(const struct opened *o, const char *sql, struct rows *rows, void (*take)(const struct opened *o, sqlite3_stmt *row, void *out))
{
	sqlite3_stmt *row = NULL;
	int rc = sqlite3_prepare_v2(o->db, sql, -1, &row, NULL);

	if (rc == SQLITE_OK) {
		while ((rc = sqlite3_step(row)) == SQLITE_ROW && rows->count < ROWS_MAX)
			take(o, row, rows_add(rows));
	}
	/* The error's text is the statement's as long as that lives. */
	rc = rc == SQLITE_DONE || rc == SQLITE_ROW ? STORE_OK : fail(o, STORE_IO, "the file cannot be read as a database of the original");
	sqlite3_finalize(row);
	return rc;
}

static int read_all(struct original *out, const struct opened *o)
{
	struct rows sessions, users;
	int rc;

	rows_init(&sessions, o->arena, sizeof *out->sessions);
	rows_init(&users, o->arena, sizeof *out->users);
	out->adopted = has_table(o, "original_sessions");
	rc = read_rows(o, out->adopted ? "SELECT id, registry_user, label, credentials_path, auto_start, webhook_url, webhook_secret, status, last_connected_at "
					 "FROM original_sessions ORDER BY created_at, id"
				       : "SELECT id, registry_user, label, credentials_path, auto_start, webhook_url, webhook_secret, status, last_connected_at "
					 "FROM sessions ORDER BY created_at, id", &sessions, take_session);
	/* Once they are taken over, nothing of them is left there. */
	if (!rc && !out->adopted)
		rc = read_rows(o, "SELECT registry, username, password, api_key, is_admin FROM users", &users, take_user);
	out->sessions = sessions.data;
	out->nsessions = sessions.count;
	out->users = users.data;
	out->nusers = users.count;
	return rc;
}

int original_read(struct original *out, struct arena *arena, const char *path, char *why, size_t size)
{
	struct opened o = { .arena = arena, .why = why, .size = size };
	int rc;

	*out = (struct original){ 0 };
	if (sqlite3_open_v2(path, &o.db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK) {
		rc = fail(&o, STORE_IO, "the file cannot be opened");
	} else {
		sqlite3_busy_timeout(o.db, BUSY_MS);
		sqlite3_db_config(o.db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
		sqlite3_db_config(o.db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
		rc = read_all(out, &o);
	}
	sqlite3_close(o.db);
	return rc;
}
