/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the store costs, in CPU of the whole process and in time, as one JSON object:
 *
 *     bench_store FOLDER [BATCHES]
 *     commit_single   one batch of a text sent (3 records, outbox row's stanza) at a time, each waited for
 *     commit_grouped  the same batches, 64 in flight
 *     event_grouped   journal event + record, 64 in flight (a text received)
 *     records_get     6 records of one session per read, one read at a time and 16 in flight
 *     key_check       an API key, in memory
 *     session_list    1,000 rows with sealed webhook secrets
 *     open            opening a database with 1,000 sessions
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "common/mem.h"
#include "sessiond/store/store.h"

enum { SESSIONS = 1000, KEYS = 6, RECORD = 600, IN_FLIGHT = 64 };

struct bench {
	struct store *store;
	struct store_options options;
	int64_t sessions[SESSIONS];
	int64_t outbox[SESSIONS];
	atomic_int open, failed;
	bool first;
};

struct watch {
	int64_t wall_ns, cpu_ns;
	uint64_t txs, commits;
};

static void must(int rc, const char *what)
{
	if (rc != 0) {
		fprintf(stderr, "%s: %s\n", what, store_error_name(rc));
		exit(1);
	}
}

static int64_t clock_ns(clockid_t which)
{
	struct timespec t;

	clock_gettime(which, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static struct watch watch_start(struct bench *b)
{
	struct store_status status = { .txs = 0 };

	if (b->store != NULL)
		store_status(b->store, &status);
	return (struct watch){ clock_ns(CLOCK_MONOTONIC), clock_ns(CLOCK_PROCESS_CPUTIME_ID), status.txs, status.commits };
}

static void report(struct bench *b, const char *name, const struct watch *from, int count)
{
	struct watch to = watch_start(b);
	double n = count;

	printf("%s\n  \"%s\": {\"count\": %d, \"cpu_us\": %.2f, \"wall_us\": %.2f", b->first ? "" : ",", name, count,
	       (double)(to.cpu_ns - from->cpu_ns) / n / 1e3, (double)(to.wall_ns - from->wall_ns) / n / 1e3);
	if (to.commits > from->commits)
		printf(", \"per_commit\": %.1f", (double)(to.txs - from->txs) / (double)(to.commits - from->commits));
	printf("}");
	b->first = false;
}

static void settled(void *arg, int error)
{
	struct bench *b = arg;

	if (error != 0)
		atomic_fetch_add(&b->failed, 1);
	atomic_fetch_sub(&b->open, 1);
}

static void wait_below(struct bench *b, int limit)
{
	while (atomic_load(&b->open) >= limit) {
		struct timespec moment = { 0, 50000 };

		nanosleep(&moment, NULL);
	}
	must(atomic_load(&b->failed) == 0 ? 0 : STORE_IO, "a batch");
}

static struct store_tx *text_sent(struct bench *b, int i)
{
	static const uint8_t bytes[RECORD];
	int s = i % SESSIONS;
	struct store_tx *tx = store_tx_new(b->store);

	for (int k = 0; k < 3; k++) {
		char name[32];

		snprintf(name, sizeof name, "62812000%04d.%d", s, k);
		store_tx_record_put(tx, b->sessions[s], 2, name, span_of(bytes, sizeof bytes), 0);
	}
	store_tx_outbox_stanza(tx, b->outbox[s], span_of(bytes, 500), i);
	return tx;
}

static struct store_tx *text_received(struct bench *b, int i)
{
	static const uint8_t bytes[RECORD];
	int s = i % SESSIONS;
	struct store_tx *tx = store_tx_new(b->store);
	char id[32];

	store_tx_record_put(tx, b->sessions[s], 2, "62812000.0", span_of(bytes, sizeof bytes), 0);
	snprintf(id, sizeof id, "01ARZ3NDEKTSV4RRFFQ%07d", i);
	store_tx_event_add(tx, &(struct store_event){ .session = b->sessions[s], .event_id = id, .kind = "message_received",
	                                              .chat = "62812000@s.whatsapp.net", .payload = span_of(bytes, 600) }, NULL);
	return tx;
}

static void fill(struct bench *b)
{
	struct store_tx *tx = store_tx_new(b->store);

	store_tx_user_add(tx, &(struct store_user){ .registry = "admin", .username = "a", .password = "-", .admin = true }, NULL);
	must(store_commit_wait(b->store, tx), "user");
	tx = store_tx_new(b->store);
	store_tx_key_add(tx, 1, STORE_KEY_API, "a key of the benchmark", NULL, NULL);
	must(store_commit_wait(b->store, tx), "key");
	for (int i = 0; i < SESSIONS; i++) {
		char id[32];

		snprintf(id, sizeof id, "session-%d", i);
		tx = store_tx_new(b->store);
		store_tx_session_add(tx, &(struct store_session){ .id = id, .registry = "admin", .label = id, .auto_start = true,
		                                                  .state = "open", .webhook_url = "https://hook.example.com/",
		                                                  .webhook_secret = "0123456789abcdef0123456789abcdef" }, &b->sessions[i]);
		atomic_fetch_add(&b->open, 1);
		store_commit(b->store, tx, settled, b);
	}
	wait_below(b, 1);
	for (int i = 0; i < SESSIONS; i++) {
		char id[32];

		snprintf(id, sizeof id, "3EB0%016d", i);
		tx = store_tx_new(b->store);
		store_tx_outbox_add(tx, &(struct store_outbox){ .session = b->sessions[i], .message_id = id, .recipient = "r",
		                                                .message = span_text("a text of a usual length, some words long") },
		                    &b->outbox[i]);
		atomic_fetch_add(&b->open, 1);
		store_commit(b->store, tx, settled, b);
	}
	wait_below(b, 1);
}

static void bench_commits(struct bench *b, int batches)
{
	struct watch from = watch_start(b);

	for (int i = 0; i < batches / 10; i++)
		must(store_commit_wait(b->store, text_sent(b, i)), "commit");
	report(b, "commit_single", &from, batches / 10);
	from = watch_start(b);
	for (int i = 0; i < batches; i++) {
		wait_below(b, IN_FLIGHT);
		atomic_fetch_add(&b->open, 1);
		store_commit(b->store, text_sent(b, i), settled, b);
	}
	wait_below(b, 1);
	report(b, "commit_grouped", &from, batches);
	from = watch_start(b);
	for (int i = 0; i < batches; i++) {
		wait_below(b, IN_FLIGHT);
		atomic_fetch_add(&b->open, 1);
		store_commit(b->store, text_received(b, i), settled, b);
	}
	wait_below(b, 1);
	report(b, "event_grouped", &from, batches);
}

struct get {
	struct bench *b;
	int session;
};

static void get_records(struct store_reader *reader, void *arg)
{
	struct get *get = arg;
	struct store_record_key keys[KEYS];
	char names[KEYS][32];
	struct span values[KEYS];
	struct arena arena;

	arena_init(&arena, 0);
	for (int k = 0; k < KEYS; k++) {
		snprintf(names[k], sizeof names[k], "62812000%04d.%d", get->session, k);
		keys[k] = (struct store_record_key){ 2, names[k] };
	}
	must(store_record_get(reader, &arena, get->b->sessions[get->session], keys, KEYS, values), "records");
	arena_free(&arena);
}

static void get_and_settle(struct store_reader *reader, void *arg)
{
	struct get *get = arg;

	get_records(reader, get);
	settled(get->b, 0);
	free(get);
}

static void bench_reads(struct bench *b, int reads)
{
	struct watch from = watch_start(b);

	for (int i = 0; i < reads; i++) {
		struct get get = { b, i % SESSIONS };

		store_read_wait(b->store, get_records, &get);
	}
	report(b, "records_get_single", &from, reads);
	from = watch_start(b);
	for (int i = 0; i < reads; i++) {
		struct get *get = xmalloc(sizeof *get);

		*get = (struct get){ b, i % SESSIONS };
		wait_below(b, 16);
		atomic_fetch_add(&b->open, 1);
		store_read(b->store, get_and_settle, get);
	}
	wait_below(b, 1);
	report(b, "records_get_16", &from, reads);
}

static void list_sessions(struct store_reader *reader, void *arg)
{
	struct store_session *rows;
	struct arena arena;
	size_t n;

	(void)arg;
	arena_init(&arena, 0);
	must(store_session_list(reader, &arena, "admin", &rows, &n), "list");
	must(n == SESSIONS ? 0 : STORE_IO, "list");
	arena_free(&arena);
}

int main(int argc, char **argv)
{
	struct bench *b = xcalloc(1, sizeof *b);
	int batches = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 20000;
	struct store_principal who;
	struct watch from;
	char why[256];

	if (argc < 2 || batches < 10) {
		fprintf(stderr, "usage: bench_store FOLDER [BATCHES]\n");
		return 2;
	}
	b->options.path = xasprintf("%s/bench.sqlite", argv[1]);
	b->first = true;
	must(store_open(&b->store, &b->options, why, sizeof why), "open");
	fill(b);
	printf("{");
	bench_commits(b, batches);
	bench_reads(b, 20000);
	from = watch_start(b);
	for (int i = 0; i < 100000; i++)
		must(store_key_check(b->store, "a key of the benchmark", &who), "key");
	report(b, "key_check", &from, 100000);
	from = watch_start(b);
	for (int i = 0; i < 200; i++)
		store_read_wait(b->store, list_sessions, NULL);
	report(b, "session_list_1000", &from, 200);
	store_close(b->store);
	b->store = NULL;
	from = watch_start(b);
	must(store_open(&b->store, &b->options, why, sizeof why), "open");
	report(b, "open", &from, 1);
	store_close(b->store);
	printf("\n}\n");
	free((char *)(uintptr_t)b->options.path);
	free(b);
	return 0;
}
