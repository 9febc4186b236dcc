/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Keeps a stored pairwise session small. libsignal-protocol-c keeps up to 2,000 skipped message keys in each of 5 receiver chains of
 * the current and of up to 40 archived states, and rewrites all of them with every message; a peer decides how many there are.
 *
 *     record = current state(1), archived states(2)*, newest first
 *     state  = ..., sender chain(6), receiver chains(7)*, ...
 *     chain  = ..., skipped message keys(4)*, oldest first
 *
 * What is dropped: the oldest skipped keys of each chain and the oldest archived states. A message that would have needed them is
 * asked for again by a retry receipt.
 */
#ifndef WA_SIGNAL_RECORD_H
#define WA_SIGNAL_RECORD_H

#include "common/buf.h"

/* Skipped keys kept in one chain and archived states kept, before the size limit makes it fewer. */
#define SIGNAL_RECORD_SKIPPED_KEYS 400U
#define SIGNAL_RECORD_ARCHIVED 16U
/* Records up to this size are stored as they are. */
#define SIGNAL_RECORD_PLAIN_BYTES 8192U

/*
 * Writes the pruned record to out (emptied first), at most LIMIT_WA_SIGNAL_RECORD_BYTES long. Returns 0, 1 if nothing had to be
 * dropped because the record is small (out stays empty), or -1 if the record is malformed or cannot be made to fit.
 */
int wa_signal_record_prune(struct span record, struct buf *out);

/*
 * The same for a sender key: record = states(1)*, state = ..., skipped message keys(4)*, oldest first. A state with more than
 * SENDER_KEY_SKIPPED_MAX of them keeps the newest SENDER_KEY_SKIPPED_KEPT.
 */
int wa_sender_key_record_prune(struct span record, struct buf *out);

#endif
