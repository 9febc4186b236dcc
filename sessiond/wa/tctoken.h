/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Privacy tokens. A contact's token (tctoken), received from it, is shown with each message to it; we give ours out after sending.
 * Without one, the first message carries a token computed from an account-wide salt (cstoken), if the account has that salt.
 *
 *     record TOKEN "user@lid" (or "user@s.whatsapp.net" without LID): version(1) | received s(8) | given s(8) | token
 *
 * Tokens live in weekly buckets, four of them count. Source: Baileys Utils/tc-token-utils.ts, whatsmeow tctoken.go.
 */
#ifndef WA_TCTOKEN_H
#define WA_TCTOKEN_H

#include "sessiond/wa/client.h"
#include "sessiond/wa/state.h"

#define TCTOKEN_BUCKET_S 604800
#define TCTOKEN_BUCKETS 4
/* Record MISC of the account's salt. */
#define TCTOKEN_SALT_NAME "nct_salt"

bool wa_tctoken_expired(int64_t received_s, int64_t now_s);
bool wa_tctoken_due(int64_t given_s, int64_t now_s);

/* Records needed to attach a token. user: the contact, in the form under which its token is kept (LID if known). */
void wa_tctoken_keys(struct state_keys *keys, const struct jid *user);
/* Adds <tctoken> or <cstoken> to a 1:1 message. lid: the contact's LID, server NONE if unknown. */
void wa_tctoken_attach(struct state_op *op, struct arena *a, struct wa_node *message, const struct jid *user, const struct jid *lid,
		       int64_t now_s);
/*
 * Gives our token to the contact if the last one is from an earlier bucket: notes the time in the operation, which commits, and sends
 * the IQ when wa_tctoken_issue() is called afterwards. True if it should be.
 */
bool wa_tctoken_mark_given(struct state_op *op, const struct jid *user, int64_t now_s, bool anyway);
/* True if we gave this contact a token before. */
bool wa_tctoken_was_given(struct state_op *op, const struct jid *user);
void wa_tctoken_issue(struct wa_client *client, const struct jid *contact, const struct jid *user, int64_t now_s);
/* Takes over <tokens> of a notification or an answer; false if there was no newer one. The record must have been fetched. */
bool wa_tctoken_take(struct state_op *op, const struct jid *user, const struct wa_node *tokens);
/* The same for one token that was not in a stanza; given_s: when this account gave one, 0: not known. The record must have been fetched. */
bool wa_tctoken_put(struct state_op *op, const struct jid *user, struct span token, int64_t time_s, int64_t given_s);

#endif
