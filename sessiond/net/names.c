/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Addresses of host names, remembered for a minute (see names.h). */
#include "sessiond/net/names.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/mem.h"

struct name {
	char *host; /* owned */
	int64_t kept_ms;
	struct name_addresses addresses;
};

struct names {
	struct name *list[NAMES_MAX]; /* owned */
	size_t n;
};

struct names *names_new(void)
{
	return xcalloc(1, sizeof(struct names));
}

static void name_free(struct name *name)
{
	free(name->host);
	free(name);
}

void names_free(struct names **names_pointer)
{
	struct names *names = *names_pointer;

	for (size_t i = 0; names && i < names->n; i++)
		name_free(names->list[i]);
	free(names);
	*names_pointer = NULL;
}

/* names->n: none. */
static size_t index_of(const struct names *names, const char *host)
{
	size_t i = 0;

	while (i < names->n && strcasecmp(names->list[i]->host, host) != 0)
		i++;
	return i;
}

bool names_find(const struct names *names, const char *host, int64_t now_ms, struct name_addresses *out)
{
	size_t i = index_of(names, host);

	if (i == names->n || now_ms - names->list[i]->kept_ms >= NAMES_KEEP_MS)
		return false;
	*out = names->list[i]->addresses;
	return true;
}

static void remove_at(struct names *names, size_t i)
{
	name_free(names->list[i]);
	names->list[i] = names->list[--names->n];
	names->list[names->n] = NULL;
}

void names_forget(struct names *names, const char *host)
{
	size_t i = index_of(names, host);

	if (i < names->n)
		remove_at(names, i);
}

static size_t oldest(const struct names *names)
{
	size_t found = 0;

	for (size_t i = 1; i < names->n; i++)
		if (names->list[i]->kept_ms < names->list[found]->kept_ms)
			found = i;
	return found;
}

void names_keep(struct names *names, const char *host, const struct name_addresses *addresses, int64_t now_ms)
{
	struct name *name;

	names_forget(names, host);
	if (addresses->n == 0)
		return;
	if (names->n == NAMES_MAX)
		remove_at(names, oldest(names));
	name = xcalloc(1, sizeof(*name));
	name->host = xstrdup(host);
	name->kept_ms = now_ms;
	name->addresses = *addresses;
	names->list[names->n++] = name;
}

bool names_literal(const char *host, struct name_addresses *out)
{
	struct sockaddr_in four = { .sin_family = AF_INET };
	struct sockaddr_in6 six = { .sin6_family = AF_INET6 };

	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, host, &four.sin_addr) == 1)
		memcpy(&out->list[0], &four, sizeof(four));
	else if (inet_pton(AF_INET6, host, &six.sin6_addr) == 1)
		memcpy(&out->list[0], &six, sizeof(six));
	else
		return false;
	out->n = 1;
	return true;
}

void names_of(const struct addrinfo *list, struct name_addresses *out)
{
	memset(out, 0, sizeof(*out));
	for (; list && out->n < NAME_ADDRESSES_MAX; list = list->ai_next) {
		if ((list->ai_family != AF_INET && list->ai_family != AF_INET6) || list->ai_addrlen > sizeof(out->list[0]))
			continue;
		memcpy(&out->list[out->n++], list->ai_addr, list->ai_addrlen);
	}
}
