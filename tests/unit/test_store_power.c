/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, a power cut loses messages that were acknowledged, or leaves half of a ratchet step behind. */
#include "tests/unit/store_fixture.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include <sqlite3.h>

#include "common/mem.h"
#include "tests/unit/powerloss_vfs.h"

enum { BATCHES = 150, CUTS = 40, CUTS_SLOW = 6, PAYLOAD = 3000 };

struct run {
	atomic_int results[BATCHES]; /* 1: not told yet */
	atomic_int open;
};

struct told {
	struct run *run;
	int number;
};

static void tell(void *arg, int error)
{
	struct told *told = arg;

	atomic_store(&told->run->results[told->number], error);
	atomic_fetch_sub(&told->run->open, 1);
	free(told);
}

static void commit_batch(struct store *store, struct run *run, int64_t session, int number)
{
	static char payload[PAYLOAD];
	struct store_tx *tx = store_tx_new(store);
	struct told *told = malloc(sizeof *told);
	char id[32];

	memset(payload, 'p', sizeof payload);
	snprintf(id, sizeof id, "%d", number);
	store_tx_record_put(tx, session, 2, "ratchet", span_text(id), 0);
	store_tx_record_put(tx, session, 3, id, span_of(payload, sizeof payload), 0);
	store_tx_outbox_add(tx, &(struct store_outbox){ .session = session, .message_id = id, .recipient = "r",
	                                                .message = span_text(id) }, NULL);
	store_tx_event_add(tx, &(struct store_event){ .session = session, .event_id = id, .kind = "k",
	                                              .payload = span_of(payload, sizeof payload) }, NULL);
	*told = (struct told){ run, number };
	store_commit(store, tx, tell, told);
}

/* Bursts of one to eight batches, so that groups of all sizes come together. */
static void commit_all(struct store *store, struct run *run, int64_t session)
{
	for (int i = 0; i < BATCHES; i++) {
		commit_batch(store, run, session, i);
		if (i % (1 + i / 20) == 0) {
			while (atomic_load(&run->open) > BATCHES - 1 - i)
				sched_yield();
		}
	}
	while (atomic_load(&run->open) > 0)
		sched_yield();
}

static void copy_file(const char *from, const char *to)
{
	FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
	char bytes[4096];
	size_t n = fread(bytes, 1, sizeof bytes, in);

	assert_int_equal(fwrite(bytes, 1, n, out), n);
	fclose(in);
	fclose(out);
	chmod(to, 0600);
}

struct found {
	int64_t session;
	int batches; /* all with number below this are there, none behind */
	int rc;
	const char *wrong;
};

static void look(struct store_reader *reader, void *arg)
{
	struct found *found = arg;
	struct arena arena;
	bool ended = false;

	arena_init(&arena, 0);
	for (int i = 0; i < BATCHES && found->rc == 0; i++) {
		char id[32];
		struct store_record_key key = { 3, id };
		struct span value;
		struct store_outbox row;
		struct store_event event;
		bool record, message, journal;

		snprintf(id, sizeof id, "%d", i);
		found->rc = store_record_get(reader, &arena, found->session, &key, 1, &value);
		record = value.p != NULL;
		message = store_outbox_find(reader, &arena, found->session, id, &row) == 0;
		journal = store_event_get(reader, &arena, found->session, i + 1, &event) == 0;
		if (record != message || record != journal)
			found->wrong = "half a batch";
		if (record && ended)
			found->wrong = "a batch without the one before it";
		if (record)
			found->batches = i + 1;
		ended = !record;
		arena_reset(&arena);
	}
	if (found->rc == 0) {
		struct store_record_key key = { 2, "ratchet" };
		struct span value;
		char last[32];

		found->rc = store_record_get(reader, &arena, found->session, &key, 1, &value);
		snprintf(last, sizeof last, "%d", found->batches - 1);
		if (found->batches > 0 && !span_is(value, last))
			found->wrong = "a ratchet of another time";
	}
	arena_free(&arena);
}

static void expect_sound(const char *path)
{
	sqlite3 *db;
	sqlite3_stmt *statement;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &statement, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
	assert_string_equal((const char *)sqlite3_column_text(statement, 0), "ok");
	sqlite3_finalize(statement);
	sqlite3_close(db);
}

/* What the disk holds after the cut, opened as after a reboot. */
static void check_after_cut(const struct fixture *f, const struct run *run, int64_t session, unsigned seed)
{
	struct fixture after = { .store = NULL };
	struct found found = { .session = session };
	char from[128], to[128], why[512] = "";
	int rc;

	snprintf(after.folder, sizeof after.folder, "/tmp/test_power.XXXXXX");
	assert_non_null(mkdtemp(after.folder));
	snprintf(after.path, sizeof after.path, "%s/warest.sqlite", after.folder);
	snprintf(from, sizeof from, "%s/master.key", f->folder);
	snprintf(to, sizeof to, "%s/master.key", after.folder);
	copy_file(from, to);
	powerloss_restore(after.folder);
	after.options.path = after.path;
	rc = store_open(&after.store, &after.options, why, sizeof why);
	if (rc != 0)
		fail_msg("seed %u: %s: %s", seed, store_error_name(rc), why);
	store_read_wait(after.store, look, &found);
	if (found.wrong != NULL || found.rc != 0)
		fail_msg("seed %u: %s (%d)", seed, found.wrong == NULL ? "unreadable" : found.wrong, found.rc);
	for (int i = found.batches; i < BATCHES; i++) {
		if (atomic_load(&run->results[i]) == 0)
			fail_msg("seed %u: batch %d was acknowledged, the disk has %d", seed, i, found.batches);
	}
	store_close(after.store);
	expect_sound(after.path);
	fixture_remove_folder(after.folder);
}

static void start(struct fixture *f, struct run *run, unsigned seed, int64_t *session)
{
	for (int i = 0; i < BATCHES; i++)
		atomic_store(&run->results[i], 1);
	atomic_store(&run->open, BATCHES);
	powerloss_start(seed);
	f->options.vfs = powerloss_name;
	f->options.checkpoint_bytes = 100 * 1000;
	fixture_open(f);
	*session = fixture_session(f, "main");
}

static int setup_folder(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	snprintf(f->folder, sizeof f->folder, "/tmp/test_power.XXXXXX");
	if (mkdtemp(f->folder) == NULL)
		return -1;
	snprintf(f->path, sizeof f->path, "%s/warest.sqlite", f->folder);
	f->options.path = f->path;
	*state = f;
	return 0;
}

static int remove_folder(void **state)
{
	struct fixture *f = *state;

	fixture_remove_folder(f->folder);
	free(f);
	return 0;
}

static void what_was_acknowledged_survives_power_cuts(void **state)
{
	struct fixture *f = *state;
	struct run *run = calloc(1, sizeof *run);
	struct store_status status;
	unsigned cuts = getenv("WAREST_TEST_SLOW") ? CUTS_SLOW : CUTS;
	uint64_t begin, operations;
	int64_t session;

	start(f, run, 1, &session);
	begin = powerloss_operations();
	commit_all(f->store, run, session);
	operations = powerloss_operations() - begin;
	store_status(f->store, &status);
	assert_true(status.checkpoints > 0);
	store_close(f->store);
	for (unsigned cut = 0; cut < cuts; cut++) {
		remove_folder(state);
		assert_int_equal(setup_folder(state), 0);
		f = *state;
		start(f, run, cut + 2, &session);
		powerloss_cut_after(1 + (cut * 2654435761U >> 8) % operations);
		commit_all(f->store, run, session);
		store_close(f->store);
		check_after_cut(f, run, session, cut + 2);
	}
	powerloss_stop();
	free(run);
}

/* A disk that lies about syncing once: the batch fails, the next ones work, nothing is half. */
static void a_failed_sync_is_an_error_and_not_the_end(void **state)
{
	struct fixture *f = *state;
	struct run *run = calloc(1, sizeof *run);
	struct found found = { .rc = 0 };
	int64_t session;

	start(f, run, 7, &session);
	powerloss_fail_syncs(SQLITE_IOERR_FSYNC);
	commit_batch(f->store, run, session, 0);
	while (atomic_load(&run->results[0]) == 1)
		sched_yield();
	assert_int_equal(atomic_load(&run->results[0]), STORE_IO);
	powerloss_fail_syncs(0);
	for (int i = 0; i < 5; i++) {
		atomic_store(&run->results[i], 1);
		commit_batch(f->store, run, session, i);
		while (atomic_load(&run->results[i]) == 1)
			sched_yield();
		assert_int_equal(atomic_load(&run->results[i]), 0);
	}
	found.session = session;
	store_read_wait(f->store, look, &found);
	assert_null(found.wrong);
	assert_int_equal(found.batches, 5);
	store_close(f->store);
	powerloss_stop();
	free(run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_was_acknowledged_survives_power_cuts, setup_folder, remove_folder),
		cmocka_unit_test_setup_teardown(a_failed_sync_is_an_error_and_not_the_end, setup_folder, remove_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
