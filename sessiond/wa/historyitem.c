/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Conversations, messages, names and mappings of a history. Field numbers: Baileys WAProto, whatsmeow waHistorySync.proto. */
#include "sessiond/wa/historyitem.h"

#include <string.h>

#include "common/utf8.h"
#include "sessiond/wa/e2e.h"
#include "sessiond/wa/lidmap.h"

/* HistorySync */
enum { SYNC_STATUS = 3, SYNC_NOTICE_CHUNK = 5, SYNC_PUSH_NAME = 7, SYNC_PAST_MEMBERS = 12, SYNC_MAPPING = 15, SYNC_SALT = 19 };
/* Conversation */
enum {
	CHAT_ID = 1,
	CHAT_LAST_MESSAGE = 5,
	CHAT_UNREAD = 6,
	CHAT_READ_ONLY = 7,
	CHAT_END = 8,
	CHAT_EXPIRATION = 9,
	CHAT_EXPIRATION_SET = 10,
	CHAT_END_TYPE = 11,
	CHAT_TIME = 12,
	CHAT_NAME = 13,
	CHAT_ARCHIVED = 16,
	CHAT_MENTIONS = 18,
	CHAT_MARKED_UNREAD = 19,
	CHAT_TOKEN = 21,
	CHAT_TOKEN_TIME = 22,
	CHAT_PINNED = 24,
	CHAT_MUTE_END = 25,
	CHAT_TOKEN_GIVEN = 28,
	CHAT_DESCRIPTION = 33,
	CHAT_COMMUNITY = 35,
	CHAT_ANNOUNCEMENT = 36,
	CHAT_DISPLAY_NAME = 38,
	CHAT_PN = 39,
	CHAT_LID = 42,
	CHAT_USERNAME = 43
};
/* endOfHistoryTransferType: the phone has no more */
enum { END_COMPLETE_NO_MORE = 1 };
/* HistorySyncMsg, WebMessageInfo, MessageKey */
enum { WRAPPED_INFO = 1, WRAPPED_ORDER = 2 };
enum {
	INFO_KEY = 1,
	INFO_MESSAGE = 2,
	INFO_TIME = 3,
	INFO_STATUS = 4,
	INFO_PARTICIPANT = 5,
	INFO_STARRED = 17,
	INFO_BROADCAST = 18,
	INFO_PUSH_NAME = 19,
	INFO_STUB = 24,
	INFO_BUSINESS_NAME = 37,
	INFO_SECRET = 49
};
enum { KEY_CHAT = 1, KEY_FROM_ME = 2, KEY_ID = 3, KEY_PARTICIPANT = 4 };
/* Pushname, PhoneNumberToLIDMapping, PastParticipants, PastParticipant */
enum { NAME_ID = 1, NAME_TEXT = 2, MAPPING_PN = 1, MAPPING_LID = 2, PAST_GROUP = 1, PAST_MEMBER = 2 };
enum { MEMBER_JID = 1, MEMBER_REASON = 2, MEMBER_TIME = 3 };

enum { SECRET_BYTES = 32, ID_MAX = 200, NAME_MAX_BYTES = 1024, TEXT_MAX = 8192, TOKEN_MAX = 1024 };
#define TIME_MAX_S INT64_C(253402300799)
#define MILLISECONDS_FROM INT64_C(20000000000)

static bool take_jid(struct span text, struct jid *out)
{
	struct jid jid;

	if (text.n == 0 || text.n >= JID_TEXT_MAX || jid_parse(&jid, (const char *)text.p, text.n) != 0 || jid.user[0] == '\0')
		return false;
	*out = jid_bare(&jid);
	return true;
}

/* A terminated copy; NULL if it is empty, too long, no UTF-8, or holds a NUL. */
static const char *take_text(struct arena *texts, struct span text, size_t max)
{
	if (text.n == 0 || text.n > max || memchr(text.p, 0, text.n) != NULL || !utf8_is_valid((const char *)text.p, text.n))
		return NULL;
	return arena_text(texts, text.p, text.n);
}

/* Seconds; some phones write milliseconds. 0 for what is no time. */
static int64_t take_time(uint64_t value)
{
	int64_t time = value > INT64_MAX ? 0 : (int64_t)value;

	if (time > MILLISECONDS_FROM)
		time /= 1000;
	return time > TIME_MAX_S ? 0 : time;
}

/* ---- conversations ---- */

void history_chat_begin(struct history_chat *chat)
{
	arena_reset(&chat->texts);
	chat->chat = (struct wa_history_chat){ 0 };
}

static void take_number(struct wa_history_chat *chat, uint32_t number, uint64_t value)
{
	switch (number) {
	case CHAT_LAST_MESSAGE: chat->last_message_s = take_time(value); break;
	case CHAT_UNREAD: chat->unread = value > INT32_MAX ? 0 : (uint32_t)value; break;
	case CHAT_READ_ONLY: chat->read_only = value != 0; break;
	case CHAT_EXPIRATION: chat->expiration_s = value > UINT32_MAX ? 0 : (uint32_t)value; break;
	case CHAT_EXPIRATION_SET: chat->expiration_set_s = take_time(value); break;
	case CHAT_END_TYPE: chat->complete = value == END_COMPLETE_NO_MORE; break;
	case CHAT_TIME: chat->time_s = take_time(value); break;
	case CHAT_ARCHIVED: chat->archived = value != 0; break;
	case CHAT_MENTIONS: chat->unread_mentions = value > INT32_MAX ? 0 : (uint32_t)value; break;
	case CHAT_MARKED_UNREAD: chat->marked_unread = value != 0; break;
	case CHAT_TOKEN_TIME: chat->token_s = take_time(value); break;
	case CHAT_PINNED: chat->pinned_s = take_time(value); break;
	case CHAT_MUTE_END: chat->mute_until_s = value > INT64_MAX ? -1 : take_time(value); break;
	case CHAT_TOKEN_GIVEN: chat->token_given_s = take_time(value); break;
	case CHAT_COMMUNITY: chat->community = value != 0; break;
	case CHAT_ANNOUNCEMENT: chat->announcement_group = value != 0; break;
	default: break;
	}
}

static void take_bytes(struct history_chat *chat, uint32_t number, struct span bytes)
{
	struct wa_history_chat *c = &chat->chat;

	switch (number) {
	case CHAT_ID: take_jid(bytes, &c->jid); break;
	case CHAT_NAME: c->name = take_text(&chat->texts, bytes, NAME_MAX_BYTES); break;
	case CHAT_DISPLAY_NAME: c->display_name = take_text(&chat->texts, bytes, NAME_MAX_BYTES); break;
	case CHAT_USERNAME: c->username = take_text(&chat->texts, bytes, NAME_MAX_BYTES); break;
	case CHAT_DESCRIPTION: c->description = take_text(&chat->texts, bytes, TEXT_MAX); break;
	case CHAT_PN: take_jid(bytes, &c->pn); break;
	case CHAT_LID: take_jid(bytes, &c->lid); break;
	case CHAT_TOKEN:
		if (bytes.n > 0 && bytes.n <= TOKEN_MAX)
			c->token = span_of(arena_dup(&chat->texts, bytes.p, bytes.n), bytes.n);
		break;
	default: break;
	}
}

void history_chat_take(struct history_chat *chat, const struct proto_field *field)
{
	if (field->wire == PROTO_VARINT)
		take_number(&chat->chat, field->number, field->value);
	else if (field->wire == PROTO_BYTES)
		take_bytes(chat, field->number, field->bytes);
}

/* ---- messages ---- */

static bool take_key(struct span key, struct arena *texts, struct wa_history_message *m)
{
	struct reader r = reader_of(key.p, key.n);
	struct proto_field f;

	while (proto_next(&r, &f)) {
		if (f.number == KEY_CHAT && f.wire == PROTO_BYTES)
			take_jid(f.bytes, &m->chat_jid);
		else if (f.number == KEY_FROM_ME && f.wire == PROTO_VARINT)
			m->from_me = f.value != 0;
		else if (f.number == KEY_ID && f.wire == PROTO_BYTES)
			m->id = take_text(texts, f.bytes, ID_MAX);
		else if (f.number == KEY_PARTICIPANT && f.wire == PROTO_BYTES)
			take_jid(f.bytes, &m->author);
	}
	return r.ok && m->id != NULL;
}

static void take_info_number(struct wa_history_message *m, const struct proto_field *f)
{
	switch (f->number) {
	case INFO_TIME: m->time_s = take_time(f->value); break;
	case INFO_STATUS: m->status = f->value > 5 ? 0 : (uint32_t)f->value; break;
	case INFO_STARRED: m->starred = f->value != 0; break;
	case INFO_BROADCAST: m->broadcast = f->value != 0; break;
	case INFO_STUB: m->stub = f->value > UINT16_MAX ? 0 : (uint32_t)f->value; break;
	default: break;
	}
}

static void take_info_bytes(struct wa_history_message *m, const struct proto_field *f, struct arena *texts, struct jid *participant)
{
	switch (f->number) {
	case INFO_MESSAGE: m->message = f->bytes; break;
	case INFO_PARTICIPANT: take_jid(f->bytes, participant); break;
	case INFO_PUSH_NAME: m->push_name = take_text(texts, f->bytes, NAME_MAX_BYTES); break;
	case INFO_BUSINESS_NAME: m->business_name = take_text(texts, f->bytes, NAME_MAX_BYTES); break;
	case INFO_SECRET:
		if (f->bytes.n == SECRET_BYTES)
			m->secret = f->bytes;
		break;
	default: break;
	}
}

static bool take_info(struct span info, struct arena *texts, struct wa_history_message *m)
{
	struct reader r = reader_of(info.p, info.n);
	struct jid participant = { 0 };
	struct proto_field f;
	bool named = false;

	m->info = info;
	while (proto_next(&r, &f)) {
		m->has_addons = m->has_addons || wa_history_is_addon(f.number);
		if (f.number == INFO_KEY && f.wire == PROTO_BYTES)
			named = take_key(f.bytes, texts, m);
		else if (f.wire == PROTO_VARINT)
			take_info_number(m, &f);
		else if (f.wire == PROTO_BYTES)
			take_info_bytes(m, &f, texts, &participant);
	}
	if (jid_is_none(&m->author))
		m->author = participant;
	return r.ok && named;
}

static int make_message(struct span info, const struct wa_history_chat *chat, struct arena *texts, struct wa_history_item *item)
{
	struct wa_history_message *m = &item->message;

	*item = (struct wa_history_item){ .kind = HISTORY_MESSAGE, .message = { .chat = chat } };
	if (!take_info(info, texts, m) || (m->message.n > 0 && !e2e_acceptable(m->message)))
		return -1;
	/* Where it stands counts, not what it says of itself. */
	if (chat != NULL && !jid_is_none(&chat->jid))
		m->chat_jid = chat->jid;
	return jid_is_none(&m->chat_jid) ? -1 : 1;
}

int history_take_message(struct span wrapped, const struct wa_history_chat *chat, struct arena *texts, struct wa_history_item *item)
{
	struct reader r = reader_of(wrapped.p, wrapped.n);
	struct span info = { 0 };
	struct proto_field f;
	uint64_t order = 0;
	int rc;

	while (proto_next(&r, &f)) {
		if (f.number == WRAPPED_INFO && f.wire == PROTO_BYTES)
			info = f.bytes;
		else if (f.number == WRAPPED_ORDER && f.wire == PROTO_VARINT)
			order = f.value;
	}
	if (!r.ok || info.p == NULL)
		return -1;
	rc = make_message(info, chat, texts, item);
	item->message.order = order;
	return rc;
}

/* ---- the rest ---- */

static int take_name(struct span bytes, struct arena *texts, struct wa_history_item *item)
{
	struct span id, text;

	*item = (struct wa_history_item){ .kind = HISTORY_NAME };
	if (!proto_find(bytes, NAME_ID, &id) || !take_jid(id, &item->jid) || !proto_find(bytes, NAME_TEXT, &text))
		return -1;
	item->text = take_text(texts, text, NAME_MAX_BYTES);
	return item->text != NULL ? 1 : -1;
}

static int take_mapping(struct span bytes, struct wa_history_item *item)
{
	struct span pn, lid;

	*item = (struct wa_history_item){ .kind = HISTORY_MAPPING };
	if (!proto_find(bytes, MAPPING_PN, &pn) || !proto_find(bytes, MAPPING_LID, &lid) || !take_jid(pn, &item->jid) || !take_jid(lid, &item->other))
		return -1;
	return wa_lidmap_is_pn(&item->jid) && wa_lidmap_is_lid(&item->other) ? 1 : -1;
}

static int take_past(struct span bytes, struct history_many *many)
{
	struct span group;

	if (!proto_find(bytes, PAST_GROUP, &group) || !take_jid(group, &many->group) || !jid_is_group(&many->group))
		return -1;
	many->members = reader_of(bytes.p, bytes.n);
	return 0;
}

static bool take_member(struct span bytes, struct wa_history_item *item)
{
	struct reader r = reader_of(bytes.p, bytes.n);
	struct proto_field f;

	while (proto_next(&r, &f)) {
		if (f.number == MEMBER_JID && f.wire == PROTO_BYTES)
			take_jid(f.bytes, &item->other);
		else if (f.number == MEMBER_REASON && f.wire == PROTO_VARINT)
			item->number = f.value == 1;
		else if (f.number == MEMBER_TIME && f.wire == PROTO_VARINT)
			item->time_s = take_time(f.value);
	}
	return r.ok && !jid_is_none(&item->other);
}

bool history_many_next(struct history_many *many, struct arena *texts, struct wa_history_item *item)
{
	struct proto_field f;

	(void)texts;
	while (many->members.left > 0 && proto_next(&many->members, &f)) {
		if (f.number != PAST_MEMBER || f.wire != PROTO_BYTES)
			continue;
		*item = (struct wa_history_item){ .kind = HISTORY_PAST_MEMBER, .jid = many->group };
		if (take_member(f.bytes, item))
			return true;
	}
	many->members = (struct reader){ 0 };
	return false;
}

int history_take_outer(const struct proto_field *field, struct arena *texts, struct history_many *many, struct wa_history_item *item)
{
	if (field->wire != PROTO_BYTES)
		return 0;
	switch (field->number) {
	case SYNC_STATUS:
		return make_message(field->bytes, NULL, texts, item);
	case SYNC_PUSH_NAME:
		return take_name(field->bytes, texts, item);
	case SYNC_MAPPING:
		return take_mapping(field->bytes, item);
	case SYNC_PAST_MEMBERS:
		return take_past(field->bytes, many);
	case SYNC_SALT:
		*item = (struct wa_history_item){ .kind = HISTORY_SALT, .bytes = field->bytes };
		return field->bytes.n > 0 && field->bytes.n <= TOKEN_MAX ? 1 : -1;
	default:
		return 0;
	}
}
