/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * WebP beyond single pictures: animations (neither FFmpeg 5.1 nor GraphicsMagick 1.3 reads them) and the pack metadata of stickers.
 * Private to the worker program.
 *
 * Pack metadata: an EXIF chunk with one TIFF entry of the tag 0x5741 ("WA") that holds JSON:
 *
 *     49 49 2a 00 | 08 00 00 00 | 01 00 | 41 57 07 00 <length le32> 16 00 00 00 | {"sticker-pack-id":..,"sticker-pack-name":..,...}
 *     TIFF, le      first entry   count   tag   type                 offset 22
 */
#ifndef SESSIOND_MEDIA_WEBP_H
#define SESSIOND_MEDIA_WEBP_H

#include "sessiond/media/work.h"

/* RGBA of the first picture; the caller frees *rgba. */
int webp_first_frame(struct work *w, struct span bytes, uint8_t **rgba, int *width, int *height);
/* Appends a still WebP. */
int webp_encode(struct work *w, const uint8_t *rgba, int width, int height, int quality, int effort, struct buf *out);

/* Walks an animation: each picture is whole (drawn over what was before it). */
struct webp_walk;
int webp_walk_open(struct work *w, struct span bytes, struct webp_walk **out, int *width, int *height);
/* 1: *rgba (borrowed until the next call) ends at *end_ms. 0: no more. */
int webp_walk_next(struct webp_walk *walk, const uint8_t **rgba, int *end_ms);
void webp_walk_close(struct webp_walk *walk);

/* The EXIF bytes of the pack texts. */
void webp_pack_exif(const char *pack, const char *publisher, const char *emojis, struct buf *out);
/* The JSON in EXIF bytes as above; an empty span if it is something else. */
struct span webp_pack_json(struct span exif);
/* Appends the WebP with its EXIF chunk set (exif empty: without one). -1 if these bytes are no WebP. */
int webp_set_exif(struct span webp, struct span exif, struct buf *out);
/* Appends the EXIF chunk; -1 without one. */
int webp_get_exif(struct span webp, struct buf *out);

#endif
