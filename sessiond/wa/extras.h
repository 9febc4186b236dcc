/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Nodes of a <message> stanza that follow from the content and stand beside the encrypted parts (protocol 2, 8.1 and 8.4). */
#ifndef WA_EXTRAS_H
#define WA_EXTRAS_H

#include <stdint.h>

#include "common/arena.h"
#include "common/jid.h"
#include "sessiond/wa/node.h"

/*
 * Appends <meta polltype= / event_type=> for polls, events and what answers them, <biz> (in 1:1 chats after <bot>) for buttons and
 * lists. For the first sending and for every repetition.
 */
void wa_stanza_extras(struct arena *a, struct wa_node *message, struct span plaintext, const struct jid *chat, int64_t now_s);

#endif
