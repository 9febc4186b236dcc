/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The wire forms of groupadmin.h. Pure: nodes in, nodes out. Private to sessiond/wa. */
#ifndef WA_GROUPWIRE_H
#define WA_GROUPWIRE_H

#include "sessiond/wa/groupadmin.h"
#include "sessiond/wa/node.h"

/*
 * The question as an <iq> without id, in the arena. others[i]: the other form of ask->people[i], server NONE if unknown; token: 8 random
 * bytes, from which the ids of new things are made.
 */
struct wa_node *wa_group_ask_node(struct arena *a, const struct wa_group_ask *ask, const struct jid *others, const uint8_t token[static 8]);
/* Reads the <iq type="result"> that answers it into a zeroed answer; false: it is none (code 502). To be cleared in both cases. */
bool wa_group_answer_read(const struct wa_group_ask *ask, const struct wa_node *iq, int64_t now_ms, struct wa_group_answer *out);

#endif
