/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sender keys: the encryption of groups and of the status. One key per (chat, sending device), given to everybody once by a pairwise
 * message; libsignal-protocol-c's group cipher over the records of state.h.
 *
 *     record SENDER_KEY "120363...@g.us::123_1.5": what the device 5 of LID 123 encrypts this group with
 *
 *     skmsg         33 | { id(1), iteration(2), ciphertext(3) } | signature(64)
 *     distribution  33 | { id(1), iteration(2), chain key(3), signing key(4) }
 *
 * Some senders (Baileys) use every second iteration: each message leaves a skipped key behind. A stored record keeps the newest of them
 * only, so that the work per message does not grow.
 */
#ifndef WA_SIGNAL_GROUP_H
#define WA_SIGNAL_GROUP_H

#include "sessiond/wa/signal.h"

#define SENDER_KEY_NAME_MAX (JID_TEXT_MAX + 2 + SIGNAL_NAME_MAX)
/* Skipped message keys of one chain: cut to _KEPT when there are more than _MAX. */
#define SENDER_KEY_SKIPPED_MAX 64U
#define SENDER_KEY_SKIPPED_KEPT 32U

/* out holds SENDER_KEY_NAME_MAX bytes. Returns out. */
const char *wa_sender_key_name(const struct jid *chat, const struct jid *device, char *out);
void wa_sender_key_keys(struct state_keys *keys, const struct jid *chat, const struct jid *device);
void wa_sender_key_delete(struct state_op *op, const struct jid *chat, const struct jid *device);
/* Moves the key to another address of the same device, unless there is one already. True if it was moved. */
bool wa_sender_key_move(struct state_op *op, const struct jid *chat, const struct jid *from, const struct jid *to);
/* Id of the newest key; false if there is none. The record must have been fetched, as for all calls below. */
bool wa_sender_key_id(struct state_op *op, const struct jid *chat, const struct jid *device, uint32_t *id);

/* Our key as a distribution message, made if there is none: describes the chain from the next message on. Appends to out. */
int wa_sender_key_distribution(struct signal_call *call, const struct jid *chat, const struct jid *own, struct buf *out);
/* Encrypts an already padded message with our key, which must exist. Appends to out. */
int wa_sender_key_encrypt(struct signal_call *call, const struct jid *chat, const struct jid *own, struct span padded, struct buf *out);
/* Takes over somebody's key. One that we have already, as far along or further, changes nothing. */
int wa_sender_key_take(struct signal_call *call, const struct jid *chat, const struct jid *author, struct span distribution);
/* Decrypts; appends the still padded message. SIGNAL_NO_SESSION: we do not have this key of the author. */
int wa_sender_key_decrypt(struct signal_call *call, const struct jid *chat, const struct jid *author, struct span ciphertext,
			  struct buf *out);

#endif
