/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Envelopes, see answer.h. */
#include "fcgi/answer.h"

#include <string.h>
#include <unistd.h>

#include "fcgi/json_out.h"

void answer_init(struct answer *a)
{
	*a = (struct answer){ .status = 500, .file = -1 };
}

static void close_file(struct answer *a)
{
	if (a->file >= 0)
		close(a->file);
	a->file = -1;
}

void answer_free(struct answer *a)
{
	buf_free(&a->headers);
	close_file(a);
	answer_init(a);
}

void answer_clear(struct answer *a)
{
	struct buf headers = a->headers;

	close_file(a);
	buf_clear(&headers);
	answer_init(a);
	a->headers = headers;
}

void answer_set(struct answer *a, int status, int code, const char *message)
{
	a->status = status;
	a->code = code;
	a->message = message;
	a->result = a->failed = a->bare = span_of(NULL, 0);
}

void answer_fault(struct answer *a, const struct fault *f)
{
	answer_set(a, f->status, f->code, f->message);
}

void answer_header(struct answer *a, const char *name, struct span value)
{
	for (size_t i = 0; i < value.n; i++)
		if (value.p[i] < 0x20 || value.p[i] == 0x7f)
			return;
	buf_printf(&a->headers, "%s: %.*s\r\n", name, (int)value.n, (const char *)value.p);
}

static bool succeeded(const struct answer *a)
{
	return a->status >= 200 && a->status < 300;
}

/* From here on a copy costs more than one more write. */
enum { BIG_RESULT = 32768 };

/* Nothing but closing brackets may follow: the writer looks at the last byte to know whether a comma is due. */
static void put_result(struct rendered *out, const struct answer *a)
{
	if (a->result.n < BIG_RESULT || a->failed.n > 0) {
		json_raw(out->text, a->result);
		return;
	}
	out->at = out->text->len;
	out->middle = a->result;
}

/* What comes in a file is an object. */
static void put_any(struct rendered *out, const struct answer *a)
{
	if (!a->result_file) {
		put_result(out, a);
		return;
	}
	out->at = out->text->len;
	out->file = a->file_length;
}

static void results(struct rendered *out, const struct answer *a, enum family family)
{
	struct buf *b = out->text;
	bool none = !a->result_file && (!a->result.n || span_is(a->result, "null"));

	json_name(b, family == FAMILY_S ? "result" : "results");
	if (none && family == FAMILY_A)
		json_raw(b, span_text("[]"));
	else if (none && family == FAMILY_A_NULL && succeeded(a))
		json_raw(b, span_text("[]"));
	else if (none)
		json_null(b);
	else if (family == FAMILY_S || (!a->result_file && a->result.p[0] == '['))
		put_any(out, a);
	else {
		json_open(b, '[');
		put_any(out, a);
		json_close(b, ']');
	}
}

struct rendered answer_render(const struct answer *a, enum family family, struct buf *body)
{
	struct rendered out = { .text = body };

	if (a->bare.n) {
		buf_append_span(body, a->bare);
		return out;
	}
	json_open(body, '{');
	if (family == FAMILY_BARE || family == FAMILY_FILE) {
		json_member(body, "error", a->message ? a->message : http_reason(a->status));
	} else {
		json_name(body, "status");
		json_bool(body, succeeded(a));
		json_name(body, "code");
		json_int(body, a->code);
		json_member(body, "message", a->message ? a->message : "");
		results(&out, a, family);
		if (a->failed.n) {
			json_name(body, "failed");
			json_raw(body, a->failed);
		}
	}
	json_close(body, '}');
	return out;
}

const char *http_reason(int status)
{
	static const struct {
		int status;
		const char *reason;
	} reasons[] = {
		{ 200, "OK" }, { 202, "Accepted" }, { 204, "No Content" }, { 206, "Partial Content" }, { 207, "Multi-Status" }, { 304, "Not Modified" },
		{ 400, "Bad Request" }, { 401, "Unauthorized" }, { 403, "Forbidden" }, { 404, "Not Found" }, { 408, "Request Timeout" },
		{ 409, "Conflict" }, { 410, "Gone" }, { 413, "Payload Too Large" }, { 415, "Unsupported Media Type" },
		{ 416, "Range Not Satisfiable" },
		{ 422, "Unprocessable Entity" }, { 429, "Too Many Requests" }, { 500, "Internal Server Error" },
		{ 501, "Not Implemented" }, { 502, "Bad Gateway" }, { 503, "Service Unavailable" }, { 504, "Gateway Timeout" },
	};

	for (size_t i = 0; i < COUNT(reasons); i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return status < 400 ? "OK" : "Error";
}
