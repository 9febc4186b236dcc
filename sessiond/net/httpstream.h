/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An HTTP request to an address of our own settings (no guard), whose body is borrowed and whose answer may be taken in pieces, as fast as the taker
 * can: for object storage. The answer of an error is kept as text.
 *
 *     body (borrowed) --> server --> status 2xx: piece() ... piece() refuses -> paused -> httpstream_resume()
 *                                    otherwise:  text, at most 64 KiB
 */
#ifndef SESSIOND_NET_HTTPSTREAM_H
#define SESSIOND_NET_HTTPSTREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "sessiond/net/http.h"

struct net;
struct httpstream;

struct httpstream_answer {
	enum http_error error;
	int status;       /* 0 with an error before one came */
	struct span text; /* body that no piece() took; borrowed for the call */
	const char *etag; /* header, "" without one; borrowed */
	const char *why;  /* with an error: one line for people */
};

struct httpstream_request {
	const char *method;
	const char *url;
	const char *const *headers; /* "Name: value"; copied */
	size_t header_count;
	struct span body;           /* borrowed until done; p NULL: none */
	int64_t idle_ms;            /* silence, and connecting, may take this long */
	/* A piece of a 2xx answer. False: no room, hand it over again after httpstream_resume(). NULL: everything becomes text. */
	bool (*piece)(void *arg, int status, struct span bytes);
	/* Once, never from inside httpstream_start(); the stream is gone when it returns. */
	void (*done)(void *arg, const struct httpstream_answer *answer);
	void *arg;
};

/* 0 or -ENOMEM. The net's loop. */
int httpstream_start(struct httpstream **out, struct net *net, const struct httpstream_request *request);
/* The taker has room again. Not from inside piece(). */
void httpstream_resume(struct httpstream *stream);
/* done will not be called. NULLs the pointer; NULL inside is fine. */
void httpstream_cancel(struct httpstream **stream);

#endif
