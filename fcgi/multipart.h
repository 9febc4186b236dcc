/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * multipart/form-data (RFC 7578, 2046 5.1), read as it arrives: the caller feeds bytes in pieces of any size, the parser calls back
 * per part. Nothing of a part's content is kept here, so a part may be of any size.
 *
 *     preamble  --B CRLF  headers CRLF CRLF  content  CRLF--B CRLF  headers ...  CRLF--B--  epilogue
 *               '------- part 1 ---------------------'
 *
 * The boundary is compared case-sensitively; header values may be quoted; `filename*` (RFC 5987, UTF-8) wins over `filename`.
 */
#ifndef FCGI_MULTIPART_H
#define FCGI_MULTIPART_H

#include <stdbool.h>

#include "common/arena.h"
#include "common/buf.h"

#define MULTIPART_MAX_BOUNDARY 200U
#define MULTIPART_MAX_HEADER_BYTES (16U << 10)
#define MULTIPART_MAX_PARTS 1000U

/* What a part says about itself; valid during the callback. */
struct multipart_part {
	struct span name;     /* "file" when the part has none */
	struct span filename; /* without directories */
	struct span type;     /* lower case, without parameters; application/octet-stream when missing */
	bool is_file;         /* it has a filename, even an empty one */
};

enum multipart_error {
	MULTIPART_OK = 0,
	MULTIPART_MALFORMED = -1, /* no boundary where one must be, bad header */
	MULTIPART_TOO_MANY = -2,  /* parts, or header bytes */
	MULTIPART_REFUSED = -3    /* a callback said no */
};

/* Each answers 0, or anything else to stop. */
struct multipart_events {
	int (*begin)(void *arg, const struct multipart_part *part);
	int (*content)(void *arg, struct span bytes);
	int (*end)(void *arg);
};

struct multipart;

/* `content_type` is the request's header. NULL when it names no usable boundary. The events must outlive the parser. */
struct multipart *multipart_new(struct span content_type, const struct multipart_events *events, void *arg);
void multipart_free(struct multipart *m);
/* Any number of bytes. After an error every further call answers the same. */
enum multipart_error multipart_feed(struct multipart *m, struct span bytes);
/* No more bytes will come: MULTIPART_MALFORMED when the last boundary has not been seen. */
enum multipart_error multipart_finish(struct multipart *m);

/*
 * One parameter of a header value (`form-data; name="a;b"; filename=x`), unquoted, into the arena. False when it is absent.
 * Names are compared without regard to case.
 */
bool header_param(struct arena *a, struct span value, const char *name, struct span *out);

#endif
