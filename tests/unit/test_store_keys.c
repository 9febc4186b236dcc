/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, a limited, rotated, expired or shut-out API key works where it must not, or the audit log forgets. */
#include "store_fixture.h"

#include "sessiond/crypto/crypto.h"

#define DAY_MS ((int64_t)24 * 60 * 60 * 1000)

static int64_t fake_now_ms;

static int64_t fake_clock(void)
{
	return fake_now_ms;
}

static int setup(void **state)
{
	struct fixture *f;

	if (fixture_setup(state))
		return -1;
	f = *state;
	fake_now_ms = 1000 * DAY_MS;
	f->options.wall_ms = fake_clock;
	fixture_reopen(f);
	return 0;
}

static void commit(struct fixture *f, struct store_tx *tx, int expected)
{
	assert_int_equal(store_commit_wait(f->store, tx), expected);
}

static int64_t add_user(struct fixture *f, const char *name, bool admin)
{
	struct store_tx *tx = store_tx_new(f->store);
	int64_t number = 0;

	store_tx_user_add(tx, &(struct store_user){ .registry = name, .username = name, .password = "-", .admin = admin }, &number);
	commit(f, tx, 0);
	return number;
}

static int64_t add_key(struct fixture *f, int64_t user, const char *text, const struct store_grant *grant)
{
	struct store_tx *tx = store_tx_new(f->store);
	int64_t number = 0;

	store_tx_key_grant(tx, user, text, grant, &number);
	commit(f, tx, 0);
	return number;
}

static bool is_good(struct fixture *f, const char *text)
{
	struct store_principal who;

	if (store_key_check(f->store, text, &who))
		return false;
	reach_drop(who.reach);
	return true;
}

struct look {
	struct fixture *f;
	int64_t number;
	struct store_key key;
	int rc;
};

static void read_key(struct store_reader *reader, void *arg)
{
	struct look *look = arg;

	look->rc = store_key_get(reader, &look->f->arena, look->number, &look->key);
}

static struct look look_at(struct fixture *f, int64_t number)
{
	struct look look = { .f = f, .number = number };

	store_read_wait(f->store, read_key, &look);
	return look;
}

static void limits_are_kept(void **state)
{
	struct fixture *f = *state;
	int64_t user = add_user(f, "u", false);
	const struct store_grant grant = { .label = "shop", .scopes = SCOPE_READ | SCOPE_SEND, .sessions = "a b", .networks = "10.0.0.0/8", .created_by = "boss",
	                                   .expires_ms = 2000 * DAY_MS };
	struct store_grant wider = grant;
	int64_t number = add_key(f, user, "limited", &grant);
	struct store_principal who;
	struct store_tx *tx;
	struct look look;

	fixture_reopen(f);
	assert_int_equal(store_key_check(f->store, "limited", &who), 0);
	assert_int_equal(who.scopes, SCOPE_READ | SCOPE_SEND);
	assert_true(reach_has_session(who.reach, "a") && !reach_has_session(who.reach, "c"));
	assert_true(reach_has_address(who.reach, "10.9.8.7") && !reach_has_address(who.reach, "11.0.0.1"));
	assert_int_equal(who.expires_ms, 2000 * DAY_MS);
	look = look_at(f, number);
	assert_string_equal(look.key.grant.label, "shop");
	assert_string_equal(look.key.grant.created_by, "boss");
	assert_string_equal(look.key.username, "u");

	/* A request that is running keeps what it had when the table changes under it. */
	wider.sessions = NULL;
	wider.networks = NULL;
	tx = store_tx_new(f->store);
	store_tx_key_change(tx, number, &wider);
	commit(f, tx, 0);
	assert_false(reach_has_session(who.reach, "c"));
	reach_drop(who.reach);
	assert_int_equal(store_key_check(f->store, "limited", &who), 0);
	assert_null(who.reach);
	tx = store_tx_new(f->store);
	store_tx_key_change(tx, number + 100, &wider);
	commit(f, tx, STORE_NOT_FOUND);
}

static void keys_expire(void **state)
{
	struct fixture *f = *state;
	int64_t user = add_user(f, "u", false);
	int64_t number = add_key(f, user, "short", &(struct store_grant){ .scopes = SCOPE_ALL, .expires_ms = fake_now_ms + 1000 });

	fake_now_ms += 999;
	assert_true(is_good(f, "short"));
	fake_now_ms += 1;
	assert_false(is_good(f, "short"));
	fake_now_ms += 100 * DAY_MS;
	fixture_reopen(f);
	/* still there to be seen, and to be prolonged */
	assert_int_equal(look_at(f, number).rc, 0);
}

static void rotate(struct fixture *f, int64_t number, const char *text, int64_t until_ms)
{
	struct store_tx *tx = store_tx_new(f->store);

	store_tx_key_rotate(tx, number, text, until_ms);
	commit(f, tx, 0);
}

static void rotated_keys_stay_the_same_key(void **state)
{
	struct fixture *f = *state;
	int64_t user = add_user(f, "u", false);
	int64_t number = add_key(f, user, "one", &(struct store_grant){ .scopes = SCOPE_READ, .sessions = "a" });
	struct store_principal who;
	struct store_tx *tx;
	struct look look;

	rotate(f, number, "two", fake_now_ms + DAY_MS);
	fixture_reopen(f);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(store_key_check(f->store, i ? "two" : "one", &who), 0);
		assert_int_equal(who.key, number);
		assert_int_equal(who.scopes, SCOPE_READ);
		assert_false(reach_has_session(who.reach, "b"));
		reach_drop(who.reach);
	}
	look = look_at(f, number);
	assert_int_equal(look.key.old_until_ms, fake_now_ms + DAY_MS);
	/* what the key may no longer do, its old text may not either */
	tx = store_tx_new(f->store);
	store_tx_key_change(tx, number, &(struct store_grant){ .scopes = SCOPE_SEND });
	commit(f, tx, 0);
	assert_int_equal(store_key_check(f->store, "one", &who), 0);
	assert_int_equal(who.scopes, SCOPE_SEND);
	fake_now_ms += DAY_MS;
	assert_false(is_good(f, "one"));
	assert_true(is_good(f, "two"));

	rotate(f, number, "three", fake_now_ms + DAY_MS);
	assert_true(is_good(f, "two") && is_good(f, "three"));
	rotate(f, number, "four", 0);
	assert_true(!is_good(f, "two") && !is_good(f, "three") && is_good(f, "four"));
	rotate(f, number, "five", fake_now_ms + DAY_MS);
	tx = store_tx_new(f->store);
	store_tx_key_revoke(tx, number);
	commit(f, tx, 0);
	assert_true(!is_good(f, "four") && !is_good(f, "five"));
	tx = store_tx_new(f->store);
	store_tx_key_rotate(tx, number, "six", 0);
	commit(f, tx, STORE_NOT_FOUND);
}

/* The end of a key is the end of its old text, too, whichever comes first. */
static void an_old_text_ends_with_its_key(void **state)
{
	struct fixture *f = *state;
	int64_t number = add_key(f, add_user(f, "u", false), "one", &(struct store_grant){ .scopes = SCOPE_ALL, .expires_ms = fake_now_ms + DAY_MS });

	rotate(f, number, "two", fake_now_ms + 10 * DAY_MS);
	assert_true(is_good(f, "one"));
	fake_now_ms += DAY_MS;
	assert_false(is_good(f, "one"));
	assert_false(is_good(f, "two"));
}

static void use_is_remembered(void **state)
{
	struct fixture *f = *state;
	int64_t number = add_key(f, add_user(f, "u", false), "one", &(struct store_grant){ .scopes = SCOPE_ALL });

	assert_int_equal(look_at(f, number).key.used_ms, 0);
	rotate(f, number, "two", fake_now_ms + DAY_MS);
	fake_now_ms += 5000;
	assert_true(is_good(f, "two"));
	fake_now_ms += 1000;
	assert_true(is_good(f, "one"));
	fixture_reopen(f);
	assert_int_equal(look_at(f, number).key.used_ms, fake_now_ms);
}

static void users_are_shut_out(void **state)
{
	struct fixture *f = *state;
	int64_t user = add_user(f, "u", false), other = add_user(f, "v", true);
	struct store_principal who;
	struct store_tx *tx;

	add_key(f, user, "hers", &(struct store_grant){ .scopes = SCOPE_ALL, .created_by = "u" });
	add_key(f, other, "his", &(struct store_grant){ .scopes = SCOPE_ALL });
	tx = store_tx_new(f->store);
	store_tx_key_add(tx, user, STORE_KEY_UI, "ui", NULL, NULL);
	store_tx_user_standing(tx, user, false, true);
	commit(f, tx, 0);
	assert_true(!is_good(f, "hers") && !is_good(f, "ui") && is_good(f, "his"));
	tx = store_tx_new(f->store);
	store_tx_user_standing(tx, user, true, false);
	commit(f, tx, 0);
	assert_int_equal(store_key_check(f->store, "hers", &who), 0);
	assert_true(who.admin);
	tx = store_tx_new(f->store);
	store_tx_logins_end(tx, user, 0);
	commit(f, tx, 0);
	assert_true(is_good(f, "hers") && !is_good(f, "ui"));
	/* a log-in that replaces the user's key (C1) leaves alone what was made on purpose */
	tx = store_tx_new(f->store);
	store_tx_key_add(tx, user, STORE_KEY_API, "the one", NULL, NULL);
	store_tx_key_revoke_all(tx, user, 1U << STORE_KEY_API);
	commit(f, tx, 0);
	assert_true(is_good(f, "hers") && !is_good(f, "the one"));
}

static bool has_cookie(struct fixture *f, const char *text)
{
	struct store_principal who;

	if (store_cookie_check(f->store, text, &who))
		return false;
	reach_drop(who.reach);
	return true;
}

static void cookies_end_with_their_key(void **state)
{
	struct fixture *f = *state;
	int64_t user = add_user(f, "u", false), key = add_key(f, user, "short", &(struct store_grant){ .scopes = SCOPE_ALL, .networks = "10.0.0.0/8", .expires_ms = fake_now_ms + DAY_MS });
	int64_t other = add_key(f, user, "long", &(struct store_grant){ .scopes = SCOPE_ALL }), made = 0, none = 0;
	struct store_principal who;
	struct store_tx *tx = store_tx_new(f->store);

	store_tx_cookie_add(tx, user, "of short", "session", &key);
	store_tx_cookie_add(tx, user, "of long", "session", &other);
	/* of a key that the same tx makes, as log-ins do */
	store_tx_key_add(tx, user, STORE_KEY_UI, "ui", NULL, &made);
	store_tx_cookie_add(tx, user, "of ui", "login", &made);
	store_tx_cookie_add(tx, user, "of none", "login", &none);
	commit(f, tx, 0);
	assert_true(has_cookie(f, "of short") && has_cookie(f, "of long") && has_cookie(f, "of ui") && has_cookie(f, "of none"));
	assert_int_equal(store_cookie_check(f->store, "of short", &who), 0);
	assert_true(reach_has_address(who.reach, "10.1.2.3") && !reach_has_address(who.reach, "192.0.2.1"));
	reach_drop(who.reach);
	fake_now_ms += DAY_MS;
	assert_true(!has_cookie(f, "of short") && has_cookie(f, "of long"));
	fixture_reopen(f);
	assert_true(!has_cookie(f, "of short") && has_cookie(f, "of long"));
	/* another text for the key changes nothing for the browser; without the key there is no cookie */
	rotate(f, other, "long too", 0);
	assert_true(has_cookie(f, "of long"));
	tx = store_tx_new(f->store);
	store_tx_key_revoke(tx, other);
	store_tx_key_revoke(tx, made);
	commit(f, tx, 0);
	assert_true(!has_cookie(f, "of long") && !has_cookie(f, "of ui") && has_cookie(f, "of none"));
	fixture_reopen(f);
	assert_true(!has_cookie(f, "of long") && !has_cookie(f, "of ui") && has_cookie(f, "of none"));
}

/* Somebody edited the database: what cannot be read as a limit is no key, rather than one without limits. */
static void limits_that_cannot_be_read_lock(void **state)
{
	struct fixture *f = *state;

	add_key(f, add_user(f, "u", false), "odd", &(struct store_grant){ .scopes = SCOPE_ALL, .networks = "everywhere" });
	assert_false(is_good(f, "odd"));
}

/* ---- audit log ---- */

struct page {
	struct fixture *f;
	struct store_audit_query query;
	struct store_audit *rows;
	size_t n;
	bool more;
	int rc;
};

static void read_page(struct store_reader *reader, void *arg)
{
	struct page *page = arg;

	page->rc = store_audit_list(reader, &page->f->arena, &page->query, &page->rows, &page->n, &page->more);
}

static struct page page_of(struct fixture *f, struct store_audit_query query)
{
	struct page page = { .f = f, .query = query };

	store_read_wait(f->store, read_page, &page);
	assert_int_equal(page.rc, 0);
	return page;
}

static void add_entry(struct fixture *f, const char *action, int status)
{
	struct store_tx *tx = store_tx_new(f->store);

	store_tx_audit_add(tx, &(struct store_audit){ .at_ms = fake_now_ms, .user = 7, .username = "u", .key = 3, .address = "10.0.0.1", .action = action,
	                                              .target = "shop", .status = status });
	commit(f, tx, 0);
}

static void audit_is_read_in_pages_and_ends(void **state)
{
	struct fixture *f = *state;
	struct page page;

	for (int i = 0; i < 5; i++) {
		add_entry(f, i % 2 ? "key.create" : "session.delete", i == 4 ? 403 : 200);
		fake_now_ms += 1000;
	}
	page = page_of(f, (struct store_audit_query){ .limit = 3 });
	assert_true(page.more && page.n == 3);
	assert_int_equal(page.rows[0].status, 403);
	assert_true(page.rows[0].number > page.rows[1].number && page.rows[1].number > page.rows[2].number);
	page = page_of(f, (struct store_audit_query){ .limit = 3, .before = page.rows[2].number });
	assert_true(!page.more && page.n == 2);
	assert_string_equal(page.rows[1].action, "session.delete");
	assert_null(page.rows[1].detail);
	assert_int_equal(page_of(f, (struct store_audit_query){ .limit = 9, .action = "key.create" }).n, 2);
	assert_int_equal(page_of(f, (struct store_audit_query){ .limit = 9, .status_from = 400, .status_to = 500 }).n, 1);
	assert_int_equal(page_of(f, (struct store_audit_query){ .limit = 9, .username = "v" }).n, 0);
	assert_int_equal(page_of(f, (struct store_audit_query){ .limit = 9, .target = "shop", .from_ms = fake_now_ms - 2000 }).n, 2);

	store_audit_keep(f->store, 2 * DAY_MS);
	fake_now_ms += 2 * DAY_MS - 3500;
	fixture_reopen(f);
	assert_int_equal(page_of(f, (struct store_audit_query){ .limit = 9 }).n, 5 - 2);
	/* without a bound nothing goes */
	fake_now_ms += 1000 * DAY_MS;
	fixture_reopen(f);
	assert_int_equal(page_of(f, (struct store_audit_query){ .limit = 9 }).n, 3);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		T(limits_are_kept),
		T(keys_expire),
		T(rotated_keys_stay_the_same_key),
		T(an_old_text_ends_with_its_key),
		T(use_is_remembered),
		T(users_are_shut_out),
		T(cookies_end_with_their_key),
		T(limits_that_cannot_be_read_lock),
		T(audit_is_read_in_pages_and_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
