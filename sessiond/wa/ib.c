/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * <ib>: what the server tells about the connection, and the backlog of stanzas that waited while we were away. The backlog comes in
 * batches that we ask for; the next one is asked for when the last was handled, so no more than one batch is ever in memory.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/limits.h"
#include "sessiond/wa/connection.h"
#include "sessiond/wa/group.h"
#include "sessiond/wa/messaging.h"

#define BATCH_STANZAS 200
/* The server may have sent less than a batch: ask again after a quiet while. */
#define BATCH_QUIET_MS 2000

static void ask_batch(struct wa_client *client, void *arg)
{
	struct backlog *backlog = &client->backlog;
	struct wa_node *ib, *batch;
	struct arena arena;

	(void)arg;
	if (backlog->done)
		return;
	arena_init(&arena, 0);
	ib = wa_node_new(&arena, "ib");
	batch = wa_node_add_new(&arena, ib, "offline_batch");
	wa_node_attr_u64(&arena, batch, "count", BATCH_STANZAS);
	wa_client_write(client, ib);
	arena_free(&arena);
	backlog->asked_at = backlog->handled;
	wa_timer_start(client, &backlog->timer, wa_client_mono_ms(client) + BATCH_QUIET_MS, ask_batch, NULL);
}

void backlog_stanza_done(struct wa_client *client, const struct wa_node *node)
{
	struct backlog *backlog = &client->backlog;

	if (!backlog->announced || backlog->done || wa_node_get(node, "offline") == NULL)
		return;
	backlog->handled++;
	if (backlog->handled - backlog->asked_at >= BATCH_STANZAS)
		ask_batch(client, NULL);
	else
		wa_timer_start(client, &backlog->timer, wa_client_mono_ms(client) + BATCH_QUIET_MS, ask_batch, NULL);
}

void backlog_reset(struct wa_client *client)
{
	wa_timer_stop(client, &client->backlog.timer);
	client->backlog = (struct backlog){ 0 };
}

static void on_offline_preview(struct wa_client *client, const struct wa_node *child)
{
	uint64_t count = 0;

	client->backlog.announced = true;
	if (wa_node_get_u64(child, "count", &count) && count > 0)
		ask_batch(client, NULL);
}

static void on_offline(struct wa_client *client, const struct wa_node *child)
{
	struct wa_event event = { .kind = WA_EVENT_OFFLINE_DONE };
	uint64_t count = 0;

	if (client->backlog.done)
		return;
	wa_timer_stop(client, &client->backlog.timer);
	client->backlog.done = true;
	wa_node_get_u64(child, "count", &count);
	event.number = count <= INT64_MAX ? (int64_t)count : 0;
	wa_client_event(client, &event);
}

static void on_edge_routing(struct wa_client *client, const struct wa_node *child)
{
	struct span info = wa_node_child_content(child, "routing_info");

	if (info.n == 0 || info.n > LIMIT_WA_ROUTING_INFO || span_equal(info, buf_span(&client->creds.routing_info)))
		return;
	buf_clear(&client->creds.routing_info);
	buf_append_span(&client->creds.routing_info, info);
	client_save_creds(client);
}

static void cleaned(struct wa_client *client, const struct wa_node *answer, void *arg)
{
	/* A refused clean only means that the server says so again next time. */
	(void)client;
	(void)answer;
	(void)arg;
}

static void clean(struct wa_client *client, const char *type, uint64_t time)
{
	struct wa_node *iq, *node;
	struct arena arena;

	arena_init(&arena, 0);
	iq = wa_iq_new(&arena, "set", "urn:xmpp:whatsapp:dirty");
	node = wa_node_add_new(&arena, iq, "clean");
	wa_node_attr(&arena, node, "type", type);
	if (time)
		wa_node_attr_u64(&arena, node, "timestamp", time);
	wa_client_iq(client, &arena, iq, cleaned, NULL);
	arena_free(&arena);
}

/* Clean only when the list was read: else the server says so again. */
static void groups_read(struct wa_client *client, bool read, void *arg)
{
	if (read)
		clean(client, "groups", (uint64_t)(uintptr_t)arg);
}

/* The record of one of our own device lists. */
static void forget_devices(struct state_op *op, const struct jid *own)
{
	struct jid bare = jid_bare(own);
	char name[JID_TEXT_MAX];

	if (!jid_is_none(own))
		state_op_delete(op, WA_RECORD_DEVICES, jid_format(&bare, name, sizeof name));
}

static void on_dirty(struct wa_client *client, const struct wa_node *child)
{
	/* App state is not among them: it is clean only after it was fetched (appstate.c). */
	static const char *const cleanable[] = { "account_sync", "groups", "newsletter_metadata" };
	const char *type = wa_node_get_or_empty(child, "type");
	struct state_op op;
	uint64_t time = 0;
	bool known = false;

	if (strcmp(type, "syncd_app_state") == 0) {
		wa_node_get_u64(child, "timestamp", &time);
		wa_appstate_dirty(client, time);
		return;
	}
	for (size_t i = 0; i < sizeof cleanable / sizeof cleanable[0]; i++)
		known = known || strcmp(cleanable[i], type) == 0;
	if (!known)
		return;
	if (strcmp(type, "account_sync") == 0) {
		state_op_init(&op, client->state);
		forget_devices(&op, &client->creds.pn);
		forget_devices(&op, &client->creds.lid);
		state_op_commit(&op, NULL, NULL);
		state_op_end(&op);
	}
	if (strcmp(type, "groups") == 0) {
		wa_node_get_u64(child, "timestamp", &time);
		wa_groups_refresh(client, groups_read, (void *)(uintptr_t)time);
		return;
	}
	wa_node_get_u64(child, "timestamp", &time);
	clean(client, type, time);
}

static void on_downgrade(struct wa_client *client, const struct wa_node *child)
{
	(void)child;
	client_close(client, WA_STOP, CODE_MISMATCH, "the phone has left multi-device");
}

static void on_expiration(struct wa_client *client, const struct wa_node *child)
{
	char text[120];
	uint64_t t = 0;

	wa_node_get_u64(child, "t", &t);
	snprintf(text, sizeof text, "the server will refuse this client version from %" PRIu64 " on (Unix time): set a newer one", t);
	wa_client_warn(client, 405, text);
}

static const struct {
	const char *tag;
	void (*handle)(struct wa_client *client, const struct wa_node *child);
} children[] = {
	{ "offline_preview", on_offline_preview },
	{ "offline", on_offline },
	{ "edge_routing", on_edge_routing },
	{ "dirty", on_dirty },
	{ "downgrade_webclient", on_downgrade },
	{ "client_expiration", on_expiration },
};

void ib_on_ib(struct wa_client *client, struct wa_stanza *stanza)
{
	const struct wa_node *node = wa_stanza_node(stanza);

	/* Only the server speaks this; some of its stanzas carry no sender at all. */
	for (size_t i = 0; i < node->nnodes && (wa_node_get(node, "from") == NULL || wa_node_get_server(node, "from")); i++)
		for (size_t k = 0; k < sizeof children / sizeof children[0]; k++)
			if (strcmp(children[k].tag, node->nodes[i]->tag) == 0)
				children[k].handle(client, node->nodes[i]);
	wa_stanza_done(client, stanza);
}
