/* SPDX-License-Identifier: GPL-3.0-or-later */
/* profile.calls*: what is done with calls, and refusing one. */
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/async.h"
#include "sessiond/daemon.h"
#include "sessiond/json_text.h"
#include "sessiond/loop.h"
#include "sessiond/rpc/people.h"
#include "sessiond/session/calls.h"

enum { MESSAGE_MAX_CHARS = 4096, CALL_ID_MAX_BYTES = 64 };

struct calls_work {
	struct rpc_request *request; /* borrowed; NULL: gone while the store reads */
	struct daemon *daemon;       /* borrowed */
	int64_t session;
	struct call_policy policy;
	bool reading;
	int error;
};

static void work_free(void *arg)
{
	struct calls_work *w = arg;

	if (w->reading) {
		w->request = NULL;
		return;
	}
	call_policy_free(&w->policy);
	free(w);
}

static void policy_read(struct store_reader *reader, void *arg)
{
	struct calls_work *w = arg;

	w->error = call_policy_read(reader, w->daemon, w->session, &w->policy);
}

static void policy_known(void *arg)
{
	struct calls_work *w = arg;
	struct rpc_request *request = w->request;
	struct session_entry *entry;
	struct buf result = { 0 };

	w->reading = false;
	if (!request) {
		work_free(w);
		return;
	}
	if (w->error) {
		rpc_answer(request, 500, 8000, "Internal error", NULL);
		return;
	}
	entry = rpc_session(request);
	if (!entry)
		return;
	people_open(&result, request, &entry->view.me_pn);
	json_put_bool(&result, "reject", w->policy.reject);
	json_put_member(&result, "message", w->policy.message);
	json_put_bool(&result, "own", w->policy.own);
	buf_u8(&result, '}');
	rpc_answer(request, 200, 1000, strcmp(request->method->name, "profile.calls") == 0 ? "Call settings" : "Call settings updated", buf_text(&result));
	buf_free(&result);
}

static void read_policy(struct calls_work *w)
{
	w->reading = true;
	async_read(w->daemon->loop, w->daemon->store, policy_read, policy_known, w);
}

static void policy_stored(void *arg, int error)
{
	struct calls_work *w = arg;

	w->reading = false;
	if (!w->request)
		work_free(w);
	else if (error)
		rpc_answer(w->request, 500, 8000, "Internal error", NULL);
	else
		read_policy(w);
}

static struct calls_work *work_new(struct rpc_request *request)
{
	struct calls_work *w = xcalloc(1, sizeof *w);

	w->request = request;
	w->daemon = request->context->daemon;
	w->session = request->session_number;
	request->work = w;
	request->work_free = work_free;
	return w;
}

static void do_read(struct rpc_request *request)
{
	read_policy(work_new(request));
}

static void do_set(struct rpc_request *request)
{
	struct json_object *reject = json_object_object_get(request->p, "reject");
	const char *message = rpc_param_text(request, "message");
	const struct call_policy policy = { .reject = json_object_get_boolean(reject), .message = (char *)(uintptr_t)(message ? message : "") };
	struct calls_work *w;
	struct store_tx *tx;

	if (message && !people_fits(message, MESSAGE_MAX_CHARS)) {
		rpc_answer(request, 400, 2002, "message may have at most 4096 characters", NULL);
		return;
	}
	w = work_new(request);
	tx = store_tx_new(w->daemon->store);
	call_policy_store(tx, w->session, reject ? &policy : NULL);
	w->reading = true;
	async_commit(w->daemon->loop, w->daemon->store, tx, policy_stored, w);
}

/* ---- refusing one ---- */

static void was_refused(struct ask_job *ask)
{
	struct profile_job *job = (struct profile_job *)ask;
	struct buf result = { 0 };

	if (ask->code) {
		people_refuse(ask->arg, ask->code, "Failed to reject call");
	} else {
		people_open(&result, ask->arg, &ask->own_pn);
		json_put_member(&result, "callId", job->text);
		people_put_jid(&result, "from", &job->people[0].jid);
		buf_u8(&result, '}');
		rpc_answer(ask->arg, 200, 1000, "Call rejected", buf_text(&result));
	}
	buf_free(&result);
	profile_job_free(job);
}

static void do_reject(struct rpc_request *request)
{
	const char *id = rpc_param_text(request, "callId");
	struct profile_job *job;
	struct jid from;

	if (strlen(id) > CALL_ID_MAX_BYTES) {
		rpc_answer(request, 400, 2002, "callId is invalid", NULL);
		return;
	}
	if (jid_parse_text(&from, rpc_param_text(request, "from")) || !jid_is_person(&from)) {
		rpc_answer(request, 400, 2002, "from is invalid", NULL);
		return;
	}
	job = profile_job_new(PROFILE_REJECT, 1);
	job->text = xstrdup(id);
	job->people[0].jid = from;
	if (!people_ask(request, &job->ask, was_refused))
		profile_job_free(job);
}

const struct rpc_method rpc_calls_methods[] = {
	{ "profile.calls", do_read },
	{ "profile.calls.set", do_set },
	{ "profile.calls.reject", do_reject },
	{ NULL, NULL },
};
