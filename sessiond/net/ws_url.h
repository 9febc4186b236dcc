/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The addresses of a WebSocket connection, taken apart by libcurl's own parser. Private to the folder. */
#ifndef SESSIOND_NET_WS_URL_H
#define SESSIOND_NET_WS_URL_H

#include <curl/curl.h>
#include <stdbool.h>

struct ws_url {
	CURLU *connect; /* owned: the same address as https:// or http://, for libcurl */
	char *host;     /* owned: for the header Host, with the port where it is not the scheme's own */
	char *target;   /* owned: path and query */
	bool tls;
};

/* 0, -EINVAL for anything but a plain ws:// or wss:// address, -ENOMEM. On errors nothing is left to free. */
int ws_url_parse(struct ws_url *url, const char *text);
void ws_url_free(struct ws_url *url);
/* 0, or -EINVAL unless http://, https://, socks5:// or socks5h:// with a host. */
int ws_url_check_proxy(const char *text, bool *tls_proxy);
/* For CURLOPT_SSL_CTX_FUNCTION: a write that would block may be repeated from another address. */
CURLcode ws_url_tls_modes(CURL *easy, void *ssl_ctx, void *arg);

#endif
