/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Live traffic fills the store of chats, in the transaction that stores the traffic itself. On the session's loop. Own chat, statuses,
 * broadcasts and channels are left out (K16).
 */
#ifndef SESSIOND_SESSION_CHATFILL_H
#define SESSIOND_SESSION_CHATFILL_H

#include "sessiond/session/chatrow.h"
#include "sessiond/store/store.h"
#include "sessiond/wa/wa.h"

struct session;

/* False: not a chat of this store. own, own_lid: of the account; may be none. */
bool chatfill_wanted(const struct jid *chat, const struct jid *own, const struct jid *own_lid);
/* Both names of a person, as the store takes them; pn and lid may be none. */
struct store_peer chatfill_peer(const struct jid *jid, const struct jid *pn, const struct jid *lid);

/* A message that came in, of others or of another own device. True: its chat is one of the store's; nothing else has to keep it. */
bool chatfill_message(struct session *session, struct store_tx *tx, const struct wa_message *message);
/* One that is sent from here: its row is in the same transaction. True as above. */
bool chatfill_sent(struct session *session, struct store_tx *tx, const struct jid *to, const char *id, struct span plaintext, int64_t time_ms);
void chatfill_addon(struct session *session, struct store_tx *tx, const struct wa_message *message, const struct wa_addon *addon);
/* For one of its messages, after the outbox was told. */
void chatfill_receipt(struct session *session, struct store_tx *tx, const struct wa_receipt *receipt, size_t which);
void chatfill_action(struct session *session, struct store_tx *tx, const struct wa_action *action);
void chatfill_group(struct session *session, struct store_tx *tx, const struct wa_group_change *change);
/* Records of the protocol library that say something about people and groups. */
void chatfill_record(struct session *session, struct store_tx *tx, const struct wa_put *put);

#endif
