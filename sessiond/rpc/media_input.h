/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The files of a send request, on their way into messages. Main loop only. Private to sessiond/rpc.
 *
 *     {"fd":0,...}  --descriptor of the frame--+
 *                                              +--> first bytes read (worker) --> name, type, kind judged --> media_input_ready
 *     {"url":".."}  --guarded GET into a file--+    through the proxy of the request's session, if it has one
 *     {"stored":"<storage key>"}  --copied-----+    a file of the request's session
 *
 * Contract: rest-a 1.13. Nothing of a file is parsed here but its first bytes.
 */
#ifndef SESSIOND_RPC_MEDIA_INPUT_H
#define SESSIOND_RPC_MEDIA_INPUT_H

#include "common/filetype.h"
#include "sessiond/rpc/request.h"

struct http_call;
struct http_request;

enum media_input_error {
	INPUT_OK = 0,
	INPUT_BAD = -1,       /* broken, empty, or its address could not be fetched */
	INPUT_TOO_LARGE = -2,
	INPUT_SYSTEM = -3,    /* temporary file */
	INPUT_PROXY = -4      /* the session's proxy does not connect: nothing was fetched, and nothing goes past it */
};

/* What INPUT_PROXY is answered with everywhere: 502, APP_NETWORK_ERROR. */
#define INPUT_PROXY_TEXT "The proxy of the session does not connect to that address"

struct media_input {
	struct rpc_request *request; /* borrowed */
	uint64_t limit;              /* bytes */
	int fd;                      /* owned; -1: none */
	uint64_t size;
	char *name;                  /* owned, never NULL once ready; with an extension */
	char *mime;                  /* owned; never NULL once ready; without parameters */
	char *caption, *reply;       /* owned; of this item alone, may be NULL */
	uint8_t head[FILETYPE_HEAD];
	size_t head_len;
	enum media_input_error error;
	bool allowed;                /* by the administrator's list of types */
	/* while it is fetched */
	struct http_call *call;      /* owned */
	void (*ready)(void *arg, struct media_input *input);
	void *arg;
};

/*
 * Gets the input that `item` of the request's parameters describes; ready(arg, input) is called once, never from inside. stem: the name
 * of files that have none ("document"). Descriptors are taken out of the request.
 */
void media_input_get(struct media_input *input, struct rpc_request *request, struct json_object *item, uint64_t limit, const char *stem,
		     void (*ready)(void *arg, struct media_input *input), void *arg);
void media_input_free(struct media_input *input);
/* The way of what this request fetches (proxies.h), for its http_request. */
void media_input_way(const struct rpc_request *request, struct http_request *get);

#endif
