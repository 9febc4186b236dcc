/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See cards.h. */
#include "sessiond/session/cards.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/json_text.h"

/* People who are looked up at the same time; each costs up to three questions. */
#define CARDS_AT_ONCE 5U

struct look_up {
	struct cards_job *job;
	struct card *card;
	unsigned open; /* questions without answer */
};

struct cards_job *cards_job_new(size_t n)
{
	struct cards_job *job = xcalloc(1, sizeof *job);

	job->ask.run = cards_run;
	job->cards = xcalloc(n + 1, sizeof *job->cards);
	job->n = n;
	return job;
}

void cards_job_free(struct cards_job *job)
{
	if (!job)
		return;
	for (size_t i = 0; i < job->n; i++) {
		struct card *card = &job->cards[i];

		free(card->phone);
		free(card->about);
		free(card->verified_name);
		free(card->picture_full);
		free(card->picture_preview);
		buf_free(&card->business);
	}
	free(job->cards);
	free(job);
}

/* ---- business profiles as JSON ---- */

static void put_texts(struct buf *out, const char *name, const char *const *texts, size_t n)
{
	json_put_name(out, name);
	buf_u8(out, '[');
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_u8(out, ',');
		json_put_string(out, texts[i]);
	}
	buf_u8(out, ']');
}

/* Minutes after midnight as HH:MM, hours modulo 24. */
static void put_clock(struct buf *out, const char *name, int minutes)
{
	char text[8];

	snprintf(text, sizeof text, "%02d:%02d", minutes / 60 % 24, minutes % 60);
	json_put_member(out, name, minutes < 0 ? NULL : text);
}

static void put_hours(struct buf *out, const struct wa_business *business)
{
	json_put_name(out, "businessHours");
	buf_u8(out, '[');
	for (size_t i = 0; business && i < business->nhours; i++) {
		const struct wa_business_hours *hours = &business->hours[i];

		buf_append_text(out, i ? ",{" : "{");
		json_put_member(out, "day_of_week", hours->day);
		json_put_member(out, "mode", hours->mode);
		put_clock(out, "open_time", hours->open_min);
		put_clock(out, "close_time", hours->close_min);
		buf_u8(out, '}');
	}
	buf_u8(out, ']');
}

void cards_put_business(struct buf *out, const struct jid *who, const struct wa_business *business)
{
	static const struct wa_business none = { 0 };
	const struct wa_business *b = business ? business : &none;
	char text[JID_TEXT_MAX];

	buf_u8(out, '{');
	json_put_member(out, "jid", jid_format(who, text, sizeof text));
	json_put_member(out, "phone", jid_is_pn(who) ? who->user : NULL);
	json_put_member(out, "email", b->email);
	json_put_member(out, "address", b->address);
	put_texts(out, "categories", b->categories, b->ncategories);
	json_put_member(out, "businessHoursTimezone", b->timezone);
	put_hours(out, business);
	json_put_member(out, "description", b->description);
	put_texts(out, "websites", b->websites, b->nwebsites);
	json_put_member(out, "wid", business ? jid_format(&b->jid, text, sizeof text) : NULL);
	buf_u8(out, '}');
}

/* ---- the second step: one by one ---- */

static void go_on(struct cards_job *job);

static void note(struct cards_job *job, int code)
{
	if (code != 0 && !ask_refused(code) && job->trouble == 0)
		job->trouble = code;
}

static void one_answered(struct look_up *l, int code)
{
	struct cards_job *job = l->job;

	note(job, code);
	if (--l->open > 0)
		return;
	free(l);
	job->running--;
	go_on(job);
}

static void got_full(void *arg, const struct wa_picture *picture, int code)
{
	struct look_up *l = arg;

	if (picture)
		l->card->picture_full = xstrdup(picture->url);
	one_answered(l, code);
}

static void got_preview(void *arg, const struct wa_picture *picture, int code)
{
	struct look_up *l = arg;

	if (picture)
		l->card->picture_preview = xstrdup(picture->url);
	one_answered(l, code);
}

static const struct jid *name_of(const struct card *card)
{
	if (!jid_is_none(&card->pn))
		return &card->pn;
	return jid_is_none(&card->jid) ? &card->lid : &card->jid;
}

static void got_business(void *arg, const struct wa_business *business, int code)
{
	struct look_up *l = arg;

	if (business)
		cards_put_business(&l->card->business, name_of(l->card), business);
	one_answered(l, code);
}

static void look_up(struct cards_job *job, struct card *card)
{
	struct wa_client *client = ask_client(&job->ask);
	struct look_up *l = xcalloc(1, sizeof *l);
	struct jid who = *name_of(card);

	/* One more than it asks: a question that cannot even be put may be answered at once. */
	*l = (struct look_up){ .job = job, .card = card, .open = 1U + (unsigned)job->full + (unsigned)job->preview + (unsigned)job->business };
	job->running++;
	if (job->full)
		wa_client_picture(client, &who, true, NULL, got_full, l);
	if (job->preview)
		wa_client_picture(client, &who, false, NULL, got_preview, l);
	if (job->business)
		wa_client_business(client, &who, got_business, l);
	one_answered(l, 0);
}

static void go_on(struct cards_job *job)
{
	bool more = job->full || job->preview || job->business;

	if (job->starting)
		return;
	job->starting = true;
	while (more && job->trouble == 0 && job->next < job->n && job->running < CARDS_AT_ONCE) {
		struct card *card = &job->cards[job->next++];

		if (!card->registered || jid_is_none(name_of(card)))
			continue;
		if (!ask_client(&job->ask)) {
			job->trouble = 503;
			break;
		}
		look_up(job, card);
	}
	job->starting = false;
	if (job->running == 0)
		ask_settle(&job->ask, job->trouble);
}

/* ---- the first step: all at once ---- */

static void got_people(void *arg, const struct wa_user *people, size_t n, int code)
{
	struct cards_job *job = arg;

	note(job, code);
	for (size_t i = 0; i < n && code == 0; i++) {
		struct card *card = &job->cards[i];

		card->registered = people[i].registered;
		card->pn = people[i].pn;
		card->lid = people[i].lid;
		card->about = people[i].about ? xstrdup(people[i].about) : NULL;
		card->verified_name = people[i].verified_name ? xstrdup(people[i].verified_name) : NULL;
	}
	go_on(job);
}

void cards_run(struct ask_job *ask)
{
	struct cards_job *job = (struct cards_job *)ask;
	struct wa_user *people;

	if (job->what == 0 || job->n == 0) {
		for (size_t i = 0; i < job->n; i++)
			job->cards[i].registered = true;
		go_on(job);
		return;
	}
	people = xcalloc(job->n, sizeof *people);
	for (size_t i = 0; i < job->n; i++) {
		people[i].jid = job->cards[i].jid;
		people[i].phone = job->cards[i].phone;
	}
	wa_client_people(ask_client(ask), job->what, people, job->n, got_people, job);
	free(people);
}
