/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Allocation that cannot fail: small, bounded amounts only. A process that cannot get a few kilobytes cannot keep its promises
 * either, so these end it (abort) after a line on stderr; nothing was acknowledged that is not stored. Amounts that come from
 * outside are checked against common/limits.h before they get here.
 */
#ifndef COMMON_MEM_H
#define COMMON_MEM_H

#include <stddef.h>

void *xmalloc(size_t size);
/* Zeroed; the product is checked for overflow. */
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *p, size_t size);
char *xstrdup(const char *s);
/* At most n bytes of s, always terminated. */
char *xstrndup(const char *s, size_t n);
void *xmemdup(const void *p, size_t n);
char *xasprintf(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
