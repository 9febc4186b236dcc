/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Questions about groups on their way to the session and back. */
#include "sessiond/session/groupjob.h"

#include <stdlib.h>

#include "common/mem.h"
#include "sessiond/session/object.h"
#include "sessiond/session/private.h"
#include "sessiond/session/registry.h"
#include "sessiond/wa/profile.h"

struct group_job *group_job_new(enum wa_ask_kind kind, const struct jid *group)
{
	struct group_job *job = xcalloc(1, sizeof *job);

	job->ask.kind = kind;
	if (group)
		job->ask.group = jid_bare(group);
	return job;
}

struct group_job *group_job_picture(enum group_what what, const struct jid *group)
{
	struct group_job *job = group_job_new(WA_ASK_GROUP, group);

	job->what = what;
	return job;
}

void group_job_free(struct group_job *job)
{
	if (!job)
		return;
	wa_group_answer_clear(&job->answer);
	buf_free(&job->jpeg);
	free(job->text);
	free(job->description);
	free(job->previous);
	free(job->people);
	free(job);
}

/* ---- on the main loop ---- */

static void called_back(void *arg, int error)
{
	struct group_job *job = arg;

	(void)error;
	job->done(job);
}

void sessions_group(struct sessions *sessions, struct session_entry *entry, struct group_job *job)
{
	(void)sessions;
	registry_call(entry, session_cmd_group, NULL, NULL, called_back, job);
}

/* ---- on the session's loop ---- */

static void give_back(struct group_job *job)
{
	struct session *session = job->session;

	if (job->code)
		log_info(&session->log, "a question about groups was refused", LOG_STR("session", session->id), LOG_INT("ask", job->ask.kind),
			 LOG_INT("code", job->code), LOG_STR("reason", job->answer.reason ? job->answer.reason : ""));
	registry_answer(session, job->call);
}

static void answered(void *arg, struct wa_group_answer *answer)
{
	struct group_job *job = arg;

	job->answer = *answer;
	*answer = (struct wa_group_answer){ 0 };
	job->code = job->answer.code;
	give_back(job);
}

static void picture_came(void *arg, const struct wa_picture *picture, int code)
{
	struct group_job *job = arg;

	job->code = code;
	if (picture)
		job->answer.text = xstrdup(picture->url);
	give_back(job);
}

static void picture_set(void *arg, int code)
{
	struct group_job *job = arg;

	job->code = code;
	give_back(job);
}

static void ask(struct group_job *job)
{
	job->ask.text = job->text;
	job->ask.description = job->description;
	job->ask.previous = job->previous;
	job->ask.people = job->people;
	wa_client_group_ask(job->session->client, &job->ask, answered, job);
}

void session_cmd_group(struct session *session, struct session_call *call)
{
	struct group_job *job = call->arg;

	job->session = session;
	job->call = call;
	job->own = jid_bare(&session->view.me_pn);
	job->own_lid = jid_bare(&session->view.me_lid);
	if (!session->client || jid_is_none(&session->view.me_pn)) {
		job->code = GROUP_SESSION_GONE;
		registry_answer(session, call);
		return;
	}
	if (job->what == GROUP_PICTURE)
		wa_client_picture(session->client, &job->ask.group, true, job->text, picture_came, job);
	else if (job->what == GROUP_SET_PICTURE)
		wa_client_set_picture(session->client, &job->ask.group, buf_span(&job->jpeg), picture_set, job);
	else
		ask(job);
}
