/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, one crafted message overflows the stack or fills the memory of the daemon. */
#include "sessiond/wa/proto_scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "common/limits.h"
#include "sessiond/wa/proto/e2e.pb-c.h"
#include "sessiond/wa/proto/handshake.pb-c.h"

/* A field of wire type 2. */
static void put_field(struct buf *out, unsigned number, struct span content)
{
	size_t n = content.n;

	for (unsigned key = number << 3 | 2U; ; key >>= 7) {
		buf_u8(out, (uint8_t)((key & 0x7fU) | (key > 0x7fU ? 0x80U : 0)));
		if (key <= 0x7fU)
			break;
	}
	for (; n > 0x7f; n >>= 7)
		buf_u8(out, (uint8_t)((n & 0x7fU) | 0x80U));
	buf_u8(out, (uint8_t)n);
	buf_append_span(out, content);
}

/* The number of a submessage field of this message whose type is again that message or leads back to it; found in the schema. */
static const ProtobufCFieldDescriptor *recursive_field(const ProtobufCMessageDescriptor *outer, const ProtobufCMessageDescriptor *via)
{
	for (unsigned i = 0; i < outer->n_fields; i++)
		if (outer->fields[i].type == PROTOBUF_C_TYPE_MESSAGE && outer->fields[i].descriptor == via)
			return &outer->fields[i];
	return NULL;
}

static void refuses_deep_nesting(void **state)
{
	const ProtobufCMessageDescriptor *message = &e2e__message__descriptor, *wrapper = NULL;
	const ProtobufCFieldDescriptor *down = NULL, *back = NULL;
	struct buf inner = { 0 };
	struct arena arena;
	ProtobufCMessage *out;

	(void)state;
	/* Some wrapper of a message holds a message again. */
	for (unsigned i = 0; i < message->n_fields && back == NULL; i++) {
		if (message->fields[i].type != PROTOBUF_C_TYPE_MESSAGE)
			continue;
		down = &message->fields[i];
		wrapper = down->descriptor;
		back = recursive_field(wrapper, message);
	}
	assert_non_null(back);
	while (inner.len < 35000) {
		struct buf middle = { 0 }, outer = { 0 };

		put_field(&middle, back->id, buf_span(&inner));
		put_field(&outer, down->id, buf_span(&middle));
		buf_free(&middle);
		buf_free(&inner);
		inner = outer;
	}
	arena_init(&arena, 0);
	assert_int_equal(proto_unpack(&arena, message, buf_span(&inner), &out), PROTO_TOO_DEEP);
	assert_null(out);
	arena_free(&arena);
	buf_free(&inner);
}

static void refuses_endless_merging_and_fields(void **state)
{
	struct buf bytes = { 0 };
	struct arena arena;
	ProtobufCMessage *out;

	(void)state;
	arena_init(&arena, 0);
	for (unsigned i = 0; i < 1000; i++)
		put_field(&bytes, 1, span_of("\x0a\x01x", 3));
	assert_int_equal(proto_unpack(&arena, &wa__cert_chain__descriptor, buf_span(&bytes), &out), PROTO_TOO_BIG);
	bytes.len = 0;
	for (unsigned i = 0; i <= LIMIT_WA_PROTO_FIELDS; i++)
		put_field(&bytes, 9, span_of(NULL, 0));
	assert_int_equal(proto_unpack(&arena, &wa__cert_chain__descriptor, buf_span(&bytes), &out), PROTO_TOO_BIG);
	arena_free(&arena);
	buf_free(&bytes);
}

static void refuses_broken_ones(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
	} cases[] = {
		{ "\x0a", 1 },              /* no length */
		{ "\x0a\x05" "ab", 4 },     /* too short */
		{ "\x0b", 1 },              /* group */
		{ "\x00\x00", 2 },          /* field 0 */
		{ "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11 },
		{ "\x09\x01", 2 },          /* half of 64 bits */
		{ "\x0a\x03\x0a\x05x", 5 }, /* inner longer than outer */
	};
	struct arena arena;
	ProtobufCMessage *out;

	(void)state;
	arena_init(&arena, 0);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		assert_int_equal(proto_unpack(&arena, &wa__cert_chain__descriptor, span_of(cases[i].bytes, cases[i].n), &out), PROTO_BROKEN);
	assert_int_equal(proto_unpack(&arena, &wa__cert_chain__descriptor, span_of(NULL, 0), &out), 0);
	assert_non_null(out);
	arena_free(&arena);
}

static void skips_what_it_does_not_know(void **state)
{
	struct buf bytes = { 0 };
	struct arena arena;
	ProtobufCMessage *out;

	(void)state;
	arena_init(&arena, 0);
	buf_append(&bytes, "\x98\x06\x01", 3); /* 99: 1 */
	put_field(&bytes, 2, span_of("\x0a\x01x", 3));
	put_field(&bytes, 4000, span_of("\xff\xff\xff", 3));
	assert_int_equal(proto_unpack(&arena, &wa__cert_chain__descriptor, buf_span(&bytes), &out), 0);
	assert_int_equal(((Wa__CertChain *)out)->intermediate->details.len, 1);
	assert_null(((Wa__CertChain *)out)->leaf);
	arena_free(&arena);
	buf_free(&bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_deep_nesting),
		cmocka_unit_test(refuses_endless_merging_and_fields),
		cmocka_unit_test(refuses_broken_ones),
		cmocka_unit_test(skips_what_it_does_not_know),
	};

	return cmocka_run_group_tests_name("proto_scan", tests, NULL, NULL);
}
