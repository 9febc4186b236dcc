/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading members of JSON vector files in unit tests; everything that is missing fails the test. */
#ifndef TESTS_VECTOR_H
#define TESTS_VECTOR_H

#include <json-c/json.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "common/buf.h"

static inline struct json_object *vector_file(const char *path)
{
	struct json_object *root = json_object_from_file(path);

	assert_non_null(root);
	return root;
}

static inline const char *vector_text(struct json_object *object, const char *name)
{
	struct json_object *value = NULL;

	assert_true(json_object_object_get_ex(object, name, &value));
	return json_object_get_string(value);
}

/* Appends the bytes of a member in hex. */
static inline void vector_bytes(struct json_object *object, const char *name, struct buf *out)
{
	const char *hex = vector_text(object, name);

	for (; hex[0] != '\0'; hex += 2) {
		unsigned byte = 0;

		assert_int_equal(sscanf(hex, "%2x", &byte), 1);
		buf_u8(out, (uint8_t)byte);
	}
}

#endif
