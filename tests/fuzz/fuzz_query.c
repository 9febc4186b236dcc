/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, a link with a strange query or path crashes warest.fcgi or makes it hold more than its bounds allow. */
#include "fcgi/query.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fcgi/json_out.h"
#include "fcgi/route.h"
#include "fcgi/uri.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *error;
	struct arena a;
	struct buf out;
	struct json *query;

	arena_init(&a, 0);
	buf_init(&out);
	query = query_parse(&a, span_of(data, size));
	json_tree(&out, query);
	/* whatever came in, valid JSON goes on to the daemon */
	if (query->count > QUERY_MAX_PAIRS || (query->count < QUERY_MAX_PAIRS / 2 && !json_parse(&a, buf_span(&out), &error)))
		abort();
	(void)uri_valid(&a, span_of(data, size));
	(void)route_find("GET", span_of(data, size));
	buf_free(&out);
	arena_free(&a);
	return 0;
}
