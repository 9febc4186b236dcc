/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Messages as they are written: new ones, and what happens to them later. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sessiond/store/identity.h"
#include "sessiond/store/receipts.h"

/* ---- sealing ---- */

/* The content before an edit is kept under the same name as the content. */
static void content_aad(struct aad *aad, int64_t session, const char *id)
{
	aad_start(aad, 'c');
	aad_int(aad, session);
	aad_text(aad, id);
}

int message_open_content(struct store_reader *reader, struct arena *arena, int64_t session, const char *id, struct span sealed, struct span *plain)
{
	struct aad aad;

	content_aad(&aad, session, id);
	return seal_open(reader->store->seals.messages, aad_span(&aad), sealed, arena, plain);
}

static struct span seal_content(struct store_tx *tx, int64_t session, const char *id, struct span plain)
{
	struct aad aad;

	content_aad(&aad, session, id);
	return tx_seal(tx, tx->store->seals.messages, aad_span(&aad), plain);
}

/* ---- new messages ---- */

struct put_row {
	const char *id, *type, *body;
	struct peer author;
	bool from_me, media;
	int status, addressing;
	int64_t time_ms;
	struct span content; /* sealed */
};

struct put_op {
	struct tx_op op;
	int64_t session, at_ms;
	struct peer chat;
	bool history;
	struct put_row *rows;
	size_t n;
};

/* What the new rows change in their chat. */
struct growth {
	int64_t messages, media, unread, last, last_ms;
};

static int insert(struct store_tx *tx, struct db *db, const struct put_op *put, const struct chat_row *chat, const struct put_row *row,
                  struct growth *growth)
{
	static const struct db_upsert message = { "messages", "chat id from_me",
		                                  "number session author type media status addressing time_ms updated_ms body content" };
	const char *author = row->author.lid != NULL ? row->author.lid : row->author.jid;
	int64_t number = tx->store->next_message;
	int rc = db_insert_new(db, &message, "itniittnnniitb", chat->number, row->id, (int)row->from_me, number, put->session, author, row->type,
	                       (int)row->media, row->status, row->addressing, row->time_ms, put->at_ms, row->body, row->content);

	if (rc <= 0)
		return rc;
	tx->store->next_message++;
	growth->messages++;
	growth->media += row->media;
	growth->unread += !put->history && !row->from_me && row->time_ms > chat->read_ms;
	if (row->time_ms >= growth->last_ms) {
		growth->last = number;
		growth->last_ms = row->time_ms;
	}
	return 0;
}

/* Those who write in groups are known by name, too. */
static int know_author(struct db *db, const struct put_op *put, const struct put_row *row)
{
	struct chat_row known;

	if (peer_is_none(&row->author) || (row->author.push_name == NULL && row->author.verified_name == NULL &&
	                                   (row->author.lid == NULL || row->author.jid == NULL)))
		return 0;
	return chat_want(db, put->session, &row->author, put->at_ms, &known);
}

static int grow(struct db *db, const struct chat_row *chat, const struct growth *growth, int64_t at_ms)
{
	if (growth->messages == 0)
		return 0;
	if (growth->last == 0)
		return db_run(db, "UPDATE chats SET messages = messages + ?, media = media + ?, unread = unread + ?, updated_ms = ? WHERE number = ?",
		              "iiiii", growth->messages, growth->media, growth->unread, at_ms, chat->number);
	return db_run(db,
	              "UPDATE chats SET messages = messages + ?, media = media + ?, unread = unread + ?, last = ?, last_ms = ?, updated_ms = ? "
	              "WHERE number = ?", "iiiiiii", growth->messages, growth->media, growth->unread, growth->last, growth->last_ms, at_ms,
	              chat->number);
}

static int apply_put(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	const struct put_op *put = (const struct put_op *)op;
	struct growth growth = { .messages = 0 };
	struct chat_row chat;
	int rc = chat_want(db, put->session, &put->chat, put->at_ms, &chat);

	growth.last_ms = chat.last_ms;
	for (size_t i = 0; i < put->n && rc == 0; i++) {
		rc = insert(tx, db, put, &chat, &put->rows[i], &growth);
		if (rc == 0)
			rc = know_author(db, put, &put->rows[i]);
	}
	if (rc == 0)
		rc = grow(db, &chat, &growth, put->at_ms);
	search_grown(tx->store);
	return rc;
}

static const char *body_text(struct store_tx *tx, struct span body)
{
	size_t n = body.n;

	if (body.p == NULL)
		return "";
	/* Cut between characters. */
	if (n > STORE_BODY_MAX)
		for (n = STORE_BODY_MAX; n > 0 && (body.p[n] & 0xc0) == 0x80;)
			n--;
	return arena_text(&tx->arena, body.p, n);
}

static void take_row(struct store_tx *tx, int64_t session, const struct store_message *message, struct put_row *row)
{
	row->id = tx_text(tx, message->id);
	row->type = tx_text(tx, message->type);
	row->body = body_text(tx, message->body);
	row->from_me = message->from_me;
	row->media = message->media;
	row->status = (int)message->status;
	row->addressing = (int)message->addressing;
	row->time_ms = message->time_ms;
	row->content = seal_content(tx, session, message->id, message->content);
	peer_of(tx, &message->author, &row->author);
	row->author.push_name = tx_text(tx, message->push_name);
	row->author.verified_name = tx_text(tx, message->verified_name);
}

void store_tx_messages_put(struct store_tx *tx, int64_t session, const struct store_peer *chat, const struct store_message *messages, size_t n,
                           bool history, int64_t at_ms)
{
	struct peer peer;
	struct put_op *put;

	if (!peer_of(tx, chat, &peer) || n == 0)
		return;
	put = tx_op_add(tx, sizeof *put, apply_put);
	put->session = session;
	put->at_ms = at_ms;
	put->history = history;
	put->chat = peer;
	put->n = n;
	put->rows = arena_alloc(&tx->arena, put->n * sizeof *put->rows);
	for (size_t i = 0; i < put->n; i++) {
		struct put_row *row = &put->rows[i];

		memset(row, 0, sizeof *row);
		take_row(tx, session, &messages[i], row);
		/* In a chat of two the author is the chat. */
		if (!row->from_me && peer_is_none(&row->author) && row->author.push_name != NULL)
			put->chat.push_name = row->author.push_name;
		if (!row->from_me && peer_is_none(&row->author) && row->author.verified_name != NULL)
			put->chat.verified_name = row->author.verified_name;
	}
}

/* ---- what happens to them ---- */

struct change_op {
	struct tx_op op;
	int64_t session, at_ms, time_ms;
	struct peer chat, by;
	const char *id, *type, *text, *source;
	int from_me;
	bool media, on;
	int number;          /* status, addon's kind */
	struct span content; /* sealed */
};

struct message_row {
	int64_t number, chat;
	int64_t edited_ms, deleted_ms, time_ms;
	bool from_me, media;
};

static struct change_op *op_for(struct store_tx *tx, int64_t session, const struct store_message_ref *ref, int64_t at_ms,
                                int (*apply)(struct store_tx *tx, struct db *db, struct tx_op *op))
{
	struct peer chat;
	struct change_op *made;

	if (!peer_of(tx, &ref->chat, &chat) || ref->id == NULL)
		return NULL;
	made = tx_op_add(tx, sizeof *made, apply);
	made->session = session;
	made->chat = chat;
	made->id = tx_text(tx, ref->id);
	made->from_me = ref->from_me;
	made->at_ms = at_ms;
	return made;
}

/* row->number 0: it is not stored. */
static int find(struct db *db, const struct change_op *change, struct message_row *row)
{
	struct db_statement *query;
	struct chat_row chat;
	int rc = chat_find(db, change->session, &change->chat, change->at_ms, &chat);

	*row = (struct message_row){ .number = 0 };
	if (rc != 0 || chat.number == 0)
		return rc;
	query = db_query(db, &rc,
	                 "SELECT number, edited_ms, deleted_ms, time_ms, from_me, media FROM messages WHERE chat = ? AND id = ? "
	                 "AND (from_me = ? OR ? < 0) ORDER BY from_me", "itnn", chat.number, change->id, change->from_me, change->from_me);
	if (query == NULL)
		return rc;
	rc = db_step(query);
	if (rc > 0)
		*row = (struct message_row){ db_int(query, 0), chat.number, db_int(query, 1), db_int(query, 2), db_int(query, 3),
			                     db_int(query, 4) != 0, db_int(query, 5) != 0 };
	return db_done(query, rc < 0 ? rc : 0);
}

static int add_addon(struct db *db, int64_t message, enum store_addon_kind kind, const char *author, int64_t time_ms, const char *value, const char *source)
{
	static const struct db_upsert upsert = { "message_addons", "message kind author", "time_ms value source" };

	return db_run_upsert(db, &upsert, "intitt", message, (int)kind, author, time_ms, value, source);
}

static int apply_edit(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	const struct change_op *edit = (const struct change_op *)op;
	struct message_row row;
	char name[24];
	int rc = find(db, edit, &row);

	if (rc != 0 || row.number == 0 || row.deleted_ms != 0 || edit->time_ms <= row.edited_ms)
		return rc;
	rc = db_run(db,
	            "UPDATE messages SET original = coalesce(original, content), content = ?, type = ?, media = ?, body = ?, edited_ms = ?, "
	            "updated_ms = ? WHERE number = ?", "btntiii", edit->content, edit->type, (int)edit->media, edit->text, edit->time_ms,
	            edit->at_ms, row.number);
	if (rc == 0 && edit->media != row.media)
		rc = db_run(db, "UPDATE chats SET media = media + ? WHERE number = ?", "ni", edit->media ? 1 : -1, row.chat);
	snprintf(name, sizeof name, "%lld", (long long)edit->time_ms);
	(void)tx;
	return rc == 0 ? add_addon(db, row.number, STORE_ADDON_EDIT, name, edit->at_ms, NULL, NULL) : rc;
}

void store_tx_message_edit(struct store_tx *tx, int64_t session, const struct store_message_ref *ref, const struct store_message *to,
                           int64_t at_ms)
{
	struct change_op *edit = op_for(tx, session, ref, at_ms, apply_edit);

	if (edit == NULL)
		return;
	edit->time_ms = to->time_ms;
	edit->type = tx_text(tx, to->type);
	edit->text = body_text(tx, to->body);
	edit->media = to->media;
	edit->content = seal_content(tx, session, ref->id, to->content);
}

static int apply_revoke(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	const struct change_op *revoke = (const struct change_op *)op;
	struct message_row row;
	const char *by;
	int rc = find(db, revoke, &row);

	if (rc != 0 || row.number == 0 || row.deleted_ms != 0)
		return rc;
	rc = db_run(db,
	            "UPDATE messages SET original = coalesce(original, content), content = NULL, type = 'system', media = 0, body = ?, "
	            "deleted_ms = ?, updated_ms = ? WHERE number = ?", "tiii", revoke->text, revoke->at_ms, revoke->at_ms, row.number);
	if (rc == 0 && row.media)
		rc = db_run(db, "UPDATE chats SET media = media - 1 WHERE number = ?", "i", row.chat);
	if (rc == 0)
		rc = peer_canonical(db, &tx->arena, revoke->session, &revoke->by, &by);
	return rc == 0 ? add_addon(db, row.number, STORE_ADDON_DELETED_BY, "", revoke->at_ms, by, NULL) : rc;
}

void store_tx_message_revoke(struct store_tx *tx, int64_t session, const struct store_message_ref *ref, const struct store_peer *by,
                             const char *body, int64_t at_ms)
{
	struct change_op *revoke = op_for(tx, session, ref, at_ms, apply_revoke);

	if (revoke == NULL)
		return;
	peer_of(tx, by, &revoke->by);
	revoke->text = tx_text(tx, body);
}

static int apply_star(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	const struct change_op *star = (const struct change_op *)op;
	struct message_row row;
	int rc = find(db, star, &row);

	(void)tx;
	if (rc != 0 || row.number == 0)
		return rc;
	return db_run(db, "UPDATE messages SET starred_ms = ?, updated_ms = ? WHERE number = ?", "iii", star->on ? star->at_ms : 0, star->at_ms,
	              row.number);
}

void store_tx_message_star(struct store_tx *tx, int64_t session, const struct store_message_ref *ref, bool on, int64_t at_ms)
{
	struct change_op *star = op_for(tx, session, ref, at_ms, apply_star);

	if (star != NULL)
		star->on = on;
}

static int apply_delete(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	const struct change_op *gone = (const struct change_op *)op;
	struct message_row row;
	int rc = find(db, gone, &row);

	(void)tx;
	if (rc != 0 || row.number == 0)
		return rc;
	rc = db_run(db, "DELETE FROM messages WHERE number = ?", "i", row.number);
	if (rc == 0)
		rc = db_run(db, "UPDATE chats SET messages = messages - 1, media = media - ? WHERE number = ?", "ni", (int)row.media, row.chat);
	if (rc == 0)
		rc = chat_recount(db, row.chat);
	if (rc == 0 && !row.from_me)
		rc = db_run(db, "UPDATE chats SET unread = unread - 1 WHERE number = ? AND unread > 0 AND read_ms < ?", "ii", row.chat, row.time_ms);
	return rc;
}

void store_tx_message_delete(struct store_tx *tx, int64_t session, const struct store_message_ref *ref)
{
	op_for(tx, session, ref, 0, apply_delete);
}

static int apply_status(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	const struct change_op *change = (const struct change_op *)op;
	struct message_row row;
	int rc = find(db, change, &row);

	(void)tx;
	if (rc != 0 || row.number == 0)
		return rc;
	return db_run(db, "UPDATE messages SET status = ?, updated_ms = ? WHERE number = ? AND status < ?", "niin", change->number, change->at_ms,
	              row.number, change->number);
}

void store_tx_message_status(struct store_tx *tx, int64_t session, const struct store_message_ref *ref, enum store_message_status status,
                             int64_t at_ms)
{
	struct change_op *change = op_for(tx, session, ref, at_ms, apply_status);

	if (change != NULL)
		change->number = (int)status;
}

static int read_receipt(struct db *db, struct arena *arena, int64_t message, const char *author, struct receipt_times *times)
{
	int rc = 0;
	struct db_statement *query = db_query(db, &rc, "SELECT value, time_ms FROM message_addons WHERE message = ? AND kind = ? AND author = ?", "int",
	                                      message, (int)STORE_ADDON_RECEIPT, author);

	*times = (struct receipt_times){ .status = STORE_MESSAGE_NONE };
	if (query == NULL)
		return rc;
	rc = db_step(query);
	if (rc > 0)
		receipt_parse(db_text(query, arena, 0), db_int(query, 1), times);
	return db_done(query, rc < 0 ? rc : 0);
}

static int keep_receipt(struct store_tx *tx, struct db *db, const struct change_op *change, int64_t message)
{
	char value[RECEIPT_TEXT_MAX];
	struct receipt_times times;
	const char *author;
	int rc = peer_canonical(db, &tx->arena, change->session, &change->by, &author);

	if (rc == 0)
		rc = read_receipt(db, &tx->arena, message, author, &times);
	if (rc != 0 || !receipt_add(&times, (enum store_message_status)change->number, change->at_ms))
		return rc;
	receipt_format(&times, value);
	return add_addon(db, message, STORE_ADDON_RECEIPT, author, change->at_ms, value, NULL);
}

static int apply_receipt(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	const struct change_op *change = (const struct change_op *)op;
	struct message_row row;
	int rc;

	if (tx->receipt_known)
		return 0;
	rc = apply_status(tx, db, op);
	if (rc == 0 && !peer_is_none(&change->by))
		rc = find(db, change, &row);
	else
		return rc;
	return rc != 0 || row.number == 0 ? rc : keep_receipt(tx, db, change, row.number);
}

void store_tx_message_receipt(struct store_tx *tx, int64_t session, const struct store_message_ref *ref, const struct store_peer *by,
                              enum store_message_status status, int64_t at_ms)
{
	struct change_op *change = op_for(tx, session, ref, at_ms, apply_receipt);

	if (change == NULL)
		return;
	change->number = (int)status;
	peer_of(tx, by, &change->by);
}

static int time_of_addon(struct db *db, int64_t message, int kind, const char *author, int64_t *time_ms)
{
	int rc = 0;
	struct db_statement *query = db_query(db, &rc, "SELECT time_ms FROM message_addons WHERE message = ? AND kind = ? AND author = ?", "int",
	                                      message, kind, author);

	*time_ms = 0;
	rc = db_read_number(query, rc, time_ms);
	return rc < 0 ? rc : 0;
}

static int apply_addon(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	const struct change_op *addon = (const struct change_op *)op;
	struct message_row row;
	const char *author = "";
	int64_t time_ms = 0;
	int rc = find(db, addon, &row);

	if (rc != 0 || row.number == 0 || row.deleted_ms != 0)
		return rc;
	rc = peer_canonical(db, &tx->arena, addon->session, &addon->by, &author);
	if (rc == 0)
		rc = time_of_addon(db, row.number, addon->number, author, &time_ms);
	if (rc != 0 || addon->time_ms < time_ms)
		return rc;
	/* What was taken back stays with its time: an older one may still come. */
	rc = add_addon(db, row.number, (enum store_addon_kind)addon->number, author, addon->time_ms, addon->text, addon->source);
	return rc == 0 ? db_run(db, "UPDATE messages SET updated_ms = ? WHERE number = ?", "ii", addon->at_ms, row.number) : rc;
}

void store_tx_message_addon(struct store_tx *tx, int64_t session, const struct store_message_ref *ref, enum store_addon_kind kind,
                            const struct store_peer *by, const char *value, int64_t time_ms, int64_t at_ms)
{
	store_tx_message_addon_from(tx, session, ref, kind, by, value, NULL, time_ms, at_ms);
}

void store_tx_message_addon_from(struct store_tx *tx, int64_t session, const struct store_message_ref *ref, enum store_addon_kind kind,
                                 const struct store_peer *by, const char *value, const char *source, int64_t time_ms, int64_t at_ms)
{
	struct change_op *addon = op_for(tx, session, ref, at_ms, apply_addon);

	if (addon == NULL)
		return;
	peer_of(tx, by, &addon->by);
	addon->number = (int)kind;
	addon->text = value == NULL || value[0] == '\0' ? NULL : tx_text(tx, value);
	addon->source = tx_text(tx, source);
	addon->time_ms = time_ms;
}
