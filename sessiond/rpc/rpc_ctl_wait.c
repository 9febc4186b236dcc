/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ctl.session.wait {id, until, ms}: answers as soon as a session's view is as wished, so that tools and tests need not ask again and again. */
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/rpc/ctl.h"
#include "sessiond/session/session.h"

enum { MAX_WAIT_MS = 10 * 60 * 1000 };

struct waiting {
	struct rpc_request *request;
	struct session_watch watch;
	struct timer timer;
	char *last_qr; /* owned: "new_qr" waits for another one */
};

static void waiting_free(void *arg)
{
	struct waiting *w = arg;

	sessions_unwatch(&w->watch);
	timer_stop(w->request->context->daemon->timers, &w->timer);
	free(w->last_qr);
	free(w);
}

/* Open, or not before somebody does something about it. */
static bool is_settled(const struct session_view *view)
{
	return view->status == SESSION_OPEN || view->status == SESSION_LOGGED_OUT || view->status == SESSION_REPLACED || view->status == SESSION_BANNED || view->qr;
}

/* until: a status name, "settled", "qr", "new_qr", "pair_code", "passkey", "passkey_code", "gone". */
static bool is_there(const struct waiting *w, const struct session_entry *entry)
{
	const char *until = rpc_param_text(w->request, "until");
	const struct session_view *view = &entry->view;

	if (strcmp(until, "qr") == 0)
		return view->qr != NULL;
	if (strcmp(until, "settled") == 0)
		return is_settled(view);
	if (strcmp(until, "new_qr") == 0)
		return view->qr && (!w->last_qr || strcmp(view->qr, w->last_qr) != 0);
	if (strcmp(until, "pair_code") == 0)
		return view->pair_code[0] != '\0';
	if (strcmp(until, "passkey") == 0)
		return view->passkey == PASSKEY_REQUESTED;
	if (strcmp(until, "passkey_code") == 0)
		return view->passkey == PASSKEY_CODE;
	return strcmp(until, session_status_name(view->status)) == 0;
}

static void answer(struct waiting *w, const struct session_entry *entry)
{
	struct buf out = { 0 };

	ctl_put_session(&out, entry);
	rpc_answer(w->request, 200, 1000, "Session", buf_text(&out));
	buf_free(&out);
}

static void changed(void *arg, struct session_entry *entry)
{
	struct waiting *w = arg;

	if (!entry)
		rpc_answer(w->request, strcmp(rpc_param_text(w->request, "until"), "gone") == 0 ? 200 : 404, 1101, "Session not found", NULL);
	else if (is_there(w, entry))
		answer(w, entry);
}

static void over(void *arg)
{
	struct waiting *w = arg;
	struct session_entry *entry = sessions_find(w->request->context->daemon->sessions, w->request->session_id);
	struct buf out = { 0 };

	if (entry)
		ctl_put_session(&out, entry);
	rpc_answer(w->request, 504, 8002, "Operation timed out", entry ? buf_text(&out) : NULL);
	buf_free(&out);
}

void ctl_session_wait(struct rpc_request *request)
{
	int64_t ms = json_object_get_int64(json_object_object_get(request->p, "ms"));
	struct session_entry *entry = ctl_session(request);
	struct waiting *w;

	if (!entry)
		return;
	if (!rpc_param_text(request, "until")) {
		rpc_answer(request, 400, 2001, "until is required", NULL);
		return;
	}
	w = xcalloc(1, sizeof *w);
	w->request = request;
	w->last_qr = entry->view.qr ? xstrdup(entry->view.qr) : NULL;
	request->work = w;
	request->work_free = waiting_free;
	if (is_there(w, entry)) {
		answer(w, entry);
		return;
	}
	sessions_watch(entry, &w->watch, changed, w);
	timer_start(request->context->daemon->timers, &w->timer, timefmt_monotonic_ms() + (ms > 0 && ms < MAX_WAIT_MS ? ms : MAX_WAIT_MS), over, w);
}
