/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Draws QR codes: libqrencode makes the modules, zlib packs the PNG. */
#include "sessiond/session/qrpng.h"

#include <qrencode.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { MARGIN = 1, MAX_SIZE_PX = 2048 };

static const char base64_alphabet[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void base64_put(char *out, const unsigned char *in, size_t len)
{
	size_t at = 0;

	for (size_t i = 0; i < len; i += 3) {
		uint32_t word = (uint32_t)in[i] << 16;
		word |= i + 1 < len ? (uint32_t)in[i + 1] << 8 : 0;
		word |= i + 2 < len ? (uint32_t)in[i + 2] : 0;
		out[at++] = base64_alphabet[word >> 18];
		out[at++] = base64_alphabet[(word >> 12) & 63];
		out[at++] = i + 1 < len ? base64_alphabet[(word >> 6) & 63] : '=';
		out[at++] = i + 2 < len ? base64_alphabet[word & 63] : '=';
	}
	out[at] = '\0';
}

static void put_be32(unsigned char *out, uint32_t value)
{
	out[0] = (unsigned char)(value >> 24);
	out[1] = (unsigned char)(value >> 16);
	out[2] = (unsigned char)(value >> 8);
	out[3] = (unsigned char)value;
}

/* PNG chunk (PNG specification 5.3): length, type, data, CRC of type and data. */
static size_t put_chunk(unsigned char *out, const char *type, const unsigned char *data, size_t len)
{
	put_be32(out, (uint32_t)len);
	memcpy(out + 4, type, 4);
	if (len > 0) {
		memcpy(out + 8, data, len);
	}
	put_be32(out + 8 + len, (uint32_t)crc32(0, out + 4, (uInt)(len + 4)));
	return len + 12;
}

static bool module_is_dark(const QRcode *code, long x, long y)
{
	if (x < 0 || y < 0 || x >= code->width || y >= code->width) {
		return false;
	}
	return (code->data[y * code->width + x] & 1) != 0;
}

/* One filter byte and one bit a pixel for each line; white is 1. */
static unsigned char *draw_bitmap(const QRcode *code, unsigned size_px, size_t *len)
{
	size_t stride = (size_t)size_px / 8 + (size_px % 8 != 0 ? 1 : 0) + 1;
	long modules = (long)code->width + 2 * MARGIN;
	unsigned char *rows = calloc(size_px, stride);

	if (rows == NULL) {
		return NULL;
	}
	for (unsigned y = 0; y < size_px; y++) {
		unsigned char *row = rows + y * stride + 1;
		long module_y = (long)y * modules / (long)size_px - MARGIN;
		for (unsigned x = 0; x < size_px; x++) {
			long module_x = (long)x * modules / (long)size_px - MARGIN;
			if (!module_is_dark(code, module_x, module_y)) {
				row[x / 8] = (unsigned char)(row[x / 8] | (0x80u >> (x % 8)));
			}
		}
	}
	*len = stride * size_px;
	return rows;
}

static unsigned char *encode_png(const unsigned char *rows, size_t rows_len, unsigned size_px,
								 size_t *png_len)
{
	static const unsigned char magic[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
	/* one bit a pixel, greyscale, deflate, adaptive filters, not interlaced */
	unsigned char header[13] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0};
	uLongf packed_len = compressBound((uLong)rows_len);
	unsigned char *packed = malloc(packed_len);
	unsigned char *png = NULL;
	size_t at = sizeof magic;

	if (packed == NULL || compress2(packed, &packed_len, rows, (uLong)rows_len, 9) != Z_OK) {
		goto out;
	}
	png = malloc(sizeof magic + 3 * 12 + sizeof header + packed_len);
	if (png == NULL) {
		goto out;
	}
	put_be32(header, size_px);
	put_be32(header + 4, size_px);
	memcpy(png, magic, sizeof magic);
	at += put_chunk(png + at, "IHDR", header, sizeof header);
	at += put_chunk(png + at, "IDAT", packed, packed_len);
	at += put_chunk(png + at, "IEND", NULL, 0);
	*png_len = at;
out:
	free(packed);
	return png;
}

char *qr_png_data_uri(const char *text, unsigned size_px)
{
	static const char prefix[] = "data:image/png;base64,";
	QRcode *code = NULL;
	unsigned char *rows = NULL;
	unsigned char *png = NULL;
	char *uri = NULL;
	size_t rows_len = 0;
	size_t png_len = 0;

	if (size_px == 0 || size_px > MAX_SIZE_PX) {
		return NULL;
	}
	code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_M);
	if (code == NULL || code->width + 2 * MARGIN > (int)size_px) {
		goto out;
	}
	rows = draw_bitmap(code, size_px, &rows_len);
	png = rows != NULL ? encode_png(rows, rows_len, size_px, &png_len) : NULL;
	uri = png != NULL ? malloc(sizeof prefix + (png_len + 2) / 3 * 4) : NULL;
	if (uri != NULL) {
		memcpy(uri, prefix, sizeof prefix - 1);
		base64_put(uri + sizeof prefix - 1, png, png_len);
	}
out:
	free(png);
	free(rows);
	QRcode_free(code);
	return uri;
}

char *qr_terminal(const char *text)
{
	/* Light modules are painted, so the code reads on dark terminals too. */
	static const char *const blocks[2][2] = {{"\xe2\x96\x88", "\xe2\x96\x80"},
											 {"\xe2\x96\x84", " "}};
	QRcode *code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_M);
	char *out = NULL;
	size_t at = 0;

	if (code == NULL) {
		return NULL;
	}
	long side = (long)code->width + 4;
	out = malloc((size_t)((side + 1) / 2 * (side * 3 + 1) + 1));
	if (out == NULL) {
		goto out;
	}
	for (long y = -2; y < code->width + 2; y += 2) {
		for (long x = -2; x < code->width + 2; x++) {
			const char *block =
				blocks[module_is_dark(code, x, y) ? 1 : 0][module_is_dark(code, x, y + 1) ? 1 : 0];
			size_t len = strlen(block);
			memcpy(out + at, block, len);
			at += len;
		}
		out[at++] = '\n';
	}
	out[at] = '\0';
out:
	QRcode_free(code);
	return out;
}
