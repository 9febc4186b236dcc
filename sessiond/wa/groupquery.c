/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Asking the server about a group: one query for all who wait, stored before they are told. */
#include <stdlib.h>

#include "common/mem.h"
#include "sessiond/wa/group.h"
#include "sessiond/wa/job.h"
#include "sessiond/wa/lidmap.h"

#define CODE_STORAGE 500
#define CODE_MALFORMED 502
#define CODE_GONE 503

struct waiter {
	struct waiter *next;
	group_fetched *done;
	void *arg;
};

struct group_query {
	struct group_query *next;
	struct wa_messaging *m; /* borrowed */
	struct jid group;
	struct waiter *waiters; /* owned */
	struct wa_group info;   /* the answer */
	struct state_op op;
};

static void unlink_query(struct group_query *q)
{
	struct group_query **at = &q->m->group_queries;

	while (*at != q)
		at = &(*at)->next;
	*at = q->next;
}

static void query_free(struct group_query *q)
{
	while (q->waiters != NULL) {
		struct waiter *w = q->waiters;

		q->waiters = w->next;
		free(w);
	}
	state_op_end(&q->op);
	wa_group_clear(&q->info);
	free(q);
}

static void finish(struct group_query *q, int code)
{
	struct waiter *waiters = q->waiters;

	q->waiters = NULL;
	unlink_query(q);
	query_free(q);
	while (waiters != NULL) {
		struct waiter *w = waiters;

		waiters = w->next;
		w->done(w->arg, code);
		free(w);
	}
}

static void stored(void *arg, bool ok)
{
	finish(arg, ok ? 0 : CODE_STORAGE);
}

static void names_loaded(void *arg, bool ok)
{
	struct group_query *q = arg;
	struct wa_group old;

	if (!ok) {
		finish(q, CODE_STORAGE);
		return;
	}
	wa_group_learn(&q->op, &q->info);
	/* The same list of members as before: what was derived from it stays right. */
	if (wa_group_load(&q->op, &q->group, &old)) {
		if (old.version != 0 && old.version == q->info.version && old.lid_addressed == q->info.lid_addressed)
			q->info.mark = old.mark;
		else if (q->info.mark <= old.mark)
			q->info.mark = old.mark + 1;
	}
	wa_group_clear(&old);
	wa_group_store(&q->op, &q->info);
	state_op_commit(&q->op, stored, q);
}

static void on_answer(struct wa_client *client, const struct wa_node *answer, void *arg)
{
	struct group_query *q = arg;
	struct state_keys keys = { 0 };
	const char *text;
	int code = 0;

	if (!wa_iq_ok(answer, &code, &text)) {
		finish(q, code != 0 ? code : CODE_STORAGE);
		return;
	}
	if (!wa_group_parse(wa_node_child(answer, "group"), wa_client_wall_ms(client), &q->info) ||
	    !jid_same_user(&q->info.jid, &q->group)) {
		finish(q, CODE_MALFORMED);
		return;
	}
	wa_group_keys(&keys, &q->group);
	wa_group_lid_keys(&keys, &q->info);
	state_op_fetch(&q->op, keys.keys, keys.n, names_loaded, q);
	state_keys_free(&keys);
}

static void ask(struct group_query *q)
{
	struct wa_client *client = q->m->client;
	struct wa_node *iq;
	struct arena a;

	arena_init(&a, 0);
	iq = wa_node_new(&a, "iq");
	wa_node_attr_jid(&a, iq, "to", &q->group);
	wa_node_attr(&a, iq, "type", "get");
	wa_node_attr(&a, iq, "xmlns", "w:g2");
	wa_node_attr(&a, wa_node_add_new(&a, iq, "query"), "request", "interactive");
	wa_client_iq(client, &a, iq, on_answer, q);
	arena_free(&a);
}

void wa_group_fetch(struct wa_messaging *m, const struct jid *group, group_fetched *done, void *arg)
{
	struct group_query *q = m->group_queries;
	struct waiter *w = xcalloc(1, sizeof *w);

	w->done = done;
	w->arg = arg;
	while (q != NULL && !jid_same_user(&q->group, group))
		q = q->next;
	if (q == NULL) {
		q = xcalloc(1, sizeof *q);
		q->m = m;
		q->group = jid_bare(group);
		q->next = m->group_queries;
		m->group_queries = q;
		state_op_init(&q->op, wa_client_state(m->client));
		ask(q);
	}
	w->next = q->waiters;
	q->waiters = w;
}

void wa_group_fetch_cancel(struct wa_messaging *m, void *arg)
{
	for (struct group_query *q = m->group_queries; q != NULL; q = q->next) {
		for (struct waiter **at = &q->waiters; *at != NULL;) {
			struct waiter *w = *at;

			if (w->arg != arg) {
				at = &w->next;
				continue;
			}
			*at = w->next;
			free(w);
		}
	}
}

void wa_group_queries_free(struct wa_messaging *m)
{
	/* The IQs are gone by now (answered with NULL, or dropped unanswered with the client). */
	while (m->group_queries != NULL) {
		struct group_query *q = m->group_queries;

		m->group_queries = q->next;
		query_free(q);
	}
}

/* ---- for the host ---- */

struct group_request {
	struct group_request *next; /* list of the messaging */
	struct wa_messaging *m;
	struct jid group;
	bool fresh;
	struct state_op op;
	struct wa_timer timer;
	wa_group_done *done;
	void *arg;
};

static void request_unlink(struct group_request *r)
{
	struct group_request **at = &r->m->group_requests;

	while (*at != r)
		at = &(*at)->next;
	*at = r->next;
}

/* Out of the list already. */
static void request_tell(struct group_request *r, const struct wa_group *group, int code)
{
	r->done(r->arg, group, code);
	state_op_end(&r->op);
	free(r);
}

static void request_done(struct group_request *r, const struct wa_group *group, int code)
{
	request_unlink(r);
	request_tell(r, group, code);
}

static void request_loaded(void *arg, bool ok);

static void request_load(struct group_request *r)
{
	struct state_keys keys = { 0 };

	wa_group_keys(&keys, &r->group);
	state_op_fetch(&r->op, keys.keys, keys.n, request_loaded, r);
	state_keys_free(&keys);
}

static void request_fetched(void *arg, int code)
{
	struct group_request *r = arg;

	r->fresh = false;
	if (code != 0)
		request_done(r, NULL, code);
	else
		request_load(r);
}

static void request_loaded(void *arg, bool ok)
{
	struct group_request *r = arg;
	struct wa_group group;

	if (!ok) {
		request_done(r, NULL, CODE_STORAGE);
		return;
	}
	if (!r->fresh && wa_group_load(&r->op, &r->group, &group)) {
		request_done(r, &group, 0);
		wa_group_clear(&group);
	} else {
		wa_group_fetch(r->m, &r->group, request_fetched, r);
	}
}

static void request_turn(struct wa_client *client, void *arg)
{
	(void)client;
	request_load(arg);
}

void wa_client_group(struct wa_client *client, const struct jid *group, bool fresh, wa_group_done *done, void *arg)
{
	struct wa_messaging *m = wa_client_messaging(client);
	struct group_request *r = xcalloc(1, sizeof *r);

	r->m = m;
	r->group = jid_bare(group);
	r->fresh = fresh;
	r->done = done;
	r->arg = arg;
	r->next = m->group_requests;
	m->group_requests = r;
	state_op_init(&r->op, wa_client_state(client));
	/* Not inside this call. */
	wa_timer_start(client, &r->timer, wa_client_mono_ms(client), request_turn, r);
}

/* Who asked is told that no answer will come. What the state still brings for them goes nowhere. */
void wa_group_requests_free(struct wa_messaging *m)
{
	while (m->group_requests != NULL) {
		struct group_request *r = m->group_requests;

		m->group_requests = r->next;
		wa_timer_stop(m->client, &r->timer);
		wa_group_fetch_cancel(m, r);
		request_tell(r, NULL, CODE_GONE);
	}
}
