/* SPDX-License-Identifier: GPL-3.0-or-later */
/* profile.on-whatsapp, profile.business, profile.catalog, profile.contact.* (contract rest-b 4.5, 4.6). */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/daemon.h"
#include "sessiond/json_text.h"
#include "sessiond/rpc/people.h"

enum { NUMBERS_MAX = 500, NAME_MAX_CHARS = 100 };

/* ---- numbers ---- */

/* A list of numbers as cards; input i is card of[i]: the same number is asked about once. */
struct numbers {
	char **given;  /* owned */
	size_t n;
	size_t *of;    /* owned */
	struct cards_job *job; /* owned until it is asked */
};

static void numbers_free(struct numbers *numbers)
{
	people_texts_free(numbers->given, numbers->n);
	free(numbers->of);
}

/* Digits alone, in place. */
static void keep_digits(char *text)
{
	size_t n = 0;

	for (const char *c = text; *c; c++)
		if (isdigit((unsigned char)*c))
			text[n++] = *c;
	text[n] = '\0';
}

/* Texts without digits are dropped. */
static void drop_empty(struct numbers *numbers)
{
	size_t n = 0;

	for (size_t i = 0; i < numbers->n; i++) {
		if (numbers->given[i][0])
			numbers->given[n++] = numbers->given[i];
		else
			free(numbers->given[i]);
	}
	numbers->n = n;
}

static size_t card_of(struct cards_job *job, size_t have, const char *phone)
{
	for (size_t i = 0; i < have; i++)
		if (strcmp(job->cards[i].phone, phone) == 0)
			return i;
	return have;
}

/* False: the request is answered. */
static bool numbers_read(struct rpc_request *request, struct numbers *numbers)
{
	size_t have = 0;

	*numbers = (struct numbers){ 0 };
	numbers->given = people_texts(request, "checkNumbers", &numbers->n);
	for (size_t i = 0; i < numbers->n; i++)
		keep_digits(numbers->given[i]);
	drop_empty(numbers);
	if (numbers->n == 0 || numbers->n > NUMBERS_MAX) {
		if (numbers->n)
			rpc_answer(request, 400, 2002, "At most 500 numbers at a time", NULL);
		else
			rpc_answer(request, 400, 2001, "checkNumbers is required", NULL);
		numbers_free(numbers);
		return false;
	}
	numbers->job = cards_job_new(numbers->n);
	numbers->of = xcalloc(numbers->n, sizeof *numbers->of);
	for (size_t i = 0; i < numbers->n; i++) {
		numbers->of[i] = card_of(numbers->job, have, numbers->given[i]);
		if (numbers->of[i] < have)
			continue;
		numbers->job->cards[have++].phone = xstrdup(numbers->given[i]);
	}
	numbers->job->n = have;
	return true;
}

struct numbers_work {
	struct rpc_request *request; /* borrowed */
	struct numbers numbers;
};

static void work_free(void *arg)
{
	struct numbers_work *w = arg;

	numbers_free(&w->numbers);
	free(w);
}

static struct numbers_work *work_new(struct rpc_request *request)
{
	struct numbers numbers;
	struct numbers_work *w;

	if (!numbers_read(request, &numbers))
		return NULL;
	w = xmalloc(sizeof *w);
	*w = (struct numbers_work){ request, numbers };
	request->work = w;
	request->work_free = work_free;
	return w;
}

/* Numbers longer than any are not asked about: the service would refuse the whole question. */
static struct jid jid_of(const struct card *card)
{
	struct jid jid = { .server = JID_SERVER_NONE };

	if (!jid_is_none(&card->pn))
		return card->pn;
	jid_make(&jid, card->phone, strlen(card->phone), JID_SERVER_PN, 0);
	return jid;
}

static void put_each(struct buf *out, const struct numbers_work *w, const struct cards_job *job,
		     void (*put)(struct buf *out, const struct card *card, const char *given))
{
	for (size_t i = 0; i < w->numbers.n; i++) {
		if (i)
			buf_u8(out, ',');
		put(out, &job->cards[w->numbers.of[i]], w->numbers.given[i]);
	}
}

/* ---- on-whatsapp ---- */

static void put_lookup(struct buf *out, const struct card *card, const char *given)
{
	struct jid jid = jid_of(card);

	buf_u8(out, '{');
	people_put_jid(out, "jid", &jid);
	people_put_jid(out, "lid", &card->lid);
	json_put_member(out, "phone", given);
	json_put_bool(out, "isOnWhatsApp", card->registered);
	if (card->registered)
		people_put_found(out, card);
	buf_u8(out, '}');
}

static void looked_up(struct ask_job *ask)
{
	struct cards_job *job = (struct cards_job *)ask;
	struct rpc_request *request = ask->arg;
	struct numbers_work *w = request->work;
	struct buf result = { 0 };

	if (ask->code) {
		people_refuse(request, ask->code, "WhatsApp did not answer");
	} else {
		buf_append_text(&result, w->numbers.n > 1 ? "{\"data\":[" : "{\"data\":");
		put_each(&result, w, job, put_lookup);
		buf_append_text(&result, w->numbers.n > 1 ? "]}" : "}");
		rpc_answer(request, 200, 1000, "Lookup complete", buf_text(&result));
	}
	buf_free(&result);
	cards_job_free(job);
}

static void do_lookup(struct rpc_request *request)
{
	bool deep = rpc_param_bool(request, "deep");
	struct numbers_work *w = work_new(request);
	struct cards_job *job;

	if (!w)
		return;
	job = w->numbers.job;
	job->what = WA_ASK_CONTACT | WA_ASK_LID | (deep ? WA_ASK_ABOUT : 0U);
	job->full = job->preview = job->business = deep;
	if (!people_ask(request, &job->ask, looked_up))
		cards_job_free(job);
}

/* ---- business profiles ---- */

static void put_business(struct buf *out, const struct card *card, const char *given)
{
	struct jid jid = jid_of(card);

	(void)given;
	if (card->business.len)
		buf_append(out, card->business.data, card->business.len);
	else
		cards_put_business(out, &jid, NULL);
}

static void got_business(struct ask_job *ask)
{
	struct cards_job *job = (struct cards_job *)ask;
	struct rpc_request *request = ask->arg;
	struct buf result = { 0 };

	if (ask->code) {
		people_refuse(request, ask->code, "WhatsApp did not answer");
	} else {
		/* Duplicates are left out: one answer a card. */
		buf_append_text(&result, job->n > 1 ? "{\"data\":[" : "");
		for (size_t i = 0; i < job->n; i++) {
			if (i)
				buf_u8(&result, ',');
			put_business(&result, &job->cards[i], NULL);
		}
		buf_append_text(&result, job->n > 1 ? "]}" : "");
		rpc_answer(request, 200, 1000, "Business profile info", buf_text(&result));
	}
	buf_free(&result);
	cards_job_free(job);
}

static void do_business(struct rpc_request *request)
{
	struct numbers_work *w = work_new(request);
	struct cards_job *job;

	if (!w)
		return;
	job = w->numbers.job;
	for (size_t i = 0; i < job->n; i++)
		job->cards[i].jid = jid_of(&job->cards[i]);
	job->business = true;
	if (!people_ask(request, &job->ask, got_business))
		cards_job_free(job);
}

/* ---- catalogue ---- */

static void got_catalog(struct ask_job *ask)
{
	struct profile_job *job = (struct profile_job *)ask;
	struct buf result = { 0 };

	if (ask_refused(ask->code)) {
		rpc_answer(ask->arg, 404, 2600, "No catalog", NULL);
	} else if (ask->code) {
		people_refuse(ask->arg, ask->code, "WhatsApp did not answer");
	} else {
		people_open(&result, ask->arg, &ask->own_pn);
		people_put_jid(&result, "jid", &job->people[0].jid);
		buf_u8(&result, ',');
		buf_append(&result, job->result.data, job->result.len);
		buf_u8(&result, '}');
		rpc_answer(ask->arg, 200, 1000, "Business catalog", buf_text(&result));
	}
	buf_free(&result);
	profile_job_free(job);
}

static void do_catalog(struct rpc_request *request)
{
	const char *cursor = rpc_param_text(request, "cursor");
	struct profile_job *job;
	struct jid jid;

	if (!people_person(request, "jid", &jid))
		return;
	job = profile_job_new(PROFILE_CATALOG, 1);
	job->people[0].jid = jid;
	job->text = cursor ? xstrdup(cursor) : NULL;
	job->limit = (unsigned)json_object_get_double(json_object_object_get(request->p, "limit"));
	if (!people_ask(request, &job->ask, got_catalog))
		profile_job_free(job);
}

/* ---- the address book: part of the state that all devices share ---- */

static void put_contact(struct buf *out, const struct change_job *job)
{
	people_put_jid(out, "jid", &job->chat);
	people_put_jid(out, "lid", &job->lid);
	if (!job->removed) {
		json_put_member(out, "name", job->text);
		json_put_member(out, "firstName", job->text2);
	}
}

static void contact_changed(struct change_job *job)
{
	people_changed(job, job->removed ? "Contact removed" : "Contact saved", put_contact);
}

static void change_contact(struct rpc_request *request, const struct profile_person *person)
{
	const char *name = rpc_param_text(request, "name"), *first = rpc_param_text(request, "firstName");
	struct session_entry *entry = rpc_session(request);
	struct change_job *job;

	if (!entry)
		return;
	job = change_job_new("contact", &person->pn);
	job->lid = person->lid;
	job->removed = strcmp(request->method->name, "profile.contact.remove") == 0;
	if (!job->removed) {
		job->text = xstrdup(name);
		job->text2 = first && first[0] ? xstrdup(first) : xstrndup(name, strcspn(name, " "));
	}
	job->done = contact_changed;
	job->arg = request;
	sessions_change(request->context->daemon->sessions, entry, job);
}

/* The address book goes by phone numbers. */
static void contact_named(struct ask_job *ask)
{
	struct profile_job *job = (struct profile_job *)ask;

	if (ask->code)
		people_refuse(ask->arg, ask->code, "WhatsApp did not answer");
	else if (jid_is_none(&job->people[0].pn))
		rpc_answer(ask->arg, 404, 2600, "Not on WhatsApp", NULL);
	else
		change_contact(ask->arg, &job->people[0]);
	profile_job_free(job);
}

static void do_contact(struct rpc_request *request)
{
	const char *name = rpc_param_text(request, "name");
	struct profile_job *job;
	struct jid jid;

	if (!people_person(request, "jid", &jid))
		return;
	if (name && !people_fits(name, NAME_MAX_CHARS)) {
		rpc_answer(request, 400, 2002, "name may have at most 100 characters", NULL);
		return;
	}
	job = profile_job_new(PROFILE_NAMES, 1);
	job->people[0].jid = jid;
	if (!people_ask(request, &job->ask, contact_named))
		profile_job_free(job);
}

const struct rpc_method rpc_people_methods[] = {
	{ "profile.on-whatsapp", do_lookup },  { "profile.business", do_business },         { "profile.catalog", do_catalog },
	{ "profile.contact.set", do_contact }, { "profile.contact.remove", do_contact },    { NULL, NULL },
};
