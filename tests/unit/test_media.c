/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, pictures, videos, voice notes and stickers arrive broken, or one hostile file stops the conversion of all others. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/config.h"
#include "common/log.h"
#include "sessiond/loop.h"
#include "sessiond/media/cage.h"
#include "sessiond/media/media.h"
#include "tests/unit/media_bench.h"

static void the_worker_still_works(void)
{
	struct mediajob job = { .task = MEDIAJOB_TASK_PROBE };

	run(&job, seed("image/small.jpg"));
	expect(MEDIAJOB_OK);
	assert_int_equal(bench.result.input.width, 40);
}

/* ---- probing ---- */

static void every_kind_is_recognised(void **state)
{
	static const struct {
		const char *name, *mime, *video, *audio;
		enum mediajob_kind kind;
		int width, height, seconds;
		bool animated;
	} cases[] = {
		{ "image/small.jpg", "image/jpeg", "", "", MEDIAJOB_IMAGE, 40, 30, 0, false },
		{ "image/turned.jpg", "image/jpeg", "", "", MEDIAJOB_IMAGE, 30, 40, 0, false },
		{ "image/alpha.png", "image/png", "", "", MEDIAJOB_IMAGE, 24, 16, 0, false },
		{ "image/still.gif", "image/gif", "", "", MEDIAJOB_IMAGE, 16, 16, 0, false },
		{ "image/moving.gif", "image/gif", "", "", MEDIAJOB_IMAGE, 32, 24, 0, true },
		{ "image/still.webp", "image/webp", "", "", MEDIAJOB_IMAGE, 20, 20, 0, false },
		{ "image/moving.webp", "image/webp", "", "", MEDIAJOB_IMAGE, 32, 24, 0, true },
		{ "image/still.bmp", "image/bmp", "", "", MEDIAJOB_IMAGE, 20, 20, 0, false },
		{ "image/still.tiff", "image/tiff", "", "", MEDIAJOB_IMAGE, 20, 20, 0, false },
		{ "av/film.mp4", "video/mp4", "h264", "aac", MEDIAJOB_VIDEO, 48, 32, 1, false },
		{ "av/film.webm", "video/webm", "vp8", "", MEDIAJOB_VIDEO, 64, 48, 1, false },
		{ "av/voice.ogg", "audio/ogg; codecs=opus", "", "opus", MEDIAJOB_AUDIO, 0, 0, 1, false },
		{ "av/song.mp3", "audio/mpeg", "", "mp3", MEDIAJOB_AUDIO, 0, 0, 1, false },
		{ "av/sound.m4a", "audio/mp4", "", "aac", MEDIAJOB_AUDIO, 0, 0, 1, false },
		{ "av/sound.wav", "audio/wav", "", "pcm_s16le", MEDIAJOB_AUDIO, 0, 0, 1, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct mediajob job = { .task = MEDIAJOB_TASK_PROBE };
		const struct mediajob_info *info = &run(&job, seed(cases[i].name))->input;

		if (bench.result.error)
			fail_msg("%s: %s", cases[i].name, bench.result.why);
		assert_string_equal(info->mime, cases[i].mime);
		assert_string_equal(info->video_codec, cases[i].video);
		assert_string_equal(info->audio_codec, cases[i].audio);
		assert_int_equal(info->kind, cases[i].kind);
		assert_int_equal(info->width, cases[i].width);
		assert_int_equal(info->height, cases[i].height);
		assert_int_equal(info->seconds, cases[i].seconds);
		assert_int_equal(info->animated, cases[i].animated);
		assert_int_equal(bench.result.has_waveform, cases[i].kind == MEDIAJOB_AUDIO);
	}
}

/* ---- routes ---- */

static void a_large_image_is_fitted_and_turned(void **state)
{
	struct mediajob job = { .task = MEDIAJOB_TASK_PREPARE, .route = MEDIAJOB_ROUTE_MEDIA };
	struct mediajob_info info;

	(void)state;
	mediajob_options_init(&job.options, NULL);
	mediajob_options_text(&job.options, job.route, "maxDimension", "16");
	mediajob_options_text(&job.options, job.route, "minBytes", "0");
	job.options.image.max_dimension = 20;
	run(&job, seed("image/turned.jpg"));
	expect(MEDIAJOB_OK);
	assert_false(bench.result.unchanged);
	assert_in_range(bench.result.thumbnail_len, 100, MEDIAJOB_MAX_THUMBNAIL);
	assert_memory_equal(bench.result.thumbnail, "\xff\xd8\xff", 3);
	assert_int_equal(bench.result.thumbnail_height, 100);
	info = output_info();
	assert_string_equal(info.mime, "image/jpeg");
	assert_int_equal(info.width, 15);
	assert_int_equal(info.height, 20);
}

static void a_small_image_is_kept(void **state)
{
	(void)state;
	prepare(MEDIAJOB_ROUTE_MEDIA, "image/small.jpg");
	expect(MEDIAJOB_OK);
	assert_true(bench.result.unchanged);
	assert_string_equal(bench.result.sent.mime, "image/jpeg");
}

static void what_phones_do_not_show_becomes_jpeg(void **state)
{
	struct mediajob_info info;

	(void)state;
	prepare(MEDIAJOB_ROUTE_MEDIA, "image/still.tiff");
	expect(MEDIAJOB_OK);
	assert_false(bench.result.unchanged);
	info = output_info();
	assert_string_equal(info.mime, "image/jpeg");
}

/* ---- what receivers' actions ask for ---- */

static struct mediajob_result made; /* by the last wish */

static struct mediajob_info wished(enum mediajob_route route, const char *name, const char *const *wishes)
{
	struct mediajob job = { .task = MEDIAJOB_TASK_PREPARE, .route = route };

	mediajob_options_init(&job.options, NULL);
	job.options.wish.quality = 90;
	for (size_t i = 0; wishes[i]; i += 2)
		assert_true(mediajob_wish_text(&job.options, wishes[i], wishes[i + 1]));
	run(&job, seed(name));
	expect(MEDIAJOB_OK);
	assert_false(bench.result.unchanged);
	made = bench.result;
	return output_info();
}

/* turned.jpg is shown as 30 x 40. */
static void images_are_made_as_actions_want_them(void **state)
{
	static const struct {
		const char *wishes[13];
		const char *mime;
		int width, height;
	} cases[] = {
		{ { "image", "1", "width", "15", "height", "15", "fit", "inside" }, "image/jpeg", 11, 15 },
		{ { "image", "1", "width", "15", "height", "15", "fit", "outside", "format", "png" }, "image/png", 15, 20 },
		{ { "image", "1", "width", "15", "height", "10", "fit", "cover", "format", "webp" }, "image/webp", 15, 10 },
		{ { "image", "1", "width", "15", "height", "10", "fit", "contain" }, "image/jpeg", 15, 10 },
		{ { "image", "1", "width", "15", "height", "10", "fit", "fill" }, "image/jpeg", 15, 10 },
		{ { "image", "1", "width", "15" }, "image/jpeg", 15, 20 },
		{ { "image", "1" }, "image/jpeg", 30, 40 },
		{ { "image", "1", "width", "900", "height", "900", "fit", "inside" }, "image/jpeg", 30, 40 },
		{ { "image", "1", "width", "900", "height", "10", "fit", "cover" }, "image/jpeg", 30, 10 },
		{ { "image", "1", "width", "60", "height", "90", "fit", "inside", "enlarge", "1" }, "image/jpeg", 60, 80 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct mediajob_info info = wished(MEDIAJOB_ROUTE_MEDIA, "image/turned.jpg", cases[i].wishes);

		assert_string_equal(info.mime, cases[i].mime);
		assert_string_equal(made.sent.mime, cases[i].mime);
		assert_int_equal(info.width, cases[i].width);
		assert_int_equal(info.height, cases[i].height);
		assert_true(made.thumbnail_len > 0);
	}
}

static void films_and_sound_are_made_as_actions_want_them(void **state)
{
	static const char *const film[] = { "film", "1", "videoBitrateK", "50", "audioBitrateK", "32", NULL };
	static const char *const mp3[] = { "film", "1", "sound", "mp3", "audioBitrateK", "64", NULL };
	static const char *const mp4[] = { "film", "1", "sound", "mp4", NULL };
	static const char *const voice[] = { "film", "1", "audioBitrateK", "8", NULL };
	static const char *const sounds[] = { "av/voice.ogg", "av/sound.wav", "av/song.mp3", "av/film.mp4" };
	struct mediajob_info info;

	(void)state;
	info = wished(MEDIAJOB_ROUTE_MEDIA, "av/film.mp4", film);
	assert_string_equal(info.video_codec, "h264");
	assert_int_equal(info.width, 48);
	for (size_t i = 0; i < sizeof sounds / sizeof *sounds; i++) {
		info = wished(MEDIAJOB_ROUTE_AUDIO, sounds[i], mp3);
		assert_string_equal(info.mime, "audio/mpeg");
		assert_string_equal(made.sent.mime, "audio/mpeg");
		assert_true(made.sent.seconds >= 1);
		info = wished(MEDIAJOB_ROUTE_AUDIO, sounds[i], mp4);
		assert_string_equal(info.mime, "audio/mp4");
		assert_string_equal(info.audio_codec, "aac");
	}
	info = wished(MEDIAJOB_ROUTE_VOICE, "av/voice.ogg", voice);
	assert_string_equal(info.mime, "audio/ogg; codecs=opus");
	assert_true(made.has_waveform);
}

static void other_films_become_mp4(void **state)
{
	struct mediajob_info info;

	(void)state;
	prepare(MEDIAJOB_ROUTE_MEDIA, "av/film.webm");
	expect(MEDIAJOB_OK);
	assert_false(bench.result.unchanged);
	assert_true(bench.result.thumbnail_len > 0);
	assert_string_equal(bench.result.sent.mime, "video/mp4");
	info = output_info();
	assert_string_equal(info.mime, "video/mp4");
	assert_string_equal(info.video_codec, "h264");
	assert_int_equal(info.width, 64);
	assert_int_equal(info.seconds, 1);
}

static void a_film_that_plays_is_kept_when_it_is_small(void **state)
{
	(void)state;
	prepare(MEDIAJOB_ROUTE_MEDIA, "av/film.mp4");
	expect(MEDIAJOB_OK);
	assert_true(bench.result.unchanged);
	assert_true(bench.result.thumbnail_len > 0);
	assert_int_equal(bench.result.sent.width, 48);
}

static bool holds(const char *bytes, size_t n, const char *text)
{
	return memmem(bytes, n, text, strlen(text)) != NULL;
}

/* faststart: the index stands before the data */
static void assert_index_first(void)
{
	char bytes[65536];
	ssize_t n = pread(bench.output, bytes, sizeof bytes, 0);
	const char *index = memmem(bytes, (size_t)n, "moov", 4), *data = memmem(bytes, (size_t)n, "mdat", 4);

	assert_non_null(index);
	assert_non_null(data);
	assert_true(index < data);
}

static void a_film_is_recompressed_within_the_limits(void **state)
{
	struct mediajob job = { .task = MEDIAJOB_TASK_PREPARE, .route = MEDIAJOB_ROUTE_VIDEO_NOTE };
	struct mediajob_info info;

	(void)state;
	run(&job, seed("av/film.mp4"));
	expect(MEDIAJOB_OK);
	assert_false(bench.result.unchanged);
	assert_index_first();
	info = output_info();
	assert_int_equal(info.width, 32);
	assert_int_equal(info.height, 32);
	assert_string_equal(info.audio_codec, "aac");
}

static void a_gif_becomes_a_silent_mp4(void **state)
{
	struct mediajob_info info;

	(void)state;
	prepare(MEDIAJOB_ROUTE_GIF, "image/moving.gif");
	expect(MEDIAJOB_OK);
	assert_string_equal(bench.result.input.mime, "image/gif");
	assert_string_equal(bench.result.sent.mime, "video/mp4");
	assert_index_first();
	info = output_info();
	assert_string_equal(info.video_codec, "h264");
	assert_string_equal(info.audio_codec, "");
	assert_int_equal(info.seconds, 1);
	prepare(MEDIAJOB_ROUTE_GIF, "image/small.jpg");
	expect(MEDIAJOB_E_UNSUPPORTED);
	assert_false(mediajob_may_send_input(MEDIAJOB_ROUTE_GIF, &bench.result));
}

static void any_sound_becomes_a_voice_note(void **state)
{
	static const char *const names[] = { "av/song.mp3", "av/sound.m4a", "av/sound.wav", "av/film.mp4" };

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct mediajob_info info;
		int loudest = 0;

		prepare(MEDIAJOB_ROUTE_VOICE, names[i]);
		expect(MEDIAJOB_OK);
		assert_false(bench.result.unchanged);
		assert_string_equal(bench.result.sent.mime, "audio/ogg; codecs=opus");
		assert_true(bench.result.has_waveform);
		for (int k = 0; k < MEDIAJOB_WAVEFORM; k++)
			loudest = bench.result.waveform[k] > loudest ? bench.result.waveform[k] : loudest;
		assert_int_equal(loudest, 100);
		info = output_info();
		assert_string_equal(info.mime, "audio/ogg; codecs=opus");
		assert_int_equal(info.seconds, 1);
	}
	prepare(MEDIAJOB_ROUTE_VOICE, "av/voice.ogg");
	expect(MEDIAJOB_OK);
	assert_true(bench.result.unchanged);
	assert_true(bench.result.has_waveform);
	prepare(MEDIAJOB_ROUTE_VOICE, "image/small.jpg");
	expect(MEDIAJOB_E_UNSUPPORTED);
}

/* Half silence, half a loud tone: the waveform shows it. */
static void the_waveform_follows_the_sound(void **state)
{
	enum { N = 16000 };
	static const uint8_t head[44] = "RIFF\xa4\x7d\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x40\x1f\0\0\x80\x3e\0\0\2\0\x10\0data\0\x7d\0";
	struct mediajob job = { .task = MEDIAJOB_TASK_PROBE };
	static int16_t samples[N];
	int fd;

	(void)state;
	for (int i = N / 2; i < N; i++)
		samples[i] = i % 16 < 8 ? 12000 : -12000;
	fd = memory_file(head, sizeof head);
	assert_int_equal(write(fd, samples, sizeof samples), sizeof samples);
	run(&job, fd);
	expect(MEDIAJOB_OK);
	assert_int_equal(bench.result.input.seconds, 2);
	for (int i = 0; i < 30; i++)
		assert_in_range(bench.result.waveform[i], 0, 5);
	for (int i = 34; i < 63; i++)
		assert_in_range(bench.result.waveform[i], 80, 100);
}

static void pictures_and_films_become_stickers(void **state)
{
	static const struct {
		const char *name;
		bool animated;
	} cases[] = { { "image/small.jpg", false }, { "image/alpha.png", false }, { "image/still.gif", false }, { "image/still.webp", false },
		      { "image/moving.gif", true }, { "image/moving.webp", true }, { "av/film.webm", true }, { "av/film.mp4", true } };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct mediajob_info info;

		prepare(MEDIAJOB_ROUTE_STICKER, cases[i].name);
		expect(MEDIAJOB_OK);
		assert_false(bench.result.unchanged);
		assert_int_equal(bench.result.sent.animated, cases[i].animated);
		info = output_info();
		assert_string_equal(info.mime, "image/webp");
		assert_int_equal(info.width, 512);
		assert_int_equal(info.height, 512);
		assert_int_equal(info.animated, cases[i].animated);
		assert_true(info.alpha || i > 0);
		assert_true(info.bytes <= (cases[i].animated ? 500 : 100) * 1024);
	}
}

static void a_sticker_is_kept_and_gets_its_pack(void **state)
{
	struct mediajob job = { .task = MEDIAJOB_TASK_PREPARE, .route = MEDIAJOB_ROUTE_STICKER };
	char bytes[65536];
	ssize_t n;
	int sticker;

	(void)state;
	prepare(MEDIAJOB_ROUTE_STICKER, "image/small.jpg");
	sticker = dup(bench.output);
	run(&job, dup(sticker));
	expect(MEDIAJOB_OK);
	assert_true(bench.result.unchanged);
	mediajob_options_text(&job.options, job.route, "packName", "My \"pack\"");
	mediajob_options_text(&job.options, job.route, "publisher", "Me");
	mediajob_options_text(&job.options, job.route, "emojis", "\xf0\x9f\x98\x80,\xf0\x9f\x8e\x89");
	run(&job, sticker);
	expect(MEDIAJOB_OK);
	assert_false(bench.result.unchanged);
	n = pread(bench.output, bytes, sizeof bytes, 0);
	assert_true(holds(bytes, (size_t)n, "EXIF"));
	assert_true(holds(bytes, (size_t)n, "\"sticker-pack-name\":\"My \\\"pack\\\"\""));
	assert_true(holds(bytes, (size_t)n, "\"emojis\":[\"\xf0\x9f\x98\x80\",\"\xf0\x9f\x8e\x89\"]"));
	assert_int_equal(output_info().width, 512);
}

static void documents_are_never_refused(void **state)
{
	struct mediajob job = { .task = MEDIAJOB_TASK_PREPARE, .route = MEDIAJOB_ROUTE_DOCUMENT };

	(void)state;
	run(&job, memory_file("%PDF-1.4 nothing", 16));
	expect(MEDIAJOB_OK);
	assert_true(bench.result.unchanged);
	assert_int_equal(bench.result.thumbnail_len, 0);
	prepare(MEDIAJOB_ROUTE_DOCUMENT, "image/alpha.png");
	expect(MEDIAJOB_OK);
	assert_true(bench.result.unchanged);
	assert_true(bench.result.thumbnail_len > 0);
}

/* ---- single conversions ---- */

static void images_are_scaled_in_every_way(void **state)
{
	static const struct {
		enum mediajob_fit fit;
		int width, height, made_width, made_height;
	} cases[] = { { MEDIAJOB_FIT_COVER, 10, 10, 10, 10 }, { MEDIAJOB_FIT_CONTAIN, 10, 10, 10, 10 }, { MEDIAJOB_FIT_FILL, 7, 9, 7, 9 },
		      { MEDIAJOB_FIT_INSIDE, 20, 20, 20, 15 }, { MEDIAJOB_FIT_OUTSIDE, 20, 20, 27, 20 }, { MEDIAJOB_FIT_COVER, 20, 0, 20, 15 } };
	static const struct {
		enum mediajob_format format;
		const char *mime;
	} formats[] = { { MEDIAJOB_FORMAT_SAME, "image/jpeg" }, { MEDIAJOB_FORMAT_PNG, "image/png" }, { MEDIAJOB_FORMAT_WEBP, "image/webp" } };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct mediajob job = { .task = MEDIAJOB_TASK_IMAGE, .image = { cases[i].width, cases[i].height, cases[i].fit, formats[i % 3].format, 80 } };
		struct mediajob_info info;

		run(&job, seed("image/small.jpg"));
		expect(MEDIAJOB_OK);
		info = output_info();
		assert_string_equal(info.mime, formats[i % 3].mime);
		assert_int_equal(info.width, cases[i].made_width);
		assert_int_equal(info.height, cases[i].made_height);
	}
}

static void metadata_are_stripped(void **state)
{
	struct mediajob job = { .task = MEDIAJOB_TASK_IMAGE, .image = { .quality = 80 } };
	char bytes[8192];
	ssize_t n;

	(void)state;
	run(&job, seed("image/turned.jpg"));
	expect(MEDIAJOB_OK);
	n = pread(bench.output, bytes, sizeof bytes, 0);
	assert_false(holds(bytes, (size_t)n, "Exif"));
	assert_int_equal(bench.result.sent.width, 30);
}

static void thumbnails_are_spread_over_a_film(void **state)
{
	struct mediajob job = { .task = MEDIAJOB_TASK_FRAMES, .frames = { 32, 24, 3, true } };
	uint8_t head[3];

	(void)state;
	run(&job, seed("av/film.webm"));
	expect(MEDIAJOB_OK);
	assert_int_equal(bench.result.parts, 3);
	assert_int_equal(pread(bench.output, head, 3, bench.result.part[0]), 3);
	assert_memory_equal(head, "\xff\xd8\xff", 3);
	assert_int_equal(bench.result.part[0] + bench.result.part[1] + bench.result.part[2], bench.result.sent.bytes);
	job.frames = (struct mediajob_frames){ 16, 16, 1, false };
	run(&job, seed("image/small.jpg"));
	expect(MEDIAJOB_OK);
	assert_int_equal(bench.result.parts, 1);
}

/* ---- attacks ---- */

static void hostile_files_are_refused(void **state)
{
	static const struct {
		const char *name;
		enum mediajob_route route;
		int error;
	} cases[] = {
		{ "image/huge.png", MEDIAJOB_ROUTE_MEDIA, MEDIAJOB_E_LIMIT }, { "image/huge.png", MEDIAJOB_ROUTE_STICKER, MEDIAJOB_E_LIMIT },
		{ "image/huge.gif", MEDIAJOB_ROUTE_STICKER, MEDIAJOB_E_LIMIT }, { "image/huge.gif", MEDIAJOB_ROUTE_GIF, MEDIAJOB_E_LIMIT },
		{ "image/cut.png", MEDIAJOB_ROUTE_MEDIA, MEDIAJOB_E_INPUT }, { "image/cut.png", MEDIAJOB_ROUTE_STICKER, MEDIAJOB_E_INPUT },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		prepare(cases[i].route, cases[i].name);
		expect(cases[i].error);
		assert_true(bench.result.why[0] != '\0');
	}
	the_worker_still_works();
}

static void nonsense_is_refused(void **state)
{
	struct mediajob job = { .task = MEDIAJOB_TASK_PREPARE, .route = MEDIAJOB_ROUTE_MEDIA };
	static const char playlist[] = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n/etc/hostname\n#EXT-X-ENDLIST\n";
	static const char list[] = "ffconcat version 1.0\nfile /etc/hostname\n";

	(void)state;
	run(&job, memory_file("", 0));
	expect(MEDIAJOB_E_INPUT);
	run(&job, memory_file("just some words, no picture", 27));
	expect(MEDIAJOB_E_UNSUPPORTED);
	run(&job, memory_file(playlist, sizeof playlist - 1));
	expect(MEDIAJOB_E_UNSUPPORTED);
	run(&job, memory_file(list, sizeof list - 1));
	expect(MEDIAJOB_E_UNSUPPORTED);
	run(&job, memory_file("<svg xmlns=\"http://www.w3.org/2000/svg\"><image href=\"file:///etc/passwd\"/></svg>", 80));
	expect(MEDIAJOB_E_UNSUPPORTED);
	job.task = MEDIAJOB_TASK_IMAGE;
	run(&job, seed("av/film.mp4"));
	expect(MEDIAJOB_E_UNSUPPORTED);
	job.task = MEDIAJOB_TASK_FRAMES;
	run(&job, memory_file("nothing", 7));
	expect(MEDIAJOB_E_UNSUPPORTED);
	job.input = -1;
	job.output = -1;
	submit(&job);
	wait_for(0);
	expect(MEDIAJOB_E_INPUT);
}

/* Whatever comes of a file that was cut off, it comes, and the next one is served. */
static void cut_files_end(void **state)
{
	static const char *const names[] = { "av/film.mp4", "av/film.webm", "image/moving.gif", "image/moving.webp", "av/voice.ogg", "image/small.jpg" };

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		char bytes[8192];
		int fd = seed(names[i]);
		ssize_t n = read(fd, bytes, sizeof bytes);
		struct mediajob job = { .task = MEDIAJOB_TASK_PREPARE, .route = i == 4 ? MEDIAJOB_ROUTE_VOICE : MEDIAJOB_ROUTE_STICKER };

		close(fd);
		for (int part = 1; part < 4; part++) {
			run(&job, memory_file(bytes, (size_t)n * (size_t)part / 4));
			assert_true(bench.result.error != MEDIAJOB_E_CRASH && bench.result.error != MEDIAJOB_E_CAGE && bench.result.error != MEDIAJOB_E_TIMEOUT);
		}
	}
	the_worker_still_works();
}

static void endless_streams_end(void **state)
{
	struct mediajob job = { .task = MEDIAJOB_TASK_PREPARE, .route = MEDIAJOB_ROUTE_MEDIA, .timeout_ms = SHORT_MS };
	int silent[2];
	pid_t writer;

	(void)state;
	assert_int_equal(pipe(silent), 0);
	run(&job, silent[0]);
	expect(MEDIAJOB_E_TIMEOUT);
	close(silent[1]);
	job.timeout_ms = 0;
	run(&job, open("/dev/zero", O_RDONLY));
	expect(MEDIAJOB_E_UNSUPPORTED);
	assert_int_equal(pipe(silent), 0);
	writer = fork();
	if (writer == 0) {
		static const char zeros[65536];

		signal(SIGPIPE, SIG_DFL);
		close(silent[0]);
		while (write(silent[1], zeros, sizeof zeros) > 0)
			;
		_exit(0);
	}
	close(silent[1]);
	run(&job, silent[0]);
	expect(MEDIAJOB_E_LIMIT);
	assert_int_equal(waitpid(writer, NULL, 0), writer);
	the_worker_still_works();
}

static void streams_work_too(void **state)
{
	struct mediajob job = { .task = MEDIAJOB_TASK_PROBE };
	char bytes[8192];
	int fd = seed("av/film.mp4"), pipes[2];
	ssize_t n = read(fd, bytes, sizeof bytes);

	(void)state;
	close(fd);
	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(write(pipes[1], bytes, (size_t)n), n);
	close(pipes[1]);
	run(&job, pipes[0]);
	expect(MEDIAJOB_OK);
	assert_string_equal(bench.result.input.mime, "video/mp4");
}

static int misbehave(enum mediajob_hook hook)
{
	struct mediajob job = { .task = MEDIAJOB_TASK_HOOK, .hook = hook, .timeout_ms = hook == MEDIAJOB_HOOK_SPIN ? SHORT_MS : 0, .max_output_bytes = 8 << 20 };

	run(&job, seed("image/small.jpg"));
	return bench.result.error;
}

static void the_cage_holds(void **state)
{
	(void)state;
	assert_int_equal(misbehave(MEDIAJOB_HOOK_CRASH), MEDIAJOB_E_CRASH);
	the_worker_still_works();
	assert_int_equal(misbehave(MEDIAJOB_HOOK_SPIN), MEDIAJOB_E_TIMEOUT);
	assert_int_equal(misbehave(MEDIAJOB_HOOK_OUTPUT), MEDIAJOB_E_OUTPUT);
	if (CAGE_SANITIZED)
		return;
	assert_int_equal(misbehave(MEDIAJOB_HOOK_OPEN), MEDIAJOB_E_CAGE);
	assert_string_equal(bench.result.why, "no path can be opened");
	assert_int_equal(misbehave(MEDIAJOB_HOOK_SOCKET), MEDIAJOB_E_CAGE);
	assert_string_equal(bench.result.why, "");
	assert_int_equal(misbehave(MEDIAJOB_HOOK_FORK), MEDIAJOB_E_CAGE);
	assert_int_equal(misbehave(MEDIAJOB_HOOK_MEMORY), MEDIAJOB_E_LIMIT);
	the_worker_still_works();
}

/* ---- the queue ---- */

static void a_full_queue_says_so(void **state)
{
	struct mediajob job = { .task = MEDIAJOB_TASK_HOOK, .hook = MEDIAJOB_HOOK_SPIN, .timeout_ms = TIMEOUT_MS, .input = seed("image/small.jpg"), .output = -1 };
	uint64_t tickets[16];
	struct mediajob_counts counts;
	int n = 0;

	(void)state;
	while (n < 16) {
		tickets[n++] = submit(&job);
		uv_run(loop_uv(bench.loop), UV_RUN_NOWAIT);
	}
	wait_for(10);
	expect(MEDIAJOB_E_BUSY);
	mediajobs_counts(bench.media, &counts);
	assert_in_range(counts.running, 1, 2);
	while (n-- > 0)
		mediajob_cancel(bench.media, tickets[n]);
	wait_for(0);
	expect(MEDIAJOB_E_CANCELLED);
	close(job.input);
	the_worker_still_works();
}

/* The worker program itself is killed: jobs under way are done again by a new one. */
static void a_killed_worker_is_replaced(void **state)
{
	struct mediajob job = { .task = MEDIAJOB_TASK_PROBE, .input = seed("image/small.jpg"), .output = -1 };
	struct mediajob_counts before, after;
	FILE *children;
	char path[64];
	int pid = 0;

	(void)state;
	the_worker_still_works();
	mediajobs_counts(bench.media, &before);
	snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
	children = fopen(path, "r");
	if (!children)
		return;
	assert_int_equal(fscanf(children, "%d", &pid), 1);
	fclose(children);
	kill(pid, SIGKILL);
	submit(&job);
	wait_for(0);
	expect(MEDIAJOB_OK);
	close(job.input);
	mediajobs_counts(bench.media, &after);
	assert_int_equal(after.starts, before.starts + 1);
}

static void a_missing_worker_is_an_error(void **state)
{
	const struct mediajob_settings settings = { .program = "/nonexistent/warest-media", .workers = 1, .queue = 8, .timeout_ms = TIMEOUT_MS };
	struct mediajobs *whole = bench.media;
	struct mediajob job = { .task = MEDIAJOB_TASK_PROBE, .input = seed("image/small.jpg"), .output = -1 };

	(void)state;
	bench.media = mediajobs_new(bench.loop, &bench.log, &settings);
	submit(&job);
	wait_for(0);
	expect(MEDIAJOB_E_WORKER);
	close(job.input);
	mediajobs_free(&bench.media);
	bench.media = whole;
}

/* ---- options ---- */

static void options_stay_within_bounds(void **state)
{
	struct mediajob_options o;

	(void)state;
	mediajob_options_init(&o, NULL);
	assert_true(mediajob_options_text(&o, MEDIAJOB_ROUTE_MEDIA, "quality", "400"));
	assert_int_equal(o.image.quality, 100);
	assert_true(mediajob_options_text(&o, MEDIAJOB_ROUTE_MEDIA, "maxWidth", " 320 "));
	assert_int_equal(o.video.max_width, 320);
	assert_false(mediajob_options_text(&o, MEDIAJOB_ROUTE_MEDIA, "maxWidth", "320,drawtext=textfile=/etc/passwd"));
	assert_false(mediajob_options_text(&o, MEDIAJOB_ROUTE_MEDIA, "crf", "nan"));
	assert_false(mediajob_options_text(&o, MEDIAJOB_ROUTE_MEDIA, "preset", "placebo; rm"));
	assert_true(mediajob_options_text(&o, MEDIAJOB_ROUTE_MEDIA, "preset", "UltraFast"));
	assert_int_equal(o.video.preset, 0);
	assert_true(mediajob_options_text(&o, MEDIAJOB_ROUTE_MEDIA, "enable", "no"));
	assert_false(o.compress);
	assert_true(mediajob_options_text(&o, MEDIAJOB_ROUTE_STICKER, "size", "9999"));
	assert_int_equal(o.sticker.size, 1024);
	assert_false(mediajob_options_text(&o, MEDIAJOB_ROUTE_STICKER, "crf", "10"));
	assert_true(mediajob_options_text(&o, MEDIAJOB_ROUTE_MEDIA, "minSavingsRatio", "0.5"));
	assert_true(o.image.min_savings > 0.49 && o.video.min_savings > 0.49);
}

/* Every threshold of the settings is the one that jobs work with. */
static void settings_are_the_options(void **state)
{
	char *set[] = { "WAREST_COMPRESS_ENABLED=false", "WAREST_COMPRESS_IMAGE_QUALITY=51", "WAREST_COMPRESS_IMAGE_MAX_DIMENSION=640", "WAREST_COMPRESS_IMAGE_PNG_LEVEL=3",
			"WAREST_COMPRESS_IMAGE_MIN_BYTES=77", "WAREST_COMPRESS_IMAGE_MIN_SAVINGS_RATIO=0.25", "WAREST_COMPRESS_IMAGE_ALLOW_WEBP=true",
			"WAREST_COMPRESS_IMAGE_KEEP_FORMAT=false", "WAREST_COMPRESS_IMAGE_PNG_TO_JPEG=false", "WAREST_COMPRESS_VIDEO_MAX_WIDTH=480",
			"WAREST_COMPRESS_VIDEO_CRF=33", "WAREST_COMPRESS_VIDEO_PRESET=faster", "WAREST_COMPRESS_VIDEO_AUDIO_BITRATE_K=64",
			"WAREST_COMPRESS_VIDEO_MIN_BYTES=88", "WAREST_COMPRESS_VIDEO_MIN_SAVINGS_RATIO=0.5", "WAREST_COMPRESS_AUDIO_BITRATE_K=32", NULL };
	const struct config_source source = { .env_file = "/dev/null", .environment = set };
	struct config_report report;
	struct mediajob_options o;
	struct config *config;

	(void)state;
	config_report_init(&report);
	assert_int_equal(config_load(&config, &source, &report), 0);
	config_report_free(&report);
	mediajob_options_init(&o, config);
	assert_true(!o.compress && o.image.allow_webp && !o.image.keep_format && !o.image.png_to_jpeg);
	assert_int_equal(o.image.quality, 51);
	assert_int_equal(o.image.max_dimension, 640);
	assert_int_equal(o.image.png_level, 3);
	assert_int_equal(o.image.min_bytes, 77);
	assert_true(o.image.min_savings > 0.24 && o.image.min_savings < 0.26);
	assert_int_equal(o.video.max_width, 480);
	assert_int_equal(o.video.crf, 33);
	assert_int_equal(o.video.preset, 3);
	assert_int_equal(o.video.audio_bitrate_k, 64);
	assert_int_equal(o.video.min_bytes, 88);
	assert_true(o.video.min_savings > 0.49);
	assert_int_equal(o.voice.bitrate_k, 32);
	config_free(config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(settings_are_the_options),
		cmocka_unit_test(every_kind_is_recognised),
		cmocka_unit_test(a_large_image_is_fitted_and_turned),
		cmocka_unit_test(a_small_image_is_kept),
		cmocka_unit_test(what_phones_do_not_show_becomes_jpeg),
		cmocka_unit_test(images_are_made_as_actions_want_them),
		cmocka_unit_test(films_and_sound_are_made_as_actions_want_them),
		cmocka_unit_test(other_films_become_mp4),
		cmocka_unit_test(a_film_that_plays_is_kept_when_it_is_small),
		cmocka_unit_test(a_film_is_recompressed_within_the_limits),
		cmocka_unit_test(a_gif_becomes_a_silent_mp4),
		cmocka_unit_test(any_sound_becomes_a_voice_note),
		cmocka_unit_test(the_waveform_follows_the_sound),
		cmocka_unit_test(pictures_and_films_become_stickers),
		cmocka_unit_test(a_sticker_is_kept_and_gets_its_pack),
		cmocka_unit_test(documents_are_never_refused),
		cmocka_unit_test(images_are_scaled_in_every_way),
		cmocka_unit_test(metadata_are_stripped),
		cmocka_unit_test(thumbnails_are_spread_over_a_film),
		cmocka_unit_test(hostile_files_are_refused),
		cmocka_unit_test(nonsense_is_refused),
		cmocka_unit_test(cut_files_end),
		cmocka_unit_test(endless_streams_end),
		cmocka_unit_test(streams_work_too),
		cmocka_unit_test(the_cage_holds),
		cmocka_unit_test(a_full_queue_says_so),
		cmocka_unit_test(a_killed_worker_is_replaced),
		cmocka_unit_test(a_missing_worker_is_an_error),
		cmocka_unit_test(options_stay_within_bounds),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
