/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Calls from inside the daemon: made into the frame that the responder would have written. */
#include "sessiond/rpc/internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/rpc/context.h"
#include "sessiond/session/session.h"

struct internal {
	const struct call_server *server; /* first, see sessiond/call.c */
	struct rpc_context *context;      /* borrowed */
	struct internal *next, *prev;     /* list of the context */
	struct rpc_request *request;      /* borrowed; NULL once answered */
	struct json_object *answer;       /* owned */
	bool only_make;
	struct send_job *job;             /* owned: made, not sent */
	void (*done)(void *arg, const struct call_result *result);
	void *arg;
	struct timer turn;                /* answers in a turn of its own */
};

static void release(struct internal *call)
{
	timer_stop(call->context->daemon->timers, &call->turn);
	if (call->request)
		call->request->internal = NULL;
	json_object_put(call->answer);
	send_job_free(call->job);
	free(call);
}

static void unlink_and_free(struct internal *call)
{
	struct rpc_context *context = call->context;

	if (call->prev)
		call->prev->next = call->next;
	else
		context->internals = call->next;
	if (call->next)
		call->next->prev = call->prev;
	release(call);
}

static const char *text_of(struct json_object *json, const char *name)
{
	struct json_object *value = json_object_object_get(json, name);

	return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;
}

static void hand_over(void *arg)
{
	struct internal *call = arg;
	struct json_object *json = call->answer;
	const char *message = text_of(json, "message");
	const char *bare = text_of(json_object_object_get(json, "bare"), "error");
	const char *wait = text_of(json_object_object_get(json, "headers"), "Retry-After");
	const struct call_result result = {
		.status = json_object_get_int(json_object_object_get(json, "status")),
		.code = json_object_get_int(json_object_object_get(json, "code")),
		.message = message ? message : bare ? bare : "",
		.retry_after_s = wait ? strtoll(wait, NULL, 10) : 0,
		.result = json_object_object_get(json, "result"),
		.failed = json_object_object_get(json, "failed"),
		.json = json,
		.job = call->job,
	};
	void (*done)(void *arg, const struct call_result *result) = call->done;
	void *whom = call->arg;

	call->answer = NULL;
	call->job = NULL;
	unlink_and_free(call);
	done(whom, &result);
	json_object_put(json);
}

void internal_answer(struct internal *call, struct buf *json)
{
	if (call->answer)
		return;
	call->answer = json_tokener_parse(buf_text(json));
	timer_start(call->context->daemon->timers, &call->turn, 0, hand_over, call);
}

bool internal_only_makes(const struct internal *call)
{
	return call && call->only_make;
}

void internal_take_job(struct internal *call, struct send_job *job)
{
	call->job = job;
}

void internal_forget(struct internal *call)
{
	call->request = NULL;
}

/* ---- the request ---- */

static void add_text(struct json_object *object, const char *name, const char *text)
{
	if (text)
		json_object_object_add(object, name, json_object_new_string(text));
}

static struct json_object *frame_of(const struct call_request *asked)
{
	struct json_object *frame = json_object_new_object(), *guards = json_object_new_object();
	struct json_object *session = json_object_new_object(), *idem = json_object_new_object();

	add_text(frame, "m", asked->method);
	add_text(frame, "route", asked->route);
	add_text(guards, "cooldown", asked->cooldown);
	if (asked->quota)
		json_object_object_add(guards, "quota", json_object_new_boolean(true));
	json_object_object_add(frame, "guards", guards);
	add_text(session, "family", asked->family);
	add_text(session, "id", asked->session_id);
	json_object_object_add(frame, "session", session);
	add_text(idem, "key", asked->idempotency);
	json_object_object_add(frame, "idem", idem);
	json_object_object_add(frame, "p", asked->p ? asked->p : json_object_new_object());
	return frame;
}

/* The owner of the session, under the key whose quota counts. */
static void set_caller(struct rpc_request *request, const struct call_request *asked)
{
	struct store_principal *who = &request->caller;

	if (store_key_of_owner(request->context->daemon->store, asked->registry, who)) {
		*who = (struct store_principal){ .key = -asked->session };
		snprintf(who->registry, sizeof who->registry, "%s", asked->registry);
	}
	who->admin = false;
	request->scope = xasprintf("session %" PRId64 " %s", asked->session, asked->route ? asked->route : asked->method);
}

static struct call *start(void *ctx, const struct call_request *asked)
{
	struct rpc_context *context = ctx;
	struct internal *call = xcalloc(1, sizeof *call);
	struct rpc_request *request = xcalloc(1, sizeof *request);

	*call = (struct internal){ .server = context->daemon->calls, .context = context, .next = context->internals, .done = asked->done, .arg = asked->arg,
		.only_make = asked->only_make };
	if (call->next)
		call->next->prev = call;
	context->internals = call;
	request->json = frame_of(asked);
	request->p = json_object_object_get(request->json, "p");
	request->internal = call;
	call->request = request;
	request->source = (enum send_source)asked->source;
	request->context = context;
	for (; request->nfds < asked->nfds && request->nfds < LIMIT_RPC_DESCRIPTORS; request->nfds++)
		request->fds[request->nfds] = asked->fds[request->nfds];
	set_caller(request, asked);
	rpc_request_run(request, asked->session);
	return (struct call *)call;
}

static void cancel(struct call *call)
{
	unlink_and_free((struct internal *)call);
}

void internal_init(struct rpc_context *context)
{
	context->call_server = (struct call_server){ .start = start, .cancel = cancel, .ctx = context };
	context->daemon->calls = &context->call_server;
}

void internal_drop_all(struct rpc_context *context)
{
	struct internal *next;

	for (struct internal *call = context->internals; call; call = next) {
		next = call->next;
		release(call);
	}
	context->internals = NULL;
}
