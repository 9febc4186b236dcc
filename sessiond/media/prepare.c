/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a send route needs of an input (config.md 4):
 *
 *     media, image   rotated by EXIF, fitted, recompressed, if that pays; kept otherwise
 *     media, video   to MP4 if it could not be played as it is, or if compression pays
 *     gif            silent MP4, always if it is none yet
 *     voice          Ogg/Opus mono with waveform, always if it is none yet
 *     audio          as it is, with seconds and waveform
 *     sticker        sticker.c
 *     document       as it is, with a thumbnail if there is a picture in it
 */
#include <string.h>

#include "sessiond/media/av.h"
#include "sessiond/media/sticker.h"

enum { THUMBNAIL_AT_MS = 1000, GIF_FPS = 30, VIDEO_NOTE_SIDE = 640, VIDEO_NOTE_MS = 60000 };

static int keep(struct work *w)
{
	w->result->unchanged = true;
	w->result->sent = w->result->input;
	return 0;
}

static bool is_picture(const struct work *w)
{
	return w->sniffed != SNIFF_OTHER && w->sniffed != SNIFF_EMPTY;
}

int probe_input(struct work *w)
{
	struct av_in in;
	int error;

	if (is_picture(w))
		return image_probe(w);
	if (av_open(w, &in))
		return w->result->error;
	error = av_describe(&in);
	if (!error && w->job->task == MEDIAJOB_TASK_PROBE && in.tracks[AV_VIDEO].stream < 0)
		error = audio_read(&in, false);
	av_close(&in);
	return error;
}

/* ---- images ---- */

/* The format an image is sent in (rest-a 1.14). */
static enum mediajob_format choose_format(const struct work *w, bool alpha)
{
	const struct mediajob_options *o = &w->job->options;
	bool keeps = o->image.keep_format && (w->sniffed == SNIFF_JPEG || w->sniffed == SNIFF_PNG);

	if (o->image.format == MEDIAJOB_FORMAT_WEBP && o->image.allow_webp)
		return MEDIAJOB_FORMAT_WEBP;
	if (o->image.format == MEDIAJOB_FORMAT_JPEG)
		return MEDIAJOB_FORMAT_JPEG;
	if (o->image.format == MEDIAJOB_FORMAT_PNG && (alpha || !o->image.png_to_jpeg))
		return MEDIAJOB_FORMAT_PNG;
	if (alpha)
		return MEDIAJOB_FORMAT_PNG;
	if (keeps)
		return w->sniffed == SNIFF_JPEG || o->image.png_to_jpeg ? MEDIAJOB_FORMAT_JPEG : MEDIAJOB_FORMAT_PNG;
	return o->image.allow_webp ? MEDIAJOB_FORMAT_WEBP : MEDIAJOB_FORMAT_JPEG;
}

static const char *format_mime(enum mediajob_format format)
{
	return format == MEDIAJOB_FORMAT_PNG ? "image/png" : format == MEDIAJOB_FORMAT_WEBP ? "image/webp" : "image/jpeg";
}

/* Could a phone show the input? */
static bool shows(const struct work *w)
{
	return w->sniffed == SNIFF_JPEG || w->sniffed == SNIFF_PNG || w->sniffed == SNIFF_WEBP;
}

static bool pays(const struct work *w, enum mediajob_format format, bool resized, size_t made)
{
	const struct mediajob_info *input = &w->result->input;
	const struct mediajob_options *o = &w->job->options;

	if (!shows(w) || resized)
		return true;
	if ((int64_t)made >= input->bytes)
		return false;
	if (strcmp(input->mime, format_mime(format)) != 0)
		return true;
	return (double)(input->bytes - (int64_t)made) >= o->image.min_savings * (double)input->bytes;
}

static int send_image(struct work *w, const struct still *still, enum mediajob_format format, const struct buf *made)
{
	struct mediajob_info *sent = &w->result->sent;

	if (work_write(w, made->data, made->len))
		return w->result->error;
	*sent = (struct mediajob_info){ .kind = MEDIAJOB_IMAGE, .width = still_width(still), .height = still_height(still), .bytes = (int64_t)made->len,
				     .alpha = format != MEDIAJOB_FORMAT_JPEG && still_alpha(still) };
	info_set_mime(sent, format_mime(format));
	return 0;
}

static int compress_image(struct work *w, struct still *still)
{
	const struct mediajob_options *o = &w->job->options;
	struct still_format format = { .quality = o->image.quality, .png_level = o->image.png_level, .webp_effort = o->image.webp_effort, .palette = true };
	int side = o->image.max_dimension;
	bool large = still_width(still) > side || still_height(still) > side;
	struct buf made = { 0 };
	int error = 0;

	format.format = choose_format(w, still_alpha(still));
	if (large)
		error = still_resize(w, still, side, side, MEDIAJOB_FIT_INSIDE, false);
	if (!error)
		error = still_encode(w, still, &format, &made);
	if (!error)
		error = pays(w, format.format, large, made.len) ? send_image(w, still, format.format, &made) : keep(w);
	buf_free(&made);
	return error;
}

/* What a receiver's action asks for, as sharp does it: that size, in that format or the one it has. */
static int reshape_image(struct work *w, struct still *still)
{
	const struct mediajob_options *o = &w->job->options;
	struct still_format format = { .quality = o->wish.quality, .png_level = o->image.png_level, .webp_effort = o->image.webp_effort,
				       .palette = o->wish.quality < 100 };
	struct still_shape shape = { o->wish.width, o->wish.height, o->wish.fit, o->wish.enlarge, false };
	struct buf made = { 0 };
	int error;

	format.format = w->sniffed == SNIFF_PNG ? MEDIAJOB_FORMAT_PNG : w->sniffed == SNIFF_WEBP ? MEDIAJOB_FORMAT_WEBP : MEDIAJOB_FORMAT_JPEG;
	if (o->wish.format != MEDIAJOB_FORMAT_SAME)
		format.format = o->wish.format;
	if ((int64_t)shape.width * shape.height > w->job->max_pixels)
		return work_fail(w, MEDIAJOB_E_LIMIT, "%d x %d is larger than an image may be", shape.width, shape.height);
	shape.opaque = format.format == MEDIAJOB_FORMAT_JPEG || !still_alpha(still);
	error = still_fit(w, still, &shape);
	if (!error) {
		still_thumbnail(w, still);
		error = still_encode(w, still, &format, &made);
	}
	if (!error)
		error = send_image(w, still, format.format, &made);
	buf_free(&made);
	return error;
}

static int prepare_image(struct work *w)
{
	const struct mediajob_options *o = &w->job->options;
	bool small = w->result->input.bytes < o->image.min_bytes;
	struct still *still;
	int error;

	if (still_open(w, o->wish.image ? 0 : 2 * o->image.max_dimension, &still))
		return w->result->error;
	if (!o->wish.image)
		still_thumbnail(w, still);
	if (o->wish.image)
		error = reshape_image(w, still);
	else if (shows(w) && (!o->compress || small))
		error = keep(w);
	else
		error = compress_image(w, still);
	still_close(still);
	return error;
}

/* ---- films ---- */

static void film_thumbnail(struct av_in *in)
{
	struct work *w = in->w;
	struct mediajob_result scrap = { 0 }, *result = w->result;
	struct still *still = NULL;
	int64_t at_ms = result->input.duration_ms / 10;

	/* Its failures are not the job's. */
	scrap.input = result->input;
	w->result = &scrap;
	frames_at(in, at_ms > THUMBNAIL_AT_MS ? THUMBNAIL_AT_MS : at_ms, &still);
	w->result = result;
	if (still)
		still_thumbnail(w, still);
	still_close(still);
}

static bool plays(const struct av_in *in)
{
	const struct mediajob_info *input = &in->w->result->input;
	const AVCodecParameters *par = in->format->streams[in->tracks[AV_VIDEO].stream]->codecpar;

	return !strcmp(input->mime, "video/mp4") && !strcmp(input->video_codec, "h264") && (!input->audio_codec[0] || !strcmp(input->audio_codec, "aac")) &&
	       (par->format == AV_PIX_FMT_YUV420P || par->format == AV_PIX_FMT_YUVJ420P);
}

/* Decoders have read the input already: from its start again. */
static int convert(struct work *w, const struct video_plan *plan)
{
	struct av_in in;
	int error;

	if (av_open(w, &in))
		return w->result->error;
	error = video_to_mp4(&in, plan);
	av_close(&in);
	return error;
}

/* What a receiver's action asks for; if that fails, the film is sent as it came, if it can be played. */
static int order_film(struct work *w, struct video_plan *plan, bool playable)
{
	const struct mediajob_options *o = &w->job->options;
	int error;

	if (!plan->square)
		plan->max_width = LIMIT_MEDIA_SIDE;
	plan->video_bitrate_k = o->wish.video_bitrate_k;
	if (o->wish.audio_bitrate_k)
		plan->audio_bitrate_k = o->wish.audio_bitrate_k;
	error = convert(w, plan);
	if (!error || !playable)
		return error;
	w->result->error = 0;
	return keep(w);
}

/* What compression could not do or what does not pay is sent as it came, if it can be played. */
static int compress_film(struct work *w, const struct video_plan *plan)
{
	struct mediajob_result *result = w->result;
	int error = convert(w, plan);
	double saved = (double)(result->input.bytes - result->sent.bytes);

	if (!error && saved >= w->job->options.video.min_savings * (double)result->input.bytes)
		return 0;
	result->error = 0;
	return keep(w);
}

static int prepare_film(struct work *w)
{
	const struct mediajob_options *o = &w->job->options;
	struct video_plan plan = { .max_width = o->video.max_width, .crf = o->video.crf, .preset = o->video.preset, .audio_bitrate_k = o->video.audio_bitrate_k };
	struct mediajob_info *input = &w->result->input;
	struct av_in in;
	bool playable;

	if (av_open(w, &in))
		return w->result->error;
	if (in.tracks[AV_VIDEO].stream < 0) {
		av_close(&in);
		return work_fail(w, MEDIAJOB_E_UNSUPPORTED, "there is no picture in it");
	}
	if (!input->kind)
		av_describe(&in);
	film_thumbnail(&in);
	playable = plays(&in);
	av_close(&in);
	if (w->job->route == MEDIAJOB_ROUTE_VIDEO_NOTE) {
		playable = playable && input->width == input->height && input->duration_ms <= VIDEO_NOTE_MS;
		plan.square = true;
		plan.max_width = plan.max_width > VIDEO_NOTE_SIDE ? VIDEO_NOTE_SIDE : plan.max_width;
		plan.max_ms = VIDEO_NOTE_MS;
	}
	if (w->job->route == MEDIAJOB_ROUTE_GIF) {
		plan.silent = true;
		plan.max_fps = GIF_FPS;
	}
	if (o->wish.film)
		return order_film(w, &plan, playable);
	if (!playable)
		return convert(w, &plan);
	if (!o->compress || input->bytes < o->video.min_bytes)
		return keep(w);
	return compress_film(w, &plan);
}

/* A GIF is a picture to the one and a film to the other. */
static int prepare_gif(struct work *w)
{
	if (w->sniffed != SNIFF_GIF && is_picture(w))
		return work_fail(w, MEDIAJOB_E_UNSUPPORTED, "%s is no GIF and no video", sniff_mime(w->sniffed));
	if (w->sniffed == SNIFF_GIF && image_probe(w))
		return w->result->error;
	if (w->sniffed == SNIFF_GIF) {
		struct av_in in;

		if (av_open(w, &in))
			return w->result->error;
		av_describe(&in);
		av_close(&in);
		info_set_mime(&w->result->input, "image/gif");
	}
	return prepare_film(w);
}

/* ---- sound ---- */

static bool is_voice_note(const struct av_in *in)
{
	const AVCodecParameters *par = in->format->streams[in->tracks[AV_AUDIO].stream]->codecpar;

	return !strcmp(in->w->result->input.mime, "audio/ogg; codecs=opus") && par->ch_layout.nb_channels == 1;
}

static int prepare_sound(struct work *w, bool voice)
{
	enum mediajob_sound sound = w->job->options.wish.sound;
	struct av_in in;
	bool ready;
	int error;

	if (is_picture(w))
		return work_fail(w, MEDIAJOB_E_UNSUPPORTED, "%s is no sound", sniff_mime(w->sniffed));
	if (av_open(w, &in))
		return w->result->error;
	error = av_describe(&in);
	if (!error && in.tracks[AV_AUDIO].stream < 0)
		error = work_fail(w, MEDIAJOB_E_UNSUPPORTED, "there is no sound in it");
	if (!error && !voice && sound != MEDIAJOB_SOUND_SAME) {
		error = sound_to(&in, sound, w->job->options.wish.audio_bitrate_k);
	} else if (!error) {
		ready = !voice || (is_voice_note(&in) && !w->job->options.wish.audio_bitrate_k);
		error = audio_read(&in, !ready);
		if (!error && ready)
			error = keep(w);
	}
	av_close(&in);
	return error;
}

/* ---- routes ---- */

static int prepare_media(struct work *w)
{
	if (!is_picture(w))
		return prepare_film(w);
	return image_probe(w) ? w->result->error : prepare_image(w);
}

static int prepare_sticker(struct work *w)
{
	if (probe_input(w))
		return w->result->error;
	if (w->sniffed == SNIFF_GIF && w->result->input.animated) {
		struct mediajob_info picture = w->result->input;
		struct av_in in;

		if (av_open(w, &in))
			return w->result->error;
		av_describe(&in);
		av_close(&in);
		picture.duration_ms = w->result->input.duration_ms;
		w->result->input = picture;
	}
	return sticker_make(w);
}

/* Anything may be a document: what cannot be looked into has no thumbnail. */
static int prepare_document(struct work *w)
{
	struct mediajob_result *result = w->result;
	struct still *still;
	struct av_in in;

	if (is_picture(w) && !image_probe(w) && !still_open(w, 512, &still)) {
		still_thumbnail(w, still);
		still_close(still);
	} else if (!is_picture(w) && !av_open(w, &in)) {
		av_describe(&in);
		if (in.tracks[AV_VIDEO].stream >= 0)
			film_thumbnail(&in);
		av_close(&in);
	}
	result->error = 0;
	result->why[0] = '\0';
	return keep(w);
}

int prepare_run(struct work *w)
{
	switch (w->job->route) {
	case MEDIAJOB_ROUTE_MEDIA:
		return prepare_media(w);
	case MEDIAJOB_ROUTE_GIF:
		return prepare_gif(w);
	case MEDIAJOB_ROUTE_AUDIO:
		return prepare_sound(w, false);
	case MEDIAJOB_ROUTE_VOICE:
		return prepare_sound(w, true);
	case MEDIAJOB_ROUTE_STICKER:
		return prepare_sticker(w);
	case MEDIAJOB_ROUTE_VIDEO_NOTE:
		return prepare_film(w);
	case MEDIAJOB_ROUTE_DOCUMENT:
		return prepare_document(w);
	}
	return work_fail(w, MEDIAJOB_E_UNSUPPORTED, "no such route");
}
