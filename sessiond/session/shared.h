/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What all devices of the account share and no chat or contact holds: labels, where they are put, quick replies, settings. Kept as sealed
 * records of the session, each value ready JSON, so that a list is their concatenation.
 *
 *     WA_EVENT_ACTION --> shared_take() --> record kind           name                           value
 *                                           RECORD_LABEL          label id                       {"labelId","name","color","predefinedId","time"}
 *                                           RECORD_LABELED        label id " " chat [" " message id]   {"labelId","chat","chatPn","chatLid","messageId"}
 *                                           RECORD_QUICK_REPLY    id                             {"quickReplyId","shortcut","message","time"}
 *                                           RECORD_SHARED_SETTING "unarchiveChats", ...          JSON value
 */
#ifndef SESSIOND_SESSION_SHARED_H
#define SESSIOND_SESSION_SHARED_H

#include "common/arena.h"
#include "common/buf.h"
#include "sessiond/store/store.h"
#include "sessiond/wa/wa.h"

/* Beside those of lookup.h. */
enum { RECORD_LABEL = 210, RECORD_LABELED, RECORD_QUICK_REPLY, RECORD_SHARED_SETTING };

/* A change of shared state, also one of a first sync: kept in the same transaction. What belongs elsewhere is left alone. */
void shared_take(struct store_tx *tx, int64_t session, const struct wa_action *action);
/* Another account, or none: nothing of it is left. */
void shared_clear(struct store_tx *tx, int64_t session);

/* ---- on a thread of the store's readers; 0 or the store's error ---- */

/* Appends the elements of a JSON array, comma-separated. prefix NULL: all; else those whose name begins with it. */
int shared_list(struct store_reader *reader, struct arena *arena, int64_t session, int kind, const char *prefix, struct buf *out);
/* Appends the members of a JSON object: name and value of each setting. */
int shared_settings(struct store_reader *reader, struct arena *arena, int64_t session, struct buf *out);
/* The value of one; p NULL: there is none. */
int shared_get(struct store_reader *reader, struct arena *arena, int64_t session, int kind, const char *name, struct span *value);
/* A decimal id that no record of the kind has. */
int shared_free_id(struct store_reader *reader, struct arena *arena, int64_t session, int kind, int64_t *id);

#endif
