/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Types and bodies of stored messages. */
#include "sessiond/session/chatrow.h"

#include <ctype.h>
#include <string.h>

#include "sessiond/json_text.h"

const char chatrow_deleted[] = "(_\xE2\x8A\x98 This message was deleted_)";
const char chatrow_deleted_own[] = "(_\xE2\x8A\x98 You deleted this message_)";

/* rest-b 6.3; label: how 6.4 announces it. Others are stored under their own name in small letters. */
static const struct {
	const char *content, *type, *label;
	bool media;
} types[] = {
	{ "conversation", "conversation", NULL, false },
	{ "extendedTextMessage", "extendedtextmessage", NULL, false },
	{ "imageMessage", "image", "([Image])", true },
	{ "videoMessage", "video", "([Video])", true },
	{ "ptvMessage", "video", "([Video])", true },
	{ "audioMessage", "audio", "([Audio])", true },
	{ "documentMessage", "document", "([Document])", true },
	{ "stickerMessage", "stickermessage", "([Sticker])", true },
	{ "contactMessage", "contact", NULL, true },
	{ "contactsArrayMessage", "contact", NULL, true },
	{ "locationMessage", "location", NULL, true },
	{ "liveLocationMessage", "location", NULL, true },
	{ "interactiveResponseMessage", "interactive", NULL, false },
	{ "buttonsResponseMessage", "interactive", NULL, false },
	{ "listResponseMessage", "interactive", NULL, false },
	{ "templateButtonReplyMessage", "interactive", NULL, false },
	{ "templateMessage", "interactive", NULL, false },
	{ "buttonsMessage", "interactive", NULL, false },
	{ "listMessage", "interactive", NULL, false },
	{ "interactiveMessage", "interactive", NULL, false },
	{ "eventMessage", "event", NULL, false },
	{ "pollCreationMessage", "poll", "([Poll])", false },
	{ "pollCreationMessageV2", "poll", "([Poll])", false },
	{ "pollCreationMessageV3", "poll", "([Poll])", false },
	{ "pollCreationMessageV5", "poll", "([Poll])", false },
};

/* No messages that people see. */
static const char *const unseen[] = {
	"protocolMessage", "senderKeyDistributionMessage", "fastRatchetKeySenderKeyDistributionMessage", "encReactionMessage", "pollUpdateMessage",
	"keepInChatMessage", "secretEncryptedMessage", "encEventResponseMessage", "encCommentMessage", "placeholderMessage", "stickerSyncRmrMessage",
	"messageHistoryBundle", "messageHistoryNotice",
};

/* Where the text of an interactive message is: the first of these that is there. */
static const char *const texts[][3] = {
	{ "buttonsMessage", "contentText", NULL },      { "listMessage", "title", NULL },
	{ "listMessage", "description", NULL },         { "interactiveMessage", "body", "text" },
	{ "templateMessage", "hydratedTemplate", "hydratedContentText" }, { "interactiveResponseMessage", "nativeFlowResponseMessage", "paramsJson" },
	{ "listResponseMessage", "singleSelectReply", "selectedRowId" },  { "buttonsResponseMessage", "selectedButtonId", NULL },
};

static void put_interactive(struct buf *body, const struct content *c)
{
	for (size_t i = 0; i < sizeof texts / sizeof *texts && body->len == 0; i++) {
		struct message_part sub = c->media;

		if (strcmp(texts[i][0], c->media_type) != 0)
			continue;
		if (texts[i][2] != NULL)
			sub = message_sub(&sub, texts[i][1]);
		if (sub.bytes.p)
			buf_append_span(body, message_text(&sub, texts[i][2] != NULL ? texts[i][2] : texts[i][1]));
	}
}

static bool is_gif(const struct content *c)
{
	struct wire_field f = { 0 };

	return strcmp(c->media_type, "videoMessage") == 0 && message_find(&c->media, "gifPlayback", &f) && f.value != 0;
}

static void put_labelled(struct chatrow *row, const char *label)
{
	buf_append_text(&row->body, label);
	if (row->content.text.len > 0)
		buf_u8(&row->body, ' ');
	buf_append_span(&row->body, buf_span(&row->content.text));
}

static void set_type(struct chatrow *row, const char *type)
{
	size_t n = 0;

	for (; type[n] != '\0' && n + 1 < sizeof row->type; n++)
		row->type[n] = (char)tolower((unsigned char)type[n]);
	row->type[n] = '\0';
}

static void known_type(struct chatrow *row, size_t which)
{
	bool gif = is_gif(&row->content);

	set_type(row, gif ? "gif" : types[which].type);
	row->media = types[which].media;
	if (types[which].label != NULL)
		put_labelled(row, gif ? "([Gif])" : types[which].label);
	else
		buf_append_span(&row->body, buf_span(&row->content.text));
	if (strcmp(types[which].type, "interactive") == 0)
		put_interactive(&row->body, &row->content);
	else if (strcmp(types[which].type, "location") == 0 || strcmp(types[which].type, "event") == 0)
		buf_clear(&row->body);
}

static void as_message(struct chatrow *row)
{
	const char *type = row->content.media_type;

	for (size_t i = 0; i < sizeof unseen / sizeof *unseen; i++) {
		if (strcmp(unseen[i], type) == 0)
			return;
	}
	row->kind = CHATROW_MESSAGE;
	for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
		if (strcmp(types[i].content, type) == 0) {
			known_type(row, i);
			return;
		}
	}
	set_type(row, type);
	if (row->content.text.len > 0)
		buf_append_span(&row->body, buf_span(&row->content.text));
	else
		buf_printf(&row->body, "([%s])", type);
}

/* protocolMessage.type; pinInChatMessage.type */
enum { PROTOCOL_REVOKE = 0, PROTOCOL_EDIT = 14, PIN_FOR_ALL = 1 };

static struct span key_id(const struct message_part *part)
{
	struct message_part key = message_sub(part, "key");

	return key.bytes.p ? message_text(&key, "id") : span_of(NULL, 0);
}

static int64_t time_field(const struct message_part *part, const char *name)
{
	struct wire_field f = { 0 };

	return message_find(part, name, &f) && f.value <= INT64_MAX ? (int64_t)f.value : 0;
}

static void as_protocol(struct chatrow *row, const struct message_part *protocol)
{
	struct wire_field type = { 0 };
	bool given = message_find(protocol, "type", &type);

	row->target_id = key_id(protocol);
	if (!row->target_id.p)
		return;
	if (given && type.value == PROTOCOL_EDIT) {
		row->edited = message_sub(protocol, "editedMessage").bytes;
		row->time_ms = time_field(protocol, "timestampMs");
		row->kind = row->edited.p ? CHATROW_EDIT : CHATROW_NOTHING;
	} else if (!given || type.value == PROTOCOL_REVOKE) {
		row->kind = CHATROW_REVOKE;
	}
}

static void as_reaction(struct chatrow *row)
{
	row->target_id = key_id(&row->content.body);
	row->text = message_text(&row->content.body, "text");
	row->time_ms = time_field(&row->content.body, "senderTimestampMs");
	row->kind = row->target_id.p ? CHATROW_REACTION : CHATROW_NOTHING;
}

static void as_pin(struct chatrow *row)
{
	struct message_part context = message_sub(&row->content.inner, "messageContextInfo");
	struct wire_field f = { 0 };

	row->target_id = key_id(&row->content.body);
	row->on = message_find(&row->content.body, "type", &f) && f.value == PIN_FOR_ALL;
	if (context.bytes.p)
		row->seconds = (uint64_t)time_field(&context, "messageAddOnDurationInSecs");
	row->kind = row->target_id.p ? CHATROW_PIN : CHATROW_NOTHING;
}

void chatrow_read(struct chatrow *row, struct span plaintext)
{
	struct message_part protocol;

	memset(row, 0, sizeof *row);
	content_read(&row->content, plaintext, false);
	protocol = content_protocol(&row->content);
	if (protocol.bytes.p)
		as_protocol(row, &protocol);
	else if (row->content.type && strcmp(row->content.type, "reactionMessage") == 0)
		as_reaction(row);
	else if (row->content.type && strcmp(row->content.type, "pinInChatMessage") == 0)
		as_pin(row);
	else if (row->content.media_type)
		as_message(row);
}

void chatrow_free(struct chatrow *row)
{
	content_free(&row->content);
	buf_free(&row->body);
}

/* EventResponseMessage: response(1), timestampMs(2), extraGuestCount(3) */
void chatrow_response_read(struct span message, struct chatrow_response *out)
{
	static const char *const names[] = { "UNKNOWN", "GOING", "NOT_GOING", "MAYBE" };
	uint64_t values[4] = { 0 };
	struct reader r = reader_of(message.p, message.n);
	struct wire_field f;

	while (wire_next(&r, &f)) {
		if (f.number < 4 && f.type == 0)
			values[f.number] = f.value;
	}
	out->name = names[values[1] < 4 ? values[1] : 0];
	out->guests = (unsigned)(values[3] & 0xffff);
	out->time_ms = (int64_t)(values[2] & INT64_MAX);
}

void chatrow_put_response(struct buf *out, struct span message)
{
	struct chatrow_response response;

	chatrow_response_read(message, &response);
	buf_u8(out, '{');
	json_put_member(out, "response", response.name);
	json_put_int(out, "extraGuestCount", response.guests);
	buf_u8(out, '}');
}
