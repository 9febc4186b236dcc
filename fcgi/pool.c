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
	int nudge_fd; /* owned; readable when a thread came free while the overflow thread leads */
	const struct settings *settings;
	struct daemon_link *link;
	struct log log;

	pthread_mutex_t lock;
	pthread_cond_t free_cond;     /* a leader is wanted, or the queue holds something */
	pthread_cond_t overflow_cond; /* nobody is free */
	pthread_cond_t done_cond;     /* a thread ended */
	bool stopping, led, overflow_leads;
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

/* One accepted connection, or -1: try again, the process stops, or `nudge` was asked for and came. */
static int accept_one(struct pool *p, int nudge_fd, int timeout_ms)
{
	struct pollfd items[] = { { .fd = p->listen_fd, .events = POLLIN }, { .fd = p->stop_fd, .events = POLLIN },
				  { .fd = nudge_fd, .events = POLLIN } };
	uint64_t count;
	int fd;

	if (poll(items, 3, timeout_ms) <= 0)
		return -1;
	if (items[2].revents)
		(void)!read(nudge_fd, &count, sizeof count);
	if (items[1].revents || !items[0].revents)
		return -1;
	fd = accept4(p->listen_fd, NULL, NULL, SOCK_CLOEXEC);
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
	if (rc)
		log_error(&p->log, "cannot start a thread", LOG_STR("reason", strerror(rc)), LOG_INT("threads", p->threads));
	else
		p->threads++;
	return rc == 0;
}

/* With the lock held: somebody must wait for the next connection. */
static void hand_over(struct pool *p)
{
	p->led = false;
	if (p->idle)
		pthread_cond_signal(&p->free_cond);
	else if (p->threads >= p->settings->threads || !start_thread(p))
		pthread_cond_signal(&p->overflow_cond);
}

/* The next connection for this thread; -1 when the process stops. */
static int next_connection(struct pool *p)
{
	int fd = -1;

	pthread_mutex_lock(&p->lock);
	while (fd < 0 && !p->stopping) {
		if (p->queued) {
			fd = queue_pop(p);
		} else if (!p->led) {
			p->led = true;
			pthread_mutex_unlock(&p->lock);
			do {
				fd = accept_one(p, -1, -1);
			} while (fd < 0 && !is_stopping(p));
			pthread_mutex_lock(&p->lock);
			if (fd < 0) {
				p->stopping = true;
				pthread_cond_broadcast(&p->free_cond);
				pthread_cond_broadcast(&p->overflow_cond);
			}
			hand_over(p);
		} else {
			if (p->overflow_leads)
				(void)!write(p->nudge_fd, &(uint64_t){ 1 }, sizeof(uint64_t));
			p->idle++;
			pthread_cond_wait(&p->free_cond, &p->lock);
			p->idle--;
		}
	}
	pthread_mutex_unlock(&p->lock);
	return fd;
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
		FCGX_Finish_r(request);
	}
}

static void *worker_main(void *arg)
{
	struct pool *p = arg;
	struct responder w;
	FCGX_Request request;
	int fd;

	responder_init(&w, p->settings, p->link);
	FCGX_InitRequest(&request, -1, 0);
	while ((fd = next_connection(p)) >= 0)
		serve_connection(&w, &request, fd);
	responder_free(&w);
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

/* With the lock held, which it gives up meanwhile: accepts into the queue until a thread is free. */
static void lead_overflow(struct pool *p, struct responder *refuser, FCGX_Request *request)
{
	p->led = p->overflow_leads = true;
	while (!p->idle && !p->stopping) {
		int timeout = patience_left(p), fd = -1;

		if (timeout == 0) {
			fd = queue_pop(p);
			pthread_mutex_unlock(&p->lock);
			serve_connection(refuser, request, fd);
			pthread_mutex_lock(&p->lock);
			continue;
		}
		pthread_mutex_unlock(&p->lock);
		fd = accept_one(p, p->nudge_fd, timeout);
		pthread_mutex_lock(&p->lock);
		if (fd >= 0 && p->queued == POOL_QUEUE)
			close(fd);
		else if (fd >= 0)
			queue_push(p, fd);
		if (fd < 0 && is_stopping(p))
			p->stopping = true;
	}
	p->led = p->overflow_leads = false;
	pthread_cond_broadcast(&p->free_cond);
}

static void overflow_loop(struct pool *p)
{
	struct responder refuser;
	FCGX_Request request;

	responder_init(&refuser, p->settings, NULL);
	FCGX_InitRequest(&request, -1, 0);
	pthread_mutex_lock(&p->lock);
	while (!p->stopping) {
		if (!p->led && !p->idle && p->threads >= p->settings->threads)
			lead_overflow(p, &refuser, &request);
		else
			pthread_cond_wait(&p->overflow_cond, &p->lock);
	}
	pthread_cond_broadcast(&p->free_cond);
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
	pthread_cond_init(&p->free_cond, NULL);
	pthread_cond_init(&p->overflow_cond, NULL);
	pthread_cond_init(&p->done_cond, NULL);
	p->nudge_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (p->nudge_fd < 0 || flags < 0 || fcntl(listen_fd, F_SETFL, flags | O_NONBLOCK)) {
		log_error(&log, "cannot set up the FastCGI socket", LOG_STR("reason", strerror(errno)));
		goto out;
	}
	pthread_mutex_lock(&p->lock);
	rc = start_thread(p) ? 0 : -1;
	pthread_mutex_unlock(&p->lock);
	if (!rc)
		overflow_loop(p);
out:
	if (p->nudge_fd >= 0)
		close(p->nudge_fd);
	pthread_mutex_destroy(&p->lock);
	pthread_cond_destroy(&p->free_cond);
	pthread_cond_destroy(&p->overflow_cond);
	pthread_cond_destroy(&p->done_cond);
	free(p);
	return rc;
}
