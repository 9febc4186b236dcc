/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Questions about channels and what is done with them.
 *
 *     channel_job --> wa_client_query(): GraphQL (mex) or <iq xmlns="newsletter"> --> result as JSON --> main loop
 *
 * The numbers of the queries are those of the web client; they change with its releases. Source: whatsapp-rust iq/mex_operations.rs.
 */
#include "sessiond/session/channels.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/mem.h"
#include "sessiond/daemon.h"
#include "sessiond/json_text.h"
#include "sessiond/session/message_json.h"
#include "sessiond/session/object.h"
#include "sessiond/session/private.h"
#include "sessiond/session/registry.h"
#include "sessiond/wa/query.h"

enum { CODE_BAD = 400, CODE_NOT_FOUND = 404, CODE_UNREADABLE = 502, CODE_UNAVAILABLE = 503 };

#define INVITE_URL "https://whatsapp.com/channel/"

struct channel_job *channel_job_new(enum channel_what what)
{
	struct channel_job *job = xcalloc(1, sizeof *job);

	job->what = what;
	return job;
}

void channel_job_free(struct channel_job *job)
{
	if (!job)
		return;
	free(job->invite);
	free(job->name);
	free(job->text);
	buf_free(&job->result);
	free(job);
}

/* ---- on the main loop ---- */

static void called_back(void *arg, int error)
{
	struct channel_job *job = arg;

	(void)error;
	job->done(job);
}

static void cmd_channel(struct session *session, struct session_call *call);

void sessions_channel(struct session_entry *entry, struct channel_job *job)
{
	registry_call(entry, cmd_channel, NULL, NULL, called_back, job);
}

/* ---- GraphQL ---- */

static struct json_object *parse(struct span json)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *object = NULL;

	if (json.n > 0 && json.n <= INT32_MAX)
		object = json_tokener_parse_ex(tokener, (const char *)json.p, (int)json.n);
	json_tokener_free(tokener);
	return object;
}

static struct json_object *member(struct json_object *object, const char *name)
{
	return json_object_is_type(object, json_type_object) ? json_object_object_get(object, name) : NULL;
}

static const char *text_of(struct json_object *object, const char *name)
{
	struct json_object *value = member(object, name);

	return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;
}

static int first_error(struct json_object *errors, char *error, size_t room)
{
	struct json_object *first = json_object_array_get_idx(errors, 0);
	const char *message = text_of(first, "message");
	int code = json_object_get_int(member(member(first, "extensions"), "error_code"));

	snprintf(error, room, "%s", message ? message : "WhatsApp refused it");
	return code > 0 ? code : CODE_BAD;
}

int mex_read(struct span json, const char *path, struct json_object **value, char *error, size_t room)
{
	struct json_object *answer = parse(json);
	struct json_object *errors = member(answer, "errors");
	struct json_object *data = member(answer, "data");
	int code = 0;

	*value = NULL;
	if (json_object_is_type(errors, json_type_array) && json_object_array_length(errors) > 0) {
		code = first_error(errors, error, room);
	} else if (!json_object_is_type(data, json_type_object) || !json_object_object_get_ex(data, path, value)) {
		snprintf(error, room, "WhatsApp's answer cannot be read");
		code = CODE_UNREADABLE;
	}
	if (*value)
		json_object_get(*value);
	json_object_put(answer);
	return code;
}

/* Numbers come as numbers or as text. */
static void put_number(struct buf *out, const char *name, struct json_object *value)
{
	if (value)
		json_put_int(out, name, json_object_get_int64(value));
}

/* Case varies between releases. */
static void put_word(struct buf *out, const char *name, const char *word)
{
	char lower[40];
	size_t n = 0;

	if (!word)
		return;
	for (; word[n] && n + 1 < sizeof lower; n++)
		lower[n] = (char)(word[n] >= 'A' && word[n] <= 'Z' ? word[n] + ('a' - 'A') : word[n]);
	lower[n] = '\0';
	json_put_member(out, name, lower);
}

static void put_text(struct buf *out, const char *name, const char *text)
{
	if (text)
		json_put_member(out, name, text);
}

static void put_picture(struct buf *out, const char *name, struct json_object *picture)
{
	if (!text_of(picture, "direct_path") || !text_of(picture, "direct_path")[0])
		return;
	json_put_name(out, name);
	buf_u8(out, '{');
	put_text(out, "id", text_of(picture, "id"));
	put_text(out, "directPath", text_of(picture, "direct_path"));
	buf_u8(out, '}');
}

static void put_viewer(struct buf *out, struct json_object *viewer)
{
	const char *mute = text_of(viewer, "mute");
	struct json_object *settings = member(viewer, "settings");

	put_word(out, "role", text_of(viewer, "role"));
	/* Newer answers have a list of settings instead. */
	for (size_t i = 0; !mute && json_object_is_type(settings, json_type_array) && i < json_object_array_length(settings); i++) {
		struct json_object *setting = json_object_array_get_idx(settings, i);
		const char *type = text_of(setting, "type");

		if (type && strcasecmp(type, "MUTE_FOLLOWER_ACTIVITY") == 0)
			mute = text_of(setting, "value");
	}
	if (mute)
		json_put_bool(out, "muted", strcasecmp(mute, "ON") == 0);
}

bool channel_json(struct buf *out, struct json_object *channel)
{
	struct json_object *thread = member(channel, "thread_metadata");
	const char *id = text_of(channel, "id");
	const char *invite = text_of(thread, "invite");
	char *link;

	if (!id)
		return false;
	buf_u8(out, '{');
	json_put_member(out, "channelId", id);
	put_text(out, "name", text_of(member(thread, "name"), "text"));
	put_text(out, "description", text_of(member(thread, "description"), "text"));
	put_text(out, "handle", text_of(thread, "handle"));
	if (invite && invite[0]) {
		link = xasprintf(INVITE_URL "%s", invite);
		json_put_member(out, "invite", invite);
		json_put_member(out, "link", link);
		free(link);
	}
	put_number(out, "subscribers", member(thread, "subscribers_count"));
	put_number(out, "createdAt", member(thread, "creation_time"));
	put_word(out, "verification", text_of(thread, "verification"));
	put_word(out, "state", text_of(member(channel, "state"), "type"));
	put_word(out, "reactions", text_of(member(member(thread, "settings"), "reaction_codes"), "value"));
	put_picture(out, "picture", member(thread, "picture"));
	put_picture(out, "preview", member(thread, "preview"));
	put_viewer(out, member(channel, "viewer_metadata"));
	buf_u8(out, '}');
	return true;
}

/* ---- questions ---- */

static void put_own_name(struct buf *v, const struct channel_job *job)
{
	char text[JID_TEXT_MAX];

	json_put_member(v, "newsletter_id", jid_format(&job->channel, text, sizeof text));
}

static void of_list(struct buf *v, const struct channel_job *job)
{
	(void)job;
	json_put_bool(v, "fetch_wamo_sub", false);
}

static void of_info(struct buf *v, const struct channel_job *job)
{
	char text[JID_TEXT_MAX];

	json_put_bool(v, "fetch_creation_time", true);
	json_put_bool(v, "fetch_full_image", true);
	json_put_bool(v, "fetch_viewer_metadata", true);
	json_put_name(v, "input");
	buf_u8(v, '{');
	json_put_member(v, "key", job->invite ? job->invite : jid_format(&job->channel, text, sizeof text));
	json_put_member(v, "type", job->invite ? "INVITE" : "JID");
	buf_u8(v, '}');
}

static void of_create(struct buf *v, const struct channel_job *job)
{
	json_put_name(v, "input");
	buf_u8(v, '{');
	json_put_member(v, "name", job->name);
	json_put_member(v, "description", job->text);
	buf_u8(v, '}');
}

static void of_update(struct buf *v, const struct channel_job *job)
{
	put_own_name(v, job);
	json_put_name(v, "updates");
	buf_u8(v, '{');
	put_text(v, "name", job->name);
	put_text(v, "description", job->text);
	json_put_raw(v, "settings", "null");
	buf_u8(v, '}');
}

static void of_mute(struct buf *v, const struct channel_job *job)
{
	json_put_name(v, "input");
	buf_u8(v, '{');
	put_own_name(v, job);
	json_put_member(v, "type", "MUTE_FOLLOWER_ACTIVITY");
	json_put_member(v, "value", job->on ? "ON" : "OFF");
	buf_u8(v, '}');
}

static const struct {
	enum channel_what what;
	const char *id, *path;
	void (*variables)(struct buf *v, const struct channel_job *job);
} operations[] = {
	{ CHANNEL_LIST, "25399611239711790", "xwa2_newsletter_subscribed", of_list },
	{ CHANNEL_INFO, "27456920720571478", "xwa2_newsletter", of_info },
	{ CHANNEL_CREATE, "25149874324715067", "xwa2_newsletter_create", of_create },
	{ CHANNEL_UPDATE, "24250201037901610", "xwa2_newsletter_update", of_update },
	{ CHANNEL_DELETE, "30062808666639665", "xwa2_newsletter_delete_v2", put_own_name },
	{ CHANNEL_FOLLOW, "24404358912487870", "xwa2_newsletter_join_v2", put_own_name },
	{ CHANNEL_UNFOLLOW, "9767147403369991", "xwa2_newsletter_leave_v2", put_own_name },
	{ CHANNEL_MUTE, "31938993655691868", "xwa2_newsletter_update_user_setting", of_mute },
};

static size_t operation_of(enum channel_what what)
{
	size_t i = 0;

	while (operations[i].what != what)
		i++;
	return i;
}

static void settle(struct channel_job *job, int code, const char *text)
{
	job->code = code;
	if (text != job->error)
		snprintf(job->error, sizeof job->error, "%s", text ? text : "");
	registry_answer(job->session, job->call);
}

/* ---- answers ---- */

static bool is_info(enum channel_what what)
{
	return what == CHANNEL_INFO || what == CHANNEL_CREATE || what == CHANNEL_UPDATE;
}

static void put_list(struct buf *out, struct json_object *list)
{
	size_t n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;

	buf_u8(out, '[');
	for (size_t i = 0; i < n; i++) {
		size_t before = out->len;

		if (out->data[before - 1] != '[')
			buf_u8(out, ',');
		if (!channel_json(out, json_object_array_get_idx(list, i)))
			out->len = before;
	}
	buf_u8(out, ']');
}

static void take_mex(struct channel_job *job, struct span json)
{
	const char *path = operations[operation_of(job->what)].path;
	struct json_object *value;
	int code = mex_read(json, path, &value, job->error, sizeof job->error);

	if (!code && job->what == CHANNEL_LIST) {
		put_list(&job->result, value);
	} else if (!code && is_info(job->what) && !channel_json(&job->result, value)) {
		/* WhatsApp says nothing about a channel that there is not. */
		code = CODE_NOT_FOUND;
		snprintf(job->error, sizeof job->error, "there is no such channel");
	}
	json_object_put(value);
	settle(job, code, job->error);
}

static void put_post(struct buf *out, const struct wa_post *post)
{
	size_t before;

	buf_u8(out, '{');
	json_put_int(out, "serverId", (int64_t)post->server_id);
	put_text(out, "messageId", post->id);
	put_text(out, "type", post->type);
	if (post->time_ms)
		json_put_int(out, "timestamp", post->time_ms / 1000);
	json_put_bool(out, "fromMe", post->from_me);
	if (post->has_views)
		json_put_int(out, "views", (int64_t)post->views);
	json_put_name(out, "reactions");
	buf_u8(out, '{');
	for (size_t i = 0; i < post->nreactions; i++) {
		if (i)
			buf_u8(out, ',');
		json_put_string(out, post->reactions[i].code);
		buf_printf(out, ":%llu", (unsigned long long)post->reactions[i].count);
	}
	buf_u8(out, '}');
	before = out->len;
	if (post->message.n > 0) {
		json_put_name(out, "message");
		if (!message_json(out, &(struct message_part){ .bytes = post->message }))
			out->len = before;
	}
	buf_u8(out, '}');
}

static void take_posts(struct channel_job *job, const struct wa_query_answer *answer)
{
	buf_u8(&job->result, '[');
	for (size_t i = 0; i < answer->nposts; i++) {
		if (i)
			buf_u8(&job->result, ',');
		put_post(&job->result, &answer->posts[i]);
	}
	buf_u8(&job->result, ']');
	settle(job, 0, NULL);
}

static void ask(struct channel_job *job);

static void answered(void *arg, const struct wa_query_answer *answer)
{
	struct channel_job *job = arg;
	struct session *session = job->session;

	if (answer->code) {
		settle(job, answer->code, answer->text && answer->text[0] ? answer->text : answer->code == 408 ? "no answer" : "WhatsApp refused it");
	} else if (job->what == CHANNEL_CREATE && !job->accepted && job->on) {
		job->accepted = true;
		ask(job);
		return;
	} else if (job->what == CHANNEL_POSTS || job->what == CHANNEL_UPDATES) {
		take_posts(job, answer);
	} else if (job->what == CHANNEL_LIVE) {
		buf_printf(&job->result, "%u", answer->duration_s);
		settle(job, 0, NULL);
	} else {
		take_mex(job, answer->json);
	}
	session->busy--;
	session_released(session);
}

static void ask(struct channel_job *job)
{
	struct wa_query query = { .kind = WA_QUERY_MEX, .channel = job->channel, .count = job->count };
	struct buf variables = { 0 };
	size_t i;

	switch (job->what) {
	case CHANNEL_POSTS:
		query.kind = WA_QUERY_POSTS;
		query.before = job->before;
		break;
	case CHANNEL_UPDATES:
		query.kind = WA_QUERY_UPDATES;
		query.after = job->before;
		query.since_s = job->since_s;
		break;
	case CHANNEL_LIVE:
		query.kind = WA_QUERY_LIVE;
		break;
	default:
		if (job->what == CHANNEL_CREATE && job->on && !job->accepted) {
			query.kind = WA_QUERY_TERMS;
			break;
		}
		i = operation_of(job->what);
		buf_u8(&variables, '{');
		operations[i].variables(&variables, job);
		buf_u8(&variables, '}');
		query.id = operations[i].id;
		query.variables = buf_text(&variables);
	}
	wa_client_query(job->session->client, &query, answered, job);
	buf_free(&variables);
}

static void cmd_channel(struct session *session, struct session_call *call)
{
	struct channel_job *job = call->arg;

	job->session = session;
	job->call = call;
	job->own = session->view.me_pn;
	if (!session->client || !wa_client_is_open(session->client)) {
		settle(job, CODE_UNAVAILABLE, "the session is not connected");
		return;
	}
	session->busy++;
	ask(job);
}
