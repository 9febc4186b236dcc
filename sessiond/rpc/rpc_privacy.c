/* SPDX-License-Identifier: GPL-3.0-or-later */
/* profile.privacy*, profile.blocklist, profile.block, profile.unblock (contract rest-b 4.3; writing is an addition). */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/mem.h"
#include "sessiond/daemon.h"
#include "sessiond/json_text.h"
#include "sessiond/rpc/people.h"

/* ---- the settings: our name, WhatsApp's, what is shown when it does not say, what may be set ---- */

static const struct category {
	const char *ours, *theirs, *otherwise, *values;
	bool list; /* people can be shut out one by one */
} categories[] = {
	{ "readReceipts", "readreceipts", "all", "all|none", false },
	{ "profilePhoto", "profile", "all", "all|contacts|contact_blacklist|none", true },
	{ "status", "status", "all", "all|contacts|contact_blacklist|none", true },
	{ "online", "online", "match_last_seen", "all|match_last_seen", false },
	{ "lastSeen", "last", "none", "all|contacts|contact_blacklist|none", true },
	{ "groupAdd", "groupadd", "all", "all|contacts|contact_blacklist|none", true },
	{ "callAdd", "calladd", "all", "all|known", false },
	{ "stikers", "stickers", "contacts", "contacts|contact_allowlist|none", false },
	{ "stickers", "stickers", "contacts", "contacts|contact_allowlist|none", false },
	{ "messages", "messages", "all", "all|contacts", false },
	{ "defense", "defense", NULL, "off|on_standard", false },
};

static const char *value_of(const struct profile_job *job, const char *name)
{
	for (size_t i = 0; i < job->nsettings; i++)
		if (strcmp(job->settings[i].name, name) == 0)
			return job->settings[i].value;
	return NULL;
}

static bool is_known(const char *name)
{
	for (size_t i = 0; i < sizeof categories / sizeof *categories; i++)
		if (strcmp(categories[i].theirs, name) == 0)
			return true;
	return false;
}

static void put_settings(struct buf *out, const struct profile_job *job)
{
	buf_u8(out, '{');
	json_put_member(out, "phone", job->ask.own_pn.user);
	for (size_t i = 0; i < sizeof categories / sizeof *categories; i++) {
		const char *value = value_of(job, categories[i].theirs);

		if (value || categories[i].otherwise)
			json_put_member(out, categories[i].ours, value ? value : categories[i].otherwise);
	}
	/* What is newer than this program is shown as WhatsApp calls it, if that is a name. */
	for (size_t i = 0; i < job->nsettings; i++) {
		const char *name = job->settings[i].name;

		if (!is_known(name) && name[0] && name[strspn(name, "abcdefghijklmnopqrstuvwxyz_0123456789")] == '\0')
			json_put_member(out, name, job->settings[i].value);
	}
	buf_u8(out, '}');
}

static void answer_settings(struct rpc_request *request, const struct profile_job *job, const char *message)
{
	struct buf result = { 0 };

	put_settings(&result, job);
	rpc_answer(request, 200, 1000, message, buf_text(&result));
	buf_free(&result);
}

static void got_settings(struct ask_job *ask)
{
	struct profile_job *job = (struct profile_job *)ask;

	/* Refused: the defaults are shown, as ever (D21). */
	if (ask->code && !ask_refused(ask->code))
		people_refuse(ask->arg, ask->code, "WhatsApp did not answer");
	else
		answer_settings(ask->arg, job, "Privacy settings");
	profile_job_free(job);
}

static void do_read(struct rpc_request *request)
{
	struct profile_job *job = profile_job_new(PROFILE_PRIVACY, 0);

	if (!people_ask(request, &job->ask, got_settings))
		profile_job_free(job);
}

/* ---- changing one ---- */

static void was_set(struct ask_job *ask)
{
	struct profile_job *job = (struct profile_job *)ask;

	if (ask->code == PROFILE_NO_LID)
		rpc_answer(ask->arg, 404, 2600, "Not on WhatsApp", NULL);
	else if (ask->code == 409)
		rpc_answer(ask->arg, 409, 2009, "The list has changed meanwhile; try again", NULL);
	else if (ask->code)
		people_refuse(ask->arg, ask->code, "Failed to update privacy setting");
	else
		answer_settings(ask->arg, job, "Privacy setting updated");
	profile_job_free(job);
}

static const struct category *find_category(const char *name)
{
	for (size_t i = 0; i < sizeof categories / sizeof *categories; i++)
		if (strcasecmp(categories[i].ours, name) == 0 || strcasecmp(categories[i].theirs, name) == 0)
			return &categories[i];
	return NULL;
}

/* Writes the value as the list spells it; false: it is not in the list. */
static bool is_one_of(const char *values, const char *value, char out[static 32])
{
	while (*values) {
		size_t n = strcspn(values, "|");

		if (strlen(value) == n && n < 32 && strncasecmp(values, value, n) == 0) {
			memcpy(out, values, n);
			out[n] = '\0';
			return true;
		}
		values += n + (values[n] == '|');
	}
	return false;
}

static size_t take_people(struct profile_job *job, size_t at, const struct rpc_request *request, const char *name, bool add)
{
	struct json_object *list = json_object_object_get(request->p, name);
	size_t n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;

	for (size_t i = 0; i < n; i++) {
		struct profile_person *person = &job->people[at];

		if (jid_parse_text(&person->jid, json_object_get_string(json_object_array_get_idx(list, i))) || !jid_is_person(&person->jid))
			return SIZE_MAX;
		person->add = add;
		at++;
	}
	return at;
}

static size_t length_of(const struct rpc_request *request, const char *name)
{
	struct json_object *list = json_object_object_get(request->p, name);

	return json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
}

static void do_set(struct rpc_request *request)
{
	const struct category *category = find_category(rpc_param_text(request, "category"));
	size_t n = length_of(request, "disallow") + length_of(request, "allow"), at;
	struct profile_job *job;
	char value[32], text[128];

	if (!category) {
		rpc_answer(request, 400, 2002, "Unknown privacy category", NULL);
		return;
	}
	if (!is_one_of(category->values, rpc_param_text(request, "value"), value)) {
		snprintf(text, sizeof text, "value must be one of %s", category->values);
		rpc_answer(request, 400, 2002, text, NULL);
		return;
	}
	if (n && (!category->list || strcmp(value, "contact_blacklist") != 0)) {
		rpc_answer(request, 400, 2002, "allow and disallow need contact_blacklist", NULL);
		return;
	}
	job = profile_job_new(PROFILE_SET_PRIVACY, n);
	at = take_people(job, 0, request, "disallow", true);
	if (at != SIZE_MAX)
		at = take_people(job, at, request, "allow", false);
	if (at == SIZE_MAX) {
		profile_job_free(job);
		rpc_answer(request, 400, 2002, "disallow is invalid", NULL);
		return;
	}
	job->name = xstrdup(category->theirs);
	job->text = xstrdup(value);
	if (!people_ask(request, &job->ask, was_set))
		profile_job_free(job);
}

/* ---- block list ---- */

static void got_blocklist(struct ask_job *ask)
{
	struct profile_job *job = (struct profile_job *)ask;
	struct buf result = { 0 };

	if (ask->code) {
		people_refuse(ask->arg, ask->code, "WhatsApp did not answer");
	} else {
		people_open(&result, ask->arg, &ask->own_pn);
		buf_append_text(&result, ",\"data\":[");
		for (size_t i = 0; i < job->n; i++) {
			buf_append_text(&result, i ? ",{" : "{");
			people_put_jid(&result, "jid", &job->people[i].pn);
			people_put_jid(&result, "lid", &job->people[i].lid);
			people_put_phone(&result, "phone", &job->people[i].pn);
			buf_u8(&result, '}');
		}
		buf_append_text(&result, "]}");
		rpc_answer(ask->arg, 200, 1000, "Block list", buf_text(&result));
	}
	buf_free(&result);
	profile_job_free(job);
}

static void do_blocklist(struct rpc_request *request)
{
	struct profile_job *job = profile_job_new(PROFILE_BLOCKLIST, 0);

	if (!people_ask(request, &job->ask, got_blocklist))
		profile_job_free(job);
}

static void was_blocked(struct ask_job *ask)
{
	struct profile_job *job = (struct profile_job *)ask;
	struct buf result = { 0 };

	if (ask->code == PROFILE_NO_LID) {
		rpc_answer(ask->arg, 404, 2600, "Not on WhatsApp", NULL);
	} else if (ask->code) {
		people_refuse(ask->arg, ask->code, job->on ? "Failed to block contact" : "Failed to unblock contact");
	} else {
		people_open(&result, ask->arg, &ask->own_pn);
		people_put_jid(&result, "jid", &job->people[0].pn);
		people_put_jid(&result, "lid", &job->people[0].lid);
		json_put_bool(&result, "blocked", job->on);
		buf_u8(&result, '}');
		rpc_answer(ask->arg, 200, 1000, job->on ? "Contact blocked" : "Contact unblocked", buf_text(&result));
	}
	buf_free(&result);
	profile_job_free(job);
}

static void do_block(struct rpc_request *request)
{
	struct profile_job *job;
	struct jid jid;

	if (!people_person(request, "jid", &jid))
		return;
	job = profile_job_new(PROFILE_BLOCK, 1);
	job->people[0].jid = jid;
	job->on = strcmp(request->method->name, "profile.block") == 0;
	if (!people_ask(request, &job->ask, was_blocked))
		profile_job_free(job);
}

const struct rpc_method rpc_privacy_methods[] = {
	{ "profile.privacy", do_read },  { "profile.privacy.set", do_set }, { "profile.blocklist", do_blocklist },
	{ "profile.block", do_block },   { "profile.unblock", do_block },   { NULL, NULL },
};
