/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Looks the current client version up on the web client's page (see version.h). */
#include "sessiond/net/version.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/net/http.h"

#define DAY_MS (24 * INT64_C(3600000))
#define REJECTED_PAUSE_MS INT64_C(600000)
#define PAGE_MAX ((size_t)4 << 20)
#define TIMEOUT_MS 20000
#define AGENT "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"

struct version {
	struct net *net; /* borrowed */
	const struct version_handlers *handlers;
	void *arg;
	char *origin; /* owned */
	int64_t last_ms;
	struct http_call *call; /* owned while a page is being fetched */
	size_t page;
};

/* Where the revision stands, and what a browser sends along when it asks for that. */
static const struct {
	const char *path;
	const char *headers[6];
	size_t header_count;
} pages[] = {
	{ "/sw.js", { AGENT, "Sec-Fetch-Site: none" }, 2 },
	{ "/",
	  { AGENT, "Sec-Fetch-Dest: document", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Site: none", "Sec-Fetch-User: ?1",
	    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8" },
	  6 },
};

static bool is_filler(uint8_t c)
{
	return c == '\\' || c == '"' || c == ' ' || c == '\t' || c == ':';
}

uint32_t version_find(struct span page)
{
	static const char name[] = "client_revision";
	const size_t name_len = sizeof(name) - 1;
	const uint8_t *end = page.p + page.n;
	const uint8_t *at = page.p;

	while (at && at < end && (at = memmem(at, (size_t)(end - at), name, name_len)) != NULL) {
		uint64_t revision = 0;
		bool colon = false;

		at += name_len;
		for (; at < end && is_filler(*at); at++)
			colon |= *at == ':';
		while (colon && at < end && *at >= '0' && *at <= '9' && revision <= UINT32_MAX)
			revision = revision * 10 + (uint64_t)(*at++ - '0');
		if (revision > 0 && revision <= UINT32_MAX)
			return (uint32_t)revision;
	}
	return 0;
}

char *version_origin(const char *ws_url)
{
	const char *host = NULL, *scheme = NULL;
	size_t len;

	if (strncmp(ws_url, "wss://", 6) == 0) {
		scheme = "https";
		host = ws_url + 6;
	} else if (strncmp(ws_url, "ws://", 5) == 0) {
		scheme = "http";
		host = ws_url + 5;
	}
	len = host ? strcspn(host, "/?#") : 0;
	return len > 0 ? xasprintf("%s://%.*s", scheme, (int)len, host) : NULL;
}

static bool fetch(struct version *version);

static void on_page(void *arg, const struct http_answer *answer)
{
	struct version *version = arg;
	uint32_t revision = answer->error == HTTP_OK && answer->status == 200 ? version_find(answer->body) : 0;
	const char *text = answer->error != HTTP_OK ? answer->text : revision ? "" : "the page does not name a client revision";

	version->call = NULL;
	if (revision == 0 && ++version->page < sizeof(pages) / sizeof(pages[0]) && fetch(version))
		return;
	version->handlers->checked(version->arg, revision, version->last_ms, text);
}

static bool fetch(struct version *version)
{
	char *url = xasprintf("%s%s", version->origin, pages[version->page].path);
	struct http_request request = {
		.url = url,
		.headers = pages[version->page].headers,
		.header_count = pages[version->page].header_count,
		.timeout_ms = TIMEOUT_MS,
		.max_answer = PAGE_MAX,
		.follow = true,
		.proxy = version->handlers->proxy ? version->handlers->proxy(version->arg) : NULL,
	};
	int error = http_send(&version->call, version->net, &request, on_page, version);

	free(url);
	return error == 0;
}

bool version_refresh(struct version *version, int64_t now_ms, bool rejected)
{
	int64_t pause_ms = rejected ? REJECTED_PAUSE_MS : DAY_MS;

	if (version->call)
		return true;
	/* A clock that was set back must not forbid look-ups until it has caught up. */
	if (version->last_ms > 0 && now_ms >= version->last_ms && now_ms - version->last_ms < pause_ms)
		return false;
	version->last_ms = now_ms;
	version->page = 0;
	return fetch(version);
}

struct version *version_new(struct net *net, const char *origin, int64_t last_ms, const struct version_handlers *handlers, void *arg)
{
	struct version *version = xcalloc(1, sizeof(*version));

	version->net = net;
	version->handlers = handlers;
	version->arg = arg;
	version->origin = xstrdup(origin);
	version->last_ms = last_ms;
	return version;
}

void version_free(struct version **version_pointer)
{
	struct version *version = *version_pointer;

	if (!version)
		return;
	http_cancel(&version->call);
	free(version->origin);
	free(version);
	*version_pointer = NULL;
}
