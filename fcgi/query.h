/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Query strings and urlencoded forms in the extended syntax that the original's clients know:
 *
 *     a=1&a=2 -> {"a":["1","2"]}     a[]=1 -> {"a":["1"]}     a[b]=c -> {"a":{"b":"c"}}
 *
 * Bounds as in the original: the first 1000 pairs count, brackets deeper than 5 stay part of the name.
 */
#ifndef FCGI_QUERY_H
#define FCGI_QUERY_H

#include "common/arena.h"
#include "common/buf.h"
#include "fcgi/json.h"

#define QUERY_MAX_PAIRS 1000U
#define QUERY_MAX_DEPTH 5U

/* Always an object; its strings are decoded, valid UTF-8, in the arena or in the source. */
struct json *query_parse(struct arena *a, struct span text);

#endif
