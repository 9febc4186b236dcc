/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Event loops with a mailbox, see loop.h. */
#include "sessiond/loop.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/mem.h"

/* Loops that one turn may owe a wake-up; more than these are woken at once. */
enum { HELD_MAX = 16 };

struct letter {
	struct letter *next;
	void (*fn)(void *arg);
	void *arg; /* the sender's, handed to fn */
};

struct loop {
	uv_loop_t uv;
	uv_poll_t wake;       /* of wake_fd */
	uv_prepare_t before_wait;
	int wake_fd;          /* eventfd, owned */
	uv_thread_t thread;
	pthread_mutex_t lock; /* guards the mailbox and closed */
	struct letter *first, **last;
	bool closed;          /* no letter is taken any more */
	bool stopping;        /* loop thread only */
	bool running;         /* loop thread only */
	bool has_thread;
	char *name;
};

struct offload {
	uv_work_t work;
	struct loop_tasks *tasks; /* borrowed; NULL: nobody counts */
	void (*run)(void *arg);
	void (*done)(void *arg);
	void *arg;
};

/* ---- waking: one system call for all that is posted in a turn ---- */

struct held {
	unsigned depth; /* > 0: wakes wait for the end */
	size_t count;
	struct loop *loops[HELD_MAX]; /* borrowed */
};

/* What this thread owes. A loop outlives every thread that posts to it. */
static _Thread_local struct held held;

static void wake_now(const struct loop *loop)
{
	const uint64_t one = 1;

	/* It fails only when 2^64 - 1 wakes are unread: then the loop is awake. */
	while (write(loop->wake_fd, &one, sizeof one) < 0 && errno == EINTR)
		;
}

static void wake(struct loop *loop)
{
	if (held.depth == 0 || held.count == HELD_MAX)
		wake_now(loop);
	else
		held.loops[held.count++] = loop;
}

static void wake_held(void)
{
	size_t count = held.count;

	held.count = 0;
	for (size_t i = 0; i < count; i++)
		wake_now(held.loops[i]);
}

void loop_hold(void)
{
	held.depth++;
}

void loop_release(void)
{
	if (--held.depth == 0)
		wake_held();
}

static void end_turn(uv_prepare_t *prepare)
{
	(void)prepare;
	wake_held();
}

static void deliver(uv_poll_t *poll, int status, int events)
{
	struct loop *loop = poll->data;
	struct letter *letter;
	uint64_t wakes;

	(void)status;
	(void)events;
	/* Before the letters are taken: one that comes later wakes again. */
	while (read(loop->wake_fd, &wakes, sizeof wakes) < 0 && errno == EINTR)
		;
	pthread_mutex_lock(&loop->lock);
	letter = loop->first;
	loop->first = NULL;
	loop->last = &loop->first;
	pthread_mutex_unlock(&loop->lock);
	while (letter) {
		struct letter *next = letter->next;

		letter->fn(letter->arg);
		free(letter);
		letter = next;
	}
}

struct loop *loop_new(const char *name)
{
	struct loop *loop = xcalloc(1, sizeof *loop);

	loop->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (loop->wake_fd < 0 || uv_loop_init(&loop->uv) || uv_poll_init(&loop->uv, &loop->wake, loop->wake_fd) ||
	    uv_poll_start(&loop->wake, UV_READABLE, deliver) || uv_prepare_init(&loop->uv, &loop->before_wait) ||
	    uv_prepare_start(&loop->before_wait, end_turn))
		abort();
	pthread_mutex_init(&loop->lock, NULL);
	loop->wake.data = loop;
	loop->uv.data = loop;
	loop->last = &loop->first;
	loop->name = xstrdup(name);
	return loop;
}

static void close_handle(uv_handle_t *handle, void *arg)
{
	(void)arg;
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	while (loop->first) {
		struct letter *letter = loop->first;

		loop->first = letter->next;
		free(letter);
	}
	uv_walk(&loop->uv, close_handle, NULL);
	uv_run(&loop->uv, UV_RUN_DEFAULT);
	if (uv_loop_close(&loop->uv))
		abort();
	close(loop->wake_fd);
	pthread_mutex_destroy(&loop->lock);
	free(loop->name);
	free(loop);
}

void loop_run(struct loop *loop)
{
	loop->thread = uv_thread_self();
	loop->running = true;
	loop_hold();
	while (!loop->stopping)
		uv_run(&loop->uv, UV_RUN_DEFAULT);
	loop_release();
	loop->running = false;
}

static void run_in_thread(void *arg)
{
	loop_run(arg);
}

int loop_start_thread(struct loop *loop)
{
	int error = uv_thread_create(&loop->thread, run_in_thread, loop);

	loop->has_thread = !error;
	return error;
}

void loop_join(struct loop *loop)
{
	if (loop->has_thread)
		uv_thread_join(&loop->thread);
	loop->has_thread = false;
}

static void stop_here(void *arg)
{
	struct loop *loop = arg;

	loop->stopping = true;
	uv_stop(&loop->uv);
}

static bool post(struct loop *loop, void (*fn)(void *arg), void *arg, bool last_one)
{
	struct letter *letter = xmalloc(sizeof *letter);
	bool open, first;

	*letter = (struct letter){ .fn = fn, .arg = arg };
	pthread_mutex_lock(&loop->lock);
	open = !loop->closed;
	first = loop->first == NULL;
	if (open) {
		*loop->last = letter;
		loop->last = &letter->next;
		loop->closed = last_one;
	}
	pthread_mutex_unlock(&loop->lock);
	if (!open)
		free(letter);
	else if (first)
		wake(loop);
	return open;
}

void loop_stop(struct loop *loop)
{
	post(loop, stop_here, loop, true);
}

bool loop_post(struct loop *loop, void (*fn)(void *arg), void *arg)
{
	return post(loop, fn, arg, false);
}

static void offload_run(uv_work_t *work)
{
	struct offload *o = work->data;

	o->run(o->arg);
}

static void offload_done(uv_work_t *work, int status)
{
	struct offload *o = work->data;

	(void)status;
	if (o->tasks)
		o->tasks->count--;
	o->done(o->arg);
	free(o);
}

static int offload(struct loop *loop, struct loop_tasks *tasks, void (*work)(void *arg), void (*done)(void *arg), void *arg)
{
	struct offload *o = xmalloc(sizeof *o);
	int error;

	*o = (struct offload){ .tasks = tasks, .run = work, .done = done, .arg = arg };
	o->work.data = o;
	error = uv_queue_work(&loop->uv, &o->work, offload_run, offload_done);
	if (error)
		free(o);
	return error;
}

int loop_offload(struct loop *loop, void (*work)(void *arg), void (*done)(void *arg), void *arg)
{
	return offload(loop, NULL, work, done, arg);
}

int loop_tasks_offload(struct loop_tasks *tasks, void (*work)(void *arg), void (*done)(void *arg), void *arg)
{
	int error = offload(tasks->loop, tasks, work, done, arg);

	if (!error)
		tasks->count++;
	return error;
}

void loop_tasks_wait(struct loop_tasks *tasks)
{
	while (tasks->count)
		uv_run(&tasks->loop->uv, UV_RUN_ONCE);
}

void loop_pool_end(void)
{
	uv_library_shutdown();
}

uv_loop_t *loop_uv(struct loop *loop)
{
	return &loop->uv;
}

bool loop_is_current(const struct loop *loop)
{
	uv_thread_t self = uv_thread_self();

	return !loop->running || uv_thread_equal(&loop->thread, &self);
}

const char *loop_name(const struct loop *loop)
{
	return loop->name;
}

int64_t loop_now_ms(struct loop *loop)
{
	(void)loop;
	return (int64_t)(uv_hrtime() / 1000000U);
}
