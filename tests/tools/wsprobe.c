/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * wsprobe: the WebSocket transport on a command line, for the tests under tests/net. Opens --count connections to a URL, takes
 * commands from stdin, tells what happens as JSON lines on stdout, ends when all connections are closed or stdin is.
 *
 *     send N     one message of N bytes 0,1,2,...,250,0,...        pause | resume | close CODE | free | stat | trim | more
 */
#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/mem.h"
#include "sessiond/net/net.h"

#define MORE_MAX ((size_t)2000)

struct probe {
	struct ws **ws;
	size_t count, room, opened, closed;
	uint64_t received;
	uint64_t bad; /* bytes that are not the next of the pattern */
	bool eager;   /* send this at once when opened */
	size_t eager_len;
	bool free_on_data;
	struct net *net;
	struct ws_options options;
	uv_pipe_t input;
	struct buf line;
};

static struct probe probe;

static void put_json_text(const char *text)
{
	putchar('"');
	for (; *text; text++)
		if (*text == '"' || *text == '\\')
			printf("\\%c", *text);
		else
			putchar(*text);
	putchar('"');
}

static void send_pattern(struct ws *ws, size_t len)
{
	uint8_t *bytes = xmalloc(len ? len : 1);

	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)(i % 251);
	if (ws_send(ws, bytes, len) != 0)
		printf("{\"event\":\"send_refused\"}\n");
	free(bytes);
}

static void end_if_done(void)
{
	if (probe.closed < probe.count)
		return;
	if (!uv_is_closing((uv_handle_t *)&probe.input))
		uv_close((uv_handle_t *)&probe.input, NULL);
	if (probe.net)
		net_free(&probe.net);
}

static void on_opened(void *arg)
{
	size_t i = (size_t)(uintptr_t)arg;

	probe.opened++;
	if (probe.eager)
		send_pattern(probe.ws[i], probe.eager_len);
	if (probe.opened == probe.count)
		printf("{\"event\":\"opened\"}\n");
}

static void on_data(void *arg, const uint8_t *bytes, size_t len)
{
	size_t i = (size_t)(uintptr_t)arg;

	for (size_t k = 0; k < len; k++)
		if (bytes[k] != (uint8_t)((probe.received + k) % 251))
			probe.bad++;
	probe.received += len;
	if (probe.free_on_data) {
		ws_free(&probe.ws[i]);
		probe.closed++;
		printf("{\"event\":\"freed\"}\n");
		end_if_done();
	}
}

static void on_closed(void *arg, const struct ws_end *end)
{
	size_t i = (size_t)(uintptr_t)arg;

	printf("{\"event\":\"closed\",\"reason\":\"%s\",\"http_status\":%d,\"close_code\":%d,\"text\":", ws_reason_name(end->reason),
	       end->http_status, end->close_code);
	put_json_text(end->text);
	printf(",\"received\":%" PRIu64 ",\"bad\":%" PRIu64 "}\n", probe.received, probe.bad);
	ws_free(&probe.ws[i]);
	probe.closed++;
	end_if_done();
}

static const struct ws_handlers handlers = { .opened = on_opened, .data = on_data, .closed = on_closed };

static void open_one(size_t i)
{
	int error = ws_open(&probe.ws[i], probe.net, &probe.options, &handlers, (void *)(uintptr_t)i);

	if (error == 0)
		return;
	printf("{\"event\":\"refused\",\"error\":%d}\n", error);
	probe.closed++;
}

static long pss_kib(void)
{
	FILE *file = fopen("/proc/self/smaps_rollup", "r");
	char line[256];
	long kib = -1;

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "Pss: %ld kB", &kib) == 1)
			break;
	if (file)
		fclose(file);
	return kib;
}

static void command(const char *line)
{
	unsigned long n;

	for (size_t i = 0; i < probe.count; i++) {
		if (!probe.ws[i])
			continue;
		if (sscanf(line, "send %lu", &n) == 1)
			send_pattern(probe.ws[i], n);
		else if (sscanf(line, "close %lu", &n) == 1)
			ws_close(probe.ws[i], (uint16_t)n);
		else if (strcmp(line, "pause") == 0 || strcmp(line, "resume") == 0)
			ws_pause(probe.ws[i], line[0] == 'p');
		else if (strcmp(line, "free") == 0) {
			ws_free(&probe.ws[i]);
			probe.closed++;
		}
	}
	if (strcmp(line, "more") == 0 && probe.count < probe.room)
		open_one(probe.count++);
	if (strcmp(line, "trim") == 0)
		malloc_trim(0);
	if (strcmp(line, "stat") == 0)
		printf("{\"event\":\"stat\",\"received\":%" PRIu64 ",\"bad\":%" PRIu64 ",\"queued\":%zu,\"pss_kib\":%ld,\"heap_kib\":%zu}\n",
		       probe.received, probe.bad, probe.ws[0] ? ws_queued(probe.ws[0]) : 0, pss_kib(), mallinfo2().uordblks / 1024);
	if (strcmp(line, "free") == 0) {
		printf("{\"event\":\"freed\"}\n");
		end_if_done();
	}
}

static void on_alloc(uv_handle_t *handle, size_t hint, uv_buf_t *buf)
{
	static char space[4096];

	(void)handle;
	(void)hint;
	*buf = uv_buf_init(space, sizeof(space));
}

static void on_input(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	(void)stream;
	if (n < 0) {
		for (size_t i = 0; i < probe.count; i++)
			ws_free(&probe.ws[i]);
		probe.closed = probe.count;
		end_if_done();
		return;
	}
	for (ssize_t i = 0; i < n; i++) {
		if (buf->base[i] != '\n') {
			buf_u8(&probe.line, (uint8_t)buf->base[i]);
			continue;
		}
		command(buf_text(&probe.line));
		buf_clear(&probe.line);
	}
}

static void usage(void)
{
	fprintf(stderr, "usage: wsprobe [-c CA] [-t CONNECT_TO] [-p PROXY] [-o ORIGIN] [-n COUNT] [-T OPEN_TIMEOUT_MS] [-m MAX_MESSAGE]"
	                " [-q MAX_QUEUE] [-e EAGER_BYTES] [-f] URL\n");
	exit(2);
}

int main(int argc, char **argv)
{
	struct ws_options options = { 0 };
	struct net_options net_options = { 0 };
	const char *connect_to[1] = { NULL };
	uv_loop_t *loop = uv_default_loop();
	int option;

	probe.count = 1;
	while ((option = getopt(argc, argv, "c:t:p:o:n:T:m:q:e:f")) != -1) {
		switch (option) {
		case 'c': net_options.ca_file = optarg; break;
		case 't': connect_to[0] = optarg; net_options.connect_to = connect_to; net_options.connect_to_count = 1; break;
		case 'p': options.proxy = optarg; break;
		case 'o': options.origin = optarg; break;
		case 'n': probe.count = strtoul(optarg, NULL, 10); break;
		case 'T': options.open_timeout_ms = strtol(optarg, NULL, 10); break;
		case 'm': options.max_message = strtoul(optarg, NULL, 10); break;
		case 'q': options.max_queue = strtoul(optarg, NULL, 10); break;
		case 'e': probe.eager = true; probe.eager_len = strtoul(optarg, NULL, 10); break;
		case 'f': probe.free_on_data = true; break;
		default: usage();
		}
	}
	if (optind + 1 != argc)
		usage();
	options.url = argv[optind];
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (net_global_init() != 0 || net_new(&probe.net, loop, &net_options) != 0)
		return 1;
	uv_pipe_init(loop, &probe.input, 0);
	uv_pipe_open(&probe.input, 0);
	uv_read_start((uv_stream_t *)&probe.input, on_alloc, on_input);
	probe.room = probe.count + MORE_MAX;
	probe.ws = xcalloc(probe.room, sizeof(struct ws *));
	probe.options = options;
	for (size_t i = 0; i < probe.count; i++)
		open_one(i);
	end_if_done();
	uv_run(loop, UV_RUN_DEFAULT);
	uv_loop_close(loop);
	free(probe.ws);
	buf_free(&probe.line);
	net_global_free();
	return 0;
}
