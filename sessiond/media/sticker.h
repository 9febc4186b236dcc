/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Stickers: a WebP of exactly 512 x 512, the picture fitted into the middle, the rest transparent. Still ones have at most 100 KB,
 * animated ones 500 KB, 10 s and 15 pictures a second. Private to the worker program.
 */
#ifndef SESSIOND_MEDIA_STICKER_H
#define SESSIOND_MEDIA_STICKER_H

#include "sessiond/media/work.h"

/* Makes the output and result->sent of any picture, animation or film; result->input is filled already. A WebP that is a sticker
 * already stays as it is (unchanged), its pack metadata too unless the job names others. */
int sticker_make(struct work *w);

#endif
