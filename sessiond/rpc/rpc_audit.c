/* SPDX-License-Identifier: GPL-3.0-or-later */
/* audit.list, ctl.audit.list: pages of the audit log, newest first. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/async.h"
#include "sessiond/json_text.h"
#include "sessiond/rpc/ctl.h"

enum { LIMIT_FALLBACK = 50, LIMIT_MOST = 500 };

struct audit_page {
	struct rpc_request *request;
	struct arena arena;
	struct store_audit_query query;
	struct store_audit *rows;
	size_t n;
	bool more;
	int error;
};

static void page_free(void *arg)
{
	struct audit_page *page = arg;

	arena_free(&page->arena);
	free(page);
}

/* By the class of the status. */
static const struct {
	const char *name;
	int64_t from, to;
} outcomes[] = { { "done", 200, 300 }, { "refused", 400, 500 }, { "failed", 500, 600 } };

enum { OUTCOMES = sizeof outcomes / sizeof *outcomes };

static const char *outcome_of(int status)
{
	for (size_t i = 0; i < OUTCOMES; i++) {
		if (status >= outcomes[i].from && status < outcomes[i].to)
			return outcomes[i].name;
	}
	return "done";
}

static void put_entry(struct buf *out, const struct store_audit *e)
{
	json_put_int(out, "id", e->number);
	json_put_time(out, "time", e->at_ms);
	json_put_member(out, "username", e->username[0] ? e->username : NULL);
	if (e->key > 0)
		json_put_int(out, "keyId", e->key);
	else
		json_put_raw(out, "keyId", "null");
	json_put_member(out, "address", e->address[0] ? e->address : NULL);
	json_put_member(out, "action", e->action);
	json_put_member(out, "target", e->target);
	json_put_member(out, "outcome", outcome_of(e->status));
	json_put_int(out, "status", e->status);
	json_put_member(out, "parameters", e->detail);
}

static void answer_page(void *arg)
{
	struct audit_page *page = arg;
	struct buf out = { 0 };

	if (page->error) {
		rpc_answer(page->request, 500, 8003, store_error_name(page->error), NULL);
		return;
	}
	buf_append_text(&out, "{\"items\":[");
	for (size_t i = 0; i < page->n; i++) {
		buf_append_text(&out, i ? ",{" : "{");
		put_entry(&out, &page->rows[i]);
		buf_u8(&out, '}');
	}
	buf_append_text(&out, "],\"pagination\":{");
	json_put_int(&out, "limit", page->query.limit);
	if (page->more)
		buf_printf(&out, ",\"nextCursor\":\"%" PRId64 "\"}}", page->rows[page->n - 1].number);
	else
		buf_append_text(&out, ",\"nextCursor\":null}}");
	rpc_answer(page->request, 200, 1000, "OK", buf_text(&out));
	buf_free(&out);
}

static void read_page(struct store_reader *reader, void *arg)
{
	struct audit_page *page = arg;

	page->error = store_audit_list(reader, &page->arena, &page->query, &page->rows, &page->n, &page->more);
}

static int64_t number_of(const struct rpc_request *request, const char *name)
{
	return json_object_get_int64(json_object_object_get(request->p, name));
}

/* 0, or -1: the cursor is none. */
static int read_query(const struct rpc_request *request, struct store_audit_query *query)
{
	const char *cursor = rpc_param_text(request, "cursor"), *outcome = rpc_param_text(request, "outcome");
	int64_t limit = number_of(request, "limit");
	char *end = NULL;

	*query = (struct store_audit_query){
		.username = rpc_param_text(request, "username"),
		.action = rpc_param_text(request, "action"),
		.target = rpc_param_text(request, "target"),
		.from_ms = number_of(request, "startTime"),
		.to_ms = number_of(request, "endTime"),
		.limit = limit < 1 ? LIMIT_FALLBACK : limit > LIMIT_MOST ? LIMIT_MOST : limit,
	};
	for (size_t i = 0; outcome && i < OUTCOMES; i++) {
		if (strcmp(outcomes[i].name, outcome) == 0) {
			query->status_from = outcomes[i].from;
			query->status_to = outcomes[i].to;
		}
	}
	if (!cursor)
		return 0;
	query->before = strtoll(cursor, &end, 10);
	return query->before > 0 && *end == '\0' ? 0 : -1;
}

static void do_list(struct rpc_request *request)
{
	const struct daemon *daemon = request->context->daemon;
	struct audit_page *page = xcalloc(1, sizeof *page);

	page->request = request;
	arena_init(&page->arena, 0);
	request->work = page;
	request->work_free = page_free;
	if (read_query(request, &page->query))
		rpc_answer(request, 400, 2002, "cursor is invalid", NULL);
	else
		async_read(daemon->loop, daemon->store, read_page, answer_page, page);
}

void ctl_audit_list(struct rpc_request *request)
{
	do_list(request);
}

const struct rpc_method rpc_audit_methods[] = {
	{ "audit.list", do_list },
	{ NULL, NULL },
};
