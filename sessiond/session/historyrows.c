/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a history says as rows of the store, on a worker thread. */
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/jid.h"
#include "sessiond/session/historywork.h"
#include "sessiond/session/chatrow.h"

/* Messages of one chat that go into the store with one call. */
#define CHUNK 256U

void history_rows_free(struct history_job *job)
{
	arena_free(&job->texts);
	free(job->chunk);
	job->chunk = NULL;
	job->nchunk = 0;
}

/* ---- both forms of a person ---- */

static void remember(struct history_job *job, const struct jid *a, const struct jid *b)
{
	char text[JID_TEXT_MAX];
	struct history_other *other;

	jid_format(a, text, sizeof text);
	other = bytemap_put(job->others, text, strlen(text));
	if (!other)
		return;
	other->server = b->server;
	memcpy(other->user, b->user, sizeof other->user);
}

static struct store_peer peer_of(const struct history_job *job, const struct jid *jid)
{
	struct store_peer peer = { .jid = *jid };
	const struct history_other *other;
	char text[JID_TEXT_MAX];

	if (!jid_is_person(jid))
		return peer;
	jid_format(jid, text, sizeof text);
	other = bytemap_get(job->others, text, strlen(text));
	if (other)
		jid_make(&peer.other, other->user, strlen(other->user), other->server, 0);
	return peer;
}

/* ---- the survey ---- */

static void learn_pair(struct history_job *job, const struct jid *a, const struct jid *b)
{
	struct wa_learned_item *item;

	if (!((jid_is_pn(a) && jid_is_lid(b)) || (jid_is_lid(a) && jid_is_pn(b))))
		return;
	remember(job, a, b);
	remember(job, b, a);
	item = wa_learned_add(job->learned, WA_LEARNED_MAPPING);
	item->jid = *a;
	item->other = *b;
}

static void survey_chat(struct history_job *job, const struct wa_history_chat *chat)
{
	struct wa_learned_item *item;

	if (!jid_is_none(&chat->pn))
		learn_pair(job, &chat->pn, jid_is_none(&chat->lid) ? &chat->jid : &chat->lid);
	else if (!jid_is_none(&chat->lid))
		learn_pair(job, &chat->jid, &chat->lid);
	if (chat->token.n == 0 || !jid_is_person(&chat->jid))
		return;
	item = wa_learned_add(job->learned, WA_LEARNED_TOKEN);
	item->jid = jid_is_none(&chat->lid) ? chat->jid : chat->lid;
	buf_append_span(&item->bytes, chat->token);
	item->time_s = chat->token_s;
	item->given_s = chat->token_given_s;
}

/* Polls and events, for the votes and answers that still come. */
static void survey_message(struct history_job *job, const struct wa_history_message *m)
{
	struct wa_learned_item *item;

	if (m->message.n == 0 || !wa_expects_answers(m->message))
		return;
	item = wa_learned_add(job->learned, WA_LEARNED_SECRET);
	item->jid = m->chat_jid;
	item->other = m->from_me ? jid_is_lid(&m->chat_jid) ? job->own_lid : job->own : jid_is_none(&m->author) ? m->chat_jid : m->author;
	item->id = xstrdup(m->id);
	buf_append_span(&item->bytes, m->message);
}

void history_survey_item(struct history_job *job, const struct wa_history_item *item)
{
	switch (item->kind) {
	case HISTORY_MAPPING:
		learn_pair(job, &item->jid, &item->other);
		break;
	case HISTORY_CHAT:
		survey_chat(job, item->chat);
		break;
	case HISTORY_MESSAGE:
		survey_message(job, &item->message);
		break;
	case HISTORY_SALT:
		buf_append_span(&wa_learned_add(job->learned, WA_LEARNED_SALT)->bytes, item->bytes);
		break;
	case HISTORY_NAME:
	case HISTORY_PAST_MEMBER:
		break;
	}
}

/* ---- rows ---- */

/* People and groups, not ourselves. */
static bool is_kept(const struct history_job *job, const struct jid *jid)
{
	if (jid_is_group(jid))
		return true;
	return jid_is_person(jid) && !jid_same_user(jid, &job->own) && (jid_is_none(&job->own_lid) || !jid_same_user(jid, &job->own_lid));
}

void history_rows_flush(struct history_job *job)
{
	if (job->nchunk > 0)
		store_tx_messages_put(job->tx, job->session, &job->chunk_chat, job->chunk, job->nchunk, true, job->begun_wall_ms);
	job->nchunk = 0;
	arena_reset(&job->texts);
}

static enum store_message_status status_of(const struct wa_history_message *m)
{
	static const enum store_message_status states[] = {
		STORE_MESSAGE_ERROR, STORE_MESSAGE_PENDING, STORE_MESSAGE_SENT, STORE_MESSAGE_DELIVERED, STORE_MESSAGE_READ, STORE_MESSAGE_PLAYED,
	};

	return m->from_me && m->status < sizeof states / sizeof states[0] ? states[m->status] : STORE_MESSAGE_NONE;
}

static const char *copied(struct arena *arena, const char *text)
{
	return text ? arena_strdup(arena, text) : NULL;
}

static struct span copied_bytes(struct arena *arena, struct span bytes)
{
	return bytes.n > 0 ? span_of(arena_dup(arena, bytes.p, bytes.n), bytes.n) : span_of(NULL, 0);
}

static void add_row(struct history_job *job, const struct wa_history_message *m, const struct chatrow *content)
{
	struct arena *arena = &job->texts;
	struct store_message *row = &job->chunk[job->nchunk++];

	*row = (struct store_message){ .id = arena_strdup(arena, m->id), .from_me = m->from_me, .type = arena_strdup(arena, content->type), .media = content->media,
		.time_ms = m->time_s * 1000, .status = status_of(m) };
	if (!m->from_me && jid_is_group(&m->chat_jid) && !jid_is_none(&m->author))
		row->author = peer_of(job, &m->author);
	row->push_name = m->from_me ? NULL : copied(arena, m->push_name);
	row->verified_name = m->from_me ? NULL : copied(arena, m->business_name);
	row->body = copied_bytes(arena, buf_span(&content->body));
	row->content = copied_bytes(arena, m->message);
	job->rows++;
}

/* A message that was deleted for everybody leaves a stub; the others tell of groups and calls, and are no messages. */
static void write_message(struct history_job *job, const struct wa_history_message *m)
{
	struct chatrow content;
	bool is_message;

	if (m->chat == NULL || m->message.n == 0 || !is_kept(job, &m->chat_jid) || m->time_s * 1000 < job->oldest_ms)
		return;
	if (job->nchunk > 0 && (job->nchunk == CHUNK || !jid_same_user(&job->chunk_chat.jid, &m->chat_jid)))
		history_rows_flush(job);
	if (job->nchunk == 0)
		job->chunk_chat = peer_of(job, &m->chat_jid);
	chatrow_read(&content, m->message);
	is_message = content.kind == CHATROW_MESSAGE;
	if (is_message)
		add_row(job, m, &content);
	chatrow_free(&content);
	if (is_message && m->starred) {
		const struct store_message_ref ref = { .chat = job->chunk_chat, .id = m->id, .from_me = m->from_me };

		history_rows_flush(job);
		store_tx_message_star(job->tx, job->session, &ref, true, job->begun_wall_ms);
	}
}

static void write_chat(struct history_job *job, const struct wa_history_chat *chat)
{
	struct store_chat_change change = STORE_CHAT_CHANGE_NONE;
	struct store_peer who = peer_of(job, &chat->jid);

	history_rows_flush(job);
	if (!is_kept(job, &chat->jid))
		return;
	change.subject = jid_is_group(&chat->jid) ? chat->name : NULL;
	change.name = jid_is_group(&chat->jid) ? NULL : chat->name;
	change.expiration_s = chat->expiration_s;
	job->complete = chat->complete;
	/* What a page of older messages says of the chat is no news. */
	if (job->notice.kind != HISTORY_ON_DEMAND) {
		change.unread = chat->unread;
		change.marked_unread = chat->marked_unread;
		change.archived = chat->archived;
		change.pinned_ms = chat->pinned_s * 1000;
		change.mute_ms = chat->mute_until_s < 0 ? STORE_MUTE_FOREVER : chat->mute_until_s * 1000;
	}
	store_tx_chat_put(job->tx, job->session, &who, &change, job->begun_wall_ms);
	job->rows++;
}

static void write_name(struct history_job *job, const struct wa_history_item *item)
{
	struct store_chat_change change = STORE_CHAT_CHANGE_NONE;
	struct store_peer who = peer_of(job, &item->jid);

	if (!jid_is_person(&item->jid) || !is_kept(job, &item->jid))
		return;
	change.push_name = item->text;
	store_tx_chat_put(job->tx, job->session, &who, &change, job->begun_wall_ms);
	job->rows++;
}

void history_write_item(struct history_job *job, const struct wa_history_item *item)
{
	if (!job->chunk)
		job->chunk = xcalloc(CHUNK, sizeof *job->chunk);
	switch (item->kind) {
	case HISTORY_MESSAGE:
		write_message(job, &item->message);
		break;
	case HISTORY_CHAT:
		write_chat(job, item->chat);
		break;
	case HISTORY_NAME:
		write_name(job, item);
		break;
	case HISTORY_MAPPING:
	case HISTORY_PAST_MEMBER:
	case HISTORY_SALT:
		break;
	}
}
