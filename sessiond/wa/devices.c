/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Device lists: records, stanzas, hashes. */
#include "sessiond/wa/devices.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/crypto/crypto.h"
#include "sessiond/wa/proto_walk.h"

#define RECORD_VERSION 1
#define HASH_BYTES 6

static void record_name(const struct jid *user, char out[JID_TEXT_MAX])
{
	struct jid bare = jid_bare(user);

	if (bare.server == JID_SERVER_HOSTED)
		bare.server = JID_SERVER_PN;
	else if (bare.server == JID_SERVER_HOSTED_LID)
		bare.server = JID_SERVER_LID;
	jid_format(&bare, out, JID_TEXT_MAX);
}

void wa_devices_keys(struct state_keys *keys, const struct jid *user)
{
	char name[JID_TEXT_MAX];

	record_name(user, name);
	state_keys_add(keys, WA_RECORD_DEVICES, name);
}

bool wa_devices_fetched(const struct state_op *op, const struct jid *user)
{
	char name[JID_TEXT_MAX];

	record_name(user, name);
	return state_op_has_fetched(op, WA_RECORD_DEVICES, name);
}

bool wa_devices_load(struct state_op *op, const struct jid *user, struct device_list *list)
{
	char name[JID_TEXT_MAX];
	struct span value;
	struct reader r;
	size_t n;

	*list = (struct device_list){ 0 };
	record_name(user, name);
	if (!state_op_get(op, WA_RECORD_DEVICES, name, &value))
		return false;
	r = reader_of(value.p, value.n);
	if (read_u8(&r) != RECORD_VERSION)
		return false;
	list->fetched_ms = (int64_t)read_be64(&r);
	list->raw_id = read_be32(&r);
	list->adv_time = read_be64(&r);
	n = read_be16(&r);
	for (size_t i = 0; i < n && i < LIMIT_WA_DEVICES_PER_USER; i++) {
		list->devices[i].id = read_be16(&r);
		list->devices[i].key_index = read_be32(&r);
		list->devices[i].hosted = read_u8(&r) != 0;
		list->n = i + 1;
	}
	return r.ok && list->n > 0;
}

void wa_devices_store(struct state_op *op, const struct jid *user, const struct device_list *list)
{
	char name[JID_TEXT_MAX];
	struct buf value = { 0 };

	buf_u8(&value, RECORD_VERSION);
	buf_be64(&value, (uint64_t)list->fetched_ms);
	buf_be32(&value, list->raw_id);
	buf_be64(&value, list->adv_time);
	buf_be16(&value, (uint16_t)list->n);
	for (size_t i = 0; i < list->n; i++) {
		buf_be16(&value, list->devices[i].id);
		buf_be32(&value, list->devices[i].key_index);
		buf_u8(&value, list->devices[i].hosted);
	}
	record_name(user, name);
	state_op_put(op, WA_RECORD_DEVICES, name, buf_span(&value));
	buf_free(&value);
}

bool wa_devices_same(const struct device_list *a, const struct device_list *b)
{
	for (size_t i = 0; a->n == b->n && i < a->n; i++)
		if (a->devices[i].id != b->devices[i].id || a->devices[i].hosted != b->devices[i].hosted)
			return false;
	return a->n == b->n;
}

void wa_devices_forget(struct state_op *op, const struct jid *user)
{
	char name[JID_TEXT_MAX];

	record_name(user, name);
	state_op_delete(op, WA_RECORD_DEVICES, name);
	state_op_outdate(op, WA_RECORD_DEVICES);
}

/* ---- the signed key index list ---- */

struct key_indexes {
	bool known;
	uint32_t raw_id, current;
	uint64_t time;
	struct span valid[2]; /* packed, and the message itself for unpacked entries */
};

enum { SIGNED_DETAILS = 1 };
enum { LIST_RAW_ID = 1, LIST_TIME = 2, LIST_CURRENT = 3, LIST_VALID = 4 };

static void read_key_indexes(struct span signed_list, struct key_indexes *out)
{
	struct span details;
	struct reader r;
	struct proto_field f;

	*out = (struct key_indexes){ 0 };
	if (!proto_find(signed_list, SIGNED_DETAILS, &details))
		return;
	r = reader_of(details.p, details.n);
	while (proto_next(&r, &f)) {
		if (f.number == LIST_RAW_ID && f.wire == PROTO_VARINT)
			out->raw_id = (uint32_t)f.value;
		else if (f.number == LIST_TIME && f.wire == PROTO_VARINT)
			out->time = f.value;
		else if (f.number == LIST_CURRENT && f.wire == PROTO_VARINT)
			out->current = (uint32_t)f.value;
		else if (f.number == LIST_VALID && f.wire == PROTO_BYTES)
			out->valid[0] = f.bytes;
	}
	out->valid[1] = details;
	out->known = r.ok;
}

static bool index_is_valid(const struct key_indexes *k, uint32_t index)
{
	struct reader packed = reader_of(k->valid[0].p, k->valid[0].n);
	struct reader plain = reader_of(k->valid[1].p, k->valid[1].n);
	struct proto_field f;

	if (!k->known || index > k->current)
		return true;
	while (packed.ok && packed.left > 0)
		if (proto_varint(&packed) == index && packed.ok)
			return true;
	while (proto_next(&plain, &f))
		if (f.number == LIST_VALID && f.wire == PROTO_VARINT && f.value == index)
			return true;
	return false;
}

/* ---- stanzas ---- */

static bool parse_device(const struct wa_node *node, const struct key_indexes *indexes, struct device_entry *out)
{
	uint64_t id;
	uint64_t index = 0;
	const char *hosted = wa_node_get(node, "is_hosted");

	if (!wa_node_is(node, "device") || !wa_node_get_u64(node, "id", &id) || id > UINT16_MAX)
		return false;
	wa_node_get_u64(node, "key-index", &index);
	*out = (struct device_entry){ .id = (uint16_t)id, .key_index = (uint32_t)index,
				      .hosted = hosted != NULL && strcmp(hosted, "true") == 0 };
	/* The server refuses messages to a companion without key index. */
	return id == 0 || (index != 0 && index <= UINT32_MAX && index_is_valid(indexes, (uint32_t)index));
}

bool wa_devices_parse(const struct wa_node *devices, struct device_list *list)
{
	const struct wa_node *entries = wa_node_child(devices, "device-list");
	struct key_indexes indexes;

	*list = (struct device_list){ 0 };
	if (entries == NULL || wa_node_child(devices, "error") != NULL)
		return false;
	read_key_indexes(wa_node_child_content(devices, "key-index-list"), &indexes);
	list->raw_id = indexes.raw_id;
	list->adv_time = indexes.time;
	for (size_t i = 0; i < entries->nnodes && list->n < LIMIT_WA_DEVICES_PER_USER; i++)
		if (parse_device(entries->nodes[i], &indexes, &list->devices[list->n]))
			list->n++;
	return list->n > 0;
}

struct jid wa_device_jid(const struct jid *user, const struct device_entry *device)
{
	struct jid jid = jid_with_device(user, device->id);

	if (device->hosted && jid.server == JID_SERVER_PN)
		jid.server = JID_SERVER_HOSTED;
	else if (device->hosted && jid.server == JID_SERVER_LID)
		jid.server = JID_SERVER_HOSTED_LID;
	return jid;
}

/* ---- hash ---- */

static void hash_text(const struct jid *jid, char out[JID_TEXT_MAX])
{
	snprintf(out, JID_TEXT_MAX, "%s.0:%u@%s", jid->user, (unsigned)jid->device, jid_server_name(jid->server));
}

static int compare_hash_text(const void *a, const void *b)
{
	char left[JID_TEXT_MAX];
	char right[JID_TEXT_MAX];

	hash_text(a, left);
	hash_text(b, right);
	return strcmp(left, right);
}

void wa_devices_hash(struct jid *devices, size_t n, char out[DEVICES_HASH_MAX])
{
	struct buf text = { 0 };
	char one[JID_TEXT_MAX];
	uint8_t digest[CRYPTO_SHA256_LEN] = { 0 };
	char base64[CRYPTO_BASE64_ROOM(HASH_BYTES)];

	if (n > 1)
		qsort(devices, n, sizeof *devices, compare_hash_text);
	for (size_t i = 0; i < n; i++) {
		hash_text(&devices[i], one);
		buf_append_text(&text, one);
	}
	crypto_sha256(text.data, text.len, digest);
	crypto_base64(CRYPTO_BASE64, digest, HASH_BYTES, base64);
	snprintf(out, DEVICES_HASH_MAX, "2:%s", base64);
	buf_free(&text);
}
