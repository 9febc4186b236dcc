/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Records of sent messages. */
#include "sessiond/wa/sent.h"

#include <string.h>

#include "sessiond/wa/send.h"

#define RECORD_VERSION 1

void wa_sent_keys(struct state_keys *keys, const char *id)
{
	state_keys_add(keys, WA_RECORD_SENT, id);
}

static void put_jid(struct buf *out, const struct jid *jid)
{
	char text[JID_TEXT_MAX];

	jid_format(jid, text, sizeof text);
	buf_u8(out, (uint8_t)strlen(text));
	buf_append_text(out, text);
}

static bool get_jid(struct reader *r, struct jid *out)
{
	struct span text = read_span(r, read_u8(r));

	return r->ok && jid_parse(out, (const char *)text.p, text.n) == 0;
}

/* Without the message, which stands at the end: *message is borrowed. */
static bool read_record(struct span value, struct sent_message *out, struct span *message)
{
	struct reader r = reader_of(value.p, value.n);
	size_t n;

	if (read_u8(&r) != RECORD_VERSION)
		return false;
	out->sent_ms = (int64_t)read_be64(&r);
	if (!get_jid(&r, &out->chat))
		return false;
	n = read_u8(&r);
	for (size_t i = 0; r.ok && i < n && i < RETRY_ASKERS_MAX; i++) {
		struct sent_asker *asker = &out->askers[i];
		struct span key;

		if (!get_jid(&r, &asker->device))
			return false;
		asker->asked = read_u8(&r);
		key = read_span(&r, SIGNAL_IDENTITY_BYTES);
		if (r.ok)
			memcpy(asker->base_key, key.p, key.n);
		out->naskers = i + 1;
	}
	*message = read_span(&r, r.left);
	return r.ok;
}

bool wa_sent_load(struct state_op *op, const char *id, struct sent_message *out)
{
	struct span value, message;

	*out = (struct sent_message){ 0 };
	if (!state_op_get(op, WA_RECORD_SENT, id, &value) || !read_record(value, out, &message))
		return false;
	buf_append_span(&out->message, message);
	return message.n > 0;
}

static void put_record(struct buf *value, const struct sent_message *sent, struct span message)
{
	buf_u8(value, RECORD_VERSION);
	buf_be64(value, (uint64_t)sent->sent_ms);
	put_jid(value, &sent->chat);
	buf_u8(value, (uint8_t)sent->naskers);
	for (size_t i = 0; i < sent->naskers; i++) {
		put_jid(value, &sent->askers[i].device);
		buf_u8(value, sent->askers[i].asked);
		buf_append(value, sent->askers[i].base_key, SIGNAL_IDENTITY_BYTES);
	}
	buf_append_span(value, message);
}

struct span wa_sent_askers(struct span record)
{
	struct sent_message sent = { 0 };
	struct span message;

	if (!read_record(record, &sent, &message) || sent.naskers == 0)
		return span_of(NULL, 0);
	return span_of(record.p, record.n - message.n);
}

void wa_sent_record(struct buf *out, const struct jid *chat, int64_t sent_ms, struct span askers, struct span message)
{
	const struct sent_message sent = { .sent_ms = sent_ms, .chat = *chat };

	if (askers.n == 0) {
		put_record(out, &sent, message);
		return;
	}
	buf_append_span(out, askers);
	buf_append_span(out, message);
}

void wa_sent_store(struct state_op *op, const char *id, const struct sent_message *sent)
{
	struct buf value = { 0 };

	put_record(&value, sent, buf_span(&sent->message));
	state_op_put(op, WA_RECORD_SENT, id, buf_span(&value));
	buf_wipe(&value);
}

void wa_sent_free(struct sent_message *sent)
{
	buf_wipe(&sent->message);
}

bool wa_sent_has_asker(const struct sent_message *sent, const struct jid *device)
{
	for (size_t i = 0; i < sent->naskers; i++)
		if (jid_equal(&sent->askers[i].device, device))
			return true;
	return false;
}

struct sent_asker *wa_sent_asker(struct sent_message *sent, const struct jid *device)
{
	for (size_t i = 0; i < sent->naskers; i++)
		if (jid_equal(&sent->askers[i].device, device))
			return &sent->askers[i];
	if (sent->naskers == RETRY_ASKERS_MAX) {
		memmove(&sent->askers[0], &sent->askers[1], (RETRY_ASKERS_MAX - 1) * sizeof sent->askers[0]);
		sent->naskers--;
	}
	sent->askers[sent->naskers] = (struct sent_asker){ .device = *device };
	return &sent->askers[sent->naskers++];
}

void wa_send_remember(struct send_job *job, int64_t now_ms)
{
	struct sent_message sent = { .sent_ms = now_ms, .chat = job->chat };

	buf_append_span(&sent.message, buf_span(&job->message));
	wa_sent_store(&job->op, job->id, &sent);
	wa_sent_free(&sent);
}
