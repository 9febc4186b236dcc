/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Asking the server for the devices (and LIDs) of users. Source: Baileys WAUSync, whatsmeow user.go. */
#ifndef WA_USYNC_H
#define WA_USYNC_H

#include "sessiond/wa/client.h"
#include "sessiond/wa/state.h"

enum usync_result {
	USYNC_OK = 0,
	USYNC_NO_ANSWER = -1, /* timed out, or the connection is gone */
	USYNC_REFUSED = -2    /* the server answered with an error; code and text tell */
};

/* found[i] false: the answer has no usable list for users[i]. Borrowed for the call. code/text only with USYNC_REFUSED. */
typedef void usync_done(void *arg, int result, const bool *found, int code, const char *text);

/*
 * One query for n users. Lists that came, and LIDs, are put into the operation (not committed), under every known form of the user;
 * an account that was registered anew loses the sessions of its companions. The operation must live until done is called, or
 * wa_usync_cancel() must be. done is called exactly once, never before this returns.
 */
struct usync_query;
struct usync_query *wa_usync_devices(struct wa_client *client, struct state_op *op, const struct jid *users, size_t n,
				     const char *context, usync_done *done, void *arg);
/* The answer will be dropped, done is not called. */
void wa_usync_cancel(struct usync_query *query);

#endif
