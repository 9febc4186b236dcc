/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * proxy.*: administrators look at the proxies to WhatsApp, try one, and give a session its own. Not in the original.
 *
 *     proxy.list            {}
 *     proxy.test            {"proxy"} or {"index"}
 *     proxy.session.get     {"sessionId"}
 *     proxy.session.set     {"sessionId", "proxy"}
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/json_text.h"
#include "sessiond/rpc/request.h"
#include "sessiond/session/proxies.h"

static void answer_buf(struct rpc_request *request, const char *message, struct buf *result)
{
	rpc_answer(request, 200, 1000, message, buf_text(result));
	buf_free(result);
}

static void do_list(struct rpc_request *request)
{
	struct buf result = { 0 };

	proxies_put_json(request->context->daemon->sessions, &result);
	answer_buf(request, "Proxies", &result);
}

/* ---- trying one ---- */

struct trial {
	struct rpc_request *request;
	struct proxy_test *test; /* NULL: over */
};

static void trial_free(void *arg)
{
	struct trial *trial = arg;

	if (trial->test)
		proxies_test_forget(trial->test);
	free(trial);
}

static void tried(void *arg, const struct proxy_test_result *tested)
{
	struct trial *trial = arg;
	struct buf result = { 0 };

	trial->test = NULL;
	buf_u8(&result, '{');
	json_put_bool(&result, "ok", tested->ok);
	json_put_int(&result, "latencyMs", tested->latency_ms);
	if (!tested->ok) {
		json_put_member(&result, "reason", tested->reason);
		if (tested->http_status)
			json_put_int(&result, "httpStatus", tested->http_status);
		json_put_member(&result, "error", tested->error);
	}
	buf_u8(&result, '}');
	answer_buf(trial->request, "Proxy tested", &result);
}

/* The address that is asked for; NULL: the request was answered. */
static const char *asked_for(struct rpc_request *request)
{
	const char *proxy = rpc_param_text(request, "proxy");
	struct json_object *index = json_object_object_get(request->p, "index");
	const char *wrong = proxy ? proxies_check(proxy) : NULL;

	if (!proxy && !index)
		rpc_answer(request, 400, 2001, "proxy or index is required", NULL);
	else if (wrong)
		rpc_answer(request, 400, 2002, wrong, NULL);
	else if (!proxy && !proxies_url(request->context->daemon->sessions, json_object_get_int64(index)))
		rpc_answer(request, 404, 2004, "The pool has no proxy with this index", NULL);
	else
		return proxy ? proxy : proxies_url(request->context->daemon->sessions, json_object_get_int64(index));
	return NULL;
}

static void do_test(struct rpc_request *request)
{
	const char *url = asked_for(request);
	struct trial *trial;
	int error;

	if (!url)
		return;
	trial = xcalloc(1, sizeof *trial);
	trial->request = request;
	request->work = trial;
	request->work_free = trial_free;
	error = proxies_test(request->context->daemon->sessions, strcmp(url, PROXY_DIRECT) == 0 ? "" : url, tried, trial, &trial->test);
	if (error == -EBUSY)
		rpc_answer(request, 429, 2400, "Too many proxies are being tested at the same time", NULL);
	else if (error)
		rpc_answer(request, 400, 2002, "The address of the proxy cannot be used", NULL);
}

/* ---- one session ---- */

/* An administrator's routes: whose session it is does not matter. NULL: the request was answered. */
static struct session_entry *named(struct rpc_request *request)
{
	struct session_entry *entry = sessions_find(request->context->daemon->sessions, rpc_param_text(request, "sessionId"));

	if (!entry)
		rpc_answer(request, 404, 1101, "Session not found", NULL);
	return entry;
}

static void do_get(struct rpc_request *request)
{
	struct session_entry *entry = named(request);
	struct buf result = { 0 };

	if (!entry)
		return;
	proxies_put_session(request->context->daemon->sessions, entry, &result);
	answer_buf(request, "Proxy of the session", &result);
}

static void stored(void *arg, int error)
{
	struct rpc_request *request = arg;
	struct session_entry *entry;
	struct buf result = { 0 };

	if (error) {
		rpc_answer(request, 500, 8000, "The session's row cannot be written", NULL);
		return;
	}
	entry = named(request);
	if (!entry)
		return;
	proxies_put_session(request->context->daemon->sessions, entry, &result);
	answer_buf(request, "Proxy of the session set", &result);
}

static void do_set(struct rpc_request *request)
{
	struct session_entry *entry = named(request);
	const char *proxy, *wrong;

	if (!entry)
		return;
	proxy = rpc_param_text(request, "proxy");
	wrong = proxy ? proxies_check(proxy) : "proxy is required";
	if (wrong)
		rpc_answer(request, 400, proxy ? 2002 : 2001, wrong, NULL);
	else
		proxies_set(request->context->daemon->sessions, entry, proxy, stored, request);
}

const struct rpc_method rpc_proxy_methods[] = {
	{ "proxy.list", do_list },
	{ "proxy.test", do_test },
	{ "proxy.session.get", do_get },
	{ "proxy.session.set", do_set },
	{ NULL, NULL },
};
