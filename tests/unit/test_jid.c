/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, messages go to the wrong person or device, or one person is seen as two. */
#include "common/jid.h"

#include <json-c/json.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const char *text_member(struct json_object *object, const char *name)
{
	struct json_object *value = NULL;

	return json_object_object_get_ex(object, name, &value) ? json_object_get_string(value) : NULL;
}

static void check_vector(struct json_object *item)
{
	const char *text = text_member(item, "jid");
	struct json_object *decoded = NULL;
	struct json_object *device = NULL;
	char buf[JID_TEXT_MAX];
	struct jid jid;
	struct jid bare;

	json_object_object_get_ex(item, "decoded", &decoded);
	if (decoded == NULL) {
		assert_int_equal(jid_parse_text(&jid, text), -1);
		assert_true(jid_is_none(&jid));
		return;
	}
	assert_int_equal(jid_parse_text(&jid, text), 0);
	assert_string_equal(jid.user, text_member(decoded, "user"));
	assert_string_equal(jid_server_name(jid.server), text_member(decoded, "server"));
	json_object_object_get_ex(decoded, "device", &device);
	assert_int_equal(jid.device, device == NULL ? 0 : json_object_get_int(device));
	json_object_object_get_ex(decoded, "domainType", &device);
	assert_int_equal(jid_domain(&jid), json_object_get_int(device));
	assert_string_equal(jid_format(&jid, buf, sizeof buf), text);
	bare = jid_bare(&jid);
	assert_string_equal(jid_format(&bare, buf, sizeof buf), text_member(item, "normalized"));
}

static void reads_the_vectors(void **state)
{
	struct json_object *root = json_object_from_file(TEST_VECTORS_DIR "/jids.json");
	struct json_object *cases = NULL;

	(void)state;
	assert_non_null(root);
	assert_true(json_object_object_get_ex(root, "cases", &cases));
	assert_true(json_object_array_length(cases) > 10);
	for (size_t i = 0; i < json_object_array_length(cases); i++)
		check_vector(json_object_array_get_idx(cases, i));
	json_object_put(root);
}

static void refuses_what_is_no_jid(void **state)
{
	static const char *const bad[] = { "a@b", "62812@s.whatsapp.net.evil", "1:x@lid", "1:@lid", "1:70000@lid",
		"a b@g.us", "a\n@g.us", "1@2@lid", "@", "1:2:3@lid",
		"0123456789012345678901234567890123456789012345678901234567890123@lid" };
	struct jid jid;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(jid_parse_text(&jid, bad[i]), -1);
	assert_int_equal(jid_parse_text(&jid, NULL), -1);
	assert_int_equal(jid_parse(&jid, "1\0@lid", 6), -1);
	assert_int_equal(jid_make(&jid, "1@x", 3, JID_SERVER_LID, 0), -1);
}

static void names_the_server_alone(void **state)
{
	struct jid a;
	struct jid b;

	(void)state;
	assert_int_equal(jid_parse_text(&a, "s.whatsapp.net"), 0);
	assert_int_equal(jid_parse_text(&b, "@s.whatsapp.net"), 0);
	assert_true(jid_equal(&a, &b));
	assert_int_equal(jid_parse_text(&b, "G.US"), 0);
	assert_int_equal(b.server, JID_SERVER_GROUP);
}

static void keeps_third_party_parts(void **state)
{
	char buf[JID_TEXT_MAX];
	struct jid jid;

	(void)state;
	assert_int_equal(jid_parse_text(&jid, "77-abc:3@interop"), 0);
	assert_int_equal(jid.integrator, 77);
	assert_string_equal(jid.user, "abc");
	assert_string_equal(jid_format(&jid, buf, sizeof buf), "77-abc:3@interop");
}

static void compares_users_and_devices(void **state)
{
	struct jid phone;
	struct jid device;
	struct jid legacy;
	struct jid lid;

	(void)state;
	assert_int_equal(jid_parse_text(&phone, "62812@s.whatsapp.net"), 0);
	assert_int_equal(jid_parse_text(&legacy, "62812@c.us"), 0);
	assert_int_equal(jid_parse_text(&lid, "62812@lid"), 0);
	device = jid_with_device(&phone, 4);
	assert_false(jid_equal(&phone, &device));
	assert_true(jid_same_user(&phone, &device));
	assert_true(jid_equal(&phone, &legacy));
	assert_false(jid_same_user(&phone, &lid));
	assert_true(jid_compare(&phone, &device) < 0);
	assert_true(jid_compare(&device, &phone) > 0);
}

static void names_signal_addresses(void **state)
{
	static const struct {
		const char *jid;
		const char *name;
	} rows[] = { { "62812:3@s.whatsapp.net", "62812" }, { "99:3@lid", "99_1" }, { "1:99@hosted", "1_128" },
		{ "1:99@hosted.lid", "1_129" } };
	char buf[JID_SIGNAL_NAME_MAX];
	struct jid jid;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		assert_int_equal(jid_parse_text(&jid, rows[i].jid), 0);
		assert_string_equal(jid_signal_name(&jid, buf, sizeof buf), rows[i].name);
	}
}

static void maps_domain_bytes(void **state)
{
	(void)state;
	assert_int_equal(jid_server_of_domain(0), JID_SERVER_PN);
	assert_int_equal(jid_server_of_domain(1), JID_SERVER_LID);
	assert_int_equal(jid_server_of_domain(128), JID_SERVER_HOSTED);
	assert_int_equal(jid_server_of_domain(129), JID_SERVER_HOSTED_LID);
	assert_int_equal(jid_server_of_domain(130), JID_SERVER_HOSTED);
	assert_int_equal(jid_server_of_domain(2), JID_SERVER_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_the_vectors),        cmocka_unit_test(refuses_what_is_no_jid),
		cmocka_unit_test(names_the_server_alone),   cmocka_unit_test(keeps_third_party_parts),
		cmocka_unit_test(compares_users_and_devices), cmocka_unit_test(names_signal_addresses),
		cmocka_unit_test(maps_domain_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
