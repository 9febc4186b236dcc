/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, an env file that worked with the original gives other settings here. */
#include "common/envfile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "common/buf.h"

static void note(void *arg, const char *name, const char *value, size_t line)
{
	buf_printf(arg, "%zu:%s=[%s];", line, name, value);
}

static void reads(const char *text, const char *expected)
{
	struct envfile_error error;
	struct buf out;

	buf_init(&out);
	assert_int_equal(envfile_parse(text, strlen(text), note, &out, &error), 0);
	assert_string_equal(buf_text(&out), expected);
	buf_free(&out);
}

static void fails(const char *text, size_t len, size_t line, const char *message)
{
	struct envfile_error error;
	struct buf out;

	buf_init(&out);
	assert_int_equal(envfile_parse(text, len, note, &out, &error), -1);
	assert_int_equal(error.line, line);
	assert_string_equal(error.message, message);
	buf_free(&out);
}

static void reads_what_people_write(void **state)
{
	(void)state;
	reads("", "");
	reads("A=1\nB = two words \n\n# C=3\n  D=4", "1:A=[1];2:B=[two words];5:D=[4];");
	reads("A=1\r\nB=2\r\n", "1:A=[1];2:B=[2];");
	reads("\xef\xbb\xbf" "A=1", "1:A=[1];");
	reads("export A=1\nexport\tB=2\nexported=3\n", "1:A=[1];2:B=[2];3:exported=[3];");
	reads("A=x#y # comment\nB=# nothing\nC= #nothing", "1:A=[x#y];2:B=[];3:C=[];");
}

static void reads_quotes(void **state)
{
	(void)state;
	reads("A='a # b \\n \"q\"' # comment", "1:A=[a # b \\n \"q\"];");
	reads("A=\"a\\n\\\"b\\\" \\$c \\d\"", "1:A=[a\n\"b\" $c \\d];");
	reads("A=`it's`", "1:A=[it's];");
	reads("A='x\r\ny'\nB=1", "1:A=[x\ny];3:B=[1];");
	reads("A=\"\"\nB=it's", "1:A=[];2:B=[it's];");
}

static void says_where_it_is_wrong(void **state)
{
	(void)state;
	fails("A=1\nB\n", 6, 2, "expected = after the name");
	fails("A=1\n\n=2\n", 8, 3, "expected NAME=value");
	fails("A='x\ny\n", 7, 1, "the quote is not closed");
	fails("A='x' y", 7, 1, "text after the closing quote");
	fails("A=\0", 3, 1, "a NUL byte");
	fails("1A=2", 4, 1, "expected NAME=value");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_people_write),
		cmocka_unit_test(reads_quotes),
		cmocka_unit_test(says_where_it_is_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
