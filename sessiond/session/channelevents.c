/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What happens in channels, for those who ask for it:
 *
 *     newsletter_update       {id, channelId, action, channel?, muted?, time, sessionId}   action: join, leave, mute, metadata, adminMetadata, state
 *     newsletter_message      {id, channelId, serverId, messageId, type, timestamp, fromMe, message, sessionId}
 *     newsletter_post_update  {id, channelId, serverId, views?, reactions, sessionId}
 *
 * and of the account, in the same form of notification: account_timelock (events.c).
 */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/mem.h"
#include "sessiond/daemon.h"
#include "sessiond/json_text.h"
#include "sessiond/session/channels.h"
#include "sessiond/session/message_json.h"
#include "sessiond/session/object.h"

static void start(struct buf *payload, const struct session *session, const char *channel)
{
	buf_u8(payload, '{');
	json_put_member(payload, "id", session->id);
	if (channel)
		json_put_member(payload, "channelId", channel);
}

static void finish(struct session *session, struct store_tx *tx, const char *kind, const char *channel, struct buf *payload)
{
	json_put_member(payload, "sessionId", session->id);
	buf_u8(payload, '}');
	event_add(session, tx, kind, channel, NULL, payload, timefmt_now_ms());
	buf_free(payload);
}

/* ---- posts ---- */

void channel_post_event(struct session *session, struct store_tx *tx, const struct wa_message *m)
{
	const struct message_part part = { .bytes = m ? buf_span(&m->plaintext) : span_of(NULL, 0) };
	struct buf payload = { 0 };
	char channel[JID_TEXT_MAX];
	size_t before;

	if (!m || m->chat.server != JID_SERVER_NEWSLETTER)
		return;
	jid_format(&m->chat, channel, sizeof channel);
	start(&payload, session, channel);
	json_put_int(&payload, "serverId", m->server_id);
	json_put_member(&payload, "messageId", m->id);
	if (m->type)
		json_put_member(&payload, "type", m->type);
	json_put_int(&payload, "timestamp", m->time_ms / 1000);
	json_put_bool(&payload, "fromMe", m->from_me);
	before = payload.len;
	json_put_name(&payload, "message");
	if (!message_json(&payload, &part))
		payload.len = before;
	finish(session, tx, "newsletter_message", channel, &payload);
}

void channel_counters_event(struct session *session, struct store_tx *tx, const struct wa_event *event)
{
	struct reader r = reader_of(event->bytes.data, event->bytes.len);
	struct buf payload = { 0 };
	char channel[JID_TEXT_MAX];

	jid_format(&event->jid, channel, sizeof channel);
	start(&payload, session, channel);
	json_put_int(&payload, "serverId", event->number);
	if (event->ms >= 0)
		json_put_int(&payload, "views", event->ms);
	json_put_name(&payload, "reactions");
	buf_u8(&payload, '{');
	for (bool first = true; r.ok && r.left > 0; first = false) {
		uint64_t count = read_be64(&r);
		struct span code = read_span(&r, read_u8(&r));

		if (!first)
			buf_u8(&payload, ',');
		json_put_span(&payload, code);
		buf_printf(&payload, ":%llu", (unsigned long long)count);
	}
	buf_u8(&payload, '}');
	finish(session, tx, "newsletter_post_update", channel, &payload);
}

/* ---- GraphQL ---- */

static struct json_object *member(struct json_object *object, const char *name)
{
	return json_object_is_type(object, json_type_object) ? json_object_object_get(object, name) : NULL;
}

static const char *text_of(struct json_object *object, const char *name)
{
	struct json_object *value = member(object, name);

	return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;
}

static void of_channel(struct session *session, struct store_tx *tx, const char *action, struct json_object *value)
{
	const char *id = text_of(value, "id") ? text_of(value, "id") : text_of(value, "newsletter_id");
	const char *mute = text_of(value, "mute");
	struct buf payload = { 0 };
	size_t before;

	if (!id || strlen(id) >= JID_TEXT_MAX)
		return;
	start(&payload, session, id);
	json_put_member(&payload, "action", action);
	if (mute)
		json_put_bool(&payload, "muted", strcasecmp(mute, "ON") == 0);
	before = payload.len;
	json_put_name(&payload, "channel");
	if (!channel_json(&payload, value))
		payload.len = before;
	finish(session, tx, "newsletter_update", id, &payload);
}

static void of_cap(struct session *session, struct store_tx *tx, const char *action, struct json_object *value)
{
	(void)tx;
	(void)action;
	queue_cap_noticed(session, value);
}

static void of_timelock(struct session *session, struct store_tx *tx, const char *action, struct json_object *value)
{
	const char *kind = text_of(value, "enforcement_type");
	int64_t end_s = json_object_get_int64(member(value, "time_enforcement_ends"));
	struct buf payload = { 0 };

	(void)action;
	start(&payload, session, NULL);
	json_put_bool(&payload, "active", json_object_get_boolean(member(value, "is_active")));
	json_put_member(&payload, "kind", kind);
	json_put_int(&payload, "until", end_s > 0 && end_s < INT64_MAX / 1000 ? end_s * 1000 : 0);
	finish(session, tx, "account_timelock", NULL, &payload);
	queue_lock_noticed(session, value);
}

static const struct {
	const char *name;
	const char *action;
	void (*take)(struct session *session, struct store_tx *tx, const char *action, struct json_object *value);
} notices[] = {
	{ "xwa2_notify_newsletter_on_join", "join", of_channel },
	{ "xwa2_notify_newsletter_on_leave", "leave", of_channel },
	{ "xwa2_notify_newsletter_on_mute_change", "mute", of_channel },
	{ "xwa2_notify_newsletter_on_metadata_update", "metadata", of_channel },
	{ "xwa2_notify_newsletter_on_admin_metadata_update", "adminMetadata", of_channel },
	{ "xwa2_notify_newsletter_on_state_change", "state", of_channel },
	{ "xwa2_notify_account_reachout_timelock", NULL, of_timelock },
	{ "xwa2_notify_new_chat_messages_capping_info_update", NULL, of_cap },
};

void channel_mex_event(struct session *session, struct store_tx *tx, const struct wa_event *event)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *update = json_tokener_parse_ex(tokener, (const char *)event->bytes.data, (int)event->bytes.len);
	struct json_object *data = member(update, "data");

	for (size_t i = 0; i < sizeof notices / sizeof *notices; i++) {
		struct json_object *value = member(data, notices[i].name);

		if (value)
			notices[i].take(session, tx, notices[i].action, value);
	}
	json_object_put(update);
	json_tokener_free(tokener);
}
