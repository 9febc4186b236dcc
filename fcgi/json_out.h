/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writes compact JSON into a buffer. Commas are put by looking at the last byte written, so calls can be nested freely:
 *
 *     json_open(b, '{'); json_name(b, "ok"); json_bool(b, true); json_close(b, '}');   ->  {"ok":true}
 */
#ifndef FCGI_JSON_OUT_H
#define FCGI_JSON_OUT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "fcgi/json.h"

void json_open(struct buf *b, char bracket);
void json_close(struct buf *b, char bracket);
void json_name(struct buf *b, const char *name);
void json_text(struct buf *b, const char *s);
void json_span(struct buf *b, struct span s);
void json_int(struct buf *b, int64_t v);
void json_bool(struct buf *b, bool v);
void json_null(struct buf *b);
/* Bytes that are JSON already. */
void json_raw(struct buf *b, struct span s);
/* A tree of json.h. */
void json_tree(struct buf *b, const struct json *v);
/* name and text in one go; a NULL text writes nothing at all. */
void json_member(struct buf *b, const char *name, const char *text);

#endif
