/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Recognising a database that went back in time. The database counts its epochs (one per start, and one per minute with work); the
 * last count is also kept in a small file beside it. A database that is behind the file is a backup that was put back: its Signal
 * ratchets are older than what was sent since, so every session is marked and must be confirmed before it connects.
 *
 *     <database>.fence:   "<id of the database, 32 hex digits> <epoch>\n"
 */
#ifndef STORE_FENCE_H
#define STORE_FENCE_H

#include "sessiond/store/private.h"

/*
 * At the start, in a transaction on the writer's connection, before its thread runs: compares, marks sessions, begins a new epoch.
 * After the commit fence_follow() brings the file up.
 */
int fence_check(struct store *store, struct db *db);
/* Adds the next epoch to a tx; again fence_follow() comes after its commit. */
void fence_advance(struct store_tx *tx);
int fence_follow(struct store *store);

#endif
