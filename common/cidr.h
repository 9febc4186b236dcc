/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Addresses and networks in text form (RFC 4632, RFC 4291). Everything is held as 16 bytes, IPv4 as ::ffff:a.b.c.d, so that an IPv4
 * client behind an IPv6 socket is the same client.
 *
 *     10.1.2.3   2001:db8::1   10.0.0.0/8   2001:db8::/32   ::ffff:10.0.0.0/104
 */
#ifndef COMMON_CIDR_H
#define COMMON_CIDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CIDR_TEXT = 64 };

struct cidr {
	uint8_t address[16]; /* bits behind the prefix are 0 */
	unsigned bits;       /* 0..128; a single address has 128 */
};

/* An address, without a network's length; a zone ("%eth0") is left out. 0 or -1. */
int cidr_address(uint8_t out[16], const char *text);
/* An address or a network; bits behind the prefix are cleared. 0 or -1. */
int cidr_parse(struct cidr *out, const char *text, size_t len);
bool cidr_contains(const struct cidr *network, const uint8_t address[16]);
/* Every address of inner is in outer. */
bool cidr_within(const struct cidr *inner, const struct cidr *outer);
/* Canonical; a single address without "/". Returns out. */
char *cidr_format(const struct cidr *network, char out[CIDR_TEXT]);

#endif
