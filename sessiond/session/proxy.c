/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Choice of proxies. */
#include "sessiond/session/proxy.h"

#include <stdlib.h>

#include "common/mem.h"

struct proxy_pool {
	const struct config *config; /* borrowed */
	struct proxy *proxies;       /* owned */
	size_t count;
	size_t cursor;               /* round_robin: where the next search begins */
	int strategy;                /* enum config_proxy_strategy */
};

struct proxy_pool *proxy_pool_new(const struct config *config)
{
	struct proxy_pool *pool;

	if (config->proxy_urls.count == 0)
		return NULL;
	pool = xcalloc(1, sizeof *pool);
	pool->config = config;
	pool->count = config->proxy_urls.count;
	pool->proxies = xcalloc(pool->count, sizeof *pool->proxies);
	for (size_t i = 0; i < pool->count; i++)
		pool->proxies[i].url = config->proxy_urls.items[i];
	pool->strategy = config_is_set(config, "WAREST_PROXY_STRATEGY") ? config->proxy_strategy : pool->count > 1 ? CONFIG_PROXY_ROUND_ROBIN : CONFIG_PROXY_FAILOVER;
	return pool;
}

void proxy_pool_free(struct proxy_pool *pool)
{
	if (!pool)
		return;
	free(pool->proxies);
	free(pool);
}

struct proxy *proxy_acquire(struct proxy_pool *pool, struct proxy *last, uint32_t random, int64_t mono_ms)
{
	size_t start = pool->strategy == CONFIG_PROXY_ROUND_ROBIN ? pool->cursor : pool->strategy == CONFIG_PROXY_RANDOM ? random % pool->count : 0;
	size_t chosen = start;

	if (last && pool->config->proxy_sticky && last->cool_until_ms <= mono_ms)
		return last;
	for (size_t i = 0; i < pool->count; i++) {
		size_t at = (start + i) % pool->count;

		if (pool->proxies[at].cool_until_ms <= mono_ms) {
			chosen = at;
			break;
		}
	}
	if (pool->strategy == CONFIG_PROXY_ROUND_ROBIN)
		pool->cursor = chosen + 1 < pool->count ? chosen + 1 : 0;
	return &pool->proxies[chosen];
}

void proxy_good(struct proxy *proxy)
{
	proxy->failures = 0;
	proxy->cool_until_ms = 0;
}

void proxy_bad(struct proxy_pool *pool, struct proxy *proxy, int64_t mono_ms)
{
	int64_t threshold = pool->config->proxy_rotate_after > 0 ? pool->config->proxy_rotate_after : pool->count > 1 ? 2 : 1;
	double times;

	proxy->failures++;
	if (proxy->failures < threshold)
		return;
	times = (double)proxy->failures < pool->config->proxy_backoff_multiplier ? (double)proxy->failures : pool->config->proxy_backoff_multiplier;
	proxy->cool_until_ms = mono_ms + (int64_t)((double)pool->config->proxy_cooloff_ms * times);
}
