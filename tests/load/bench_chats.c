/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What stored chats cost, as one JSON object:
 *
 *     bench_chats FOLDER MESSAGES [ROUNDS]
 *     fill       MESSAGES of history in batches of 500, index included: messages a second
 *     live       one message a tx, 64 in flight: microseconds of CPU for each, beside the same txs with a record of that size alone
 *     pages      ROUNDS times each: milliseconds at a reader's thread, p50 and p99, by the clock and of CPU
 *         chats_first, chats_cursor (a page somewhere in the list), chats_search; messages_first, messages_cursor; search
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "common/mem.h"
#include "sessiond/store/store.h"

enum { BATCH = 500, IN_FLIGHT = 64, LIVE = 4000 };

struct bench {
	struct store *store;
	int64_t session;
	size_t messages, chats, rounds;
	atomic_int open, failed;
	unsigned seed;
};

static void must(int rc, const char *what)
{
	if (rc != 0) {
		fprintf(stderr, "%s: %s\n", what, store_error_name(rc));
		exit(1);
	}
}

static double clock_s(clockid_t which)
{
	struct timespec t;

	clock_gettime(which, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct store_peer chat_at(size_t at)
{
	struct store_peer peer = { .jid = { .server = JID_SERVER_NONE } };
	char text[64];

	snprintf(text, sizeof text, "62812%09zu@s.whatsapp.net", at);
	must(jid_parse_text(&peer.jid, text), "jid");
	snprintf(text, sizeof text, "1000%011zu@lid", at);
	must(jid_parse_text(&peer.other, text), "lid");
	return peer;
}

/* Words of a small vocabulary, the rare ones seldom. */
static size_t make_body(struct bench *b, char *out, size_t room)
{
	size_t n = 0;

	for (int i = 0; i < 9; i++) {
		unsigned word = (unsigned)(rand_r(&b->seed) % 300) * (unsigned)(rand_r(&b->seed) % 300) / 30;

		n += (size_t)snprintf(out + n, room - n, "%sword%u", i > 0 ? " " : "", word);
	}
	return n;
}

static void done(void *arg, int error)
{
	struct bench *b = arg;

	if (error != 0)
		atomic_fetch_add(&b->failed, 1);
	atomic_fetch_sub(&b->open, 1);
}

static void submit(struct bench *b, struct store_tx *tx, int most)
{
	struct timespec pause = { 0, 50000 };

	while (atomic_load(&b->open) >= most)
		nanosleep(&pause, NULL);
	atomic_fetch_add(&b->open, 1);
	store_commit(b->store, tx, done, b);
}

static void drain(struct bench *b)
{
	struct timespec pause = { 0, 50000 };

	while (atomic_load(&b->open) > 0)
		nanosleep(&pause, NULL);
	if (atomic_load(&b->failed) != 0)
		must(STORE_IO, "commit");
}

/* ---- filling ---- */

static void put_batch(struct bench *b, size_t from, size_t n, bool history)
{
	static char bodies[BATCH][128], ids[BATCH][32];
	struct store_message m[BATCH];
	struct store_tx *tx = store_tx_new(b->store);
	size_t per_chat = b->messages / b->chats;
	size_t at = from;

	while (at < from + n) {
		size_t which = at / per_chat % b->chats, k = 0;
		struct store_peer who = chat_at(which);

		for (; at < from + n && at / per_chat % b->chats == which && k < BATCH; at++, k++) {
			size_t len = make_body(b, bodies[k], sizeof bodies[k]);

			snprintf(ids[k], sizeof ids[k], "3EB0%016zX", at * 2654435761U);
			m[k] = (struct store_message){ .id = ids[k], .from_me = at % 3 == 0, .type = "conversation", .media = at % 10 == 0,
				                       .body = span_of(bodies[k], len), .content = span_of(bodies[k], len),
				                       .time_ms = INT64_C(1700000000000) + (int64_t)(at % per_chat) * 60000 + (int64_t)which * 1000 };
		}
		store_tx_messages_put(tx, b->session, &who, m, k, history, 1);
	}
	submit(b, tx, history ? 8 : IN_FLIGHT);
}

static void fill_index(struct bench *b)
{
	while (store_search_behind(b->store)) {
		struct store_tx *tx = store_tx_new(b->store);

		store_tx_search_fill(tx);
		must(store_commit_wait(b->store, tx), "index");
	}
}

static void fill(struct bench *b)
{
	double begin = clock_s(CLOCK_MONOTONIC), cpu = clock_s(CLOCK_PROCESS_CPUTIME_ID), stored;

	for (size_t at = 0; at < b->messages; at += BATCH)
		put_batch(b, at, b->messages - at < BATCH ? b->messages - at : BATCH, true);
	drain(b);
	stored = clock_s(CLOCK_MONOTONIC);
	fill_index(b);
	printf("\"fill\":{\"messages_per_s\":%.0f,\"with_index_per_s\":%.0f,\"cpu_us\":%.2f},", (double)b->messages / (stored - begin),
	       (double)b->messages / (clock_s(CLOCK_MONOTONIC) - begin), (clock_s(CLOCK_PROCESS_CPUTIME_ID) - cpu) * 1e6 / (double)b->messages);
}

/* A record of the size that lookups keep, with or without the message beside it. */
static double live(struct bench *b, bool with_message, size_t round)
{
	double cpu = clock_s(CLOCK_PROCESS_CPUTIME_ID);
	char id[48], body[128];

	for (size_t i = 0; i < LIVE; i++) {
		struct store_tx *tx = store_tx_new(b->store);
		size_t len = make_body(b, body, sizeof body);
		struct store_peer who = chat_at((size_t)rand_r(&b->seed) % b->chats);
		struct store_message m = { .id = id, .type = "conversation", .body = span_of(body, len), .content = span_of(body, len),
			                   .time_ms = INT64_C(1800000000000) + (int64_t)(i + round * LIVE), .push_name = "Somebody" };

		snprintf(id, sizeof id, "3A%zu%d%016zX", round, with_message, i * 2654435761U);
		store_tx_record_put(tx, b->session, 200, id, span_of(body, len), INT64_C(1900000000000));
		if (with_message)
			store_tx_messages_put(tx, b->session, &who, &m, 1, false, 1);
		submit(b, tx, IN_FLIGHT);
	}
	drain(b);
	if (with_message)
		fill_index(b);
	return (clock_s(CLOCK_PROCESS_CPUTIME_ID) - cpu) * 1e6 / LIVE;
}

static void live_paired(struct bench *b)
{
	double plain = 0, with = 0;

	for (size_t round = 0; round < 3; round++) {
		plain += live(b, false, round) / 3;
		with += live(b, true, round) / 3;
	}
	printf("\"live\":{\"record_us\":%.1f,\"record_and_message_us\":%.1f},", plain, with);
}

/* ---- pages ---- */

struct page {
	struct bench *b;
	struct arena arena;
	const char *name;
	int (*run)(struct page *page, struct store_reader *reader);
	char *cursor;
	double *ms, *cpu_ms; /* on the clock, and of the thread alone: other programs share the machine */
};

static int list_chats(struct page *page, struct store_reader *reader, const char *cursor, const char *search)
{
	struct store_chat_query query = { .archived = -1, .limit = 50, .cursor = cursor, .search = search };
	struct store_chat *rows;
	struct store_page result;
	size_t n;

	return store_chat_list(reader, &page->arena, page->b->session, &query, &rows, &n, &result);
}

static int chats_first(struct page *page, struct store_reader *reader)
{
	return list_chats(page, reader, NULL, NULL);
}

static int chats_cursor(struct page *page, struct store_reader *reader)
{
	return list_chats(page, reader, page->cursor, NULL);
}

static int chats_search(struct page *page, struct store_reader *reader)
{
	return list_chats(page, reader, NULL, "0012");
}

static int list_messages(struct page *page, struct store_reader *reader, bool second)
{
	struct store_peer who = chat_at((size_t)rand_r(&page->b->seed) % page->b->chats);
	struct store_message_query query = { .from_me = -1, .limit = 50 };
	struct store_message_row *rows;
	struct store_page result;
	struct store_chat chat;
	size_t n;
	int rc = store_chat_get(reader, &page->arena, page->b->session, &who.jid, &chat);

	query.chat = chat.number;
	query.to_ms = second ? INT64_C(1700000000000) + (int64_t)(page->b->messages / page->b->chats / 2) * 60000 : 0;
	query.no_total = second;
	return rc == 0 ? store_message_list(reader, &page->arena, page->b->session, &query, &rows, &n, &result) : rc;
}

static int messages_first(struct page *page, struct store_reader *reader)
{
	return list_messages(page, reader, false);
}

static int messages_middle(struct page *page, struct store_reader *reader)
{
	return list_messages(page, reader, true);
}

static int search(struct page *page, struct store_reader *reader)
{
	struct store_search terms;
	struct store_search_query query = { .search = &terms, .from_me = -1, .limit = 20 };
	struct store_message_row *rows;
	struct store_page result;
	char text[48];
	size_t n;

	snprintf(text, sizeof text, "word%d word%d", rand_r(&page->b->seed) % 100, rand_r(&page->b->seed) % 100);
	if (!store_search_parse(&terms, text))
		return STORE_CONFIG;
	return store_message_search(reader, &page->arena, page->b->session, &query, &rows, &n, &result);
}

static void middle_cursor(struct store_reader *reader, void *arg)
{
	struct page *page = arg;
	struct store_chat_query query = { .archived = -1, .limit = 50, .offset = (int64_t)page->b->chats / 2 };
	struct store_chat *rows;
	struct store_page result = { .total = 0 };
	size_t n;

	must(store_chat_list(reader, &page->arena, page->b->session, &query, &rows, &n, &result), "cursor");
	page->cursor = result.cursor == NULL ? NULL : xstrdup(result.cursor);
}

static void run_pages(struct store_reader *reader, void *arg)
{
	struct page *page = arg;

	for (size_t i = 0; i < page->b->rounds; i++) {
		double begin = clock_s(CLOCK_MONOTONIC), cpu = clock_s(CLOCK_THREAD_CPUTIME_ID);

		must(page->run(page, reader), page->name);
		page->ms[i] = (clock_s(CLOCK_MONOTONIC) - begin) * 1e3;
		page->cpu_ms[i] = (clock_s(CLOCK_THREAD_CPUTIME_ID) - cpu) * 1e3;
		arena_reset(&page->arena);
	}
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void measure(struct bench *b, const char *name, int (*run)(struct page *page, struct store_reader *reader), bool first)
{
	struct page page = { .b = b, .name = name, .run = run, .ms = xcalloc(b->rounds, sizeof(double)),
		             .cpu_ms = xcalloc(b->rounds, sizeof(double)) };

	arena_init(&page.arena, 0);
	store_read_wait(b->store, middle_cursor, &page);
	store_read_wait(b->store, run_pages, &page);
	qsort(page.ms, b->rounds, sizeof *page.ms, by_value);
	qsort(page.cpu_ms, b->rounds, sizeof *page.cpu_ms, by_value);
	printf("%s\"%s\":{\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"p50_cpu_ms\":%.3f,\"p99_cpu_ms\":%.3f}", first ? "" : ",", name, page.ms[b->rounds / 2],
	       page.ms[b->rounds * 99 / 100], page.cpu_ms[b->rounds / 2], page.cpu_ms[b->rounds * 99 / 100]);
	arena_free(&page.arena);
	free(page.cursor);
	free(page.ms);
	free(page.cpu_ms);
}

static int64_t make_session(struct store *store)
{
	struct store_tx *tx = store_tx_new(store);
	struct store_session session = { .id = "bench", .registry = "owner", .label = "bench", .state = "stopped", .since_ms = 1, .created_ms = 1 };
	int64_t number = 0;

	store_tx_user_add(tx, &(struct store_user){ .registry = "owner", .username = "owner", .password = "-", .created_ms = 1 }, NULL);
	store_tx_session_add(tx, &session, &number);
	must(store_commit_wait(store, tx), "session");
	return number;
}

int main(int argc, char **argv)
{
	struct bench b = { .seed = 7 };
	struct store_options options = { .readers = 1 };
	struct rusage usage;
	char why[256], path[512];

	if (argc < 3) {
		fprintf(stderr, "usage: bench_chats FOLDER MESSAGES [ROUNDS]\n");
		return 2;
	}
	snprintf(path, sizeof path, "%s/warest.sqlite", argv[1]);
	options.path = path;
	b.messages = strtoul(argv[2], NULL, 10);
	b.rounds = argc > 3 ? strtoul(argv[3], NULL, 10) : 500;
	b.chats = b.messages / 200 < 50 ? 50 : b.messages / 200;
	if (b.messages < b.chats || b.rounds == 0)
		return 2;
	must(store_open(&b.store, &options, why, sizeof why), why);
	b.session = make_session(b.store);
	printf("{\"messages\":%zu,\"chats\":%zu,", b.messages, b.chats);
	fill(&b);
	live_paired(&b);
	printf("\"pages\":{");
	measure(&b, "chats_first", chats_first, true);
	measure(&b, "chats_cursor", chats_cursor, false);
	measure(&b, "chats_search", chats_search, false);
	measure(&b, "messages_first", messages_first, false);
	measure(&b, "messages_middle", messages_middle, false);
	measure(&b, "search", search, false);
	getrusage(RUSAGE_SELF, &usage);
	printf("},\"max_rss_kib\":%ld}\n", usage.ru_maxrss);
	store_close(b.store);
	return 0;
}
