/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The yardstick for memory per session: N bare libcurl CONNECT_ONLY connections over TLS on one libuv loop, with the options the
 * daemon uses (CAPATH off, CAINFO set, HTTP/1.1), nothing on top. Prints one JSON object, closes when stdin ends.
 *
 *     baseline_tls URL CA_FILE N
 *     {"connections":1000,"pss_before_kib":..,"pss_after_kib":..,"kib_per_connection":..}
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>
#include <uv.h>

struct bench {
	uv_loop_t loop;
	uv_timer_t timer;
	CURLM *multi;
	CURL **handles; /* owned, n of them */
	long n, open, failed;
};

struct watch {
	uv_poll_t poll;
	struct bench *bench;
	curl_socket_t fd;
};

static long pss_kib(void)
{
	char line[256];
	long kib = -1;
	FILE *f = fopen("/proc/self/smaps_rollup", "re");

	if (!f)
		return -1;
	while (fgets(line, sizeof line, f))
		if (!strncmp(line, "Pss:", 4))
			kib = strtol(line + 4, NULL, 10);
	fclose(f);
	return kib;
}

static void collect(struct bench *b)
{
	CURLMsg *msg;
	int left;

	while ((msg = curl_multi_info_read(b->multi, &left))) {
		if (msg->msg != CURLMSG_DONE)
			continue;
		if (msg->data.result == CURLE_OK)
			b->open++;
		else
			b->failed++;
	}
	if (b->open + b->failed >= b->n)
		uv_stop(&b->loop);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct watch *w = poll->data;
	struct bench *b = w->bench;
	int running, flags = 0;

	if (status < 0)
		flags = CURL_CSELECT_ERR;
	if (events & UV_READABLE)
		flags |= CURL_CSELECT_IN;
	if (events & UV_WRITABLE)
		flags |= CURL_CSELECT_OUT;
	curl_multi_socket_action(b->multi, w->fd, flags, &running);
	collect(b);
}

static void on_timer(uv_timer_t *timer)
{
	struct bench *b = timer->data;
	int running;

	curl_multi_socket_action(b->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	collect(b);
}

static int set_timer(CURLM *multi, long ms, void *arg)
{
	struct bench *b = arg;

	(void)multi;
	if (ms < 0)
		return uv_timer_stop(&b->timer);
	return uv_timer_start(&b->timer, on_timer, (uint64_t)ms, 0);
}

static void free_watch(uv_handle_t *handle)
{
	free(handle->data);
}

static int set_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
	struct bench *b = arg;
	struct watch *w = socket_arg;
	int events = 0;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (w)
			uv_close((uv_handle_t *)&w->poll, free_watch);
		curl_multi_assign(b->multi, fd, NULL);
		return 0;
	}
	if (!w) {
		w = calloc(1, sizeof *w);
		if (!w || uv_poll_init_socket(&b->loop, &w->poll, fd))
			abort();
		w->poll.data = w;
		w->bench = b;
		w->fd = fd;
		curl_multi_assign(b->multi, fd, w);
	}
	if (what & CURL_POLL_IN)
		events |= UV_READABLE;
	if (what & CURL_POLL_OUT)
		events |= UV_WRITABLE;
	return uv_poll_start(&w->poll, events, on_poll);
}

static void start_connections(struct bench *b, const char *url, const char *ca)
{
	for (long i = 0; i < b->n; i++) {
		CURL *easy = curl_easy_init();

		if (!easy)
			abort();
		curl_easy_setopt(easy, CURLOPT_URL, url);
		curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
		curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
		curl_easy_setopt(easy, CURLOPT_CAINFO, ca);
		curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
		curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
		curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
		curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
		curl_multi_add_handle(b->multi, easy);
		b->handles[i] = easy;
	}
}

int main(int argc, char **argv)
{
	struct bench b = { 0 };
	long before, after;
	char byte;

	if (argc != 4 || (b.n = strtol(argv[3], NULL, 10)) < 1) {
		fputs("usage: baseline_tls URL CA_FILE N\n", stderr);
		return 2;
	}
	curl_global_init(CURL_GLOBAL_DEFAULT);
	uv_loop_init(&b.loop);
	uv_timer_init(&b.loop, &b.timer);
	b.timer.data = &b;
	b.multi = curl_multi_init();
	b.handles = calloc((size_t)b.n, sizeof(CURL *));
	if (!b.multi || !b.handles)
		return 1;
	curl_multi_setopt(b.multi, CURLMOPT_SOCKETFUNCTION, set_socket);
	curl_multi_setopt(b.multi, CURLMOPT_SOCKETDATA, &b);
	curl_multi_setopt(b.multi, CURLMOPT_TIMERFUNCTION, set_timer);
	curl_multi_setopt(b.multi, CURLMOPT_TIMERDATA, &b);
	curl_multi_setopt(b.multi, CURLMOPT_MAXCONNECTS, b.n + 10);
	before = pss_kib();
	start_connections(&b, argv[1], argv[2]);
	uv_run(&b.loop, UV_RUN_DEFAULT);
	after = pss_kib();
	printf("{\"connections\":%ld,\"failed\":%ld,\"pss_before_kib\":%ld,\"pss_after_kib\":%ld,\"kib_per_connection\":%.1f}\n", b.open,
	       b.failed, before, after, b.open ? (double)(after - before) / (double)b.open : 0.0);
	fflush(stdout);
	while (fread(&byte, 1, 1, stdin) == 1)
		;
	return b.failed ? 1 : 0;
}
