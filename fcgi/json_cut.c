/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files inside JSON bodies, see json_cut.h. */
#include "fcgi/json_cut.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base64.h"
#include "common/mem.h"

#define MARKER "\001cut:"
#define MARKER_JSON "\"\\u0001cut:%zu\""
#define TYPE_MAX 200U
#define NO_FILE 9999U

/* ---- base64 ---- */

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool base64_read(struct base64_reader *r, const uint8_t *p, size_t n, struct buf *out)
{
	for (size_t i = 0; i < n && !r->broken; i++) {
		int value = base64_value(p[i]);

		if (is_blank(p[i]))
			continue;
		if (p[i] == '=' && r->have >= 2 && r->have + r->padding < 4) {
			r->padding++;
			continue;
		}
		if (value < 0 || r->padding) {
			r->broken = true;
			break;
		}
		r->bits = r->bits << 6 | (uint32_t)value;
		if (++r->have < 4)
			continue;
		buf_u8(out, (uint8_t)(r->bits >> 16));
		buf_u8(out, (uint8_t)(r->bits >> 8));
		buf_u8(out, (uint8_t)r->bits);
		r->bits = 0;
		r->have = 0;
	}
	return !r->broken;
}

bool base64_end(struct base64_reader *r, struct buf *out)
{
	if (r->broken || r->have == 1)
		return false;
	if (r->have >= 2)
		buf_u8(out, (uint8_t)(r->bits >> (r->have == 2 ? 4 : 10)));
	if (r->have == 3)
		buf_u8(out, (uint8_t)(r->bits >> 2));
	return true;
}

/* ---- what a text is ---- */

static bool starts_with(struct span s, const char *word)
{
	size_t n = strlen(word);

	return s.n >= n && !strncasecmp((const char *)s.p, word, n);
}

static struct span behind(struct span s, size_t n)
{
	return span_of(s.p + n, s.n - n);
}

static bool sniff_data_uri(struct span text, struct span *type, struct span *data)
{
	const uint8_t *comma;
	size_t n, mime = 0;

	text = behind(text, 5);
	comma = memchr(text.p, ',', text.n < 1024 ? text.n : 1024);
	if (!comma)
		return false;
	n = (size_t)(comma - text.p);
	while (mime < n && text.p[mime] != ';')
		mime++;
	*type = span_of(text.p, mime < TYPE_MAX ? mime : 0);
	*data = behind(text, n + 1);
	return true;
}

bool json_cut_sniff(struct span text, size_t sample, struct span *type, struct span *data)
{
	*type = span_of(NULL, 0);
	if (starts_with(text, "data:"))
		return sniff_data_uri(text, type, data);
	if (starts_with(text, "base64,"))
		text = behind(text, 7);
	*data = text;
	for (size_t i = 0; i < text.n && i < sample; i++)
		if (base64_value(text.p[i]) < 0 && text.p[i] != '=' && !is_blank(text.p[i]))
			return false;
	return text.n > 0;
}

struct form_file *json_cut_file(struct form *form, struct span text)
{
	size_t n = sizeof MARKER - 1, index = 0;

	if (text.n <= n || text.n > n + 4 || memcmp(text.p, MARKER, n) != 0)
		return NULL;
	for (size_t i = n; i < text.n; i++) {
		if (!isdigit(text.p[i]))
			return NULL;
		index = index * 10 + (size_t)(text.p[i] - '0');
	}
	return index < form->files_count ? &form->files[index] : NULL;
}

/* ---- the filter ---- */

void json_cut_init(struct json_cut *c, struct form *form, struct buf *text, size_t text_limit)
{
	*c = (struct json_cut){ .form = form, .text = text, .text_limit = text_limit };
}

void json_cut_free(struct json_cut *c)
{
	buf_wipe(&c->decoded);
}

static int fail(struct json_cut *c, int error)
{
	if (!c->error)
		c->error = error;
	return -1;
}

static int keep(struct json_cut *c, uint8_t byte)
{
	if (c->text->len >= c->text_limit)
		return fail(c, FORM_TOO_LARGE);
	buf_u8(c->text, byte);
	return 0;
}

/* What stood in the text so far becomes a marker; c->file is where the bytes go. */
static int open_file(struct json_cut *c, struct span type)
{
	struct form *form = c->form;
	size_t index = form->files_count < FORM_MAX_FILES ? form->files_count : NO_FILE;

	c->file = index == NO_FILE ? NULL : form_add_file(form, span_of(NULL, 0), span_of(NULL, 0), type);
	if (index != NO_FILE && !c->file)
		return fail(c, form->error);
	if (c->file)
		c->file->cut = true;
	c->text->len = c->start;
	buf_printf(c->text, MARKER_JSON, index);
	return 0;
}

/* Decoded bytes to their file. */
static int flush(struct json_cut *c)
{
	if (c->file && c->decoded.len && form_write_file(c->form, c->file, buf_span(&c->decoded)))
		return fail(c, c->form->error);
	buf_clear(&c->decoded);
	return 0;
}

static void spoil(struct json_cut *c)
{
	if (c->file)
		c->file->broken = true;
}

static void take_base64(struct json_cut *c, uint8_t byte)
{
	if (!base64_read(&c->base64, &byte, 1, &c->decoded))
		spoil(c);
}

static int hex_value(uint8_t byte)
{
	if (isdigit(byte))
		return byte - '0';
	return isxdigit(byte) ? tolower(byte) - 'a' + 10 : -1;
}

/* One byte of a string whose content is base64; escapes resolved. True at its end. */
static bool base64_byte(struct json_cut *c, uint8_t byte)
{
	int hex;

	if (c->unicode) {
		hex = hex_value(byte);
		c->code = c->code * 16 + (unsigned)(hex < 0 ? 0 : hex);
		c->base64.broken = c->base64.broken || hex < 0;
		if (--c->unicode == 0)
			take_base64(c, c->code < 0x80 ? (uint8_t)c->code : 0xff);
	} else if (c->escape) {
		c->escape = false;
		if (byte == 'u') {
			c->unicode = 4;
			c->code = 0;
		} else {
			take_base64(c, byte == '/' ? '/' : strchr("nrt", byte) ? ' ' : 0xff);
		}
	} else if (byte == '\\') {
		c->escape = true;
	} else if (byte == '"') {
		return true;
	} else {
		take_base64(c, byte);
	}
	return false;
}

/* The string is long: a file, or just a long text. Only what JSON writes without escapes can begin a file, but for "\/". */
static int judge_string(struct json_cut *c)
{
	struct span raw = span_of(c->text->data + c->start + 1, c->text->len - c->start - 1), type, data;
	uint8_t *copy = xmemdup(raw.p, raw.n), *to = copy;
	int rc = 0;

	for (size_t i = 0; i < raw.n; i++)
		if (!(raw.p[i] == '\\' && i + 1 < raw.n && raw.p[i + 1] == '/'))
			*to++ = raw.p[i];
	if ((c->texts_stay && !starts_with(span_of(copy, (size_t)(to - copy)), "data:")) ||
	    !json_cut_sniff(span_of(copy, (size_t)(to - copy)), 4096, &type, &data)) {
		c->state = CUT_LONG;
	} else {
		struct span rest = data;
		bool data_uri = starts_with(span_of(copy, (size_t)(to - copy)), "data:");

		c->state = CUT_BASE64;
		c->base64 = (struct base64_reader){ 0 };
		c->escape = false;
		rc = open_file(c, type);
		if (!rc && c->file)
			c->file->data_uri = data_uri;
		for (size_t i = 0; i < rest.n && !rc; i++)
			base64_byte(c, rest.p[i]);
	}
	explicit_bzero(copy, raw.n);
	free(copy);
	return rc;
}

static int string_byte(struct json_cut *c, uint8_t byte)
{
	if (keep(c, byte))
		return -1;
	if (c->escape)
		c->escape = false;
	else if (byte == '\\')
		c->escape = true;
	else if (byte == '"')
		c->state = CUT_PLAIN;
	if (c->state == CUT_STRING && !c->escape && c->text->len - c->start > JSON_CUT_TEXT)
		return judge_string(c);
	return 0;
}

static int base64_done(struct json_cut *c)
{
	if (!base64_end(&c->base64, &c->decoded))
		spoil(c);
	c->state = CUT_PLAIN;
	return flush(c);
}

/* ---- arrays of bytes ---- */

static int number_byte(struct json_cut *c, uint8_t byte)
{
	if (isdigit(byte) && (c->number_open || c->number_wanted)) {
		c->number = c->number_open ? c->number * 10 + (unsigned)(byte - '0') : (unsigned)(byte - '0');
		c->digits = c->number_open ? c->digits + 1 : 1;
		c->number_open = true;
		c->number_wanted = false;
		return c->digits > 3 || c->number > 255 ? -1 : 0;
	}
	if (is_blank(byte)) {
		if (c->number_open)
			buf_u8(&c->decoded, (uint8_t)c->number);
		c->numbers += c->number_open;
		c->number_open = false;
		return 0;
	}
	if ((byte == ',' || byte == ']') && (c->number_open || !c->number_wanted)) {
		if (c->number_open)
			buf_u8(&c->decoded, (uint8_t)c->number);
		c->numbers += c->number_open;
		c->number_open = false;
		c->number_wanted = byte == ',';
		return byte == ']' ? 1 : 0;
	}
	return -1;
}

static int plain_byte(struct json_cut *c, uint8_t byte);

/* An array that may be one of bytes: kept as text until that is sure. */
static int numbers_byte(struct json_cut *c, uint8_t byte)
{
	int verdict = number_byte(c, byte);

	if (verdict) {
		buf_clear(&c->decoded);
		c->state = CUT_PLAIN;
		return plain_byte(c, byte);
	}
	if (keep(c, byte))
		return -1;
	if (c->numbers <= JSON_CUT_BYTES)
		return 0;
	c->state = CUT_BYTES;
	return open_file(c, span_of(NULL, 0));
}

static int bytes_byte(struct json_cut *c, uint8_t byte)
{
	int verdict = number_byte(c, byte);

	if (verdict < 0) {
		spoil(c);
		/* the array goes on to its end */
		c->number_open = false;
		c->number_wanted = false;
		verdict = byte == ']';
	}
	if (verdict == 1) {
		c->state = CUT_PLAIN;
		return flush(c);
	}
	return c->decoded.len >= 65536 ? flush(c) : 0;
}

static int plain_byte(struct json_cut *c, uint8_t byte)
{
	size_t at = c->text->len;

	if (keep(c, byte))
		return -1;
	if (byte != '"' && byte != '[')
		return 0;
	c->start = at;
	c->escape = false;
	c->state = byte == '"' ? CUT_STRING : CUT_NUMBERS;
	c->number_open = false;
	c->number_wanted = true;
	c->numbers = 0;
	return 0;
}

int json_cut_feed(struct json_cut *c, struct span bytes)
{
	int rc = 0;

	for (size_t i = 0; i < bytes.n && !rc; i++) {
		uint8_t byte = bytes.p[i];

		switch (c->state) {
		case CUT_PLAIN:
			rc = plain_byte(c, byte);
			break;
		case CUT_STRING:
		case CUT_LONG:
			rc = string_byte(c, byte);
			break;
		case CUT_BASE64:
			if (base64_byte(c, byte))
				rc = base64_done(c);
			else if (c->decoded.len >= 65536)
				rc = flush(c);
			break;
		case CUT_NUMBERS:
			rc = numbers_byte(c, byte);
			break;
		case CUT_BYTES:
			rc = bytes_byte(c, byte);
			break;
		}
	}
	return rc;
}
