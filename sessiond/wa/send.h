/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One outgoing message, from the host's order to the server's ack.
 *
 *     WAITING --open--> PREPARING --stanza built--> COMMITTING --stored--> SENT --ack--> FINISHING --stored--> gone
 *        ^                  |                           |                    |
 *        +--- connection lost, nothing stored yet ------+    written again byte for byte after each reconnect
 *
 * PREPARING: names -> device lists -> sessions (bundles where there is none) -> encryption, sliced so that no turn of the loop takes
 * long. The stanza is stored with the ratchets it used before its first byte leaves.
 */
#ifndef WA_SEND_H
#define WA_SEND_H

#include "sessiond/wa/bundle.h"
#include "sessiond/wa/devices.h"
#include "sessiond/wa/e2e.h"
#include "sessiond/wa/messaging.h"
#include "sessiond/wa/usync.h"

enum send_phase { SEND_WAITING, SEND_PREPARING, SEND_COMMITTING, SEND_SENT, SEND_FINISHING };

struct send_target {
	struct jid wire;    /* in the namespace of the chat */
	struct jid address; /* Signal address: the LID if known */
	struct jid old;     /* where a session may still be: the PN of a LID; server NONE if unknown */
	bool own;           /* another device of this account */
	bool ready;         /* has a session */
	bool dropped;       /* no session could be made */
	bool prekey;        /* encrypted as pkmsg */
	struct buf ciphertext; /* owned */
};

/* A bundle that waits for its turn to become a session. */
struct waiting_bundle {
	struct send_target *target;
	struct signal_bundle bundle;
	struct buf proof; /* owned: device identity of a companion */
};

struct group_send;

struct send_job {
	struct send_job *next;
	struct wa_messaging *m; /* borrowed */
	uint64_t tag;
	char *id;               /* owned */
	struct jid to;          /* as ordered, bare */
	struct jid chat;        /* address on the wire */
	struct jid pn, lid;     /* the recipient in both forms, server NONE if unknown */
	struct buf message;     /* owned: serialized Message; empty for a stanza of an earlier life */
	struct buf stanza;      /* owned: encoded, once it is built */
	enum send_phase phase;
	bool asked_devices;     /* device lists came fresh in this attempt */
	bool fresh_lists;       /* ask for lists although they are known (rebuild after a refusal) */
	bool gave_token;
	unsigned rebuilds, server_errors, unanswered;
	struct state_op op;
	struct usync_query *usync;     /* under way, NULL otherwise */
	struct bundles_query *bundles; /* under way, NULL otherwise */
	struct waiting_bundle *waiting; /* owned */
	size_t nbundles;
	struct send_target *targets;   /* owned */
	size_t ntargets, at;           /* at: next one to encrypt */
	size_t answered;               /* where the search for the next answer's target starts */
	struct jid *audience;          /* owned: of a status */
	size_t naudience;
	char *media_handle;     /* owned, may be NULL: of a file in a channel */
	int64_t server_id;      /* of the post in a channel that this is about; 0: none */
	bool fresh_group;              /* ask for the group although it is known (rebuild after a refusal) */
	struct group_send *group;      /* owned: of a message to a group or to the status, while it is prepared */
	struct buf own_message;        /* owned: the envelope for own devices */
	struct wa_timer timer;
	bool gave_keys;                /* the stanza brings our sender key to devices that count as having it */
	char hash_sent[DEVICES_HASH_MAX]; /* over the devices of the stanza */
	char hash_all[DEVICES_HASH_MAX];  /* over them and this device */
};

/* Starts PREPARING; sendprepare.c. Ends in wa_send_built() or wa_send_fail(), or is undone by wa_send_unprepare(). */
void wa_send_prepare(struct send_job *job);
/* Drops what an attempt has gathered; the job can be prepared again. */
void wa_send_unprepare(struct send_job *job);
/* A storage failure, or the job is not being prepared any more: the callback has nothing to do. */
bool wa_send_lost(const struct send_job *job, bool ok);
/* True if the list of the user is stored and young enough. The record must have been fetched. */
bool wa_send_list_is_usable(struct send_job *job, const struct jid *user, struct device_list *list);
/* Brings sessions with all targets into being, then wa_send_encrypt(); sendsessions.c. */
void wa_send_sessions(struct send_job *job);
void wa_send_set_old_address(struct send_target *t, const struct jid *pn);

/* sendgroup.c: groups and status. wa_send_group_build() is the last step, after the key was encrypted for all targets. */
void wa_send_prepare_group(struct send_job *job);
void wa_send_group_build(struct send_job *job);
void wa_send_group_free(struct send_job *job);
/* What a target gets: the distribution message of the key. */
struct span wa_send_group_message(const struct send_job *job);
/* The server's hash is another one, or it refused the stanza: what is known of the group is not right. */
void wa_send_group_stale(struct send_job *job);
/* sendchannel.c */
void wa_send_to_channel(struct send_job *job);

/* Encrypts for all targets and builds the stanza; sendbuild.c. */
void wa_send_encrypt(struct send_job *job);
/* Between two turns of work on many targets: stores what was changed so far, now and then. */
void wa_send_store_piece(struct send_job *job, size_t done);
/* The <enc> of a target. */
void wa_send_add_enc(struct arena *a, struct wa_node *to, const struct send_target *t, const struct e2e_attributes *attributes);
/* The stanza is in job->stanza, the operation holds what it used: store, then write. */
void wa_send_built(struct send_job *job);
/* Nothing will be sent any more: WA_EVENT_SEND_FAILED. */
void wa_send_fail(struct send_job *job, int code, const char *text);
/*
 * A query that this attempt needs got no answer, or one that says nothing about the recipient (code 408, 429, 5xx): the message stays in
 * the queue. On a lost connection it starts anew after the next login, else after a pause; code and text are told if that is in vain.
 */
void wa_send_unanswered(struct send_job *job, int code, const char *text);
/* Undoes the preparation and starts it anew at the loop's next turn. */
void wa_send_restart(struct send_job *job);
/* True for codes of that kind. */
bool wa_send_is_passing(int code);
/* What a retry receipt needs later, as record SENT; retry.c. */
void wa_send_remember(struct send_job *job, int64_t now_ms);

#endif
