/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sessiond/store: the database. The daemon alone opens it; nothing outside this folder knows which database it is.
 *
 *     loops ---- struct store_tx (typed changes of one operation) ----> [ queue ] --> writer thread: group commit
 *                                                                                        | done(arg, error)
 *     loops ---- store_read(fn) ----------------------------------> reader threads: fn(reader, arg)
 *
 * A tx is all or nothing; a bad tx does not harm those grouped with it. done() and fn() run on the store's threads: post from there
 * to your loop (loop_post). After error 0 the change survives kill -9 and power loss. Values marked "sealed" are encrypted at rest.
 */
#ifndef SESSIOND_STORE_H
#define SESSIOND_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"

struct store;
struct store_tx;
struct store_reader;

enum store_error {
	STORE_OK = 0,
	STORE_BUSY = -1,       /* locked by somebody else for longer than the limit */
	STORE_FULL = -2,       /* disk or quota */
	STORE_CONSTRAINT = -3, /* a unique value exists already */
	STORE_CORRUPT = -4,
	STORE_READONLY = -5,
	STORE_IO = -6,
	STORE_NOT_FOUND = -7,
	STORE_NEWER = -8,      /* schema made by a later version */
	STORE_CHECKSUM = -9,   /* an applied migration is not the one of this build */
	STORE_SEAL = -10       /* a sealed value does not open: wrong master key, or altered */
};

typedef void store_done(void *arg, int error);

/* Any thread. The store owns tx from here on, in every case; done is called exactly once (may be NULL). */
void store_commit(struct store *store, struct store_tx *tx, store_done *done, void *arg);
/* Any thread. Runs fn on a reader thread with a consistent snapshot. */
void store_read(struct store *store, void (*fn)(struct store_reader *reader, void *arg), void *arg);

#endif
