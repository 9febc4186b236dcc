/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What others added to a message, as a history has it with the message. Field numbers: Baileys WAProto, WebMessageInfo. */
#include <string.h>

#include "sessiond/wa/history.h"
#include "sessiond/wa/proto_walk.h"

/* WebMessageInfo; MessageKey */
enum { INFO_RECEIPT = 40, INFO_REACTION = 41, INFO_POLL_UPDATE = 45 };
enum { KEY_CHAT = 1, KEY_FROM_ME = 2, KEY_ID = 3, KEY_PARTICIPANT = 4 };
/* Reaction, PollUpdate, UserReceipt */
enum { REACTION_KEY = 1, REACTION_TEXT = 2, REACTION_TIME_MS = 4 };
enum { UPDATE_KEY = 1, UPDATE_VOTE = 2, UPDATE_TIME_MS = 3 };
enum { RECEIPT_WHO = 1, RECEIPT_DELIVERED = 2, RECEIPT_READ = 3, RECEIPT_PLAYED = 4 };

#define TIME_MAX_S INT64_C(253402300799)

bool wa_history_is_addon(uint32_t number)
{
	return number == INFO_RECEIPT || number == INFO_REACTION || number == INFO_POLL_UPDATE;
}

static bool take_jid(struct span text, struct jid *out)
{
	struct jid jid;

	if (text.n == 0 || text.n >= JID_TEXT_MAX || jid_parse(&jid, (const char *)text.p, text.n) != 0 || jid.user[0] == '\0')
		return false;
	*out = jid_bare(&jid);
	return true;
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

/* Reaction and PollUpdate are alike: a key, what it is, when. */
static bool take_keyed(struct span bytes, uint32_t what, uint32_t when, struct wa_history_addon *out)
{
	struct reader r = reader_of(bytes.p, bytes.n);
	struct proto_field f;
	bool named = false;

	while (proto_next(&r, &f)) {
		if (f.number == REACTION_KEY && f.wire == PROTO_BYTES)
			named = take_author(f.bytes, out);
		else if (f.number == what && f.wire == PROTO_BYTES)
			out->value = f.bytes;
		else if (f.number == when && f.wire == PROTO_VARINT)
			out->time_ms = take_ms(f.value);
	}
	return r.ok && named;
}

static bool take_receipt(struct span bytes, struct wa_history_addon *out)
{
	struct reader r = reader_of(bytes.p, bytes.n);
	struct proto_field f;

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

bool wa_history_addon_next(struct reader *info, struct wa_history_addon *out)
{
	struct proto_field f;

	while (info->left > 0 && proto_next(info, &f)) {
		bool usable = false;

		*out = (struct wa_history_addon){ .kind = 0 };
		if (f.wire != PROTO_BYTES)
			continue;
		if (f.number == INFO_REACTION) {
			out->kind = HISTORY_REACTION;
			usable = take_keyed(f.bytes, REACTION_TEXT, REACTION_TIME_MS, out);
		} else if (f.number == INFO_POLL_UPDATE) {
			out->kind = HISTORY_VOTE;
			usable = take_keyed(f.bytes, UPDATE_VOTE, UPDATE_TIME_MS, out);
		} else if (f.number == INFO_RECEIPT) {
			out->kind = HISTORY_RECEIPT;
			usable = take_receipt(f.bytes, out);
		}
		if (usable)
			return true;
	}
	return false;
}
