/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Walks serialized messages by table. */
#include "sessiond/session/message_json.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sessiond/json_text.h"

enum {
	MAX_DEPTH = 24,
	MAX_TABLE = 128,           /* fields of one message kind; the largest has fewer */
	MAX_OUTPUT = 8 << 20
};

struct walk {
	struct buf *out;
	unsigned depth;
	bool ok;
	const uint8_t *moved; /* the submessage whose file lies elsewhere; NULL: none */
	const char *url;      /* where it lies */
};

/* ---- wire ---- */

static uint64_t read_varint(struct reader *r)
{
	uint64_t value = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		uint8_t byte = read_u8(r);

		value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return value;
	}
	r->ok = false;
	return 0;
}

static uint64_t read_little(struct reader *r, unsigned bytes)
{
	struct span s = read_span(r, bytes);
	uint64_t value = 0;

	for (unsigned i = 0; i < s.n; i++)
		value |= (uint64_t)s.p[i] << (8 * i);
	return value;
}

bool wire_next(struct reader *reader, struct wire_field *field)
{
	uint64_t key;

	if (!reader->ok || reader->left == 0)
		return false;
	key = read_varint(reader);
	*field = (struct wire_field){ .number = (uint32_t)(key >> 3), .type = (unsigned)(key & 7) };
	if (key >> 35 || field->number == 0)
		reader->ok = false;
	else if (field->type == 0)
		field->value = read_varint(reader);
	else if (field->type == 1)
		field->value = read_little(reader, 8);
	else if (field->type == 5)
		field->value = read_little(reader, 4);
	else if (field->type == 2) {
		uint64_t n = read_varint(reader);

		if (n > reader->left)
			reader->ok = false;
		else
			field->bytes = read_span(reader, (size_t)n);
	} else {
		reader->ok = false;
	}
	return reader->ok;
}

/* ---- looking ---- */

const struct schema_field *message_field(unsigned schema, uint32_t number)
{
	const struct schema_range *range = &schema_messages[schema];
	size_t low = range->first;
	size_t high = low + range->count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (schema_fields[middle].number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low < (size_t)range->first + range->count && schema_fields[low].number == number ? &schema_fields[low] : NULL;
}

static const struct schema_field *field_named(unsigned schema, const char *name)
{
	const struct schema_range *range = &schema_messages[schema];

	for (size_t i = range->first; i < (size_t)range->first + range->count; i++) {
		if (strcmp(schema_fields[i].name, name) == 0)
			return &schema_fields[i];
	}
	return NULL;
}

bool message_find(const struct message_part *part, const char *name, struct wire_field *field)
{
	const struct schema_field *wanted = part->bytes.p ? field_named(part->schema, name) : NULL;
	struct reader r = reader_of(part->bytes.p, part->bytes.n);
	struct wire_field f;
	bool found = false;

	while (wanted && wire_next(&r, &f)) {
		if (f.number == wanted->number) {
			*field = f;
			found = true;
		}
	}
	return found;
}

struct span message_text(const struct message_part *part, const char *name)
{
	struct wire_field f;

	return message_find(part, name, &f) && f.type == 2 ? f.bytes : span_of(NULL, 0);
}

struct message_part message_sub(const struct message_part *part, const char *name)
{
	const struct schema_field *field = field_named(part->schema, name);
	struct message_part sub = { .bytes = span_of(NULL, 0), .schema = 0 };

	if (!field || field->kind != SCHEMA_MSG)
		return sub;
	sub.schema = field->sub;
	sub.bytes = message_text(part, name);
	/* An empty submessage is there all the same. */
	if (!sub.bytes.p) {
		struct wire_field f;

		if (message_find(part, name, &f) && f.type == 2)
			sub.bytes = span_of("", 0);
	}
	return sub;
}

/* ---- printing ---- */

static void put_message(struct walk *w, const struct message_part *part);

static void put_enum(struct buf *out, unsigned which, int32_t value)
{
	const struct schema_range *range = &schema_enums[which];

	for (size_t i = range->first; i < (size_t)range->first + range->count; i++) {
		if (schema_values[i].value == value) {
			json_put_string(out, schema_values[i].name);
			return;
		}
	}
	buf_printf(out, "%" PRId32, value);
}

static int64_t zigzag(uint64_t value)
{
	return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

static void put_real(struct buf *out, double value)
{
	char text[40];

	/* the shortest form that reads back as the same number; JSON has no infinities */
	for (int digits = 6; digits <= 17; digits++) {
		double back;

		snprintf(text, sizeof text, "%.*g", digits, value);
		back = strtod(text, NULL);
		if (!(back < value) && !(back > value))
			break;
	}
	buf_append_text(out, isfinite(value) ? text : "null");
}

static void put_number(struct buf *out, const struct schema_field *field, uint64_t value)
{
	union {
		uint64_t bits64;
		uint32_t bits32;
		double real;
		float small;
	} u = { .bits64 = value };

	switch ((enum schema_kind)field->kind) {
	case SCHEMA_BOO:
		buf_append_text(out, value ? "true" : "false");
		break;
	case SCHEMA_I32:
	case SCHEMA_G32:
		buf_printf(out, "%" PRId32, (int32_t)(uint32_t)value);
		break;
	case SCHEMA_S32:
		buf_printf(out, "%" PRId32, (int32_t)zigzag(value));
		break;
	case SCHEMA_U32:
	case SCHEMA_F32:
		buf_printf(out, "%" PRIu32, (uint32_t)value);
		break;
	case SCHEMA_I64:
	case SCHEMA_G64:
		buf_printf(out, "\"%" PRId64 "\"", (int64_t)value);
		break;
	case SCHEMA_S64:
		buf_printf(out, "\"%" PRId64 "\"", zigzag(value));
		break;
	case SCHEMA_U64:
	case SCHEMA_F64:
		buf_printf(out, "\"%" PRIu64 "\"", value);
		break;
	case SCHEMA_ENU:
		put_enum(out, field->sub, (int32_t)(uint32_t)value);
		break;
	case SCHEMA_DBL:
		put_real(out, u.real);
		break;
	case SCHEMA_FLT:
		u.bits32 = (uint32_t)value;
		put_real(out, (double)u.small);
		break;
	case SCHEMA_STR:
	case SCHEMA_BYT:
	case SCHEMA_MSG:
		buf_append_text(out, "null");
		break;
	}
}

static unsigned wire_type_of(const struct schema_field *field)
{
	switch ((enum schema_kind)field->kind) {
	case SCHEMA_STR:
	case SCHEMA_BYT:
	case SCHEMA_MSG:
		return 2;
	case SCHEMA_F32:
	case SCHEMA_G32:
	case SCHEMA_FLT:
		return 5;
	case SCHEMA_F64:
	case SCHEMA_G64:
	case SCHEMA_DBL:
		return 1;
	default:
		return 0;
	}
}

static void put_value(struct walk *w, const struct schema_field *field, const struct wire_field *f)
{
	const struct message_part sub = { .bytes = f->bytes.p ? f->bytes : span_of("", 0), .schema = field->sub };

	if (field->kind == SCHEMA_MSG)
		put_message(w, &sub);
	else if (field->kind == SCHEMA_STR)
		json_put_span(w->out, f->bytes);
	else if (field->kind == SCHEMA_BYT)
		json_put_base64(w->out, f->bytes);
	else
		put_number(w->out, field, f->value);
}

/* Packed numbers: several values in one field. */
static void put_packed(struct walk *w, const struct schema_field *field, struct span bytes, bool *first)
{
	struct reader r = reader_of(bytes.p, bytes.n);
	unsigned type = wire_type_of(field);

	while (r.ok && r.left > 0) {
		uint64_t value = type == 0 ? read_varint(&r) : read_little(&r, type == 1 ? 8 : 4);

		if (!r.ok)
			break;
		if (!*first)
			buf_u8(w->out, ',');
		put_number(w->out, field, value);
		*first = false;
	}
	w->ok = w->ok && r.ok;
}

/* All occurrences from here on, as an array. */
static void put_array(struct walk *w, const struct schema_field *field, struct reader rest, const struct wire_field *head)
{
	struct wire_field f = *head;
	bool first = true;

	buf_u8(w->out, '[');
	do {
		if (f.number != field->number)
			continue;
		if (f.type == 2 && wire_type_of(field) != 2) {
			put_packed(w, field, f.bytes, &first);
		} else if (f.type == wire_type_of(field)) {
			if (!first)
				buf_u8(w->out, ',');
			put_value(w, field, &f);
			first = false;
		}
	} while (w->ok && wire_next(&rest, &f));
	buf_u8(w->out, ']');
}

/* In a message whose file lies elsewhere: true if the field was dealt with. */
static bool put_moved(struct walk *w, const struct message_part *part, const struct schema_field *field, bool *first)
{
	bool path = strcmp(field->name, "directPath") == 0;

	if (w->moved == NULL || part->bytes.p != w->moved || (!path && strcmp(field->name, "url") != 0))
		return false;
	/* Without an address of its own it stands where the path was. */
	if (path && message_text(part, "url").p)
		return true;
	if (!*first)
		buf_u8(w->out, ',');
	*first = false;
	json_put_string(w->out, "url");
	buf_u8(w->out, ':');
	json_put_string(w->out, w->url);
	return true;
}

/* Fields in the order of the wire; of a repeated one the first place counts, of a doubled one the last value. */
static void put_message(struct walk *w, const struct message_part *part)
{
	uint16_t counts[MAX_TABLE] = { 0 };
	const struct schema_range *range = &schema_messages[part->schema];
	struct reader r = reader_of(part->bytes.p, part->bytes.n);
	struct wire_field f;
	bool first = true;

	if (++w->depth > MAX_DEPTH || w->out->len > MAX_OUTPUT || range->count > MAX_TABLE)
		w->ok = false;
	while (w->ok && wire_next(&r, &f)) {
		const struct schema_field *field = message_field(part->schema, f.number);

		if (field && counts[field - &schema_fields[range->first]] < UINT16_MAX)
			counts[field - &schema_fields[range->first]]++;
	}
	w->ok = w->ok && r.ok;
	r = reader_of(part->bytes.p, part->bytes.n);
	buf_u8(w->out, '{');
	while (w->ok && wire_next(&r, &f)) {
		const struct schema_field *field = message_field(part->schema, f.number);
		uint16_t *count = field ? &counts[field - &schema_fields[range->first]] : NULL;

		if (!field || *count == 0 || (!field->repeated && (--*count > 0 || f.type != wire_type_of(field))))
			continue;
		*count = 0;
		if (put_moved(w, part, field, &first))
			continue;
		if (!first)
			buf_u8(w->out, ',');
		first = false;
		json_put_string(w->out, field->name);
		buf_u8(w->out, ':');
		if (field->repeated)
			put_array(w, field, r, &f);
		else
			put_value(w, field, &f);
	}
	buf_u8(w->out, '}');
	w->depth--;
}

bool message_json(struct buf *out, const struct message_part *part)
{
	struct walk w = { .out = out, .ok = true };
	size_t before = out->len;

	put_message(&w, part);
	if (!w.ok)
		out->len = before;
	return w.ok;
}

bool message_json_moved(struct buf *out, const struct message_part *part, const struct message_part *media, const char *url)
{
	struct walk w = { .out = out, .ok = true, .moved = media->bytes.p, .url = url };
	size_t before = out->len;

	put_message(&w, part);
	if (!w.ok)
		out->len = before;
	return w.ok;
}

bool message_json_field(struct buf *out, const struct message_part *part, const char *name)
{
	const struct schema_field *field = field_named(part->schema, name);
	struct walk w = { .out = out, .ok = true };
	size_t before = out->len;
	struct wire_field f;

	if (!field || !message_find(part, name, &f))
		return false;
	put_value(&w, field, &f);
	if (!w.ok)
		out->len = before;
	return w.ok;
}
