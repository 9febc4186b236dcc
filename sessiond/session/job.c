/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a request to send to stored rows: quotes looked up, context added, ids chosen, one transaction. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/async.h"
#include "sessiond/daemon.h"
#include "sessiond/session/chatfill.h"
#include "sessiond/session/lookup.h"
#include "sessiond/session/object.h"
#include "sessiond/session/registry.h"

enum { MAX_WAITING = 10000 };

/* A quoted message; items in a row that quote the same one share it. */
struct quote {
	const char *id;         /* borrowed from the job */
	struct lookup found;
};

/* A group that is written to, as far as it is known. */
struct addressed_group {
	struct jid jid;
	struct wa_group group;  /* owned contents */
	bool known;
};

/* A job while its rows are made. */
struct preparation {
	struct session *session;
	struct send_job *job;
	struct lookup_account who;
	struct jid from;        /* the account it is sent from */
	struct buf *plaintexts; /* owned, one per item */
	int64_t *numbers;       /* owned; numbers of the rows */
	size_t n;               /* of both */
	struct arena arena;     /* of what was looked up */
	struct quote *quotes;   /* owned */
	size_t nquotes;
	struct addressed_group *groups; /* owned; in the order of the items */
	size_t ngroups;
	bool chosen_ids;        /* the caller chose message ids */
	bool duplicate;         /* ... one of which is taken */
};

struct send_job *send_job_new(size_t contents, size_t items)
{
	struct send_job *job = xcalloc(1, sizeof *job);

	job->ncontents = contents;
	job->contents = xcalloc(contents, sizeof *job->contents);
	job->n = items;
	job->items = xcalloc(items, sizeof *job->items);
	job->results = xcalloc(items, sizeof *job->results);
	return job;
}

void send_job_free(struct send_job *job)
{
	if (!job)
		return;
	for (size_t i = 0; i < job->ncontents; i++)
		buf_wipe(&job->contents[i].message);
	for (size_t i = 0; i < job->n; i++)
		free(job->items[i].quoted_id);
	free(job->contents);
	free(job->items);
	free(job->mentions);
	free(job->info);
	free(job->idem_scope);
	free(job->idem_key);
	free(job->results);
	free(job);
}

static void preparation_free(struct preparation *p)
{
	for (size_t i = 0; i < p->n; i++)
		buf_wipe(&p->plaintexts[i]);
	free(p->plaintexts);
	free(p->numbers);
	free(p->quotes);
	for (size_t i = 0; i < p->ngroups; i++)
		wa_group_clear(&p->groups[i].group);
	free(p->groups);
	arena_free(&p->arena);
	free(p);
}

static void give_up(struct preparation *p, enum send_state state)
{
	struct session *session = p->session;
	struct send_job *job = p->job;

	session->outbox.preparing -= p->n;
	preparation_free(p);
	job->state = state;
	job->own = session->view.me_pn;
	registry_job_done(session, job);
	session->busy--;
	session_released(session);
}

/* The queue takes the messages; the job is the queue's from here on. */
static void enqueue(struct preparation *p)
{
	struct session *session = p->session;

	for (size_t i = 0; i < p->n; i++)
		outbox_add(session, p->job, i, p->numbers[i], &p->plaintexts[i]);
	session->outbox.preparing -= p->n;
	p->job = NULL;
	outbox_pump(session);
}

static void stored(void *arg, int error)
{
	struct preparation *p = arg;
	struct session *session = p->session;

	if (error)
		log_error(&session->log, "outbox rows cannot be stored", LOG_STR("session", session->id), LOG_STR("reason", store_error_name(error)));
	if (error && p->job) {
		give_up(p, error == STORE_CONSTRAINT && p->chosen_ids ? SEND_DUPLICATE_ID : SEND_STORE_ERROR);
		return;
	}
	/* Logged out meanwhile: the rows were failed with the others. */
	if (p->job && !jid_same_user(&p->from, &session->view.me_pn)) {
		give_up(p, SEND_SESSION_GONE);
		return;
	}
	if (error)
		outbox_rows_failed(session, p->numbers, p->n);
	else if (p->job)
		enqueue(p);
	if (!error)
		outbox_rows_stored(session, p->numbers, p->n);
	preparation_free(p);
	session->busy--;
	session_released(session);
}

static void put_idempotency(struct preparation *p, struct store_tx *tx)
{
	const struct send_job *job = p->job;
	struct store_idempotency entry = { .scope = job->idem_scope, .key = job->idem_key, .created_ms = timefmt_now_ms() };

	if (!job->idem_key)
		return;
	memcpy(entry.digest, job->idem_digest, sizeof entry.digest);
	store_tx_idempotency_add(tx, &entry);
}

static void add_quote(const struct preparation *p, struct wa_context *context, const struct send_item *item)
{
	const struct lookup *found = NULL;

	context->quoted_id = item->quoted_id;
	for (size_t i = 0; i < p->nquotes && item->quoted_id; i++) {
		if (strcmp(p->quotes[i].id, item->quoted_id) == 0 && p->quotes[i].found.error == STORE_OK)
			found = &p->quotes[i].found;
	}
	/* Unknown ids are quoted as a stub of the other side, like the original does. */
	context->quoted_sender = found ? found->author : item->to;
	if (!found)
		return;
	context->quoted_message = found->message;
	if (!jid_is_person(&found->chat) && !jid_same_user(&found->chat, &item->to))
		context->quoted_chat = found->chat;
}

static const struct wa_group *group_of(const struct preparation *p, const struct jid *to)
{
	for (size_t i = 0; i < p->ngroups; i++) {
		if (p->groups[i].known && jid_same_user(&p->groups[i].jid, to))
			return &p->groups[i].group;
	}
	return NULL;
}

static void add_timer(const struct preparation *p, struct wa_context *context, const struct jid *to, const struct wa_group *group)
{
	const struct chat_timer *timer = group ? NULL : chat_timers_find(&p->session->timers, to);

	if (group) {
		context->expiration_s = group->expiration_s;
	} else if (timer) {
		context->expiration_s = timer->seconds;
		context->expiration_set_s = timer->set_ms / 1000;
	}
}

/* In groups that go by LIDs, members are mentioned by theirs. Owned by the caller. */
static struct jid *mentions_in(const struct send_job *job, const struct wa_group *group)
{
	struct jid *mentions = xmemdup(job->mentions, job->nmentions * sizeof *mentions);

	for (size_t i = 0; i < job->nmentions && group; i++) {
		for (size_t k = 0; k < group->n; k++) {
			if (jid_same_user(&group->members[k].other, &mentions[i]))
				mentions[i] = group->members[k].jid;
		}
	}
	return mentions;
}

static void build(struct preparation *p, size_t i)
{
	const struct send_job *job = p->job;
	const struct send_item *item = &job->items[i];
	const struct send_content *content = &job->contents[item->content];
	const struct wa_group *group = group_of(p, &item->to);
	struct jid *mentions = job->nmentions ? mentions_in(job, group) : NULL;
	struct wa_context context = {
		.mentions = mentions, .nmentions = job->nmentions,
		.mention_all = job->mention_all && item->to.server == JID_SERVER_GROUP,
		.forwarded = job->forwarded, .forwarding_score = job->forwarding_score,
		.view_once = content->view_once,
	};

	add_quote(p, &context, item);
	add_timer(p, &context, &item->to, group);
	wa_add_context(&p->plaintexts[i], buf_span(&content->message), &context);
	free(mentions);
}

static void add_row(struct preparation *p, struct store_tx *tx, size_t i)
{
	struct session *session = p->session;
	struct send_job *job = p->job;
	const struct send_item *item = &job->items[i];
	struct send_result *result = &job->results[i];
	struct store_outbox row = { .session = session->number, .created_ms = timefmt_now_ms(), .not_before_ms = job->not_before_ms };
	char recipient[JID_TEXT_MAX];

	build(p, i);
	if (item->id[0])
		memcpy(result->id, item->id, sizeof result->id);
	else
		wa_message_id(&session_host, session, session->view.me_pn.user, result->id);
	result->to = item->to;
	result->time_ms = row.created_ms;
	row.message_id = result->id;
	row.recipient = jid_format(&item->to, recipient, sizeof recipient);
	row.message = buf_span(&p->plaintexts[i]);
	row.info = i + 1 == job->n ? job->info : NULL;
	store_tx_outbox_add(tx, &row, &p->numbers[i]);
	chatfill_sent(session, tx, &item->to, result->id, row.message, job->not_before_ms > row.created_ms ? job->not_before_ms : row.created_ms);
	/* Votes and answers refer to it longer than the outbox keeps it. */
	if (wa_expects_answers(row.message))
		lookup_keep(tx, session->number, result->id, &session->view.me_pn, &item->to, row.created_ms, row.message, row.created_ms);
}

static void make_rows(struct preparation *p)
{
	struct session *session = p->session;
	struct send_job *job = p->job;
	struct store_tx *tx;

	if (!session->client || jid_is_none(&session->view.me_pn)) {
		give_up(p, SEND_SESSION_GONE);
		return;
	}
	if (p->duplicate) {
		give_up(p, SEND_DUPLICATE_ID);
		return;
	}
	p->from = session->view.me_pn;
	tx = store_tx_new(session->on->daemon->store);
	for (size_t i = 0; i < job->n; i++)
		add_row(p, tx, i);
	if (job->idem_key || p->chosen_ids || job->wait == SEND_WAIT_QUEUED || job->not_before_ms) {
		/* Another request may hold the key or the id: nothing leaves before that is known. Others wait for the rows alone. */
		put_idempotency(p, tx);
		async_commit(session->on->loop, session->on->daemon->store, tx, stored, p);
		return;
	}
	/* The rows are committed together with the stanzas, which are queued behind them: no byte leaves before both are stored. */
	async_commit_lazy(session->on->loop, session->on->daemon->store, tx, stored, p);
	enqueue(p);
}

/* On a thread of the store's readers. */
static void look_up(struct store_reader *reader, void *arg)
{
	struct preparation *p = arg;

	for (size_t i = 0; i < p->nquotes; i++)
		lookup_message(reader, &p->arena, &p->who, p->quotes[i].id, &p->quotes[i].found);
	for (size_t i = 0; i < p->ngroups; i++) {
		char name[JID_TEXT_MAX];
		const struct store_record_key key = { .kind = WA_RECORD_GROUP, .name = jid_format(&p->groups[i].jid, name, sizeof name) };
		struct span value = { 0 };

		if (!store_record_get(reader, &p->arena, p->who.session, &key, 1, &value) && value.p)
			p->groups[i].known = wa_group_read(value, &p->groups[i].jid, &p->groups[i].group);
	}
	for (size_t i = 0; i < p->n && p->chosen_ids; i++) {
		struct store_outbox row;

		if (p->job->items[i].id[0] && store_outbox_find(reader, &p->arena, p->who.session, p->job->items[i].id, &row) == STORE_OK)
			p->duplicate = true;
	}
}

static void looked_up(void *arg)
{
	make_rows(arg);
}

static void collect(struct preparation *p)
{
	const struct send_job *job = p->job;

	p->quotes = xcalloc(job->n, sizeof *p->quotes);
	p->groups = xcalloc(job->n, sizeof *p->groups);
	for (size_t i = 0; i < job->n; i++) {
		const char *id = job->items[i].quoted_id;

		p->chosen_ids = p->chosen_ids || job->items[i].id[0];
		if (id && (!p->nquotes || strcmp(p->quotes[p->nquotes - 1].id, id) != 0))
			p->quotes[p->nquotes++].id = id;
		if (job->items[i].to.server == JID_SERVER_GROUP && (!p->ngroups || !jid_same_user(&p->groups[p->ngroups - 1].jid, &job->items[i].to)))
			p->groups[p->ngroups++].jid = jid_bare(&job->items[i].to);
	}
}

void session_cmd_send(struct session *session, struct session_call *call)
{
	struct outbox *outbox = &session->outbox;
	int64_t limit = session->on->daemon->config->queue_max_size;
	struct send_job *job = call->job;
	struct preparation *p;
	size_t waiting = outbox->waiting + outbox->preparing + job->n;

	registry_answer(session, call);
	p = xcalloc(1, sizeof *p);
	p->session = session;
	p->who = (struct lookup_account){ .session = session->number, .pn = session->view.me_pn, .lid = session->view.me_lid };
	p->job = job;
	p->plaintexts = xcalloc(job->n, sizeof *p->plaintexts);
	p->numbers = xcalloc(job->n, sizeof *p->numbers);
	p->n = job->n;
	arena_init(&p->arena, 0);
	collect(p);
	outbox->preparing += job->n;
	session->busy++;
	if (session->wish || session->view.status != SESSION_OPEN)
		give_up(p, SEND_SESSION_GONE);
	else if (waiting > MAX_WAITING || (limit > 0 && waiting > (size_t)limit))
		give_up(p, SEND_QUEUE_FULL);
	else if (p->nquotes || p->ngroups || p->chosen_ids)
		async_read(session->on->loop, session->on->daemon->store, look_up, looked_up, p);
	else
		make_rows(p);
}
