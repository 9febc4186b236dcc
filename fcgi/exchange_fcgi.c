/* SPDX-License-Identifier: GPL-3.0-or-later */
/* FastCGI over libfcgi. */
#include "fcgi/exchange.h"

#include <errno.h>
#include <fcgiapp.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

/* What libfcgi would send in several pieces. */
enum { DIRECT_BYTES = 16384 };

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

/* FastCGI 1.0, 3.3: version, type, request id, content length, padding length, reserved. */
enum { RECORD_HEADER = 8, RECORD_MOST = 65528, VERSION = 1, TYPE_STDOUT = 6 };

static void record_header(uint8_t header[RECORD_HEADER], int request, size_t len)
{
	const uint8_t bytes[RECORD_HEADER] = { VERSION, TYPE_STDOUT, (uint8_t)(request >> 8), (uint8_t)request, (uint8_t)(len >> 8), (uint8_t)len, 0, 0 };

	memcpy(header, bytes, sizeof bytes);
}

/* All of the two parts; the socket blocks, with a time limit. */
static int write_parts(int fd, struct iovec parts[2])
{
	size_t left = parts[0].iov_len + parts[1].iov_len;

	while (left > 0) {
		ssize_t put = writev(fd, parts, 2);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return -1;
		left -= (size_t)put;
		for (int i = 0; i < 2; i++) {
			size_t part = (size_t)put < parts[i].iov_len ? (size_t)put : parts[i].iov_len;

			parts[i].iov_base = (char *)parts[i].iov_base + part;
			parts[i].iov_len -= part;
			put -= (ssize_t)part;
		}
	}
	return 0;
}

/* libfcgi copies everything through 8 KiB: big bodies go into records as they are. */
static int write_records(const FCGX_Request *request, const char *c, size_t n)
{
	while (n > 0) {
		size_t len = n < RECORD_MOST ? n : RECORD_MOST;
		uint8_t header[RECORD_HEADER];
		struct iovec parts[2] = { { .iov_base = header, .iov_len = sizeof header }, { .iov_base = (void *)(uintptr_t)c, .iov_len = len } };

		record_header(header, request->requestId, len);
		if (write_parts(request->ipcFd, parts))
			return -1;
		c += len;
		n -= len;
	}
	return 0;
}

static int fcgi_write(struct exchange *x, const void *p, size_t n)
{
	FCGX_Request *request = x->impl;
	const char *c = p;

	if (n >= DIRECT_BYTES)
		return FCGX_FFlush(request->out) == 0 ? write_records(request, c, n) : -1;
	while (n) {
		int put = FCGX_PutStr(c, n > INT_MAX ? INT_MAX : (int)n, request->out);

		if (put <= 0)
			return -1;
		c += put;
		n -= (size_t)put;
	}
	return 0;
}

/* A whole record's content from the file into the socket: pages change hands, nothing is copied. */
static int send_pages(int fd, int file, off_t *at, size_t n)
{
	while (n > 0) {
		ssize_t put = sendfile(fd, file, at, n);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return -1;
		n -= (size_t)put;
	}
	return 0;
}

static int fcgi_write_file(struct exchange *x, int file, uint64_t n)
{
	FCGX_Request *request = x->impl;
	off_t at = 0;

	if (FCGX_FFlush(request->out))
		return -1;
	while (n > 0) {
		size_t len = n < RECORD_MOST ? (size_t)n : RECORD_MOST;
		uint8_t header[RECORD_HEADER];
		struct iovec parts[2] = { { .iov_base = header, .iov_len = sizeof header } };

		record_header(header, request->requestId, len);
		if (write_parts(request->ipcFd, parts) || send_pages(request->ipcFd, file, &at, len))
			return -1;
		n -= len;
	}
	return 0;
}

static int fcgi_flush(struct exchange *x)
{
	FCGX_Request *request = x->impl;

	return FCGX_FFlush(request->out) == 0 ? 0 : -1;
}

static int fcgi_watch(struct exchange *x)
{
	const FCGX_Request *request = x->impl;

	return request->ipcFd;
}

static const struct exchange_ops fcgi_ops = { fcgi_var, fcgi_read, fcgi_write, fcgi_write_file, fcgi_flush, fcgi_watch };

void exchange_fcgi(struct exchange *x, void *request)
{
	*x = (struct exchange){ .ops = &fcgi_ops, .impl = request };
}
