/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What people see of stored rows. Names of people are their phone numbers where these are known; the hidden ids stand beside them
 * (lid, senderLid).
 */
#include "sessiond/rpc/chat_parts.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "sessiond/json_text.h"

/* ---- chats ---- */

static void put_text_or_null(struct buf *out, const char *name, const char *text)
{
	json_put_name(out, name);
	json_put_string(out, text);
}

static void put_display(struct buf *out, const char *name, const struct store_chat *chat)
{
	json_put_name(out, name);
	if (chat->display)
		json_put_string(out, chat->display);
	else
		json_put_span(out, span_of(chat->jid, strcspn(chat->jid, "@")));
}

static int64_t changed_s(const struct store_chat *chat)
{
	return (chat->updated_ms ? chat->updated_ms : chat->last_ms ? chat->last_ms : chat->created_ms) / 1000;
}

static void put_state(struct buf *out, const struct store_chat *chat)
{
	put_text_or_null(out, "lid", chat->lid);
	json_put_bool(out, "archived", chat->archived);
	json_put_bool(out, "pinned", chat->pinned_ms > 0);
	if (chat->mute_ms == STORE_MUTE_FOREVER)
		json_put_int(out, "muteEnd", -1);
	else
		json_put_int(out, "muteEnd", chat->mute_ms / 1000);
	json_put_bool(out, "markedUnread", chat->marked_unread);
}

void chat_view_item(struct buf *out, const struct store_chat *chat)
{
	buf_u8(out, '{');
	json_put_member(out, "id", chat->jid);
	json_put_member(out, "jid", chat->jid);
	put_display(out, "displayName", chat);
	put_display(out, "name", chat);
	json_put_bool(out, "isGroup", chat->kind == STORE_CHAT_GROUP);
	json_put_int(out, "unreadCount", chat->unread);
	put_text_or_null(out, "lastMessage", chat->last_body);
	json_put_int(out, "lastMessageTimestamp", chat->last_ms / 1000);
	json_put_int(out, "ephemeralExpiry", chat->expiration_s);
	json_put_int(out, "createdAt", chat->created_ms / 1000);
	json_put_int(out, "updatedAt", changed_s(chat));
	put_state(out, chat);
	buf_u8(out, '}');
}

void chat_view_info(struct buf *out, const struct store_chat *chat, const char *jid, int64_t now_ms)
{
	static const struct store_chat none = { .number = 0 };
	const struct store_chat *shown = chat ? chat : &none;

	buf_u8(out, '{');
	json_put_member(out, "jid", chat ? chat->jid : jid);
	put_text_or_null(out, "name", shown->display);
	put_text_or_null(out, "lastMessage", shown->last_body);
	json_put_bool(out, "isGroup", chat ? chat->kind == STORE_CHAT_GROUP : strstr(jid, "@g.us") != NULL);
	json_put_int(out, "unreadCount", shown->unread);
	json_put_int(out, "lastMessageTimestamp", shown->last_ms / 1000);
	json_put_int(out, "ephemeralExpiry", shown->expiration_s);
	json_put_int(out, "createdAt", chat ? chat->created_ms / 1000 : now_ms / 1000);
	json_put_int(out, "updatedAt", chat ? changed_s(chat) : 0);
	put_state(out, shown);
	json_put_int(out, "messages", shown->messages);
	buf_u8(out, '}');
}

/* ---- mentions ---- */

enum { MENTIONS_MAX = 256 };

struct mention {
	const char *told, *shown; /* JIDs, in the arena */
};

struct mentions {
	struct mention list[MENTIONS_MAX];
	size_t n;
};

static int add_mention(const struct chat_view *view, struct span text, struct mentions *mentions)
{
	struct mention *mention = &mentions->list[mentions->n];
	struct store_chat chat;
	struct jid jid;
	int rc;

	if (jid_parse(&jid, (const char *)text.p, text.n))
		return 0;
	mention->told = mention->shown = arena_text(view->arena, text.p, text.n);
	rc = jid_is_lid(&jid) ? store_chat_get(view->reader, view->arena, view->session, &jid, &chat) : STORE_NOT_FOUND;
	if (rc == 0)
		mention->shown = chat.jid;
	for (size_t i = 0; i < mentions->n; i++) {
		if (strcmp(mentions->list[i].shown, mention->shown) == 0)
			return rc == STORE_NOT_FOUND ? 0 : rc;
	}
	mentions->n++;
	return rc == STORE_NOT_FOUND ? 0 : rc;
}

static int read_mentions(const struct chat_view *view, const struct message_part *context, struct mentions *mentions)
{
	struct reader r = reader_of(context->bytes.p, context->bytes.n);
	struct wire_field f;
	int rc = 0;

	mentions->n = 0;
	while (context->bytes.p && rc == 0 && mentions->n < MENTIONS_MAX && wire_next(&r, &f)) {
		const struct schema_field *field = message_field(context->schema, f.number);

		if (field && f.type == 2 && strcmp(field->name, "mentionedJid") == 0)
			rc = add_mention(view, f.bytes, mentions);
	}
	return rc;
}

/* "@<hidden id>" in a text becomes "@<number>". */
static void put_body(struct buf *out, const char *body, const struct mentions *mentions)
{
	struct buf text = { 0 };

	json_put_name(out, "body");
	while (*body != '\0') {
		const struct mention *found = NULL;

		for (size_t i = 0; i < mentions->n && *body == '@' && !found; i++) {
			const struct mention *m = &mentions->list[i];
			size_t n = strcspn(m->told, "@");

			if (m->told != m->shown && n > 0 && strncmp(body + 1, m->told, n) == 0 && !strchr("0123456789", body[1 + n] ? body[1 + n] : '.'))
				found = m;
		}
		buf_u8(&text, (uint8_t)*body++);
		if (!found)
			continue;
		buf_append(&text, found->shown, strcspn(found->shown, "@"));
		body += strcspn(found->told, "@");
	}
	json_put_span(out, buf_span(&text));
	buf_free(&text);
}

static void put_mentions(struct buf *out, const struct mentions *mentions)
{
	json_put_name(out, "mentionedJids");
	buf_u8(out, '[');
	for (size_t i = 0; i < mentions->n; i++) {
		if (i > 0)
			buf_u8(out, ',');
		json_put_string(out, mentions->list[i].shown);
	}
	buf_u8(out, ']');
}

void chat_put_span(struct buf *out, const char *name, struct span text)
{
	json_put_name(out, name);
	if (text.p)
		json_put_span(out, text);
	else
		buf_append_text(out, "null");
}

const char *chat_adder(const struct chat_view *view, const struct store_addon *addon)
{
	return addon->author[0] ? addon->author : view->own;
}

/* ---- details ---- */

static void put_before(struct buf *out, const struct store_message_row *row)
{
	const struct message_part part = { .bytes = row->original };
	struct buf json = { 0 };

	if (row->original.p && message_json(&json, &part))
		json_put_raw(out, "messageBeforeEdit", buf_text(&json));
	buf_free(&json);
}

static void put_edit(struct buf *out, const struct store_message_row *row)
{
	bool first = true;

	json_put_name(out, "edit");
	buf_u8(out, '{');
	json_put_int(out, "lastEditedAt", row->edited_ms / 1000);
	json_put_int(out, "lastEditedMs", row->edited_ms);
	buf_append_text(out, ",\"events\":[");
	for (size_t i = 0; i < row->naddons; i++) {
		if (row->addons[i].kind != STORE_ADDON_EDIT)
			continue;
		buf_append_text(out, first ? "{" : ",{");
		first = false;
		json_put_int(out, "ts", row->addons[i].time_ms / 1000);
		json_put_int(out, "ms", strtoll(row->addons[i].author, NULL, 10));
		buf_u8(out, '}');
	}
	buf_u8(out, ']');
	put_before(out, row);
	json_put_member(out, "preview", row->body);
	buf_u8(out, '}');
}

/* What people answered to an event. */
static void put_responses(const struct chat_view *view, struct buf *out, const struct store_message_row *row)
{
	bool first = true;

	for (size_t i = 0; i < row->naddons; i++) {
		const struct store_addon *answer = &row->addons[i];
		struct json_object *value = answer->kind == STORE_ADDON_RESPONSE && answer->value ? json_tokener_parse(answer->value) : NULL;

		if (!value)
			continue;
		if (first)
			json_put_name(out, "event");
		buf_append_text(out, first ? "{\"responses\":[{" : ",{");
		first = false;
		json_put_member(out, "by", chat_adder(view, answer));
		json_put_member(out, "response", json_object_get_string(json_object_object_get(value, "response")));
		json_put_int(out, "extraGuestCount", json_object_get_int64(json_object_object_get(value, "extraGuestCount")));
		json_put_int(out, "ts", answer->time_ms / 1000);
		buf_u8(out, '}');
		json_object_put(value);
	}
	if (!first)
		buf_append_text(out, "]}");
}

static void put_pinned(struct buf *out, const struct store_message_row *row)
{
	for (size_t i = 0; i < row->naddons; i++) {
		const struct store_addon *pin = &row->addons[i];

		if (pin->kind != STORE_ADDON_PIN || !pin->value)
			continue;
		json_put_name(out, "pinned");
		buf_u8(out, '{');
		json_put_int(out, "ts", pin->time_ms / 1000);
		json_put_int(out, "expiresAt", strtoll(pin->value, NULL, 10));
		buf_u8(out, '}');
		return;
	}
}

static int put_details(const struct chat_view *view, struct buf *out, const struct store_message_row *row, const struct chat_poll *poll)
{
	int rc;

	json_put_name(out, "messageTypeDetails");
	buf_u8(out, '{');
	if (row->edited_ms)
		put_edit(out, row);
	if (poll)
		chat_poll_put(view, out, "poll", poll, row);
	rc = chat_receipts_put(view, out, row);
	put_responses(view, out, row);
	put_pinned(out, row);
	if (row->starred_ms)
		json_put_int(out, "starredAt", row->starred_ms / 1000);
	if (row->deleted_ms)
		json_put_int(out, "deletedAt", row->deleted_ms / 1000);
	buf_u8(out, '}');
	return rc;
}

static void put_reactions(const struct chat_view *view, struct buf *out, const struct store_message_row *row)
{
	bool first = true;

	json_put_name(out, "reactions");
	buf_u8(out, '[');
	for (size_t i = 0; i < row->naddons; i++) {
		const struct store_addon *reaction = &row->addons[i];

		if (reaction->kind != STORE_ADDON_REACTION || !reaction->value)
			continue;
		buf_append_text(out, first ? "{" : ",{");
		first = false;
		json_put_member(out, "from", chat_adder(view, reaction));
		json_put_member(out, "emoji", reaction->value);
		json_put_int(out, "timestamp", reaction->time_ms / 1000);
		buf_u8(out, '}');
	}
	buf_u8(out, ']');
}

/* ---- messages ---- */

const char *chat_status_name(enum store_message_status status)
{
	static const char *const names[] = {
		[STORE_MESSAGE_NONE] = NULL, [STORE_MESSAGE_ERROR] = "failed", [STORE_MESSAGE_PENDING] = "queued", [STORE_MESSAGE_SENT] = "server_ack",
		[STORE_MESSAGE_DELIVERED] = "delivered", [STORE_MESSAGE_READ] = "read", [STORE_MESSAGE_PLAYED] = "played",
	};

	return (size_t)status < sizeof names / sizeof *names ? names[status] : NULL;
}

static void put_head(const struct chat_view *view, struct buf *out, const struct store_message_row *row)
{
	json_put_member(out, "id", row->id);
	json_put_member(out, "toJid", row->chat_jid);
	json_put_member(out, "senderJid", row->from_me ? view->own : row->author ? row->author : row->chat_jid);
	json_put_bool(out, "fromMe", row->from_me);
	json_put_member(out, "messageType", row->type);
}

static void put_tail(struct buf *out, const struct store_message_row *row)
{
	json_put_bool(out, "isEdited", row->edited_ms > 0);
	json_put_bool(out, "isDeleted", row->deleted_ms > 0);
	if (row->deleted_ms)
		json_put_int(out, "deletedAt", row->deleted_ms / 1000);
	else
		json_put_raw(out, "deletedAt", "null");
}

static void put_more(struct buf *out, const struct store_message_row *row)
{
	json_put_int(out, "createdAt", row->time_ms / 1000);
	json_put_int(out, "updatedAt", row->updated_ms / 1000);
	put_text_or_null(out, "chatLid", row->chat_lid);
	put_text_or_null(out, "senderLid", row->from_me ? NULL : row->author ? row->author_lid : row->chat_lid);
	put_text_or_null(out, "status", row->from_me ? chat_status_name(row->status) : NULL);
	buf_u8(out, '}');
}

int chat_view_message(const struct chat_view *view, struct buf *out, const struct store_message_row *row)
{
	struct mentions *mentions = arena_alloc(view->arena, sizeof *mentions);
	struct message_part context = { .bytes = span_of(NULL, 0) };
	struct chat_poll poll;
	struct content c;
	bool is_poll;
	int rc, media, details;

	content_read(&c, row->content, false);
	if (c.media.bytes.p)
		context = message_sub(&c.media, "contextInfo");
	rc = read_mentions(view, &context, mentions);
	is_poll = chat_poll_read(&c, &poll);
	buf_u8(out, '{');
	put_head(view, out, row);
	put_body(out, row->body, mentions);
	json_put_int(out, "timestamp", row->time_ms / 1000);
	json_put_bool(out, "isMedia", row->media);
	put_text_or_null(out, "mediaType", row->media ? row->type : NULL);
	media = chat_media_put(view, out, row, &c);
	details = put_details(view, out, row, is_poll ? &poll : NULL);
	chat_put_span(out, "quotedMessageId", context.bytes.p ? message_text(&context, "stanzaId") : context.bytes);
	put_mentions(out, mentions);
	put_reactions(view, out, row);
	put_tail(out, row);
	if (is_poll)
		chat_poll_put(view, out, "poll", &poll, row);
	else
		json_put_raw(out, "poll", "null");
	put_more(out, row);
	content_free(&c);
	return rc ? rc : media ? media : details;
}
