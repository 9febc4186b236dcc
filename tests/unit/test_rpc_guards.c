/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, clients are locked out wrongly, let through over their limit, or password guessers are not slowed down. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "sessiond/bytemap.h"
#include "sessiond/rpc/guards.h"
#include "sessiond/rpc/lockout.h"

static const struct guard_limits usual = { 60000, 3, 3000, 60000, 2 };

static void rate_counts_in_fixed_windows(void **state)
{
	struct guards *g = guards_new(&usual);
	struct guard_window w;

	(void)state;
	for (int i = 0; i < 3; i++) {
		w = guards_rate(g, "a", 1, 1000 + i, 5000000);
		assert_true(w.counted && !w.refused);
		assert_int_equal(w.remaining, 2 - i);
		assert_int_equal(w.limit, 3);
	}
	w = guards_rate(g, "a", 1, 60999, 5059999);
	assert_true(w.refused);
	assert_int_equal(w.remaining, 0);
	assert_int_equal(w.reset_epoch_s, 5060);
	/* another key has its own window; a new window starts with the first request behind the old one */
	assert_false(guards_rate(g, "b", 1, 60999, 0).refused);
	w = guards_rate(g, "a", 1, 61000, 6000000);
	assert_false(w.refused);
	assert_int_equal(w.reset_epoch_s, 6060);
	guards_free(g);
}

static void refused_requests_count_too(void **state)
{
	struct guards *g = guards_new(&usual);

	(void)state;
	for (int i = 0; i < 10; i++)
		guards_quota(g, "a", 1, 100, 0);
	assert_true(guards_quota(g, "a", 1, 60099, 0).refused);
	assert_false(guards_quota(g, "a", 1, 60100, 0).refused);
	guards_free(g);
}

static void zero_switches_off(void **state)
{
	const struct guard_limits off = { 60000, 0, 0, 60000, 0 };
	struct guards *g = guards_new(&off);

	(void)state;
	for (int i = 0; i < 1000; i++) {
		assert_false(guards_rate(g, "a", 1, 1, 1).counted);
		assert_false(guards_quota(g, "a", 1, 1, 1).refused);
		assert_int_equal(guards_cooldown(g, "a", 1, "x", 1, 1), 0);
	}
	guards_free(g);
}

static void cooldown_is_by_raw_text_and_not_prolonged(void **state)
{
	struct guards *g = guards_new(&usual);

	(void)state;
	assert_int_equal(guards_cooldown(g, "a", 1, "0812", 4, 1000), 0);
	assert_int_equal(guards_cooldown(g, "a", 1, "0812", 4, 1001), 3);
	assert_int_equal(guards_cooldown(g, "a", 1, "62812", 5, 1001), 0);
	assert_int_equal(guards_cooldown(g, "b", 1, "0812", 4, 1001), 0);
	assert_int_equal(guards_cooldown(g, "a", 1, "0812", 4, 3500), 1);
	assert_int_equal(guards_cooldown(g, "a", 1, "0812", 4, 4000), 0);
	guards_sweep(g, 100000);
	assert_int_equal(guards_cooldown(g, "a", 1, "0812", 4, 100000), 0);
	guards_free(g);
}

static void long_recipient_lists_are_told_apart(void **state)
{
	struct guards *g = guards_new(&usual);
	char text[9000];

	(void)state;
	memset(text, '1', sizeof text);
	assert_int_equal(guards_cooldown(g, "a", 1, text, 8000, 1000), 0);
	assert_int_equal(guards_cooldown(g, "a", 1, text, 8001, 1000), 0);
	assert_int_equal(guards_cooldown(g, "a", 1, text, 8000, 1000), 3);
	guards_free(g);
}

static void fail_times(struct lockout *l, int times, int64_t now_ms)
{
	for (int i = 0; i < times; i++)
		assert_int_equal(lockout_failed(l, "1.2.3.4", "Admin", now_ms), 0);
}

static void every_fifth_failure_locks_longer(void **state)
{
	struct lockout *l = lockout_new();
	const int64_t steps_s[] = { 120, 300, 600, 600 };
	int64_t now_ms = 1000;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		fail_times(l, 4, now_ms);
		assert_int_equal(lockout_failed(l, "1.2.3.4", "admin", now_ms), steps_s[i]);
		assert_int_equal(lockout_wait_s(l, "1.2.3.4", "ADMIN", now_ms + 1), steps_s[i]);
		assert_int_equal(lockout_wait_s(l, "1.2.3.5", "admin", now_ms), 0);
		now_ms += steps_s[i] * 1000;
		assert_int_equal(lockout_wait_s(l, "1.2.3.4", "admin", now_ms), 0);
	}
	lockout_free(l);
}

static void success_and_time_forget(void **state)
{
	struct lockout *l = lockout_new();

	(void)state;
	fail_times(l, 4, 0);
	lockout_succeeded(l, "1.2.3.4", "admin");
	fail_times(l, 4, 0);
	fail_times(l, 4, 600001);
	lockout_sweep(l, 2000000);
	fail_times(l, 4, 2000000);
	lockout_free(l);
}

static bool drop_odd(const void *key, size_t key_len, void *value, void *arg)
{
	(void)key;
	(void)key_len;
	(void)arg;
	return *(int *)value % 2 != 0;
}

static void tables_hold_what_was_put_and_no_more(void **state)
{
	struct bytemap *map = bytemap_new(sizeof(int), 1000);
	char key[16];
	int *kept[1000];

	(void)state;
	for (int i = 0; i < 1000; i++) {
		int n = snprintf(key, sizeof key, "key %d", i);

		kept[i] = bytemap_put(map, key, (size_t)n);
		*kept[i] = i;
	}
	assert_null(bytemap_put(map, "one more", 8));
	for (int i = 0; i < 1000; i++) {
		int n = snprintf(key, sizeof key, "key %d", i);

		assert_ptr_equal(bytemap_get(map, key, (size_t)n), kept[i]);
		assert_int_equal(*kept[i], i);
	}
	assert_int_equal(bytemap_each(map, drop_odd, NULL), 500);
	assert_int_equal(bytemap_count(map), 500);
	assert_false(bytemap_remove(map, "key 1", 5));
	assert_true(bytemap_remove(map, "key 2", 5));
	assert_null(bytemap_get(map, "key 2", 5));
	assert_non_null(bytemap_put(map, "", 0));
	assert_non_null(bytemap_get(map, "", 0));
	bytemap_free(map);
}

/* ---- over a restart ---- */

struct kept {
	char kind;
	unsigned char key[64];
	size_t key_len;
	int64_t values[GUARD_VALUES];
	int puts, deletes;
};

static void keep(void *arg, char kind, const void *key, size_t key_len, const int64_t values[GUARD_VALUES])
{
	struct kept *k = arg;

	k->kind = kind;
	memcpy(k->key, key, key_len);
	k->key_len = key_len;
	if (values != NULL)
		memcpy(k->values, values, sizeof k->values);
	k->puts += values != NULL;
	k->deletes += values == NULL;
}

static void a_quota_goes_on_after_a_restart(void **state)
{
	struct guards *g = guards_new(&usual);
	struct kept k = { 0 };

	(void)state;
	guards_quota(g, "a", 1, 1000, 9000000);
	guards_save(g, 2000, 9001000, keep, &k);
	assert_int_equal(k.puts, 1);
	assert_int_equal(k.kind, 'q');
	guards_save(g, 3000, 9002000, keep, &k);
	assert_int_equal(k.puts, 1);
	/* another process with another monotonic clock, 10 s later; one request came before what was kept was read */
	guards_free(g);
	g = guards_new(&usual);
	guards_quota(g, "a", 1, 50, 9010000);
	assert_true(guards_restore(g, k.kind, k.key, k.key_len, k.values, 60, 9010010));
	assert_true(guards_quota(g, "a", 1, 70, 9010020).refused);
	assert_int_equal(guards_quota(g, "a", 1, 80, 9010030).reset_epoch_s, 9060);
	/* when it is over it is forgotten by the store first */
	guards_sweep(g, 70000);
	guards_save(g, 70000, 9080000, keep, &k);
	assert_int_equal(k.deletes, 1);
	assert_false(guards_restore(g, 'q', "b", 1, k.values, 70000, 9080000));
	guards_free(g);
}

static void a_lockout_goes_on_after_a_restart(void **state)
{
	struct lockout *l = lockout_new();
	struct kept k = { 0 };

	(void)state;
	for (int i = 0; i < 5; i++)
		lockout_failed(l, "10.0.0.1", "Ann", 1000);
	lockout_save(l, 1000, 9000000, keep, &k);
	assert_int_equal(k.puts, 1);
	lockout_free(l);
	l = lockout_new();
	assert_true(lockout_restore(l, k.kind, k.key, k.key_len, k.values, 10, 9030000));
	assert_int_equal(lockout_wait_s(l, "10.0.0.1", "ann", 10), 90);
	/* the clock was set back meanwhile: no longer than a lock lasts */
	assert_true(lockout_restore(l, k.kind, k.key, k.key_len, k.values, 10, 1000000));
	assert_in_range(lockout_wait_s(l, "10.0.0.1", "ann", 10), 1, 600);
	lockout_succeeded(l, "10.0.0.1", "ann");
	assert_int_equal(lockout_wait_s(l, "10.0.0.1", "ann", 20), 0);
	lockout_save(l, 20, 9030010, keep, &k);
	assert_int_equal(k.deletes, 1);
	lockout_free(l);
}

/* The guards of a request cost little (issue: under 20 us); generous, for sanitizers. */
static void they_are_quick(void **state)
{
	static const struct guard_limits wide = { 60000, 1000000, 3000, 60000, 1000000 };
	struct guards *g = guards_new(&wide);
	struct timespec begin, end;
	char to[32];
	double us;
	enum { REQUESTS = 20000 };

	(void)state;
	clock_gettime(CLOCK_MONOTONIC, &begin);
	for (int64_t i = 0; i < REQUESTS; i++) {
		int64_t key = i % 1000;
		int n = snprintf(to, sizeof to, "62812%lld", (long long)i);

		guards_rate(g, &key, sizeof key, i, i);
		guards_cooldown(g, &key, sizeof key, to, (size_t)n, i);
		guards_quota(g, &key, sizeof key, i, i);
	}
	clock_gettime(CLOCK_MONOTONIC, &end);
	us = ((double)(end.tv_sec - begin.tv_sec) * 1e6 + (double)(end.tv_nsec - begin.tv_nsec) / 1e3) / REQUESTS;
	print_message("guards: %.2f us a request\n", us);
	assert_true(us < 200.0);
	guards_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rate_counts_in_fixed_windows), cmocka_unit_test(refused_requests_count_too), cmocka_unit_test(zero_switches_off),
		cmocka_unit_test(cooldown_is_by_raw_text_and_not_prolonged), cmocka_unit_test(long_recipient_lists_are_told_apart),
		cmocka_unit_test(every_fifth_failure_locks_longer), cmocka_unit_test(success_and_time_forget),
		cmocka_unit_test(tables_hold_what_was_put_and_no_more),
		cmocka_unit_test(a_quota_goes_on_after_a_restart),
		cmocka_unit_test(a_lockout_goes_on_after_a_restart),
		cmocka_unit_test(they_are_quick),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
