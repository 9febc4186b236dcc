/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The listening socket and its connections: frames in, answers out. What the frames mean is request.c's. */
#include "sessiond/rpc/rpc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/mem.h"
#include "common/rpc.h"
#include "sessiond/loop.h"
#include "sessiond/rpc/context.h"
#include "sessiond/rpc/guardkeep.h"
#include "sessiond/rpc/live.h"
#include "sessiond/rpc/request.h"

enum {
	MAX_CONNECTIONS = 1024,
	/* A peer that does not read its answers is cut off here. */
	MAX_OUT_BYTES = 64 << 20,
	MAX_ACCEPTS_PER_TURN = 64,
	WATCH_MS = 1000
};

struct rpc_conn {
	struct rpc_server *server; /* borrowed */
	struct rpc_conn *next, *prev;
	int fd;                    /* owned */
	uv_poll_t poll;
	struct rpc_parser parser;
	struct buf out;
	size_t written;
	int out_fd;                /* owned: rides with the byte at out_fd_at; -1: none */
	size_t out_fd_at;
	bool hello;
	bool operator;
	bool closing;
	int events;                /* what poll waits for */
};

struct rpc_server {
	struct rpc_context *context; /* owned */
	struct daemon *daemon;       /* borrowed */
	struct log log;
	int listen_fd;               /* owned; -1: not listening */
	uv_poll_t *listen_poll;      /* owned */
	char *path;                  /* owned */
	gid_t group;
	dev_t dev;                   /* the socket file as it was made */
	ino_t ino;
	struct timer watch;
	struct rpc_conn *conns;      /* owned list */
	size_t count;
};

static void on_ready(uv_poll_t *poll, int status, int events);

static void free_conn(uv_handle_t *handle)
{
	struct rpc_conn *conn = handle->data;

	close(conn->fd);
	if (conn->out_fd >= 0)
		close(conn->out_fd);
	rpc_parser_free(&conn->parser);
	buf_free(&conn->out);
	free(conn);
}

static void close_conn(struct rpc_conn *conn)
{
	struct rpc_server *server = conn->server;

	if (conn->closing)
		return;
	conn->closing = true;
	rpc_request_orphan(server->context, conn);
	if (conn->prev)
		conn->prev->next = conn->next;
	else
		server->conns = conn->next;
	if (conn->next)
		conn->next->prev = conn->prev;
	server->count--;
	uv_poll_stop(&conn->poll);
	uv_close((uv_handle_t *)&conn->poll, free_conn);
}

static void wait_for(struct rpc_conn *conn, int events)
{
	if (conn->closing || conn->events == events)
		return;
	conn->events = events;
	if (uv_poll_start(&conn->poll, events, on_ready))
		close_conn(conn);
}

/* One write: up to the byte that a descriptor rides with, or from it on. */
static ssize_t write_some(struct rpc_conn *conn)
{
	bool now = conn->out_fd >= 0 && conn->written == conn->out_fd_at;
	size_t end = conn->out_fd >= 0 && !now ? conn->out_fd_at : conn->out.len;
	ssize_t n = rpc_send(conn->fd, conn->out.data + conn->written, end - conn->written, &conn->out_fd, now ? 1 : 0);

	if (n > 0 && now) {
		close(conn->out_fd);
		conn->out_fd = -1;
	}
	return n;
}

static void flush(struct rpc_conn *conn)
{
	while (conn->written < conn->out.len) {
		ssize_t n = write_some(conn);

		if (n == RPC_E_TIMEOUT) {
			wait_for(conn, UV_READABLE | UV_WRITABLE);
			return;
		}
		if (n < 0) {
			close_conn(conn);
			return;
		}
		conn->written += (size_t)n;
	}
	/* A big answer's memory is not kept for small ones. */
	if (conn->out.cap > 65536)
		buf_free(&conn->out);
	else
		buf_clear(&conn->out);
	conn->written = 0;
	wait_for(conn, UV_READABLE);
}

static void write_answer(struct rpc_conn *conn, uint32_t id, const struct buf *json, int fd)
{
	/* warest.fcgi asks one thing at a time over a connection: a second descriptor while the first has not left cannot be its. */
	bool fits = fd < 0 || conn->out_fd < 0;

	if (fd >= 0 && (conn->closing || !fits))
		close(fd);
	if (conn->closing)
		return;
	if (fd >= 0 && fits) {
		conn->out_fd = fd;
		conn->out_fd_at = conn->out.len;
	}
	if (!fits || conn->out.len - conn->written > MAX_OUT_BYTES || rpc_frame_write(&conn->out, RPC_ANSWER, id, json->data, json->len, fd >= 0)) {
		log_warn(&conn->server->log, "connection dropped: answer too big or not read", LOG_INT("bytes", json->len));
		close_conn(conn);
		return;
	}
	flush(conn);
}

static void take_frame(struct rpc_conn *conn, struct rpc_frame *frame)
{
	struct rpc_context *context = conn->server->context;
	int error;

	if (!conn->hello) {
		error = frame->type == RPC_HELLO ? rpc_hello_check(frame->payload) : RPC_E_PROTOCOL;
		conn->hello = !error;
		if (error) {
			log_warn(&conn->server->log, "connection refused", LOG_STR("reason", rpc_error_text(error)));
			close_conn(conn);
		}
	} else if (frame->type == RPC_REQUEST) {
		rpc_request_take(context, conn, conn->operator, frame);
	} else if (frame->type == RPC_CANCEL) {
		rpc_request_cancel(context, conn, frame->id);
	} else {
		close_conn(conn);
	}
}

static void read_frames(struct rpc_conn *conn)
{
	struct rpc_frame frame;
	ssize_t n = rpc_receive(conn->fd, &conn->parser);
	int rc = 0;

	if (n == RPC_E_TIMEOUT)
		return;
	while (n > 0 && !conn->closing) {
		rc = rpc_parser_next(&conn->parser, &frame);
		if (rc <= 0)
			break;
		take_frame(conn, &frame);
		rpc_frame_free(&frame);
	}
	if (rc < 0)
		log_warn(&conn->server->log, "broken frames on the socket", LOG_STR("reason", rpc_error_text(rc)));
	if (n <= 0 || rc < 0)
		close_conn(conn);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
	struct rpc_conn *conn = poll->data;

	if (status < 0) {
		close_conn(conn);
		return;
	}
	if (events & UV_WRITABLE)
		flush(conn);
	if ((events & UV_READABLE) && !conn->closing)
		read_frames(conn);
}

static void add_conn(struct rpc_server *server, int fd)
{
	struct rpc_conn *conn;
	struct rpc_peer peer;

	if (rpc_peer_of(fd, &peer) || !rpc_peer_allowed(fd, &peer, server->group)) {
		log_warn(&server->log, "connection of another user refused", LOG_INT("uid", peer.uid), LOG_INT("pid", peer.pid));
		close(fd);
		return;
	}
	if (server->count >= MAX_CONNECTIONS) {
		log_warn(&server->log, "too many connections", LOG_INT("limit", MAX_CONNECTIONS));
		close(fd);
		return;
	}
	conn = xcalloc(1, sizeof *conn);
	conn->server = server;
	conn->fd = fd;
	conn->out_fd = -1;
	conn->operator = rpc_peer_is_operator(&peer);
	rpc_parser_init(&conn->parser);
	if (uv_poll_init(loop_uv(server->daemon->loop), &conn->poll, fd)) {
		close(fd);
		free(conn);
		return;
	}
	conn->poll.data = conn;
	conn->next = server->conns;
	if (conn->next)
		conn->next->prev = conn;
	server->conns = conn;
	server->count++;
	rpc_hello_write(&conn->out, "warest-sessiond", server->daemon->version);
	flush(conn);
}

static void on_connection(uv_poll_t *poll, int status, int events)
{
	struct rpc_server *server = poll->data;

	(void)events;
	for (int i = 0; status >= 0 && i < MAX_ACCEPTS_PER_TURN; i++) {
		int fd = accept4(server->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0)
			return;
		add_conn(server, fd);
	}
}

static void free_handle(uv_handle_t *handle)
{
	free(handle);
}

static void stop_listening(struct rpc_server *server)
{
	if (server->listen_fd < 0)
		return;
	uv_poll_stop(server->listen_poll);
	uv_close((uv_handle_t *)server->listen_poll, free_handle);
	server->listen_poll = NULL;
	close(server->listen_fd);
	server->listen_fd = -1;
}

static int start_listening(struct rpc_server *server)
{
	struct stat st;
	int error = rpc_listen(server->path, server->group, &server->listen_fd);

	if (error)
		return error;
	if (stat(server->path, &st) == 0) {
		server->dev = st.st_dev;
		server->ino = st.st_ino;
		server->group = server->group == (gid_t)-1 ? st.st_gid : server->group;
	}
	server->listen_poll = xcalloc(1, sizeof *server->listen_poll);
	if (uv_poll_init(loop_uv(server->daemon->loop), server->listen_poll, server->listen_fd))
		abort();
	server->listen_poll->data = server;
	uv_poll_start(server->listen_poll, UV_READABLE, on_connection);
	return RPC_OK;
}

/* Somebody who cleans /run must not cut the web side off until the next restart. */
static void watch_file(void *arg)
{
	struct rpc_server *server = arg;
	struct stat st;
	bool ours = server->listen_fd >= 0 && stat(server->path, &st) == 0 && st.st_dev == server->dev && st.st_ino == server->ino;
	int error;

	if (!ours && !server->context->draining) {
		stop_listening(server);
		error = start_listening(server);
		if (error)
			log_error(&server->log, "socket file is gone and cannot be made again", LOG_STR("path", server->path),
				LOG_STR("reason", rpc_error_text(error)));
		else
			log_warn(&server->log, "socket file had gone, made again", LOG_STR("path", server->path));
	}
	timer_start(server->daemon->timers, &server->watch, timefmt_monotonic_ms() + WATCH_MS, watch_file, server);
}

struct rpc_server *rpc_server_new(struct daemon *daemon)
{
	struct rpc_server *server = xcalloc(1, sizeof *server);

	server->daemon = daemon;
	server->log = log_named(&daemon->log, "rpc");
	server->listen_fd = -1;
	server->context = rpc_context_new(daemon, write_answer);
	return server;
}

int rpc_server_listen(struct rpc_server *server, const char *path, gid_t group)
{
	int error;

	free(server->path);
	server->path = xstrdup(path);
	server->group = group;
	error = start_listening(server);
	if (!error)
		timer_start(server->daemon->timers, &server->watch, timefmt_monotonic_ms() + WATCH_MS, watch_file, server);
	return error;
}

void rpc_server_drain(struct rpc_server *server)
{
	server->context->draining = true;
	guardkeep_stop(server->context);
	live_drain(server->context->live);
	stop_listening(server);
}

size_t rpc_server_active(const struct rpc_server *server)
{
	return server->context->active;
}

void rpc_server_settle(struct rpc_server *server)
{
	loop_tasks_wait(&server->context->tasks);
}

void rpc_server_free(struct rpc_server *server)
{
	struct stat st;

	if (!server)
		return;
	timer_stop(server->daemon->timers, &server->watch);
	stop_listening(server);
	if (server->path && stat(server->path, &st) == 0 && st.st_dev == server->dev && st.st_ino == server->ino)
		unlink(server->path);
	while (server->conns)
		close_conn(server->conns);
	rpc_context_free(server->context);
	free(server->path);
	free(server);
}
