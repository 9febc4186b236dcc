/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, a hostile upload crashes warest.fcgi, or what is read depends on how the bytes were cut on their way. */
#include "fcgi/multipart.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int begin(void *arg, const struct multipart_part *part)
{
	struct buf *log = arg;

	buf_printf(log, "<%d:", part->is_file);
	buf_append_span(log, part->name);
	buf_u8(log, '|');
	buf_append_span(log, part->filename);
	buf_u8(log, '|');
	buf_append_span(log, part->type);
	buf_u8(log, '>');
	return 0;
}

static int content(void *arg, struct span bytes)
{
	buf_append_span(arg, bytes);
	return 0;
}

static int end(void *arg)
{
	buf_append_text(arg, "</>");
	return 0;
}

static const struct multipart_events events = { begin, content, end };

static enum multipart_error parse(struct span type, struct span body, size_t step, struct buf *log)
{
	struct multipart *m = multipart_new(type, &events, log);
	enum multipart_error error;

	if (!m)
		return MULTIPART_MALFORMED;
	while (body.n) {
		size_t n = body.n < step ? body.n : step;

		(void)multipart_feed(m, span_of(body.p, n));
		body = span_of(body.p + n, body.n - n);
	}
	error = multipart_finish(m);
	multipart_free(m);
	return error;
}

/* First line: the content type. The rest: the body. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *nl = size ? memchr(data, '\n', size) : NULL;
	struct span type, body;
	struct buf whole, pieces;
	enum multipart_error a, b;

	if (!nl)
		return 0;
	type = span_of(data, (size_t)(nl - data));
	body = span_of(nl + 1, size - type.n - 1);
	buf_init(&whole);
	buf_init(&pieces);
	a = parse(type, body, SIZE_MAX, &whole);
	b = parse(type, body, 1 + size % 7, &pieces);
	if (a != b || (a == MULTIPART_OK && !span_equal(buf_span(&whole), buf_span(&pieces))))
		abort();
	buf_free(&whole);
	buf_free(&pieces);
	return 0;
}
