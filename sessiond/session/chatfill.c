/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What happens in chats, as changes of their rows. */
#include "sessiond/session/chatfill.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/timefmt.h"
#include "common/ulid.h"
#include "sessiond/crypto/crypto.h"
#include "sessiond/json_text.h"
#include "sessiond/session/object.h"

#define LABEL_ID_MAX 512U

/* One message, wherever it comes from. */
struct fill {
	struct store_tx *tx;
	int64_t session;
	const char *id;
	struct store_peer chat, author; /* author: of inbound ones; in chats of two the chat */
	bool group, from_me, may_change; /* what it says about another message was found to be its author's right */
	const char *push_name, *verified_name;
	struct span plaintext;
	int64_t time_ms, at_ms;
	enum store_message_status status;
	enum store_addressing addressing;
};

bool chatfill_wanted(const struct jid *chat, const struct jid *own, const struct jid *own_lid)
{
	if (!jid_is_person(chat) && !jid_is_group(chat))
		return false;
	return !(jid_is_person(chat) && (jid_same_user(chat, own) || jid_same_user(chat, own_lid))) && chat->user[0] != '\0' && strcmp(chat->user, "0") != 0;
}

static bool is_wanted(const struct session *session, const struct jid *chat)
{
	return chatfill_wanted(chat, &session->view.me_pn, &session->view.me_lid);
}

struct store_peer chatfill_peer(const struct jid *jid, const struct jid *pn, const struct jid *lid)
{
	struct store_peer peer = { .jid = jid_bare(jid), .other = { .server = JID_SERVER_NONE } };

	if (!jid_is_person(jid))
		return peer;
	if (jid_is_lid(&peer.jid) || peer.jid.server == JID_SERVER_HOSTED_LID)
		peer.other = *pn;
	else
		peer.other = *lid;
	return peer;
}

/* ---- messages ---- */

static struct store_message_ref ref_to(const struct fill *f, char id[static SEND_ID_MAX * 2], struct span target)
{
	size_t n = target.n < SEND_ID_MAX * 2 ? target.n : SEND_ID_MAX * 2 - 1;

	memcpy(id, target.p, n);
	id[n] = '\0';
	return (struct store_message_ref){ .chat = f->chat, .id = id, .from_me = -1 };
}

static const struct store_peer *adder(const struct fill *f)
{
	static const struct store_peer ourselves = { .jid = { .server = JID_SERVER_NONE } };

	return f->from_me ? &ourselves : f->group ? &f->author : &f->chat;
}

static void put_message(const struct fill *f, const struct chatrow *row)
{
	struct store_message m = {
		.id = f->id, .from_me = f->from_me, .push_name = f->from_me ? NULL : f->push_name, .verified_name = f->from_me ? NULL : f->verified_name,
		.type = row->type, .media = row->media, .body = buf_span(&row->body), .content = f->plaintext, .time_ms = f->time_ms, .status = f->status,
		.addressing = f->addressing,
	};

	if (!f->from_me && f->group)
		m.author = f->author;
	store_tx_messages_put(f->tx, f->session, &f->chat, &m, 1, false, f->at_ms);
}

static void put_reaction(const struct fill *f, const struct chatrow *row)
{
	char id[SEND_ID_MAX * 2], emoji[128] = "";
	struct store_message_ref ref = ref_to(f, id, row->target_id);

	if (row->text.n < sizeof emoji && row->text.n > 0)
		memcpy(emoji, row->text.p, row->text.n);
	store_tx_message_addon(f->tx, f->session, &ref, STORE_ADDON_REACTION, adder(f), emoji, row->time_ms > 0 ? row->time_ms : f->time_ms, f->at_ms);
}

static void change_content(const struct fill *f, const struct store_message_ref *ref, struct span edited, int64_t time_ms)
{
	struct chatrow to;
	struct store_message m = { .content = edited, .time_ms = time_ms };

	chatrow_read(&to, edited);
	if (to.kind == CHATROW_MESSAGE) {
		m.type = to.type;
		m.media = to.media;
		m.body = buf_span(&to.body);
		store_tx_message_edit(f->tx, f->session, ref, &m, f->at_ms);
	}
	chatrow_free(&to);
}

static void put_edit(const struct fill *f, const struct chatrow *row)
{
	char id[SEND_ID_MAX * 2];
	struct store_message_ref ref = ref_to(f, id, row->target_id);

	if (f->may_change)
		change_content(f, &ref, row->edited, row->time_ms > 0 ? row->time_ms : f->time_ms);
}

static void put_revocation(const struct fill *f, const struct chatrow *row)
{
	char id[SEND_ID_MAX * 2];
	struct store_message_ref ref = ref_to(f, id, row->target_id);

	if (f->may_change)
		store_tx_message_revoke(f->tx, f->session, &ref, adder(f), f->from_me ? chatrow_deleted_own : chatrow_deleted, f->at_ms);
}

/* "sys_" and a ULID that is the same however often the pin is told. */
static void notice_id(const struct fill *f, char out[static ULID_LENGTH + 5])
{
	uint8_t digest[CRYPTO_SHA256_LEN];
	char ulid[ULID_LENGTH + 1];

	if (crypto_sha256(f->id, strlen(f->id), digest))
		abort();
	ulid_format(f->time_ms, digest, ulid);
	snprintf(out, ULID_LENGTH + 5, "sys_%s", ulid);
}

static void put_notice(const struct fill *f)
{
	char id[ULID_LENGTH + 5];
	struct buf body = { 0 };
	struct store_message m = { .id = id, .from_me = f->from_me, .type = "system", .time_ms = f->time_ms };
	const struct store_peer *by = adder(f);

	notice_id(f, id);
	if (f->from_me)
		buf_append_text(&body, "[You pinned a message]");
	else
		buf_printf(&body, "[%s pinned a message]", f->push_name ? f->push_name : by->jid.user);
	m.body = buf_span(&body);
	if (!f->from_me && f->group)
		m.author = f->author;
	/* A notice is not something to be read: it counts like history. */
	store_tx_messages_put(f->tx, f->session, &f->chat, &m, 1, true, f->at_ms);
	buf_free(&body);
}

static void put_pin(const struct fill *f, const struct chatrow *row)
{
	char id[SEND_ID_MAX * 2], until[24];
	struct store_message_ref ref = ref_to(f, id, row->target_id);
	static const struct store_peer nobody = { .jid = { .server = JID_SERVER_NONE } };

	snprintf(until, sizeof until, "%" PRId64, f->time_ms / 1000 + (int64_t)(row->seconds & 0xffffffff));
	store_tx_message_addon(f->tx, f->session, &ref, STORE_ADDON_PIN, &nobody, row->on ? until : NULL, f->time_ms, f->at_ms);
	if (row->on)
		put_notice(f);
}

static void fill(const struct fill *f)
{
	static void (*const puts[])(const struct fill *f, const struct chatrow *row) = {
		[CHATROW_MESSAGE] = put_message, [CHATROW_REACTION] = put_reaction, [CHATROW_PIN] = put_pin,
		[CHATROW_EDIT] = put_edit, [CHATROW_REVOKE] = put_revocation,
	};
	struct chatrow row;

	chatrow_read(&row, f->plaintext);
	if (puts[row.kind])
		puts[row.kind](f, &row);
	chatrow_free(&row);
}

static struct fill fill_of(const struct session *session, struct store_tx *tx, const struct wa_message *m)
{
	struct jid sender = jid_bare(&m->sender);

	return (struct fill){
		.tx = tx, .session = session->number, .id = m->id, .chat = chatfill_peer(&m->chat, &m->chat_pn, &m->chat_lid),
		.author = chatfill_peer(&sender, &m->sender_pn, &m->sender_lid), .group = jid_is_group(&m->chat), .from_me = m->from_me,
		.may_change = m->target != NULL, .push_name = m->push_name, .verified_name = m->verified_name, .plaintext = buf_span(&m->plaintext),
		.time_ms = m->time_ms, .at_ms = timefmt_now_ms(), .status = m->from_me ? STORE_MESSAGE_SENT : STORE_MESSAGE_NONE,
		.addressing = m->lid_addressed ? STORE_BY_LID : STORE_BY_NUMBER,
	};
}

bool chatfill_message(struct session *session, struct store_tx *tx, const struct wa_message *m)
{
	struct fill f;

	if (!is_wanted(session, &m->chat) || (m->category && strcmp(m->category, "peer") == 0))
		return false;
	f = fill_of(session, tx, m);
	fill(&f);
	return true;
}

/* WhatsApp's times are full seconds: with finer ones of our own, answers would stand before what they answer. */
bool chatfill_sent(struct session *session, struct store_tx *tx, const struct jid *to, const char *id, struct span plaintext, int64_t time_ms)
{
	struct fill f = { .tx = tx, .session = session->number, .id = id, .chat = { .jid = jid_bare(to) }, .group = jid_is_group(to), .from_me = true,
		          .may_change = true, .plaintext = plaintext, .time_ms = time_ms - time_ms % 1000, .at_ms = timefmt_now_ms(), .status = STORE_MESSAGE_PENDING };

	if (!is_wanted(session, to))
		return false;
	fill(&f);
	return true;
}

/* ---- what is added to messages in sealed form ---- */

static void put_vote(const struct fill *f, const struct store_message_ref *ref, const struct wa_addon *a)
{
	const struct wa_poll_result *p = a->poll;
	struct buf names = { 0 };

	if (!p || p->older)
		return;
	buf_u8(&names, '[');
	for (size_t i = 0; i < p->nchosen; i++) {
		if (i > 0)
			buf_u8(&names, ',');
		json_put_string(&names, p->names[p->chosen[i]]);
	}
	buf_u8(&names, ']');
	store_tx_message_addon_from(f->tx, f->session, ref, STORE_ADDON_VOTE, adder(f), buf_text(&names), f->id, a->time_ms, f->at_ms);
	buf_free(&names);
}

/* ReactionMessage: text(2), senderTimestampMs(4) */
static void put_sealed_reaction(const struct fill *f, const struct store_message_ref *ref, const struct wa_addon *a)
{
	struct reader r = reader_of(a->plaintext.data, a->plaintext.len);
	int64_t time_ms = a->time_ms;
	char emoji[128] = "";
	struct wire_field field;

	while (wire_next(&r, &field)) {
		if (field.number == 2 && field.type == 2 && field.bytes.n > 0 && field.bytes.n < sizeof emoji)
			memcpy(emoji, field.bytes.p, field.bytes.n);
		else if (field.number == 4 && field.type == 0 && field.value <= INT64_MAX)
			time_ms = (int64_t)field.value;
	}
	store_tx_message_addon(f->tx, f->session, ref, STORE_ADDON_REACTION, adder(f), emoji, time_ms, f->at_ms);
}

static void put_response(const struct fill *f, const struct store_message_ref *ref, const struct wa_addon *a)
{
	struct buf value = { 0 };

	chatrow_put_response(&value, buf_span(&a->plaintext));
	store_tx_message_addon(f->tx, f->session, ref, STORE_ADDON_RESPONSE, adder(f), buf_text(&value), a->time_ms, f->at_ms);
	buf_free(&value);
}

static void put_sealed_edit(const struct fill *f, const struct store_message_ref *ref, const struct wa_addon *a)
{
	change_content(f, ref, buf_span(&a->plaintext), a->time_ms > 0 ? a->time_ms : f->time_ms);
}

void chatfill_addon(struct session *session, struct store_tx *tx, const struct wa_message *m, const struct wa_addon *a)
{
	static void (*const puts[])(const struct fill *f, const struct store_message_ref *ref, const struct wa_addon *a) = {
		[WA_ADDON_POLL_VOTE] = put_vote, [WA_ADDON_EVENT_RESPONSE] = put_response, [WA_ADDON_REACTION] = put_sealed_reaction, [WA_ADDON_MESSAGE_EDIT] = put_sealed_edit,
		[WA_ADDON_EVENT_EDIT] = put_sealed_edit, [WA_ADDON_POLL_EDIT] = put_sealed_edit,
	};
	struct store_message_ref ref;
	struct fill f;

	if (!is_wanted(session, &m->chat) || a->refused || a->error || !a->target_id)
		return;
	f = fill_of(session, tx, m);
	ref = (struct store_message_ref){ .chat = f.chat, .id = a->target_id, .from_me = -1 };
	if ((size_t)a->kind < sizeof puts / sizeof *puts && puts[a->kind])
		puts[a->kind](&f, &ref, a);
}

/* ---- receipts ---- */

void chatfill_receipt(struct session *session, struct store_tx *tx, const struct wa_receipt *r, size_t which)
{
	static const enum store_message_status statuses[] = {
		[WA_RECEIPT_DELIVERED] = STORE_MESSAGE_DELIVERED, [WA_RECEIPT_INACTIVE] = STORE_MESSAGE_DELIVERED, [WA_RECEIPT_READ] = STORE_MESSAGE_READ,
		[WA_RECEIPT_PLAYED] = STORE_MESSAGE_PLAYED, [WA_RECEIPT_OTHER] = 0,
	};
	const struct store_message_ref ref = { .chat = { .jid = jid_bare(&r->chat) }, .id = r->ids[which], .from_me = 1 };
	const struct jid who = jid_bare(&r->device);
	const struct store_peer by = chatfill_peer(&who, &r->pn, &r->lid);

	if (!is_wanted(session, &r->chat))
		return;
	if (r->kind == WA_RECEIPT_READ_SELF && which == 0)
		store_tx_chat_read_ids(tx, session->number, &ref.chat, (const char *const *)r->ids, r->n);
	else if (statuses[r->kind])
		store_tx_message_receipt(tx, session->number, &ref, &by, statuses[r->kind], r->time_ms);
}

/* ---- the account's shared state ---- */

struct effect {
	struct session *session;
	struct store_tx *tx;
	const struct wa_action *action;
	struct store_peer chat;
	struct store_message_ref ref;
	int64_t at_ms;
};

static void change(const struct effect *e, struct store_chat_change to)
{
	store_tx_chat_put(e->tx, e->session->number, &e->chat, &to, e->at_ms);
}

static void on_archive(const struct effect *e)
{
	struct store_chat_change to = STORE_CHAT_CHANGE_NONE;

	to.archived = e->action->on;
	change(e, to);
}

static void on_pin(const struct effect *e)
{
	struct store_chat_change to = STORE_CHAT_CHANGE_NONE;

	to.pinned_ms = e->action->on ? e->at_ms : 0;
	change(e, to);
}

static void on_mute(const struct effect *e)
{
	struct store_chat_change to = STORE_CHAT_CHANGE_NONE;

	to.mute_ms = !e->action->on ? 0 : e->action->until_ms < 0 ? STORE_MUTE_FOREVER : e->action->until_ms;
	change(e, to);
}

static void on_lock(const struct effect *e)
{
	struct store_chat_change to = STORE_CHAT_CHANGE_NONE;

	to.locked = e->action->on;
	change(e, to);
}

/* Times of ranges are in seconds: all of that second is meant. */
static int64_t range_end_ms(const struct effect *e)
{
	return e->action->last_message_s > 0 ? e->action->last_message_s * 1000 + 999 : e->at_ms;
}

static void on_read(const struct effect *e)
{
	struct store_chat_change to = STORE_CHAT_CHANGE_NONE;

	to.marked_unread = 1;
	if (e->action->on)
		store_tx_chat_read(e->tx, e->session->number, &e->chat, range_end_ms(e));
	else
		change(e, to);
}

static void on_clear(const struct effect *e)
{
	store_tx_chat_clear(e->tx, e->session->number, &e->chat, range_end_ms(e), e->action->starred_too);
}

static void on_delete(const struct effect *e)
{
	store_tx_chat_delete(e->tx, e->session->number, &e->chat, range_end_ms(e));
}

static void on_star(const struct effect *e)
{
	store_tx_message_star(e->tx, e->session->number, &e->ref, e->action->on, e->at_ms);
}

static void on_delete_for_me(const struct effect *e)
{
	store_tx_message_delete(e->tx, e->session->number, &e->ref);
}

static void on_contact(const struct effect *e)
{
	struct store_chat_change to = STORE_CHAT_CHANGE_NONE;

	to.is_contact = e->action->removed ? 0 : 1;
	to.name = e->action->text;
	to.first_name = e->action->text2;
	change(e, to);
}

/* Ids are index parts of other devices' making: what is no sensible one is not kept. */
static bool is_label(const struct effect *e)
{
	return e->action->id[0] != '\0' && strlen(e->action->id) <= LABEL_ID_MAX;
}

static void on_label(const struct effect *e)
{
	const struct wa_action *a = e->action;
	const struct store_label label = { .id = a->id, .name = a->on || a->removed ? NULL : a->text ? a->text : "", .color = a->number,
		                           .predefined = a->number2, .updated_ms = e->at_ms };

	if (is_label(e))
		store_tx_label_put(e->tx, e->session->number, &label);
}

static void on_label_member(const struct effect *e)
{
	if (is_label(e))
		store_tx_label_member(e->tx, e->session->number, e->action->id, &e->chat, e->action->message_id, e->action->on && !e->action->removed);
}

static const struct {
	const char *name;
	bool chat, message, id; /* what it must name */
	void (*take)(const struct effect *e);
	bool own;               /* what we write to ourselves counts, too */
} effects[] = {
	{ "archive", true, false, false, on_archive, false },
	{ "pin_v1", true, false, false, on_pin, false },
	{ "mute", true, false, false, on_mute, false },
	{ "lock", true, false, false, on_lock, false },
	{ "markChatAsRead", true, false, false, on_read, false },
	{ "clearChat", true, false, false, on_clear, false },
	{ "deleteChat", true, false, false, on_delete, false },
	{ "star", true, true, false, on_star, false },
	{ "deleteMessageForMe", true, true, false, on_delete_for_me, false },
	{ "contact", true, false, false, on_contact, false },
	{ "lid_contact", true, false, false, on_contact, false },
	{ "label_edit", false, false, true, on_label, false },
	{ "label_jid", true, false, true, on_label_member, true },
	{ "label_message", true, true, true, on_label_member, true },
};

void chatfill_action(struct session *session, struct store_tx *tx, const struct wa_action *a)
{
	const struct jid *pn = jid_is_none(&a->pn) ? &a->chat_pn : &a->pn;
	const struct jid *lid = jid_is_none(&a->lid) ? &a->chat_lid : &a->lid;
	struct effect e = { .session = session, .tx = tx, .action = a, .at_ms = a->time_ms > 0 ? a->time_ms : timefmt_now_ms() };

	if (!jid_is_none(&a->chat))
		e.chat = chatfill_peer(&a->chat, pn, lid);
	e.ref = (struct store_message_ref){ .chat = e.chat, .id = a->message_id, .from_me = a->from_me };
	for (size_t i = 0; i < sizeof effects / sizeof *effects; i++) {
		if (strcmp(effects[i].name, a->name) != 0)
			continue;
		if ((!effects[i].chat || is_wanted(session, &a->chat) || (effects[i].own && jid_is_person(&a->chat))) && (!effects[i].message || a->message_id) && (!effects[i].id || a->id))
			effects[i].take(&e);
		return;
	}
}

/* ---- groups and people ---- */

static void put_group(struct session *session, struct store_tx *tx, const struct jid *group, const char *subject, int64_t expiration_s)
{
	struct store_chat_change to = STORE_CHAT_CHANGE_NONE;
	const struct store_peer who = { .jid = jid_bare(group) };

	to.subject = subject;
	to.expiration_s = expiration_s;
	store_tx_chat_put(tx, session->number, &who, &to, timefmt_now_ms());
}

void chatfill_group(struct session *session, struct store_tx *tx, const struct wa_group_change *c)
{
	if (!jid_is_group(&c->group))
		return;
	if (c->kind == WA_GROUP_SUBJECT && c->text)
		put_group(session, tx, &c->group, c->text, -1);
	else if (c->kind == WA_GROUP_EXPIRATION)
		put_group(session, tx, &c->group, NULL, c->number);
	else if (c->kind == WA_GROUP_CREATED && c->info && c->info->subject)
		put_group(session, tx, &c->group, c->info->subject, (int64_t)c->info->expiration_s);
}

static void take_group(struct session *session, struct store_tx *tx, const struct wa_put *put)
{
	struct wa_group group = { .subject = NULL };
	struct jid jid;

	if (jid_parse_text(&jid, put->name))
		return;
	if (wa_group_read(buf_span(&put->value), &jid, &group) && group.subject && !group.community)
		put_group(session, tx, &jid, group.subject, (int64_t)group.expiration_s);
	wa_group_clear(&group);
}

static void take_mapping(struct session *session, struct store_tx *tx, const struct wa_put *put)
{
	struct store_peer who;

	if (put->value.len == 0 || jid_make(&who.jid, put->name, strlen(put->name), JID_SERVER_PN, 0) ||
	    jid_make(&who.other, (const char *)put->value.data, put->value.len, JID_SERVER_LID, 0))
		return;
	store_tx_chat_known(tx, session->number, &who);
}

void chatfill_record(struct session *session, struct store_tx *tx, const struct wa_put *put)
{
	if (put->absent)
		return;
	if (put->kind == WA_RECORD_GROUP)
		take_group(session, tx, put);
	else if (put->kind == WA_RECORD_LID_OF_PN)
		take_mapping(session, tx, put);
}
