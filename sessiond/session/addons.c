/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is added to earlier messages, as events: decrypted votes, answers, reactions, comments and edits, and edits that were refused.
 *
 *     poll_vote         {id, key, messageKey, pollCreatorJid, voterJid, votedOptionIndexes, votedOptionNames, unknownOptions?, pollTitle,
 *                        selectableOptionsCount, pollOptions: [{index, name, votes}], voters, counted, timestampMs, sessionId}
 *     event_response    {id, key, messageKey, response, extraGuestCount, timestampMs, sender, sessionId}
 *     message_comment   {id, key, messageKey, message, sender, sessionId}
 *     message_refused   {id, key, messageKey, action, error, sender, sessionId}
 *     message_reaction, message_edited: as for those that came in the clear
 *
 * key is the key of the message that brought it, messageKey that of the one it belongs to. What could not be read has "error" instead of
 * its content. Names of poll_vote are those of POST misc/whatsapp/poll-update-vote.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sessiond/json_text.h"
#include "sessiond/session/chatrow.h"
#include "sessiond/session/message_json.h"
#include "sessiond/session/normalise.h"
#include "sessiond/session/object.h"

static void put_jid(struct buf *out, const char *name, const struct jid *jid)
{
	char text[JID_TEXT_MAX];

	json_put_member(out, name, jid_format(jid, text, sizeof text));
}

/* The message that is added to, as we know its chat. */
static void put_target_key(struct buf *out, const char *name, const struct wa_message *m, const struct wa_addon *a)
{
	json_put_name(out, name);
	buf_u8(out, '{');
	put_jid(out, "remoteJid", &m->chat);
	json_put_bool(out, "fromMe", a->target_from_me);
	json_put_member(out, "id", a->target_id);
	if (jid_is_group(&m->chat) && !jid_is_none(&a->target_author))
		put_jid(out, "participant", &a->target_author);
	buf_u8(out, '}');
}

static void start(struct session *session, struct buf *out, const struct wa_message *m, const struct wa_addon *a)
{
	buf_u8(out, '{');
	json_put_member(out, "id", session->id);
	json_put_name(out, "key");
	normalise_key(out, m);
	put_target_key(out, "messageKey", m, a);
	if (a->error != NULL)
		json_put_member(out, "error", a->error);
}

/* ---- poll_vote ---- */

static void put_poll(struct buf *out, const struct wa_poll_result *p)
{
	json_put_name(out, "votedOptionIndexes");
	buf_u8(out, '[');
	for (size_t i = 0; i < p->nchosen; i++)
		buf_printf(out, "%s%u", i > 0 ? "," : "", (unsigned)p->chosen[i]);
	buf_append_text(out, "],\"votedOptionNames\":[");
	for (size_t i = 0; i < p->nchosen; i++) {
		if (i > 0)
			buf_u8(out, ',');
		json_put_string(out, p->names[p->chosen[i]]);
	}
	buf_u8(out, ']');
	if (p->unknown > 0)
		json_put_int(out, "unknownOptions", (int64_t)p->unknown);
	json_put_member(out, "pollTitle", p->title);
	json_put_int(out, "selectableOptionsCount", p->selectable == 0 ? (int64_t)p->n : (int64_t)p->selectable);
	json_put_name(out, "pollOptions");
	buf_u8(out, '[');
	for (size_t i = 0; i < p->n; i++) {
		buf_append_text(out, i > 0 ? ",{" : "{");
		json_put_int(out, "index", (int64_t)i);
		json_put_member(out, "name", p->names[i]);
		json_put_int(out, "votes", p->votes[i]);
		buf_u8(out, '}');
	}
	buf_u8(out, ']');
	json_put_int(out, "voters", p->voters);
	json_put_bool(out, "counted", !p->older && !p->uncounted);
}

static const char *vote(struct session *session, struct buf *out, const struct wa_message *m, const struct wa_addon *a)
{
	struct jid voter = normalise_author(m);

	start(session, out, m, a);
	if (!jid_is_none(&a->creator))
		put_jid(out, "pollCreatorJid", &a->creator);
	put_jid(out, "voterJid", &voter);
	if (a->poll != NULL)
		put_poll(out, a->poll);
	json_put_int(out, "timestampMs", a->time_ms);
	return "poll_vote";
}

/* ---- event_response ---- */

static const char *response(struct session *session, struct buf *out, const struct wa_message *m, const struct wa_addon *a)
{
	struct chatrow_response r;

	start(session, out, m, a);
	chatrow_response_read(buf_span(&a->plaintext), &r);
	if (a->error == NULL) {
		json_put_member(out, "response", r.name);
		json_put_int(out, "extraGuestCount", r.guests);
	}
	json_put_int(out, "timestampMs", r.time_ms > 0 ? r.time_ms : a->time_ms);
	normalise_put_sender(out, m);
	return "event_response";
}

/* ---- the others ---- */

/* reaction: {key, text, senderTimestampMs}; the encrypted one comes without the key. */
static const char *reaction(struct session *session, struct buf *out, const struct wa_message *m, const struct wa_addon *a)
{
	/* ReactionMessage: text(2), senderTimestampMs(4) */
	struct reader r = reader_of(a->plaintext.data, a->plaintext.len);
	struct span text = span_text("");
	uint64_t time_ms = (uint64_t)a->time_ms;
	struct wire_field f;
	char digits[24];

	while (wire_next(&r, &f)) {
		if (f.number == 2 && f.type == 2)
			text = f.bytes;
		else if (f.number == 4 && f.type == 0)
			time_ms = f.value;
	}
	buf_u8(out, '{');
	json_put_member(out, "id", session->id);
	json_put_name(out, "key");
	normalise_key(out, m);
	buf_append_text(out, ",\"reaction\":{");
	put_target_key(out, "key", m, a);
	json_put_name(out, "text");
	json_put_span(out, text);
	snprintf(digits, sizeof digits, "%" PRIu64, time_ms);
	json_put_member(out, "senderTimestampMs", digits);
	buf_u8(out, '}');
	normalise_put_sender(out, m);
	return "message_reaction";
}

static bool put_content(struct buf *out, const char *name, const struct wa_addon *a)
{
	struct message_part part = { .bytes = buf_span(&a->plaintext) };
	struct buf json = { 0 };
	bool ok = message_json(&json, &part);

	if (ok)
		json_put_raw(out, name, buf_text(&json));
	buf_free(&json);
	return ok;
}

static const char *comment(struct session *session, struct buf *out, const struct wa_message *m, const struct wa_addon *a)
{
	start(session, out, m, a);
	if (a->error == NULL && !put_content(out, "message", a))
		json_put_member(out, "error", "its content is malformed");
	normalise_put_sender(out, m);
	return "message_comment";
}

/* An encrypted edit: the same form as one in the clear. */
static const char *edit(struct session *session, struct buf *out, const struct wa_message *m, const struct wa_addon *a)
{
	buf_u8(out, '{');
	json_put_member(out, "id", session->id);
	put_target_key(out, "key", m, a);
	buf_append_text(out, ",\"editedMessage\":{");
	if (!put_content(out, "message", a))
		return NULL;
	buf_append_text(out, "},\"update\":{");
	put_target_key(out, "key", m, a);
	buf_append_text(out, ",\"update\":{\"message\":{\"editedMessage\":{");
	put_content(out, "message", a);
	buf_append_text(out, "}}");
	json_put_int(out, "messageTimestamp", m->time_ms / 1000);
	buf_append_text(out, "}},\"mentions\":[]");
	return "message_edited";
}

static const char *refused(struct session *session, struct buf *out, const struct wa_message *m, const struct wa_addon *a)
{
	start(session, out, m, a);
	json_put_member(out, "action", a->kind == WA_ADDON_REVOKE ? "revoke" : a->kind == WA_ADDON_REACTION ? "reaction" : "edit");
	normalise_put_sender(out, m);
	return "message_refused";
}

typedef const char *builder(struct session *session, struct buf *out, const struct wa_message *m, const struct wa_addon *a);

static builder *builder_of(const struct wa_addon *a)
{
	static builder *const builders[] = {
		[WA_ADDON_POLL_VOTE] = vote,  [WA_ADDON_EVENT_RESPONSE] = response, [WA_ADDON_REACTION] = reaction, [WA_ADDON_COMMENT] = comment,
		[WA_ADDON_MESSAGE_EDIT] = edit, [WA_ADDON_EVENT_EDIT] = edit,       [WA_ADDON_POLL_EDIT] = edit,    [WA_ADDON_POLL_ADD_OPTION] = edit,
		[WA_ADDON_REVOKE] = refused,
	};

	/* A reaction or an edit that cannot be read says nothing that those who wait for such events could use. */
	if (a->refused || (a->error != NULL && (builders[a->kind] == reaction || builders[a->kind] == edit)))
		return refused;
	return builders[a->kind];
}

void event_addon(struct session *session, struct store_tx *tx, const struct wa_event *event)
{
	const struct wa_message *m = event->message;
	const struct wa_addon *a = event->addon;
	struct buf payload = { 0 };
	char chat[JID_TEXT_MAX];
	char sender[JID_TEXT_MAX];
	char seed[JID_TEXT_MAX * 2 + 256];
	const char *kind;

	if (m == NULL || a == NULL)
		return;
	kind = builder_of(a)(session, &payload, m, a);
	json_put_member(&payload, "sessionId", session->id);
	buf_u8(&payload, '}');
	jid_format(&m->chat, chat, sizeof chat);
	snprintf(seed, sizeof seed, "%s\n%s\n%s", chat, jid_format(&m->sender, sender, sizeof sender), m->id);
	if (kind != NULL)
		event_add(session, tx, kind, chat, seed, &payload, m->time_ms);
	buf_free(&payload);
}
