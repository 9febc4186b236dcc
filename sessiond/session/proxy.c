/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Choice of proxies, see proxy.h. */
#include "sessiond/session/proxy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/mem.h"
#include "sessiond/crypto/crypto.h"

struct proxy_pool {
	const struct config *config; /* borrowed */
	struct proxy **proxies;      /* owned, count of them, in the order of the configuration */
	size_t count;
	size_t cursor;               /* round_robin: where the next search begins */
};

/* ---- one of them ---- */

/* "scheme://user:password@host" without ":password". */
static char *name_of(const char *url)
{
	const char *host = strstr(url, "://") + 3;
	size_t authority = strcspn(host, "/?#");
	const char *colon = memchr(host, ':', authority);
	const char *at = NULL;

	for (size_t i = authority; i-- > 0 && !at;)
		if (host[i] == '@')
			at = host + i;
	if (!at || !colon || colon > at)
		return xstrdup(url);
	return xasprintf("%.*s%s", (int)(colon - url), url, at);
}

struct proxy *proxy_new(const char *url)
{
	struct proxy *proxy = xcalloc(1, sizeof *proxy);

	proxy->url = strstr(url, "://") ? xstrdup(url) : xasprintf("http://%s", url);
	proxy->name = name_of(proxy->url);
	return proxy;
}

void proxy_free(struct proxy *proxy)
{
	if (!proxy)
		return;
	crypto_wipe(proxy->url, strlen(proxy->url));
	free(proxy->url);
	free(proxy->name);
	free(proxy);
}

const char *proxy_masked(const struct proxy *proxy, char *buf, size_t cap)
{
	return log_redact_url(proxy->url, buf, cap);
}

bool proxy_cools(const struct proxy *proxy, int64_t now_ms)
{
	return proxy->cool_until_ms > now_ms;
}

void proxy_good(struct proxy *proxy, int64_t now_ms)
{
	proxy->connected++;
	proxy->good_ms = now_ms;
	proxy->failures = 0;
	proxy->cool_until_ms = 0;
}

void proxy_bad(const struct config *config, struct proxy *proxy, const char *why, int64_t now_ms)
{
	double times;

	proxy->failed++;
	proxy->failures++;
	proxy->bad_ms = now_ms;
	snprintf(proxy->error, sizeof proxy->error, "%s", why ? why : "");
	if (proxy->failures < (unsigned)config->proxy_rotate_after)
		return;
	times = (double)proxy->failures < config->proxy_backoff_multiplier ? (double)proxy->failures : config->proxy_backoff_multiplier;
	proxy->cool_until_ms = now_ms + (int64_t)((double)config->proxy_cooloff_ms * times);
}

/* ---- all of them ---- */

static struct proxy *with_url(const struct proxy_pool *pool, const char *url)
{
	for (size_t i = 0; i < pool->count; i++)
		if (strcmp(pool->proxies[i]->url, url) == 0)
			return pool->proxies[i];
	return NULL;
}

struct proxy_pool *proxy_pool_new(const struct config *config)
{
	struct proxy_pool *pool;

	if (config->proxy_urls.count == 0)
		return NULL;
	pool = xcalloc(1, sizeof *pool);
	pool->config = config;
	pool->proxies = xcalloc(config->proxy_urls.count, sizeof(struct proxy *));
	for (size_t i = 0; i < config->proxy_urls.count; i++) {
		struct proxy *made = proxy_new(config->proxy_urls.items[i]);

		if (with_url(pool, made->url))
			proxy_free(made);
		else
			pool->proxies[pool->count++] = made;
	}
	return pool;
}

void proxy_pool_free(struct proxy_pool *pool)
{
	if (!pool)
		return;
	for (size_t i = 0; i < pool->count; i++)
		proxy_free(pool->proxies[i]);
	free(pool->proxies);
	free(pool);
}

size_t proxy_pool_count(const struct proxy_pool *pool)
{
	return pool ? pool->count : 0;
}

struct proxy *proxy_pool_at(const struct proxy_pool *pool, size_t index)
{
	return pool && index < pool->count ? pool->proxies[index] : NULL;
}

struct proxy *proxy_pool_find(const struct proxy_pool *pool, const char *url)
{
	struct proxy *found = pool && url ? with_url(pool, url) : NULL;
	char *name = pool && url && !found && strstr(url, "://") ? name_of(url) : NULL;

	for (size_t i = 0; name && !found && i < pool->count; i++)
		if (strcmp(pool->proxies[i]->name, name) == 0)
			found = pool->proxies[i];
	free(name);
	return found;
}

/* What a session that has just given up this proxy is not to get again at once, even if failures cost no time. */
static bool given_up(const struct proxy_pool *pool, const struct proxy *proxy)
{
	return proxy->failures >= (unsigned)pool->config->proxy_rotate_after;
}

/* The first one from start on that is fit; pool->count: none is. */
static size_t next_fit(const struct proxy_pool *pool, size_t start, const struct proxy *avoid, int64_t now_ms)
{
	for (size_t i = 0; i < pool->count; i++) {
		size_t at = (start + i) % pool->count;

		if (pool->proxies[at] != avoid && !proxy_cools(pool->proxies[at], now_ms))
			return at;
	}
	return pool->count;
}

/* Each of those that are fit as likely as the others. */
static size_t any_fit(const struct proxy_pool *pool, uint32_t random, const struct proxy *avoid, int64_t now_ms)
{
	size_t fit = 0, at = pool->count;

	for (size_t i = 0; i < pool->count; i++)
		fit += pool->proxies[i] != avoid && !proxy_cools(pool->proxies[i], now_ms);
	for (size_t skip = fit ? random % fit : 0, i = 0; fit && i < pool->count && at == pool->count; i++)
		if (pool->proxies[i] != avoid && !proxy_cools(pool->proxies[i], now_ms) && skip-- == 0)
			at = i;
	return at;
}

static size_t choose(const struct proxy_pool *pool, size_t start, uint32_t random, const struct proxy *avoid, int64_t now_ms)
{
	return pool->config->proxy_strategy == CONFIG_PROXY_RANDOM ? any_fit(pool, random, avoid, now_ms) : next_fit(pool, start, avoid, now_ms);
}

struct proxy *proxy_acquire(struct proxy_pool *pool, struct proxy *last, uint32_t random, int64_t now_ms)
{
	int strategy = pool->config->proxy_strategy;
	bool leave = last && given_up(pool, last);
	size_t start = strategy == CONFIG_PROXY_ROUND_ROBIN ? pool->cursor : strategy == CONFIG_PROXY_RANDOM ? random % pool->count : 0;
	size_t chosen;

	if (last && pool->config->proxy_sticky && !leave && !proxy_cools(last, now_ms))
		return last;
	chosen = choose(pool, start, random, leave ? last : NULL, now_ms);
	if (chosen == pool->count)
		chosen = choose(pool, start, random, NULL, now_ms);
	if (chosen == pool->count && pool->config->proxy_fallback_direct)
		return NULL;
	if (chosen == pool->count)
		chosen = start;
	if (strategy == CONFIG_PROXY_ROUND_ROBIN)
		pool->cursor = chosen + 1 < pool->count ? chosen + 1 : 0;
	return pool->proxies[chosen];
}
