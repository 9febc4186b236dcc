/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What all devices of the account share beside its chats: labels, quick replies, settings; and the actions on a chat that the original has
 * no route for. A change answers when WhatsApp's server has accepted it and it is stored.
 *
 *     read what is kept (reader thread) -> check, choose an id -> change_job -> answer
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/appcode.h"
#include "common/mem.h"
#include "sessiond/async.h"
#include "sessiond/json_text.h"
#include "sessiond/rpc/request.h"
#include "sessiond/session/change.h"
#include "sessiond/session/shared.h"

enum { NAME_MAX_CHARS = 100, SHORTCUT_MAX_CHARS = 64, REPLY_MAX_CHARS = 4096 };

/* What a method does. */
struct kind {
	const char *method;
	const char *action;  /* of the change; NULL: only reads */
	enum shared_kind what; /* is read first */
	const char *id;      /* parameter that names it; NULL: none */
	bool must_exist;     /* else 404 */
	bool on;
	const char *message; /* of the answer */
};

static const struct kind kinds[] = {
	{ "labels.list", NULL, SHARED_LABEL, NULL, false, false, "Labels" },
	{ "labels.create", "label_edit", SHARED_LABEL, NULL, false, false, "Label created" },
	{ "labels.edit", "label_edit", SHARED_LABEL, "labelId", true, false, "Label changed" },
	{ "labels.delete", "label_edit", SHARED_LABEL, "labelId", true, true, "Label deleted" },
	{ "labels.members", NULL, SHARED_LABEL, "labelId", true, false, "Chats of the label" },
	{ "labels.chat.add", "label_jid", SHARED_LABEL, "labelId", true, true, "Label put on the chat" },
	{ "labels.chat.remove", "label_jid", SHARED_LABEL, "labelId", true, false, "Label taken off the chat" },
	{ "labels.message.add", "label_message", SHARED_LABEL, "labelId", true, true, "Label put on the message" },
	{ "labels.message.remove", "label_message", SHARED_LABEL, "labelId", true, false, "Label taken off the message" },
	{ "quick_replies.list", NULL, SHARED_QUICK_REPLY, NULL, false, false, "Quick replies" },
	{ "quick_replies.create", "quick_reply", SHARED_QUICK_REPLY, NULL, false, false, "Quick reply created" },
	{ "quick_replies.delete", "quick_reply", SHARED_QUICK_REPLY, "quickReplyId", true, true, "Quick reply deleted" },
	{ "account.settings", NULL, SHARED_SETTING, NULL, false, false, "Settings of the account" },
	{ "account.settings.change", "setting_unarchiveChats", SHARED_NONE, NULL, false, false, "Settings changed" },
	{ "chats.unread", "markChatAsRead", SHARED_NONE, NULL, false, false, "Chat marked as unread" },
	{ "chats.delete", "deleteChat", SHARED_NONE, NULL, false, true, "Chat deleted" },
	{ "chats.lock", "lock", SHARED_NONE, NULL, false, true, "Chat lock changed" },
	{ "chats.status_mute", "userStatusMute", SHARED_NONE, NULL, false, true, "Status updates muted or unmuted" },
};

struct shared_request {
	struct rpc_request *request;
	const struct kind *kind;
	struct arena arena;
	int error;
	struct span found;   /* what the request names */
	int64_t free_id;
	struct buf list;     /* owned: JSON */
};

static void work_free(void *arg)
{
	struct shared_request *s = arg;

	arena_free(&s->arena);
	buf_free(&s->list);
	free(s);
}

static const struct kind *kind_of(const struct rpc_request *request)
{
	size_t i = 0;

	while (strcmp(kinds[i].method, request->method->name) != 0)
		i++;
	return &kinds[i];
}

static bool is(const struct shared_request *s, const char *method)
{
	return strcmp(s->kind->method, method) == 0;
}

static void refuse(const struct shared_request *s, int status, int code, const char *text)
{
	rpc_answer(s->request, status, code, text, NULL);
}

/* ---- the change is done ---- */

static void put_jid(struct buf *out, const char *name, const struct jid *jid)
{
	char text[JID_TEXT_MAX];

	if (!jid_is_none(jid))
		json_put_member(out, name, jid_format(jid, text, sizeof text));
}

static void put_change(struct buf *out, const struct change_job *job)
{
	bool label = strcmp(job->action, "label_edit") == 0;
	bool reply = strcmp(job->action, "quick_reply") == 0;

	put_jid(out, "chatId", &job->chat);
	if (job->id)
		json_put_member(out, reply ? "quickReplyId" : "labelId", job->id);
	if (job->message_id)
		json_put_member(out, "messageId", job->message_id);
	if (label && !job->on) {
		json_put_member(out, "name", job->text);
		json_put_int(out, "color", job->number);
	} else if (reply && !job->on) {
		json_put_member(out, "shortcut", job->text);
		json_put_member(out, "message", job->text2);
	}
	if (label || reply)
		json_put_bool(out, "deleted", job->on);
	else if (job->id)
		json_put_bool(out, "labeled", job->on);
	else if (strcmp(job->action, "setting_unarchiveChats") == 0)
		json_put_bool(out, "unarchiveChats", job->on);
	else if (strcmp(job->action, "lock") == 0)
		json_put_bool(out, "locked", job->on);
	else if (strcmp(job->action, "userStatusMute") == 0)
		json_put_bool(out, "muted", job->on);
}

static void answer_failure(struct rpc_request *request, const struct change_job *job)
{
	char text[240];

	snprintf(text, sizeof text, "WhatsApp has not taken the change: %s", job->error);
	if (job->code == CHANGE_GONE)
		rpc_answer(request, 409, APP_SESSION_NOT_LOGGED_IN, "The session is not linked to an account", NULL);
	else if (job->code == 503 || job->code == 428)
		rpc_answer(request, 503, APP_SERVICE_UNAVAILABLE, text, NULL);
	else if (job->code == 429)
		rpc_answer(request, 429, APP_RATE_LIMITED, text, NULL);
	else
		rpc_answer(request, 502, APP_DOWNSTREAM_ERROR, text, NULL);
}

static void changed(struct change_job *job)
{
	struct rpc_request *request = job->arg;
	struct buf result = { 0 };

	if (job->code != CHANGE_DONE) {
		answer_failure(request, job);
	} else {
		buf_u8(&result, '{');
		json_put_member(&result, "sessionId", request->session_id);
		json_put_member(&result, "phone", job->own.user);
		put_change(&result, job);
		buf_u8(&result, '}');
		rpc_answer(request, 200, APP_SUCCESS, kind_of(request)->message, buf_text(&result));
		buf_free(&result);
	}
	change_job_free(job);
}

/* ---- what is to be changed ---- */

static char *copy(const char *text)
{
	return text ? xstrdup(text) : NULL;
}

static size_t characters(const char *text)
{
	size_t n = 0;

	/* What is no first byte of a character continues one. */
	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

/* False: answered. Absent is NULL. */
static bool text_param(struct shared_request *s, const char *name, size_t max, bool required, char **out)
{
	const char *text = rpc_param_text(s->request, name);
	char refusal[100];

	if (text && characters(text) > max) {
		snprintf(refusal, sizeof refusal, "%s may have at most %zu characters", name, max);
		refuse(s, 400, APP_INVALID_PARAMETER, refusal);
		return false;
	}
	if (required && (!text || !text[0])) {
		snprintf(refusal, sizeof refusal, "%s is required", name);
		refuse(s, 400, APP_MISSING_PARAMETER, refusal);
		return false;
	}
	*out = text && text[0] ? xstrdup(text) : NULL;
	return true;
}

static struct json_object *parse(struct span text)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *object = text.p ? json_tokener_parse_ex(tokener, (const char *)text.p, (int)text.n) : NULL;

	json_tokener_free(tokener);
	return object;
}

/* An edit changes what it names; the rest stays as it is known. */
static bool fill_label(struct shared_request *s, struct change_job *job)
{
	struct json_object *old = parse(s->found);
	struct json_object *color = json_object_object_get(s->request->p, "color");
	bool good = text_param(s, "name", NAME_MAX_CHARS, !old, &job->text);

	if (good && old && !job->text)
		job->text = copy(json_object_get_string(json_object_object_get(old, "name")));
	job->number = json_object_get_int64(color ? color : json_object_object_get(old, "color"));
	job->number2 = json_object_get_int64(json_object_object_get(old, "predefinedId"));
	json_object_put(old);
	return good;
}

static bool fill_reply(struct shared_request *s, struct change_job *job)
{
	/* The phone shows them by age: their ids are times of making. */
	if (!s->kind->id) {
		free(job->id);
		job->id = xasprintf("%" PRId64, timefmt_now_ms() / 1000 >= s->free_id ? timefmt_now_ms() / 1000 : s->free_id);
	}
	if (job->on)
		return true;
	return text_param(s, "shortcut", SHORTCUT_MAX_CHARS, true, &job->text) && text_param(s, "message", REPLY_MAX_CHARS, true, &job->text2);
}

static bool fill_chat(struct shared_request *s, struct change_job *job)
{
	struct jid chat;

	if (jid_parse_text(&chat, rpc_param_text(s->request, "chatId"))) {
		refuse(s, 400, APP_MISSING_PARAMETER, "Missing chatId");
		return false;
	}
	job->chat = jid_bare(&chat);
	if (strcmp(job->action, "userStatusMute") == 0 && !jid_is_person(&chat)) {
		refuse(s, 400, APP_INVALID_PARAMETER, "Only people have status updates");
		return false;
	}
	return true;
}

static bool fill_in(struct shared_request *s, struct change_job *job)
{
	const char *action = s->kind->action;

	job->on = s->kind->on;
	if (s->kind->id)
		job->id = copy(rpc_param_text(s->request, s->kind->id));
	else if (s->kind->what)
		job->id = xasprintf("%" PRId64, s->free_id);
	if (strcmp(action, "label_edit") == 0)
		return fill_label(s, job);
	if (strcmp(action, "quick_reply") == 0)
		return fill_reply(s, job);
	if (strcmp(action, "setting_unarchiveChats") == 0) {
		job->on = rpc_param_bool(s->request, "unarchiveChats");
		return true;
	}
	if (strcmp(action, "label_message") == 0)
		job->message_id = copy(rpc_param_text(s->request, "messageId"));
	if (strcmp(action, "lock") == 0)
		job->on = rpc_param_bool(s->request, "locked");
	if (strcmp(action, "userStatusMute") == 0)
		job->on = rpc_param_bool(s->request, "muted");
	job->media_too = strcmp(action, "deleteChat") == 0 && rpc_param_bool(s->request, "withMedia");
	if (strcmp(action, "deleteChat") == 0 || strcmp(action, "markChatAsRead") == 0)
		job->last_message_s = timefmt_now_ms() / 1000;
	return fill_chat(s, job);
}

static void change(struct shared_request *s)
{
	struct rpc_request *request = s->request;
	struct session_entry *entry = rpc_session(request);
	struct change_job *job;

	if (!entry)
		return;
	job = change_job_new(s->kind->action, NULL);
	job->done = changed;
	job->arg = request;
	if (fill_in(s, job))
		sessions_change(request->context->daemon->sessions, entry, job);
	else
		change_job_free(job);
}

/* ---- reading ---- */

static void answer_list(struct shared_request *s)
{
	struct buf result = { 0 };
	bool settings = s->kind->what == SHARED_SETTING;

	buf_u8(&result, '{');
	json_put_member(&result, "sessionId", s->request->session_id);
	if (is(s, "labels.members"))
		json_put_member(&result, "labelId", rpc_param_text(s->request, "labelId"));
	json_put_name(&result, settings ? "settings" : is(s, "labels.members") ? "members" : is(s, "labels.list") ? "labels" : "quickReplies");
	buf_u8(&result, settings ? '{' : '[');
	buf_append_span(&result, buf_span(&s->list));
	buf_u8(&result, settings ? '}' : ']');
	buf_u8(&result, '}');
	rpc_answer(s->request, 200, APP_SUCCESS, s->kind->message, buf_text(&result));
	buf_free(&result);
}

static void look(struct store_reader *reader, void *arg)
{
	struct shared_request *s = arg;
	const struct kind *k = s->kind;
	int64_t session = s->request->session_number;
	const char *id = k->id ? rpc_param_text(s->request, k->id) : NULL;

	if (id)
		s->error = shared_get(reader, &s->arena, session, k->what, id, &s->found);
	if (!s->error && k->action && !k->id)
		s->error = shared_free_id(reader, &s->arena, session, k->what, &s->free_id);
	if (s->error || k->action)
		return;
	if (id)
		s->error = shared_label_members(reader, &s->arena, session, id, &s->list);
	else
		s->error = shared_list(reader, &s->arena, session, k->what, &s->list);
}

static void looked(void *arg)
{
	struct shared_request *s = arg;

	if (s->error)
		refuse(s, 500, APP_INTERNAL_ERROR, "Internal server error");
	else if (s->kind->must_exist && !s->found.p)
		refuse(s, 404, APP_NOT_FOUND, s->kind->what == SHARED_LABEL ? "Label not found" : "Quick reply not found");
	else if (s->kind->action)
		change(s);
	else
		answer_list(s);
}

static void do_shared(struct rpc_request *request)
{
	struct shared_request *s;

	if (!rpc_session(request))
		return;
	s = xcalloc(1, sizeof *s);
	s->request = request;
	s->kind = kind_of(request);
	arena_init(&s->arena, 0);
	request->work = s;
	request->work_free = work_free;
	if (s->kind->what)
		async_read(request->context->daemon->loop, request->context->daemon->store, look, looked, s);
	else
		change(s);
}

const struct rpc_method rpc_shared_methods[] = {
	{ "labels.list", do_shared },	      { "labels.create", do_shared },	     { "labels.edit", do_shared },
	{ "labels.delete", do_shared },	      { "labels.members", do_shared },	     { "labels.chat.add", do_shared },
	{ "labels.chat.remove", do_shared },  { "labels.message.add", do_shared },   { "labels.message.remove", do_shared },
	{ "quick_replies.list", do_shared },  { "quick_replies.create", do_shared }, { "quick_replies.delete", do_shared },
	{ "account.settings", do_shared },    { "account.settings.change", do_shared }, { "chats.unread", do_shared },
	{ "chats.delete", do_shared },	      { "chats.lock", do_shared },	     { "chats.status_mute", do_shared },
	{ NULL, NULL },
};
