/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Plain CGI: environment, standard input and output; one exchange per process. */
#include "fcgi/exchange.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static const char *cgi_var(struct exchange *x, const char *name)
{
	(void)x;
	return getenv(name);
}

static ssize_t cgi_read(struct exchange *x, void *p, size_t n)
{
	ssize_t got;

	(void)x;
	do {
		got = read(STDIN_FILENO, p, n);
	} while (got < 0 && errno == EINTR);
	return got;
}

static int cgi_write(struct exchange *x, const void *p, size_t n)
{
	const char *c = p;

	(void)x;
	while (n) {
		ssize_t put = write(STDOUT_FILENO, c, n);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -1;
		c += put;
		n -= (size_t)put;
	}
	return 0;
}

static int cgi_write_file(struct exchange *x, int file, uint64_t n)
{
	char piece[16384];
	off_t at = 0;

	while (n) {
		ssize_t got = pread(file, piece, n < sizeof piece ? (size_t)n : sizeof piece, at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0 || cgi_write(x, piece, (size_t)got))
			return -1;
		at += got;
		n -= (uint64_t)got;
	}
	return 0;
}

/* Nothing is held back. */
static int cgi_flush(struct exchange *x)
{
	(void)x;
	return 0;
}

/* Web servers end CGI programs whose client has left by themselves; Apache half-closes our output long before that. */
static int cgi_watch(struct exchange *x)
{
	(void)x;
	return -1;
}

static const struct exchange_ops cgi_ops = { cgi_var, cgi_read, cgi_write, cgi_write_file, cgi_flush, cgi_watch };

void exchange_cgi(struct exchange *x)
{
	*x = (struct exchange){ .ops = &cgi_ops };
}
