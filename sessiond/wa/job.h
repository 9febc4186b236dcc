/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The work on one incoming stanza that takes more than one turn: its operation, and its place in the list by which it is found and freed
 * when the client goes. Embedded as the first member of what a handler needs besides.
 */
#ifndef WA_JOB_H
#define WA_JOB_H

#include "sessiond/wa/messaging.h"

struct stanza_job {
	struct stanza_job *next, *prev; /* list of the messaging */
	struct wa_messaging *m;         /* borrowed */
	struct wa_stanza *stanza;       /* borrowed until done */
	struct state_op op;
	void (*clear)(struct stanza_job *job); /* frees what the embedding struct owns; may be NULL */
};

/* A zeroed job of `size` bytes, in the list, with an operation. */
void *wa_job_new(struct wa_messaging *m, struct wa_stanza *stanza, size_t size);
/* Ends the operation, frees the job, gives the stanza back. */
void wa_job_done(struct stanza_job *job);
/* Commits; afterwards the stanza is acked (if stored and still live) and the job is done. For jobs that owe a plain ack. */
void wa_job_commit_and_ack(struct stanza_job *job);
/* Frees all jobs without giving their stanzas back: the client is going. */
void wa_jobs_free(struct wa_messaging *m);

#endif
