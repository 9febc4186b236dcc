/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The outbound guard: which addresses may be dialled on behalf of users (webhooks, preflight, media by URL).
 *
 * Without permission only public unicast addresses. An IPv6 address that carries an IPv4 address (mapped, compatible, 6to4, NAT64,
 * Teredo) is judged by that one: it is where the packet ends up. WAREST_OUTBOUND_ALLOW adds classes, networks and host names
 * (a name is allowed whatever it resolves to):
 *
 *     private, loopback, linklocal, 10.1.0.0/16, fd00:1::/32, n8n.internal
 *
 * A struct guard is never changed after guard_new(): any thread may ask.
 */
#ifndef SESSIOND_NET_GUARD_H
#define SESSIOND_NET_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

struct guard;

enum guard_class {
	GUARD_PUBLIC,
	GUARD_PRIVATE,   /* RFC 1918, ULA (RFC 4193) */
	GUARD_LOOPBACK,  /* 127.0.0.0/8, ::1 */
	GUARD_LINKLOCAL, /* 169.254.0.0/16, fe80::/10, and the cloud metadata networks outside of them */
	GUARD_SPECIAL    /* everything else that is no public unicast address: multicast, unspecified, shared, documentation ... */
};

/* The entries of the list; none = public only. 0, or -EINVAL with one line about the bad entry in why. */
int guard_new(struct guard **out, char *const *allow, size_t count, char *why, size_t why_len);
void guard_free(struct guard **guard);
/* The class of an AF_INET or AF_INET6 address by itself; other families are GUARD_SPECIAL. */
enum guard_class guard_classify(const struct sockaddr *address);
/* host: the name in the URL that resolved to the address, or NULL. */
bool guard_allows(const struct guard *guard, const char *host, const struct sockaddr *address);
/*
 * For names that somebody else resolves (a proxy): false for those that can only mean a private place, i.e. names without a dot, the zones
 * of RFC 6761, 6762 (with its appendix G), 8375 and "internal", and what a lax resolver takes for an address ("127.1", "0x7f.1"). A literal
 * address is for guard_allows().
 */
bool guard_allows_name(const struct guard *guard, const char *host);
/* "public", "private", ... */
const char *guard_class_name(enum guard_class what);

#endif
