/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Looking up messages by id. */
#include "sessiond/session/lookup.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sessiond/wa/wa.h"

#define DAY_MS ((int64_t)24 * 3600 * 1000)
#define KEEP_MS (30 * DAY_MS)
/* Votes and answers come late. */
#define KEEP_SECRET_MS (90 * DAY_MS)

/* Cuts a NUL-terminated text off the front; false if there is none. */
static bool take_text(struct span *value, struct span *text)
{
	const uint8_t *end = value->n ? memchr(value->p, 0, value->n) : NULL;

	if (!end)
		return false;
	*text = span_of(value->p, (size_t)(end - value->p));
	*value = span_of(end + 1, value->n - text->n - 1);
	return true;
}

static bool read_record(struct span value, const struct lookup_account *who, struct lookup *found)
{
	struct span author, chat;
	const char *blank;

	if (!take_text(&value, &author) || !take_text(&value, &chat))
		return false;
	blank = memchr(author.p, ' ', author.n);
	if (blank) {
		/* Ends with the NUL that was cut off. */
		found->time_ms = strtoll(blank + 1, NULL, 10);
		author.n = (size_t)(blank - (const char *)author.p);
	}
	if (jid_parse(&found->author, (const char *)author.p, author.n) || jid_parse(&found->chat, (const char *)chat.p, chat.n))
		return false;
	found->from_me = jid_same_user(&found->author, &who->pn) || (!jid_is_none(&who->lid) && jid_same_user(&found->author, &who->lid));
	found->message = value;
	return true;
}

static bool read_row(const struct store_outbox *row, const struct lookup_account *who, struct lookup *found)
{
	if (jid_parse_text(&found->chat, row->recipient))
		return false;
	found->from_me = true;
	found->author = jid_bare(&who->pn);
	found->time_ms = row->server_ms > 0 ? row->server_ms : row->created_ms;
	found->message = row->message;
	found->row = row->number;
	found->state = row->state;
	found->info = row->info;
	return true;
}

static void read_post(struct store_reader *reader, struct arena *arena, int64_t session, const char *id, struct lookup *found)
{
	const struct store_record_key key = { .kind = RECORD_POST, .name = id };
	struct span value = { 0 };
	char digits[24];

	if (found->chat.server != JID_SERVER_NEWSLETTER || store_record_get(reader, arena, session, &key, 1, &value) || !value.p || value.n >= sizeof digits)
		return;
	memcpy(digits, value.p, value.n);
	digits[value.n] = '\0';
	found->server_id = strtoll(digits, NULL, 10);
}

/* ---- messages of chats ---- */

/* Where it is not known how a message came, by the hidden id: it stays when the number changes. */
bool lookup_names(const struct store_message_row *row, struct jid *chat, struct jid *author)
{
	bool by_number = row->addressing == STORE_BY_NUMBER;
	const char *name = by_number || !row->author_lid ? row->author : row->author_lid;

	if (jid_parse_text(chat, by_number || !row->chat_lid ? row->chat_jid : row->chat_lid))
		return false;
	*author = *chat;
	return !name || !jid_parse_text(author, name);
}

static int read_chats(struct store_reader *reader, struct arena *arena, const struct lookup_account *who, const char *id, bool first_content, struct lookup *found)
{
	struct store_message_row row;
	bool original;
	int rc = store_message_find(reader, arena, who->session, id, &row);

	if (rc != STORE_OK)
		return rc;
	original = row.original.p && (first_content || !row.content.p);
	if (!lookup_names(&row, &found->chat, &found->author))
		return STORE_CORRUPT;
	found->message = original ? row.original : row.content;
	found->first = row.original;
	/* Notices, and what history knows by name alone. */
	if (!found->message.p)
		return STORE_NOT_FOUND;
	found->from_me = row.from_me;
	if (row.from_me)
		found->author = row.addressing == STORE_BY_LID && !jid_is_none(&who->lid) ? jid_bare(&who->lid) : jid_bare(&who->pn);
	found->time_ms = row.time_ms;
	found->in_chats = true;
	return STORE_OK;
}

static int get_record(struct store_reader *reader, struct arena *arena, int64_t session, const char *id, struct span *value)
{
	const struct store_record_key key = { .kind = WA_RECORD_MESSAGE, .name = id };

	return store_record_get(reader, arena, session, &key, 1, value);
}

static int read_kept(struct store_reader *reader, struct arena *arena, const struct lookup_account *who, const char *id, struct lookup *found)
{
	struct span value = { 0 };
	int rc = get_record(reader, arena, who->session, id, &value);

	if (rc != STORE_OK || !value.p)
		return rc != STORE_OK ? rc : STORE_NOT_FOUND;
	return read_record(value, who, found) ? STORE_OK : STORE_CORRUPT;
}

/* The outbox has what was sent. What it reads as since it was edited stands in its chat, or in a record where no chat has it. */
static int take_edit(struct store_reader *reader, struct arena *arena, const struct lookup_account *who, const char *id, struct lookup *found)
{
	struct lookup kept = { 0 };
	struct store_message_row row;
	int rc = store_message_get(reader, arena, who->session, &found->chat, id, 1, &row);

	if (rc == STORE_OK) {
		found->in_chats = true;
		if (row.edited_ms > 0 && row.content.p)
			found->message = row.content;
	}
	if (rc != STORE_NOT_FOUND)
		return rc;
	rc = read_kept(reader, arena, who, id, &kept);
	if (rc == STORE_OK && kept.from_me && jid_same_user(&kept.chat, &found->chat))
		found->message = kept.message;
	return rc == STORE_NOT_FOUND ? STORE_OK : rc;
}

void lookup_message(struct store_reader *reader, struct arena *arena, const struct lookup_account *who, const char *id, struct lookup *found)
{
	struct store_outbox row;

	*found = (struct lookup){ .error = store_outbox_find(reader, arena, who->session, id, &row) };
	if (found->error == STORE_OK)
		found->error = read_row(&row, who, found) ? take_edit(reader, arena, who, id, found) : STORE_CORRUPT;
	if (found->error == STORE_NOT_FOUND)
		found->error = read_chats(reader, arena, who, id, false, found);
	if (found->error == STORE_NOT_FOUND)
		found->error = read_kept(reader, arena, who, id, found);
	if (found->error == STORE_OK)
		read_post(reader, arena, who->session, id, found);
}

/* author JID [" " time in ms] NUL chat JID NUL message */
static void put_value(struct buf *out, const struct jid *author, const struct jid *chat, int64_t time_ms, struct span message)
{
	char text[JID_TEXT_MAX];
	struct jid bare = jid_bare(author);

	buf_append_text(out, jid_format(&bare, text, sizeof text));
	if (time_ms > 0)
		buf_printf(out, " %" PRId64, time_ms);
	buf_u8(out, 0);
	buf_append_text(out, jid_format(chat, text, sizeof text));
	buf_u8(out, 0);
	buf_append_span(out, message);
}

int lookup_record(struct store_reader *reader, struct arena *arena, const struct lookup_account *who, const char *id, struct span *value)
{
	struct lookup found = { 0 };
	struct buf made = { 0 };
	int rc = read_chats(reader, arena, who, id, true, &found);

	*value = span_of(NULL, 0);
	if (rc == STORE_NOT_FOUND)
		return get_record(reader, arena, who->session, id, value);
	if (rc != STORE_OK)
		return rc;
	put_value(&made, &found.author, &found.chat, found.time_ms, found.message);
	*value = span_of(arena_dup(arena, made.data, made.len), made.len);
	buf_wipe(&made);
	return STORE_OK;
}

int lookup_sent(struct store_reader *reader, struct arena *arena, int64_t session, const char *id, struct span *value)
{
	const struct store_record_key key = { .kind = WA_RECORD_SENT, .name = id };
	struct span kept = { 0 };
	struct store_outbox row;
	struct buf made = { 0 };
	struct jid chat;
	int rc = store_record_get(reader, arena, session, &key, 1, &kept);

	*value = kept;
	/* Records of before have the message. */
	if (rc != STORE_OK || (kept.p && wa_sent_askers(kept).n != kept.n))
		return rc;
	*value = span_of(NULL, 0);
	rc = store_outbox_find(reader, arena, session, id, &row);
	if (rc != STORE_OK)
		return rc == STORE_NOT_FOUND ? STORE_OK : rc;
	if (row.state == STORE_OUTBOX_QUEUED || row.state == STORE_OUTBOX_CANCELLED || !row.message.n || jid_parse_text(&chat, row.recipient))
		return STORE_OK;
	chat = jid_bare(&chat);
	wa_sent_record(&made, &chat, row.server_ms > 0 ? row.server_ms : row.updated_ms, kept, row.message);
	*value = span_of(arena_dup(arena, made.data, made.len), made.len);
	buf_wipe(&made);
	return STORE_OK;
}

/* ---- keeping ---- */

void lookup_keep_post(struct store_tx *tx, int64_t session, const char *id, int64_t server_id, int64_t now_ms)
{
	char digits[24];

	snprintf(digits, sizeof digits, "%" PRId64, server_id);
	store_tx_record_put(tx, session, RECORD_POST, id, span_text(digits), now_ms + KEEP_MS);
}

int64_t lookup_expiry(struct span value, int64_t now_ms)
{
	struct span author, chat;
	bool long_lived = take_text(&value, &author) && take_text(&value, &chat) && wa_expects_answers(value);

	return now_ms + (long_lived ? KEEP_SECRET_MS : KEEP_MS);
}

void lookup_keep(struct store_tx *tx, int64_t session, const char *id, const struct jid *author, const struct jid *chat, int64_t time_ms, struct span message, int64_t now_ms)
{
	struct buf value = { 0 };

	if (!message.n)
		return;
	put_value(&value, author, chat, time_ms, message);
	store_tx_record_put(tx, session, WA_RECORD_MESSAGE, id, buf_span(&value), lookup_expiry(buf_span(&value), now_ms));
	buf_wipe(&value);
}

struct jid lookup_other(struct store_reader *reader, struct arena *arena, int64_t session, const struct jid *jid)
{
	const struct store_record_key key = { .kind = jid_is_lid(jid) ? WA_RECORD_PN_OF_LID : WA_RECORD_LID_OF_PN, .name = jid->user };
	struct span value = { 0 };
	struct jid other;

	if (store_record_get(reader, arena, session, &key, 1, &value) == STORE_OK && value.p &&
	    !jid_make(&other, (const char *)value.p, value.n, jid_is_lid(jid) ? JID_SERVER_PN : JID_SERVER_LID, 0))
		return other;
	return (struct jid){ .server = JID_SERVER_NONE };
}
