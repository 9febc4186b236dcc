/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The engine room of the folder, private to it: one curl multi handle driven by one libuv loop.
 *
 *     curl: "watch this socket"  -> uv_poll  --ready--> curl_multi_socket_action() --> transfer->done()
 *     curl: "wake me in n ms"    -> uv_timer --fired-->            "
 *     net_soon(task)             -> uv_idle  -------------------------------------> task->run(), before the loop waits again
 */
#ifndef SESSIOND_NET_MULTI_H
#define SESSIOND_NET_MULTI_H

#include <curl/curl.h>
#include <stdbool.h>
#include <uv.h>

#include "sessiond/net/names.h"
#include "sessiond/net/net.h"

/* One easy handle in the multi. Embedded in what uses it; CURLOPT_PRIVATE points at it. */
struct net_transfer {
	CURL *easy; /* owned; NULL after net_transfer_end() */
	void (*done)(struct net_transfer *transfer, CURLcode result);
};

/* Something to run once, soon, on this loop. Embedded in what uses it; all zero = not queued. */
struct net_task {
	void (*run)(struct net_task *task);
	struct net_task *next, *prev; /* borrowed; only the net's list uses them */
	bool queued;
};

/* A transfer with the options that every connection of this net has. -ENOMEM if curl has no handle. */
int net_transfer_init(struct net *net, struct net_transfer *transfer);
int net_transfer_start(struct net *net, struct net_transfer *transfer);
/* Takes it out of the multi (a CONNECT_ONLY connection is closed by that) and frees the easy handle. Allowed at any time. */
void net_transfer_end(struct net *net, struct net_transfer *transfer);

void net_soon(struct net *net, struct net_task *task);
void net_soon_cancel(struct net *net, struct net_task *task);
uv_loop_t *net_loop(struct net *net);
/* Borrowed. */
struct names *net_names(struct net *net);

/* A closed uv handle frees its own memory: pass as close callback of handles from malloc. */
void net_free_handle(uv_handle_t *handle);

#endif
