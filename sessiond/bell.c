/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which journals have grown, see bell.h. */
#include "sessiond/bell.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/loop.h"

enum { REMEMBERED = 64 };

struct rung {
	int64_t sessions[REMEMBERED];
	size_t n;
	bool any; /* more than fit */
};

struct bell {
	struct loop *loop; /* borrowed */
	void (*heard)(void *arg, int64_t session); /* main loop only, like arg */
	void *arg;
	pthread_mutex_t lock; /* guards what follows */
	struct rung rung;
	bool posted;
};

struct bell *bell_new(struct loop *loop)
{
	struct bell *bell = xcalloc(1, sizeof *bell);

	bell->loop = loop;
	pthread_mutex_init(&bell->lock, NULL);
	return bell;
}

void bell_free(struct bell *bell)
{
	if (!bell)
		return;
	pthread_mutex_destroy(&bell->lock);
	free(bell);
}

void bell_listen(struct bell *bell, void (*heard)(void *arg, int64_t session), void *arg)
{
	bell->heard = heard;
	bell->arg = arg;
}

static void tell(void *arg)
{
	struct bell *bell = arg;
	struct rung rung;

	pthread_mutex_lock(&bell->lock);
	rung = bell->rung;
	bell->rung.n = 0;
	bell->rung.any = false;
	bell->posted = false;
	pthread_mutex_unlock(&bell->lock);
	if (rung.any) {
		rung.sessions[0] = 0;
		rung.n = 1;
	}
	for (size_t i = 0; bell->heard && i < rung.n; i++)
		bell->heard(bell->arg, rung.sessions[i]);
}

static void remember(struct rung *rung, int64_t session)
{
	for (size_t i = 0; i < rung->n; i++) {
		if (rung->sessions[i] == session)
			return;
	}
	if (rung->n == REMEMBERED)
		rung->any = true;
	else
		rung->sessions[rung->n++] = session;
}

void bell_ring(struct bell *bell, int64_t session)
{
	bool first;

	if (!bell)
		return;
	pthread_mutex_lock(&bell->lock);
	remember(&bell->rung, session);
	first = !bell->posted;
	bell->posted = true;
	pthread_mutex_unlock(&bell->lock);
	if (first)
		loop_post(bell->loop, tell, bell);
}
