/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See profile.h. One function a task. */
#include "sessiond/session/profile.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/json_text.h"

static void run(struct ask_job *ask);

struct profile_job *profile_job_new(enum profile_task task, size_t people)
{
	struct profile_job *job = xcalloc(1, sizeof *job);

	job->ask.run = run;
	job->task = task;
	job->people = xcalloc(people + 1, sizeof *job->people);
	job->n = people;
	return job;
}

static void forget_settings(struct profile_job *job)
{
	for (size_t i = 0; i < job->nsettings; i++) {
		free(job->settings[i].name);
		free(job->settings[i].value);
	}
	free(job->settings);
	job->settings = NULL;
	job->nsettings = 0;
}

void profile_job_free(struct profile_job *job)
{
	if (!job)
		return;
	forget_settings(job);
	free(job->name);
	free(job->text);
	free(job->people);
	buf_free(&job->bytes);
	buf_free(&job->result);
	free(job);
}

static struct profile_job *of(void *ask)
{
	return ask;
}

/* ---- both names of people ---- */

static bool both_known(const struct profile_person *person)
{
	return !jid_is_none(&person->pn) && !jid_is_none(&person->lid);
}

struct naming {
	struct profile_job *job;
	void (*then)(struct profile_job *job);
	size_t *index; /* owned: of people who are asked about */
	size_t n;
};

static void naming_free(struct naming *naming)
{
	free(naming->index);
	free(naming);
}

static void named(void *arg, const struct wa_user *people, size_t n, int code)
{
	struct naming *naming = arg;
	struct profile_job *job = naming->job;

	for (size_t i = 0; i < n && code == 0; i++) {
		struct profile_person *person = &job->people[naming->index[i]];

		if (jid_is_none(&person->pn))
			person->pn = people[i].pn;
		if (jid_is_none(&person->lid))
			person->lid = people[i].lid;
	}
	if (code != 0 || !ask_client(&job->ask))
		ask_settle(&job->ask, code != 0 ? code : 503);
	else
		naming->then(job);
	naming_free(naming);
}

/* Asks the server for those of whom not both names are known. */
static void ask_names(struct profile_job *job, void (*then)(struct profile_job *job))
{
	struct naming *naming = xcalloc(1, sizeof *naming);
	struct wa_user *people = xcalloc(job->n + 1, sizeof *people);

	*naming = (struct naming){ .job = job, .then = then, .index = xcalloc(job->n + 1, sizeof *naming->index) };
	for (size_t i = 0; i < job->n; i++) {
		if (both_known(&job->people[i]))
			continue;
		people[naming->n].jid = job->people[i].jid;
		naming->index[naming->n++] = i;
	}
	if (naming->n > 0) {
		wa_client_people(ask_client(&job->ask), WA_ASK_LID, people, naming->n, named, naming);
	} else {
		naming_free(naming);
		then(job);
	}
	free(people);
}

static void names_loaded(void *arg, const struct jid *others, size_t n, int code)
{
	struct naming *naming = arg;
	struct profile_job *job = naming->job;
	void (*then)(struct profile_job *job) = naming->then;

	naming_free(naming);
	if (code != 0 || !ask_client(&job->ask)) {
		ask_settle(&job->ask, code != 0 ? code : 503);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		struct profile_person *person = &job->people[i];
		bool lid = jid_is_lid(&person->jid) || person->jid.server == JID_SERVER_HOSTED_LID;

		*(lid ? &person->lid : &person->pn) = person->jid;
		if (!jid_is_none(&others[i]))
			*(lid ? &person->pn : &person->lid) = others[i];
	}
	then(job);
}

/* From what the session knows. */
static void load_names(struct profile_job *job, void (*then)(struct profile_job *job))
{
	struct naming *naming = xcalloc(1, sizeof *naming);
	struct jid *jids = xcalloc(job->n + 1, sizeof *jids);

	*naming = (struct naming){ .job = job, .then = then };
	for (size_t i = 0; i < job->n; i++)
		jids[i] = job->people[i].jid = jid_bare(&job->people[i].jid);
	wa_client_names(ask_client(&job->ask), jids, job->n, names_loaded, naming);
	free(jids);
}

static void settle_well(struct profile_job *job)
{
	ask_settle(&job->ask, 0);
}

/* ---- own profile ---- */

static void set_picture(struct profile_job *job)
{
	wa_client_set_picture(ask_client(&job->ask), NULL, buf_span(&job->bytes), ask_coded, job);
}

static void set_about(struct profile_job *job)
{
	wa_client_set_about(ask_client(&job->ask), job->text, ask_coded, job);
}

static void set_timer(struct profile_job *job)
{
	wa_client_set_default_timer(ask_client(&job->ask), job->seconds, ask_coded, job);
}

/* ---- privacy ---- */

static void take_settings(void *arg, const struct wa_privacy *settings, size_t n, int code)
{
	struct profile_job *job = of(arg);

	forget_settings(job);
	job->settings = xcalloc(n + 1, sizeof *job->settings);
	for (size_t i = 0; i < n; i++)
		job->settings[i] = (struct profile_setting){ xstrdup(settings[i].name), xstrdup(settings[i].value) };
	job->nsettings = n;
	ask_settle(&job->ask, code);
}

static void read_privacy(struct profile_job *job)
{
	wa_client_privacy(ask_client(&job->ask), take_settings, job);
}

static void privacy_set(void *arg, int code)
{
	struct profile_job *job = of(arg);

	if (code == 0 && ask_client(&job->ask))
		read_privacy(job);
	else
		ask_settle(&job->ask, code != 0 ? code : 503);
}

/* The list is changed against the state in which the server has it. */
static void write_privacy(void *arg, const struct wa_privacy *settings, size_t n, int code)
{
	struct profile_job *job = of(arg);
	struct wa_privacy_user *users = xcalloc(job->n + 1, sizeof *users);
	struct wa_privacy_change change = { .name = job->name, .value = job->text, .users = users, .n = job->n };

	for (size_t i = 0; i < n; i++)
		if (strcmp(settings[i].name, job->name) == 0)
			change.dhash = settings[i].dhash;
	for (size_t i = 0; i < job->n; i++)
		users[i] = (struct wa_privacy_user){ job->people[i].lid, job->people[i].pn, job->people[i].add };
	if (code == 0 && ask_client(&job->ask))
		wa_client_set_privacy(ask_client(&job->ask), &change, privacy_set, job);
	else
		ask_settle(&job->ask, code != 0 ? code : 503);
	free(users);
}

static bool all_have_lids(const struct profile_job *job)
{
	for (size_t i = 0; i < job->n; i++)
		if (jid_is_none(&job->people[i].lid))
			return false;
	return true;
}

static void change_privacy(struct profile_job *job)
{
	if (all_have_lids(job))
		wa_client_privacy(ask_client(&job->ask), write_privacy, job);
	else
		ask_settle(&job->ask, PROFILE_NO_LID);
}

static void privacy_named(struct profile_job *job)
{
	ask_names(job, change_privacy);
}

static void set_privacy(struct profile_job *job)
{
	if (job->n)
		load_names(job, privacy_named);
	else
		write_privacy(job, NULL, 0, 0);
}

/* ---- block list ---- */

static void take_blocklist(void *arg, const struct jid *blocked, size_t n, int code)
{
	struct profile_job *job = of(arg);

	if (code != 0 || !ask_client(&job->ask)) {
		ask_settle(&job->ask, code != 0 ? code : 503);
		return;
	}
	free(job->people);
	job->people = xcalloc(n + 1, sizeof *job->people);
	job->n = n;
	for (size_t i = 0; i < n; i++)
		job->people[i].jid = blocked[i];
	load_names(job, settle_well);
}

static void read_blocklist(struct profile_job *job)
{
	wa_client_blocklist(ask_client(&job->ask), take_blocklist, job);
}

static void block_now(struct profile_job *job)
{
	const struct profile_person *person = &job->people[0];

	if (jid_is_none(&person->lid) || (job->on && jid_is_none(&person->pn)))
		ask_settle(&job->ask, PROFILE_NO_LID);
	else
		wa_client_block(ask_client(&job->ask), &person->lid, &person->pn, job->on, ask_coded, job);
}

static void block_named(struct profile_job *job)
{
	ask_names(job, block_now);
}

static void block(struct profile_job *job)
{
	load_names(job, block_named);
}

/* ---- catalogue ---- */

static void put_product(struct buf *out, const struct wa_product *p)
{
	buf_u8(out, '{');
	json_put_member(out, "id", p->id);
	json_put_member(out, "name", p->name);
	json_put_member(out, "description", p->description);
	json_put_member(out, "retailerId", p->retailer_id);
	json_put_member(out, "url", p->url);
	if (p->price >= 0)
		json_put_int(out, "priceThousandths", p->price);
	else
		json_put_member(out, "priceThousandths", NULL);
	json_put_member(out, "currency", p->currency);
	json_put_member(out, "reviewStatus", p->status);
	json_put_member(out, "imageUrl", p->image_url);
	json_put_member(out, "originalImageUrl", p->original_image_url);
	json_put_bool(out, "isHidden", p->hidden);
	buf_u8(out, '}');
}

static void take_catalog(void *arg, const struct wa_product *products, size_t n, const char *after, int code)
{
	struct profile_job *job = of(arg);

	buf_append_text(&job->result, "\"products\":[");
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_u8(&job->result, ',');
		put_product(&job->result, &products[i]);
	}
	buf_append_text(&job->result, "]");
	json_put_member(&job->result, "next", after);
	ask_settle(&job->ask, code);
}

static void read_catalog(struct profile_job *job)
{
	wa_client_catalog(ask_client(&job->ask), &job->people[0].jid, job->limit, job->text, take_catalog, job);
}

/* ---- presence and calls ---- */

static void set_presence(struct profile_job *job)
{
	wa_client_presence(ask_client(&job->ask), job->on);
	settle_well(job);
}

static void set_chatstate(struct profile_job *job)
{
	wa_client_chatstate(ask_client(&job->ask), &job->people[0].jid, job->state);
	settle_well(job);
}

static void subscribe(struct profile_job *job)
{
	/* Only who is online is told. */
	wa_client_presence(ask_client(&job->ask), true);
	wa_client_subscribe_presence(ask_client(&job->ask), &job->people[0].jid);
	settle_well(job);
}

static void reject_call(struct profile_job *job)
{
	wa_client_reject_call(ask_client(&job->ask), job->text, &job->people[0].jid, ask_coded, job);
}

static void names_asked(struct profile_job *job)
{
	ask_names(job, settle_well);
}

static void read_names(struct profile_job *job)
{
	load_names(job, names_asked);
}

static void run(struct ask_job *ask)
{
	static void (*const tasks[])(struct profile_job *job) = {
		[PROFILE_PICTURE] = set_picture,       [PROFILE_ABOUT] = set_about,         [PROFILE_TIMER] = set_timer,
		[PROFILE_PRIVACY] = read_privacy,      [PROFILE_SET_PRIVACY] = set_privacy, [PROFILE_BLOCKLIST] = read_blocklist,
		[PROFILE_BLOCK] = block,               [PROFILE_CATALOG] = read_catalog,    [PROFILE_PRESENCE] = set_presence,
		[PROFILE_CHATSTATE] = set_chatstate,   [PROFILE_SUBSCRIBE] = subscribe,     [PROFILE_REJECT] = reject_call,
		[PROFILE_NAMES] = read_names,
	};
	struct profile_job *job = of(ask);

	tasks[job->task](job);
}
