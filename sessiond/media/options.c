/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the settings and a request ask of a conversion: config.md 4, rest-a 1.14. Pure functions. */
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/config.h"
#include "common/limits.h"
#include "sessiond/media/media.h"

enum { STICKER_SIZE = 512, STILL_BYTES = 100 * 1024, ANIMATED_BYTES = 500 * 1024, VOICE_HZ = 48000 };

static const char *const presets[] = { "ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow" };

void mediajob_options_init(struct mediajob_options *o, const struct config *config)
{
	*o = (struct mediajob_options){
		.compress = true,
		.image = { .quality = 82, .max_dimension = 1280, .png_level = 8, .webp_effort = 4, .min_bytes = 2048, .min_savings = 0.04,
			   .keep_format = true, .png_to_jpeg = true },
		.video = { .max_width = 720, .crf = 28, .preset = 2, .audio_bitrate_k = 96, .min_bytes = 65536, .min_savings = 0.05 },
		.voice = { .bitrate_k = 96, .rate_hz = VOICE_HZ },
		.sticker = { .quality = 80, .size = STICKER_SIZE, .effort = 4, .max_still_bytes = STILL_BYTES, .max_animated_bytes = ANIMATED_BYTES },
	};
	if (!config)
		return;
	o->compress = config->compress_enabled;
	o->image.quality = (int)config->compress_image_quality;
	o->image.max_dimension = (int)config->compress_image_max_dimension;
	o->image.png_level = (int)config->compress_image_png_level;
	o->image.min_bytes = config->compress_image_min_bytes;
	o->image.min_savings = config->compress_image_min_savings;
	o->image.allow_webp = config->compress_image_allow_webp;
	o->image.keep_format = config->compress_image_keep_format;
	o->image.png_to_jpeg = config->compress_image_png_to_jpeg;
	o->video.max_width = (int)config->compress_video_max_width;
	o->video.crf = (int)config->compress_video_crf;
	o->video.preset = config->compress_video_preset;
	o->video.audio_bitrate_k = (int)config->compress_video_audio_bitrate_k;
	o->video.min_bytes = config->compress_video_min_bytes;
	o->video.min_savings = config->compress_video_min_savings;
	o->voice.bitrate_k = (int)config->compress_audio_bitrate_k;
}

/* ---- values as text ---- */

static bool read_number(const char *text, double least, double most, double *out)
{
	char *end;
	double value = strtod(text, &end);

	if (end == text || end[strspn(end, " \t\r\n")] || value != value)
		return false;
	*out = value < least ? least : value > most ? most : value;
	return true;
}

static bool set_int(int *out, const char *text, int least, int most)
{
	double value;

	if (!read_number(text, least, most, &value))
		return false;
	*out = (int)value;
	return true;
}

static bool set_flag(bool *out, const char *text)
{
	static const char *const yes[] = { "1", "true", "yes", "y", "on" }, *const no[] = { "0", "false", "no", "n", "off" };

	for (size_t i = 0; i < sizeof yes / sizeof *yes; i++) {
		if (!strcasecmp(text, yes[i]))
			return *out = true;
		if (!strcasecmp(text, no[i])) {
			*out = false;
			return true;
		}
	}
	return false;
}

static bool set_bytes(int64_t *out, const char *text)
{
	double value;

	if (!read_number(text, 0, 1 << 30, &value))
		return false;
	*out = (int64_t)value;
	return true;
}

static bool set_format(enum mediajob_format *out, const char *text)
{
	static const struct {
		const char *name;
		enum mediajob_format format;
	} formats[] = { { "jpeg", MEDIAJOB_FORMAT_JPEG }, { "jpg", MEDIAJOB_FORMAT_JPEG }, { "png", MEDIAJOB_FORMAT_PNG }, { "webp", MEDIAJOB_FORMAT_WEBP } };

	for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
		if (!strcasecmp(text, formats[i].name)) {
			*out = formats[i].format;
			return true;
		}
	}
	return false;
}

static bool set_fit(enum mediajob_fit *out, const char *text)
{
	static const char *const names[] = { [MEDIAJOB_FIT_COVER] = "cover", [MEDIAJOB_FIT_CONTAIN] = "contain", [MEDIAJOB_FIT_FILL] = "fill",
					     [MEDIAJOB_FIT_INSIDE] = "inside", [MEDIAJOB_FIT_OUTSIDE] = "outside" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (!strcasecmp(text, names[i])) {
			*out = (enum mediajob_fit)i;
			return true;
		}
	}
	return false;
}

static bool set_sound(enum mediajob_sound *out, const char *text)
{
	if (!strcasecmp(text, "mp3"))
		*out = MEDIAJOB_SOUND_MP3;
	else if (!strcasecmp(text, "mp4"))
		*out = MEDIAJOB_SOUND_MP4;
	else
		return false;
	return true;
}

static bool set_preset(int *out, const char *text)
{
	for (size_t i = 0; i < sizeof presets / sizeof *presets; i++) {
		if (!strcasecmp(text, presets[i])) {
			*out = (int)i;
			return true;
		}
	}
	return false;
}

/* Never in the middle of a character. */
static bool set_text(char *out, const char *text)
{
	size_t n = strlen(text);

	if (n >= MEDIAJOB_MAX_STICKER_TEXT) {
		n = MEDIAJOB_MAX_STICKER_TEXT - 1;
		while (n && (text[n] & 0xc0) == 0x80)
			n--;
	}
	memset(out, 0, MEDIAJOB_MAX_STICKER_TEXT);
	snprintf(out, MEDIAJOB_MAX_STICKER_TEXT, "%.*s", (int)n, text);
	return true;
}

/* ---- options by name ---- */

static bool sticker_option(struct mediajob_options *o, const char *name, const char *value)
{
	if (!strcmp(name, "quality"))
		return set_int(&o->sticker.quality, value, 1, 100);
	if (!strcmp(name, "maxDimension") || !strcmp(name, "size"))
		return set_int(&o->sticker.size, value, 96, 1024);
	if (!strcmp(name, "webpEffort"))
		return set_int(&o->sticker.effort, value, 0, 6);
	if (!strcmp(name, "packName") || !strcmp(name, "pack"))
		return set_text(o->sticker.pack, value);
	if (!strcmp(name, "publisher") || !strcmp(name, "author"))
		return set_text(o->sticker.publisher, value);
	if (!strcmp(name, "emojis"))
		return set_text(o->sticker.emojis, value);
	return false;
}

static bool image_option(struct mediajob_options *o, const char *name, const char *value)
{
	if (!strcmp(name, "quality"))
		return set_int(&o->image.quality, value, 1, 100);
	if (!strcmp(name, "maxDimension"))
		return set_int(&o->image.max_dimension, value, 16, 8192);
	if (!strcmp(name, "pngCompressionLevel"))
		return set_int(&o->image.png_level, value, 0, 9);
	if (!strcmp(name, "webpEffort"))
		return set_int(&o->image.webp_effort, value, 0, 6);
	if (!strcmp(name, "allowWebp"))
		return set_flag(&o->image.allow_webp, value);
	if (!strcmp(name, "preferOriginalFormat"))
		return set_flag(&o->image.keep_format, value);
	if (!strcmp(name, "convertPngToJpeg"))
		return set_flag(&o->image.png_to_jpeg, value);
	if (!strcmp(name, "format"))
		return set_format(&o->image.format, value);
	return false;
}

static bool video_option(struct mediajob_options *o, const char *name, const char *value)
{
	if (!strcmp(name, "maxWidth"))
		return set_int(&o->video.max_width, value, 16, 8192);
	if (!strcmp(name, "crf"))
		return set_int(&o->video.crf, value, 0, 51);
	if (!strcmp(name, "preset"))
		return set_preset(&o->video.preset, value);
	if (!strcmp(name, "audioBitrateK"))
		return set_int(&o->video.audio_bitrate_k, value, 8, 512);
	return false;
}

/* Images and videos come by the same route, so what both know is set for both. */
static bool shared_option(struct mediajob_options *o, const char *name, const char *value)
{
	double ratio;

	if (!strcmp(name, "minBytes"))
		return set_bytes(&o->image.min_bytes, value) && set_bytes(&o->video.min_bytes, value);
	if (strcmp(name, "minSavingsRatio") != 0 || !read_number(value, 0, 1, &ratio))
		return false;
	o->image.min_savings = o->video.min_savings = ratio;
	return true;
}

bool mediajob_options_text(struct mediajob_options *o, enum mediajob_route route, const char *name, const char *value)
{
	value += strspn(value, " \t\r\n");
	if (!strcmp(name, "enable"))
		return set_flag(&o->compress, value);
	if (route == MEDIAJOB_ROUTE_STICKER)
		return sticker_option(o, name, value);
	return image_option(o, name, value) || video_option(o, name, value) || shared_option(o, name, value);
}

bool mediajob_wish_text(struct mediajob_options *o, const char *name, const char *value)
{
	if (!strcmp(name, "image"))
		return set_flag(&o->wish.image, value);
	if (!strcmp(name, "film"))
		return set_flag(&o->wish.film, value);
	if (!strcmp(name, "width"))
		return set_int(&o->wish.width, value, 0, LIMIT_MEDIA_SIDE);
	if (!strcmp(name, "height"))
		return set_int(&o->wish.height, value, 0, LIMIT_MEDIA_SIDE);
	if (!strcmp(name, "fit"))
		return set_fit(&o->wish.fit, value);
	if (!strcmp(name, "enlarge"))
		return set_flag(&o->wish.enlarge, value);
	if (!strcmp(name, "format"))
		return set_format(&o->wish.format, value);
	if (!strcmp(name, "quality"))
		return set_int(&o->wish.quality, value, 1, 100);
	if (!strcmp(name, "videoBitrateK"))
		return set_int(&o->wish.video_bitrate_k, value, LIMIT_MEDIA_VIDEO_MIN_K, LIMIT_MEDIA_VIDEO_MAX_K);
	if (!strcmp(name, "audioBitrateK"))
		return set_int(&o->wish.audio_bitrate_k, value, LIMIT_MEDIA_AUDIO_MIN_K, LIMIT_MEDIA_AUDIO_MAX_K);
	if (!strcmp(name, "sound"))
		return set_sound(&o->wish.sound, value);
	return false;
}

bool mediajob_may_send_input(enum mediajob_route route, const struct mediajob_result *result)
{
	switch (route) {
	case MEDIAJOB_ROUTE_VOICE:
	case MEDIAJOB_ROUTE_STICKER:
		return false;
	case MEDIAJOB_ROUTE_GIF:
	case MEDIAJOB_ROUTE_VIDEO_NOTE:
		return !strcmp(result->input.mime, "video/mp4");
	case MEDIAJOB_ROUTE_MEDIA:
	case MEDIAJOB_ROUTE_AUDIO:
	case MEDIAJOB_ROUTE_DOCUMENT:
		break;
	}
	return result->error != MEDIAJOB_E_CANCELLED;
}

const char *mediajob_error_text(int error)
{
	static const char *const texts[] = {
		"no error", "the file is broken, cut off or empty", "this kind of file is not supported",
		"the file is larger than media may be (dimensions, length, memory)", "the conversion took too long",
		"the file made the converter crash", "the file made the converter break its rules", "the converted file cannot be written",
		"too many media conversions are waiting", "the media worker cannot be started (see the log)", "the conversion was cancelled",
	};

	return error <= 0 && error > -(int)(sizeof texts / sizeof *texts) ? texts[-error] : "unknown media error";
}
