/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Messages that belong to an earlier one: votes, answers to events, encrypted reactions, comments and edits, and the plain edits and
 * revocations whose right to do so is checked. What they need of the earlier message is read from the records after the decryption:
 *
 *     note (decode) -> the named author in both forms -> its secret, its record -> open -> tally and earlier vote -> count -> events
 *
 * The message itself is an event in every case but one: an edit or revocation by somebody who may not. Then, or when a secret is unknown
 * or does not fit, WA_EVENT_ADDON says so.
 */
#ifndef WA_ADDON_H
#define WA_ADDON_H

#include "sessiond/wa/receive.h"

/* True if the message is of this kind: it is kept in job->addon, its events are made by wa_addon_resolve(). */
bool wa_addon_note(struct receive_job *job, struct span message);
/* Makes the events of what was noted, then calls done(job): at once if nothing was. Not called if records cannot be read: the job ends. */
void wa_addon_resolve(struct receive_job *job, void (*done)(struct receive_job *job));
void wa_addon_free(struct addon *addon);

#endif
