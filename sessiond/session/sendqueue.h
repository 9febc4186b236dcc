/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The order in which a session's waiting messages leave: by priority, then by age; within a chat always by age.
 *
 *     lanes   high    [ 4 ] [ 9 ]                    the next one is the first of the highest lane that has any
 *             normal  [ 5 ] [ 6 ] ...
 *             low     [ 7 ]
 *     held            [ 1: quiet hours ] [ 2: behind 1, same chat ] ...      asked again when send_queue_release() puts them back
 *
 * A message that is more urgent than older ones to the same chat takes these into its lane. One that is held holds the later ones to
 * its chat. Nodes are part of the caller's items and are not owned. Knows no clock: whoever judges says how long something is held.
 */
#ifndef SESSIOND_SESSION_SENDQUEUE_H
#define SESSIOND_SESSION_SENDQUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/jid.h"
#include "sessiond/session/session.h"

struct bytemap;
struct queue_list;

struct queue_node {
	struct queue_node *next, *prev;
	struct queue_list *in;       /* NULL: in none */
	int64_t number;              /* grows with age's end: the order of rows */
	struct jid chat;             /* bare */
	enum send_priority priority;
	enum send_hold hold;         /* in held: why */
	int64_t hold_until_ms;       /* in held: until when; 0: not known */
};

struct queue_list {
	struct queue_node *first, *last;
	size_t n;
};

struct send_queue {
	struct queue_list lanes[SEND_PRIORITIES]; /* high, normal, low */
	struct queue_list held;
	struct bytemap *chats;       /* owned; chat -> how many wait; NULL: never used */
	int64_t release_ms;          /* the earliest end of what is held; 0: none is known */
};

/* ---- lists of nodes, ordered by number ---- */

void queue_list_insert(struct queue_list *list, struct queue_node *node);
void queue_list_append(struct queue_list *list, struct queue_node *node);
/* From whichever list it is in; nothing if it is in none. Nodes of a send_queue leave by send_queue_remove(). */
void queue_list_unlink(struct queue_node *node);

/* ---- the queue ---- */

void send_queue_free(struct send_queue *queue);
/* number, chat and priority are set. */
void send_queue_add(struct send_queue *queue, struct queue_node *node);
bool send_queue_has(const struct send_queue *queue, const struct queue_node *node);
void send_queue_remove(struct send_queue *queue, struct queue_node *node);
/* Waiting nodes, held ones too. */
size_t send_queue_count(const struct send_queue *queue);
/* How many are in the lanes before a node that is in one of them. At most `most` are counted. */
size_t send_queue_ahead(const struct send_queue *queue, const struct queue_node *node, size_t most);

struct queue_judge {
	/* May it leave? Else why not, and until when (*until_ms, 0: not known). */
	enum send_hold (*judge)(void *arg, struct queue_node *node, int64_t *until_ms);
	/* It is held now. May not touch the queue. NULL: nobody wants to know. */
	void (*held)(void *arg, struct queue_node *node);
	void *arg;
};

/* The next one that may leave; stays in its lane until it is removed. NULL: none. */
struct queue_node *send_queue_next(struct send_queue *queue, const struct queue_judge *judge);
/* What is held is asked again. */
void send_queue_release(struct send_queue *queue);

/* Calls visit for every node. */
void send_queue_each(const struct send_queue *queue, void (*visit)(void *arg, const struct queue_node *node), void *arg);

#endif
