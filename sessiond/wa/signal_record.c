/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pruning of stored pairwise sessions, on the serialized form: the library offers no way to forget a skipped key. */
#include "sessiond/wa/signal_record.h"

#include "common/limits.h"
#include "sessiond/wa/proto_walk.h"
#include "sessiond/wa/signal_group.h"

enum { RECORD_CURRENT = 1, RECORD_ARCHIVED = 2 };
enum { STATE_SENDER_CHAIN = 6, STATE_RECEIVER_CHAIN = 7 };
enum { CHAIN_SKIPPED_KEY = 4 };

static size_t count_fields(struct span message, uint32_t number)
{
	struct reader r = reader_of(message.p, message.n);
	struct proto_field f;
	size_t n = 0;

	while (proto_next(&r, &f))
		n += f.number == number;
	return n;
}

static bool prune_chain(struct span chain, size_t keep, struct buf *out)
{
	struct reader r = reader_of(chain.p, chain.n);
	struct proto_field f;
	size_t skipped = count_fields(chain, CHAIN_SKIPPED_KEY);
	size_t drop = skipped > keep ? skipped - keep : 0;

	while (proto_next(&r, &f)) {
		if (f.number == CHAIN_SKIPPED_KEY && drop > 0)
			drop--;
		else
			buf_append_span(out, f.raw);
	}
	return r.ok;
}

static bool prune_state(struct span state, size_t keep, struct buf *out)
{
	struct reader r = reader_of(state.p, state.n);
	struct proto_field f;
	struct buf chain = { 0 };

	while (r.ok && proto_next(&r, &f)) {
		if (f.wire != PROTO_BYTES || (f.number != STATE_SENDER_CHAIN && f.number != STATE_RECEIVER_CHAIN)) {
			buf_append_span(out, f.raw);
			continue;
		}
		buf_clear(&chain);
		if (!prune_chain(f.bytes, keep, &chain))
			r.ok = false;
		proto_put_bytes(out, f.number, buf_span(&chain));
	}
	buf_wipe(&chain);
	return r.ok;
}

static bool prune_record(struct span record, size_t keep_keys, size_t keep_archived, struct buf *out)
{
	struct reader r = reader_of(record.p, record.n);
	struct proto_field f;
	struct buf state = { 0 };
	size_t archived = 0;

	while (r.ok && proto_next(&r, &f)) {
		if (f.wire != PROTO_BYTES || (f.number != RECORD_CURRENT && f.number != RECORD_ARCHIVED)) {
			buf_append_span(out, f.raw);
			continue;
		}
		if (f.number == RECORD_ARCHIVED && ++archived > keep_archived)
			continue;
		buf_clear(&state);
		if (!prune_state(f.bytes, keep_keys, &state))
			r.ok = false;
		proto_put_bytes(out, f.number, buf_span(&state));
	}
	buf_wipe(&state);
	return r.ok;
}

int wa_signal_record_prune(struct span record, struct buf *out)
{
	size_t keys = SIGNAL_RECORD_SKIPPED_KEYS;
	size_t archived = SIGNAL_RECORD_ARCHIVED;

	buf_clear(out);
	if (record.n <= SIGNAL_RECORD_PLAIN_BYTES)
		return 1;
	for (;;) {
		buf_clear(out);
		if (!prune_record(record, keys, archived, out))
			break;
		if (out->len <= LIMIT_WA_SIGNAL_RECORD_BYTES)
			return 0;
		if (keys == 0 && archived == 0)
			break;
		keys /= 2;
		archived /= 2;
	}
	buf_clear(out);
	return -1;
}

/* ---- sender keys ---- */

enum { SENDER_RECORD_STATE = 1, SENDER_STATE_SKIPPED_KEY = 4 };

static bool prune_sender_state(struct span state, struct buf *out)
{
	struct reader r = reader_of(state.p, state.n);
	struct proto_field f;
	size_t skipped = count_fields(state, SENDER_STATE_SKIPPED_KEY);
	size_t drop = skipped > SENDER_KEY_SKIPPED_MAX ? skipped - SENDER_KEY_SKIPPED_KEPT : 0;

	while (proto_next(&r, &f)) {
		if (f.number == SENDER_STATE_SKIPPED_KEY && drop > 0)
			drop--;
		else
			buf_append_span(out, f.raw);
	}
	return r.ok;
}

int wa_sender_key_record_prune(struct span record, struct buf *out)
{
	struct reader r = reader_of(record.p, record.n);
	struct proto_field f;
	struct buf state = { 0 };
	bool long_chain = false;

	buf_clear(out);
	while (r.ok && proto_next(&r, &f)) {
		if (f.wire != PROTO_BYTES || f.number != SENDER_RECORD_STATE) {
			buf_append_span(out, f.raw);
			continue;
		}
		buf_clear(&state);
		if (!prune_sender_state(f.bytes, &state))
			r.ok = false;
		long_chain = long_chain || state.len < f.bytes.n;
		proto_put_bytes(out, f.number, buf_span(&state));
	}
	buf_wipe(&state);
	if (!r.ok || out->len > LIMIT_WA_SIGNAL_RECORD_BYTES)
		return -1;
	return long_chain ? 0 : 1;
}
