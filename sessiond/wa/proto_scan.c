/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bounded unpacking of foreign protobufs, see proto_scan.h. */
#include "sessiond/wa/proto_scan.h"

#include <stdlib.h>
#include <string.h>

#include "common/limits.h"

/* protobuf-c merges repeated occurrences of a single submessage, copying what came before each time. */
#define MERGES_MAX 16U
#define SEEN_FIELDS 256U

enum wire_type { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };

/* A message that is being walked: fields up to `end`. */
struct level {
	const ProtobufCMessageDescriptor *descriptor;
	const uint8_t *end;
	uint32_t seen[SEEN_FIELDS / 32]; /* single submessages by index in the descriptor */
};

struct scan {
	const uint8_t *p;
	unsigned fields, merges;
	size_t depth;
	struct level levels[LIMIT_WA_PROTO_DEPTH];
};

static bool take_varint(const uint8_t **p, const uint8_t *end, uint64_t *out)
{
	uint64_t value = 0;

	for (unsigned shift = 0; shift < 70 && *p < end; shift += 7) {
		uint8_t byte = *(*p)++;

		if (shift < 64)
			value |= (uint64_t)(byte & 0x7fU) << shift;
		if ((byte & 0x80U) == 0) {
			*out = value;
			return true;
		}
	}
	return false;
}

static const ProtobufCFieldDescriptor *find_field(const ProtobufCMessageDescriptor *descriptor, uint64_t number)
{
	return number <= UINT32_MAX ? protobuf_c_message_descriptor_get_field(descriptor, (unsigned)number) : NULL;
}

/* Enters the submessage of n bytes at s->p. */
static int enter(struct scan *s, const ProtobufCFieldDescriptor *field, size_t n)
{
	struct level *level = &s->levels[s->depth - 1];
	size_t index = (size_t)(field - level->descriptor->fields);

	if (field->label != PROTOBUF_C_LABEL_REPEATED) {
		uint32_t bit = index < SEEN_FIELDS ? 1U << (index % 32) : 0;

		/* Fields beyond the map count as seen: they only lose their first occurrence. */
		if (bit == 0 || (level->seen[index / 32] & bit) != 0) {
			if (++s->merges > MERGES_MAX)
				return PROTO_TOO_BIG;
		} else {
			level->seen[index / 32] |= bit;
		}
	}
	if (s->depth == LIMIT_WA_PROTO_DEPTH)
		return PROTO_TOO_DEEP;
	s->levels[s->depth++] = (struct level){ .descriptor = field->descriptor, .end = s->p + n };
	return 0;
}

/* One field: header and value, or header and the step into a submessage. */
static int scan_field(struct scan *s)
{
	const struct level *level = &s->levels[s->depth - 1];
	const ProtobufCFieldDescriptor *field;
	uint64_t key, n;

	if (++s->fields > LIMIT_WA_PROTO_FIELDS)
		return PROTO_TOO_BIG;
	if (!take_varint(&s->p, level->end, &key) || key >> 3 == 0)
		return PROTO_BROKEN;
	switch (key & 7U) {
	case WIRE_VARINT:
		return take_varint(&s->p, level->end, &n) ? 0 : PROTO_BROKEN;
	case WIRE_64:
		n = 8;
		break;
	case WIRE_32:
		n = 4;
		break;
	case WIRE_BYTES:
		if (!take_varint(&s->p, level->end, &n))
			return PROTO_BROKEN;
		break;
	default:
		return PROTO_BROKEN;
	}
	if (n > (uint64_t)(level->end - s->p))
		return PROTO_BROKEN;
	field = (key & 7U) == WIRE_BYTES ? find_field(level->descriptor, key >> 3) : NULL;
	if (field != NULL && field->type == PROTOBUF_C_TYPE_MESSAGE)
		return enter(s, field, (size_t)n);
	s->p += n;
	return 0;
}

int proto_scan(const ProtobufCMessageDescriptor *descriptor, struct span bytes)
{
	struct scan s = { .p = bytes.p, .depth = 1 };

	if (bytes.n == 0)
		return 0;
	s.levels[0] = (struct level){ .descriptor = descriptor, .end = bytes.p + bytes.n };
	while (s.depth > 0) {
		int error;

		if (s.p == s.levels[s.depth - 1].end) {
			s.depth--;
			continue;
		}
		error = scan_field(&s);
		if (error != 0)
			return error;
	}
	return 0;
}

struct budget {
	struct arena *arena;
	size_t left;
	bool full;
};

static void *budget_alloc(void *data, size_t size)
{
	struct budget *budget = data;
	void *p = size <= budget->left ? arena_alloc(budget->arena, size) : NULL;

	if (p == NULL)
		budget->full = true;
	else
		budget->left -= size;
	return p;
}

/* The arena frees everything at once. */
static void budget_free(void *data, void *p)
{
	(void)data;
	(void)p;
}

int proto_unpack(struct arena *arena, const ProtobufCMessageDescriptor *descriptor, struct span bytes, ProtobufCMessage **out)
{
	struct budget budget = { .arena = arena, .left = LIMIT_WA_PROTO_HEAP };
	ProtobufCAllocator allocator = { .alloc = budget_alloc, .free = budget_free, .allocator_data = &budget };
	int error = proto_scan(descriptor, bytes);

	*out = NULL;
	if (error != 0)
		return error;
	*out = protobuf_c_message_unpack(descriptor, &allocator, bytes.n, bytes.p);
	if (*out == NULL)
		return budget.full ? PROTO_TOO_BIG : PROTO_BROKEN;
	return 0;
}

void proto_pack(struct buf *out, const ProtobufCMessage *message)
{
	size_t n = protobuf_c_message_get_packed_size(message);

	if (n == 0)
		return;
	protobuf_c_message_pack(message, buf_reserve(out, n));
	buf_commit(out, n);
}
