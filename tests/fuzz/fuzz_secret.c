/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, a hostile poll, vote or record takes the daemon down, or a tally goes wrong. first byte: what the rest is taken for. */
#include <stdlib.h>

#include "sessiond/wa/poll.h"
#include "sessiond/wa/secret.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void creation(struct span bytes)
{
	struct buf out = { 0 };
	static struct poll poll;
	uint8_t secret[SECRET_LEN];

	wa_poll_write(bytes, &out);
	/* What we write we can read. */
	if (!wa_poll_read(buf_span(&out), &poll))
		abort();
	wa_secret_find(bytes, secret);
	buf_clear(&out);
	wa_poll_of_message(bytes, &out);
	buf_free(&out);
}

static void vote(struct span bytes)
{
	static struct poll poll = { .n = 3 };
	static struct poll_tally result;
	struct poll_vote cast;
	struct buf tally = { 0 }, record = { 0 };
	size_t half = bytes.n / 2;

	poll.names[0] = span_text("Yes");
	poll.names[1] = span_text("No");
	poll.names[2] = span_text("");
	if (wa_poll_vote_read(bytes, &poll, &cast) && cast.n > poll.n)
		abort();
	/* Foreign records of both kinds. */
	wa_poll_count(&poll, span_of(bytes.p, half), span_of(bytes.p + half, bytes.n - half), &cast, 1, &result, &tally, &record);
	buf_free(&tally);
	buf_free(&record);
}

static void records(struct span bytes)
{
	static struct poll poll;
	struct secret_record record;

	if (wa_secret_read(bytes, &record))
		wa_poll_read(record.poll, &poll);
	wa_poll_read(bytes, &poll);
}

static void payload(struct span bytes)
{
	static const uint8_t secret[SECRET_LEN] = { 1 };
	const struct wa_secret s = { .secret = secret, .id = "1", .author = "1@lid", .adder = "2@lid", .use = WA_SECRET_POLL_VOTE };
	struct buf plain = { 0 };
	size_t iv = bytes.n < 12 ? bytes.n : 12;

	wa_secret_open(&s, span_of(bytes.p, iv), span_of(bytes.p + iv, bytes.n - iv), &plain);
	buf_free(&plain);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const takes[])(struct span bytes) = { creation, vote, records, payload };

	if (size > 1)
		takes[data[0] % 4](span_of(data + 1, size - 1));
	return 0;
}
