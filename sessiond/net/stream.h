/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Bytes through a connection that libcurl has opened (CURLOPT_CONNECT_ONLY), without libcurl in the way. Private to the folder.
 *
 *     ws://                    the socket itself
 *     wss://                   the SSL object, moved from libcurl's filter onto the socket
 *     through an https:// proxy   curl_easy_send/recv: TLS may lie inside TLS there
 *
 * Why not curl_easy_send/recv always: they search the multi's connections at every call, 18 us with a thousand of them.
 */
#ifndef SESSIOND_NET_STREAM_H
#define SESSIOND_NET_STREAM_H

#include <curl/curl.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum stream_kind { STREAM_SOCKET, STREAM_TLS, STREAM_CURL };

struct stream {
	enum stream_kind kind;
	curl_socket_t fd; /* libcurl's */
	SSL *ssl;         /* libcurl's; STREAM_TLS */
	CURL *easy;       /* borrowed */
	size_t retry_len; /* a write of this length would have blocked: it must be repeated with the same length */
	bool read_wants_write;
	bool drained;     /* STREAM_TLS: the last read took all there was */
	bool early_ready; /* a byte that came with the attaching read, and is told first */
	uint8_t early;
};

#define STREAM_AGAIN (-1) /* nothing now: wait for the socket */
#define STREAM_END (-2)   /* orderly end of stream */
#define STREAM_ERROR (-3)

/* After the connect has succeeded. false if libcurl does not hand the connection out. */
bool stream_attach(struct stream *stream, CURL *easy, bool tls, bool tls_proxy);
/* > 0 bytes read, or a STREAM_ value. */
ssize_t stream_read(struct stream *stream, uint8_t *to, size_t len);
/*
 * Writes from the front of len waiting bytes; > 0 bytes written, STREAM_AGAIN or STREAM_ERROR. The bytes may have moved since the
 * last call, but must still begin with the ones that were not written then.
 */
ssize_t stream_write(struct stream *stream, const uint8_t *from, size_t len);

#endif
