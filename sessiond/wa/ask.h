/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A question to the server on behalf of the host, and who gets its answer. Private to sessiond/wa. */
#ifndef WA_ASK_H
#define WA_ASK_H

#include "sessiond/wa/client.h"
#include "sessiond/wa/profile.h"
#include "sessiond/wa/state.h"

enum { ASK_STORAGE = 500, ASK_MALFORMED = 502, ASK_GONE = 503 };

/* Code of an answer: 0, or why there is none (an error without a number counts as ASK_STORAGE's 500). */
int wa_ask_code(struct wa_client *client, const struct wa_node *answer);
/* Sends an IQ whose answer says nothing but whether it was done. */
void wa_ask_done(struct wa_client *client, struct arena *a, struct wa_node *iq, wa_done *done, void *arg);
/* Content of the first child with this tag as text of the arena; NULL if there is none or it is empty. */
const char *wa_ask_text(struct arena *a, const struct wa_node *parent, const char *tag);

#endif
