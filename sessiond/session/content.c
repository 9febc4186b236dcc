/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Class, text, quote, mentions and media of a message. */
#include "sessiond/session/content.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/json_text.h"

enum { MAX_WRAPPERS = 12, MAX_MENTIONS = 512 };

/* ---- wrappers and type ---- */

static const char *const wrappers[] = { "viewOnceMessage", "viewOnceMessageV2", "viewOnceMessageV2Extension", "ephemeralMessage", "deviceSentMessage" };

static struct message_part unwrap(struct message_part part)
{
	for (int depth = 0; depth < MAX_WRAPPERS; depth++) {
		struct message_part inner = { .bytes = span_of(NULL, 0) };

		for (size_t i = 0; i < sizeof wrappers / sizeof *wrappers && !inner.bytes.p; i++) {
			struct message_part wrapper = message_sub(&part, wrappers[i]);

			if (wrapper.bytes.p)
				inner = message_sub(&wrapper, "message");
		}
		if (!inner.bytes.p)
			break;
		part = inner;
	}
	return part;
}

/* The first field that is a content: order of the wire. */
static const char *content_type(const struct message_part *part)
{
	struct reader r = reader_of(part->bytes.p, part->bytes.n);
	struct wire_field f;

	while (wire_next(&r, &f)) {
		const struct schema_field *field = message_field(part->schema, f.number);

		if (field && strcmp(field->name, "senderKeyDistributionMessage") != 0 && (strcmp(field->name, "conversation") == 0 || strstr(field->name, "Message")))
			return field->name;
	}
	return NULL;
}

/* What has another name than those that the original looks for (callLogMesssage, call, messageHistoryNotice, ...): its first field, so that it is
 * not shown as nothing. */
static const char *other_type(const struct message_part *part)
{
	static const char *const beside[] = { "senderKeyDistributionMessage", "messageContextInfo" };
	struct reader r = reader_of(part->bytes.p, part->bytes.n);
	struct wire_field f;

	while (wire_next(&r, &f)) {
		const struct schema_field *field = message_field(part->schema, f.number);

		if (field && strcmp(field->name, beside[0]) != 0 && strcmp(field->name, beside[1]) != 0)
			return field->name;
	}
	return NULL;
}

/* The table of messages that only wrap another one. */
static unsigned wrapper_schema(void)
{
	const struct schema_field *field = message_field(0, 40); /* ephemeralMessage */

	return field ? field->sub : 0;
}

/* ---- tags ---- */

struct tag_rule {
	const char *what, *tag;
};

static const struct tag_rule exact_tags[] = {
	{ "conversation", "text" }, { "extendedTextMessage", "extended_text" }, { "imageMessage", "media" }, { "videoMessage", "media" },
	{ "audioMessage", "audio" }, { "documentMessage", "file" }, { "stickerMessage", "sticker" }, { "locationMessage", "location" },
	{ "liveLocationMessage", "location" }, { "contactMessage", "contact" }, { "contactsArrayMessage", "contacts" },
	{ "interactiveResponseMessage", "interactive" }, { "buttonsResponseMessage", "interactive" }, { "listResponseMessage", "interactive" },
	{ "templateButtonReplyMessage", "interactive" }, { "eventMessage", "event" }, { "orderMessage", "order" }, { "productMessage", "product" },
	{ "groupInviteMessage", "group_invite" }, { "requestPaymentMessage", "payment" }, { "paymentInviteMessage", "payment" },
	{ "pinInChatMessage", "pin" }, { "protocolMessage", "system" }, { "senderKeyDistributionMessage", "system" }, { "reactionMessage", "reaction" },
	{ "templateMessage", "system" }, { "albumMessage", "system" }, { "placeholderMessage", "system" },
};

/* In this order, on the lower-case name. */
static const struct tag_rule part_tags[] = {
	{ "extendedtext", "extended_text" }, { "pin", "pin" }, { "poll", "poll" }, { "event", "event" }, { "interactive", "interactive" },
	{ "button", "interactive" }, { "list", "interactive" }, { "image", "media" }, { "video", "media" }, { "document", "file" }, { "file", "file" },
	{ "audio", "audio" }, { "ptt", "audio" }, { "sticker", "sticker" }, { "location", "location" }, { "contactsarray", "contacts" },
	{ "contact", "contact" }, { "groupinvite", "group_invite" }, { "payment", "payment" }, { "protocol", "system" }, { "senderkey", "system" },
	{ "order", "order" }, { "product", "product" }, { "reaction", "reaction" },
};

static const char *tag_of(const char *type, bool legacy)
{
	if (!type)
		return "system";
	if (!legacy && strcmp(type, "ptvMessage") == 0)
		return "media";
	for (size_t i = 0; i < sizeof exact_tags / sizeof *exact_tags; i++) {
		if (strcmp(exact_tags[i].what, type) == 0)
			return exact_tags[i].tag;
	}
	for (size_t i = 0; i < sizeof part_tags / sizeof *part_tags; i++) {
		if (strcasestr(type, part_tags[i].what))
			return part_tags[i].tag;
	}
	return "system";
}

/* ---- text ---- */

static bool append_text(struct buf *out, const struct message_part *part, const char *name)
{
	struct span text = message_text(part, name);

	buf_append_span(out, text);
	return text.n > 0;
}

static void contact_text(struct buf *out, const struct message_part *body)
{
	struct span card = message_text(body, "vcard");
	const char *name;

	if (append_text(out, body, "displayName") || !card.p)
		return;
	name = memmem(card.p, card.n, "FN:", 3);
	for (name = name ? name + 3 : NULL; name && name < (const char *)card.p + card.n && *name != '\r' && *name != '\n'; name++)
		buf_u8(out, (uint8_t)*name);
}

static void contacts_text(struct buf *out, const struct message_part *body)
{
	struct reader r = reader_of(body->bytes.p, body->bytes.n);
	struct wire_field f;
	unsigned count = 0;

	while (wire_next(&r, &f)) {
		const struct schema_field *field = message_field(body->schema, f.number);

		count += field && strcmp(field->name, "contacts") == 0 ? 1 : 0;
	}
	buf_printf(out, "Contacts: %u", count);
}

/* Where the text of a content is: the field of that name in its body. rich: not taken by the original (C7). */
static const struct {
	const char *type, *field;
	bool rich;
} text_fields[] = {
	{ "extendedTextMessage", "text", false }, { "imageMessage", "caption", false }, { "videoMessage", "caption", false },
	{ "documentMessage", "caption", false }, { "ptvMessage", "caption", true }, { "liveLocationMessage", "caption", true },
	{ "pollCreationMessage", "name", true }, { "pollCreationMessageV2", "name", true }, { "pollCreationMessageV3", "name", true },
	{ "pollCreationMessageV5", "name", true },
	{ "buttonsResponseMessage", "selectedDisplayText", true }, { "listResponseMessage", "title", true },
	{ "templateButtonReplyMessage", "selectedDisplayText", true },
};

static void read_text(struct buf *out, const char *type, const struct message_part *message, const struct message_part *body, bool legacy)
{
	struct message_part sub;

	if (!type)
		return;
	if (strcmp(type, "conversation") == 0)
		append_text(out, message, "conversation");
	else if (strcmp(type, "contactMessage") == 0)
		contact_text(out, body);
	else if (strcmp(type, "contactsArrayMessage") == 0)
		contacts_text(out, body);
	for (size_t i = 0; i < sizeof text_fields / sizeof *text_fields; i++) {
		if (strcmp(text_fields[i].type, type) == 0 && (!legacy || !text_fields[i].rich))
			append_text(out, body, text_fields[i].field);
	}
	if (!legacy && strcmp(type, "interactiveResponseMessage") == 0) {
		sub = message_sub(body, "body");
		append_text(out, &sub, "text");
	}
}

/* The other wrappers (captioned documents, album children, lottie stickers, ...) keep their name, but text, media and, where they have none of
 * their own, the class are those of what is inside. */
static void look_inside(struct content *c)
{
	struct message_part inner = c->body;

	for (int depth = 0; c->media_type && inner.bytes.p && inner.schema == wrapper_schema() && depth < MAX_WRAPPERS; depth++) {
		inner = message_sub(&inner, "message");
		if (!inner.bytes.p)
			break;
		inner = unwrap(inner);
		c->text_from = inner;
		c->media_type = content_type(&inner);
		c->media = c->media_type && strcmp(c->media_type, "conversation") != 0 ? message_sub(&inner, c->media_type) : (struct message_part){ 0 };
		inner = c->media;
	}
	if (c->media_type && c->media_type != c->type && strcmp(c->tag, "system") == 0)
		c->tag = tag_of(c->media_type, false);
}

void content_read(struct content *c, struct span plaintext, bool legacy)
{
	memset(c, 0, sizeof *c);
	c->legacy = legacy;
	c->whole.bytes = plaintext.p ? plaintext : span_of("", 0);
	c->inner = unwrap(c->whole);
	c->type = content_type(&c->inner);
	if (!c->type && !legacy)
		c->type = other_type(&c->inner);
	c->tag = tag_of(c->type, legacy);
	if (c->type && strcmp(c->type, "conversation") != 0)
		c->body = message_sub(&c->inner, c->type);
	c->media_type = c->type;
	c->media = c->body;
	c->text_from = c->inner;
	if (!legacy)
		look_inside(c);
	read_text(&c->text, c->media_type, &c->text_from, &c->media, legacy);
}

void content_free(struct content *c)
{
	buf_free(&c->text);
}

struct message_part content_protocol(const struct content *c)
{
	struct message_part inner = { .bytes = span_of(NULL, 0) };

	if (c->type && strcmp(c->type, "protocolMessage") == 0)
		return c->body;
	if (c->type && strcmp(c->type, "editedMessage") == 0)
		inner = message_sub(&c->body, "message");
	return inner.bytes.p ? message_sub(&inner, "protocolMessage") : inner;
}

/* ---- quote ---- */

static const char *quote_class(const char *type)
{
	if (strcmp(type, "conversation") == 0 || strcmp(type, "extendedTextMessage") == 0)
		return "text";
	if (strcmp(type, "imageMessage") == 0 || strcmp(type, "videoMessage") == 0 || strcmp(type, "documentMessage") == 0)
		return "caption";
	if (strcmp(type, "contactMessage") == 0)
		return "contact";
	if (strcmp(type, "contactsArrayMessage") == 0)
		return "contacts";
	return strcmp(type, "protocolMessage") == 0 ? "protocol" : "unknown";
}

void content_put_quoted(struct buf *out, const struct content *c)
{
	static const char *const places[] = { "extendedTextMessage", "imageMessage", "videoMessage", "documentMessage" };
	struct message_part context = { .bytes = span_of(NULL, 0) };
	struct message_part quoted, body = { .bytes = span_of(NULL, 0) };
	struct buf text = { 0 };
	struct buf raw = { 0 };
	const char *type;

	for (size_t i = 0; c->media_type && i < sizeof places / sizeof *places; i++) {
		if (strcmp(places[i], c->media_type) == 0)
			context = message_sub(&c->media, "contextInfo");
	}
	quoted = context.bytes.p ? message_sub(&context, "quotedMessage") : context;
	quoted = quoted.bytes.p ? unwrap(quoted) : quoted;
	type = quoted.bytes.p ? content_type(&quoted) : NULL;
	if (type && strcmp(type, "conversation") != 0)
		body = message_sub(&quoted, type);
	read_text(&text, type, &quoted, &body, c->legacy);
	if (type && text.len > 0 && message_json(&raw, &quoted)) {
		json_put_name(out, "quoted");
		buf_u8(out, '{');
		json_put_name(out, "text");
		json_put_span(out, buf_span(&text));
		json_put_member(out, "type", quote_class(type));
		json_put_member(out, "contentType", type);
		json_put_raw(out, "raw", buf_text(&raw));
		buf_u8(out, '}');
	}
	buf_free(&text);
	buf_free(&raw);
}

/* ---- mentions ---- */

/* LIDs are shown as phone numbers where this message itself tells the number. */
static bool mentioned_phone(const struct wa_message *m, struct span text, struct jid *out)
{
	if (jid_parse(out, (const char *)text.p, text.n))
		return false;
	*out = jid_bare(out);
	if (jid_is_pn(out))
		return true;
	if (!jid_is_lid(out))
		return false;
	if (!jid_is_none(&m->sender_lid) && !jid_is_none(&m->sender_pn) && jid_same_user(out, &m->sender_lid))
		*out = m->sender_pn;
	else if (!jid_is_none(&m->chat_lid) && !jid_is_none(&m->chat_pn) && jid_same_user(out, &m->chat_lid))
		*out = m->chat_pn;
	else
		return false;
	return true;
}

void content_put_mentions(struct buf *out, const struct content *c, const struct wa_message *m)
{
	struct message_part context = message_sub(&c->media, "contextInfo");
	struct jid *seen = NULL;
	struct reader r = reader_of(context.bytes.p, context.bytes.n);
	struct wire_field f;
	size_t n = 0;
	char text[JID_TEXT_MAX];

	json_put_name(out, "mentions");
	buf_u8(out, '[');
	while (c->media.bytes.p && context.bytes.p && n < MAX_MENTIONS && wire_next(&r, &f)) {
		const struct schema_field *field = message_field(context.schema, f.number);
		struct jid phone;
		bool known = false;

		if (!field || strcmp(field->name, "mentionedJid") != 0 || !mentioned_phone(m, f.bytes, &phone))
			continue;
		for (size_t i = 0; i < n && !known; i++)
			known = jid_equal(&seen[i], &phone);
		if (known)
			continue;
		seen = xrealloc(seen, (n + 1) * sizeof *seen);
		seen[n++] = phone;
		if (n > 1)
			buf_u8(out, ',');
		json_put_string(out, jid_format(&phone, text, sizeof text));
	}
	buf_u8(out, ']');
	free(seen);
}

/* ---- media ---- */

static void put_if_there(struct buf *out, const char *name, struct span text)
{
	if (!text.p)
		return;
	json_put_name(out, name);
	json_put_span(out, text);
}

static const struct {
	const char *mime, *extension;
} extensions[] = {
	{ "image/jpeg", "jpeg" }, { "image/jpg", "jpg" }, { "image/png", "png" }, { "image/webp", "webp" }, { "image/gif", "gif" }, { "video/mp4", "mp4" },
	{ "video/3gpp", "3gp" }, { "video/3gp", "3gp" }, { "audio/ogg", "ogg" }, { "audio/mp4", "m4a" }, { "audio/m4a", "m4a" }, { "audio/mpeg", "mp3" },
	{ "audio/amr", "amr" }, { "application/pdf", "pdf" }, { "application/zip", "zip" }, { "text/plain", "txt" },
	{ "imageMessage", "jpeg" }, { "videoMessage", "mp4" }, { "audioMessage", "ogg" }, { "stickerMessage", "webp" },
};

static const char *extension_of(struct span what)
{
	for (size_t i = 0; i < sizeof extensions / sizeof *extensions; i++) {
		if (span_is(what, extensions[i].mime))
			return extensions[i].extension;
	}
	return NULL;
}

/* The original's address: ".enc" becomes an extension that it guesses, though nothing lies there on the CDN (C7). */
static void put_guessed_url(struct buf *out, const struct content *c, struct span url)
{
	struct span mime = message_text(&c->media, "mimetype");
	const uint8_t *parameters = mime.p ? memchr(mime.p, ';', mime.n) : NULL;
	const uint8_t *query = memchr(url.p, '?', url.n);
	size_t path = query ? (size_t)(query - url.p) : url.n;
	const uint8_t *enc = memmem(url.p, path, ".enc", 4);
	size_t kept = enc ? (size_t)(enc - url.p) : path;
	const char *extension;
	struct buf text = { 0 };

	if (parameters)
		mime.n = (size_t)(parameters - mime.p);
	extension = extension_of(mime);
	if (!extension)
		extension = extension_of(span_text(c->media_type));
	buf_append(&text, url.p, kept);
	buf_printf(&text, ".%s", extension ? extension : "bin");
	buf_append(&text, url.p + kept + (enc ? 4 : 0), url.n - kept - (enc ? 4 : 0));
	put_if_there(out, "url", buf_span(&text));
	buf_free(&text);
}

static void put_url(struct buf *out, const struct content *c)
{
	struct span url = message_text(&c->media, "url");

	if (c->legacy && url.n > 0)
		put_guessed_url(out, c, url);
	else
		put_if_there(out, "url", url.p ? url : span_of("", 0));
}

static void put_bytes_member(struct buf *out, const char *name, const struct message_part *body, const char *field)
{
	struct span bytes = message_text(body, field);

	if (!bytes.p)
		return;
	json_put_name(out, name);
	json_put_base64(out, bytes);
}

static void put_length(struct buf *out, const struct message_part *body, bool long_objects)
{
	struct wire_field f;

	if (!message_find(body, "fileLength", &f))
		return;
	if (long_objects)
		buf_printf(out, ",\"fileLength\":{\"low\":%" PRId32 ",\"high\":%" PRId32 ",\"unsigned\":true}", (int32_t)(uint32_t)f.value, (int32_t)(f.value >> 32));
	else
		json_put_int(out, "fileLength", (int64_t)f.value);
}

/* Optional members: those the kind knows are there, null when unset. */
static const struct {
	const char *field;
	const char *kinds;
} media_members[] = {
	{ "fileName", "documentMessage" }, { "seconds", "videoMessage audioMessage ptvMessage" }, { "pageCount", "documentMessage" },
	{ "width", "imageMessage videoMessage ptvMessage stickerMessage" }, { "height", "imageMessage videoMessage ptvMessage stickerMessage" },
	{ "gifPlayback", "videoMessage ptvMessage" },
};

bool content_has_file(const struct content *c)
{
	static const char *const kinds[] = { "imageMessage", "videoMessage", "audioMessage", "documentMessage", "stickerMessage", "ptvMessage" };

	for (size_t i = 0; c->media_type && i < sizeof kinds / sizeof *kinds; i++) {
		if (strcmp(kinds[i], c->media_type) == 0 && (!c->legacy || strcmp(kinds[i], "ptvMessage") != 0))
			return true;
	}
	return false;
}

void content_mime(const struct content *c, char out[static CONTENT_MIME_MAX])
{
	struct span mime = message_text(&c->media, "mimetype");
	size_t n = 0;

	while (n < mime.n && n + 1 < CONTENT_MIME_MAX && mime.p[n] != ';' && mime.p[n] > ' ') {
		out[n] = (char)tolower(mime.p[n]);
		n++;
	}
	out[n] = '\0';
}

static void put_file(struct buf *out, const struct content_file *file)
{
	json_put_member(out, "storageKey", file->key);
	json_put_member(out, "storageDriver", file->driver);
}

void content_put_media(struct buf *out, const struct content *c, const struct config *config, const struct content_file *file)
{
	static const char *const empty[] = { "liveLocationMessage", "contactMessage", "contactsArrayMessage" };
	bool usable = content_has_file(c);
	bool stored = file && file->url;
	char mime[CONTENT_MIME_MAX];
	bool has = usable;
	struct span caption;

	for (size_t i = 0; c->legacy && c->media_type && i < sizeof empty / sizeof *empty; i++)
		has = has || strcmp(empty[i], c->media_type) == 0;
	if (!has || !c->media_type)
		return;
	json_put_name(out, "media");
	buf_append_text(out, "{\"hasMedia\":true");
	json_put_member(out, "type", c->media_type);
	content_mime(c, mime);
	if (stored)
		json_put_member(out, "mimeType", mime);
	else
		put_if_there(out, "mimeType", message_text(&c->media, "mimetype"));
	caption = message_text(&c->media, "caption");
	/* a live location has a caption of its own, which the original does not take for one of media */
	put_if_there(out, "caption", usable && caption.p ? caption : span_of("", 0));
	put_bytes_member(out, "fileSha256", &c->media, "fileSha256");
	put_bytes_member(out, "mediaKey", &c->media, "mediaKey");
	if (stored)
		json_put_member(out, "url", file->url);
	else
		put_url(out, c);
	if (!stored)
		put_if_there(out, "directPath", message_text(&c->media, "directPath"));
	put_length(out, &c->media, config->compat_long_objects);
	for (size_t i = 0; i < sizeof media_members / sizeof *media_members; i++) {
		if (!strstr(media_members[i].kinds, c->media_type))
			continue;
		json_put_name(out, media_members[i].field);
		if (!message_json_field(out, &c->media, media_members[i].field))
			buf_append_text(out, "null");
	}
	if (stored)
		put_file(out, file);
	else if (file && file->error && !c->legacy)
		json_put_member(out, "storageError", file->error);
	buf_u8(out, '}');
}
