/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Walks over the members of a JSON object without building anything: the daemon's results go into the envelope as the bytes they
 * came in, so a list of a thousand sessions costs one pass over it.
 */
#ifndef FCGI_JSON_SCAN_H
#define FCGI_JSON_SCAN_H

#include <stdbool.h>

#include "common/buf.h"

struct json_scan {
	struct span rest;
	bool broken; /* this is no JSON object */
};

/* Stands in front of the first member. */
struct json_scan json_scan_object(struct span json);
/* The next member: its name as written (without quotes, escapes kept) and its value's bytes. False at the end or when broken. */
bool json_scan_next(struct json_scan *s, struct span *name, struct span *value);

/* The same for an array: stands in front of the first item. */
struct json_scan json_scan_array(struct span json);
bool json_scan_item(struct json_scan *s, struct span *value);

#endif
