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

bool wa_sent_load(struct state_op *op, const char *id, struct sent_message *out)
{
	struct span value;
	struct reader r;
	size_t n;

	*out = (struct sent_message){ 0 };
	if (!state_op_get(op, WA_RECORD_SENT, id, &value))
		return false;
	r = reader_of(value.p, value.n);
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
	buf_append_span(&out->message, read_span(&r, r.left));
	return r.ok && out->message.len > 0;
}

void wa_sent_store(struct state_op *op, const char *id, const struct sent_message *sent)
{
	struct buf value = { 0 };

	buf_u8(&value, RECORD_VERSION);
	buf_be64(&value, (uint64_t)sent->sent_ms);
	put_jid(&value, &sent->chat);
	buf_u8(&value, (uint8_t)sent->naskers);
	for (size_t i = 0; i < sent->naskers; i++) {
		put_jid(&value, &sent->askers[i].device);
		buf_u8(&value, sent->askers[i].asked);
		buf_append(&value, sent->askers[i].base_key, SIGNAL_IDENTITY_BYTES);
	}
	buf_append_span(&value, buf_span(&sent->message));
	state_op_put(op, WA_RECORD_SENT, id, buf_span(&value));
	buf_wipe(&value);
}

void wa_sent_free(struct sent_message *sent)
{
	buf_wipe(&sent->message);
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
