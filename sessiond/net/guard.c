/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The outbound guard (see guard.h). */
#include "sessiond/net/guard.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/mem.h"

/* Every address is judged as 16 bytes; IPv4 as ::ffff:a.b.c.d. */
struct network {
	uint8_t address[16];
	unsigned bits;
};

struct guard {
	bool classes[GUARD_SPECIAL + 1];
	struct network *networks; /* owned */
	size_t network_count;
	char **hosts; /* owned */
	size_t host_count;
};

static const char *const class_names[] = {
	[GUARD_PUBLIC] = "public",       [GUARD_PRIVATE] = "private", [GUARD_LOOPBACK] = "loopback",
	[GUARD_LINKLOCAL] = "linklocal", [GUARD_SPECIAL] = "special",
};

struct range {
	const char *network;
	unsigned bits;
	enum guard_class what;
};

/* IANA IPv4 Special-Purpose Address Registry (RFC 6890 and what it was updated by). First match counts. */
static const struct range ranges4[] = {
	{ "127.0.0.0", 8, GUARD_LOOPBACK },
	{ "10.0.0.0", 8, GUARD_PRIVATE },
	{ "172.16.0.0", 12, GUARD_PRIVATE },
	{ "192.168.0.0", 16, GUARD_PRIVATE },
	{ "169.254.0.0", 16, GUARD_LINKLOCAL },
	{ "0.0.0.0", 8, GUARD_SPECIAL },
	{ "100.64.0.0", 10, GUARD_SPECIAL },
	{ "192.0.0.0", 24, GUARD_SPECIAL },
	{ "192.0.2.0", 24, GUARD_SPECIAL },
	{ "192.88.99.0", 24, GUARD_SPECIAL },
	{ "198.18.0.0", 15, GUARD_SPECIAL },
	{ "198.51.100.0", 24, GUARD_SPECIAL },
	{ "203.0.113.0", 24, GUARD_SPECIAL },
	{ "224.0.0.0", 4, GUARD_SPECIAL },
	{ "240.0.0.0", 4, GUARD_SPECIAL },
};

/* IANA IPv6 Special-Purpose Address Registry. What is not in 2000::/3 is no public unicast address. */
static const struct range ranges6[] = {
	{ "::1", 128, GUARD_LOOPBACK },
	{ "fd00:ec2::", 32, GUARD_LINKLOCAL }, /* the metadata service of a large cloud, inside the ULA range */
	{ "fc00::", 7, GUARD_PRIVATE },
	{ "fe80::", 10, GUARD_LINKLOCAL },
	{ "2001::", 23, GUARD_SPECIAL },
	{ "2001:db8::", 32, GUARD_SPECIAL },
	{ "3fff::", 20, GUARD_SPECIAL },
	{ "2000::", 3, GUARD_PUBLIC },
	{ "::", 0, GUARD_SPECIAL },
};

/* Where an IPv6 address carries an IPv4 address: behind the prefix of bits, at byte `at`. */
static const struct {
	const char *network;
	unsigned bits, at;
	uint8_t flip; /* Teredo stores the client's address inverted */
} carriers[] = {
	{ "::ffff:0:0", 96, 12, 0 },    /* mapped, RFC 4291 2.5.5.2 */
	{ "::ffff:0:0:0", 96, 12, 0 },  /* translated, RFC 2765 */
	{ "64:ff9b::", 96, 12, 0 },     /* NAT64, RFC 6052 */
	{ "2002::", 16, 2, 0 },         /* 6to4, RFC 3056 */
	{ "2001::", 32, 12, 0xff },     /* Teredo, RFC 4380 */
	{ "::", 96, 12, 0 },            /* compatible, RFC 4291 2.5.5.1; covers :: and ::1 */
};

static bool has_prefix(const uint8_t *address, const uint8_t *network, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;
	uint8_t mask = (uint8_t)(0xff00U >> rest);

	if (memcmp(address, network, whole) != 0)
		return false;
	return rest == 0 || ((address[whole] ^ network[whole]) & mask) == 0;
}

static enum guard_class classify4(const uint8_t address[4])
{
	uint8_t network[4];

	for (size_t i = 0; i < sizeof(ranges4) / sizeof(ranges4[0]); i++) {
		inet_pton(AF_INET, ranges4[i].network, network);
		if (has_prefix(address, network, ranges4[i].bits))
			return ranges4[i].what;
	}
	return GUARD_PUBLIC;
}

static enum guard_class classify6(const uint8_t address[16])
{
	uint8_t network[16];

	for (size_t i = 0; i < sizeof(ranges6) / sizeof(ranges6[0]); i++) {
		inet_pton(AF_INET6, ranges6[i].network, network);
		if (has_prefix(address, network, ranges6[i].bits))
			return ranges6[i].what;
	}
	return GUARD_SPECIAL;
}

/* True if an IPv6 address carries an IPv4 address. */
static bool carried4(const uint8_t address[16], uint8_t inner[4])
{
	uint8_t network[16];

	for (size_t i = 0; i < sizeof(carriers) / sizeof(carriers[0]); i++) {
		inet_pton(AF_INET6, carriers[i].network, network);
		if (!has_prefix(address, network, carriers[i].bits))
			continue;
		for (size_t k = 0; k < 4; k++)
			inner[k] = address[carriers[i].at + k] ^ carriers[i].flip;
		return true;
	}
	return false;
}

/* IPv4 and mapped IPv4 in one form. False for other families. */
static bool to_bytes(const struct sockaddr *address, uint8_t bytes[16])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (address->sa_family == AF_INET6) {
		memcpy(bytes, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr, 16);
		return true;
	}
	if (address->sa_family != AF_INET)
		return false;
	memcpy(bytes, mapped, sizeof(mapped));
	memcpy(bytes + 12, &((const struct sockaddr_in *)(const void *)address)->sin_addr, 4);
	return true;
}

static bool is_mapped(const uint8_t bytes[16])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	return memcmp(bytes, mapped, sizeof(mapped)) == 0;
}

enum guard_class guard_classify(const struct sockaddr *address)
{
	uint8_t bytes[16];

	if (!to_bytes(address, bytes))
		return GUARD_SPECIAL;
	return is_mapped(bytes) ? classify4(bytes + 12) : classify6(bytes);
}

/* ---- permissions --------------------------------------------------------------------------------------------------------------- */

static bool in_networks(const struct guard *guard, const uint8_t bytes[16])
{
	for (size_t i = 0; i < guard->network_count; i++)
		if (has_prefix(bytes, guard->networks[i].address, guard->networks[i].bits))
			return true;
	return false;
}

static bool allows_bytes(const struct guard *guard, const uint8_t bytes[16])
{
	enum guard_class what = is_mapped(bytes) ? classify4(bytes + 12) : classify6(bytes);

	return what == GUARD_PUBLIC || guard->classes[what] || in_networks(guard, bytes);
}

bool guard_allows(const struct guard *guard, const char *host, const struct sockaddr *address)
{
	uint8_t bytes[16], inner[4], as_mapped[16] = { [10] = 0xff, [11] = 0xff };

	if (!to_bytes(address, bytes))
		return false;
	for (size_t i = 0; host && i < guard->host_count; i++)
		if (strcasecmp(host, guard->hosts[i]) == 0)
			return true;
	/* ::1 and :: lie in the range of the compatible form, but carry nothing. */
	if (is_mapped(bytes) || classify6(bytes) == GUARD_LOOPBACK || !carried4(bytes, inner))
		return allows_bytes(guard, bytes);
	/* What counts is where the packet ends up, unless the network that was allowed is the carrier's own. */
	memcpy(as_mapped + 12, inner, 4);
	return allows_bytes(guard, as_mapped) || in_networks(guard, bytes);
}

/* ---- names --------------------------------------------------------------------------------------------------------------------- */

static bool is_host_name(const char *text)
{
	size_t len = strlen(text);

	if (len > 253 || text[0] == '.' || text[0] == '-')
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_'))
			return false;
	}
	return true;
}

/* The last label is a number as inet_aton() reads it: no top-level domain is one. */
static bool ends_in_number(const char *host, size_t len)
{
	const char *dot = memrchr(host, '.', len);
	size_t at = dot ? (size_t)(dot - host) + 1 : 0;
	bool hex = len - at >= 2 && host[at] == '0' && (host[at + 1] == 'x' || host[at + 1] == 'X');

	for (size_t i = hex ? at + 2 : at; i < len; i++)
		if (!(hex ? isxdigit((unsigned char)host[i]) : isdigit((unsigned char)host[i])))
			return false;
	return true;
}

static bool ends_with_label(const char *host, size_t len, const char *zone)
{
	size_t n = strlen(zone);

	return len > n && host[len - n - 1] == '.' && strncasecmp(host + len - n, zone, n) == 0;
}

bool guard_allows_name(const struct guard *guard, const char *host)
{
	static const char *const zones[] = { "localhost", "local", "internal", "home.arpa", "intranet", "private", "corp", "home", "lan", "localdomain" };
	size_t len = strlen(host);

	for (size_t i = 0; i < guard->host_count; i++)
		if (strcasecmp(host, guard->hosts[i]) == 0)
			return true;
	len -= len > 0 && host[len - 1] == '.';
	if (!is_host_name(host) || !memchr(host, '.', len) || ends_in_number(host, len))
		return false;
	for (size_t i = 0; i < sizeof zones / sizeof *zones; i++)
		if (ends_with_label(host, len, zones[i]))
			return false;
	return true;
}

/* ---- the setting --------------------------------------------------------------------------------------------------------------- */

static int add_network(struct guard *guard, const char *text, const char *slash)
{
	char *address = xstrndup(text, (size_t)(slash - text));
	struct network network = { { [10] = 0xff, [11] = 0xff }, 0 };
	char *end = NULL;
	unsigned long bits = strtoul(slash + 1, &end, 10);
	int error = -EINVAL;

	if (slash[1] < '0' || slash[1] > '9' || *end)
		goto out;
	if (inet_pton(AF_INET, address, network.address + 12) == 1 && bits <= 32)
		network.bits = (unsigned)bits + 96;
	else if (inet_pton(AF_INET6, address, network.address) == 1 && bits <= 128)
		network.bits = (unsigned)bits;
	else
		goto out;
	guard->networks = xrealloc(guard->networks, (guard->network_count + 1) * sizeof(network));
	guard->networks[guard->network_count++] = network;
	error = 0;
out:
	free(address);
	return error;
}

static int add_entry(struct guard *guard, const char *text)
{
	const char *slash = strchr(text, '/');
	uint8_t address[16];

	for (enum guard_class what = GUARD_PRIVATE; what <= GUARD_LINKLOCAL; what++) {
		if (strcasecmp(text, class_names[what]) != 0)
			continue;
		guard->classes[what] = true;
		return 0;
	}
	if (slash)
		return add_network(guard, text, slash);
	if (inet_pton(AF_INET, text, address) == 1 || inet_pton(AF_INET6, text, address) == 1) {
		char *whole = xasprintf("%s/%s", text, strchr(text, ':') ? "128" : "32");
		int error = add_network(guard, whole, strchr(whole, '/'));

		free(whole);
		return error;
	}
	if (!is_host_name(text))
		return -EINVAL;
	guard->hosts = xrealloc(guard->hosts, (guard->host_count + 1) * sizeof(*guard->hosts));
	guard->hosts[guard->host_count++] = xstrdup(text);
	return 0;
}

int guard_new(struct guard **out, char *const *allow, size_t count, char *why, size_t why_len)
{
	struct guard *guard = xcalloc(1, sizeof(*guard));
	int error = 0;

	*out = NULL;
	for (size_t i = 0; i < count && !error; i++) {
		error = add_entry(guard, allow[i]);
		if (error)
			snprintf(why, why_len, "\"%s\" is neither private, loopback, linklocal, a network (10.0.0.0/8) nor a host name", allow[i]);
	}
	if (error)
		guard_free(&guard);
	*out = guard;
	return error;
}

void guard_free(struct guard **guard_pointer)
{
	struct guard *guard = *guard_pointer;

	if (!guard)
		return;
	for (size_t i = 0; i < guard->host_count; i++)
		free(guard->hosts[i]);
	free(guard->hosts);
	free(guard->networks);
	free(guard);
	*guard_pointer = NULL;
}

const char *guard_class_name(enum guard_class what)
{
	return class_names[what];
}
