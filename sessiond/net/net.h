/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * net: everything this daemon dials out, on libuv loops through libcurl's multi socket interface. The face of the folder.
 *
 *     struct net      one curl multi handle on one loop, with one set of trusted certificates
 *     ws.h            WebSocket connections to WhatsApp
 *     http.h          bounded HTTP requests: webhooks, preflight, version page
 *     guard.h         which addresses may be dialled for users
 *     version.h       the client version, refreshed from the web client's page
 *
 * A struct net belongs to its loop's thread; nothing here is locked. Certificates are always verified.
 */
#ifndef SESSIOND_NET_NET_H
#define SESSIOND_NET_NET_H

#include <stddef.h>
#include <uv.h>

#include "sessiond/net/guard.h"
#include "sessiond/net/http.h"
#include "sessiond/net/version.h"
#include "sessiond/net/ws.h"

struct net;

struct net_options {
	/* PEM bundle of trusted roots, NULL or "" = the system's. Proxies are checked against the same. */
	const char *ca_file;
	/* Where to connect instead, entries in curl's CONNECT_TO form, e.g. "web.whatsapp.com:443:127.0.0.1:9443". */
	const char *const *connect_to;
	size_t connect_to_count;
	/* Most connections at once, further transfers wait; 0 = no bound. */
	unsigned max_connections;
};

/* Once per process, before the first thread: sets libcurl up and ignores SIGPIPE. 0 or negative. */
int net_global_init(void);
void net_global_free(void);

/* The options are copied. 0 or -ENOMEM. */
int net_new(struct net **out, uv_loop_t *loop, const struct net_options *options);
/*
 * Every connection and request must be freed before. The loop has to run once more so that libuv can close the handles.
 * NULLs the pointer.
 */
void net_free(struct net **net);

#endif
