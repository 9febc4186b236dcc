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
		hook.tail++;
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

static void test_parallel_bound(void **state)
{
	(void)state;
	add("abcdefghijkl");
	for (unsigned i = 0; i < HOOK_PARALLEL; i++)
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
	assert_int_equal(hook.dead_count, 1);
	assert_int_equal(hook.dead[0]->number, 1);
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
	assert_int_equal(hook.dead_count, 0);
	now = hook.pause_until_ms;
	answer(expect(1, now), 400, now);
	answer(expect(2, now), 200, now);
	/* Taken: so it is the event. It has one more chance, then it is a dead letter. */
	assert_int_equal(hook.state, HOOK_ACTIVE);
	assert_int_equal(hook.cursor, 0);
	answer(expect(1, now), 400, now);
	assert_int_equal(hook.dead_count, 1);
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
	assert_int_equal(hook.dead_count, 0);
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
	assert_int_equal(hook.dead_count, 0);
	begin(1);
	hook_expire(&hook, 1001 + options.retention_ms, options.retention_ms);
	hook_settle(&hook);
	/* What is on its way is not given up. */
	assert_int_equal(hook.dead_count, 2);
	assert_int_equal(hook.cursor, 0);
	assert_int_equal(hook.count, 1);
	answer(hook.window[0], 500, 2);
	hook.tail = HOOK_AHEAD - 1;
	hook_unblock(&hook);
	assert_int_equal(hook.dead_count, 2);
	hook.tail = HOOK_AHEAD;
	hook_unblock(&hook);
	hook_settle(&hook);
	assert_int_equal(hook.dead_count, 3);
	assert_int_equal(hook.cursor, HOOK_AHEAD);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_lanes_and_cursor), TEST(test_parallel_bound),     TEST(test_retries_then_pause_then_probe),
		TEST(test_forbidden),        TEST(test_poison),             TEST(test_poison_alone_in_its_chat),
		TEST(test_order_after_an_outage_with_refusals), TEST(test_clear_gone),
		TEST(test_retention_and_runaway), TEST(test_moved_receiver), TEST(test_window_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
