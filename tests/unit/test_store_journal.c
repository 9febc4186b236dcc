/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, messages, events or webhooks are lost or mixed up, or secrets are readable on the disk. */
#include "tests/unit/store_fixture.h"

#include <sched.h>
#include <stdatomic.h>
#include <sys/stat.h>

static int64_t fake_now_ms;

static int64_t fake_clock(void)
{
	return fake_now_ms;
}

#define DAY_MS ((int64_t)24 * 60 * 60 * 1000)

static struct fixture_read ask(struct fixture *f, int64_t session)
{
	return (struct fixture_read){ .f = f, .session = session };
}

/* ---- outbox ---- */

static void read_pending(struct store_reader *reader, void *arg)
{
	struct fixture_read *q = arg;
	struct store_outbox *rows;

	q->rc = store_outbox_pending(reader, &q->f->arena, q->session, INT64_MAX, 10, &rows, &q->n);
	q->rows = rows;
}

static void read_outbox(struct store_reader *reader, void *arg)
{
	struct fixture_read *q = arg;
	struct store_outbox *row = arena_alloc(&q->f->arena, sizeof *row);

	q->rc = store_outbox_find(reader, &q->f->arena, q->session, q->text, row);
	q->rows = row;
}

static void read_devices(struct store_reader *reader, void *arg)
{
	struct fixture_read *q = arg;
	struct store_outbox_device *rows;

	q->rc = store_outbox_devices(reader, &q->f->arena, q->number, &rows, &q->n);
	q->rows = rows;
}

static int64_t queue_message(struct fixture *f, int64_t session, const char *id)
{
	struct store_tx *tx = store_tx_new(f->store);
	struct store_outbox row = { .session = session, .message_id = id, .recipient = "1@s.whatsapp.net",
	                            .info = "{\"a\":1}", .message = span_text("text of the message"), .created_ms = 10 };
	int64_t number = 0;

	store_tx_outbox_add(tx, &row, &number);
	assert_int_equal(store_commit_wait(f->store, tx), 0);
	return number;
}

static void a_message_goes_its_way_through_the_outbox(void **state)
{
	struct fixture *f = *state;
	int64_t session = fixture_session(f, "main");
	int64_t number = queue_message(f, session, "3EB0AA");
	struct fixture_read q = ask(f, session);
	struct store_outbox *row;
	struct store_tx *tx = store_tx_new(f->store);

	store_tx_outbox_stanza(tx, number, span_text("stanza bytes"), 20);
	assert_int_equal(store_commit_wait(f->store, tx), 0);
	fixture_reopen(f);
	store_read_wait(f->store, read_pending, &q);
	assert_int_equal(q.n, 1);
	row = q.rows;
	assert_int_equal(row->number, number);
	assert_int_equal(row->state, STORE_OUTBOX_SENT);
	assert_true(span_is(row->stanza, "stanza bytes"));
	assert_true(span_is(row->message, "text of the message"));
	assert_string_equal(row->info, "{\"a\":1}");

	tx = store_tx_new(f->store);
	store_tx_outbox_ack(tx, number, 123, 30);
	store_tx_outbox_receipt(tx, session, "3EB0AA", "1:0@s.whatsapp.net", STORE_OUTBOX_READ, 40);
	store_tx_outbox_receipt(tx, session, "3EB0AA", "1:0@s.whatsapp.net", STORE_OUTBOX_DELIVERED, 50);
	store_tx_outbox_receipt(tx, session, "3EB0AA", "1:7@s.whatsapp.net", STORE_OUTBOX_DELIVERED, 60);
	store_tx_outbox_receipt(tx, session, "unknown", "1:7@s.whatsapp.net", STORE_OUTBOX_DELIVERED, 60);
	/* An ack that comes after the receipts must not take the message back. */
	store_tx_outbox_ack(tx, number, 123, 70);
	store_tx_outbox_fail(tx, number, 463, "too late to fail", 80);
	assert_int_equal(store_commit_wait(f->store, tx), 0);
	store_read_wait(f->store, read_pending, &q);
	assert_int_equal(q.n, 0);
	q.text = "3EB0AA";
	store_read_wait(f->store, read_outbox, &q);
	row = q.rows;
	assert_int_equal(row->state, STORE_OUTBOX_READ);
	assert_int_equal(row->server_ms, 123);
	assert_null(row->stanza.p);
	q.number = number;
	store_read_wait(f->store, read_devices, &q);
	assert_int_equal(q.n, 2);
	assert_int_equal(((struct store_outbox_device *)q.rows)[0].state, STORE_OUTBOX_READ);
	assert_int_equal(((struct store_outbox_device *)q.rows)[0].at_ms, 40);
}

static void a_receipt_tells_nothing_of_a_part_that_failed(void **state)
{
	struct fixture *f = *state;
	int64_t session = fixture_session(f, "main");
	int64_t first = queue_message(f, session, "3EB0AA"), alone = queue_message(f, session, "3EB0BB");
	int64_t numbers[] = { first, alone };
	struct fixture_read q = ask(f, session);
	struct store_tx *tx = store_tx_new(f->store);

	queue_message(f, session, "3EB0AA/1");
	for (size_t i = 0; i < 2; i++)
		store_tx_outbox_fail(tx, numbers[i], 400, "refused", 20);
	store_tx_outbox_receipt(tx, session, "3EB0AA", "1:0@s.whatsapp.net", STORE_OUTBOX_DELIVERED, 40);
	store_tx_outbox_receipt(tx, session, "3EB0BB", "1:0@s.whatsapp.net", STORE_OUTBOX_DELIVERED, 40);
	assert_int_equal(store_commit_wait(f->store, tx), 0);
	q.text = "3EB0AA";
	store_read_wait(f->store, read_outbox, &q);
	assert_int_equal(((struct store_outbox *)q.rows)->state, STORE_OUTBOX_FAILED);
	q.text = "3EB0BB";
	store_read_wait(f->store, read_outbox, &q);
	assert_int_equal(((struct store_outbox *)q.rows)->state, STORE_OUTBOX_DELIVERED);
	q.number = first;
	store_read_wait(f->store, read_devices, &q);
	assert_int_equal(q.n, 1);
}

static void the_outbox_refuses_what_must_not_be(void **state)
{
	struct fixture *f = *state;
	int64_t session = fixture_session(f, "main");
	int64_t number = queue_message(f, session, "3EB0AA");
	struct store_outbox row = { .session = session, .message_id = "3EB0AA", .recipient = "1@s.whatsapp.net" };
	struct fixture_read q = ask(f, session);
	struct store_tx *tx = store_tx_new(f->store);

	store_tx_outbox_add(tx, &row, NULL);
	assert_int_equal(store_commit_wait(f->store, tx), STORE_CONSTRAINT);
	tx = store_tx_new(f->store);
	store_tx_outbox_fail(tx, number, 463, "restricted", 20);
	assert_int_equal(store_commit_wait(f->store, tx), 0);
	q.text = "3EB0AA";
	store_read_wait(f->store, read_outbox, &q);
	assert_int_equal(((struct store_outbox *)q.rows)->code, 463);
	assert_string_equal(((struct store_outbox *)q.rows)->error, "restricted");
	/* No bytes may leave for a message that was given up, or is not there. */
	tx = store_tx_new(f->store);
	store_tx_outbox_stanza(tx, number, span_text("bytes"), 30);
	assert_int_equal(store_commit_wait(f->store, tx), STORE_NOT_FOUND);
	tx = store_tx_new(f->store);
	store_tx_outbox_stanza(tx, number + 100, span_text("bytes"), 30);
	assert_int_equal(store_commit_wait(f->store, tx), STORE_NOT_FOUND);
}

static void finished_messages_are_tidied_away(void **state)
{
	struct fixture *f = *state;
	struct fixture_read q;
	struct store_tx *tx;
	int64_t session, done;

	fake_now_ms = 100 * DAY_MS;
	f->options.wall_ms = fake_clock;
	fixture_reopen(f);
	session = fixture_session(f, "main");
	q = ask(f, session);
	queue_message(f, session, "waits");
	done = queue_message(f, session, "done");
	tx = store_tx_new(f->store);
	store_tx_outbox_ack(tx, done, 1, fake_now_ms);
	assert_int_equal(store_commit_wait(f->store, tx), 0);
	fake_now_ms += 15 * DAY_MS;
	fixture_reopen(f);
	q.text = "done";
	store_read_wait(f->store, read_outbox, &q);
	assert_int_equal(q.rc, STORE_NOT_FOUND);
	q.text = "waits";
	store_read_wait(f->store, read_outbox, &q);
	assert_int_equal(q.rc, 0);
}

/* ---- events and receivers ---- */

static void read_events(struct store_reader *reader, void *arg)
{
	struct fixture_read *q = arg;
	struct store_event *rows;

	q->rc = store_event_list(reader, &q->f->arena, q->session, q->number, 1000, 1 << 20, &rows, &q->n);
	q->rows = rows;
}

static void read_range(struct store_reader *reader, void *arg)
{
	struct fixture_read *q = arg;

	q->rc = store_event_range(reader, q->session, &q->number, (int64_t *)q->rows);
}

static void read_receivers(struct store_reader *reader, void *arg)
{
	struct fixture_read *q = arg;
	struct store_receiver *rows;

	q->rc = store_receiver_list(reader, &q->f->arena, 0, &rows, &q->n);
	q->rows = rows;
}

static void read_letters(struct store_reader *reader, void *arg)
{
	struct fixture_read *q = arg;
	struct store_dead_letter *rows;

	q->rc = store_dead_letter_list(reader, &q->f->arena, q->session, NULL, 0, 100, &rows, &q->n);
	q->rows = rows;
}

static int64_t add_event(struct store_tx *tx, int64_t session, const char *id, const char *payload, int64_t *number)
{
	store_tx_event_add(tx, &(struct store_event){ .session = session, .event_id = id, .kind = "message_received", .chat = "c",
	                                              .payload = span_text(payload), .time_ms = 5 }, number);
	return 0;
}

static void events_are_numbered_without_gaps_or_doubles(void **state)
{
	struct fixture *f = *state;
	int64_t a = fixture_session(f, "a"), b = fixture_session(f, "b"), numbers[5];
	struct fixture_read q = ask(f, a);
	struct store_event *rows;
	struct store_tx *tx = store_tx_new(f->store);

	add_event(tx, a, "e1", "{\"n\":1}", &numbers[0]);
	add_event(tx, b, "e1", "{\"n\":2}", &numbers[1]);
	add_event(tx, a, "e2", "{\"n\":3}", &numbers[2]);
	add_event(tx, a, "e1", "{\"n\":4}", &numbers[3]);
	assert_int_equal(store_commit_wait(f->store, tx), 0);
	assert_int_equal(numbers[0], 1);
	assert_int_equal(numbers[1], 1);
	assert_int_equal(numbers[2], 2);
	assert_int_equal(numbers[3], 0);
	fixture_reopen(f);
	tx = store_tx_new(f->store);
	add_event(tx, a, "e3", "{\"n\":5}", &numbers[4]);
	assert_int_equal(store_commit_wait(f->store, tx), 0);
	assert_int_equal(numbers[4], 3);
	store_read_wait(f->store, read_events, &q);
	assert_int_equal(q.n, 3);
	rows = q.rows;
	assert_true(span_is(rows[0].payload, "{\"n\":1}"));
	assert_string_equal(rows[2].event_id, "e3");
	assert_string_equal(rows[0].chat, "c");
	q.number = 2;
	store_read_wait(f->store, read_events, &q);
	assert_int_equal(q.n, 1);
	assert_int_equal(((struct store_event *)q.rows)[0].number, 3);
}

static void receivers_remember_where_they_stand(void **state)
{
	struct fixture *f = *state;
	int64_t session = fixture_session(f, "main");
	struct fixture_read q = ask(f, session);
	struct store_receiver receiver = { .session = session, .name = "r", .cursor = 4, .state = "paused", .last_status = 500,
	                                   .last_error = "timeout", .failed_since_ms = 7, .next_ms = 8, .failures = 2 };
	struct store_tx *tx = store_tx_new(f->store);
	struct store_receiver *row;

	store_tx_receiver_put(tx, &receiver);
	store_tx_receiver_cursor(tx, session, "r", 9, 100);
	store_tx_receiver_cursor(tx, session, "r", 6, 101);
	store_tx_dead_letter_add(tx, &(struct store_dead_letter){ .session = session, .number = 5, .receiver = "r", .reason = "old",
	                                                          .status = 410, .at_ms = 3 });
	store_tx_dead_letter_add(tx, &(struct store_dead_letter){ .session = session, .number = 6, .receiver = "r" });
	store_tx_dead_letter_delivered(tx, session, "r", 6);
	assert_int_equal(store_commit_wait(f->store, tx), 0);
	store_read_wait(f->store, read_receivers, &q);
	assert_int_equal(q.n, 1);
	row = q.rows;
	assert_int_equal(row->cursor, 9);
	assert_int_equal(row->delivered_ms, 100);
	assert_string_equal(row->state, "paused");
	assert_string_equal(row->last_error, "timeout");
	assert_int_equal(row->failures, 2);
	store_read_wait(f->store, read_letters, &q);
	assert_int_equal(q.n, 1);
	assert_int_equal(((struct store_dead_letter *)q.rows)[0].status, 410);
	tx = store_tx_new(f->store);
	store_tx_receiver_remove(tx, session, "r");
	assert_int_equal(store_commit_wait(f->store, tx), 0);
	store_read_wait(f->store, read_letters, &q);
	assert_int_equal(q.n, 0);
}

/* Delivered events go first; a receiver that loses one is told. */
static void the_journal_keeps_its_bound(void **state)
{
	struct fixture *f = *state;
	int64_t session, other, last = 0;
	struct fixture_read q;
	struct store_status status;
	struct store_tx *tx;
	char payload[1001], id[16];

	f->options.journal_max_bytes = 100 * 1000;
	fixture_reopen(f);
	session = fixture_session(f, "main");
	other = fixture_session(f, "other");
	memset(payload, 'x', sizeof payload - 1);
	payload[sizeof payload - 1] = '\0';
	tx = store_tx_new(f->store);
	store_tx_receiver_put(tx, &(struct store_receiver){ .session = session, .name = "r", .state = "active", .cursor = 0 });
	store_tx_receiver_put(tx, &(struct store_receiver){ .session = other, .name = "r", .state = "active", .cursor = 60 });
	for (int i = 0; i < 60; i++) {
		snprintf(id, sizeof id, "e%d", i);
		add_event(tx, session, id, payload, NULL);
		add_event(tx, other, id, payload, NULL);
	}
	assert_int_equal(store_commit_wait(f->store, tx), 0);
	fixture_reopen(f);
	store_status(f->store, &status);
	assert_true(status.journal_bytes <= 100 * 1000);
	assert_true(status.journal_bytes > 80 * 1000);
	q = ask(f, session);
	store_read_wait(f->store, read_events, &q);
	assert_int_equal(q.n, 60);
	q.session = other;
	q.rows = &last;
	store_read_wait(f->store, read_range, &q);
	assert_true(q.number > 1);
	assert_int_equal(last, 60);
	store_read_wait(f->store, read_receivers, &q);
	assert_false(((struct store_receiver *)q.rows)[0].overflow);

	/* Nothing delivered is left to give: now it is told. */
	f->options.journal_max_bytes = 30 * 1000;
	fixture_reopen(f);
	fixture_reopen(f);
	store_status(f->store, &status);
	assert_true(status.journal_bytes <= 30 * 1000);
	store_read_wait(f->store, read_receivers, &q);
	assert_true(((struct store_receiver *)q.rows)[0].overflow);
	assert_true(((struct store_receiver *)q.rows)[0].lost > 20);
	assert_false(((struct store_receiver *)q.rows)[1].overflow);
	/* Numbers go on where they were. */
	tx = store_tx_new(f->store);
	add_event(tx, other, "next", "{}", &last);
	assert_int_equal(store_commit_wait(f->store, tx), 0);
	assert_int_equal(last, 61);
}

enum { BURST_BOUND = 2000 * 1000, BURST_COMMITS = 200, BURST_GROUP = 8, BURST_EVENTS = 25, BURST_WAITS = 1200 };

static atomic_int burst_open;

static void burst_committed(void *arg, int error)
{
	(void)arg;
	assert_int_equal(error, 0);
	atomic_fetch_sub(&burst_open, 1);
}

static int64_t file_bytes(const struct fixture *f, const char *suffix)
{
	char path[512];
	struct stat about;

	snprintf(path, sizeof path, "%s%s", f->path, suffix);
	return stat(path, &about) == 0 ? (int64_t)about.st_size : 0;
}

/* A burst of twenty times the bound, committed in groups as by many sessions at once, to a receiver that takes nothing. */
static void a_burst_ends_within_the_bound(void **state)
{
	struct fixture *f = *state;
	struct store_status status = { 0 };
	int64_t session, most = 0, disk;
	char payload[1001], id[24];
	int made = 0;

	f->options.journal_max_bytes = BURST_BOUND;
	fixture_reopen(f);
	session = fixture_session(f, "main");
	memset(payload, 'x', sizeof payload - 1);
	payload[sizeof payload - 1] = '\0';
	for (int i = 0; i < BURST_COMMITS; i++) {
		for (int k = 0; k < BURST_GROUP; k++) {
			struct store_tx *tx = store_tx_new(f->store);

			for (int n = 0; n < BURST_EVENTS; n++) {
				snprintf(id, sizeof id, "b%d", made++);
				add_event(tx, session, id, payload, NULL);
			}
			atomic_fetch_add(&burst_open, 1);
			store_commit(f->store, tx, burst_committed, NULL);
		}
		while (atomic_load(&burst_open) > 0)
			sched_yield();
		store_status(f->store, &status);
		most = status.journal_bytes > most ? status.journal_bytes : most;
	}
	disk = file_bytes(f, "") + file_bytes(f, "-wal");
	print_message("a burst of %d events, bound %d bytes: at most %lld bytes, %lld on disk\n", made, (int)BURST_BOUND, (long long)most, (long long)disk);
	/* How far trimming is behind meanwhile is up to the scheduler; it ends within the bound, without another event. */
	for (int i = 0; i < BURST_WAITS && status.journal_bytes > BURST_BOUND; i++) {
		usleep(100 * 1000);
		store_status(f->store, &status);
	}
	assert_true(status.journal_bytes <= BURST_BOUND);
}

/* ---- idempotency ---- */

static void read_idempotency(struct store_reader *reader, void *arg)
{
	struct fixture_read *q = arg;
	struct store_idempotency *entry = arena_alloc(&q->f->arena, sizeof *entry);

	q->rc = store_idempotency_get(reader, &q->f->arena, "1 POST /x", "key", entry);
	q->rows = entry;
}

static void an_idempotency_key_is_taken_once(void **state)
{
	struct fixture *f = *state;
	struct store_idempotency entry = { .scope = "1 POST /x", .key = "key", .digest = { 7 } };
	struct fixture_read q;
	struct store_tx *tx;
	int64_t session, number = 0;

	fake_now_ms = 100 * DAY_MS;
	f->options.wall_ms = fake_clock;
	fixture_reopen(f);
	session = fixture_session(f, "main");
	q = ask(f, session);
	entry.created_ms = fake_now_ms;
	tx = store_tx_new(f->store);
	store_tx_outbox_add(tx, &(struct store_outbox){ .session = session, .message_id = "m", .recipient = "r" }, &number);
	store_tx_idempotency_add(tx, &entry);
	assert_int_equal(store_commit_wait(f->store, tx), 0);
	/* The second request's message must not be there either. */
	tx = store_tx_new(f->store);
	store_tx_outbox_add(tx, &(struct store_outbox){ .session = session, .message_id = "m2", .recipient = "r" }, NULL);
	store_tx_idempotency_add(tx, &entry);
	assert_int_equal(store_commit_wait(f->store, tx), STORE_CONSTRAINT);
	q.text = "m2";
	store_read_wait(f->store, read_outbox, &q);
	assert_int_equal(q.rc, STORE_NOT_FOUND);
	store_read_wait(f->store, read_idempotency, &q);
	assert_int_equal(q.rc, 0);
	assert_int_equal(((struct store_idempotency *)q.rows)->outbox, number);
	assert_int_equal(((struct store_idempotency *)q.rows)->status, 0);
	assert_int_equal(((struct store_idempotency *)q.rows)->digest[0], 7);
	tx = store_tx_new(f->store);
	store_tx_idempotency_answer(tx, entry.scope, entry.key, 200, span_text("{\"ok\":true}"));
	assert_int_equal(store_commit_wait(f->store, tx), 0);
	store_read_wait(f->store, read_idempotency, &q);
	assert_int_equal(((struct store_idempotency *)q.rows)->status, 200);
	assert_true(span_is(((struct store_idempotency *)q.rows)->answer, "{\"ok\":true}"));
	fake_now_ms += DAY_MS + 1;
	store_read_wait(f->store, read_idempotency, &q);
	assert_int_equal(q.rc, STORE_NOT_FOUND);
	entry.created_ms = fake_now_ms;
	tx = store_tx_new(f->store);
	store_tx_idempotency_add(tx, &entry);
	assert_int_equal(store_commit_wait(f->store, tx), 0);
}

/* ---- at rest ---- */

static bool file_contains(const char *path, const char *text)
{
	FILE *file = fopen(path, "rb");
	size_t len = strlen(text), n;
	static char bytes[8 << 20];
	bool found;

	if (file == NULL)
		return false;
	n = fread(bytes, 1, sizeof bytes, file);
	fclose(file);
	found = memmem(bytes, n, text, len) != NULL;
	return found;
}

static void nothing_secret_is_readable_on_the_disk(void **state)
{
	static const char *const secrets[] = {
		"secret-of-webhook", "secret-of-proxy", "secret-of-record", "text of the message", "stanza bytes", "secret-of-event",
		"secret-of-answer", "the very key", "the very password", "{\"a\":1}",
	};
	struct fixture *f = *state;
	int64_t session = fixture_session(f, "main"), number = queue_message(f, session, "3EB0AA");
	struct store_tx *tx = store_tx_new(f->store);
	char wal[128];
	struct stat st;

	store_tx_record_put(tx, session, 1, "plain-name", span_text("secret-of-record"), 0);
	store_tx_outbox_stanza(tx, number, span_text("stanza bytes"), 1);
	add_event(tx, session, "id", "secret-of-event", NULL);
	store_tx_idempotency_add(tx, &(struct store_idempotency){ .scope = "s", .key = "k" });
	store_tx_idempotency_answer(tx, "s", "k", 200, span_text("secret-of-answer"));
	assert_int_equal(store_commit_wait(f->store, tx), 0);
	assert_int_equal(store_seed_admin(f->store, "boss", "the very password", "the very key", false), 0);
	snprintf(wal, sizeof wal, "%s-wal", f->path);
	assert_int_equal(stat(wal, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_true(file_contains(wal, "plain-name"));
	for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++)
		assert_false(file_contains(wal, secrets[i]));
	store_close(f->store);
	assert_true(file_contains(f->path, "plain-name"));
	for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++)
		assert_false(file_contains(f->path, secrets[i]));
	fixture_open(f);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		T(a_message_goes_its_way_through_the_outbox),
		T(the_outbox_refuses_what_must_not_be),
		T(a_receipt_tells_nothing_of_a_part_that_failed),
		T(finished_messages_are_tidied_away),
		T(events_are_numbered_without_gaps_or_doubles),
		T(receivers_remember_where_they_stand),
		T(the_journal_keeps_its_bound),
		T(a_burst_ends_within_the_bound),
		T(an_idempotency_key_is_taken_once),
		T(nothing_secret_is_readable_on_the_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
