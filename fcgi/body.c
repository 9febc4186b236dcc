/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Request bodies: reading within a limit, JSON (contract rest-a 1.3 and 1.4). */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/limits.h"
#include "fcgi/request.h"

#define DRAIN_LIMIT (256U << 20)

static const struct fault too_large = { 413, 0, "request entity too large" };
static const struct fault aborted = { 400, 0, "request aborted" };

/* The declared length; SIZE_MAX when the body comes in chunks without one. */
static size_t declared_length(const struct request *r)
{
	const char *text = request_var(r, "CONTENT_LENGTH"), *coding = request_var(r, "HTTP_TRANSFER_ENCODING");
	char *end;
	unsigned long long n;

	if (!text || *text < '0' || *text > '9')
		return coding && strcasestr(coding, "chunked") ? SIZE_MAX : 0;
	n = strtoull(text, &end, 10);
	return *end || n > SIZE_MAX - 1 ? SIZE_MAX - 1 : (size_t)n;
}

bool body_larger(const struct request *r, size_t n)
{
	size_t declared = declared_length(r);

	return declared == SIZE_MAX ? r->body_bytes->len > n : declared > n;
}

static void set_fault(struct request *r, struct fault fault)
{
	r->body_fault = fault;
}

static int read_bytes(struct request *r, size_t declared, size_t limit)
{
	struct buf *b = r->body_bytes;

	while (b->len < declared) {
		size_t want = declared - b->len < 65536 ? declared - b->len : 65536;
		ssize_t got = r->x->ops->read(r->x, buf_reserve(b, want), want);

		if (got < 0 || (got == 0 && declared != SIZE_MAX)) {
			set_fault(r, aborted);
			return -1;
		}
		if (got == 0)
			break;
		buf_commit(b, (size_t)got);
		if (b->len > limit) {
			set_fault(r, too_large);
			return -1;
		}
	}
	return 0;
}

static bool is_json(struct span type)
{
	return (type.n == 16 && !strncasecmp((const char *)type.p, "application/json", 16)) ||
	       (type.n == 9 && !strncasecmp((const char *)type.p, "text/json", 9)) ||
	       (type.n > 5 && !strncasecmp((const char *)type.p + type.n - 5, "+json", 5));
}

/* The charset parameter of a content type, an empty span without one. */
static struct span charset_of(const char *type)
{
	const char *at = strcasestr(type, "charset=");
	size_t n;

	if (!at)
		return span_of(NULL, 0);
	at += 8;
	at += *at == '"';
	n = strcspn(at, "\"; \t");
	return span_of(at, n);
}

bool body_empty(const struct request *r)
{
	return declared_length(r) == 0;
}

bool body_over(const struct request *r, uint64_t n)
{
	size_t declared = declared_length(r);

	return declared != SIZE_MAX && declared > n;
}

/* Other types count as no body at all (the original's rule). */
bool body_is_json(struct request *r)
{
	const char *type = request_var(r, "CONTENT_TYPE"), *coding = request_var(r, "HTTP_CONTENT_ENCODING");
	struct span charset;

	if (!type || !is_json(span_of(type, strcspn(type, "; \t"))))
		return false;
	charset = charset_of(type);
	if (charset.n && !(charset.n == 5 && !strncasecmp((const char *)charset.p, "utf-8", 5))) {
		set_fault(r, (struct fault){ 415, 0, arena_printf(r->arena, "unsupported charset \"%.*s\"", (int)charset.n, (const char *)charset.p) });
		return false;
	}
	if (coding && strcasecmp(coding, "identity")) {
		set_fault(r, (struct fault){ 415, 0, arena_printf(r->arena, "unsupported content encoding \"%s\"", coding) });
		return false;
	}
	return true;
}

struct json *body_parse(struct request *r, struct span text)
{
	struct json *body;
	size_t first = 0;
	const char *error;

	while (first < text.n && strchr(" \t\r\n", text.p[first]) && text.p[first])
		first++;
	if (first == text.n)
		return NULL;
	if (text.p[first] != '{' && text.p[first] != '[') {
		set_fault(r, (struct fault){ 400, 0, arena_printf(r->arena, "Unexpected token %c in JSON at position %zu",
								  text.p[first] > 0x20 && text.p[first] < 0x7f ? text.p[first] : '?', first) });
		return NULL;
	}
	body = json_parse(r->arena, text, &error);
	if (!body)
		set_fault(r, (struct fault){ 400, 0, error });
	return body;
}

void body_read(struct request *r, size_t limit)
{
	size_t declared = declared_length(r);

	if (!declared || !body_is_json(r))
		return;
	if (declared != SIZE_MAX && declared > limit) {
		set_fault(r, too_large);
		return;
	}
	if (read_bytes(r, declared, limit))
		return;
	r->body = body_parse(r, buf_span(r->body_bytes));
	if (!r->body)
		return;
	/* Send routes take the first element of an array for the request (rest-a 1.4). */
	if (r->match.route && r->match.route->body == BODY_JSON_SEND && r->body->type == JSON_ARRAY && r->body->first && r->body->first->type == JSON_OBJECT)
		r->body = r->body->first;
}

void body_drain(struct request *r)
{
	size_t declared = declared_length(r), most = declared < DRAIN_LIMIT ? declared : DRAIN_LIMIT, at = r->body_bytes->len;
	uint8_t scratch[4096];

	while (at < most) {
		ssize_t got = r->x->ops->read(r->x, scratch, most - at < sizeof scratch ? most - at : sizeof scratch);

		if (got <= 0)
			break;
		at += (size_t)got;
	}
}
