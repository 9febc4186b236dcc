/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What receivers answered that an account shall do, and how that went; one row per answer (actionruns.c). Part of store.h's interface. */
#ifndef STORE_ACTIONRUNS_H
#define STORE_ACTIONRUNS_H

#include "sessiond/store/store.h"

enum store_action_state {
	STORE_ACTIONS_PENDING = 0, /* waiting or under way */
	STORE_ACTIONS_DONE,
	STORE_ACTIONS_FAILED,      /* at least one of them */
	STORE_ACTIONS_REFUSED,     /* the answer broke a limit: nothing of it was done */
	STORE_ACTIONS_EXPIRED      /* the time for them was over before all were done */
};

struct store_action_run {
	int64_t number;         /* given by the store */
	int64_t session;
	const char *receiver, *event_id; /* with the session unique */
	int64_t event_number;
	const char *kind;       /* of the event */
	int64_t lane;           /* of its chat */
	enum store_action_state state;
	const char *error;      /* may be NULL */
	struct span plan;       /* what is to be done; sealed; gone when that is over */
	struct span outcomes;   /* JSON array, one entry per action done; sealed */
	int64_t accepted_ms, updated_ms;
};

/* *number as with users; 0 when there is a row for this session, event and receiver: that one counts. */
void store_tx_action_run_add(struct store_tx *tx, const struct store_action_run *run, int64_t *number);
/* State, error, outcomes and updated_ms; session, event_id and receiver name the row. */
void store_tx_action_run_update(struct store_tx *tx, const struct store_action_run *run);
/* There was nothing to do in it: as if it had not come. session, event_id and receiver name the row. */
void store_tx_action_run_remove(struct store_tx *tx, const struct store_action_run *run);

/* Pending ones with numbers above `after`, in order. */
int store_action_run_pending(struct store_reader *reader, struct arena *arena, int64_t after, size_t limit, struct store_action_run **rows, size_t *n);
/* Of a session, newest first, with numbers below `before` (0: all). state -1: any. */
int store_action_run_list(struct store_reader *reader, struct arena *arena, int64_t session, int64_t before, int state, size_t limit,
                          struct store_action_run **rows, size_t *n);

#endif
