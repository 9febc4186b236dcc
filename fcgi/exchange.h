/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One HTTP exchange as the web server hands it over: CGI variables, body, answer. The same code serves FastCGI and plain CGI; only
 * the functions behind this struct differ (exchange_fcgi.c, exchange_cgi.c).
 */
#ifndef FCGI_EXCHANGE_H
#define FCGI_EXCHANGE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct exchange;

struct exchange_ops {
	/* A CGI variable (REQUEST_METHOD, HTTP_ORIGIN, ...), NULL if absent. Valid as long as the exchange. */
	const char *(*var)(struct exchange *x, const char *name);
	/* Body bytes: > 0, 0 at the end, -1 when the web server went away or kept silent too long. */
	ssize_t (*read)(struct exchange *x, void *p, size_t n);
	/* All of it or -1. */
	int (*write)(struct exchange *x, const void *p, size_t n);
	/* The first n bytes of a regular file, whatever its position; all of them or -1. */
	int (*write_file)(struct exchange *x, int file, uint64_t n);
	/* What was written leaves now; 0 or -1. */
	int (*flush)(struct exchange *x);
	/* Descriptor that hangs up when the client or web server leaves, -1 without one. */
	int (*watch)(struct exchange *x);
};

struct exchange {
	const struct exchange_ops *ops;
	void *impl; /* borrowed: FCGX_Request for FastCGI, unused for CGI */
};

void exchange_cgi(struct exchange *x);
/* `request` is an accepted FCGX_Request. */
void exchange_fcgi(struct exchange *x, void *request);

#endif
