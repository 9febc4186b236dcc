/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whether a URL leads where the outbound guard allows (see url_check.h). */
#include "sessiond/rpc/url_check.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/loop.h"
#include "sessiond/net/guard.h"

/* The host of a valid URL; the caller frees. */
static char *url_host(const char *url)
{
	const char *start = strstr(url, "://") + 3;
	size_t len = strcspn(start, "/?#");
	const char *at = memrchr(start, '@', len);

	if (at)
		start = at + 1;
	if (*start == '[')
		return xstrndup(start + 1, strcspn(start + 1, "]"));
	return xstrndup(start, strcspn(start, ":/?#"));
}

static void resolved(uv_getaddrinfo_t *lookup, int status, struct addrinfo *list)
{
	struct url_check *check = lookup->data;
	bool refused = false;

	for (const struct addrinfo *a = list; status == 0 && a; a = a->ai_next)
		refused = refused || !guard_allows(check->guard, check->host, a->ai_addr);
	uv_freeaddrinfo(list);
	free(check->host);
	check->host = NULL;
	check->done(check->arg, refused);
}

void url_check(struct url_check *check, const struct daemon *daemon, const char *url, void (*done)(void *arg, bool refused), void *arg)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };

	*check = (struct url_check){ .guard = daemon->guard, .host = url_host(url), .done = done, .arg = arg };
	check->lookup.data = check;
	if (uv_getaddrinfo(loop_uv(daemon->loop), &check->lookup, resolved, check->host, NULL, &hints) == 0)
		return;
	free(check->host);
	check->host = NULL;
	done(arg, false);
}
