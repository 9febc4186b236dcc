/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Addresses of host names, remembered for a minute: requests to the same receivers need no resolver in between. What is remembered is what
 * the resolver said; whoever dials judges it again each time (guard.h) and pins what it judged.
 *
 * Private to the folder; belongs to one loop, like the net that owns it.
 */
#ifndef SESSIOND_NET_NAMES_H
#define SESSIOND_NET_NAMES_H

#include <netdb.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* More addresses than this of one name are not tried. */
#define NAME_ADDRESSES_MAX 8U
/* As long as libcurl remembers what it resolved itself. */
#define NAMES_KEEP_MS INT64_C(60000)
/* The oldest makes room. */
#define NAMES_MAX 256U

struct name_addresses {
	struct sockaddr_storage list[NAME_ADDRESSES_MAX]; /* AF_INET or AF_INET6 */
	size_t n;
};

struct names;

struct names *names_new(void);
/* NULLs the pointer. */
void names_free(struct names **names);
/* True if the name was resolved within the last minute. */
bool names_find(const struct names *names, const char *host, int64_t now_ms, struct name_addresses *out);
void names_keep(struct names *names, const char *host, const struct name_addresses *addresses, int64_t now_ms);
/* Nothing listens there any more: the next request asks the resolver. */
void names_forget(struct names *names, const char *host);

/* True if host is an address itself, in its usual form, an IPv6 one without brackets. */
bool names_literal(const char *host, struct name_addresses *out);
/* Addresses of other families are left out. */
void names_of(const struct addrinfo *list, struct name_addresses *out);

#endif
