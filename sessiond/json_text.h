/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writing JSON straight into a buffer: answers and events are built once and never looked at again, so no tree is made.
 * Compact, non-ASCII as it is, '/' not escaped. Bytes that are no UTF-8 become U+FFFD.
 */
#ifndef SESSIOND_JSON_TEXT_H
#define SESSIOND_JSON_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"

/* "text" with quotes; NULL is null. */
void json_put_string(struct buf *out, const char *text);
void json_put_span(struct buf *out, struct span text);
/* "base64" with quotes, standard alphabet with padding. */
void json_put_base64(struct buf *out, struct span bytes);

/* A comma unless the buffer ends in '{', '[', ',' or ':'; then "name":. name is plain ASCII. */
void json_put_name(struct buf *out, const char *name);
void json_put_member(struct buf *out, const char *name, const char *text);
void json_put_int(struct buf *out, const char *name, int64_t value);
void json_put_bool(struct buf *out, const char *name, bool value);
/* "name": followed by JSON text as it is. */
void json_put_raw(struct buf *out, const char *name, const char *json);
/* ISO 8601 UTC with milliseconds, as a string member. */
void json_put_time(struct buf *out, const char *name, int64_t wall_ms);

#endif
