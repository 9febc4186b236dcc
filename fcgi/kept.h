/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Big answers that are asked for again and again, kept as files in a directory from which the web server sends them by itself
 * (X-Sendfile), which costs it less than taking the bytes from us.
 *
 *     the daemon's sealed file of the result --the same again?--> DIR/result-PID-N = text before + result + text after
 *
 * The daemon hands the same sealed file out until something in it changes, so the inode says what the content is; it cannot be used
 * anew while an entry holds its descriptor. A file goes when nobody asked for it for a while: the web server has opened it by then.
 */
#ifndef FCGI_KEPT_H
#define FCGI_KEPT_H

#include "common/arena.h"
#include "common/buf.h"
#include "common/log.h"

struct kept;

/* dir: the web server may send what is in there; files that an earlier process left are removed. NULL (a line in the log if dir is
 * not empty): nothing is kept. */
struct kept *kept_new(const char *dir, struct log log);
/* Removes the files. NULL is fine. */
void kept_free(struct kept *kept);
/*
 * The path (in the arena) of a file that holds before, the first n bytes of the sealed file, after. NULL: it was not asked for often
 * enough, or cannot be kept; send it yourself. Any thread; file stays the caller's.
 */
const char *kept_path(struct kept *kept, struct arena *arena, struct span before, int file, uint64_t n, struct span after);

#endif
