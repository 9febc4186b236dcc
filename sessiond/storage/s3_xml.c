/* SPDX-License-Identifier: GPL-3.0-or-later */
/* S3's answers, see s3_xml.h. */
#include "sessiond/storage/s3_xml.h"

#include <stdlib.h>
#include <string.h>

#include "common/utf8.h"

static bool ends_name(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '/' || c == '>';
}

/* Where a tag's name ends. */
static size_t name_length(struct span tag)
{
	size_t n = 0;

	while (n < tag.n && !ends_name(tag.p[n]))
		n++;
	return n;
}

/* The next "<...>" from *at on: its inside. False at the end, or when it does not close. */
static bool next_tag(struct span xml, size_t *at, struct span *tag)
{
	const uint8_t *open = *at < xml.n ? memchr(xml.p + *at, '<', xml.n - *at) : NULL;
	const uint8_t *close;
	size_t start;

	if (!open)
		return false;
	start = (size_t)(open - xml.p) + 1;
	close = memchr(xml.p + start, '>', xml.n - start);
	if (!close)
		return false;
	*tag = span_of(xml.p + start, (size_t)(close - xml.p) - start);
	*at = (size_t)(close - xml.p) + 1;
	return true;
}

/* What XML has no business with becomes a blank. */
static size_t put_character(unsigned long c, char out[4])
{
	return utf8_put(c < 0x20 || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff) ? ' ' : (uint32_t)c, out);
}

/* The entity at p, '&' first: how many bytes of text, 0 = none of ours. *used: bytes of it. */
static size_t entity(struct span text, char out[4], size_t *used)
{
	static const struct {
		const char *name;
		char c;
	} names[] = { { "&amp;", '&' }, { "&lt;", '<' }, { "&gt;", '>' }, { "&quot;", '"' }, { "&apos;", '\'' } };
	char number[12];
	size_t n = 0;

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		n = strlen(names[i].name);
		if (text.n >= n && memcmp(text.p, names[i].name, n) == 0) {
			*used = n;
			out[0] = names[i].c;
			return 1;
		}
	}
	if (text.n < 4 || text.p[1] != '#')
		return 0;
	for (n = 2; n < text.n && n < sizeof number && text.p[n] != ';'; n++)
		number[n - 2] = (char)text.p[n];
	if (n == text.n || n == sizeof number || n == 2 || text.p[n] != ';')
		return 0;
	number[n - 2] = '\0';
	*used = n + 1;
	return put_character(number[0] == 'x' ? strtoul(number + 1, NULL, 16) : strtoul(number, NULL, 10), out);
}

static void unescape(struct span text, char *out, size_t room)
{
	size_t len = 0;

	while (text.n) {
		char bytes[4] = { (char)text.p[0] };
		size_t used = 1, n = 1;

		if (text.p[0] == '&') {
			n = entity(text, bytes, &used);
			if (n == 0)
				n = 1;
		} else if (text.p[0] < 0x20) {
			bytes[0] = ' ';
		}
		if (len + n + 1 > room)
			break;
		memcpy(out + len, bytes, n);
		len += n;
		text = span_of(text.p + used, text.n - used);
	}
	/* Not in the middle of a character. */
	if (text.n && (text.p[0] & 0xc0) == 0x80) {
		while (len > 0 && ((unsigned char)out[len - 1] & 0xc0) == 0x80)
			len--;
		if (len > 0)
			len--;
	}
	out[len] = '\0';
}

bool s3_xml_text(struct span xml, const char *name, char *out, size_t room)
{
	size_t at = 0, wanted = strlen(name);
	struct span tag, end;

	while (next_tag(xml, &at, &tag)) {
		size_t start = at;

		if (name_length(tag) != wanted || memcmp(tag.p, name, wanted) != 0 || (tag.n && tag.p[tag.n - 1] == '/'))
			continue;
		if (!next_tag(xml, &at, &end) || end.n != wanted + 1 || end.p[0] != '/' || memcmp(end.p + 1, name, wanted) != 0)
			return false;
		unescape(span_of(xml.p + start, (size_t)(end.p - 1 - xml.p) - start), out, room);
		return true;
	}
	return false;
}
