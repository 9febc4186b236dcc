/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the group routes share, see group.h. */
#include "sessiond/rpc/group.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/recipient.h"
#include "sessiond/json_text.h"

/* ---- the work ---- */

static void group_work_free(void *arg)
{
	struct group_work *w = arg;

	if (w->more_free)
		w->more_free(w->more);
	group_people_free(w);
	wa_group_answer_clear(&w->kept);
	buf_free(&w->json);
	free(w);
}

struct group_work *group_work_new(struct rpc_request *request, const char *name)
{
	const struct session_entry *entry = rpc_session(request);
	struct group_work *w;
	char missing[64];
	const char *text;

	if (!entry)
		return NULL;
	w = xcalloc(1, sizeof *w);
	w->request = request;
	w->own = jid_bare(&entry->view.me_pn);
	w->own_lid = jid_bare(&entry->view.me_lid);
	request->work = w;
	request->work_free = group_work_free;
	if (!name)
		return w;
	text = rpc_param_text(request, name);
	if (text && recipient_group(&w->group, text, strlen(text)) == RECIPIENT_OK)
		return w;
	snprintf(missing, sizeof missing, "%s is required", name);
	rpc_answer(request, 400, 2001, missing, NULL);
	return NULL;
}

static void came_back(struct group_job *job)
{
	struct group_work *w = job->arg;

	if (job->code == GROUP_SESSION_GONE) {
		rpc_answer(w->request, 404, 1101, "Session not found", NULL);
	} else {
		w->own = job->own;
		w->own_lid = job->own_lid;
		w->next(w, job);
	}
	group_job_free(job);
}

void group_ask(struct group_work *w, struct group_job *job, group_next *next)
{
	struct session_entry *entry = rpc_session(w->request);

	if (!entry) {
		group_job_free(job);
		return;
	}
	w->next = next;
	job->done = came_back;
	job->arg = w;
	sessions_group(w->request->context->daemon->sessions, entry, job);
}

struct group_job *group_job_of(const struct group_work *w, enum wa_ask_kind kind)
{
	return group_job_new(kind, &w->group);
}

/* ---- refusals ---- */

bool group_is_refusal(int code)
{
	return code >= 400 && code < 500 && code != 408 && code != 429;
}

static const struct reason {
	int code;
	const char *word, *text;
} reasons[] = {
	{ 304, "not-modified", "this account is in the group already" },
	{ 400, "bad-request", "WhatsApp cannot read this" },
	{ 401, "not-authorized", "only admins may do this, or see it" },
	{ 403, "forbidden", "this account is not in the group, or not one of its admins" },
	{ 404, "item-not-found", "there is no such group, member or invite link" },
	{ 405, "not-allowed", "this account was removed from the group" },
	{ 406, "not-acceptable", "WhatsApp does not accept this value" },
	{ 408, "timed-out", "WhatsApp did not answer in time" },
	{ 409, "conflict", "it was changed meanwhile, or is so already" },
	{ 410, "gone", "this invite link was reset" },
	{ 412, "precondition-failed", "the community is full" },
	{ 416, "suspended", "the community is suspended" },
	{ 419, "group-full", "the group is full" },
	{ 423, "locked", "the group is locked" },
	{ 429, "rate-overlimit", "WhatsApp wants fewer requests, wait a while" },
	{ 436, "growth-locked", "the group takes nobody at the moment" },
	{ 500, "internal-server-error", "WhatsApp, or our storage, could not do it" },
	{ 502, "malformed-answer", "WhatsApp's answer cannot be read" },
	{ 503, "service-unavailable", "the session is not connected" },
};

const char *group_reason(int code, const char *word, char *text, size_t cap)
{
	for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++) {
		if (reasons[i].code != code)
			continue;
		snprintf(text, cap, "%s: %s", word ? word : reasons[i].word, reasons[i].text);
		return text;
	}
	if (!word)
		return NULL;
	snprintf(text, cap, "%s", word);
	return text;
}

void group_refuse(struct group_work *w, const struct group_job *job, int status, int code, const char *fallback)
{
	char text[192];
	const char *reason = group_reason(job->code, job->answer.reason, text, sizeof text);

	rpc_answer(w->request, status, code, reason ? reason : fallback, NULL);
}

void group_answer_as(struct group_work *w, int status, int code, const char *message)
{
	rpc_answer(w->request, status, code, message, buf_text(&w->json));
}

void group_answer(struct group_work *w, const char *message)
{
	group_answer_as(w, 200, 1000, message);
}

/* ---- JSON ---- */

void group_open(struct group_work *w)
{
	buf_clear(&w->json);
	buf_append_text(&w->json, "[{");
	json_put_member(&w->json, "sessionId", w->request->session_id);
	json_put_member(&w->json, "phone", w->own.user);
	if (!jid_is_none(&w->group))
		group_put_jid(&w->json, "groupId", &w->group);
}

void group_close(struct group_work *w)
{
	buf_append_text(&w->json, "}]");
}

void group_put_jid(struct buf *out, const char *name, const struct jid *jid)
{
	char text[JID_TEXT_MAX];

	json_put_member(out, name, jid && !jid_is_none(jid) ? jid_format(jid, text, sizeof text) : NULL);
}

static void put_known_jid(struct buf *out, const char *name, const struct jid *jid)
{
	if (!jid_is_none(jid))
		group_put_jid(out, name, jid);
}

const struct jid *group_phone_of(const struct jid *jid, const struct jid *other)
{
	return jid_is_pn(jid) ? jid : jid_is_pn(other) ? other : NULL;
}

const struct jid *group_lid_of(const struct jid *jid, const struct jid *other)
{
	return jid_is_lid(jid) ? jid : jid_is_lid(other) ? other : NULL;
}

const char *group_digits_of(const struct jid *jid, const struct jid *other)
{
	const struct jid *phone = group_phone_of(jid, other);

	return phone ? phone->user : jid->user;
}

static void put_time(struct buf *out, const char *name, int64_t seconds)
{
	if (seconds > 0)
		json_put_int(out, name, seconds);
}

static void put_description(struct buf *out, const struct wa_group_facts *f)
{
	if (!f->group.description)
		return;
	json_put_member(out, "desc", f->group.description);
	if (f->group.description_id)
		json_put_member(out, "descId", f->group.description_id);
	put_known_jid(out, "descOwner", &f->description_owner);
	put_known_jid(out, "descOwnerJid", &f->description_owner_pn);
	put_time(out, "descTime", f->description_time_s);
}

static void put_flags(struct buf *out, const struct wa_group *g)
{
	json_put_bool(out, "restrict", g->locked);
	json_put_bool(out, "announce", g->announce);
	json_put_bool(out, "isCommunity", g->community);
	json_put_bool(out, "isCommunityAnnounce", g->announcement_group);
	json_put_bool(out, "joinApprovalMode", g->join_approval);
	json_put_bool(out, "memberAddMode", g->members_add);
}

void group_put_meta(struct buf *out, const struct wa_group_facts *f, size_t count)
{
	buf_u8(out, '{');
	group_put_jid(out, "id", &f->group.jid);
	json_put_member(out, "addressingMode", f->group.lid_addressed ? "lid" : "pn");
	json_put_member(out, "subject", f->group.subject ? f->group.subject : "");
	put_known_jid(out, "subjectOwner", &f->subject_owner);
	put_known_jid(out, "subjectOwnerJid", &f->subject_owner_pn);
	if (f->subject_time_s > 0)
		json_put_int(out, "subjectTime", f->subject_time_s);
	else
		json_put_raw(out, "subjectTime", "null");
	put_time(out, "creation", f->group.created_s);
	put_known_jid(out, "owner", &f->group.owner);
	put_known_jid(out, "ownerJid", &f->owner_pn);
	if (f->country[0])
		json_put_member(out, "owner_country_code", f->country);
	put_description(out, f);
	put_known_jid(out, "linkedParent", &f->group.parent);
	put_flags(out, &f->group);
	if (f->group.expiration_s)
		json_put_int(out, "ephemeralDuration", f->group.expiration_s);
	json_put_int(out, "participantsCount", (int64_t)count);
	buf_u8(out, '}');
}
