/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bytes through a connection that libcurl has opened (see stream.h). */
#include "sessiond/net/stream.h"

#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <sys/socket.h>

/* One TLS record. */
#define WRITE_CHUNK ((size_t)16384)

bool stream_attach(struct stream *stream, CURL *easy, bool tls, bool tls_proxy)
{
	struct curl_tlssessioninfo *info = NULL;
	size_t n = 0;
	CURLcode result;

	*stream = (struct stream){ .easy = easy, .fd = CURL_SOCKET_BAD };
	/*
	 * libcurl has put the connection back into its pool, where it is closed when it seems idle for 118 s or has unread bytes while
	 * another one is opened. The first receive ties it to this handle for good (and makes the SSL object visible).
	 */
	result = curl_easy_recv(easy, &stream->early, 1, &n);
	if (result != CURLE_OK && result != CURLE_AGAIN)
		return false;
	stream->early_ready = result == CURLE_OK && n == 1;
	if (curl_easy_getinfo(easy, CURLINFO_ACTIVESOCKET, &stream->fd) != CURLE_OK || stream->fd == CURL_SOCKET_BAD)
		return false;
	if (tls_proxy) {
		stream->kind = STREAM_CURL;
		return true;
	}
	if (!tls) {
		stream->kind = STREAM_SOCKET;
		return true;
	}
	if (curl_easy_getinfo(easy, CURLINFO_TLS_SSL_PTR, &info) != CURLE_OK || !info || !info->internals)
		return false;
	stream->kind = STREAM_TLS;
	stream->ssl = info->internals;
	/* A record's head and body in one system call, and what follows them too. */
	SSL_set_read_ahead(stream->ssl, 1);
	/*
	 * libcurl's own BIO reports socket errors through the transfer that is being run, and outside of libcurl's functions there is
	 * none: a reset connection would end the process. A plain socket BIO has no such needs.
	 */
	return SSL_set_fd(stream->ssl, stream->fd) == 1;
}

static ssize_t tls_outcome(struct stream *stream, int r, bool reading)
{
	int error = SSL_get_error(stream->ssl, r);

	switch (error) {
	case SSL_ERROR_WANT_WRITE:
		if (reading)
			stream->read_wants_write = true;
		return STREAM_AGAIN;
	case SSL_ERROR_WANT_READ:
		return STREAM_AGAIN;
	case SSL_ERROR_ZERO_RETURN:
		return STREAM_END;
	case SSL_ERROR_SYSCALL:
		return errno == 0 ? STREAM_END : STREAM_ERROR;
	default:
		return ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING ? STREAM_END : STREAM_ERROR;
	}
}

static ssize_t tls_read(struct stream *stream, uint8_t *to, size_t len)
{
	int r;

	/* The error queue is the thread's: what another connection left there must not be read as ours. */
	ERR_clear_error();
	errno = 0;
	stream->read_wants_write = false;
	/* A record that did not fill the room was the last one here: what comes later raises readiness, no need to ask the socket now. */
	if (stream->drained) {
		stream->drained = false;
		return STREAM_AGAIN;
	}
	r = SSL_read(stream->ssl, to, len > INT_MAX ? INT_MAX : (int)len);
	if (r <= 0)
		return tls_outcome(stream, r, true);
	stream->drained = (size_t)r < len && SSL_has_pending(stream->ssl) == 0;
	return r;
}

static ssize_t tls_write(struct stream *stream, const uint8_t *from, size_t len)
{
	int r;

	ERR_clear_error();
	errno = 0;
	r = SSL_write(stream->ssl, from, (int)len);
	return r > 0 ? r : tls_outcome(stream, r, false);
}

static ssize_t socket_read(struct stream *stream, uint8_t *to, size_t len)
{
	ssize_t r;

	do
		r = recv(stream->fd, to, len, 0);
	while (r < 0 && errno == EINTR);
	if (r > 0)
		return r;
	if (r == 0)
		return STREAM_END;
	return errno == EAGAIN || errno == EWOULDBLOCK ? STREAM_AGAIN : STREAM_ERROR;
}

static ssize_t socket_write(struct stream *stream, const uint8_t *from, size_t len)
{
	ssize_t r;

	do
		r = send(stream->fd, from, len, MSG_NOSIGNAL);
	while (r < 0 && errno == EINTR);
	if (r >= 0)
		return r;
	return errno == EAGAIN || errno == EWOULDBLOCK ? STREAM_AGAIN : STREAM_ERROR;
}

static ssize_t curl_read(struct stream *stream, uint8_t *to, size_t len)
{
	size_t n = 0;
	CURLcode result = curl_easy_recv(stream->easy, to, len, &n);

	if (result == CURLE_AGAIN)
		return STREAM_AGAIN;
	if (result != CURLE_OK)
		return STREAM_ERROR;
	return n > 0 ? (ssize_t)n : STREAM_END;
}

static ssize_t curl_write(struct stream *stream, const uint8_t *from, size_t len)
{
	size_t n = 0;
	CURLcode result = curl_easy_send(stream->easy, from, len, &n);

	if (result == CURLE_AGAIN)
		return STREAM_AGAIN;
	return result == CURLE_OK && n > 0 ? (ssize_t)n : STREAM_ERROR;
}

ssize_t stream_read(struct stream *stream, uint8_t *to, size_t len)
{
	if (stream->early_ready && len > 0) {
		stream->early_ready = false;
		*to = stream->early;
		return 1;
	}
	switch (stream->kind) {
	case STREAM_SOCKET:
		return socket_read(stream, to, len);
	case STREAM_TLS:
		return tls_read(stream, to, len);
	default:
		return curl_read(stream, to, len);
	}
}

ssize_t stream_write(struct stream *stream, const uint8_t *from, size_t len)
{
	ssize_t r;

	if (stream->kind == STREAM_SOCKET)
		return socket_write(stream, from, len);
	/* What TLS has begun to write must be repeated with exactly the same length, or the connection is lost. */
	if (stream->retry_len)
		len = stream->retry_len;
	else if (len > WRITE_CHUNK)
		len = WRITE_CHUNK;
	r = stream->kind == STREAM_TLS ? tls_write(stream, from, len) : curl_write(stream, from, len);
	stream->retry_len = r == STREAM_AGAIN ? len : 0;
	return r;
}
