/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Inside the library: the seam between the connection (client.c, login, pairing) and what travels over it (messages, receipts).
 * Private to sessiond/wa. Everything is called on the client's loop.
 *
 * Closing is never immediate: wa_client_close() notes the reason, and the connection is taken down when the library's outermost
 * entry point returns. So no callback runs inside a call that a handler makes.
 */
#ifndef SESSIOND_WA_CLIENT_H
#define SESSIOND_WA_CLIENT_H

#include "sessiond/wa/creds.h"
#include "sessiond/wa/node.h"
#include "sessiond/wa/wa.h"

struct curve_signer;
struct signal_env;
struct state_op;
struct wa_messaging;
struct wa_state;

/* ---- stanzas that arrived ---- */

/* The stanza is borrowed: it lives until the handler calls wa_stanza_done() (at once or later). */
struct wa_stanza;

/*
 * Handlers by tag, in tables of client.c and notification.c. A handler must end in wa_stanza_done() exactly once; until then the next
 * stanza of the same ordered queue waits (iq results and acks overtake).
 */
typedef void wa_stanza_handler(struct wa_client *client, struct wa_stanza *stanza);
const struct wa_node *wa_stanza_node(const struct wa_stanza *stanza);
/* Lives as long as the stanza, without limit: for building answers. */
struct arena *wa_stanza_arena(struct wa_stanza *stanza);
/* False once the connection it came on is gone: the server will send it again, so nothing may be answered. */
bool wa_stanza_live(const struct wa_client *client, const struct wa_stanza *stanza);
void wa_stanza_done(struct wa_client *client, struct wa_stanza *stanza);
/* The next stanza of the queue may start; this one stays borrowed until wa_stanza_done(). Its handler answers for the order then. */
void wa_stanza_release(struct wa_client *client, struct wa_stanza *stanza);

/* The ack owed for a stanza: class = tag; to = from; participant, recipient and type copied. error 0: none. Nothing if not live. */
void wa_stanza_ack(struct wa_client *client, struct wa_stanza *stanza, int error);
/* The same for a node that is known to be of this connection. */
void wa_client_ack(struct wa_client *client, const struct wa_node *stanza, int error);

/* ---- writing ---- */

/* Writes a stanza to the wire (encrypts, frames). False if there is no connection past the handshake. */
bool wa_client_write(struct wa_client *client, const struct wa_node *node);
/* The same for an already encoded stanza (flag byte and node, as wa_node_encode() made it). */
bool wa_client_write_bytes(struct wa_client *client, struct span encoded_node);

/* Answers of IQs. node NULL: timed out or connection lost. Borrowed for the call. */
typedef void wa_iq_done(struct wa_client *client, const struct wa_node *answer, void *arg);
/* Sends <iq id=... to=S type=...>; node is an iq without id. done is called exactly once, never before this returns. */
void wa_client_iq(struct wa_client *client, struct arena *a, struct wa_node *iq, wa_iq_done *done, void *arg);
/* True for type="result"; otherwise fills code and text of the <error> child (code 0 if none, 408 without an answer). */
bool wa_iq_ok(const struct wa_node *answer, int *code, const char **text);
/* <iq to=S type=... xmlns=...> */
struct wa_node *wa_iq_new(struct arena *a, const char *type, const char *xmlns);

/* Notes why the connection ends; the first reason wins. */
void wa_client_close(struct wa_client *client, const struct wa_close *why);
/* A volatile event to the host. */
void wa_client_event(struct wa_client *client, const struct wa_event *event);
/* WA_EVENT_WARNING. */
void wa_client_warn(struct wa_client *client, int code, const char *text);

/* ---- time ---- */

typedef void wa_timer_fn(struct wa_client *client, void *arg);

/* All zero: stopped. Embedded in whoever needs it; stop it before its memory goes. Survives the connection. */
struct wa_timer {
	struct wa_timer *next, *prev; /* list of the client */
	int64_t at_ms;                /* monotonic */
	uint32_t turn;                /* of the client when it was started: fires in a later one */
	wa_timer_fn *fn;              /* NULL: stopped */
	void *arg;
};

/* (Re)starts the timer. A time that has passed fires at the loop's next turn, never inside this call. */
void wa_timer_start(struct wa_client *client, struct wa_timer *timer, int64_t at_ms, wa_timer_fn *fn, void *arg);
void wa_timer_stop(struct wa_client *client, struct wa_timer *timer);
int64_t wa_client_mono_ms(const struct wa_client *client);
int64_t wa_client_wall_ms(const struct wa_client *client);
/* Milliseconds to add to our wall clock to get the server's, as of the last login. */
int64_t wa_client_server_offset_ms(const struct wa_client *client);
void wa_client_random(const struct wa_client *client, void *out, size_t n);

/* Runs work(arg) elsewhere, then done(arg) on this loop, between entry and exit of the library. */
void wa_client_offload(struct wa_client *client, void (*work)(void *arg), void (*done)(void *arg), void *arg);

/* ---- parts ---- */

const struct wa_host *wa_client_host(const struct wa_client *client);
void *wa_client_host_ctx(const struct wa_client *client);
const struct wa_config *wa_client_config(const struct wa_client *client);
struct wa_state *wa_client_state(const struct wa_client *client);
struct wa_messaging *wa_client_messaging(const struct wa_client *client);
/* Of the loop. */
struct signal_env *wa_client_signal(const struct wa_client *client);
struct curve_signer *wa_client_signer(const struct wa_client *client);
/* The device record as it is in memory; valid while the client lives, content only after the first connection was opened. */
const struct wa_creds *wa_client_creds(const struct wa_client *client);
/* Own JIDs; server JID_SERVER_NONE before pairing. */
const struct jid *wa_client_own_pn(const struct wa_client *client);
const struct jid *wa_client_own_lid(const struct wa_client *client);
/* Own push name changed (app state, notification): stored with the operation's next commit, WA_EVENT_PROFILE added. */
void wa_client_set_push_name(struct wa_client *client, struct state_op *op, const char *push_name);
/*
 * One fresh one-time prekey, put into the operation together with the device record: for a retry receipt. It counts as given away,
 * whatever happens then. -1 if OpenSSL failed.
 */
int wa_prekeys_take(struct wa_client *client, struct state_op *op, uint32_t *id, uint8_t public_key[CURVE_KEY_LEN]);

#endif
