/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Part of store.h: campaigns, one content to many recipients.
 *
 *     table campaigns             who, what (sealed), when, how far
 *       table campaign_recipients one row each; state follows its row of the outbox by triggers, in that row's own transactions
 *
 *     pending --[row of the outbox, same message id]--> queued --> sent --> acked --> delivered --> read
 *        \--> failed (nothing could be made for it)                  \--> failed
 *
 * The message id is chosen when the recipient is added, so a recipient has at most one row in the outbox: who asks twice is refused by
 * the outbox. What has not had its turn when a campaign ends stays pending.
 */
#ifndef STORE_CAMPAIGNS_H
#define STORE_CAMPAIGNS_H

#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/buf.h"

struct store;
struct store_tx;
struct store_reader;

enum store_campaign_state {
	STORE_CAMPAIGN_DRAFT = 1,
	STORE_CAMPAIGN_ACTIVE, /* waits for its start, or runs */
	STORE_CAMPAIGN_PAUSED,
	STORE_CAMPAIGN_DONE,
	STORE_CAMPAIGN_CANCELLED
};

#define STORE_CAMPAIGN_BIT(state) (1U << (state))

struct store_campaign {
	int64_t number;          /* given by the store */
	const char *id;          /* ULID */
	const char *registry;    /* owner */
	int64_t session;
	const char *session_id;
	const char *name;
	enum store_campaign_state state;
	const char *reason;      /* of PAUSED and CANCELLED; may be NULL */
	int64_t start_ms;        /* not before; 0: at once */
	int64_t created_ms, updated_ms, started_ms, ended_ms;
	const char *file_key;    /* of the stored file that it sends; NULL: none */
	struct span spec;        /* JSON; sealed */
	struct span built;       /* serialized; sealed; p NULL: none */
	int64_t built_ms;
};

/* 0: has not had its turn; else enum store_outbox_state. */
enum { STORE_RECIPIENT_PENDING = 0, STORE_RECIPIENT_STATES = 9 };

struct store_recipient {
	int64_t number;          /* given by the store, in the order of adding */
	const char *jid;
	const char *message_id;
	int state;
	int64_t queued_ms, updated_ms, server_ms;
	int code;                /* FAILED: why */
	const char *error;       /* may be NULL */
	struct span variables;   /* JSON; sealed; p NULL: none */
};

/*
 * Uses id, registry, session, session_id, name, state, start_ms, created_ms, file_key, spec. The file is held until the campaign ends, or
 * has another one, or is removed; STORE_NOT_FOUND fails the tx when it is not there.
 */
void store_tx_campaign_add(struct store_tx *tx, const struct store_campaign *campaign);
/*
 * Adds recipients (jid, message_id, variables) to a campaign that has not ended; those that it has already stay as they are. Fails the
 * tx with STORE_NOT_FOUND when there is no such campaign, or it has ended, and with STORE_CONSTRAINT when it would have more than max.
 * *added (may be NULL) is right when the tx is committed.
 */
void store_tx_campaign_recipients(struct store_tx *tx, const char *id, const struct store_recipient *rows, size_t n, int64_t max, int64_t *added);
/* Fails the tx with STORE_NOT_FOUND unless the campaign's state is one of from (STORE_CAMPAIGN_BIT). reason: NULL: none. */
void store_tx_campaign_state(struct store_tx *tx, int64_t number, unsigned from, enum store_campaign_state to, const char *reason, int64_t at_ms);
/* What an owner may change; fails the tx as above. Uses id, name, start_ms, file_key, spec, updated_ms. */
void store_tx_campaign_change(struct store_tx *tx, int64_t number, unsigned from, const struct store_campaign *campaign);
/* The message that was made once for everybody; p NULL: none. */
void store_tx_campaign_built(struct store_tx *tx, int64_t number, const char *id, struct span built, int64_t at_ms);
/* A pending recipient becomes FAILED. */
void store_tx_recipient_fail(struct store_tx *tx, int64_t recipient, int code, const char *error, int64_t at_ms);
/* How long those that have ended are kept, with their recipients; 0: for ever. */
void store_campaigns_keep(struct store *store, int64_t keep_ms);
/*
 * Cancels the campaign and removes it with its recipients, of whom it takes only so many in one tx: *over, right when the tx is committed,
 * tells that it is gone, else another such tx is to follow.
 */
void store_tx_campaign_remove(struct store_tx *tx, int64_t number, int64_t at_ms, bool *over);

/* STORE_NOT_FOUND when there is none. */
int store_campaign_get(struct store_reader *reader, struct arena *arena, const char *id, struct store_campaign *campaign);

struct store_campaign_query {
	const char *registry;   /* NULL: everybody's */
	const char *session_id; /* NULL: of all sessions */
	unsigned states;        /* STORE_CAMPAIGN_BITs; 0: all */
	int64_t before;         /* numbers below this, newest first; 0: from the newest */
	size_t limit;
};

/* Without built. */
int store_campaign_list(struct store_reader *reader, struct arena *arena, const struct store_campaign_query *query, struct store_campaign **rows,
			size_t *n);
/* Of all that are ACTIVE: their ids. */
int store_campaign_active(struct store_reader *reader, struct arena *arena, const char ***ids, size_t *n);
/* How many recipients are in each state. */
int store_campaign_counts(struct store_reader *reader, int64_t campaign, int64_t counts[STORE_RECIPIENT_STATES]);
/* How many had their turn since then, and when the first of them; *first_ms 0: none. */
int store_campaign_since(struct store_reader *reader, int64_t campaign, int64_t since_ms, int64_t *count, int64_t *first_ms);
/* Whether this address was added before that recipient, and can still be, or was, sent to: STORE_OK or STORE_NOT_FOUND. */
int store_campaign_has_before(struct store_reader *reader, int64_t campaign, const char *jid, int64_t recipient);
/* Recipients with numbers above after, in order; states: bits of their states, 0: all. */
int store_campaign_recipients(struct store_reader *reader, struct arena *arena, int64_t campaign, unsigned states, int64_t after, size_t limit,
			      struct store_recipient **rows, size_t *n);

#endif
