/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A session's send queue: its state, and its own settings. */
#include <stdlib.h>

#include "common/mem.h"
#include "sessiond/rpc/request.h"
#include "sessiond/session/queue.h"

static void answered(struct queue_job *job)
{
	struct rpc_request *request = job->arg;

	if (job->error == QUEUE_BAD_SETTING)
		rpc_answer(request, 400, 2002, job->text, NULL);
	else if (job->error)
		rpc_answer(request, 500, 8000, "Internal error", NULL);
	else
		rpc_answer(request, 200, 1000, job->change ? "Queue updated" : "Queue state", buf_text(&job->result));
	queue_job_free(job);
}

static void go(struct rpc_request *request, struct json_object *change)
{
	struct session_entry *entry = rpc_session(request);
	struct queue_job *job;

	if (!entry)
		return;
	job = xcalloc(1, sizeof *job);
	job->change = json_object_get(change);
	job->done = answered;
	job->arg = request;
	sessions_queue(entry, job);
}

static void do_get(struct rpc_request *request)
{
	go(request, NULL);
}

static void do_put(struct rpc_request *request)
{
	struct json_object *settings = json_object_object_get(request->p, "settings");

	if (!json_object_is_type(settings, json_type_object))
		rpc_answer(request, 400, 2000, "The body is an object with settings of the queue", NULL);
	else
		go(request, settings);
}

const struct rpc_method rpc_queue_methods[] = {
	{ "session.queue.get", do_get },
	{ "session.queue.put", do_put },
	{ NULL, NULL },
};
