/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What all devices of the account share and no chat or contact holds: labels, where they are put, quick replies, settings.
 *
 *     WA_EVENT_ACTION --> chatfill.c    --> tables labels, label_members (chats.h)
 *                     --> shared_take() --> sealed records of the session, each value ready JSON, so that a list is their concatenation:
 *                                           kind                  name                           value
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
enum { RECORD_QUICK_REPLY = 212, RECORD_SHARED_SETTING };

enum shared_kind { SHARED_NONE, SHARED_LABEL, SHARED_QUICK_REPLY, SHARED_SETTING };

/* A change of shared state, also one of a first sync: kept in the same transaction. What belongs elsewhere is left alone. */
void shared_take(struct store_tx *tx, int64_t session, const struct wa_action *action);
/* Texts that stand one a line, as a JSON array. text may be NULL. */
void shared_put_lines(struct buf *out, const char *text);
/* Another account, or none: nothing of it is left. */
void shared_clear(struct store_tx *tx, int64_t session);

/* ---- on a thread of the store's readers; 0 or the store's error ---- */

/*
 * Appends the elements of a JSON array, comma-separated; of settings the members of an object.
 *
 *     label        {"labelId","name","color","predefinedId","time"}, in the order of their ids
 */
int shared_list(struct store_reader *reader, struct arena *arena, int64_t session, enum shared_kind kind, struct buf *out);
/* The same of what has a label: {"labelId","chat","chatPn"?,"chatLid"?,"messageId"?}. */
int shared_label_members(struct store_reader *reader, struct arena *arena, int64_t session, const char *label, struct buf *out);
/* One label or quick reply as in the list; p NULL: there is none. */
int shared_get(struct store_reader *reader, struct arena *arena, int64_t session, enum shared_kind kind, const char *id, struct span *value);
/* A decimal id that no label, or quick reply, has. */
int shared_free_id(struct store_reader *reader, struct arena *arena, int64_t session, enum shared_kind kind, int64_t *id);

#endif
