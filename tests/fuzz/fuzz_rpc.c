/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, whoever may write to the local socket can crash or confuse the daemon. */
#include "common/rpc.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* First byte: size of the pieces in which the rest arrives. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rpc_parser parser;
	struct rpc_frame frame;
	size_t step;

	if (size < 2)
		return 0;
	step = (size_t)data[0] + 1;
	rpc_parser_init(&parser);
	for (size_t at = 1; at < size; at += step) {
		size_t n = size - at < step ? size - at : step;

		rpc_parser_feed(&parser, data + at, n);
		while (rpc_parser_next(&parser, &frame) == 1) {
			if (frame.type == RPC_HELLO)
				(void)rpc_hello_check(frame.payload);
			if (frame.payload.n > LIMIT_RPC_FRAME_BYTES)
				abort();
			rpc_frame_free(&frame);
		}
	}
	rpc_parser_free(&parser);
	return 0;
}
