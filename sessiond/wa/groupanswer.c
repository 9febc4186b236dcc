/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the server answers to questions about groups. */
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/wa/group.h"
#include "sessiond/wa/groupwire.h"
#include "sessiond/wa/lidmap.h"

#define CODE_MALFORMED 502
#define CODE_DONE 200
#define CODE_UNKNOWN 404

struct reading {
	const struct wa_group_ask *ask;
	const struct wa_node *iq;
	int64_t now_ms;
	struct wa_group_answer *out;
};

typedef bool answer_reader(struct reading *r);

void wa_group_answer_clear(struct wa_group_answer *answer)
{
	for (size_t i = 0; i < answer->ngroups; i++)
		wa_group_clear(&answer->groups[i].group);
	for (size_t i = 0; i < answer->n; i++) {
		free(answer->people[i].invite_code);
		free(answer->people[i].method);
	}
	free(answer->groups);
	free(answer->people);
	free(answer->text);
	free(answer->reason);
	*answer = (struct wa_group_answer){ 0 };
}

static char *copy_attr(const struct wa_node *node, const char *key)
{
	const char *text = wa_node_get(node, key);

	return text == NULL || text[0] == '\0' ? NULL : xstrdup(text);
}

static int64_t time_attr(const struct wa_node *node, const char *key)
{
	uint64_t seconds;

	return wa_node_get_u64(node, key, &seconds) && seconds < INT64_MAX / 1000 ? (int64_t)seconds : 0;
}

/* ---- people ---- */

static void read_error(const struct wa_node *node, int *code)
{
	uint64_t number;

	*code = CODE_DONE;
	if (wa_node_get(node, "error") != NULL)
		*code = wa_node_get_u64(node, "error", &number) && number > 0 && number < 1000 ? (int)number : CODE_MALFORMED;
}

static bool is_number(const struct jid *jid)
{
	return jid->server == JID_SERVER_PN;
}

static bool read_person(const struct wa_node *node, struct wa_group_person *out)
{
	const struct wa_node *invite = wa_node_child(node, "add_request");
	struct jid other;

	if (!wa_node_get_jid(node, "jid", &out->jid) || !(jid_is_person(&out->jid) || jid_is_group(&out->jid)))
		return false;
	out->jid = jid_bare(&out->jid);
	if (wa_node_get_jid(node, is_number(&out->jid) ? "lid" : "phone_number", &other) && wa_lidmap_is_pn(&other) != wa_lidmap_is_pn(&out->jid) &&
	    wa_lidmap_is_lid(&other) != wa_lidmap_is_lid(&out->jid))
		out->other = jid_bare(&other);
	out->role = wa_node_get_is(node, "type", "superadmin") ? WA_GROUP_SUPERADMIN :
		    wa_node_get_is(node, "type", "admin")      ? WA_GROUP_ADMIN :
								 WA_GROUP_MEMBER;
	read_error(node, &out->code);
	out->method = copy_attr(node, "request_method");
	out->time_s = time_attr(node, "request_time");
	if (invite != NULL) {
		out->invite_code = copy_attr(invite, "code");
		wa_node_get_u64(invite, "expiration", &out->invite_expires_s);
	}
	return true;
}

/* The children with this tag, as people (or groups). */
static bool read_people(struct reading *r, const struct wa_node *list, const char *tag)
{
	struct wa_group_answer *out = r->out;

	if (list == NULL)
		return false;
	out->people = xcalloc(list->nnodes + 1, sizeof *out->people);
	for (size_t i = 0; i < list->nnodes && out->n < LIMIT_WA_GROUP_MEMBERS; i++) {
		out->people[out->n] = (struct wa_group_person){ 0 };
		if (wa_node_is(list->nodes[i], tag) && read_person(list->nodes[i], &out->people[out->n]))
			out->n++;
	}
	return true;
}

static bool read_changed(struct reading *r)
{
	static const char *const tags[] = { [WA_ASK_ADD] = "add", [WA_ASK_REMOVE] = "remove", [WA_ASK_PROMOTE] = "promote", [WA_ASK_DEMOTE] = "demote" };

	return read_people(r, wa_node_child(r->iq, tags[r->ask->kind]), "participant");
}

static bool read_decided(struct reading *r)
{
	return read_people(r, wa_node_child(wa_node_child(r->iq, "membership_requests_action"), r->ask->kind == WA_ASK_APPROVE ? "approve" : "reject"),
			   "participant");
}

static bool read_requests(struct reading *r)
{
	return read_people(r, wa_node_child(r->iq, "membership_approval_requests"), "membership_approval_request");
}

static bool read_community_members(struct reading *r)
{
	return read_people(r, wa_node_child(r->iq, "linked_groups_participants"), "participant");
}

static bool read_linked(struct reading *r)
{
	return read_people(r, wa_node_child(wa_node_child(r->iq, "links"), "link"), "group");
}

static bool read_unlinked(struct reading *r)
{
	return read_people(r, wa_node_child(r->iq, "unlink"), "group");
}

/* ---- usync: who is on the network ---- */

static bool same_number(const struct jid *asked, struct span contact)
{
	size_t n = strlen(asked->user);

	if (contact.n > 0 && contact.p[0] == '+')
		contact = span_of(contact.p + 1, contact.n - 1);
	return contact.n == n && memcmp(contact.p, asked->user, n) == 0;
}

static void read_user(struct reading *r, const struct wa_node *user)
{
	const struct wa_node *contact = wa_node_child(user, "contact");
	struct jid jid = { 0 };
	struct jid lid = { 0 };

	if (!wa_node_is(user, "user"))
		return;
	wa_node_get_jid(user, "jid", &jid);
	if (!wa_node_get_jid(wa_node_child(user, "lid"), "val", &lid) || !wa_lidmap_is_lid(&lid))
		lid = (struct jid){ 0 };
	for (size_t i = 0; i < r->out->n; i++) {
		struct wa_group_person *p = &r->out->people[i];

		if (!jid_same_user(&p->jid, &jid) && !same_number(&p->jid, wa_node_content(contact)))
			continue;
		p->code = wa_node_get_is(contact, "type", "in") ? CODE_DONE : CODE_UNKNOWN;
		if (p->code == CODE_DONE && !jid_is_none(&lid))
			p->other = jid_bare(&lid);
	}
}

/* One for each that was asked for, in that order. */
static bool read_users(struct reading *r)
{
	const struct wa_node *list = wa_node_child(wa_node_child(r->iq, "usync"), "list");
	struct wa_group_answer *out = r->out;

	if (list == NULL)
		return false;
	out->people = xcalloc(r->ask->n + 1, sizeof *out->people);
	out->n = r->ask->n;
	for (size_t i = 0; i < out->n; i++)
		out->people[i] = (struct wa_group_person){ .jid = jid_bare(&r->ask->people[i]), .code = CODE_UNKNOWN };
	for (size_t i = 0; i < list->nnodes; i++)
		read_user(r, list->nodes[i]);
	return true;
}

/* ---- groups ---- */

static void read_form(const struct wa_node *node, const char *key, const char *pn_key, struct jid *as_addressed, struct jid *pn)
{
	if (wa_node_get_jid(node, key, as_addressed))
		*as_addressed = jid_bare(as_addressed);
	if (wa_node_get_jid(node, pn_key, pn) && wa_lidmap_is_pn(pn))
		*pn = jid_bare(pn);
	else
		*pn = as_addressed->server == JID_SERVER_PN ? *as_addressed : (struct jid){ 0 };
}

static bool read_facts(struct reading *r, const struct wa_node *node, struct wa_group_facts *out)
{
	const struct wa_node *description = wa_node_child(node, "description");
	const char *country = wa_node_get_or_empty(node, "creator_country_code");
	struct jid owner = { 0 };
	uint64_t number;

	*out = (struct wa_group_facts){ 0 };
	if (!wa_group_parse(node, r->now_ms, &out->group)) {
		wa_group_clear(&out->group);
		return false;
	}
	read_form(node, "creator", "creator_pn", &owner, &out->owner_pn);
	read_form(node, "s_o", "s_o_pn", &out->subject_owner, &out->subject_owner_pn);
	read_form(description, "participant", "participant_pn", &out->description_owner, &out->description_owner_pn);
	out->subject_time_s = time_attr(node, "s_t");
	out->description_time_s = time_attr(description, "t");
	if (strlen(country) < sizeof out->country)
		memcpy(out->country, country, strlen(country));
	if (wa_node_get_u64(node, "size", &number) && number <= SIZE_MAX)
		out->size = (size_t)number;
	out->general_chat = wa_node_child(node, "general_chat") != NULL;
	return true;
}

/* Counted and let go of: a list of groups holds no members. */
static void forget_members(struct wa_group_facts *facts)
{
	if (facts->group.n > 0)
		facts->size = facts->group.n;
	free(facts->group.members);
	facts->group.members = NULL;
	facts->group.n = facts->group.cap = 0;
}

/* Adds the groups of a list, if there is one. */
static bool read_group_list(struct reading *r, const struct wa_node *list)
{
	struct wa_group_answer *out = r->out;

	if (list == NULL)
		return false;
	out->groups = xrealloc(out->groups, (out->ngroups + list->nnodes + 1) * sizeof *out->groups);
	for (size_t i = 0; i < list->nnodes; i++) {
		if (!read_facts(r, list->nodes[i], &out->groups[out->ngroups]))
			continue;
		forget_members(&out->groups[out->ngroups]);
		out->ngroups++;
	}
	return true;
}

/* <groups>, <communities>, or <group> without either; nothing at all: we are in none. */
static bool read_groups(struct reading *r)
{
	bool listed = read_group_list(r, wa_node_child(r->iq, "groups"));

	if (read_group_list(r, wa_node_child(r->iq, "communities")))
		listed = true;
	return listed || read_group_list(r, r->iq);
}

static bool read_subgroups(struct reading *r)
{
	return read_group_list(r, wa_node_child(r->iq, "sub_groups"));
}

static bool read_group(struct reading *r)
{
	struct wa_group_answer *out = r->out;
	const struct wa_node *group = wa_node_child(r->iq, "group");

	out->groups = xcalloc(1, sizeof *out->groups);
	if (group == NULL || !read_facts(r, group, &out->groups[0]))
		return false;
	out->ngroups = 1;
	out->group = out->groups[0].group.jid;
	return true;
}

static bool read_asked_group(struct reading *r)
{
	return read_group(r) && jid_same_user(&r->out->group, &r->ask->group);
}

static bool read_created(struct reading *r)
{
	return read_group(r) && read_people(r, wa_node_child(r->iq, "group"), "participant");
}

/* ---- the rest ---- */

static bool read_nothing(struct reading *r)
{
	r->out->group = r->ask->group;
	return true;
}

static bool read_left(struct reading *r)
{
	const struct wa_node *group = wa_node_child(wa_node_child(r->iq, "leave"), "group");
	int code = CODE_DONE;

	if (group != NULL)
		read_error(group, &code);
	r->out->code = code == CODE_DONE ? 0 : code;
	return true;
}

static bool read_code(struct reading *r)
{
	r->out->text = copy_attr(wa_node_child(r->iq, "invite"), "code");
	return r->out->text != NULL;
}

static bool read_joined(struct reading *r)
{
	static const char *const tags[] = { "group", "community", "membership_approval_request" };

	for (size_t i = 0; i < sizeof tags / sizeof *tags; i++) {
		const struct wa_node *node = wa_node_child(r->iq, tags[i]);

		if (node == NULL)
			continue;
		r->out->pending = i == 2;
		if (wa_node_get_jid(node, "jid", &r->out->group) && !jid_is_group(&r->out->group))
			r->out->group = (struct jid){ 0 };
		return true;
	}
	/* Nothing is named: the request waits for an admin. */
	r->out->pending = true;
	return true;
}

static answer_reader *const READERS[] = {
	[WA_ASK_GROUPS] = read_groups,
	[WA_ASK_GROUP] = read_asked_group,
	[WA_ASK_CREATE] = read_created,
	[WA_ASK_LEAVE] = read_left,
	[WA_ASK_SUBJECT] = read_nothing,
	[WA_ASK_DESCRIPTION] = read_nothing,
	[WA_ASK_ANNOUNCE] = read_nothing,
	[WA_ASK_LOCKED] = read_nothing,
	[WA_ASK_EPHEMERAL] = read_nothing,
	[WA_ASK_MEMBER_ADD] = read_nothing,
	[WA_ASK_APPROVAL] = read_nothing,
	[WA_ASK_ADD] = read_changed,
	[WA_ASK_REMOVE] = read_changed,
	[WA_ASK_PROMOTE] = read_changed,
	[WA_ASK_DEMOTE] = read_changed,
	[WA_ASK_REQUESTS] = read_requests,
	[WA_ASK_APPROVE] = read_decided,
	[WA_ASK_REJECT] = read_decided,
	[WA_ASK_INVITE] = read_code,
	[WA_ASK_NEW_INVITE] = read_code,
	[WA_ASK_INVITE_INFO] = read_group,
	[WA_ASK_JOIN] = read_joined,
	[WA_ASK_INVITATION] = read_group,
	[WA_ASK_ACCEPT] = read_nothing,
	[WA_ASK_TAKE_BACK] = read_nothing,
	[WA_ASK_SUBGROUPS] = read_subgroups,
	[WA_ASK_COMMUNITY_MEMBERS] = read_community_members,
	[WA_ASK_LINK] = read_linked,
	[WA_ASK_UNLINK] = read_unlinked,
	[WA_ASK_DEACTIVATE] = read_nothing,
	[WA_ASK_USERS] = read_users,
};

bool wa_group_answer_read(const struct wa_group_ask *ask, const struct wa_node *iq, int64_t now_ms, struct wa_group_answer *out)
{
	struct reading r = { .ask = ask, .iq = iq, .now_ms = now_ms, .out = out };

	if (READERS[ask->kind](&r))
		return true;
	out->code = CODE_MALFORMED;
	return false;
}
