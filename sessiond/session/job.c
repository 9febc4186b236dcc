/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a request to send to stored rows: quotes looked up, context added, ids chosen, one transaction. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/async.h"
#include "sessiond/daemon.h"
#include "sessiond/session/audience.h"
#include "sessiond/session/chatfill.h"
#include "sessiond/session/lookup.h"
#include "sessiond/session/object.h"
#include "sessiond/session/registry.h"
#include "sessiond/session/route.h"

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
	bool is_recipient;      /* else only mentioned */
};

/* A row of the outbox to be: an item, or a chunk of a status. */
struct row {
	size_t item;
	struct buf plaintext;   /* owned */
	struct send_route route; /* owned contents */
	char id[SEND_ROW_ID_MAX + 1];
	bool answers;           /* its ack answers for the item */
};

/* A job while its rows are made. */
struct preparation {
	struct session *session;
	struct send_job *job;
	struct lookup_account who;
	struct jid from;        /* the account it is sent from */
	struct row *rows;       /* owned; NULL before they are made */
	int64_t *numbers;       /* owned; numbers of the rows */
	size_t n;               /* of both */
	size_t reserved;        /* places in the queue */
	struct arena arena;     /* of what was looked up */
	struct quote *quotes;   /* owned */
	size_t nquotes;
	struct addressed_group *groups; /* owned; in the order of the items */
	size_t ngroups;
	bool chosen_ids;        /* the caller chose message ids */
	bool duplicate;         /* ... one of which is taken */
	size_t group;           /* next one to ask about */
	bool no_audience;
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
	for (size_t i = 0; i < job->ncontents; i++) {
		buf_wipe(&job->contents[i].message);
		free(job->contents[i].media_handle);
	}
	for (size_t i = 0; i < job->n; i++) {
		free(job->items[i].quoted_id);
		free(job->items[i].audience);
		free(job->items[i].wire_id);
	}
	for (size_t i = 0; i < job->ngroup_mentions; i++)
		free(job->group_mentions[i].subject);
	free(job->group_mentions);
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
	for (size_t i = 0; i < p->n; i++) {
		buf_wipe(&p->rows[i].plaintext);
		route_free(&p->rows[i].route);
	}
	free(p->rows);
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

	session->outbox.preparing -= p->reserved;
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

	for (size_t i = 0; i < p->n; i++) {
		struct row *row = &p->rows[i];
		struct outbox_new added = { .job = row->answers ? p->job : NULL, .index = row->item, .number = p->numbers[i], .id = row->id,
			.to = &p->job->items[row->item].to, .not_before_ms = p->job->not_before_ms, .presence = p->job->presence, .priority = p->job->priority, .plaintext = &row->plaintext,
			.route = &row->route };

		outbox_add(session, &added);
	}
	session->outbox.preparing -= p->reserved;
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

/* The name that a mentioned group is shown by; NULL if nobody knows it. */
static const char *subject_of(const struct preparation *p, const struct send_group_mention *mention)
{
	const struct wa_group *group = mention->subject ? NULL : group_of(p, &mention->group);

	return group ? group->subject : mention->subject;
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

static bool is_own(const struct preparation *p, const struct wa_group_member *member)
{
	const struct jid *own[] = { &p->who.pn, &p->who.lid };

	for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
		if (!jid_is_none(own[i]) && (jid_same_user(&member->jid, own[i]) || jid_same_user(&member->other, own[i])))
			return true;
	}
	return false;
}

/* True if the member is one of the first n mentions; then it is mentioned by the name that the group has for it. */
static bool is_mentioned(struct jid *mentions, size_t n, const struct wa_group_member *member)
{
	bool found = false;

	for (size_t i = 0; i < n; i++) {
		if (jid_same_user(&member->jid, &mentions[i]))
			found = true;
		else if (jid_same_user(&member->other, &mentions[i])) {
			mentions[i] = member->jid;
			found = true;
		}
	}
	return found;
}

/* In groups that go by LIDs, members are mentioned by theirs. Everybody is named one by one as well: older clients know no other way.
 * Owned by the caller. */
static struct jid *mentions_in(const struct preparation *p, const struct wa_group *group, bool everybody, size_t *n)
{
	const struct send_job *job = p->job;
	size_t named = job->nmentions, members = group ? group->n : 0;
	struct jid *mentions = xcalloc(named + members + 1, sizeof *mentions);

	if (named)
		memcpy(mentions, job->mentions, named * sizeof *mentions);
	*n = named;
	for (size_t k = 0; k < members; k++) {
		if (!is_mentioned(mentions, named, &group->members[k]) && everybody && !is_own(p, &group->members[k]))
			mentions[(*n)++] = jid_bare(&group->members[k].jid);
	}
	return mentions;
}

/* The album that this item belongs to was made before it, for the same recipient. */
static void put_into_album(struct preparation *p, struct buf *out, size_t i)
{
	const struct send_item *item = &p->job->items[i];
	const struct send_content *content = &p->job->contents[item->content];
	size_t album = i - (item->content - (content->album - 1));
	const struct wa_message_key key = { .chat = item->to, .from_me = true, .id = p->job->results[album].id };
	struct buf whole = { 0 };

	wa_add_to_album(&whole, buf_span(out), &key, content->album_index);
	buf_clear(out);
	buf_append_span(out, buf_span(&whole));
	buf_wipe(&whole);
}

static void build(struct preparation *p, size_t i, struct buf *out)
{
	const struct send_job *job = p->job;
	const struct send_item *item = &job->items[i];
	const struct send_content *content = &job->contents[item->content];
	const struct wa_group *group = group_of(p, &item->to);
	bool everybody = job->mention_all && item->to.server == JID_SERVER_GROUP;
	size_t n;
	struct jid *mentions = mentions_in(p, group, everybody, &n);
	struct wa_group_mention *groups = xcalloc(job->ngroup_mentions + 1, sizeof *groups);
	struct wa_context context = {
		.mentions = mentions, .nmentions = n, .mention_all = everybody,
		.group_mentions = groups, .ngroup_mentions = job->ngroup_mentions,
		.forwarded = job->forwarded, .forwarding_score = job->forwarding_score,
		.view_once = content->view_once,
	};

	for (size_t k = 0; k < job->ngroup_mentions; k++)
		groups[k] = (struct wa_group_mention){ .group = job->group_mentions[k].group, .subject = subject_of(p, &job->group_mentions[k]) };
	add_quote(p, &context, item);
	add_timer(p, &context, &item->to, group);
	wa_add_context(out, buf_span(&content->message), &context);
	if (content->album)
		put_into_album(p, out, i);
	free(groups);
	free(mentions);
}

/* ---- rows ---- */

static size_t chunks_of(const struct preparation *p, const struct send_item *item)
{
	size_t size = (size_t)p->session->on->daemon->config->status_chunk_size;

	return item->naudience > size ? (item->naudience + size - 1) / size : 1;
}

/* One row for each item, or for each chunk of a status. */
static void plan_rows(struct preparation *p)
{
	const struct send_job *job = p->job;
	size_t size = (size_t)p->session->on->daemon->config->status_chunk_size, n = 0;

	for (size_t i = 0; i < job->n; i++)
		p->n += chunks_of(p, &job->items[i]);
	p->rows = xcalloc(p->n, sizeof *p->rows);
	p->numbers = xcalloc(p->n, sizeof *p->numbers);
	for (size_t i = 0; i < job->n; i++) {
		const struct send_item *item = &job->items[i];
		const struct send_content *content = &job->contents[item->content];
		size_t chunks = chunks_of(p, item);

		for (size_t k = 0; k < chunks; k++) {
			struct row *row = &p->rows[n++];
			size_t at = k * size, left = item->naudience - at;

			row->item = i;
			row->answers = k + 1 == chunks;
			row->route.wire_id = item->wire_id ? xstrdup(item->wire_id) : NULL;
			row->route.media_handle = content->media_handle ? xstrdup(content->media_handle) : NULL;
			row->route.server_id = item->server_id;
			row->route.priority = job->priority;
			row->route.source = job->source;
			if (!item->naudience)
				continue;
			row->route.naudience = chunks > 1 && left > size ? size : left;
			row->route.audience = xmemdup(item->audience + at, row->route.naudience * sizeof *item->audience);
			row->route.chunk = k;
			row->route.chunks = chunks;
		}
	}
}

static void choose_id(struct preparation *p, size_t i)
{
	struct session *session = p->session;
	struct send_result *result = &p->job->results[i];
	const struct send_item *item = &p->job->items[i];

	if (item->id[0])
		memcpy(result->id, item->id, sizeof result->id);
	else
		wa_message_id(&session_host, session, session->view.me_pn.user, result->id);
}

static void add_row(struct preparation *p, struct store_tx *tx, size_t r)
{
	struct session *session = p->session;
	struct send_job *job = p->job;
	struct row *new = &p->rows[r];
	const struct send_item *item = &job->items[new->item];
	struct send_result *result = &job->results[new->item];
	struct store_outbox row = { .number = p->numbers[r], .session = session->number, .created_ms = timefmt_now_ms(), .not_before_ms = job->not_before_ms };
	char recipient[JID_TEXT_MAX];
	bool in_chats = false;
	char *info;

	build(p, new->item, &new->plaintext);
	if (!new->route.chunk) {
		choose_id(p, new->item);
		memcpy(new->id, result->id, sizeof result->id);
		result->to = item->to;
		result->time_ms = row.created_ms;
		result->audience = item->naudience;
		result->chunks = new->route.chunks;
	} else {
		snprintf(new->id, sizeof new->id, "%s/%zu", result->id, new->route.chunk);
		new->route.wire_id = xstrdup(result->id);
	}
	new->route.first = new->route.chunks ? p->numbers[r - new->route.chunk] : 0;
	info = route_store(&new->route, r + 1 == p->n ? job->info : NULL);
	row.message_id = new->id;
	row.recipient = jid_format(&item->to, recipient, sizeof recipient);
	row.message = buf_span(&new->plaintext);
	row.info = info;
	store_tx_outbox_add(tx, &row, NULL);
	free(info);
	/* Of a status for many, the first row stands for all. */
	if (!new->route.chunk)
		in_chats = chatfill_sent(session, tx, &item->to, new->id, row.message, job->not_before_ms > row.created_ms ? job->not_before_ms : row.created_ms);
	/* Votes and answers refer to it longer than the outbox keeps it. */
	if (!in_chats && wa_expects_answers(row.message))
		lookup_keep(tx, session->number, new->id, &session->view.me_pn, &item->to, row.created_ms, row.message, row.created_ms);
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
	if (p->duplicate || p->no_audience) {
		give_up(p, p->duplicate ? SEND_DUPLICATE_ID : SEND_NO_AUDIENCE);
		return;
	}
	p->from = session->view.me_pn;
	plan_rows(p);
	store_outbox_numbers(session->on->daemon->store, p->n, p->numbers);
	tx = store_tx_new(session->on->daemon->store);
	for (size_t i = 0; i < p->n; i++)
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

static void looked_up(void *arg);

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

		if (!p->groups[i].known && !store_record_get(reader, &p->arena, p->who.session, &key, 1, &value) && value.p)
			p->groups[i].known = wa_group_read(value, &p->groups[i].jid, &p->groups[i].group);
	}
	for (size_t i = 0; i < p->job->n && p->chosen_ids; i++) {
		struct store_outbox row;

		if (p->job->items[i].id[0] && store_outbox_find(reader, &p->arena, p->who.session, p->job->items[i].id, &row) == STORE_OK)
			p->duplicate = true;
	}
}

static void look_up_all(struct preparation *p)
{
	async_read(p->session->on->loop, p->session->on->daemon->store, look_up, looked_up, p);
}

static void group_told(void *arg, const struct wa_group *group, int code)
{
	struct preparation *p = arg;
	struct addressed_group *asked = &p->groups[p->group++];

	/* Kept as it was told: it may not be stored yet. Without it everybody is still mentioned, in the newer way. Whether it can be
	 * sent to, sending finds out. */
	if (group) {
		wa_group_clear(&asked->group);
		wa_group_copy(&asked->group, group);
		asked->known = true;
	} else {
		log_info(&p->session->log, "a group is not told of", LOG_STR("session", p->session->id), LOG_INT("code", code));
	}
	looked_up(p);
}

/* Asks about the next group whose timer or members are needed and not known. False: there is none. */
static bool ask_group(struct preparation *p)
{
	if (!p->session->client)
		return false;
	while (p->group < p->ngroups && (p->groups[p->group].known || !(p->groups[p->group].is_recipient || p->job->mention_all)))
		p->group++;
	if (p->group == p->ngroups)
		return false;
	wa_client_group(p->session->client, &p->groups[p->group].jid, false, group_told, p);
	return true;
}

static void looked_up(void *arg)
{
	struct preparation *p = arg;

	if (!ask_group(p))
		make_rows(p);
}

static void collect(struct preparation *p)
{
	const struct send_job *job = p->job;

	p->quotes = xcalloc(job->n, sizeof *p->quotes);
	p->groups = xcalloc(job->n + job->ngroup_mentions, sizeof *p->groups);
	for (size_t i = 0; i < job->n; i++) {
		const char *id = job->items[i].quoted_id;

		p->chosen_ids = p->chosen_ids || job->items[i].id[0];
		if (id && (!p->nquotes || strcmp(p->quotes[p->nquotes - 1].id, id) != 0))
			p->quotes[p->nquotes++].id = id;
		if (job->items[i].to.server == JID_SERVER_GROUP && (!p->ngroups || !jid_same_user(&p->groups[p->ngroups - 1].jid, &job->items[i].to)))
			p->groups[p->ngroups++] = (struct addressed_group){ .jid = jid_bare(&job->items[i].to), .is_recipient = true };
	}
	for (size_t i = 0; i < job->ngroup_mentions; i++)
		p->groups[p->ngroups++].jid = jid_bare(&job->group_mentions[i].group);
}

static void refuse_for_room(struct preparation *p)
{
	p->session->on->daemon->metrics.queue_full += (long long)p->job->n;
	give_up(p, SEND_QUEUE_FULL);
}

static void audience_found(void *arg, bool somebody)
{
	struct preparation *p = arg;

	p->no_audience = !somebody;
	look_up_all(p);
}

/* maxSize counts what waits for its turn, not what is under way nor what has its own time; a request is taken or refused as a whole. */
static bool is_full(const struct session *session, const struct send_job *job)
{
	const struct outbox *outbox = &session->outbox;
	int64_t limit = outbox->policy.max_size;

	if (outbox->waiting + outbox->preparing + job->n > MAX_WAITING)
		return true;
	return limit > 0 && !job->not_before_ms && send_queue_count(&outbox->queue) + outbox->preparing >= (size_t)limit;
}

void session_cmd_send(struct session *session, struct session_call *call)
{
	struct outbox *outbox = &session->outbox;
	struct send_job *job = call->job;
	struct preparation *p;
	bool full = is_full(session, job);

	registry_answer(session, call);
	p = xcalloc(1, sizeof *p);
	p->session = session;
	p->who = (struct lookup_account){ .session = session->number, .pn = session->view.me_pn, .lid = session->view.me_lid };
	p->job = job;
	p->reserved = job->n;
	arena_init(&p->arena, 0);
	collect(p);
	outbox->preparing += job->n;
	session->busy++;
	if (session->wish || session->view.status != SESSION_OPEN)
		give_up(p, SEND_SESSION_GONE);
	else if (full)
		refuse_for_room(p);
	else if (audience_wanted(job))
		audience_find(session, job, audience_found, p);
	else if (p->nquotes || p->ngroups || p->chosen_ids)
		look_up_all(p);
	else
		make_rows(p);
}
