/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Request line, client address and cookies, see request.h. */
#include "fcgi/request.h"

#include <string.h>
#include <strings.h>
#include <time.h>

#include "fcgi/query.h"
#include "fcgi/uri.h"

const char *request_var(const struct request *r, const char *name)
{
	const char *value = r->x->ops->var(r->x, name);

	return value && *value ? value : NULL;
}

static bool ends_with(struct span s, const char *end)
{
	size_t n = strlen(end);

	return s.n >= n && !memcmp(s.p + s.n - n, end, n);
}

/* Drops "http://host" of an absolute request target. */
static struct span drop_authority(struct span target)
{
	const uint8_t *slash;

	if (target.n < 8 || (strncasecmp((const char *)target.p, "http://", 7) && strncasecmp((const char *)target.p, "https://", 8)))
		return target;
	slash = memchr(target.p + 8, '/', target.n - 8);
	return slash ? span_of(slash, target.n - (size_t)(slash - target.p)) : span_text("/");
}

/*
 * REQUEST_URI is the only variable that keeps %2F apart from '/'. Where the program itself stands in the path (/cgi-bin/warest.fcgi/api/..),
 * that prefix is not part of the route.
 */
static void read_target(struct request *r)
{
	const char *uri = request_var(r, "REQUEST_URI"), *script = request_var(r, "SCRIPT_NAME");
	const char *info = request_var(r, "PATH_INFO"), *query = request_var(r, "QUERY_STRING");
	struct span target, text = span_text(query ? query : ""), prefix = span_text(script ? script : "");
	const uint8_t *mark;

	if (uri) {
		target = drop_authority(span_text(uri));
		mark = target.n ? memchr(target.p, '?', target.n) : NULL;
		if (mark) {
			text = span_of(mark + 1, target.n - (size_t)(mark + 1 - target.p));
			target.n = (size_t)(mark - target.p);
		}
	} else {
		target = span_text(arena_printf(r->arena, "%s%s", script ? script : "", info ? info : ""));
	}
	if ((ends_with(prefix, ".fcgi") || ends_with(prefix, ".cgi")) && target.n > prefix.n && target.p[prefix.n] == '/' &&
	    !memcmp(target.p, prefix.p, prefix.n))
		target = span_of(target.p + prefix.n, target.n - prefix.n);
	r->path = target;
	r->query = query_parse(r->arena, text);
}

/* The first element of a comma list. */
static const char *first_of(struct request *r, const char *list)
{
	size_t n = strcspn(list, ",");

	while (n && (list[n - 1] == ' ' || list[n - 1] == '\t'))
		n--;
	return arena_text(r->arena, list, n);
}

/* Some proxies append the client's port: "1.2.3.4:567", "[::1]:567". A port must not make another client out of it. */
static const char *without_port(struct request *r, const char *s, size_t n)
{
	const char *colon = memchr(s, ':', n), *end;

	if (n && *s == '[') {
		end = memchr(s, ']', n);
		return end ? arena_text(r->arena, s + 1, (size_t)(end - s) - 1) : arena_text(r->arena, s, n);
	}
	if (colon && !memchr(colon + 1, ':', n - (size_t)(colon + 1 - s)))
		n = (size_t)(colon - s);
	return arena_text(r->arena, s, n);
}

/*
 * The client is the last address of X-Forwarded-For that is no trusted proxy; whatever stands before it is only what that client
 * claimed.
 */
static const char *client_address(struct request *r, const char *peer)
{
	const char *list = request_var(r, "HTTP_X_FORWARDED_FOR");
	size_t end;

	if (!list || !settings_trusts(r->settings, peer))
		return peer;
	for (end = strlen(list); end > 0;) {
		size_t start = end, stop = end;
		const char *address;

		while (start > 0 && list[start - 1] != ',')
			start--;
		end = start ? start - 1 : 0;
		while (start < stop && list[start] == ' ')
			start++;
		while (stop > start && list[stop - 1] == ' ')
			stop--;
		address = without_port(r, list + start, stop - start);
		if (!*address)
			continue;
		peer = address;
		if (!settings_trusts(r->settings, address))
			break;
	}
	return peer;
}

static void read_origin_of_client(struct request *r)
{
	const char *peer = request_var(r, "REMOTE_ADDR"), *https = request_var(r, "HTTPS");
	const char *scheme = request_var(r, "REQUEST_SCHEME"), *host = request_var(r, "HTTP_HOST"), *forwarded;

	peer = peer ? peer : "";
	r->ip = client_address(r, peer);
	r->scheme = (https && strcasecmp(https, "off")) || (scheme && !strcasecmp(scheme, "https")) ? "https" : "http";
	r->host = host ? host : "";
	if (!settings_trusts(r->settings, peer))
		return;
	forwarded = request_var(r, "HTTP_X_FORWARDED_PROTO");
	if (forwarded)
		r->scheme = !strcasecmp(first_of(r, forwarded), "https") ? "https" : "http";
	forwarded = request_var(r, "HTTP_X_FORWARDED_HOST");
	if (forwarded)
		r->host = first_of(r, forwarded);
}

void request_init(struct request *r, struct exchange *x, const struct settings *settings, struct arena *arena, struct buf *body_bytes)
{
	struct timespec now;
	const char *method;

	clock_gettime(CLOCK_MONOTONIC, &now);
	*r = (struct request){ .x = x, .settings = settings, .arena = arena, .body_bytes = body_bytes };
	r->started_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
	method = request_var(r, "REQUEST_METHOD");
	r->method = method ? method : "GET";
	buf_clear(body_bytes);
	read_target(r);
	read_origin_of_client(r);
}

const char *request_cookie(struct request *r, const char *name)
{
	const char *at = request_var(r, "HTTP_COOKIE");
	size_t n = strlen(name);

	while (at && *at) {
		size_t end;

		at += strspn(at, " ;");
		end = strcspn(at, ";");
		if (end > n && !strncmp(at, name, n) && at[n] == '=') {
			struct span value = uri_decode(r->arena, span_of(at + n + 1, end - n - 1), false);

			return value.n ? arena_text(r->arena, value.p, value.n) : NULL;
		}
		at += end;
	}
	return NULL;
}
