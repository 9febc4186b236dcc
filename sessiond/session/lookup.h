/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Messages of the past, found by their id: what quotes, reactions, edits, revocations, pins, receipts, forwards and votes refer to.
 *
 *     own messages sent from here     rows of the outbox
 *     received ones, and our own      records of kind WA_RECORD_MESSAGE, name = message id,
 *     from other devices              value = author JID [" " time in ms] NUL chat JID NUL serialized E2E Message
 *
 * Kept: outbox rows as long as the store keeps them, records 30 days; polls and events, own ones too, 90 days (their messageSecret: wa_message_secret()).
 */
#ifndef SESSIOND_SESSION_LOOKUP_H
#define SESSIOND_SESSION_LOOKUP_H

#include <stdbool.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/buf.h"
#include "common/jid.h"
#include "sessiond/store/store.h"

/* Kinds of records that the host keeps beside those of the protocol library (enum wa_record_kind). */
enum session_record {
	RECORD_POST = 221,    /* name = message id: a post in a channel; value = its number there, decimal; kept like messages */
	RECORD_CALLS = 220,   /* name "": what is done with calls; value: JSON, calls.h */
	RECORD_TIMER = 201    /* name = chat JID: timer of disappearing messages; value = seconds, be32, and when it was set, be64 ms */
};

struct lookup {
	int error;            /* STORE_OK, STORE_NOT_FOUND, another store error */
	bool from_me;
	struct jid chat;      /* no device */
	struct jid author;    /* no device; from_me: our PN, or as it stood in the stanza */
	int64_t time_ms;      /* server's time, 0: unknown */
	struct span message;  /* serialized E2E Message, in the arena */
	int64_t row;          /* outbox row; 0: not sent from here */
	enum store_outbox_state state; /* of the row */
	const char *info;     /* of the row, in the arena; NULL: none (route.h) */
	int64_t server_id;    /* of a post in a channel, 0: not known */
};

/* Who asks. */
struct lookup_account {
	int64_t session;      /* number */
	struct jid pn, lid;   /* own, without device; lid may be none */
};

/* On a thread of the store's readers. found->error says how it went. */
void lookup_message(struct store_reader *reader, struct arena *arena, const struct lookup_account *who, const char *id, struct lookup *found);

/* Remembers the number of a post in a channel. */
void lookup_keep_post(struct store_tx *tx, int64_t session, const char *id, int64_t server_id, int64_t now_ms);

/* When a record WA_RECORD_MESSAGE with this value may go: by what the message is. */
int64_t lookup_expiry(struct span value, int64_t now_ms);

/* Adds the record of an own message that is worth more than its row. time_ms 0: unknown. */
void lookup_keep(struct store_tx *tx, int64_t session, const char *id, const struct jid *author, const struct jid *chat, int64_t time_ms, struct span message, int64_t now_ms);

#endif
