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
 * Both sides first send HELLO {"program":"warest.fcgi","version":"0.1.0","protocol":1}; a frame of another version byte or a
 * HELLO with another "protocol" ends the connection (RPC_E_VERSION): the two programs are from different releases.
 *
 * One request frame carries credentials, guards, choice of session and work; one answer frame ends it (streams: several PART
 * frames, then ANSWER).
 *
 * Request {"m":"messages.send.text", "auth":"none|key|admin|docs", "scope":"read|send|manage|admin|any", "key":"...", "ip":"...",
 *          "guards":{"rate":true,"cooldown":"raw text of to","quota":true},
 *          "session":{"family":"messages","id":"...","phone":"..."},
 *          "idem":{"key":"...","digest":"..."}, "route":"POST /api/v1/messages/send/text", "p":{validated parameters}}
 * Answer  {"status":200,"code":1000,"message":"...","result":...,"failed":[...]}   rendered in the route's envelope by warest.fcgi
 *      or the same with "result_file":{"length":163745} instead of "result": its JSON is in the descriptor that comes along, sealed
 *      or {"status":429,"bare":{"error":"Too many requests"}}                       sent as it is
 *         both with optional "headers":{"X-RateLimit-Limit":"120"}.
 * The daemon checks in this order: key, network, admin, scope, rate, cooldown, quota, session, work. "guards.check" has no work: it is what
 * warest.fcgi sends when its own validation has already failed, to learn whether the caller may be told.
 */
#ifndef COMMON_RPC_H
#define COMMON_RPC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/buf.h"
#include "common/limits.h"

#define RPC_VERSION 1

enum rpc_type {
	RPC_HELLO = 1,   /* both ways, first: {"program":"...","version":"...","protocol":1} */
	RPC_REQUEST = 2,
	RPC_ANSWER = 3,  /* ends the request */
	RPC_PART = 4,    /* a part of a stream */
	RPC_CANCEL = 5   /* client: the caller has gone */
};

#define RPC_HEADER_BYTES 12U

enum rpc_error {
	RPC_OK = 0,
	RPC_E_DOWN = -1,     /* nobody listens on the socket: the daemon is not running */
	RPC_E_TIMEOUT = -2,  /* the daemon is slow: no answer within the time limit */
	RPC_E_LOST = -3,     /* the connection ended before the answer: the daemon is restarting; the work may have been done */
	RPC_E_PROTOCOL = -4, /* broken frames */
	RPC_E_VERSION = -5,  /* the other side speaks another version */
	RPC_E_TOO_BIG = -6,  /* the frame or the number of descriptors is over the limit */
	RPC_E_REFUSED = -7,  /* this user may not use the socket */
	RPC_E_IN_USE = -8,   /* listening: another daemon is alive on this socket */
	RPC_E_SYSTEM = -9,   /* errno says what */
	RPC_E_GONE = -10     /* whoever waited for the answer has left */
};

/* A line a person can act on. Static. */
const char *rpc_error_text(int error);

/* A frame that was read. */
struct rpc_frame {
	enum rpc_type type;
	uint32_t id;
	struct span payload; /* borrowed from the parser, valid until its next call */
	int fds[LIMIT_RPC_DESCRIPTORS]; /* owned: take them (set to -1) or rpc_frame_free() closes them */
	size_t nfds;
};

/* Closes the descriptors that nobody took. */
void rpc_frame_free(struct rpc_frame *frame);

/* Appends a whole frame to out. RPC_OK or RPC_E_TOO_BIG. The descriptors themselves go with rpc_send(). */
int rpc_frame_write(struct buf *out, enum rpc_type type, uint32_t id, const void *payload, size_t len, size_t nfds);

/* Appends the HELLO frame of this program. */
void rpc_hello_write(struct buf *out, const char *program, const char *version);

/* Checks the payload of the other side's HELLO. RPC_OK, RPC_E_VERSION or RPC_E_PROTOCOL. */
int rpc_hello_check(struct span payload);

/*
 * Cuts a stream of bytes and descriptors into frames. Not thread safe; one per connection.
 *
 *     rpc_receive() or rpc_parser_feed()/rpc_parser_add_fd()  ->  rpc_parser_next() until it answers 0
 */
struct rpc_parser {
	struct buf bytes;   /* unread input */
	size_t done;        /* of which this much was handed out with the last frame */
	int fds[LIMIT_RPC_DESCRIPTORS]; /* owned, arrived but not yet part of a frame */
	size_t nfds;
	int error;          /* sticky */
};

void rpc_parser_init(struct rpc_parser *parser);
void rpc_parser_free(struct rpc_parser *parser);
void rpc_parser_feed(struct rpc_parser *parser, const void *bytes, size_t n);
/* Takes the descriptor over. Too many unclaimed ones break the connection (RPC_E_TOO_BIG at the next call). */
void rpc_parser_add_fd(struct rpc_parser *parser, int fd);
/* 1: *out is a frame. 0: more input is needed. Negative: the connection must be closed. */
int rpc_parser_next(struct rpc_parser *parser, struct rpc_frame *out);
/* Bytes held for frames that are not complete yet. */
size_t rpc_parser_pending(const struct rpc_parser *parser);

/* One recvmsg() on a socket, non-blocking, into the parser. Bytes read; 0 at the end of the stream; RPC_E_TIMEOUT when there is
 * nothing to read now (EAGAIN); RPC_E_LOST or RPC_E_TOO_BIG otherwise. Descriptors arrive close-on-exec. */
ssize_t rpc_receive(int socket, struct rpc_parser *parser);

/* One sendmsg(), non-blocking; the descriptors (copied by the kernel, still the caller's) ride with the first byte, so pass
 * them only with the start of their frame. Bytes written; RPC_E_TIMEOUT when it would block; RPC_E_LOST. */
ssize_t rpc_send(int socket, const void *bytes, size_t n, const int *fds, size_t nfds);

/* Who is at the other end, as the kernel saw it when the connection was made. */
struct rpc_peer {
	pid_t pid;
	uid_t uid;
	gid_t gid;
};

/* RPC_OK or RPC_E_SYSTEM. */
int rpc_peer_of(int socket, struct rpc_peer *out);
/* True if the peer is in this group, supplementary groups included. */
bool rpc_peer_in_group(int socket, const struct rpc_peer *peer, gid_t gid);
/* May this peer speak: root, our own user, or a member of the group that owns the socket. */
bool rpc_peer_allowed(int socket, const struct rpc_peer *peer, gid_t group);
/* May this peer use ctl.* methods: root or our own user. */
bool rpc_peer_is_operator(const struct rpc_peer *peer);

/* Listens on a UNIX socket: a stale file of a dead daemon is replaced, a living one's is not (RPC_E_IN_USE). The file gets
 * mode 0660 and, if group is not (gid_t)-1, that group. Non-blocking and close-on-exec. RPC_OK or an error. */
int rpc_listen(const char *path, gid_t group, int *out_fd);

#endif
