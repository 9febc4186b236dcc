/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Questions to the phone for what came before the oldest stored message of a chat. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/timefmt.h"
#include "sessiond/async.h"
#include "sessiond/daemon.h"
#include "sessiond/session/historywork.h"
#include "sessiond/session/private.h"
#include "sessiond/session/registry.h"
#include "sessiond/store/chats.h"

static void called_back(void *arg, int error)
{
	struct history_more *more = arg;

	(void)error;
	arena_free(&more->arena);
	more->done(more);
}

void sessions_history_more(struct sessions *sessions, struct session_entry *entry, struct history_more *more)
{
	(void)sessions;
	arena_init(&more->arena, 0);
	registry_call(entry, session_cmd_history_more, NULL, NULL, called_back, more);
}

/* ---- on the session's loop ---- */

static void settle(struct history_more *more, enum history_more_state state, const char *text)
{
	more->state = state;
	snprintf(more->text, sizeof more->text, "%s", text ? text : "");
	registry_answer(more->session, more->call);
}

static void take_off(struct histories *h, struct history_more *more)
{
	struct history_more **at = &h->more;

	while (*at && *at != more)
		at = &(*at)->next;
	if (*at)
		*at = more->next;
	timer_stop(h->session->on->timers, &more->timer);
}

static void no_answer(void *arg)
{
	struct history_more *more = arg;

	take_off(histories_of(more->session), more);
	settle(more, HISTORY_MORE_SILENT, NULL);
}

/* The phone names the question; a phone that does not answers the oldest one. */
static struct history_more *asked(const struct histories *h, const struct history_job *job)
{
	struct history_more *last = NULL;

	for (struct history_more *more = h->more; more; more = more->next) {
		if (span_is(job->notice.request_id, more->id))
			return more;
		last = more;
	}
	return job->notice.request_id.n == 0 ? last : NULL;
}

void history_more_settle(struct histories *h, const struct history_job *job, const char *reason)
{
	struct history_more *more = job->notice.kind == HISTORY_ON_DEMAND ? asked(h, job) : NULL;

	if (!more)
		return;
	take_off(h, more);
	more->messages = job->counts.messages;
	more->complete = job->complete;
	settle(more, reason ? HISTORY_MORE_FAILED : HISTORY_MORE_DONE, reason);
}

void history_more_free(struct histories *h)
{
	while (h->more) {
		struct history_more *more = h->more;

		h->more = more->next;
		timer_stop(h->session->on->timers, &more->timer);
		settle(more, HISTORY_MORE_OFFLINE, NULL);
	}
}

/* ---- the oldest message ---- */

static void look_up(struct store_reader *reader, void *arg)
{
	struct history_more *more = arg;
	int64_t session = more->session->number;
	struct store_message_query query = { .from_me = -1, .bare = true, .no_total = true, .limit = 1 };
	struct store_message_row *rows;
	struct store_page page;
	struct store_chat chat;
	size_t n = 0;

	more->error = store_chat_get(reader, &more->arena, session, &more->chat, &chat);
	if (more->error)
		return;
	query.chat = chat.number;
	query.offset = chat.messages > 0 ? chat.messages - 1 : 0;
	more->error = store_message_list(reader, &more->arena, session, &query, &rows, &n, &page);
	if (more->error)
		return;
	if (n == 0 || jid_parse_text(&more->wanted.chat, chat.lid ? chat.lid : chat.jid)) {
		more->error = STORE_NOT_FOUND;
		return;
	}
	more->wanted.oldest_id = rows[0].id;
	more->wanted.oldest_from_me = rows[0].from_me;
	more->wanted.oldest_s = rows[0].time_ms / 1000;
	more->wanted.count = more->count;
}

static void ask(struct history_more *more)
{
	struct session *session = more->session;
	struct histories *h = histories_of(session);

	if (!session->client || !wa_client_is_open(session->client)) {
		settle(more, HISTORY_MORE_OFFLINE, NULL);
		return;
	}
	wa_client_history_more(session->client, &more->wanted, more->id);
	more->next = h->more;
	h->more = more;
	timer_start(session->on->timers, &more->timer, timefmt_monotonic_ms() + more->wait_ms, no_answer, more);
}

static void looked_up(void *arg)
{
	struct history_more *more = arg;
	struct session *session = more->session;

	if (more->error == STORE_NOT_FOUND)
		settle(more, HISTORY_MORE_NONE, NULL);
	else if (more->error)
		settle(more, HISTORY_MORE_FAILED, store_error_name(more->error));
	else
		ask(more);
	session->busy--;
	session_released(session);
}

void session_cmd_history_more(struct session *session, struct session_call *call)
{
	struct history_more *more = call->arg;
	struct histories *h = histories_of(session);
	unsigned waiting = 0;

	more->session = session;
	more->call = call;
	for (const struct history_more *other = h->more; other; other = other->next)
		waiting++;
	if (!session->client || !wa_client_is_open(session->client)) {
		settle(more, HISTORY_MORE_OFFLINE, NULL);
	} else if (waiting >= HISTORY_MORE_MAX) {
		settle(more, HISTORY_MORE_BUSY, NULL);
	} else {
		session->busy++;
		async_read(session->on->loop, session->on->daemon->store, look_up, looked_up, more);
	}
}
