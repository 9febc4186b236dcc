/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading messages: pages of a chat, single ones, and what full-text search finds. */
#include <stdlib.h>
#include <string.h>

#include "sessiond/store/receipts.h"

#define MESSAGE_COLUMNS                                                                                                        \
	"m.number, m.chat, c.jid, c.lid, m.id, m.from_me, m.author, m.type, m.body, m.media, m.status, m.time_ms, m.updated_ms, " \
	"m.edited_ms, m.deleted_ms, m.starred_ms, m.addressing"

enum { COLUMN_CONTENT = 17, COLUMN_ORIGINAL = 18 };

int person_forms(struct store_reader *reader, struct arena *arena, int64_t session, const char *author, const char **jid, const char **lid)
{
	struct db_statement *query;
	int rc = 0;

	*jid = author;
	*lid = NULL;
	if (strstr(author, "@lid") != NULL) {
		*lid = author;
		query = db_query(reader->db, &rc, "SELECT jid, lid FROM chats WHERE session = ? AND lid = ?", "it", session, author);
	} else {
		query = db_query(reader->db, &rc, "SELECT jid, lid FROM chats WHERE session = ? AND jid = ?", "it", session, author);
	}
	if (query == NULL)
		return rc;
	rc = db_step(query);
	if (rc > 0) {
		*jid = db_text(query, arena, 0);
		*lid = db_text(query, arena, 1);
	}
	return db_done(query, rc < 0 ? rc : 0);
}

static int read_addons(struct store_reader *reader, struct arena *arena, int64_t session, struct store_message_row *row)
{
	struct rows list;
	int rc = 0;
	struct db_statement *query = db_query(reader->db, &rc,
	                                      "SELECT kind, author, time_ms, value, source FROM message_addons WHERE message = ? ORDER BY kind, time_ms, author",
	                                      "i", row->number);

	rows_init(&list, arena, sizeof *row->addons);
	while (query != NULL && (rc = db_step(query)) > 0) {
		struct store_addon *addon = rows_add(&list);

		addon->kind = (enum store_addon_kind)db_int(query, 0);
		addon->author = db_text(query, arena, 1);
		addon->time_ms = db_int(query, 2);
		addon->value = db_text(query, arena, 3);
		addon->source = db_text(query, arena, 4);
	}
	rc = db_done(query, rc);
	row->addons = list.data;
	row->naddons = list.count;
	for (size_t i = 0; i < row->naddons && rc == 0; i++) {
		if (row->addons[i].kind != STORE_ADDON_EDIT && row->addons[i].author[0] != '\0')
			rc = person_forms(reader, arena, session, row->addons[i].author, &row->addons[i].author, &row->addons[i].author_lid);
	}
	return rc;
}

/* Rows of the outbox know more than the message: it is in the same database while the outbox keeps it. */
static int read_status(struct store_reader *reader, int64_t session, struct store_message_row *row)
{
	static const enum store_message_status of_outbox[] = {
		[STORE_OUTBOX_QUEUED] = STORE_MESSAGE_PENDING, [STORE_OUTBOX_SENT] = STORE_MESSAGE_PENDING, [STORE_OUTBOX_ACKED] = STORE_MESSAGE_SENT,
		[STORE_OUTBOX_DELIVERED] = STORE_MESSAGE_DELIVERED, [STORE_OUTBOX_READ] = STORE_MESSAGE_READ,
		[STORE_OUTBOX_PLAYED] = STORE_MESSAGE_PLAYED, [STORE_OUTBOX_FAILED] = STORE_MESSAGE_ERROR,
		[STORE_OUTBOX_CANCELLED] = STORE_MESSAGE_ERROR,
	};
	int64_t state = -1;
	int rc = 0;
	struct db_statement *query;

	if (!row->from_me || row->status != STORE_MESSAGE_PENDING)
		return 0;
	query = db_query(reader->db, &rc, "SELECT state FROM outbox WHERE session = ? AND message_id = ?", "it", session, row->id);
	rc = db_read_number(query, rc, &state);
	/* What has left the outbox was acked. */
	if (rc == 0)
		row->status = STORE_MESSAGE_SENT;
	else if (rc > 0 && state >= 0 && (size_t)state < sizeof of_outbox / sizeof *of_outbox)
		row->status = of_outbox[state];
	return rc < 0 ? rc : 0;
}

static void message_of_row(struct db_statement *query, struct arena *arena, struct store_message_row *row)
{
	*row = (struct store_message_row){
		.number = db_int(query, 0),
		.chat = db_int(query, 1),
		.chat_jid = db_text(query, arena, 2),
		.chat_lid = db_text(query, arena, 3),
		.id = db_text(query, arena, 4),
		.from_me = db_int(query, 5) != 0,
		.author = db_text(query, arena, 6),
		.type = db_text(query, arena, 7),
		.body = db_text(query, arena, 8),
		.media = db_int(query, 9) != 0,
		.status = (enum store_message_status)db_int(query, 10),
		.time_ms = db_int(query, 11),
		.updated_ms = db_int(query, 12),
		.edited_ms = db_int(query, 13),
		.deleted_ms = db_int(query, 14),
		.starred_ms = db_int(query, 15),
		.addressing = (enum store_addressing)db_int(query, 16),
	};
}

static int read_contents(struct store_reader *reader, struct arena *arena, int64_t session, struct db_statement *query, struct store_message_row *row)
{
	int rc = message_open_content(reader, arena, session, row->id, db_blob(query, COLUMN_CONTENT), &row->content);

	return rc == 0 ? message_open_content(reader, arena, session, row->id, db_blob(query, COLUMN_ORIGINAL), &row->original) : rc;
}

/* What stands in other tables, once the rows are read. */
static int complete(struct store_reader *reader, struct arena *arena, int64_t session, bool bare, struct store_message_row *rows, size_t n)
{
	int rc = 0;

	for (size_t i = 0; i < n && rc == 0; i++) {
		if (rows[i].author != NULL)
			rc = person_forms(reader, arena, session, rows[i].author, &rows[i].author, &rows[i].author_lid);
		if (rc == 0 && !bare)
			rc = read_status(reader, session, &rows[i]);
		if (rc == 0 && !bare)
			rc = read_addons(reader, arena, session, &rows[i]);
	}
	return rc;
}

/* ---- one ---- */

static int first_row(struct store_reader *reader, struct arena *arena, int64_t session, struct db_statement *query, int rc, struct store_message_row *row)
{
	if (query == NULL)
		return rc;
	rc = db_step(query);
	if (rc > 0) {
		message_of_row(query, arena, row);
		rc = read_contents(reader, arena, session, query, row);
	} else if (rc == 0) {
		rc = STORE_NOT_FOUND;
	}
	rc = db_done(query, rc);
	return rc == 0 ? complete(reader, arena, session, false, row, 1) : rc;
}

int store_message_get(struct store_reader *reader, struct arena *arena, int64_t session, const struct jid *chat, const char *id, int from_me,
                      struct store_message_row *row)
{
	struct store_chat found;
	int rc = store_chat_get(reader, arena, session, chat, &found);
	struct db_statement *query;

	if (rc != 0)
		return rc;
	query = db_query(reader->db, &rc,
	                 "SELECT " MESSAGE_COLUMNS ", m.content, m.original FROM messages AS m JOIN chats AS c ON c.number = m.chat "
	                 "WHERE m.chat = ? AND m.id = ? AND (m.from_me = ? OR ? < 0) ORDER BY m.from_me", "itnn", found.number, id, from_me, from_me);
	return first_row(reader, arena, session, query, rc, row);
}

/* From chat to message, not the other way round: there is no index of ids alone, which every message would have to pay for. */
int store_message_find(struct store_reader *reader, struct arena *arena, int64_t session, const char *id, struct store_message_row *row)
{
	int rc = 0;
	struct db_statement *query = db_query(reader->db, &rc,
	                                      "SELECT " MESSAGE_COLUMNS ", m.content, m.original FROM chats AS c CROSS JOIN messages AS m "
	                                      "WHERE c.session = ? AND c.messages > 0 AND m.chat = c.number AND m.id = ? "
	                                      "ORDER BY c.last_ms DESC LIMIT 1", "it", session, id);

	return first_row(reader, arena, session, query, rc, row);
}

/* ---- pages of a chat ---- */

struct page_state {
	const struct store_message_query *query;
	struct cursor cursor;
	int64_t from_ms, to_ms;
	const char *pattern; /* NULL: none */
};

static bool is_filtered(const struct page_state *state)
{
	const struct store_message_query *query = state->query;

	return query->media_only || query->from_me >= 0 || state->pattern != NULL || query->from_ms > 0 || query->to_ms > 0 || query->starred_only;
}

static void put_conditions(struct db_built *built, const struct page_state *state, int64_t to_ms)
{
	const struct store_message_query *query = state->query;

	db_built_int(built, "WHERE m.chat = ?", query->chat);
	db_built_int(built, " AND m.time_ms >= ?", state->from_ms);
	db_built_int(built, " AND m.time_ms <= ?", to_ms);
	if (query->media_only)
		buf_append_text(&built->sql, " AND m.media > 0");
	if (query->from_me >= 0)
		db_built_int(built, " AND m.from_me = ?", query->from_me);
	if (query->starred_only)
		buf_append_text(&built->sql, " AND m.starred_ms > 0");
	if (state->pattern != NULL)
		db_built_text(built, " AND lower(m.body) LIKE ? ESCAPE '!'", state->pattern);
}

static int count_all(struct store_reader *reader, const struct page_state *state, int64_t *total)
{
	struct db_built built = { .n = 0 };
	int rc = 0;
	struct db_statement *statement;

	if (is_filtered(state)) {
		buf_append_text(&built.sql, "SELECT count(*) FROM messages AS m ");
		put_conditions(&built, state, state->to_ms);
	} else {
		db_built_int(&built, "SELECT messages FROM chats WHERE number = ?", state->query->chat);
	}
	statement = db_built_query(reader->db, &built, &rc);
	if (statement != NULL && (rc = db_step(statement)) > 0)
		*total = db_int(statement, 0);
	return db_built_done(&built, rc < 0 ? rc : 0);
}

static void build_page(struct db_built *built, const struct page_state *state)
{
	const struct store_message_query *query = state->query;

	buf_append_text(&built->sql, query->bare ? "SELECT " MESSAGE_COLUMNS " FROM messages AS m JOIN chats AS c ON c.number = m.chat "
	                                         : "SELECT " MESSAGE_COLUMNS ", m.content, m.original FROM messages AS m JOIN chats AS c "
	                                           "ON c.number = m.chat ");
	put_conditions(built, state, query->cursor != NULL && state->cursor.a < state->to_ms ? state->cursor.a : state->to_ms);
	if (query->cursor != NULL) {
		db_built_int(built, " AND (m.time_ms < ?", state->cursor.a);
		db_built_int(built, " OR m.number < ?)", state->cursor.b);
	}
	buf_append_text(&built->sql, " ORDER BY m.time_ms DESC, m.number DESC");
	db_built_int(built, " LIMIT ?", query->limit + 1);
	db_built_int(built, " OFFSET ?", query->cursor != NULL ? 0 : query->offset);
}

static int run_page(struct store_reader *reader, struct arena *arena, int64_t session, struct db_built *built, bool bare, int64_t limit, struct rows *list,
                    bool *more)
{
	int rc = 0;
	struct db_statement *statement = db_built_query(reader->db, built, &rc);

	*more = false;
	while (statement != NULL && (rc = db_step(statement)) > 0) {
		struct store_message_row *row;

		if ((int64_t)list->count == limit) {
			*more = true;
			rc = 0;
			break;
		}
		row = rows_add(list);
		message_of_row(statement, arena, row);
		rc = bare ? 0 : read_contents(reader, arena, session, statement, row);
		if (rc != 0)
			break;
	}
	return db_built_done(built, rc);
}

/* ASCII letters in any case, as the databases' lower() has it. */
static const char *pattern_of(struct arena *arena, const char *text)
{
	struct buf out = { 0 };
	const char *pattern;

	if (text == NULL || text[0] == '\0')
		return NULL;
	buf_u8(&out, '%');
	for (; *text != '\0'; text++) {
		if (strchr("%_!", *text) != NULL)
			buf_u8(&out, '!');
		buf_u8(&out, (uint8_t)(*text >= 'A' && *text <= 'Z' ? *text + 32 : *text));
	}
	buf_u8(&out, '%');
	pattern = arena_strdup(arena, buf_text(&out));
	buf_free(&out);
	return pattern;
}

static void scope_of(struct buf *scope, int64_t session, const struct store_message_query *query)
{
	buf_printf(scope, "messages %lld %lld %lld %lld %d %d %d ", (long long)session, (long long)query->chat, (long long)query->from_ms,
	           (long long)query->to_ms, query->media_only, query->from_me, query->starred_only);
	buf_append_text(scope, query->search == NULL ? "" : query->search);
}

int store_message_list(struct store_reader *reader, struct arena *arena, int64_t session, const struct store_message_query *query,
                       struct store_message_row **rows, size_t *n, struct store_page *page)
{
	struct page_state state = { .query = query, .from_ms = query->from_ms, .to_ms = query->to_ms > 0 ? query->to_ms : INT64_MAX };
	struct db_built built = { .n = 0 };
	struct buf scope = { 0 };
	struct rows list;
	bool more = false;
	int rc = 0;

	*page = (struct store_page){ .total = 0 };
	rows_init(&list, arena, sizeof **rows);
	scope_of(&scope, session, query);
	state.pattern = pattern_of(arena, query->search);
	if (query->cursor != NULL && !cursor_read(reader->store, buf_span(&scope), query->cursor, &state.cursor))
		rc = STORE_NOT_FOUND;
	if (rc == 0 && !query->no_total)
		rc = count_all(reader, &state, &page->total);
	if (rc == 0) {
		build_page(&built, &state);
		rc = run_page(reader, arena, session, &built, query->bare, query->limit, &list, &more);
	}
	*rows = list.data;
	*n = list.count;
	if (rc == 0 && more && *n > 0)
		page->cursor = cursor_write(reader->store, arena, buf_span(&scope), &(struct cursor){ .a = (*rows)[*n - 1].time_ms, .b = (*rows)[*n - 1].number });
	if (rc == 0)
		rc = complete(reader, arena, session, query->bare, *rows, *n);
	buf_free(&scope);
	return rc;
}

/* ---- full text ---- */

static void build_search(struct db_built *built, const struct db *db, const struct store_search_query *query, const char *match, const struct cursor *cursor)
{
	struct buf part = { 0 };

	buf_append_text(&built->sql, "SELECT " MESSAGE_COLUMNS ", m.content, m.original FROM ");
	buf_append_text(&built->sql, db->driver->search_from);
	db_built_text(built, "?", match);
	/* Not of chats that were given up. */
	buf_append_text(&built->sql, " AND c.session > 0");
	if (query->cursor != NULL) {
		buf_printf(&part, " AND %s < ?", db->driver->search_number);
		db_built_int(built, buf_text(&part), cursor->b);
	}
	if (query->chat != 0)
		db_built_int(built, " AND m.chat = ?", query->chat);
	if (query->from_ms > 0)
		db_built_int(built, " AND m.time_ms >= ?", query->from_ms);
	if (query->to_ms > 0)
		db_built_int(built, " AND m.time_ms <= ?", query->to_ms);
	if (query->from_me >= 0)
		db_built_int(built, " AND m.from_me = ?", query->from_me);
	buf_clear(&part);
	buf_printf(&part, " ORDER BY %s DESC LIMIT ?", db->driver->search_number);
	db_built_int(built, buf_text(&part), query->limit + 1);
	buf_free(&part);
}

int store_message_search(struct store_reader *reader, struct arena *arena, int64_t session, const struct store_search_query *query,
                         struct store_message_row **rows, size_t *n, struct store_page *page)
{
	struct db_built built = { .n = 0 };
	struct buf scope = { 0 }, match = { 0 };
	struct cursor cursor = { .a = 0 };
	struct rows list;
	bool more = false;
	int rc = 0;

	*page = (struct store_page){ .total = 0 };
	rows_init(&list, arena, sizeof **rows);
	reader->db->driver->search_text(&match, session, query->search);
	buf_printf(&scope, "search %lld %lld %lld %d ", (long long)query->chat, (long long)query->from_ms, (long long)query->to_ms, query->from_me);
	buf_append_span(&scope, buf_span(&match));
	if (query->cursor != NULL && !cursor_read(reader->store, buf_span(&scope), query->cursor, &cursor))
		rc = STORE_NOT_FOUND;
	if (rc == 0) {
		build_search(&built, reader->db, query, buf_text(&match), &cursor);
		rc = run_page(reader, arena, session, &built, false, query->limit, &list, &more);
	}
	*rows = list.data;
	*n = list.count;
	if (rc == 0 && more && *n > 0)
		page->cursor = cursor_write(reader->store, arena, buf_span(&scope), &(struct cursor){ .b = (*rows)[*n - 1].number });
	if (rc == 0)
		rc = complete(reader, arena, session, false, *rows, *n);
	buf_free(&scope);
	buf_free(&match);
	return rc;
}
