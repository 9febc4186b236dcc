/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whether a URL that a user wants to be called leads where the outbound guard allows (D6). Private to sessiond/rpc. */
#ifndef SESSIOND_RPC_URL_CHECK_H
#define SESSIOND_RPC_URL_CHECK_H

#include <stdbool.h>
#include <uv.h>

#include "sessiond/daemon.h"

/* Part of what the request keeps: it must live until done was called. */
struct url_check {
	uv_getaddrinfo_t lookup;
	const struct guard *guard; /* borrowed */
	char *host;                /* owned until done */
	void (*done)(void *arg, bool refused);
	void *arg;
};

#define URL_CHECK_REFUSED "Webhook address is not public; add its network or host to WAREST_OUTBOUND_ALLOW to allow it"

/* Main loop. url: valid (http_url_is_valid). A name that does not resolve now may do so later: not refused. done may be called from inside. */
void url_check(struct url_check *check, const struct daemon *daemon, const char *url, void (*done)(void *arg, bool refused), void *arg);

#endif
