/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A session's send queue seen from outside: its state, and its settings as one object.
 *
 *     {"sessionId":"shop","depth":3,"high":0,"normal":1,"low":0,"held":2,"holds":{"quiet_hours":2},"scheduled":0,"inFlight":0,
 *      "oldestMs":1200,"paused":true,"pausedReason":"quiet_hours","retryAfter":3600,"nextSendAt":"..",
 *      "restriction":{"active":false,"kind":"","until":null},"cold":{"used":0,"perDay":0,"resetsAt":null},
 *      "stats":{..},"settings":{..},"overrides":{..}}
 */
#ifndef SESSIOND_SESSION_QUEUE_H
#define SESSIOND_SESSION_QUEUE_H

#include <json-c/json.h>

#include "sessiond/session/session.h"

enum { QUEUE_BAD_SETTING = 1 };

struct queue_job {
	struct json_object *change;  /* owned object: settings to change, null for those of the configuration; NULL: none */
	void (*done)(struct queue_job *job); /* on the main loop; the job is the callee's again */
	void *arg;
	/* how it went */
	int error;                   /* 0, QUEUE_BAD_SETTING, or the store's error (negative) */
	char text[96];               /* QUEUE_BAD_SETTING: which one */
	struct buf result;           /* the object above */
};

void queue_job_free(struct queue_job *job);
/* The session owns the job until it calls done. */
void sessions_queue(struct session_entry *entry, struct queue_job *job);

#endif
