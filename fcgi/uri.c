/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Percent encoding, see uri.h. */
#include "fcgi/uri.h"

#include <ctype.h>
#include <string.h>

#include "fcgi/json.h"

static int hex_digit(uint8_t c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The byte that the escape at s.p[i] stands for, -1 if it is none. */
static int escape_at(struct span s, size_t i)
{
	int high, low;

	if (s.n - i < 3)
		return -1;
	high = hex_digit(s.p[i + 1]);
	low = hex_digit(s.p[i + 2]);
	return high < 0 || low < 0 ? -1 : high << 4 | low;
}

bool uri_valid(struct arena *a, struct span s)
{
	struct span decoded;

	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '%' && escape_at(s, i) < 0)
			return false;
	decoded = uri_decode(a, s, false);
	return utf8_clean(a, decoded).p == decoded.p;
}

struct span uri_decode(struct arena *a, struct span s, bool plus)
{
	uint8_t *out, *w;

	if (!s.n || (!memchr(s.p, '%', s.n) && !(plus && memchr(s.p, '+', s.n))))
		return s;
	w = out = arena_alloc(a, s.n);
	for (size_t i = 0; i < s.n; i++) {
		int c = s.p[i] == '%' ? escape_at(s, i) : -1;

		if (c >= 0) {
			*w++ = (uint8_t)c;
			i += 2;
		} else {
			*w++ = plus && s.p[i] == '+' ? ' ' : s.p[i];
		}
	}
	return span_of(out, (size_t)(w - out));
}

char *uri_encode(struct arena *a, struct span s)
{
	static const char hex[] = "0123456789ABCDEF";
	char *out = arena_alloc(a, 3 * s.n + 1), *w = out;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < 0x80 && (isalnum(s.p[i]) || (s.p[i] && strchr("-_.!~*'()", s.p[i])))) {
			*w++ = (char)s.p[i];
			continue;
		}
		*w++ = '%';
		*w++ = hex[s.p[i] >> 4];
		*w++ = hex[s.p[i] & 15];
	}
	*w = 0;
	return out;
}
