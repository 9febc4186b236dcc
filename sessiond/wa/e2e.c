/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Framing, envelopes and inspection of message plaintexts on their serialized form. */
#include "sessiond/wa/e2e.h"

#include <string.h>

#include "common/mem.h"
#include "sessiond/wa/e2e_fields.h"
#include "sessiond/wa/proto/e2e.pb-c.h"
#include "sessiond/wa/proto_scan.h"
#include "sessiond/wa/proto_walk.h"

#define UNWRAP_MAX 8

enum { DEVICE_SENT_CHAT = 1, DEVICE_SENT_MESSAGE = 2 };
enum { WRAPPED_MESSAGE = 1 };
enum { PROTOCOL_KEY = 1, PROTOCOL_TYPE = 2 };
enum { KEY_FROM_ME = 2, KEY_ID = 3 };

/* ---- framing ---- */

void e2e_pad(struct buf *message, uint8_t random)
{
	uint8_t n = (uint8_t)(random % E2E_PAD_MAX + 1);

	for (uint8_t i = 0; i < n; i++)
		buf_u8(message, n);
}

bool e2e_unpad(struct span *message)
{
	uint8_t n;

	if (message->n == 0)
		return false;
	n = message->p[message->n - 1];
	if (n == 0 || n > E2E_PAD_MAX || n > message->n)
		return false;
	for (size_t i = message->n - n; i < message->n; i++)
		if (message->p[i] != n)
			return false;
	message->n -= n;
	return true;
}

bool e2e_acceptable(struct span message)
{
	return proto_scan(&e2e__message__descriptor, message) == PROTO_OK;
}

/* ---- the envelope for own devices ---- */

void e2e_wrap_device_sent(struct buf *out, const char *chat, struct span message)
{
	struct buf inner = { 0 };
	struct span context;

	proto_put_bytes(&inner, DEVICE_SENT_CHAT, span_text(chat));
	proto_put_bytes(&inner, DEVICE_SENT_MESSAGE, message);
	proto_put_bytes(out, E2E_DEVICE_SENT, buf_span(&inner));
	if (proto_find(message, E2E_CONTEXT_INFO, &context))
		proto_put_bytes(out, E2E_CONTEXT_INFO, context);
	buf_wipe(&inner);
}

bool e2e_unwrap_device_sent(struct span message, struct span *chat, struct buf *inner)
{
	struct span envelope;
	struct span content;
	struct span context;

	*chat = (struct span){ 0 };
	if (!proto_find(message, E2E_DEVICE_SENT, &envelope) || !proto_find(envelope, DEVICE_SENT_MESSAGE, &content))
		return false;
	proto_find(envelope, DEVICE_SENT_CHAT, chat);
	buf_append_span(inner, content);
	if (!proto_find(content, E2E_CONTEXT_INFO, &context) && proto_find(message, E2E_CONTEXT_INFO, &context))
		proto_put_bytes(inner, E2E_CONTEXT_INFO, context);
	return true;
}

/* ---- looking inside ---- */

/* The message inside the wrapper that this message is; an empty span if it is none. */
static struct span unwrap_once(struct span message, bool (*is_wrapper)(uint32_t number))
{
	struct reader r = reader_of(message.p, message.n);
	struct proto_field f;
	struct span inner = { 0 };

	while (proto_next(&r, &f)) {
		if (f.wire != PROTO_BYTES || !is_wrapper(f.number))
			continue;
		proto_find(f.bytes, f.number == E2E_DEVICE_SENT ? DEVICE_SENT_MESSAGE : WRAPPED_MESSAGE, &inner);
	}
	return inner;
}

/* The message inside all wrappers of the given set; bounded, so that nested wrappers cost nothing. */
static struct span unwrap(struct span message, bool (*is_wrapper)(uint32_t number))
{
	for (int depth = 0; depth < UNWRAP_MAX; depth++) {
		struct span inner = unwrap_once(message, is_wrapper);

		if (inner.p == NULL)
			break;
		message = inner;
	}
	return message;
}

static bool is_plain_wrapper(uint32_t number)
{
	const struct e2e_field *f = e2e_field_find(number);

	return f != NULL && f->wrapper == E2E_WRAPPER_SHOWN_THROUGH;
}

static bool is_any_wrapper(uint32_t number)
{
	const struct e2e_field *f = e2e_field_find(number);

	return f != NULL && f->wrapper != E2E_WRAPPER_NONE;
}

/* The content field: the first known one that is neither context nor key distribution. */
static const struct e2e_field *content_field(struct span message, struct span *content)
{
	struct reader r = reader_of(message.p, message.n);
	struct proto_field f;

	while (proto_next(&r, &f)) {
		const struct e2e_field *known = e2e_field_find(f.number);

		if (f.wire != PROTO_BYTES || known == NULL || f.number == E2E_KEY_DISTRIBUTION || f.number == E2E_CONTEXT_INFO)
			continue;
		*content = f.bytes;
		return known;
	}
	*content = (struct span){ 0 };
	return NULL;
}

const char *e2e_content_name(struct span message)
{
	struct span content;
	const struct e2e_field *f = content_field(unwrap(message, is_plain_wrapper), &content);

	return f == NULL ? NULL : f->name;
}

uint32_t e2e_content(struct span message, struct span *content)
{
	const struct e2e_field *f = content_field(unwrap(message, is_any_wrapper), content);

	return f == NULL ? 0 : f->number;
}

struct span e2e_unwrap_once(struct span message)
{
	return unwrap_once(message, is_any_wrapper);
}

char *e2e_text(struct span message)
{
	struct span content;
	const struct e2e_field *f = content_field(unwrap(message, is_any_wrapper), &content);
	struct span text;

	if (f == NULL || f->text == E2E_TEXT_NONE)
		return NULL;
	if (f->text == E2E_TEXT_WHOLE)
		text = content;
	else if (!proto_find(content, f->text, &text))
		return NULL;
	/* A text with a zero byte inside would be cut silently where it is handled as a C string. */
	if (text.n > 0 && memchr(text.p, '\0', text.n) != NULL)
		return NULL;
	return xstrndup((const char *)text.p, text.n);
}

void e2e_quotable(struct span message, struct buf *out)
{
	struct span content;
	const struct e2e_field *f = content_field(unwrap(message, is_any_wrapper), &content);
	struct reader r = reader_of(content.p, content.n);
	struct proto_field inner;
	struct buf stripped = { 0 };

	if (f == NULL)
		return;
	if (f->context == 0) {
		proto_put_bytes(out, f->number, content);
		return;
	}
	while (proto_next(&r, &inner))
		if (inner.number != f->context)
			buf_append_span(&stripped, inner.raw);
	if (r.ok)
		proto_put_bytes(out, f->number, buf_span(&stripped));
	buf_wipe(&stripped);
}

bool e2e_only_key_distribution(struct span message)
{
	struct reader r = reader_of(message.p, message.n);
	struct proto_field f;
	bool found = false;

	while (proto_next(&r, &f)) {
		if (f.number == E2E_KEY_DISTRIBUTION)
			found = true;
		else if (f.number != E2E_CONTEXT_INFO)
			return false;
	}
	return found;
}

static void read_protocol(struct e2e_protocol *out)
{
	struct reader r = reader_of(out->bytes.p, out->bytes.n);
	struct proto_field f;
	struct span key;

	while (proto_next(&r, &f))
		if (f.number == PROTOCOL_TYPE && f.wire == PROTO_VARINT)
			out->type = f.value > UINT32_MAX ? UINT32_MAX : (uint32_t)f.value;
	if (proto_find(out->bytes, PROTOCOL_KEY, &key))
		proto_find(key, KEY_ID, &out->key_id);
}

bool e2e_protocol_message(struct span message, struct e2e_protocol *out)
{
	*out = (struct e2e_protocol){ 0 };
	/* At every level: a wrapper beside a protocol message must not hide it. */
	for (int depth = 0; depth <= UNWRAP_MAX && message.p != NULL; depth++) {
		if (proto_find(message, E2E_PROTOCOL, &out->bytes)) {
			read_protocol(out);
			return true;
		}
		message = unwrap_once(message, is_any_wrapper);
	}
	return false;
}

bool e2e_protocol_self_only(uint32_t type)
{
	switch (type) {
	case E2E_HISTORY_SYNC_NOTIFICATION:
	case E2E_APP_STATE_SYNC_KEY_SHARE:
	case E2E_APP_STATE_SYNC_KEY_REQUEST:
	case E2E_INITIAL_SECURITY_SETTING_SYNC:
	case E2E_APP_STATE_FATAL_EXCEPTION:
	case E2E_PEER_DATA_REQUEST:
	case E2E_PEER_DATA_RESPONSE:
	case E2E_LID_MIGRATION_MAPPING_SYNC:
		return true;
	default:
		return false;
	}
}

/* ---- stanza attributes ---- */

static bool key_from_me(struct span content)
{
	struct span key;
	struct reader r;
	struct proto_field f;
	bool mine = false;

	if (!proto_find(content, PROTOCOL_KEY, &key))
		return false;
	r = reader_of(key.p, key.n);
	while (proto_next(&r, &f))
		if (f.number == KEY_FROM_ME && f.wire == PROTO_VARINT)
			mine = f.value != 0;
	return mine;
}

static void protocol_attributes(struct span message, struct e2e_attributes *out)
{
	struct e2e_protocol p;

	out->token_exempt = true;
	if (!e2e_protocol_message(message, &p))
		return;
	if (p.type == E2E_MESSAGE_EDIT) {
		out->edit = "1";
		out->hide_failure = true;
	} else if (p.type == E2E_REVOKE && p.key_id.n > 0) {
		out->edit = key_from_me(p.bytes) ? "7" : "8";
	} else if (p.type == E2E_EPHEMERAL_SYNC_RESPONSE) {
		out->hide_failure = true;
	}
}

/* Voice notes and GIFs are told apart by a flag inside. Field numbers of AudioMessage and VideoMessage. */
static const char *mediatype_of(const struct e2e_field *f, struct span content)
{
	enum { AUDIO = 8, AUDIO_PTT = 6, VIDEO = 9, VIDEO_GIF_PLAYBACK = 8 };
	uint32_t flag = f->number == AUDIO ? AUDIO_PTT : f->number == VIDEO ? VIDEO_GIF_PLAYBACK : 0;
	struct reader r = reader_of(content.p, content.n);
	struct proto_field field;
	bool set = false;

	while (flag != 0 && proto_next(&r, &field))
		if (field.number == flag && field.wire == PROTO_VARINT)
			set = field.value != 0;
	if (!set)
		return f->mediatype;
	return f->number == AUDIO ? "ptt" : "gif";
}

void e2e_attributes(struct span message, struct e2e_attributes *out)
{
	struct span content;
	const struct e2e_field *f = content_field(unwrap(message, is_any_wrapper), &content);

	*out = (struct e2e_attributes){ .type = "text" };
	if (f == NULL)
		return;
	out->type = f->stanza_type;
	out->mediatype = mediatype_of(f, content);
	out->hide_failure = f->hide_failure;
	if (f->number == E2E_PROTOCOL)
		protocol_attributes(message, out);
	else if (f->number == E2E_PIN)
		out->edit = "2";
}
