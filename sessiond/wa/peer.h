/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Questions to the own phone (peer.c). */
#ifndef WA_PEER_H
#define WA_PEER_H

#include "sessiond/wa/messaging.h"

/*
 * Sends a message with category "peer" to the phone. urgent: history on demand goes with push_priority "high_force" and
 * privacy_sensitive (protocol part 2, 10). id: of the message, by which the phone names it in its answer.
 */
void wa_peer_ask(struct wa_messaging *m, struct span message, bool urgent, char id[static 23]);

#endif
