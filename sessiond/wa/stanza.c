/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Stanzas that arrive: decoded, given to the handler of their tag at once or in their order, acknowledged.
 *
 *     received -> [ first ... last ] -> current -> done
 *                                         |
 *                                         +-> away (released, or its connection is gone) -> done
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/limits.h"
#include "common/mem.h"
#include "sessiond/wa/connection.h"
#include "sessiond/wa/messaging.h"

/* A turn of the loop gives the queue this much before others get theirs. */
#define TURN_MS 4
#define TURN_STANZAS 64
#define NACK_UNRECOGNIZED 488
/* A spare stanza keeps one block of its arena. */
#define SPARE_MAX 16
#define SPARE_ARENA_MAX 4000

struct wa_stanza {
	struct wa_stanza *next, *prev; /* prev only in the list of those that are away */
	struct arena arena;
	struct wa_node *node; /* of the arena */
	size_t wire_bytes;
	uint32_t generation;  /* of the connection it came on */
	bool queued;
};

static void on_iq(struct wa_client *client, struct wa_stanza *stanza)
{
	const struct wa_node *node = stanza->node;

	if (wa_node_get_is(node, "type", "result") || wa_node_get_is(node, "type", "error"))
		iq_answered(client, node);
	else
		server_iq(client, node);
	wa_stanza_done(client, stanza);
}

static void on_ack(struct wa_client *client, struct wa_stanza *stanza)
{
	if (wa_node_get_is(stanza->node, "class", "message")) {
		wa_on_message_ack(client, stanza);
		return;
	}
	/* What was asked by a call stanza is answered by its ack. */
	if (wa_node_get_is(stanza->node, "class", "call"))
		iq_answered(client, stanza->node);
	wa_stanza_done(client, stanza);
}

/* For what is only acknowledged. */
static void on_acked_only(struct wa_client *client, struct wa_stanza *stanza)
{
	wa_stanza_ack(client, stanza, 0);
	wa_stanza_done(client, stanza);
}

static void on_unknown(struct wa_client *client, struct wa_stanza *stanza)
{
	if (wa_node_get(stanza->node, "id") != NULL && wa_node_get(stanza->node, "from") != NULL)
		wa_stanza_ack(client, stanza, NACK_UNRECOGNIZED);
	wa_stanza_done(client, stanza);
}

struct route {
	const char *tag;
	wa_stanza_handler *handler;
	bool queued;   /* in order with the others */
	bool unlinked; /* also before pairing */
};

static const struct route routes[] = {
	{ "message", wa_on_message, true, false },
	{ "receipt", wa_on_receipt, true, false },
	{ "notification", notification_on_notification, true, true },
	{ "call", wa_on_call, true, false },
	{ "status", on_acked_only, true, false },
	{ "presence", wa_on_presence, true, false },
	{ "chatstate", wa_on_chatstate, true, false },
	{ "ib", ib_on_ib, true, true },
	{ "iq", on_iq, false, true },
	{ "ack", on_ack, false, false },
	{ "success", login_on_success, false, false },
	{ "failure", failure_on_failure, false, true },
	{ "stream:error", failure_on_stream_error, false, true },
	{ "xmlstreamend", failure_on_stream_end, false, true },
};

static const struct route *find_route(const char *tag)
{
	static const struct route unknown = { "", on_unknown, true, false };

	for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++)
		if (strcmp(routes[i].tag, tag) == 0)
			return &routes[i];
	return &unknown;
}

const struct wa_node *wa_stanza_node(const struct wa_stanza *stanza)
{
	return stanza->node;
}

struct arena *wa_stanza_arena(struct wa_stanza *stanza)
{
	return &stanza->arena;
}

bool wa_stanza_live(const struct wa_client *client, const struct wa_stanza *stanza)
{
	return stanza->generation == client->generation && !client->closing;
}

static struct wa_stanza *stanza_new(struct wa_client *client)
{
	struct wa_loop *loop = client->loop;
	struct wa_stanza *stanza = loop->spare;

	if (stanza != NULL) {
		loop->spare = stanza->next;
		loop->nspare--;
		stanza->next = NULL;
	} else {
		stanza = xcalloc(1, sizeof *stanza);
		arena_init(&stanza->arena, 0);
	}
	stanza->generation = client->generation;
	return stanza;
}

static void stanza_free(struct wa_client *client, struct wa_stanza *stanza)
{
	struct wa_loop *loop = client->loop;

	if (loop->nspare == SPARE_MAX || stanza->arena.used > SPARE_ARENA_MAX) {
		arena_free(&stanza->arena);
		free(stanza);
		return;
	}
	arena_reset(&stanza->arena);
	*stanza = (struct wa_stanza){ .next = loop->spare, .arena = stanza->arena };
	loop->spare = stanza;
	loop->nspare++;
}

void stanza_free_spare(struct wa_loop *loop)
{
	while (loop->spare != NULL) {
		struct wa_stanza *stanza = loop->spare;

		loop->spare = stanza->next;
		arena_free(&stanza->arena);
		free(stanza);
	}
	loop->nspare = 0;
}

static void push_away(struct wa_client *client, struct wa_stanza *stanza)
{
	stanza->prev = NULL;
	stanza->next = client->queue.away;
	if (stanza->next != NULL)
		stanza->next->prev = stanza;
	client->queue.away = stanza;
}

static void take_away(struct wa_client *client, struct wa_stanza *stanza)
{
	if (stanza->prev != NULL)
		stanza->prev->next = stanza->next;
	else
		client->queue.away = stanza->next;
	if (stanza->next != NULL)
		stanza->next->prev = stanza->prev;
}

void wa_stanza_release(struct wa_client *client, struct wa_stanza *stanza)
{
	if (client->queue.current != stanza)
		return;
	client->queue.current = NULL;
	push_away(client, stanza);
}

void wa_stanza_done(struct wa_client *client, struct wa_stanza *stanza)
{
	if (client->queue.current == stanza)
		client->queue.current = NULL;
	else
		take_away(client, stanza);
	if (stanza->queued && wa_stanza_live(client, stanza))
		backlog_stanza_done(client, stanza->node);
	stanza_free(client, stanza);
}

static void handle_now(struct wa_client *client, struct wa_stanza *stanza, const struct route *route)
{
	push_away(client, stanza);
	route->handler(client, stanza);
}

static void enqueue(struct wa_client *client, struct wa_stanza *stanza)
{
	struct stanza_queue *queue = &client->queue;

	stanza->queued = true;
	if (queue->last != NULL)
		queue->last->next = stanza;
	else
		queue->first = stanza;
	queue->last = stanza;
	queue->count++;
	queue->bytes += stanza->wire_bytes;
	if (queue->count > LIMIT_WA_QUEUE_STANZAS || queue->bytes > LIMIT_WA_QUEUE_BYTES)
		client_close(client, WA_RECONNECT_BACKOFF, CODE_BAD_SESSION, "too many stanzas wait to be handled");
}

void stanza_received(struct wa_client *client, struct span plain)
{
	struct wa_stanza *stanza = stanza_new(client);
	const struct route *route;
	int error = wa_node_decode(&stanza->arena, plain, &stanza->node);

	if (error != 0) {
		/* Its id is not known, so it cannot be refused; the frames after it are whole. */
		wa_client_warn(client, error, wa_node_error_text(error));
		stanza_free(client, stanza);
		return;
	}
	stanza->wire_bytes = plain.n;
	route = find_route(stanza->node->tag);
	if (client->phase == PHASE_UNLINKED && !route->unlinked)
		stanza_free(client, stanza);
	else if (route->queued)
		enqueue(client, stanza);
	else
		handle_now(client, stanza, route);
}

static struct wa_stanza *dequeue(struct stanza_queue *queue)
{
	struct wa_stanza *stanza = queue->first;

	queue->first = stanza->next;
	if (queue->first == NULL)
		queue->last = NULL;
	queue->count--;
	queue->bytes -= stanza->wire_bytes;
	stanza->next = NULL;
	return stanza;
}

static void next_turn(struct wa_client *client, void *arg)
{
	/* The queue runs when the entry point is left. */
	(void)client;
	(void)arg;
}

void stanza_run_queue(struct wa_client *client)
{
	struct stanza_queue *queue = &client->queue;
	struct wa_stanza *stanza;
	int64_t start_ms = wa_client_mono_ms(client);
	unsigned handled = 0;

	while (queue->current == NULL && queue->first != NULL && !client->closing && !client->stopping) {
		if (++handled > TURN_STANZAS || wa_client_mono_ms(client) - start_ms >= TURN_MS) {
			wa_timer_start(client, &queue->timer, wa_client_mono_ms(client), next_turn, NULL);
			return;
		}
		stanza = dequeue(queue);
		queue->current = stanza;
		find_route(stanza->node->tag)->handler(client, stanza);
	}
}

void stanza_drop_queue(struct wa_client *client)
{
	struct stanza_queue *queue = &client->queue;

	wa_timer_stop(client, &queue->timer);
	while (queue->first != NULL)
		stanza_free(client, dequeue(queue));
	if (queue->current != NULL)
		wa_stanza_release(client, queue->current);
}

void stanza_free_all(struct wa_client *client)
{
	stanza_drop_queue(client);
	while (client->queue.away != NULL) {
		struct wa_stanza *stanza = client->queue.away;

		take_away(client, stanza);
		assert(client->queue.away != stanza);
		stanza_free(client, stanza);
	}
}

/* ---- acks ---- */

void wa_client_ack(struct wa_client *client, const struct wa_node *node, int error)
{
	static const char *const copied[] = { "participant", "recipient", "type" };
	struct wa_node *ack;
	struct arena arena;

	arena_init(&arena, 0);
	ack = wa_node_new(&arena, "ack");
	wa_node_attr(&arena, ack, "class", node->tag);
	wa_node_attr_copy(&arena, ack, "id", node, "id");
	wa_node_attr_copy(&arena, ack, "to", node, "from");
	for (size_t i = 0; i < sizeof copied / sizeof copied[0]; i++)
		wa_node_attr_copy(&arena, ack, copied[i], node, copied[i]);
	if (error != 0)
		wa_node_attr_u64(&arena, ack, "error", (uint64_t)error);
	/* As Baileys 7 and whatsapp-rust do for this class. */
	if (strcmp(node->tag, "message") == 0)
		wa_node_attr_jid(&arena, ack, "from", &client->creds.pn);
	wa_client_write(client, ack);
	arena_free(&arena);
}

void wa_stanza_ack(struct wa_client *client, struct wa_stanza *stanza, int error)
{
	if (wa_stanza_live(client, stanza))
		wa_client_ack(client, stanza->node, error);
}
