/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A file without a name for what is too large to be held in memory: uploads while they arrive. It is gone with its last descriptor, so
 * a crash leaves nothing behind. The descriptor is what the daemon gets.
 */
#ifndef FCGI_SPOOL_H
#define FCGI_SPOOL_H

#include <stdint.h>

#include "common/buf.h"

struct spool {
	int fd;         /* owned; -1: not open */
	uint64_t size;
	uint64_t limit;
};

enum spool_error {
	SPOOL_OK = 0,
	SPOOL_TOO_LARGE = -1,
	SPOOL_FULL = -2,  /* no space on the device */
	SPOOL_SYSTEM = -3 /* errno says what */
};

/* Opens a nameless file of mode 0600 in `dir` that takes at most `limit` bytes. SPOOL_OK or SPOOL_SYSTEM. */
enum spool_error spool_open(struct spool *s, const char *dir, uint64_t limit);
enum spool_error spool_write(struct spool *s, struct span bytes);
/* Closes it unless its descriptor was taken (fd set to -1). */
void spool_close(struct spool *s);

#endif
