/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, a power cut loses messages that were acknowledged, or leaves half of a ratchet step behind. */
#include "tests/unit/store_fixture.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include <sqlite3.h>

#include "common/mem.h"
#include "sessiond/store/gather_vfs.h"
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

/* A file of the gathering VFS, over the one that counts what reaches the disk. */
struct log {
	sqlite3_vfs *vfs;
	sqlite3_file *file;
	char path[128];
	uint64_t before;
};

static void log_open(struct fixture *f, struct log *log)
{
	powerloss_start(3);
	log->vfs = sqlite3_vfs_find(gather_vfs(powerloss_name));
	assert_non_null(log->vfs);
	assert_ptr_equal(sqlite3_vfs_find(gather_vfs(powerloss_name)), log->vfs);
	log->file = calloc(1, (size_t)log->vfs->szOsFile);
	/* SQLite's VFS takes the mode of a log from its database. */
	snprintf(log->path, sizeof log->path, "%s/log", f->folder);
	fclose(fopen(log->path, "w"));
	snprintf(log->path, sizeof log->path, "%s/log-wal", f->folder);
	assert_int_equal(log->vfs->xOpen(log->vfs, log->path, log->file, SQLITE_OPEN_WAL | SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL), SQLITE_OK);
	log->before = powerloss_operations();
}

/* What has reached the disk since the last look. */
static int log_operations(struct log *log)
{
	uint64_t now = powerloss_operations(), before = log->before;

	log->before = now;
	return (int)(now - before);
}

static int log_write(struct log *log, char what, int len, int64_t offset)
{
	static char bytes[100000];

	memset(bytes, what, (size_t)len);
	return log->file->pMethods->xWrite(log->file, bytes, len, offset);
}

static void the_log_is_written_at_once_and_before_it_can_be_missed(void **state)
{
	struct log log = { .before = 0 };
	sqlite3_int64 size = 0;
	char got[24];

	log_open(*state, &log);
	for (int i = 0; i < 10; i++) {
		assert_int_equal(log_write(&log, 'h', 24, i * 4120), SQLITE_OK);
		assert_int_equal(log_write(&log, 'p', 4096, i * 4120 + 24), SQLITE_OK);
	}
	assert_int_equal(log_operations(&log), 0);
	assert_int_equal(log.file->pMethods->xRead(log.file, got, sizeof got, 9 * 4120), SQLITE_OK);
	assert_memory_equal(got, "hhhhhhhhhhhhhhhhhhhhhhhh", sizeof got);
	assert_int_equal(log_operations(&log), 1);
	/* A piece that does not follow, one that is too big, and order between them. */
	assert_int_equal(log_write(&log, 'a', 24, 0), SQLITE_OK);
	assert_int_equal(log_write(&log, 'b', 24, 12), SQLITE_OK);
	assert_int_equal(log_operations(&log), 1);
	assert_int_equal(log_write(&log, 'c', 100000, 30), SQLITE_OK);
	assert_int_equal(log_operations(&log), 2);
	assert_int_equal(log.file->pMethods->xRead(log.file, got, sizeof got, 10), SQLITE_OK);
	assert_memory_equal(got, "aabbbbbbbbbbbbbbbbbbcccc", sizeof got);
	/* Size, truncation and sync tell of what was gathered. */
	assert_int_equal(log_write(&log, 'd', 24, 100030), SQLITE_OK);
	assert_int_equal(log.file->pMethods->xFileSize(log.file, &size), SQLITE_OK);
	assert_int_equal(size, 100054);
	assert_int_equal(log_write(&log, 'e', 24, 100054), SQLITE_OK);
	log_operations(&log);
	assert_int_equal(log.file->pMethods->xSync(log.file, SQLITE_SYNC_NORMAL), SQLITE_OK);
	assert_int_equal(log_operations(&log), 2);
	assert_int_equal(log_write(&log, 'f', 24, 100078), SQLITE_OK);
	assert_int_equal(log.file->pMethods->xTruncate(log.file, 50), SQLITE_OK);
	assert_int_equal(log_operations(&log), 2);
	/* A disk that refuses is heard of at the sync, once. */
	powerloss_fail_writes(SQLITE_FULL);
	assert_int_equal(log_write(&log, 'g', 24, 50), SQLITE_OK);
	assert_int_equal(log.file->pMethods->xSync(log.file, SQLITE_SYNC_NORMAL), SQLITE_FULL);
	powerloss_fail_writes(0);
	assert_int_equal(log.file->pMethods->xSync(log.file, SQLITE_SYNC_NORMAL), SQLITE_OK);
	assert_int_equal(log_write(&log, 'i', 24, 50), SQLITE_OK);
	assert_int_equal(log.file->pMethods->xFileControl(log.file, GATHER_LET_GO, NULL), SQLITE_OK);
	assert_int_equal(log.file->pMethods->xFileSize(log.file, &size), SQLITE_OK);
	assert_int_equal(size, 74);
	assert_int_equal(log.file->pMethods->xFileControl(log.file, GATHER_LET_GO, NULL), SQLITE_OK);
	assert_int_equal(log_write(&log, 'k', 24, 74), SQLITE_OK);
	assert_int_equal(log.file->pMethods->xClose(log.file), SQLITE_OK);
	free(log.file);
	powerloss_stop();
}

/* Dozens of pages in one commit: the disk sees some writes, not two for each. */
static void a_commit_takes_few_writes(void **state)
{
	static char payload[PAYLOAD];
	struct fixture *f = *state;
	struct store_tx *tx;
	uint64_t before;
	int64_t session;

	powerloss_start(5);
	f->options.vfs = powerloss_name;
	fixture_open(f);
	session = fixture_session(f, "main");
	tx = store_tx_new(f->store);
	for (int i = 0; i < 100; i++) {
		char name[16];

		snprintf(name, sizeof name, "%d", i);
		store_tx_record_put(tx, session, 3, name, span_of(payload, sizeof payload), 0);
	}
	before = powerloss_operations();
	assert_int_equal(store_commit_wait(f->store, tx), 0);
	assert_in_range(powerloss_operations() - before, 2, 20);
	store_close(f->store);
	powerloss_stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_log_is_written_at_once_and_before_it_can_be_missed, setup_folder, remove_folder),
		cmocka_unit_test_setup_teardown(a_commit_takes_few_writes, setup_folder, remove_folder),
		cmocka_unit_test_setup_teardown(what_was_acknowledged_survives_power_cuts, setup_folder, remove_folder),
		cmocka_unit_test_setup_teardown(a_failed_sync_is_an_error_and_not_the_end, setup_folder, remove_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
