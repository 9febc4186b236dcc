/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Commands of the main loop to sessions, watches on their views, the end of all of them. */
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/async.h"
#include "sessiond/crypto/crypto.h"
#include "sessiond/daemon.h"
#include "sessiond/session/private.h"
#include "sessiond/session/registry.h"
#include "sessiond/webhook/webhook.h"

/* ---- calls ---- */

static void call_arrives(void *arg)
{
	struct session_call *call = arg;

	call->fn(call->session, call);
}

void registry_call(struct session_entry *entry, void (*fn)(struct session *session, struct session_call *call), char *text, struct send_job *job,
	sessions_done *done, void *arg)
{
	struct session_call *call = xcalloc(1, sizeof *call);

	*call = (struct session_call){ .session = entry->priv->session, .fn = fn, .text = text, .job = job, .done = done, .arg = arg };
	if (!loop_post(entry->priv->on->loop, call_arrives, call)) {
		free(call->text);
		free(call);
	}
}

static void call_returns(void *arg)
{
	struct session_call *call = arg;

	if (call->done)
		call->done(call->arg, call->result);
	if (call->text)
		crypto_wipe(call->text, strlen(call->text));
	free(call->text);
	free(call);
}

void registry_answer(struct session *session, struct session_call *call)
{
	loop_post(session->on->daemon->loop, call_returns, call);
}

/* ---- watches ---- */

void sessions_watch(struct session_entry *entry, struct session_watch *watch, void (*changed)(void *arg, struct session_entry *entry), void *arg)
{
	struct session_private *p = entry->priv;

	*watch = (struct session_watch){ .entry = entry, .changed = changed, .arg = arg, .next = p->watches };
	if (watch->next)
		watch->next->prev = watch;
	p->watches = watch;
}

void sessions_unwatch(struct session_watch *watch)
{
	if (!watch->entry)
		return;
	if (watch->prev)
		watch->prev->next = watch->next;
	else
		watch->entry->priv->watches = watch->next;
	if (watch->next)
		watch->next->prev = watch->prev;
	watch->entry = NULL;
}

/* A watch may end itself or be freed in its call; the others stay. */
void registry_tell_watches(struct session_entry *entry, struct session_entry *shown)
{
	struct session_watch *next;

	for (struct session_watch *w = entry->priv->watches; w; w = next) {
		next = w->next;
		if (!shown)
			sessions_unwatch(w);
		w->changed(w->arg, shown);
	}
}

/* ---- commands ---- */

struct creation {
	struct sessions *sessions;
	char *registry, *id; /* owned */
	int64_t number;
	sessions_done *done;
	void *arg;
};

static void created(void *arg, int error)
{
	struct creation *c = arg;
	const struct store_session row = {
		.number = c->number,
		.id = c->id,
		.registry = c->registry,
		.label = c->id,
		.auto_start = true,
		.state = session_status_name(SESSION_STOPPED),
		.created_ms = timefmt_now_ms(),
	};

	if (!error) {
		sessions_start(c->sessions, registry_add(c->sessions, &row));
		webhooks_session_changed(c->sessions->daemon->webhooks, c->number, c->id);
	}
	c->done(c->arg, error);
	free(c->registry);
	free(c->id);
	free(c);
}

void sessions_create(struct sessions *sessions, const char *registry, const char *id, sessions_done *done, void *arg)
{
	struct store_tx *tx = store_tx_new(sessions->daemon->store);
	struct creation *c = xcalloc(1, sizeof *c);
	const struct store_session row = {
		.id = id,
		.registry = registry,
		.label = id,
		.auto_start = true,
		.state = session_status_name(SESSION_STOPPED),
		.since_ms = timefmt_now_ms(),
		.created_ms = timefmt_now_ms(),
	};

	*c = (struct creation){ .sessions = sessions, .registry = xstrdup(registry), .id = xstrdup(id), .done = done, .arg = arg };
	store_tx_session_add(tx, &row, &c->number);
	async_commit(sessions->daemon->loop, sessions->daemon->store, tx, created, c);
}

void sessions_start(struct sessions *sessions, struct session_entry *entry)
{
	(void)sessions;
	registry_call(entry, session_cmd_start, NULL, NULL, NULL, NULL);
}

void sessions_confirm(struct sessions *sessions, struct session_entry *entry, sessions_done *done, void *arg)
{
	(void)sessions;
	registry_call(entry, session_cmd_confirm, NULL, NULL, done, arg);
}

void sessions_reconnect(struct sessions *sessions, struct session_entry *entry, sessions_done *done, void *arg)
{
	(void)sessions;
	registry_call(entry, session_cmd_reconnect, NULL, NULL, done, arg);
}

void sessions_logout(struct sessions *sessions, struct session_entry *entry, sessions_done *done, void *arg)
{
	(void)sessions;
	registry_call(entry, session_cmd_logout, NULL, NULL, done, arg);
}

void sessions_delete(struct sessions *sessions, struct session_entry *entry, sessions_done *done, void *arg)
{
	(void)sessions;
	entry->priv->removing = true;
	registry_forget_list(sessions, entry->registry);
	registry_call(entry, session_cmd_remove, NULL, NULL, done, arg);
}

struct configuration {
	struct sessions *sessions;
	char *id, *url, *secret; /* owned */
	sessions_done *done;
	void *arg;
};

static void configured(void *arg, int error)
{
	struct configuration *c = arg;
	struct session_entry *entry = sessions_find(c->sessions, c->id);

	if (!error && entry) {
		free(entry->webhook_url);
		free(entry->webhook_secret);
		entry->webhook_url = c->url;
		entry->webhook_secret = c->secret;
		c->url = c->secret = NULL;
		webhooks_session_changed(c->sessions->daemon->webhooks, entry->number, entry->id);
	}
	if (c->done)
		c->done(c->arg, error);
	free(c->id);
	free(c->url);
	free(c->secret);
	free(c);
}

void sessions_set_webhook(struct sessions *sessions, struct session_entry *entry, const char *url, const char *secret, sessions_done *done, void *arg)
{
	struct store_tx *tx = store_tx_new(sessions->daemon->store);
	struct configuration *c = xcalloc(1, sizeof *c);

	*c = (struct configuration){ .sessions = sessions, .id = xstrdup(entry->id), .url = xstrdup(url), .secret = xstrdup(secret), .done = done, .arg = arg };
	store_tx_session_webhook(tx, entry->number, entry->id, url, secret);
	async_commit(sessions->daemon->loop, sessions->daemon->store, tx, configured, c);
}

void sessions_pair_code(struct sessions *sessions, struct session_entry *entry, const char *phone)
{
	(void)sessions;
	registry_call(entry, session_cmd_pair_code, xstrdup(phone), NULL, NULL, NULL);
}

void sessions_want_qr(struct sessions *sessions, struct session_entry *entry)
{
	(void)sessions;
	registry_call(entry, session_cmd_want_qr, NULL, NULL, NULL, NULL);
}

void sessions_passkey_response(struct sessions *sessions, struct session_entry *entry, const char *credential_json, sessions_done *done, void *arg)
{
	(void)sessions;
	registry_call(entry, session_cmd_passkey_response, xstrdup(credential_json), NULL, done, arg);
}

void sessions_passkey_confirm(struct sessions *sessions, struct session_entry *entry, sessions_done *done, void *arg)
{
	(void)sessions;
	registry_call(entry, session_cmd_passkey_confirm, NULL, NULL, done, arg);
}

void sessions_send(struct sessions *sessions, struct session_entry *entry, struct send_job *job)
{
	(void)sessions;
	registry_call(entry, session_cmd_send, NULL, job, NULL, NULL);
}

/* Commands carry a text: "chat author played id". */
void sessions_mark_read(struct sessions *sessions, struct session_entry *entry, const struct session_read_mark *mark, sessions_done *done, void *arg)
{
	char chat[JID_TEXT_MAX], participant[JID_TEXT_MAX];

	(void)sessions;
	jid_format(&mark->chat, chat, sizeof chat);
	jid_format(&mark->participant, participant, sizeof participant);
	registry_call(entry, session_cmd_mark_read, xasprintf("%s %s %d %s", chat, participant[0] ? participant : "-", mark->played, mark->id), NULL, done, arg);
}

/* ---- shutdown ---- */

static void all_stopped(void *arg)
{
	struct sessions *sessions = arg;

	if (sessions->stopped)
		return;
	sessions->stopped = true;
	timer_stop(sessions->daemon->timers, &sessions->stop_timer);
	sessions->stop_done(sessions->stop_arg);
}

static void one_stopped(void *arg, int error)
{
	struct sessions *sessions = arg;

	(void)error;
	if (--sessions->stopping == 0)
		all_stopped(sessions);
}

void sessions_stop_all(struct sessions *sessions, int64_t deadline_ms, void (*done)(void *arg), void *arg)
{
	sessions->stop_done = done;
	sessions->stop_arg = arg;
	sessions->stopping = 1;
	timer_start(sessions->daemon->timers, &sessions->stop_timer, timefmt_monotonic_ms() + deadline_ms, all_stopped, sessions);
	for (struct session_entry *e = sessions->first; e; e = e->priv->next) {
		sessions->stopping++;
		registry_call(e, session_cmd_shutdown, NULL, NULL, one_stopped, sessions);
	}
	one_stopped(sessions, 0);
}
