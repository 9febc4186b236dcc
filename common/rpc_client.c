/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Blocking RPC calls within a time limit, over kept connections. */
#include "common/rpc_client.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "common/mem.h"

enum { POOL_KEPT = 64, POLL_SLICE_MAX_MS = 60000 };

struct connection {
	int fd;
	int watch; /* borrowed: whose hang-up ends the wait; -1: nobody's */
	int stop;  /* borrowed: what is readable when this program ends; -1: nothing */
	uint32_t next_id;
	struct rpc_parser parser;
	struct connection *next; /* in the pool's list of idle ones */
};

struct rpc_pool {
	char *path;    /* owned */
	char *program; /* owned */
	char *version; /* owned */
	pthread_mutex_t lock;
	struct connection *idle; /* owned; newest first */
	size_t idle_count;
};

struct rpc_stream {
	struct connection *connection; /* owned */
	uint32_t id;
};

static int64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void rpc_reply_init(struct rpc_reply *reply)
{
	memset(reply, 0, sizeof *reply);
}

void rpc_reply_free(struct rpc_reply *reply)
{
	for (size_t i = 0; i < reply->nfds; i++) {
		if (reply->fds[i] >= 0)
			(void)close(reply->fds[i]);
	}
	reply->nfds = 0;
	reply->last = false;
	buf_wipe(&reply->json);
}

static void connection_free(struct connection *c)
{
	if (c == NULL)
		return;
	if (c->fd >= 0)
		(void)close(c->fd);
	rpc_parser_free(&c->parser);
	free(c);
}

/* Waits until the socket is ready for `events`. poll() ignores a watched descriptor of -1. */
static int wait_ready(const struct connection *c, short events, int64_t deadline_ms)
{
	for (;;) {
		int64_t left = deadline_ms - now_ms();
		struct pollfd items[] = { { .fd = c->fd, .events = events }, { .fd = c->watch, .events = POLLRDHUP },
					{ .fd = c->stop, .events = POLLIN } };
		int n;

		if (left <= 0)
			return RPC_E_TIMEOUT;
		n = poll(items, 3, (int)(left < POLL_SLICE_MAX_MS ? left : POLL_SLICE_MAX_MS));
		if (n > 0 && items[0].revents)
			return RPC_OK;
		if (n > 0)
			return RPC_E_GONE;
		if (n < 0 && errno != EINTR)
			return RPC_E_SYSTEM;
	}
}

static int send_all(const struct connection *c, const struct buf *out, const int *fds, size_t nfds, int64_t deadline_ms)
{
	size_t done = 0;

	while (done < out->len) {
		ssize_t n = rpc_send(c->fd, out->data + done, out->len - done, fds, nfds);
		if (n == RPC_E_TIMEOUT) {
			int rc = wait_ready(c, POLLOUT, deadline_ms);
			if (rc != RPC_OK)
				return rc;
			continue;
		}
		if (n < 0)
			return (int)n;
		done += (size_t)n;
		nfds = 0;
	}
	return RPC_OK;
}

/* The next frame; the caller frees its descriptors. */
static int next_frame(struct connection *c, int64_t deadline_ms, struct rpc_frame *frame)
{
	for (;;) {
		int rc = rpc_parser_next(&c->parser, frame);
		ssize_t n;

		if (rc != 0)
			return rc > 0 ? RPC_OK : rc;
		/* Waiting first is one system call less than finding nothing to read. */
		rc = wait_ready(c, POLLIN, deadline_ms);
		if (rc != RPC_OK)
			return rc;
		n = rpc_receive(c->fd, &c->parser);
		if (n == 0)
			return RPC_E_LOST;
		if (n < 0 && n != RPC_E_TIMEOUT)
			return (int)n;
	}
}

static int connect_error(void)
{
	switch (errno) {
	case ENOENT:
	case ECONNREFUSED:
		return RPC_E_DOWN;
	case EACCES:
	case EPERM:
		return RPC_E_REFUSED;
	case EAGAIN:
	case EINPROGRESS:
		return RPC_E_TIMEOUT; /* the daemon does not take connections off its queue */
	default:
		return RPC_E_SYSTEM;
	}
}

static int connect_within(int fd, const char *path, int64_t timeout_ms)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct timeval limit = { .tv_sec = timeout_ms / 1000, .tv_usec = (timeout_ms % 1000) * 1000 };

	if (strlen(path) >= sizeof address.sun_path)
		return RPC_E_SYSTEM;
	memcpy(address.sun_path, path, strlen(path) + 1);
	if (timeout_ms <= 0)
		return RPC_E_TIMEOUT;
	/* A full queue makes connect() wait; the send limit bounds that on UNIX sockets. */
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
	return connect(fd, (const struct sockaddr *)&address, sizeof address) == 0 ? RPC_OK : connect_error();
}

static int exchange_hello(const struct rpc_pool *pool, struct connection *c, int64_t deadline_ms)
{
	struct buf out;
	struct rpc_frame frame;
	int rc;

	buf_init(&out);
	rpc_hello_write(&out, pool->program, pool->version);
	rc = send_all(c, &out, NULL, 0, deadline_ms);
	buf_free(&out);
	if (rc != RPC_OK)
		return rc;
	rc = next_frame(c, deadline_ms, &frame);
	if (rc != RPC_OK)
		return rc;
	rc = frame.type == RPC_HELLO ? rpc_hello_check(frame.payload) : RPC_E_PROTOCOL;
	rpc_frame_free(&frame);
	return rc;
}

static int connection_open(const struct rpc_pool *pool, int64_t deadline_ms, struct connection **out)
{
	struct connection *c = xcalloc(1, sizeof *c);
	int rc = RPC_E_SYSTEM;

	rpc_parser_init(&c->parser);
	c->next_id = 1;
	c->watch = c->stop = -1;
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd >= 0)
		rc = connect_within(c->fd, pool->path, deadline_ms - now_ms());
	if (rc == RPC_OK)
		rc = exchange_hello(pool, c, deadline_ms);
	if (rc != RPC_OK) {
		connection_free(c);
		c = NULL;
	}
	*out = c;
	return rc;
}

/* A kept connection on which nothing happened: no end of stream, no stray bytes. */
static bool still_good(const struct connection *c)
{
	struct pollfd item = { .fd = c->fd, .events = POLLIN };

	return rpc_parser_pending(&c->parser) == 0 && poll(&item, 1, 0) == 0;
}

static int pool_take(struct rpc_pool *pool, int64_t deadline_ms, struct connection **out)
{
	struct connection *c;

	for (;;) {
		(void)pthread_mutex_lock(&pool->lock);
		c = pool->idle;
		if (c != NULL) {
			pool->idle = c->next;
			pool->idle_count--;
		}
		(void)pthread_mutex_unlock(&pool->lock);
		if (c == NULL)
			return connection_open(pool, deadline_ms, out);
		if (still_good(c)) {
			*out = c;
			return RPC_OK;
		}
		connection_free(c);
	}
}

static void pool_give(struct rpc_pool *pool, struct connection *c)
{
	(void)pthread_mutex_lock(&pool->lock);
	if (pool->idle_count < POOL_KEPT) {
		c->next = pool->idle;
		pool->idle = c;
		pool->idle_count++;
		c = NULL;
	}
	(void)pthread_mutex_unlock(&pool->lock);
	connection_free(c);
}

struct rpc_pool *rpc_pool_new(const char *socket_path, const char *program, const char *version)
{
	struct rpc_pool *pool = xcalloc(1, sizeof *pool);

	pool->path = xstrdup(socket_path);
	pool->program = xstrdup(program);
	pool->version = xstrdup(version);
	(void)pthread_mutex_init(&pool->lock, NULL);
	return pool;
}

void rpc_pool_free(struct rpc_pool *pool)
{
	if (pool == NULL)
		return;
	while (pool->idle != NULL) {
		struct connection *c = pool->idle;
		pool->idle = c->next;
		connection_free(c);
	}
	(void)pthread_mutex_destroy(&pool->lock);
	free(pool->path);
	free(pool->program);
	free(pool->version);
	free(pool);
}

static int send_request(struct connection *c, const char *json, size_t len, const int *fds, size_t nfds, int64_t deadline_ms)
{
	struct buf out;
	int rc;

	buf_init(&out);
	rc = rpc_frame_write(&out, RPC_REQUEST, c->next_id, json, len, nfds);
	if (rc == RPC_OK)
		rc = send_all(c, &out, fds, nfds, deadline_ms);
	buf_wipe(&out);
	return rc;
}

/* Takes the frame's content over if it belongs to this request. */
static int take_reply(struct rpc_frame *frame, uint32_t id, struct rpc_reply *reply)
{
	if (frame->id != id || (frame->type != RPC_ANSWER && frame->type != RPC_PART)) {
		rpc_frame_free(frame);
		return RPC_E_PROTOCOL;
	}
	rpc_reply_free(reply);
	buf_append_span(&reply->json, frame->payload);
	reply->last = frame->type == RPC_ANSWER;
	memcpy(reply->fds, frame->fds, sizeof reply->fds);
	reply->nfds = frame->nfds;
	frame->nfds = 0;
	return RPC_OK;
}

/* Closing says the same to a daemon that is too busy to read the frame now. */
static void send_cancel(const struct connection *c, uint32_t id)
{
	struct buf out;

	buf_init(&out);
	(void)rpc_frame_write(&out, RPC_CANCEL, id, "{}", 2, 0);
	(void)rpc_send(c->fd, out.data, out.len, NULL, 0);
	buf_free(&out);
}

int rpc_call(struct rpc_pool *pool, const char *json, size_t len, const int *fds, size_t nfds, int64_t timeout_ms,
	struct rpc_reply *reply)
{
	return rpc_call_watched(pool, json, len, fds, nfds, timeout_ms, (struct rpc_watch){ -1, -1 }, reply);
}

int rpc_call_watched(struct rpc_pool *pool, const char *json, size_t len, const int *fds, size_t nfds, int64_t timeout_ms, struct rpc_watch watch,
	struct rpc_reply *reply)
{
	int64_t deadline_ms = now_ms() + timeout_ms;
	struct connection *c = NULL;
	struct rpc_frame frame;
	int rc;

	rpc_reply_free(reply);
	rc = pool_take(pool, deadline_ms, &c);
	if (rc != RPC_OK)
		return rc;
	rc = send_request(c, json, len, fds, nfds, deadline_ms);
	c->watch = watch.client;
	c->stop = watch.stop;
	if (rc == RPC_OK)
		rc = next_frame(c, deadline_ms, &frame);
	c->watch = c->stop = -1;
	if (rc == RPC_E_GONE)
		send_cancel(c, c->next_id);
	if (rc == RPC_OK)
		rc = take_reply(&frame, c->next_id, reply);
	if (rc == RPC_OK && !reply->last)
		rc = RPC_E_PROTOCOL;
	c->next_id++;
	if (rc == RPC_OK)
		pool_give(pool, c);
	else
		connection_free(c);
	return rc;
}

int rpc_stream_open(struct rpc_pool *pool, const char *json, size_t len, int64_t timeout_ms, struct rpc_stream **out)
{
	int64_t deadline_ms = now_ms() + timeout_ms;
	struct connection *c = NULL;
	int rc;

	*out = NULL;
	rc = pool_take(pool, deadline_ms, &c);
	if (rc != RPC_OK)
		return rc;
	rc = send_request(c, json, len, NULL, 0, deadline_ms);
	if (rc != RPC_OK) {
		connection_free(c);
		return rc;
	}
	*out = xcalloc(1, sizeof **out);
	(*out)->connection = c;
	(*out)->id = c->next_id;
	return RPC_OK;
}

int rpc_stream_next(struct rpc_stream *stream, int64_t timeout_ms, struct rpc_reply *reply)
{
	struct rpc_frame frame;
	int rc = next_frame(stream->connection, now_ms() + timeout_ms, &frame);

	return rc == RPC_OK ? take_reply(&frame, stream->id, reply) : rc;
}

int rpc_stream_fd(const struct rpc_stream *stream)
{
	return stream->connection->fd;
}

bool rpc_stream_ready(const struct rpc_stream *stream)
{
	const struct rpc_parser *parser = &stream->connection->parser;
	struct reader r = reader_of(parser->bytes.data + parser->done, rpc_parser_pending(parser));
	uint32_t length = read_be32(&r);

	return r.ok && r.left >= length;
}

void rpc_stream_close(struct rpc_stream *stream)
{
	if (stream == NULL)
		return;
	send_cancel(stream->connection, stream->id);
	connection_free(stream->connection);
	free(stream);
}
