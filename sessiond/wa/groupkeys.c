/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lists of the devices that have our sender key. */
#include "sessiond/wa/groupkeys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/wa/signal_group.h"

#define RECORD_VERSION 1

static void record_name(const struct jid *chat, char out[JID_TEXT_MAX])
{
	struct jid bare = jid_bare(chat);

	jid_format(&bare, out, JID_TEXT_MAX);
}

void wa_group_keys_keys(struct state_keys *keys, const struct jid *chat)
{
	char name[JID_TEXT_MAX];

	record_name(chat, name);
	state_keys_add(keys, WA_RECORD_GROUP_KEYS, name);
}

void wa_group_keys_clear(struct group_keys *keys)
{
	free(keys->devices);
	*keys = (struct group_keys){ 0 };
}

void wa_group_keys_add(struct group_keys *keys, const struct jid *device)
{
	if (keys->n == keys->cap) {
		keys->cap = keys->cap == 0 ? 16 : keys->cap * 2;
		keys->devices = xrealloc(keys->devices, keys->cap * sizeof *keys->devices);
	}
	keys->devices[keys->n++] = *device;
}

static void load_devices(struct reader *r, struct group_keys *out)
{
	uint32_t users = read_be32(r);

	for (uint32_t i = 0; r->ok && i < users && i < LIMIT_WA_GROUP_MEMBERS; i++) {
		enum jid_server server = (enum jid_server)read_u8(r);
		struct span user = read_span(r, read_u8(r));
		uint16_t devices = read_be16(r);
		struct jid jid;

		if (!r->ok || jid_make(&jid, (const char *)user.p, user.n, server, 0) != 0)
			return;
		for (uint16_t k = 0; r->ok && k < devices; k++) {
			jid.device = read_be16(r);
			if (r->ok)
				wa_group_keys_add(out, &jid);
		}
	}
}

bool wa_group_keys_load(struct state_op *op, const struct jid *chat, struct group_keys *out)
{
	char name[JID_TEXT_MAX];
	struct span value;
	struct span hash;
	struct reader r;

	*out = (struct group_keys){ 0 };
	record_name(chat, name);
	if (!state_op_get(op, WA_RECORD_GROUP_KEYS, name, &value))
		return false;
	r = reader_of(value.p, value.n);
	if (read_u8(&r) != RECORD_VERSION)
		return false;
	out->key_id = read_be32(&r);
	out->devices_version = read_be64(&r);
	out->mark = read_be64(&r);
	out->checked_ms = (int64_t)read_be64(&r);
	out->refreshed_ms = (int64_t)read_be64(&r);
	hash = read_span(&r, read_u8(&r));
	if (r.ok && hash.n < sizeof out->hash) {
		memcpy(out->hash, hash.p, hash.n);
		out->hash[hash.n] = '\0';
	}
	load_devices(&r, out);
	if (!r.ok)
		wa_group_keys_clear(out);
	return r.ok;
}

static int compare(const void *a, const void *b)
{
	return jid_compare(a, b);
}

void wa_group_keys_store(struct state_op *op, const struct jid *chat, struct group_keys *keys)
{
	char name[JID_TEXT_MAX];
	struct buf devices = { 0 };
	struct buf value = { 0 };
	uint32_t users = 0;

	if (keys->n > 1)
		qsort(keys->devices, keys->n, sizeof *keys->devices, compare);
	for (size_t i = 0; i < keys->n;) {
		size_t end = i;

		while (end < keys->n && end - i < UINT16_MAX && jid_same_user(&keys->devices[i], &keys->devices[end]))
			end++;
		buf_u8(&devices, (uint8_t)keys->devices[i].server);
		buf_u8(&devices, (uint8_t)strlen(keys->devices[i].user));
		buf_append_text(&devices, keys->devices[i].user);
		buf_be16(&devices, (uint16_t)(end - i));
		for (; i < end; i++)
			buf_be16(&devices, keys->devices[i].device);
		users++;
	}
	buf_u8(&value, RECORD_VERSION);
	buf_be32(&value, keys->key_id);
	buf_be64(&value, keys->devices_version);
	buf_be64(&value, keys->mark);
	buf_be64(&value, (uint64_t)keys->checked_ms);
	buf_be64(&value, (uint64_t)keys->refreshed_ms);
	buf_u8(&value, (uint8_t)strlen(keys->hash));
	buf_append_text(&value, keys->hash);
	buf_be32(&value, users);
	buf_append_span(&value, buf_span(&devices));
	record_name(chat, name);
	state_op_put(op, WA_RECORD_GROUP_KEYS, name, buf_span(&value));
	buf_free(&devices);
	buf_free(&value);
}

void wa_group_keys_forget(struct state_op *op, const struct jid *chat)
{
	char name[JID_TEXT_MAX];

	record_name(chat, name);
	state_op_delete(op, WA_RECORD_GROUP_KEYS, name);
}

bool wa_group_keys_has(const struct group_keys *keys, const struct jid *device)
{
	return keys->n > 0 && bsearch(device, keys->devices, keys->n, sizeof *keys->devices, compare) != NULL;
}

bool wa_group_keys_has_user(const struct group_keys *keys, const struct jid *user)
{
	for (size_t i = 0; i < keys->n; i++)
		if (jid_same_user(&keys->devices[i], user))
			return true;
	return false;
}

bool wa_group_keys_remove(struct group_keys *keys, const struct jid *device)
{
	keys->devices_version = 0;
	for (size_t i = 0; i < keys->n; i++) {
		if (jid_compare(&keys->devices[i], device) != 0)
			continue;
		memmove(&keys->devices[i], &keys->devices[i + 1], (keys->n - i - 1) * sizeof *keys->devices);
		keys->n--;
		return true;
	}
	return false;
}

void wa_group_rotate(struct wa_messaging *m, struct state_op *op, const struct jid *chat)
{
	if (!jid_is_none(wa_client_own_lid(m->client)))
		wa_sender_key_delete(op, chat, wa_client_own_lid(m->client));
	wa_sender_key_delete(op, chat, wa_client_own_pn(m->client));
	wa_group_keys_forget(op, chat);
}
