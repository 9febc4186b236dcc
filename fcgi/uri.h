/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Percent encoding: paths, query strings, cookies. */
#ifndef FCGI_URI_H
#define FCGI_URI_H

#include <stdbool.h>

#include "common/arena.h"
#include "common/buf.h"

/* True if every %xx is well formed and the decoded bytes are UTF-8 (what decodeURIComponent demands). */
bool uri_valid(struct arena *a, struct span s);
/* Decodes into the arena. Malformed sequences stay as they are; `plus` turns '+' into a blank (forms and queries). */
struct span uri_decode(struct arena *a, struct span s, bool plus);
/* As encodeURIComponent does. */
char *uri_encode(struct arena *a, struct span s);

#endif
