/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * httpprobe: the HTTP client on a command line, for the tests under tests/net. Sends one request and prints the answer as a JSON line.
 *
 *     httpprobe [-c CA] [-t CONNECT_TO] [-a ALLOW | -g] [-T TIMEOUT_MS] [-m MAX_ANSWER] [-b BODY] [-H HEADER] [-n TIMES] [-p PROXY [-r]] [-v] URL
 *
 * -g: no guard. -r: the proxy resolves. -v: looks the client version up at URL (an origin) instead.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/mem.h"
#include "sessiond/net/net.h"

static struct net *net;
static struct guard *guard;
static struct version *version;
static int times = 1;

static void put_json_text(const char *text, size_t len)
{
	putchar('"');
	for (size_t i = 0; i < len; i++)
		if (text[i] == '"' || text[i] == '\\' || (unsigned char)text[i] < ' ')
			printf("\\u%04x", (unsigned char)text[i]);
		else
			putchar(text[i]);
	putchar('"');
}

static void on_answer(void *arg, const struct http_answer *answer)
{
	(void)arg;
	printf("{\"error\":\"%s\",\"status\":%d,\"length\":%zu,\"truncated\":%s,\"retry_after\":%" PRId64 ",\"text\":",
	       http_error_name(answer->error), answer->status, answer->body.n, answer->truncated ? "true" : "false", answer->retry_after_s);
	put_json_text(answer->text, strlen(answer->text));
	printf(",\"body\":");
	put_json_text((const char *)answer->body.p, answer->body.n < 500 ? answer->body.n : 500);
	printf("}\n");
	if (--times == 0)
		net_free(&net);
}

static void on_version(void *arg, uint32_t revision, int64_t at_ms, const char *text)
{
	(void)arg;
	printf("{\"revision\":%" PRIu32 ",\"at\":%" PRId64 ",\"again\":%s,\"rejected_soon\":%s,\"text\":", revision, at_ms,
	       version_refresh(version, at_ms + 1000, false) ? "true" : "false",
	       version_refresh(version, at_ms + 1000, true) ? "true" : "false");
	put_json_text(text, strlen(text));
	printf("}\n");
	version_free(&version);
	net_free(&net);
}

static const struct version_handlers version_handlers = { .checked = on_version };

int main(int argc, char **argv)
{
	struct net_options options = { 0 };
	const char *connect_to[1], *header[1], *body = NULL;
	struct http_request request = { .timeout_ms = 5000, .max_answer = 1 << 20, .follow = true };
	bool guarded = true, look_up = false;
	char why[200], *allow[8], *save = NULL;
	size_t allow_count = 0;
	int option;

	while ((option = getopt(argc, argv, "c:t:a:gT:m:b:H:n:p:rv")) != -1) {
		switch (option) {
		case 'c': options.ca_file = optarg; break;
		case 't': connect_to[0] = optarg; options.connect_to = connect_to; options.connect_to_count = 1; break;
		case 'a':
			for (char *item = strtok_r(optarg, ",", &save); item && allow_count < 8; item = strtok_r(NULL, ",", &save))
				allow[allow_count++] = item;
			break;
		case 'g': guarded = false; break;
		case 'T': request.timeout_ms = strtol(optarg, NULL, 10); break;
		case 'm': request.max_answer = strtoul(optarg, NULL, 10); break;
		case 'b': body = optarg; break;
		case 'H': header[0] = optarg; request.headers = header; request.header_count = 1; break;
		case 'n': times = (int)strtol(optarg, NULL, 10); break;
		case 'p': request.proxy = optarg; break;
		case 'r': request.proxy_resolves = true; break;
		case 'v': look_up = true; break;
		default: return 2;
		}
	}
	if (optind + 1 != argc || guard_new(&guard, allow, allow_count, why, sizeof(why)) != 0 || net_global_init() != 0 ||
	    net_new(&net, uv_default_loop(), &options) != 0)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	request.url = argv[optind];
	request.guard = guarded ? guard : NULL;
	if (body)
		request.body = span_text(body);
	if (look_up) {
		version = version_new(net, argv[optind], 0, &version_handlers, NULL);
		version_refresh(version, 1000000, false);
	}
	for (int i = 0, n = look_up ? 0 : times; i < n; i++) {
		struct http_call *call;

		if (http_send(&call, net, &request, on_answer, NULL) != 0)
			return 1;
	}
	uv_run(uv_default_loop(), UV_RUN_DEFAULT);
	uv_loop_close(uv_default_loop());
	guard_free(&guard);
	net_global_free();
	return 0;
}
