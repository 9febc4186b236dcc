/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Byte buffers, spans and readers: the only way this tree touches raw bytes with a length.
 *
 *     struct buf                            struct reader
 *     data -> [ used ......... | free ]     p -> [ unread ............ ]
 *              <----- len ----> <-->             <------- left -------->
 *              <------- cap -------->       ok turns false at the first short read and stays so
 */
#ifndef COMMON_BUF_H
#define COMMON_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Borrowed bytes: never freed through this. */
struct span {
	const uint8_t *p;
	size_t n;
};

/* Owned, growing bytes. All zero is a valid empty buffer. */
struct buf {
	uint8_t *data; /* owned */
	size_t len;
	size_t cap;
};

void buf_init(struct buf *b);
/* Frees the bytes and leaves an empty buffer. */
void buf_free(struct buf *b);
/* As buf_free, but overwrites the bytes first: for secrets. */
void buf_wipe(struct buf *b);
/* Keeps the memory, forgets the content. */
void buf_clear(struct buf *b);
/* Makes room for n more bytes and returns where they go; buf_commit() counts them. */
uint8_t *buf_reserve(struct buf *b, size_t n);
void buf_commit(struct buf *b, size_t n);
void buf_append(struct buf *b, const void *p, size_t n);
void buf_append_text(struct buf *b, const char *s);
void buf_append_span(struct buf *b, struct span s);
void buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_u8(struct buf *b, uint8_t v);
void buf_be16(struct buf *b, uint16_t v);
void buf_be24(struct buf *b, uint32_t v);
void buf_be32(struct buf *b, uint32_t v);
void buf_be64(struct buf *b, uint64_t v);
/* Drops n bytes from the front (n <= len). */
void buf_consume(struct buf *b, size_t n);
/* Content as text; the terminator is not counted in len. Valid until the next change. */
const char *buf_text(struct buf *b);
/* Gives the bytes away, the buffer is empty afterwards. The caller frees with free(). */
uint8_t *buf_take(struct buf *b, size_t *len);
struct span buf_span(const struct buf *b);

static inline struct span span_of(const void *p, size_t n)
{
	return (struct span){ p, n };
}

struct span span_text(const char *s);
bool span_equal(struct span a, struct span b);
/* True if the span holds exactly this text. */
bool span_is(struct span a, const char *text);

struct reader {
	const uint8_t *p; /* borrowed */
	size_t left;
	bool ok;
};

struct reader reader_of(const void *p, size_t n);
uint8_t read_u8(struct reader *r);
uint16_t read_be16(struct reader *r);
uint32_t read_be24(struct reader *r);
uint32_t read_be32(struct reader *r);
uint64_t read_be64(struct reader *r);
/* n bytes, borrowed from the source; an empty span with ok=false if there are fewer. */
struct span read_span(struct reader *r, size_t n);

#endif
