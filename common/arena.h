/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An arena: many small allocations, one release. Holds what lives as long as one request or one stanza.
 *
 *     struct arena -> [ block | next ]-> [ block | next ]-> NULL      newest first
 *
 * A limit, once reached, makes every further allocation answer NULL and sets `full`; builders that cannot be driven by foreign
 * input use arenas without a limit (0) and never see NULL.
 */
#ifndef COMMON_ARENA_H
#define COMMON_ARENA_H

#include <stdbool.h>
#include <stddef.h>

struct arena_block;

struct arena {
	struct arena_block *blocks; /* owned */
	size_t used;                /* bytes handed out */
	size_t limit;               /* 0: none */
	bool full;
};

void arena_init(struct arena *a, size_t limit);
void arena_free(struct arena *a);
/* Empties the arena but keeps its first block for reuse. */
void arena_reset(struct arena *a);
/* Zeroed and aligned for any type. NULL only when the limit is reached. */
void *arena_alloc(struct arena *a, size_t size);
void *arena_dup(struct arena *a, const void *p, size_t n);
/* Terminated copy of n bytes. */
char *arena_text(struct arena *a, const void *p, size_t n);
char *arena_strdup(struct arena *a, const char *s);
char *arena_printf(struct arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
