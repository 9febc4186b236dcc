/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Adding a ContextInfo to a message that is built already, on its serialized form. */
#include "sessiond/wa/build.h"

#include <string.h>

#include "sessiond/wa/e2e.h"
#include "sessiond/wa/e2e_fields.h"
#include "sessiond/wa/proto_walk.h"

#define WRAPPERS_MAX 8

enum {
	CONTEXT_STANZA_ID = 1,
	CONTEXT_PARTICIPANT = 2,
	CONTEXT_QUOTED = 3,
	CONTEXT_REMOTE_JID = 4,
	CONTEXT_MENTIONED = 15,
	CONTEXT_FORWARDING_SCORE = 21,
	CONTEXT_FORWARDED = 22,
	CONTEXT_EXPIRATION = 25,
	CONTEXT_EXPIRATION_SET = 26,
	CONTEXT_GROUP_MENTIONS = 40,
	CONTEXT_NON_JID_MENTIONS = 70
};
enum { GROUP_MENTION_JID = 1, GROUP_MENTION_SUBJECT = 2 };
enum { TEXT_TEXT = 1, TEXT_CONTEXT = 17 };
enum { WRAPPED_MESSAGE = 1 };
enum { INFO_SECRET = 3 };
enum { PROTOCOL_EXPIRATION = 4, PROTOCOL_EXPIRATION_SET = 5 };

/* The end of the year 9999. */
#define LAST_TIME_S 253402300799U
enum { EVERYBODY = 1 };

static void put_jid(struct buf *out, uint32_t number, const struct jid *jid)
{
	char text[JID_TEXT_MAX];
	struct jid bare = jid_bare(jid);

	proto_put_bytes(out, number, span_text(jid_format(&bare, text, sizeof text)));
}

static void put_quote(struct buf *out, const struct wa_context *context)
{
	struct buf quoted = { 0 };

	proto_put_bytes(out, CONTEXT_STANZA_ID, span_text(context->quoted_id));
	put_jid(out, CONTEXT_PARTICIPANT, &context->quoted_sender);
	e2e_quotable(context->quoted_message, &quoted);
	/* Without a quoted message phones show nothing at all: an empty text still shows as a quote. */
	if (quoted.len == 0)
		proto_put_bytes(&quoted, E2E_CONVERSATION, span_of("", 0));
	proto_put_bytes(out, CONTEXT_QUOTED, buf_span(&quoted));
	if (!jid_is_none(&context->quoted_chat))
		put_jid(out, CONTEXT_REMOTE_JID, &context->quoted_chat);
	buf_wipe(&quoted);
}

static void put_group_mention(struct buf *out, const struct wa_group_mention *mention)
{
	struct buf inner = { 0 };

	put_jid(&inner, GROUP_MENTION_JID, &mention->group);
	if (mention->subject)
		proto_put_bytes(&inner, GROUP_MENTION_SUBJECT, span_text(mention->subject));
	proto_put_bytes(out, CONTEXT_GROUP_MENTIONS, buf_span(&inner));
	buf_wipe(&inner);
}

static void put_context(struct buf *out, const struct wa_context *context)
{
	if (context->quoted_id)
		put_quote(out, context);
	for (size_t i = 0; i < context->nmentions; i++)
		put_jid(out, CONTEXT_MENTIONED, &context->mentions[i]);
	if (context->forwarded) {
		proto_put_uint(out, CONTEXT_FORWARDING_SCORE, context->forwarding_score ? context->forwarding_score : 1);
		proto_put_uint(out, CONTEXT_FORWARDED, 1);
	}
	if (context->expiration_s)
		proto_put_uint(out, CONTEXT_EXPIRATION, context->expiration_s);
	if (context->expiration_s && context->expiration_set_s > 0)
		proto_put_uint(out, CONTEXT_EXPIRATION_SET, (uint64_t)context->expiration_set_s);
	for (size_t i = 0; i < context->ngroup_mentions; i++)
		put_group_mention(out, &context->group_mentions[i]);
	if (context->mention_all)
		proto_put_uint(out, CONTEXT_NON_JID_MENTIONS, EVERYBODY);
}

/* The content with its ContextInfo; two of the same message in a row are merged by whoever reads them, so the old one is kept. */
static void put_content(struct buf *out, const struct e2e_field *field, struct span content, struct span context)
{
	struct buf inner = { 0 };

	if (field->number == E2E_CONVERSATION) {
		proto_put_bytes(&inner, TEXT_TEXT, content);
		proto_put_bytes(&inner, TEXT_CONTEXT, context);
		proto_put_bytes(out, E2E_EXTENDED_TEXT, buf_span(&inner));
	} else {
		buf_append_span(&inner, content);
		if (field->context)
			proto_put_bytes(&inner, field->context, context);
		proto_put_bytes(out, field->number, buf_span(&inner));
	}
	buf_wipe(&inner);
}

static void put_message(struct buf *out, struct span message, struct span context, int depth);

/* Other fields of a wrapper stay; the wrapped message is written anew. */
static void put_wrapper(struct buf *out, const struct e2e_field *field, struct span wrapper, struct span context, int depth)
{
	struct reader r = reader_of(wrapper.p, wrapper.n);
	struct proto_field f;
	struct buf inner = { 0 };
	struct buf message = { 0 };

	while (proto_next(&r, &f)) {
		if (f.number != WRAPPED_MESSAGE || f.wire != PROTO_BYTES) {
			buf_append_span(&inner, f.raw);
			continue;
		}
		buf_clear(&message);
		put_message(&message, f.bytes, context, depth + 1);
		proto_put_bytes(&inner, WRAPPED_MESSAGE, buf_span(&message));
	}
	proto_put_bytes(out, field->number, buf_span(&inner));
	buf_wipe(&inner);
	buf_wipe(&message);
}

static void put_message(struct buf *out, struct span message, struct span context, int depth)
{
	struct reader r = reader_of(message.p, message.n);
	struct proto_field f;
	bool done = false;

	while (proto_next(&r, &f)) {
		const struct e2e_field *field = e2e_field_find(f.number);

		if (done || !field || f.wire != PROTO_BYTES || f.number == E2E_KEY_DISTRIBUTION || f.number == E2E_CONTEXT_INFO) {
			buf_append_span(out, f.raw);
			continue;
		}
		done = true;
		if (field->wrapper == E2E_WRAPPER_NONE)
			put_content(out, field, f.bytes, context);
		else if (depth < WRAPPERS_MAX && f.number != E2E_DEVICE_SENT)
			put_wrapper(out, field, f.bytes, context, depth);
		else
			buf_append_span(out, f.raw);
	}
}

/* What belongs to the message as a whole (secrets, timers) stays outside. */
static void put_view_once(struct buf *out, struct span message)
{
	struct reader r = reader_of(message.p, message.n);
	struct proto_field f;
	struct buf inner = { 0 };
	struct buf wrapper = { 0 };
	struct buf outer = { 0 };

	while (proto_next(&r, &f))
		buf_append_span(f.number == E2E_CONTEXT_INFO ? &outer : &inner, f.raw);
	proto_put_bytes(&wrapper, WRAPPED_MESSAGE, buf_span(&inner));
	proto_put_bytes(out, E2E_VIEW_ONCE, buf_span(&wrapper));
	buf_append_span(out, buf_span(&outer));
	buf_wipe(&inner);
	buf_wipe(&wrapper);
	buf_wipe(&outer);
}

void wa_add_context(struct buf *out, struct span message, const struct wa_context *context)
{
	struct buf info = { 0 };
	struct buf whole = { 0 };

	put_context(&info, context);
	if (info.len)
		put_message(&whole, message, buf_span(&info), 0);
	else
		buf_append_span(&whole, message);
	if (context->view_once)
		put_view_once(out, buf_span(&whole));
	else
		buf_append_span(out, buf_span(&whole));
	buf_wipe(&info);
	buf_wipe(&whole);
}

bool wa_message_secret(struct span message, struct span *secret)
{
	for (int depth = 0; depth < WRAPPERS_MAX; depth++) {
		struct reader r = reader_of(message.p, message.n);
		struct proto_field f;
		struct span info;
		struct span inner = { 0 };

		if (proto_find(message, E2E_CONTEXT_INFO, &info) && proto_find(info, INFO_SECRET, secret) && secret->n > 0)
			return true;
		while (proto_next(&r, &f)) {
			const struct e2e_field *field = f.wire == PROTO_BYTES ? e2e_field_find(f.number) : NULL;

			if (field && field->wrapper != E2E_WRAPPER_NONE && f.number != E2E_DEVICE_SENT)
				proto_find(f.bytes, WRAPPED_MESSAGE, &inner);
		}
		if (!inner.p)
			break;
		message = inner;
	}
	return false;
}

bool wa_expects_answers(struct span message)
{
	struct e2e_attributes attributes;

	e2e_attributes(message, &attributes);
	/* Votes and answers themselves have the same types, but are hidden where they cannot be read. */
	return (strcmp(attributes.type, "poll") == 0 || strcmp(attributes.type, "event") == 0) && !attributes.hide_failure;
}

static uint64_t uint_in(struct span message, uint32_t number)
{
	struct reader r = reader_of(message.p, message.n);
	struct proto_field f;
	uint64_t value = 0;

	while (proto_next(&r, &f)) {
		if (f.number == number && f.wire == PROTO_VARINT)
			value = f.value;
	}
	return value;
}

static void take_timer(struct span holder, uint32_t seconds_field, uint32_t set_field, uint32_t *seconds, int64_t *set_s)
{
	uint64_t value = uint_in(holder, seconds_field), set = uint_in(holder, set_field);

	*seconds = value > UINT32_MAX ? 0 : (uint32_t)value;
	*set_s = set > LAST_TIME_S ? 0 : (int64_t)set;
}

/* The ContextInfo of the content, also inside wrappers. */
static bool content_context(struct span message, struct span *context)
{
	for (int depth = 0; depth < WRAPPERS_MAX; depth++) {
		struct reader r = reader_of(message.p, message.n);
		struct proto_field f;
		struct span inner = { 0 };

		while (proto_next(&r, &f)) {
			const struct e2e_field *field = f.wire == PROTO_BYTES ? e2e_field_find(f.number) : NULL;

			if (field && field->context && proto_find(f.bytes, field->context, context))
				return true;
			if (field && field->wrapper != E2E_WRAPPER_NONE)
				proto_find(f.bytes, WRAPPED_MESSAGE, &inner);
		}
		if (!inner.p)
			return false;
		message = inner;
	}
	return false;
}

bool wa_chat_timer(struct span message, uint32_t *seconds, int64_t *set_s)
{
	struct e2e_protocol protocol;
	struct span context;

	if (e2e_protocol_message(message, &protocol)) {
		take_timer(protocol.bytes, PROTOCOL_EXPIRATION, PROTOCOL_EXPIRATION_SET, seconds, set_s);
		return protocol.type == E2E_EPHEMERAL_SETTING;
	}
	if (!content_context(message, &context))
		return false;
	take_timer(context, CONTEXT_EXPIRATION, CONTEXT_EXPIRATION_SET, seconds, set_s);
	return *seconds > 0 && *set_s > 0;
}
