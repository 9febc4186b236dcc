/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Bounded HTTP requests on a loop: one request, one answer, limits on time, size and redirects, certificates verified.
 *
 *     parse the URL -> resolve the name -> guard -> pin the allowed addresses -> libcurl -> 307/308? again from the start
 *
 * With a guard the connection goes to exactly the addresses that were judged: the name is not resolved a second time, and the
 * address is judged once more when the socket is opened. What a name resolved to is remembered for a minute (names.h) and judged anew
 * for each request; a kept connection was judged when it was opened. http:// and https:// only; the environment's proxies are not used.
 *
 * Through a proxy nothing is ever dialled but the proxy. With a guard as well, the proxy is told the address that was judged, not the name
 * (CONNECT and SOCKS alike), so that what it would make of the name does not matter. With proxy_resolves it gets the name: then addresses
 * that stand in the URL, and names that can only be private, are all that can be refused.
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
	HTTP_BROKEN = -8,    /* the connection ended early, or what came is not HTTP */
	HTTP_TOO_LARGE = -9, /* more than max_answer for answer_fd */
	HTTP_FILE = -10,     /* body_fd or answer_fd cannot be read or written */
	HTTP_PROXY = -11     /* the proxy is not there, or did not connect */
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
	bool http2;                /* where an https server offers it (ALPN); else and by default HTTP/1.1 */
	bool follow_get;           /* the same for 301, 302 and 303 of a GET */
	/* Files instead of memory; the descriptors stay the caller's and must be good until done. Their positions are not used. */
	bool has_body_file;        /* the body is body_len bytes of body_fd from body_at */
	int body_fd;
	uint64_t body_at, body_len;
	bool has_answer_file;      /* the body of a 2xx answer goes into answer_fd from its start, up to max_answer bytes (else HTTP_TOO_LARGE) */
	int answer_fd;
	const char *proxy;         /* address of a proxy, NULL or "": direct */
	bool proxy_resolves;       /* with a proxy and a guard: the name is not resolved here */
	int64_t stall_ms;          /* HTTP_TIMEOUT when next to nothing moves for so long; 0: only timeout_ms counts */
};

struct http_answer {
	enum http_error error;
	int status;           /* of the last hop; 0 with an error before one came */
	struct span body;     /* borrowed for the call of done */
	bool truncated;
	int64_t retry_after_s; /* from the header (seconds or a date); -1 = none */
	int64_t round_trip_ms;
	uint64_t received;     /* bytes in answer_fd */
	const char *type;      /* Content-Type, "" without; borrowed like body */
	const char *location;  /* absolute address of a redirect that was not followed, "" without */
	const char *url;       /* of the last hop */
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
