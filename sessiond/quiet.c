/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Memory back to the system in quiet moments, see quiet.h. */
#include "sessiond/quiet.h"

#include <malloc.h>
#include <stdlib.h>

#include "common/mem.h"
#include "sessiond/daemon.h"
#include "sessiond/libpages.h"
#include "sessiond/loop.h"
#include "sessiond/timers.h"

enum {
	LOOK_MS = 3000,
	/* Fewer commits and requests between two looks than this are rest: monitors ask, phones keep alive. */
	REST = 60,
	/* More since the last trim than this are worth one. */
	WORTH = 200
};

struct quiet {
	struct daemon *daemon; /* borrowed */
	struct timer timer;
	struct loop_tasks tasks;
	long long seen, trimmed_at; /* count of work at the last look, and when memory was last given back */
};

static long long work_done(struct daemon *daemon)
{
	return daemon->metrics.commits + daemon->metrics.rpc_requests + daemon->metrics.sessions;
}

static void look(void *arg);

static void look_again(struct quiet *quiet)
{
	timer_start(quiet->daemon->timers, &quiet->timer, timefmt_monotonic_ms() + LOOK_MS, look, quiet);
}

static void give_back(void *arg)
{
	(void)arg;
	malloc_trim(0);
	(void)libpages_release();
}

static void given_back(void *arg)
{
	look_again(arg);
}

static void look(void *arg)
{
	struct quiet *quiet = arg;
	long long now = work_done(quiet->daemon);
	bool rests = now - quiet->seen < REST;

	quiet->seen = now;
	if (rests && now - quiet->trimmed_at >= WORTH) {
		quiet->trimmed_at = now;
		if (loop_tasks_offload(&quiet->tasks, give_back, given_back, quiet) == 0)
			return;
	}
	look_again(quiet);
}

struct quiet *quiet_new(struct daemon *daemon)
{
	struct quiet *quiet = xcalloc(1, sizeof *quiet);

	quiet->daemon = daemon;
	quiet->tasks.loop = daemon->loop;
	/* The start itself (configuration, migrations, the list of sessions) is worth a look. */
	quiet->trimmed_at = -WORTH;
	look_again(quiet);
	return quiet;
}

void quiet_free(struct quiet *quiet)
{
	if (!quiet)
		return;
	loop_tasks_wait(&quiet->tasks);
	timer_stop(quiet->daemon->timers, &quiet->timer);
	free(quiet);
}
