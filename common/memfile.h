/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Bytes in a nameless file in memory that nobody can change any more (memfd with seals): made once, handed to any number of readers as a
 * descriptor, copied by none of them.
 */
#ifndef COMMON_MEMFILE_H
#define COMMON_MEMFILE_H

#include "common/buf.h"

/* A descriptor, close-on-exec, the caller's; -1 with errno. The name only shows in /proc. */
int memfile_new(const char *name, struct span bytes);

#endif
