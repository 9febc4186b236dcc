/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Groups as records and as <group> nodes. */
#include "sessiond/wa/group.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/wa/lidmap.h"

#define RECORD_VERSION 1

enum {
	FLAG_LID = 1, FLAG_ANNOUNCE = 2, FLAG_LOCKED = 4, FLAG_APPROVAL = 8, FLAG_MEMBERS_ADD = 16, FLAG_COMMUNITY = 32, FLAG_ANNOUNCEMENTS = 64
};

void wa_group_clear(struct wa_group *group)
{
	free(group->subject);
	free(group->description);
	free(group->description_id);
	free(group->members);
	*group = (struct wa_group){ 0 };
}

static char *copied(const char *text)
{
	return text != NULL ? xstrdup(text) : NULL;
}

void wa_group_copy(struct wa_group *to, const struct wa_group *from)
{
	*to = *from;
	to->subject = copied(from->subject);
	to->description = copied(from->description);
	to->description_id = copied(from->description_id);
	to->cap = from->n;
	to->members = from->n > 0 ? xmemdup(from->members, from->n * sizeof *from->members) : NULL;
}

void wa_group_free(struct wa_group *group)
{
	if (group == NULL)
		return;
	wa_group_clear(group);
	free(group);
}

/* ---- records ---- */

static void record_name(const struct jid *group, char out[JID_TEXT_MAX])
{
	struct jid bare = jid_bare(group);

	jid_format(&bare, out, JID_TEXT_MAX);
}

void wa_group_keys(struct state_keys *keys, const struct jid *group)
{
	char name[JID_TEXT_MAX];

	record_name(group, name);
	state_keys_add(keys, WA_RECORD_GROUP, name);
}

static void put_text(struct buf *out, const char *text)
{
	size_t n = text == NULL ? 0 : strlen(text);

	if (n > UINT16_MAX)
		n = UINT16_MAX;
	buf_be16(out, (uint16_t)n);
	if (n > 0)
		buf_append(out, text, n);
}

static void put_jid(struct buf *out, const struct jid *jid)
{
	char text[JID_TEXT_MAX];

	jid_format(jid, text, sizeof text);
	buf_u8(out, (uint8_t)strlen(text));
	buf_append_text(out, text);
}

static char *get_text(struct reader *r)
{
	struct span text = read_span(r, read_be16(r));

	return r->ok && text.n > 0 ? xstrndup((const char *)text.p, text.n) : NULL;
}

static struct jid get_jid(struct reader *r)
{
	struct span text = read_span(r, read_u8(r));
	struct jid jid = { 0 };

	if (r->ok && text.n > 0 && jid_parse(&jid, (const char *)text.p, text.n) != 0)
		r->ok = false;
	return jid;
}

static uint16_t flags_of(const struct wa_group *g)
{
	return (uint16_t)((g->lid_addressed ? FLAG_LID : 0) | (g->announce ? FLAG_ANNOUNCE : 0) | (g->locked ? FLAG_LOCKED : 0) |
			  (g->join_approval ? FLAG_APPROVAL : 0) | (g->members_add ? FLAG_MEMBERS_ADD : 0) |
			  (g->community ? FLAG_COMMUNITY : 0) | (g->announcement_group ? FLAG_ANNOUNCEMENTS : 0));
}

static void set_flags(struct wa_group *g, uint16_t flags)
{
	g->lid_addressed = (flags & FLAG_LID) != 0;
	g->announce = (flags & FLAG_ANNOUNCE) != 0;
	g->locked = (flags & FLAG_LOCKED) != 0;
	g->join_approval = (flags & FLAG_APPROVAL) != 0;
	g->members_add = (flags & FLAG_MEMBERS_ADD) != 0;
	g->community = (flags & FLAG_COMMUNITY) != 0;
	g->announcement_group = (flags & FLAG_ANNOUNCEMENTS) != 0;
}

void wa_group_store(struct state_op *op, const struct wa_group *g)
{
	char name[JID_TEXT_MAX];
	struct buf value = { 0 };

	buf_u8(&value, RECORD_VERSION);
	buf_be64(&value, (uint64_t)g->fetched_ms);
	buf_be16(&value, flags_of(g));
	buf_be32(&value, g->expiration_s);
	buf_be64(&value, (uint64_t)g->created_s);
	buf_be64(&value, g->version);
	buf_be64(&value, g->mark);
	put_jid(&value, &g->owner);
	put_jid(&value, &g->parent);
	put_text(&value, g->subject);
	put_text(&value, g->description);
	put_text(&value, g->description_id);
	buf_be32(&value, (uint32_t)g->n);
	for (size_t i = 0; i < g->n; i++) {
		buf_u8(&value, (uint8_t)g->members[i].role);
		put_jid(&value, &g->members[i].jid);
		put_jid(&value, &g->members[i].other);
	}
	record_name(&g->jid, name);
	state_op_put(op, WA_RECORD_GROUP, name, buf_span(&value));
	buf_free(&value);
}

static void add_member(struct wa_group *g, const struct wa_group_member *member)
{
	if (g->n == g->cap) {
		g->cap = g->cap == 0 ? 16 : g->cap * 2;
		g->members = xrealloc(g->members, g->cap * sizeof *g->members);
	}
	g->members[g->n++] = *member;
}

bool wa_group_load(struct state_op *op, const struct jid *group, struct wa_group *out)
{
	char name[JID_TEXT_MAX];
	struct span value;

	*out = (struct wa_group){ .jid = jid_bare(group) };
	record_name(group, name);
	return state_op_get(op, WA_RECORD_GROUP, name, &value) && wa_group_read(value, group, out);
}

bool wa_group_read(struct span record, const struct jid *group, struct wa_group *out)
{
	struct reader r = reader_of(record.p, record.n);
	size_t n;

	*out = (struct wa_group){ .jid = jid_bare(group) };
	if (read_u8(&r) != RECORD_VERSION)
		return false;
	out->fetched_ms = (int64_t)read_be64(&r);
	set_flags(out, read_be16(&r));
	out->expiration_s = read_be32(&r);
	out->created_s = (int64_t)read_be64(&r);
	out->version = read_be64(&r);
	out->mark = read_be64(&r);
	out->owner = get_jid(&r);
	out->parent = get_jid(&r);
	out->subject = get_text(&r);
	out->description = get_text(&r);
	out->description_id = get_text(&r);
	n = read_be32(&r);
	for (size_t i = 0; r.ok && i < n && i < LIMIT_WA_GROUP_MEMBERS; i++) {
		struct wa_group_member member = { .role = (enum wa_group_role)read_u8(&r) };

		member.jid = get_jid(&r);
		member.other = get_jid(&r);
		if (r.ok)
			add_member(out, &member);
	}
	return r.ok;
}

void wa_group_forget(struct state_op *op, const struct jid *group)
{
	char name[JID_TEXT_MAX];

	record_name(group, name);
	state_op_delete(op, WA_RECORD_GROUP, name);
}

/* ---- members ---- */

static bool is_member(const struct wa_group_member *m, const struct jid *user)
{
	return !jid_is_none(user) && (jid_same_user(&m->jid, user) || jid_same_user(&m->other, user));
}

struct wa_group_member *wa_group_member_find(struct wa_group *group, const struct jid *user)
{
	struct jid bare = jid_bare(user);

	if (bare.server == JID_SERVER_HOSTED)
		bare.server = JID_SERVER_PN;
	else if (bare.server == JID_SERVER_HOSTED_LID)
		bare.server = JID_SERVER_LID;
	for (size_t i = 0; i < group->n; i++)
		if (is_member(&group->members[i], &bare))
			return &group->members[i];
	return NULL;
}

static struct wa_group_member *find_either(struct wa_group *group, const struct wa_group_member *member)
{
	struct wa_group_member *found = wa_group_member_find(group, &member->jid);

	return found != NULL || jid_is_none(&member->other) ? found : wa_group_member_find(group, &member->other);
}

void wa_group_put_member(struct wa_group *group, const struct wa_group_member *member)
{
	struct wa_group_member *known = find_either(group, member);

	if (known == NULL) {
		if (group->n < LIMIT_WA_GROUP_MEMBERS)
			add_member(group, member);
		return;
	}
	known->role = member->role;
	if (jid_is_none(&known->other))
		known->other = member->other;
}

bool wa_group_remove_member(struct wa_group *group, const struct wa_group_member *member)
{
	struct wa_group_member *known = find_either(group, member);

	if (known == NULL)
		return false;
	*known = group->members[--group->n];
	return true;
}

void wa_group_lid_keys(struct state_keys *keys, const struct wa_group *group)
{
	for (size_t i = 0; i < group->n; i++) {
		wa_lidmap_keys(keys, &group->members[i].jid);
		if (!jid_is_none(&group->members[i].other))
			wa_lidmap_keys(keys, &group->members[i].other);
	}
}

void wa_group_learn(struct state_op *op, const struct wa_group *group)
{
	for (size_t i = 0; i < group->n; i++)
		if (!jid_is_none(&group->members[i].other))
			wa_lidmap_learn(op, &group->members[i].jid, &group->members[i].other);
}

struct jid wa_group_own(const struct wa_messaging *m, const struct wa_group *group)
{
	const struct jid *lid = wa_client_own_lid(m->client);

	return jid_bare(group->lid_addressed && !jid_is_none(lid) ? lid : wa_client_own_pn(m->client));
}

/* ---- nodes ---- */

static bool parse_member(const struct wa_node *node, struct wa_group_member *out)
{
	static const struct {
		const char *text;
		enum wa_group_role role;
	} ROLES[] = { { "admin", WA_GROUP_ADMIN }, { "superadmin", WA_GROUP_SUPERADMIN } };
	struct jid other;

	*out = (struct wa_group_member){ 0 };
	if (!wa_node_get_jid(node, "jid", &out->jid) || !jid_is_person(&out->jid))
		return false;
	out->jid = jid_bare(&out->jid);
	for (size_t i = 0; i < sizeof ROLES / sizeof ROLES[0]; i++)
		if (wa_node_get_is(node, "type", ROLES[i].text))
			out->role = ROLES[i].role;
	if (wa_lidmap_is_lid(&out->jid) && wa_node_get_jid(node, "phone_number", &other) && wa_lidmap_is_pn(&other))
		out->other = jid_bare(&other);
	else if (wa_lidmap_is_pn(&out->jid) && wa_node_get_jid(node, "lid", &other) && wa_lidmap_is_lid(&other))
		out->other = jid_bare(&other);
	return true;
}

struct wa_group_member *wa_group_members_parse(const struct wa_node *node, size_t *n)
{
	struct wa_group_member *members = xcalloc(node->nnodes + 1, sizeof *members);

	*n = 0;
	for (size_t i = 0; i < node->nnodes && *n < LIMIT_WA_GROUP_MEMBERS; i++)
		if ((wa_node_is(node->nodes[i], "participant") || wa_node_is(node->nodes[i], "requested_user")) && wa_node_get(node->nodes[i], "error") == NULL &&
		    parse_member(node->nodes[i], &members[*n]))
			(*n)++;
	return members;
}

static bool parse_id(const struct wa_node *node, struct jid *out)
{
	const char *id = wa_node_get(node, "id");

	if (id == NULL)
		return false;
	if (strchr(id, '@') != NULL)
		return jid_parse_text(out, id) == 0 && jid_is_group(out);
	return id[0] != '\0' && jid_make(out, id, strlen(id), JID_SERVER_GROUP, 0) == 0;
}

static char *content_text(struct span content)
{
	return content.n == 0 || memchr(content.p, 0, content.n) != NULL ? NULL : xstrndup((const char *)content.p, content.n);
}

static void parse_settings(const struct wa_node *node, struct wa_group *g)
{
	const struct wa_node *description = wa_node_child(node, "description");
	const struct wa_node *approval = wa_node_child(node, "membership_approval_mode");
	const struct wa_node *parent = wa_node_child(node, "linked_parent");
	const struct wa_node *ephemeral = wa_node_child(node, "ephemeral");
	const char *id = wa_node_get(description, "id");
	uint64_t number;

	g->announce = wa_node_child(node, "announcement") != NULL;
	g->locked = wa_node_child(node, "locked") != NULL;
	g->community = wa_node_child(node, "parent") != NULL;
	g->announcement_group = wa_node_child(node, "default_sub_group") != NULL;
	g->join_approval = approval != NULL && !wa_node_get_is(wa_node_child(approval, "group_join"), "state", "off");
	g->members_add = span_is(wa_node_child_content(node, "member_add_mode"), "all_member_add");
	if (parent != NULL)
		wa_node_get_jid(parent, "jid", &g->parent);
	if (ephemeral != NULL && wa_node_get_u64(ephemeral, "expiration", &number) && number <= UINT32_MAX)
		g->expiration_s = (uint32_t)number;
	g->description = content_text(wa_node_child_content(description, "body"));
	g->description_id = g->description == NULL || id == NULL ? NULL : xstrdup(id);
}

bool wa_group_parse(const struct wa_node *node, int64_t now_ms, struct wa_group *out)
{
	uint64_t number;

	*out = (struct wa_group){ .fetched_ms = now_ms, .mark = (uint64_t)now_ms };
	if (!(wa_node_is(node, "group") || wa_node_is(node, "community")) || !parse_id(node, &out->jid))
		return false;
	out->lid_addressed = wa_node_get_is(node, "addressing_mode", "lid");
	out->subject = xstrdup(wa_node_get_or_empty(node, "subject"));
	if (wa_node_get_u64(node, "creation", &number) && number < INT64_MAX)
		out->created_s = (int64_t)number;
	if (wa_node_get_u64(node, "p_v_id", &number))
		out->version = number;
	if (wa_node_get_jid(node, "creator", &out->owner))
		out->owner = jid_bare(&out->owner);
	parse_settings(node, out);
	out->members = wa_group_members_parse(node, &out->n);
	out->cap = node->nnodes + 1;
	return true;
}
