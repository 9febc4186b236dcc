/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ctl.*: what warestctl asks for. Only root and the daemon's own user get here; there are no guards and no owner checks.
 *
 *     ctl.status  ctl.session.list  ctl.session.create {id,registry?}  ctl.session.logout {id}  ctl.session.delete {id}
 *     ctl.session.confirm {id}  ctl.session.get {id}  ctl.session.wait {id,until,ms}  ctl.session.reconnect {id}
 *     ctl.send.text {id,to,message}  ctl.key.create {username,label?}  ctl.key.list {username?}
 *     ctl.key.revoke {number}  ctl.webhook.list  ctl.webhook.replay {id,from,to,receiver}  ctl.webhook.resume {id,receiver}
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/mem.h"
#include "common/recipient.h"
#include "sessiond/async.h"
#include "sessiond/crypto/crypto.h"
#include "sessiond/json_text.h"
#include "sessiond/rpc/choice.h"
#include "sessiond/rpc/ctl.h"
#include "sessiond/session/session.h"
#include "sessiond/wa/wa.h"
#include "sessiond/webhook/webhook.h"

static void answer_buf(struct rpc_request *request, const char *message, struct buf *result)
{
	rpc_answer(request, 200, 1000, message, buf_text(result));
	buf_free(result);
}

struct session_entry *ctl_session(struct rpc_request *request)
{
	const char *id = rpc_param_text(request, "id");
	struct session_entry *entry = sessions_find(request->context->daemon->sessions, id);

	if (!entry) {
		rpc_answer(request, 404, 1101, "Session not found", NULL);
		return NULL;
	}
	free(request->session_id);
	request->session_id = xstrdup(id);
	return entry;
}

/* ---- status ---- */

static void put_store(struct buf *out, struct daemon *daemon)
{
	struct store_status s;

	store_status(daemon->store, &s);
	json_put_name(out, "store");
	buf_u8(out, '{');
	json_put_member(out, "driver", s.driver);
	json_put_int(out, "schema", s.schema);
	json_put_bool(out, "restored", s.restored);
	json_put_member(out, "lastError", s.last_error ? store_error_name(s.last_error) : NULL);
	json_put_int(out, "queued", (int64_t)s.queued);
	json_put_int(out, "transactions", (int64_t)s.txs);
	json_put_int(out, "commits", (int64_t)s.commits);
	json_put_int(out, "journalBytes", s.journal_bytes);
	json_put_int(out, "walBytes", s.wal_bytes);
	buf_u8(out, '}');
}

static void put_metrics(struct buf *out, struct metrics *m)
{
	json_put_name(out, "metrics");
	buf_u8(out, '{');
	json_put_int(out, "decrypted", m->decrypted);
	json_put_int(out, "decryptedNotEmitted", m->decrypted - m->emitted);
	json_put_int(out, "undecryptable", m->undecryptable);
	json_put_int(out, "events", m->events);
	json_put_int(out, "sent", m->sent);
	json_put_int(out, "acked", m->acked);
	json_put_int(out, "sendFailed", m->send_failed);
	json_put_int(out, "outboxWaiting", m->outbox_waiting);
	json_put_int(out, "commits", m->commits);
	json_put_int(out, "commitErrors", m->commit_errors);
	json_put_int(out, "rxBytes", m->rx_bytes);
	json_put_int(out, "txBytes", m->tx_bytes);
	json_put_int(out, "rpcRequests", m->rpc_requests);
	json_put_int(out, "rpcRefused", m->rpc_refused);
	buf_u8(out, '}');
}

static void count_status(struct session_entry *entry, void *arg)
{
	int64_t *counts = arg;

	counts[entry->view.status]++;
}

static void do_status(struct rpc_request *request)
{
	struct daemon *daemon = request->context->daemon;
	int64_t counts[SESSION_STATUS_COUNT] = { 0 };
	struct buf out = { 0 };

	sessions_each(daemon->sessions, count_status, counts);
	buf_u8(&out, '{');
	json_put_member(&out, "version", daemon->version);
	json_put_int(&out, "pid", getpid());
	json_put_int(&out, "uptimeSeconds", (timefmt_monotonic_ms() - daemon->started_mono_ms) / 1000);
	json_put_name(&out, "sessions");
	buf_u8(&out, '{');
	json_put_int(&out, "total", (int64_t)sessions_total(daemon->sessions));
	for (int i = 0; i < SESSION_STATUS_COUNT; i++) {
		if (counts[i])
			json_put_int(&out, session_status_name((enum session_status)i), counts[i]);
	}
	buf_u8(&out, '}');
	put_store(&out, daemon);
	put_metrics(&out, &daemon->metrics);
	buf_u8(&out, '}');
	answer_buf(request, "Status", &out);
}

/* ---- sessions ---- */

void ctl_put_session(struct buf *out, const struct session_entry *entry)
{
	const struct session_view *view = &entry->view;

	buf_u8(out, '{');
	session_view_put_item(out, entry->id, view);
	json_put_member(out, "registry", entry->registry);
	json_put_int(out, "reason", view->reason);
	json_put_member(out, "reasonText", view->reason_text[0] ? view->reason_text : NULL);
	json_put_int(out, "since", view->since_ms);
	json_put_int(out, "attempts", view->attempts);
	json_put_int(out, "retryAt", view->retry_at_ms);
	json_put_int(out, "lastRx", view->last_rx_ms);
	json_put_member(out, "qrString", view->qr);
	json_put_member(out, "pairCode", view->pair_code[0] ? view->pair_code : NULL);
	json_put_member(out, "pairError", view->pair_error[0] ? view->pair_error : NULL);
	json_put_member(out, "passkey", passkey_step_name(view->passkey));
	json_put_member(out, "passkeyCode", view->passkey_code[0] ? view->passkey_code : NULL);
	if (view->history_kind) {
		json_put_name(out, "history");
		buf_u8(out, '{');
		json_put_member(out, "kind", view->history_kind);
		json_put_int(out, "percent", view->history_percent);
		json_put_int(out, "messages", view->history_messages);
		buf_u8(out, '}');
	}
	buf_u8(out, '}');
}

static void put_each(struct session_entry *entry, void *arg)
{
	struct buf *out = arg;

	if (out->data[out->len - 1] != '[')
		buf_u8(out, ',');
	ctl_put_session(out, entry);
}

static void do_session_list(struct rpc_request *request)
{
	struct buf out = { 0 };

	buf_u8(&out, '[');
	sessions_each(request->context->daemon->sessions, put_each, &out);
	buf_u8(&out, ']');
	answer_buf(request, "Sessions", &out);
}

static void do_session_get(struct rpc_request *request)
{
	struct session_entry *entry = ctl_session(request);
	struct buf out = { 0 };

	if (!entry)
		return;
	ctl_put_session(&out, entry);
	answer_buf(request, "Session", &out);
}

static void session_created(void *arg, int error)
{
	struct rpc_request *request = arg;

	if (error)
		rpc_answer(request, 409, 2004, error == STORE_CONSTRAINT ? "That id is taken, or there is no such owner" : "The session could not be stored", NULL);
	else
		rpc_answer(request, 200, 1000, "Session created", NULL);
}

static void do_session_create(struct rpc_request *request)
{
	struct sessions *sessions = request->context->daemon->sessions;
	const char *id = rpc_param_text(request, "id");
	const char *registry = rpc_param_text(request, "registry");
	struct session_entry *entry = sessions_find(sessions, id);

	if (!id || !session_id_is_valid(id)) {
		rpc_answer(request, 400, 1100, "An id has 1 to 64 of A-Z a-z 0-9 . _ -", NULL);
	} else if (entry) {
		sessions_want_qr(sessions, entry);
		rpc_answer(request, 200, 1000, "Session exists", NULL);
	} else {
		sessions_create(sessions, registry ? registry : "admin", id, session_created, request);
	}
}

static void session_done(void *arg, int error)
{
	if (error)
		rpc_answer(arg, 500, 8003, "The change could not be stored", NULL);
	else
		rpc_answer(arg, 200, 1000, "Done", NULL);
}

static void do_session_logout(struct rpc_request *request)
{
	struct session_entry *entry = ctl_session(request);

	if (entry)
		sessions_logout(request->context->daemon->sessions, entry, session_done, request);
}

static void do_session_delete(struct rpc_request *request)
{
	struct session_entry *entry = ctl_session(request);

	if (entry)
		sessions_delete(request->context->daemon->sessions, entry, session_done, request);
}

static void do_session_reconnect(struct rpc_request *request)
{
	struct session_entry *entry = ctl_session(request);

	if (entry)
		sessions_reconnect(request->context->daemon->sessions, entry, session_done, request);
}

static void do_session_confirm(struct rpc_request *request)
{
	struct session_entry *entry = ctl_session(request);

	if (entry)
		sessions_confirm(request->context->daemon->sessions, entry, session_done, request);
}

/* ---- sending ---- */

static void sent(struct send_job *job)
{
	struct rpc_request *request = job->arg;
	const struct send_result *result = &job->results[0];
	struct buf out = { 0 };

	if (job->state != SEND_DONE) {
		rpc_answer(request, 409, 1106, job->state == SEND_SESSION_GONE ? "The session is not open" : "The message could not be stored", NULL);
	} else if (result->failed) {
		rpc_answer(request, 502, 3002, result->error[0] ? result->error : "WhatsApp refused the message", NULL);
	} else {
		buf_u8(&out, '{');
		json_put_member(&out, "messageId", result->id);
		json_put_bool(&out, "acked", result->acked);
		buf_u8(&out, '}');
		answer_buf(request, result->acked ? "Sent" : "Not acknowledged yet, the outbox goes on trying", &out);
	}
	send_job_free(job);
}

static void do_send_text(struct rpc_request *request)
{
	const struct daemon *daemon = request->context->daemon;
	struct session_entry *entry = ctl_session(request);
	const char *to = rpc_param_text(request, "to");
	const char *message = rpc_param_text(request, "message");
	struct send_job *job;

	if (!entry)
		return;
	job = send_job_new(1, 1);
	if (!to || recipient_resolve(&job->items[0].to, to, strlen(to), daemon->config->country_code)) {
		send_job_free(job);
		rpc_answer(request, 400, 3007, "The recipient is neither a phone number nor an address", NULL);
		return;
	}
	wa_build_text(&job->contents[0].message, &(struct wa_text){ .text = message ? message : "" });
	job->done = sent;
	job->arg = request;
	sessions_send(daemon->sessions, entry, job);
}

/* ---- webhooks ---- */

static void put_webhook(void *arg, int64_t session, const struct webhook_status *status)
{
	const struct webhook_status s = *status;
	struct buf *out = arg;

	(void)session;
	if (out->data[out->len - 1] != '[')
		buf_u8(out, ',');
	buf_u8(out, '{');
	json_put_member(out, "session", s.session);
	json_put_member(out, "receiver", s.name);
	json_put_member(out, "state", s.state);
	json_put_member(out, "url", s.url);
	json_put_int(out, "cursor", s.cursor);
	json_put_int(out, "failures", s.failures);
	json_put_int(out, "lastStatus", s.last_status);
	json_put_member(out, "lastError", s.last_error);
	json_put_int(out, "failedSince", s.failed_since_ms);
	json_put_int(out, "nextAttempt", s.next_ms);
	json_put_int(out, "delivered", s.delivered_ms);
	json_put_int(out, "lost", s.lost);
	buf_u8(out, '}');
}

static void do_webhook_list(struct rpc_request *request)
{
	struct buf out = { 0 };

	buf_u8(&out, '[');
	webhooks_each(request->context->daemon->webhooks, put_webhook, &out);
	buf_u8(&out, ']');
	answer_buf(request, "Webhooks", &out);
}

static void replayed(void *arg, int count)
{
	struct buf out = { 0 };

	if (count == -1) {
		rpc_answer(arg, 404, 2600, "Webhook not found", NULL);
		return;
	}
	if (count < 0) {
		rpc_answer(arg, count == -2 ? 409 : 503, count == -2 ? 2003 : 8000, count == -2 ? "Too much is queued already" : "The store failed", NULL);
		return;
	}
	buf_printf(&out, "{\"queued\":%d}", count);
	answer_buf(arg, "Queued again", &out);
}

/* The session's own unless another is named. */
static const char *receiver_of(struct rpc_request *request)
{
	struct json_object *named = json_object_object_get(request->p, "receiver");

	return json_object_is_type(named, json_type_string) ? json_object_get_string(named) : HOOK_OWN;
}

static void do_webhook_replay(struct rpc_request *request)
{
	struct session_entry *entry = ctl_session(request);
	int64_t from = json_object_get_int64(json_object_object_get(request->p, "from"));
	int64_t to = json_object_get_int64(json_object_object_get(request->p, "to"));

	const struct webhook_replay wanted = { .session = entry ? entry->number : 0, .receiver = receiver_of(request), .from = from,
		.to = to > 0 ? to : INT64_MAX };

	if (entry)
		webhooks_replay(request->context->daemon->webhooks, &wanted, replayed, request);
}

static void do_webhook_resume(struct rpc_request *request)
{
	struct session_entry *entry = ctl_session(request);

	if (!entry)
		return;
	if (webhooks_resume(request->context->daemon->webhooks, entry->number, receiver_of(request)) > 0)
		rpc_answer(request, 200, 1000, "Done", NULL);
	else
		rpc_answer(request, 404, 2600, "Webhook not found", NULL);
}

const struct rpc_method rpc_ctl_methods[] = {
	{ "ctl.status", do_status },
	{ "ctl.session.list", do_session_list },
	{ "ctl.session.get", do_session_get },
	{ "ctl.session.wait", ctl_session_wait },
	{ "ctl.session.create", do_session_create },
	{ "ctl.session.import", ctl_session_import },
	{ "ctl.session.logout", do_session_logout },
	{ "ctl.session.delete", do_session_delete },
	{ "ctl.session.reconnect", do_session_reconnect },
	{ "ctl.session.confirm", do_session_confirm },
	{ "ctl.send.text", do_send_text },
	{ "ctl.webhook.list", do_webhook_list },
	{ "ctl.webhook.replay", do_webhook_replay },
	{ "ctl.webhook.resume", do_webhook_resume },
	{ "ctl.key.create", ctl_key_create },
	{ "ctl.key.list", ctl_key_list },
	{ "ctl.key.rotate", ctl_key_rotate },
	{ "ctl.key.revoke", ctl_key_revoke },
	{ "ctl.user.list", ctl_user_list },
	{ "ctl.user.add", ctl_user_add },
	{ "ctl.user.change", ctl_user_change },
	{ "ctl.user.import", ctl_user_import },
	{ "ctl.user.delete", ctl_user_delete },
	{ "ctl.audit.list", ctl_audit_list },
	{ NULL, NULL },
};
