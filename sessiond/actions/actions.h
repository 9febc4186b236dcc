/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sessiond/actions: what receivers answer, done by the account (webhooks.md 8).
 *
 *     webhook's 2xx answer --> plan.c: limits, templates --> row (committed before the receiver's cursor) --> run.c --> act.c --> call.h
 *                                                                |                                             |
 *                                       (session, event, receiver) is unique                      outcomes journalled per action
 *
 * A large answer is stored as it came and read on a thread of the store (accept.h).
 *
 * An event that is delivered twice meets its row and is not done again. A daemon that dies in the middle goes on with the first action
 * that has no outcome; what that action sends carries a key made of the event and the action's place, so it is sent once (call.h).
 * Answers about one chat are done one after the other, different chats side by side. A session that is away is waited for.
 *
 * When an answer is done with, the journal gets an event "actions_done" (opt-in for webhooks; answers to it are not listened to).
 *
 * Includes store/, session/session.h, webhook/webhook.h, crypto/, common/; asks for work through sessiond/call.h. Main loop.
 */
#ifndef SESSIOND_ACTIONS_H
#define SESSIOND_ACTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "sessiond/store/actionruns.h"
#include "sessiond/webhook/webhook.h"

struct actions;
struct daemon;

/* daemon->actions is the caller's to set. */
struct actions *actions_new(struct daemon *daemon);
/* The list of sessions is whole: goes on with what is stored. */
void actions_start(struct actions *actions);
/* Begins nothing new and forgets the answers of what is under way: the next start goes on. Before calls are refused. */
void actions_stop(struct actions *actions);
/* After the loop and the store. NULLs the pointer; NULL is fine. */
void actions_free(struct actions **actions);

/* webhook_options.answered; ctx is the daemon. */
void actions_answered(void *ctx, const struct webhook_said *said);

/* Appends a row as the API shows it. Any thread. */
void actions_put_run(struct buf *out, const struct store_action_run *run);
/* "pending", "done", ...; -1 for a word that is none. */
int actions_state(const char *word);

#endif
