/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, messages arrive empty or as something else, or strangers can feed us keys and history. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "sessiond/wa/e2e.h"
#include "sessiond/wa/extras.h"
#include "sessiond/wa/proto/e2e.pb-c.h"
#include "sessiond/wa/proto_walk.h"
#include "sessiond/wa/wa.h"

static struct buf hex_of(const char *text)
{
	struct buf out = { 0 };
	unsigned byte;

	for (; text[0] != '\0' && sscanf(text, "%2x", &byte) == 1; text += 2)
		buf_u8(&out, (uint8_t)byte);
	return out;
}

static struct buf hex_member(struct json_object *o, const char *key)
{
	return hex_of(json_object_get_string(json_object_object_get(o, key)));
}

static void test_padding_vectors(void **state)
{
	struct json_object *file = json_object_from_file(TEST_VECTORS_DIR "/misc.json");
	struct json_object *cases = json_object_object_get(file, "padding");

	(void)state;
	assert_true(json_object_array_length(cases) > 0);
	for (size_t i = 0; i < json_object_array_length(cases); i++) {
		struct json_object *c = json_object_array_get_idx(cases, i);
		struct buf padded = hex_member(c, "padded");
		struct buf expected = hex_member(c, "unpadded");
		struct span message = buf_span(&padded);

		assert_true(e2e_unpad(&message));
		assert_true(span_equal(message, buf_span(&expected)));
		buf_free(&padded);
		buf_free(&expected);
	}
	json_object_put(file);
}

static void test_padding_round_trip_and_refusals(void **state)
{
	static const char *const BAD[] = { "", "00", "0a41", "414203", "41420301", "11111111111111111111111111111111111111" };

	(void)state;
	for (int i = 0; i < 256; i++) {
		struct buf b = { 0 };
		struct span s;

		buf_append_text(&b, "x");
		e2e_pad(&b, (uint8_t)i);
		assert_in_range(b.len, 2, 17);
		s = buf_span(&b);
		assert_true(e2e_unpad(&s));
		assert_true(span_is(s, "x"));
		buf_free(&b);
	}
	for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
		struct buf b = hex_of(BAD[i]);
		struct span s = buf_span(&b);

		if (i != 4)
			assert_false(e2e_unpad(&s));
		else
			assert_true(e2e_unpad(&s)); /* one byte of value 1 */
		buf_free(&b);
	}
}

static const struct {
	const char *name, *content, *text, *type, *mediatype, *edit;
} EXPECTED[] = {
	{ "conversation", "conversation", "Halo dunia", "text", NULL, NULL },
	{ "extendedText", "extendedTextMessage", "Lihat https://example.org", "text", NULL, NULL },
	{ "location", "locationMessage", NULL, "media", "location", NULL },
	{ "contact", "contactMessage", "Budi", "media", "vcard", NULL },
	{ "reaction", "reactionMessage", NULL, "reaction", NULL, NULL },
	{ "revoke", "protocolMessage", NULL, "text", NULL, "7" },
	{ "edit", "protocolMessage", NULL, "text", NULL, "1" },
	{ "poll", "pollCreationMessage", NULL, "poll", NULL, NULL },
	{ "image", "imageMessage", NULL, "media", "image", NULL },
	{ "audio", "audioMessage", NULL, "media", NULL, NULL },
	{ "deviceSent", NULL, NULL, NULL, NULL, NULL },
	{ "ephemeralSetting", "protocolMessage", NULL, "text", NULL, NULL },
	{ "pin", "pinInChatMessage", NULL, "text", NULL, "2" },
};

static void same_text(const char *got, const char *expected)
{
	if (expected == NULL)
		return;
	assert_non_null(got);
	assert_string_equal(got, expected);
}

static void check_case(struct json_object *c, size_t i)
{
	struct buf message = hex_member(c, "encoded");
	struct e2e_attributes attributes;
	char *text = e2e_text(buf_span(&message));

	assert_string_equal(json_object_get_string(json_object_object_get(c, "name")), EXPECTED[i].name);
	assert_true(e2e_acceptable(buf_span(&message)));
	e2e_attributes(buf_span(&message), &attributes);
	same_text(e2e_content_name(buf_span(&message)), EXPECTED[i].content);
	same_text(text, EXPECTED[i].text);
	same_text(attributes.type, EXPECTED[i].type);
	same_text(attributes.mediatype, EXPECTED[i].mediatype);
	same_text(attributes.edit, EXPECTED[i].edit);
	free(text);
	buf_free(&message);
}

static void test_reads_the_vectors(void **state)
{
	struct json_object *file = json_object_from_file(TEST_VECTORS_DIR "/messages.json");
	struct json_object *cases = json_object_object_get(file, "cases");

	(void)state;
	assert_int_equal(json_object_array_length(cases), sizeof EXPECTED / sizeof EXPECTED[0]);
	for (size_t i = 0; i < json_object_array_length(cases); i++)
		check_case(json_object_array_get_idx(cases, i), i);
	json_object_put(file);
}

static void test_device_sent_envelope(void **state)
{
	struct buf message = { 0 };
	struct buf wrapped = { 0 };
	struct buf inner = { 0 };
	struct span chat;
	E2e__Message *m;

	(void)state;
	proto_put_bytes(&message, 1, span_text("hi"));
	proto_put_bytes(&message, 35, span_of("\x1a\x02ss", 4)); /* messageSecret */
	proto_put_bytes(&message, 999, span_text("from a newer version"));
	e2e_wrap_device_sent(&wrapped, "111@lid", buf_span(&message));
	m = e2e__message__unpack(NULL, wrapped.len, wrapped.data);
	assert_non_null(m);
	assert_string_equal(m->device_sent_message->destination_jid, "111@lid");
	assert_string_equal(m->device_sent_message->message->conversation, "hi");
	assert_int_equal(m->message_context_info->message_secret.len, 2);
	e2e__message__free_unpacked(m, NULL);
	assert_string_equal(e2e_content_name(buf_span(&wrapped)), "conversation");
	assert_true(e2e_unwrap_device_sent(buf_span(&wrapped), &chat, &inner));
	assert_true(span_is(chat, "111@lid"));
	assert_true(span_equal(buf_span(&inner), buf_span(&message)));
	assert_false(e2e_unwrap_device_sent(buf_span(&message), &chat, &inner));
	buf_free(&message);
	buf_free(&wrapped);
	buf_free(&inner);
}

static void test_context_moves_from_envelope_to_message(void **state)
{
	struct buf wrapped = { 0 };
	struct buf inner = { 0 };
	struct span chat;
	struct span context;

	(void)state;
	proto_put_bytes(&wrapped, 31, span_of("\x0a\x01" "c\x12\x03\x0a\x01x", 8));
	proto_put_bytes(&wrapped, 35, span_of("\x1a\x01s", 3));
	assert_true(e2e_unwrap_device_sent(buf_span(&wrapped), &chat, &inner));
	assert_true(proto_find(buf_span(&inner), 35, &context));
	assert_int_equal(context.n, 3);
	buf_free(&wrapped);
	buf_free(&inner);
}

static void nest(struct buf *message, uint32_t field, int depth)
{
	for (int i = 0; i < depth; i++) {
		struct buf outer = { 0 };
		struct buf holder = { 0 };

		proto_put_bytes(&holder, 1, buf_span(message));
		proto_put_bytes(&outer, field, buf_span(&holder));
		buf_free(&holder);
		buf_free(message);
		*message = outer;
	}
}

static void test_nested_wrappers(void **state)
{
	struct buf message = { 0 };
	char *text;

	(void)state;
	proto_put_bytes(&message, 1, span_text("inside"));
	nest(&message, 40, 3);
	text = e2e_text(buf_span(&message));
	assert_string_equal(text, "inside");
	free(text);
	assert_true(e2e_acceptable(buf_span(&message)));
	nest(&message, 37, 8000); /* far more than 35 KB */
	assert_true(message.len > 35000);
	assert_false(e2e_acceptable(buf_span(&message)));
	assert_null(e2e_text(buf_span(&message)));
	buf_free(&message);
}

static void test_protocol_kinds_of_own_devices(void **state)
{
	static const uint32_t OWN[] = { 5, 6, 7, 9, 10, 16, 17, 22 };
	static const uint32_t ANYBODY[] = { 0, 3, 4, 11, 14, 25, 30 };

	(void)state;
	for (size_t i = 0; i < sizeof OWN / sizeof OWN[0]; i++)
		assert_true(e2e_protocol_self_only(OWN[i]));
	for (size_t i = 0; i < sizeof ANYBODY / sizeof ANYBODY[0]; i++)
		assert_false(e2e_protocol_self_only(ANYBODY[i]));
}

static void test_protocol_message_is_found_in_wrappers(void **state)
{
	struct buf message = { 0 };
	struct e2e_protocol p;

	(void)state;
	proto_put_bytes(&message, 12, span_of("\x10\x06", 2));
	nest(&message, 40, 2);
	assert_true(e2e_protocol_message(buf_span(&message), &p));
	assert_int_equal(p.type, E2E_APP_STATE_SYNC_KEY_SHARE);
	buf_free(&message);
	proto_put_bytes(&message, 1, span_text("x"));
	assert_false(e2e_protocol_message(buf_span(&message), &p));
	buf_free(&message);
}

static void test_hostile_bytes(void **state)
{
	static const char *const BAD[] = { "0a", "0aff", "0affffffffffffffffff01", "ffffffffffffffffffffff", "0b", "07", "00" };

	(void)state;
	for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
		struct buf b = hex_of(BAD[i]);
		struct buf out = { 0 };
		struct span chat;
		struct e2e_protocol p;

		assert_false(e2e_acceptable(buf_span(&b)));
		assert_null(e2e_text(buf_span(&b)));
		assert_false(e2e_unwrap_device_sent(buf_span(&b), &chat, &out));
		assert_false(e2e_protocol_message(buf_span(&b), &p));
		buf_free(&b);
		buf_free(&out);
	}
}

static void test_text_without_context_is_a_conversation(void **state)
{
	struct wa_text text = { .text = "h\xc3\xa9llo" };
	struct buf out = { 0 };
	E2e__Message *m;

	(void)state;
	wa_build_text(&out, &text);
	m = e2e__message__unpack(NULL, out.len, out.data);
	assert_string_equal(m->conversation, "h\xc3\xa9llo");
	assert_null(m->extended_text_message);
	e2e__message__free_unpacked(m, NULL);
	buf_free(&out);
}

static void test_text_with_everything(void **state)
{
	struct jid mentions[2];
	struct wa_text text = { .text = "@222 yes" };
	struct wa_context context = { .forwarded = true, .quoted_id = "3EB0AA", .mentions = mentions, .nmentions = 2 };
	struct buf quoted = { 0 };
	struct buf content = { 0 };
	struct buf out = { 0 };
	E2e__Message *m;
	E2e__ContextInfo *c;

	(void)state;
	assert_int_equal(jid_parse_text(&mentions[0], "222@lid"), 0);
	assert_int_equal(jid_parse_text(&mentions[1], "333:4@s.whatsapp.net"), 0);
	assert_int_equal(jid_parse_text(&context.quoted_sender, "222:7@s.whatsapp.net"), 0);
	/* extendedTextMessage{text "earlier", contextInfo{...}} inside ephemeralMessage, with a secret beside it */
	proto_put_bytes(&quoted, 6, span_of("\x0a\x07" "earlier\x8a\x01\x04\x0a\x02" "id", 16));
	nest(&quoted, 40, 1);
	proto_put_bytes(&quoted, 35, span_of("\x1a\x01s", 3));
	context.quoted_message = buf_span(&quoted);
	wa_build_text(&content, &text);
	wa_add_context(&out, buf_span(&content), &context);
	m = e2e__message__unpack(NULL, out.len, out.data);
	assert_non_null(m);
	assert_string_equal(m->extended_text_message->text, "@222 yes");
	c = m->extended_text_message->context_info;
	assert_string_equal(c->stanza_id, "3EB0AA");
	assert_string_equal(c->participant, "222@s.whatsapp.net");
	assert_int_equal(c->n_mentioned_jid, 2);
	assert_string_equal(c->mentioned_jid[1], "333@s.whatsapp.net");
	assert_int_equal(c->is_forwarded, 1);
	assert_int_equal(c->forwarding_score, 1);
	assert_string_equal(c->quoted_message->extended_text_message->text, "earlier");
	assert_null(c->quoted_message->extended_text_message->context_info);
	assert_null(c->quoted_message->message_context_info);
	e2e__message__free_unpacked(m, NULL);
	buf_free(&quoted);
	buf_free(&content);
	buf_free(&out);
}

/* ---- what stands beside the content ---- */

static const struct wa_node *extras_of(struct arena *a, struct span plaintext, const char *chat, const char *tag)
{
	struct wa_node *message = wa_node_new(a, "message");
	struct jid jid;

	assert_int_equal(jid_parse_text(&jid, chat), 0);
	wa_stanza_extras(a, message, plaintext, &jid, 1767225600);
	return wa_node_child(message, tag);
}

static void test_stanzas_say_what_the_content_needs(void **state)
{
	static const uint8_t secret[WA_SECRET_BYTES] = { 1 };
	static const char *const options[] = { "a", "b" };
	const struct wa_flow_button button = { .name = "quick_reply", .params = "{}" };
	struct buf poll = { 0 };
	struct buf flow = { 0 };
	struct arena a;
	const struct wa_node *biz, *meta;

	(void)state;
	arena_init(&a, 0);
	wa_build_poll(&poll, &(struct wa_poll){ .question = "q", .options = options, .noptions = 2, .selectable = 1, .secret = secret });
	wa_build_interactive(&flow, &(struct wa_interactive){ .body = "b", .buttons = &button, .nbuttons = 1, .params = "{}" });
	meta = extras_of(&a, buf_span(&poll), "1@s.whatsapp.net", "meta");
	assert_non_null(meta);
	assert_string_equal(wa_node_get(meta, "polltype"), "creation");
	biz = extras_of(&a, buf_span(&flow), "1@s.whatsapp.net", "biz");
	assert_non_null(biz);
	assert_string_equal(wa_node_get(wa_node_child(wa_node_child(biz, "interactive"), "native_flow"), "name"), "mixed");
	assert_non_null(extras_of(&a, buf_span(&flow), "1@s.whatsapp.net", "bot"));
	assert_null(extras_of(&a, buf_span(&flow), "1-2@g.us", "bot"));
	assert_non_null(extras_of(&a, buf_span(&flow), "1-2@g.us", "biz"));
	arena_free(&a);
	buf_free(&poll);
	buf_free(&flow);
}

static void test_what_is_passed_on_and_edited(void **state)
{
	static const uint8_t secret[WA_SECRET_BYTES] = { 1 };
	static const char *const options[] = { "a", "b" };
	const struct wa_message_key key = { .id = "ID" };
	struct buf text = { 0 };
	struct buf forwarded = { 0 };
	struct buf again = { 0 };
	struct buf poll = { 0 };
	uint32_t score;

	(void)state;
	wa_build_text(&text, &(struct wa_text){ .text = "hi" });
	assert_true(wa_build_forward(&again, buf_span(&text), false, &score));
	assert_int_equal(score, 1);
	wa_add_context(&forwarded, buf_span(&again), &(struct wa_context){ .forwarded = true, .forwarding_score = 4, .view_once = false });
	assert_true(wa_build_forward(&again, buf_span(&forwarded), false, &score));
	assert_int_equal(score, 5);
	wa_build_poll(&poll, &(struct wa_poll){ .question = "q", .options = options, .noptions = 2, .selectable = 1, .secret = secret });
	assert_false(wa_build_forward(&again, buf_span(&poll), false, &score));
	assert_false(wa_build_edit(&again, &key, buf_span(&poll), "x", 1));
	assert_true(wa_build_edit(&again, &key, buf_span(&text), "x", 1));
	buf_clear(&forwarded);
	wa_add_context(&forwarded, buf_span(&text), &(struct wa_context){ .view_once = true });
	assert_false(wa_build_forward(&again, buf_span(&forwarded), false, &score));
	buf_free(&text);
	buf_free(&forwarded);
	buf_free(&again);
	buf_free(&poll);
}

static void test_an_edit_changes_the_text_alone(void **state)
{
	const struct jid from = { .server = JID_SERVER_PN, .user = "111" };
	struct buf text = { 0 }, around = { 0 }, edited = { 0 }, place = { 0 };
	char *found;

	(void)state;
	wa_build_text(&text, &(struct wa_text){ .text = "befor" });
	wa_add_context(&around, buf_span(&text), &(struct wa_context){ .quoted_id = "Q", .quoted_sender = from, .expiration_s = 60, .view_once = true });
	assert_true(wa_edited(&edited, buf_span(&around), "before"));
	found = e2e_text(buf_span(&edited));
	assert_string_equal(found, "before");
	free(found);
	/* what is around it stays: the quote's id is still there */
	assert_non_null(memmem(edited.data, edited.len, "Q", 1));
	wa_build_location(&place, &(struct wa_location){ .latitude = 1, .longitude = 2 });
	buf_clear(&edited);
	assert_false(wa_edited(&edited, buf_span(&place), "x"));
	assert_int_equal(edited.len, place.len);
	buf_free(&text);
	buf_free(&around);
	buf_free(&edited);
	buf_free(&place);
}

static void test_members_of_an_album_name_it(void **state)
{
	const struct wa_message_key key = { .chat = { .server = JID_SERVER_GROUP, .user = "12036" }, .from_me = true, .id = "ALBUM" };
	struct buf album = { 0 }, text = { 0 }, member = { 0 };

	(void)state;
	wa_build_album(&album, 2, 1);
	assert_memory_equal(album.data, "\x9a\x05\x04\x10\x02\x18\x01", album.len);
	wa_build_text(&text, &(struct wa_text){ .text = "hi" });
	wa_add_to_album(&member, buf_span(&text), &key, 3);
	assert_memory_equal(member.data, text.data, text.len);
	assert_non_null(memmem(member.data, member.len, "ALBUM", 5));
	assert_string_equal(e2e_content_name(buf_span(&member)), "conversation");
	buf_free(&album);
	buf_free(&text);
	buf_free(&member);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_padding_vectors),
		cmocka_unit_test(test_padding_round_trip_and_refusals),
		cmocka_unit_test(test_reads_the_vectors),
		cmocka_unit_test(test_device_sent_envelope),
		cmocka_unit_test(test_context_moves_from_envelope_to_message),
		cmocka_unit_test(test_nested_wrappers),
		cmocka_unit_test(test_protocol_kinds_of_own_devices),
		cmocka_unit_test(test_protocol_message_is_found_in_wrappers),
		cmocka_unit_test(test_hostile_bytes),
		cmocka_unit_test(test_text_without_context_is_a_conversation),
		cmocka_unit_test(test_text_with_everything),
		cmocka_unit_test(test_stanzas_say_what_the_content_needs),
		cmocka_unit_test(test_what_is_passed_on_and_edited),
		cmocka_unit_test(test_an_edit_changes_the_text_alone),
		cmocka_unit_test(test_members_of_an_album_name_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
