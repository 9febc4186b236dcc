/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who is in a group (contract rest-b 3.4): members added, removed, promoted, demoted; those who ask to join let in or not.
 *
 *     add                       who of them is on the network --> add
 *     remove, promote, demote   the members of the group ------> remove ..
 *     approve, reject           who asks to join --------------> approve ..
 */
#include <string.h>

#include "sessiond/json_text.h"
#include "sessiond/rpc/group.h"

#define CODE_DONE 200
#define CODE_NOBODY 404

enum shape { LISTS, ENTRIES };

struct change {
	const char *method;
	enum wa_ask_kind kind;
	enum shape shape;
	const char *done, *failed;   /* names of the lists; of ENTRIES: what each was, NULL */
	const char *message, *partly;
	bool keeps_creator;          /* a superadmin is left alone */
	bool never_failed;           /* says "partial" even if nobody was (rest-b 3.4) */
};

static const struct change changes[] = {
	{ "group.participants.add", WA_ASK_ADD, LISTS, "addedParticipants", "failedToAdd", "Participants added", "Some participants failed to add", false, false },
	{ "group.participants.remove", WA_ASK_REMOVE, LISTS, "removedParticipants", "failedToRemove", "Participants removed",
	  "Some participants failed to remove", false, false },
	{ "group.participants.promote", WA_ASK_PROMOTE, ENTRIES, "promoted", NULL, "Participants promoted", "Some participants failed to promote", true, false },
	{ "group.participants.demote", WA_ASK_DEMOTE, ENTRIES, "demoted", NULL, "Participants demoted", "Some participants failed to demote", true, false },
	{ "group.participants.approve", WA_ASK_APPROVE, LISTS, "approvedParticipants", "failedToApprove", "Participants approved",
	  "Some participants failed to approve", false, false },
	{ "group.participants.reject", WA_ASK_REJECT, ENTRIES, "rejected", NULL, "Participants rejected", "Some participants failed to reject", false, true },
};

/* ---- the answer ---- */

static void put_list(struct group_work *w, const char *name, bool done)
{
	bool any = false;

	json_put_name(&w->json, name);
	buf_u8(&w->json, '[');
	for (size_t i = 0; i < w->n; i++) {
		const struct group_input *p = &w->people[i];

		if ((p->code == CODE_DONE) != done)
			continue;
		if (any)
			buf_u8(&w->json, ',');
		any = true;
		json_put_string(&w->json, jid_is_none(&p->jid) ? p->given : group_digits_of(&p->jid, &p->other));
	}
	buf_u8(&w->json, ']');
}

static void answer(struct group_work *w)
{
	const struct change *c = w->route;
	size_t done = 0;
	bool whole;

	for (size_t i = 0; i < w->n; i++)
		done += w->people[i].code == CODE_DONE;
	whole = done == w->n;
	group_open(w);
	if (c->shape == LISTS) {
		put_list(w, c->done, true);
		put_list(w, c->failed, false);
		group_people_put(w, "participants", "success");
	} else {
		group_people_put(w, "participants", c->done);
	}
	json_put_member(&w->json, "status", whole ? "success" : done || c->never_failed ? "partial" : "failed");
	group_close(w);
	if (whole)
		group_answer(w, c->message);
	else
		group_answer_as(w, 207, 1004, c->partly);
}

/* ---- steps ---- */

static void changed(struct group_work *w, struct group_job *job)
{
	group_people_settle(w, job);
	answer(w);
}

static void change(struct group_work *w)
{
	const struct change *c = w->route;
	struct group_job *job = group_job_of(w, c->kind);

	group_people_take(w, job);
	if (job->ask.n == 0) {
		group_job_free(job);
		answer(w);
		return;
	}
	group_ask(w, job, changed);
}

static void resolved(struct group_work *w, struct group_job *job)
{
	(void)job;
	change(w);
}

/* Somebody who is there: addressed as the group does. */
static void found(struct group_work *w, const struct jid *jid, const struct jid *other, bool barred)
{
	struct group_input *p = group_people_find(w, jid, other);

	if (!p || p->code)
		return;
	p->jid = *jid;
	p->other = *other;
	p->barred = barred;
	p->code = CODE_DONE;
}

/* Those who were found are to be changed now, the others cannot be. */
static void only_found(struct group_work *w)
{
	for (size_t i = 0; i < w->n; i++) {
		struct group_input *p = &w->people[i];

		if (p->code == 0)
			p->code = CODE_NOBODY;
		else if (p->code == CODE_DONE)
			p->code = 0;
	}
}

static void members_came(struct group_work *w, struct group_job *job)
{
	const struct change *c = w->route;
	const struct wa_group *group;

	if (job->code) {
		group_refuse(w, job, group_is_refusal(job->code) ? 500 : 502, group_is_refusal(job->code) ? 8000 : 2800, "Internal error");
		return;
	}
	group = &job->answer.groups[0].group;
	for (size_t i = 0; i < group->n; i++)
		found(w, &group->members[i].jid, &group->members[i].other, c->keeps_creator && group->members[i].role == WA_GROUP_SUPERADMIN);
	only_found(w);
	change(w);
}

static void requests_came(struct group_work *w, struct group_job *job)
{
	if (job->code) {
		group_people_settle(w, job);
		answer(w);
		return;
	}
	for (size_t i = 0; i < job->answer.n; i++)
		found(w, &job->answer.people[i].jid, &job->answer.people[i].other, false);
	only_found(w);
	change(w);
}

static void do_change(struct rpc_request *request)
{
	struct group_work *w = group_work_new(request, "groupId");
	const struct change *c = changes;

	if (!w)
		return;
	while (strcmp(c->method, request->method->name) != 0)
		c++;
	w->route = c;
	if (!group_people_read(w)) {
		rpc_answer(request, 400, 2001, "participants is required", NULL);
		return;
	}
	if (c->kind == WA_ASK_ADD)
		group_people_resolve(w, resolved);
	else if (c->kind == WA_ASK_APPROVE || c->kind == WA_ASK_REJECT)
		group_ask(w, group_job_of(w, WA_ASK_REQUESTS), requests_came);
	else
		group_ask(w, group_job_of(w, WA_ASK_GROUP), members_came);
}

const struct rpc_method rpc_group_member_methods[] = {
	{ "group.participants.add", do_change },
	{ "group.participants.remove", do_change },
	{ "group.participants.promote", do_change },
	{ "group.participants.demote", do_change },
	{ "group.participants.approve", do_change },
	{ "group.participants.reject", do_change },
	{ NULL, NULL },
};
