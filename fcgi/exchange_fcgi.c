/* SPDX-License-Identifier: GPL-3.0-or-later */
/* FastCGI over libfcgi. */
#include "fcgi/exchange.h"

#include <fcgiapp.h>
#include <limits.h>

static const char *fcgi_var(struct exchange *x, const char *name)
{
	const FCGX_Request *request = x->impl;

	return FCGX_GetParam(name, request->envp);
}

static ssize_t fcgi_read(struct exchange *x, void *p, size_t n)
{
	FCGX_Request *request = x->impl;
	int got = FCGX_GetStr(p, n > INT_MAX ? INT_MAX : (int)n, request->in);

	return got > 0 ? got : FCGX_GetError(request->in) ? -1 : 0;
}

static int fcgi_write(struct exchange *x, const void *p, size_t n)
{
	FCGX_Request *request = x->impl;
	const char *c = p;

	while (n) {
		int put = FCGX_PutStr(c, n > INT_MAX ? INT_MAX : (int)n, request->out);

		if (put <= 0)
			return -1;
		c += put;
		n -= (size_t)put;
	}
	return 0;
}

static int fcgi_watch(struct exchange *x)
{
	const FCGX_Request *request = x->impl;

	return request->ipcFd;
}

static const struct exchange_ops fcgi_ops = { fcgi_var, fcgi_read, fcgi_write, fcgi_watch };

void exchange_fcgi(struct exchange *x, void *request)
{
	*x = (struct exchange){ .ops = &fcgi_ops, .impl = request };
}
