/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Frames on the byte stream, see frame.h. */
#include "sessiond/wa/frame.h"

#include "common/limits.h"
#include "sessiond/wa/tokens.h"

const uint8_t frame_prologue[FRAME_PROLOGUE_LEN] = { 'W', 'A', 6, WA_TOKENS_VERSION };

void frame_put_intro(struct buf *out, struct span routing_info)
{
	static const uint8_t edge[] = { 'E', 'D', 0, 1 };

	if (routing_info.n > 0 && routing_info.n <= LIMIT_WA_FRAME_BYTES) {
		buf_append(out, edge, sizeof edge);
		buf_be24(out, (uint32_t)routing_info.n);
		buf_append_span(out, routing_info);
	}
	buf_append(out, frame_prologue, sizeof frame_prologue);
}

int frame_put(struct buf *out, struct span payload)
{
	if (payload.n > LIMIT_WA_FRAME_BYTES)
		return -1;
	buf_be24(out, (uint32_t)payload.n);
	buf_append_span(out, payload);
	return 0;
}

void frame_reader_free(struct frame_reader *reader)
{
	buf_wipe(&reader->bytes);
	reader->taken = 0;
}

void frame_reader_push(struct frame_reader *reader, const uint8_t *bytes, size_t n)
{
	if (reader->taken > 0) {
		buf_consume(&reader->bytes, reader->taken);
		reader->taken = 0;
	}
	buf_append(&reader->bytes, bytes, n);
}

bool frame_reader_next(struct frame_reader *reader, uint8_t **payload, size_t *n)
{
	for (;;) {
		size_t left = reader->bytes.len - reader->taken;
		uint8_t *p = left > 0 ? reader->bytes.data + reader->taken : NULL;
		size_t length;

		if (left == 0)
			frame_reader_free(reader);
		if (left < FRAME_HEADER_LEN)
			return false;
		length = (size_t)p[0] << 16 | (size_t)p[1] << 8 | p[2];
		if (left - FRAME_HEADER_LEN < length)
			return false;
		reader->taken += FRAME_HEADER_LEN + length;
		if (length == 0)
			continue;
		*payload = p + FRAME_HEADER_LEN;
		*n = length;
		return true;
	}
}
