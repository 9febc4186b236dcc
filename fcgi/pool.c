/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Threads of the FastCGI responder, see pool.h. */
#include "fcgi/pool.h"

#include <errno.h>
#include <fcgiapp.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "common/mem.h"
#include "fcgi/responder.h"

struct waiting {
	int fd;
	int64_t since_ms;
};

struct pool {
	int listen_fd, stop_fd;
	int queue_fd; /* owned; counts what was queued although a thread is idle */
	int nudge_fd; /* owned; a thread came free while the overflow thread leads */
	const struct settings *settings;
	struct daemon_link *link;
	struct kept *kept; /* owned; NULL: none */
	struct log log;

	pthread_mutex_t lock;
	pthread_cond_t overflow_cond; /* nobody is idle any more */
	pthread_cond_t done_cond;     /* a thread ended */
	bool stopping, overflow_leads;
	bool short_of_threads; /* the system refused the last one */
	unsigned threads, idle;
	struct waiting queue[POOL_QUEUE]; /* ring */
	size_t head, queued;
};

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int queue_pop(struct pool *p)
{
	int fd = p->queue[p->head].fd;

	p->head = (p->head + 1) % POOL_QUEUE;
	p->queued--;
	return fd;
}

/* Adds to an eventfd. */
static void signal_fd(int fd, uint64_t count)
{
	(void)!write(fd, &count, sizeof count);
}

static void queue_push(struct pool *p, int fd)
{
	p->queue[(p->head + p->queued) % POOL_QUEUE] = (struct waiting){ fd, now_ms() };
	p->queued++;
}

static void set_limits(int fd)
{
	struct timeval limit = { .tv_sec = POOL_SILENCE_SECONDS };

	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

/* The listening socket is non-blocking: somebody else may have been faster. */
static int accept_one(const struct pool *p)
{
	int fd = accept4(p->listen_fd, NULL, NULL, SOCK_CLOEXEC);

	if (fd >= 0)
		set_limits(fd);
	else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
		/* the connection stays in the kernel's queue; looping over it would burn the processor */
		poll(NULL, 0, 50);
	return fd;
}

static bool is_stopping(const struct pool *p)
{
	struct pollfd item = { .fd = p->stop_fd, .events = POLLIN };

	return poll(&item, 1, 0) > 0;
}

static void *worker_main(void *arg);

/* With the lock held. */
static bool start_thread(struct pool *p)
{
	pthread_attr_t attr;
	pthread_t thread;
	int rc;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, POOL_STACK_BYTES);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	rc = pthread_create(&thread, &attr, worker_main, p);
	pthread_attr_destroy(&attr);
	p->short_of_threads = rc != 0;
	if (rc)
		log_error(&p->log, "cannot start a thread", LOG_STR("reason", strerror(rc)), LOG_INT("threads", p->threads));
	else
		p->threads++;
	return rc == 0;
}

/* The set that an idle thread sleeps on. -1 with a line in the log. */
static int make_epoll(const struct pool *p)
{
	const struct {
		int fd;
		uint32_t events;
	} items[] = { { p->listen_fd, EPOLLIN | EPOLLEXCLUSIVE }, { p->queue_fd, EPOLLIN | EPOLLEXCLUSIVE }, { p->stop_fd, EPOLLIN } };
	int ep = epoll_create1(EPOLL_CLOEXEC);

	for (size_t i = 0; ep >= 0 && i < sizeof items / sizeof items[0]; i++) {
		struct epoll_event event = { .events = items[i].events };

		if (!epoll_ctl(ep, EPOLL_CTL_ADD, items[i].fd, &event))
			continue;
		close(ep);
		ep = -1;
	}
	if (ep < 0)
		log_error(&p->log, "cannot wait for connections", LOG_STR("reason", strerror(errno)));
	return ep;
}

/* Sleeps until there may be something to do; an accepted connection or -1. */
static int idle_wait(const struct pool *p, int ep)
{
	struct epoll_event event;
	uint64_t count;
	int fd;

	if (epoll_wait(ep, &event, 1, -1) <= 0)
		return -1;
	fd = accept_one(p);
	if (fd < 0)
		(void)!read(p->queue_fd, &count, sizeof count);
	return fd;
}

/* With the lock held, after a thread stopped being idle. */
static void keep_one_idle(struct pool *p)
{
	if (!p->idle && !p->stopping && (p->threads >= p->settings->threads || !start_thread(p)))
		pthread_cond_signal(&p->overflow_cond);
}

/* The next connection for this thread; -1 when the process stops. */
static int next_connection(struct pool *p, int ep)
{
	int fd = -1;

	pthread_mutex_lock(&p->lock);
	while (fd < 0 && !p->stopping) {
		if (p->queued) {
			fd = queue_pop(p);
			break;
		}
		p->idle++;
		if (p->overflow_leads)
			signal_fd(p->nudge_fd, 1);
		pthread_mutex_unlock(&p->lock);
		fd = idle_wait(p, ep);
		pthread_mutex_lock(&p->lock);
		p->idle--;
		if (fd < 0 && is_stopping(p))
			p->stopping = true;
		if (p->stopping)
			pthread_cond_signal(&p->overflow_cond);
		else if (fd >= 0)
			keep_one_idle(p);
	}
	pthread_mutex_unlock(&p->lock);
	return fd;
}

/*
 * Closing a connection while bytes lie unread would break the answer off at the other end, so libfcgi lingers until the web server has
 * closed, which holds the thread. When the input was read to its end that is not needed.
 */
static void skip_lingering(FCGX_Request *request)
{
	char c;

	if (FCGX_GetStr(&c, 1, request->in) == 0 && !FCGX_GetError(request->in))
		FCGX_Detach(request);
}

/*
 * Answers what comes on one connection (one request, unless the web server keeps it open). libfcgi accepts by itself when it has no
 * connection; with an impossible listening socket it fails instead and hands back control.
 */
static void serve_connection(struct responder *w, FCGX_Request *request, int fd)
{
	struct exchange x;

	request->ipcFd = fd;
	/* otherwise FCGX_Accept_r closes what it finds open */
	request->keepConnection = 1;
	while (request->ipcFd >= 0 && FCGX_Accept_r(request) == 0) {
		exchange_fcgi(&x, request);
		responder_serve(w, &x);
		skip_lingering(request);
		FCGX_Finish_r(request);
	}
}

static void *worker_main(void *arg)
{
	struct pool *p = arg;
	struct responder w;
	FCGX_Request request;
	int ep = make_epoll(p), fd;

	responder_init(&w, p->settings, p->link);
	w.kept = p->kept;
	FCGX_InitRequest(&request, -1, 0);
	while (ep >= 0 && (fd = next_connection(p, ep)) >= 0)
		serve_connection(&w, &request, fd);
	responder_free(&w);
	if (ep >= 0)
		close(ep);
	pthread_mutex_lock(&p->lock);
	p->threads--;
	pthread_cond_signal(&p->done_cond);
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

/* Milliseconds until the oldest waiting connection must be refused, -1 without one. */
static int patience_left(const struct pool *p)
{
	int64_t left;

	if (!p->queued)
		return -1;
	left = p->queue[p->head].since_ms + POOL_PATIENCE_MS - now_ms();
	return left > 0 ? (int)left : 0;
}

/* One connection within the time, or -1: nothing came, a thread is idle again, the process stops. */
static int overflow_accept(const struct pool *p, int timeout_ms)
{
	struct pollfd items[] = { { .fd = p->listen_fd, .events = POLLIN }, { .fd = p->stop_fd, .events = POLLIN },
				  { .fd = p->nudge_fd, .events = POLLIN } };
	uint64_t count;

	if (poll(items, 3, timeout_ms) <= 0)
		return -1;
	if (items[2].revents)
		(void)!read(p->nudge_fd, &count, sizeof count);
	return items[0].revents ? accept_one(p) : -1;
}

/* With the lock held, which it gives up meanwhile: accepts into the queue until a thread is idle. */
static void lead_overflow(struct pool *p, struct responder *refuser, FCGX_Request *request)
{
	p->overflow_leads = true;
	while (!p->idle && !p->stopping) {
		int timeout = patience_left(p), fd = timeout ? -1 : queue_pop(p);

		pthread_mutex_unlock(&p->lock);
		if (fd >= 0) {
			serve_connection(refuser, request, fd);
			fd = -1;
		} else {
			fd = overflow_accept(p, timeout);
		}
		pthread_mutex_lock(&p->lock);
		if (fd >= 0 && p->queued == POOL_QUEUE)
			close(fd);
		else if (fd >= 0)
			queue_push(p, fd);
		if (is_stopping(p))
			p->stopping = true;
	}
	p->overflow_leads = false;
	/* what came in while a thread fell idle: it looks again */
	if (p->queued)
		signal_fd(p->queue_fd, p->queued);
}

static void overflow_loop(struct pool *p)
{
	struct responder refuser;
	FCGX_Request request;

	responder_init(&refuser, p->settings, NULL);
	FCGX_InitRequest(&request, -1, 0);
	pthread_mutex_lock(&p->lock);
	while (!p->stopping) {
		if (!p->idle && (p->threads >= p->settings->threads || p->short_of_threads))
			lead_overflow(p, &refuser, &request);
		else
			pthread_cond_wait(&p->overflow_cond, &p->lock);
	}
	while (p->queued)
		close(queue_pop(p));
	while (p->threads)
		pthread_cond_wait(&p->done_cond, &p->lock);
	pthread_mutex_unlock(&p->lock);
	responder_free(&refuser);
}

int pool_serve(int listen_fd, int stop_fd, const struct settings *settings, struct daemon_link *link, struct log log)
{
	struct pool *p = xcalloc(1, sizeof *p);
	int flags = fcntl(listen_fd, F_GETFL), rc = -1;

	*p = (struct pool){ .listen_fd = listen_fd, .stop_fd = stop_fd, .settings = settings, .link = link, .log = log };
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->overflow_cond, NULL);
	pthread_cond_init(&p->done_cond, NULL);
	p->nudge_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	p->queue_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE);
	if (p->nudge_fd < 0 || p->queue_fd < 0 || flags < 0 || fcntl(listen_fd, F_SETFL, flags | O_NONBLOCK)) {
		log_error(&log, "cannot set up the FastCGI socket", LOG_STR("reason", strerror(errno)));
		goto out;
	}
	p->kept = kept_new(settings->sendfile_dir, log);
	pthread_mutex_lock(&p->lock);
	rc = start_thread(p) ? 0 : -1;
	pthread_mutex_unlock(&p->lock);
	if (!rc)
		overflow_loop(p);
out:
	if (p->nudge_fd >= 0)
		close(p->nudge_fd);
	if (p->queue_fd >= 0)
		close(p->queue_fd);
	kept_free(p->kept);
	pthread_mutex_destroy(&p->lock);
	pthread_cond_destroy(&p->overflow_cond);
	pthread_cond_destroy(&p->done_cond);
	free(p);
	return rc;
}
