/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, messages of one chat overtake each other, urgent ones wait behind campaigns, or quiet hours and pauses are wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/config.h"
#include "sessiond/session/sendpolicy.h"
#include "sessiond/session/sendqueue.h"

enum { NODES = 8 };

#define HOUR_MS INT64_C(3600000)

struct world {
	struct send_queue queue;
	struct queue_node nodes[NODES];
	int64_t held_number; /* this one and none else is held by the judge, 0: none; -1: all */
	int64_t until_ms;
	size_t held;
};

static enum send_hold judge(void *arg, struct queue_node *node, int64_t *until_ms)
{
	const struct world *w = arg;

	*until_ms = w->until_ms;
	return w->held_number == -1 || w->held_number == node->number ? HOLD_QUIET_HOURS : HOLD_NONE;
}

static void held(void *arg, struct queue_node *node)
{
	struct world *w = arg;

	assert_int_equal(node->hold, HOLD_QUIET_HOURS);
	w->held++;
}

static void add(struct world *w, size_t i, const char *chat, enum send_priority priority)
{
	w->nodes[i] = (struct queue_node){ .number = (int64_t)i, .priority = priority };
	assert_int_equal(jid_parse_text(&w->nodes[i].chat, chat), 0);
	send_queue_add(&w->queue, &w->nodes[i]);
}

/* The numbers that may leave, in order, as digits. */
static const char *leave(struct world *w)
{
	static char text[NODES + 1];
	const struct queue_judge judging = { judge, held, w };
	struct queue_node *node;
	size_t n = 0;

	while ((node = send_queue_next(&w->queue, &judging)) != NULL) {
		send_queue_remove(&w->queue, node);
		text[n++] = (char)('0' + node->number);
	}
	text[n] = '\0';
	return text;
}

#define ANN "1@s.whatsapp.net"
#define BOB "2@s.whatsapp.net"
#define CID "3@s.whatsapp.net"

static void by_priority_then_age(void **state)
{
	struct world w = { 0 };

	(void)state;
	add(&w, 1, ANN, SEND_LOW);
	add(&w, 2, BOB, SEND_NORMAL);
	add(&w, 3, CID, SEND_HIGH);
	assert_string_equal(leave(&w), "321");
	assert_int_equal(send_queue_count(&w.queue), 0);
	send_queue_free(&w.queue);
}

static void older_ones_of_the_chat_go_along(void **state)
{
	struct world w = { 0 };

	(void)state;
	add(&w, 1, ANN, SEND_LOW);
	add(&w, 2, BOB, SEND_NORMAL);
	add(&w, 3, ANN, SEND_NORMAL);
	add(&w, 4, ANN, SEND_HIGH);
	assert_int_equal(send_queue_ahead(&w.queue, &w.nodes[2], SIZE_MAX), 3);
	assert_string_equal(leave(&w), "1342");
	send_queue_free(&w.queue);
}

static void a_held_one_holds_its_chat(void **state)
{
	struct world w = { .held_number = 1, .until_ms = 500 };

	(void)state;
	add(&w, 1, ANN, SEND_NORMAL);
	add(&w, 2, ANN, SEND_HIGH);
	add(&w, 3, BOB, SEND_NORMAL);
	add(&w, 4, ANN, SEND_LOW);
	assert_string_equal(leave(&w), "3");
	assert_int_equal(w.held, 3);
	assert_int_equal(w.queue.release_ms, 500);
	/* Nothing has changed: they are not asked again by themselves. */
	assert_string_equal(leave(&w), "");
	w.held_number = 0;
	send_queue_release(&w.queue);
	assert_string_equal(leave(&w), "124");
	assert_int_equal(w.queue.release_ms, 0);
	send_queue_free(&w.queue);
}

static void a_held_one_is_taken_out(void **state)
{
	struct world w = { .held_number = 1 };

	(void)state;
	add(&w, 1, ANN, SEND_NORMAL);
	add(&w, 2, ANN, SEND_NORMAL);
	assert_string_equal(leave(&w), "");
	send_queue_remove(&w.queue, &w.nodes[1]);
	send_queue_release(&w.queue);
	assert_string_equal(leave(&w), "2");
	send_queue_free(&w.queue);
}

static void one_that_comes_back_is_first_again(void **state)
{
	struct world w = { .held_number = 1 };

	(void)state;
	add(&w, 2, ANN, SEND_NORMAL);
	add(&w, 3, BOB, SEND_NORMAL);
	add(&w, 1, ANN, SEND_NORMAL);
	assert_string_equal(leave(&w), "3");
	w.held_number = 0;
	send_queue_release(&w.queue);
	assert_string_equal(leave(&w), "12");
	send_queue_free(&w.queue);
}

/* ---- policy ---- */

static struct send_policy policy_of(const char *overrides)
{
	char zone[] = "WAREST_TIMEZONE=Asia/Jakarta";
	char *const environment[] = { zone, NULL };
	struct config_report report = { 0 };
	struct config *config = NULL;
	struct send_policy policy;
	struct json_object *object = json_tokener_parse(overrides);
	char error[96];

	assert_int_equal(config_load(&config, &(struct config_source){ .environment = environment }, &report), 0);
	send_policy_init(&policy, config);
	config_free(config);
	assert_true(send_policy_apply(&policy, object, error, sizeof error));
	send_policy_ready(&policy);
	json_object_put(object);
	return policy;
}

static int64_t at(const char *text)
{
	int64_t ms;

	assert_true(timefmt_parse(text, &ms));
	return ms;
}

static void quiet_hours_over_midnight(void **state)
{
	struct send_policy policy = policy_of("{\"quietHours\":\"22:00-07:00\"}");

	(void)state;
	/* Jakarta is seven hours ahead of UTC. */
	assert_int_equal(send_policy_quiet_until(&policy, at("2026-11-28T14:59:59Z")), 0);
	assert_int_equal(send_policy_quiet_until(&policy, at("2026-11-28T15:00:00Z")), at("2026-11-29T00:00:00Z"));
	assert_int_equal(send_policy_quiet_until(&policy, at("2026-11-28T23:59:59Z")), at("2026-11-29T00:00:00Z"));
	assert_int_equal(send_policy_quiet_until(&policy, at("2026-11-29T00:00:00Z")), 0);
	send_policy_free(&policy);
}

/* Berlin: 02:00 becomes 03:00 on 29 March 2026 and 03:00 becomes 02:00 on 25 October, both at 01:00 UTC. */
static void quiet_hours_when_clocks_change(void **state)
{
	static const struct {
		const char *hours, *now, *until; /* until NULL: not quiet */
	} cases[] = {
		{ "22:00-07:00", "2026-03-28T23:00:00Z", "2026-03-29T05:00:00Z" }, { "22:00-07:00", "2026-10-24T23:00:00Z", "2026-10-25T06:00:00Z" },
		{ "22:00-07:00", "2026-03-29T05:00:00Z", NULL },                   { "22:00-07:00", "2026-10-25T05:59:59Z", "2026-10-25T06:00:00Z" },
		/* They end in the hour that is left out. */
		{ "01:00-02:30", "2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z" }, { "01:00-02:30", "2026-03-29T01:00:00Z", NULL },
		/* They end in the hour that comes twice. */
		{ "01:00-02:30", "2026-10-25T00:10:00Z", "2026-10-25T00:30:00Z" }, { "01:00-02:30", "2026-10-25T00:30:00Z", NULL },
		{ "01:00-02:30", "2026-10-25T01:10:00Z", "2026-10-25T01:30:00Z" }, { "01:00-02:30", "2026-10-25T01:30:00Z", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct send_policy policy;
		char json[96], text[TIMEFMT_MAX];
		int64_t until;

		snprintf(json, sizeof json, "{\"quietHours\":\"%s\",\"timezone\":\"Europe/Berlin\"}", cases[i].hours);
		policy = policy_of(json);
		until = send_policy_quiet_until(&policy, at(cases[i].now));
		if (until != (cases[i].until ? at(cases[i].until) : 0))
			fail_msg("%s at %s: until %s", cases[i].hours, cases[i].now, timefmt_utc(until, text, sizeof text));
		send_policy_free(&policy);
	}
}

static void days_begin_at_local_midnight(void **state)
{
	struct send_policy policy = policy_of("{\"coldPerDay\":3,\"timezone\":\"America/New_York\"}");
	int64_t day = send_policy_day(&policy, at("2026-11-28T04:59:59Z"));

	(void)state;
	assert_int_equal(send_policy_day(&policy, at("2026-11-28T05:00:00Z")), day + 1);
	assert_int_equal(send_policy_next_day(&policy, at("2026-11-28T04:59:59Z")), at("2026-11-28T05:00:00Z"));
	/* The day on which the clocks go back has 25 hours. */
	assert_int_equal(send_policy_next_day(&policy, at("2026-11-01T04:00:00Z")) - at("2026-11-01T04:00:00Z"), 25 * HOUR_MS);
	send_policy_free(&policy);
}

static void pauses(void **state)
{
	struct send_policy policy = policy_of("{\"paceMs\":1000,\"paceJitter\":0.5,\"retryDelayMs\":100,\"backoffFactor\":3,\"retryJitter\":0.2}");

	(void)state;
	assert_int_equal(send_policy_gap_ms(&policy, 0.0), 1000);
	assert_int_equal(send_policy_gap_ms(&policy, 0.999999), 1499);
	assert_int_equal(send_policy_retry_ms(&policy, 1, 0.5), 100);
	assert_int_equal(send_policy_retry_ms(&policy, 3, 0.5), 900);
	assert_int_equal(send_policy_retry_ms(&policy, 1, 0.0), 80);
	assert_int_equal(send_policy_retry_ms(&policy, 500, 0.5), 24 * HOUR_MS);
	send_policy_free(&policy);
}

static void defaults_are_the_contract_s(void **state)
{
	struct send_policy policy = policy_of("{}");
	struct buf out = { 0 };

	(void)state;
	send_policy_put(&out, &policy);
	assert_string_equal(buf_text(&out),
		"{\"concurrency\":1,\"maxSize\":0,\"timeoutMs\":0,\"maxRetries\":0,\"retryDelayMs\":75,\"backoffFactor\":2,\"retryJitter\":0.2,"
		"\"paceMs\":0,\"paceJitter\":0.2,\"coldPerDay\":0,\"quietHours\":\"\",\"timezone\":\"Asia/Jakarta\",\"paused\":false}");
	buf_free(&out);
	send_policy_free(&policy);
}

static void wrong_settings_are_named(void **state)
{
	static const char *const wrong[] = { "{\"concurrency\":0}", "{\"concurrency\":1.5}", "{\"concurrency\":\"1\"}", "{\"quietHours\":\"22-7\"}",
		"{\"quietHours\":\"22:00-24:01\"}", "{\"timezone\":\"Nowhere/City\"}", "{\"paused\":1}", "{\"pace\":1}", "{\"paceMs\":-1}" };
	struct send_policy policy = policy_of("{}");
	char error[96];

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct json_object *object = json_tokener_parse(wrong[i]);

		assert_false(send_policy_apply(&policy, object, error, sizeof error));
		assert_non_null(strstr(error, "is unknown or out of range"));
		json_object_put(object);
	}
	send_policy_free(&policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_priority_then_age),
		cmocka_unit_test(older_ones_of_the_chat_go_along),
		cmocka_unit_test(a_held_one_holds_its_chat),
		cmocka_unit_test(a_held_one_is_taken_out),
		cmocka_unit_test(one_that_comes_back_is_first_again),
		cmocka_unit_test(quiet_hours_over_midnight), cmocka_unit_test(quiet_hours_when_clocks_change),
		cmocka_unit_test(days_begin_at_local_midnight),
		cmocka_unit_test(pauses),
		cmocka_unit_test(defaults_are_the_contract_s),
		cmocka_unit_test(wrong_settings_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
