/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Settings of a group (contract rest-b 3.3): one change each, accepted by WhatsApp or refused with 502/2800. */
#include <stdio.h>
#include <string.h>

#include "common/mem.h"
#include "common/utf8.h"
#include "sessiond/json_text.h"
#include "sessiond/rpc/group.h"

struct setting {
	const char *method;
	enum wa_ask_kind kind;
	const char *param;                /* that holds the value; echoed where the status does not tell it */
	const char *message, *message_off;
	const char *status, *status_off;
	const char *failed;
	bool echoes;
};

static const struct setting settings[] = {
	{ "group.name", WA_ASK_SUBJECT, "groupName", "Group name updated", NULL, "success update group name", NULL, "Failed to update group name", true },
	{ "group.description", WA_ASK_DESCRIPTION, "groupDescription", "Group description updated", NULL, "success update group description", NULL,
	  "Failed to update group description", true },
	{ "group.locked", WA_ASK_LOCKED, "locked", "Group locked", "Group unlocked", "success locked group", "success unlocked group",
	  "Failed to set locked", false },
	{ "group.announcement", WA_ASK_ANNOUNCE, "announcement", "Announcement mode enabled", "Announcement mode disabled", "success set announcement mode",
	  NULL, "Failed to set announcement", false },
	{ "group.member_add_mode", WA_ASK_MEMBER_ADD, "allMembers", "All members may add others", "Only admins may add others",
	  "success set member add mode", NULL, "Failed to set member add mode", true },
	{ "group.join_approval", WA_ASK_APPROVAL, "enabled", "Join approval enabled", "Join approval disabled", "success set join approval", NULL,
	  "Failed to set join approval", true },
	{ "group.ephemeral", WA_ASK_EPHEMERAL, "duration", "Disappearing messages enabled", "Disappearing messages disabled", "success set ephemeral", NULL,
	  "Failed to set ephemeral", true },
};

static bool is_text(const struct setting *s)
{
	return s->kind == WA_ASK_SUBJECT || s->kind == WA_ASK_DESCRIPTION;
}

static void put_value(struct group_work *w, const struct setting *s, const struct group_job *job)
{
	if (is_text(s))
		json_put_member(&w->json, s->param, job->text);
	else if (s->kind == WA_ASK_EPHEMERAL)
		json_put_int(&w->json, s->param, job->ask.seconds);
	else
		json_put_bool(&w->json, s->param, job->ask.on);
}

static void changed(struct group_work *w, struct group_job *job)
{
	const struct setting *s = w->route;
	bool off = !is_text(s) && !job->ask.on;

	if (job->code) {
		group_refuse(w, job, 502, 2800, s->failed);
		return;
	}
	group_open(w);
	if (s->echoes)
		put_value(w, s, job);
	json_put_member(&w->json, "status", off && s->status_off ? s->status_off : s->status);
	group_close(w);
	group_answer(w, off && s->message_off ? s->message_off : s->message);
}

/* The present description's id goes along, so that a change by somebody else in between is not overwritten. */
static void description_known(struct group_work *w, struct group_job *info)
{
	const struct setting *s = w->route;
	struct group_job *job;

	if (info->code) {
		group_refuse(w, info, 502, 2800, s->failed);
		return;
	}
	job = group_job_of(w, s->kind);
	job->text = xstrdup(rpc_param_text(w->request, s->param));
	if (info->answer.groups[0].group.description_id)
		job->previous = xstrdup(info->answer.groups[0].group.description_id);
	group_ask(w, job, changed);
}

static size_t text_length(const char *text)
{
	size_t left = strlen(text);
	size_t n = 0;

	while (left > 0) {
		size_t bytes = utf8_length(text, left);

		bytes = bytes ? bytes : 1;
		text += bytes;
		left -= bytes;
		n++;
	}
	return n;
}

bool group_text_fits(struct group_work *w, const char *name, const char *text, size_t max)
{
	char message[96];

	if (text_length(text) <= max)
		return true;
	snprintf(message, sizeof message, "%s is longer than %zu characters", name, max);
	rpc_answer(w->request, 400, 2002, message, NULL);
	return false;
}

static void change_text(struct group_work *w, const struct setting *s)
{
	const char *text = rpc_param_text(w->request, s->param);
	struct group_job *job;

	if (!group_text_fits(w, s->param, text ? text : "", s->kind == WA_ASK_SUBJECT ? GROUP_SUBJECT_MAX : GROUP_DESCRIPTION_MAX))
		return;
	if (s->kind == WA_ASK_DESCRIPTION) {
		group_ask(w, group_job_of(w, WA_ASK_GROUP), description_known);
		return;
	}
	job = group_job_of(w, s->kind);
	job->text = xstrdup(text);
	group_ask(w, job, changed);
}

static void do_setting(struct rpc_request *request)
{
	struct group_work *w = group_work_new(request, "groupId");
	const struct setting *s = settings;
	struct group_job *job;

	if (!w)
		return;
	while (strcmp(s->method, request->method->name) != 0)
		s++;
	w->route = s;
	if (is_text(s)) {
		change_text(w, s);
		return;
	}
	job = group_job_of(w, s->kind);
	if (s->kind == WA_ASK_EPHEMERAL)
		job->ask.seconds = (uint32_t)json_object_get_int64(json_object_object_get(request->p, s->param));
	job->ask.on = s->kind == WA_ASK_EPHEMERAL ? job->ask.seconds != 0 : rpc_param_bool(request, s->param);
	group_ask(w, job, changed);
}

const struct rpc_method rpc_group_setting_methods[] = {
	{ "group.name", do_setting },
	{ "group.description", do_setting },
	{ "group.locked", do_setting },
	{ "group.announcement", do_setting },
	{ "group.member_add_mode", do_setting },
	{ "group.join_approval", do_setting },
	{ "group.ephemeral", do_setting },
	{ NULL, NULL },
};
