/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The migrations of this build, made from sql/ by embed-sql.sh; and applying them. */
#ifndef STORE_MIGRATIONS_H
#define STORE_MIGRATIONS_H

#include "sessiond/store/db.h"
#include "sessiond/store/store.h"

extern const struct db_migration migrations_sqlite[];
extern const size_t migrations_sqlite_count;

/*
 * Compares what the database has with what this build knows and, with apply, applies the rest. rows (arena, may be NULL) get every
 * known migration. STORE_PENDING when something is missing and apply is false.
 */
int migrate_run(struct db *db, bool apply, int64_t now_ms, struct arena *arena, struct store_migration **rows, char *why,
                size_t why_len);

#endif
