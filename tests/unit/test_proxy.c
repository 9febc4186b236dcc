/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, accounts change their address for no reason, or stay with a proxy that is dead, or show the server's own address. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sessiond/session/proxy.h"

enum { COOLOFF = 15000, ROTATE = 2 };

static char *urls[] = { (char[]){ "http://u:one@a:1" }, (char[]){ "b:1" }, (char[]){ "socks5h://c:1" }, (char[]){ "http://b:1" } };
static struct config config;

/* Three proxies a, b, c: the fourth address is b once more. */
static struct proxy_pool *pool_of(int strategy, bool sticky)
{
	config = (struct config){ .proxy_urls = { urls, 4 }, .proxy_strategy = strategy, .proxy_sticky = sticky, .proxy_rotate_after = ROTATE,
		.proxy_cooloff_ms = COOLOFF, .proxy_backoff_multiplier = 3 };
	return proxy_pool_new(&config);
}

static size_t place(const struct proxy_pool *pool, const struct proxy *proxy)
{
	size_t i = 0;

	while (i < proxy_pool_count(pool) && proxy_pool_at(pool, i) != proxy)
		i++;
	return i;
}

static void fail_until_cool(struct proxy *proxy, int64_t now_ms)
{
	for (int i = 0; i < ROTATE; i++)
		proxy_bad(&config, proxy, "refused", now_ms);
}

static void addresses_are_known_apart(void **state)
{
	struct proxy_pool *pool = pool_of(CONFIG_PROXY_FAILOVER, true);
	char masked[64];

	(void)state;
	assert_int_equal(proxy_pool_count(pool), 3);
	assert_null(proxy_pool_at(pool, 3));
	assert_string_equal(proxy_pool_at(pool, 1)->url, "http://b:1");
	assert_string_equal(proxy_masked(proxy_pool_at(pool, 0), masked, sizeof masked), "http://u***:***@a:1");
	assert_string_equal(proxy_pool_at(pool, 0)->name, "http://u@a:1");
	/* A new password, the same proxy. */
	assert_int_equal(place(pool, proxy_pool_find(pool, "http://u:two@a:1")), 0);
	assert_int_equal(place(pool, proxy_pool_find(pool, "socks5h://c:1")), 2);
	assert_null(proxy_pool_find(pool, "http://v:one@a:1"));
	assert_null(proxy_pool_find(pool, "http://[::1]:1"));
	assert_null(proxy_pool_find(pool, NULL));
	assert_null(proxy_pool_find(NULL, "http://b:1"));
	proxy_pool_free(pool);
	config.proxy_urls.count = 0;
	assert_null(proxy_pool_new(&config));
}

static void failover_takes_the_first_that_is_fit(void **state)
{
	struct proxy_pool *pool = pool_of(CONFIG_PROXY_FAILOVER, false);
	struct proxy *a = proxy_pool_at(pool, 0), *b = proxy_pool_at(pool, 1);

	(void)state;
	assert_ptr_equal(proxy_acquire(pool, NULL, 7, 1000), a);
	proxy_bad(&config, a, "refused", 1000);
	assert_false(proxy_cools(a, 1000));
	assert_ptr_equal(proxy_acquire(pool, a, 7, 1000), a);
	proxy_bad(&config, a, "refused", 1000);
	assert_string_equal(a->error, "refused");
	assert_ptr_equal(proxy_acquire(pool, a, 7, 1001), b);
	/* Back as soon as it is fit again: the session is not sticky. */
	assert_ptr_equal(proxy_acquire(pool, b, 7, 1000 + 2 * COOLOFF - 1), b);
	assert_ptr_equal(proxy_acquire(pool, b, 7, 1000 + 2 * COOLOFF), a);
	proxy_pool_free(pool);
}

static void a_pause_grows_up_to_the_multiplier(void **state)
{
	struct proxy_pool *pool = pool_of(CONFIG_PROXY_FAILOVER, false);
	struct proxy *a = proxy_pool_at(pool, 0);
	const int64_t times[] = { 0, 2, 3, 3, 3 };

	(void)state;
	for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
		proxy_bad(&config, a, NULL, 1000);
		assert_int_equal(a->cool_until_ms, times[i] ? 1000 + times[i] * COOLOFF : 0);
	}
	proxy_good(a, 2000);
	assert_int_equal(a->failures, 0);
	assert_false(proxy_cools(a, 2000));
	assert_int_equal(a->failed, 5);
	assert_int_equal(a->connected, 1);
	proxy_pool_free(pool);
}

static void round_robin_goes_round_past_the_unfit(void **state)
{
	struct proxy_pool *pool = pool_of(CONFIG_PROXY_ROUND_ROBIN, false);
	const size_t before[] = { 0, 1, 2, 0 }, after[] = { 2, 0, 2, 0 };

	(void)state;
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(place(pool, proxy_acquire(pool, NULL, 7, 1)), before[i]);
	fail_until_cool(proxy_pool_at(pool, 1), 1);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(place(pool, proxy_acquire(pool, NULL, 7, 2)), after[i]);
	proxy_pool_free(pool);
}

static void random_spreads_evenly_over_the_fit(void **state)
{
	struct proxy_pool *pool = pool_of(CONFIG_PROXY_RANDOM, false);
	unsigned seen[4] = { 0 };

	(void)state;
	for (uint32_t i = 0; i < 300; i++)
		seen[place(pool, proxy_acquire(pool, NULL, i, 1))]++;
	assert_true(seen[0] == 100 && seen[1] == 100 && seen[2] == 100);
	fail_until_cool(proxy_pool_at(pool, 1), 1);
	memset(seen, 0, sizeof seen);
	for (uint32_t i = 0; i < 300; i++)
		seen[place(pool, proxy_acquire(pool, NULL, i, 2))]++;
	assert_true(seen[0] == 150 && seen[1] == 0 && seen[2] == 150);
	proxy_pool_free(pool);
}

static void sticky_sessions_move_once_and_stay(void **state)
{
	struct proxy_pool *pool = pool_of(CONFIG_PROXY_ROUND_ROBIN, true);
	struct proxy *mine = proxy_acquire(pool, NULL, 7, 1), *next;

	(void)state;
	for (int64_t at = 2; at < 10; at++)
		assert_ptr_equal(proxy_acquire(pool, mine, 7, at), mine);
	proxy_bad(&config, mine, NULL, 10);
	assert_ptr_equal(proxy_acquire(pool, mine, 7, 11), mine);
	proxy_bad(&config, mine, NULL, 12);
	next = proxy_acquire(pool, mine, 7, 13);
	assert_ptr_not_equal(next, mine);
	proxy_good(next, 14);
	/* The old one is fit again; that is no reason to show another address. */
	assert_ptr_equal(proxy_acquire(pool, next, 7, 12 + 10 * COOLOFF), next);
	proxy_pool_free(pool);
}

static void failures_that_cost_no_time_count_all_the_same(void **state)
{
	struct proxy_pool *pool = pool_of(CONFIG_PROXY_FAILOVER, true);
	struct proxy *a = proxy_pool_at(pool, 0), *b = proxy_pool_at(pool, 1);

	(void)state;
	config.proxy_cooloff_ms = 0;
	proxy_bad(&config, a, NULL, 5);
	assert_ptr_equal(proxy_acquire(pool, a, 7, 5), a);
	proxy_bad(&config, a, NULL, 5);
	assert_ptr_equal(proxy_acquire(pool, a, 7, 5), b);
	proxy_pool_free(pool);
}

static void nothing_goes_directly_unless_told_so(void **state)
{
	struct proxy_pool *pool = pool_of(CONFIG_PROXY_FAILOVER, true);

	(void)state;
	for (size_t i = 0; i < 3; i++)
		fail_until_cool(proxy_pool_at(pool, i), 1);
	assert_ptr_equal(proxy_acquire(pool, proxy_pool_at(pool, 2), 7, 2), proxy_pool_at(pool, 0));
	config.proxy_fallback_direct = true;
	assert_null(proxy_acquire(pool, proxy_pool_at(pool, 2), 7, 2));
	assert_ptr_equal(proxy_acquire(pool, NULL, 7, 1 + 3 * COOLOFF), proxy_pool_at(pool, 0));
	proxy_pool_free(pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_known_apart), cmocka_unit_test(failover_takes_the_first_that_is_fit),
		cmocka_unit_test(a_pause_grows_up_to_the_multiplier), cmocka_unit_test(round_robin_goes_round_past_the_unfit),
		cmocka_unit_test(random_spreads_evenly_over_the_fit), cmocka_unit_test(sticky_sessions_move_once_and_stay),
		cmocka_unit_test(failures_that_cost_no_time_count_all_the_same), cmocka_unit_test(nothing_goes_directly_unless_told_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
