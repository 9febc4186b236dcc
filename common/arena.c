/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Arenas, see arena.h. */
#include "common/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

#define BLOCK_BYTES 4000U

struct arena_block {
	struct arena_block *next;
	size_t cap, used;
	max_align_t data[];
};

void arena_init(struct arena *a, size_t limit)
{
	*a = (struct arena){ .limit = limit };
}

void arena_free(struct arena *a)
{
	while (a->blocks) {
		struct arena_block *b = a->blocks;

		a->blocks = b->next;
		free(b);
	}
	arena_init(a, a->limit);
}

void arena_reset(struct arena *a)
{
	struct arena_block *keep = NULL;

	while (a->blocks) {
		struct arena_block *b = a->blocks;

		a->blocks = b->next;
		if (!a->blocks && b->cap == BLOCK_BYTES)
			keep = b;
		else
			free(b);
	}
	arena_init(a, a->limit);
	if (keep) {
		keep->next = NULL;
		keep->used = 0;
		a->blocks = keep;
	}
}

void *arena_alloc(struct arena *a, size_t size)
{
	const size_t align = _Alignof(max_align_t);
	struct arena_block *b = a->blocks;
	size_t rounded;
	void *p;

	if (size > SIZE_MAX / 4)
		abort();
	rounded = (size + align - 1) / align * align;
	if (a->limit && rounded > a->limit - a->used) {
		a->full = true;
		return NULL;
	}
	if (!b || rounded > b->cap - b->used) {
		size_t cap = rounded > BLOCK_BYTES ? rounded : BLOCK_BYTES;

		b = xmalloc(sizeof *b + cap);
		*b = (struct arena_block){ .next = a->blocks, .cap = cap };
		a->blocks = b;
	}
	p = (char *)b->data + b->used;
	b->used += rounded;
	a->used += rounded;
	return memset(p, 0, rounded);
}

void *arena_dup(struct arena *a, const void *p, size_t n)
{
	void *copy = arena_alloc(a, n);

	if (copy && n)
		memcpy(copy, p, n);
	return copy;
}

char *arena_text(struct arena *a, const void *p, size_t n)
{
	char *copy = arena_alloc(a, n + 1);

	if (copy && n)
		memcpy(copy, p, n);
	return copy;
}

char *arena_strdup(struct arena *a, const char *s)
{
	return arena_text(a, s, strlen(s));
}

char *arena_printf(struct arena *a, const char *format, ...)
{
	va_list ap, again;
	char *s = NULL;
	int n;

	va_start(ap, format);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, format, ap);
	va_end(ap);
	if (n >= 0)
		s = arena_alloc(a, (size_t)n + 1);
	if (s)
		vsnprintf(s, (size_t)n + 1, format, again);
	va_end(again);
	return s;
}
