/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Changes of groups as events: what groups.c and groupstub.c share. Pure. Private to sessiond/session. */
#ifndef SESSIOND_SESSION_GROUPEVENT_H
#define SESSIOND_SESSION_GROUPEVENT_H

#include "common/buf.h"
#include "sessiond/wa/wa.h"

/* The phone form of a pair, else the first. Borrowed. */
static inline const struct jid *group_event_number(const struct jid *jid, const struct jid *other)
{
	return jid_is_pn(other) ? other : jid;
}

/* Appends the data of a message_received; false: this kind of change has none. */
bool group_event_stub(struct buf *out, const char *session_id, const struct wa_group_change *change);

#endif
