/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bytes in JSON, and records in the file for the daemon. */
#include <string.h>

#include "sessiond/crypto/crypto.h"
#include "sessiond/import/import.h"

static bool take_text(struct json_object *value, struct buf *out)
{
	const char *text = json_object_get_string(value);
	size_t n = (size_t)json_object_get_string_len(value);
	size_t got;

	if (crypto_unbase64(text, n, buf_reserve(out, n / 4 * 3 + 3), &got))
		return false;
	buf_commit(out, got);
	return true;
}

static bool take_numbers(struct json_object *value, struct buf *out)
{
	size_t n = json_object_array_length(value);

	for (size_t i = 0; i < n; i++) {
		struct json_object *one = json_object_array_get_idx(value, i);

		if (!json_object_is_type(one, json_type_int) || json_object_get_int64(one) < 0 || json_object_get_int64(one) > 255)
			return false;
		buf_u8(out, (uint8_t)json_object_get_int64(one));
	}
	return true;
}

bool import_bytes(struct json_object *value, size_t len, struct buf *out)
{
	size_t before = out->len;
	struct json_object *data = value;
	bool ok = false;

	if (json_object_is_type(value, json_type_object))
		json_object_object_get_ex(value, "data", &data);
	if (json_object_is_type(data, json_type_string))
		ok = take_text(data, out);
	else if (json_object_is_type(data, json_type_array))
		ok = take_numbers(data, out);
	return ok && (len == 0 || out->len - before == len);
}

void import_put(struct imported *out, enum wa_record_kind kind, const char *name, struct span value)
{
	struct buf *b = &out->records;

	if (b->len == 0)
		buf_append_text(b, IMPORT_MAGIC);
	buf_u8(b, (uint8_t)kind);
	buf_be16(b, (uint16_t)strlen(name));
	buf_append_text(b, name);
	buf_be32(b, (uint32_t)value.n);
	buf_append_span(b, value);
}
