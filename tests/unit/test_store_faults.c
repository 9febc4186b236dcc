/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, a full disk, a foreign lock, a damaged file or one bad request takes others along, or passes unnoticed. */
#include "tests/unit/store_fixture.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <sqlite3.h>

#include "tests/unit/powerloss_vfs.h"

static int put(struct fixture *f, int64_t session, const char *name, size_t size)
{
	struct store_tx *tx = store_tx_new(f->store);
	char *bytes = calloc(1, size + 1);

	store_tx_record_put(tx, session, 2, name, span_of(bytes, size), 0);
	free(bytes);
	return store_commit_wait(f->store, tx);
}

static void read_names(struct store_reader *reader, void *arg)
{
	struct fixture_read *q = arg;
	const char **names;

	q->rc = store_record_list(reader, &q->f->arena, q->session, 2, &names, NULL, &q->n);
	q->rows = names;
}

static size_t count_records(struct fixture *f, int64_t session)
{
	struct fixture_read q = { .f = f, .session = session };

	store_read_wait(f->store, read_names, &q);
	assert_int_equal(q.rc, 0);
	return q.n;
}

/* ---- one bad among many ---- */

enum { MANY = 400 };

struct gate {
	pthread_mutex_t lock;
	atomic_int left;
	int results[MANY];
};

struct ticket {
	struct gate *gate;
	int number;
};

static void count_down(void *arg, int error)
{
	struct ticket *ticket = arg;

	ticket->gate->results[ticket->number] = error;
	atomic_fetch_sub(&ticket->gate->left, 1);
	free(ticket);
}

/* Holds the writer inside a done() so that everything queued meanwhile becomes one group. */
static void hold_writer(void *arg, int error)
{
	struct gate *gate = arg;

	(void)error;
	pthread_mutex_lock(&gate->lock);
	pthread_mutex_unlock(&gate->lock);
}

static void one_bad_batch_does_not_harm_its_group(void **state)
{
	struct fixture *f = *state;
	int64_t session = 0;
	struct gate *gate = calloc(1, sizeof *gate);
	struct store_status before, after;
	char name[16];

	fixture_open(f);
	session = fixture_session(f, "main");
	pthread_mutex_init(&gate->lock, NULL);
	pthread_mutex_lock(&gate->lock);
	store_commit(f->store, store_tx_new(f->store), hold_writer, gate);
	store_status(f->store, &before);
	atomic_store(&gate->left, MANY);
	for (int i = 0; i < MANY; i++) {
		struct ticket *ticket = malloc(sizeof *ticket);
		struct store_tx *tx = store_tx_new(f->store);

		*ticket = (struct ticket){ gate, i };
		snprintf(name, sizeof name, "%d", i);
		store_tx_record_put(tx, session, 2, name, span_text("x"), 0);
		if (i % 100 == 50)
			store_tx_record_put(tx, session + 99, 2, name, span_text("of no session"), 0);
		store_commit(f->store, tx, count_down, ticket);
	}
	pthread_mutex_unlock(&gate->lock);
	while (atomic_load(&gate->left) > 0)
		sched_yield();
	for (int i = 0; i < MANY; i++)
		assert_int_equal(gate->results[i], i % 100 == 50 ? STORE_CONSTRAINT : 0);
	assert_int_equal(count_records(f, session), MANY - 4);
	store_status(f->store, &after);
	/* Grouped, or throughput is gone. */
	assert_true(after.commits - before.commits < MANY / 4);
	assert_int_equal(after.last_error, 0);
	store_close(f->store);
	pthread_mutex_destroy(&gate->lock);
	free(gate);
}

/* A ratchet that is stored without the message that moved it loses that message. */
static void what_builds_on_a_lost_batch_is_refused(void **state)
{
	struct fixture *f = *state;
	static const int wished[] = { 0, STORE_CONSTRAINT, STORE_BROKEN, STORE_BROKEN, 0 };
	struct gate *gate = calloc(1, sizeof *gate);
	struct store_chain chain = { .broken = false };
	struct store_tx *tx;
	int64_t session;

	fixture_open(f);
	session = fixture_session(f, "main");
	pthread_mutex_init(&gate->lock, NULL);
	pthread_mutex_lock(&gate->lock);
	store_commit(f->store, store_tx_new(f->store), hold_writer, gate);
	atomic_store(&gate->left, 5);
	for (int i = 0; i < 5; i++) {
		struct ticket *ticket = malloc(sizeof *ticket);

		*ticket = (struct ticket){ gate, i };
		tx = store_tx_new(f->store);
		if (i < 4)
			store_tx_chain(tx, &chain);
		store_tx_record_put(tx, i == 1 ? session + 99 : session, 2, i == 4 ? "other" : "ratchet", span_text("x"), 0);
		(i == 2 ? store_commit_lazy : store_commit)(f->store, tx, count_down, ticket);
	}
	pthread_mutex_unlock(&gate->lock);
	while (atomic_load(&gate->left) > 0)
		sched_yield();
	for (int i = 0; i < 5; i++)
		assert_int_equal(gate->results[i], wished[i]);
	assert_int_equal(count_records(f, session), 2);
	/* In a group of its own, too, until the owner begins anew. */
	tx = store_tx_new(f->store);
	store_tx_chain(tx, &chain);
	store_tx_record_put(tx, session, 2, "late", span_text("x"), 0);
	assert_int_equal(store_commit_wait(f->store, tx), STORE_BROKEN);
	atomic_store(&chain.broken, false);
	tx = store_tx_new(f->store);
	store_tx_chain(tx, &chain);
	store_tx_record_put(tx, session, 2, "late", span_text("x"), 0);
	assert_int_equal(store_commit_wait(f->store, tx), 0);
	store_close(f->store);
	pthread_mutex_destroy(&gate->lock);
	free(gate);
}

static void lazy_batches_ride_along_in_order(void **state)
{
	struct fixture *f = *state;
	struct gate *gate = calloc(1, sizeof *gate);
	struct store_status before, after;
	int64_t session;

	fixture_open(f);
	session = fixture_session(f, "main");
	pthread_mutex_init(&gate->lock, NULL);
	atomic_store(&gate->left, 3);
	store_status(f->store, &before);
	pthread_mutex_lock(&gate->lock);
	store_commit(f->store, store_tx_new(f->store), hold_writer, gate);
	for (int i = 0; i < 3; i++) {
		struct ticket *ticket = malloc(sizeof *ticket);
		struct store_tx *tx = store_tx_new(f->store);

		*ticket = (struct ticket){ gate, i };
		gate->results[i] = 1;
		store_tx_record_put(tx, session, 2, i == 2 ? "b" : "a", span_text(i == 0 ? "first" : "second"), 0);
		(i == 2 ? store_commit : store_commit_lazy)(f->store, tx, count_down, ticket);
	}
	pthread_mutex_unlock(&gate->lock);
	while (atomic_load(&gate->left) > 0)
		sched_yield();
	store_status(f->store, &after);
	assert_int_equal(after.txs - before.txs, 4);
	assert_true(after.commits - before.commits <= 2);
	assert_int_equal(count_records(f, session), 2);
	/* One alone does not wait for ever. */
	atomic_store(&gate->left, 1);
	{
		struct ticket *ticket = malloc(sizeof *ticket);
		struct store_tx *tx = store_tx_new(f->store);

		*ticket = (struct ticket){ gate, 0 };
		store_tx_record_put(tx, session, 2, "c", span_text("x"), 0);
		store_commit_lazy(f->store, tx, count_down, ticket);
	}
	while (atomic_load(&gate->left) > 0)
		sched_yield();
	assert_int_equal(gate->results[0], 0);
	assert_int_equal(count_records(f, session), 3);
	store_close(f->store);
	pthread_mutex_destroy(&gate->lock);
	free(gate);
}

/* What bulk does to order: only the writer's thread writes. */
struct order {
	char seen[16];
	atomic_int n;
};

struct place {
	struct order *order;
	char name;
};

static void note_place(void *arg, int error)
{
	struct place *place = arg;

	place->order->seen[atomic_load(&place->order->n)] = error == 0 ? place->name : '!';
	atomic_fetch_add(&place->order->n, 1);
}

/* Else a history of a million messages makes every other session wait for it, or comes back after its account was forgotten. */
static void bulk_lets_others_through_but_not_what_forgets_it(void **state)
{
	struct fixture *f = *state;
	struct gate *gate = calloc(1, sizeof *gate);
	struct order order = { .n = 0 };
	struct place places[] = { { &order, 'A' }, { &order, 'B' }, { &order, 'c' }, { &order, 'F' }, { &order, 'd' } };
	struct store_status status;
	int64_t session;

	fixture_open(f);
	session = fixture_session(f, "main");
	pthread_mutex_init(&gate->lock, NULL);
	pthread_mutex_lock(&gate->lock);
	store_commit(f->store, store_tx_new(f->store), hold_writer, gate);
	do
		store_status(f->store, &status);
	while (status.queued > 0);
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		struct store_tx *tx = store_tx_new(f->store);

		if (places[i].name == 'F')
			store_tx_chats_forget(tx, session);
		else
			store_tx_record_put(tx, session, 2, "a", span_of(&places[i].name, 1), 0);
		(places[i].name < 'F' ? store_commit_bulk : store_commit)(f->store, tx, note_place, &places[i]);
	}
	pthread_mutex_unlock(&gate->lock);
	while (atomic_load(&order.n) < 5)
		sched_yield();
	assert_string_equal(order.seen, "AcBFd");
	store_close(f->store);
	pthread_mutex_destroy(&gate->lock);
	free(gate);
}

enum { THREADS = 6, EACH = 150 };

struct crowd {
	struct fixture *f;
	int64_t session;
	int number;
	atomic_int *failures;
};

static void *crowd_main(void *arg)
{
	struct crowd *one = arg;

	for (int i = 0; i < EACH; i++) {
		char name[32];

		snprintf(name, sizeof name, "%d-%d", one->number, i);
		if (put(one->f, one->session, name, 100) != 0)
			atomic_fetch_add(one->failures, 1);
		if (i % 10 == 0) {
			struct fixture own = { .store = one->f->store };
			struct fixture_read q = { .f = &own, .session = one->session };
			struct store_principal who;

			arena_init(&own.arena, 0);
			store_read_wait(own.store, read_names, &q);
			/* What this thread was told is stored, it sees. */
			if (q.rc != 0 || q.n < (size_t)i)
				atomic_fetch_add(one->failures, 1);
			(void)store_key_check(own.store, "no such key", &who);
			arena_free(&own.arena);
		}
	}
	return NULL;
}

static void many_threads_write_and_read_at_once(void **state)
{
	struct fixture *f = *state;
	struct crowd crowd[THREADS];
	pthread_t threads[THREADS];
	atomic_int failures = 0;
	int64_t session;

	f->options.checkpoint_bytes = 50 * 1000;
	fixture_open(f);
	session = fixture_session(f, "main");
	for (int i = 0; i < THREADS; i++) {
		crowd[i] = (struct crowd){ f, session, i, &failures };
		assert_int_equal(pthread_create(&threads[i], NULL, crowd_main, &crowd[i]), 0);
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(atomic_load(&failures), 0);
	assert_int_equal(count_records(f, session), THREADS * EACH);
	store_close(f->store);
}

/* ---- the disk ---- */

static void errors_of_the_disk_have_names_and_pass(void **state)
{
	static const struct {
		int code, error;
	} faults[] = {
		{ SQLITE_FULL, STORE_FULL },
		{ SQLITE_IOERR_WRITE, STORE_IO },
		{ SQLITE_READONLY, STORE_READONLY },
		{ SQLITE_CORRUPT, STORE_CORRUPT },
	};
	struct fixture *f = *state;
	struct store_status status;
	int64_t session;

	powerloss_start(1);
	f->options.vfs = powerloss_name;
	fixture_open(f);
	session = fixture_session(f, "main");
	for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
		powerloss_fail_writes(faults[i].code);
		assert_int_equal(put(f, session, "refused", 100), faults[i].error);
		store_status(f->store, &status);
		assert_int_equal(status.last_error, faults[i].error);
		assert_true(status.failing_since_ms > 0);
		/* Reading goes on. */
		assert_int_equal(count_records(f, session), i);
		powerloss_fail_writes(0);
		assert_int_equal(put(f, session, faults[i].error == STORE_FULL ? "a" : faults[i].error == STORE_IO ? "b" :
		                     faults[i].error == STORE_READONLY ? "c" : "d", 100), 0);
		store_status(f->store, &status);
		assert_int_equal(status.last_error, 0);
		assert_int_equal(status.failing_since_ms, 0);
	}
	store_close(f->store);
	powerloss_stop();
}

/* In a process of its own: the limit holds for the whole process. */
static int fill_to_the_limit(struct fixture *f)
{
	struct rlimit limit = { .rlim_cur = 1 << 20, .rlim_max = RLIM_INFINITY };
	int64_t session;
	size_t stored = 0, before;
	int rc = 0;

	signal(SIGXFSZ, SIG_IGN);
	fixture_open(f);
	session = fixture_session(f, "main");
	setrlimit(RLIMIT_FSIZE, &limit);
	for (int i = 0; i < 100 && rc == 0; i++) {
		char name[16];

		snprintf(name, sizeof name, "%d", i);
		rc = put(f, session, name, 50000);
		stored += rc == 0;
	}
	before = count_records(f, session);
	limit.rlim_cur = RLIM_INFINITY;
	setrlimit(RLIMIT_FSIZE, &limit);
	if (rc != STORE_FULL || stored != before || put(f, session, "after", 50000) != 0)
		return 1;
	store_close(f->store);
	fixture_open(f);
	if (count_records(f, session) != stored + 1)
		return 2;
	store_close(f->store);
	return 0;
}

static void a_full_disk_refuses_and_loses_nothing(void **state)
{
	struct fixture *f = *state;
	int status = 0;
	pid_t child = fork();

	if (child == 0)
		_exit(fill_to_the_limit(f));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void a_foreign_lock_is_waited_for_and_then_reported(void **state)
{
	struct fixture *f = *state;
	int64_t session;
	sqlite3 *other;

	f->options.busy_ms = 50;
	fixture_open(f);
	session = fixture_session(f, "main");
	assert_int_equal(sqlite3_open(f->path, &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(put(f, session, "refused", 10), STORE_BUSY);
	assert_int_equal(count_records(f, session), 0);
	assert_int_equal(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(put(f, session, "taken", 10), 0);
	sqlite3_close(other);
	store_close(f->store);
}

static void a_second_daemon_is_refused(void **state)
{
	struct fixture *f = *state;
	struct store *second;
	char why[256];

	fixture_open(f);
	assert_int_equal(store_open(&second, &f->options, why, sizeof why), STORE_BUSY);
	assert_non_null(strstr(why, "in use"));
	store_close(f->store);
}

static void damage(const char *path, long offset, size_t len)
{
	FILE *file = fopen(path, "r+b");

	assert_non_null(file);
	assert_int_equal(fseek(file, offset, SEEK_SET), 0);
	for (size_t i = 0; i < len; i++)
		fputc(0x5a, file);
	fclose(file);
}

static void a_damaged_file_is_not_used(void **state)
{
	struct fixture *f = *state;
	char why[512];

	fixture_open(f);
	store_close(f->store);
	damage(f->path, 0, 4096);
	assert_int_equal(store_open(&f->store, &f->options, why, sizeof why), STORE_CORRUPT);
	assert_non_null(strstr(why, f->path));
}

static void a_damaged_page_is_reported_when_met(void **state)
{
	struct fixture *f = *state;
	struct fixture_read q = { .f = f };
	int64_t session;
	struct stat st;

	fixture_open(f);
	session = fixture_session(f, "main");
	for (int i = 0; i < 100; i++) {
		char name[16];

		snprintf(name, sizeof name, "%d", i);
		assert_int_equal(put(f, session, name, 3000), 0);
	}
	store_close(f->store);
	assert_int_equal(stat(f->path, &st), 0);
	damage(f->path, st.st_size - 100 * 4096, 60 * 4096);
	fixture_open(f);
	q.session = session;
	store_read_wait(f->store, read_names, &q);
	assert_int_equal(q.rc, STORE_CORRUPT);
	store_close(f->store);
}

static void unusable_places_are_named(void **state)
{
	struct fixture *f = *state;
	char why[512], path[160];
	struct store *store;

	f->options.path = "/proc/nowhere/warest.sqlite";
	assert_int_not_equal(store_open(&store, &f->options, why, sizeof why), 0);
	assert_non_null(strstr(why, "/proc/nowhere"));
	f->options.path = f->path;
	f->options.driver = "oracle";
	assert_int_equal(store_open(&store, &f->options, why, sizeof why), STORE_CONFIG);
	f->options.driver = NULL;
	snprintf(path, sizeof path, "%s/master.key", f->folder);
	fixture_open(f);
	store_close(f->store);
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(store_open(&store, &f->options, why, sizeof why), STORE_CONFIG);
	assert_non_null(strstr(why, "owner alone"));
	/* Another key than the one that the values were sealed with. */
	assert_int_equal(unlink(path), 0);
	assert_int_equal(store_open(&store, &f->options, why, sizeof why), STORE_SEAL);
	assert_non_null(strstr(why, "master key"));
}

/* ---- migrations ---- */

static void run_sql(const char *path, const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void migrations_are_applied_once_and_checked(void **state)
{
	struct fixture *f = *state;
	struct store_migration *rows;
	char why[512];
	size_t n = 0;

	assert_int_equal(store_migrate(&f->options, false, &f->arena, &rows, &n, why, sizeof why), 0);
	assert_true(n >= 2);
	assert_int_equal(rows[0].number, 1);
	assert_string_equal(rows[0].name, "0001_core");
	assert_int_equal(rows[0].applied_ms, 0);
	f->options.no_migrate = true;
	assert_int_equal(store_open(&f->store, &f->options, why, sizeof why), STORE_PENDING);
	assert_int_equal(store_migrate(&f->options, true, &f->arena, &rows, &n, why, sizeof why), 0);
	assert_true(rows[n - 1].applied_ms > 0);
	fixture_open(f);
	store_close(f->store);
	assert_int_equal(store_migrate(&f->options, true, &f->arena, &rows, &n, why, sizeof why), 0);

	run_sql(f->path, "INSERT INTO schema_migrations VALUES (9999, 'future', 'x', 1)");
	assert_int_equal(store_open(&f->store, &f->options, why, sizeof why), STORE_NEWER);
	assert_non_null(strstr(why, "9999"));
	run_sql(f->path, "DELETE FROM schema_migrations WHERE number = 9999");
	run_sql(f->path, "UPDATE schema_migrations SET checksum = 'x' WHERE number = 1");
	assert_int_equal(store_open(&f->store, &f->options, why, sizeof why), STORE_CHECKSUM);
	assert_non_null(strstr(why, "0001_core"));
}

static void a_migration_that_fails_leaves_nothing(void **state)
{
	struct fixture *f = *state;
	sqlite3_stmt *statement;
	sqlite3 *db;
	char why[512];

	/* The last statement of the second one meets a table that is in its way. */
	run_sql(f->path, "CREATE TABLE idempotency (x)");
	assert_int_not_equal(store_open(&f->store, &f->options, why, sizeof why), 0);
	assert_non_null(strstr(why, "idempotency"));
	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, "SELECT count(*) FROM sqlite_master WHERE name = 'records'", -1, &statement, NULL),
	                 SQLITE_OK);
	assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
	assert_int_equal(sqlite3_column_int(statement, 0), 0);
	sqlite3_finalize(statement);
	sqlite3_close(db);
	run_sql(f->path, "DROP TABLE idempotency");
	fixture_open(f);
	store_close(f->store);
}

/* ---- a database of the original ---- */

/* Tables as its migration 0001 makes them (contract: config.md, section 8). */
static const char original_tables[] =
	"CREATE TABLE _migrations (id integer primary key autoincrement, name varchar(255), batch integer, migration_time datetime);"
	"INSERT INTO _migrations VALUES (1, '0001_create_core_tables.js', 1, 0);"
	"CREATE TABLE users (id varchar(255) primary key, registry varchar(255) not null default '', username varchar(255) not null "
	"default '', password varchar(255) not null default '', api_key varchar(255) not null default '', is_admin boolean default 0, "
	"last_login_at datetime, created_at datetime default CURRENT_TIMESTAMP, updated_at datetime);"
	"CREATE UNIQUE INDEX users_api_key_unique ON users (api_key);"
	"CREATE UNIQUE INDEX users_registry_unique ON users (registry);"
	"CREATE TABLE sessions (id varchar(255) primary key, registry_user varchar(255) not null default '' references users (registry) "
	"on delete cascade, label varchar(255) not null, credentials_path text, webhook_url text, session_profile text, webhook_secret "
	"varchar(255), auto_start boolean default 1, status varchar(255) default 'starting', last_connected_at datetime, created_at "
	"datetime default CURRENT_TIMESTAMP, updated_at datetime);"
	"CREATE TABLE sync_chats (session_id varchar(255) references sessions (id), jid varchar(255), primary key (session_id, jid));"
	"INSERT INTO users (id, registry, username, password, api_key, is_admin, created_at) VALUES "
	"('01A', 'admin', 'boss', 'scrypt:00:11', 'c3345182a45b491725f134b0c143ad96a4108a9c1b4cb9312c0a0c993554ad66', 1, "
	"'2025-01-02 03:04:05'), ('01B', 'other', 'second', '', 'clear key', 0, '2025-01-02 03:04:05'), ('01C', 'third', 'third', '', '', 0, "
	"NULL);"
	"INSERT INTO sessions (id, registry_user, label, webhook_url, webhook_secret, status) VALUES "
	"('main', 'admin', 'main', 'https://hook.example/', 'secret-of-webhook', 'open'), ('bad id', 'admin', 'x', NULL, NULL, 'open'), "
	"('orphan', 'nobody', 'y', NULL, NULL, 'open');"
	"INSERT INTO sync_chats VALUES ('main', 'chat');";

static void read_main(struct store_reader *reader, void *arg)
{
	struct fixture_read *q = arg;
	struct store_session *rows;

	q->rc = store_session_list(reader, &q->f->arena, NULL, &rows, &q->n);
	q->rows = rows;
}

static bool file_has(const char *path, const char *text)
{
	static char bytes[4 << 20];
	FILE *file = fopen(path, "rb");
	size_t n = fread(bytes, 1, sizeof bytes, file);

	fclose(file);
	return memmem(bytes, n, text, strlen(text)) != NULL;
}

static void a_database_of_the_original_is_taken_over(void **state)
{
	struct fixture *f = *state;
	struct fixture_read q = { .f = f };
	struct store_principal who;

	run_sql(f->path, original_tables);
	fixture_open(f);
	for (int round = 0; round < 2; round++) {
		assert_int_equal(store_key_check(f->store, "user_01ARZ3NDEKTSV4RRFFQ69G5FAV_0a1b2c3d4e5f", &who), 0);
		assert_true(who.admin);
		assert_string_equal(who.username, "boss");
		assert_int_equal(store_key_check(f->store, "clear key", &who), 0);
		assert_string_equal(who.registry, "other");
		store_read_wait(f->store, read_main, &q);
		assert_int_equal(q.n, 1);
		assert_string_equal(((struct store_session *)q.rows)->id, "main");
		assert_string_equal(((struct store_session *)q.rows)->webhook_secret, "secret-of-webhook");
		assert_false(((struct store_session *)q.rows)->auto_start);
		/* The seeded administrator is the one that was there. */
		assert_int_equal(store_seed_admin(f->store, "boss", "pass", NULL, false), 0);
		fixture_reopen(f);
	}
	store_close(f->store);
	assert_false(file_has(f->path, "secret-of-webhook"));
	assert_false(file_has(f->path, "clear key"));
	assert_false(file_has(f->path, "c3345182a45b"));
	run_sql(f->path, "INSERT INTO sync_chats VALUES ('main', 'another chat')");
}

/* ---- a backup that was put back ---- */

static void copy(const char *from, const char *to)
{
	FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
	char bytes[65536];
	size_t n;

	while ((n = fread(bytes, 1, sizeof bytes, in)) > 0)
		fwrite(bytes, 1, n, out);
	fclose(in);
	fclose(out);
}

static void read_restored(struct store_reader *reader, void *arg)
{
	struct fixture_read *q = arg;
	struct store_session *row = arena_alloc(&q->f->arena, sizeof *row);

	q->rc = store_session_by_id(reader, &q->f->arena, "main", row);
	q->rows = row;
}

static void a_restored_backup_is_noticed(void **state)
{
	struct fixture *f = *state;
	struct fixture_read q = { .f = f };
	struct store_status status;
	struct store_tx *tx;
	char backup[128];
	int64_t session;

	fixture_open(f);
	session = fixture_session(f, "main");
	store_close(f->store);
	snprintf(backup, sizeof backup, "%s/backup", f->folder);
	copy(f->path, backup);
	fixture_open(f);
	store_status(f->store, &status);
	assert_false(status.restored);
	store_close(f->store);

	copy(backup, f->path);
	fixture_open(f);
	store_status(f->store, &status);
	assert_true(status.restored);
	store_read_wait(f->store, read_restored, &q);
	assert_true(((struct store_session *)q.rows)->restored);
	/* It is only said once per restore, but the session stays marked until confirmed. */
	fixture_reopen(f);
	store_status(f->store, &status);
	assert_false(status.restored);
	store_read_wait(f->store, read_restored, &q);
	assert_true(((struct store_session *)q.rows)->restored);
	tx = store_tx_new(f->store);
	store_tx_session_confirm(tx, session);
	assert_int_equal(store_commit_wait(f->store, tx), 0);
	store_read_wait(f->store, read_restored, &q);
	assert_false(((struct store_session *)q.rows)->restored);
	store_close(f->store);
}

/* ---- altered values ---- */

static void read_record(struct store_reader *reader, void *arg)
{
	static const struct store_record_key key = { 2, "a" };
	struct fixture_read *q = arg;
	struct span value;

	q->rc = store_record_get(reader, &q->f->arena, q->session, &key, 1, &value);
}

static void a_value_moved_to_another_row_does_not_open(void **state)
{
	struct fixture *f = *state;
	struct fixture_read q = { .f = f };
	int64_t session;

	fixture_open(f);
	session = fixture_session(f, "main");
	assert_int_equal(put(f, session, "a", 10), 0);
	assert_int_equal(put(f, session, "b", 10), 0);
	store_close(f->store);
	run_sql(f->path, "UPDATE records SET value = (SELECT value FROM records WHERE name = 'b') WHERE name = 'a'");
	fixture_open(f);
	q.session = session;
	store_read_wait(f->store, read_record, &q);
	assert_int_equal(q.rc, STORE_SEAL);
	store_close(f->store);
}

static int setup_closed(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	snprintf(f->folder, sizeof f->folder, "/tmp/test_store.XXXXXX");
	if (mkdtemp(f->folder) == NULL)
		return -1;
	snprintf(f->path, sizeof f->path, "%s/warest.sqlite", f->folder);
	f->options.path = f->path;
	arena_init(&f->arena, 0);
	*state = f;
	return 0;
}

static int teardown_closed(void **state)
{
	struct fixture *f = *state;

	arena_free(&f->arena);
	fixture_remove_folder(f->folder);
	free(f);
	return 0;
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup_closed, teardown_closed)
	const struct CMUnitTest tests[] = {
		T(one_bad_batch_does_not_harm_its_group),
		T(what_builds_on_a_lost_batch_is_refused),
		T(lazy_batches_ride_along_in_order),
		T(bulk_lets_others_through_but_not_what_forgets_it),
		T(many_threads_write_and_read_at_once),
		T(errors_of_the_disk_have_names_and_pass),
		T(a_full_disk_refuses_and_loses_nothing),
		T(a_foreign_lock_is_waited_for_and_then_reported),
		T(a_second_daemon_is_refused),
		T(a_damaged_file_is_not_used),
		T(a_damaged_page_is_reported_when_met),
		T(unusable_places_are_named),
		T(migrations_are_applied_once_and_checked),
		T(a_migration_that_fails_leaves_nothing),
		T(a_database_of_the_original_is_taken_over),
		T(a_restored_backup_is_noticed),
		T(a_value_moved_to_another_row_does_not_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
