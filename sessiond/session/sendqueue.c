/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See sendqueue.h. */
#include "sessiond/session/sendqueue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sessiond/bytemap.h"

enum { MAX_CHATS = 1 << 20 };

/* Of one chat, while something waits for it. */
struct chat {
	size_t waiting; /* in the lanes and held */
	size_t held;
	enum send_hold hold; /* of the first one that was held */
	int64_t until_ms;
};

/* ---- lists ---- */

void queue_list_append(struct queue_list *list, struct queue_node *node)
{
	node->in = list;
	node->next = NULL;
	node->prev = list->last;
	if (list->last)
		list->last->next = node;
	else
		list->first = node;
	list->last = node;
	list->n++;
}

/* Nearly always the new one is the last. */
void queue_list_insert(struct queue_list *list, struct queue_node *node)
{
	struct queue_node *before = list->last;

	while (before && before->number > node->number)
		before = before->prev;
	node->in = list;
	node->prev = before;
	node->next = before ? before->next : list->first;
	if (node->next)
		node->next->prev = node;
	else
		list->last = node;
	if (before)
		before->next = node;
	else
		list->first = node;
	list->n++;
}

void queue_list_unlink(struct queue_node *node)
{
	struct queue_list *list = node->in;

	if (!list)
		return;
	if (node->prev)
		node->prev->next = node->next;
	else
		list->first = node->next;
	if (node->next)
		node->next->prev = node->prev;
	else
		list->last = node->prev;
	list->n--;
	node->next = node->prev = NULL;
	node->in = NULL;
}

/* ---- chats ---- */

static struct chat *chat_of(const struct send_queue *queue, const struct queue_node *node)
{
	char name[JID_TEXT_MAX];

	jid_format(&node->chat, name, sizeof name);
	return queue->chats ? bytemap_get(queue->chats, name, strlen(name)) : NULL;
}

static struct chat *chat_make(struct send_queue *queue, const struct queue_node *node)
{
	char name[JID_TEXT_MAX];
	struct chat *chat;

	if (!queue->chats)
		queue->chats = bytemap_new(sizeof(struct chat), MAX_CHATS);
	jid_format(&node->chat, name, sizeof name);
	chat = queue->chats ? bytemap_put(queue->chats, name, strlen(name)) : NULL;
	if (!chat)
		abort();
	return chat;
}

static void chat_drop(struct send_queue *queue, const struct queue_node *node)
{
	char name[JID_TEXT_MAX];

	jid_format(&node->chat, name, sizeof name);
	bytemap_remove(queue->chats, name, strlen(name));
}

/* ---- the queue ---- */

void send_queue_free(struct send_queue *queue)
{
	bytemap_free(queue->chats);
	*queue = (struct send_queue){ 0 };
}

static size_t lane_of(enum send_priority priority)
{
	static const size_t lanes[SEND_PRIORITIES] = { [SEND_HIGH] = 0, [SEND_NORMAL] = 1, [SEND_LOW] = 2 };

	return lanes[priority < SEND_PRIORITIES ? priority : SEND_NORMAL];
}

/* Older ones to the same chat go before it. */
static void take_along(struct send_queue *queue, const struct queue_node *node, size_t lane)
{
	struct queue_node *next;

	for (size_t i = lane + 1; i < SEND_PRIORITIES; i++) {
		for (struct queue_node *n = queue->lanes[i].first; n && n->number < node->number; n = next) {
			next = n->next;
			if (!jid_same_user(&n->chat, &node->chat))
				continue;
			queue_list_unlink(n);
			queue_list_insert(&queue->lanes[lane], n);
		}
	}
}

/* others: how many of its chat are in the lanes. */
static void put_in_lane(struct send_queue *queue, struct queue_node *node, size_t others)
{
	size_t lane = lane_of(node->priority);

	node->hold = HOLD_NONE;
	node->hold_until_ms = 0;
	if (others)
		take_along(queue, node, lane);
	queue_list_insert(&queue->lanes[lane], node);
}

void send_queue_add(struct send_queue *queue, struct queue_node *node)
{
	struct chat *chat = chat_make(queue, node);

	put_in_lane(queue, node, chat->waiting++ - chat->held);
}

bool send_queue_has(const struct send_queue *queue, const struct queue_node *node)
{
	return node->in && (node->in == &queue->held || (node->in >= queue->lanes && node->in < queue->lanes + SEND_PRIORITIES));
}

void send_queue_remove(struct send_queue *queue, struct queue_node *node)
{
	struct chat *chat = chat_of(queue, node);

	if (!send_queue_has(queue, node) || !chat)
		return;
	chat->held -= node->in == &queue->held;
	queue_list_unlink(node);
	if (--chat->waiting == 0)
		chat_drop(queue, node);
}

size_t send_queue_count(const struct send_queue *queue)
{
	size_t n = queue->held.n;

	for (size_t i = 0; i < SEND_PRIORITIES; i++)
		n += queue->lanes[i].n;
	return n;
}

size_t send_queue_ahead(const struct send_queue *queue, const struct queue_node *node, size_t most)
{
	size_t n = 0;

	for (size_t i = 0; i < SEND_PRIORITIES && node->in != &queue->lanes[i]; i++)
		n += queue->lanes[i].n;
	if (!node->next && node->in)
		n += node->in->n - 1;
	for (const struct queue_node *before = node->next ? node->prev : NULL; before && n < most; before = before->prev)
		n++;
	return n < most ? n : most;
}

static void hold(struct send_queue *queue, const struct queue_judge *judge, struct queue_node *node, struct chat *chat)
{
	queue_list_unlink(node);
	queue_list_append(&queue->held, node);
	chat->held++;
	if (node->hold_until_ms > 0 && (queue->release_ms == 0 || node->hold_until_ms < queue->release_ms))
		queue->release_ms = node->hold_until_ms;
	if (judge->held)
		judge->held(judge->arg, node);
}

/* True: it may leave. */
static bool passes(struct send_queue *queue, const struct queue_judge *judge, struct queue_node *node)
{
	struct chat *chat = chat_of(queue, node);

	if (!chat)
		return true;
	if (chat->held) {
		node->hold = chat->hold;
		node->hold_until_ms = chat->until_ms;
	} else {
		node->hold_until_ms = 0;
		node->hold = judge->judge(judge->arg, node, &node->hold_until_ms);
		chat->hold = node->hold;
		chat->until_ms = node->hold_until_ms;
	}
	if (node->hold == HOLD_NONE)
		return true;
	hold(queue, judge, node, chat);
	return false;
}

struct queue_node *send_queue_next(struct send_queue *queue, const struct queue_judge *judge)
{
	for (size_t i = 0; i < SEND_PRIORITIES; i++) {
		while (queue->lanes[i].first) {
			struct queue_node *node = queue->lanes[i].first;

			if (passes(queue, judge, node))
				return node;
		}
	}
	return NULL;
}

void send_queue_release(struct send_queue *queue)
{
	queue->release_ms = 0;
	while (queue->held.first) {
		struct queue_node *node = queue->held.first;
		struct chat *chat = chat_make(queue, node);

		queue_list_unlink(node);
		chat->held--;
		put_in_lane(queue, node, chat->waiting - chat->held - 1);
	}
}

void send_queue_each(const struct send_queue *queue, void (*visit)(void *arg, const struct queue_node *node), void *arg)
{
	for (size_t i = 0; i < SEND_PRIORITIES; i++) {
		for (const struct queue_node *n = queue->lanes[i].first; n; n = n->next)
			visit(arg, n);
	}
	for (const struct queue_node *n = queue->held.first; n; n = n->next)
		visit(arg, n);
}
