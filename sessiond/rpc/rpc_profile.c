/* SPDX-License-Identifier: GPL-3.0-or-later */
/* profile.*: the account's own profile (contract rest-b 4.1, 4.2), name, about, timer of new chats, presence. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/daemon.h"
#include "sessiond/json_text.h"
#include "sessiond/rpc/people.h"
#include "sessiond/rpc/square_picture.h"

enum { NAME_MAX_CHARS = 25, ABOUT_MAX_CHARS = 139 };

/* ---- info, picture ---- */

static const char *text_or_null(const char *text)
{
	return text && text[0] ? text : NULL;
}

static void put_info(struct buf *out, const struct session_entry *entry, const struct cards_job *job)
{
	const struct card *card = &job->cards[0];
	const char *push_name = text_or_null(entry->view.push_name);
	struct buf picture = { 0 };
	struct json_object *parsed;

	buf_u8(&picture, '{');
	people_put_picture(&picture, card);
	buf_u8(&picture, '}');
	parsed = json_tokener_parse(buf_text(&picture));
	buf_u8(out, '{');
	json_put_member(out, "phone", job->ask.own_pn.user);
	json_put_member(out, "verifiedName", card->verified_name ? card->verified_name : push_name);
	json_put_member(out, "pushName", push_name);
	json_put_member(out, "about", text_or_null(card->about));
	json_put_member(out, "pictureId", json_object_get_string(json_object_object_get(parsed, "id")));
	json_put_raw(out, "businessProfile", card->business.len ? buf_text(&job->cards[0].business) : "null");
	json_put_name(out, "entries");
	buf_u8(out, '{');
	json_put_member(out, "User", job->ask.own_pn.user);
	if (entry->view.me_pn.device)
		json_put_int(out, "Agent", entry->view.me_pn.device);
	else
		json_put_member(out, "Agent", NULL);
	json_put_member(out, "Device", text_or_null(entry->label));
	json_put_member(out, "Server", jid_server_name(JID_SERVER_PN));
	buf_u8(out, '}');
	json_put_raw(out, "profilePicture", buf_text(&picture));
	buf_u8(out, '}');
	json_object_put(parsed);
	buf_free(&picture);
}

static struct cards_job *own_card(const struct session_entry *entry)
{
	struct cards_job *job = cards_job_new(1);

	job->cards[0].jid = jid_bare(&entry->view.me_pn);
	job->full = job->preview = true;
	return job;
}

static void got_info(struct ask_job *ask)
{
	struct cards_job *job = (struct cards_job *)ask;
	struct rpc_request *request = ask->arg;
	struct session_entry *entry;
	struct buf result = { 0 };

	if (ask->code) {
		people_refuse(request, ask->code, "WhatsApp did not answer");
	} else if ((entry = rpc_session(request))) {
		put_info(&result, entry, job);
		rpc_answer(request, 200, 1000, "Profile info", buf_text(&result));
	}
	buf_free(&result);
	cards_job_free(job);
}

static void do_info(struct rpc_request *request)
{
	struct session_entry *entry = rpc_session(request);
	struct cards_job *job;

	if (!entry)
		return;
	job = own_card(entry);
	job->what = WA_ASK_ABOUT | WA_ASK_BUSINESS | WA_ASK_LID;
	job->business = true;
	if (!people_ask(request, &job->ask, got_info))
		cards_job_free(job);
}

static void got_picture(struct ask_job *ask)
{
	struct cards_job *job = (struct cards_job *)ask;
	struct rpc_request *request = ask->arg;
	struct buf result = { 0 };

	if (ask->code) {
		people_refuse(request, ask->code, "WhatsApp did not answer");
	} else {
		buf_u8(&result, '{');
		json_put_member(&result, "phone", ask->own_pn.user);
		people_put_picture(&result, &job->cards[0]);
		buf_u8(&result, '}');
		rpc_answer(request, 200, 1000, strcmp(request->method->name, "profile.picture") == 0 ? "Profile picture" : "Profile picture updated",
			   buf_text(&result));
	}
	buf_free(&result);
	cards_job_free(job);
}

static void do_picture(struct rpc_request *request)
{
	struct session_entry *entry = rpc_session(request);
	struct cards_job *job;

	if (!entry)
		return;
	job = own_card(entry);
	if (!people_ask(request, &job->ask, got_picture))
		cards_job_free(job);
}

/* ---- picture set and removed ---- */

static void picture_set(struct ask_job *ask)
{
	struct rpc_request *request = ask->arg;

	if (ask->code)
		people_refuse(request, ask->code, "Failed to update profile picture");
	else
		do_picture(request);
	profile_job_free((struct profile_job *)ask);
}

static void picture_ready(void *arg, struct span jpeg)
{
	struct rpc_request *request = arg;
	struct profile_job *job = profile_job_new(PROFILE_PICTURE, 0);

	buf_append(&job->bytes, jpeg.p, jpeg.n);
	if (!people_ask(request, &job->ask, picture_set))
		profile_job_free(job);
}

static void free_picture(void *work)
{
	square_picture_free(work);
}

static void do_set_picture(struct rpc_request *request)
{
	request->work_free = free_picture;
	request->work = square_picture_get(request, picture_ready, request);
}

static void picture_removed(struct ask_job *ask)
{
	/* What is not there need not be removed. */
	if (ask->code && ask->code != 404)
		people_refuse(ask->arg, ask->code, "Failed to remove profile picture");
	else
		rpc_answer(ask->arg, 200, 1000, "Profile picture removed", "[]");
	profile_job_free((struct profile_job *)ask);
}

static void do_remove_picture(struct rpc_request *request)
{
	struct profile_job *job = profile_job_new(PROFILE_PICTURE, 0);

	if (!people_ask(request, &job->ask, picture_removed))
		profile_job_free(job);
}

/* ---- about, timer ---- */

static void about_set(struct ask_job *ask)
{
	struct rpc_request *request = ask->arg;
	struct buf result = { 0 };

	if (ask->code) {
		people_refuse(request, ask->code, "Failed to update about");
	} else {
		people_open(&result, request, &ask->own_pn);
		json_put_member(&result, "about", ((struct profile_job *)ask)->text);
		buf_u8(&result, '}');
		rpc_answer(request, 200, 1000, "Profile about updated", buf_text(&result));
	}
	buf_free(&result);
	profile_job_free((struct profile_job *)ask);
}

static void do_about(struct rpc_request *request)
{
	const char *about = rpc_param_text(request, "about");
	struct profile_job *job;

	if (!people_fits(about, ABOUT_MAX_CHARS)) {
		rpc_answer(request, 400, 2002, "about may have at most 139 characters", NULL);
		return;
	}
	job = profile_job_new(PROFILE_ABOUT, 0);
	job->text = xstrdup(about);
	if (!people_ask(request, &job->ask, about_set))
		profile_job_free(job);
}

static void timer_set(struct ask_job *ask)
{
	struct rpc_request *request = ask->arg;
	struct buf result = { 0 };

	if (ask->code) {
		people_refuse(request, ask->code, "Failed to update the disappearing timer");
	} else {
		people_open(&result, request, &ask->own_pn);
		json_put_int(&result, "duration", ((struct profile_job *)ask)->seconds);
		buf_u8(&result, '}');
		rpc_answer(request, 200, 1000, "Default disappearing timer updated", buf_text(&result));
	}
	buf_free(&result);
	profile_job_free((struct profile_job *)ask);
}

static void do_timer(struct rpc_request *request)
{
	static const uint32_t timers[] = { 0, 86400, 604800, 7776000 };
	double seconds = json_object_get_double(json_object_object_get(request->p, "duration"));
	struct profile_job *job;
	bool known = false;

	for (size_t i = 0; i < sizeof timers / sizeof *timers; i++)
		known = known || (seconds >= 0 && seconds <= 7776000 && (uint32_t)seconds == timers[i] && (double)timers[i] >= seconds);
	if (!known) {
		rpc_answer(request, 400, 2002, "duration must be 0, 86400, 604800 or 7776000", NULL);
		return;
	}
	job = profile_job_new(PROFILE_TIMER, 0);
	job->seconds = (uint32_t)seconds;
	if (!people_ask(request, &job->ask, timer_set))
		profile_job_free(job);
}

/* ---- name: part of the state that all devices share ---- */

static void put_name(struct buf *out, const struct change_job *job)
{
	json_put_member(out, "name", job->text);
}

static void name_set(struct change_job *job)
{
	people_changed(job, "Profile name updated", put_name);
}

static void do_name(struct rpc_request *request)
{
	const char *name = rpc_param_text(request, "name");
	struct session_entry *entry = rpc_session(request);
	struct change_job *job;

	if (!entry)
		return;
	if (!people_fits(name, NAME_MAX_CHARS)) {
		rpc_answer(request, 400, 2002, "name may have at most 25 characters", NULL);
		return;
	}
	job = change_job_new("setting_pushName", NULL);
	job->text = xstrdup(name);
	job->done = name_set;
	job->arg = request;
	sessions_change(request->context->daemon->sessions, entry, job);
}

/* ---- presence ---- */

static void presence_set(struct ask_job *ask)
{
	struct rpc_request *request = ask->arg;
	struct profile_job *job = (struct profile_job *)ask;
	struct buf result = { 0 };

	if (ask->code) {
		people_refuse(request, ask->code, "The presence cannot be shown");
	} else {
		people_open(&result, request, &ask->own_pn);
		json_put_member(&result, "presence", rpc_param_text(request, "presence"));
		if (job->n)
			people_put_jid(&result, "to", &job->people[0].jid);
		else
			json_put_member(&result, "to", NULL);
		buf_u8(&result, '}');
		rpc_answer(request, 200, 1000, "Presence updated", buf_text(&result));
	}
	buf_free(&result);
	profile_job_free(job);
}

static void do_presence(struct rpc_request *request)
{
	static const struct {
		const char *word;
		enum wa_chatstate state;
	} states[] = { { "composing", WA_COMPOSING }, { "recording", WA_RECORDING }, { "paused", WA_PAUSED } };
	const char *word = rpc_param_text(request, "presence"), *to = rpc_param_text(request, "to");
	struct profile_job *job = NULL;

	for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
		if (strcmp(states[i].word, word) != 0)
			continue;
		if (!to) {
			rpc_answer(request, 400, 2001, "to is required", NULL);
			return;
		}
		job = profile_job_new(PROFILE_CHATSTATE, 1);
		job->state = states[i].state;
		if (jid_parse_text(&job->people[0].jid, to)) {
			profile_job_free(job);
			rpc_answer(request, 400, 2002, "to is invalid", NULL);
			return;
		}
	}
	if (!job) {
		job = profile_job_new(PROFILE_PRESENCE, 0);
		job->on = strcmp(word, "available") == 0;
	}
	if (!people_ask(request, &job->ask, presence_set))
		profile_job_free(job);
}

static void subscribed(struct ask_job *ask)
{
	struct rpc_request *request = ask->arg;
	struct profile_job *job = (struct profile_job *)ask;
	struct buf result = { 0 };

	if (ask->code) {
		people_refuse(request, ask->code, "WhatsApp did not answer");
	} else {
		people_open(&result, request, &ask->own_pn);
		people_put_jid(&result, "jid", &job->people[0].jid);
		buf_u8(&result, '}');
		rpc_answer(request, 200, 1000, "Subscribed to presence", buf_text(&result));
	}
	buf_free(&result);
	profile_job_free(job);
}

static void do_subscribe(struct rpc_request *request)
{
	struct profile_job *job = profile_job_new(PROFILE_SUBSCRIBE, 1);

	if (jid_parse_text(&job->people[0].jid, rpc_param_text(request, "jid"))) {
		profile_job_free(job);
		rpc_answer(request, 400, 2002, "jid is invalid", NULL);
		return;
	}
	if (!people_ask(request, &job->ask, subscribed))
		profile_job_free(job);
}

const struct rpc_method rpc_profile_methods[] = {
	{ "profile.info", do_info },
	{ "profile.picture", do_picture },
	{ "profile.picture.set", do_set_picture },
	{ "profile.picture.remove", do_remove_picture },
	{ "profile.about.set", do_about },
	{ "profile.disappearing.set", do_timer },
	{ "profile.name.set", do_name },
	{ "profile.presence.set", do_presence },
	{ "profile.presence.subscribe", do_subscribe },
	{ NULL, NULL },
};
