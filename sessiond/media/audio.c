/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sound: Ogg/Opus voice notes, waveforms, durations, see av.h. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sessiond/media/av.h"

/*
 * The waveform of something of unknown length: mean loudness per step; when the steps are used up, neighbours are merged and a
 * step becomes twice as long. At the end the steps are spread over 64 blocks (protocol: mean absolute value, loudest = 100).
 */
enum { STEPS = 8192, FIRST_STEP = 32, OPUS_FRAME_MS = 20 };

struct wave {
	float steps[STEPS];
	int count;
	int step, filled; /* samples */
	double sum;
};

struct reading {
	struct av_in *in;
	struct av_sound sound;
	struct wave wave;
	int64_t samples;
	AVCodecContext *encoder; /* owned; NULL: only listening */
	AVStream *stream;
	struct av_out out;
};

/* ---- waveform ---- */

static void wave_merge(struct wave *wave)
{
	for (int i = 0; i < STEPS / 2; i++)
		wave->steps[i] = (wave->steps[2 * i] + wave->steps[2 * i + 1]) / 2;
	wave->count = STEPS / 2;
	wave->step *= 2;
}

static void wave_add(struct wave *wave, const int16_t *samples, int n)
{
	for (int i = 0; i < n; i++) {
		wave->sum += abs(samples[i]);
		if (++wave->filled < wave->step)
			continue;
		wave->steps[wave->count++] = (float)(wave->sum / wave->step);
		wave->sum = 0;
		wave->filled = 0;
		if (wave->count == STEPS)
			wave_merge(wave);
	}
}

static void wave_finish(const struct wave *wave, struct mediajob_result *result)
{
	float blocks[MEDIAJOB_WAVEFORM] = { 0 }, loudest = 0;

	for (int b = 0; b < MEDIAJOB_WAVEFORM; b++) {
		int from = b * wave->count / MEDIAJOB_WAVEFORM, to = (b + 1) * wave->count / MEDIAJOB_WAVEFORM;

		for (int i = from; i < to; i++)
			blocks[b] += wave->steps[i] / (float)(to - from);
		loudest = blocks[b] > loudest ? blocks[b] : loudest;
	}
	for (int b = 0; b < MEDIAJOB_WAVEFORM; b++)
		result->waveform[b] = loudest > 0 ? (uint8_t)(blocks[b] / loudest * 100) : 0;
	result->has_waveform = wave->count > 0;
}

/* ---- encoding ---- */

static int open_encoder(struct reading *r)
{
	const AVCodec *codec = avcodec_find_encoder_by_name("libopus");
	const struct mediajob_options *options = &r->in->w->job->options;
	AVDictionary *extra = NULL;
	int error;

	if (av_create(r->in->w, "ogg", &r->out))
		return r->in->w->result->error;
	r->encoder = codec ? avcodec_alloc_context3(codec) : NULL;
	if (!r->encoder)
		return work_fail(r->in->w, MEDIAJOB_E_WORKER, "no Opus encoder");
	r->encoder->sample_fmt = AV_SAMPLE_FMT_S16;
	r->encoder->sample_rate = r->sound.rate;
	r->encoder->bit_rate = (options->wish.audio_bitrate_k ? options->wish.audio_bitrate_k : options->voice.bitrate_k) * INT64_C(1000);
	r->encoder->time_base = (AVRational){ 1, r->sound.rate };
	av_channel_layout_default(&r->encoder->ch_layout, 1);
	av_dict_set(&extra, "application", "voip", 0);
	error = av_add_stream(&r->out, r->encoder, &extra, &r->stream);
	av_dict_free(&extra);
	if (!error && avformat_write_header(r->out.format, NULL) < 0)
		error = work_fail(r->in->w, MEDIAJOB_E_OUTPUT, "the output cannot be written");
	return error;
}

/* All whole frames that are there; at the end also the rest. */
static int pump(struct reading *r, AVFrame *frame, bool end)
{
	struct work *w = r->in->w;
	int n = r->encoder ? r->encoder->frame_size : r->sound.rate * OPUS_FRAME_MS / 1000, got = 1;

	while (av_audio_fifo_size(r->sound.fifo) >= (end ? 1 : n)) {
		got = av_sound_take(w, &r->sound, frame, n);
		if (got < 0)
			return got;
		assert(frame && frame->data[0]);
		wave_add(&r->wave, (const int16_t *)(const void *)frame->data[0], got);
		frame->pts = r->samples;
		r->samples += got;
		if (r->encoder && av_encode(&r->out, r->encoder, r->stream, frame))
			return w->result->error;
	}
	if (r->samples > LIMIT_MEDIA_DURATION_S * (int64_t)r->sound.rate)
		return work_fail(w, MEDIAJOB_E_LIMIT, "media may last %d s", LIMIT_MEDIA_DURATION_S);
	return 0;
}

static int read_all(struct reading *r, AVFrame *frame, AVFrame *piece)
{
	int track, rc, error = 0;

	while (!error && (rc = av_next(r->in, frame, &track)) > 0) {
		error = av_sound_put(r->in->w, &r->sound, frame);
		if (!error)
			error = pump(r, piece, false);
	}
	if (!error && rc < 0)
		error = rc;
	if (!error)
		error = av_sound_put(r->in->w, &r->sound, NULL);
	return error ? error : pump(r, piece, true);
}

static int finish(struct reading *r)
{
	struct work *w = r->in->w;
	struct mediajob_info *sent = &w->result->sent;

	if (av_encode(&r->out, r->encoder, r->stream, NULL))
		return w->result->error;
	if (av_write_trailer(r->out.format) < 0 || r->out.full)
		return work_fail(w, MEDIAJOB_E_OUTPUT, "the output cannot be written");
	*sent = (struct mediajob_info){ .kind = MEDIAJOB_AUDIO, .audio_codec = "opus", .bytes = work_written(w) };
	info_set_mime(sent, "audio/ogg; codecs=opus");
	return 0;
}

int audio_read(struct av_in *in, bool encode)
{
	struct work *w = in->w;
	struct reading *r = calloc(1, sizeof *r);
	AVFrame *frame = av_frame_alloc(), *piece = av_frame_alloc();
	int error = 0;

	if (!r || !frame || !piece)
		error = work_fail(w, MEDIAJOB_E_LIMIT, "not enough memory");
	assert(error || (r && frame && piece));
	if (!error) {
		r->in = in;
		r->wave.step = FIRST_STEP;
		error = av_decode(in, AV_AUDIO);
	}
	if (!error)
		error = av_sound_open(w, &r->sound, AV_SAMPLE_FMT_S16, 1, encode ? w->job->options.voice.rate_hz : 16000);
	if (!error && encode)
		error = open_encoder(r);
	if (!error)
		error = read_all(r, frame, piece);
	if (!error && !r->samples)
		error = work_fail(w, MEDIAJOB_E_INPUT, "there is no sound in it");
	if (!error && encode)
		error = finish(r);
	if (!error) {
		wave_finish(&r->wave, w->result);
		info_set_duration(&w->result->input, r->samples * 1000 / r->sound.rate);
		if (encode)
			info_set_duration(&w->result->sent, w->result->input.duration_ms);
	}
	if (r) {
		avcodec_free_context(&r->encoder);
		av_discard(&r->out);
		av_sound_close(&r->sound);
	}
	free(r);
	av_frame_free(&frame);
	av_frame_free(&piece);
	return error;
}
