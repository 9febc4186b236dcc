/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The way from whoever calls to whoever answers, who do not include each other. */
#include "sessiond/call.h"

#include "sessiond/daemon.h"

/* A call begins with its server, so that it can be given back to it. */
struct call {
	const struct call_server *server;
};

struct call *call_start(struct daemon *daemon, const struct call_request *request)
{
	return daemon->calls->start(daemon->calls->ctx, request);
}

void call_cancel(struct call **call)
{
	if (*call)
		(*call)->server->cancel(*call);
	*call = NULL;
}
