/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Keys, types and names. Private to sessiond/storage. What a sender says about a file decides nothing here but what is shown: the
 * extension comes from a fixed table of types, and only types that no browser runs as a page keep their name when they are served.
 */
#ifndef STORAGE_NAMING_H
#define STORAGE_NAMING_H

#include <stdbool.h>

#include "sessiond/storage/storage.h"

enum { STORAGE_KEY_MAX = 512, STORAGE_KEY_PARTS = 8 };

/* Appends the key of a new file. last: its name without extension. */
void naming_key(struct buf *key, const struct storage_meta *meta, const char *last);
/* Parts of [A-Za-z0-9._-]+ with '/' between them, none of them "." or "..". */
bool naming_key_is_valid(const char *key);
/* "jpeg"; "bin" for types that are not in the table. Static. */
const char *naming_extension(const char *mime);
/* The type to serve a file with: its own if it is harmless, else application/octet-stream. Static, or mime itself. */
const char *naming_served_type(const char *mime);
/* Opens a file below a folder without following any link. -1 with errno. Descriptors of path's folders are closed again. */
int naming_open(int folder, const char *path, int flags);

#endif
