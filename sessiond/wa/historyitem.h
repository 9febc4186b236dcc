/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is in the fields of a history (history.h). Private to sessiond/wa. */
#ifndef WA_HISTORYITEM_H
#define WA_HISTORYITEM_H

#include "common/arena.h"
#include "sessiond/wa/history.h"
#include "sessiond/wa/proto_walk.h"

/* A conversation whose fields come one by one. */
struct history_chat {
	struct wa_history_chat chat;
	struct arena texts; /* owned: what chat points to */
};

/* A field that holds several items (the past members of one group): borrowed from the window until the last was taken. */
struct history_many {
	struct reader members;
	struct jid group;
};

void history_chat_begin(struct history_chat *chat);
void history_chat_take(struct history_chat *chat, const struct proto_field *field);
/* HistorySyncMsg. 1: an item; negative: unusable. */
int history_take_message(struct span wrapped, const struct wa_history_chat *chat, struct arena *texts, struct wa_history_item *item);
/* A field of the HistorySync itself. 1: an item; 0: nothing of interest, or the items are in `many`; negative: unusable. */
int history_take_outer(const struct proto_field *field, struct arena *texts, struct history_many *many, struct wa_history_item *item);
/* False: there is no other. */
bool history_many_next(struct history_many *many, struct arena *texts, struct wa_history_item *item);

#endif
