/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Streaming reader of multipart/form-data, see multipart.h. */
#include "fcgi/multipart.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/mem.h"
#include "fcgi/json.h"
#include "fcgi/uri.h"

enum state {
	PREAMBLE, /* before the first boundary */
	TAIL,     /* behind a boundary: "--" ends the message, a line end starts a part */
	HEADERS,
	CONTENT,
	EPILOGUE
};

struct multipart {
	const struct multipart_events *events; /* borrowed */
	void *arg;                             /* the events' */
	enum state state;
	enum multipart_error error;
	bool open; /* a part has begun */
	size_t parts;
	size_t mark_len;
	char mark[MULTIPART_MAX_BOUNDARY + 4]; /* CRLF "--" boundary */
	struct buf held;                       /* bytes that could not be judged yet; bounded by mark_len or the header limit */
	struct arena arena;                    /* the current part's texts */
};

static struct span trim(struct span s)
{
	while (s.n && (s.p[0] == ' ' || s.p[0] == '\t'))
		s = span_of(s.p + 1, s.n - 1);
	while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t' || s.p[s.n - 1] == '\r'))
		s.n--;
	return s;
}

/* Index of the first of `stop` outside quotes from `at`, or s.n. */
static size_t find_unquoted(struct span s, size_t at, char stop)
{
	bool quoted = false;

	for (; at < s.n; at++) {
		if (quoted && s.p[at] == '\\')
			at++;
		else if (s.p[at] == '"')
			quoted = !quoted;
		else if (!quoted && s.p[at] == (uint8_t)stop)
			break;
	}
	return at < s.n ? at : s.n;
}

static struct span unquote(struct arena *a, struct span s)
{
	uint8_t *out, *w;

	if (s.n < 2 || s.p[0] != '"' || s.p[s.n - 1] != '"')
		return s;
	w = out = arena_alloc(a, s.n);
	for (size_t i = 1; i + 1 < s.n; i++) {
		/* browsers escape only the quote; a backslash before anything else belongs to the name (C:\x) */
		if (s.p[i] == '\\' && i + 2 < s.n && (s.p[i + 1] == '"' || s.p[i + 1] == '\\'))
			i++;
		*w++ = s.p[i];
	}
	return span_of(out, (size_t)(w - out));
}

bool header_param(struct arena *a, struct span value, const char *name, struct span *out)
{
	size_t at = find_unquoted(value, 0, ';'), n = strlen(name);

	while (at < value.n) {
		size_t end = find_unquoted(value, at + 1, ';');
		struct span piece = trim(span_of(value.p + at + 1, end - at - 1));
		const uint8_t *equals = piece.n ? memchr(piece.p, '=', piece.n) : NULL;
		struct span key = equals ? trim(span_of(piece.p, (size_t)(equals - piece.p))) : piece;

		if (equals && key.n == n && !strncasecmp((const char *)key.p, name, n)) {
			*out = unquote(a, trim(span_of(equals + 1, piece.n - (size_t)(equals + 1 - piece.p))));
			return true;
		}
		at = end;
	}
	return false;
}

/* RFC 5987: charset'language'percent-encoded. */
static bool extended_value(struct arena *a, struct span s, struct span *out)
{
	const uint8_t *first = s.n ? memchr(s.p, '\'', s.n) : NULL;
	const uint8_t *second = first ? memchr(first + 1, '\'', s.n - (size_t)(first + 1 - s.p)) : NULL;

	if (!second || (size_t)(first - s.p) != 5 || strncasecmp((const char *)s.p, "utf-8", 5))
		return false;
	*out = uri_decode(a, span_of(second + 1, s.n - (size_t)(second + 1 - s.p)), false);
	return true;
}

/* Old browsers send whole paths; only the last segment is a name. */
static struct span base_name(struct span s)
{
	for (size_t i = s.n; i > 0; i--)
		if (s.p[i - 1] == '/' || s.p[i - 1] == '\\')
			return span_of(s.p + i, s.n - i);
	return s;
}

static void read_disposition(struct arena *a, struct span value, struct multipart_part *part)
{
	struct span s;

	if (header_param(a, value, "name", &s) && s.n)
		part->name = utf8_clean(a, s);
	part->is_file = header_param(a, value, "filename", &part->filename);
	if (header_param(a, value, "filename*", &s) && extended_value(a, s, &s)) {
		part->filename = s;
		part->is_file = true;
	}
	part->filename = utf8_clean(a, base_name(part->filename));
}

static struct span lower(struct arena *a, struct span s)
{
	uint8_t *out = arena_alloc(a, s.n);

	for (size_t i = 0; i < s.n; i++)
		out[i] = (uint8_t)tolower(s.p[i]);
	return span_of(out, s.n);
}

static void read_header(struct arena *a, struct span line, struct multipart_part *part)
{
	const uint8_t *colon = line.n ? memchr(line.p, ':', line.n) : NULL;
	struct span name, value;

	if (!colon)
		return;
	name = lower(a, trim(span_of(line.p, (size_t)(colon - line.p))));
	value = trim(span_of(colon + 1, line.n - (size_t)(colon + 1 - line.p)));
	if (span_is(name, "content-disposition")) {
		read_disposition(a, value, part);
	} else if (span_is(name, "content-type")) {
		value = trim(span_of(value.p, find_unquoted(value, 0, ';')));
		if (value.n)
			part->type = lower(a, value);
	}
}

static int refuse(struct multipart *m, enum multipart_error error)
{
	m->error = error;
	return -1;
}

static int begin_part(struct multipart *m, struct span headers)
{
	struct multipart_part part = { .name = span_text("file"), .type = span_text("application/octet-stream") };

	if (++m->parts > MULTIPART_MAX_PARTS)
		return refuse(m, MULTIPART_TOO_MANY);
	arena_reset(&m->arena);
	while (headers.n) {
		const uint8_t *nl = memchr(headers.p, '\n', headers.n);
		size_t n = nl ? (size_t)(nl - headers.p) : headers.n;

		read_header(&m->arena, span_of(headers.p, n), &part);
		headers = nl ? span_of(nl + 1, headers.n - n - 1) : span_of(headers.p, 0);
	}
	m->open = true;
	return m->events->begin(m->arg, &part) ? refuse(m, MULTIPART_REFUSED) : 0;
}

static int emit(struct multipart *m, struct span bytes)
{
	if (m->state != CONTENT || !bytes.n)
		return 0;
	return m->events->content(m->arg, bytes) ? refuse(m, MULTIPART_REFUSED) : 0;
}

/* PREAMBLE and CONTENT: hands on what cannot be part of a boundary. 1: a boundary was eaten, 0: wants more, -1: error. */
static int eat_content(struct multipart *m)
{
	const uint8_t *hit = memmem(m->held.data, m->held.len, m->mark, m->mark_len);
	size_t safe = hit ? (size_t)(hit - m->held.data) : m->held.len >= m->mark_len ? m->held.len - m->mark_len + 1 : 0;

	if (emit(m, span_of(m->held.data, safe)))
		return -1;
	buf_consume(&m->held, safe + (hit ? m->mark_len : 0));
	if (!hit)
		return 0;
	if (m->open && m->events->end(m->arg))
		return refuse(m, MULTIPART_REFUSED);
	m->open = false;
	m->state = TAIL;
	return 1;
}

static int eat_tail(struct multipart *m)
{
	const uint8_t *nl;

	if (m->held.len < 2)
		return 0;
	if (!memcmp(m->held.data, "--", 2)) {
		m->state = EPILOGUE;
		return 1;
	}
	nl = memchr(m->held.data, '\n', m->held.len);
	if (!nl)
		return m->held.len > MULTIPART_MAX_HEADER_BYTES ? refuse(m, MULTIPART_MALFORMED) : 0;
	for (const uint8_t *p = m->held.data; p < nl; p++)
		if (*p != ' ' && *p != '\t' && *p != '\r')
			return refuse(m, MULTIPART_MALFORMED);
	buf_consume(&m->held, (size_t)(nl - m->held.data) + 1);
	m->state = HEADERS;
	return 1;
}

static int eat_headers(struct multipart *m)
{
	/* a part without headers starts with its empty line at once */
	bool none = m->held.len >= 2 && !memcmp(m->held.data, "\r\n", 2);
	const uint8_t *end = none ? m->held.data : memmem(m->held.data, m->held.len, "\r\n\r\n", 4);
	size_t n = end ? (size_t)(end - m->held.data) : m->held.len;

	if (n > MULTIPART_MAX_HEADER_BYTES)
		return refuse(m, MULTIPART_TOO_MANY);
	if (!end)
		return 0;
	if (begin_part(m, span_of(m->held.data, n)))
		return -1;
	buf_consume(&m->held, n + (none ? 2 : 4));
	m->state = CONTENT;
	return 1;
}

/* 1: there may be more to do with the bytes that are held, 0: wants more, -1: error. */
static int step(struct multipart *m)
{
	switch (m->state) {
	case PREAMBLE:
	case CONTENT:
		return eat_content(m);
	case TAIL:
		return eat_tail(m);
	case HEADERS:
		return eat_headers(m);
	case EPILOGUE:
		break;
	}
	buf_clear(&m->held);
	return 0;
}

enum multipart_error multipart_feed(struct multipart *m, struct span bytes)
{
	while (!m->error && bytes.n) {
		/* in pieces, so that what is held stays small however much comes at once */
		size_t n = bytes.n < 65536 ? bytes.n : 65536;

		buf_append(&m->held, bytes.p, n);
		bytes = span_of(bytes.p + n, bytes.n - n);
		while (step(m) > 0)
			;
	}
	return m->error;
}

enum multipart_error multipart_finish(struct multipart *m)
{
	if (!m->error && m->state != EPILOGUE)
		m->error = MULTIPART_MALFORMED;
	return m->error;
}

struct multipart *multipart_new(struct span content_type, const struct multipart_events *events, void *arg)
{
	struct multipart *m = xcalloc(1, sizeof *m);
	struct span boundary;

	arena_init(&m->arena, 0);
	if (!header_param(&m->arena, content_type, "boundary", &boundary) || !boundary.n || boundary.n >= MULTIPART_MAX_BOUNDARY) {
		multipart_free(m);
		return NULL;
	}
	m->events = events;
	m->arg = arg;
	memcpy(m->mark, "\r\n--", 4);
	memcpy(m->mark + 4, boundary.p, boundary.n);
	m->mark_len = boundary.n + 4;
	/* the first boundary may stand at the very beginning, without the line end before it */
	buf_append(&m->held, "\r\n", 2);
	return m;
}

void multipart_free(struct multipart *m)
{
	if (!m)
		return;
	buf_free(&m->held);
	arena_free(&m->arena);
	free(m);
}
