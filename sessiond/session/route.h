/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a message's way needs beside its recipient: the audience of a status, the file and the post of a channel. Kept with the outbox row
 * (store_outbox.info), beside what rebuilds the answer, so that it survives a crash:
 *
 *     {"items":..,"label":..,                                      the answer's (sessiond/rpc/send.h), last row of a request only
 *      "route":{"audience":"1@lid 2@lid","first":17,"chunk":0,"chunks":3,"wire":"3EB0..","post":12,"handle":"..","priority":1,"source":2}}
 *
 * A status for many goes out in chunks, which are one message to whoever sees it: they have one message id (as evolution-api sends them). Each
 * is a row, with numbers one behind the other from `first` on. The rows of all but the first are named after the id and their number, and
 * have the id as "wire":
 *
 *     3EB0AB    3EB0AB/1    3EB0AB/2
 *
 * Receipts name the id: they are counted at the first row.
 */
#ifndef SESSIOND_SESSION_ROUTE_H
#define SESSIOND_SESSION_ROUTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/jid.h"
#include "sessiond/session/session.h"

struct send_route {
	struct jid *audience;      /* owned, n of them; of a status: who sees it */
	size_t naudience;
	int64_t first;             /* of a status: row of the first chunk */
	size_t chunk, chunks;      /* which one this is, of how many; chunks 0: no status */
	char *wire_id;             /* owned, may be NULL: id on the wire where it is not the row's (edits and deletions in channels, chunks) */
	char *media_handle;        /* owned, may be NULL */
	int64_t server_id;         /* of the post in a channel, 0: none */
	enum send_priority priority;
	enum send_source source;
};

/* The id of the message that a row is of. Borrowed from either. */
const char *route_message_id(const struct send_route *route, const char *row_id);
/* True if there is nothing in it. */
bool route_is_empty(const struct send_route *route);
void route_free(struct send_route *route);
/* The text that a row keeps: info (a JSON object or NULL) with the route. NULL if there is neither. Owned by the caller. */
char *route_store(const struct send_route *route, const char *info);
/* Takes it out of a row's text again; empty if there is none. */
void route_load(struct send_route *route, const char *info);

#endif
