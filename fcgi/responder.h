/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fcgi/: warest.fcgi, the web-facing half. It owns nothing: no database, no keys, no WhatsApp. One request goes through
 *
 *     request.c      method, path, query, client address          headers.c    CORS, security headers
 *     router.c       the entry of the route table (route.h)       credentials.c  the key, wherever it stands
 *     body.c         bounded body, JSON (json.c)                  validate.c   session choice and parameters
 *     daemon.c       one RPC frame, one answer                    answer.c     the family's envelope
 *
 * and responder.c holds that order. pool.c feeds it from FastCGI connections with many threads, main.c from one plain CGI request.
 * api_*.c hold the table's entries per REST resource, openapi.c makes the OpenAPI document of them.
 */
#ifndef FCGI_RESPONDER_H
#define FCGI_RESPONDER_H

#include "fcgi/daemon.h"
#include "fcgi/exchange.h"
#include "fcgi/kept.h"
#include "fcgi/settings.h"

/* What one thread needs to answer requests one after another; memory is reused. Not shared between threads. */
struct responder {
	const struct settings *settings; /* borrowed */
	struct daemon daemon;
	struct arena arena;
	struct buf body_bytes; /* request body */
	struct buf params;     /* "p" of the RPC frame */
	struct buf head;       /* answer's header */
	struct buf body;       /* answer's body */
	struct answer answer;
	struct kept *kept;     /* borrowed; NULL: every answer is written here */
	struct answer checked; /* what the daemon said about a request that is refused here */
};

/* link NULL: no questions to the daemon; what needs it is answered with 503 (the refusing thread of an overloaded process). */
void responder_init(struct responder *w, const struct settings *settings, struct daemon_link *link);
void responder_free(struct responder *w);
/* Reads one request and writes its answer. */
void responder_serve(struct responder *w, struct exchange *x);

#endif
