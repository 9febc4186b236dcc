/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If these fail, labels, receipts and votes are shown with the wrong chats and messages, or are lost. */
#include "sessiond/store/private.h"
#include "tests/unit/chat_fixture.h"

/* ---- labels ---- */

static void labels(struct store_reader *reader, void *arg)
{
	struct question *q = arg;
	struct store_label *rows;
	struct store_label_member *members;
	size_t n;

	q->rc = store_label_list(reader, &q->f->arena, q->session, q->id, &rows, &q->n);
	q->page.total = q->n > 0 ? rows[0].chats : 0;
	if (q->n == 0 || rows[0].id[0] != '7')
		return;
	assert_string_equal(rows[0].name, "Important");
	assert_int_equal(rows[0].predefined, 2);
	assert_int_equal(store_label_members(reader, &q->f->arena, q->session, "7", &members, &n), 0);
	assert_int_equal(n, 2);
	assert_string_equal(members[0].chat_jid, PN);
	assert_string_equal(members[0].chat_lid, LID);
	assert_string_equal(members[0].message_id, "");
	assert_string_equal(members[1].message_id, "A1");
}

static void read_members(struct store_reader *reader, void *arg)
{
	struct question *q = arg;
	struct store_label_member *members;

	q->rc = store_label_members(reader, &q->f->arena, q->session, q->id, &members, &q->n);
	q->jid = q->n > 0 ? members[0].chat_jid : NULL;
}

static struct question members_of(struct fixture *f, int64_t session, const char *label)
{
	struct question q = { .f = f, .session = session, .id = label };

	store_read_wait(f->store, read_members, &q);
	return q;
}

static void labels_outlive_what_was_said(void **state)
{
	struct fixture *f = *state;
	int64_t session = fixture_session(f, "main");
	struct store_peer who = peer(LID, PN);
	struct store_tx *tx = store_tx_new(f->store);
	struct question q;

	store_tx_label_put(tx, session, &(struct store_label){ .id = "8", .name = "Orders", .updated_ms = 1 });
	store_tx_label_member(tx, session, "8", &who, NULL, true);
	store_tx_label_member(tx, session, "8", &who, "A1", true);
	assert_int_equal(store_commit_wait(f->store, tx), 0);
	tell(f, session, who, (struct told){ .id = "A1", .body = "x", .time_ms = 1000 });
	assert_int_equal(members_of(f, session, "8").n, 2);
	tx = store_tx_new(f->store);
	store_tx_chat_clear(tx, session, &who, INT64_MAX, true);
	assert_int_equal(store_commit_wait(f->store, tx), 0);
	q = members_of(f, session, "8");
	assert_int_equal(q.n, 1);
	assert_string_equal(q.jid, PN);
	tx = store_tx_new(f->store);
	store_tx_chat_delete(tx, session, &who, INT64_MAX);
	assert_int_equal(store_commit_wait(f->store, tx), 0);
	assert_int_equal(members_of(f, session, "8").n, 0);
}

static void labels_of_chats(void **state)
{
	struct fixture *f = *state;
	int64_t session = fixture_session(f, "main");
	struct store_peer who = peer(PN, NULL);
	struct store_tx *tx = store_tx_new(f->store);
	struct question q = { .f = f, .session = session };

	store_tx_label_put(tx, session, &(struct store_label){ .id = "7", .name = "Important", .color = 3, .predefined = 2, .updated_ms = 1 });
	store_tx_label_member(tx, session, "7", &who, NULL, true);
	store_tx_label_member(tx, session, "7", &who, NULL, true);
	store_tx_label_member(tx, session, "7", &who, "A1", true);
	assert_int_equal(store_commit_wait(f->store, tx), 0);
	tell(f, session, who, (struct told){ .id = "A1", .body = "x", .time_ms = 1000 });
	/* the label follows when rows become one */
	tell(f, session, peer(LID, NULL), (struct told){ .id = "A2", .body = "x", .time_ms = 1000 });
	change(f, session, peer(LID, PN), nothing);
	store_read_wait(f->store, labels, &q);
	assert_int_equal(q.n, 1);
	assert_int_equal(q.page.total, 1);
	q.chats = (struct store_chat_query){ .archived = -1, .limit = 10, .label = "7" };
	store_read_wait(f->store, read_chats, &q);
	assert_int_equal(q.n, 1);
	assert_string_equal(q.chat_rows[0].lid, LID);
	tx = store_tx_new(f->store);
	store_tx_label_put(tx, session, &(struct store_label){ .id = "10", .name = "Later", .updated_ms = 1 });
	/* to take a label off somebody unknown makes nobody known */
	store_tx_label_member(tx, session, "10", &(struct store_peer){ jid("15550009999@s.whatsapp.net"), jid(NULL) }, NULL, false);
	assert_int_equal(store_commit_wait(f->store, tx), 0);
	assert_null(chat_of(f, session, "15550009999@s.whatsapp.net"));
	store_read_wait(f->store, labels, &q);
	assert_int_equal(q.n, 2);
	q.id = "10";
	store_read_wait(f->store, labels, &q);
	assert_int_equal(q.n, 1);
	tx = store_tx_new(f->store);
	store_tx_label_put(tx, session, &(struct store_label){ .id = "7" });
	assert_int_equal(store_commit_wait(f->store, tx), 0);
	q.id = NULL;
	store_read_wait(f->store, labels, &q);
	assert_int_equal(q.n, 1);
	tx = store_tx_new(f->store);
	store_tx_labels_forget(tx, session);
	assert_int_equal(store_commit_wait(f->store, tx), 0);
	store_read_wait(f->store, labels, &q);
	assert_int_equal(q.n, 0);
}

/* ---- own messages whose outbox rows have gone ---- */

static void sent_by_row(struct store_tx *tx, int64_t session, const char *id, const char *to, enum store_outbox_state state)
{
	int64_t number;

	store_tx_outbox_add(tx, &(struct store_outbox){ .session = session, .message_id = id, .recipient = to, .message = span_text("x"),
		                                        .created_ms = 1000 }, &number);
	store_tx_outbox_ack(tx, number, 1000, 1000);
	if (state > STORE_OUTBOX_ACKED)
		store_tx_outbox_receipt(tx, session, id, NULL, state, 2000);
}

static void how_far_a_message_came_outlives_its_row(void **state)
{
	struct fixture *f = *state;
	int64_t session = fixture_session(f, "main");
	struct store_tx *tx = store_tx_new(f->store);

	sent_by_row(tx, session, "READ", PN, STORE_OUTBOX_READ);
	sent_by_row(tx, session, "GOT", LID, STORE_OUTBOX_DELIVERED);
	sent_by_row(tx, session, "ACKED", PN, STORE_OUTBOX_ACKED);
	assert_int_equal(store_commit_wait(f->store, tx), 0);
	change(f, session, peer(LID, PN), nothing);
	tell(f, session, peer(PN, NULL), (struct told){ .id = "READ", .body = "x", .from_me = true, .time_ms = 1000 });
	tell(f, session, peer(PN, NULL), (struct told){ .id = "GOT", .body = "x", .from_me = true, .time_ms = 1000 });
	tell(f, session, peer(PN, NULL), (struct told){ .id = "ACKED", .body = "x", .from_me = true, .time_ms = 1000 });
	for (int gone = 0; gone < 2; gone++) {
		assert_int_equal(message_named(f, session, "READ").rows->status, STORE_MESSAGE_READ);
		assert_int_equal(message_named(f, session, "GOT").rows->status, STORE_MESSAGE_DELIVERED);
		assert_int_equal(message_named(f, session, "ACKED").rows->status, STORE_MESSAGE_SENT);
		tx = store_tx_new(f->store);
		tx_outbox_expire(tx, 5000);
		assert_int_equal(store_commit_wait(f->store, tx), 0);
	}
}

/* ---- who has a message ---- */

struct asked {
	struct question q;
	struct store_receipt *rows;
	size_t n;
};

static void read_receipts(struct store_reader *reader, void *arg)
{
	struct asked *a = arg;

	read_by_id(reader, &a->q);
	assert_int_equal(a->q.rc, 0);
	a->q.rc = store_message_receipts(reader, &a->q.f->arena, a->q.session, a->q.rows, (size_t)a->q.messages.limit, &a->rows, &a->n);
	assert_int_equal(a->q.rc, 0);
}

static struct asked receipts_of(struct fixture *f, int64_t session, const char *id, int64_t limit)
{
	struct asked a = { .q = { .f = f, .session = session, .id = id, .messages = { .limit = limit } } };

	store_read_wait(f->store, read_receipts, &a);
	return a;
}

static void told_by(struct store_tx *tx, int64_t session, const char *id, const char *device, struct store_peer who, enum store_outbox_state state, int64_t at_ms)
{
	struct store_message_ref which = ref(GROUP, id);

	store_tx_outbox_receipt(tx, session, id, device, state, at_ms);
	store_tx_message_receipt(tx, session, &which, &who, (enum store_message_status)state, at_ms);
}

static void who_has_a_message_and_since_when(void **state)
{
	struct fixture *f = *state;
	int64_t session = fixture_session(f, "main");
	struct store_tx *tx = store_tx_new(f->store);
	struct asked a;

	assert_int_equal((int)STORE_OUTBOX_READ, (int)STORE_MESSAGE_READ);
	sent_by_row(tx, session, "HERE", GROUP, STORE_OUTBOX_ACKED);
	assert_int_equal(store_commit_wait(f->store, tx), 0);
	tell(f, session, peer(GROUP, NULL), (struct told){ .id = "HERE", .body = "x", .from_me = true, .time_ms = 1000 });
	tell(f, session, peer(GROUP, NULL), (struct told){ .id = "ELSEWHERE", .body = "x", .from_me = true, .time_ms = 1000 });
	change(f, session, peer(LID, PN), nothing);
	for (int round = 0; round < 2; round++) {
		const char *id = round == 0 ? "HERE" : "ELSEWHERE";

		tx = store_tx_new(f->store);
		told_by(tx, session, id, "111000111000111:3@lid", peer(LID, NULL), STORE_OUTBOX_READ, 5000);
		told_by(tx, session, id, "6281111111111@s.whatsapp.net", peer(PN, NULL), STORE_OUTBOX_DELIVERED, 3000);
		/* late, and twice */
		told_by(tx, session, id, "111000111000111:3@lid", peer(LID, NULL), STORE_OUTBOX_DELIVERED, 4000);
		told_by(tx, session, id, "111000111000111:3@lid", peer(LID, NULL), STORE_OUTBOX_READ, 9000);
		told_by(tx, session, id, PN2, peer(PN2, NULL), STORE_OUTBOX_DELIVERED, 6000);
		told_by(tx, session, id, PN2, peer(PN2, NULL), STORE_OUTBOX_PLAYED, 8000);
		assert_int_equal(store_commit_wait(f->store, tx), 0);
		a = receipts_of(f, session, id, 100);
		assert_int_equal(a.n, 2);
		assert_string_equal(a.rows[0].jid, PN);
		assert_string_equal(a.rows[0].lid, LID);
		assert_int_equal(a.rows[0].status, STORE_MESSAGE_READ);
		assert_int_equal(a.rows[0].delivered_ms, 3000);
		assert_int_equal(a.rows[0].read_ms, 5000);
		assert_int_equal(a.rows[0].ndevices, round == 0 ? 2 : 0);
		assert_string_equal(a.rows[1].jid, PN2);
		assert_int_equal(a.rows[1].status, STORE_MESSAGE_PLAYED);
		assert_int_equal(a.rows[1].delivered_ms, 6000);
		assert_int_equal(a.rows[1].read_ms, 0);
		assert_int_equal(a.rows[1].played_ms, 8000);
	}
	/* Those that got furthest come first. */
	a = receipts_of(f, session, "HERE", 1);
	assert_int_equal(a.n, 1);
	assert_string_equal(a.rows[0].jid, PN2);
	assert_int_equal(receipts_of(f, session, "HERE", 0).n, 0);
	assert_int_equal(a.q.rows->status, STORE_MESSAGE_PLAYED);
}

static void a_vote_names_its_message(void **state)
{
	struct fixture *f = *state;
	int64_t session = fixture_session(f, "main");
	struct store_message_ref poll = ref(GROUP, "POLL");
	struct store_peer voter = peer(PN, NULL);
	struct store_tx *tx = store_tx_new(f->store);
	struct question q;

	tell(f, session, peer(GROUP, NULL), (struct told){ .id = "POLL", .body = "x", .time_ms = 1000, .author = peer(PN2, NULL) });
	store_tx_message_addon_from(tx, session, &poll, STORE_ADDON_VOTE, &voter, "[\"yes\"]", "VOTE1", 2000, 2000);
	store_tx_message_addon_from(tx, session, &poll, STORE_ADDON_VOTE, &voter, "[]", "VOTE2", 3000, 3000);
	store_tx_message_addon(tx, session, &poll, STORE_ADDON_REACTION, &voter, "+", 3000, 3000);
	assert_int_equal(store_commit_wait(f->store, tx), 0);
	q = message_named(f, session, "POLL");
	assert_int_equal(q.rows->naddons, 2);
	assert_null(q.rows->addons[0].source);
	assert_string_equal(q.rows->addons[1].source, "VOTE2");
	assert_string_equal(q.rows->addons[1].value, "[]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(labels_of_chats), TEST(labels_outlive_what_was_said), TEST(how_far_a_message_came_outlives_its_row), TEST(who_has_a_message_and_since_when), TEST(a_vote_names_its_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
