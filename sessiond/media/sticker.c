/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Stickers, see sticker.h. */
#include "sessiond/media/sticker.h"

#include <stdlib.h>
#include <string.h>
#include <webp/encode.h>
#include <webp/mux.h>

#include "sessiond/media/av.h"
#include "sessiond/media/webp.h"

enum { SIDE = 512, MAX_MS = 10000, FRAME_GAP_MS = 66, SHORTEST_MS = 8, USUAL_MS = 100, SLACK_MS = 6 };

/* Pictures on their canvases. */
struct reel {
	struct work *w;
	uint8_t *frames[LIMIT_MEDIA_STICKER_FRAMES]; /* owned, SIDE x SIDE x 4 */
	int at_ms[LIMIT_MEDIA_STICKER_FRAMES];       /* when it begins */
	int count;
	int end_ms;
	struct SwsContext *sws;                      /* owned */
};

static void reel_free(struct reel *reel)
{
	for (int i = 0; i < reel->count; i++)
		free(reel->frames[i]);
	sws_freeContext(reel->sws);
}

/* ---- collecting ---- */

static void fit(int width, int height, int box, int *to_width, int *to_height)
{
	*to_width = width >= height ? box : (int)((int64_t)width * box / height);
	*to_height = height >= width ? box : (int)((int64_t)height * box / width);
	*to_width = *to_width < 1 ? 1 : *to_width;
	*to_height = *to_height < 1 ? 1 : *to_height;
}

/* Scales any kind of pixels into the middle of a transparent canvas; NULL without memory. */
static uint8_t *draw(struct reel *reel, const uint8_t *const *planes, const int *strides, enum AVPixelFormat format, int width, int height)
{
	int box = reel->w->job->options.sticker.size, to_width, to_height;
	/* swscale writes whole vectors: room behind the last line */
	uint8_t *canvas = calloc(SIDE * SIDE * 4 + 64, 1);
	uint8_t *to[4] = { canvas };
	const int to_strides[4] = { SIDE * 4 };

	fit(width, height, box > SIDE ? SIDE : box, &to_width, &to_height);
	reel->sws = sws_getCachedContext(reel->sws, width, height, format, to_width, to_height, AV_PIX_FMT_RGBA, SWS_BICUBIC, NULL, NULL, NULL);
	if (!canvas || !reel->sws) {
		free(canvas);
		return NULL;
	}
	to[0] += ((size_t)((SIDE - to_height) / 2) * SIDE + (size_t)((SIDE - to_width) / 2)) * 4;
	if (sws_scale(reel->sws, planes, strides, 0, height, to, to_strides) <= 0) {
		free(canvas);
		return NULL;
	}
	return canvas;
}

/* 1: taken or left out as one too many a second. 0: no more are wanted. Negative: failed. */
static int reel_add(struct reel *reel, const uint8_t *const *planes, const int *strides, enum AVPixelFormat format, int width, int height, int at_ms)
{
	if (at_ms >= MAX_MS || reel->count == LIMIT_MEDIA_STICKER_FRAMES)
		return 0;
	if (reel->count && at_ms < reel->at_ms[reel->count - 1] + FRAME_GAP_MS - SLACK_MS)
		return 1;
	reel->frames[reel->count] = draw(reel, planes, strides, format, width, height);
	if (!reel->frames[reel->count])
		return work_fail(reel->w, MEDIAJOB_E_LIMIT, "not enough memory for a sticker's pictures");
	reel->at_ms[reel->count++] = at_ms;
	return 1;
}

static int add_rgba(struct reel *reel, const uint8_t *rgba, int width, int height, int at_ms)
{
	const uint8_t *const planes[4] = { rgba };
	const int strides[4] = { width * 4 };

	return reel_add(reel, planes, strides, AV_PIX_FMT_RGBA, width, height, at_ms);
}

static int collect_webp(struct reel *reel, struct span bytes)
{
	struct webp_walk *walk;
	const uint8_t *rgba;
	int width, height, begin_ms = 0, end_ms = 0, rc = 1;

	if (webp_walk_open(reel->w, bytes, &walk, &width, &height))
		return reel->w->result->error;
	while (rc > 0 && webp_walk_next(walk, &rgba, &end_ms)) {
		rc = add_rgba(reel, rgba, width, height, begin_ms);
		begin_ms = end_ms;
	}
	reel->end_ms = end_ms;
	webp_walk_close(walk);
	return rc < 0 ? rc : 0;
}

static int collect_still(struct reel *reel)
{
	struct still *still;
	uint8_t *rgba;
	int rc;

	if (still_open(reel->w, 2 * SIDE, &still))
		return reel->w->result->error;
	rgba = still_rgba(still);
	rc = rgba ? add_rgba(reel, rgba, still_width(still), still_height(still), 0) : work_fail(reel->w, MEDIAJOB_E_LIMIT, "not enough memory");
	free(rgba);
	still_close(still);
	return rc < 0 ? rc : 0;
}

/* A film that is stored lying is rare for stickers and costs a detour over a still. */
static int add_frame(struct reel *reel, struct av_in *in, const AVFrame *frame, int at_ms)
{
	struct still *still;
	uint8_t *rgba;
	int rc;

	if (!in->turned)
		return reel_add(reel, (const uint8_t *const *)frame->data, frame->linesize, (enum AVPixelFormat)frame->format, frame->width, frame->height, at_ms);
	still = av_still(in, frame);
	rgba = still ? still_rgba(still) : NULL;
	rc = rgba ? add_rgba(reel, rgba, still_width(still), still_height(still), at_ms) : work_fail(reel->w, MEDIAJOB_E_LIMIT, "not enough memory");
	free(rgba);
	still_close(still);
	return rc;
}

static int collect_film(struct reel *reel)
{
	AVFrame *frame = av_frame_alloc();
	struct av_in in;
	int track, rc, more = 1;
	int64_t ms = 0;

	if (!frame || av_open(reel->w, &in)) {
		av_frame_free(&frame);
		return reel->w->result->error ? reel->w->result->error : work_fail(reel->w, MEDIAJOB_E_LIMIT, "not enough memory");
	}
	rc = av_decode(&in, AV_VIDEO);
	while (!rc && more > 0 && (rc = av_next(&in, frame, &track)) > 0) {
		ms = av_frame_ms(&in, AV_VIDEO, frame);
		ms = ms < 0 ? (reel->count ? reel->at_ms[reel->count - 1] + USUAL_MS : 0) : ms;
		more = add_frame(reel, &in, frame, ms > MAX_MS ? MAX_MS : (int)ms);
		rc = more < 0 ? more : 0;
	}
	reel->end_ms = (int)(reel->w->result->input.duration_ms > MAX_MS ? MAX_MS : reel->w->result->input.duration_ms);
	av_frame_free(&frame);
	av_close(&in);
	return rc < 0 ? rc : 0;
}

static int collect(struct reel *reel)
{
	struct work *w = reel->w;
	const struct mediajob_info *input = &w->result->input;
	struct span bytes;
	int error;

	if (w->sniffed == SNIFF_WEBP)
		error = source_load(w, LIMIT_MEDIA_IMAGE_BYTES, &bytes) ? w->result->error : collect_webp(reel, bytes);
	else if (input->kind == MEDIAJOB_IMAGE && !input->animated)
		error = collect_still(reel);
	else
		error = collect_film(reel);
	if (!error && !reel->count)
		error = work_fail(w, MEDIAJOB_E_INPUT, "there is no picture in it");
	if (!error && reel->end_ms <= reel->at_ms[reel->count - 1])
		reel->end_ms = reel->at_ms[reel->count - 1] + USUAL_MS;
	return error;
}

/* ---- encoding ---- */

static int encode_animation(struct reel *reel, int quality, int effort, int every, struct buf *out)
{
	WebPAnimEncoderOptions options;
	WebPConfig config;
	WebPAnimEncoder *encoder;
	WebPData made = { 0 };
	bool good = WebPAnimEncoderOptionsInit(&options) && WebPConfigInit(&config);

	if (!good)
		return work_fail(reel->w, MEDIAJOB_E_WORKER, "libwebp is of another version");
	config.quality = (float)quality;
	config.method = effort;
	options.allow_mixed = 1;
	encoder = WebPAnimEncoderNew(SIDE, SIDE, &options);
	for (int i = 0; good && encoder && i < reel->count; i += every) {
		WebPPicture picture;

		good = WebPPictureInit(&picture);
		picture.use_argb = 1;
		picture.width = picture.height = SIDE;
		good = good && WebPPictureImportRGBA(&picture, reel->frames[i], SIDE * 4) && WebPAnimEncoderAdd(encoder, &picture, reel->at_ms[i], &config);
		WebPPictureFree(&picture);
	}
	good = encoder && good && WebPAnimEncoderAdd(encoder, NULL, reel->end_ms, NULL) && WebPAnimEncoderAssemble(encoder, &made);
	if (good)
		buf_append(out, made.bytes, made.size);
	WebPDataClear(&made);
	WebPAnimEncoderDelete(encoder);
	return good ? 0 : work_fail(reel->w, MEDIAJOB_E_LIMIT, "the animation cannot be written");
}

/* Worse and worse until it is small enough; the last attempt counts in any case. */
static int encode_small(struct reel *reel, struct buf *out)
{
	static const struct {
		int percent, every; /* of the quality; every n-th picture */
	} attempts[] = { { 100, 1 }, { 60, 1 }, { 30, 1 }, { 30, 2 }, { 12, 2 }, { 8, 4 } };
	const struct mediajob_options *options = &reel->w->job->options;
	bool animated = reel->count > 1;
	int64_t most = animated ? options->sticker.max_animated_bytes : options->sticker.max_still_bytes;
	int error = 0;

	for (size_t i = 0; !error && i < sizeof attempts / sizeof *attempts; i++) {
		int quality = options->sticker.quality * attempts[i].percent / 100;

		buf_clear(out);
		if (animated)
			error = encode_animation(reel, quality, options->sticker.effort > 2 ? 2 : options->sticker.effort, attempts[i].every, out);
		else
			error = webp_encode(reel->w, reel->frames[0], SIDE, SIDE, quality, options->sticker.effort, out);
		if (!error && (int64_t)out->len <= most)
			return 0;
	}
	return error ? error : work_fail(reel->w, MEDIAJOB_E_LIMIT, "the sticker cannot be made smaller than %lld bytes", (long long)most);
}

static bool wants_pack(const struct work *w)
{
	const struct mediajob_options *options = &w->job->options;

	return options->sticker.pack[0] || options->sticker.publisher[0] || options->sticker.emojis[0];
}

static int put_pack(struct work *w, struct buf *webp)
{
	const struct mediajob_options *options = &w->job->options;
	struct buf exif = { 0 }, made = { 0 };
	int error = 0;

	webp_pack_exif(options->sticker.pack, options->sticker.publisher, options->sticker.emojis, &exif);
	if (webp_set_exif(buf_span(webp), buf_span(&exif), &made))
		error = work_fail(w, MEDIAJOB_E_INPUT, "the pack's name cannot be written into the sticker");
	buf_free(&exif);
	buf_free(webp);
	*webp = made;
	return error;
}

static int deliver(struct work *w, struct buf *webp, bool animated, int64_t duration_ms)
{
	struct mediajob_info *sent = &w->result->sent;

	if (wants_pack(w) && put_pack(w, webp))
		return w->result->error;
	if (work_write(w, webp->data, webp->len))
		return w->result->error;
	*sent = (struct mediajob_info){ .kind = MEDIAJOB_IMAGE, .width = SIDE, .height = SIDE, .bytes = (int64_t)webp->len, .animated = animated, .alpha = true };
	info_set_mime(sent, "image/webp");
	if (animated)
		info_set_duration(sent, duration_ms);
	return 0;
}

/* ---- a sticker already ---- */

static bool is_sticker(const struct work *w)
{
	const struct mediajob_info *input = &w->result->input;
	const struct mediajob_options *options = &w->job->options;

	return w->sniffed == SNIFF_WEBP && input->width == SIDE && input->height == SIDE &&
	       input->bytes <= (input->animated ? options->sticker.max_animated_bytes : options->sticker.max_still_bytes);
}

/* Is every picture of it whole? Phones show a broken sticker as an empty bubble. */
static int check_sticker(struct work *w, struct span bytes)
{
	struct webp_walk *walk;
	const uint8_t *rgba;
	int width, height, end_ms = 0, count = 0;

	if (webp_walk_open(w, bytes, &walk, &width, &height))
		return w->result->error;
	while (webp_walk_next(walk, &rgba, &end_ms))
		count++;
	webp_walk_close(walk);
	if (!count)
		return work_fail(w, MEDIAJOB_E_INPUT, "the WebP is broken or cut off");
	if (w->result->input.animated)
		info_set_duration(&w->result->input, end_ms);
	return 0;
}

static int keep_sticker(struct work *w)
{
	struct buf webp = { 0 };
	struct span bytes;
	int error = source_load(w, LIMIT_MEDIA_IMAGE_BYTES, &bytes);

	if (!error)
		error = check_sticker(w, bytes);
	if (error || !wants_pack(w)) {
		w->result->unchanged = !error;
		w->result->sent = w->result->input;
		return error;
	}
	buf_append_span(&webp, bytes);
	error = deliver(w, &webp, w->result->input.animated, w->result->input.duration_ms);
	buf_free(&webp);
	return error;
}

int sticker_make(struct work *w)
{
	struct reel reel = { .w = w };
	struct buf webp = { 0 };
	int error;

	if (is_sticker(w))
		return keep_sticker(w);
	error = collect(&reel);
	if (!error)
		error = encode_small(&reel, &webp);
	if (!error)
		error = deliver(w, &webp, reel.count > 1, reel.end_ms);
	reel_free(&reel);
	buf_free(&webp);
	return error;
}
