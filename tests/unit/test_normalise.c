/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, webhook receivers get messages in another shape than the one they were written for. The vectors are what the
 * original posted; their protobufs were encoded by another implementation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "common/mem.h"
#include "sessiond/crypto/crypto.h"
#include "sessiond/json_text.h"
#include "sessiond/session/groupevent.h"
#include "sessiond/session/message_json.h"
#include "sessiond/session/mirror.h"
#include "sessiond/session/normalise.h"

static struct json_object *vectors;

static int load(void **state)
{
	(void)state;
	vectors = json_object_from_file(TEST_VECTORS_DIR "/webhook-messages.json");
	return vectors ? 0 : -1;
}

static int unload(void **state)
{
	(void)state;
	json_object_put(vectors);
	return 0;
}

static const char *text_of(struct json_object *o, const char *name)
{
	return json_object_get_string(json_object_object_get(o, name));
}

static const char *plain(struct json_object *o)
{
	return json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
}

/* The message that it edits or revokes: the protocol library has found that its sender may. */
static char *target_of(struct json_object *v)
{
	struct json_object *message = json_tokener_parse(text_of(v, "json"));
	struct json_object *protocol = json_object_object_get(message, "protocolMessage");
	struct json_object *key = json_object_object_get(protocol, "key");
	char *target = key ? xstrdup(text_of(key, "id")) : NULL;

	json_object_put(message);
	return target;
}

static void fill(struct wa_message *m, struct json_object *v)
{
	const char *encoded = text_of(v, "plaintext");
	size_t n = 0;

	memset(m, 0, sizeof *m);
	m->id = xstrdup(text_of(v, "id"));
	m->push_name = xstrdup(text_of(v, "push_name"));
	assert_int_equal(jid_parse_text(&m->chat, text_of(v, "chat")), 0);
	assert_int_equal(jid_parse_text(&m->sender, text_of(v, "sender")), 0);
	m->from_me = json_object_get_boolean(json_object_object_get(v, "from_me"));
	m->time_ms = json_object_get_int64(json_object_object_get(v, "time")) * 1000;
	buf_reserve(&m->plaintext, strlen(encoded) + 4);
	assert_int_equal(crypto_unbase64(encoded, strlen(encoded), m->plaintext.data, &n), 0);
	m->plaintext.len = n;
	m->target = target_of(v);
}

static void clean(struct wa_message *m)
{
	free(m->id);
	free(m->push_name);
	free(m->target);
	buf_free(&m->plaintext);
}

static void messages_print_like_the_reference(void **state)
{
	(void)state;
	for (size_t i = 0; i < json_object_array_length(vectors); i++) {
		struct json_object *v = json_object_array_get_idx(vectors, i);
		struct message_part part = { .schema = 0 };
		struct wa_message m;
		struct buf out = { 0 };

		fill(&m, v);
		part.bytes = buf_span(&m.plaintext);
		assert_true(message_json(&out, &part));
		assert_string_equal(buf_text(&out), text_of(v, "json"));
		buf_free(&out);
		clean(&m);
	}
}

/* With the switches that ask for the original's form, payloads are the original's byte for byte. */
static void payloads_are_the_originals(void **state)
{
	struct config config = { .compat_legacy_content = true, .compat_long_objects = true, .compat_protocol_copies = true };

	(void)state;
	for (size_t i = 0; i < json_object_array_length(vectors); i++) {
		struct json_object *v = json_object_array_get_idx(vectors, i);
		struct normalised n;
		struct wa_message m;

		fill(&m, v);
		normalise(&n, "sales", &config, &m, NULL);
		assert_non_null(n.kind);
		assert_string_equal(buf_text(&n.payload), plain(json_object_object_get(v, "data")));
		normalised_free(&n);
		clean(&m);
	}
}

static struct json_object *vector_named(const char *start)
{
	for (size_t i = 0; i < json_object_array_length(vectors); i++) {
		struct json_object *v = json_object_array_get_idx(vectors, i);

		if (strncmp(text_of(v, "name"), start, strlen(start)) == 0)
			return v;
	}
	fail();
	return NULL;
}

static struct json_object *payload_of(const char *name, struct normalised *n, const struct config *config)
{
	struct json_object *data;
	struct wa_message m;

	fill(&m, vector_named(name));
	normalise(n, "sales", config, &m, NULL);
	data = n->kind ? json_tokener_parse(buf_text(&n->payload)) : NULL;
	clean(&m);
	return data;
}

static void the_default_form_is_richer(void **state)
{
	static const struct {
		const char *name, *tags;
		bool media;
	} expected[] = { { "Poll created", "poll", false }, { "Document with caption", "file", true }, { "Round video note", "media", true } };
	const struct config config = { .compat_protocol_copies = true };
	struct json_object *data;
	struct normalised n;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		data = payload_of(expected[i].name, &n, &config);
		assert_string_equal(text_of(data, "tags"), expected[i].tags);
		assert_int_equal(json_object_object_get(data, "media") != NULL, expected[i].media);
		json_object_put(data);
		normalised_free(&n);
	}
	data = payload_of("Poll created", &n, &config);
	assert_true(strlen(text_of(data, "text")) > 0);
	json_object_put(data);
	normalised_free(&n);
	data = payload_of("Image, not mirrored", &n, &config);
	assert_non_null(strstr(text_of(json_object_object_get(data, "media"), "url"), ".enc?"));
	assert_int_equal(json_object_get_int64(json_object_object_get(json_object_object_get(data, "media"), "fileLength")), 52345);
	json_object_put(data);
	normalised_free(&n);
}

static void copies_of_protocol_messages_can_be_left_out(void **state)
{
	const struct config config = { .compat_protocol_copies = false };
	struct normalised n;
	struct wa_message m;

	(void)state;
	fill(&m, vector_named("Revocation"));
	normalise(&n, "sales", &config, &m, NULL);
	assert_null(n.kind);
	assert_string_equal(n.kind2, "message_revoked");
	clean(&m);
	normalised_free(&n);
}

static void change_without_right_is_no_change(void **state)
{
	const struct config config = { .compat_protocol_copies = true };
	const char *const names[] = { "Revocation", "Edit seen" };
	struct normalised n;
	struct wa_message m;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		fill(&m, vector_named(names[i]));
		free(m.target);
		m.target = i == 0 ? NULL : xstrdup("ANOTHER");
		normalise(&n, "sales", &config, &m, NULL);
		assert_null(n.kind2);
		assert_string_equal(n.kind, "message_received");
		clean(&m);
		normalised_free(&n);
	}
}

static struct json_object *payload_of_bytes(const char *bytes, size_t len, const struct config *config)
{
	struct json_object *data;
	struct normalised n;
	struct wa_message m;

	fill(&m, vector_named("Text (conversation)"));
	buf_clear(&m.plaintext);
	buf_append(&m.plaintext, bytes, len);
	normalise(&n, "sales", config, &m, NULL);
	assert_non_null(n.kind);
	data = json_tokener_parse(buf_text(&n.payload));
	clean(&m);
	normalised_free(&n);
	return data;
}

static void what_is_inside_unusual_wrappers_is_found(void **state)
{
	const struct config config = { .compat_protocol_copies = true };
	/* associatedChildMessage (91) { message (1) { imageMessage (3) { caption (3) "hi" } } } */
	static const char child[] = "\xda\x05\x08\x0a\x06\x1a\x04\x1a\x02hi";
	/* groupMentionedMessage (62) { message (1) { conversation (1) "yo" } } */
	static const char mentioned[] = "\xf2\x03\x06\x0a\x04\x0a\x02yo";
	struct json_object *data = payload_of_bytes(child, sizeof child - 1, &config);

	(void)state;
	assert_string_equal(text_of(data, "contentType"), "associatedChildMessage");
	assert_string_equal(text_of(data, "tags"), "media");
	assert_string_equal(text_of(data, "text"), "hi");
	assert_string_equal(text_of(json_object_object_get(data, "media"), "type"), "imageMessage");
	json_object_put(data);
	data = payload_of_bytes(mentioned, sizeof mentioned - 1, &config);
	assert_string_equal(text_of(data, "text"), "yo");
	assert_string_equal(text_of(data, "tags"), "text");
	json_object_put(data);
}

static void messages_of_the_future_are_passed_on(void **state)
{
	const struct config config = { .compat_protocol_copies = true };
	/* field 999 { "abc" } */
	static const char future[] = "\xba\x3e\x03" "abc";
	struct json_object *data = payload_of_bytes(future, sizeof future - 1, &config);

	(void)state;
	assert_string_equal(text_of(data, "contentType"), "unknown");
	assert_string_equal(text_of(data, "tags"), "system");
	assert_string_equal(text_of(data, "raw"), "uj4DYWJj");
	json_object_put(data);
}

static void answers_and_polls_are_told_plainly(void **state)
{
	static const struct {
		const char *name, *reply;
	} expected[] = {
		{ "List reply", "{\"id\":\"A1\",\"title\":\"Item A1\",\"source\":\"list\"}" },
		{ "Button reply", "{\"id\":\"btn-1\",\"title\":\"Yes\",\"source\":\"buttons\"}" },
		{ "Template button reply", "{\"id\":\"t1\",\"title\":\"OK\",\"source\":\"template\"}" },
		{ "Native-flow reply", "{\"id\":\"btn-ping\",\"title\":\"Ping\",\"source\":\"native_flow\"}" },
	};
	const struct config config = { .compat_protocol_copies = true };
	struct json_object *data;
	struct normalised n;

	(void)state;
	for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
		data = payload_of(expected[i].name, &n, &config);
		assert_string_equal(plain(json_object_object_get(data, "reply")), expected[i].reply);
		json_object_put(data);
		normalised_free(&n);
	}
	data = payload_of("Poll created", &n, &config);
	assert_string_equal(plain(json_object_object_get(data, "poll")), "{\"name\":\"Lunch?\",\"options\":[\"Yes\",\"No\"],\"selectableCount\":1}");
	json_object_put(data);
	normalised_free(&n);
}

static void lids_are_never_made_into_numbers(void **state)
{
	const struct config config = { .compat_protocol_copies = true };
	struct json_object *data;
	struct json_object *key;
	struct normalised n;
	struct wa_message m;

	(void)state;
	fill(&m, vector_named("Text (conversation)"));
	jid_parse_text(&m.chat, "123456789012345@lid");
	jid_parse_text(&m.sender, "123456789012345:3@lid");
	normalise(&n, "sales", &config, &m, NULL);
	data = json_tokener_parse(buf_text(&n.payload));
	key = json_object_object_get(json_object_object_get(data, "message"), "key");
	assert_string_equal(text_of(key, "participant"), "123456789012345@lid");
	json_object_put(data);
	normalised_free(&n);
	jid_parse_text(&m.chat_pn, "6281234567890@s.whatsapp.net");
	normalise(&n, "sales", &config, &m, NULL);
	data = json_tokener_parse(buf_text(&n.payload));
	key = json_object_object_get(json_object_object_get(data, "message"), "key");
	assert_string_equal(text_of(key, "remoteJid"), "123456789012345@lid");
	assert_string_equal(text_of(key, "senderPn"), "6281234567890@s.whatsapp.net");
	assert_string_equal(text_of(key, "participant"), "6281234567890@s.whatsapp.net");
	json_object_put(data);
	normalised_free(&n);
	clean(&m);
}

static void calls_in_the_log_and_lists_are_named(void **state)
{
	/* callLogMesssage (69), spelled so, { isVideo } */
	static const uint8_t call_log[] = { 0xaa, 0x04, 2, 8, 1 };
	struct config config = { .compat_protocol_copies = true };
	struct json_object *data, *message;
	struct normalised n;
	struct wa_message m;

	(void)state;
	fill(&m, vector_named("Text (conversation)"));
	buf_clear(&m.plaintext);
	buf_append(&m.plaintext, call_log, sizeof call_log);
	m.by_list = true;
	for (int legacy = 0; legacy < 2; legacy++) {
		config.compat_legacy_content = legacy != 0;
		normalise(&n, "sales", &config, &m, NULL);
		data = json_tokener_parse(buf_text(&n.payload));
		assert_string_equal(text_of(data, "tags"), "system");
		if (legacy)
			assert_null(json_object_object_get(data, "contentType"));
		else
			assert_string_equal(text_of(data, "contentType"), "callLogMesssage");
		message = json_object_object_get(data, "message");
		assert_true(json_object_get_boolean(json_object_object_get(message, "broadcast")));
		json_object_put(data);
		normalised_free(&n);
	}
	clean(&m);
}

static void own_messages_channels_and_broadcasts_are_left_out(void **state)
{
	const struct config config = { .compat_protocol_copies = true };
	const char *const chats[] = { "120363025246125244@newsletter", "status@broadcast" };
	struct normalised n;
	struct wa_message m;

	(void)state;
	fill(&m, vector_named("Text (conversation)"));
	m.from_me = true;
	normalise(&n, "sales", &config, &m, NULL);
	assert_null(n.kind);
	m.from_me = false;
	for (size_t i = 0; i < 2; i++) {
		jid_parse_text(&m.chat, chats[i]);
		normalise(&n, "sales", &config, &m, NULL);
		assert_null(n.kind);
	}
	clean(&m);
}

static void broken_and_deep_messages_are_refused_or_cut(void **state)
{
	struct message_part part = { .schema = 0 };
	struct buf deep = { 0 };
	struct buf out = { 0 };
	uint8_t bytes[64];

	(void)state;
	/* ephemeralMessage (40) { message (1) { ephemeralMessage ... } }, from the inside out */
	for (int i = 0; i < 200; i++) {
		struct buf next = { 0 };

		buf_u8(&next, 0x0a);
		for (size_t n = deep.len; ; n >>= 7) {
			buf_u8(&next, (uint8_t)((n & 0x7f) | (n > 0x7f ? 0x80 : 0)));
			if (n <= 0x7f)
				break;
		}
		buf_append_span(&next, buf_span(&deep));
		buf_free(&deep);
		buf_append(&deep, (const uint8_t[]){ 0xc2, 0x02 }, 2);
		for (size_t n = next.len; ; n >>= 7) {
			buf_u8(&deep, (uint8_t)((n & 0x7f) | (n > 0x7f ? 0x80 : 0)));
			if (n <= 0x7f)
				break;
		}
		buf_append_span(&deep, buf_span(&next));
		buf_free(&next);
	}
	part.bytes = buf_span(&deep);
	assert_false(message_json(&out, &part));
	assert_int_equal(out.len, 0);
	for (int round = 0; round < 2000; round++) {
		assert_int_equal(crypto_random(bytes, sizeof bytes), 0);
		part.bytes = span_of(bytes, sizeof bytes);
		buf_clear(&out);
		message_json(&out, &part);
	}
	buf_free(&deep);
	buf_free(&out);
}

static void text_is_always_valid_json(void **state)
{
	struct buf out = { 0 };

	(void)state;
	json_put_span(&out, span_of("a\"b\\c\n\x01\xff\xc3\xa9\xed\xa0\x80\xf0\x9f\x98\x84", 17));
	assert_string_equal(buf_text(&out), "\"a\\\"b\\\\c\\n\\u0001\xef\xbf\xbd\xc3\xa9\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xf0\x9f\x98\x84\"");
	buf_clear(&out);
	json_put_base64(&out, span_of("abcd", 4));
	assert_string_equal(buf_text(&out), "\"YWJjZA==\"");
	buf_free(&out);
}

/* ---- changes of groups as messages ---- */

static void check_stub(const struct wa_group_change *change, const char *stub, const char *parameters)
{
	struct buf out = { 0 };
	char *expected = xasprintf(
		"{\"id\":\"sales\",\"tags\":\"system\",\"message\":{\"key\":{\"remoteJid\":\"120363025246125244@g.us\",\"fromMe\":false,\"id\":\"3EB0STUB01\","
		"\"participant\":\"6281234567890@s.whatsapp.net\"},\"messageTimestamp\":\"1767225600\",\"participant\":\"6281234567890@s.whatsapp.net\","
		"\"messageStubType\":\"%s\",\"messageStubParameters\":[%s]},\"text\":\"\",\"sender\":{\"chatId\":\"120363025246125244@g.us\",\"fromMe\":false,"
		"\"isGroup\":true,\"authorJid\":\"6281234567890@s.whatsapp.net\"},\"mentions\":[],\"type\":\"append\",\"sessionId\":\"sales\"}",
		stub, parameters);

	assert_true(group_event_stub(&out, "sales", change));
	assert_string_equal(buf_text(&out), expected);
	buf_free(&out);
	free(expected);
}

static void group_changes_are_messages_too(void **state)
{
	char id[] = "3EB0STUB01", text[] = "New \"name\"";
	struct wa_group_member members[2] = { 0 };
	struct wa_group_change c = { .stanza_id = id, .time_ms = INT64_C(1767225600123), .members = members, .n = 2 };
	struct buf none = { 0 };

	(void)state;
	jid_parse_text(&c.group, "120363025246125244@g.us");
	jid_parse_text(&c.actor, "922333444555666@lid");
	jid_parse_text(&c.actor_other, "6281234567890@s.whatsapp.net");
	jid_parse_text(&members[0].jid, "933@lid");
	jid_parse_text(&members[0].other, "6289876543210@s.whatsapp.net");
	jid_parse_text(&members[1].jid, "944@lid");
	c.kind = WA_GROUP_ADDED;
	check_stub(&c, "GROUP_PARTICIPANT_ADD", "\"6289876543210@s.whatsapp.net\",\"944@lid\"");
	c.kind = WA_GROUP_REMOVED;
	c.n = 1;
	check_stub(&c, "GROUP_PARTICIPANT_REMOVE", "\"6289876543210@s.whatsapp.net\"");
	c.on = true;
	check_stub(&c, "GROUP_PARTICIPANT_LEAVE", "\"6289876543210@s.whatsapp.net\"");
	c.kind = WA_GROUP_ANNOUNCE;
	check_stub(&c, "GROUP_CHANGE_ANNOUNCE", "\"on\"");
	c.kind = WA_GROUP_DESCRIPTION;
	check_stub(&c, "GROUP_CHANGE_DESCRIPTION", "");
	c.text = text;
	c.kind = WA_GROUP_SUBJECT;
	check_stub(&c, "GROUP_CHANGE_SUBJECT", "\"New \\\"name\\\"\"");
	c.kind = WA_GROUP_OTHER;
	assert_false(group_event_stub(&none, "sales", &c));
	assert_int_equal(none.len, 0);
}

static bool downloaded(const char *allowed, const char *mime)
{
	char *set[] = { xasprintf("WAREST_DOWNLOAD_MEDIA_ALLOW_MIMETYPES=%s", allowed), NULL };
	const struct config_source source = { .env_file = "/dev/null", .environment = set };
	struct config_report report;
	struct config *config;
	bool is;

	config_report_init(&report);
	assert_int_equal(config_load(&config, &source, &report), 0);
	config_report_free(&report);
	is = mirror_mime_allowed(config, mime);
	config_free(config);
	free(set[0]);
	return is;
}

static void types_are_downloaded_as_the_list_says(void **state)
{
	(void)state;
	assert_true(downloaded("image/png, Video/*", "image/png"));
	assert_true(downloaded("image/png, Video/*", "video/mp4"));
	assert_false(downloaded("image/png, Video/*", "image/jpeg"));
	assert_false(downloaded("image/png, Video/*", "videos/mp4"));
	assert_false(downloaded("image/png, Video/*", "video"));
	assert_true(downloaded("*", "application/x-what"));
	assert_true(downloaded("*/*", "application/x-what"));
	assert_false(downloaded("*", ""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_print_like_the_reference), cmocka_unit_test(payloads_are_the_originals), cmocka_unit_test(the_default_form_is_richer),
		cmocka_unit_test(copies_of_protocol_messages_can_be_left_out), cmocka_unit_test(lids_are_never_made_into_numbers),
		cmocka_unit_test(change_without_right_is_no_change), cmocka_unit_test(what_is_inside_unusual_wrappers_is_found),
		cmocka_unit_test(messages_of_the_future_are_passed_on), cmocka_unit_test(answers_and_polls_are_told_plainly),
		cmocka_unit_test(own_messages_channels_and_broadcasts_are_left_out), cmocka_unit_test(calls_in_the_log_and_lists_are_named), cmocka_unit_test(broken_and_deep_messages_are_refused_or_cut),
		cmocka_unit_test(text_is_always_valid_json), cmocka_unit_test(group_changes_are_messages_too),
		cmocka_unit_test(types_are_downloaded_as_the_list_says),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
