/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, recipients read tags instead of formatted text, or mentions name the wrong people. */
#include "common/text.h"
#include "common/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void becomes(const char *text, const char *expected)
{
	struct buf out;

	buf_init(&out);
	text_normalise(&out, text, strlen(text));
	assert_string_equal(buf_text(&out), expected);
	buf_free(&out);
}

static void translates_markup(void **state)
{
	(void)state;
	becomes("", "");
	becomes("plain *md* _x_ ~y~", "plain *md* _x_ ~y~");
	becomes("see [https://a.example/x] and [b] [HTTP://c]", "see https://a.example/x and [b] HTTP://c");
	becomes("a<br>b<BR/>c<br />d", "a\nb\nc\nd");
	becomes("<b>x</b> <strong>y</STRONG> <i>i</i><em>e</em>", "*x* *y* _i__e_");
	becomes("<s>a</s><strike>b</strike><del>c</del><code>d</code>", "~a~~b~~c~```d```");
	becomes("<b><i>both</i></b>", "*_both_*");
	becomes("open <b>only, </i>close only", "open only, close only");
	becomes("<p class=\"x\">para</p><script>1</script>", "para1");
	becomes("a < b > c", "a  c");
	becomes("1 <> 2 <3", "1 <> 2 <3");
}

static void translates_short_codes(void **state)
{
	(void)state;
	becomes(":smile: :FIRE: :unknown: 10:30:00 :heart:", "\U0001F604 \U0001F525 :unknown: 10:30:00 \u2764\uFE0F");
	becomes("::bomb::", ":\U0001F4A3:");
	becomes(":", ":");
	becomes(":ok_hand:", "\U0001F44C");
}

static void survives_hostile_lengths(void **state)
{
	struct buf text;
	struct buf out;

	(void)state;
	buf_init(&text);
	buf_init(&out);
	static const char *const pieces[] = { "<", "</", "[https://", "::", "<b>", "@123456" };
	struct recipient_list list;

	recipient_list_init(&list);
	for (size_t k = 0; k < sizeof pieces / sizeof pieces[0]; k++) {
		buf_clear(&text);
		buf_clear(&out);
		for (int i = 0; i < 200000; i++)
			buf_append_text(&text, pieces[k]);
		/* minutes, if it were quadratic */
		text_normalise(&out, (const char *)text.data, text.len);
		assert_true(out.len <= text.len);
		text_mentions((const char *)text.data, text.len, &list);
		assert_true(list.count <= 1);
	}
	recipient_list_free(&list);
	buf_free(&text);
	buf_free(&out);
}

static void finds_mentions(void **state)
{
	static const char text[] = "hi @628123456 and @12345 mail@628999999x @628123456 @123456789012345678901234";
	struct recipient_list list;

	(void)state;
	recipient_list_init(&list);
	text_mentions(text, strlen(text), &list);
	assert_int_equal(list.count, 3);
	assert_string_equal(list.items[0].user, "628123456");
	assert_string_equal(list.items[1].user, "628999999");
	assert_string_equal(list.items[2].user, "12345678901234567890");
	assert_int_equal(list.items[0].server, JID_SERVER_PN);
	recipient_list_free(&list);
}

static void checks_utf8(void **state)
{
	(void)state;
	assert_true(utf8_is_valid("a\xc3\xa9\xf0\x9f\x98\x84", 7));
	assert_false(utf8_is_valid("\xc0\x80", 2));
	assert_false(utf8_is_valid("\xed\xa0\x80", 3));
	assert_false(utf8_is_valid("\xf0\x9f\x98", 3));
	assert_false(utf8_is_valid("a\0b", 3));
	assert_true(utf8_is_valid("", 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(translates_markup), cmocka_unit_test(translates_short_codes),
		cmocka_unit_test(survives_hostile_lengths), cmocka_unit_test(finds_mentions),
		cmocka_unit_test(checks_utf8),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
