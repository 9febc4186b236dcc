/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What happened in groups: <notification type="w:gp2"> with one child for each change. A change is applied to the record of the group (if
 * there is one: the next send would ask otherwise), makes an event, and takes our sender key out of use when somebody is gone who has it.
 *
 *     names of actor and members, group record, our keys -> changes, in order -> commit -> ack
 *
 * Source: Baileys messages-recv.ts, whatsmeow group.go, whatsapp-rust stanza/groups.rs.
 */
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/wa/groupkeys.h"
#include "sessiond/wa/job.h"
#include "sessiond/wa/lidmap.h"

#define CHANGES_MAX 64U

struct group_job {
	struct stanza_job job; /* first member */
	struct jid chat;
	struct jid actor, actor_other;
	struct wa_group info;
	bool have_info, changed;
	bool gone;             /* the record is to be deleted, not stored */
};

struct change {
	struct group_job *job;
	const struct wa_node *node;
	struct wa_group_change *out; /* being filled */
};

static void group_job_clear(struct stanza_job *job)
{
	wa_group_clear(&((struct group_job *)job)->info);
}

/* ---- texts ---- */

static char *text_or_null(const char *text)
{
	return text == NULL || text[0] == '\0' ? NULL : xstrdup(text);
}

static char *content_text(struct span content)
{
	return content.n == 0 || memchr(content.p, 0, content.n) != NULL ? NULL : xstrndup((const char *)content.p, content.n);
}

/* ---- one handler for each change ---- */

static void rotate(struct group_job *job)
{
	wa_group_rotate(job->job.m, &job->job.op, &job->chat);
}

/* The list of members as it is after the change; one that does not follow the known one is worth nothing. */
static void next_version(struct change *c)
{
	struct group_job *job = c->job;
	uint64_t before;
	uint64_t now = 0;

	wa_node_get_u64(c->node, "v_id", &now);
	if (wa_node_get_u64(c->node, "prev_v_id", &before) && job->info.version != 0 && before != job->info.version && now != job->info.version)
		job->gone = true;
	if (now != 0)
		job->info.version = now;
	job->info.mark++;
	job->changed = true;
}

static bool about_us(const struct change *c)
{
	for (size_t i = 0; i < c->out->n; i++)
		if (wa_messaging_is_own(c->job->job.m, &c->out->members[i].jid))
			return true;
	return false;
}

static void learn_members(struct change *c)
{
	for (size_t i = 0; i < c->out->n; i++)
		if (!jid_is_none(&c->out->members[i].other))
			wa_lidmap_learn(&c->job->job.op, &c->out->members[i].jid, &c->out->members[i].other);
}

/* Forms that the server left out may be known from elsewhere. */
static void read_members(struct change *c)
{
	struct jid other;

	c->out->members = wa_group_members_parse(c->node, &c->out->n);
	for (size_t i = 0; i < c->out->n; i++)
		if (jid_is_none(&c->out->members[i].other) && wa_lidmap_other(&c->job->job.op, &c->out->members[i].jid, &other))
			c->out->members[i].other = jid_bare(&other);
	learn_members(c);
}

static void on_create(struct change *c)
{
	const struct wa_node *node = wa_node_child(c->node, "group");
	struct group_job *job = c->job;
	struct wa_group *info = xcalloc(1, sizeof *info);

	c->out->info = info;
	if (node == NULL || !wa_group_parse(node, wa_client_wall_ms(job->job.m->client), info) || !jid_same_user(&info->jid, &job->chat))
		return;
	wa_group_learn(&job->job.op, info);
	/* A copy through the record: the event keeps this one. */
	wa_group_store(&job->job.op, info);
	wa_group_clear(&job->info);
	job->have_info = wa_group_load(&job->job.op, &job->chat, &job->info);
	job->gone = false;
	rotate(job);
}

static void on_add(struct change *c)
{
	c->out->text = text_or_null(wa_node_get(c->node, "reason"));
	read_members(c);
	next_version(c);
	for (size_t i = 0; i < c->out->n; i++)
		wa_group_put_member(&c->job->info, &c->out->members[i]);
	/* We are in it again: what was known of it is from before. */
	if (about_us(c)) {
		c->job->gone = true;
		rotate(c->job);
	}
}

static void on_remove(struct change *c)
{
	read_members(c);
	c->out->on = wa_node_is(c->node, "leave") || (c->out->n == 1 && (jid_same_user(&c->out->members[0].jid, &c->out->actor) ||
									jid_same_user(&c->out->members[0].other, &c->out->actor)));
	next_version(c);
	for (size_t i = 0; i < c->out->n; i++)
		wa_group_remove_member(&c->job->info, &c->out->members[i]);
	if (about_us(c))
		c->job->gone = true;
	rotate(c->job);
}

static void on_role(struct change *c)
{
	enum wa_group_role role = wa_node_is(c->node, "promote") ? WA_GROUP_ADMIN : WA_GROUP_MEMBER;

	read_members(c);
	next_version(c);
	for (size_t i = 0; i < c->out->n; i++) {
		struct wa_group_member *member = wa_group_member_find(&c->job->info, &c->out->members[i].jid);

		c->out->members[i].role = role;
		if (member != NULL)
			member->role = role;
	}
}

static void on_modify(struct change *c)
{
	read_members(c);
	c->job->gone = true;
	rotate(c->job);
}

static void replace(char **text, const char *by)
{
	char *copy = by == NULL ? NULL : xstrdup(by);

	free(*text);
	*text = copy;
}

static void on_subject(struct change *c)
{
	c->out->text = xstrdup(wa_node_get_or_empty(c->node, "subject"));
	replace(&c->job->info.subject, c->out->text);
	c->job->changed = true;
}

static void on_description(struct change *c)
{
	c->out->text = content_text(wa_node_child_content(c->node, "body"));
	c->out->id = text_or_null(wa_node_get(c->node, "id"));
	replace(&c->job->info.description, c->out->text);
	replace(&c->job->info.description_id, c->out->text == NULL ? NULL : c->out->id);
	c->job->changed = true;
}

static void on_announce(struct change *c)
{
	c->out->on = c->job->info.announce = wa_node_is(c->node, "announcement");
	c->job->changed = true;
}

static void on_locked(struct change *c)
{
	c->out->on = c->job->info.locked = wa_node_is(c->node, "locked");
	c->job->changed = true;
}

static void on_ephemeral(struct change *c)
{
	uint64_t seconds = 0;

	if (wa_node_is(c->node, "ephemeral") && (!wa_node_get_u64(c->node, "expiration", &seconds) || seconds > UINT32_MAX))
		seconds = 0;
	c->out->number = (int64_t)seconds;
	c->job->info.expiration_s = (uint32_t)seconds;
	c->job->changed = true;
}

static void on_invite(struct change *c)
{
	c->out->text = text_or_null(wa_node_get(c->node, "code"));
}

static void on_members_add(struct change *c)
{
	c->out->on = c->job->info.members_add = span_is(wa_node_content(c->node), "all_member_add");
	c->job->changed = true;
}

static void on_approval(struct change *c)
{
	c->out->on = c->job->info.join_approval = !wa_node_get_is(wa_node_child(c->node, "group_join"), "state", "off");
	c->job->changed = true;
}

/* Who asks: the participants, the requested users, or else the actor. */
static void on_join_request(struct change *c)
{
	c->out->on = wa_node_is(c->node, "revoked_membership_requests");
	c->out->text = text_or_null(wa_node_get(c->node, "request_method"));
	read_members(c);
	if (c->out->n > 0)
		return;
	c->out->members[0] = (struct wa_group_member){ .jid = c->out->actor, .other = c->out->actor_other };
	c->out->n = jid_is_none(&c->out->actor) ? 0 : 1;
}

static void on_delete(struct change *c)
{
	c->job->gone = true;
	rotate(c->job);
}

/* <link link_type="parent_group"><group jid/></link>; other types of links are about other groups. */
static void on_link(struct change *c)
{
	const struct wa_node *parent = wa_node_child(c->node, "group");
	struct jid jid;

	c->out->on = wa_node_is(c->node, "link");
	if (!wa_node_get_is(c->node, c->out->on ? "link_type" : "unlink_type", "parent_group") || !wa_node_get_jid(parent, "jid", &jid)) {
		c->out->kind = WA_GROUP_OTHER;
		c->out->text = xstrdup(c->node->tag);
		return;
	}
	c->out->id = xstrdup(wa_node_get(parent, "jid"));
	c->job->info.parent = c->out->on ? jid_bare(&jid) : (struct jid){ 0 };
	c->job->changed = true;
}

static void on_other(struct change *c)
{
	c->out->text = xstrdup(c->node->tag);
}

static const struct {
	const char *tag;
	enum wa_group_change_kind kind;
	void (*handle)(struct change *c);
} CHANGES[] = {
	{ "create", WA_GROUP_CREATED, on_create },
	{ "add", WA_GROUP_ADDED, on_add },
	{ "remove", WA_GROUP_REMOVED, on_remove },
	{ "leave", WA_GROUP_REMOVED, on_remove },
	{ "promote", WA_GROUP_PROMOTED, on_role },
	{ "demote", WA_GROUP_DEMOTED, on_role },
	{ "modify", WA_GROUP_MODIFIED, on_modify },
	{ "subject", WA_GROUP_SUBJECT, on_subject },
	{ "description", WA_GROUP_DESCRIPTION, on_description },
	{ "announcement", WA_GROUP_ANNOUNCE, on_announce },
	{ "not_announcement", WA_GROUP_ANNOUNCE, on_announce },
	{ "locked", WA_GROUP_LOCKED, on_locked },
	{ "unlocked", WA_GROUP_LOCKED, on_locked },
	{ "ephemeral", WA_GROUP_EXPIRATION, on_ephemeral },
	{ "not_ephemeral", WA_GROUP_EXPIRATION, on_ephemeral },
	{ "invite", WA_GROUP_INVITE, on_invite },
	{ "revoke", WA_GROUP_INVITE, on_invite },
	{ "member_add_mode", WA_GROUP_MEMBERS_ADD, on_members_add },
	{ "membership_approval_mode", WA_GROUP_APPROVAL, on_approval },
	{ "membership_approval_request", WA_GROUP_JOIN_REQUEST, on_join_request },
	{ "created_membership_requests", WA_GROUP_JOIN_REQUEST, on_join_request },
	{ "revoked_membership_requests", WA_GROUP_JOIN_REQUEST, on_join_request },
	{ "delete", WA_GROUP_DELETED, on_delete },
	{ "link", WA_GROUP_PARENT, on_link },
	{ "unlink", WA_GROUP_PARENT, on_link },
};

/* ---- the notification ---- */

static void take_change(struct group_job *job, const struct wa_node *node)
{
	const struct wa_node *notification = wa_stanza_node(job->job.stanza);
	struct wa_event *event = wa_event_new(WA_EVENT_GROUP);
	struct change c = { .job = job, .node = node };
	uint64_t seconds;

	c.out = event->group = xcalloc(1, sizeof *event->group);
	c.out->kind = WA_GROUP_OTHER;
	c.out->group = job->chat;
	c.out->actor = job->actor;
	c.out->actor_other = job->actor_other;
	c.out->lid_addressed = wa_node_get_is(notification, "addressing_mode", "lid");
	c.out->notify = text_or_null(wa_node_get(notification, "notify"));
	c.out->stanza_id = xstrdup(wa_node_get_or_empty(notification, "id"));
	c.out->offline = wa_node_get(notification, "offline") != NULL;
	c.out->time_ms = wa_client_wall_ms(job->job.m->client);
	if (wa_node_get_u64(notification, "t", &seconds) && seconds < INT64_MAX / 1000)
		c.out->time_ms = (int64_t)seconds * 1000;
	for (size_t i = 0; i < sizeof CHANGES / sizeof CHANGES[0]; i++) {
		if (!wa_node_is(node, CHANGES[i].tag))
			continue;
		c.out->kind = CHANGES[i].kind;
		CHANGES[i].handle(&c);
		state_op_event(&job->job.op, event);
		return;
	}
	on_other(&c);
	state_op_event(&job->job.op, event);
}

static void loaded(void *arg, bool ok)
{
	struct group_job *job = arg;
	const struct wa_node *notification = wa_stanza_node(job->job.stanza);
	struct jid other;

	if (!ok) {
		wa_job_done(&job->job);
		return;
	}
	if (!jid_is_none(&job->actor_other))
		wa_lidmap_learn(&job->job.op, &job->actor, &job->actor_other);
	else if (wa_lidmap_other(&job->job.op, &job->actor, &other))
		job->actor_other = jid_bare(&other);
	job->have_info = wa_group_load(&job->job.op, &job->chat, &job->info);
	for (size_t i = 0; i < notification->nnodes && i < CHANGES_MAX; i++)
		take_change(job, notification->nodes[i]);
	if (job->gone)
		wa_group_forget(&job->job.op, &job->chat);
	else if (job->have_info && job->changed)
		wa_group_store(&job->job.op, &job->info);
	wa_job_commit_and_ack(&job->job);
}

static void want_members(struct state_keys *keys, const struct wa_node *change)
{
	size_t n;
	struct wa_group_member *members = wa_group_members_parse(change, &n);

	for (size_t i = 0; i < n; i++)
		wa_lidmap_keys(keys, &members[i].jid);
	free(members);
}

void wa_on_group(struct wa_client *client, struct wa_stanza *stanza)
{
	const struct wa_node *node = wa_stanza_node(stanza);
	struct group_job *job = wa_job_new(wa_client_messaging(client), stanza, sizeof *job);
	struct state_keys keys = { 0 };
	struct jid other;

	job->job.clear = group_job_clear;
	if (!wa_node_get_jid(node, "from", &job->chat) || !jid_is_group(&job->chat)) {
		wa_stanza_ack(client, stanza, 0);
		wa_job_done(&job->job);
		return;
	}
	job->chat = jid_bare(&job->chat);
	if (wa_node_get_jid(node, "participant", &job->actor) && jid_is_person(&job->actor)) {
		const char *key = wa_lidmap_is_lid(&job->actor) ? "participant_pn" : "participant_lid";

		job->actor = jid_bare(&job->actor);
		if (wa_node_get_jid(node, key, &other) && wa_lidmap_is_lid(&other) != wa_lidmap_is_lid(&job->actor))
			job->actor_other = jid_bare(&other);
		wa_lidmap_keys(&keys, &job->actor);
		if (!jid_is_none(&job->actor_other))
			wa_lidmap_keys(&keys, &job->actor_other);
	} else {
		job->actor = (struct jid){ 0 };
	}
	for (size_t i = 0; i < node->nnodes && i < CHANGES_MAX; i++)
		want_members(&keys, node->nodes[i]);
	wa_group_keys(&keys, &job->chat);
	state_op_fetch(&job->job.op, keys.keys, keys.n, loaded, job);
	state_keys_free(&keys);
}
