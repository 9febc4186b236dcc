/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Changes of the account's shared state, asked for by requests. */
#include "sessiond/session/change.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/async.h"
#include "sessiond/daemon.h"
#include "sessiond/session/object.h"
#include "sessiond/session/private.h"
#include "sessiond/session/registry.h"

/* Most messages that one request marks as read, and how many one receipt names. */
#define READ_MAX 10000U
#define READ_BATCH 50U

struct change_job *change_job_new(const char *action, const struct jid *chat)
{
	struct change_job *job = xcalloc(1, sizeof *job);

	job->action = action;
	if (chat)
		job->chat = jid_bare(chat);
	arena_init(&job->arena, 0);
	return job;
}

void change_job_free(struct change_job *job)
{
	if (!job)
		return;
	arena_free(&job->arena);
	free(job->message_id);
	free(job->id);
	free(job->text);
	free(job->text2);
	free(job);
}

/* ---- on the main loop ---- */

static void called_back(void *arg, int error)
{
	struct change_job *job = arg;

	(void)error;
	job->done(job);
}

void sessions_change(struct sessions *sessions, struct session_entry *entry, struct change_job *job)
{
	(void)sessions;
	registry_call(entry, session_cmd_change, NULL, NULL, called_back, job);
}

/* ---- on the session's loop ---- */

static void settle(struct change_job *job, int code, const char *text)
{
	job->code = code;
	snprintf(job->error, sizeof job->error, "%s", text ? text : "");
	registry_answer(job->session, job->call);
}

static bool is_usable(struct session *session)
{
	return session->client && !jid_is_none(&session->view.me_pn);
}

static void submit(struct change_job *job)
{
	struct session *session = job->session;
	struct wa_action action = { .name = job->action, .chat = job->chat, .message_id = job->message_id, .on = job->on, .media_too = job->media_too,
		.starred_too = job->starred_too, .until_ms = job->until_ms, .last_message_s = job->last_message_s, .removed = job->removed,
		.id = job->id, .text = job->text, .text2 = job->text2, .number = job->number, .number2 = job->number2, .lid = job->lid };

	if (!is_usable(session)) {
		settle(job, CHANGE_GONE, "the session is not linked");
		return;
	}
	if (job->message_id && job->found.error == STORE_OK) {
		action.from_me = job->found.from_me;
		action.participant = job->found.author;
		action.number = job->found.time_ms / 1000;
	}
	job->tag = ++session->last_change;
	job->next = session->changes;
	session->changes = job;
	wa_client_change(session->client, job->tag, &action);
}

static void look_up(struct store_reader *reader, void *arg)
{
	struct change_job *job = arg;

	lookup_message(reader, &job->arena, &job->who, job->message_id, &job->found);
}

static void looked_up(void *arg)
{
	struct change_job *job = arg;
	struct session *session = job->session;

	if (job->found.error != STORE_OK && job->found.error != STORE_NOT_FOUND)
		settle(job, 500, "the message cannot be looked up");
	else
		submit(job);
	session->busy--;
	session_released(session);
}

/* ---- reading a chat ---- */

/* A receipt goes the way the message came. */
static void add_read(struct change_job *job, const struct store_message_row *row)
{
	struct change_read *read = &job->reads[job->nreads];

	if (!lookup_names(row, &read->chat, &read->author))
		return;
	read->id = row->id;
	read->time_ms = row->time_ms;
	job->nreads++;
}

/* Oldest first; of notices nobody expects a receipt. */
static void take_rows(struct change_job *job, const struct store_message_row *rows, size_t n)
{
	job->reads = arena_alloc(&job->arena, n * sizeof *job->reads + 1);
	for (size_t i = n; i-- > 0;) {
		if (strncmp(rows[i].id, "sys_", 4) != 0)
			add_read(job, &rows[i]);
	}
}

static void collect(struct store_reader *reader, void *arg)
{
	struct change_job *job = arg;
	struct store_message_query query = { .from_ms = job->read_newest ? 0 : job->read_since_ms, .from_me = 0, .bare = true, .no_total = true,
		.limit = (int64_t)(job->read_newest ? job->read_newest : READ_MAX) };
	struct store_message_row *rows;
	struct store_page page = { .total = 0 };
	struct store_chat chat;
	size_t n = 0;

	job->found.error = store_chat_get(reader, &job->arena, job->who.session, &job->chat, &chat);
	if (job->found.error == STORE_OK) {
		query.chat = chat.number;
		job->found.error = store_message_list(reader, &job->arena, job->who.session, &query, &rows, &n, &page);
	}
	if (job->found.error == STORE_OK)
		take_rows(job, rows, n);
	else if (job->found.error == STORE_NOT_FOUND)
		job->found.error = STORE_OK;
	job->capped = !job->read_newest && n == READ_MAX && page.cursor;
}

static bool same_conversation(const struct change_read *a, const struct change_read *b)
{
	return jid_same_user(&a->chat, &b->chat) && jid_same_user(&a->author, &b->author);
}

/* One receipt names messages of one author. */
static void send_receipts(struct change_job *job)
{
	const char *ids[READ_BATCH];
	size_t at = 0;

	while (at < job->nreads) {
		const struct change_read *first = &job->reads[at];
		size_t n = 0;

		for (; at < job->nreads && n < READ_BATCH && same_conversation(first, &job->reads[at]); at++)
			ids[n++] = job->reads[at].id;
		wa_client_mark_read(job->session->client, &first->chat, jid_is_person(&first->chat) ? NULL : &first->author, ids, n, false);
	}
}

static void read_kept(void *arg, int error)
{
	struct change_job *job = arg;
	struct session *session = job->session;

	if (error)
		settle(job, 500, "it cannot be stored that they were read");
	else
		settle(job, CHANGE_DONE, NULL);
	session->busy--;
	session_released(session);
}

/* The chat's count of unread messages follows before the request is answered. */
static void keep_read(struct change_job *job)
{
	struct store *store = job->session->on->daemon->store;
	struct store_tx *tx = store_tx_new(store);

	store_tx_chat_read(tx, job->session->number, &(struct store_peer){ .jid = job->chat }, job->reads[job->nreads - 1].time_ms);
	async_commit(job->session->on->loop, store, tx, read_kept, job);
}

static void collected(void *arg)
{
	struct change_job *job = arg;
	struct session *session = job->session;

	if (job->found.error) {
		settle(job, 500, "the messages cannot be read");
	} else if (!is_usable(session) || !wa_client_is_open(session->client)) {
		settle(job, 503, "the session is not connected");
	} else if (!job->nreads) {
		settle(job, CHANGE_NOTHING, "nothing to mark");
	} else {
		send_receipts(job);
		keep_read(job);
		return;
	}
	session->busy--;
	session_released(session);
}

/* ---- the command ---- */

void session_cmd_change(struct session *session, struct session_call *call)
{
	struct change_job *job = call->arg;

	job->session = session;
	job->call = call;
	job->own = session->view.me_pn;
	job->who = (struct lookup_account){ .session = session->number, .pn = jid_bare(&session->view.me_pn), .lid = jid_bare(&session->view.me_lid) };
	if (!is_usable(session)) {
		settle(job, CHANGE_GONE, "the session is not linked");
		return;
	}
	if (job->action && !job->message_id) {
		submit(job);
		return;
	}
	session->busy++;
	if (job->action)
		async_read(session->on->loop, session->on->daemon->store, look_up, looked_up, job);
	else
		async_read(session->on->loop, session->on->daemon->store, collect, collected, job);
}

void change_settled(struct session *session, const struct wa_event *event)
{
	struct change_job **at = &session->changes;
	struct change_job *job;

	while (*at && (*at)->tag != event->tag)
		at = &(*at)->next;
	job = *at;
	if (!job)
		return;
	*at = job->next;
	if (event->code)
		log_warn(&session->log, "a change was not taken", LOG_STR("session", session->id), LOG_STR("action", job->action), LOG_INT("code", event->code),
			LOG_STR("reason", event->text));
	settle(job, event->code, event->text);
}

void change_fail_all(struct session *session)
{
	while (session->changes) {
		struct change_job *job = session->changes;

		session->changes = job->next;
		settle(job, CHANGE_GONE, "the session has gone");
	}
}
