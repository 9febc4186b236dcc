/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A new session: the row first (records are sealed for its number), then everything else in one transaction, which also makes it start by
 * itself. If that fails the row goes again; if the process dies between the two, the row is left without keys, and says so. One that is here but
 * not linked: on its own loop, as if another account had been linked, in one transaction.
 */
#include "sessiond/session/import.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/timefmt.h"
#include "sessiond/async.h"
#include "sessiond/daemon.h"
#include "sessiond/session/private.h"
#include "sessiond/session/registry.h"
#include "sessiond/webhook/webhook.h"

#define MAGIC "WAREST-IMPORT-1\n"
#define UNFINISHED "the import was interrupted: delete this session and import again"

enum { NAME_MAX_BYTES = 512, KIND_MAX = 199 };

struct importing {
	struct sessions *sessions;
	char *registry, *id, *push_name, *device, *label, *webhook_url, *webhook_secret; /* owned; all but the first two may be NULL */
	struct jid pn, lid;
	struct buf records; /* owned */
	int64_t number;
	int error;
	sessions_done *done;
	void *arg;
};

struct one {
	int kind;
	char name[NAME_MAX_BYTES + 1];
	struct span value;
};

/* 1: a record; 0: the end; -1: damaged. */
static int next_record(struct reader *r, struct one *out)
{
	struct span name;

	if (r->left == 0)
		return r->ok ? 0 : -1;
	out->kind = read_u8(r);
	name = read_span(r, read_be16(r));
	out->value = read_span(r, read_be32(r));
	if (!r->ok || out->kind == 0 || out->kind > KIND_MAX || name.n > NAME_MAX_BYTES || (name.n > 0 && memchr(name.p, 0, name.n)))
		return -1;
	memcpy(out->name, name.n > 0 ? name.p : (const uint8_t *)"", name.n);
	out->name[name.n] = '\0';
	return 1;
}

static bool open_file(struct span records, struct reader *out)
{
	size_t n = strlen(MAGIC);

	if (records.n < n || memcmp(records.p, MAGIC, n) != 0)
		return false;
	*out = reader_of(records.p + n, records.n - n);
	return true;
}

long session_import_count(struct span records)
{
	struct reader r;
	struct one one;
	long n = 0;
	int rc;

	if (!open_file(records, &r))
		return -1;
	while ((rc = next_record(&r, &one)) > 0)
		n++;
	return rc < 0 ? -1 : n;
}

static void finish(struct importing *im, int error)
{
	im->done(im->arg, error);
	buf_wipe(&im->records);
	free(im->registry);
	free(im->id);
	free(im->push_name);
	free(im->device);
	free(im->label);
	free(im->webhook_url);
	free(im->webhook_secret);
	free(im);
}

static void taken_back(void *arg, int error)
{
	struct importing *im = arg;

	(void)error;
	finish(im, im->error);
}

static void stored(void *arg, int error)
{
	struct importing *im = arg;
	struct sessions *sessions = im->sessions;
	char pn[JID_TEXT_MAX], lid[JID_TEXT_MAX];
	const struct store_session row = {
		.number = im->number, .id = im->id, .registry = im->registry, .label = im->label ? im->label : im->id, .auto_start = true,
		.webhook_url = im->webhook_url, .webhook_secret = im->webhook_secret,
		.state = session_status_name(SESSION_STOPPED), .created_ms = timefmt_now_ms(), .me_jid = jid_format(&im->pn, pn, sizeof pn),
		.me_lid = jid_is_none(&im->lid) ? NULL : jid_format(&im->lid, lid, sizeof lid), .push_name = im->push_name, .device = im->device,
	};
	struct store_tx *tx;

	if (error) {
		im->error = error;
		tx = store_tx_new(sessions->daemon->store);
		store_tx_session_remove(tx, im->number);
		async_commit(sessions->daemon->loop, sessions->daemon->store, tx, taken_back, im);
		return;
	}
	sessions_start(sessions, registry_add(sessions, &row));
	webhooks_session_changed(sessions->daemon->webhooks, im->number, im->id);
	finish(im, 0);
}

/* Everything but the row itself. */
static void put_device(const struct importing *im, struct store_tx *tx)
{
	char pn[JID_TEXT_MAX], lid[JID_TEXT_MAX];
	struct reader r;
	struct one one;

	if (!open_file(buf_span(&im->records), &r))
		abort();
	while (next_record(&r, &one) > 0)
		store_tx_record_put(tx, im->number, one.kind, one.name, one.value, 0);
	store_tx_session_me(tx, im->number, jid_format(&im->pn, pn, sizeof pn), jid_is_none(&im->lid) ? NULL : jid_format(&im->lid, lid, sizeof lid), im->device,
		NULL);
	store_tx_session_push_name(tx, im->number, im->push_name);
	store_tx_session_auto_start(tx, im->number, true);
	store_tx_session_state(tx, im->number, session_status_name(SESSION_STOPPED), NULL, timefmt_now_ms(), 0);
}

static void row_added(void *arg, int error)
{
	struct importing *im = arg;
	struct store *store = im->sessions->daemon->store;
	struct store_tx *tx;

	if (error) {
		finish(im, error);
		return;
	}
	tx = store_tx_new(store);
	store_tx_chats_owner(tx, im->number, &im->pn);
	put_device(im, tx);
	async_commit(im->sessions->daemon->loop, store, tx, stored, im);
}

static void add_session(struct importing *im)
{
	struct store_tx *tx = store_tx_new(im->sessions->daemon->store);
	const struct store_session row = {
		.id = im->id, .registry = im->registry, .label = im->label ? im->label : im->id, .state = session_status_name(SESSION_STOPPED), .reason = UNFINISHED,
		.since_ms = timefmt_now_ms(), .created_ms = timefmt_now_ms(), .webhook_url = im->webhook_url, .webhook_secret = im->webhook_secret,
	};

	store_tx_session_add(tx, &row, &im->number);
	async_commit(im->sessions->daemon->loop, im->sessions->daemon->store, tx, row_added, im);
}

/* ---- into a session that is here: its own loop, then the main one ---- */

static void into_stored(void *arg, int error)
{
	struct session_call *call = arg;
	struct session *session = call->session;
	const struct importing *im = call->arg;

	session->busy--;
	if (error || session->gone) {
		if (!session->gone)
			session_set_status(session, SESSION_STOPPED, 0, "the import could not be stored");
		call->result = error ? error : STORE_NOT_FOUND;
		registry_answer(session, call);
		session_released(session);
		return;
	}
	session->drop_client = true;
	session->restored = false;
	session->view.registered = true;
	session->view.me_pn = im->pn;
	session->view.me_lid = im->lid;
	session_view_set_text(&session->view.push_name, im->push_name);
	/* Whether it stood still or was offering a code: from the beginning, with the new keys. */
	session_wish(session, STOP_RECONNECT, call);
	session_released(session);
}

static void import_into(struct session *session, struct session_call *call)
{
	const struct importing *im = call->arg;
	struct store *store = session->on->daemon->store;
	struct store_tx *tx;

	if (session->gone || session->wish || session->view.registered) {
		call->result = STORE_CONSTRAINT;
		registry_answer(session, call);
		return;
	}
	/* It may be offering a code: nobody is to scan that any more. */
	session_stop_here(session, SESSION_STOPPED, 0, "a device is being imported");
	session_hang_up(session);
	tx = store_tx_new(store);
	session_account_changed(session, tx, &im->pn);
	store_tx_record_clear(tx, session->number, 0);
	put_device(im, tx);
	store_tx_session_confirm(tx, session->number);
	if (im->webhook_url)
		store_tx_session_webhook(tx, session->number, session->id, im->webhook_url, im->webhook_secret ? im->webhook_secret : "");
	session->busy++;
	async_commit(session->on->loop, store, tx, into_stored, call);
}

/* On the main loop. */
static void into_done(void *arg, int error)
{
	struct importing *im = arg;
	struct session_entry *entry = sessions_find(im->sessions, im->id);

	if (!error && entry) {
		entry->auto_start = true;
		if (im->webhook_url) {
			free(entry->webhook_url);
			free(entry->webhook_secret);
			entry->webhook_url = xstrdup(im->webhook_url);
			entry->webhook_secret = xstrdup(im->webhook_secret ? im->webhook_secret : "");
		}
		webhooks_session_changed(im->sessions->daemon->webhooks, im->number, im->id);
	}
	finish(im, error);
}

static char *copy(const char *text)
{
	return text && text[0] ? xstrdup(text) : NULL;
}

void sessions_import(struct sessions *sessions, struct session_entry *entry, const struct session_import *import, sessions_done *done, void *arg)
{
	struct importing *im = xcalloc(1, sizeof *im);

	*im = (struct importing){ .sessions = sessions, .registry = xstrdup(import->registry), .id = xstrdup(import->id), .pn = import->pn,
		.lid = import->lid, .push_name = copy(import->push_name), .device = copy(import->device), .label = copy(import->label), .done = done, .arg = arg };
	if (!entry || !entry->webhook_url[0]) {
		im->webhook_url = copy(import->webhook_url);
		im->webhook_secret = copy(import->webhook_secret);
	}
	buf_append_span(&im->records, import->records);
	if (entry) {
		im->number = entry->number;
		registry_call(entry, import_into, NULL, NULL, into_done, im);
	} else {
		add_session(im);
	}
}
