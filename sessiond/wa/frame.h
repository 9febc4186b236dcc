/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Frames on the byte stream of one connection, both ways: a length of three bytes, then that many bytes.
 *
 *     first bytes sent:   [ 'E' 'D' 0 1 | len24 | routing info ]   if the server told us some
 *                         'W' 'A' 6 3                              this alone goes into the Noise prologue
 *     then, repeated:     len24 | payload
 *
 * Source: protocol notes of Baileys (noise-handler), whatsmeow (socket/framesocket.go).
 */
#ifndef SESSIOND_WA_FRAME_H
#define SESSIOND_WA_FRAME_H

#include <stdbool.h>

#include "common/buf.h"

#define FRAME_HEADER_LEN 3
#define FRAME_PROLOGUE_LEN 4

extern const uint8_t frame_prologue[FRAME_PROLOGUE_LEN];

/* Appends what precedes the first frame. Routing info that is empty or does not fit is left out. */
void frame_put_intro(struct buf *out, struct span routing_info);
/* Appends one frame. -1 (and nothing appended) if the payload is above LIMIT_WA_FRAME_BYTES. */
int frame_put(struct buf *out, struct span payload);

/* Puts frames together from pieces of any size. All zero is valid and empty. */
struct frame_reader {
	struct buf bytes; /* owned: not yet handed out */
	size_t taken;     /* of these, already handed out */
};

void frame_reader_free(struct frame_reader *reader);
void frame_reader_push(struct frame_reader *reader, const uint8_t *bytes, size_t n);
/*
 * True and the next whole frame (never empty: such frames are skipped), which stays valid and may be changed in place until the
 * next call. False if more bytes are needed; an idle reader keeps no memory.
 */
bool frame_reader_next(struct frame_reader *reader, uint8_t **payload, size_t *n);

#endif
