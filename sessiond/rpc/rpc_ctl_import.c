/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ctl.session.import {id, registry?, pn, lid?, pushName?, device?, label?, webhookUrl?, webhookSecret?} with one descriptor: the file of
 * sessiond/import/import.h. An id that is here gets the device if it is not linked. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/mem.h"
#include "sessiond/daemon.h"
#include "sessiond/loop.h"
#include "sessiond/rpc/choice.h"
#include "sessiond/rpc/ctl.h"
#include "sessiond/session/import.h"

enum { IMPORT_MAX_BYTES = 256 << 20, READ_BYTES = 1 << 20 };

struct import_work {
	struct rpc_request *request;
	int fd;             /* owned */
	struct buf records; /* owned */
	long count;
};

static void work_free(struct import_work *w)
{
	close(w->fd);
	buf_wipe(&w->records);
	free(w);
}

/* On a worker thread. */
static void read_records(void *arg)
{
	struct import_work *w = arg;
	ssize_t got;

	do {
		got = pread(w->fd, buf_reserve(&w->records, READ_BYTES), READ_BYTES, (off_t)w->records.len);
		if (got > 0)
			buf_commit(&w->records, (size_t)got);
	} while ((got > 0 && w->records.len <= IMPORT_MAX_BYTES) || (got < 0 && errno == EINTR));
	w->count = got == 0 ? session_import_count(buf_span(&w->records)) : -1;
}

static void imported(void *arg, int error)
{
	if (error == STORE_CONSTRAINT)
		rpc_answer(arg, 409, 2004, "There is no such owner here, or that id has been taken just now", NULL);
	else if (error)
		rpc_answer(arg, 500, 8003, "The session could not be stored: nothing was imported", NULL);
	else
		rpc_answer(arg, 200, 1000, "Session imported", NULL);
}

static bool same_account(const struct session_entry *entry, const struct jid *pn)
{
	return entry->view.registered && jid_equal(&entry->view.me_pn, pn);
}

struct search {
	struct jid pn;
	bool found;
};

static void look(struct session_entry *entry, void *arg)
{
	struct search *search = arg;

	search->found |= same_account(entry, &search->pn);
}

/* False: answered. */
static bool may_take(struct rpc_request *request, const struct session_entry *entry, const char *registry)
{
	if (entry->view.registered)
		rpc_answer(request, 409, 2004, "That id is taken by a session that is linked: log it out first (warestctl session logout), or choose another id", NULL);
	else if (registry && strcmp(registry, entry->registry) != 0)
		rpc_answer(request, 409, 2004, "That id is taken by a session of another user: choose another id", NULL);
	else
		return true;
	return false;
}

static void records_read(void *arg)
{
	struct import_work *w = arg;
	struct rpc_request *request = w->request;
	struct sessions *sessions = request->context->daemon->sessions;
	const char *registry = rpc_param_text(request, "registry");
	const char *lid = rpc_param_text(request, "lid");
	struct session_import import = { .registry = registry ? registry : "admin", .id = rpc_param_text(request, "id"),
		.push_name = rpc_param_text(request, "pushName"), .device = rpc_param_text(request, "device"), .label = rpc_param_text(request, "label"),
		.webhook_url = rpc_param_text(request, "webhookUrl"), .webhook_secret = rpc_param_text(request, "webhookSecret"), .records = buf_span(&w->records) };
	struct session_entry *entry = sessions_find(sessions, import.id);
	struct search search = { 0 };

	if (w->count <= 0 || jid_parse_text(&import.pn, rpc_param_text(request, "pn")) || (lid && jid_parse_text(&import.lid, lid))) {
		rpc_answer(request, 400, 2002, "What came is no import of this version", NULL);
	} else {
		search.pn = import.pn;
		sessions_each(sessions, look, &search);
		if (search.found)
			rpc_answer(request, 409, 2004, "This device is a session already", NULL);
		else if (!entry || may_take(request, entry, registry))
			sessions_import(sessions, entry, &import, imported, request);
	}
	work_free(w);
}

void ctl_session_import(struct rpc_request *request)
{
	const char *id = rpc_param_text(request, "id");
	struct session_entry *entry = id ? sessions_find(request->context->daemon->sessions, id) : NULL;
	struct import_work *w;

	if (!id || !session_id_is_valid(id)) {
		rpc_answer(request, 400, 1100, "An id has 1 to 64 of A-Z a-z 0-9 . _ -", NULL);
	} else if (entry && !may_take(request, entry, rpc_param_text(request, "registry"))) {
		return;
	} else if (request->nfds == 0 || request->fds[0] < 0) {
		rpc_answer(request, 400, 2002, "No import came with the request", NULL);
	} else {
		w = xcalloc(1, sizeof *w);
		w->request = request;
		w->fd = request->fds[0];
		request->fds[0] = -1;
		if (rpc_offload(request->context, read_records, records_read, w))
			abort();
	}
}
