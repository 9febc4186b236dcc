/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Audiences of a status (see audience.h).
 *
 *     the account's status privacy (asked from the server) --+-- only these: the list
 *                                                            +-- contacts, or contacts except these: people of the address book, as stored
 */
#include "sessiond/session/audience.h"

#include <stdlib.h>

#include "common/mem.h"
#include "sessiond/async.h"
#include "sessiond/daemon.h"
#include "sessiond/session/lookup.h"
#include "sessiond/store/chats.h"

#define CONTACTS_PER_PAGE 1000
#define AUDIENCE_MAX 20000U

struct finding {
	struct session *session;
	struct send_job *job;
	void (*done)(void *arg, bool somebody);
	void *arg;
	int64_t number;
	struct jid pn, lid;    /* own */
	struct jid *except;    /* owned; LIDs by their numbers as well, where these are known */
	size_t nexcept;
	bool unnamed;          /* one of them is a LID whose number is not known */
	struct jid *list;      /* owned */
	size_t n;
};

bool audience_wanted(const struct send_job *job)
{
	for (size_t i = 0; i < job->n; i++) {
		if (jid_is_status(&job->items[i].to) && !job->items[i].naudience)
			return true;
	}
	return false;
}

static void finish(struct finding *f)
{
	for (size_t i = 0; i < f->job->n && f->n; i++) {
		struct send_item *item = &f->job->items[i];

		if (!jid_is_status(&item->to) || item->naudience)
			continue;
		item->audience = xmemdup(f->list, f->n * sizeof *f->list);
		item->naudience = f->n;
	}
	f->done(f->arg, !audience_wanted(f->job));
	free(f->list);
	free(f->except);
	free(f);
}

/* ---- contacts ---- */

static bool is_out(const struct finding *f, const struct jid *jid)
{
	if (jid_is_none(jid))
		return false;
	if (jid_same_user(jid, &f->pn) || (!jid_is_none(&f->lid) && jid_same_user(jid, &f->lid)))
		return true;
	for (size_t i = 0; i < f->nexcept; i++) {
		if (jid_same_user(jid, &f->except[i]))
			return true;
	}
	return false;
}

static void name_exceptions(struct store_reader *reader, struct arena *arena, struct finding *f)
{
	size_t n = f->nexcept;

	f->except = xrealloc(f->except, (2 * n + 1) * sizeof *f->except);
	for (size_t i = 0; i < n; i++) {
		struct jid other = lookup_other(reader, arena, f->number, &f->except[i]);

		if (!jid_is_none(&other))
			f->except[f->nexcept++] = other;
		else if (jid_is_lid(&f->except[i]))
			f->unnamed = true;
	}
}

static void add_contact(struct store_reader *reader, struct arena *arena, struct finding *f, const struct store_chat *chat)
{
	struct jid jid, lid = { .server = JID_SERVER_NONE };

	if (!chat->is_contact || f->n == AUDIENCE_MAX || jid_parse_text(&jid, chat->jid) || !jid_is_person(&jid))
		return;
	if (chat->lid && jid_parse_text(&lid, chat->lid))
		lid.server = JID_SERVER_NONE;
	if (jid_is_none(&lid) && f->unnamed)
		lid = lookup_other(reader, arena, f->number, &jid);
	/* Who may be one of those that must not see it does not. */
	if (is_out(f, &jid) || is_out(f, &lid) || (f->unnamed && !jid_is_lid(&jid) && jid_is_none(&lid)))
		return;
	f->list = xrealloc(f->list, (f->n + 1) * sizeof *f->list);
	f->list[f->n++] = jid_bare(&jid);
}

/* On a thread of the store's readers. */
static void read_contacts(struct store_reader *reader, void *arg)
{
	struct finding *f = arg;
	struct store_chat_query query = { .order = STORE_BY_JID, .ascending = true, .contacts = true, .kind = STORE_CHAT_PERSON, .archived = -1,
		.limit = CONTACTS_PER_PAGE };
	struct store_page page;
	struct arena arena;
	bool more = true;

	arena_init(&arena, 0);
	name_exceptions(reader, &arena, f);
	while (more) {
		struct store_chat *rows;
		size_t n = 0;

		page = (struct store_page){ 0 };
		more = store_chat_list(reader, &arena, f->number, &query, &rows, &n, &page) == STORE_OK && page.cursor;
		for (size_t i = 0; i < n; i++)
			add_contact(reader, &arena, f, &rows[i]);
		query.cursor = page.cursor;
	}
	arena_free(&arena);
}

static void contacts_read(void *arg)
{
	finish(arg);
}

/* ---- privacy ---- */

static void told(void *arg, const struct wa_status_privacy *privacy, int code)
{
	struct finding *f = arg;

	if (code || !privacy) {
		log_warn(&f->session->log, "status privacy cannot be read", LOG_STR("session", f->session->id), LOG_INT("code", code));
		finish(f);
		return;
	}
	if (privacy->mode == WA_STATUS_ONLY) {
		f->list = privacy->n ? xmemdup(privacy->list, privacy->n * sizeof *privacy->list) : NULL;
		f->n = privacy->n;
		finish(f);
		return;
	}
	f->except = privacy->n ? xmemdup(privacy->list, privacy->n * sizeof *privacy->list) : NULL;
	f->nexcept = privacy->n;
	async_read(f->session->on->loop, f->session->on->daemon->store, read_contacts, contacts_read, f);
}

void audience_find(struct session *session, struct send_job *job, void (*done)(void *arg, bool somebody), void *arg)
{
	struct finding *f = xcalloc(1, sizeof *f);

	f->session = session;
	f->job = job;
	f->done = done;
	f->arg = arg;
	f->number = session->number;
	f->pn = jid_bare(&session->view.me_pn);
	f->lid = jid_bare(&session->view.me_lid);
	wa_client_status_privacy(session->client, told, f);
}
