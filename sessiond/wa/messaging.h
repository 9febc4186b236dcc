/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Messages and receipts of one client: what client.c creates, tells about the connection, and dispatches stanzas to. Everything runs on
 * the client's loop.
 *
 *     client.c --stanza--> wa_on_*()        message.c, receipt.c, retry.c, notify.c, presence.c
 *     host ------- send -> wa_client_*()    send.c, receipt.c, presence.c
 */
#ifndef WA_MESSAGING_H
#define WA_MESSAGING_H

#include "sessiond/wa/appstate.h"
#include "sessiond/wa/call.h"
#include "sessiond/wa/client.h"
#include "sessiond/wa/signal.h"
#include "sessiond/wa/state.h"

/* client.c's part of life: after the IQ tracker has answered everything with NULL, wa_messaging_free() comes before wa_state_free(). */
struct wa_messaging *wa_messaging_new(struct wa_client *client);
void wa_messaging_free(struct wa_messaging *m);
/* Logged in and ready: what is unacked is written again, what waited starts. */
void wa_messaging_opened(struct wa_messaging *m);
/* The connection is gone. Called after the IQs were answered with NULL. */
void wa_messaging_closed(struct wa_messaging *m);

/* Stanza handlers of client.c's tables. */
wa_stanza_handler wa_on_message;
wa_stanza_handler wa_on_receipt;
wa_stanza_handler wa_on_presence;
wa_stanza_handler wa_on_chatstate;
wa_stanza_handler wa_on_call;
/* <ack class="message">: calls wa_stanza_done() like the others. */
wa_stanza_handler wa_on_message_ack;
/* Notifications; these ack. */
wa_stanza_handler wa_on_identity_change;      /* encrypt with <identity/>, from a user */
wa_stanza_handler wa_on_devices;              /* devices */
wa_stanza_handler wa_on_account_sync_devices; /* account_sync with <devices> */
wa_stanza_handler wa_on_privacy_token;        /* privacy_token */
wa_stanza_handler wa_on_media_retry;          /* mediaretry */
wa_stanza_handler wa_on_server_sync;          /* server_sync: appstate.c */
wa_stanza_handler wa_on_contact_change;       /* picture, status, disappearing_mode, contacts: contactnotify.c */
wa_stanza_handler wa_on_account_sync;         /* account_sync without <devices>: contactnotify.c */

/* ---- among the files of messaging ---- */

struct learn_job;
struct peer_job;
struct group_ask;
struct group_query;
struct group_request;
struct wa_question;
struct send_job;
struct stanza_job;

/* Subscriptions to presence end with the connection; so many are made again. */
enum { PRESENCES_WATCHED = 64 };

struct wa_messaging {
	struct wa_client *client; /* borrowed */
	struct signal_account account;
	bool open;                /* logged in on this connection */
	bool available;           /* presence as we last announced it */
	struct jid watched[PRESENCES_WATCHED]; /* whose presence the host wants to know */
	size_t nwatched;
	bool hides_reading;       /* the account's privacy: nobody is told what it reads; readprivacy.c */
	char *suspect;            /* owned: name of a stanza that crashed the decoder, NULL if none */
	struct send_job *jobs, *last_job; /* owned, oldest first */
	bool starting;                    /* jobs are being started further up the stack */
	struct wa_timer start_timer;
	struct wa_appstate appstate;
	struct peer_job *peers;           /* owned: messages to the own phone that are being made */
	struct learn_job *learns;         /* owned: historywire.c */
	struct stanza_job *stanza_jobs;   /* owned: incoming stanzas under way */
	struct group_ask *group_asks;          /* owned: of the host, groupadmin.c */
	struct group_refresh *group_refresh;   /* owned: grouprefresh.c; NULL: none is under way */
	struct group_query *group_queries;     /* owned: groupquery.c */
	struct group_request *group_requests;  /* owned: of the host, groupquery.c */
	struct wa_question *questions;         /* owned: query.c */
	uint64_t resends[64];             /* retry.c: hashes of what was written on this connection, a ring */
	size_t nresends;
	struct call_memory calls[CALLS_REMEMBERED];
	unsigned next_call;
	unsigned decode_cost;             /* spent since the loop last had its turn */
	struct wa_timer decode_timer;
};

/* A Signal call on this operation with the account's keys as they are now. */
struct signal_call wa_messaging_call(struct wa_messaging *m, struct state_op *op);
/* Own user, bare, in the namespace (PN or LID) of `like`; the PN if there is no LID. */
struct jid wa_messaging_own(const struct wa_messaging *m, const struct jid *like);
bool wa_messaging_is_own(const struct wa_messaging *m, const struct jid *user);
/* Exactly this device, in either namespace. */
bool wa_messaging_is_this_device(const struct wa_messaging *m, const struct jid *device);
/* Own ADVSignedDeviceIdentity as <device-identity>. */
void wa_messaging_add_identity(struct wa_messaging *m, struct arena *a, struct wa_node *parent);
void wa_messaging_add_registration(struct wa_messaging *m, struct arena *a, struct wa_node *parent);

/* send.c */
void wa_send_opened(struct wa_messaging *m);
void wa_send_closed(struct wa_messaging *m);
void wa_send_free(struct wa_messaging *m);
/* presence.c: what was subscribed to on the last connection. */
void wa_presence_opened(struct wa_messaging *m);
/* readprivacy.c: what <privacy> says about read receipts: the answer to a query, or a notification's part. NULL: says nothing. */
void wa_read_privacy(struct wa_messaging *m, const struct wa_node *privacy);
/* peer.c */
void wa_peers_free(struct wa_messaging *m);
/* historywire.c */
void wa_learns_free(struct wa_messaging *m);

#endif
