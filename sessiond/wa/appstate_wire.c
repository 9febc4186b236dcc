/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading patches, snapshots and their entries, flat and without allocation. */
#include "common/limits.h"
#include "sessiond/wa/appstate_apply.h"
#include "sessiond/wa/proto_walk.h"

enum { PATCH_VERSION = 1, PATCH_MUTATIONS = 2, PATCH_EXTERNAL = 3, PATCH_SNAPSHOT_MAC = 4, PATCH_MAC = 5, PATCH_KEY = 6 };
enum { SNAPSHOT_VERSION = 1, SNAPSHOT_RECORDS = 2, SNAPSHOT_MAC = 3, SNAPSHOT_KEY = 4 };
enum { MUTATIONS_MUTATIONS = 1 };
enum { MUTATION_OPERATION = 1, MUTATION_RECORD = 2 };
enum { RECORD_INDEX = 1, RECORD_VALUE = 2, RECORD_KEY = 3 };
enum { BLOB_KEY = 1, BLOB_PATH = 2, BLOB_SIZE = 4, BLOB_SHA256 = 5, BLOB_ENC_SHA256 = 6 };
/* SyncdVersion, KeyId, SyncdIndex and SyncdValue have one field. */
enum { ONLY_FIELD = 1 };

static bool read_version(struct span bytes, uint64_t *version)
{
	struct reader r = reader_of(bytes.p, bytes.n);
	struct proto_field f;

	while (proto_next(&r, &f))
		if (f.number == ONLY_FIELD && f.wire == PROTO_VARINT)
			*version = f.value;
	return r.ok;
}

static void read_only_field(const struct proto_field *f, struct span *out)
{
	proto_find(f->bytes, ONLY_FIELD, out);
}

bool appstate_read_patch(struct span bytes, struct appstate_patch *out)
{
	struct reader r = reader_of(bytes.p, bytes.n);
	struct proto_field f;

	*out = (struct appstate_patch){ .bytes = bytes };
	while (proto_next(&r, &f)) {
		if (f.wire != PROTO_BYTES)
			continue;
		if (f.number == PATCH_VERSION && !read_version(f.bytes, &out->version))
			return false;
		if (f.number == PATCH_EXTERNAL)
			out->external = f.bytes;
		else if (f.number == PATCH_SNAPSHOT_MAC)
			out->snapshot_mac = f.bytes;
		else if (f.number == PATCH_MAC)
			out->mac = f.bytes;
		else if (f.number == PATCH_KEY)
			read_only_field(&f, &out->key_id);
	}
	return r.ok;
}

bool appstate_read_snapshot(struct span bytes, struct appstate_snapshot *out)
{
	struct reader r = reader_of(bytes.p, bytes.n);
	struct proto_field f;

	*out = (struct appstate_snapshot){ .bytes = bytes };
	while (proto_next(&r, &f)) {
		if (f.wire != PROTO_BYTES)
			continue;
		if (f.number == SNAPSHOT_VERSION && !read_version(f.bytes, &out->version))
			return false;
		if (f.number == SNAPSHOT_MAC)
			out->mac = f.bytes;
		else if (f.number == SNAPSHOT_KEY)
			read_only_field(&f, &out->key_id);
	}
	return r.ok;
}

bool appstate_read_blob(struct span bytes, struct appstate_blob *out)
{
	struct reader r = reader_of(bytes.p, bytes.n);
	struct proto_field f;

	*out = (struct appstate_blob){ 0 };
	while (proto_next(&r, &f)) {
		if (f.number == BLOB_SIZE && f.wire == PROTO_VARINT)
			out->size = f.value;
		if (f.wire != PROTO_BYTES)
			continue;
		if (f.number == BLOB_KEY)
			out->media_key = f.bytes;
		else if (f.number == BLOB_PATH)
			out->direct_path = f.bytes;
		else if (f.number == BLOB_SHA256)
			out->sha256 = f.bytes;
		else if (f.number == BLOB_ENC_SHA256)
			out->enc_sha256 = f.bytes;
	}
	return r.ok && out->direct_path.n > 0 && out->media_key.n == APPSTATE_KEY_BYTES;
}

static bool read_record(struct span bytes, struct appstate_mutation *m)
{
	struct reader r = reader_of(bytes.p, bytes.n);
	struct proto_field f;

	while (proto_next(&r, &f)) {
		if (f.wire != PROTO_BYTES)
			continue;
		if (f.number == RECORD_INDEX)
			read_only_field(&f, &m->index_mac);
		else if (f.number == RECORD_VALUE)
			read_only_field(&f, &m->value);
		else if (f.number == RECORD_KEY)
			read_only_field(&f, &m->key_id);
	}
	return r.ok && m->index_mac.n == APPSTATE_MAC_BYTES && appstate_value_mac(m->value) != NULL;
}

static bool read_mutation(struct span bytes, struct appstate_mutation *m)
{
	struct reader r = reader_of(bytes.p, bytes.n);
	struct proto_field f;
	struct span record = { 0 };
	uint64_t operation = APPSTATE_SET;

	while (proto_next(&r, &f)) {
		if (f.number == MUTATION_OPERATION && f.wire == PROTO_VARINT)
			operation = f.value;
		else if (f.number == MUTATION_RECORD && f.wire == PROTO_BYTES)
			record = f.bytes;
	}
	/* An operation of later times must stop the patch: its effect on the hash is unknown. */
	if (!r.ok || operation > APPSTATE_REMOVE)
		return false;
	m->operation = (enum appstate_operation)operation;
	return read_record(record, m);
}

bool appstate_each(enum appstate_list list, struct span bytes, bool (*visit)(void *arg, const struct appstate_mutation *m), void *arg)
{
	static const uint32_t fields[] = {
		[APPSTATE_OF_PATCH] = PATCH_MUTATIONS, [APPSTATE_OF_MUTATIONS] = MUTATIONS_MUTATIONS, [APPSTATE_OF_SNAPSHOT] = SNAPSHOT_RECORDS,
	};
	struct reader r = reader_of(bytes.p, bytes.n);
	struct proto_field f;
	size_t n = 0;

	while (proto_next(&r, &f)) {
		struct appstate_mutation m = { 0 };
		bool good;

		if (f.number != fields[list] || f.wire != PROTO_BYTES)
			continue;
		good = list == APPSTATE_OF_SNAPSHOT ? read_record(f.bytes, &m) : read_mutation(f.bytes, &m);
		if (!good || ++n > LIMIT_WA_APPSTATE_ENTRIES || !visit(arg, &m))
			return false;
	}
	return r.ok;
}
