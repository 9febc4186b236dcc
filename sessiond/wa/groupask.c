/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Questions about groups, as the server reads them. */
#include <stdio.h>
#include <string.h>

#include "sessiond/wa/groupwire.h"
#include "sessiond/wa/lidmap.h"

struct build {
	struct arena *a;
	const struct wa_group_ask *ask;
	const struct jid *others;
	const uint8_t *token;
	struct wa_node *iq;
};

typedef void ask_builder(struct build *b);

/* A message id's form; n tells the things of one question apart. */
static void add_id(const struct build *b, struct wa_node *node, const char *key, unsigned n)
{
	char text[32];
	size_t at = (size_t)snprintf(text, sizeof text, "3EB0");

	for (size_t i = 0; i < 8; i++)
		at += (size_t)snprintf(text + at, sizeof text - at, "%02X", (unsigned)b->token[i]);
	snprintf(text + at, sizeof text - at, "%02X", n);
	wa_node_attr(b->a, node, key, text);
}

static void add_people(const struct build *b, struct wa_node *parent)
{
	for (size_t i = 0; i < b->ask->n; i++) {
		struct wa_node *p = wa_node_add_new(b->a, parent, "participant");

		wa_node_attr_jid(b->a, p, "jid", &b->ask->people[i]);
		if (wa_lidmap_is_lid(&b->ask->people[i]) && wa_lidmap_is_pn(&b->others[i]))
			wa_node_attr_jid(b->a, p, "phone_number", &b->others[i]);
	}
}

static void add_body(const struct build *b, struct wa_node *description, const char *text)
{
	wa_node_add_bytes(b->a, description, "body", span_text(text));
}

/* ---- reading questions ---- */

static void ask_groups(struct build *b)
{
	struct wa_node *node = wa_node_add_new(b->a, b->iq, "participating");

	/* Without the members: the server counts them in `size`. on: with them, from a server that did not. */
	if (b->ask->on)
		wa_node_add_new(b->a, node, "participants");
	wa_node_add_new(b->a, node, "description");
}

static void ask_group(struct build *b)
{
	wa_node_attr(b->a, wa_node_add_new(b->a, b->iq, "query"), "request", "interactive");
}

static void ask_requests(struct build *b)
{
	wa_node_add_new(b->a, b->iq, "membership_approval_requests");
}

static void ask_invite(struct build *b)
{
	wa_node_add_new(b->a, b->iq, "invite");
}

static void ask_code(struct build *b)
{
	wa_node_attr(b->a, wa_node_add_new(b->a, b->iq, "invite"), "code", b->ask->text);
}

static void put_invitation(const struct build *b, struct wa_node *node)
{
	wa_node_attr(b->a, node, "code", b->ask->text);
	wa_node_attr_u64(b->a, node, "expiration", b->ask->expires_s);
	wa_node_attr_jid(b->a, node, "admin", &b->ask->admin);
}

static void ask_invitation(struct build *b)
{
	put_invitation(b, wa_node_add_new(b->a, wa_node_add_new(b->a, b->iq, "query"), "add_request"));
}

static void ask_subgroups(struct build *b)
{
	wa_node_add_new(b->a, b->iq, "sub_groups");
}

static void ask_community_members(struct build *b)
{
	wa_node_add_new(b->a, b->iq, "linked_groups_participants");
}

static void ask_users(struct build *b)
{
	struct wa_node *usync = wa_node_add_new(b->a, b->iq, "usync");
	struct wa_node *query;
	struct wa_node *list;
	char text[JID_USER_MAX + 20];

	snprintf(text, sizeof text, "%02x%02x%02x%02x", b->token[0], b->token[1], b->token[2], b->token[3]);
	wa_node_attr(b->a, usync, "sid", text);
	wa_node_attr(b->a, usync, "mode", "query");
	wa_node_attr(b->a, usync, "context", "interactive");
	wa_node_attr(b->a, usync, "index", "0");
	wa_node_attr(b->a, usync, "last", "true");
	query = wa_node_add_new(b->a, usync, "query");
	wa_node_add_new(b->a, query, "contact");
	wa_node_add_new(b->a, query, "lid");
	list = wa_node_add_new(b->a, usync, "list");
	for (size_t i = 0; i < b->ask->n; i++) {
		snprintf(text, sizeof text, "+%s", b->ask->people[i].user);
		wa_node_add_bytes(b->a, wa_node_add_new(b->a, list, "user"), "contact", span_text(text));
	}
}

/* ---- changing questions ---- */

static void ask_create(struct build *b)
{
	const struct wa_group_ask *ask = b->ask;
	struct wa_node *create = wa_node_add_new(b->a, b->iq, "create");

	wa_node_attr(b->a, create, "subject", ask->text);
	add_id(b, create, "key", 0);
	add_people(b, create);
	if (ask->description != NULL && ask->description[0] != '\0') {
		struct wa_node *description = wa_node_add_new(b->a, create, "description");

		add_id(b, description, "id", 1);
		add_body(b, description, ask->description);
	}
	if (!jid_is_none(&ask->parent))
		wa_node_attr_jid(b->a, wa_node_add_new(b->a, create, "linked_parent"), "jid", &ask->parent);
	if (ask->community) {
		wa_node_attr(b->a, wa_node_add_new(b->a, create, "parent"), "default_membership_approval_mode", "request_required");
		wa_node_add_new(b->a, create, "allow_non_admin_sub_group_creation");
		wa_node_add_new(b->a, create, "create_general_chat");
	}
}

static void ask_leave(struct build *b)
{
	wa_node_attr_jid(b->a, wa_node_add_new(b->a, wa_node_add_new(b->a, b->iq, "leave"), "group"), "id", &b->ask->group);
}

static void ask_subject(struct build *b)
{
	wa_node_add_bytes(b->a, b->iq, "subject", span_text(b->ask->text));
}

static void ask_description(struct build *b)
{
	struct wa_node *description = wa_node_add_new(b->a, b->iq, "description");

	add_id(b, description, "id", 1);
	wa_node_attr(b->a, description, "prev", b->ask->previous);
	if (b->ask->text[0] == '\0')
		wa_node_attr(b->a, description, "delete", "true");
	else
		add_body(b, description, b->ask->text);
}

static void ask_announce(struct build *b)
{
	wa_node_add_new(b->a, b->iq, b->ask->on ? "announcement" : "not_announcement");
}

static void ask_locked(struct build *b)
{
	wa_node_add_new(b->a, b->iq, b->ask->on ? "locked" : "unlocked");
}

static void ask_ephemeral(struct build *b)
{
	if (b->ask->seconds == 0)
		wa_node_add_new(b->a, b->iq, "not_ephemeral");
	else
		wa_node_attr_u64(b->a, wa_node_add_new(b->a, b->iq, "ephemeral"), "expiration", b->ask->seconds);
}

static void ask_member_add(struct build *b)
{
	wa_node_add_bytes(b->a, b->iq, "member_add_mode", span_text(b->ask->on ? "all_member_add" : "admin_add"));
}

static void ask_approval(struct build *b)
{
	struct wa_node *mode = wa_node_add_new(b->a, b->iq, "membership_approval_mode");

	wa_node_attr(b->a, wa_node_add_new(b->a, mode, "group_join"), "state", b->ask->on ? "on" : "off");
}

static void ask_add(struct build *b)
{
	add_people(b, wa_node_add_new(b->a, b->iq, "add"));
}

static void ask_remove(struct build *b)
{
	struct wa_node *remove = wa_node_add_new(b->a, b->iq, "remove");

	if (b->ask->on)
		wa_node_attr(b->a, remove, "linked_groups", "true");
	add_people(b, remove);
}

static void ask_promote(struct build *b)
{
	add_people(b, wa_node_add_new(b->a, b->iq, "promote"));
}

static void ask_demote(struct build *b)
{
	add_people(b, wa_node_add_new(b->a, b->iq, "demote"));
}

static void ask_approve(struct build *b)
{
	add_people(b, wa_node_add_new(b->a, wa_node_add_new(b->a, b->iq, "membership_requests_action"), "approve"));
}

static void ask_reject(struct build *b)
{
	add_people(b, wa_node_add_new(b->a, wa_node_add_new(b->a, b->iq, "membership_requests_action"), "reject"));
}

static void ask_accept(struct build *b)
{
	put_invitation(b, wa_node_add_new(b->a, b->iq, "accept"));
}

static void ask_take_back(struct build *b)
{
	add_people(b, wa_node_add_new(b->a, b->iq, "revoke"));
}

static void ask_link(struct build *b)
{
	struct wa_node *link = wa_node_add_new(b->a, wa_node_add_new(b->a, b->iq, "links"), "link");

	wa_node_attr(b->a, link, "link_type", "sub_group");
	for (size_t i = 0; i < b->ask->n; i++)
		wa_node_attr_jid(b->a, wa_node_add_new(b->a, link, "group"), "jid", &b->ask->people[i]);
}

static void ask_unlink(struct build *b)
{
	struct wa_node *unlink = wa_node_add_new(b->a, b->iq, "unlink");

	wa_node_attr(b->a, unlink, "unlink_type", "sub_group");
	for (size_t i = 0; i < b->ask->n; i++) {
		struct wa_node *group = wa_node_add_new(b->a, unlink, "group");

		wa_node_attr_jid(b->a, group, "jid", &b->ask->people[i]);
		if (b->ask->on)
			wa_node_attr(b->a, group, "remove_orphaned_members", "true");
	}
}

static void ask_deactivate(struct build *b)
{
	wa_node_add_new(b->a, b->iq, "delete_parent");
}

enum whom { TO_GROUP, TO_ALL_GROUPS, TO_SERVER };

static const struct {
	const char *type;
	enum whom to;
	ask_builder *build;
} ASKS[] = {
	[WA_ASK_GROUPS] = { "get", TO_ALL_GROUPS, ask_groups },
	[WA_ASK_GROUP] = { "get", TO_GROUP, ask_group },
	[WA_ASK_CREATE] = { "set", TO_ALL_GROUPS, ask_create },
	[WA_ASK_LEAVE] = { "set", TO_ALL_GROUPS, ask_leave },
	[WA_ASK_SUBJECT] = { "set", TO_GROUP, ask_subject },
	[WA_ASK_DESCRIPTION] = { "set", TO_GROUP, ask_description },
	[WA_ASK_ANNOUNCE] = { "set", TO_GROUP, ask_announce },
	[WA_ASK_LOCKED] = { "set", TO_GROUP, ask_locked },
	[WA_ASK_EPHEMERAL] = { "set", TO_GROUP, ask_ephemeral },
	[WA_ASK_MEMBER_ADD] = { "set", TO_GROUP, ask_member_add },
	[WA_ASK_APPROVAL] = { "set", TO_GROUP, ask_approval },
	[WA_ASK_ADD] = { "set", TO_GROUP, ask_add },
	[WA_ASK_REMOVE] = { "set", TO_GROUP, ask_remove },
	[WA_ASK_PROMOTE] = { "set", TO_GROUP, ask_promote },
	[WA_ASK_DEMOTE] = { "set", TO_GROUP, ask_demote },
	[WA_ASK_REQUESTS] = { "get", TO_GROUP, ask_requests },
	[WA_ASK_APPROVE] = { "set", TO_GROUP, ask_approve },
	[WA_ASK_REJECT] = { "set", TO_GROUP, ask_reject },
	[WA_ASK_INVITE] = { "get", TO_GROUP, ask_invite },
	[WA_ASK_NEW_INVITE] = { "set", TO_GROUP, ask_invite },
	[WA_ASK_INVITE_INFO] = { "get", TO_ALL_GROUPS, ask_code },
	[WA_ASK_JOIN] = { "set", TO_ALL_GROUPS, ask_code },
	[WA_ASK_INVITATION] = { "get", TO_GROUP, ask_invitation },
	[WA_ASK_ACCEPT] = { "set", TO_GROUP, ask_accept },
	[WA_ASK_TAKE_BACK] = { "set", TO_GROUP, ask_take_back },
	[WA_ASK_SUBGROUPS] = { "get", TO_GROUP, ask_subgroups },
	[WA_ASK_COMMUNITY_MEMBERS] = { "get", TO_GROUP, ask_community_members },
	[WA_ASK_LINK] = { "set", TO_GROUP, ask_link },
	[WA_ASK_UNLINK] = { "set", TO_GROUP, ask_unlink },
	[WA_ASK_DEACTIVATE] = { "set", TO_GROUP, ask_deactivate },
	[WA_ASK_USERS] = { "get", TO_SERVER, ask_users },
};

struct wa_node *wa_group_ask_node(struct arena *a, const struct wa_group_ask *ask, const struct jid *others, const uint8_t token[static 8])
{
	const struct jid all = { .server = JID_SERVER_GROUP };
	struct build b = { .a = a, .ask = ask, .others = others, .token = token, .iq = wa_node_new(a, "iq") };
	enum whom to = ASKS[ask->kind].to;

	if (to == TO_SERVER)
		wa_node_attr_server(a, b.iq, "to");
	else
		wa_node_attr_jid(a, b.iq, "to", to == TO_GROUP ? &ask->group : &all);
	wa_node_attr(a, b.iq, "type", ASKS[ask->kind].type);
	wa_node_attr(a, b.iq, "xmlns", to == TO_SERVER ? "usync" : "w:g2");
	ASKS[ask->kind].build(&b);
	return b.iq;
}
