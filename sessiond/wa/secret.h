/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Message secrets: 32 bytes inside a message, from which the keys of everything that others add to it later are made (votes, answers to
 * events, reactions, comments, edits).
 *
 *     key     = HKDF-SHA256(secret, info = id || author || adder || use, 32)      id, author: of the message; adder: who adds
 *     payload = AES-256-GCM(key, iv 12, plaintext, aad) || tag                    aad: id 00 adder for votes and answers, else empty
 *
 * author and adder are bare JIDs as text; both sides must take the same namespace (PN or LID), which the reader has to find out by trying.
 *
 * The secrets of polls and events are kept as records SECRET, for SECRET_KEEP_MS:
 *
 *     "s:<chat>/<author>/<id>"           version(1) | kind(1) | secret(32) | poll (see poll.h), empty for events
 *     "t:<chat>/<author>/<id>"           the tally of a poll (poll.h)
 *     "v:<voter>/<chat>/<author>/<id>"   the present vote of one voter (poll.h)
 *
 * with chat and author in the form in which they came; a reader asks for both forms. Ordinary messages need no record of their own: their
 * secret is in the record MESSAGE.
 *
 * Source: whatsmeow msgsecret.go, Baileys Utils/process-message.ts.
 */
#ifndef WA_SECRET_H
#define WA_SECRET_H

#include "sessiond/wa/state.h"

enum { SECRET_LEN = WA_SECRET_LEN, SECRET_NAME_MAX = 512 };

enum secret_kind { SECRET_NONE = 0, SECRET_POLL = 1, SECRET_EVENT = 2 };

/* The secret of a message that carries one, inside its wrappers too. False if it has none of the right length. */
bool wa_secret_find(struct span message, uint8_t secret[static SECRET_LEN]);

/* Keeps the secret of a poll or event; does nothing for other messages. Needs no fetch. For incoming messages and for what we send. */
void wa_secret_remember(struct state_op *op, const struct jid *chat, const struct jid *author, const char *id, struct span message);

/* prefix 's' or 't', or 'v' with the voter (else NULL). False if the name would be too long. */
bool wa_secret_name(char out[static SECRET_NAME_MAX], char prefix, const struct jid *voter, const struct jid *chat, const struct jid *author,
		    const char *id);

struct secret_record {
	enum secret_kind kind;
	uint8_t secret[SECRET_LEN];
	struct span poll; /* borrowed from the record */
};

bool wa_secret_read(struct span value, struct secret_record *out);
/* Stores the poll of a record anew. */
void wa_secret_put_poll(struct state_op *op, const char *name, const uint8_t secret[static SECRET_LEN], struct span poll);

#endif
