/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a message says about its file, which files are wanted, and the record of a message that waits for its own. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/session/message_json.h"
#include "sessiond/session/mirror.h"
#include "sessiond/session/object.h"
#include "sessiond/storage/storage.h"

enum { RECORD_VERSION = 1, FLAG_FROM_ME = 1, FLAG_OFFLINE = 2, FLAG_LID = 4, JIDS = 6, TEXTS = 3 };

/* ---- which files ---- */

bool mirror_mime_allowed(const struct config *config, const char *mime)
{
	const char *slash = strchr(mime, '/');

	if (!mime[0])
		return false;
	for (size_t i = 0; i < config->download_media_mimetypes.count; i++) {
		const char *allowed = config->download_media_mimetypes.items[i];
		size_t n = strlen(allowed);

		if (strcmp(allowed, "*") == 0 || strcmp(allowed, "*/*") == 0 || strcasecmp(allowed, mime) == 0)
			return true;
		if (slash && n > 2 && strcmp(allowed + n - 2, "/*") == 0 && (size_t)(slash - mime) == n - 2 && strncasecmp(allowed, mime, n - 2) == 0)
			return true;
	}
	return false;
}

static char *text_or_null(const struct message_part *part, const char *name)
{
	struct span text = message_text(part, name);

	return text.n > 0 && !memchr(text.p, 0, text.n) ? xstrndup((const char *)text.p, text.n) : NULL;
}

static bool take_hash(const struct message_part *part, const char *name, uint8_t out[static 32])
{
	struct span bytes = message_text(part, name);

	if (bytes.n != 32)
		return false;
	memcpy(out, bytes.p, 32);
	return true;
}

bool mirror_file_of(const struct content *c, struct transfer_file *out)
{
	static const struct {
		const char *type;
		enum transfer_kind kind;
	} kinds[] = {
		{ "imageMessage", TRANSFER_IMAGE }, { "stickerMessage", TRANSFER_IMAGE }, { "videoMessage", TRANSFER_VIDEO }, { "ptvMessage", TRANSFER_VIDEO },
		{ "audioMessage", TRANSFER_AUDIO }, { "documentMessage", TRANSFER_DOCUMENT },
	};
	enum transfer_kind kind = 0;
	struct wire_field f;

	for (size_t i = 0; content_has_file(c) && i < sizeof kinds / sizeof *kinds; i++)
		kind = strcmp(kinds[i].type, c->media_type) == 0 ? kinds[i].kind : kind;
	if (!kind)
		return false;
	transfer_file_init(out, kind);
	out->direct_path = text_or_null(&c->media, "directPath");
	out->url = text_or_null(&c->media, "url");
	out->encrypted = message_text(&c->media, "mediaKey").p != NULL;
	out->has_plain_hash = take_hash(&c->media, "fileSha256", out->plain_hash);
	out->has_blob_hash = take_hash(&c->media, "fileEncSha256", out->blob_hash);
	out->length = message_find(&c->media, "fileLength", &f) ? f.value : 0;
	out->key_time_s = message_find(&c->media, "mediaKeyTimestamp", &f) && f.value < INT64_MAX ? (int64_t)f.value : 0;
	if ((out->direct_path || out->url) && (!out->encrypted || take_hash(&c->media, "mediaKey", out->key)))
		return true;
	transfer_file_free(out);
	return false;
}

bool mirror_is_view_once(const struct content *c)
{
	static const char *const wrappers[] = { "viewOnceMessage", "viewOnceMessageV2", "viewOnceMessageV2Extension" };
	struct message_part part = c->whole;
	struct wire_field f;

	for (int depth = 0; depth < 4 && part.bytes.p; depth++) {
		for (size_t i = 0; i < sizeof wrappers / sizeof *wrappers; i++)
			if (message_sub(&part, wrappers[i]).bytes.p)
				return true;
		part = message_sub(&part, "ephemeralMessage");
		if (part.bytes.p)
			part = message_sub(&part, "message");
	}
	return message_find(&c->media, "viewOnce", &f) && f.value;
}

char *mirror_meta(struct storage_meta *meta, const struct session *session, const struct content *c, const struct transfer_file *got,
	char mime[static CONTENT_MIME_MAX])
{
	char *file_name = text_or_null(&c->media, "fileName");

	content_mime(c, mime);
	*meta = (struct storage_meta){
		.folder = "incoming-media",
		.session = session->id,
		.kind = c->media_type,
		.mime = mime,
		.file_name = file_name,
		.size = -1,
		.sha256 = got->has_plain_hash ? got->plain_hash : NULL,
	};
	return file_name;
}

/* ---- the record ---- */

static void put_text(struct buf *out, const char *text)
{
	size_t n = text ? strlen(text) : 0;

	n = n > UINT16_MAX ? UINT16_MAX : n;
	buf_be16(out, (uint16_t)n);
	buf_append(out, text, n);
}

void mirror_write(struct buf *out, bool told, const struct wa_message *m)
{
	const struct jid *jids[JIDS] = { &m->chat, &m->sender, &m->chat_pn, &m->chat_lid, &m->sender_pn, &m->sender_lid };
	const char *texts[TEXTS] = { m->id, m->push_name, m->verified_name };
	char text[JID_TEXT_MAX];

	buf_u8(out, RECORD_VERSION);
	buf_u8(out, told);
	buf_u8(out, (uint8_t)((m->from_me ? FLAG_FROM_ME : 0) | (m->offline ? FLAG_OFFLINE : 0) | (m->lid_addressed ? FLAG_LID : 0)));
	buf_be64(out, (uint64_t)m->time_ms);
	for (size_t i = 0; i < JIDS; i++)
		put_text(out, jid_format(jids[i], text, sizeof text));
	for (size_t i = 0; i < TEXTS; i++)
		put_text(out, texts[i]);
	buf_append_span(out, buf_span(&m->plaintext));
}

static void read_text(struct reader *r, char **out)
{
	struct span text = read_span(r, read_be16(r));

	*out = text.n > 0 ? xstrndup((const char *)text.p, text.n) : NULL;
}

struct wa_message *mirror_read(struct span value, bool *told)
{
	struct reader r = reader_of(value.p, value.n);
	struct wa_message *m = xcalloc(1, sizeof *m);
	struct jid *jids[JIDS] = { &m->chat, &m->sender, &m->chat_pn, &m->chat_lid, &m->sender_pn, &m->sender_lid };
	char **texts[TEXTS] = { &m->id, &m->push_name, &m->verified_name };
	bool good = read_u8(&r) == RECORD_VERSION;
	uint8_t flags;

	*told = read_u8(&r) != 0;
	flags = read_u8(&r);
	m->from_me = flags & FLAG_FROM_ME;
	m->offline = flags & FLAG_OFFLINE;
	m->lid_addressed = flags & FLAG_LID;
	m->time_ms = (int64_t)read_be64(&r);
	for (size_t i = 0; i < JIDS && r.ok; i++) {
		struct span text = read_span(&r, read_be16(&r));

		good = good && (text.n == 0 || jid_parse(jids[i], (const char *)text.p, text.n) == 0);
	}
	for (size_t i = 0; i < TEXTS && r.ok; i++)
		read_text(&r, texts[i]);
	buf_append_span(&m->plaintext, read_span(&r, r.left));
	if (good && r.ok && m->id)
		return m;
	mirror_message_free(m);
	return NULL;
}

void mirror_message_free(struct wa_message *m)
{
	if (!m)
		return;
	free(m->id);
	free(m->push_name);
	free(m->verified_name);
	buf_wipe(&m->plaintext);
	free(m);
}
