/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Life of the work on incoming stanzas. */
#include "sessiond/wa/job.h"

#include <assert.h>
#include <stdlib.h>

#include "common/mem.h"

void *wa_job_new(struct wa_messaging *m, struct wa_stanza *stanza, size_t size)
{
	struct stanza_job *job = xcalloc(1, size);

	job->m = m;
	job->stanza = stanza;
	job->next = m->stanza_jobs;
	if (job->next != NULL)
		job->next->prev = job;
	m->stanza_jobs = job;
	state_op_init(&job->op, wa_client_state(m->client));
	return job;
}

static void job_free(struct stanza_job *job)
{
	if (job->prev != NULL)
		job->prev->next = job->next;
	else
		job->m->stanza_jobs = job->next;
	if (job->next != NULL)
		job->next->prev = job->prev;
	state_op_end(&job->op);
	if (job->clear != NULL)
		job->clear(job);
	free(job);
}

void wa_job_done(struct stanza_job *job)
{
	struct wa_client *client = job->m->client;
	struct wa_stanza *stanza = job->stanza;

	job_free(job);
	wa_stanza_done(client, stanza);
}

static void stored(void *arg, bool ok)
{
	struct stanza_job *job = arg;

	if (ok)
		wa_stanza_ack(job->m->client, job->stanza, 0);
	wa_job_done(job);
}

void wa_job_commit_and_ack(struct stanza_job *job)
{
	/* The changes are visible already: the next stanza need not wait for the disk. */
	wa_stanza_release(job->m->client, job->stanza);
	state_op_commit(&job->op, stored, job);
}

void wa_jobs_free(struct wa_messaging *m)
{
	while (m->stanza_jobs != NULL) {
		struct stanza_job *job = m->stanza_jobs;

		job_free(job);
		assert(m->stanza_jobs != job);
	}
}
