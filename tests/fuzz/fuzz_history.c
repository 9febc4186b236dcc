/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, a phone's history or a notice of one brings the daemon down. First byte: 0 inflated, 1 packed, 2 a notice. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sessiond/wa/history.h"

struct memory {
	const uint8_t *p;
	size_t left;
};

static long read_memory(void *ctx, void *out, size_t n)
{
	struct memory *m = ctx;

	if (n > m->left)
		n = m->left;
	if (n > 0)
		memcpy(out, m->p, n);
	m->p += n;
	m->left -= n;
	return (long)n;
}

static size_t touch(const char *text)
{
	return text ? strlen(text) : 0;
}

static size_t look_at(const struct wa_history_item *item)
{
	const struct wa_history_message *m = &item->message;
	size_t sum = touch(item->text);

	if (item->kind == HISTORY_CHAT)
		return sum + touch(item->chat->name) + touch(item->chat->display_name) + touch(item->chat->username) + touch(item->chat->description) +
		       (item->chat->token.n > 0 ? item->chat->token.p[item->chat->token.n - 1] : 0);
	if (item->kind != HISTORY_MESSAGE)
		return sum;
	sum += touch(m->id) + touch(m->push_name) + touch(m->business_name);
	if (m->message.n > 0)
		sum += m->message.p[m->message.n - 1];
	return sum + (m->info.n > 0 ? m->info.p[0] : 0);
}

/* Read for nothing but to be read. */
static volatile size_t looked_at;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wa_history_notice notice;
	struct wa_history_item item;
	struct wa_history *h;
	struct memory memory;

	if (size == 0)
		return 0;
	if (data[0] % 3 == 2) {
		wa_history_notice_read(span_of(data + 1, size - 1), &notice);
		return 0;
	}
	memory = (struct memory){ data + 1, size - 1 };
	h = wa_history_new(read_memory, &memory, data[0] % 3 == 1);
	while (wa_history_next(h, &item) > 0) {
		struct wa_history_addon addon;
		struct reader info = reader_of(item.message.info.p, item.message.info.n);

		looked_at = looked_at + look_at(&item);
		while (item.kind == HISTORY_MESSAGE && wa_history_addon_next(&info, &addon))
			looked_at = looked_at + addon.value.n;
	}
	wa_history_free(&h);
	return 0;
}
