/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, pictures arrive as nameless documents, or a program that calls itself a picture is passed on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/filetype.h"

#define SNIFF(text) filetype_sniff(span_of(text, sizeof(text) - 1))

static void content(void **state)
{
	(void)state;
	assert_string_equal(SNIFF("\xff\xd8\xff\xe0"), "image/jpeg");
	assert_string_equal(SNIFF("RIFF\1\2\3\4WEBPVP8 "), "image/webp");
	assert_string_equal(SNIFF("RIFF\1\2\3\4WAVE"), "audio/wav");
	assert_string_equal(SNIFF("\0\0\0\x20" "ftypM4A "), "audio/mp4");
	assert_string_equal(SNIFF("\0\0\0\x20" "ftypisom"), "video/mp4");
	assert_string_equal(SNIFF("ID3\3"), "audio/mpeg");
	assert_string_equal(SNIFF("MZ"), "application/x-msdownload");
	assert_null(SNIFF("XXXX\1\2\3\4WEBP"));
	assert_null(SNIFF("\xff"));
	assert_null(SNIFF(""));
	assert_null(SNIFF("hello"));
}

static void opus(void **state)
{
	uint8_t page[40] = "OggS";

	(void)state;
	page[26] = 1;
	memcpy(page + 28, "OpusHead", 8);
	assert_true(filetype_is_opus(span_of(page, sizeof page)));
	assert_false(filetype_is_opus(span_of(page, 35)));
	page[28] = 'X';
	assert_false(filetype_is_opus(span_of(page, sizeof page)));
}

static void names(void **state)
{
	(void)state;
	assert_string_equal(filetype_of_name("a.b.PDF"), "application/pdf");
	assert_null(filetype_of_name("pdf"));
	assert_null(filetype_of_name("a."));
	assert_string_equal(filetype_extension("image/jpeg"), "jpg");
	assert_string_equal(filetype_extension("x/y"), "bin");
	assert_int_equal(filetype_kind("image/gif"), FILETYPE_GIF);
	assert_int_equal(filetype_kind("video/mp4"), FILETYPE_VIDEO);
	assert_string_equal(filetype_audio("audio/x-m4a"), "audio/mp4");
	assert_null(filetype_audio("text/plain"));
}

static void blocked(void **state)
{
	static char octets[] = FILETYPE_UNKNOWN, png[] = "image/png";
	char *listed[] = { png, octets };
	const char *mime = "image/avif";
	char reason[128];

	(void)state;
	assert_true(filetype_blocked("setup.EXE", "image/png", span_of("", 0), reason, sizeof reason));
	assert_string_equal(reason, "Files with .exe extensions are not allowed");
	assert_true(filetype_blocked("a.png", "text/x-python; charset=x", span_of("", 0), reason, sizeof reason));
	assert_true(filetype_blocked("a.png", "image/png", span_of("MZ\x90", 3), reason, sizeof reason));
	assert_string_equal(reason, "Executable binaries are blocked");
	assert_false(filetype_blocked("a.pdf", "application/pdf", span_of("%PDF", 4), reason, sizeof reason));
	assert_true(filetype_allowed(listed, 0, &mime));
	assert_string_equal(mime, "image/avif");
	assert_false(filetype_allowed(listed, 1, &mime));
	assert_true(filetype_allowed(listed, 2, &mime));
	assert_string_equal(mime, FILETYPE_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(content), cmocka_unit_test(opus), cmocka_unit_test(names), cmocka_unit_test(blocked) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
