/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the requests share: guards, lockout, server figures, and their regular cleaning. */
#include "sessiond/rpc/context.h"

#include <stdlib.h>

#include "common/mem.h"
#include "sessiond/bytemap.h"
#include "sessiond/rpc/audit.h"
#include "sessiond/rpc/guardkeep.h"
#include "sessiond/rpc/guards.h"
#include "sessiond/rpc/internal.h"
#include "sessiond/rpc/live.h"
#include "sessiond/rpc/lockout.h"
#include "sessiond/rpc/restart.h"
#include "sessiond/rpc/server_info.h"

enum { SWEEP_MS = 60000, MAX_RUNNING = 65536 };

static void sweep(void *arg)
{
	struct rpc_context *context = arg;
	int64_t now_ms = timefmt_monotonic_ms();

	guards_sweep(context->guards, now_ms);
	lockout_sweep(context->lockout, now_ms);
	timer_start(context->daemon->timers, &context->sweep, now_ms + SWEEP_MS, sweep, context);
}

struct rpc_context *rpc_context_new(struct daemon *daemon, void (*write)(struct rpc_conn *conn, uint32_t id, const struct buf *json, int fd))
{
	const struct config *config = daemon->config;
	const struct guard_limits limits = {
		.rate_window_ms = config->rate_limit_window_ms,
		.rate_max = config->rate_limit_max,
		.cooldown_ms = config->spam_cooldown_ms,
		.quota_window_ms = config->quota_window_ms,
		.quota_max = config->quota_max,
	};
	struct rpc_context *context = xcalloc(1, sizeof *context);

	context->daemon = daemon;
	context->tasks.loop = daemon->loop;
	context->log = log_named(&daemon->log, "rpc");
	context->write = write;
	context->guards = guards_new(&limits);
	context->lockout = lockout_new();
	context->running = bytemap_new(sizeof(void *), MAX_RUNNING);
	context->info = server_info_new(daemon);
	context->restarts = restarts_new(daemon);
	context->live = live_new(daemon);
	if (!context->guards || !context->lockout || !context->running)
		abort();
	/* a rule for what nobody can ask would leave an act unwritten */
	for (size_t i = 0; audit_method(i); i++) {
		if (!rpc_method_exists(audit_method(i)))
			abort();
	}
	internal_init(context);
	sweep(context);
	guardkeep_start(context);
	return context;
}

void rpc_context_free(struct rpc_context *context)
{
	if (!context)
		return;
	timer_stop(context->daemon->timers, &context->sweep);
	timer_stop(context->daemon->timers, &context->keep);
	rpc_request_drop_all(context);
	internal_drop_all(context);
	live_free(context->live);
	restarts_free(context->restarts);
	server_info_free(context->info);
	lockout_free(context->lockout);
	guards_free(context->guards);
	bytemap_free(context->running);
	free(context);
}
