/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Looking at the outer fields of a protobuf without unpacking it: flat, no recursion, no allocation.
 *
 *     field = varint(number << 3 | wire) value        wire 0 varint, 1 eight bytes, 2 length + bytes, 5 four bytes
 */
#ifndef WA_PROTO_WALK_H
#define WA_PROTO_WALK_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"

enum proto_wire { PROTO_VARINT = 0, PROTO_FIXED64 = 1, PROTO_BYTES = 2, PROTO_FIXED32 = 5 };

struct proto_field {
	uint32_t number;
	enum proto_wire wire;
	uint64_t value;    /* varints and fixed fields */
	struct span bytes; /* PROTO_BYTES: the content, borrowed */
	struct span raw;   /* the whole field with its tag, borrowed */
};

/* One varint; 0 with r->ok false if it is malformed. */
uint64_t proto_varint(struct reader *r);
/* The next field; false at the end, and at the first malformed byte (then r->ok is false). */
bool proto_next(struct reader *r, struct proto_field *f);
/* The last occurrence of a length-delimited field, as protobuf merges scalars; false if there is none or the bytes are malformed. */
bool proto_find(struct span message, uint32_t number, struct span *bytes);
void proto_put_varint(struct buf *out, uint64_t value);
void proto_put_bytes(struct buf *out, uint32_t number, struct span bytes);
/* A varint field. */
void proto_put_uint(struct buf *out, uint32_t number, uint64_t value);
/* A string field; nothing if text is NULL. */
void proto_put_text(struct buf *out, uint32_t number, const char *text);
void proto_put_double(struct buf *out, uint32_t number, double value);
/* A fixed32 field. */
void proto_put_fixed32(struct buf *out, uint32_t number, uint32_t value);
void proto_put_float(struct buf *out, uint32_t number, float value);

#endif
