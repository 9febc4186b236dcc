/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The outer fields of a history, one after another; historyitem.c knows what is in them. See history.h. */
#include "sessiond/wa/history.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "common/limits.h"
#include "common/mem.h"
#include "sessiond/wa/historyitem.h"
#include "sessiond/wa/proto_walk.h"

#define PACKED_BYTES 32768U
/* Inflated at a time, and how much is walked over before the window is moved up. */
#define STEP_BYTES 65536U
/* Tag and length. */
#define HEAD_MAX 20U
/* A small history of many equal messages packs tighter than the limit. */
#define RATIO_FROM_BYTES (UINT64_C(64) << 20)

enum { SYNC_CHAT = 2, CHAT_MESSAGE = 2 };

struct wa_history {
	wa_history_read_fn *read;
	void *ctx;               /* borrowed */
	bool packed;
	bool opened;             /* z is to be ended */
	bool ended;              /* nothing more comes into the window */
	int error;
	z_stream z;
	uint8_t in[PACKED_BYTES];
	struct buf window;       /* owned: inflated */
	size_t at;               /* walked over */
	bool in_chat;
	uint64_t chat_left;      /* bytes of the conversation that were not walked over */
	struct history_chat chat;
	struct arena texts;      /* of the present item */
	struct wa_history_counts counts;
	/* a field with several items */
	struct history_many many;
};

static const char *const kind_names[] = {
	[HISTORY_INITIAL_BOOTSTRAP] = "bootstrap", [HISTORY_INITIAL_STATUS] = "status", [HISTORY_FULL] = "full", [HISTORY_RECENT] = "recent",
	[HISTORY_PUSH_NAME] = "push_names", [HISTORY_NON_BLOCKING] = "non_blocking", [HISTORY_ON_DEMAND] = "on_demand", [HISTORY_NONE] = "none",
	[HISTORY_MESSAGE_ACCESS] = "message_access",
};

const char *wa_history_kind_name(uint32_t kind)
{
	return kind < sizeof kind_names / sizeof kind_names[0] ? kind_names[kind] : "other";
}

const char *wa_history_error_text(int error)
{
	static const char *const texts[] = {
		[-HISTORY_OK] = "",
		[-HISTORY_E_READ] = "the downloaded history cannot be read",
		[-HISTORY_E_PACKED] = "the history is damaged: it cannot be inflated",
		[-HISTORY_E_TRUNCATED] = "the history is cut off",
		[-HISTORY_E_BROKEN] = "the history is damaged: its fields cannot be read",
		[-HISTORY_E_TOO_BIG] = "the history inflates to more than is allowed",
	};

	return error <= 0 && (size_t)-error < sizeof texts / sizeof texts[0] ? texts[-error] : "unknown error";
}

struct wa_history *wa_history_new(wa_history_read_fn *read, void *ctx, bool packed)
{
	struct wa_history *h = xcalloc(1, sizeof *h);

	h->read = read;
	h->ctx = ctx;
	h->packed = packed;
	arena_init(&h->texts, 0);
	arena_init(&h->chat.texts, 0);
	if (packed) {
		h->opened = inflateInit(&h->z) == Z_OK;
		if (!h->opened)
			h->error = HISTORY_E_PACKED;
	}
	return h;
}

void wa_history_free(struct wa_history **history)
{
	struct wa_history *h = *history;

	*history = NULL;
	if (h == NULL)
		return;
	if (h->opened)
		inflateEnd(&h->z);
	buf_free(&h->window);
	arena_free(&h->texts);
	arena_free(&h->chat.texts);
	free(h);
}

const struct wa_history_counts *wa_history_counts(const struct wa_history *history)
{
	return &history->counts;
}

/* ---- bytes ---- */

static int fail(struct wa_history *h, int error)
{
	h->error = error;
	return error;
}

static int count_bytes(struct wa_history *h, size_t n)
{
	struct wa_history_counts *c = &h->counts;

	c->bytes += n;
	if (c->bytes > LIMIT_WA_HISTORY_BYTES || (h->packed && c->bytes > RATIO_FROM_BYTES && c->bytes / LIMIT_WA_HISTORY_RATIO > c->packed))
		return fail(h, HISTORY_E_TOO_BIG);
	return 0;
}

static int fill_plain(struct wa_history *h)
{
	long got = h->read(h->ctx, buf_reserve(&h->window, STEP_BYTES), STEP_BYTES);

	if (got < 0)
		return fail(h, HISTORY_E_READ);
	h->ended = got == 0;
	h->counts.packed += (uint64_t)got;
	buf_commit(&h->window, (size_t)got);
	return count_bytes(h, (size_t)got);
}

/* More for inflate(). The end of the source before the stream's own end is a cut. */
static int fetch_packed(struct wa_history *h)
{
	long got;

	if (h->z.avail_in > 0)
		return 0;
	got = h->read(h->ctx, h->in, sizeof h->in);
	if (got <= 0)
		return fail(h, got < 0 ? HISTORY_E_READ : h->counts.packed == 0 ? HISTORY_E_PACKED : HISTORY_E_TRUNCATED);
	h->counts.packed += (uint64_t)got;
	h->z.next_in = h->in;
	h->z.avail_in = (uInt)got;
	return 0;
}

static int fill_packed(struct wa_history *h)
{
	size_t made;
	int rc;

	if (fetch_packed(h))
		return h->error;
	h->z.next_out = buf_reserve(&h->window, STEP_BYTES);
	h->z.avail_out = STEP_BYTES;
	rc = inflate(&h->z, Z_NO_FLUSH);
	made = STEP_BYTES - h->z.avail_out;
	buf_commit(&h->window, made);
	if (rc == Z_STREAM_END)
		h->ended = true;
	else if (rc != Z_OK && rc != Z_BUF_ERROR)
		return fail(h, HISTORY_E_PACKED);
	return count_bytes(h, made);
}

/* How many of n bytes are in the window; fewer only at the end. Negative: failed. */
static long want(struct wa_history *h, size_t n)
{
	if (h->window.len - h->at < n && h->at >= STEP_BYTES) {
		buf_consume(&h->window, h->at);
		h->at = 0;
	}
	while (h->window.len - h->at < n && !h->ended) {
		int rc = h->packed ? fill_packed(h) : fill_plain(h);

		if (rc)
			return rc;
	}
	return (long)(h->window.len - h->at < n ? h->window.len - h->at : n);
}

/* Takes n bytes off the window and off the conversation. */
static void walk(struct wa_history *h, size_t n)
{
	h->at += n;
	if (h->in_chat)
		h->chat_left -= n;
}

static int skip(struct wa_history *h, uint64_t n)
{
	while (n > 0) {
		size_t step = n < STEP_BYTES ? (size_t)n : STEP_BYTES;
		long got = want(h, step);

		if (got < 0)
			return (int)got;
		if ((size_t)got < step)
			return fail(h, HISTORY_E_TRUNCATED);
		walk(h, step);
		n -= step;
	}
	return 0;
}

/* ---- fields ---- */

struct head {
	uint32_t number;
	enum proto_wire wire;
	size_t head_bytes;
	uint64_t body_bytes; /* length-delimited and fixed fields; 0 for varints, which are part of the head */
	bool whole;          /* a varint: nothing follows */
};

/* Tag and length of the next field, which stay in the window. */
static int read_head(struct wa_history *h, long available, struct head *out)
{
	struct reader r = reader_of(h->window.data + h->at, (size_t)available);
	uint64_t tag = proto_varint(&r);
	uint64_t value = 0;

	*out = (struct head){ .number = (uint32_t)(tag >> 3), .wire = (enum proto_wire)(tag & 7) };
	if (!r.ok || tag >> 3 == 0 || tag >> 3 > UINT32_MAX >> 3)
		return fail(h, available < (long)HEAD_MAX ? HISTORY_E_TRUNCATED : HISTORY_E_BROKEN);
	switch (out->wire) {
	case PROTO_VARINT:
		out->whole = true;
		proto_varint(&r);
		break;
	case PROTO_BYTES:
		value = proto_varint(&r);
		break;
	case PROTO_FIXED64:
		value = 8;
		break;
	case PROTO_FIXED32:
		value = 4;
		break;
	default:
		return fail(h, HISTORY_E_BROKEN);
	}
	if (!r.ok)
		return fail(h, available < (long)HEAD_MAX ? HISTORY_E_TRUNCATED : HISTORY_E_BROKEN);
	out->head_bytes = (size_t)available - r.left;
	out->body_bytes = value;
	return 0;
}

static void begin_chat(struct wa_history *h, const struct head *head)
{
	walk(h, head->head_bytes);
	h->in_chat = true;
	h->chat_left = head->body_bytes;
	history_chat_begin(&h->chat);
}

/* The conversation is over: 1 with an item, 0 if it has no name that could be used. */
static int end_chat(struct wa_history *h, struct wa_history_item *item)
{
	h->in_chat = false;
	if (jid_is_none(&h->chat.chat.jid)) {
		h->counts.unusable++;
		return 0;
	}
	h->counts.chats++;
	*item = (struct wa_history_item){ .kind = HISTORY_CHAT, .chat = &h->chat.chat };
	return 1;
}

/* A field that is whole in the window. 1: it is an item. */
static int take_field(struct wa_history *h, const struct proto_field *f, struct wa_history_item *item)
{
	int rc;

	arena_reset(&h->texts);
	if (!h->in_chat)
		rc = history_take_outer(f, &h->texts, &h->many, item);
	else if (f->number == CHAT_MESSAGE && f->wire == PROTO_BYTES)
		rc = history_take_message(f->bytes, &h->chat.chat, &h->texts, item);
	else
		return history_chat_take(&h->chat, f), 0;
	if (rc < 0) {
		h->counts.unusable++;
		return 0;
	}
	return rc;
}

static void count_item(struct wa_history *h, const struct wa_history_item *item)
{
	if (item->kind == HISTORY_MESSAGE) {
		h->counts.messages++;
		h->chat.chat.messages += h->in_chat;
	} else if (item->kind == HISTORY_NAME) {
		h->counts.names++;
	} else if (item->kind == HISTORY_MAPPING) {
		h->counts.mappings++;
	}
}

/* The next field. 1: an item; 0: go on; negative: failed. */
static int next_field(struct wa_history *h, long available, struct wa_history_item *item)
{
	struct proto_field field;
	struct reader r;
	struct head head;
	size_t n;
	long got;
	int rc = read_head(h, available, &head);

	if (rc)
		return rc;
	if (h->in_chat && (head.head_bytes > h->chat_left || head.body_bytes > h->chat_left - head.head_bytes))
		return fail(h, HISTORY_E_BROKEN);
	if (!h->in_chat && head.number == SYNC_CHAT && head.wire == PROTO_BYTES) {
		begin_chat(h, &head);
		return 0;
	}
	if (head.body_bytes > LIMIT_WA_HISTORY_ITEM) {
		h->counts.unusable++;
		walk(h, head.head_bytes);
		return skip(h, head.body_bytes);
	}
	n = head.head_bytes + (size_t)head.body_bytes;
	got = want(h, n);
	if (got < 0)
		return (int)got;
	if ((size_t)got < n)
		return fail(h, HISTORY_E_TRUNCATED);
	r = reader_of(h->window.data + h->at, n);
	if (!proto_next(&r, &field))
		return fail(h, HISTORY_E_BROKEN);
	walk(h, n);
	rc = take_field(h, &field, item);
	if (rc > 0)
		count_item(h, item);
	return rc;
}

int wa_history_next(struct wa_history *h, struct wa_history_item *item)
{
	if (h->error)
		return h->error;
	for (;;) {
		long available;
		int rc;

		if (history_many_next(&h->many, &h->texts, item))
			return 1;
		if (h->in_chat && h->chat_left == 0) {
			if (end_chat(h, item))
				return 1;
			continue;
		}
		available = want(h, HEAD_MAX);
		if (available < 0)
			return (int)available;
		if (available == 0)
			return h->in_chat ? fail(h, HISTORY_E_TRUNCATED) : 0;
		rc = next_field(h, available, item);
		if (rc)
			return rc;
	}
}
