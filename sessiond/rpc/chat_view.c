/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What people see of stored rows. Names of people are their phone numbers where these are known; the hidden ids stand beside them
 * (lid, senderLid).
 */
#include "sessiond/rpc/chat_view.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "sessiond/json_text.h"
#include "sessiond/session/content.h"

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

/* ---- media ---- */

static void put_span_or_null(struct buf *out, const char *name, struct span text)
{
	json_put_name(out, name);
	if (text.p)
		json_put_span(out, text);
	else
		buf_append_text(out, "null");
}

static void put_media(struct buf *out, const struct store_message_row *row, const struct content *c)
{
	struct wire_field size = { 0 };

	json_put_name(out, "mediaMetadata");
	if (!row->media || !row->content.p || !content_has_file(c)) {
		buf_append_text(out, "null");
		return;
	}
	buf_u8(out, '{');
	put_span_or_null(out, "url", message_text(&c->media, "url"));
	put_span_or_null(out, "mimeType", message_text(&c->media, "mimetype"));
	put_span_or_null(out, "fileName", message_text(&c->media, "fileName"));
	if (message_find(&c->media, "fileLength", &size) && size.value <= INT64_MAX)
		json_put_int(out, "fileSize", (int64_t)size.value);
	else
		json_put_raw(out, "fileSize", "null");
	buf_u8(out, '}');
}

/* ---- polls ---- */

enum { OPTIONS_MAX = 64 };

struct poll {
	struct span question;
	struct span options[OPTIONS_MAX];
	size_t n;
	uint64_t selectable;
};

static bool read_poll(const struct content *c, struct poll *poll)
{
	struct reader r = reader_of(c->media.bytes.p, c->media.bytes.n);
	struct wire_field f;

	*poll = (struct poll){ .n = 0 };
	if (!c->media_type || strncmp(c->media_type, "pollCreationMessage", 19) != 0 || !c->media.bytes.p)
		return false;
	poll->question = message_text(&c->media, "name");
	while (wire_next(&r, &f)) {
		const struct schema_field *field = message_field(c->media.schema, f.number);

		if (field && strcmp(field->name, "options") == 0 && f.type == 2 && poll->n < OPTIONS_MAX) {
			const struct message_part option = { .bytes = f.bytes.p ? f.bytes : span_of("", 0), .schema = field->sub };

			poll->options[poll->n++] = message_text(&option, "optionName");
		} else if (field && strcmp(field->name, "selectableOptionsCount") == 0) {
			poll->selectable = f.value;
		}
	}
	return true;
}

static void put_creation(struct buf *out, const struct poll *poll)
{
	buf_append_text(out, "\"creation\":{");
	json_put_name(out, "question");
	json_put_span(out, poll->question);
	buf_append_text(out, ",\"options\":[");
	for (size_t i = 0; i < poll->n; i++) {
		buf_append_text(out, i > 0 ? ",{" : "{");
		json_put_int(out, "index", (int64_t)i);
		json_put_name(out, "name");
		json_put_span(out, poll->options[i]);
		buf_u8(out, '}');
	}
	buf_u8(out, ']');
	json_put_int(out, "selectableCount", (int64_t)(poll->selectable == 0 ? poll->n : poll->selectable & 0xffff));
	buf_u8(out, '}');
}

/* Votes are kept as JSON arrays of names. */
static bool voted_for(const struct store_addon *vote, struct span option)
{
	struct json_object *names = vote->value ? json_tokener_parse(vote->value) : NULL;
	bool found = false;

	for (size_t i = 0; json_object_is_type(names, json_type_array) && i < json_object_array_length(names) && !found; i++)
		found = span_is(option, json_object_get_string(json_object_array_get_idx(names, i)));
	json_object_put(names);
	return found;
}

static const char *voter_of(const struct chat_view *view, const struct store_addon *vote)
{
	return vote->author[0] ? vote->author : view->own;
}

static void put_results(const struct chat_view *view, struct buf *out, const struct poll *poll, const struct store_message_row *row)
{
	buf_append_text(out, ",\"results\":[");
	for (size_t i = 0; i < poll->n; i++) {
		bool first = true;

		buf_append_text(out, i > 0 ? ",{" : "{");
		json_put_name(out, "name");
		json_put_span(out, poll->options[i]);
		buf_append_text(out, ",\"voters\":[");
		for (size_t k = 0; k < row->naddons; k++) {
			if (row->addons[k].kind != STORE_ADDON_VOTE || !voted_for(&row->addons[k], poll->options[i]))
				continue;
			if (!first)
				buf_u8(out, ',');
			first = false;
			json_put_string(out, voter_of(view, &row->addons[k]));
		}
		buf_append_text(out, "]}");
	}
	buf_u8(out, ']');
}

static void put_votes(const struct chat_view *view, struct buf *out, const struct store_message_row *row, bool by_voter)
{
	bool first = true;

	buf_append_text(out, by_voter ? ",\"latestByVoter\":{" : ",\"events\":[");
	for (size_t i = 0; i < row->naddons; i++) {
		const struct store_addon *vote = &row->addons[i];

		if (vote->kind != STORE_ADDON_VOTE)
			continue;
		if (!first)
			buf_u8(out, ',');
		first = false;
		if (by_voter) {
			json_put_string(out, voter_of(view, vote));
			buf_u8(out, ':');
			buf_append_text(out, vote->value ? vote->value : "[]");
			continue;
		}
		buf_u8(out, '{');
		json_put_member(out, "by", voter_of(view, vote));
		json_put_raw(out, "selected", vote->value ? vote->value : "[]");
		json_put_int(out, "ts", vote->time_ms / 1000);
		buf_u8(out, '}');
	}
	buf_u8(out, by_voter ? '}' : ']');
}

static bool has(const struct store_message_row *row, enum store_addon_kind kind)
{
	for (size_t i = 0; i < row->naddons; i++) {
		if (row->addons[i].kind == kind)
			return true;
	}
	return false;
}

static void put_poll(const struct chat_view *view, struct buf *out, const char *name, const struct poll *poll, const struct store_message_row *row)
{
	json_put_name(out, name);
	buf_u8(out, '{');
	put_creation(out, poll);
	if (has(row, STORE_ADDON_VOTE)) {
		put_results(view, out, poll, row);
		put_votes(view, out, row, true);
		put_votes(view, out, row, false);
	}
	buf_u8(out, '}');
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

static void put_details(const struct chat_view *view, struct buf *out, const struct store_message_row *row, const struct poll *poll)
{
	json_put_name(out, "messageTypeDetails");
	buf_u8(out, '{');
	if (row->edited_ms)
		put_edit(out, row);
	if (poll)
		put_poll(view, out, "poll", poll, row);
	if (row->starred_ms)
		json_put_int(out, "starredAt", row->starred_ms / 1000);
	if (row->deleted_ms)
		json_put_int(out, "deletedAt", row->deleted_ms / 1000);
	buf_u8(out, '}');
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
		json_put_member(out, "from", voter_of(view, reaction));
		json_put_member(out, "emoji", reaction->value);
		json_put_int(out, "timestamp", reaction->time_ms / 1000);
		buf_u8(out, '}');
	}
	buf_u8(out, ']');
}

/* ---- messages ---- */

static const char *status_name(enum store_message_status status)
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
	put_text_or_null(out, "status", row->from_me ? status_name(row->status) : NULL);
	buf_u8(out, '}');
}

int chat_view_message(const struct chat_view *view, struct buf *out, const struct store_message_row *row)
{
	struct mentions *mentions = arena_alloc(view->arena, sizeof *mentions);
	struct message_part context = { .bytes = span_of(NULL, 0) };
	struct poll poll;
	struct content c;
	bool is_poll;
	int rc;

	content_read(&c, row->content, false);
	if (c.media.bytes.p)
		context = message_sub(&c.media, "contextInfo");
	rc = read_mentions(view, &context, mentions);
	is_poll = read_poll(&c, &poll);
	buf_u8(out, '{');
	put_head(view, out, row);
	put_body(out, row->body, mentions);
	json_put_int(out, "timestamp", row->time_ms / 1000);
	json_put_bool(out, "isMedia", row->media);
	put_text_or_null(out, "mediaType", row->media ? row->type : NULL);
	put_media(out, row, &c);
	put_details(view, out, row, is_poll ? &poll : NULL);
	put_span_or_null(out, "quotedMessageId", context.bytes.p ? message_text(&context, "stanzaId") : context.bytes);
	put_mentions(out, mentions);
	put_reactions(view, out, row);
	put_tail(out, row);
	if (is_poll)
		put_poll(view, out, "poll", &poll, row);
	else
		json_put_raw(out, "poll", "null");
	put_more(out, row);
	content_free(&c);
	return rc;
}
