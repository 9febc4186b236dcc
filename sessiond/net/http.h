/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Bounded HTTP requests on a loop: one request, one answer, limits on time, size and redirects, certificates verified.
 *
 *     parse the URL -> resolve the name -> guard -> pin the allowed addresses -> libcurl -> 307/308? again from the start
 *
 * With a guard the connection goes to exactly the addresses that were judged: the name is not resolved a second time, and the
 * address is judged once more when the socket is opened. http:// and https:// only; the environment's proxies are not used.
 */
#ifndef SESSIOND_NET_HTTP_H
#define SESSIOND_NET_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "sessiond/net/guard.h"

struct net;
struct http_call;

enum http_error {
	HTTP_OK = 0,       /* there is a status, whatever it is */
	HTTP_BAD_URL = -1, /* not an absolute http:// or https:// address */
	HTTP_REFUSED = -2, /* by the guard */
	HTTP_DNS = -3,
	HTTP_CONNECT = -4,
	HTTP_TLS = -5,
	HTTP_TIMEOUT = -6,
	HTTP_REDIRECTS = -7, /* more than three */
	HTTP_BROKEN = -8     /* the connection ended early, or what came is not HTTP */
};

struct http_request {
	const char *method; /* NULL: POST with a body, else GET */
	const char *url;
	const char *const *headers; /* "Name: value"; no line breaks */
	size_t header_count;
	struct span body;          /* sent when p is not NULL */
	int64_t timeout_ms;        /* for everything, redirects included */
	size_t max_answer;         /* bytes of the answer's body that are read; the rest is cut off */
	const struct guard *guard; /* must outlive the call; NULL: our own settings chose the address */
	bool follow;               /* 307 and 308, at most three, method and body kept */
};

struct http_answer {
	enum http_error error;
	int status;           /* of the last hop; 0 with an error before one came */
	struct span body;     /* borrowed for the call of done */
	bool truncated;
	int64_t retry_after_s; /* from the header (seconds or a date); -1 = none */
	int64_t round_trip_ms;
	const char *text;     /* with an error: one line for people, without credentials; else "" */
};

typedef void http_done(void *arg, const struct http_answer *answer);

/*
 * Copies the request. done is called once, never from inside this function; the call is gone when it returns. 0 or -ENOMEM (an
 * address that cannot be used is told through done).
 */
int http_send(struct http_call **out, struct net *net, const struct http_request *request, http_done *done, void *arg);
/* done will not be called. NULLs the pointer. */
void http_cancel(struct http_call **call);
/* True for an absolute http:// or https:// address with a host. */
bool http_url_is_valid(const char *url);
/* "refused", "timeout", ... */
const char *http_error_name(enum http_error error);

#endif
