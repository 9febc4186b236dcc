/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Uploads for the main loop: the letter to the session's loop and back. */
#include "sessiond/session/upload.h"

#include <stdlib.h>
#include <unistd.h>

#include "common/mem.h"
#include "sessiond/session/object.h"
#include "sessiond/session/private.h"
#include "sessiond/session/registry.h"

struct upload_call {
	struct session *session;
	struct session_call *call;
	struct upload_job *job;
};

static void uploaded(void *arg, const struct transfer_result *result)
{
	struct upload_call *u = arg;

	u->job->error = result->error;
	u->job->status = result->status;
	if (!result->error)
		transfer_file_copy(&u->job->file, result->file);
	registry_answer(u->session, u->call);
	free(u);
}

static void cmd_upload(struct session *session, struct session_call *call)
{
	struct upload_job *job = call->arg;
	struct upload_call *u;

	if (session->wish || session->view.status != SESSION_OPEN) {
		job->error = TRANSFER_E_OFFLINE;
		registry_answer(session, call);
		return;
	}
	u = xmalloc(sizeof *u);
	*u = (struct upload_call){ session, call, job };
	transfer_upload(session, job->kind, job->fd, job->max_len, !job->plain, uploaded, u);
}

static void came_back(void *arg, int error)
{
	struct upload_job *job = arg;

	(void)error;
	job->done(job);
}

void sessions_upload(struct sessions *sessions, struct session_entry *entry, struct upload_job *job)
{
	(void)sessions;
	job->error = TRANSFER_E_OFFLINE;
	registry_call(entry, cmd_upload, NULL, NULL, came_back, job);
}
