/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pictures by their first bytes, see work.h. What is none of these is left to FFmpeg's probing. */
#include <string.h>

#include "sessiond/media/work.h"

static const struct {
	enum sniff kind;
	const char *magic;
	size_t n;
} magics[] = {
	{ SNIFF_JPEG, "\xff\xd8\xff", 3 }, { SNIFF_PNG, "\x89PNG\r\n\x1a\n", 8 }, { SNIFF_GIF, "GIF87a", 6 }, { SNIFF_GIF, "GIF89a", 6 },
	{ SNIFF_BMP, "BM", 2 }, { SNIFF_TIFF, "II*\0", 4 }, { SNIFF_TIFF, "MM\0*", 4 },
};

enum sniff sniff_bytes(const uint8_t *bytes, size_t n)
{
	if (!n)
		return SNIFF_EMPTY;
	if (n >= 12 && !memcmp(bytes, "RIFF", 4) && !memcmp(bytes + 8, "WEBP", 4))
		return SNIFF_WEBP;
	for (size_t i = 0; i < sizeof magics / sizeof *magics; i++)
		if (n >= magics[i].n && !memcmp(bytes, magics[i].magic, magics[i].n))
			return magics[i].kind;
	return SNIFF_OTHER;
}

const char *sniff_mime(enum sniff sniffed)
{
	static const char *const mimes[] = {
		[SNIFF_OTHER] = "application/octet-stream", [SNIFF_EMPTY] = "application/octet-stream", [SNIFF_JPEG] = "image/jpeg",
		[SNIFF_PNG] = "image/png", [SNIFF_GIF] = "image/gif", [SNIFF_WEBP] = "image/webp", [SNIFF_BMP] = "image/bmp",
		[SNIFF_TIFF] = "image/tiff",
	};

	return mimes[sniffed];
}

void sniff_size(enum sniff sniffed, struct span bytes, unsigned long *width, unsigned long *height)
{
	struct reader r = reader_of(bytes.p, bytes.n);

	*width = *height = 0;
	if (sniffed == SNIFF_PNG) {
		read_span(&r, 16);
		*width = read_be32(&r);
		*height = read_be32(&r);
	} else if (sniffed == SNIFF_GIF) {
		read_span(&r, 6);
		*width = read_u8(&r);
		*width |= (unsigned long)read_u8(&r) << 8;
		*height = read_u8(&r);
		*height |= (unsigned long)read_u8(&r) << 8;
	}
}

/* ---- EXIF: TIFF 6.0, tag 0x112 of the first directory ---- */

static uint32_t read_tiff(struct reader *r, bool little, int n)
{
	uint32_t v = 0;

	for (int i = 0; i < n; i++) {
		uint32_t byte = read_u8(r);

		v = little ? v | byte << (8 * i) : v << 8 | byte;
	}
	return v;
}

static int exif_orientation(struct span tiff)
{
	struct reader r = reader_of(tiff.p, tiff.n);
	bool little = tiff.n > 1 && tiff.p[0] == 'I';
	uint32_t entries;

	read_span(&r, 4);
	entries = read_tiff(&r, little, 4);
	r = reader_of(tiff.p, tiff.n);
	read_span(&r, entries);
	entries = read_tiff(&r, little, 2);
	while (r.ok && entries-- > 0) {
		uint32_t tag = read_tiff(&r, little, 2);

		read_span(&r, 6);
		if (tag == 0x112)
			return (int)read_tiff(&r, little, 2);
		read_span(&r, 4);
	}
	return 0;
}

bool sniff_jpeg_lying(struct span bytes)
{
	struct reader r = reader_of(bytes.p, bytes.n);

	read_span(&r, 2);
	while (r.ok && read_u8(&r) == 0xff) {
		uint8_t marker = read_u8(&r);
		uint16_t n = read_be16(&r);
		struct span segment = read_span(&r, n < 2 ? 0 : n - 2U);

		if (marker == 0xda || n < 2)
			break;
		if (marker == 0xe1 && segment.n > 6 && !memcmp(segment.p, "Exif\0\0", 6)) {
			int orientation = exif_orientation(span_of(segment.p + 6, segment.n - 6));

			return orientation >= 5 && orientation <= 8;
		}
	}
	return false;
}

/* ---- GIF ---- */

static void skip_sub_blocks(struct reader *r)
{
	uint8_t n;

	while (r->ok && (n = read_u8(r)) > 0)
		read_span(r, n);
}

static void skip_colours(struct reader *r, uint8_t flags)
{
	if (flags & 0x80)
		read_span(r, (size_t)3 << ((flags & 7) + 1));
}

/* GIF89a specification: 0x21 extension, 0x2c picture, 0x3b end. */
bool sniff_gif_animated(struct span bytes)
{
	struct reader r = reader_of(bytes.p, bytes.n);
	int pictures = 0;

	read_span(&r, 10);
	skip_colours(&r, read_u8(&r));
	read_span(&r, 2);
	while (r.ok && pictures < 2) {
		uint8_t block = read_u8(&r);

		if (block == 0x21) {
			read_u8(&r);
		} else if (block == 0x2c) {
			read_span(&r, 8);
			skip_colours(&r, read_u8(&r));
			read_u8(&r);
			pictures++;
		} else {
			break;
		}
		skip_sub_blocks(&r);
	}
	return pictures > 1;
}
