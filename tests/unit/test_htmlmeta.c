/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, link previews show nothing, or what a page did not say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/htmlmeta.h"

static void reads(const char *html, const char *title, const char *description)
{
	struct htmlmeta meta;

	htmlmeta_read(&meta, span_text(html));
	assert_string_equal(buf_text(&meta.title), title);
	assert_string_equal(buf_text(&meta.description), description);
	htmlmeta_free(&meta);
}

static void test_pages(void **state)
{
	(void)state;
	reads("<title> A &amp;\n B </title>", "A & B", "");
	reads("<TITLE>x</TITLE><meta name=\"description\" content='it is'>", "x", "it is");
	reads("<meta property=og:title content=Open><title>late</title>", "Open", "");
	reads("<meta content='first' property='og:description' /><meta name=description content=second>", "", "first");
	reads("<title>&#233;&#x20AC;&bogus;</title>", "\xc3\xa9\xe2\x82\xac&bogus;", "");
	reads("<title>\xff\x01ok</title>", "ok", "");
	reads("<body><title>no</title>", "", "");
	reads("<meta property=\"og:title\" content=\"cut", "cut", "");
	reads("<", "", "");
}

static void test_pictures(void **state)
{
	struct htmlmeta meta;

	(void)state;
	htmlmeta_read(&meta, span_text("<meta property='og:image' content='https://x.example/a.png?b=1&amp;c=2'><meta property=og:image content=late>"));
	assert_string_equal(buf_text(&meta.image), "https://x.example/a.png?b=1&c=2");
	htmlmeta_free(&meta);
}

static void links(const char *text, const char *link)
{
	struct span found = htmlmeta_first_link(span_text(text));

	assert_int_equal(found.n, strlen(link));
	assert_memory_equal(found.p ? (const char *)found.p : "", link, found.n);
}

static void test_links(void **state)
{
	(void)state;
	links("see https://a.example/b?c=1#d, and http://x", "https://a.example/b?c=1#d");
	links("(HTTP://a.example)", "HTTP://a.example");
	links("*https://a.example.*", "https://a.example");
	links("nothttps://a", "");
	links("https://", "");
	links("", "");
}

int main(void)
{
	static const struct CMUnitTest tests[] = { cmocka_unit_test(test_pages), cmocka_unit_test(test_pictures), cmocka_unit_test(test_links) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
