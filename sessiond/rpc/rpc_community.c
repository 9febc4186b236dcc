/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Communities: what the original lacks, in the style of its group routes. They are made in rpc_group_make.c. */
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/recipient.h"
#include "sessiond/json_text.h"
#include "sessiond/rpc/group.h"

#define CODE_DONE 200
#define GROUPS_MAX 100U

/* A session, and "communityId" instead of "groupId". */
static void open_answer(struct group_work *w)
{
	const struct jid community = w->group;

	w->group = (struct jid){ 0 };
	group_open(w);
	w->group = community;
	group_put_jid(&w->json, "communityId", &community);
}

static bool refused(struct group_work *w, const struct group_job *job, const char *fallback)
{
	if (job->code)
		group_refuse(w, job, 502, 2800, fallback);
	return job->code != 0;
}

static void ask(struct rpc_request *request, enum wa_ask_kind kind, group_next *next)
{
	struct group_work *w = group_work_new(request, "communityId");

	if (w)
		group_ask(w, group_job_of(w, kind), next);
}

/* ---- looking ---- */

static void info_came(struct group_work *w, struct group_job *job)
{
	const struct wa_group_facts *f;

	if (refused(w, job, "Failed to fetch the community"))
		return;
	f = &job->answer.groups[0];
	if (!f->group.community) {
		rpc_answer(w->request, 400, 2002, "communityId is a group, not a community", NULL);
		return;
	}
	open_answer(w);
	json_put_name(&w->json, "data");
	group_put_meta(&w->json, f, f->size ? f->size : f->group.n);
	group_close(w);
	group_answer(w, "Community info");
}

static void do_info(struct rpc_request *request)
{
	ask(request, WA_ASK_GROUP, info_came);
}

static void subgroups_came(struct group_work *w, struct group_job *job)
{
	if (refused(w, job, "Failed to fetch the groups of the community"))
		return;
	open_answer(w);
	json_put_name(&w->json, "groups");
	buf_u8(&w->json, '[');
	for (size_t i = 0; i < job->answer.ngroups; i++) {
		const struct wa_group_facts *f = &job->answer.groups[i];

		buf_append_text(&w->json, i ? ",{" : "{");
		group_put_jid(&w->json, "id", &f->group.jid);
		json_put_member(&w->json, "subject", f->group.subject ? f->group.subject : "");
		if (f->group.created_s)
			json_put_int(&w->json, "creation", f->group.created_s);
		json_put_bool(&w->json, "isCommunityAnnounce", f->group.announcement_group);
		json_put_bool(&w->json, "isGeneralChat", f->general_chat);
		json_put_int(&w->json, "participantsCount", (int64_t)f->size);
		buf_u8(&w->json, '}');
	}
	buf_u8(&w->json, ']');
	group_close(w);
	group_answer(w, "Community groups fetched");
}

static void do_subgroups(struct rpc_request *request)
{
	ask(request, WA_ASK_SUBGROUPS, subgroups_came);
}

static void members_came(struct group_work *w, struct group_job *job)
{
	if (refused(w, job, "Failed to fetch the participants of the community"))
		return;
	open_answer(w);
	json_put_name(&w->json, "participants");
	buf_u8(&w->json, '[');
	for (size_t i = 0; i < job->answer.n; i++) {
		const struct wa_group_person *p = &job->answer.people[i];

		buf_append_text(&w->json, i ? ",{" : "{");
		group_put_jid(&w->json, "id", &p->jid);
		group_put_jid(&w->json, "jid", group_phone_of(&p->jid, &p->other));
		group_put_jid(&w->json, "lid", group_lid_of(&p->jid, &p->other));
		buf_u8(&w->json, '}');
	}
	buf_u8(&w->json, ']');
	group_close(w);
	group_answer(w, "Community participants fetched");
}

static void do_members(struct rpc_request *request)
{
	ask(request, WA_ASK_COMMUNITY_MEMBERS, members_came);
}

/* ---- groups linked and unlinked ---- */

static int code_of(const struct group_job *job, const struct jid *group)
{
	for (size_t i = 0; i < job->answer.n; i++)
		if (jid_same_user(&job->answer.people[i].jid, group))
			return job->answer.people[i].code;
	return 500;
}

static size_t put_groups(struct group_work *w, const struct group_job *job, const char *word)
{
	char text[192];
	size_t done = 0;

	json_put_name(&w->json, "groups");
	buf_u8(&w->json, '[');
	for (size_t i = 0; i < job->ask.n; i++) {
		int code = code_of(job, &job->people[i]);

		buf_append_text(&w->json, i ? ",{" : "{");
		group_put_jid(&w->json, "groupId", &job->people[i]);
		json_put_member(&w->json, "status", code == CODE_DONE ? word : "failed");
		json_put_int(&w->json, "code", code);
		if (code != CODE_DONE)
			json_put_member(&w->json, "reason", group_reason(code, NULL, text, sizeof text));
		buf_u8(&w->json, '}');
		done += code == CODE_DONE;
	}
	buf_u8(&w->json, ']');
	return done;
}

static void linked(struct group_work *w, struct group_job *job)
{
	bool linking = job->ask.kind == WA_ASK_LINK;
	size_t done;

	if (refused(w, job, linking ? "Failed to link groups" : "Failed to unlink groups"))
		return;
	open_answer(w);
	done = put_groups(w, job, linking ? "linked" : "unlinked");
	json_put_member(&w->json, "status", done == job->ask.n ? "success" : done ? "partial" : "failed");
	group_close(w);
	if (done == job->ask.n)
		group_answer(w, linking ? "Groups linked" : "Groups unlinked");
	else
		group_answer_as(w, 207, 1004, linking ? "Some groups failed to link" : "Some groups failed to unlink");
}

/* The groups of the request; false: it is answered. */
static bool read_groups(struct group_work *w, struct group_job *job)
{
	struct json_object *list = json_object_object_get(w->request->p, "groups");
	size_t n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;

	if (n == 0 || n > GROUPS_MAX) {
		rpc_answer(w->request, 400, n ? 2002 : 2001, n ? "groups are at most 100" : "groups is required", NULL);
		return false;
	}
	job->people = xcalloc(n, sizeof *job->people);
	for (size_t i = 0; i < n; i++) {
		const char *text = json_object_get_string(json_object_array_get_idx(list, i));

		if (!text || recipient_group(&job->people[job->ask.n], text, strlen(text)) != RECIPIENT_OK) {
			rpc_answer(w->request, 400, 2002, "groups must be group ids", NULL);
			return false;
		}
		job->ask.n++;
	}
	return true;
}

static void do_link(struct rpc_request *request)
{
	struct group_work *w = group_work_new(request, "communityId");
	struct group_job *job;

	if (!w)
		return;
	job = group_job_of(w, strcmp(request->method->name, "community.link") == 0 ? WA_ASK_LINK : WA_ASK_UNLINK);
	job->ask.on = job->ask.kind == WA_ASK_UNLINK && rpc_param_bool(request, "removeOrphanedMembers");
	if (read_groups(w, job))
		group_ask(w, job, linked);
	else
		group_job_free(job);
}

/* ---- its end ---- */

static void ended(struct group_work *w, struct group_job *job)
{
	if (refused(w, job, "Failed to deactivate the community"))
		return;
	open_answer(w);
	json_put_member(&w->json, "status", "success deactivate community");
	group_close(w);
	group_answer(w, "Community deactivated");
}

static void do_delete(struct rpc_request *request)
{
	ask(request, WA_ASK_DEACTIVATE, ended);
}

const struct rpc_method rpc_community_methods[] = {
	{ "community.info", do_info },
	{ "community.groups", do_subgroups },
	{ "community.participants", do_members },
	{ "community.link", do_link },
	{ "community.unlink", do_link },
	{ "community.delete", do_delete },
	{ NULL, NULL },
};
