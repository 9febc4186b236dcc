/* SPDX-License-Identifier: GPL-3.0-or-later */
/* misc.validate.phone, misc.validate.jid, misc.resolve (contract rest-b 5.4). */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/daemon.h"
#include "sessiond/json_text.h"
#include "sessiond/rpc/dialcode.h"
#include "sessiond/rpc/people.h"
#include "sessiond/session/groupjob.h"

static const char *country_of(const struct jid *pn)
{
	return jid_is_pn(pn) ? dialcode_country(pn->user) : NULL;
}

/* ---- phone ---- */

static void phone_looked_up(struct ask_job *ask)
{
	struct cards_job *job = (struct cards_job *)ask;
	const struct card *card = &job->cards[0];
	struct jid jid = card->pn;
	struct buf result = { 0 };

	if (jid_is_none(&jid))
		jid_make(&jid, card->phone, strlen(card->phone), JID_SERVER_PN, 0);
	buf_append_text(&result, "{\"data\":{");
	/* A question without an answer is no number (contract). */
	json_put_bool(&result, "exists", ask->code == 0 && card->registered);
	json_put_name(&result, "e164");
	buf_printf(&result, "\"+%s\"", card->phone);
	people_put_jid(&result, "jid", &jid);
	people_put_jid(&result, "lid", &card->lid);
	json_put_member(&result, "country", dialcode_country(card->phone));
	buf_append_text(&result, "}}");
	rpc_answer(ask->arg, 200, 1000, "Phone validation complete", buf_text(&result));
	buf_free(&result);
	cards_job_free(job);
}

static void do_phone(struct rpc_request *request)
{
	char number[24];
	struct cards_job *job;

	if (dialcode_number(rpc_param_text(request, "phone"), rpc_param_text(request, "country"), request->context->daemon->config->country_code, number) < 0) {
		rpc_answer(request, 400, 2002, "Invalid phone number", NULL);
		return;
	}
	job = cards_job_new(1);
	job->cards[0].phone = xstrdup(number);
	job->what = WA_ASK_CONTACT | WA_ASK_LID;
	if (!people_ask(request, &job->ask, phone_looked_up))
		cards_job_free(job);
}

/* ---- jid ---- */

static void answer_jid(struct rpc_request *request, bool exists, const char *type)
{
	struct buf result = { 0 };

	buf_append_text(&result, "{\"data\":{");
	json_put_bool(&result, "exists", exists);
	json_put_member(&result, "type", type);
	buf_append_text(&result, "}}");
	rpc_answer(request, 200, 1000, "JID validation complete", buf_text(&result));
	buf_free(&result);
}

static void user_looked_up(struct ask_job *ask)
{
	struct cards_job *job = (struct cards_job *)ask;

	answer_jid(ask->arg, ask->code == 0 && job->cards[0].registered, "user");
	cards_job_free(job);
}

static void ask_user(struct rpc_request *request, const char *phone)
{
	struct cards_job *job = cards_job_new(1);

	job->cards[0].phone = xstrdup(phone);
	job->what = WA_ASK_CONTACT | WA_ASK_LID;
	if (!people_ask(request, &job->ask, user_looked_up))
		cards_job_free(job);
}

static void group_looked_up(struct group_job *job)
{
	answer_jid(job->arg, job->code == 0 && job->answer.ngroups > 0, "group");
	group_job_free(job);
}

static void ask_group(struct rpc_request *request, const struct jid *group)
{
	struct session_entry *entry = rpc_session(request);
	struct group_job *job;

	if (!entry)
		return;
	job = group_job_new(WA_ASK_GROUP, group);
	job->done = group_looked_up;
	job->arg = request;
	sessions_group(request->context->daemon->sessions, entry, job);
}

static size_t digits_of(const char *text, char out[static 24])
{
	size_t n = 0;

	for (; *text && n < 23; text++)
		if (isdigit((unsigned char)*text))
			out[n++] = *text;
	out[n] = '\0';
	return n;
}

static void do_jid(struct rpc_request *request)
{
	const char *text = rpc_param_text(request, "jid");
	char number[24];
	struct jid jid;

	/* The part behind the @ first: the digits before it say nothing about what it is. */
	if (jid_parse_text(&jid, text)) {
		if (!strchr(text, '@') && dialcode_number(text, NULL, request->context->daemon->config->country_code, number) > 0)
			ask_user(request, number);
		else
			answer_jid(request, false, "user");
	} else if (jid_is_group(&jid)) {
		ask_group(request, &jid);
	} else if (jid.server == JID_SERVER_BROADCAST) {
		answer_jid(request, jid_is_status(&jid), "broadcast");
	} else if (jid.server == JID_SERVER_NEWSLETTER) {
		answer_jid(request, false, "newsletter");
	} else if (jid_is_lid(&jid) || jid.server == JID_SERVER_HOSTED_LID) {
		answer_jid(request, false, "lid");
	} else if (jid_is_pn(&jid) && digits_of(jid.user, number) >= 5) {
		ask_user(request, number);
	} else {
		answer_jid(request, false, "user");
	}
}

/* ---- resolve ---- */

static void answer_resolved(struct rpc_request *request, const char *type, const struct jid *pn, const struct jid *lid)
{
	struct buf result = { 0 };
	bool valid = !jid_is_none(pn) || !jid_is_none(lid);

	buf_append_text(&result, "{\"data\":{");
	json_put_bool(&result, "isValid", valid);
	json_put_member(&result, "type", valid ? type : "invalid");
	people_put_jid(&result, "lid", lid);
	people_put_jid(&result, "jid", pn);
	json_put_member(&result, "country", country_of(pn));
	buf_append_text(&result, "}}");
	rpc_answer(request, 200, 1000, "Identifier resolved", buf_text(&result));
	buf_free(&result);
}

static void names_found(struct ask_job *ask)
{
	struct profile_job *job = (struct profile_job *)ask;
	const struct profile_person *person = &job->people[0];
	bool lid = jid_is_lid(&person->jid);
	struct jid pn = person->pn, other = person->lid;

	/* What was asked for stays good where nothing is known of the other name. */
	if (lid && jid_is_none(&other))
		other = person->jid;
	if (!lid && jid_is_none(&pn))
		pn = person->jid;
	answer_resolved(ask->arg, lid ? "lid" : "jid", &pn, &other);
	profile_job_free(job);
}

static void do_resolve(struct rpc_request *request)
{
	static const struct jid none = { .server = JID_SERVER_NONE };
	const char *text = rpc_param_text(request, "input");
	struct profile_job *job;
	char number[24];
	struct jid jid;

	if (jid_parse_text(&jid, text)) {
		if (strchr(text, '@') || dialcode_number(text, NULL, request->context->daemon->config->country_code, number) < 0 ||
		    jid_make(&jid, number, strlen(number), JID_SERVER_PN, 0)) {
			answer_resolved(request, "invalid", &none, &none);
			return;
		}
	}
	jid = jid_bare(&jid);
	if (jid.user[0] == '\0' || (!jid_is_pn(&jid) && !jid_is_lid(&jid))) {
		/* Groups and the like have one name. */
		answer_resolved(request, "jid", jid.user[0] ? &jid : &none, &none);
		return;
	}
	job = profile_job_new(PROFILE_NAMES, 1);
	job->people[0].jid = jid;
	if (!people_ask(request, &job->ask, names_found))
		profile_job_free(job);
}

const struct rpc_method rpc_identity_methods[] = {
	{ "misc.validate.phone", do_phone },
	{ "misc.validate.jid", do_jid },
	{ "misc.resolve", do_resolve },
	{ NULL, NULL },
};
