/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Serialized messages as JSON, the way protobufjs prints them (webhooks.md 4.0): bytes as base64, 64-bit integers as decimal text,
 * enums by name, unset fields left out, repeated fields as arrays. Driven by the tables of message_schema.h; unknown fields are left
 * out. Also the means to look into a message without unpacking it. Pure; any thread. Private to sessiond/session.
 */
#ifndef SESSIOND_SESSION_MESSAGE_JSON_H
#define SESSIOND_SESSION_MESSAGE_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "sessiond/session/message_schema.h"

/* One field as it stands on the wire. */
struct wire_field {
	uint32_t number;
	unsigned type;     /* 0 varint, 1 64 bit, 2 bytes, 5 32 bit */
	uint64_t value;    /* types 0, 1, 5 */
	struct span bytes; /* type 2 */
};

/* The next field. False at the end; at a malformed field too, then reader->ok is false. */
bool wire_next(struct reader *reader, struct wire_field *field);

/* A (sub)message: its bytes and which table describes it (index in schema_messages; 0: Message). */
struct message_part {
	struct span bytes;
	unsigned schema;
};

/* The field of that name; its last occurrence counts. False if it is absent. */
bool message_find(const struct message_part *part, const char *name, struct wire_field *field);
/* A text field; an empty span with p NULL if it is absent. */
struct span message_text(const struct message_part *part, const char *name);
/* A submessage; bytes.p NULL if it is absent. */
struct message_part message_sub(const struct message_part *part, const char *name);
/* The schema's entry of a field, NULL if it is unknown. */
const struct schema_field *message_field(unsigned schema, uint32_t number);

/* Appends the part as a JSON object. False: malformed, nested too deeply or too large; out is as before then. */
bool message_json(struct buf *out, const struct message_part *part);
/* The same, but where the submessage `media` (a part inside it, its bytes) stands, its "url" is this one and its "directPath" is left out. */
bool message_json_moved(struct buf *out, const struct message_part *part, const struct message_part *media, const char *url);
/* Appends one field's value. False as above. */
bool message_json_field(struct buf *out, const struct message_part *part, const char *name);

#endif
