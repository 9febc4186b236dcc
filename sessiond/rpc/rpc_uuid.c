/* SPDX-License-Identifier: GPL-3.0-or-later */
/* misc.uuid.generate, misc.uuid.validate (contract rest-b 5.7; RFC 9562). */
#include <string.h>

#include "common/ulid.h"
#include "sessiond/crypto/crypto.h"
#include "sessiond/crypto/named.h"
#include "sessiond/daemon.h"
#include "sessiond/json_text.h"
#include "sessiond/rpc/request.h"

enum { UUID_LEN = 16, UUID_TEXT = 36 };

/* 100 ns between 1582-10-15 and 1970-01-01. */
#define GREGORIAN_OFFSET UINT64_C(0x01B21DD213814000)

/* ---- UUIDs ---- */

static int uuid_read(const char *text, uint8_t out[UUID_LEN])
{
	size_t n = 0;

	if (strlen(text) != UUID_TEXT)
		return -1;
	for (size_t i = 0; i < UUID_TEXT;) {
		if (i == 8 || i == 13 || i == 18 || i == 23) {
			if (text[i++] != '-')
				return -1;
			continue;
		}
		if (crypto_unhex(text + i, 2, &out[n++], 1))
			return -1;
		i += 2;
	}
	return 0;
}

static void uuid_put(struct buf *out, const uint8_t uuid[UUID_LEN])
{
	char hex[2 * UUID_LEN + 1];

	crypto_hex(uuid, UUID_LEN, hex);
	buf_printf(out, "\"%.8s-%.4s-%.4s-%.4s-%.12s\"", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

static void set_version(uint8_t uuid[UUID_LEN], unsigned version)
{
	uuid[6] = (uint8_t)((uuid[6] & 0x0f) | version << 4);
	uuid[8] = (uint8_t)((uuid[8] & 0x3f) | 0x80);
}

/* Time, then random bits for clock sequence and node (with the multicast bit: no address of a card). */
static void uuid_v1(uint8_t uuid[UUID_LEN], unsigned nth)
{
	uint64_t t = (uint64_t)timefmt_now_ms() * 10000 + GREGORIAN_OFFSET + nth;

	crypto_random(uuid, UUID_LEN);
	for (size_t i = 0; i < 4; i++)
		uuid[i] = (uint8_t)(t >> (24 - 8 * i));
	uuid[4] = (uint8_t)(t >> 40);
	uuid[5] = (uint8_t)(t >> 32);
	uuid[6] = (uint8_t)(t >> 56);
	uuid[7] = (uint8_t)(t >> 48);
	uuid[10] |= 1;
	set_version(uuid, 1);
}

/* v3: MD5, v5: SHA-1, of namespace and name. */
static int uuid_named(uint8_t uuid[UUID_LEN], unsigned version, const uint8_t namespace[UUID_LEN], const char *name)
{
	struct named_digest *d = named_digest_new(version == 3 ? "md5" : "sha1", NULL, 0);
	uint8_t digest[NAMED_DIGEST_MAX];
	bool ok = d && !named_digest_update(d, namespace, UUID_LEN) && !named_digest_update(d, name, strlen(name)) && named_digest_end(d, digest) >= UUID_LEN;

	named_digest_free(d);
	if (!ok)
		return -1;
	memcpy(uuid, digest, UUID_LEN);
	set_version(uuid, version);
	return 0;
}

/* ---- generate ---- */

/* Each x of the mask is the next character, nothing after the last one. */
static void put_ulid(struct buf *out, const char *mask)
{
	char ulid[ULID_LENGTH + 1];
	struct buf text = { 0 };
	size_t next = 0;

	ulid_new(ulid);
	if (!mask || !mask[0]) {
		json_put_string(out, ulid);
		return;
	}
	for (const char *c = mask; *c; c++) {
		if (*c != 'x' && *c != 'X')
			buf_u8(&text, (uint8_t)*c);
		else if (next < ULID_LENGTH)
			buf_u8(&text, (uint8_t)ulid[next++]);
	}
	json_put_span(out, buf_span(&text));
	buf_free(&text);
}

static void put_uuid(struct buf *out, unsigned version, unsigned nth, const uint8_t *named)
{
	uint8_t uuid[UUID_LEN] = { 0 };

	if (version == 1) {
		uuid_v1(uuid, nth);
	} else if (version == 4) {
		crypto_random(uuid, sizeof uuid);
		set_version(uuid, 4);
	} else if (named) {
		memcpy(uuid, named, sizeof uuid);
	}
	uuid_put(out, uuid);
}

/* The value of v3 and v5; false: the request is answered. */
static bool name_uuid(struct rpc_request *request, unsigned version, uint8_t uuid[UUID_LEN])
{
	const char *text = rpc_param_text(request, "namespace"), *name = rpc_param_text(request, "name");
	uint8_t namespace[UUID_LEN];

	if (!text || !text[0] || !name || !name[0])
		rpc_answer(request, 400, 2002, "namespace and name required for v3|v5", NULL);
	else if (uuid_read(text, namespace))
		rpc_answer(request, 400, 2002, "Invalid UUID", NULL);
	else if (uuid_named(uuid, version, namespace, name))
		rpc_answer(request, 500, 8000, "Internal error", NULL);
	else
		return true;
	return false;
}

static void do_generate(struct rpc_request *request)
{
	const char *type = rpc_param_text(request, "type"), *word = rpc_param_text(request, "version");
	bool ulid = type && strcmp(type, "ulid") == 0;
	unsigned version = word && strcmp(word, "nil") == 0 ? 0 : word && word[0] == 'v' ? (unsigned)(word[1] - '0') : 4;
	unsigned count = (unsigned)json_object_get_double(json_object_object_get(request->p, "count"));
	uint8_t named[UUID_LEN];
	struct buf result = { 0 };

	if (!ulid && (version == 3 || version == 5) && !name_uuid(request, version, named))
		return;
	buf_append_text(&result, "{\"data\":[");
	for (unsigned i = 0; i < count; i++) {
		if (i)
			buf_u8(&result, ',');
		if (ulid)
			put_ulid(&result, rpc_param_text(request, "format"));
		else
			put_uuid(&result, version, i, version == 3 || version == 5 ? named : NULL);
	}
	buf_append_text(&result, "]}");
	rpc_answer(request, 200, 1000, "Identifiers generated", buf_text(&result));
	buf_free(&result);
}

/* ---- validate ---- */

/* Version 0..8; -1: no UUID. */
static int version_of(const char *text)
{
	static const uint8_t nil[UUID_LEN];
	uint8_t uuid[UUID_LEN];
	int version;

	if (uuid_read(text, uuid))
		return -1;
	if (memcmp(uuid, nil, sizeof nil) == 0)
		return 0;
	version = uuid[6] >> 4;
	return version >= 1 && version <= 8 && (uuid[8] & 0xc0) == 0x80 ? version : -1;
}

static void do_validate(struct rpc_request *request)
{
	const char *type = rpc_param_text(request, "type"), *value = rpc_param_text(request, "value");
	bool ulid = type && strcmp(type, "ulid") == 0;
	int version = ulid ? -1 : version_of(value);
	char name[8] = "v0";
	struct buf result = { 0 };

	if (version >= 0)
		name[1] = (char)('0' + version);
	buf_append_text(&result, "{\"data\":{");
	json_put_bool(&result, "isValid", ulid ? strlen(value) == ULID_LENGTH && ulid_parse(value, NULL) : version >= 0);
	json_put_member(&result, "type", ulid ? "ulid" : "uuid");
	json_put_member(&result, "version", version >= 0 ? name : NULL);
	buf_append_text(&result, "}}");
	rpc_answer(request, 200, 1000, "Validation complete", buf_text(&result));
	buf_free(&result);
}

const struct rpc_method rpc_uuid_methods[] = {
	{ "misc.uuid.generate", do_generate },
	{ "misc.uuid.validate", do_validate },
	{ NULL, NULL },
};
