/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What comes of app state: files of it for the protocol library, and events for those who ask for them.
 *
 *     chat_update       {id, action, chat, chatPn, chatLid, archived|pinned|muted|read|locked|statusMuted, muteEnd, own, time, sessionId}
 *                       action: archive, pin, mute, read, lock, statusMute, clear (withStarred, withMedia), delete (withMedia)
 *     message_update    {id, action: star|deleteForMe, key{remoteJid, fromMe, id, participant}, starred, own, time, sessionId}
 *     contact_update    {id, chat, chatPn, chatLid, name, firstName, removed, time, sessionId}
 *     label_update      {id, action: edit|chat|message|quickReply, labelId, name, color, deleted | chat, messageId, labeled | ...}
 *     settings_update   {id, setting, value, time, sessionId}
 *     app_state_synced  {id, collection, entries, sessionId}     what was there before comes as one event, not entry by entry
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/mem.h"
#include "sessiond/daemon.h"
#include "sessiond/json_text.h"
#include "sessiond/session/transfer.h"
#include "sessiond/session/object.h"
#include "sessiond/session/shared.h"

/* ---- files ---- */

struct blob {
	struct session *session;
	uint64_t life, token;
	int fd;
	struct buf bytes; /* owned */
	const char *error;
};

static void blob_free(struct blob *b)
{
	struct session *session = b->session;

	if (b->fd >= 0)
		close(b->fd);
	buf_wipe(&b->bytes);
	free(b);
	session->busy--;
	session_released(session);
}

static void blob_hand_over(void *arg)
{
	struct blob *b = arg;

	if (b->session->client && b->session->life == b->life)
		wa_client_blob(b->session->client, b->token, buf_span(&b->bytes), b->error);
	blob_free(b);
}

/* On a worker thread. */
static void blob_read(void *arg)
{
	struct blob *b = arg;
	ssize_t got;

	do {
		got = pread(b->fd, buf_reserve(&b->bytes, 65536), 65536, (off_t)b->bytes.len);
		if (got > 0)
			buf_commit(&b->bytes, (size_t)got);
	} while (got > 0);
	if (got < 0)
		b->error = "the downloaded file cannot be read";
}

static void blob_downloaded(void *arg, const struct transfer_result *result)
{
	struct blob *b = arg;

	if (result->error == TRANSFER_OK) {
		if (loop_offload(b->session->on->loop, blob_read, blob_hand_over, b))
			abort();
		return;
	}
	if (b->session->client && b->session->life == b->life)
		wa_client_blob(b->session->client, b->token, (struct span){ 0 }, result->text);
	blob_free(b);
}

static void blob_failed(void *arg)
{
	(void)arg;
}

static bool take_hash(struct span from, uint8_t to[32])
{
	if (from.n != 32)
		return false;
	memcpy(to, from.p, 32);
	return true;
}

void session_blob(struct session *session, const struct wa_blob *wanted, uint64_t token)
{
	struct blob *b = xcalloc(1, sizeof *b);
	struct transfer_file file;

	*b = (struct blob){ .session = session, .life = session->life, .token = token };
	session->busy++;
	b->fd = transfer_temp_file(session->on->daemon->config->state_dir);
	if (b->fd < 0) {
		b->error = "a temporary file cannot be made";
		if (loop_offload(session->on->loop, blob_failed, blob_hand_over, b))
			abort();
		return;
	}
	transfer_file_init(&file, TRANSFER_APP_STATE);
	file.direct_path = xstrdup(wanted->direct_path);
	file.encrypted = true;
	memcpy(file.key, wanted->media_key.p, sizeof file.key);
	file.has_plain_hash = take_hash(wanted->plain_sha256, file.plain_hash);
	file.has_blob_hash = take_hash(wanted->enc_sha256, file.blob_hash);
	transfer_download(session, &file, NULL, b->fd, wanted->max_bytes, blob_downloaded, b);
	transfer_file_free(&file);
}

/* ---- events ---- */

static void put_jid(struct buf *out, const char *name, const struct jid *jid)
{
	char text[JID_TEXT_MAX];

	if (!jid_is_none(jid))
		json_put_member(out, name, jid_format(jid, text, sizeof text));
}

static void put_chat(struct buf *out, const struct wa_action *a)
{
	put_jid(out, "chat", &a->chat);
	put_jid(out, "chatPn", &a->chat_pn);
	put_jid(out, "chatLid", &a->chat_lid);
}

struct shape;
typedef void put_event(struct buf *out, const struct wa_action *a, const struct shape *shape);

struct shape {
	const char *name;   /* of the action */
	const char *kind;   /* of the event */
	put_event *put;
	const char *action; /* what receivers read */
	const char *flag;   /* name of the member that says on or off, NULL: none */
};

static void put_chat_update(struct buf *out, const struct wa_action *a, const struct shape *shape)
{
	json_put_member(out, "action", shape->action);
	put_chat(out, a);
	if (shape->flag)
		json_put_bool(out, shape->flag, a->on);
	if (a->until_ms != 0)
		json_put_int(out, "muteEnd", a->until_ms);
	if (strcmp(a->name, "clearChat") == 0)
		json_put_bool(out, "withStarred", a->starred_too);
	if (!shape->flag)
		json_put_bool(out, "withMedia", a->media_too);
}

static void put_message_update(struct buf *out, const struct wa_action *a, const struct shape *shape)
{
	char text[JID_TEXT_MAX];

	json_put_member(out, "action", shape->action);
	json_put_name(out, "key");
	buf_u8(out, '{');
	json_put_member(out, "remoteJid", jid_format(&a->chat, text, sizeof text));
	json_put_bool(out, "fromMe", a->from_me);
	json_put_member(out, "id", a->message_id);
	put_jid(out, "participant", &a->participant);
	buf_u8(out, '}');
	put_chat(out, a);
	if (shape->flag)
		json_put_bool(out, shape->flag, a->on);
	else
		json_put_bool(out, "withMedia", a->media_too);
}

static void put_contact(struct buf *out, const struct wa_action *a, const struct shape *shape)
{
	(void)shape;
	put_chat(out, a);
	json_put_member(out, "name", a->text);
	json_put_member(out, "firstName", a->text2);
	json_put_bool(out, "removed", a->removed);
}

static void put_label(struct buf *out, const struct wa_action *a, const struct shape *shape)
{
	json_put_member(out, "action", shape->action);
	json_put_member(out, strcmp(a->name, "quick_reply") == 0 ? "quickReplyId" : "labelId", a->id);
	put_chat(out, a);
	if (a->message_id)
		json_put_member(out, "messageId", a->message_id);
	if (a->text)
		json_put_member(out, "name", a->text);
	if (a->text2)
		json_put_member(out, "text", a->text2);
	if (strcmp(a->name, "label_edit") == 0)
		json_put_int(out, "color", a->number);
	json_put_bool(out, shape->flag, a->on);
}

static void put_setting(struct buf *out, const struct wa_action *a, const struct shape *shape)
{
	json_put_member(out, "setting", shape->action);
	if (a->text)
		json_put_member(out, "value", a->text);
	else if (shape->flag)
		json_put_bool(out, "value", a->on);
	else
		json_put_int(out, "value", a->number);
}

static void put_favorites(struct buf *out, const struct wa_action *a, const struct shape *shape)
{
	json_put_member(out, "setting", shape->action);
	json_put_name(out, "value");
	shared_put_lines(out, a->text);
}

static const struct shape shapes[] = {
	{ "archive", "chat_update", put_chat_update, "archive", "archived" },
	{ "pin_v1", "chat_update", put_chat_update, "pin", "pinned" },
	{ "mute", "chat_update", put_chat_update, "mute", "muted" },
	{ "markChatAsRead", "chat_update", put_chat_update, "read", "read" },
	{ "lock", "chat_update", put_chat_update, "lock", "locked" },
	{ "userStatusMute", "chat_update", put_chat_update, "statusMute", "statusMuted" },
	{ "clearChat", "chat_update", put_chat_update, "clear", NULL },
	{ "deleteChat", "chat_update", put_chat_update, "delete", NULL },
	{ "star", "message_update", put_message_update, "star", "starred" },
	{ "deleteMessageForMe", "message_update", put_message_update, "deleteForMe", NULL },
	{ "contact", "contact_update", put_contact, NULL, NULL },
	{ "lid_contact", "contact_update", put_contact, NULL, NULL },
	{ "label_edit", "label_update", put_label, "edit", "deleted" },
	{ "label_jid", "label_update", put_label, "chat", "labeled" },
	{ "label_message", "label_update", put_label, "message", "labeled" },
	{ "quick_reply", "label_update", put_label, "quickReply", "deleted" },
	{ "setting_pushName", "settings_update", put_setting, "pushName", NULL },
	{ "setting_locale", "settings_update", put_setting, "locale", NULL },
	{ "setting_unarchiveChats", "settings_update", put_setting, "unarchiveChats", "value" },
	{ "setting_disableLinkPreviews", "settings_update", put_setting, "disableLinkPreviews", "value" },
	{ "setting_relayAllCalls", "settings_update", put_setting, "relayAllCalls", "value" },
	{ "time_format", "settings_update", put_setting, "twentyFourHourFormat", "value" },
	{ "status_privacy", "settings_update", put_setting, "statusPrivacy", NULL },
	{ "favorites", "settings_update", put_favorites, "favorites", NULL },
};

static void finish(struct session *session, struct store_tx *tx, const char *kind, const struct jid *chat, struct buf *payload, int64_t time_ms)
{
	char text[JID_TEXT_MAX];

	json_put_member(payload, "sessionId", session->id);
	buf_u8(payload, '}');
	event_add(session, tx, kind, jid_is_none(chat) ? NULL : jid_format(chat, text, sizeof text), NULL, payload, time_ms);
	buf_free(payload);
}

void appstate_event(struct session *session, struct store_tx *tx, const struct wa_event *event)
{
	const struct wa_action *a = event->action;
	struct buf payload = { 0 };

	if (a)
		shared_take(tx, session->number, a);
	/* What was so before we came is told as a whole; the journal is for what happens. */
	if (!a || a->initial)
		return;
	for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
		if (strcmp(shapes[i].name, a->name) != 0)
			continue;
		buf_u8(&payload, '{');
		json_put_member(&payload, "id", session->id);
		shapes[i].put(&payload, a, &shapes[i]);
		json_put_bool(&payload, "own", a->own);
		json_put_int(&payload, "time", a->time_ms / 1000);
		finish(session, tx, shapes[i].kind, &a->chat, &payload, timefmt_now_ms());
		return;
	}
}

void appstate_synced_event(struct session *session, struct store_tx *tx, const struct wa_event *event)
{
	static const struct jid none = { .server = JID_SERVER_NONE };
	struct buf payload = { 0 };

	buf_u8(&payload, '{');
	json_put_member(&payload, "id", session->id);
	json_put_member(&payload, "collection", event->text);
	json_put_int(&payload, "entries", event->number);
	finish(session, tx, "app_state_synced", &none, &payload, timefmt_now_ms());
}
