/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tables of the message format, for turning any message into JSON. Private to sessiond/session. */
#ifndef SESSIOND_SESSION_MESSAGE_SCHEMA_H
#define SESSIOND_SESSION_MESSAGE_SCHEMA_H

#include <stdbool.h>
#include <stdint.h>

enum schema_kind {
	SCHEMA_STR, SCHEMA_BYT, SCHEMA_BOO, SCHEMA_I32, SCHEMA_U32, SCHEMA_S32, SCHEMA_I64, SCHEMA_U64, SCHEMA_S64,
	SCHEMA_F32, SCHEMA_G32, SCHEMA_F64, SCHEMA_G64, SCHEMA_FLT, SCHEMA_DBL, SCHEMA_ENU, SCHEMA_MSG
};

struct schema_field {
	uint16_t number;
	uint8_t kind;     /* enum schema_kind */
	bool repeated;
	uint16_t sub;     /* MSG: index in schema_messages; ENU: in schema_enums */
	const char *name; /* as in JSON */
};

/* A run of schema_fields or schema_values. */
struct schema_range {
	uint16_t first, count;
};

struct schema_value {
	int32_t value;
	const char *name;
};

extern const struct schema_field schema_fields[];
extern const struct schema_range schema_messages[];
extern const struct schema_value schema_values[];
extern const struct schema_range schema_enums[];

#endif
