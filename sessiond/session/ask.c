/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See ask.h. */
#include "sessiond/session/ask.h"

#include "sessiond/session/private.h"
#include "sessiond/session/registry.h"

enum { CODE_NOT_CONNECTED = 503 };

static void called_back(void *arg, int error)
{
	struct ask_job *job = arg;

	(void)error;
	job->done(job);
}

void sessions_ask(struct sessions *sessions, struct session_entry *entry, struct ask_job *job)
{
	(void)sessions;
	registry_call(entry, session_cmd_ask, NULL, NULL, called_back, job);
}

struct wa_client *ask_client(const struct ask_job *job)
{
	struct wa_client *client = job->session->client;

	return client && !job->session->wish && wa_client_is_open(client) ? client : NULL;
}

void ask_settle(struct ask_job *job, int code)
{
	job->code = code;
	registry_answer(job->session, job->call);
}

void ask_coded(void *job, int code)
{
	ask_settle(job, code);
}

bool ask_refused(int code)
{
	return code >= 400 && code < 500 && code != 408 && code != 429;
}

void session_cmd_ask(struct session *session, struct session_call *call)
{
	struct ask_job *job = call->arg;

	job->session = session;
	job->call = call;
	job->own_pn = jid_bare(&session->view.me_pn);
	job->own_lid = jid_bare(&session->view.me_lid);
	if (ask_client(job))
		job->run(job);
	else
		ask_settle(job, CODE_NOT_CONNECTED);
}
