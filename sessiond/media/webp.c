/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Animated WebP and sticker metadata, see webp.h. */
#include "sessiond/media/webp.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <webp/decode.h>
#include <webp/demux.h>
#include <webp/encode.h>
#include <webp/mux.h>

#include "sessiond/json_text.h"

struct webp_walk {
	WebPAnimDecoder *decoder;
	int64_t left; /* pictures that may still come */
};

static int check_size(struct work *w, int width, int height)
{
	if (width <= 0 || height <= 0 || (int64_t)width * height > w->job->max_pixels)
		return work_fail(w, MEDIAJOB_E_LIMIT, "the image is %d x %d", width, height);
	return 0;
}

/* ---- reading ---- */

int webp_walk_open(struct work *w, struct span bytes, struct webp_walk **out, int *width, int *height)
{
	const WebPData data = { .bytes = bytes.p, .size = bytes.n };
	struct webp_walk *walk;
	WebPAnimDecoderOptions options;
	WebPBitstreamFeatures features;
	WebPAnimInfo info;

	*out = NULL;
	if (WebPGetFeatures(bytes.p, bytes.n, &features) != VP8_STATUS_OK)
		return work_fail(w, MEDIAJOB_E_INPUT, "no WebP that could be read");
	if (check_size(w, features.width, features.height))
		return w->result->error;
	WebPAnimDecoderOptionsInit(&options);
	walk = calloc(1, sizeof *walk);
	if (walk)
		walk->decoder = WebPAnimDecoderNew(&data, &options);
	if (!walk || !walk->decoder || !WebPAnimDecoderGetInfo(walk->decoder, &info)) {
		webp_walk_close(walk);
		return work_fail(w, MEDIAJOB_E_INPUT, "the WebP is broken or cut off");
	}
	walk->left = LIMIT_MEDIA_FRAMES;
	*width = (int)info.canvas_width;
	*height = (int)info.canvas_height;
	*out = walk;
	return 0;
}

int webp_walk_next(struct webp_walk *walk, const uint8_t **rgba, int *end_ms)
{
	uint8_t *pixels = NULL;

	assert(walk);
	if (walk->left-- <= 0 || !WebPAnimDecoderHasMoreFrames(walk->decoder) || !WebPAnimDecoderGetNext(walk->decoder, &pixels, end_ms))
		return 0;
	*rgba = pixels;
	return 1;
}

void webp_walk_close(struct webp_walk *walk)
{
	if (walk)
		WebPAnimDecoderDelete(walk->decoder);
	free(walk);
}

int webp_first_frame(struct work *w, struct span bytes, uint8_t **rgba, int *width, int *height)
{
	struct webp_walk *walk;
	const uint8_t *pixels = NULL;
	int end_ms, error = webp_walk_open(w, bytes, &walk, width, height);

	*rgba = NULL;
	if (error)
		return error;
	if (!webp_walk_next(walk, &pixels, &end_ms) || !pixels) {
		error = work_fail(w, MEDIAJOB_E_INPUT, "the WebP is broken or cut off");
	} else {
		*rgba = malloc((size_t)*width * (size_t)*height * 4);
		if (*rgba)
			memcpy(*rgba, pixels, (size_t)*width * (size_t)*height * 4);
		else
			error = work_fail(w, MEDIAJOB_E_LIMIT, "not enough memory");
	}
	webp_walk_close(walk);
	return error;
}

/* ---- writing ---- */

static int append(const uint8_t *data, size_t n, const WebPPicture *picture)
{
	buf_append(picture->custom_ptr, data, n);
	return 1;
}

int webp_encode(struct work *w, const uint8_t *rgba, int width, int height, int quality, int effort, struct buf *out)
{
	WebPConfig config;
	WebPPicture picture;
	bool good;

	if (!WebPConfigInit(&config) || !WebPPictureInit(&picture))
		return work_fail(w, MEDIAJOB_E_WORKER, "libwebp is of another version");
	config.quality = (float)quality;
	config.method = effort;
	picture.use_argb = 1;
	picture.width = width;
	picture.height = height;
	picture.writer = append;
	picture.custom_ptr = out;
	good = WebPPictureImportRGBA(&picture, rgba, width * 4) && WebPEncode(&config, &picture);
	WebPPictureFree(&picture);
	return good ? 0 : work_fail(w, MEDIAJOB_E_LIMIT, "WebP cannot be written");
}

/* ---- pack metadata ---- */

static const uint8_t exif_head[] = { 0x49, 0x49, 0x2a, 0, 8, 0, 0, 0, 1, 0, 0x41, 0x57, 7, 0 };

enum { EXIF_LENGTH_AT = 14, EXIF_JSON_AT = 22 };

static void put_le32(struct buf *out, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		buf_u8(out, (uint8_t)(v >> (8 * i)));
}

/* A stable name of the pack: WhatsApp groups stickers by it. FNV-1a, nothing secret. */
static void put_pack_id(struct buf *json, const char *pack, const char *publisher)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	char id[24];

	for (const char *p = pack; *p; p++)
		hash = (hash ^ (uint8_t)*p) * UINT64_C(0x100000001b3);
	for (const char *p = publisher; *p; p++)
		hash = (hash ^ (uint8_t)*p) * UINT64_C(0x100000001b3);
	snprintf(id, sizeof id, "warest-%016llx", (unsigned long long)hash);
	json_put_member(json, "sticker-pack-id", id);
}

static void put_emojis(struct buf *json, const char *emojis)
{
	json_put_name(json, "emojis");
	buf_u8(json, '[');
	while (*emojis) {
		size_t n = strcspn(emojis, ", ");

		if (n) {
			if (json->data[json->len - 1] != '[')
				buf_u8(json, ',');
			json_put_span(json, span_of(emojis, n));
		}
		emojis += n + strspn(emojis + n, ", ");
	}
	buf_u8(json, ']');
}

void webp_pack_exif(const char *pack, const char *publisher, const char *emojis, struct buf *out)
{
	struct buf json = { 0 };

	buf_u8(&json, '{');
	put_pack_id(&json, pack, publisher);
	json_put_member(&json, "sticker-pack-name", pack);
	json_put_member(&json, "sticker-pack-publisher", publisher);
	put_emojis(&json, emojis);
	buf_u8(&json, '}');
	buf_append(out, exif_head, sizeof exif_head);
	put_le32(out, (uint32_t)json.len);
	put_le32(out, EXIF_JSON_AT);
	buf_append_span(out, buf_span(&json));
	buf_free(&json);
}

struct span webp_pack_json(struct span exif)
{
	uint32_t n = 0;

	/* some writers keep JPEG's marker before it */
	if (exif.n > 6 && !memcmp(exif.p, "Exif\0\0", 6))
		exif = span_of(exif.p + 6, exif.n - 6);
	if (exif.n < EXIF_JSON_AT || memcmp(exif.p, exif_head, sizeof exif_head) != 0)
		return span_of(NULL, 0);
	for (int i = 3; i >= 0; i--)
		n = n << 8 | exif.p[EXIF_LENGTH_AT + i];
	if (n > exif.n - EXIF_JSON_AT)
		return span_of(NULL, 0);
	return span_of(exif.p + EXIF_JSON_AT, n);
}

int webp_set_exif(struct span webp, struct span exif, struct buf *out)
{
	const WebPData data = { .bytes = webp.p, .size = webp.n }, chunk = { .bytes = exif.p, .size = exif.n };
	WebPMux *mux = WebPMuxCreate(&data, 0);
	WebPData made = { 0 };
	WebPMuxError error;

	if (!mux)
		return -1;
	error = exif.n ? WebPMuxSetChunk(mux, "EXIF", &chunk, 0) : WebPMuxDeleteChunk(mux, "EXIF");
	if (!exif.n && error == WEBP_MUX_NOT_FOUND)
		error = WEBP_MUX_OK;
	if (error == WEBP_MUX_OK)
		error = WebPMuxAssemble(mux, &made);
	if (error == WEBP_MUX_OK)
		buf_append(out, made.bytes, made.size);
	WebPDataClear(&made);
	WebPMuxDelete(mux);
	return error == WEBP_MUX_OK ? 0 : -1;
}

int webp_get_exif(struct span webp, struct buf *out)
{
	const WebPData data = { .bytes = webp.p, .size = webp.n };
	WebPMux *mux = WebPMuxCreate(&data, 0);
	WebPData chunk;
	bool found = mux && WebPMuxGetChunk(mux, "EXIF", &chunk) == WEBP_MUX_OK;

	if (found)
		buf_append(out, chunk.bytes, chunk.size);
	WebPMuxDelete(mux);
	return found ? 0 : -1;
}
