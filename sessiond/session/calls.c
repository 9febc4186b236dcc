/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Calls as events of the journal (webhooks.md 4.11), and their automatic refusal. The members callerPn, callerLid, groupJid and reason come in
 * addition to the original's.
 */
#include "sessiond/session/calls.h"

#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "common/mem.h"
#include "sessiond/async.h"
#include "sessiond/daemon.h"
#include "sessiond/json_text.h"
#include "sessiond/session/object.h"
#include "sessiond/session/lookup.h"
#include "sessiond/session/profile.h"
#include "sessiond/wa/build.h"

/* ---- events ---- */

static void put_jid(struct buf *out, const char *name, const struct jid *jid)
{
	char text[JID_TEXT_MAX];

	if (!jid_is_none(jid))
		json_put_member(out, name, jid_format(jid, text, sizeof text));
}

/* The original has no words for the states between. */
static const char *status_of(const struct wa_call *call)
{
	static const char *const known[] = { "offer", "accept", "reject", "timeout", "terminate" };

	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (strcmp(known[i], call->status) == 0)
			return known[i];
	return "ringing";
}

/*
 * A missed call as receivers of the original know it: a message without content (webhooks.md 4.1). Source of the rule and the names: Baileys
 * Socket/messages-recv.ts.
 *
 *     {"id","tags":"system","message":{"key":{..},"messageTimestamp":"1767225600","messageStubType":"CALL_MISSED_VOICE"},"text":"",
 *      "sender":{..},"mentions":[],"type":"notify","sessionId"}
 */
static void event_missed(struct session *session, struct store_tx *tx, const struct wa_call *call)
{
	static const char *const stubs[2][2] = { { "CALL_MISSED_VOICE", "CALL_MISSED_VIDEO" }, { "CALL_MISSED_GROUP_VOICE", "CALL_MISSED_GROUP_VIDEO" } };
	struct buf payload = { 0 };
	char chat[JID_TEXT_MAX];

	/* As the keys of all messages: by the number where it is known. */
	jid_format(jid_is_lid(&call->chat) && !jid_is_none(&call->from_pn) ? &call->from_pn : &call->chat, chat, sizeof chat);
	buf_u8(&payload, '{');
	json_put_member(&payload, "id", session->id);
	json_put_member(&payload, "tags", "system");
	buf_append_text(&payload, ",\"message\":{\"key\":{");
	json_put_member(&payload, "remoteJid", chat);
	json_put_bool(&payload, "fromMe", false);
	json_put_member(&payload, "id", call->id);
	buf_printf(&payload, "},\"messageTimestamp\":\"%lld\"", (long long)(call->time_ms / 1000));
	json_put_member(&payload, "messageStubType", stubs[call->group_call][call->video]);
	buf_u8(&payload, '}');
	json_put_member(&payload, "text", "");
	buf_append_text(&payload, ",\"sender\":{");
	json_put_member(&payload, "chatId", chat);
	json_put_bool(&payload, "fromMe", false);
	json_put_bool(&payload, "isGroup", call->chat.server == JID_SERVER_GROUP);
	json_put_member(&payload, "authorJid", chat);
	buf_append_text(&payload, "},\"mentions\":[]");
	json_put_member(&payload, "type", call->offline ? "append" : "notify");
	json_put_member(&payload, "sessionId", session->id);
	buf_u8(&payload, '}');
	event_add(session, tx, "message_received", chat, NULL, &payload, timefmt_now_ms());
	buf_free(&payload);
}

void event_call(struct session *session, struct store_tx *tx, const struct wa_event *event)
{
	const struct wa_call *call = event->call;
	struct jid from = jid_bare(&call->from);
	struct buf payload = { 0 };
	char chat[JID_TEXT_MAX];

	buf_u8(&payload, '{');
	json_put_member(&payload, "id", session->id);
	buf_append_text(&payload, ",\"calls\":[{");
	put_jid(&payload, "chatId", &call->chat);
	put_jid(&payload, "from", &from);
	json_put_member(&payload, "id", call->id);
	json_put_time(&payload, "date", call->time_ms);
	json_put_bool(&payload, "offline", call->offline);
	json_put_member(&payload, "status", status_of(call));
	if (call->kind_known) {
		json_put_bool(&payload, "isVideo", call->video);
		json_put_bool(&payload, "isGroup", call->group_call);
	}
	put_jid(&payload, "groupJid", &call->group);
	put_jid(&payload, "callerPn", &call->from_pn);
	put_jid(&payload, "callerLid", &call->from_lid);
	if (call->reason)
		json_put_member(&payload, "reason", call->reason);
	buf_append_text(&payload, "}]");
	json_put_member(&payload, "sessionId", session->id);
	buf_u8(&payload, '}');
	event_add(session, tx, "call", jid_format(&call->chat, chat, sizeof chat), NULL, &payload, timefmt_now_ms());
	buf_free(&payload);
	if (strcmp(call->status, "timeout") == 0)
		event_missed(session, tx, call);
}

void event_blocklist(struct session *session, struct store_tx *tx, const struct wa_event *event)
{
	struct buf payload = { 0 };

	buf_u8(&payload, '{');
	json_put_member(&payload, "id", session->id);
	json_put_member(&payload, "action", event->code < 0 ? "reload" : event->code ? "block" : "unblock");
	put_jid(&payload, "jid", jid_is_pn(&event->other) ? &event->other : &event->jid);
	put_jid(&payload, "lid", jid_is_lid(&event->jid) ? &event->jid : &event->other);
	json_put_member(&payload, "sessionId", session->id);
	buf_u8(&payload, '}');
	event_add(session, tx, "blocklist_update", NULL, NULL, &payload, timefmt_now_ms());
	buf_free(&payload);
}

void event_contact_changed(struct session *session, struct store_tx *tx, const struct wa_event *event)
{
	const struct jid *pn = jid_is_pn(&event->jid) ? &event->jid : &event->other, *lid = jid_is_lid(&event->jid) ? &event->jid : &event->other;
	struct buf payload = { 0 };
	char chat[JID_TEXT_MAX];

	buf_u8(&payload, '{');
	json_put_member(&payload, "id", session->id);
	put_jid(&payload, "chat", &event->jid);
	if (jid_is_pn(pn))
		put_jid(&payload, "chatPn", pn);
	if (jid_is_lid(lid))
		put_jid(&payload, "chatLid", lid);
	json_put_member(&payload, "changed", event->text);
	if (strcmp(event->text, "timer") == 0)
		json_put_int(&payload, "seconds", event->number);
	else if (strcmp(event->text, "picture") == 0)
		json_put_bool(&payload, "removed", event->code == 1);
	else
		json_put_member(&payload, strcmp(event->text, "about") == 0 ? "about" : "newJid", event->text2);
	json_put_int(&payload, "time", (event->ms ? event->ms : timefmt_now_ms()) / 1000);
	json_put_member(&payload, "sessionId", session->id);
	buf_u8(&payload, '}');
	event_add(session, tx, "contact_update", jid_format(&event->jid, chat, sizeof chat), NULL, &payload, timefmt_now_ms());
	buf_free(&payload);
}

/* ---- what is done with calls ---- */

void call_policy_free(struct call_policy *policy)
{
	free(policy->message);
	policy->message = NULL;
}

static void take_record(struct call_policy *policy, struct span value)
{
	char *text = xstrndup((const char *)value.p, value.n);
	struct json_object *json = json_tokener_parse(text);
	struct json_object *message = NULL;

	if (json_object_is_type(json, json_type_object)) {
		policy->own = true;
		policy->reject = json_object_get_boolean(json_object_object_get(json, "reject"));
		free(policy->message);
		message = json_object_object_get(json, "message");
		policy->message = xstrdup(json_object_is_type(message, json_type_string) ? json_object_get_string(message) : "");
	}
	json_object_put(json);
	free(text);
}

int call_policy_read(struct store_reader *reader, const struct daemon *daemon, int64_t session, struct call_policy *policy)
{
	static const struct store_record_key key = { .kind = RECORD_CALLS, .name = "" };
	struct span value = { 0 };
	struct arena arena;
	int error;

	*policy = (struct call_policy){ .reject = daemon->config->call_reject, .message = xstrdup(daemon->config->call_reject_text) };
	arena_init(&arena, 0);
	error = store_record_get(reader, &arena, session, &key, 1, &value);
	if (!error && value.p)
		take_record(policy, value);
	arena_free(&arena);
	return error;
}

void call_policy_store(struct store_tx *tx, int64_t session, const struct call_policy *policy)
{
	struct buf value = { 0 };

	if (!policy) {
		store_tx_record_delete(tx, session, RECORD_CALLS, "");
		return;
	}
	buf_u8(&value, '{');
	json_put_bool(&value, "reject", policy->reject);
	json_put_member(&value, "message", policy->message);
	buf_u8(&value, '}');
	store_tx_record_put(tx, session, RECORD_CALLS, "", buf_span(&value), 0);
	buf_free(&value);
}

/* ---- refusing, on the main loop ---- */

struct refusal {
	struct daemon *daemon;       /* borrowed */
	char *session_id, *call_id;  /* owned */
	int64_t number;
	struct jid creator, caller;
	bool write_back;             /* not to a group's caller */
	struct call_policy policy;
	int error;
};

static void refusal_free(struct refusal *r)
{
	call_policy_free(&r->policy);
	free(r->session_id);
	free(r->call_id);
	free(r);
}

static struct session_entry *entry_of(const struct refusal *r)
{
	struct session_entry *entry = sessions_find(r->daemon->sessions, r->session_id);

	return entry && entry->number == r->number ? entry : NULL;
}

static void written(struct send_job *job)
{
	send_job_free(job);
}

static void write_back(struct refusal *r, struct session_entry *entry)
{
	const struct wa_text text = { .text = r->policy.message };
	struct send_job *job = send_job_new(1, 1);

	wa_build_text(&job->contents[0].message, &text);
	job->items[0].to = r->caller;
	job->wait = SEND_WAIT_QUEUED;
	job->done = written;
	sessions_send(r->daemon->sessions, entry, job);
}

static void refused(struct ask_job *ask)
{
	struct refusal *r = ask->arg;
	struct session_entry *entry = entry_of(r);

	if (ask->code)
		log_warn(&r->daemon->log, "a call could not be refused", LOG_STR("session", r->session_id), LOG_INT("code", ask->code));
	else if (entry && r->write_back && r->policy.message[0])
		write_back(r, entry);
	profile_job_free((struct profile_job *)ask);
	refusal_free(r);
}

static void policy_known(void *arg)
{
	struct refusal *r = arg;
	struct session_entry *entry = entry_of(r);
	struct profile_job *job;

	if (r->error)
		log_error(&r->daemon->log, "the settings for calls cannot be read", LOG_STR("session", r->session_id), LOG_STR("reason", store_error_name(r->error)));
	if (r->error || !entry || !r->policy.reject) {
		refusal_free(r);
		return;
	}
	job = profile_job_new(PROFILE_REJECT, 1);
	job->text = xstrdup(r->call_id);
	job->people[0].jid = r->creator;
	job->ask.done = refused;
	job->ask.arg = r;
	sessions_ask(r->daemon->sessions, entry, &job->ask);
}

static void read_policy(struct store_reader *reader, void *arg)
{
	struct refusal *r = arg;

	r->error = call_policy_read(reader, r->daemon, r->number, &r->policy);
}

static void offered(void *arg)
{
	struct refusal *r = arg;

	async_read(r->daemon->loop, r->daemon->store, read_policy, policy_known, r);
}

void call_stored(struct session *session, const struct wa_event *event)
{
	const struct wa_call *call = event->call;
	struct refusal *r;

	if (call->offline || strcmp(call->status, "offer") != 0)
		return;
	r = xcalloc(1, sizeof *r);
	*r = (struct refusal){ .daemon = session->on->daemon, .session_id = xstrdup(session->id), .call_id = xstrdup(call->id), .number = session->number,
			       .creator = call->from, .caller = jid_bare(jid_is_none(&call->from_pn) ? &call->from : &call->from_pn),
			       .write_back = !call->group_call };
	if (!loop_post(r->daemon->loop, offered, r))
		refusal_free(r);
}
