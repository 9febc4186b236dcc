/* SPDX-License-Identifier: GPL-3.0-or-later */
/* QR codes drawn in a style of the caller's: PNG and SVG. For events and terminals see qrpng.h. */
#ifndef SESSIOND_SESSION_QRIMAGE_H
#define SESSIOND_SESSION_QRIMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"

enum { QRIMAGE_MAX_SIDE = 4096, QRIMAGE_MAX_MARGIN = 64, QRIMAGE_MAX_SCALE = 64 };

enum qrimage_error {
	QRIMAGE_OK = 0,
	QRIMAGE_TOO_LONG = -1,  /* for a QR code of this level */
	QRIMAGE_TOO_LARGE = -2, /* more than QRIMAGE_MAX_SIDE pixels */
	QRIMAGE_MEMORY = -3
};

struct qrimage_style {
	char level;        /* error correction: 'L', 'M', 'Q' or 'H' */
	int margin;        /* modules around it */
	int scale;         /* pixels a module (PNG) */
	uint8_t dark[4];   /* RGBA */
	uint8_t light[4];
};

/* Level M, margin 1, 6 pixels a module, black on white. */
void qrimage_style_init(struct qrimage_style *style);
/* "#rgb", "#rrggbb" or "#rrggbbaa", '#' may be missing; false: something else. */
bool qrimage_colour(const char *text, uint8_t rgba[4]);

/* Append a whole picture. */
int qrimage_png(const char *text, const struct qrimage_style *style, struct buf *out);
int qrimage_svg(const char *text, const struct qrimage_style *style, struct buf *out);

#endif
