/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, messages go to somebody else than the caller named. */
#include "common/recipient.h"

#include <json-c/json.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void resolves(const char *text, const char *expected)
{
	char buf[JID_TEXT_MAX];
	struct jid jid;
	int rc = recipient_resolve(&jid, text, strlen(text), "62");

	if (rc != RECIPIENT_OK)
		fail_msg("%s: %d", text, rc);
	assert_string_equal(jid_format(&jid, buf, sizeof buf), expected);
}

static void follows_the_table(void **state)
{
	(void)state;
	resolves("0812-3456 789", "628123456789@s.whatsapp.net");
	resolves("0812-3456789", "628123456789@s.whatsapp.net");
	resolves("+62 812 3456", "628123456@s.whatsapp.net");
	resolves("0062812", "62812@s.whatsapp.net");
	resolves("00812", "812@s.whatsapp.net");
	resolves("000812", "62812@s.whatsapp.net");
	resolves("812", "812@s.whatsapp.net");
	resolves("x@g.us", "x@g.us");
	resolves("62812@S.WhatsApp.net", "62812@s.whatsapp.net");
	resolves("status@broadcast", "status@broadcast");
	resolves("120363123456789012@newsletter", "120363123456789012@newsletter");
	resolves("62812@c.us", "62812@s.whatsapp.net");
	resolves("123456789012345@lid", "123456789012345@lid");
	resolves("62812:5@s.whatsapp.net", "62812@s.whatsapp.net");
	resolves("123:5@lid", "123@lid");
	resolves("15551234567:99@hosted", "15551234567@hosted");
	resolves("867051314767696@bot", "867051314767696@bot");
	resolves("120363025246125244-1234", "120363025246125244-1234@g.us");
	resolves("6281234567890-1400000000", "6281234567890-1400000000@g.us");
	resolves("120363040000000001", "120363040000000001@g.us");
	resolves("  +62812@s.whatsapp.net\n", "62812@s.whatsapp.net");
}

static void refuses_what_is_no_address(void **state)
{
	static const char *const refused[] = { "0", "00", "000", "x@example.com", "62812@", "@s.whatsapp.net", "@g.us",
		"1@call", "123456789012345678901", "62812@s.whatsapp.net@lid", "1@msgr" };
	static const char *const nothing[] = { "", "  ", "hello", "-", "+" };
	struct jid jid;

	(void)state;
	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
		if (recipient_resolve(&jid, refused[i], strlen(refused[i]), "62") != RECIPIENT_REFUSED)
			fail_msg("not refused: %s", refused[i]);
		assert_true(jid_is_none(&jid));
	}
	for (size_t i = 0; i < sizeof nothing / sizeof nothing[0]; i++)
		assert_int_equal(recipient_resolve(&jid, nothing[i], strlen(nothing[i]), "62"), RECIPIENT_NOTHING);
}

static void uses_the_configured_country(void **state)
{
	char out[32];

	(void)state;
	assert_int_equal(recipient_phone("0171 234", 8, "49", out, sizeof out), 8);
	assert_string_equal(out, "49171234");
	assert_int_equal(recipient_phone("0171 234", 8, "49", out, 4), RECIPIENT_REFUSED);
}

static void reads_groups(void **state)
{
	struct jid jid;

	(void)state;
	assert_int_equal(recipient_group(&jid, "1203", 4), RECIPIENT_OK);
	assert_int_equal(jid.server, JID_SERVER_GROUP);
	assert_int_equal(recipient_group(&jid, "1203@g.us", 9), RECIPIENT_OK);
	assert_int_equal(recipient_group(&jid, "1203@lid", 8), RECIPIENT_REFUSED);
	assert_int_equal(recipient_group(&jid, "", 0), RECIPIENT_NOTHING);
}

static int list_of(const char *json, char *out, size_t cap)
{
	struct json_object *value = json_tokener_parse(json);
	struct recipient_list list;
	char buf[JID_TEXT_MAX];
	int rc;

	recipient_list_init(&list);
	rc = recipient_list_read(&list, value, "62");
	out[0] = '\0';
	for (size_t i = 0; i < list.count; i++) {
		strncat(out, jid_format(&list.items[i], buf, sizeof buf), cap - strlen(out) - 1);
		strncat(out, " ", cap - strlen(out) - 1);
	}
	recipient_list_free(&list);
	json_object_put(value);
	return rc;
}

static void reads_lists(void **state)
{
	char out[512];

	(void)state;
	assert_int_equal(list_of("\"0811, 62811;\\n0812\\nhello\"", out, sizeof out), RECIPIENT_OK);
	assert_string_equal(out, "62811@s.whatsapp.net 62812@s.whatsapp.net ");
	assert_int_equal(list_of("[\"0811\",[62812,[\"x@g.us\"]],null,true]", out, sizeof out), RECIPIENT_OK);
	assert_string_equal(out, "62811@s.whatsapp.net 62812@s.whatsapp.net x@g.us ");
	assert_int_equal(list_of("\"[\\\"0811\\\", 62812]\"", out, sizeof out), RECIPIENT_OK);
	assert_string_equal(out, "62811@s.whatsapp.net 62812@s.whatsapp.net ");
	/* long numbers keep every digit */
	assert_int_equal(list_of("\"120363040000000001\"", out, sizeof out), RECIPIENT_OK);
	assert_string_equal(out, "120363040000000001@g.us ");
	assert_int_equal(list_of("\"hello\"", out, sizeof out), RECIPIENT_NOTHING);
	assert_int_equal(list_of("{}", out, sizeof out), RECIPIENT_NOTHING);
	assert_int_equal(list_of("[\"0811\",\"x@example.com\"]", out, sizeof out), RECIPIENT_REFUSED);
	assert_int_equal(list_of("[[[[[[[[[[[[1]]]]]]]]]]]]", out, sizeof out), RECIPIENT_TOO_MANY);
	assert_int_equal(list_of("\"[[[[[[[[[[[[1]]]]]]]]]]]]\"", out, sizeof out), RECIPIENT_OK);
}

static void bounds_lists(void **state)
{
	struct json_object *array = json_object_new_array();
	struct recipient_list list;

	(void)state;
	for (int i = 0; i <= 1000; i++)
		json_object_array_add(array, json_object_new_int64(628110000000 + i));
	recipient_list_init(&list);
	assert_int_equal(recipient_list_read(&list, array, "62"), RECIPIENT_TOO_MANY);
	recipient_list_free(&list);
	json_object_put(array);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(follows_the_table),           cmocka_unit_test(refuses_what_is_no_address),
		cmocka_unit_test(uses_the_configured_country), cmocka_unit_test(reads_groups),
		cmocka_unit_test(reads_lists),                 cmocka_unit_test(bounds_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
