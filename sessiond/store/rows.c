/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Growing arrays in an arena, for the answers of queries. */
#include <string.h>

#include "sessiond/store/private.h"

void rows_init(struct rows *rows, struct arena *arena, size_t size)
{
	*rows = (struct rows){ .arena = arena, .size = size };
}

void *rows_add(struct rows *rows)
{
	if (rows->count == rows->room) {
		size_t room = rows->room == 0 ? 16 : rows->room * 2;
		void *grown = arena_alloc(rows->arena, room * rows->size);

		if (rows->count > 0)
			memcpy(grown, rows->data, rows->count * rows->size);
		rows->data = grown;
		rows->room = room;
	}
	return (uint8_t *)rows->data + rows->count++ * rows->size;
}
