/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, a chat's events overtake each other, a cursor runs past what was not delivered, or a healthy receiver is paused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/mem.h"
#include "sessiond/webhook/hook.h"

static struct hook hook;
static struct webhook_options options;
static int cleared;
static int64_t due_ms;

static void clear_url(void *ctx, int64_t session, const char *id)
{
	(void)ctx;
	assert_int_equal(session, 9);
	assert_string_equal(id, "sales");
	cleared++;
}

static int fresh(void **state)
{
	(void)state;
	memset(&hook, 0, sizeof(hook));
	hook.session = 9;
	hook.id = xstrdup("sales");
	hook.url = xstrdup("http://x/");
	hook.own_url = true;
	hook.state = HOOK_ACTIVE;
	options = (struct webhook_options){ .retries = 3, .backoff_ms = 800, .jitter_ms = 300, .pause_ms = 60000, .security_pause_ms = 900000,
		.retention_ms = 72 * 3600000, .clear_url = clear_url };
	cleared = 0;
	return 0;
}

static int release(void **state)
{
	(void)state;
	hook_release(&hook);
	return 0;
}

static void add(const char *chats)
{
	for (; *chats; chats++) {
		char chat[2] = { *chats, '\0' };
		struct store_event event = { .session = 9, .number = hook.tail + 1, .event_id = "E", .kind = "message_received",
			.chat = *chats == '-' ? NULL : chat, .payload = span_text("{}"), .time_ms = 1000 };

		assert_true(hook_add(&hook, &event, false));
	}
}

/* Begins the next attempt as deliver.c does; its number, 0 if there is none. */
static struct delivery *begin(int64_t now_ms)
{
	struct delivery *delivery = hook_next(&hook, now_ms, &due_ms);

	if (!delivery)
		return NULL;
	delivery->state = DELIVERY_SENDING;
	delivery->attempts++;
	delivery->round++;
	delivery->tried_ms = now_ms;
	delivery->generation = hook.generation;
	hook.probing = hook.state == HOOK_PAUSED;
	hook.in_flight++;
	return delivery;
}

static void answer(struct delivery *delivery, int status, int64_t now_ms)
{
	struct hook_answer a = { .verdict = verdict_of(status ? HTTP_OK : HTTP_TIMEOUT, status), .status = status, .text = status ? "" : "no answer",
		.retry_after_s = -1, .now_ms = now_ms, .wall_ms = 1000000 + now_ms };

	hook.in_flight--;
	hook_judge(&hook, delivery, &a, &options);
	hook_settle(&hook);
}

static struct delivery *expect(int64_t number, int64_t now_ms)
{
	struct delivery *delivery = begin(now_ms);

	assert_non_null(delivery);
	assert_int_equal(delivery->number, number);
	return delivery;
}

static void test_lanes_and_cursor(void **state)
{
	struct delivery *one, *two, *four;

	(void)state;
	add("aab-b");
	one = expect(1, 10);
	two = expect(3, 10);
	four = expect(4, 10);
	assert_null(begin(10));
	answer(two, 200, 20);
	assert_int_equal(hook.cursor, 0);
	answer(expect(5, 20), 204, 21);
	answer(four, 200, 22);
	assert_int_equal(hook.cursor, 0);
	answer(one, 200, 23);
	assert_int_equal(hook.cursor, 1);
	answer(expect(2, 23), 200, 24);
	assert_int_equal(hook.cursor, 5);
	assert_int_equal(hook.count, 0);
}

/* Every event is counted once, when the cursor passes it, whatever was done around it. */
static void test_counts(void **state)
{
	struct delivery *two;

	(void)state;
	add("aab");
	hook_take(&hook, 6, ENDED_SKIPPED);
	expect(1, 1);
	answer(expect(3, 1), 200, 1);
	assert_int_equal(hook.unstored.counts.delivered, 0);
	answer(hook.window[0], 200, 2);
	assert_int_equal(hook.unstored.counts.delivered, 1);
	two = expect(2, 2);
	answer(two, 200, 2);
	assert_int_equal(hook.cursor, 6);
	assert_int_equal(hook.unstored.counts.delivered, 3);
	assert_int_equal(hook.unstored.counts.skipped, 1);
	assert_int_equal(hook.unstored.counts.missed, 2);
	/* Off and on again: what it had stays what it was, the rest was not for it. */
	add("xy");
	expect(7, 3);
	answer(expect(8, 3), 200, 3);
	hook_drop(&hook);
	hook_jump(&hook, 12);
	assert_int_equal(hook.cursor, 12);
	assert_int_equal(hook.unstored.counts.delivered, 4);
	assert_int_equal(hook.unstored.counts.skipped, 1 + 1 + 4);
	/* A commit that failed gives back what it was to write; what came meanwhile is not lost either. */
	struct hook_unstored taken;

	hook_bury(&hook, 12, "why", 400);
	hook_unstored_take(&hook.unstored, &taken, false);
	assert_false(hook_has_counts(&hook.unstored));
	hook_bury(&hook, 13, "why", 400);
	hook.unstored.counts.dead = 1;
	hook_unstored_merge(&hook.unstored, &taken);
	assert_int_equal(hook.unstored.counts.delivered, 4);
	assert_int_equal(hook.unstored.counts.dead, 1);
	assert_int_equal(hook.unstored.dead_count, 2);
	assert_int_equal(hook.unstored.dead[0].number, 12);
	assert_int_equal(hook.unstored.dead[1].number, 13);
}

static void test_scopes_and_concurrency(void **state)
{
	(void)state;
	hook.target.scope = ORDER_SESSION;
	add("ab");
	expect(1, 1);
	assert_null(begin(1));
	release(state);
	fresh(state);
	hook.target.scope = ORDER_NONE;
	hook.target.parallel = 2;
	add("aaa");
	expect(1, 1);
	expect(2, 1);
	assert_null(begin(1));
	answer(hook.window[1], 200, 2);
	expect(3, 2);
}

static void test_held_by_an_operator(void **state)
{
	struct delivery *one;

	(void)state;
	add("ab");
	one = expect(1, 1);
	hook_hold(&hook);
	assert_null(begin(1));
	/* What was on its way is judged, but a failure does not make it an ordinary pause that ends by itself. */
	answer(one, 401, 2);
	assert_int_equal(hook.state, HOOK_HELD);
	assert_null(begin(INT32_MAX));
	hook_resume(&hook);
	assert_int_equal(hook.state, HOOK_ACTIVE);
	answer(expect(1, 3), 200, 3);
	answer(expect(2, 3), 200, 3);
	assert_int_equal(hook.cursor, 2);
}

static void test_replays_wait_in_line(void **state)
{
	(void)state;
	assert_null(hook_replay_now(&hook));
	for (unsigned i = 0; i < HOOK_REPLAYS; i++)
		assert_true(hook_replay_add(&hook, i, i));
	assert_false(hook_replay_add(&hook, 1, 1));
	hook_replay_now(&hook)->next++;
	assert_int_equal(hook_replay_now(&hook)->next, 1);
	assert_true(hook_replay_add(&hook, 1, 1));
}

static void test_target(void **state)
{
	struct hook_target target = { 0 };
	struct store_webhook row = { .events = "call message_receipt", .scope = "none", .parallel = 3, .headers = "A: b\n" };
	char *more[] = { (char *)(uintptr_t)"poll_vote" };

	(void)state;
	assert_false(target_set(&target, NULL));
	assert_true(target_wants(&target, "call", NULL, 0));
	assert_false(target_wants(&target, "poll_vote", NULL, 0));
	assert_true(target_wants(&target, "poll_vote", more, 1));
	assert_true(target_set(&target, &row));
	assert_false(target_set(&target, &row));
	assert_true(target_wants(&target, "message_receipt", NULL, 0));
	assert_false(target_wants(&target, "message_receiptx", NULL, 0));
	assert_false(target_wants(&target, "message", NULL, 0));
	assert_false(target_wants(&target, "poll_vote", more, 1));
	assert_int_equal(target_parallel(&target), 3);
	assert_true(target_event_is_known("message_receipt") && target_event_is_known("session_status"));
	assert_false(target_event_is_known("") || target_event_is_known("calls"));
	assert_null(target_header_fault("Authorization", "Bearer x"));
	assert_null(target_header_fault("X-Team", "blue \"1\""));
	static const char *const bad[][2] = { { "Host", "x" }, { "content-length", "1" }, { "CONTENT-TYPE", "x" }, { "x-warest-event", "x" },
		{ "Transfer-Encoding", "chunked" }, { "user-agent", "x" }, { "A B", "x" }, { "A:", "x" }, { "", "x" }, { "A", "x\r\nB: c" },
		{ "A", "x\n" }, { "A", "" }, { "A", " x" }, { "A", "\xc3\xa9" } };
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_non_null(target_header_fault(bad[i][0], bad[i][1]));
	target_free(&target);
}

static void test_parallel_bound(void **state)
{
	(void)state;
	add("abcdefghijkl");
	for (unsigned i = 0; i < TARGET_PARALLEL; i++)
		assert_non_null(begin(1));
	assert_null(begin(1));
}

static void test_retries_then_pause_then_probe(void **state)
{
	static const int64_t pauses[] = { 800, 1600, 3200 };
	int64_t now = 1;

	(void)state;
	add("ab");
	for (size_t i = 0; i < 3; i++) {
		answer(expect(1, now), 500, now);
		/* The other chat succeeds and keeps the receiver in good standing. */
		if (i == 0)
			answer(expect(2, now), 200, now);
		assert_null(begin(now + pauses[i] - 1));
		assert_int_equal(due_ms, now + pauses[i]);
		now = due_ms;
	}
	/* The fourth attempt fails too; but others got through: only this chat waits. */
	answer(expect(1, now), 500, now);
	assert_int_equal(hook.state, HOOK_ACTIVE);
	assert_null(begin(now + 59999));
	assert_int_equal(due_ms, now + 60000);
	now += 60000;
	for (int i = 0; i < 4 && hook.state == HOOK_ACTIVE; i++) {
		answer(expect(1, now), 0, now);
		begin(now);
		now = due_ms;
	}
	/* Five failures in a row: paused. */
	assert_int_equal(hook.state, HOOK_PAUSED);
	assert_string_equal(hook.last_error, "no answer");
	assert_true(hook.failed_since_ms > 0);
	add("c");
	now = hook.pause_until_ms;
	assert_null(begin(now - 1));
	assert_int_equal(due_ms, now);
	/* One probe at a time, and chats take turns. */
	struct delivery *probe = expect(3, now);

	assert_null(begin(now));
	answer(probe, 500, now);
	assert_int_equal(hook.pause_until_ms, now + 120000);
	now = hook.pause_until_ms;
	answer(expect(1, now), 500, now);
	now = hook.pause_until_ms;
	answer(expect(3, now), 200, now);
	assert_int_equal(hook.state, HOOK_ACTIVE);
	assert_int_equal(hook.failures, 0);
	assert_int_equal(hook.failed_since_ms, 0);
	assert_null(hook.last_error);
	assert_int_equal(hook.cursor, 0);
	answer(expect(1, now), 200, now);
	assert_int_equal(hook.cursor, 3);
}

static void test_forbidden(void **state)
{
	(void)state;
	add("a");
	answer(expect(1, 5), 401, 5);
	assert_int_equal(hook.state, HOOK_PAUSED);
	assert_int_equal(hook.pause_until_ms, 900005);
	assert_int_equal(hook.next_ms, 1000000 + 900005);
	hook_resume(&hook);
	answer(expect(1, 6), 200, 6);
	assert_int_equal(hook.state, HOOK_ACTIVE);
}

static void test_poison(void **state)
{
	int64_t now = 1;

	(void)state;
	add("ax");
	for (unsigned i = 0; i < HOOK_REFUSALS; i++) {
		struct delivery *poison = expect(1, now);

		answer(poison, 400, now);
		if (i == 0) {
			/* Nothing else has been taken yet: it could be the receiver. */
			assert_int_equal(hook.state, HOOK_PAUSED);
			now = hook.pause_until_ms;
			answer(expect(2, now), 200, now);
			assert_int_equal(hook.state, HOOK_ACTIVE);
		} else if (i + 1 < HOOK_REFUSALS) {
			assert_int_equal(hook.state, HOOK_ACTIVE);
			assert_null(begin(now));
			add("x");
			int64_t again = due_ms;

			answer(expect(hook.tail, now), 200, now);
			now = again;
		}
	}
	assert_int_equal(hook.unstored.dead_count, 1);
	assert_int_equal(hook.unstored.dead[0].number, 1);
	assert_int_equal(hook.cursor, 3);
}

static void test_poison_alone_in_its_chat(void **state)
{
	int64_t now = 1;

	(void)state;
	add("aa");
	/* Everything is one chat, and its first event is refused: it could be the receiver. */
	answer(expect(1, now), 400, now);
	now = hook.pause_until_ms;
	answer(expect(1, now), 400, now);
	now = hook.pause_until_ms;
	answer(expect(1, now), 400, now);
	/* Refused for the third time: the one behind it is asked at once. Refused as well: a pause like any other. */
	answer(expect(2, now), 400, now);
	assert_int_equal(hook.state, HOOK_PAUSED);
	assert_true(hook.pause_until_ms > now);
	assert_int_equal(hook.unstored.dead_count, 0);
	now = hook.pause_until_ms;
	answer(expect(1, now), 400, now);
	answer(expect(2, now), 200, now);
	/* Taken: so it is the event. It has one more chance, then it is a dead letter. */
	assert_int_equal(hook.state, HOOK_ACTIVE);
	assert_int_equal(hook.cursor, 0);
	answer(expect(1, now), 400, now);
	assert_int_equal(hook.unstored.dead_count, 1);
	assert_int_equal(hook.cursor, 2);
}

static void test_order_after_an_outage_with_refusals(void **state)
{
	int64_t now = 1;

	(void)state;
	add("aa");
	for (int i = 0; i < 4; i++) {
		struct delivery *delivery;

		while ((delivery = begin(now)) != NULL)
			answer(delivery, 302, now);
		now = hook.pause_until_ms;
	}
	/* Back again: the first comes first. */
	answer(expect(1, now), 200, now);
	answer(expect(2, now), 200, now);
	assert_int_equal(hook.cursor, 2);
	assert_int_equal(hook.unstored.dead_count, 0);
}

static void test_clear_gone(void **state)
{
	int64_t now = 1;

	(void)state;
	options.clear_gone = true;
	add("a");
	for (int i = 0; i < 3; i++) {
		assert_int_equal(cleared, 0);
		answer(expect(1, now), i == 1 ? 410 : 404, now);
		now = hook.pause_until_ms;
	}
	assert_int_equal(cleared, 1);
	/* Within a minute it does not count; another answer in between starts over; without the switch never. */
	release(state);
	fresh(state);
	options.clear_gone = true;
	add("a");
	for (int i = 0; i < 5; i++) {
		answer(expect(1, 1 + i), 404, 1 + i);
		hook_resume(&hook);
	}
	assert_int_equal(cleared, 0);
	answer(expect(1, 70000), 500, 70000);
	hook_resume(&hook);
	answer(expect(1, 70001), 404, 70001);
	assert_int_equal(cleared, 0);
	options.clear_gone = false;
	for (int i = 0; i < 5; i++) {
		hook_resume(&hook);
		answer(expect(1, 500000 + i * 100000), 404, 500000 + i * 100000);
	}
	assert_int_equal(cleared, 0);
}

static void test_retention_and_runaway(void **state)
{
	(void)state;
	add("aab");
	hook_expire(&hook, 1000 + options.retention_ms, options.retention_ms);
	assert_int_equal(hook.unstored.dead_count, 0);
	begin(1);
	hook_expire(&hook, 1001 + options.retention_ms, options.retention_ms);
	hook_settle(&hook);
	/* What is on its way is not given up. */
	assert_int_equal(hook.unstored.dead_count, 2);
	assert_int_equal(hook.cursor, 0);
	assert_int_equal(hook.count, 1);
	answer(hook.window[0], 500, 2);
	hook_take(&hook, HOOK_AHEAD - 1, ENDED_SKIPPED);
	hook_unblock(&hook);
	assert_int_equal(hook.unstored.dead_count, 2);
	hook_take(&hook, HOOK_AHEAD, ENDED_SKIPPED);
	hook_unblock(&hook);
	hook_settle(&hook);
	assert_int_equal(hook.unstored.dead_count, 3);
	assert_int_equal(hook.cursor, HOOK_AHEAD);
	/* Three dead, two skipped, and numbers that were never in the journal. */
	assert_int_equal(hook.unstored.counts.dead, 3);
	assert_int_equal(hook.unstored.counts.skipped, 2);
	assert_int_equal(hook.unstored.counts.missed, HOOK_AHEAD - 5);
	assert_int_equal(hook.unstored.counts.delivered, 0);
}

static void test_moved_receiver(void **state)
{
	struct delivery *old;

	(void)state;
	add("a");
	old = expect(1, 1);
	hook.generation++;
	answer(old, 401, 2);
	assert_int_equal(hook.state, HOOK_ACTIVE);
	assert_int_equal(hook.failures, 0);
	old = expect(1, 2);
	hook.generation++;
	answer(old, 200, 3);
	assert_int_equal(hook.cursor, 1);
}

static void test_window_bound(void **state)
{
	struct store_event event = { .session = 9, .number = 1000, .event_id = "E", .kind = "message_received", .payload = span_text("{}") };

	(void)state;
	for (size_t i = 0; i < HOOK_WINDOW; i++)
		add("a");
	assert_false(hook_add(&hook, &event, false));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fresh, release)

static void assert_left(const char *text)
{
	struct buf left = { 0 };

	hook_replays_write(&hook, &left);
	buf_u8(&left, 0);
	assert_string_equal((const char *)left.data, text);
	buf_free(&left);
}

/* What is written down of replays: nothing that has arrived, everything that has not. */
static void test_replays_written(void **state)
{
	struct store_event event = { .session = 9, .number = 3, .event_id = "E", .kind = "call", .payload = span_text("{}"), .time_ms = 1000 };

	(void)state;
	assert_left("");
	hook_replays_read(&hook, "3-9,20-20");
	assert_left("3-9,20-20");
	for (int64_t n = 3; n <= 5; n++) {
		event.number = n;
		assert_true(hook_add(&hook, &event, true));
	}
	hook_replay_now(&hook)->next = 6;
	assert_left("3-9,20-20");
	hook.window[1]->state = DELIVERY_DONE;
	assert_left("3-3,5-9,20-20");
	hook_settle(&hook);
	assert_true(hook.replays_due);
	assert_left("3-3,5-9,20-20");
	hook_drop(&hook);
	assert_left("");
	/* What is no such list ends where it stops to be one. */
	hook_replays_read(&hook, "1-2,7,8-9");
	assert_left("1-2");
	hook_replays_free(&hook);
	hook_replays_read(&hook, "2-1");
	hook_replays_read(&hook, "-1");
	hook_replays_read(&hook, "x");
	hook_replays_read(&hook, "99999999999999999999-99999999999999999999,");
	hook_replays_read(&hook, NULL);
}

static struct store_event next_event(int64_t number, const char *kind)
{
	return (struct store_event){ .session = 9, .number = number, .event_id = "E", .kind = kind, .chat = "a", .payload = span_text("{}"), .time_ms = 1000 };
}

/* Out of memory only what is next and has room; everything else makes the journal be read. */
static void test_take_next(void **state)
{
	struct store_event one = next_event(1, "message_received"), two = next_event(2, "no_such_kind"), three = next_event(3, "call");

	(void)state;
	assert_false(hook_take_next(&hook, &two, &options));
	assert_true(hook_take_next(&hook, &one, &options));
	assert_int_equal(hook.count, 1);
	assert_true(hook_take_next(&hook, &two, &options));
	assert_int_equal(hook.count, 1);
	assert_int_equal(hook.tail, 2);
	hook.reading = true;
	assert_false(hook_take_next(&hook, &three, &options));
	hook.reading = false;
	hook.dirty = true;
	assert_false(hook_take_next(&hook, &three, &options));
	hook.dirty = false;
	/* One that is paused keeps no texts. */
	hook.state = HOOK_HELD;
	assert_true(hook_take_next(&hook, &three, &options));
	assert_int_equal(hook.window[1]->data.len, 0);
	hook.state = HOOK_OFF;
	three.number = 4;
	assert_false(hook_take_next(&hook, &three, &options));
	hook.state = HOOK_ACTIVE;
	for (int64_t n = 4; hook.count < HOOK_WINDOW; n++) {
		three.number = n;
		assert_true(hook_take_next(&hook, &three, &options));
	}
	three.number++;
	assert_false(hook_take_next(&hook, &three, &options));
	assert_int_equal(hook.tail, three.number - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_lanes_and_cursor), TEST(test_parallel_bound),     TEST(test_retries_then_pause_then_probe),
		TEST(test_forbidden),        TEST(test_poison),             TEST(test_poison_alone_in_its_chat),
		TEST(test_order_after_an_outage_with_refusals), TEST(test_clear_gone),
		TEST(test_retention_and_runaway), TEST(test_moved_receiver), TEST(test_window_bound),
		TEST(test_counts), TEST(test_scopes_and_concurrency), TEST(test_held_by_an_operator), TEST(test_replays_wait_in_line), TEST(test_target), TEST(test_take_next), TEST(test_replays_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
