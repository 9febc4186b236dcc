/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, a hostile stanza crashes the daemon or makes it eat all memory. */
#include "sessiond/wa/node.h"

#include <stdlib.h>

#include "common/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was read can be described, copied, written (unless a JID has no written form) and read again. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena, other;
	struct buf text = { 0 }, wire = { 0 };
	struct wa_node *node, *again;

	arena_init(&arena, 0);
	arena_init(&other, 0);
	if (wa_node_decode(&arena, span_of(data, size), &node) == 0) {
		if (arena.used > 2U * LIMIT_WA_NODE_MEMORY)
			abort();
		wa_node_describe(&text, node);
		again = wa_node_clone(&other, node);
		if (wa_node_encode(&wire, again) == 0 && wa_node_decode(&arena, buf_span(&wire), &node) != 0)
			abort();
	} else if (node != NULL) {
		abort();
	}
	buf_free(&text);
	buf_free(&wire);
	arena_free(&arena);
	arena_free(&other);
	return 0;
}
