/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is known of groups: the record GROUP, filled by one query and kept by notifications, so that a send asks nothing.
 *
 *     version(1) | fetched ms(8) | flags(2) | expiration(4) | created(8) | members' version(8) | mark(8) |
 *     owner, parent, subject, description, description id: { length(2) text } | members(4) | { role(1) jid{ length(1) } other{ length(1) } }*
 *
 *     groupinfo.c    records and <group> nodes         groupquery.c   asking the server, once for all who wait
 *     groupnotify.c  w:gp2 notifications               groupkeys.c    who has our sender key
 *
 * Source: Baileys Socket/groups.ts, whatsmeow group.go, whatsapp-rust stanza/groups.rs.
 */
#ifndef WA_GROUP_H
#define WA_GROUP_H

#include "sessiond/wa/messaging.h"

void wa_group_keys(struct state_keys *keys, const struct jid *group);
/* False if there is no record (or none that can be read); *out is to be freed in both cases, by wa_group_clear(). */
bool wa_group_load(struct state_op *op, const struct jid *group, struct wa_group *out);
void wa_group_store(struct state_op *op, const struct wa_group *group);
void wa_group_forget(struct state_op *op, const struct jid *group);
/* Frees what it owns. */
/* Reads a <group> node; false if it has no usable id. *out is to be cleared in both cases. now_ms becomes time and mark. */
bool wa_group_parse(const struct wa_node *node, int64_t now_ms, struct wa_group *out);
/* Reads the <participant> (or <requested_user>) children of a node into a new list. */
struct wa_group_member *wa_group_members_parse(const struct wa_node *node, size_t *n);
/* Adds or replaces one member; removes one: false if it was not there. A member is found under either form. */
void wa_group_put_member(struct wa_group *group, const struct wa_group_member *member);
bool wa_group_remove_member(struct wa_group *group, const struct wa_group_member *member);
struct wa_group_member *wa_group_member_find(struct wa_group *group, const struct jid *user);
/* Remembers both forms of all members. The records of wa_group_lid_keys() must have been fetched. */
void wa_group_lid_keys(struct state_keys *keys, const struct wa_group *group);
void wa_group_learn(struct state_op *op, const struct wa_group *group);
/* Our bare JID in the namespace of the group. */
struct jid wa_group_own(const struct wa_messaging *m, const struct wa_group *group);

/*
 * Asks the server for a group; its record is stored before done is called. All who wait for the same group share one query. code: 0, the
 * server's error, 408 without an answer.
 */
typedef void group_fetched(void *arg, int code);
void wa_group_fetch(struct wa_messaging *m, const struct jid *group, group_fetched *done, void *arg);
/* done is not called any more for this arg. */
void wa_group_fetch_cancel(struct wa_messaging *m, void *arg);
void wa_group_queries_free(struct wa_messaging *m);
/* Calls back all whose wa_client_group() is not answered yet. */
void wa_group_requests_free(struct wa_messaging *m);
/*
 * grouprefresh.c: forgets what has changed of groups. done: the list was read (or not), and what was to be forgotten is; it is not called when
 * another one is under way or the client goes.
 */
typedef void wa_groups_refreshed(struct wa_client *client, bool read, void *arg);
void wa_groups_refresh(struct wa_client *client, wa_groups_refreshed *done, void *arg);
void wa_groups_refresh_free(struct wa_messaging *m);
/* groupadmin.c: the same for wa_client_group_ask(). */
void wa_group_asks_free(struct wa_messaging *m);

/* <notification type="w:gp2"> */
wa_stanza_handler wa_on_group;

#endif
