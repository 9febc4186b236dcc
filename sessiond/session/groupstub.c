/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Changes of groups as receivers of the original know them: a message without content beside the group_* event (webhooks.md 4.1).
 *
 *     {"id","tags":"system","message":{"key":{..},"messageTimestamp":"1767225600","participant":"..","messageStubType":"GROUP_CHANGE_SUBJECT",
 *      "messageStubParameters":["New name"]},"text":"","sender":{..},"mentions":[],"type":"append","sessionId"}
 *
 * Our own changes are left out, as own messages are. Source of the names: Baileys Socket/messages-recv.ts.
 */
#include "sessiond/session/groupevent.h"

#include "sessiond/json_text.h"

typedef void put_parameters(struct buf *out, const struct wa_group_change *c);

static void put_people(struct buf *out, const struct wa_group_change *c)
{
	char text[JID_TEXT_MAX];

	for (size_t i = 0; i < c->n; i++) {
		if (i)
			buf_u8(out, ',');
		json_put_string(out, jid_format(group_event_number(&c->members[i].jid, &c->members[i].other), text, sizeof text));
	}
}

static void put_text(struct buf *out, const struct wa_group_change *c)
{
	json_put_string(out, c->text ? c->text : "");
}

static void put_code(struct buf *out, const struct wa_group_change *c)
{
	if (c->text)
		put_text(out, c);
}

static void put_on(struct buf *out, const struct wa_group_change *c)
{
	json_put_string(out, c->on ? "on" : "off");
}

static void put_add_mode(struct buf *out, const struct wa_group_change *c)
{
	json_put_string(out, c->on ? "all_member_add" : "admin_add");
}

static void put_subject(struct buf *out, const struct wa_group_change *c)
{
	json_put_string(out, c->info && c->info->subject ? c->info->subject : "");
}

static void put_request(struct buf *out, const struct wa_group_change *c)
{
	put_people(out, c);
	buf_append_text(out, c->on ? ",\"revoked\"" : ",\"created\"");
	if (!c->on) {
		buf_u8(out, ',');
		json_put_string(out, c->text ? c->text : "invite_link");
	}
}

static const struct {
	const char *stub;
	put_parameters *put;
} STUBS[] = {
	[WA_GROUP_CREATED] = { "GROUP_CREATE", put_subject },
	[WA_GROUP_ADDED] = { "GROUP_PARTICIPANT_ADD", put_people },
	[WA_GROUP_REMOVED] = { "GROUP_PARTICIPANT_REMOVE", put_people },
	[WA_GROUP_PROMOTED] = { "GROUP_PARTICIPANT_PROMOTE", put_people },
	[WA_GROUP_DEMOTED] = { "GROUP_PARTICIPANT_DEMOTE", put_people },
	[WA_GROUP_MODIFIED] = { "GROUP_PARTICIPANT_CHANGE_NUMBER", put_people },
	[WA_GROUP_SUBJECT] = { "GROUP_CHANGE_SUBJECT", put_text },
	[WA_GROUP_DESCRIPTION] = { "GROUP_CHANGE_DESCRIPTION", put_code },
	[WA_GROUP_ANNOUNCE] = { "GROUP_CHANGE_ANNOUNCE", put_on },
	[WA_GROUP_LOCKED] = { "GROUP_CHANGE_RESTRICT", put_on },
	[WA_GROUP_INVITE] = { "GROUP_CHANGE_INVITE_LINK", put_code },
	[WA_GROUP_MEMBERS_ADD] = { "GROUP_MEMBER_ADD_MODE", put_add_mode },
	[WA_GROUP_APPROVAL] = { "GROUP_MEMBERSHIP_JOIN_APPROVAL_MODE", put_on },
	[WA_GROUP_JOIN_REQUEST] = { "GROUP_MEMBERSHIP_JOIN_APPROVAL_REQUEST_NON_ADMIN_ADD", put_request },
};

static void put_message(struct buf *out, const struct wa_group_change *c, const char *group, const char *author)
{
	const char *stub = c->kind == WA_GROUP_REMOVED && c->on ? "GROUP_PARTICIPANT_LEAVE" : STUBS[c->kind].stub;

	json_put_name(out, "message");
	buf_append_text(out, "{\"key\":{");
	json_put_member(out, "remoteJid", group);
	json_put_bool(out, "fromMe", false);
	json_put_member(out, "id", c->stanza_id);
	json_put_member(out, "participant", author);
	buf_printf(out, "},\"messageTimestamp\":\"%lld\"", (long long)(c->time_ms / 1000));
	json_put_member(out, "participant", author);
	json_put_member(out, "messageStubType", stub);
	json_put_name(out, "messageStubParameters");
	buf_u8(out, '[');
	STUBS[c->kind].put(out, c);
	buf_append_text(out, "]}");
}

bool group_event_stub(struct buf *out, const char *session_id, const struct wa_group_change *c)
{
	char group[JID_TEXT_MAX];
	char author[JID_TEXT_MAX];

	if ((size_t)c->kind >= sizeof STUBS / sizeof *STUBS || !STUBS[c->kind].stub)
		return false;
	jid_format(&c->group, group, sizeof group);
	jid_format(jid_is_none(&c->actor) ? &c->group : group_event_number(&c->actor, &c->actor_other), author, sizeof author);
	buf_u8(out, '{');
	json_put_member(out, "id", session_id);
	json_put_member(out, "tags", "system");
	put_message(out, c, group, author);
	json_put_member(out, "text", "");
	json_put_name(out, "sender");
	buf_u8(out, '{');
	json_put_member(out, "chatId", group);
	json_put_bool(out, "fromMe", false);
	json_put_bool(out, "isGroup", true);
	json_put_member(out, "authorJid", author);
	buf_append_text(out, "},\"mentions\":[]");
	json_put_member(out, "type", "append");
	json_put_member(out, "sessionId", session_id);
	buf_u8(out, '}');
	return true;
}
