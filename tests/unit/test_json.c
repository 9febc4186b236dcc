/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, JSON bodies are misread (ids lose digits, text is damaged) or a hostile body costs more than it may. */
#include "fcgi/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "fcgi/json_out.h"
#include "fcgi/json_scan.h"

static void reads_bytes(const char *text, size_t n, const char *expected)
{
	struct arena a;
	struct buf out;
	const char *error;
	struct json *v;

	arena_init(&a, 0);
	buf_init(&out);
	v = json_parse(&a, span_of(text, n), &error);
	assert_non_null(v);
	assert_null(error);
	json_tree(&out, v);
	assert_string_equal(buf_text(&out), expected);
	buf_free(&out);
	arena_free(&a);
}

static void reads(const char *text, const char *expected)
{
	reads_bytes(text, strlen(text), expected);
}

static void fails(const char *text, const char *message)
{
	struct arena a;
	const char *error = NULL;

	arena_init(&a, 0);
	assert_null(json_parse(&a, span_text(text), &error));
	assert_string_equal(error, message);
	arena_free(&a);
}

static void values(void **state)
{
	(void)state;
	reads(" { \"a\" : [ 1 , -0.5e+3 , true , false , null , \"x\" , { } , [ ] ] } ", "{\"a\":[1,-0.5e+3,true,false,null,\"x\",{},[]]}");
	reads("120363040000000001", "120363040000000001");
	reads("12345678901234567890123", "12345678901234567890123");
	reads("\"\\u00e9\\ud83d\\ude00\\/\\b\\n\\\"\\\\\"", "\"\xc3\xa9\xf0\x9f\x98\x80/\\b\\n\\\"\\\\\"");
	reads("\"\\ud800\\ud800x\\udc00\"", "\"\xef\xbf\xbd\xef\xbf\xbdx\xef\xbf\xbd\"");
	reads("\"a\\u0000\\u001f\"", "\"a\xef\xbf\xbd\\u001f\"");
}

static void invalid_utf8_becomes_replacement_characters(void **state)
{
	(void)state;
	reads("\"a\xff\xc3(\xed\xa0\x80\xf4\x90\x80\x80\"", "\"a\xef\xbf\xbd\xef\xbf\xbd(\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
}

static void malformed(void **state)
{
	(void)state;
	fails("", "Unexpected end of JSON input");
	fails("{", "Unexpected end of JSON input");
	fails("\"abc", "Unexpected end of JSON input");
	fails("\"abc\\", "Unexpected end of JSON input");
	fails("{\"a\":1,}", "Unexpected token } in JSON at position 7");
	fails("[1,]", "Unexpected token ] in JSON at position 3");
	fails("[01]", "Unexpected token 1 in JSON at position 2");
	fails("[1.]", "Unexpected token ] in JSON at position 3");
	fails("[tru]", "Unexpected token ] in JSON at position 4");
	fails("{a:1}", "Unexpected token a in JSON at position 1");
	fails("{\"a\" 1}", "Unexpected token 1 in JSON at position 5");
	fails("[\"\\x\"]", "Unexpected token x in JSON at position 3");
	fails("[\"\\u12g4\"]", "Unexpected token g in JSON at position 6");
	fails("[\"\n\"]", "Unexpected token \n in JSON at position 2");
	fails("{} {}", "Unexpected token { in JSON at position 3");
	fails("[NaN]", "Unexpected token N in JSON at position 1");
}

static void bounds(void **state)
{
	struct buf b;
	struct arena a;
	const char *error;

	(void)state;
	buf_init(&b);
	arena_init(&a, 0);
	for (unsigned i = 0; i < JSON_MAX_DEPTH; i++)
		buf_u8(&b, '[');
	for (unsigned i = 0; i < JSON_MAX_DEPTH; i++)
		buf_u8(&b, ']');
	assert_non_null(json_parse(&a, buf_span(&b), &error));
	buf_clear(&b);
	for (unsigned i = 0; i < 1000000; i++)
		buf_u8(&b, '[');
	assert_null(json_parse(&a, buf_span(&b), &error));
	assert_string_equal(error, "JSON is nested too deeply");
	buf_clear(&b);
	buf_u8(&b, '[');
	for (unsigned i = 0; i < JSON_MAX_VALUES; i++)
		buf_append_text(&b, "0,");
	assert_null(json_parse(&a, buf_span(&b), &error));
	assert_string_equal(error, "JSON has too many values");
	buf_free(&b);
	arena_free(&a);
}

static void members(void **state)
{
	struct arena a;
	const char *error;
	struct json *v;

	(void)state;
	arena_init(&a, 0);
	v = json_parse(&a, span_text("{\"a\":1,\"A\":2,\"a\":3}"), &error);
	assert_true(span_is(json_get(v, "a")->text, "3"));
	assert_true(span_is(json_get_nocase(v, "a")->text, "3"));
	assert_true(span_is(json_get(v, "A")->text, "2"));
	assert_null(json_get(v, "b"));
	assert_null(json_get(NULL, "a"));
	arena_free(&a);
}

static void scanning(void **state)
{
	struct json_scan s = json_scan_object(span_text(" {\"a\" : {\"x\":\"}\\\"\"} ,\"b\":[1,[2]],\"c\":12 , \"d\":\"\"} "));
	struct span name, value;

	(void)state;
	assert_true(json_scan_next(&s, &name, &value));
	assert_true(span_is(name, "a") && span_is(value, "{\"x\":\"}\\\"\"}"));
	assert_true(json_scan_next(&s, &name, &value));
	assert_true(span_is(name, "b") && span_is(value, "[1,[2]]"));
	assert_true(json_scan_next(&s, &name, &value));
	assert_true(span_is(name, "c") && value.p[0] == '1');
	assert_true(json_scan_next(&s, &name, &value));
	assert_true(span_is(name, "d") && span_is(value, "\"\""));
	assert_false(json_scan_next(&s, &name, &value));
	assert_false(s.broken);
	for (const char *const *bad = (const char *const[]){ "[]", "{", "{\"a\"", "{\"a\":", "{\"a\":\"", "{a:1}", "{\"a\":[1", NULL }; *bad; bad++) {
		s = json_scan_object(span_text(*bad));
		while (json_scan_next(&s, &name, &value))
			;
		assert_true(s.broken);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values),  cmocka_unit_test(invalid_utf8_becomes_replacement_characters), cmocka_unit_test(malformed),
		cmocka_unit_test(bounds),  cmocka_unit_test(members), cmocka_unit_test(scanning),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
