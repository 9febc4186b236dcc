/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which event a message becomes, and the parts that all of them share. The contents are in content.c. */
#include "sessiond/session/normalise.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "sessiond/daemon.h"
#include "sessiond/json_text.h"
#include "sessiond/session/content.h"
#include "sessiond/session/mirror.h"
#include "sessiond/session/object.h"

/* ---- key and sender ---- */

static void put_jid(struct buf *out, const char *name, const struct jid *jid)
{
	char text[JID_TEXT_MAX];

	json_put_member(out, name, jid_format(jid, text, sizeof text));
}

static void put_if_known(struct buf *out, const char *name, const struct jid *jid)
{
	if (!jid_is_none(jid))
		put_jid(out, name, jid);
}

struct jid normalise_author(const struct wa_message *m)
{
	struct jid bare = jid_bare(&m->sender);

	if (jid_is_group(&m->chat) || m->chat.server == JID_SERVER_BROADCAST)
		return jid_is_none(&m->sender_pn) ? bare : m->sender_pn;
	return jid_is_none(&m->chat_pn) ? m->chat : m->chat_pn;
}

void normalise_key(struct buf *out, const struct wa_message *m)
{
	bool group = jid_is_group(&m->chat);
	struct jid who = normalise_author(m);
	struct jid raw = jid_bare(&m->sender);

	buf_u8(out, '{');
	put_jid(out, "remoteJid", &m->chat);
	json_put_bool(out, "fromMe", m->from_me);
	json_put_member(out, "id", m->id);
	if (!group && jid_is_pn(&m->chat))
		put_if_known(out, "senderLid", &m->chat_lid);
	if (!group && jid_is_lid(&m->chat))
		put_if_known(out, "senderPn", &m->chat_pn);
	put_jid(out, "participant", &who);
	if (group && jid_is_lid(&m->sender))
		put_if_known(out, "participantPn", &m->sender_pn);
	if (group && jid_is_pn(&m->sender))
		put_if_known(out, "participantLid", &m->sender_lid);
	if (group)
		put_jid(out, "rawParticipant", &raw);
	buf_u8(out, '}');
}

void normalise_put_sender(struct buf *out, const struct wa_message *m)
{
	struct jid who = normalise_author(m);

	json_put_name(out, "sender");
	buf_u8(out, '{');
	put_jid(out, "chatId", &m->chat);
	json_put_bool(out, "fromMe", m->from_me);
	json_put_bool(out, "isGroup", jid_is_group(&m->chat));
	put_jid(out, "authorJid", &who);
	buf_u8(out, '}');
}

static void put_whole_message(struct buf *out, const struct wa_message *m, const struct content *c, const struct content_file *file)
{
	struct buf json = { 0 };
	bool ok;

	json_put_name(out, "message");
	buf_u8(out, '{');
	json_put_name(out, "key");
	normalise_key(out, m);
	json_put_int(out, "messageTimestamp", m->time_ms / 1000);
	if (m->push_name && m->push_name[0])
		json_put_member(out, "pushName", m->push_name);
	json_put_bool(out, "broadcast", m->by_list);
	if (m->verified_name && m->verified_name[0])
		json_put_member(out, "verifiedBizName", m->verified_name);
	ok = file && file->url ? message_json_moved(&json, &c->whole, &c->media, file->url) : message_json(&json, &c->whole);
	if (ok && json.len > 2)
		json_put_raw(out, "message", buf_text(&json));
	buf_u8(out, '}');
	buf_free(&json);
}

/* ---- events ---- */

static void start(struct buf *out, const char *session_id)
{
	buf_u8(out, '{');
	json_put_member(out, "id", session_id);
}

static void finish(struct buf *out, const char *session_id)
{
	json_put_member(out, "sessionId", session_id);
	buf_u8(out, '}');
}

static void put_content(struct buf *out, const struct config *config, const struct wa_message *m, const struct content *c)
{
	json_put_name(out, "text");
	json_put_span(out, buf_span(&c->text));
	if (c->type)
		json_put_member(out, "contentType", c->type);
	else if (!c->legacy && content_is_unknown(c))
		json_put_member(out, "contentType", "unknown");
	content_put_quoted(out, c);
	normalise_put_sender(out, m);
	(void)config;
}

bool normalise_is_command(const struct config *config, const struct content *c)
{
	const char *text = (const char *)c->text.data;
	size_t len = 0;

	if (c->text.len < 2 || !strchr("/!.", text[0]))
		return false;
	while (len + 1 < c->text.len && !isspace((unsigned char)text[len + 1]))
		len++;
	for (size_t i = 0; i < config->commands.count; i++) {
		if (strlen(config->commands.items[i]) == len && strncasecmp(config->commands.items[i], text + 1, len) == 0)
			return true;
	}
	return false;
}

static void as_message(struct normalised *out, const char *id, const struct config *config, const struct wa_message *m, const struct content *c,
	const struct content_file *file)
{
	struct buf *p = &out->payload;
	bool command = normalise_is_command(config, c);

	out->kind = command ? "message_command" : "message_received";
	start(p, id);
	if (!command)
		json_put_member(p, "tags", c->tag);
	put_whole_message(p, m, c, file);
	put_content(p, config, m, c);
	if (!command)
		content_put_media(p, c, config, file);
	content_put_mentions(p, c, m);
	if (!c->legacy)
		content_put_more(p, c);
	json_put_member(p, "type", m->offline ? "append" : "notify");
	finish(p, id);
}

static void as_reaction(struct normalised *out, const char *id, const struct wa_message *m, const struct content *c)
{
	struct buf *p = &out->payload;
	struct buf json = { 0 };

	out->kind = "message_reaction";
	start(p, id);
	json_put_name(p, "key");
	normalise_key(p, m);
	if (message_json(&json, &c->body))
		json_put_raw(p, "reaction", buf_text(&json));
	normalise_put_sender(p, m);
	finish(p, id);
	buf_free(&json);
}

/* In a group: the sender, unless the key names somebody else (an administrator's revocation). */
static void put_target_author(struct buf *out, const struct wa_message *m, const struct message_part *key)
{
	struct span named = message_text(key, "participant");
	struct wire_field from_me = { 0 };
	struct jid who = normalise_author(m);
	struct jid other;

	if ((!message_find(key, "fromMe", &from_me) || !from_me.value) && named.p && jid_parse(&other, (const char *)named.p, named.n) == 0)
		who = jid_bare(&other);
	put_jid(out, "participant", &who);
}

/* {"remoteJid":..,"fromMe":..,"id":..} of what a protocol message names, seen from this chat. */
static void put_target_key(struct buf *out, const struct wa_message *m, const struct message_part *protocol)
{
	struct message_part key = message_sub(protocol, "key");
	struct span id = message_text(&key, "id");

	buf_u8(out, '{');
	put_jid(out, "remoteJid", &m->chat);
	json_put_bool(out, "fromMe", m->target_from_me);
	json_put_name(out, "id");
	json_put_span(out, id.p ? id : span_of("", 0));
	if (jid_is_group(&m->chat))
		put_target_author(out, m, &key);
	buf_u8(out, '}');
}

static void as_edit(struct normalised *out, const char *id, const struct wa_message *m, const struct message_part *protocol)
{
	struct message_part edited = message_sub(protocol, "editedMessage");
	struct content c;
	struct buf *p = &out->payload2;
	struct buf json = { 0 };

	if (!edited.bytes.p || !message_json(&json, &edited))
		return;
	out->kind2 = "message_edited";
	start(p, id);
	json_put_name(p, "key");
	put_target_key(p, m, protocol);
	buf_append_text(p, ",\"editedMessage\":{");
	json_put_raw(p, "message", buf_text(&json));
	buf_append_text(p, "},\"update\":{\"key\":");
	put_target_key(p, m, protocol);
	buf_append_text(p, ",\"update\":{\"message\":{\"editedMessage\":{");
	json_put_raw(p, "message", buf_text(&json));
	buf_append_text(p, "}}");
	json_put_int(p, "messageTimestamp", m->time_ms / 1000);
	buf_append_text(p, "}}");
	content_read(&c, edited.bytes, false);
	content_put_mentions(p, &c, m);
	content_free(&c);
	finish(p, id);
	buf_free(&json);
}

static void as_revocation(struct normalised *out, const char *id, const struct wa_message *m, const struct message_part *protocol)
{
	struct buf *p = &out->payload2;

	out->kind2 = "message_revoked";
	start(p, id);
	json_put_name(p, "key");
	put_target_key(p, m, protocol);
	buf_append_text(p, ",\"update\":{\"key\":");
	put_target_key(p, m, protocol);
	buf_append_text(p, ",\"update\":{\"message\":null,\"messageStubType\":1,\"key\":");
	normalise_key(p, m);
	buf_append_text(p, "}}");
	json_put_member(p, "scope", "everyone");
	finish(p, id);
}

/* protocolMessage.type */
enum { PROTOCOL_REVOKE = 0, PROTOCOL_EDIT = 14 };

/* Only what the protocol library has found to be the sender's right: m->target. */
static void look_at_protocol(struct normalised *out, const char *id, const struct wa_message *m, const struct message_part *protocol)
{
	struct wire_field type = { 0 };
	bool given = message_find(protocol, "type", &type);
	struct message_part key = message_sub(protocol, "key");
	struct span target = key.bytes.p ? message_text(&key, "id") : key.bytes;

	if (!m->target || !target.p || !span_is(target, m->target))
		return;
	if (given && type.value == PROTOCOL_EDIT)
		as_edit(out, id, m, protocol);
	else if (!given || type.value == PROTOCOL_REVOKE)
		as_revocation(out, id, m, protocol);
}

void normalise(struct normalised *out, const char *session_id, const struct config *config, const struct wa_message *m,
	const struct content_file *file)
{
	struct message_part protocol;
	struct content c;
	bool pin;

	memset(out, 0, sizeof *out);
	if (m->chat.server == JID_SERVER_NEWSLETTER || (m->chat.server == JID_SERVER_BROADCAST && !jid_is_status(&m->chat)) || jid_is_none(&m->chat))
		return;
	content_read(&c, buf_span(&m->plaintext), config->compat_legacy_content);
	/* What others post is not told; what they think of our own posts is. */
	if (jid_is_status(&m->chat) && (m->from_me || !c.type || strcmp(c.type, "reactionMessage") != 0)) {
		content_free(&c);
		return;
	}
	pin = strcmp(c.tag, "pin") == 0;
	protocol = content_protocol(&c);
	if (protocol.bytes.p)
		look_at_protocol(out, session_id, m, &protocol);
	if (m->from_me && !pin) {
		content_free(&c);
		return;
	}
	if (c.type && strcmp(c.type, "reactionMessage") == 0)
		as_reaction(out, session_id, m, &c);
	else if (out->kind2 && !config->compat_protocol_copies)
		out->kind = NULL;
	else if (strcmp(c.tag, "reaction") != 0)
		as_message(out, session_id, config, m, &c, file);
	content_free(&c);
}

void normalised_free(struct normalised *normalised)
{
	buf_free(&normalised->payload);
	buf_free(&normalised->payload2);
}

void normalise_add(struct session *session, struct store_tx *tx, const struct wa_message *message, const struct content_file *file)
{
	struct normalised n;
	char chat[JID_TEXT_MAX];
	char sender[JID_TEXT_MAX];
	char seed[JID_TEXT_MAX * 2 + 256];

	normalise(&n, session->id, session->on->daemon->config, message, file);
	jid_format(&message->chat, chat, sizeof chat);
	snprintf(seed, sizeof seed, "%s\n%s\n%s", chat, jid_format(&message->sender, sender, sizeof sender), message->id);
	if (n.kind2)
		event_add(session, tx, n.kind2, chat, seed, &n.payload2, message->time_ms);
	if (n.kind)
		event_add(session, tx, n.kind, chat, seed, &n.payload, message->time_ms);
	normalised_free(&n);
}

void normalise_message(struct session *session, struct store_tx *tx, const struct wa_message *message)
{
	if (!message)
		return;
	if (mirror_wanted(session, message))
		mirror_keep(session, tx, message);
	else
		normalise_add(session, tx, message, NULL);
}
