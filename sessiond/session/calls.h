/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Calls: told as events, refused automatically if that is wished.
 *
 *     WAREST_CALL_REJECT, WAREST_CALL_REJECT_TEXT     for every session
 *     record RECORD_CALLS "" of the session           {"reject":true,"message":".."}: instead of them
 *
 * An offer from the backlog is not refused: that call is over. A refused caller is written the text, if there is one.
 */
#ifndef SESSIOND_SESSION_CALLS_H
#define SESSIOND_SESSION_CALLS_H

#include <stdbool.h>

#include "sessiond/store/store.h"

struct daemon;

struct call_policy {
	bool own;      /* the session's, not the settings' */
	bool reject;
	char *message; /* owned; "": nothing is written */
};

/* On a thread of the store's readers. 0 or the store's error; the policy is to be freed in both cases. */
int call_policy_read(struct store_reader *reader, const struct daemon *daemon, int64_t session, struct call_policy *policy);
void call_policy_free(struct call_policy *policy);
/* policy NULL: the settings' again. */
void call_policy_store(struct store_tx *tx, int64_t session, const struct call_policy *policy);

#endif
