/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Nameless files for uploads, see spool.h. */
#include "fcgi/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum spool_error spool_open(struct spool *s, const char *dir, uint64_t limit)
{
	*s = (struct spool){ .limit = limit };
	s->fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	return s->fd < 0 ? SPOOL_SYSTEM : SPOOL_OK;
}

enum spool_error spool_write(struct spool *s, struct span bytes)
{
	if (bytes.n > s->limit - s->size)
		return SPOOL_TOO_LARGE;
	while (bytes.n) {
		ssize_t n = write(s->fd, bytes.p, bytes.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == ENOSPC || errno == EDQUOT || errno == EFBIG ? SPOOL_FULL : SPOOL_SYSTEM;
		s->size += (uint64_t)n;
		bytes = span_of(bytes.p + n, bytes.n - (size_t)n);
	}
	return SPOOL_OK;
}

void spool_close(struct spool *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}
