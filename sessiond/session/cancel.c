/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Taking back what is to be sent later or is held: read the row, take it out of memory, change the row. */
#include <stdlib.h>

#include "common/mem.h"
#include "sessiond/async.h"
#include "sessiond/daemon.h"
#include "sessiond/session/object.h"
#include "sessiond/session/private.h"
#include "sessiond/session/registry.h"
#include "sessiond/session/route.h"

struct cancelling {
	struct session *session;
	struct session_call *call;
	struct arena arena;
	struct store_outbox row;
	int64_t first;   /* its rows: one, or those of the chunks of a status */
	size_t n;
	int error;
};

static void finish(struct cancelling *c, enum cancel_outcome outcome)
{
	struct session *session = c->session;

	c->call->result = (int)outcome;
	registry_answer(session, c->call);
	arena_free(&c->arena);
	free(c);
	session->busy--;
	session_released(session);
}

static void read_row(struct store_reader *reader, void *arg)
{
	struct cancelling *c = arg;
	struct send_route route;

	c->error = store_outbox_find(reader, &c->arena, c->session->number, c->call->text, &c->row);
	if (c->error)
		return;
	route_load(&route, c->row.info);
	c->first = route.chunks ? route.first : c->row.number;
	c->n = route.chunks ? route.chunks : 1;
	route_free(&route);
}

static void stored(void *arg, int error)
{
	struct cancelling *c = arg;

	/* The rows are still there: back into the queue with them. */
	if (error && c->session->outbox.loaded)
		outbox_reload(c->session);
	finish(c, error ? CANCEL_STORE_ERROR : CANCEL_DONE);
}

static void take_back(struct cancelling *c)
{
	struct session *session = c->session;
	struct store_tx *tx = store_tx_new(session->on->daemon->store);
	int64_t now_ms = timefmt_now_ms();

	for (size_t i = 0; i < c->n; i++) {
		outbox_take_back(session, c->first + (int64_t)i);
		store_tx_outbox_cancel(tx, c->first + (int64_t)i, now_ms);
	}
	async_commit(session->on->loop, session->on->daemon->store, tx, stored, c);
}

static void row_read(void *arg)
{
	struct cancelling *c = arg;
	const struct outbox *outbox = &c->session->outbox;
	bool due = c->row.not_before_ms <= timefmt_now_ms() && !outbox_may_take_back(c->session, c->first);

	if (c->error)
		finish(c, c->error == STORE_NOT_FOUND ? CANCEL_UNKNOWN : CANCEL_STORE_ERROR);
	else if (c->row.state == STORE_OUTBOX_CANCELLED)
		finish(c, CANCEL_DONE);
	else if (c->row.state != STORE_OUTBOX_QUEUED || due)
		finish(c, CANCEL_UNDER_WAY);
	else if (outbox->loading)
		finish(c, CANCEL_BUSY);
	else
		take_back(c);
}

void session_cmd_cancel(struct session *session, struct session_call *call)
{
	struct cancelling *c = xcalloc(1, sizeof *c);

	c->session = session;
	c->call = call;
	arena_init(&c->arena, 0);
	session->busy++;
	async_read(session->on->loop, session->on->daemon->store, read_row, row_read, c);
}

void sessions_cancel(struct sessions *sessions, struct session_entry *entry, const char *message_id, sessions_done *done, void *arg)
{
	(void)sessions;
	registry_call(entry, session_cmd_cancel, xstrdup(message_id), NULL, done, arg);
}
