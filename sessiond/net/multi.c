/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Drives one curl multi handle from one libuv loop (see multi.h). */
#include "sessiond/net/multi.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "common/mem.h"

struct net {
	uv_loop_t *loop; /* borrowed */
	CURLM *multi;
	uv_timer_t timer;
	uv_idle_t idle;
	unsigned open_handles; /* of timer and idle */
	struct net_task tasks; /* ring; the head is no task */
	struct names *names; /* owned */
	char *ca_file;
	struct curl_slist *connect_to;
};

/* A socket that curl wants watched. */
struct watch {
	uv_poll_t poll; /* first: net_free_handle frees the whole */
	struct net *net;
	curl_socket_t fd;
};

int net_global_init(void)
{
	/* A peer that has gone is an error value of write(), never the end of the process. */
	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		return -errno;
	return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? 0 : -ENOMEM;
}

void net_global_free(void)
{
	curl_global_cleanup();
}

void net_free_handle(uv_handle_t *handle)
{
	free(handle);
}

uv_loop_t *net_loop(struct net *net)
{
	return net->loop;
}

struct names *net_names(struct net *net)
{
	return net->names;
}

/* ---- finished transfers ---------------------------------------------------------------------------------------------------- */

static void tell_finished(struct net *net)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(net->multi, &left)) != NULL) {
		struct net_transfer *transfer = NULL;
		CURLcode result = message->data.result;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&transfer);
		/* The message is gone once done() ends the transfer. */
		if (transfer)
			transfer->done(transfer, result);
	}
}

/* ---- sockets and the timer --------------------------------------------------------------------------------------------------- */

static void on_socket_ready(uv_poll_t *poll, int status, int events)
{
	struct watch *watch = poll->data;
	struct net *net = watch->net;
	int running, action = 0;

	if (status < 0)
		action = CURL_CSELECT_ERR;
	if (events & UV_READABLE)
		action |= CURL_CSELECT_IN;
	if (events & UV_WRITABLE)
		action |= CURL_CSELECT_OUT;
	curl_multi_socket_action(net->multi, watch->fd, action, &running);
	/* The watch may be gone from here on. */
	tell_finished(net);
}

static struct watch *watch_new(struct net *net, curl_socket_t fd)
{
	struct watch *watch = xcalloc(1, sizeof(*watch));

	watch->net = net;
	watch->fd = fd;
	if (uv_poll_init_socket(net->loop, &watch->poll, fd) != 0) {
		free(watch);
		return NULL;
	}
	watch->poll.data = watch;
	curl_multi_assign(net->multi, fd, watch);
	return watch;
}

/* libcurl: a socket's readiness is wanted, or no longer. */
static int on_curl_socket(CURL *easy, curl_socket_t fd, int what, void *net_pointer, void *watch_pointer)
{
	struct net *net = net_pointer;
	struct watch *watch = watch_pointer;
	int events = 0;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (!watch)
			return 0;
		curl_multi_assign(net->multi, fd, NULL);
		uv_close((uv_handle_t *)&watch->poll, net_free_handle);
		return 0;
	}
	if (!watch && (watch = watch_new(net, fd)) == NULL)
		return -1;
	if (what & CURL_POLL_IN)
		events |= UV_READABLE;
	if (what & CURL_POLL_OUT)
		events |= UV_WRITABLE;
	return uv_poll_start(&watch->poll, events, on_socket_ready) == 0 ? 0 : -1;
}

static void on_timer(uv_timer_t *timer)
{
	struct net *net = timer->data;
	int running;

	curl_multi_socket_action(net->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	tell_finished(net);
}

/* libcurl: call me again in so many milliseconds, -1 = never mind. */
static int on_curl_timer(CURLM *multi, long timeout_ms, void *net_pointer)
{
	struct net *net = net_pointer;

	(void)multi;
	if (timeout_ms < 0)
		return uv_timer_stop(&net->timer) == 0 ? 0 : -1;
	/* The loop's clock stands still while callbacks run: after long work a timer would fire early. */
	uv_update_time(net->loop);
	return uv_timer_start(&net->timer, on_timer, (uint64_t)timeout_ms, 0) == 0 ? 0 : -1;
}

/* ---- tasks ------------------------------------------------------------------------------------------------------------------- */

static void on_idle(uv_idle_t *idle)
{
	struct net *net = idle->data;
	/* Marks the end of this round: what tasks queue while they run waits for the next, so that sockets get their turn. */
	struct net_task mark = { .queued = true };

	mark.prev = net->tasks.prev;
	mark.next = &net->tasks;
	net->tasks.prev->next = &mark;
	net->tasks.prev = &mark;
	while (net->tasks.next != &mark) {
		struct net_task *task = net->tasks.next;

		net_soon_cancel(net, task);
		task->run(task);
	}
	net_soon_cancel(net, &mark);
	if (net->tasks.next == &net->tasks)
		uv_idle_stop(idle);
}

void net_soon(struct net *net, struct net_task *task)
{
	if (task->queued)
		return;
	task->queued = true;
	task->prev = net->tasks.prev;
	task->next = &net->tasks;
	net->tasks.prev->next = task;
	net->tasks.prev = task;
	uv_idle_start(&net->idle, on_idle);
}

void net_soon_cancel(struct net *net, struct net_task *task)
{
	(void)net;
	if (!task->queued)
		return;
	task->prev->next = task->next;
	task->next->prev = task->prev;
	task->next = task->prev = NULL;
	task->queued = false;
}

/* ---- transfers --------------------------------------------------------------------------------------------------------------- */

int net_transfer_init(struct net *net, struct net_transfer *transfer)
{
	CURL *easy = curl_easy_init();

	if (!easy)
		return -ENOMEM;
	transfer->easy = easy;
	curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	/* Otherwise ending a transfer waits for the resolver's thread. */
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
	/* The environment's proxies are not asked: what is dialled is said by our settings alone. */
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(easy, CURLOPT_PROXY_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(easy, CURLOPT_PROXY_SSL_VERIFYHOST, 2L);
	/* Without a CApath the multi's connections share one parsed bundle: 43 KiB a connection instead of 867. */
	curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	curl_easy_setopt(easy, CURLOPT_PROXY_CAPATH, NULL);
	curl_easy_setopt(easy, CURLOPT_CAINFO, net->ca_file);
	curl_easy_setopt(easy, CURLOPT_PROXY_CAINFO, net->ca_file);
	curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L);
	if (net->connect_to)
		curl_easy_setopt(easy, CURLOPT_CONNECT_TO, net->connect_to);
	return 0;
}

int net_transfer_start(struct net *net, struct net_transfer *transfer)
{
	return curl_multi_add_handle(net->multi, transfer->easy) == CURLM_OK ? 0 : -ENOMEM;
}

void net_transfer_end(struct net *net, struct net_transfer *transfer)
{
	if (!transfer->easy)
		return;
	curl_multi_remove_handle(net->multi, transfer->easy);
	curl_easy_cleanup(transfer->easy);
	transfer->easy = NULL;
}

/* ---- life -------------------------------------------------------------------------------------------------------------------- */

static const char *system_bundle(void)
{
	const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);

	if (info->age >= CURLVERSION_SEVENTH && info->cainfo)
		return info->cainfo;
	return "/etc/ssl/certs/ca-certificates.crt";
}

int net_new(struct net **out, uv_loop_t *loop, const struct net_options *options)
{
	struct net *net = xcalloc(1, sizeof(*net));

	net->loop = loop;
	net->tasks.next = net->tasks.prev = &net->tasks;
	net->multi = curl_multi_init();
	if (!net->multi) {
		free(net);
		return -ENOMEM;
	}
	net->names = names_new();
	net->ca_file = xstrdup(options->ca_file && options->ca_file[0] ? options->ca_file : system_bundle());
	for (size_t i = 0; i < options->connect_to_count; i++) {
		struct curl_slist *grown = curl_slist_append(net->connect_to, options->connect_to[i]);

		if (grown)
			net->connect_to = grown;
	}
	curl_multi_setopt(net->multi, CURLMOPT_SOCKETFUNCTION, on_curl_socket);
	curl_multi_setopt(net->multi, CURLMOPT_SOCKETDATA, net);
	curl_multi_setopt(net->multi, CURLMOPT_TIMERFUNCTION, on_curl_timer);
	curl_multi_setopt(net->multi, CURLMOPT_TIMERDATA, net);
	curl_multi_setopt(net->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX);
	if (options->max_connections)
		curl_multi_setopt(net->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)options->max_connections);
	uv_timer_init(loop, &net->timer);
	uv_idle_init(loop, &net->idle);
	net->timer.data = net->idle.data = net;
	net->open_handles = 2;
	*out = net;
	return 0;
}

static void on_handle_closed(uv_handle_t *handle)
{
	struct net *net = handle->data;

	if (--net->open_handles > 0)
		return;
	curl_slist_free_all(net->connect_to);
	names_free(&net->names);
	free(net->ca_file);
	free(net);
}

void net_free(struct net **net_pointer)
{
	struct net *net = *net_pointer;

	if (!net)
		return;
	*net_pointer = NULL;
	/* Closes the kept-alive connections; libcurl asks for the end of their watches meanwhile. */
	curl_multi_cleanup(net->multi);
	net->multi = NULL;
	uv_close((uv_handle_t *)&net->timer, on_handle_closed);
	uv_close((uv_handle_t *)&net->idle, on_handle_closed);
}
