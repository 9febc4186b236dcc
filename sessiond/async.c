/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Letters around the store's threads. */
#include "sessiond/async.h"

#include <stdlib.h>

#include "common/mem.h"

struct reading {
	struct loop *loop;
	void (*read)(struct store_reader *reader, void *arg);
	void (*done)(void *arg);
	void *arg;
};

struct committing {
	struct loop *loop;
	void (*done)(void *arg, int error);
	void *arg;
	int error;
};

static void read_on_thread(struct store_reader *reader, void *arg)
{
	struct reading *r = arg;

	r->read(reader, r->arg);
	loop_post(r->loop, r->done, r->arg);
	free(r);
}

void async_read(struct loop *loop, struct store *store, void (*read)(struct store_reader *reader, void *arg), void (*done)(void *arg), void *arg)
{
	struct reading *r = xmalloc(sizeof *r);

	*r = (struct reading){ .loop = loop, .read = read, .done = done, .arg = arg };
	store_read(store, read_on_thread, r);
}

static void committed_here(void *arg)
{
	struct committing *c = arg;

	c->done(c->arg, c->error);
	free(c);
}

static void committed(void *arg, int error)
{
	struct committing *c = arg;

	c->error = error;
	if (!loop_post(c->loop, committed_here, c))
		free(c);
}

static struct committing *committing_new(struct loop *loop, void (*done)(void *arg, int error), void *arg)
{
	struct committing *c = xmalloc(sizeof *c);

	*c = (struct committing){ .loop = loop, .done = done, .arg = arg };
	return c;
}

void async_commit(struct loop *loop, struct store *store, struct store_tx *tx, void (*done)(void *arg, int error), void *arg)
{
	if (done)
		store_commit(store, tx, committed, committing_new(loop, done, arg));
	else
		store_commit(store, tx, NULL, NULL);
}

void async_commit_lazy(struct loop *loop, struct store *store, struct store_tx *tx, void (*done)(void *arg, int error), void *arg)
{
	store_commit_lazy(store, tx, committed, committing_new(loop, done, arg));
}

void async_commit_bulk(struct loop *loop, struct store *store, struct store_tx *tx, void (*done)(void *arg, int error), void *arg)
{
	store_commit_bulk(store, tx, committed, committing_new(loop, done, arg));
}
