/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Messages of the past, found by their id: what quotes, reactions, edits, revocations, pins, receipts, forwards and votes refer to.
 *
 *     own messages sent from here     rows of the outbox, as long as the store keeps them
 *     messages of chats               rows of the store of chats, as long as its retention says; history is there, too
 *     of what has no row there:       records of kind WA_RECORD_MESSAGE, name = message id,
 *     statuses, channels, own chat    value = author JID [" " time in ms] NUL chat JID NUL serialized E2E Message;
 *                                     30 days, polls and events 90 (their messageSecret: wa_message_secret())
 *
 * Nothing is kept twice: the first of these that has the id is asked. An edit changes the chat's row, or makes a record beside the outbox's row:
 * the outbox has what was sent. Records of before are read until they expire.
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
	RECORD_QUEUE = 222,   /* queuestate.c */
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
	struct span first;    /* the same before any edit, which repeats no secret; p NULL: message is it */
	bool in_chats;        /* the store of chats has it */
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

/*
 * What a record WA_RECORD_MESSAGE says, for the protocol library: of messages of chats made from their rows, with the content as it first
 * was (an edit does not repeat the secret). value->p NULL: not known. On a thread of the store's readers; a store error.
 */
int lookup_record(struct store_reader *reader, struct arena *arena, const struct lookup_account *who, const char *id, struct span *value);

/* What a record WA_RECORD_SENT says: made of the outbox's row, and of who asked for it again. */
int lookup_sent(struct store_reader *reader, struct arena *arena, int64_t session, const char *id, struct span *value);

/* Both as they were addressed, where that is known. False: unreadable. */
bool lookup_names(const struct store_message_row *row, struct jid *chat, struct jid *author);

/* The same person in the other form, number or LID; server NONE if that is not known. On a thread of the store's readers. */
struct jid lookup_other(struct store_reader *reader, struct arena *arena, int64_t session, const struct jid *jid);

/* Remembers the number of a post in a channel. */
void lookup_keep_post(struct store_tx *tx, int64_t session, const char *id, int64_t server_id, int64_t now_ms);

/* When a record WA_RECORD_MESSAGE with this value may go: by what the message is. */
int64_t lookup_expiry(struct span value, int64_t now_ms);

/* Adds the record of a message that no chat has. time_ms 0: unknown. */
void lookup_keep(struct store_tx *tx, int64_t session, const char *id, const struct jid *author, const struct jid *chat, int64_t time_ms, struct span message, int64_t now_ms);

#endif
