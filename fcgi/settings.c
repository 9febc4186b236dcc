/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Settings of the responder, see settings.h. */
#include "fcgi/settings.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "common/config.h"
#include "common/limits.h"
#include "common/mem.h"
#include "common/timefmt.h"

/* "scheme://host[:port]/path" -> "scheme://host[:port]"; owned. */
static char *origin_of(const char *url)
{
	const char *host = strstr(url, "://");

	return host ? xstrndup(url, (size_t)(host + 3 - url) + strcspn(host + 3, "/?#")) : xstrdup(url);
}

/* Path of an address or path, without '/' at the end, beginning with one; owned. */
static char *path_of(const char *url, const char *fallback)
{
	const char *host = strstr(url, "://");
	const char *path = host ? host + 3 + strcspn(host + 3, "/?#") : url;
	size_t n = strcspn(path, "?#");

	while (n && path[n - 1] == '/')
		n--;
	return n ? xasprintf("%s%.*s", path[0] == '/' ? "" : "/", (int)n, path) : xstrdup(fallback);
}

/* Takes the text over. */
static void add_origin(struct settings *s, size_t *n, char *origin)
{
	for (size_t i = 0; i < *n; i++) {
		if (!strcmp(s->origins[i], origin)) {
			free(origin);
			return;
		}
	}
	s->origins = xrealloc(s->origins, (*n + 2) * sizeof *s->origins);
	s->origins[(*n)++] = origin;
	s->origins[*n] = NULL;
}

static bool is_wildcard(const char *host)
{
	return !*host || !strcmp(host, "0.0.0.0") || !strcmp(host, "::") || !strcmp(host, "[::]") || !strcmp(host, "*");
}

static void read_origins(struct settings *s, const struct config *c)
{
	size_t n = 0;

	s->origins = xcalloc(1, sizeof *s->origins);
	for (size_t i = 0; i < c->allowed_origins.count; i++) {
		if (!strcmp(c->allowed_origins.items[i], "*"))
			s->all_origins = true;
		else
			add_origin(s, &n, origin_of(c->allowed_origins.items[i]));
	}
	if (c->allowed_origins.count)
		return;
	if (*c->base_url)
		add_origin(s, &n, origin_of(c->base_url));
	add_origin(s, &n, xasprintf("http://localhost:%u", s->port));
	add_origin(s, &n, xasprintf("http://127.0.0.1:%u", s->port));
	if (is_wildcard(c->host))
		return;
	add_origin(s, &n, xasprintf("http://%s:%u", c->host, s->port));
	add_origin(s, &n, xasprintf("https://%s:%u", c->host, s->port));
}

/* Address as 16 bytes; -1 if the text is none. */
static int parse_address(const char *text, uint8_t out[16], unsigned *bits)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	memcpy(out, mapped, sizeof mapped);
	if (inet_pton(AF_INET, text, out + 12) == 1) {
		*bits = 32;
		return 0;
	}
	*bits = 128;
	return inet_pton(AF_INET6, text, out) == 1 ? 0 : -1;
}

static int add_range(struct address_list *list, const char *text)
{
	struct address_range range;
	unsigned width;
	char *address = xstrdup(text), *slash = strchr(address, '/'), *end = NULL;
	unsigned long bits = 0;
	int rc = -1;

	if (slash) {
		*slash = 0;
		bits = strtoul(slash + 1, &end, 10);
	}
	if (parse_address(address, range.bytes, &width) || (slash && (*end || end == slash + 1 || bits > width)))
		goto out;
	range.bits = 128 - width + (slash ? (unsigned)bits : width);
	list->ranges = xrealloc(list->ranges, (list->count + 1) * sizeof *list->ranges);
	list->ranges[list->count++] = range;
	rc = 0;
out:
	free(address);
	return rc;
}

static int add_named(struct address_list *list, const char *text)
{
	static const struct {
		const char *word;
		const char *ranges[5];
	} words[] = {
		{ "loopback", { "127.0.0.0/8", "::1/128" } },
		{ "private", { "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7" } },
		{ "linklocal", { "169.254.0.0/16", "fe80::/10" } },
	};

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		if (strcmp(words[i].word, text))
			continue;
		for (const char *const *range = words[i].ranges; *range; range++)
			(void)add_range(list, *range);
		return 0;
	}
	return add_range(list, text);
}

/* 0, or -1 with *error. */
static int read_networks(struct address_list *list, const struct config_list *from, const char *setting, char **error)
{
	for (size_t i = 0; i < from->count; i++) {
		if (!add_named(list, from->items[i]))
			continue;
		*error = xasprintf("%s: \"%s\" is no address, network, loopback, private or linklocal", setting, from->items[i]);
		return -1;
	}
	return 0;
}

static size_t megabytes(int64_t mb, size_t most)
{
	return (uint64_t)mb > most >> 20 ? most : (size_t)mb << 20;
}

int settings_init(struct settings *s, const struct config *c, char **error)
{
	*s = (struct settings){
		.socket = c->socket,
		.spool_dir = c->spool_dir,
		.sendfile_dir = c->sendfile_dir,
		.locale = c->tz_locale,
		.country_code = c->country_code,
		.port = (unsigned)c->port,
		.production = !strcmp(c->environment, "production"),
		.query_key = c->compat_query_api_key,
		.upload_limit = (uint64_t)c->file_raw_limit_mb << 20,
		.media_limit = (uint64_t)c->media_per_file_mb << 20,
		.file_limit = (uint64_t)c->file_per_file_mb << 20,
		.json_limit = megabytes(c->msg_json_limit_mb, LIMIT_HTTP_TEXT_JSON_BYTES),
		.threads = (unsigned)c->fcgi_threads,
		.stream_life_ms = c->events_life_sec * 1000,
		.stream_beat_ms = c->events_heartbeat_sec * 1000,
		.timeout_ms = c->fcgi_timeout_ms,
	};
	s->zone = timefmt_zone_load(c->timezone);
	if (!s->zone) {
		*error = xasprintf("WAREST_TIMEZONE: there is no time zone \"%s\"", c->timezone);
		return -1;
	}
	read_origins(s, c);
	s->storage_path = path_of(c->storage_public_url, "/storages");
	s->signed_path = path_of(c->storage_url[0] ? c->storage_url : c->storage_signed_path, "/storage/private");
	if (read_networks(&s->proxies, &c->trusted_proxies, "WAREST_TRUSTED_PROXIES", error) ||
	    read_networks(&s->metrics, &c->metrics_allow, "WAREST_METRICS_ALLOW", error)) {
		settings_free(s);
		return -1;
	}
	return 0;
}

void settings_free(struct settings *s)
{
	for (char **o = s->origins; o && *o; o++)
		free(*o);
	free(s->origins);
	free(s->storage_path);
	free(s->signed_path);
	free(s->proxies.ranges);
	free(s->metrics.ranges);
	timefmt_zone_free(s->zone);
	*s = (struct settings){ 0 };
}

static bool in_range(const uint8_t address[16], const struct address_range *range)
{
	unsigned bytes = range->bits / 8, rest = range->bits % 8;

	return !memcmp(address, range->bytes, bytes) && (!rest || !((address[bytes] ^ range->bytes[bytes]) & (uint8_t)(0xff00U >> rest)));
}

static bool is_listed(const struct address_list *list, const char *text)
{
	uint8_t address[16];
	unsigned width;

	if (parse_address(text, address, &width))
		return false;
	for (size_t i = 0; i < list->count; i++)
		if (in_range(address, &list->ranges[i]))
			return true;
	return false;
}

bool settings_trusts(const struct settings *s, const char *text)
{
	return is_listed(&s->proxies, text);
}

bool settings_metrics_allowed(const struct settings *s, const char *text)
{
	return is_listed(&s->metrics, text);
}
