/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sessiond/media: foreign media are parsed in a cage (ARCHITECTURE rule 9). FFmpeg and GraphicsMagick are linked by the worker
 * program only (warest-media); this header is the daemon's side of it.
 *
 *     any loop -- mediajob_submit() --> [ queue ] --> main loop -- SOCK_SEQPACKET: job + descriptors --> warest-media (parent)
 *                                                                                                      | fork for each job
 *     caller's loop <-- done(result) <--------------------------- result <-- pipe <-- caged child (job.c): in fd -> out fd
 *
 * The parent is started with the first job and again when it has died; it parses nothing itself. A child has no network, no
 * paths, no other descriptors, bounded memory, CPU and output, nice 19 (cage.c), and is killed when its time is over. What goes
 * wrong in it is the error of that job; the next job has a new child. At most settings.workers children run at a time.
 *
 * One call does what a send route needs ("prepare this input for route X"):
 *
 *     struct mediajob job = { .task = MEDIAJOB_TASK_PREPARE, .route = MEDIAJOB_ROUTE_STICKER, .input = upload_fd,
 *                              .output = mediajob_scratch(spool_dir) };
 *     mediajob_options_init(&job.options, config);
 *     mediajob_options_text(&job.options, job.route, "size", "256");      (each member of the request's "compression" object)
 *     mediajob_submit(daemon->media, my_loop, &job, done, arg);
 *     done: result->error < 0 && !mediajob_may_send_input(job.route, result): answer the error
 *           otherwise send the input if result->unchanged, else the output; result->sent describes the bytes to send
 */
#ifndef SESSIOND_MEDIA_MEDIA_H
#define SESSIOND_MEDIA_MEDIA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct config;
struct log;
struct loop;
struct mediajobs;

enum mediajob_error {
	MEDIAJOB_OK = 0,
	MEDIAJOB_E_INPUT = -1,       /* broken, truncated, empty */
	MEDIAJOB_E_UNSUPPORTED = -2, /* a format or codec that is not on the list, or of no use for the route */
	MEDIAJOB_E_LIMIT = -3,       /* dimensions, frames, duration, streams, bytes, memory: over the limit */
	MEDIAJOB_E_TIMEOUT = -4,
	MEDIAJOB_E_CRASH = -5,       /* the child died of the input */
	MEDIAJOB_E_CAGE = -6,        /* the child tried what it may not and was killed */
	MEDIAJOB_E_OUTPUT = -7,      /* the output cannot be written: full disk, or it grew over its limit */
	MEDIAJOB_E_BUSY = -8,        /* the queue is full */
	MEDIAJOB_E_WORKER = -9,      /* the worker program cannot be started */
	MEDIAJOB_E_CANCELLED = -10   /* mediajob_cancel(), or the daemon stops */
};

/* A line a person can act on. Static. */
const char *mediajob_error_text(int error);

enum mediajob_task {
	MEDIAJOB_TASK_PROBE,   /* what is it: result.input, waveform of audio */
	MEDIAJOB_TASK_PREPARE, /* make it fit for a send route (options), with thumbnail and waveform */
	MEDIAJOB_TASK_IMAGE,   /* scale, convert, recompress an image (image); metadata are stripped, the EXIF orientation applied */
	MEDIAJOB_TASK_FRAMES,  /* JPEG thumbnails of an image or video, one behind the other in the output (frames, result.part) */
	MEDIAJOB_TASK_HOOK     /* tests only, refused unless settings.hooks: misbehave in the way of `hook` */
};

enum mediajob_route {
	MEDIAJOB_ROUTE_MEDIA,      /* image or video of send/media */
	MEDIAJOB_ROUTE_GIF,        /* silent MP4 for gifPlayback */
	MEDIAJOB_ROUTE_AUDIO,      /* audio as it is: seconds and waveform */
	MEDIAJOB_ROUTE_VOICE,      /* Ogg/Opus mono with waveform */
	MEDIAJOB_ROUTE_STICKER,    /* 512x512 WebP, still or animated */
	MEDIAJOB_ROUTE_VIDEO_NOTE, /* H.264/AAC MP4, square */
	MEDIAJOB_ROUTE_DOCUMENT    /* as it is, with a thumbnail if it is a picture or a video */
};

enum mediajob_kind { MEDIAJOB_NONE, MEDIAJOB_IMAGE, MEDIAJOB_VIDEO, MEDIAJOB_AUDIO };

enum mediajob_format { MEDIAJOB_FORMAT_SAME, MEDIAJOB_FORMAT_JPEG, MEDIAJOB_FORMAT_PNG, MEDIAJOB_FORMAT_WEBP };

enum mediajob_fit { MEDIAJOB_FIT_COVER, MEDIAJOB_FIT_CONTAIN, MEDIAJOB_FIT_FILL, MEDIAJOB_FIT_INSIDE, MEDIAJOB_FIT_OUTSIDE };

enum { MEDIAJOB_WAVEFORM = 64, MEDIAJOB_MAX_PARTS = 6, MEDIAJOB_MAX_THUMBNAIL = 16384, MEDIAJOB_MAX_STICKER_TEXT = 128 };

enum mediajob_sound { MEDIAJOB_SOUND_SAME, MEDIAJOB_SOUND_MP3, MEDIAJOB_SOUND_MP4 };

/* Defaults of the settings WAREST_COMPRESS_*, overridden by a request's options (config.md 4). Always within their bounds. */
struct mediajob_options {
	bool compress;              /* false: only what playback needs */
	struct {
		int quality, max_dimension, png_level, webp_effort;
		int64_t min_bytes;
		double min_savings;
		bool allow_webp, keep_format, png_to_jpeg;
		enum mediajob_format format; /* SAME: not asked for */
	} image;
	struct {
		int max_width, crf, preset, audio_bitrate_k; /* preset: place in WAREST_COMPRESS_VIDEO_PRESET's choices */
		int64_t min_bytes;
		double min_savings;
	} video;
	struct {
		int bitrate_k, rate_hz; /* rate: 16000 or 48000 */
	} voice;
	struct {
		int quality, size, effort;
		int64_t max_still_bytes, max_animated_bytes;
		/* EXIF pack metadata; all empty: none is written. */
		char pack[MEDIAJOB_MAX_STICKER_TEXT], publisher[MEDIAJOB_MAX_STICKER_TEXT], emojis[MEDIAJOB_MAX_STICKER_TEXT];
	} sticker;
	/* What a receiver's action asks for (webhooks.md 8.2): done whether it pays or not. All zero: nothing. */
	struct {
		bool image, film;       /* asked for at all */
		int width, height;      /* as in struct mediajob_image */
		enum mediajob_fit fit;
		bool enlarge;
		enum mediajob_format format;
		int quality;
		int video_bitrate_k, audio_bitrate_k; /* 0: by quality, the setting's */
		enum mediajob_sound sound;            /* of route AUDIO */
	} wish;
};

/* From the settings; config NULL: the built-in defaults. */
void mediajob_options_init(struct mediajob_options *options, const struct config *config);
/* One member of a request's "compression" object by its name, the value as text; booleans in all words the API knows. Out of
 * range is moved to the bound; false: unknown name or no such value (it counts as not given). */
bool mediajob_options_text(struct mediajob_options *options, enum mediajob_route route, const char *name, const char *value);

struct mediajob_image {
	int width, height;   /* 0: from the other one, or not scaled */
	enum mediajob_fit fit;
	enum mediajob_format format;
	int quality;         /* 1..100; of PNG below 100: fewer colours */
};

struct mediajob_frames {
	int width, height, count;
	bool video;          /* count frames spread over the duration; else one, cropped to the size */
};

enum mediajob_hook { MEDIAJOB_HOOK_CRASH, MEDIAJOB_HOOK_OPEN, MEDIAJOB_HOOK_SOCKET, MEDIAJOB_HOOK_SPIN, MEDIAJOB_HOOK_MEMORY, MEDIAJOB_HOOK_FORK, MEDIAJOB_HOOK_OUTPUT };

struct mediajob {
	enum mediajob_task task;
	enum mediajob_route route;
	int input, output;           /* borrowed: mediajob_submit() duplicates them. output -1: none is made (probe) */
	struct mediajob_options options;
	struct mediajob_image image;
	struct mediajob_frames frames;
	enum mediajob_hook hook;
	int64_t timeout_ms;          /* 0: settings.timeout_ms */
	int64_t max_output_bytes;    /* 0: LIMIT_MEDIA_OUTPUT_BYTES */
	int64_t max_pixels;          /* of one picture; 0: LIMIT_MEDIA_PIXELS */
};

/* What some bytes are. */
struct mediajob_info {
	enum mediajob_kind kind;
	char mime[48];               /* "image/jpeg", "audio/ogg; codecs=opus" */
	char video_codec[24], audio_codec[24]; /* FFmpeg's names, "" without */
	int width, height;           /* as shown (rotation applied) */
	int64_t duration_ms;
	int seconds;                 /* rounded up: at least 1 for what has a duration */
	int64_t bytes;               /* 0: unknown (a stream) */
	bool animated, alpha;
};

struct mediajob_result {
	int error;                   /* enum mediajob_error */
	char why[160];               /* more about it, for people; may be empty */
	struct mediajob_info input;
	struct mediajob_info sent;      /* of the output, or of the input when unchanged */
	bool unchanged;              /* nothing was written: the input is what is to be sent */
	bool has_waveform;
	uint8_t waveform[MEDIAJOB_WAVEFORM]; /* 0..100 */
	int parts;
	int64_t part[MEDIAJOB_MAX_PARTS]; /* FRAMES: bytes of each thumbnail */
	int thumbnail_width, thumbnail_height;
	size_t thumbnail_len;        /* PREPARE: JPEG, 0 without */
	uint8_t thumbnail[MEDIAJOB_MAX_THUMBNAIL];
};

/* One member of an action's wish, by its name here: "fit", "videoBitrateK"; "image" and "film" ask for one at all. As above. */
bool mediajob_wish_text(struct mediajob_options *options, const char *name, const char *value);

/* True if a failed PREPARE is no reason not to send: compression is a favour, playback of voice notes and stickers is not. */
bool mediajob_may_send_input(enum mediajob_route route, const struct mediajob_result *result);

struct mediajob_settings {
	const char *program;         /* path of warest-media, borrowed for the call */
	unsigned workers;            /* children at a time; never more than cores */
	unsigned queue;              /* jobs that may wait; more: MEDIAJOB_E_BUSY */
	int64_t timeout_ms;          /* of one job */
	int nice;                    /* 0..19: how far the children step back */
	bool hooks;                  /* tests */
};

/* Main loop. Starts nothing yet. log is borrowed. */
struct mediajobs *mediajobs_new(struct loop *loop, const struct log *log, const struct mediajob_settings *settings);
/* Main loop: cancels everything, lets the worker end. The loop has to run until the worker's end is seen (no zombie stays). */
void mediajobs_stop(struct mediajobs *media);
/* After the loop has ended; *media becomes NULL. */
void mediajobs_free(struct mediajobs **media);
/* The place of warest-media: setting if not empty, else beside this program or in ../libexec/warest, else the installed one.
 * The caller frees. */
char *mediajob_find_program(const char *setting);

/* The result is borrowed for the call. */
typedef void mediajob_done(void *arg, const struct mediajob_result *result);

/* Any thread. Calls done(arg, result) once on `loop` (not at all if that loop has stopped). A number for mediajob_cancel(). */
uint64_t mediajob_submit(struct mediajobs *media, struct loop *loop, const struct mediajob *job, mediajob_done *done, void *arg);
/* Any thread. done() is still called: with MEDIAJOB_E_CANCELLED, or with the result if that was faster. */
void mediajob_cancel(struct mediajobs *media, uint64_t ticket);

/* A nameless file of mode 0600 in dir for an output; -1 and errno. The caller closes. */
int mediajob_scratch(const char *dir);

/* For logs and tests. */
struct mediajob_counts {
	unsigned waiting, running;
	uint64_t done, failed, starts; /* starts: of the worker program */
};
void mediajobs_counts(const struct mediajobs *media, struct mediajob_counts *out);

#endif
