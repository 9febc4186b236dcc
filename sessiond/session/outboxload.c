/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rows of an earlier life, see outbox.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/async.h"
#include "sessiond/daemon.h"
#include "sessiond/session/lookup.h"
#include "sessiond/session/object.h"

/* All that a session may have waiting (job.c), so that the order is known. */
enum { RELOAD_ROWS = 10000, RELOAD_SCHEDULED = 10000 };

struct reload {
	struct session *session;
	int64_t number;
	uint64_t life;
	struct arena arena;
	int64_t now_ms;
	struct store_outbox *rows, *later;
	size_t n, nlater;
	const char **timer_names;
	struct span *timers;
	size_t ntimers;
	struct queue_record record;
	int error;
};

static void reload_read(struct store_reader *reader, void *arg)
{
	struct reload *r = arg;

	r->error = store_outbox_pending(reader, &r->arena, r->number, r->now_ms, RELOAD_ROWS, &r->rows, &r->n);
	if (!r->error)
		r->error = store_record_list(reader, &r->arena, r->number, RECORD_TIMER, &r->timer_names, &r->timers, &r->ntimers);
	if (!r->error)
		r->error = store_outbox_scheduled(reader, &r->arena, r->number, r->now_ms, RELOAD_SCHEDULED, &r->later, &r->nlater);
	if (!r->error)
		r->error = queue_record_read(reader, &r->arena, r->number, &r->record);
}

static void take_new(struct session *session, const struct store_outbox *row)
{
	struct outbox_item *item;
	struct jid to;

	if (jid_parse_text(&to, row->recipient)) {
		log_error(&session->log, "outbox row with an unreadable recipient", LOG_STR("session", session->id), LOG_INT("row", row->number));
		return;
	}
	item = outbox_item_new(session, row->number);
	snprintf(item->id, sizeof item->id, "%s", row->message_id);
	item->to = to;
	buf_append_span(&item->plaintext, row->message);
	route_load(&item->route, row->info);
	item->node.priority = item->route.priority;
	buf_append_span(&item->stanza, row->stanza);
	item->stored = true;
	item->created_ms = row->created_ms;
	item->not_before_ms = row->not_before_ms;
	outbox_place(item);
}

void outbox_load_row(struct session *session, const struct store_outbox *row)
{
	struct outbox_item *item = outbox_find(session, row->number);

	if (!item) {
		take_new(session, row);
		return;
	}
	if (!row->stanza.n)
		return;
	outbox_unlink(item);
	buf_clear(&item->stanza);
	buf_append_span(&item->stanza, row->stanza);
	outbox_place(item);
}

static void reload_done(void *arg)
{
	struct reload *r = arg;
	struct session *session = r->session;
	struct outbox *outbox = &session->outbox;

	if (session->life == r->life) {
		outbox->loading = false;
		outbox->loaded = r->error == 0;
		outbox->more = r->n == RELOAD_ROWS;
		outbox->later_until_ms = r->nlater == RELOAD_SCHEDULED ? r->later[r->nlater - 1].not_before_ms : 0;
		for (size_t i = 0; i < r->ntimers && !r->error; i++)
			chat_timers_load(&session->timers, r->timer_names[i], r->timers[i]);
		if (!r->error)
			queue_record_take(session, &r->record);
		for (size_t i = 0; i < r->n && !r->error; i++)
			outbox_load_row(session, &r->rows[i]);
		for (size_t i = 0; i < r->nlater && !r->error; i++)
			outbox_load_row(session, &r->later[i]);
		if (r->error)
			log_error(&session->log, "outbox cannot be read", LOG_STR("session", session->id), LOG_STR("reason", store_error_name(r->error)));
		outbox_pump(session);
	}
	queue_record_free(&r->record);
	arena_free(&r->arena);
	free(r);
	session->busy--;
	session_released(session);
}

/* Its row says whether it has a stanza. */
static void put_back(struct outbox_item *item)
{
	outbox_unlink(item);
	outbox_end_slot(item);
	timer_stop(item->session->on->timers, &item->attempt);
	buf_clear(&item->stanza);
	item->built = false;
	outbox_place(item);
}

void outbox_reload(struct session *session)
{
	struct outbox *outbox = &session->outbox;
	struct reload *r = xcalloc(1, sizeof *r);

	/* What the last client held goes through the queue again, with the stanza if one was stored. */
	while (outbox->handed.first || outbox->again.first) {
		struct queue_list *list = outbox->handed.first ? &outbox->handed : &outbox->again;
		struct outbox_item *item = (struct outbox_item *)list->first;

		put_back(item);
	}
	if (outbox->current)
		put_back(outbox->current);
	timer_stop(session->on->timers, &outbox->presence);
	outbox->step = 0;
	outbox->loaded = false;
	outbox->loading = true;
	r->session = session;
	r->number = session->number;
	r->life = session->life;
	r->now_ms = timefmt_now_ms();
	arena_init(&r->arena, 0);
	session->busy++;
	async_read(session->on->loop, session->on->daemon->store, reload_read, reload_done, r);
}
