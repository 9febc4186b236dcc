/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A flat protobuf reader for records and messages that are looked at without being unpacked. */
#include "sessiond/wa/proto_walk.h"

#include <string.h>

#define VARINT_BYTES_MAX 10

uint64_t proto_varint(struct reader *r)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < VARINT_BYTES_MAX; i++) {
		uint8_t byte = read_u8(r);

		if (!r->ok)
			return 0;
		value |= (uint64_t)(byte & 0x7f) << (7 * i);
		if ((byte & 0x80) == 0)
			return value;
	}
	r->ok = false;
	return 0;
}

static uint64_t read_little_endian(struct reader *r, size_t n)
{
	struct span bytes = read_span(r, n);
	uint64_t value = 0;

	for (size_t i = bytes.n; i > 0; i--)
		value = value << 8 | bytes.p[i - 1];
	return value;
}

static void read_value(struct reader *r, struct proto_field *f)
{
	uint64_t n;

	switch (f->wire) {
	case PROTO_VARINT:
		f->value = proto_varint(r);
		break;
	case PROTO_FIXED64:
		f->value = read_little_endian(r, 8);
		break;
	case PROTO_FIXED32:
		f->value = read_little_endian(r, 4);
		break;
	case PROTO_BYTES:
		n = proto_varint(r);
		if (n > r->left)
			r->ok = false;
		else
			f->bytes = read_span(r, (size_t)n);
		break;
	default:
		r->ok = false;
		break;
	}
}

bool proto_next(struct reader *r, struct proto_field *f)
{
	const uint8_t *start = r->p;
	uint64_t tag;

	*f = (struct proto_field){ 0 };
	if (!r->ok || r->left == 0)
		return false;
	tag = proto_varint(r);
	if (tag >> 3 == 0 || tag >> 3 > UINT32_MAX >> 3)
		r->ok = false;
	if (!r->ok)
		return false;
	f->number = (uint32_t)(tag >> 3);
	f->wire = (enum proto_wire)(tag & 7);
	read_value(r, f);
	if (!r->ok)
		return false;
	f->raw = span_of(start, (size_t)(r->p - start));
	return true;
}

bool proto_find(struct span message, uint32_t number, struct span *bytes)
{
	struct reader r = reader_of(message.p, message.n);
	struct proto_field f;
	bool found = false;

	while (proto_next(&r, &f)) {
		if (f.number == number && f.wire == PROTO_BYTES) {
			*bytes = f.bytes;
			found = true;
		}
	}
	return found && r.ok;
}

void proto_put_varint(struct buf *out, uint64_t value)
{
	while (value >= 0x80) {
		buf_u8(out, (uint8_t)(value | 0x80));
		value >>= 7;
	}
	buf_u8(out, (uint8_t)value);
}

void proto_put_bytes(struct buf *out, uint32_t number, struct span bytes)
{
	proto_put_varint(out, (uint64_t)number << 3 | PROTO_BYTES);
	proto_put_varint(out, bytes.n);
	buf_append_span(out, bytes);
}

void proto_put_uint(struct buf *out, uint32_t number, uint64_t value)
{
	proto_put_varint(out, (uint64_t)number << 3 | PROTO_VARINT);
	proto_put_varint(out, value);
}

void proto_put_text(struct buf *out, uint32_t number, const char *text)
{
	if (text)
		proto_put_bytes(out, number, span_text(text));
}

/* Fixed fields are little-endian. */
static void put_fixed(struct buf *out, uint64_t bits, int bytes)
{
	for (int i = 0; i < bytes; i++)
		buf_u8(out, (uint8_t)(bits >> (8 * i)));
}

void proto_put_double(struct buf *out, uint32_t number, double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof bits);
	proto_put_varint(out, (uint64_t)number << 3 | PROTO_FIXED64);
	put_fixed(out, bits, 8);
}

void proto_put_fixed32(struct buf *out, uint32_t number, uint32_t value)
{
	proto_put_varint(out, (uint64_t)number << 3 | PROTO_FIXED32);
	put_fixed(out, value, 4);
}

void proto_put_float(struct buf *out, uint32_t number, float value)
{
	uint32_t bits;

	memcpy(&bits, &value, sizeof bits);
	proto_put_fixed32(out, number, bits);
}
