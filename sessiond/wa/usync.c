/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Device queries. */
#include "sessiond/wa/usync.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/mem.h"
#include "sessiond/wa/devices.h"
#include "sessiond/wa/lidmap.h"
#include "sessiond/wa/signal.h"

struct usync_query {
	struct state_op *op; /* borrowed; NULL: cancelled */
	struct jid *users;   /* owned */
	bool *found;         /* owned */
	size_t n;
	int64_t now_ms;
	usync_done *done;
	void *arg;
};

static void query_free(struct usync_query *q)
{
	free(q->users);
	free(q->found);
	free(q);
}

/* ---- taking over an answer ---- */

static void forget_companions(struct state_op *op, const struct jid *user, const struct device_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		struct jid device = wa_device_jid(user, &list->devices[i]);

		if (list->devices[i].id == 0)
			continue;
		wa_signal_delete_session(op, &device);
		wa_signal_delete_identity(op, &device);
	}
}

static void take_list(struct usync_query *q, const struct jid *user, struct device_list *list)
{
	struct device_list old;
	bool known = wa_devices_fetched(q->op, user) && wa_devices_load(q->op, user, &old);

	if (known) {
		if (old.raw_id != 0 && list->raw_id != 0 && old.raw_id != list->raw_id)
			forget_companions(q->op, user, &old);
		else if (list->adv_time != 0 && list->adv_time < old.adv_time)
			*list = old; /* an older list than the one known: keep that, but do not ask again at once */
	}
	if (!known || !wa_devices_same(&old, list))
		state_op_outdate(q->op, WA_RECORD_DEVICES);
	list->fetched_ms = q->now_ms;
	wa_devices_store(q->op, user, list);
}

static void take_user(struct usync_query *q, const struct wa_node *node)
{
	const struct wa_node *lid_node = wa_node_child(node, "lid");
	struct device_list list;
	struct jid user;
	struct jid lid;
	bool have_lid;

	if (!wa_node_is(node, "user") || !wa_node_get_jid(node, "jid", &user))
		return;
	have_lid = lid_node != NULL && wa_node_get_jid(lid_node, "val", &lid) && wa_lidmap_is_lid(&lid);
	if (have_lid && wa_lidmap_is_pn(&user))
		wa_lidmap_learn(q->op, &user, &lid);
	if (!wa_devices_parse(wa_node_child(node, "devices"), &list))
		return;
	take_list(q, &user, &list);
	if (have_lid && wa_lidmap_is_pn(&user))
		take_list(q, &lid, &list);
	for (size_t i = 0; i < q->n; i++)
		if (jid_same_user(&q->users[i], &user))
			q->found[i] = true;
}

static void on_answer(struct wa_client *client, const struct wa_node *answer, void *arg)
{
	struct usync_query *q = arg;
	const struct wa_node *list;
	int code = 0;
	const char *text = NULL;
	int result = USYNC_OK;

	(void)client;
	if (q->op == NULL) {
		query_free(q);
		return;
	}
	if (answer == NULL)
		result = USYNC_NO_ANSWER;
	else if (!wa_iq_ok(answer, &code, &text))
		result = USYNC_REFUSED;
	list = result == USYNC_OK ? wa_node_child(wa_node_child(answer, "usync"), "list") : NULL;
	for (size_t i = 0; list != NULL && i < list->nnodes; i++)
		take_user(q, list->nodes[i]);
	q->done(q->arg, result, q->found, code, text);
	query_free(q);
}

/* ---- asking ---- */

static struct wa_node *build(struct wa_client *client, struct arena *a, const struct jid *users, size_t n, const char *context)
{
	struct wa_node *iq = wa_iq_new(a, "get", "usync");
	struct wa_node *usync = wa_node_add_new(a, iq, "usync");
	struct wa_node *query;
	struct wa_node *list;
	uint32_t random;
	char sid[16];

	wa_client_random(client, &random, sizeof random);
	snprintf(sid, sizeof sid, "%08x", (unsigned)random);
	wa_node_attr(a, usync, "sid", sid);
	wa_node_attr(a, usync, "mode", "query");
	wa_node_attr(a, usync, "context", context);
	wa_node_attr(a, usync, "index", "0");
	wa_node_attr(a, usync, "last", "true");
	query = wa_node_add_new(a, usync, "query");
	wa_node_attr(a, wa_node_add_new(a, query, "devices"), "version", "2");
	wa_node_add_new(a, query, "lid");
	list = wa_node_add_new(a, usync, "list");
	for (size_t i = 0; i < n; i++)
		wa_node_attr_jid(a, wa_node_add_new(a, list, "user"), "jid", &users[i]);
	return iq;
}

struct usync_query *wa_usync_devices(struct wa_client *client, struct state_op *op, const struct jid *users, size_t n,
				     const char *context, usync_done *done, void *arg)
{
	struct usync_query *q = xcalloc(1, sizeof *q);
	struct arena a;

	q->op = op;
	q->users = xcalloc(n + 1, sizeof *q->users);
	q->found = xcalloc(n + 1, sizeof *q->found);
	for (size_t i = 0; i < n; i++)
		q->users[i] = jid_bare(&users[i]);
	q->n = n;
	q->now_ms = wa_client_wall_ms(client);
	q->done = done;
	q->arg = arg;
	arena_init(&a, 0);
	wa_client_iq(client, &a, build(client, &a, q->users, n, context), on_answer, q);
	arena_free(&a);
	return q;
}

void wa_usync_cancel(struct usync_query *query)
{
	if (query != NULL)
		query->op = NULL;
}
