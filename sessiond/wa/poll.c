/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Options, votes and tallies of polls. */
#include "sessiond/wa/poll.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/crypto/crypto.h"
#include "sessiond/wa/e2e.h"
#include "sessiond/wa/proto_walk.h"

enum { RECORD_VERSION = 1 };
enum { MESSAGE_ADD_OPTION = 121, ADDED_OPTION = 2 };
enum { CREATION_NAME = 2, CREATION_OPTION = 3, CREATION_SELECTABLE = 4, OPTION_NAME = 1, VOTE_SELECTED = 1 };

/* pollCreationMessage and its successors; V4 is a wrapper around one of them. */
static const uint32_t CREATIONS[] = { 49, 60, 64, 111, 119 };

bool wa_poll_is_creation(uint32_t number)
{
	for (size_t i = 0; i < sizeof CREATIONS / sizeof CREATIONS[0]; i++)
		if (CREATIONS[i] == number)
			return true;
	return false;
}

/* ---- the poll ---- */

static void put_text(struct buf *out, struct span text, size_t max)
{
	size_t n = text.n > max ? max : text.n;

	buf_be16(out, (uint16_t)n);
	buf_append(out, text.p, n);
}

void wa_poll_write(struct span creation, struct buf *out)
{
	struct reader r = reader_of(creation.p, creation.n);
	struct proto_field f;
	struct buf options = { 0 };
	struct span title = { 0 };
	uint64_t selectable = 0;
	uint16_t n = 0;

	while (proto_next(&r, &f)) {
		struct span name = { 0 };

		if (f.number == CREATION_NAME && f.wire == PROTO_BYTES)
			title = f.bytes;
		else if (f.number == CREATION_SELECTABLE && f.wire == PROTO_VARINT)
			selectable = f.value;
		if (f.number != CREATION_OPTION || f.wire != PROTO_BYTES || n >= POLL_OPTIONS_MAX)
			continue;
		proto_find(f.bytes, OPTION_NAME, &name);
		put_text(&options, name, POLL_NAME_MAX);
		n++;
	}
	buf_be16(out, (uint16_t)(selectable > POLL_OPTIONS_MAX ? 0 : selectable));
	buf_be16(out, n);
	put_text(out, title, POLL_TITLE_MAX);
	buf_append_span(out, buf_span(&options));
	buf_free(&options);
}

bool wa_poll_of_message(struct span message, struct buf *out)
{
	struct span content;

	if (message.p == NULL || !wa_poll_is_creation(e2e_content(message, &content)))
		return false;
	wa_poll_write(content, out);
	return true;
}

bool wa_poll_read(struct span value, struct poll *out)
{
	struct reader r = reader_of(value.p, value.n);

	out->selectable = read_be16(&r);
	out->n = read_be16(&r);
	if (out->n > POLL_OPTIONS_MAX)
		return false;
	out->title = read_span(&r, read_be16(&r));
	for (size_t i = 0; i < out->n && r.ok; i++)
		out->names[i] = read_span(&r, read_be16(&r));
	return r.ok;
}

static bool has_option(const struct poll *poll, struct span name)
{
	for (size_t i = 0; i < poll->n; i++)
		if (poll->names[i].n == name.n && (name.n == 0 || memcmp(poll->names[i].p, name.p, name.n) == 0))
			return true;
	return false;
}

static bool add_option(struct poll *poll, struct span name)
{
	if (name.n == 0 || name.n > POLL_NAME_MAX || poll->n >= POLL_OPTIONS_MAX || has_option(poll, name))
		return false;
	poll->names[poll->n++] = name;
	return true;
}

/* Only the outermost message counts: what is added is never wrapped. */
static bool read_added(struct span message, struct span *name)
{
	struct span added, option;

	return proto_find(message, MESSAGE_ADD_OPTION, &added) && proto_find(added, ADDED_OPTION, &option) && proto_find(option, OPTION_NAME, name);
}

static bool take_edit(struct poll *poll, const struct poll *edited)
{
	bool changed = edited->title.n != poll->title.n || (poll->title.n > 0 && memcmp(edited->title.p, poll->title.p, poll->title.n) != 0) ||
		       edited->selectable != poll->selectable;

	poll->title = edited->title;
	poll->selectable = edited->selectable;
	for (size_t i = 0; i < edited->n; i++)
		changed = add_option(poll, edited->names[i]) || changed;
	return changed;
}

bool wa_poll_change(struct span stored, struct span message, struct buf *out)
{
	struct poll *poll = xcalloc(1, sizeof *poll), *edited = xcalloc(1, sizeof *edited);
	struct buf creation = { 0 };
	struct span name;
	bool changed = false;

	if (wa_poll_read(stored, poll)) {
		if (read_added(message, &name))
			changed = add_option(poll, name);
		else if (wa_poll_of_message(message, &creation) && wa_poll_read(buf_span(&creation), edited))
			changed = take_edit(poll, edited);
	}
	if (changed) {
		buf_be16(out, (uint16_t)poll->selectable);
		buf_be16(out, (uint16_t)poll->n);
		put_text(out, poll->title, POLL_TITLE_MAX);
		for (size_t i = 0; i < poll->n; i++)
			put_text(out, poll->names[i], POLL_NAME_MAX);
	}
	buf_free(&creation);
	free(edited);
	free(poll);
	return changed;
}

/* ---- votes ---- */

static bool find_option(const struct poll *poll, uint8_t (*hashes)[CRYPTO_SHA256_LEN], struct span hash, size_t *index)
{
	for (size_t i = 0; i < poll->n; i++) {
		if (span_equal(hash, span_of(hashes[i], CRYPTO_SHA256_LEN))) {
			*index = i;
			return true;
		}
	}
	return false;
}

bool wa_poll_vote_read(struct span plain, const struct poll *poll, struct poll_vote *out)
{
	uint8_t hashes[POLL_OPTIONS_MAX][CRYPTO_SHA256_LEN];
	bool chosen[POLL_OPTIONS_MAX] = { false };
	struct reader r = reader_of(plain.p, plain.n);
	struct proto_field f;
	size_t index;

	out->n = out->unknown = 0;
	for (size_t i = 0; i < poll->n; i++)
		if (crypto_sha256(poll->names[i].p, poll->names[i].n, hashes[i]) != CRYPTO_OK)
			return false;
	while (proto_next(&r, &f)) {
		if (f.number != VOTE_SELECTED || f.wire != PROTO_BYTES)
			continue;
		if (find_option(poll, hashes, f.bytes, &index))
			chosen[index] = true;
		else
			out->unknown++;
	}
	for (size_t i = 0; i < poll->n; i++)
		if (chosen[i])
			out->options[out->n++] = (uint16_t)i;
	return r.ok;
}

/* ---- the tally ---- */

static void tally_read(struct span value, size_t options, struct poll_tally *out)
{
	struct reader r = reader_of(value.p, value.n);
	size_t n;

	*out = (struct poll_tally){ .n = options };
	if (value.p == NULL || read_u8(&r) != RECORD_VERSION)
		return;
	out->voters = read_be32(&r);
	n = read_be16(&r);
	for (size_t i = 0; i < n && i < options && r.ok; i++)
		out->votes[i] = read_be32(&r);
	if (!r.ok)
		*out = (struct poll_tally){ .n = options };
}

static void tally_write(const struct poll_tally *tally, struct buf *out)
{
	buf_u8(out, RECORD_VERSION);
	buf_be32(out, tally->voters);
	buf_be16(out, (uint16_t)tally->n);
	for (size_t i = 0; i < tally->n; i++)
		buf_be32(out, tally->votes[i]);
}

/* The vote before: its time, or -1 if there is none. */
static int64_t vote_before(struct span value, struct reader *options)
{
	struct reader r = reader_of(value.p, value.n);
	uint8_t version = read_u8(&r);
	int64_t time_ms = (int64_t)read_be64(&r);

	*options = r;
	return value.p != NULL && r.ok && version == RECORD_VERSION ? time_ms : -1;
}

enum poll_counted wa_poll_count(const struct poll *poll, struct span tally, struct span before, const struct poll_vote *vote, int64_t time_ms,
				struct poll_tally *result, struct buf *tally_out, struct buf *vote_out)
{
	struct reader old;
	int64_t old_ms = vote_before(before, &old);
	bool voted = old_ms >= 0 && old.left > 0;

	tally_read(tally, poll->n, result);
	if (old_ms > time_ms)
		return POLL_OLDER;
	if (!voted && vote->n > 0 && result->voters >= POLL_VOTERS_MAX)
		return POLL_FULL;
	while (voted && old.left >= 2) {
		uint16_t option = read_be16(&old);

		if (option < result->n && result->votes[option] > 0)
			result->votes[option]--;
	}
	for (size_t i = 0; i < vote->n; i++)
		result->votes[vote->options[i]]++;
	if (voted && vote->n == 0 && result->voters > 0)
		result->voters--;
	else if (!voted && vote->n > 0)
		result->voters++;
	tally_write(result, tally_out);
	buf_u8(vote_out, RECORD_VERSION);
	buf_be64(vote_out, (uint64_t)time_ms);
	for (size_t i = 0; i < vote->n; i++)
		buf_be16(vote_out, vote->options[i]);
	return POLL_COUNTED;
}
