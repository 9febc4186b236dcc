/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, a slow, dead or restarting daemon makes the web server hang, or a request is done twice. */
#include "common/rpc_client.h"

#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* A daemon of few words: what it does with a request is its method's text. */
struct fake {
	char dir[32];
	char path[64];
	int listener;
	int wake[2];
	pthread_t thread;
	int protocol;  /* announced in its HELLO */
	int accepted;  /* connections so far; read after fake_stop() */
	int requests;
};

static void send_frame(int fd, enum rpc_type type, uint32_t id, const char *json)
{
	struct buf out;

	buf_init(&out);
	rpc_frame_write(&out, type, id, json, strlen(json), 0);
	assert_int_equal(rpc_send(fd, out.data, out.len, NULL, 0), out.len);
	buf_free(&out);
}

/* False: this connection is over. */
static bool serve(struct fake *fake, int fd, const struct rpc_frame *frame)
{
	char text[64];

	switch (frame->type) {
	case RPC_HELLO:
		(void)snprintf(text, sizeof text, "{\"protocol\":%d}", fake->protocol);
		send_frame(fd, RPC_HELLO, 0, text);
		return true;
	case RPC_REQUEST:
		fake->requests++;
		if (span_is(frame->payload, "drop"))
			return false;
		if (span_is(frame->payload, "silent"))
			return true;
		if (span_is(frame->payload, "stream"))
			send_frame(fd, RPC_PART, frame->id, "part");
		else if (span_is(frame->payload, "fd"))
			(void)snprintf(text, sizeof text, "%zu", frame->nfds);
		send_frame(fd, RPC_ANSWER, frame->id, span_is(frame->payload, "fd") ? text : "answer");
		return !span_is(frame->payload, "answer and close");
	default:
		return false;
	}
}

/* One connection until it ends or the test ends; false in the latter case. */
static bool serve_connection(struct fake *fake, int fd)
{
	struct rpc_parser parser;
	struct rpc_frame frame;
	bool open = true;
	bool running = true;

	rpc_parser_init(&parser);
	while (open && running) {
		struct pollfd items[] = { { .fd = fd, .events = POLLIN }, { .fd = fake->wake[0], .events = POLLIN } };

		assert_true(poll(items, 2, -1) > 0);
		running = items[1].revents == 0;
		if (items[0].revents == 0)
			continue;
		open = rpc_receive(fd, &parser) > 0;
		while (open && rpc_parser_next(&parser, &frame) == 1) {
			open = serve(fake, fd, &frame);
			rpc_frame_free(&frame);
		}
	}
	rpc_parser_free(&parser);
	close(fd);
	return running;
}

static void *run_fake(void *arg)
{
	struct fake *fake = arg;

	for (;;) {
		struct pollfd items[] = { { .fd = fake->listener, .events = POLLIN }, { .fd = fake->wake[0], .events = POLLIN } };
		int fd;

		assert_true(poll(items, 2, -1) > 0);
		if (items[1].revents != 0)
			return NULL;
		fd = accept(fake->listener, NULL, NULL);
		fake->accepted++;
		if (!serve_connection(fake, fd))
			return NULL;
	}
}

static void fake_start(struct fake *fake)
{
	assert_int_equal(rpc_listen(fake->path, (gid_t)-1, &fake->listener), RPC_OK);
	assert_int_equal(pipe(fake->wake), 0);
	assert_int_equal(pthread_create(&fake->thread, NULL, run_fake, fake), 0);
}

static void fake_stop(struct fake *fake)
{
	assert_int_equal(write(fake->wake[1], "x", 1), 1);
	assert_int_equal(pthread_join(fake->thread, NULL), 0);
	close(fake->listener);
	close(fake->wake[0]);
	close(fake->wake[1]);
}

static int setup(void **state)
{
	struct fake *fake = calloc(1, sizeof *fake);

	assert_non_null(fake);
	(void)snprintf(fake->dir, sizeof fake->dir, "/tmp/test_rpc.XXXXXX");
	assert_non_null(mkdtemp(fake->dir));
	(void)snprintf(fake->path, sizeof fake->path, "%s/s", fake->dir);
	fake->protocol = RPC_VERSION;
	*state = fake;
	return 0;
}

static int teardown(void **state)
{
	struct fake *fake = *state;

	unlink(fake->path);
	rmdir(fake->dir);
	free(fake);
	return 0;
}

static int call(struct rpc_pool *pool, const char *text, int64_t timeout_ms, struct rpc_reply *reply)
{
	return rpc_call(pool, text, strlen(text), NULL, 0, timeout_ms, reply);
}

static void answers_over_one_connection(void **state)
{
	struct fake *fake = *state;
	struct rpc_pool *pool = rpc_pool_new(fake->path, "test", "1");
	struct rpc_reply reply;

	rpc_reply_init(&reply);
	fake_start(fake);
	for (int i = 0; i < 20; i++) {
		assert_int_equal(call(pool, "hi", 20000, &reply), RPC_OK);
		assert_string_equal(buf_text(&reply.json), "answer");
	}
	assert_int_equal(rpc_call(pool, "fd", 2, (int[]){ 0, 0 }, 2, 20000, &reply), RPC_OK);
	assert_string_equal(buf_text(&reply.json), "2");
	fake_stop(fake);
	assert_int_equal(fake->accepted, 1);
	rpc_reply_free(&reply);
	rpc_pool_free(pool);
}

static void tells_down_slow_and_lost_apart(void **state)
{
	struct fake *fake = *state;
	struct rpc_pool *pool = rpc_pool_new(fake->path, "test", "1");
	struct rpc_reply reply;

	rpc_reply_init(&reply);
	assert_int_equal(call(pool, "hi", 20000, &reply), RPC_E_DOWN);
	fake_start(fake);
	assert_int_equal(call(pool, "drop", 20000, &reply), RPC_E_LOST);
	assert_int_equal(call(pool, "silent", 50, &reply), RPC_E_TIMEOUT);
	assert_int_equal(call(pool, "hi", 20000, &reply), RPC_OK);
	fake_stop(fake);
	/* the file is still there, nobody listens */
	assert_int_equal(call(pool, "hi", 20000, &reply), RPC_E_DOWN);
	rpc_reply_free(&reply);
	rpc_pool_free(pool);
}

static void survives_a_restart_between_calls(void **state)
{
	struct fake *fake = *state;
	struct rpc_pool *pool = rpc_pool_new(fake->path, "test", "1");
	struct rpc_reply reply;

	rpc_reply_init(&reply);
	fake_start(fake);
	assert_int_equal(call(pool, "hi", 20000, &reply), RPC_OK);
	fake_stop(fake);
	fake_start(fake);
	assert_int_equal(call(pool, "hi", 20000, &reply), RPC_OK);
	assert_int_equal(fake->requests, 2);
	fake_stop(fake);
	rpc_reply_free(&reply);
	rpc_pool_free(pool);
}

static void refuses_another_version(void **state)
{
	struct fake *fake = *state;
	struct rpc_pool *pool = rpc_pool_new(fake->path, "test", "1");
	struct rpc_reply reply;

	rpc_reply_init(&reply);
	fake->protocol = RPC_VERSION + 1;
	fake_start(fake);
	assert_int_equal(call(pool, "hi", 20000, &reply), RPC_E_VERSION);
	fake_stop(fake);
	assert_int_equal(fake->requests, 0);
	rpc_reply_free(&reply);
	rpc_pool_free(pool);
}

static void bounds_the_wait_for_a_full_queue(void **state)
{
	struct fake *fake = *state;
	struct rpc_pool *pool = rpc_pool_new(fake->path, "test", "1");
	struct rpc_reply reply;
	int fd = -1;

	rpc_reply_init(&reply);
	assert_int_equal(rpc_listen(fake->path, (gid_t)-1, &fd), RPC_OK);
	/* connected by the kernel, never accepted: no HELLO comes */
	assert_int_equal(call(pool, "hi", 50, &reply), RPC_E_TIMEOUT);
	assert_int_equal(listen(fd, 0), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(call(pool, "hi", 50, &reply), RPC_E_TIMEOUT);
	close(fd);
	rpc_reply_free(&reply);
	rpc_pool_free(pool);
}

static void reads_streams_part_by_part(void **state)
{
	struct fake *fake = *state;
	struct rpc_pool *pool = rpc_pool_new(fake->path, "test", "1");
	struct rpc_stream *stream = NULL;
	struct rpc_reply reply;

	rpc_reply_init(&reply);
	fake_start(fake);
	assert_int_equal(rpc_stream_open(pool, "stream", 6, 20000, &stream), RPC_OK);
	assert_int_equal(rpc_stream_next(stream, 20000, &reply), RPC_OK);
	assert_false(reply.last);
	assert_string_equal(buf_text(&reply.json), "part");
	assert_int_equal(rpc_stream_next(stream, 20000, &reply), RPC_OK);
	assert_true(reply.last);
	assert_false(rpc_stream_ready(stream));
	assert_int_equal(rpc_stream_next(stream, 10, &reply), RPC_E_TIMEOUT);
	rpc_stream_close(stream);
	fake_stop(fake);
	rpc_reply_free(&reply);
	rpc_pool_free(pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(answers_over_one_connection, setup, teardown),
		cmocka_unit_test_setup_teardown(tells_down_slow_and_lost_apart, setup, teardown),
		cmocka_unit_test_setup_teardown(survives_a_restart_between_calls, setup, teardown),
		cmocka_unit_test_setup_teardown(refuses_another_version, setup, teardown),
		cmocka_unit_test_setup_teardown(bounds_the_wait_for_a_full_queue, setup, teardown),
		cmocka_unit_test_setup_teardown(reads_streams_part_by_part, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
