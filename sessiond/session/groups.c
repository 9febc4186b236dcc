/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What happens in groups, as events of the journal. Kinds of the original (webhooks.md 4.7, 4.8):
 *
 *     group_participants  {id, groupId, participants: [jid], action, author, people: [{jid, lid}], sessionId}
 *                         action: add, remove, promote, demote, modify; author: who did it; people: the participants in both forms
 *     group_join, group_leave    the same, after it, for add and remove
 *     group_update        {id, update: {id, author, one changed member}, sessionId}
 *     message_received    without content, see groupstub.c
 *
 * and one for those who ask for it:
 *
 *     group_join_request  {id, groupId, participants, action: created|revoked, method, sessionId}
 *
 * People are named by number where it is known. Source of names: Baileys Types/GroupMetadata.ts.
 */
#include <stdlib.h>

#include "common/mem.h"
#include "sessiond/daemon.h"
#include "sessiond/json_text.h"
#include "sessiond/session/groupevent.h"
#include "sessiond/session/object.h"

struct row {
	struct session *session;
	struct store_tx *tx;
	const struct wa_group_change *change;
	struct buf payload;
};

static void put_jid(struct buf *out, const char *name, const struct jid *jid)
{
	char text[JID_TEXT_MAX];

	if (!jid_is_none(jid))
		json_put_member(out, name, jid_format(jid, text, sizeof text));
}

static void row_start(struct row *row)
{
	buf_clear(&row->payload);
	buf_u8(&row->payload, '{');
	json_put_member(&row->payload, "id", row->session->id);
}

static void row_end(struct row *row, const char *kind)
{
	char chat[JID_TEXT_MAX];
	char *seed = xasprintf("%s/%d", row->change->stanza_id, (int)row->change->kind);

	json_put_member(&row->payload, "sessionId", row->session->id);
	buf_u8(&row->payload, '}');
	event_add(row->session, row->tx, kind, jid_format(&row->change->group, chat, sizeof chat), seed, &row->payload, timefmt_now_ms());
	free(seed);
}

static void put_participants(struct row *row)
{
	char text[JID_TEXT_MAX];

	put_jid(&row->payload, "groupId", &row->change->group);
	json_put_name(&row->payload, "participants");
	buf_u8(&row->payload, '[');
	for (size_t i = 0; i < row->change->n; i++) {
		const struct wa_group_member *member = &row->change->members[i];

		if (i)
			buf_u8(&row->payload, ',');
		json_put_string(&row->payload, jid_format(group_event_number(&member->jid, &member->other), text, sizeof text));
	}
	buf_u8(&row->payload, ']');
}

static void put_either(struct buf *out, const char *name, const struct jid *a, const struct jid *b, enum jid_server server)
{
	char text[JID_TEXT_MAX];
	const struct jid *found = a->server == server ? a : b->server == server ? b : NULL;

	json_put_member(out, name, found ? jid_format(found, text, sizeof text) : NULL);
}

static void put_both_forms(struct row *row)
{
	json_put_name(&row->payload, "people");
	buf_u8(&row->payload, '[');
	for (size_t i = 0; i < row->change->n; i++) {
		const struct wa_group_member *member = &row->change->members[i];

		buf_append_text(&row->payload, i ? ",{" : "{");
		put_either(&row->payload, "jid", &member->jid, &member->other, JID_SERVER_PN);
		put_either(&row->payload, "lid", &member->jid, &member->other, JID_SERVER_LID);
		buf_u8(&row->payload, '}');
	}
	buf_u8(&row->payload, ']');
}

static void participants_row(struct row *row, const char *kind, const char *action)
{
	row_start(row);
	put_participants(row);
	json_put_member(&row->payload, "action", action);
	put_jid(&row->payload, "author", group_event_number(&row->change->actor, &row->change->actor_other));
	put_both_forms(row);
	row_end(row, kind);
}

static void of_participants(struct row *row)
{
	static const struct {
		enum wa_group_change_kind kind;
		const char *action, *more;
	} actions[] = {
		{ WA_GROUP_ADDED, "add", "group_join" },     { WA_GROUP_REMOVED, "remove", "group_leave" },
		{ WA_GROUP_PROMOTED, "promote", NULL },      { WA_GROUP_DEMOTED, "demote", NULL },
		{ WA_GROUP_MODIFIED, "modify", NULL },
	};

	for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) {
		if (actions[i].kind != row->change->kind)
			continue;
		participants_row(row, "group_participants", actions[i].action);
		if (actions[i].more)
			participants_row(row, actions[i].more, actions[i].action);
	}
}

static void of_update(struct row *row)
{
	const struct wa_group_change *c = row->change;

	row_start(row);
	json_put_name(&row->payload, "update");
	buf_u8(&row->payload, '{');
	put_jid(&row->payload, "id", &c->group);
	switch (c->kind) {
	case WA_GROUP_SUBJECT:
		json_put_member(&row->payload, "subject", c->text ? c->text : "");
		break;
	case WA_GROUP_DESCRIPTION:
		json_put_member(&row->payload, "desc", c->text ? c->text : "");
		break;
	case WA_GROUP_ANNOUNCE:
		json_put_bool(&row->payload, "announce", c->on);
		break;
	case WA_GROUP_LOCKED:
		json_put_bool(&row->payload, "restrict", c->on);
		break;
	case WA_GROUP_EXPIRATION:
		json_put_int(&row->payload, "ephemeralDuration", c->number);
		break;
	case WA_GROUP_INVITE:
		json_put_member(&row->payload, "inviteCode", c->text ? c->text : "");
		break;
	case WA_GROUP_PARENT:
		json_put_member(&row->payload, "linkedParent", c->on ? c->id : NULL);
		break;
	case WA_GROUP_MEMBERS_ADD:
		json_put_bool(&row->payload, "memberAddMode", c->on);
		break;
	default:
		json_put_bool(&row->payload, "joinApprovalMode", c->on);
		break;
	}
	put_jid(&row->payload, "author", group_event_number(&c->actor, &c->actor_other));
	buf_u8(&row->payload, '}');
	row_end(row, "group_update");
}

static void of_join_request(struct row *row)
{
	row_start(row);
	put_participants(row);
	json_put_member(&row->payload, "action", row->change->on ? "revoked" : "created");
	json_put_member(&row->payload, "method", row->change->text ? row->change->text : "invite_link");
	row_end(row, "group_join_request");
}

/* Our own changes are no news to receivers of messages. */
static void of_stub(struct row *row)
{
	const struct jid *actor = &row->change->actor;
	char chat[JID_TEXT_MAX];
	char *seed;

	if (jid_same_user(actor, &row->session->view.me_pn) || (!jid_is_none(actor) && jid_same_user(actor, &row->session->view.me_lid)))
		return;
	buf_clear(&row->payload);
	if (!group_event_stub(&row->payload, row->session->id, row->change))
		return;
	seed = xasprintf("%s/stub/%d", row->change->stanza_id, (int)row->change->kind);
	event_add(row->session, row->tx, "message_received", jid_format(&row->change->group, chat, sizeof chat), seed, &row->payload, timefmt_now_ms());
	free(seed);
}

void event_group(struct session *session, struct store_tx *tx, const struct wa_event *event)
{
	static void (*const builders[])(struct row *row) = {
		[WA_GROUP_ADDED] = of_participants,      [WA_GROUP_REMOVED] = of_participants,  [WA_GROUP_PROMOTED] = of_participants,
		[WA_GROUP_DEMOTED] = of_participants,    [WA_GROUP_MODIFIED] = of_participants, [WA_GROUP_SUBJECT] = of_update,
		[WA_GROUP_DESCRIPTION] = of_update,      [WA_GROUP_ANNOUNCE] = of_update,       [WA_GROUP_LOCKED] = of_update,
		[WA_GROUP_EXPIRATION] = of_update,       [WA_GROUP_INVITE] = of_update,         [WA_GROUP_MEMBERS_ADD] = of_update,
		[WA_GROUP_APPROVAL] = of_update,         [WA_GROUP_JOIN_REQUEST] = of_join_request, [WA_GROUP_PARENT] = of_update,
	};
	struct row row = { .session = session, .tx = tx, .change = event->group };

	if (event->group && (size_t)event->group->kind < sizeof builders / sizeof *builders && builders[event->group->kind])
		builders[event->group->kind](&row);
	if (event->group)
		of_stub(&row);
	buf_free(&row.payload);
}
