/* SPDX-License-Identifier: GPL-3.0-or-later */
/* CGI output: status, headers, cookie, body. */
#include "fcgi/responder_output.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fcgi/headers.h"
#include "fcgi/uri.h"

#define COOKIE "WAREST_DOCS_SESSION"
#define COOKIE_SECONDS 1209600

static void write_cookie(struct responder *w, const struct request *r)
{
	const struct answer *a = &w->answer;
	time_t expires = time(NULL) + (a->cookie.n ? COOKIE_SECONDS : 0);
	struct tm tm;
	char text[64];

	if (!a->has_cookie)
		return;
	gmtime_r(&expires, &tm);
	strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &tm);
	buf_printf(&w->head, "Set-Cookie: %s=%s; Max-Age=%d; Path=/; Expires=%s; HttpOnly%s; SameSite=Lax\r\n", COOKIE,
		   uri_encode(&w->arena, a->cookie), a->cookie.n ? COOKIE_SECONDS : 0, text, r->settings->production ? "; Secure" : "");
}

static void write_cors(struct responder *w, const struct request *r)
{
	if (!cors_allowed(r))
		return;
	cors_headers(r, &w->head);
	if (!strcmp(r->method, "OPTIONS"))
		cors_preflight_headers(&w->head);
	security_headers(r, &w->head);
}

/* The daemon feeds the descriptor as fast as it is read; a pause of this length means it never will again. */
#define FILE_PAUSE_MS 120000

/* Sends a file's bytes, one buffer at a time. What ends early leaves the client with less than Content-Length: it sees that. */
static void write_file(struct responder *w, struct request *r)
{
	enum { PIECE = 64 << 10 };
	uint64_t left = w->answer.file_length;
	struct pollfd ready = { .fd = w->answer.file, .events = POLLIN };

	buf_clear(&w->body);
	while (left > 0) {
		uint8_t *to = buf_reserve(&w->body, PIECE);
		ssize_t n;

		if (poll(&ready, 1, FILE_PAUSE_MS) <= 0 && errno != EINTR)
			return;
		n = read(w->answer.file, to, left < PIECE ? (size_t)left : PIECE);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n <= 0 || r->x->ops->write(r->x, to, (size_t)n))
			return;
		left -= (uint64_t)n;
	}
}

/* Head and body; 0 or -1. Small bodies leave together with the head. */
static int write_text(struct responder *w, struct request *r, const struct rendered *body)
{
	const struct buf *text = body->text;
	bool parted = body->middle.n > 0 || body->file > 0;
	int rc;

	if (strcmp(r->method, "HEAD"))
		buf_append(&w->head, text->data, parted ? body->at : text->len);
	if (r->x->ops->write(r->x, w->head.data, w->head.len))
		return -1;
	if (!strcmp(r->method, "HEAD") || !parted)
		return 0;
	if (body->file > 0)
		rc = r->x->ops->write_file(r->x, w->answer.file, body->file);
	else
		rc = r->x->ops->write(r->x, body->middle.p, body->middle.n);
	if (rc)
		return -1;
	return r->x->ops->write(r->x, text->data + body->at, text->len - body->at);
}

/* The body as a file that the web server sends by itself; NULL: there is none, it is written here. */
static const char *kept_body(struct responder *w, const struct request *r, const struct rendered *body)
{
	struct span text = buf_span(body->text);

	if (!w->kept || body->file == 0 || !strcmp(r->method, "HEAD"))
		return NULL;
	return kept_path(w->kept, &w->arena, span_of(text.p, body->at), w->answer.file, body->file, span_of(text.p + body->at, text.n - body->at));
}

void responder_write(struct responder *w, struct request *r)
{
	const struct answer *a = &w->answer;
	enum family family = r->match.route ? r->match.route->family : FAMILY_A_NULL;
	bool empty = a->status == 204 || a->status == 304;
	struct rendered body = { .text = &w->body };
	const char *kept = NULL;

	buf_clear(&w->head);
	buf_clear(&w->body);
	if (!empty && !a->has_file)
		body = answer_render(a, family, &w->body);
	kept = kept_body(w, r, &body);
	buf_printf(&w->head, "Status: %d %s\r\n", a->status, http_reason(a->status));
	write_cors(w, r);
	buf_append_span(&w->head, buf_span(&a->headers));
	write_cookie(w, r);
	if (!empty)
		buf_printf(&w->head, "Content-Type: %s\r\n", a->type ? a->type : "application/json; charset=utf-8");
	if (kept) {
		/* the web server adds tags of the file: without this a browser might take its own copy for good */
		buf_printf(&w->head, "Cache-Control: no-cache\r\nX-Sendfile: %s\r\n\r\n", kept);
		(void)r->x->ops->write(r->x, w->head.data, w->head.len);
		return;
	}
	if (a->has_file)
		buf_printf(&w->head, "Content-Length: %" PRIu64 "\r\n\r\n", empty ? 0 : a->file_length);
	else
		buf_printf(&w->head, "Content-Length: %" PRIu64 "\r\n\r\n", w->body.len + body.middle.n + body.file);
	/* nobody to tell when the web server has left */
	if (write_text(w, r, &body) == 0 && a->has_file && a->file >= 0 && !empty && strcmp(r->method, "HEAD"))
		write_file(w, r);
	buf_wipe(&w->body);
}

int responder_write_head(struct responder *w, struct request *r, const char *type)
{
	const struct answer *a = &w->answer;

	buf_clear(&w->head);
	buf_printf(&w->head, "Status: %d %s\r\n", a->status, http_reason(a->status));
	write_cors(w, r);
	buf_append_span(&w->head, buf_span(&a->headers));
	/* X-Accel-Buffering: nginx holds nothing back */
	buf_printf(&w->head, "Content-Type: %s\r\nCache-Control: no-cache, no-transform\r\nX-Accel-Buffering: no\r\n\r\n", type);
	return r->x->ops->write(r->x, w->head.data, w->head.len);
}
