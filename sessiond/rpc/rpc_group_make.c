/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The beginning and the end of groups and communities (contract rest-b 3.3).
 *
 *     create   who is on the network --> create
 *     delete   are we an admin? --> everybody else removed --> new invite link --> leave
 */
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/recipient.h"
#include "sessiond/json_text.h"
#include "sessiond/rpc/group.h"

#define CODE_DONE 200

/* ---- group.create, community.create, community.group.create ---- */

struct creation {
	const char *method;
	const char *name;       /* parameter */
	const char *parent;     /* parameter with the community that it belongs to, or NULL */
	bool community;
	const char *message, *failed, *id; /* id: member of the answer */
};

static const struct creation creations[] = {
	{ "group.create", "groupName", NULL, false, "Group created", "Failed to create group", "groupId" },
	{ "community.create", "communityName", NULL, true, "Community created", "Failed to create community", "communityId" },
	{ "community.group.create", "groupName", "communityId", false, "Group created", "Failed to create group", "groupId" },
};

static void created(struct group_work *w, struct group_job *job)
{
	const struct creation *c = w->route;

	if (job->code) {
		group_refuse(w, job, group_is_refusal(job->code) ? 500 : 502, group_is_refusal(job->code) ? 8000 : 2800, c->failed);
		return;
	}
	group_people_settle(w, job);
	w->group = (struct jid){ 0 };
	group_open(w);
	group_put_jid(&w->json, c->id, &job->answer.group);
	if (c->parent)
		group_put_jid(&w->json, "communityId", &job->ask.parent);
	if (!c->community)
		group_people_put(w, "participants", "success");
	group_close(w);
	group_answer(w, c->message);
}

static void create(struct group_work *w, struct group_job *resolved)
{
	const struct creation *c = w->route;
	const char *description = rpc_param_text(w->request, "description");
	struct group_job *job = group_job_new(WA_ASK_CREATE, NULL);

	(void)resolved;
	job->text = xstrdup(rpc_param_text(w->request, c->name));
	job->description = description ? xstrdup(description) : NULL;
	job->ask.community = c->community;
	if (c->parent)
		job->ask.parent = w->group;
	group_people_take(w, job);
	group_ask(w, job, created);
}

/* We are in it anyhow. */
static void skip_own(struct group_work *w)
{
	for (size_t i = 0; i < w->n; i++)
		if (jid_same_user(&w->people[i].jid, &w->own) || (!jid_is_none(&w->own_lid) && jid_same_user(&w->people[i].jid, &w->own_lid)))
			w->people[i].code = CODE_DONE;
}

static void do_create(struct rpc_request *request)
{
	const struct creation *c = creations;
	const char *description = rpc_param_text(request, "description");
	struct group_work *w;

	while (strcmp(c->method, request->method->name) != 0)
		c++;
	w = group_work_new(request, c->parent);
	if (!w)
		return;
	w->route = c;
	if (!group_text_fits(w, c->name, rpc_param_text(request, c->name), GROUP_SUBJECT_MAX))
		return;
	if (description && !group_text_fits(w, "description", description, GROUP_DESCRIPTION_MAX))
		return;
	group_people_read(w);
	skip_own(w);
	group_people_resolve(w, create);
}

/* ---- group.delete ---- */

static void put_digits(struct group_work *w, const char *name, bool done)
{
	bool any = false;

	json_put_name(&w->json, name);
	buf_u8(&w->json, '[');
	for (size_t i = 0; i < w->n; i++) {
		if ((w->people[i].code == CODE_DONE) != done)
			continue;
		if (any)
			buf_u8(&w->json, ',');
		any = true;
		json_put_string(&w->json, group_digits_of(&w->people[i].jid, &w->people[i].other));
	}
	buf_u8(&w->json, ']');
}

static void ended(struct group_work *w, const char *status, int http, int code, const char *message)
{
	group_open(w);
	put_digits(w, "removedParticipants", true);
	put_digits(w, "failedToRemove", false);
	json_put_member(&w->json, "status", status);
	group_close(w);
	group_answer_as(w, http, code, message);
}

static void left(struct group_work *w, struct group_job *job)
{
	ended(w, job->code ? "partial" : "success delete group", 200, 1000, "Group disbanded");
}

static void link_reset(struct group_work *w, struct group_job *job)
{
	/* Whoever has the old link finds an empty group, if it could not be reset. */
	(void)job;
	group_ask(w, group_job_of(w, WA_ASK_LEAVE), left);
}

static void removed(struct group_work *w, struct group_job *job)
{
	size_t done = 0;

	group_people_settle(w, job);
	for (size_t i = 0; i < w->n; i++)
		done += w->people[i].code == CODE_DONE;
	if (done < w->n)
		ended(w, done ? "partial" : "failed", 207, 1004, "Some members failed to remove");
	else
		group_ask(w, group_job_of(w, WA_ASK_NEW_INVITE), link_reset);
}

static bool is_own(const struct group_work *w, const struct wa_group_member *m)
{
	return jid_same_user(&m->jid, &w->own) || jid_same_user(&m->other, &w->own) ||
	       (!jid_is_none(&w->own_lid) && (jid_same_user(&m->jid, &w->own_lid) || jid_same_user(&m->other, &w->own_lid)));
}

/* Everybody else. True if we are an admin. */
static bool take_others(struct group_work *w, const struct wa_group *group)
{
	bool admin = false;

	w->people = xcalloc(group->n + 1, sizeof *w->people);
	for (size_t i = 0; i < group->n; i++) {
		if (is_own(w, &group->members[i]))
			admin = group->members[i].role != WA_GROUP_MEMBER;
		else
			w->people[w->n++] = (struct group_input){ .given = xstrdup(group->members[i].jid.user), .jid = group->members[i].jid,
								  .other = group->members[i].other };
	}
	return admin;
}

static void members_came(struct group_work *w, struct group_job *job)
{
	struct group_job *remove;

	if (job->code) {
		group_refuse(w, job, group_is_refusal(job->code) ? 500 : 502, group_is_refusal(job->code) ? 8000 : 2800, "Internal error");
		return;
	}
	if (!take_others(w, &job->answer.groups[0].group)) {
		group_open(w);
		json_put_member(&w->json, "status", "not permitted");
		group_close(w);
		group_answer_as(w, 403, 2201, "Bot is not an admin in this group");
		return;
	}
	remove = group_job_of(w, WA_ASK_REMOVE);
	group_people_take(w, remove);
	if (remove->ask.n > 0) {
		group_ask(w, remove, removed);
		return;
	}
	group_job_free(remove);
	group_ask(w, group_job_of(w, WA_ASK_NEW_INVITE), link_reset);
}

static void do_delete(struct rpc_request *request)
{
	struct group_work *w = group_work_new(request, "groupId");

	if (w)
		group_ask(w, group_job_of(w, WA_ASK_GROUP), members_came);
}

const struct rpc_method rpc_group_make_methods[] = {
	{ "group.create", do_create },
	{ "community.create", do_create },
	{ "community.group.create", do_create },
	{ "group.delete", do_delete },
	{ NULL, NULL },
};
