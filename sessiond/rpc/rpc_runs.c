/* SPDX-License-Identifier: GPL-3.0-or-later */
/* session.actions: what receivers answered that the account shall do, and how that went. Our own addition to the contract. */
#include <stdlib.h>

#include "common/mem.h"
#include "sessiond/actions/actions.h"
#include "sessiond/async.h"
#include "sessiond/json_text.h"
#include "sessiond/rpc/request.h"
#include "sessiond/session/session.h"

enum { LIMIT_DEFAULT = 50, LIMIT_MAX = 200 };

struct runs {
	struct rpc_request *request;
	int64_t session, before;
	int state;
	size_t limit;
	struct arena arena;
	struct store_action_run *rows;
	size_t n;
	int error;
};

static void runs_free(void *arg)
{
	struct runs *runs = arg;

	arena_free(&runs->arena);
	free(runs);
}

static void read_runs(struct store_reader *reader, void *arg)
{
	struct runs *runs = arg;

	runs->error = store_action_run_list(reader, &runs->arena, runs->session, runs->before, runs->state, runs->limit + 1, &runs->rows, &runs->n);
}

static void tell(void *arg)
{
	struct runs *runs = arg;
	size_t n = runs->n > runs->limit ? runs->limit : runs->n;
	struct buf result = { 0 };

	if (runs->error) {
		rpc_answer(runs->request, 500, 8003, "Database error", NULL);
		return;
	}
	buf_u8(&result, '{');
	json_put_member(&result, "sessionId", runs->request->session_id);
	json_put_name(&result, "items");
	buf_u8(&result, '[');
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_u8(&result, ',');
		actions_put_run(&result, &runs->rows[i]);
	}
	buf_u8(&result, ']');
	json_put_name(&result, "next");
	if (runs->n > n)
		buf_printf(&result, "%lld", (long long)runs->rows[n - 1].number);
	else
		buf_append_text(&result, "null");
	buf_u8(&result, '}');
	rpc_answer(runs->request, 200, 1000, "Actions", buf_text(&result));
	buf_free(&result);
}

static void do_list(struct rpc_request *request)
{
	const struct daemon *daemon = request->context->daemon;
	struct session_entry *entry = rpc_session(request);
	const char *state = rpc_param_text(request, "state");
	struct runs *runs;

	if (!entry)
		return;
	runs = xcalloc(1, sizeof *runs);
	arena_init(&runs->arena, 0);
	runs->request = request;
	runs->session = entry->number;
	runs->before = (int64_t)json_object_get_double(json_object_object_get(request->p, "before"));
	runs->limit = (size_t)json_object_get_double(json_object_object_get(request->p, "limit"));
	runs->limit = runs->limit < 1 ? LIMIT_DEFAULT : runs->limit > LIMIT_MAX ? LIMIT_MAX : runs->limit;
	runs->state = state && state[0] ? actions_state(state) : -1;
	request->work = runs;
	request->work_free = runs_free;
	async_read(daemon->loop, daemon->store, read_runs, tell, runs);
}

const struct rpc_method rpc_run_methods[] = {
	{ "session.actions", do_list },
	{ NULL, NULL },
};
