/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a web page says about itself: title, description and picture, from the first bytes of its HTML. Forgiving like a browser, bounded, no tree:
 *
 *     <title>text</title>   <meta property="og:title" content="text">   <meta name="description" content='text'>
 *
 * Open Graph's texts win. Entities are resolved (the five of XML, numbers, nbsp), white space is one blank, bytes that are no UTF-8 are
 * left out.
 */
#ifndef COMMON_HTMLMETA_H
#define COMMON_HTMLMETA_H

#include "common/buf.h"

struct htmlmeta {
	struct buf title, description; /* owned; empty: none. At most HTMLMETA_MAX bytes */
	struct buf image;              /* owned: address of its picture (og:image), the same */
};

enum { HTMLMETA_MAX = 512 };

void htmlmeta_read(struct htmlmeta *meta, struct span html);
void htmlmeta_free(struct htmlmeta *meta);

/* The first http:// or https:// address in a text; an empty span if there is none. Borrowed. */
struct span htmlmeta_first_link(struct span text);

#endif
