/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, bytes in unlucky pieces lose or mix up stanzas, or crash the daemon. */
#include "sessiond/wa/frame.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* All frames of a stream, each followed by its length, when it arrives in pieces of `step` bytes. */
static void collect(const uint8_t *data, size_t size, size_t step, struct buf *out)
{
	struct frame_reader reader = { 0 };
	uint8_t *payload;
	size_t n;

	for (size_t at = 0; at < size; at += step) {
		frame_reader_push(&reader, data + at, size - at < step ? size - at : step);
		while (frame_reader_next(&reader, &payload, &n)) {
			buf_append(out, payload, n);
			buf_be32(out, (uint32_t)n);
			/* Frames are decrypted in place. */
			for (size_t i = 0; i < n; i++)
				payload[i] ^= 0xffU;
		}
	}
	frame_reader_free(&reader);
}

/* First byte: size of the pieces. The frames must be the same as in one piece. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf whole = { 0 }, pieces = { 0 };

	if (size < 2)
		return 0;
	collect(data + 1, size - 1, size, &whole);
	collect(data + 1, size - 1, (size_t)data[0] + 1, &pieces);
	if (!span_equal(buf_span(&whole), buf_span(&pieces)))
		abort();
	buf_free(&whole);
	buf_free(&pieces);
	return 0;
}
