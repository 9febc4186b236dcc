/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Another time, or another text, for what is to be sent later or is held: read the row, queue its change, change it in memory. The store takes
 * commits in order, so a message that becomes due meanwhile has its stanza made of what the row says.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/async.h"
#include "sessiond/daemon.h"
#include "sessiond/session/object.h"
#include "sessiond/session/private.h"
#include "sessiond/session/registry.h"
#include "sessiond/session/route.h"

struct rescheduling {
	struct session *session;
	struct session_call *call;
	char *id, *text;       /* owned; text NULL: stays as it is */
	int64_t not_before_ms; /* negative: as it is */
	struct arena arena;
	struct store_outbox row;
	struct buf edited;     /* the message with the new text */
	int64_t first;         /* its rows: one, or those of the chunks of a status */
	size_t n;
	bool known;            /* the first one is in memory */
	int error;
};

static void finish(struct rescheduling *r, enum reschedule_outcome outcome)
{
	struct session *session = r->session;

	r->call->result = (int)outcome;
	registry_answer(session, r->call);
	arena_free(&r->arena);
	buf_wipe(&r->edited);
	free(r->id);
	free(r->text);
	free(r);
	session->busy--;
	session_released(session);
}

static void read_row(struct store_reader *reader, void *arg)
{
	struct rescheduling *r = arg;
	struct send_route route;

	r->error = store_outbox_find(reader, &r->arena, r->session->number, r->id, &r->row);
	if (r->error)
		return;
	route_load(&route, r->row.info);
	r->first = route.chunks ? route.first : r->row.number;
	r->n = route.chunks ? route.chunks : 1;
	route_free(&route);
}

/* There are more rows than are kept in memory, and this one was not: now it may be the next to leave. */
static void load(struct rescheduling *r)
{
	struct store_outbox row = r->row;

	if (r->not_before_ms >= 0)
		row.not_before_ms = r->not_before_ms;
	if (r->edited.len)
		row.message = buf_span(&r->edited);
	outbox_load_row(r->session, &row);
	outbox_pump(r->session);
}

static void stored(void *arg, int error)
{
	struct rescheduling *r = arg;
	bool loaded = r->session->outbox.loaded;

	/* What is in memory is not what is stored; nor are all chunks known here. */
	if (loaded && (error || (!r->known && r->n > 1)))
		outbox_reload(r->session);
	else if (loaded && !r->known)
		load(r);
	finish(r, error ? RESCHEDULE_STORE_ERROR : RESCHEDULE_DONE);
}

static void change(struct rescheduling *r)
{
	struct session *session = r->session;
	struct store_tx *tx = store_tx_new(session->on->daemon->store);
	int64_t now_ms = timefmt_now_ms();

	for (size_t i = 0; i < r->n; i++) {
		int64_t number = r->first + (int64_t)i;

		store_tx_outbox_reschedule(tx, number, session->number, r->id, r->not_before_ms, buf_span(&r->edited), now_ms);
		outbox_reschedule(session, number, r->not_before_ms, buf_span(&r->edited));
	}
	async_commit(session->on->loop, session->on->daemon->store, tx, stored, r);
}

static void row_read(void *arg)
{
	struct rescheduling *r = arg;
	const struct outbox *outbox = &r->session->outbox;
	bool waits = r->row.not_before_ms > timefmt_now_ms() || outbox_may_take_back(r->session, r->first);

	r->known = outbox_find(r->session, r->first) != NULL;
	if (r->error)
		finish(r, r->error == STORE_NOT_FOUND ? RESCHEDULE_UNKNOWN : RESCHEDULE_STORE_ERROR);
	else if (r->row.state != STORE_OUTBOX_QUEUED || !waits || (r->known && !outbox_may_take_back(r->session, r->first)))
		finish(r, RESCHEDULE_UNDER_WAY);
	else if (outbox->loading)
		finish(r, RESCHEDULE_BUSY);
	else if (r->text && (r->n > 1 || !wa_edited(&r->edited, r->row.message, r->text)))
		finish(r, r->n > 1 ? RESCHEDULE_BROADCAST : RESCHEDULE_NO_TEXT);
	else
		change(r);
}

/* "<message id> <time> =<text>", "-" instead of "=<text>": none. */
static void read_call(struct rescheduling *r, const char *words)
{
	const char *time = strchr(words, ' '), *text = time ? strchr(time + 1, ' ') : NULL;

	r->id = xstrndup(words, time ? (size_t)(time - words) : strlen(words));
	r->not_before_ms = time ? strtoll(time + 1, NULL, 10) : -1;
	r->text = text && text[1] == '=' ? xstrdup(text + 2) : NULL;
}

void session_cmd_reschedule(struct session *session, struct session_call *call)
{
	struct rescheduling *r = xcalloc(1, sizeof *r);

	r->session = session;
	r->call = call;
	read_call(r, call->text);
	arena_init(&r->arena, 0);
	session->busy++;
	async_read(session->on->loop, session->on->daemon->store, read_row, row_read, r);
}

void sessions_reschedule(struct sessions *sessions, struct session_entry *entry, const char *message_id, int64_t not_before_ms, const char *text,
			 sessions_done *done, void *arg)
{
	(void)sessions;
	registry_call(entry, session_cmd_reschedule, xasprintf("%s %" PRId64 " %s%s", message_id, not_before_ms, text ? "=" : "-", text ? text : ""), NULL, done,
		arg);
}
