/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, a live view loses events, sees one twice, or is not told what it lost. */
#include "tests/unit/store_fixture.h"

struct page {
	struct fixture *f;
	struct store_event_question question;
	struct store_event *rows;
	size_t n;
	bool more;
	int rc;
};

static void read_page(struct store_reader *reader, void *arg)
{
	struct page *page = arg;

	page->rc = store_event_page(reader, &page->f->arena, &page->question, &page->rows, &page->n, &page->more);
}

static bool not_noise(void *arg, const char *kind)
{
	(void)arg;
	return strcmp(kind, "noise") != 0;
}

static struct page ask(struct fixture *f, struct store_event_place *places, size_t n, size_t limit)
{
	struct page page = { .f = f, .question = { .places = places, .n = n, .wanted = not_noise, .limit = limit, .max_bytes = 1 << 20 } };

	store_read_wait(f->store, read_page, &page);
	assert_int_equal(page.rc, 0);
	return page;
}

static void add(struct fixture *f, int64_t session, const char *kind, int n)
{
	struct store_tx *tx = store_tx_new(f->store);
	char id[48];

	snprintf(id, sizeof id, "%s-%d", kind, n);
	store_tx_event_add(tx, &(struct store_event){ .session = session, .event_id = id, .kind = kind, .payload = span_text("{\"some\":\"payload of an event\"}"), .time_ms = 1 }, NULL);
	assert_int_equal(store_commit_wait(f->store, tx), 0);
}

/* Pages of any size tell the same: every event once, in order of commit. */
static void pages_follow_each_other(void **state)
{
	struct fixture *f = *state;
	const int64_t a = fixture_session(f, "a"), b = fixture_session(f, "b"), c = fixture_session(f, "c");
	const int64_t sessions[] = { a, b, c };

	for (int i = 0; i < 60; i++)
		add(f, sessions[i % 7 % 3], i % 5 == 4 ? "noise" : "message", i);
	for (size_t limit = 1; limit < 60; limit += 6) {
		struct store_event_place places[] = { { .session = a }, { .session = c } };
		int last = -1, told = 0;
		struct page page;

		do {
			page = ask(f, places, 2, limit);
			assert_true(page.n <= limit);
			assert_int_equal(page.more, page.n == limit && told + (int)page.n < 34);
			for (size_t i = 0; i < page.n; i++, told++) {
				int n = (int)strtol(page.rows[i].event_id + sizeof "message-" - 1, NULL, 10);

				assert_true(n > last);
				assert_true(page.rows[i].session == a || page.rows[i].session == c);
				assert_string_equal(page.rows[i].kind, "message");
				assert_int_equal(page.rows[i].payload.n, strlen("{\"some\":\"payload of an event\"}"));
				last = n;
			}
		} while (page.n > 0);
		/* of 60, what is not b's and no noise */
		assert_int_equal(told, 34);
		assert_int_equal(places[0].lost + places[1].lost, 0);
	}
}

/* What is not wanted moves the place on as well; a view that begins now sees nothing of before. */
static void a_view_may_begin_now(void **state)
{
	struct fixture *f = *state;
	const int64_t a = fixture_session(f, "a");
	struct store_event_place place = { .session = a, .told = -1 };
	struct page page;

	page = ask(f, &place, 1, 10);
	assert_int_equal(page.n, 0);
	assert_int_equal(place.told, 0);
	add(f, a, "message", 1);
	place.told = -1;
	page = ask(f, &place, 1, 10);
	assert_int_equal(page.n, 0);
	assert_int_equal(place.told, 1);
	add(f, a, "noise", 2);
	page = ask(f, &place, 1, 10);
	assert_int_equal(page.n, 0);
	assert_false(page.more);
	assert_int_equal(place.told, 2);
	add(f, a, "message", 3);
	page = ask(f, &place, 1, 10);
	assert_int_equal(page.n, 1);
	assert_int_equal(page.rows[0].number, 3);
	/* an older database was put back */
	place.told = 77;
	page = ask(f, &place, 1, 10);
	assert_true(place.rewound);
	assert_int_equal(page.n, 0);
	assert_int_equal(place.told, 3);
	page = ask(f, &place, 1, 10);
	assert_false(place.rewound);
}

/* The journal's bound took events away that somebody had not seen. */
static void a_loss_is_counted(void **state)
{
	struct fixture *f = *state;
	struct store_event_place place = { .told = 3 };
	struct page page;

	place.session = fixture_session(f, "a");
	for (int i = 0; i < 40; i++)
		add(f, place.session, "message", i);
	f->options.journal_max_bytes = 1000;
	/* the keeper of the first start only counts */
	fixture_reopen(f);
	fixture_reopen(f);
	page = ask(f, &place, 1, 100);
	assert_true(place.lost > 10);
	assert_int_equal(page.n, 40 - 3 - (size_t)place.lost);
	assert_int_equal(page.rows[0].number, 4 + place.lost);
	assert_int_equal(place.told, 40);
	ask(f, &place, 1, 100);
	assert_int_equal(place.lost, 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = { T(pages_follow_each_other), T(a_view_may_begin_now), T(a_loss_is_counted) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
