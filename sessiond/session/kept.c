/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Type and body of stored messages. */
#include "sessiond/session/kept.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "sessiond/session/content.h"

static const struct kind {
	const char *content, *type, *label;
	bool media;
} kinds[] = {
	{ "conversation", "conversation", NULL, false },
	{ "extendedTextMessage", "extendedtextmessage", NULL, false },
	{ "imageMessage", "image", "([Image])", true },
	{ "videoMessage", "video", "([Video])", true },
	{ "ptvMessage", "video", "([Video])", true },
	{ "audioMessage", "audio", "([Audio])", true },
	{ "documentMessage", "document", "([Document])", true },
	{ "stickerMessage", "stickermessage", "([Sticker])", true },
	{ "contactMessage", "contact", NULL, false },
	{ "contactsArrayMessage", "contact", NULL, false },
	{ "locationMessage", "location", "", false },
	{ "liveLocationMessage", "location", "", false },
	{ "interactiveResponseMessage", "interactive", NULL, false },
	{ "buttonsResponseMessage", "interactive", NULL, false },
	{ "listResponseMessage", "interactive", NULL, false },
	{ "templateButtonReplyMessage", "interactive", NULL, false },
	{ "templateMessage", "interactive", NULL, false },
	{ "buttonsMessage", "interactive", NULL, false },
	{ "eventMessage", "event", "", false },
	{ "pollCreationMessage", "poll", "([Poll])", false },
	{ "pollCreationMessageV2", "poll", "([Poll])", false },
	{ "pollCreationMessageV3", "poll", "([Poll])", false },
};

/* About other messages, or about nothing that is shown. */
static const char *const left_out[] = {
	"protocolMessage", "reactionMessage", "encReactionMessage", "pollUpdateMessage", "pinInChatMessage", "keepInChatMessage", "senderKeyDistributionMessage",
	"placeholderMessage", "messageHistoryNotice", "secretEncryptedMessage", "encEventResponseMessage", "encCommentMessage",
};

static const struct kind *find(const char *content)
{
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		if (strcmp(kinds[i].content, content) == 0)
			return &kinds[i];
	}
	return NULL;
}

static bool is_left_out(const char *content)
{
	for (size_t i = 0; i < sizeof left_out / sizeof left_out[0]; i++) {
		if (strcmp(left_out[i], content) == 0)
			return true;
	}
	return false;
}

static const char *other_name(struct kept *kept, const char *content)
{
	size_t n = 0;

	for (; content[n] && n + 1 < sizeof kept->name; n++)
		kept->name[n] = (char)tolower((unsigned char)content[n]);
	kept->name[n] = '\0';
	return kept->name;
}

static bool is_gif(const struct content *c)
{
	struct wire_field playback;

	return strcmp(c->type, "videoMessage") == 0 && message_find(&c->body, "gifPlayback", &playback) && playback.value != 0;
}

void kept_read(struct kept *kept, struct span message)
{
	const struct kind *kind;
	struct content c;

	kept->type = NULL;
	kept->media = false;
	kept->body = (struct buf){ 0 };
	content_read(&c, message, false);
	if (c.type && !is_left_out(c.type)) {
		kind = find(c.media_type ? c.media_type : c.type);
		kept->type = !kind ? other_name(kept, c.type) : is_gif(&c) ? "gif" : kind->type;
		kept->media = kind && kind->media;
		if (kind && kind->label)
			buf_append_text(&kept->body, is_gif(&c) ? "([Gif])" : kind->label);
		if (c.text.len > 0 && kept->body.len > 0)
			buf_u8(&kept->body, ' ');
		buf_append_span(&kept->body, buf_span(&c.text));
	}
	content_free(&c);
}

void kept_free(struct kept *kept)
{
	buf_free(&kept->body);
}
