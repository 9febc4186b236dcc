/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/cidr.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

enum { MAPPED_BITS = 96 };

int cidr_address(uint8_t out[16], const char *text)
{
	char plain[INET6_ADDRSTRLEN];
	size_t len = strcspn(text, "%");

	if (len == 0 || len >= sizeof plain)
		return -1;
	memcpy(plain, text, len);
	plain[len] = '\0';
	if (inet_pton(AF_INET6, plain, out) == 1)
		return 0;
	memcpy(out, mapped, sizeof mapped);
	return inet_pton(AF_INET, plain, out + sizeof mapped) == 1 ? 0 : -1;
}

/* One to three digits without a sign, no leading zero, at most `most`. */
static int read_bits(const char *text, size_t len, unsigned most, unsigned *bits)
{
	unsigned value = 0;

	if (len == 0 || len > 3 || (len > 1 && text[0] == '0'))
		return -1;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -1;
		value = value * 10 + (unsigned)(text[i] - '0');
	}
	*bits = value;
	return value <= most ? 0 : -1;
}

static void clear_behind(struct cidr *network)
{
	for (unsigned bit = network->bits; bit < 128; bit++)
		network->address[bit / 8] &= (uint8_t)~(0x80U >> bit % 8);
}

int cidr_parse(struct cidr *out, const char *text, size_t len)
{
	char address[INET6_ADDRSTRLEN];
	const char *slash = len > 0 ? memchr(text, '/', len) : NULL;
	size_t n = slash ? (size_t)(slash - text) : len;
	bool is_v4;

	if (n == 0 || n >= sizeof address || memchr(text, '%', n) || memchr(text, '\0', n))
		return -1;
	memcpy(address, text, n);
	address[n] = '\0';
	if (cidr_address(out->address, address))
		return -1;
	is_v4 = !strchr(address, ':');
	out->bits = is_v4 ? 32 : 128;
	if (slash && read_bits(slash + 1, len - n - 1, out->bits, &out->bits))
		return -1;
	if (is_v4)
		out->bits += MAPPED_BITS;
	clear_behind(out);
	return 0;
}

bool cidr_contains(const struct cidr *network, const uint8_t address[16])
{
	unsigned bytes = network->bits / 8, rest = network->bits % 8;

	if (memcmp(address, network->address, bytes) != 0)
		return false;
	return rest == 0 || ((address[bytes] ^ network->address[bytes]) & (uint8_t)(0xff00U >> rest)) == 0;
}

bool cidr_within(const struct cidr *inner, const struct cidr *outer)
{
	return inner->bits >= outer->bits && cidr_contains(outer, inner->address);
}

char *cidr_format(const struct cidr *network, char out[CIDR_TEXT])
{
	bool is_v4 = network->bits >= MAPPED_BITS && memcmp(network->address, mapped, sizeof mapped) == 0;
	unsigned most = is_v4 ? 32 : 128, bits = is_v4 ? network->bits - MAPPED_BITS : network->bits;
	char text[INET6_ADDRSTRLEN];

	/* neither can fail: family and room are right */
	inet_ntop(is_v4 ? AF_INET : AF_INET6, is_v4 ? network->address + sizeof mapped : network->address, text, sizeof text);
	if (bits == most)
		snprintf(out, CIDR_TEXT, "%s", text);
	else
		snprintf(out, CIDR_TEXT, "%s/%u", text, bits);
	return out;
}
