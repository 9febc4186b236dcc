/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What others added to a message, as a history has it with the message. Field numbers: Baileys WAProto, WebMessageInfo.
 *
 *     40 UserReceipt*    41 Reaction*    45 PollUpdate*    54 PinInChat    61 EventResponse*    68 MessageAddOn* (any of these, newer phones)
 */
#include <string.h>

#include "sessiond/wa/e2e_fields.h"
#include "sessiond/wa/history.h"
#include "sessiond/wa/proto_walk.h"

/* MessageKey */
enum { KEY_CHAT = 1, KEY_FROM_ME = 2, KEY_ID = 3, KEY_PARTICIPANT = 4 };
/* UserReceipt */
enum { RECEIPT_WHO = 1, RECEIPT_DELIVERED = 2, RECEIPT_READ = 3, RECEIPT_PLAYED = 4 };
/* PinInChat, MessageAddOnContextInfo */
enum { PIN_TYPE = 1, PIN_TIME_MS = 3, PIN_SERVER_TIME_MS = 4, PIN_CONTEXT = 5, CONTEXT_SECONDS = 1, PIN_FOR_ALL = 1, UNPIN_FOR_ALL = 2 };
/* MessageAddOn, its types, LegacyMessage; ReactionMessage, PinInChatMessage */
enum { ADDON_TYPE = 1, ADDON_MESSAGE = 2, ADDON_TIME_MS = 3, ADDON_SERVER_TIME_MS = 4, ADDON_CONTEXT = 6, ADDON_KEY = 7, ADDON_LEGACY = 8 };
enum { TYPE_REACTION = 1, TYPE_EVENT_RESPONSE = 2, TYPE_POLL_UPDATE = 3, TYPE_PIN = 4 };
enum { LEGACY_EVENT_RESPONSE = 1, LEGACY_POLL_VOTE = 2, REACTION_TEXT = 2, PIN_MESSAGE_TYPE = 2 };

#define TIME_MAX_S INT64_C(253402300799)

static bool take_jid(struct span text, struct jid *out)
{
	struct jid jid;

	if (text.n == 0 || text.n >= JID_TEXT_MAX || jid_parse(&jid, (const char *)text.p, text.n) != 0 || jid.user[0] == '\0')
		return false;
	*out = jid_bare(&jid);
	return true;
}

/* The last number of that field; 0 without one, or if the bytes are malformed. */
static uint64_t find_number(struct span message, uint32_t number)
{
	struct reader r = reader_of(message.p, message.n);
	struct proto_field f;
	uint64_t value = 0;

	while (proto_next(&r, &f))
		value = f.number == number && f.wire == PROTO_VARINT ? f.value : value;
	return r.ok ? value : 0;
}

static int64_t take_ms(uint64_t value)
{
	return value > (uint64_t)TIME_MAX_S * 1000 ? 0 : (int64_t)value;
}

/* The key of the message that added it says whose it is. */
static bool take_author(struct span key, struct wa_history_addon *out)
{
	struct reader r = reader_of(key.p, key.n);
	struct jid chat = { 0 };
	struct proto_field f;

	while (proto_next(&r, &f)) {
		if (f.number == KEY_FROM_ME && f.wire == PROTO_VARINT)
			out->own = f.value != 0;
		else if (f.number == KEY_ID && f.wire == PROTO_BYTES)
			out->source = f.bytes;
		else if (f.number == KEY_PARTICIPANT && f.wire == PROTO_BYTES)
			take_jid(f.bytes, &out->author);
		else if (f.number == KEY_CHAT && f.wire == PROTO_BYTES)
			take_jid(f.bytes, &chat);
	}
	if (jid_is_none(&out->author) && jid_is_person(&chat))
		out->author = chat;
	return r.ok && (out->own || jid_is_person(&out->author));
}

/* Reaction, PollUpdate and EventResponse are alike: a key, what it is, when. */
struct keyed {
	uint32_t key, what, when;
};

static bool take_keyed(struct span bytes, const struct keyed *at, struct wa_history_addon *out)
{
	struct reader r = reader_of(bytes.p, bytes.n);
	struct proto_field f;
	bool named = false;

	while (proto_next(&r, &f)) {
		if (f.number == at->key && f.wire == PROTO_BYTES)
			named = take_author(f.bytes, out);
		else if (f.number == at->what && f.wire == PROTO_BYTES)
			out->value = f.bytes;
		else if (f.number == at->when && f.wire == PROTO_VARINT)
			out->time_ms = take_ms(f.value);
	}
	return r.ok && named;
}

static bool take_reaction(struct span bytes, struct wa_history_addon *out)
{
	static const struct keyed at = { .key = 1, .what = 2, .when = 4 };

	out->kind = HISTORY_REACTION;
	return take_keyed(bytes, &at, out);
}

static bool take_vote(struct span bytes, struct wa_history_addon *out)
{
	static const struct keyed at = { .key = 1, .what = 2, .when = 3 };

	out->kind = HISTORY_VOTE;
	return take_keyed(bytes, &at, out);
}

static bool take_response(struct span bytes, struct wa_history_addon *out)
{
	static const struct keyed at = { .key = 1, .what = 3, .when = 2 };

	out->kind = HISTORY_RESPONSE;
	return take_keyed(bytes, &at, out) && out->value.n > 0;
}

static bool take_receipt(struct span bytes, struct wa_history_addon *out)
{
	struct reader r = reader_of(bytes.p, bytes.n);
	struct proto_field f;

	out->kind = HISTORY_RECEIPT;
	while (proto_next(&r, &f)) {
		if (f.number == RECEIPT_WHO && f.wire == PROTO_BYTES) {
			take_jid(f.bytes, &out->author);
		} else if (f.number >= RECEIPT_DELIVERED && f.number <= RECEIPT_PLAYED && f.wire == PROTO_VARINT && f.value > 0 && f.value <= (uint64_t)TIME_MAX_S &&
			   f.number >= out->state) {
			out->state = f.number;
			out->time_ms = (int64_t)f.value * 1000;
		}
	}
	return r.ok && out->state != 0 && jid_is_person(&out->author);
}

/* ---- pins ---- */

static uint32_t seconds_of(struct span context)
{
	uint64_t value = find_number(context, CONTEXT_SECONDS);

	return value <= UINT32_MAX ? (uint32_t)value : 0;
}

static bool take_pin(struct span bytes, struct wa_history_addon *out)
{
	struct reader r = reader_of(bytes.p, bytes.n);
	uint64_t type = 0;
	struct proto_field f;

	out->kind = HISTORY_PIN;
	while (proto_next(&r, &f)) {
		if (f.number == PIN_TYPE && f.wire == PROTO_VARINT)
			type = f.value;
		else if ((f.number == PIN_TIME_MS || f.number == PIN_SERVER_TIME_MS) && f.wire == PROTO_VARINT && out->time_ms == 0)
			out->time_ms = take_ms(f.value);
		else if (f.number == PIN_CONTEXT && f.wire == PROTO_BYTES)
			out->seconds = seconds_of(f.bytes);
	}
	out->state = type == PIN_FOR_ALL;
	return r.ok && (type == PIN_FOR_ALL || type == UNPIN_FOR_ALL);
}

/* ---- all of them, as newer phones write them ---- */

/* The parts of a MessageAddOn that say what was added. */
struct parts {
	uint64_t type;
	struct span message, legacy, context;
};

static bool take_part_reaction(const struct parts *parts, struct wa_history_addon *out)
{
	struct span reaction;

	out->kind = HISTORY_REACTION;
	if (!proto_find(parts->message, E2E_REACTION, &reaction))
		return false;
	/* Without a text it is taken back. */
	proto_find(reaction, REACTION_TEXT, &out->value);
	return true;
}

static bool take_part_response(const struct parts *parts, struct wa_history_addon *out)
{
	out->kind = HISTORY_RESPONSE;
	return proto_find(parts->legacy, LEGACY_EVENT_RESPONSE, &out->value) && out->value.n > 0;
}

static bool take_part_vote(const struct parts *parts, struct wa_history_addon *out)
{
	out->kind = HISTORY_VOTE;
	return proto_find(parts->legacy, LEGACY_POLL_VOTE, &out->value);
}

static bool take_part_pin(const struct parts *parts, struct wa_history_addon *out)
{
	struct span pin;
	uint64_t type;

	out->kind = HISTORY_PIN;
	out->seconds = seconds_of(parts->context);
	if (!proto_find(parts->message, E2E_PIN, &pin))
		return false;
	type = find_number(pin, PIN_MESSAGE_TYPE);
	out->state = type == PIN_FOR_ALL;
	return type == PIN_FOR_ALL || type == UNPIN_FOR_ALL;
}

static bool take_addon(struct span bytes, struct wa_history_addon *out)
{
	static bool (*const takes[])(const struct parts *parts, struct wa_history_addon *out) = {
		[TYPE_REACTION] = take_part_reaction, [TYPE_EVENT_RESPONSE] = take_part_response, [TYPE_POLL_UPDATE] = take_part_vote, [TYPE_PIN] = take_part_pin,
	};
	struct reader r = reader_of(bytes.p, bytes.n);
	struct parts parts = { 0 };
	struct proto_field f;
	bool named = false;

	while (proto_next(&r, &f)) {
		if (f.wire == PROTO_VARINT) {
			if (f.number == ADDON_TYPE)
				parts.type = f.value;
			else if ((f.number == ADDON_TIME_MS || f.number == ADDON_SERVER_TIME_MS) && out->time_ms == 0)
				out->time_ms = take_ms(f.value);
		} else if (f.wire == PROTO_BYTES) {
			switch (f.number) {
			case ADDON_MESSAGE: parts.message = f.bytes; break;
			case ADDON_LEGACY: parts.legacy = f.bytes; break;
			case ADDON_CONTEXT: parts.context = f.bytes; break;
			case ADDON_KEY: named = take_author(f.bytes, out); break;
			default: break;
			}
		}
	}
	if (!r.ok || parts.type >= sizeof takes / sizeof *takes || !takes[parts.type] || !takes[parts.type](&parts, out))
		return false;
	/* A pin belongs to nobody. */
	return named || out->kind == HISTORY_PIN;
}

/* ---- one after another ---- */

static const struct {
	uint32_t number;
	bool (*take)(struct span bytes, struct wa_history_addon *out);
} fields[] = {
	{ 40, take_receipt }, { 41, take_reaction }, { 45, take_vote }, { 54, take_pin }, { 61, take_response }, { 68, take_addon },
};

bool wa_history_is_addon(uint32_t number)
{
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
		if (fields[i].number == number)
			return true;
	}
	return false;
}

bool wa_history_addon_next(struct reader *info, struct wa_history_addon *out)
{
	struct proto_field f;

	while (info->left > 0 && proto_next(info, &f)) {
		if (f.wire != PROTO_BYTES)
			continue;
		for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
			*out = (struct wa_history_addon){ .kind = 0 };
			if (fields[i].number == f.number && fields[i].take(f.bytes, out))
				return true;
		}
	}
	return false;
}
