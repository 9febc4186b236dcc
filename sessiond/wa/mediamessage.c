/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Messages that carry a file. The same things have another field number in each type, so they stand in one table.
 * Source: WAProto of Baileys, whatsmeow waE2E.
 */
#include <string.h>

#include "sessiond/wa/media.h"
#include "sessiond/wa/proto_walk.h"

/* Field numbers; 0: this type has no such field. */
struct layout {
	uint32_t message; /* in Message */
	uint32_t url, mimetype, plain_hash, length, key, blob_hash, direct_path, key_time, thumbnail;
	uint32_t caption, width, height, seconds, view_once;
};

enum { VIDEO_GIF_PLAYBACK = 8 };
enum { AUDIO_PTT = 6, AUDIO_WAVEFORM = 19, AUDIO_BACKGROUND_ARGB = 20 };
enum { DOCUMENT_TITLE = 3, DOCUMENT_PAGES = 6, DOCUMENT_FILE_NAME = 8 };
enum { STICKER_ANIMATED = 13, STICKER_SENT_TS = 18 };

#define IMAGE_LAYOUT { .message = 3, .url = 1, .mimetype = 2, .plain_hash = 4, .length = 5, .key = 8, .blob_hash = 9, .direct_path = 11, .key_time = 12, \
	.thumbnail = 16, .caption = 3, .height = 6, .width = 7, .view_once = 25 }
#define VIDEO_LAYOUT(number) { .message = (number), .url = 1, .mimetype = 2, .plain_hash = 3, .length = 4, .key = 6, .blob_hash = 11, .direct_path = 13, \
	.key_time = 14, .thumbnail = 16, .caption = 7, .height = 9, .width = 10, .seconds = 5, .view_once = 20 }
#define AUDIO_LAYOUT { .message = 8, .url = 1, .mimetype = 2, .plain_hash = 3, .length = 4, .key = 7, .blob_hash = 8, .direct_path = 9, .key_time = 10, \
	.seconds = 5, .view_once = 21 }

static const struct layout LAYOUTS[] = {
	[WA_MEDIA_IMAGE] = IMAGE_LAYOUT,
	[WA_MEDIA_VIDEO] = VIDEO_LAYOUT(9),
	[WA_MEDIA_GIF] = VIDEO_LAYOUT(9),
	[WA_MEDIA_PTV] = VIDEO_LAYOUT(66),
	[WA_MEDIA_AUDIO] = AUDIO_LAYOUT,
	[WA_MEDIA_PTT] = AUDIO_LAYOUT,
	[WA_MEDIA_DOCUMENT] = { .message = 7, .url = 1, .mimetype = 2, .plain_hash = 4, .length = 5, .key = 7, .blob_hash = 9, .direct_path = 10,
				.key_time = 11, .thumbnail = 16, .caption = 20, .height = 18, .width = 19 },
	[WA_MEDIA_STICKER] = { .message = 26, .url = 1, .mimetype = 5, .plain_hash = 2, .length = 9, .key = 4, .blob_hash = 3, .direct_path = 8,
			       .key_time = 10, .thumbnail = 16, .height = 6, .width = 7 },
};

static void put_number(struct buf *out, uint32_t number, uint64_t value)
{
	if (number == 0 || value == 0)
		return;
	proto_put_varint(out, (uint64_t)number << 3 | PROTO_VARINT);
	proto_put_varint(out, value);
}

static void put_span(struct buf *out, uint32_t number, struct span bytes)
{
	if (number != 0 && bytes.n > 0)
		proto_put_bytes(out, number, bytes);
}

static void put_text(struct buf *out, uint32_t number, const char *text)
{
	if (text != NULL)
		put_span(out, number, span_text(text));
}

static void put_hash(struct buf *out, uint32_t number, const uint8_t *hash)
{
	if (hash != NULL)
		put_span(out, number, span_of(hash, 32));
}

static void put_file(struct buf *out, const struct layout *l, const struct wa_media *media)
{
	put_text(out, l->url, media->url);
	put_text(out, l->mimetype, media->mimetype);
	put_hash(out, l->plain_hash, media->plain_hash);
	put_number(out, l->length, media->length);
	put_hash(out, l->key, media->key);
	put_hash(out, l->blob_hash, media->key != NULL ? media->blob_hash : NULL);
	put_text(out, l->direct_path, media->direct_path);
	put_number(out, l->key_time, media->key_time_s > 0 ? (uint64_t)media->key_time_s : 0);
}

static void put_looks(struct buf *out, const struct layout *l, const struct wa_media *media)
{
	put_text(out, l->caption, media->caption);
	put_number(out, l->height, media->height);
	put_number(out, l->width, media->width);
	put_number(out, l->seconds, media->seconds);
	put_span(out, l->thumbnail, media->thumbnail);
	put_number(out, l->view_once, media->view_once);
}

static void put_special(struct buf *out, const struct wa_media *media)
{
	switch (media->type) {
	case WA_MEDIA_GIF:
		put_number(out, VIDEO_GIF_PLAYBACK, 1);
		break;
	case WA_MEDIA_PTT:
		put_number(out, AUDIO_PTT, 1);
		put_span(out, AUDIO_WAVEFORM, media->waveform);
		if (media->background_argb)
			proto_put_fixed32(out, AUDIO_BACKGROUND_ARGB, media->background_argb);
		break;
	case WA_MEDIA_DOCUMENT:
		put_text(out, DOCUMENT_TITLE, media->title);
		put_number(out, DOCUMENT_PAGES, media->pages);
		put_text(out, DOCUMENT_FILE_NAME, media->file_name);
		break;
	case WA_MEDIA_STICKER:
		put_number(out, STICKER_ANIMATED, media->animated);
		put_number(out, STICKER_SENT_TS, media->sent_ms > 0 ? (uint64_t)media->sent_ms : 0);
		break;
	case WA_MEDIA_IMAGE:
	case WA_MEDIA_VIDEO:
	case WA_MEDIA_PTV:
	case WA_MEDIA_AUDIO:
		break;
	}
}

void wa_build_media(struct buf *out, const struct wa_media *media)
{
	const struct layout *l = &LAYOUTS[media->type];
	struct buf content = { 0 };

	put_file(&content, l, media);
	put_looks(&content, l, media);
	put_special(&content, media);
	proto_put_bytes(out, l->message, buf_span(&content));
	buf_wipe(&content);
}
