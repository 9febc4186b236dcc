/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Messages about other messages: reactions, revocations, edits, pins; and passing one on. */
#include "sessiond/wa/build.h"

#include <string.h>

#include "sessiond/wa/e2e.h"
#include "sessiond/wa/e2e_fields.h"
#include "sessiond/wa/proto_walk.h"

#define WRAPPERS_MAX 8

enum { KEY_CHAT = 1, KEY_FROM_ME = 2, KEY_ID = 3, KEY_PARTICIPANT = 4 };
enum { REACTION_KEY = 1, REACTION_TEXT = 2, REACTION_TIME = 4 };
enum { PROTOCOL_KEY = 1, PROTOCOL_TYPE = 2, PROTOCOL_EDITED = 14, PROTOCOL_TIME = 15 };
enum { PIN_KEY = 1, PIN_TYPE = 2, PIN_TIME = 3, PIN_FOR_ALL = 1, PIN_OFF = 2 };
enum { INFO_DURATION = 5 };
enum { TEXT_TEXT = 1 };
enum { WRAPPED_MESSAGE = 1 };
enum { CONTEXT_FORWARDING_SCORE = 21 };

void wa_put_message_key(struct buf *out, uint32_t number, const struct wa_message_key *key)
{
	struct buf inner = { 0 };
	char text[JID_TEXT_MAX];
	struct jid bare = jid_bare(&key->chat);

	proto_put_text(&inner, KEY_CHAT, jid_format(&bare, text, sizeof text));
	proto_put_uint(&inner, KEY_FROM_ME, key->from_me);
	proto_put_text(&inner, KEY_ID, key->id);
	if (!jid_is_none(&key->participant)) {
		bare = jid_bare(&key->participant);
		proto_put_text(&inner, KEY_PARTICIPANT, jid_format(&bare, text, sizeof text));
	}
	proto_put_bytes(out, number, buf_span(&inner));
	buf_free(&inner);
}

void wa_build_reaction(struct buf *out, const struct wa_message_key *key, const char *emoji, int64_t now_ms)
{
	struct buf inner = { 0 };

	wa_put_message_key(&inner, REACTION_KEY, key);
	proto_put_text(&inner, REACTION_TEXT, emoji);
	proto_put_uint(&inner, REACTION_TIME, (uint64_t)now_ms);
	proto_put_bytes(out, E2E_REACTION, buf_span(&inner));
	buf_wipe(&inner);
}

void wa_build_revoke(struct buf *out, const struct wa_message_key *key)
{
	struct buf inner = { 0 };

	wa_put_message_key(&inner, PROTOCOL_KEY, key);
	proto_put_uint(&inner, PROTOCOL_TYPE, E2E_REVOKE);
	proto_put_bytes(out, E2E_PROTOCOL, buf_span(&inner));
	buf_free(&inner);
}

void wa_build_pin(struct buf *out, const struct wa_message_key *key, uint32_t duration_s, int64_t now_ms)
{
	struct buf inner = { 0 };
	struct buf info = { 0 };

	wa_put_message_key(&inner, PIN_KEY, key);
	proto_put_uint(&inner, PIN_TYPE, duration_s ? PIN_FOR_ALL : PIN_OFF);
	proto_put_uint(&inner, PIN_TIME, (uint64_t)now_ms);
	proto_put_bytes(out, E2E_PIN, buf_span(&inner));
	proto_put_uint(&info, INFO_DURATION, duration_s);
	proto_put_bytes(out, E2E_CONTEXT_INFO, buf_span(&info));
	buf_free(&inner);
	buf_free(&info);
}

/* The content field of a message without its wrappers and context, as one Message; NULL if there is none. */
static const struct e2e_field *bare_content(struct span message, struct buf *bare, struct span *content)
{
	struct reader r;
	struct proto_field f;

	e2e_quotable(message, bare);
	r = reader_of(bare->data, bare->len);
	if (!proto_next(&r, &f))
		return NULL;
	*content = f.bytes;
	return e2e_field_find(f.number);
}

/* A content with another text in its field of that number. */
static void put_with_text(struct buf *out, const struct e2e_field *field, struct span content, const char *text)
{
	struct reader r = reader_of(content.p, content.n);
	struct proto_field f;
	struct buf inner = { 0 };

	while (proto_next(&r, &f)) {
		if (f.number != field->text)
			buf_append_span(&inner, f.raw);
	}
	proto_put_text(&inner, field->text, text);
	proto_put_bytes(out, field->number, buf_span(&inner));
	buf_wipe(&inner);
}

static bool has_caption(const struct e2e_field *field)
{
	static const char *const names[] = { "imageMessage", "videoMessage", "documentMessage" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (strcmp(field->name, names[i]) == 0)
			return true;
	}
	return false;
}

bool wa_build_edit(struct buf *out, const struct wa_message_key *key, struct span original, const char *text, int64_t now_ms)
{
	struct buf bare = { 0 };
	struct buf edited = { 0 };
	struct buf inner = { 0 };
	struct span content = { 0 };
	const struct e2e_field *field = bare_content(original, &bare, &content);
	bool can = true;

	if (field && (field->number == E2E_CONVERSATION || field->number == E2E_EXTENDED_TEXT)) {
		proto_put_text(&inner, TEXT_TEXT, text);
		proto_put_bytes(&edited, E2E_EXTENDED_TEXT, buf_span(&inner));
		buf_clear(&inner);
	} else if (field && has_caption(field)) {
		put_with_text(&edited, field, content, text);
	} else {
		can = false;
	}
	if (can) {
		wa_put_message_key(&inner, PROTOCOL_KEY, key);
		proto_put_uint(&inner, PROTOCOL_TYPE, E2E_MESSAGE_EDIT);
		proto_put_bytes(&inner, PROTOCOL_EDITED, buf_span(&edited));
		proto_put_uint(&inner, PROTOCOL_TIME, (uint64_t)now_ms);
		proto_put_bytes(out, E2E_PROTOCOL, buf_span(&inner));
	}
	buf_wipe(&bare);
	buf_wipe(&edited);
	buf_wipe(&inner);
	return can;
}

/* One content with another text; false if it has none that can be edited. */
static bool edited_content(struct buf *out, const struct e2e_field *field, struct span content, const char *text)
{
	if (field->number == E2E_CONVERSATION)
		proto_put_text(out, E2E_CONVERSATION, text);
	else if (field->number == E2E_EXTENDED_TEXT || has_caption(field))
		put_with_text(out, field, content, text);
	else
		return false;
	return true;
}

static bool edited_message(struct buf *out, struct span message, const char *text, int depth)
{
	struct reader r = reader_of(message.p, message.n);
	struct proto_field f;
	bool done = false;

	while (proto_next(&r, &f)) {
		const struct e2e_field *field = f.wire == PROTO_BYTES ? e2e_field_find(f.number) : NULL;
		struct buf inner = { 0 };
		struct buf wrapper = { 0 };
		struct span wrapped;

		if (done || !field || f.number == E2E_CONTEXT_INFO || f.number == E2E_KEY_DISTRIBUTION) {
			buf_append_span(out, f.raw);
			continue;
		}
		if (field->wrapper == E2E_WRAPPER_NONE) {
			done = edited_content(out, field, f.bytes, text);
		} else if (depth < WRAPPERS_MAX && proto_find(f.bytes, WRAPPED_MESSAGE, &wrapped)) {
			done = edited_message(&inner, wrapped, text, depth + 1);
			proto_put_bytes(&wrapper, WRAPPED_MESSAGE, buf_span(&inner));
			if (done)
				proto_put_bytes(out, f.number, buf_span(&wrapper));
		}
		if (!done)
			buf_append_span(out, f.raw);
		buf_wipe(&inner);
		buf_wipe(&wrapper);
	}
	return done;
}

bool wa_edited(struct buf *out, struct span original, const char *text)
{
	return edited_message(out, original, text, 0);
}

/* ---- passing on ---- */

/* How often a message was passed on already. */
static uint32_t score_of(struct span message, int depth)
{
	struct reader r = reader_of(message.p, message.n);
	struct proto_field f;

	while (depth < 8 && proto_next(&r, &f)) {
		const struct e2e_field *field = f.wire == PROTO_BYTES ? e2e_field_find(f.number) : NULL;
		struct span inner;

		if (!field || f.number == E2E_CONTEXT_INFO || f.number == E2E_KEY_DISTRIBUTION)
			continue;
		if (field->wrapper != E2E_WRAPPER_NONE && proto_find(f.bytes, 1, &inner))
			return score_of(inner, depth + 1);
		if (!field->context || !proto_find(f.bytes, field->context, &inner))
			return 0;
		r = reader_of(inner.p, inner.n);
		while (proto_next(&r, &f)) {
			if (f.number == CONTEXT_FORWARDING_SCORE && f.wire == PROTO_VARINT)
				return f.value > UINT32_MAX - 1 ? UINT32_MAX - 1 : (uint32_t)f.value;
		}
		return 0;
	}
	return 0;
}

static bool is_view_once(struct span message)
{
	static const uint32_t wrappers[] = { 37, 55, 59 };
	struct span inner;

	for (size_t i = 0; i < sizeof wrappers / sizeof *wrappers; i++) {
		/* Interactive messages travel in such a wrapper, too, and are no view once. */
		if (proto_find(message, wrappers[i], &inner)) {
			const char *name = e2e_content_name(message);

			return !name || strcmp(name, "interactiveMessage") != 0;
		}
	}
	return false;
}

bool wa_build_forward(struct buf *out, struct span message, bool from_me, uint32_t *score)
{
	struct buf bare = { 0 };
	struct span content = { 0 };
	const struct e2e_field *field = bare_content(message, &bare, &content);
	bool can = field && (field->number == E2E_CONVERSATION || field->context) && !wa_expects_answers(message) && !is_view_once(message);
	uint32_t before = score_of(message, 0);

	/* Passing on what one said oneself does not count. */
	*score = from_me ? (before ? before : 1) : before + 1;
	if (can)
		buf_append_span(out, buf_span(&bare));
	buf_wipe(&bare);
	return can;
}
