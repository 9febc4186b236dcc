/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Still pictures over GraphicsMagick and libwebp. Private to the worker program. */
#ifndef SESSIOND_MEDIA_IMAGE_H
#define SESSIOND_MEDIA_IMAGE_H

#include "sessiond/media/work.h"

struct still;

struct still_format {
	enum mediajob_format format; /* not SAME */
	int quality, png_level, webp_effort;
	bool palette;             /* PNG: at most 256 colours */
};

void image_warm_up(void);
/* Fills result->input from the headers; refuses what is too large. */
int image_probe(struct work *w);
/* Decodes the first picture, applies its orientation, drops its metadata. side > 0: about so large is enough. */
int still_open(struct work *w, int side, struct still **out);
/* A picture of RGBA bytes; NULL without memory. */
struct still *still_of_rgba(const uint8_t *rgba, int width, int height);
void still_close(struct still *still);
int still_width(const struct still *still);
int still_height(const struct still *still);
/* Is any pixel not opaque? */
bool still_alpha(const struct still *still);
/* Transparent pixels become white. */
int still_flatten(struct work *w, struct still *still);
/* 0 x 0: unchanged; one of them 0: from the other. CONTAIN pads: transparent, or black if opaque is set. */
int still_resize(struct work *w, struct still *still, int width, int height, enum mediajob_fit fit, bool opaque);
/* As a receiver's action wants it. Without `enlarge` no side grows, but CONTAIN pads to the whole size in any case. */
struct still_shape {
	int width, height;
	enum mediajob_fit fit;
	bool enlarge, opaque;
};
int still_fit(struct work *w, struct still *still, const struct still_shape *shape);
int still_encode(struct work *w, struct still *still, const struct still_format *format, struct buf *out);
/* width x height x 4 bytes; the caller frees. NULL without memory. */
uint8_t *still_rgba(const struct still *still);
/* Makes result->thumbnail of it. A picture that cannot be made is no error: there is none then. */
void still_thumbnail(struct work *w, const struct still *still);

#endif
