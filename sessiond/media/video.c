/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Films to MP4 with H.264 and AAC, see av.h. */
#include <assert.h>
#include <libavutil/pixdesc.h>
#include <string.h>

#include "sessiond/media/av.h"

enum { CLOCK_HZ = 90000, AAC_MAX_HZ = 48000 };

static const char *const presets[] = { "ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow" };

struct film {
	struct av_in *in;
	const struct video_plan *plan;
	struct av_out out;
	AVCodecContext *video, *audio; /* owned encoders; audio NULL: silent */
	AVStream *video_stream, *audio_stream;
	struct SwsContext *sws;        /* owned */
	AVFrame *picture;              /* owned: of the encoder's format */
	struct av_sound sound;
	AVFrame *piece;                /* owned */
	int64_t last_pts;              /* of the video, CLOCK_HZ */
	int64_t samples;               /* next sample of the audio */
	bool sound_started;
	int crop_x, crop_y, crop_width, crop_height; /* what of the input's pictures is used */
};

static int even(double value)
{
	int n = (int)(value + 0.5) & ~1;

	return n < 2 ? 2 : n;
}

/* The coded size: the limit is one of the width that is shown. */
static void choose_size(struct film *f, int width, int height)
{
	bool lying = f->in->turned % 180 != 0;
	double factor;
	int shown;

	f->crop_width = width;
	f->crop_height = height;
	if (f->plan->square) {
		f->crop_width = f->crop_height = width < height ? width : height;
		f->crop_x = ((width - f->crop_width) / 2) & ~1;
		f->crop_y = ((height - f->crop_height) / 2) & ~1;
	}
	shown = lying ? f->crop_height : f->crop_width;
	factor = shown > f->plan->max_width ? (double)f->plan->max_width / shown : 1.0;
	f->video->width = even(f->crop_width * factor);
	f->video->height = even(f->crop_height * factor);
}

static int open_video(struct film *f)
{
	const AVStream *from = f->in->format->streams[f->in->tracks[AV_VIDEO].stream];
	const AVCodec *codec = avcodec_find_encoder_by_name("libx264");
	AVDictionary *options = NULL;
	const uint8_t *matrix;
	size_t size = 0;
	int error;

	f->video = codec ? avcodec_alloc_context3(codec) : NULL;
	if (!f->video)
		return work_fail(f->in->w, MEDIAJOB_E_WORKER, "no H.264 encoder");
	choose_size(f, from->codecpar->width, from->codecpar->height);
	f->video->pix_fmt = AV_PIX_FMT_YUV420P;
	f->video->time_base = (AVRational){ 1, CLOCK_HZ };
	f->video->framerate = av_guess_frame_rate(f->in->format, (AVStream *)(uintptr_t)from, NULL);
	f->video->sample_aspect_ratio = from->codecpar->sample_aspect_ratio;
	f->video->thread_count = 1;
	av_dict_set(&options, "preset", presets[f->plan->preset], 0);
	if (f->plan->video_bitrate_k) {
		f->video->bit_rate = f->video->rc_max_rate = f->plan->video_bitrate_k * INT64_C(1000);
		f->video->rc_buffer_size = 2000 * f->plan->video_bitrate_k;
	} else {
		av_dict_set_int(&options, "crf", f->plan->crf, 0);
	}
	av_dict_set(&options, "profile", "high", 0);
	error = av_add_stream(&f->out, f->video, &options, &f->video_stream);
	av_dict_free(&options);
	matrix = av_stream_get_side_data(from, AV_PKT_DATA_DISPLAYMATRIX, &size);
	if (!error && matrix) {
		uint8_t *copy = av_stream_new_side_data(f->video_stream, AV_PKT_DATA_DISPLAYMATRIX, size);

		if (copy)
			memcpy(copy, matrix, size);
	}
	return error;
}

static int open_audio(struct film *f)
{
	const AVCodecParameters *from = f->in->format->streams[f->in->tracks[AV_AUDIO].stream]->codecpar;
	const AVCodec *codec = avcodec_find_encoder(AV_CODEC_ID_AAC);
	int channels = from->ch_layout.nb_channels > 1 ? 2 : 1, rate = AAC_MAX_HZ;

	f->audio = codec ? avcodec_alloc_context3(codec) : NULL;
	if (!f->audio)
		return work_fail(f->in->w, MEDIAJOB_E_WORKER, "no AAC encoder");
	for (const int *p = codec->supported_samplerates; p && *p; p++)
		if (*p == from->sample_rate && *p <= AAC_MAX_HZ)
			rate = *p;
	f->audio->sample_fmt = AV_SAMPLE_FMT_FLTP;
	f->audio->sample_rate = rate;
	f->audio->bit_rate = f->plan->audio_bitrate_k * INT64_C(1000);
	f->audio->time_base = (AVRational){ 1, rate };
	av_channel_layout_default(&f->audio->ch_layout, channels);
	if (av_sound_open(f->in->w, &f->sound, AV_SAMPLE_FMT_FLTP, channels, rate))
		return f->in->w->result->error;
	return av_add_stream(&f->out, f->audio, NULL, &f->audio_stream);
}

static int open_film(struct film *f)
{
	struct work *w = f->in->w;
	AVDictionary *options = NULL;
	bool sound = !f->plan->silent && f->in->tracks[AV_AUDIO].stream >= 0;
	int rc;

	f->picture = av_frame_alloc();
	f->piece = av_frame_alloc();
	if (!f->picture || !f->piece)
		return work_fail(w, MEDIAJOB_E_LIMIT, "not enough memory");
	if (av_decode(f->in, AV_VIDEO) || (sound && av_decode(f->in, AV_AUDIO)) || av_create(w, "mp4", &f->out) || open_video(f) || (sound && open_audio(f)))
		return w->result->error;
	av_dict_set(&options, "movflags", "+faststart", 0);
	rc = avformat_write_header(f->out.format, &options);
	av_dict_free(&options);
	return rc < 0 ? av_fail(w, MEDIAJOB_E_OUTPUT, rc, "the output cannot be written") : 0;
}

/* ---- frames ---- */

static int scale(struct film *f, const AVFrame *frame)
{
	assert(frame);

	struct work *w = f->in->w;
	const AVPixFmtDescriptor *pixels = av_pix_fmt_desc_get((enum AVPixelFormat)frame->format);
	AVFrame *view = av_frame_clone(frame);
	int rc;

	if (!pixels || !view) {
		av_frame_free(&view);
		return work_fail(w, MEDIAJOB_E_INPUT, "a picture of an unknown kind");
	}
	if (f->plan->square && frame->width >= f->crop_x + f->crop_width && frame->height >= f->crop_y + f->crop_height) {
		view->crop_left = (size_t)f->crop_x;
		view->crop_right = (size_t)(frame->width - f->crop_x - f->crop_width);
		view->crop_top = (size_t)f->crop_y;
		view->crop_bottom = (size_t)(frame->height - f->crop_y - f->crop_height);
		av_frame_apply_cropping(view, AV_FRAME_CROP_UNALIGNED);
	}
	av_frame_unref(f->picture);
	f->picture->format = AV_PIX_FMT_YUV420P;
	f->picture->width = f->video->width;
	f->picture->height = f->video->height;
	f->sws = sws_getCachedContext(f->sws, view->width, view->height, (enum AVPixelFormat)view->format, f->video->width, f->video->height, AV_PIX_FMT_YUV420P,
		SWS_BICUBIC, NULL, NULL, NULL);
	rc = f->sws ? av_frame_get_buffer(f->picture, 0) : AVERROR(EINVAL);
	if (rc >= 0)
		rc = sws_scale(f->sws, (const uint8_t *const *)view->data, view->linesize, 0, view->height, f->picture->data, f->picture->linesize);
	av_frame_free(&view);
	return rc < 0 ? av_fail(w, MEDIAJOB_E_INPUT, rc, "a picture cannot be scaled") : 0;
}

static int put_picture(struct film *f, const AVFrame *frame)
{
	int64_t ms = av_frame_ms(f->in, AV_VIDEO, frame), pts;
	int64_t gap = f->plan->max_fps ? CLOCK_HZ / f->plan->max_fps - CLOCK_HZ / 200 : 1;

	if (f->plan->max_ms && ms > f->plan->max_ms)
		return 0;
	pts = ms < 0 ? f->last_pts + CLOCK_HZ / 25 : ms * (CLOCK_HZ / 1000);
	if (f->last_pts >= 0 && pts < f->last_pts + gap)
		return 0;
	if (scale(f, frame))
		return f->in->w->result->error;
	f->picture->pts = f->last_pts = pts < 0 ? 0 : pts;
	return av_encode(&f->out, f->video, f->video_stream, f->picture);
}

static int pump_sound(struct film *f, bool end)
{
	int n = f->audio->frame_size;

	while (av_audio_fifo_size(f->sound.fifo) >= (end ? 1 : n)) {
		int got = av_sound_take(f->in->w, &f->sound, f->piece, n);

		if (got < 0)
			return got;
		f->piece->pts = f->samples;
		f->samples += got;
		if (f->plan->max_ms && f->samples > f->plan->max_ms * f->audio->sample_rate / 1000)
			continue;
		if (av_encode(&f->out, f->audio, f->audio_stream, f->piece))
			return f->in->w->result->error;
	}
	return 0;
}

static int put_sound(struct film *f, const AVFrame *frame)
{
	int64_t ms = av_frame_ms(f->in, AV_AUDIO, frame);

	assert(f->audio);
	if (!f->sound_started && ms > 0)
		f->samples = ms * f->audio->sample_rate / 1000;
	f->sound_started = true;
	if (av_sound_put(f->in->w, &f->sound, frame))
		return f->in->w->result->error;
	return pump_sound(f, false);
}

static int copy_frames(struct film *f)
{
	AVFrame *frame = av_frame_alloc();
	int track, rc = 0, error = frame ? 0 : work_fail(f->in->w, MEDIAJOB_E_LIMIT, "not enough memory");

	while (!error && (rc = av_next(f->in, frame, &track)) > 0) {
		int64_t ms = av_frame_ms(f->in, track, frame);

		if (ms > LIMIT_MEDIA_DURATION_S * INT64_C(1000))
			error = work_fail(f->in->w, MEDIAJOB_E_LIMIT, "media may last %d s", LIMIT_MEDIA_DURATION_S);
		else
			error = track == AV_VIDEO ? put_picture(f, frame) : put_sound(f, frame);
	}
	av_frame_free(&frame);
	return error ? error : rc;
}

static int finish(struct film *f)
{
	struct work *w = f->in->w;
	struct mediajob_info *sent = &w->result->sent;
	bool lying = f->in->turned % 180 != 0;
	int64_t ms = w->result->input.duration_ms;

	if (f->last_pts < 0)
		return work_fail(w, MEDIAJOB_E_INPUT, "there is no picture in it");
	if (f->audio && (av_sound_put(w, &f->sound, NULL) || pump_sound(f, true) || av_encode(&f->out, f->audio, f->audio_stream, NULL)))
		return w->result->error;
	if (av_encode(&f->out, f->video, f->video_stream, NULL))
		return w->result->error;
	if (av_write_trailer(f->out.format) < 0 || f->out.full)
		return work_fail(w, MEDIAJOB_E_OUTPUT, "the output cannot be written");
	*sent = (struct mediajob_info){ .kind = MEDIAJOB_VIDEO, .video_codec = "h264", .bytes = work_written(w) };
	info_set_mime(sent, "video/mp4");
	snprintf(sent->audio_codec, sizeof sent->audio_codec, "%s", f->audio ? "aac" : "");
	sent->width = lying ? f->video->height : f->video->width;
	sent->height = lying ? f->video->width : f->video->height;
	info_set_duration(sent, f->plan->max_ms && ms > f->plan->max_ms ? f->plan->max_ms : ms);
	return 0;
}

int video_to_mp4(struct av_in *in, const struct video_plan *plan)
{
	struct film f = { .in = in, .plan = plan, .last_pts = -1 };
	int error = open_film(&f);

	if (!error)
		error = copy_frames(&f);
	if (!error)
		error = finish(&f);
	avcodec_free_context(&f.video);
	avcodec_free_context(&f.audio);
	av_discard(&f.out);
	av_sound_close(&f.sound);
	sws_freeContext(f.sws);
	av_frame_free(&f.picture);
	av_frame_free(&f.piece);
	return error;
}
