/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, the content of a hostile message, or a damaged stored session, crashes the daemon. */
#include <stdlib.h>
#include <string.h>

#include "common/limits.h"
#include "sessiond/wa/e2e.h"
#include "sessiond/wa/proto/e2e.pb-c.h"
#include "sessiond/wa/signal_record.h"
#include "sessiond/wa/wa.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool readable(struct span message)
{
	E2e__Message *read = e2e_acceptable(message) ? e2e__message__unpack(NULL, message.n, message.p) : NULL;
	bool ok = read != NULL;

	if (ok)
		e2e__message__free_unpacked(read, NULL);
	return ok;
}

/* Editing, passing on and reading the timer of whatever was received. */
static void act_on(struct span message)
{
	static const struct wa_message_key key = { .id = "ID" };
	struct buf edited = { 0 };
	struct buf forwarded = { 0 };
	uint32_t score, seconds;
	int64_t set_s;

	if (wa_build_edit(&edited, &key, message, "text", 1) && !edited.len)
		abort();
	if (wa_build_forward(&forwarded, message, false, &score) && (!forwarded.len || !score))
		abort();
	wa_chat_timer(message, &seconds, &set_s);
	buf_free(&edited);
	buf_free(&forwarded);
}

/* What we build around foreign bytes can be read by everybody. */
static void build_around(struct span message)
{
	static const struct wa_text text = { .text = "answer" };
	struct wa_context context = { .quoted_id = "ID", .quoted_message = message };
	struct buf content = { 0 };
	struct buf around = { 0 };
	struct buf built = { 0 };
	struct buf wrapped = { 0 };
	struct buf inner = { 0 };
	struct span chat;

	if (jid_parse_text(&context.quoted_sender, "222@s.whatsapp.net") != 0)
		abort();
	wa_build_text(&content, &text);
	wa_add_context(&built, buf_span(&content), &context);
	wa_add_context(&around, message, &context);
	if (readable(message) && !readable(buf_span(&built)))
		abort();
	e2e_wrap_device_sent(&wrapped, "222@s.whatsapp.net", message);
	if (!e2e_unwrap_device_sent(buf_span(&wrapped), &chat, &inner) || inner.len < message.n)
		abort();
	act_on(message);
	buf_free(&content);
	buf_free(&around);
	buf_free(&built);
	buf_free(&wrapped);
	buf_free(&inner);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span message = span_of(data, size);
	struct span chat;
	struct e2e_protocol protocol;
	struct e2e_attributes attributes;
	struct buf out = { 0 };

	free(e2e_text(message));
	e2e_content_name(message);
	e2e_only_key_distribution(message);
	e2e_protocol_message(message, &protocol);
	e2e_attributes(message, &attributes);
	e2e_unwrap_device_sent(message, &chat, &out);
	build_around(message);
	if (wa_signal_record_prune(message, &out) == 0 && out.len > LIMIT_WA_SIGNAL_RECORD_BYTES)
		abort();
	e2e_unpad(&message);
	buf_free(&out);
	return 0;
}
