/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A binary heap of timers on one uv_timer. */
#include "sessiond/timers.h"

#include <stdlib.h>

#include "common/mem.h"

/* One turn calls at most this many, so that a thousand due timers do not hold the loop. */
enum { MAX_PER_TURN = 128 };

struct timers {
	uv_timer_t uv;
	uv_loop_t *loop;     /* borrowed */
	struct timer **heap; /* owned array of borrowed timers */
	size_t count, cap;
	bool firing;
};

static int64_t mono_ms(void)
{
	return (int64_t)(uv_hrtime() / 1000000U);
}

struct timers *timers_new(uv_loop_t *loop)
{
	struct timers *t = xcalloc(1, sizeof *t);

	t->loop = loop;
	if (uv_timer_init(loop, &t->uv))
		abort();
	t->uv.data = t;
	return t;
}

static void free_closed(uv_handle_t *handle)
{
	struct timers *t = handle->data;

	free(t->heap);
	free(t);
}

void timers_free(struct timers *timers)
{
	if (!timers)
		return;
	for (size_t i = 0; i < timers->count; i++)
		timers->heap[i]->at = 0;
	timers->count = 0;
	uv_close((uv_handle_t *)&timers->uv, free_closed);
}

static void place(struct timers *t, size_t i, struct timer *timer)
{
	t->heap[i] = timer;
	timer->at = i + 1;
}

static void sift_up(struct timers *t, size_t i)
{
	struct timer *timer = t->heap[i];

	while (i > 0 && t->heap[(i - 1) / 2]->at_ms > timer->at_ms) {
		place(t, i, t->heap[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	place(t, i, timer);
}

static void sift_down(struct timers *t, size_t i)
{
	struct timer *timer = t->heap[i];

	for (;;) {
		size_t child = 2 * i + 1;

		if (child >= t->count)
			break;
		if (child + 1 < t->count && t->heap[child + 1]->at_ms < t->heap[child]->at_ms)
			child++;
		if (t->heap[child]->at_ms >= timer->at_ms)
			break;
		place(t, i, t->heap[child]);
		i = child;
	}
	place(t, i, timer);
}

static void remove_at(struct timers *t, size_t i)
{
	struct timer *last = t->heap[--t->count];

	t->heap[i]->at = 0;
	if (i == t->count)
		return;
	place(t, i, last);
	sift_up(t, i);
	sift_down(t, last->at - 1);
}

static void fire(uv_timer_t *uv);

static void arm(struct timers *t)
{
	int64_t wait_ms;

	if (t->firing)
		return;
	if (t->count == 0) {
		uv_timer_stop(&t->uv);
		return;
	}
	wait_ms = t->heap[0]->at_ms - mono_ms();
	uv_update_time(t->loop);
	uv_timer_start(&t->uv, fire, wait_ms > 0 ? (uint64_t)wait_ms : 0, 0);
}

static void fire(uv_timer_t *uv)
{
	struct timers *t = uv->data;
	int64_t now_ms = mono_ms();

	t->firing = true;
	for (int i = 0; i < MAX_PER_TURN && t->count > 0 && t->heap[0]->at_ms <= now_ms; i++) {
		struct timer *timer = t->heap[0];

		remove_at(t, 0);
		timer->fn(timer->arg);
	}
	t->firing = false;
	arm(t);
}

void timer_start(struct timers *timers, struct timer *timer, int64_t at_ms, void (*fn)(void *arg), void *arg)
{
	timer->fn = fn;
	timer->arg = arg;
	if (timer->at) {
		timer->at_ms = at_ms;
		sift_up(timers, timer->at - 1);
		sift_down(timers, timer->at - 1);
	} else {
		if (timers->count == timers->cap) {
			timers->cap = timers->cap ? timers->cap * 2 : 64;
			timers->heap = xrealloc(timers->heap, timers->cap * sizeof(struct timer *));
		}
		timer->at_ms = at_ms;
		timers->heap[timers->count] = timer;
		sift_up(timers, timers->count++);
	}
	if (timer->at == 1)
		arm(timers);
}

void timer_stop(struct timers *timers, struct timer *timer)
{
	bool was_first = timer->at == 1;

	if (!timer->at)
		return;
	remove_at(timers, timer->at - 1);
	if (was_first)
		arm(timers);
}
