/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, history of the phone is lost, mixed up, or brings the daemon down. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "common/limits.h"
#include "common/mem.h"
#include "sessiond/wa/history.h"
#include "sessiond/wa/proto_walk.h"
#include "tests/unit/history_blob.h"

struct memory {
	struct span bytes;
	size_t at, step; /* at most so many bytes at a time; 0: all */
};

static long read_memory(void *ctx, void *out, size_t n)
{
	struct memory *m = ctx;
	size_t left = m->bytes.n - m->at;

	if (left < n)
		n = left;
	if (m->step > 0 && n > m->step)
		n = m->step;
	if (n > 0)
		memcpy(out, m->bytes.p + m->at, n);
	m->at += n;
	return (long)n;
}

struct seen {
	unsigned messages, chats, names, mappings, members, salts;
	char last_text[64], last_id[64], last_chat[JID_TEXT_MAX], name[64];
	uint64_t in_chat;
	bool archived;
	struct wa_history_counts counts;
};

static void note(struct seen *seen, const struct wa_history_item *item)
{
	switch (item->kind) {
	case HISTORY_MESSAGE:
		seen->messages++;
		snprintf(seen->last_id, sizeof seen->last_id, "%s", item->message.id);
		jid_format(&item->message.chat_jid, seen->last_chat, sizeof seen->last_chat);
		break;
	case HISTORY_CHAT:
		seen->chats++;
		seen->in_chat = item->chat->messages;
		seen->archived = item->chat->archived;
		snprintf(seen->name, sizeof seen->name, "%s", item->chat->name ? item->chat->name : "");
		break;
	case HISTORY_NAME:
		seen->names++;
		snprintf(seen->last_text, sizeof seen->last_text, "%s", item->text);
		break;
	case HISTORY_MAPPING: seen->mappings++; break;
	case HISTORY_PAST_MEMBER: seen->members++; break;
	case HISTORY_SALT: seen->salts++; break;
	}
}

static int walk(struct span bytes, bool packed, size_t step, struct seen *seen)
{
	struct memory memory = { .bytes = bytes, .step = step };
	struct wa_history *h = wa_history_new(read_memory, &memory, packed);
	struct wa_history_item item;
	int rc;

	*seen = (struct seen){ 0 };
	while ((rc = wa_history_next(h, &item)) > 0)
		note(seen, &item);
	assert_int_equal(wa_history_next(h, &item), rc);
	seen->counts = *wa_history_counts(h);
	wa_history_free(&h);
	return rc;
}

/* Two conversations, names, mappings, past members and a salt. */
static void make(struct buf *sync)
{
	struct buf chat = { 0 }, past = { 0 }, member = { 0 };

	proto_put_uint(sync, 1, HISTORY_RECENT);
	proto_put_text(&chat, 1, "111222333444555@lid");
	blob_message(&chat, "111222333444555@lid", false, "A1", "first", 1700000000);
	blob_message(&chat, "someone-else@s.whatsapp.net", true, "A2", "second", 1700000060);
	proto_put_uint(&chat, 6, 3);
	proto_put_text(&chat, 13, "Ann");
	proto_put_uint(&chat, 16, 1);
	proto_put_text(&chat, 39, "6281234567890@s.whatsapp.net");
	proto_put_bytes(sync, 2, buf_span(&chat));
	buf_clear(&chat);
	proto_put_text(&chat, 1, "120363000000000001@g.us");
	blob_message(&chat, "120363000000000001@g.us", false, "B1", "third", 1700000100);
	proto_put_text(&chat, 13, "Team");
	proto_put_bytes(sync, 2, buf_span(&chat));
	blob_pair(sync, 7, "6281234567890@s.whatsapp.net", "ann");
	blob_pair(sync, 15, "6281234567890@s.whatsapp.net", "111222333444555@lid");
	proto_put_text(&member, 1, "6281234567891@s.whatsapp.net");
	proto_put_text(&past, 1, "120363000000000001@g.us");
	proto_put_bytes(&past, 2, buf_span(&member));
	proto_put_bytes(&past, 2, buf_span(&member));
	proto_put_bytes(sync, 12, buf_span(&past));
	proto_put_text(sync, 19, "salt");
	buf_free(&chat);
	buf_free(&past);
	buf_free(&member);
}

static void reads_everything_in_any_pieces(void **state)
{
	static const size_t steps[] = { 0, 1, 2, 7, 100 };
	struct buf sync = { 0 };
	struct buf packed;
	struct seen seen;

	(void)state;
	make(&sync);
	packed = blob_packed(buf_span(&sync), 6);
	for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
		assert_int_equal(walk(buf_span(&packed), true, steps[i], &seen), 0);
		assert_int_equal(seen.messages, 3);
		assert_int_equal(seen.chats, 2);
		assert_int_equal(seen.names, 1);
		assert_int_equal(seen.mappings, 1);
		assert_int_equal(seen.members, 2);
		assert_int_equal(seen.salts, 1);
		assert_string_equal(seen.last_text, "ann");
		assert_string_equal(seen.last_id, "B1");
		assert_string_equal(seen.last_chat, "120363000000000001@g.us");
		assert_string_equal(seen.name, "Team");
		assert_int_equal(seen.in_chat, 1);
		assert_int_equal(seen.counts.bytes, sync.len);
		assert_int_equal(walk(buf_span(&sync), false, steps[i], &seen), 0);
		assert_int_equal(seen.messages, 3);
	}
	buf_free(&packed);
	buf_free(&sync);
}

/* Whatever is cut off, it is an error, and never a smaller history; what came before is the caller's matter. */
static void every_cut_is_an_error(void **state)
{
	struct buf sync = { 0 };
	struct buf packed;
	struct seen seen;

	(void)state;
	make(&sync);
	packed = blob_packed(buf_span(&sync), 6);
	for (size_t n = 0; n < packed.len; n++)
		assert_true(walk(span_of(packed.data, n), true, 0, &seen) < 0);
	assert_int_equal(walk(span_of(packed.data, 0), true, 0, &seen), HISTORY_E_PACKED);
	assert_int_equal(walk(span_of(packed.data, packed.len - 1), true, 0, &seen), HISTORY_E_TRUNCATED);
	assert_int_equal(walk(span_text("this is no zlib stream"), true, 0, &seen), HISTORY_E_PACKED);
	packed.data[packed.len / 2] ^= 0x55;
	assert_true(walk(buf_span(&packed), true, 0, &seen) < 0);
	buf_free(&packed);
	buf_free(&sync);
}

static void hostile_fields_are_refused_or_left_out(void **state)
{
	static const uint8_t wire_type_7[] = { 0x0f, 1 };
	static const uint8_t number_0[] = { 0x02, 0 };
	static const uint8_t endless_varint[] = { 0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
						  0xff, 0xff, 0xff };
	/* A conversation of 4 bytes with a field of 100. */
	static const uint8_t too_long_inside[] = { 0x12, 4, 0x0a, 100, 'a', 'b' };
	/* A conversation that is as long as a number can be. */
	static const uint8_t gigantic[] = { 0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0x0a, 1, 'a' };
	static const uint8_t chat_without_id[] = { 0x12, 2, 0x30, 1 };
	/* Field 2 as a number. */
	static const uint8_t wrong_type[] = { 0x10, 1, 0x38, 2 };
	struct seen seen;

	(void)state;
	assert_int_equal(walk(span_of(wire_type_7, sizeof wire_type_7), false, 0, &seen), HISTORY_E_BROKEN);
	assert_true(walk(span_of(number_0, sizeof number_0), false, 0, &seen) < 0);
	assert_int_equal(walk(span_of(endless_varint, sizeof endless_varint), false, 0, &seen), HISTORY_E_BROKEN);
	assert_int_equal(walk(span_of(too_long_inside, sizeof too_long_inside), false, 0, &seen), HISTORY_E_BROKEN);
	assert_int_equal(walk(span_of(gigantic, sizeof gigantic), false, 0, &seen), HISTORY_E_TRUNCATED);
	assert_int_equal(walk(span_of(chat_without_id, sizeof chat_without_id), false, 0, &seen), 0);
	assert_int_equal(seen.counts.unusable, 1);
	assert_int_equal(walk(span_of(wrong_type, sizeof wrong_type), false, 0, &seen), 0);
	assert_int_equal(walk(span_of("", 0), false, 0, &seen), 0);
}

/* A message nested 4,000 deep, and one of two megabytes: left out, the rest is read. */
static void single_messages_are_left_out(void **state)
{
	struct buf nested = { 0 }, chat = { 0 }, sync = { 0 }, info = { 0 }, key = { 0 }, wrapped = { 0 };
	char *large = xmalloc((2U << 20) + 1);
	struct seen seen;

	(void)state;
	for (unsigned i = 0; i < 4000; i++) {
		struct buf outer = { 0 }, wrapper = { 0 };

		/* ephemeralMessage{ 1: Message } */
		proto_put_bytes(&wrapper, 1, buf_span(&nested));
		proto_put_bytes(&outer, 40, buf_span(&wrapper));
		buf_free(&wrapper);
		buf_free(&nested);
		nested = outer;
	}
	proto_put_text(&chat, 1, "6281234567890@s.whatsapp.net");
	proto_put_text(&key, 1, "6281234567890@s.whatsapp.net");
	proto_put_text(&key, 3, "DEEP");
	proto_put_bytes(&info, 1, buf_span(&key));
	proto_put_bytes(&info, 2, buf_span(&nested));
	proto_put_bytes(&wrapped, 1, buf_span(&info));
	proto_put_bytes(&chat, 2, buf_span(&wrapped));
	memset(large, 'x', 2U << 20);
	large[2U << 20] = '\0';
	blob_message(&chat, "6281234567890@s.whatsapp.net", false, "LARGE", large, 1700000000);
	blob_message(&chat, "6281234567890@s.whatsapp.net", false, "GOOD", "good", 1700000000);
	proto_put_bytes(&sync, 2, buf_span(&chat));
	assert_int_equal(walk(buf_span(&sync), false, 0, &seen), 0);
	assert_int_equal(seen.messages, 1);
	assert_string_equal(seen.last_id, "GOOD");
	assert_int_equal(seen.counts.unusable, 2);
	free(large);
	buf_free(&nested);
	buf_free(&chat);
	buf_free(&sync);
	buf_free(&info);
	buf_free(&key);
	buf_free(&wrapped);
}

/* A source without end that inflates to nothing but zeros. */
struct bomb {
	z_stream z;
	uint8_t zeros[65536];
};

static long read_bomb(void *ctx, void *out, size_t n)
{
	struct bomb *bomb = ctx;

	bomb->z.next_out = out;
	bomb->z.avail_out = (uInt)n;
	while (bomb->z.avail_out > 0) {
		if (bomb->z.avail_in == 0) {
			bomb->z.next_in = bomb->zeros;
			bomb->z.avail_in = sizeof bomb->zeros;
		}
		deflate(&bomb->z, Z_NO_FLUSH);
	}
	return (long)n;
}

static void bombs_are_stopped(void **state)
{
	struct bomb *bomb = xcalloc(1, sizeof *bomb);
	struct wa_history *h;
	struct wa_history_item item;
	int rc;

	(void)state;
	assert_int_equal(deflateInit(&bomb->z, 9), Z_OK);
	/* Skipped as one endless field: bytes that no item would show. */
	bomb->zeros[0] = 0x22;
	memset(bomb->zeros + 1, 0xff, 8);
	bomb->zeros[9] = 0x7f;
	h = wa_history_new(read_bomb, bomb, true);
	while ((rc = wa_history_next(h, &item)) > 0)
		fail();
	assert_int_equal(rc, HISTORY_E_TOO_BIG);
	assert_true(wa_history_counts(h)->bytes < (UINT64_C(128) << 20));
	wa_history_free(&h);
	deflateEnd(&bomb->z);
	free(bomb);
}

/* {1: "bob@..."}, the key of what somebody added. */
static void put_key(struct buf *out, uint32_t number, const char *participant)
{
	struct buf key = { 0 };

	proto_put_text(&key, 1, "120363000000000001@g.us");
	proto_put_text(&key, 3, "A1");
	proto_put_text(&key, 4, participant);
	proto_put_bytes(out, number, buf_span(&key));
	buf_free(&key);
}

static void put_part(struct buf *info, uint32_t number, struct buf *part)
{
	proto_put_bytes(info, number, buf_span(part));
	buf_clear(part);
}

/* MessageAddOn of a type, with one message inside (field 2 or 8). */
static void put_new_form(struct buf *info, uint32_t type, uint32_t where, uint32_t what, struct buf *inner, bool keyed)
{
	struct buf holder = { 0 }, addon = { 0 }, context = { 0 };

	proto_put_bytes(&holder, what, buf_span(inner));
	proto_put_uint(&addon, 1, type);
	proto_put_bytes(&addon, where, buf_span(&holder));
	proto_put_uint(&addon, 3, UINT64_C(1700000009000));
	proto_put_uint(&context, 1, 86400);
	proto_put_bytes(&addon, 6, buf_span(&context));
	if (keyed)
		put_key(&addon, 7, "15550001111@s.whatsapp.net");
	put_part(info, 68, &addon);
	buf_free(&holder);
	buf_free(&addon);
	buf_free(&context);
	buf_clear(inner);
}

/* Reactions, pins, votes and answers to events, in both forms in which phones write them; what is none is left out. */
static void additions_are_read_in_both_forms(void **state)
{
	static const struct {
		enum wa_history_addon_kind kind;
		const char *value;
		uint32_t state, seconds;
	} wished[] = {
		{ HISTORY_REACTION, "+", 0, 0 }, { HISTORY_PIN, "", 1, 604800 }, { HISTORY_RESPONSE, "\x08\x01", 0, 0 }, { HISTORY_REACTION, "-", 0, 0 },
		{ HISTORY_RESPONSE, "\x08\x02", 0, 0 }, { HISTORY_VOTE, "\x0a\x01z", 0, 0 }, { HISTORY_PIN, "", 0, 86400 },
	};
	struct buf info = { 0 }, part = { 0 };
	struct wa_history_addon addon;
	struct reader r;

	(void)state;
	put_key(&part, 1, "15550001111@s.whatsapp.net");
	proto_put_text(&part, 2, "+");
	put_part(&info, 41, &part);
	proto_put_uint(&part, 1, 1);
	proto_put_uint(&part, 3, UINT64_C(1700000009000));
	proto_put_bytes(&part, 5, span_text("\x08\x80\xf5\x24"));
	put_part(&info, 54, &part);
	/* A pin that is neither, and an answer without one. */
	proto_put_uint(&part, 1, 7);
	put_part(&info, 54, &part);
	put_key(&part, 1, "15550001111@s.whatsapp.net");
	put_part(&info, 61, &part);
	put_key(&part, 1, "15550001111@s.whatsapp.net");
	proto_put_bytes(&part, 3, span_text("\x08\x01"));
	put_part(&info, 61, &part);
	proto_put_text(&part, 2, "-");
	put_new_form(&info, 1, 2, 46, &part, true);
	proto_put_uint(&part, 1, 2);
	put_new_form(&info, 2, 8, 1, &part, true);
	proto_put_text(&part, 1, "z");
	put_new_form(&info, 3, 8, 2, &part, true);
	proto_put_uint(&part, 2, 2);
	put_new_form(&info, 4, 2, 63, &part, false);
	/* Nobody's reaction, a type that is not known, and bytes that are nothing. */
	proto_put_text(&part, 2, "-");
	put_new_form(&info, 1, 2, 46, &part, false);
	put_new_form(&info, 9, 2, 46, &part, true);
	proto_put_bytes(&info, 68, span_text("\x12\x7f"));
	r = reader_of(info.data, info.len);
	for (size_t i = 0; i < sizeof wished / sizeof *wished; i++) {
		assert_true(wa_history_addon_next(&r, &addon));
		assert_int_equal(addon.kind, wished[i].kind);
		assert_true(span_is(addon.value, wished[i].value));
		assert_int_equal(addon.state, wished[i].state);
		assert_int_equal(addon.seconds, wished[i].seconds);
	}
	assert_false(wa_history_addon_next(&r, &addon));
	assert_true(wa_history_is_addon(54) && wa_history_is_addon(61) && wa_history_is_addon(68) && !wa_history_is_addon(55));
	buf_free(&info);
	buf_free(&part);
}

static void notices_are_read_or_refused(void **state)
{
	struct wa_history_notice n;
	struct buf b = { 0 };
	uint8_t key[32] = { 1 };

	(void)state;
	proto_put_bytes(&b, 1, span_of(key, 32));
	proto_put_uint(&b, 2, 1000);
	proto_put_bytes(&b, 3, span_of(key, 32));
	proto_put_bytes(&b, 4, span_of(key, 32));
	proto_put_text(&b, 5, "/v/t62.7118-24/1.enc");
	proto_put_uint(&b, 6, HISTORY_RECENT);
	proto_put_uint(&b, 9, 70000);
	proto_put_text(&b, 12, "3EB0");
	assert_true(wa_history_notice_read(buf_span(&b), &n));
	assert_int_equal(n.kind, HISTORY_RECENT);
	assert_int_equal(n.progress, 100);
	assert_true(span_is(n.request_id, "3EB0"));
	assert_false(wa_history_notice_read(span_of(b.data, b.len - 1), &n));
	buf_clear(&b);
	proto_put_bytes(&b, 3, span_of(key, 31));
	proto_put_text(&b, 5, "/v/1");
	assert_false(wa_history_notice_read(buf_span(&b), &n));
	buf_clear(&b);
	proto_put_bytes(&b, 3, span_of(key, 32));
	proto_put_text(&b, 5, "https://evil.example/x");
	assert_false(wa_history_notice_read(buf_span(&b), &n));
	buf_clear(&b);
	proto_put_uint(&b, 6, HISTORY_NONE);
	assert_true(wa_history_notice_read(buf_span(&b), &n));
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_everything_in_any_pieces), cmocka_unit_test(every_cut_is_an_error), cmocka_unit_test(hostile_fields_are_refused_or_left_out),
		cmocka_unit_test(single_messages_are_left_out), cmocka_unit_test(bombs_are_stopped), cmocka_unit_test(additions_are_read_in_both_forms), cmocka_unit_test(notices_are_read_or_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
