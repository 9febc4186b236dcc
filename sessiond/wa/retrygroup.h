/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a retry receipt for a message to a group or to the status needs beside the others: retry.c calls these. */
#ifndef WA_RETRYGROUP_H
#define WA_RETRYGROUP_H

#include "sessiond/wa/job.h"

/* Adds the records that the calls below need. */
void wa_retry_group_keys(struct stanza_job *job, struct state_keys *keys, const struct jid *chat);
/* True if the device belongs to a member (or to ourselves), or was given the key of the status. */
bool wa_retry_group_member(struct stanza_job *job, const struct jid *chat, const struct jid *device);
/* The device does not have our key. */
void wa_retry_group_lacks(struct stanza_job *job, const struct jid *chat, const struct jid *device);
/* Appends our key as the field of a Message; nothing if that failed. */
void wa_retry_group_key(struct stanza_job *job, const struct jid *chat, struct buf *out);

#endif
