/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Case folding by ranges. Source: the "C" and "S" lines of Unicode's CaseFolding.txt. */
#include "common/fold.h"

#include <string.h>

#include "common/utf8.h"

struct range {
	uint32_t from, to;
	int32_t distance; /* to the small letter; 1: of even (or odd, as from is) numbers only, each before its small letter */
};

static const struct range capitals[] = {
	{ 'A', 'Z', 32 },           { 0xC0, 0xD6, 32 },       { 0xD8, 0xDE, 32 },       { 0x100, 0x12E, 1 },    { 0x132, 0x136, 1 },
	{ 0x139, 0x147, 1 },        { 0x14A, 0x176, 1 },      { 0x178, 0x178, -121 },   { 0x179, 0x17D, 1 },    { 0x1CD, 0x1DB, 1 },
	{ 0x1DE, 0x1EE, 1 },        { 0x1F8, 0x21E, 1 },      { 0x386, 0x386, 38 },     { 0x388, 0x38A, 37 },   { 0x38C, 0x38C, 64 },
	{ 0x38E, 0x38F, 63 },       { 0x391, 0x3A1, 32 },     { 0x3A3, 0x3AB, 32 },     { 0x400, 0x40F, 80 },   { 0x410, 0x42F, 32 },
	{ 0x460, 0x480, 1 },        { 0x48A, 0x4BE, 1 },      { 0x4D0, 0x52E, 1 },      { 0x531, 0x556, 48 },   { 0x1E00, 0x1E94, 1 },
	{ 0x1EA0, 0x1EFE, 1 },      { 0xFF21, 0xFF3A, 32 },
};

/* Characters that are no letters, digits or marks. */
static const struct range signs[] = {
	{ 0, '/', 0 },              { ':', '@', 0 },          { '[', '`', 0 },          { '{', 0xA9, 0 },       { 0xAB, 0xB1, 0 },
	{ 0xB4, 0xB4, 0 },          { 0xB6, 0xB8, 0 },        { 0xBB, 0xBB, 0 },        { 0xBF, 0xBF, 0 },      { 0xD7, 0xD7, 0 },
	{ 0xF7, 0xF7, 0 },          { 0x2000, 0x206F, 0 },    { 0x20A0, 0x20CF, 0 },    { 0x2190, 0x245F, 0 },  { 0x2500, 0x2BFF, 0 },
	{ 0x3000, 0x3004, 0 },      { 0x3008, 0x3020, 0 },    { 0xD800, 0xF8FF, 0 },    { 0xFE00, 0xFE0F, 0 },  { 0xFE30, 0xFE6F, 0 },
	{ 0xFF00, 0xFF0F, 0 },      { 0xFFF0, 0xFFFF, 0 },    { 0x1F000, 0x1FAFF, 0 },  { 0xE0000, 0x10FFFF, 0 },
};

uint32_t fold_next(const char *text, size_t left, size_t *len)
{
	static const uint8_t first_bits[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	uint32_t c;

	*len = left == 0 ? 0 : utf8_length(text, left);
	if (left == 0)
		return 0;
	if (*len == 0) {
		*len = 1;
		return 0xFFFD;
	}
	c = (uint8_t)text[0] & first_bits[*len];
	for (size_t i = 1; i < *len; i++)
		c = c << 6 | ((uint8_t)text[i] & 0x3f);
	return c;
}

static const struct range *find(const struct range *ranges, size_t n, uint32_t c)
{
	for (size_t i = 0; i < n && ranges[i].from <= c; i++) {
		if (c <= ranges[i].to)
			return &ranges[i];
	}
	return NULL;
}

static uint32_t small(uint32_t c)
{
	const struct range *range = find(capitals, sizeof capitals / sizeof *capitals, c);

	if (range == NULL || (range->distance == 1 && ((c ^ range->from) & 1) != 0))
		return c;
	return (uint32_t)((int32_t)c + range->distance);
}

bool fold_is_word(uint32_t c)
{
	return find(signs, sizeof signs / sizeof *signs, c) == NULL;
}

void fold_append(struct buf *out, const char *text)
{
	size_t left = strlen(text);

	while (left > 0) {
		size_t len;
		uint32_t c = fold_next(text, left, &len);
		char bytes[4];

		if (c != 0xFFFD)
			buf_append(out, bytes, utf8_put(small(c), bytes));
		text += len;
		left -= len;
	}
}
