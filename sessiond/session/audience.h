/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who sees a status for which the caller named nobody: whom the account's own settings name. On the session's loop. */
#ifndef SESSIOND_SESSION_AUDIENCE_H
#define SESSIOND_SESSION_AUDIENCE_H

#include "sessiond/session/object.h"

/* True if the job has a status without an audience. */
bool audience_wanted(const struct send_job *job);
/* Fills it in. done(arg, false): nobody would see it. Called once, possibly while the session's client is being freed. */
void audience_find(struct session *session, struct send_job *job, void (*done)(void *arg, bool somebody), void *arg);

#endif
