/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this finds something, a sticker's metadata or its animation can make conversions fail in ways nobody expects. */
#include "media_fuzz.h"
#include "sessiond/media/webp.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void walk(const uint8_t *bytes, size_t len)
{
	static struct mediajob_result result;
	const struct mediajob job = { .max_pixels = FUZZ_PIXELS };
	struct work w = { .job = &job, .result = &result };
	struct webp_walk *walk;
	const uint8_t *rgba;
	int width, height, end_ms, left = 50;
	unsigned sum = 0;

	if (webp_walk_open(&w, span_of(bytes, len), &walk, &width, &height))
		return;
	while (left-- > 0 && webp_walk_next(walk, &rgba, &end_ms))
		sum += rgba[(size_t)width * (size_t)height * 4 - 1];
	webp_walk_close(walk);
	if (sum > 50 * 255)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct buf exif = { 0 }, made = { 0 }, again = { 0 };
	struct span json = webp_pack_json(span_of(bytes, len));

	if (json.n && (json.p < bytes || json.p + json.n > bytes + len))
		abort();
	sniff_gif_animated(span_of(bytes, len));
	sniff_jpeg_lying(span_of(bytes, len));
	walk(bytes, len);
	webp_get_exif(span_of(bytes, len), &exif);
	buf_clear(&exif);
	webp_pack_exif("pack", "me", "x", &exif);
	/* What was written is read back the same. */
	if (!webp_set_exif(span_of(bytes, len), buf_span(&exif), &made) && !webp_get_exif(buf_span(&made), &again) &&
	    (!span_equal(buf_span(&exif), buf_span(&again)) || !webp_pack_json(buf_span(&again)).n))
		abort();
	buf_free(&exif);
	buf_free(&made);
	buf_free(&again);
	return 0;
}
