/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Actions on chats and messages that all devices of the account share (rest-a 8, rest-b 2.3 and 2.4): each answers when WhatsApp's
 * server has accepted the change and it is stored.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/json_text.h"
#include "sessiond/rpc/request.h"
#include "sessiond/session/change.h"

#define MINUTE_MS 60000
#define DAY_MS ((int64_t)24 * 3600 * 1000)

struct kind {
	const char *method, *action;
	bool on;
	const char *message, *status; /* of the answer */
	int fault_status, fault_code;
	const char *fault;
};

static const struct kind kinds[] = {
	{ "messages.action.star", "star", true, "Message starred", "message starred success", 500, 8000, "Internal server error" },
	{ "messages.action.unstar", "star", false, "Message unstarred", "message unstarred success", 500, 8000, "Internal server error" },
	{ "messages.action.delete", "deleteMessageForMe", true, "Message deleted for me", "message deleted success", 502, 4000, "Failed to delete message" },
	{ "messages.action.mute", "mute", true, "Chat muted", "chat muted success", 500, 8000, "Internal server error" },
	{ "messages.action.unmute", "mute", false, "Chat unmuted", "chat unmuted success", 500, 8000, "Internal server error" },
	{ "messages.action.archive", "archive", true, "Chat archived", "chat archived success", 500, 8000, "Internal server error" },
	{ "messages.action.unarchive", "archive", false, "Chat unarchived", "chat unarchived success", 500, 8000, "Internal server error" },
	{ "messages.action.clear_all", "clearChat", true, "Chat cleared", "chat cleared success", 500, 8000, "Internal server error" },
};

static const struct kind *kind_of(const struct rpc_request *request)
{
	size_t i = 0;

	while (strcmp(kinds[i].method, request->method->name) != 0)
		i++;
	return &kinds[i];
}

/* The one JID of a parameter; false: there is none, or more. */
static bool param_jid(const struct rpc_request *request, const char *name, struct jid *out)
{
	struct json_object *list = json_object_object_get(request->p, name);

	return json_object_is_type(list, json_type_array) && json_object_array_length(list) == 1 &&
	       !jid_parse_text(out, json_object_get_string(json_object_array_get_idx(list, 0)));
}

static int64_t param_number(const struct rpc_request *request, const char *name)
{
	return (int64_t)json_object_get_double(json_object_object_get(request->p, name));
}

/* ---- actions of messages/... ---- */

static void action_done(struct change_job *job)
{
	struct rpc_request *request = job->arg;
	const struct kind *kind = kind_of(request);
	struct buf result = { 0 };
	char text[JID_TEXT_MAX];

	if (job->code == CHANGE_GONE) {
		rpc_answer(request, 404, 1101, "Session not found", NULL);
	} else if (job->code != CHANGE_DONE) {
		rpc_answer(request, kind->fault_status, kind->fault_code, kind->fault, NULL);
	} else {
		buf_append_text(&result, "[{");
		json_put_member(&result, "sessionId", request->session_id);
		json_put_member(&result, "phone", job->own.user);
		json_put_member(&result, "to", job->chat.user);
		json_put_member(&result, "toJid", jid_format(&job->chat, text, sizeof text));
		if (job->message_id)
			json_put_member(&result, "messageId", job->message_id);
		json_put_member(&result, "status", kind->status);
		buf_append_text(&result, "}]");
		rpc_answer(request, 200, 1000, kind->message, buf_text(&result));
		buf_free(&result);
	}
	change_job_free(job);
}

static void fill_in(struct change_job *job, const struct rpc_request *request)
{
	int64_t now_ms = timefmt_now_ms();

	if (strcmp(job->action, "mute") == 0 && job->on)
		job->until_ms = now_ms + param_number(request, "duration") * MINUTE_MS;
	else if (strcmp(job->action, "archive") == 0 || strcmp(job->action, "clearChat") == 0)
		job->last_message_s = now_ms / 1000;
	job->starred_too = strcmp(job->action, "clearChat") == 0;
	job->media_too = strcmp(job->action, "deleteMessageForMe") == 0 && rpc_param_bool(request, "withMedia");
}

static void do_action(struct rpc_request *request)
{
	const struct kind *kind = kind_of(request);
	struct session_entry *entry = rpc_session(request);
	const char *id = rpc_param_text(request, "messageId");
	bool of_message = strcmp(kind->action, "star") == 0 || strcmp(kind->action, "deleteMessageForMe") == 0;
	struct change_job *job;
	struct jid to;

	if (!entry)
		return;
	if (!param_jid(request, "to", &to) || (of_message && (!id || !id[0]))) {
		rpc_answer(request, 400, 2001, of_message ? "Missing destination or messageId" : "Missing destination", NULL);
		return;
	}
	job = change_job_new(kind->action, &to);
	job->on = kind->on;
	job->message_id = of_message ? xstrdup(id) : NULL;
	fill_in(job, request);
	job->done = action_done;
	job->arg = request;
	sessions_change(request->context->daemon->sessions, entry, job);
}

/* ---- chats/{chatId}/pin ---- */

static void start_result(struct buf *result, const struct rpc_request *request, const struct change_job *job)
{
	char text[JID_TEXT_MAX];

	buf_u8(result, '{');
	json_put_member(result, "sessionId", request->session_id);
	json_put_member(result, "phone", job->own.user);
	json_put_member(result, "chatId", jid_format(&job->chat, text, sizeof text));
}

static void pin_done(struct change_job *job)
{
	struct rpc_request *request = job->arg;
	struct buf result = { 0 };

	if (job->code == CHANGE_GONE) {
		rpc_answer(request, 404, 1101, "Session not found", NULL);
	} else if (job->code != CHANGE_DONE) {
		rpc_answer(request, 403, 4003, "Pin/unpin not allowed", NULL);
	} else {
		start_result(&result, request, job);
		json_put_bool(&result, "pinned", job->on);
		json_put_member(&result, "message", job->on ? "Chat pinned successfully" : "Chat unpinned successfully");
		json_put_int(&result, "updatedAt", timefmt_now_ms() / 1000);
		buf_u8(&result, '}');
		rpc_answer(request, 200, 1000, job->on ? "Chat pinned" : "Chat unpinned", buf_text(&result));
		buf_free(&result);
	}
	change_job_free(job);
}

static void do_pin(struct rpc_request *request)
{
	struct session_entry *entry = rpc_session(request);
	struct change_job *job;
	struct jid chat;

	if (!entry)
		return;
	if (!param_jid(request, "chatId", &chat) || !json_object_object_get(request->p, "pin")) {
		rpc_answer(request, 400, 2001, "Missing chatId or pin flag", NULL);
		return;
	}
	job = change_job_new("pin_v1", &chat);
	job->on = rpc_param_bool(request, "pin");
	job->done = pin_done;
	job->arg = request;
	sessions_change(request->context->daemon->sessions, entry, job);
}

/* ---- chats/{chatId}/read ---- */

static void put_read(struct buf *result, const struct rpc_request *request, const struct change_job *job)
{
	start_result(result, request, job);
	json_put_int(result, "totalMarked", (int64_t)job->nreads);
	json_put_member(result, "mode", job->read_newest ? "by_messages" : "by_days");
	buf_append_text(result, ",\"parameters\":{");
	json_put_int(result, "messages", param_number(request, "messages"));
	json_put_int(result, "days", param_number(request, "days"));
	buf_append_text(result, "},\"marked\":[");
	for (size_t i = 0; i < job->nreads; i++) {
		buf_append_text(result, i ? ",{" : "{");
		json_put_member(result, "id", job->reads[i].id);
		json_put_bool(result, "fromMe", false);
		json_put_int(result, "timestamp", job->reads[i].time_ms / 1000);
		buf_u8(result, '}');
	}
	buf_u8(result, ']');
	if (job->capped) {
		buf_append_text(result, ",\"partial\":{");
		json_put_bool(result, "capped", true);
		json_put_int(result, "cap", (int64_t)job->nreads);
		buf_u8(result, '}');
	}
	buf_u8(result, '}');
}

static void read_done(struct change_job *job)
{
	struct rpc_request *request = job->arg;
	struct buf result = { 0 };
	char message[80];

	if (job->code == CHANGE_GONE) {
		rpc_answer(request, 404, 1101, "Session not found", NULL);
	} else if (job->code == CHANGE_NOTHING) {
		rpc_answer(request, 404, 2004, "No inbound messages available to mark as read", NULL);
	} else if (job->code != CHANGE_DONE) {
		rpc_answer(request, 500, 8000, "Internal server error", NULL);
	} else {
		if (job->read_newest)
			snprintf(message, sizeof message, "Marked last %zu inbound message(s) as read", job->nreads);
		else
			snprintf(message, sizeof message, "Marked inbound messages as read in the last %lld day(s)", (long long)param_number(request, "days"));
		put_read(&result, request, job);
		rpc_answer(request, 200, 1000, message, buf_text(&result));
		buf_free(&result);
	}
	change_job_free(job);
}

static void do_read(struct rpc_request *request)
{
	struct session_entry *entry = rpc_session(request);
	int64_t days = param_number(request, "days");
	struct change_job *job;
	struct jid chat;

	if (!entry)
		return;
	if (!param_jid(request, "chatId", &chat)) {
		rpc_answer(request, 400, 2001, "Missing chatId", NULL);
		return;
	}
	job = change_job_new(NULL, &chat);
	job->read_newest = (size_t)param_number(request, "messages");
	job->read_since_ms = days > 0 ? timefmt_now_ms() - days * DAY_MS : 0;
	job->done = read_done;
	job->arg = request;
	sessions_change(request->context->daemon->sessions, entry, job);
}

const struct rpc_method rpc_change_methods[] = {
	{ "messages.action.star", do_action },	  { "messages.action.unstar", do_action },    { "messages.action.delete", do_action },
	{ "messages.action.mute", do_action },	  { "messages.action.unmute", do_action },    { "messages.action.archive", do_action },
	{ "messages.action.unarchive", do_action }, { "messages.action.clear_all", do_action }, { "chats.pin", do_pin },
	{ "chats.read", do_read },		  { NULL, NULL },
};
