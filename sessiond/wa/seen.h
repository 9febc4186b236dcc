/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which messages of a chat were handled already: a ring of the last ones, as record RECEIVED under the chat's JID.
 *
 *     version(1) | next(1) | 128 x first 6 bytes of SHA-256(author's user || 0 || message id)
 *
 * Needed because one message can come in two different ciphertexts (a resend after a retry receipt, or to everybody), and because the
 * ratchet cannot tell a message that was handled from one whose key was pruned.
 */
#ifndef WA_SEEN_H
#define WA_SEEN_H

#include "common/jid.h"
#include "sessiond/wa/state.h"

#define SEEN_MESSAGES 128U

void wa_seen_keys(struct state_keys *keys, const struct jid *chat);
bool wa_seen(struct state_op *op, const struct jid *chat, const struct jid *author, const char *id);
void wa_seen_add(struct state_op *op, const struct jid *chat, const struct jid *author, const char *id);

#endif
