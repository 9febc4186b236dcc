/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Participants as callers write them, matched with what the server says of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/recipient.h"
#include "sessiond/json_text.h"
#include "sessiond/rpc/group.h"

#define CODE_DONE 200
#define CODE_MALFORMED 400
#define CODE_NOBODY 404
#define CODE_UNTOLD 500

void group_people_free(struct group_work *w)
{
	for (size_t i = 0; i < w->n; i++) {
		free(w->people[i].given);
		free(w->people[i].invite_code);
	}
	free(w->people);
	w->people = NULL;
	w->n = 0;
}

/* ---- reading ---- */

static bool is_known(const struct group_work *w, const struct group_input *input)
{
	for (size_t i = 0; i < w->n; i++) {
		const struct group_input *p = &w->people[i];

		if (strcmp(p->given, input->given) == 0 || (!jid_is_none(&input->jid) && jid_same_user(&p->jid, &input->jid)))
			return true;
	}
	return false;
}

static void add_one(struct group_work *w, const char *text, size_t len)
{
	const char *country = w->request->context->daemon->config->country_code;
	struct group_input input = { 0 };

	while (len > 0 && strchr(" \t", text[0])) {
		text++;
		len--;
	}
	while (len > 0 && strchr(" \t", text[len - 1]))
		len--;
	if (len == 0)
		return;
	input.given = xstrndup(text, len);
	if (recipient_resolve(&input.jid, text, len, country) != RECIPIENT_OK || !jid_is_person(&input.jid)) {
		input.jid = (struct jid){ 0 };
		input.code = CODE_MALFORMED;
	}
	if (is_known(w, &input)) {
		free(input.given);
		return;
	}
	w->people[w->n++] = input;
}

static size_t count_parts(const char *text)
{
	size_t n = 1;

	for (; *text; text++)
		n += strchr(",;\n", *text) != NULL;
	return n;
}

static void add_text(struct group_work *w, const char *text)
{
	w->people = xrealloc(w->people, (w->n + count_parts(text)) * sizeof *w->people);
	while (*text) {
		size_t n = strcspn(text, ",;\n");

		add_one(w, text, n);
		text += n + (text[n] != '\0');
	}
}

bool group_people_read(struct group_work *w)
{
	struct json_object *list = json_object_object_get(w->request->p, "participants");
	size_t n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;

	for (size_t i = 0; i < n && w->n < LIMIT_WA_GROUP_MEMBERS; i++) {
		const char *text = json_object_get_string(json_object_array_get_idx(list, i));

		if (text)
			add_text(w, text);
	}
	return w->n > 0;
}

/* ---- who is on the network ---- */

struct group_input *group_people_find(struct group_work *w, const struct jid *jid, const struct jid *other)
{
	for (size_t i = 0; i < w->n; i++) {
		struct group_input *p = &w->people[i];

		if (jid_is_none(&p->jid))
			continue;
		if (jid_same_user(&p->jid, jid) || (!jid_is_none(other) && jid_same_user(&p->jid, other)) ||
		    (!jid_is_none(&p->other) && (jid_same_user(&p->other, jid) || jid_same_user(&p->other, other))))
			return p;
	}
	return NULL;
}

static void users_came(struct group_work *w, struct group_job *job)
{
	for (size_t i = 0; i < job->answer.n; i++) {
		const struct wa_group_person *user = &job->answer.people[i];
		struct group_input *p = group_people_find(w, &user->jid, &user->other);

		if (!p)
			continue;
		if (user->code != CODE_DONE)
			p->code = CODE_NOBODY;
		else if (jid_is_none(&p->other))
			p->other = user->other;
	}
	/* Where the question failed, the server judges the numbers by itself. */
	w->resolved(w, job);
}

void group_people_resolve(struct group_work *w, group_next *next)
{
	struct group_job *job = group_job_of(w, WA_ASK_USERS);

	job->people = xcalloc(w->n + 1, sizeof *job->people);
	for (size_t i = 0; i < w->n; i++)
		if (w->people[i].code == 0 && jid_is_pn(&w->people[i].jid))
			job->people[job->ask.n++] = w->people[i].jid;
	w->resolved = next;
	if (job->ask.n > 0) {
		group_ask(w, job, users_came);
		return;
	}
	next(w, job);
	group_job_free(job);
}

/* ---- in a job ---- */

void group_people_take(struct group_work *w, struct group_job *job)
{
	job->people = xcalloc(w->n + 1, sizeof *job->people);
	for (size_t i = 0; i < w->n; i++)
		if (w->people[i].code == 0 && !w->people[i].barred)
			job->people[job->ask.n++] = w->people[i].jid;
}

static void settle_one(struct group_input *input, struct wa_group_person *person)
{
	input->code = person->code;
	if (jid_is_none(&input->other) && !jid_is_none(&person->jid))
		input->other = jid_same_user(&input->jid, &person->jid) ? person->other : person->jid;
	if (person->invite_code) {
		free(input->invite_code);
		input->invite_code = xstrdup(person->invite_code);
		input->invite_expires_s = person->invite_expires_s;
	}
}

void group_people_settle(struct group_work *w, const struct group_job *job)
{
	for (size_t i = 0; i < job->answer.n; i++) {
		struct group_input *input = group_people_find(w, &job->answer.people[i].jid, &job->answer.people[i].other);

		if (input && input->code == 0 && !input->barred)
			settle_one(input, &job->answer.people[i]);
	}
	for (size_t i = 0; i < w->n; i++)
		if (w->people[i].code == 0 && !w->people[i].barred)
			w->people[i].code = job->code ? job->code : CODE_UNTOLD;
}

static const char *why_not(const struct group_input *input, char *text, size_t cap)
{
	static const struct {
		int code;
		const char *text;
	} words[] = {
		{ 400, "this is neither a phone number nor a JID of a person" },
		{ 401, "this person has blocked the account, or only admins may do this" },
		{ 403, "not allowed: the account is no admin, or the person's privacy settings do not let others add them (see inviteCode)" },
		{ 404, "not on WhatsApp, or not among the group's members or requests" },
		{ 408, "left the group lately and cannot be added, or WhatsApp did not answer in time" },
		{ 409, "is a member already" },
		{ 419, "the group is full" },
	};

	if (input->barred)
		return "not permitted: the creator of the group keeps this right";
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (words[i].code == input->code)
			return words[i].text;
	return group_reason(input->code, NULL, text, cap);
}

void group_people_put(struct group_work *w, const char *name, const char *done)
{
	char text[192];

	json_put_name(&w->json, name);
	buf_u8(&w->json, '[');
	for (size_t i = 0; i < w->n; i++) {
		const struct group_input *p = &w->people[i];
		bool good = p->code == CODE_DONE;

		buf_append_text(&w->json, i ? ",{" : "{");
		json_put_member(&w->json, "input", p->given);
		json_put_member(&w->json, "phone", jid_is_none(&p->jid) ? p->given : group_digits_of(&p->jid, &p->other));
		group_put_jid(&w->json, "jid", group_phone_of(&p->jid, &p->other));
		group_put_jid(&w->json, "lid", group_lid_of(&p->jid, &p->other));
		json_put_member(&w->json, "status", good ? done : p->barred ? "not permitted" : "failed");
		json_put_int(&w->json, "code", p->barred ? 403 : p->code);
		if (!good)
			json_put_member(&w->json, "reason", why_not(p, text, sizeof text));
		if (p->invite_code) {
			json_put_member(&w->json, "inviteCode", p->invite_code);
			json_put_int(&w->json, "inviteExpiration", (int64_t)p->invite_expires_s);
		}
		buf_u8(&w->json, '}');
	}
	buf_u8(&w->json, ']');
}
