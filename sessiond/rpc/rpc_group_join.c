/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Into a group and out of it (contract rest-b 3.2, 3.3): links, invite messages, leaving.
 *
 *     link      https://chat.whatsapp.com/<code>, for everybody who has it, until it is reset
 *     message   code, expiry and inviter, for one person (an add that privacy refused brings one: inviteCode, inviteExpiration)
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/recipient.h"
#include "sessiond/json_text.h"
#include "sessiond/rpc/group.h"

#define CODE_MIN 10
#define LINK_PREFIX "https://chat.whatsapp.com/"

void group_put_link(struct buf *out, const char *code)
{
	struct buf link = { 0 };

	if (code) {
		buf_append_text(&link, LINK_PREFIX);
		buf_append_text(&link, code);
	}
	json_put_member(out, "inviteLink", code ? buf_text(&link) : NULL);
	buf_free(&link);
}

/* The first run of at least ten letters and digits; "https://chat.whatsapp.com/" has none. Owned; NULL: none. */
static char *code_in(const char *text)
{
	while (text && *text) {
		size_t n = 0;

		while (isalnum((unsigned char)text[n]) || (n && (text[n] == '-' || text[n] == '_')))
			n++;
		if (n >= CODE_MIN)
			return xstrndup(text, n);
		text += n ? n : 1;
	}
	return NULL;
}

/* A job about the code of the request's link; NULL: the request is answered. */
static struct group_job *job_of_link(struct group_work *w, enum wa_ask_kind kind)
{
	struct group_job *job;
	char *code = code_in(rpc_param_text(w->request, "inviteLink"));

	if (!code) {
		rpc_answer(w->request, 400, 2001, "inviteLink is required", NULL);
		return NULL;
	}
	job = group_job_of(w, kind);
	job->text = code;
	return job;
}

static void ask_link(struct rpc_request *request, enum wa_ask_kind kind, group_next *next)
{
	struct group_work *w = group_work_new(request, NULL);
	struct group_job *job = w ? job_of_link(w, kind) : NULL;

	if (job)
		group_ask(w, job, next);
}

/* ---- group.join.info: what a link leads to ---- */

static void put_preview(struct group_work *w, const struct wa_group_facts *f)
{
	const struct wa_group *g = f ? &f->group : NULL;

	w->group = (struct jid){ 0 };
	group_open(w);
	group_put_jid(&w->json, "groupId", g ? &g->jid : NULL);
	json_put_member(&w->json, "groupName", g ? g->subject : NULL);
	json_put_member(&w->json, "groupDescription", g ? g->description : NULL);
	json_put_int(&w->json, "participantsCount", !f ? 0 : f->group.n ? (int64_t)f->group.n : (int64_t)f->size);
	json_put_bool(&w->json, "isGroupLocked", g && g->locked);
	json_put_bool(&w->json, "isAnnouncement", g && g->announce);
	json_put_bool(&w->json, "isEphemeral", g && g->expiration_s);
	json_put_member(&w->json, "inviteLink", rpc_param_text(w->request, "inviteLink"));
}

static void preview_picture_came(struct group_work *w, struct group_job *job)
{
	put_preview(w, &w->kept.groups[0]);
	/* Refused: we may not see it, so nothing is said about it; there is none: null. */
	if (!job->code || job->code == 404)
		json_put_member(&w->json, "groupPicture", job->answer.text);
	group_close(w);
	group_answer(w, "Invite info fetched");
}

static void preview_came(struct group_work *w, struct group_job *job)
{
	struct group_job *picture;

	if (job->code && !group_is_refusal(job->code)) {
		group_refuse(w, job, 502, 2800, "Internal error");
		return;
	}
	if (job->code) {
		put_preview(w, NULL);
		group_close(w);
		group_answer(w, "Invite info fetched");
		return;
	}
	w->kept = job->answer;
	job->answer = (struct wa_group_answer){ 0 };
	w->group = w->kept.group;
	picture = group_job_picture(GROUP_PICTURE, &w->group);
	picture->text = code_in(rpc_param_text(w->request, "inviteLink"));
	group_ask(w, picture, preview_picture_came);
}

static void do_preview(struct rpc_request *request)
{
	ask_link(request, WA_ASK_INVITE_INFO, preview_came);
}

/* ---- group.invite.info, group.invitation.info: all of it ---- */

static void info_came(struct group_work *w, struct group_job *job)
{
	const struct wa_group_facts *f;

	if (job->code) {
		group_refuse(w, job, 502, 2800, "Failed to fetch invite info");
		return;
	}
	f = &job->answer.groups[0];
	w->group = (struct jid){ 0 };
	group_open(w);
	json_put_name(&w->json, "data");
	group_put_meta(&w->json, f, f->size ? f->size : f->group.n);
	group_close(w);
	group_answer(w, "Invite info fetched");
}

static void do_invite_info(struct rpc_request *request)
{
	ask_link(request, WA_ASK_INVITE_INFO, info_came);
}

/* ---- group.join ---- */

static void joined(struct group_work *w, struct group_job *job)
{
	if (job->code) {
		group_refuse(w, job, 502, 2800, "Failed to join via link");
		return;
	}
	w->group = job->answer.group;
	group_open(w);
	json_put_member(&w->json, "status", job->answer.pending ? "pending approval to join" : "success joined group");
	group_close(w);
	group_answer(w, "Joined group via link");
}

static void do_join(struct rpc_request *request)
{
	ask_link(request, WA_ASK_JOIN, joined);
}

/* ---- group.invite.revoke ---- */

static void revoked(struct group_work *w, struct group_job *job)
{
	if (job->code && !group_is_refusal(job->code)) {
		group_refuse(w, job, 502, 2800, "Internal error");
		return;
	}
	group_open(w);
	group_put_link(&w->json, job->answer.text);
	json_put_member(&w->json, "status", job->code ? "failed" : "success revoke invite link");
	group_close(w);
	group_answer(w, "Invite link revoked");
}

static void do_revoke(struct rpc_request *request)
{
	struct group_work *w = group_work_new(request, "groupId");

	if (w)
		group_ask(w, group_job_of(w, WA_ASK_NEW_INVITE), revoked);
}

/* ---- invite messages ---- */

static struct group_job *job_of_invitation(struct group_work *w, enum wa_ask_kind kind)
{
	const char *code = rpc_param_text(w->request, "inviteCode");
	const char *inviter = rpc_param_text(w->request, "inviter");
	const char *country = w->request->context->daemon->config->country_code;
	struct group_job *job = group_job_of(w, kind);

	if (!inviter || recipient_resolve(&job->ask.admin, inviter, strlen(inviter), country) != RECIPIENT_OK || !jid_is_person(&job->ask.admin)) {
		group_job_free(job);
		rpc_answer(w->request, 400, 2002, "inviter must be the phone number or JID of who sent the invite", NULL);
		return NULL;
	}
	job->text = xstrdup(code);
	job->ask.expires_s = (uint64_t)json_object_get_int64(json_object_object_get(w->request->p, "inviteExpiration"));
	return job;
}

static void accepted(struct group_work *w, struct group_job *job)
{
	if (job->code) {
		group_refuse(w, job, 502, 2800, "Failed to accept the invite");
		return;
	}
	group_open(w);
	json_put_member(&w->json, "status", "success joined group");
	group_close(w);
	group_answer(w, "Joined group via invite message");
}

static void ask_invitation(struct rpc_request *request, enum wa_ask_kind kind, group_next *next)
{
	struct group_work *w = group_work_new(request, "groupId");
	struct group_job *job = w ? job_of_invitation(w, kind) : NULL;

	if (job)
		group_ask(w, job, next);
}

static void do_accept(struct rpc_request *request)
{
	ask_invitation(request, WA_ASK_ACCEPT, accepted);
}

static void do_invitation_info(struct rpc_request *request)
{
	ask_invitation(request, WA_ASK_INVITATION, info_came);
}

static void taken_back(struct group_work *w, struct group_job *job)
{
	if (job->code) {
		group_refuse(w, job, 502, 2800, "Failed to revoke the invites");
		return;
	}
	for (size_t i = 0; i < w->n; i++)
		if (w->people[i].code == 0)
			w->people[i].code = 200;
	group_open(w);
	group_people_put(w, "participants", "revoked");
	json_put_member(&w->json, "status", "success revoke invites");
	group_close(w);
	group_answer(w, "Invites revoked");
}

static void do_take_back(struct rpc_request *request)
{
	struct group_work *w = group_work_new(request, "groupId");
	struct group_job *job;

	if (!w)
		return;
	job = group_job_of(w, WA_ASK_TAKE_BACK);
	if (group_people_read(w))
		group_people_take(w, job);
	if (job->ask.n > 0) {
		group_ask(w, job, taken_back);
		return;
	}
	group_job_free(job);
	rpc_answer(request, 400, 2001, "participants is required", NULL);
}

/* ---- group.leave ---- */

static void left(struct group_work *w, struct group_job *job)
{
	group_open(w);
	json_put_member(&w->json, "status", job->code ? "failed" : "success leave");
	group_close(w);
	if (job->code)
		group_answer_as(w, 207, 1004, "Failed to leave group");
	else
		group_answer(w, "Left group");
}

static void do_leave(struct rpc_request *request)
{
	struct group_work *w = group_work_new(request, "groupId");

	if (w)
		group_ask(w, group_job_of(w, WA_ASK_LEAVE), left);
}

const struct rpc_method rpc_group_join_methods[] = {
	{ "group.join.info", do_preview },
	{ "group.join", do_join },
	{ "group.invite.info", do_invite_info },
	{ "group.invite.revoke", do_revoke },
	{ "group.invitation.info", do_invitation_info },
	{ "group.invitation.accept", do_accept },
	{ "group.invitation.revoke", do_take_back },
	{ "group.leave", do_leave },
	{ NULL, NULL },
};
