/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One incoming message, from the stanza to the receipt.
 *
 *     names (both forms) -> sessions, own prekeys -> decode -> commit: ratchet + event -> receipt or ack, in order of arrival
 */
#ifndef WA_RECEIVE_H
#define WA_RECEIVE_H

#include "sessiond/wa/envelope.h"
#include "sessiond/wa/job.h"

/* More <enc> in one stanza than anybody sends. */
#define RECEIVE_ENCS_MAX 8U

/* A status is seen for so long. */
#define RECEIVE_STATUS_MAX_AGE_MS (INT64_C(24) * 3600 * 1000)
/* An edit counts if it was made less than this after the message; source: whatsapp-rust msg_secret.rs (WhatsApp Web), whatsmeow send.go. */
#define RECEIVE_EDIT_WINDOW_MS (INT64_C(20) * 60 * 1000)

enum receive_outcome {
	RECEIVE_DONE,    /* handled, or a duplicate: delivery receipt */
	RECEIVE_RETRY,   /* asked for again: retry receipt, then a plain ack */
	RECEIVE_ACK,     /* nothing to be had: plain ack */
	RECEIVE_NACK     /* refused for good: ack with error */
};

struct addon;

struct receive_job {
	struct stanza_job job;    /* first member */
	struct envelope envelope;
	struct jid ring;          /* chat whose ring of handled messages was fetched */
	struct jid address;       /* Signal address of the author: the LID if known */
	struct jid old_address;   /* the PN form, where a session may still be; server NONE if there is none */
	enum receive_outcome outcome;
	int nack;                 /* code, with RECEIVE_NACK */
	unsigned retry_count;     /* of our retry receipt */
	unsigned retry_reason;
	uint32_t prekey_id;       /* one-time key offered in the retry receipt, 0: none */
	uint8_t prekey[SIGNAL_KEY_BYTES];
	bool new_keys;            /* app state keys came: what waits for them goes on once they are stored */
	bool visible;             /* an event was made */
	bool ask_phone;           /* not encrypted for us: the phone is asked for it once this is stored */
	struct addon *addon;      /* owned: waits for the records of the message it belongs to; addon.c */
};

/* Decrypts and handles everything in the stanza; sets the outcome. decode.c */
void wa_receive_decode(struct receive_job *job);
/* A post of a channel: nothing is encrypted. channel.c */
void wa_receive_post(struct receive_job *job);
/* Commits, then answers as the outcome says. message.c */
void wa_receive_store(struct receive_job *job);
/* True for a status that nobody sees any more: neither shown nor asked for again. */
bool wa_receive_expired(const struct receive_job *job);
/* Takes over the sender key that the message brings, if it does. content.c */
void wa_receive_sender_key(struct receive_job *job, struct span message);
/* The content of one decrypted <enc>. content.c */
void wa_receive_content(struct receive_job *job, struct span message);
/* An event for a message that cannot be shown. count: how often it was asked for, 0: it will not be. */
void wa_receive_undecryptable(struct receive_job *job, int code, const char *text, unsigned count);
/* The event of a message that can be shown. target: NULL, or the message that it changes. content.c */
void wa_receive_emit(struct receive_job *job, struct span message, const char *target, bool target_from_me);
/* Asks the phone for a message that was not encrypted for this device. placeholder.c */
void wa_placeholder_ask(struct receive_job *job);
/* Its answer: the messages become events. PeerDataOperationRequestResponseMessage. */
void wa_placeholder_take(struct receive_job *job, struct span response);
/* The notice of a history (ProtocolMessage) becomes an event. historywire.c */
void wa_history_noticed(struct receive_job *job, struct span protocol);
/* A warning: this message is dropped. content.c */
void wa_receive_refused(struct receive_job *job, const char *why);
/* Fills the event's message with what the envelope tells. content.c */
struct wa_message *wa_receive_message(struct receive_job *job);

/* receipt.c: what is owed for a handled message. */
void wa_receipt_delivered(struct receive_job *job);
/* retry.c: notes the attempt; false if it was asked for too often. */
void wa_retry_keys(struct state_keys *keys, const struct envelope *e);
bool wa_retry_ask(struct receive_job *job, unsigned reason);
void wa_retry_forget(struct receive_job *job);
/* False if the receipt could not be written. */
bool wa_retry_send(struct receive_job *job);

#endif
