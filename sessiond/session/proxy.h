/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The pool of proxies to WhatsApp (config.md 6): which one the next connection goes through. Arithmetic only; proxies.c asks and tells.
 *
 *     failover      the first of the list that is fit
 *     round_robin   the next one that is fit, from a cursor that all sessions share
 *     random        any that is fit
 *     sticky        beside each of them: a session stays with the proxy it has, as long as that is fit
 *
 *     fit --- failures in a row >= rotate_after ---> cooling, cooloff * min(failures, multiplier) ms ---> fit again, failures kept
 *      ^------------------------------------------- a connection that came to be ------------------------------------------'
 *
 * Only failures before the login count. When all are cooling the first of the order is taken anyway, or, only if the configuration says
 * so, none. Times are monotonic milliseconds.
 */
#ifndef SESSIOND_SESSION_PROXY_H
#define SESSIOND_SESSION_PROXY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/config.h"

struct proxy {
	char *url;              /* owned, with its credentials: wiped when freed */
	char *name;             /* owned: the same without password */
	unsigned failures;      /* in a row */
	int64_t cool_until_ms;  /* 0: fit */
	uint64_t connected, failed; /* in all */
	int64_t good_ms, bad_ms;    /* the last ones; 0: never */
	char error[160];        /* of the last failure; holds no credentials */
};

/* One that belongs to no pool: a session's own. "host:port" is an HTTP proxy. */
struct proxy *proxy_new(const char *url);
void proxy_free(struct proxy *proxy);
/* For people: user and password hidden. Returns buf. */
const char *proxy_masked(const struct proxy *proxy, char *buf, size_t cap);

struct proxy_pool;

/* NULL when no proxies are configured; an address that comes twice counts once. The configuration outlives the pool. */
struct proxy_pool *proxy_pool_new(const struct config *config);
void proxy_pool_free(struct proxy_pool *pool);
size_t proxy_pool_count(const struct proxy_pool *pool);
struct proxy *proxy_pool_at(const struct proxy_pool *pool, size_t index);
/* The one with that url, or, as passwords change, the first one that differs only there; NULL: none, or url is NULL. */
struct proxy *proxy_pool_find(const struct proxy_pool *pool, const char *url);

/* The proxy for the next connection of a session that used last (may be NULL) before. random: any number. NULL: directly. */
struct proxy *proxy_acquire(struct proxy_pool *pool, struct proxy *last, uint32_t random, int64_t now_ms);
void proxy_good(struct proxy *proxy, int64_t now_ms);
/* why: one line, may be NULL. */
void proxy_bad(const struct config *config, struct proxy *proxy, const char *why, int64_t now_ms);
bool proxy_cools(const struct proxy *proxy, int64_t now_ms);

#endif
