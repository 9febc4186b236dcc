/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading the attributes of a <message>. */
#include "sessiond/wa/envelope.h"

#include <stdio.h>
#include <string.h>

#include "sessiond/wa/lidmap.h"

/* The first attribute of the list that holds a person's JID in the other namespace than `primary`. */
static struct jid other_form(const struct wa_node *message, const char *const *names, const struct jid *primary)
{
	struct jid jid;

	for (; *names != NULL; names++) {
		if (!wa_node_get_jid(message, *names, &jid))
			continue;
		if ((wa_lidmap_is_pn(&jid) && wa_lidmap_is_lid(primary)) || (wa_lidmap_is_lid(&jid) && wa_lidmap_is_pn(primary)))
			return jid_bare(&jid);
	}
	return (struct jid){ 0 };
}

static struct jid chat_of(const struct jid *jid)
{
	struct jid chat = jid_bare(jid);

	if (chat.server == JID_SERVER_HOSTED)
		chat.server = JID_SERVER_PN;
	else if (chat.server == JID_SERVER_HOSTED_LID)
		chat.server = JID_SERVER_LID;
	return chat;
}

static bool read_person(const struct wa_messaging *m, const struct wa_node *message, struct envelope *e)
{
	static const char *const SENDER[] = { "sender_lid", "sender_pn", NULL };
	static const char *const RECIPIENT[] = { "peer_recipient_lid", "peer_recipient_pn", "recipient_lid", "recipient_pn", NULL };

	e->kind = ENVELOPE_PERSON;
	e->author = e->from;
	e->from_me = wa_messaging_is_own(m, &e->from);
	e->chat = chat_of(&e->from);
	e->author_other = other_form(message, SENDER, &e->author);
	e->chat_other = e->author_other;
	if (jid_is_none(&e->recipient))
		return true;
	/* Only an own device writes to somebody else. */
	if (!e->from_me || !jid_is_person(&e->recipient))
		return false;
	e->chat = chat_of(&e->recipient);
	e->chat_other = other_form(message, RECIPIENT, &e->chat);
	return true;
}

static bool read_many(const struct wa_messaging *m, const struct wa_node *message, struct envelope *e)
{
	static const char *const PARTICIPANT[] = { "participant_lid", "participant_pn", NULL };

	if (jid_is_group(&e->from))
		e->kind = ENVELOPE_GROUP;
	else
		e->kind = jid_is_status(&e->from) ? ENVELOPE_STATUS : ENVELOPE_BROADCAST;
	e->chat = jid_bare(&e->from);
	if (!wa_node_get_jid(message, "participant", &e->author) || !jid_is_person(&e->author))
		return false;
	e->author_other = other_form(message, PARTICIPANT, &e->author);
	e->from_me = wa_messaging_is_own(m, &e->author);
	/* What comes by somebody's broadcast list belongs to the conversation with that person. */
	if (e->kind == ENVELOPE_BROADCAST && !e->from_me) {
		e->chat = chat_of(&e->author);
		e->chat_other = e->author_other;
	}
	return true;
}

bool wa_envelope_read(const struct wa_messaging *m, const struct wa_node *message, struct envelope *out)
{
	uint64_t seconds = 0;

	*out = (struct envelope){ 0 };
	out->id = wa_node_get(message, "id");
	/* It becomes the name of records: one that is too long to be stored would come again for ever. */
	if (out->id == NULL || out->id[0] == '\0' || strlen(out->id) > ENVELOPE_ID_MAX || !wa_node_get_jid(message, "from", &out->from))
		return false;
	wa_node_get_jid(message, "recipient", &out->recipient);
	out->offline = wa_node_get(message, "offline") != NULL;
	out->type = wa_node_get(message, "type");
	out->category = wa_node_get(message, "category");
	out->edit = wa_node_get(message, "edit");
	out->push_name = wa_node_get(message, "notify");
	if (out->push_name != NULL && strcmp(out->push_name, "-") == 0)
		out->push_name = NULL;
	out->peer = (out->category != NULL && strcmp(out->category, "peer") == 0) ||
		    (out->type != NULL && strcmp(out->type, "peer_msg") == 0);
	if (wa_node_get_u64(message, "t", &seconds) && seconds < INT64_MAX / 1000)
		out->time_ms = (int64_t)seconds * 1000;
	if (jid_is_person(&out->from))
		return read_person(m, message, out);
	if (jid_is_group(&out->from) || out->from.server == JID_SERVER_BROADCAST)
		return read_many(m, message, out);
	out->kind = out->from.server == JID_SERVER_NEWSLETTER ? ENVELOPE_NEWSLETTER : ENVELOPE_OTHER;
	out->chat = jid_bare(&out->from);
	out->author = out->from;
	return true;
}

void wa_envelope_name(const struct envelope *e, char *out, size_t cap)
{
	char chat[JID_TEXT_MAX];
	char author[JID_TEXT_MAX];

	snprintf(out, cap, "%s/%s/%s", jid_format(&e->chat, chat, sizeof chat), jid_format(&e->author, author, sizeof author), e->id);
}
