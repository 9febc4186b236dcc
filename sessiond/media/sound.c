/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sound to MP3 and to AAC in MP4, see av.h. What it came from may be a film: its pictures are left out. */
#include <string.h>

#include "sessiond/media/av.h"

enum { MAX_CHANNELS = 2, COMMON_RATE_K = 128, FALLBACK_HZ = 44100 };

struct kind {
	const char *encoder, *muxer, *mime, *codec;
	enum AVSampleFormat samples;
};

static const struct kind kinds[] = {
	[MEDIAJOB_SOUND_MP3] = { "libmp3lame", "mp3", "audio/mpeg", "mp3", AV_SAMPLE_FMT_S16P },
	[MEDIAJOB_SOUND_MP4] = { "aac", "ipod", "audio/mp4", "aac", AV_SAMPLE_FMT_FLTP },
};

struct sounding {
	struct av_in *in;
	const struct kind *kind;
	struct av_out out;
	AVCodecContext *encoder; /* owned */
	AVStream *stream;
	struct av_sound sound;
	AVFrame *frame, *piece;  /* owned */
	int64_t samples;
};

/* The input's sampling rate where the encoder knows it. */
static int choose_rate(const AVCodec *codec, int wanted)
{
	for (const int *p = codec->supported_samplerates; p && *p; p++)
		if (*p == wanted)
			return wanted;
	return FALLBACK_HZ;
}

static int open_encoder(struct sounding *s, int bitrate_k)
{
	struct work *w = s->in->w;
	const AVCodecParameters *from = s->in->format->streams[s->in->tracks[AV_AUDIO].stream]->codecpar;
	const AVCodec *codec = avcodec_find_encoder_by_name(s->kind->encoder);
	int channels = from->ch_layout.nb_channels > 1 ? MAX_CHANNELS : 1;

	s->encoder = codec ? avcodec_alloc_context3(codec) : NULL;
	if (!s->encoder)
		return work_fail(w, MEDIAJOB_E_WORKER, "no encoder for %s", s->kind->mime);
	s->encoder->sample_fmt = s->kind->samples;
	s->encoder->sample_rate = choose_rate(codec, from->sample_rate);
	s->encoder->bit_rate = (bitrate_k ? bitrate_k : COMMON_RATE_K) * INT64_C(1000);
	s->encoder->time_base = (AVRational){ 1, s->encoder->sample_rate };
	av_channel_layout_default(&s->encoder->ch_layout, channels);
	if (av_sound_open(w, &s->sound, s->kind->samples, channels, s->encoder->sample_rate) || av_create(w, s->kind->muxer, &s->out) ||
	    av_add_stream(&s->out, s->encoder, NULL, &s->stream))
		return w->result->error;
	return avformat_write_header(s->out.format, NULL) < 0 ? work_fail(w, MEDIAJOB_E_OUTPUT, "the output cannot be written") : 0;
}

/* All whole frames that are there; at the end also the rest. */
static int pump(struct sounding *s, bool end)
{
	struct work *w = s->in->w;

	while (av_audio_fifo_size(s->sound.fifo) >= (end ? 1 : s->encoder->frame_size)) {
		int got = av_sound_take(w, &s->sound, s->piece, s->encoder->frame_size);

		if (got < 0)
			return got;
		s->piece->pts = s->samples;
		s->samples += got;
		if (av_encode(&s->out, s->encoder, s->stream, s->piece))
			return w->result->error;
	}
	if (s->samples > LIMIT_MEDIA_DURATION_S * (int64_t)s->encoder->sample_rate)
		return work_fail(w, MEDIAJOB_E_LIMIT, "media may last %d s", LIMIT_MEDIA_DURATION_S);
	return 0;
}

static int copy_sound(struct sounding *s)
{
	struct work *w = s->in->w;
	int track, rc = 0, error = 0;

	while (!error && (rc = av_next(s->in, s->frame, &track)) > 0) {
		error = av_sound_put(w, &s->sound, s->frame);
		if (!error)
			error = pump(s, false);
	}
	if (!error && rc < 0)
		error = rc;
	if (!error)
		error = av_sound_put(w, &s->sound, NULL);
	return error ? error : pump(s, true);
}

static int finish(struct sounding *s)
{
	struct work *w = s->in->w;
	struct mediajob_info *sent = &w->result->sent;

	if (!s->samples)
		return work_fail(w, MEDIAJOB_E_INPUT, "there is no sound in it");
	if (av_encode(&s->out, s->encoder, s->stream, NULL))
		return w->result->error;
	if (av_write_trailer(s->out.format) < 0 || s->out.full)
		return work_fail(w, MEDIAJOB_E_OUTPUT, "the output cannot be written");
	*sent = (struct mediajob_info){ .kind = MEDIAJOB_AUDIO, .bytes = work_written(w) };
	snprintf(sent->audio_codec, sizeof sent->audio_codec, "%s", s->kind->codec);
	info_set_mime(sent, s->kind->mime);
	info_set_duration(sent, s->samples * 1000 / s->encoder->sample_rate);
	return 0;
}

int sound_to(struct av_in *in, enum mediajob_sound format, int bitrate_k)
{
	struct sounding s = { .in = in, .kind = &kinds[format], .frame = av_frame_alloc(), .piece = av_frame_alloc() };
	int error = s.frame && s.piece ? av_decode(in, AV_AUDIO) : work_fail(in->w, MEDIAJOB_E_LIMIT, "not enough memory");

	if (!error)
		error = open_encoder(&s, bitrate_k);
	if (!error)
		error = copy_sound(&s);
	if (!error)
		error = finish(&s);
	avcodec_free_context(&s.encoder);
	av_discard(&s.out);
	av_sound_close(&s.sound);
	av_frame_free(&s.frame);
	av_frame_free(&s.piece);
	return error;
}
