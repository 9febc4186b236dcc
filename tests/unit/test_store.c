/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, accounts, keys, sessions or protocol records are lost or mixed up. */
#include "tests/unit/store_fixture.h"

#include "sessiond/crypto/crypto.h"

static int64_t fake_now_ms;

static int64_t fake_clock(void)
{
	return fake_now_ms;
}

#define DAY_MS ((int64_t)24 * 60 * 60 * 1000)

static struct fixture_read ask(struct fixture *f, int64_t session)
{
	return (struct fixture_read){ .f = f, .session = session };
}

/* ---- users and keys ---- */

static void read_admin(struct store_reader *reader, void *arg)
{
	struct fixture_read *q = arg;
	struct store_user *user = arena_alloc(&q->f->arena, sizeof *user);

	q->rc = store_user_by_name(reader, &q->f->arena, q->text, user);
	q->rows = user;
}

static void read_keys(struct store_reader *reader, void *arg)
{
	struct fixture_read *q = arg;
	struct store_key *rows;

	q->rc = store_key_list(reader, &q->f->arena, 0, &rows, &q->n);
	q->rows = rows;
}

static void the_administrator_is_seeded_once(void **state)
{
	struct fixture *f = *state;
	struct fixture_read q = ask(f, 0);
	struct store_principal who;
	char first[256];

	assert_int_equal(store_seed_admin(f->store, "boss", "pass word", "env-key-1", false), 0);
	q.text = "boss";
	store_read_wait(f->store, read_admin, &q);
	assert_int_equal(q.rc, 0);
	assert_int_equal(crypto_password_verify(((struct store_user *)q.rows)->password, "pass word"), 1);
	snprintf(first, sizeof first, "%s", ((struct store_user *)q.rows)->password);
	assert_int_equal(store_key_check(f->store, "env-key-1", &who), 0);
	assert_true(who.admin);
	assert_string_equal(who.registry, "admin");

	/* A password changed elsewhere stays, the key of the configuration follows it. */
	assert_int_equal(store_seed_admin(f->store, "boss", "other", "env-key-2", false), 0);
	store_read_wait(f->store, read_admin, &q);
	assert_string_equal(((struct store_user *)q.rows)->password, first);
	assert_int_equal(store_key_check(f->store, "env-key-1", &who), STORE_NOT_FOUND);
	assert_int_equal(store_key_check(f->store, "env-key-2", &who), 0);

	assert_int_equal(store_seed_admin(f->store, "boss", "other", NULL, true), 0);
	store_read_wait(f->store, read_admin, &q);
	assert_int_equal(crypto_password_verify(((struct store_user *)q.rows)->password, "other"), 1);
	assert_int_equal(store_key_check(f->store, "env-key-2", &who), STORE_NOT_FOUND);

	/* The original crashed here. */
	assert_int_equal(store_seed_admin(f->store, "chief", "third", "env-key-2", false), 0);
	assert_int_equal(store_key_check(f->store, "env-key-2", &who), 0);
	assert_string_equal(who.username, "chief");
	store_read_wait(f->store, read_admin, &q);
	assert_int_equal(q.rc, STORE_NOT_FOUND);
}

static int64_t add_key(struct fixture *f, int64_t user, enum store_key_kind kind, const char *text)
{
	struct store_tx *tx = store_tx_new(f->store);
	int64_t number = 0;

	store_tx_key_add(tx, user, kind, text, "label", &number);
	assert_int_equal(store_commit_wait(f->store, tx), 0);
	return number;
}

static int64_t add_user(struct fixture *f, const char *name)
{
	struct store_tx *tx = store_tx_new(f->store);
	int64_t number = 0;

	store_tx_user_add(tx, &(struct store_user){ .registry = name, .username = name, .password = "-" }, &number);
	assert_int_equal(store_commit_wait(f->store, tx), 0);
	return number;
}

static void keys_hold_until_revoked(void **state)
{
	struct fixture *f = *state;
	int64_t user = add_user(f, "u"), key;
	struct store_principal who;
	char text[STORE_KEY_TEXT];
	struct store_tx *tx;

	assert_int_equal(store_key_make(f->store, false, text), 0);
	assert_int_equal(strlen(text), 4 + 1 + 26 + 1 + 12);
	key = add_key(f, user, STORE_KEY_API, text);
	assert_int_equal(store_key_check(f->store, text, &who), 0);
	assert_int_equal(who.key, key);
	assert_false(who.admin);
	assert_int_equal(store_cookie_check(f->store, text, &who), STORE_NOT_FOUND);
	assert_int_equal(store_key_check(f->store, "", &who), STORE_NOT_FOUND);

	fixture_reopen(f);
	assert_int_equal(store_key_check(f->store, text, &who), 0);
	tx = store_tx_new(f->store);
	store_tx_key_revoke(tx, key);
	assert_int_equal(store_commit_wait(f->store, tx), 0);
	assert_int_equal(store_key_check(f->store, text, &who), STORE_NOT_FOUND);

	for (int i = 0; i < 300; i++) {
		snprintf(text, sizeof text, "key number %d", i);
		add_key(f, user, STORE_KEY_API, text);
	}
	assert_int_equal(store_key_check(f->store, "key number 0", &who), 0);
	assert_int_equal(store_key_check(f->store, "key number 299", &who), 0);
	tx = store_tx_new(f->store);
	store_tx_user_remove(tx, user);
	assert_int_equal(store_commit_wait(f->store, tx), 0);
	assert_int_equal(store_key_check(f->store, "key number 7", &who), STORE_NOT_FOUND);
}

/* contract: decision D4, and the vector of the original's key format */
static void keys_of_the_original_are_imported(void **state)
{
	static const char text[] = "user_01ARZ3NDEKTSV4RRFFQ69G5FAV_0a1b2c3d4e5f";
	static const char sha[] = "c3345182a45b491725f134b0c143ad96a4108a9c1b4cb9312c0a0c993554ad66";
	struct fixture *f = *state;
	int64_t user = add_user(f, "u");
	struct store_tx *tx = store_tx_new(f->store);
	struct store_principal who;

	store_tx_key_import(tx, user, sha, NULL);
	store_tx_key_import(tx, user, "a plain key", NULL);
	assert_int_equal(store_commit_wait(f->store, tx), 0);
	assert_int_equal(store_key_check(f->store, text, &who), 0);
	assert_int_equal(store_key_check(f->store, "a plain key", &who), 0);
	/* What the database holds is never a key. */
	assert_int_equal(store_key_check(f->store, sha, &who), STORE_NOT_FOUND);
}

static void login_keys_expire_when_unused(void **state)
{
	struct fixture *f = *state;
	struct store_principal who;
	int64_t user;

	fake_now_ms = 1000 * DAY_MS;
	f->options.wall_ms = fake_clock;
	fixture_reopen(f);
	user = add_user(f, "u");
	add_key(f, user, STORE_KEY_UI, "ui");
	add_key(f, user, STORE_KEY_API, "api");
	add_key(f, user, STORE_KEY_COOKIE, "cookie");
	fake_now_ms += 13 * DAY_MS;
	assert_int_equal(store_key_check(f->store, "ui", &who), 0);
	assert_int_equal(store_cookie_check(f->store, "cookie", &who), 0);
	assert_int_equal(store_key_check(f->store, "cookie", &who), STORE_NOT_FOUND);
	fixture_reopen(f);
	fake_now_ms += 13 * DAY_MS;
	assert_int_equal(store_key_check(f->store, "ui", &who), 0);
	fake_now_ms += 14 * DAY_MS + 1;
	assert_int_equal(store_key_check(f->store, "ui", &who), STORE_NOT_FOUND);
	assert_int_equal(store_cookie_check(f->store, "cookie", &who), STORE_NOT_FOUND);
	assert_int_equal(store_key_check(f->store, "api", &who), 0);
	fixture_reopen(f);
	{
		struct fixture_read q = ask(f, 0);

		store_read_wait(f->store, read_keys, &q);
		assert_int_equal(q.n, 1);
		assert_int_equal(((struct store_key *)q.rows)[0].kind, STORE_KEY_API);
	}
}

/* ---- sessions ---- */

static void read_sessions(struct store_reader *reader, void *arg)
{
	struct fixture_read *q = arg;
	struct store_session *rows;

	q->rc = store_session_list(reader, &q->f->arena, q->text, &rows, &q->n);
	q->rows = rows;
}

static void read_session(struct store_reader *reader, void *arg)
{
	struct fixture_read *q = arg;
	struct store_session *row = arena_alloc(&q->f->arena, sizeof *row);

	q->rc = store_session_by_id(reader, &q->f->arena, q->text, row);
	q->rows = row;
}

static void sessions_keep_what_they_are_told(void **state)
{
	struct fixture *f = *state;
	int64_t number = fixture_session(f, "main");
	struct fixture_read q = ask(f, number);
	struct store_session *row;
	struct store_tx *tx = store_tx_new(f->store);

	store_tx_session_state(tx, number, "open", "because", 77, 3);
	store_tx_session_me(tx, number, "1:2@s.whatsapp.net", "3:2@lid", "android", NULL);
	store_tx_session_push_name(tx, number, "Me");
	store_tx_session_connected(tx, number, 99);
	store_tx_session_start(tx, number);
	store_tx_session_start(tx, number);
	store_tx_session_last_proxy(tx, number, "main", "http://u:p@h:1");
	store_tx_session_auto_start(tx, number, false);
	assert_int_equal(store_commit_wait(f->store, tx), 0);
	fixture_reopen(f);
	q.text = "main";
	store_read_wait(f->store, read_session, &q);
	assert_int_equal(q.rc, 0);
	row = q.rows;
	assert_string_equal(row->state, "open");
	assert_string_equal(row->reason, "because");
	assert_int_equal(row->since_ms, 77);
	assert_int_equal(row->attempts, 3);
	assert_string_equal(row->webhook_secret, "secret-of-webhook");
	assert_string_equal(row->proxy, "socks5://u:secret-of-proxy@127.0.0.1:9");
	assert_string_equal(row->last_proxy, "http://u:p@h:1");
	assert_string_equal(row->me_jid, "1:2@s.whatsapp.net");
	assert_string_equal(row->push_name, "Me");
	assert_null(row->business_name);
	assert_int_equal(row->generation, 2);
	assert_int_equal(row->connected_ms, 99);
	assert_false(row->auto_start);
	assert_false(row->restored);

	/* A webhook can be taken away again (the original kept it). */
	tx = store_tx_new(f->store);
	store_tx_session_webhook(tx, number, "main", NULL, NULL);
	store_tx_session_proxy(tx, number, "main", NULL);
	assert_int_equal(store_commit_wait(f->store, tx), 0);
	store_read_wait(f->store, read_session, &q);
	row = q.rows;
	assert_null(row->webhook_url);
	assert_null(row->webhook_secret);
	assert_null(row->proxy);
	q.text = "owner";
	store_read_wait(f->store, read_sessions, &q);
	assert_int_equal(q.n, 1);
	q.text = "somebody";
	store_read_wait(f->store, read_sessions, &q);
	assert_int_equal(q.n, 0);
}

static void session_ids_and_owners_are_checked(void **state)
{
	struct fixture *f = *state;
	int64_t number = fixture_session(f, "main"), again = 0;
	struct store_session session = { .id = "main", .registry = "owner", .label = "x", .state = "stopped" };
	struct store_tx *tx = store_tx_new(f->store);

	store_tx_session_add(tx, &session, NULL);
	assert_int_equal(store_commit_wait(f->store, tx), STORE_CONSTRAINT);
	session.id = "other";
	session.registry = "nobody";
	tx = store_tx_new(f->store);
	store_tx_session_add(tx, &session, NULL);
	assert_int_equal(store_commit_wait(f->store, tx), STORE_CONSTRAINT);
	/* Numbers are part of what binds sealed values: never given out again. */
	tx = store_tx_new(f->store);
	store_tx_session_remove(tx, number);
	assert_int_equal(store_commit_wait(f->store, tx), 0);
	session.registry = "owner";
	tx = store_tx_new(f->store);
	store_tx_session_add(tx, &session, &again);
	assert_int_equal(store_commit_wait(f->store, tx), 0);
	assert_true(again > number);
	/* A late batch of a removed session leaves nothing behind. */
	tx = store_tx_new(f->store);
	store_tx_record_put(tx, number, 1, "late", span_text("x"), 0);
	assert_int_equal(store_commit_wait(f->store, tx), STORE_CONSTRAINT);
}

/* ---- records ---- */

static void read_records(struct store_reader *reader, void *arg)
{
	static const struct store_record_key keys[] = { { 2, "a.1" }, { 2, "missing" }, { 3, "a.1" }, { 2, "empty" } };
	struct fixture_read *q = arg;
	struct span *values = arena_alloc(&q->f->arena, 4 * sizeof *values);

	q->rc = store_record_get(reader, &q->f->arena, q->session, keys, 4, values);
	q->rows = values;
}

static void read_record_list(struct store_reader *reader, void *arg)
{
	struct fixture_read *q = arg;
	const char **names;

	q->rc = store_record_list(reader, &q->f->arena, q->session, 2, &names, NULL, &q->n);
	q->rows = names;
}

static void records_are_put_changed_and_deleted(void **state)
{
	struct fixture *f = *state;
	int64_t number = fixture_session(f, "main"), other = fixture_session(f, "second");
	struct fixture_read q = ask(f, number);
	struct store_tx *tx = store_tx_new(f->store);
	struct span *values;

	store_tx_record_put(tx, number, 2, "a.1", span_text("first"), 0);
	store_tx_record_put(tx, number, 2, "a.1", span_text("second"), 0);
	store_tx_record_put(tx, number, 3, "a.1", span_text("gone"), 0);
	store_tx_record_put(tx, number, 2, "empty", span_of(NULL, 0), 0);
	store_tx_record_put(tx, other, 2, "a.1", span_text("of the other"), 0);
	store_tx_record_delete(tx, number, 3, "a.1");
	store_tx_record_delete(tx, number, 9, "never was");
	assert_int_equal(store_commit_wait(f->store, tx), 0);
	store_read_wait(f->store, read_records, &q);
	assert_int_equal(q.rc, 0);
	values = q.rows;
	assert_true(span_is(values[0], "second"));
	assert_null(values[1].p);
	assert_null(values[2].p);
	assert_non_null(values[3].p);
	assert_int_equal(values[3].n, 0);
	store_read_wait(f->store, read_record_list, &q);
	assert_int_equal(q.n, 2);
	assert_string_equal(((const char **)q.rows)[1], "empty");
	tx = store_tx_new(f->store);
	store_tx_record_clear(tx, number, 0);
	assert_int_equal(store_commit_wait(f->store, tx), 0);
	store_read_wait(f->store, read_record_list, &q);
	assert_int_equal(q.n, 0);
	q.session = other;
	store_read_wait(f->store, read_record_list, &q);
	assert_int_equal(q.n, 1);
}

static void records_expire(void **state)
{
	struct fixture *f = *state;
	struct fixture_read q;
	struct store_tx *tx;
	int64_t number;

	fake_now_ms = 1000;
	f->options.wall_ms = fake_clock;
	fixture_reopen(f);
	number = fixture_session(f, "main");
	q = ask(f, number);
	tx = store_tx_new(f->store);
	store_tx_record_put(tx, number, 2, "soon", span_text("x"), 2000);
	store_tx_record_put(tx, number, 2, "later", span_text("x"), 9000);
	store_tx_record_put(tx, number, 2, "never", span_text("x"), 0);
	store_tx_record_put(tx, number, 2, "was soon", span_text("x"), 2000);
	store_tx_record_put(tx, number, 2, "was soon", span_text("x"), 0);
	assert_int_equal(store_commit_wait(f->store, tx), 0);
	fake_now_ms = 5000;
	fixture_reopen(f);
	store_read_wait(f->store, read_record_list, &q);
	assert_int_equal(q.n, 3);
	assert_string_equal(((const char **)q.rows)[0], "later");
}

/* ---- settings ---- */

static void read_setting(struct store_reader *reader, void *arg)
{
	struct fixture_read *q = arg;

	q->rc = store_setting_get(reader, &q->f->arena, "restart", &q->text);
}

static void settings_are_kept(void **state)
{
	struct fixture *f = *state;
	struct fixture_read q = ask(f, 0);
	struct store_tx *tx = store_tx_new(f->store);

	store_tx_setting_put(tx, "restart", "03:00");
	store_tx_setting_put(tx, "restart", "04:00");
	assert_int_equal(store_commit_wait(f->store, tx), 0);
	fixture_reopen(f);
	store_read_wait(f->store, read_setting, &q);
	assert_int_equal(q.rc, 0);
	assert_string_equal(q.text, "04:00");
	tx = store_tx_new(f->store);
	store_tx_setting_put(tx, "restart", NULL);
	assert_int_equal(store_commit_wait(f->store, tx), 0);
	store_read_wait(f->store, read_setting, &q);
	assert_int_equal(q.rc, STORE_NOT_FOUND);
}

/* ---- campaigns ---- */

struct campaign_read {
	const char *id;
	struct arena *arena;
	struct store_campaign row;
	int64_t counts[STORE_RECIPIENT_STATES];
	int rc, before; /* before: is the first recipient one that came before a later one? */
};

static void read_campaign(struct store_reader *reader, void *arg)
{
	struct campaign_read *q = arg;

	q->rc = store_campaign_get(reader, q->arena, q->id, &q->row);
	if (q->rc == 0)
		q->rc = store_campaign_counts(reader, q->row.number, q->counts);
	if (q->rc == 0)
		q->before = store_campaign_has_before(reader, q->row.number, "15550000000@s.whatsapp.net", INT64_MAX);
}

static struct campaign_read campaign(struct fixture *f, const char *id)
{
	struct campaign_read q = { .id = id, .arena = &f->arena };

	store_read_wait(f->store, read_campaign, &q);
	return q;
}

static void add_campaign(struct fixture *f, int64_t session, const char *id, size_t people)
{
	struct store_campaign row = { .id = id, .registry = "owner", .session = session, .session_id = "main", .name = "news", .state = STORE_CAMPAIGN_ACTIVE,
		.created_ms = 1, .spec = span_text("{}") };
	struct store_recipient *rows = arena_alloc(&f->arena, people * sizeof *rows);
	struct store_tx *tx = store_tx_new(f->store);
	int64_t added = 0;

	for (size_t i = 0; i < people; i++) {
		rows[i].jid = arena_printf(&f->arena, "%zu@s.whatsapp.net", (size_t)15550000000 + i);
		rows[i].message_id = arena_printf(&f->arena, "%s-%zu", id, i);
	}
	store_tx_campaign_add(tx, &row);
	store_tx_campaign_recipients(tx, id, rows, people, 100000, &added);
	assert_int_equal(store_commit_wait(f->store, tx), 0);
	assert_int_equal(added, people);
}

static void end_campaign(struct fixture *f, const char *id)
{
	struct store_tx *tx = store_tx_new(f->store);

	store_tx_campaign_state(tx, campaign(f, id).row.number, STORE_CAMPAIGN_BIT(STORE_CAMPAIGN_ACTIVE), STORE_CAMPAIGN_DONE, NULL, fake_now_ms);
	assert_int_equal(store_commit_wait(f->store, tx), 0);
}

static void ended_campaigns_go_when_they_are_old(void **state)
{
	struct fixture *f = *state;
	int64_t session;

	fake_now_ms = 100 * DAY_MS;
	f->options.wall_ms = fake_clock;
	fixture_reopen(f);
	session = fixture_session(f, "main");
	/* More recipients than go at once. */
	add_campaign(f, session, "old", 4500);
	add_campaign(f, session, "new", 2);
	add_campaign(f, session, "runs", 2);
	end_campaign(f, "old");
	fake_now_ms += 3 * DAY_MS;
	end_campaign(f, "new");
	fixture_reopen(f);
	assert_int_equal(campaign(f, "old").counts[STORE_RECIPIENT_PENDING], 4500);
	store_campaigns_keep(f->store, 2 * DAY_MS);
	fixture_reopen(f);
	assert_int_equal(campaign(f, "old").rc, STORE_NOT_FOUND);
	assert_int_equal(campaign(f, "new").counts[STORE_RECIPIENT_PENDING], 2);
	fake_now_ms += 50 * DAY_MS;
	store_campaigns_keep(f->store, 2 * DAY_MS);
	fixture_reopen(f);
	assert_int_equal(campaign(f, "new").rc, STORE_NOT_FOUND);
	assert_int_equal(campaign(f, "runs").counts[STORE_RECIPIENT_PENDING], 2);
	assert_int_equal(campaign(f, "runs").before, STORE_OK);
}

static void a_campaign_goes_in_parts(void **state)
{
	static const int64_t left[] = { 2500, 500, 0 };
	struct fixture *f = *state;
	int64_t number;
	bool over = false;

	add_campaign(f, fixture_session(f, "main"), "big", 4500);
	number = campaign(f, "big").row.number;
	for (size_t i = 0; i < 3; i++) {
		struct store_tx *tx = store_tx_new(f->store);
		struct campaign_read now;

		store_tx_campaign_remove(tx, number, fake_now_ms, &over);
		assert_int_equal(store_commit_wait(f->store, tx), 0);
		assert_int_equal(over, i == 2);
		now = campaign(f, "big");
		assert_int_equal(now.counts[STORE_RECIPIENT_PENDING], left[i]);
		assert_true(over ? now.rc == STORE_NOT_FOUND : now.row.state == STORE_CAMPAIGN_CANCELLED);
	}
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		T(the_administrator_is_seeded_once),
		T(keys_hold_until_revoked),
		T(keys_of_the_original_are_imported),
		T(login_keys_expire_when_unused),
		T(sessions_keep_what_they_are_told),
		T(session_ids_and_owners_are_checked),
		T(records_are_put_changed_and_deleted),
		T(records_expire),
		T(settings_are_kept),
		T(ended_campaigns_go_when_they_are_old),
		T(a_campaign_goes_in_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
