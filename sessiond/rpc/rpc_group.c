/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Looking at groups (contract rest-b 3.1, 3.2): each is one question; what WhatsApp refuses to show is answered as nothing (D21). */
#include <string.h>

#include "sessiond/json_text.h"
#include "sessiond/rpc/group.h"

/* True if the request is answered: not with "nothing", but because the question could not be asked. */
static bool in_trouble(struct group_work *w, const struct group_job *job)
{
	if (!job->code || group_is_refusal(job->code))
		return false;
	group_refuse(w, job, 502, 2800, "Internal error");
	return true;
}

/* The same for routes that do not hide refusals. */
static bool refused(struct group_work *w, const struct group_job *job)
{
	if (in_trouble(w, job))
		return true;
	if (job->code)
		group_refuse(w, job, 500, 8000, "Internal error");
	return job->code != 0;
}

static size_t members_of(const struct wa_group_facts *f)
{
	return f->size ? f->size : f->group.n;
}

/* ---- groups.list, group.info ---- */

static void list_came(struct group_work *w, struct group_job *job)
{
	if (in_trouble(w, job))
		return;
	group_open(w);
	json_put_name(&w->json, "data");
	buf_u8(&w->json, '[');
	for (size_t i = 0; i < job->answer.ngroups; i++) {
		if (i)
			buf_u8(&w->json, ',');
		group_put_meta(&w->json, &job->answer.groups[i], members_of(&job->answer.groups[i]));
	}
	buf_u8(&w->json, ']');
	group_close(w);
	group_answer(w, "Groups list fetched");
}

static void do_list(struct rpc_request *request)
{
	struct group_work *w = group_work_new(request, NULL);

	if (w)
		group_ask(w, group_job_of(w, WA_ASK_GROUPS), list_came);
}

static void put_data(struct group_work *w, const struct group_job *job, const char *message)
{
	w->group = (struct jid){ 0 };
	group_open(w);
	json_put_name(&w->json, "data");
	group_put_meta(&w->json, &job->answer.groups[0], members_of(&job->answer.groups[0]));
	group_close(w);
	group_answer(w, message);
}

static void info_came(struct group_work *w, struct group_job *job)
{
	if (!refused(w, job))
		put_data(w, job, "Group info");
}

static void do_info(struct rpc_request *request)
{
	struct group_work *w = group_work_new(request, "groupId");

	if (w)
		group_ask(w, group_job_of(w, WA_ASK_GROUP), info_came);
}

/* ---- group.participants.list ---- */

static void put_member(struct group_work *w, const struct wa_group_member *m)
{
	const struct jid *phone = group_phone_of(&m->jid, &m->other);
	const struct jid *lid = group_lid_of(&m->jid, &m->other);

	buf_u8(&w->json, '{');
	group_put_jid(&w->json, "id", &m->jid);
	group_put_jid(&w->json, "jid", phone);
	group_put_jid(&w->json, "lid", lid);
	json_put_bool(&w->json, "isMe", (phone && jid_same_user(phone, &w->own)) || (lid && jid_same_user(lid, &w->own_lid)));
	json_put_bool(&w->json, "isAdmin", m->role != WA_GROUP_MEMBER);
	json_put_bool(&w->json, "isSuperAdmin", m->role == WA_GROUP_SUPERADMIN);
	buf_u8(&w->json, '}');
}

static void members_came(struct group_work *w, struct group_job *job)
{
	const struct wa_group *group;

	if (refused(w, job))
		return;
	group = &job->answer.groups[0].group;
	group_open(w);
	json_put_name(&w->json, "participants");
	buf_u8(&w->json, '[');
	for (size_t i = 0; i < group->n; i++) {
		if (i)
			buf_u8(&w->json, ',');
		put_member(w, &group->members[i]);
	}
	buf_u8(&w->json, ']');
	group_close(w);
	group_answer(w, "Participants fetched");
}

static void do_participants(struct rpc_request *request)
{
	struct group_work *w = group_work_new(request, "groupId");

	if (w)
		group_ask(w, group_job_of(w, WA_ASK_GROUP), members_came);
}

/* ---- group.participants.requests ---- */

static void requests_came(struct group_work *w, struct group_job *job)
{
	if (in_trouble(w, job))
		return;
	group_open(w);
	json_put_name(&w->json, "joinRequests");
	buf_u8(&w->json, '[');
	for (size_t i = 0; i < job->answer.n; i++) {
		const struct wa_group_person *p = &job->answer.people[i];
		const struct jid *phone = group_phone_of(&p->jid, &p->other);

		buf_append_text(&w->json, i ? ",{" : "{");
		group_put_jid(&w->json, "jid", phone);
		group_put_jid(&w->json, "lid", group_lid_of(&p->jid, &p->other));
		json_put_member(&w->json, "phone", phone ? phone->user : NULL);
		json_put_member(&w->json, "requestMethod", p->method);
		if (p->time_s)
			json_put_int(&w->json, "requestTime", p->time_s);
		else
			json_put_raw(&w->json, "requestTime", "null");
		buf_u8(&w->json, '}');
	}
	buf_u8(&w->json, ']');
	group_close(w);
	group_answer(w, "Join requests fetched");
}

static void do_requests(struct rpc_request *request)
{
	struct group_work *w = group_work_new(request, "groupId");

	if (w)
		group_ask(w, group_job_of(w, WA_ASK_REQUESTS), requests_came);
}

/* ---- group.picture.get, group.invite.get ---- */

static void picture_came(struct group_work *w, struct group_job *job)
{
	if (in_trouble(w, job))
		return;
	group_open(w);
	json_put_member(&w->json, "pictureUrl", job->answer.text);
	group_close(w);
	group_answer(w, "Group picture");
}

static void do_picture(struct rpc_request *request)
{
	struct group_work *w = group_work_new(request, "groupId");

	if (w)
		group_ask(w, group_job_picture(GROUP_PICTURE, &w->group), picture_came);
}

static void invite_came(struct group_work *w, struct group_job *job)
{
	if (in_trouble(w, job))
		return;
	group_open(w);
	group_put_link(&w->json, job->answer.text);
	group_close(w);
	group_answer(w, "Invite link fetched");
}

static void do_invite(struct rpc_request *request)
{
	struct group_work *w = group_work_new(request, "groupId");

	if (w)
		group_ask(w, group_job_of(w, WA_ASK_INVITE), invite_came);
}

const struct rpc_method rpc_group_methods[] = {
	{ "groups.list", do_list },
	{ "group.info", do_info },
	{ "group.participants.list", do_participants },
	{ "group.participants.requests", do_requests },
	{ "group.picture.get", do_picture },
	{ "group.invite.get", do_invite },
	{ NULL, NULL },
};
