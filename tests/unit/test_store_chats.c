/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If these fail, people have two chats with one person, lose pages while messages arrive, or find what was deleted. */
#include "sessiond/store/private.h"
#include "tests/unit/chat_fixture.h"

/* ---- identities ---- */

static void a_person_is_one_chat_whatever_it_is_called(void **state)
{
	struct fixture *f = *state;
	int64_t session = fixture_session(f, "main");
	struct store_chat *chat;
	struct question q;

	tell(f, session, peer(PN, NULL), (struct told){ .id = "A1", .body = "by number", .time_ms = 1000, .name = "Alex" });
	tell(f, session, peer(LID, NULL), (struct told){ .id = "A2", .body = "by lid", .time_ms = 2000 });
	/* the same message under both names */
	tell(f, session, peer(PN, NULL), (struct told){ .id = "A2", .body = "by lid", .time_ms = 2000 });
	assert_int_equal(chats_of(f, session).n, 2);
	/* A mapping becomes known, from the address book. */
	change(f, session, peer(LID, PN), (struct store_chat_change){ .name = "Alex B", .is_contact = 1, .unread = -1, .marked_unread = -1, .archived = -1,
	                                                               .locked = -1, .pinned_ms = -1, .mute_ms = -1, .expiration_s = -1 });
	q = chats_of(f, session);
	assert_int_equal(q.n, 1);
	assert_int_equal(q.page.total, 1);
	chat = chat_of(f, session, LID);
	assert_non_null(chat);
	assert_string_equal(chat->jid, PN);
	assert_string_equal(chat->lid, LID);
	assert_string_equal(chat->display, "Alex B");
	assert_string_equal(chat->push_name, "Alex");
	assert_int_equal(chat->messages, 2);
	assert_int_equal(chat->unread, 2);
	assert_int_equal(chat->last_ms, 2000);
	assert_string_equal(chat->last_body, "by lid");
	assert_int_equal(chat_of(f, session, PN)->number, chat->number);
	q = messages_of(f, session, PN, all);
	assert_int_equal(q.n, 2);
	assert_string_equal(q.rows[0].id, "A2");
	assert_true(span_is(q.rows[1].content, "by number"));
	/* Either name finds it from now on. */
	tell(f, session, peer(PN, NULL), (struct told){ .id = "A3", .body = "again", .time_ms = 3000 });
	tell(f, session, peer(LID, PN), (struct told){ .id = "A4", .body = "and again", .time_ms = 4000 });
	assert_int_equal(chats_of(f, session).n, 1);
	assert_int_equal(chat_of(f, session, LID)->messages, 4);
}

static void a_number_moves_to_another_person(void **state)
{
	struct fixture *f = *state;
	int64_t session = fixture_session(f, "main");

	tell(f, session, peer(LID, PN), (struct told){ .id = "A1", .body = "first owner", .time_ms = 1000 });
	tell(f, session, peer(LID2, PN), (struct told){ .id = "B1", .body = "second owner", .time_ms = 2000 });
	assert_int_equal(chats_of(f, session).n, 2);
	assert_string_equal(chat_of(f, session, LID)->jid, LID);
	assert_string_equal(chat_of(f, session, LID2)->jid, PN);
	assert_string_equal(chat_of(f, session, PN)->last_body, "second owner");
	/* And the first one has got a new one. */
	tell(f, session, peer(LID, PN2), (struct told){ .id = "A2", .body = "new number", .time_ms = 3000 });
	assert_string_equal(chat_of(f, session, PN2)->lid, LID);
	assert_int_equal(chat_of(f, session, PN2)->messages, 2);
}

static void authors_in_groups_become_known(void **state)
{
	struct fixture *f = *state;
	int64_t session = fixture_session(f, "main");
	struct question q;

	tell(f, session, peer(GROUP, NULL), (struct told){ .id = "G1", .body = "hi", .time_ms = 1000, .author = peer(LID, NULL) });
	tell(f, session, peer(GROUP, NULL), (struct told){ .id = "G2", .body = "hi", .time_ms = 2000, .author = peer(PN, LID), .name = "Bo" });
	q = messages_of(f, session, GROUP, all);
	assert_int_equal(q.n, 2);
	assert_string_equal(q.rows[1].author, PN);
	assert_string_equal(q.rows[1].author_lid, LID);
	assert_string_equal(chat_of(f, session, PN)->push_name, "Bo");
	/* A person without messages is no chat. */
	assert_int_equal(chats_of(f, session).n, 1);
	q.chats = (struct store_chat_query){ .archived = -1, .limit = 10, .contacts = true, .order = STORE_BY_NAME, .ascending = true };
	store_read_wait(f->store, read_chats, &q);
	assert_int_equal(q.n, 2);
}

/* ---- what happens to messages ---- */

static void edit(struct fixture *f, int64_t session, const char *id, const char *body, int64_t time_ms)
{
	struct store_tx *tx = store_tx_new(f->store);
	struct store_message_ref which = ref(PN, id);

	store_tx_message_edit(tx, session, &which, &(struct store_message){ .type = "conversation", .body = span_text(body), .content = span_text(body),
	                                                                     .time_ms = time_ms }, time_ms + 5);
	assert_int_equal(store_commit_wait(f->store, tx), 0);
}

static void an_edit_and_a_deletion_leave_their_trace(void **state)
{
	struct fixture *f = *state;
	int64_t session = fixture_session(f, "main");
	struct store_message_ref which = ref(PN, "A1");
	struct store_peer nobody = peer(NULL, NULL);
	struct store_tx *tx;
	struct question q;

	tell(f, session, peer(PN, NULL), (struct told){ .id = "A1", .body = "first", .time_ms = 1000 });
	edit(f, session, "A1", "second", 5000);
	edit(f, session, "A1", "late and older", 4000);
	q = messages_of(f, session, PN, all);
	assert_string_equal(q.rows[0].body, "second");
	assert_int_equal(q.rows[0].edited_ms, 5000);
	assert_true(span_is(q.rows[0].original, "first"));
	assert_true(span_is(q.rows[0].content, "second"));
	assert_int_equal(q.rows[0].naddons, 1);
	assert_string_equal(chat_of(f, session, PN)->last_body, "second");
	tx = store_tx_new(f->store);
	store_tx_message_revoke(tx, session, &which, &nobody, "(deleted)", 6000);
	assert_int_equal(store_commit_wait(f->store, tx), 0);
	edit(f, session, "A1", "after its deletion", 9000);
	q = messages_of(f, session, PN, all);
	assert_string_equal(q.rows[0].body, "(deleted)");
	assert_string_equal(q.rows[0].type, "system");
	assert_int_equal(q.rows[0].deleted_ms, 6000);
	assert_null(q.rows[0].content.p);
	assert_true(span_is(q.rows[0].original, "first"));
	assert_string_equal(chat_of(f, session, PN)->last_body, "(deleted)");
	/* What is not stored is no error. */
	edit(f, session, "NONE", "x", 1);
}

static void react(struct fixture *f, int64_t session, struct store_peer by, const char *emoji, int64_t time_ms)
{
	struct store_tx *tx = store_tx_new(f->store);
	struct store_message_ref which = ref(PN, "A1");

	store_tx_message_addon(tx, session, &which, STORE_ADDON_REACTION, &by, emoji, time_ms, time_ms);
	assert_int_equal(store_commit_wait(f->store, tx), 0);
}

static void one_reaction_per_person(void **state)
{
	struct fixture *f = *state;
	int64_t session = fixture_session(f, "main");
	struct question q;

	tell(f, session, peer(PN, LID), (struct told){ .id = "A1", .body = "first", .time_ms = 1000 });
	react(f, session, peer(PN, NULL), "a", 2000);
	react(f, session, peer(LID, NULL), "b", 3000);
	react(f, session, peer(PN, NULL), "too old", 2500);
	react(f, session, peer(NULL, NULL), "own", 2600);
	q = messages_of(f, session, LID, all);
	assert_int_equal(q.rows[0].naddons, 2);
	assert_string_equal(q.rows[0].addons[0].author, "");
	assert_string_equal(q.rows[0].addons[1].author, PN);
	assert_string_equal(q.rows[0].addons[1].value, "b");
	react(f, session, peer(LID, PN), "", 4000);
	q = messages_of(f, session, LID, all);
	assert_null(q.rows[0].addons[1].value);
}

/* ---- counts ---- */

static void unread_counts_what_is_newer_than_what_was_read(void **state)
{
	struct fixture *f = *state;
	int64_t session = fixture_session(f, "main");
	struct store_peer who = peer(PN, NULL);
	const char *ids[] = { "A2", "unknown" };
	struct store_message_ref which = ref(PN, "A4");
	struct store_tx *tx;

	for (int i = 1; i <= 4; i++) {
		char id[16];

		snprintf(id, sizeof id, "A%d", i);
		tell(f, session, who, (struct told){ .id = id, .body = "x", .time_ms = i * 1000 });
		tell(f, session, who, (struct told){ .id = id, .body = "x", .time_ms = i * 1000 });
	}
	tell(f, session, who, (struct told){ .id = "OWN", .body = "x", .time_ms = 3500, .from_me = true });
	tell(f, session, who, (struct told){ .id = "OLD", .body = "x", .time_ms = 500, .history = true });
	assert_int_equal(chat_of(f, session, PN)->unread, 4);
	tx = store_tx_new(f->store);
	store_tx_chat_read_ids(tx, session, &who, ids, 2);
	assert_int_equal(store_commit_wait(f->store, tx), 0);
	assert_int_equal(chat_of(f, session, PN)->unread, 2);
	tx = store_tx_new(f->store);
	store_tx_message_delete(tx, session, &which);
	assert_int_equal(store_commit_wait(f->store, tx), 0);
	assert_int_equal(chat_of(f, session, PN)->unread, 1);
	assert_int_equal(chat_of(f, session, PN)->last_ms, 3500);
	tx = store_tx_new(f->store);
	store_tx_chat_read(tx, session, &who, 9000);
	assert_int_equal(store_commit_wait(f->store, tx), 0);
	assert_int_equal(chat_of(f, session, PN)->unread, 0);
	/* Late ones were read already. */
	tell(f, session, who, (struct told){ .id = "LATE", .body = "x", .time_ms = 8000 });
	assert_int_equal(chat_of(f, session, PN)->unread, 0);
}

static void clearing_keeps_what_is_newer_or_starred(void **state)
{
	struct fixture *f = *state;
	int64_t session = fixture_session(f, "main");
	struct store_peer who = peer(PN, NULL);
	struct store_message_ref which = ref(PN, "A1");
	struct store_tx *tx;

	for (int i = 1; i <= 4; i++) {
		char id[16];

		snprintf(id, sizeof id, "A%d", i);
		tell(f, session, who, (struct told){ .id = id, .body = "word", .time_ms = i * 1000, .media = true });
	}
	assert_int_equal(find(f, session, "word").n, 4);
	tx = store_tx_new(f->store);
	store_tx_message_star(tx, session, &which, true, 5);
	store_tx_chat_clear(tx, session, &who, 3000, false);
	assert_int_equal(store_commit_wait(f->store, tx), 0);
	assert_int_equal(chat_of(f, session, PN)->messages, 2);
	assert_int_equal(chat_of(f, session, PN)->media, 2);
	assert_int_equal(find(f, session, "word").n, 2);
	tx = store_tx_new(f->store);
	store_tx_chat_clear(tx, session, &who, INT64_MAX, true);
	assert_int_equal(store_commit_wait(f->store, tx), 0);
	assert_int_equal(chat_of(f, session, PN)->messages, 0);
	assert_int_equal(messages_of(f, session, PN, all).n, 0);
	assert_int_equal(find(f, session, "word").n, 0);
	/* The same message does not come back as long as it is told by a new id only. */
	tell(f, session, who, (struct told){ .id = "B1", .body = "word", .time_ms = 9000 });
	assert_int_equal(find(f, session, "word").n, 1);
	tx = store_tx_new(f->store);
	store_tx_chat_delete(tx, session, &who, INT64_MAX);
	assert_int_equal(store_commit_wait(f->store, tx), 0);
	assert_null(chat_of(f, session, PN));
	assert_int_equal(find(f, session, "word").n, 0);
	/* The keeper has something to remove. */
	fixture_reopen(f);
	assert_null(chat_of(f, session, PN));
}

static void a_removed_session_leaves_nothing(void **state)
{
	struct fixture *f = *state;
	int64_t session = fixture_session(f, "main");
	struct store_tx *tx = store_tx_new(f->store);
	int64_t other;

	store_tx_label_put(tx, session, &(struct store_label){ .id = "7", .name = "Important", .color = 3, .updated_ms = 1 });
	store_tx_label_member(tx, session, "7", &(struct store_peer){ jid(PN), jid(NULL) }, NULL, true);
	assert_int_equal(store_commit_wait(f->store, tx), 0);
	tell(f, session, peer(PN, NULL), (struct told){ .id = "A1", .body = "secret", .time_ms = 1000 });
	assert_int_equal(find(f, session, "secret").n, 1);
	tx = store_tx_new(f->store);
	store_tx_session_remove(tx, session);
	assert_int_equal(store_commit_wait(f->store, tx), 0);
	assert_int_equal(find(f, session, "secret").n, 0);
	assert_int_equal(chats_of(f, session).n, 0);
	other = fixture_session(f, "main");
	assert_int_equal(chats_of(f, other).n, 0);
	fixture_reopen(f);
	assert_int_equal(find(f, session, "secret").n, 0);
}

static void old_and_surplus_messages_go(void **state)
{
	struct fixture *f = *state;
	int64_t session = fixture_session(f, "main");
	int64_t now = 1000000;

	for (int i = 0; i < 30; i++) {
		char id[16];

		snprintf(id, sizeof id, "A%d", i);
		/* half of them at the same time */
		tell(f, session, peer(PN, NULL), (struct told){ .id = id, .body = "word", .time_ms = i < 15 ? now : now + i * 1000 });
	}
	store_retention(f->store, 0, 20);
	fixture_reopen(f); /* the keeper's last round */
	assert_int_equal(chat_of(f, session, PN)->messages, 20);
	assert_int_equal(messages_of(f, session, PN, all).n, 20);
	assert_int_equal(find(f, session, "word").n, 20);
	store_retention(f->store, 1000, 0);
	fixture_reopen(f);
	assert_int_equal(chat_of(f, session, PN)->messages, 0);
	assert_int_equal(chat_of(f, session, PN)->unread, 0);
	assert_int_equal(find(f, session, "word").n, 0);
}

/* ---- pages ---- */

static void pages_are_stable_while_messages_arrive(void **state)
{
	struct fixture *f = *state;
	int64_t session = fixture_session(f, "main");
	struct question q = { .f = f };
	char *cursor = NULL;
	int seen = 0;

	for (int i = 0; i < 50; i++) {
		char id[16];

		snprintf(id, sizeof id, "A%02d", i);
		/* ten at a time have the same time */
		tell(f, session, peer(PN, NULL), (struct told){ .id = id, .body = "x", .time_ms = 1000 + i / 10 });
	}
	do {
		char id[16];

		q = messages_of(f, session, PN, (struct store_message_query){ .from_me = -1, .limit = 7, .cursor = cursor });
		assert_int_equal(q.rc, 0);
		for (size_t i = 0; i < q.n; i++) {
			snprintf(id, sizeof id, "A%02d", 49 - seen++);
			assert_string_equal(q.rows[i].id, id);
		}
		cursor = q.page.cursor;
		snprintf(id, sizeof id, "N%d", seen);
		tell(f, session, peer(PN, NULL), (struct told){ .id = id, .body = "new", .time_ms = 5000 });
	} while (cursor != NULL);
	assert_int_equal(seen, 50);
	/* Offsets, as the original has them. */
	q = messages_of(f, session, PN, (struct store_message_query){ .from_me = -1, .limit = 5, .offset = 100 });
	assert_int_equal(q.n, 0);
	assert_int_equal(q.page.total, chat_of(f, session, PN)->messages);
}

static void cursors_of_chats_go_on_in_every_order(void **state)
{
	struct fixture *f = *state;
	int64_t session = fixture_session(f, "main");

	for (int i = 0; i < 23; i++) {
		char who[48], name[16];

		snprintf(who, sizeof who, "62812000000%02d@s.whatsapp.net", i);
		snprintf(name, sizeof name, "Name %d", i / 3);
		tell(f, session, peer(who, NULL), (struct told){ .id = "A", .body = "x", .time_ms = 1000 + i / 4, .name = name });
	}
	for (int order = STORE_BY_LAST; order <= STORE_BY_UPDATED; order++) {
		for (int ascending = 0; ascending < 2; ascending++) {
			struct question q = { .f = f, .session = session,
				              .chats = { .archived = -1, .limit = 5, .order = (enum store_chat_order)order, .ascending = ascending } };
			bool seen[23] = { false };
			size_t total = 0;

			do {
				store_read_wait(f->store, read_chats, &q);
				assert_int_equal(q.rc, 0);
				assert_int_equal(q.page.total, 23);
				for (size_t i = 0; i < q.n; i++) {
					int at = atoi(q.chat_rows[i].jid + 11);

					assert_false(seen[at]);
					seen[at] = true;
				}
				total += q.n;
				q.chats.cursor = q.page.cursor;
			} while (q.chats.cursor != NULL);
			assert_int_equal(total, 23);
		}
	}
}

static void a_cursor_fits_only_its_own_list(void **state)
{
	struct fixture *f = *state;
	int64_t session = fixture_session(f, "main");
	struct question q;
	char *cursor;

	for (int i = 0; i < 5; i++) {
		char id[16];

		snprintf(id, sizeof id, "A%d", i);
		tell(f, session, peer(PN, NULL), (struct told){ .id = id, .body = "x", .time_ms = i });
		tell(f, session, peer(PN2, NULL), (struct told){ .id = id, .body = "x", .time_ms = i });
	}
	q = messages_of(f, session, PN, (struct store_message_query){ .from_me = -1, .limit = 2 });
	cursor = q.page.cursor;
	assert_non_null(cursor);
	assert_int_equal(messages_of(f, session, PN, (struct store_message_query){ .from_me = -1, .limit = 3, .cursor = cursor }).n, 3);
	assert_int_equal(messages_of(f, session, PN2, (struct store_message_query){ .from_me = -1, .limit = 3, .cursor = cursor }).rc, STORE_NOT_FOUND);
	assert_int_equal(messages_of(f, session, PN, (struct store_message_query){ .from_me = 0, .limit = 3, .cursor = cursor }).rc, STORE_NOT_FOUND);
	for (size_t i = 0; cursor[i] != '\0'; i++) {
		char *bad = arena_strdup(&f->arena, cursor);

		bad[i] = bad[i] == 'A' ? 'B' : 'A';
		/* the last character has unused bits */
		if (cursor[i + 1] != '\0')
			assert_int_equal(messages_of(f, session, PN, (struct store_message_query){ .from_me = -1, .limit = 3, .cursor = bad }).rc, STORE_NOT_FOUND);
	}
	assert_int_equal(messages_of(f, session, PN, (struct store_message_query){ .from_me = -1, .limit = 3, .cursor = "" }).rc, STORE_NOT_FOUND);
	assert_int_equal(messages_of(f, session, PN, (struct store_message_query){ .from_me = -1, .limit = 3, .cursor = "%%%" }).rc, STORE_NOT_FOUND);
}

static void filters_and_parts_of_names(void **state)
{
	struct fixture *f = *state;
	int64_t session = fixture_session(f, "main");
	struct question q;

	tell(f, session, peer(PN, NULL), (struct told){ .id = "A1", .body = "100% sure", .time_ms = 1000, .name = "\xC3\x84nne_1" });
	tell(f, session, peer(PN2, LID2), (struct told){ .id = "B1", .body = "([Image]) Cat", .type = "image", .time_ms = 2000, .media = true, .name = "anneX1" });
	tell(f, session, peer(PN2, LID2), (struct told){ .id = "B2", .body = "own", .time_ms = 3000, .from_me = true });
	for (int i = 0; i < 4; i++) {
		static const char *const searches[] = { "\xC3\xA4NNE", "e_1", "281111", "222000222" };

		q = (struct question){ .f = f, .session = session, .chats = { .archived = -1, .limit = 10, .search = searches[i] } };
		store_read_wait(f->store, read_chats, &q);
		assert_int_equal(q.n, 1);
		assert_string_equal(q.chat_rows[0].jid, i < 3 ? PN : PN2);
	}
	q = (struct question){ .f = f, .session = session, .chats = { .archived = -1, .limit = 10, .with_media = true } };
	store_read_wait(f->store, read_chats, &q);
	assert_int_equal(q.n, 1);
	q = (struct question){ .f = f, .session = session, .chats = { .archived = -1, .limit = 10, .own = PN } };
	store_read_wait(f->store, read_chats, &q);
	assert_int_equal(q.n, 1);
	assert_int_equal(q.page.total, 1);
	assert_int_equal(messages_of(f, session, PN, (struct store_message_query){ .from_me = -1, .limit = 5, .search = "0% S" }).n, 1);
	assert_int_equal(messages_of(f, session, PN, (struct store_message_query){ .from_me = -1, .limit = 5, .search = "_" }).n, 0);
	assert_int_equal(messages_of(f, session, PN2, (struct store_message_query){ .from_me = 1, .limit = 5 }).n, 1);
	assert_int_equal(messages_of(f, session, PN2, (struct store_message_query){ .from_me = -1, .limit = 5, .media_only = true }).n, 1);
	assert_int_equal(messages_of(f, session, PN2, (struct store_message_query){ .from_me = 1, .limit = 5, .media_only = true }).n, 0);
	assert_int_equal(messages_of(f, session, PN2, (struct store_message_query){ .from_me = -1, .limit = 5, .from_ms = 2000, .to_ms = 2000 }).n, 1);
	assert_int_equal(messages_of(f, session, PN2, (struct store_message_query){ .from_me = -1, .limit = 5, .to_ms = 1999 }).page.total, 0);
}

/* ---- full text ---- */

static void nothing_that_is_searched_for_is_an_error(void **state)
{
	static const char *const texts[] = {
		"\"", "\"\"", "*", "AND", "OR NOT", "a OR", "NEAR(", "body:x", "scope:s1", "x^2", "(", ")", "-x", "a\"b\"c", "'; DROP TABLE messages; --",
		"{a b}:c", "+", "\"open", "**", "a*b*", "\xF0\x9F\x98\x80", "caf\xC3\xA9 \xF0\x9F\x98\x80", "\xff\xfe", "NOT", "\\", "%", "a,b", "x:*", "^a", "\x01",
	};
	struct fixture *f = *state;
	int64_t session = fixture_session(f, "main");
	char longer[STORE_SEARCH_MAX + 2];

	tell(f, session, peer(PN, NULL), (struct told){ .id = "A1", .body = "Caf\xC3\xA9 and NOT more: a,b (x^2)", .time_ms = 1000 });
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		assert_true(find(f, session, texts[i]).rc >= 0);
	assert_int_equal(find(f, session, "").rc, 1);
	assert_int_equal(find(f, session, " \t*\" \"").rc, 1);
	assert_int_equal(find(f, session, "a b c d e f g h i j k l m n o p").rc, 0);
	assert_int_equal(find(f, session, "a b c d e f g h i j k l m n o p q").rc, 1);
	memset(longer, 'a', sizeof longer);
	longer[sizeof longer - 1] = '\0';
	assert_int_equal(find(f, session, longer).rc, 1);
	assert_int_equal(find(f, session, "cafe not").n, 1);
	assert_int_equal(find(f, session, "caf* \xF0\x9F\x98\x80 mor*").n, 1);
	assert_int_equal(find(f, session, "\"not more\"").n, 1);
	assert_int_equal(find(f, session, "\"more not\"").n, 0);
	assert_int_equal(find(f, session, "more body:x").n, 0);
}

static void searching_sees_what_is_there_now(void **state)
{
	struct fixture *f = *state;
	int64_t session = fixture_session(f, "main"), other = fixture_session(f, "other");
	struct question q;

	for (int i = 0; i < 12; i++) {
		char id[16];

		snprintf(id, sizeof id, "A%02d", i);
		tell(f, i % 2 == 0 ? session : other, peer(PN, NULL), (struct told){ .id = id, .body = i < 6 ? "red apple" : "green apple", .time_ms = i });
	}
	q = find(f, session, "apple");
	assert_int_equal(q.n, 6);
	assert_string_equal(q.rows[0].id, "A10");
	assert_string_equal(q.rows[0].chat_jid, PN);
	assert_int_equal(find(f, session, "red APPLE").n, 3);
	edit(f, session, "A00", "red pear", 100);
	assert_int_equal(find(f, session, "red apple").n, 2);
	assert_int_equal(find(f, session, "pear").n, 1);
	/* an edit before the index has the message */
	tell(f, session, peer(PN, NULL), (struct told){ .id = "B1", .body = "plum", .time_ms = 200 });
	edit(f, session, "B1", "cherry", 300);
	assert_int_equal(find(f, session, "plum").n, 0);
	assert_int_equal(find(f, session, "cherry").n, 1);
	/* pages */
	assert_true(store_search_parse(&(struct store_search){ .n = 0 }, "apple"));
	q = find(f, session, "apple");
	q.search.limit = 2;
	q.search.cursor = NULL;
	store_read_wait(f->store, read_found, &q);
	assert_int_equal(q.n, 2);
	q.search.cursor = q.page.cursor;
	assert_non_null(q.search.cursor);
	store_read_wait(f->store, read_found, &q);
	assert_int_equal(q.n, 2);
	assert_string_equal(q.rows[0].id, "A06");
	/* after a restart, too */
	fixture_reopen(f);
	assert_int_equal(find(f, session, "apple").n, 5);
	assert_int_equal(find(f, other, "apple").n, 6);
}

static void history_in_batches_and_twice(void **state)
{
	enum { N = 700 };
	struct fixture *f = *state;
	int64_t session = fixture_session(f, "main");
	struct store_message *messages = calloc(N, sizeof *messages);
	char (*ids)[16] = calloc(N, sizeof *ids);
	struct store_peer who = peer(LID, PN);
	struct store_chat_change phone = STORE_CHAT_CHANGE_NONE;

	phone.unread = 3;
	phone.subject = "as history calls it";
	for (int i = 0; i < N; i++) {
		snprintf(ids[i], sizeof ids[i], "H%d", i);
		messages[i] = (struct store_message){ .id = ids[i], .from_me = i % 3 == 0, .type = "conversation", .body = span_text("history"),
			                              .content = span_text("content"), .time_ms = 1000000 - i * 10 };
	}
	for (int round = 0; round < 2; round++) {
		struct store_tx *tx = store_tx_new(f->store);

		store_tx_chat_put(tx, session, &who, &phone, 1);
		store_tx_messages_put(tx, session, &who, messages, N, true, 1);
		assert_int_equal(store_commit_wait(f->store, tx), 0);
	}
	assert_int_equal(chat_of(f, session, PN)->messages, N);
	assert_int_equal(chat_of(f, session, PN)->unread, 3);
	assert_int_equal(chat_of(f, session, PN)->last_ms, 1000000);
	assert_string_equal(chat_of(f, session, PN)->display, "as history calls it");
	change(f, session, who, nothing);
	assert_int_equal(find(f, session, "hist*").n, 50);
	free(messages);
	free(ids);
}

/* What quotes and reactions refer to is found in whichever chat it is, as it was addressed, until it is deleted. */
static void messages_are_found_by_id(void **state)
{
	struct fixture *f = *state;
	int64_t session = fixture_session(f, "found"), other = session + 1;
	struct store_peer group = peer(GROUP, NULL);
	struct store_message m = { .id = "B1", .author = peer(LID, PN), .type = "conversation", .body = span_text("old"), .content = span_text("old"),
		                   .time_ms = 5000, .addressing = STORE_BY_LID };
	struct store_message edited = { .type = "conversation", .body = span_text("new"), .content = span_text("new"), .time_ms = 6000 };
	struct store_message_ref ref = { .chat = group, .id = "B1", .from_me = -1 };
	struct store_tx *tx = store_tx_new(f->store);
	struct question q;

	store_tx_messages_put(tx, session, &group, &m, 1, true, 5000);
	store_tx_message_edit(tx, session, &ref, &edited, 6000);
	assert_int_equal(store_commit_wait(f->store, tx), 0);
	for (int i = 0; i < 40; i++) {
		char number[64], id[16];

		snprintf(number, sizeof number, "62810000%04d@s.whatsapp.net", i);
		snprintf(id, sizeof id, "A%d", i);
		tell(f, session, peer(number, NULL), (struct told){ .id = id, .body = "x", .time_ms = 7000 + i });
	}
	q = message_named(f, session, "B1");
	assert_int_equal(q.rc, 0);
	assert_string_equal(q.rows->chat_jid, GROUP);
	assert_string_equal(q.rows->author, PN);
	assert_string_equal(q.rows->author_lid, LID);
	assert_int_equal(q.rows->addressing, STORE_BY_LID);
	assert_memory_equal(q.rows->content.p, "new", 3);
	assert_memory_equal(q.rows->original.p, "old", 3);
	assert_int_equal(message_named(f, session, "A7").rc, 0);
	assert_int_equal(message_named(f, other, "B1").rc, STORE_NOT_FOUND);
	tx = store_tx_new(f->store);
	store_tx_chat_delete(tx, session, &group, INT64_MAX);
	assert_int_equal(store_commit_wait(f->store, tx), 0);
	assert_int_equal(message_named(f, session, "B1").rc, STORE_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_person_is_one_chat_whatever_it_is_called), TEST(a_number_moves_to_another_person), TEST(authors_in_groups_become_known),
		TEST(an_edit_and_a_deletion_leave_their_trace), TEST(one_reaction_per_person), TEST(unread_counts_what_is_newer_than_what_was_read),
		TEST(clearing_keeps_what_is_newer_or_starred), TEST(a_removed_session_leaves_nothing), TEST(old_and_surplus_messages_go),
		TEST(pages_are_stable_while_messages_arrive), TEST(cursors_of_chats_go_on_in_every_order), TEST(a_cursor_fits_only_its_own_list),
		TEST(filters_and_parts_of_names), TEST(nothing_that_is_searched_for_is_an_error), TEST(searching_sees_what_is_there_now),
		TEST(history_in_batches_and_twice), TEST(messages_are_found_by_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
