/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Channels (newsletters): who is followed, what was posted. Each answers when WhatsApp's server has. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/appcode.h"
#include "common/mem.h"
#include "sessiond/json_text.h"
#include "sessiond/rpc/request.h"
#include "sessiond/session/channels.h"

enum { NAME_MAX_BYTES = 400, TEXT_MAX_BYTES = 16384, INVITE_MAX = 128 };

struct kind {
	const char *method;
	enum channel_what what;
	bool on;
	const char *list;    /* name of the member that holds the result; NULL: the result is the channel */
	const char *message; /* of the answer */
};

static const struct kind kinds[] = {
	{ "channels.list", CHANNEL_LIST, false, "channels", "Channels" },
	{ "channels.info", CHANNEL_INFO, false, NULL, "Channel" },
	{ "channels.invite", CHANNEL_INFO, false, NULL, "Channel" },
	{ "channels.create", CHANNEL_CREATE, false, NULL, "Channel created" },
	{ "channels.edit", CHANNEL_UPDATE, false, NULL, "Channel changed" },
	{ "channels.delete", CHANNEL_DELETE, false, NULL, "Channel deleted" },
	{ "channels.follow", CHANNEL_FOLLOW, true, NULL, "Channel followed" },
	{ "channels.unfollow", CHANNEL_UNFOLLOW, false, NULL, "Channel not followed any more" },
	{ "channels.mute", CHANNEL_MUTE, true, NULL, "Channel muted" },
	{ "channels.unmute", CHANNEL_MUTE, false, NULL, "Channel unmuted" },
	{ "channels.messages", CHANNEL_POSTS, false, "messages", "Messages of the channel" },
	{ "channels.updates", CHANNEL_UPDATES, false, "messages", "Counters of the channel's messages" },
	{ "channels.live", CHANNEL_LIVE, false, "seconds", "Live updates of the channel" },
};

static const struct kind *kind_of(const struct rpc_request *request)
{
	size_t i = 0;

	while (strcmp(kinds[i].method, request->method->name) != 0)
		i++;
	return &kinds[i];
}

/* ---- the answer ---- */

static const struct {
	int whatsapp, status, code;
	const char *text;
} refusals[] = {
	{ 401, 403, APP_FORBIDDEN, "WhatsApp does not allow this" },
	{ 403, 403, APP_FORBIDDEN, "WhatsApp does not allow this" },
	{ 404, 404, APP_NOT_FOUND, "Channel not found" },
	{ 408, 504, APP_DOWNSTREAM_TIMEOUT, "WhatsApp has not answered" },
	{ 429, 429, APP_RATE_LIMITED, "WhatsApp asks to wait" },
	{ 503, 503, APP_SERVICE_UNAVAILABLE, "The session is not connected" },
};

static void refuse(struct rpc_request *request, const struct channel_job *job)
{
	char text[280];

	for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
		if (refusals[i].whatsapp == job->code) {
			rpc_answer(request, refusals[i].status, refusals[i].code, refusals[i].text, NULL);
			return;
		}
	}
	snprintf(text, sizeof text, "WhatsApp refused it: %s", job->error);
	rpc_answer(request, 502, APP_DOWNSTREAM_ERROR, text, NULL);
}

static void put_result(struct buf *out, const struct rpc_request *request, struct channel_job *job)
{
	const struct kind *kind = kind_of(request);
	char text[JID_TEXT_MAX];

	buf_u8(out, '{');
	json_put_member(out, "sessionId", request->session_id);
	json_put_member(out, "phone", job->own.user);
	if (!jid_is_none(&job->channel))
		json_put_member(out, "channelId", jid_format(&job->channel, text, sizeof text));
	if (kind->what == CHANNEL_FOLLOW || kind->what == CHANNEL_UNFOLLOW)
		json_put_bool(out, "following", kind->on);
	else if (kind->what == CHANNEL_MUTE)
		json_put_bool(out, "muted", kind->on);
	else if (kind->what == CHANNEL_DELETE)
		json_put_bool(out, "deleted", true);
	else
		json_put_raw(out, kind->list ? kind->list : "channel", buf_text(&job->result));
	buf_u8(out, '}');
}

static void done(struct channel_job *job)
{
	struct rpc_request *request = job->arg;
	struct buf result = { 0 };

	if (job->code) {
		refuse(request, job);
	} else {
		put_result(&result, request, job);
		rpc_answer(request, 200, APP_SUCCESS, kind_of(request)->message, buf_text(&result));
		buf_free(&result);
	}
	channel_job_free(job);
}

/* ---- the request ---- */

/* The code of an invitation, or the whole link. NULL: neither. */
static char *invite_of(const char *text)
{
	const char *at = text ? strrchr(text, '/') : NULL;
	size_t n;

	at = at ? at + 1 : text;
	n = at ? strspn(at, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_-") : 0;
	return n > 0 && n <= INVITE_MAX && at[n] == '\0' ? xstrndup(at, n) : NULL;
}

static char *text_param(const struct rpc_request *request, const char *name)
{
	const char *text = rpc_param_text(request, name);

	return text ? xstrdup(text) : NULL;
}

static double number(const struct rpc_request *request, const char *name)
{
	return json_object_get_double(json_object_object_get(request->p, name));
}

/* NULL: fine; else what is wrong. */
static const char *fill_in(struct channel_job *job, const struct rpc_request *request)
{
	bool by_invite = strcmp(request->method->name, "channels.invite") == 0;

	job->on = job->what == CHANNEL_CREATE ? rpc_param_bool(request, "acceptTerms") : kind_of(request)->on;
	job->name = text_param(request, "name");
	job->text = text_param(request, "description");
	job->count = (unsigned)number(request, "count");
	job->before = (uint64_t)number(request, job->what == CHANNEL_UPDATES ? "after" : "before");
	job->since_s = (int64_t)number(request, "since");
	if (by_invite)
		job->invite = invite_of(rpc_param_text(request, "invite"));
	if (by_invite && !job->invite)
		return "invite is invalid";
	if (!by_invite && job->what != CHANNEL_LIST && job->what != CHANNEL_CREATE &&
	    (jid_parse_text(&job->channel, rpc_param_text(request, "channelId")) || job->channel.server != JID_SERVER_NEWSLETTER))
		return "channelId is invalid";
	if (job->what == CHANNEL_UPDATE && !job->name && !job->text)
		return "name or description is required";
	if ((job->name && strlen(job->name) > NAME_MAX_BYTES) || (job->text && strlen(job->text) > TEXT_MAX_BYTES))
		return "name or description is too long";
	return NULL;
}

static void do_channel(struct rpc_request *request)
{
	struct session_entry *entry = rpc_session(request);
	struct channel_job *job;
	const char *wrong;

	if (!entry)
		return;
	job = channel_job_new(kind_of(request)->what);
	wrong = fill_in(job, request);
	if (wrong) {
		rpc_answer(request, 400, APP_INVALID_PARAMETER, wrong, NULL);
		channel_job_free(job);
		return;
	}
	job->done = done;
	job->arg = request;
	sessions_channel(entry, job);
}

const struct rpc_method rpc_channel_methods[] = {
	{ "channels.list", do_channel },   { "channels.info", do_channel },     { "channels.invite", do_channel },  { "channels.create", do_channel },
	{ "channels.edit", do_channel },   { "channels.delete", do_channel },   { "channels.follow", do_channel },  { "channels.unfollow", do_channel },
	{ "channels.mute", do_channel },   { "channels.unmute", do_channel },   { "channels.messages", do_channel }, { "channels.updates", do_channel },
	{ "channels.live", do_channel },   { NULL, NULL },
};
