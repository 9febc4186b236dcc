/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * server.alive, server.readiness: for load balancers and service managers, without a key. Ready is who can take a message and keep it: the
 * database stores, it can be read, and the event journal is within its bound. That it stores is known from a commit that is recent and
 * good; without one a commit is tried, and all who ask meanwhile share it.
 */
#include <stdlib.h>

#include "common/mem.h"
#include "sessiond/async.h"
#include "sessiond/json_text.h"
#include "sessiond/rpc/request.h"

enum {
	FRESH_MS = 2000,      /* a commit that young says enough */
	JOURNAL_PERCENT = 110 /* the keeper trims at 100 */
};

struct readiness {
	struct rpc_request *request; /* borrowed */
	int stored, read;            /* errors of the store */
};

static void put_reason(struct buf *reasons, const char *what, const char *error)
{
	if (reasons->len)
		buf_u8(reasons, ',');
	buf_printf(reasons, "\"%s%s%s\"", what, error ? ": " : "", error ? error : "");
}

static void answer(struct readiness *r)
{
	struct rpc_request *request = r->request;
	const struct daemon *daemon = request->context->daemon;
	int64_t bound = daemon->config->journal_max_mb * 1048576;
	struct buf reasons = { 0 }, out = { 0 };
	struct store_status store;
	bool ready;

	store_status(daemon->store, &store);
	if (r->stored)
		put_reason(&reasons, "the database does not store", store_error_name(r->stored));
	if (r->read)
		put_reason(&reasons, "the database cannot be read", store_error_name(r->read));
	if (store.journal_bytes > bound / 100 * JOURNAL_PERCENT)
		put_reason(&reasons, "the event journal is over its bound", NULL);
	ready = reasons.len == 0;
	buf_u8(&out, '{');
	json_put_bool(&out, "ready", ready);
	json_put_name(&out, "reasons");
	buf_u8(&out, '[');
	buf_append_span(&out, buf_span(&reasons));
	buf_u8(&out, ']');
	json_put_int(&out, "schema", store.schema);
	json_put_int(&out, "lastStored", store.stored_ms);
	buf_u8(&out, '}');
	rpc_header(request, "Cache-Control", "no-store");
	rpc_answer_bare(request, ready ? 200 : 503, buf_text(&out), NULL);
	buf_free(&reasons);
	buf_free(&out);
}

static void read_something(struct store_reader *reader, void *arg)
{
	struct readiness *r = arg;
	struct arena arena;
	const char *value = NULL;

	arena_init(&arena, 0);
	r->read = store_setting_get(reader, &arena, "health.tried", &value);
	arena_free(&arena);
	if (r->read == STORE_NOT_FOUND)
		r->read = STORE_OK;
}

static void was_read(void *arg)
{
	answer(arg);
}

static void read_now(struct readiness *r)
{
	struct daemon *daemon = r->request->context->daemon;

	async_read(daemon->loop, daemon->store, read_something, was_read, r);
}

static void do_readiness(struct rpc_request *request);

/* The one commit is over: everybody who waits for it goes on. */
static void tried(void *arg, int error)
{
	struct rpc_context *context = arg;

	context->health_trying = false;
	for (struct rpc_request *request = context->requests; request; request = request->next) {
		struct readiness *r = request->work;

		if (request->method->work != do_readiness || r->stored != STORE_PENDING)
			continue;
		r->stored = error;
		read_now(r);
	}
}

static void try_commit(struct rpc_context *context)
{
	struct store_tx *tx;

	if (context->health_trying)
		return;
	context->health_trying = true;
	tx = store_tx_new(context->daemon->store);
	store_tx_setting_put(tx, "health.tried", "1");
	async_commit(context->daemon->loop, context->daemon->store, tx, tried, context);
}

static void do_readiness(struct rpc_request *request)
{
	struct rpc_context *context = request->context;
	struct readiness *r = xcalloc(1, sizeof *r);
	struct store_status store;

	r->request = request;
	request->work = r;
	request->work_free = free;
	store_status(context->daemon->store, &store);
	if (store.last_error == 0 && timefmt_now_ms() - store.stored_ms < FRESH_MS && timefmt_now_ms() >= store.stored_ms) {
		read_now(r);
		return;
	}
	r->stored = STORE_PENDING;
	try_commit(context);
}

/* Who gets this answer has seen responder, socket and main loop at work. */
static void do_alive(struct rpc_request *request)
{
	rpc_header(request, "Cache-Control", "no-store");
	rpc_answer_bare(request, 200, "{\"alive\":true}", NULL);
}

const struct rpc_method rpc_health_methods[] = {
	{ "server.alive", do_alive },
	{ "server.readiness", do_readiness },
	{ NULL, NULL },
};
