/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Films and sound over FFmpeg's libraries. Private to the worker program.
 *
 *     source --AVIO--> demuxer (list in av.c) --packets--> decoders (list in av.c) --av_next()--> frames
 *     frames --> scaled, resampled --> encoder --> muxer --AVIO--> output
 *
 * No paths and no protocols: whatever a format asks to be opened is refused. One thread: the cage allows no more.
 */
#ifndef SESSIOND_MEDIA_AV_H
#define SESSIOND_MEDIA_AV_H

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/audio_fifo.h>
#include <libavutil/channel_layout.h>
#include <libswresample/swresample.h>
#include <libswscale/swscale.h>

#include "sessiond/media/image.h"
#include "sessiond/media/work.h"

enum { AV_VIDEO, AV_AUDIO, AV_TRACKS };

struct av_track {
	int stream;              /* -1: none */
	AVCodecContext *decoder; /* owned; NULL: not opened */
	bool draining, ended;    /* no packets come any more; no frames either */
	int64_t frames;
};

struct av_in {
	struct work *w;          /* borrowed */
	AVIOContext *io;         /* owned */
	int64_t at;              /* position of io */
	AVFormatContext *format; /* owned */
	struct av_track tracks[AV_TRACKS];
	AVPacket *packet;        /* owned */
	int last;                /* the track that packets were last given to */
	bool at_end;
	int bad_packets;
	int turned;              /* degrees clockwise that the picture is shown turned: 0, 90, 180, 270 */
};

void av_warm_up(void);

/* Opens the container and finds its streams; no decoder yet. On failure nothing stays open. */
int av_open(struct work *w, struct av_in *in);
void av_close(struct av_in *in);
/* Fills result->input. */
int av_describe(struct av_in *in);
/* Opens the decoder of a track. */
int av_decode(struct av_in *in, int track);
/* 1: the next frame of an opened track, 0: no more, negative: failed. frame is unreferenced first. */
int av_next(struct av_in *in, AVFrame *frame, int *track);
/* Goes to the key frame before that time. */
void av_seek(struct av_in *in, int64_t ms);
/* Milliseconds of a frame since the start of the input; -1 if unknown. */
int64_t av_frame_ms(const struct av_in *in, int track, const AVFrame *frame);
/* The frame as it is shown (turned), scaled to width x height before turning if they are not 0. */
struct still *av_still(struct av_in *in, const AVFrame *frame);

/* ---- output ---- */

struct av_out {
	struct work *w;          /* borrowed */
	AVFormatContext *format; /* owned */
	AVIOContext *io;         /* owned */
	int64_t at, end;
	bool full;               /* the output would not fit or could not be written */
};

int av_create(struct work *w, const char *muxer, struct av_out *out);
void av_discard(struct av_out *out);
/* Opens a stream for an encoder that is set up but not opened yet. */
int av_add_stream(struct av_out *out, AVCodecContext *encoder, AVDictionary **options, AVStream **stream);
/* frame NULL: the end. */
int av_encode(struct av_out *out, AVCodecContext *encoder, AVStream *stream, AVFrame *frame);
/* work_fail() with FFmpeg's words. */
int av_fail(struct work *w, int error, int averror, const char *what);

/* ---- sound ---- */

/* Resamples whatever comes to one format. */
struct av_sound {
	SwrContext *swr;         /* owned */
	AVAudioFifo *fifo;       /* owned */
	enum AVSampleFormat format;
	AVChannelLayout layout;
	int rate;
	AVChannelLayout in_layout; /* owned */
	int in_format, in_rate;
};

int av_sound_open(struct work *w, struct av_sound *sound, enum AVSampleFormat format, int channels, int rate);
void av_sound_close(struct av_sound *sound);
/* frame NULL: what the resampler still holds. */
int av_sound_put(struct work *w, struct av_sound *sound, const AVFrame *frame);
/* Takes up to n samples into frame (allocated for its format); 0 when there are none, samples otherwise, negative: failed. */
int av_sound_take(struct work *w, struct av_sound *sound, AVFrame *frame, int n);

/* ---- tasks (video.c, audio.c, sound.c, frames.c) ---- */

struct video_plan {
	int max_width, crf, preset, audio_bitrate_k, max_fps; /* max_fps 0: as it comes */
	int video_bitrate_k;     /* 0: as the quality (crf) needs */
	bool silent, square;
	int64_t max_ms;          /* 0: all of it */
};

/* Writes an MP4 (H.264, AAC) and fills result->sent. */
int video_to_mp4(struct av_in *in, const struct video_plan *plan);
/* Reads all sound: waveform and duration of result->input; with an encoder, Ogg/Opus into the output and result->sent. */
int audio_read(struct av_in *in, bool encode);
/* Writes the sound as a file of its own and fills result->sent. bitrate_k 0: a common one. sound.c */
int sound_to(struct av_in *in, enum mediajob_sound format, int bitrate_k);
/* The frame shown at that time as a picture. */
int frames_at(struct av_in *in, int64_t ms, struct still **out);

#endif
