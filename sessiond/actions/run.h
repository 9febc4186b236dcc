/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One answer being done: the steps of its plan, with what is under way of them. Private to the folder. Main loop. */
#ifndef SESSIOND_ACTIONS_RUN_H
#define SESSIOND_ACTIONS_RUN_H

#include "sessiond/actions/act.h"
#include "sessiond/actions/plan.h"
#include "sessiond/call.h"
#include "sessiond/daemon.h"
#include "sessiond/store/actionruns.h"
#include "sessiond/timers.h"

/* The whole answer, without the time that a session was away. */
#define RUN_MAX_MS 300000
/* A session that is away is waited for until the answer is so old. */
#define RUN_MAX_AGE_MS ((int64_t)60 * 60 * 1000)

struct run;

/* An action under way. */
struct doing {
	struct run *run;           /* borrowed */
	struct doing *next, *prev; /* list of the run */
	struct step *step;         /* borrowed; NULL: the pause between steps, in waits_for */
	struct step *waits_for;
	char *path;                /* owned: place in the answer, "2.0", in the second attempt of a retry "3#1.0" */
	struct act_script script;
	size_t at;                 /* part that is under way */
	struct call *call;         /* owned */
	struct timer timer;
	int status, code;          /* of the last call */
	char *message, *message_id; /* owned, may be NULL */
};

struct run {
	struct daemon *daemon;     /* borrowed */
	struct run *next, *prev;   /* list of the engine */
	struct store_action_run row; /* texts owned by the run; plan and outcomes are not kept here */
	char *session_id, *registry; /* owned; NULL until known */
	struct json_object *plan, *outcomes; /* owned */
	struct step *root;         /* owned */
	struct doing *doings;      /* owned list */
	struct timer deadline, again; /* again: a commit failed */
	int64_t deadline_ms;       /* monotonic */
	bool started, over, committing, dirty, ended;
	size_t failures;
	/* Called when the run has ended and its row says so; the run is the callee's. */
	void (*done)(struct run *run);
	void (*event)(struct run *run, struct store_tx *tx); /* adds the event of the end to the last commit */
};

/* From a row and its plan, which is the run's, or freed. NULL: it is no plan. */
struct run *answer_run_new(struct daemon *daemon, const struct store_action_run *row, struct json_object *plan);
void answer_run_start(struct run *run);
/* Gives up what is under way, for the next start of the daemon to do. */
void answer_run_halt(struct run *run);
/* Calls and timers are given up, the run freed. Not while the store has a commit of it, unless the loop has ended. */
void answer_run_free(struct run *run);

#endif
