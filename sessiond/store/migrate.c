/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Numbered migrations: each applied once, in one transaction, remembered with the SHA-256 of its text. */
#include "sessiond/store/migrations.h"

#include <stdio.h>
#include <string.h>

#include "sessiond/crypto/crypto.h"

enum { CHECKSUM_HEX = 2 * CRYPTO_SHA256_LEN + 1 };

static int checksum_of(const struct db_migration *migration, char hex[CHECKSUM_HEX])
{
	uint8_t digest[CRYPTO_SHA256_LEN];

	if (crypto_sha256(migration->sql, strlen(migration->sql), digest) != CRYPTO_OK)
		return STORE_IO;
	crypto_hex(digest, sizeof digest, hex);
	return 0;
}

static int make_table(struct db *db)
{
	return db->driver->script(db, "CREATE TABLE IF NOT EXISTS schema_migrations ("
	                              "number INTEGER NOT NULL PRIMARY KEY, name VARCHAR(255) NOT NULL, "
	                              "checksum CHAR(64) NOT NULL, applied_ms BIGINT NOT NULL)");
}

/* A database made by a later version has numbers that this build does not know. */
static int check_newest(struct db *db, char *why, size_t why_len)
{
	unsigned known = db->driver->migrations[*db->driver->migration_count - 1].number;
	struct db_statement *query;
	int64_t newest = 0;
	int rc = 0;

	query = db_query(db, &rc, "SELECT max(number) FROM schema_migrations", "");
	if (query != NULL) {
		rc = db_step(query);
		if (rc > 0)
			newest = db_int(query, 0);
		rc = db_done(query, rc < 0 ? rc : 0);
	}
	if (rc != 0 || newest <= known)
		return rc;
	snprintf(why, why_len, "the database has schema %lld, this program knows %u: it was used by a later version",
	         (long long)newest, known);
	return STORE_NEWER;
}

/* *applied_ms stays 0 when the migration is pending. */
static int look_up(struct db *db, const struct db_migration *migration, int64_t *applied_ms, char *why, size_t why_len)
{
	char hex[CHECKSUM_HEX];
	struct db_statement *query;
	int rc = checksum_of(migration, hex);
	bool same = true;

	*applied_ms = 0;
	if (rc != 0)
		return rc;
	query = db_query(db, &rc, "SELECT checksum, applied_ms FROM schema_migrations WHERE number = ?", "i",
	                 (int64_t)migration->number);
	if (query == NULL)
		return rc;
	rc = db_step(query);
	if (rc > 0) {
		same = strcmp(db_text_borrowed(query, 0), hex) == 0;
		*applied_ms = db_int(query, 1);
	}
	rc = db_done(query, rc < 0 ? rc : 0);
	if (rc != 0 || same)
		return rc;
	snprintf(why, why_len, "migration %s was applied with another text than this program has", migration->name);
	return STORE_CHECKSUM;
}

static int apply_one(struct db *db, const struct db_migration *migration, int64_t now_ms)
{
	char hex[CHECKSUM_HEX];
	int rc = checksum_of(migration, hex);

	if (rc == 0)
		rc = db->driver->begin(db);
	if (rc == 0)
		rc = db->driver->script(db, migration->sql);
	if (rc == 0)
		rc = db_run(db, "INSERT INTO schema_migrations (number, name, checksum, applied_ms) VALUES (?, ?, ?, ?)", "itti",
		            (int64_t)migration->number, migration->name, hex, now_ms);
	if (rc == 0)
		rc = db->driver->commit(db);
	return rc;
}

int migrate_run(struct db *db, bool apply, int64_t now_ms, struct arena *arena, struct store_migration **rows, char *why,
                size_t why_len)
{
	size_t count = *db->driver->migration_count;
	bool pending = false;
	int rc = make_table(db);

	why[0] = '\0';
	if (rc == 0)
		rc = check_newest(db, why, why_len);
	if (rows != NULL)
		*rows = arena_alloc(arena, count * sizeof **rows);
	for (size_t i = 0; i < count && rc == 0; i++) {
		const struct db_migration *migration = &db->driver->migrations[i];
		int64_t applied_ms;

		rc = look_up(db, migration, &applied_ms, why, why_len);
		if (rc == 0 && applied_ms == 0 && apply) {
			rc = apply_one(db, migration, now_ms);
			applied_ms = now_ms;
		}
		pending = pending || applied_ms == 0;
		if (rows != NULL)
			(*rows)[i] = (struct store_migration){ migration->number, migration->name, applied_ms };
	}
	if (rc != 0 && why[0] == '\0')
		snprintf(why, why_len, "migrating the database: %s", db->driver->message(db));
	db->driver->rollback(db);
	return rc == 0 && pending ? STORE_PENDING : rc;
}
