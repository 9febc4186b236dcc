/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, a hostile JSON body crashes warest.fcgi, or reaches the daemon as something else than it was checked as. */
#include "fcgi/json.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fcgi/json_out.h"
#include "fcgi/json_scan.h"
#include "fcgi/recipients.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The scanner must find in a written object exactly the members that the tree has. */
static void compare_scan(const struct json *v, struct span written)
{
	struct json_scan s = json_scan_object(written);
	struct span name, value;
	size_t n = 0;

	while (json_scan_next(&s, &name, &value))
		n++;
	if (s.broken || n != v->count)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *error = NULL;
	struct arena a;
	struct buf once, twice, list;
	struct json *v;

	arena_init(&a, 0);
	buf_init(&once);
	buf_init(&twice);
	buf_init(&list);
	v = json_parse(&a, span_of(data, size), &error);
	if (!v && !error)
		abort();
	if (v) {
		json_tree(&once, v);
		if (v->type == JSON_OBJECT)
			compare_scan(v, buf_span(&once));
		(void)recipients_write(&a, "62", v, 1000, &list);
		v = json_parse(&a, buf_span(&once), &error);
		if (!v)
			abort();
		json_tree(&twice, v);
		if (!span_equal(buf_span(&once), buf_span(&twice)))
			abort();
	}
	buf_free(&once);
	buf_free(&twice);
	buf_free(&list);
	arena_free(&a);
	return 0;
}
