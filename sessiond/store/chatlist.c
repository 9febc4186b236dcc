/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lists of chats and contacts. */
#include <stdio.h>
#include <string.h>

#include "common/fold.h"
#include "sessiond/store/private.h"

#define CHAT_COLUMNS                                                                                                                 \
	"SELECT c.number, c.kind, c.jid, c.lid, c.name, c.first_name, c.push_name, c.verified_name, c.subject, c.is_contact, "       \
	"c.messages, c.media, c.unread, c.read_ms, c.marked_unread, c.archived, c.locked, c.pinned_ms, c.mute_ms, c.expiration_s, "  \
	"c.last_ms, m.body, c.created_ms, c.updated_ms, c.name_key FROM chats AS c LEFT JOIN messages AS m ON m.number = c.last "

/* NULL for "", too: an erased name is none. */
static const char *text_or_null(struct db_statement *query, struct arena *arena, int column)
{
	const char *text = db_text_borrowed(query, column);

	return text == NULL || text[0] == '\0' ? NULL : arena_strdup(arena, text);
}

static const char *display_of(const struct store_chat *chat)
{
	const char *const names[] = { chat->verified_name, chat->name, chat->push_name, chat->subject };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (names[i] != NULL)
			return names[i];
	}
	return NULL;
}

static void chat_of_row(struct db_statement *query, struct arena *arena, struct store_chat *chat)
{
	*chat = (struct store_chat){
		.number = db_int(query, 0),
		.kind = (enum store_chat_kind)db_int(query, 1),
		.jid = db_text(query, arena, 2),
		.lid = text_or_null(query, arena, 3),
		.name = text_or_null(query, arena, 4),
		.first_name = text_or_null(query, arena, 5),
		.push_name = text_or_null(query, arena, 6),
		.verified_name = text_or_null(query, arena, 7),
		.subject = text_or_null(query, arena, 8),
		.is_contact = db_int(query, 9) != 0,
		.messages = db_int(query, 10),
		.media = db_int(query, 11),
		.unread = db_int(query, 12),
		.read_ms = db_int(query, 13),
		.marked_unread = db_int(query, 14) != 0,
		.archived = db_int(query, 15) != 0,
		.locked = db_int(query, 16) != 0,
		.pinned_ms = db_int(query, 17),
		.mute_ms = db_int(query, 18),
		.expiration_s = db_int(query, 19),
		.last_ms = db_int(query, 20),
		.last_body = db_text(query, arena, 21),
		.created_ms = db_int(query, 22),
		.updated_ms = db_int(query, 23),
	};
	chat->display = display_of(chat);
}

/* ---- one ---- */

static int get_by(struct store_reader *reader, struct arena *arena, int64_t session, const char *sql, const char *jid, struct store_chat *chat)
{
	int rc = 0;
	struct db_statement *query = db_query(reader->db, &rc, sql, "it", session, jid);

	if (query == NULL)
		return rc;
	rc = db_step(query);
	if (rc > 0)
		chat_of_row(query, arena, chat);
	return db_done(query, rc > 0 ? 0 : rc == 0 ? STORE_NOT_FOUND : rc);
}

int store_chat_get(struct store_reader *reader, struct arena *arena, int64_t session, const struct jid *jid, struct store_chat *chat)
{
	struct jid bare = jid_bare(jid);
	char text[JID_TEXT_MAX];

	if (bare.server == JID_SERVER_HOSTED)
		bare.server = JID_SERVER_PN;
	else if (bare.server == JID_SERVER_HOSTED_LID)
		bare.server = JID_SERVER_LID;
	jid_format(&bare, text, sizeof text);
	if (jid_is_lid(&bare))
		return get_by(reader, arena, session, CHAT_COLUMNS "WHERE c.session = ? AND c.lid = ?", text, chat);
	return get_by(reader, arena, session, CHAT_COLUMNS "WHERE c.session = ? AND c.jid = ?", text, chat);
}

/* ---- lists ---- */

/* What a list is ordered by, and behind that the JID. */
static const struct order {
	const char *column;
	bool text;
} orders[] = {
	[STORE_BY_LAST] = { "c.last_ms", false },
	[STORE_BY_NAME] = { "c.name_key", true },
	[STORE_BY_JID] = { "c.jid", true },
	[STORE_BY_UNREAD] = { "c.unread", false },
	[STORE_BY_UPDATED] = { "c.updated_ms", false },
};

/* A part of a text, any case, with what LIKE takes for more than itself quoted. */
static void like_pattern(struct buf *out, const char *text, bool fold)
{
	struct buf folded = { 0 };

	if (fold)
		fold_append(&folded, text);
	else
		buf_append_text(&folded, text);
	buf_u8(out, '%');
	for (size_t i = 0; i < folded.len; i++) {
		if (strchr("%_!", (char)folded.data[i]) != NULL)
			buf_u8(out, '!');
		buf_u8(out, folded.data[i]);
	}
	buf_u8(out, '%');
	buf_free(&folded);
}

static void not_jid(struct db_built *built, const char *jid)
{
	if (jid == NULL || jid[0] == '\0')
		return;
	db_built_text(built, " AND c.jid <> ?", jid);
	db_built_text(built, " AND (c.lid IS NULL OR c.lid <> ?)", jid);
}

static void put_conditions(struct db_built *built, int64_t session, const struct store_chat_query *query, const char *pattern)
{
	db_built_int(built, "WHERE c.session = ?", session);
	if (!query->contacts)
		buf_append_text(&built->sql, " AND c.messages > 0");
	if (query->with_media)
		buf_append_text(&built->sql, " AND c.media > 0");
	if (query->kind != 0)
		db_built_int(built, " AND c.kind = ?", query->kind);
	if (query->archived >= 0)
		db_built_int(built, " AND c.archived = ?", query->archived);
	if (query->unread_only)
		buf_append_text(&built->sql, " AND (c.unread > 0 OR c.marked_unread > 0)");
	if (pattern != NULL) {
		db_built_text(built, " AND (c.name_key LIKE ? ESCAPE '!'", pattern);
		db_built_text(built, " OR lower(c.jid) LIKE ? ESCAPE '!'", pattern);
		db_built_text(built, " OR c.lid LIKE ? ESCAPE '!'", pattern);
		db_built_text(built, " OR lower(c.subject) LIKE ? ESCAPE '!')", pattern);
	}
	if (query->label != NULL) {
		db_built_int(built, " AND EXISTS (SELECT 1 FROM label_members AS l WHERE l.session = ?", session);
		db_built_text(built, " AND l.label = ? AND l.chat = c.number AND l.message_id = '')", query->label);
	}
	not_jid(built, query->own);
	not_jid(built, query->own_lid);
}

/* Behind the last row of the page before. cursor->text: value (of text orders), unit separator, JID. */
static void put_cursor(struct db_built *built, const struct store_chat_query *query, struct cursor *cursor)
{
	const struct order *order = &orders[query->order];
	char *jid = strchr(cursor->text, '\x1f');
	char sql[160];

	if (jid != NULL)
		*jid++ = '\0';
	else
		jid = cursor->text;
	snprintf(sql, sizeof sql, " AND %s %s ?", order->column, query->ascending ? ">=" : "<=");
	if (order->text)
		db_built_text(built, sql, cursor->text);
	else
		db_built_int(built, sql, cursor->a);
	snprintf(sql, sizeof sql, " AND (%s <> ?", order->column);
	if (order->text)
		db_built_text(built, sql, cursor->text);
	else
		db_built_int(built, sql, cursor->a);
	db_built_text(built, " OR c.jid > ?)", jid);
}

static int count_all(struct store_reader *reader, int64_t session, const struct store_chat_query *query, const char *pattern, int64_t *total)
{
	struct db_built built = { .n = 0 };
	int rc = 0;
	struct db_statement *statement;

	buf_append_text(&built.sql, "SELECT count(*) FROM chats AS c ");
	put_conditions(&built, session, query, pattern);
	statement = db_built_query(reader->db, &built, &rc);
	if (statement != NULL && (rc = db_step(statement)) > 0)
		*total = db_int(statement, 0);
	return db_built_done(&built, rc < 0 ? rc : 0);
}

static char *next_cursor(struct store_reader *reader, struct arena *arena, struct span scope, const struct store_chat_query *query,
                         const struct store_chat *last, const char *name_key)
{
	struct cursor cursor = { .a = query->order == STORE_BY_LAST ? last->last_ms : query->order == STORE_BY_UPDATED ? last->updated_ms : last->unread };

	if (query->order == STORE_BY_NAME)
		snprintf(cursor.text, sizeof cursor.text, "%s\x1f%s", name_key, last->jid);
	else if (query->order == STORE_BY_JID)
		snprintf(cursor.text, sizeof cursor.text, "%s\x1f%s", last->jid, last->jid);
	else
		snprintf(cursor.text, sizeof cursor.text, "%s", last->jid);
	return cursor_write(reader->store, arena, scope, &cursor);
}

/* What a cursor is good for: the same list, page size apart. */
static void scope_of(struct buf *scope, int64_t session, const struct store_chat_query *query)
{
	buf_printf(scope, "chats %lld %d %d %d %d %d %d %d ", (long long)session, (int)query->order, query->ascending, query->with_media, query->contacts,
	           query->kind, query->archived, query->unread_only);
	buf_append_text(scope, query->search == NULL ? "" : query->search);
	buf_u8(scope, 0);
	buf_append_text(scope, query->label == NULL ? "" : query->label);
}

static int run_list(struct store_reader *reader, struct arena *arena, struct db_built *built, const struct store_chat_query *query, struct span scope,
                    struct rows *rows, struct store_page *page)
{
	const char *name_key = "";
	int rc = 0;
	struct db_statement *statement = db_built_query(reader->db, built, &rc);

	while (statement != NULL && (rc = db_step(statement)) > 0) {
		/* One more than asked for tells that there is another page. */
		if ((int64_t)rows->count == query->limit) {
			page->cursor = next_cursor(reader, arena, scope, query, (struct store_chat *)rows->data + rows->count - 1, name_key);
			rc = 0;
			break;
		}
		chat_of_row(statement, arena, rows_add(rows));
		name_key = db_text(statement, arena, 24);
	}
	return rc;
}

int store_chat_list(struct store_reader *reader, struct arena *arena, int64_t session, const struct store_chat_query *query,
                    struct store_chat **rows, size_t *n, struct store_page *page)
{
	const struct order *order = &orders[query->order];
	struct db_built built = { .n = 0 };
	struct buf pattern = { 0 }, scope = { 0 };
	struct cursor cursor;
	struct rows list;
	int rc = 0;

	rows_init(&list, arena, sizeof **rows);
	*page = (struct store_page){ .total = 0 };
	scope_of(&scope, session, query);
	if (query->cursor != NULL && !cursor_read(reader->store, buf_span(&scope), query->cursor, &cursor))
		rc = STORE_NOT_FOUND;
	if (query->search != NULL && query->search[0] != '\0')
		like_pattern(&pattern, query->search, true);
	if (rc == 0)
		rc = count_all(reader, session, query, pattern.len > 0 ? buf_text(&pattern) : NULL, &page->total);
	if (rc == 0) {
		buf_append_text(&built.sql, CHAT_COLUMNS);
		put_conditions(&built, session, query, pattern.len > 0 ? buf_text(&pattern) : NULL);
		if (query->cursor != NULL)
			put_cursor(&built, query, &cursor);
		buf_printf(&built.sql, " ORDER BY %s %s, c.jid", order->column, query->ascending ? "ASC" : "DESC");
		db_built_int(&built, " LIMIT ?", query->limit + 1);
		db_built_int(&built, " OFFSET ?", query->cursor != NULL ? 0 : query->offset);
		rc = run_list(reader, arena, &built, query, buf_span(&scope), &list, page);
		db_built_done(&built, rc);
	}
	buf_free(&pattern);
	buf_free(&scope);
	*rows = list.data;
	*n = list.count;
	return rc;
}
