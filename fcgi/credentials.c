/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where an API key may stand (contract rest-a 1.2 and 3). Whether it is good, only the daemon knows. */
#include <string.h>
#include <strings.h>

#include "fcgi/request.h"

#define COOKIE "WAREST_DOCS_SESSION"

/* Without blanks around it; NULL when nothing is left. */
static const char *trimmed(struct request *r, const char *s)
{
	size_t n;

	if (!s)
		return NULL;
	s += strspn(s, " \t");
	n = strlen(s);
	while (n && (s[n - 1] == ' ' || s[n - 1] == '\t'))
		n--;
	return n ? arena_text(r->arena, s, n) : NULL;
}

static const char *from_query(struct request *r, const char *name)
{
	const struct json *v = json_get(r->query, name);

	if (!r->settings->query_key || !v || v->type != JSON_STRING)
		return NULL;
	return trimmed(r, arena_text(r->arena, v->text.p, v->text.n));
}

static const char *from_authorization(struct request *r)
{
	static const char *const prefixes[] = { "Bearer ", "Token ", "APIKey " };
	const char *value = request_var(r, "HTTP_AUTHORIZATION");

	for (size_t i = 0; value && i < COUNT(prefixes); i++)
		if (!strncmp(value, prefixes[i], strlen(prefixes[i])))
			return trimmed(r, value + strlen(prefixes[i]));
	return NULL;
}

const char *credentials_bearer(struct request *r)
{
	const char *value = request_var(r, "HTTP_AUTHORIZATION");

	return value && !strncasecmp(value, "Bearer ", 7) ? trimmed(r, value + 7) : NULL;
}

static const char *key_of_api(struct request *r)
{
	static const char *const headers[] = { "HTTP_X_WAREST_API_KEY", "HTTP_X_API_KEY", "HTTP_API_KEY" };
	static const char *const queries[] = { "api_key", "apikey", "apiKey" };
	const char *key = NULL;

	for (size_t i = 0; !key && i < COUNT(headers); i++)
		key = trimmed(r, request_var(r, headers[i]));
	for (size_t i = 0; !key && i < COUNT(queries); i++)
		key = from_query(r, queries[i]);
	return key ? key : from_authorization(r);
}

void credentials_read(struct request *r, enum auth auth)
{
	if (auth != AUTH_DOCS) {
		r->key = key_of_api(r);
		return;
	}
	r->key = trimmed(r, request_var(r, "HTTP_X_WAREST_API_KEY"));
	if (!r->key)
		r->key = credentials_bearer(r);
	if (!r->key) {
		r->key = trimmed(r, request_cookie(r, COOKIE));
		r->key_from_cookie = r->key != NULL;
	}
}
