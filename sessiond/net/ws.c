/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * WebSocket connections (see ws.h).
 *
 *     ws_send() -> wslay (frames, masks) -> out queue --flush--> stream_write()         one queue, written from one place
 *     uv_poll readable -> wslay <- stream_read() until it would block -> data()
 *
 * Work that a caller's function starts (a write that fails, say) is told from a task of the loop, never from inside that function.
 */
#include "sessiond/net/ws.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <wslay/wslay.h>

#include "common/buf.h"
#include "common/limits.h"
#include "common/mem.h"
#include "sessiond/crypto/crypto.h"
#include "sessiond/net/multi.h"
#include "sessiond/net/stream.h"
#include "sessiond/net/upgrade.h"
#include "sessiond/net/ws_end.h"
#include "sessiond/net/ws_url.h"

#define OPEN_TIMEOUT_MS 20000
#define CLOSE_TIMEOUT_MS 3000
/* Read in one turn before others get theirs. */
#define READ_BUDGET ((size_t)256 << 10)
/* Written bytes stay at the queue's front until this many are worth moving the rest. */
#define COMPACT_BYTES ((size_t)256 << 10)

enum ws_state { WS_CONNECTING, WS_UPGRADING, WS_OPEN, WS_CLOSING, WS_OVER };

/* Needed until opened() only. */
struct opening {
	struct ws_url url;
	char key[UPGRADE_KEY_SIZE];
	char *origin;     /* owned, may be NULL */
	bool proxied;
	bool tls_proxy;
	struct buf answer;
	char error[CURL_ERROR_SIZE];
};

struct ws {
	struct net *net; /* borrowed */
	const struct ws_handlers *handlers;
	void *arg;
	enum ws_state state;
	struct net_transfer transfer;
	struct stream stream;
	struct net_task task;
	struct opening *opening; /* owned; NULL once open */
	uv_poll_t *poll;         /* owned; NULL before the connect and after the end */
	int poll_events;
	uv_timer_t *timer;       /* owned; while opening or closing */
	wslay_event_context_ptr frames; /* owned */
	struct buf out;          /* bytes for the wire; the first out_at are written already */
	size_t out_at;
	struct buf early;        /* frames that came together with the upgrade answer */
	size_t early_at;
	uint64_t message_len;    /* of the message being received */
	size_t max_message, max_queue, budget;
	bool binary;             /* the message being received is binary */
	bool control;            /* the frame being received is a ping or the like, perhaps between two fragments of a message */
	bool write_blocked, paused, freed, ended;
	bool read_soon;          /* the task is to read, not only to write: bytes may lie where no readiness tells of them */
	unsigned busy;           /* calls of ours on the stack that still need this struct */
	struct ws_end end;
};

static void update_poll(struct ws *ws);

/* ---- the end ------------------------------------------------------------------------------------------------------------------ */

static void opening_free(struct ws *ws)
{
	struct opening *opening = ws->opening;

	if (!opening)
		return;
	ws_url_free(&opening->url);
	free(opening->origin);
	buf_free(&opening->answer);
	free(opening);
	ws->opening = NULL;
}

static void stop_timer(struct ws *ws)
{
	if (!ws->timer)
		return;
	uv_close((uv_handle_t *)ws->timer, net_free_handle);
	ws->timer = NULL;
}

/* Lets go of connection and memory. */
static void shut(struct ws *ws)
{
	ws->state = WS_OVER;
	stop_timer(ws);
	if (ws->poll) {
		/* Before libcurl closes the socket: its number may be another connection's at once. */
		uv_close((uv_handle_t *)ws->poll, net_free_handle);
		ws->poll = NULL;
	}
	net_transfer_end(ws->net, &ws->transfer);
	opening_free(ws);
	buf_free(&ws->out);
	buf_free(&ws->early);
	ws->out_at = ws->early_at = 0;
}

static void destroy(struct ws *ws)
{
	net_soon_cancel(ws->net, &ws->task);
	if (ws->frames)
		wslay_event_context_free(ws->frames);
	free(ws);
}

static void enter(struct ws *ws)
{
	ws->busy++;
}

static void leave(struct ws *ws)
{
	if (--ws->busy == 0 && ws->freed)
		destroy(ws);
}

/* Remembers the first reason; told later by finish(). */
static void set_end(struct ws *ws, enum ws_reason reason, int http_status, const char *text)
{
	if (ws->ended)
		return;
	ws->ended = true;
	/* Many peers just hang up instead of answering a close frame. */
	if (ws->state == WS_CLOSING && reason == WS_END_LOST)
		reason = WS_END_CLOSED;
	ws->end.reason = reason;
	ws->end.http_status = http_status;
	ws_end_text(&ws->end, text);
	if (ws->frames)
		wslay_event_shutdown_read(ws->frames);
}

/* Tells the end, once. Only from the loop's own callbacks. */
static void finish(struct ws *ws)
{
	if (ws->state == WS_OVER || ws->freed)
		return;
	shut(ws);
	ws->handlers->closed(ws->arg, &ws->end);
}

static void on_timeout(uv_timer_t *timer)
{
	struct ws *ws = timer->data;

	enter(ws);
	if (ws->state == WS_CLOSING)
		set_end(ws, WS_END_CLOSED, 0, "the peer did not answer the close frame in time");
	else
		set_end(ws, WS_END_TIMEOUT, 0, ws->state == WS_CONNECTING ? "no connection in time" : "no answer to the upgrade in time");
	finish(ws);
	leave(ws);
}

static void start_timer(struct ws *ws, int64_t after_ms)
{
	uv_loop_t *loop = net_loop(ws->net);

	stop_timer(ws);
	ws->timer = xcalloc(1, sizeof(*ws->timer));
	uv_timer_init(loop, ws->timer);
	ws->timer->data = ws;
	uv_update_time(loop);
	uv_timer_start(ws->timer, on_timeout, (uint64_t)after_ms, 0);
}

/* ---- writing ------------------------------------------------------------------------------------------------------------------ */

/* False if the connection broke. */
static bool flush(struct ws *ws)
{
	ws->write_blocked = false;
	while (ws->out_at < ws->out.len) {
		ssize_t n = stream_write(&ws->stream, ws->out.data + ws->out_at, ws->out.len - ws->out_at);

		if (n == STREAM_AGAIN) {
			ws->write_blocked = true;
			break;
		}
		if (n < 0)
			return false;
		ws->out_at += (size_t)n;
	}
	if (ws->out_at == ws->out.len) {
		/* An idle connection keeps no queue. */
		buf_free(&ws->out);
		ws->out_at = 0;
	} else if (ws->out_at >= COMPACT_BYTES) {
		buf_consume(&ws->out, ws->out_at);
		ws->out_at = 0;
	}
	return true;
}

/* Moves what wslay has to say into the queue. */
static void collect(struct ws *ws)
{
	if (ws->frames && wslay_event_want_write(ws->frames) && wslay_event_send(ws->frames) != 0)
		set_end(ws, WS_END_LOST, 0, "no memory for a frame");
	if (ws->out.len - ws->out_at > ws->max_queue)
		set_end(ws, WS_END_QUEUE_FULL, 0, "the peer does not read what is sent");
}

static ssize_t on_frame_bytes(wslay_event_context_ptr frames, const uint8_t *bytes, size_t len, int flags, void *arg)
{
	struct ws *ws = arg;

	(void)frames;
	(void)flags;
	buf_append(&ws->out, bytes, len);
	return (ssize_t)len;
}

static int on_mask(wslay_event_context_ptr frames, uint8_t *mask, size_t len, void *arg)
{
	(void)frames;
	(void)arg;
	return crypto_random(mask, len) == CRYPTO_OK ? 0 : -1;
}

/* ---- reading ------------------------------------------------------------------------------------------------------------------ */

static ssize_t on_want_bytes(wslay_event_context_ptr frames, uint8_t *to, size_t len, int flags, void *arg)
{
	struct ws *ws = arg;
	ssize_t n = STREAM_AGAIN;

	(void)flags;
	if (ws->early_at < ws->early.len && !ws->paused) {
		size_t left = ws->early.len - ws->early_at;

		n = (ssize_t)(left < len ? left : len);
		memcpy(to, ws->early.data + ws->early_at, (size_t)n);
		ws->early_at += (size_t)n;
		if (ws->early_at == ws->early.len)
			buf_free(&ws->early);
		return n;
	}
	if (!ws->paused && ws->budget > 0)
		n = stream_read(&ws->stream, to, len);
	if (n > 0) {
		ws->budget -= (size_t)n < ws->budget ? (size_t)n : ws->budget;
		return n;
	}
	if (n == STREAM_AGAIN) {
		wslay_event_set_error(frames, WSLAY_ERR_WOULDBLOCK);
		return -1;
	}
	set_end(ws, WS_END_LOST, 0, n == STREAM_END ? "the peer ended the connection" : "the connection broke");
	wslay_event_set_error(frames, WSLAY_ERR_CALLBACK_FAILURE);
	return -1;
}

static void on_frame_start(wslay_event_context_ptr frames, const struct wslay_event_on_frame_recv_start_arg *frame, void *arg)
{
	struct ws *ws = arg;

	ws->control = wslay_is_ctrl_frame(frame->opcode);
	if (ws->control)
		return;
	if (frame->opcode != WSLAY_CONTINUATION_FRAME) {
		ws->binary = frame->opcode == WSLAY_BINARY_FRAME;
		ws->message_len = 0;
	}
	/* wslay counts whole messages only while it keeps them. */
	if (frame->payload_length > ws->max_message || ws->message_len > ws->max_message - frame->payload_length) {
		wslay_event_queue_close(frames, WSLAY_CODE_MESSAGE_TOO_BIG, NULL, 0);
		set_end(ws, WS_END_TOO_BIG, 0, "a message above the limit");
		return;
	}
	ws->message_len += frame->payload_length;
}

static void on_frame_chunk(wslay_event_context_ptr frames, const struct wslay_event_on_frame_recv_chunk_arg *chunk, void *arg)
{
	struct ws *ws = arg;

	if (ws->ended || ws->freed || ws->control || !ws->binary || chunk->data_length == 0 || ws->state != WS_OPEN)
		return;
	(void)frames;
	ws->handlers->data(ws->arg, chunk->data, chunk->data_length);
}

static void read_soon(struct ws *ws)
{
	ws->read_soon = true;
	net_soon(ws->net, &ws->task);
}

/* After reading: has one of the two sides closed? */
static void check_close(struct ws *ws)
{
	int code;

	if (ws->ended || wslay_event_get_read_enabled(ws->frames))
		return;
	if (!wslay_event_get_close_received(ws->frames)) {
		set_end(ws, WS_END_PROTOCOL, 0, "the peer broke the WebSocket protocol");
		return;
	}
	if (ws->state == WS_CLOSING) {
		set_end(ws, WS_END_CLOSED, 0, "closed");
		return;
	}
	code = wslay_event_get_status_code_received(ws->frames);
	ws->end.close_code = code;
	set_end(ws, WS_END_PEER_CLOSE, 0, "the peer closed");
}

static void read_frames(struct ws *ws)
{
	int result;

	if (!ws->frames || ws->state == WS_OVER || ws->ended)
		return;
	ws->read_soon = false;
	ws->budget = READ_BUDGET;
	result = wslay_event_recv(ws->frames);
	if (result != 0 && !ws->freed)
		set_end(ws, result == WSLAY_ERR_NOMEM ? WS_END_LOST : WS_END_PROTOCOL, 0, "the peer broke the WebSocket protocol");
	if (ws->freed || ws->state == WS_OVER)
		return;
	check_close(ws);
	/* Bytes inside TLS raise no readiness: come back for them. */
	if (!ws->ended && !ws->paused && ws->budget == 0)
		read_soon(ws);
}

/* One turn: read, write, and tell the end if there is one. */
static void turn(struct ws *ws, bool reading)
{
	if (reading)
		read_frames(ws);
	if (ws->freed || ws->state == WS_OVER)
		return;
	collect(ws);
	/* At an end, too: a close frame of ours goes out if it can; nobody waits for it. */
	if (!flush(ws))
		set_end(ws, WS_END_LOST, 0, "the connection broke while writing");
	if (ws->ended)
		finish(ws);
	else
		update_poll(ws);
}

/* ---- framing, set up ---------------------------------------------------------------------------------------------------------- */

static int frames_new(struct ws *ws)
{
	static const struct wslay_event_callbacks callbacks = {
		.recv_callback = on_want_bytes,
		.send_callback = on_frame_bytes,
		.genmask_callback = on_mask,
		.on_frame_recv_start_callback = on_frame_start,
		.on_frame_recv_chunk_callback = on_frame_chunk,
	};

	if (wslay_event_context_client_init(&ws->frames, &callbacks, ws) != 0)
		return -ENOMEM;
	wslay_event_config_set_no_buffering(ws->frames, 1);
	return 0;
}

/* ---- upgrade ------------------------------------------------------------------------------------------------------------------ */

static void opened(struct ws *ws, size_t head_len)
{
	struct opening *opening = ws->opening;

	if (frames_new(ws) != 0) {
		set_end(ws, WS_END_LOST, 0, "no memory for a connection");
		return;
	}
	if (opening->answer.len > head_len)
		buf_append(&ws->early, opening->answer.data + head_len, opening->answer.len - head_len);
	stop_timer(ws);
	curl_easy_setopt(ws->transfer.easy, CURLOPT_CURLU, NULL);
	opening_free(ws);
	ws->state = WS_OPEN;
	ws->handlers->opened(ws->arg);
	if (!ws->freed && ws->state != WS_OVER)
		read_soon(ws);
}

static void judge_answer(struct ws *ws)
{
	struct opening *opening = ws->opening;
	size_t head_len;
	int status;

	switch (upgrade_response(opening->answer.data, opening->answer.len, opening->key, &head_len, &status)) {
	case UPGRADE_DONE:
		opened(ws, head_len);
		break;
	case UPGRADE_MORE:
		break;
	case UPGRADE_REFUSED:
		set_end(ws, WS_END_UPGRADE, status, "the server refused the WebSocket");
		break;
	case UPGRADE_BROKEN:
		set_end(ws, WS_END_UPGRADE, status == 101 ? 0 : status, "the answer to the upgrade is not a WebSocket's");
		break;
	}
}

static void upgrade_turn(struct ws *ws)
{
	if (!flush(ws))
		set_end(ws, WS_END_LOST, 0, "the connection broke while writing");
	while (!ws->ended && ws->state == WS_UPGRADING) {
		struct buf *answer = &ws->opening->answer;
		ssize_t n = stream_read(&ws->stream, buf_reserve(answer, 1024), 1024);

		if (n == STREAM_AGAIN)
			break;
		if (n < 0) {
			set_end(ws, WS_END_LOST, 0, "the connection ended before the answer to the upgrade");
			break;
		}
		buf_commit(answer, (size_t)n);
		judge_answer(ws);
	}
	if (ws->freed || ws->state == WS_OVER)
		return;
	if (ws->ended)
		finish(ws);
	else
		update_poll(ws);
}

/* ---- readiness ---------------------------------------------------------------------------------------------------------------- */

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct ws *ws = poll->data;

	enter(ws);
	if (ws->state == WS_UPGRADING)
		upgrade_turn(ws);
	else if (ws->state != WS_OVER)
		turn(ws, status < 0 || (events & UV_READABLE) || ws->stream.read_wants_write);
	leave(ws);
}

static void update_poll(struct ws *ws)
{
	int events = 0;

	if (!ws->poll)
		return;
	if (!ws->paused || ws->state == WS_CLOSING)
		events |= UV_READABLE;
	if (ws->write_blocked || ws->stream.read_wants_write)
		events |= UV_WRITABLE;
	if (events == ws->poll_events)
		return;
	ws->poll_events = events;
	if (events == 0)
		uv_poll_stop(ws->poll);
	else
		uv_poll_start(ws->poll, events, on_poll);
}

static void on_task(struct net_task *task)
{
	struct ws *ws = (struct ws *)((char *)task - offsetof(struct ws, task));

	enter(ws);
	if (ws->ended)
		finish(ws);
	else if (ws->state == WS_UPGRADING)
		upgrade_turn(ws);
	else if (ws->state != WS_OVER)
		turn(ws, ws->read_soon || ws->stream.read_wants_write);
	leave(ws);
}

/* ---- connecting --------------------------------------------------------------------------------------------------------------- */

static int watch_socket(struct ws *ws)
{
	ws->poll = xcalloc(1, sizeof(*ws->poll));
	if (uv_poll_init_socket(net_loop(ws->net), ws->poll, ws->stream.fd) != 0) {
		free(ws->poll);
		ws->poll = NULL;
		return -1;
	}
	ws->poll->data = ws;
	return 0;
}

static void connected(struct ws *ws)
{
	struct opening *opening = ws->opening;

	if (!stream_attach(&ws->stream, ws->transfer.easy, opening->url.tls, opening->tls_proxy) || watch_socket(ws) != 0) {
		set_end(ws, WS_END_LOST, 0, "the connection ended at once");
		return;
	}
	curl_easy_setopt(ws->transfer.easy, CURLOPT_ERRORBUFFER, NULL);
	ws->state = WS_UPGRADING;
	if (upgrade_request(&ws->out, opening->url.host, opening->url.target, opening->origin, opening->key) != 0)
		set_end(ws, WS_END_UPGRADE, 0, "the address cannot be written into a request");
	else
		upgrade_turn(ws);
}

static void on_connected(struct net_transfer *transfer, CURLcode result)
{
	struct ws *ws = (struct ws *)((char *)transfer - offsetof(struct ws, transfer));

	enter(ws);
	if (ws->state == WS_CONNECTING && !ws->ended) {
		if (result == CURLE_OK)
			connected(ws);
		else
			ws_end_from_curl(&ws->end, &ws->ended, transfer->easy, result, ws->opening->proxied, ws->opening->error);
	}
	if (ws->ended)
		finish(ws);
	leave(ws);
}

static void set_ws_options(struct ws *ws, const struct ws_options *options, int64_t timeout_ms)
{
	CURL *easy = ws->transfer.easy;
	struct opening *opening = ws->opening;

	curl_easy_setopt(easy, CURLOPT_CURLU, opening->url.connect);
	curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
	curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)timeout_ms);
	/* Nothing is read or written by libcurl itself. */
	curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 1024L);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, opening->error);
	curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, ws_url_tls_modes);
	if (options->proxy) {
		curl_easy_setopt(easy, CURLOPT_PROXY, options->proxy);
		curl_easy_setopt(easy, CURLOPT_HTTPPROXYTUNNEL, 1L);
		curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	}
}

int ws_open(struct ws **out, struct net *net, const struct ws_options *options, const struct ws_handlers *handlers, void *arg)
{
	int64_t timeout_ms = options->open_timeout_ms > 0 ? options->open_timeout_ms : OPEN_TIMEOUT_MS;
	struct ws *ws = xcalloc(1, sizeof(*ws));
	int error;

	*out = NULL;
	ws->net = net;
	ws->handlers = handlers;
	ws->arg = arg;
	ws->max_message = options->max_message ? options->max_message : LIMIT_WS_MESSAGE_BYTES;
	ws->max_queue = options->max_queue ? options->max_queue : LIMIT_WS_QUEUE_BYTES;
	ws->task.run = on_task;
	ws->transfer.done = on_connected;
	ws->opening = xcalloc(1, sizeof(*ws->opening));
	ws->opening->origin = options->origin ? xstrdup(options->origin) : NULL;
	ws->opening->proxied = options->proxy != NULL;
	error = options->proxy ? ws_url_check_proxy(options->proxy, &ws->opening->tls_proxy) : 0;
	if (!error)
		error = ws_url_parse(&ws->opening->url, options->url);
	if (!error && upgrade_key(ws->opening->key) != 0)
		error = -EIO;
	if (!error)
		error = net_transfer_init(net, &ws->transfer);
	if (error)
		goto out;
	set_ws_options(ws, options, timeout_ms);
	error = net_transfer_start(net, &ws->transfer);
	if (error)
		goto out;
	start_timer(ws, timeout_ms);
	*out = ws;
out:
	if (error)
		ws_free(&ws);
	return error;
}

/* ---- the caller's side -------------------------------------------------------------------------------------------------------- */

int ws_send(struct ws *ws, const void *bytes, size_t len)
{
	struct wslay_event_msg message = { .opcode = WSLAY_BINARY_FRAME, .msg = bytes, .msg_length = len };

	if (ws->state != WS_OPEN || ws->ended)
		return -ENOTCONN;
	if (wslay_event_queue_msg(ws->frames, &message) != 0)
		return -ENOTCONN;
	collect(ws);
	/* All that is queued in this turn of the loop leaves in as few records as possible. */
	net_soon(ws->net, &ws->task);
	return 0;
}

size_t ws_queued(const struct ws *ws)
{
	return ws->out.len - ws->out_at;
}

void ws_pause(struct ws *ws, bool pause)
{
	if (ws->paused == pause)
		return;
	ws->paused = pause;
	if (ws->state != WS_OPEN)
		return;
	update_poll(ws);
	/* What TLS or wslay hold already raises no readiness. */
	if (!pause)
		read_soon(ws);
}

void ws_close(struct ws *ws, uint16_t code)
{
	if (ws->state == WS_OVER || ws->state == WS_CLOSING || ws->ended)
		return;
	if (ws->state != WS_OPEN) {
		set_end(ws, WS_END_CLOSED, 0, "closed before it was open");
	} else {
		ws->state = WS_CLOSING;
		wslay_event_queue_close(ws->frames, code, NULL, 0);
		start_timer(ws, CLOSE_TIMEOUT_MS);
	}
	net_soon(ws->net, &ws->task);
}

void ws_free(struct ws **ws_pointer)
{
	struct ws *ws = *ws_pointer;

	if (!ws)
		return;
	*ws_pointer = NULL;
	ws->freed = true;
	if (ws->frames)
		wslay_event_shutdown_read(ws->frames);
	if (ws->state != WS_OVER)
		shut(ws);
	net_soon_cancel(ws->net, &ws->task);
	if (ws->busy == 0)
		destroy(ws);
}
