/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Opening and decoding, see av.h. */
#include "sessiond/media/av.h"

#include <libavutil/display.h>
#include <math.h>
#include <string.h>

enum { IO_BUFFER = 65536, PROBE_BYTES = 1 << 20, MAX_BAD_PACKETS = 1000, MAX_SIDE = 8192 };

/* What a phone or a browser makes or plays. Formats that name other files (playlists, concatenations) are not among them. */
static const char demuxers[] = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,ogg,mp3,wav,aac,flac,amr,avi,mpegts,mpeg,flv,gif,w64,aiff,caf";

static const char decoders[] =
	"h264,hevc,mpeg4,mpeg2video,mpeg1video,h263,flv,vp8,vp9,libdav1d,av1,mjpeg,theora,msmpeg4v3,msmpeg4v2,gif,prores,rawvideo,"
	"aac,mp3,mp3float,mp2,mp2float,opus,libopus,vorbis,libvorbis,flac,alac,ac3,eac3,amrnb,amrwb,libopencore_amrnb,libopencore_amrwb,"
	"pcm_u8,pcm_s8,pcm_s16le,pcm_s16be,pcm_s24le,pcm_s24be,pcm_s32le,pcm_s32be,pcm_f32le,pcm_f32be,pcm_f64le,pcm_alaw,pcm_mulaw,"
	"adpcm_ima_wav,adpcm_ms,adpcm_ima_qt,gsm,gsm_ms,speex,libspeex,wmav1,wmav2";

int av_fail(struct work *w, int error, int averror, const char *what)
{
	char text[AV_ERROR_MAX_STRING_SIZE] = "";

	av_strerror(averror, text, sizeof text);
	return work_fail(w, averror == AVERROR(ENOMEM) ? MEDIAJOB_E_LIMIT : error, "%s: %s", what, text);
}

/* ---- input ---- */

static int read_input(void *opaque, uint8_t *out, int n)
{
	struct av_in *in = opaque;
	int64_t got = source_read(&in->w->source, in->at, out, n);

	if (got <= 0)
		return got == 0 ? AVERROR_EOF : AVERROR(EIO);
	in->at += got;
	return (int)got;
}

static int64_t seek_input(void *opaque, int64_t offset, int whence)
{
	struct av_in *in = opaque;
	int64_t size = in->w->source.size;

	if (whence & AVSEEK_SIZE)
		return size;
	switch (whence & ~AVSEEK_FORCE) {
	case SEEK_SET:
		break;
	case SEEK_CUR:
		offset = offset > INT64_MAX - in->at ? -1 : offset + in->at;
		break;
	case SEEK_END:
		offset = offset > INT64_MAX - size ? -1 : offset + size;
		break;
	default:
		offset = -1;
	}
	if (offset < 0)
		return AVERROR(EINVAL);
	return in->at = offset;
}

/* Formats must not reach beyond the one input. */
static int refuse_open(struct AVFormatContext *format, AVIOContext **io, const char *url, int flags, AVDictionary **options)
{
	(void)format, (void)url, (void)flags, (void)options;
	*io = NULL;
	return AVERROR(EACCES);
}

static bool is_listed(const char *list, const char *names)
{
	for (const char *p = names; *p; p += strcspn(p, ","), p += *p == ',') {
		size_t n = strcspn(p, ",");

		for (const char *q = list; *q; q += strcspn(q, ","), q += *q == ',')
			if (strcspn(q, ",") == n && !memcmp(p, q, n))
				return true;
	}
	return false;
}

static int find_demuxer(struct av_in *in, const AVInputFormat **format)
{
	int rc = av_probe_input_buffer2(in->io, format, "", NULL, 0, PROBE_BYTES);

	if (rc < 0 || !*format)
		return work_fail(in->w, MEDIAJOB_E_UNSUPPORTED, "no image, video or sound of a known kind");
	if (!is_listed(demuxers, (*format)->name))
		return work_fail(in->w, MEDIAJOB_E_UNSUPPORTED, "files of the kind %s are not supported", (*format)->name);
	return 0;
}

static int open_format(struct av_in *in)
{
	const AVInputFormat *format = NULL;
	int rc;

	if (find_demuxer(in, &format))
		return in->w->result->error;
	in->format = avformat_alloc_context();
	if (!in->format)
		return work_fail(in->w, MEDIAJOB_E_LIMIT, "not enough memory");
	in->format->pb = in->io;
	in->format->flags |= AVFMT_FLAG_CUSTOM_IO;
	in->format->io_open = refuse_open;
	in->format->max_streams = LIMIT_MEDIA_STREAMS;
	in->format->format_whitelist = av_strdup(demuxers);
	in->format->codec_whitelist = av_strdup(decoders);
	in->format->protocol_whitelist = av_strdup("");
	rc = avformat_open_input(&in->format, "", format, NULL);
	if (rc < 0)
		return av_fail(in->w, MEDIAJOB_E_INPUT, rc, "the file cannot be opened");
	rc = avformat_find_stream_info(in->format, NULL);
	if (rc < 0)
		return av_fail(in->w, MEDIAJOB_E_INPUT, rc, "the streams cannot be read");
	return 0;
}

/* Cover pictures of songs are no film. */
static void choose_tracks(struct av_in *in)
{
	static const enum AVMediaType types[] = { [AV_VIDEO] = AVMEDIA_TYPE_VIDEO, [AV_AUDIO] = AVMEDIA_TYPE_AUDIO };

	for (int track = 0; track < AV_TRACKS; track++) {
		int best = av_find_best_stream(in->format, types[track], -1, -1, NULL, 0);

		in->tracks[track].stream = best;
		if (best < 0 || in->format->streams[best]->disposition & AV_DISPOSITION_ATTACHED_PIC)
			in->tracks[track].stream = -1;
	}
	for (unsigned i = 0; i < in->format->nb_streams; i++)
		if ((int)i != in->tracks[AV_VIDEO].stream && (int)i != in->tracks[AV_AUDIO].stream)
			in->format->streams[i]->discard = AVDISCARD_ALL;
}

static void find_turn(struct av_in *in)
{
	size_t size = 0;
	const uint8_t *matrix;
	double degrees;

	if (in->tracks[AV_VIDEO].stream < 0)
		return;
	matrix = av_stream_get_side_data(in->format->streams[in->tracks[AV_VIDEO].stream], AV_PKT_DATA_DISPLAYMATRIX, &size);
	if (!matrix || size < 9 * sizeof(int32_t))
		return;
	degrees = -av_display_rotation_get((const int32_t *)(const void *)matrix);
	if (isfinite(degrees))
		in->turned = (((int)lround(degrees / 90) % 4 + 4) % 4) * 90;
}

static int check_limits(struct av_in *in)
{
	const AVCodecParameters *video = in->tracks[AV_VIDEO].stream < 0 ? NULL : in->format->streams[in->tracks[AV_VIDEO].stream]->codecpar;

	if (in->tracks[AV_VIDEO].stream < 0 && in->tracks[AV_AUDIO].stream < 0)
		return work_fail(in->w, MEDIAJOB_E_UNSUPPORTED, "neither pictures nor sound that could be read");
	if (in->format->duration > LIMIT_MEDIA_DURATION_S * (int64_t)AV_TIME_BASE)
		return work_fail(in->w, MEDIAJOB_E_LIMIT, "media may last %d s", LIMIT_MEDIA_DURATION_S);
	if (video && (video->width <= 0 || video->height <= 0))
		return work_fail(in->w, MEDIAJOB_E_INPUT, "the video has no size");
	if (video && (video->width > MAX_SIDE || video->height > MAX_SIDE || (int64_t)video->width * video->height > in->w->job->max_pixels))
		return work_fail(in->w, MEDIAJOB_E_LIMIT, "the video is %d x %d", video->width, video->height);
	return 0;
}

int av_open(struct work *w, struct av_in *in)
{
	uint8_t *buffer = av_malloc(IO_BUFFER);
	int error = 0;

	*in = (struct av_in){ .w = w, .packet = av_packet_alloc(), .tracks = { { .stream = -1 }, { .stream = -1 } } };
	if (buffer)
		in->io = avio_alloc_context(buffer, IO_BUFFER, 0, in, read_input, NULL, seek_input);
	if (!in->io || !in->packet)
		error = work_fail(w, MEDIAJOB_E_LIMIT, "not enough memory");
	if (!error)
		error = open_format(in);
	if (!error) {
		choose_tracks(in);
		find_turn(in);
		error = check_limits(in);
	}
	if (error)
		av_close(in);
	return error;
}

void av_close(struct av_in *in)
{
	for (int track = 0; track < AV_TRACKS; track++)
		avcodec_free_context(&in->tracks[track].decoder);
	avformat_close_input(&in->format);
	av_packet_free(&in->packet);
	if (in->io)
		av_freep(&in->io->buffer);
	avio_context_free(&in->io);
}

/* ---- what it is ---- */

static const char *codec_of(const struct av_in *in, int track)
{
	int stream = in->tracks[track].stream;

	return stream < 0 ? "" : avcodec_get_name(in->format->streams[stream]->codecpar->codec_id);
}

static void describe_mime(const struct av_in *in, struct mediajob_info *info)
{
	static const struct {
		const char *demuxer, *video, *audio; /* audio NULL: as video */
	} mimes[] = { { "mov", "video/mp4", "audio/mp4" }, { "matroska", "video/webm", "audio/webm" }, { "ogg", "video/ogg", "audio/ogg" },
		      { "mp3", NULL, "audio/mpeg" }, { "wav", NULL, "audio/wav" }, { "aac", NULL, "audio/aac" }, { "flac", NULL, "audio/flac" },
		      { "amr", NULL, "audio/amr" }, { "avi", "video/x-msvideo", NULL }, { "mpegts", "video/mp2t", NULL },
		      { "mpeg", "video/mpeg", "audio/mpeg" }, { "flv", "video/x-flv", NULL }, { "gif", "image/gif", NULL } };
	bool video = info->kind == MEDIAJOB_VIDEO;
	const char *mime = NULL;

	for (size_t i = 0; i < sizeof mimes / sizeof *mimes && !mime; i++)
		if (is_listed(in->format->iformat->name, mimes[i].demuxer))
			mime = video || !mimes[i].audio ? mimes[i].video : mimes[i].audio;
	if (mime && !strcmp(mime, "audio/ogg") && !strcmp(info->audio_codec, "opus"))
		mime = "audio/ogg; codecs=opus";
	info_set_mime(info, mime ? mime : "application/octet-stream");
}

/* Recorders of browsers write no duration: the last packet tells. */
static int64_t scan_duration(struct av_in *in)
{
	int64_t last_ms = 0;

	while (av_read_frame(in->format, in->packet) >= 0) {
		const AVStream *stream = in->format->streams[in->packet->stream_index];
		int64_t at = in->packet->pts == AV_NOPTS_VALUE ? in->packet->dts : in->packet->pts, ms;

		if (at != AV_NOPTS_VALUE) {
			ms = av_rescale_q(at + (in->packet->duration > 0 ? in->packet->duration : 0), stream->time_base, (AVRational){ 1, 1000 });
			last_ms = ms > last_ms && ms <= LIMIT_MEDIA_DURATION_S * INT64_C(1000) ? ms : last_ms;
		}
		av_packet_unref(in->packet);
	}
	av_seek(in, 0);
	return last_ms;
}

int av_describe(struct av_in *in)
{
	struct mediajob_info *info = &in->w->result->input;
	const struct av_track *video = &in->tracks[AV_VIDEO];

	info->kind = video->stream >= 0 ? MEDIAJOB_VIDEO : MEDIAJOB_AUDIO;
	snprintf(info->video_codec, sizeof info->video_codec, "%s", codec_of(in, AV_VIDEO));
	snprintf(info->audio_codec, sizeof info->audio_codec, "%s", codec_of(in, AV_AUDIO));
	if (video->stream >= 0) {
		const AVCodecParameters *par = in->format->streams[video->stream]->codecpar;
		bool lying = in->turned % 180 != 0;

		info->width = lying ? par->height : par->width;
		info->height = lying ? par->width : par->height;
	}
	if (in->format->duration > 0)
		info_set_duration(info, in->format->duration / (AV_TIME_BASE / 1000));
	else
		info_set_duration(info, scan_duration(in));
	describe_mime(in, info);
	return 0;
}

/* ---- decoding ---- */

int av_decode(struct av_in *in, int track)
{
	struct av_track *t = &in->tracks[track];
	const AVStream *stream = in->format->streams[t->stream];
	const AVCodec *codec = avcodec_find_decoder(stream->codecpar->codec_id);
	int rc;

	if (!codec || !is_listed(decoders, codec->name))
		return work_fail(in->w, MEDIAJOB_E_UNSUPPORTED, "the codec %s is not supported", avcodec_get_name(stream->codecpar->codec_id));
	t->decoder = avcodec_alloc_context3(codec);
	if (!t->decoder)
		return work_fail(in->w, MEDIAJOB_E_LIMIT, "not enough memory");
	rc = avcodec_parameters_to_context(t->decoder, stream->codecpar);
	t->decoder->thread_count = 1;
	t->decoder->max_pixels = in->w->job->max_pixels;
	t->decoder->pkt_timebase = stream->time_base;
	if (rc >= 0)
		rc = avcodec_open2(t->decoder, codec, NULL);
	return rc < 0 ? av_fail(in->w, MEDIAJOB_E_INPUT, rc, "the codec cannot be opened") : 0;
}

static struct av_track *track_of(struct av_in *in, int stream)
{
	for (int i = 0; i < AV_TRACKS; i++)
		if (in->tracks[i].decoder && in->tracks[i].stream == stream)
			return &in->tracks[i];
	return NULL;
}

/* 1: a frame. 0: none now. Negative: failed. */
static int receive(struct av_in *in, int index, AVFrame *frame)
{
	struct av_track *track = &in->tracks[index];
	int rc;

	if (!track->decoder || track->ended)
		return 0;
	rc = avcodec_receive_frame(track->decoder, frame);
	if (rc == AVERROR_EOF || (rc < 0 && track->draining))
		track->ended = true;
	if (rc == AVERROR(ENOMEM))
		return work_fail(in->w, MEDIAJOB_E_LIMIT, "not enough memory for a frame");
	if (rc < 0)
		return 0;
	if (++track->frames > LIMIT_MEDIA_FRAMES * (index == AV_AUDIO ? 20 : 1))
		return work_fail(in->w, MEDIAJOB_E_LIMIT, "too many frames");
	return 1;
}

static int give_packet(struct av_in *in)
{
	struct av_track *track;
	int rc = av_read_frame(in->format, in->packet);

	if (rc < 0) {
		in->at_end = true;
		for (int i = 0; i < AV_TRACKS; i++) {
			if (in->tracks[i].decoder && !in->tracks[i].draining) {
				avcodec_send_packet(in->tracks[i].decoder, NULL);
				in->tracks[i].draining = true;
			}
		}
		return 0;
	}
	track = track_of(in, in->packet->stream_index);
	if (track) {
		rc = avcodec_send_packet(track->decoder, in->packet);
		in->last = (int)(track - in->tracks);
		if (rc < 0 && rc != AVERROR(EAGAIN) && ++in->bad_packets > MAX_BAD_PACKETS) {
			av_packet_unref(in->packet);
			return work_fail(in->w, MEDIAJOB_E_INPUT, "too many broken packets");
		}
		if (rc == AVERROR(ENOMEM)) {
			av_packet_unref(in->packet);
			return work_fail(in->w, MEDIAJOB_E_LIMIT, "not enough memory for a frame");
		}
	}
	av_packet_unref(in->packet);
	return 0;
}

int av_next(struct av_in *in, AVFrame *frame, int *track)
{
	av_frame_unref(frame);
	for (;;) {
		for (int i = 0; i < AV_TRACKS; i++) {
			int rc = in->at_end || i == in->last ? receive(in, i, frame) : 0;

			*track = i;
			if (rc)
				return rc;
		}
		if (in->at_end) {
			bool more = false;

			for (int i = 0; i < AV_TRACKS; i++)
				more = more || (in->tracks[i].decoder && !in->tracks[i].ended);
			if (!more)
				return 0;
		} else if (give_packet(in)) {
			return in->w->result->error;
		}
	}
}

void av_seek(struct av_in *in, int64_t ms)
{
	int64_t start = in->format->start_time == AV_NOPTS_VALUE ? 0 : in->format->start_time;

	if (av_seek_frame(in->format, -1, start + ms * 1000, AVSEEK_FLAG_BACKWARD) < 0 &&
	    av_seek_frame(in->format, -1, 0, AVSEEK_FLAG_BACKWARD | AVSEEK_FLAG_BYTE) < 0)
		return;
	in->at_end = false;
	for (int i = 0; i < AV_TRACKS; i++) {
		if (in->tracks[i].decoder)
			avcodec_flush_buffers(in->tracks[i].decoder);
		in->tracks[i].draining = in->tracks[i].ended = false;
	}
}

int64_t av_frame_ms(const struct av_in *in, int track, const AVFrame *frame)
{
	int64_t start = in->format->start_time == AV_NOPTS_VALUE ? 0 : in->format->start_time / 1000;

	if (frame->best_effort_timestamp == AV_NOPTS_VALUE)
		return -1;
	return av_rescale_q(frame->best_effort_timestamp, in->format->streams[in->tracks[track].stream]->time_base, (AVRational){ 1, 1000 }) - start;
}

void av_warm_up(void)
{
	static const char *const encoders[] = { "libx264", "aac", "libopus", "libmp3lame" };

	av_log_set_level(AV_LOG_QUIET);
	for (size_t i = 0; i < sizeof encoders / sizeof *encoders; i++)
		avcodec_find_encoder_by_name(encoders[i]);
}
