/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Inside the library: the seam between the connection (client.c, login, pairing) and what travels over it (messages, receipts).
 * Private to sessiond/wa.
 */
#ifndef SESSIOND_WA_CLIENT_H
#define SESSIOND_WA_CLIENT_H

#include "sessiond/wa/node.h"
#include "sessiond/wa/wa.h"

/* The stanza is borrowed: it lives until the handler calls wa_stanza_done() (at once or later). */
struct wa_stanza;

/* Handlers by tag, in one table in client.c. A handler must end in wa_stanza_done() exactly once; until then the next stanza of the
 * same ordered queue waits (iq results and acks overtake). */
typedef void wa_stanza_handler(struct wa_client *client, struct wa_stanza *stanza);
const struct wa_node *wa_stanza_node(const struct wa_stanza *stanza);
struct arena *wa_stanza_arena(struct wa_stanza *stanza);
void wa_stanza_done(struct wa_client *client, struct wa_stanza *stanza);

/* Writes a stanza to the wire (encrypts, frames). False if there is no open connection. */
bool wa_client_write(struct wa_client *client, const struct wa_node *node);
bool wa_client_write_bytes(struct wa_client *client, struct span encoded_node);

/* Answers of IQs. node NULL: timed out or connection lost. Borrowed for the call. */
typedef void wa_iq_done(struct wa_client *client, const struct wa_node *answer, void *arg);
/* Sends <iq id=... to=S type=...>; node is an iq without id. done is called exactly once, never before this returns. */
void wa_client_iq(struct wa_client *client, struct arena *a, struct wa_node *iq, wa_iq_done *done, void *arg);
/* True for type="result"; otherwise fills code and text of the <error> child (code 0 if none). */
bool wa_iq_ok(const struct wa_node *answer, int *code, const char **text);
struct wa_node *wa_iq_new(struct arena *a, const char *type, const char *xmlns);

/* Acks owed to the server, see protocol notes in ack.c: class = tag, to = from, participant/recipient/type copied. error 0: none. */
void wa_client_ack(struct wa_client *client, const struct wa_node *stanza, int error);

const struct wa_host *wa_client_host(const struct wa_client *client);
void *wa_client_host_ctx(const struct wa_client *client);
/* Own JIDs; server JID_SERVER_NONE before pairing. */
const struct jid *wa_client_own_pn(const struct wa_client *client);
const struct jid *wa_client_own_lid(const struct wa_client *client);

#endif
