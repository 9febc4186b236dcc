/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The way of each session to WhatsApp, for its WebSocket and its media alike: a proxy of its own, or one of the pool (proxy.h), or, when
 * there is neither, or the row says "direct", none. With a proxy of its own a session never falls back on anything. What is fetched for a
 * session from addresses that its user names (files, link previews) takes the same way; webhooks are no business of WhatsApp and do not.
 * Main loop only.
 */
#ifndef SESSIOND_SESSION_PROXIES_H
#define SESSIOND_SESSION_PROXIES_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "sessiond/session/session.h"

/* In place of an address: no proxy, whatever the pool has. */
#define PROXY_DIRECT "direct"

/* NULL if it can be set: "" or PROXY_DIRECT, or the address of a proxy; else why not. Static text. */
const char *proxies_check(const char *proxy);
/* Settings of the pool, its proxies with their health, and those of sessions; users and passwords hidden. One object. */
void proxies_put_json(struct sessions *sessions, struct buf *out);
/* The same about one session. */
void proxies_put_session(struct sessions *sessions, const struct session_entry *entry, struct buf *out);
/* Stores it ("": whatever the pool says), then connects again if the session runs. done(arg, store error) before that. */
void proxies_set(struct sessions *sessions, struct session_entry *entry, const char *proxy, sessions_done *done, void *arg);
/* The address of proxy number index of the pool; NULL: there are not so many. Borrowed. */
const char *proxies_url(const struct sessions *sessions, int64_t index);
/*
 * The way of what a session fetches: the proxy of its connection, or, while it has none, the one that it had or one that is fit. NULL:
 * directly, which is how it connects. Failures are not counted: they may well be the host's. Borrowed.
 */
const char *proxies_fetch(const struct sessions *sessions, const struct session_entry *entry);
/* For what no session asks: one that is fit, NULL: directly. Borrowed. */
const char *proxies_any(const struct sessions *sessions);

struct proxy_test_result {
	bool ok;            /* WhatsApp's WebSocket was opened through it */
	int64_t latency_ms; /* of that, or until the failure */
	const char *reason; /* "proxy", "timeout", ... of ws.h; NULL with ok */
	int http_status;    /* the proxy's or the server's refusal; 0: none */
	const char *error;  /* one line; NULL with ok */
};
typedef void proxy_test_done(void *arg, const struct proxy_test_result *result);
struct proxy_test;
/*
 * Connects to WhatsApp through url ("": directly) without logging in. 0, or -EINVAL for a bad address, -EBUSY: too many are under way.
 * A proxy of the pool that passes need not cool any longer.
 */
int proxies_test(struct sessions *sessions, const char *url, proxy_test_done *done, void *arg, struct proxy_test **out);
/* Nobody waits for it any more. */
void proxies_test_forget(struct proxy_test *test);

#endif
