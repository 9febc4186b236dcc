/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, parameters in links and forms are read otherwise than by the original (qs syntax), or paths are decoded wrongly. */
#include "fcgi/query.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "fcgi/json_out.h"
#include "fcgi/uri.h"

static void reads(const char *text, const char *expected)
{
	struct arena a;
	struct buf out;

	arena_init(&a, 0);
	buf_init(&out);
	json_tree(&out, query_parse(&a, span_text(text)));
	assert_string_equal(buf_text(&out), expected);
	buf_free(&out);
	arena_free(&a);
}

static void plain(void **state)
{
	(void)state;
	reads("", "{}");
	reads("a=1&b=&c&=x&&d=%20+%2B", "{\"a\":\"1\",\"b\":\"\",\"c\":\"\",\"d\":\"  +\"}");
	reads("m=a%26b%3Dc%c3%a9", "{\"m\":\"a&b=c\xc3\xa9\"}");
	reads("m=%zz%4&n=%ff", "{\"m\":\"%zz%4\",\"n\":\"\xef\xbf\xbd\"}");
	reads("a=b=c", "{\"a\":\"b=c\"}");
}

static void extended(void **state)
{
	(void)state;
	reads("a=1&a=2&a=3", "{\"a\":[\"1\",\"2\",\"3\"]}");
	reads("a[]=1&a[]=2", "{\"a\":[\"1\",\"2\"]}");
	reads("a[]=1", "{\"a\":[\"1\"]}");
	reads("a[b]=c&a[d]=e", "{\"a\":{\"b\":\"c\",\"d\":\"e\"}}");
	reads("a[b][c]=d", "{\"a\":{\"b\":{\"c\":\"d\"}}}");
	reads("a%5Bb%5D=c", "{\"a\":{\"b\":\"c\"}}");
	reads("a=1&a[b]=2", "{\"a\":{\"0\":\"1\",\"b\":\"2\"}}");
	reads("a[]=1&a[b]=2", "{\"a\":{\"0\":\"1\",\"b\":\"2\"}}");
	reads("a[b]=1&a=2", "{\"a\":{\"b\":\"1\",\"2\":\"true\"}}");
	reads("a[b=1&c]=2&[=3", "{\"a[b\":\"1\",\"c]\":\"2\",\"[\":\"3\"}");
}

static void bounds(void **state)
{
	struct arena a;
	struct buf b;
	size_t n = 0;

	(void)state;
	reads("a[b][c][d][e][f][g][h]=1", "{\"a\":{\"b\":{\"c\":{\"d\":{\"e\":{\"f\":{\"[g][h]\":\"1\"}}}}}}}");
	buf_init(&b);
	arena_init(&a, 0);
	for (unsigned i = 0; i < 5000; i++)
		buf_printf(&b, "k%u=v&", i);
	for (const struct json *v = query_parse(&a, buf_span(&b))->first; v; v = v->next)
		n++;
	assert_int_equal(n, QUERY_MAX_PAIRS);
	buf_free(&b);
	arena_free(&a);
}

static void paths(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	assert_true(uri_valid(&a, span_text("/a/%2F/%c3%a9")));
	assert_false(uri_valid(&a, span_text("/a/%2")));
	assert_false(uri_valid(&a, span_text("/a/%zz")));
	assert_false(uri_valid(&a, span_text("/a/%ff")));
	assert_false(uri_valid(&a, span_text("/a/%00")));
	assert_true(span_is(uri_decode(&a, span_text("a%2Fb+c"), false), "a/b+c"));
	assert_string_equal(uri_encode(&a, span_text("/docs/a b.json?\xc3\xa9")), "%2Fdocs%2Fa%20b.json%3F%C3%A9");
	arena_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(plain), cmocka_unit_test(extended), cmocka_unit_test(bounds), cmocka_unit_test(paths) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
