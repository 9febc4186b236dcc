/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Taking over a database of the original (its tables: config.md of the contract, section 8).
 *
 *     users, sessions          -> original_users, original_sessions (emptied of secrets once imported)
 *     sync_*, _migrations      stay as they are
 *
 * Users keep names, passwords and keys; sessions keep owner, label and webhook and must be linked again: the original's Signal keys
 * lie in files.
 */
#ifndef STORE_ADOPT_H
#define STORE_ADOPT_H

#include "sessiond/store/private.h"

/* Before the migrations: moves the original's tables out of the way. Nothing happens to a database of our own. */
int adopt_tables(struct db *db);
/* After them, in a transaction: imports the rows, once. */
int adopt_rows(struct store *store, struct db *db);

#endif
