/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, a message key could be used twice or an acknowledged message could be lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sessiond/wa/state.h"
#include "tests/unit/fake_host.h"

struct world {
	struct fake_host host;
	struct wa_state *state;
	int failures;
};

static void on_failure(void *arg)
{
	((struct world *)arg)->failures++;
}

static void to_fetched(void *to, uint64_t token, const struct span *values, size_t n, bool error)
{
	wa_state_fetched(to, token, values, n, error);
}

static void to_committed(void *to, uint64_t token, bool ok)
{
	wa_state_committed(to, token, ok);
}

static void world_init(struct world *w, size_t cache)
{
	*w = (struct world){ 0 };
	fake_host_init(&w->host);
	w->state = wa_state_new(&w->host.host, &w->host, cache, on_failure, w);
	w->host.to = w->state;
	w->host.fetched = to_fetched;
	w->host.committed = to_committed;
}

static void world_free(struct world *w)
{
	wa_state_free(w->state);
	fake_host_free(&w->host);
}

/* -1 not called, else how often it was called with ok. */
struct calls {
	int ok, failed;
};

static void count(void *arg, bool ok)
{
	struct calls *c = arg;

	if (ok)
		c->ok++;
	else
		c->failed++;
}

static struct wa_key session_key(const char *name)
{
	return (struct wa_key){ .kind = WA_RECORD_SESSION, .name = name };
}

static void fetch_one(struct state_op *op, const char *name, struct calls *calls)
{
	struct wa_key key = session_key(name);

	state_op_fetch(op, &key, 1, count, calls);
}

static void test_fetches_once_and_keeps(void **state)
{
	struct world w;
	struct state_op op;
	struct calls calls = { 0 };
	struct span value;

	(void)state;
	world_init(&w, 4096);
	fake_host_put(&w.host, WA_RECORD_SESSION, "a.0", span_text("one"));
	state_op_init(&op, w.state);
	fetch_one(&op, "a.0", &calls);
	assert_int_equal(calls.ok, 0);
	fake_host_run(&w.host);
	assert_int_equal(calls.ok, 1);
	assert_true(state_op_get(&op, WA_RECORD_SESSION, "a.0", &value));
	assert_true(span_is(value, "one"));
	state_op_end(&op);
	state_op_init(&op, w.state);
	fetch_one(&op, "a.0", &calls);
	assert_int_equal(calls.ok, 2); /* at once */
	assert_int_equal(w.host.fetched_keys, 1);
	state_op_end(&op);
	world_free(&w);
}

static void test_absence_is_remembered(void **state)
{
	struct world w;
	struct state_op op;
	struct calls calls = { 0 };
	struct span value;

	(void)state;
	world_init(&w, 4096);
	state_op_init(&op, w.state);
	fetch_one(&op, "none.0", &calls);
	fake_host_run(&w.host);
	assert_false(state_op_get(&op, WA_RECORD_SESSION, "none.0", &value));
	state_op_put(&op, WA_RECORD_SESSION, "none.0", span_of("", 0));
	assert_true(state_op_get(&op, WA_RECORD_SESSION, "none.0", &value));
	assert_int_equal(value.n, 0);
	state_op_end(&op);
	world_free(&w);
}

static void test_overlay_is_seen_before_it_is_stored(void **state)
{
	struct world w;
	struct state_op first, second;
	struct calls calls = { 0 };
	struct calls commits = { 0 };
	struct span value;

	(void)state;
	world_init(&w, 0); /* no room: only pins keep entries */
	fake_host_put(&w.host, WA_RECORD_SESSION, "a.0", span_text("old"));
	state_op_init(&first, w.state);
	fetch_one(&first, "a.0", &calls);
	fake_host_run(&w.host);
	state_op_put(&first, WA_RECORD_SESSION, "a.0", span_text("new"));
	state_op_commit(&first, count, &commits);
	state_op_end(&first);
	assert_int_equal(commits.ok, 0);
	state_op_init(&second, w.state);
	fetch_one(&second, "a.0", &calls);
	assert_int_equal(calls.ok, 2);
	assert_true(state_op_get(&second, WA_RECORD_SESSION, "a.0", &value));
	assert_true(span_is(value, "new"));
	fake_host_run(&w.host);
	assert_int_equal(commits.ok, 1);
	assert_memory_equal(fake_host_find(&w.host, WA_RECORD_SESSION, "a.0")->value.data, "new", 3);
	state_op_end(&second);
	assert_int_equal(wa_state_bytes(w.state), 0);
	world_free(&w);
}

static void test_late_read_does_not_undo_a_change(void **state)
{
	struct world w;
	struct state_op reader, writer;
	struct calls calls = { 0 };
	struct span value;

	(void)state;
	world_init(&w, 4096);
	fake_host_put(&w.host, WA_RECORD_SESSION, "a.0", span_text("old"));
	state_op_init(&reader, w.state);
	state_op_init(&writer, w.state);
	fetch_one(&reader, "a.0", &calls); /* the answer is under way ... */
	state_op_put(&writer, WA_RECORD_SESSION, "a.0", span_text("new"));
	fake_host_run(&w.host); /* ... and arrives after the change */
	assert_int_equal(calls.ok, 1);
	assert_true(state_op_get(&reader, WA_RECORD_SESSION, "a.0", &value));
	assert_true(span_is(value, "new"));
	state_op_end(&reader);
	state_op_end(&writer);
	world_free(&w);
}

static void test_commits_answer_in_order(void **state)
{
	struct world w;
	struct state_op op;
	struct calls first = { 0 };
	struct calls nothing = { 0 };

	(void)state;
	world_init(&w, 4096);
	state_op_init(&op, w.state);
	state_op_put(&op, WA_RECORD_SESSION, "a.0", span_text("1"));
	state_op_commit(&op, count, &first);
	state_op_commit(&op, count, &nothing);
	/* Nothing to store, but its ack must not overtake the one before. */
	assert_int_equal(nothing.ok, 0);
	fake_host_run(&w.host);
	assert_int_equal(first.ok, 1);
	assert_int_equal(nothing.ok, 1);
	state_op_commit(&op, count, &nothing);
	assert_int_equal(nothing.ok, 2);
	assert_int_equal(w.host.commits, 1);
	state_op_end(&op);
	world_free(&w);
}

static void test_failed_commit_stops_everything(void **state)
{
	struct world w;
	struct state_op op;
	struct calls commits = { 0 };
	struct calls fetches = { 0 };
	struct span value;

	(void)state;
	world_init(&w, 4096);
	fake_host_put(&w.host, WA_RECORD_SESSION, "a.0", span_text("old"));
	state_op_init(&op, w.state);
	state_op_put(&op, WA_RECORD_SESSION, "a.0", span_text("new"));
	state_op_commit(&op, count, &commits);
	w.host.fail_commits = true;
	fake_host_run(&w.host);
	assert_int_equal(commits.failed, 1);
	assert_int_equal(w.failures, 1);
	assert_true(wa_state_failed(w.state));
	fetch_one(&op, "b.0", &fetches);
	assert_int_equal(fetches.failed, 1);
	state_op_end(&op);
	w.host.fail_commits = false;
	wa_state_reset(w.state);
	state_op_init(&op, w.state);
	fetch_one(&op, "a.0", &fetches);
	fake_host_run(&w.host);
	assert_true(state_op_get(&op, WA_RECORD_SESSION, "a.0", &value));
	assert_true(span_is(value, "old"));
	state_op_end(&op);
	world_free(&w);
}

static void test_ended_operation_is_not_called(void **state)
{
	struct world w;
	struct state_op op;
	struct calls calls = { 0 };

	(void)state;
	world_init(&w, 4096);
	state_op_init(&op, w.state);
	fetch_one(&op, "a.0", &calls);
	state_op_end(&op);
	fake_host_run(&w.host);
	assert_int_equal(calls.ok + calls.failed, 0);
	world_free(&w);
}

static void test_cache_evicts_the_oldest(void **state)
{
	struct world w;
	struct state_op op;
	struct calls calls = { 0 };
	char name[16];
	uint8_t big[1000] = { 0 };

	(void)state;
	world_init(&w, 20000);
	for (int i = 0; i < 200; i++) {
		snprintf(name, sizeof name, "%d.0", i);
		fake_host_put(&w.host, WA_RECORD_SESSION, name, span_of(big, sizeof big));
		state_op_init(&op, w.state);
		fetch_one(&op, name, &calls);
		fake_host_run(&w.host);
		state_op_end(&op);
	}
	assert_in_range(wa_state_bytes(w.state), 10000, 20000);
	state_op_init(&op, w.state);
	fetch_one(&op, "199.0", &calls);
	assert_int_equal(calls.ok, 201); /* still there */
	fetch_one(&op, "0.0", &calls);
	assert_int_equal(calls.ok, 201); /* gone, asked for again */
	state_op_end(&op);
	world_free(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fetches_once_and_keeps),
		cmocka_unit_test(test_absence_is_remembered),
		cmocka_unit_test(test_overlay_is_seen_before_it_is_stored),
		cmocka_unit_test(test_late_read_does_not_undo_a_change),
		cmocka_unit_test(test_commits_answer_in_order),
		cmocka_unit_test(test_failed_commit_stops_everything),
		cmocka_unit_test(test_ended_operation_is_not_called),
		cmocka_unit_test(test_cache_evicts_the_oldest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
