/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One request, parsed: what the handlers and the validator look at. Everything lives in the worker's arena until the answer is out. */
#ifndef FCGI_REQUEST_H
#define FCGI_REQUEST_H

#include "common/arena.h"
#include "common/buf.h"
#include "fcgi/exchange.h"
#include "fcgi/json.h"
#include "fcgi/route.h"
#include "fcgi/settings.h"

struct upload;

struct request {
	struct exchange *x;              /* borrowed */
	const struct settings *settings; /* borrowed */
	struct arena *arena;             /* borrowed from the worker */
	struct buf *body_bytes;          /* borrowed from the worker */
	int64_t started_ns;              /* monotonic */
	const char *method;
	struct span path;                /* raw, without the query */
	struct route_match match;
	struct json *query;              /* an object, always there */
	struct json *body;               /* object or array, NULL without one */
	struct upload *upload; /* in the arena: files that came with it; NULL: none can */
	struct fault body_fault;         /* message NULL: the body is fine or absent */
	const char *key;                 /* API key, NULL if none was sent */
	bool key_from_cookie;
	const char *ip;                  /* the client's address behind trusted proxies */
	const char *scheme;              /* "http" or "https", as the client sees it */
	const char *host;                /* host[:port] as the client sees it, "" if unknown */
};

/* Reads everything but the body. The request borrows all arguments. */
void request_init(struct request *r, struct exchange *x, const struct settings *settings, struct arena *arena, struct buf *body_bytes);
/* A CGI variable, NULL if absent or empty. */
const char *request_var(const struct request *r, const char *name);
/* Cookie value, percent-decoded, NULL if absent. */
const char *request_cookie(struct request *r, const char *name);

/* credentials.c: fills key (rest-a 1.2; docs routes know fewer places, rest-a 3). */
void credentials_read(struct request *r, enum auth auth);
/* "Bearer x" in any case -> x, NULL otherwise. */
const char *credentials_bearer(struct request *r);

/* body.c: reads and parses the body within `limit`; sets body or body_fault. */
void body_read(struct request *r, size_t limit);
/* The JSON object or array of a body; NULL with body_fault when it is none, and when there is nothing but white space. */
struct json *body_parse(struct request *r, struct span text);
/* A JSON body that can be read; false for other types, and with body_fault when its charset or coding is foreign. */
bool body_is_json(struct request *r);
/* No body at all. */
bool body_empty(const struct request *r);
/* Declared longer than this. */
bool body_over(const struct request *r, uint64_t n);
/* Declared or read: is there a body larger than n bytes? */
bool body_larger(const struct request *r, size_t n);
/* Reads on and forgets, so that the web server can deliver an answer that came early. */
void body_drain(struct request *r);

#endif
