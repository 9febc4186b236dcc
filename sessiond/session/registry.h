/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What sessions on their loops tell the registry on the main loop. Private to sessiond/session. Any session loop. */
#ifndef SESSIOND_SESSION_REGISTRY_H
#define SESSIOND_SESSION_REGISTRY_H

#include "sessiond/session/object.h"

/* The view changed: posts a copy. */
void registry_view(struct session *session);
/* Over how many ms reconnects are spread: grows with the number of sessions, up to WAREST_RECONNECT_JITTER_MS. */
int64_t registry_spread_ms(const struct session *session);
/* Asks for one of the node's handshakes; session_granted() follows when one is free. */
void registry_want_slot(struct session *session);
/* Gives it back, or the wish for it. why: of a DIAL_BAD, may be NULL. */
void registry_free_slot(struct session *session, enum dial_outcome outcome, const char *why);
/* Hands an answered call back. */
void registry_answer(struct session *session, struct session_call *call);
/* The session was removed: it leaves the registry; session_let_go() follows. */
void registry_removed(struct session *session);
/* ... and was freed: its entry goes. */
void registry_freed(struct session_loop *on, struct session_entry *entry);
/* Hands a job back. */
void registry_job_done(struct session *session, struct send_job *job);
/* 405: asks for another client version; session_cmd_version() follows. */
void registry_want_version(struct session *session);

#endif
