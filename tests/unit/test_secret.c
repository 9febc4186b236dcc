/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, votes cannot be read, or a poll shows another result than its voters gave. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "sessiond/crypto/crypto.h"
#include "sessiond/wa/poll.h"
#include "sessiond/wa/proto_walk.h"
#include "sessiond/wa/secret.h"
#include "tests/unit/fake_host.h"

static struct json_object *vector;

static int load(void **state)
{
	(void)state;
	vector = json_object_from_file(TEST_VECTORS_DIR "/poll-vote.json");
	return vector ? 0 : -1;
}

static int unload(void **state)
{
	(void)state;
	json_object_put(vector);
	return 0;
}

static const char *text_of(const char *name)
{
	return json_object_get_string(json_object_object_get(vector, name));
}

static size_t bytes_of(const char *name, uint8_t *out, size_t cap)
{
	size_t n = strlen(text_of(name)) / 2;

	assert_true(n <= cap);
	assert_int_equal(crypto_unhex(text_of(name), 2 * n, out, n), 0);
	return n;
}

static void a_vote_of_baileys_opens(void **state)
{
	uint8_t secret[32], iv[12], payload[128];
	struct wa_secret s = { .secret = secret, .id = text_of("poll_message_id"), .author = text_of("poll_creator"), .adder = text_of("voter"),
			       .use = WA_SECRET_POLL_VOTE };
	struct buf plain = { 0 };
	struct poll *poll = calloc(1, sizeof *poll);
	struct poll_vote vote;
	size_t n;

	(void)state;
	bytes_of("poll_enc_key", secret, sizeof secret);
	bytes_of("iv", iv, sizeof iv);
	n = bytes_of("payload", payload, sizeof payload);
	assert_int_equal(wa_secret_open(&s, span_of(iv, 12), span_of(payload, n), &plain), 0);
	poll->n = 2;
	poll->names[0] = span_text("Tidak");
	poll->names[1] = span_text(text_of("option"));
	assert_true(wa_poll_vote_read(buf_span(&plain), poll, &vote));
	assert_int_equal(vote.n, 1);
	assert_int_equal(vote.options[0], 1);
	assert_int_equal(vote.unknown, 0);
	poll->n = 1;
	assert_true(wa_poll_vote_read(buf_span(&plain), poll, &vote));
	assert_int_equal(vote.n, 0);
	assert_int_equal(vote.unknown, 1);
	/* Another voter, another poll, one bit: nothing comes out. */
	buf_clear(&plain);
	s.adder = text_of("poll_creator");
	assert_int_equal(wa_secret_open(&s, span_of(iv, 12), span_of(payload, n), &plain), -1);
	s.adder = text_of("voter");
	s.use = WA_SECRET_EVENT_RESPONSE;
	assert_int_equal(wa_secret_open(&s, span_of(iv, 12), span_of(payload, n), &plain), -1);
	s.use = WA_SECRET_POLL_VOTE;
	payload[3] ^= 1;
	assert_int_equal(wa_secret_open(&s, span_of(iv, 12), span_of(payload, n), &plain), -1);
	assert_int_equal(wa_secret_open(&s, span_of(iv, 11), span_of(payload, n), &plain), -1);
	assert_int_equal(wa_secret_open(&s, span_of(iv, 12), span_of(payload, 15), &plain), -1);
	assert_int_equal(plain.len, 0);
	buf_free(&plain);
	free(poll);
}

static void what_is_sealed_opens(void **state)
{
	static const uint8_t secret[32] = { 7 }, iv[12] = { 9 };
	struct buf payload = { 0 }, plain = { 0 };

	(void)state;
	for (int use = WA_SECRET_POLL_VOTE; use <= WA_SECRET_POLL_ADD_OPTION; use++) {
		struct wa_secret s = { .secret = secret, .id = "3EB0", .author = "1@lid", .adder = "2@lid", .use = (enum wa_secret_use)use };

		buf_clear(&payload);
		buf_clear(&plain);
		assert_int_equal(wa_secret_seal(&s, iv, span_text("going"), &payload), 0);
		assert_int_equal(wa_secret_open(&s, span_of(iv, 12), buf_span(&payload), &plain), 0);
		assert_string_equal(buf_text(&plain), "going");
	}
	buf_free(&payload);
	buf_free(&plain);
}

/* pollCreationMessageV3 { name, options, selectableOptionsCount } in a message with a secret. */
static void make_poll(struct buf *message, const char *const *options, size_t n)
{
	static const uint8_t secret[32] = { 1, 2, 3 };
	struct buf creation = { 0 }, context = { 0 };

	proto_put_bytes(&creation, 2, span_text("Lunch?"));
	for (size_t i = 0; i < n; i++) {
		struct buf option = { 0 };

		proto_put_bytes(&option, 1, span_text(options[i]));
		proto_put_bytes(&creation, 3, buf_span(&option));
		buf_free(&option);
	}
	buf_append(&creation, (const uint8_t[]){ 4 << 3, 1 }, 2);
	proto_put_bytes(message, 64, buf_span(&creation));
	proto_put_bytes(&context, 3, span_of(secret, 32));
	proto_put_bytes(message, 35, buf_span(&context));
	buf_free(&creation);
	buf_free(&context);
}

static void to_committed(void *to, uint64_t token, bool ok)
{
	wa_state_committed(to, token, ok);
}

static void polls_and_events_are_remembered(void **state)
{
	static const char *const options[] = { "Yes", "No" };
	struct fake_host host;
	struct wa_state *records;
	struct state_op op;
	struct jid chat, author;
	struct buf message = { 0 };
	struct secret_record record;
	struct poll *poll = calloc(1, sizeof *poll);
	const struct fake_record *kept;

	(void)state;
	fake_host_init(&host);
	records = wa_state_new(&host.host, &host, 1 << 20, NULL, NULL);
	host.to = records;
	host.committed = to_committed;
	state_op_init(&op, records);
	jid_parse_text(&chat, "120363@g.us");
	jid_parse_text(&author, "911:3@lid");
	wa_secret_remember(&op, &chat, &author, "NOTHING", span_text(""));
	assert_false(state_op_changed(&op));
	make_poll(&message, options, 2);
	wa_secret_remember(&op, &chat, &author, "3EB0POLL", buf_span(&message));
	state_op_commit(&op, NULL, NULL);
	fake_host_run(&host);
	kept = fake_host_find(&host, WA_RECORD_SECRET, "s:120363@g.us/911@lid/3EB0POLL");
	assert_non_null(kept);
	assert_true(wa_secret_read(buf_span(&kept->value), &record));
	assert_int_equal(record.kind, SECRET_POLL);
	assert_true(wa_poll_read(record.poll, poll));
	assert_int_equal(poll->n, 2);
	assert_int_equal(poll->selectable, 1);
	assert_true(span_is(poll->names[1], "No"));
	state_op_end(&op);
	wa_state_free(records);
	fake_host_free(&host);
	buf_free(&message);
	free(poll);
}

/* Message { pollAddOptionMessage { addOption { optionName } } } */
static void make_option(struct buf *message, const char *name)
{
	struct buf option = { 0 }, added = { 0 };

	proto_put_bytes(&option, 1, span_text(name));
	proto_put_bytes(&added, 2, buf_span(&option));
	proto_put_bytes(message, 121, buf_span(&added));
	buf_free(&option);
	buf_free(&added);
}

static void options_are_added_and_edited_without_moving_the_others(void **state)
{
	static const char *const first[] = { "Yes", "No" }, *const edited[] = { "No", "Later" };
	struct buf message = { 0 }, stored = { 0 }, more = { 0 }, all = { 0 }, nothing = { 0 };
	struct poll *poll = calloc(1, sizeof *poll);

	(void)state;
	make_poll(&message, first, 2);
	assert_true(wa_poll_of_message(buf_span(&message), &stored));
	assert_false(wa_poll_change(buf_span(&stored), buf_span(&message), &nothing));
	buf_clear(&message);
	make_option(&message, "Maybe");
	assert_true(wa_poll_change(buf_span(&stored), buf_span(&message), &more));
	assert_false(wa_poll_change(buf_span(&more), buf_span(&message), &nothing));
	buf_clear(&message);
	make_poll(&message, edited, 2);
	assert_true(wa_poll_change(buf_span(&more), buf_span(&message), &all));
	assert_true(wa_poll_read(buf_span(&all), poll));
	assert_int_equal(poll->n, 4);
	assert_true(span_is(poll->names[0], "Yes") && span_is(poll->names[1], "No") && span_is(poll->names[2], "Maybe") && span_is(poll->names[3], "Later"));
	buf_clear(&message);
	make_option(&message, "");
	assert_false(wa_poll_change(buf_span(&all), buf_span(&message), &nothing));
	assert_false(wa_poll_change(span_text("x"), buf_span(&message), &nothing));
	assert_int_equal(nothing.len, 0);
	buf_free(&message);
	buf_free(&stored);
	buf_free(&more);
	buf_free(&all);
	free(poll);
}

/* ---- tallies ---- */

struct count {
	struct poll poll;
	struct buf tally;
	struct poll_tally result;
};

/* The vote of before is replaced by this one, as its record would be. */
static enum poll_counted cast(struct count *c, struct buf *record, int64_t time_ms, size_t n, uint16_t option)
{
	struct poll_vote vote = { .n = n, .options = { option } };
	struct buf tally = { 0 }, next = { 0 };
	enum poll_counted counted = wa_poll_count(&c->poll, c->tally.len ? buf_span(&c->tally) : span_of(NULL, 0),
						  record->len ? buf_span(record) : span_of(NULL, 0), &vote, time_ms, &c->result, &tally, &next);

	if (counted == POLL_COUNTED) {
		buf_free(&c->tally);
		buf_free(record);
		c->tally = tally;
		*record = next;
	} else {
		assert_int_equal(tally.len + next.len, 0);
	}
	return counted;
}

static void votes_replace_each_other(void **state)
{
	struct count *c = calloc(1, sizeof *c);
	struct buf ann = { 0 }, bob = { 0 };

	(void)state;
	c->poll.n = 3;
	assert_int_equal(cast(c, &ann, 100, 1, 0), POLL_COUNTED);
	assert_int_equal(cast(c, &bob, 100, 1, 2), POLL_COUNTED);
	assert_int_equal(c->result.voters, 2);
	assert_int_equal(cast(c, &ann, 200, 1, 2), POLL_COUNTED);
	assert_int_equal(c->result.votes[0], 0);
	assert_int_equal(c->result.votes[2], 2);
	assert_int_equal(c->result.voters, 2);
	/* An older vote that comes late changes nothing. */
	assert_int_equal(cast(c, &ann, 150, 1, 1), POLL_OLDER);
	assert_int_equal(c->result.votes[1], 0);
	/* The same one twice counts once. */
	assert_int_equal(cast(c, &ann, 200, 1, 2), POLL_COUNTED);
	assert_int_equal(c->result.votes[2], 2);
	/* Withdrawn, then given again. */
	assert_int_equal(cast(c, &ann, 300, 0, 0), POLL_COUNTED);
	assert_int_equal(c->result.voters, 1);
	assert_int_equal(c->result.votes[2], 1);
	assert_int_equal(cast(c, &ann, 400, 1, 1), POLL_COUNTED);
	assert_int_equal(c->result.voters, 2);
	buf_free(&ann);
	buf_free(&bob);
	buf_free(&c->tally);
	free(c);
}

static void any_number_of_voters_costs_the_same(void **state)
{
	struct count *c = calloc(1, sizeof *c);
	size_t size = 0;

	(void)state;
	c->poll.n = 12;
	for (uint32_t i = 0; i < POLL_VOTERS_MAX; i++) {
		struct buf vote = { 0 };

		assert_int_equal(cast(c, &vote, 1, 1, (uint16_t)(i % 12)), POLL_COUNTED);
		assert_true(vote.len <= 11);
		if (i == 0)
			size = c->tally.len;
		assert_int_equal(c->tally.len, size);
		if (i == 9999)
			assert_int_equal(c->result.votes[0] + c->result.votes[11], 10000 / 12 * 2 + 1);
		buf_free(&vote);
	}
	assert_int_equal(c->result.voters, POLL_VOTERS_MAX);
	{
		struct buf vote = { 0 };

		assert_int_equal(cast(c, &vote, 1, 1, 0), POLL_FULL);
	}
	buf_free(&c->tally);
	free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_vote_of_baileys_opens), cmocka_unit_test(what_is_sealed_opens), cmocka_unit_test(polls_and_events_are_remembered),
		cmocka_unit_test(options_are_added_and_edited_without_moving_the_others),
		cmocka_unit_test(votes_replace_each_other), cmocka_unit_test(any_number_of_voters_costs_the_same),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
