/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Audiences of a status (see audience.h). */
#include "sessiond/session/audience.h"

#include <stdlib.h>

#include "common/mem.h"

struct finding {
	struct session *session;
	struct send_job *job;
	void (*done)(void *arg, bool somebody);
	void *arg;
};

bool audience_wanted(const struct send_job *job)
{
	for (size_t i = 0; i < job->n; i++) {
		if (jid_is_status(&job->items[i].to) && !job->items[i].naudience)
			return true;
	}
	return false;
}

static void take(struct send_job *job, const struct jid *list, size_t n)
{
	for (size_t i = 0; i < job->n; i++) {
		struct send_item *item = &job->items[i];

		if (!jid_is_status(&item->to) || item->naudience || !n)
			continue;
		item->audience = xmemdup(list, n * sizeof *list);
		item->naudience = n;
	}
}

static void told(void *arg, const struct wa_status_privacy *privacy, int code)
{
	struct finding *f = arg;

	(void)code;
	if (privacy && privacy->mode == WA_STATUS_ONLY)
		take(f->job, privacy->list, privacy->n);
	f->done(f->arg, !audience_wanted(f->job));
	free(f);
}

void audience_find(struct session *session, struct send_job *job, void (*done)(void *arg, bool somebody), void *arg)
{
	struct finding *f = xmalloc(sizeof *f);

	*f = (struct finding){ session, job, done, arg };
	wa_client_status_privacy(session->client, told, f);
}
