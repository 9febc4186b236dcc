/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the parts of a job share. Private to the worker program.
 *
 *     job.c      the tasks                    source.c   bytes in, bytes out          sniff.c  what are these bytes
 *     prepare.c  what a route sends           image.c    still pictures (GraphicsMagick, libwebp)
 *     av.c       opening, probing (FFmpeg)    video.c    to MP4      audio.c   to Opus, waveform     sound.c   to MP3 and M4A
 *     frames.c   pictures of a video
 *     sticker.c  WebP stickers                webp.c     animated WebP, EXIF pack metadata
 *
 * Functions answer 0 or an enum mediajob_error that work_fail() has put into the result with a reason.
 */
#ifndef SESSIOND_MEDIA_WORK_H
#define SESSIOND_MEDIA_WORK_H

#include "common/buf.h"
#include "common/limits.h"
#include "sessiond/media/media.h"

/* Where the input is read from: a file by position, or memory. */
struct source {
	int fd;               /* borrowed; -1: memory */
	uint8_t *owned;       /* bytes of a stream, or of a file that was loaded */
	int64_t size;
};

enum sniff { SNIFF_OTHER, SNIFF_JPEG, SNIFF_PNG, SNIFF_GIF, SNIFF_WEBP, SNIFF_BMP, SNIFF_TIFF, SNIFF_EMPTY };

struct work {
	const struct mediajob *job;   /* borrowed */
	struct mediajob_result *result;   /* borrowed */
	struct source source;
	int output;                    /* -1: none */
	enum sniff sniffed;
};

int work_fail(struct work *w, int error, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* source.c */
int source_open(struct work *w, int fd);
void source_close(struct source *source);
/* Bytes read, 0 at the end, -1. */
int64_t source_read(const struct source *source, int64_t at, void *out, int64_t n);
/* The whole input in memory, at most `limit` bytes. */
int source_load(struct work *w, int64_t limit, struct span *out);
/* Writes the output from 0 on and ends it there. */
int work_write(struct work *w, const void *bytes, size_t n);
/* Bytes in the output. */
int64_t work_written(const struct work *w);

/* sniff.c */
enum sniff sniff_bytes(const uint8_t *bytes, size_t n);
const char *sniff_mime(enum sniff sniffed);
/* Of PNG and GIF, before any decoder looks at them; 0 x 0 of others. */
void sniff_size(enum sniff sniffed, struct span bytes, unsigned long *width, unsigned long *height);
/* Does EXIF say that width and height have to be exchanged? */
bool sniff_jpeg_lying(struct span bytes);
/* Is this GIF made of more than one picture? Reads the blocks, decodes nothing. */
bool sniff_gif_animated(struct span bytes);

/* prepare.c */
int prepare_run(struct work *w);
int probe_input(struct work *w);

/* Sets seconds from duration_ms: at least 1 for what lasts at all. */
void info_set_duration(struct mediajob_info *info, int64_t duration_ms);
void info_set_mime(struct mediajob_info *info, const char *mime);

#endif
