/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * WebSocket client on a loop (RFC 6455): libcurl connects (TLS, proxies, name resolution), this file upgrades, wslay frames.
 *
 *     ws_open() --> connecting --> upgrading --> opened() --> data()* --> closed()
 *                        |             |             ws_send(), ws_close()
 *                        +-------------+--------------------------------> closed()
 *
 * What arrives is told as a stream of bytes: the payload of binary messages in order, without their borders (WhatsApp gives message
 * borders no meaning). Nothing is kept back for whole messages, so an idle connection costs its TLS state and one small frame buffer.
 *
 * Everything here is called and calls back on the loop of the struct net the connection was opened with.
 */
#ifndef SESSIOND_NET_WS_H
#define SESSIOND_NET_WS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct net;
struct ws;

/* Why a connection ended (or never came to be). */
enum ws_reason {
	WS_END_CLOSED,     /* ws_close() was called and the close handshake is over */
	WS_END_PEER_CLOSE, /* the peer sent a close frame: close_code */
	WS_END_LOST,       /* end of stream or reset without a close frame */
	WS_END_DNS,        /* the host's name was not resolved */
	WS_END_CONNECT,    /* no TCP connection */
	WS_END_TLS,        /* handshake failed or certificate refused */
	WS_END_PROXY,      /* the proxy could not be reached, refused or failed */
	WS_END_UPGRADE,    /* the server answered the upgrade with something else: http_status (0: not HTTP, or a wrong accept key) */
	WS_END_TIMEOUT,    /* open_timeout_ms passed before opened() */
	WS_END_PROTOCOL,   /* the peer broke RFC 6455 */
	WS_END_TOO_BIG,    /* a message above max_message */
	WS_END_QUEUE_FULL, /* more than max_queue bytes waited to be written */
};

struct ws_end {
	enum ws_reason reason;
	int http_status; /* WS_END_UPGRADE, and WS_END_PROXY when the proxy answered CONNECT; else 0 */
	int close_code;  /* WS_END_PEER_CLOSE: RFC 6455 7.4.1, 1005 = none given; else 0 */
	char text[192];  /* one line for people; holds no credentials */
};

struct ws_handlers {
	void (*opened)(void *arg);
	/* Borrowed bytes, never 0 of them. */
	void (*data)(void *arg, const uint8_t *bytes, size_t len);
	/* Once, as the last call; ws_free() is still due (allowed in here). */
	void (*closed)(void *arg, const struct ws_end *end);
};

struct ws_options {
	const char *url;         /* ws:// or wss://; the certificate is always verified */
	const char *origin;      /* header Origin, or NULL */
	const char *proxy;       /* http://, https://, socks5://, socks5h://, with user:password@ if needed; NULL = direct */
	int64_t open_timeout_ms; /* name, proxy, TCP, TLS and upgrade together; 0 = 20,000 */
	size_t max_message;      /* 0 = LIMIT_WS_MESSAGE_BYTES */
	size_t max_queue;        /* 0 = LIMIT_WS_QUEUE_BYTES */
};

/*
 * Starts connecting. Strings in the options are copied; handlers is borrowed for the life of the connection (a static table).
 * 0, or -EINVAL for an address, proxy or option that cannot be used (nothing is called back then), -ENOMEM.
 */
int ws_open(struct ws **out, struct net *net, const struct ws_options *options, const struct ws_handlers *handlers, void *arg);
/*
 * Queues one binary message of len (> 0) bytes; it is copied and written when the loop comes round, together with what else was
 * queued meanwhile. 0, or -ENOTCONN before opened() and after ws_close() or closed(). That bytes were taken or even written does
 * not mean that the peer has them.
 */
int ws_send(struct ws *ws, const void *bytes, size_t len);
/* Bytes that wait to be written. */
size_t ws_queued(const struct ws *ws);
/* Stops and restarts data(). Up to 4 KiB that were already read can still come after a stop. */
void ws_pause(struct ws *ws, bool pause);
/*
 * Sends what is queued and a close frame (code as RFC 6455 7.4.1, 1000 = normal), then waits for the peer's, at most 3 s; closed()
 * follows. Before opened() it gives up connecting; closed() follows as well. A second call does nothing.
 */
void ws_close(struct ws *ws, uint16_t code);
/* Drops the connection at once, without a close frame, and frees everything; no handler is called any more. NULLs the pointer. */
void ws_free(struct ws **ws);
/* "closed", "peer_close", "lost", "dns", ... for logs and states. */
const char *ws_reason_name(enum ws_reason reason);

#endif
