/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which way the sessions connect: see proxies.h. The choice within the pool is proxy.c. */
#include "sessiond/session/proxies.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/config_check.h"
#include "common/mem.h"
#include "sessiond/async.h"
#include "sessiond/crypto/crypto.h"
#include "sessiond/daemon.h"
#include "sessiond/json_text.h"
#include "sessiond/net/ws_url.h"
#include "sessiond/session/private.h"

enum { MAX_TESTS = 16, MAX_URL = 2048, MASKED_MAX = 512 };

/* ---- the way of one session ---- */

static bool is_direct(const struct session_entry *entry)
{
	return entry->proxy_url && strcmp(entry->proxy_url, PROXY_DIRECT) == 0;
}

static void forget_text(char **text)
{
	if (*text)
		crypto_wipe(*text, strlen(*text));
	free(*text);
	*text = NULL;
}

void proxies_entry_init(struct session_entry *entry, const char *last)
{
	struct session_private *p = entry->priv;

	p->own_proxy = entry->proxy_url && entry->proxy_url[0] && !is_direct(entry) ? proxy_new(entry->proxy_url) : NULL;
	p->last_proxy = last ? xstrdup(last) : NULL;
}

void proxies_entry_free(struct session_entry *entry)
{
	proxy_free(entry->priv->own_proxy);
	forget_text(&entry->priv->last_proxy);
	forget_text(&entry->proxy_url);
}

char *proxies_for(struct sessions *sessions, struct session_entry *entry)
{
	struct session_private *p = entry->priv;
	struct proxy *last = p->proxy ? p->proxy : proxy_pool_find(sessions->proxies, p->last_proxy);
	uint32_t random = 0;

	if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
		random = 0;
	if (p->own_proxy)
		p->proxy = p->own_proxy;
	else if (is_direct(entry) || !sessions->proxies)
		p->proxy = NULL;
	else
		p->proxy = proxy_acquire(sessions->proxies, last, random, timefmt_monotonic_ms());
	return p->proxy ? xstrdup(p->proxy->url) : NULL;
}

/* Kept with the row, so that the account shows the same address after a restart. */
static void remember(struct sessions *sessions, struct session_entry *entry)
{
	struct session_private *p = entry->priv;
	struct store_tx *tx;

	if (p->proxy == p->own_proxy || !sessions->daemon->config->proxy_sticky || (p->last_proxy && strcmp(p->last_proxy, p->proxy->url) == 0))
		return;
	forget_text(&p->last_proxy);
	p->last_proxy = xstrdup(p->proxy->url);
	tx = store_tx_new(sessions->daemon->store);
	store_tx_session_last_proxy(tx, entry->number, entry->id, p->last_proxy);
	store_commit(sessions->daemon->store, tx, NULL, NULL);
}

static void tell_log(struct sessions *sessions, const struct session_entry *entry, const struct proxy *proxy, bool good)
{
	char name[MASKED_MAX];

	proxy_masked(proxy, name, sizeof name);
	if (good)
		log_info(&sessions->log, "proxy works again", LOG_STR("proxy", name));
	else
		log_warn(&sessions->log, "no connection through this proxy", LOG_STR("proxy", name), LOG_STR("session", entry->id),
			LOG_INT("failures", proxy->failures), LOG_STR("reason", proxy->error));
}

void proxies_told(struct sessions *sessions, struct session_entry *entry, enum dial_outcome outcome, const char *why)
{
	struct proxy *proxy = entry->priv->proxy;
	int64_t now_ms = timefmt_monotonic_ms();

	if (!proxy || outcome == DIAL_NONE)
		return;
	if (outcome == DIAL_BAD) {
		proxy_bad(sessions->daemon->config, proxy, why, now_ms);
		tell_log(sessions, entry, proxy, false);
		return;
	}
	if (proxy->failures)
		tell_log(sessions, entry, proxy, true);
	proxy_good(proxy, now_ms);
	remember(sessions, entry);
}

/* ---- setting it ---- */

const char *proxies_check(const char *proxy)
{
	struct proxy *made;
	bool tls;
	int error;

	if (proxy[0] == '\0' || strcmp(proxy, PROXY_DIRECT) == 0)
		return NULL;
	if (strlen(proxy) > MAX_URL)
		return "the address of a proxy has at most 2,048 characters";
	if (config_check(CHECK_PROXY, proxy))
		return "a proxy is http://, https://, socks5:// or socks5h://, with user:password@ if it wants them, or \"direct\"";
	made = proxy_new(proxy);
	error = ws_url_check_proxy(made->url, &tls);
	proxy_free(made);
	return error ? "the address of the proxy cannot be read" : NULL;
}

struct proxy_change {
	struct sessions *sessions;
	char *id, *proxy; /* owned */
	sessions_done *done;
	void *arg;
};

static bool runs(const struct session_entry *entry)
{
	enum session_status status = entry->view.status;

	return status == SESSION_STARTING || status == SESSION_CONNECTING || status == SESSION_OPEN || status == SESSION_RECONNECTING;
}

static void changed(void *arg, int error)
{
	struct proxy_change *c = arg;
	struct session_entry *entry = sessions_find(c->sessions, c->id);

	if (!error && entry) {
		entry->priv->proxy = NULL;
		proxy_free(entry->priv->own_proxy);
		forget_text(&entry->proxy_url);
		entry->proxy_url = c->proxy;
		c->proxy = NULL;
		entry->priv->own_proxy = entry->proxy_url && !is_direct(entry) ? proxy_new(entry->proxy_url) : NULL;
	}
	c->done(c->arg, error);
	if (!error && entry && runs(entry))
		sessions_reconnect(c->sessions, entry, NULL, NULL);
	free(c->id);
	forget_text(&c->proxy);
	free(c);
}

void proxies_set(struct sessions *sessions, struct session_entry *entry, const char *proxy, sessions_done *done, void *arg)
{
	struct store_tx *tx = store_tx_new(sessions->daemon->store);
	struct proxy_change *c = xcalloc(1, sizeof *c);

	*c = (struct proxy_change){ .sessions = sessions, .id = xstrdup(entry->id), .proxy = proxy[0] ? xstrdup(proxy) : NULL, .done = done, .arg = arg };
	store_tx_session_proxy(tx, entry->number, entry->id, c->proxy);
	async_commit(sessions->daemon->loop, sessions->daemon->store, tx, changed, c);
}

/* ---- telling ---- */

/* Wall clock of a monotonic time; null: never. */
static void put_time(struct buf *out, const char *name, int64_t mono_ms)
{
	if (mono_ms == 0)
		json_put_raw(out, name, "null");
	else
		json_put_time(out, name, timefmt_now_ms() - timefmt_monotonic_ms() + mono_ms);
}

static const char *state_of(const struct proxy *proxy)
{
	return proxy_cools(proxy, timefmt_monotonic_ms()) ? "cooling" : proxy->failures ? "failing" : proxy->connected ? "ok" : "unused";
}

static void put_proxy(struct buf *out, const struct proxy *proxy)
{
	char name[MASKED_MAX];

	json_put_member(out, "proxy", proxy_masked(proxy, name, sizeof name));
	json_put_member(out, "state", state_of(proxy));
	json_put_int(out, "failures", proxy->failures);
	json_put_int(out, "connected", (int64_t)proxy->connected);
	json_put_int(out, "failed", (int64_t)proxy->failed);
	put_time(out, "coolingUntil", proxy_cools(proxy, timefmt_monotonic_ms()) ? proxy->cool_until_ms : 0);
	put_time(out, "lastConnectedAt", proxy->good_ms);
	put_time(out, "lastFailedAt", proxy->bad_ms);
	json_put_member(out, "lastError", proxy->error[0] ? proxy->error : NULL);
}

static void put_users(const struct sessions *sessions, const struct proxy *proxy, struct buf *out)
{
	json_put_name(out, "sessions");
	buf_u8(out, '[');
	for (const struct session_entry *e = sessions->first; e; e = e->priv->next) {
		if (e->priv->proxy != proxy || e->priv->removing || !runs(e))
			continue;
		if (out->data[out->len - 1] != '[')
			buf_u8(out, ',');
		json_put_string(out, e->id);
	}
	buf_u8(out, ']');
}

void proxies_put_session(struct sessions *sessions, const struct session_entry *entry, struct buf *out)
{
	const struct session_private *p = entry->priv;

	buf_u8(out, '{');
	json_put_member(out, "sessionId", entry->id);
	json_put_member(out, "status", session_status_name(entry->view.status));
	json_put_member(out, "source", p->own_proxy ? "session" : is_direct(entry) || !sessions->proxies ? "direct" : "pool");
	json_put_name(out, "current");
	if (p->proxy) {
		buf_u8(out, '{');
		put_proxy(out, p->proxy);
		buf_u8(out, '}');
	} else {
		buf_append_text(out, "null");
	}
	buf_u8(out, '}');
}

static void put_settings(const struct config *config, struct buf *out)
{
	static const char *const strategies[] = { [CONFIG_PROXY_FAILOVER] = "failover", [CONFIG_PROXY_ROUND_ROBIN] = "round_robin", [CONFIG_PROXY_RANDOM] = "random" };

	json_put_member(out, "strategy", strategies[config->proxy_strategy]);
	json_put_bool(out, "sticky", config->proxy_sticky);
	json_put_int(out, "rotateAfterFailures", config->proxy_rotate_after);
	json_put_int(out, "failureCooloffMs", config->proxy_cooloff_ms);
	json_put_name(out, "failureBackoffMultiplier");
	buf_printf(out, "%g", config->proxy_backoff_multiplier);
	json_put_bool(out, "fallbackDirect", config->proxy_fallback_direct);
}

void proxies_put_json(struct sessions *sessions, struct buf *out)
{
	buf_u8(out, '{');
	put_settings(sessions->daemon->config, out);
	json_put_name(out, "proxies");
	buf_u8(out, '[');
	for (size_t i = 0; i < proxy_pool_count(sessions->proxies); i++) {
		const struct proxy *proxy = proxy_pool_at(sessions->proxies, i);

		buf_append_text(out, i ? ",{" : "{");
		json_put_int(out, "index", (int64_t)i);
		put_proxy(out, proxy);
		put_users(sessions, proxy, out);
		buf_u8(out, '}');
	}
	buf_u8(out, ']');
	json_put_name(out, "overrides");
	buf_u8(out, '[');
	for (const struct session_entry *e = sessions->first; e; e = e->priv->next) {
		if (!e->proxy_url || e->priv->removing)
			continue;
		if (out->data[out->len - 1] != '[')
			buf_u8(out, ',');
		proxies_put_session(sessions, e, out);
	}
	buf_append_text(out, "]}");
}

const char *proxies_url(const struct sessions *sessions, int64_t index)
{
	const struct proxy *proxy = index >= 0 ? proxy_pool_at(sessions->proxies, (size_t)index) : NULL;

	return proxy ? proxy->url : NULL;
}

const char *proxies_any(const struct sessions *sessions)
{
	int64_t now_ms = timefmt_monotonic_ms();
	const struct proxy *any = proxy_pool_at(sessions->proxies, 0);

	for (size_t i = 0; i < proxy_pool_count(sessions->proxies) && proxy_cools(any, now_ms); i++)
		any = proxy_pool_at(sessions->proxies, i);
	return any ? any->url : NULL;
}

const char *proxies_fetch(const struct sessions *sessions, const struct session_entry *entry)
{
	const struct session_private *p = entry->priv;
	const struct proxy *had;

	if (p->own_proxy)
		return p->own_proxy->url;
	if (is_direct(entry) || !sessions->proxies)
		return NULL;
	if (p->proxy)
		return p->proxy->url;
	if (runs(entry) && sessions->daemon->config->proxy_fallback_direct)
		return NULL;
	had = proxy_pool_find(sessions->proxies, p->last_proxy);
	return had ? had->url : proxies_any(sessions);
}

/* ---- trying one ---- */

struct proxy_test {
	struct sessions *sessions;
	struct proxy_test *next;
	struct ws *ws;        /* owned */
	char *url;            /* owned */
	int64_t started_ms;
	proxy_test_done *done; /* NULL: told, or nobody waits */
	void *arg;
};

static void test_free(struct proxy_test *test)
{
	struct proxy_test **at = &test->sessions->proxy_tests;

	while (*at != test)
		at = &(*at)->next;
	*at = test->next;
	ws_free(&test->ws);
	forget_text(&test->url);
	free(test);
}

static void tell(struct proxy_test *test, struct proxy_test_result result)
{
	proxy_test_done *done = test->done;

	result.latency_ms = timefmt_monotonic_ms() - test->started_ms;
	test->done = NULL;
	if (done)
		done(test->arg, &result);
}

static void test_opened(void *arg)
{
	struct proxy_test *test = arg;
	struct proxy *proxy = proxy_pool_find(test->sessions->proxies, test->url);

	if (proxy && strcmp(proxy->url, test->url) == 0)
		proxy_good(proxy, timefmt_monotonic_ms());
	tell(test, (struct proxy_test_result){ .ok = true });
	ws_close(test->ws, 1000);
}

static void test_data(void *arg, const uint8_t *bytes, size_t len)
{
	(void)arg;
	(void)bytes;
	(void)len;
}

static void test_closed(void *arg, const struct ws_end *end)
{
	struct proxy_test *test = arg;

	tell(test, (struct proxy_test_result){ .reason = ws_reason_name(end->reason), .http_status = end->http_status, .error = end->text });
	test_free(test);
}

static const struct ws_handlers test_handlers = { test_opened, test_data, test_closed };

static bool room_for_test(struct sessions *sessions)
{
	size_t n = 0;

	for (const struct proxy_test *t = sessions->proxy_tests; t; t = t->next)
		n++;
	if (n >= MAX_TESTS)
		return false;
	if (!sessions->proxy_net) {
		const struct net_options options = session_net_options(sessions->daemon->config);

		return net_new(&sessions->proxy_net, loop_uv(sessions->daemon->loop), &options) == 0;
	}
	return true;
}

int proxies_test(struct sessions *sessions, const char *url, proxy_test_done *done, void *arg, struct proxy_test **out)
{
	struct proxy_test *test;
	struct ws_options options = { .url = sessions->daemon->config->wa_url, .origin = "https://web.whatsapp.com" };
	int error;

	if (!room_for_test(sessions))
		return -EBUSY;
	test = xcalloc(1, sizeof *test);
	*test = (struct proxy_test){ .sessions = sessions, .next = sessions->proxy_tests, .done = done, .arg = arg, .started_ms = timefmt_monotonic_ms() };
	test->url = url[0] == '\0' || strstr(url, "://") ? xstrdup(url) : xasprintf("http://%s", url);
	sessions->proxy_tests = test;
	options.proxy = test->url[0] ? test->url : NULL;
	error = ws_open(&test->ws, sessions->proxy_net, &options, &test_handlers, test);
	if (error)
		test_free(test);
	else
		*out = test;
	return error;
}

void proxies_test_forget(struct proxy_test *test)
{
	test->done = NULL;
}

void proxies_init(struct sessions *sessions)
{
	sessions->proxies = proxy_pool_new(sessions->daemon->config);
}

void proxies_free(struct sessions *sessions)
{
	struct proxy_test *next;

	for (struct proxy_test *test = sessions->proxy_tests; test; test = next) {
		next = test->next;
		test_free(test);
	}
	if (sessions->proxy_net)
		net_free(&sessions->proxy_net);
	proxy_pool_free(sessions->proxies);
}
