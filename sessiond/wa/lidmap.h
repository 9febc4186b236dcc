/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The identity table: which hidden user id (LID) belongs to which phone number (PN), both directions. Two records per pair:
 *
 *     LID_OF_PN  "6281234567890"   -> "123456789012345"
 *     PN_OF_LID  "123456789012345" -> "6281234567890"
 *
 * Pairs come from stanza attributes, device queries, notifications, pairing and the phone's own mapping message. Signal sessions live
 * under the LID as soon as it is known.
 */
#ifndef WA_LIDMAP_H
#define WA_LIDMAP_H

#include <stdbool.h>

#include "common/jid.h"
#include "sessiond/wa/state.h"

/* True for the two namespaces that the table connects (hosted forms count as theirs). */
bool wa_lidmap_is_pn(const struct jid *jid);
bool wa_lidmap_is_lid(const struct jid *jid);
/* Adds the record that answers for this user, in its own direction; nothing for other kinds of JID. */
void wa_lidmap_keys(struct state_keys *keys, const struct jid *user);
/* The other form of the user, with the same device and hosted-ness; false if unknown. The record must have been fetched. */
bool wa_lidmap_other(struct state_op *op, const struct jid *user, struct jid *other);
/* Remembers a pair (devices are ignored). Refuses anything but one PN and one LID, in either order. Needs no fetch; does nothing if the
 * records are in memory and say so already. Returns true if something changed. */
bool wa_lidmap_learn(struct state_op *op, const struct jid *a, const struct jid *b);
/* The same person in the form that Signal addresses use: the LID if known, else the JID itself. Needs the fetched record. */
struct jid wa_lidmap_signal_address(struct state_op *op, const struct jid *device);

#endif
