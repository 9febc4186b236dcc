/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a message is for the store of chats: its type and body (rest-b 6.3, 6.4), or what it does to another message. Pure; any thread.
 * Private to sessiond/session; live traffic and history go through the same.
 */
#ifndef SESSIOND_SESSION_CHATROW_H
#define SESSIOND_SESSION_CHATROW_H

#include "sessiond/session/content.h"
#include "sessiond/store/store.h"

enum chatrow_kind {
	CHATROW_NOTHING,  /* keys, settings, what belongs to other messages and comes as an event of its own */
	CHATROW_MESSAGE,
	CHATROW_REACTION, /* target_id, text (empty: taken back), time_ms */
	CHATROW_PIN,      /* target_id, on, seconds */
	CHATROW_EDIT,     /* target_id, edited, time_ms (0: not said) */
	CHATROW_REVOKE    /* target_id */
};

enum { CHATROW_TYPE_MAX = 64 };

struct chatrow {
	enum chatrow_kind kind;
	struct content content;      /* owned; borrows the plaintext */
	char type[CHATROW_TYPE_MAX]; /* with CHATROW_MESSAGE */
	bool media;
	struct buf body;             /* owned */
	struct span target_id, text; /* borrowed */
	struct span edited;          /* serialized Message, borrowed */
	bool on;
	uint64_t seconds;
	int64_t time_ms;
};

/* plaintext: a serialized Message, lives as long as the row. */
void chatrow_read(struct chatrow *row, struct span plaintext);
void chatrow_free(struct chatrow *row);

/* What somebody answered to an event. */
struct chatrow_response {
	const char *name;  /* UNKNOWN, GOING, NOT_GOING, MAYBE; static */
	unsigned guests;
	int64_t time_ms;   /* 0: not said */
};

/* message: an EventResponseMessage in clear. */
void chatrow_response_read(struct span message, struct chatrow_response *out);
/* The value of a STORE_ADDON_RESPONSE. */
void chatrow_put_response(struct buf *out, struct span message);

/* Bodies of messages that were deleted for everybody. */
extern const char chatrow_deleted[], chatrow_deleted_own[];

#endif
