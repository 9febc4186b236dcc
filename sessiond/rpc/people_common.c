/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See people.h. */
#include "sessiond/rpc/people.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/utf8.h"
#include "sessiond/daemon.h"
#include "sessiond/json_text.h"

bool people_ask(struct rpc_request *request, struct ask_job *ask, void (*done)(struct ask_job *ask))
{
	struct session_entry *entry = rpc_session(request);

	if (!entry)
		return false;
	ask->done = done;
	ask->arg = request;
	sessions_ask(request->context->daemon->sessions, entry, ask);
	return true;
}

/* ---- refusals ---- */

static const char *word_of(int code)
{
	static const struct {
		int code;
		const char *word;
	} words[] = {
		{ 400, "bad-request" },      { 401, "not-authorized" }, { 403, "forbidden" },      { 404, "item-not-found" },
		{ 405, "not-allowed" },      { 406, "not-acceptable" }, { 408, "timed-out: WhatsApp did not answer in time" },
		{ 409, "conflict" },         { 429, "rate-overlimit" }, { 500, "internal-server-error" },
		{ 502, "malformed-answer: WhatsApp's answer cannot be read" },
		{ 503, "service-unavailable: the session is not connected" },
	};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (words[i].code == code)
			return words[i].word;
	return NULL;
}

void people_refuse(struct rpc_request *request, int code, const char *fallback)
{
	const char *word = word_of(code);

	rpc_answer(request, 502, 2800, word ? word : fallback, NULL);
}

void people_refuse_change(struct rpc_request *request, const struct change_job *job)
{
	static const struct {
		int code, status, app;
	} kinds[] = { { 429, 429, 2400 }, { 503, 503, 8001 }, { 500, 500, 8000 } };
	char text[224];
	int status = 502, app = 2800;

	if (job->code == CHANGE_GONE) {
		rpc_answer(request, 409, 1106, "The session is not linked to an account", NULL);
		return;
	}
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		if (kinds[i].code == job->code) {
			status = kinds[i].status;
			app = kinds[i].app;
		}
	}
	snprintf(text, sizeof text, "WhatsApp has not taken the change: %s", job->error[0] ? job->error : "no reason given");
	rpc_answer(request, status, app, text, NULL);
}

/* ---- parameters ---- */

bool people_person(struct rpc_request *request, const char *name, struct jid *out)
{
	char text[64];

	if (jid_parse_text(out, rpc_param_text(request, name))) {
		snprintf(text, sizeof text, "%s is invalid", name);
		rpc_answer(request, 400, 2002, text, NULL);
		return false;
	}
	if (!jid_is_person(out)) {
		rpc_answer(request, 400, 2002, "jid must be a person", NULL);
		return false;
	}
	*out = jid_bare(out);
	return true;
}

static void add_texts(const char *text, char ***texts, size_t *n)
{
	while (*text) {
		size_t len = strcspn(text, ",");
		const char *start = text, *end = text + len;

		while (start < end && isspace((unsigned char)*start))
			start++;
		while (end > start && isspace((unsigned char)end[-1]))
			end--;
		if (end > start) {
			*texts = xrealloc(*texts, (*n + 1) * sizeof **texts);
			(*texts)[(*n)++] = xstrndup(start, (size_t)(end - start));
		}
		text += len + (text[len] == ',');
	}
}

char **people_texts(const struct rpc_request *request, const char *name, size_t *n)
{
	struct json_object *list = json_object_object_get(request->p, name);
	char **texts = NULL;

	*n = 0;
	if (json_object_is_type(list, json_type_string))
		add_texts(json_object_get_string(list), &texts, n);
	for (size_t i = 0; json_object_is_type(list, json_type_array) && i < json_object_array_length(list); i++)
		add_texts(json_object_get_string(json_object_array_get_idx(list, i)), &texts, n);
	return texts;
}

void people_texts_free(char **texts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(texts[i]);
	free(texts);
}

bool people_fits(const char *text, size_t characters)
{
	size_t left = strlen(text), n = 0;

	for (; left > 0; n++) {
		size_t bytes = utf8_length(text, left);

		bytes = bytes ? bytes : 1;
		text += bytes;
		left -= bytes;
	}
	return n <= characters;
}

/* ---- JSON ---- */

void people_open(struct buf *out, const struct rpc_request *request, const struct jid *own)
{
	buf_u8(out, '{');
	json_put_member(out, "sessionId", request->session_id);
	json_put_member(out, "phone", jid_is_none(own) ? NULL : own->user);
}

void people_changed(struct change_job *job, const char *message, void (*put)(struct buf *out, const struct change_job *job))
{
	struct rpc_request *request = job->arg;
	struct buf result = { 0 };

	if (job->code != CHANGE_DONE) {
		people_refuse_change(request, job);
	} else {
		people_open(&result, request, &job->own);
		put(&result, job);
		buf_u8(&result, '}');
		rpc_answer(request, 200, 1000, message, buf_text(&result));
	}
	buf_free(&result);
	change_job_free(job);
}

void people_put_jid(struct buf *out, const char *name, const struct jid *jid)
{
	char text[JID_TEXT_MAX];

	json_put_member(out, name, jid_is_none(jid) ? NULL : jid_format(jid, text, sizeof text));
}

void people_put_phone(struct buf *out, const char *name, const struct jid *jid)
{
	json_put_member(out, name, jid_is_pn(jid) ? jid->user : NULL);
}

void people_put_found(struct buf *out, const struct card *card)
{
	if (card->picture_full || card->picture_preview) {
		json_put_name(out, "picture");
		buf_u8(out, '{');
		json_put_member(out, "full", card->picture_full);
		json_put_member(out, "preview", card->picture_preview);
		buf_u8(out, '}');
	}
	if (card->about)
		json_put_member(out, "about", card->about);
	if (card->business.len)
		json_put_raw(out, "businessProfile", buf_text(&((struct card *)(uintptr_t)card)->business));
}

/* ---- pictures ---- */

/* A run of at least `least` digits at or behind p; n is its length. */
static const char *digits_at(const char *p, size_t least, size_t *n)
{
	while (*p) {
		*n = strspn(p, "0123456789");
		if (*n >= least)
			return p;
		p += *n ? *n : 1;
	}
	return NULL;
}

/* Into id: the picture's number as its address shows it, "" if it does not. */
static void id_of(const char *url, char id[static 32])
{
	const char *mark = strstr(url, "?id=") ? strstr(url, "?id=") : strstr(url, "&id=");
	const char *found = NULL, *slash = strrchr(url, '/');
	size_t n = 0;

	if (mark && strspn(mark + 4, "0123456789") >= 6) {
		found = mark + 4;
		n = strspn(found, "0123456789");
	}
	if (!found)
		found = digits_at(url, 10, &n);
	if (!found && slash)
		found = digits_at(slash, 1, &n);
	if (!found || n >= 32)
		n = 0;
	if (n)
		memcpy(id, found, n);
	id[n] = '\0';
}

void people_put_picture(struct buf *out, const struct card *card)
{
	const char *url = card->picture_full ? card->picture_full : card->picture_preview;
	char id[32] = "";

	if (url)
		id_of(url, id);
	json_put_member(out, "url", url);
	json_put_member(out, "id", id[0] ? id : NULL);
	json_put_member(out, "type", card->picture_full ? "image" : card->picture_preview ? "preview" : NULL);
	json_put_member(out, "imgFull", card->picture_full);
	json_put_member(out, "imgPreview", card->picture_preview);
}
