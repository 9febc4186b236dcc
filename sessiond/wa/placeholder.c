/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Messages that were not encrypted for this device (<unavailable/>): the phone has them, and is asked to send them on.
 *
 *     ours   protocolMessage{ 2: 16, 16: { 1: 4 (placeholder resend), 5: { 1: MessageKey } } }        to the phone, category peer
 *     its    protocolMessage{ 2: 17, 17: { 3: { 4: { 1: WebMessageInfo } } } }
 *
 * Source: Baileys Socket/messages-recv.ts (requestPlaceholderResend), whatsmeow send.go (BuildUnavailableMessageRequest).
 */
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/wa/appstate.h"
#include "sessiond/wa/e2e.h"
#include "sessiond/wa/e2e_fields.h"
#include "sessiond/wa/lidmap.h"
#include "sessiond/wa/proto_scan.h"
#include "sessiond/wa/proto_walk.h"
#include "sessiond/wa/receive.h"

/* Older ones are nobody's concern any more. */
#define ASK_MAX_AGE_MS (INT64_C(14) * 24 * 3600 * 1000)

enum { PROTOCOL_TYPE = 2, PROTOCOL_REQUEST = 16, REQUEST_TYPE = 1, REQUEST_PLACEHOLDER = 5, PLACEHOLDER_RESEND = 4 };
enum { KEY_CHAT = 1, KEY_FROM_ME = 2, KEY_ID = 3, KEY_PARTICIPANT = 4 };
enum { RESPONSE_RESULT = 3, RESULT_PLACEHOLDER = 4, PLACEHOLDER_MESSAGE = 1 };
enum { INFO_KEY = 1, INFO_MESSAGE = 2, INFO_TIME = 3, INFO_PUSH_NAME = 19 };
enum { RESULTS_MAX = 64, ID_MAX = 200, PUSH_NAME_MAX = 256 };

static void put_number(struct buf *out, uint32_t field, uint64_t value)
{
	proto_put_varint(out, (uint64_t)field << 3);
	proto_put_varint(out, value);
}

static void put_jid(struct buf *out, uint32_t field, const struct jid *jid)
{
	char text[JID_TEXT_MAX];

	proto_put_bytes(out, field, span_text(jid_format(jid, text, sizeof text)));
}

void wa_placeholder_ask(struct receive_job *job)
{
	const struct envelope *e = &job->envelope;
	struct jid author = jid_bare(&e->author);
	struct buf key = { 0 }, wanted = { 0 }, request = { 0 }, protocol = { 0 }, message = { 0 };

	if (wa_client_wall_ms(job->job.m->client) - e->time_ms > ASK_MAX_AGE_MS)
		return;
	put_jid(&key, KEY_CHAT, &e->chat);
	put_number(&key, KEY_FROM_ME, e->from_me);
	proto_put_bytes(&key, KEY_ID, span_text(e->id));
	if (e->kind == ENVELOPE_GROUP && !e->from_me)
		put_jid(&key, KEY_PARTICIPANT, &author);
	proto_put_bytes(&wanted, 1, buf_span(&key));
	put_number(&request, REQUEST_TYPE, PLACEHOLDER_RESEND);
	proto_put_bytes(&request, REQUEST_PLACEHOLDER, buf_span(&wanted));
	put_number(&protocol, PROTOCOL_TYPE, E2E_PEER_DATA_REQUEST);
	proto_put_bytes(&protocol, PROTOCOL_REQUEST, buf_span(&request));
	proto_put_bytes(&message, E2E_PROTOCOL, buf_span(&protocol));
	wa_peer_send(job->job.m, buf_span(&message));
	buf_free(&key);
	buf_free(&wanted);
	buf_free(&request);
	buf_free(&protocol);
	buf_free(&message);
}

/* ---- the answer ---- */

static bool take_jid(struct span text, struct jid *out)
{
	if (text.n == 0 || jid_parse(out, (const char *)text.p, text.n) != 0)
		return false;
	*out = jid_bare(out);
	return true;
}

static uint64_t number_in(struct span part, uint32_t number)
{
	struct reader r = reader_of(part.p, part.n);
	struct proto_field f;
	uint64_t value = 0;

	while (proto_next(&r, &f))
		if (f.number == number && f.wire == PROTO_VARINT)
			value = f.value;
	return value;
}

static char *text_in(struct span part, uint32_t number, size_t max)
{
	struct span text;

	if (!proto_find(part, number, &text) || text.n == 0 || text.n > max || memchr(text.p, 0, text.n) != NULL)
		return NULL;
	return xstrndup((const char *)text.p, text.n);
}

static void set_form(const struct jid *jid, struct jid *pn, struct jid *lid)
{
	if (wa_lidmap_is_pn(jid))
		*pn = *jid;
	else if (wa_lidmap_is_lid(jid))
		*lid = *jid;
}

/* Whose it is: what the key says, in the phone's words, which are ours. */
static bool read_key(const struct receive_job *job, struct span key, struct wa_message *m)
{
	struct span participant = { 0 };
	struct span chat = { 0 };

	proto_find(key, KEY_CHAT, &chat);
	m->from_me = number_in(key, KEY_FROM_ME) != 0;
	m->id = text_in(key, KEY_ID, ID_MAX);
	if (m->id == NULL || !take_jid(chat, &m->chat))
		return false;
	if (m->from_me)
		m->sender = wa_messaging_own(job->job.m, &m->chat);
	else if (!proto_find(key, KEY_PARTICIPANT, &participant) || !take_jid(participant, &m->sender))
		m->sender = m->chat;
	set_form(&m->chat, &m->chat_pn, &m->chat_lid);
	set_form(&m->sender, &m->sender_pn, &m->sender_lid);
	m->lid_addressed = wa_lidmap_is_lid(&m->sender);
	return true;
}

static void take_one(struct receive_job *job, struct span info)
{
	struct wa_event *event = wa_event_new(WA_EVENT_MESSAGE);
	struct wa_message *m = xcalloc(1, sizeof *m);
	struct e2e_protocol protocol;
	struct span key;
	struct span message;

	event->message = m;
	/* What changes other messages was checked where it came from, or not at all: it is not passed on from here. */
	if (!proto_find(info, INFO_KEY, &key) || !proto_find(info, INFO_MESSAGE, &message) || !e2e_acceptable(message) ||
	    e2e_protocol_message(message, &protocol) || !read_key(job, key, m)) {
		wa_event_free(event);
		return;
	}
	m->offline = true;
	m->time_ms = (int64_t)(number_in(info, INFO_TIME) & UINT32_MAX) * 1000;
	m->push_name = text_in(info, INFO_PUSH_NAME, PUSH_NAME_MAX);
	buf_append_span(&m->plaintext, message);
	m->text = e2e_text(message);
	m->content = e2e_content_name(message);
	state_op_event(&job->job.op, event);
}

void wa_placeholder_take(struct receive_job *job, struct span response)
{
	struct reader r = reader_of(response.p, response.n);
	struct proto_field f;
	size_t n = 0;

	while (n < RESULTS_MAX && proto_next(&r, &f)) {
		struct span placeholder;
		struct span info;

		if (f.number != RESPONSE_RESULT || f.wire != PROTO_BYTES || !proto_find(f.bytes, RESULT_PLACEHOLDER, &placeholder) ||
		    !proto_find(placeholder, PLACEHOLDER_MESSAGE, &info))
			continue;
		take_one(job, info);
		n++;
	}
}
