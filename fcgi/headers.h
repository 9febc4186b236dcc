/* SPDX-License-Identifier: GPL-3.0-or-later */
/* CORS and the security headers that every answer carries (contract rest-a 1.6, D7). */
#ifndef FCGI_HEADERS_H
#define FCGI_HEADERS_H

#include "common/buf.h"
#include "fcgi/request.h"

/* True if the request has no Origin or one that may read the answer. */
bool cors_allowed(const struct request *r);
/* The CORS headers of an allowed request. */
void cors_headers(const struct request *r, struct buf *out);
/* What a preflight (any OPTIONS) gets on top. */
void cors_preflight_headers(struct buf *out);
void security_headers(const struct request *r, struct buf *out);

#endif
