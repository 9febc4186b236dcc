/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The pool of proxies to WhatsApp (config.md 6): failover takes the first that is not cooling, round_robin goes round, random
 * shuffles. A session that is sticky keeps its proxy unless that cools down. Only failures before the login count. Main loop only.
 */
#ifndef SESSIOND_SESSION_PROXY_H
#define SESSIOND_SESSION_PROXY_H

#include <stddef.h>
#include <stdint.h>

#include "common/config.h"

struct proxy {
	const char *url;        /* borrowed from the configuration */
	unsigned failures;      /* in a row */
	int64_t cool_until_ms;  /* monotonic; 0 = fit */
};

struct proxy_pool;

/* NULL when no proxies are configured. The configuration outlives the pool. */
struct proxy_pool *proxy_pool_new(const struct config *config);
void proxy_pool_free(struct proxy_pool *pool);
/* The proxy for the next connection of a session that used last (may be NULL) before. random: any number. */
struct proxy *proxy_acquire(struct proxy_pool *pool, struct proxy *last, uint32_t random, int64_t mono_ms);
void proxy_good(struct proxy *proxy);
void proxy_bad(struct proxy_pool *pool, struct proxy *proxy, int64_t mono_ms);

#endif
