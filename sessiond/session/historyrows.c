/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a history says as rows of the store, on a worker thread. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/jid.h"
#include "sessiond/session/historywork.h"
#include "sessiond/session/chatrow.h"
#include "sessiond/json_text.h"
#include "sessiond/wa/poll.h"

/* Messages of one chat that go into the store with one call. */
#define CHUNK 256U

enum { STUB_REVOKE = 1, STUB_ADMIN_REVOKE = 132, EMOJI_MAX = 128 };

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

/* ---- what was added to a message, or done to it ---- */

static struct store_message_ref ref_of(const struct history_job *job, const char *id, int from_me)
{
	return (struct store_message_ref){ .chat = job->chunk_chat, .id = id, .from_me = from_me };
}

static struct store_peer adder_of(const struct history_job *job, const struct wa_history_addon *addon)
{
	static const struct store_peer ourselves = { .jid = { .server = JID_SERVER_NONE } };
	bool own = addon->own || jid_same_user(&addon->author, &job->own) || (!jid_is_none(&job->own_lid) && jid_same_user(&addon->author, &job->own_lid));

	return own ? ourselves : peer_of(job, &addon->author);
}

/* The names of the options that a vote chose, as an array in JSON. False: it is no vote on this poll. */
static bool put_chosen(struct buf *out, struct span message, struct span bytes)
{
	struct poll *poll = xcalloc(1, sizeof *poll);
	struct poll_vote *vote = xcalloc(1, sizeof *vote);
	struct buf stored = { 0 };
	bool read = wa_poll_of_message(message, &stored) && wa_poll_read(buf_span(&stored), poll) && wa_poll_vote_read(bytes, poll, vote);

	buf_u8(out, '[');
	for (size_t i = 0; read && i < vote->n; i++) {
		const struct span name = poll->names[vote->options[i]];

		if (i > 0)
			buf_u8(out, ',');
		json_put_span(out, name);
	}
	buf_u8(out, ']');
	buf_free(&stored);
	free(vote);
	free(poll);
	return read;
}

static void put_receipt(struct buf *out, const struct wa_history_addon *addon)
{
	static const enum store_message_status states[] = { [2] = STORE_MESSAGE_DELIVERED, [3] = STORE_MESSAGE_READ, [4] = STORE_MESSAGE_PLAYED };

	buf_printf(out, "%d", (int)states[addon->state]);
}

/* Until when, in seconds. */
static void put_until(struct buf *out, int64_t since_ms, uint32_t seconds)
{
	buf_printf(out, "%" PRId64, since_ms / 1000 + (int64_t)seconds);
}

static void write_addon(struct history_job *job, const struct wa_history_message *m, const struct wa_history_addon *addon)
{
	static const enum store_addon_kind kinds[] = {
		[HISTORY_REACTION] = STORE_ADDON_REACTION, [HISTORY_VOTE] = STORE_ADDON_VOTE, [HISTORY_RECEIPT] = STORE_ADDON_RECEIPT,
		[HISTORY_PIN] = STORE_ADDON_PIN, [HISTORY_RESPONSE] = STORE_ADDON_RESPONSE,
	};
	static const struct store_peer nobody = { .jid = { .server = JID_SERVER_NONE } };
	const struct store_message_ref ref = ref_of(job, m->id, m->from_me);
	const struct store_peer by = addon->kind == HISTORY_PIN ? nobody : adder_of(job, addon);
	int64_t time_ms = addon->time_ms > 0 ? addon->time_ms : m->time_s * 1000;
	struct buf value = { 0 };
	bool usable = true;

	if (addon->kind == HISTORY_REACTION && addon->value.n < EMOJI_MAX)
		buf_append_span(&value, addon->value);
	else if (addon->kind == HISTORY_VOTE)
		usable = put_chosen(&value, m->message, addon->value);
	else if (addon->kind == HISTORY_RECEIPT)
		put_receipt(&value, addon);
	else if (addon->kind == HISTORY_PIN && addon->state)
		put_until(&value, time_ms, addon->seconds);
	else if (addon->kind == HISTORY_RESPONSE)
		chatrow_put_response(&value, addon->value);
	if (usable)
		store_tx_message_addon_from(job->tx, job->session, &ref, kinds[addon->kind], &by, buf_text(&value),
			addon->source.n > 0 ? arena_text(&job->texts, addon->source.p, addon->source.n) : NULL, time_ms, job->begun_wall_ms);
	buf_free(&value);
}

static void write_addons(struct history_job *job, const struct wa_history_message *m)
{
	struct reader info = reader_of(m->info.p, m->info.n);
	struct wa_history_addon addon;

	if (!m->has_addons)
		return;
	history_rows_flush(job);
	while (wa_history_addon_next(&info, &addon))
		write_addon(job, m, &addon);
}

static void write_reaction(struct history_job *job, const struct wa_history_message *m, const struct chatrow *row, const char *target)
{
	const struct wa_history_addon by = { .own = m->from_me, .author = jid_is_none(&m->author) ? m->chat_jid : m->author };
	const struct store_message_ref ref = ref_of(job, target, -1);
	const struct store_peer adder = adder_of(job, &by);
	char emoji[EMOJI_MAX] = "";

	if (row->text.n > 0 && row->text.n < sizeof emoji)
		memcpy(emoji, row->text.p, row->text.n);
	store_tx_message_addon(job->tx, job->session, &ref, STORE_ADDON_REACTION, &adder, emoji, row->time_ms > 0 ? row->time_ms : m->time_s * 1000, job->begun_wall_ms);
}

/* Without the notice that a live one leaves: the phone does not tell who pinned it. */
static void write_pin(struct history_job *job, const struct wa_history_message *m, const struct chatrow *row, const char *target)
{
	static const struct store_peer nobody = { .jid = { .server = JID_SERVER_NONE } };
	const struct store_message_ref ref = ref_of(job, target, -1);
	struct buf until = { 0 };

	if (row->on)
		put_until(&until, m->time_s * 1000, (uint32_t)(row->seconds & UINT32_MAX));
	store_tx_message_addon(job->tx, job->session, &ref, STORE_ADDON_PIN, &nobody, buf_text(&until), m->time_s * 1000, job->begun_wall_ms);
	buf_free(&until);
}

/* The message may come later, or never: then what it became is put in its place. */
static void write_edit(struct history_job *job, const struct wa_history_message *m, const struct chatrow *row, const char *target)
{
	const struct store_message_ref ref = ref_of(job, target, m->from_me);
	struct store_message to = { .id = target, .from_me = m->from_me, .content = row->edited, .time_ms = row->time_ms > 0 ? row->time_ms : m->time_s * 1000 };
	struct chatrow content;

	chatrow_read(&content, row->edited);
	if (content.kind == CHATROW_MESSAGE) {
		to.type = content.type;
		to.media = content.media;
		to.body = buf_span(&content.body);
		store_tx_message_edit(job->tx, job->session, &ref, &to, job->begun_wall_ms);
		to.time_ms = m->time_s * 1000;
		if (!m->from_me && jid_is_group(&m->chat_jid) && !jid_is_none(&m->author))
			to.author = peer_of(job, &m->author);
		store_tx_messages_put(job->tx, job->session, &job->chunk_chat, &to, 1, true, job->begun_wall_ms);
	}
	chatrow_free(&content);
}

/* A message that is about another one of its chat. */
static void write_change(struct history_job *job, const struct wa_history_message *m, const struct chatrow *row)
{
	const struct wa_history_addon by = { .own = m->from_me, .author = jid_is_none(&m->author) ? m->chat_jid : m->author };
	const struct store_peer who = adder_of(job, &by);
	struct store_message_ref ref;
	char *target;

	if (row->target_id.n == 0)
		return;
	history_rows_flush(job);
	target = xstrndup((const char *)row->target_id.p, row->target_id.n);
	ref = ref_of(job, target, -1);
	if (row->kind == CHATROW_REACTION)
		write_reaction(job, m, row, target);
	else if (row->kind == CHATROW_PIN)
		write_pin(job, m, row, target);
	else if (row->kind == CHATROW_EDIT)
		write_edit(job, m, row, target);
	else if (row->kind == CHATROW_REVOKE)
		store_tx_message_revoke(job->tx, job->session, &ref, &who, m->from_me ? chatrow_deleted_own : chatrow_deleted, m->time_s * 1000);
	free(target);
}

/* What was deleted for everybody leaves a stub: the message is there, as deleted, whether we have seen it before or not. */
static void write_deleted(struct history_job *job, const struct wa_history_message *m)
{
	const struct wa_history_addon by = { .own = m->from_me, .author = jid_is_none(&m->author) ? m->chat_jid : m->author };
	const struct store_message_ref ref = ref_of(job, m->id, m->from_me);
	const struct store_peer who = adder_of(job, &by);
	const char *body = m->from_me ? chatrow_deleted_own : chatrow_deleted;
	struct store_message row = { .id = m->id, .from_me = m->from_me, .type = "system", .body = span_text(body), .time_ms = m->time_s * 1000, .status = status_of(m) };

	if (!m->from_me && jid_is_group(&m->chat_jid) && !jid_is_none(&m->author))
		row.author = peer_of(job, &m->author);
	history_rows_flush(job);
	store_tx_messages_put(job->tx, job->session, &job->chunk_chat, &row, 1, true, job->begun_wall_ms);
	store_tx_message_revoke(job->tx, job->session, &ref, &who, body, m->time_s * 1000);
	job->rows++;
}

static void write_content(struct history_job *job, const struct wa_history_message *m)
{
	struct chatrow content;
	bool is_message;

	chatrow_read(&content, m->message);
	is_message = content.kind == CHATROW_MESSAGE;
	if (is_message)
		add_row(job, m, &content);
	else
		write_change(job, m, &content);
	chatrow_free(&content);
	if (!is_message)
		return;
	write_addons(job, m);
	if (m->starred) {
		const struct store_message_ref ref = ref_of(job, m->id, m->from_me);

		history_rows_flush(job);
		store_tx_message_star(job->tx, job->session, &ref, true, job->begun_wall_ms);
	}
}

/* The other stubs tell of groups and calls, and are no messages. */
static void write_message(struct history_job *job, const struct wa_history_message *m)
{
	int64_t time_ms = m->time_s * 1000;
	bool deleted = m->message.n == 0 && (m->stub == STUB_REVOKE || m->stub == STUB_ADMIN_REVOKE);

	if (m->chat == NULL || (m->message.n == 0 && !deleted) || !is_kept(job, &m->chat_jid) || time_ms < job->oldest_ms)
		return;
	if (job->nchunk > 0 && (job->nchunk == CHUNK || !jid_same_user(&job->chunk_chat.jid, &m->chat_jid)))
		history_rows_flush(job);
	if (job->nchunk == 0)
		job->chunk_chat = peer_of(job, &m->chat_jid);
	job->newest_ms = time_ms > job->newest_ms ? time_ms : job->newest_ms;
	if (deleted)
		write_deleted(job, m);
	else
		write_content(job, m);
}

/* When the phone saw the chat so: at its newest message, at the least. */
static int64_t time_of_chat(const struct history_job *job, const struct wa_history_chat *chat)
{
	int64_t time_ms = (chat->time_s > chat->last_message_s ? chat->time_s : chat->last_message_s) * 1000;

	time_ms = time_ms > job->newest_ms ? time_ms : job->newest_ms;
	return time_ms > 0 ? time_ms : 1;
}

static void write_chat(struct history_job *job, const struct wa_history_chat *chat)
{
	struct store_chat_change change = STORE_CHAT_CHANGE_NONE;
	struct store_peer who = peer_of(job, &chat->jid);

	history_rows_flush(job);
	change.as_of_ms = time_of_chat(job, chat);
	job->newest_ms = 0;
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
	/* Read by the survey; and who once was in a group, which no answer shows. */
	case HISTORY_MAPPING:
	case HISTORY_SALT:
	case HISTORY_PAST_MEMBER:
		break;
	}
}
