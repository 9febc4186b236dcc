/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Encoding and writing, and resampling, see av.h. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "sessiond/media/av.h"

enum { IO_BUFFER = 65536 };

/* ---- the file ---- */

static int write_output(void *opaque, uint8_t *bytes, int n)
{
	struct av_out *out = opaque;
	ssize_t wrote;

	if (out->at + n > out->w->job->max_output_bytes) {
		out->full = true;
		return AVERROR(EFBIG);
	}
	wrote = pwrite(out->w->output, bytes, (size_t)n, out->at);
	if (wrote <= 0) {
		out->full = true;
		return AVERROR(errno ? errno : EIO);
	}
	out->at += wrote;
	out->end = out->at > out->end ? out->at : out->end;
	return (int)wrote;
}

static int read_back(void *opaque, uint8_t *bytes, int n)
{
	struct av_out *out = opaque;
	ssize_t got = pread(out->w->output, bytes, (size_t)n, out->at);

	if (got <= 0)
		return got == 0 ? AVERROR_EOF : AVERROR(EIO);
	out->at += got;
	return (int)got;
}

static int64_t seek_output(void *opaque, int64_t offset, int whence)
{
	struct av_out *out = opaque;

	if (whence & AVSEEK_SIZE)
		return out->end;
	switch (whence & ~AVSEEK_FORCE) {
	case SEEK_SET:
		break;
	case SEEK_CUR:
		offset += out->at;
		break;
	case SEEK_END:
		offset += out->end;
		break;
	default:
		offset = -1;
	}
	return offset < 0 ? AVERROR(EINVAL) : (out->at = offset);
}

/* For faststart the muxer reads what it wrote; it has no other reason to open anything. */
static int open_again(struct AVFormatContext *format, AVIOContext **io, const char *url, int flags, AVDictionary **options)
{
	const struct av_out *out = format->opaque;
	struct av_out *again = NULL;
	uint8_t *buffer = NULL;

	(void)url, (void)options;
	*io = NULL;
	if (flags & AVIO_FLAG_WRITE)
		return AVERROR(EACCES);
	again = av_memdup(out, sizeof *out);
	buffer = av_malloc(IO_BUFFER);
	if (again && buffer) {
		again->at = 0;
		*io = avio_alloc_context(buffer, IO_BUFFER, 0, again, read_back, NULL, seek_output);
	}
	if (*io)
		return 0;
	av_free(again);
	av_free(buffer);
	return AVERROR(ENOMEM);
}

static int close_again(struct AVFormatContext *format, AVIOContext *io)
{
	(void)format;
	av_free(io->opaque);
	av_freep(&io->buffer);
	avio_context_free(&io);
	return 0;
}

int av_create(struct work *w, const char *muxer, struct av_out *out)
{
	uint8_t *buffer;
	int rc;

	*out = (struct av_out){ .w = w };
	if (w->output < 0)
		return work_fail(w, MEDIAJOB_E_OUTPUT, "no output file");
	if (ftruncate(w->output, 0))
		return work_fail(w, MEDIAJOB_E_OUTPUT, "%s", strerror(errno));
	rc = avformat_alloc_output_context2(&out->format, NULL, muxer, NULL);
	if (rc < 0)
		return av_fail(w, MEDIAJOB_E_WORKER, rc, "the format cannot be written");
	buffer = av_malloc(IO_BUFFER);
	if (buffer)
		out->io = avio_alloc_context(buffer, IO_BUFFER, 1, out, NULL, write_output, seek_output);
	if (!out->io) {
		av_free(buffer);
		return work_fail(w, MEDIAJOB_E_LIMIT, "not enough memory");
	}
	out->format->pb = out->io;
	out->format->flags |= AVFMT_FLAG_CUSTOM_IO | AVFMT_FLAG_BITEXACT;
	out->format->opaque = out;
	out->format->io_open = open_again;
	out->format->io_close2 = close_again;
	return 0;
}

void av_discard(struct av_out *out)
{
	if (out->io)
		av_freep(&out->io->buffer);
	avio_context_free(&out->io);
	avformat_free_context(out->format);
	out->format = NULL;
}

/* ---- encoding ---- */

int av_add_stream(struct av_out *out, AVCodecContext *encoder, AVDictionary **options, AVStream **stream)
{
	int rc;

	encoder->thread_count = 1;
	if (out->format->oformat->flags & AVFMT_GLOBALHEADER)
		encoder->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
	rc = avcodec_open2(encoder, encoder->codec, options);
	if (rc < 0)
		return av_fail(out->w, MEDIAJOB_E_UNSUPPORTED, rc, "the encoder cannot be opened");
	*stream = avformat_new_stream(out->format, NULL);
	if (!*stream)
		return work_fail(out->w, MEDIAJOB_E_LIMIT, "not enough memory");
	(*stream)->time_base = encoder->time_base;
	rc = avcodec_parameters_from_context((*stream)->codecpar, encoder);
	return rc < 0 ? av_fail(out->w, MEDIAJOB_E_LIMIT, rc, "the stream cannot be made") : 0;
}

static int write_packets(struct av_out *out, AVCodecContext *encoder, const AVStream *stream, AVPacket *packet)
{
	int rc;

	while ((rc = avcodec_receive_packet(encoder, packet)) >= 0) {
		packet->stream_index = stream->index;
		av_packet_rescale_ts(packet, encoder->time_base, stream->time_base);
		rc = av_interleaved_write_frame(out->format, packet);
		if (rc < 0 || out->full)
			return av_fail(out->w, MEDIAJOB_E_OUTPUT, rc < 0 ? rc : AVERROR(EFBIG), "the output cannot be written");
	}
	return rc == AVERROR(EAGAIN) || rc == AVERROR_EOF ? 0 : av_fail(out->w, MEDIAJOB_E_LIMIT, rc, "encoding failed");
}

int av_encode(struct av_out *out, AVCodecContext *encoder, AVStream *stream, AVFrame *frame)
{
	AVPacket *packet = av_packet_alloc();
	int rc = packet ? avcodec_send_frame(encoder, frame) : AVERROR(ENOMEM), error;

	if (rc < 0 && rc != AVERROR_EOF)
		error = av_fail(out->w, MEDIAJOB_E_LIMIT, rc, "encoding failed");
	else
		error = write_packets(out, encoder, stream, packet);
	av_packet_free(&packet);
	return error;
}

/* ---- sound ---- */

int av_sound_open(struct work *w, struct av_sound *sound, enum AVSampleFormat format, int channels, int rate)
{
	*sound = (struct av_sound){ .format = format, .rate = rate, .in_format = -1 };
	av_channel_layout_default(&sound->layout, channels);
	sound->fifo = av_audio_fifo_alloc(format, channels, rate);
	return sound->fifo ? 0 : work_fail(w, MEDIAJOB_E_LIMIT, "not enough memory");
}

void av_sound_close(struct av_sound *sound)
{
	swr_free(&sound->swr);
	if (sound->fifo)
		av_audio_fifo_free(sound->fifo);
	sound->fifo = NULL;
	av_channel_layout_uninit(&sound->in_layout);
	av_channel_layout_uninit(&sound->layout);
}

static bool fits(const struct av_sound *sound, const AVFrame *frame)
{
	return sound->swr && sound->in_format == frame->format && sound->in_rate == frame->sample_rate &&
	       !av_channel_layout_compare(&sound->in_layout, &frame->ch_layout);
}

/* The format may change in the middle of a stream. */
static int adapt(struct work *w, struct av_sound *sound, const AVFrame *frame)
{
	AVChannelLayout layout = { 0 };
	int rc;

	if (frame->sample_rate <= 0 || frame->ch_layout.nb_channels <= 0)
		return work_fail(w, MEDIAJOB_E_INPUT, "sound without a rate");
	if (frame->ch_layout.order == AV_CHANNEL_ORDER_UNSPEC)
		av_channel_layout_default(&layout, frame->ch_layout.nb_channels);
	else
		av_channel_layout_copy(&layout, &frame->ch_layout);
	rc = swr_alloc_set_opts2(&sound->swr, &sound->layout, sound->format, sound->rate, &layout, (enum AVSampleFormat)frame->format, frame->sample_rate, 0, NULL);
	av_channel_layout_uninit(&layout);
	if (rc >= 0)
		rc = swr_init(sound->swr);
	if (rc < 0)
		return av_fail(w, MEDIAJOB_E_INPUT, rc, "the sound cannot be resampled");
	av_channel_layout_uninit(&sound->in_layout);
	av_channel_layout_copy(&sound->in_layout, &frame->ch_layout);
	sound->in_format = frame->format;
	sound->in_rate = frame->sample_rate;
	return 0;
}

int av_sound_put(struct work *w, struct av_sound *sound, const AVFrame *frame)
{
	uint8_t *planes[8] = { NULL };
	int room, n, error = 0;

	if (frame && !fits(sound, frame) && adapt(w, sound, frame))
		return w->result->error;
	if (!sound->swr)
		return 0;
	room = swr_get_out_samples(sound->swr, frame ? frame->nb_samples : 0);
	if (room <= 0)
		return 0;
	if (av_samples_alloc(planes, NULL, sound->layout.nb_channels, room, sound->format, 0) < 0)
		return work_fail(w, MEDIAJOB_E_LIMIT, "not enough memory");
	n = swr_convert(sound->swr, planes, room, frame ? (const uint8_t **)(void *)frame->extended_data : NULL, frame ? frame->nb_samples : 0);
	if (n < 0)
		error = av_fail(w, MEDIAJOB_E_INPUT, n, "the sound cannot be resampled");
	else if (n > 0 && av_audio_fifo_write(sound->fifo, (void **)planes, n) < n)
		error = work_fail(w, MEDIAJOB_E_LIMIT, "not enough memory");
	av_freep(&planes[0]);
	return error;
}

int av_sound_take(struct work *w, struct av_sound *sound, AVFrame *frame, int n)
{
	int have = av_audio_fifo_size(sound->fifo);

	if (have <= 0)
		return 0;
	av_frame_unref(frame);
	frame->nb_samples = n < have ? n : have;
	frame->format = sound->format;
	frame->sample_rate = sound->rate;
	av_channel_layout_copy(&frame->ch_layout, &sound->layout);
	if (av_frame_get_buffer(frame, 0) < 0 || av_audio_fifo_read(sound->fifo, (void **)frame->data, frame->nb_samples) < frame->nb_samples)
		return work_fail(w, MEDIAJOB_E_LIMIT, "not enough memory");
	return frame->nb_samples;
}
