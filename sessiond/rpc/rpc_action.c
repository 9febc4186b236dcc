/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Actions on messages: reaction, unreaction, edit, revoke, pin, mark-as-read, forward (rest-a 8, rest-b 2.4, D12, K9).
 *
 *     look the message up --> build a message about it --> job --> session --> job done --> answer
 *
 * A message that is not known can still be reacted to and marked as read (K9: the chat may be older than we are); everything else needs
 * its author or its content and is refused in the contract's words, and nothing is sent.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/async.h"
#include "sessiond/json_text.h"
#include "sessiond/rpc/send.h"
#include "sessiond/session/change.h"
#include "sessiond/session/lookup.h"
#include "sessiond/session/route.h"
#include "sessiond/wa/wa.h"

/* Clients show an edit of a message that is not older than this. */
#define EDIT_WINDOW_MS ((int64_t)20 * 60 * 1000)
/* ... in a channel of a post that is not older than this. */
#define POST_EDIT_WINDOW_MS ((int64_t)30 * 24 * 3600 * 1000)
/* Chunks of a status whose audience is read. */
#define CHUNKS_MAX 1000

struct call;

struct action {
	const char *name;
	const char *message, *status;      /* of success */
	int fail_status, fail_code;
	const char *fail_message;
	bool unknown;                      /* may be tried on a message that is not known */
	/* Appends what is sent. False: it cannot be done, why is in call->reason. */
	bool (*build)(struct call *call, struct buf *out);
	void (*sent)(struct call *call);   /* WhatsApp has taken it: goes on to the answer; NULL: succeed() */
	void (*put)(struct call *call);    /* the answer; NULL: put_result() */
};

struct call {
	const struct action *action;
	struct rpc_request *request;
	struct jid to;
	const char *id;                    /* borrowed from the request */
	struct lookup_account who;
	struct arena arena;
	struct lookup found;
	struct wa_message_key key;
	bool no_admin;                     /* of the group, as far as it is known */
	struct jid *audience;              /* owned: of an own status; naudience of them */
	size_t naudience;
	const char *reason;                /* static */
	struct buf result;
};

static void call_free(void *arg)
{
	struct call *call = arg;

	free(call->audience);
	arena_free(&call->arena);
	buf_free(&call->result);
	free(call);
}

/* ---- answers ---- */

static void fail(struct call *call, const char *reason)
{
	struct rpc_request *request = call->request;

	log_warn(&request->context->log, "action on a message not done", LOG_STR("session", request->session_id), LOG_STR("action", call->action->name),
		LOG_STR("message", call->id), LOG_STR("reason", reason));
	rpc_answer(request, call->action->fail_status, call->action->fail_code, call->action->fail_message, NULL);
}

static const char *own_number(const struct call *call)
{
	return call->who.pn.user;
}

/* rest-a 8 */
static void put_result(struct call *call)
{
	struct buf *out = &call->result;
	char text[JID_TEXT_MAX];

	buf_u8(out, '{');
	json_put_member(out, "sessionId", call->request->session_id);
	json_put_member(out, "phone", own_number(call));
	json_put_member(out, "to", call->to.user);
	json_put_member(out, "toJid", jid_format(&call->to, text, sizeof text));
	json_put_member(out, "messageId", call->id);
	json_put_member(out, "status", call->action->status);
	buf_u8(out, '}');
}

static bool is_unpin(const struct call *call)
{
	return !rpc_param_bool(call->request, "pin");
}

/* rest-b 2.4 */
static void put_pin(struct call *call)
{
	struct buf *out = &call->result;
	char text[JID_TEXT_MAX];

	buf_u8(out, '{');
	json_put_member(out, "sessionId", call->request->session_id);
	json_put_member(out, "phone", own_number(call));
	json_put_member(out, "chatId", jid_format(&call->to, text, sizeof text));
	json_put_member(out, "messageId", call->id);
	json_put_bool(out, "pinned", !is_unpin(call));
	json_put_member(out, "message", is_unpin(call) ? "Message unpinned successfully" : "Message pinned successfully");
	json_put_int(out, "updatedAt", timefmt_now_ms() / 1000);
	buf_u8(out, '}');
}

static void succeed(struct call *call)
{
	const struct action *action = call->action;
	const char *message = action->put == put_pin && is_unpin(call) ? "Message unpinned" : action->message;

	if (action->put)
		action->put(call);
	else
		put_result(call);
	rpc_answer(call->request, 200, 1000, message, buf_text(&call->result));
}

/* ---- what is sent ---- */

static bool build_reaction(struct call *call, struct buf *out)
{
	wa_build_reaction(out, &call->key, rpc_param_text(call->request, "emoji"), timefmt_now_ms());
	return true;
}

static bool build_unreaction(struct call *call, struct buf *out)
{
	wa_build_reaction(out, &call->key, "", timefmt_now_ms());
	return true;
}

static bool never_sent(const struct call *call)
{
	return call->found.state == STORE_OUTBOX_FAILED || call->found.state == STORE_OUTBOX_CANCELLED;
}

static bool is_channel(const struct call *call)
{
	return call->to.server == JID_SERVER_NEWSLETTER;
}

static int64_t edit_window_ms(const struct call *call)
{
	return is_channel(call) ? POST_EDIT_WINDOW_MS : EDIT_WINDOW_MS;
}

static bool build_edit(struct call *call, struct buf *out)
{
	int64_t now_ms = timefmt_now_ms();

	if (!call->found.from_me)
		call->reason = "it is somebody else's message";
	else if (never_sent(call))
		call->reason = "it was never sent";
	else if (call->found.time_ms > 0 && now_ms - call->found.time_ms > edit_window_ms(call))
		call->reason = is_channel(call) ? "it is older than 30 days" : "it is older than 20 minutes";
	else if (!wa_build_edit(out, &call->key, call->found.message, rpc_param_text(call->request, "message"), now_ms))
		call->reason = "it has neither text nor caption";
	return !call->reason;
}

static bool build_revoke(struct call *call, struct buf *out)
{
	if (!call->found.from_me && call->to.server != JID_SERVER_GROUP && !is_channel(call))
		call->reason = "it is somebody else's message";
	else if (!call->found.from_me && call->no_admin)
		call->reason = "it is somebody else's message, and we are no admin of the group";
	else if (never_sent(call))
		call->reason = "it was never sent";
	else
		wa_build_revoke(out, &call->key);
	return !call->reason;
}

static bool build_pin(struct call *call, struct buf *out)
{
	int duration = json_object_get_int(json_object_object_get(call->request->p, "duration"));

	wa_build_pin(out, &call->key, is_unpin(call) ? 0 : (uint32_t)duration, timefmt_now_ms());
	return true;
}

/* ---- sending it ---- */

static const struct send_result *failure_of(const struct send_job *job)
{
	for (size_t i = 0; i < job->n; i++) {
		if (job->results[i].failed)
			return &job->results[i];
	}
	return NULL;
}

static bool is_held(const struct send_job *job)
{
	bool held = false;

	for (size_t i = 0; i < job->n; i++)
		held = held || job->results[i].hold != HOLD_NONE;
	return held;
}

/* Not done yet, but it will be. */
static void answer_held(struct rpc_request *request, const struct send_job *job)
{
	if (send_retry_after_s(job) > 0)
		rpc_header_int(request, "Retry-After", send_retry_after_s(job));
	rpc_answer(request, 202, 3000, "Message queued to send", NULL);
}

static void go_on(struct call *call)
{
	if (call->action->sent)
		call->action->sent(call);
	else
		succeed(call);
}

static void job_done(struct send_job *job)
{
	struct rpc_request *request = job->arg;
	struct call *call = request->work;
	const struct send_result *failure = failure_of(job);

	/* An action of a webhook's answer that was done before the daemon died: the rest of it follows. */
	if (job->state == SEND_DUPLICATE_ID && rpc_param_text(request, "stanzaId"))
		go_on(call);
	else if (job->state == SEND_SESSION_GONE)
		rpc_answer(request, 404, 1101, "Session not found", NULL);
	else if (job->state == SEND_NO_AUDIENCE)
		fail(call, "it is not known who has seen the status");
	else if (job->state != SEND_DONE)
		fail(call, "it could not be stored");
	else if (failure)
		fail(call, failure->error[0] ? failure->error : "refused by WhatsApp");
	else if (is_held(job))
		answer_held(request, job);
	else
		go_on(call);
	send_job_free(job);
}

/* A post in a channel is named by its own id or number; a status goes to whom the post went, or to its author. */
static void address(const struct call *call, struct send_item *item)
{
	bool changes_post = call->action->build == build_edit || call->action->build == build_revoke;

	item->to = call->to;
	if (is_channel(call)) {
		item->wire_id = changes_post ? xstrdup(call->id) : NULL;
		item->server_id = call->found.server_id;
	} else if (call->naudience) {
		item->audience = xmemdup(call->audience, call->naudience * sizeof *item->audience);
		item->naudience = call->naudience;
	} else if (jid_is_status(&call->to) && call->found.error == STORE_OK && !call->found.from_me) {
		item->audience = xmemdup(&call->found.author, sizeof call->found.author);
		item->naudience = 1;
	}
}

static void send_it(struct call *call)
{
	struct rpc_request *request = call->request;
	struct session_entry *entry = rpc_session(request);
	const char *own_id = rpc_param_text(request, "stanzaId"); /* of callers inside the daemon, who may ask twice */
	struct send_job *job;
	bool built;

	if (!entry)
		return;
	job = send_job_new(1, 1);
	address(call, &job->items[0]);
	if (own_id)
		snprintf(job->items[0].id, sizeof job->items[0].id, "%s", own_id);
	built = call->action->build(call, &job->contents[0].message);
	if (built && jid_is_status(&call->to) && !job->items[0].naudience) {
		call->reason = "it is not known whose status it is, or who sees it";
		built = false;
	}
	job->priority = SEND_HIGH;
	job->source = request->source;
	job->done = job_done;
	job->arg = request;
	if (built) {
		sessions_send(request->context->daemon->sessions, entry, job);
		return;
	}
	send_job_free(job);
	fail(call, call->reason);
}

/* ---- an edited message reads as edited from now on, whatever refers to it ---- */

static void edit_stored(void *arg, int error)
{
	struct call *call = arg;

	/* Everybody else has the edit: the answer is true. */
	if (error)
		log_error(&call->request->context->log, "an edited message cannot be stored", LOG_STR("message", call->id), LOG_STR("reason", store_error_name(error)));
	succeed(call);
}

static void store_edit(struct call *call)
{
	const struct daemon *daemon = call->request->context->daemon;
	const struct lookup *found = &call->found;
	struct store_tx *tx;
	struct buf edited = { 0 };

	/* In chats the edit was written when it was sent. The outbox keeps what was sent: a device that asks for it again gets that, and the edit. */
	if (found->in_chats || !wa_edited(&edited, found->message, rpc_param_text(call->request, "message"))) {
		buf_wipe(&edited);
		succeed(call);
		return;
	}
	tx = store_tx_new(daemon->store);
	lookup_keep(tx, call->who.session, call->id, &found->author, &found->chat, found->time_ms, buf_span(&edited), timefmt_now_ms());
	buf_wipe(&edited);
	async_commit(daemon->loop, daemon->store, tx, edit_stored, call);
}

/* ---- a revoked message goes from our own devices, too ---- */

static void deleted(struct change_job *job)
{
	struct rpc_request *request = job->arg;
	struct call *call = request->work;

	if (job->code == CHANGE_DONE) {
		succeed(call);
	} else {
		log_warn(&request->context->log, "message revoked, but not deleted for us", LOG_STR("session", request->session_id), LOG_STR("message", call->id),
			LOG_INT("code", job->code), LOG_STR("reason", job->error));
		rpc_answer(request, 502, 4000, "Message revoked, but not deleted for me", NULL);
	}
	change_job_free(job);
}

static void delete_for_us(struct call *call)
{
	struct rpc_request *request = call->request;
	struct session_entry *entry;
	struct change_job *job;

	if (!rpc_param_bool(request, "deleteForMe")) {
		succeed(call);
		return;
	}
	entry = rpc_session(request);
	if (!entry)
		return;
	job = change_job_new("deleteMessageForMe", &call->to);
	job->on = true;
	job->media_too = true;
	job->message_id = xstrdup(call->id);
	job->done = deleted;
	job->arg = request;
	sessions_change(request->context->daemon->sessions, entry, job);
}

/* ---- finding it ---- */

/* Members know of each other who is an admin: what somebody else deletes is shown to nobody as deleted. */
static bool known_without_rights(struct store_reader *reader, struct call *call)
{
	char name[JID_TEXT_MAX];
	const struct store_record_key key = { .kind = WA_RECORD_GROUP, .name = jid_format(&call->to, name, sizeof name) };
	struct wa_group group = { 0 };
	struct span value = { 0 };
	bool without = false;

	if (call->to.server != JID_SERVER_GROUP || store_record_get(reader, &call->arena, call->who.session, &key, 1, &value) || !value.p)
		return false;
	if (wa_group_read(value, &call->to, &group)) {
		without = true;
		for (size_t i = 0; i < group.n; i++) {
			const struct wa_group_member *m = &group.members[i];
			bool own = jid_same_user(&m->jid, &call->who.pn) || jid_same_user(&m->jid, &call->who.lid) || jid_same_user(&m->other, &call->who.pn);

			if (own && m->role != WA_GROUP_MEMBER)
				without = false;
		}
	}
	wa_group_clear(&group);
	return without;
}

/* Everybody whom an own status is for. */
static void find_audience(struct store_reader *reader, struct call *call)
{
	struct send_route own, chunk;

	route_load(&own, call->found.info);
	for (size_t i = 0; i < own.chunks && own.chunks <= CHUNKS_MAX; i++) {
		struct store_outbox row;

		if (store_outbox_get(reader, &call->arena, own.first + (int64_t)i, &row) || row.session != call->who.session)
			continue;
		route_load(&chunk, row.info);
		call->audience = xrealloc(call->audience, (call->naudience + chunk.naudience + 1) * sizeof *call->audience);
		for (size_t k = 0; k < chunk.naudience; k++)
			call->audience[call->naudience++] = chunk.audience[k];
		route_free(&chunk);
	}
	route_free(&own);
}

static void look_up(struct store_reader *reader, void *arg)
{
	struct call *call = arg;

	lookup_message(reader, &call->arena, &call->who, call->id, &call->found);
	if (call->found.error == STORE_OK && call->found.row && jid_is_status(&call->to) && call->action->build == build_revoke)
		find_audience(reader, call);
	if (call->action->build == build_revoke)
		call->no_admin = known_without_rights(reader, call);
}

/* A message of another chat is not the one that is meant. Persons have two addresses, so only the same kind can be told apart. */
static bool elsewhere(const struct call *call)
{
	return call->found.chat.server == call->to.server && !jid_same_user(&call->found.chat, &call->to);
}

static void make_key(struct call *call)
{
	struct lookup *found = &call->found;

	if (found->error == STORE_OK && elsewhere(call))
		*found = (struct lookup){ .error = STORE_NOT_FOUND };
	call->key = (struct wa_message_key){ .chat = call->to, .id = call->id };
	if (found->error != STORE_OK)
		return;
	call->key.from_me = found->from_me;
	if (!jid_is_person(&call->to) && !found->from_me)
		call->key.participant = found->author;
}

static void looked_up(void *arg)
{
	struct call *call = arg;

	make_key(call);
	if (call->found.error == STORE_OK || (call->found.error == STORE_NOT_FOUND && call->action->unknown))
		send_it(call);
	else
		fail(call, call->found.error == STORE_NOT_FOUND ? "no such message is known" : store_error_name(call->found.error));
}

/* NULL: the request was answered. */
static struct call *call_new(struct rpc_request *request, const struct action *action)
{
	struct session_entry *entry = rpc_session(request);
	const char *id = rpc_param_text(request, "messageId"), *to = rpc_param_text(request, action->put == put_pin ? "chatId" : "to");
	struct call *call;

	if (!entry)
		return NULL;
	call = xcalloc(1, sizeof *call);
	if (!id || !id[0] || !to || jid_parse_text(&call->to, to)) {
		free(call);
		rpc_answer(request, 400, 2001, "Missing destination or messageId", NULL);
		return NULL;
	}
	call->action = action;
	call->request = request;
	call->to = jid_bare(&call->to);
	call->id = id;
	call->who = (struct lookup_account){ .session = entry->number, .pn = entry->view.me_pn, .lid = entry->view.me_lid };
	arena_init(&call->arena, 0);
	request->work = call;
	request->work_free = call_free;
	return call;
}

static void act(struct rpc_request *request, const struct action *action)
{
	const struct daemon *daemon = request->context->daemon;
	struct call *call = call_new(request, action);

	if (call)
		async_read(daemon->loop, daemon->store, look_up, looked_up, call);
}

static void do_reaction(struct rpc_request *request)
{
	static const struct action action = { "reaction", "Reaction applied", "reaction applied success", 502, 4005, "Failed to react to message", true,
		build_reaction, NULL, NULL };

	act(request, &action);
}

static void do_unreaction(struct rpc_request *request)
{
	static const struct action action = { "unreaction", "Reaction removed", "reaction removed success", 502, 4005, "Failed to remove reaction", true,
		build_unreaction, NULL, NULL };

	act(request, &action);
}

static void do_edit(struct rpc_request *request)
{
	static const struct action action = { "edit", "Message edited", "message edited success", 403, 4001, "Editing this message is not allowed", false,
		build_edit, store_edit, NULL };

	act(request, &action);
}

static void do_revoke(struct rpc_request *request)
{
	static const struct action action = { "revoke", "Message revoked", "message revoked success", 502, 4000, "Failed to revoke message", false,
		build_revoke, delete_for_us, NULL };

	act(request, &action);
}

static void do_pin(struct rpc_request *request)
{
	static const struct action action = { "pin", "Message pinned", NULL, 403, 4003, "Pin/unpin not allowed", false, build_pin, NULL, put_pin };

	act(request, &action);
}

/* ---- read and played ---- */

static void marked(void *arg, int error)
{
	struct call *call = arg;

	if (error)
		rpc_answer(call->request, 500, 8000, "Internal server error", NULL);
	else
		succeed(call);
}

static void mark(void *arg)
{
	struct call *call = arg;
	struct rpc_request *request = call->request;
	struct session_entry *entry = rpc_session(request);
	struct session_read_mark mark;

	if (!entry)
		return;
	make_key(call);
	if (call->found.error && call->found.error != STORE_NOT_FOUND) {
		fail(call, store_error_name(call->found.error));
	} else if (call->found.from_me) {
		/* Nobody waits for a receipt of one's own message. */
		succeed(call);
	} else if (call->found.error && !jid_is_person(&call->to)) {
		log_warn(&request->context->log, "message not marked as read: its author is not known", LOG_STR("message", call->id));
		rpc_answer(request, 404, 2601, "Message not found", NULL);
	} else {
		mark = (struct session_read_mark){ .chat = call->to, .participant = call->key.participant, .played = rpc_param_bool(request, "played") };
		snprintf(mark.id, sizeof mark.id, "%s", call->id);
		sessions_mark_read(request->context->daemon->sessions, entry, &mark, marked, call);
	}
}

static void do_mark(struct rpc_request *request)
{
	static const struct action action = { "mark-as-read", "Message marked as read", "message read success", 500, 8000, "Internal server error", true,
		NULL, NULL, NULL };
	const struct daemon *daemon = request->context->daemon;
	struct call *call = call_new(request, &action);

	if (call)
		async_read(daemon->loop, daemon->store, look_up, mark, call);
}

/* ---- passing on ---- */

/* Its own state: request->work belongs to the idempotency key. */
struct forward {
	struct rpc_request *request;
	struct lookup_account who;
	struct arena arena;
	struct lookup found;
};

static void find_forwarded(struct store_reader *reader, void *arg)
{
	struct forward *f = arg;

	lookup_message(reader, &f->arena, &f->who, rpc_param_text(f->request, "forwardedMessageId"), &f->found);
}

static void forward(void *arg)
{
	struct forward *f = arg;
	struct rpc_request *request = f->request;
	struct send_plan *plan = send_plan_new(1, "Forwarded message", "message forwarded", "message");
	uint32_t score;

	if (f->found.error == STORE_NOT_FOUND) {
		rpc_answer(request, 404, 2601, "Message not found", NULL);
	} else if (f->found.error) {
		rpc_answer(request, 502, 4002, "Failed to forward message", NULL);
	} else if (!wa_build_forward(&plan->contents[0].message, f->found.message, f->found.from_me, &score)) {
		rpc_answer(request, 400, 3004, "Unsupported message type", NULL);
	} else {
		json_put_member(&plan->shape.extras, "forwardedMessageId", rpc_param_text(request, "forwardedMessageId"));
		json_put_int(&plan->shape.extras, "forwardingScore", score);
		plan->forwarding_score = score;
		send_go(request, plan);
		plan = NULL;
	}
	send_plan_free(plan);
	arena_free(&f->arena);
	free(f);
}

static void build_forward(struct rpc_request *request)
{
	const struct daemon *daemon = request->context->daemon;
	struct session_entry *entry = rpc_session(request);
	struct forward *f;

	if (!entry)
		return;
	if (!rpc_param_text(request, "forwardedMessageId")) {
		rpc_answer(request, 400, 2001, "Missing destination or messageId", NULL);
		return;
	}
	f = xcalloc(1, sizeof *f);
	f->request = request;
	f->who = (struct lookup_account){ .session = entry->number, .pn = entry->view.me_pn, .lid = entry->view.me_lid };
	arena_init(&f->arena, 0);
	async_read(daemon->loop, daemon->store, find_forwarded, forward, f);
}

static void do_forward(struct rpc_request *request)
{
	send_begin(request, build_forward);
}

const struct rpc_method rpc_action_methods[] = {
	{ "messages.action.reaction", do_reaction },
	{ "messages.action.unreaction", do_unreaction },
	{ "messages.action.edit", do_edit },
	{ "messages.action.revoke", do_revoke },
	{ "messages.action.mark-as-read", do_mark },
	{ "messages.action.forward", do_forward },
	{ "chats.message.pin", do_pin },
	{ NULL, NULL },
};
