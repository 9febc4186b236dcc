/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Builds histories as phones upload them. Header only: for tests, benchmarks and fuzz seeds. */
#ifndef TESTS_HISTORY_BLOB_H
#define TESTS_HISTORY_BLOB_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "common/buf.h"
#include "sessiond/wa/proto_walk.h"

/* HistorySyncMsg{ 1: WebMessageInfo } appended as field 2 of a conversation. */
static inline void blob_message(struct buf *chat, const char *remote, bool from_me, const char *id, const char *text, uint64_t time_s)
{
	struct buf key = { 0 }, message = { 0 }, info = { 0 }, wrapped = { 0 };

	proto_put_text(&key, 1, remote);
	proto_put_uint(&key, 2, from_me);
	proto_put_text(&key, 3, id);
	proto_put_text(&message, 1, text);
	proto_put_bytes(&info, 1, buf_span(&key));
	proto_put_bytes(&info, 2, buf_span(&message));
	proto_put_uint(&info, 3, time_s);
	proto_put_uint(&info, 4, from_me ? 3 : 4);
	proto_put_bytes(&wrapped, 1, buf_span(&info));
	proto_put_bytes(chat, 2, buf_span(&wrapped));
	buf_free(&key);
	buf_free(&message);
	buf_free(&info);
	buf_free(&wrapped);
}

/* PhoneNumberToLIDMapping, Pushname: two texts in field `number` of the history. */
static inline void blob_pair(struct buf *sync, uint32_t number, const char *first, const char *second)
{
	struct buf pair = { 0 };

	proto_put_text(&pair, 1, first);
	proto_put_text(&pair, 2, second);
	proto_put_bytes(sync, number, buf_span(&pair));
	buf_free(&pair);
}

/* zlib; the caller frees. */
static inline struct buf blob_packed(struct span plain, int level)
{
	struct buf out = { 0 };
	uLongf n = compressBound((uLong)plain.n);

	if (compress2(buf_reserve(&out, n), &n, plain.p, (uLong)plain.n, level) != Z_OK)
		abort();
	buf_commit(&out, n);
	return out;
}

#endif
