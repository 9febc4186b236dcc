/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, REST requests hang, reach the daemon torn, or uploads arrive as the wrong file. */
#include "common/rpc.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void cuts_frames_at_any_byte(void **state)
{
	struct rpc_parser parser;
	struct rpc_frame frame;
	struct buf out;
	size_t seen = 0;

	(void)state;
	buf_init(&out);
	rpc_parser_init(&parser);
	assert_int_equal(rpc_frame_write(&out, RPC_REQUEST, 7, "{\"m\":1}", 7, 0), RPC_OK);
	assert_int_equal(rpc_frame_write(&out, RPC_CANCEL, 0xfffffffe, "", 0, 0), RPC_OK);
	for (size_t i = 0; i < out.len; i++) {
		rpc_parser_feed(&parser, out.data + i, 1);
		while (rpc_parser_next(&parser, &frame) == 1) {
			assert_int_equal(frame.id, seen == 0 ? 7 : 0xfffffffe);
			assert_int_equal(frame.type, seen == 0 ? RPC_REQUEST : RPC_CANCEL);
			assert_true(span_is(frame.payload, seen == 0 ? "{\"m\":1}" : ""));
			seen++;
			rpc_frame_free(&frame);
		}
	}
	assert_int_equal(seen, 2);
	assert_int_equal(rpc_parser_pending(&parser), 0);
	rpc_parser_free(&parser);
	buf_free(&out);
}

static int parse_error_of(const void *bytes, size_t n)
{
	struct rpc_parser parser;
	struct rpc_frame frame;
	int rc;

	rpc_parser_init(&parser);
	rpc_parser_feed(&parser, bytes, n);
	rc = rpc_parser_next(&parser, &frame);
	/* An error stays. */
	if (rc < 0)
		assert_int_equal(rpc_parser_next(&parser, &frame), rc);
	rpc_parser_free(&parser);
	return rc;
}

static void refuses_broken_headers(void **state)
{
	(void)state;
	assert_int_equal(parse_error_of("\0\0\0\x08\x02\x02\0\0\0\0\0\1", 12), RPC_E_VERSION);
	assert_int_equal(parse_error_of("\0\0\0\x07\x01\x02\0\0\0\0\0\1", 12), RPC_E_PROTOCOL);
	assert_int_equal(parse_error_of("\0\0\0\x08\x01\x09\0\0\0\0\0\1", 12), RPC_E_PROTOCOL);
	assert_int_equal(parse_error_of("\xff\xff\xff\xff\x01\x02\0\0\0\0\0\1", 12), RPC_E_TOO_BIG);
	assert_int_equal(parse_error_of("\0\0\0\x08\x01\x02\x01\0\0\0\0\1", 12), RPC_E_TOO_BIG);
	/* announces a descriptor that did not come */
	assert_int_equal(parse_error_of("\0\0\0\x08\x01\x02\0\x01\0\0\0\1", 12), RPC_E_PROTOCOL);
	assert_int_equal(parse_error_of("\0\0\0\x08\x01\x02\0", 7), 0);
}

static void refuses_what_is_too_big_to_send(void **state)
{
	struct buf out;
	char *big = calloc(1, LIMIT_RPC_FRAME_BYTES + 1);

	(void)state;
	buf_init(&out);
	assert_non_null(big);
	assert_int_equal(rpc_frame_write(&out, RPC_ANSWER, 1, big, LIMIT_RPC_FRAME_BYTES + 1, 0), RPC_E_TOO_BIG);
	assert_int_equal(rpc_frame_write(&out, RPC_ANSWER, 1, "", 0, LIMIT_RPC_DESCRIPTORS + 1), RPC_E_TOO_BIG);
	assert_int_equal(out.len, 0);
	assert_int_equal(rpc_frame_write(&out, RPC_ANSWER, 1, big, LIMIT_RPC_FRAME_BYTES, 0), RPC_OK);
	free(big);
	buf_free(&out);
}

static void checks_the_hello(void **state)
{
	struct rpc_parser parser;
	struct rpc_frame frame;
	struct buf out;

	(void)state;
	buf_init(&out);
	rpc_parser_init(&parser);
	rpc_hello_write(&out, "test", "1.2.3");
	rpc_parser_feed(&parser, out.data, out.len);
	assert_int_equal(rpc_parser_next(&parser, &frame), 1);
	assert_int_equal(frame.type, RPC_HELLO);
	assert_int_equal(rpc_hello_check(frame.payload), RPC_OK);
	assert_int_equal(rpc_hello_check(span_text("{\"protocol\":2}")), RPC_E_VERSION);
	assert_int_equal(rpc_hello_check(span_text("{\"protocol\":\"1\"}")), RPC_E_PROTOCOL);
	assert_int_equal(rpc_hello_check(span_text("[[[[[[[[]]]]]]]]")), RPC_E_PROTOCOL);
	assert_int_equal(rpc_hello_check(span_text("")), RPC_E_PROTOCOL);
	rpc_parser_free(&parser);
	buf_free(&out);
}

/* A temporary file that holds these bytes, already unlinked. */
static int spool_of(const char *text)
{
	char path[] = "/tmp/test_rpc.XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	return fd;
}

static void passes_descriptors_with_their_frame(void **state)
{
	int ends[2];
	int spool[2] = { spool_of("first"), spool_of("second") };
	struct rpc_parser parser;
	struct rpc_frame frame;
	struct buf out;
	char text[16] = "";

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	buf_init(&out);
	rpc_parser_init(&parser);
	rpc_frame_write(&out, RPC_REQUEST, 1, "{}", 2, 2);
	assert_int_equal(rpc_send(ends[0], out.data, out.len, spool, 2), out.len);
	buf_clear(&out);
	rpc_frame_write(&out, RPC_REQUEST, 2, "{}", 2, 0);
	assert_int_equal(rpc_send(ends[0], out.data, out.len, NULL, 0), out.len);
	while (rpc_receive(ends[1], &parser) > 0)
		;
	assert_int_equal(rpc_parser_next(&parser, &frame), 1);
	assert_int_equal(frame.nfds, 2);
	assert_int_equal(pread(frame.fds[1], text, sizeof text, 0), 6);
	assert_string_equal(text, "second");
	assert_int_equal(fcntl(frame.fds[0], F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	rpc_frame_free(&frame);
	assert_int_equal(rpc_parser_next(&parser, &frame), 1);
	assert_int_equal(frame.nfds, 0);
	assert_int_equal(rpc_receive(ends[1], &parser), RPC_E_TIMEOUT);
	close(ends[0]);
	assert_int_equal(rpc_receive(ends[1], &parser), 0);
	assert_int_equal(rpc_send(ends[1], "x", 1, NULL, 0), RPC_E_LOST);
	close(ends[1]);
	close(spool[0]);
	close(spool[1]);
	rpc_parser_free(&parser);
	buf_free(&out);
}

static void refuses_unasked_descriptors(void **state)
{
	struct rpc_parser parser;
	struct rpc_frame frame;

	(void)state;
	rpc_parser_init(&parser);
	for (unsigned i = 0; i <= LIMIT_RPC_DESCRIPTORS; i++)
		rpc_parser_add_fd(&parser, dup(0));
	assert_int_equal(rpc_parser_next(&parser, &frame), RPC_E_TOO_BIG);
	rpc_parser_free(&parser);
}

static void knows_its_peer(void **state)
{
	int ends[2];
	struct rpc_peer peer;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	assert_int_equal(rpc_peer_of(ends[0], &peer), RPC_OK);
	assert_int_equal(peer.pid, getpid());
	assert_int_equal(peer.uid, geteuid());
	assert_true(rpc_peer_is_operator(&peer));
	assert_true(rpc_peer_in_group(ends[0], &peer, getegid()));
	assert_false(rpc_peer_in_group(ends[0], &peer, 54321));
	peer.uid = geteuid() + 12345;
	assert_false(rpc_peer_is_operator(&peer));
	assert_false(rpc_peer_allowed(ends[0], &peer, (gid_t)-1));
	assert_true(rpc_peer_allowed(ends[0], &peer, getegid()));
	close(ends[0]);
	close(ends[1]);
}

static void replaces_only_a_dead_socket(void **state)
{
	char dir[] = "/tmp/test_rpc.XXXXXX";
	char path[64];
	struct stat info;
	int first = -1;
	int second = -1;

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof path, "%s/s", dir);
	assert_int_equal(rpc_listen(path, (gid_t)-1, &first), RPC_OK);
	assert_int_equal(stat(path, &info), 0);
	assert_int_equal(info.st_mode & 07777, 0660);
	assert_int_equal(rpc_listen(path, (gid_t)-1, &second), RPC_E_IN_USE);
	close(first);
	assert_int_equal(rpc_listen(path, (gid_t)-1, &second), RPC_OK);
	close(second);
	unlink(path);
	/* never removes what is not a socket */
	close(open(path, O_CREAT | O_WRONLY, 0600));
	assert_int_equal(rpc_listen(path, (gid_t)-1, &second), RPC_E_SYSTEM);
	assert_int_equal(stat(path, &info), 0);
	unlink(path);
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cuts_frames_at_any_byte),
		cmocka_unit_test(refuses_broken_headers),
		cmocka_unit_test(refuses_what_is_too_big_to_send),
		cmocka_unit_test(checks_the_hello),
		cmocka_unit_test(passes_descriptors_with_their_frame),
		cmocka_unit_test(refuses_unasked_descriptors),
		cmocka_unit_test(knows_its_peer),
		cmocka_unit_test(replaces_only_a_dead_socket),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
