/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this finds something, whoever may send a request to an upload route can end warest.fcgi or make it hold more than it may. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "fcgi/json_cut.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* The first byte says how often the second half is repeated: only long strings and arrays are cut. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct arena arena;
	struct form form;
	struct buf text = { 0 };
	struct json_cut cut;
	int rc;

	if (len < 3)
		return 0;
	arena_init(&arena, 0);
	form_init(&form, &arena, "/tmp", 30000);
	json_cut_init(&cut, &form, &text, 100000);
	rc = json_cut_feed(&cut, span_of(bytes + 1, len / 2));
	for (unsigned i = 0; i < bytes[0] * 8U && !rc; i++)
		rc = json_cut_feed(&cut, span_of(bytes + 1 + len / 2, len - 1 - len / 2));
	if (text.len > 100000 + 64 || form.files_count > FORM_MAX_FILES || (rc != 0) != (cut.error != 0))
		abort();
	json_cut_free(&cut);
	form_free(&form);
	buf_free(&text);
	arena_free(&arena);
	return 0;
}
