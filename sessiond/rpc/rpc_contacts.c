/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * profile.contacts (contract rest-b 4.4): people of the store, or the people in groups.
 *
 *     contacts   page of the store ------------------------------------------------+
 *     groups     ids (given, or all) -> each group asked -> people -> page -> names +--> deep: cards (cards.h) --> answer
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/mem.h"
#include "common/recipient.h"
#include "sessiond/async.h"
#include "sessiond/daemon.h"
#include "sessiond/json_text.h"
#include "sessiond/rpc/people.h"
#include "sessiond/session/groupjob.h"
#include "sessiond/store/chats.h"

/* Groups that one request looks into. */
enum { GROUPS_MAX = 512 };

struct contact {
	struct jid pn, lid;       /* server NONE if unknown */
	char *name, *verified;    /* owned; NULL: none */
};

struct contacts_work {
	struct rpc_request *request; /* borrowed; NULL: gone while the store reads */
	struct daemon *daemon;       /* borrowed */
	int64_t session;
	int64_t limit, offset;
	bool deep, in_groups, reading;
	struct jid own, own_lid;
	struct contact *contacts;    /* owned: of the page */
	size_t n, cap;
	struct jid *groups;          /* owned */
	size_t ngroups, next;
	int error;
};

static void work_free(void *arg)
{
	struct contacts_work *w = arg;

	if (w->reading) {
		w->request = NULL;
		return;
	}
	for (size_t i = 0; i < w->n; i++) {
		free(w->contacts[i].name);
		free(w->contacts[i].verified);
	}
	free(w->contacts);
	free(w->groups);
	free(w);
}

static struct contact *add_contact(struct contacts_work *w, const struct jid *pn, const struct jid *lid)
{
	if (w->n == w->cap) {
		w->cap = w->cap ? 2 * w->cap : 64;
		w->contacts = xrealloc(w->contacts, w->cap * sizeof *w->contacts);
	}
	w->contacts[w->n] = (struct contact){ .pn = *pn, .lid = *lid };
	return &w->contacts[w->n++];
}

/* ---- the answer ---- */

static void put_contact(struct buf *out, const struct contact *c, const struct card *card, bool in_groups)
{
	const struct jid *jid = jid_is_none(&c->pn) ? &c->lid : &c->pn;
	const char *verified = card && card->verified_name ? card->verified_name : c->verified;

	buf_u8(out, '{');
	people_put_jid(out, "jid", jid);
	people_put_jid(out, "lid", &c->lid);
	people_put_phone(out, "phone", jid);
	json_put_member(out, "name", c->name ? c->name : in_groups ? jid->user : NULL);
	if (card) {
		if (verified)
			json_put_member(out, "verifiedName", verified);
		people_put_found(out, card);
	}
	buf_u8(out, '}');
}

static void answer(struct contacts_work *w, const struct cards_job *job)
{
	struct buf result = { 0 };

	buf_u8(&result, '{');
	json_put_member(&result, "phone", w->own.user);
	buf_append_text(&result, ",\"data\":[");
	for (size_t i = 0; i < w->n; i++) {
		if (i)
			buf_u8(&result, ',');
		put_contact(&result, &w->contacts[i], job ? &job->cards[i] : NULL, w->in_groups);
	}
	buf_append_text(&result, "]}");
	rpc_answer(w->request, 200, 1000, "Contacts list", buf_text(&result));
	buf_free(&result);
}

static void looked_up(struct ask_job *ask)
{
	struct cards_job *job = (struct cards_job *)ask;
	struct rpc_request *request = ask->arg;

	if (ask->code)
		people_refuse(request, ask->code, "WhatsApp did not answer");
	else
		answer(request->work, job);
	cards_job_free(job);
}

static void go_deep(struct contacts_work *w)
{
	struct cards_job *job;

	if (!w->deep || w->n == 0) {
		answer(w, NULL);
		return;
	}
	job = cards_job_new(w->n);
	for (size_t i = 0; i < w->n; i++)
		job->cards[i].jid = jid_is_none(&w->contacts[i].pn) ? w->contacts[i].lid : w->contacts[i].pn;
	job->what = WA_ASK_LID | WA_ASK_ABOUT | WA_ASK_BUSINESS;
	job->full = job->preview = job->business = true;
	if (!people_ask(w->request, &job->ask, looked_up))
		cards_job_free(job);
}

/* ---- the store ---- */

static void take_names(struct contact *c, const struct store_chat *row)
{
	const char *name = row->verified_name ? row->verified_name : row->name ? row->name : row->push_name;

	free(c->name);
	free(c->verified);
	c->name = name ? xstrdup(name) : NULL;
	c->verified = row->verified_name ? xstrdup(row->verified_name) : NULL;
}

static void jid_of_text(struct jid *jid, const char *text)
{
	if (!text || jid_parse_text(jid, text))
		*jid = (struct jid){ .server = JID_SERVER_NONE };
}

/* On a thread of the store's readers. */
static void read_page(struct store_reader *reader, void *arg)
{
	struct contacts_work *w = arg;
	char own[JID_TEXT_MAX], own_lid[JID_TEXT_MAX];
	const struct store_chat_query query = {
		.order = STORE_BY_UPDATED, .ascending = false, .contacts = true, .kind = STORE_CHAT_PERSON, .archived = -1,
		.own = jid_format(&w->own, own, sizeof own), .own_lid = jid_is_none(&w->own_lid) ? NULL : jid_format(&w->own_lid, own_lid, sizeof own_lid),
		.limit = w->limit, .offset = w->offset,
	};
	struct store_chat *rows = NULL;
	struct store_page page = { 0 };
	struct arena arena;
	size_t n = 0;

	arena_init(&arena, 0);
	w->error = store_chat_list(reader, &arena, w->session, &query, &rows, &n, &page);
	for (size_t i = 0; i < n && !w->error; i++) {
		struct jid jid, lid;

		jid_of_text(&jid, rows[i].jid);
		jid_of_text(&lid, rows[i].lid ? rows[i].lid : jid_is_lid(&jid) ? rows[i].jid : NULL);
		if (!jid_is_pn(&jid))
			jid = (struct jid){ .server = JID_SERVER_NONE };
		if (!jid_is_none(&jid) || !jid_is_none(&lid))
			take_names(add_contact(w, &jid, &lid), &rows[i]);
	}
	arena_free(&arena);
}

/* Likewise: what the people of groups are called. */
static void read_names(struct store_reader *reader, void *arg)
{
	struct contacts_work *w = arg;
	struct arena arena;

	arena_init(&arena, 0);
	for (size_t i = 0; i < w->n && !w->error; i++) {
		struct store_chat row;
		int error = store_chat_get(reader, &arena, w->session, &w->contacts[i].pn, &row);

		if (error == STORE_OK)
			take_names(&w->contacts[i], &row);
		else if (error != STORE_NOT_FOUND)
			w->error = error;
		arena_reset(&arena);
	}
	arena_free(&arena);
}

static int by_name(const void *a, const void *b)
{
	const struct contact *x = a, *y = b;
	int order = strcasecmp(x->name ? x->name : x->pn.user, y->name ? y->name : y->pn.user);

	return order ? order : strcmp(x->pn.user, y->pn.user);
}

static void read_done(void *arg)
{
	struct contacts_work *w = arg;

	w->reading = false;
	if (!w->request) {
		work_free(w);
		return;
	}
	if (w->error) {
		rpc_answer(w->request, 500, 8000, "Internal error", NULL);
		return;
	}
	if (w->in_groups && w->n)
		qsort(w->contacts, w->n, sizeof *w->contacts, by_name);
	go_deep(w);
}

static void read_store(struct contacts_work *w, void (*read)(struct store_reader *reader, void *arg))
{
	w->reading = true;
	async_read(w->daemon->loop, w->daemon->store, read, read_done, w);
}

/* ---- groups ---- */

static void ask_next(struct contacts_work *w);

static bool is_own(const struct contacts_work *w, const struct jid *jid)
{
	return jid_same_user(jid, &w->own) || (!jid_is_none(&w->own_lid) && jid_same_user(jid, &w->own_lid));
}

/* Everybody is kept until the end, so that nobody is met twice; people without a number are left out (contract). */
static void add_person(struct contacts_work *w, const struct jid *jid, const struct jid *other)
{
	const struct jid *pn = jid_is_pn(jid) ? jid : other, *lid = jid_is_lid(jid) ? jid : other;
	struct jid none = { .server = JID_SERVER_NONE };

	if (!jid_is_pn(pn) || is_own(w, pn))
		return;
	for (size_t i = 0; i < w->n; i++)
		if (jid_same_user(&w->contacts[i].pn, pn))
			return;
	add_contact(w, pn, jid_is_lid(lid) ? lid : &none);
}

static void cut_page(struct contacts_work *w)
{
	size_t from = (uint64_t)w->offset < w->n ? (size_t)w->offset : w->n;
	size_t n = w->n - from < (size_t)w->limit ? w->n - from : (size_t)w->limit;

	if (n)
		memmove(w->contacts, w->contacts + from, n * sizeof *w->contacts);
	w->n = n;
}

static void group_came(struct group_job *job)
{
	struct rpc_request *request = job->arg;
	struct contacts_work *w = request->work;

	/* A group that we are not in, or that is none, has nobody to show. */
	if (job->code == GROUP_SESSION_GONE || (job->code && !ask_refused(job->code))) {
		people_refuse(request, job->code == GROUP_SESSION_GONE ? 503 : job->code, "WhatsApp did not answer");
	} else {
		for (size_t i = 0; i < job->answer.ngroups; i++) {
			const struct wa_group *group = &job->answer.groups[i].group;

			for (size_t k = 0; k < group->n; k++)
				add_person(w, &group->members[k].jid, &group->members[k].other);
		}
		ask_next(w);
	}
	group_job_free(job);
}

static void ask_group(struct contacts_work *w, enum wa_ask_kind kind, const struct jid *group, void (*done)(struct group_job *job))
{
	static const struct jid none = { .server = JID_SERVER_NONE };
	struct session_entry *entry = rpc_session(w->request);
	struct group_job *job;

	if (!entry)
		return;
	job = group_job_new(kind, group ? group : &none);
	job->done = done;
	job->arg = w->request;
	sessions_group(w->daemon->sessions, entry, job);
}

static void ask_next(struct contacts_work *w)
{
	if (w->next < w->ngroups) {
		ask_group(w, WA_ASK_GROUP, &w->groups[w->next++], group_came);
		return;
	}
	cut_page(w);
	read_store(w, read_names);
}

static void groups_came(struct group_job *job)
{
	struct rpc_request *request = job->arg;
	struct contacts_work *w = request->work;

	if (job->code) {
		people_refuse(request, job->code == GROUP_SESSION_GONE ? 503 : job->code, "WhatsApp did not answer");
	} else {
		w->ngroups = job->answer.ngroups < GROUPS_MAX ? job->answer.ngroups : GROUPS_MAX;
		w->groups = xcalloc(w->ngroups + 1, sizeof *w->groups);
		for (size_t i = 0; i < w->ngroups; i++)
			w->groups[i] = job->answer.groups[i].group.jid;
		ask_next(w);
	}
	group_job_free(job);
}

static void start_groups(struct contacts_work *w)
{
	size_t n;
	char **ids = people_texts(w->request, "groupIds", &n);

	w->groups = xcalloc(n + 1, sizeof *w->groups);
	for (size_t i = 0; i < n && w->ngroups < GROUPS_MAX; i++)
		if (recipient_group(&w->groups[w->ngroups], ids[i], strlen(ids[i])) == RECIPIENT_OK)
			w->ngroups++;
	people_texts_free(ids, n);
	if (n) {
		ask_next(w);
		return;
	}
	free(w->groups);
	w->groups = NULL;
	ask_group(w, WA_ASK_GROUPS, NULL, groups_came);
}

static void do_contacts(struct rpc_request *request)
{
	const char *type = rpc_param_text(request, "type");
	struct session_entry *entry = rpc_session(request);
	struct contacts_work *w;

	if (!entry)
		return;
	w = xcalloc(1, sizeof *w);
	w->request = request;
	w->daemon = request->context->daemon;
	w->session = request->session_number;
	w->own = jid_bare(&entry->view.me_pn);
	w->own_lid = jid_bare(&entry->view.me_lid);
	w->limit = (int64_t)json_object_get_double(json_object_object_get(request->p, "limit"));
	w->offset = (int64_t)json_object_get_double(json_object_object_get(request->p, "offset"));
	w->deep = rpc_param_bool(request, "deep");
	w->in_groups = type && strcmp(type, "groups") == 0;
	request->work = w;
	request->work_free = work_free;
	if (w->in_groups)
		start_groups(w);
	else
		read_store(w, read_page);
}

const struct rpc_method rpc_contacts_methods[] = {
	{ "profile.contacts", do_contacts },
	{ NULL, NULL },
};
