/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The local protocol between warest.fcgi (or warestctl) and warest-sessiond: length-prefixed frames on a UNIX stream socket.
 *
 *      0        4      5      6        8              12
 *     +--------+------+------+--------+--------------+----------------------+
 *     | length | vers | type | nfds   | request id   | payload: JSON, UTF-8 |
 *     | be32   | u8   | u8   | be16   | be32         | length - 8 bytes     |
 *     +--------+------+------+--------+--------------+----------------------+
 *     length counts what follows it. nfds descriptors ride with the frame's first byte (SCM_RIGHTS).
 *
 * One request frame carries credentials, guards, choice of session and work; one answer frame ends it (streams: several, then END).
 *
 * Request {"m":"messages.send.text", "auth":"none|key|admin|docs", "key":"...", "ip":"...",
 *          "guards":{"rate":true,"cooldown":"raw text of to","quota":true},
 *          "session":{"family":"messages","id":"...","phone":"..."},
 *          "idem":{"key":"...","digest":"..."}, "route":"POST /api/v1/messages/send/text", "p":{validated parameters}}
 * Answer  {"status":200,"code":1000,"message":"...","result":...,"failed":[...]}   rendered in the route's envelope by warest.fcgi
 *      or {"status":429,"bare":{"error":"Too many requests"}}                       sent as it is
 *         both with optional "headers":{"X-RateLimit-Limit":"120"}.
 * The daemon checks in this order: key, admin, rate, cooldown, quota, session, work. "guards.check" has no work: it is what
 * warest.fcgi sends when its own validation has already failed, to learn whether the caller may be told.
 */
#ifndef COMMON_RPC_H
#define COMMON_RPC_H

#include <stdint.h>

#define RPC_VERSION 1

enum rpc_type {
	RPC_HELLO = 1,   /* both ways, first: {"program":"...","version":"...","protocol":1} */
	RPC_REQUEST = 2,
	RPC_ANSWER = 3,  /* ends the request */
	RPC_PART = 4,    /* a part of a stream */
	RPC_CANCEL = 5   /* client: the caller has gone */
};

#define RPC_HEADER_BYTES 12U

#endif
