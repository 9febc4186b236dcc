/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How each kind of parameter is read: one row per enum param_kind. */
#ifndef FCGI_PARAM_KINDS_H
#define FCGI_PARAM_KINDS_H

#include "fcgi/request.h"

enum param_result { PARAM_OK, PARAM_ABSENT, PARAM_INVALID };

/* Is this a value at all, or must the next place and name be tried? */
typedef bool param_accept(const struct json *v);
/* Writes the value for the daemon behind the name that stands in `out` already. */
typedef enum param_result param_read(struct request *r, const struct param *p, const struct json *v, struct buf *out);

struct param_reader {
	param_accept *accept;
	param_read *read; /* NULL: not read by the validator */
};

extern const struct param_reader param_readers[];

/* A scalar whose trimmed text is not empty. */
bool param_is_text(const struct json *v);
/* Trimmed text of a scalar; false when it is none or empty. */
bool param_text(const struct json *v, struct span *text);
/* The boolean words of the contract: 1, 0, or -1 for anything else. */
int param_truth(const struct json *v);

#endif
