/* SPDX-License-Identifier: GPL-3.0-or-later */
/* RPC frames: writing, cutting a stream into frames, descriptors, the identity of the peer, the listening socket. */
#include "common/rpc.h"

#include <errno.h>
#include <json-c/json.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/mem.h"

enum { RECEIVE_BYTES = 16 * 1024, RECEIVE_MOST = 1024 * 1024, KEPT_BYTES = 64 * 1024, BACKLOG = 512, HELLO_DEPTH = 4, LENGTH_BYTES = 4, COUNTED_HEADER = RPC_HEADER_BYTES - 4 };

static const struct {
	int error;
	const char *text;
} error_texts[] = {
	{ RPC_OK, "ok" },
	{ RPC_E_DOWN, "warest-sessiond is not running" },
	{ RPC_E_TIMEOUT, "warest-sessiond did not answer in time" },
	{ RPC_E_LOST, "the connection to warest-sessiond ended before the answer; it may be restarting" },
	{ RPC_E_PROTOCOL, "warest-sessiond and this program do not understand each other" },
	{ RPC_E_VERSION, "warest-sessiond is of another version; install the same release of both programs and restart them" },
	{ RPC_E_TOO_BIG, "the request is larger than the local protocol allows" },
	{ RPC_E_REFUSED, "this user may not use the socket of warest-sessiond; it must be in the socket's group" },
	{ RPC_E_IN_USE, "another warest-sessiond is running on this socket" },
	{ RPC_E_SYSTEM, "system error" },
	{ RPC_E_GONE, "the client that asked has left" },
};

const char *rpc_error_text(int error)
{
	for (size_t i = 0; i < sizeof error_texts / sizeof error_texts[0]; i++) {
		if (error_texts[i].error == error)
			return error_texts[i].text;
	}
	return "unknown error";
}

static void close_all(int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (fds[i] >= 0)
			(void)close(fds[i]);
		fds[i] = -1;
	}
}

void rpc_frame_free(struct rpc_frame *frame)
{
	close_all(frame->fds, frame->nfds);
	frame->nfds = 0;
}

int rpc_frame_write(struct buf *out, enum rpc_type type, uint32_t id, const void *payload, size_t len, size_t nfds)
{
	if (len > LIMIT_RPC_FRAME_BYTES || nfds > LIMIT_RPC_DESCRIPTORS)
		return RPC_E_TOO_BIG;
	buf_reserve(out, RPC_HEADER_BYTES + len);
	buf_be32(out, (uint32_t)len + COUNTED_HEADER);
	buf_u8(out, RPC_VERSION);
	buf_u8(out, (uint8_t)type);
	buf_be16(out, (uint16_t)nfds);
	buf_be32(out, id);
	buf_append(out, payload, len);
	return RPC_OK;
}

void rpc_hello_write(struct buf *out, const char *program, const char *version)
{
	struct json_object *hello = json_object_new_object();
	const char *text;
	size_t len = 0;

	json_object_object_add(hello, "program", json_object_new_string(program));
	json_object_object_add(hello, "version", json_object_new_string(version));
	json_object_object_add(hello, "protocol", json_object_new_int(RPC_VERSION));
	text = json_object_to_json_string_length(hello, JSON_C_TO_STRING_PLAIN, &len);
	(void)rpc_frame_write(out, RPC_HELLO, 0, text, len, 0);
	json_object_put(hello);
}

int rpc_hello_check(struct span payload)
{
	struct json_tokener *tokener;
	struct json_object *hello = NULL;
	struct json_object *protocol = NULL;
	int rc = RPC_E_PROTOCOL;

	if (payload.n == 0 || payload.n > LIMIT_RPC_FRAME_BYTES)
		return RPC_E_PROTOCOL;
	tokener = json_tokener_new_ex(HELLO_DEPTH);
	if (tokener == NULL)
		return RPC_E_SYSTEM;
	hello = json_tokener_parse_ex(tokener, (const char *)payload.p, (int)payload.n);
	if (json_object_is_type(hello, json_type_object) && json_object_object_get_ex(hello, "protocol", &protocol) &&
		json_object_is_type(protocol, json_type_int))
		rc = json_object_get_int(protocol) == RPC_VERSION ? RPC_OK : RPC_E_VERSION;
	json_object_put(hello);
	json_tokener_free(tokener);
	return rc;
}

void rpc_parser_init(struct rpc_parser *parser)
{
	memset(parser, 0, sizeof *parser);
	buf_init(&parser->bytes);
}

void rpc_parser_free(struct rpc_parser *parser)
{
	close_all(parser->fds, parser->nfds);
	parser->nfds = 0;
	parser->done = 0;
	/* Requests carry keys and message texts. */
	buf_wipe(&parser->bytes);
}

static void drop_done(struct rpc_parser *parser)
{
	if (parser->done == 0)
		return;
	buf_consume(&parser->bytes, parser->done);
	parser->done = 0;
	/* One large request must not hold its memory for the life of the connection. */
	if (parser->bytes.len == 0 && parser->bytes.cap > KEPT_BYTES)
		buf_wipe(&parser->bytes);
}

void rpc_parser_feed(struct rpc_parser *parser, const void *bytes, size_t n)
{
	drop_done(parser);
	if (parser->error == RPC_OK)
		buf_append(&parser->bytes, bytes, n);
}

void rpc_parser_add_fd(struct rpc_parser *parser, int fd)
{
	if (parser->error != RPC_OK || parser->nfds == LIMIT_RPC_DESCRIPTORS) {
		(void)close(fd);
		if (parser->error == RPC_OK)
			parser->error = RPC_E_TOO_BIG;
		return;
	}
	parser->fds[parser->nfds++] = fd;
}

size_t rpc_parser_pending(const struct rpc_parser *parser)
{
	return parser->bytes.len - parser->done;
}

/* Moves the first n waiting descriptors into the frame. */
static void claim_fds(struct rpc_parser *parser, struct rpc_frame *out, size_t n)
{
	memcpy(out->fds, parser->fds, n * sizeof out->fds[0]);
	out->nfds = n;
	parser->nfds -= n;
	memmove(parser->fds, parser->fds + n, parser->nfds * sizeof parser->fds[0]);
}

int rpc_parser_next(struct rpc_parser *parser, struct rpc_frame *out)
{
	struct reader r;
	uint32_t length;
	uint8_t version;
	uint8_t type;
	uint16_t nfds;

	memset(out, 0, sizeof *out);
	drop_done(parser);
	if (parser->error != RPC_OK)
		return parser->error;
	/* The header is judged as soon as it is there, so that a wrong length holds no memory. */
	if (parser->bytes.len < RPC_HEADER_BYTES)
		return 0;
	r = reader_of(parser->bytes.data, parser->bytes.len);
	length = read_be32(&r);
	version = read_u8(&r);
	type = read_u8(&r);
	nfds = read_be16(&r);
	out->id = read_be32(&r);
	if (version != RPC_VERSION)
		parser->error = RPC_E_VERSION;
	else if (length < COUNTED_HEADER || type < RPC_HELLO || type > RPC_CANCEL)
		parser->error = RPC_E_PROTOCOL;
	else if (length - COUNTED_HEADER > LIMIT_RPC_FRAME_BYTES || nfds > LIMIT_RPC_DESCRIPTORS)
		parser->error = RPC_E_TOO_BIG;
	if (parser->error != RPC_OK)
		return parser->error;
	if (r.left < length - COUNTED_HEADER)
		return 0;
	if (nfds > parser->nfds) {
		parser->error = RPC_E_PROTOCOL;
		return parser->error;
	}
	out->type = (enum rpc_type)type;
	out->payload = read_span(&r, length - COUNTED_HEADER);
	claim_fds(parser, out, nfds);
	parser->done = LENGTH_BYTES + (size_t)length;
	return 1;
}

/* Takes the descriptors out of a received message. */
static void collect_fds(struct msghdr *message, struct rpc_parser *parser)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c)) {
		size_t n;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			int fd;
			memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
			rpc_parser_add_fd(parser, fd);
		}
	}
	if ((message->msg_flags & MSG_CTRUNC) != 0 && parser->error == RPC_OK)
		parser->error = RPC_E_TOO_BIG;
}

/* How much of the frame that has begun is still to come; 0: less than it pays to treat apart, or not known yet. */
static size_t missing(struct rpc_parser *parser)
{
	struct reader r;
	size_t whole;

	drop_done(parser);
	if (parser->error != RPC_OK || parser->bytes.len < RPC_HEADER_BYTES)
		return 0;
	r = reader_of(parser->bytes.data, parser->bytes.len);
	whole = (size_t)read_be32(&r) + LENGTH_BYTES;
	if (whole > LIMIT_RPC_FRAME_BYTES + RPC_HEADER_BYTES || whole < parser->bytes.len + RECEIVE_BYTES)
		return 0;
	whole -= parser->bytes.len;
	return whole < RECEIVE_MOST ? whole : RECEIVE_MOST;
}

ssize_t rpc_receive(int socket, struct rpc_parser *parser)
{
	union {
		char bytes[CMSG_SPACE(LIMIT_RPC_DESCRIPTORS * sizeof(int))];
		struct cmsghdr align;
	} control;
	uint8_t bytes[RECEIVE_BYTES];
	struct iovec part = { .iov_base = bytes, .iov_len = sizeof bytes };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes,
		.msg_controllen = sizeof control.bytes };
	size_t rest = missing(parser);
	ssize_t n;

	/* The rest of a big frame goes where it belongs, in as few pieces as the socket allows. */
	if (rest > 0)
		part = (struct iovec){ .iov_base = buf_reserve(&parser->bytes, rest), .iov_len = rest };
	do {
		n = recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN || errno == EWOULDBLOCK ? RPC_E_TIMEOUT : RPC_E_LOST;
	collect_fds(&message, parser);
	if (rest > 0)
		buf_commit(&parser->bytes, (size_t)n);
	else
		rpc_parser_feed(parser, bytes, (size_t)n);
	return parser->error != RPC_OK ? parser->error : n;
}

ssize_t rpc_send(int socket, const void *bytes, size_t n, const int *fds, size_t nfds)
{
	union {
		char bytes[CMSG_SPACE(LIMIT_RPC_DESCRIPTORS * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec part = { .iov_base = (void *)(uintptr_t)bytes, .iov_len = n };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
	ssize_t sent;

	if (nfds > LIMIT_RPC_DESCRIPTORS)
		return RPC_E_TOO_BIG;
	if (nfds > 0) {
		memset(&control, 0, sizeof control);
		message.msg_control = control.bytes;
		message.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
		struct cmsghdr *c = CMSG_FIRSTHDR(&message);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(nfds * sizeof(int));
		memcpy(CMSG_DATA(c), fds, nfds * sizeof(int));
	}
	do {
		sent = sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
	} while (sent < 0 && errno == EINTR);
	if (sent >= 0)
		return sent;
	return errno == EAGAIN || errno == EWOULDBLOCK ? RPC_E_TIMEOUT : RPC_E_LOST;
}

int rpc_peer_of(int socket, struct rpc_peer *out)
{
	struct ucred credentials;
	socklen_t size = sizeof credentials;

	if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0 || size != sizeof credentials)
		return RPC_E_SYSTEM;
	*out = (struct rpc_peer){ .pid = credentials.pid, .uid = credentials.uid, .gid = credentials.gid };
	return RPC_OK;
}

bool rpc_peer_in_group(int socket, const struct rpc_peer *peer, gid_t gid)
{
	socklen_t size = 64 * sizeof(gid_t);
	gid_t *groups;
	bool found = false;

	if (peer->gid == gid)
		return true;
	groups = xmalloc(size);
	if (getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, groups, &size) != 0) {
		if (errno != ERANGE)
			goto out;
		/* size now says how much is needed */
		groups = xrealloc(groups, size);
		if (getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, groups, &size) != 0)
			goto out;
	}
	for (size_t i = 0; i < size / sizeof groups[0]; i++)
		found = found || groups[i] == gid;
out:
	free(groups);
	return found;
}

bool rpc_peer_is_operator(const struct rpc_peer *peer)
{
	return peer->uid == 0 || peer->uid == geteuid();
}

bool rpc_peer_allowed(int socket, const struct rpc_peer *peer, gid_t group)
{
	return rpc_peer_is_operator(peer) || (group != (gid_t)-1 && rpc_peer_in_group(socket, peer, group));
}

/* True if somebody accepts connections at this address. */
static bool somebody_listens(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool alive;

	if (fd < 0)
		return false;
	/* EAGAIN: the queue of a living daemon is full. */
	alive = connect(fd, (const struct sockaddr *)address, sizeof *address) == 0 || errno == EAGAIN;
	(void)close(fd);
	return alive;
}

static int bind_socket(int fd, const struct sockaddr_un *address, gid_t group)
{
	struct stat info;
	mode_t before;
	int rc;

	if (lstat(address->sun_path, &info) == 0) {
		if (!S_ISSOCK(info.st_mode)) {
			errno = EEXIST;
			return RPC_E_SYSTEM;
		}
		if (somebody_listens(address))
			return RPC_E_IN_USE;
		if (unlink(address->sun_path) != 0)
			return RPC_E_SYSTEM;
	}
	/* Nobody may connect before owner and mode are right. */
	before = umask(0177);
	rc = bind(fd, (const struct sockaddr *)address, sizeof *address);
	(void)umask(before);
	if (rc != 0)
		return RPC_E_SYSTEM;
	if (group != (gid_t)-1 && chown(address->sun_path, (uid_t)-1, group) != 0)
		return RPC_E_SYSTEM;
	if (chmod(address->sun_path, 0660) != 0 || listen(fd, BACKLOG) != 0)
		return RPC_E_SYSTEM;
	return RPC_OK;
}

int rpc_listen(const char *path, gid_t group, int *out_fd)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd;
	int rc;

	*out_fd = -1;
	if (strlen(path) >= sizeof address.sun_path) {
		errno = ENAMETOOLONG;
		return RPC_E_SYSTEM;
	}
	memcpy(address.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return RPC_E_SYSTEM;
	rc = bind_socket(fd, &address, group);
	if (rc != RPC_OK) {
		int saved = errno;
		(void)close(fd);
		errno = saved;
		return rc;
	}
	*out_fd = fd;
	return RPC_OK;
}
