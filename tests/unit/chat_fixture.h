/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What tests of the store of chats share: writing messages and people, and asking for lists of them. */
#ifndef TESTS_UNIT_CHAT_FIXTURE_H
#define TESTS_UNIT_CHAT_FIXTURE_H

#include "tests/unit/store_fixture.h"

static const struct store_chat_change nothing = STORE_CHAT_CHANGE_NONE;

/* ---- writing ---- */

static inline struct jid jid(const char *text)
{
	struct jid out = { .server = JID_SERVER_NONE };

	if (text != NULL)
		assert_int_equal(jid_parse_text(&out, text), 0);
	return out;
}

static inline struct store_peer peer(const char *one, const char *other)
{
	return (struct store_peer){ jid(one), jid(other) };
}

#define PN "6281111111111@s.whatsapp.net"
#define LID "111000111000111@lid"
#define PN2 "6282222222222@s.whatsapp.net"
#define LID2 "222000222000222@lid"
#define GROUP "120363000000000001@g.us"

struct told {
	const char *id, *body, *type, *name;
	bool from_me, media, history;
	int64_t time_ms;
	struct store_peer author;
};

static inline void tell(struct fixture *f, int64_t session, struct store_peer chat, struct told t)
{
	struct store_tx *tx = store_tx_new(f->store);
	struct store_message m = { .id = t.id, .from_me = t.from_me, .author = t.author, .push_name = t.name, .type = t.type ? t.type : "conversation",
		                   .media = t.media, .body = span_text(t.body), .content = span_text(t.body), .time_ms = t.time_ms,
		                   .status = t.from_me ? STORE_MESSAGE_PENDING : STORE_MESSAGE_NONE };

	store_tx_messages_put(tx, session, &chat, &m, 1, t.history, t.time_ms);
	assert_int_equal(store_commit_wait(f->store, tx), 0);
}

static inline void change(struct fixture *f, int64_t session, struct store_peer chat, struct store_chat_change to)
{
	struct store_tx *tx = store_tx_new(f->store);

	store_tx_chat_put(tx, session, &chat, &to, 77);
	assert_int_equal(store_commit_wait(f->store, tx), 0);
}

/* ---- reading ---- */

struct question {
	struct fixture *f;
	int64_t session;
	const char *jid, *id;
	struct store_chat_query chats;
	struct store_message_query messages;
	struct store_search_query search;
	struct store_chat *chat_rows;
	struct store_message_row *rows;
	size_t n;
	struct store_page page;
	int rc;
};

static inline void read_chats(struct store_reader *reader, void *arg)
{
	struct question *q = arg;

	q->rc = store_chat_list(reader, &q->f->arena, q->session, &q->chats, &q->chat_rows, &q->n, &q->page);
}

static inline void read_chat(struct store_reader *reader, void *arg)
{
	struct question *q = arg;
	struct jid who = jid(q->jid);

	q->chat_rows = arena_alloc(&q->f->arena, sizeof *q->chat_rows);
	q->rc = store_chat_get(reader, &q->f->arena, q->session, &who, q->chat_rows);
}

static inline void read_messages(struct store_reader *reader, void *arg)
{
	struct question *q = arg;

	read_chat(reader, arg);
	if (q->rc != 0)
		return;
	q->messages.chat = q->chat_rows->number;
	q->rc = store_message_list(reader, &q->f->arena, q->session, &q->messages, &q->rows, &q->n, &q->page);
}

static inline void read_found(struct store_reader *reader, void *arg)
{
	struct question *q = arg;

	q->rc = store_message_search(reader, &q->f->arena, q->session, &q->search, &q->rows, &q->n, &q->page);
}

static inline struct question chats_of(struct fixture *f, int64_t session)
{
	struct question q = { .f = f, .session = session, .chats = { .archived = -1, .limit = 10 } };

	store_read_wait(f->store, read_chats, &q);
	return q;
}

static inline struct store_chat *chat_of(struct fixture *f, int64_t session, const char *who)
{
	struct question q = { .f = f, .session = session, .jid = who };

	store_read_wait(f->store, read_chat, &q);
	return q.rc == 0 ? q.chat_rows : NULL;
}

static inline struct question messages_of(struct fixture *f, int64_t session, const char *who, struct store_message_query query)
{
	struct question q = { .f = f, .session = session, .jid = who, .messages = query };

	store_read_wait(f->store, read_messages, &q);
	return q;
}

static const struct store_message_query all = { .from_me = -1, .limit = 50 };

static inline struct question find(struct fixture *f, int64_t session, const char *text)
{
	static struct store_search search;
	struct question q = { .f = f, .session = session, .search = { .search = &search, .from_me = -1, .limit = 50 } };
	struct store_tx *tx;

	q.rc = store_search_parse(&search, text) ? 0 : 1;
	if (q.rc != 0)
		return q;
	if (store_search_behind(f->store)) {
		tx = store_tx_new(f->store);
		store_tx_search_fill(tx);
		assert_int_equal(store_commit_wait(f->store, tx), 0);
		assert_false(store_search_behind(f->store));
	}
	store_read_wait(f->store, read_found, &q);
	return q;
}

/* ---- by id alone ---- */

static inline void read_by_id(struct store_reader *reader, void *arg)
{
	struct question *q = arg;

	q->rows = arena_alloc(&q->f->arena, sizeof *q->rows);
	q->rc = store_message_find(reader, &q->f->arena, q->session, q->id, q->rows);
}

static inline struct question message_named(struct fixture *f, int64_t session, const char *id)
{
	struct question q = { .f = f, .session = session, .id = id };

	store_read_wait(f->store, read_by_id, &q);
	return q;
}

static inline struct store_message_ref ref(const char *chat, const char *id)
{
	return (struct store_message_ref){ .chat = peer(chat, NULL), .id = id, .from_me = -1 };
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

#endif
