/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Byte buffers, see buf.h. */
#include "common/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

void buf_init(struct buf *b)
{
	*b = (struct buf){ 0 };
}

void buf_free(struct buf *b)
{
	free(b->data);
	buf_init(b);
}

void buf_wipe(struct buf *b)
{
	if (b->data)
		explicit_bzero(b->data, b->cap);
	buf_free(b);
}

void buf_clear(struct buf *b)
{
	b->len = 0;
}

uint8_t *buf_reserve(struct buf *b, size_t n)
{
	if (n > b->cap - b->len) {
		size_t need, cap = b->cap ? b->cap : 64;

		if (__builtin_add_overflow(b->len, n, &need) || need > SIZE_MAX / 2)
			abort();
		while (cap < need)
			cap *= 2;
		b->data = xrealloc(b->data, cap);
		b->cap = cap;
	}
	return b->data + b->len;
}

void buf_commit(struct buf *b, size_t n)
{
	b->len += n;
}

void buf_append(struct buf *b, const void *p, size_t n)
{
	if (!n)
		return;
	memcpy(buf_reserve(b, n), p, n);
	b->len += n;
}

void buf_append_text(struct buf *b, const char *s)
{
	buf_append(b, s, strlen(s));
}

void buf_append_span(struct buf *b, struct span s)
{
	buf_append(b, s.p, s.n);
}

void buf_printf(struct buf *b, const char *format, ...)
{
	va_list ap, again;
	int n;

	va_start(ap, format);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, format, ap);
	va_end(ap);
	if (n > 0) {
		vsnprintf((char *)buf_reserve(b, (size_t)n + 1), (size_t)n + 1, format, again);
		b->len += (size_t)n;
	}
	va_end(again);
}

void buf_u8(struct buf *b, uint8_t v)
{
	buf_append(b, &v, 1);
}

void buf_be16(struct buf *b, uint16_t v)
{
	buf_append(b, (uint8_t[]){ (uint8_t)(v >> 8), (uint8_t)v }, 2);
}

void buf_be24(struct buf *b, uint32_t v)
{
	buf_append(b, (uint8_t[]){ (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v }, 3);
}

void buf_be32(struct buf *b, uint32_t v)
{
	buf_be16(b, (uint16_t)(v >> 16));
	buf_be16(b, (uint16_t)v);
}

void buf_be64(struct buf *b, uint64_t v)
{
	buf_be32(b, (uint32_t)(v >> 32));
	buf_be32(b, (uint32_t)v);
}

void buf_consume(struct buf *b, size_t n)
{
	if (n > b->len)
		abort();
	b->len -= n;
	if (b->len)
		memmove(b->data, b->data + n, b->len);
}

const char *buf_text(struct buf *b)
{
	*buf_reserve(b, 1) = 0;
	return (const char *)b->data;
}

uint8_t *buf_take(struct buf *b, size_t *len)
{
	uint8_t *data = b->data;

	*len = b->len;
	buf_init(b);
	return data;
}

struct span buf_span(const struct buf *b)
{
	return span_of(b->data, b->len);
}

struct span span_text(const char *s)
{
	return span_of(s, strlen(s));
}

bool span_equal(struct span a, struct span b)
{
	return a.n == b.n && (!a.n || !memcmp(a.p, b.p, a.n));
}

bool span_is(struct span a, const char *text)
{
	return span_equal(a, span_text(text));
}

struct reader reader_of(const void *p, size_t n)
{
	return (struct reader){ p, n, true };
}

struct span read_span(struct reader *r, size_t n)
{
	struct span s;

	if (!r->ok || n > r->left) {
		r->ok = false;
		return span_of(NULL, 0);
	}
	s = span_of(r->p, n);
	r->p += n;
	r->left -= n;
	return s;
}

static uint64_t read_be(struct reader *r, size_t n)
{
	struct span s = read_span(r, n);
	uint64_t v = 0;

	for (size_t i = 0; i < s.n; i++)
		v = v << 8 | s.p[i];
	return v;
}

uint8_t read_u8(struct reader *r)
{
	return (uint8_t)read_be(r, 1);
}

uint16_t read_be16(struct reader *r)
{
	return (uint16_t)read_be(r, 2);
}

uint32_t read_be24(struct reader *r)
{
	return (uint32_t)read_be(r, 3);
}

uint32_t read_be32(struct reader *r)
{
	return (uint32_t)read_be(r, 4);
}

uint64_t read_be64(struct reader *r)
{
	return read_be(r, 8);
}
