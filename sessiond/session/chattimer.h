/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Timers of disappearing messages in chats of two, as the phones of both sides set them (protocol 2, 18.3 and 18.4): what we send into
 * such a chat has to carry the timer. Groups keep theirs with what is known of the group. On the session's loop.
 *
 *     message with a setting --> list in memory and record RECORD_TIMER --> wa_context.expiration_s
 */
#ifndef SESSIOND_SESSION_CHATTIMER_H
#define SESSIOND_SESSION_CHATTIMER_H

#include <stddef.h>
#include <stdint.h>

#include "common/jid.h"
#include "sessiond/store/store.h"
#include "sessiond/wa/wa.h"

struct chat_timer {
	struct jid chat;      /* PN or LID; a person has one of each */
	uint32_t seconds;     /* 0: off */
	int64_t set_ms;
};

struct chat_timers {
	struct chat_timer *items; /* owned */
	size_t n;
};

/* A message was received, or comes from another own device: takes over the timer that it sets or carries. */
void chat_timers_take(struct chat_timers *timers, struct store_tx *tx, int64_t session, const struct wa_message *message);
/* A stored record. */
void chat_timers_load(struct chat_timers *timers, const char *name, struct span value);
/* NULL: none. */
const struct chat_timer *chat_timers_find(const struct chat_timers *timers, const struct jid *chat);
void chat_timers_free(struct chat_timers *timers);

#endif
