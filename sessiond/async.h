/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The store's answers, brought back to the loop that asked. */
#ifndef SESSIOND_ASYNC_H
#define SESSIOND_ASYNC_H

#include "sessiond/loop.h"
#include "sessiond/store/store.h"

/* Any thread. read(reader, arg) runs on a reader thread, then done(arg) on the loop. done is not called when the loop has stopped. */
void async_read(struct loop *loop, struct store *store, void (*read)(struct store_reader *reader, void *arg), void (*done)(void *arg), void *arg);

/* Any thread. Commits tx (the store's from here on), then done(arg, error) runs on the loop. done may be NULL. */
void async_commit(struct loop *loop, struct store *store, struct store_tx *tx, void (*done)(void *arg, int error), void *arg);

/* The same with store_commit_lazy(): for what nobody waits for. */
void async_commit_lazy(struct loop *loop, struct store *store, struct store_tx *tx, void (*done)(void *arg, int error), void *arg);

/* The same with store_commit_bulk(): for much of what can wait. */
void async_commit_bulk(struct loop *loop, struct store *store, struct store_tx *tx, void (*done)(void *arg, int error), void *arg);

#endif
