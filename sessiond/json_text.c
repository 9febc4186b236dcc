/* SPDX-License-Identifier: GPL-3.0-or-later */
/* JSON text writer. */
#include "sessiond/json_text.h"

#include <inttypes.h>
#include <string.h>

#include "common/timefmt.h"

/* Length of the UTF-8 sequence at p (RFC 3629), 0 if it is malformed. */
static size_t utf8_len(const uint8_t *p, size_t left)
{
	size_t n = p[0] < 0x80 ? 1 : p[0] >= 0xc2 && p[0] < 0xe0 ? 2 : (p[0] & 0xf0) == 0xe0 ? 3 : p[0] >= 0xf0 && p[0] < 0xf5 ? 4 : 0;

	if (n == 0 || n > left)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	}
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return n;
}

static void put_escaped(struct buf *out, uint8_t c)
{
	static const char from[] = "\"\\\b\f\n\r\t";
	static const char to[] = "\"\\bfnrt";
	const char *found = c ? strchr(from, (char)c) : NULL;

	if (found) {
		char pair[2] = { '\\', to[found - from] };

		buf_append(out, pair, 2);
	} else {
		buf_printf(out, "\\u%04x", c);
	}
}

void json_put_span(struct buf *out, struct span text)
{
	size_t plain = 0;

	buf_u8(out, '"');
	for (size_t i = 0; i < text.n;) {
		uint8_t c = text.p[i];
		size_t n = c >= 0x80 ? utf8_len(text.p + i, text.n - i) : 1;

		if (n > 0 && c >= 0x20 && c != '"' && c != '\\') {
			i += n;
			continue;
		}
		buf_append(out, text.p + plain, i - plain);
		if (n == 0)
			buf_append_text(out, "\xef\xbf\xbd");
		else
			put_escaped(out, c);
		i++;
		plain = i;
	}
	if (plain < text.n)
		buf_append(out, text.p + plain, text.n - plain);
	buf_u8(out, '"');
}

void json_put_string(struct buf *out, const char *text)
{
	if (text)
		json_put_span(out, span_text(text));
	else
		buf_append_text(out, "null");
}

void json_put_base64(struct buf *out, struct span bytes)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t len = (bytes.n + 2) / 3 * 4;
	uint8_t *at;

	buf_u8(out, '"');
	at = buf_reserve(out, len);
	for (size_t i = 0; i < bytes.n; i += 3) {
		uint32_t word = (uint32_t)bytes.p[i] << 16;

		word |= i + 1 < bytes.n ? (uint32_t)bytes.p[i + 1] << 8 : 0;
		word |= i + 2 < bytes.n ? (uint32_t)bytes.p[i + 2] : 0;
		*at++ = (uint8_t)alphabet[word >> 18];
		*at++ = (uint8_t)alphabet[(word >> 12) & 63];
		*at++ = (uint8_t)(i + 1 < bytes.n ? alphabet[(word >> 6) & 63] : '=');
		*at++ = (uint8_t)(i + 2 < bytes.n ? alphabet[word & 63] : '=');
	}
	buf_commit(out, len);
	buf_u8(out, '"');
}

void json_put_name(struct buf *out, const char *name)
{
	uint8_t last = out->len ? out->data[out->len - 1] : '{';

	if (last != '{' && last != '[' && last != ',' && last != ':')
		buf_u8(out, ',');
	buf_u8(out, '"');
	buf_append_text(out, name);
	buf_append_text(out, "\":");
}

void json_put_member(struct buf *out, const char *name, const char *text)
{
	json_put_name(out, name);
	json_put_string(out, text);
}

void json_put_int(struct buf *out, const char *name, int64_t value)
{
	json_put_name(out, name);
	buf_printf(out, "%" PRId64, value);
}

void json_put_bool(struct buf *out, const char *name, bool value)
{
	json_put_name(out, name);
	buf_append_text(out, value ? "true" : "false");
}

void json_put_raw(struct buf *out, const char *name, const char *json)
{
	json_put_name(out, name);
	buf_append_text(out, json);
}

void json_put_time(struct buf *out, const char *name, int64_t wall_ms)
{
	char text[TIMEFMT_MAX];

	json_put_member(out, name, timefmt_utc(wall_ms, text, sizeof text));
}
