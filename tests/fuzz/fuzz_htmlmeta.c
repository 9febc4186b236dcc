/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A web page that somebody links to must not be able to do more than to name itself. */
#include <stdlib.h>

#include "common/htmlmeta.h"
#include "common/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span input = span_of(data, size), link = htmlmeta_first_link(input);
	struct htmlmeta meta;

	htmlmeta_read(&meta, input);
	if (meta.title.len > HTMLMETA_MAX || meta.description.len > HTMLMETA_MAX || link.n > size)
		abort();
	if (!utf8_is_valid((const char *)meta.title.data, meta.title.len) || !utf8_is_valid((const char *)meta.description.data, meta.description.len))
		abort();
	htmlmeta_free(&meta);
	return 0;
}
