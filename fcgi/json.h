/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * JSON as it comes from strangers: read into a tree inside an arena, with bounds on depth and number of values. Query strings and
 * forms become the same tree, so validation reads one shape only.
 *
 *     struct json (object) -- first --> [name "to" | value] -- next --> [name "message" | value] -> NULL
 *
 * Numbers keep the text they were written in: nothing is rounded and no large id loses digits. Bytes that are not UTF-8 become
 * U+FFFD, as in the JavaScript original; so does U+0000, which would cut a text short wherever texts end with it.
 */
#ifndef FCGI_JSON_H
#define FCGI_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include "common/arena.h"
#include "common/buf.h"

#define JSON_MAX_DEPTH 64U
#define JSON_MAX_VALUES 100000U

enum json_type { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json {
	enum json_type type;
	bool truth;         /* JSON_BOOL */
	struct span name;   /* of a member; in the arena or the source */
	struct span text;   /* JSON_STRING decoded, JSON_NUMBER as written; in the arena or the source */
	struct json *first; /* children in order, in the arena */
	struct json *last;
	struct json *next; /* sibling, in the arena */
	size_t count;      /* children */
};

/*
 * Reads one document. The tree borrows from `text`, which must outlive it. On failure the answer is NULL and *error (in the arena)
 * says what is wrong in the words that JSON.parse of the original used.
 */
struct json *json_parse(struct arena *a, struct span text, const char **error);

struct json *json_new(struct arena *a, enum json_type type);
struct json *json_new_string(struct arena *a, struct span text);
/* Appends a child; name is ignored for arrays. */
void json_add(struct json *parent, struct span name, struct json *child);
/* The last member of that name (a repeated name overwrites, as in JavaScript), NULL without one or when o is no object. */
struct json *json_get(const struct json *o, const char *name);
/* As json_get, names compared without regard to ASCII case. */
struct json *json_get_nocase(const struct json *o, const char *name);

/* Replaces what is not UTF-8; answers the source itself when nothing has to change. */
struct span utf8_clean(struct arena *a, struct span s);

#endif
