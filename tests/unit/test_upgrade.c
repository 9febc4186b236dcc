/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, connections to WhatsApp are not opened, or a middle box that answers nonsense is taken for the server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sessiond/net/upgrade.h"

/* RFC 6455 1.3 */
#define KEY "dGhlIHNhbXBsZSBub25jZQ=="
#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
#define GOOD "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " ACCEPT "\r\n"

static enum upgrade_result judge(const char *text, size_t *head_len, int *status)
{
	return upgrade_response((const uint8_t *)text, strlen(text), KEY, head_len, status);
}

static void test_accept_key(void **state)
{
	char accept[29];

	(void)state;
	upgrade_accept(KEY, accept);
	assert_string_equal(accept, ACCEPT);
}

static void test_request(void **state)
{
	struct buf request = { 0 };
	char key[UPGRADE_KEY_SIZE], other[UPGRADE_KEY_SIZE];

	(void)state;
	assert_int_equal(upgrade_key(key), 0);
	assert_int_equal(upgrade_key(other), 0);
	assert_int_equal(strlen(key), 24);
	assert_string_not_equal(key, other);
	assert_int_equal(upgrade_request(&request, "web.whatsapp.com", "/ws/chat", "https://web.whatsapp.com", KEY), 0);
	assert_string_equal(buf_text(&request), "GET /ws/chat HTTP/1.1\r\nHost: web.whatsapp.com\r\nUpgrade: websocket\r\n"
	                                        "Connection: Upgrade\r\nSec-WebSocket-Key: " KEY "\r\nSec-WebSocket-Version: 13\r\n"
	                                        "Origin: https://web.whatsapp.com\r\n\r\n");
	assert_true(upgrade_request(&request, "a\r\nEvil: 1", "/", NULL, KEY) < 0);
	assert_true(upgrade_request(&request, "a", "/ HTTP/1.1", NULL, KEY) < 0);
	assert_true(upgrade_request(&request, "a", "/", "x\n", KEY) < 0);
	buf_free(&request);
}

static void test_good_answers(void **state)
{
	static const char *const good[] = {
		GOOD "\r\n",
		GOOD "Server: x\r\n\r\n",
		"HTTP/1.1 101 \r\nconnection: keep-alive, Upgrade\r\nUPGRADE: WebSocket\r\nsec-websocket-accept:" ACCEPT "  \r\n\r\n",
		"HTTP/1.1 101\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: " ACCEPT "\r\nSec-WebSocket-Extensions:\r\n\r\n",
	};
	size_t head_len;
	int status;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(judge(good[i], &head_len, &status), UPGRADE_DONE);
		assert_int_equal(head_len, strlen(good[i]));
	}
	assert_int_equal(judge(GOOD "\r\nframes", &head_len, &status), UPGRADE_DONE);
	assert_int_equal(head_len, strlen(GOOD "\r\n"));
}

static void test_every_prefix_wants_more(void **state)
{
	const char *text = GOOD "\r\n";
	size_t head_len;
	int status;

	(void)state;
	for (size_t n = 0; n < strlen(text); n++)
		assert_int_equal(upgrade_response((const uint8_t *)text, n, KEY, &head_len, &status), UPGRADE_MORE);
}

static void test_bad_answers(void **state)
{
	static const struct {
		const char *text;
		enum upgrade_result result;
		int status;
	} cases[] = {
		{ "HTTP/1.1 200 OK\r\n\r\n", UPGRADE_REFUSED, 200 },
		{ "HTTP/1.1 503 Busy\r\nUpgrade: websocket\r\n\r\n", UPGRADE_REFUSED, 503 },
		{ "HTTP/2 101 \r\n\r\n", UPGRADE_BROKEN, 0 },
		{ "HTTP/1.1 1x1 \r\n\r\n", UPGRADE_BROKEN, 0 },
		{ "HTTP/1.1 1010\r\n\r\n", UPGRADE_BROKEN, 0 },
		{ "\r\n\r\n", UPGRADE_BROKEN, 0 },
		{ "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", UPGRADE_BROKEN, 101 },
		{ "HTTP/1.1 101 x\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " ACCEPT "\r\n\r\n", UPGRADE_BROKEN, 101 },
		{ "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: " ACCEPT "\r\n\r\n", UPGRADE_BROKEN, 101 },
		{ GOOD "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n", UPGRADE_BROKEN, 101 },
		{ GOOD "Sec-WebSocket-Protocol: chat\r\n\r\n", UPGRADE_BROKEN, 101 },
		{ GOOD "Sec-WebSocket-Accept: AAAA\r\n\r\n", UPGRADE_BROKEN, 101 },
	};
	size_t head_len;
	int status;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (judge(cases[i].text, &head_len, &status) != cases[i].result)
			fail_msg("%s", cases[i].text);
		assert_int_equal(status, cases[i].status);
	}
}

static void test_endless_head(void **state)
{
	static uint8_t bytes[UPGRADE_HEAD_MAX + 10];
	size_t head_len;
	int status;

	(void)state;
	memset(bytes, 'a', sizeof(bytes));
	assert_int_equal(upgrade_response(bytes, UPGRADE_HEAD_MAX - 1, KEY, &head_len, &status), UPGRADE_MORE);
	assert_int_equal(upgrade_response(bytes, sizeof(bytes), KEY, &head_len, &status), UPGRADE_BROKEN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accept_key), cmocka_unit_test(test_request), cmocka_unit_test(test_good_answers),
		cmocka_unit_test(test_every_prefix_wants_more), cmocka_unit_test(test_bad_answers), cmocka_unit_test(test_endless_head),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
