/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which devices have our sender key of a chat: record GROUP_KEYS under the chat's name.
 *
 *     version(1) | key id(4) | complete for: device version(8) members' mark(8) | checked ms(8) refreshed ms(8) | hash length(1) text |
 *     users(4) | { server(1) length(1) user devices(2) { device(2) }* }*
 *
 * The list is worth something only for the key with this id. While it is complete (every device of every member has the key, or cannot
 * have it) for the present lists, a message needs neither lists nor sessions.
 */
#ifndef WA_GROUPKEYS_H
#define WA_GROUPKEYS_H

#include "sessiond/wa/devices.h"
#include "sessiond/wa/group.h"

/* A complete list is checked anew after this time, as device lists are. */
#define GROUP_KEYS_MAX_AGE_MS DEVICES_MAX_AGE_MS
/* The server's hash is another one: everything is asked again, but not more often than this. */
#define GROUP_REFRESH_MIN_MS (INT64_C(3600) * 1000)

struct group_keys {
	uint32_t key_id;
	uint64_t devices_version, mark; /* complete for them; devices_version 0: not complete */
	int64_t checked_ms, refreshed_ms;
	char hash[DEVICES_HASH_MAX];    /* over all devices of all members, ours too */
	struct jid *devices;            /* owned, sorted (jid_compare) */
	size_t n, cap;
};

void wa_group_keys_keys(struct state_keys *keys, const struct jid *chat);
/* False if there is no record; *out is empty then. To be cleared in both cases. */
bool wa_group_keys_load(struct state_op *op, const struct jid *chat, struct group_keys *out);
void wa_group_keys_store(struct state_op *op, const struct jid *chat, struct group_keys *keys);
void wa_group_keys_forget(struct state_op *op, const struct jid *chat);
void wa_group_keys_clear(struct group_keys *keys);
bool wa_group_keys_has(const struct group_keys *keys, const struct jid *device);
bool wa_group_keys_has_user(const struct group_keys *keys, const struct jid *user);
/* Without sorting: wa_group_keys_store() sorts. */
void wa_group_keys_add(struct group_keys *keys, const struct jid *device);
/* True if the device was there; it is no more, and the list is not complete. */
bool wa_group_keys_remove(struct group_keys *keys, const struct jid *device);

/*
 * A new key for the chat: drops ours, in both identities, and the list of who has it. For when somebody is out of it who has the key.
 */
void wa_group_rotate(struct wa_messaging *m, struct state_op *op, const struct jid *chat);

#endif
