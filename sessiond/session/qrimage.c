/* SPDX-License-Identifier: GPL-3.0-or-later */
/* QR codes in a style: PNG with a palette of two colours (PNG specification 11.2), SVG with two paths. */
#include "sessiond/session/qrimage.h"

#include <qrencode.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

void qrimage_style_init(struct qrimage_style *style)
{
	*style = (struct qrimage_style){ .level = 'M', .margin = 1, .scale = 6, .dark = { 0, 0, 0, 255 }, .light = { 255, 255, 255, 255 } };
}

/* ---- colours ---- */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool qrimage_colour(const char *text, uint8_t rgba[4])
{
	size_t n, digits;

	text += *text == '#';
	n = strlen(text);
	digits = n == 3 || n == 4 ? 1 : 2;
	if (n != 3 && n != 4 && n != 6 && n != 8)
		return false;
	rgba[3] = 255;
	for (size_t i = 0; i * digits < n; i++) {
		int high = hex_digit(text[i * digits]), low = hex_digit(text[i * digits + digits - 1]);

		if (high < 0 || low < 0)
			return false;
		rgba[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

/* ---- the code ---- */

static QRecLevel level_of(char level)
{
	return level == 'L' ? QR_ECLEVEL_L : level == 'Q' ? QR_ECLEVEL_Q : level == 'H' ? QR_ECLEVEL_H : QR_ECLEVEL_M;
}

/* Digits and capitals take less room in modes of their own: libqrencode cuts the text into such segments. */
static QRcode *encode(const char *text, const struct qrimage_style *style)
{
	return QRcode_encodeString(text, 0, level_of(style->level), QR_MODE_8, 1);
}

static bool is_dark(const QRcode *code, int x, int y)
{
	if (x < 0 || y < 0 || x >= code->width || y >= code->width)
		return false;
	return code->data[y * code->width + x] & 1;
}

/* ---- PNG ---- */

static void put_chunk(struct buf *out, const char *type, const void *data, size_t n)
{
	uLong crc;

	buf_be32(out, (uint32_t)n);
	buf_append(out, type, 4);
	buf_append(out, data, n);
	crc = crc32(0, out->data + out->len - n - 4, (uInt)(n + 4));
	buf_be32(out, (uint32_t)crc);
}

/* One filter byte and one bit a pixel for each line; 1 is dark. */
static uint8_t *draw(const QRcode *code, const struct qrimage_style *style, size_t side, size_t *len)
{
	size_t stride = side / 8 + (side % 8 != 0) + 1;
	uint8_t *rows = calloc(side, stride);

	for (size_t y = 0; rows && y < side; y++)
		for (size_t x = 0; x < side; x++)
			if (is_dark(code, (int)x / style->scale - style->margin, (int)y / style->scale - style->margin))
				rows[y * stride + 1 + x / 8] = (uint8_t)(rows[y * stride + 1 + x / 8] | 0x80 >> x % 8);
	*len = stride * side;
	return rows;
}

static void put_png(struct buf *out, const struct qrimage_style *style, size_t side, const uint8_t *packed, size_t packed_len)
{
	static const uint8_t magic[8] = { 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n' };
	const uint8_t opacity[2] = { style->light[3], style->dark[3] };
	struct buf head = { 0 }, palette = { 0 };

	buf_be32(&head, (uint32_t)side);
	buf_be32(&head, (uint32_t)side);
	/* one bit a pixel, palette, deflate, adaptive filters, not interlaced */
	buf_append(&head, "\1\3\0\0\0", 5);
	buf_append(&palette, style->light, 3);
	buf_append(&palette, style->dark, 3);
	buf_append(out, magic, sizeof magic);
	put_chunk(out, "IHDR", head.data, head.len);
	put_chunk(out, "PLTE", palette.data, palette.len);
	if (opacity[0] != 255 || opacity[1] != 255)
		put_chunk(out, "tRNS", opacity, sizeof opacity);
	put_chunk(out, "IDAT", packed, packed_len);
	put_chunk(out, "IEND", "", 0);
	buf_free(&head);
	buf_free(&palette);
}

int qrimage_png(const char *text, const struct qrimage_style *style, struct buf *out)
{
	QRcode *code = encode(text, style);
	uint8_t *rows = NULL, *packed = NULL;
	size_t side, len;
	uLongf packed_len;
	int error = QRIMAGE_MEMORY;

	if (!code)
		return QRIMAGE_TOO_LONG;
	side = (size_t)(code->width + 2 * style->margin) * (size_t)style->scale;
	if (side > QRIMAGE_MAX_SIDE) {
		error = QRIMAGE_TOO_LARGE;
		goto out;
	}
	rows = draw(code, style, side, &len);
	packed_len = compressBound((uLong)len);
	packed = malloc(packed_len);
	if (!rows || !packed || compress2(packed, &packed_len, rows, (uLong)len, 9) != Z_OK)
		goto out;
	put_png(out, style, side, packed, packed_len);
	error = QRIMAGE_OK;
out:
	QRcode_free(code);
	free(rows);
	free(packed);
	return error;
}

/* ---- SVG ---- */

static void put_colour(struct buf *out, const char *attribute, const uint8_t rgba[4])
{
	buf_printf(out, " %s=\"#%02x%02x%02x\"", attribute, rgba[0], rgba[1], rgba[2]);
	if (rgba[3] != 255)
		buf_printf(out, " %s-opacity=\"%.3f\"", attribute, rgba[3] / 255.0);
}

/* Runs of dark modules as lines of one unit through the middle of each row. */
static void put_rows(struct buf *out, const QRcode *code, int margin)
{
	for (int y = 0; y < code->width; y++) {
		for (int x = 0; x < code->width; x++) {
			int from = x;

			while (x < code->width && is_dark(code, x, y))
				x++;
			if (x > from)
				buf_printf(out, "M%d %d.5h%d", from + margin, y + margin, x - from);
		}
	}
}

int qrimage_svg(const char *text, const struct qrimage_style *style, struct buf *out)
{
	QRcode *code = encode(text, style);
	int side;

	if (!code)
		return QRIMAGE_TOO_LONG;
	side = code->width + 2 * style->margin;
	buf_printf(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" shape-rendering=\"crispEdges\">", side, side);
	buf_append_text(out, "<path");
	put_colour(out, "fill", style->light);
	buf_printf(out, " d=\"M0 0h%dv%dH0z\"/><path", side, side);
	put_colour(out, "stroke", style->dark);
	buf_append_text(out, " d=\"");
	put_rows(out, code, style->margin);
	buf_append_text(out, "\"/></svg>\n");
	QRcode_free(code);
	return QRIMAGE_OK;
}
